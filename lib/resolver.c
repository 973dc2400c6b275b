/* SPDX-License-Identifier: BSD-2-Clause */
/* resolver.c - the thread that owns scheduler, transfers and store. */
#include "resolver.h"

#include <string.h>

#include "error.h"
#include "json.h"
#include "log.h"
#include "tags.h"

#define JOURNAL_MAX 10000		/* messages that wait to be written */
#define TOLD_MAX 1000			/* look-ups that others answered and the thread has not looked at */
#define STORE_RETRY_MS 3000		/* how often a store that failed is opened again */
#define STORE_CALM_MS 5000		/* without a failure, until it is said to work again; doubles for one that */
#define STORE_CALM_MAX_MS 600000	/* comes and goes, and is forgotten after so long */
#define CHORES_MS 60000			/* how often old rows are deleted */
#define CHORES_ROWS 1000		/* at most so many at a time */
#define LATE_LOOK_MS 2000		/* how often due late verdicts are looked for */
#define TURN_MAX_MS 1000		/* the thread turns at least so often (watchdog, statistics) */

/* A ticket on its way through the resolver: a copy, so that a message thread can leave before the thread has time for it. */
struct asked {
	struct vtm_ticket ticket;
	bool released;		/* under lock: the ticket is back */
	bool abandoned;		/* under lock: the message thread left; the thread frees it */
	GCond back;
};

struct journalled {
	struct vtm_journal_message *message;
	struct vtm_journal_item *items;
	size_t n;
};

/* A late verdict that was handed out and what became of it. */
struct late_result {
	int64_t id;
	bool fine;
};

struct vtm_resolver {
	/* the lock covers this block and nothing else; it is never held over I/O or a callback */
	GMutex lock;
	GQueue inbox;			/* of struct asked: not seen by the thread yet */
	unsigned inbox_wants;		/* what they want together */
	GQueue abandoned;		/* of struct asked: nobody waits for them any more */
	GQueue told;			/* of struct vtm_lookup: others have answers */
	GQueue journal;			/* of struct journalled */
	GArray *late_results;		/* of struct late_result */
	struct vtm_resolver_settings *fresh;	/* settings to take over, NULL: none */
	struct vtm_vt *fresh_vt;
	bool stop, release_all, retry_now;
	struct vtm_resolver_stats stats;
	/* constant */
	const struct vtm_clock *clock;
	struct vtm_cache *cache;
	GThread *thread;
	/* the wake-up of the thread is vt's, which may be replaced: under its own lock */
	GMutex vt_lock;
	struct vtm_vt *vt;
	/* the thread's own */
	struct vtm_resolver_settings set;
	struct vtm_store *store;
	struct vtm_sched *sched;
	int64_t store_retry_ms, chores_ms, late_ms;
	uint64_t journal_written;
	char store_error[200];
	bool store_bad;			/* as the log has it */
	int64_t store_bad_ms, store_trouble_ms, store_good_ms, store_calm_ms;
	uint64_t store_errors;		/* of the scheduler's that were seen */
	GHashTable *late_out;		/* ids handed out -> attempts so far + 1 */
	uint64_t late_verdicts, late_done, late_failed;
	GPtrArray *old_vt;		/* clients of earlier settings with requests in flight */
};

/* ---- settings are deep copies: the caller's may go --------------------------------------- */

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

/* ---- the scheduler's callbacks, in the thread ------------------------------------------------ */

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

static struct vtm_json *late_item(const struct vtm_journal_item *i)
{
	struct vtm_json *j = vtm_json_new();

	vtm_json_text(j, "kind", vtm_kind_name(i->item->kind));
	vtm_json_text(j, "subject", i->item->subject);
	vtm_json_text(j, "name", i->item->name);
	vtm_json_text(j, "verdict", vtm_verdict_name(i->item->report.verdict));
	vtm_json_int(j, "malicious", i->item->report.malicious);
	vtm_json_int(j, "engines", i->item->report.engines);
	return j;
}

/* Writes a late verdict into the store, from where it is handed out until it has arrived. */
static void keep_late(struct vtm_resolver *r, const struct vtm_journal_message *m, const struct vtm_journal_item *items,
		      size_t n)
{
	struct vtm_json *j = vtm_json_new();
	char *tags = vtm_tags_text(m->tags), *line;
	GError *error = NULL;

	vtm_json_text(j, "queue_id", m->queue_id);
	vtm_json_text(j, "message_id", m->message_id);
	vtm_json_text(j, "sender", m->sender);
	vtm_json_texts(j, "recipients", (const char *const *)m->recipients);
	vtm_json_text(j, "tags", tags);
	vtm_json_int(j, "time", m->time_ms / 1000);
	for (size_t i = 0; i < n; i++)
		if (items[i].item->report.verdict == VTM_BAD)
			vtm_json_append(j, "items", late_item(&items[i]));
	line = vtm_json_line(j);
	if (vtm_store_late_add(r->store, line, &error) < 0) {
		vtm_log(VTM_LOG_ERROR, "late verdict on %s is not kept: %s", m->queue_id ? m->queue_id : "NOQUEUE",
			error->message);
		g_error_free(error);
	}
	g_free(line);
	g_free(tags);
	vtm_json_free(j);
}

/* Counts a delivered message's tags again. */
static void turned(struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n, void *arg)
{
	struct vtm_resolver *r = arg;
	struct vtm_item **list = g_new(struct vtm_item *, n + 1);
	uint32_t before = m->tags;
	bool pending = false;

	for (size_t i = 0; i < n; i++) {
		list[i] = items[i].item;
		pending = pending || items[i].item->report.verdict == VTM_PENDING;
	}
	m->tags = vtm_tags_again(before, list, n);
	if (!pending && !m->done_ms)
		m->done_ms = vtm_utc_ms(r->clock);
	if (m->tags & ~before & VTM_TAG_BIT(VTM_TAG_BAD)) {
		r->late_verdicts++;
		if (r->set.turned_bad)
			r->set.turned_bad(r->set.arg, m, items, n);
		if (r->set.late)
			keep_late(r, m, items, n);
	}
	g_free(list);
}

/* A call failed.  The log has a line when the store turns bad and one when it works again, not one a call. */
static void store_trouble(struct vtm_resolver *r, const char *what)
{
	int64_t now = vtm_boot_ms(r->clock);

	r->store_trouble_ms = now;
	if (r->store_bad)
		return;
	r->store_bad = true;
	r->store_bad_ms = now;
	r->store_calm_ms = r->store_good_ms && now - r->store_good_ms < STORE_CALM_MAX_MS ?
			   MIN(2 * r->store_calm_ms, STORE_CALM_MAX_MS) : STORE_CALM_MS;
	vtm_log(VTM_LOG_WARNING, "store: %s; nothing is asked until it works again", what);
}

static void answered(void *arg, const struct vtm_lookup *lookup, const struct vtm_report *report)
{
	struct vtm_resolver *r = arg;
	GError *error = NULL;

	if (!r->store || !r->set.journal_retention_ms)
		return;
	if (vtm_store_journal_answer(r->store, &lookup->key, report, turned, r, &error) < 0) {
		store_trouble(r, error->message);
		g_error_free(error);
	}
}

/* ---- the store ---------------------------------------------------------------------------------- */

static void watch_store(struct vtm_resolver *r, const struct vtm_sched_stats *s, int64_t now)
{
	bool failed = s->store_failing || s->store_errors != r->store_errors;

	r->store_errors = s->store_errors;
	if (failed || !r->store) {
		store_trouble(r, failed ? s->store_error : r->store_error);
	} else if (r->store_bad && now - r->store_trouble_ms >= r->store_calm_ms) {
		r->store_bad = false;
		r->store_good_ms = now;
		vtm_log(VTM_LOG_NOTICE, "store: works again, after %" G_GINT64_FORMAT " s",
			(r->store_trouble_ms - r->store_bad_ms + 999) / 1000);
	}
}

static void wake(void *arg)
{
	struct vtm_resolver *r = arg;

	g_mutex_lock(&r->vt_lock);
	vtm_vt_wakeup(r->vt);
	g_mutex_unlock(&r->vt_lock);
}

/* Without that, what others answer is looked for more often. */
static void watch_others(struct vtm_resolver *r)
{
	GError *error = NULL;

	if (vtm_store_watch(r->store, wake, r, &error) < 0) {
		vtm_log(VTM_LOG_NOTICE, "store: %s", error->message);
		g_error_free(error);
	}
}

static void open_store(struct vtm_resolver *r, int64_t now)
{
	GError *error = NULL;

	r->store_retry_ms = now + STORE_RETRY_MS;
	r->store = vtm_store_open(r->set.store_uri, &r->set.store, &error);
	if (r->store) {
		r->store_error[0] = '\0';
		watch_others(r);
	} else {
		store_trouble(r, error->message);
		g_strlcpy(r->store_error, error->message, sizeof(r->store_error));
		g_error_free(error);
	}
	if (r->sched)
		vtm_sched_set_store(r->sched, r->store);
}

static void close_store(struct vtm_resolver *r)
{
	if (r->sched)
		vtm_sched_set_store(r->sched, NULL);
	vtm_store_close(r->store);
	r->store = NULL;
}

/* A store that fails is closed and opened again: its file may be another by now. */
static void mend_store(struct vtm_resolver *r, int64_t now)
{
	struct vtm_sched_stats s;

	if (now < r->store_retry_ms)
		return;
	vtm_sched_stats(r->sched, &s);
	if (r->store && !s.store_failing)
		return;
	if (r->store)
		close_store(r);
	g_strlcpy(r->store_error, s.store_error[0] ? s.store_error : "closed", sizeof(r->store_error));
	open_store(r, now);
}

static void chores(struct vtm_resolver *r, int64_t now)
{
	GError *error = NULL;

	if (!r->store || now < r->chores_ms)
		return;
	r->chores_ms = now + CHORES_MS;
	if (vtm_store_verdicts_expire(r->store, CHORES_ROWS, &error) < 0 ||
	    (r->set.journal_retention_ms &&
	     vtm_store_journal_expire(r->store, vtm_utc_ms(r->clock) - r->set.journal_retention_ms, CHORES_ROWS,
				      &error) < 0)) {
		store_trouble(r, error->message);
		g_error_free(error);
	}
}

/* ---- the journal --------------------------------------------------------------------------------- */

static void free_journalled(gpointer p)
{
	struct journalled *j = p;

	for (size_t i = 0; i < j->n; i++)
		vtm_item_free(j->items[i].item);
	g_free(j->items);
	vtm_journal_message_clear(j->message);
	g_free(j->message);
	g_free(j);
}

static void strip_details(struct vtm_journal_message *m)
{
	g_clear_pointer(&m->sender, g_free);
	g_clear_pointer(&m->recipients, g_strfreev);
	g_clear_pointer(&m->client, g_free);
}

/* Takes what was written off <batch> and counts it; in a transaction that is all or nothing. */
static bool write_journal(struct vtm_resolver *r, GQueue *batch, GQueue *written, GError **error)
{
	GList *i = batch->head;

	if (vtm_store_begin(r->store, error) < 0)
		return false;
	for (; i; i = i->next) {
		struct journalled *j = i->data;

		if (r->set.journal_ids_only)
			strip_details(j->message);
		if (vtm_store_journal_add(r->store, j->message, j->items, j->n, error) < 0)
			break;
	}
	if (!i && vtm_store_commit(r->store, error) < 0)
		i = batch->head;
	else if (i && !vtm_store_shared(r->store))
		i = batch->head;
	while (batch->head != i)
		g_queue_push_tail(written, g_queue_pop_head(batch));
	return !i;
}

/* What the store could not take waits for it; what it will never take is dropped. */
static void keep_journal(struct vtm_resolver *r, GQueue *batch, const GError *error)
{
	bool bad = !g_error_matches(error, VTM_ERROR, VTM_ERROR_STORE) &&
		   !g_error_matches(error, VTM_ERROR, VTM_ERROR_BUSY);

	store_trouble(r, error->message);
	if (bad) {
		vtm_log_limited(VTM_LOG_WARNING, "journal", "journal: %u messages not written: %s", batch->length,
				error->message);
	}
	g_mutex_lock(&r->lock);
	while (!bad && batch->length && r->journal.length < JOURNAL_MAX)
		g_queue_push_head(&r->journal, g_queue_pop_tail(batch));
	r->stats.journal_dropped += batch->length;
	r->stats.journal_waiting = r->journal.length;
	g_mutex_unlock(&r->lock);
}

/* An answer may have come between the headers and this entry: those items are told now. */
static void catch_up(struct vtm_resolver *r, GQueue *batch)
{
	for (GList *i = batch->head; i; i = i->next) {
		struct journalled *j = i->data;

		for (size_t n = 0; n < j->n; n++) {
			struct vtm_lookup l = { .key = j->items[n].key };
			struct vtm_report report;

			if (!j->items[n].has_key || j->items[n].item->report.verdict != VTM_PENDING ||
			    vtm_cache_get(r->cache, &l.key, &report) != 1)
				continue;
			vtm_report_judge(&report, r->set.sched.threshold);
			answered(r, &l, &report);
		}
	}
}

static void take_journal(struct vtm_resolver *r)
{
	GQueue batch, written = G_QUEUE_INIT;
	GError *error = NULL;

	if (!r->store)
		return;
	g_mutex_lock(&r->lock);
	batch = r->journal;
	g_queue_init(&r->journal);
	r->stats.journal_waiting = 0;
	g_mutex_unlock(&r->lock);
	if (!batch.length)
		return;
	if (!write_journal(r, &batch, &written, &error)) {
		keep_journal(r, &batch, error);
		g_clear_error(&error);
	}
	r->journal_written += written.length;
	catch_up(r, &written);
	g_queue_clear_full(&written, free_journalled);
	g_queue_clear_full(&batch, free_journalled);
}

/* ---- late verdicts --------------------------------------------------------------------------------- */

static void hand_out(const struct vtm_late *l, void *arg)
{
	struct vtm_resolver *r = arg;

	if (g_hash_table_size(r->late_out) >= VTM_LATE_AT_ONCE || g_hash_table_contains(r->late_out, &l->id))
		return;
	g_hash_table_insert(r->late_out, g_memdup2(&l->id, sizeof(l->id)), GINT_TO_POINTER(l->attempts + 1));
	r->set.late(r->set.arg, r, l->id, g_strdup(l->json));
}

static int64_t late_pause(int attempts)
{
	int64_t pause = VTM_LATE_FIRST_MS;

	while (attempts-- > 1 && pause < VTM_LATE_MAX_MS)
		pause *= 2;
	return MIN(pause, VTM_LATE_MAX_MS);
}

static void note_late(struct vtm_resolver *r, const struct late_result *result)
{
	int attempts = GPOINTER_TO_INT(g_hash_table_lookup(r->late_out, &result->id));
	GError *error = NULL;
	int rc;

	g_hash_table_remove(r->late_out, &result->id);
	if (!r->store)
		return;		/* handed out again when there is one */
	if (!result->fine && attempts < VTM_LATE_ATTEMPTS) {
		rc = vtm_store_late_retry(r->store, result->id, vtm_utc_ms(r->clock) + late_pause(attempts), &error);
	} else {
		if (!result->fine) {
			r->late_failed++;
			vtm_log(VTM_LOG_ERROR, "LateVerdictCommand failed %d times: given up for this message", attempts);
		}
		r->late_done += result->fine;
		rc = vtm_store_late_done(r->store, result->id, &error);
	}
	if (rc < 0) {
		store_trouble(r, error->message);
		g_error_free(error);
	}
}

static void take_late(struct vtm_resolver *r, int64_t now)
{
	GArray *results;
	GError *error = NULL;

	g_mutex_lock(&r->lock);
	results = r->late_results;
	r->late_results = g_array_new(FALSE, FALSE, sizeof(struct late_result));
	g_mutex_unlock(&r->lock);
	for (guint i = 0; i < results->len; i++)
		note_late(r, &g_array_index(results, struct late_result, i));
	if ((results->len || now >= r->late_ms) && r->store && r->set.late) {
		r->late_ms = now + LATE_LOOK_MS;
		if (vtm_store_late_due(r->store, 2 * VTM_LATE_AT_ONCE, hand_out, r, &error) < 0) {
			store_trouble(r, error->message);
			g_error_free(error);
		}
	}
	g_array_free(results, TRUE);
}

/* ---- one turn of the thread -------------------------------------------------------------------------- */

static void free_asked(struct asked *a)
{
	for (unsigned i = 0; i < a->ticket.n; i++)
		vtm_lookup_free(a->ticket.wants[i].lookup);
	g_free(a->ticket.wants);
	g_free(a->ticket.client_net);
	g_free(a->ticket.sender_domain);
	g_cond_clear(&a->back);
	g_free(a);
}

static void take_told(struct vtm_resolver *r)
{
	GQueue told;
	struct vtm_lookup *l;

	g_mutex_lock(&r->lock);
	told = r->told;
	g_queue_init(&r->told);
	g_mutex_unlock(&r->lock);
	while ((l = g_queue_pop_head(&told))) {
		vtm_sched_tell(r->sched, l);
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
		close_store(r);
	clear_settings(&r->set);
	r->set = *fresh;
	g_free(fresh);
	g_ptr_array_add(r->old_vt, r->vt);
	g_mutex_lock(&r->vt_lock);
	r->vt = vt;
	g_mutex_unlock(&r->vt_lock);
	vtm_sched_configure(r->sched, &r->set.sched);
	if (moved)
		open_store(r, vtm_boot_ms(r->clock));
	vtm_sched_retry_now(r->sched);
}

static void publish(struct vtm_resolver *r, const struct vtm_sched_stats *s)
{
	g_mutex_lock(&r->lock);
	r->stats.sched = *s;
	r->stats.store_ok = r->store && !s->store_failing;
	g_strlcpy(r->stats.store_error, r->stats.store_ok ? "" : s->store_failing ? s->store_error : r->store_error,
		  sizeof(r->stats.store_error));
	r->stats.journal_written = r->journal_written;
	r->stats.late_verdicts = r->late_verdicts;
	r->stats.late_done = r->late_done;
	r->stats.late_failed = r->late_failed;
	r->stats.cache_entries = vtm_cache_size(r->cache);
	r->stats.beat_ms = vtm_boot_ms(r->clock);
	g_mutex_unlock(&r->lock);
}

static gpointer run(gpointer arg)
{
	struct vtm_resolver *r = arg;
	bool stop = false;

	open_store(r, vtm_boot_ms(r->clock));
	r->set.sched.store = r->store;
	r->sched = vtm_sched_new(&r->set.sched);
	while (!stop) {
		int64_t next, now = vtm_boot_ms(r->clock);
		struct vtm_sched_stats s;

		take_settings(r);
		take_inbox(r);
		take_told(r);
		next = vtm_sched_step(r->sched);
		take_journal(r);
		mend_store(r, now);
		chores(r, now);
		take_late(r, now);
		vtm_sched_stats(r->sched, &s);
		watch_store(r, &s, now);
		publish(r, &s);
		next = MIN(next - vtm_boot_ms(r->clock), r->old_vt->len ? 50 : TURN_MAX_MS);
		vtm_vt_poll(r->vt, CLAMP(next, 0, TURN_MAX_MS));
		take_results(r, r->vt);
		take_old_results(r);
		g_mutex_lock(&r->lock);
		stop = r->stop && !r->inbox.length && !r->abandoned.length && !r->told.length;
		g_mutex_unlock(&r->lock);
	}
	vtm_sched_free(r->sched);
	take_journal(r);
	vtm_store_close(r->store);
	return NULL;
}

/* ---- what other threads call ------------------------------------------------------------------------------ */

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
	r->late_out = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
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
	wake(r);
	return 0;
}

void vtm_resolver_free(struct vtm_resolver *r)
{
	if (!r)
		return;
	g_mutex_lock(&r->lock);
	r->stop = true;
	g_mutex_unlock(&r->lock);
	wake(r);
	g_thread_join(r->thread);
	if (r->fresh) {
		clear_settings(r->fresh);
		g_free(r->fresh);
		vtm_vt_free(r->fresh_vt);
	}
	g_queue_clear_full(&r->journal, free_journalled);
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
	if (!back) {
		a->abandoned = true;
		g_queue_push_tail(&r->abandoned, a);
	}
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
	for (unsigned i = 0; i < t->n; i++)
		a->ticket.wants[i].lookup = vtm_lookup_copy(t->wants[i].lookup);
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
		wake(r);
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
	}
	free_asked(a);
}

void vtm_resolver_journal(struct vtm_resolver *r, struct vtm_journal_message *m, struct vtm_journal_item *items, size_t n)
{
	struct journalled *j = g_new(struct journalled, 1);
	bool full;

	*j = (struct journalled){ m, items, n };
	g_mutex_lock(&r->lock);
	full = r->journal.length >= JOURNAL_MAX;
	if (full)
		r->stats.journal_dropped++;
	else
		g_queue_push_tail(&r->journal, j);
	r->stats.journal_waiting = r->journal.length;
	g_mutex_unlock(&r->lock);
	if (full)
		free_journalled(j);
	else
		wake(r);
}

void vtm_resolver_tell(struct vtm_resolver *r, const struct vtm_lookup *lookup)
{
	g_mutex_lock(&r->lock);
	if (r->told.length < TOLD_MAX)
		g_queue_push_tail(&r->told, vtm_lookup_copy(lookup));
	g_mutex_unlock(&r->lock);
	wake(r);
}

void vtm_resolver_late_result(struct vtm_resolver *r, int64_t id, bool fine)
{
	struct late_result result = { id, fine };

	g_mutex_lock(&r->lock);
	g_array_append_val(r->late_results, result);
	g_mutex_unlock(&r->lock);
	wake(r);
}

void vtm_resolver_release_all(struct vtm_resolver *r)
{
	g_mutex_lock(&r->lock);
	r->release_all = true;
	g_mutex_unlock(&r->lock);
	wake(r);
}

void vtm_resolver_retry_now(struct vtm_resolver *r)
{
	g_mutex_lock(&r->lock);
	r->retry_now = true;
	g_mutex_unlock(&r->lock);
	wake(r);
}

void vtm_resolver_stats(struct vtm_resolver *r, struct vtm_resolver_stats *out)
{
	g_mutex_lock(&r->lock);
	*out = r->stats;
	g_mutex_unlock(&r->lock);
}
