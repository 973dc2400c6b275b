/* SPDX-License-Identifier: BSD-2-Clause */
/* store.h - what outlives the process: verdicts, budget, queue, journal, history.
 *
 * One interface, several backends (sqlite/, redis/).  A store object is used by
 * one thread at a time (the resolver's; vtmilterctl has its own object); other processes and hosts may use the same
 * store at the same time.  Every call may block for at most VTM_STORE_WAIT_MS, then fails.
 * A call that fails changes nothing.  Times that are kept are UTC milliseconds, except slots
 * (budget.h).
 *
 * All functions return -1 and set <error> when the store failed: VTM_ERROR_BUSY when others held it for too long,
 * VTM_ERROR_LIMIT beyond a bound below, VTM_ERROR_FORMAT for a value that may not be kept, VTM_ERROR_BUDGET_LOST
 * as vtm_store_budget_take() says, VTM_ERROR_STORE else.
 */
#ifndef VTM_STORE_H
#define VTM_STORE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/budget.h"
#include "base/clock.h"
#include "model/item.h"
#include "model/lookup.h"
#include "model/verdict.h"
#include "risk/history.h"

#define VTM_STORE_WAIT_MS 250
#define VTM_STORE_BATCH 1024		/* keys or grants a call */
#define VTM_STORE_UTC_OFF_MS 2000
#define VTM_STORE_ITEMS_MAX 10000	/* items a journalled message has */
#define VTM_STORE_ANSWER_MAX 100		/* messages a call of vtm_store_journal_answer() works on */
#define VTM_STORE_LIST_MAX 100000	/* messages, look-ups or late verdicts a list or load gives */
#define VTM_STORE_FIND_MAX 100		/* messages vtm_store_journal_find() gives */
#define VTM_STORE_LATE_MAX 10000	/* late verdicts waiting at a time */
#define VTM_STORE_LATE_BYTES (1024 * 1024)	/* of one's JSON */
#define VTM_STORE_META_NAME 64		/* bytes of a meta name */
#define VTM_STORE_META_VALUE 65536	/* and of its value */

struct vtm_store;

struct vtm_store_settings {
	const struct vtm_clock *clock;
	const char *host;		/* this host's name, written into queue and journal */
	/* redis only; NULL: none */
	const char *password_file;
	const char *ca_file, *cert_file, *key_file;
	const char *prefix;		/* of keys; NULL: "vtmilter:" */
	bool read_only;			/* for people who only look: nothing is created or changed */
};

/* A copy owns its strings. */
void vtm_store_settings_copy(struct vtm_store_settings *to, const struct vtm_store_settings *from);
void vtm_store_settings_clear(struct vtm_store_settings *s);	/* of a copy: frees the strings */
bool vtm_store_settings_equal(const struct vtm_store_settings *a, const struct vtm_store_settings *b);

/* store/open/open.h opens one. */
void vtm_store_close(struct vtm_store *s);

/* Do other hosts ask and answer through it all the time, so that what was read from it grows old in seconds? */
bool vtm_store_shared(const struct vtm_store *s);

/* Configuration warning for a working store, as of the last connection: a static line, or NULL. */
const char *vtm_store_warning(const struct vtm_store *s);


/* Between begin and commit all changes are one transaction where the backend has such (sqlite has, redis has not).  A
 * call inside that fails rolls back and ends it, and a commit then fails.  Budget calls are not part of it. */
int vtm_store_begin(struct vtm_store *s, GError **error);
int vtm_store_commit(struct vtm_store *s, GError **error);

/* ---- verdicts ---- */

struct vtm_cached {
	bool found;
	struct vtm_report report;
	int64_t stored_ms;		/* when the answer came */
	int64_t expires_ms;
};

/* Looks up <n> <= VTM_STORE_BATCH keys in one go; out[i].found tells.  Expired ones are not found.  Returns the number
 * found. */
int vtm_store_verdicts_get(struct vtm_store *s, const struct vtm_key *keys, size_t n, struct vtm_cached *out,
			   GError **error);
/* Verdicts that are no answer (verdict.h) are refused. */
int vtm_store_verdict_put(struct vtm_store *s, const struct vtm_lookup *l, const struct vtm_report *r,
			  int64_t expires_ms, GError **error);
/* 1 forgotten, 0 was not there. */
int vtm_store_verdict_forget(struct vtm_store *s, const struct vtm_key *key, GError **error);
/* Deletes at most <max> expired verdicts; returns how many. */
int vtm_store_verdicts_expire(struct vtm_store *s, unsigned max, GError **error);

/* Calls <each> for every verdict that has not expired, in no order; <each> may use another store, not this one.
 * Returns the number.  What changes meanwhile may be missed. */
typedef void vtm_verdict_each(const struct vtm_key *key, const struct vtm_cached *c, void *arg);
int vtm_store_verdicts_each(struct vtm_store *s, vtm_verdict_each *each, void *arg, GError **error);

/* ---- budget ---- */

typedef uint64_t vtm_slot;

/* Asks for <want> (1..VTM_STORE_BATCH) requests.  What is granted is on disk (fsync'ed) when this
 * returns: charged to day and month, its slots taken until VTM_SLOT_MAX_MS from now.  Returns 0..want, the slots in
 * slots_r.  Atomic over all processes and hosts.
 *
 * -1 and VTM_ERROR_BUDGET_LOST: the store does not know what was spent (a file that is new, restored or replaced; a
 * Redis that is new, was flushed, restarted, or taken over by a replica, which may lack the last writes).  Ask
 * VirusTotal's own count, which is free, and give it to vtm_store_budget_raise(); then it grants again.  If anything
 * was used today it does so after VTM_SLOT_MAX_MS only, since the window was lost as well, and a second count is needed
 * then (it says VTM_ERROR_BUDGET_LOST once more): the first may have missed requests that were in flight. */
int vtm_store_budget_take(struct vtm_store *s, const struct vtm_budget_limits *limits, enum vtm_spender who,
			  unsigned want, vtm_slot *slots_r, GError **error);
/* The request of <slot> ended now: its slot lasts 60 s more. */
int vtm_store_budget_settle(struct vtm_store *s, vtm_slot slot, GError **error);
/* Reads what is used now into <b> (initialised).  Slots of another boot count as ending 60 s from the first
 * time this boot sees them. */
int vtm_store_budget_read(struct vtm_store *s, struct vtm_budget *b, GError **error);
/* The server's own count, just read: raises ours to it, never lowers.  Until VTM_MIDNIGHT_BEFORE_MS after midnight
 * (UTC) the count may still be yesterday's, so it does not raise today's. */
int vtm_store_budget_raise(struct vtm_store *s, uint32_t day_used, uint32_t month_used, GError **error);
/* Adds the used requests of another store: takes <slots> slots, whatever the limits, and raises the counts.  A store
 * that had lost its budget has one from then on, with a full minute. */
int vtm_store_budget_carry(struct vtm_store *s, unsigned slots, uint32_t day_used, uint32_t month_used, GError **error);
/* The server's clock said <utc_ms> (of 2020..2199) just now: corrects the anchor when it is off by more than
 * VTM_STORE_UTC_OFF_MS. * 1 corrected, 0 was right. */
int vtm_store_budget_sync(struct vtm_store *s, int64_t utc_ms, GError **error);
/* The budget's UTC now. */
int vtm_store_budget_utc(struct vtm_store *s, int64_t *utc_ms_r, GError **error);

/* ---- queue of look-ups not yet answered ---- */

struct vtm_queued {
	struct vtm_lookup *lookup;
	int op;			/* what is asked next: scheduler's own number */
	int class;		/* scheduler's own number */
	int64_t since_ms;	/* when it was first wanted */
	int64_t not_before_ms;	/* 0, or when to ask at the earliest (re-asks, retries) */
	int attempts;
	char *analysis;		/* analysis id to poll, NULL */
	char *host;		/* which host queued it (written by the store) */
};

int vtm_store_queue_put(struct vtm_store *s, const struct vtm_queued *q, GError **error);
int vtm_store_queue_delete(struct vtm_store *s, const struct vtm_key *key, GError **error);
/* Calls <each> for every queued look-up, oldest first, at most <max>; what it gets lives during the call only.
 * Returns the number. */
typedef void vtm_queued_each(const struct vtm_queued *q, void *arg);
int vtm_store_queue_load(struct vtm_store *s, unsigned max, vtm_queued_each *each, void *arg, GError **error);

/* ---- leases: one host asks, the others wait ---- */

/* 1 the lease is ours (taken or renewed) for <ms>, 0 another host holds it. */
int vtm_store_lease(struct vtm_store *s, const struct vtm_key *key, int64_t ms, GError **error);
int vtm_store_lease_drop(struct vtm_store *s, const struct vtm_key *key, GError **error);
/* The look-up is over, answered or not: drops the lease, if it is ours, and tells hosts that watch. */
int vtm_store_lease_end(struct vtm_store *s, const struct vtm_key *key, GError **error);

/* Watches for look-ups that end, at other hosts too, until vtm_store_close(): <wake> is called, in a thread of the
 * store's and without a lock, when vtm_store_take_ended() has something new, once until that is called.  At most once a
 * store.  1; 0: this backend cannot be watched.  The thread has a connection of its own, which it makes anew when it
 * ends. */
int vtm_store_watch(struct vtm_store *s, void (*wake)(void *arg), void *arg, GError **error);
/* Does the watch work now?  What it reports may be incomplete or false: only the store has the answers. */
bool vtm_store_is_watching(const struct vtm_store *s);
/* Puts the keys of look-ups that ended since the last call, ours too, into keys[VTM_STORE_BATCH] and returns their
 * number. *missed_r: others may have ended without a report.  Does not block. */
unsigned vtm_store_take_ended(struct vtm_store *s, struct vtm_key *keys, bool *missed_r);

/* ---- journal ---- */

struct vtm_journal_message {
	int64_t id;		/* the store's own; 0 in one to be added */
	char *host;		/* filled by the store, unless it is set */
	char *queue_id;
	char *message_id;	/* with the angle brackets, as in the header; NULL: none */
	char *sender;		/* envelope, without brackets; NULL with JournalDetail ids */
	GStrv recipients;	/* likewise */
	char *client;		/* client network, "192.0.2.0/24" */
	int64_t time_ms;
	int64_t size;
	uint32_t tags;		/* now: a bit a tag (tags.h) */
	uint32_t tags_delivered;/* as written into the headers */
	int64_t done_ms;	/* when the last look-up completed; 0: still pending */
};

struct vtm_journal_item {
	struct vtm_item *item;
	bool has_key;
	struct vtm_key key;	/* of the look-up that answers it */
	int64_t answered_ms;	/* 0: not yet */
	const char *why;	/* static or NULL: why it stood where it stood in the queue */
	uint32_t points;	/* and by points (risk/points.h); not 0: instead of <why>, which is not kept then */
};

void vtm_journal_message_clear(struct vtm_journal_message *m);	/* frees the strings */

/* Adds a message with its items; m->id is set. */
int vtm_store_journal_add(struct vtm_store *s, struct vtm_journal_message *m, const struct vtm_journal_item *items,
			  size_t n, GError **error);
/* An answer came for <key>: updates every journalled item that waits for it (verdict pending, bypassed or unknown),
 * then calls <turned> for each message concerned with its items as they are now, so that the caller can count its tags
 * again, and stores m->tags and m->done_ms as the callback leaves them.  An unknown that is answered unknown again is
 * not concerned.  Inside the callback only vtm_store_late_add() may be called.  Returns the number of messages,
 * at most VTM_STORE_ANSWER_MAX; so many mean that more may wait: call again. */
typedef void vtm_journal_turned(struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n,
				void *arg);
int vtm_store_journal_answer(struct vtm_store *s, const struct vtm_key *key, const struct vtm_report *r,
			     vtm_journal_turned *turned, void *arg, GError **error);

struct vtm_journal_filter {
	int64_t since_ms, until_ms;	/* 0: open */
	uint32_t tags;			/* messages with at least one of these; 0: all */
	unsigned max;			/* newest first; at most VTM_STORE_LIST_MAX */
};
typedef void vtm_journal_each(const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n,
			      void *arg);
int vtm_store_journal_list(struct vtm_store *s, const struct vtm_journal_filter *f, vtm_journal_each *each, void *arg,
			   GError **error);
/* All messages with this queue id or Message-ID (with or without brackets), newest first, at most
 * VTM_STORE_FIND_MAX. */
int vtm_store_journal_find(struct vtm_store *s, const char *id, vtm_journal_each *each, void *arg, GError **error);
/* Drops messages older than <before_ms>, at most <max>. */
int vtm_store_journal_expire(struct vtm_store *s, int64_t before_ms, unsigned max, GError **error);

/* ---- history: what was seen before (risk/history.h) ---- */

#define VTM_STORE_SECRET "history-secret"	/* name of the value that holds it, in hex */
/* The secret that names are hashed with; made, once for all hosts, where there is none.  A store that is open for
 * reading only and has none: VTM_ERROR_STORE. */
int vtm_store_history_secret(struct vtm_store *s, uint8_t secret[VTM_HISTORY_SECRET], GError **error);
/* Reads the records of <n> <= VTM_STORE_BATCH keys in one go; out[i].found tells.  Returns the number found. */
int vtm_store_history_get(struct vtm_store *s, const struct vtm_history_key *keys, size_t n, struct vtm_history *out,
			  GError **error);
/* Changes records by <n> <= VTM_STORE_BATCH sightings, in their order, by vtm_history_note(); one transaction.  Returns
 * how many records are new.  Where hosts share the store and change a record at the same time, one sighting may be
 * lost. */
int vtm_store_history_note(struct vtm_store *s, const struct vtm_sighting *sightings, size_t n, GError **error);
/* Since which hour vtmilter itself notes mail; 0 in *since_r: not yet.  <hour>, unless it is 0, is noted where none is:
 * earlier mail may be learned without counting anything twice. */
int vtm_store_history_live(struct vtm_store *s, uint32_t hour, uint32_t *since_r, GError **error);
#define VTM_STORE_LIVE "history-live"	/* name of the value that holds it */
/* Adds to what is known of one day's mail. */
int vtm_store_history_count(struct vtm_store *s, const struct vtm_history_day *d, GError **error);
/* The last days that had mail, newest first, at most <max> <= VTM_HISTORY_DAYS_MAX.  Returns how many. */
int vtm_store_history_days(struct vtm_store *s, struct vtm_history_day *out, size_t max, GError **error);
/* How many days before today had mail: see vtm_history_reach(). */
int vtm_store_history_reach(struct vtm_store *s, uint16_t today, GError **error);
/* Deletes at most <max> records: those last seen before <before_day>, then, while there are more than <keep> of a
 * kind, those that were not seen for longest.  Days before <before_day> are deleted as well.  Returns how many
 * records. */
int vtm_store_history_expire(struct vtm_store *s, uint16_t before_day, unsigned keep, unsigned max, GError **error);
/* How many records there are of each kind. */
int vtm_store_history_size(struct vtm_store *s, unsigned size_r[VTM_HISTORY_KINDS], GError **error);
/* For a move: calls <each> for every record, in no order; <each> may use another store, not this one.  What changes
 * meanwhile may be missed.  Returns the number. */
typedef void vtm_history_each(const struct vtm_history_key *key, const struct vtm_history *h, void *arg);
int vtm_store_history_each(struct vtm_store *s, vtm_history_each *each, void *arg, GError **error);
/* For a move: replaces one record. */
int vtm_store_history_put(struct vtm_store *s, const struct vtm_history_key *key, const struct vtm_history *h,
			  GError **error);

/* ---- late verdicts to hand to LateVerdictCommand: kept until done ---- */

struct vtm_late {
	int64_t id;
	char *json;		/* what the command gets on standard input */
	int attempts;
	int64_t not_before_ms;
};
/* VTM_ERROR_LIMIT: it is too long, or VTM_STORE_LATE_MAX are waiting; that does not end a transaction. */
int vtm_store_late_add(struct vtm_store *s, const char *json, GError **error);
typedef void vtm_late_each(const struct vtm_late *l, void *arg);
/* This host's, due now, oldest first, at most <max>. */
int vtm_store_late_due(struct vtm_store *s, unsigned max, vtm_late_each *each, void *arg, GError **error);
int vtm_store_late_done(struct vtm_store *s, int64_t id, GError **error);
int vtm_store_late_retry(struct vtm_store *s, int64_t id, int64_t not_before_ms, GError **error);

/* ---- moving to another store ---- */

struct vtm_store_copied { unsigned verdicts, queued, messages, history, late; };
/* Copies verdicts, queue, journal, history, this host's late verdicts and what was spent, for a move from one backend to the
 * other; nobody else should use either store meanwhile.  <to> may not have a journal yet: VTM_ERROR_LIMIT; but for one
 * that an earlier copy broke off into, which is made whole.  What was copied before an error stays; copied_r says how
 * much this call added. */
int vtm_store_copy(struct vtm_store *from, struct vtm_store *to, struct vtm_store_copied *copied_r, GError **error);

/* ---- small named values (last error, server's own count ...); value NULL deletes ---- */

int vtm_store_meta_set(struct vtm_store *s, const char *name, const char *value, GError **error);
/* 1 found (g_free value_r), 0 not found. */
int vtm_store_meta_get(struct vtm_store *s, const char *name, char **value_r, GError **error);

#endif
