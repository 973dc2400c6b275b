/* SPDX-License-Identifier: BSD-2-Clause */
/* ticker.h - keeps libmilter's worker pool awake while callbacks block.
 *
 * Debian builds libmilter with a pool of worker threads.  Its controller counts a worker as idle until that worker has
 * really woken up, so that two events in a row may be left to one worker; the second session then waits until *some*
 * worker ends its callback, or until there is a new connection: the thread that serves it looks for such sessions when
 * it is done.  Waiting in a callback for minutes is what this program is for, so it makes these connections itself.
 *
 * A callback that may block *stays* here meanwhile (xxfi_eom).  A connection is opened and closed at once
 *	- VTM_TICK_SETTLE_MS after a callback began to block.  A session can only be left over by the last worker
 *	  that woke up, so the new thread finds it; that session may block in its turn and have left others.  There
 *	  is one connection more than callbacks began to block, so that any number of left-over sessions is found
 *	  in a few turns;
 *	- VTM_TICK_PERIOD_MS after the last one, while callbacks block or when one came and went: a worker whose
 *	  MTA sends message after message without a pause looks for nobody else either.
 * Nothing is opened while nothing happens.  Such a connection says nothing: libmilter calls xxfi_close for it and no
 * other callback.  A libmilter without the pool does not mind.
 *
 * Source: sendmail 8.17.1 libmilter/worker.c, mi_start_session(), mi_pool_controller(), mi_worker().
 */
#ifndef VTM_TICKER_H
#define VTM_TICKER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define VTM_TICK_SETTLE_MS 10
#define VTM_TICK_PERIOD_MS 100
#define VTM_TICK_BURST_MAX 32	/* connections in a turn */

struct vtm_ticker;

struct vtm_ticker_stay {	/* the caller's, from enter to leave; its fields are private */
	GList link;
	int64_t since_ms;
	bool fresh;
};

/* Finds the address of the socket that libmilter listens on by now: <conn> as given to smfi_setconn().  Before the
 * privileges are dropped: the socket may lie where the user cannot go.  NULL: VTM_ERROR_IO. */
struct vtm_ticker *vtm_ticker_new(const char *conn, const struct vtm_clock *clock, GError **error);
/* Starts the thread (after the last fork).  -1: VTM_ERROR_IO. */
int vtm_ticker_start(struct vtm_ticker *t, GError **error);
/* Ends the thread.  Nobody may stay any more.  NULL is fine. */
void vtm_ticker_free(struct vtm_ticker *t);

/* A callback begins to do something that may block, and ends it.  Any thread; never blocks itself. */
void vtm_ticker_enter(struct vtm_ticker *t, struct vtm_ticker_stay *stay);
void vtm_ticker_leave(struct vtm_ticker *t, struct vtm_ticker_stay *stay);

/* libmilter is about to close the socket: from now on nobody need answer on it. */
void vtm_ticker_closing(struct vtm_ticker *t);

/* How many stay now. */
unsigned vtm_ticker_staying(struct vtm_ticker *t);

/* One connection now, in the calling thread: wakes libmilter's listener, which looks for smfi_stop() every 5 s only. */
void vtm_ticker_kick(struct vtm_ticker *t);

/* Connections made so far. */
uint64_t vtm_ticker_ticks(struct vtm_ticker *t);

#endif
