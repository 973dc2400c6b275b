/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-growth.c - how the cost of one piece of work grows: a cached verdict's with the number of them, a link's with
 * the links of its message.  Prints the exponent of the last step: 0 means that the cost is the same, of the whole 1
 * that it is linear. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "queue/cache.h"
#include "base/clock.h"
#include "scan/extract.h"

#define LOOKUPS 200000

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct vtm_key key_of(unsigned n)
{
	struct vtm_key key = { .kind = VTM_LOOKUP_FILE };
	uint64_t spread = n * UINT64_C(0x9e3779b97f4a7c15);	/* as digests are: no order */

	memcpy(key.id, &spread, sizeof(spread));
	return key;
}

/* Seconds a look-up among <n> verdicts. */
static double lookup_s(unsigned n)
{
	struct vtm_cache *cache = vtm_cache_new(vtm_clock_system(), n);
	struct vtm_report report = { .verdict = VTM_CLEAN, .engines = 70 };
	int64_t later_ms = vtm_utc_ms(vtm_clock_system()) + 3600000;
	unsigned hits = 0;
	double t;

	for (unsigned i = 0; i < n; i++) {
		struct vtm_key key = key_of(i);

		vtm_cache_put(cache, &key, &report, later_ms);
	}
	t = cpu_s();
	for (unsigned i = 0; i < LOOKUPS; i++) {
		struct vtm_key key = key_of((unsigned)(i * UINT64_C(7919) % n));

		hits += (unsigned)vtm_cache_get(cache, &key, &report);
	}
	t = (cpu_s() - t) / LOOKUPS;
	if (hits != LOOKUPS)
		printf("cache: %u of %u found\n", hits, LOOKUPS);
	vtm_cache_free(cache);
	return t;
}

/* Seconds for a page with <n> different links. */
static double page_s(unsigned n)
{
	GString *m = g_string_new("From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n");
	struct vtm_extract_settings s;
	double best = 1e9;
	guint found = 0;

	vtm_extract_defaults(&s);
	s.max_items = n;
	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(m, "<p><a href=\"http://h%u.example.com/p?a=%u\">a link</a> and words</p>\r\n", i % 50, i);
	for (unsigned round = 0; round < MAX(3, 3000 / n); round++) {
		struct vtm_spool *spool = vtm_spool_new("/tmp", 0);
		struct vtm_items *items;
		double t;

		vtm_spool_add(spool, m->str, m->len, NULL);
		t = cpu_s();
		items = vtm_extract(spool, &s, NULL);
		best = MIN(best, cpu_s() - t);
		found = items->list->len;
		vtm_items_free(items);
		vtm_spool_free(spool);
	}
	if (found != n)
		printf("links: %u of %u found\n", found, n);
	g_string_free(m, TRUE);
	return best;
}

static void table(const char *what, const unsigned *sizes, size_t n, double (*cost)(unsigned), double scale, const char *unit)
{
	double first = 0, last = 0, before = 0;

	printf("%-28s", what);
	for (size_t i = 0; i < n; i++) {
		before = last;
		last = cost(sizes[i]);
		first = i ? first : last;
		printf(" %u: %.2f", sizes[i], last * scale);
	}
	printf(" %s; exponent %.2f, of the last step %.2f\n", unit, log(last / first) / log((double)sizes[n - 1] / sizes[0]),
	       log(last / before) / log((double)sizes[n - 1] / sizes[n - 2]));
}

int main(void)
{
	static const unsigned verdicts[] = { 1, 100, 10000, 100000, 1000000 }, links[] = { 10, 100, 1000, 3000 };

	table("look-up, by verdicts cached", verdicts, G_N_ELEMENTS(verdicts), lookup_s, 1e6, "us each");
	table("message, by links", links, G_N_ELEMENTS(links), page_s, 1e3, "ms");
	return 0;
}
