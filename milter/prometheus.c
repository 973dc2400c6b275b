/* SPDX-License-Identifier: BSD-2-Clause */
/* prometheus.c - see prometheus.h. */
#include "prometheus.h"

#define P "vtmilter_"

/* ---- the format ---- */

static void family(GString *to, const char *name, const char *type, const char *help)
{
	g_string_append_printf(to, "# HELP " P "%s %s\n# TYPE " P "%s %s\n", name, help, name, type);
}

/* Label values are our own words (names of enums, the version), which need no escapes. */
static void sample(GString *to, const char *name, const char *label, const char *value, uint64_t number)
{
	g_string_append_printf(to, P "%s{%s=\"%s\"} %" G_GUINT64_FORMAT "\n", name, label, value, number);
}

static void number(GString *to, const char *name, const char *type, const char *help, uint64_t value)
{
	family(to, name, type, help);
	g_string_append_printf(to, P "%s %" G_GUINT64_FORMAT "\n", name, value);
}

static void counter(GString *to, const char *name, const char *help, uint64_t value)
{
	number(to, name, "counter", help, value);
}

static void gauge(GString *to, const char *name, const char *help, uint64_t value)
{
	number(to, name, "gauge", help, value);
}

/* Writes a decimal point in every locale. */
static void seconds(GString *to, uint64_t ms)
{
	g_string_append_printf(to, "%" G_GUINT64_FORMAT ".%03u", ms / 1000, (unsigned)(ms % 1000));
}

static void histogram(GString *to, const char *name, const char *help, const struct vtm_histogram *h)
{
	uint64_t total = 0;

	family(to, name, "histogram", help);
	for (unsigned i = 0; i < VTM_HISTOGRAM_STEPS; i++) {
		total += h->counts[i];
		g_string_append_printf(to, P "%s_bucket{le=\"", name);
		seconds(to, vtm_histogram_steps_ms[i]);
		g_string_append_printf(to, "\"} %" G_GUINT64_FORMAT "\n", total);
	}
	total += h->counts[VTM_HISTOGRAM_STEPS];
	g_string_append_printf(to, P "%s_bucket{le=\"+Inf\"} %" G_GUINT64_FORMAT "\n", name, total);
	g_string_append_printf(to, P "%s_sum ", name);
	seconds(to, h->sum_ms);
	g_string_append_printf(to, "\n" P "%s_count %" G_GUINT64_FORMAT "\n", name, total);
}

/* ---- mail ---- */

static void items(GString *to, const struct vtm_counts *c)
{
	family(to, "items_total", "counter", "Attachments and URLs of messages, by verdict at the end of the message.");
	for (int k = 0; k < (int)G_N_ELEMENTS(c->items); k++)
		for (int v = 0; v < VTM_VERDICTS; v++)
			g_string_append_printf(to, P "items_total{kind=\"%s\",verdict=\"%s\"} %" G_GUINT64_FORMAT "\n",
					       vtm_kind_name((enum vtm_kind)k), vtm_verdict_name((enum vtm_verdict)v),
					       c->items[k][v]);
	family(to, "items_bypassed_total", "counter", "Items without a verdict, by the reason.");
	for (int r = VTM_WHY_NONE + 1; r < VTM_REASONS; r++)
		sample(to, "items_bypassed_total", "reason", vtm_reason_name((enum vtm_reason)r), c->bypassed[r]);
}

static void mail(GString *to, const struct vtm_numbers *n)
{
	const struct vtm_counts *c = &n->counts;

	family(to, "messages_total", "counter", "Messages that came to their end, by what was done with them.");
	sample(to, "messages_total", "plan", "scan", c->messages - c->skipped - c->trusted - c->unkept - c->lost_mta);
	sample(to, "messages_total", "plan", "skip", c->skipped);
	sample(to, "messages_total", "plan", "trust", c->trusted);
	sample(to, "messages_total", "plan", "unkept", c->unkept);
	sample(to, "messages_total", "plan", "lost-mta", c->lost_mta);
	counter(to, "messages_untagged_total", "Scanned messages without an item, which get no tag.", c->untagged);
	counter(to, "messages_forged_total", "Messages that came with X-VT-* headers, which were deleted.", c->forged);
	family(to, "messages_acted_on_total", "counter", "Messages that OnBad or OnFailure kept from being delivered.");
	sample(to, "messages_acted_on_total", "action", "quarantine", c->quarantined);
	sample(to, "messages_acted_on_total", "action", "reject", c->rejected);
	sample(to, "messages_acted_on_total", "action", "discard", c->discarded);
	sample(to, "messages_acted_on_total", "action", "tempfail", c->tempfailed);
	counter(to, "message_bytes_total", "Size of all messages together.", c->bytes);
	gauge(to, "messages_open", "Messages between MAIL and their end now.", n->open);
	family(to, "tags_total", "counter", "Tags written.");
	for (int t = 0; t < VTM_TAGS; t++)
		sample(to, "tags_total", "tag", vtm_tag_name((enum vtm_tag)t), c->tagged[t]);
	items(to, c);
	histogram(to, "message_delay_seconds", "Time that scanned messages spent at their end.", &c->delay);
	family(to, "spool_bytes", "gauge", "Bytes of messages being collected now.");
	sample(to, "spool_bytes", "where", "memory", n->spool_memory);
	sample(to, "spool_bytes", "where", "file", n->spool_file);
}

/* ---- decoders ---- */

static void decoders(GString *to, const struct vtm_decoders_counts *c)
{
	family(to, "parts_decoded_total", "counter", "Archives, PDF, TNEF and S/MIME parts that a decoder read.");
	for (int d = 0; d < VTM_DECODERS; d++)
		sample(to, "parts_decoded_total", "decoder", vtm_decoder_name((enum vtm_decoder)d), c->decoded[d]);
	family(to, "parts_undecoded_total", "counter", "Such parts that were not read, so VT_Bypassed, by the reason.");
	for (int w = 0; w < VTM_UNDECODED_REASONS; w++)
		sample(to, "parts_undecoded_total", "reason", vtm_undecoded_name((enum vtm_undecoded)w),
		       c->undecoded[w]);
	counter(to, "decoders_started_total", "Processes that were started to decode a message's parts.", c->started);
	gauge(to, "decoders_busy", "Such processes now.", c->busy);
}

/* ---- look-ups ---- */

static void queue(GString *to, const struct vtm_sched_stats *s)
{
	family(to, "lookups_asked_total", "counter", "Requests sent, by class.");
	for (int c = 0; c < VTM_CLASSES; c++)
		sample(to, "lookups_asked_total", "class", vtm_class_name((enum vtm_class)c), s->asked[c]);
	family(to, "queue_lookups", "gauge", "Look-ups in the queue now, by class.");
	for (int c = 0; c < VTM_CLASSES; c++)
		sample(to, "queue_lookups", "class", vtm_class_name((enum vtm_class)c), s->queued[c]);
	family(to, "queue_oldest_seconds", "gauge", "Age of the look-up that has been in the queue longest.");
	g_string_append(to, P "queue_oldest_seconds ");
	seconds(to, (uint64_t)MAX(0, s->oldest_ms));
	g_string_append(to, "\n");
	family(to, "queue_lost_total", "counter", "Look-ups that left the queue without an answer.");
	sample(to, "queue_lost_total", "why", "full", s->dropped);
	sample(to, "queue_lost_total", "why", "expired", s->expired);
	counter(to, "lookups_coalesced_total", "Look-ups that were in the queue already.", s->coalesced);
	gauge(to, "lookups_in_flight", "Requests without an answer yet.", s->in_flight);
	gauge(to, "messages_waiting", "Messages that wait for answers now.", s->waiting);
	gauge(to, "messages_waiting_most", "The most messages that ever waited at once.", s->waiting_max);
	family(to, "messages_released_total", "counter", "Messages with look-ups, by why they went on.");
	sample(to, "messages_released_total", "why", "answered", s->released_answered);
	sample(to, "messages_released_total", "why", "deadline", s->released_deadline);
	sample(to, "messages_released_total", "why", "not-waiting", s->released_unadmitted);
}

static void points(GString *to, const struct vtm_sched_stats *s)
{
	char label[8];

	family(to, "lookups_points_total", "counter", "Requests sent for mail, by points (Order points).");
	for (int i = 0; i < VTM_SCHED_POINTS; i++) {
		g_snprintf(label, sizeof(label), "%d", i - 1);
		sample(to, "lookups_points_total", "points", label, s->asked_by_points[i]);
	}
	family(to, "lookups_points_bad_total", "counter", "And of these, answered bad.");
	for (int i = 0; i < VTM_SCHED_POINTS; i++) {
		g_snprintf(label, sizeof(label), "%d", i - 1);
		sample(to, "lookups_points_bad_total", "points", label, s->bad_by_points[i]);
	}
	counter(to, "lookups_drawn_total", "Requests that went by lot (ExploreShare).", s->drawn);
	counter(to, "lookups_drawn_bad_total", "And of these, answered bad: points had missed them.", s->drawn_bad);
	counter(to, "lookups_left_aside_total", "Look-ups that were not queued, since others had more points.", s->left_aside);
}

static void api(GString *to, const struct vtm_sched_stats *s)
{
	family(to, "api_answers_total", "counter", "Answers of VirusTotal, by what they mean.");
	for (int a = 0; a < VTM_ANSWERS; a++)
		sample(to, "api_answers_total", "answer", vtm_answer_name((enum vtm_answer)a), s->answers[a]);
	family(to, "api_status_total", "counter", "Answers of VirusTotal, by HTTP status.");
	for (int i = 0; i < VTM_STATUSES; i++)
		sample(to, "api_status_total", "code", vtm_status_name((enum vtm_status)i), s->statuses[i]);
	histogram(to, "api_answer_seconds", "Time that answers took.", &s->took);
	counter(to, "late_answers_total", "Answers for which no message waited any more.", s->late_answers);
	counter(to, "reasks_total", "Unknown attachments asked about again.", s->reasks);
	counter(to, "submissions_total", "URLs submitted, and polls of their analyses.", s->submissions);
	family(to, "circuit_state", "gauge", "1 for the state of the circuit to VirusTotal.");
	for (int c = 0; c <= VTM_CIRCUIT_HALF_OPEN; c++)
		sample(to, "circuit_state", "state", vtm_circuit_name((enum vtm_circuit)c), (int)s->breaker.state == c);
}

static void cache(GString *to, const struct vtm_resolver_stats *r)
{
	family(to, "cache_hits_total", "counter", "Look-ups answered without a request, by layer.");
	sample(to, "cache_hits_total", "layer", "memory", r->cached_at_once + r->sched.cached_memory);
	sample(to, "cache_hits_total", "layer", "store", r->sched.cached_store);
	gauge(to, "cache_entries", "Verdicts in memory.", r->cache_entries);
}

/* ---- the budget ---- */

static void of_window(GString *to, const char *name, const char *window, uint32_t limit, uint64_t value)
{
	if (limit)
		sample(to, name, "window", window, value);
}

static const char *const spender_names[VTM_SPENDERS] = {
	[VTM_SPEND_MANUAL] = "manual",
	[VTM_SPEND_ATTACHMENT] = "attachment",
	[VTM_SPEND_URL] = "url",
};

static void budget(GString *to, const struct vtm_budget_limits *l, const struct vtm_sched_stats *s)
{
	family(to, "budget_limit_requests", "gauge", "Requests allowed; a window without a limit is left out.");
	of_window(to, "budget_limit_requests", "minute", l->per_minute.limited, l->per_minute.most);
	of_window(to, "budget_limit_requests", "day", l->per_day.limited, l->per_day.most);
	of_window(to, "budget_limit_requests", "month", l->per_month.limited, l->per_month.most);
	family(to, "budget_used_requests", "gauge", "Requests used of the current minute, UTC day and UTC month.");
	sample(to, "budget_used_requests", "window", "minute", s->window_used);
	sample(to, "budget_used_requests", "window", "day", s->day_used);
	sample(to, "budget_used_requests", "window", "month", s->month_used);
	family(to, "budget_left_requests", "gauge", "Requests left; a window without a limit is left out.");
	of_window(to, "budget_left_requests", "minute", l->per_minute.limited, vtm_limit_left(l->per_minute, s->window_used));
	of_window(to, "budget_left_requests", "day", l->per_day.limited, vtm_limit_left(l->per_day, s->day_used));
	of_window(to, "budget_left_requests", "month", l->per_month.limited, vtm_limit_left(l->per_month, s->month_used));
	if (!l->per_day.limited && !l->per_month.limited)
		return;
	family(to, "budget_spendable_requests", "gauge", "Requests that may still be spent today, reserves set aside.");
	for (int w = 0; w < VTM_SPENDERS; w++)
		sample(to, "budget_spendable_requests", "for", spender_names[w],
		       vtm_budget_left(l, (enum vtm_spender)w, s->day_used, s->month_used));
}

static void server(GString *to, const struct vtm_sched_stats *s)
{
	if (s->server_daily.allowed < 0 && s->server_monthly.allowed < 0)
		return;
	family(to, "server_used_requests", "gauge", "Requests used as VirusTotal counts them.");
	if (s->server_daily.allowed >= 0)
		sample(to, "server_used_requests", "window", "day", (uint64_t)MAX(0, s->server_daily.used));
	if (s->server_monthly.allowed >= 0)
		sample(to, "server_used_requests", "window", "month", (uint64_t)MAX(0, s->server_monthly.used));
	family(to, "server_limit_requests", "gauge", "Requests allowed as VirusTotal counts them.");
	if (s->server_daily.allowed >= 0)
		sample(to, "server_limit_requests", "window", "day", (uint64_t)s->server_daily.allowed);
	if (s->server_monthly.allowed >= 0)
		sample(to, "server_limit_requests", "window", "month", (uint64_t)s->server_monthly.allowed);
}

/* ---- the daemon ---- */

static void store(GString *to, const struct vtm_resolver_stats *r)
{
	gauge(to, "store_up", "1: the store works.", r->store_ok);
	counter(to, "store_errors_total", "Calls to the store that failed.", r->sched.store_errors);
	counter(to, "late_bad_messages_total", "Delivered messages that turned out bad.", r->late_verdicts);
	family(to, "late_commands_total", "counter",
	       "Late verdicts that LateVerdictCommand took, and those given up after 12 runs.");
	sample(to, "late_commands_total", "result", "done", r->late_done);
	sample(to, "late_commands_total", "result", "failed", r->late_failed);
	counter(to, "journal_written_total", "Messages written into the journal.", r->journal_written);
	counter(to, "journal_dropped_total", "Messages that could not be written into the journal.",
		r->journal_dropped);
	gauge(to, "journal_waiting", "Messages that wait to be written into the journal.", r->journal_waiting);
}

void vtm_prometheus_write(GString *to, const struct vtm_numbers *n)
{
	family(to, "build_info", "gauge", "1; the version is the label.");
	sample(to, "build_info", "version", n->version, 1);
	gauge(to, "enabled", "1: messages are scanned; 0: forged headers are stripped, nothing else.", n->enabled);
	gauge(to, "healthy", "1: all is well; 0: /healthz says what is not.", n->healthy);
	mail(to, n);
	decoders(to, &n->decoders);
	if (!n->has_resolver)
		return;
	family(to, "resolver_beat_age_seconds", "gauge", "Time since the last turn of the resolver's thread.");
	g_string_append(to, P "resolver_beat_age_seconds ");
	seconds(to, (uint64_t)MAX(0, n->now_boot_ms - n->resolver.beat_ms));
	g_string_append(to, "\n");
	queue(to, &n->resolver.sched);
	points(to, &n->resolver.sched);
	api(to, &n->resolver.sched);
	cache(to, &n->resolver);
	budget(to, &n->limits, &n->resolver.sched);
	server(to, &n->resolver.sched);
	store(to, &n->resolver);
}
