/* SPDX-License-Identifier: BSD-2-Clause */
/* http.c - bounded HTTP requests over libcurl's multi interface. */
#include "vt/http.h"

#include <curl/curl.h>
#include <limits.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "vt/address.h"

#define CONNECTIONS_KEPT 8
#define IDLE_MAX_S 50		/* servers close idle connections after about a minute */
#define RETRY_AFTER_MAX_S (366 * 24 * 3600)
#define ERROR_PAUSE_MS 100	/* after libcurl failed to wait */
/* A transfer that ends while its name is looked up leaves a thread of libcurl's in getaddrinfo(), which nothing can
 * end before the resolver itself gives up (resolv.conf: 5 s for each try of each server).  So many are left in one
 * minute at most. */
#define STUCK_MAX 16
#define STUCK_WINDOW_US (60 * G_USEC_PER_SEC)

struct vtm_http {
	CURLM *multi;
	char *ca_file;
	char *user_agent;
	int64_t connect_timeout_ms;
	int64_t total_timeout_ms;
	size_t body_max;
	GHashTable *transfers;	/* set of struct transfer *, owned */
	GQueue replies;		/* of struct vtm_http_reply *, owned */
	int64_t stuck_us[STUCK_MAX];	/* when a thread was left in getaddrinfo(), a ring; monotonic, 0: never */
	unsigned stuck_next;	/* the oldest of them */
};

struct transfer {
	struct vtm_http *http;
	CURL *easy;
	struct curl_slist *headers;
	char *form;
	curl_mime *parts;
	struct vtm_buffer body;
	void *tag;
	bool plain;		/* http, not https */
	bool sent;
	const char *refusal;	/* why one of our callbacks stopped it; static */
	bool too_large;
	int64_t date_ms;
	int64_t retry_s;	/* -1: none */
	int64_t retry_date_ms;	/* 0: none */
};

static bool global_init(void)
{
	static gsize state;

	if (g_once_init_enter(&state))
		g_once_init_leave(&state, curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 1 : 2);
	return state == 1;
}

/* ---- callbacks from libcurl ---- */

/* Before a request goes out.  libcurl repeats a request by itself when a kept connection turns out to be closed, but
 * whether the server has counted the first one is not known; and a name may say localhost and be elsewhere. */
static int about_to_send(void *arg, char *peer_ip, char *local_ip, int peer_port, int local_port)
{
	struct transfer *t = arg;

	(void)local_ip;
	(void)peer_port;
	(void)local_port;
	if (t->sent)
		t->refusal = "Connection closed without an answer";
	else if (t->plain && !vtm_address_is_loopback(peer_ip))
		t->refusal = "Not a loopback address";
	t->sent = true;
	return t->refusal ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * n;

	if (len > t->http->body_max - t->body.len) {
		t->too_large = true;
		return 0;
	}
	if (!vtm_buffer_add(&t->body, data, len)) {
		t->refusal = "No memory for the answer";
		return 0;
	}
	return len;
}

/* The value of header <name> in a line without NUL; new string, NULL if the line is another header. */
static char *header_value(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len <= n || line[n] != ':' || g_ascii_strncasecmp(line, name, n))
		return NULL;
	return g_strstrip(g_strndup(line + n + 1, len - n - 1));
}

static int64_t date_ms(const char *text)
{
	time_t when = curl_getdate(text, NULL);

	return when > 0 ? (int64_t)when * 1000 : 0;
}

static void take_retry_after(struct transfer *t, const char *value)
{
	guint64 seconds;

	if (g_ascii_string_to_unsigned(value, 10, 0, RETRY_AFTER_MAX_S, &seconds, NULL))
		t->retry_s = (int64_t)seconds;
	else if (*value && strspn(value, G_CSET_DIGITS) == strlen(value))
		t->retry_s = RETRY_AFTER_MAX_S;
	else
		t->retry_date_ms = date_ms(value);
}

static size_t take_header(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * n;
	char *value;

	if (len >= 5 && !memcmp(data, "HTTP/", 5)) {	/* the final reply after an interim one */
		t->date_ms = t->retry_date_ms = 0;
		t->retry_s = -1;
	} else if ((value = header_value(data, len, "Date"))) {
		t->date_ms = date_ms(value);
		g_free(value);
	} else if ((value = header_value(data, len, "Retry-After"))) {
		take_retry_after(t, value);
		g_free(value);
	}
	return len;
}

/* ---- transfers ---- */

static void transfer_free(void *arg)
{
	struct transfer *t = arg;

	if (t->easy) {
		curl_multi_remove_handle(t->http->multi, t->easy);
		curl_easy_cleanup(t->easy);
	}
	curl_mime_free(t->parts);
	curl_slist_free_all(t->headers);
	vtm_buffer_clear(&t->body);
	g_free(t->form);
	g_free(t);
}

static int restrict_protocols(CURL *e, bool plain)
{
	int rc = 0;

#if LIBCURL_VERSION_NUM >= 0x075500
	rc |= curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
#else
	rc |= curl_easy_setopt(e, CURLOPT_PROTOCOLS, plain ? (long)CURLPROTO_HTTP : (long)CURLPROTO_HTTPS);
#endif
	rc |= curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	rc |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	rc |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	rc |= curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* One answer at a time on a connection, so that none can be taken for another's. */
	rc |= curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	/* https_proxy and no_proxy of the environment hold for https: the proxy sees no header of ours.  It would see
	 * everything of plain http. */
	rc |= curl_easy_setopt(e, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	rc |= curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (plain)
		rc |= curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
	return rc;
}

/* The total time also bounds a server that sends a byte now and then; a minimum speed would end slow answers, too. */
static int set_bounds(CURL *e, const struct vtm_http *h)
{
	int rc = 0;

	rc |= curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	rc |= curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)h->connect_timeout_ms);
	rc |= curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)h->total_timeout_ms);
	rc |= curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)h->body_max);
	rc |= curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, (long)IDLE_MAX_S);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* A time-out must not wait for a name server that does not answer. */
	rc |= curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
#endif
	return rc;
}

/* A POST of one file, which libcurl reads as it goes. */
static int set_file(struct transfer *t, const char *path)
{
	curl_mimepart *part;
	int rc;

	t->parts = curl_mime_init(t->easy);
	part = t->parts ? curl_mime_addpart(t->parts) : NULL;
	if (!part)
		return CURLE_OUT_OF_MEMORY;
	rc = curl_mime_name(part, "file") | curl_mime_filedata(part, path);
	return rc | curl_easy_setopt(t->easy, CURLOPT_MIMEPOST, t->parts);
}

static int set_up(struct transfer *t, const char *url)
{
	const struct vtm_http *h = t->http;
	CURL *e = t->easy;
	int rc = restrict_protocols(e, t->plain) | set_bounds(e, h);

	rc |= curl_easy_setopt(e, CURLOPT_URL, url);
	rc |= curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers);
	rc |= curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "gzip");
	rc |= curl_easy_setopt(e, CURLOPT_USERAGENT, h->user_agent);
	if (h->ca_file)
		rc |= curl_easy_setopt(e, CURLOPT_CAINFO, h->ca_file);
	if (t->form) {
		rc |= curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)strlen(t->form));
		rc |= curl_easy_setopt(e, CURLOPT_POSTFIELDS, t->form);
	}
	rc |= curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, about_to_send);
	rc |= curl_easy_setopt(e, CURLOPT_PREREQDATA, t);
	rc |= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body);
	rc |= curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	rc |= curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_header);
	rc |= curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	rc |= curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	return rc;
}

static int64_t retry_after_ms(const struct transfer *t)
{
	if (t->retry_s >= 0)
		return t->retry_s * 1000;
	if (t->retry_date_ms > 0 && t->date_ms > 0)	/* both by the server's clock */
		return CLAMP(t->retry_date_ms - t->date_ms, 0, (int64_t)RETRY_AFTER_MAX_S * 1000);
	return -1;
}

static enum vtm_tls_fault tls_fault(CURL *easy, CURLcode code)
{
	/* openssl-verification-options(1): 9 not yet valid, 10 expired, 18 to 21 no way to an authority, 62 and 64
	 * another name; 1 is where libcurl begins, and leaves it when it is the name, which it compares itself */
	long why = 0;

	if (code == CURLE_SSL_CACERT_BADFILE)
		return VTM_TLS_CA_FILE;
	if (code != CURLE_PEER_FAILED_VERIFICATION)
		return VTM_TLS_FINE;
	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &why);
	switch (why) {
	case 0:
	case 1:
	case 62:
	case 64:
		return VTM_TLS_NAME;
	case 9:
		return VTM_TLS_NOT_YET;
	case 10:
		return VTM_TLS_EXPIRED;
	case 18:
	case 19:
	case 20:
	case 21:
		return VTM_TLS_UNTRUSTED;
	default:
		return VTM_TLS_OTHER;
	}
}

static const char *tls_text(enum vtm_tls_fault fault)
{
	static const char *const texts[] = {
		[VTM_TLS_UNTRUSTED] = "The certificate is not signed by an authority that is trusted",
		[VTM_TLS_EXPIRED] = "The certificate has expired",
		[VTM_TLS_NOT_YET] = "The certificate is not valid yet",
		[VTM_TLS_NAME] = "The certificate is that of another host",
		[VTM_TLS_OTHER] = "The certificate is not valid",
		[VTM_TLS_CA_FILE] = "CAFile cannot be read or holds no certificate",
	};
	return texts[fault];
}

static struct vtm_http_reply *reply_of(struct transfer *t, CURLcode code)
{
	struct vtm_http_reply *r = g_new0(struct vtm_http_reply, 1);
	curl_off_t took_us = 0;

	r->tag = t->tag;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &r->status);
	curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &took_us);
	r->took_ms = took_us / 1000;
	r->date_ms = t->date_ms;
	r->retry_after_ms = retry_after_ms(t);
	r->tls = tls_fault(t->easy, code);
	r->too_large = t->too_large || code == CURLE_FILESIZE_EXCEEDED;
	if (r->too_large)
		r->failure = "Answer too large";
	else if (t->refusal)
		r->failure = t->refusal;
	else if (r->tls != VTM_TLS_FINE)
		r->failure = tls_text(r->tls);
	else if (code != CURLE_OK)
		r->failure = curl_easy_strerror(code);
	if (!r->failure) {
		r->body_len = t->body.len;
		r->body = vtm_buffer_steal(&t->body);
		if (!r->body)
			r->failure = "No memory for the answer";
	}
	return r;
}

/* Did <t> end during its name look-up?  libcurl then has no time for the look-up. */
static bool left_a_thread(struct transfer *t, CURLcode code)
{
	curl_off_t lookup_us = 0;

	curl_easy_getinfo(t->easy, CURLINFO_NAMELOOKUP_TIME_T, &lookup_us);
	return code == CURLE_OPERATION_TIMEDOUT && !lookup_us;
}

static bool lookups_are_stuck(const struct vtm_http *h)
{
	int64_t oldest = h->stuck_us[h->stuck_next];

	return oldest && g_get_monotonic_time() - oldest < STUCK_WINDOW_US;
}

/* Ends every transfer after libcurl itself failed (memory, descriptors). */
static void fail_all(struct vtm_http *h, CURLMcode code)
{
	GHashTableIter i;
	void *transfer;

	g_hash_table_iter_init(&i, h->transfers);
	while (g_hash_table_iter_next(&i, &transfer, NULL)) {
		struct vtm_http_reply *r = reply_of(transfer, CURLE_FAILED_INIT);

		r->failure = curl_multi_strerror(code);
		g_queue_push_tail(&h->replies, r);
		g_hash_table_iter_remove(&i);
	}
}

static void collect(struct vtm_http *h)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left))) {
		struct transfer *t = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		if (left_a_thread(t, m->data.result)) {
			h->stuck_us[h->stuck_next] = g_get_monotonic_time();
			h->stuck_next = (h->stuck_next + 1) % STUCK_MAX;
		}
		g_queue_push_tail(&h->replies, reply_of(t, m->data.result));
		g_hash_table_remove(h->transfers, t);
	}
}

/* ---- the interface ---- */

struct vtm_http *vtm_http_new(const struct vtm_http_settings *s, GError **error)
{
	struct vtm_http *h;
	CURLM *multi = global_init() ? curl_multi_init() : NULL;

	if (!multi) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "libcurl cannot be set up");
		return NULL;
	}
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	h = g_new0(struct vtm_http, 1);
	h->multi = multi;
	h->ca_file = g_strdup(s->ca_file);
	h->user_agent = g_strdup(s->user_agent);
	h->connect_timeout_ms = CLAMP(s->connect_timeout_ms, 1, INT_MAX);
	h->total_timeout_ms = CLAMP(s->total_timeout_ms, 1, INT_MAX);
	h->body_max = MIN(s->body_max, (size_t)INT_MAX - 1);
	h->transfers = g_hash_table_new_full(NULL, NULL, transfer_free, NULL);
	g_queue_init(&h->replies);
	return h;
}

static void reply_free(void *reply)
{
	vtm_http_reply_clear(reply);
	g_free(reply);
}

void vtm_http_free(struct vtm_http *h)
{
	if (!h)
		return;
	g_hash_table_destroy(h->transfers);
	curl_multi_cleanup(h->multi);
	g_queue_clear_full(&h->replies, reply_free);
	g_free(h->ca_file);
	g_free(h->user_agent);
	g_free(h);
}

int vtm_http_start(struct vtm_http *h, const struct vtm_http_request *r, GError **error)
{
	struct transfer *t;
	bool plain;

	if (!vtm_address_target_ok(r->url, &plain, error))
		return -1;
	t = g_new0(struct transfer, 1);
	t->http = h;
	t->tag = r->tag;
	t->plain = plain;
	t->form = g_strdup(r->form);
	t->retry_s = -1;
	for (const char *const *header = r->headers; header && *header; header++)
		t->headers = curl_slist_append(t->headers, *header);
	t->easy = curl_easy_init();
	if (!t->easy || set_up(t, r->url) != CURLE_OK || (r->file && set_file(t, r->file) != CURLE_OK) ||
	    (r->timeout_ms && curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms) != CURLE_OK) ||
	    curl_multi_add_handle(h->multi, t->easy) != CURLM_OK) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "libcurl does not take the request");
		transfer_free(t);
		return -1;
	}
	g_hash_table_add(h->transfers, t);
	if (lookups_are_stuck(h)) {
		t->refusal = "Name servers do not answer";
		g_queue_push_tail(&h->replies, reply_of(t, CURLE_COULDNT_RESOLVE_HOST));
		g_hash_table_remove(h->transfers, t);
	}
	return 0;
}

static void perform(struct vtm_http *h)
{
	int running;
	CURLMcode code = curl_multi_perform(h->multi, &running);

	collect(h);
	if (code != CURLM_OK)
		fail_all(h, code);
}

void vtm_http_poll(struct vtm_http *h, int64_t max_ms)
{
	perform(h);
	if (!g_queue_is_empty(&h->replies) || max_ms <= 0)
		return;
	/* A wait that failed returned at once: without a pause the caller's loop would spin. */
	if (curl_multi_poll(h->multi, NULL, 0, (int)MIN(max_ms, INT_MAX), NULL) != CURLM_OK)
		g_usleep((gulong)MIN(max_ms, ERROR_PAUSE_MS) * 1000);
	perform(h);
}

void vtm_http_wakeup(struct vtm_http *h)
{
	curl_multi_wakeup(h->multi);
}

int vtm_http_reply(struct vtm_http *h, struct vtm_http_reply *r)
{
	struct vtm_http_reply *first = g_queue_pop_head(&h->replies);

	if (!first)
		return 0;
	*r = *first;
	g_free(first);
	return 1;
}

void vtm_http_reply_clear(struct vtm_http_reply *r)
{
	g_free(r->body);
	memset(r, 0, sizeof(*r));
}
