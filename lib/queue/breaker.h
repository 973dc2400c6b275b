/* SPDX-License-Identifier: BSD-2-Clause */
/* breaker.h - when VirusTotal may be asked at all: circuit and pauses, pure.  Leaf.
 *
 * closed: ask.  open: do not, until a time; then one probe (half open) decides.  Three causes: a refused key
 * (DENIED), a dead service (SERVICE) and 429 (QUOTA).  Times are boot ms.  Not locked.
 */
#ifndef VTM_BREAKER_H
#define VTM_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "model/verdict.h"

#define VTM_BREAKER_FAILURES 3		/* in a row open the circuit */
#define VTM_BREAKER_SERVICE_MS 15000	/* first pause for a dead service; doubles up to */
#define VTM_BREAKER_SERVICE_MAX_MS 300000
#define VTM_BREAKER_DENIED_MS 180000	/* a refused key is tried again every 3 minutes */
#define VTM_BREAKER_QUOTA_MS 60000	/* first pause after 429; then 2, 4, 8 ... minutes up to */
#define VTM_BREAKER_QUOTA_MAX_MS 3600000
#define VTM_BREAKER_QUOTA_DAY 4		/* 429s in a row after which the day counts as spent: one probe an hour */
#define VTM_RETRY_AFTER_MAX_MS 3600000

enum vtm_circuit { VTM_CIRCUIT_CLOSED, VTM_CIRCUIT_OPEN, VTM_CIRCUIT_HALF_OPEN };

struct vtm_breaker {
	enum vtm_circuit state;
	enum vtm_reason cause;	/* while not closed: VTM_WHY_DENIED, _SERVICE or _BUDGET */
	int64_t until_ms;	/* while open: when to probe */
	unsigned failures;	/* in a row */
	unsigned quotas;	/* 429s in a row */
	bool probing;
};

void vtm_breaker_init(struct vtm_breaker *b);
/* May a request start now?  In half open only one may; calling this for it takes that place. */
bool vtm_breaker_allows(struct vtm_breaker *b, int64_t now_ms);
/* The same without taking the probe's place. */
bool vtm_breaker_would_allow(const struct vtm_breaker *b, int64_t now_ms);
/* Outcomes; each returns true when the state or its cause changed (worth one log line). */
bool vtm_breaker_success(struct vtm_breaker *b);
bool vtm_breaker_failure(struct vtm_breaker *b, int64_t now_ms);
bool vtm_breaker_denied(struct vtm_breaker *b, int64_t now_ms);
bool vtm_breaker_quota(struct vtm_breaker *b, int64_t now_ms, int64_t retry_after_ms /* -1: not given */);
/* Reload: try at once. */
void vtm_breaker_retry_now(struct vtm_breaker *b);
const char *vtm_circuit_name(enum vtm_circuit c);

#endif
