/* SPDX-License-Identifier: BSD-2-Clause */
/* journal.c - writes delivered messages into the journal, and passes later answers on to them. */
#include "queue/journal.h"

#include "base/error.h"
#include "base/log.h"
#include "model/tags.h"

#define EXPIRE_MS 60000			/* how often old messages are deleted */
#define EXPIRE_MAX 1000			/* messages deleted at a time */

struct delivered {
	struct vtm_journal_message *message;
	struct vtm_journal_item *items;
	size_t n;
};

/* An answer that has not reached every message that waits for it. */
struct answer {
	struct vtm_key key;
	struct vtm_report report;
};

struct vtm_journal {
	const struct vtm_clock *clock;
	struct vtm_cache *cache;
	GMutex lock;			/* covers the next two lines */
	GQueue inbox;			/* of struct delivered, oldest first */
	uint64_t dropped, written, turned_bad;
	/* the thread's own */
	struct vtm_journal_settings set;
	GQueue answers;			/* of struct answer, oldest first */
	int64_t retry_ms, expire_ms;	/* boot ms */
};

struct vtm_journal *vtm_journal_new(const struct vtm_clock *clock, struct vtm_cache *cache)
{
	struct vtm_journal *j = g_new0(struct vtm_journal, 1);

	j->clock = clock;
	j->cache = cache;
	g_mutex_init(&j->lock);
	return j;
}

static void free_delivered(gpointer p)
{
	struct delivered *d = p;

	for (size_t i = 0; i < d->n; i++)
		vtm_item_free(d->items[i].item);
	g_free(d->items);
	vtm_journal_message_clear(d->message);
	g_free(d->message);
	g_free(d);
}

void vtm_journal_free(struct vtm_journal *j)
{
	if (!j)
		return;
	g_queue_clear_full(&j->inbox, free_delivered);
	g_queue_clear_full(&j->answers, g_free);
	g_mutex_clear(&j->lock);
	g_free(j);
}

void vtm_journal_configure(struct vtm_journal *j, const struct vtm_journal_settings *set)
{
	j->set = *set;
}

void vtm_journal_add(struct vtm_journal *j, struct vtm_journal_message *m, struct vtm_journal_item *items, size_t n)
{
	struct delivered *d = g_new(struct delivered, 1);
	bool full;

	*d = (struct delivered){ m, items, n };
	g_mutex_lock(&j->lock);
	full = j->inbox.length >= VTM_JOURNAL_MAX;
	if (full)
		j->dropped++;
	else
		g_queue_push_tail(&j->inbox, d);
	g_mutex_unlock(&j->lock);
	if (full)
		free_delivered(d);
}

void vtm_journal_counts(struct vtm_journal *j, struct vtm_journal_counts *out)
{
	g_mutex_lock(&j->lock);
	*out = (struct vtm_journal_counts){ j->written, j->dropped, j->turned_bad, j->inbox.length };
	g_mutex_unlock(&j->lock);
}

static void count_dropped(struct vtm_journal *j, unsigned n, const char *why)
{
	g_mutex_lock(&j->lock);
	j->dropped += n;
	g_mutex_unlock(&j->lock);
	vtm_log_limited(VTM_LOG_WARNING, "journal", "journal: %s; dropped: %u", why, n);
}

/* ---- answers ---- */

struct turn {
	struct vtm_journal *journal;
	struct vtm_store *store;
};

/* Counts the tags of a delivered message again, one or more of whose items were answered. */
static void turned(struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n, void *arg)
{
	const struct turn *t = arg;
	struct vtm_journal *j = t->journal;
	struct vtm_item **list = g_new(struct vtm_item *, n + 1);
	uint32_t before = m->tags;
	bool pending = false;

	for (size_t i = 0; i < n; i++) {
		list[i] = items[i].item;
		pending = pending || items[i].item->report.verdict == VTM_PENDING;
	}
	m->tags = vtm_tags_again(before, list, n);
	if (!pending && !m->done_ms)
		m->done_ms = vtm_utc_ms(j->clock);
	if (m->tags & ~before & VTM_TAG_BIT(VTM_TAG_BAD)) {
		g_mutex_lock(&j->lock);
		j->turned_bad++;
		g_mutex_unlock(&j->lock);
		j->set.turned_bad(j->set.arg, t->store, m, items, n);
	}
	g_free(list);
}

/* 1 all messages have it, 0 more may wait for it. */
static int pass_on(struct vtm_journal *j, struct vtm_store *store, const struct answer *a, GError **error)
{
	struct turn t = { j, store };
	int n = vtm_store_journal_answer(store, &a->key, &a->report, turned, &t, error);

	return n < 0 ? -1 : n < VTM_STORE_ANSWER_MAX;
}

static void keep_answer(struct vtm_journal *j, const struct answer *a)
{
	if (j->answers.length < VTM_JOURNAL_ANSWERS_MAX)
		g_queue_push_tail(&j->answers, g_memdup2(a, sizeof(*a)));
	else
		count_dropped(j, 1, "too many answers wait for the store");
}

static void wait_for_store(struct vtm_journal *j)
{
	j->retry_ms = vtm_boot_ms(j->clock) + VTM_JOURNAL_RETRY_MS;
}

int vtm_journal_answered(struct vtm_journal *j, struct vtm_store *store, const struct vtm_key *key,
			 const struct vtm_report *report, GError **error)
{
	struct answer a = { *key, *report };
	int rc = 0;

	if (!j->set.retention_ms)
		return 0;
	/* an earlier answer for the same key must not come after this one */
	if (store && !j->answers.length)
		rc = pass_on(j, store, &a, error);
	if (rc <= 0)
		keep_answer(j, &a);
	if (rc < 0)
		wait_for_store(j);
	return rc < 0 ? -1 : 0;
}

static int pass_on_oldest(struct vtm_journal *j, struct vtm_store *store, GError **error)
{
	int rc = j->answers.length ? pass_on(j, store, j->answers.head->data, error) : 0;

	if (rc > 0)
		g_free(g_queue_pop_head(&j->answers));
	return rc < 0 ? -1 : 0;
}

/* ---- messages ---- */

static void strip_details(struct vtm_journal_message *m)
{
	g_clear_pointer(&m->sender, g_free);
	g_clear_pointer(&m->recipients, g_strfreev);
	g_clear_pointer(&m->client, g_free);
}

/* Moves the oldest messages, as many as one transaction may have, out of the inbox. */
static void take_batch(struct vtm_journal *j, GQueue *batch)
{
	size_t items = 0;

	g_mutex_lock(&j->lock);
	while (j->inbox.length && batch->length < VTM_JOURNAL_BATCH) {
		const struct delivered *d = j->inbox.head->data;

		items += d->n;
		if (batch->length && items > VTM_JOURNAL_ITEMS)
			break;
		g_queue_push_tail(batch, g_queue_pop_head(&j->inbox));
	}
	g_mutex_unlock(&j->lock);
}

/* Writes <batch>, all of it or nothing where the store has transactions, and moves what was written to <written>.  On
 * failure *culprit_r is the message that was not taken; NULL: the store took none. */
static int write_batch(struct vtm_journal *j, struct vtm_store *store, GQueue *batch, GQueue *written,
		       struct delivered **culprit_r, GError **error)
{
	GList *i = batch->head;

	*culprit_r = NULL;
	if (vtm_store_begin(store, error) < 0)
		return -1;
	for (; i; i = i->next) {
		struct delivered *d = i->data;

		if (j->set.ids_only)
			strip_details(d->message);
		if (vtm_store_journal_add(store, d->message, d->items, d->n, error) < 0) {
			*culprit_r = d;
			break;
		}
	}
	if (i ? !vtm_store_shared(store) : vtm_store_commit(store, error) < 0)
		i = batch->head;
	while (batch->head != i)
		g_queue_push_tail(written, g_queue_pop_head(batch));
	return i ? -1 : 0;
}

/* Puts back what the store did not take.  Where others came meanwhile and all of it is too much, the oldest go. */
static void put_back(struct vtm_journal *j, GQueue *batch)
{
	unsigned too_many;

	g_mutex_lock(&j->lock);
	while (batch->length && j->inbox.length < VTM_JOURNAL_MAX)
		g_queue_push_head(&j->inbox, g_queue_pop_tail(batch));
	g_mutex_unlock(&j->lock);
	too_many = batch->length;
	g_queue_clear_full(batch, free_delivered);
	if (too_many)
		count_dropped(j, too_many, "too many messages wait for the store");
}

/* An answer may have come after the headers were written and before this entry was: passes it on now. */
static int catch_up(struct vtm_journal *j, struct vtm_store *store, const struct delivered *d, GError **error)
{
	int rc = 0;

	for (size_t i = 0; i < d->n; i++) {
		struct vtm_report report;

		if (!d->items[i].has_key || d->items[i].item->report.verdict != VTM_PENDING ||
		    vtm_cache_get(j->cache, &d->items[i].key, &report) != 1)
			continue;
		vtm_report_judge(&report, j->set.threshold);
		if (vtm_journal_answered(j, store, &d->items[i].key, &report, rc < 0 ? NULL : error) < 0)
			rc = -1;
	}
	return rc;
}

static int catch_up_all(struct vtm_journal *j, struct vtm_store *store, GQueue *written, GError **error)
{
	int rc = 0;

	g_mutex_lock(&j->lock);
	j->written += written->length;
	g_mutex_unlock(&j->lock);
	for (GList *i = written->head; i; i = i->next)
		if (catch_up(j, store, i->data, rc < 0 ? NULL : error) < 0)
			rc = -1;
	g_queue_clear_full(written, free_delivered);
	return rc;
}

static bool is_of_the_message(const GError *error)
{
	return g_error_matches(error, VTM_ERROR, VTM_ERROR_LIMIT) || g_error_matches(error, VTM_ERROR, VTM_ERROR_FORMAT);
}

static int write_messages(struct vtm_journal *j, struct vtm_store *store, GError **error)
{
	GQueue batch = G_QUEUE_INIT, written = G_QUEUE_INIT;
	struct delivered *culprit;
	GError *failure = NULL;
	int rc;

	take_batch(j, &batch);
	if (!batch.length)
		return 0;
	rc = write_batch(j, store, &batch, &written, &culprit, &failure);
	if (culprit && is_of_the_message(failure)) {
		g_queue_remove(&batch, culprit);
		free_delivered(culprit);
		count_dropped(j, 1, failure->message);
		g_clear_error(&failure);
		rc = 0;
	}
	put_back(j, &batch);
	if (failure)
		g_propagate_error(error, failure);
	if (catch_up_all(j, store, &written, rc < 0 ? NULL : error) < 0)
		rc = -1;
	return rc;
}

/* ---- steps ---- */

static int expire(struct vtm_journal *j, struct vtm_store *store, GError **error)
{
	int64_t now = vtm_boot_ms(j->clock);

	if (!j->set.retention_ms || now < j->expire_ms)
		return 0;
	j->expire_ms = now + EXPIRE_MS;
	return vtm_store_journal_expire(store, vtm_utc_ms(j->clock) - j->set.retention_ms, EXPIRE_MAX, error);
}

int vtm_journal_step(struct vtm_journal *j, struct vtm_store *store, GError **error)
{
	if (!store || vtm_boot_ms(j->clock) < j->retry_ms)
		return 0;
	if (write_messages(j, store, error) >= 0 && pass_on_oldest(j, store, error) >= 0 &&
	    expire(j, store, error) >= 0)
		return 0;
	wait_for_store(j);
	return -1;
}

static bool anything_waits(struct vtm_journal *j)
{
	bool waits;

	g_mutex_lock(&j->lock);
	waits = j->inbox.length > 0;
	g_mutex_unlock(&j->lock);
	return waits || j->answers.length;
}

int64_t vtm_journal_next(struct vtm_journal *j)
{
	if (anything_waits(j))
		return j->retry_ms;
	return j->set.retention_ms ? MAX(j->expire_ms, j->retry_ms) : INT64_MAX;
}

void vtm_journal_finish(struct vtm_journal *j, struct vtm_store *store)
{
	int64_t end = vtm_boot_ms(j->clock) + VTM_JOURNAL_FINISH_MS;
	struct vtm_journal_counts counts;
	GError *error = NULL;

	j->retry_ms = 0;
	while (store && anything_waits(j) && vtm_boot_ms(j->clock) < end)
		if (vtm_journal_step(j, store, &error) < 0)
			break;
	vtm_journal_counts(j, &counts);
	if (counts.waiting)
		vtm_log(VTM_LOG_WARNING, "journal: %s; %u delivered messages are not in the journal",
			error ? error->message : store ? "no time was left" : "there is no store", counts.waiting);
	g_clear_error(&error);
}
