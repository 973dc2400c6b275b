/* SPDX-License-Identifier: BSD-2-Clause */
/* budget.h - the arithmetic of the budget, without I/O or clock.
 *
 * The minute.  Every request holds a *slot*.  The slot is taken before the request is sent and ends 60 s after the
 * request has ended.  If the end is not known, because the request is in flight or its process died, the slot ends
 * VTM_SLOT_MAX_MS after it was taken, which is longer than any request plus 60 s.  So at least 60 s pass at the server
 * between two requests that use the same slot, however long either travelled.  Slots are measured in boot time
 * (clock.h): setting the clock frees none.
 *
 * Days and months are UTC, as VirusTotal's quotas are (https://docs.virustotal.com/docs/consumption-quotas-handled).
 * The budget's UTC is not the wall clock but an anchor plus the boot time since, corrected only by the Date of the
 * server's answers (struct vtm_anchor).  A request near midnight is charged to both days, because only the server's
 * clock counts.
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
#define VTM_MIDNIGHT_BEFORE_MS 35000	/* a request this long before midnight is charged to the next day, too */
#define VTM_MIDNIGHT_AFTER_MS 5000	/* one this long after it, to the day before, too */
#define VTM_WINDOW_SLOTS 100000		/* the highest RequestsPerMinute */

/* Who sends a request, and which reserves it may use. */
enum vtm_spender {
	VTM_SPEND_MANUAL,	/* vtmilterctl: all */
	VTM_SPEND_ATTACHMENT,	/* all but ReserveForManual */
	VTM_SPEND_URL		/* all but ReserveForManual and ReserveForAttachments */
};
#define VTM_SPENDERS (VTM_SPEND_URL + 1)

/* At most so many, or any number.  A limit of 0 lets nothing through. */
struct vtm_limit {
	bool limited;
	uint32_t most;		/* 0 unless limited */
};
#define VTM_LIMIT(n) { true, (n) }	/* initialisers */
#define VTM_NO_LIMIT { false, 0 }

static inline struct vtm_limit vtm_limit_of(uint32_t most)
{
	return (struct vtm_limit)VTM_LIMIT(most);
}

/* As directives have it: 0 is no limit. */
static inline struct vtm_limit vtm_limit_configured(uint32_t n)
{
	return (struct vtm_limit){ n > 0, n };
}

/* As VirusTotal has it: -1 is not known, which limits nothing; 0 is none left. */
struct vtm_limit vtm_limit_allowed(int64_t allowed);
struct vtm_limit vtm_limit_tighter(struct vtm_limit a, struct vtm_limit b);
bool vtm_limit_equal(struct vtm_limit a, struct vtm_limit b);
/* What <used> leaves; G_MAXUINT32 without a limit. */
uint32_t vtm_limit_left(struct vtm_limit l, uint64_t used);

struct vtm_budget_limits {
	struct vtm_limit per_minute;
	struct vtm_limit per_day;
	struct vtm_limit per_month;
	uint32_t reserve_manual;	/* requests a day */
	uint32_t reserve_attachments;	/* requests a day */
};

/* Used requests, as a store keeps them and the scheduler plans with them. */
struct vtm_budget {
	int64_t day;		/* days since 1970-01-01 (UTC) */
	int32_t month;		/* year * 12 + month - 1 (UTC) */
	uint32_t day_used;
	uint32_t month_used;
	GArray *window;		/* of int64_t: the boot ms at which each taken slot ends, ascending */
};

void vtm_budget_init(struct vtm_budget *b);
void vtm_budget_clear(struct vtm_budget *b);

int64_t vtm_budget_day(int64_t utc_ms);
int32_t vtm_budget_month(int64_t utc_ms);
/* The first millisecond of the next UTC day. */
int64_t vtm_budget_next_day_ms(int64_t utc_ms);

/* The days that a request sent at <utc_ms> is charged to.  Returns their number, 1 or 2. */
unsigned vtm_budget_charged_days(int64_t utc_ms, int64_t days_r[2]);

/* How many of <want> requests may <who> send?  <day_used> and <month_used> are those of the fullest charged day and
 * month, <slots> the number of taken slots. */
uint32_t vtm_budget_allow(const struct vtm_budget_limits *l, enum vtm_spender who, uint32_t day_used,
			  uint32_t month_used, uint32_t slots, uint32_t want);

/* The requests that <who> may still send today, without regard to the minute; G_MAXUINT32 without limits. */
uint32_t vtm_budget_left(const struct vtm_budget_limits *l, enum vtm_spender who, uint32_t day_used,
			 uint32_t month_used);

/* The boot ms at which the <n>th next request (from 0) can start, given the taken slots in <b>, if each request takes
 * <answer_ms>.  INT64_MAX: never. */
int64_t vtm_budget_slot_at(const struct vtm_budget_limits *l, const struct vtm_budget *b,
			   int64_t now_boot_ms, uint32_t n, int64_t answer_ms);

/* The budget's own UTC. */
struct vtm_anchor {
	char boot_id[64];
	int64_t boot_ms;
	int64_t utc_ms;
};

/* The UTC at <boot_ms> of the boot <boot_id>.  In a new boot: the later of the wall clock and the anchor. */
int64_t vtm_anchor_utc(const struct vtm_anchor *a, const char *boot_id, int64_t boot_ms,
		       int64_t wall_utc_ms);
void vtm_anchor_set(struct vtm_anchor *a, const char *boot_id, int64_t boot_ms, int64_t utc_ms);

#endif
