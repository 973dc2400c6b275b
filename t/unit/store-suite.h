/* SPDX-License-Identifier: BSD-2-Clause */
/* store-suite.h - what every store backend must do, as tests; and small helpers for the others. */
#ifndef STORE_SUITE_H
#define STORE_SUITE_H

#include "base/clock.h"
#include "store/store.h"

#define SUITE_NOON (G_GINT64_CONSTANT(1773230400) * 1000)	/* 2026-03-11 12:00:00 UTC */
#define SUITE_MIDNIGHT (SUITE_NOON + 12 * 3600 * 1000)
#define SUITE_MONTH_END (G_GINT64_CONSTANT(1775001600) * 1000)	/* 2026-04-01 00:00:00 UTC */

struct suite {
	const char *name;		/* of the backend, before each check */
	const char *uri;
	struct vtm_store_settings settings;
	struct vtm_clock_manual *clock;
	int64_t margin_ms;		/* by which its slots last longer than budget.h says */
	/* makes uri and settings name an empty store */
	void (*renew)(struct suite *);
};

/* A new, empty store, its budget known; the clock at <utc>. Aborts the test program when it cannot be. */
struct vtm_store *suite_fresh(struct suite *s, int64_t utc);
/* The same store once more, as <host>. */
struct vtm_store *suite_again(struct suite *s, const char *host);

/* All tests that hold for every backend. */
void suite_run(struct suite *s);

/* store-suite-history.c; suite_run() runs it. */
void suite_history(struct suite *s);

/* From a store of one backend to one of another: all is there. */
void suite_copy(struct suite *from, struct suite *to);
/* One that broke off goes on. */
void suite_copy_again(struct suite *from, struct suite *to);

#define SUITE_TRIES 1000	/* of 10 ms, for what happens in another thread */

/* Does <st> come to hear, or not to hear, what others end?  Does it hear that of <key>? */
bool suite_hears(struct vtm_store *st, bool wanted);
bool suite_heard(struct vtm_store *st, const struct vtm_key *key);

/* A look-up of a url that <n> makes different. */
struct vtm_lookup *suite_lookup(unsigned n);
struct vtm_key suite_key(unsigned n);

#endif
