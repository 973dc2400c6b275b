/* SPDX-License-Identifier: BSD-2-Clause */
/* late.c - late verdicts that wait for their command, and named values, in SQLite. */
#include "base/error.h"
#include "store/sqlite/sqlite.h"

int vtm_sqlite_late_add(struct vtm_store *store, const char *json, GError **error)
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
	l.json = vtm_sql_text(st, 0);
	l.attempts = sqlite3_column_int(st, 1);
	l.not_before_ms = sqlite3_column_int64(st, 2);
	vtm_sql_stop(st);
	if (l.json)
		each(&l, arg);
	g_free(l.json);
	return 1;
}

int vtm_sqlite_late_due(struct vtm_store *store, unsigned max, vtm_late_each *each, void *arg, GError **error)
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

int vtm_sqlite_late_done(struct vtm_store *store, int64_t id, GError **error)
{
	return vtm_sql_run(vtm_sqlite(store), SQL_LATE_DONE, ARGS(INT(id)), error) < 0 ? -1 : 0;
}

int vtm_sqlite_late_retry(struct vtm_store *store, int64_t id, int64_t not_before_ms, GError **error)
{
	return vtm_sql_run(vtm_sqlite(store), SQL_LATE_RETRY, ARGS(INT(not_before_ms), INT(id)), error) < 0 ? -1 : 0;
}

int vtm_sqlite_meta_set(struct vtm_store *store, const char *name, const char *value, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	int rc;

	if (value)
		rc = vtm_sql_run(s, SQL_META_SET, ARGS(TEXT(name), TEXT(value)), error);
	else
		rc = vtm_sql_run(s, SQL_META_DELETE, ARGS(TEXT(name)), error);
	return rc < 0 ? -1 : 0;
}

int vtm_sqlite_meta_get(struct vtm_store *store, const char *name, char **value_r, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	sqlite3_stmt *st = vtm_sql_start(s, SQL_META_GET, ARGS(TEXT(name)), error);
	int rc = st ? vtm_sql_step(s, st, error) : -1;

	if (rc > 0) {
		*value_r = vtm_sql_text(st, 0);
		vtm_sql_stop(st);
	}
	return rc;
}

int vtm_sqlite_meta_default(struct vtm_store *store, const char *name, const char *value, GError **error)
{
	return vtm_sql_run(vtm_sqlite(store), SQL_META_DEFAULT, ARGS(TEXT(name), TEXT(value)), error) < 0 ? -1 : 0;
}
