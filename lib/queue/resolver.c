/* SPDX-License-Identifier: BSD-2-Clause */
/* resolver.c - the thread that owns scheduler, transfers and store. */
#include "queue/resolver-parts.h"

#include <string.h>

#include "base/log.h"

#define TURN_MAX_MS 1000		/* the thread turns at least so often (watchdog, statistics) */
#define OLD_CLIENTS_MS 50		/* and so often while requests of earlier settings are in flight */
#define EXPIRE_MS 60000		/* how often old rows are deleted */
#define HISTORY_EXPIRE_MAX 2000	/* of the history at a time */
#define HISTORY_EXPIRE_MS 600000	/* and how often it is looked through */
#define VERDICTS_EXPIRE_MAX 1000	/* at most so many at a time */

/* ---- settings are deep copies: the caller's may go ---- */

static struct vtm_resolver_settings *copy_settings(const struct vtm_resolver_settings *s)
{
	struct vtm_resolver_settings *c = g_memdup2(s, sizeof(*s));

	c->store_uri = g_strdup(s->store_uri);
	vtm_store_settings_copy(&c->store, &s->store);
	memset(&c->vt, 0, sizeof(c->vt));	/* vt.c keeps its own copy */
	return c;
}

static void free_settings(struct vtm_resolver_settings *c)
{
	if (!c)
		return;
	g_free((char *)(uintptr_t)c->store_uri);
	vtm_store_settings_clear(&c->store);
	g_free(c);
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

/* Frees <error>. */
static void note_failure(struct vtm_resolver *r, GError *error)
{
	vtm_storage_note_failure(r->storage, error->message);
	g_error_free(error);
}

static void answered(void *arg, const struct vtm_lookup *lookup, const struct vtm_report *report)
{
	struct vtm_resolver *r = arg;
	GError *error = NULL;

	if (vtm_journal_answered(r->journal, vtm_storage_store(r->storage), &lookup->key, report, &error) < 0)
		note_failure(r, error);
}

/* ---- callbacks of journal, late verdicts and storage, in the thread ---- */

static void turned_bad(void *arg, struct vtm_store *store, const struct vtm_journal_message *m,
		       const struct vtm_journal_item *items, size_t n)
{
	struct vtm_resolver *r = arg;

	if (r->set.turned_bad)
		r->set.turned_bad(r->set.arg, m, items, n);
	vtm_lates_keep(r->lates, store, m, items, n);
}

static void hand_out(void *arg, int64_t id, char *json)
{
	struct vtm_resolver *r = arg;

	r->set.late(r->set.arg, r, id, json);
}

/* Mail from now on need not be learned from mailboxes.  A store that fails here is told of at its next call. */
static void note_live(const struct vtm_resolver *r, struct vtm_store *store)
{
	uint32_t since;

	vtm_store_history_live(store, vtm_history_hour_of(vtm_utc_ms(r->clock)), &since, NULL);
}

static void store_changed(void *arg, struct vtm_store *store)
{
	struct vtm_resolver *r = arg;

	if (store && !r->set.sched.manual)
		note_live(r, store);
	if (r->sched)
		vtm_sched_set_store(r->sched, store);
}

/* ---- one turn of the thread ---- */

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
	r->inbox_seen = 0;
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
		if (a->only_seen) {
			vtm_sched_note_seen(r->sched, &a->ticket);
			vtm_resolver_free_asked(a);
			continue;
		}
		if (all)
			a->ticket.deadline_ms = vtm_boot_ms(r->clock);
		vtm_sched_add(r->sched, &a->ticket);
	}
	while ((a = g_queue_pop_head(&out))) {
		vtm_sched_cancel(r->sched, &a->ticket);
		vtm_resolver_free_asked(a);
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

static void configure_parts(struct vtm_resolver *r)
{
	struct vtm_journal_settings journal = {
		.retention_ms = r->set.journal_retention_ms, .ids_only = r->set.journal_ids_only,
		.threshold = r->set.sched.threshold, .turned_bad = turned_bad, .arg = r,
	};

	vtm_journal_configure(r->journal, &journal);
	vtm_lates_configure(r->lates, r->set.late ? hand_out : NULL, r);
	vtm_storage_configure(r->storage, r->set.store_uri, &r->set.store);
}

/* Requests in flight end with the client that sent them. */
static void replace_client(struct vtm_resolver *r, struct vtm_vt *vt)
{
	g_ptr_array_add(r->old_vt, r->vt);
	g_mutex_lock(&r->vt_lock);
	r->vt = vt;
	g_mutex_unlock(&r->vt_lock);
}

static void take_settings(struct vtm_resolver *r)
{
	struct vtm_resolver_settings *fresh, old = r->set;
	struct vtm_vt *vt;

	g_mutex_lock(&r->lock);
	fresh = r->fresh;
	r->fresh = NULL;
	vt = r->fresh_vt;
	r->fresh_vt = NULL;
	g_mutex_unlock(&r->lock);
	if (!fresh)
		return;
	r->set = *fresh;
	*fresh = old;
	free_settings(fresh);
	replace_client(r, vt);
	vtm_sched_configure(r->sched, &r->set.sched);
	configure_parts(r);
	vtm_sched_retry_now(r->sched);
}

static void publish(struct vtm_resolver *r, const struct vtm_sched_stats *s)
{
	const char *error = s->store_failing ? s->store_error : vtm_storage_error(r->storage);
	unsigned entries = vtm_cache_size(r->cache);
	struct vtm_journal_counts journal;

	vtm_journal_counts(r->journal, &journal);
	g_mutex_lock(&r->lock);
	r->stats.sched = *s;
	r->stats.store_ok = vtm_storage_store(r->storage) && !s->store_failing;
	g_strlcpy(r->stats.store_error, r->stats.store_ok ? "" : error, sizeof(r->stats.store_error));
	r->stats.journal_written = journal.written;
	r->stats.journal_dropped = journal.dropped;
	r->stats.journal_waiting = journal.waiting;
	r->stats.late_verdicts = journal.turned_bad;
	vtm_lates_counts(r->lates, &r->stats.late_done, &r->stats.late_failed);
	r->stats.cache_entries = entries;
	r->stats.beat_ms = vtm_boot_ms(r->clock);
	g_mutex_unlock(&r->lock);
}

/* Counting the records takes as long as many look-ups, so it is done seldom, unless there are too many. */
static int expire_history(struct vtm_resolver *r, struct vtm_store *store, GError **error)
{
	uint32_t hour = vtm_history_hour_of(vtm_utc_ms(r->clock) - r->set.history_retention_ms);
	int n;

	if (!r->set.history_retention_ms || vtm_boot_ms(r->clock) < r->expire_history_ms)
		return 0;
	n = vtm_store_history_expire(store, vtm_history_day_of(hour), r->set.history_size, HISTORY_EXPIRE_MAX, error);
	r->expire_history_ms = vtm_boot_ms(r->clock) + (n == HISTORY_EXPIRE_MAX ? EXPIRE_MS : HISTORY_EXPIRE_MS);
	return n;
}

static void expire_rows(struct vtm_resolver *r, struct vtm_store *store)
{
	int64_t now = vtm_boot_ms(r->clock);
	GError *error = NULL;

	if (!store || now < r->expire_ms)
		return;
	r->expire_ms = now + EXPIRE_MS;
	if (vtm_store_verdicts_expire(store, VERDICTS_EXPIRE_MAX, &error) < 0 ||
	    expire_history(r, store, &error) < 0)
		note_failure(r, error);
}

/* What uses the store beside the scheduler. */
static void step_store(struct vtm_resolver *r)
{
	struct vtm_sched_stats s;
	struct vtm_store *store;
	GError *error = NULL;

	vtm_sched_stats(r->sched, &s);
	vtm_storage_mend(r->storage, &s);
	store = vtm_storage_store(r->storage);
	expire_rows(r, store);
	if (vtm_journal_step(r->journal, store, &error) < 0)
		note_failure(r, g_steal_pointer(&error));
	if (vtm_lates_step(r->lates, store, &error) < 0)
		note_failure(r, g_steal_pointer(&error));
	vtm_sched_stats(r->sched, &s);
	vtm_storage_note_stats(r->storage, &s);
	publish(r, &s);
}

/* How long the thread may wait when the scheduler wants to be called at <next>. */
static int64_t pause_until(struct vtm_resolver *r, int64_t next)
{
	if (vtm_storage_store(r->storage))
		next = MIN(next, vtm_journal_next(r->journal));
	return CLAMP(next - vtm_boot_ms(r->clock), 0, r->old_vt->len ? OLD_CLIENTS_MS : TURN_MAX_MS);
}

static bool may_stop(struct vtm_resolver *r)
{
	bool may;

	g_mutex_lock(&r->lock);
	may = r->stop && !r->inbox.length && !r->abandoned.length && !r->rereads.length;
	g_mutex_unlock(&r->lock);
	return may;
}

static gpointer run(gpointer arg)
{
	struct vtm_resolver *r = arg;
	int64_t next;

	configure_parts(r);
	r->set.sched.store = vtm_storage_store(r->storage);
	r->sched = vtm_sched_new(&r->set.sched);
	do {
		take_settings(r);
		take_inbox(r);
		take_rereads(r);
		next = vtm_sched_step(r->sched);
		step_store(r);
		vtm_vt_poll(r->vt, pause_until(r, next));
		take_results(r, r->vt);
		take_old_results(r);
	} while (!may_stop(r));
	vtm_sched_free(r->sched);
	vtm_journal_finish(r->journal, vtm_storage_store(r->storage));
	vtm_storage_free(r->storage);
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
	s->answered = answered;
	s->arg = r;
}

struct vtm_resolver *vtm_resolver_new(const struct vtm_resolver_settings *settings, GError **error)
{
	struct vtm_vt *vt = vtm_vt_new(&settings->vt, error);
	struct vtm_storage_settings storage = { .changed = store_changed, .wake = vtm_resolver_wake };
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
	r->journal = vtm_journal_new(r->clock, r->cache);
	r->lates = vtm_lates_new(r->clock);
	storage.clock = r->clock;
	storage.arg = r;
	r->storage = vtm_storage_new(&storage);
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
	free_settings(unused);
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
	free_settings(r->fresh);
	vtm_vt_free(r->fresh_vt);
	vtm_journal_free(r->journal);
	vtm_lates_free(r->lates);
	while (r->abandoned.length)
		vtm_resolver_free_asked(g_queue_pop_head(&r->abandoned));
	for (guint i = 0; i < r->old_vt->len; i++)
		vtm_vt_free(r->old_vt->pdata[i]);
	g_ptr_array_free(r->old_vt, TRUE);
	vtm_vt_free(r->vt);
	g_free((char *)(uintptr_t)r->set.store_uri);
	vtm_store_settings_clear(&r->set.store);
	g_mutex_clear(&r->vt_lock);
	g_mutex_clear(&r->lock);
	g_free(r);
}
