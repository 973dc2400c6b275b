/* SPDX-License-Identifier: BSD-2-Clause */
/* sched.c - which look-up is asked when, who waits for it, who is told. */
#include "sched.h"

#include <string.h>

#include "error.h"
#include "log.h"

#define ANSWER_FIRST_MS 600		/* what an answer is thought to take before any came */
#define ANSWER_FIRST_DEV_MS 200
#define ANSWER_STEP_MS 1000		/* and how much more than expected is believed at once */
#define RETRY_MS 2000			/* first pause after a failure; doubles up to */
#define RETRY_MAX_MS 600000
#define POLL_MS 15000			/* first pause before an analysis is polled; doubles up to */
#define POLL_MAX_MS 240000
#define POLLS_MAX 8			/* then the url stays unknown */
#define LEASE_MS 45000			/* longer than a request can last */
#define LEASE_POLL_MS 1000		/* how often another host's answer is looked for, and what the others spent */
#define LEASE_NET_MS 5000		/* the answer, where it is heard when it comes */
#define QUOTAS_MS 3600000		/* how often the server's own count is read */
#define QUOTAS_RETRY_MS 300000	/* and when that failed */
#define QUOTAS_LOST_MS 60000		/* how often, while the store does not know */
#define QUOTAS_FIRST_MS 10000		/* requests wait so long for it at start */
#define REFUSED_MS 2000			/* the store granted less than planned: plan again after */
#define TAKE_MAX 64			/* requests taken from the budget in one go */
#define PACE_MS 60000			/* how often it is looked whether the day has passed far enough */
#define FRESH_MS 1000			/* an entry that was queued longer is looked up in the store once more */
#define SHARES_MAX 65536		/* networks and domains whose share is counted */

/* Classes as the store knows them: by their places here, which stay. */
static const enum vtm_class stored_classes[] = {
	VTM_CLASS_RISKY, VTM_CLASS_URL_FIRST, VTM_CLASS_URL_MORE, VTM_CLASS_OTHER, VTM_CLASS_SUBMIT, VTM_CLASS_REASK
};

static const int64_t reask_after_ms[] = { 3600000, 6 * 3600000, 24 * 3600000 };

/* One want of one ticket, hung on an entry. */
struct waiter {
	struct vtm_ticket *ticket;
	struct vtm_want *want;
};

struct vtm_sched {
	struct vtm_sched_settings set;
	struct vtm_budget_limits limits;	/* the tighter of the configured and the server's */
	struct vtm_queue *queue;
	GSequence *waiting;			/* tickets by deadline */
	struct vtm_breaker breaker;
	struct vtm_budget view;			/* as last read from the store */
	bool view_stale;
	int64_t day_ends_ms;			/* boot ms at which the next UTC day begins */
	int64_t day;				/* of view, to see it change */
	int64_t others_due_ms;			/* when to look again what other hosts answered */
	int64_t spent_due_ms;			/* and what they spent, at the earliest */
	int64_t refused_until_ms;		/* the store granted less than the view promised */
	bool plan_stale;			/* who waits must be decided again */
	bool quotas_known, quotas_in_flight;
	int64_t quotas_due_ms, quotas_hold_ms, quotas_asked_ms;
	bool budget_lost;			/* the store does not know what was spent, and the log has it */
	GPtrArray *unstored;			/* entries the store has not got yet; may hold NULLs */
	GHashTable *shares;			/* network or domain -> requests queued today */
	int64_t shares_day;
	double answer_ms, answer_dev_ms;
	unsigned in_flight;
	struct vtm_sched_stats stats;
};

/* The tag of a request that is nobody's entry. */
static char quotas_tag;

static int64_t now_ms(const struct vtm_sched *s)
{
	return vtm_boot_ms(s->set.clock);
}

/* ---- the store, which may fail at any time ------------------------------------- */

/* Counts an error and forgets it; true if the call succeeded. */
static bool stored_ok(struct vtm_sched *s, int rc, GError **error)
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
	int64_t shift = vtm_utc_ms(s->set.clock) - now_ms(s);

	memset(q, 0, sizeof(*q));
	q->lookup = e->lookup;
	q->op = e->op;
	q->class = stored_class(e->class);
	q->since_ms = e->since_ms + shift;
	q->not_before_ms = e->not_before_ms ? e->not_before_ms + shift : 0;
	q->attempts = (int)e->attempts;
	q->analysis = e->analysis;
}

static void want_stored(struct vtm_sched *s, struct vtm_entry *e)
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

static void store_queue(struct vtm_sched *s)
{
	GError *error = NULL;

	if (!s->unstored->len || !s->set.store)
		return;
	if (!stored_ok(s, vtm_store_begin(s->set.store, &error), &error))
		return;
	for (guint i = 0; i < s->unstored->len; i++) {
		struct vtm_entry *e = s->unstored->pdata[i];
		struct vtm_queued q;

		if (!e)
			continue;
		to_queued(s, e, &q);
		if (!stored_ok(s, vtm_store_queue_put(s->set.store, &q, &error), &error))
			return;
	}
	if (!stored_ok(s, vtm_store_commit(s->set.store, &error), &error))
		return;
	for (guint i = 0; i < s->unstored->len; i++)
		if (s->unstored->pdata[i])
			((struct vtm_entry *)s->unstored->pdata[i])->stored = true;
	g_ptr_array_set_size(s->unstored, 0);
}

/* ---- the budget as planned ------------------------------------------------------ */

static void new_day(struct vtm_sched *s)
{
	s->day = s->view.day;
	s->plan_stale = true;
	if (s->breaker.cause == VTM_WHY_BUDGET)
		vtm_breaker_retry_now(&s->breaker);
	s->quotas_due_ms = 0;
}

/* Reads what is used, if anything may have changed it. */
static void refresh_view(struct vtm_sched *s)
{
	GError *error = NULL;
	int64_t now = now_ms(s), utc;

	if (!s->set.store || (!s->view_stale && now < s->day_ends_ms))
		return;
	if (!stored_ok(s, vtm_store_budget_read(s->set.store, &s->view, &error), &error) ||
	    !stored_ok(s, vtm_store_budget_utc(s->set.store, &utc, &error), &error))
		return;
	s->view_stale = false;
	s->spent_due_ms = now + LEASE_POLL_MS;
	s->day_ends_ms = now + vtm_budget_next_day_ms(utc) - utc;
	if (s->view.day != s->day)
		new_day(s);
}

/* Slots taken at <now>. */
static unsigned slots_taken(const struct vtm_sched *s, int64_t now)
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

/* Requests of <class> that the minute has left. */
static unsigned window_room(const struct vtm_sched *s, enum vtm_class class, int64_t now)
{
	uint32_t most = minute_of(s, class);
	unsigned taken = slots_taken(s, now);

	return !most ? G_MAXUINT : taken < most ? most - taken : 0;
}

static enum vtm_spender spender(const struct vtm_sched *s, enum vtm_class class)
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
	int64_t passed = day_ms - (s->day_ends_ms - now_ms(s));

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

/* Which classes may spend anything today. */
static void open_classes(const struct vtm_sched *s, bool open[VTM_CLASSES])
{
	for (int c = 0; c < VTM_CLASSES; c++)
		open[c] = left_today(s, spender(s, (enum vtm_class)c)) > 0;
	if (!bulk_may(s))
		open[VTM_CLASS_BULK] = false;
	if (!s->set.reask_unknown || !ahead_of_pace(s, s->limits.per_day))
		open[VTM_CLASS_REASK] = false;
}

static int64_t answer_bound(const struct vtm_sched *s)
{
	return (int64_t)(s->answer_ms + 2 * s->answer_dev_ms);
}

/* Why <e> cannot be answered by <deadline>; VTM_WHY_NONE: it can.  This is the proof that a wait is worth it: the
 * rank in the queue, the window, the day, and what answers take. */
static enum vtm_reason why_not(const struct vtm_sched *s, const struct vtm_entry *e, int64_t deadline)
{
	int64_t now = now_ms(s), start;
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
		return VTM_WHY_BUDGET;
	open_classes(s, open);
	rank = vtm_queue_rank(s->queue, e, open);
	if (!open[e->class] || rank >= left_today(s, spender(s, e->class)))
		return VTM_WHY_BUDGET;
	start = vtm_budget_slot_at(&s->limits, &s->view, MAX(now, s->refused_until_ms), rank, answer_bound(s));
	start = MAX(start, now + (int64_t)((s->in_flight + rank) / s->set.max_in_flight) * answer_bound(s));
	/* where another host is at it, that is only when we look again */
	start = MAX(start, e->elsewhere ? MIN(e->not_before_ms, now + LEASE_POLL_MS) : e->not_before_ms);
	return start + answer_bound(s) <= deadline ? VTM_WHY_NONE : VTM_WHY_TIME;
}

/* ---- tickets --------------------------------------------------------------------- */

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
		const struct waiter *w = e->waiters->pdata[i];

		if (w->want->holds)
			first = MIN(first, w->ticket->deadline_ms);
	}
	if (first == e->deadline_ms)
		return;
	e->deadline_ms = first;
	if (!e->in_flight)
		vtm_queue_place(s->queue, e, now_ms(s));
}

/* Takes <t>'s waiters off the entry of <w>. */
static void unhook(struct vtm_sched *s, const struct vtm_ticket *t, const struct vtm_want *w)
{
	struct vtm_entry *e = vtm_queue_find(s->queue, &w->lookup->key);

	if (!e)
		return;
	for (guint i = e->waiters->len; i-- > 0;) {
		struct waiter *x = e->waiters->pdata[i];

		if (x->ticket == t) {
			g_ptr_array_remove_index_fast(e->waiters, i);
			g_free(x);
		}
	}
	set_deadline(s, e);
}

/* Hands the ticket back.  What has no answer yet keeps the reason why nobody waits for it. */
static void release(struct vtm_sched *s, struct vtm_ticket *t, uint64_t *counter)
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

/* The want has its last word (an answer or a reason why there is none). */
static void settle_want(struct vtm_ticket *t, struct vtm_want *w)
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

static void refuse(struct vtm_want *w, enum vtm_reason why)
{
	w->report = (struct vtm_report){ .verdict = VTM_BYPASSED, .reason = why };
}

static void answer_want(struct vtm_want *w, const struct vtm_report *r)
{
	w->report = *r;
	w->answered = true;
}

/* Decides for every waiting ticket again whether its waits are still worth it. */
static void replan(struct vtm_sched *s)
{
	GSequenceIter *i = g_sequence_get_begin_iter(s->waiting);

	s->plan_stale = false;
	while (!g_sequence_iter_is_end(i)) {
		struct vtm_ticket *t = g_sequence_get(i);

		i = g_sequence_iter_next(i);
		for (unsigned n = 0; n < t->n; n++) {
			struct vtm_want *w = &t->wants[n];
			struct vtm_entry *e = w->holds ? vtm_queue_find(s->queue, &w->lookup->key) : NULL;
			enum vtm_reason why = e ? why_not(s, e, t->deadline_ms) : VTM_WHY_NONE;

			if (why == VTM_WHY_NONE)
				continue;
			settle_want(t, w);
			pend(w, why);
			set_deadline(s, e);
		}
		if (!t->waiting_for)
			release(s, t, &s->stats.released_unadmitted);
	}
}

/* ---- entries ----------------------------------------------------------------------- */

/* Everyone who hangs on <e> gets <r> (or, if it is no answer, its reason); then <e> is gone from memory and store. */
static void finish(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_report *r)
{
	GPtrArray *waiters = e->waiters, *done = g_ptr_array_new();
	struct vtm_key key = e->lookup->key;
	GError *error = NULL;

	e->waiters = g_ptr_array_new();
	if (!e->stored)
		drop_unstored(s, e);
	if (s->set.store) {
		if (!s->set.manual || vtm_verdict_is_answer(r->verdict))
			stored_ok(s, vtm_store_queue_delete(s->set.store, &key, &error), &error);
		stored_ok(s, vtm_store_lease_end(s->set.store, &key, &error), &error);
	}
	vtm_queue_remove(s->queue, e);
	for (guint i = 0; i < waiters->len; i++) {
		struct waiter *w = waiters->pdata[i];

		if (vtm_verdict_is_answer(r->verdict))
			answer_want(w->want, r);
		else
			refuse(w->want, r->reason);
		settle_want(w->ticket, w->want);
		/* once each, and not looked at after its release: it is its owner's then */
		if (!w->ticket->waiting_for && w->ticket->place && !g_ptr_array_find(done, w->ticket, NULL))
			g_ptr_array_add(done, w->ticket);
	}
	for (guint i = 0; i < done->len; i++)
		release(s, done->pdata[i], &s->stats.released_answered);
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
	int64_t now = now_ms(s);

	if (!s->set.reask_unknown || lookup->key.kind != VTM_LOOKUP_FILE || done >= G_N_ELEMENTS(reask_after_ms) ||
	    vtm_queue_size(s->queue) >= s->set.max_queue)
		return;
	e = vtm_queue_add(s->queue, lookup, VTM_CLASS_REASK, now);
	e->op = VTM_OP_LOOKUP;
	e->attempts = done;
	e->not_before_ms = now + reask_after_ms[done];
	e->stored = true;
	want_stored(s, e);
	vtm_queue_place(s->queue, e, now);
}

/* An answer of VirusTotal, fresh or found in the store. */
static void complete(struct vtm_sched *s, struct vtm_entry *e, struct vtm_report r, bool fresh)
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
			stored_ok(s, vtm_store_verdict_put(s->set.store, lookup, &r, expires, &error), &error);
	}
	if (!e->waiters->len)
		s->stats.late_answers++;
	finish(s, e, &r);
	s->set.answered(s->set.arg, lookup, &r);
	if (r.verdict == VTM_UNKNOWN && fresh)
		plan_reask(s, lookup, asked_again);
	vtm_lookup_free(lookup);
	s->plan_stale = true;
}

static void drop(struct vtm_sched *s, struct vtm_entry *e, uint64_t *counter)
{
	struct vtm_report r = { .verdict = VTM_BYPASSED, .reason = VTM_WHY_QUEUE };

	(*counter)++;
	vtm_log_limited(VTM_LOG_WARNING, "queue-drop", "queue: dropped a look-up of class %s (%u queued)",
			vtm_class_name(e->class), vtm_queue_size(s->queue));
	finish(s, e, &r);
}

/* Puts an entry back into the queue. */
static void requeue(struct vtm_sched *s, struct vtm_entry *e, int64_t not_before)
{
	e->not_before_ms = not_before;
	want_stored(s, e);
	vtm_queue_place(s->queue, e, now_ms(s));
	s->plan_stale = true;
}

static int64_t doubled(int64_t first, unsigned n, int64_t max)
{
	while (n-- > 0 && first < max)
		first *= 2;
	return MIN(first, max);
}

/* 50 to 150 % of <ms>, so that hosts and look-ups do not come back in step. */
static int64_t jittered(int64_t ms)
{
	return ms / 2 + g_random_int_range(0, (gint32)MIN(ms, G_MAXINT32 - 1) + 1);
}

/* ---- shares ------------------------------------------------------------------------ */

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

/* ---- adding a ticket ------------------------------------------------------------------ */

static bool from_cache(struct vtm_sched *s, struct vtm_want *w)
{
	struct vtm_report r;

	if (vtm_cache_get(s->set.cache, &w->lookup->key, &r) != 1)
		return false;
	vtm_report_judge(&r, s->set.threshold);
	answer_want(w, &r);
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
		       stored_ok(s, vtm_store_verdicts_get(s->set.store, keys + i, MIN(n - i, VTM_STORE_BATCH),
							   found + i, &error), &error);
	for (unsigned i = 0; i < n; i++) {
		struct vtm_want *w = &t->wants[at[i]];

		if (!found[i].found)
			continue;
		vtm_cache_put(s->set.cache, &w->lookup->key, &found[i].report, found[i].expires_ms);
		vtm_report_judge(&found[i].report, s->set.threshold);
		answer_want(w, &found[i].report);
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
	drop(s, least, &s->stats.dropped);
	return true;
}

/* The entry that will answer <w>: one that is there (made more urgent if need be) or a new one.  NULL: none, <why_r>
 * says why. */
static struct vtm_entry *entry_for(struct vtm_sched *s, const struct vtm_ticket *t, const struct vtm_want *w,
				   enum vtm_reason *why_r)
{
	struct vtm_entry *e = vtm_queue_find(s->queue, &w->lookup->key);
	int64_t now = now_ms(s);

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
			want_stored(s, e);
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
	want_stored(s, e);
	vtm_queue_place(s->queue, e, now);
	return e;
}

static void hang_on(struct vtm_entry *e, struct vtm_ticket *t, struct vtm_want *w)
{
	struct waiter *x = g_new(struct waiter, 1);

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

		if (w->answered)
			continue;
		if (!left) {
			refuse(w, VTM_WHY_CAP);
			continue;
		}
		left--;
		e = entry_for(s, t, w, &why);
		if (!e) {
			refuse(w, why);
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
		why = room ? why_not(s, e, t->deadline_ms) : VTM_WHY_TIME;
		if (why == VTM_WHY_NONE)
			continue;
		settle_want(t, w);
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
				refuse(&t->wants[i], VTM_WHY_STORE);
		release(s, t, &s->stats.released_unadmitted);
		return;
	}
	refresh_view(s);
	queue_wants(s, t);
	admit(s, t);
	s->plan_stale = true;	/* others may stand behind it now */
	if (!t->waiting_for) {
		release(s, t, &s->stats.released_unadmitted);
		return;
	}
	t->place = g_sequence_insert_sorted(s->waiting, t, by_deadline, NULL);
	s->stats.waiting++;
	s->stats.waiting_max = MAX(s->stats.waiting_max, s->stats.waiting);
}

void vtm_sched_cancel(struct vtm_sched *s, struct vtm_ticket *t)
{
	release(s, t, &s->stats.released_deadline);
}

void vtm_sched_release_all(struct vtm_sched *s)
{
	while (g_sequence_get_length(s->waiting))
		release(s, g_sequence_get(g_sequence_get_begin_iter(s->waiting)), &s->stats.released_deadline);
}

/* ---- sending ---------------------------------------------------------------------------- */

static void ask_quotas(struct vtm_sched *s, int64_t now)
{
	if (s->quotas_in_flight || now < s->quotas_due_ms)
		return;
	s->quotas_due_ms = now + QUOTAS_MS;
	s->quotas_asked_ms = now;
	if (s->set.start(s->set.arg, VTM_OP_QUOTAS, NULL, NULL, &quotas_tag) < 0) {
		s->quotas_known = true;
		return;
	}
	s->quotas_in_flight = true;
	if (!s->quotas_hold_ms)
		s->quotas_hold_ms = now + QUOTAS_FIRST_MS;
}

/* Another host or vtmilterctl may have answered it. */
static bool may_be_answered(const struct vtm_entry *e)
{
	return !e->in_flight && e->op == VTM_OP_LOOKUP && e->class != VTM_CLASS_REASK;
}

/* It was: it is complete, and gone. */
static void take_answer(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_cached *found)
{
	s->stats.cached_store++;
	vtm_cache_put(s->set.cache, &e->lookup->key, &found->report, found->expires_ms);
	complete(s, e, found->report, false);
}

static bool answered_elsewhere(struct vtm_sched *s, struct vtm_entry *e)
{
	struct vtm_cached found = { 0 };
	GError *error = NULL;

	if (!may_be_answered(e) ||
	    !stored_ok(s, vtm_store_verdicts_get(s->set.store, &e->lookup->key, 1, &found, &error),
		       &error) || !found.found)
		return false;
	take_answer(s, e, &found);
	return true;
}

void vtm_sched_tell(struct vtm_sched *s, const struct vtm_lookup *lookup)
{
	struct vtm_entry *e = vtm_queue_find(s->queue, &lookup->key);
	struct vtm_cached found = { 0 };
	GError *error = NULL;

	vtm_cache_forget(s->set.cache, &lookup->key);
	if (!s->set.store ||
	    !stored_ok(s, vtm_store_verdicts_get(s->set.store, &lookup->key, 1, &found, &error), &error) || !found.found)
		return;
	if (e && !e->in_flight) {
		take_answer(s, e, &found);
		return;
	}
	/* one that is in flight ends by itself */
	vtm_cache_put(s->set.cache, &lookup->key, &found.report, found.expires_ms);
	vtm_report_judge(&found.report, s->set.threshold);
	s->set.answered(s->set.arg, lookup, &found.report);
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
	bool fine = stored_ok(s, vtm_store_verdicts_get(s->set.store, (const struct vtm_key *)(void *)keys->data,
							keys->len, found, &error), &error);

	for (guint i = 0; fine && i < keys->len; i++) {
		struct vtm_entry *e = vtm_queue_find(s->queue, &g_array_index(keys, struct vtm_key, i));

		if (found[i].found && e && may_be_answered(e))
			take_answer(s, e, &found[i]);
	}
	g_free(found);
}

static int64_t others_pause(const struct vtm_sched *s)
{
	return vtm_store_hears(s->set.store) ? LEASE_NET_MS : LEASE_POLL_MS;
}

/* Another host is done with these.  Where it got no answer, it may be our turn. */
static void take_heard(struct vtm_sched *s, int64_t now)
{
	struct vtm_key heard[VTM_STORE_BATCH];
	bool missed;
	unsigned n = vtm_store_watched(s->set.store, heard, &missed);
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

/* Where several hosts share the store: what did the others answer and spend? */
static void look_at_others(struct vtm_sched *s, int64_t now)
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

	if (!stored_ok(s, rc, &error))
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

/* Fills <batch> with the next entries of one class that may be asked, at most <max>; returns how many. */
static unsigned pick(struct vtm_sched *s, struct vtm_entry **batch, unsigned max, int64_t now)
{
	bool open[VTM_CLASSES];
	unsigned n = 0, room;

	open_classes(s, open);
	for (int c = 0; c < VTM_CLASSES && !n; c++) {
		GSequenceIter *i;

		if (!open[c])
			continue;
		room = MIN(max, window_room(s, (enum vtm_class)c, now));
		i = vtm_queue_first(s->queue, (enum vtm_class)c);
		while (n < room && !g_sequence_iter_is_end(i)) {
			struct vtm_entry *e = g_sequence_get(i);
			int ours;

			i = g_sequence_iter_next(i);
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
		stored_ok(s, vtm_store_budget_settle(s->set.store, slot, &error), &error);
		finish(s, e, &r);
		return;
	}
	if (vtm_log_wants(VTM_LOG_DEBUG)) {
		char hex[65];

		vtm_key_hex(&e->lookup->key, hex);
		vtm_log(VTM_LOG_DEBUG, "queue: asking about %s %s after %" G_GINT64_FORMAT " ms, %u behind it: %s",
			vtm_lookup_kind_name((enum vtm_lookup_kind)e->lookup->key.kind), hex, now - e->since_ms,
			vtm_queue_size(s->queue) - s->in_flight, vtm_class_why(class));
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
	room = MIN(room, window_room(s, VTM_CLASS_MANUAL, now));
	return MIN(room, TAKE_MAX);
}

/* The store forgot what was spent: nothing is sent until VirusTotal's own count is there. */
static void budget_lost(struct vtm_sched *s, int64_t now)
{
	if (!s->budget_lost)
		vtm_log(VTM_LOG_WARNING, "budget: the store does not know what was spent (new, flushed or restarted); "
			"nothing is asked until VirusTotal's own count is read");
	s->budget_lost = s->plan_stale = true;
	if (!s->quotas_in_flight && now - s->quotas_asked_ms >= QUOTAS_LOST_MS)
		s->quotas_due_ms = now;
}

static void budget_found(struct vtm_sched *s)
{
	if (s->budget_lost)
		vtm_log(VTM_LOG_NOTICE, "budget: what was spent is known again");
	s->budget_lost = false;
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
	granted = vtm_store_budget_take(s->set.store, &s->limits, spender(s, batch[0]->class), n, slots, &error);
	s->view_stale = true;
	if (g_error_matches(error, VTM_ERROR, VTM_ERROR_BUDGET_LOST)) {
		budget_lost(s, now);
		g_clear_error(&error);
		granted = 0;
	}
	if (!stored_ok(s, granted, &error))
		granted = 0;
	if (granted > 0)
		budget_found(s);
	if (granted > 0 && !vtm_breaker_allows(&s->breaker, now))
		granted = 0;
	for (unsigned i = 0; i < n; i++) {
		if ((int)i < granted)
			send_one(s, batch[i], slots[i], now);
		else	/* not ours to ask after all */
			vtm_store_lease_drop(s->set.store, &batch[i]->lookup->key, NULL);
	}
	if ((unsigned)granted < n) {
		s->refused_until_ms = now + REFUSED_MS;
		s->plan_stale = true;
		return false;
	}
	refresh_view(s);
	return true;
}

static void send_all(struct vtm_sched *s, int64_t now)
{
	if (!s->set.store || (!s->quotas_known && now < s->quotas_hold_ms))
		return;
	while (send_round(s, now))
		;
}

/* ---- time ----------------------------------------------------------------------------------- */

static void expire(struct vtm_sched *s, int64_t now)
{
	struct vtm_entry *e;

	while ((e = vtm_queue_oldest(s->queue)) && !e->in_flight && now - e->since_ms > s->set.pending_lifetime_ms)
		drop(s, e, &s->stats.expired);
}

static void release_due(struct vtm_sched *s, int64_t now)
{
	for (;;) {
		GSequenceIter *i = g_sequence_get_begin_iter(s->waiting);
		struct vtm_ticket *t;

		if (g_sequence_iter_is_end(i))
			return;
		t = g_sequence_get(i);
		if (t->deadline_ms > now)
			return;
		release(s, t, &s->stats.released_deadline);
	}
}

/* When something that is ready could be sent. */
static int64_t next_send(const struct vtm_sched *s, int64_t now)
{
	struct vtm_budget_limits limits = s->limits;
	bool open[VTM_CLASSES], any = false;
	int64_t at = MAX(now, s->refused_until_ms);

	if (!s->set.store)
		return INT64_MAX;
	open_classes(s, open);
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

static int64_t next_wake(const struct vtm_sched *s, int64_t now)
{
	GSequenceIter *i = g_sequence_get_begin_iter(s->waiting);
	const struct vtm_entry *oldest = vtm_queue_oldest(s->queue);
	int64_t at = MIN(vtm_queue_next_ripe(s->queue), next_send(s, now));

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
	int64_t now = now_ms(s);

	if (s->set.store && s->stats.store_failing)
		s->view_stale = true;	/* the read tells whether it works again */
	look_at_others(s, now);
	refresh_view(s);
	store_queue(s);
	if (vtm_queue_ripen(s->queue, now))
		s->plan_stale = true;
	expire(s, now);
	release_due(s, now);
	ask_quotas(s, now);
	send_all(s, now);
	if (s->plan_stale)
		replan(s);
	store_queue(s);
	return MAX(next_wake(s, now), s->stats.store_failing ? now + 1000 : 0);
}

/* ---- results ----------------------------------------------------------------------------------- */

/* One answer that took for ever (a machine that slept meanwhile) must not make waiting look hopeless for long; if they
 * really become slow, the bound grows with each. */
static void learn_time(struct vtm_sched *s, int64_t took)
{
	double bound = s->answer_ms + 4 * s->answer_dev_ms + ANSWER_STEP_MS;
	double error = MIN((double)took, bound) - s->answer_ms;

	s->answer_ms += error / 8;
	s->answer_dev_ms += ((error < 0 ? -error : error) - s->answer_dev_ms) / 4;
}

/* The server's clock and the end of the request reach the store. */
static void settle(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_result *r)
{
	GError *error = NULL;

	s->in_flight--;
	e->in_flight = false;
	if (s->set.store) {
		if (e->has_slot)
			stored_ok(s, vtm_store_budget_settle(s->set.store, e->slot, &error), &error);
		if (r->server_utc_ms)
			stored_ok(s, vtm_store_budget_sync(s->set.store, r->server_utc_ms, &error), &error);
	}
	e->has_slot = false;
	s->view_stale = true;
}

static uint32_t tighter(uint32_t configured, int64_t allowed)
{
	if (allowed < 0 || allowed > G_MAXUINT32)
		return configured;
	if (!configured)
		return allowed ? (uint32_t)allowed : 1;
	return (uint32_t)MIN((int64_t)configured, allowed);
}

/* The server's own count: ours is raised to it, and smaller limits are taken over. */
static void take_quotas(struct vtm_sched *s, const struct vtm_result *r)
{
	struct vtm_budget_limits old = s->limits;
	GError *error = NULL;

	s->stats.server_daily = r->daily;
	s->stats.server_monthly = r->monthly;
	s->limits = s->set.limits;
	s->limits.per_day = tighter(s->limits.per_day, r->daily.allowed);
	s->limits.per_month = tighter(s->limits.per_month, r->monthly.allowed);
	if (s->limits.per_day != old.per_day || s->limits.per_month != old.per_month)
		vtm_log(VTM_LOG_WARNING, "budget: the key has %" G_GINT64_FORMAT " requests a day and %" G_GINT64_FORMAT
			" a month; using %u and %u", r->daily.allowed, r->monthly.allowed, s->limits.per_day,
			s->limits.per_month);
	/* the time first: it says which day the count is of */
	if (s->set.store && r->server_utc_ms)
		stored_ok(s, vtm_store_budget_sync(s->set.store, r->server_utc_ms, &error), &error);
	if (s->set.store)
		stored_ok(s, vtm_store_budget_raise(s->set.store, (uint32_t)CLAMP(r->daily.used, 0, G_MAXUINT32),
						    (uint32_t)CLAMP(r->monthly.used, 0, G_MAXUINT32), &error), &error);
}

static void quotas_result(struct vtm_sched *s, const struct vtm_result *r)
{
	s->quotas_in_flight = false;
	s->quotas_known = true;
	s->view_stale = true;
	s->plan_stale = true;
	if (r->answer != VTM_ANSWER_QUOTAS)
		s->quotas_due_ms = MIN(s->quotas_due_ms, now_ms(s) + QUOTAS_RETRY_MS);
	if (r->answer == VTM_ANSWER_QUOTAS)
		take_quotas(s, r);
	else if (r->answer == VTM_ANSWER_DENIED && vtm_breaker_denied(&s->breaker, now_ms(s)))
		vtm_log(VTM_LOG_ERROR, "VirusTotal refuses the API key (HTTP %ld); mail is bypassed, tried again every "
			"%d s", r->status, VTM_BREAKER_DENIED_MS / 1000);
}

static void log_circuit(const struct vtm_sched *s, const struct vtm_result *r, enum vtm_severity severity)
{
	vtm_log(severity, "VirusTotal: circuit %s, cause %s, HTTP %ld%s%s", vtm_circuit_name(s->breaker.state),
		vtm_reason_name(s->breaker.cause), r->status, r->why ? ": " : "", r->why ? r->why : "");
}

static void failed(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_result *r)
{
	int64_t now = now_ms(s), pause;

	if (vtm_breaker_failure(&s->breaker, now))
		log_circuit(s, r, VTM_LOG_ERROR);
	pause = jittered(doubled(RETRY_MS, e->attempts, RETRY_MAX_MS));
	if (e->class != VTM_CLASS_REASK)
		e->attempts++;
	requeue(s, e, now + pause);
}

static void unknown(struct vtm_sched *s, struct vtm_entry *e)
{
	struct vtm_report none = { .verdict = VTM_UNKNOWN };

	complete(s, e, none, true);
}

static void not_found(struct vtm_sched *s, struct vtm_entry *e)
{
	if (e->op != VTM_OP_LOOKUP || !e->submit || e->lookup->key.kind != VTM_LOOKUP_URL) {
		unknown(s, e);
		return;
	}
	e->op = VTM_OP_SUBMIT_URL;
	e->class = VTM_CLASS_SUBMIT;
	e->attempts = 0;
	requeue(s, e, 0);
}

/* Submitted, or still being analysed: poll later, not for ever. */
static void poll_later(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_result *r)
{
	if (r->analysis) {
		g_free(e->analysis);
		e->analysis = g_strdup(r->analysis);
		e->attempts = 0;
	}
	if (!e->analysis || e->attempts >= POLLS_MAX) {
		unknown(s, e);
		return;
	}
	e->op = VTM_OP_ANALYSIS;
	e->class = VTM_CLASS_SUBMIT;
	requeue(s, e, now_ms(s) + doubled(POLL_MS, e->attempts++, POLL_MAX_MS));
}

static void refused_by_quota(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_result *r)
{
	if (vtm_breaker_quota(&s->breaker, now_ms(s), r->retry_after_ms))
		log_circuit(s, r, VTM_LOG_WARNING);
	s->quotas_due_ms = 0;
	requeue(s, e, 0);
}

static const struct { long code; const char *name; } statuses[] = {
	[VTM_STATUS_NONE] = { 0, "none" },
	[VTM_STATUS_200] = { 200, "200" },
	[VTM_STATUS_400] = { 400, "400" },
	[VTM_STATUS_401] = { 401, "401" },
	[VTM_STATUS_403] = { 403, "403" },
	[VTM_STATUS_404] = { 404, "404" },
	[VTM_STATUS_429] = { 429, "429" },
	[VTM_STATUS_2XX] = { 2, "2xx" },
	[VTM_STATUS_3XX] = { 3, "3xx" },
	[VTM_STATUS_4XX] = { 4, "4xx" },
	[VTM_STATUS_5XX] = { 5, "5xx" },
	[VTM_STATUS_OTHER] = { -1, "other" },
};
G_STATIC_ASSERT(G_N_ELEMENTS(statuses) == VTM_STATUSES);

enum vtm_status vtm_status_of(long http_status)
{
	for (unsigned i = 0; i < VTM_STATUS_OTHER; i++)
		if (statuses[i].code == (i < VTM_STATUS_2XX ? http_status : http_status / 100))
			return (enum vtm_status)i;
	return VTM_STATUS_OTHER;
}

const char *vtm_status_name(enum vtm_status s)
{
	return statuses[s].name;
}

void vtm_sched_result(struct vtm_sched *s, const struct vtm_result *r)
{
	struct vtm_entry *e = r->tag;

	s->stats.answers[r->answer]++;
	s->stats.statuses[vtm_status_of(r->status)]++;
	vtm_histogram_add(&s->stats.took, r->took_ms);
	if (r->tag == &quotas_tag) {
		quotas_result(s, r);
		return;
	}
	settle(s, e, r);
	switch (r->answer) {
	case VTM_ANSWER_REPORT:
	case VTM_ANSWER_NOT_FOUND:
	case VTM_ANSWER_SUBMITTED:
	case VTM_ANSWER_ANALYSING:
	case VTM_ANSWER_REJECTED:
	case VTM_ANSWER_QUOTAS:
	case VTM_ANSWER_UPLOAD_URL:
		learn_time(s, r->took_ms);
		if (vtm_breaker_success(&s->breaker))
			vtm_log(VTM_LOG_NOTICE, "VirusTotal: circuit closed, look-ups go on");
		break;
	case VTM_ANSWER_QUOTA:
	case VTM_ANSWER_DENIED:
	case VTM_ANSWER_FAILED:
		break;
	}
	switch (r->answer) {
	case VTM_ANSWER_REPORT:
		complete(s, e, r->report, true);
		break;
	case VTM_ANSWER_NOT_FOUND:
		not_found(s, e);
		break;
	case VTM_ANSWER_REJECTED:	/* it will never take it: remembered like one it does not know */
		unknown(s, e);
		break;
	case VTM_ANSWER_SUBMITTED:
	case VTM_ANSWER_ANALYSING:
		poll_later(s, e, r);
		break;
	case VTM_ANSWER_QUOTA:
		refused_by_quota(s, e, r);
		break;
	case VTM_ANSWER_DENIED:
		if (vtm_breaker_denied(&s->breaker, now_ms(s)))
			vtm_log(VTM_LOG_ERROR,
				"VirusTotal refuses the API key (HTTP %ld); mail is bypassed, tried again "
				"every %d s", r->status, VTM_BREAKER_DENIED_MS / 1000);
		requeue(s, e, 0);
		break;
	case VTM_ANSWER_QUOTAS:		/* no answers to a look-up */
	case VTM_ANSWER_UPLOAD_URL:
	case VTM_ANSWER_FAILED:
		failed(s, e, r);
		break;
	}
}

/* ---- life ------------------------------------------------------------------------------------ */

/* A look-up that the store remembers from an earlier life. */
static void load_one(const struct vtm_queued *q, void *arg)
{
	struct vtm_sched *s = arg;
	int64_t shift = vtm_utc_ms(s->set.clock) - now_ms(s);
	struct vtm_entry *e;

	if (vtm_queue_find(s->queue, &q->lookup->key) || (unsigned)q->class >= G_N_ELEMENTS(stored_classes) ||
	    (unsigned)q->op >= VTM_OP_QUOTAS || vtm_queue_size(s->queue) >= s->set.max_queue)
		return;
	e = vtm_queue_add(s->queue, q->lookup, stored_classes[q->class], MIN(q->since_ms - shift, now_ms(s)));
	e->op = q->op;
	e->not_before_ms = q->not_before_ms ? q->not_before_ms - shift : 0;
	e->attempts = (unsigned)MAX(q->attempts, 0);
	e->analysis = g_strdup(q->analysis);
	e->stored = true;
	vtm_queue_place(s->queue, e, now_ms(s));
}

static void load_queue(struct vtm_sched *s)
{
	GError *error = NULL;

	if (s->set.store && !s->set.manual)
		stored_ok(s, vtm_store_queue_load(s->set.store, s->set.max_queue, load_one, s, &error), &error);
}

struct vtm_sched *vtm_sched_new(const struct vtm_sched_settings *settings)
{
	struct vtm_sched *s = g_new0(struct vtm_sched, 1);

	s->set = *settings;
	s->limits = settings->limits;
	s->queue = vtm_queue_new();
	s->waiting = g_sequence_new(NULL);
	s->unstored = g_ptr_array_new();
	s->shares = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	s->answer_ms = ANSWER_FIRST_MS;
	s->answer_dev_ms = ANSWER_FIRST_DEV_MS;
	s->stats.server_daily.allowed = s->stats.server_monthly.allowed = -1;
	vtm_breaker_init(&s->breaker);
	vtm_budget_init(&s->view);
	s->view_stale = true;
	load_queue(s);
	refresh_view(s);
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
	store_queue(s);
	vtm_queue_foreach(s->queue, free_waiters, NULL);
	vtm_queue_free(s->queue);
	g_sequence_free(s->waiting);
	g_ptr_array_free(s->unstored, TRUE);
	g_hash_table_destroy(s->shares);
	vtm_budget_clear(&s->view);
	g_free(s);
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
}

static void not_stored(struct vtm_entry *e, void *arg)
{
	struct vtm_sched *s = arg;

	want_stored(s, e);
}

/* The store may be another one by now.  One that knows less of the last minute than we do lost it: what was granted
 * then counts until it has run out, if a minute has a limit, and the day's count is asked from VirusTotal. */
static void keep_window(struct vtm_sched *s)
{
	int64_t now = now_ms(s), until = 0;
	unsigned before = slots_taken(s, now);

	if (before)
		until = g_array_index(s->view.window, int64_t, s->view.window->len - 1);
	refresh_view(s);
	if (s->view_stale || slots_taken(s, now) >= before)
		return;
	s->quotas_due_ms = now;
	if (!s->limits.per_minute)
		return;
	vtm_log(VTM_LOG_WARNING, "budget: the store lost what was spent in the last minute; nothing is asked for %"
		G_GINT64_FORMAT " s", (until - now + 999) / 1000);
	s->refused_until_ms = MAX(s->refused_until_ms, until);
}

void vtm_sched_set_store(struct vtm_sched *s, struct vtm_store *store)
{
	s->set.store = store;
	s->stats.store_failing = false;
	s->view_stale = true;
	s->plan_stale = true;
	if (store)
		keep_window(s);
	vtm_queue_foreach(s->queue, not_stored, s);
	load_queue(s);
}

void vtm_sched_retry_now(struct vtm_sched *s)
{
	vtm_breaker_retry_now(&s->breaker);
	s->quotas_due_ms = 0;
}

void vtm_sched_stats(const struct vtm_sched *s, struct vtm_sched_stats *out)
{
	const struct vtm_entry *oldest = vtm_queue_oldest(s->queue);
	int64_t now = now_ms(s);

	*out = s->stats;
	for (int c = 0; c < VTM_CLASSES; c++)
		out->queued[c] = vtm_queue_count(s->queue, (enum vtm_class)c);
	out->in_flight = s->in_flight;
	out->answer_ms = s->answer_ms;
	out->answer_dev_ms = s->answer_dev_ms;
	out->breaker = s->breaker;
	out->day_used = s->view.day_used;
	out->month_used = s->view.month_used;
	out->window_used = slots_taken(s, now);
	out->oldest_ms = oldest ? now - oldest->since_ms : 0;
}
