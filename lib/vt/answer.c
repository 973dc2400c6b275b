/* SPDX-License-Identifier: BSD-2-Clause */
/* answer.c - what a reply means. */
#include "vt/answer.h"

#include <glib.h>
#include <string.h>

#include "vt/match.h"
#include "vt/reply.h"

static const char *const answer_names[VTM_ANSWERS] = {
	[VTM_ANSWER_REPORT] = "report",
	[VTM_ANSWER_NOT_FOUND] = "not-found",
	[VTM_ANSWER_SUBMITTED] = "submitted",
	[VTM_ANSWER_ANALYSING] = "analysing",
	[VTM_ANSWER_QUOTAS] = "quotas",
	[VTM_ANSWER_UPLOAD_URL] = "upload-url",
	[VTM_ANSWER_QUOTA] = "quota",
	[VTM_ANSWER_DENIED] = "denied",
	[VTM_ANSWER_REJECTED] = "rejected",
	[VTM_ANSWER_FAILED] = "failed",
};

const char *vtm_answer_name(enum vtm_answer a)
{
	g_return_val_if_fail((unsigned)a < VTM_ANSWERS, "failed");
	return answer_names[a];
}

/* The documented error codes.  Only these are repeated in log lines: a server can send anything else, even our key.
 * <later>: the error says nothing about the item; a later request may succeed. */
static const struct { const char *code; bool later; } codes[] = {
	{ "AlreadyExistsError", false },
	{ "AuthenticationRequiredError", false },
	{ "BadRequestError", false },
	{ "DeadlineExceededError", true },
	{ "FailedDependencyError", true },
	{ "ForbiddenError", false },
	{ "InvalidArgumentError", false },
	{ "NotAvailableYet", true },
	{ "NotFoundError", false },
	{ "QuotaExceededError", false },
	{ "TooManyRequestsError", false },
	{ "TransientError", true },
	{ "UnselectiveContentQueryError", false },
	{ "UnsupportedContentQueryError", false },
	{ "UserNotActiveError", false },
	{ "WrongCredentialsError", false },
};

static int find_code(const char *code)
{
	for (size_t i = 0; i < G_N_ELEMENTS(codes); i++)
		if (!strcmp(codes[i].code, code))
			return (int)i;
	return -1;
}

static enum vtm_answer failed(struct vtm_result *r, const char *why)
{
	r->why = g_strdup(why);
	return VTM_ANSWER_FAILED;
}

static enum vtm_answer report(struct vtm_result *r, const struct vtm_vt_reply *j, enum vtm_match match)
{
	r->report = j->report;	/* zeros without statistics: unknown */
	r->report.match = match;
	return VTM_ANSWER_REPORT;
}

static enum vtm_answer submitted(const struct vtm_vt_reply *j, struct vtm_result *r)
{
	if (j->form != VTM_REPLY_ANALYSIS || !j->id)
		return failed(r, "HTTP 200 without an analysis");
	for (const char *p = j->id; *p; p++)
		if (!g_ascii_isgraph(*p))
			return failed(r, "Analysis with an unusable id");
	r->analysis = g_strdup(j->id);
	return VTM_ANSWER_SUBMITTED;
}

/* A whole reply with status 200. */
static enum vtm_answer read_success(const struct vtm_question *q, const struct vtm_vt_reply *j,
				    struct vtm_result *r)
{
	enum vtm_match match;

	switch (q->op) {
	case VTM_OP_LOOKUP:
		if (j->form != VTM_REPLY_OBJECT)
			return failed(r, "HTTP 200 without a report");
		if (!vtm_match_lookup(q->lookup, j, &match))
			return failed(r, "Answer about another item");
		return report(r, j, match);
	case VTM_OP_SUBMIT_URL:
	case VTM_OP_UPLOAD:
		return submitted(j, r);
	case VTM_OP_UPLOAD_URL:
		if (!j->text)
			return failed(r, "HTTP 200 without an upload URL");
		if (!vtm_match_server(q->base_url, j->text))
			return failed(r, "Upload URL on another server");
		r->upload_url = g_strdup(j->text);
		return VTM_ANSWER_UPLOAD_URL;
	case VTM_OP_ANALYSIS:
		if (j->form != VTM_REPLY_ANALYSIS)
			return failed(r, "HTTP 200 without an analysis");
		if (!vtm_match_analysis(q->lookup, q->analysis, j, &match))
			return failed(r, "Answer about another analysis");
		return j->completed ? report(r, j, match) : VTM_ANSWER_ANALYSING;
	case VTM_OP_QUOTAS:
		if (j->form != VTM_REPLY_QUOTAS)
			return failed(r, "HTTP 200 without quotas");
		r->hourly = j->hourly;
		r->daily = j->daily;
		r->monthly = j->monthly;
		return VTM_ANSWER_QUOTAS;
	}
	return failed(r, "Answer to no question");
}

static void say_status(struct vtm_result *r, const struct vtm_vt_reply *j)
{
	int code = j->form == VTM_REPLY_ERROR ? find_code(j->code) : -1;

	r->why = g_strdup_printf("HTTP %ld%s%s", r->status, code >= 0 ? " " : "", code >= 0 ? codes[code].code : "");
}

/* Any other status.  Only an error of VirusTotal's own can say that it does not know or will not take an item; a page
 * from a proxy is a failure. */
static enum vtm_answer read_refusal(const struct vtm_question *q, const struct vtm_vt_reply *j, struct vtm_result *r)
{
	bool ours = j->form == VTM_REPLY_ERROR && (q->op == VTM_OP_LOOKUP || q->op == VTM_OP_ANALYSIS);
	int code = find_code(j->code);

	say_status(r, j);
	switch (r->status) {
	case 401:
	case 403:
		return VTM_ANSWER_DENIED;
	case 429:
		return VTM_ANSWER_QUOTA;
	case 404:
		return ours && !strcmp(j->code, "NotFoundError") ? VTM_ANSWER_NOT_FOUND : VTM_ANSWER_FAILED;
	case 407:
	case 408:
		return VTM_ANSWER_FAILED;
	default:
		if (r->status < 400 || r->status >= 500 || j->form != VTM_REPLY_ERROR)
			return VTM_ANSWER_FAILED;
		return code >= 0 && codes[code].later ? VTM_ANSWER_FAILED : VTM_ANSWER_REJECTED;
	}
}

enum vtm_answer vtm_answer_read(const struct vtm_question *q, const struct vtm_http_reply *h, struct vtm_result *r)
{
	bool told = h->status == 401 || h->status == 403 || h->status == 429;
	struct vtm_vt_reply j;
	enum vtm_answer answer;

	if (h->failure && !told)
		return failed(r, h->failure);
	vtm_vt_reply_read(h->body ? h->body : "", h->body_len, &j);
	answer = h->status == 200 ? read_success(q, &j, r) : read_refusal(q, &j, r);
	vtm_vt_reply_clear(&j);
	return answer;
}
