/* SPDX-License-Identifier: BSD-2-Clause */
/* metrics.h - /metrics and /healthz over HTTP (MetricsListen).
 *
 * One listener a process with a thread of its own; it reads numbers, changes nothing, and says nothing of a message.
 * Bounds: VTM_METRICS_CONNECTIONS at a time, each of VTM_METRICS_TIMEOUT_S s; what a client sends is read into 4 KiB.
 */
#ifndef VTM_METRICS_H
#define VTM_METRICS_H

#include <glib.h>

#define VTM_METRICS_CONNECTIONS 16
#define VTM_METRICS_TIMEOUT_S 10

/* Listens on <listen> ("127.0.0.1:9894", "[::1]:9894"; NULL: nowhere) from now on, and no longer where it did before;
 * the same again changes nothing.  -1 and an error if it cannot: then it listens nowhere.  One caller
 * at a time, after vtm_daemon is set up and signals are blocked. */
int vtm_metrics_listen(const char *listen, GError **error);

#endif
