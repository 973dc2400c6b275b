/* SPDX-License-Identifier: BSD-2-Clause */
/* share.h - an amount of something, of which nobody takes more than half: places, bytes of memory.
 *
 * Users are named, in vtmilter by their client network, so that whoever sends much from one network cannot take
 * everything from the others.  The half is kept free even while nobody else wants it: what has been taken is not taken
 * away again, and others should not have to wait for it.  (Of an odd number the larger half.)
 *
 * Any thread.  Memory: one entry for each user that holds something.
 */
#ifndef VTM_SHARE_H
#define VTM_SHARE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/work.h"

struct vtm_share;

struct vtm_share *vtm_share_new(const struct vtm_clock *clock, uint64_t max);
/* When nobody holds anything any more.  NULL is fine. */
void vtm_share_free(struct vtm_share *s);
/* A new <max>; if more is held already, nobody gets more until enough was given back. */
void vtm_share_set_max(struct vtm_share *s, uint64_t max);

/* Takes <amount> for <user> (NULL: those without a name, who are one user).  Where there is not so much left, waits
 * until <deadline_ms> (now or earlier: not at all) or until <work> (may be NULL) ends, which gets a look meanwhile.
 * false: nothing was taken. */
bool vtm_share_take(struct vtm_share *s, const char *user, uint64_t amount, int64_t deadline_ms,
		    struct vtm_work *work);
/* Gives back <amount> of what <user> holds. */
void vtm_share_give(struct vtm_share *s, const char *user, uint64_t amount);

/* The most that one user may hold. */
uint64_t vtm_share_half(struct vtm_share *s);
/* The amount that all users hold. */
uint64_t vtm_share_used(struct vtm_share *s);

#endif
