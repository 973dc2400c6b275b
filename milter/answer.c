/* SPDX-License-Identifier: BSD-2-Clause */
/* answer.c - see answer.h. */
#include "answer.h"

#include <string.h>

#include "base/hash.h"
#include "conf/conf.h"
#include "daemon.h"
#include "status.h"
#include "url/url.h"
#include "base/json.h"

#define NO_LOOKUP "no such look-up"

/* ---- what a command names ---- */

/* Parses "KIND ID". */
static bool parse_key(const char *text, struct vtm_key *key)
{
	char **words = g_strsplit(text, " ", 3);
	enum vtm_lookup_kind kind;
	bool good = g_strv_length(words) == 2 && vtm_lookup_kind_parse(words[0], &kind) && !vtm_unhex(words[1], key->id);

	if (good)
		key->kind = (uint8_t)kind;
	g_strfreev(words);
	return good;
}

/* Is the subject spelled as we would look it up? */
static bool is_normal(enum vtm_lookup_kind kind, const char *subject)
{
	struct vtm_url *url;
	char *host;
	bool same = true;

	if (kind == VTM_LOOKUP_URL) {
		url = vtm_url_parse(subject, -1);
		same = url && !strcmp(url->normal, subject);
		vtm_url_free(url);
	} else if (kind == VTM_LOOKUP_HOST) {
		host = vtm_host_normal(subject, -1);
		same = !g_strcmp0(host, subject);
		g_free(host);
	}
	return same;
}

/* Parses "KIND SUBJECT".  NULL: it is not a look-up. */
static struct vtm_lookup *parse_lookup(const char *text)
{
	char **words = g_strsplit(text, " ", 2);
	struct vtm_lookup *l = NULL;
	enum vtm_lookup_kind kind;

	if (g_strv_length(words) == 2 && vtm_lookup_kind_parse(words[0], &kind))
		l = vtm_lookup_new(kind, words[1]);
	if (l && !is_normal(kind, l->subject))
		g_clear_pointer(&l, vtm_lookup_free);
	g_strfreev(words);
	return l;
}

/* ---- answers ---- */

static char *line_of(struct vtm_json *j)
{
	char *line = vtm_json_line(j);

	vtm_json_free(j);
	return line;
}

static char *error_line(const char *why)
{
	struct vtm_json *j = vtm_json_new();

	vtm_json_text(j, "error", why);
	return line_of(j);
}

static char *outcome_line(bool ok)
{
	struct vtm_json *j = vtm_json_new();

	vtm_json_bool(j, "ok", ok);
	vtm_json_text(j, "error", ok ? NULL : NO_LOOKUP);
	return line_of(j);
}

static char *report_line(const struct vtm_report *r)
{
	struct vtm_json *j = vtm_json_new();

	vtm_json_text(j, "verdict", vtm_verdict_name(r->verdict));
	vtm_json_text(j, "reason", vtm_reason_name(r->reason));
	vtm_json_int(j, "match", r->match);
	vtm_json_int(j, "malicious", r->malicious);
	vtm_json_int(j, "suspicious", r->suspicious);
	vtm_json_int(j, "harmless", r->harmless);
	vtm_json_int(j, "undetected", r->undetected);
	vtm_json_int(j, "engines", r->engines);
	vtm_json_int(j, "analysed", r->analysed);
	return line_of(j);
}

/* ---- the commands ---- */

static char *status(const char *none)
{
	(void)none;
	return vtm_status();
}

static char *forget(const char *what)
{
	struct vtm_key key;
	bool good = parse_key(what, &key);

	if (good)
		vtm_cache_forget(vtm_daemon.cache, &key);
	return outcome_line(good);
}

static char *reread(const char *what)
{
	struct vtm_resolver *resolver = vtm_daemon_resolver();
	struct vtm_lookup *l = parse_lookup(what);
	bool done = resolver && l;

	if (done)
		vtm_resolver_reread(resolver, l);
	vtm_lookup_free(l);
	return outcome_line(done);
}

static char *look_up(const char *what, bool queue, enum vtm_class class)
{
	struct vtm_resolver *resolver = vtm_daemon_resolver();
	struct vtm_conf *c = vtm_conf_current();
	struct vtm_want want = { .class = class };
	struct vtm_ticket t = { .wants = &want, .n = 1, .max_lookups = queue };
	char *line;

	want.lookup = parse_lookup(what);
	if (!want.lookup) {
		line = error_line(NO_LOOKUP);
	} else if (!resolver || !c->enabled) {
		line = error_line("Enabled is no, so nothing is looked up");
	} else {
		/* after now, or the reason would always be that it is too late */
		t.deadline_ms = vtm_boot_ms(vtm_daemon.clock) + 1;
		vtm_resolver_ask(resolver, &t, c->detection_threshold, NULL, NULL, 0);
		line = report_line(&want.report);
	}
	vtm_lookup_free(want.lookup);
	vtm_conf_unref(c);
	return line;
}

static char *look_up_manual(const char *what)
{
	return look_up(what, true, VTM_CLASS_MANUAL);
}

static char *look_up_bulk(const char *what)
{
	return look_up(what, true, VTM_CLASS_BULK);
}

static char *look_up_known(const char *what)
{
	return look_up(what, false, VTM_CLASS_BULK);
}

static const struct command {
	const char *name;
	char *(*run)(const char *arguments);
	bool has_arguments;
} commands[] = {
	{ "status", status, false },
	{ "forget", forget, true },
	{ "reread", reread, true },
	{ "lookup", look_up_manual, true },
	{ "bulk", look_up_bulk, true },
	{ "known", look_up_known, true },
};

char *vtm_answer(const char *command)
{
	size_t n = strcspn(command, " ");

	for (const struct command *c = commands; c < commands + G_N_ELEMENTS(commands); c++)
		if (strlen(c->name) == n && !strncmp(command, c->name, n) && (command[n] == ' ') == c->has_arguments)
			return c->run(command + n + c->has_arguments);
	return NULL;
}
