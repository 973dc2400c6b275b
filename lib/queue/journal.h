/* SPDX-License-Identifier: BSD-2-Clause */
/* journal.h - writes delivered messages into the store's journal, and passes later answers on to them.
 *
 * vtm_journal_add() and vtm_journal_counts() may be called by any thread; the rest belongs to the one thread that uses
 * the store.  Bounds: VTM_JOURNAL_MAX messages wait to be written, more are dropped and counted.  A step writes at most
 * VTM_JOURNAL_BATCH messages, or fewer with VTM_JOURNAL_ITEMS items together, in one transaction, and passes one answer
 * on to at most VTM_STORE_ANSWER_MAX messages: about 50 ms, so that messages that wait for answers are not held up.
 * A call that fails is made again after VTM_JOURNAL_RETRY_MS.
 */
#ifndef VTM_JOURNAL_H
#define VTM_JOURNAL_H

#include "queue/cache.h"
#include "store/store.h"

#define VTM_JOURNAL_MAX 10000
#define VTM_JOURNAL_ANSWERS_MAX 1000	/* answers that have not reached every message; more are dropped and counted */
#define VTM_JOURNAL_BATCH 64
#define VTM_JOURNAL_ITEMS 500		/* a message with more is written alone */
#define VTM_JOURNAL_RETRY_MS 1000
#define VTM_JOURNAL_FINISH_MS 2000	/* vtm_journal_finish() lasts no longer */

struct vtm_journal_settings {
	int64_t retention_ms;		/* 0: there is no journal */
	bool ids_only;			/* JournalDetail ids */
	uint32_t threshold;
	/* A delivered message turned out bad.  Only vtm_store_late_add() of the store may be called. */
	void (*turned_bad)(void *arg, struct vtm_store *store, const struct vtm_journal_message *m,
			   const struct vtm_journal_item *items, size_t n);
	void *arg;
};

struct vtm_journal_counts {
	uint64_t written, dropped, turned_bad;
	unsigned waiting;		/* messages not written yet */
};

struct vtm_journal;

/* <cache>: where answers are looked for that came before the message was written. */
struct vtm_journal *vtm_journal_new(const struct vtm_clock *clock, struct vtm_cache *cache);
void vtm_journal_free(struct vtm_journal *j);
void vtm_journal_configure(struct vtm_journal *j, const struct vtm_journal_settings *set);

/* Takes a delivered message; owns <m> and <items> from now on. */
void vtm_journal_add(struct vtm_journal *j, struct vtm_journal_message *m, struct vtm_journal_item *items, size_t n);

/* Passes an answer on to the messages that wait for it: to as many as a step may, the rest in later steps.  <store> may
 * be NULL.  -1: the store failed; the answer is kept for a later step. */
int vtm_journal_answered(struct vtm_journal *j, struct vtm_store *store, const struct vtm_key *key,
			 const struct vtm_report *report, GError **error);
/* Writes a batch, passes an answer on, and once a minute deletes messages older than the retention. */
int vtm_journal_step(struct vtm_journal *j, struct vtm_store *store, GError **error);
/* Boot ms at which vtm_journal_step() has something to do; now or earlier: at once.  INT64_MAX: nothing waits. */
int64_t vtm_journal_next(struct vtm_journal *j);
/* Steps until nothing waits, the store fails, or VTM_JOURNAL_FINISH_MS have passed; logs how many messages were not
 * written. */
void vtm_journal_finish(struct vtm_journal *j, struct vtm_store *store);

void vtm_journal_counts(struct vtm_journal *j, struct vtm_journal_counts *out);

#endif
