/* SPDX-License-Identifier: BSD-2-Clause */
/* sched.h - the scheduler: decides which look-up is sent when, and which message waits for it.  Composite, pure: one
 * thread, no clock but the given one, no I/O but through the store and a transport; so the simulator and the property
 * tests run the same code as the daemon.
 *
 * A *ticket* is one message that wants answers.  The caller adds it with its look-ups; the scheduler answers those that
 * cache or store can answer, queues the rest under the budget, and predicts which of them can be answered before the
 * ticket's deadline: the ticket waits for those only.  It is *released* (settings.released, exactly once) as soon as it
 * waits for nothing more, at its deadline at the latest.
 * A look-up without waiters stays queued; its answer goes to cache, store and journal (settings.answered).
 */
#ifndef VTM_SCHED_H
#define VTM_SCHED_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "queue/breaker.h"
#include "model/budget.h"
#include "queue/cache.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "model/lookup.h"
#include "queue/queue.h"
#include "risk/points.h"
#include "store/store.h"
#include "model/verdict.h"
#include "vt/vt.h"

/* One look-up that a ticket wants answered. */
struct vtm_want {
	struct vtm_lookup *lookup;	/* owned by the ticket */
	enum vtm_class class;
	struct vtm_report report;	/* in: bypassed/not asked; out: answer, or pending/bypassed and why */
	bool answered;
	bool cached;			/* the answer was in cache or store */
	bool submit;			/* may be submitted when unknown (SubmitUnknownURLs, not personal) */
	struct vtm_item_features features;	/* owned by the ticket */
	vtm_points points;		/* out: why it is worth what it is */
	/* set by the scheduler */
	bool holds;			/* the ticket waits for it */
	uint64_t group, campaign;	/* see struct vtm_entry */
};

struct vtm_ticket {
	/* set by the caller */
	struct vtm_want *wants;
	unsigned n;
	unsigned max_lookups;		/* at most so many wants are queued, in their order; the rest is capped */
	bool known_count;		/* answered wants count too, so that the same message asks for no more the next time */
	int64_t deadline_ms;		/* boot ms; now or earlier: the ticket waits for nothing */
	char *client_net, *sender_domain;	/* whose shares are charged; NULL: nobody's */
	struct vtm_message_features features;	/* owned by the ticket */
	void *owner;
	/* set by the scheduler */
	unsigned waiting_for;		/* wants that hold the release */
	GSequenceIter *place;		/* among the waiting ones */
	bool released;
};

struct vtm_sched_settings {
	const struct vtm_clock *clock;
	struct vtm_store *store;	/* used by this thread alone; NULL: none can be reached */
	struct vtm_cache *cache;
	struct vtm_budget_limits limits;
	uint32_t threshold;
	int64_t ttl_bad_ms, ttl_clean_ms, ttl_unknown_ms;
	unsigned max_waiting;		/* tickets */
	unsigned max_queue;		/* look-ups; beyond it the least urgent is dropped */
	int64_t pending_lifetime_ms;
	unsigned share_percent;		/* of the day's budget for one client network or sender domain; 0: no bound */
	bool by_points;			/* Order */
	unsigned explore_percent;	/* of the day's budget that goes by lot to what points leave aside */
	bool reask_unknown;
	/* vtmilterctl, beside the daemon: every class may use the whole budget, and the queue in the store, which is the
	 * daemon's, is neither loaded nor added to */
	bool manual;
	unsigned max_in_flight;
	/* the transport: starts a request, whose end is reported with vtm_sched_result().  -1: could not be made */
	int (*start)(void *arg, enum vtm_op op, const struct vtm_lookup *lookup, const char *analysis, void *tag);
	/* <t> is released: it is its owner's again */
	void (*released)(void *arg, struct vtm_ticket *t);
	/* <lookup> was answered, whether a ticket waits for it or not; <report> is judged */
	void (*answered)(void *arg, const struct vtm_lookup *lookup, const struct vtm_report *report);
	void *arg;
};

/* HTTP statuses as they are counted: some one by one, the rest by their hundreds. */
enum vtm_status {
	VTM_STATUS_NONE,	/* no answer came */
	VTM_STATUS_200, VTM_STATUS_400, VTM_STATUS_401, VTM_STATUS_403, VTM_STATUS_404, VTM_STATUS_429,
	VTM_STATUS_2XX, VTM_STATUS_3XX, VTM_STATUS_4XX, VTM_STATUS_5XX, VTM_STATUS_OTHER
};
#define VTM_STATUSES (VTM_STATUS_OTHER + 1)
enum vtm_status vtm_status_of(long http_status);
const char *vtm_status_name(enum vtm_status s);	/* "404", "5xx", "none" */

/* Look-ups are counted by their points: below 0, 0, 1, ... and this many less 2 or more. */
#define VTM_SCHED_POINTS 16
unsigned vtm_sched_points_index(int worth);

/* Plain numbers for metrics, status and tests. */
struct vtm_sched_stats {
	uint64_t asked[VTM_CLASSES], answers[VTM_ANSWERS], coalesced, cached_memory, cached_store, dropped, expired;
	uint64_t statuses[VTM_STATUSES];	/* answers by HTTP status */
	struct vtm_histogram took;		/* of answers */
	uint64_t released_answered, released_deadline, released_unadmitted;
	uint64_t store_errors, reasks, submissions, late_answers;
	/* by points */
	uint64_t asked_by_points[VTM_SCHED_POINTS], bad_by_points[VTM_SCHED_POINTS];
	uint64_t drawn, drawn_bad;		/* by lot: what points left aside, and how much of it they had missed */
	uint64_t left_aside;			/* look-ups that others were worth more than */
	bool paced;				/* false: by class, or the mail fits */
	int floor;				/* fewest points that may be sent now */
	double day_passed;			/* 0..1 */
	uint32_t day_budget;			/* requests that mail has today */
	unsigned queued[VTM_CLASSES], in_flight, waiting, waiting_max;
	double answer_ms, answer_dev_ms;	/* running mean and deviation of the time of an answer */
	struct vtm_breaker breaker;
	uint32_t day_used, month_used, window_used;
	struct vtm_quota server_daily, server_monthly;	/* as VirusTotal counts; allowed -1: not known */
	int64_t oldest_ms;			/* age of the oldest queued look-up */
	bool store_failing;			/* the last call to the store failed */
	char store_error[200];			/* what it said last, "" */
};

struct vtm_sched;

/* Loads the queue that is in the store.  The settings are copied. */
struct vtm_sched *vtm_sched_new(const struct vtm_sched_settings *s);
/* Releases every ticket first. */
void vtm_sched_free(struct vtm_sched *s);
/* New limits, times to live and the like (clock, store, cache, callbacks stay). */
void vtm_sched_configure(struct vtm_sched *s, const struct vtm_sched_settings *settings);
/* Uses <store> from now on; NULL: none can be reached. */
void vtm_sched_set_store(struct vtm_sched *s, struct vtm_store *store);

/* A message came that wants nothing, or whose wants are answered already: the history notes its names. */
void vtm_sched_note_seen(struct vtm_sched *s, const struct vtm_ticket *t);
/* Takes a message in; may call released() before it returns. */
void vtm_sched_add(struct vtm_sched *s, struct vtm_ticket *t);
/* Releases <t> now: the MTA is gone or the daemon stops. */
void vtm_sched_cancel(struct vtm_sched *s, struct vtm_ticket *t);
void vtm_sched_release_all(struct vtm_sched *s);

/* Sends what may be sent, releases what is due.  Returns boot ms at which it must be called again (INT64_MAX: after the
 * next call of another function). */
int64_t vtm_sched_step(struct vtm_sched *s);
/* The request with <tag> ended; <r> is read, not kept. */
void vtm_sched_result(struct vtm_sched *s, const struct vtm_result *r);
/* Another process (vtmilterctl submit) put an answer for <lookup> into the store: takes it from there into the cache,
 * ends the queued look-up with it and calls answered(). */
void vtm_sched_reread(struct vtm_sched *s, const struct vtm_lookup *lookup);
/* Probes an open circuit at once (after a reload, or by hand). */
void vtm_sched_retry_now(struct vtm_sched *s);

void vtm_sched_stats(const struct vtm_sched *s, struct vtm_sched_stats *out);

#endif
