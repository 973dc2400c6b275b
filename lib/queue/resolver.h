/* SPDX-License-Identifier: BSD-2-Clause */
/* resolver.h - the one thread that owns scheduler, transfers and store.  Composite: sched, vt, store, cache.
 *
 * Message threads hand it tickets and wait on a condition with a deadline of their own; a slow disk or a slow
 * VirusTotal stalls this thread, never theirs beyond that deadline.
 */
#ifndef VTM_RESOLVER_H
#define VTM_RESOLVER_H

#include "queue/lates.h"
#include "queue/sched.h"
#include "store/store.h"
#include "vt/vt.h"

/* How long a message thread waits for the resolver to say what is known already, over and above the administrator's
 * Timeout: the look into the store, not into VirusTotal. */
#define VTM_RESOLVER_GRACE_MS 250

/* So many look-ups wait at most for the thread to see them at all.  It takes them in within milliseconds; where it is
 * stuck and they pile up, further messages are answered at once with VTM_WHY_STORE. */
#define VTM_RESOLVER_INBOX_MAX 65536

struct vtm_resolver;

struct vtm_resolver_settings {
	struct vtm_sched_settings sched;	/* store, start, released, answered, arg: set by the resolver */
	struct vtm_vt_settings vt;
	const char *store_uri;
	struct vtm_store_settings store;
	/* Called in the resolver's thread; must not block. */
	void (*turned_bad)(void *arg, const struct vtm_journal_message *m, const struct vtm_journal_item *items,
			   size_t n);
	/* A late verdict to hand out, NULL: there is nobody to hand them to and none are kept.  Each is handed out
	 * until vtm_resolver_late_result() says how that ended, at most VTM_LATE_AT_ONCE at a time, over restarts too.
	 * <json> is the caller's to free. */
	void (*late)(void *arg, struct vtm_resolver *r, int64_t id, char *json);
	void *arg;
	int64_t journal_retention_ms, history_retention_ms;	/* history 0: nothing is deleted */
	unsigned history_size;		/* records of each kind */
	bool journal_ids_only;
};

/* Starts the thread.  The store is opened by it (and again, when it fails: every few seconds); the settings are copied.
 * NULL and an error when VirusTotal's client cannot be set up. */
struct vtm_resolver *vtm_resolver_new(const struct vtm_resolver_settings *s, GError **error);
/* Releases all tickets, lets journal entries reach the store, ends the thread. */
void vtm_resolver_free(struct vtm_resolver *r);
/* Takes over new settings (reload); the clock and the cache stay.  Waits for nobody; the new settings are copied. */
int vtm_resolver_configure(struct vtm_resolver *r, const struct vtm_resolver_settings *s, GError **error);

/* A message came that wants nothing: its names go into the history.  Copies <t>; returns at once.  Any thread. */
void vtm_resolver_seen(struct vtm_resolver *r, const struct vtm_ticket *t);
/* Asks for all <wants> of a ticket (owned by the caller, wants filled in on return) and waits until it is released, at
 * most until its deadline + VTM_RESOLVER_GRACE_MS.  <progress> (may be NULL) is called about every <progress_ms>
 * without a lock held; false ends the wait.  Any thread. */
void vtm_resolver_ask(struct vtm_resolver *r, struct vtm_ticket *t, uint32_t threshold, bool (*progress)(void *),
		      void *progress_arg, int64_t progress_ms);

/* Hands a delivered message to the journal: takes ownership of both; returns at once.  At most 10,000 wait; more are
 * dropped and counted.  Any thread. */
void vtm_resolver_journal(struct vtm_resolver *r, struct vtm_journal_message *m, struct vtm_journal_item *items,
			  size_t n);

/* Another process put an answer for <lookup> into the store: gives it to messages that wait and to the journal.  Returns
 * at once; a copy is kept.  At most 1,000 wait, more are dropped.  Any thread. */
void vtm_resolver_reread(struct vtm_resolver *r, const struct vtm_lookup *lookup);

/* How the late verdict <id> ended.  Any thread. */
void vtm_resolver_late_result(struct vtm_resolver *r, int64_t id, enum vtm_late_end end);

/* Releases every ticket now and from now on (shutdown). */
void vtm_resolver_release_all(struct vtm_resolver *r);
void vtm_resolver_retry_now(struct vtm_resolver *r);

struct vtm_resolver_stats {
	struct vtm_sched_stats sched;
	bool store_ok;
	char store_error[200];		/* "" */
	uint64_t journal_dropped, journal_written;
	uint64_t late_verdicts, late_done, late_failed;
	uint64_t cached_at_once;	/* look-ups that message threads found in memory themselves */
	unsigned journal_waiting;
	unsigned cache_entries;
	int64_t beat_ms;		/* boot ms of the thread's last turn (watchdog) */
};
/* A copy of the numbers as of the thread's last turn.  Any thread. */
void vtm_resolver_stats(struct vtm_resolver *r, struct vtm_resolver_stats *out);

#endif
