/* SPDX-License-Identifier: BSD-2-Clause */
/* reply.c - see reply.h. */
#include "reply.h"

#include <string.h>

#include "daemon.h"
#include "base/log.h"
#include "model/tags.h"

static char *text(const char *constant)	/* libmilter's prototypes lack const */
{
	return (char *)(uintptr_t)constant;
}

bool vtm_reply_strip(SMFICTX *ctx, const struct vtm_message *m)
{
	GHashTableIter iter;
	gpointer name, count;
	bool good = true;

	g_hash_table_iter_init(&iter, m->ours);
	while (g_hash_table_iter_next(&iter, &name, &count))
		for (int i = (int)GPOINTER_TO_UINT(count); i >= 1; i--)
			if (smfi_chgheader(ctx, name, i, NULL) != MI_SUCCESS) {
				good = false;
				vtm_log_limited(VTM_LOG_ERROR, "strip", "a forged %s header could not be removed and stays: does "
						"the MTA allow header changes?", (const char *)name);
			}
	return good;
}

static bool insert(SMFICTX *ctx, int index, const char *name, const char *value)
{
	bool good = smfi_insheader(ctx, index, text(name), text(value)) == MI_SUCCESS;

	if (!good)
		vtm_log_limited(VTM_LOG_ERROR, "insert", "header %s could not be added: does the MTA allow header changes?", name);
	return good;
}

bool vtm_reply_headers(SMFICTX *ctx, const struct vtm_message *m, const struct vtm_decision *d)
{
	bool good = true;
	int index = 0;

	for (int t = 0; t < VTM_TAGS; t++)
		if (d->tags & VTM_TAG_BIT(t))
			good &= insert(ctx, index++, "X-VT-Tag", vtm_tag_name((enum vtm_tag)t));
	if (m->conf->report_headers) {
		GPtrArray *reports = vtm_report_headers(d->items);

		for (guint i = 0; i < reports->len; i++)
			good &= insert(ctx, index++, "X-VT-Report", reports->pdata[i]);
		g_ptr_array_free(reports, TRUE);
	}
	return good;
}

static sfsistat act_on_bad(SMFICTX *ctx, enum vtm_on_bad on_bad, enum vtm_action *action_r)
{
	switch (on_bad) {
	case VTM_ON_BAD_ACCEPT:
		return SMFIS_CONTINUE;
	case VTM_ON_BAD_QUARANTINE:
		if (smfi_quarantine(ctx, text("VirusTotal knows its content as malicious")) == MI_SUCCESS)
			*action_r = VTM_ACTION_QUARANTINE;
		else
			vtm_log_limited(VTM_LOG_ERROR, "quarantine", "the MTA does not allow quarantine: the bad message is delivered");
		return SMFIS_CONTINUE;
	case VTM_ON_BAD_REJECT:
		*action_r = VTM_ACTION_REJECT;
		smfi_setreply(ctx, text("550"), text("5.7.1"), text("Message refused: VirusTotal knows its content as "
								    "malicious"));
		return SMFIS_REJECT;
	case VTM_ON_BAD_DISCARD:
		*action_r = VTM_ACTION_DISCARD;
		return SMFIS_DISCARD;
	}
	g_return_val_if_reached(SMFIS_CONTINUE);
}

static sfsistat act_on_failure(SMFICTX *ctx, const char *queue_id, enum vtm_on_failure on_failure, const char *failure,
			       enum vtm_action *action_r)
{
	switch (on_failure) {
	case VTM_ON_FAILURE_ACCEPT:
		return SMFIS_CONTINUE;
	case VTM_ON_FAILURE_TEMPFAIL:
		*action_r = VTM_ACTION_TEMPFAIL;
		vtm_log_limited(VTM_LOG_WARNING, "tempfail", "%s: %s; refused for now (OnFailure tempfail)", queue_id,
				failure);
		smfi_setreply(ctx, text("451"), text("4.3.0"),
			      text("The message cannot be checked now, try again later"));
		return SMFIS_TEMPFAIL;
	}
	g_return_val_if_reached(SMFIS_CONTINUE);
}

sfsistat vtm_reply_verdict(SMFICTX *ctx, const char *queue_id, const struct vtm_message *m,
			   const struct vtm_decision *d, const char *failure, enum vtm_action *action_r)
{
	const struct vtm_conf *c = m->conf;
	sfsistat status = SMFIS_CONTINUE;

	*action_r = VTM_ACTION_NONE;
	if (d->tags & VTM_TAG_BIT(VTM_TAG_BAD))
		status = act_on_bad(ctx, (enum vtm_on_bad)c->on_bad.choice[m->origin], action_r);
	if (failure && *action_r == VTM_ACTION_NONE)
		status = act_on_failure(ctx, queue_id, (enum vtm_on_failure)c->on_failure.choice[m->origin], failure,
					action_r);
	return status;
}

sfsistat vtm_reply_overrun(SMFICTX *ctx, const char *queue_id, const struct vtm_message *m)
{
	const struct vtm_counts n = { .messages = 1, .forged = 1, .rejected = 1 };

	vtm_daemon_count(&n);
	vtm_log(VTM_LOG_WARNING, "%s: %u forged X-VT-* headers, more than can be removed: refused", queue_id, m->forged);
	smfi_setreply(ctx, text("550"), text("5.7.1"), text("Message refused: too many X-VT-* headers"));
	return SMFIS_REJECT;
}

sfsistat vtm_reply_gone(const char *queue_id, const struct vtm_message *m, const struct vtm_decision *d)
{
	const struct vtm_counts n = { .messages = 1, .lost_mta = 1, .forged = m->forged > 0 };

	vtm_daemon_count(&n);
	vtm_log(VTM_LOG_WARNING, "%s: the MTA gave up after %.1f s and decided itself; make its time limit for milters "
		"longer than Timeout",
		queue_id, (double)d->delay_ms / 1000);
	return SMFIS_CONTINUE;
}

/* ---- the log ---- */

/* The part of a URL that the log may show: without LogURLs no query, and of one that looks personal only the host. */
static char *loggable_url(const struct vtm_item *item, bool in_full)
{
	size_t n = strcspn(item->subject, "?");

	if (in_full)
		return g_strdup(item->subject);
	if (item->personal && item->host)
		return g_strdup_printf("%s/...", item->host);
	return item->subject[n] ? g_strdup_printf("%.*s?...", (int)n, item->subject) : g_strdup(item->subject);
}

static void log_bad(const char *queue_id, const struct vtm_message *m, const struct vtm_item *item)
{
	bool url = item->kind == VTM_URL;
	char *subject = url ? loggable_url(item, m->conf->log_urls) : g_strdup(item->subject);
	char *detections = g_strdup_printf("%u/%u", item->report.malicious, item->report.engines);
	const struct vtm_log_field fields[] = {
		{ "verdict", "bad", 0 },
		{ "detections", detections, 0 },
		{ url ? "url" : "sha256", subject, 0 },
		{ item->name ? "name" : "", item->name, 0 },
		{ NULL, NULL, 0 }
	};

	vtm_log_event(VTM_LOG_WARNING, queue_id, fields);
	g_free(detections);
	g_free(subject);
}

static void count(const struct vtm_message *m, const struct vtm_decision *d, bool kept, enum vtm_action action)
{
	struct vtm_counts n = {
		.messages = 1, .unkept = !kept, .forged = m->forged > 0, .untagged = !d->tags, .bytes = m->size,
		.quarantined = action == VTM_ACTION_QUARANTINE, .rejected = action == VTM_ACTION_REJECT,
		.discarded = action == VTM_ACTION_DISCARD, .tempfailed = action == VTM_ACTION_TEMPFAIL,
	};

	vtm_histogram_add(&n.delay, d->delay_ms);
	for (guint i = 0; i < d->items->list->len; i++) {
		const struct vtm_item *item = d->items->list->pdata[i];

		if (item->wrapper)
			continue;
		n.items[item->kind][item->report.verdict]++;
		if (item->report.verdict == VTM_BYPASSED)
			n.bypassed[item->report.reason]++;
	}
	for (int t = 0; t < VTM_TAGS; t++)
		n.tagged[t] = (d->tags & VTM_TAG_BIT(t)) != 0;
	vtm_daemon_count(&n);
}

void vtm_reply_log(const char *queue_id, const struct vtm_message *m, const struct vtm_decision *d, bool kept,
		   enum vtm_action action)
{
	static const char *const actions[] = { NULL, "quarantine", "reject", "discard", "tempfail" };
	char *tags = vtm_tags_text(d->tags), *from = g_strdup_printf("<%s>", m->sender);
	char *delay = g_strdup_printf("%.1f", (double)d->delay_ms / 1000);
	const struct vtm_log_field fields[] = {
		{ "from", from, 0 },
		{ "items", NULL, d->items->list->len },
		{ "tags", *tags ? tags : "none", 0 },
		{ "delay", delay, 0 },
		{ "asked", NULL, d->asked },
		{ "cached", NULL, d->cached },
		{ action ? "action" : "", actions[action], 0 },
		{ m->forged ? "forged" : "", NULL, m->forged },
		{ NULL, NULL, 0 }
	};

	count(m, d, kept, action);
	vtm_log_event(VTM_LOG_INFO, queue_id, fields);
	for (guint i = 0; i < d->items->list->len; i++) {
		const struct vtm_item *item = d->items->list->pdata[i];

		if (item->report.verdict == VTM_BAD)
			log_bad(queue_id, m, item);
	}
	g_free(tags);
	g_free(from);
	g_free(delay);
}

void vtm_reply_log_skipped(const char *queue_id, const struct vtm_message *m)
{
	bool trusted = m->plan == VTM_PLAN_TRUST, stripped = m->forged && !trusted;
	const struct vtm_counts n = {
		.messages = 1, .skipped = !trusted, .trusted = trusted, .forged = stripped, .bytes = m->size
	};
	char *from = g_strdup_printf("<%s>", m->sender);
	const struct vtm_log_field fields[] = {
		{ "from", from, 0 },
		{ "plan", vtm_plan_name(m->plan), 0 },
		{ stripped ? "forged" : "", NULL, m->forged },
		{ NULL, NULL, 0 }
	};

	vtm_daemon_count(&n);
	vtm_log_event(stripped ? VTM_LOG_INFO : VTM_LOG_DEBUG, queue_id, fields);
	g_free(from);
}
