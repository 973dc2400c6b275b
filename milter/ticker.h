/* SPDX-License-Identifier: BSD-2-Clause */
/* ticker.h - keeps libmilter's worker pool moving while callbacks block.
 *
 * Debian builds libmilter with a worker pool (_FFR_WORKERS_POOL) that can leave a session unserved until some worker comes
 * free or a new event arrives: with messages waiting at end of message that may be minutes.  While at least one callback
 * is busy, the ticker makes such an event every VTM_TICK_MS: it opens our own listening socket, negotiates and quits.  With nobody
 * busy it sleeps.  A libmilter with a thread a connection does not need it and is not harmed.
 */
#ifndef VTM_TICKER_H
#define VTM_TICKER_H

#include <glib.h>

#define VTM_TICK_MS 100
#define VTM_TICK_OPEN_MAX 16	/* tick connections that may be open at the same time */

struct vtm_ticker;

/* <connection> as in smfi_setconn(3): local:, unix:, inet:, inet6: or fd:N.  NULL and an error if it cannot be resolved. Starts a thread. */
struct vtm_ticker *vtm_ticker_new(const char *connection, GError **error);
void vtm_ticker_free(struct vtm_ticker *t);

/* Around a callback that may block.  Any thread. */
void vtm_ticker_enter(struct vtm_ticker *t);
void vtm_ticker_leave(struct vtm_ticker *t);
unsigned vtm_ticker_busy(struct vtm_ticker *t);

/* One connection now: makes a listener that was told to stop look at once.  Any thread. */
void vtm_ticker_poke(struct vtm_ticker *t);

#endif
