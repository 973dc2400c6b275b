/* SPDX-License-Identifier: BSD-2-Clause */
/* metrics.c - see metrics.h. */
#include "metrics.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <string.h>

#include "build-config.h"
#include "daemon.h"
#include "base/error.h"
#include "health.h"
#include "prometheus.h"
#include "conf/settings.h"
#include "mail/spool.h"

#define TEXT "text/plain; charset=utf-8"
#define EXPOSITION "text/plain; version=0.0.4; charset=utf-8"

static struct MHD_Daemon *server;
static char *listens_on;

/* ---- the answers ---- */

static void get_numbers(struct vtm_numbers *n)
{
	struct vtm_conf *c = vtm_conf_current();
	struct vtm_resolver *resolver = vtm_daemon_resolver();
	GString *why = g_string_new(NULL);

	memset(n, 0, sizeof(*n));
	n->version = PACKAGE_VERSION;
	n->now_boot_ms = vtm_boot_ms(vtm_daemon.clock);
	n->enabled = c->enabled;
	n->has_resolver = resolver && c->enabled;
	if (n->has_resolver)
		vtm_resolver_stats(resolver, &n->resolver);
	n->healthy = vtm_health(n->has_resolver ? &n->resolver : NULL, n->now_boot_ms, why);
	vtm_settings_budget(c, &n->limits);
	vtm_daemon_counts(&n->counts);
	if (vtm_daemon.decoders)
		vtm_decoders_counts(vtm_daemon.decoders, &n->decoders);
	n->open = (unsigned)MAX(0, g_atomic_int_get(&vtm_daemon.open));
	vtm_spool_totals(&n->spool_memory, &n->spool_file);
	g_string_free(why, TRUE);
	vtm_conf_unref(c);
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type, GString *body)
{
	size_t len = body->len;
	char *text = g_string_free(body, FALSE);
	struct MHD_Response *response = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result rc;

	g_free(text);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	rc = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return rc;
}

static enum MHD_Result tell_metrics(struct MHD_Connection *connection)
{
	GString *body = g_string_sized_new(16384);
	struct vtm_numbers n;

	get_numbers(&n);
	vtm_prometheus_write(body, &n);
	return answer(connection, MHD_HTTP_OK, EXPOSITION, body);
}

static enum MHD_Result tell_health(struct MHD_Connection *connection)
{
	GString *body = g_string_new(NULL);
	struct vtm_numbers n;

	get_numbers(&n);
	if (!vtm_health(n.has_resolver ? &n.resolver : NULL, n.now_boot_ms, body))
		return answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE, TEXT, body);
	g_string_append(body, n.enabled ? "ok\n" : "ok (not Enabled)\n");
	return answer(connection, MHD_HTTP_OK, TEXT, body);
}

/* libmicrohttpd itself omits the body of an answer to HEAD. */
static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *data, size_t *len, void **state)
{
	(void)arg;
	(void)version;
	(void)data;
	(void)len;
	(void)state;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, TEXT, g_string_new("GET or HEAD\n"));
	if (strcmp(url, "/metrics") == 0)
		return tell_metrics(connection);
	if (strcmp(url, "/healthz") == 0)
		return tell_health(connection);
	return answer(connection, MHD_HTTP_NOT_FOUND, TEXT, g_string_new("/metrics or /healthz\n"));
}

/* ---- the listener ---- */

/* Errors of clients are not logged. */
static void drop_line(void *arg, const char *format, va_list args)
{
	(void)arg;
	(void)format;
	(void)args;
}

static struct addrinfo *resolve(const char *listen, GError **error)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE
	};
	struct addrinfo *found = NULL;
	const char *colon = strrchr(listen, ':');
	char *host = g_strndup(listen, (gsize)(colon - listen));
	gsize n = strlen(host);
	int rc;

	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		memmove(host, host + 1, n - 1);
	}
	rc = getaddrinfo(host, colon + 1, &hints, &found);
	if (rc != 0)
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "MetricsListen %s: %s; give an address, not a name",
			    listen, gai_strerror(rc));
	g_free(host);
	return rc == 0 ? found : NULL;
}

static struct MHD_Daemon *start(const struct addrinfo *at)
{
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ERROR_LOG;

	if (at->ai_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	return MHD_start_daemon(flags, 0, NULL, NULL, handle, NULL,
				MHD_OPTION_EXTERNAL_LOGGER, drop_line, NULL,
				MHD_OPTION_SOCK_ADDR, at->ai_addr,
				MHD_OPTION_CONNECTION_LIMIT, (unsigned)VTM_METRICS_CONNECTIONS,
				MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)VTM_METRICS_TIMEOUT_S,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)4096,
				MHD_OPTION_END);
}

static void stop(void)
{
	if (server)
		MHD_stop_daemon(server);
	server = NULL;
	g_clear_pointer(&listens_on, g_free);
}

int vtm_metrics_listen(const char *listen, GError **error)
{
	struct addrinfo *at;

	if (g_strcmp0(listen, listens_on) == 0)
		return 0;
	stop();
	if (!listen)
		return 0;
	at = resolve(listen, error);
	if (!at)
		return -1;
	errno = 0;
	server = start(at);
	if (server)
		listens_on = g_strdup(listen);
	else
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "MetricsListen %s: cannot listen there: %s", listen,
			    errno ? g_strerror(errno) : "no reason given");
	freeaddrinfo(at);
	return server ? 0 : -1;
}
