/* SPDX-License-Identifier: BSD-2-Clause */
/* sched-ask.c - which look-up is sent now, and whether another host is at it. */
#include "queue/sched-parts.h"

#include "base/error.h"
#include "base/log.h"

#define LEASE_MS 45000			/* longer than a request can last */
#define LEASE_NET_MS 5000		/* the answer, where it is heard when it comes */
#define REFUSED_MS 2000			/* the store granted nothing of what was planned: try again after */
#define TAKE_MAX 64			/* requests taken from the budget in one go */
#define FRESH_MS 1000			/* an entry that was queued longer is looked up in the store once more */

/* Another host or vtmilterctl may have answered it. */
static bool may_be_answered(const struct vtm_entry *e)
{
	return !e->in_flight && e->op == VTM_OP_LOOKUP && e->class != VTM_CLASS_REASK;
}

static bool answered_elsewhere(struct vtm_sched *s, struct vtm_entry *e)
{
	struct vtm_cached found = { 0 };
	GError *error = NULL;

	if (!may_be_answered(e) ||
	    !vtm_sched_check_store(s, vtm_store_verdicts_get(s->set.store, &e->lookup->key, 1, &found, &error),
			      &error) || !found.found)
		return false;
	vtm_sched_take_answer(s, e, &found);
	return true;
}

/* The keys of what messages wait for and another host may have answered. */
static GArray *waited_for(struct vtm_sched *s)
{
	GArray *keys = g_array_new(FALSE, FALSE, sizeof(struct vtm_key));

	for (GSequenceIter *i = g_sequence_get_begin_iter(s->waiting); !g_sequence_iter_is_end(i);
	     i = g_sequence_iter_next(i)) {
		const struct vtm_ticket *t = g_sequence_get(i);

		for (unsigned w = 0; w < t->n && keys->len < VTM_STORE_BATCH; w++) {
			const struct vtm_entry *e = vtm_queue_find(s->queue, &t->wants[w].lookup->key);

			if (e && may_be_answered(e))
				g_array_append_val(keys, e->lookup->key);
		}
	}
	return keys;
}

/* Are these answered by now? */
static void look_for(struct vtm_sched *s, const GArray *keys)
{
	struct vtm_cached *found = g_new0(struct vtm_cached, keys->len + 1);
	GError *error = NULL;
	bool fine = vtm_sched_check_store(s, vtm_store_verdicts_get(s->set.store,
							       (const struct vtm_key *)(void *)keys->data,
							       keys->len, found, &error), &error);

	for (guint i = 0; fine && i < keys->len; i++) {
		struct vtm_entry *e = vtm_queue_find(s->queue, &g_array_index(keys, struct vtm_key, i));

		if (found[i].found && e && may_be_answered(e))
			vtm_sched_take_answer(s, e, &found[i]);
	}
	g_free(found);
}

static int64_t others_pause(const struct vtm_sched *s)
{
	return vtm_store_is_watching(s->set.store) ? LEASE_NET_MS : VTM_SCHED_OTHERS_MS;
}

/* Another host is done with these.  Where it got no answer, it may be our turn. */
static void take_heard(struct vtm_sched *s, int64_t now)
{
	struct vtm_key heard[VTM_STORE_BATCH];
	bool missed;
	unsigned n = vtm_store_take_ended(s->set.store, heard, &missed);
	GArray *keys = g_array_new(FALSE, FALSE, sizeof(struct vtm_key));

	if (missed)
		s->others_due_ms = now;
	if (n && now >= s->spent_due_ms)
		s->view_stale = true;
	for (unsigned i = 0; i < n; i++) {
		struct vtm_entry *e = vtm_queue_find(s->queue, &heard[i]);

		if (!e || !may_be_answered(e))
			continue;
		g_array_append_val(keys, heard[i]);
		if (e->elsewhere) {
			e->not_before_ms = now;
			vtm_queue_place(s->queue, e, now);
		}
	}
	if (keys->len)
		look_for(s, keys);
	g_array_unref(keys);
}

void vtm_sched_look_at_others(struct vtm_sched *s, int64_t now)
{
	GArray *keys;

	if (!s->set.store || !vtm_store_shared(s->set.store))
		return;
	take_heard(s, now);
	if (now < s->others_due_ms || !vtm_queue_size(s->queue))
		return;
	s->others_due_ms = now + others_pause(s);
	s->view_stale = true;
	keys = waited_for(s);
	look_for(s, keys);
	g_array_unref(keys);
}

/* Is it ours to ask?  If another host is at it, we look for its answer a little later. */
static bool lease(struct vtm_sched *s, struct vtm_entry *e, int64_t now)
{
	GError *error = NULL;
	int rc = vtm_store_lease(s->set.store, &e->lookup->key, LEASE_MS, &error);

	if (!vtm_sched_check_store(s, rc, &error))
		return false;
	e->elsewhere = rc == 0;
	if (rc == 0) {
		e->not_before_ms = now + others_pause(s);
		vtm_queue_place(s->queue, e, now);
	}
	return rc == 1;
}

/* May <e> be asked now, by us?  -1: it is gone, having been answered, or the store fails. */
static int ours_to_ask(struct vtm_sched *s, struct vtm_entry *e, int64_t now)
{
	bool shared = vtm_store_shared(s->set.store);
	struct vtm_key key = e->lookup->key;

	if (!shared && now - e->since_ms >= FRESH_MS && answered_elsewhere(s, e))
		return -1;
	if (s->stats.store_failing)
		return -1;
	if (!lease(s, e, now))
		return 0;
	/* only with the lease in hand: before, its holder may have answered between the look and the lease */
	if (shared && answered_elsewhere(s, e)) {
		vtm_store_lease_drop(s->set.store, &key, NULL);
		return -1;
	}
	return 1;
}

/* By points: may <e> be sent after <n> others? */
static bool pace_allows(const struct vtm_sched *s, const struct vtm_entry *e, enum vtm_line line, unsigned n)
{
	if (!s->set.by_points || s->set.manual)
		return true;
	if (line == VTM_LINE_MAIL)
		return e->worth >= vtm_sched_floor(s, n);
	return line != VTM_LINE_DRAW || vtm_sched_draw_open(s, n);
}

/* The sender's share may have been used up since <e> was queued: then it goes behind all others. */
static bool put_back(struct vtm_sched *s, struct vtm_entry *e)
{
	if (!vtm_class_is_mail(e->class) || e->points & 1u << VTM_POINTS_SHARE ||
	    !vtm_sched_share_full(s, e->network, e->domain, e->worth))
		return false;
	e->lot = 0;
	vtm_sched_set_points(s, e, vtm_points_with(e->points, VTM_POINTS_SHARE));
	return true;
}

/* Fills <batch> with the next entries of one line that may be asked, at most <max>; returns how many. */
static unsigned pick(struct vtm_sched *s, struct vtm_entry **batch, unsigned max, int64_t now)
{
	bool open[VTM_LINES];
	unsigned n = 0, room;

	vtm_sched_open_lines(s, open);
	for (int l = 0; l < VTM_LINES && !n; l++) {
		enum vtm_line line = (enum vtm_line)l;
		GSequenceIter *i;

		if (!open[l])
			continue;
		room = MIN(max, vtm_sched_minute_room(s, line, now));
		i = vtm_queue_first(s->queue, line);
		while (n < room && !g_sequence_iter_is_end(i)) {
			struct vtm_entry *e = g_sequence_get(i);
			int ours;

			i = g_sequence_iter_next(i);
			if (!pace_allows(s, e, line, n))
				break;
			if (put_back(s, e))
				continue;
			ours = ours_to_ask(s, e, now);
			if (ours < 0)
				return 0;	/* others may have gone with it: pick anew */
			if (ours)
				batch[n++] = e;
		}
	}
	return n;
}

static void send_one(struct vtm_sched *s, struct vtm_entry *e, vtm_slot slot, int64_t now)
{
	enum vtm_class class = e->class;

	vtm_queue_lift(s->queue, e);
	e->in_flight = true;
	e->has_slot = true;
	e->slot = slot;
	e->started_ms = now;
	s->in_flight++;
	if (s->set.start(s->set.arg, (enum vtm_op)e->op, e->lookup, e->analysis, e) < 0) {
		struct vtm_report r = { .verdict = VTM_BYPASSED, .reason = VTM_WHY_REJECTED };
		GError *error = NULL;

		/* it cannot be asked at all; its slot was spent in vain */
		s->in_flight--;
		vtm_sched_check_store(s, vtm_store_budget_settle(s->set.store, slot, &error), &error);
		vtm_sched_finish(s, e, &r);
		return;
	}
	if (vtm_log_wants(VTM_LOG_DEBUG)) {
		char hex[65];

		vtm_key_hex(&e->lookup->key, hex);
		vtm_log(VTM_LOG_DEBUG, "queue: asking about %s %s after %" G_GINT64_FORMAT " ms, %u behind it: %s",
			vtm_lookup_kind_name((enum vtm_lookup_kind)e->lookup->key.kind), hex, now - e->since_ms,
			vtm_queue_size(s->queue) - s->in_flight, vtm_class_why(class));
	}
	if (vtm_class_is_mail(class)) {
		vtm_sched_note_sent(s, e);
		s->stats.asked_by_points[vtm_sched_points_index(e->worth)]++;
		s->stats.drawn += e->lot != 0;
	}
	s->stats.asked[class]++;
	s->stats.reasks += class == VTM_CLASS_REASK;
	s->stats.submissions += class == VTM_CLASS_SUBMIT;
}

/* How many requests may be tried for now. */
static unsigned send_room(const struct vtm_sched *s, int64_t now)
{
	unsigned room = s->in_flight < s->set.max_in_flight ? s->set.max_in_flight - s->in_flight : 0;

	if (s->breaker.state != VTM_CIRCUIT_CLOSED)
		room = MIN(room, 1);
	room = MIN(room, vtm_sched_minute_room(s, VTM_LINE_MANUAL, now));
	return MIN(room, TAKE_MAX);
}

/* One round: picks, takes from the budget, sends.  True if another round may be worth it. */
static bool send_round(struct vtm_sched *s, int64_t now)
{
	struct vtm_entry *batch[TAKE_MAX];
	vtm_slot slots[TAKE_MAX];
	uint64_t before = s->stats.cached_store;
	unsigned room = send_room(s, now), n;
	GError *error = NULL;
	int granted;

	if (!room || now < s->refused_until_ms || !vtm_breaker_would_allow(&s->breaker, now))
		return false;
	n = pick(s, batch, room, now);
	if (!n)
		return s->stats.cached_store != before && !s->stats.store_failing;
	granted = vtm_store_budget_take(s->set.store, &s->limits, vtm_sched_spender(s, batch[0]->class), n, slots,
					&error);
	s->view_stale = true;
	if (g_error_matches(error, VTM_ERROR, VTM_ERROR_BUDGET_LOST)) {
		vtm_sched_budget_lost(s, now);
		g_clear_error(&error);
		granted = 0;
	}
	if (!vtm_sched_check_store(s, granted, &error))
		granted = 0;
	if (granted > 0)
		vtm_sched_budget_found(s);
	if (granted > 0 && !vtm_breaker_allows(&s->breaker, now))
		granted = 0;
	for (unsigned i = 0; i < n; i++) {
		if ((int)i < granted)
			send_one(s, batch[i], slots[i], now);
		else	/* not ours to ask after all */
			vtm_store_lease_drop(s->set.store, &batch[i]->lookup->key, NULL);
	}
	if ((unsigned)granted < n)	/* other hosts were quicker */
		s->plan_stale = true;
	if (!granted) {
		s->refused_until_ms = now + REFUSED_MS;
		return false;
	}
	vtm_sched_refresh(s);
	return true;
}

void vtm_sched_send_all(struct vtm_sched *s, int64_t now)
{
	if (!s->set.store || (!s->quotas_known && now < s->quotas_hold_ms))
		return;
	while (send_round(s, now))
		;
}
