/* SPDX-License-Identifier: BSD-2-Clause */
/* sched-entry.c - look-ups on their way: in queue, store, and done. */
#include "queue/sched-parts.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"

/* Classes as the store knows them: by their places here, which stay. */
static const enum vtm_class stored_classes[] = {
	VTM_CLASS_RISKY, VTM_CLASS_URL_FIRST, VTM_CLASS_URL_MORE, VTM_CLASS_OTHER, VTM_CLASS_SUBMIT, VTM_CLASS_REASK
};

static const int64_t reask_after_ms[] = { 3600000, 6 * 3600000, 24 * 3600000 };

bool vtm_sched_stored(struct vtm_sched *s, int rc, GError **error)
{
	if (rc >= 0) {
		s->stats.store_failing = false;
		return true;
	}
	s->stats.store_errors++;
	s->stats.store_failing = true;
	g_strlcpy(s->stats.store_error, *error ? (*error)->message : "no reason given", sizeof(s->stats.store_error));
	g_clear_error(error);
	return false;
}

/* The class's number in the store; -1: it is not kept there. */
static int stored_class(enum vtm_class class)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(stored_classes); i++)
		if (stored_classes[i] == class)
			return (int)i;
	return -1;
}

static void to_queued(const struct vtm_sched *s, const struct vtm_entry *e, struct vtm_queued *q)
{
	int64_t shift = vtm_utc_ms(s->set.clock) - vtm_sched_now(s);

	memset(q, 0, sizeof(*q));
	q->lookup = e->lookup;
	q->op = e->op;
	q->class = stored_class(e->class);
	q->since_ms = e->since_ms + shift;
	q->not_before_ms = e->not_before_ms ? e->not_before_ms + shift : 0;
	q->attempts = (int)e->attempts;
	q->analysis = e->analysis;
}

void vtm_sched_want_stored(struct vtm_sched *s, struct vtm_entry *e)
{
	if (e->stored && !s->set.manual && stored_class(e->class) >= 0) {
		e->stored = false;
		g_ptr_array_add(s->unstored, e);
	}
}

/* Forgets that <e> was to be stored: it goes. */
static void drop_unstored(struct vtm_sched *s, const struct vtm_entry *e)
{
	for (guint i = s->unstored->len; i-- > 0;)
		if (s->unstored->pdata[i] == e) {
			s->unstored->pdata[i] = NULL;
			return;
		}
}

void vtm_sched_store_queue(struct vtm_sched *s)
{
	GError *error = NULL;

	if (!s->unstored->len || !s->set.store)
		return;
	if (!vtm_sched_stored(s, vtm_store_begin(s->set.store, &error), &error))
		return;
	for (guint i = 0; i < s->unstored->len; i++) {
		struct vtm_entry *e = s->unstored->pdata[i];
		struct vtm_queued q;

		if (!e)
			continue;
		to_queued(s, e, &q);
		if (!vtm_sched_stored(s, vtm_store_queue_put(s->set.store, &q, &error), &error))
			return;
	}
	if (!vtm_sched_stored(s, vtm_store_commit(s->set.store, &error), &error))
		return;
	for (guint i = 0; i < s->unstored->len; i++)
		if (s->unstored->pdata[i])
			((struct vtm_entry *)s->unstored->pdata[i])->stored = true;
	g_ptr_array_set_size(s->unstored, 0);
}

void vtm_sched_finish(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_report *r)
{
	GPtrArray *waiters = e->waiters, *done = g_ptr_array_new();
	struct vtm_key key = e->lookup->key;
	GError *error = NULL;

	e->waiters = g_ptr_array_new();
	if (!e->stored)
		drop_unstored(s, e);
	if (s->set.store) {
		if (!s->set.manual || vtm_verdict_is_answer(r->verdict))
			vtm_sched_stored(s, vtm_store_queue_delete(s->set.store, &key, &error), &error);
		vtm_sched_stored(s, vtm_store_lease_end(s->set.store, &key, &error), &error);
	}
	vtm_queue_remove(s->queue, e);
	for (guint i = 0; i < waiters->len; i++) {
		struct vtm_waiter *w = waiters->pdata[i];

		if (vtm_verdict_is_answer(r->verdict))
			vtm_sched_answer_want(w->want, r);
		else
			vtm_sched_refuse_want(w->want, r->reason);
		vtm_sched_settle_want(w->ticket, w->want);
		/* once each, and not looked at after its release: it is its owner's then */
		if (!w->ticket->waiting_for && w->ticket->place && !g_ptr_array_find(done, w->ticket, NULL))
			g_ptr_array_add(done, w->ticket);
	}
	for (guint i = 0; i < done->len; i++)
		vtm_sched_release(s, done->pdata[i], &s->stats.released_answered);
	g_ptr_array_free(done, TRUE);
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

/* An unknown attachment is asked again later. */
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
	e->stored = true;
	vtm_sched_want_stored(s, e);
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
			vtm_sched_stored(s, vtm_store_verdict_put(s->set.store, lookup, &r, expires, &error), &error);
	}
	if (!e->waiters->len)
		s->stats.late_answers++;
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

void vtm_sched_requeue(struct vtm_sched *s, struct vtm_entry *e, int64_t not_before)
{
	e->not_before_ms = not_before;
	vtm_sched_want_stored(s, e);
	vtm_queue_place(s->queue, e, vtm_sched_now(s));
	s->plan_stale = true;
}

void vtm_sched_take_answer(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_cached *found)
{
	s->stats.cached_store++;
	vtm_cache_put(s->set.cache, &e->lookup->key, &found->report, found->expires_ms);
	vtm_sched_complete(s, e, found->report, false);
}

void vtm_sched_tell(struct vtm_sched *s, const struct vtm_lookup *lookup)
{
	struct vtm_entry *e = vtm_queue_find(s->queue, &lookup->key);
	struct vtm_cached found = { 0 };
	GError *error = NULL;

	vtm_cache_forget(s->set.cache, &lookup->key);
	if (!s->set.store ||
	    !vtm_sched_stored(s, vtm_store_verdicts_get(s->set.store, &lookup->key, 1, &found, &error), &error) ||
	    !found.found)
		return;
	if (e && !e->in_flight) {
		vtm_sched_take_answer(s, e, &found);
		return;
	}
	/* one that is in flight ends by itself */
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

/* A look-up that the store remembers from an earlier life. */
static void load_one(const struct vtm_queued *q, void *arg)
{
	struct vtm_sched *s = arg;
	int64_t shift = vtm_utc_ms(s->set.clock) - vtm_sched_now(s);
	struct vtm_entry *e;

	if (vtm_queue_find(s->queue, &q->lookup->key) || (unsigned)q->class >= G_N_ELEMENTS(stored_classes) ||
	    (unsigned)q->op >= VTM_OP_QUOTAS || vtm_queue_size(s->queue) >= s->set.max_queue)
		return;
	e = vtm_queue_add(s->queue, q->lookup, stored_classes[q->class], MIN(q->since_ms - shift, vtm_sched_now(s)));
	e->op = q->op;
	e->not_before_ms = q->not_before_ms ? q->not_before_ms - shift : 0;
	e->attempts = (unsigned)MAX(q->attempts, 0);
	e->analysis = g_strdup(q->analysis);
	e->stored = true;
	vtm_queue_place(s->queue, e, vtm_sched_now(s));
}

void vtm_sched_load_queue(struct vtm_sched *s)
{
	GError *error = NULL;

	if (s->set.store && !s->set.manual)
		vtm_sched_stored(s, vtm_store_queue_load(s->set.store, s->set.max_queue, load_one, s, &error), &error);
}
