/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon.c - vtmilterctl status, reload. */
#include <stdio.h>

#include "ctl/ctl.h"

/* A daemon that is needed and does not run: how to start it. */
static int fail_daemon(const struct vtm_ctl *c, GError *error)
{
	if (g_str_has_suffix(error->message, "does not run"))
		g_prefix_error(&error, "start it, as by 'systemctl start vtmilter': ");
	return vtm_ctl_fail(c, error);
}

static void put_remarks(const struct vtm_ctl *c, const char *answer)
{
	char **remarks = vtm_json_get_texts(answer, "remarks");

	for (char **r = remarks; *r; r++)
		vtm_ctl_warn(c, "%s", *r);
	g_strfreev(remarks);
}

int vtm_ctl_reload(struct vtm_ctl *c, int argc, char **argv)
{
	GError *error = NULL;
	char *answer, *why;
	bool fine = false;

	if (argc)
		return vtm_ctl_usage(c, "found '%s', expected no argument", argv[0]);
	answer = vtm_ctl_ask_daemon(c, "reload", &error);
	if (!answer)
		return fail_daemon(c, error);
	if (c->json)
		puts(answer);
	put_remarks(c, answer);
	if (!vtm_json_get_bool(answer, "ok", &fine) || !fine) {
		why = vtm_json_get_text(answer, "error");
		vtm_ctl_warn(c, "%s; the old configuration stays in force", why ? why : answer);
		g_free(why);
	}
	g_free(answer);
	return fine ? EX_OK : EX_CONFIG;
}

/* ---- status ---- */

static void put_queue(const char *line)
{
	int64_t queued = 0;

	for (int class = 0; class < VTM_CLASSES; class++) {
		char *path = g_strconcat("queue.", vtm_class_name((enum vtm_class)class), NULL);

		queued += vtm_ctl_number(line, path);
		g_free(path);
	}
	vtm_ctl_put("waiting", "%" G_GINT64_FORMAT " messages", vtm_ctl_number(line, "waiting"));
	vtm_ctl_put("queue", "%" G_GINT64_FORMAT " look-ups, %" G_GINT64_FORMAT " in flight, the oldest for %"
		    G_GINT64_FORMAT " s", queued, vtm_ctl_number(line, "queue.in_flight"), vtm_ctl_number(line, "queue.oldest_s"));
}

static int64_t sum(const char *line, const char *object, const char *(*name)(unsigned), unsigned n)
{
	int64_t all = 0;

	for (unsigned i = 0; i < n; i++) {
		char *path = g_strconcat(object, ".", name(i), NULL);

		all += vtm_ctl_number(line, path);
		g_free(path);
	}
	return all;
}

static const char *decoder_at(unsigned i)
{
	return vtm_decoder_name((enum vtm_decoder)i);
}

static const char *undecoded_at(unsigned i)
{
	return vtm_undecoded_name((enum vtm_undecoded)i);
}

static void put_decoders(const char *line)
{
	vtm_ctl_put("decoded", "%" G_GINT64_FORMAT " parts; not decoded: %" G_GINT64_FORMAT " (%" G_GINT64_FORMAT
		    " took too long, %" G_GINT64_FORMAT " crashed)",
		    sum(line, "decoders.decoded", decoder_at, VTM_DECODERS),
		    sum(line, "decoders.undecoded", undecoded_at, VTM_UNDECODED_REASONS),
		    vtm_ctl_number(line, "decoders.undecoded.time"), vtm_ctl_number(line, "decoders.undecoded.crashed"));
}

static void put_virustotal(const char *line)
{
	char *state = vtm_json_get_text(line, "virustotal.state"), *cause = vtm_json_get_text(line, "virustotal.cause");

	vtm_ctl_put("VirusTotal", "%s%s%s", !g_strcmp0(state, "closed") ? "looked up" : "not looked up now",
		    cause ? ": " : "", cause ? cause : "");
	g_free(state);
	g_free(cause);
}

static void put_store(const char *line)
{
	char *why = vtm_json_get_text(line, "store.error"), *safe = vtm_ctl_safe(why, 400);
	bool fine = false;

	vtm_json_get_bool(line, "store.ok", &fine);
	vtm_ctl_put("store", "%s", fine ? "works" : why ? safe : "not open yet");
	g_free(safe);
	g_free(why);
}

static void put_pace(const char *line)
{
	int64_t passed;

	if (!vtm_json_get_int(line, "pace.day_passed", &passed))
		return;
	vtm_ctl_put("pace", "day %" G_GINT64_FORMAT " %% passed, %" G_GINT64_FORMAT " %% spent; now asked from %"
		    G_GINT64_FORMAT " points", passed, vtm_ctl_number(line, "pace.day_spent"),
		    vtm_ctl_number(line, "pace.points"));
}

static void put_running(const char *line)
{
	char *version = vtm_json_get_text(line, "version"), *safe = vtm_ctl_safe(version, 40);
	char *since = vtm_ctl_time(vtm_ctl_number(line, "since") * 1000);
	bool enabled = false;

	vtm_json_get_bool(line, "enabled", &enabled);
	vtm_ctl_put("daemon", "vtmilter %s, since %s", safe, since);
	vtm_ctl_put("mode", "%s", enabled ? "scanning" : "Enabled is no: only removes forged headers");
	vtm_ctl_put("messages", "%" G_GINT64_FORMAT " seen, %" G_GINT64_FORMAT " bad", vtm_ctl_number(line, "messages.seen"),
		    vtm_ctl_number(line, "messages.tags.VT_Bad"));
	put_decoders(line);
	if (enabled) {
		put_virustotal(line);
		put_queue(line);
		vtm_ctl_put("cache", "%" G_GINT64_FORMAT " verdicts in memory", vtm_ctl_number(line, "cache_entries"));
		vtm_ctl_put_used("minute", vtm_ctl_number(line, "budget.minute_used"), vtm_ctl_number(line, "budget.minute"));
		vtm_ctl_put_used("day", vtm_ctl_number(line, "budget.day_used"), vtm_ctl_number(line, "budget.day"));
		vtm_ctl_put_used("month", vtm_ctl_number(line, "budget.month_used"), vtm_ctl_number(line, "budget.month"));
		put_pace(line);
		put_store(line);
	}
	g_free(version);
	g_free(safe);
	g_free(since);
}

static void put_stopped(const struct vtm_ctl *c)
{
	struct vtm_budget b;
	unsigned slots;
	GError *error = NULL;

	vtm_budget_init(&b);
	if (vtm_ctl_read_budget(c, &b, &slots, &error) < 0) {
		vtm_ctl_warn(c, "%s", error->message);
		g_error_free(error);
	} else if (c->json) {
		struct vtm_json *j = vtm_json_new();

		vtm_json_bool(j, "running", false);
		vtm_json_int(j, "minute_used", slots);
		vtm_json_int(j, "day_used", b.day_used);
		vtm_json_int(j, "month_used", b.month_used);
		vtm_ctl_put_json(j);
	} else {
		vtm_ctl_put("daemon", "does not run");
		vtm_ctl_put_used("minute", slots, c->conf->requests_per_minute);
		vtm_ctl_put_used("day", b.day_used, c->conf->requests_per_day);
		vtm_ctl_put_used("month", b.month_used, c->conf->requests_per_month);
	}
	vtm_budget_clear(&b);
}

int vtm_ctl_status(struct vtm_ctl *c, int argc, char **argv)
{
	GError *error = NULL;
	char *answer;

	if (argc)
		return vtm_ctl_usage(c, "found '%s', expected no argument", argv[0]);
	answer = vtm_ctl_ask_daemon(c, "status", &error);
	if (!answer) {
		put_stopped(c);
		return fail_daemon(c, error);
	}
	if (c->json)
		puts(answer);
	else
		put_running(answer);
	g_free(answer);
	return EX_OK;
}
