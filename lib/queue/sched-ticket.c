/* SPDX-License-Identifier: BSD-2-Clause */
/* sched-ticket.c - takes a message in: answers what is known, queues the rest, decides what it waits for. */
#include "queue/sched-parts.h"

#include <string.h>

#define MAIL_MIN 1000			/* look-ups that mail's line holds at least */
#define DRAW_MAX 64			/* and the draw at most */

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

/* By points, no more are kept than PendingLifetime's requests and half as many again could ever ask: the others would
 * only wait in vain. */
static unsigned mail_bound(const struct vtm_sched *s)
{
	double days = (double)s->set.pending_lifetime_ms / (24 * 3600 * 1000);

	if (s->pace.fits || s->pace.budget == UINT32_MAX)
		return s->set.max_queue;
	return (unsigned)CLAMP(1.5 * s->pace.budget * days, MAIL_MIN, MAX(s->set.max_queue, MAIL_MIN));
}

/* Makes room in mail's line for one more that is worth <worth>; false if that would be the first to go. */
static bool make_room_by_points(struct vtm_sched *s, int worth)
{
	while (vtm_queue_ready(s->queue, VTM_LINE_MAIL) >= mail_bound(s)) {
		struct vtm_entry *last = vtm_queue_last(s->queue, VTM_LINE_MAIL);

		if (last->worth > worth)
			return false;
		vtm_sched_yield(s, last);
	}
	return true;
}

/* Makes room for one more of <class>; false if it would be the least urgent itself. */
static bool make_room(struct vtm_sched *s, enum vtm_class class, int worth)
{
	struct vtm_entry *least;

	if (vtm_queue_size(s->queue) < s->set.max_queue)
		return true;
	least = vtm_queue_least(s->queue);
	if (!least || least->class < class || (least->class == class && least->worth >= worth) ||
	    (s->set.by_points && vtm_class_is_mail(least->class) && least->worth >= worth))
		return false;
	vtm_sched_drop(s, least, &s->stats.dropped);
	return true;
}

/* Draws a lot for a look-up that points leave aside; 0: the draw has enough of higher ones. */
static uint32_t draw(struct vtm_sched *s)
{
	uint32_t lot = g_random_int() | 1;
	struct vtm_entry *last = vtm_queue_last(s->queue, VTM_LINE_DRAW);

	if (vtm_queue_ready(s->queue, VTM_LINE_DRAW) < DRAW_MAX)
		return lot;
	if (last->lot >= lot)
		return 0;
	last->lot = 0;
	if (make_room_by_points(s, last->worth))
		vtm_queue_place(s->queue, last, vtm_sched_now(s));
	else
		vtm_sched_yield(s, last);
	return lot;
}

/* Moves <e> into the more urgent class that <w> wants, or gives it the points that it has here. */
static void raise_class(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_want *w)
{
	int64_t now = vtm_sched_now(s);
	bool raised = w->class < e->class;

	vtm_sched_note_class(s, e, w->class);
	e->wanted_ms = now;
	if (e->in_flight || (!raised && vtm_points_sum(w->points) <= e->worth))
		return;
	vtm_queue_lift(s->queue, e);
	if (raised && e->class == VTM_CLASS_REASK) {
		e->not_before_ms = 0;
		e->since_ms = now;
		e->attempts = 0;
	}
	if (raised) {
		e->class = w->class;
		vtm_sched_mark_unsaved(s, e);
	}
	if (vtm_class_is_mail(w->class)) {
		e->points = w->points;
		e->worth = vtm_points_sum(w->points);
		if (e->worth >= vtm_sched_floor(s, 0))
			e->lot = 0;
	}
	vtm_queue_place(s->queue, e, now);
	s->plan_stale = true;
}

static struct vtm_entry *new_entry(struct vtm_sched *s, const struct vtm_ticket *t, const struct vtm_want *w,
				   uint32_t lot)
{
	int64_t now = vtm_sched_now(s);
	struct vtm_entry *e = vtm_queue_add(s->queue, w->lookup, w->class, now);

	e->op = VTM_OP_LOOKUP;
	e->submit = w->submit;
	e->points = w->points;
	e->worth = vtm_points_sum(w->points);
	e->lot = lot;
	e->group = w->group;
	e->campaign = w->campaign;
	e->network = g_strdup(t->client_net);
	e->domain = t->features.authenticated ? g_strdup(t->sender_domain) : NULL;
	vtm_sched_join_group(s, e);
	vtm_sched_note_class(s, e, w->class);
	vtm_queue_place(s->queue, e, now);
	return e;
}

/* By points: may <w> be the look-up of its message that takes part in the draw? */
static bool may_draw(const struct vtm_sched *s, const struct vtm_want *w)
{
	return s->set.by_points && !s->set.manual && s->set.explore_percent && !s->pace.fits &&
	       vtm_class_is_mail(w->class) && !(w->points & 1u << VTM_POINTS_SHARE) &&
	       vtm_points_sum(w->points) < vtm_sched_floor(s, 0);
}

/* Finds or makes the entry that will answer <w>.  NULL: none, <why_r> says why.  <drawn> says whether the message took
 * part in the draw. */
static struct vtm_entry *entry_for(struct vtm_sched *s, const struct vtm_ticket *t, const struct vtm_want *w,
				   bool *drawn, enum vtm_reason *why_r)
{
	struct vtm_entry *e = vtm_queue_find(s->queue, &w->lookup->key);
	int worth = vtm_points_sum(w->points);
	uint32_t lot = 0;

	if (e) {
		s->stats.coalesced++;
		e->submit = e->submit || w->submit;
		raise_class(s, e, w);
		return e;
	}
	if (vtm_class_is_mail(w->class))
		vtm_sched_note_wanted(s);
	if (!*drawn && may_draw(s, w)) {
		*drawn = true;
		lot = draw(s);
	}
	if (s->set.by_points && !s->set.manual && vtm_class_is_mail(w->class) && !lot && !make_room_by_points(s, worth)) {
		s->stats.left_aside++;
		*why_r = VTM_WHY_POINTS;
		return NULL;
	}
	if (!make_room(s, w->class, worth)) {
		s->stats.dropped++;
		*why_r = VTM_WHY_QUEUE;
		return NULL;
	}
	return new_entry(s, t, w, lot);
}

/* Queues what is not known, in the order of <order>.  admit() runs after all of it has its place in the queue. */
static void queue_wants(struct vtm_sched *s, struct vtm_ticket *t, const unsigned *order)
{
	unsigned left = t->max_lookups;
	bool drawn = false;

	for (unsigned i = 0; i < t->n; i++) {
		struct vtm_want *w = &t->wants[order[i]];
		enum vtm_reason why = VTM_WHY_NOT_ASKED;
		struct vtm_entry *e;

		if (w->answered) {
			left -= t->known_count && left;
			continue;
		}
		if (w->features.host_of_many) {
			vtm_sched_refuse_want(w, VTM_WHY_HOST_OF_MANY);
			continue;
		}
		if (!left) {
			vtm_sched_refuse_want(w, VTM_WHY_CAP);
			continue;
		}
		left--;
		e = entry_for(s, t, w, &drawn, &why);
		if (!e) {
			vtm_sched_refuse_want(w, why);
			continue;
		}
		/* admit() judges it by the place that its deadline gives it in the queue */
		vtm_sched_hold(s, t, w, e);
	}
}

static const char *net_of(const struct vtm_ticket *t)
{
	return t->client_net ? t->client_net : "";
}

/* The client network with the most waiting tickets, their number, and how many <net> has. */
static const char *largest_net(struct vtm_sched *s, const char *net, unsigned *most_r, unsigned *own_r)
{
	GHashTable *counts = g_hash_table_new(g_str_hash, g_str_equal);
	const char *largest = NULL;

	*most_r = 0;
	for (GSequenceIter *i = g_sequence_get_begin_iter(s->waiting); !g_sequence_iter_is_end(i);
	     i = g_sequence_iter_next(i)) {
		const char *name = net_of(g_sequence_get(i));
		unsigned n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, name)) + 1;

		g_hash_table_insert(counts, (char *)(uintptr_t)name, GUINT_TO_POINTER(n));
		if (n > *most_r) {
			*most_r = n;
			largest = name;
		}
	}
	*own_r = GPOINTER_TO_UINT(g_hash_table_lookup(counts, net));
	g_hash_table_destroy(counts);
	return largest;
}

/* All places are taken.  If another client network has at least two more than that of <t>, its ticket that would wait
 * longest gives its place up: so no network has more than half while others want some.  Linear in max_waiting. */
static bool make_place(struct vtm_sched *s, const struct vtm_ticket *t)
{
	unsigned most, own;
	const char *largest = largest_net(s, net_of(t), &most, &own);
	GSequenceIter *i = g_sequence_get_end_iter(s->waiting);

	if (!largest || most < own + 2)
		return false;
	do
		i = g_sequence_iter_prev(i);
	while (strcmp(net_of(g_sequence_get(i)), largest) != 0);
	vtm_sched_release(s, g_sequence_get(i), &s->stats.released_unadmitted);
	return true;
}

/* Unholds the wants for which <t> cannot wait; if it has no place, all of them. */
static void admit(struct vtm_sched *s, struct vtm_ticket *t)
{
	bool room = s->stats.waiting < s->set.max_waiting;

	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < t->n; i++) {
			struct vtm_want *w = &t->wants[i];
			struct vtm_entry *e = w->holds ? vtm_queue_find(s->queue, &w->lookup->key) : NULL;
			enum vtm_reason why;

			if (!e)
				continue;
			why = round ? VTM_WHY_TIME : vtm_sched_why_not(s, e, t->deadline_ms);
			if (why != VTM_WHY_NONE)
				vtm_sched_unhold(s, t, w, e, why);
		}
		if (!t->waiting_for || room || make_place(s, t))
			return;
	}
}

void vtm_sched_add(struct vtm_sched *s, struct vtm_ticket *t)
{
	unsigned *order;

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
	vtm_sched_move_pace(s, vtm_sched_now(s));
	order = g_new(unsigned, t->n);
	vtm_sched_judge(s, t, order);
	queue_wants(s, t, order);
	g_free(order);
	admit(s, t);
	s->plan_stale = true;	/* it may have pushed others back */
	if (!t->waiting_for) {
		vtm_sched_release(s, t, &s->stats.released_unadmitted);
		return;
	}
	vtm_sched_keep_waiting(s, t);
}
