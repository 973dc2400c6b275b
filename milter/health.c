/* SPDX-License-Identifier: BSD-2-Clause */
/* health.c - see health.h. */
#include "health.h"

static void circuit(const struct vtm_breaker *b, int64_t now, GString *why)
{
	int64_t left_s = MAX(0, (b->until_ms - now + 999) / 1000);

	switch (b->state) {
	case VTM_CIRCUIT_CLOSED:
		return;
	case VTM_CIRCUIT_OPEN:
		g_string_append_printf(why, "circuit: open (%s), tried again in %" G_GINT64_FORMAT " s\n",
				       vtm_reason_name(b->cause), left_s);
		return;
	case VTM_CIRCUIT_HALF_OPEN:
		g_string_append_printf(why, "circuit: half-open (%s), being tried\n", vtm_reason_name(b->cause));
		return;
	}
}

bool vtm_health(const struct vtm_resolver_stats *stats, int64_t now, GString *why)
{
	gsize before = why->len;

	if (!stats)
		return true;
	if (now - stats->beat_ms > VTM_BEAT_SLOW_MS)
		g_string_append_printf(why, "resolver: its thread has not turned for %" G_GINT64_FORMAT " s\n",
				       (now - stats->beat_ms) / 1000);
	if (!stats->store_ok)
		g_string_append_printf(why, "store: %s\n", stats->store_error[0] ? stats->store_error : "not open");
	circuit(&stats->sched.breaker, now, why);
	return why->len == before;
}

bool vtm_health_alive(const struct vtm_resolver_stats *stats, int64_t now)
{
	return !stats || now - stats->beat_ms <= VTM_BEAT_DEAD_MS;
}
