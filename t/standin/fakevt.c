/* SPDX-License-Identifier: BSD-2-Clause */
/* fakevt.c - a stand-in VirusTotal: API v3 from a small table, with a quota of its own and faults on request. */
#include "build-config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "fakevt.h"

#define API "/api/v3"
#define BODY_MAX (64 * 1024 * 1024)	/* an uploaded file */

struct fake fake = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.polls = 2,
	.quota.limits = { 4, 500, 15500 },
};

static char *address, *port_file, *plain_port_file, *table_file, *stats_file, *log_file, *tls_cert, *tls_key;
static char **fault_lines;
static int port_wanted, ask_port;

/* A request while it comes in. */
struct call {
	GString *body;
};

int64_t fake_utc_ms(void)
{
	return vtm_utc_ms(vtm_clock_system()) + fake.utc_shift_ms;
}

int64_t fake_boot_ms(void)
{
	return vtm_boot_ms(vtm_clock_system());
}

bool fake_nap(int64_t ms)
{
	struct timespec until;
	bool stopping;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&fake.lock);
	while (!fake.stopping &&
	       pthread_cond_timedwait(&fake.stop_cond, &fake.lock, &until) != ETIMEDOUT)
		;
	stopping = fake.stopping;
	pthread_mutex_unlock(&fake.lock);
	return !stopping;
}

/* ---- requests ---- */

static void note(const char *method, const char *url, unsigned status)
{
	if (fake.log) {
		fprintf(fake.log, "%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %u %s %s\n", fake_boot_ms(), fake_utc_ms(),
			status, method, url);
		fflush(fake.log);
	}
}

/* Works out the answer; the fault to play with it, or NULL. */
static struct fake_fault *work_out(struct fake_answer *a, const char *key, const char *method, const char *path,
				   const GString *body)
{
	struct fake_fault *f = NULL;

	if (path && g_str_has_prefix(path, "/_control/")) {
		fake_answer_control(a, method, path + strlen("/_control/"), body->str);
		return NULL;
	}
	fake.quota.all++;
	if (path && g_str_has_prefix(path, API "/")) {
		f = fake_fault_pick(fake.faults, path + strlen(API));
		fake.quota.faults += f != NULL;
		fake_answer_api(a, key, method, path + strlen(API), body);
	} else {
		fake_answer_control(a, method, "", body->str);
	}
	return f;
}

/* Waits as the fault says; false if nothing is to be sent then. */
static bool hold_back(const struct fake_fault *f)
{
	if (!f)
		return true;
	if (f->delay_ms && !fake_nap(f->delay_ms))
		return false;
	if (f->stall)
		fake_nap(INT32_MAX);
	return !f->stall && !f->close;
}

static enum MHD_Result answer(struct MHD_Connection *c, const char *method, const char *url, const GString *body)
{
	const char *key = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "x-apikey");
	struct fake_answer a = { 0 };
	struct fake_fault *f;
	char *path = g_uri_unescape_string(url, NULL);
	int result = MHD_NO;
	int64_t now;

	pthread_mutex_lock(&fake.lock);
	now = fake_utc_ms();
	f = work_out(&a, key, method, path, body);
	if (!path || !g_str_has_prefix(path, "/_control/")) {
		fake_quota_status(&fake.quota, f && f->status ? f->status : a.status);
		note(method, url, f && f->status ? f->status : a.status);
	}
	pthread_mutex_unlock(&fake.lock);
	if (hold_back(f))
		result = fake_send(c, &a, f, url, now);
	fake_fault_free(f);
	g_free(path);
	g_free(a.body);
	g_free(a.id);
	g_free(a.url);
	return result == MHD_NO ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
				  const char *version, const char *data, size_t *len, void **state)
{
	struct call *call = *state;

	(void)arg;
	(void)version;
	if (!call) {
		call = g_new0(struct call, 1);
		call->body = g_string_new(NULL);
		*state = call;
		return MHD_YES;
	}
	if (*len) {
		if (call->body->len + *len > BODY_MAX)
			return MHD_NO;
		g_string_append_len(call->body, data, (gssize)*len);
		*len = 0;
		return MHD_YES;
	}
	return answer(c, method, url, call->body);
}

static void on_end(void *arg, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode how)
{
	struct call *call = *state;

	(void)arg;
	(void)c;
	(void)how;
	if (call) {
		g_string_free(call->body, TRUE);
		g_free(call);
	}
}

/* Leaves paths as they came; answer() decodes them. */
static size_t leave_escaped(void *arg, struct MHD_Connection *c, char *text)
{
	(void)arg;
	(void)c;
	return strlen(text);
}

/* ---- the program ---- */

static void complain(const char *format, ...) G_GNUC_PRINTF(1, 2) G_GNUC_NORETURN;
static void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("fakevt: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static char *read_file(const char *path)
{
	GError *error = NULL;
	char *text;

	if (!g_file_get_contents(path, &text, NULL, &error))
		complain("%s", error->message);
	return text;
}

static void read_table(void)
{
	GError *error = NULL;
	char *text;

	if (table_file) {
		text = read_file(table_file);
		if (!fake_set_lines(text, &error))
			complain("%s: %s", table_file, error->message);
		g_free(text);
	}
	for (char **f = fault_lines; f && *f; f++)
		if (!fake_add_fault(*f, &error))
			complain("fault: %s", error->message);
}

static struct MHD_Daemon *serve(int port, bool tls_wanted)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
			 MHD_USE_SUPPRESS_DATE_NO_CLOCK;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, NULL },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};
	struct MHD_Daemon *d;

	if (inet_pton(AF_INET, address ? address : "127.0.0.1", &at.sin_addr) != 1)
		complain("%s is no IPv4 address", address);
	if (tls_wanted) {
		flags |= MHD_USE_TLS;
		tls[0].ptr_value = read_file(tls_cert);
		tls[1].ptr_value = read_file(tls_key);
	} else {
		tls[0].option = MHD_OPTION_END;
	}
	d = MHD_start_daemon(flags, 0, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR, &at,
			     MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped,
			     NULL, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	g_free(tls[0].ptr_value);
	g_free(tls[1].ptr_value);
	if (!d)
		complain("port %d cannot be served", port);
	return d;
}

static void write_stats(void)
{
	struct vtm_json *j;
	char *line, *text;

	if (!stats_file)
		return;
	pthread_mutex_lock(&fake.lock);
	j = fake_quota_json(&fake.quota, fake_boot_ms(), fake_utc_ms());
	pthread_mutex_unlock(&fake.lock);
	line = vtm_json_line(j);
	text = g_strconcat(line, "\n", NULL);
	if (!g_file_set_contents(stats_file, text, -1, NULL))
		fprintf(stderr, "fakevt: %s cannot be written\n", stats_file);
	g_free(text);
	g_free(line);
	vtm_json_free(j);
}

static void tell_port(struct MHD_Daemon *d, const char *file)
{
	unsigned port = MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port;
	char text[16];

	g_snprintf(text, sizeof(text), "%u\n", port);
	if (!file) {
		fputs(text, stdout);
		fflush(stdout);
	} else if (!g_file_set_contents(file, text, -1, NULL)) {
		complain("%s cannot be written", file);
	}
}

static const char table_help[] =
	"Table, a line an item:\n"
	"  file SHA256 malicious=41 undetected=31\n"
	"  url URL harmless=66 undetected=29\n"
	"  domain NAME 7/92, ip ADDRESS 0/90\n"
	"Words: malicious suspicious undetected harmless timeout confirmed-timeout failure type-unsupported, each =N;\n"
	"M/N (malicious of all), date=SECONDS, nostats (never analysed), hidden (a url: unknown until submitted),\n"
	"canonical=URL (a url's other spelling in the answer).  What is not there is not found.\n\n"
	"Control, by HTTP on the same port:\n"
	"  GET  /_control/stats   counters as JSON; requests: those that count, violations: those beyond the quota\n"
	"  POST /_control/set     table lines; polls N; utc SECONDS (sets its clock); upload-base URL;\n"
	"                         limits per-minute=N per-day=N per-month=N day-used=N month-used=N\n"
	"  POST /_control/fault   a fault\n"
	"  POST /_control/reset   forgets faults and counters; with the body \"all\" the used quota too\n"
	"or by fakevt --ask PORT COMMAND:\n"
	"  stats [json], set LINE, add LINE (the same), fault WORDS, reset [all], delay MS (nothing else; 0: none)\n\n";

static void options(int *argc, char ***argv)
{
	int per_minute = 4, per_day = 500, per_month = 15500;
	const GOptionEntry entries[] = {
		{ "port", 'p', 0, G_OPTION_ARG_INT, &port_wanted, "port; 0, the default: any free one", "N" },
		{ "port-file", 0, 0, G_OPTION_ARG_FILENAME, &port_file, "write the port there, not to stdout", "FILE" },
		{ "address", 0, 0, G_OPTION_ARG_STRING, &address, "IPv4 address (127.0.0.1)", "ADDRESS" },
		{ "table", 't', 0, G_OPTION_ARG_FILENAME, &table_file, "what it knows, see below", "FILE" },
		{ "key", 'k', 0, G_OPTION_ARG_STRING, &fake.key, "the API key it takes", "KEY" },
		{ "per-minute", 0, 0, G_OPTION_ARG_INT, &per_minute, "requests in 60 s (4); 0: no limit", "N" },
		{ "per-day", 0, 0, G_OPTION_ARG_INT, &per_day, "requests in a UTC day (500)", "N" },
		{ "per-month", 0, 0, G_OPTION_ARG_INT, &per_month, "requests in a UTC month (15500)", "N" },
		{ "polls", 0, 0, G_OPTION_ARG_INT, &fake.polls, "times that an analysis is still queued (2)", "N" },
		{ "fault", 0, 0, G_OPTION_ARG_STRING_ARRAY, &fault_lines, "a fault from the start", "WORDS" },
		{ "stats", 0, 0, G_OPTION_ARG_FILENAME, &stats_file, "write the counters there at the end", "FILE" },
		{ "log", 0, 0, G_OPTION_ARG_FILENAME, &log_file, "a line a request: boot ms, utc ms, status", "FILE" },
		{ "tls-cert", 0, 0, G_OPTION_ARG_FILENAME, &tls_cert, "speak TLS with this certificate", "FILE" },
		{ "plain-port-file", 0, 0, G_OPTION_ARG_FILENAME, &plain_port_file,
			"with TLS: serve another port without, and write it there", "FILE" },
		{ "tls-key", 0, 0, G_OPTION_ARG_FILENAME, &tls_key, "and this key", "FILE" },
		{ "ask", 0, 0, G_OPTION_ARG_INT, &ask_port, "tell the one on that port, see below", "PORT" },
		{ 0 },
	};
	GOptionContext *context = g_option_context_new("[COMMAND ...] - a stand-in VirusTotal");
	char *text = g_strconcat(table_help, fake_fault_help, NULL);
	GError *error = NULL;

	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_description(context, text);
	if (!g_option_context_parse(context, argc, argv, &error))
		complain("%s", error->message);
	if ((*argc > 1 && !ask_port) || per_minute < 0 || per_day < 0 || per_month < 0 || fake.polls < 0 ||
	    !tls_cert != !tls_key || (plain_port_file && !tls_cert))
		complain("wrong options; see --help");
	fake.quota.limits = (struct fake_limits){ (unsigned)per_minute, (unsigned)per_day, (unsigned)per_month };
	if (!fake.key)
		fake.key = g_strdup("key");
	g_option_context_free(context);
	g_free(text);
}

int main(int argc, char **argv)
{
	struct MHD_Daemon *d, *plain = NULL;
	pthread_condattr_t monotonic;
	sigset_t signals;
	int signal;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&fake.stop_cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
	fake.table = fake_table_new();
	fake.faults = g_ptr_array_new_with_free_func((GDestroyNotify)fake_fault_free);
	fake_quota_init(&fake.quota);
	options(&argc, &argv);
	if (ask_port)
		return fake_ask(ask_port, argv + 1);
	read_table();
	if (log_file && !(fake.log = fopen(log_file, "ae")))
		complain("%s cannot be written", log_file);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	d = serve(port_wanted, tls_cert != NULL);
	fake.port = MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port;
	if (plain_port_file)
		tell_port(plain = serve(0, false), plain_port_file);
	tell_port(d, port_file);
	sigwait(&signals, &signal);
	pthread_mutex_lock(&fake.lock);
	fake.stopping = true;
	pthread_cond_broadcast(&fake.stop_cond);
	pthread_mutex_unlock(&fake.lock);
	MHD_stop_daemon(d);
	if (plain)
		MHD_stop_daemon(plain);
	write_stats();
	return 0;
}
