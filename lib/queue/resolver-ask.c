/* SPDX-License-Identifier: BSD-2-Clause */
/* resolver-ask.c - the resolver as other threads call it: they leave something for its thread, and may wait. */
#include "queue/resolver-parts.h"

#define SEEN_MAX 4096		/* messages that wait only to be noted in the history; more are not noted */
#define REREADS_MAX 1000		/* look-ups that others answered and the thread has not read again */

void vtm_resolver_wake(void *arg)
{
	struct vtm_resolver *r = arg;

	g_mutex_lock(&r->vt_lock);
	vtm_vt_wakeup(r->vt);
	g_mutex_unlock(&r->vt_lock);
}

void vtm_resolver_free_asked(struct asked *a)
{
	for (unsigned i = 0; i < a->ticket.n; i++) {
		vtm_lookup_free(a->ticket.wants[i].lookup);
		vtm_item_features_clear(&a->ticket.wants[i].features);
	}
	g_free(a->ticket.wants);
	g_free(a->ticket.client_net);
	g_free(a->ticket.sender_domain);
	vtm_message_features_clear(&a->ticket.features);
	g_cond_clear(&a->back);
	g_free(a);
}

/* Answers from memory what can be; true: all of it, and the thread is not needed. */
static bool all_cached(struct vtm_resolver *r, struct vtm_ticket *t, uint32_t threshold)
{
	uint64_t hits = 0;
	bool all = true;

	for (unsigned i = 0; i < t->n; i++) {
		struct vtm_want *w = &t->wants[i];

		if (w->answered)
			continue;
		if (vtm_cache_get(r->cache, &w->lookup->key, &w->report) == 1) {
			vtm_report_judge(&w->report, threshold);
			w->answered = w->cached = true;
			hits++;
		} else {
			w->report = (struct vtm_report){ .reason = VTM_WHY_NOT_ASKED };
			all = false;
		}
	}
	g_mutex_lock(&r->lock);
	r->stats.cached_at_once += hits;
	g_mutex_unlock(&r->lock);
	return all;
}

/* Waits until the ticket is back; false: it is not (the thread is stuck, or the MTA gone). */
static bool wait_back(struct vtm_resolver *r, struct asked *a, int64_t deadline_ms, bool (*progress)(void *),
		      void *progress_arg, int64_t progress_ms)
{
	int64_t end = MAX(deadline_ms, vtm_boot_ms(r->clock)) + VTM_RESOLVER_GRACE_MS;
	int64_t next = progress ? vtm_boot_ms(r->clock) + progress_ms : INT64_MAX;
	bool back;

	g_mutex_lock(&r->lock);
	while (!a->released && vtm_boot_ms(r->clock) < end) {
		int64_t until = MIN(end, next) - vtm_boot_ms(r->clock);

		g_cond_wait_until(&a->back, &r->lock, g_get_monotonic_time() + MAX(until, 0) * 1000);
		if (a->released || !progress || vtm_boot_ms(r->clock) < next)
			continue;
		g_mutex_unlock(&r->lock);
		if (!progress(progress_arg))
			end = INT64_MIN;
		next = vtm_boot_ms(r->clock) + progress_ms;
		g_mutex_lock(&r->lock);
	}
	back = a->released;
	if (!back)
		g_queue_push_tail(&r->abandoned, a);
	g_mutex_unlock(&r->lock);
	return back;
}

static struct asked *new_asked(const struct vtm_ticket *t)
{
	struct asked *a = g_new0(struct asked, 1);

	g_cond_init(&a->back);
	a->ticket = *t;
	a->ticket.owner = a;
	a->ticket.client_net = g_strdup(t->client_net);
	a->ticket.sender_domain = g_strdup(t->sender_domain);
	a->ticket.wants = g_memdup2(t->wants, sizeof(*t->wants) * t->n);
	vtm_message_features_copy(&a->ticket.features, &t->features);
	for (unsigned i = 0; i < t->n; i++) {
		a->ticket.wants[i].lookup = vtm_lookup_copy(t->wants[i].lookup);
		vtm_item_features_copy(&a->ticket.wants[i].features, &t->wants[i].features);
	}
	return a;
}

/* Hands <a> to the thread, or frees it and returns false when too many wait for that. */
static bool hand_over(struct vtm_resolver *r, struct asked *a)
{
	bool room;

	g_mutex_lock(&r->lock);
	room = a->only_seen ? r->inbox_seen < SEEN_MAX : r->inbox_wants + a->ticket.n <= VTM_RESOLVER_INBOX_MAX;
	if (room) {
		g_queue_push_tail(&r->inbox, a);
		r->inbox_seen += a->only_seen;
		r->inbox_wants += a->only_seen ? 0 : a->ticket.n;
	}
	g_mutex_unlock(&r->lock);
	if (room)
		vtm_resolver_wake(r);
	else
		vtm_resolver_free_asked(a);
	return room;
}

void vtm_resolver_seen(struct vtm_resolver *r, const struct vtm_ticket *t)
{
	struct asked *a = new_asked(t);

	a->only_seen = true;
	hand_over(r, a);
}

void vtm_resolver_ask(struct vtm_resolver *r, struct vtm_ticket *t, uint32_t threshold, bool (*progress)(void *),
		      void *progress_arg, int64_t progress_ms)
{
	struct asked *a;

	if (all_cached(r, t, threshold)) {
		vtm_resolver_seen(r, t);
		return;
	}
	a = new_asked(t);
	if (!hand_over(r, a) || !wait_back(r, a, t->deadline_ms, progress, progress_arg, progress_ms)) {
		for (unsigned i = 0; i < t->n; i++)
			if (!t->wants[i].answered)
				t->wants[i].report = (struct vtm_report){ .reason = VTM_WHY_STORE };
		return;
	}
	for (unsigned i = 0; i < t->n; i++) {
		const struct vtm_want *w = &a->ticket.wants[i];

		t->wants[i].report = w->report;
		t->wants[i].answered = w->answered;
		t->wants[i].cached = w->cached;
		t->wants[i].points = w->points;
	}
	vtm_resolver_free_asked(a);
}

void vtm_resolver_reread(struct vtm_resolver *r, const struct vtm_lookup *lookup)
{
	g_mutex_lock(&r->lock);
	if (r->rereads.length < REREADS_MAX)
		g_queue_push_tail(&r->rereads, vtm_lookup_copy(lookup));
	g_mutex_unlock(&r->lock);
	vtm_resolver_wake(r);
}

void vtm_resolver_release_all(struct vtm_resolver *r)
{
	g_mutex_lock(&r->lock);
	r->release_all = true;
	g_mutex_unlock(&r->lock);
	vtm_resolver_wake(r);
}

void vtm_resolver_retry_now(struct vtm_resolver *r)
{
	g_mutex_lock(&r->lock);
	r->retry_now = true;
	g_mutex_unlock(&r->lock);
	vtm_resolver_wake(r);
}

void vtm_resolver_stats(struct vtm_resolver *r, struct vtm_resolver_stats *out)
{
	g_mutex_lock(&r->lock);
	*out = r->stats;
	g_mutex_unlock(&r->lock);
}

void vtm_resolver_journal(struct vtm_resolver *r, struct vtm_journal_message *m, struct vtm_journal_item *items,
			  size_t n)
{
	vtm_journal_add(r->journal, m, items, n);
	vtm_resolver_wake(r);
}

void vtm_resolver_late_result(struct vtm_resolver *r, int64_t id, enum vtm_late_end end)
{
	vtm_lates_result(r->lates, id, end);
	vtm_resolver_wake(r);
}
