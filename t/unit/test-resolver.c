/* SPDX-License-Identifier: BSD-2-Clause */
/* test-resolver.c - the resolver with a real store and the stand-in VirusTotal, asked by many threads at once.
 *
 * The one to run under the thread sanitizer.
 */
#include "queue/resolver.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "standin.h"
#include "model/tags.h"
#include "tap.h"
#include "store/open/open.h"

#define KEY "0123456789abcdef-the-key"
#define THREADS 12
#define ASKS 10			/* of each thread */
#define SUBJECTS 25
#define PATIENCE_MS 20000	/* beyond any deadline: only a hang takes that long */
#define SOON_MS 8000		/* of machines with little time */

/* ---- one resolver ---- */

struct rig {
	struct server server;
	struct vtm_cache *cache;
	struct vtm_resolver *resolver;
	struct vtm_resolver_settings set;
	char *dir, *uri, *url;
	/* what it calls, from its thread */
	int turned_bad, lates;	/* atomic */
	int stuck;		/* atomic: the next late verdict holds it up while this is set */
	int end;		/* atomic: of late verdicts, an enum vtm_late_end */
	char *json;		/* of the last late verdict; read when lates says so */
};

static void on_turned_bad(void *arg, const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n)
{
	struct rig *r = arg;

	(void)m;
	(void)items;
	(void)n;
	g_atomic_int_inc(&r->turned_bad);
}

static void on_late(void *arg, struct vtm_resolver *resolver, int64_t id, char *json)
{
	struct rig *r = arg;

	g_free(r->json);
	r->json = json;
	g_atomic_int_inc(&r->lates);
	while (g_atomic_int_get(&r->stuck))
		g_usleep(5000);
	vtm_resolver_late_result(resolver, id, (enum vtm_late_end)g_atomic_int_get(&r->end));
}

/* <store_clock>: by which late verdicts are due. */
static bool rig_start_at(struct rig *r, const struct vtm_clock *store_clock)
{
	static const char *const options[] = {
		"--key", KEY, "--per-minute", "0", "--per-day", "0", "--per-month", "0", NULL
	};

	memset(r, 0, sizeof(*r));
	if (!ok(server_start(&r->server, options), "the stand-in starts"))
		return false;
	r->dir = g_dir_make_tmp("vtm-resolver-XXXXXX", NULL);
	r->uri = g_strdup_printf("sqlite:%s/s.db", r->dir);
	r->url = g_strdup_printf("http://127.0.0.1:%d/api/v3", r->server.port);
	r->cache = vtm_cache_new(vtm_clock_system(), 1000);
	r->set = (struct vtm_resolver_settings){
		.sched = {
			.clock = vtm_clock_system(), .cache = r->cache, .threshold = 2, .ttl_bad_ms = 86400000,
			.ttl_clean_ms = 86400000, .ttl_unknown_ms = 86400000, .max_waiting = 100, .max_queue = 1000,
			.pending_lifetime_ms = 86400000, .max_in_flight = 8,
		},
		.vt = {
			.base_url = r->url, .api_key = KEY, .user_agent = "vtmilter/test",
			.connect_timeout_ms = 5000, .total_timeout_ms = 20000,
		},
		.store_uri = r->uri, .store = { .clock = store_clock, .host = "test" },
		.turned_bad = on_turned_bad, .late = on_late, .arg = r, .journal_retention_ms = 86400000,
	};
	r->resolver = vtm_resolver_new(&r->set, NULL);
	return ok(r->resolver, "the resolver starts");
}

static bool rig_start(struct rig *r)
{
	return rig_start_at(r, vtm_clock_system());
}

static void rig_stop(struct rig *r)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	vtm_resolver_free(r->resolver);
	vtm_cache_free(r->cache);
	ok(server_stop(&r->server), "the stand-in ends");
	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
		char *file = g_strconcat(r->dir, "/s.db", ends[i], NULL);

		remove(file);
		g_free(file);
	}
	remove(r->dir);
	g_free(r->dir);
	g_free(r->uri);
	g_free(r->url);
	g_free(r->json);
}

/* Waits until the numbers are as <done> wants them. */
static bool wait_for(struct rig *r, bool (*done)(struct rig *, const struct vtm_resolver_stats *))
{
	int64_t end = g_get_monotonic_time() + PATIENCE_MS * 1000;
	struct vtm_resolver_stats s;

	do {
		vtm_resolver_stats(r->resolver, &s);
		if (done(r, &s))
			return true;
		g_usleep(10000);
	} while (g_get_monotonic_time() < end);
	return false;
}

/* ---- one question ---- */

struct answer {
	struct vtm_report report;
	bool answered;
	int64_t took_ms;
};

static struct answer ask_with(struct vtm_resolver *r, const char *url, int64_t wait_ms, bool (*progress)(void *))
{
	struct vtm_want want = { .lookup = vtm_lookup_new(VTM_LOOKUP_URL, url), .class = VTM_CLASS_URL_FIRST };
	int64_t began = vtm_boot_ms(vtm_clock_system());
	struct vtm_ticket t = { .wants = &want, .n = 1, .max_lookups = 10, .deadline_ms = began + wait_ms };

	vtm_resolver_ask(r, &t, 2, progress, NULL, 20);
	vtm_lookup_free(want.lookup);
	return (struct answer){ want.report, want.answered, vtm_boot_ms(vtm_clock_system()) - began };
}

static struct answer ask(struct vtm_resolver *r, const char *url, int64_t wait_ms)
{
	return ask_with(r, url, wait_ms, NULL);
}

/* Threads that ask. */
struct asker {
	struct rig *rig;
	GThread *thread;
	unsigned first;		/* number of the first subject */
	unsigned asks, subjects;
	int64_t wait_ms;
	unsigned answered, clean, wrong;
	int64_t longest_ms;
};

static gpointer ask_many(gpointer p)
{
	struct asker *k = p;

	for (unsigned i = 0; i < k->asks; i++) {
		unsigned n = (k->first + i) % k->subjects;
		char *url = g_strdup_printf("https://s%u.example/", n);
		struct answer a = ask(k->rig->resolver, url, k->wait_ms);

		k->answered += a.answered;
		k->clean += a.report.verdict == VTM_CLEAN;
		/* the even ones are known, with numbers of their own */
		if (a.answered && n % 2 ? a.report.verdict != VTM_UNKNOWN : a.answered && a.report.harmless != n + 1)
			k->wrong++;
		k->longest_ms = MAX(k->longest_ms, a.took_ms);
		g_free(url);
	}
	return NULL;
}

static void start_askers(struct rig *r, struct asker *k, unsigned asks, unsigned subjects, int64_t wait_ms)
{
	for (unsigned i = 0; i < THREADS; i++) {
		k[i] = (struct asker){ .rig = r, .first = i * 7, .asks = asks, .subjects = subjects, .wait_ms = wait_ms };
		k[i].thread = g_thread_new("ask", ask_many, &k[i]);
	}
}

/* Their sums. */
static struct asker join_askers(struct asker *k)
{
	struct asker all = { 0 };

	for (unsigned i = 0; i < THREADS; i++) {
		g_thread_join(k[i].thread);
		all.answered += k[i].answered;
		all.clean += k[i].clean;
		all.wrong += k[i].wrong;
		all.longest_ms = MAX(all.longest_ms, k[i].longest_ms);
	}
	return all;
}

static void know_subjects(struct rig *r)
{
	for (unsigned n = 0; n < SUBJECTS; n += 2) {
		char *line = g_strdup_printf("url https://s%u.example/ harmless=%u", n, n + 1);

		told(&r->server, "add", line);
		g_free(line);
	}
}

/* ---- many threads ---- */

static void same(void)
{
	struct asker k[THREADS], all;
	struct rig r;

	if (!rig_start(&r))
		return;
	know_subjects(&r);
	told(&r.server, "fault", "delay=300 count=1");
	start_askers(&r, k, 1, 1, PATIENCE_MS);
	all = join_askers(k);
	is_int(all.answered, THREADS, "one question of all threads: each has the answer");
	is_int(all.clean, THREADS, "the same one");
	is_int(counter(&r.server, "requests"), 1, "of one request");
	rig_stop(&r);
}

static void different(void)
{
	struct asker k[THREADS], all;
	struct vtm_resolver_stats s;
	unsigned configured = 0;
	struct rig r;

	if (!rig_start(&r))
		return;
	know_subjects(&r);
	start_askers(&r, k, ASKS, SUBJECTS, PATIENCE_MS);
	for (int i = 0; i < 10; i++) {
		r.set.sched.max_in_flight = 2 + (unsigned)i;
		configured += vtm_resolver_configure(r.resolver, &r.set, NULL) == 0;
		vtm_resolver_retry_now(r.resolver);
		vtm_resolver_stats(r.resolver, &s);
		g_usleep(10000);
	}
	all = join_askers(k);
	is_int(configured, 10, "configured while in use");
	is_int(all.answered, THREADS * ASKS, "all questions are answered");
	is_int(all.wrong, 0, "each by its own answer");
	ok(counter(&r.server, "requests") <= SUBJECTS, "at most one request for each");
	vtm_resolver_stats(r.resolver, &s);
	ok(s.store_ok && s.cache_entries <= SUBJECTS, "the numbers say so too");
	rig_stop(&r);
}

/* ---- leaving early ---- */

static void shutdown_releases(void)
{
	struct asker k[THREADS], all;
	struct rig r;

	if (!rig_start(&r))
		return;
	know_subjects(&r);
	told(&r.server, "fault", "stall");
	start_askers(&r, k, 2, SUBJECTS, PATIENCE_MS);
	g_usleep(300000);
	vtm_resolver_release_all(r.resolver);
	all = join_askers(k);
	ok(all.longest_ms < SOON_MS, "release_all: nobody waits for the deadline");
	is_int(all.clean, 0, "and nothing is clean");
	told(&r.server, "fault", "none");
	rig_stop(&r);
}

static bool leave(void *arg)
{
	(void)arg;
	return false;
}

static bool is_written(struct rig *r, const struct vtm_resolver_stats *s)
{
	(void)r;
	return s->journal_written > 0;
}

static bool is_held_up(struct rig *r, const struct vtm_resolver_stats *s)
{
	(void)s;
	return g_atomic_int_get(&r->lates) > 0;
}

static bool is_late_done(struct rig *r, const struct vtm_resolver_stats *s)
{
	(void)r;
	return s->late_done > 0;
}

static bool has_two(struct rig *r, const struct vtm_resolver_stats *s)
{
	return s->late_done > 1 && s->late_verdicts == 2 && g_atomic_int_get(&r->turned_bad) == 2;
}

/* A delivered message that waits for the verdict on <url>. */
static void journal_with(struct rig *r, const char *queue_id, const char *url, uint32_t tags)
{
	struct vtm_journal_message *m = g_new0(struct vtm_journal_message, 1);
	struct vtm_journal_item *items = g_new0(struct vtm_journal_item, 1);
	struct vtm_lookup *l = vtm_lookup_new(VTM_LOOKUP_URL, url);

	m->queue_id = g_strdup(queue_id);
	m->tags = m->tags_delivered = tags;
	m->time_ms = vtm_utc_ms(vtm_clock_system());
	items->item = vtm_item_new(VTM_URL, url);
	items->item->report.verdict = VTM_PENDING;
	items->has_key = true;
	items->key = l->key;
	vtm_lookup_free(l);
	vtm_resolver_journal(r->resolver, m, items, 1);
}

static void journal(struct rig *r, const char *queue_id, const char *url)
{
	journal_with(r, queue_id, url, 0);
}

/* Fills the inbox of a thread that takes nothing out of it and has <there> look-ups in it. */
static void fill_inbox(struct rig *r, unsigned there)
{
	const unsigned n = VTM_RESOLVER_INBOX_MAX - there;
	struct vtm_lookup *l = vtm_lookup_new(VTM_LOOKUP_URL, "https://many.example/");
	struct vtm_ticket t = { .wants = g_new0(struct vtm_want, n), .n = n };

	for (unsigned i = 0; i < t.n; i++)
		t.wants[i] = (struct vtm_want){ .lookup = l, .class = VTM_CLASS_URL_FIRST };
	vtm_resolver_ask(r->resolver, &t, 2, NULL, NULL, 0);
	g_free(t.wants);
	vtm_lookup_free(l);
}

static int progresses;

static bool count_progress(void *arg)
{
	(void)arg;
	progresses++;
	return false;
}

/* The journal, a late verdict that holds the thread up, and those who ask meanwhile. */
static void late_and_stuck(void)
{
	struct answer a;
	char *queue_id;
	struct rig r;

	if (!rig_start(&r))
		return;
	told(&r.server, "add", "url https://bad.example/ malicious=9 harmless=80");
	g_atomic_int_set(&r.stuck, 1);
	journal(&r, "4XQ", "https://bad.example/");
	ok(wait_for(&r, is_written), "a delivered message is journalled");
	a = ask(r.resolver, "https://bad.example/", PATIENCE_MS);
	is_str(vtm_verdict_name(a.report.verdict), "bad", "an answer comes");
	ok(wait_for(&r, is_held_up), "its late verdict is handed out, and holds the thread up");
	queue_id = vtm_json_get_text(r.json, "queue_id");
	is_str(queue_id, "4XQ", "it names the message");
	g_free(queue_id);
	a = ask(r.resolver, "https://other.example/", 100);
	ok(!a.answered && a.report.verdict == VTM_BYPASSED && a.report.reason == VTM_WHY_STORE,
	   "who asks meanwhile gets nothing");
	ok(a.took_ms >= 100 && a.took_ms < SOON_MS, "shortly after his deadline");
	a = ask_with(r.resolver, "https://third.example/", PATIENCE_MS, leave);
	ok(!a.answered && a.took_ms < SOON_MS, "or when his client is gone");
	a = ask(r.resolver, "https://bad.example/", 100);
	ok(a.answered && a.report.verdict == VTM_BAD, "what is in memory is answered at once");
	fill_inbox(&r, 2);
	a = ask_with(r.resolver, "https://fourth.example/", PATIENCE_MS, count_progress);
	ok(!a.answered && a.report.reason == VTM_WHY_STORE, "where too much waits for the thread, no more is taken");
	is_int(progresses, 0, "and nobody waits");
	g_atomic_int_set(&r.stuck, 0);
	ok(wait_for(&r, is_late_done), "the thread goes on, the late verdict is done");
	journal(&r, "5XQ", "https://bad.example/");
	ok(wait_for(&r, has_two), "a message journalled after the answer has its late verdict too");
	a = ask(r.resolver, "https://other.example/", PATIENCE_MS);
	ok(a.answered && a.report.verdict == VTM_UNKNOWN, "the abandoned question can be asked again");
	rig_stop(&r);
}

static bool is_given_up(struct rig *r, const struct vtm_resolver_stats *s)
{
	(void)r;
	return s->late_failed > 0;
}

static bool are_given_up(struct rig *r, const struct vtm_resolver_stats *s)
{
	(void)r;
	return s->late_failed > 1;
}

/* Late verdicts that do not arrive; the store's clock is so far ahead that each is due at once. */
static void late_and_failing(void)
{
	struct vtm_clock_manual ahead;
	struct rig r;

	vtm_clock_manual_init(&ahead, vtm_utc_ms(vtm_clock_system()) + 10 * VTM_LATE_MAX_MS);
	if (!rig_start_at(&r, &ahead.clock))
		return;
	told(&r.server, "add", "url https://bad.example/ malicious=9 harmless=80");
	g_atomic_int_set(&r.end, VTM_LATE_AGAIN);
	journal(&r, "4XQ", "https://bad.example/");
	ask(r.resolver, "https://bad.example/", PATIENCE_MS);
	ok(wait_for(&r, is_given_up), "a late verdict that fails again and again is given up");
	is_int(g_atomic_int_get(&r.lates), VTM_LATE_ATTEMPTS, "after so many attempts");
	g_atomic_int_set(&r.end, VTM_LATE_NEVER);
	journal(&r, "5XQ", "https://bad.example/");
	ok(wait_for(&r, are_given_up), "one that never will be done is");
	is_int(g_atomic_int_get(&r.lates), VTM_LATE_ATTEMPTS + 1, "after the first");
	rig_stop(&r);
}

struct found {
	uint32_t tags;
	bool done;
};

static void on_found(const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n, void *arg)
{
	struct found *f = arg;

	(void)items;
	(void)n;
	f->tags = m->tags;
	f->done = m->done_ms > 0;
}

/* The tags of <queue_id> when its last answer is there. */
static uint32_t tags_at_last(struct rig *r, const char *queue_id)
{
	struct vtm_store_settings ss = { .clock = vtm_clock_system(), .host = "reader", .read_only = true };
	struct vtm_store *st = vtm_store_open(r->uri, &ss, NULL);
	int64_t end = g_get_monotonic_time() + PATIENCE_MS * 1000;
	struct found f = { 0 };

	while (st && !f.done && g_get_monotonic_time() < end) {
		vtm_store_journal_find(st, queue_id, on_found, &f, NULL);
		g_usleep(10000);
	}
	vtm_store_close(st);
	return f.tags;
}

/* A clean answer makes a delivered message VT_Scanned, but not one with a part that nobody could read for certain. */
static void unsure(void)
{
	const uint32_t scanned = VTM_TAG_BIT(VTM_TAG_SCANNED), bypassed = VTM_TAG_BIT(VTM_TAG_BYPASSED);
	struct vtm_items *items;
	struct rig r;

	if (!rig_start(&r))
		return;
	told(&r.server, "add", "url https://clean.example/ harmless=80");
	items = vtm_items_new();
	journal_with(&r, "1SURE", "https://clean.example/", vtm_tags_to_keep(items, bypassed));
	items->ambiguous = true;
	journal_with(&r, "2AMBIGUOUS", "https://clean.example/", vtm_tags_to_keep(items, bypassed));
	items->ambiguous = false;
	items->undecoded = true;
	journal_with(&r, "3UNDECODED", "https://clean.example/", vtm_tags_to_keep(items, bypassed));
	vtm_items_free(items);
	ok(ask(r.resolver, "https://clean.example/", PATIENCE_MS).answered, "a clean answer comes");
	is_int(tags_at_last(&r, "1SURE"), scanned | bypassed, "what waited for it is scanned");
	is_int(tags_at_last(&r, "2AMBIGUOUS"), VTM_TAGS_UNSURE | bypassed, "but nothing ambiguous");
	is_int(tags_at_last(&r, "3UNDECODED"), VTM_TAGS_UNSURE | bypassed, "nor undecoded");
	rig_stop(&r);
}

/* Another process holds the store. */
static void locked_store(void)
{
	struct answer a;
	char *path;
	sqlite3 *db;
	struct rig r;

	if (!rig_start(&r))
		return;
	know_subjects(&r);
	a = ask(r.resolver, "https://s0.example/", PATIENCE_MS);
	ok(a.answered && a.report.verdict == VTM_CLEAN, "the store works");
	path = g_strconcat(r.dir, "/s.db", NULL);
	ok(sqlite3_open(path, &db) == SQLITE_OK && sqlite3_busy_timeout(db, PATIENCE_MS) == SQLITE_OK &&
	   sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK, "somebody locks it");
	a = ask(r.resolver, "https://s2.example/", 100);
	ok(!a.answered && a.report.verdict != VTM_CLEAN, "then nothing is asked");
	ok(a.took_ms < SOON_MS, "and nobody waits longer");
	is_int(counter(&r.server, "requests"), 1, "no request without a record of it");
	ok(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK && sqlite3_close(db) == SQLITE_OK,
	   "the lock goes");
	for (int i = 0; i < 10 && !a.answered; i++)	/* the store is opened again every few seconds */
		a = ask(r.resolver, "https://s2.example/", PATIENCE_MS);
	ok(a.answered && a.report.harmless == 3, "and all goes on");
	g_free(path);
	rig_stop(&r);
}

static void drop_line(enum vtm_severity s, const char *line, void *arg)
{
	(void)s;
	(void)line;
	(void)arg;
}

int main(void)
{
	if (!server_built())
		skip_all("t/standin/fakevt is not built");
	vtm_log_set_sink(drop_line, NULL);
	same();
	different();
	shutdown_releases();
	late_and_stuck();
	late_and_failing();
	unsure();
	locked_store();
	return done_testing();
}
