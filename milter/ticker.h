/* SPDX-License-Identifier: BSD-2-Clause */
/* ticker.h - keeps libmilter's worker pool awake while callbacks block.
 *
 * Debian builds libmilter with a pool of worker threads.  Its controller counts a worker as idle until that worker has
 * really woken up, so it may give two events in a row to one worker.  The second session then waits until any worker
 * ends its callback, or until there is a new connection: the thread that serves it looks for such sessions when it is
 * done.  Our callbacks wait for minutes, so the ticker makes these connections.
 *
 * A callback that may block (xxfi_eom) *stays* here meanwhile.  The ticker opens a connection and closes it at once
 *	- VTM_TICK_SETTLE_MS after a callback began to block.  Only the last worker that woke up can leave a session
 *	  over, so the new thread finds it; that session may block and leave over others.  The ticker makes one
 *	  connection more than callbacks began to block, so any number of such sessions is found in a few turns;
 *	- VTM_TICK_PERIOD_MS after the last connection, while callbacks block or if one came and went: a worker whose
 *	  MTA sends message after message without a pause does not look for other sessions either.
 * It opens none while nothing happens.  Such a connection sends nothing: libmilter calls only xxfi_close for it.  A
 * libmilter without the pool is not affected.
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

/* Finds the address of the socket that libmilter listens on; <conn> as for smfi_setconn().  Call it before privileges
 * are dropped, because the user may have no access to the socket's directory.  NULL: VTM_ERROR_IO. */
struct vtm_ticker *vtm_ticker_new(const char *conn, const struct vtm_clock *clock, GError **error);
/* Starts the thread (after the last fork).  -1: VTM_ERROR_IO. */
int vtm_ticker_start(struct vtm_ticker *t, GError **error);
/* Ends the thread.  No callback may stay any more.  NULL is fine. */
void vtm_ticker_free(struct vtm_ticker *t);

/* A callback begins to do something that may block, and ends it.  Any thread; never blocks itself. */
void vtm_ticker_enter(struct vtm_ticker *t, struct vtm_ticker_stay *stay);
void vtm_ticker_leave(struct vtm_ticker *t, struct vtm_ticker_stay *stay);

/* libmilter is about to close the socket: from now on a failed connection is no error. */
void vtm_ticker_closing(struct vtm_ticker *t);

/* The number of callbacks that stay now. */
unsigned vtm_ticker_staying(struct vtm_ticker *t);

/* Makes a connection now, in the calling thread, to wake libmilter's listener, which notices smfi_stop() only every
 * 5 s. */
void vtm_ticker_kick(struct vtm_ticker *t);

/* The number of connections made so far. */
uint64_t vtm_ticker_ticks(struct vtm_ticker *t);

#endif
