/* SPDX-License-Identifier: BSD-2-Clause */
/* apply.h - passes a configuration to the running parts, at the start and at a reload.
 *
 * Main thread at the start; afterwards under the lock of reload.c.
 */
#ifndef VTM_APPLY_H
#define VTM_APPLY_H

#include <glib.h>

#include "conf/conf.h"

void vtm_apply_log(const struct vtm_conf *c);

/* Divides MaxMemory: one half for messages that arrive, one half for reading them. */
void vtm_apply_memory(const struct vtm_conf *c);

/* Starts the resolver, or gives the running one its new settings.  Does nothing if Enabled is no.  -1: as
 * vtm_resolver_new() and vtm_resolver_configure(). */
int vtm_apply_resolver(const struct vtm_conf *c, GError **error);

/* Listens at MetricsListen.  Logs a failure, for example a port that is taken: no mail depends on it. */
void vtm_apply_metrics(const struct vtm_conf *c);

#endif
