/* SPDX-License-Identifier: BSD-2-Clause */
/* test-store-sqlite.c - the SQLite store where the common suite cannot go: crashes, races, clocks and boots, broken
 * disks and files, locks, modes; what it costs. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <pwd.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "store-suite.h"
#include "tap.h"
#include "store/open/open.h"

#define HOUR (3600 * 1000)
#define DAY (24 * (int64_t)HOUR)
#define SLOT_AFTER (VTM_WINDOW_MS + VTM_SLOT_MARGIN_MS)

static const struct vtm_budget_limits no_limit = { VTM_NO_LIMIT, VTM_NO_LIMIT, VTM_NO_LIMIT, 0, 0 };
static const struct vtm_budget_limits public_key = { VTM_LIMIT(4), VTM_LIMIT(500), VTM_LIMIT(15500), 20, 150 };
static const struct vtm_report clean = { .verdict = VTM_CLEAN, .harmless = 3, .engines = 3 };
static struct vtm_clock_manual manual;
static char *dir, *path, *uri;

/* ---- the disk, as SQLite sees it ---- */

static unsigned syncs, sync_us;
static int fail_sync;

/* In the place of libc's: counts, takes its time, and fails when told. */
int fdatasync(int fd)
{
	syncs++;
	g_usleep(sync_us);
	if (fail_sync) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

static long writes_left = -1;	/* -1: no end */
static int write_error;

static ssize_t failing_pwrite(int fd, const void *data, size_t n, off_t at)
{
	if (writes_left == 0) {
		errno = write_error;
		return -1;
	}
	if (writes_left > 0)
		writes_left--;
	return pwrite(fd, data, n, at);
}

static void use_failing_pwrite(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)failing_pwrite);
	vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)failing_pwrite);
}

/* ---- helpers ---- */

static void new_path(void)
{
	static unsigned n;

	g_free(path);
	g_free(uri);
	path = g_strdup_printf("%s/%u.db", dir, n++);
	uri = g_strconcat("sqlite:", path, NULL);
}

static struct vtm_store *open_as(bool read_only, GError **error)
{
	struct vtm_store_settings settings = { .clock = &manual.clock, .host = "mx1", .read_only = read_only };

	return vtm_store_open(uri, &settings, error);
}

static struct vtm_store *must_open(void)
{
	GError *error = NULL;
	struct vtm_store *st = open_as(false, &error);

	if (!st)
		g_error("%s", error->message);
	return st;
}

static struct vtm_store *fresh(void)
{
	struct vtm_store *st;

	new_path();
	vtm_clock_manual_init(&manual, SUITE_NOON);
	st = must_open();
	vtm_store_budget_raise(st, 0, 0, NULL);
	return st;
}

static int take(struct vtm_store *st, const struct vtm_budget_limits *l, unsigned want)
{
	vtm_slot slots[VTM_STORE_BATCH];

	return vtm_store_budget_take(st, l, VTM_SPEND_MANUAL, want, slots, NULL);
}

static int64_t day_used(struct vtm_store *st)
{
	struct vtm_budget b;
	int64_t used;

	vtm_budget_init(&b);
	used = vtm_store_budget_read(st, &b, NULL) < 0 ? -1 : (int64_t)b.day_used;
	vtm_budget_clear(&b);
	return used;
}

static guint taken(struct vtm_store *st)
{
	struct vtm_budget b;
	guint n;

	vtm_budget_init(&b);
	n = vtm_store_budget_read(st, &b, NULL) < 0 ? G_MAXUINT : b.window->len;
	vtm_budget_clear(&b);
	return n;
}

/* By another connection: one number of what a query gives; -1 on any error. */
static int64_t query(const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *st = NULL;
	int64_t n = -1;

	if (sqlite3_open(path, &db) == SQLITE_OK && sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK) {
		int rc = sqlite3_step(st);

		n = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : rc == SQLITE_DONE ? 0 : -1;
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static bool sound(void)
{
	return query("SELECT integrity_check = 'ok' FROM pragma_integrity_check") == 1;
}

static void put(struct vtm_store *st, unsigned n)
{
	struct vtm_lookup *l = suite_lookup(n);

	vtm_store_verdict_put(st, l, &clean, SUITE_NOON + DAY, NULL);
	vtm_lookup_free(l);
}

static bool has(struct vtm_store *st, unsigned n)
{
	struct vtm_key k = suite_key(n);
	struct vtm_cached out;

	return vtm_store_verdicts_get(st, &k, 1, &out, NULL) == 1;
}

/* <error> is of <code> and its text holds <word>; frees it. */
static void is_error(GError **error, enum vtm_error code, const char *word, const char *what)
{
	bool good = g_error_matches(*error, VTM_ERROR, (int)code) && strstr((*error)->message, word);

	if (!ok(good, "%s is told as such", what))
		diag("error: %s", *error ? (*error)->message : "(none)");
	g_clear_error(error);
}

/* ---- transactions ---- */

static void transactions(void)
{
	struct vtm_store *st = fresh();
	GError *error = NULL;
	struct vtm_lookup *l = suite_lookup(9);

	is_int(vtm_store_commit(st, NULL), -1, "a commit without a transaction fails");
	vtm_store_begin(st, NULL);
	put(st, 1);
	ok(vtm_store_verdict_put(st, l, &(struct vtm_report){ 0 }, SUITE_NOON, NULL) < 0, "a call inside fails");
	is_int(vtm_store_commit(st, NULL), -1, "then so does the commit");
	ok(!has(st, 1), "and nothing was kept");
	put(st, 2);
	ok(has(st, 2), "afterwards all works");
	vtm_store_begin(st, NULL);
	put(st, 3);
	is_int(vtm_store_begin(st, NULL), -1, "a second begin fails");
	ok(!has(st, 3) && vtm_store_commit(st, NULL) < 0, "and rolls back");
	vtm_store_begin(st, NULL);
	ok(vtm_store_budget_take(st, &no_limit, VTM_SPEND_MANUAL, 1, &(vtm_slot){ 0 }, &error) < 0,
	   "no requests are taken inside a transaction");
	is_error(&error, VTM_ERROR_STORE, "inside a transaction", "that");
	vtm_store_begin(st, NULL);
	put(st, 4);
	vtm_store_close(st);
	st = must_open();
	ok(!has(st, 4), "closing rolls back");
	vtm_lookup_free(l);
	vtm_store_close(st);
}

/* ---- crashes and races ---- */

/* Takes one request after the other, telling each on <fd> when it has it. */
static void take_for_ever(int fd)
{
	struct vtm_store *st = must_open();

	for (unsigned n = 0;; n++) {
		char c = 'x';

		put(st, n);
		if (take(st, &no_limit, 1) == 1 && write(fd, &c, 1) != 1)
			_exit(1);
	}
}

static void killed(void)
{
	unsigned told = 0, rounds = 0;
	bool never_less = true;
	struct vtm_store *st = fresh();

	for (; rounds < 20; rounds++) {
		int fds[2];
		pid_t pid;
		char c;

		if (pipe(fds) < 0)
			g_error("pipe");
		pid = fork();
		if (pid == 0)
			take_for_ever(fds[1]);
		close(fds[1]);
		for (unsigned n = 0; n < rounds + 1 && read(fds[0], &c, 1) == 1; n++)
			told++;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while (read(fds[0], &c, 1) == 1)
			told++;
		close(fds[0]);
		never_less = never_less && day_used(st) >= told && day_used(st) <= told + rounds + 1 &&
			     taken(st) == day_used(st);
	}
	ok(never_less, "killed %u times in the middle: whatever was granted is charged and holds its slot", rounds);
	ok(sound(), "and the file is sound");
	vtm_store_close(st);
}

static void race(void)
{
	struct vtm_budget_limits l = { VTM_LIMIT(50), VTM_LIMIT(1000), VTM_NO_LIMIT, 0, 0 };
	struct vtm_store *st = fresh();
	int fds[2], sum = 0, n;

	if (pipe(fds) < 0)
		g_error("pipe");
	for (int i = 0; i < 4; i++) {
		if (fork() == 0) {
			struct vtm_store *mine = must_open();
			int got = 0;

			for (int tries = 0; tries < 40; tries++) {
				n = take(mine, &l, 1 + (unsigned)(tries + i) % 3);
				got += MAX(n, 0);
			}
			_exit(write(fds[1], &got, sizeof(got)) != sizeof(got));
		}
	}
	close(fds[1]);
	while (read(fds[0], &n, sizeof(n)) == sizeof(n))
		sum += n;
	while (wait(NULL) > 0)
		;
	close(fds[0]);
	is_int(sum, 50, "four processes that race get the minute's 50 together");
	is_int(day_used(st), 50, "which are charged");
	vtm_store_close(st);
}

static void first_open_race(void)
{
	int bad = 0, status;

	new_path();
	sync_us = 1000 * VTM_STORE_WAIT_MS;	/* a slow disk: whoever makes it lets the others wait for longer */
	for (int i = 0; i < 6; i++)
		if (fork() == 0) {
			GError *error = NULL;
			struct vtm_store *st = open_as(false, &error);

			if (!st)
				diag("%s", error->message);
			_exit(!st);
		}
	while (wait(&status) > 0)
		bad += status != 0;
	sync_us = 0;
	is_int(bad, 0, "six processes that create the same store at once all get it");
}

/* ---- what was spent is lost ---- */

static bool is_lost(struct vtm_store *st)
{
	GError *error = NULL;
	vtm_slot slot;
	bool lost = vtm_store_budget_take(st, &public_key, VTM_SPEND_MANUAL, 1, &slot, &error) < 0 &&
		    g_error_matches(error, VTM_ERROR, VTM_ERROR_BUDGET_LOST);

	g_clear_error(&error);
	return lost;
}

/* The file is put into the place of a copy of its own, or not put there at all. */
static struct vtm_store *replaced(struct vtm_store *st, bool back)
{
	char *data = NULL, *spare = g_strconcat(path, ".spare", NULL);
	gsize len = 0;

	vtm_store_close(st);
	if (!g_file_get_contents(path, &data, &len, NULL) || rename(path, spare) < 0)
		g_error("%s cannot be moved", path);
	if (back)
		g_file_set_contents(path, data, (gssize)len, NULL);
	g_free(data);
	g_free(spare);
	return must_open();
}

static void lost(void)
{
	struct vtm_store *st;

	new_path();
	vtm_clock_manual_init(&manual, SUITE_NOON);
	st = must_open();
	ok(is_lost(st), "a new file grants nothing until VirusTotal's count is known");
	is_int(day_used(st), 0, "the budget can be read");
	vtm_store_budget_raise(st, 0, 77, NULL);
	is_int(take(st, &public_key, 3), 3, "nothing used today: granted at once");
	vtm_store_close(st);
	st = must_open();
	is_int(take(st, &public_key, 3), 1, "and known from then on");

	st = replaced(st, false);
	ok(is_lost(st), "a file that was removed is noticed");
	vtm_store_budget_raise(st, 4, 81, NULL);
	is_int(take(st, &no_limit, 1), 1, "something used today: granted where a minute has no limit");
	is_int(take(st, &public_key, 4), 0, "else the minute counts as full");
	is_int(taken(st), 4, "as everybody sees");
	vtm_clock_manual_advance(&manual, VTM_SLOT_MAX_MS - 1);
	is_int(take(st, &public_key, 4), 0, "for as long as a slot can last");
	vtm_clock_manual_advance(&manual, 1);
	ok(is_lost(st), "then the count is needed once more, for what was in flight at the first");
	vtm_store_budget_raise(st, 6, 83, NULL);
	is_int(take(st, &public_key, 4), 4, "and that is all");
	is_int(day_used(st), 10, "what VirusTotal counted is charged");

	st = replaced(st, true);
	ok(is_lost(st), "a file that was put into another's place is noticed");
	vtm_store_budget_raise(st, 0, 0, NULL);
	is_int(day_used(st), 10, "its counts are not lowered");
	manual.boot = 5000;
	manual.id = "second";
	is_int(take(st, &public_key, 4), 0, "the machine boots: its minute is still full");
	vtm_clock_manual_advance(&manual, VTM_WINDOW_MS + VTM_SLOT_MARGIN_MS);
	ok(is_lost(st), "no longer than requests of the boot before can be 60 s old");
	vtm_store_close(st);
}

/* A count of 0 does not tell of the minute before midnight. */
static void lost_at_midnight(void)
{
	static const struct { int64_t utc; uint32_t month; int granted; const char *what; } cases[] = {
		{ SUITE_MIDNIGHT + 50000, 9, 0, "just after midnight, this month something" },
		{ SUITE_MIDNIGHT + 50000, 0, 1, "just after midnight, this month nothing" },
		{ SUITE_MIDNIGHT + VTM_SLOT_MAX_MS, 9, 1, "after midnight" },
		{ SUITE_MONTH_END + 50000, 0, 0, "just after the month's end" },
		{ SUITE_MONTH_END + VTM_SLOT_MAX_MS, 0, 1, "after the month's end" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct vtm_store *st;

		new_path();
		vtm_clock_manual_init(&manual, cases[i].utc);
		st = must_open();
		vtm_store_budget_raise(st, 0, cases[i].month, NULL);
		is_int(take(st, &public_key, 1), cases[i].granted, "a new file, nothing used today, %s", cases[i].what);
		vtm_store_close(st);
	}
}

static void drop_history(void)
{
	query("DROP TABLE history");
	query("DROP TABLE history_day");
}

/* A file of the schema of 0.1.0, which had no history: nothing in it is lost. */
static void history_by_upgrade(void)
{
	struct vtm_journal_message m = { .queue_id = g_strdup("Q"), .time_ms = SUITE_NOON };
	struct vtm_store *st = fresh();
	struct vtm_history_day day;
	uint8_t secret[VTM_HISTORY_SECRET];

	put(st, 1);
	take(st, &public_key, 2);
	vtm_store_journal_add(st, &m, NULL, 0, NULL);
	vtm_store_close(st);
	vtm_journal_message_clear(&m);
	drop_history();
	query("PRAGMA user_version = 2");
	st = must_open();
	ok(has(st, 1) && day_used(st) == 2 && taken(st) == 2, "a file without a history gets one");
	is_int(query("SELECT count(*) FROM message"), 1, "and keeps its journal");
	ok(!is_lost(st), "and knows what was spent");
	ok(vtm_store_history_secret(st, secret, NULL) == 0 && vtm_store_history_days(st, &day, 1, NULL) == 0,
	   "the history is empty and can be used");
	vtm_store_close(st);
	is_int(query("PRAGMA user_version"), 3, "its schema is the present one");
}

/* A file of the schema before: it cannot say that it knows. */
static void lost_by_upgrade(void)
{
	struct vtm_store *st = fresh();

	put(st, 1);
	take(st, &public_key, 2);
	vtm_store_close(st);
	query("DROP TABLE known");
	drop_history();
	query("PRAGMA user_version = 1");
	st = must_open();
	ok(has(st, 1) && day_used(st) == 2 && taken(st) == 2, "a file of the schema before is brought up to date");
	ok(is_lost(st), "and needs VirusTotal's count once");
	vtm_store_close(st);
}

/* ---- clocks and boots ---- */

static void jumps(void)
{
	struct vtm_budget_limits l = { VTM_LIMIT(4), VTM_LIMIT(6), VTM_NO_LIMIT, 0, 0 };
	struct vtm_store *st = fresh();
	int64_t utc;

	is_int(take(st, &l, 4), 4, "four in a minute");
	for (int i = 0; i < 4; i++) {
		static const int64_t jump[] = { 2 * DAY, -3 * DAY, 400 * DAY, -500 * DAY };

		manual.utc += jump[i];
		is_int(take(st, &l, 4), 0, "the wall clock jumps %d days: no slot is free", (int)(jump[i] / DAY));
		is_int(day_used(st), 4, "and the day goes on");
	}
	vtm_store_budget_utc(st, &utc, NULL);
	is_int(utc, SUITE_NOON, "since the budget does not look at it");
	manual.boot += VTM_SLOT_MAX_MS;
	is_int(take(st, &l, 4), 2, "after the minute the day's bound holds");
	vtm_store_close(st);
	st = must_open();
	is_int(take(st, &l, 4), 0, "a restart changes nothing");
	vtm_store_close(st);
}

static void other_boot(void)
{
	struct vtm_budget_limits l = { VTM_LIMIT(4), VTM_NO_LIMIT, VTM_NO_LIMIT, 0, 0 };
	struct vtm_store *st = fresh(), *looker;
	int64_t utc;

	is_int(take(st, &l, 4), 4, "four before the machine boots");
	vtm_store_close(st);
	manual.id = "another";
	manual.boot = 50;
	manual.utc = SUITE_NOON + 10 * VTM_SLOT_MAX_MS;
	looker = open_as(true, NULL);
	is_int(taken(looker), 4, "one who only looks takes them as just ended");
	manual.boot += SLOT_AFTER + 1;
	is_int(taken(looker), 4, "for as long as nobody else looked");
	vtm_store_close(looker);
	st = must_open();
	is_int(take(st, &l, 4), 0, "slots of the other boot last 60 s from the first look");
	manual.boot += SLOT_AFTER - 1;
	is_int(take(st, &l, 4), 0, "to the end");
	manual.boot++;
	is_int(take(st, &l, 4), 4, "then they are free");
	vtm_store_close(st);

	manual.id = "third";
	manual.boot = 10;
	st = must_open();
	is_int(taken(st), 4, "reading is a first look too");
	manual.boot += SLOT_AFTER;
	is_int(taken(st), 0, "after which they end");
	vtm_store_close(st);

	manual.id = "fourth";
	manual.boot = 10;
	manual.utc = SUITE_NOON - 300 * DAY;	/* no battery */
	st = must_open();
	take(st, &no_limit, 1);
	vtm_store_budget_utc(st, &utc, NULL);
	ok(utc >= SUITE_NOON + 10 * VTM_SLOT_MAX_MS,
	   "a boot with a clock of the past goes on from the last known time");
	is_int(day_used(st), 9, "on the same day");
	vtm_store_close(st);
}

/* ---- the disk ---- */

static void synced(void)
{
	struct vtm_budget_limits l = { VTM_LIMIT(2), VTM_NO_LIMIT, VTM_NO_LIMIT, 0, 0 };
	struct vtm_store *st = fresh();
	vtm_slot slot;

	vtm_store_budget_take(st, &l, VTM_SPEND_MANUAL, 1, &slot, NULL);
	syncs = 0;
	vtm_store_budget_take(st, &l, VTM_SPEND_MANUAL, 1, &slot, NULL);
	ok(syncs > 0, "what is granted is synced to the disk (%u)", syncs);
	syncs = 0;
	vtm_store_budget_take(st, &l, VTM_SPEND_MANUAL, 1, &slot, NULL);
	is_int(syncs, 0, "what is refused costs no sync");
	vtm_store_budget_settle(st, slot, NULL);
	put(st, 1);
	is_int(syncs, 0, "nor does a request's end or a verdict");
	fail_sync = 1;
	is_int(vtm_store_budget_take(st, &no_limit, VTM_SPEND_MANUAL, 1, &slot, NULL), -1,
	       "a sync that fails grants nothing");
	fail_sync = 0;
	is_int(take(st, &no_limit, 1), 1, "afterwards all works");
	vtm_store_close(st);
}

/* Every write of a few calls fails once; whatever was said to be done is there. */
static void failing_writes(int error)
{
	unsigned wrong = 0, failed = 0;

	for (long n = 0; n < 60; n++) {
		struct vtm_store *st = fresh();
		struct vtm_lookup *l = suite_lookup(1);
		bool stored;
		int granted = take(st, &no_limit, 1);

		writes_left = n;
		write_error = error;
		for (int i = 0; i < 5; i++) {
			int got = take(st, &no_limit, 3);

			granted += MAX(got, 0);
			failed += got < 0;
		}
		stored = vtm_store_verdict_put(st, l, &clean, SUITE_NOON + DAY, NULL) == 0;
		failed += !stored;
		writes_left = -1;
		if (day_used(st) != granted || (int)taken(st) != granted || (stored && !has(st, 1)) ||
		    take(st, &no_limit, 1) != 1)
			wrong++;
		vtm_store_close(st);
		st = must_open();
		if (day_used(st) != granted + 1 || !sound())
			wrong++;
		vtm_store_close(st);
		vtm_lookup_free(l);
		unlink(path);
	}
	ok(failed > 50, "writes that fail with %s are told (%u)", strerror(error), failed);
	is_int(wrong, 0, "and leave just what was done");
}

static void full_disk(void)
{
	struct vtm_store *st = fresh();
	struct rlimit before, small;
	int granted = 0, errors = 0;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 200 * 1024;
	setrlimit(RLIMIT_FSIZE, &small);
	for (unsigned i = 0; i < 3000 && errors < 20; i++) {
		int n = take(st, &no_limit, 1);

		put(st, i);
		granted += MAX(n, 0);
		errors += n < 0;
	}
	is_int(errors, 20, "a full disk is an error, time after time");
	is_int(day_used(st), granted, "which charges nothing (%d were granted before)", granted);
	setrlimit(RLIMIT_FSIZE, &before);
	is_int(take(st, &no_limit, 1), 1, "with room again it works again");
	vtm_store_close(st);
	ok(sound(), "on a sound file");
}

/* ---- files ---- */

static void modes(void)
{
	mode_t old = umask(077);
	struct vtm_store *st = fresh();
	struct stat file, wal, shm;
	char *wal_path = g_strconcat(path, "-wal", NULL), *shm_path = g_strconcat(path, "-shm", NULL);

	take(st, &no_limit, 1);
	ok(!stat(path, &file) && (file.st_mode & 07777) == 0660, "the file's mode is 0660 whatever the umask");
	ok(!stat(wal_path, &wal) && (wal.st_mode & 07777) == 0660 && !stat(shm_path, &shm) &&
	   (shm.st_mode & 07777) == 0660,
	   "and that of its companions");
	vtm_store_close(st);
	umask(old);
	g_free(wal_path);
	g_free(shm_path);
}

static void cannot_open(const char *what, enum vtm_error code, const char *word)
{
	GError *error = NULL;
	struct vtm_store *st = open_as(false, &error);

	ok(!st, "%s is not opened", what);
	is_error(&error, code, word, what);
	vtm_store_close(st);
}

static void write_file(const char *text, gssize n)
{
	new_path();
	g_file_set_contents(path, text, n, NULL);
}

/* As somebody who may read the file only. */
static void unprivileged(void)
{
	struct vtm_store *st = fresh();
	struct passwd *nobody = getpwnam("nobody");
	int status = -1;

	put(st, 1);
	if (getuid() != 0 || !nobody) {
		skip("not root", "a file that may only be read");
		vtm_store_close(st);
		return;
	}
	g_chmod(dir, 0755);
	g_chmod(path, 0644);
	fflush(stdout);
	if (fork() == 0) {
		GError *error = NULL;

		if (setresuid(nobody->pw_uid, nobody->pw_uid, nobody->pw_uid) < 0)
			_exit(9);
		if (open_as(false, &error))
			_exit(1);
		_exit(g_error_matches(error, VTM_ERROR, VTM_ERROR_STORE) && strstr(error->message, path) ? 0 : 2);
	}
	wait(&status);
	is_int(WEXITSTATUS(status), 0, "a file that may only be read is refused and named");
	vtm_store_close(st);
}

static void strange_files(void)
{
	GError *error = NULL;
	sqlite3 *db;

	new_path();
	g_free(uri);
	uri = g_strconcat("sqlite:", dir, "/no/such/dir/x.db", NULL);
	cannot_open("a path without a directory", VTM_ERROR_STORE, "No such file");
	g_free(uri);
	uri = g_strconcat("sqlite:", dir, NULL);
	cannot_open("a directory", VTM_ERROR_STORE, dir);
	write_file("this is no database but a text of some length, certainly longer than a header of SQLite is; "
		   "it goes on and on and says nothing", -1);
	cannot_open("a text", VTM_ERROR_STORE, "move the file");
	write_file("", 0);
	vtm_store_close(must_open());
	ok(query("PRAGMA user_version") >= 1, "an empty file becomes a store");
	ok(query("SELECT journal_mode = 'wal' FROM pragma_journal_mode") == 1, "with a write-ahead log");

	sqlite3_open(path, &db);
	sqlite3_exec(db, "PRAGMA user_version = 999", NULL, NULL, NULL);
	sqlite3_close(db);
	cannot_open("a newer schema", VTM_ERROR_STORE, "newer");
	is_int(query("PRAGMA user_version"), 999, "and is left as it is");

	new_path();
	sqlite3_open(path, &db);
	sqlite3_exec(db, "CREATE TABLE t(a)", NULL, NULL, NULL);
	sqlite3_close(db);
	cannot_open("another program's database", VTM_ERROR_STORE, "another program");
	is_int(query("SELECT count(*) FROM sqlite_schema"), 1, "and is left as it is");

	new_path();
	ok(!open_as(true, &error) && !g_file_test(path, G_FILE_TEST_EXISTS), "one who only looks creates nothing");
	is_error(&error, VTM_ERROR_STORE, path, "that there is none");
	write_file("", 0);
	ok(!open_as(true, &error), "nor makes a store of an empty file");
	is_error(&error, VTM_ERROR_STORE, "reading only", "that");
}

/* Every call on a store, for what it does to one that is broken. */
static void turned(struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n, void *arg)
{
	(void)m;
	(void)items;
	(void)n;
	(void)arg;
}

static void each_message(const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n, void *arg)
{
	struct vtm_journal_message copy = *m;

	turned(&copy, items, n, arg);
	for (size_t i = 0; i < n; i++)
		if (!items[i].item || !items[i].item->subject || !items[i].item->via)
			g_error("half an item");
}

static void each_queued(const struct vtm_queued *q, void *arg)
{
	++*(unsigned *)arg;
	if (!q->lookup || !q->lookup->subject)
		g_error("half a look-up");
}

static void each_late(const struct vtm_late *l, void *arg)
{
	(void)arg;
	if (!l->json)
		g_error("half a late verdict");
}

static void fill(struct vtm_store *st)
{
	struct vtm_lookup *l = suite_lookup(1);
	struct vtm_queued q = { .lookup = l, .since_ms = 1 };
	struct vtm_journal_item j = { .item = vtm_item_new(VTM_URL, l->subject), .has_key = true, .key = l->key };
	struct vtm_journal_message m = { .queue_id = g_strdup("Q"), .recipients = g_strsplit("a b", " ", -1),
					 .time_ms = SUITE_NOON };

	for (unsigned i = 0; i < 100; i++)
		put(st, i);
	take(st, &no_limit, 3);
	vtm_store_queue_put(st, &q, NULL);
	vtm_store_lease(st, &l->key, 1000, NULL);
	vtm_store_journal_add(st, &m, &j, 1, NULL);
	vtm_store_late_add(st, "{}", NULL);
	vtm_store_meta_set(st, "a", "b", NULL);
	vtm_journal_message_clear(&m);
	vtm_item_free(j.item);
	vtm_lookup_free(l);
}

static void use_all(struct vtm_store *st)
{
	struct vtm_key k = suite_key(1);
	struct vtm_journal_filter f = { .max = 10 };
	unsigned n = 0;
	char *value;

	for (unsigned i = 0; i < 100; i++)
		has(st, i);
	day_used(st);
	vtm_store_budget_raise(st, 1, 1, NULL);
	vtm_store_budget_sync(st, SUITE_NOON + 60000, NULL);
	vtm_store_queue_load(st, 10, each_queued, &n, NULL);
	vtm_store_journal_list(st, &f, each_message, NULL, NULL);
	vtm_store_journal_find(st, "Q", each_message, NULL, NULL);
	vtm_store_journal_answer(st, &k, &clean, turned, NULL, NULL);
	vtm_store_late_due(st, 10, each_late, NULL, NULL);
	vtm_store_verdicts_expire(st, 10, NULL);
	vtm_store_journal_expire(st, SUITE_NOON + 1, 10, NULL);
	if (vtm_store_meta_get(st, "a", &value, NULL) == 1)
		g_free(value);
	fill(st);
}

/* Bytes anywhere in the file are changed: errors or less data, never a crash, never more requests. */
static void broken_files(void)
{
	struct vtm_store *st = fresh();
	char *good, *path_was = g_strdup(path);
	gsize len;
	unsigned refused = 0, opened = 0;
	GRand *rand = g_rand_new_with_seed(7);

	fill(st);
	vtm_store_close(st);
	g_file_get_contents(path_was, &good, &len, NULL);
	for (int round = 0; round < 150; round++) {
		char *bad = g_memdup2(good, len);
		gsize size = round % 10 == 9 ? len / 2 : len;

		for (int i = 0; i < 1 + round % 40; i++)
			bad[g_rand_int_range(rand, 0, (gint32)len)] = (char)g_rand_int(rand);
		write_file(bad, (gssize)size);
		st = open_as(false, NULL);
		if (st)
			use_all(st);
		refused += !st;
		opened += st != NULL;
		vtm_store_close(st);
		unlink(path);
		g_free(bad);
	}
	ok(refused && opened, "broken files: %u refused, %u used as far as they go, no crash", refused, opened);
	g_rand_free(rand);
	g_free(good);
	g_free(path_was);
}

/* Values that do not have their form, in a file that is sound. */
static void broken_values(void)
{
	struct vtm_store *st = fresh();
	struct vtm_journal_filter f = { .max = 10 };
	unsigned n = 0;

	fill(st);
	query("UPDATE verdict SET report = zeroblob(32)");
	ok(!has(st, 1), "a report of zeroes is not found");
	query("UPDATE verdict SET report = x'01040000' || zeroblob(27)");
	ok(!has(st, 1), "a short one neither");
	query("UPDATE verdict SET report = x'01000000' || zeroblob(28)");
	ok(!has(st, 1), "nor one that is no answer");
	query("UPDATE queue SET subject = 'http://other/'");
	is_int(vtm_store_queue_load(st, 10, each_queued, &n, NULL), 0, "a look-up whose key is another's is left out");
	for (int i = 0; i < 300; i++) {
		query("UPDATE item SET value = x'01' || randomblob(abs(random()) % 90), report = randomblob(32)");
		query("UPDATE message SET recipients = x'01' || randomblob(20)");
		if (vtm_store_journal_list(st, &f, each_message, NULL, NULL) != 1)
			n++;
	}
	is_int(n, 0, "a message with senseless items is listed without them");
	query("UPDATE used_day SET used = -5");
	is_int(day_used(st), 0, "a negative count is 0");
	query("UPDATE used_day SET used = 99999999999");
	is_int(take(st, &(struct vtm_budget_limits){ .per_day = VTM_LIMIT(500) }, 1), 0, "a huge one leaves nothing");
	query("UPDATE anchor SET utc_ms = 'x', boot_ms = NULL");
	take(st, &no_limit, 1);
	ok(true, "an anchor that is none does no harm");
	vtm_store_close(st);
}

/* ---- locks ---- */

static void locked(void)
{
	struct vtm_store *st = fresh();
	GError *error = NULL;
	vtm_slot slot;
	sqlite3 *db;
	int64_t start;

	put(st, 1);
	sqlite3_open(path, &db);
	sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	start = g_get_monotonic_time();
	is_int(vtm_store_budget_take(st, &no_limit, VTM_SPEND_URL, 1, &slot, &error), -1,
	       "another holds the lock: no request");
	start = (g_get_monotonic_time() - start) / 1000;
	ok(start >= VTM_STORE_WAIT_MS / 2 && start < 20 * VTM_STORE_WAIT_MS, "after the stated wait (%d ms)",
	   (int)start);
	is_error(&error, VTM_ERROR_BUSY, "locked", "that");
	ok(has(st, 1), "verdicts can be read meanwhile");
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(db);
	is_int(take(st, &no_limit, 1), 1, "then it works again");
	vtm_store_close(st);
}

/* ---- what it costs ---- */

static double spent_us(int64_t start, unsigned n)
{
	return (double)(g_get_monotonic_time() - start) / n;
}

static void cost(void)
{
	const char *env = getenv("VTM_TEST_VERDICTS");
	unsigned many = env ? (unsigned)atoi(env) : 20000, hits = 0;
	struct vtm_store *st = fresh();
	int64_t start = g_get_monotonic_time();
	double us;

	for (unsigned n = 0; n < many; n++) {
		if (n % 10000 == 0)
			vtm_store_begin(st, NULL);
		put(st, n);
		if (n % 10000 == 9999 || n == many - 1)
			vtm_store_commit(st, NULL);
	}
	diag("%.1f us a verdict put, many in a transaction", spent_us(start, many));
	start = g_get_monotonic_time();
	for (unsigned n = 0; n < 1000; n++)
		put(st, n);
	diag("%.1f us a verdict put, each for itself", spent_us(start, 1000));
	vtm_store_close(st);
	diag("%.0f bytes of file a verdict",
	     (double)query("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size") / many);

	start = g_get_monotonic_time();
	st = must_open();
	is_int(day_used(st), 0, "opened");
	us = spent_us(start, 1);
	ok(us < 500000, "with %u verdicts in %.1f ms", many, us / 1000);

	start = g_get_monotonic_time();
	for (unsigned n = 0; n < 20000; n++)
		hits += has(st, n * 7919u % many);
	us = spent_us(start, 20000);
	is_int(hits, 20000, "all verdicts are there");
	ok(us < 500, "%.1f us a verdict (with making its key)", us);
	start = g_get_monotonic_time();
	for (unsigned n = 0; n < 300; n++)
		take(st, &no_limit, 1);
	us = spent_us(start, 300);
	diag("%.0f takes a second, one request each", 1e6 / us);
	start = g_get_monotonic_time();
	for (unsigned n = 0; n < 20; n++)
		take(st, &(struct vtm_budget_limits){ .per_minute = VTM_LIMIT(100000) }, VTM_STORE_BATCH);
	us = spent_us(start, 20);
	diag("%.0f takes a second, %d requests each, %u slots", 1e6 / us, VTM_STORE_BATCH, taken(st));
	vtm_store_close(st);
}

static void remove_dir(void)
{
	GDir *d = g_dir_open(dir, 0, NULL);
	const char *name;

	while (d && (name = g_dir_read_name(d))) {
		char *file = g_build_filename(dir, name, NULL);

		unlink(file);
		g_free(file);
	}
	if (d)
		g_dir_close(d);
	rmdir(dir);
	g_free(dir);
	g_free(path);
	g_free(uri);
}

int main(void)
{
	dir = g_dir_make_tmp("vtmilter-sqlite-XXXXXX", NULL);
	vtm_clock_manual_init(&manual, SUITE_NOON);
	use_failing_pwrite();
	transactions();
	killed();
	race();
	first_open_race();
	lost();
	lost_at_midnight();
	lost_by_upgrade();
	history_by_upgrade();
	jumps();
	other_boot();
	synced();
	failing_writes(ENOSPC);
	failing_writes(EIO);
	full_disk();
	modes();
	unprivileged();
	strange_files();
	broken_files();
	broken_values();
	locked();
	cost();
	remove_dir();
	return done_testing();
}
