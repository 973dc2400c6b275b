/* SPDX-License-Identifier: BSD-2-Clause */
/* sched-answer.c - what an answer means for its look-up. */
#include "queue/sched-parts.h"

#include "base/log.h"

#define ANSWER_STEP_MS 1000		/* how much longer than expected is believed at once */
#define RETRY_MS 2000			/* first pause after a failure; doubles up to */
#define RETRY_MAX_MS 600000
#define POLL_MS 15000			/* first pause before an analysis is polled; doubles up to */
#define POLL_MAX_MS 240000
#define POLLS_MAX 8			/* then the url stays unknown */

static const struct { long code; const char *name; } statuses[] = {
	[VTM_STATUS_NONE] = { 0, "none" },
	[VTM_STATUS_200] = { 200, "200" },
	[VTM_STATUS_400] = { 400, "400" },
	[VTM_STATUS_401] = { 401, "401" },
	[VTM_STATUS_403] = { 403, "403" },
	[VTM_STATUS_404] = { 404, "404" },
	[VTM_STATUS_429] = { 429, "429" },
	[VTM_STATUS_2XX] = { 2, "2xx" },
	[VTM_STATUS_3XX] = { 3, "3xx" },
	[VTM_STATUS_4XX] = { 4, "4xx" },
	[VTM_STATUS_5XX] = { 5, "5xx" },
	[VTM_STATUS_OTHER] = { -1, "other" },
};
G_STATIC_ASSERT(G_N_ELEMENTS(statuses) == VTM_STATUSES);

static int64_t doubled(int64_t first, unsigned n, int64_t max)
{
	while (n-- > 0 && first < max)
		first *= 2;
	return MIN(first, max);
}

/* 50 to 150 % of <ms>, so that hosts and look-ups do not come back in step. */
static int64_t jittered(int64_t ms)
{
	return ms / 2 + g_random_int_range(0, (gint32)MIN(ms, G_MAXINT32 - 1) + 1);
}

/* One answer that took for ever (a machine that slept meanwhile) must not make waiting look hopeless for long; if they
 * really become slow, the bound grows with each. */
static void learn_time(struct vtm_sched *s, int64_t took)
{
	double bound = s->answer_ms + 4 * s->answer_dev_ms + ANSWER_STEP_MS;
	double error = MIN((double)took, bound) - s->answer_ms;

	s->answer_ms += error / 8;
	s->answer_dev_ms += ((error < 0 ? -error : error) - s->answer_dev_ms) / 4;
}

/* The server's clock and the end of the request reach the store. */
static void settle(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_result *r)
{
	GError *error = NULL;

	s->in_flight--;
	e->in_flight = false;
	if (s->set.store) {
		if (e->has_slot)
			vtm_sched_check_store(s, vtm_store_budget_settle(s->set.store, e->slot, &error), &error);
		if (r->server_utc_ms)
			vtm_sched_check_store(s, vtm_store_budget_sync(s->set.store, r->server_utc_ms, &error), &error);
	}
	e->has_slot = false;
	s->view_stale = true;
}

static void log_circuit(const struct vtm_sched *s, const struct vtm_result *r, enum vtm_severity severity)
{
	vtm_log(severity, "VirusTotal: circuit %s, cause %s, HTTP %ld%s%s", vtm_circuit_name(s->breaker.state),
		vtm_reason_name(s->breaker.cause), r->status, r->why ? ": " : "", r->why ? r->why : "");
}

static void failed(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_result *r)
{
	int64_t now = vtm_sched_now(s), pause;

	if (vtm_breaker_failure(&s->breaker, now))
		log_circuit(s, r, VTM_LOG_ERROR);
	pause = jittered(doubled(RETRY_MS, e->attempts, RETRY_MAX_MS));
	if (e->class != VTM_CLASS_REASK)
		e->attempts++;
	vtm_sched_requeue(s, e, now + pause);
}

static void denied(struct vtm_sched *s, const struct vtm_result *r)
{
	if (vtm_breaker_denied(&s->breaker, vtm_sched_now(s)))
		vtm_log(VTM_LOG_ERROR, "VirusTotal refuses the API key (HTTP %ld); mail is tagged VT_Bypassed; check ApiKeyFile; "
			"tried again every %d s", r->status, VTM_BREAKER_DENIED_MS / 1000);
}

static void unknown(struct vtm_sched *s, struct vtm_entry *e)
{
	struct vtm_report none = { .verdict = VTM_UNKNOWN };

	vtm_sched_complete(s, e, none, true);
}

static void not_found(struct vtm_sched *s, struct vtm_entry *e)
{
	if (e->op != VTM_OP_LOOKUP || !e->submit || e->lookup->key.kind != VTM_LOOKUP_URL) {
		unknown(s, e);
		return;
	}
	e->op = VTM_OP_SUBMIT_URL;
	e->class = e->stored_class = VTM_CLASS_SUBMIT;
	e->attempts = 0;
	vtm_sched_requeue(s, e, 0);
}

/* Submitted, or still being analysed: poll later, not for ever. */
static void poll_later(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_result *r)
{
	if (r->analysis) {
		g_free(e->analysis);
		e->analysis = g_strdup(r->analysis);
		e->attempts = 0;
	}
	if (!e->analysis || e->attempts >= POLLS_MAX) {
		unknown(s, e);
		return;
	}
	e->op = VTM_OP_ANALYSIS;
	e->class = e->stored_class = VTM_CLASS_SUBMIT;
	vtm_sched_requeue(s, e, vtm_sched_now(s) + doubled(POLL_MS, e->attempts++, POLL_MAX_MS));
}

static void refused_by_quota(struct vtm_sched *s, struct vtm_entry *e, const struct vtm_result *r)
{
	if (vtm_breaker_quota(&s->breaker, vtm_sched_now(s), r->retry_after_ms))
		log_circuit(s, r, VTM_LOG_WARNING);
	s->quotas_due_ms = 0;
	vtm_sched_requeue(s, e, 0);
}

enum vtm_status vtm_status_of(long http_status)
{
	for (unsigned i = 0; i < VTM_STATUS_OTHER; i++)
		if (statuses[i].code == (i < VTM_STATUS_2XX ? http_status : http_status / 100))
			return (enum vtm_status)i;
	return VTM_STATUS_OTHER;
}

const char *vtm_status_name(enum vtm_status s)
{
	return statuses[s].name;
}

void vtm_sched_result(struct vtm_sched *s, const struct vtm_result *r)
{
	struct vtm_entry *e = r->tag;

	s->stats.answers[r->answer]++;
	s->stats.statuses[vtm_status_of(r->status)]++;
	vtm_histogram_add(&s->stats.took, r->took_ms);
	if (vtm_sched_quotas_result(s, r)) {
		if (r->answer == VTM_ANSWER_DENIED)
			denied(s, r);
		return;
	}
	settle(s, e, r);
	switch (r->answer) {
	case VTM_ANSWER_REPORT:
	case VTM_ANSWER_NOT_FOUND:
	case VTM_ANSWER_SUBMITTED:
	case VTM_ANSWER_ANALYSING:
	case VTM_ANSWER_REJECTED:
	case VTM_ANSWER_QUOTAS:
	case VTM_ANSWER_UPLOAD_URL:
		learn_time(s, r->took_ms);
		if (vtm_breaker_success(&s->breaker))
			vtm_log(VTM_LOG_NOTICE, "VirusTotal: answers again, look-ups continue");
		break;
	case VTM_ANSWER_QUOTA:
	case VTM_ANSWER_DENIED:
	case VTM_ANSWER_FAILED:
		break;
	}
	switch (r->answer) {
	case VTM_ANSWER_REPORT:
		vtm_sched_complete(s, e, r->report, true);
		break;
	case VTM_ANSWER_NOT_FOUND:
		not_found(s, e);
		break;
	case VTM_ANSWER_REJECTED:	/* it will never take it: remembered like one it does not know */
		unknown(s, e);
		break;
	case VTM_ANSWER_SUBMITTED:
	case VTM_ANSWER_ANALYSING:
		poll_later(s, e, r);
		break;
	case VTM_ANSWER_QUOTA:
		refused_by_quota(s, e, r);
		break;
	case VTM_ANSWER_DENIED:
		denied(s, r);
		vtm_sched_requeue(s, e, 0);
		break;
	case VTM_ANSWER_QUOTAS:		/* no answers to a look-up */
	case VTM_ANSWER_UPLOAD_URL:
	case VTM_ANSWER_FAILED:
		failed(s, e, r);
		break;
	}
}
