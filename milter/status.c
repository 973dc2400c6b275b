/* SPDX-License-Identifier: BSD-2-Clause */
/* status.c - see status.h. */
#include "status.h"

#include <sys/resource.h>
#include <unistd.h>

#include "build-config.h"
#include "conf/conf.h"
#include "daemon.h"
#include "base/json.h"

static int64_t items_of(const struct vtm_counts *c, enum vtm_kind kind)
{
	uint64_t n = 0;

	for (int v = 0; v < VTM_VERDICTS; v++)
		n += c->items[kind][v];
	return (int64_t)n;
}

static struct vtm_json *messages_json(void)
{
	struct vtm_json *j = vtm_json_new(), *tags = vtm_json_new();
	struct vtm_counts c;

	vtm_daemon_counts(&c);
	vtm_json_int(j, "seen", (int64_t)c.messages);
	vtm_json_int(j, "open", g_atomic_int_get(&vtm_daemon.open));
	vtm_json_int(j, "skipped", (int64_t)c.skipped);
	vtm_json_int(j, "trusted", (int64_t)c.trusted);
	vtm_json_int(j, "unkept", (int64_t)c.unkept);
	vtm_json_int(j, "lost_mta", (int64_t)c.lost_mta);
	vtm_json_int(j, "forged", (int64_t)c.forged);
	vtm_json_int(j, "rejected", (int64_t)c.rejected);
	vtm_json_int(j, "quarantined", (int64_t)c.quarantined);
	vtm_json_int(j, "discarded", (int64_t)c.discarded);
	vtm_json_int(j, "tempfailed", (int64_t)c.tempfailed);
	vtm_json_int(j, "attachments", items_of(&c, VTM_ATTACHMENT));
	vtm_json_int(j, "urls", items_of(&c, VTM_URL));
	for (int t = 0; t < VTM_TAGS; t++)
		vtm_json_int(tags, vtm_tag_name((enum vtm_tag)t), (int64_t)c.tagged[t]);
	vtm_json_object(j, "tags", tags);
	return j;
}

static struct vtm_json *decoders_json(void)
{
	struct vtm_json *j = vtm_json_new(), *decoded = vtm_json_new(), *undecoded = vtm_json_new();
	struct vtm_decoders_counts c = { 0 };

	if (vtm_daemon.decoders)
		vtm_decoders_counts(vtm_daemon.decoders, &c);
	vtm_json_int(j, "busy", c.busy);
	vtm_json_int(j, "started", (int64_t)c.started);
	for (int d = 0; d < VTM_DECODERS; d++)
		vtm_json_int(decoded, vtm_decoder_name((enum vtm_decoder)d), (int64_t)c.decoded[d]);
	vtm_json_object(j, "decoded", decoded);
	for (int w = 0; w < VTM_UNDECODED_REASONS; w++)
		vtm_json_int(undecoded, vtm_undecoded_name((enum vtm_undecoded)w), (int64_t)c.undecoded[w]);
	vtm_json_object(j, "undecoded", undecoded);
	return j;
}

/* For vtmilterctl doctor. */
static struct vtm_json *process_json(void)
{
	struct vtm_json *j = vtm_json_new();
	struct rlimit files = { 0 };

	getrlimit(RLIMIT_NOFILE, &files);
	vtm_json_int(j, "pid", getpid());
	vtm_json_int(j, "uid", geteuid());
	vtm_json_int(j, "files", (int64_t)MIN(files.rlim_cur, (rlim_t)G_MAXINT));
	return j;
}

static struct vtm_json *queue_json(const struct vtm_sched_stats *s)
{
	struct vtm_json *j = vtm_json_new();

	for (int c = 0; c < VTM_CLASSES; c++)
		vtm_json_int(j, vtm_class_name((enum vtm_class)c), s->queued[c]);
	vtm_json_int(j, "in_flight", s->in_flight);
	vtm_json_int(j, "oldest_s", s->oldest_ms / 1000);
	return j;
}

static struct vtm_json *budget_json(const struct vtm_sched_stats *s, const struct vtm_conf *c)
{
	struct vtm_json *j = vtm_json_new();

	vtm_json_int(j, "minute_used", s->window_used);
	vtm_json_int(j, "minute", c->requests_per_minute);
	vtm_json_int(j, "day_used", s->day_used);
	vtm_json_int(j, "day", c->requests_per_day);
	vtm_json_int(j, "month_used", s->month_used);
	vtm_json_int(j, "month", c->requests_per_month);
	vtm_json_int(j, "server_day_used", s->server_daily.used);
	vtm_json_int(j, "server_day", s->server_daily.allowed);
	vtm_json_int(j, "server_month_used", s->server_monthly.used);
	vtm_json_int(j, "server_month", s->server_monthly.allowed);
	return j;
}

/* How far the day has passed and is spent, and what is asked now; only where look-ups are paced. */
static struct vtm_json *pace_json(const struct vtm_sched_stats *s)
{
	struct vtm_json *j = vtm_json_new();

	vtm_json_int(j, "day_passed", (int64_t)(100 * s->day_passed));
	vtm_json_int(j, "day_spent", s->day_budget ? 100 * (int64_t)s->day_used / s->day_budget : 100);
	vtm_json_int(j, "points", s->floor);
	return j;
}

static struct vtm_json *store_json(const struct vtm_resolver_stats *r)
{
	struct vtm_json *j = vtm_json_new();

	vtm_json_bool(j, "ok", r->store_ok);
	vtm_json_text(j, "error", r->store_error[0] ? r->store_error : NULL);
	vtm_json_int(j, "journal_waiting", r->journal_waiting);
	vtm_json_int(j, "journal_dropped", (int64_t)r->journal_dropped);
	return j;
}

static void add_resolver(struct vtm_json *j, struct vtm_resolver *resolver, const struct vtm_conf *c)
{
	struct vtm_resolver_stats r;
	struct vtm_json *circuit = vtm_json_new();

	vtm_resolver_stats(resolver, &r);
	vtm_json_int(j, "waiting", r.sched.waiting);
	vtm_json_object(j, "queue", queue_json(&r.sched));
	vtm_json_object(j, "budget", budget_json(&r.sched, c));
	if (r.sched.paced)
		vtm_json_object(j, "pace", pace_json(&r.sched));
	vtm_json_int(j, "cache_entries", r.cache_entries);
	vtm_json_text(circuit, "state", vtm_circuit_name(r.sched.breaker.state));
	vtm_json_text(circuit, "cause", r.sched.breaker.state == VTM_CIRCUIT_CLOSED ? NULL :
		      vtm_reason_name(r.sched.breaker.cause));
	if (r.sched.breaker.state != VTM_CIRCUIT_CLOSED)
		vtm_json_int(circuit, "retry_s",
			     MAX(r.sched.breaker.until_ms - vtm_boot_ms(vtm_daemon.clock), 0) / 1000);
	vtm_json_object(j, "virustotal", circuit);
	vtm_json_object(j, "store", store_json(&r));
	vtm_json_int(j, "beat_age_ms", vtm_boot_ms(vtm_daemon.clock) - r.beat_ms);
}

char *vtm_status(void)
{
	struct vtm_json *j = vtm_json_new();
	struct vtm_conf *c = vtm_conf_current();
	struct vtm_resolver *resolver = vtm_daemon_resolver();
	char *line;

	vtm_json_text(j, "version", PACKAGE_VERSION);
	vtm_json_bool(j, "enabled", c->enabled);
	vtm_json_int(j, "since", vtm_daemon.start_utc_ms / 1000);
	vtm_json_object(j, "process", process_json());
	vtm_json_object(j, "messages", messages_json());
	vtm_json_object(j, "decoders", decoders_json());
	if (resolver)
		add_resolver(j, resolver, c);
	line = vtm_json_line(j);
	vtm_json_free(j);
	vtm_conf_unref(c);
	return line;
}
