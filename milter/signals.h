/* SPDX-License-Identifier: BSD-2-Clause */
/* signals.h - SIGHUP, SIGUSR1, SIGTERM and SIGINT, one after the other.
 *
 * libmilter runs a thread that waits for SIGHUP, SIGTERM and SIGINT and stops the milter when it gets one.  Linux
 * delivers a signal of the process to the main thread unless that blocks it.  So the main thread never blocks them
 * while libmilter runs: a handler takes them at any time and writes their numbers into a pipe.  All other threads
 * block them.
 */
#ifndef VTM_SIGNALS_H
#define VTM_SIGNALS_H

#include <glib.h>
#include <stdint.h>

/* Installs the handler and blocks the signals in this thread and those that it starts; ignores SIGPIPE.  Call once,
 * before there are threads.  -1: the error of pipe(2). */
int vtm_signals_init(GError **error);

/* In the calling thread.  A signal that came while the main thread blocked them is handled when it unblocks them. */
void vtm_signals_block(void);
void vtm_signals_unblock(void);

/* The number of the next signal, or 0 if none comes within <wait_ms> (-1: waits without a limit).  Main thread. */
int vtm_signals_next(int64_t wait_ms);

#endif
