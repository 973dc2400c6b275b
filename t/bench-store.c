/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-store.c - what a store costs: fills it with verdicts, then opens, asks, takes from the budget and journals.
 *
 *	bench-store URI [VERDICTS]
 *
 * The store should be new.  Prints NAME VALUE UNIT, a line each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "hash.h"
#include "store.h"

#define BATCH 1000		/* verdicts a transaction */
#define ROUNDS 10000		/* of questions */
#define WRITES 1000		/* of what is on the disk before it returns */
#define ITEMS 10

static const struct vtm_report clean = { .verdict = VTM_CLEAN, .harmless = 60, .undetected = 30, .engines = 95 };
static GError *error;

static double now_us(void)
{
	return (double)g_get_monotonic_time();
}

static void must(int rc)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "bench-store: %s\n", error ? error->message : "failed");
	exit(1);
}

static void say(const char *name, double value, const char *unit)
{
	printf("%-24s %10.2f %s\n", name, value, unit);
}

static struct vtm_key key_of(unsigned n)
{
	struct vtm_key k = { .kind = n % 2 ? VTM_LOOKUP_URL : VTM_LOOKUP_FILE };

	vtm_sha256(&n, sizeof(n), k.id);
	return k;
}

static struct vtm_store *must_open(const char *uri)
{
	struct vtm_store_settings set = { .clock = vtm_clock_system(), .host = "mx1.example.org" };
	struct vtm_store *st = vtm_store_open(uri, &set, &error);

	must(st ? 0 : -1);
	return st;
}

static void fill(struct vtm_store *st, unsigned n)
{
	int64_t expires = vtm_utc_ms(vtm_clock_system()) + 86400000;
	double start = now_us();

	for (unsigned i = 0; i < n; i++) {
		struct vtm_lookup l = { .key = key_of(i) };

		if (i % BATCH == 0)
			must(vtm_store_begin(st, &error));
		must(vtm_store_verdict_put(st, &l, &clean, expires, &error));
		if (i % BATCH == BATCH - 1 || i == n - 1)
			must(vtm_store_commit(st, &error));
	}
	say("verdict put", (now_us() - start) / n, "us");
}

/* Verdicts of <items> keys at a time, all of them there. */
static void ask(struct vtm_store *st, unsigned n, unsigned items, const char *name)
{
	struct vtm_key keys[ITEMS];
	struct vtm_cached out[ITEMS];
	double spent = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		double start;

		for (unsigned k = 0; k < items; k++)
			keys[k] = key_of((i * 7919u + k * 104729u) % n);
		start = now_us();
		must(vtm_store_verdicts_get(st, keys, items, out, &error));
		spent += now_us() - start;
		must(out[0].found ? 0 : -1);
	}
	say(name, spent / ROUNDS, "us");
}

static void memory(void)
{
	struct vtm_cache *c = vtm_cache_new(vtm_clock_system(), 100000);
	int64_t expires = vtm_utc_ms(vtm_clock_system()) + 86400000;
	struct vtm_key *keys = g_new(struct vtm_key, 100000);
	struct vtm_report r;
	double start;

	for (unsigned i = 0; i < 100000; i++) {
		keys[i] = key_of(i);
		vtm_cache_put(c, &keys[i], &clean, expires);
	}
	start = now_us();
	for (unsigned i = 0; i < 1000000; i++)
		vtm_cache_get(c, &keys[(i * 7919u) % 100000], &r);
	say("hit in memory", (now_us() - start) / 1e6, "us");
	g_free(keys);
	vtm_cache_free(c);
}

static void budget(struct vtm_store *st)
{
	static const struct vtm_budget_limits l = { 0, 1000000, 0, 0, 0 };
	double start;
	vtm_slot slot;

	must(vtm_store_budget_raise(st, 0, 0, &error));
	start = now_us();
	for (unsigned i = 0; i < WRITES; i++) {
		must(vtm_store_budget_take(st, &l, VTM_SPEND_MANUAL, 1, &slot, &error));
		must(vtm_store_budget_settle(st, slot, &error));
	}
	say("request taken and ended", (now_us() - start) / WRITES, "us");
}

/* Messages with three items, as the daemon adds them. */
static void journal(struct vtm_store *st)
{
	double start = now_us();

	for (unsigned i = 0; i < WRITES; i++) {
		struct vtm_journal_item items[3];
		struct vtm_journal_message m = {
			.queue_id = g_strdup_printf("4bQ1kX2Yz%06u", i),
			.message_id = g_strdup_printf("<%u.abcdef@mail.example.com>", i),
			.sender = g_strdup("sender@example.com"), .recipients = g_strsplit("user@example.org", ",", -1),
			.client = g_strdup("192.0.2.0/24"), .time_ms = vtm_utc_ms(vtm_clock_system()), .size = 30000,
		};

		for (unsigned k = 0; k < 3; k++) {
			char *url = g_strdup_printf("https://www.example.com/a/page/of/some/length?id=%u.%u", i, k);

			items[k] = (struct vtm_journal_item){ .item = vtm_item_new(VTM_URL, url), .has_key = true,
							      .key = key_of(3 * i + k) };
			items[k].item->report = clean;
			g_free(url);
		}
		must(vtm_store_journal_add(st, &m, items, 3, &error));
		for (unsigned k = 0; k < 3; k++)
			vtm_item_free(items[k].item);
		vtm_journal_message_clear(&m);
	}
	say("message journalled", (now_us() - start) / WRITES, "us");
}

int main(int argc, char **argv)
{
	unsigned n = argc > 2 ? (unsigned)atoi(argv[2]) : 100000;
	struct vtm_store *st;
	double start;

	if (argc < 2 || n < ITEMS) {
		fputs("usage: bench-store URI [VERDICTS]\n", stderr);
		return 64;
	}
	st = must_open(argv[1]);
	fill(st, n);
	vtm_store_close(st);
	start = now_us();
	st = must_open(argv[1]);
	say("opened", (now_us() - start) / 1000, "ms");
	ask(st, n, 1, "hit, 1 item");
	ask(st, n, ITEMS, "hit, 10 items");
	budget(st);
	journal(st);
	vtm_store_close(st);
	memory();
	return 0;
}
