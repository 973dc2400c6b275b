/* SPDX-License-Identifier: BSD-2-Clause */
/* queue.c - look-ups without an answer in SQLite, and leases on them. */
#include "store/codec.h"
#include "store/sqlite/sqlite.h"

int vtm_sqlite_queue_put(struct vtm_store *store, const struct vtm_queued *q, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	uint8_t key[VTM_PACKED_KEY];

	int rc;

	vtm_pack_key(&q->lookup->key, key);
	rc = vtm_sql_run(s, SQL_QUEUE_PUT, ARGS(BLOB(key, sizeof(key)), TEXT(q->lookup->subject), INT(q->op),
						INT(q->class), INT(q->since_ms), INT(q->not_before_ms),
						INT(q->attempts), TEXT(q->analysis), TEXT(s->host)), error);
	return rc < 0 ? -1 : 0;
}

int vtm_sqlite_queue_delete(struct vtm_store *store, const struct vtm_key *key, GError **error)
{
	uint8_t packed[VTM_PACKED_KEY];

	vtm_pack_key(key, packed);
	return vtm_sql_run(vtm_sqlite(store), SQL_QUEUE_DELETE, ARGS(BLOB(packed, sizeof(packed))), error) < 0 ? -1 : 0;
}

static struct vtm_queued *queued_of(sqlite3_stmt *st)
{
	struct vtm_key key;
	const char *subject = (const char *)sqlite3_column_text(st, 1);
	struct vtm_queued q = {
		.op = sqlite3_column_int(st, 2),
		.class = sqlite3_column_int(st, 3),
		.since_ms = sqlite3_column_int64(st, 4),
		.not_before_ms = sqlite3_column_int64(st, 5),
		.attempts = sqlite3_column_int(st, 6),
	};

	if (!subject || !vtm_unpack_key(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), &key))
		return NULL;
	q.lookup = vtm_lookup_new((enum vtm_lookup_kind)key.kind, subject);
	if (!q.lookup || !vtm_key_equal(&q.lookup->key, &key)) {
		vtm_lookup_free(q.lookup);
		return NULL;
	}
	q.analysis = vtm_sql_text(st, 7);
	q.host = vtm_sql_text(st, 8);
	return g_memdup2(&q, sizeof(q));
}

static void free_queued(gpointer p)
{
	vtm_queued_clear(p);
	g_free(p);
}

int vtm_sqlite_queue_load(struct vtm_store *store, unsigned max, vtm_queued_each *each, void *arg, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	sqlite3_stmt *st = vtm_sql_start(s, SQL_QUEUE_LOAD, ARGS(INT(max)), error);
	GPtrArray *list = g_ptr_array_new_with_free_func(free_queued);
	int rc = -1;

	/* read to the end first: the callback may change the queue */
	while (st && (rc = vtm_sql_step(s, st, error)) > 0) {
		struct vtm_queued *q = queued_of(st);

		if (q)
			g_ptr_array_add(list, q);
	}
	for (guint i = 0; rc == 0 && i < list->len; i++)
		each(list->pdata[i], arg);
	rc = rc < 0 ? -1 : (int)list->len;
	g_ptr_array_free(list, TRUE);
	return rc;
}

int vtm_sqlite_lease(struct vtm_store *store, const struct vtm_key *key, int64_t ms, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	int64_t now = vtm_boot_ms(s->clock);
	uint8_t packed[VTM_PACKED_KEY];

	vtm_pack_key(key, packed);
	return vtm_sql_run(s, SQL_LEASE, ARGS(BLOB(packed, sizeof(packed)), TEXT(s->owner), TEXT(vtm_boot_id(s->clock)),
						 INT(now + ms), INT(now)), error);
}

int vtm_sqlite_lease_drop(struct vtm_store *store, const struct vtm_key *key, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	uint8_t packed[VTM_PACKED_KEY];

	vtm_pack_key(key, packed);
	return vtm_sql_run(s, SQL_LEASE_DROP, ARGS(BLOB(packed, sizeof(packed)), TEXT(s->owner)), error) < 0 ? -1 : 0;
}
