/* SPDX-License-Identifier: BSD-2-Clause */
/* conf.c - the table of directives, and what reads, checks and prints by it. */
#include "conf.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "budget.h"
#include "conf-value.h"
#include "error.h"
#include "http.h"
#include "store.h"

#define FILE_BYTES_MAX (1024 * 1024)	/* of vtmilter.conf */
#define LINE_BYTES_MAX 4096
#define REPEATS_MAX 100			/* lines of one directive that may stand several times */
#define KEY_LEN 64
#define KEY_FILE_MAX 1024
#define CREDENTIAL "vtmilter-api-key"
#define NONE "none"			/* takes an optional directive back */

#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define TIMEOUT_MAX (3000 * SECOND)	/* Postfix gives up on a milter after ipc_timeout, 3600 s, whatever progress it sees */

enum type {
	T_BOOL,		/* bool */
	T_NUMBER,	/* uint32_t */
	T_PERCENT,	/* uint32_t */
	T_DURATION,	/* int64_t, ms */
	T_SIZE,		/* uint64_t */
	T_MODE,		/* int64_t */
	T_CHOICE,	/* int, the word's place in choices */
	T_TEXT,		/* char *; NULL: none */
	T_PATH,		/* char *, absolute; NULL: none */
	T_PATHS,	/* GStrv of such, the directive may be repeated; NULL: none */
	T_COMMAND	/* GStrv; NULL: none */
};

typedef bool check_text(const char *text, GError **error);

struct directive {
	const char *name;
	enum type type;
	size_t offset;			/* in struct vtm_conf */
	const char *default_text;
	uint64_t min, max;
	const char *const *choices;	/* NULL-terminated */
	check_text *check;
	bool not_built;
	const char *help;
};

static bool complain(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Sets the error; always false. */
static bool complain(GError **error, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error_literal(error, VTM_ERROR, VTM_ERROR_CONFIG, text);
	g_free(text);
	return false;
}

/* ---- checks of single texts ---- */

static bool check_nets(const char *text, GError **error)
{
	struct vtm_netlist *l = vtm_netlist_parse(text, error);
	bool good = l != NULL;

	vtm_netlist_free(l);
	return good;
}

static bool read_port(const char *text)
{
	return g_ascii_string_to_unsigned(text, 10, 1, 65535, NULL, NULL);
}

/* "port@host" of inet: and inet6:. */
static bool check_inet(const char *text, const char *rest, const char *loopback, GError **error)
{
	const char *at = strchr(rest, '@');
	char *port = g_strndup(rest, at ? (size_t)(at - rest) : strlen(rest));
	bool good = read_port(port);

	if (!good)
		complain(error, "found '%s', expected a port from 1 to 65535 behind the colon", text);
	else if (!at || !at[1])
		good = complain(error, "found '%s', which would listen on all addresses and let any host in; say on which, "
				"for example %.*s:%s@%s", text, (int)strcspn(text, ":"), text, port, loopback);
	g_free(port);
	return good;
}

static bool check_socket(const char *text, GError **error)
{
	const char *colon = strchr(text, ':'), *rest = colon ? colon + 1 : "";
	size_t n = colon ? (size_t)(colon - text) : 0;

	if ((n == 5 && !strncmp(text, "local", n)) || (n == 4 && !strncmp(text, "unix", n))) {
		if (*rest != '/')
			return complain(error, "found '%s', expected an absolute path behind the colon", text);
		if (strlen(rest) > 107)	/* sun_path */
			return complain(error, "found a path of %zu bytes, expected at most 107", strlen(rest));
		return true;
	}
	if (n == 4 && !strncmp(text, "inet", n))
		return check_inet(text, rest, "127.0.0.1", error);
	if (n == 5 && !strncmp(text, "inet6", n))
		return check_inet(text, rest, "::1", error);
	if (n == 2 && !strncmp(text, "fd", n) && g_ascii_string_to_unsigned(rest, 10, 0, 65535, NULL, NULL))
		return true;
	return complain(error, "found '%s', expected local:/PATH, inet:PORT@HOST, inet6:PORT@HOST or fd:NUMBER", text);
}

static bool check_listen(const char *text, GError **error)
{
	const char *colon = strrchr(text, ':');

	if (!colon || colon == text || !read_port(colon + 1))
		return complain(error, "found '%s', expected ADDRESS:PORT such as 127.0.0.1:9894 or [::1]:9894", text);
	return true;
}

static bool check_facility(const char *text, GError **error)
{
	return vtm_log_facility_known(text) ||
	       complain(error, "found '%s', expected a facility of syslog such as mail, daemon or local0", text);
}

/* What may stand in front of the ';' of Authentication-Results without quotes. */
static bool check_token(const char *text, GError **error)
{
	for (const char *p = text; *p; p++)
		if (!g_ascii_isgraph(*p) || strchr("()<>@,;\\\"/[]?=", *p))
			return complain(error, "found '%s', expected a name such as mx.example.org", text);
	return true;
}

static bool check_word(const char *text, GError **error)
{
	for (const char *p = text; *p; p++)
		if (!g_ascii_isgraph(*p))
			return complain(error, "found '%s', expected printable ASCII without blanks", text);
	return true;
}

/* ---- the table ---- */

static const char *const privacy_words[] = { "guarded", "host", "full", NULL };
static const char *const on_bad_words[] = { "accept", "quarantine", "reject", "discard", NULL };
static const char *const detail_words[] = { "full", "ids", NULL };
static const char *const format_words[] = { "syslog", "text", "json", NULL };
static const char *const level_words[] = { "error", "warning", "notice", "info", "debug", NULL };

#define AT(member) .offset = offsetof(struct vtm_conf, member)

/* In the order of etc/vtmilter.conf and of the manual page. */
static const struct directive directives[] = {
	{ "Enabled", T_BOOL, AT(enabled), .default_text = "yes",
	  .help = "whether anything is asked; no: only strips forged X-VT-* headers" },
	{ "ApiKeyFile", T_PATH, AT(api_key_file),
	  .help = "file with the key of the VirusTotal account; needed if Enabled" },
	{ "ApiBaseURL", T_TEXT, AT(api_base_url), .default_text = "https://www.virustotal.com/api/v3",
	  .check = vtm_http_base_ok, .help = "where the API lives" },
	{ "CAFile", T_PATH, AT(ca_file), .help = "certificates trusted for ApiBaseURL instead of the system's" },

	{ "ScanAttachments", T_BOOL, AT(scan_attachments), .default_text = "yes",
	  .help = "ask about the SHA-256 of attachments" },
	{ "ScanURLs", T_BOOL, AT(scan_urls), .default_text = "yes", .help = "ask about links" },
	{ "ScanResourceURLs", T_BOOL, AT(scan_resource_urls), .default_text = "no",
	  .help = "also about images, style sheets and others that are fetched without a click" },
	{ "ScanBareDomains", T_BOOL, AT(scan_bare_domains), .default_text = "no",
	  .help = "also about domain names in text without http:// or www." },
	{ "ScanArchives", T_BOOL, AT(scan_archives), .default_text = "yes",
	  .help = "look into archives and ask about their members" },
	{ "ScanPDF", T_BOOL, AT(scan_pdf), .default_text = "no", .not_built = true,
	  .help = "look for links in PDF documents" },
	{ "URLPrivacy", T_CHOICE, AT(url_privacy), .default_text = "guarded", .choices = privacy_words,
	  .help = "how much of a URL is sent: all but personal ones, its host only, or all" },
	{ "SubmitUnknownURLs", T_BOOL, AT(submit_unknown_urls), .default_text = "no",
	  .help = "submit URLs that VirusTotal does not know for analysis (public)" },
	{ "ReaskUnknown", T_BOOL, AT(reask_unknown), .default_text = "yes",
	  .help = "ask again about unknown attachments with requests that the day would leave over" },
	{ "IgnoredDomains", T_PATHS, AT(ignored_domains),
	  .help = "file of domains whose URLs are not asked about; may be repeated" },
	{ "IgnoredHashes", T_PATHS, AT(ignored_hashes),
	  .help = "file of SHA-256 that are not asked about; may be repeated" },
	{ "AuthservID", T_TEXT, AT(authserv_id), .check = check_token,
	  .help = "whose Authentication-Results headers are believed" },
	{ "DetectionThreshold", T_NUMBER, AT(detection_threshold), .default_text = "2", .min = 1, .max = 1000,
	  .help = "engines that must call an item malicious to make it bad" },

	{ "Timeout", T_DURATION, AT(timeout_ms), .default_text = "120", .max = TIMEOUT_MAX,
	  .help = "how long a message may wait for answers; 0: never" },
	{ "MaxWaiting", T_NUMBER, AT(max_waiting), .default_text = "20", .max = 10000,
	  .help = "messages that may wait at the same time" },
	{ "MaxMessageSize", T_SIZE, AT(max_message_size), .default_text = "0", .max = UINT64_C(1) << 40,
	  .help = "larger messages are not read (VT_Bypassed); 0: no limit" },
	{ "MaxLookupsPerMessage", T_NUMBER, AT(max_lookups_per_message), .default_text = "10", .min = 1, .max = 1000,
	  .help = "items of one message that may be asked about" },

	{ "RequestsPerMinute", T_NUMBER, AT(requests_per_minute), .default_text = "4", .max = VTM_WINDOW_SLOTS,
	  .help = "requests in any 60 s; 0: no limit" },
	{ "RequestsPerDay", T_NUMBER, AT(requests_per_day), .default_text = "500", .max = 1000000000,
	  .help = "requests in a UTC day; 0: no limit" },
	{ "RequestsPerMonth", T_NUMBER, AT(requests_per_month), .default_text = "15500", .max = 1000000000,
	  .help = "requests in a UTC month; 0: no limit" },
	{ "ReserveForManual", T_NUMBER, AT(reserve_for_manual), .default_text = "20", .max = 1000000000,
	  .help = "requests of a day that only vtmilterctl may use" },
	{ "ReserveForAttachments", T_PERCENT, AT(reserve_for_attachments_percent), .default_text = "30%", .max = 100,
	  .help = "share of the day's requests that URLs may not use" },
	{ "SenderShare", T_PERCENT, AT(sender_share_percent), .default_text = "25%", .max = 100,
	  .help = "share of the day's requests that one client network or sender domain may use; 0: no bound" },
	{ "PendingLifetime", T_DURATION, AT(pending_lifetime_ms), .default_text = "24h", .min = SECOND, .max = 30 * DAY,
	  .help = "how long a look-up stays in the queue" },
	{ "CacheTTLBad", T_DURATION, AT(ttl_bad_ms), .default_text = "7d", .min = SECOND, .max = 365 * DAY,
	  .help = "how long a bad verdict is kept" },
	{ "CacheTTLClean", T_DURATION, AT(ttl_clean_ms), .default_text = "1d", .min = SECOND, .max = 365 * DAY,
	  .help = "how long a clean verdict is kept" },
	{ "CacheTTLUnknown", T_DURATION, AT(ttl_unknown_ms), .default_text = "1h", .min = SECOND, .max = 365 * DAY,
	  .help = "how long it is kept that VirusTotal does not know an item" },

	{ "OnBad", T_CHOICE, AT(on_bad), .default_text = "accept", .choices = on_bad_words,
	  .help = "what is done with a message with a bad item, besides its tag" },
	{ "ReportHeaders", T_BOOL, AT(report_headers), .default_text = "yes",
	  .help = "write an X-VT-Report header for each item" },
	{ "TrustedRelays", T_TEXT, AT(trusted_relays_text), .check = check_nets,
	  .help = "networks whose mail keeps its X-VT-* headers and is not scanned again" },
	{ "SkipNetworks", T_TEXT, AT(skip_networks_text), .check = check_nets,
	  .help = "networks whose mail is not scanned" },
	{ "SkipAuthenticated", T_BOOL, AT(skip_authenticated), .default_text = "no",
	  .help = "do not scan mail of authenticated users" },

	{ "Socket", T_TEXT, AT(socket), .default_text = "local:/run/vtmilter/vtmilter.sock", .check = check_socket,
	  .help = "where the MTA reaches the milter" },
	{ "SocketMode", T_MODE, AT(socket_mode), .default_text = "0660", .max = 0777,
	  .help = "access to a local socket" },
	{ "SocketGroup", T_TEXT, AT(socket_group), .check = check_word, .help = "group of a local socket" },
	{ "ControlSocket", T_PATH, AT(control_socket), .default_text = "/run/vtmilter/control.sock",
	  .help = "where vtmilterctl reaches the milter" },
	{ "User", T_TEXT, AT(user), .check = check_word, .help = "user to become when started as root" },
	{ "PidFile", T_PATH, AT(pid_file), .help = "file that gets the process's number" },
	{ "Foreground", T_BOOL, AT(foreground), .default_text = "no", .help = "do not become a daemon" },
	{ "TempDirectory", T_PATH, AT(temp_directory), .default_text = "/var/tmp",
	  .help = "where messages over 1 MiB are kept while they come in" },

	{ "Store", T_TEXT, AT(store), .default_text = "sqlite:/var/lib/vtmilter/vtmilter.db", .check = vtm_store_uri_ok,
	  .help = "where verdicts, budget, queue and journal are kept" },
	{ "StorePasswordFile", T_PATH, AT(store_password_file), .help = "file with the password for Redis" },
	{ "StoreCAFile", T_PATH, AT(store_ca_file), .help = "certificates trusted for a rediss:// store" },
	{ "StoreCertFile", T_PATH, AT(store_cert_file), .help = "own certificate for a rediss:// store" },
	{ "StoreKeyFile", T_PATH, AT(store_key_file), .help = "key of StoreCertFile" },
	{ "StorePrefix", T_TEXT, AT(store_prefix), .default_text = "vtmilter:", .check = check_word,
	  .help = "what names in Redis begin with" },
	{ "JournalRetention", T_DURATION, AT(journal_retention_ms), .default_text = "30d", .max = 3650 * DAY,
	  .help = "how long delivered messages are remembered; 0: no journal" },
	{ "JournalDetail", T_CHOICE, AT(journal_detail), .default_text = "full", .choices = detail_words,
	  .help = "full: with sender and recipients; ids: without" },
	{ "LateVerdictCommand", T_COMMAND, AT(late_verdict_command), .not_built = true,
	  .help = "command run when a delivered message turns out bad" },
	{ "LateVerdictTimeout", T_DURATION, AT(late_verdict_timeout_ms), .default_text = "60s", .min = SECOND,
	  .max = HOUR, .help = "how long that command may take" },
	{ "MetricsListen", T_TEXT, AT(metrics_listen), .check = check_listen, .not_built = true,
	  .help = "address and port of /metrics and /healthz" },

	{ "LogFormat", T_CHOICE, AT(log_format), .default_text = "syslog", .choices = format_words,
	  .help = "syslog, or lines of text or JSON on standard error" },
	{ "LogLevel", T_CHOICE, AT(log_level), .default_text = "info", .choices = level_words,
	  .help = "the least severe lines that are written" },
	{ "SyslogFacility", T_TEXT, AT(syslog_facility), .default_text = "mail", .check = check_facility,
	  .help = "facility of LogFormat syslog" },
	{ "LogURLs", T_BOOL, AT(log_urls), .default_text = "no", .help = "write URLs into the log in full" },
};
#define N_DIRECTIVES G_N_ELEMENTS(directives)

G_STATIC_ASSERT(G_N_ELEMENTS(format_words) == VTM_LOG_JSON + 2);
G_STATIC_ASSERT(G_N_ELEMENTS(level_words) == VTM_LOG_DEBUG + 2);
G_STATIC_ASSERT(G_N_ELEMENTS(privacy_words) == VTM_PRIVACY_FULL + 2);
G_STATIC_ASSERT(G_N_ELEMENTS(on_bad_words) == VTM_ON_BAD_DISCARD + 2);
G_STATIC_ASSERT(G_N_ELEMENTS(detail_words) == VTM_JOURNAL_IDS + 2);

static const struct directive *find(const char *name)
{
	for (size_t i = 0; i < N_DIRECTIVES; i++)
		if (!g_ascii_strcasecmp(directives[i].name, name))
			return &directives[i];
	return NULL;
}

/* The directive that <name> may be a slip of, NULL: none. */
static const struct directive *nearest(const char *name)
{
	const struct directive *best = NULL;
	unsigned least = MAX(2, (unsigned)MIN(strlen(name), 64) / 3) + 1;

	for (size_t i = 0; i < N_DIRECTIVES; i++) {
		unsigned d = vtm_value_distance(name, directives[i].name);

		if (d < least) {
			least = d;
			best = &directives[i];
		}
	}
	return best;
}

void vtm_conf_each(void (*each)(const char *name, const char *default_text, const char *help, void *arg), void *arg)
{
	for (size_t i = 0; i < N_DIRECTIVES; i++)
		each(directives[i].name, directives[i].default_text, directives[i].help, arg);
}

/* ---- values ---- */

static void *field(struct vtm_conf *c, const struct directive *d)
{
	return (char *)c + d->offset;
}

static const void *const_field(const struct vtm_conf *c, const struct directive *d)
{
	return (const char *)c + d->offset;
}

static bool optional(const struct directive *d)
{
	return !d->default_text;
}

static void clear(struct vtm_conf *c, const struct directive *d)
{
	switch (d->type) {
	case T_TEXT:
	case T_PATH:
		g_clear_pointer((char **)field(c, d), g_free);
		break;
	case T_PATHS:
	case T_COMMAND:
		g_clear_pointer((GStrv *)field(c, d), g_strfreev);
		break;
	case T_BOOL:
	case T_NUMBER:
	case T_PERCENT:
	case T_DURATION:
	case T_SIZE:
	case T_MODE:
	case T_CHOICE:
		break;
	}
}

static bool out_of_range(const struct directive *d, uint64_t value)
{
	return value < d->min || value > d->max;
}

static bool set_bool(struct vtm_conf *c, const struct directive *d, const char *text, GError **error)
{
	return vtm_value_bool(text, field(c, d)) || complain(error, "found '%s', expected yes or no", text);
}

static bool set_number(struct vtm_conf *c, const struct directive *d, const char *text, GError **error)
{
	bool percent = d->type == T_PERCENT;
	uint64_t value;

	if (!(percent ? vtm_value_percent : vtm_value_number)(text, &value) || out_of_range(d, value))
		return complain(error, "found '%s', expected a %s from %u%s to %u%s", text,
				percent ? "share" : "whole number", (unsigned)d->min, percent ? "%" : "", (unsigned)d->max,
				percent ? "%" : "");
	*(uint32_t *)field(c, d) = (uint32_t)value;
	return true;
}

static bool set_duration(struct vtm_conf *c, const struct directive *d, const char *text, GError **error)
{
	int64_t ms;

	if (!vtm_value_duration(text, &ms) || out_of_range(d, (uint64_t)ms)) {
		char *min = vtm_value_duration_text((int64_t)d->min), *max = vtm_value_duration_text((int64_t)d->max);

		complain(error, "found '%s', expected a duration such as 90, 90s, 5m, 1h or 7d, from %s to %s", text, min, max);
		g_free(min);
		g_free(max);
		return false;
	}
	*(int64_t *)field(c, d) = ms;
	return true;
}

static bool set_size(struct vtm_conf *c, const struct directive *d, const char *text, GError **error)
{
	uint64_t size;

	if (!vtm_value_size(text, &size) || out_of_range(d, size)) {
		char *min = vtm_value_size_text(d->min), *max = vtm_value_size_text(d->max);

		complain(error, "found '%s', expected a size such as 100, 64k, 10M or 1G, from %s to %s", text, min, max);
		g_free(min);
		g_free(max);
		return false;
	}
	*(uint64_t *)field(c, d) = size;
	return true;
}

static bool set_mode(struct vtm_conf *c, const struct directive *d, const char *text, GError **error)
{
	int64_t mode;

	if (!vtm_value_mode(text, &mode) || out_of_range(d, (uint64_t)mode))
		return complain(error, "found '%s', expected an octal mode such as 0660, at most 0777", text);
	if (mode & S_IWOTH)
		return complain(error, "found '%s', which lets every user of this host in; use 0660 and the MTA's group "
				"(SocketGroup)", text);
	*(int64_t *)field(c, d) = mode;
	return true;
}

static bool set_choice(struct vtm_conf *c, const struct directive *d, const char *text, GError **error)
{
	char *words;

	for (int i = 0; d->choices[i]; i++)
		if (!g_ascii_strcasecmp(d->choices[i], text)) {
			*(int *)field(c, d) = i;
			return true;
		}
	words = g_strjoinv(", ", (char **)(uintptr_t)d->choices);
	complain(error, "found '%s', expected one of %s", text, words);
	g_free(words);
	return false;
}

static bool set_text(struct vtm_conf *c, const struct directive *d, const char *text, GError **error)
{
	if (d->type == T_PATH && *text != '/')
		return complain(error, "found '%s', expected an absolute path", text);
	if (d->check && !d->check(text, error))
		return false;
	*(char **)field(c, d) = g_strdup(text);
	return true;
}

static bool add_path(struct vtm_conf *c, const struct directive *d, const char *text, GError **error)
{
	GStrv *list = field(c, d);
	guint n = *list ? g_strv_length(*list) : 0;

	if (*text != '/')
		return complain(error, "found '%s', expected an absolute path", text);
	if (n == REPEATS_MAX)
		return complain(error, "stands more than %d times", REPEATS_MAX);
	*list = g_renew(char *, *list, n + 2);
	(*list)[n] = g_strdup(text);
	(*list)[n + 1] = NULL;
	return true;
}

static bool set_command(struct vtm_conf *c, const struct directive *d, const char *text, GError **error)
{
	GStrv argv = NULL;
	GError *why = NULL;
	bool good = g_shell_parse_argv(text, NULL, &argv, &why);

	if (!good) {
		complain(error, "found '%s', which cannot be split into words (%s)", text, why->message);
		g_clear_error(&why);
	} else if (*argv[0] != '/') {
		good = complain(error, "found '%s', expected the command's absolute path first", text);
	}
	if (good)
		*(GStrv *)field(c, d) = g_steal_pointer(&argv);
	g_strfreev(argv);
	return good;
}

static bool set_value(struct vtm_conf *c, const struct directive *d, const char *text, GError **error)
{
	if (d->type != T_PATHS)
		clear(c, d);
	if (optional(d) && !g_ascii_strcasecmp(text, NONE))
		return true;
	switch (d->type) {
	case T_BOOL:
		return set_bool(c, d, text, error);
	case T_NUMBER:
	case T_PERCENT:
		return set_number(c, d, text, error);
	case T_DURATION:
		return set_duration(c, d, text, error);
	case T_SIZE:
		return set_size(c, d, text, error);
	case T_MODE:
		return set_mode(c, d, text, error);
	case T_CHOICE:
		return set_choice(c, d, text, error);
	case T_TEXT:
	case T_PATH:
		return set_text(c, d, text, error);
	case T_PATHS:
		return add_path(c, d, text, error);
	case T_COMMAND:
		return set_command(c, d, text, error);
	}
	return false;
}

/* Words as g_shell_parse_argv() reads them back. */
static char *command_text(const GStrv argv)
{
	GString *text = g_string_new(NULL);

	for (unsigned i = 0; argv[i]; i++) {
		char *quoted = argv[i][strspn(argv[i], G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "/._-+=:,@%")] || !*argv[i] ?
			       g_shell_quote(argv[i]) : g_strdup(argv[i]);

		g_string_append_printf(text, "%s%s", i ? " " : "", quoted);
		g_free(quoted);
	}
	return g_string_free(text, FALSE);
}

/* The value as text that reads back; of a repeated directive the <i>th.  NULL: none (more).  New string. */
static char *value_text(const struct vtm_conf *c, const struct directive *d, unsigned i)
{
	const void *at = const_field(c, d);
	const GStrv list = d->type == T_PATHS || d->type == T_COMMAND ? *(const GStrv *)at : NULL;

	if (d->type == T_PATHS)
		return list && i < g_strv_length(list) ? g_strdup(list[i]) : NULL;
	if (i)
		return NULL;
	switch (d->type) {
	case T_BOOL:
		return g_strdup(*(const bool *)at ? "yes" : "no");
	case T_NUMBER:
		return g_strdup_printf("%u", *(const uint32_t *)at);
	case T_PERCENT:
		return g_strdup_printf("%u%%", *(const uint32_t *)at);
	case T_DURATION:
		return vtm_value_duration_text(*(const int64_t *)at);
	case T_SIZE:
		return vtm_value_size_text(*(const uint64_t *)at);
	case T_MODE:
		return g_strdup_printf("%04o", (unsigned)*(const int64_t *)at);
	case T_CHOICE:
		return g_strdup(d->choices[*(const int *)at]);
	case T_TEXT:
	case T_PATH:
		return g_strdup(*(char *const *)at);
	case T_COMMAND:
		return list ? command_text(list) : NULL;
	case T_PATHS:
		break;
	}
	return NULL;
}

/* ---- snapshots ---- */

static struct vtm_conf *conf_new(void)
{
	struct vtm_conf *c = g_new0(struct vtm_conf, 1);

	c->refs = 1;
	for (size_t i = 0; i < N_DIRECTIVES; i++) {
		GError *error = NULL;

		if (directives[i].default_text && !set_value(c, &directives[i], directives[i].default_text, &error))
			g_error("%s: %s", directives[i].name, error->message);	/* a slip in the table */
	}
	return c;
}

static void conf_free(struct vtm_conf *c)
{
	for (size_t i = 0; i < N_DIRECTIVES; i++)
		clear(c, &directives[i]);
	vtm_netlist_free(c->trusted_relays);
	vtm_netlist_free(c->skip_networks);
	vtm_ignore_free(c->ignore);
	if (c->api_key)
		explicit_bzero(c->api_key, strlen(c->api_key));
	g_free(c->api_key);
	g_free(c->path);
	g_free(c);
}

struct vtm_conf *vtm_conf_ref(struct vtm_conf *c)
{
	g_atomic_int_inc(&c->refs);
	return c;
}

void vtm_conf_unref(struct vtm_conf *c)
{
	if (c && g_atomic_int_dec_and_test(&c->refs))
		conf_free(c);
}

static bool is_default(const struct vtm_conf *c, const struct vtm_conf *defaults, const struct directive *d)
{
	char *value = value_text(c, d, 0), *usual = value_text(defaults, d, 0);
	bool same = !g_strcmp0(value, usual);

	g_free(value);
	g_free(usual);
	return same;
}

void vtm_conf_dump(const struct vtm_conf *c, FILE *to)
{
	struct vtm_conf *defaults = conf_new();

	for (size_t i = 0; i < N_DIRECTIVES; i++) {
		const struct directive *d = &directives[i];
		char *value;

		if (is_default(c, defaults, d)) {
			fprintf(to, "%s %s  # default\n", d->name, d->default_text ? d->default_text : NONE);
			continue;
		}
		for (unsigned n = 0; (value = value_text(c, d, n)); n++) {
			fprintf(to, "%s %s\n", d->name, value);
			g_free(value);
		}
	}
	vtm_conf_unref(defaults);
}

/* Covers the pointer. */
static GMutex current_lock;
static struct vtm_conf *current;

void vtm_conf_set_current(struct vtm_conf *c)
{
	struct vtm_conf *old;

	if (c)
		vtm_conf_ref(c);
	g_mutex_lock(&current_lock);
	old = current;
	current = c;
	g_mutex_unlock(&current_lock);
	vtm_conf_unref(old);
}

struct vtm_conf *vtm_conf_current(void)
{
	struct vtm_conf *c;

	g_mutex_lock(&current_lock);
	c = current ? vtm_conf_ref(current) : NULL;
	g_mutex_unlock(&current_lock);
	return c;
}

/* ---- reading ---- */

struct loader {
	struct vtm_conf *c;
	unsigned lines[N_DIRECTIVES];	/* where each directive stood first; 0: nowhere */
};

/* Puts "FILE:LINE: Directive: " in front of an error; always false. */
static bool blame(const struct loader *l, const char *name, GError **error)
{
	unsigned line = l->lines[find(name) - directives];

	if (line)
		g_prefix_error(error, "%s:%u: %s: ", l->c->path, line, name);
	else
		g_prefix_error(error, "%s: %s: ", l->c->path, name);
	return false;
}

/* A regular file of at most <max> bytes; new string, NUL added. NULL and an error without the path in front. */
static char *read_file(const char *path, size_t max, struct stat *st, size_t *len_r, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text = NULL;
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0 || fstat(fd, st) < 0) {
		complain(error, "cannot be read: %s", g_strerror(errno));
		goto out;
	}
	if (!S_ISREG(st->st_mode)) {
		complain(error, "is not a regular file");
		goto out;
	}
	text = g_malloc(max + 2);
	while (len <= max && (n = read(fd, text + len, max + 1 - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		len += (size_t)n;
	}
	if (n < 0)
		complain(error, "cannot be read: %s", g_strerror(errno));
	else if (len > max)
		complain(error, "is larger than %zu bytes", max);
	if (n < 0 || len > max)
		g_clear_pointer(&text, g_free);
	if (text)
		text[len] = '\0';
	*len_r = len;
out:
	if (fd >= 0)
		close(fd);
	return text;
}

/* Ends a line where a comment begins: '#' at its start or behind a blank. */
static void cut_comment(char *line)
{
	for (char *p = line; *p; p++)
		if (*p == '#' && (p == line || p[-1] == ' ' || p[-1] == '\t')) {
			*p = '\0';
			return;
		}
}

static bool take_directive(struct loader *l, const char *name, const char *value, unsigned line, GError **error)
{
	const struct directive *d = find(name), *meant;
	unsigned *first;

	if (!d) {
		char *safe = vtm_log_escape(name, -1, 64);

		meant = nearest(name);
		if (meant)
			complain(error, "unknown directive '%s'; did you mean %s?", safe, meant->name);
		else
			complain(error, "unknown directive '%s'; vtmilter.conf(5) lists all", safe);
		g_free(safe);
		return false;
	}
	first = &l->lines[d - directives];
	if (*first && d->type != T_PATHS)
		return complain(error, "%s stands in line %u already; remove one", d->name, *first);
	if (!*first)
		*first = line;
	if (!*value)
		return complain(error, "%s: found no value", d->name);
	if (!set_value(l->c, d, value, error)) {
		g_prefix_error(error, "%s: ", d->name);
		return false;
	}
	return true;
}

static bool take_line(struct loader *l, char *line, unsigned number, GError **error)
{
	char *value;

	if (strlen(line) > LINE_BYTES_MAX)
		return complain(error, "the line is longer than %d bytes", LINE_BYTES_MAX);
	g_strchomp(line);
	cut_comment(line);
	g_strstrip(line);
	if (!*line)
		return true;
	for (const char *p = line; *p; p++)
		if (g_ascii_iscntrl(*p) && *p != '\t')
			return complain(error, "found a control character (\\x%02x)", (unsigned char)*p);
	value = line + strcspn(line, " \t");
	if (*value)
		*value++ = '\0';
	return take_directive(l, line, g_strchug(value), number, error);
}

static bool take_text(struct loader *l, char *text, size_t len, GError **error)
{
	unsigned number = 1;
	char *line = text;

	if (strlen(text) != len)
		return complain(error, "%s: found a NUL byte, expected text", l->c->path);
	if (!g_utf8_validate(text, -1, NULL))
		return complain(error, "%s: found bytes that are not UTF-8", l->c->path);
	if (g_str_has_prefix(text, "\xef\xbb\xbf"))	/* some editors put it there */
		line += 3;
	for (char *next; line; line = next, number++) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!take_line(l, line, number, error)) {
			g_prefix_error(error, "%s:%u: ", l->c->path, number);
			return false;
		}
	}
	return true;
}

/* ---- checks of all together ---- */

static bool check_built(const struct loader *l, GError **error)
{
	struct vtm_conf *defaults = conf_new();
	bool good = true;

	for (size_t i = 0; i < N_DIRECTIVES && good; i++)
		if (directives[i].not_built && !is_default(l->c, defaults, &directives[i])) {
			g_set_error(error, VTM_ERROR, VTM_ERROR_NOT_BUILT, "not built yet; leave it at its default (%s)",
				    directives[i].default_text ? directives[i].default_text : NONE);
			good = blame(l, directives[i].name, error);
		}
	vtm_conf_unref(defaults);
	return good;
}

static bool check_reserves(const struct loader *l, GError **error)
{
	const struct vtm_conf *c = l->c;
	uint64_t day = c->requests_per_day;
	uint64_t attachments = day * c->reserve_for_attachments_percent / 100;

	if (!day)
		return true;
	if (c->reserve_for_manual >= day) {
		complain(error, "found %u, expected less than RequestsPerDay (%u), or no message is ever asked about",
			 c->reserve_for_manual, c->requests_per_day);
		return blame(l, "ReserveForManual", error);
	}
	if (c->scan_urls && c->reserve_for_manual + attachments >= day) {
		complain(error, "found %u%%, which with ReserveForManual (%u) leaves none of RequestsPerDay (%u) to URLs; "
			 "lower it or say 'ScanURLs no'", c->reserve_for_attachments_percent, c->reserve_for_manual,
			 c->requests_per_day);
		return blame(l, "ReserveForAttachments", error);
	}
	return true;
}

static bool check_store_files(const struct loader *l, GError **error)
{
	const struct vtm_conf *c = l->c;

	if (!c->store_cert_file == !c->store_key_file)
		return true;
	complain(error, "StoreCertFile and StoreKeyFile are only of use together");
	return blame(l, c->store_cert_file ? "StoreCertFile" : "StoreKeyFile", error);
}

static bool make_nets(struct vtm_conf *c, GError **error)
{
	/* checked when they were read, so this cannot fail but in a way that is not ours */
	if (c->trusted_relays_text && !(c->trusted_relays = vtm_netlist_parse(c->trusted_relays_text, error)))
		return false;
	return !c->skip_networks_text || (c->skip_networks = vtm_netlist_parse(c->skip_networks_text, error));
}

/* ---- what stands outside: key, lists, users ---- */

/* Nobody but its owner may read or change a file with a secret. */
static bool check_private(const char *path, const struct stat *st, GError **error)
{
	if (!(st->st_mode & 077))
		return true;
	return complain(error, "other users can read or change '%s' (mode %04o); run: chmod 600 %s", path,
			(unsigned)(st->st_mode & 07777), path);
}

static bool key_shaped(const char *key)
{
	return strlen(key) == KEY_LEN && strspn(key, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS) == KEY_LEN;
}

static bool read_key(struct vtm_conf *c, const char *path, bool credential, GError **error)
{
	struct stat st;
	size_t len;
	char *text = read_file(path, KEY_FILE_MAX, &st, &len, error);
	bool good = false;

	if (!text) {
		g_prefix_error(error, "'%s' ", path);
		return false;
	}
	/* systemd gives a credential to its user by an ACL, which shows as a group's right; its directory is closed */
	if (!credential && !check_private(path, &st, error))
		goto out;
	if (strlen(text) != len || !key_shaped(g_strstrip(text))) {
		complain(error, "'%s' does not hold a key of VirusTotal: expected one line of %d letters and digits", path, KEY_LEN);
		goto out;
	}
	vtm_log_secret(text);
	c->api_key = g_strdup(text);
	good = true;
out:
	explicit_bzero(text, len);
	g_free(text);
	return good;
}

/* ApiKeyFile, else systemd's credential. */
static bool find_key(const struct loader *l, GError **error)
{
	const char *dir = g_getenv("CREDENTIALS_DIRECTORY");
	char *credential = dir ? g_build_filename(dir, CREDENTIAL, NULL) : NULL;
	bool good = true;

	if (!l->c->enabled)
		goto out;
	if (l->c->api_key_file)
		good = read_key(l->c, l->c->api_key_file, false, error);
	else if (credential && g_file_test(credential, G_FILE_TEST_EXISTS))
		good = read_key(l->c, credential, true, error);
	else
		good = complain(error, "missing; write the key of your VirusTotal account into a file that only vtmilter's user "
				"can read and name that file here, or say 'Enabled no'");
	if (!good)
		blame(l, "ApiKeyFile", error);
out:
	g_free(credential);
	return good;
}

static bool read_lists(const struct loader *l, GError **error)
{
	struct vtm_conf *c = l->c;

	c->ignore = vtm_ignore_new();
	for (unsigned i = 0; c->ignored_domains && c->ignored_domains[i]; i++)
		if (vtm_ignore_add_domains(c->ignore, c->ignored_domains[i], error) < 0)
			return blame(l, "IgnoredDomains", error);
	for (unsigned i = 0; c->ignored_hashes && c->ignored_hashes[i]; i++)
		if (vtm_ignore_add_hashes(c->ignore, c->ignored_hashes[i], error) < 0)
			return blame(l, "IgnoredHashes", error);
	return true;
}

/* Can the file (NULL: none) be read?  <secret>: by its owner only? */
static bool check_file(const struct loader *l, const char *name, const char *path, bool secret, GError **error)
{
	struct stat st;

	if (!path)
		return true;
	if (stat(path, &st) < 0 || access(path, R_OK) < 0)
		complain(error, "'%s' cannot be read: %s", path, g_strerror(errno));
	else if (!S_ISREG(st.st_mode))
		complain(error, "'%s' is not a regular file", path);
	else if (!secret || check_private(path, &st, error))
		return true;
	return blame(l, name, error);
}

static bool check_files(const struct loader *l, GError **error)
{
	const struct vtm_conf *c = l->c;

	if (!g_file_test(c->temp_directory, G_FILE_TEST_IS_DIR)) {
		complain(error, "'%s' is not a directory", c->temp_directory);
		return blame(l, "TempDirectory", error);
	}
	if (c->late_verdict_command && !g_file_test(c->late_verdict_command[0], G_FILE_TEST_IS_EXECUTABLE)) {
		complain(error, "'%s' is not a program that may be run", c->late_verdict_command[0]);
		return blame(l, "LateVerdictCommand", error);
	}
	return check_file(l, "CAFile", c->ca_file, false, error) &&
	       check_file(l, "StorePasswordFile", c->store_password_file, true, error) &&
	       check_file(l, "StoreCAFile", c->store_ca_file, false, error) &&
	       check_file(l, "StoreCertFile", c->store_cert_file, false, error) &&
	       check_file(l, "StoreKeyFile", c->store_key_file, true, error);
}

static bool check_accounts(const struct loader *l, GError **error)
{
	const struct vtm_conf *c = l->c;

	if (c->user && !getpwnam(c->user)) {
		complain(error, "there is no user '%s' on this host", c->user);
		return blame(l, "User", error);
	}
	if (c->socket_group && !getgrnam(c->socket_group)) {
		complain(error, "there is no group '%s' on this host", c->socket_group);
		return blame(l, "SocketGroup", error);
	}
	return true;
}

static struct vtm_conf *load(const char *path, bool quiet, GError **error)
{
	struct loader l = { .c = conf_new() };
	struct stat st;
	size_t len;
	char *text;
	bool good;

	l.c->path = g_strdup(path ? path : VTM_CONF_FILE_DEFAULT);
	text = read_file(l.c->path, FILE_BYTES_MAX, &st, &len, error);
	if (!text)
		g_prefix_error(error, "%s: ", l.c->path);
	good = text && take_text(&l, text, len, error) && check_built(&l, error) && check_reserves(&l, error) &&
	       check_store_files(&l, error) && make_nets(l.c, error);
	if (good && !quiet)
		good = find_key(&l, error) && read_lists(&l, error) && check_files(&l, error) && check_accounts(&l, error);
	g_free(text);
	if (!good)
		g_clear_pointer(&l.c, vtm_conf_unref);
	return l.c;
}

struct vtm_conf *vtm_conf_load(const char *path, GError **error)
{
	return load(path, false, error);
}

struct vtm_conf *vtm_conf_load_quiet(const char *path, GError **error)
{
	return load(path, true, error);
}
