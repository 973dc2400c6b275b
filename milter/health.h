/* SPDX-License-Identifier: BSD-2-Clause */
/* health.h - does the daemon work, and if not, why?  Judges numbers only; does no I/O. */
#ifndef VTM_HEALTH_H
#define VTM_HEALTH_H

#include <glib.h>
#include <stdbool.h>

#include "queue/resolver.h"

#define VTM_BEAT_SLOW_MS 15000		/* a turn of the resolver's thread that takes longer is reported */
#define VTM_BEAT_DEAD_MS 60000		/* if one takes longer than this, the watchdog gets no sign of life */

/* true: it works.  false: appends a line for each reason to <why>.  <stats> NULL: nothing is looked up, so it works. */
bool vtm_health(const struct vtm_resolver_stats *stats, int64_t now_boot_ms, GString *why);
/* Does the resolver's thread still run? */
bool vtm_health_alive(const struct vtm_resolver_stats *stats, int64_t now_boot_ms);

#endif
