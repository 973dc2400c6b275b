/* SPDX-License-Identifier: BSD-2-Clause */
/* sqlite.h - what the files of the SQLite store share; no other file includes it.
 *
 * One file, two connections: db (synchronous=NORMAL) for all that may lose its last seconds when power fails, durable
 * (synchronous=FULL) for the budget, whose commits are on disk when they return.  All SQL is in one table in
 * statement.c; statements are prepared once.
 */
#ifndef VTM_STORE_SQLITE_H
#define VTM_STORE_SQLITE_H

#include <sqlite3.h>

#include "store/backend.h"

enum vtm_sql {
	SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK, SQL_READ,
	SQL_VERDICT_GET, SQL_VERDICT_PUT, SQL_VERDICT_FORGET, SQL_VERDICT_EXPIRE, SQL_VERDICT_EACH,
	SQL_QUEUE_PUT, SQL_QUEUE_DELETE, SQL_QUEUE_LOAD,
	SQL_LEASE, SQL_LEASE_DROP, SQL_LEASE_EXPIRE,
	SQL_MESSAGE_ADD, SQL_MESSAGE_GET, SQL_MESSAGE_TURN, SQL_MESSAGE_LIST, SQL_MESSAGE_FIND, SQL_MESSAGE_OLD,
	SQL_MESSAGE_DELETE, SQL_ITEM_ADD, SQL_ITEM_GET, SQL_ITEM_WAITING, SQL_ITEM_ANSWER, SQL_ITEM_DELETE,
	SQL_LATE_ADD, SQL_LATE_COUNT, SQL_LATE_DUE, SQL_LATE_GET, SQL_LATE_DONE, SQL_LATE_RETRY,
	SQL_META_SET, SQL_META_DELETE, SQL_META_GET, SQL_META_DEFAULT,
	SQL_HISTORY_GET, SQL_HISTORY_ADD, SQL_HISTORY_CHANGE, SQL_HISTORY_PUT, SQL_HISTORY_EACH, SQL_HISTORY_OLD,
	SQL_HISTORY_SIZE, SQL_HISTORY_COUNT, SQL_HISTORY_DAYS, SQL_HISTORY_DAYS_OLD,
	SQL_SLOT_SETTLE,
	SQL_DURABLE,		/* from here on: by the durable connection */
	SQL_DURABLE_BEGIN = SQL_DURABLE, SQL_DURABLE_COMMIT, SQL_DURABLE_ROLLBACK, SQL_DURABLE_READ,
	SQL_ANCHOR_GET, SQL_ANCHOR_SET, SQL_KNOWN_GET, SQL_KNOWN_SET, SQL_KNOWN_ADOPT,
	SQL_SLOT_ADOPT, SQL_SLOT_COUNT, SQL_SLOT_LIST, SQL_SLOT_EXPIRE, SQL_SLOT_TAKE,
	SQL_DAY_GET, SQL_DAY_ADD, SQL_DAY_RAISE, SQL_DAY_EXPIRE,
	SQL_MONTH_GET, SQL_MONTH_ADD, SQL_MONTH_RAISE, SQL_MONTH_EXPIRE
};
#define SQL_STATEMENTS (SQL_MONTH_EXPIRE + 1)

struct vtm_sqlite {
	struct vtm_store base;
	const struct vtm_clock *clock;
	char *path, *host;
	char *owner;		/* of leases: this object */
	int64_t inode;		/* of the file */
	sqlite3 *db, *durable;
	sqlite3_stmt *statements[SQL_STATEMENTS];
	bool in_transaction;	/* of the caller's */
};

/* A value for a ? of a statement; borrowed until the statement is stopped. */
struct vtm_arg {
	enum { VTM_ARG_INT, VTM_ARG_TEXT, VTM_ARG_BLOB } type;
	int64_t number;
	const void *data;	/* NULL is SQL's NULL */
	size_t len;
};
#define INT(v) ((struct vtm_arg){ VTM_ARG_INT, (v), NULL, 0 })
#define TEXT(v) ((struct vtm_arg){ VTM_ARG_TEXT, 0, (v), 0 })
#define BLOB(p, n) ((struct vtm_arg){ VTM_ARG_BLOB, 0, (p), (n) })
#define ARGS(...) (struct vtm_arg[]){ __VA_ARGS__ }, G_N_ELEMENTS(((struct vtm_arg[]){ __VA_ARGS__ }))
#define NO_ARGS NULL, 0

static inline struct vtm_sqlite *vtm_sqlite(struct vtm_store *s)
{
	return (struct vtm_sqlite *)s;
}

/* Sets <error> from what <db> says.  Returns -1. */
int vtm_sql_fail(const struct vtm_sqlite *s, sqlite3 *db, GError **error);

/* A statement ready to be stepped; NULL and an error. */
sqlite3_stmt *vtm_sql_start(struct vtm_sqlite *s, enum vtm_sql id, const struct vtm_arg *args, size_t n,
			    GError **error);
/* 1 a row, 0 the end, -1 an error.  After anything but 1 the statement is stopped. */
int vtm_sql_step(struct vtm_sqlite *s, sqlite3_stmt *st, GError **error);
void vtm_sql_stop(sqlite3_stmt *st);
/* A statement without rows; returns the number of rows changed or -1. */
int vtm_sql_run(struct vtm_sqlite *s, enum vtm_sql id, const struct vtm_arg *args, size_t n, GError **error);
/* The first column of the first row, <otherwise> if there is none. */
int vtm_sql_number(struct vtm_sqlite *s, enum vtm_sql id, const struct vtm_arg *args, size_t n, int64_t otherwise,
		   int64_t *number_r, GError **error);
/* The first column of every row: GArray of int64_t, NULL on error. */
GArray *vtm_sql_ids(struct vtm_sqlite *s, enum vtm_sql id, const struct vtm_arg *args, size_t n, GError **error);

/* A transaction of one call, part of the caller's if he began one.  leave takes what the work came to (-1: roll back)
 * and returns it, or -1 when the commit failed. */
int vtm_sql_enter(struct vtm_sqlite *s, bool *own_r, GError **error);
int vtm_sql_leave(struct vtm_sqlite *s, bool own, int result, GError **error);
/* Rolls back, unless the error did that already. */
void vtm_sql_rollback(struct vtm_sqlite *s);
/* A column of the current row: new string, NULL. */
static inline char *vtm_sql_text(sqlite3_stmt *st, int column)
{
	return g_strdup((const char *)sqlite3_column_text(st, column));
}

/* ---- what the table of calls names (store/backend.h) ---- */

/* statement.c: the caller's transaction */
int vtm_sqlite_begin(struct vtm_store *, GError **);
int vtm_sqlite_commit(struct vtm_store *, GError **);
void vtm_sqlite_end_transaction(struct vtm_store *);	/* after a call that failed */

/* verdict.c */
int vtm_sqlite_verdicts_get(struct vtm_store *, const struct vtm_key *, size_t, struct vtm_cached *, GError **);
int vtm_sqlite_verdict_put(struct vtm_store *, const struct vtm_lookup *, const struct vtm_report *, int64_t,
			   GError **);
int vtm_sqlite_verdict_forget(struct vtm_store *, const struct vtm_key *, GError **);
int vtm_sqlite_verdicts_expire(struct vtm_store *, unsigned, GError **);
int vtm_sqlite_verdicts_each(struct vtm_store *, vtm_verdict_each *, void *, GError **);

/* queue.c */
int vtm_sqlite_queue_put(struct vtm_store *, const struct vtm_queued *, GError **);
int vtm_sqlite_queue_delete(struct vtm_store *, const struct vtm_key *, GError **);
int vtm_sqlite_queue_load(struct vtm_store *, unsigned, vtm_queued_each *, void *, GError **);
int vtm_sqlite_lease(struct vtm_store *, const struct vtm_key *, int64_t, GError **);
int vtm_sqlite_lease_drop(struct vtm_store *, const struct vtm_key *, GError **);

/* late.c */
int vtm_sqlite_late_add(struct vtm_store *, const char *, GError **);
int vtm_sqlite_late_due(struct vtm_store *, unsigned, vtm_late_each *, void *, GError **);
int vtm_sqlite_late_done(struct vtm_store *, int64_t, GError **);
int vtm_sqlite_late_retry(struct vtm_store *, int64_t, int64_t, GError **);
int vtm_sqlite_meta_set(struct vtm_store *, const char *, const char *, GError **);
int vtm_sqlite_meta_get(struct vtm_store *, const char *, char **, GError **);
int vtm_sqlite_meta_default(struct vtm_store *, const char *, const char *, GError **);

/* budget.c */
int vtm_sqlite_budget_take(struct vtm_store *, const struct vtm_budget_limits *, enum vtm_spender, unsigned, vtm_slot *,
			   GError **);
int vtm_sqlite_budget_settle(struct vtm_store *, vtm_slot, GError **);
int vtm_sqlite_budget_read(struct vtm_store *, struct vtm_budget *, GError **);
int vtm_sqlite_budget_raise(struct vtm_store *, uint32_t, uint32_t, GError **);
int vtm_sqlite_budget_sync(struct vtm_store *, int64_t, GError **);
int vtm_sqlite_budget_utc(struct vtm_store *, int64_t *, GError **);

/* journal.c */
int vtm_sqlite_journal_add(struct vtm_store *, struct vtm_journal_message *, const struct vtm_journal_item *, size_t,
			   GError **);
int vtm_sqlite_journal_answer(struct vtm_store *, const struct vtm_key *, const struct vtm_report *,
			      vtm_journal_turned *, void *, GError **);
int vtm_sqlite_journal_list(struct vtm_store *, const struct vtm_journal_filter *, vtm_journal_each *, void *,
			    GError **);
int vtm_sqlite_journal_find(struct vtm_store *, const char *, vtm_journal_each *, void *, GError **);
int vtm_sqlite_journal_expire(struct vtm_store *, int64_t, unsigned, GError **);

/* history.c */
int vtm_sqlite_history_get(struct vtm_store *, const struct vtm_history_key *, size_t, struct vtm_history *, GError **);
int vtm_sqlite_history_note(struct vtm_store *, const struct vtm_sighting *, size_t, GError **);
int vtm_sqlite_history_put(struct vtm_store *, const struct vtm_history_key *, const struct vtm_history *, GError **);
int vtm_sqlite_history_each(struct vtm_store *, vtm_history_each *, void *, GError **);
int vtm_sqlite_history_count(struct vtm_store *, const struct vtm_history_day *, GError **);
int vtm_sqlite_history_days(struct vtm_store *, struct vtm_history_day *, size_t, GError **);
int vtm_sqlite_history_expire(struct vtm_store *, uint16_t, unsigned, unsigned, GError **);
int vtm_sqlite_history_size(struct vtm_store *, unsigned *, GError **);

#endif
