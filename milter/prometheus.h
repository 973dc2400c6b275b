/* SPDX-License-Identifier: BSD-2-Clause */
/* prometheus.h - writes the daemon's numbers in Prometheus's text format.  Does no I/O.
 *
 * Format: https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4).  The names must not
 * change: contrib/grafana and administrators' rules use them.
 */
#ifndef VTM_PROMETHEUS_H
#define VTM_PROMETHEUS_H

#include <glib.h>
#include <stdbool.h>

#include "daemon.h"

/* The numbers of one answer. */
struct vtm_numbers {
	const char *version;
	bool enabled, healthy;
	struct vtm_counts counts;
	bool has_resolver;		/* false: resolver is all zero, and its metrics are left out */
	struct vtm_resolver_stats resolver;
	struct vtm_budget_limits limits;
	struct vtm_decoders_counts decoders;
	int64_t now_boot_ms;
	unsigned open;			/* messages between MAIL and their end */
	uint64_t spool_memory, spool_file;	/* bytes */
};

void vtm_prometheus_write(GString *to, const struct vtm_numbers *n);

#endif
