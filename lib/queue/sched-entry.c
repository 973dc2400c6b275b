/* SPDX-License-Identifier: BSD-2-Clause */
/* sched-entry.c - ends a look-up: with an answer, without one, or put back into the queue. */
#include "queue/sched-parts.h"

#include "base/error.h"
#include "base/log.h"

static const int64_t reask_after_ms[] = { 3600000, 6 * 3600000, 24 * 3600000 };

void vtm_sched_finish(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_report *r)
{
	GPtrArray *waiters = e->waiters;
	struct vtm_key key = e->lookup->key;
	GError *error = NULL;

	e->waiters = g_ptr_array_new();
	vtm_sched_unmark_unsaved(s, e);
	if (s->set.store) {
		if (!s->set.manual || vtm_verdict_is_answer(r->verdict))
			vtm_sched_check_store(s, vtm_store_queue_delete(s->set.store, &key, &error), &error);
		vtm_sched_check_store(s, vtm_store_lease_end(s->set.store, &key, &error), &error);
	}
	vtm_sched_leave_group(s, e);
	vtm_queue_remove(s->queue, e);
	vtm_sched_report(s, waiters, r);
	g_ptr_array_set_free_func(waiters, g_free);
	g_ptr_array_free(waiters, TRUE);
}

static int64_t ttl_of(const struct vtm_sched *s, enum vtm_verdict v)
{
	switch (v) {
	case VTM_BAD:
		return s->set.ttl_bad_ms;
	case VTM_CLEAN:
		return s->set.ttl_clean_ms;
	case VTM_UNKNOWN:
		return s->set.ttl_unknown_ms;
	case VTM_BYPASSED:
	case VTM_PENDING:
	case VTM_IGNORED:
		break;
	}
	return 0;
}

/* Queues an unknown attachment to be looked up again later. */
static void plan_reask(struct vtm_sched *s, const struct vtm_lookup *lookup, unsigned done)
{
	struct vtm_entry *e;
	int64_t now = vtm_sched_now(s);

	if (!s->set.reask_unknown || lookup->key.kind != VTM_LOOKUP_FILE || done >= G_N_ELEMENTS(reask_after_ms) ||
	    vtm_queue_size(s->queue) >= s->set.max_queue)
		return;
	e = vtm_queue_add(s->queue, lookup, VTM_CLASS_REASK, now);
	e->op = VTM_OP_LOOKUP;
	e->attempts = done;
	e->not_before_ms = now + reask_after_ms[done];
	vtm_sched_note_class(s, e, VTM_CLASS_REASK);
	vtm_queue_place(s->queue, e, now);
}

void vtm_sched_complete(struct vtm_sched *s, struct vtm_entry *e, struct vtm_report r, bool fresh)
{
	struct vtm_lookup *lookup = vtm_lookup_copy(e->lookup);
	int64_t expires = vtm_utc_ms(s->set.clock);
	unsigned asked_again = e->class == VTM_CLASS_REASK ? e->attempts + 1 : 0;
	GError *error = NULL;

	if (lookup->key.kind == VTM_LOOKUP_HOST)
		r.match = VTM_MATCH_HOST;
	vtm_report_judge(&r, s->set.threshold);
	expires += ttl_of(s, r.verdict);
	if (fresh) {
		vtm_cache_put(s->set.cache, &lookup->key, &r, expires);
		if (s->set.store)
			vtm_sched_check_store(s, vtm_store_verdict_put(s->set.store, lookup, &r, expires, &error), &error);
	}
	if (!e->waiters->len)
		s->stats.late_answers++;
	vtm_sched_note_answer(s, e, r.verdict);
	vtm_sched_finish(s, e, &r);
	s->set.answered(s->set.arg, lookup, &r);
	if (r.verdict == VTM_UNKNOWN && fresh)
		plan_reask(s, lookup, asked_again);
	vtm_lookup_free(lookup);
	s->plan_stale = true;
}

void vtm_sched_drop(struct vtm_sched *s, struct vtm_entry *e, uint64_t *counter)
{
	struct vtm_report r = { .verdict = VTM_BYPASSED, .reason = VTM_WHY_QUEUE };

	(*counter)++;
	vtm_log_limited(VTM_LOG_WARNING, "queue-drop", "queue: dropped a look-up of class %s (%u queued)",
			vtm_class_name(e->class), vtm_queue_size(s->queue));
	vtm_sched_finish(s, e, &r);
}

void vtm_sched_yield(struct vtm_sched *s, struct vtm_entry *e)
{
	struct vtm_report r = { .verdict = VTM_BYPASSED, .reason = VTM_WHY_POINTS };

	s->stats.left_aside++;
	vtm_sched_finish(s, e, &r);
}

void vtm_sched_requeue(struct vtm_sched *s, struct vtm_entry *e, int64_t not_before)
{
	e->not_before_ms = not_before;
	vtm_sched_mark_unsaved(s, e);
	vtm_queue_place(s->queue, e, vtm_sched_now(s));
	s->plan_stale = true;
}

void vtm_sched_take_answer(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_cached *found)
{
	s->stats.cached_store++;
	vtm_cache_put(s->set.cache, &e->lookup->key, &found->report, found->expires_ms);
	vtm_sched_complete(s, e, found->report, false);
}

void vtm_sched_reread(struct vtm_sched *s, const struct vtm_lookup *lookup)
{
	struct vtm_entry *e = vtm_queue_find(s->queue, &lookup->key);
	struct vtm_cached found = { 0 };
	GError *error = NULL;

	vtm_cache_forget(s->set.cache, &lookup->key);
	if (!s->set.store ||
	    !vtm_sched_check_store(s, vtm_store_verdicts_get(s->set.store, &lookup->key, 1, &found, &error), &error) ||
	    !found.found)
		return;
	if (e && !e->in_flight) {
		vtm_sched_take_answer(s, e, &found);
		return;
	}
	/* an entry in flight ends with its own answer */
	vtm_cache_put(s->set.cache, &lookup->key, &found.report, found.expires_ms);
	vtm_report_judge(&found.report, s->set.threshold);
	s->set.answered(s->set.arg, lookup, &found.report);
}

void vtm_sched_expire(struct vtm_sched *s, int64_t now)
{
	struct vtm_entry *e;

	while ((e = vtm_queue_oldest(s->queue)) && !e->in_flight && now - e->since_ms > s->set.pending_lifetime_ms)
		vtm_sched_drop(s, e, &s->stats.expired);
}
