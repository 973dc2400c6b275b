/* SPDX-License-Identifier: BSD-2-Clause */
/* budget.h - the arithmetic of the budget: pure, no I/O, no clock.  Base layer.
 *
 * The window.  Every request holds a *slot*.  A slot is taken before the request goes out and
 * lasts until 60 s after the request has ended; while it is in flight (or when its process
 * died) it lasts until VTM_SLOT_MAX_MS after it was taken, which is longer than a
 * request can take plus 60 s.  So between any two requests that use the same slot at least 60 s
 * pass at the server, however long either was on its way.  Slots are measured on
 * boot time (clock.h): setting the clock does not free any.
 *
 * Days and months are UTC, as VirusTotal's quota is
 * (https://docs.virustotal.com/docs/consumption-quotas-handled).  The budget's UTC is not the wall
 * clock: it is an anchor plus boot time passed, corrected only by the Date of the server's
 * answers (struct vtm_anchor).  A request near midnight is charged to both days, since it is the
 * server's clock that counts.
 */
#ifndef VTM_BUDGET_H
#define VTM_BUDGET_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define VTM_WINDOW_MS 60000
#define VTM_REQUEST_MAX_MS 30000	/* no request lasts longer (http.h) */
#define VTM_SLOT_MAX_MS (VTM_REQUEST_MAX_MS + 5000 + VTM_WINDOW_MS)
#define VTM_SLOT_MARGIN_MS 100		/* on top of 60 s, for the granularity of clocks */
#define VTM_MIDNIGHT_BEFORE_MS 35000	/* charged to the next day too when so close to it */
#define VTM_MIDNIGHT_AFTER_MS 5000	/* charged to the day before too */
#define VTM_WINDOW_SLOTS 100000		/* highest RequestsPerMinute */

/* Who spends; the reserves differ. */
enum vtm_spender {
	VTM_SPEND_MANUAL,	/* vtmilterctl: may use everything */
	VTM_SPEND_ATTACHMENT,	/* all but ReserveForManual */
	VTM_SPEND_URL		/* all but ReserveForManual and ReserveForAttachments */
};
#define VTM_SPENDERS (VTM_SPEND_URL + 1)

struct vtm_budget_limits {	/* 0: no limit */
	uint32_t per_minute;
	uint32_t per_day;
	uint32_t per_month;
	uint32_t reserve_manual;	/* requests a day */
	uint32_t reserve_attachments;	/* requests a day */
};

/* Requests used: what a store remembers, and what the scheduler plans with. */
struct vtm_budget {
	int64_t day;		/* days since 1970-01-01 (UTC) */
	int32_t month;		/* year * 12 + month - 1 (UTC) */
	uint32_t day_used;
	uint32_t month_used;
	GArray *window;		/* of int64_t: boot ms at which each taken slot ends, ascending */
};

void vtm_budget_init(struct vtm_budget *b);
void vtm_budget_clear(struct vtm_budget *b);

int64_t vtm_budget_day(int64_t utc_ms);
int32_t vtm_budget_month(int64_t utc_ms);
/* First millisecond of the next UTC day. */
int64_t vtm_budget_next_day_ms(int64_t utc_ms);

/* The days a request sent at <utc_ms> is charged to: 1 or 2, written to days_r[2]. */
unsigned vtm_budget_charged_days(int64_t utc_ms, int64_t days_r[2]);

/* How many of <want> requests may <who> send, given <day_used> and <month_used> (of the fullest
 * charged day and month) and <slots> taken slots?  0..want. */
uint32_t vtm_budget_allow(const struct vtm_budget_limits *l, enum vtm_spender who, uint32_t day_used,
			  uint32_t month_used, uint32_t slots, uint32_t want);

/* Requests <who> may still send today, window aside; G_MAXUINT32 without limits. */
uint32_t vtm_budget_left(const struct vtm_budget_limits *l, enum vtm_spender who, uint32_t day_used,
			 uint32_t month_used);

/* Boot ms at which the <n>th (from 0) further request can start given the taken slots in <b>, if a
 * request takes <answer_ms>; INT64_MAX if the window never lets it. */
int64_t vtm_budget_slot_at(const struct vtm_budget_limits *l, const struct vtm_budget *b,
			   int64_t now_boot_ms, uint32_t n, int64_t answer_ms);

/* The budget's own UTC. */
struct vtm_anchor {
	char boot_id[64];
	int64_t boot_ms;
	int64_t utc_ms;
};

/* UTC at <boot_ms> of boot <boot_id>.  In a new boot, the later of the wall clock and the anchor. */
int64_t vtm_anchor_utc(const struct vtm_anchor *a, const char *boot_id, int64_t boot_ms,
		       int64_t wall_utc_ms);
/* Sets the anchor. */
void vtm_anchor_set(struct vtm_anchor *a, const char *boot_id, int64_t boot_ms, int64_t utc_ms);

#endif
