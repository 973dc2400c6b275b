/* SPDX-License-Identifier: BSD-2-Clause */
/* resolver-parts.h - what the files of resolver share.  Private.  All of it runs in the resolver's thread, but for what
 * resolver.h offers to others.
 */
#ifndef VTM_RESOLVER_PARTS_H
#define VTM_RESOLVER_PARTS_H

#include "queue/resolver.h"

struct journalled {
	struct vtm_journal_message *message;
	struct vtm_journal_item *items;
	size_t n;
};

/* A late verdict that was handed out and what became of it. */
struct late_result {
	int64_t id;
	enum vtm_late_end end;
};

struct handed_out {
	int attempts;		/* this one too */
	char queue_id[64];	/* for the log */
};

struct vtm_resolver {
	/* the lock covers this block and nothing else; it is never held over I/O or a callback */
	GMutex lock;
	GQueue inbox;			/* of struct asked: not seen by the thread yet */
	unsigned inbox_wants;		/* what they want together */
	GQueue abandoned;		/* of struct asked: nobody waits for them any more */
	GQueue rereads;			/* of struct vtm_lookup: others have answers */
	GQueue journal;			/* of struct journalled */
	GArray *late_results;		/* of struct late_result */
	struct vtm_resolver_settings *fresh;	/* settings to take over, NULL: none */
	struct vtm_vt *fresh_vt;
	bool stop, release_all, retry_now;
	struct vtm_resolver_stats stats;
	/* constant */
	const struct vtm_clock *clock;
	struct vtm_cache *cache;
	GThread *thread;
	/* covers the pointer while others wake the thread, which writes it */
	GMutex vt_lock;
	struct vtm_vt *vt;
	/* the thread's own */
	struct vtm_resolver_settings set;
	struct vtm_store *store;
	struct vtm_sched *sched;
	int64_t store_retry_ms, chores_ms, late_ms;
	uint64_t journal_written;
	char store_error[200];
	bool store_bad;			/* as the log has it */
	bool store_concern;		/* the log has it */
	int64_t store_bad_ms, store_trouble_ms, store_good_ms, store_calm_ms;
	uint64_t store_errors;		/* of the scheduler's that were seen */
	GHashTable *late_out;		/* ids handed out -> struct handed_out */
	uint64_t late_verdicts, late_done, late_failed;
	GPtrArray *old_vt;		/* clients of earlier settings with requests in flight */
};

/* resolver.c: ends the thread's wait.  Any thread; <arg> is the resolver. */
void vtm_resolver_wake(void *arg);

/* resolver-store.c: the store comes, goes, and is said to. */

void vtm_resolver_open_store(struct vtm_resolver *r, int64_t now);
void vtm_resolver_close_store(struct vtm_resolver *r);
/* A store that fails is closed and opened again: its file may be another by now. */
void vtm_resolver_mend_store(struct vtm_resolver *r, int64_t now);
/* A call failed.  The log has a line when the store turns bad and one when it works again, not one a call. */
void vtm_resolver_store_trouble(struct vtm_resolver *r, const char *what);
/* Once a turn: did the scheduler's calls fail, or does it work again? */
void vtm_resolver_watch_store(struct vtm_resolver *r, const struct vtm_sched_stats *s, int64_t now);
/* Deletes old rows, now and then. */
void vtm_resolver_chores(struct vtm_resolver *r, int64_t now);

/* resolver-journal.c: delivered messages, and verdicts that come late. */

/* The scheduler's callback: an answer came; whose tags does it change? */
void vtm_resolver_answered(void *arg, const struct vtm_lookup *lookup, const struct vtm_report *report);
/* Writes what waits. */
void vtm_resolver_take_journal(struct vtm_resolver *r);
/* Hands out what is due, and notes what became of it. */
void vtm_resolver_take_late(struct vtm_resolver *r, int64_t now);
void vtm_resolver_free_journalled(gpointer p);

#endif
