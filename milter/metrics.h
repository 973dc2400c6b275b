/* SPDX-License-Identifier: BSD-2-Clause */
/* metrics.h - serves /metrics and /healthz over HTTP (MetricsListen).
 *
 * One listener in a process, with a thread of its own.  It reads numbers, changes nothing and shows nothing of a
 * message. Bounds: VTM_METRICS_CONNECTIONS at a time, VTM_METRICS_TIMEOUT_S for each, 4 KiB of a request.
 */
#ifndef VTM_METRICS_H
#define VTM_METRICS_H

#include <glib.h>

#define VTM_METRICS_CONNECTIONS 16
#define VTM_METRICS_TIMEOUT_S 10

/* Listens at <listen> ("127.0.0.1:9894", "[::1]:9894"; NULL: nowhere) instead of where it did before.  -1: it cannot,
 * and listens nowhere.  One caller at a time, after vtm_daemon is set up and signals are blocked. */
int vtm_metrics_listen(const char *listen, GError **error);

#endif
