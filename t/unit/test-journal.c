/* SPDX-License-Identifier: BSD-2-Clause */
/* test-journal.c - delivered messages into the journal, later answers to them, and late verdicts out of the store.
 *
 * One thread, a manual clock, a SQLite store in a directory of its own.
 */
#include "queue/journal.h"
#include "queue/lates.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "model/tags.h"
#include "store/open/open.h"
#include "tap.h"

#define START_UTC (INT64_C(1735689600) * 1000)	/* 2025-01-01 */
#define RETENTION_MS 86400000
#define URL "https://late.example/"

struct rig {
	struct vtm_clock_manual clock;
	struct vtm_cache *cache;
	struct vtm_store *store;
	struct vtm_journal *journal;
	struct vtm_lates *lates;
	char *dir, *path;
	sqlite3 *other;			/* holds the store while it is not NULL */
	unsigned turned_bad, handed_out;
	int64_t ids[VTM_LATE_AT_ONCE + 1];
};

static void on_turned_bad(void *arg, struct vtm_store *store, const struct vtm_journal_message *m,
			  const struct vtm_journal_item *items, size_t n)
{
	struct rig *r = arg;

	r->turned_bad++;
	vtm_lates_keep(r->lates, store, m, items, n);
}

static void on_hand_out(void *arg, int64_t id, char *json)
{
	struct rig *r = arg;

	r->ids[MIN(r->handed_out, VTM_LATE_AT_ONCE)] = id;
	r->handed_out++;
	g_free(json);
}

static void quiet(enum vtm_severity severity, const char *line, void *arg)
{
	(void)severity;
	(void)line;
	(void)arg;
}

static void configure(struct rig *r, bool ids_only)
{
	struct vtm_journal_settings set = {
		.retention_ms = RETENTION_MS, .ids_only = ids_only, .threshold = 2, .turned_bad = on_turned_bad, .arg = r,
	};

	vtm_journal_configure(r->journal, &set);
}

static void rig_init(struct rig *r)
{
	struct vtm_store_settings settings = { .clock = &r->clock.clock, .host = "test" };
	char *uri;

	memset(r, 0, sizeof(*r));
	vtm_clock_manual_init(&r->clock, START_UTC);
	r->dir = g_dir_make_tmp("vtm-journal-XXXXXX", NULL);
	r->path = g_build_filename(r->dir, "s.db", NULL);
	uri = g_strconcat("sqlite:", r->path, NULL);
	r->store = vtm_store_open(uri, &settings, NULL);
	g_free(uri);
	r->cache = vtm_cache_new(&r->clock.clock, 100);
	r->journal = vtm_journal_new(&r->clock.clock, r->cache);
	r->lates = vtm_lates_new(&r->clock.clock);
	configure(r, false);
}

static void rig_clear(struct rig *r)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	vtm_journal_free(r->journal);
	vtm_lates_free(r->lates);
	vtm_cache_free(r->cache);
	vtm_store_close(r->store);
	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
		char *file = g_strconcat(r->path, ends[i], NULL);

		remove(file);
		g_free(file);
	}
	remove(r->dir);
	g_free(r->path);
	g_free(r->dir);
}

/* While another process holds the store, each call to it fails. */
static void hold_store(struct rig *r)
{
	sqlite3_open(r->path, &r->other);
	sqlite3_exec(r->other, "BEGIN IMMEDIATE", NULL, NULL, NULL);
}

static void let_go_of_store(struct rig *r)
{
	sqlite3_close(r->other);
	r->other = NULL;
}

static struct vtm_key key_of(const char *url)
{
	struct vtm_lookup *l = vtm_lookup_new(VTM_LOOKUP_URL, url);
	struct vtm_key key = l->key;

	vtm_lookup_free(l);
	return key;
}

/* A message of <n> items that wait for the verdict on URL. */
static void deliver(struct rig *r, const char *queue_id, size_t n)
{
	struct vtm_journal_message *m = g_new0(struct vtm_journal_message, 1);
	struct vtm_journal_item *items = g_new0(struct vtm_journal_item, n);

	m->queue_id = g_strdup(queue_id);
	m->sender = g_strdup("s@example.org");
	m->recipients = g_strsplit("r@example.org", ",", 0);
	m->client = g_strdup("192.0.2.0/24");
	m->time_ms = r->clock.utc;
	for (size_t i = 0; i < n; i++) {
		items[i].item = vtm_item_new(VTM_URL, URL);
		items[i].item->report.verdict = VTM_PENDING;
		items[i].has_key = true;
		items[i].key = key_of(URL);
	}
	vtm_journal_add(r->journal, m, items, n);
}

static void deliver_many(struct rig *r, unsigned messages, size_t n)
{
	for (unsigned i = 0; i < messages; i++) {
		char id[16];

		g_snprintf(id, sizeof(id), "%XQ", i);
		deliver(r, id, n);
	}
}

static struct vtm_journal_counts counts(struct rig *r)
{
	struct vtm_journal_counts c;

	vtm_journal_counts(r->journal, &c);
	return c;
}

static int step(struct rig *r)
{
	GError *error = NULL;
	int rc = vtm_journal_step(r->journal, r->store, &error);

	if ((rc < 0) != (error != NULL))
		rc = -100;
	g_clear_error(&error);
	return rc;
}

/* Steps until the journal wants to wait; returns how many times. */
static unsigned drain(struct rig *r)
{
	unsigned n = 0;

	while (vtm_journal_next(r->journal) <= r->clock.boot && n < 100000) {
		n++;
		step(r);
	}
	return n;
}

static int answer(struct rig *r, struct vtm_store *store)
{
	struct vtm_report bad = { .verdict = VTM_BAD, .malicious = 9, .harmless = 80 };
	struct vtm_key key = key_of(URL);
	GError *error = NULL;
	int rc = vtm_journal_answered(r->journal, store, &key, &bad, &error);

	g_clear_error(&error);
	return rc;
}

static void count_one(const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n, void *arg)
{
	(void)m;
	(void)items;
	(void)n;
	(*(unsigned *)arg)++;
}

/* Messages in the journal with any of <tags>; 0: all. */
static unsigned stored(struct rig *r, uint32_t tags)
{
	struct vtm_journal_filter f = { .tags = tags, .max = VTM_STORE_LIST_MAX };
	unsigned n = 0;

	vtm_store_journal_list(r->store, &f, count_one, &n, NULL);
	return n;
}

/* ---- writing ---- */

static void batches(void)
{
	struct rig r;

	rig_init(&r);
	deliver_many(&r, VTM_JOURNAL_BATCH + 1, 1);
	ok(step(&r) == 0 && counts(&r).written == VTM_JOURNAL_BATCH, "a step writes %d messages", VTM_JOURNAL_BATCH);
	ok(step(&r) == 0 && counts(&r).written == VTM_JOURNAL_BATCH + 1, "the next one the rest");
	deliver(&r, "A", VTM_JOURNAL_ITEMS / 2);
	deliver(&r, "B", VTM_JOURNAL_ITEMS / 2);
	deliver(&r, "C", 1);
	step(&r);
	is_int(counts(&r).waiting, 1, "messages of %d items together are written at once, one more waits", VTM_JOURNAL_ITEMS);
	deliver(&r, "D", VTM_JOURNAL_ITEMS + 1);
	step(&r);
	is_int(counts(&r).waiting, 1, "a message with more items waits for its turn");
	step(&r);
	is_int(counts(&r).waiting, 0, "and is written alone");
	is_int(stored(&r, 0), VTM_JOURNAL_BATCH + 5, "all are in the journal");
	rig_clear(&r);
}

static void much_at_once(void)
{
	struct vtm_journal_counts c;
	struct rig r;

	rig_init(&r);
	deliver_many(&r, VTM_JOURNAL_MAX + 1, 10);
	c = counts(&r);
	is_int(c.waiting, VTM_JOURNAL_MAX, "%d messages wait to be written", VTM_JOURNAL_MAX);
	is_int((gint64)c.dropped, 1, "one more is dropped and counted");
	is_int(drain(&r), VTM_JOURNAL_MAX * 10 / VTM_JOURNAL_ITEMS, "and are written in steps of %d items", VTM_JOURNAL_ITEMS);
	is_int((gint64)counts(&r).written, VTM_JOURNAL_MAX, "all of them");
	rig_clear(&r);
}

static void bad_message(void)
{
	struct rig r;

	rig_init(&r);
	deliver(&r, "1Q", 1);
	deliver(&r, "2Q", 2);
	deliver(&r, "3Q", VTM_STORE_ITEMS_MAX + 1);
	deliver(&r, "4Q", 1);
	drain(&r);
	is_int((gint64)counts(&r).dropped, 1, "a message that the store refuses is dropped");
	is_int(stored(&r, 0), 3, "those beside it are written");
	rig_clear(&r);
}

static void stuck_store(void)
{
	struct rig r;

	rig_init(&r);
	deliver_many(&r, 3, 1);
	is_int(vtm_journal_step(r.journal, NULL, NULL), 0, "without a store nothing is done");
	hold_store(&r);
	is_int(step(&r), -1, "a store that fails is reported");
	is_int(counts(&r).waiting, 3, "the messages are kept");
	let_go_of_store(&r);
	is_int(vtm_journal_next(r.journal) - r.clock.boot, VTM_JOURNAL_RETRY_MS, "the next try has its time");
	vtm_clock_manual_advance(&r.clock, VTM_JOURNAL_RETRY_MS - 1);
	step(&r);
	is_int(counts(&r).waiting, 3, "and is not made before");
	vtm_clock_manual_advance(&r.clock, 1);
	step(&r);
	is_int((gint64)counts(&r).written, 3, "then they are written");
	is_int(stored(&r, 0), 3, "once each");
	rig_clear(&r);
}

static void stuck_and_full(void)
{
	struct vtm_journal_counts c;
	struct rig r;

	rig_init(&r);
	deliver_many(&r, VTM_JOURNAL_MAX, 1);
	hold_store(&r);
	is_int(step(&r), -1, "a store that fails while as many wait as may");
	c = counts(&r);
	ok(c.waiting == VTM_JOURNAL_MAX && c.dropped == 0, "costs none of them");
	let_go_of_store(&r);
	rig_clear(&r);
}

static void details(void)
{
	struct rig r;

	rig_init(&r);
	configure(&r, true);
	deliver(&r, "1Q", 1);
	drain(&r);
	for (int i = 0; i < 2; i++) {
		sqlite3_stmt *st = NULL;

		sqlite3_open(r.path, &r.other);
		sqlite3_prepare_v2(r.other, "SELECT count(sender) + count(recipients) + count(client) FROM message", -1, &st,
				   NULL);
		if (!st || sqlite3_step(st) != SQLITE_ROW)
			ok(false, "the journal can be read: %s", sqlite3_errmsg(r.other));
		else
			is_int(sqlite3_column_int(st, 0), i ? 3 : 0, "JournalDetail %s", i ? "full" : "ids");
		sqlite3_finalize(st);
		let_go_of_store(&r);
		configure(&r, false);
		if (i == 0) {
			deliver(&r, "2Q", 1);
			drain(&r);
		}
	}
	rig_clear(&r);
}

static void retention(void)
{
	struct rig r;

	rig_init(&r);
	deliver(&r, "1Q", 1);
	drain(&r);
	vtm_clock_manual_advance(&r.clock, RETENTION_MS);
	drain(&r);
	is_int(stored(&r, 0), 1, "a message as old as JournalRetention is kept");
	vtm_clock_manual_advance(&r.clock, 60000);
	drain(&r);
	is_int(stored(&r, 0), 0, "and deleted when the journal is next looked through, a minute later");
	deliver(&r, "2Q", 1);
	drain(&r);
	vtm_clock_manual_advance(&r.clock, RETENTION_MS + 1);
	deliver(&r, "3Q", 1);
	drain(&r);
	is_int(stored(&r, 0), 1, "one that is a millisecond older is deleted");
	rig_clear(&r);
}

static void finish(void)
{
	struct rig r;

	rig_init(&r);
	deliver_many(&r, 3 * VTM_JOURNAL_BATCH, 1);
	vtm_journal_finish(r.journal, r.store);
	is_int(counts(&r).waiting, 0, "at the end all that waits is written");
	is_int(stored(&r, 0), 3 * VTM_JOURNAL_BATCH, "in as many steps as it takes");
	deliver(&r, "1Q", 1);
	hold_store(&r);
	vtm_journal_finish(r.journal, r.store);
	is_int(counts(&r).waiting, 1, "a store that fails does not hold up the end");
	vtm_journal_finish(r.journal, NULL);
	is_int(counts(&r).waiting, 1, "nor does one that is gone");
	let_go_of_store(&r);
	rig_clear(&r);
}

/* ---- answers ---- */

static void many_wait_for_one(void)
{
	enum { WAITING = 15 * VTM_STORE_ANSWER_MAX + 1 };
	struct rig r;

	rig_init(&r);
	deliver_many(&r, WAITING, 1);
	drain(&r);
	is_int(answer(&r, r.store), 0, "one answer for %d messages", WAITING);
	is_int(r.turned_bad, VTM_STORE_ANSWER_MAX, "reaches as many as one call may");
	step(&r);
	is_int(r.turned_bad, 2 * VTM_STORE_ANSWER_MAX, "as many in the next step");
	drain(&r);
	is_int(r.turned_bad, WAITING, "and all in the end");
	is_int(stored(&r, VTM_TAG_BIT(VTM_TAG_BAD)), WAITING, "as the journal has it");
	is_int((gint64)counts(&r).turned_bad, WAITING, "and the count");
	rig_clear(&r);
}

static void answer_fails(void)
{
	struct rig r;

	rig_init(&r);
	deliver(&r, "1Q", 1);
	drain(&r);
	hold_store(&r);
	is_int(answer(&r, r.store), -1, "an answer that the store does not take is reported");
	let_go_of_store(&r);
	drain(&r);
	is_int(r.turned_bad, 0, "it waits for the next try");
	vtm_clock_manual_advance(&r.clock, VTM_JOURNAL_RETRY_MS);
	drain(&r);
	is_int(r.turned_bad, 1, "which passes it on");
	rig_clear(&r);
}

static void answers_without_store(void)
{
	struct rig r;

	rig_init(&r);
	deliver(&r, "1Q", 1);
	drain(&r);
	for (int i = 0; i < VTM_JOURNAL_ANSWERS_MAX; i++)
		answer(&r, NULL);
	is_int((gint64)counts(&r).dropped, 0, "%d answers wait for a store", VTM_JOURNAL_ANSWERS_MAX);
	answer(&r, NULL);
	is_int((gint64)counts(&r).dropped, 1, "one more is dropped and counted");
	drain(&r);
	is_int(r.turned_bad, 1, "when there is one again they are passed on, and count once");
	rig_clear(&r);
}

/* The answer came after the headers were written, and before the message reached the journal. */
static void answered_before_written(void)
{
	struct vtm_report report = { .verdict = VTM_BAD, .malicious = 9, .harmless = 80 };
	struct vtm_key key = key_of(URL);
	struct rig r;

	rig_init(&r);
	vtm_cache_put(r.cache, &key, &report, r.clock.utc + 1000);
	deliver(&r, "1Q", 2);
	drain(&r);
	is_int(r.turned_bad, 1, "an answer that was there before the journal entry reaches it");
	rig_clear(&r);
}

/* ---- late verdicts ---- */

static int late_step(struct rig *r, struct vtm_store *store)
{
	return vtm_lates_step(r->lates, store, NULL);
}

static uint64_t late_count(struct rig *r, bool failed)
{
	uint64_t n[2];

	vtm_lates_counts(r->lates, &n[0], &n[1]);
	return n[failed];
}

/* One message that turned bad, and a late verdict on it. */
static void turn_one(struct rig *r)
{
	vtm_lates_configure(r->lates, on_hand_out, r);
	deliver(r, "1Q", 1);
	drain(r);
	answer(r, r->store);
}

static void nobody_to_hand_to(void)
{
	struct rig r;

	rig_init(&r);
	deliver(&r, "1Q", 1);
	drain(&r);
	answer(&r, r.store);
	vtm_lates_configure(r.lates, on_hand_out, &r);
	late_step(&r, r.store);
	is_int(r.handed_out, 0, "without LateVerdictCommand no late verdict is kept");
	rig_clear(&r);
}

/* Each pause is held to the millisecond. */
static void pauses(void)
{
	int64_t pause = 15000, all = 0;
	struct rig r;

	rig_init(&r);
	turn_one(&r);
	late_step(&r, r.store);
	is_int(r.handed_out, 1, "a late verdict is handed out at once");
	for (unsigned n = 1; n < VTM_LATE_ATTEMPTS; n++) {
		vtm_lates_result(r.lates, r.ids[0], VTM_LATE_AGAIN);
		late_step(&r, r.store);
		vtm_clock_manual_advance(&r.clock, pause - 1);
		late_step(&r, r.store);
		is_int(r.handed_out, n, "after failure %u it is not handed out before %" G_GINT64_FORMAT " s", n, pause / 1000);
		vtm_clock_manual_advance(&r.clock, 1);
		/* the store is looked into every 2 s */
		vtm_clock_manual_advance(&r.clock, VTM_LATE_LOOK_MS);
		late_step(&r, r.store);
		is_int(r.handed_out, n + 1, "and then it is");
		all += pause;
		pause = MIN(2 * pause, 14400000);
	}
	ok(all > INT64_C(23) * 3600000 && all < INT64_C(25) * 3600000, "all tries together last about 24 hours");
	is_int((gint64)late_count(&r, true), 0, "until then it is not given up");
	vtm_lates_result(r.lates, r.ids[0], VTM_LATE_AGAIN);
	late_step(&r, r.store);
	is_int((gint64)late_count(&r, true), 1, "after failure %d it is", VTM_LATE_ATTEMPTS);
	vtm_clock_manual_advance(&r.clock, 86400000);
	late_step(&r, r.store);
	is_int(r.handed_out, VTM_LATE_ATTEMPTS, "and is not handed out again");
	rig_clear(&r);
}

static void ends(void)
{
	struct rig r;

	rig_init(&r);
	turn_one(&r);
	late_step(&r, r.store);
	vtm_lates_result(r.lates, r.ids[0], VTM_LATE_DONE);
	is_int(late_step(&r, NULL), 0, "a late verdict is done while there is no store");
	vtm_clock_manual_advance(&r.clock, 86400000);
	hold_store(&r);
	is_int(late_step(&r, r.store), -1, "and while the store fails");
	let_go_of_store(&r);
	vtm_clock_manual_advance(&r.clock, VTM_LATE_LOOK_MS);
	is_int(late_step(&r, r.store), 0, "when it works again");
	is_int((gint64)late_count(&r, false), 1, "that is noted");
	is_int(r.handed_out, 1, "and the command is not run a second time");
	rig_clear(&r);
}

static void at_once(void)
{
	struct rig r;

	rig_init(&r);
	vtm_lates_configure(r.lates, on_hand_out, &r);
	deliver_many(&r, VTM_LATE_AT_ONCE + 1, 1);
	drain(&r);
	answer(&r, r.store);
	late_step(&r, r.store);
	is_int(r.handed_out, VTM_LATE_AT_ONCE, "at most %d are handed out at a time", VTM_LATE_AT_ONCE);
	vtm_lates_result(r.lates, r.ids[0], VTM_LATE_NEVER);
	late_step(&r, r.store);
	is_int(r.handed_out, VTM_LATE_AT_ONCE + 1, "the next one when one of them has ended");
	is_int((gint64)late_count(&r, true), 1, "a command that will never succeed is given up at once");
	rig_clear(&r);
}

/* As many late verdicts wait as the store takes: the journal still gets its answer. */
static void no_room(void)
{
	struct rig r;

	rig_init(&r);
	vtm_store_begin(r.store, NULL);
	for (int i = 0; i < VTM_STORE_LATE_MAX; i++)
		vtm_store_late_add(r.store, "{}", NULL);
	vtm_store_commit(r.store, NULL);
	turn_one(&r);
	drain(&r);
	is_int(r.turned_bad, 1, "a message turns bad while the store has no room for a late verdict");
	is_int(stored(&r, VTM_TAG_BIT(VTM_TAG_BAD)), 1, "its tag is in the journal nevertheless");
	rig_clear(&r);
}

int main(void)
{
	vtm_log_set_sink(quiet, NULL);
	batches();
	much_at_once();
	bad_message();
	stuck_store();
	stuck_and_full();
	details();
	retention();
	finish();
	many_wait_for_one();
	answer_fails();
	answers_without_store();
	answered_before_written();
	nobody_to_hand_to();
	pauses();
	ends();
	at_once();
	no_room();
	return done_testing();
}
