/* SPDX-License-Identifier: BSD-2-Clause */
/* sched-wait.c - ties a message's wants to the entries that will answer them, and releases messages. */
#include "queue/sched-parts.h"

/* Puts <e> into the queue by the earliest deadline of the tickets that wait for it. */
static void set_deadline(struct vtm_sched *s, struct vtm_entry *e)
{
	int64_t first = INT64_MAX;

	for (guint i = 0; i < e->waiters->len; i++) {
		const struct vtm_waiter *w = e->waiters->pdata[i];

		if (w->want->holds)
			first = MIN(first, w->ticket->deadline_ms);
	}
	if (first == e->deadline_ms)
		return;
	e->deadline_ms = first;
	if (!e->in_flight)
		vtm_queue_place(s->queue, e, vtm_sched_now(s));
}

/* Takes <t> off the entry of <w>. */
static void detach(struct vtm_sched *s, const struct vtm_ticket *t, const struct vtm_want *w)
{
	struct vtm_entry *e = vtm_queue_find(s->queue, &w->lookup->key);

	if (!e)
		return;
	for (guint i = e->waiters->len; i-- > 0;) {
		struct vtm_waiter *x = e->waiters->pdata[i];

		if (x->ticket == t) {
			g_ptr_array_remove_index_fast(e->waiters, i);
			g_free(x);
		}
	}
	set_deadline(s, e);
}

/* <t> no longer waits for <w>. */
static void stop_holding(struct vtm_ticket *t, struct vtm_want *w)
{
	if (w->holds) {
		w->holds = false;
		t->waiting_for--;
	}
}

void vtm_sched_refuse_want(struct vtm_want *w, enum vtm_reason why)
{
	w->report = (struct vtm_report){ .verdict = VTM_BYPASSED, .reason = why };
}

void vtm_sched_answer_want(struct vtm_want *w, const struct vtm_report *r)
{
	w->report = *r;
	w->answered = true;
}

static void set_pending(struct vtm_want *w, enum vtm_reason why)
{
	w->report = (struct vtm_report){ .verdict = VTM_PENDING, .reason = why };
}

void vtm_sched_hold(struct vtm_sched *s, struct vtm_ticket *t, struct vtm_want *w, struct vtm_entry *e)
{
	struct vtm_waiter *x = g_new(struct vtm_waiter, 1);

	x->ticket = t;
	x->want = w;
	g_ptr_array_add(e->waiters, x);
	w->holds = true;
	t->waiting_for++;
	set_deadline(s, e);
	set_pending(w, VTM_WHY_TIME);
}

void vtm_sched_unhold(struct vtm_sched *s, struct vtm_ticket *t, struct vtm_want *w, struct vtm_entry *e,
		      enum vtm_reason why)
{
	stop_holding(t, w);
	set_pending(w, why);
	set_deadline(s, e);
}

void vtm_sched_report(struct vtm_sched *s, const GPtrArray *waiters, const struct vtm_report *r)
{
	GPtrArray *done = g_ptr_array_new();

	for (guint i = 0; i < waiters->len; i++) {
		struct vtm_waiter *w = waiters->pdata[i];

		if (vtm_verdict_is_answer(r->verdict))
			vtm_sched_answer_want(w->want, r);
		else
			vtm_sched_refuse_want(w->want, r->reason);
		stop_holding(w->ticket, w->want);
		/* once each, since a ticket is its owner's after its release */
		if (!w->ticket->waiting_for && w->ticket->place && !g_ptr_array_find(done, w->ticket, NULL))
			g_ptr_array_add(done, w->ticket);
	}
	for (guint i = 0; i < done->len; i++)
		vtm_sched_release(s, done->pdata[i], &s->stats.released_answered);
	g_ptr_array_free(done, TRUE);
}

static gint by_deadline(gconstpointer a, gconstpointer b, gpointer data)
{
	const struct vtm_ticket *x = a, *y = b;

	(void)data;
	return x->deadline_ms < y->deadline_ms ? -1 : x->deadline_ms > y->deadline_ms;
}

void vtm_sched_keep_waiting(struct vtm_sched *s, struct vtm_ticket *t)
{
	t->place = g_sequence_insert_sorted(s->waiting, t, by_deadline, NULL);
	s->stats.waiting++;
	s->stats.waiting_max = MAX(s->stats.waiting_max, s->stats.waiting);
}

void vtm_sched_release(struct vtm_sched *s, struct vtm_ticket *t, uint64_t *counter)
{
	if (t->released)
		return;
	t->released = true;
	(*counter)++;
	if (t->place) {
		g_sequence_remove(t->place);
		t->place = NULL;
		s->stats.waiting--;
	}
	for (unsigned i = 0; i < t->n; i++) {
		t->wants[i].holds = false;
		if (!t->wants[i].answered)
			detach(s, t, &t->wants[i]);
	}
	s->set.released(s->set.arg, t);
}

void vtm_sched_cancel(struct vtm_sched *s, struct vtm_ticket *t)
{
	vtm_sched_release(s, t, &s->stats.released_deadline);
}

void vtm_sched_release_all(struct vtm_sched *s)
{
	while (g_sequence_get_length(s->waiting))
		vtm_sched_release(s, g_sequence_get(g_sequence_get_begin_iter(s->waiting)),
				  &s->stats.released_deadline);
}

void vtm_sched_release_due(struct vtm_sched *s, int64_t now)
{
	for (;;) {
		GSequenceIter *i = g_sequence_get_begin_iter(s->waiting);
		struct vtm_ticket *t;

		if (g_sequence_iter_is_end(i))
			return;
		t = g_sequence_get(i);
		if (t->deadline_ms > now)
			return;
		vtm_sched_release(s, t, &s->stats.released_deadline);
	}
}
