/* SPDX-License-Identifier: BSD-2-Clause */
/* callbacks.c - libmilter's callbacks (https://www.milter.org, mfapi.h). */
#include "callbacks.h"

#include <libmilter/mfapi.h>
#include <string.h>

#include "daemon.h"
#include "base/log.h"
#include "reply.h"
#include "scan/scan.h"
#include "session.h"
#include "conf/settings.h"

#define PROGRESS_MS 2000	/* of the 10 s that R: in Sendmail allows by default */

/* The steps that are not answered; libmilter answers in their place where the MTA does not know of that.  Since the
 * body is among them, there is no SMFIS_SKIP: a reply for each chunk costs more than the rare message that need not
 * be read. */
#define NO_REPLY (SMFIP_NR_CONN | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY)

static struct vtm_session *session_of(SMFICTX *ctx)
{
	return smfi_getpriv(ctx);
}

/* A callback may come without the earlier ones (a port scan, an MTA that gives up). */
static struct vtm_message *message_of(SMFICTX *ctx)
{
	struct vtm_session *s = session_of(ctx);

	return s ? s->message : NULL;
}

static const char *macro(SMFICTX *ctx, const char *name)
{
	const char *value = smfi_getsymval(ctx, (char *)(uintptr_t)name);

	return value && *value ? value : NULL;
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long protocol, unsigned long f2,
			     unsigned long f3, unsigned long *actions_r, unsigned long *protocol_r,
			     unsigned long *f2_r, unsigned long *f3_r)
{
	const unsigned long needed = SMFIF_ADDHDRS | SMFIF_CHGHDRS;
	unsigned long wanted = SMFIP_NOHELO | SMFIP_NOUNKNOWN | NO_REPLY;

	(void)ctx;
	(void)f2;
	(void)f3;
	if ((actions & needed) != needed)
		vtm_log_limited(VTM_LOG_ERROR, "negotiate", "the MTA does not allow header changes: mail is delivered "
				"without tags and with forged ones");
	/* By TCP one reply before the content is needed: without any, the content waits for a delayed ACK of 40 ms */
	if (!vtm_daemon.inet)
		wanted |= SMFIP_NODATA;
	*actions_r = actions & (needed | SMFIF_QUARANTINE);
	*protocol_r = protocol & wanted;
	*f2_r = *f3_r = 0;
	return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
	(void)name;
	vtm_session_free(session_of(ctx));
	smfi_setpriv(ctx, vtm_session_new(address));
	return SMFIS_NOREPLY;
}

static sfsistat on_mail(SMFICTX *ctx, char **argv)
{
	struct vtm_session *s = session_of(ctx);

	if (!s) {
		s = vtm_session_new(NULL);
		smfi_setpriv(ctx, s);
	}
	vtm_session_begin(s, argv[0] ? argv[0] : "", macro(ctx, "{auth_authen}") != NULL);
	return SMFIS_NOREPLY;
}

static sfsistat on_rcpt(SMFICTX *ctx, char **argv)
{
	struct vtm_message *m = message_of(ctx);

	if (m && argv[0])
		vtm_message_add_recipient(m, argv[0]);
	return SMFIS_NOREPLY;
}

static sfsistat on_data(SMFICTX *ctx)
{
	(void)ctx;
	return SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
	struct vtm_message *m = message_of(ctx);

	if (m)
		vtm_message_add_header(m, name, value);
	return SMFIS_NOREPLY;
}

static sfsistat on_eoh(SMFICTX *ctx)
{
	struct vtm_message *m = message_of(ctx);

	if (m)
		vtm_message_add(m, "\r\n", 2);
	return SMFIS_NOREPLY;
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *data, size_t len)
{
	struct vtm_message *m = message_of(ctx);

	if (m)
		vtm_message_add(m, data, len);
	return SMFIS_NOREPLY;
}

/* ---- end of message ---- */

struct waiting {
	SMFICTX *ctx;
	bool gone;		/* the MTA has closed the connection */
};

static bool progress(void *arg)
{
	struct waiting *w = arg;

	w->gone = smfi_progress(w->ctx) != MI_SUCCESS;
	return !w->gone;
}

/* Tags a message that could not be stored as VT_Bypassed. */
static void decide_unkept(const char *queue_id, bool too_large, struct vtm_decision *d)
{
	vtm_log_limited(VTM_LOG_WARNING, "spool", "%s: the message could not be stored for reading (%s): tagged VT_Bypassed",
			queue_id,
			too_large ? "it is larger than MaxMessageSize" : "can TempDirectory be written, is it full?");
	memset(d, 0, sizeof(*d));
	d->items = vtm_items_new();
	d->items->unparsable = true;
	d->tags = vtm_tags_of(d->items);
}

/* Our own failure that a later try may cure, for OnFailure: a static text, or NULL.  Failures of VirusTotal, a used-up
 * budget, the administrator's limits and faults of the message do not count. */
static const char *failure_of(const struct vtm_message *m, const struct vtm_decision *d, bool kept, bool edited)
{
	if (!kept)
		return m->spool && vtm_spool_too_large(m->spool) ? NULL : "the message could not be stored for reading";
	if (d->items->unread)
		return "the stored message could not be read back";
	if (d->items->no_memory)
		return "there was no memory to read all of the message";
	for (guint i = 0; i < d->items->list->len; i++) {
		const struct vtm_item *item = d->items->list->pdata[i];

		if (item->report.reason == VTM_WHY_STORE)
			return "the store does not answer";
	}
	return edited ? NULL : "the MTA did not take a change of headers";
}

/* Removes X-VT-* headers before any wait: edits that the MTA has received hold even if it gives up on us later. */
static sfsistat scan(SMFICTX *ctx, const struct vtm_session *s, struct vtm_message *m, const char *queue_id)
{
	struct vtm_resolver *resolver = vtm_daemon_resolver();
	struct waiting w = { .ctx = ctx };
	struct vtm_scan_settings settings;
	struct vtm_decision d;
	struct vtm_envelope envelope = {
		.queue_id = queue_id, .sender = m->sender, .client_address = s->client, .shares_apply = m->shares_apply
	};
	bool kept = resolver && !vtm_spool_broken(m->spool), edited;
	enum vtm_action action;
	sfsistat status;

	g_ptr_array_add(m->recipients, NULL);
	envelope.recipients = (const char *const *)m->recipients->pdata;
	vtm_settings_scan(m->conf, &settings);
	settings.extract.decoders = vtm_daemon.decoders;
	settings.extract.memory = vtm_daemon.reading;
	edited = vtm_reply_strip(ctx, m);
	if (kept)
		vtm_scan_message(resolver, &settings, &envelope, &m->spool, vtm_daemon.clock, progress, &w,
				 PROGRESS_MS, &d);
	else
		decide_unkept(queue_id, vtm_spool_too_large(m->spool), &d);
	if (d.items->no_memory)
		vtm_log_limited(VTM_LOG_WARNING, "memory",
				"%s: not enough memory to read all of the message: tagged VT_Bypassed", queue_id);
	if (d.items->unfinished)
		vtm_log_limited(VTM_LOG_WARNING, "work",
				"%s: reading the message took too much work or time: the rest was not read, bypassed",
				queue_id);
	if (w.gone) {
		status = vtm_reply_gone(queue_id, m, &d);
	} else {
		edited &= vtm_reply_headers(ctx, m, &d);
		status = vtm_reply_verdict(ctx, queue_id, m, &d, failure_of(m, &d, kept, edited), &action);
		vtm_reply_log(queue_id, m, &d, kept, action);
		if (kept && settings.journal && d.items->list->len && action != VTM_ACTION_TEMPFAIL)
			vtm_scan_journal(resolver, &settings, &envelope, &d, (int64_t)m->size,
					 vtm_utc_ms(vtm_daemon.clock));
	}
	vtm_decision_clear(&d);
	return status;
}

static sfsistat skip(SMFICTX *ctx, const struct vtm_message *m, const char *queue_id)
{
	if (m->plan == VTM_PLAN_STRIP)
		vtm_reply_strip(ctx, m);
	vtm_reply_log_skipped(queue_id, m);
	return SMFIS_CONTINUE;
}

static sfsistat on_eom(SMFICTX *ctx)
{
	struct vtm_session *s = session_of(ctx);
	struct vtm_message *m = message_of(ctx);
	struct vtm_ticker_stay stay;
	const char *id = macro(ctx, "i");
	char *queue_id;
	sfsistat status;

	if (!m)
		return SMFIS_CONTINUE;
	vtm_ticker_enter(vtm_daemon.ticker, &stay);
	queue_id = vtm_log_escape(id ? id : "NOQUEUE", -1, 64);
	if (m->overrun && m->plan != VTM_PLAN_TRUST)
		status = vtm_reply_overrun(ctx, queue_id, m);
	else if (m->plan == VTM_PLAN_SCAN)
		status = scan(ctx, s, m, queue_id);
	else
		status = skip(ctx, m, queue_id);
	vtm_session_end(s);
	g_free(queue_id);
	vtm_ticker_leave(vtm_daemon.ticker, &stay);
	return status;
}

static sfsistat on_abort(SMFICTX *ctx)
{
	struct vtm_session *s = session_of(ctx);

	if (s)
		vtm_session_end(s);
	return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
	vtm_session_free(session_of(ctx));
	smfi_setpriv(ctx, NULL);
	return SMFIS_CONTINUE;
}

int vtm_callbacks_register(void)
{
	struct smfiDesc desc = {
		.xxfi_name = (char *)(uintptr_t)"vtmilter",
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE,
		.xxfi_connect = on_connect,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_data = on_data,
		.xxfi_header = on_header,
		.xxfi_eoh = on_eoh,
		.xxfi_body = on_body,
		.xxfi_eom = on_eom,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_negotiate = on_negotiate,
	};

	return smfi_register(desc) == MI_SUCCESS ? 0 : -1;
}
