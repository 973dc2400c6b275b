/* SPDX-License-Identifier: BSD-2-Clause */
/* cache.c - verdicts in memory, least recently used first out. */
#include "queue/cache.h"

#include <glib.h>

struct entry {
	struct vtm_key key;	/* first: the entry is its own key in the table */
	struct vtm_report report;
	int64_t expires_ms;
	GList link;		/* in the order of use */
};

struct vtm_cache {
	const struct vtm_clock *clock;
	unsigned max;
	GMutex lock;		/* table and order */
	GHashTable *table;	/* set of struct entry *, owned */
	GQueue order;		/* head: used last */
};

struct vtm_cache *vtm_cache_new(const struct vtm_clock *clock, unsigned max_entries)
{
	struct vtm_cache *c = g_new0(struct vtm_cache, 1);

	c->clock = clock;
	c->max = MAX(max_entries, 1);
	g_mutex_init(&c->lock);
	c->table = g_hash_table_new_full(vtm_key_hash, vtm_key_equal, g_free, NULL);
	g_queue_init(&c->order);
	return c;
}

void vtm_cache_free(struct vtm_cache *c)
{
	if (!c)
		return;
	g_hash_table_destroy(c->table);
	g_mutex_clear(&c->lock);
	g_free(c);
}

static void drop(struct vtm_cache *c, struct entry *e)
{
	g_queue_unlink(&c->order, &e->link);
	g_hash_table_remove(c->table, e);
}

int vtm_cache_get(struct vtm_cache *c, const struct vtm_key *key, struct vtm_report *report_r)
{
	int64_t now = vtm_utc_ms(c->clock);
	struct entry *e;

	g_mutex_lock(&c->lock);
	e = g_hash_table_lookup(c->table, key);
	if (e && e->expires_ms <= now) {
		drop(c, e);
		e = NULL;
	}
	if (e) {
		g_queue_unlink(&c->order, &e->link);
		g_queue_push_head_link(&c->order, &e->link);
		*report_r = e->report;
	}
	g_mutex_unlock(&c->lock);
	return e != NULL;
}

static struct entry *add(struct vtm_cache *c, const struct vtm_key *key)
{
	struct entry *e = g_new0(struct entry, 1);

	if (c->order.length >= c->max)
		drop(c, c->order.tail->data);
	e->key = *key;
	e->link.data = e;
	g_hash_table_add(c->table, e);
	return e;
}

bool vtm_cache_put(struct vtm_cache *c, const struct vtm_key *key, const struct vtm_report *report,
		   int64_t expires_utc_ms)
{
	struct entry *e;

	if (!vtm_verdict_is_answer(report->verdict))
		return false;
	g_mutex_lock(&c->lock);
	e = g_hash_table_lookup(c->table, key);
	if (e)
		g_queue_unlink(&c->order, &e->link);
	else
		e = add(c, key);
	e->report = *report;
	e->expires_ms = expires_utc_ms;
	g_queue_push_head_link(&c->order, &e->link);
	g_mutex_unlock(&c->lock);
	return true;
}

void vtm_cache_forget(struct vtm_cache *c, const struct vtm_key *key)
{
	struct entry *e;

	g_mutex_lock(&c->lock);
	e = g_hash_table_lookup(c->table, key);
	if (e)
		drop(c, e);
	g_mutex_unlock(&c->lock);
}

unsigned vtm_cache_size(struct vtm_cache *c)
{
	unsigned n;

	g_mutex_lock(&c->lock);
	n = c->order.length;
	g_mutex_unlock(&c->lock);
	return n;
}
