/* SPDX-License-Identifier: BSD-2-Clause */
/* test-conf.c - vtmilter.conf: every form, bound and complaint; the sample file and the manual page. */
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/value.h"
#include "conf/conf.h"
#include "build-config.h"
#include "base/error.h"
#include "tap.h"

#define DURATION "expected a duration such as 90, 90s, 5m, 1h or 7d, from "
#define NUMBER "expected a whole number from "
#define LISTEN "expected ADDRESS:PORT such as 127.0.0.1:9894 or [::1]:9894"
#define KEY "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789"

static char *dir, *conf_path, *key_path;

static char *path_of(const char *name)
{
	return g_build_filename(dir, name, NULL);
}

static void put(const char *name, const char *text, gssize len, mode_t mode)
{
	char *path = path_of(name);

	g_assert(g_file_set_contents(path, text, len, NULL));
	g_assert(!chmod(path, mode));
	g_free(path);
}

static struct vtm_conf *load_bytes(const char *text, gssize len, bool quiet, GError **error)
{
	put("vtmilter.conf", text, len, 0644);
	return quiet ? vtm_conf_load_quiet(conf_path, error) : vtm_conf_load(conf_path, error);
}

/* "@/" stands for the directory. */
static char *with_dir(const char *text)
{
	GStrv parts = g_strsplit(text, "@/", -1);
	char *with = g_strconcat(dir, "/", NULL), *out = g_strjoinv(with, parts);

	g_strfreev(parts);
	g_free(with);
	return out;
}

/* Loads <lines> behind an ApiKeyFile in line 1. */
static struct vtm_conf *load(const char *lines, GError **error)
{
	char *body = with_dir(lines), *text = g_strdup_printf("ApiKeyFile %s\n%s", key_path, body);
	struct vtm_conf *c = load_bytes(text, -1, false, error);

	g_free(text);
	g_free(body);
	return c;
}

/* <lines> come behind line 1; <want> is the error without the file's name. */
static void refused(const char *lines, const char *want)
{
	GError *error = NULL;
	struct vtm_conf *c = load(lines, &error);
	char *text = with_dir(want), *full = g_strconcat(conf_path, text, NULL), *name = vtm_log_escape(lines, -1, 60);

	ok(!c, "refused: %s", name);
	is_str(error ? error->message : NULL, full, "and says why");
	g_clear_error(&error);
	vtm_conf_unref(c);
	g_free(name);
	g_free(full);
	g_free(text);
}

static struct vtm_conf *taken(const char *lines)
{
	GError *error = NULL;
	struct vtm_conf *c = load(lines, &error);
	char *name = vtm_log_escape(lines, -1, 60);

	ok(c != NULL, "taken: %s", name);
	g_free(name);
	if (error)
		diag("%s", error->message);
	g_clear_error(&error);
	return c ? c : vtm_conf_load_quiet("/dev/null", NULL);
}

/* ---- the forms of values ---- */

static void forms(void)
{
	static const char *const yes[] = { "yes", "true", "on", "1", "YES", "True", "oN" };
	static const char *const no[] = { "no", "false", "off", "0", "NO", "False", "OfF" };
	static const char *const neither[] = { "", "y", "n", "yes ", "2", "enabled", "-1", "yesno" };
	static const struct {
		const char *text;
		int64_t ms;	/* -1: refused */
	} durations[] = {
		{ "0", 0 },
		{ "90", 90000 },
		{ "90s", 90000 },
		{ "90S", 90000 },
		{ "5m", 300000 },
		{ "1h", 3600000 },
		{ "7d", 604800000 },
		{ "007d", 604800000 },
		{ "", -1 },
		{ "s", -1 },
		{ "5x", -1 },
		{ "5ms", -1 },
		{ "-5", -1 },
		{ "+5", -1 },
		{ " 5", -1 },
		{ "5 ", -1 },
		{ "5 m", -1 },
		{ "1.5h", -1 },
		{ "0x10", -1 },
		{ "1h30m", -1 },
		{ "9223372036854775", 9223372036854775000 },
		{ "9223372036854776", -1 },
		{ "106751991167d", 9223372036828800000 },
		{ "106751991168d", -1 },
		{ "18446744073709551616", -1 },
		{ "99999999999999999999999", -1 },
	};
	static const struct {
		const char *text;
		bool good;
		uint64_t size;
	} sizes[] = {
		{ "0", true, 0 },
		{ "100", true, 100 },
		{ "64k", true, 65536 },
		{ "64K", true, 65536 },
		{ "1M", true, 1048576 },
		{ "1m", true, 1048576 },
		{ "2G", true, 2147483648u },
		{ "1T", true, UINT64_C(1099511627776) },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "18446744073709551616", false, 0 },
		{ "16777215T", true, UINT64_MAX - UINT64_C(1099511627775) },
		{ "16777216T", false, 0 },
		{ "", false, 0 },
		{ "k", false, 0 },
		{ "1kb", false, 0 },
		{ "1 k", false, 0 },
		{ "-1", false, 0 },
		{ "1b", false, 0 },
	};
	bool b = false;
	int64_t ms;
	uint64_t u;

	for (size_t i = 0; i < G_N_ELEMENTS(yes); i++)
		ok(vtm_value_bool(yes[i], &b) && b, "'%s' is yes", yes[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(no); i++)
		ok(vtm_value_bool(no[i], &b) && !b, "'%s' is no", no[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(neither); i++)
		ok(!vtm_value_bool(neither[i], &b), "'%s' is neither", neither[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(durations); i++)
		is_int(vtm_value_duration(durations[i].text, &ms) ? ms : -1, durations[i].ms, "duration '%s'",
		       durations[i].text);
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
		ok(vtm_value_size(sizes[i].text, &u) == sizes[i].good && (!sizes[i].good || u == sizes[i].size),
		   "size '%s'", sizes[i].text);
	ok(vtm_value_percent("30%", &u) && u == 30 && vtm_value_percent("30", &u) && u == 30,
	   "per cent with and without sign");
	ok(!vtm_value_percent("30%%", &u) && !vtm_value_percent("%", &u) && !vtm_value_percent("30 %", &u) &&
	   !vtm_value_percent("", &u), "per cent: nothing else");
	ok(vtm_value_number("4294967296", &u) && u == UINT64_C(4294967296) && !vtm_value_number("4k", &u) &&
	   !vtm_value_number("", &u) && !vtm_value_number("-0", &u), "numbers");
	ok(vtm_value_mode("0660", &ms) && ms == 0660 && vtm_value_mode("07777", &ms) && ms == 07777, "modes");
	ok(!vtm_value_mode("010000", &ms) && !vtm_value_mode("0668", &ms) && !vtm_value_mode("", &ms) &&
	   !vtm_value_mode("-1", &ms) && !vtm_value_mode("u=rw", &ms), "modes: nothing else");
}

static void back_to_text(void)
{
	static const struct {
		int64_t ms;
		const char *want;
	} durations[] = {
		{ 0, "0s" }, { 1000, "1s" }, { 60000, "1m" }, { 90000, "90s" }, { 3600000, "1h" }, { 86400000, "1d" },
		{ 90000000, "25h" }, { 3000000, "50m" },
	};
	static const struct {
		uint64_t size;
		const char *want;
	} sizes[] = { { 0, "0" },	{ 1, "1" },	   { 1024, "1k" },
		      { 1025, "1025" }, { 1048576, "1M" }, { UINT64_C(1) << 40, "1T" } };

	for (size_t i = 0; i < G_N_ELEMENTS(durations); i++) {
		char *text = vtm_value_duration_text(durations[i].ms);

		is_str(text, durations[i].want, "duration written");
		g_free(text);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		char *text = vtm_value_size_text(sizes[i].size);

		is_str(text, sizes[i].want, "size written");
		g_free(text);
	}
}

static void distances(void)
{
	char *w64 = g_strnfill(64, 'a'), *w65 = g_strnfill(65, 'a');

	is_int(vtm_value_distance("Timeout", "timeout"), 0, "case does not count");
	is_int(vtm_value_distance("Timout", "Timeout"), 1, "a letter left out");
	is_int(vtm_value_distance("Timeuot", "Timeout"), 1, "two swapped");
	is_int(vtm_value_distance("Timeoute", "Timeout"), 1, "one too many");
	is_int(vtm_value_distance("", "abc"), 3, "all of it");
	is_int(vtm_value_distance(w64, "a"), 63, "64 bytes");
	is_int(vtm_value_distance(w65, "a"), G_MAXUINT, "65 bytes are as far as can be");
	g_free(w64);
	g_free(w65);
}

/* ---- defaults: the contract with users ---- */

static void defaults(void)
{
	struct vtm_conf *c = taken("");

	ok(c->enabled && c->scan_attachments && c->scan_urls && !c->scan_resource_urls && !c->scan_bare_domains &&
	   c->scan_archives && !c->scan_pdf && !c->submit_unknown_urls && c->reask_unknown, "what is asked");
	is_int(c->url_privacy, VTM_PRIVACY_GUARDED, "URLPrivacy");
	is_str(c->api_base_url, "https://www.virustotal.com/api/v3", "ApiBaseURL");
	is_int(c->detection_threshold, 2, "DetectionThreshold");
	ok(c->timeout_ms == 120000 && c->max_waiting == 20 && c->max_lookups_per_message == 10 && !c->max_message_size,
	   "waiting");
	ok(c->requests_per_minute == 4 && c->requests_per_day == 500 && c->requests_per_month == 15500 &&
		   c->reserve_for_manual == 20 && c->reserve_for_attachments_percent == 30 &&
		   c->sender_share_percent == 25,
	   "budget");
	ok(c->pending_lifetime_ms == 86400000 && c->ttl_bad_ms == 7 * INT64_C(86400000) &&
		   c->ttl_clean_ms == 86400000 && c->ttl_unknown_ms == 3600000,
	   "life times");
	ok(!c->on_bad.choice[VTM_ORIGIN_INBOUND] && !c->on_bad.choice[VTM_ORIGIN_AUTHENTICATED] &&
	   !c->on_bad.choice[VTM_ORIGIN_NETWORKS] && !c->on_failure.choice[VTM_ORIGIN_INBOUND] &&
	   !c->on_failure.choice[VTM_ORIGIN_AUTHENTICATED] && !c->on_failure.choice[VTM_ORIGIN_NETWORKS] &&
	   !c->own_networks && !c->trusted_relays && !c->skip_networks && !c->skip_authenticated &&
	   c->report_headers, "mail is accepted and nobody trusted");
	is_str(c->socket, "local:/run/vtmilter/vtmilter.sock", "Socket");
	ok(c->socket_mode == 0660 && !c->socket_group && !c->user && !c->pid_file && !c->foreground, "the process");
	is_str(c->temp_directory, "/var/tmp", "TempDirectory");
	is_str(c->control_socket, "/run/vtmilter/control.sock", "ControlSocket");
	is_str(c->store, "sqlite:/var/lib/vtmilter/vtmilter.db", "Store");
	is_str(c->store_prefix, "vtmilter:", "StorePrefix");
	ok(c->journal_retention_ms == 30 * INT64_C(86400000) && c->journal_detail == VTM_JOURNAL_FULL &&
	   c->history_retention_ms == 90 * INT64_C(86400000) && c->history_size == 200000 && !c->list_directory &&
	   !c->late_verdict_command && c->late_verdict_timeout_ms == 60000 && !c->metrics_listen, "journal");
	ok(c->log_format == VTM_LOG_SYSLOG && c->log_level == VTM_LOG_INFO && !c->log_urls, "log");
	is_str(c->syslog_facility, "mail", "SyslogFacility");
	is_str(c->api_key, KEY, "the key is read");
	ok(c->ignore != NULL, "there is always a list of what is ignored");
	vtm_conf_unref(c);
}

/* ---- lines ---- */

static void syntax(void)
{
	struct vtm_conf *c;
	GError *error = NULL;
	char *longest, *text;

	c = taken("# comment\n#Timeout 1\n  \t# comment\n\n\tTimeout \t 30s \t # thirty\nTRUSTEDrelays 192.0.2.1, "
		  "::1\t#x\nStorePrefix a#b\n");
	is_int(c->timeout_ms, 30000, "blanks and a comment around a value");
	is_str(c->trusted_relays_text, "192.0.2.1, ::1", "a value with blanks, a directive in any case");
	is_str(c->store_prefix, "a#b", "a '#' inside a word is part of it");
	ok(vtm_netlist_has(c->trusted_relays, "192.0.2.1") && vtm_netlist_has(c->trusted_relays, "::1"),
	   "networks are read");
	vtm_conf_unref(c);

	text = g_strdup_printf("\xef\xbb\xbf" "ApiKeyFile %s\r\nTimeout 7\r\n\r\n# x\r\nMaxWaiting 3", key_path);
	c = load_bytes(text, -1, false, &error);
	ok(c && c->timeout_ms == 7000 && c->max_waiting == 3, "a byte order mark, CRLF, no line end at the end");
	g_clear_error(&error);
	vtm_conf_unref(c);
	g_free(text);

	longest = g_strnfill(4096 - strlen("StorePrefix "), 'p');
	text = g_strdup_printf("StorePrefix %s\n", longest);
	c = taken(text);
	is_str(c->store_prefix, longest, "a line of 4096 bytes");
	vtm_conf_unref(c);
	g_free(text);
	text = g_strdup_printf("StorePrefix %sp\n", longest);
	refused(text, ":2: the line is longer than 4096 bytes");
	g_free(text);
	g_free(longest);

	refused("Timout 3", ":2: unknown directive 'Timout'; did you mean Timeout?");
	refused("\n\nScanURL yes", ":4: unknown directive 'ScanURL'; did you mean ScanURLs?");
	refused("RequestPerMinute 4", ":2: unknown directive 'RequestPerMinute'; did you mean RequestsPerMinute?");
	refused("Timeout: 3", ":2: unknown directive 'Timeout:'; did you mean Timeout?");
	refused("Timeout=3", ":2: unknown directive 'Timeout=3'; did you mean Timeout?");
	refused("Frobnicate yes", ":2: unknown directive 'Frobnicate'; vtmilter.conf(5) lists them");
	refused("[section]", ":2: unknown directive '[section]'; vtmilter.conf(5) lists them");
	refused("Gr\xc3\xb6\xc3\x9f"
		"e\xe2\x80\xae 1",
		":2: unknown directive 'Gr\xc3\xb6\xc3\x9f"
		"e\\xe2\\x80\\xae'; vtmilter.conf(5) lists them");
	refused("Timeout", ":2: Timeout: found no value");
	refused("Timeout # 3", ":2: Timeout: found no value");
	refused("Timeout 3\nTimeout 3", ":3: Timeout is in line 2 already; remove one");
	refused("ApiKeyFile @/key", ":2: ApiKeyFile is in line 1 already; remove one");
	refused("Timeout 3\x01", ":2: found a control character (\\x01)");
	refused("Timeout\v3", ":2: found a control character (\\x0b)");
	refused("Timeout 3\rMaxWaiting 4", ":2: found a control character (\\x0d)");
	refused("User \xff", ": found bytes that are not UTF-8");
	ok(!load_bytes("Timeout 3\n\0Timeout", 18, false, &error) && g_str_has_suffix(error->message,
	   ": found a NUL byte, expected text"), "a NUL byte");
	g_clear_error(&error);
}

static void files(void)
{
	GError *error = NULL;
	char *missing = path_of("missing"),
	     *want = g_strdup_printf("%s: cannot be read: No such file or directory", missing);
	char *large = g_strnfill(1024 * 1024 + 1, '#');
	struct vtm_conf *c;

	ok(!vtm_conf_load(missing, &error) && error->code == VTM_ERROR_CONFIG, "a file that is not there");
	is_str(error->message, want, "and says why");
	g_clear_error(&error);
	g_free(want);
	want = g_strdup_printf("%s: is not a regular file", dir);
	ok(!vtm_conf_load(dir, &error), "a directory");
	is_str(error->message, want, "and says why");
	g_clear_error(&error);
	for (int i = 0; i < 1024 * 1024; i += 1000)
		large[i] = '\n';
	c = load_bytes(large, 1024 * 1024, true, &error);
	ok(c != NULL, "1 MiB");
	vtm_conf_unref(c);
	ok(!load_bytes(large, 1024 * 1024 + 1, true, &error) && g_str_has_suffix(error->message,
	   ": is larger than 1048576 bytes"), "a byte more");
	g_clear_error(&error);
	g_free(large);
	g_free(want);
	g_free(missing);
}

/* ---- each directive's bounds ---- */

static void bounds(void)
{
	GError *error = NULL;
	static const struct {
		const char *name, *least, *most;
	} takes[] = {
		{ "DetectionThreshold", "1", "1000" },
		{ "Timeout", "0", "3000" },
		{ "MaxWaiting", "0", "10000" },
		{ "MaxMessageSize", "0", "1T" },
		{ "MaxMemory", "4M", "1T" },
		{ "MaxLookupsPerMessage", "1", "1000" },
		{ "RequestsPerMinute", "0", "100000" },
		{ "RequestsPerDay", "0", "1000000000" },
		{ "RequestsPerMonth", "0", "1000000000" },
		{ "ReserveForManual", "0", "349" },
		{ "ReserveForAttachments", "0", "95%" },
		{ "SenderShare", "0%", "100%" },
		{ "PendingLifetime", "1s", "30d" },
		{ "CacheTTLBad", "1s", "365d" },
		{ "CacheTTLClean", "1s", "365d" },
		{ "CacheTTLUnknown", "1s", "365d" },
		{ "SocketMode", "0", "0777" },
		{ "JournalRetention", "0", "3650d" },
		{ "HistoryRetention", "1d", "365d" },
		{ "HistorySize", "1000", "1000000" },
		{ "LateVerdictTimeout", "1s", "1h" },
	};
	static const char *const refuses[][2] = {
		{ "Enabled maybe", ":2: Enabled: found 'maybe', expected yes or no" },
		{ "DetectionThreshold 0", ":2: DetectionThreshold: found '0', " NUMBER "1 to 1000" },
		{ "DetectionThreshold 1001", ":2: DetectionThreshold: found '1001', " NUMBER "1 to 1000" },
		{ "DetectionThreshold two", ":2: DetectionThreshold: found 'two', " NUMBER "1 to 1000" },
		{ "Timeout 3001", ":2: Timeout: found '3001', " DURATION "0s to 50m" },
		{ "Timeout 2 m", ":2: Timeout: found '2 m', " DURATION "0s to 50m" },
		{ "MaxWaiting 10001", ":2: MaxWaiting: found '10001', " NUMBER "0 to 10000" },
		{ "MaxMessageSize 1025G", ":2: MaxMessageSize: found '1025G', expected a size such as 100, 64k, 10M or "
					  "1G, from 0 to 1T" },
		{ "MaxMemory 4095k", ":2: MaxMemory: found '4095k', expected a size such as 100, 64k, 10M or 1G, from "
				     "4M to 1T" },
		{ "MaxLookupsPerMessage 0", ":2: MaxLookupsPerMessage: found '0', " NUMBER "1 to 1000" },
		{ "RequestsPerMinute 100001", ":2: RequestsPerMinute: found '100001', " NUMBER "0 to 100000" },
		{ "RequestsPerDay 1000000001", ":2: RequestsPerDay: found '1000000001', " NUMBER "0 to 1000000000" },
		{ "RequestsPerMonth 4294967296", ":2: RequestsPerMonth: found '4294967296', " NUMBER "0 to "
												     "1000000000" },
		{ "ReserveForAttachments 101%", ":2: ReserveForAttachments: found '101%', expected a share from 0% to "
						"100%" },
		{ "SenderShare 101", ":2: SenderShare: found '101', expected a share from 0% to 100%" },
		{ "PendingLifetime 0", ":2: PendingLifetime: found '0', " DURATION "1s to 30d" },
		{ "PendingLifetime 31d", ":2: PendingLifetime: found '31d', " DURATION "1s to 30d" },
		{ "CacheTTLBad 366d", ":2: CacheTTLBad: found '366d', " DURATION "1s to 365d" },
		{ "CacheTTLClean 0", ":2: CacheTTLClean: found '0', " DURATION "1s to 365d" },
		{ "CacheTTLUnknown 1w", ":2: CacheTTLUnknown: found '1w', " DURATION "1s to 365d" },
		{ "JournalRetention 3651d", ":2: JournalRetention: found '3651d', " DURATION "0s to 3650d" },
		{ "HistoryRetention 23h", ":2: HistoryRetention: found '23h', " DURATION "1d to 365d" },
		{ "HistoryRetention 366d", ":2: HistoryRetention: found '366d', " DURATION "1d to 365d" },
		{ "HistorySize 999", ":2: HistorySize: found '999', " NUMBER "1000 to 1000000" },
		{ "HistorySize 1000001", ":2: HistorySize: found '1000001', " NUMBER "1000 to 1000000" },
		{ "LateVerdictTimeout 61m", ":2: LateVerdictTimeout: found '61m', " DURATION "1s to 1h" },
		{ "SocketMode 660x", ":2: SocketMode: found '660x', expected an octal mode such as 0660, at most "
				     "0777" },
		{ "SocketMode 01777", ":2: SocketMode: found '01777', expected an octal mode such as 0660, at most "
				      "0777" },
		{ "URLPrivacy none", ":2: URLPrivacy: found 'none', expected one of guarded, host, full" },
		{ "OnBad tempfail", ":2: OnBad: found 'tempfail', expected one of accept, quarantine, reject, "
				    "discard" },
		{ "OnBad outbound reject", ":2: OnBad: found 'outbound' before 'reject', expected inbound, "
					   "authenticated, networks or nothing" },
		{ "OnBad inbound", ":2: OnBad: found 'inbound', expected an action after it" },
		{ "OnBad inbound quarantine reject", ":2: OnBad: found 'quarantine reject', expected one of accept, "
						     "quarantine, reject, discard" },
		{ "OnBad reject\nOnBad inbound reject\nOnBad accept", ":4: OnBad: appears twice; remove one" },
		{ "OnBad inbound reject\nOnBad INBOUND reject", ":3: OnBad: appears twice for inbound; remove one" },
		{ "OnBad networks reject", ":2: OnBad: names networks, but OwnNetworks is none; list them there" },
		{ "OnFailure networks tempfail", ":2: OnFailure: names networks, but OwnNetworks is none; list them there" },
		{ "OnFailure reject", ":2: OnFailure: found 'reject', expected one of accept, tempfail" },
		{ "OwnNetworks 192.0.2.1/24", ":2: OwnNetworks: '192.0.2.1/24' has host bits set; write "
					      "192.0.2.0/24" },
		{ "JournalDetail all", ":2: JournalDetail: found 'all', expected one of full, ids" },
		{ "LogFormat xml", ":2: LogFormat: found 'xml', expected one of syslog, text, json" },
		{ "LogLevel loud", ":2: LogLevel: found 'loud', expected one of error, warning, notice, info, debug" },
		{ "SyslogFacility mial", ":2: SyslogFacility: found 'mial', expected a facility of syslog such as "
					 "mail, daemon or local0" },
		{ "CAFile ca.pem", ":2: CAFile: found 'ca.pem', expected an absolute path" },
		{ "IgnoredDomains list", ":2: IgnoredDomains: found 'list', expected an absolute path" },
		{ "AuthservID mx example", ":2: AuthservID: found 'mx example', expected a name such as "
					   "mx.example.org" },
		{ "AuthservID mx;x", ":2: AuthservID: found 'mx;x', expected a name such as mx.example.org" },
		{ "StorePrefix a b", ":2: StorePrefix: found 'a b', expected printable ASCII without blanks" },
		{ "TrustedRelays 192.0.2.1/24", ":2: TrustedRelays: '192.0.2.1/24' has host bits set; write "
						"192.0.2.0/24" },
		{ "SkipNetworks localhost", ":2: SkipNetworks: 'localhost' is not a network; write an address or a "
					    "network such as 192.0.2.0/24 or 2001:db8::/32" },
		{ "LateVerdictCommand hook a", ":2: LateVerdictCommand: found 'hook a', expected the command's "
					       "absolute path first" },
		{ "MetricsListen 9894", ":2: MetricsListen: found '9894', " LISTEN },
		{ "MetricsListen :9894", ":2: MetricsListen: found ':9894', " LISTEN },
		{ "MetricsListen 127.0.0.1:65536", ":2: MetricsListen: found '127.0.0.1:65536', " LISTEN },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(takes); i++) {
		char *least = g_strdup_printf("%s %s\n", takes[i].name, takes[i].least);
		char *most = g_strdup_printf("%s %s\n", takes[i].name, takes[i].most);

		vtm_conf_unref(taken(least));
		vtm_conf_unref(taken(most));
		g_free(least);
		g_free(most);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(refuses); i++)
		refused(refuses[i][0], refuses[i][1]);
	ok(!load("LateVerdictCommand hook 'a", &error) &&
	   strstr(error->message, ":2: LateVerdictCommand: found 'hook 'a', which cannot be split into words ("),
	   "a command with a quote that does not end");
	g_clear_error(&error);
}

static void sockets(void)
{
	static const char *const good[] = {
		"local:/run/x.sock", "unix:/run/x.sock", "inet:9894@127.0.0.1", "inet:1@localhost", "inet6:65535@::1",
		"inet6:9894@[::1]", "fd:3", "fd:0",
	};
	static const char *const bad[] = {
		"/run/x.sock",
		"local:run/x.sock",
		"local:",
		"inet:0@127.0.0.1",
		"inet:65536@127.0.0.1",
		"inet:x@127.0.0.1",
		"inet:@127.0.0.1",
		"inet:9894@",
		"inet6:9894",
		"fd:",
		"fd:-1",
		"fd:x",
		"tcp:1@::1",
		"Local:/x",
		"",
		":",
		"@",
	};
	char *path, *line;

	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		struct vtm_conf *c;

		line = g_strdup_printf("Socket %s\n", good[i]);
		c = taken(line);
		is_str(c->socket, good[i], "socket %s", good[i]);
		vtm_conf_unref(c);
		g_free(line);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		GError *error = NULL;

		line = g_strdup_printf("Socket %s\n", bad[i]);
		ok(!load(line, &error) && g_error_matches(error, VTM_ERROR, VTM_ERROR_CONFIG), "no socket: '%s'",
		   bad[i]);
		g_clear_error(&error);
		g_free(line);
	}
	refused("Socket inet:9894", ":2: Socket: found 'inet:9894', which would listen on all addresses and let any "
				    "host in; name one, for example inet:9894@127.0.0.1");
	refused("Socket inet6:9894@", ":2: Socket: found 'inet6:9894@', which would listen on all addresses and let "
				      "any host in; name one, for example inet6:9894@::1");
	refused("Socket pipe:/x", ":2: Socket: found 'pipe:/x', expected local:/PATH, inet:PORT@HOST, inet6:PORT@HOST "
				  "or fd:NUMBER");
	path = g_strnfill(106, 's');
	line = g_strdup_printf("Socket local:/%s", path);
	vtm_conf_unref(taken(line));
	g_free(line);
	line = g_strdup_printf("Socket local:/%ss", path);
	refused(line, ":2: Socket: found a path of 108 bytes, expected at most 107");
	g_free(line);
	g_free(path);
}

/* ---- all together ---- */

static void together(void)
{
	GError *error = NULL;

	refused("RequestsPerDay 20", ": ReserveForManual: found 20, expected less than RequestsPerDay (20), or "
				     "mail has no requests at all");
	refused("ReserveForManual 500", ":2: ReserveForManual: found 500, expected less than RequestsPerDay (500), or "
					"mail has no requests at all");
	refused("ReserveForAttachments 96%", ":2: ReserveForAttachments: found 96%, which with ReserveForManual (20) "
					     "leaves none "
					     "of RequestsPerDay (500) to URLs; lower it or set 'ScanURLs no'");
	vtm_conf_unref(taken("ReserveForAttachments 100%\nScanURLs no\n"));
	vtm_conf_unref(taken("RequestsPerDay 0\nReserveForManual 1000\nReserveForAttachments 100\n"));
	vtm_conf_unref(taken("RequestsPerDay 21\nReserveForAttachments 0\n"));
	refused("StoreCertFile @/key", ":2: StoreCertFile: StoreCertFile and StoreKeyFile need each other; set both or none");
	refused("\nStoreKeyFile @/key", ":3: StoreKeyFile: StoreCertFile and StoreKeyFile need each other; set both or none");
	vtm_conf_unref(taken("StoreCertFile @/key\nStoreKeyFile @/key\nStorePasswordFile @/key\nStoreCAFile @/key\n"));
	put("loose", "x", -1, 0640);
	refused("StorePasswordFile @/loose", ":2: StorePasswordFile: other users can read or change '@/loose' (mode "
					     "0640); run: chmod 600 @/loose");
	refused("StoreCertFile @/loose\nStoreKeyFile @/loose", ":3: StoreKeyFile: other users can read or change "
							       "'@/loose' (mode 0640); run: chmod 600 @/loose");
	refused("CAFile @/none", ":2: CAFile: '@/none' cannot be read: No such file or directory");
	refused("CAFile @/", ":2: CAFile: '@/' is not a regular file");
	refused("TempDirectory @/loose", ":2: TempDirectory: '@/loose' is not a directory");
	refused("User no-such-user-here", ":2: User: there is no user 'no-such-user-here' on this host");
	refused("SocketGroup no-such-group", ":2: SocketGroup: there is no group 'no-such-group' on this host");
	vtm_conf_unref(taken("User root\nSocketGroup root\n"));
	ok(!load("ApiBaseURL http://www.virustotal.com/api/v3\n", &error) &&
	   strstr(error->message, ":2: ApiBaseURL: "), "an API without TLS");
	g_clear_error(&error);
	ok(!load("Store mysql:x\n", &error) && strstr(error->message, ":2: Store: "), "a store of no known form");
	g_clear_error(&error);
}

static void not_built(void)
{
	GError *error = NULL;
	struct vtm_conf *c = load("ScanPDF yes", &error);

#ifdef HAVE_QPDF
	ok(c && c->scan_pdf, "ScanPDF yes");
#else
	ok(!c && g_error_matches(error, VTM_ERROR, VTM_ERROR_NOT_BUILT), "ScanPDF yes is not built");
	refused("ScanPDF yes", ":2: ScanPDF: this build of vtmilter does not support it; leave it at its default (no)");
#endif
	g_clear_error(&error);
	vtm_conf_unref(c);
	vtm_conf_unref(taken("MetricsListen 127.0.0.1:9894\n"));
	vtm_conf_unref(taken("MetricsListen none\nScanPDF no\nLateVerdictCommand none\n"));
}

static void lists(void)
{
	struct vtm_conf *c;
	GString *many = g_string_new(NULL);

	put("a", "example.org\n", -1, 0644);
	put("b", "# x\nexample.net\n", -1, 0644);
	put("c", "0000000000000000000000000000000000000000000000000000000000000001\n", -1, 0644);
	c = taken("IgnoredDomains @/a\nTimeout 1\nIgnoredDomains @/b\nIgnoredHashes @/c\n");
	ok(c->ignore && vtm_ignore_host(c->ignore, "www.example.org") && vtm_ignore_host(c->ignore, "example.net") &&
	   !vtm_ignore_host(c->ignore, "example.com"), "two lists of domains");
	ok(vtm_ignore_hash(c->ignore, "0000000000000000000000000000000000000000000000000000000000000001"),
	   "a list of hashes");
	vtm_conf_unref(c);
	for (int i = 0; i < 100; i++)
		g_string_append(many, "IgnoredDomains @/a\n");
	vtm_conf_unref(taken(many->str));
	g_string_append(many, "IgnoredDomains @/a\n");
	refused(many->str, ":102: IgnoredDomains: appears more than 100 times");
	g_string_free(many, TRUE);
	put("bad", "example.org\nhttp://x/\n", -1, 0644);
	{
		GError *error = NULL;
		char *with = with_dir("@/bad:2: ");

		ok(!load("IgnoredDomains @/bad\n", &error) && strstr(error->message, ":2: IgnoredDomains: ") &&
		   strstr(error->message, with), "a bad list: names the configuration's line and the list's");
		g_clear_error(&error);
		g_free(with);
	}
}

/* ---- the key ---- */

static void key_refused(const char *what, const char *content, gssize len, mode_t mode, const char *want)
{
	GError *error = NULL;
	char *text = with_dir("ApiKeyFile @/key2\n"), *with = with_dir(want),
	     *full = g_strconcat(conf_path, with, NULL);
	struct vtm_conf *c;

	put("key2", content, len, mode);
	c = load_bytes(text, -1, false, &error);
	ok(!c, "key: %s", what);
	is_str(error ? error->message : NULL, full, "and says why, without the key");
	g_clear_error(&error);
	vtm_conf_unref(c);
	g_free(full);
	g_free(with);
	g_free(text);
}

static void key(void)
{
#define SHAPE ":1: ApiKeyFile: '@/key2' does not contain a key of VirusTotal: expected one line of letters and digits"
	GError *error = NULL;
	char *text = with_dir("ApiKeyFile @/key2\n"), *link = path_of("link"), *fifo = path_of("key-fifo"), *want;
	char *blanks = g_strnfill(1024, ' ');
	struct vtm_conf *c;

	key_refused("empty", "", 0, 0600, SHAPE);
	key_refused("blank", " \n", -1, 0600, SHAPE);
	key_refused("15 characters", "0123456789abcde", -1, 0600, SHAPE);
	key_refused("257 characters", KEY KEY KEY KEY "a", -1, 0600, SHAPE);
	key_refused("two lines", KEY "\n" KEY "\n", -1, 0600, SHAPE);
	key_refused("a blank inside", "0123456789abcdef 123456789abcdef0123456789abcdef0123456789abcdef", -1, 0600,
		    SHAPE);
	key_refused("a quoted one", "\"" KEY "\"", -1, 0600, SHAPE);
	key_refused("a control character", "\x01" KEY, -1, 0600, SHAPE);
	key_refused("a NUL behind it", KEY "\0x", 66, 0600, SHAPE);
	key_refused("larger than a key can be", blanks, 1024, 0600, SHAPE);
	{
		char *more = g_strconcat(blanks, " ", NULL);

		key_refused("larger than is read", more, 1025, 0600,
			    ":1: ApiKeyFile: '@/key2' is larger than 1024 bytes");
		g_free(more);
	}
	for (unsigned bit = 01; bit <= 040; bit <<= 1) {
		char *why = g_strdup_printf(":1: ApiKeyFile: other users can read or change '@/key2' (mode %04o); run: "
					    "chmod 600 @/key2",
					    0600 | bit);

		key_refused("open to others", KEY, -1, 0600 | bit, why);
		g_free(why);
	}
	put("key2", "\r\n  " KEY " \t\r\n\n", -1, 0400);
	c = load_bytes(text, -1, false, &error);
	is_str(c ? c->api_key : NULL, KEY, "white space around it does not matter");
	g_clear_error(&error);
	vtm_conf_unref(c);

	put("key2", "0123456789-_cdef", -1, 0600);
	c = load_bytes(text, -1, false, &error);
	is_str(c ? c->api_key : NULL, "0123456789-_cdef", "16 characters");
	vtm_conf_unref(c);
	put("key2", KEY KEY KEY KEY, -1, 0600);
	c = load_bytes(text, -1, false, &error);
	is_str(c ? c->api_key : NULL, KEY KEY KEY KEY, "256 characters");
	vtm_conf_unref(c);
	put("key2", KEY, -1, 0600);

	g_assert(!symlink("key2", link));
	g_free(text);
	text = with_dir("ApiKeyFile @/link\n");
	c = load_bytes(text, -1, false, &error);
	is_str(c ? c->api_key : NULL, KEY, "a symbolic link");
	g_clear_error(&error);
	vtm_conf_unref(c);
	put("key2", KEY, -1, 0644);
	ok(!load_bytes(text, -1, false, &error) && strstr(error->message, "(mode 0644)"), "its target's mode counts");
	g_clear_error(&error);
	g_free(text);

	g_assert(!mkfifo(fifo, 0600));
	text = with_dir("ApiKeyFile @/key-fifo\n");
	ok(!load_bytes(text, -1, false, &error) && strstr(error->message, "is not a regular file"),
	   "a pipe is not waited for");
	g_clear_error(&error);
	c = load_bytes(text, -1, true, &error);
	ok(c && !c->api_key && !c->ignore, "the quiet reading does not look");
	vtm_conf_unref(c);
	g_free(text);

	g_unsetenv("CREDENTIALS_DIRECTORY");
	want = g_strdup_printf("%s: ApiKeyFile: missing; write the key of your VirusTotal account into a file that "
			       "only vtmilter's user can read and name that file here, or set 'Enabled no'",
			       conf_path);
	ok(!load_bytes("", 0, false, &error), "none at all");
	is_str(error->message, want, "and says what to do");
	g_clear_error(&error);
	c = load_bytes("Enabled no", -1, false, &error);
	ok(c && !c->api_key, "none is needed if nothing is asked");
	vtm_conf_unref(c);
	g_setenv("CREDENTIALS_DIRECTORY", dir, TRUE);
	ok(!load_bytes("", 0, false, &error), "a credentials directory without it");
	is_str(error->message, want, "says the same");
	g_clear_error(&error);
	put("vtmilter-api-key", KEY "\n", -1, 0440);
	c = load_bytes("", 0, false, &error);
	is_str(c ? c->api_key : NULL, KEY, "systemd's credential, whose mode shows an ACL");
	vtm_conf_unref(c);
	put("vtmilter-api-key", "x", -1, 0400);
	ok(!load_bytes("", 0, false, &error) && strstr(error->message, "does not contain a key"),
	   "its content is checked");
	g_clear_error(&error);
	c = taken("");
	is_str(c->api_key, KEY, "ApiKeyFile goes before it");
	vtm_conf_unref(c);
	g_unsetenv("CREDENTIALS_DIRECTORY");
	g_free(want);
	g_free(blanks);
	g_free(link);
	g_free(fifo);
}

static void keep_line(enum vtm_severity s, const char *line, void *arg)
{
	(void)s;
	g_free(*(char **)arg);
	*(char **)arg = g_strdup(line);
}

static void key_hidden(void)
{
	struct vtm_conf *c = taken("");
	char *line = NULL, *text = NULL;
	size_t len;
	FILE *f;

	vtm_log_set_sink(keep_line, &line);
	vtm_log(VTM_LOG_ERROR, "x-apikey: %s", KEY);
	is_str(line, "x-apikey: [key]", "a key that was read never reaches the log");
	vtm_log_set_sink(NULL, NULL);
	f = open_memstream(&text, &len);
	vtm_conf_dump(c, f);
	fclose(f);
	ok(text && !strstr(text, KEY), "nor --dump-config");
	g_free(line);
	free(text);
	vtm_conf_unref(c);
}

/* ---- dump ---- */

static char *dump(const struct vtm_conf *c)
{
	char *text = NULL, *out;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	vtm_conf_dump(c, f);
	fclose(f);
	out = g_strdup(text);
	free(text);
	return out;
}

static void count(const char *name, const char *default_text, const char *help, void *arg)
{
	GString *want = arg;

	ok(help && *help && !strchr(help, '\n'), "%s has a line of help", name);
	g_string_append_printf(want, "%s %s  # default\n", name, default_text ? default_text : "none");
}

/* What holds for "inbound authenticated networks" of OnBad. */
static char *on_bad(const char *text)
{
	struct vtm_conf *c = taken(text);
	char *dumped = dump(c), *found;
	struct vtm_conf *again = load_bytes(dumped, -1, true, NULL);

	found = g_strdup_printf("%d %d %d%s", c->on_bad.choice[0], c->on_bad.choice[1], c->on_bad.choice[2],
				again && !memcmp(again->on_bad.choice, c->on_bad.choice, sizeof(c->on_bad.choice)) ? "" :
				", and other things in its dump");
	vtm_conf_unref(again);
	vtm_conf_unref(c);
	g_free(dumped);
	return found;
}

static void by_origin(void)
{
	static const struct {
		const char *lines, *want;
	} cases[] = {
		{ "OnBad reject\n", "2 2 2" },
		{ "OnBad inbound reject\n", "2 0 0" },
		{ "OnBad authenticated quarantine\nOnBad reject\n", "2 1 2" },
		{ "OnBad reject\nOnBad Authenticated  \tQuarantine\n", "2 1 2" },
		{ "OwnNetworks ::1\nOnBad networks discard\n", "0 0 3" },
		{ "OnBad inbound reject\nOnBad authenticated quarantine\nOnBad networks discard\nOnBad accept\n"
		  "OwnNetworks 127.0.0.0/8\n", "2 1 3" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *found = on_bad(cases[i].lines);

		is_str(found, cases[i].want, "OnBad by origin, %zu", i);
		g_free(found);
	}
}

/* The words of a command, whatever stands in them. */
static void dumped_commands(void)
{
	static const char *const commands[] = { "/bin/true", "/bin/true ''", "/bin/true \"/x \"# y",
		"/bin/true \"#\" \"a \"'# b'", "/bin/true \"a\t\"#b", "/bin/true \"it's\" \"' \"#", "/bin/true a\\#" };

	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		char *line = g_strdup_printf("LateVerdictCommand %s\n", commands[i]), *dumped;
		struct vtm_conf *c = taken(line), *again;

		dumped = dump(c);
		again = load_bytes(dumped, -1, true, NULL);
		ok(again && g_strv_equal((const char *const *)again->late_verdict_command,
					 (const char *const *)c->late_verdict_command),
		   "a command's words come back: %s", commands[i]);
		vtm_conf_unref(again);
		vtm_conf_unref(c);
		g_free(dumped);
		g_free(line);
	}
}

static void dumps(void)
{
	struct vtm_conf *c = load_bytes("", 0, true, NULL), *again;
	GString *want = g_string_new(NULL);
	char *first = dump(c), *second;
	GError *error = NULL;

	vtm_conf_each(count, want);
	is_str(first, want->str, "all at their defaults, in the table's order");
	vtm_conf_unref(c);
	g_string_free(want, TRUE);
	g_free(first);

	put("a", "example.org\n", -1, 0644);
	c = taken("Enabled true\nScanURLs off\nTimeout 120s\nMaxWaiting 21\nRequestsPerDay 1000\nSenderShare "
		  "26\nCacheTTLBad 60m\n"
		  "MaxMessageSize 1536\nOnBad Reject\nTrustedRelays  ::1,127.0.0.1 \nSocketMode 600\nSocket "
		  "inet:7@127.0.0.1\nIgnoredDomains @/a\nIgnoredDomains @/a\nUser root\n");
	first = dump(c);
	ok(strstr(first, "Enabled yes  # default\n") && strstr(first, "Timeout 120  # default\n") &&
		   strstr(first, "ScanURLs no\n") && strstr(first, "MaxWaiting 21\n") &&
		   strstr(first, "SenderShare 26%\n") && strstr(first, "CacheTTLBad 1h\n") &&
		   strstr(first, "MaxMessageSize 1536\n") && strstr(first, "OnBad reject\n") &&
		   strstr(first, "SocketMode 0600\n") && strstr(first, "TrustedRelays ::1,127.0.0.1\n"),
	   "what is not at its default is written in its usual form");
	again = load_bytes(first, -1, false, &error);
	second = again ? dump(again) : NULL;
	is_str(second, first, "a dump reads back as what it was");
	if (error)
		diag("%s", error->message);
	g_clear_error(&error);
	vtm_conf_unref(again);
	vtm_conf_unref(c);
	g_free(first);
	g_free(second);
}

/* ---- the sample file and the manual page ---- */

struct names {
	GPtrArray *list;	/* of const char * */
	GString *defaults;	/* "Name default" lines */
};

static void gather(const char *name, const char *default_text, const char *help, void *arg)
{
	struct names *n = arg;

	(void)help;
	g_ptr_array_add(n->list, g_strdup(name));
	g_string_append_printf(n->defaults, "%s %s\n", name, default_text ? default_text : "none");
}

static char *source(const char *name)
{
	char *path = test_path(""), *file = g_build_filename(path, "..", name, NULL), *text = NULL;

	ok(g_file_get_contents(file, &text, NULL, NULL), "%s is there", name);
	g_free(path);
	g_free(file);
	return text ? text : g_strdup("");
}

static void sample_file(const struct names *names)
{
	char *text = source("etc/vtmilter.conf"), *before, *after;
	GString *found = g_string_new(NULL), *open = g_string_new(NULL);
	GStrv all = g_strsplit(text, "\n", -1);
	GError *error = NULL;
	struct vtm_conf *c, *usual = load_bytes("", 0, true, NULL);
	unsigned bare = 0;

	for (unsigned i = 0; all[i]; i++) {
		bool directive = all[i][0] == '#' && g_ascii_isalpha(all[i][1]);

		if (directive)
			g_string_append_printf(found, "%s\n", all[i] + 1);
		bare += *all[i] && all[i][0] != '#';
		g_string_append_printf(open, "%s\n", directive ? all[i] + 1 : all[i]);
	}
	is_str(found->str, names->defaults->str, "etc/vtmilter.conf names every directive, at its default, in order");
	is_int(bare, 0, "and sets none");
	c = load_bytes(text, -1, true, &error);
	ok(c != NULL, "it is taken as it is");
	vtm_conf_unref(c);
	c = load_bytes(open->str, -1, true, &error);
	before = dump(usual);
	after = c ? dump(c) : NULL;
	is_str(after, before, "with every '#' taken away it changes nothing");
	if (error)
		diag("%s", error->message);
	g_clear_error(&error);
	vtm_conf_unref(c);
	vtm_conf_unref(usual);
	g_free(before);
	g_free(after);
	g_string_free(found, TRUE);
	g_string_free(open, TRUE);
	g_strfreev(all);
	g_free(text);
}

/* What the manual says about a directive: the lines from its item to the next. */
static void manual_page(const struct names *names)
{
	char *text = source("milter/vtmilter.conf.5");
	GStrv parts = g_strsplit(text, "\n.It Cm ", -1), lines_of = g_strsplit(names->defaults->str, "\n", -1);
	unsigned n = parts[0] ? g_strv_length(parts) - 1 : 0;

	is_int(n, names->list->len, "the manual page has an item for every directive");
	for (unsigned i = 0; i < MIN(n, names->list->len); i++) {
		const char *name = g_ptr_array_index(names->list, i), *usual = strchr(lines_of[i], ' ') + 1;
		char *end = strchr(parts[i + 1], '\n');
		GStrv unescaped;
		char *body;

		*end = '\0';
		is_str(parts[i + 1], name, "in the table's order");
		unescaped = g_strsplit(end + 1, "\\&", -1);
		body = g_strjoinv("", unescaped);
		if (!strcmp(usual, "none"))
			ok(strstr(body, "o default") != NULL, "%s: says that there is no default", name);
		else
			ok(strstr(body, "efault") && strstr(body, usual), "%s: says its default, %s", name, usual);
		g_free(body);
		g_strfreev(unescaped);
	}
	g_strfreev(parts);
	g_strfreev(lines_of);
	g_free(text);
}

/* ---- the current snapshot ---- */

static gpointer reader(gpointer arg)
{
	unsigned wrong = 0;

	for (int i = 0; i < 20000; i++) {
		struct vtm_conf *c = vtm_conf_current();

		wrong += !c || (c->max_waiting != 1 && c->max_waiting != 2);
		vtm_conf_unref(c);
	}
	(void)arg;
	return GUINT_TO_POINTER(wrong);
}

static void current(void)
{
	struct vtm_conf *one = taken("MaxWaiting 1\n"), *two = taken("MaxWaiting 2\n"), *got;
	GThread *t[2];
	unsigned wrong = 0;

	ok(!vtm_conf_current(), "there is none at first");
	vtm_conf_set_current(vtm_conf_ref(one));
	got = vtm_conf_current();
	ok(got == one && got->refs == 3, "the current one, with a reference of its own");
	vtm_conf_unref(got);
	for (size_t i = 0; i < G_N_ELEMENTS(t); i++)
		t[i] = g_thread_new("reader", reader, NULL);
	for (int i = 0; i < 2000; i++)
		vtm_conf_set_current(vtm_conf_ref(i & 1 ? one : two));
	for (size_t i = 0; i < G_N_ELEMENTS(t); i++)
		wrong += GPOINTER_TO_UINT(g_thread_join(t[i]));
	is_int(wrong, 0, "readers see one or the other while it changes");
	vtm_conf_set_current(NULL);
	ok(one->refs == 1 && two->refs == 1, "and let go of both");
	vtm_conf_unref(one);
	vtm_conf_unref(two);
	vtm_conf_unref(NULL);
}

static void remove_dir(void)
{
	GDir *d = g_dir_open(dir, 0, NULL);
	const char *name;

	while (d && (name = g_dir_read_name(d))) {
		char *path = path_of(name);

		g_unlink(path);
		g_free(path);
	}
	if (d)
		g_dir_close(d);
	g_rmdir(dir);
}

int main(void)
{
	struct names names = { g_ptr_array_new_with_free_func(g_free), g_string_new(NULL) };

	dir = g_dir_make_tmp("vtm-test-conf-XXXXXX", NULL);
	conf_path = path_of("vtmilter.conf");
	key_path = path_of("key");
	put("key", KEY "\n", -1, 0600);
	g_unsetenv("CREDENTIALS_DIRECTORY");
	vtm_conf_each(gather, &names);

	forms();
	back_to_text();
	distances();
	defaults();
	syntax();
	files();
	bounds();
	sockets();
	together();
	not_built();
	lists();
	key();
	key_hidden();
	by_origin();
	dumped_commands();
	dumps();
	sample_file(&names);
	manual_page(&names);
	current();

	remove_dir();
	g_ptr_array_free(names.list, TRUE);
	g_string_free(names.defaults, TRUE);
	g_free(conf_path);
	g_free(key_path);
	g_free(dir);
	return done_testing();
}
