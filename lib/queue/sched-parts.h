/* SPDX-License-Identifier: BSD-2-Clause */
/* sched-parts.h - what the files of the scheduler share.  Private: no other file includes it.
 *
 * A look-up without an answer is an entry of the queue (queue.h).  A ticket's want is tied to its entry as a waiter; a
 * ticket that waits is in <waiting>.  Everything runs in the scheduler's one thread.
 *
 * A file calls only files named before it here: save, wait, worth, entry, plan, quotas, ask, ticket, answer, sched.c;
 * but all read the clock and the day (plan).
 */
#ifndef VTM_SCHED_PARTS_H
#define VTM_SCHED_PARTS_H

#include "queue/sched.h"
#include "queue/shares.h"
#include "risk/history.h"
#include "risk/pace.h"
#include "risk/points.h"

#define VTM_SCHED_OTHERS_MS 1000	/* how often other hosts' answers and spending are read from a shared store */

/* One want of one ticket, tied to an entry. */
struct vtm_waiter {
	struct vtm_ticket *ticket;
	struct vtm_want *want;
};

/* The history of earlier mail, and what to add to it about this message. */
struct vtm_sched_past {
	bool secret_known;
	uint8_t secret[VTM_HISTORY_SECRET];	/* of the store */
	int64_t day;				/* the days were read on it; 0: never */
	int64_t days_due_ms;
	unsigned reach;				/* days with mail */
	uint32_t wanted[VTM_PACE_DAYS];		/* look-ups that the last days with mail wanted */
	unsigned n_wanted;
	uint32_t wanted_today;
	struct vtm_history_day count;		/* to be added to the store's */
	GArray *sightings;			/* of struct vtm_sighting: to be written */
	int64_t save_due_ms;
	GHashTable *groups;			/* group -> GPtrArray of queued entries */
	GHashTable *campaigns;			/* campaign -> look-ups sent today */
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
	int64_t reread_ms;			/* when it must be read again in any case */
	int64_t day;				/* day of <view> at its last reading */
	int64_t others_due_ms;			/* when to read other hosts' answers again */
	int64_t spent_due_ms;			/* when to read their spending again, at the earliest */
	int64_t refused_until_ms;		/* the store granted nothing, whatever the view promised */
	bool plan_stale;			/* which tickets wait must be decided again */
	bool quotas_known, quotas_in_flight;
	int64_t quotas_due_ms, quotas_hold_ms, quotas_asked_ms;
	bool budget_lost;			/* the store does not know what was spent, and the log has it */
	GPtrArray *unsaved;			/* entries to save; may hold NULLs */
	struct vtm_shares *shares;
	struct vtm_sched_past past;
	struct vtm_pace pace;			/* by points */
	uint32_t drawn;				/* requests of today that went by lot */
	uint32_t reserve_used;			/* and to attachments within ReserveForAttachments */
	double answer_ms, answer_dev_ms;
	unsigned in_flight;
	struct vtm_sched_stats stats;
};

static inline int64_t vtm_sched_now(const struct vtm_sched *s)
{
	return vtm_boot_ms(s->set.clock);
}

/* ---- sched-save.c: the queue in the store ---- */

/* Notes in stats whether a call to the store worked, and frees *error.  <rc> is what the call returned; true: it
 * worked. */
bool vtm_sched_check_store(struct vtm_sched *s, int rc, GError **error);
/* Has <e> saved by the next vtm_sched_save_queue(), if the store keeps it at all. */
void vtm_sched_mark_unsaved(struct vtm_sched *s, struct vtm_entry *e);
/* Undoes that: <e> is about to be freed. */
void vtm_sched_unmark_unsaved(struct vtm_sched *s, struct vtm_entry *e);
/* <e> is wanted in <class>: the store keeps it in the most urgent of those that mail gives.  A person's request for the
 * same look-up does not change what the store keeps. */
void vtm_sched_note_class(struct vtm_sched *s, struct vtm_entry *e, enum vtm_class class);
/* Writes all changed entries in one transaction.  Those it could not write stay marked. */
void vtm_sched_save_queue(struct vtm_sched *s);
/* Adds the look-ups that an earlier run left in the store. */
void vtm_sched_load_queue(struct vtm_sched *s);

/* ---- sched-wait.c: tickets, and the entries that will answer them ---- */

/* Ends a want without an answer. */
void vtm_sched_refuse_want(struct vtm_want *w, enum vtm_reason why);
/* Ends a want with an answer. */
void vtm_sched_answer_want(struct vtm_want *w, const struct vtm_report *r);
/* Ties <w> of <t> to <e>: <t> waits for it, and <e> moves up to <t>'s deadline. */
void vtm_sched_hold(struct vtm_sched *s, struct vtm_ticket *t, struct vtm_want *w, struct vtm_entry *e);
/* <t> no longer waits for <w>, which stays pending because of <why>; the look-up of <e> goes on. */
void vtm_sched_unhold(struct vtm_sched *s, struct vtm_ticket *t, struct vtm_want *w, struct vtm_entry *e,
		      enum vtm_reason why);
/* Gives <r>, or its reason if it is no answer, to every struct vtm_waiter of <waiters>, and releases the tickets that
 * wait for nothing more. */
void vtm_sched_report(struct vtm_sched *s, const GPtrArray *waiters, const struct vtm_report *r);
/* Adds <t> to the tickets that wait. */
void vtm_sched_keep_waiting(struct vtm_sched *s, struct vtm_ticket *t);
/* Returns the ticket to its owner.  Wants without an answer keep the reason they have.  <counter> is one of stats. */
void vtm_sched_release(struct vtm_sched *s, struct vtm_ticket *t, uint64_t *counter);
/* Releases the tickets whose deadline has come. */
void vtm_sched_release_due(struct vtm_sched *s, int64_t now);

/* ---- sched-worth.c: points, and the history they come from ---- */

void vtm_sched_past_init(struct vtm_sched_past *p);
void vtm_sched_past_clear(struct vtm_sched_past *p);
/* The store is another one. */
void vtm_sched_past_forget(struct vtm_sched *s);
/* Sets the points of all wants of a message, and puts their indices into order[t->n], most points first; notes that its
 * names were seen.  By class, or where the store fails, the order is that of the ticket. */
void vtm_sched_judge(struct vtm_sched *s, struct vtm_ticket *t, unsigned *order);
/* A look-up is wanted that has no answer. */
void vtm_sched_note_wanted(struct vtm_sched *s);
/* Is the sender's share of the day used up for a look-up worth so much? */
bool vtm_sched_share_full(const struct vtm_sched *s, const char *network, const char *domain, int worth);
/* Gives <e> other points, and its place by them. */
void vtm_sched_set_points(struct vtm_sched *s, struct vtm_entry *e, vtm_points p);
/* <e>->group was set; <e> goes.  Between these its points follow the answers of its group. */
void vtm_sched_join_group(struct vtm_sched *s, struct vtm_entry *e);
void vtm_sched_leave_group(struct vtm_sched *s, struct vtm_entry *e);
/* <e> is sent: charges the shares; of its domain and sender two are enough. */
void vtm_sched_note_sent(struct vtm_sched *s, struct vtm_entry *e);
/* <e> has an answer: what other look-ups of its group are worth changes. */
void vtm_sched_note_answer(struct vtm_sched *s, struct vtm_entry *e, enum vtm_verdict verdict);
/* Writes what is due, at most VTM_STORE_BATCH records; when that is next, boot ms. */
void vtm_sched_save_past(struct vtm_sched *s);
int64_t vtm_sched_past_due(const struct vtm_sched *s);

/* ---- sched-entry.c: the end of a look-up ---- */

/* Reports <r> to every waiter, then deletes <e> from the store and frees it. */
void vtm_sched_finish(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_report *r);
/* Ends <e> with an answer of VirusTotal: <fresh>, or else from the store. */
void vtm_sched_complete(struct vtm_sched *s, struct vtm_entry *e, struct vtm_report r, bool fresh);
/* Ends <e> without an answer; its waiters get VTM_WHY_QUEUE.  <counter> is one of stats. */
void vtm_sched_drop(struct vtm_sched *s, struct vtm_entry *e, uint64_t *counter);
/* Ends <e> without an answer: other look-ups are worth more.  Its waiters get VTM_WHY_POINTS. */
void vtm_sched_yield(struct vtm_sched *s, struct vtm_entry *e);
/* Puts <e> back into the queue, to be asked at <not_before> (boot ms) at the earliest. */
void vtm_sched_requeue(struct vtm_sched *s, struct vtm_entry *e, int64_t not_before);
/* Ends <e> with an answer that was found in the store. */
void vtm_sched_take_answer(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_cached *found);
/* Drops look-ups older than PendingLifetime. */
void vtm_sched_expire(struct vtm_sched *s, int64_t now);

/* ---- sched-plan.c: what may be spent, and when a look-up would be answered ---- */

/* Reads from the store what is used, if that may have changed. */
void vtm_sched_refresh(struct vtm_sched *s);
/* Slots taken at <now>. */
unsigned vtm_sched_slots_taken(const struct vtm_sched *s, int64_t now);
/* Requests that the minute has left for a line. */
unsigned vtm_sched_minute_room(const struct vtm_sched *s, enum vtm_line line, int64_t now);
/* Which part of the budget pays for <class>. */
enum vtm_spender vtm_sched_spender(const struct vtm_sched *s, enum vtm_class class);
/* Marks the lines whose first look-up may be sent now, as far as day, month and pace go. */
void vtm_sched_open_lines(const struct vtm_sched *s, bool open[VTM_LINES]);
/* The budget's UTC at <now>. */
int64_t vtm_sched_utc(const struct vtm_sched *s, int64_t now);
/* By points: moves the pace to <now>. */
void vtm_sched_move_pace(struct vtm_sched *s, int64_t now);
/* By points: the fewest points that may be sent after <ahead> more requests; may one go by lot after <ahead> more? */
int vtm_sched_floor(const struct vtm_sched *s, unsigned ahead);
bool vtm_sched_draw_open(const struct vtm_sched *s, unsigned ahead);
/* Why <e> cannot be answered by <deadline>; VTM_WHY_NONE: it can.  A ticket waits for what can be answered only.  Looks
 * at the rank in the queue, the minute, the day, and the time that answers take. */
enum vtm_reason vtm_sched_why_not(const struct vtm_sched *s, const struct vtm_entry *e, int64_t deadline);
/* When something that is ready could be sent, boot ms. */
int64_t vtm_sched_next_send(const struct vtm_sched *s, int64_t now);

/* ---- sched-quotas.c: VirusTotal's own count ---- */

/* Reads VirusTotal's own count when that is due. */
void vtm_sched_ask_quotas(struct vtm_sched *s, int64_t now);
/* The store does not know what was spent: sends nothing until VirusTotal's own count is there. */
void vtm_sched_budget_lost(struct vtm_sched *s, int64_t now);
/* The store's count is available again. */
void vtm_sched_budget_found(struct vtm_sched *s);
/* True if <r> is the reply to vtm_sched_ask_quotas(): its count is taken, or asked for again later. */
bool vtm_sched_quotas_result(struct vtm_sched *s, const struct vtm_result *r);
/* Copies the slots that a new store lacks into it, and has VirusTotal's count of the day read.  The slots of requests in
 * flight are not settled afterwards, since in the new store their numbers may be others' requests. */
void vtm_sched_keep_window(struct vtm_sched *s);

/* ---- sched-ask.c: sending ---- */

/* Where several hosts share the store: takes what the others answered and spent. */
void vtm_sched_look_at_others(struct vtm_sched *s, int64_t now);
/* Sends what may be sent now. */
void vtm_sched_send_all(struct vtm_sched *s, int64_t now);

/* ---- sched-ticket.c: a message that wants answers ---- */

/* Decides again for every waiting ticket what it waits for. */
void vtm_sched_replan(struct vtm_sched *s);

#endif
