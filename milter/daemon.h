/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon.h - what all sessions of the daemon share.
 *
 * Set up before the first session and then constant, but for <resolver>, <open> and the counts.  The objects that it
 * points to have their own locks.
 */
#ifndef VTM_DAEMON_H
#define VTM_DAEMON_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "queue/cache.h"
#include "base/share.h"
#include "base/clock.h"
#include "decode/decode.h"
#include "base/histogram.h"
#include "model/item.h"
#include "late.h"
#include "queue/resolver.h"
#include "model/tags.h"
#include "ticker.h"

/* What happened to messages since the start.  A plain value. */
struct vtm_counts {
	uint64_t messages;		/* that arrived to their end */
	uint64_t skipped, trusted;	/* not scanned: SkipNetworks, SkipAuthenticated or Enabled; TrustedRelays */
	uint64_t unkept;		/* could not be stored for reading (disk full, MaxMessageSize) */
	uint64_t lost_mta;		/* the MTA closed the connection while they waited */
	uint64_t forged;		/* arrived with X-VT-* headers */
	uint64_t rejected, quarantined, discarded;	/* OnBad */
	uint64_t tempfailed;		/* OnFailure */
	uint64_t items[VTM_URL + 1][VTM_VERDICTS];	/* by kind; wrappers do not count */
	uint64_t bypassed[VTM_REASONS];	/* items without a verdict, by reason */
	uint64_t tagged[VTM_TAGS];
	uint64_t untagged;		/* scanned, without an item */
	struct vtm_histogram delay;	/* of scanned messages, at their end */
	uint64_t bytes;
};

struct vtm_daemon {
	const struct vtm_clock *clock;
	struct vtm_cache *cache;
	struct vtm_ticker *ticker;
	struct vtm_late_runner *late;
	struct vtm_decoders *decoders;
	struct vtm_share *collecting, *reading;	/* MaxMemory: half for messages being collected, half for reading them */
	int64_t start_utc_ms;
	bool inet;			/* Socket is TCP (callbacks.c: the reply to DATA) */

	struct vtm_resolver *resolver;	/* atomic; NULL until Enabled is yes for the first time, then constant */
	gint open;			/* atomic: messages between MAIL and their end */
	GMutex lock;			/* covers counts */
	struct vtm_counts counts;
};

/* The daemon of this process. */
extern struct vtm_daemon vtm_daemon;

static inline struct vtm_resolver *vtm_daemon_resolver(void)
{
	return g_atomic_pointer_get(&vtm_daemon.resolver);
}

/* Add <more> to the counts, and copy them.  Any thread. */
void vtm_daemon_count(const struct vtm_counts *more);
void vtm_daemon_counts(struct vtm_counts *out);

#endif
