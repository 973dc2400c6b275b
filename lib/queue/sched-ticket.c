/* SPDX-License-Identifier: BSD-2-Clause */
/* sched-ticket.c - takes a message in: answers what is known, queues the rest, decides what it waits for. */
#include "queue/sched-parts.h"

void vtm_sched_replan(struct vtm_sched *s)
{
	GSequenceIter *i = g_sequence_get_begin_iter(s->waiting);

	s->plan_stale = false;
	while (!g_sequence_iter_is_end(i)) {
		struct vtm_ticket *t = g_sequence_get(i);

		i = g_sequence_iter_next(i);
		for (unsigned n = 0; n < t->n; n++) {
			struct vtm_want *w = &t->wants[n];
			struct vtm_entry *e = w->holds ? vtm_queue_find(s->queue, &w->lookup->key) : NULL;
			enum vtm_reason why = e ? vtm_sched_why_not(s, e, t->deadline_ms) : VTM_WHY_NONE;

			if (why == VTM_WHY_NONE)
				continue;
			vtm_sched_unhold(s, t, w, e, why);
		}
		if (!t->waiting_for)
			vtm_sched_release(s, t, &s->stats.released_unadmitted);
	}
}

/* May <t> queue one more look-up?  Charges it if so. */
static bool within_share(struct vtm_sched *s, const struct vtm_ticket *t)
{
	uint32_t bound;

	if (!s->set.share_percent || !s->limits.per_day)
		return true;
	bound = MAX(1, (uint32_t)((uint64_t)s->limits.per_day * s->set.share_percent / 100));
	return vtm_shares_charge(s->shares, s->view.day, t->client_net, t->sender_domain, bound);
}

static bool from_cache(struct vtm_sched *s, struct vtm_want *w)
{
	struct vtm_report r;

	if (vtm_cache_get(s->set.cache, &w->lookup->key, &r) != 1)
		return false;
	vtm_report_judge(&r, s->set.threshold);
	vtm_sched_answer_want(w, &r);
	w->cached = true;
	s->stats.cached_memory++;
	return true;
}

/* Answers what memory and store know; false if the store failed. */
static bool answer_known(struct vtm_sched *s, struct vtm_ticket *t)
{
	struct vtm_key *keys = g_new(struct vtm_key, t->n);
	struct vtm_cached *found = g_new0(struct vtm_cached, t->n);
	unsigned *at = g_new(unsigned, t->n), n = 0;
	GError *error = NULL;
	bool fine = true;

	for (unsigned i = 0; i < t->n; i++)
		if (!t->wants[i].answered && !from_cache(s, &t->wants[i])) {
			keys[n] = t->wants[i].lookup->key;
			at[n++] = i;
		}
	for (unsigned i = 0; i < n && fine; i += VTM_STORE_BATCH)
		fine = s->set.store &&
		       vtm_sched_check_store(s, vtm_store_verdicts_get(s->set.store, keys + i, MIN(n - i, VTM_STORE_BATCH),
									found + i, &error), &error);
	for (unsigned i = 0; i < n; i++) {
		struct vtm_want *w = &t->wants[at[i]];

		if (!found[i].found)
			continue;
		vtm_cache_put(s->set.cache, &w->lookup->key, &found[i].report, found[i].expires_ms);
		vtm_report_judge(&found[i].report, s->set.threshold);
		vtm_sched_answer_want(w, &found[i].report);
		w->cached = true;
		s->stats.cached_store++;
	}
	g_free(keys);
	g_free(found);
	g_free(at);
	return fine;
}

/* Makes room for one more of <class>; false if it would be the least urgent itself. */
static bool make_room(struct vtm_sched *s, enum vtm_class class)
{
	struct vtm_entry *least;

	if (vtm_queue_size(s->queue) < s->set.max_queue)
		return true;
	least = vtm_queue_least(s->queue);
	if (!least || least->class <= class)
		return false;
	vtm_sched_drop(s, least, &s->stats.dropped);
	return true;
}

/* Moves <e> into the more urgent class that <w> wants. */
static void raise_class(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_want *w)
{
	int64_t now = vtm_sched_now(s);

	vtm_sched_note_class(s, e, w->class);
	if (e->in_flight || w->class >= e->class)
		return;
	vtm_queue_lift(s->queue, e);
	if (e->class == VTM_CLASS_REASK) {
		e->not_before_ms = 0;
		e->since_ms = now;
		e->attempts = 0;
	}
	e->class = w->class;
	vtm_sched_mark_unsaved(s, e);
	vtm_queue_place(s->queue, e, now);
	s->plan_stale = true;
}

static struct vtm_entry *new_entry(struct vtm_sched *s, const struct vtm_want *w)
{
	int64_t now = vtm_sched_now(s);
	struct vtm_entry *e = vtm_queue_add(s->queue, w->lookup, w->class, now);

	e->op = VTM_OP_LOOKUP;
	e->submit = w->submit;
	vtm_sched_note_class(s, e, w->class);
	vtm_queue_place(s->queue, e, now);
	return e;
}

/* Finds or makes the entry that will answer <w>.  NULL: none, <why_r> says why. */
static struct vtm_entry *entry_for(struct vtm_sched *s, const struct vtm_ticket *t, const struct vtm_want *w,
				   enum vtm_reason *why_r)
{
	struct vtm_entry *e = vtm_queue_find(s->queue, &w->lookup->key);

	if (e) {
		s->stats.coalesced++;
		e->submit = e->submit || w->submit;
		raise_class(s, e, w);
		return e;
	}
	if (!within_share(s, t)) {
		*why_r = VTM_WHY_SHARE;
		return NULL;
	}
	if (!make_room(s, w->class)) {
		s->stats.dropped++;
		*why_r = VTM_WHY_QUEUE;
		return NULL;
	}
	return new_entry(s, w);
}

/* Queues what is not known.  admit() runs after all of it has its place in the queue. */
static void queue_wants(struct vtm_sched *s, struct vtm_ticket *t)
{
	unsigned left = t->max_lookups;

	for (unsigned i = 0; i < t->n; i++) {
		struct vtm_want *w = &t->wants[i];
		enum vtm_reason why = VTM_WHY_NOT_ASKED;
		struct vtm_entry *e;

		if (w->answered) {
			left -= t->known_count && left;
			continue;
		}
		if (!left) {
			vtm_sched_refuse_want(w, VTM_WHY_CAP);
			continue;
		}
		left--;
		e = entry_for(s, t, w, &why);
		if (!e) {
			vtm_sched_refuse_want(w, why);
			continue;
		}
		/* admit() judges it by the place that its deadline gives it in the queue */
		vtm_sched_hold(s, t, w, e);
	}
}

static void admit(struct vtm_sched *s, struct vtm_ticket *t)
{
	bool room = s->stats.waiting < s->set.max_waiting;

	for (unsigned i = 0; i < t->n; i++) {
		struct vtm_want *w = &t->wants[i];
		struct vtm_entry *e = w->holds ? vtm_queue_find(s->queue, &w->lookup->key) : NULL;
		enum vtm_reason why;

		if (!e)
			continue;
		why = room ? vtm_sched_why_not(s, e, t->deadline_ms) : VTM_WHY_TIME;
		if (why == VTM_WHY_NONE)
			continue;
		vtm_sched_unhold(s, t, w, e, why);
	}
}

void vtm_sched_add(struct vtm_sched *s, struct vtm_ticket *t)
{
	t->waiting_for = 0;
	t->released = false;
	t->place = NULL;
	if (!answer_known(s, t)) {
		for (unsigned i = 0; i < t->n; i++)
			if (!t->wants[i].answered)
				vtm_sched_refuse_want(&t->wants[i], VTM_WHY_STORE);
		vtm_sched_release(s, t, &s->stats.released_unadmitted);
		return;
	}
	vtm_sched_refresh(s);
	queue_wants(s, t);
	admit(s, t);
	s->plan_stale = true;	/* it may have pushed others back */
	if (!t->waiting_for) {
		vtm_sched_release(s, t, &s->stats.released_unadmitted);
		return;
	}
	vtm_sched_keep_waiting(s, t);
}
