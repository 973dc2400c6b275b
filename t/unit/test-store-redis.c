/* SPDX-License-Identifier: BSD-2-Clause */
/* test-store-redis.c - the Redis store where the common suite cannot go: a budget that was lost, clocks that jump,
 * servers that are slow, down, full, replicas or talk nonsense; passwords, TLS, Sentinel, several hosts;
 * what it costs. */
#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build-config.h"
#include "base/error.h"
#include "store-redis-server.h"
#include "store-suite.h"
#include "tap.h"
#include "store/open/open.h"

#define HOUR (3600 * 1000)
#define DAY (24 * (int64_t)HOUR)
#define MARGIN 500
#define LONG_MS (VTM_SLOT_MAX_MS + MARGIN)
#define SLOW_MS (12 * VTM_STORE_WAIT_MS)	/* what a call may take on a busy machine */

static const struct vtm_budget_limits four = { VTM_LIMIT(4), VTM_LIMIT(500), VTM_NO_LIMIT, 0, 0 };
static const struct vtm_report clean = { .verdict = VTM_CLEAN, .harmless = 3, .engines = 3 };
static struct vtm_clock_manual manual;
static struct redis_server server;
static char *uri;
static struct vtm_store_settings settings;
static char prefix[32];

/* ---- helpers ---- */

static void new_prefix(void)
{
	static unsigned n;

	g_snprintf(prefix, sizeof(prefix), "r%u:", n++);
}

static struct vtm_store *open_as(const char *host, GError **error)
{
	struct vtm_store_settings set = settings;

	set.clock = &manual.clock;
	set.host = host;
	set.prefix = prefix;
	return vtm_store_open(uri, &set, error);
}

static struct vtm_store *must_open(const char *host)
{
	GError *error = NULL;
	struct vtm_store *st = open_as(host, &error);

	if (!st)
		g_error("%s", error->message);
	return st;
}

/* An empty store whose budget is known. */
static struct vtm_store *fresh(void)
{
	struct vtm_store *st;

	new_prefix();
	vtm_clock_manual_init(&manual, SUITE_NOON);
	st = must_open("mx1");
	vtm_store_budget_raise(st, 0, 0, NULL);
	return st;
}

static int take(struct vtm_store *st, const struct vtm_budget_limits *l, unsigned want, GError **error)
{
	vtm_slot slots[VTM_STORE_BATCH];

	return vtm_store_budget_take(st, l, VTM_SPEND_MANUAL, want, slots, error);
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

static void put(struct vtm_store *st, unsigned n)
{
	struct vtm_lookup *l = suite_lookup(n);

	vtm_store_verdict_put(st, l, &clean, SUITE_NOON + DAY, NULL);
	vtm_lookup_free(l);
}

static int has(struct vtm_store *st, unsigned n)
{
	struct vtm_key k = suite_key(n);
	struct vtm_cached out;

	return vtm_store_verdicts_get(st, &k, 1, &out, NULL);
}

static void is_error(GError **error, enum vtm_error code, const char *word, const char *what)
{
	bool good = g_error_matches(*error, VTM_ERROR, (int)code) && strstr((*error)->message, word);

	if (!ok(good, "%s is told as such", what))
		diag("error: %s", *error ? (*error)->message : "(none)");
	g_clear_error(error);
}

static bool is_lost(struct vtm_store *st)
{
	GError *error = NULL;
	bool lost = take(st, &four, 1, &error) < 0 && g_error_matches(error, VTM_ERROR, VTM_ERROR_BUDGET_LOST);

	g_clear_error(&error);
	return lost;
}

/* The minute after a loss is over, and the count is made again. */
static void count_again(struct vtm_store *st, uint32_t used)
{
	vtm_clock_manual_advance(&manual, LONG_MS);
	vtm_store_budget_raise(st, used, used, NULL);
}

static void cli(const char *command)
{
	char *out = redis_server_cli(&server, command);

	if (!out[0])
		diag("%s: nothing", command);
	g_free(out);
}

/* ---- the budget ---- */

static void lost_and_found(void)
{
	struct vtm_store *st, *other;

	new_prefix();
	vtm_clock_manual_init(&manual, SUITE_NOON);
	st = must_open("mx1");
	ok(is_lost(st), "a new Redis grants nothing until VirusTotal's count is known");
	is_int(day_used(st), 0, "the budget can be read");
	other = must_open("mx2");
	is_int(vtm_store_budget_raise(other, 0, 0, NULL), 0, "another host brings the count");
	is_int(take(st, &four, 4, NULL), 4, "nothing used: granted at once");
	vtm_store_close(other);

	cli("flushall");
	ok(is_lost(st), "a flush is noticed");
	vtm_store_budget_raise(st, 4, 100, NULL);
	is_int(take(st, &four, 4, NULL), 0, "something used today: the minute counts as full");
	manual.boot += LONG_MS - 1;
	manual.utc += LONG_MS - 1;
	is_int(take(st, &four, 4, NULL), 0, "for as long as a slot can last");
	vtm_clock_manual_advance(&manual, 1);
	ok(is_lost(st), "then the count is needed once more, for what was in flight at the first");
	vtm_store_budget_raise(st, 5, 101, NULL);
	is_int(take(st, &four, 2, NULL), 2, "and that is all");
	is_int(day_used(st), 7, "what VirusTotal counted is charged");

	cli("flushall");
	vtm_store_budget_raise(st, 0, 0, NULL);
	is_int(take(st, &four, 1, NULL), 0, "who took requests himself a moment ago knows that 0 cannot be right");
	vtm_store_close(st);

	new_prefix();
	vtm_clock_manual_init(&manual, SUITE_MIDNIGHT + 50000);
	st = must_open("mx1");
	vtm_store_budget_raise(st, 0, 9, NULL);
	is_int(take(st, &four, 1, NULL), 0, "nor does 0 say anything just after midnight");
	count_again(st, 0);
	is_int(take(st, &four, 1, NULL), 1, "until the minute is over");
	vtm_store_close(st);

	new_prefix();
	vtm_clock_manual_init(&manual, SUITE_MIDNIGHT + 20000);
	st = must_open("mx1");
	vtm_store_budget_raise(st, 500, 500, NULL);
	count_again(st, 0);
	is_int(take(st, &four, 1, NULL), 0, "a count read so early is taken for both days when all else is lost");
	vtm_store_close(st);

	st = fresh();
	take(st, &four, 3, NULL);
	{
		char *command = g_strdup_printf("del {%.*s}:w", (int)strlen(prefix) - 1, prefix);

		cli(command);
		g_free(command);
	}
	ok(is_lost(st), "slots thrown out for want of memory are noticed");
	vtm_store_budget_raise(st, 0, 0, NULL);
	is_int(day_used(st), 3, "counts that were kept are not lowered");
	vtm_store_close(st);
}

/* Only the hash was thrown out, and the server's clock was set back: the slots that are left seem to last for ever. */
static void hash_thrown_out(void)
{
	struct vtm_store *st = fresh();
	char *command = g_strdup_printf("del {%.*s}:b", (int)strlen(prefix) - 1, prefix);
	struct vtm_budget b;

	take(st, &four, 4, NULL);
	cli(command);
	manual.utc -= 7200 * 1000;
	vtm_budget_init(&b);
	vtm_store_budget_read(st, &b, NULL);
	is_int(b.window->len, 0, "slots of a hash that was thrown out hold nobody up");
	vtm_budget_clear(&b);
	ok(is_lost(st), "who comes to take is told what was lost");
	vtm_store_budget_raise(st, 4, 4, NULL);
	is_int(take(st, &four, 1, NULL), 0, "the minute counts as full");
	count_again(st, 4);
	is_int(take(st, &four, 4, NULL), 4, "and no longer than a minute");
	vtm_store_close(st);
	g_free(command);
}

/* Requests that were on their way when all was lost. */
static void lost_in_flight(void)
{
	struct vtm_store *st = fresh(), *other = must_open("mx2");
	vtm_slot slots[2];

	vtm_store_budget_take(st, &four, VTM_SPEND_MANUAL, 2, slots, NULL);
	cli("flushall");
	is_int(vtm_store_budget_settle(st, slots[0], NULL), 0, "a request may end when all is lost");
	vtm_store_budget_raise(other, 0, 0, NULL);
	is_int(take(other, &four, 1, NULL), 0, "then a count of 0 is not believed, whoever brings it");
	count_again(other, 1);
	is_int(take(other, &four, 1, NULL), 1, "until that request's minute is over");
	vtm_store_close(st);
	vtm_store_close(other);

	st = fresh();
	other = must_open("mx2");
	vtm_store_budget_take(st, &four, VTM_SPEND_MANUAL, 2, slots, NULL);
	cli("flushall");
	vtm_store_budget_raise(other, 0, 0, NULL);
	is_int(vtm_store_budget_settle(st, slots[0], NULL), 0, "one that ends after the count");
	is_int(day_used(st), 1, "is charged, since the count may have missed it");
	is_int(take(other, &four, 4, NULL), 3, "and has its slot");
	vtm_store_budget_settle(other, slots[0], NULL);
	is_int(day_used(st), 4, "once");
	vtm_store_close(st);
	vtm_store_close(other);
}

/* A host that booted, or is new, cannot know that the server's clock jumped since anybody came. */
static void jump_unseen(void)
{
	struct vtm_store *st = fresh(), *other;

	is_int(take(st, &four, 4, NULL), 4, "four in a minute, then the server's clock jumps by a day");
	manual.utc += DAY;
	manual.id = "another";
	manual.boot = 7;
	other = must_open("mx2");
	is_int(take(other, &four, 4, NULL), 0, "no slot is free for a host that cannot know it");
	vtm_clock_manual_advance(&manual, LONG_MS);
	is_int(take(other, &four, 4, NULL), 4, "until they would have ended");
	vtm_store_close(st);
	vtm_store_close(other);

	st = fresh();
	take(st, &four, 1, NULL);
	manual.utc += 30 * DAY;
	manual.id = "another";
	is_int(take(st, &four, 3, NULL), 3, "three taken by who cannot know of a jump ahead");
	manual.id = "boot-1";
	is_int(take(st, &four, 1, NULL), 0, "fill the minute for who can");
	vtm_clock_manual_advance(&manual, LONG_MS);
	is_int(take(st, &four, 4, NULL), 4, "and not longer than slots last");
	vtm_store_close(st);
}

static void jumps(void)
{
	static const int64_t jump[] = { 2 * DAY, -3 * DAY, 600, -600, 400 * DAY };
	struct vtm_store *st = fresh(), *other = must_open("mx2");
	int64_t utc;

	is_int(take(st, &four, 4, NULL), 4, "four in a minute");
	for (size_t i = 0; i < G_N_ELEMENTS(jump); i++) {
		manual.utc += jump[i];
		is_int(take(st, &four, 4, NULL), 0, "the server's clock jumps %d s: no slot is free",
		       (int)(jump[i] / 1000));
		is_int(day_used(st), 4, "and the day goes on");
	}
	vtm_store_budget_utc(st, &utc, NULL);
	is_int(utc, SUITE_NOON, "the budget's time did not jump");
	vtm_clock_manual_advance(&manual, LONG_MS - 1);
	is_int(take(other, &four, 4, NULL), 0, "for another host neither");
	vtm_clock_manual_advance(&manual, 1);
	is_int(take(other, &four, 4, NULL), 4, "and the slots end in time");
	manual.id = "second";
	manual.boot = 5;
	is_int(take(other, &four, 1, NULL), 0, "a host that booted changes nothing");
	vtm_store_close(st);
	vtm_store_close(other);
}

static void race(void)
{
	struct vtm_budget_limits l = { VTM_LIMIT(50), VTM_LIMIT(1000), VTM_NO_LIMIT, 0, 0 };
	struct vtm_store *st = fresh();
	int fds[2], sum = 0, n;

	if (pipe(fds) < 0)
		g_error("pipe");
	for (int i = 0; i < 4; i++)
		if (fork() == 0) {
			struct vtm_store *mine = must_open("mx3");
			int got = 0;

			for (int tries = 0; tries < 60; tries++) {
				n = take(mine, &l, 1 + (unsigned)(tries + i) % 3, NULL);
				got += MAX(n, 0);
			}
			_exit(write(fds[1], &got, sizeof(got)) != sizeof(got));
		}
	close(fds[1]);
	while (read(fds[0], &n, sizeof(n)) == sizeof(n))
		sum += n;
	for (int i = 0; i < 4; i++)
		wait(NULL);
	close(fds[0]);
	is_int(sum, 50, "four hosts that race get the minute's 50 together");
	is_int(day_used(st), 50, "which are charged");
	vtm_store_close(st);
}

/* ---- journal of several hosts ---- */

static void turned(struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n, void *arg)
{
	m->tags = 0;
	for (size_t i = 0; i < n; i++)
		if (items[i].answered_ms)
			m->tags |= 1u << i;
	if (m->tags == 3) {
		m->done_ms = 1;
		if (vtm_store_late_add(arg, m->queue_id, NULL) < 0)
			g_error("late");
	}
}

static void count(const struct vtm_late *l, void *arg)
{
	(void)l;
	++*(unsigned *)arg;
}

static void count_whole(const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n, void *arg)
{
	if (m->tags == 3 && m->done_ms && n == 2 && items[0].answered_ms && items[1].answered_ms)
		++*(unsigned *)arg;
}

/* Two hosts answer the two items of the same messages at the same time. */
static void answers_cross(void)
{
	enum { MESSAGES = 300 };
	struct vtm_store *st = fresh();
	struct vtm_journal_filter f = { .max = MESSAGES };
	unsigned whole = 0, late = 0;

	for (unsigned i = 0; i < MESSAGES; i++) {
		struct vtm_journal_item j[2];
		char *queue_id = g_strdup_printf("Q%u", i);
		struct vtm_journal_message m = { .queue_id = queue_id, .time_ms = SUITE_NOON + i };

		for (unsigned k = 0; k < 2; k++) {
			j[k] = (struct vtm_journal_item){ .item = vtm_item_new(VTM_URL, "http://h/"), .has_key = true,
							  .key = suite_key(k) };
			j[k].item->report.verdict = VTM_PENDING;
		}
		vtm_store_journal_add(st, &m, j, 2, NULL);
		vtm_item_free(j[0].item);
		vtm_item_free(j[1].item);
		vtm_journal_message_clear(&m);
	}
	for (unsigned k = 0; k < 2; k++)
		if (fork() == 0) {
			struct vtm_store *mine = must_open("mx1");
			struct vtm_key key = suite_key(k);
			int all = 0, n;

			do {
				n = vtm_store_journal_answer(mine, &key, &clean, turned, mine, NULL);
				all += n;
			} while (n == VTM_STORE_ANSWER_MAX);
			_exit(n < 0 || all != MESSAGES);
		}
	for (unsigned k = 0; k < 2; k++) {
		int status;

		wait(&status);
		is_int(status, 0, "a host turned all messages while another did");
	}
	vtm_store_journal_list(st, &f, count_whole, &whole, NULL);
	is_int(whole, MESSAGES, "neither undid what the other did");
	vtm_store_late_due(st, 1000, count, &late, NULL);
	is_int(late, MESSAGES, "and each message was handed on once");
	vtm_store_close(st);
}

/* ---- servers in trouble ---- */

static double elapsed_ms(int64_t start)
{
	return (double)(g_get_monotonic_time() - start) / 1000;
}

static void slow(void)
{
	struct vtm_store *st = fresh();
	GError *error = NULL;
	int64_t start;
	double ms;

	put(st, 1);
	kill(server.pid, SIGSTOP);
	start = g_get_monotonic_time();
	ok(take(st, &four, 1, &error) < 0, "a server that does not answer grants nothing");
	ms = elapsed_ms(start);
	ok(ms >= VTM_STORE_WAIT_MS - 10 && ms < SLOW_MS, "after the stated wait (%.0f ms)", ms);
	is_error(&error, VTM_ERROR_STORE, "timed out", "that");
	start = g_get_monotonic_time();
	ok(has(st, 1) < 0, "nor gives verdicts");
	ok(elapsed_ms(start) < SLOW_MS, "in bounded time");
	kill(server.pid, SIGCONT);
	g_usleep(2500 * 1000);	/* longer than the longest pause */
	is_int(has(st, 1), 1, "when it goes on, so do we, and get the answer to this question and not to an older one");
	ok(take(st, &four, 1, NULL) == 1, "with the budget as it was");
	vtm_store_close(st);
}

static void down(void)
{
	static const char *const aof[] = { "--appendonly", "yes", "--appendfsync", "always", NULL };
	struct vtm_store *st = fresh();
	GError *error = NULL;
	int64_t start;

	take(st, &four, 3, NULL);
	put(st, 1);
	redis_server_kill(&server);
	ok(has(st, 1) < 0 && take(st, &four, 1, &error) < 0, "a server that is gone is an error");
	is_error(&error, VTM_ERROR_STORE, uri, "that");
	start = g_get_monotonic_time();
	for (int i = 0; i < 1000; i++)
		has(st, 1);
	ok(elapsed_ms(start) < 2000, "which costs nothing time after time (%.1f ms for 1000 calls)", elapsed_ms(start));
	ok(redis_server_start(&server, aof), "it comes back empty");
	g_usleep(2500 * 1000);
	ok(is_lost(st), "and the store is back by itself, the budget lost");
	vtm_store_budget_raise(st, 0, 0, NULL);
	count_again(st, 0);
	take(st, &four, 3, NULL);
	put(st, 1);

	redis_server_kill(&server);
	ok(redis_server_start(&server, aof), "it comes back with its data");
	is_int(has(st, 1), 1, "verdicts are there");
	ok(is_lost(st), "but it may lack the last requests: VirusTotal's count is needed");
	vtm_store_budget_raise(st, 2, 2, NULL);
	is_int(day_used(st), 3, "which raises ours only if it is higher");
	is_int(take(st, &four, 1, NULL), 0, "and the minute counts as full");
	count_again(st, 3);
	is_int(take(st, &four, 4, NULL), 4, "then it goes on");
	vtm_store_close(st);

	redis_server_kill(&server);
	unlink(server.socket);
	start = g_get_monotonic_time();
	ok(!open_as("mx1", &error), "without a server there is no store");
	ok(elapsed_ms(start) < SLOW_MS, "which is known quickly");
	is_error(&error, VTM_ERROR_STORE, server.socket, "that");
	redis_server_start(&server, NULL);
}

static void concerned(bool is, const char *what)
{
	struct vtm_store *st = must_open("mx1");
	const char *concern = vtm_store_warning(st);

	ok(is == (concern && strstr(concern, "maxmemory-policy")), "%s", what);
	vtm_store_close(st);
}

/* Only what has a time to live may be thrown out. */
static void evicting(void)
{
	new_prefix();
	concerned(false, "a server that throws nothing out is no concern");
	cli("config set maxmemory-policy allkeys-lru");
	concerned(false, "nor one that would, but has no bound");
	cli("config set maxmemory 1gb");
	concerned(true, "one that may throw out the budget is");
	cli("config set maxmemory-policy volatile-lru");
	concerned(false, "nor one that throws out what expires");
	cli("config set maxmemory-policy noeviction");
	cli("config set maxmemory 0");
}

static void full(void)
{
	struct vtm_store *st = fresh();
	struct vtm_lookup *l = suite_lookup(2);
	GError *error = NULL;
	int n;

	put(st, 1);
	take(st, &four, 1, NULL);
	cli("config set maxmemory 1");
	ok(vtm_store_verdict_put(st, l, &clean, SUITE_NOON + DAY, &error) < 0,
	   "a server without memory takes no verdict");
	is_error(&error, VTM_ERROR_STORE, "OOM", "that");
	n = take(st, &four, 1, NULL);
	is_int(day_used(st), 1 + MAX(n, 0), "if it grants requests (%d) it charges them", n);
	is_int(has(st, 1), 1, "verdicts can be read");
	cli("config set maxmemory 0");
	is_int(take(st, &four, 4, NULL), 3 - MAX(n, 0), "with memory again it goes on");
	vtm_lookup_free(l);

	cli("script flush");
	is_int(take(st, &four, 1, NULL), 0, "scripts that were flushed are loaded again");
	cli("client kill type normal");
	is_int(has(st, 1), 1, "a connection that was cut is made anew");
	vtm_store_close(st);
}

static void replica(void)
{
	struct vtm_store *st = fresh();
	struct redis_server second;
	char *saved = g_strdup_printf("%d", server.port);
	const char *const of[] = { "--replicaof", "127.0.0.1", saved, NULL };
	GError *error = NULL;

	redis_server_init(&second, "replica");
	second.port = redis_server_free_port();
	if (ok(redis_server_start(&second, of), "a replica runs")) {
		char *uri_was = uri;

		uri = g_strconcat("redis+unix:", second.socket, NULL);
		ok(!open_as("mx1", &error), "it is not used");
		is_error(&error, VTM_ERROR_STORE, "replica", "that");
		settings.read_only = true;
		{
			struct vtm_store *looker = open_as("mx1", &error);

			ok(looker != NULL, "but to look at");
			vtm_store_close(looker);
			g_clear_error(&error);
		}
		settings.read_only = false;
		g_free(uri);
		uri = uri_was;
	}
	redis_server_clear(&second);
	ok(is_lost(st), "with the first replica the history of the data begins anew: the count is needed");
	vtm_store_budget_raise(st, 0, 0, NULL);
	cli("config set min-replicas-to-write 3");
	ok(take(st, &four, 1, &error) < 0, "a master without enough replicas grants nothing");
	is_error(&error, VTM_ERROR_STORE, "NOREPLICAS", "that");
	cli("config set min-replicas-to-write 0");
	is_int(take(st, &four, 1, NULL), 1, "then it does");
	g_free(saved);
	vtm_store_close(st);
}

/* ---- nonsense ---- */

struct liar { int fd, port; const char *says; size_t len; bool drip; };

/* Says the same to everybody, whatever is asked. */
static gpointer lie(gpointer p)
{
	struct liar *l = p;
	int fd;

	while ((fd = accept(l->fd, NULL, NULL)) >= 0) {
		char buffer[65536];

		for (int i = 0; i < 40 && read(fd, buffer, sizeof(buffer)) > 0; i++) {
			size_t step = l->drip ? 1 : l->len;

			for (size_t at = 0; at < l->len; at += step) {
				if (send(fd, l->says + at, step, MSG_NOSIGNAL) < 0)
					break;
				if (l->drip)
					g_usleep(20000);
			}
			if (!l->len)
				break;
		}
		close(fd);
	}
	return NULL;
}

static void nonsense(void)
{
	static const struct { const char *what, *says; size_t len; bool drip; } cases[] = {
		{ "nothing", "", 0, false },
		{ "OK and no more", "+OK\r\n", 5, false },
		{ "OK for ever", "+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n", 40, false },
		{ "numbers", ":1\r\n:2\r\n:3\r\n:-1\r\n:5\r\n:6\r\n:7\r\n:8\r\n", 33, false },
		{ "HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", 28, false },
		{ "a negative array", "*-7\r\n", 5, false },
		{ "a huge string", "$2147483647\r\nxx", 15, false },
		{ "an array too deep", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", 44,
		  false },
		{ "nils", "$-1\r\n*-1\r\n$-1\r\n*-1\r\n$-1\r\n*-1\r\n$-1\r\n*-1\r\n", 40, false },
		{ "empty arrays", "*0\r\n*0\r\n*0\r\n*0\r\n*0\r\n*0\r\n*0\r\n*0\r\n", 32, false },
		{ "errors", "-ERR \033[31mno\r\n-ERR\r\n-ERR\r\n-ERR\r\n-ERR\r\n-ERR\r\n-ERR\r\n", 50, false },
		{ "one byte at a time", "$1000\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 62, true },
		{ "zeros", "\0\0\0\0\0\0\0\0", 8, false },
	};
	char *uri_was = uri;
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(in);

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct liar l = { socket(AF_INET, SOCK_STREAM, 0), 0, cases[i].says, cases[i].len, cases[i].drip };
		GError *error = NULL;
		struct vtm_store *st;
		GThread *thread;
		int64_t start = g_get_monotonic_time();
		bool clean_text;

		if (bind(l.fd, (struct sockaddr *)&in, size) < 0 || listen(l.fd, 5) < 0 ||
		    getsockname(l.fd, (struct sockaddr *)&in, &size) < 0)
			g_error("listen");
		thread = g_thread_new("liar", lie, &l);
		uri = g_strdup_printf("redis://127.0.0.1:%d/0", ntohs(in.sin_port));
		in.sin_port = 0;
		st = open_as("mx1", &error);
		clean_text = !error || !strchr(error->message, '\033');
		if (st) {
			ok(take(st, &four, 1, NULL) < 0, "no requests from a server that says %s", cases[i].what);
			ok(has(st, 1) <= 0, "nor a verdict");
			day_used(st);
			vtm_store_queue_load(st, 10, NULL, NULL, NULL);
			vtm_store_journal_find(st, "x", NULL, NULL, NULL);
		} else {
			ok(g_error_matches(error, VTM_ERROR, VTM_ERROR_STORE) && clean_text,
			   "a server that says %s is no store", cases[i].what);
		}
		ok(elapsed_ms(start) < 6 * SLOW_MS, "in bounded time (%.0f ms)", elapsed_ms(start));
		g_clear_error(&error);
		vtm_store_close(st);
		shutdown(l.fd, SHUT_RDWR);
		g_thread_join(thread);
		close(l.fd);
		g_free(uri);
	}
	uri = uri_was;
}

/* Values in our keys that others wrote. */
static void broken_values(void)
{
	struct vtm_store *st = fresh();
	GError *error = NULL;
	char *base = g_strndup(prefix, strlen(prefix) - 1), *command;

	put(st, 1);
	command = g_strdup_printf("eval \"for _,k in pairs(redis.call('keys','{%s}:v*')) do redis.call('set',k,'xx') "
				  "end return 1\" 0", base);
	cli(command);
	g_free(command);
	is_int(has(st, 1), 0, "a verdict that is none is not found");
	command = g_strdup_printf("set {%s}:b text", base);
	cli(command);
	g_free(command);
	ok(take(st, &four, 1, &error) < 0, "a budget of another type grants nothing");
	is_error(&error, VTM_ERROR_STORE, "WRONGTYPE", "that");
	g_free(base);
	vtm_store_close(st);
}

/* ---- leases ---- */

static void leases(void)
{
	struct vtm_store *st = fresh(), *other = must_open("mx2");
	struct vtm_key k = suite_key(1);

	vtm_store_lease(st, &k, 150, NULL);
	is_int(vtm_store_lease(other, &k, 1000, NULL), 0, "a lease is held");
	g_usleep(250000);
	is_int(vtm_store_lease(other, &k, 1000, NULL), 1, "and frees itself when its holder says nothing more");
	is_int(vtm_store_lease(st, &k, 1000, NULL), 0, "for the next to hold");
	vtm_store_close(st);
	vtm_store_close(other);
}

/* ---- hearing what others end ---- */

static void no_wake(void *arg)
{
	(void)arg;
}

static void publish(const char *what)
{
	char *command = g_strdup_printf("publish {%.*s}:ended %s", (int)strlen(prefix) - 1, prefix, what);

	cli(command);
	g_free(command);
}

static void hearing(void)
{
	struct vtm_store *st = fresh(), *other = must_open("mx2");
	struct vtm_key k = suite_key(1), keys[VTM_STORE_BATCH];
	bool missed = false;
	unsigned n;

	vtm_store_watch(st, no_wake, NULL, NULL);
	ok(suite_hears(st, true), "a host listens");
	vtm_store_take_ended(st, keys, &missed);
	publish("''");
	publish("no-key");
	publish("012345678901234567890123456789012345678901234567890123456789");
	vtm_store_lease_end(other, &k, NULL);
	ok(suite_heard(st, &k), "what is no key is not heard, what comes after it is");
	is_int(vtm_store_take_ended(st, keys, &missed) || missed, 0, "once");

	cli("client kill type pubsub");
	for (unsigned i = 0; i < SUITE_TRIES && !missed; i++) {
		g_usleep(10000);
		vtm_store_take_ended(st, keys, &missed);
	}
	ok(missed, "a connection that was cut (too slow, or a failover) may have missed something");
	ok(suite_hears(st, true), "and is made anew");
	vtm_store_lease_end(other, &k, NULL);
	ok(suite_heard(st, &k), "as good as before");

	n = 0;
	for (unsigned tries = 1; tries < 20 && n < VTM_STORE_BATCH; tries++) {
		for (unsigned i = 0; i < VTM_STORE_BATCH + 50; i++)
			vtm_store_lease_end(other, &k, NULL);
		g_usleep(tries * 20000);
		n = vtm_store_take_ended(st, keys, &missed);
	}
	is_int(n, VTM_STORE_BATCH, "not more is kept than is taken at once");
	ok(missed, "and what did not go in is known to be missing");
	vtm_store_close(st);
	vtm_store_close(other);
}

/* The server is gone, and comes back. */
static void hearing_again(void)
{
	struct vtm_store *st = fresh();
	struct vtm_key k = suite_key(1);

	vtm_store_watch(st, no_wake, NULL, NULL);
	ok(suite_hears(st, true), "a host listens");
	redis_server_kill(&server);
	ok(suite_hears(st, false), "to a server that is gone: no more");
	redis_server_start(&server, NULL);
	ok(suite_hears(st, true), "it is back: again");
	for (unsigned i = 0; i < SUITE_TRIES && vtm_store_lease_end(st, &k, NULL) < 0; i++)
		g_usleep(10000);
	ok(suite_heard(st, &k), "and hears");
	vtm_store_close(st);
}

/* A user of a kind that Redis 7 makes by default: no channels. */
static void forbidden_to_hear(void)
{
	char *uri_was = uri;
	struct vtm_store *st;
	struct vtm_key k = suite_key(1);

	cli("acl setuser deaf on '>pw' '~*' resetchannels +@all");
	st = fresh();
	vtm_store_close(st);
	if (!server.port) {
		skip("no port", "a user without channels");
		return;
	}
	uri = g_strdup_printf("redis://deaf:pw@127.0.0.1:%d/0", server.port);
	st = must_open("mx2");
	vtm_store_watch(st, no_wake, NULL, NULL);
	vtm_store_lease(st, &k, 5000, NULL);
	is_int(vtm_store_lease_end(st, &k, NULL), 0, "who may not publish ends his look-ups all the same");
	is_int(vtm_store_lease(st, &k, 5000, NULL), 1, "and frees the lease");
	g_usleep(300000);
	ok(!vtm_store_is_watching(st), "and who may not subscribe looks for himself");
	vtm_store_close(st);
	g_free(uri);
	uri = uri_was;
}

/* ---- who may ---- */

static void passwords(void)
{
	static const char *const pass[] = { "--include", "users", NULL };
	static const char users[] = "requirepass \"sesam @/:%öffne\"\nuser mx on >user%pass ~* &* +@all\n";
	char *uri_was = uri, *file = g_build_filename(server.dir, "password", NULL), *list;
	struct redis_server locked;
	struct vtm_store *st;
	GError *error = NULL;

	redis_server_init(&locked, "locked");
	list = g_build_filename(locked.dir, "users", NULL);
	g_file_set_contents(list, users, -1, NULL);
	g_free(list);
	if (!ok(redis_server_start(&locked, pass), "a server with a password runs"))
		goto out;
	uri = g_strconcat("redis+unix:", locked.socket, NULL);
	ok(!open_as("mx1", &error), "without it there is no store");
	is_error(&error, VTM_ERROR_STORE, "NOAUTH", "that");
	settings.password_file = file;
	ok(!open_as("mx1", &error), "a password file that is not there is an error");
	is_error(&error, VTM_ERROR_CONFIG, file, "that");
	g_file_set_contents(file, "wrong-password\n", -1, NULL);
	ok(!open_as("mx1", &error), "a wrong one too");
	ok(error && !strstr(error->message, "wrong-password"), "which does not tell it");
	g_clear_error(&error);
	g_file_set_contents(file, "\n", -1, NULL);
	ok(!open_as("mx1", &error), "an empty one too");
	is_error(&error, VTM_ERROR_CONFIG, file, "that");
	g_file_set_contents(file, "sesam @/:%öffne\r\nsecond line\n", -1, NULL);
	st = open_as("mx1", &error);
	ok(st != NULL, "the right one opens");
	g_clear_error(&error);
	vtm_store_close(st);
	settings.password_file = NULL;
	g_free(uri);

	locked.port = redis_server_free_port();
	redis_server_kill(&locked);
	redis_server_start(&locked, pass);
	uri = g_strdup_printf("redis://:sesam%%20%%40%%2F%%3A%%25%%C3%%B6ffne@localhost:%d/3", locked.port);
	st = open_as("mx1", &error);
	ok(st != NULL, "or in the URI, percent-encoded, with the host's name");
	if (!st)
		diag("%s", error->message);
	g_clear_error(&error);
	if (st)
		put(st, 1);
	vtm_store_close(st);
	g_free(uri);
	uri = g_strdup_printf("redis://mx:user%%25pass@127.0.0.1:%d/3", locked.port);
	st = open_as("mx1", &error);
	ok(st && has(st, 1) == 1, "with a user, in the same database");
	g_clear_error(&error);
	vtm_store_close(st);
	g_free(uri);
	uri = g_strdup_printf("redis://mx:user%%25pass@127.0.0.1:%d/2", locked.port);
	st = open_as("mx1", &error);
	ok(st && has(st, 1) == 0, "and not in another");
	redis_server_kill(&locked);
	ok(st && has(st, 1) < 0, "when it is gone");
	g_clear_error(&error);
	vtm_store_close(st);
	ok(!open_as("mx1", &error) && !strstr(error->message, "user"), "no message has the password");
	g_clear_error(&error);
	g_free(uri);
out:
	redis_server_clear(&locked);
	unlink(file);
	g_free(file);
	uri = uri_was;
}

static void names(void)
{
	char *uri_was = uri;
	GError *error = NULL;
	int64_t start = g_get_monotonic_time();

	uri = g_strdup("redis://no-such-host.invalid/0");
	ok(!open_as("mx1", &error), "a name that does not exist");
	is_error(&error, VTM_ERROR_STORE, "no-such-host.invalid", "that");
	ok(elapsed_ms(start) < SLOW_MS, "in bounded time (%.0f ms)", elapsed_ms(start));
	g_free(uri);
	uri = g_strdup_printf("redis://127.0.0.1:%d/0", redis_server_free_port());
	ok(!open_as("mx1", &error), "a port where nobody listens");
	is_error(&error, VTM_ERROR_STORE, "refused", "that");
	g_free(uri);
	uri = uri_was;
}

/* ---- TLS ---- */

static bool openssl(const char *dir, const char *command)
{
	char *line = g_strdup_printf("sh -c \"cd '%s' && openssl %s >/dev/null 2>&1\"", dir, command);
	int status = -1;
	bool good = g_spawn_command_line_sync(line, NULL, NULL, &status, NULL) && status == 0;

	g_free(line);
	return good;
}

static bool make_certificates(const char *dir)
{
	char *ext = g_build_filename(dir, "ext", NULL);
	bool good;

	g_file_set_contents(ext, "subjectAltName=DNS:localhost,IP:127.0.0.1\n", -1, NULL);
	good = openssl(dir, "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=CA "
			    "-keyout ca.key -out ca.pem") &&
	       openssl(dir, "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=Other "
			    "-keyout other.key -out other.pem") &&
	       openssl(dir, "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x -keyout s.key "
			    "-out s.csr") &&
	       openssl(dir, "x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext "
			    "-out s.pem");
	g_free(ext);
	return good;
}

static void cannot_open(const char *word, const char *what)
{
	GError *error = NULL;
	struct vtm_store *st = open_as("mx1", &error);

	ok(!st, "%s: no store", what);
	is_error(&error, VTM_ERROR_STORE, word, what);
	vtm_store_close(st);
}

static void tls(void)
{
	struct redis_server secure;
	char *uri_was = uri, *port, *ca, *other, *cert, *key;
	struct vtm_store *st;
	GError *error = NULL;

	redis_server_init(&secure, "tls");
	port = g_strdup_printf("%d", redis_server_free_port());
	ca = g_build_filename(secure.dir, "ca.pem", NULL);
	other = g_build_filename(secure.dir, "other.pem", NULL);
	cert = g_build_filename(secure.dir, "s.pem", NULL);
	key = g_build_filename(secure.dir, "s.key", NULL);
	const char *const options[] = { "--tls-port", port, "--tls-cert-file", "s.pem", "--tls-key-file", "s.key",
					"--tls-ca-cert-file", "ca.pem", "--tls-auth-clients", "yes",
					"--bind", "127.0.0.1", "127.0.0.2", NULL };

	if (!make_certificates(secure.dir) || !redis_server_start(&secure, options)) {
		skip("no openssl, or a redis-server without TLS", "TLS");
		goto out;
	}
	uri = g_strdup_printf("rediss://localhost:%s/0", port);
	settings.ca_file = ca;
	settings.cert_file = cert;
	settings.key_file = key;
	st = open_as("mx1", &error);
	if (!ok(st != NULL, "TLS with certificates on both sides"))
		diag("%s", error->message);
	g_clear_error(&error);
	if (st) {
		unsigned wrong = 0;

		vtm_store_budget_raise(st, 0, 0, NULL);
		is_int(take(st, &four, 4, NULL), 4, "requests by TLS");
		vtm_store_begin(st, NULL);
		for (unsigned i = 0; i < 1000; i++)
			put(st, i);
		vtm_store_commit(st, NULL);
		for (unsigned i = 0; i < 1000; i++)
			wrong += has(st, i) != 1;
		is_int(wrong, 0, "and a thousand verdicts");
	}
	vtm_store_close(st);
	g_free(uri);
	uri = g_strdup_printf("rediss://127.0.0.1:%s/0", port);
	st = open_as("mx1", NULL);
	ok(st != NULL, "an address that stands in the certificate");
	vtm_store_close(st);
	g_free(uri);
	uri = g_strdup_printf("rediss://127.0.0.2:%s/0", port);
	cannot_open("mismatch", "an address that does not stand in the certificate");
	g_free(uri);
	uri = g_strdup_printf("rediss://localhost:%s/0", port);
	settings.cert_file = settings.key_file = NULL;
	cannot_open("", "without a certificate of our own");
	settings.ca_file = other;
	cannot_open("TLS", "a server that another CA vouches for");
	settings.ca_file = NULL;
	cannot_open("", "a server that no known CA vouches for");
	settings.ca_file = "/no/such/file";
	cannot_open("CA file", "a CA file that is not there");
	settings.ca_file = NULL;
	g_free(uri);
	uri = g_strdup_printf("redis://localhost:%s/0", port);
	cannot_open("", "plain text to a TLS port");
	g_free(uri);
	uri = g_strdup_printf("rediss://127.0.0.1:%d/0", server.port);
	cannot_open("", "TLS to a plain port");
	g_free(uri);
out:
	redis_server_clear(&secure);
	uri = uri_was;
	g_free(port);
	g_free(ca);
	g_free(other);
	g_free(cert);
	g_free(key);
}

/* ---- Sentinel ---- */

static bool start_sentinel(struct redis_server *s, int port, int master_port)
{
	char *conf = g_build_filename(s->dir, "sentinel.conf", NULL), *text;
	bool good;

	s->port = port;
	text = g_strdup_printf("sentinel monitor mail 127.0.0.1 %d 1\nsentinel down-after-milliseconds mail 500\n"
			       "sentinel failover-timeout mail 3000\n", master_port);
	g_file_set_contents(conf, text, -1, NULL);
	const char *argv[] = { redis_server_program(), conf, "--sentinel", "--port", "0", "--unixsocket", s->socket, "--bind",
			       "127.0.0.1", "--logfile", "log", NULL };
	char *port_text = g_strdup_printf("%d", port);

	argv[4] = port_text;
	good = g_spawn_async(s->dir, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
			     G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &s->pid, NULL);
	g_free(port_text);
	g_free(text);
	g_free(conf);
	return good;
}

static struct vtm_store *open_within(unsigned tries)
{
	struct vtm_store *st = NULL;

	for (unsigned i = 0; !st && i < tries; i++) {
		g_usleep(100000);
		st = open_as("mx1", NULL);
	}
	return st;
}

static void sentinel(void)
{
	struct vtm_key heard = suite_key(5);
	static const char *const quick[] = { "--repl-diskless-sync-delay", "0", NULL };
	struct redis_server a, b, s;
	char *uri_was = uri, *port_a;
	struct vtm_store *st;
	int taken = -1;

	redis_server_init(&a, "master");
	redis_server_init(&b, "second");
	redis_server_init(&s, "sentinel");
	a.port = redis_server_free_port();
	redis_server_start(&a, quick);
	port_a = g_strdup_printf("%d", a.port);
	const char *const of[] = { "--replicaof", "127.0.0.1", port_a, NULL };

	b.port = redis_server_free_port();
	redis_server_start(&b, of);
	s.port = redis_server_free_port();
	start_sentinel(&s, s.port, a.port);
	new_prefix();
	vtm_clock_manual_init(&manual, SUITE_NOON);
	/* the first one does not answer */
	uri = g_strdup_printf("redis-sentinel://127.0.0.1:%d,127.0.0.1:%d/mail", redis_server_free_port(), s.port);
	st = open_within(50);
	if (!ok(st != NULL, "the master is found by the second of two Sentinels"))
		goto out;
	vtm_store_budget_raise(st, 0, 0, NULL);
	is_int(take(st, &four, 2, NULL), 2, "it grants requests");
	put(st, 1);
	vtm_store_watch(st, no_wake, NULL, NULL);
	ok(suite_hears(st, true), "a host listens");
	g_usleep(2500 * 1000);	/* the Sentinel finds the replica, which takes the data over */
	redis_server_kill(&a);
	for (unsigned i = 0; i < 150 && taken < 0 && !is_lost(st); i++)
		g_usleep(100000);
	ok(is_lost(st), "after a failover the store is back by itself, asking for VirusTotal's count");
	is_int(has(st, 1), 1, "with the verdicts");
	ok(suite_hears(st, true), "and listens again");
	vtm_store_lease_end(st, &heard, NULL);
	ok(suite_heard(st, &heard), "to the new master");
	is_int(vtm_store_budget_raise(st, 2, 2, NULL), 0, "given that");
	count_again(st, 2);
	is_int(take(st, &four, 4, NULL), 4, "it grants again");
	vtm_store_close(st);
	g_free(uri);
	uri = g_strdup_printf("redis-sentinel://127.0.0.1:%d/unknown", s.port);
	cannot_open("knows no", "a name that no Sentinel knows");
out:
	g_free(uri);
	uri = uri_was;
	g_free(port_a);
	redis_server_clear(&s);
	redis_server_clear(&b);
	redis_server_clear(&a);
}

/* ---- what it costs ---- */

static int64_t info(const char *section, const char *name)
{
	char *command = g_strdup_printf("info %s", section), *out = redis_server_cli(&server, command);
	const char *at = strstr(out, name);
	int64_t n = at ? g_ascii_strtoll(at + strlen(name), NULL, 10) : -1;

	g_free(command);
	g_free(out);
	return n;
}

static void cost(void)
{
	const char *env = getenv("VTM_TEST_VERDICTS");
	unsigned many = env ? (unsigned)atoi(env) : 20000;
	struct vtm_store *st = fresh();
	struct vtm_key keys[10];
	struct vtm_cached out[10];
	int64_t start, before = info("memory", "used_memory:");

	start = g_get_monotonic_time();
	for (unsigned n = 0; n < many; n++)
		put(st, n);
	diag("%.1f us a verdict put", elapsed_ms(start) * 1000 / many);
	diag("%.0f bytes of memory a verdict", (double)(info("memory", "used_memory:") - before) / many);
	cli("config resetstat");
	start = g_get_monotonic_time();
	for (unsigned i = 0; i < 1000; i++) {
		for (unsigned n = 0; n < 10; n++)
			keys[n] = suite_key((i * 7919u + n) % many);
		if (vtm_store_verdicts_get(st, keys, 10, out, NULL) != 10)
			g_error("a verdict is missing");
	}
	diag("%.1f us for the verdicts of 10 items", elapsed_ms(start));
	is_int(info("commandstats", "cmdstat_mget:calls="), 1000, "10 items are one round trip");
	start = g_get_monotonic_time();
	for (unsigned i = 0; i < 1000; i++)
		take(st, &(struct vtm_budget_limits){ VTM_NO_LIMIT, VTM_LIMIT(1000000), VTM_NO_LIMIT, 0, 0 }, 1, NULL);
	diag("%.0f takes a second", 1e6 / elapsed_ms(start));
	before = info("memory", "used_memory:");
	for (unsigned i = 0; i < 1000; i++) {
		struct vtm_journal_item j[3];
		char *id = g_strdup_printf("4bQ1kX2Yz%06u", i), *mid = g_strdup_printf("<%u.abcdef@example.com>", i);
		struct vtm_journal_message m = { .queue_id = id, .message_id = mid, .sender = g_strdup("s@example.com"),
						 .recipients = g_strsplit("r@example.org", ",", -1), .time_ms = i };

		for (unsigned k = 0; k < 3; k++) {
			struct vtm_lookup *l = suite_lookup(i * 3 + k);

			j[k] = (struct vtm_journal_item){ .item = vtm_item_new(VTM_URL, l->subject), .has_key = true,
							  .key = l->key };
			j[k].item->report.verdict = VTM_PENDING;
			vtm_lookup_free(l);
		}
		vtm_store_journal_add(st, &m, j, 3, NULL);
		for (unsigned k = 0; k < 3; k++)
			vtm_item_free(j[k].item);
		vtm_journal_message_clear(&m);
	}
	diag("%.0f bytes of memory a journalled message with 3 pending urls",
	     (double)(info("memory", "used_memory:") - before) / 1000);
	vtm_store_close(st);
}

int main(void)
{
#ifndef HAVE_HIREDIS
	skip_all("built without Redis");
#endif
	if (!redis_server_there())
		skip_all("neither redis-server nor valkey-server is installed");
	signal(SIGPIPE, SIG_IGN);
	redis_server_init(&server, "redis");
	server.port = redis_server_free_port();
	vtm_clock_manual_init(&manual, SUITE_NOON);
	uri = g_strconcat("redis+unix:", server.socket, NULL);
	if (ok(redis_server_start(&server, NULL), "a private %s runs", redis_server_program())) {
		lost_and_found();
		hash_thrown_out();
		lost_in_flight();
		jump_unseen();
		jumps();
		race();
		answers_cross();
		slow();
		down();
		evicting();
		full();
		replica();
		broken_values();
		nonsense();
		leases();
		hearing();
		hearing_again();
		forbidden_to_hear();
		passwords();
		names();
		tls();
		sentinel();
		cost();
	}
	redis_server_clear(&server);
	g_free(uri);
	return done_testing();
}
