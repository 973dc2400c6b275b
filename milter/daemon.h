/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon.h - what all sessions of the daemon share.
 *
 * Set up in main() before the first session and constant from then on, but for <resolver> and the counts;
 * what the members point to has locks of its own.
 */
#ifndef VTM_DAEMON_H
#define VTM_DAEMON_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "queue/cache.h"
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
	uint64_t messages;		/* that came to their end */
	uint64_t skipped, trusted;	/* not scanned: SkipNetworks, SkipAuthenticated or Enabled; TrustedRelays */
	uint64_t unkept;		/* could not be kept for reading (disk full, MaxMessageSize) */
	uint64_t lost_mta;		/* the MTA went away while they waited */
	uint64_t forged;		/* had X-VT-* headers of their own */
	uint64_t rejected, quarantined, discarded;	/* OnBad */
	uint64_t tempfailed;		/* OnFailure */
	uint64_t items[VTM_URL + 1][VTM_VERDICTS];	/* by kind; wrappers do not count */
	uint64_t bypassed[VTM_REASONS];	/* items without a verdict, by why */
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
	int64_t start_utc_ms;
	bool inet;			/* the MTA comes by TCP (callbacks.c: the reply to DATA) */

	struct vtm_resolver *resolver;	/* atomic; NULL: not Enabled since the start.  Once set, it stays. */
	gint open;			/* atomic: messages between MAIL and their end */
	GMutex lock;			/* covers counts */
	struct vtm_counts counts;
};

/* The process's own. */
extern struct vtm_daemon vtm_daemon;

static inline struct vtm_resolver *vtm_daemon_resolver(void)
{
	return g_atomic_pointer_get(&vtm_daemon.resolver);
}

/* Adds <more> to the counts; a copy of them.  Any thread. */
void vtm_daemon_count(const struct vtm_counts *more);
void vtm_daemon_counts(struct vtm_counts *out);

/* What `vtmilterctl status` shows: one line of JSON.  New string.  Any thread. */
char *vtm_daemon_status(void);
/* "KIND ID" (lookup.h: the kind's name and 64 hex digits) leaves the memory cache, for `vtmilterctl cache forget`.
 * false: it names no look-up.  Any thread. */
bool vtm_daemon_forget(const char *what);

/* "KIND SUBJECT": another process put an answer for it into the store; mail and journal get it.  false: no such
 * look-up, or nobody to tell.  Any thread. */
bool vtm_daemon_tell(const char *what);

/* "KIND SUBJECT": what is known of it, for who may use the control socket but not read the key.  If nothing is,
 * <queue> queues it in <class>, a person's (VTM_CLASS_MANUAL or _BULK), which may use ReserveForManual, and it is
 * pending until it is asked for again; else it is bypassed (cap).  So this waits for the look into the store only. 
 * Nothing is submitted.  One line of JSON, new string: {"verdict":V,"reason":R,"malicious":N,...} or {"error":TEXT}.
 *  Any thread. */
char *vtm_daemon_lookup(const char *what, bool queue, enum vtm_class class);

/* The answer to a command of control.h but reload, as vtm_control_answer() says. */
char *vtm_daemon_answer(const char *command);

#endif
