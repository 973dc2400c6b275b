/* SPDX-License-Identifier: BSD-2-Clause */
/* statement.c - the SQL of the store, statements prepared once, and transactions. */
#include "store/sqlite/sqlite.h"

#include "base/error.h"

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

void vtm_sql_rollback(struct vtm_sqlite *s)
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
		vtm_sql_rollback(s);
	return result;
}


void vtm_sqlite_end_transaction(struct vtm_store *store)
{
	struct vtm_sqlite *s = vtm_sqlite(store);

	if (s->in_transaction)
		vtm_sql_rollback(s);
	s->in_transaction = false;
}

int vtm_sqlite_begin(struct vtm_store *store, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);

	if (s->in_transaction) {
		vtm_sqlite_end_transaction(store);
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s: a transaction was left open: rolled back", s->path);
		return -1;
	}
	if (vtm_sql_run(s, SQL_BEGIN, NO_ARGS, error) < 0)
		return -1;
	s->in_transaction = true;
	return 0;
}

int vtm_sqlite_commit(struct vtm_store *store, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);

	if (!s->in_transaction) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s: no transaction is open", s->path);
		return -1;
	}
	s->in_transaction = false;
	if (vtm_sql_run(s, SQL_COMMIT, NO_ARGS, error) >= 0)
		return 0;
	vtm_sql_rollback(s);
	return -1;
}
