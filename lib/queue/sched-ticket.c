/* SPDX-License-Identifier: BSD-2-Clause */
/* sched-ticket.c - messages that want answers, and whether they wait. */
#include "queue/sched-parts.h"

#define SHARES_MAX 65536		/* networks and domains whose share is counted */

static gint by_deadline(gconstpointer a, gconstpointer b, gpointer data)
{
	const struct vtm_ticket *x = a, *y = b;

	(void)data;
	return x->deadline_ms < y->deadline_ms ? -1 : x->deadline_ms > y->deadline_ms;
}

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

/* Takes <t>'s waiters off the entry of <w>. */
static void unhook(struct vtm_sched *s, const struct vtm_ticket *t, const struct vtm_want *w)
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
			unhook(s, t, &t->wants[i]);
	}
	s->set.released(s->set.arg, t);
}

void vtm_sched_settle_want(struct vtm_ticket *t, struct vtm_want *w)
{
	if (w->holds) {
		w->holds = false;
		t->waiting_for--;
	}
}

static void pend(struct vtm_want *w, enum vtm_reason why)
{
	w->report = (struct vtm_report){ .verdict = VTM_PENDING, .reason = why };
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
			vtm_sched_settle_want(t, w);
			pend(w, why);
			set_deadline(s, e);
		}
		if (!t->waiting_for)
			vtm_sched_release(s, t, &s->stats.released_unadmitted);
	}
}

static bool charge_share(struct vtm_sched *s, const char *kind, const char *name, uint32_t bound)
{
	char *key;
	uint32_t used;

	if (!name)
		return true;
	key = g_strconcat(kind, name, NULL);
	used = GPOINTER_TO_UINT(g_hash_table_lookup(s->shares, key));
	if (used >= bound) {
		g_free(key);
		return false;
	}
	/* a full table forgets everybody: bounded memory, and nobody is refused wrongly */
	if (g_hash_table_size(s->shares) >= SHARES_MAX)
		g_hash_table_remove_all(s->shares);
	g_hash_table_replace(s->shares, key, GUINT_TO_POINTER(used + 1));
	return true;
}

/* May <t> queue one more look-up?  Counts it if so. */
static bool within_share(struct vtm_sched *s, const struct vtm_ticket *t)
{
	uint32_t bound;

	if (!s->set.share_percent || !s->limits.per_day)
		return true;
	if (s->shares_day != s->view.day) {
		g_hash_table_remove_all(s->shares);
		s->shares_day = s->view.day;
	}
	bound = MAX(1, (uint32_t)((uint64_t)s->limits.per_day * s->set.share_percent / 100));
	return charge_share(s, "net ", t->client_net, bound) && charge_share(s, "dom ", t->sender_domain, bound);
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
		       vtm_sched_stored(s, vtm_store_verdicts_get(s->set.store, keys + i, MIN(n - i, VTM_STORE_BATCH),
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

/* The entry that will answer <w>: one that is there (made more urgent if need be) or a new one.  NULL: none, <why_r>
 * says why. */
static struct vtm_entry *entry_for(struct vtm_sched *s, const struct vtm_ticket *t, const struct vtm_want *w,
				   enum vtm_reason *why_r)
{
	struct vtm_entry *e = vtm_queue_find(s->queue, &w->lookup->key);
	int64_t now = vtm_sched_now(s);

	if (e) {
		s->stats.coalesced++;
		e->submit = e->submit || w->submit;
		if (!e->in_flight && w->class < e->class) {
			vtm_queue_lift(s->queue, e);
			if (e->class == VTM_CLASS_REASK) {
				e->not_before_ms = 0;
				e->since_ms = now;
				e->attempts = 0;
			}
			e->class = w->class;
			vtm_sched_want_stored(s, e);
			vtm_queue_place(s->queue, e, now);
			s->plan_stale = true;
		}
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
	e = vtm_queue_add(s->queue, w->lookup, w->class, now);
	e->op = VTM_OP_LOOKUP;
	e->submit = w->submit;
	e->stored = true;
	vtm_sched_want_stored(s, e);
	vtm_queue_place(s->queue, e, now);
	return e;
}

static void hang_on(struct vtm_entry *e, struct vtm_ticket *t, struct vtm_want *w)
{
	struct vtm_waiter *x = g_new(struct vtm_waiter, 1);

	x->ticket = t;
	x->want = w;
	g_ptr_array_add(e->waiters, x);
}

/* Queues what is not known.  Then every place in the queue is fixed, and only then is it decided what is worth
 * waiting for. */
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
		hang_on(e, t, w);
		/* in line by its deadline before it is judged: that is where it would stand */
		w->holds = true;
		t->waiting_for++;
		set_deadline(s, e);
		pend(w, VTM_WHY_TIME);
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
		vtm_sched_settle_want(t, w);
		pend(w, why);
		set_deadline(s, e);
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
	s->plan_stale = true;	/* others may stand behind it now */
	if (!t->waiting_for) {
		vtm_sched_release(s, t, &s->stats.released_unadmitted);
		return;
	}
	t->place = g_sequence_insert_sorted(s->waiting, t, by_deadline, NULL);
	s->stats.waiting++;
	s->stats.waiting_max = MAX(s->stats.waiting_max, s->stats.waiting);
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
