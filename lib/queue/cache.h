/* SPDX-License-Identifier: BSD-2-Clause */
/* cache.h - verdicts in memory: bounded, least recently used goes first, each with its time to live.  Leaf.
 *
 * Any thread.  The lock covers the table, never I/O or a callback; what comes out is a copy.
 */
#ifndef VTM_CACHE_H
#define VTM_CACHE_H

#include "base/clock.h"
#include "model/lookup.h"
#include "model/verdict.h"

struct vtm_cache;

struct vtm_cache *vtm_cache_new(const struct vtm_clock *clock, unsigned max_entries);
void vtm_cache_free(struct vtm_cache *c);

/* 1 found and fresh (copied to *report_r), 0 not. */
int vtm_cache_get(struct vtm_cache *c, const struct vtm_key *key, struct vtm_report *report_r);
/* Keeps a copy until <expires_utc_ms>; a later put of the same key replaces it.  Verdicts that are no
 * answer (verdict.h) are refused: returns false. */
bool vtm_cache_put(struct vtm_cache *c, const struct vtm_key *key, const struct vtm_report *report,
		   int64_t expires_utc_ms);
void vtm_cache_forget(struct vtm_cache *c, const struct vtm_key *key);
unsigned vtm_cache_size(struct vtm_cache *c);

#endif
