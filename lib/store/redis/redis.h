/* SPDX-License-Identifier: BSD-2-Clause */
/* redis.h - what the files of the Redis store share; no other file includes it.
 *
 * All keys begin with the prefix in braces, so that a Redis Cluster keeps them in one slot:
 *
 *	v<key>	string	a verdict: stored, expires (ms, 6 bytes little endian each), report (codec.h)
 *	b	hash	the budget (script.c)
 *	w	zset	its slots, by when they end
 *	q	hash	the queue: <key> packed, <key>h the host; qs zset of keys by time
 *	x<key>	string	a lease: its owner
 *	j<id>	hash	a journalled message: m packed, t tags, d done, c changes, i<n> item, r<n> its report and time
 *	js jt	counter of ids; zset of ids by time
 *	jq: jm:	set of ids with a queue id, a Message-ID
 *	jw<key>	zset of ids whose items wait for an answer, by how (backend.h)
 *	l ls	hash of late verdicts by id, its counter;  lz:<host> zset of ids by when they are due
 *	m	hash of the named values
 *	h<kind><3 digits>	hash of what was seen: <15 digits of the id> the day it was last seen and the record
 *	hz<kind>	zset of their ids by that day
 *	hd	hash of days: <day>m messages, <day>w look-ups wanted
 *
 * and so does the channel "ended", on which the key of each look-up that ended is published.
 */
#ifndef VTM_STORE_REDIS_H
#define VTM_STORE_REDIS_H

#include "store/backend.h"
#include "store/redis/command.h"
#include "store/redis/net.h"
#include "store/redis/uri.h"

#define VTM_REDIS_CHANNEL "ended"

struct vtm_redis_watch;

enum vtm_redis_script { SCRIPT_BUDGET, SCRIPT_LEASE, SCRIPT_ADD, SCRIPT_TURN, SCRIPT_LATE,
			SCRIPT_HISTORY, SCRIPT_HISTORY_OLD };
#define SCRIPTS (SCRIPT_HISTORY_OLD + 1)

struct vtm_redis {
	struct vtm_store base;
	const struct vtm_clock *clock;
	char *uri_text;
	struct vtm_redis_uri uri;
	char *host, *owner;		/* this host; the holder of leases: this object */
	char *password_file, *ca_file, *cert_file, *key_file;
	char *prefix;			/* of all keys, in braces */
	struct vtm_redis_link *link;	/* NULL: not connected */
	int64_t deadline_ms;		/* of the call that runs; the system's boot ms */
	int64_t next_try_ms, pause_ms;	/* after a connection that failed */
	char *last_error;
	char sha[SCRIPTS][41];
	int64_t spent_ms;		/* boot ms at which we last took requests; 0: never */
	GPtrArray *late;		/* inside a callback: JSON of late verdicts to be added; else NULL */
	struct vtm_redis_watch *watch;	/* NULL: nobody listens */
};

static inline struct vtm_redis *vtm_redis(struct vtm_store *s)
{
	return (struct vtm_redis *)s;
}

/* script.c */
extern const char *const vtm_redis_scripts[SCRIPTS];

/* exchange.c: commands over a connection, and their replies. */

/* Sends <c> over <l> until <deadline_ms>; the replies may be errors.  NULL and an error: <l> must be freed. */
GPtrArray *vtm_redis_exchange(struct vtm_redis_link *l, const struct vtm_redis_command *c, int64_t deadline_ms,
			      GError **error);
/* Adds the commands that load the scripts. */
void vtm_redis_add_scripts(struct vtm_redis_command *c);
/* What a reply is. */
bool vtm_redis_is_bytes(const redisReply *r);
int64_t vtm_redis_number(const redisReply *r);	/* of an integer or digits; 0 if it is neither */
bool vtm_redis_says(const redisReply *r, const char *word);	/* an error that begins so */
/* Sets <error> from a reply that is one. */
void vtm_redis_reply_error(const redisReply *r, GError **error);

/* connect.c: finds the server and logs in. */

/* Starts a call: it ends VTM_STORE_WAIT_MS from now. */
void vtm_redis_start(struct vtm_redis *s);
/* Makes a connection, logged in, if there is none; after one that failed, not before a pause has passed. */
int vtm_redis_connect(struct vtm_redis *s, GError **error);
void vtm_redis_disconnect(struct vtm_redis *s);

/* call.c: one call of the store. */

/* Starts a call whose commands go into <c>: vtm_redis_run(), _one(), _do() or _ask_number() ends it. */
void vtm_redis_begin(struct vtm_redis *s, struct vtm_redis_command *c);
/* Arguments: a key of ours, <name> and maybe bytes after it, or a packed key; the start of a script. */
void vtm_redis_key(struct vtm_redis *s, struct vtm_redis_command *c, const char *name, const void *more, gsize len);
void vtm_redis_key_of(struct vtm_redis *s, struct vtm_redis_command *c, const char *name, const struct vtm_key *key);
void vtm_redis_script(struct vtm_redis *s, struct vtm_redis_command *c, enum vtm_redis_script script, unsigned keys);
/* Sends all that is in <c>, connecting before that if need be, and clears it.  Returns the replies, one a command, none
 * an error; NULL and an error.  A connection that failed is closed. */
GPtrArray *vtm_redis_run(struct vtm_redis *s, struct vtm_redis_command *c, GError **error);
/* The same for one command: freeReplyObject() the reply. */
redisReply *vtm_redis_one(struct vtm_redis *s, struct vtm_redis_command *c, GError **error);
/* The same for commands whose replies say nothing, and for one whose reply is a number: 0, or -1 and an error. */
int vtm_redis_do(struct vtm_redis *s, struct vtm_redis_command *c, GError **error);
int vtm_redis_ask_number(struct vtm_redis *s, struct vtm_redis_command *c, int64_t *number_r, GError **error);

/* -1 and an error: the reply is not what it should be.  Closes the connection. */
int vtm_redis_nonsense(struct vtm_redis *s, GError **error);

/* verdict.c */
int vtm_redis_verdicts_get(struct vtm_store *, const struct vtm_key *, size_t, struct vtm_cached *, GError **);
int vtm_redis_verdict_put(struct vtm_store *, const struct vtm_lookup *, const struct vtm_report *, int64_t, GError **);
int vtm_redis_verdict_forget(struct vtm_store *, const struct vtm_key *, GError **);
int vtm_redis_verdicts_each(struct vtm_store *, vtm_verdict_each *, void *, GError **);
int vtm_redis_verdicts_expire(struct vtm_store *, unsigned, GError **);

/* budget.c */
int vtm_redis_budget_take(struct vtm_store *, const struct vtm_budget_limits *, enum vtm_spender, unsigned, vtm_slot *,
			  GError **);
int vtm_redis_budget_settle(struct vtm_store *, vtm_slot, GError **);
int vtm_redis_budget_read(struct vtm_store *, struct vtm_budget *, GError **);
int vtm_redis_budget_raise(struct vtm_store *, uint32_t, uint32_t, GError **);
int vtm_redis_budget_sync(struct vtm_store *, int64_t, GError **);
int vtm_redis_budget_utc(struct vtm_store *, int64_t *, GError **);

/* queue.c */
int vtm_redis_queue_put(struct vtm_store *, const struct vtm_queued *, GError **);
int vtm_redis_queue_delete(struct vtm_store *, const struct vtm_key *, GError **);
int vtm_redis_queue_load(struct vtm_store *, unsigned, vtm_queued_each *, void *, GError **);
int vtm_redis_lease(struct vtm_store *, const struct vtm_key *, int64_t, GError **);
int vtm_redis_lease_drop(struct vtm_store *, const struct vtm_key *, GError **);
int vtm_redis_lease_end(struct vtm_store *, const struct vtm_key *, GError **);

/* journal.c */
int vtm_redis_journal_add(struct vtm_store *, struct vtm_journal_message *, const struct vtm_journal_item *, size_t,
			  GError **);
int vtm_redis_journal_answer(struct vtm_store *, const struct vtm_key *, const struct vtm_report *,
			     vtm_journal_turned *, void *, GError **);
int vtm_redis_journal_list(struct vtm_store *, const struct vtm_journal_filter *, vtm_journal_each *, void *,
			   GError **);
int vtm_redis_journal_find(struct vtm_store *, const char *, vtm_journal_each *, void *, GError **);
int vtm_redis_journal_expire(struct vtm_store *, int64_t, unsigned, GError **);

/* late.c */
int vtm_redis_late_add(struct vtm_store *, const char *, GError **);
int vtm_redis_late_due(struct vtm_store *, unsigned, vtm_late_each *, void *, GError **);
int vtm_redis_late_done(struct vtm_store *, int64_t, GError **);
int vtm_redis_late_retry(struct vtm_store *, int64_t, int64_t, GError **);

/* history.c */
int vtm_redis_history_get(struct vtm_store *, const struct vtm_history_key *, size_t, struct vtm_history *, GError **);
int vtm_redis_history_note(struct vtm_store *, const struct vtm_sighting *, size_t, GError **);
int vtm_redis_history_put(struct vtm_store *, const struct vtm_history_key *, const struct vtm_history *, GError **);
int vtm_redis_history_each(struct vtm_store *, vtm_history_each *, void *, GError **);
int vtm_redis_history_count(struct vtm_store *, const struct vtm_history_day *, GError **);
int vtm_redis_history_days(struct vtm_store *, struct vtm_history_day *, size_t, GError **);
int vtm_redis_history_expire(struct vtm_store *, uint16_t, unsigned, unsigned, GError **);
int vtm_redis_history_size(struct vtm_store *, unsigned *, GError **);

#endif
