/* SPDX-License-Identifier: BSD-2-Clause */
/* ctl-ask.c - see ctl-ask.h. */
#include "ctl-ask.h"

#include <string.h>

#include "error.h"
#include "settings.h"

#define CACHE_ENTRIES 100000

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

int vtm_ctl_asker_init(struct vtm_ctl_asker *a, const struct vtm_ctl *c, bool need_store, GError **error)
{
	struct vtm_resolver_settings s;

	memset(a, 0, sizeof(*a));
	a->c = c;
	if (!c->conf->api_key) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "%s: Enabled is no, so nothing is asked", c->conf->path);
		return -1;
	}
	if (need_store && check_store(c, error) < 0)
		return -1;
	a->cache = vtm_cache_new(c->clock, CACHE_ENTRIES);
	vtm_settings_scan(c->conf, &a->settings);
	a->settings.timeout_ms = VTM_CTL_WAIT_MS;
	a->settings.extract.decoders = c->decoders;
	vtm_settings_resolver(c->conf, c->clock, a->cache, &s);
	s.sched.manual = true;
	s.sched.reask_unknown = false;
	s.sched.max_waiting = 1;
	s.sched.share_percent = 0;
	s.late = c->conf->late_verdict_command ? leave_late : NULL;
	a->resolver = vtm_resolver_new(&s, error);
	if (a->resolver)
		return 0;
	vtm_cache_free(a->cache);
	return -1;
}

void vtm_ctl_asker_clear(struct vtm_ctl_asker *a)
{
	if (!a->resolver)
		return;
	vtm_resolver_free(a->resolver);
	vtm_cache_free(a->cache);
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

/* When the budget will have requests again; a paused circuit ends sooner. */
static char *budget_why(struct vtm_ctl_asker *a)
{
	struct vtm_resolver_stats s;
	int64_t utc = vtm_utc_ms(a->c->clock), at;
	char *when, *text;
	bool month;

	vtm_resolver_stats(a->resolver, &s);
	if (s.sched.breaker.state != VTM_CIRCUIT_CLOSED) {
		at = utc + MAX(s.sched.breaker.until_ms - vtm_boot_ms(a->c->clock), 0);
		when = vtm_ctl_time(at);
		text = g_strdup_printf("VirusTotal says that the key's quota is used up; try again after %s", when);
	} else {
		month = a->c->conf->requests_per_month && s.sched.month_used >= a->c->conf->requests_per_month;
		at = month ? next_month_ms(utc) : vtm_budget_next_day_ms(utc);
		when = vtm_ctl_time(at);
		text = g_strdup_printf("the requests of this %s are used up; try again after %s", month ? "month" : "day", when);
	}
	g_free(when);
	return text;
}

int vtm_ctl_must_stop(struct vtm_ctl_asker *a, struct vtm_item *const *items, size_t n, char **why_r)
{
	enum vtm_reason why = VTM_WHY_NONE;
	struct vtm_resolver_stats s;

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
		vtm_resolver_stats(a->resolver, &s);
		*why_r = g_strdup_printf("store: %s", s.store_error[0] ? s.store_error : "failed");
		return EX_UNAVAILABLE;
	default:	/* about the item, not about asking */
		return EX_OK;
	}
}
