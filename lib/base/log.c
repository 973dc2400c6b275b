/* SPDX-License-Identifier: BSD-2-Clause */
/* log.c - the log: syslog, text or JSON, with secrets taken out of every line. */
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"

#define SECRETS_MAX 16
#define SECRET_MIN 8
#define TOPICS_MAX 64
#define TOPIC_PAUSE_MS 60000
#define TEXT_MAX 4096	/* bytes of one message or field; what is longer is cut */

/* One name a severity: in text and JSON lines, and what syslog(3) calls it. */
static const struct {
	const char *name;
	int priority;
} severities[] = {
	[VTM_LOG_ERROR] = { "error", LOG_ERR },
	[VTM_LOG_WARNING] = { "warning", LOG_WARNING },
	[VTM_LOG_NOTICE] = { "notice", LOG_NOTICE },
	[VTM_LOG_INFO] = { "info", LOG_INFO },
	[VTM_LOG_DEBUG] = { "debug", LOG_DEBUG },
};

static const struct {
	const char *name;
	int facility;
} facilities[] = {
	{ "auth", LOG_AUTH }, { "authpriv", LOG_AUTHPRIV }, { "cron", LOG_CRON }, { "daemon", LOG_DAEMON },
	{ "ftp", LOG_FTP }, { "lpr", LOG_LPR }, { "mail", LOG_MAIL }, { "news", LOG_NEWS },
	{ "syslog", LOG_SYSLOG }, { "user", LOG_USER }, { "uucp", LOG_UUCP }, { "local0", LOG_LOCAL0 },
	{ "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 }, { "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 },
	{ "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
};

struct topic {
	const char *name;
	int64_t written_ms;
	unsigned suppressed;
};

/* Read without a lock on every call; a line on its way may still use the old value. */
static int level = VTM_LOG_INFO;
static int out_format = VTM_LOG_TEXT;
static int to_journal;

/* Secrets are only ever added: a slot is filled before the count says so, and never changes again. */
static char *secrets[SECRETS_MAX];
static int n_secrets;

/* Covers everything below, and the write of one finished line. */
static GMutex lock;
static char *log_ident;
static vtm_log_sink *log_sink;
static void *log_sink_arg;
static const struct vtm_clock *log_clock;

/* Covers the topics. */
static GMutex topic_lock;
static struct topic topics[TOPICS_MAX];
static unsigned n_topics;

static const struct vtm_clock *the_clock(void)
{
	const struct vtm_clock *c;

	g_mutex_lock(&lock);
	c = log_clock;
	g_mutex_unlock(&lock);
	return c ? c : vtm_clock_system();
}

void vtm_log_set_clock(const struct vtm_clock *clock)
{
	g_mutex_lock(&lock);
	log_clock = clock;
	g_mutex_unlock(&lock);
}

/* -1: none. */
static int facility_number(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(facilities); i++)
		if (!g_ascii_strcasecmp(facilities[i].name, name))
			return facilities[i].facility;
	return -1;
}

bool vtm_log_facility_known(const char *facility)
{
	return facility_number(facility) >= 0;
}

/* Is standard error the service manager's?  Its journal takes the severity from "<N>" in front (systemd.exec(5),
 * JOURNAL_STREAM; sd-daemon(3)). */
static bool is_journal(void)
{
	const char *stream = g_getenv("JOURNAL_STREAM");
	struct stat st;
	char *ours;
	bool same;

	if (!stream || fstat(STDERR_FILENO, &st))
		return false;
	ours = g_strdup_printf("%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	same = !strcmp(stream, ours);
	g_free(ours);
	return same;
}

bool vtm_log_open(const char *ident, enum vtm_log_format format, enum vtm_severity s, const char *facility)
{
	int number = facility_number(facility);
	char *old;

	if (number < 0)
		return false;
	g_mutex_lock(&lock);
	old = log_ident;
	log_ident = g_strdup(ident);
	closelog();
	if (format == VTM_LOG_SYSLOG)	/* keeps the pointer to its name */
		openlog(log_ident, LOG_PID | LOG_NDELAY, number);
	g_free(old);
	g_mutex_unlock(&lock);
	g_atomic_int_set(&to_journal, is_journal());
	g_atomic_int_set(&level, (int)s);
	g_atomic_int_set(&out_format, (int)format);
	return true;
}

void vtm_log_close(void)
{
	g_mutex_lock(&lock);
	closelog();
	g_clear_pointer(&log_ident, g_free);
	g_mutex_unlock(&lock);
	g_atomic_int_set(&level, VTM_LOG_INFO);
	g_atomic_int_set(&out_format, VTM_LOG_TEXT);
}

void vtm_log_set_sink(vtm_log_sink *sink, void *arg)
{
	g_mutex_lock(&lock);
	log_sink = sink;
	log_sink_arg = arg;
	g_mutex_unlock(&lock);
}

bool vtm_log_wants(enum vtm_severity s)
{
	return (int)s <= g_atomic_int_get(&level);
}

void vtm_log_secret(const char *secret)
{
	g_mutex_lock(&lock);
	if (strlen(secret) >= SECRET_MIN && n_secrets < SECRETS_MAX) {
		bool known = false;

		for (int i = 0; i < n_secrets; i++)
			known = known || !strcmp(secrets[i], secret);
		if (!known) {
			secrets[n_secrets] = g_strdup(secret);
			g_atomic_int_inc(&n_secrets);
		}
	}
	g_mutex_unlock(&lock);
}

static void redact(GString *text)
{
	int n = g_atomic_int_get(&n_secrets);

	for (int i = 0; i < n; i++) {
		size_t len = strlen(secrets[i]);
		char *at;

		while ((at = strstr(text->str, secrets[i]))) {
			gssize pos = at - text->str;

			g_string_erase(text, pos, (gssize)len);
			g_string_insert(text, pos, "[key]");
		}
	}
}

/* ---- characters ---- */

/* Format characters turn lines around on a terminal (U+202E), separators end them (U+2028): no better than control
 * characters. */
static bool shows(gunichar c)
{
	GUnicodeType type = g_unichar_type(c);

	return g_unichar_isprint(c) && type != G_UNICODE_FORMAT && type != G_UNICODE_LINE_SEPARATOR &&
	       type != G_UNICODE_PARAGRAPH_SEPARATOR;
}

/* Bytes of the valid character at <p>, or 0. */
static size_t char_at(const char *p, size_t len, gunichar *c_r)
{
	if (!*p) {	/* GLib takes a NUL for the end; here it is data */
		*c_r = 0;
		return 1;
	}
	*c_r = g_utf8_get_char_validated(p, (gssize)len);
	if (*c_r == (gunichar)-1 || *c_r == (gunichar)-2)
		return 0;
	return (size_t)g_utf8_skip[(unsigned char)*p];
}

static void escape_bytes(GString *out, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		g_string_append_printf(out, "\\x%02x", (unsigned char)p[i]);
}

/* <special>: characters that get a backslash in front. */
static void escape_into(GString *out, const char *text, size_t len, size_t max, const char *special)
{
	size_t i = 0;

	while (i < len) {
		gunichar c;
		size_t n = char_at(text + i, len - i, &c);
		size_t take = n ? n : 1;

		if (i + take > max) {
			g_string_append(out, "...");
			return;
		}
		if (!n || !shows(c)) {
			escape_bytes(out, text + i, take);
		} else {
			if (n == 1 && strchr(special, text[i]))
				g_string_append_c(out, '\\');
			g_string_append_len(out, text + i, (gssize)take);
		}
		i += take;
	}
}

char *vtm_log_escape(const char *text, gssize len, gsize max)
{
	GString *out = g_string_new(NULL);

	escape_into(out, text, len < 0 ? strlen(text) : (size_t)len, max, "\\");
	return g_string_free(out, FALSE);
}

/* A JSON string (RFC 8259 section 7).  Own code, since json.c is a leaf and the log lies below it. */
static void json_string(GString *out, const char *text)
{
	char *valid = g_utf8_make_valid(text, -1);

	g_string_append_c(out, '"');
	for (const char *p = valid; *p; p += g_utf8_skip[(unsigned char)*p]) {
		gunichar c = g_utf8_get_char(p);

		if (p - valid >= TEXT_MAX) {
			g_string_append(out, "...");
			break;
		}
		if (c == '"' || c == '\\')
			g_string_append_printf(out, "\\%c", (char)c);
		else if (shows(c))
			g_string_append_unichar(out, c);
		else if (c <= 0xffff)
			g_string_append_printf(out, "\\u%04x", c);
		else	/* a pair of surrogates */
			g_string_append_printf(out, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
	}
	g_string_append_c(out, '"');
	g_free(valid);
}

static void json_member(GString *out, const char *name, const char *text)
{
	g_string_append(out, out->len > 1 ? "," : "");
	json_string(out, name);
	g_string_append_c(out, ':');
	json_string(out, text);
}

static void json_number(GString *out, const char *name, gint64 number)
{
	g_string_append(out, out->len > 1 ? "," : "");
	json_string(out, name);
	g_string_append_printf(out, ":%" G_GINT64_FORMAT, number);
}

/* ---- lines ---- */

static char *time_text(void)
{
	int64_t ms = vtm_utc_ms(the_clock());
	GDateTime *t = g_date_time_new_from_unix_utc(ms / 1000);
	char *second = t ? g_date_time_format(t, "%Y-%m-%dT%H:%M:%S") : g_strdup("-");
	char *text = g_strdup_printf("%s.%03dZ", second, (int)(ms % 1000));

	g_free(second);
	if (t)
		g_date_time_unref(t);
	return text;
}

static char *ident_text(void)
{
	char *ident;

	g_mutex_lock(&lock);
	ident = g_strdup(log_ident ? log_ident : "vtmilter");
	g_mutex_unlock(&lock);
	return ident;
}

static GString *json_begin(enum vtm_severity s)
{
	GString *line = g_string_new("{");
	char *when = time_text(), *ident = ident_text();

	json_member(line, "time", when);
	json_member(line, "severity", severities[s].name);
	json_member(line, "ident", ident);
	json_number(line, "pid", getpid());
	g_free(ident);
	g_free(when);
	return line;
}

static void write_stderr(const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(STDERR_FILENO, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)	/* nobody is left to tell */
			return;
		text += n;
		len -= (size_t)n;
	}
}

static void put_out(enum vtm_severity s, enum vtm_log_format format, const char *line)
{
	char priority[8] = "", *full = NULL;
	vtm_log_sink *sink;
	void *arg;

	if (g_atomic_int_get(&to_journal))
		g_snprintf(priority, sizeof(priority), "<%d>", severities[s].priority);

	if (format == VTM_LOG_TEXT) {
		char *when = time_text(), *ident = ident_text();

		full = g_strdup_printf("%s%s %s[%ld] %s: %s\n", priority, when, ident, (long)getpid(),
				       severities[s].name, line);
		g_free(ident);
		g_free(when);
	} else if (format == VTM_LOG_JSON) {
		full = g_strconcat(priority, line, "\n", NULL);
	}
	g_mutex_lock(&lock);
	sink = log_sink;
	arg = log_sink_arg;
	if (!sink && full)
		write_stderr(full, strlen(full));
	else if (!sink)
		syslog(severities[s].priority, "%s", line);
	g_mutex_unlock(&lock);
	if (sink)
		sink(s, line, arg);
	g_free(full);
}

/* Takes <text>, a whole message without its secrets taken out yet. */
static void put_message(enum vtm_severity s, GString *text)
{
	enum vtm_log_format format = (enum vtm_log_format)g_atomic_int_get(&out_format);
	GString *line;

	redact(text);
	if (format == VTM_LOG_JSON) {
		line = json_begin(s);
		json_member(line, "message", text->str);
		g_string_append_c(line, '}');
	} else {	/* what the caller forgot to escape */
		line = g_string_new(NULL);
		escape_into(line, text->str, text->len, TEXT_MAX, "");
	}
	put_out(s, format, line->str);
	g_string_free(line, TRUE);
	g_string_free(text, TRUE);
}

void vtm_log(enum vtm_severity s, const char *format, ...)
{
	GString *text;
	va_list args;

	if (!vtm_log_wants(s))
		return;
	text = g_string_new(NULL);
	va_start(args, format);
	g_string_append_vprintf(text, format, args);
	va_end(args);
	put_message(s, text);
}

/* A comma ends a value, so a value with one in it is quoted: nobody's text can look like a field of ours. */
static void plain_value(GString *line, const char *text)
{
	bool quote = strpbrk(text, ",\"") != NULL;

	g_string_append(line, quote ? "\"" : "");
	escape_into(line, text, strlen(text), TEXT_MAX, quote ? "\\\"" : "\\");
	g_string_append(line, quote ? "\"" : "");
}

static void add_field(GString *line, bool json, const struct vtm_log_field *f, bool first)
{
	GString *text = f->text ? g_string_new(f->text) : NULL;

	if (text)
		redact(text);
	if (json && text) {
		json_member(line, f->name, text->str);
	} else if (json) {
		json_number(line, f->name, f->number);
	} else {
		g_string_append_printf(line, "%s%s=", first ? " " : ", ", f->name);
		if (text)
			plain_value(line, text->str);
		else
			g_string_append_printf(line, "%" G_GINT64_FORMAT, f->number);
	}
	if (text)
		g_string_free(text, TRUE);
}

void vtm_log_event(enum vtm_severity s, const char *subject, const struct vtm_log_field *fields)
{
	enum vtm_log_format format = (enum vtm_log_format)g_atomic_int_get(&out_format);
	bool json = format == VTM_LOG_JSON;
	GString *line;

	if (!vtm_log_wants(s))
		return;
	line = json ? json_begin(s) : g_string_new(NULL);
	if (json) {
		json_member(line, "subject", subject);
	} else {
		escape_into(line, subject, strlen(subject), TEXT_MAX, "\\");
		g_string_append_c(line, ':');
	}
	for (const struct vtm_log_field *f = fields; f->name; f++)
		if (*f->name)
			add_field(line, json, f, f == fields);
	if (json)
		g_string_append_c(line, '}');
	put_out(s, format, line->str);
	g_string_free(line, TRUE);
}

/* May a line of <topic> be written now?  *suppressed_r: how many were not since the last one. */
static bool topic_due(const char *topic, unsigned *suppressed_r)
{
	int64_t now = vtm_boot_ms(the_clock());
	struct topic *t = NULL;
	bool due = true;

	*suppressed_r = 0;
	g_mutex_lock(&topic_lock);
	for (unsigned i = 0; i < n_topics && !t; i++)
		if (!strcmp(topics[i].name, topic))
			t = &topics[i];
	if (!t && n_topics < TOPICS_MAX) {
		t = &topics[n_topics++];
		t->name = topic;
	} else if (t) {
		due = now - t->written_ms >= TOPIC_PAUSE_MS;
	}
	if (t && due) {
		*suppressed_r = t->suppressed;
		t->suppressed = 0;
		t->written_ms = now;
	} else if (t) {
		t->suppressed++;
	}
	g_mutex_unlock(&topic_lock);
	return due;
}

void vtm_log_limited(enum vtm_severity s, const char *topic, const char *format, ...)
{
	unsigned suppressed;
	GString *text;
	va_list args;

	if (!vtm_log_wants(s) || !topic_due(topic, &suppressed))
		return;
	text = g_string_new(NULL);
	va_start(args, format);
	g_string_append_vprintf(text, format, args);
	va_end(args);
	if (suppressed)
		g_string_append_printf(text, " (%u more suppressed)", suppressed);
	put_message(s, text);
}
