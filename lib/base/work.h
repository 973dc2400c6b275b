/* SPDX-License-Identifier: BSD-2-Clause */
/* work.h - how much one message may cost: bytes looked at, and a time by which reading it ends.
 *
 * Every loop over what a message holds spends the bytes it is about to look at, and stops when vtm_work_spend() says
 * so; its callers stop too, since the end of the work is permanent.  A byte that is looked at twice is spent twice: so
 * nothing that a sender writes costs more than VTM_WORK_BYTES, whatever multiplies with what.  The bytes bound the work
 * on any machine, the deadline bounds the time on a busy one.
 *
 * A value, owned by the caller; one thread at a time.  Where a struct vtm_work * is taken, NULL means no bound.
 */
#ifndef VTM_WORK_H
#define VTM_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define VTM_WORK_BYTES (UINT64_C(1) << 30)	/* of one message, everything unpacked from it included */
#define VTM_WORK_LOOK 65536			/* bytes after which the clock is read: below 10 ms of the slowest loop */

struct vtm_work {
	const struct vtm_clock *clock;	/* NULL: no deadline and no progress */
	int64_t deadline_ms;		/* on the boot clock */
	/* Called about every <progress_ms>, in the thread that spends; false: nobody waits for the message any more,
	 * which ends the work.  NULL: not called. */
	bool (*progress)(void *arg);
	void *progress_arg;
	int64_t progress_ms;
	/* private */
	uint64_t left;			/* bytes; 0: the work has ended */
	uint64_t unlooked;		/* bytes until the clock is read again */
	int64_t progress_at_ms;
};

/* Gives <w> <bytes> and a deadline.  Then set <progress> if it is wanted. */
void vtm_work_begin(struct vtm_work *w, const struct vtm_clock *clock, int64_t deadline_ms, uint64_t bytes);

/* Has the work ended?  Reads no clock. */
static inline bool vtm_work_over(const struct vtm_work *w)
{
	return w && !w->left;
}

/* Reads the clock, whatever was spent: before and after a call that takes long.  false: the work has ended. */
bool vtm_work_look(struct vtm_work *w);

/* Ends the work before its time. */
static inline void vtm_work_end(struct vtm_work *w)
{
	if (w)
		w->left = 0;
}

/* Spends <bytes> (at least 1).  false: the work has ended, now or before; look at nothing more.  Costs two comparisons
 * most of the time. */
static inline bool vtm_work_spend(struct vtm_work *w, uint64_t bytes)
{
	bytes += !bytes;
	if (!w)
		return true;
	if (bytes >= w->left) {
		w->left = 0;
		return false;
	}
	w->left -= bytes;
	if (bytes < w->unlooked) {
		w->unlooked -= bytes;
		return true;
	}
	return vtm_work_look(w);
}

#endif
