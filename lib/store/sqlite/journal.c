/* SPDX-License-Identifier: BSD-2-Clause */
/* journal.c - the journal in SQLite: messages and their items. */
#include <string.h>

#include "base/error.h"
#include "store/codec.h"
#include "store/sqlite/sqlite.h"

static int add_item(struct vtm_sqlite *s, int64_t message, size_t n, const struct vtm_journal_item *j, GError **error)
{
	uint8_t key[VTM_PACKED_KEY], report[VTM_PACKED_REPORT];
	GBytes *value = vtm_pack_item(j);
	gsize len;
	const void *data = g_bytes_get_data(value, &len);
	int rc;

	vtm_pack_key(&j->key, key);
	vtm_pack_report(&j->item->report, report);
	rc = vtm_sql_run(s, SQL_ITEM_ADD, ARGS(INT(message), INT((int64_t)n),
					       BLOB(j->has_key ? key : NULL, sizeof(key)),
					       INT(vtm_journal_open(j)), INT(j->answered_ms), BLOB(report, sizeof(report)),
					       BLOB(data, len)), error);
	g_bytes_unref(value);
	return rc;
}

static int add_message(struct vtm_sqlite *s, struct vtm_journal_message *m, GError **error)
{
	GBytes *recipients = m->recipients ? vtm_pack_strv((const char *const *)m->recipients) : NULL;
	gsize len = 0;
	const void *data = recipients ? g_bytes_get_data(recipients, &len) : NULL;
	int rc;

	rc = vtm_sql_run(s, SQL_MESSAGE_ADD,
			 ARGS(TEXT(m->host ? m->host : s->host), TEXT(m->queue_id), TEXT(m->message_id),
			      TEXT(m->sender), BLOB(data, len), TEXT(m->client), INT(m->time_ms), INT(m->size),
			      INT(m->tags), INT(m->tags_delivered), INT(m->done_ms)),
			 error);
	if (recipients)
		g_bytes_unref(recipients);
	if (rc >= 0)
		m->id = sqlite3_last_insert_rowid(s->db);
	return rc;
}

int vtm_sqlite_journal_add(struct vtm_store *store, struct vtm_journal_message *m, const struct vtm_journal_item *items,
			   size_t n, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	bool own;
	int rc = vtm_sql_enter(s, &own, error);

	if (rc < 0)
		return -1;
	rc = add_message(s, m, error);
	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = add_item(s, m->id, i, &items[i], error);
	rc = vtm_sql_leave(s, own, rc < 0 ? -1 : 0, error);
	if (rc < 0) {
		m->id = 0;
		return -1;
	}
	if (!m->host)
		m->host = g_strdup(s->host);
	return 0;
}

/* ---- reading one message ---- */

/* 1 read, 0 not there (any more). */
static int get_message(struct vtm_sqlite *s, int64_t id, struct vtm_journal_message *m, GError **error)
{
	sqlite3_stmt *st = vtm_sql_start(s, SQL_MESSAGE_GET, ARGS(INT(id)), error);
	int rc = st ? vtm_sql_step(s, st, error) : -1;

	memset(m, 0, sizeof(*m));
	if (rc <= 0)
		return rc;
	m->id = id;
	m->host = vtm_sql_text(st, 0);
	m->queue_id = vtm_sql_text(st, 1);
	m->message_id = vtm_sql_text(st, 2);
	m->sender = vtm_sql_text(st, 3);
	m->recipients = vtm_unpack_strv(sqlite3_column_blob(st, 4), (size_t)sqlite3_column_bytes(st, 4));
	m->client = vtm_sql_text(st, 5);
	m->time_ms = sqlite3_column_int64(st, 6);
	m->size = sqlite3_column_int64(st, 7);
	m->tags = (uint32_t)sqlite3_column_int64(st, 8);
	m->tags_delivered = (uint32_t)sqlite3_column_int64(st, 9);
	m->done_ms = sqlite3_column_int64(st, 10);
	vtm_sql_stop(st);
	return 1;
}

static void clear_item(gpointer p)
{
	vtm_item_free(((struct vtm_journal_item *)p)->item);
}

/* Of struct vtm_journal_item; an entry that does not read back is left out. NULL on error. */
static GArray *get_items(struct vtm_sqlite *s, int64_t message, GError **error)
{
	sqlite3_stmt *st = vtm_sql_start(s, SQL_ITEM_GET, ARGS(INT(message)), error);
	GArray *items = g_array_new(FALSE, FALSE, sizeof(struct vtm_journal_item));
	int rc = -1;

	g_array_set_clear_func(items, clear_item);
	while (st && (rc = vtm_sql_step(s, st, error)) > 0) {
		struct vtm_journal_item j;

		if (!vtm_unpack_item(sqlite3_column_blob(st, 2), (size_t)sqlite3_column_bytes(st, 2), &j))
			continue;
		j.answered_ms = sqlite3_column_int64(st, 0);
		vtm_unpack_report(sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1), &j.item->report);
		g_array_append_val(items, j);
	}
	if (rc < 0)
		g_clear_pointer(&items, g_array_unref);
	return items;
}

/* 1 handed out, 0 gone, -1 error. */
static int hand_out(struct vtm_sqlite *s, int64_t id, vtm_journal_each *each, void *arg, GError **error)
{
	struct vtm_journal_message m;
	GArray *items = NULL;
	int rc = get_message(s, id, &m, error);

	if (rc > 0) {
		items = get_items(s, id, error);
		if (items)
			each(&m, (const struct vtm_journal_item *)(void *)items->data, items->len, arg);
		else
			rc = -1;
	}
	g_clear_pointer(&items, g_array_unref);
	vtm_journal_message_clear(&m);
	return rc;
}

/* Takes <ids>.  No statement is open while the callback runs: a slow reader must not hold up the write-ahead log. */
static int hand_out_all(struct vtm_sqlite *s, GArray *ids, vtm_journal_each *each, void *arg, GError **error)
{
	int n = ids ? 0 : -1;

	for (guint i = 0; n >= 0 && i < ids->len; i++) {
		int rc = hand_out(s, g_array_index(ids, int64_t, i), each, arg, error);

		n = rc < 0 ? -1 : n + rc;
	}
	g_clear_pointer(&ids, g_array_unref);
	return n;
}

int vtm_sqlite_journal_list(struct vtm_store *store, const struct vtm_journal_filter *f, vtm_journal_each *each,
			    void *arg,
			    GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	int64_t until = f->until_ms ? f->until_ms : G_MAXINT64;
	GArray *ids = vtm_sql_ids(s, SQL_MESSAGE_LIST, ARGS(INT(f->since_ms ? f->since_ms : G_MININT64), INT(until),
							    INT(f->tags), INT(f->max)), error);

	return hand_out_all(s, ids, each, arg, error);
}

int vtm_sqlite_journal_find(struct vtm_store *store, const char *id, vtm_journal_each *each, void *arg, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	char *bracketed = id[0] == '<' ? g_strdup(id) : g_strdup_printf("<%s>", id);
	GArray *ids = vtm_sql_ids(s, SQL_MESSAGE_FIND, ARGS(TEXT(id), TEXT(bracketed), INT(VTM_STORE_FIND_MAX)), error);

	g_free(bracketed);
	return hand_out_all(s, ids, each, arg, error);
}

/* ---- answers ---- */

/* What the callback added failed and took the transaction along. */
static int still_open(struct vtm_sqlite *s, GError **error)
{
	if (!sqlite3_get_autocommit(s->db))
		return 0;
	g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s: the transaction was rolled back", s->path);
	return -1;
}

static int turn_message(struct vtm_sqlite *s, int64_t id, vtm_journal_turned *turned, void *arg, GError **error)
{
	struct vtm_journal_message m;
	GArray *items = NULL;
	int rc = get_message(s, id, &m, error);

	if (rc > 0)
		items = get_items(s, id, error);
	if (items) {
		turned(&m, (const struct vtm_journal_item *)(void *)items->data, items->len, arg);
		rc = still_open(s, error);
		if (rc == 0)
			rc = vtm_sql_run(s, SQL_MESSAGE_TURN, ARGS(INT(m.tags), INT(m.done_ms), INT(id)), error);
		g_array_unref(items);
	} else if (rc > 0) {
		rc = -1;
	}
	vtm_journal_message_clear(&m);
	return rc;
}

/* How the items of one answer change. */
struct change {
	uint8_t key[VTM_PACKED_KEY], report[VTM_PACKED_REPORT];
	int64_t now_ms;
	enum vtm_journal_open from, to;	/* open at least; open from now on */
};

static int answer_one(struct vtm_sqlite *s, const struct change *c, int64_t id, vtm_journal_turned *turned, void *arg,
		      GError **error)
{
	if (vtm_sql_run(s, SQL_ITEM_ANSWER, ARGS(BLOB(c->report, sizeof(c->report)), INT(c->now_ms), INT(c->to),
						 INT(id),
						 BLOB(c->key, sizeof(c->key)), INT(c->from)), error) < 0)
		return -1;
	return turn_message(s, id, turned, arg, error);
}

int vtm_sqlite_journal_answer(struct vtm_store *store, const struct vtm_key *key, const struct vtm_report *r,
			      vtm_journal_turned *turned, void *arg, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	bool own, unknown = r->verdict == VTM_UNKNOWN;
	struct change c = {
		.now_ms = vtm_utc_ms(s->clock),
		.from = unknown ? VTM_OPEN_UNANSWERED : VTM_OPEN_UNKNOWN,
		.to = unknown ? VTM_OPEN_UNKNOWN : VTM_OPEN_FINAL,
	};
	GArray *ids;
	int n;

	vtm_pack_key(key, c.key);
	vtm_pack_report(r, c.report);
	if (vtm_sql_enter(s, &own, error) < 0)
		return -1;
	ids = vtm_sql_ids(s, SQL_ITEM_WAITING, ARGS(BLOB(c.key, sizeof(c.key)), INT(c.from), INT(VTM_STORE_ANSWER_MAX)),
			  error);
	n = ids ? (int)ids->len : -1;
	for (int i = 0; i < n; i++)
		if (answer_one(s, &c, g_array_index(ids, int64_t, (guint)i), turned, arg, error) < 0)
			n = -1;
	g_clear_pointer(&ids, g_array_unref);
	return vtm_sql_leave(s, own, n, error);
}

int vtm_sqlite_journal_expire(struct vtm_store *store, int64_t before_ms, unsigned max, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	bool own;
	GArray *ids;
	int n;

	if (vtm_sql_enter(s, &own, error) < 0)
		return -1;
	ids = vtm_sql_ids(s, SQL_MESSAGE_OLD, ARGS(INT(before_ms), INT(max)), error);
	n = ids ? (int)ids->len : -1;
	for (int i = 0; i < n; i++) {
		int64_t id = g_array_index(ids, int64_t, (guint)i);

		if (vtm_sql_run(s, SQL_ITEM_DELETE, ARGS(INT(id)), error) < 0 ||
		    vtm_sql_run(s, SQL_MESSAGE_DELETE, ARGS(INT(id)), error) < 0)
			n = -1;
	}
	g_clear_pointer(&ids, g_array_unref);
	return vtm_sql_leave(s, own, n, error);
}
