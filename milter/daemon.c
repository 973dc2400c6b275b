/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon.c - see daemon.h. */
#include "daemon.h"

struct vtm_daemon vtm_daemon;

/* All counts have the same width, so the functions below need no change for a new one. */
G_STATIC_ASSERT(sizeof(struct vtm_counts) % sizeof(uint64_t) == 0);

void vtm_daemon_count(const struct vtm_counts *more)
{
	const uint64_t *from = (const uint64_t *)more;
	uint64_t *to = (uint64_t *)&vtm_daemon.counts;

	g_mutex_lock(&vtm_daemon.lock);
	for (size_t i = 0; i < sizeof(*more) / sizeof(*from); i++)
		to[i] += from[i];
	g_mutex_unlock(&vtm_daemon.lock);
}

void vtm_daemon_counts(struct vtm_counts *out)
{
	g_mutex_lock(&vtm_daemon.lock);
	*out = vtm_daemon.counts;
	g_mutex_unlock(&vtm_daemon.lock);
}
