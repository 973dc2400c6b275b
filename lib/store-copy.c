/* SPDX-License-Identifier: BSD-2-Clause */
/* store-copy.c - all that a store knows, put into another. */
#include <string.h>

#include "error.h"
#include "store.h"

#define PAGE 1000		/* entries a transaction */

struct copy {
	struct vtm_store *to;
	struct vtm_store_copied *done;
	unsigned open;		/* entries since the transaction began */
	bool failed;
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

static void copy_late(const struct vtm_late *l, void *arg)
{
	struct copy *c = arg;

	if (may_add(c))
		kept(c, vtm_store_late_add(c->to, l->json, c->error), &c->done->late);
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

/* What was spent; slots that are taken are taken in the other too. */
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

static int empty_journal(struct vtm_store *to, GError **error)
{
	struct vtm_journal_filter f = { .max = 1 };
	int n = vtm_store_journal_list(to, &f, count_message, NULL, error);

	if (n > 0)
		g_set_error(error, VTM_ERROR, VTM_ERROR_LIMIT,
			    "the store to copy to has a journal already: empty it, or copy to a new one");
	return n == 0 ? 0 : -1;
}

int vtm_store_copy(struct vtm_store *from, struct vtm_store *to, struct vtm_store_copied *copied_r, GError **error)
{
	struct copy c = { .to = to, .done = copied_r, .error = error };

	memset(copied_r, 0, sizeof(*copied_r));
	if (empty_journal(to, error) < 0 || copy_budget(from, to, error) < 0)
		return -1;
	if (vtm_store_verdicts_each(from, copy_verdict, &c, error) < 0)
		c.failed = true;
	if (!c.failed && vtm_store_queue_load(from, VTM_STORE_LIST_MAX, copy_queued, &c, error) < 0)
		c.failed = true;
	if (!c.failed && copy_journal(&c, from, error) < 0)
		c.failed = true;
	if (!c.failed && vtm_store_late_due(from, VTM_STORE_LATE_MAX, copy_late, &c, error) < 0)
		c.failed = true;
	return finish(&c);
}
