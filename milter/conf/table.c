/* SPDX-License-Identifier: BSD-2-Clause */
/* table.c - the table of directives, and the checks of their texts. */
#include "conf/table.h"

#include <string.h>

#include "model/budget.h"
#include "build-config.h"
#include "conf/value.h"
#include "base/error.h"
#include "vt/address.h"
#include "store/open/open.h"

#ifdef HAVE_QPDF
#define NO_PDF false
#else
#define NO_PDF true
#endif
#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
/* Postfix gives up on a milter after ipc_timeout, 3600 s, whatever progress is reported. */
#define TIMEOUT_MAX (3000 * SECOND)

bool vtm_conf_complain(GError **error, const char *format, ...)
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

/* Checks "port@host" of inet: and inet6:. */
static bool check_inet(const char *text, const char *rest, const char *loopback, GError **error)
{
	const char *at = strchr(rest, '@');
	char *port = g_strndup(rest, at ? (size_t)(at - rest) : strlen(rest));
	bool good = read_port(port);

	if (!good)
		vtm_conf_complain(error, "found '%s', expected a port from 1 to 65535 after the colon", text);
	else if (!at || !at[1])
		good = vtm_conf_complain(error,
					 "found '%s', which would listen on all addresses and let any host in; name "
					 "one, for example %.*s:%s@%s",
					 text, (int)strcspn(text, ":"), text, port, loopback);
	g_free(port);
	return good;
}

static bool check_socket(const char *text, GError **error)
{
	const char *colon = strchr(text, ':'), *rest = colon ? colon + 1 : "";
	size_t n = colon ? (size_t)(colon - text) : 0;

	if ((n == 5 && !strncmp(text, "local", n)) || (n == 4 && !strncmp(text, "unix", n))) {
		if (*rest != '/')
			return vtm_conf_complain(error, "found '%s', expected an absolute path after the colon", text);
		if (strlen(rest) > 107)	/* sun_path */
			return vtm_conf_complain(error, "found a path of %zu bytes, expected at most 107",
						 strlen(rest));
		return true;
	}
	if (n == 4 && !strncmp(text, "inet", n))
		return check_inet(text, rest, "127.0.0.1", error);
	if (n == 5 && !strncmp(text, "inet6", n))
		return check_inet(text, rest, "::1", error);
	if (n == 2 && !strncmp(text, "fd", n) && g_ascii_string_to_unsigned(rest, 10, 0, 65535, NULL, NULL))
		return true;
	return vtm_conf_complain(error, "found '%s', expected local:/PATH, inet:PORT@HOST, inet6:PORT@HOST or "
					"fd:NUMBER", text);
}

static bool check_listen(const char *text, GError **error)
{
	const char *colon = strrchr(text, ':');

	if (!colon || colon == text || !read_port(colon + 1))
		return vtm_conf_complain(error, "found '%s', expected ADDRESS:PORT such as 127.0.0.1:9894 or "
						"[::1]:9894", text);
	return true;
}

static bool check_facility(const char *text, GError **error)
{
	return vtm_log_facility_known(text) ||
	       vtm_conf_complain(error, "found '%s', expected a facility of syslog such as mail, daemon or local0",
				 text);
}

/* Characters that Authentication-Results allows before its ';' without quotes. */
static bool check_token(const char *text, GError **error)
{
	for (const char *p = text; *p; p++)
		if (!g_ascii_isgraph(*p) || strchr("()<>@,;\\\"/[]?=", *p))
			return vtm_conf_complain(error, "found '%s', expected a name such as mx.example.org", text);
	return true;
}

static bool check_word(const char *text, GError **error)
{
	for (const char *p = text; *p; p++)
		if (!g_ascii_isgraph(*p))
			return vtm_conf_complain(error, "found '%s', expected printable ASCII without blanks", text);
	return true;
}

/* ---- the table ---- */

static const char *const privacy_words[] = { "guarded", "host", "full", NULL };
static const char *const on_bad_words[] = { "accept", "quarantine", "reject", "discard", NULL };
static const char *const on_failure_words[] = { "accept", "tempfail", NULL };
static const char *const detail_words[] = { "full", "ids", NULL };
static const char *const order_words[] = { "points", "class", NULL };
static const char *const format_words[] = { "syslog", "text", "json", NULL };
static const char *const level_words[] = { "error", "warning", "notice", "info", "debug", NULL };

#define AT(member) .offset = offsetof(struct vtm_conf, member)

const struct vtm_directive vtm_directives[] = {
	{ "Enabled", T_BOOL, AT(enabled), .default_text = "yes",
	  .help = "look anything up; no: only removes forged X-VT-* headers" },
	{ "ApiKeyFile", T_PATH, AT(api_key_file),
	  .help = "file with the key of the VirusTotal account; required if Enabled" },
	{ "ApiBaseURL", T_TEXT, AT(api_base_url), .default_text = "https://www.virustotal.com/api/v3",
	  .check = vtm_address_base_ok, .help = "URL of the API" },
	{ "CAFile", T_PATH, AT(ca_file), .help = "certificates trusted for ApiBaseURL instead of the system's" },

	{ "ScanAttachments", T_BOOL, AT(scan_attachments), .default_text = "yes",
	  .help = "look up the SHA-256 of attachments" },
	{ "ScanURLs", T_BOOL, AT(scan_urls), .default_text = "yes", .help = "look up links" },
	{ "ScanResourceURLs", T_BOOL, AT(scan_resource_urls), .default_text = "no",
	  .help = "also look up images, style sheets and others that are fetched without a click" },
	{ "ScanBareDomains", T_BOOL, AT(scan_bare_domains), .default_text = "no",
	  .help = "also look up domain names in text without http:// or www." },
	{ "ScanArchives", T_BOOL, AT(scan_archives), .default_text = "yes",
	  .help = "open archives and look up the files in them" },
	{ "ScanPDF", T_BOOL, AT(scan_pdf), .default_text = "no", .not_built = NO_PDF,
	  .help = "look for links in PDF documents" },
	{ "URLPrivacy", T_CHOICE, AT(url_privacy), .default_text = "guarded", .choices = privacy_words,
	  .help = "how much of a URL is sent: all but personal ones, its host only, or all" },
	{ "SubmitUnknownURLs", T_BOOL, AT(submit_unknown_urls), .default_text = "no",
	  .help = "submit URLs for analysis that VirusTotal does not know (public)" },
	{ "ReaskUnknown", T_BOOL, AT(reask_unknown), .default_text = "yes",
	  .help = "look up unknown attachments again with requests that would expire at the end of the day" },
	{ "IgnoredDomains", T_PATHS, AT(ignored_domains),
	  .help = "file of domains whose URLs are not looked up; may be repeated" },
	{ "IgnoredHashes", T_PATHS, AT(ignored_hashes),
	  .help = "file of SHA-256 sums that are not looked up; may be repeated" },
	{ "AuthservID", T_TEXT, AT(authserv_id), .check = check_token,
	  .help = "name of the Authentication-Results headers to trust" },
	{ "ListDirectory", T_PATH, AT(list_directory),
	  .help = "directory of the lists of hosts: shared-hosting, shorteners, brands, cheap-tlds" },
	{ "DetectionThreshold", T_NUMBER, AT(detection_threshold), .default_text = "2", .min = 1, .max = 1000,
	  .help = "engines that must call an item malicious to make it bad" },

	{ "Timeout", T_DURATION, AT(timeout_ms), .default_text = "120", .max = TIMEOUT_MAX,
	  .help = "how long a message may wait for answers; 0: never" },
	{ "MaxWaiting", T_NUMBER, AT(max_waiting), .default_text = "20", .max = 10000,
	  .help = "messages that may wait at the same time" },
	{ "MaxMessageSize", T_SIZE, AT(max_message_size), .default_text = "0", .max = UINT64_C(1) << 40,
	  .help = "larger messages are not read (VT_Bypassed); 0: no limit" },
	{ "MaxMemory", T_SIZE, AT(max_memory), .default_text = "512M", .min = 4 << 20, .max = UINT64_C(1) << 40,
	  .help = "memory for all messages being read" },
	{ "MaxLookupsPerMessage", T_NUMBER, AT(max_lookups_per_message), .default_text = "10", .min = 1, .max = 1000,
	  .help = "items of one message that may be looked up" },

	{ "RequestsPerMinute", T_NUMBER, AT(requests_per_minute), .default_text = "4", .max = VTM_WINDOW_SLOTS,
	  .help = "requests in any 60 s; 0: no limit" },
	{ "RequestsPerDay", T_NUMBER, AT(requests_per_day), .default_text = "500", .max = 1000000000,
	  .help = "requests in a UTC day; 0: no limit" },
	{ "RequestsPerMonth", T_NUMBER, AT(requests_per_month), .default_text = "15500", .max = 1000000000,
	  .help = "requests in a UTC month; 0: no limit" },
	{ "ReserveForManual", T_NUMBER, AT(reserve_for_manual), .default_text = "20", .max = 1000000000,
	  .help = "requests of a day that only vtmilterctl may use" },
	{ "ReserveForAttachments", T_PERCENT, AT(reserve_for_attachments_percent), .default_text = "30%", .max = 100,
	  .help = "by class: share of the day's requests that URLs may not use; by points: attachments within it come sooner" },
	{ "Order", T_CHOICE, AT(order), .default_text = "class", .choices = order_words,
	  .help = "what comes first: look-ups by points for sender and link, paced over the day; or fixed classes" },
	{ "ExploreShare", T_PERCENT, AT(explore_share_percent), .default_text = "12%", .max = 100,
	  .help = "share of the day's requests for look-ups with few points, drawn at random" },
	{ "SenderShare", T_PERCENT, AT(sender_share_percent), .default_text = "25%", .max = 100,
	  .help = "share of the day's requests after which a client network or sender domain comes last; 0: never" },
	{ "PendingLifetime", T_DURATION, AT(pending_lifetime_ms), .default_text = "24h", .min = SECOND, .max = 30 * DAY,
	  .help = "how long a look-up stays in the queue" },
	{ "CacheTTLBad", T_DURATION, AT(ttl_bad_ms), .default_text = "7d", .min = SECOND, .max = 365 * DAY,
	  .help = "how long a bad verdict is kept" },
	{ "CacheTTLClean", T_DURATION, AT(ttl_clean_ms), .default_text = "1d", .min = SECOND, .max = 365 * DAY,
	  .help = "how long a clean verdict is kept" },
	{ "CacheTTLUnknown", T_DURATION, AT(ttl_unknown_ms), .default_text = "1h", .min = SECOND, .max = 365 * DAY,
	  .help = "how long an unknown verdict is kept" },

	{ "OnBad", T_BY_ORIGIN, AT(on_bad), .default_text = "accept", .choices = on_bad_words,
	  .help = "what is done with a message with a bad item, besides its tag; may be given by origin" },
	{ "OnFailure", T_BY_ORIGIN, AT(on_failure), .default_text = "accept", .choices = on_failure_words,
	  .help = "what is done with a message that vtmilter itself failed to scan; may be given by origin" },
	{ "OwnNetworks", T_TEXT, AT(own_networks_text), .check = check_nets,
	  .help = "networks that OnBad and OnFailure call networks" },
	{ "ReportHeaders", T_BOOL, AT(report_headers), .default_text = "yes",
	  .help = "write an X-VT-Report header for each item" },
	{ "TrustedRelays", T_TEXT, AT(trusted_relays_text), .check = check_nets,
	  .help = "networks whose mail keeps its X-VT-* headers and is not scanned again" },
	{ "SkipNetworks", T_TEXT, AT(skip_networks_text), .check = check_nets,
	  .help = "networks whose mail is not scanned" },
	{ "SkipAuthenticated", T_BOOL, AT(skip_authenticated), .default_text = "no",
	  .help = "do not scan mail of authenticated users" },

	{ "Socket", T_TEXT, AT(socket), .default_text = "local:/run/vtmilter/vtmilter.sock", .check = check_socket,
	  .help = "socket for the MTA" },
	{ "SocketMode", T_MODE, AT(socket_mode), .default_text = "0660", .max = 0777,
	  .help = "access to a local socket" },
	{ "SocketGroup", T_TEXT, AT(socket_group), .check = check_word, .help = "group of a local socket" },
	{ "ControlSocket", T_PATH, AT(control_socket), .default_text = "/run/vtmilter/control.sock",
	  .help = "socket for vtmilterctl" },
	{ "User", T_TEXT, AT(user), .check = check_word, .help = "user that the daemon runs as if it is started as root" },
	{ "PidFile", T_PATH, AT(pid_file), .help = "file for the process ID" },
	{ "Foreground", T_BOOL, AT(foreground), .default_text = "no", .help = "do not become a daemon" },
	{ "TempDirectory", T_PATH, AT(temp_directory), .default_text = "/var/tmp",
	  .help = "directory for messages over 1 MiB while they arrive" },

	{ "Store", T_TEXT, AT(store), .default_text = "sqlite:/var/lib/vtmilter/vtmilter.db", .check = vtm_store_uri_ok,
	  .help = "database for verdicts, budget, queue and journal" },
	{ "StorePasswordFile", T_PATH, AT(store_password_file), .help = "file with the password for Redis" },
	{ "StoreCAFile", T_PATH, AT(store_ca_file), .help = "certificates trusted for a rediss:// store" },
	{ "StoreCertFile", T_PATH, AT(store_cert_file), .help = "own certificate for a rediss:// store" },
	{ "StoreKeyFile", T_PATH, AT(store_key_file), .help = "key of StoreCertFile" },
	{ "StorePrefix", T_TEXT, AT(store_prefix), .default_text = "vtmilter:", .check = check_word,
	  .help = "prefix of all keys in Redis" },
	{ "JournalRetention", T_DURATION, AT(journal_retention_ms), .default_text = "30d", .max = 3650 * DAY,
	  .help = "how long delivered messages stay in the journal; 0: no journal" },
	{ "HistoryRetention", T_DURATION, AT(history_retention_ms), .default_text = "90d", .min = DAY, .max = 365 * DAY,
	  .help = "how long a domain or network stays in the history after it was last seen" },
	{ "HistorySize", T_NUMBER, AT(history_size), .default_text = "200000", .min = 1000, .max = 1000000,
	  .help = "the number of link domains, of From domains and of networks in the history" },
	{ "JournalDetail", T_CHOICE, AT(journal_detail), .default_text = "full", .choices = detail_words,
	  .help = "full: with sender and recipients; ids: without" },
	{ "LateVerdictCommand", T_COMMAND, AT(late_verdict_command),
	  .help = "command to run when a delivered message turns out bad" },
	{ "LateVerdictTimeout", T_DURATION, AT(late_verdict_timeout_ms), .default_text = "60s", .min = SECOND,
	  .max = HOUR, .help = "how long LateVerdictCommand may take" },
	{ "MetricsListen", T_TEXT, AT(metrics_listen), .check = check_listen,
	  .help = "address and port of /metrics and /healthz" },

	{ "LogFormat", T_CHOICE, AT(log_format), .default_text = "syslog", .choices = format_words,
	  .help = "syslog, or lines of text or JSON on standard error" },
	{ "LogLevel", T_CHOICE, AT(log_level), .default_text = "info", .choices = level_words,
	  .help = "least severe lines that are logged" },
	{ "SyslogFacility", T_TEXT, AT(syslog_facility), .default_text = "mail", .check = check_facility,
	  .help = "facility of LogFormat syslog" },
	{ "LogURLs", T_BOOL, AT(log_urls), .default_text = "no", .help = "log URLs in full" },
};
const size_t vtm_n_directives = G_N_ELEMENTS(vtm_directives);

G_STATIC_ASSERT(G_N_ELEMENTS(format_words) == VTM_LOG_JSON + 2);
G_STATIC_ASSERT(G_N_ELEMENTS(level_words) == VTM_LOG_DEBUG + 2);
G_STATIC_ASSERT(G_N_ELEMENTS(privacy_words) == VTM_PRIVACY_FULL + 2);
G_STATIC_ASSERT(G_N_ELEMENTS(on_bad_words) == VTM_ON_BAD_DISCARD + 2);
G_STATIC_ASSERT(G_N_ELEMENTS(on_failure_words) == VTM_ON_FAILURE_TEMPFAIL + 2);
G_STATIC_ASSERT(G_N_ELEMENTS(detail_words) == VTM_JOURNAL_IDS + 2);

const struct vtm_directive *vtm_directive_find(const char *name)
{
	for (size_t i = 0; i < vtm_n_directives; i++)
		if (!g_ascii_strcasecmp(vtm_directives[i].name, name))
			return &vtm_directives[i];
	return NULL;
}

const struct vtm_directive *vtm_directive_nearest(const char *name)
{
	const struct vtm_directive *best = NULL;
	unsigned least = MAX(2, (unsigned)MIN(strlen(name), 64) / 3) + 1;

	for (size_t i = 0; i < vtm_n_directives; i++) {
		unsigned d = vtm_value_distance(name, vtm_directives[i].name);

		if (d < least) {
			least = d;
			best = &vtm_directives[i];
		}
	}
	return best;
}

void vtm_conf_each(void (*each)(const char *name, const char *default_text, const char *help, void *arg), void *arg)
{
	for (size_t i = 0; i < vtm_n_directives; i++)
		each(vtm_directives[i].name, vtm_directives[i].default_text, vtm_directives[i].help, arg);
}
