/* SPDX-License-Identifier: BSD-2-Clause */
/* test-prometheus.c - histogram, health, and the numbers as text. */
#include <string.h>

#include "health.h"
#include "prometheus.h"
#include "tap.h"

static void histogram(void)
{
	struct vtm_histogram h = { .sum_ms = 0 };

	vtm_histogram_add(&h, -7);
	vtm_histogram_add(&h, 0);
	vtm_histogram_add(&h, 5);
	is_int((gint64)h.counts[0], 3, "up to and including the first step, and no time before none");
	vtm_histogram_add(&h, 6);
	is_int((gint64)h.counts[1], 1, "above it");
	vtm_histogram_add(&h, 3600000);
	is_int((gint64)h.counts[VTM_HISTOGRAM_STEPS - 1], 1, "the last step");
	vtm_histogram_add(&h, 3600001);
	is_int((gint64)h.counts[VTM_HISTOGRAM_STEPS], 1, "beyond it");
	is_int((gint64)h.sum_ms, 5 + 6 + 3600000 + 3600001, "the sum");
	for (int i = 1; i < VTM_HISTOGRAM_STEPS; i++)
		if (vtm_histogram_steps_ms[i] <= vtm_histogram_steps_ms[i - 1])
			ok(false, "step %d is not above the one before", i);
}

static void health(void)
{
	struct vtm_resolver_stats s = { .store_ok = true, .beat_ms = 100000 };
	GString *why = g_string_new(NULL);

	ok(vtm_health(NULL, 0, why) && !why->len, "nothing asked, nothing wrong");
	ok(vtm_health(&s, 100000 + VTM_BEAT_SLOW_MS, why) && !why->len, "well up to the bound");
	ok(!vtm_health(&s, 100001 + VTM_BEAT_SLOW_MS, why), "slow beyond it");
	is_str(why->str, "resolver: its thread has not turned for 15 s\n", "and says so");
	ok(vtm_health_alive(&s, 100000 + VTM_BEAT_DEAD_MS), "alive up to the bound");
	ok(!vtm_health_alive(&s, 100001 + VTM_BEAT_DEAD_MS), "dead beyond it");
	ok(vtm_health_alive(NULL, 0), "nothing to watch");
	g_string_truncate(why, 0);
	s.store_ok = false;
	strcpy(s.store_error, "disk full");
	s.sched.breaker = (struct vtm_breaker){ .state = VTM_CIRCUIT_OPEN, .cause = VTM_WHY_DENIED, .until_ms = 101001 };
	ok(!vtm_health(&s, 100000, why), "store and circuit");
	is_str(why->str, "store: disk full\ncircuit: open (denied), tried again in 2 s\n", "a line each");
	g_string_truncate(why, 0);
	s.store_ok = true;
	vtm_breaker_retry_now(&s.sched.breaker);
	ok(!vtm_health(&s, 100000, why), "a reload lets it try");
	is_str(why->str, "circuit: open (denied), tried again in 0 s\n", "at once");
	g_string_truncate(why, 0);
	s.sched.breaker.state = VTM_CIRCUIT_HALF_OPEN;
	ok(!vtm_health(&s, 100000, why) && g_str_has_prefix(why->str, "circuit: half-open (denied)"), "half open");
	g_string_free(why, TRUE);
}

static bool has_line(const GString *text, const char *line)
{
	char *with_ends = g_strdup_printf("\n%s\n", line);
	bool found = strstr(text->str, with_ends) != NULL;

	g_free(with_ends);
	return found;
}

static void text(void)
{
	static const char *const lines[] = {
		"vtmilter_build_info{version=\"1.2.3\"} 1",
		"vtmilter_messages_total{plan=\"scan\"} 2",
		"vtmilter_items_total{kind=\"attachment\",verdict=\"bad\"} 1",
		"vtmilter_items_bypassed_total{reason=\"cap\"} 1",
		"vtmilter_tags_total{tag=\"VT_Bad\"} 1",
		"vtmilter_message_delay_seconds_bucket{le=\"1.000\"} 0",
		"vtmilter_message_delay_seconds_bucket{le=\"5.000\"} 1",
		"vtmilter_message_delay_seconds_bucket{le=\"+Inf\"} 1",
		"vtmilter_message_delay_seconds_sum 1.200",
		"vtmilter_message_delay_seconds_count 1",
		"vtmilter_cache_hits_total{layer=\"memory\"} 7",
		"vtmilter_budget_used_requests{window=\"day\"} 600",
		"vtmilter_budget_left_requests{window=\"day\"} 0",
		"vtmilter_budget_limit_requests{window=\"minute\"} 4",
		"vtmilter_api_status_total{code=\"5xx\"} 3",
		"vtmilter_circuit_state{state=\"open\"} 1",
		"vtmilter_circuit_state{state=\"closed\"} 0",
		"vtmilter_resolver_beat_age_seconds 2.500",
		"vtmilter_parts_decoded_total{decoder=\"pdf\"} 5",
		"vtmilter_parts_undecoded_total{reason=\"crashed\"} 2",
		"vtmilter_parts_undecoded_total{reason=\"size\"} 0",
		"vtmilter_spool_bytes{where=\"file\"} 18446744073709551615",
	};
	struct vtm_numbers n = {
		.version = "1.2.3", .enabled = true, .has_resolver = true, .now_boot_ms = 12500,
		.limits = { .per_minute = VTM_LIMIT(4), .per_day = VTM_LIMIT(500) }, .spool_file = UINT64_MAX,
	};
	GString *to = g_string_new(NULL);

	n.counts.messages = 4;
	n.counts.skipped = n.counts.trusted = 1;
	n.counts.items[VTM_ATTACHMENT][VTM_BAD] = 1;
	n.counts.bypassed[VTM_WHY_CAP] = 1;
	n.counts.tagged[VTM_TAG_BAD] = 1;
	vtm_histogram_add(&n.counts.delay, 1200);
	n.decoders.decoded[VTM_DECODER_PDF] = 5;
	n.decoders.undecoded[VTM_UNDECODED_CRASHED] = 2;
	n.resolver.beat_ms = 10000;
	n.resolver.cached_at_once = 3;
	n.resolver.sched.cached_memory = 4;
	n.resolver.sched.day_used = 600;
	n.resolver.sched.statuses[VTM_STATUS_5XX] = 3;
	n.resolver.sched.breaker.state = VTM_CIRCUIT_OPEN;
	n.resolver.sched.server_daily.allowed = n.resolver.sched.server_monthly.allowed = -1;
	vtm_prometheus_write(to, &n);
	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
		ok(has_line(to, lines[i]), "%s", lines[i]);
	ok(!strstr(to->str, "window=\"month\"} 0\nvtmilter_budget_left") &&
	   !strstr(to->str, "vtmilter_budget_limit_requests{window=\"month\"}"), "no limit, no line");
	ok(!strstr(to->str, "vtmilter_server_"), "what VirusTotal did not tell");
	g_string_truncate(to, 0);
	n.has_resolver = false;
	vtm_prometheus_write(to, &n);
	ok(!strstr(to->str, "vtmilter_budget") && strstr(to->str, "vtmilter_messages_total"), "nothing asked");
	g_string_free(to, TRUE);
}

static void statuses(void)
{
	static const struct { long code; const char *name; } cases[] = {
		{ 0, "none" }, { 200, "200" }, { 204, "2xx" }, { 302, "3xx" }, { 400, "400" }, { 401, "401" },
		{ 403, "403" }, { 404, "404" }, { 418, "4xx" }, { 429, "429" }, { 503, "5xx" }, { 100, "other" },
		{ 999, "other" }, { -1, "other" }, { 2, "other" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		is_str(vtm_status_name(vtm_status_of(cases[i].code)), cases[i].name, "HTTP %ld", cases[i].code);
}

int main(void)
{
	histogram();
	health();
	text();
	statuses();
	return done_testing();
}
