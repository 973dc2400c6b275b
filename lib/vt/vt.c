/* SPDX-License-Identifier: BSD-2-Clause */
/* vt.c - requests to VirusTotal, and what its answers mean. */
#include "vt/vt.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/base64.h"
#include "model/budget.h"
#include "base/error.h"
#include "vt/http.h"
#include "vt/json.h"

struct vtm_vt {
	struct vtm_http *http;
	char *base_url;
	char *api_key;
	char *key_header;
	GHashTable *requests;	/* set of struct request *, owned: no result taken yet */
};

struct request {
	enum vtm_op op;
	struct vtm_lookup *lookup;	/* may be NULL */
	char *analysis;			/* id asked for, may be NULL */
	void *tag;
};

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

/* The documented error codes.  Only these are repeated in a log line: a server can put anything else there, our key
 * too.  <later>: says nothing about the item, another time may do. */
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

/* ---- is it about what we asked? ---- */

/* The byte that "%xx" at <s> stands for; 0 if it is none or must stay. */
static char escaped_byte(const char *s)
{
	if (s[0] != '%' || !g_ascii_isxdigit(s[1]) || !g_ascii_isxdigit(s[2]))
		return 0;
	return (char)(g_ascii_xdigit_value(s[1]) * 16 + g_ascii_xdigit_value(s[2]));
}

/* <text> percent-decoded until nothing changes, at most 4 times; runs of '/' as one.  New string. */
static char *squash(const char *text)
{
	char *s = g_strdup(text);
	bool changed = true;

	for (int pass = 0; pass < 4 && changed; pass++) {
		char *out = s;

		changed = false;
		for (const char *in = s; *in; in++) {
			char byte = escaped_byte(in), c = byte ? byte : *in;

			if (byte) {
				in += 2;
				changed = true;
			}
			if (c != '/' || out == s || out[-1] != '/')
				*out++ = c;
		}
		*out = '\0';
	}
	return s;
}

struct place {
	char *scheme;
	char *authority;	/* host and port, without user info and default port, lower case */
	char *rest;		/* squashed */
};

static void place_clear(struct place *p)
{
	g_free(p->scheme);
	g_free(p->authority);
	g_free(p->rest);
}

static bool place_parse(const char *url, struct place *p)
{
	const char *start = strstr(url, "://"), *at;
	const char *port;
	size_t len;

	if (!start)
		return false;
	p->scheme = g_ascii_strdown(url, start - url);
	start += 3;
	len = strcspn(start, "/?#");
	p->rest = squash(start[len] ? start + len : "/");
	at = g_strrstr_len(start, (gssize)len, "@");
	if (at) {
		len -= (size_t)(at + 1 - start);
		start = at + 1;
	}
	p->authority = g_ascii_strdown(start, (gssize)len);
	port = !strcmp(p->scheme, "https") ? ":443" : ":80";
	if (g_str_has_suffix(p->authority, port))
		p->authority[strlen(p->authority) - strlen(port)] = '\0';
	return p->authority[0] != '\0';
}

/* How a report on <id>, <url> matches a question about <lookup>'s url; false: it is about another item.  VirusTotal has
 * its own normal form, whose rules are not published: escapes and slashes are known to differ, so those are compared
 * loosely.  What differs in more, on the same host, is taken for the host: it can make an item bad, never clean. */
static bool same_url(const struct vtm_lookup *lookup, const char *id, const char *url, enum vtm_match *match_r)
{
	struct place asked = { 0 }, told = { 0 };
	char hex[65];
	bool same;

	vtm_key_hex(&lookup->key, hex);
	*match_r = VTM_MATCH_EXACT;
	if (!g_ascii_strcasecmp(id, hex))
		return true;
	same = url && place_parse(lookup->subject, &asked) && place_parse(url, &told) &&
	       !strcmp(asked.authority, told.authority);
	if (same && (strcmp(asked.scheme, told.scheme) || strcmp(asked.rest, told.rest)))
		*match_r = VTM_MATCH_HOST;
	place_clear(&asked);
	place_clear(&told);
	return same;
}

static bool same_host(const char *asked, const char *told)
{
	struct in6_addr a, b;

	if (!g_ascii_strcasecmp(asked, told))
		return true;
	return inet_pton(AF_INET6, asked, &a) == 1 && inet_pton(AF_INET6, told, &b) == 1 && !memcmp(&a, &b, sizeof(a));
}

static bool is_sha256(const char *text)
{
	return strlen(text) == 64 && strspn(text, G_CSET_DIGITS "abcdefABCDEF") == 64;
}

/* Is <j>, an object, the report that was asked for? */
static bool is_answer_to(const struct vtm_lookup *lookup, const struct vtm_json_reply *j, enum vtm_match *match_r)
{
	*match_r = VTM_MATCH_EXACT;
	switch ((enum vtm_lookup_kind)lookup->key.kind) {
	case VTM_LOOKUP_FILE:
		return !strcmp(j->type, "file") && !g_ascii_strcasecmp(j->id, lookup->subject);
	case VTM_LOOKUP_URL:
		return !strcmp(j->type, "url") && is_sha256(j->id) && same_url(lookup, j->id, j->url, match_r);
	case VTM_LOOKUP_HOST:
		*match_r = VTM_MATCH_HOST;
		return !strcmp(j->type, g_hostname_is_ip_address(lookup->subject) ? "ip_address" : "domain") &&
		       same_host(lookup->subject, j->id);
	}
	return false;
}

/* The same for an analysis: its own id was asked for, and it may tell the item. */
static bool is_analysis_of(const struct request *q, const struct vtm_json_reply *j, enum vtm_match *match_r)
{
	*match_r = VTM_MATCH_EXACT;
	if (!j->id || g_strcmp0(j->id, q->analysis))
		return false;
	if (!q->lookup || !j->item_id)
		return true;
	if (q->lookup->key.kind == VTM_LOOKUP_URL)
		return same_url(q->lookup, j->item_id, j->url, match_r);
	return !g_ascii_strcasecmp(j->item_id, q->lookup->subject);
}

/* ---- what it means ---- */

static enum vtm_answer failed(struct vtm_result *r, const char *why)
{
	r->why = g_strdup(why);
	return VTM_ANSWER_FAILED;
}

static enum vtm_answer report(struct vtm_result *r, const struct vtm_json_reply *j, enum vtm_match match)
{
	r->report = j->report;	/* zeros without statistics: unknown */
	r->report.match = match;
	return VTM_ANSWER_REPORT;
}

static struct vtm_quota quota_of(struct vtm_json_quota q)
{
	return (struct vtm_quota){ .used = q.used, .allowed = q.allowed };
}

static enum vtm_answer submitted(const struct vtm_json_reply *j, struct vtm_result *r)
{
	if (j->form != VTM_JSON_ANALYSIS || !j->id)
		return failed(r, "HTTP 200 without an analysis");
	for (const char *p = j->id; *p; p++)
		if (!g_ascii_isgraph(*p))
			return failed(r, "Analysis with an unusable id");
	r->analysis = g_strdup(j->id);
	return VTM_ANSWER_SUBMITTED;
}

/* Is it a place on the API's own host?  The key and a file go there. */
static bool same_server(const char *base, const char *url)
{
	struct place ours = { 0 }, told = { 0 };
	const char *authority = strstr(url, "://");
	bool same = authority && !memchr(authority + 3, '@', strcspn(authority + 3, "/?#")) &&
		    place_parse(base, &ours) && place_parse(url, &told) && !strcmp(ours.scheme, told.scheme) &&
		    !strcmp(ours.authority, told.authority);

	place_clear(&ours);
	place_clear(&told);
	return same;
}

/* A whole reply with status 200. */
static enum vtm_answer read_success(const struct vtm_vt *vt, const struct request *q, const struct vtm_json_reply *j,
				    struct vtm_result *r)
{
	enum vtm_match match;

	switch (q->op) {
	case VTM_OP_LOOKUP:
		if (j->form != VTM_JSON_OBJECT)
			return failed(r, "HTTP 200 without a report");
		if (!is_answer_to(q->lookup, j, &match))
			return failed(r, "Answer about another item");
		return report(r, j, match);
	case VTM_OP_SUBMIT_URL:
	case VTM_OP_UPLOAD:
		return submitted(j, r);
	case VTM_OP_UPLOAD_URL:
		if (!j->text)
			return failed(r, "HTTP 200 without an upload URL");
		if (!same_server(vt->base_url, j->text))
			return failed(r, "Upload URL on another server");
		r->upload_url = g_strdup(j->text);
		return VTM_ANSWER_UPLOAD_URL;
	case VTM_OP_ANALYSIS:
		if (j->form != VTM_JSON_ANALYSIS)
			return failed(r, "HTTP 200 without an analysis");
		if (!is_analysis_of(q, j, &match))
			return failed(r, "Answer about another analysis");
		return j->completed ? report(r, j, match) : VTM_ANSWER_ANALYSING;
	case VTM_OP_QUOTAS:
		if (j->form != VTM_JSON_QUOTAS)
			return failed(r, "HTTP 200 without quotas");
		r->hourly = quota_of(j->hourly);
		r->daily = quota_of(j->daily);
		r->monthly = quota_of(j->monthly);
		return VTM_ANSWER_QUOTAS;
	}
	return failed(r, "Answer to no question");
}

static void say_status(struct vtm_result *r, const struct vtm_json_reply *j)
{
	int code = j->form == VTM_JSON_ERROR ? find_code(j->code) : -1;

	r->why = g_strdup_printf("HTTP %ld%s%s", r->status, code >= 0 ? " " : "", code >= 0 ? codes[code].code : "");
}

/* Any other status.  Only VirusTotal itself can say that it does not know or not take an item; a proxy's page in its
 * place is a failure. */
static enum vtm_answer read_refusal(const struct request *q, const struct vtm_json_reply *j, struct vtm_result *r)
{
	bool ours = j->form == VTM_JSON_ERROR && (q->op == VTM_OP_LOOKUP || q->op == VTM_OP_ANALYSIS);
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
		if (r->status < 400 || r->status >= 500 || j->form != VTM_JSON_ERROR)
			return VTM_ANSWER_FAILED;
		return code >= 0 && codes[code].later ? VTM_ANSWER_FAILED : VTM_ANSWER_REJECTED;
	}
}

static enum vtm_answer read_reply(const struct vtm_vt *vt, const struct request *q, const struct vtm_http_reply *h,
				  struct vtm_result *r)
{
	bool told = h->status == 401 || h->status == 403 || h->status == 429;
	struct vtm_json_reply j;
	enum vtm_answer answer;

	if (h->failure && !told)
		return failed(r, h->failure);
	vtm_json_read(h->body ? h->body : "", h->body_len, &j);
	answer = h->status == 200 ? read_success(vt, q, &j, r) : read_refusal(q, &j, r);
	vtm_json_reply_clear(&j);
	return answer;
}

/* ---- requests ---- */

static char *path_of(const struct vtm_vt *vt, enum vtm_op op, const struct vtm_lookup *lookup, const char *analysis)
{
	char *part = NULL, *path = NULL;

	switch (op) {
	case VTM_OP_LOOKUP:
		switch ((enum vtm_lookup_kind)lookup->key.kind) {
		case VTM_LOOKUP_FILE:
			path = g_strconcat("/files/", lookup->subject, NULL);
			break;
		case VTM_LOOKUP_URL:
			part = vtm_base64url(lookup->subject, strlen(lookup->subject));
			path = g_strconcat("/urls/", part, NULL);
			break;
		case VTM_LOOKUP_HOST:
			part = g_uri_escape_string(lookup->subject, ":", FALSE);
			path = g_strconcat(g_hostname_is_ip_address(lookup->subject) ? "/ip_addresses/" : "/domains/",
					   part, NULL);
			break;
		}
		break;
	case VTM_OP_SUBMIT_URL:
		path = g_strdup("/urls");
		break;
	case VTM_OP_ANALYSIS:
		part = g_uri_escape_string(analysis, NULL, FALSE);
		path = g_strconcat("/analyses/", part, NULL);
		break;
	case VTM_OP_QUOTAS:
		part = g_uri_escape_string(vt->api_key, NULL, FALSE);
		path = g_strconcat("/users/", part, "/overall_quotas", NULL);
		break;
	case VTM_OP_UPLOAD_URL:
		path = g_strdup("/files/upload_url");
		break;
	case VTM_OP_UPLOAD:
		path = g_strdup("/files");
		break;
	}
	g_free(part);
	return path;
}

static void request_free(void *arg)
{
	struct request *q = arg;

	vtm_lookup_free(q->lookup);
	g_free(q->analysis);
	g_free(q);
}

static bool makes_sense(enum vtm_op op, const struct vtm_lookup *lookup, const char *analysis)
{
	switch (op) {
	case VTM_OP_LOOKUP:
		return lookup != NULL;
	case VTM_OP_SUBMIT_URL:
		return lookup && lookup->key.kind == VTM_LOOKUP_URL;
	case VTM_OP_ANALYSIS:
		return analysis && *analysis;
	case VTM_OP_QUOTAS:
	case VTM_OP_UPLOAD_URL:
		return true;
	case VTM_OP_UPLOAD:	/* vtm_vt_upload() */
		return false;
	}
	return false;
}

int vtm_vt_start(struct vtm_vt *vt, enum vtm_op op, const struct vtm_lookup *lookup, const char *analysis, void *tag,
		 GError **error)
{
	const char *const headers[] = { vt->key_header, "Accept: application/json", NULL };
	struct vtm_http_request h = { .headers = headers };
	struct request *q;
	char *path, *url, *escaped, *form = NULL;
	int rc;

	if (!makes_sense(op, lookup, analysis)) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_FORMAT, "request without the item it is about");
		return -1;
	}
	q = g_new0(struct request, 1);
	q->op = op;
	q->lookup = lookup ? vtm_lookup_copy(lookup) : NULL;
	q->analysis = g_strdup(analysis);
	q->tag = tag;
	path = path_of(vt, op, lookup, analysis);
	url = g_strconcat(vt->base_url, path, NULL);
	if (op == VTM_OP_SUBMIT_URL) {
		escaped = g_uri_escape_string(lookup->subject, NULL, FALSE);
		form = g_strconcat("url=", escaped, NULL);
		g_free(escaped);
	}
	h.url = url;
	h.form = form;
	h.tag = q;
	rc = vtm_http_start(vt->http, &h, error);
	if (rc < 0)
		request_free(q);
	else
		g_hash_table_add(vt->requests, q);
	g_free(path);
	g_free(url);
	g_free(form);
	return rc;
}

int vtm_vt_upload(struct vtm_vt *vt, const struct vtm_lookup *lookup, const char *path, const char *upload_url,
		  int64_t timeout_ms, void *tag, GError **error)
{
	const char *const headers[] = { vt->key_header, "Accept: application/json", NULL };
	struct vtm_http_request h = { .headers = headers, .file = path, .timeout_ms = timeout_ms };
	struct request *q;
	char *direct = NULL;
	int rc;

	if (upload_url && !same_server(vt->base_url, upload_url)) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_FORMAT, "upload URL on another server");
		return -1;
	}
	q = g_new0(struct request, 1);
	q->op = VTM_OP_UPLOAD;
	q->lookup = vtm_lookup_copy(lookup);
	q->tag = tag;
	h.url = upload_url ? upload_url : (direct = g_strconcat(vt->base_url, "/files", NULL));
	h.tag = q;
	rc = vtm_http_start(vt->http, &h, error);
	if (rc < 0)
		request_free(q);
	else
		g_hash_table_add(vt->requests, q);
	g_free(direct);
	return rc;
}

/* ---- the interface ---- */

static bool key_ok(const char *key)
{
	size_t n = strlen(key);

	if (n < 1 || n > VTM_VT_KEY_MAX)
		return false;
	for (const char *p = key; *p; p++)
		if (!g_ascii_isgraph(*p))
			return false;
	return true;
}

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	g_free(secret);
}

struct vtm_vt *vtm_vt_new(const struct vtm_vt_settings *s, GError **error)
{
	/* VirusTotal compresses only for agents that say gzip. */
	char *agent = g_strconcat(s->user_agent, strstr(s->user_agent, "gzip") ? "" : "; gzip", NULL);
	const struct vtm_http_settings hs = {
		.ca_file = s->ca_file,
		.user_agent = agent,
		.connect_timeout_ms = s->connect_timeout_ms,
		.total_timeout_ms = CLAMP(s->total_timeout_ms, 1, VTM_REQUEST_MAX_MS),
		.body_max = VTM_VT_BODY_MAX,
	};
	struct vtm_http *http = NULL;
	struct vtm_vt *vt = NULL;

	if (!key_ok(s->api_key))
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG,
			    "an API key has 1 to %d printable characters without blanks", VTM_VT_KEY_MAX);
	else if (vtm_http_base_ok(s->base_url, error))
		http = vtm_http_new(&hs, error);
	g_free(agent);
	if (!http)
		return NULL;
	vt = g_new0(struct vtm_vt, 1);
	vt->http = http;
	vt->base_url = g_strdup(s->base_url);
	while (g_str_has_suffix(vt->base_url, "/"))
		vt->base_url[strlen(vt->base_url) - 1] = '\0';
	vt->api_key = g_strdup(s->api_key);
	vt->key_header = g_strconcat("x-apikey: ", s->api_key, NULL);
	vt->requests = g_hash_table_new_full(NULL, NULL, request_free, NULL);
	return vt;
}

void vtm_vt_free(struct vtm_vt *vt)
{
	if (!vt)
		return;
	vtm_http_free(vt->http);
	g_hash_table_destroy(vt->requests);
	g_free(vt->base_url);
	wipe(vt->api_key);
	wipe(vt->key_header);
	g_free(vt);
}

unsigned vtm_vt_in_flight(const struct vtm_vt *vt)
{
	return g_hash_table_size(vt->requests);
}

void vtm_vt_poll(struct vtm_vt *vt, int64_t max_ms)
{
	vtm_http_poll(vt->http, max_ms);
}

void vtm_vt_wakeup(struct vtm_vt *vt)
{
	vtm_http_wakeup(vt->http);
}

int vtm_vt_result(struct vtm_vt *vt, struct vtm_result *r)
{
	struct vtm_http_reply h;
	struct request *q;

	if (!vtm_http_reply(vt->http, &h))
		return 0;
	q = h.tag;
	memset(r, 0, sizeof(*r));
	r->hourly.allowed = r->daily.allowed = r->monthly.allowed = -1;
	r->tag = q->tag;
	r->status = h.status;
	r->tls = h.tls;
	r->server_utc_ms = h.date_ms;
	r->retry_after_ms = h.retry_after_ms;
	r->took_ms = h.took_ms;
	r->answer = read_reply(vt, q, &h, r);
	vtm_http_reply_clear(&h);
	g_hash_table_remove(vt->requests, q);
	return 1;
}

void vtm_result_clear(struct vtm_result *r)
{
	g_free(r->analysis);
	g_free(r->upload_url);
	g_free(r->why);
	memset(r, 0, sizeof(*r));
}
