/* SPDX-License-Identifier: BSD-2-Clause */
/* verdict.h - the closed set of verdicts and what goes with one.  Base layer. */
#ifndef VTM_VERDICT_H
#define VTM_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

/* No default and no zero value that means something good: a report that nobody
 * filled in reads VTM_BYPASSED. */
enum vtm_verdict {
	VTM_BYPASSED = 0,	/* not asked: cap, budget, time, failure, disabled (see reason) */
	VTM_PENDING,		/* queued or in flight when the headers were written */
	VTM_UNKNOWN,		/* VirusTotal has no record, or one without a usable analysis */
	VTM_IGNORED,		/* on the administrator's lists */
	VTM_CLEAN,		/* completed analysis, harmless + undetected > 0, malicious below threshold */
	VTM_BAD			/* malicious at or above the threshold */
};
#define VTM_VERDICTS (VTM_BAD + 1)

/* Why an item has no verdict, or why it has this one. */
enum vtm_reason {
	VTM_WHY_NONE = 0,
	VTM_WHY_NOT_ASKED,	/* nobody got to it */
	VTM_WHY_DISABLED,	/* Enabled, ScanAttachments or ScanURLs is off for it */
	VTM_WHY_CAP,		/* MaxLookupsPerMessage, or a limit on parts, depth, items */
	VTM_WHY_BUDGET,		/* no request left for it today or this month */
	VTM_WHY_SHARE,		/* its sender used up his share of the day */
	VTM_WHY_QUEUE,		/* the queue was full, or it waited for PendingLifetime */
	VTM_WHY_TIME,		/* not answered before the message's deadline */
	VTM_WHY_DENIED,		/* VirusTotal refuses the key (401, 403) */
	VTM_WHY_SERVICE,	/* VirusTotal failed or cannot be reached */
	VTM_WHY_REJECTED,	/* VirusTotal will not take this item (400) */
	VTM_WHY_STORE,		/* the store failed: nothing may be asked */
	VTM_WHY_SPOOL,		/* the message could not be kept for reading (disk, memory) */
	VTM_WHY_UNPARSABLE,	/* the message could not be read */
	VTM_WHY_AMBIGUOUS,	/* its MIME reads in several ways */
	VTM_WHY_UNDECODED,	/* a decoder gave up on the part */
	VTM_WHY_PARTIAL,	/* message/partial or message/external-body: content is elsewhere */
	VTM_WHY_ANALYSING,	/* VirusTotal is still analysing it */
	VTM_WHY_POINTS,		/* other look-ups are worth more than this one */
	VTM_WHY_PACE,		/* it waits until the day has passed further, or for requests that would expire */
	VTM_WHY_HOST_OF_MANY	/* only its host could be asked about, which says nothing: anybody publishes there */
};
#define VTM_REASONS (VTM_WHY_HOST_OF_MANY + 1)

/* What was asked about. */
enum vtm_match {
	VTM_MATCH_EXACT = 0,	/* the item itself */
	VTM_MATCH_HOST		/* its host only: can make it bad, never clean */
};

/* The answer on one item.  A plain value; copy it freely. */
struct vtm_report {
	enum vtm_verdict verdict;
	enum vtm_reason reason;
	enum vtm_match match;
	uint32_t malicious;	/* engines that say so */
	uint32_t suspicious;
	uint32_t harmless;
	uint32_t undetected;
	uint32_t engines;	/* all engines that gave a result or tried: the sum of the statistics */
	int64_t analysed;	/* unix seconds of the last analysis, 0 unknown */
};

/* Lower-case word for a header, log or JSON; static; never NULL. */
const char *vtm_verdict_name(enum vtm_verdict v);
const char *vtm_reason_name(enum vtm_reason r);

/* The verdict named <word>; false if there is none. */
bool vtm_verdict_parse(const char *word, enum vtm_verdict *verdict_r);
bool vtm_reason_parse(const char *word, enum vtm_reason *reason_r);

/* Judges the numbers of a report: sets r->verdict (and reason) to BAD, CLEAN or
 * UNKNOWN from the counts, r->match and <threshold> (>= 1).  Called whenever a report is used, so
 * that a changed threshold also holds for cached numbers. */
void vtm_report_judge(struct vtm_report *r, uint32_t threshold);

/* Does the verdict come from a completed answer of VirusTotal? (bad, clean, unknown) */
bool vtm_verdict_is_answer(enum vtm_verdict v);

#endif
