/* SPDX-License-Identifier: BSD-2-Clause */
/* reply.c - header edits and the answer to the MTA. */
#include "reply.h"

#include <string.h>

#include "log.h"
#include "tags.h"

void vtm_reply_strip(SMFICTX *ctx, const struct vtm_message *m)
{
	GHashTableIter iter;
	gpointer name, count;

	g_hash_table_iter_init(&iter, m->ours);
	while (g_hash_table_iter_next(&iter, &name, &count))
		for (int i = (int)GPOINTER_TO_UINT(count); i >= 1; i--)
			if (smfi_chgheader(ctx, name, i, NULL) != MI_SUCCESS)
				vtm_log_limited(VTM_LOG_ERROR, "strip", "a forged %s header could not be deleted: does "
						"the MTA allow header changes?", (char *)name);
}

static void insert(SMFICTX *ctx, int index, const char *name, const char *value)
{
	if (smfi_insheader(ctx, index, (char *)(uintptr_t)name, (char *)(uintptr_t)value) != MI_SUCCESS)
		vtm_log_limited(VTM_LOG_ERROR, "insert", "header %s could not be added", name);
}

void vtm_reply_headers(SMFICTX *ctx, const struct vtm_message *m, const struct vtm_decision *d)
{
	int index = 0;

	for (int t = 0; t < VTM_TAGS; t++)
		if (d->tags & VTM_TAG_BIT(t))
			insert(ctx, index++, "X-VT-Tag", vtm_tag_name((enum vtm_tag)t));
	if (m->conf->report_headers) {
		GPtrArray *reports = vtm_report_headers(d->items);

		for (guint i = 0; i < reports->len; i++)
			insert(ctx, index++, "X-VT-Report", reports->pdata[i]);
		g_ptr_array_free(reports, TRUE);
	}
}

sfsistat vtm_reply_verdict(SMFICTX *ctx, const struct vtm_message *m, const struct vtm_decision *d)
{
	char code[] = "550", status[] = "5.7.1", text[] = "Message refused: VirusTotal knows its content as malicious";
	char why[] = "VirusTotal knows its content as malicious";

	if (!(d->tags & VTM_TAG_BIT(VTM_TAG_BAD)))
		return SMFIS_ACCEPT;
	switch ((enum vtm_on_bad)m->conf->on_bad) {
	case VTM_ON_BAD_ACCEPT:
		break;
	case VTM_ON_BAD_QUARANTINE:
		if (smfi_quarantine(ctx, why) != MI_SUCCESS)
			vtm_log_limited(VTM_LOG_ERROR, "quarantine", "a message could not be put into quarantine");
		break;
	case VTM_ON_BAD_REJECT:
		smfi_setreply(ctx, code, status, text);
		return SMFIS_REJECT;
	case VTM_ON_BAD_DISCARD:
		return SMFIS_DISCARD;
	}
	return SMFIS_ACCEPT;
}

/* A url for the log: without its query unless LogURLs says so. */
static char *loggable(const struct vtm_item *item, bool in_full)
{
	const char *query = item->kind == VTM_URL && !in_full ? strchr(item->subject, '?') : NULL;

	return query ? g_strdup_printf("%.*s?...", (int)(query - item->subject), item->subject) : g_strdup(item->subject);
}

static void log_bad(const char *queue_id, const struct vtm_message *m, const struct vtm_item *item)
{
	char *subject = loggable(item, m->conf->log_urls);
	const struct vtm_log_field fields[] = {
		{ "verdict", "bad", 0 },
		{ "kind", vtm_kind_name(item->kind), 0 },
		{ "subject", subject, 0 },
		{ "malicious", NULL, item->report.malicious },
		{ "engines", NULL, item->report.engines },
		{ NULL, NULL, 0 }
	};

	vtm_log_event(VTM_LOG_WARNING, queue_id, fields);
	g_free(subject);
}

void vtm_reply_log(const char *queue_id, const struct vtm_message *m, const struct vtm_decision *d)
{
	char *tags = vtm_tags_text(d->tags), *from = g_strdup_printf("<%s>", m->sender);
	char *delay = g_strdup_printf("%.1f", (double)d->delay_ms / 1000);
	const struct vtm_log_field fields[] = {
		{ "from", from, 0 },
		{ "items", NULL, d->items->list->len },
		{ "tags", *tags ? tags : "none", 0 },
		{ "delay", delay, 0 },
		{ "asked", NULL, d->asked },
		{ "cached", NULL, d->cached },
		{ NULL, NULL, 0 }
	};

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
