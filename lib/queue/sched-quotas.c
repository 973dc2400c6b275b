/* SPDX-License-Identifier: BSD-2-Clause */
/* sched-quotas.c - what VirusTotal itself has counted, and a store that forgot it. */
#include "queue/sched-parts.h"

#include "base/log.h"

#define QUOTAS_MS 3600000		/* how often the server's own count is read */
#define QUOTAS_RETRY_MS 300000	/* and when that failed */
#define QUOTAS_LOST_MS 60000		/* how often, while the store does not know */
#define QUOTAS_FIRST_MS 10000		/* requests wait so long for it at start */

/* The tag of a request that is nobody's entry. */
static char quotas_tag;

void vtm_sched_ask_quotas(struct vtm_sched *s, int64_t now)
{
	if (s->quotas_in_flight || now < s->quotas_due_ms)
		return;
	s->quotas_due_ms = now + QUOTAS_MS;
	s->quotas_asked_ms = now;
	if (s->set.start(s->set.arg, VTM_OP_QUOTAS, NULL, NULL, &quotas_tag) < 0) {
		s->quotas_known = true;
		return;
	}
	s->quotas_in_flight = true;
	if (!s->quotas_hold_ms)
		s->quotas_hold_ms = now + QUOTAS_FIRST_MS;
}

void vtm_sched_budget_lost(struct vtm_sched *s, int64_t now)
{
	if (!s->budget_lost)
		vtm_log(VTM_LOG_WARNING, "budget: the store does not know the used requests (it is new, flushed or "
			"restarted); no request is sent until VirusTotal's own count is read");
	s->budget_lost = s->plan_stale = true;
	if (!s->quotas_in_flight && now - s->quotas_asked_ms >= QUOTAS_LOST_MS)
		s->quotas_due_ms = now;
}

void vtm_sched_budget_found(struct vtm_sched *s)
{
	if (s->budget_lost)
		vtm_log(VTM_LOG_NOTICE, "budget: the used requests are known again");
	s->budget_lost = false;
}

static const char *limit_text(struct vtm_limit l, char text[16])
{
	if (l.limited)
		g_snprintf(text, 16, "%" G_GUINT32_FORMAT, l.most);
	else
		g_strlcpy(text, "any number", 16);
	return text;
}

/* The server's own count: ours is raised to it, and smaller limits are taken over. */
static void take_quotas(struct vtm_sched *s, const struct vtm_result *r)
{
	struct vtm_budget_limits old = s->limits;
	char day[16], month[16];
	GError *error = NULL;

	s->stats.server_daily = r->daily;
	s->stats.server_monthly = r->monthly;
	s->limits = s->set.limits;
	s->limits.per_day = vtm_limit_tighter(s->limits.per_day, vtm_limit_allowed(r->daily.allowed));
	s->limits.per_month = vtm_limit_tighter(s->limits.per_month, vtm_limit_allowed(r->monthly.allowed));
	if (!vtm_limit_equal(s->limits.per_day, old.per_day) || !vtm_limit_equal(s->limits.per_month, old.per_month))
		vtm_log(VTM_LOG_WARNING, "budget: the key has %" G_GINT64_FORMAT " requests a day and %" G_GINT64_FORMAT
			" a month; using %s and %s", r->daily.allowed, r->monthly.allowed,
			limit_text(s->limits.per_day, day), limit_text(s->limits.per_month, month));
	/* the time first: it says which day the count is of */
	if (s->set.store && r->server_utc_ms)
		vtm_sched_check_store(s, vtm_store_budget_sync(s->set.store, r->server_utc_ms, &error), &error);
	if (s->set.store)
		vtm_sched_check_store(s, vtm_store_budget_raise(s->set.store,
							   (uint32_t)CLAMP(r->daily.used, 0, G_MAXUINT32),
							   (uint32_t)CLAMP(r->monthly.used, 0, G_MAXUINT32), &error),
				 &error);
}

bool vtm_sched_quotas_result(struct vtm_sched *s, const struct vtm_result *r)
{
	if (r->tag != &quotas_tag)
		return false;
	s->quotas_in_flight = false;
	s->quotas_known = true;
	s->view_stale = true;
	s->plan_stale = true;
	if (r->answer == VTM_ANSWER_QUOTAS)
		take_quotas(s, r);
	else
		s->quotas_due_ms = MIN(s->quotas_due_ms, vtm_sched_now(s) + QUOTAS_RETRY_MS);
	return true;
}

static void without_slot(struct vtm_entry *e, void *arg)
{
	(void)arg;
	e->has_slot = false;
}

void vtm_sched_keep_window(struct vtm_sched *s)
{
	int64_t now = vtm_sched_now(s);
	unsigned before = vtm_sched_slots_taken(s, now), here, gone;
	uint32_t day_used = s->view.day_used, month_used = s->view.month_used;
	GError *error = NULL;

	vtm_sched_refresh(s);
	here = vtm_sched_slots_taken(s, now);
	if (s->view_stale || here >= before)
		return;
	vtm_log(VTM_LOG_WARNING, "budget: the store lost %u requests of the last minute; they count as sent now",
		before - here);
	vtm_queue_foreach(s->queue, without_slot, NULL);
	gone = s->limits.per_minute.limited ? before - here : 0;
	vtm_sched_check_store(s, vtm_store_budget_carry(s->set.store, gone, day_used, month_used, &error), &error);
	s->quotas_due_ms = now;
	s->view_stale = true;
}
