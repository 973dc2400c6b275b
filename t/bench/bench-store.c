/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-store.c - what a store costs: fills it with verdicts, then opens, asks, takes from the budget and journals.
 *
 *	bench-store URI [VERDICTS]
 *	bench-store --history URI [RECORDS]
 *
 * With --history it is filled with as many records of each kind of the history, and read and changed as for messages of
 * twelve link domains.
 *
 * The store should be new.  Prints NAME VALUE UNIT, a line each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue/cache.h"
#include "base/hash.h"
#include "store/open/open.h"

#define BATCH 1000		/* verdicts a transaction */
#define BATCHES 10		/* of which the best counts: other programs run too */
#define ASKS 1000		/* questions a batch */
#define WRITES 100		/* a batch of what is on the disk before it returns */
#define ITEMS 10
#define KEYS 100000		/* that are asked for */

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

/* Calls <what> for 0..n-1 in each batch; says what one call took in the best of them. */
static void best(const char *name, unsigned n, void (*what)(struct vtm_store *, unsigned), struct vtm_store *st)
{
	double least = G_MAXDOUBLE;

	for (unsigned b = 0; b < BATCHES; b++) {
		double start = now_us();

		for (unsigned i = 0; i < n; i++)
			what(st, b * n + i);
		least = MIN(least, (now_us() - start) / n);
	}
	say(name, least, "us");
}

static struct vtm_key keys[KEYS];

/* Verdicts that are there. */
static void ask(struct vtm_store *st, unsigned i, unsigned items)
{
	struct vtm_cached out[ITEMS];
	int n = vtm_store_verdicts_get(st, &keys[i * 7919u % (KEYS - ITEMS)], items, out, &error);

	must(n == (int)items ? 0 : -1);
}

static void ask_one(struct vtm_store *st, unsigned i)
{
	ask(st, i, 1);
}

static void ask_ten(struct vtm_store *st, unsigned i)
{
	ask(st, i, ITEMS);
}

static struct vtm_cache *cache;

static void ask_memory(struct vtm_store *st, unsigned i)
{
	struct vtm_report r;

	(void)st;
	must(vtm_cache_get(cache, &keys[i * 7919u % KEYS], &r) - 1);
}

static void memory(void)
{
	int64_t expires = vtm_utc_ms(vtm_clock_system()) + 86400000;

	cache = vtm_cache_new(vtm_clock_system(), KEYS);
	for (unsigned i = 0; i < KEYS; i++)
		vtm_cache_put(cache, &keys[i], &clean, expires);
	best("hit in memory", 100 * ASKS, ask_memory, NULL);
	vtm_cache_free(cache);
}

static void spend(struct vtm_store *st, unsigned i)
{
	static const struct vtm_budget_limits l = { VTM_NO_LIMIT, VTM_LIMIT(1000000), VTM_NO_LIMIT, 0, 0 };
	vtm_slot slot;

	(void)i;
	must(vtm_store_budget_take(st, &l, VTM_SPEND_MANUAL, 1, &slot, &error));
	must(vtm_store_budget_settle(st, slot, &error));
}

/* A message with three items, as the daemon adds it. */
static void journal(struct vtm_store *st, unsigned i)
{
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

/* ---- history ---- */

#define LINKS 12		/* of a message */
#define SIGHTINGS (LINKS + 2)
#define FLUSHED 64		/* messages whose sightings are written together */

static const char secret[VTM_HISTORY_SECRET] = "bench";
static unsigned records;

static struct vtm_history_key name_of(unsigned kind, unsigned n)
{
	char name[32];

	g_snprintf(name, sizeof(name), "domain%u.example", n);
	return vtm_history_key_of((const uint8_t *)secret, (enum vtm_history_kind)kind, name);
}

static void fill_history(struct vtm_store *st, unsigned n)
{
	struct vtm_sighting s[VTM_STORE_BATCH];
	double start = now_us();
	size_t used = 0;

	for (unsigned i = 0; i < n; i++)
		for (unsigned kind = 0; kind <= VTM_HISTORY_NETWORK; kind++) {
			s[used++] = (struct vtm_sighting){ .key = name_of(kind, i), .hour = 480000 + i % 2160, .messages = 1,
							   .sender = kind == VTM_HISTORY_LINK ? i + 1 : 0 };
			if (used == VTM_STORE_BATCH || (i == n - 1 && kind == VTM_HISTORY_NETWORK)) {
				must(vtm_store_history_note(st, s, used, &error));
				used = 0;
			}
		}
	say("record added", (now_us() - start) / n / 3, "us");
}

/* The keys of a message: hashed as the daemon does. */
static void keys_of(unsigned i, struct vtm_history_key list[SIGHTINGS])
{
	list[0] = name_of(VTM_HISTORY_FROM, i * 7919u % records);
	list[1] = name_of(VTM_HISTORY_NETWORK, i * 104729u % records);
	for (unsigned k = 0; k < LINKS; k++)
		list[2 + k] = name_of(VTM_HISTORY_LINK, (i * 7919u + k * 15485863u) % records);
}

static void hash_message(struct vtm_store *st, unsigned i)
{
	struct vtm_history_key list[SIGHTINGS];

	(void)st;
	keys_of(i, list);
}

static void read_message(struct vtm_store *st, unsigned i)
{
	struct vtm_history_key list[SIGHTINGS];
	struct vtm_history out[SIGHTINGS];

	keys_of(i, list);
	must(vtm_store_history_get(st, list, SIGHTINGS, out, &error) == SIGHTINGS ? 0 : -1);
}

static void note_messages(struct vtm_store *st, unsigned i)
{
	struct vtm_sighting s[FLUSHED * SIGHTINGS];

	for (unsigned m = 0; m < FLUSHED; m++) {
		struct vtm_history_key list[SIGHTINGS];

		keys_of(i * FLUSHED + m, list);
		for (unsigned k = 0; k < SIGHTINGS; k++)
			s[m * SIGHTINGS + k] = (struct vtm_sighting){ .key = list[k], .hour = 483000, .messages = 1 };
	}
	must(vtm_store_history_note(st, s, FLUSHED * SIGHTINGS, &error));
}

static void bench_history(const char *uri, unsigned n)
{
	struct vtm_store *st = must_open(uri);
	unsigned size[VTM_HISTORY_KINDS];
	double start;

	records = n;
	fill_history(st, n);
	vtm_store_close(st);
	start = now_us();
	st = must_open(uri);
	say("opened", (now_us() - start) / 1000, "ms");
	best("names of a message hashed", ASKS, hash_message, st);
	best("message's records read", ASKS, read_message, st);
	best("64 messages noted", 4, note_messages, st);
	start = now_us();
	must(vtm_store_history_size(st, size, &error));
	say("records counted", (now_us() - start) / 1000, "ms");
	start = now_us();
	must(vtm_store_history_expire(st, 0, n, 5000, &error));
	say("nothing to delete", (now_us() - start) / 1000, "ms");
	start = now_us();
	must(vtm_store_history_expire(st, 0, n - 1000, 3000, &error));
	say("3,000 records deleted", (now_us() - start) / 1000, "ms");
	vtm_store_close(st);
}

int main(int argc, char **argv)
{
	unsigned n = argc > 2 ? (unsigned)atoi(argv[2]) : 100000;
	struct vtm_store *st;
	double start;

	if (argc > 2 && !strcmp(argv[1], "--history")) {
		n = argc > 3 ? (unsigned)atoi(argv[3]) : 200000;
		if (n > 1000) {
			bench_history(argv[2], n);
			return 0;
		}
	}
	if (argc < 2 || n < 1) {
		fputs("usage: bench-store URI [VERDICTS]\n", stderr);
		return 64;
	}
	for (unsigned i = 0; i < KEYS; i++)
		keys[i] = key_of((unsigned)(i * (uint64_t)n / KEYS));
	st = must_open(argv[1]);
	fill(st, n);
	vtm_store_close(st);
	start = now_us();
	st = must_open(argv[1]);
	say("opened", (now_us() - start) / 1000, "ms");
	best("hit, 1 item", ASKS, ask_one, st);
	best("hit, 10 items", ASKS, ask_ten, st);
	must(vtm_store_budget_raise(st, 0, 0, &error));
	best("request taken and ended", WRITES, spend, st);
	best("message journalled", WRITES, journal, st);
	vtm_store_close(st);
	memory();
	return 0;
}
