/* SPDX-License-Identifier: BSD-2-Clause */
/* health.h - is the daemon well, and if not, why?  Pure: the numbers in, sentences out. */
#ifndef VTM_HEALTH_H
#define VTM_HEALTH_H

#include <glib.h>
#include <stdbool.h>

#include "queue/resolver.h"

#define VTM_BEAT_SLOW_MS 15000		/* a turn of the resolver's thread that lasts longer is worth telling */
#define VTM_BEAT_DEAD_MS 60000		/* and one that lasts longer than this feeds no watchdog */

/* <stats> NULL: nothing is asked, so nothing can be wrong.  false, and one line a reason (each with a line end) in
 * <why>. */
bool vtm_health(const struct vtm_resolver_stats *stats, int64_t now_boot_ms, GString *why);
/* Does the resolver's thread still turn? */
bool vtm_health_alive(const struct vtm_resolver_stats *stats, int64_t now_boot_ms);

#endif
