/* SPDX-License-Identifier: BSD-2-Clause */
/* ask.c - see ctl-ask.h. */
#include "ctl/ask.h"

#include <string.h>

#include "base/error.h"
#include "conf/settings.h"

#define CACHE_ENTRIES 100000
#define DAY_MS (24 * 3600 * G_GINT64_CONSTANT(1000))
#define POLL_MS 50		/* first pause before the daemon is asked again, doubles up to */
#define POLL_MAX_MS 1000
#define PATIENCE_MS 15000	/* how long a daemon or store that is away is waited for */

/* With this set the resolver keeps late verdicts in the store; the daemon finds them there. */
static void leave_late(void *arg, struct vtm_resolver *r, int64_t id, char *json)
{
	(void)arg;
	(void)r;
	(void)id;
	g_free(json);
}

static int check_store(const struct vtm_ctl *c, GError **error)
{
	struct vtm_store *s = vtm_ctl_store(c, false, error);

	vtm_store_close(s);
	return s ? 0 : -1;
}

/* ---- by the daemon ---- */

static int64_t count_of(const char *line, const char *name, int64_t max)
{
	int64_t n = 0;

	vtm_json_get_int(line, name, &n);
	return CLAMP(n, 0, max);
}

/* Three ways: an answer, not yet, or why there will be none.  false: it is none of them. */
static bool read_report(const char *line, struct vtm_report *r)
{
	char *verdict = vtm_json_get_text(line, "verdict"), *reason = vtm_json_get_text(line, "reason");
	enum vtm_verdict v;
	enum vtm_reason why;
	bool good;

	*r = (struct vtm_report){ .verdict = VTM_BYPASSED };
	good = verdict && reason && vtm_verdict_parse(verdict, &v) && vtm_reason_parse(reason, &why);
	if (good) {
		r->verdict = v;
		r->reason = why;
		r->match = count_of(line, "match", 1) ? VTM_MATCH_HOST : VTM_MATCH_EXACT;
		r->malicious = (uint32_t)count_of(line, "malicious", G_MAXUINT32);
		r->suspicious = (uint32_t)count_of(line, "suspicious", G_MAXUINT32);
		r->harmless = (uint32_t)count_of(line, "harmless", G_MAXUINT32);
		r->undetected = (uint32_t)count_of(line, "undetected", G_MAXUINT32);
		r->engines = (uint32_t)count_of(line, "engines", G_MAXUINT32);
		r->analysed = count_of(line, "analysed", G_MAXINT64);
	}
	g_free(verdict);
	g_free(reason);
	return good;
}

/* One look-up; a daemon that cannot be asked is like a store that fails. */
static void ask_one(struct vtm_ctl_asker *a, struct vtm_want *w, bool queue)
{
	const char *kind = vtm_lookup_kind_name((enum vtm_lookup_kind)w->lookup->key.kind);
	const char *what = !queue ? "known " : a->bulk ? "bulk " : "lookup ";
	char *command = g_strconcat(what, kind, " ", w->lookup->subject, NULL), *answer;
	GError *error = NULL;

	answer = vtm_ctl_ask_daemon(a->c, command, &error);
	if (!answer || !read_report(answer, &w->report)) {
		g_free(a->trouble);
		a->trouble = answer ? vtm_json_get_text(answer, "error") : g_strdup(error->message);
		w->report = (struct vtm_report){ .verdict = VTM_BYPASSED, .reason = VTM_WHY_STORE };
		g_clear_error(&error);
	}
	w->answered = vtm_verdict_is_answer(w->report.verdict);
	g_free(answer);
	g_free(command);
}

/* Is there anything to wait for?  A daemon that restarts, and a store that fails, may be back soon. */
static bool may_come(const struct vtm_want *w, bool patient)
{
	if (w->answered)
		return false;
	return (w->report.verdict == VTM_PENDING && w->report.reason == VTM_WHY_TIME) ||
	       (patient && w->report.reason == VTM_WHY_STORE);
}

/* Asks for all that may come; how many may still. */
static unsigned ask_round(struct vtm_ctl_asker *a, struct vtm_ticket *t, bool first, bool patient)
{
	unsigned open = 0;

	for (unsigned i = 0; i < t->n; i++) {
		struct vtm_want *w = &t->wants[i];

		if (!first && !may_come(w, patient))
			continue;
		ask_one(a, w, i < t->max_lookups);
		w->cached = first && w->answered;
		open += may_come(w, patient);
	}
	return open;
}

static void ask_daemon(void *arg, struct vtm_ticket *t, bool (*progress)(void *), void *progress_arg,
		       int64_t progress_ms)
{
	struct vtm_ctl_asker *a = arg;
	const struct vtm_clock *clock = a->c->clock;
	int64_t start = vtm_boot_ms(clock), told = start, pause = POLL_MS;

	for (bool first = true;; first = false) {
		int64_t now;

		if (!ask_round(a, t, first, vtm_boot_ms(clock) < start + PATIENCE_MS))
			return;
		now = vtm_boot_ms(clock);
		if (progress && now >= told + progress_ms) {
			told = now;
			if (!progress(progress_arg))
				return;
		}
		if (now >= t->deadline_ms)
			return;
		g_usleep((gulong)MIN(pause, t->deadline_ms - now) * 1000);
		pause = MIN(pause * 2, POLL_MAX_MS);
	}
}

/* 1: it runs and can be asked; 0: it cannot be reached; -1: it asks nobody. */
static int find_daemon(const struct vtm_ctl *c, GError **error)
{
	char *answer = vtm_ctl_ask_daemon(c, "status", error);
	bool enabled = false;
	int rc = 0;

	if (!answer)
		return 0;
	rc = vtm_json_get_bool(answer, "enabled", &enabled) && enabled ? 1 : -1;
	if (rc < 0)
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "%s: Enabled is no, so nothing is looked up",
			    c->conf->path);
	g_free(answer);
	return rc;
}

/* ---- by itself ---- */

static int find_key(struct vtm_ctl_asker *a, bool must, GError **error)
{
	struct vtm_resolver_settings s;

	a->conf = vtm_conf_load(a->c->conf_path, error);
	if (!a->conf)
		return -1;
	if (!a->conf->api_key) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "%s: Enabled is no, so nothing is looked up",
			    a->conf->path);
		return -1;
	}
	if (must && check_store(a->c, error) < 0)
		return -1;
	a->cache = vtm_cache_new(a->c->clock, CACHE_ENTRIES);
	vtm_settings_resolver(a->conf, a->c->clock, a->cache, &s);
	s.sched.manual = true;
	s.sched.reask_unknown = false;
	s.sched.max_waiting = 1;
	s.sched.share_percent = 0;
	s.late = a->conf->late_verdict_command ? leave_late : NULL;
	a->resolver = vtm_resolver_new(&s, error);
	return a->resolver ? 0 : -1;
}

/* For a filter that has nobody to ask: the message goes on, and says so. */
static void ask_nobody(void *arg, struct vtm_ticket *t, bool (*progress)(void *), void *progress_arg,
		       int64_t progress_ms)
{
	(void)arg;
	(void)progress;
	(void)progress_arg;
	(void)progress_ms;
	for (unsigned i = 0; i < t->n; i++)
		t->wants[i].report = (struct vtm_report){ .verdict = VTM_BYPASSED, .reason = VTM_WHY_SERVICE };
}

/* The daemon first: it has the key. */
static int find_way(struct vtm_ctl_asker *a, bool must, GError **error)
{
	GError *daemon = NULL;
	int rc = find_daemon(a->c, &daemon);

	if (rc > 0) {
		a->settings.ask = ask_daemon;
		return 0;
	}
	if (rc < 0) {
		g_propagate_error(error, daemon);
		return -1;
	}
	rc = find_key(a, must, error);
	if (rc < 0 && !a->conf)
		g_prefix_error(error, "%s; without it the key is needed: ", daemon->message);
	g_error_free(daemon);
	return rc;
}

int vtm_ctl_asker_init(struct vtm_ctl_asker *a, const struct vtm_ctl *c, bool must, GError **error)
{
	GError *why = NULL;

	memset(a, 0, sizeof(*a));
	a->c = c;
	a->ignore = vtm_ignore_new();
	a->lists = vtm_lists_new();
	vtm_settings_scan(c->conf, &a->settings);
	a->settings.timeout_ms = VTM_CTL_WAIT_MS;
	a->settings.known_count = true;
	a->settings.extract.decoders = c->decoders;
	a->settings.extract.ignore = a->ignore;
	a->settings.lists = a->lists;
	a->settings.ask_arg = a;
	if (vtm_ctl_read_lists(c->conf, a->ignore, error) && vtm_ctl_read_hosts(c->conf, a->lists, error) &&
	    find_way(a, must, &why) >= 0)
		return 0;
	if (why && !must) {
		vtm_ctl_warn(c, "%s; nothing is looked up", why->message);
		g_error_free(why);
		a->settings.ask = ask_nobody;
		return 0;
	}
	if (why)
		g_propagate_error(error, why);
	vtm_ctl_asker_clear(a);
	return -1;
}

void vtm_ctl_asker_clear(struct vtm_ctl_asker *a)
{
	vtm_resolver_free(a->resolver);
	if (a->cache)
		vtm_cache_free(a->cache);
	vtm_conf_unref(a->conf);
	vtm_ignore_free(a->ignore);
	vtm_lists_free(a->lists);
	g_free(a->trouble);
	memset(a, 0, sizeof(*a));
}

void vtm_ctl_ask(struct vtm_ctl_asker *a, struct vtm_ticket *t)
{
	if (a->settings.ask)
		a->settings.ask(a->settings.ask_arg, t, NULL, NULL, 0);
	else
		vtm_resolver_ask(a->resolver, t, a->settings.threshold, NULL, NULL, 0);
}

int vtm_ctl_reread(const struct vtm_ctl *c, const struct vtm_lookup *lookup, GError **error)
{
	const char *kind = vtm_lookup_kind_name((enum vtm_lookup_kind)lookup->key.kind);
	char *command = g_strconcat("reread ", kind, " ", lookup->subject, NULL),
	     *answer = vtm_ctl_ask_daemon(c, command, NULL);
	struct vtm_ctl_asker a = { .c = c };
	bool told = false;
	int rc = 0;

	if (!answer || !vtm_json_get_bool(answer, "ok", &told) || !told) {
		rc = find_key(&a, true, error);
		if (rc == 0)
			vtm_resolver_reread(a.resolver, lookup);
		vtm_ctl_asker_clear(&a);	/* ends when the journal has it */
	}
	g_free(answer);
	g_free(command);
	return rc;
}

/* ---- stopping ---- */

/* Is <why> of a kind that the next message would meet, too?  The worse of two. */
static enum vtm_reason worse(enum vtm_reason one, enum vtm_reason why)
{
	static const enum vtm_reason order[] = {
		VTM_WHY_STORE, VTM_WHY_DENIED, VTM_WHY_BUDGET, VTM_WHY_SERVICE, VTM_WHY_TIME
	};

	for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
		if (one == order[i] || why == order[i])
			return order[i];
	return VTM_WHY_NONE;
}

static int64_t next_month_ms(int64_t utc_ms)
{
	GDateTime *now = g_date_time_new_from_unix_utc(utc_ms / 1000);
	GDateTime *first = g_date_time_new_utc(g_date_time_get_year(now), g_date_time_get_month(now), 1, 0, 0, 0);
	GDateTime *next = g_date_time_add_months(first, 1);
	int64_t ms = g_date_time_to_unix(next) * 1000;

	g_date_time_unref(now);
	g_date_time_unref(first);
	g_date_time_unref(next);
	return ms;
}

/* What is used up, and when there will be more: by the resolver or the daemon. */
struct used_up {
	bool paused;		/* VirusTotal said so */
	bool pace;		/* what is left is mail's for now */
	bool month;
	int64_t retry_ms;	/* of a pause; how long until bulk may go on */
};

static void own_use(struct vtm_ctl_asker *a, struct used_up *u)
{
	struct vtm_resolver_stats s;

	vtm_resolver_stats(a->resolver, &s);
	u->paused = s.sched.breaker.state != VTM_CIRCUIT_CLOSED;
	u->retry_ms = MAX(s.sched.breaker.until_ms - vtm_boot_ms(a->c->clock), 0);
	u->month = a->conf->requests_per_month && s.sched.month_used >= a->conf->requests_per_month;
}

/* The tighter of ours and the key's. */
static int64_t day_limit(const char *line)
{
	int64_t limit = count_of(line, "budget.day", G_MAXINT64), server = -1;

	if (vtm_json_get_int(line, "budget.server_day", &server) && server >= 0 && (!limit || server < limit))
		return server;
	return limit;
}

static void daemons_use(struct vtm_ctl_asker *a, struct used_up *u)
{
	char *line = vtm_ctl_ask_daemon(a->c, "status", NULL);
	struct vtm_budget_limits limits;
	int64_t limit, day_used;

	if (!line)
		return;
	day_used = count_of(line, "budget.day_used", G_MAXINT64);
	u->paused = vtm_json_get_int(line, "virustotal.retry_s", &u->retry_ms);
	u->retry_ms *= 1000;
	limit = count_of(line, "budget.month", G_MAXINT64);
	u->month = limit && count_of(line, "budget.month_used", G_MAXINT64) >= limit;
	limit = day_limit(line);
	u->pace = a->bulk && !u->paused && !u->month && day_used < limit;
	vtm_settings_budget(a->c->conf, &limits);
	limits.per_day = vtm_limit_of((uint32_t)MIN(limit, G_MAXUINT32));
	limit = vtm_budget_left(&limits, VTM_SPEND_URL, 0, 0);
	if (u->pace && day_used < limit)	/* the day has to pass as far as it is used; else until its end */
		u->retry_ms = MAX((day_used + 1) * DAY_MS / limit - vtm_utc_ms(a->c->clock) % DAY_MS, 0);
	else if (u->pace)
		u->retry_ms = DAY_MS - vtm_utc_ms(a->c->clock) % DAY_MS;
	g_free(line);
}

/* When the budget will have requests again; a paused circuit ends sooner. */
static char *budget_why(struct vtm_ctl_asker *a)
{
	int64_t utc = vtm_utc_ms(a->c->clock);
	struct used_up u = { 0 };
	char *when, *text;

	if (a->resolver)
		own_use(a, &u);
	else
		daemons_use(a, &u);
	if (u.paused) {
		when = vtm_ctl_time(utc + u.retry_ms);
		text = g_strdup_printf("VirusTotal says that the key's quota is used up; try again after %s", when);
	} else if (u.pace) {
		when = vtm_ctl_time(utc + u.retry_ms);
		text = g_strdup_printf("the rest of the day's requests is kept for mail; try again after %s, or at "
				       "once with --now", when);
	} else {
		when = vtm_ctl_time(u.month ? next_month_ms(utc) : vtm_budget_next_day_ms(utc));
		text = g_strdup_printf("the requests of this %s are used up; try again after %s",
				       u.month ? "month" : "day", when);
	}
	g_free(when);
	return text;
}

static char *store_why(struct vtm_ctl_asker *a)
{
	struct vtm_resolver_stats s;
	char *line, *why, *text;

	if (a->resolver) {
		vtm_resolver_stats(a->resolver, &s);
		return g_strdup_printf("store: %s", s.store_error[0] ? s.store_error : "failed");
	}
	if (a->trouble)
		return g_strdup(a->trouble);
	line = vtm_ctl_ask_daemon(a->c, "status", NULL);
	why = line ? vtm_json_get_text(line, "store.error") : NULL;
	text = g_strdup_printf("the daemon's store: %s", why ? why : "failed");
	g_free(why);
	g_free(line);
	return text;
}

int vtm_ctl_must_stop(struct vtm_ctl_asker *a, struct vtm_item *const *items, size_t n, char **why_r)
{
	enum vtm_reason why = VTM_WHY_NONE;

	for (size_t i = 0; i < n; i++)
		if (!vtm_verdict_is_answer(items[i]->report.verdict) && !items[i]->wrapper && !items[i]->unasked)
			why = worse(why, items[i]->report.reason);
	switch (why) {
	case VTM_WHY_BUDGET:
		*why_r = budget_why(a);
		return EX_TEMPFAIL;
	case VTM_WHY_TIME:
		*why_r = g_strdup("the answers take too long; try again later");
		return EX_TEMPFAIL;
	case VTM_WHY_DENIED:
		*why_r = g_strdup("VirusTotal refuses the key; check ApiKeyFile");
		return EX_CONFIG;
	case VTM_WHY_SERVICE:
		*why_r = g_strdup("VirusTotal cannot be reached; try again later");
		return EX_UNAVAILABLE;
	case VTM_WHY_STORE:
		*why_r = store_why(a);
		return EX_UNAVAILABLE;
	default:	/* about the item, not about asking */
		return EX_OK;
	}
}
