/* SPDX-License-Identifier: BSD-2-Clause */
/* sched-plan.c - what may be asked when: the budget as planned. */
#include "queue/sched-parts.h"

#define PACE_MS 60000			/* how often it is looked whether the day has passed far enough */

static void new_day(struct vtm_sched *s)
{
	s->day = s->view.day;
	s->plan_stale = true;
	if (s->breaker.cause == VTM_WHY_BUDGET)
		vtm_breaker_retry_now(&s->breaker);
	s->quotas_due_ms = 0;
}

void vtm_sched_refresh(struct vtm_sched *s)
{
	GError *error = NULL;
	int64_t now = vtm_sched_now(s), utc;

	if (!s->set.store || (!s->view_stale && now < s->day_ends_ms))
		return;
	if (!vtm_sched_check_store(s, vtm_store_budget_read(s->set.store, &s->view, &error), &error) ||
	    !vtm_sched_check_store(s, vtm_store_budget_utc(s->set.store, &utc, &error), &error))
		return;
	s->view_stale = false;
	s->spent_due_ms = now + VTM_SCHED_OTHERS_MS;
	s->day_ends_ms = now + vtm_budget_next_day_ms(utc) - utc;
	if (s->view.day != s->day)
		new_day(s);
}

unsigned vtm_sched_slots_taken(const struct vtm_sched *s, int64_t now)
{
	const GArray *w = s->view.window;
	unsigned n = w->len;

	while (n > 0 && g_array_index(w, int64_t, w->len - n) <= now)
		n--;
	return n;
}

/* Bulk takes at most half of a minute's requests while it is beside mail: a message that comes finds some. */
static uint32_t minute_of(const struct vtm_sched *s, enum vtm_class class)
{
	return class == VTM_CLASS_BULK && !s->set.manual ? (s->limits.per_minute + 1) / 2 : s->limits.per_minute;
}

unsigned vtm_sched_minute_room(const struct vtm_sched *s, enum vtm_class class, int64_t now)
{
	uint32_t most = minute_of(s, class);
	unsigned taken = vtm_sched_slots_taken(s, now);

	return !most ? G_MAXUINT : taken < most ? most - taken : 0;
}

enum vtm_spender vtm_sched_spender(const struct vtm_sched *s, enum vtm_class class)
{
	return s->set.manual ? VTM_SPEND_MANUAL : vtm_class_spender(class);
}

static uint32_t left_today(const struct vtm_sched *s, enum vtm_spender who)
{
	return vtm_budget_left(&s->limits, who, s->view.day_used, s->view.month_used);
}

/* Is less used of <most> requests than the day has passed? */
static bool ahead_of_pace(const struct vtm_sched *s, uint32_t most)
{
	const int64_t day_ms = 24 * 3600 * 1000;
	int64_t passed = day_ms - (s->day_ends_ms - vtm_sched_now(s));

	if (!s->limits.per_day)
		return true;
	return (int64_t)s->view.day_used * day_ms < (int64_t)most * CLAMP(passed, 0, day_ms);
}

/* May bulk spend?  What mail's urls would lose as the day passes, and what mail may not have: so it is neither at
 * mail's expense nor starved. */
static bool bulk_may(const struct vtm_sched *s)
{
	return ahead_of_pace(s, vtm_budget_left(&s->limits, VTM_SPEND_URL, 0, 0)) ||
	       !left_today(s, VTM_SPEND_ATTACHMENT);
}

void vtm_sched_open_classes(const struct vtm_sched *s, bool open[VTM_CLASSES])
{
	for (int c = 0; c < VTM_CLASSES; c++)
		open[c] = left_today(s, vtm_sched_spender(s, (enum vtm_class)c)) > 0;
	if (!bulk_may(s))
		open[VTM_CLASS_BULK] = false;
	if (!s->set.reask_unknown || !ahead_of_pace(s, s->limits.per_day))
		open[VTM_CLASS_REASK] = false;
}

static int64_t answer_bound(const struct vtm_sched *s)
{
	return (int64_t)(s->answer_ms + 2 * s->answer_dev_ms);
}

enum vtm_reason vtm_sched_why_not(const struct vtm_sched *s, const struct vtm_entry *e, int64_t deadline)
{
	int64_t now = vtm_sched_now(s), start;
	bool open[VTM_CLASSES];
	unsigned rank;

	if (deadline <= now)
		return VTM_WHY_TIME;
	if (!s->set.store || s->stats.store_failing)
		return VTM_WHY_STORE;
	if (s->breaker.state != VTM_CIRCUIT_CLOSED)
		return s->breaker.cause;
	if (e->in_flight)
		return VTM_WHY_NONE;
	if (s->budget_lost)
		return VTM_WHY_SERVICE;
	vtm_sched_open_classes(s, open);
	rank = vtm_queue_rank(s->queue, e, open);
	if (!open[e->class] || rank >= left_today(s, vtm_sched_spender(s, e->class)))
		return VTM_WHY_BUDGET;
	start = vtm_budget_slot_at(&s->limits, &s->view, MAX(now, s->refused_until_ms), rank, answer_bound(s));
	start = MAX(start, now + (int64_t)((s->in_flight + rank) / s->set.max_in_flight) * answer_bound(s));
	/* where another host is at it, that is only when we look again */
	start = MAX(start, e->elsewhere ? MIN(e->not_before_ms, now + VTM_SCHED_OTHERS_MS) : e->not_before_ms);
	return start + answer_bound(s) <= deadline ? VTM_WHY_NONE : VTM_WHY_TIME;
}

int64_t vtm_sched_next_send(const struct vtm_sched *s, int64_t now)
{
	struct vtm_budget_limits limits = s->limits;
	bool open[VTM_CLASSES], any = false;
	int64_t at = MAX(now, s->refused_until_ms);

	if (!s->set.store)
		return INT64_MAX;
	vtm_sched_open_classes(s, open);
	limits.per_minute = 0;
	for (int c = 0; c < VTM_CLASSES; c++)
		if (open[c] && vtm_queue_ready(s->queue, (enum vtm_class)c)) {
			any = true;
			limits.per_minute = MAX(limits.per_minute, minute_of(s, (enum vtm_class)c));
		}
	if (!any)
		return vtm_queue_ready(s->queue, VTM_CLASS_BULK) ? now + PACE_MS :
		       vtm_queue_ready(s->queue, VTM_CLASS_REASK) ? now + 10 * PACE_MS : INT64_MAX;
	if (s->in_flight >= s->set.max_in_flight || (s->breaker.state == VTM_CIRCUIT_HALF_OPEN && s->breaker.probing))
		return INT64_MAX;	/* a result will wake us */
	if (s->breaker.state == VTM_CIRCUIT_OPEN)
		at = MAX(at, s->breaker.until_ms);
	if (!s->quotas_known)
		at = MAX(at, s->quotas_hold_ms);
	return MAX(at, vtm_budget_slot_at(&limits, &s->view, now, 0, 0));
}
