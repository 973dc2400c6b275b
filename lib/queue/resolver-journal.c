/* SPDX-License-Identifier: BSD-2-Clause */
/* resolver-journal.c - delivered messages, and verdicts that come late. */
#include "queue/resolver-parts.h"

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "model/tags.h"

#define JOURNAL_MAX 10000		/* messages that wait to be written */
#define LATE_LOOK_MS 2000		/* how often due late verdicts are looked for */

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

void vtm_resolver_answered(void *arg, const struct vtm_lookup *lookup, const struct vtm_report *report)
{
	struct vtm_resolver *r = arg;
	GError *error = NULL;

	if (!r->store || !r->set.journal_retention_ms)
		return;
	if (vtm_store_journal_answer(r->store, &lookup->key, report, turned, r, &error) < 0) {
		vtm_resolver_store_trouble(r, error->message);
		g_error_free(error);
	}
}

void vtm_resolver_free_journalled(gpointer p)
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
	if (i ? !vtm_store_shared(r->store) : vtm_store_commit(r->store, error) < 0)
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

	vtm_resolver_store_trouble(r, error->message);
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
			vtm_resolver_answered(r, &l, &report);
		}
	}
}

void vtm_resolver_take_journal(struct vtm_resolver *r)
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
	g_queue_clear_full(&written, vtm_resolver_free_journalled);
	g_queue_clear_full(&batch, vtm_resolver_free_journalled);
}

static void hand_out(const struct vtm_late *l, void *arg)
{
	struct vtm_resolver *r = arg;
	struct handed_out *out;
	char *queue_id;

	if (g_hash_table_size(r->late_out) >= VTM_LATE_AT_ONCE || g_hash_table_contains(r->late_out, &l->id))
		return;
	queue_id = vtm_json_get_text(l->json, "queue_id");
	out = g_new(struct handed_out, 1);
	out->attempts = l->attempts + 1;
	g_strlcpy(out->queue_id, queue_id ? queue_id : "NOQUEUE", sizeof(out->queue_id));
	g_hash_table_insert(r->late_out, g_memdup2(&l->id, sizeof(l->id)), out);
	g_free(queue_id);
	r->set.late(r->set.arg, r, l->id, g_strdup(l->json));
}

static int64_t late_pause(int attempts)
{
	int64_t pause = VTM_LATE_FIRST_MS;

	while (attempts-- > 1 && pause < VTM_LATE_MAX_MS)
		pause *= 2;
	return MIN(pause, VTM_LATE_MAX_MS);
}

static int settle_late(struct vtm_resolver *r, const struct late_result *result, const struct handed_out *out,
		       GError **error)
{
	if (result->end == VTM_LATE_AGAIN && out->attempts < VTM_LATE_ATTEMPTS)
		return vtm_store_late_retry(r->store, result->id, vtm_utc_ms(r->clock) + late_pause(out->attempts),
					    error);
	if (result->end == VTM_LATE_DONE) {
		r->late_done++;
	} else {
		r->late_failed++;
		vtm_log(VTM_LOG_ERROR, "%s: LateVerdictCommand is given up, attempts: %d", out->queue_id,
			out->attempts);
	}
	return vtm_store_late_done(r->store, result->id, error);
}

static void note_late(struct vtm_resolver *r, const struct late_result *result)
{
	const struct handed_out *out = g_hash_table_lookup(r->late_out, &result->id);
	GError *error = NULL;

	/* without a store it is handed out again when there is one */
	if (out && r->store && settle_late(r, result, out, &error) < 0) {
		vtm_resolver_store_trouble(r, error->message);
		g_error_free(error);
	}
	g_hash_table_remove(r->late_out, &result->id);
}

void vtm_resolver_take_late(struct vtm_resolver *r, int64_t now)
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
			vtm_resolver_store_trouble(r, error->message);
			g_error_free(error);
		}
	}
	g_array_free(results, TRUE);
}

void vtm_resolver_journal(struct vtm_resolver *r, struct vtm_journal_message *m, struct vtm_journal_item *items,
			  size_t n)
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
		vtm_resolver_free_journalled(j);
	else
		vtm_resolver_wake(r);
}

void vtm_resolver_late_result(struct vtm_resolver *r, int64_t id, enum vtm_late_end end)
{
	struct late_result result = { id, end };

	g_mutex_lock(&r->lock);
	g_array_append_val(r->late_results, result);
	g_mutex_unlock(&r->lock);
	vtm_resolver_wake(r);
}
