/* SPDX-License-Identifier: BSD-2-Clause */
/* log.c - lines of the log: their formats, their secrets taken out, and how often one may come. */
#include <string.h>
#include <unistd.h>

#include "base/log-parts.h"

#define SECRETS_MAX 16
#define SECRET_MIN 8
#define TOPICS_MAX 64
#define TOPIC_PAUSE_MS 60000

/* Covers adding a secret.  Secrets are only ever added: a slot is filled before n_secrets counts it, and never changes
 * again, so reading needs no lock. */
static GMutex secret_lock;
static char *secrets[SECRETS_MAX];
static int n_secrets;

struct topic {
	const char *name;
	int64_t written_ms;
	unsigned suppressed;
};

/* Covers the topics. */
static GMutex topic_lock;
static struct topic topics[TOPICS_MAX];
static unsigned n_topics;

/* ---- secrets ---- */

void vtm_log_secret(const char *secret)
{
	g_mutex_lock(&secret_lock);
	if (strlen(secret) >= SECRET_MIN && n_secrets < SECRETS_MAX) {
		bool known = false;

		for (int i = 0; i < n_secrets; i++)
			known = known || !strcmp(secrets[i], secret);
		if (!known) {
			secrets[n_secrets] = g_strdup(secret);
			g_atomic_int_inc(&n_secrets);
		}
	}
	g_mutex_unlock(&secret_lock);
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

/* ---- lines ---- */

static GString *json_begin(enum vtm_severity s)
{
	GString *line = g_string_new("{");
	char *when = vtm_log_time(), *ident = vtm_log_ident();

	vtm_log_json_text(line, "time", when);
	vtm_log_json_text(line, "severity", vtm_log_severity_name(s));
	vtm_log_json_text(line, "ident", ident);
	vtm_log_json_number(line, "pid", getpid());
	g_free(ident);
	g_free(when);
	return line;
}

/* Takes the secrets out of <text> and writes it.  Frees it. */
static void put_message(enum vtm_severity s, GString *text)
{
	enum vtm_log_format format = vtm_log_format();
	GString *line;

	redact(text);
	if (format == VTM_LOG_JSON) {
		line = json_begin(s);
		vtm_log_json_text(line, "message", text->str);
		g_string_append_c(line, '}');
	} else {	/* in case the caller did not escape it */
		line = g_string_new(NULL);
		vtm_log_escape_into(line, text->str, text->len, VTM_LOG_TEXT_MAX, "");
	}
	vtm_log_write(s, format, line->str);
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

/* Appends a value.  Quotes one with a comma, which ends a value, so that no text of others looks like a field. */
static void plain_value(GString *line, const char *text)
{
	bool quote = strpbrk(text, ",\"") != NULL;

	g_string_append(line, quote ? "\"" : "");
	vtm_log_escape_into(line, text, strlen(text), VTM_LOG_TEXT_MAX, quote ? "\\\"" : "\\");
	g_string_append(line, quote ? "\"" : "");
}

static void add_field(GString *line, bool json, const struct vtm_log_field *f, bool first)
{
	GString *text = f->text ? g_string_new(f->text) : NULL;

	if (text)
		redact(text);
	if (json && text) {
		vtm_log_json_text(line, f->name, text->str);
	} else if (json) {
		vtm_log_json_number(line, f->name, f->number);
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
	enum vtm_log_format format = vtm_log_format();
	bool json = format == VTM_LOG_JSON;
	GString *line;

	if (!vtm_log_wants(s))
		return;
	line = json ? json_begin(s) : g_string_new(NULL);
	if (json) {
		vtm_log_json_text(line, "subject", subject);
	} else {
		vtm_log_escape_into(line, subject, strlen(subject), VTM_LOG_TEXT_MAX, "\\");
		g_string_append_c(line, ':');
	}
	for (const struct vtm_log_field *f = fields; f->name; f++)
		if (*f->name)
			add_field(line, json, f, f == fields);
	if (json)
		g_string_append_c(line, '}');
	vtm_log_write(s, format, line->str);
	g_string_free(line, TRUE);
}

/* May a line of <topic> be written now?  *suppressed_r: the lines dropped since the last one. */
static bool topic_due(const char *topic, unsigned *suppressed_r)
{
	int64_t now = vtm_boot_ms(vtm_log_clock());
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
