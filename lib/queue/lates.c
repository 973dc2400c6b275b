/* SPDX-License-Identifier: BSD-2-Clause */
/* lates.c - late verdicts: kept in the store and handed out until they are taken. */
#include "queue/lates.h"

#include "base/log.h"
#include "model/tags.h"
#include "base/json.h"

struct result {
	int64_t id;
	enum vtm_late_end end;
};

struct handed_out {
	int attempts;			/* with this one */
	char queue_id[64];		/* for the log */
};

struct vtm_lates {
	const struct vtm_clock *clock;
	GMutex lock;			/* covers the next line */
	GArray *results;		/* of struct result */
	/* the thread's own */
	void (*hand_out)(void *arg, int64_t id, char *json);
	void *arg;
	GHashTable *out;		/* id -> struct handed_out */
	GQueue ended;			/* of struct result: not in the store yet */
	int64_t look_ms;		/* boot ms */
	uint64_t done, failed;
};

struct vtm_lates *vtm_lates_new(const struct vtm_clock *clock)
{
	struct vtm_lates *l = g_new0(struct vtm_lates, 1);

	l->clock = clock;
	g_mutex_init(&l->lock);
	l->results = g_array_new(FALSE, FALSE, sizeof(struct result));
	l->out = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	return l;
}

void vtm_lates_free(struct vtm_lates *l)
{
	if (!l)
		return;
	g_array_free(l->results, TRUE);
	g_hash_table_destroy(l->out);
	g_queue_clear_full(&l->ended, g_free);
	g_mutex_clear(&l->lock);
	g_free(l);
}

void vtm_lates_configure(struct vtm_lates *l, void (*hand_out)(void *arg, int64_t id, char *json), void *arg)
{
	l->hand_out = hand_out;
	l->arg = arg;
}

void vtm_lates_counts(const struct vtm_lates *l, uint64_t *done_r, uint64_t *failed_r)
{
	*done_r = l->done;
	*failed_r = l->failed;
}

/* ---- into the store ---- */

static struct vtm_json *item_json(const struct vtm_journal_item *i)
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

/* New string. */
static char *late_json(const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n)
{
	struct vtm_json *j = vtm_json_new();
	char *tags = vtm_tags_text(m->tags), *line;

	vtm_json_text(j, "queue_id", m->queue_id);
	vtm_json_text(j, "message_id", m->message_id);
	vtm_json_text(j, "sender", m->sender);
	vtm_json_texts(j, "recipients", (const char *const *)m->recipients);
	vtm_json_text(j, "tags", tags);
	vtm_json_int(j, "time", m->time_ms / 1000);
	for (size_t i = 0; i < n; i++)
		if (items[i].item->report.verdict == VTM_BAD)
			vtm_json_append(j, "items", item_json(&items[i]));
	line = vtm_json_line(j);
	g_free(tags);
	vtm_json_free(j);
	return line;
}

void vtm_lates_keep(struct vtm_lates *l, struct vtm_store *store, const struct vtm_journal_message *m,
		    const struct vtm_journal_item *items, size_t n)
{
	GError *error = NULL;
	char *json;

	if (!l->hand_out)
		return;
	json = late_json(m, items, n);
	if (vtm_store_late_add(store, json, &error) < 0) {
		vtm_log(VTM_LOG_ERROR, "%s: %s; LateVerdictCommand is not run for this message", m->queue_id ? m->queue_id : "NOQUEUE",
			error->message);
		g_error_free(error);
	}
	g_free(json);
}

/* ---- out of it ---- */

static void hand_out(const struct vtm_late *late, void *arg)
{
	struct vtm_lates *l = arg;
	struct handed_out *out;
	char *queue_id;

	if (g_hash_table_size(l->out) >= VTM_LATE_AT_ONCE || g_hash_table_contains(l->out, &late->id))
		return;
	queue_id = vtm_json_get_text(late->json, "queue_id");
	out = g_new(struct handed_out, 1);
	out->attempts = late->attempts + 1;
	g_strlcpy(out->queue_id, queue_id ? queue_id : "NOQUEUE", sizeof(out->queue_id));
	g_hash_table_insert(l->out, g_memdup2(&late->id, sizeof(late->id)), out);
	g_free(queue_id);
	l->hand_out(l->arg, late->id, g_strdup(late->json));
}

/* After <attempts> (1 or more) that failed. */
static int64_t pause_after(int attempts)
{
	int64_t pause = VTM_LATE_FIRST_MS;

	while (attempts-- > 1 && pause < VTM_LATE_MAX_MS)
		pause *= 2;
	return MIN(pause, VTM_LATE_MAX_MS);
}

static int write_end(struct vtm_lates *l, struct vtm_store *store, const struct result *r, const struct handed_out *out,
		     GError **error)
{
	bool again = r->end == VTM_LATE_AGAIN && out->attempts < VTM_LATE_ATTEMPTS;

	if (again)
		return vtm_store_late_retry(store, r->id, vtm_utc_ms(l->clock) + pause_after(out->attempts), error);
	if (vtm_store_late_done(store, r->id, error) < 0)
		return -1;
	if (r->end == VTM_LATE_DONE) {
		l->done++;
	} else {
		l->failed++;
		vtm_log(VTM_LOG_ERROR, "%s: LateVerdictCommand failed for the last time, after %d attempts", out->queue_id, out->attempts);
	}
	return 0;
}

static void take_results(struct vtm_lates *l)
{
	g_mutex_lock(&l->lock);
	for (guint i = 0; i < l->results->len; i++) {
		const struct result *r = &g_array_index(l->results, struct result, i);

		g_queue_push_tail(&l->ended, g_memdup2(r, sizeof(*r)));
	}
	g_array_set_size(l->results, 0);
	g_mutex_unlock(&l->lock);
}

/* Writes all ends; a failure leaves the rest for the next step. */
static int write_ends(struct vtm_lates *l, struct vtm_store *store, GError **error)
{
	struct result *r;

	while ((r = g_queue_peek_head(&l->ended))) {
		const struct handed_out *out = g_hash_table_lookup(l->out, &r->id);

		if (out && write_end(l, store, r, out, error) < 0)
			return -1;
		g_hash_table_remove(l->out, &r->id);
		g_free(g_queue_pop_head(&l->ended));
	}
	return 0;
}

int vtm_lates_step(struct vtm_lates *l, struct vtm_store *store, GError **error)
{
	int64_t now = vtm_boot_ms(l->clock);
	unsigned fresh = l->ended.length;

	take_results(l);
	fresh = l->ended.length - fresh;
	if (!store || (!fresh && now < l->look_ms))
		return 0;
	l->look_ms = now + VTM_LATE_LOOK_MS;
	if (write_ends(l, store, error) < 0)
		return -1;
	/* those that are out may be due as well */
	return l->hand_out ? vtm_store_late_due(store, 2 * VTM_LATE_AT_ONCE, hand_out, l, error) : 0;
}

void vtm_lates_result(struct vtm_lates *l, int64_t id, enum vtm_late_end end)
{
	struct result result = { id, end };

	g_mutex_lock(&l->lock);
	g_array_append_val(l->results, result);
	g_mutex_unlock(&l->lock);
}
