/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.h - the clock, which tests can replace.
 *
 * It has two readings, both in milliseconds:
 *
 * boot	Time since the machine booted, including suspended time (CLOCK_BOOTTIME).  Never jumps, and is the same for all
 *	processes of a machine.  For deadlines, the 60 s window and back-off.
 * utc	Time since 1970-01-01 00:00:00 UTC (CLOCK_REALTIME).  Jumps if somebody sets it.  Only for texts that people
 *	read and for entries that outlive a boot.
 *
 * Code that needs the time gets a const struct vtm_clock * and calls vtm_boot_ms() or vtm_utc_ms(); it never asks the
 * operating system itself.
 */
#ifndef VTM_CLOCK_H
#define VTM_CLOCK_H

#include <stdint.h>

struct vtm_clock {
	int64_t (*boot_ms)(const struct vtm_clock *);
	int64_t (*utc_ms)(const struct vtm_clock *);
	/* Identifies the boot that boot_ms counts from (Linux: boot_id).  A time stored under another ID cannot be
	 * compared with boot_ms. */
	const char *(*boot_id)(const struct vtm_clock *);
};

/* The operating system's clock.  Static, never NULL, any thread. */
const struct vtm_clock *vtm_clock_system(void);

static inline int64_t vtm_boot_ms(const struct vtm_clock *c) { return c->boot_ms(c); }
static inline int64_t vtm_utc_ms(const struct vtm_clock *c) { return c->utc_ms(c); }
static inline const char *vtm_boot_id(const struct vtm_clock *c) { return c->boot_id(c); }

/* A clock for tests and the simulator, which moves only by its fields and vtm_clock_manual_advance().  Not locked. */
struct vtm_clock_manual {
	struct vtm_clock clock;
	int64_t boot;
	int64_t utc;
	const char *id;
};

/* Sets <m> to <utc> and to 1,000 s since boot. */
void vtm_clock_manual_init(struct vtm_clock_manual *m, int64_t utc);

/* Advances both readings by <ms>. */
void vtm_clock_manual_advance(struct vtm_clock_manual *m, int64_t ms);

#endif
