/* SPDX-License-Identifier: BSD-2-Clause */
/* connect.c - finds the server and logs in. */
#include <string.h>

#include "base/error.h"
#include "store/redis/redis.h"

#define PAUSE_MIN_MS 50		/* after a connection that failed; doubles up to */
#define PAUSE_MAX_MS 2000
#define SENTINEL_MS 60		/* for one Sentinel to answer */
#define PASSWORD_MAX 4096

static int64_t now_ms(void)
{
	return vtm_boot_ms(vtm_clock_system());
}

void vtm_redis_start(struct vtm_redis *s)
{
	s->deadline_ms = now_ms() + VTM_STORE_WAIT_MS;
}

void vtm_redis_disconnect(struct vtm_redis *s)
{
	g_clear_pointer(&s->link, vtm_redis_link_free);
}

/* The password of the file, or of the URI, or NULL.  Read anew for each connection, so that it may be changed. */
static char *read_password(const struct vtm_redis *s, GError **error)
{
	GError *own = NULL;
	char *text;
	gsize len;

	if (!s->password_file)
		return g_strdup(s->uri.password);
	if (!g_file_get_contents(s->password_file, &text, &len, &own)) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "%s", own->message);
		g_error_free(own);
		return NULL;
	}
	text[strcspn(text, "\r\n")] = '\0';
	if (text[0] && len <= PASSWORD_MAX)
		return text;
	g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "%s: expected a password in the first line", s->password_file);
	g_free(text);
	return NULL;
}

static int add_auth(const struct vtm_redis *s, struct vtm_redis_command *c, GError **error)
{
	GError *own = NULL;
	char *password = read_password(s, &own);

	if (own) {
		g_propagate_error(error, own);
		return -1;
	}
	if (password) {
		vtm_redis_command_begin(c, "AUTH");
		if (s->uri.user)
			vtm_redis_command_text(c, s->uri.user);
		vtm_redis_command_text(c, password);
		vtm_redis_command_end(c);
		g_free(password);
	}
	return 0;
}

static void add_info(struct vtm_redis_command *c, const char *section)
{
	vtm_redis_command_begin(c, "INFO");
	vtm_redis_command_text(c, section);
	vtm_redis_command_end(c);
}

/* The value of "<name>:value" in what INFO says; new or NULL. */
static char *info_value(const redisReply *r, const char *name)
{
	const char *at = vtm_redis_is_bytes(r) ? strstr(r->str, name) : NULL;

	return at ? g_strndup(at + strlen(name), strcspn(at + strlen(name), "\r\n")) : NULL;
}

/* Reads INFO.  A read-only user may lack the right to it; the state is then not known. */
static bool take_info(const struct vtm_redis *s, const redisReply *server, const redisReply *replication,
		      GError **error)
{
	char *version = info_value(server, "redis_version:");
	char *role = info_value(replication, "\nrole:");
	bool good = false;

	if (version && g_ascii_strtoull(version, NULL, 10) < 5)
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "Redis 5 or later is needed");
	else if (!s->base.read_only && role && !strcmp(role, "slave"))
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "is a replica and cannot be written to");
	else
		good = true;
	g_free(version);
	g_free(role);
	return good;
}

/* Warns of a policy that evicts any key when memory is full: it would evict the budget. */
static void take_memory(struct vtm_redis *s, const redisReply *memory)
{
	char *max = info_value(memory, "\nmaxmemory:");
	char *policy = info_value(memory, "\nmaxmemory_policy:");
	bool evicts = max && strcmp(max, "0") && policy && g_str_has_prefix(policy, "allkeys-");

	s->base.warning = evicts ? "this Redis throws out any key when its memory is full, budget and journal too: set its "
				   "maxmemory-policy to noeviction or volatile-ttl" : NULL;
	g_free(max);
	g_free(policy);
}

/* Password, database, who it is, scripts: one round trip. */
static int log_in(struct vtm_redis *s, struct vtm_redis_link *l, GError **error)
{
	struct vtm_redis_command c;
	GPtrArray *replies = NULL;
	int rc = -1;

	vtm_redis_command_init(&c);
	if (add_auth(s, &c, error) < 0)
		goto out;
	if (s->uri.db) {
		vtm_redis_command_begin(&c, "SELECT");
		vtm_redis_command_int(&c, s->uri.db);
		vtm_redis_command_end(&c);
	}
	unsigned infos = c.commands;

	add_info(&c, "server");
	add_info(&c, "replication");
	add_info(&c, "memory");
	vtm_redis_add_scripts(&c);
	replies = vtm_redis_exchange(l, &c, s->deadline_ms, error);
	if (!replies)
		goto out;
	for (guint i = 0; i < replies->len; i++) {
		const redisReply *r = replies->pdata[i];

		if (r->type == REDIS_REPLY_ERROR && (!s->base.read_only || i < infos || vtm_redis_says(r, "NOAUTH"))) {
			vtm_redis_reply_error(r, error);
			goto out;
		}
	}
	rc = take_info(s, replies->pdata[infos], replies->pdata[infos + 1], error) ? 0 : -1;
	take_memory(s, replies->pdata[infos + 2]);
out:
	vtm_redis_command_clear(&c);
	g_clear_pointer(&replies, g_ptr_array_unref);
	return rc;
}

static struct vtm_redis_link *open_link(struct vtm_redis *s, const char *host, const char *port, int64_t deadline_ms,
					GError **error)
{
	struct vtm_redis_peer peer = {
		.path = s->uri.path, .host = host, .port = port, .tls = s->uri.tls,
		.ca_file = s->ca_file, .cert_file = s->cert_file, .key_file = s->key_file,
	};

	return vtm_redis_link_new(&peer, deadline_ms, error);
}

/* Asks one Sentinel where the master is: "host" and "port", new strings. */
static bool ask_sentinel(struct vtm_redis *s, const struct vtm_redis_host *h, char **host_r, char **port_r,
			 GError **error)
{
	int64_t deadline = MIN(s->deadline_ms, now_ms() + SENTINEL_MS);
	struct vtm_redis_link *l = open_link(s, h->name, h->port, deadline, error);
	struct vtm_redis_command c;
	GPtrArray *replies = NULL;
	const redisReply *r;

	if (!l)
		return false;
	vtm_redis_command_init(&c);
	vtm_redis_command_begin(&c, "SENTINEL");
	vtm_redis_command_text(&c, "get-master-addr-by-name");
	vtm_redis_command_text(&c, s->uri.master);
	vtm_redis_command_end(&c);
	replies = vtm_redis_exchange(l, &c, deadline, error);
	r = replies ? replies->pdata[0] : NULL;
	if (r && r->type == REDIS_REPLY_ARRAY && r->elements == 2 && vtm_redis_is_bytes(r->element[0]) &&
	    vtm_redis_is_bytes(r->element[1])) {
		*host_r = g_strdup(r->element[0]->str);
		*port_r = g_strdup(r->element[1]->str);
	} else if (r && r->type == REDIS_REPLY_ERROR) {
		vtm_redis_reply_error(r, error);
	} else if (r) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s: the Sentinel knows no \"%s\"", h->name,
			    s->uri.master);
	}
	g_clear_pointer(&replies, g_ptr_array_unref);
	vtm_redis_command_clear(&c);
	vtm_redis_link_free(l);
	return *host_r != NULL;
}

static struct vtm_redis_link *open_master(struct vtm_redis *s, GError **error)
{
	char *host = NULL, *port = NULL;
	struct vtm_redis_link *l = NULL;
	unsigned i = 0;

	if (!s->uri.master)
		return open_link(s, s->uri.hosts[0].name, s->uri.hosts[0].port, s->deadline_ms, error);
	do {
		g_clear_error(error);
		ask_sentinel(s, &s->uri.hosts[i], &host, &port, error);
	} while (!host && ++i < s->uri.n_hosts);
	if (host) {
		g_clear_error(error);
		l = open_link(s, host, port, s->deadline_ms, error);
	}
	g_free(host);
	g_free(port);
	return l;
}

/* Doubles the pause, with a jitter of 25 %, so that hosts do not act at the same time. */
static void pause_after_failure(struct vtm_redis *s, const GError *error)
{
	s->pause_ms = CLAMP(s->pause_ms * 2, PAUSE_MIN_MS, PAUSE_MAX_MS);
	s->next_try_ms = now_ms() + s->pause_ms * g_random_int_range(75, 125) / 100;
	g_free(s->last_error);
	s->last_error = g_strdup(error->message);
}

int vtm_redis_connect(struct vtm_redis *s, GError **error)
{
	GError *own = NULL;

	if (s->link && !vtm_redis_link_quiet(s->link))
		vtm_redis_disconnect(s);
	if (s->link)
		return 0;
	if (now_ms() < s->next_try_ms) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s", s->last_error);
		return -1;
	}
	s->link = open_master(s, &own);
	if (s->link && log_in(s, s->link, &own) == 0) {
		s->pause_ms = s->next_try_ms = 0;
		return 0;
	}
	vtm_redis_disconnect(s);
	pause_after_failure(s, own);
	g_propagate_error(error, own);
	return -1;
}
