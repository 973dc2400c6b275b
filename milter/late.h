/* SPDX-License-Identifier: BSD-2-Clause */
/* late.h - runs LateVerdictCommand for delivered messages that turned bad.
 *
 * Without a shell: its own argv, an environment of PATH and VTM_QUEUE_ID, VTM_MESSAGE_ID, VTM_SENDER, VTM_TAGS only
 * (one of more than 32 KiB is left out), the late verdict as one line of JSON on standard input, standard output thrown
 * away. At most VTM_LATE_AT_ONCE (resolver.h) run at the same time; one that takes longer than LateVerdictTimeout is
 * killed. Exit status 0 means done, EX_DATAERR that trying again is of no use; anything else is tried again later. What
 * is not done is logged with the first line of its standard error.
 */
#ifndef VTM_LATE_H
#define VTM_LATE_H

#include <stdint.h>

#include "queue/resolver.h"

struct vtm_late_runner;

/* Starts no thread before there is something to run. */
struct vtm_late_runner *vtm_late_new(void);
/* Runs nothing more; what runs is killed after 2 s.  Before the resolver is freed; the resolver may go on calling. */
void vtm_late_stop(struct vtm_late_runner *l);
/* After the resolver is freed. */
void vtm_late_free(struct vtm_late_runner *l);
/* For struct vtm_resolver_settings: <arg> is the runner; takes over <json>; does not block. */
void vtm_late_run(void *arg, struct vtm_resolver *resolver, int64_t id, char *json);

#endif
