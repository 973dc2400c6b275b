/* SPDX-License-Identifier: BSD-2-Clause */
/* store-sqlite.c - the embedded store: opening, statements, transactions; verdicts, queue, leases, late, meta. */
#include "store/sqlite/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "store/codec.h"
#include "store/sqlite/schema.h"

#define WAL_KEEP (16 * 1024 * 1024)	/* bytes a write-ahead log keeps when it is empty */
#define PAGE 1000			/* verdicts that are handed out at a time */
#define TRIES_MS 10			/* between tries to switch the journal mode */
#define CREATE_WAIT_MS 5000		/* for another process that is making or upgrading the same file */

static const char *const sql[SQL_STATEMENTS] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_READ] = "BEGIN",
	[SQL_DURABLE_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_DURABLE_COMMIT] = "COMMIT",
	[SQL_DURABLE_ROLLBACK] = "ROLLBACK",
	[SQL_DURABLE_READ] = "BEGIN",

	[SQL_VERDICT_GET] = "SELECT report, stored_ms, expires_ms FROM verdict WHERE key = ? AND expires_ms > ?",
	[SQL_VERDICT_PUT] = "INSERT OR REPLACE INTO verdict(key, expires_ms, stored_ms, report) VALUES (?, ?, ?, ?)",
	[SQL_VERDICT_FORGET] = "DELETE FROM verdict WHERE key = ?",
	[SQL_VERDICT_EXPIRE] = "DELETE FROM verdict WHERE key IN"
		" (SELECT key FROM verdict WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?)",

	[SQL_VERDICT_EACH] = "SELECT key, report, stored_ms, expires_ms FROM verdict WHERE key > ? ORDER BY key LIMIT ?",

	/* who queued it first stays named */
	[SQL_QUEUE_PUT] = "INSERT INTO queue(key, subject, op, class, since_ms, not_before_ms, attempts, analysis,"
		" host) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(key) DO UPDATE SET subject = excluded.subject,"
		" op = excluded.op, class = excluded.class, since_ms = excluded.since_ms,"
		" not_before_ms = excluded.not_before_ms, attempts = excluded.attempts, analysis = excluded.analysis",
	[SQL_QUEUE_DELETE] = "DELETE FROM queue WHERE key = ?",
	[SQL_QUEUE_LOAD] = "SELECT key, subject, op, class, since_ms, not_before_ms, attempts, analysis, host"
		" FROM queue ORDER BY since_ms LIMIT ?",
	[SQL_LEASE] = "INSERT INTO lease(key, owner, boot, until_ms) VALUES (?1, ?2, ?3, ?4) ON CONFLICT(key) DO UPDATE"
		" SET owner = excluded.owner, boot = excluded.boot, until_ms = excluded.until_ms"
		" WHERE owner = ?2 OR boot <> ?3 OR until_ms <= ?5",
	[SQL_LEASE_DROP] = "DELETE FROM lease WHERE key = ? AND owner = ?",
	[SQL_LEASE_EXPIRE] = "DELETE FROM lease WHERE boot <> ? OR until_ms <= ?",

	[SQL_MESSAGE_ADD] = "INSERT INTO message(host, queue_id, message_id, sender, recipients, client, time_ms, size,"
		" tags, tags_delivered, done_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_MESSAGE_GET] = "SELECT host, queue_id, message_id, sender, recipients, client, time_ms, size, tags,"
		" tags_delivered, done_ms FROM message WHERE id = ?",
	[SQL_MESSAGE_TURN] = "UPDATE message SET tags = ?, done_ms = ? WHERE id = ?",
	[SQL_MESSAGE_LIST] = "SELECT id FROM message WHERE time_ms >= ?1 AND time_ms <= ?2 AND (?3 = 0 OR tags & ?3)"
		" ORDER BY time_ms DESC, id DESC LIMIT ?4",
	[SQL_MESSAGE_FIND] = "SELECT id FROM message WHERE queue_id = ?1 OR message_id = ?1 OR message_id = ?2"
		" ORDER BY time_ms DESC, id DESC LIMIT ?3",
	[SQL_MESSAGE_OLD] = "SELECT id FROM message WHERE time_ms < ? ORDER BY time_ms LIMIT ?",
	[SQL_MESSAGE_DELETE] = "DELETE FROM message WHERE id = ?",
	[SQL_ITEM_ADD] = "INSERT INTO item(message, n, key, open, answered_ms, report, value)"
		" VALUES (?, ?, ?, ?, ?, ?, ?)",
	[SQL_ITEM_GET] = "SELECT answered_ms, report, value FROM item WHERE message = ? ORDER BY n",
	[SQL_ITEM_WAITING] = "SELECT DISTINCT message FROM item WHERE key = ?1 AND open > 0 AND open >= ?2"
		" ORDER BY message DESC LIMIT ?3",
	[SQL_ITEM_ANSWER] = "UPDATE item SET report = ?, answered_ms = ?, open = ?"
		" WHERE message = ? AND key = ? AND open >= ?",
	[SQL_ITEM_DELETE] = "DELETE FROM item WHERE message = ?",

	[SQL_LATE_ADD] = "INSERT INTO late(host, json, attempts, not_before_ms) VALUES (?, ?, 0, 0)",
	[SQL_LATE_COUNT] = "SELECT count(*) FROM late",
	[SQL_LATE_DUE] = "SELECT id FROM late WHERE host = ? AND not_before_ms <= ? ORDER BY id LIMIT ?",
	[SQL_LATE_GET] = "SELECT json, attempts, not_before_ms FROM late WHERE id = ?",
	[SQL_LATE_DONE] = "DELETE FROM late WHERE id = ?",
	[SQL_LATE_RETRY] = "UPDATE late SET attempts = attempts + 1, not_before_ms = ? WHERE id = ?",
	[SQL_META_SET] = "INSERT OR REPLACE INTO meta(name, value) VALUES (?, ?)",
	[SQL_META_DELETE] = "DELETE FROM meta WHERE name = ?",
	[SQL_META_GET] = "SELECT value FROM meta WHERE name = ?",
	[SQL_META_DEFAULT] = "INSERT OR IGNORE INTO meta(name, value) VALUES (?, ?)",

	[SQL_HISTORY_GET] = "SELECT seen, record FROM history WHERE id = ?",
	[SQL_HISTORY_ADD] = "INSERT INTO history(id, seen, record) VALUES (?, ?, ?)",
	[SQL_HISTORY_CHANGE] = "UPDATE history SET seen = ?, record = ? WHERE id = ?",
	[SQL_HISTORY_PUT] = "INSERT OR REPLACE INTO history(id, seen, record) VALUES (?, ?, ?)",
	[SQL_HISTORY_EACH] = "SELECT id, seen, record FROM history WHERE id > ? ORDER BY id LIMIT ?",
	[SQL_HISTORY_OLD] = "DELETE FROM history WHERE id IN (SELECT id FROM history WHERE seen >= ?1 AND seen < ?2"
		" ORDER BY seen LIMIT ?3)",
	[SQL_HISTORY_SIZE] = "SELECT count(*) FROM history WHERE seen >= ? AND seen < ?",
	[SQL_HISTORY_COUNT] = "INSERT INTO history_day(day, messages, wanted) VALUES (?, ?, ?) ON CONFLICT(day) DO"
		" UPDATE SET messages = min(messages + excluded.messages, 4294967295),"
		" wanted = min(wanted + excluded.wanted, 4294967295)",
	[SQL_HISTORY_DAYS] = "SELECT day, messages, wanted FROM history_day ORDER BY day DESC LIMIT ?",
	[SQL_HISTORY_DAYS_OLD] = "DELETE FROM history_day WHERE day < ?",

	[SQL_ANCHOR_GET] = "SELECT boot, boot_ms, utc_ms FROM anchor WHERE id = 1",
	[SQL_ANCHOR_SET] = "INSERT OR REPLACE INTO anchor(id, boot, boot_ms, utc_ms) VALUES (1, ?, ?, ?)",
	[SQL_KNOWN_GET] = "SELECT full_ms, again_ms FROM known WHERE inode = ?",
	[SQL_KNOWN_SET] = "INSERT OR REPLACE INTO known(id, inode, full_ms, again_ms) VALUES (1, ?, ?, ?)",
	[SQL_KNOWN_ADOPT] = "UPDATE known SET full_ms = ?1, again_ms = ?1 WHERE again_ms > 0",
	[SQL_SLOT_ADOPT] = "UPDATE slot SET until_ms = ?",
	[SQL_SLOT_COUNT] = "SELECT count(*) FROM slot WHERE until_ms > ?",
	[SQL_SLOT_LIST] = "SELECT until_ms FROM slot WHERE until_ms > ? ORDER BY until_ms",
	[SQL_SLOT_EXPIRE] = "DELETE FROM slot WHERE until_ms <= ?",
	[SQL_SLOT_TAKE] = "INSERT INTO slot(until_ms) VALUES (?)",
	/* a slot that ran out while the machine slept comes back: its request may have gone out after waking up */
	[SQL_SLOT_SETTLE] = "INSERT INTO slot(id, until_ms) VALUES (?, ?) ON CONFLICT(id) DO UPDATE SET"
		" until_ms = excluded.until_ms",
	[SQL_DAY_GET] = "SELECT used FROM used_day WHERE day = ?",
	[SQL_DAY_ADD] = "INSERT INTO used_day(day, used) VALUES (?, ?) ON CONFLICT(day) DO UPDATE SET"
		" used = used + excluded.used",
	[SQL_DAY_RAISE] = "INSERT INTO used_day(day, used) VALUES (?, ?) ON CONFLICT(day) DO UPDATE SET"
		" used = excluded.used WHERE excluded.used > used",
	/* by number, not by date: a clock that was once wrong must not make us forget today */
	[SQL_DAY_EXPIRE] = "DELETE FROM used_day WHERE day NOT IN"
		" (SELECT day FROM used_day ORDER BY day DESC LIMIT 400)",
	[SQL_MONTH_GET] = "SELECT used FROM used_month WHERE month = ?",
	[SQL_MONTH_ADD] = "INSERT INTO used_month(month, used) VALUES (?, ?) ON CONFLICT(month) DO UPDATE SET"
		" used = used + excluded.used",
	[SQL_MONTH_RAISE] = "INSERT INTO used_month(month, used) VALUES (?, ?) ON CONFLICT(month) DO UPDATE SET"
		" used = excluded.used WHERE excluded.used > used",
	[SQL_MONTH_EXPIRE] = "DELETE FROM used_month WHERE month NOT IN"
		" (SELECT month FROM used_month ORDER BY month DESC LIMIT 120)",
};

/* ---- errors, statements ---- */

int vtm_sql_fail(const struct vtm_sqlite *s, sqlite3 *db, GError **error)
{
	int code = db ? sqlite3_errcode(db) : SQLITE_NOMEM;
	const char *remedy = "";
	enum vtm_error kind = VTM_ERROR_STORE;

	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		kind = VTM_ERROR_BUSY;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		remedy = " (move the file and its -wal and -shm away and start again: verdicts, queue and journal "
			 "in it are lost; what was spent is asked from VirusTotal)";
		break;
	case SQLITE_FULL:
		remedy = " (no space left)";
		break;
	}
	g_set_error(error, VTM_ERROR, kind, "%s: %s%s", s->path, db ? sqlite3_errmsg(db) : "out of memory", remedy);
	return -1;
}

static int bind_all(sqlite3_stmt *st, const struct vtm_arg *args, size_t n)
{
	int rc = SQLITE_OK;

	for (int i = 0; i < (int)n && rc == SQLITE_OK; i++) {
		const struct vtm_arg *a = &args[i];

		switch (a->type) {
		case VTM_ARG_INT:
			rc = sqlite3_bind_int64(st, i + 1, a->number);
			break;
		case VTM_ARG_TEXT:
			rc = sqlite3_bind_text(st, i + 1, a->data, -1, SQLITE_STATIC);
			break;
		case VTM_ARG_BLOB:
			rc = sqlite3_bind_blob64(st, i + 1, a->data, a->len, SQLITE_STATIC);
			break;
		}
	}
	return rc;
}

sqlite3_stmt *vtm_sql_start(struct vtm_sqlite *s, enum vtm_sql id, const struct vtm_arg *args, size_t n, GError **error)
{
	sqlite3 *db = id >= SQL_DURABLE ? s->durable : s->db;
	sqlite3_stmt **st = &s->statements[id];

	if (!*st && sqlite3_prepare_v3(db, sql[id], -1, SQLITE_PREPARE_PERSISTENT, st, NULL) != SQLITE_OK) {
		vtm_sql_fail(s, db, error);
		return NULL;
	}
	if (bind_all(*st, args, n) != SQLITE_OK) {
		vtm_sql_fail(s, db, error);
		vtm_sql_stop(*st);
		return NULL;
	}
	return *st;
}

void vtm_sql_stop(sqlite3_stmt *st)
{
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
}

int vtm_sql_step(struct vtm_sqlite *s, sqlite3_stmt *st, GError **error)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		vtm_sql_fail(s, sqlite3_db_handle(st), error);
	vtm_sql_stop(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

int vtm_sql_run(struct vtm_sqlite *s, enum vtm_sql id, const struct vtm_arg *args, size_t n, GError **error)
{
	sqlite3_stmt *st = vtm_sql_start(s, id, args, n, error);

	if (!st || vtm_sql_step(s, st, error) < 0)
		return -1;
	vtm_sql_stop(st);
	return sqlite3_changes(sqlite3_db_handle(st));
}

int vtm_sql_number(struct vtm_sqlite *s, enum vtm_sql id, const struct vtm_arg *args, size_t n, int64_t otherwise,
		   int64_t *number_r, GError **error)
{
	sqlite3_stmt *st = vtm_sql_start(s, id, args, n, error);
	int rc = st ? vtm_sql_step(s, st, error) : -1;

	*number_r = rc > 0 ? sqlite3_column_int64(st, 0) : otherwise;
	if (rc > 0)
		vtm_sql_stop(st);
	return rc < 0 ? -1 : 0;
}

GArray *vtm_sql_ids(struct vtm_sqlite *s, enum vtm_sql id, const struct vtm_arg *args, size_t n, GError **error)
{
	sqlite3_stmt *st = vtm_sql_start(s, id, args, n, error);
	GArray *ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	int rc = -1;

	while (st && (rc = vtm_sql_step(s, st, error)) > 0) {
		int64_t number = sqlite3_column_int64(st, 0);

		g_array_append_val(ids, number);
	}
	if (rc < 0)
		g_clear_pointer(&ids, g_array_unref);
	return ids;
}

/* ---- transactions ---- */

static void rollback(struct vtm_sqlite *s)
{
	/* some errors roll back by themselves */
	if (!sqlite3_get_autocommit(s->db))
		vtm_sql_run(s, SQL_ROLLBACK, NO_ARGS, NULL);
}

int vtm_sql_enter(struct vtm_sqlite *s, bool *own_r, GError **error)
{
	*own_r = !s->in_transaction;
	return *own_r && vtm_sql_run(s, SQL_BEGIN, NO_ARGS, error) < 0 ? -1 : 0;
}

int vtm_sql_leave(struct vtm_sqlite *s, bool own, int result, GError **error)
{
	if (own && result >= 0 && vtm_sql_run(s, SQL_COMMIT, NO_ARGS, error) < 0)
		result = -1;
	if (own && result < 0)
		rollback(s);
	return result;
}

/* The caller's, after a call that failed. */
static void end_transaction(struct vtm_store *store)
{
	struct vtm_sqlite *s = vtm_sqlite(store);

	if (s->in_transaction)
		rollback(s);
	s->in_transaction = false;
}

static int begin(struct vtm_store *store, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);

	if (s->in_transaction) {
		end_transaction(store);
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s: a transaction was left open: rolled back", s->path);
		return -1;
	}
	if (vtm_sql_run(s, SQL_BEGIN, NO_ARGS, error) < 0)
		return -1;
	s->in_transaction = true;
	return 0;
}

static int commit(struct vtm_store *store, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);

	if (!s->in_transaction) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s: no transaction is open", s->path);
		return -1;
	}
	s->in_transaction = false;
	if (vtm_sql_run(s, SQL_COMMIT, NO_ARGS, error) >= 0)
		return 0;
	rollback(s);
	return -1;
}

/* ---- verdicts ---- */

/* A row that does not read back counts as not there: it is asked again, and never becomes clean. */
static int verdict_get(struct vtm_sqlite *s, const struct vtm_key *key, int64_t now, struct vtm_cached *out,
		       GError **error)
{
	uint8_t packed[VTM_PACKED_KEY];
	sqlite3_stmt *st;
	int rc;

	vtm_pack_key(key, packed);
	st = vtm_sql_start(s, SQL_VERDICT_GET, ARGS(BLOB(packed, sizeof(packed)), INT(now)), error);
	rc = st ? vtm_sql_step(s, st, error) : -1;
	if (rc <= 0)
		return rc;
	out->found = vtm_unpack_report(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), &out->report) &&
		     vtm_verdict_is_answer(out->report.verdict);
	out->stored_ms = sqlite3_column_int64(st, 1);
	out->expires_ms = sqlite3_column_int64(st, 2);
	vtm_sql_stop(st);
	return out->found;
}

static int verdicts_get(struct vtm_store *store, const struct vtm_key *keys, size_t n, struct vtm_cached *out,
			GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	int64_t now = vtm_utc_ms(s->clock);
	bool own = n > 1 && sqlite3_get_autocommit(s->db);	/* one look at the locks for all */
	int found = 0;

	if (own && vtm_sql_run(s, SQL_READ, NO_ARGS, error) < 0)
		return -1;
	for (size_t i = 0; i < n && found >= 0; i++) {
		int rc = verdict_get(s, &keys[i], now, &out[i], error);

		found = rc < 0 ? -1 : found + rc;
	}
	if (own)
		rollback(s);	/* nothing was changed */
	if (found < 0)
		memset(out, 0, n * sizeof(*out));
	return found;
}

static int verdict_put(struct vtm_store *store, const struct vtm_lookup *l, const struct vtm_report *r,
		       int64_t expires_ms, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	uint8_t key[VTM_PACKED_KEY], report[VTM_PACKED_REPORT];

	vtm_pack_key(&l->key, key);
	vtm_pack_report(r, report);
	return vtm_sql_run(s, SQL_VERDICT_PUT, ARGS(BLOB(key, sizeof(key)), INT(expires_ms), INT(vtm_utc_ms(s->clock)),
						       BLOB(report, sizeof(report))), error) < 0 ? -1 : 0;
}

static int verdict_forget(struct vtm_store *store, const struct vtm_key *key, GError **error)
{
	uint8_t packed[VTM_PACKED_KEY];

	vtm_pack_key(key, packed);
	return vtm_sql_run(vtm_sqlite(store), SQL_VERDICT_FORGET, ARGS(BLOB(packed, sizeof(packed))), error);
}

static int verdicts_expire(struct vtm_store *store, unsigned max, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	const char *boot = vtm_boot_id(s->clock);

	/* leases of the dead go along; they are few */
	if (vtm_sql_run(s, SQL_LEASE_EXPIRE, ARGS(TEXT(boot), INT(vtm_boot_ms(s->clock))), error) < 0)
		return -1;
	return vtm_sql_run(s, SQL_VERDICT_EXPIRE, ARGS(INT(vtm_utc_ms(s->clock)), INT(max)), error);
}

/* Hands out a page of verdicts after <last>, which moves on.  Returns how many rows there were, good or not. */
static int each_page(struct vtm_sqlite *s, uint8_t last[VTM_PACKED_KEY], vtm_verdict_each *each, void *arg, int *n,
		     GError **error)
{
	sqlite3_stmt *st = vtm_sql_start(s, SQL_VERDICT_EACH, ARGS(BLOB(last, VTM_PACKED_KEY), INT(PAGE)), error);
	int64_t now = vtm_utc_ms(s->clock);
	uint8_t next[VTM_PACKED_KEY];
	int rows = 0, rc = -1;

	memcpy(next, last, sizeof(next));
	while (st && (rc = vtm_sql_step(s, st, error)) > 0) {
		struct vtm_cached c = { .stored_ms = sqlite3_column_int64(st, 2), .expires_ms = sqlite3_column_int64(st, 3) };
		struct vtm_key key;

		rows++;
		if (!vtm_unpack_key(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), &key))
			continue;
		vtm_pack_key(&key, next);
		c.found = c.expires_ms > now &&
			  vtm_unpack_report(sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1),
					    &c.report) &&
			  vtm_verdict_is_answer(c.report.verdict);
		*n += c.found;
		if (c.found)
			each(&key, &c, arg);
	}
	/* a page without one good key would come again for ever */
	rows = rc < 0 ? -1 : !memcmp(next, last, sizeof(next)) ? 0 : rows;
	memcpy(last, next, sizeof(next));
	return rows;
}

static int verdicts_each(struct vtm_store *store, vtm_verdict_each *each, void *arg, GError **error)
{
	uint8_t last[VTM_PACKED_KEY] = { 0 };
	int n = 0, rows;

	do
		rows = each_page(vtm_sqlite(store), last, each, arg, &n, error);
	while (rows == PAGE);
	return rows < 0 ? -1 : n;
}

/* ---- queue, leases ---- */

static int queue_put(struct vtm_store *store, const struct vtm_queued *q, GError **error)
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

static int queue_delete(struct vtm_store *store, const struct vtm_key *key, GError **error)
{
	uint8_t packed[VTM_PACKED_KEY];

	vtm_pack_key(key, packed);
	return vtm_sql_run(vtm_sqlite(store), SQL_QUEUE_DELETE, ARGS(BLOB(packed, sizeof(packed))), error) < 0 ? -1 : 0;
}

static char *column_dup(sqlite3_stmt *st, int column)
{
	return g_strdup((const char *)sqlite3_column_text(st, column));
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
	q.analysis = column_dup(st, 7);
	q.host = column_dup(st, 8);
	return g_memdup2(&q, sizeof(q));
}

static void free_queued(gpointer p)
{
	vtm_queued_clear(p);
	g_free(p);
}

static int queue_load(struct vtm_store *store, unsigned max, vtm_queued_each *each, void *arg, GError **error)
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

static int lease(struct vtm_store *store, const struct vtm_key *key, int64_t ms, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	int64_t now = vtm_boot_ms(s->clock);
	uint8_t packed[VTM_PACKED_KEY];

	vtm_pack_key(key, packed);
	return vtm_sql_run(s, SQL_LEASE, ARGS(BLOB(packed, sizeof(packed)), TEXT(s->owner), TEXT(vtm_boot_id(s->clock)),
						 INT(now + ms), INT(now)), error);
}

static int lease_drop(struct vtm_store *store, const struct vtm_key *key, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	uint8_t packed[VTM_PACKED_KEY];

	vtm_pack_key(key, packed);
	return vtm_sql_run(s, SQL_LEASE_DROP, ARGS(BLOB(packed, sizeof(packed)), TEXT(s->owner)), error) < 0 ? -1 : 0;
}

/* ---- late verdicts, meta ---- */

static int late_add(struct vtm_store *store, const char *json, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	int64_t waiting;

	if (vtm_sql_number(s, SQL_LATE_COUNT, NO_ARGS, 0, &waiting, error) < 0)
		return -1;
	if (waiting >= VTM_STORE_LATE_MAX) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_LIMIT, "%s: %d late verdicts are waiting already", s->path,
			    VTM_STORE_LATE_MAX);
		return -1;
	}
	return vtm_sql_run(s, SQL_LATE_ADD, ARGS(TEXT(s->host), TEXT(json)), error) < 0 ? -1 : 0;
}

static int late_one(struct vtm_sqlite *s, int64_t id, vtm_late_each *each, void *arg, GError **error)
{
	sqlite3_stmt *st = vtm_sql_start(s, SQL_LATE_GET, ARGS(INT(id)), error);
	int rc = st ? vtm_sql_step(s, st, error) : -1;
	struct vtm_late l = { .id = id };

	if (rc <= 0)
		return rc;
	l.json = column_dup(st, 0);
	l.attempts = sqlite3_column_int(st, 1);
	l.not_before_ms = sqlite3_column_int64(st, 2);
	vtm_sql_stop(st);
	if (l.json)
		each(&l, arg);
	g_free(l.json);
	return 1;
}

static int late_due(struct vtm_store *store, unsigned max, vtm_late_each *each, void *arg, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	GArray *ids = vtm_sql_ids(s, SQL_LATE_DUE, ARGS(TEXT(s->host), INT(vtm_utc_ms(s->clock)), INT(max)), error);
	int n = ids ? 0 : -1;

	for (guint i = 0; n >= 0 && i < ids->len; i++) {
		int rc = late_one(s, g_array_index(ids, int64_t, i), each, arg, error);

		n = rc < 0 ? -1 : n + rc;
	}
	g_clear_pointer(&ids, g_array_unref);
	return n;
}

static int late_done(struct vtm_store *store, int64_t id, GError **error)
{
	return vtm_sql_run(vtm_sqlite(store), SQL_LATE_DONE, ARGS(INT(id)), error) < 0 ? -1 : 0;
}

static int late_retry(struct vtm_store *store, int64_t id, int64_t not_before_ms, GError **error)
{
	return vtm_sql_run(vtm_sqlite(store), SQL_LATE_RETRY, ARGS(INT(not_before_ms), INT(id)), error) < 0 ? -1 : 0;
}

static int meta_set(struct vtm_store *store, const char *name, const char *value, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	int rc;

	if (value)
		rc = vtm_sql_run(s, SQL_META_SET, ARGS(TEXT(name), TEXT(value)), error);
	else
		rc = vtm_sql_run(s, SQL_META_DELETE, ARGS(TEXT(name)), error);
	return rc < 0 ? -1 : 0;
}

static int meta_get(struct vtm_store *store, const char *name, char **value_r, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	sqlite3_stmt *st = vtm_sql_start(s, SQL_META_GET, ARGS(TEXT(name)), error);
	int rc = st ? vtm_sql_step(s, st, error) : -1;

	if (rc > 0) {
		*value_r = column_dup(st, 0);
		vtm_sql_stop(st);
	}
	return rc;
}

static int meta_default(struct vtm_store *store, const char *name, const char *value, GError **error)
{
	return vtm_sql_run(vtm_sqlite(store), SQL_META_DEFAULT, ARGS(TEXT(name), TEXT(value)), error) < 0 ? -1 : 0;
}

/* ---- opening ---- */

static int exec(const struct vtm_sqlite *s, sqlite3 *db, const char *text, GError **error)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : vtm_sql_fail(s, db, error);
}

static int ask(const struct vtm_sqlite *s, const char *text, int *value_r, GError **error)
{
	sqlite3_stmt *st = NULL;
	int rc = -1;

	if (sqlite3_prepare_v2(s->db, text, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		*value_r = sqlite3_column_int(st, 0);
		rc = 0;
	} else {
		vtm_sql_fail(s, s->db, error);
	}
	sqlite3_finalize(st);
	return rc;
}

/* The file is made by us and not by SQLite, so that its mode is right from the first moment and its name survives a
 * power failure.  -wal and -shm get the mode of the file. */
static int create_file(const struct vtm_sqlite *s, GError **error)
{
	char *dir = g_path_get_dirname(s->path);
	int fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
	int dirfd = -1, rc = 0;

	if (fd >= 0) {
		dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = fchmod(fd, 0660) < 0 || dirfd < 0 || fsync(dirfd) < 0 ? -1 : 0;
	} else if (errno != EEXIST) {
		rc = -1;
	}
	if (rc < 0)
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s: cannot be created: %s", s->path, g_strerror(errno));
	if (dirfd >= 0)
		close(dirfd);
	if (fd >= 0)
		close(fd);
	g_free(dir);
	return rc;
}

static int connect_to(const struct vtm_sqlite *s, bool read_only, const char *synchronous, sqlite3 **db_r,
		      GError **error)
{
	int flags = (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX;
	char *text;
	int rc;

	if (sqlite3_open_v2(s->path, db_r, flags, NULL) != SQLITE_OK)
		return vtm_sql_fail(s, *db_r, error);
	sqlite3_busy_timeout(*db_r, CREATE_WAIT_MS);
	sqlite3_db_config(*db_r, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	text = g_strdup_printf("PRAGMA synchronous = %s; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
			       "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = %d;", synchronous, WAL_KEEP);
	rc = exec(s, *db_r, text, error);
	g_free(text);
	return rc;
}

/* Switching an empty file to WAL takes a lock that SQLite does not wait for. */
static int use_wal(const struct vtm_sqlite *s, GError **error)
{
	for (int waited = 0;; waited += TRIES_MS) {
		int rc = sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);

		if (rc == SQLITE_OK)
			return 0;
		if ((rc & 0xff) != SQLITE_BUSY || waited >= CREATE_WAIT_MS)
			return vtm_sql_fail(s, s->db, error);
		g_usleep(TRIES_MS * 1000);
	}
}

/* 1 ours and up to date, 0 to be made or brought up to date, -1 not ours. */
static int look_at_schema(const struct vtm_sqlite *s, int *version_r, GError **error)
{
	int application, tables;

	if (ask(s, "PRAGMA user_version", version_r, error) < 0 ||
	    ask(s, "PRAGMA application_id", &application, error) < 0 ||
	    ask(s, "SELECT count(*) FROM sqlite_schema", &tables, error) < 0)
		return -1;
	if (tables && application != SCHEMA_APPLICATION) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s: is the database of another program", s->path);
		return -1;
	}
	if (*version_r < 0 || *version_r > SCHEMA_VERSION) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE,
			    "%s: has schema %d and this vtmilter knows up to %d: use the newer vtmilter, or move the "
			    "file away", s->path, *version_r, SCHEMA_VERSION);
		return -1;
	}
	return *version_r == SCHEMA_VERSION;
}

static int apply_steps(const struct vtm_sqlite *s, int version, GError **error)
{
	char *text;
	int rc = 0;

	for (; rc == 0 && version < SCHEMA_VERSION; version++)
		rc = exec(s, s->db, schema_steps[version], error);
	if (rc < 0)
		return -1;
	text = g_strdup_printf("PRAGMA application_id = %d; PRAGMA user_version = %d", SCHEMA_APPLICATION,
			       SCHEMA_VERSION);
	rc = exec(s, s->db, text, error);
	g_free(text);
	return rc;
}

static int make_schema(struct vtm_sqlite *s, GError **error)
{
	int version, rc;

	if (exec(s, s->db, "BEGIN IMMEDIATE", error) < 0)
		return -1;
	rc = look_at_schema(s, &version, error);	/* another process may have been quicker */
	if (rc == 0)
		rc = apply_steps(s, version, error);
	if (rc >= 0)
		rc = exec(s, s->db, "COMMIT", error);
	if (rc < 0)
		rollback(s);
	return rc < 0 ? -1 : 0;
}

static int prepare_schema(struct vtm_sqlite *s, GError **error)
{
	int version, rc = look_at_schema(s, &version, error);

	if (rc < 0)
		return -1;
	if (s->base.read_only) {
		if (rc == 0)
			g_set_error(error, VTM_ERROR, VTM_ERROR_STORE,
				    "%s: has schema %d, not %d, and was opened for reading only", s->path, version,
				    SCHEMA_VERSION);
		return rc - 1;
	}
	if (use_wal(s, error) < 0)
		return -1;
	return rc == 1 ? 0 : make_schema(s, error);
}

static int open_all(struct vtm_sqlite *s, GError **error)
{
	bool read_only = s->base.read_only;
	struct stat st;

	if (!read_only && create_file(s, error) < 0)
		return -1;
	if (connect_to(s, read_only, "NORMAL", &s->db, error) < 0)
		return -1;
	s->inode = stat(s->path, &st) == 0 ? (int64_t)st.st_ino : 0;
	if (!read_only && sqlite3_db_readonly(s->db, "main") == 1) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s: may only be read by this user", s->path);
		return -1;
	}
	if (prepare_schema(s, error) < 0 || connect_to(s, read_only, "FULL", &s->durable, error) < 0)
		return -1;
	sqlite3_busy_timeout(s->db, VTM_STORE_WAIT_MS);
	sqlite3_busy_timeout(s->durable, VTM_STORE_WAIT_MS);
	return 0;
}

static void close_all(struct vtm_store *store)
{
	struct vtm_sqlite *s = vtm_sqlite(store);

	for (int i = 0; i < SQL_STATEMENTS; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->durable);
	sqlite3_close(s->db);
	g_free(s->path);
	g_free(s->host);
	g_free(s->owner);
	g_free(s);
}

static const struct vtm_store_ops ops = {
	.close = close_all,
	.begin = begin,
	.commit = commit,
	.rollback = end_transaction,
	.verdicts_get = verdicts_get,
	.verdict_put = verdict_put,
	.verdict_forget = verdict_forget,
	.verdicts_each = verdicts_each,
	.verdicts_expire = verdicts_expire,
	.budget_take = vtm_sqlite_budget_take,
	.budget_settle = vtm_sqlite_budget_settle,
	.budget_read = vtm_sqlite_budget_read,
	.budget_raise = vtm_sqlite_budget_raise,
	.budget_sync = vtm_sqlite_budget_sync,
	.budget_utc = vtm_sqlite_budget_utc,
	.queue_put = queue_put,
	.queue_delete = queue_delete,
	.queue_load = queue_load,
	.lease = lease,
	.lease_drop = lease_drop,
	.journal_add = vtm_sqlite_journal_add,
	.journal_answer = vtm_sqlite_journal_answer,
	.journal_list = vtm_sqlite_journal_list,
	.journal_find = vtm_sqlite_journal_find,
	.journal_expire = vtm_sqlite_journal_expire,
	.late_add = late_add,
	.late_due = late_due,
	.late_done = late_done,
	.late_retry = late_retry,
	.meta_set = meta_set,
	.meta_get = meta_get,
	.meta_default = meta_default,
	.history_get = vtm_sqlite_history_get,
	.history_note = vtm_sqlite_history_note,
	.history_put = vtm_sqlite_history_put,
	.history_each = vtm_sqlite_history_each,
	.history_count = vtm_sqlite_history_count,
	.history_days = vtm_sqlite_history_days,
	.history_expire = vtm_sqlite_history_expire,
	.history_size = vtm_sqlite_history_size,
};

struct vtm_store *vtm_store_sqlite_open(const char *path, const struct vtm_store_settings *settings, GError **error)
{
	struct vtm_sqlite *s = g_new0(struct vtm_sqlite, 1);

	s->base.ops = &ops;
	s->base.read_only = settings->read_only;
	s->clock = settings->clock;
	s->path = g_strdup(path);
	s->host = g_strdup(settings->host ? settings->host : "localhost");
	s->owner = g_uuid_string_random();
	if (open_all(s, error) < 0) {
		close_all(&s->base);
		return NULL;
	}
	return &s->base;
}
