/* SPDX-License-Identifier: BSD-2-Clause */
/* verdict.c - verdicts in SQLite. */
#include <string.h>

#include "store/codec.h"
#include "store/sqlite/sqlite.h"

#define PAGE 1000			/* verdicts that are handed out at a time */

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

int vtm_sqlite_verdicts_get(struct vtm_store *store, const struct vtm_key *keys, size_t n, struct vtm_cached *out,
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
		vtm_sql_rollback(s);	/* nothing was changed */
	if (found < 0)
		memset(out, 0, n * sizeof(*out));
	return found;
}

int vtm_sqlite_verdict_put(struct vtm_store *store, const struct vtm_lookup *l, const struct vtm_report *r,
		       int64_t expires_ms, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	uint8_t key[VTM_PACKED_KEY], report[VTM_PACKED_REPORT];

	vtm_pack_key(&l->key, key);
	vtm_pack_report(r, report);
	return vtm_sql_run(s, SQL_VERDICT_PUT, ARGS(BLOB(key, sizeof(key)), INT(expires_ms), INT(vtm_utc_ms(s->clock)),
						       BLOB(report, sizeof(report))), error) < 0 ? -1 : 0;
}

int vtm_sqlite_verdict_forget(struct vtm_store *store, const struct vtm_key *key, GError **error)
{
	uint8_t packed[VTM_PACKED_KEY];

	vtm_pack_key(key, packed);
	return vtm_sql_run(vtm_sqlite(store), SQL_VERDICT_FORGET, ARGS(BLOB(packed, sizeof(packed))), error);
}

int vtm_sqlite_verdicts_expire(struct vtm_store *store, unsigned max, GError **error)
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

int vtm_sqlite_verdicts_each(struct vtm_store *store, vtm_verdict_each *each, void *arg, GError **error)
{
	uint8_t last[VTM_PACKED_KEY] = { 0 };
	int n = 0, rows;

	do
		rows = each_page(vtm_sqlite(store), last, each, arg, &n, error);
	while (rows == PAGE);
	return rows < 0 ? -1 : n;
}
