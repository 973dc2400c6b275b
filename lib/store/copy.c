/* SPDX-License-Identifier: BSD-2-Clause */
/* copy.c - all that a store knows, put into another. */
#include <string.h>

#include "base/error.h"
#include "store/store.h"

#define PAGE 1000		/* entries a transaction */
#define UNDERWAY "copying"	/* the named value that the target has until the copy is whole */

struct copy {
	struct vtm_store *to;
	struct vtm_store_copied *done;
	unsigned open;		/* entries since the transaction began */
	bool failed;
	bool again;		/* one that broke off goes on: what is there already is passed over */
	GHashTable *late;	/* the target's late verdicts, then; else NULL */
	GError **error;
	/* the journal, page by page, newest first */
	int64_t oldest_ms;	/* of what was seen */
	GHashTable *at_oldest;	/* ids seen with just that time */
	unsigned seen;
};

static bool kept(struct copy *c, int rc, unsigned *count)
{
	c->failed = c->failed || rc < 0;
	*count += rc >= 0;
	return rc >= 0;
}

/* Before each entry: many go into one transaction. */
static bool may_add(struct copy *c)
{
	if (c->failed)
		return false;
	if (c->open == PAGE) {
		c->open = 0;
		c->failed = vtm_store_commit(c->to, c->error) < 0;
	}
	if (!c->failed && c->open == 0)
		c->failed = vtm_store_begin(c->to, c->error) < 0;
	c->open++;
	return !c->failed;
}

static int finish(struct copy *c)
{
	if (!c->failed && c->open)
		c->failed = vtm_store_commit(c->to, c->error) < 0;
	c->open = 0;
	return c->failed ? -1 : 0;
}

static void copy_verdict(const struct vtm_key *key, const struct vtm_cached *v, void *arg)
{
	struct copy *c = arg;
	struct vtm_lookup l = { .key = *key };	/* stores keep no subject of a verdict */

	if (may_add(c))
		kept(c, vtm_store_verdict_put(c->to, &l, &v->report, v->expires_ms, c->error), &c->done->verdicts);
}

static void copy_queued(const struct vtm_queued *q, void *arg)
{
	struct copy *c = arg;

	if (may_add(c))
		kept(c, vtm_store_queue_put(c->to, q, c->error), &c->done->queued);
}

static void note_late(const struct vtm_late *l, void *arg)
{
	g_hash_table_add(arg, g_strdup(l->json));
}

static void copy_late(const struct vtm_late *l, void *arg)
{
	struct copy *c = arg;

	if (!(c->late && g_hash_table_contains(c->late, l->json)) && may_add(c))
		kept(c, vtm_store_late_add(c->to, l->json, c->error), &c->done->late);
}

static void copy_record(const struct vtm_history_key *key, const struct vtm_history *h, void *arg)
{
	struct copy *c = arg;

	if (may_add(c))
		kept(c, vtm_store_history_put(c->to, key, h, c->error), &c->done->history);
}

/* Days that the target has already stay as they are there. */
static int copy_days(struct vtm_store *from, struct vtm_store *to, GError **error)
{
	struct vtm_history_day days[VTM_HISTORY_DAYS_MAX], there[VTM_HISTORY_DAYS_MAX];
	int n = vtm_store_history_days(from, days, VTM_HISTORY_DAYS_MAX, error);
	int n_there = n < 0 ? -1 : vtm_store_history_days(to, there, VTM_HISTORY_DAYS_MAX, error);
	int rc = n_there < 0 ? -1 : 0;

	for (int i = 0; i < n && rc == 0; i++) {
		bool has = false;

		for (int j = 0; j < n_there; j++)
			has = has || there[j].day == days[i].day;
		if (!has)
			rc = vtm_store_history_count(to, &days[i], error);
	}
	return rc;
}

/* Records say something only with the secret that they are named by. */
static int copy_history(struct copy *c, struct vtm_store *from, GError **error)
{
	char *secret = NULL;
	int rc = vtm_store_meta_get(from, VTM_STORE_SECRET, &secret, error);

	if (rc == 1)
		rc = vtm_store_meta_set(c->to, VTM_STORE_SECRET, secret, error) < 0 ? -1 : 1;
	if (rc == 1 && vtm_store_history_each(from, copy_record, c, error) < 0)
		rc = -1;
	g_free(secret);
	secret = NULL;
	if (rc >= 0 && vtm_store_meta_get(from, VTM_STORE_LIVE, &secret, error) == 1)
		rc = vtm_store_meta_set(c->to, VTM_STORE_LIVE, secret, error);
	g_free(secret);
	return rc < 0 || finish(c) < 0 || copy_days(from, c->to, error) < 0 ? -1 : 0;
}

struct sought { const struct vtm_journal_message *m; size_t n; bool there; };

static void compare_message(const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n,
			    void *arg)
{
	struct sought *s = arg;

	(void)items;
	s->there = s->there || (m->time_ms == s->m->time_ms && m->size == s->m->size && n == s->n &&
				!g_strcmp0(m->host, s->m->host) && !g_strcmp0(m->queue_id, s->m->queue_id) &&
				!g_strcmp0(m->message_id, s->m->message_id));
}

/* Has the target this message already? */
static bool is_there(struct copy *c, const struct vtm_journal_message *m, size_t n)
{
	struct vtm_journal_filter f = { .since_ms = m->time_ms, .until_ms = m->time_ms,
					 .max = VTM_STORE_LIST_MAX };
	struct sought s = { m, n, false };

	if (vtm_store_journal_list(c->to, &f, compare_message, &s, c->error) < 0)
		c->failed = true;
	return s.there;
}

static void copy_message(const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n, void *arg)
{
	struct copy *c = arg;
	struct vtm_journal_message ours = *m;

	if (m->time_ms != c->oldest_ms)
		g_hash_table_remove_all(c->at_oldest);
	c->oldest_ms = m->time_ms;
	if (!g_hash_table_add(c->at_oldest, g_memdup2(&m->id, sizeof(m->id))) || !may_add(c))
		return;
	c->seen++;
	if (c->again && (is_there(c, m, n) || c->failed))
		return;
	ours.id = 0;
	kept(c, vtm_store_journal_add(c->to, &ours, items, n, c->error), &c->done->messages);
}

/* Pages overlap in the messages of one millisecond. */
static int copy_journal(struct copy *c, struct vtm_store *from, GError **error)
{
	struct vtm_journal_filter f = { .max = VTM_STORE_LIST_MAX };
	int rc;

	c->at_oldest = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	do {
		c->seen = 0;
		rc = vtm_store_journal_list(from, &f, copy_message, c, error);
		f.until_ms = c->oldest_ms;
	} while (rc == VTM_STORE_LIST_MAX && c->seen && !c->failed);
	g_hash_table_destroy(c->at_oldest);
	return rc < 0 ? -1 : 0;
}

/* Copies the used requests and the taken slots. */
static int copy_budget(struct vtm_store *from, struct vtm_store *to, GError **error)
{
	struct vtm_budget b;
	int rc;

	vtm_budget_init(&b);
	rc = vtm_store_budget_read(from, &b, error);
	if (rc == 0)
		rc = vtm_store_budget_carry(to, b.window->len, b.day_used, b.month_used, error);
	vtm_budget_clear(&b);
	return rc;
}

static void count_message(const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n,
			  void *arg)
{
	(void)m;
	(void)items;
	(void)n;
	(void)arg;
}

/* Into a store without a journal, or one that a copy broke off into. */
static int start(struct copy *c, GError **error)
{
	struct vtm_journal_filter f = { .max = 1 };
	char *underway = NULL;
	int broke_off = vtm_store_meta_get(c->to, UNDERWAY, &underway, error);
	int n = broke_off < 0 ? -1 : vtm_store_journal_list(c->to, &f, count_message, NULL, error);

	g_free(underway);
	c->again = broke_off == 1;
	if (n > 0 && !c->again) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_LIMIT,
			    "the store to copy to has a journal already: empty it, or copy to a new one");
		return -1;
	}
	if (n >= 0 && c->again) {
		c->late = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		n = vtm_store_late_due(c->to, VTM_STORE_LATE_MAX, note_late, c->late, error);
	}
	return n < 0 ? -1 : vtm_store_meta_set(c->to, UNDERWAY, "1", error);
}

int vtm_store_copy(struct vtm_store *from, struct vtm_store *to, struct vtm_store_copied *copied_r, GError **error)
{
	struct copy c = { .to = to, .done = copied_r, .error = error };
	int rc;

	memset(copied_r, 0, sizeof(*copied_r));
	c.failed = start(&c, error) < 0 || copy_budget(from, to, error) < 0;
	if (!c.failed && vtm_store_verdicts_each(from, copy_verdict, &c, error) < 0)
		c.failed = true;
	if (!c.failed && vtm_store_queue_load(from, VTM_STORE_LIST_MAX, copy_queued, &c, error) < 0)
		c.failed = true;
	if (!c.failed && copy_journal(&c, from, error) < 0)
		c.failed = true;
	if (!c.failed && finish(&c) == 0 && copy_history(&c, from, error) < 0)
		c.failed = true;
	if (!c.failed && vtm_store_late_due(from, VTM_STORE_LATE_MAX, copy_late, &c, error) < 0)
		c.failed = true;
	rc = finish(&c);
	if (rc == 0)
		rc = vtm_store_meta_set(to, UNDERWAY, NULL, error);
	g_clear_pointer(&c.late, g_hash_table_unref);
	return rc;
}
