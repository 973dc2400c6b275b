/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.h - the replaceable clock.  Base layer.
 *
 * Two readings, both in milliseconds:
 *
 * boot	since the machine booted, suspended time included (CLOCK_BOOTTIME).
 *	Never jumps; the same for all processes of one machine.  Deadlines, the
 *	60 s window and back-off are measured with it.
 * utc	since 1970-01-01 00:00:00 UTC (CLOCK_REALTIME).  May jump when somebody
 *	sets it.  Only for what people read and for entries that outlive a boot.
 *
 * Code that needs the time takes a const struct vtm_clock * and calls
 * vtm_boot_ms()/vtm_utc_ms(); it never calls the operating system itself.
 */
#ifndef VTM_CLOCK_H
#define VTM_CLOCK_H

#include <stdint.h>

struct vtm_clock {
	int64_t (*boot_ms)(const struct vtm_clock *);
	int64_t (*utc_ms)(const struct vtm_clock *);
	/* Names the boot that boot_ms counts from (Linux: boot_id).  A value
	 * persisted under another name cannot be compared with boot_ms. */
	const char *(*boot_id)(const struct vtm_clock *);
};

/* The operating system's clock.  Static, never NULL, any thread. */
const struct vtm_clock *vtm_clock_system(void);

static inline int64_t vtm_boot_ms(const struct vtm_clock *c) { return c->boot_ms(c); }
static inline int64_t vtm_utc_ms(const struct vtm_clock *c) { return c->utc_ms(c); }
static inline const char *vtm_boot_id(const struct vtm_clock *c) { return c->boot_id(c); }

/* A clock that stands still until it is told to move: for tests and the
 * simulator.  Set the fields at will; not locked. */
struct vtm_clock_manual {
	struct vtm_clock clock;
	int64_t boot;
	int64_t utc;
	const char *id;
};

/* Makes <m> a clock that reads <utc> now and 1,000 s since boot. */
void vtm_clock_manual_init(struct vtm_clock_manual *m, int64_t utc);

/* Lets <ms> pass on both readings. */
void vtm_clock_manual_advance(struct vtm_clock_manual *m, int64_t ms);

#endif
