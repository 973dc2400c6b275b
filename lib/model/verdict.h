/* SPDX-License-Identifier: BSD-2-Clause */
/* verdict.h - the verdicts on an item, their reasons, and the numbers behind them. */
#ifndef VTM_VERDICT_H
#define VTM_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

/* The zero value is not a good one: a report that was never filled in says VTM_BYPASSED. */
enum vtm_verdict {
	VTM_BYPASSED = 0,	/* not looked up: limit, budget, time, failure, disabled (see the reason) */
	VTM_PENDING,		/* queued or in flight when the headers were written */
	VTM_UNKNOWN,		/* VirusTotal has no record of it, or one without a usable analysis */
	VTM_IGNORED,		/* on the administrator's lists */
	VTM_CLEAN,		/* analysed; harmless + undetected > 0, malicious below the threshold */
	VTM_BAD			/* malicious at or above the threshold */
};
#define VTM_VERDICTS (VTM_BAD + 1)

/* Why an item has no verdict, or this one. */
enum vtm_reason {
	VTM_WHY_NONE = 0,
	VTM_WHY_NOT_ASKED,	/* its turn did not come */
	VTM_WHY_DISABLED,	/* Enabled, ScanAttachments or ScanURLs is no */
	VTM_WHY_CAP,		/* MaxLookupsPerMessage, or a limit on parts, depth, items */
	VTM_WHY_BUDGET,		/* no request left for it today or this month */
	VTM_WHY_SHARE,		/* its sender used up SenderShare */
	VTM_WHY_QUEUE,		/* the queue was full, or it waited for PendingLifetime */
	VTM_WHY_TIME,		/* not answered before the message's deadline */
	VTM_WHY_DENIED,		/* VirusTotal refuses the key (401, 403) */
	VTM_WHY_SERVICE,	/* VirusTotal failed or cannot be reached */
	VTM_WHY_REJECTED,	/* VirusTotal will not take this item (400) */
	VTM_WHY_STORE,		/* the store failed, so no request may be sent */
	VTM_WHY_SPOOL,		/* the message could not be stored for reading (disk, memory) */
	VTM_WHY_UNPARSABLE,	/* the message could not be read */
	VTM_WHY_AMBIGUOUS,	/* its MIME can be read in several ways */
	VTM_WHY_UNDECODED,	/* the part could not be decoded */
	VTM_WHY_PARTIAL,	/* message/partial or message/external-body: its content is elsewhere */
	VTM_WHY_ANALYSING,	/* VirusTotal is still analysing it */
	VTM_WHY_POINTS,		/* other look-ups are worth more than this one */
	VTM_WHY_PACE,		/* it waits until the day has passed further, or for requests that would expire */
	VTM_WHY_HOST_OF_MANY,	/* only its host could be asked about, which says nothing: anybody publishes there */
	VTM_WHY_PRIVATE		/* its host is of the inside: VirusTotal cannot know it and shall not hear of it */
};
#define VTM_REASONS (VTM_WHY_PRIVATE + 1)

/* What was looked up. */
enum vtm_match {
	VTM_MATCH_EXACT = 0,	/* the item itself */
	VTM_MATCH_HOST		/* only its host: can make it bad, never clean */
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
	uint32_t engines;	/* all engines in the statistics, also those that failed */
	int64_t analysed;	/* Unix seconds of the last analysis; 0: not known */
};

/* The lower-case word for headers, log and JSON.  Static. */
const char *vtm_verdict_name(enum vtm_verdict v);
const char *vtm_reason_name(enum vtm_reason r);

/* Parse such a word.  false: there is none of that name. */
bool vtm_verdict_parse(const char *word, enum vtm_verdict *verdict_r);
bool vtm_reason_parse(const char *word, enum vtm_reason *reason_r);

/* Sets verdict and reason (BAD, CLEAN or UNKNOWN) from the numbers, r->match and <threshold> (at least 1).  Call it
 * whenever a report is used, so that a changed threshold also applies to stored numbers. */
void vtm_report_judge(struct vtm_report *r, uint32_t threshold);

/* Is it a verdict of VirusTotal (bad, clean, unknown)? */
bool vtm_verdict_is_answer(enum vtm_verdict v);

#endif
