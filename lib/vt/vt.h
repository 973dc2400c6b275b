/* SPDX-License-Identifier: BSD-2-Clause */
/* vt.h - VirusTotal's API v3 as requests and answers.  Composite of http (transfers), reply (schema) and
 * answer (meaning).
 *
 * Asynchronous, one thread (the resolver's): start requests, poll, collect results.  Knows nothing of
 * budget, cache or retries.  The key is sent in the x-apikey header only, except that
 * VirusTotal wants it in the path of the quotas' URL.
 * API: https://docs.virustotal.com/reference/files-scan, /files-upload-url, /file-info, /reference/url,
 * /reference/domain-info, /reference/ip-info, /reference/scan-url, /reference/analysis,
 * /reference/get-user-overall-quotas, /reference/errors
 */
#ifndef VTM_VT_H
#define VTM_VT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/lookup.h"
#include "model/verdict.h"
#include "vt/http.h"
#include "vt/reply.h"

#define VTM_VT_BODY_MAX (4 * 1024 * 1024)	/* bytes of an answer; seen: 1.07 MB */
#define VTM_VT_KEY_MAX 256

enum vtm_op {
	VTM_OP_LOOKUP,		/* GET /files/{sha256}, /urls/{base64url}, /domains/{d} or /ip_addresses/{ip}; 1 request */
	VTM_OP_SUBMIT_URL,	/* POST /urls; 1 request */
	VTM_OP_ANALYSIS,	/* GET /analyses/{id}; 1 request */
	VTM_OP_QUOTAS,		/* GET /users/{key}/overall_quotas; free */
	VTM_OP_UPLOAD_URL,	/* GET /files/upload_url: where a large file is sent; 1 request */
	VTM_OP_UPLOAD		/* POST /files, or to such a place; 1 request (vtm_vt_upload) */
};

/* The meaning of an answer. */
enum vtm_answer {
	VTM_ANSWER_REPORT,	/* report is set (verdict not judged yet: numbers only) */
	VTM_ANSWER_NOT_FOUND,	/* 404 with VirusTotal's NotFoundError: it has no record */
	VTM_ANSWER_SUBMITTED,	/* analysis is set: poll it */
	VTM_ANSWER_ANALYSING,	/* the analysis is queued or in progress */
	VTM_ANSWER_QUOTAS,	/* quotas are set */
	VTM_ANSWER_UPLOAD_URL,	/* upload_url is set */
	VTM_ANSWER_QUOTA,	/* 429: not allowed to ask now */
	VTM_ANSWER_DENIED,	/* 401, 403 */
	VTM_ANSWER_REJECTED,	/* 400 and other 4xx with an error of VirusTotal's: it will never take this item */
	VTM_ANSWER_FAILED	/* no usable answer: network, TLS, time-out, 5xx, redirect, too large, not JSON (such as a
				 * proxy's 404 page), about another item */
};
#define VTM_ANSWERS (VTM_ANSWER_FAILED + 1)
const char *vtm_answer_name(enum vtm_answer a);

struct vtm_result {
	void *tag;			/* as given to vtm_vt_start */
	enum vtm_answer answer;
	struct vtm_report report;	/* match is HOST for a host, and for a url when the answer is about another one of
					 * the same host: VirusTotal's normal form may differ from ours */
	struct vtm_quota hourly, daily, monthly;
	char *analysis;			/* id, or NULL; owned by the result */
	char *upload_url;		/* on the API's own host; or NULL; owned */
	long status;			/* HTTP status, 0: none received */
	int64_t server_utc_ms;		/* the answer's Date, 0: none */
	int64_t retry_after_ms;		/* -1: no Retry-After */
	int64_t took_ms;
	enum vtm_tls_fault tls;
	char *why;			/* unless the answer is usable: one line for the log, nothing from the body; owned */
};
void vtm_result_clear(struct vtm_result *r);

struct vtm_vt_settings {
	const char *base_url;		/* without a final slash */
	const char *api_key;
	const char *ca_file;		/* NULL: the system's */
	const char *user_agent;
	int64_t connect_timeout_ms;
	int64_t total_timeout_ms;	/* at most VTM_REQUEST_MAX_MS (budget.h) */
};

struct vtm_vt;

/* Copies the settings.  NULL and an error if the key or the URL is invalid, or libcurl fails. */
struct vtm_vt *vtm_vt_new(const struct vtm_vt_settings *settings, GError **error);
/* Ends all requests without results. */
void vtm_vt_free(struct vtm_vt *vt);

/* Starts a request; its result will carry <tag>.  <lookup> may be NULL for ANALYSIS (<analysis> is the id) and QUOTAS.
 * Returns -1 and an error if it cannot be sent; else exactly one result follows. */
int vtm_vt_start(struct vtm_vt *vt, enum vtm_op op, const struct vtm_lookup *lookup, const char *analysis, void *tag,
		 GError **error);

/* The largest file for POST /files, in bytes; the whole request may have 32 MB.  Larger files need an upload_url. */
#define VTM_VT_DIRECT_MAX (30 * 1024 * 1024)
#define VTM_VT_FILE_MAX (650 * 1024 * 1024)

/* Sends the file at <path>, whose SHA-256 is that of <lookup>: it becomes public.  <upload_url> NULL:
 * /files.  <timeout_ms> may be longer than a slot of the budget lasts; the caller keeps the slot.  Errors as above. */
int vtm_vt_upload(struct vtm_vt *vt, const struct vtm_lookup *lookup, const char *path, const char *upload_url,
		  int64_t timeout_ms, void *tag, GError **error);
unsigned vtm_vt_in_flight(const struct vtm_vt *vt);

/* Runs the requests and waits for events, at most <max_ms>. */
void vtm_vt_poll(struct vtm_vt *vt, int64_t max_ms);
/* Ends a poll from any thread. */
void vtm_vt_wakeup(struct vtm_vt *vt);
/* Takes one result: 1, or 0 if there is none. The caller clears it. */
int vtm_vt_result(struct vtm_vt *vt, struct vtm_result *r);

#endif
