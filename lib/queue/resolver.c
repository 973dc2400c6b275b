/* SPDX-License-Identifier: BSD-2-Clause */
/* resolver.c - the thread that owns scheduler, transfers and store. */
#include "queue/resolver-parts.h"

#include <string.h>

#include "base/log.h"

#define REREADS_MAX 1000			/* look-ups that others answered and the thread has not looked at */
#define TURN_MAX_MS 1000		/* the thread turns at least so often (watchdog, statistics) */

/* A ticket on its way through the resolver: a copy, so that a message thread can leave before the thread has time for
 * it. */
struct asked {
	struct vtm_ticket ticket;
	bool released;		/* under lock: the ticket is back */
	GCond back;
};

/* ---- settings are deep copies: the caller's may go ---- */

static struct vtm_resolver_settings *copy_settings(const struct vtm_resolver_settings *s)
{
	struct vtm_resolver_settings *c = g_memdup2(s, sizeof(*s));

	c->store_uri = g_strdup(s->store_uri);
	c->store.host = g_strdup(s->store.host);
	c->store.password_file = g_strdup(s->store.password_file);
	c->store.ca_file = g_strdup(s->store.ca_file);
	c->store.cert_file = g_strdup(s->store.cert_file);
	c->store.key_file = g_strdup(s->store.key_file);
	c->store.prefix = g_strdup(s->store.prefix);
	memset(&c->vt, 0, sizeof(c->vt));	/* vt.c keeps its own copy */
	return c;
}

static void clear_settings(struct vtm_resolver_settings *c)
{
	char *const texts[] = {
		(char *)(uintptr_t)c->store_uri, (char *)(uintptr_t)c->store.host,
		(char *)(uintptr_t)c->store.password_file, (char *)(uintptr_t)c->store.ca_file,
		(char *)(uintptr_t)c->store.cert_file, (char *)(uintptr_t)c->store.key_file,
		(char *)(uintptr_t)c->store.prefix,
	};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(texts[i]);
}

/* ---- the scheduler's callbacks, in the thread ---- */

static int start(void *arg, enum vtm_op op, const struct vtm_lookup *lookup, const char *analysis, void *tag)
{
	struct vtm_resolver *r = arg;
	GError *error = NULL;

	if (vtm_vt_start(r->vt, op, lookup, analysis, tag, &error) == 0)
		return 0;
	vtm_log_limited(VTM_LOG_WARNING, "vt-start", "VirusTotal: %s", error->message);
	g_error_free(error);
	return -1;
}

static void released(void *arg, struct vtm_ticket *t)
{
	struct vtm_resolver *r = arg;
	struct asked *a = t->owner;

	g_mutex_lock(&r->lock);
	a->released = true;
	g_cond_signal(&a->back);
	g_mutex_unlock(&r->lock);
}

void vtm_resolver_wake(void *arg)
{
	struct vtm_resolver *r = arg;

	g_mutex_lock(&r->vt_lock);
	vtm_vt_wakeup(r->vt);
	g_mutex_unlock(&r->vt_lock);
}

/* ---- one turn of the thread ---- */

static void free_asked(struct asked *a)
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

static void take_rereads(struct vtm_resolver *r)
{
	GQueue rereads;
	struct vtm_lookup *l;

	g_mutex_lock(&r->lock);
	rereads = r->rereads;
	g_queue_init(&r->rereads);
	g_mutex_unlock(&r->lock);
	while ((l = g_queue_pop_head(&rereads))) {
		vtm_sched_reread(r->sched, l);
		vtm_lookup_free(l);
	}
}

/* Tickets in, abandoned ones out: in that order, so that each of those is in. */
static void take_inbox(struct vtm_resolver *r)
{
	GQueue in, out;
	bool all, retry;
	struct asked *a;

	g_mutex_lock(&r->lock);
	in = r->inbox;
	g_queue_init(&r->inbox);
	r->inbox_wants = 0;
	out = r->abandoned;
	g_queue_init(&r->abandoned);
	all = r->release_all || r->stop;
	retry = r->retry_now;
	r->retry_now = false;
	g_mutex_unlock(&r->lock);
	if (retry)
		vtm_sched_retry_now(r->sched);
	if (all)
		vtm_sched_release_all(r->sched);
	while ((a = g_queue_pop_head(&in))) {
		if (all)
			a->ticket.deadline_ms = vtm_boot_ms(r->clock);
		vtm_sched_add(r->sched, &a->ticket);
	}
	while ((a = g_queue_pop_head(&out))) {
		vtm_sched_cancel(r->sched, &a->ticket);
		free_asked(a);
	}
}

static void take_results(struct vtm_resolver *r, struct vtm_vt *vt)
{
	struct vtm_result result;

	while (vtm_vt_result(vt, &result) == 1) {
		vtm_sched_result(r->sched, &result);
		vtm_result_clear(&result);
	}
}

/* Requests of earlier settings end with the client they began with. */
static void take_old_results(struct vtm_resolver *r)
{
	for (guint i = r->old_vt->len; i-- > 0;) {
		struct vtm_vt *vt = r->old_vt->pdata[i];

		vtm_vt_poll(vt, 0);
		take_results(r, vt);
		if (!vtm_vt_in_flight(vt)) {
			vtm_vt_free(vt);
			g_ptr_array_remove_index_fast(r->old_vt, i);
		}
	}
}

/* Is another store meant, or the same one reached in another way? */
static bool store_moved(const struct vtm_resolver_settings *a, const struct vtm_resolver_settings *b)
{
	return g_strcmp0(a->store_uri, b->store_uri) || g_strcmp0(a->store.password_file, b->store.password_file) ||
	       g_strcmp0(a->store.ca_file, b->store.ca_file) || g_strcmp0(a->store.cert_file, b->store.cert_file) ||
	       g_strcmp0(a->store.key_file, b->store.key_file) || g_strcmp0(a->store.prefix, b->store.prefix);
}

static void take_settings(struct vtm_resolver *r)
{
	struct vtm_resolver_settings *fresh;
	struct vtm_vt *vt;
	bool moved;

	g_mutex_lock(&r->lock);
	fresh = r->fresh;
	r->fresh = NULL;
	vt = r->fresh_vt;
	r->fresh_vt = NULL;
	g_mutex_unlock(&r->lock);
	if (!fresh)
		return;
	moved = store_moved(fresh, &r->set);
	if (moved && r->store)
		vtm_resolver_close_store(r);
	clear_settings(&r->set);
	r->set = *fresh;
	g_free(fresh);
	g_ptr_array_add(r->old_vt, r->vt);
	g_mutex_lock(&r->vt_lock);
	r->vt = vt;
	g_mutex_unlock(&r->vt_lock);
	vtm_sched_configure(r->sched, &r->set.sched);
	if (moved)
		vtm_resolver_open_store(r, vtm_boot_ms(r->clock));
	vtm_sched_retry_now(r->sched);
}

static void publish(struct vtm_resolver *r, const struct vtm_sched_stats *s)
{
	unsigned entries = vtm_cache_size(r->cache);

	g_mutex_lock(&r->lock);
	r->stats.sched = *s;
	r->stats.store_ok = r->store && !s->store_failing;
	g_strlcpy(r->stats.store_error, r->stats.store_ok ? "" : s->store_failing ? s->store_error : r->store_error,
		  sizeof(r->stats.store_error));
	r->stats.journal_written = r->journal_written;
	r->stats.late_verdicts = r->late_verdicts;
	r->stats.late_done = r->late_done;
	r->stats.late_failed = r->late_failed;
	r->stats.cache_entries = entries;
	r->stats.beat_ms = vtm_boot_ms(r->clock);
	g_mutex_unlock(&r->lock);
}

static gpointer run(gpointer arg)
{
	struct vtm_resolver *r = arg;
	bool stop = false;

	vtm_resolver_open_store(r, vtm_boot_ms(r->clock));
	r->set.sched.store = r->store;
	r->sched = vtm_sched_new(&r->set.sched);
	while (!stop) {
		int64_t next, now = vtm_boot_ms(r->clock);
		struct vtm_sched_stats s;

		take_settings(r);
		take_inbox(r);
		take_rereads(r);
		next = vtm_sched_step(r->sched);
		vtm_resolver_take_journal(r);
		vtm_resolver_mend_store(r, now);
		vtm_resolver_chores(r, now);
		vtm_resolver_take_late(r, now);
		vtm_sched_stats(r->sched, &s);
		vtm_resolver_watch_store(r, &s, now);
		publish(r, &s);
		next = MIN(next - vtm_boot_ms(r->clock), r->old_vt->len ? 50 : TURN_MAX_MS);
		vtm_vt_poll(r->vt, CLAMP(next, 0, TURN_MAX_MS));
		take_results(r, r->vt);
		take_old_results(r);
		g_mutex_lock(&r->lock);
		stop = r->stop && !r->inbox.length && !r->abandoned.length && !r->rereads.length;
		g_mutex_unlock(&r->lock);
	}
	vtm_sched_free(r->sched);
	vtm_resolver_take_journal(r);
	vtm_store_close(r->store);
	return NULL;
}

/* ---- what other threads call ---- */

static void wire(struct vtm_resolver *r, struct vtm_sched_settings *s)
{
	s->clock = r->clock;
	s->cache = r->cache;
	s->store = NULL;
	s->start = start;
	s->released = released;
	s->answered = vtm_resolver_answered;
	s->arg = r;
}

struct vtm_resolver *vtm_resolver_new(const struct vtm_resolver_settings *settings, GError **error)
{
	struct vtm_vt *vt = vtm_vt_new(&settings->vt, error);
	struct vtm_resolver_settings *copy;
	struct vtm_resolver *r;

	if (!vt)
		return NULL;
	r = g_new0(struct vtm_resolver, 1);
	g_mutex_init(&r->lock);
	g_mutex_init(&r->vt_lock);
	r->clock = settings->sched.clock;
	r->cache = settings->sched.cache;
	r->vt = vt;
	r->old_vt = g_ptr_array_new();
	r->late_results = g_array_new(FALSE, FALSE, sizeof(struct late_result));
	r->late_out = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	copy = copy_settings(settings);
	r->set = *copy;
	g_free(copy);
	wire(r, &r->set.sched);
	r->stats.sched.server_daily.allowed = r->stats.sched.server_monthly.allowed = -1;
	r->stats.beat_ms = vtm_boot_ms(r->clock);
	r->thread = g_thread_new("resolver", run, r);
	return r;
}

int vtm_resolver_configure(struct vtm_resolver *r, const struct vtm_resolver_settings *settings, GError **error)
{
	struct vtm_vt *vt = vtm_vt_new(&settings->vt, error), *unused_vt;
	struct vtm_resolver_settings *copy, *unused;

	if (!vt)
		return -1;
	copy = copy_settings(settings);
	wire(r, &copy->sched);
	g_mutex_lock(&r->lock);
	unused = r->fresh;
	unused_vt = r->fresh_vt;
	r->fresh = copy;
	r->fresh_vt = vt;
	g_mutex_unlock(&r->lock);
	vtm_vt_free(unused_vt);
	if (unused) {
		clear_settings(unused);
		g_free(unused);
	}
	vtm_resolver_wake(r);
	return 0;
}

void vtm_resolver_free(struct vtm_resolver *r)
{
	if (!r)
		return;
	g_mutex_lock(&r->lock);
	r->stop = true;
	g_mutex_unlock(&r->lock);
	vtm_resolver_wake(r);
	g_thread_join(r->thread);
	if (r->fresh) {
		clear_settings(r->fresh);
		g_free(r->fresh);
		vtm_vt_free(r->fresh_vt);
	}
	g_queue_clear_full(&r->journal, vtm_resolver_free_journalled);
	while (r->abandoned.length)
		free_asked(g_queue_pop_head(&r->abandoned));
	for (guint i = 0; i < r->old_vt->len; i++)
		vtm_vt_free(r->old_vt->pdata[i]);
	g_ptr_array_free(r->old_vt, TRUE);
	g_array_free(r->late_results, TRUE);
	g_hash_table_destroy(r->late_out);
	vtm_vt_free(r->vt);
	clear_settings(&r->set);
	g_mutex_clear(&r->vt_lock);
	g_mutex_clear(&r->lock);
	g_free(r);
}

/* What the memory cache knows needs no hop to the thread. */
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

/* The message thread's wait; false: it is over without the ticket (the thread is stuck, or the MTA gone). */
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
	room = r->inbox_wants + a->ticket.n <= VTM_RESOLVER_INBOX_MAX;
	if (room) {
		g_queue_push_tail(&r->inbox, a);
		r->inbox_wants += a->ticket.n;
	}
	g_mutex_unlock(&r->lock);
	if (room)
		vtm_resolver_wake(r);
	else
		free_asked(a);
	return room;
}

void vtm_resolver_ask(struct vtm_resolver *r, struct vtm_ticket *t, uint32_t threshold, bool (*progress)(void *),
		      void *progress_arg, int64_t progress_ms)
{
	struct asked *a;

	if (all_cached(r, t, threshold))
		return;
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
	free_asked(a);
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
