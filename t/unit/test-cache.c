/* SPDX-License-Identifier: BSD-2-Clause */
/* test-cache.c - the verdict cache: time to live, bound, order of use, threads; what a hit costs. */
#include <malloc.h>
#include <string.h>

#include "queue/cache.h"
#include "tap.h"

#define NOW (G_GINT64_CONSTANT(1767225600) * 1000)
#define THREADS 4
#define ROUNDS 20000

static struct vtm_clock_manual manual;

static struct vtm_key key_of(unsigned n)
{
	struct vtm_key k = { .kind = (uint8_t)(n % VTM_LOOKUP_KINDS) };
	uint32_t mixed = n * 2654435761u;	/* spread as a digest is */

	memcpy(k.id, &mixed, sizeof(mixed));
	memcpy(k.id + 8, &n, sizeof(n));
	return k;
}

static void life(void)
{
	struct vtm_cache *c = vtm_cache_new(&manual.clock, 10);
	struct vtm_report bad = { .verdict = VTM_BAD, .malicious = 9, .engines = 70, .analysed = 5 }, got = { 0 };
	struct vtm_report clean = { .verdict = VTM_CLEAN, .harmless = 3 };
	struct vtm_key k = key_of(1), other = key_of(1);

	is_int(vtm_cache_get(c, &k, &got), 0, "an empty cache has nothing");
	ok(vtm_cache_put(c, &k, &bad, NOW + 1000), "a bad verdict is kept");
	is_int(vtm_cache_get(c, &k, &got), 1, "and found");
	ok(got.verdict == VTM_BAD && got.malicious == 9 && got.engines == 70 && got.analysed == 5, "as it was");
	other.kind ^= 1;
	is_int(vtm_cache_get(c, &other, &got), 0, "the kind is part of the key");
	vtm_clock_manual_advance(&manual, 999);
	is_int(vtm_cache_get(c, &k, &got), 1, "a millisecond before its end it is fresh");
	vtm_clock_manual_advance(&manual, 1);
	is_int(vtm_cache_get(c, &k, &got), 0, "at its end it is not");
	is_int(vtm_cache_size(c), 0, "and takes no more room");
	vtm_cache_put(c, &k, &bad, manual.utc + 10);
	vtm_cache_put(c, &k, &clean, manual.utc + 1000);
	vtm_clock_manual_advance(&manual, 20);
	ok(vtm_cache_get(c, &k, &got) == 1 && got.verdict == VTM_CLEAN, "a later put replaces verdict and life");
	is_int(vtm_cache_size(c), 1, "and is no second entry");
	vtm_cache_forget(c, &k);
	vtm_cache_forget(c, &k);
	is_int(vtm_cache_get(c, &k, &got), 0, "what is forgotten is gone");
	vtm_cache_free(c);
}

static void refused(void)
{
	struct vtm_cache *c = vtm_cache_new(&manual.clock, 10);

	for (int v = 0; v < VTM_VERDICTS; v++) {
		struct vtm_report r = { .verdict = (enum vtm_verdict)v };
		struct vtm_key k = key_of((unsigned)v);
		bool answer = v == VTM_BAD || v == VTM_CLEAN || v == VTM_UNKNOWN;

		ok(vtm_cache_put(c, &k, &r, manual.utc + 1000) == answer, "%s is %s", vtm_verdict_name(r.verdict),
		   answer ? "kept" : "refused");
		is_int(vtm_cache_get(c, &k, &r), answer, "and %s", answer ? "found" : "not found");
	}
	vtm_cache_free(c);
}

static void bound(void)
{
	struct vtm_cache *c = vtm_cache_new(&manual.clock, 3), *one = vtm_cache_new(&manual.clock, 0);
	struct vtm_report r = { .verdict = VTM_UNKNOWN }, got;

	for (unsigned n = 0; n < 3; n++) {
		struct vtm_key k = key_of(n);

		vtm_cache_put(c, &k, &r, manual.utc + 1000);
		vtm_cache_put(one, &k, &r, manual.utc + 1000);
	}
	struct vtm_key k0 = key_of(0), k1 = key_of(1), k3 = key_of(3);

	is_int(vtm_cache_size(c), 3, "full at its bound");
	is_int(vtm_cache_get(c, &k0, &got), 1, "the oldest is used again");
	vtm_cache_put(c, &k3, &r, manual.utc + 1000);
	is_int(vtm_cache_size(c), 3, "one more does not make it larger");
	is_int(vtm_cache_get(c, &k1, &got), 0, "the least recently used one went");
	is_int(vtm_cache_get(c, &k0, &got), 1, "the one used again stayed");
	is_int(vtm_cache_size(one), 1, "a bound of 0 counts as 1");
	vtm_cache_free(c);
	vtm_cache_free(one);
}

struct worker { struct vtm_cache *cache; unsigned seed, wrong; };

/* Every key has its own number in the report, so that a torn copy shows. */
static gpointer work(gpointer p)
{
	struct worker *w = p;

	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned n = (w->seed = w->seed * 1103515245u + 12345u) >> 16 & 511;
		struct vtm_report r = { .verdict = VTM_BAD, .malicious = n, .engines = n };
		struct vtm_key k = key_of(n);

		if (i % 3 == 0)
			vtm_cache_put(w->cache, &k, &r, manual.utc + 100000);
		else if (i % 31 == 0)
			vtm_cache_forget(w->cache, &k);
		else if (vtm_cache_get(w->cache, &k, &r) && (r.malicious != n || r.engines != n))
			w->wrong++;
	}
	return NULL;
}

static void threads(void)
{
	struct vtm_cache *c = vtm_cache_new(&manual.clock, 256);
	struct worker w[THREADS];
	GThread *t[THREADS];
	unsigned wrong = 0;

	for (unsigned i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ c, i + 1, 0 };
		t[i] = g_thread_new("cache", work, &w[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		g_thread_join(t[i]);
		wrong += w[i].wrong;
	}
	is_int(wrong, 0, "%d threads never see another key's report", THREADS);
	ok(vtm_cache_size(c) <= 256, "nor more entries than the bound");
	vtm_cache_free(c);
}

/* Figures for people; a bound that only a wrong data structure can break. */
static void cost(void)
{
	unsigned many = 200000;
	struct vtm_cache *c = vtm_cache_new(&manual.clock, many);
	struct vtm_report r = { .verdict = VTM_CLEAN, .harmless = 1 };
	size_t before = mallinfo2().uordblks;
	int64_t start, spent;
	unsigned hits = 0;

	for (unsigned n = 0; n < many; n++) {
		struct vtm_key k = key_of(n);

		vtm_cache_put(c, &k, &r, manual.utc + 100000);
	}
	diag("%.0f bytes an entry", (double)(mallinfo2().uordblks - before) / many);
	start = g_get_monotonic_time();
	for (unsigned n = 0; n < many; n++) {
		struct vtm_key k = key_of(n * 7919u % many);

		hits += (unsigned)vtm_cache_get(c, &k, &r);
	}
	spent = g_get_monotonic_time() - start;
	diag("%.2f us a hit among %u entries", (double)spent / many, many);
	is_int(hits, many, "all are found among many");
	ok(spent < (int64_t)many * 50, "a hit takes less than 50 us even on a slow machine");
	vtm_cache_free(c);
}

int main(void)
{
	vtm_clock_manual_init(&manual, NOW);
	life();
	refused();
	bound();
	threads();
	cost();
	return done_testing();
}
