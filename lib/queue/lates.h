/* SPDX-License-Identifier: BSD-2-Clause */
/* lates.h - late verdicts: kept in the store and handed out until LateVerdictCommand has taken them.
 *
 * vtm_lates_result() may be called by any thread; the rest belongs to the one thread that uses the store.  At most
 * VTM_LATE_AT_ONCE are handed out at a time.  One that fails is handed out again after VTM_LATE_FIRST_MS, then twice as
 * long each time up to VTM_LATE_MAX_MS; after VTM_LATE_ATTEMPTS, about 24 hours, it is logged and dropped.  How one ended
 * is remembered until the store has it.
 */
#ifndef VTM_LATES_H
#define VTM_LATES_H

#include "store/store.h"

#define VTM_LATE_AT_ONCE 4
#define VTM_LATE_ATTEMPTS 16
#define VTM_LATE_FIRST_MS 15000
#define VTM_LATE_MAX_MS 14400000
#define VTM_LATE_LOOK_MS 2000		/* how often the store is asked which are due */

/* How a late verdict ended that was handed out. */
enum vtm_late_end {
	VTM_LATE_DONE,
	VTM_LATE_AGAIN,		/* it failed: hand it out again later */
	VTM_LATE_NEVER		/* it failed, and would again */
};

struct vtm_lates;

struct vtm_lates *vtm_lates_new(const struct vtm_clock *clock);
void vtm_lates_free(struct vtm_lates *l);
/* <hand_out> takes over <json> and must not block; NULL: there is no LateVerdictCommand, and none are kept. */
void vtm_lates_configure(struct vtm_lates *l, void (*hand_out)(void *arg, int64_t id, char *json), void *arg);

/* Keeps a late verdict on <m> in the store.  A failure is logged. */
void vtm_lates_keep(struct vtm_lates *l, struct vtm_store *store, const struct vtm_journal_message *m,
		    const struct vtm_journal_item *items, size_t n);
/* The late verdict <id> that was handed out ended with <end>. */
void vtm_lates_result(struct vtm_lates *l, int64_t id, enum vtm_late_end end);
/* Writes into <store> how late verdicts ended, and hands out those that are due.  <store> may be NULL. */
int vtm_lates_step(struct vtm_lates *l, struct vtm_store *store, GError **error);

/* Late verdicts that were taken, and those that were given up. */
void vtm_lates_counts(const struct vtm_lates *l, uint64_t *done_r, uint64_t *failed_r);

#endif
