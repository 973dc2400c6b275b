/* SPDX-License-Identifier: BSD-2-Clause */
/* resolver-parts.h - what the files of the resolver share.  Private: no other file includes it.
 *
 * resolver-ask.c runs in the threads that call it; resolver.c is the resolver's own thread, its start and its end.
 */
#ifndef VTM_RESOLVER_PARTS_H
#define VTM_RESOLVER_PARTS_H

#include "queue/journal.h"
#include "queue/resolver.h"
#include "queue/storage.h"

struct vtm_resolver {
	/* the lock covers this block and nothing else; it is never held over I/O or a callback */
	GMutex lock;
	GQueue inbox;			/* of struct asked: the thread has not seen them */
	unsigned inbox_wants;		/* their wants together, those only seen aside */
	unsigned inbox_seen;		/* how many are only seen */
	GQueue abandoned;		/* of struct asked: nobody waits for them any more */
	GQueue rereads;			/* of struct vtm_lookup: another process put answers into the store */
	struct vtm_resolver_settings *fresh;	/* settings to take over, NULL: none */
	struct vtm_vt *fresh_vt;
	bool stop, release_all, retry_now;
	struct vtm_resolver_stats stats;
	/* constant */
	const struct vtm_clock *clock;
	struct vtm_cache *cache;
	struct vtm_journal *journal;	/* some of its calls are for any thread */
	struct vtm_lates *lates;	/* likewise */
	GThread *thread;
	/* covers the pointer while others wake the thread, which writes it */
	GMutex vt_lock;
	struct vtm_vt *vt;
	/* the thread's own */
	struct vtm_resolver_settings set;
	struct vtm_storage *storage;
	struct vtm_sched *sched;
	int64_t expire_ms, expire_history_ms;
	GPtrArray *old_vt;		/* clients of earlier settings with requests in flight */
};

/* A ticket on its way through the resolver: a copy, so that a message thread can leave before the thread has time for
 * it. */
struct asked {
	struct vtm_ticket ticket;
	bool released;		/* under lock: the ticket is back */
	bool only_seen;		/* nobody waits for it: see vtm_resolver_seen() */
	GCond back;
};

/* Ends the thread's wait.  Any thread; <arg> is the resolver. */
void vtm_resolver_wake(void *arg);
void vtm_resolver_free_asked(struct asked *a);

#endif
