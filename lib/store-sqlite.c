/* SPDX-License-Identifier: BSD-2-Clause */
/* store-sqlite.c - the store in one SQLite file, the default; the only file that knows SQLite.
 *
 * WAL, two connections: what is spent is committed with synchronous=FULL, so that it is on the disk before a request goes
 * out; everything else with NORMAL, which a loss of power may take back by a moment but not tear.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "store-backend.h"
#include "store-codec.h"

#define SCHEMA_VERSION 1
#define FIND_MAX 100
#define ANSWER_MAX 1000		/* messages that one answer concerns at the most */
#define SYNC_MS 2000
#define DAYS_KEPT 40

static const char schema[] =
	"CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
	"CREATE TABLE verdict(key BLOB PRIMARY KEY, subject TEXT, report BLOB, stored INTEGER, expires INTEGER)"
	" WITHOUT ROWID;"
	"CREATE INDEX verdict_expires ON verdict(expires);"
	"CREATE TABLE slot(id INTEGER PRIMARY KEY AUTOINCREMENT, boot TEXT, ends INTEGER);"
	"CREATE TABLE day(day INTEGER PRIMARY KEY, used INTEGER);"
	"CREATE TABLE month(month INTEGER PRIMARY KEY, used INTEGER);"
	"CREATE TABLE queue(key BLOB PRIMARY KEY, since INTEGER, packed BLOB) WITHOUT ROWID;"
	"CREATE INDEX queue_since ON queue(since);"
	"CREATE TABLE lease(key BLOB PRIMARY KEY, owner TEXT, boot TEXT, ends INTEGER) WITHOUT ROWID;"
	"CREATE TABLE message(id INTEGER PRIMARY KEY AUTOINCREMENT, queue_id TEXT, message_id TEXT, time INTEGER,"
	" tags INTEGER, done INTEGER, packed BLOB);"
	"CREATE INDEX message_queue_id ON message(queue_id);"
	"CREATE INDEX message_message_id ON message(message_id);"
	"CREATE INDEX message_time ON message(time);"
	"CREATE TABLE item(message INTEGER, n INTEGER, key BLOB, report BLOB, answered INTEGER, open INTEGER, packed BLOB,"
	" PRIMARY KEY(message, n)) WITHOUT ROWID;"
	"CREATE INDEX item_open ON item(key) WHERE open = 1;"
	"CREATE TABLE late(id INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT, json TEXT, attempts INTEGER, not_before INTEGER);";

/* Every statement, prepared when first used; those of BUDGET_* belong to the FULL connection. */
enum statement {
	VERDICT_GET, VERDICT_PUT, VERDICT_FORGET, VERDICT_EXPIRE,
	QUEUE_PUT, QUEUE_DELETE, QUEUE_LOAD, LEASE_GET, LEASE_PUT, LEASE_DROP,
	MESSAGE_ADD, ITEM_ADD, ITEM_OPEN, ITEM_ANSWER, MESSAGE_GET, ITEMS_GET, MESSAGE_SET, MESSAGE_LIST, MESSAGE_FIND,
	MESSAGE_EXPIRE, ITEM_EXPIRE, LATE_ADD, LATE_DUE, LATE_DONE, LATE_RETRY, META_SET, META_GET,
	BUDGET_FIRST,
	ANCHOR_GET = BUDGET_FIRST, ANCHOR_SET, SLOT_ADOPT, SLOT_EXPIRE, SLOT_COUNT, SLOT_ADD, SLOT_SETTLE, SLOT_LIST, DAY_GET,
	DAY_ADD, DAY_RAISE, MONTH_GET, MONTH_ADD, MONTH_RAISE, DAY_EXPIRE,
	STATEMENTS
};

static const char *const sql[STATEMENTS] = {
	[VERDICT_GET] = "SELECT report, stored, expires FROM verdict WHERE key = ?1 AND expires > ?2",
	[VERDICT_PUT] = "INSERT OR REPLACE INTO verdict VALUES(?1, ?2, ?3, ?4, ?5)",
	[VERDICT_FORGET] = "DELETE FROM verdict WHERE key = ?1",
	[VERDICT_EXPIRE] = "DELETE FROM verdict WHERE key IN (SELECT key FROM verdict WHERE expires <= ?1 LIMIT ?2)",
	[QUEUE_PUT] = "INSERT OR REPLACE INTO queue VALUES(?1, ?2, ?3)",
	[QUEUE_DELETE] = "DELETE FROM queue WHERE key = ?1",
	[QUEUE_LOAD] = "SELECT packed FROM queue ORDER BY since LIMIT ?1",
	[LEASE_GET] = "SELECT 1 FROM lease WHERE key = ?1 AND owner <> ?2 AND boot = ?3 AND ends > ?4",
	[LEASE_PUT] = "INSERT OR REPLACE INTO lease VALUES(?1, ?2, ?3, ?4)",
	[LEASE_DROP] = "DELETE FROM lease WHERE key = ?1 AND owner = ?2",
	[MESSAGE_ADD] = "INSERT INTO message(queue_id, message_id, time, tags, done, packed) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[ITEM_ADD] = "INSERT INTO item VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[ITEM_OPEN] = "SELECT DISTINCT message FROM item WHERE key = ?1 AND open = 1 LIMIT ?2",
	[ITEM_ANSWER] = "UPDATE item SET report = ?3, answered = ?4, open = ?5 WHERE message = ?1 AND key = ?2",
	[MESSAGE_GET] = "SELECT id, tags, done, packed FROM message WHERE id = ?1",
	[ITEMS_GET] = "SELECT packed, report, answered FROM item WHERE message = ?1 ORDER BY n",
	[MESSAGE_SET] = "UPDATE message SET tags = ?2, done = ?3 WHERE id = ?1",
	[MESSAGE_LIST] = "SELECT id, tags, done, packed FROM message WHERE time >= ?1 AND time < ?2 AND"
			 " (?3 = 0 OR (tags & ?3) <> 0) ORDER BY time DESC, id DESC LIMIT ?4",
	[MESSAGE_FIND] = "SELECT id, tags, done, packed FROM message WHERE queue_id = ?1 OR message_id IN (?1, '<' || ?1 || '>')"
			 " ORDER BY time DESC, id DESC LIMIT ?2",
	[MESSAGE_EXPIRE] = "DELETE FROM message WHERE id IN (SELECT id FROM message WHERE time < ?1 ORDER BY time LIMIT ?2)",
	[ITEM_EXPIRE] = "DELETE FROM item WHERE message IN (SELECT id FROM message WHERE time < ?1 ORDER BY time LIMIT ?2)",
	[LATE_ADD] = "INSERT INTO late(host, json, attempts, not_before) VALUES(?1, ?2, 0, 0)",
	[LATE_DUE] = "SELECT id, json, attempts, not_before FROM late WHERE host = ?1 AND not_before <= ?2 ORDER BY id LIMIT ?3",
	[LATE_DONE] = "DELETE FROM late WHERE id = ?1",
	[LATE_RETRY] = "UPDATE late SET attempts = attempts + 1, not_before = ?2 WHERE id = ?1",
	[META_SET] = "INSERT OR REPLACE INTO meta VALUES(?1, ?2)",
	[META_GET] = "SELECT value FROM meta WHERE name = ?1",
	[ANCHOR_GET] = "SELECT value FROM meta WHERE name = 'anchor'",
	[ANCHOR_SET] = "INSERT OR REPLACE INTO meta VALUES('anchor', ?1)",
	[SLOT_ADOPT] = "UPDATE slot SET boot = ?1, ends = ?2 WHERE boot <> ?1",
	[SLOT_EXPIRE] = "DELETE FROM slot WHERE ends <= ?1",
	[SLOT_COUNT] = "SELECT count(*) FROM slot",
	[SLOT_ADD] = "INSERT INTO slot(boot, ends) VALUES(?1, ?2)",
	[SLOT_SETTLE] = "UPDATE slot SET ends = ?2 WHERE id = ?1 AND boot = ?3",
	[SLOT_LIST] = "SELECT CASE WHEN boot = ?1 THEN ends ELSE ?3 END AS e FROM slot WHERE boot <> ?1 OR ends > ?2 ORDER BY e",
	[DAY_GET] = "SELECT used FROM day WHERE day = ?1",
	[DAY_ADD] = "INSERT INTO day VALUES(?1, ?2) ON CONFLICT(day) DO UPDATE SET used = used + ?2",
	[DAY_RAISE] = "INSERT INTO day VALUES(?1, ?2) ON CONFLICT(day) DO UPDATE SET used = max(used, ?2)",
	[MONTH_GET] = "SELECT used FROM month WHERE month = ?1",
	[MONTH_ADD] = "INSERT INTO month VALUES(?1, ?2) ON CONFLICT(month) DO UPDATE SET used = used + ?2",
	[MONTH_RAISE] = "INSERT INTO month VALUES(?1, ?2) ON CONFLICT(month) DO UPDATE SET used = max(used, ?2)",
	[DAY_EXPIRE] = "DELETE FROM day WHERE day < ?1",
};

struct sqlite_store {
	struct vtm_store base;
	const struct vtm_clock *clock;
	char *host;
	char *owner;			/* of leases: this process */
	sqlite3 *db, *budget;		/* NORMAL and FULL; budget NULL when read only */
	sqlite3_stmt *statements[STATEMENTS];
	bool in_transaction;
};

static struct sqlite_store *self(struct vtm_store *s)
{
	return (struct sqlite_store *)s;
}

/* ---- statements ------------------------------------------------------------------------------- */

static sqlite3 *connection(const struct sqlite_store *s, enum statement which)
{
	return which >= BUDGET_FIRST && s->budget ? s->budget : s->db;
}

static int db_error(sqlite3 *db, GError **error)
{
	int rc = sqlite3_errcode(db);
	enum vtm_error code = rc == SQLITE_BUSY || rc == SQLITE_LOCKED ? VTM_ERROR_BUSY : VTM_ERROR_STORE;

	g_set_error(error, VTM_ERROR, code, "%s: %s", sqlite3_db_filename(db, "main"), sqlite3_errmsg(db));
	return -1;
}

/* The statement, reset and without values; NULL and an error. */
static sqlite3_stmt *use(struct sqlite_store *s, enum statement which, GError **error)
{
	sqlite3_stmt **p = &s->statements[which];

	if (!*p && sqlite3_prepare_v3(connection(s, which), sql[which], -1, SQLITE_PREPARE_PERSISTENT, p, NULL) != SQLITE_OK) {
		db_error(connection(s, which), error);
		return NULL;
	}
	sqlite3_reset(*p);
	sqlite3_clear_bindings(*p);
	return *p;
}

/* 1 a row, 0 none (left), -1 failed. */
static int row(struct sqlite_store *s, enum statement which, GError **error)
{
	int rc = sqlite3_step(s->statements[which]);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		db_error(connection(s, which), error);
	sqlite3_reset(s->statements[which]);
	return rc == SQLITE_DONE ? 0 : -1;
}

static void done(struct sqlite_store *s, enum statement which)
{
	sqlite3_reset(s->statements[which]);
}

/* Runs a statement without rows: the number of rows changed, or -1. */
static int change(struct sqlite_store *s, enum statement which, GError **error)
{
	return row(s, which, error) < 0 ? -1 : sqlite3_changes(connection(s, which));
}

static void bind_key(sqlite3_stmt *st, int at, const struct vtm_key *key)
{
	uint8_t packed[VTM_PACKED_KEY];

	vtm_pack_key(key, packed);
	sqlite3_bind_blob(st, at, packed, sizeof(packed), SQLITE_TRANSIENT);
}

static void bind_report(sqlite3_stmt *st, int at, const struct vtm_report *r)
{
	uint8_t packed[VTM_PACKED_REPORT];

	vtm_pack_report(r, packed);
	sqlite3_bind_blob(st, at, packed, sizeof(packed), SQLITE_TRANSIENT);
}

static void bind_bytes(sqlite3_stmt *st, int at, GBytes *bytes)
{
	gsize len;
	const void *data = g_bytes_get_data(bytes, &len);

	sqlite3_bind_blob(st, at, data, (int)len, SQLITE_TRANSIENT);
	g_bytes_unref(bytes);
}

static void bind_text(sqlite3_stmt *st, int at, const char *text)
{
	sqlite3_bind_text(st, at, text, -1, SQLITE_TRANSIENT);
}

static int exec(sqlite3 *db, const char *text, GError **error)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_error(db, error);
}

/* ---- opening -------------------------------------------------------------------------------------- */

static int user_version(sqlite3 *db, GError **error)
{
	sqlite3_stmt *st;
	int version = -1;

	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL) != SQLITE_OK)
		return db_error(db, error);
	if (sqlite3_step(st) == SQLITE_ROW)
		version = sqlite3_column_int(st, 0);
	else
		db_error(db, error);
	sqlite3_finalize(st);
	return version;
}

static int set_up_schema(sqlite3 *db, bool read_only, GError **error)
{
	int version = user_version(db, error);

	if (version == SCHEMA_VERSION || version < 0)
		return MIN(version, 0);
	if (version > SCHEMA_VERSION) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s was made by a newer vtmilter (schema %d, this one knows %d): "
			    "upgrade, or move the file away", sqlite3_db_filename(db, "main"), version, SCHEMA_VERSION);
		return -1;
	}
	if (read_only) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s holds no store yet", sqlite3_db_filename(db, "main"));
		return -1;
	}
	if (exec(db, "BEGIN IMMEDIATE", error) < 0)
		return -1;
	/* another process may have been faster */
	version = user_version(db, error);
	if (version == 0 && (exec(db, schema, error) < 0 || exec(db, "PRAGMA user_version = 1", error) < 0))
		version = -1;
	if (version < 0) {
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
		return -1;
	}
	return exec(db, "COMMIT", error);
}

static sqlite3 *open_one(const char *path, const char *synchronous, bool read_only, GError **error)
{
	int flags = SQLITE_OPEN_NOMUTEX | (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s: %s", path, db ? sqlite3_errmsg(db) : "out of memory");
		sqlite3_close(db);
		return NULL;
	}
	sqlite3_busy_timeout(db, VTM_STORE_WAIT_MS);
	if ((!read_only && exec(db, "PRAGMA journal_mode = WAL", error) < 0) || exec(db, synchronous, error) < 0 ||
	    exec(db, "PRAGMA trusted_schema = OFF", error) < 0 || set_up_schema(db, read_only, error) < 0) {
		sqlite3_close(db);
		return NULL;
	}
	return db;
}

/* A new file is made by us, so that its mode is ours; SQLite gives -wal and -shm the same. */
static void create_file(const char *path)
{
	mode_t old = umask(007);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);

	umask(old);
	if (fd >= 0)
		close(fd);
}

static void sqlite_close(struct vtm_store *base)
{
	struct sqlite_store *s = self(base);

	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->budget);
	sqlite3_close(s->db);
	g_free(s->host);
	g_free(s->owner);
	g_free(s);
}

/* ---- transactions ---------------------------------------------------------------------------------- */

static int sqlite_begin(struct vtm_store *base, GError **error)
{
	struct sqlite_store *s = self(base);

	if (s->in_transaction)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	s->in_transaction = exec(s->db, "BEGIN IMMEDIATE", error) == 0;
	return s->in_transaction ? 0 : -1;
}

static int sqlite_commit(struct vtm_store *base, GError **error)
{
	struct sqlite_store *s = self(base);

	s->in_transaction = false;
	if (exec(s->db, "COMMIT", error) == 0)
		return 0;
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

/* Ends a transaction of a single function: nested ones are the caller's. */
static int finish(struct sqlite_store *s, sqlite3 *db, bool own, int rc, GError **error)
{
	if (rc >= 0 && own && exec(db, "COMMIT", error) < 0)
		rc = -1;
	if (rc < 0 && !sqlite3_get_autocommit(db)) {
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
		if (db == s->db)
			s->in_transaction = false;
	}
	return rc;
}

/* ---- verdicts ------------------------------------------------------------------------------------------ */

static int sqlite_verdicts_get(struct vtm_store *base, const struct vtm_key *keys, size_t n, struct vtm_cached *out,
			       GError **error)
{
	struct sqlite_store *s = self(base);
	int64_t now = vtm_utc_ms(s->clock);
	int found = 0;

	for (size_t i = 0; i < n; i++) {
		sqlite3_stmt *st = use(s, VERDICT_GET, error);
		int rc;

		memset(&out[i], 0, sizeof(out[i]));
		if (!st)
			return -1;
		bind_key(st, 1, &keys[i]);
		sqlite3_bind_int64(st, 2, now);
		rc = row(s, VERDICT_GET, error);
		if (rc < 0)
			return -1;
		if (rc == 0)
			continue;
		out[i].found = vtm_unpack_report(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), &out[i].report);
		out[i].stored_ms = sqlite3_column_int64(st, 1);
		out[i].expires_ms = sqlite3_column_int64(st, 2);
		found += out[i].found;
		done(s, VERDICT_GET);
	}
	return found;
}

static int sqlite_verdict_put(struct vtm_store *base, const struct vtm_lookup *l, const struct vtm_report *r,
			      int64_t expires_ms, GError **error)
{
	struct sqlite_store *s = self(base);
	sqlite3_stmt *st = use(s, VERDICT_PUT, error);

	if (!st)
		return -1;
	bind_key(st, 1, &l->key);
	bind_text(st, 2, l->subject);
	bind_report(st, 3, r);
	sqlite3_bind_int64(st, 4, vtm_utc_ms(s->clock));
	sqlite3_bind_int64(st, 5, expires_ms);
	return change(s, VERDICT_PUT, error) < 0 ? -1 : 0;
}

static int by_key(struct sqlite_store *s, enum statement which, const struct vtm_key *key, GError **error)
{
	sqlite3_stmt *st = use(s, which, error);

	if (!st)
		return -1;
	bind_key(st, 1, key);
	return change(s, which, error);
}

static int sqlite_verdict_forget(struct vtm_store *base, const struct vtm_key *key, GError **error)
{
	return by_key(self(base), VERDICT_FORGET, key, error);
}

static int sqlite_verdicts_expire(struct vtm_store *base, unsigned max, GError **error)
{
	struct sqlite_store *s = self(base);
	sqlite3_stmt *st = use(s, VERDICT_EXPIRE, error);

	if (!st)
		return -1;
	sqlite3_bind_int64(st, 1, vtm_utc_ms(s->clock));
	sqlite3_bind_int64(st, 2, max);
	return change(s, VERDICT_EXPIRE, error);
}

/* ---- budget --------------------------------------------------------------------------------------------- */

static int get_anchor(struct sqlite_store *s, struct vtm_anchor *a, GError **error)
{
	int rc;

	memset(a, 0, sizeof(*a));
	if (!use(s, ANCHOR_GET, error))
		return -1;
	rc = row(s, ANCHOR_GET, error);
	if (rc > 0) {
		const char *text = (const char *)sqlite3_column_text(s->statements[ANCHOR_GET], 0);

		if (!text || sscanf(text, "%63s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, a->boot_id, &a->boot_ms,
				    &a->utc_ms) != 3)
			memset(a, 0, sizeof(*a));
		done(s, ANCHOR_GET);
	}
	return rc < 0 ? -1 : 0;
}

static int put_anchor(struct sqlite_store *s, int64_t utc_ms, GError **error)
{
	sqlite3_stmt *st = use(s, ANCHOR_SET, error);
	char *text;

	if (!st)
		return -1;
	text = g_strdup_printf("%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, vtm_boot_id(s->clock), vtm_boot_ms(s->clock), utc_ms);
	bind_text(st, 1, text);
	g_free(text);
	return change(s, ANCHOR_SET, error) < 0 ? -1 : 0;
}

/* The budget's UTC.  With <keep> a new boot is anchored for good. */
static int read_utc(struct sqlite_store *s, bool keep, int64_t *utc_r, GError **error)
{
	struct vtm_anchor a;

	if (get_anchor(s, &a, error) < 0)
		return -1;
	*utc_r = vtm_anchor_utc(&a, vtm_boot_id(s->clock), vtm_boot_ms(s->clock), vtm_utc_ms(s->clock));
	if (keep && strcmp(a.boot_id, vtm_boot_id(s->clock)))
		return put_anchor(s, *utc_r, error);
	return 0;
}

static int get_used(struct sqlite_store *s, enum statement which, int64_t period, uint32_t *used_r, GError **error)
{
	sqlite3_stmt *st = use(s, which, error);
	int rc;

	if (!st)
		return -1;
	sqlite3_bind_int64(st, 1, period);
	rc = row(s, which, error);
	if (rc > 0) {
		*used_r = MAX(*used_r, (uint32_t)CLAMP(sqlite3_column_int64(st, 0), 0, G_MAXUINT32));
		done(s, which);
	}
	return rc < 0 ? -1 : 0;
}

/* Used by the fullest of the days and months that a request is charged to at <utc>. */
static int used_at(struct sqlite_store *s, int64_t utc, uint32_t *day_r, uint32_t *month_r, GError **error)
{
	int64_t days[2];
	unsigned n = vtm_budget_charged_days(utc, days);

	*day_r = *month_r = 0;
	for (unsigned i = 0; i < n; i++)
		if (get_used(s, DAY_GET, days[i], day_r, error) < 0 ||
		    get_used(s, MONTH_GET, vtm_budget_month(days[i] * 86400000), month_r, error) < 0)
			return -1;
	return 0;
}

static int set_used(struct sqlite_store *s, enum statement which, int64_t period, uint32_t n, GError **error)
{
	sqlite3_stmt *st = use(s, which, error);

	if (!st)
		return -1;
	sqlite3_bind_int64(st, 1, period);
	sqlite3_bind_int64(st, 2, n);
	return change(s, which, error) < 0 ? -1 : 0;
}

/* Charges <day_n> and <month_n> to every day and month concerned, by adding or raising. */
static int charge(struct sqlite_store *s, enum statement day, enum statement month, int64_t utc, uint32_t day_n,
		  uint32_t month_n, GError **error)
{
	int64_t days[2];
	unsigned n = vtm_budget_charged_days(utc, days);
	int32_t last = -1;

	for (unsigned i = 0; i < n; i++) {
		int32_t m = vtm_budget_month(days[i] * 86400000);

		if (set_used(s, day, days[i], day_n, error) < 0 || (m != last && set_used(s, month, m, month_n, error) < 0))
			return -1;
		last = m;
	}
	return 0;
}

/* Slots of another boot count from now; those that ended go. */
static int tidy_slots(struct sqlite_store *s, int64_t now, uint32_t *taken_r, GError **error)
{
	sqlite3_stmt *st = use(s, SLOT_ADOPT, error);

	if (!st)
		return -1;
	bind_text(st, 1, vtm_boot_id(s->clock));
	sqlite3_bind_int64(st, 2, now + VTM_WINDOW_MS + VTM_SLOT_MARGIN_MS);
	if (change(s, SLOT_ADOPT, error) < 0 || !(st = use(s, SLOT_EXPIRE, error)))
		return -1;
	sqlite3_bind_int64(st, 1, now);
	if (change(s, SLOT_EXPIRE, error) < 0 || !use(s, SLOT_COUNT, error) || row(s, SLOT_COUNT, error) != 1)
		return -1;
	*taken_r = (uint32_t)sqlite3_column_int64(s->statements[SLOT_COUNT], 0);
	done(s, SLOT_COUNT);
	return 0;
}

static int take_slots(struct sqlite_store *s, unsigned n, int64_t now, vtm_slot *slots_r, GError **error)
{
	for (unsigned i = 0; i < n; i++) {
		sqlite3_stmt *st = use(s, SLOT_ADD, error);

		if (!st)
			return -1;
		bind_text(st, 1, vtm_boot_id(s->clock));
		sqlite3_bind_int64(st, 2, now + VTM_SLOT_MAX_MS);
		if (change(s, SLOT_ADD, error) < 0)
			return -1;
		slots_r[i] = (vtm_slot)sqlite3_last_insert_rowid(s->budget);
	}
	return 0;
}

static int forget_days(struct sqlite_store *s, int64_t before, GError **error)
{
	sqlite3_stmt *st = use(s, DAY_EXPIRE, error);

	if (!st)
		return -1;
	sqlite3_bind_int64(st, 1, before);
	return change(s, DAY_EXPIRE, error);
}

static int take_inside(struct sqlite_store *s, const struct vtm_budget_limits *limits, enum vtm_spender who,
		       unsigned want, vtm_slot *slots_r, GError **error)
{
	int64_t now = vtm_boot_ms(s->clock), utc;
	uint32_t day, month, taken;
	unsigned granted;

	if (read_utc(s, true, &utc, error) < 0 || tidy_slots(s, now, &taken, error) < 0 ||
	    used_at(s, utc, &day, &month, error) < 0)
		return -1;
	granted = vtm_budget_allow(limits, who, day, month, taken, want);
	if (granted && (take_slots(s, granted, now, slots_r, error) < 0 ||
			charge(s, DAY_ADD, MONTH_ADD, utc, granted, granted, error) < 0))
		return -1;
	return forget_days(s, vtm_budget_day(utc) - DAYS_KEPT, error) < 0 ? -1 : (int)granted;
}

static int sqlite_budget_take(struct vtm_store *base, const struct vtm_budget_limits *limits, enum vtm_spender who,
			      unsigned want, vtm_slot *slots_r, GError **error)
{
	struct sqlite_store *s = self(base);

	if (exec(s->budget, "BEGIN IMMEDIATE", error) < 0)
		return -1;
	return finish(s, s->budget, true, take_inside(s, limits, who, want, slots_r, error), error);
}

static int sqlite_budget_settle(struct vtm_store *base, vtm_slot slot, GError **error)
{
	struct sqlite_store *s = self(base);
	sqlite3_stmt *st = use(s, SLOT_SETTLE, error);

	if (!st)
		return -1;
	sqlite3_bind_int64(st, 1, (sqlite3_int64)slot);
	sqlite3_bind_int64(st, 2, vtm_boot_ms(s->clock) + VTM_WINDOW_MS + VTM_SLOT_MARGIN_MS);
	bind_text(st, 3, vtm_boot_id(s->clock));
	return change(s, SLOT_SETTLE, error) < 0 ? -1 : 0;
}

static int sqlite_budget_read(struct vtm_store *base, struct vtm_budget *b, GError **error)
{
	struct sqlite_store *s = self(base);
	int64_t now = vtm_boot_ms(s->clock), utc;
	sqlite3_stmt *st;
	int rc;

	if (read_utc(s, false, &utc, error) < 0 || used_at(s, utc, &b->day_used, &b->month_used, error) < 0 ||
	    !(st = use(s, SLOT_LIST, error)))
		return -1;
	b->day = vtm_budget_day(utc);
	b->month = vtm_budget_month(utc);
	g_array_set_size(b->window, 0);
	bind_text(st, 1, vtm_boot_id(s->clock));
	sqlite3_bind_int64(st, 2, now);
	sqlite3_bind_int64(st, 3, now + VTM_WINDOW_MS + VTM_SLOT_MARGIN_MS);
	while ((rc = row(s, SLOT_LIST, error)) > 0 && b->window->len < VTM_WINDOW_SLOTS) {
		int64_t ends = sqlite3_column_int64(st, 0);

		g_array_append_val(b->window, ends);
	}
	done(s, SLOT_LIST);
	return rc < 0 ? -1 : 0;
}

static int sqlite_budget_raise(struct vtm_store *base, uint32_t day_used, uint32_t month_used, GError **error)
{
	struct sqlite_store *s = self(base);
	int64_t utc, day;
	int rc;

	if (exec(s->budget, "BEGIN IMMEDIATE", error) < 0)
		return -1;
	rc = read_utc(s, true, &utc, error);
	day = vtm_budget_day(utc);
	if (rc == 0 && (set_used(s, DAY_RAISE, day, day_used, error) < 0 ||
			set_used(s, MONTH_RAISE, vtm_budget_month(utc), month_used, error) < 0))
		rc = -1;
	return finish(s, s->budget, true, rc, error);
}

static int sqlite_budget_sync(struct vtm_store *base, int64_t utc_ms, GError **error)
{
	struct sqlite_store *s = self(base);
	int64_t ours;
	int rc;

	if (read_utc(s, false, &ours, error) < 0)
		return -1;
	if (ABS(ours - utc_ms) <= SYNC_MS)
		return 0;
	if (exec(s->budget, "BEGIN IMMEDIATE", error) < 0)
		return -1;
	rc = put_anchor(s, utc_ms, error);
	return finish(s, s->budget, true, rc < 0 ? -1 : 1, error);
}

static int sqlite_budget_utc(struct vtm_store *base, int64_t *utc_ms_r, GError **error)
{
	return read_utc(self(base), false, utc_ms_r, error);
}

/* ---- queue and leases -------------------------------------------------------------------------------------- */

static int sqlite_queue_put(struct vtm_store *base, const struct vtm_queued *q, GError **error)
{
	struct sqlite_store *s = self(base);
	sqlite3_stmt *st = use(s, QUEUE_PUT, error);

	if (!st)
		return -1;
	bind_key(st, 1, &q->lookup->key);
	sqlite3_bind_int64(st, 2, q->since_ms);
	bind_bytes(st, 3, vtm_pack_queued(q, s->host));
	return change(s, QUEUE_PUT, error) < 0 ? -1 : 0;
}

static int sqlite_queue_delete(struct vtm_store *base, const struct vtm_key *key, GError **error)
{
	return by_key(self(base), QUEUE_DELETE, key, error);
}

static int sqlite_queue_load(struct vtm_store *base, unsigned max, vtm_queued_each *each, void *arg, GError **error)
{
	struct sqlite_store *s = self(base);
	sqlite3_stmt *st = use(s, QUEUE_LOAD, error);
	int rc, n = 0;

	if (!st)
		return -1;
	sqlite3_bind_int64(st, 1, max);
	while ((rc = row(s, QUEUE_LOAD, error)) > 0) {
		struct vtm_queued q = { 0 };

		/* a row that cannot be read is as good as none: its message is journalled as pending */
		if (!vtm_unpack_queued(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), &q))
			continue;
		each(&q, arg);
		vtm_queued_clear(&q);
		n++;
	}
	return rc < 0 ? -1 : n;
}

static int sqlite_lease(struct vtm_store *base, const struct vtm_key *key, int64_t ms, GError **error)
{
	struct sqlite_store *s = self(base);
	int64_t now = vtm_boot_ms(s->clock);
	bool own = sqlite3_get_autocommit(s->db) != 0;
	sqlite3_stmt *st;
	int rc;

	if (own && exec(s->db, "BEGIN IMMEDIATE", error) < 0)
		return -1;
	st = use(s, LEASE_GET, error);
	if (!st)
		return finish(s, s->db, own, -1, error);
	bind_key(st, 1, key);
	bind_text(st, 2, s->owner);
	bind_text(st, 3, vtm_boot_id(s->clock));
	sqlite3_bind_int64(st, 4, now);
	rc = row(s, LEASE_GET, error);
	done(s, LEASE_GET);
	if (rc != 0)
		return finish(s, s->db, own, rc < 0 ? -1 : 0, error);
	st = use(s, LEASE_PUT, error);
	if (!st)
		return finish(s, s->db, own, -1, error);
	bind_key(st, 1, key);
	bind_text(st, 2, s->owner);
	bind_text(st, 3, vtm_boot_id(s->clock));
	sqlite3_bind_int64(st, 4, now + ms);
	return finish(s, s->db, own, change(s, LEASE_PUT, error) < 0 ? -1 : 1, error);
}

static int sqlite_lease_drop(struct vtm_store *base, const struct vtm_key *key, GError **error)
{
	struct sqlite_store *s = self(base);
	sqlite3_stmt *st = use(s, LEASE_DROP, error);

	if (!st)
		return -1;
	bind_key(st, 1, key);
	bind_text(st, 2, s->owner);
	return change(s, LEASE_DROP, error) < 0 ? -1 : 0;
}

/* ---- journal ------------------------------------------------------------------------------------------------- */

/* An item whose verdict an answer may still change. */
static bool is_open(const struct vtm_journal_item *i)
{
	enum vtm_verdict v = i->item->report.verdict;

	return i->has_key && (v == VTM_PENDING || v == VTM_BYPASSED || v == VTM_UNKNOWN);
}

static int add_item(struct sqlite_store *s, int64_t message, int n, const struct vtm_journal_item *i, GError **error)
{
	sqlite3_stmt *st = use(s, ITEM_ADD, error);

	if (!st)
		return -1;
	sqlite3_bind_int64(st, 1, message);
	sqlite3_bind_int(st, 2, n);
	if (i->has_key)
		bind_key(st, 3, &i->key);
	bind_report(st, 4, &i->item->report);
	sqlite3_bind_int64(st, 5, i->answered_ms);
	sqlite3_bind_int(st, 6, is_open(i));
	bind_bytes(st, 7, vtm_pack_item(i));
	return change(s, ITEM_ADD, error) < 0 ? -1 : 0;
}

static int add_inside(struct sqlite_store *s, struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n,
		      GError **error)
{
	sqlite3_stmt *st = use(s, MESSAGE_ADD, error);

	if (!st)
		return -1;
	if (!m->host)
		m->host = g_strdup(s->host);
	bind_text(st, 1, m->queue_id);
	bind_text(st, 2, m->message_id);
	sqlite3_bind_int64(st, 3, m->time_ms);
	sqlite3_bind_int64(st, 4, m->tags);
	sqlite3_bind_int64(st, 5, m->done_ms);
	bind_bytes(st, 6, vtm_pack_message(m));
	if (change(s, MESSAGE_ADD, error) < 0)
		return -1;
	m->id = sqlite3_last_insert_rowid(s->db);
	for (size_t i = 0; i < n; i++)
		if (add_item(s, m->id, (int)i, &items[i], error) < 0)
			return -1;
	return 0;
}

static int sqlite_journal_add(struct vtm_store *base, struct vtm_journal_message *m, const struct vtm_journal_item *items,
			      size_t n, GError **error)
{
	struct sqlite_store *s = self(base);
	bool own = sqlite3_get_autocommit(s->db) != 0;

	if (own && exec(s->db, "BEGIN IMMEDIATE", error) < 0)
		return -1;
	return finish(s, s->db, own, add_inside(s, m, items, n, error), error);
}

static void clear_items(GArray *items)
{
	for (guint i = 0; i < items->len; i++)
		vtm_item_free(g_array_index(items, struct vtm_journal_item, i).item);
	g_array_set_size(items, 0);
}

static int load_items(struct sqlite_store *s, int64_t message, GArray *items, GError **error)
{
	sqlite3_stmt *st = use(s, ITEMS_GET, error);
	int rc;

	if (!st)
		return -1;
	sqlite3_bind_int64(st, 1, message);
	while ((rc = row(s, ITEMS_GET, error)) > 0) {
		struct vtm_journal_item i = { 0 };

		if (!vtm_unpack_item(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), &i))
			continue;
		if (!vtm_unpack_report(sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1), &i.item->report))
			memset(&i.item->report, 0, sizeof(i.item->report));
		i.answered_ms = sqlite3_column_int64(st, 2);
		g_array_append_val(items, i);
	}
	return rc;
}

/* Reads the message of the row that <st> stands on. */
static bool read_message(sqlite3_stmt *st, struct vtm_journal_message *m)
{
	memset(m, 0, sizeof(*m));
	if (!vtm_unpack_message(sqlite3_column_blob(st, 3), (size_t)sqlite3_column_bytes(st, 3), m))
		return false;
	m->id = sqlite3_column_int64(st, 0);
	m->tags = (uint32_t)sqlite3_column_int64(st, 1);
	m->done_ms = sqlite3_column_int64(st, 2);
	return true;
}

static int open_messages(struct sqlite_store *s, const struct vtm_key *key, GArray *ids, GError **error)
{
	sqlite3_stmt *st = use(s, ITEM_OPEN, error);
	int rc;

	if (!st)
		return -1;
	bind_key(st, 1, key);
	sqlite3_bind_int(st, 2, ANSWER_MAX);
	while ((rc = row(s, ITEM_OPEN, error)) > 0) {
		int64_t id = sqlite3_column_int64(st, 0);

		g_array_append_val(ids, id);
	}
	return rc;
}

static int answer_one(struct sqlite_store *s, int64_t id, const struct vtm_key *key, const struct vtm_report *r,
		      vtm_journal_turned *turned, void *arg, GArray *items, GError **error)
{
	struct vtm_journal_message m;
	sqlite3_stmt *st = use(s, ITEM_ANSWER, error);
	int rc;

	if (!st)
		return -1;
	sqlite3_bind_int64(st, 1, id);
	bind_key(st, 2, key);
	bind_report(st, 3, r);
	sqlite3_bind_int64(st, 4, vtm_utc_ms(s->clock));
	sqlite3_bind_int(st, 5, r->verdict == VTM_UNKNOWN);
	if (change(s, ITEM_ANSWER, error) < 0 || load_items(s, id, items, error) < 0 || !(st = use(s, MESSAGE_GET, error)))
		return -1;
	sqlite3_bind_int64(st, 1, id);
	rc = row(s, MESSAGE_GET, error);
	if (rc <= 0 || !read_message(st, &m)) {
		done(s, MESSAGE_GET);
		return MIN(rc, 0);
	}
	done(s, MESSAGE_GET);
	turned(&m, (struct vtm_journal_item *)(void *)items->data, items->len, arg);
	st = use(s, MESSAGE_SET, error);
	if (st) {
		sqlite3_bind_int64(st, 1, id);
		sqlite3_bind_int64(st, 2, m.tags);
		sqlite3_bind_int64(st, 3, m.done_ms);
	}
	rc = st ? change(s, MESSAGE_SET, error) : -1;
	vtm_journal_message_clear(&m);
	return MIN(rc, 0);
}

static int sqlite_journal_answer(struct vtm_store *base, const struct vtm_key *key, const struct vtm_report *r,
				 vtm_journal_turned *turned, void *arg, GError **error)
{
	struct sqlite_store *s = self(base);
	GArray *ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	GArray *items = g_array_new(FALSE, FALSE, sizeof(struct vtm_journal_item));
	bool own = sqlite3_get_autocommit(s->db) != 0;
	int rc = own ? exec(s->db, "BEGIN IMMEDIATE", error) : 0;

	if (rc == 0)
		rc = open_messages(s, key, ids, error);
	for (guint i = 0; rc >= 0 && i < ids->len; i++) {
		rc = answer_one(s, g_array_index(ids, int64_t, i), key, r, turned, arg, items, error);
		clear_items(items);
	}
	rc = finish(s, s->db, own, rc, error) < 0 ? -1 : (int)ids->len;
	g_array_free(ids, TRUE);
	g_array_free(items, TRUE);
	return rc;
}

/* Hands out every message of the statement. */
static int each_message(struct sqlite_store *s, enum statement which, vtm_journal_each *each, void *arg, GError **error)
{
	GArray *items = g_array_new(FALSE, FALSE, sizeof(struct vtm_journal_item));
	sqlite3_stmt *st = s->statements[which];
	int rc, n = 0;

	while ((rc = row(s, which, error)) > 0) {
		struct vtm_journal_message m;

		if (!read_message(st, &m))
			continue;
		if (load_items(s, m.id, items, error) < 0)
			rc = -1;
		else
			each(&m, (struct vtm_journal_item *)(void *)items->data, items->len, arg);
		clear_items(items);
		vtm_journal_message_clear(&m);
		if (rc < 0)
			break;
		n++;
	}
	done(s, which);
	g_array_free(items, TRUE);
	return rc < 0 ? -1 : n;
}

static int sqlite_journal_list(struct vtm_store *base, const struct vtm_journal_filter *f, vtm_journal_each *each,
			       void *arg, GError **error)
{
	struct sqlite_store *s = self(base);
	sqlite3_stmt *st = use(s, MESSAGE_LIST, error);

	if (!st)
		return -1;
	sqlite3_bind_int64(st, 1, f->since_ms);
	sqlite3_bind_int64(st, 2, f->until_ms ? f->until_ms : INT64_MAX);
	sqlite3_bind_int64(st, 3, f->tags);
	sqlite3_bind_int64(st, 4, f->max);
	return each_message(s, MESSAGE_LIST, each, arg, error);
}

static int sqlite_journal_find(struct vtm_store *base, const char *id, vtm_journal_each *each, void *arg, GError **error)
{
	struct sqlite_store *s = self(base);
	sqlite3_stmt *st = use(s, MESSAGE_FIND, error);

	if (!st)
		return -1;
	bind_text(st, 1, id);
	sqlite3_bind_int(st, 2, FIND_MAX);
	return each_message(s, MESSAGE_FIND, each, arg, error);
}

static int expire_by(struct sqlite_store *s, enum statement which, int64_t before_ms, unsigned max, GError **error)
{
	sqlite3_stmt *st = use(s, which, error);

	if (!st)
		return -1;
	sqlite3_bind_int64(st, 1, before_ms);
	sqlite3_bind_int64(st, 2, max);
	return change(s, which, error);
}

static int sqlite_journal_expire(struct vtm_store *base, int64_t before_ms, unsigned max, GError **error)
{
	struct sqlite_store *s = self(base);
	bool own = sqlite3_get_autocommit(s->db) != 0;
	int rc;

	if (own && exec(s->db, "BEGIN IMMEDIATE", error) < 0)
		return -1;
	rc = expire_by(s, ITEM_EXPIRE, before_ms, max, error);
	if (rc >= 0)
		rc = expire_by(s, MESSAGE_EXPIRE, before_ms, max, error);
	return finish(s, s->db, own, rc, error);
}

/* ---- late verdicts and named values ------------------------------------------------------------------------------ */

static int sqlite_late_add(struct vtm_store *base, const char *json, GError **error)
{
	struct sqlite_store *s = self(base);
	sqlite3_stmt *st = use(s, LATE_ADD, error);

	if (!st)
		return -1;
	bind_text(st, 1, s->host);
	bind_text(st, 2, json);
	return change(s, LATE_ADD, error) < 0 ? -1 : 0;
}

static int sqlite_late_due(struct vtm_store *base, unsigned max, vtm_late_each *each, void *arg, GError **error)
{
	struct sqlite_store *s = self(base);
	sqlite3_stmt *st = use(s, LATE_DUE, error);
	int rc, n = 0;

	if (!st)
		return -1;
	bind_text(st, 1, s->host);
	sqlite3_bind_int64(st, 2, vtm_utc_ms(s->clock));
	sqlite3_bind_int64(st, 3, max);
	while ((rc = row(s, LATE_DUE, error)) > 0) {
		struct vtm_late l = { .id = sqlite3_column_int64(st, 0), .attempts = sqlite3_column_int(st, 2),
				      .not_before_ms = sqlite3_column_int64(st, 3) };

		l.json = g_strdup((const char *)sqlite3_column_text(st, 1));
		each(&l, arg);
		g_free(l.json);
		n++;
	}
	return rc < 0 ? -1 : n;
}

static int sqlite_late_done(struct vtm_store *base, int64_t id, GError **error)
{
	struct sqlite_store *s = self(base);
	sqlite3_stmt *st = use(s, LATE_DONE, error);

	if (!st)
		return -1;
	sqlite3_bind_int64(st, 1, id);
	return change(s, LATE_DONE, error) < 0 ? -1 : 0;
}

static int sqlite_late_retry(struct vtm_store *base, int64_t id, int64_t not_before_ms, GError **error)
{
	struct sqlite_store *s = self(base);
	sqlite3_stmt *st = use(s, LATE_RETRY, error);

	if (!st)
		return -1;
	sqlite3_bind_int64(st, 1, id);
	sqlite3_bind_int64(st, 2, not_before_ms);
	return change(s, LATE_RETRY, error) < 0 ? -1 : 0;
}

static int sqlite_meta_set(struct vtm_store *base, const char *name, const char *value, GError **error)
{
	struct sqlite_store *s = self(base);
	sqlite3_stmt *st = use(s, META_SET, error);

	if (!st)
		return -1;
	bind_text(st, 1, name);
	if (value)
		bind_text(st, 2, value);
	return change(s, META_SET, error) < 0 ? -1 : 0;
}

static int sqlite_meta_get(struct vtm_store *base, const char *name, char **value_r, GError **error)
{
	struct sqlite_store *s = self(base);
	sqlite3_stmt *st = use(s, META_GET, error);
	int rc;

	*value_r = NULL;
	if (!st)
		return -1;
	bind_text(st, 1, name);
	rc = row(s, META_GET, error);
	if (rc > 0) {
		*value_r = g_strdup((const char *)sqlite3_column_text(st, 0));
		done(s, META_GET);
	}
	return rc > 0 ? *value_r != NULL : rc;
}

static const struct vtm_store_ops ops = {
	.close = sqlite_close,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.verdicts_get = sqlite_verdicts_get,
	.verdict_put = sqlite_verdict_put,
	.verdict_forget = sqlite_verdict_forget,
	.verdicts_expire = sqlite_verdicts_expire,
	.budget_take = sqlite_budget_take,
	.budget_settle = sqlite_budget_settle,
	.budget_read = sqlite_budget_read,
	.budget_raise = sqlite_budget_raise,
	.budget_sync = sqlite_budget_sync,
	.budget_utc = sqlite_budget_utc,
	.queue_put = sqlite_queue_put,
	.queue_delete = sqlite_queue_delete,
	.queue_load = sqlite_queue_load,
	.lease = sqlite_lease,
	.lease_drop = sqlite_lease_drop,
	.journal_add = sqlite_journal_add,
	.journal_answer = sqlite_journal_answer,
	.journal_list = sqlite_journal_list,
	.journal_find = sqlite_journal_find,
	.journal_expire = sqlite_journal_expire,
	.late_add = sqlite_late_add,
	.late_due = sqlite_late_due,
	.late_done = sqlite_late_done,
	.late_retry = sqlite_late_retry,
	.meta_set = sqlite_meta_set,
	.meta_get = sqlite_meta_get,
};

struct vtm_store *vtm_store_sqlite_open(const char *path, const struct vtm_store_settings *settings, GError **error)
{
	struct sqlite_store *s = g_new0(struct sqlite_store, 1);
	int64_t utc;

	s->base.ops = &ops;
	s->clock = settings->clock;
	s->host = g_strdup(settings->host ? settings->host : "localhost");
	s->owner = g_strdup_printf("%s:%ld:%08x", s->host, (long)getpid(), g_random_int());
	if (!settings->read_only)
		create_file(path);
	s->db = open_one(path, "PRAGMA synchronous = NORMAL", settings->read_only, error);
	if (s->db && !settings->read_only)
		s->budget = open_one(path, "PRAGMA synchronous = FULL", false, error);
	/* the first process of a boot fixes where its time stands */
	if (!s->db || (!settings->read_only && (!s->budget || read_utc(s, true, &utc, error) < 0))) {
		sqlite_close(&s->base);
		return NULL;
	}
	return &s->base;
}
