/* SPDX-License-Identifier: BSD-2-Clause */
/* sqlite.c - the embedded store: its file, its schema, its table of calls. */
#include "store/sqlite/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "store/sqlite/open.h"
#include "store/sqlite/schema.h"

#define WAL_KEEP (16 * 1024 * 1024)	/* bytes a write-ahead log keeps when it is empty */
#define TRIES_MS 10			/* between tries to switch the journal mode */
#define CREATE_WAIT_MS 5000		/* for another process that is making or upgrading the same file */

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
		vtm_sql_rollback(s);
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
	.begin = vtm_sqlite_begin,
	.commit = vtm_sqlite_commit,
	.rollback = vtm_sqlite_end_transaction,
	.verdicts_get = vtm_sqlite_verdicts_get,
	.verdict_put = vtm_sqlite_verdict_put,
	.verdict_forget = vtm_sqlite_verdict_forget,
	.verdicts_each = vtm_sqlite_verdicts_each,
	.verdicts_expire = vtm_sqlite_verdicts_expire,
	.budget_take = vtm_sqlite_budget_take,
	.budget_settle = vtm_sqlite_budget_settle,
	.budget_read = vtm_sqlite_budget_read,
	.budget_raise = vtm_sqlite_budget_raise,
	.budget_sync = vtm_sqlite_budget_sync,
	.budget_utc = vtm_sqlite_budget_utc,
	.queue_put = vtm_sqlite_queue_put,
	.queue_delete = vtm_sqlite_queue_delete,
	.queue_load = vtm_sqlite_queue_load,
	.lease = vtm_sqlite_lease,
	.lease_drop = vtm_sqlite_lease_drop,
	.journal_add = vtm_sqlite_journal_add,
	.journal_answer = vtm_sqlite_journal_answer,
	.journal_list = vtm_sqlite_journal_list,
	.journal_find = vtm_sqlite_journal_find,
	.journal_expire = vtm_sqlite_journal_expire,
	.late_add = vtm_sqlite_late_add,
	.late_due = vtm_sqlite_late_due,
	.late_done = vtm_sqlite_late_done,
	.late_retry = vtm_sqlite_late_retry,
	.meta_set = vtm_sqlite_meta_set,
	.meta_get = vtm_sqlite_meta_get,
	.meta_default = vtm_sqlite_meta_default,
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
