/* SPDX-License-Identifier: BSD-2-Clause */
/* sched-plan.c - what may be asked when: the budget as planned. */
#include "queue/sched-parts.h"

#define PACE_MS 60000			/* how often it is looked whether the day has passed far enough */
#define FLOOR_MS 5000			/* and whether it has for mail */
#define DAY_MS (24 * 3600 * G_GINT64_CONSTANT(1000))

static void new_day(struct vtm_sched *s)
{
	s->day = s->view.day;
	s->plan_stale = true;
	s->drawn = s->reserve_used = 0;
	if (s->breaker.cause == VTM_WHY_BUDGET)
		vtm_breaker_retry_now(&s->breaker);
	s->quotas_due_ms = 0;
}

int64_t vtm_sched_utc(const struct vtm_sched *s, int64_t now)
{
	return (s->view.day + 1) * DAY_MS - MAX(s->day_ends_ms - now, 1);
}

static uint32_t left_today(const struct vtm_sched *s, enum vtm_spender who)
{
	return vtm_budget_left(&s->limits, who, s->view.day_used, s->view.month_used);
}

/* Requests that mail has today: the day's, and an even part of the month's. */
static uint32_t todays_requests(const struct vtm_sched *s, int64_t utc)
{
	struct vtm_budget_limits month = { .per_month = s->limits.per_month };
	uint32_t before = s->view.month_used - MIN(s->view.month_used, s->view.day_used);
	unsigned days = 1;

	while (days < 31 && vtm_budget_month(utc + days * DAY_MS) == s->view.month)
		days++;
	return vtm_pace_budget(vtm_budget_left(&(struct vtm_budget_limits){
				       .per_day = s->limits.per_day, .reserve_manual = s->limits.reserve_manual },
				       VTM_SPEND_ATTACHMENT, 0, 0),
			       vtm_budget_left(&month, VTM_SPEND_ATTACHMENT, 0, before), days);
}

void vtm_sched_move_pace(struct vtm_sched *s, int64_t now)
{
	int64_t utc = vtm_sched_utc(s, now);
	uint32_t budget;

	if (!s->set.by_points || s->view_stale)
		return;
	budget = todays_requests(s, utc);
	s->pace.unknown = !s->past.n_wanted;
	vtm_pace_move(&s->pace, utc, budget, s->view.day_used);
	s->pace.fits = vtm_pace_fits(s->past.wanted, s->past.n_wanted, s->past.wanted_today, budget);
}

/* The parts of the day's requests that go by points and by lot. */
static double points_part(const struct vtm_sched *s)
{
	return 1 - s->set.explore_percent / 100.0;
}

int vtm_sched_floor(const struct vtm_sched *s, unsigned ahead)
{
	return vtm_pace_floor(&s->pace, points_part(s), s->view.day_used - MIN(s->view.day_used, s->drawn) + ahead);
}

bool vtm_sched_draw_open(const struct vtm_sched *s, unsigned ahead)
{
	return vtm_pace_even(&s->pace, 1 - points_part(s), s->drawn + ahead);
}

void vtm_sched_refresh(struct vtm_sched *s)
{
	GError *error = NULL;
	int64_t now = vtm_sched_now(s), utc;

	if (!s->set.store || (!s->view_stale && now < s->day_ends_ms && now < s->reread_ms))
		return;
	if (!vtm_sched_check_store(s, vtm_store_budget_read(s->set.store, &s->view, &error), &error) ||
	    !vtm_sched_check_store(s, vtm_store_budget_utc(s->set.store, &utc, &error), &error))
		return;
	s->view_stale = false;
	s->spent_due_ms = now + VTM_SCHED_OTHERS_MS;
	s->day_ends_ms = now + vtm_budget_next_day_ms(utc) - utc;
	/* just after midnight it is still yesterday's count, if that is higher */
	s->reread_ms = utc % DAY_MS <= VTM_MIDNIGHT_AFTER_MS ? now + VTM_MIDNIGHT_AFTER_MS - utc % DAY_MS + 1 : INT64_MAX;
	if (s->view.day != s->day)
		new_day(s);
	vtm_sched_move_pace(s, now);
}

unsigned vtm_sched_slots_taken(const struct vtm_sched *s, int64_t now)
{
	const GArray *w = s->view.window;
	unsigned n = w->len;

	while (n > 0 && g_array_index(w, int64_t, w->len - n) <= now)
		n--;
	return n;
}

/* Bulk takes at most half of a minute's requests beside mail, so that a message that comes finds some. */
static struct vtm_limit minute_of(const struct vtm_sched *s, enum vtm_line line)
{
	struct vtm_limit most = s->limits.per_minute;

	if (line == VTM_LINE_BULK && !s->set.manual)
		most.most = most.most / 2 + most.most % 2;
	return most;
}

unsigned vtm_sched_minute_room(const struct vtm_sched *s, enum vtm_line line, int64_t now)
{
	return vtm_limit_left(minute_of(s, line), vtm_sched_slots_taken(s, now));
}

/* By points, ReserveForAttachments is a matter of points, and not kept from links. */
enum vtm_spender vtm_sched_spender(const struct vtm_sched *s, enum vtm_class class)
{
	enum vtm_spender who = vtm_class_spender(class);

	if (s->set.manual)
		return VTM_SPEND_MANUAL;
	return s->set.by_points && who == VTM_SPEND_URL ? VTM_SPEND_ATTACHMENT : who;
}

static enum vtm_spender line_spender(const struct vtm_sched *s, enum vtm_line line)
{
	static const enum vtm_class classes[VTM_LINES] = {
		VTM_CLASS_MANUAL, VTM_CLASS_RISKY, VTM_CLASS_URL_FIRST, VTM_CLASS_URL_MORE, VTM_CLASS_OTHER,
		VTM_CLASS_RISKY, VTM_CLASS_SUBMIT, VTM_CLASS_BULK, VTM_CLASS_REASK
	};

	return vtm_sched_spender(s, classes[line]);
}

/* Is less used of <most> requests than the day has passed? */
static bool ahead_of_pace(const struct vtm_sched *s, uint32_t most)
{
	int64_t passed = DAY_MS - (s->day_ends_ms - vtm_sched_now(s));

	if (!s->limits.per_day.limited)
		return true;
	return (int64_t)s->view.day_used * DAY_MS < (int64_t)most * CLAMP(passed, 0, DAY_MS);
}

/* May bulk look-ups send a request?  They get requests that mail would not use today, and the reserve for manual ones:
 * so they neither take from mail nor starve. */
static bool bulk_may(const struct vtm_sched *s)
{
	if (!left_today(s, VTM_SPEND_ATTACHMENT))
		return true;
	if (s->set.by_points)
		return !vtm_queue_ready(s->queue, VTM_LINE_MAIL) && vtm_sched_floor(s, 0) <= VTM_PACE_EVEN;
	return ahead_of_pace(s, vtm_budget_left(&s->limits, VTM_SPEND_URL, 0, 0));
}

void vtm_sched_open_lines(const struct vtm_sched *s, bool open[VTM_LINES])
{
	for (int l = 0; l < VTM_LINES; l++)
		open[l] = left_today(s, line_spender(s, (enum vtm_line)l)) > 0;
	if (s->set.by_points && !s->set.manual) {
		const struct vtm_entry *first = vtm_queue_ready(s->queue, VTM_LINE_MAIL) ?
			g_sequence_get(vtm_queue_first(s->queue, VTM_LINE_MAIL)) : NULL;
		int floor = vtm_sched_floor(s, 0);

		open[VTM_LINE_MAIL] = open[VTM_LINE_MAIL] && (!first || first->worth >= floor);
		open[VTM_LINE_DRAW] = open[VTM_LINE_DRAW] && vtm_sched_draw_open(s, 0);
		open[VTM_LINE_SUBMIT] = open[VTM_LINE_SUBMIT] && floor <= VTM_PACE_EVEN;
	}
	if (!bulk_may(s))
		open[VTM_LINE_BULK] = false;
	if (!s->set.reask_unknown || !ahead_of_pace(s, s->limits.per_day.most))
		open[VTM_LINE_REASK] = false;
}

static int64_t answer_bound(const struct vtm_sched *s)
{
	return (int64_t)(s->answer_ms + 2 * s->answer_dev_ms);
}

/* Ready entries that are sent before <e>. */
static unsigned rank_of(const struct vtm_sched *s, const struct vtm_entry *e, const bool open[VTM_LINES])
{
	enum vtm_line line = vtm_queue_line(s->queue, e);
	unsigned n = vtm_queue_position(s->queue, e);

	for (int l = 0; l < (int)line; l++)
		if (open[l])
			n += l == VTM_LINE_MAIL && s->set.by_points ?
			     vtm_queue_worth(s->queue, VTM_LINE_MAIL, vtm_sched_floor(s, 0)) :
			     vtm_queue_ready(s->queue, (enum vtm_line)l);
	return n;
}

/* Has the day passed far enough for <e>, when those before it in its line are sent first? */
static bool paced(const struct vtm_sched *s, const struct vtm_entry *e)
{
	unsigned position = vtm_queue_position(s->queue, e);

	if (!s->set.by_points || s->set.manual)
		return false;
	switch (vtm_queue_line(s->queue, e)) {
	case VTM_LINE_MAIL:
		return e->worth < vtm_sched_floor(s, position);
	case VTM_LINE_DRAW:
		return !vtm_sched_draw_open(s, position);
	case VTM_LINE_SUBMIT:
		return VTM_PACE_EVEN < vtm_sched_floor(s, position);
	case VTM_LINE_MANUAL:
	case VTM_LINE_URL_FIRST:
	case VTM_LINE_URL_MORE:
	case VTM_LINE_OTHER:
	case VTM_LINE_BULK:
	case VTM_LINE_REASK:
		break;
	}
	return false;
}

enum vtm_reason vtm_sched_why_not(const struct vtm_sched *s, const struct vtm_entry *e, int64_t deadline)
{
	int64_t now = vtm_sched_now(s), start;
	bool open[VTM_LINES];
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
	vtm_sched_open_lines(s, open);
	rank = rank_of(s, e, open);
	if (left_today(s, vtm_sched_spender(s, e->class)) && paced(s, e))
		return VTM_WHY_PACE;
	if (!open[vtm_queue_line(s->queue, e)] || rank >= left_today(s, vtm_sched_spender(s, e->class)))
		return VTM_WHY_BUDGET;
	start = vtm_budget_slot_at(&s->limits, &s->view, MAX(now, s->refused_until_ms), rank, answer_bound(s));
	start = MAX(start, now + (int64_t)((s->in_flight + rank) / s->set.max_in_flight) * answer_bound(s));
	/* where another host is at it, that is only when we look again */
	start = MAX(start, e->elsewhere ? MIN(e->not_before_ms, now + VTM_SCHED_OTHERS_MS) : e->not_before_ms);
	return start + answer_bound(s) <= deadline ? VTM_WHY_NONE : VTM_WHY_TIME;
}

/* When to look again whether a line that is closed now has opened; INT64_MAX: nothing is in one. */
static int64_t next_look(const struct vtm_sched *s, int64_t now)
{
	if (s->set.by_points && (vtm_queue_ready(s->queue, VTM_LINE_MAIL) || vtm_queue_ready(s->queue, VTM_LINE_DRAW) ||
				 vtm_queue_ready(s->queue, VTM_LINE_SUBMIT)))
		return now + FLOOR_MS;
	return vtm_queue_ready(s->queue, VTM_LINE_BULK) ? now + PACE_MS :
	       vtm_queue_ready(s->queue, VTM_LINE_REASK) ? now + 10 * PACE_MS : INT64_MAX;
}

static struct vtm_limit wider(struct vtm_limit a, struct vtm_limit b)
{
	return vtm_limit_equal(vtm_limit_tighter(a, b), a) ? b : a;
}

int64_t vtm_sched_next_send(const struct vtm_sched *s, int64_t now)
{
	struct vtm_budget_limits limits = s->limits;
	bool open[VTM_LINES], any = false;
	int64_t at = MAX(now, s->refused_until_ms);

	if (!s->set.store)
		return INT64_MAX;
	vtm_sched_open_lines(s, open);
	limits.per_minute = vtm_limit_of(0);
	for (int l = 0; l < VTM_LINES; l++)
		if (open[l] && vtm_queue_ready(s->queue, (enum vtm_line)l)) {
			any = true;
			limits.per_minute = wider(limits.per_minute, minute_of(s, (enum vtm_line)l));
		}
	if (!any)
		return next_look(s, now);
	if (s->in_flight >= s->set.max_in_flight || (s->breaker.state == VTM_CIRCUIT_HALF_OPEN && s->breaker.probing))
		return INT64_MAX;	/* a result will wake us */
	if (s->breaker.state == VTM_CIRCUIT_OPEN)
		at = MAX(at, s->breaker.until_ms);
	if (!s->quotas_known)
		at = MAX(at, s->quotas_hold_ms);
	return MAX(at, vtm_budget_slot_at(&limits, &s->view, now, 0, 0));
}
