/* SPDX-License-Identifier: BSD-2-Clause */
/* sched-parts.h - what the files of sched share.  Private.
 *
 * A look-up on its way is an entry of the queue (queue.h).  What a ticket wants of it hangs on the entry as a waiter,
 * and a ticket that waits is in <waiting>.  Everything runs in the scheduler's one thread.
 */
#ifndef VTM_SCHED_PARTS_H
#define VTM_SCHED_PARTS_H

#include "queue/sched.h"

#define VTM_SCHED_OTHERS_MS 1000	/* how often another host's answer is looked for, and what the others spent */

/* One want of one ticket, hung on an entry. */
struct vtm_waiter {
	struct vtm_ticket *ticket;
	struct vtm_want *want;
};

struct vtm_sched {
	struct vtm_sched_settings set;
	struct vtm_budget_limits limits;	/* the tighter of the configured and the server's */
	struct vtm_queue *queue;
	GSequence *waiting;			/* tickets by deadline */
	struct vtm_breaker breaker;
	struct vtm_budget view;			/* as last read from the store */
	bool view_stale;
	int64_t day_ends_ms;			/* boot ms at which the next UTC day begins */
	int64_t day;				/* of view, to see it change */
	int64_t others_due_ms;			/* when to look again what other hosts answered */
	int64_t spent_due_ms;			/* and what they spent, at the earliest */
	int64_t refused_until_ms;		/* the store granted nothing, whatever the view promised */
	bool plan_stale;			/* who waits must be decided again */
	bool quotas_known, quotas_in_flight;
	int64_t quotas_due_ms, quotas_hold_ms, quotas_asked_ms;
	bool budget_lost;			/* the store does not know what was spent, and the log has it */
	GPtrArray *unstored;			/* entries the store has not got yet; may hold NULLs */
	GHashTable *shares;			/* network or domain -> requests queued today */
	int64_t shares_day;
	double answer_ms, answer_dev_ms;
	unsigned in_flight;
	struct vtm_sched_stats stats;
};

static inline int64_t vtm_sched_now(const struct vtm_sched *s)
{
	return vtm_boot_ms(s->set.clock);
}

/* sched-plan.c: what may be spent, and when a look-up would be answered. */

/* Reads what is used, if anything may have changed it. */
void vtm_sched_refresh(struct vtm_sched *s);
/* Slots taken at <now>. */
unsigned vtm_sched_slots_taken(const struct vtm_sched *s, int64_t now);
/* Requests of <class> that the minute has left. */
unsigned vtm_sched_minute_room(const struct vtm_sched *s, enum vtm_class class, int64_t now);
/* On whose account it is asked. */
enum vtm_spender vtm_sched_spender(const struct vtm_sched *s, enum vtm_class class);
/* Which classes may spend anything today. */
void vtm_sched_open_classes(const struct vtm_sched *s, bool open[VTM_CLASSES]);
/* Why <e> cannot be answered by <deadline>; VTM_WHY_NONE: it can.  This is the proof that a wait is worth it: the
 * rank in the queue, the window, the day, and what answers take. */
enum vtm_reason vtm_sched_why_not(const struct vtm_sched *s, const struct vtm_entry *e, int64_t deadline);
/* When something that is ready could be sent, boot ms. */
int64_t vtm_sched_next_send(const struct vtm_sched *s, int64_t now);

/* sched-entry.c: a look-up on its way. */

/* Counts an error and forgets it; true if the call succeeded. */
bool vtm_sched_stored(struct vtm_sched *s, int rc, GError **error);
/* <e> changed: the store shall have it, with the next vtm_sched_store_queue(). */
void vtm_sched_want_stored(struct vtm_sched *s, struct vtm_entry *e);
/* What is to be stored is, in one go. */
void vtm_sched_store_queue(struct vtm_sched *s);
/* Everyone who hangs on <e> gets <r> (or, if it is no answer, its reason); then <e> is gone from memory and store. */
void vtm_sched_finish(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_report *r);
/* An answer of VirusTotal, fresh or found in the store. */
void vtm_sched_complete(struct vtm_sched *s, struct vtm_entry *e, struct vtm_report r, bool fresh);
/* Gives the look-up up; its waiters get VTM_WHY_QUEUE.  <counter> is of stats. */
void vtm_sched_drop(struct vtm_sched *s, struct vtm_entry *e, uint64_t *counter);
/* Puts an entry back into the queue. */
void vtm_sched_requeue(struct vtm_sched *s, struct vtm_entry *e, int64_t not_before);
/* The store has an answer for it: it is complete, and gone. */
void vtm_sched_take_answer(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_cached *found);
/* Drops what is older than PendingLifetime. */
void vtm_sched_expire(struct vtm_sched *s, int64_t now);
/* What the store remembers from an earlier life. */
void vtm_sched_load_queue(struct vtm_sched *s);

/* sched-ticket.c: a message that wants answers. */

/* Hands the ticket back.  What has no answer yet keeps the reason why nobody waits for it. */
void vtm_sched_release(struct vtm_sched *s, struct vtm_ticket *t, uint64_t *counter);
/* The want has its last word (an answer or a reason why there is none). */
void vtm_sched_settle_want(struct vtm_ticket *t, struct vtm_want *w);
/* Its last word: bypassed. */
void vtm_sched_refuse_want(struct vtm_want *w, enum vtm_reason why);
/* Its last word: an answer. */
void vtm_sched_answer_want(struct vtm_want *w, const struct vtm_report *r);
/* Decides for every waiting ticket again whether its waits are still worth it. */
void vtm_sched_replan(struct vtm_sched *s);
/* Hands back the tickets whose deadline is there. */
void vtm_sched_release_due(struct vtm_sched *s, int64_t now);

/* sched-ask.c: sending. */

/* Where several hosts share the store: what did the others answer and spend? */
void vtm_sched_look_at_others(struct vtm_sched *s, int64_t now);
/* Sends what may be sent now. */
void vtm_sched_send_all(struct vtm_sched *s, int64_t now);

/* sched-answer.c: what an answer means. */

/* VirusTotal refuses the key. */
void vtm_sched_denied(struct vtm_sched *s, const struct vtm_result *r);

/* sched-quotas.c: VirusTotal's own count. */

/* Reads VirusTotal's own count when it is due. */
void vtm_sched_ask_quotas(struct vtm_sched *s, int64_t now);
/* The store forgot what was spent: nothing is sent until VirusTotal's own count is there. */
void vtm_sched_budget_lost(struct vtm_sched *s, int64_t now);
/* It knows again. */
void vtm_sched_budget_found(struct vtm_sched *s);
/* Was it VirusTotal's own count that was asked for?  Then it is taken, or tried again later. */
bool vtm_sched_quotas_result(struct vtm_sched *s, const struct vtm_result *r);
/* The store may be another one by now.  One that knows less of the last minute than we do is told of what it lacks, and
 * the day's count is asked from VirusTotal.  In it the slots of what is in flight may be others' requests. */
void vtm_sched_keep_window(struct vtm_sched *s);

#endif
