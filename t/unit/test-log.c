/* SPDX-License-Identifier: BSD-2-Clause */
/* test-log.c - what reaches the log, and what must not. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "tap.h"

#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char *last;
static unsigned lines;
static enum vtm_severity last_severity;

static void keep(enum vtm_severity s, const char *line, void *arg)
{
	g_assert(arg == &last);
	g_free(last);
	last = g_strdup(line);
	last_severity = s;
	lines++;
}

static void escape(void)
{
	static const struct {
		const char *what, *in;
		gssize len;
		gsize max;
		const char *want;
	} cases[] = {
		{ "plain text stays", "Invoice 3.pdf", -1, 100, "Invoice 3.pdf" },
		{ "UTF-8 stays", "Größe €", -1, 100, "Größe €" },
		{ "a line end", "a\r\nNov 24 mx sshd: x", -1, 100, "a\\x0d\\x0aNov 24 mx sshd: x" },
		{ "an escape sequence", "\033[2J", -1, 100, "\\x1b[2J" },
		{ "DEL", "\x7f", -1, 100, "\\x7f" },
		{ "C1 control characters", "\xc2\x9b" "31m", -1, 100, "\\xc2\\x9b31m" },
		{ "text turned around (U+202E)", "a\xe2\x80\xae" "fdp.exe", -1, 100, "a\\xe2\\x80\\xaefdp.exe" },
		{ "line separator (U+2028)", "\xe2\x80\xa8", -1, 100, "\\xe2\\x80\\xa8" },
		{ "bytes that are not UTF-8", "\xff\xc3(", -1, 100, "\\xff\\xc3(" },
		{ "an overlong NUL", "\xc0\x80", -1, 100, "\\xc0\\x80" },
		{ "a surrogate", "\xed\xa0\x80", -1, 100, "\\xed\\xa0\\x80" },
		{ "a character cut off", "\xe2\x82", -1, 100, "\\xe2\\x82" },
		{ "a backslash is doubled", "\\x0a", -1, 100, "\\\\x0a" },
		{ "a NUL is data", "a\0b", 3, 100, "a\\x00b" },
		{ "length 0", "abc", 0, 100, "" },
		{ "at the bound", "abcd", -1, 4, "abcd" },
		{ "beyond the bound", "abcde", -1, 4, "abcd..." },
		{ "a character is not cut in two", "ab€", -1, 4, "ab..." },
		{ "a bound of 0", "a", -1, 0, "..." },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *got = vtm_log_escape(cases[i].in, cases[i].len, cases[i].max);

		is_str(got, cases[i].want, "escape: %s", cases[i].what);
		g_free(got);
	}
}

static void severities(void)
{
	vtm_log_open("test", VTM_LOG_TEXT, VTM_LOG_NOTICE, "mail");
	ok(vtm_log_wants(VTM_LOG_NOTICE) && !vtm_log_wants(VTM_LOG_INFO), "the level counts");
	lines = 0;
	vtm_log(VTM_LOG_INFO, "not this");
	is_int(lines, 0, "what is below it is not written");
	vtm_log(VTM_LOG_WARNING, "this %d", 1);
	is_str(last, "this 1", "what is above it is");
	is_int(last_severity, VTM_LOG_WARNING, "with its severity");
	vtm_log_open("test", VTM_LOG_TEXT, VTM_LOG_DEBUG, "mail");
	ok(vtm_log_wants(VTM_LOG_DEBUG), "opening again (reload) changes the level");
	ok(vtm_log_open("test", VTM_LOG_TEXT, VTM_LOG_DEBUG, "LOCAL7"), "a facility in any case");
	ok(!vtm_log_open("test", VTM_LOG_TEXT, VTM_LOG_ERROR, "mial"), "an unknown one is refused");
	ok(vtm_log_wants(VTM_LOG_DEBUG), "and changes nothing");
	ok(vtm_log_facility_known("daemon") && !vtm_log_facility_known(""), "facilities have names");
}

static void plain_lines(void)
{
	char *text = g_strnfill(5000, 'x');
	const struct vtm_log_field fields[] = {
		{ "from", "<a@example.org>", 0 },
		{ "items", NULL, 3 },
		{ "tags", "VT_Bad VT_Pending", 0 },
		{ NULL, NULL, 0 },
	};
	const struct vtm_log_field forged[] = {
		{ "name", "a, tags=VT_Scanned", 0 }, { "host", "\"q\\\"\n", 0 }, { "empty", "", 0 },
		{ "least", NULL, G_MININT64 }, { NULL, NULL, 0 },
	};
	const struct vtm_log_field gaps[] = {
		{ "items", NULL, 3 }, { "", "x", 1 }, { "tags", "none", 0 }, { "", NULL, 0 }, { NULL, NULL, 0 }
	};
	const struct vtm_log_field none[] = { { NULL, NULL, 0 } };

	vtm_log_open("test", VTM_LOG_SYSLOG, VTM_LOG_DEBUG, "mail");
	vtm_log(VTM_LOG_INFO, "%s", "a\nb\x01 %s %n \\");
	is_str(last, "a\\x0ab\\x01 %s %n \\",
	       "control characters that a caller forgot, and no format but the caller's");
	vtm_log(VTM_LOG_INFO, "%s", text);
	is_int((gint64)strlen(last), 4096 + 3, "a line has an end");
	vtm_log_event(VTM_LOG_INFO, "4XyZ", fields);
	is_str(last, "4XyZ: from=<a@example.org>, items=3, tags=VT_Bad VT_Pending", "an event, as Postfix writes it");
	vtm_log_event(VTM_LOG_INFO, "4XyZ", forged);
	is_str(last,
	       "4XyZ: name=\"a, tags=VT_Scanned\", host=\"\\\"q\\\\\\\"\\x0a\", empty=, least=-9223372036854775808",
	       "a value cannot look like another field");
	vtm_log_event(VTM_LOG_INFO, "x: y\n", none);
	is_str(last, "x: y\\x0a:", "an event without fields; its subject is escaped too");
	vtm_log_event(VTM_LOG_INFO, "4XyZ", gaps);
	is_str(last, "4XyZ: items=3, tags=none", "a field without a name is left out");
	g_free(text);
}

static void json_lines(void)
{
	struct vtm_clock_manual m;
	const struct vtm_log_field fields[] = {
		{ "name", "a\"b\\c\n\x1f\xff€\xe2\x80\xae\xf3\xa0\x80\x81", 0 },
		{ "items", NULL, -3 },
		{ NULL, NULL, 0 },
	};
	char *want, *back;

	vtm_clock_manual_init(&m, 1732428180007);
	vtm_log_set_clock(&m.clock);
	vtm_log_open("vtmilter", VTM_LOG_JSON, VTM_LOG_DEBUG, "mail");
	vtm_log(VTM_LOG_ERROR, "a \"b\"");
	want = g_strdup_printf("{\"time\":\"2024-11-24T06:03:00.007Z\",\"severity\":\"error\",\"ident\":\"vtmilter\","
			       "\"pid\":%d,\"message\":\"a \\\"b\\\"\"}",
			       getpid());
	is_str(last, want, "a message in JSON");
	g_free(want);
	vtm_log_event(VTM_LOG_INFO, "4XyZ", fields);
	ok(g_str_has_suffix(last, ",\"subject\":\"4XyZ\",\"name\":"
				  "\"a\\\"b\\\\c\\u000a\\u001f\xef\xbf\xbd€\\u202e\\udb40\\udc01\",\"items\":-3}"),
	   "an event in JSON");
	back = vtm_json_get_text(last, "name");
	is_str(back, "a\"b\\c\n\x1f\xef\xbf\xbd€\xe2\x80\xae\xf3\xa0\x80\x81", "a JSON reader gets back what it was");
	g_free(back);
	vtm_log_set_clock(NULL);
}

static void secrets(void)
{
	const struct vtm_log_field fields[] = { { "url", "x-apikey: " KEY, 0 }, { NULL, NULL, 0 } };

	vtm_log_secret("short");
	vtm_log_secret(KEY);
	vtm_log_secret(KEY);
	for (int f = VTM_LOG_SYSLOG; f <= VTM_LOG_JSON; f++) {
		vtm_log_open("test", (enum vtm_log_format)f, VTM_LOG_DEBUG, "mail");
		vtm_log(VTM_LOG_INFO, "short %s%s and %s", KEY, KEY, KEY);
		ok(strstr(last, "short [key][key] and [key]") && !strstr(last, KEY), "format %d: the key is taken out",
		   f);
		vtm_log_event(VTM_LOG_INFO, "vt", fields);
		ok(strstr(last, "x-apikey: [key]") && !strstr(last, KEY), "format %d: of fields too", f);
		vtm_log_limited(VTM_LOG_INFO, f ? f > 1 ? "a" : "b" : "c", "%s", KEY);
		ok(strstr(last, "[key]") && !strstr(last, KEY), "format %d: and of limited lines", f);
	}
	vtm_log_open("test", VTM_LOG_SYSLOG, VTM_LOG_DEBUG, "mail");
	vtm_log_secret("pass\"word\\1");
	vtm_log_event(VTM_LOG_INFO, "redis",
		      (const struct vtm_log_field[]){ { "why", "pass\"word\\1", 0 }, { NULL, NULL, 0 } });
	is_str(last, "redis: why=[key]", "a secret that would be escaped is taken out before");
	for (int i = 3; i <= 17; i++) {
		char *secret = g_strdup_printf("secret-%d-of-17", i);

		vtm_log_secret(secret);
		g_free(secret);
	}
	vtm_log(VTM_LOG_INFO, "secret-16-of-17 secret-17-of-17");
	is_str(last, "[key] secret-17-of-17", "16 secrets are kept, one more is not");
}

static void limited(void)
{
	static char names[70][8];
	struct vtm_clock_manual m;
	unsigned before;

	vtm_clock_manual_init(&m, 0);
	vtm_log_set_clock(&m.clock);
	vtm_log_open("test", VTM_LOG_SYSLOG, VTM_LOG_INFO, "mail");
	lines = 0;
	vtm_log_limited(VTM_LOG_WARNING, "store", "down");
	is_str(last, "down", "the first line of a topic");
	for (int i = 0; i < 5; i++)
		vtm_log_limited(VTM_LOG_WARNING, "store", "down");
	is_int(lines, 1, "the next ones are counted only");
	vtm_log_limited(VTM_LOG_DEBUG, "store", "nobody wants to know");
	vtm_log_limited(VTM_LOG_WARNING, "vt", "down too");
	is_str(last, "down too", "another topic is not held back");
	vtm_clock_manual_advance(&m, 59999);
	vtm_log_limited(VTM_LOG_WARNING, "store", "down");
	is_int(lines, 2, "59.999 s later: still");
	vtm_clock_manual_advance(&m, 1);
	vtm_log_limited(VTM_LOG_WARNING, "store", "down");
	is_str(last, "down (6 more suppressed)", "60 s later it says how many there were");
	vtm_clock_manual_advance(&m, 60000);
	vtm_log_limited(VTM_LOG_WARNING, "store", "down");
	is_str(last, "down", "and starts again from none");

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_snprintf(names[i], sizeof(names[i]), "t%zu", i);
		vtm_log_limited(VTM_LOG_INFO, names[i], "x");
	}
	before = lines;
	vtm_log_limited(VTM_LOG_INFO, names[40], "x");
	is_int(lines - before, 0, "of 64 topics each is held back");
	vtm_log_limited(VTM_LOG_INFO, names[69], "x");
	is_int(lines - before, 1, "a 65th is never lost");
	vtm_log_set_clock(NULL);
}

static char *from_stderr(enum vtm_log_format format)
{
	char path[] = "/tmp/vtm-test-log-XXXXXX", *text = NULL;
	int fd = g_mkstemp(path), old = dup(STDERR_FILENO);

	dup2(fd, STDERR_FILENO);
	vtm_log_open("test", format, VTM_LOG_INFO, "mail");
	vtm_log(VTM_LOG_NOTICE, "hello");
	dup2(old, STDERR_FILENO);
	g_file_get_contents(path, &text, NULL, NULL);
	unlink(path);
	close(fd);
	close(old);
	return text;
}

static gpointer writer(gpointer arg)
{
	for (int i = 0; i < 1000; i++)
		vtm_log(VTM_LOG_INFO, "%s %d", arg ? "odd" : "even", i);
	return NULL;
}

static void sink(void)
{
	struct vtm_clock_manual m;
	char *text, *want;

	vtm_log_set_sink(NULL, NULL);
	vtm_clock_manual_init(&m, 1732428180007);
	vtm_log_set_clock(&m.clock);
	text = from_stderr(VTM_LOG_TEXT);
	want = g_strdup_printf("2024-11-24T06:03:00.007Z test[%d] notice: hello\n", getpid());
	is_str(text, want, "a line of text on standard error");
	g_free(want);
	g_free(text);
	text = from_stderr(VTM_LOG_JSON);
	ok(text && g_str_has_prefix(text, "{\"time\":") && g_str_has_suffix(text, "\"message\":\"hello\"}\n"), "a line "
													       "of "
													       "JSON");
	g_free(text);
	vtm_log_set_clock(NULL);
}

static void threads(void)
{
	GThread *t[4];
	char path[] = "/tmp/vtm-test-log-XXXXXX", *text = NULL;
	int fd = g_mkstemp(path), old = dup(STDERR_FILENO), whole = 0;
	GStrv all;

	dup2(fd, STDERR_FILENO);
	vtm_log_open("test", VTM_LOG_TEXT, VTM_LOG_INFO, "mail");
	for (int i = 0; i < 4; i++)
		t[i] = g_thread_new("w", writer, GINT_TO_POINTER(i & 1));
	for (int i = 0; i < 100; i++)
		vtm_log_open("test", VTM_LOG_TEXT, VTM_LOG_INFO, "mail");
	for (int i = 0; i < 4; i++)
		g_thread_join(t[i]);
	dup2(old, STDERR_FILENO);
	g_file_get_contents(path, &text, NULL, NULL);
	all = g_strsplit(text, "\n", -1);
	for (int i = 0; all[i]; i++)
		whole += g_regex_match_simple("^[^ ]+Z test\\[[0-9]+\\] info: (odd|even) [0-9]+$", all[i], 0, 0);
	is_int(whole, 4000, "four threads' lines stay whole while the log is opened again");
	g_strfreev(all);
	g_free(text);
	unlink(path);
	close(fd);
	close(old);
}

int main(void)
{
	vtm_log_set_sink(keep, &last);
	escape();
	severities();
	plain_lines();
	json_lines();
	secrets();
	limited();
	sink();
	threads();
	vtm_log_close();
	ok(vtm_log_wants(VTM_LOG_INFO) && !vtm_log_wants(VTM_LOG_DEBUG), "a closed log is as it was before");
	g_free(last);
	return done_testing();
}
