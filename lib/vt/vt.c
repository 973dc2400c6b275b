/* SPDX-License-Identifier: BSD-2-Clause */
/* vt.c - requests to VirusTotal. */
#include "vt/vt.h"

#include <gio/gio.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "model/budget.h"
#include "vt/address.h"
#include "vt/answer.h"
#include "vt/http.h"
#include "vt/match.h"

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

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	g_free(secret);
}

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

static bool is_complete(enum vtm_op op, const struct vtm_lookup *lookup, const char *analysis)
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

/* Sends <h>, to <url>, as the request that *about describes and that gets its own copy of it. */
static int send_request(struct vtm_vt *vt, const struct vtm_question *about, void *tag, const char *url,
			struct vtm_http_request *h, GError **error)
{
	const char *const headers[] = { vt->key_header, "Accept: application/json", NULL };
	struct request *q = g_new0(struct request, 1);

	q->op = about->op;
	q->lookup = about->lookup ? vtm_lookup_copy(about->lookup) : NULL;
	q->analysis = g_strdup(about->analysis);
	q->tag = tag;
	h->url = url;
	h->headers = headers;
	h->tag = q;
	if (vtm_http_start(vt->http, h, error) < 0) {
		request_free(q);
		return -1;
	}
	g_hash_table_add(vt->requests, q);
	return 0;
}

int vtm_vt_start(struct vtm_vt *vt, enum vtm_op op, const struct vtm_lookup *lookup, const char *analysis, void *tag,
		 GError **error)
{
	const struct vtm_question about = { .op = op, .lookup = lookup, .analysis = analysis };
	struct vtm_http_request h = { 0 };
	char *path, *url, *escaped, *form = NULL;
	int rc;

	if (!is_complete(op, lookup, analysis)) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_FORMAT, "request without the item it is about");
		return -1;
	}
	path = path_of(vt, op, lookup, analysis);
	url = g_strconcat(vt->base_url, path, NULL);
	if (op == VTM_OP_SUBMIT_URL) {
		escaped = g_uri_escape_string(lookup->subject, NULL, FALSE);
		form = g_strconcat("url=", escaped, NULL);
		g_free(escaped);
	}
	h.form = form;
	rc = send_request(vt, &about, tag, url, &h, error);
	wipe(path);	/* that of the quotas holds the key */
	wipe(url);
	g_free(form);
	return rc;
}

int vtm_vt_upload(struct vtm_vt *vt, const struct vtm_lookup *lookup, const char *path, const char *upload_url,
		  int64_t timeout_ms, void *tag, GError **error)
{
	const struct vtm_question about = { .op = VTM_OP_UPLOAD, .lookup = lookup };
	struct vtm_http_request h = { .file = path, .timeout_ms = timeout_ms };
	char *url;
	int rc;

	if (upload_url && !vtm_match_server(vt->base_url, upload_url)) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_FORMAT, "upload URL on another server");
		return -1;
	}
	url = upload_url ? g_strdup(upload_url) : g_strconcat(vt->base_url, "/files", NULL);
	rc = send_request(vt, &about, tag, url, &h, error);
	g_free(url);
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
	else if (vtm_address_base_ok(s->base_url, error))
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
	struct vtm_question about;
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
	about = (struct vtm_question){
		.op = q->op, .lookup = q->lookup, .analysis = q->analysis, .base_url = vt->base_url,
	};
	r->answer = vtm_answer_read(&about, &h, r);
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
