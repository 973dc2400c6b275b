/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon.h - what all sessions of the daemon share.
 *
 * Set up once in main() before the first session and constant from then on; what the members point to has locks of its own. */
#ifndef VTM_DAEMON_H
#define VTM_DAEMON_H

#include <stdbool.h>

#include "cache.h"
#include "clock.h"
#include "late.h"
#include "resolver.h"
#include "ticker.h"

struct vtm_daemon {
	const struct vtm_clock *clock;
	struct vtm_cache *cache;
	struct vtm_resolver *resolver;	/* NULL: never Enabled since the start */
	struct vtm_late_runner *late;
	struct vtm_ticker *ticker;
	bool inet;			/* the MTA comes by TCP (callbacks.c: the reply to DATA) */
};

/* The process's own. */
extern struct vtm_daemon vtm_daemon;

#endif
