/* SPDX-License-Identifier: BSD-2-Clause */
/* history.c - what was seen before, in SQLite: a row a name, about 60 bytes each. */
#include <string.h>

#include "store/sqlite/sqlite.h"

#define KIND_SHIFT 60
#define ID_MASK ((INT64_C(1) << KIND_SHIFT) - 1)
#define PAGE 1000		/* records that are handed out at a time */

static int64_t row_of(const struct vtm_history_key *key)
{
	return (int64_t)key->kind << KIND_SHIFT | (int64_t)key->id;
}

static struct vtm_history_key key_of(int64_t row)
{
	return (struct vtm_history_key){ .kind = (uint8_t)(row >> KIND_SHIFT), .id = (uint64_t)(row & ID_MASK) };
}

static int64_t seen_of(unsigned kind, unsigned day)
{
	return (int64_t)kind << 16 | day;
}

static int get_one(struct vtm_sqlite *s, const struct vtm_history_key *key, struct vtm_history *h, GError **error)
{
	sqlite3_stmt *st = vtm_sql_start(s, SQL_HISTORY_GET, ARGS(INT(row_of(key))), error);
	int rc = st ? vtm_sql_step(s, st, error) : -1;

	memset(h, 0, sizeof(*h));
	if (rc <= 0)
		return rc;
	vtm_history_unpack(sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1),
			   (uint16_t)sqlite3_column_int64(st, 0), h);
	vtm_sql_stop(st);
	return 1;
}

int vtm_sqlite_history_get(struct vtm_store *store, const struct vtm_history_key *keys, size_t n,
			   struct vtm_history *out, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	bool own = n > 1 && sqlite3_get_autocommit(s->db);	/* one look at the locks for all */
	int found = 0;

	if (own && vtm_sql_run(s, SQL_READ, NO_ARGS, error) < 0)
		return -1;
	for (size_t i = 0; i < n && found >= 0; i++)
		found = get_one(s, &keys[i], &out[i], error) < 0 ? -1 : found + out[i].found;
	if (own)
		vtm_sql_run(s, SQL_ROLLBACK, NO_ARGS, NULL);	/* nothing was changed */
	if (found < 0)
		memset(out, 0, n * sizeof(*out));
	return found;
}

/* A row that does not read back is begun anew. */
static int note_one(struct vtm_sqlite *s, const struct vtm_sighting *sighting, GError **error)
{
	uint8_t record[VTM_HISTORY_PACKED];
	struct vtm_history h;
	int there = get_one(s, &sighting->key, &h, error);
	int64_t row = row_of(&sighting->key), seen;
	size_t len;
	int rc;

	if (there < 0)
		return -1;
	vtm_history_note(&h, sighting);
	len = vtm_history_pack(&h, record);
	seen = seen_of(sighting->key.kind, h.last_day);
	if (there)
		rc = vtm_sql_run(s, SQL_HISTORY_CHANGE, ARGS(INT(seen), BLOB(record, len), INT(row)), error);
	else
		rc = vtm_sql_run(s, SQL_HISTORY_ADD, ARGS(INT(row), INT(seen), BLOB(record, len)), error);
	return rc < 0 ? -1 : !there;
}

int vtm_sqlite_history_note(struct vtm_store *store, const struct vtm_sighting *sightings, size_t n, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	bool own;
	int added = 0;

	if (vtm_sql_enter(s, &own, error) < 0)
		return -1;
	for (size_t i = 0; i < n && added >= 0; i++) {
		int rc = note_one(s, &sightings[i], error);

		added = rc < 0 ? -1 : added + rc;
	}
	return vtm_sql_leave(s, own, added, error);
}

int vtm_sqlite_history_put(struct vtm_store *store, const struct vtm_history_key *key, const struct vtm_history *h,
			   GError **error)
{
	uint8_t record[VTM_HISTORY_PACKED];
	size_t len = vtm_history_pack(h, record);

	return vtm_sql_run(vtm_sqlite(store), SQL_HISTORY_PUT,
			   ARGS(INT(row_of(key)), INT(seen_of(key->kind, h->last_day)), BLOB(record, len)),
			   error) < 0 ? -1 : 0;
}

/* Hands out a page of records after row *last, which moves on.  Returns how many rows there were, good or not. */
static int each_page(struct vtm_sqlite *s, int64_t *last, vtm_history_each *each, void *arg, int *n, GError **error)
{
	sqlite3_stmt *st = vtm_sql_start(s, SQL_HISTORY_EACH, ARGS(INT(*last), INT(PAGE)), error);
	int rows = 0, rc = -1;

	while (st && (rc = vtm_sql_step(s, st, error)) > 0) {
		struct vtm_history_key key;
		struct vtm_history h;

		rows++;
		*last = sqlite3_column_int64(st, 0);
		key = key_of(*last);
		if (key.kind >= VTM_HISTORY_KINDS ||
		    !vtm_history_unpack(sqlite3_column_blob(st, 2), (size_t)sqlite3_column_bytes(st, 2),
					(uint16_t)sqlite3_column_int64(st, 1), &h))
			continue;
		each(&key, &h, arg);
		++*n;
	}
	return rc < 0 ? -1 : rows;
}

int vtm_sqlite_history_each(struct vtm_store *store, vtm_history_each *each, void *arg, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	int64_t last = -1;
	int n = 0, rows;

	do
		rows = each_page(s, &last, each, arg, &n, error);
	while (rows == PAGE);
	return rows < 0 ? -1 : n;
}

/* ---- days ---- */

int vtm_sqlite_history_count(struct vtm_store *store, const struct vtm_history_day *d, GError **error)
{
	return vtm_sql_run(vtm_sqlite(store), SQL_HISTORY_COUNT, ARGS(INT(d->day), INT(d->messages), INT(d->wanted)),
			   error) < 0 ? -1 : 0;
}

int vtm_sqlite_history_days(struct vtm_store *store, struct vtm_history_day *out, size_t max, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	sqlite3_stmt *st = vtm_sql_start(s, SQL_HISTORY_DAYS, ARGS(INT((int64_t)max)), error);
	int n = 0, rc = -1;

	while (st && (rc = vtm_sql_step(s, st, error)) > 0) {
		out[n].day = (uint16_t)sqlite3_column_int64(st, 0);
		out[n].messages = (uint32_t)sqlite3_column_int64(st, 1);
		out[n++].wanted = (uint32_t)sqlite3_column_int64(st, 2);
	}
	return rc < 0 ? -1 : n;
}

/* ---- bounds ---- */

static int size_of(struct vtm_sqlite *s, unsigned kind, unsigned *size_r, GError **error)
{
	int64_t size;

	if (vtm_sql_number(s, SQL_HISTORY_SIZE, ARGS(INT(seen_of(kind, 0)), INT(seen_of(kind + 1, 0))), 0, &size,
			   error) < 0)
		return -1;
	*size_r = (unsigned)MIN(size, (int64_t)G_MAXINT);
	return 0;
}

int vtm_sqlite_history_size(struct vtm_store *store, unsigned *size_r, GError **error)
{
	for (unsigned kind = 0; kind < VTM_HISTORY_KINDS; kind++)
		if (size_of(vtm_sqlite(store), kind, &size_r[kind], error) < 0)
			return -1;
	return 0;
}

/* Deletes at most <max> records of <kind>, those last seen before <end> only, the oldest first. */
static int delete_oldest(struct vtm_sqlite *s, unsigned kind, int64_t end, unsigned max, GError **error)
{
	return max ? vtm_sql_run(s, SQL_HISTORY_OLD, ARGS(INT(seen_of(kind, 0)), INT(end), INT(max)), error) : 0;
}

static int expire_kind(struct vtm_sqlite *s, unsigned kind, uint16_t before_day, unsigned keep, unsigned max,
		       GError **error)
{
	int old = delete_oldest(s, kind, seen_of(kind, before_day), max, error), more;
	unsigned size;

	if (old < 0 || size_of(s, kind, &size, error) < 0)
		return -1;
	more = delete_oldest(s, kind, seen_of(kind + 1, 0), MIN(size > keep ? size - keep : 0, max - (unsigned)old),
			     error);
	return more < 0 ? -1 : old + more;
}

int vtm_sqlite_history_expire(struct vtm_store *store, uint16_t before_day, unsigned keep, unsigned max,
			      GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	bool own;
	int n = 0;

	if (vtm_sql_enter(s, &own, error) < 0)
		return -1;
	if (vtm_sql_run(s, SQL_HISTORY_DAYS_OLD, ARGS(INT(before_day)), error) < 0)
		n = -1;
	for (unsigned kind = 0; kind < VTM_HISTORY_KINDS && n >= 0; kind++) {
		int rc = expire_kind(s, kind, before_day, keep, max - (unsigned)n, error);

		n = rc < 0 ? -1 : n + rc;
	}
	return vtm_sql_leave(s, own, n, error);
}
