/* SPDX-License-Identifier: BSD-2-Clause */
/* late.h - runs LateVerdictCommand for delivered messages that turned bad.
 *
 * The command runs without a shell.  Its environment has only PATH and VTM_QUEUE_ID, VTM_MESSAGE_ID, VTM_SENDER,
 * VTM_TAGS (a value over 32 KiB is left out); its standard input is the late verdict, a line of JSON; its standard
 * output is discarded.  At most VTM_LATE_AT_ONCE (resolver.h) run at the same time; a command that takes longer than
 * LateVerdictTimeout is killed.  Exit status 0 means success, EX_DATAERR that it can never succeed; after any other it
 * is run again later.  A failure is logged with the first line of its standard error.
 */
#ifndef VTM_LATE_H
#define VTM_LATE_H

#include <stdint.h>

#include "queue/resolver.h"

struct vtm_late_runner;

/* Starts its threads only when there is a command to run. */
struct vtm_late_runner *vtm_late_new(void);
/* Starts no further command and kills running ones after 2 s.  Call it before the resolver is freed, which may still
 * call vtm_late_run(). */
void vtm_late_stop(struct vtm_late_runner *l);
/* After the resolver is freed. */
void vtm_late_free(struct vtm_late_runner *l);
/* For struct vtm_resolver_settings: <arg> is the runner.  Takes <json>; does not block. */
void vtm_late_run(void *arg, struct vtm_resolver *resolver, int64_t id, char *json);

#endif
