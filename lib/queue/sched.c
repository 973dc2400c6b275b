/* SPDX-License-Identifier: BSD-2-Clause */
/* sched.c - the life of the scheduler, and its one step. */
#include "queue/sched-parts.h"

#define ANSWER_FIRST_MS 600		/* what an answer is thought to take before any came */
#define ANSWER_FIRST_DEV_MS 200

static int64_t next_wake(const struct vtm_sched *s, int64_t now)
{
	GSequenceIter *i = g_sequence_get_begin_iter(s->waiting);
	const struct vtm_entry *oldest = vtm_queue_oldest(s->queue);
	int64_t at = MIN(vtm_queue_next_ripe(s->queue), vtm_sched_next_send(s, now));

	at = MIN(at, vtm_sched_past_due(s));
	if (s->set.store && vtm_queue_size(s->queue))
		at = MIN(at, s->reread_ms);

	if (!g_sequence_iter_is_end(i))
		at = MIN(at, ((struct vtm_ticket *)g_sequence_get(i))->deadline_ms);
	if (oldest && !oldest->in_flight)
		at = MIN(at, oldest->since_ms + s->set.pending_lifetime_ms + 1);
	if (!s->quotas_in_flight)
		at = MIN(at, s->quotas_due_ms);
	if (s->set.store && vtm_queue_size(s->queue))
		at = MIN(at, vtm_store_shared(s->set.store) ? MIN(s->others_due_ms, s->day_ends_ms) : s->day_ends_ms);
	return at;
}

int64_t vtm_sched_step(struct vtm_sched *s)
{
	int64_t now = vtm_sched_now(s);

	if (s->set.store && s->stats.store_failing)
		s->view_stale = true;	/* the read tells whether it works again */
	vtm_sched_look_at_others(s, now);
	vtm_sched_refresh(s);
	vtm_sched_save_queue(s);
	if (vtm_queue_ripen(s->queue, now))
		s->plan_stale = true;
	vtm_sched_expire(s, now);
	vtm_sched_release_due(s, now);
	vtm_sched_ask_quotas(s, now);
	vtm_sched_move_pace(s, now);
	vtm_sched_send_all(s, now);
	if (s->plan_stale)
		vtm_sched_replan(s);
	vtm_sched_save_queue(s);
	vtm_sched_save_past(s);
	return MAX(next_wake(s, now), s->stats.store_failing ? now + 1000 : 0);
}

struct vtm_sched *vtm_sched_new(const struct vtm_sched_settings *settings)
{
	struct vtm_sched *s = g_new0(struct vtm_sched, 1);

	s->set = *settings;
	s->limits = settings->limits;
	s->queue = vtm_queue_new();
	s->waiting = g_sequence_new(NULL);
	s->unsaved = g_ptr_array_new();
	s->shares = vtm_shares_new();
	vtm_sched_past_init(&s->past);
	vtm_pace_init(&s->pace);
	vtm_queue_set_order(s->queue, s->set.by_points, vtm_sched_now(s));
	s->answer_ms = ANSWER_FIRST_MS;
	s->answer_dev_ms = ANSWER_FIRST_DEV_MS;
	s->stats.server_daily.allowed = s->stats.server_monthly.allowed = -1;
	vtm_breaker_init(&s->breaker);
	vtm_budget_init(&s->view);
	s->view_stale = true;
	vtm_sched_load_queue(s);
	vtm_sched_refresh(s);
	s->day = s->view.day;
	return s;
}

static void free_waiters(struct vtm_entry *e, void *arg)
{
	(void)arg;
	for (guint i = 0; i < e->waiters->len; i++)
		g_free(e->waiters->pdata[i]);
}

void vtm_sched_free(struct vtm_sched *s)
{
	if (!s)
		return;
	vtm_sched_release_all(s);
	vtm_sched_save_queue(s);
	s->past.save_due_ms = 0;
	vtm_sched_save_past(s);
	vtm_queue_foreach(s->queue, free_waiters, NULL);
	vtm_queue_free(s->queue);
	g_sequence_free(s->waiting);
	g_ptr_array_free(s->unsaved, TRUE);
	vtm_shares_free(s->shares);
	vtm_sched_past_clear(&s->past);
	vtm_budget_clear(&s->view);
	g_free(s);
}

static void without_points(struct vtm_entry *e, void *arg)
{
	(void)arg;
	e->points = 0;
	e->worth = 0;
	e->lot = 0;
}

void vtm_sched_configure(struct vtm_sched *s, const struct vtm_sched_settings *settings)
{
	struct vtm_sched_settings old = s->set;

	s->set = *settings;
	s->set.clock = old.clock;
	s->set.store = old.store;
	s->set.cache = old.cache;
	s->set.start = old.start;
	s->set.released = old.released;
	s->set.answered = old.answered;
	s->set.arg = old.arg;
	s->limits = settings->limits;
	s->quotas_due_ms = 0;
	s->view_stale = true;
	s->plan_stale = true;
	if (old.by_points == s->set.by_points)
		return;
	vtm_queue_foreach(s->queue, without_points, NULL);
	vtm_queue_set_order(s->queue, s->set.by_points, vtm_sched_now(s));
}

static void mark_unsaved(struct vtm_entry *e, void *arg)
{
	struct vtm_sched *s = arg;

	vtm_sched_mark_unsaved(s, e);
}

void vtm_sched_set_store(struct vtm_sched *s, struct vtm_store *store)
{
	s->set.store = store;
	vtm_sched_past_forget(s);
	s->stats.store_failing = false;
	s->view_stale = true;
	s->plan_stale = true;
	if (store)
		vtm_sched_keep_window(s);
	vtm_queue_foreach(s->queue, mark_unsaved, s);
	vtm_sched_load_queue(s);
}

void vtm_sched_retry_now(struct vtm_sched *s)
{
	vtm_breaker_retry_now(&s->breaker);
	s->quotas_due_ms = 0;
}

void vtm_sched_stats(const struct vtm_sched *s, struct vtm_sched_stats *out)
{
	const struct vtm_entry *oldest = vtm_queue_oldest(s->queue);
	int64_t now = vtm_sched_now(s);

	*out = s->stats;
	for (int c = 0; c < VTM_CLASSES; c++)
		out->queued[c] = vtm_queue_count(s->queue, (enum vtm_class)c);
	out->in_flight = s->in_flight;
	out->answer_ms = s->answer_ms;
	out->answer_dev_ms = s->answer_dev_ms;
	out->breaker = s->breaker;
	out->day_used = s->view.day_used;
	out->month_used = s->view.month_used;
	out->window_used = vtm_sched_slots_taken(s, now);
	out->paced = s->set.by_points && !s->pace.fits && s->pace.budget != UINT32_MAX;
	out->floor = vtm_sched_floor(s, 0);
	out->day_passed = vtm_pace_passed(&s->pace);
	out->day_budget = s->pace.budget;
	out->oldest_ms = oldest ? now - oldest->since_ms : 0;
}
