/* SPDX-License-Identifier: BSD-2-Clause */
/* test-http.c - transfers against a server that plays what it is told, byte by byte. */
#include "vt/http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <gio/gio.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"
#include "vt/address.h"

#define BODY_MAX 1000
#define TIMEOUT_MS 3000

/* ---- the server: one connection after the other ---- */

struct step {
	const char *reply;	/* bytes; NULL: nothing, and the connection stays */
	size_t len;		/* 0: strlen(reply) */
	bool close;		/* afterwards */
};

static struct server {
	int fd;
	uint16_t port;
	const struct step *steps;
	size_t n;
	GString *heard;		/* all requests; to be read when it has stopped */
	gint connections, requests;
	GThread *thread;
} server;

/* Reads one request without a body into server.heard; false at the end of the connection. */
static bool hear(int fd)
{
	char last[4] = { 0 }, c;

	while (read(fd, &c, 1) == 1) {
		g_string_append_c(server.heard, c);
		memmove(last, last + 1, 3);
		last[3] = c;
		if (!memcmp(last, "\r\n\r\n", 4)) {
			g_atomic_int_inc(&server.requests);
			return true;
		}
	}
	return false;
}

static void *serve(void *arg)
{
	size_t next = 0;
	int fd;

	while ((fd = accept(server.fd, NULL, NULL)) >= 0) {
		g_atomic_int_inc(&server.connections);
		while (hear(fd)) {
			const struct step *s = next < server.n ? &server.steps[next++] : NULL;

			if (s && s->reply && send(fd, s->reply, s->len ? s->len : strlen(s->reply), MSG_NOSIGNAL) < 0)
				break;
			if (!s || s->close)
				break;
		}
		close(fd);
	}
	return arg;
}

static void server_start(const struct step *steps, size_t n)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(server.fd, (struct sockaddr *)&at, len) < 0 || listen(server.fd, 10) < 0 ||
	    getsockname(server.fd, (struct sockaddr *)&at, &len) < 0)
		g_error("no loopback");
	server.port = ntohs(at.sin_port);
	server.steps = steps;
	server.n = n;
	server.connections = server.requests = 0;
	if (!server.heard)
		server.heard = g_string_new(NULL);
	g_string_truncate(server.heard, 0);
	server.thread = g_thread_new("server", serve, NULL);
}

/* Call after the client is freed: then no connection is open. */
static void server_stop(void)
{
	shutdown(server.fd, SHUT_RDWR);
	g_thread_join(server.thread);
	close(server.fd);
}

/* ---- the client ---- */

static struct vtm_http *client(void)
{
	static const struct vtm_http_settings s = {
		.user_agent = "test/1; gzip",
		.connect_timeout_ms = TIMEOUT_MS,
		.total_timeout_ms = TIMEOUT_MS,
		.body_max = BODY_MAX,
	};

	return vtm_http_new(&s, NULL);
}

static bool start(struct vtm_http *h, void *tag)
{
	static const char *const headers[] = { "x-apikey: secret", NULL };
	char *url = g_strdup_printf("http://127.0.0.1:%u/path", server.port);
	struct vtm_http_request r = { .url = url, .headers = headers, .tag = tag };
	bool good = vtm_http_start(h, &r, NULL) == 0;

	g_free(url);
	return good;
}

/* One request, from start to reply. */
static bool fetch(struct vtm_http *h, struct vtm_http_reply *r)
{
	if (!start(h, r))
		return false;
	for (int i = 0; i < 100; i++) {
		vtm_http_poll(h, 100);
		if (vtm_http_reply(h, r))
			return true;
	}
	return false;
}

/* ---- replies ---- */

#define OK "HTTP/1.1 200 OK\r\n"
#define DATE "Date: Wed, 30 Sep 2020 15:15:30 GMT\r\n"
#define DATE_MS INT64_C(1601478930000)
#define YEAR_MS (INT64_C(366) * 24 * 3600 * 1000)
#define LEN0 "Content-Length: 0\r\n\r\n"
#define RETRY(value) "Retry-After:" value "\r\n"
#define RETRY_DATE(time) RETRY(" Wed, 30 Sep 2020 " time " GMT")

static const struct {
	const char *what, *reply;
	long status;
	bool fails;
	const char *body;
	int64_t date_ms, retry_after_ms;
} replies[] = {
	{ "a whole reply", OK DATE "Content-Length: 5\r\n\r\nhello", 200, false, "hello", DATE_MS, -1 },
	{ "chunks", OK "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", 200, false, "hello",
	  0, -1 },
	{ "up to the end of the connection", OK "\r\nhello", 200, false, "hello", 0, -1 },
	{ "an empty body", OK LEN0, 200, false, "", 0, -1 },
	{ "another status", "HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno", 503, false, "no", 0, -1 },
	{ "an interim reply", "HTTP/1.1 100 Continue\r\n" DATE RETRY(" 5") "\r\n" OK LEN0, 200, false, "", 0, -1 },
	{ "a date that is none", OK "Date: tomorrow\r\n" LEN0, 200, false, "", 0, -1 },
	{ "headers in any case", OK "dAtE:Wed, 30 Sep 2020 15:15:30 GMT \r\nretry-AFTER:  7  \r\n" LEN0, 200, false,
	  "", DATE_MS, 7000 },
	{ "other headers with such names", OK "X-Date: a\r\nDates: b\r\nRetry-After-All: 3\r\n" LEN0, 200, false, "",
	  0, -1 },
	{ "Retry-After 0", OK RETRY("0") LEN0, 200, false, "", 0, 0 },
	{ "Retry-After -5", OK RETRY("-5") LEN0, 200, false, "", 0, -1 },
	{ "Retry-After without a value", OK RETRY("") LEN0, 200, false, "", 0, -1 },
	{ "Retry-After of 30 digits", OK RETRY("999999999999999999999999999999") LEN0, 200, false, "", 0, YEAR_MS },
	{ "Retry-After as a date", OK DATE RETRY_DATE("15:16:00") LEN0, 200, false, "", DATE_MS, 30000 },
	{ "and before Date", OK RETRY_DATE("15:16:00") DATE LEN0, 200, false, "", DATE_MS, 30000 },
	{ "a date in the past", OK DATE RETRY_DATE("15:00:00") LEN0, 200, false, "", DATE_MS, 0 },
	{ "a date against no Date", OK RETRY_DATE("15:16:00") LEN0, 200, false, "", 0, -1 },
	{ "a redirect", "HTTP/1.1 302 Found\r\nLocation: /other\r\n" LEN0, 302, false, "", 0, -1 },
	{ "no HTTP", "hello\r\n\r\n", 0, true, NULL, 0, -1 },
	{ "nothing", "", 0, true, NULL, 0, -1 },
	{ "half a status line", "HTTP/1.", 0, true, NULL, 0, -1 },
	{ "a body cut short", OK DATE "Content-Length: 10\r\n\r\nhello", 200, true, NULL, DATE_MS, -1 },
	{ "chunks cut short", OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", 200, true, NULL, 0, -1 },
	{ "bad compression", OK "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", 200, true, NULL, 0, -1 },
	{ "an encoding nobody knows", OK "Content-Encoding: rot13\r\nContent-Length: 5\r\n\r\nuryyb", 200, true, NULL,
	  0, -1 },
};

static void read_replies(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(replies); i++) {
		const struct step step = { .reply = replies[i].reply, .close = true };
		struct vtm_http *h = client();
		struct vtm_http_reply r;
		const char *what = replies[i].what;

		server_start(&step, 1);
		if (ok(fetch(h, &r), "%s: is told", what)) {
			is_int(r.status, replies[i].status, "%s: status", what);
			ok(!r.failure == !replies[i].fails, "%s: %s", what, r.failure ? r.failure : "no failure");
			is_str(r.body, replies[i].body, "%s: body", what);
			is_int(r.date_ms, replies[i].date_ms, "%s: date", what);
			is_int(r.retry_after_ms, replies[i].retry_after_ms, "%s: Retry-After", what);
			ok(r.tag == &r && !r.too_large, "%s: tag", what);
			vtm_http_reply_clear(&r);
		}
		vtm_http_free(h);
		server_stop();
		is_int(server.requests, 1, "%s: asked once", what);
	}
}

/* ---- sizes ---- */

static void size(size_t len, bool chunked, bool fits)
{
	char *body = g_strnfill(len, 'a'), *reply;
	struct vtm_http *h = client();
	struct vtm_http_reply r;
	struct step step = { .close = true };

	if (chunked)
		reply = g_strdup_printf(OK "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n", len, body);
	else
		reply = g_strdup_printf(OK "Content-Length: %zu\r\n\r\n%s", len, body);
	step.reply = reply;
	server_start(&step, 1);
	ok(fetch(h, &r) && r.too_large == !fits && !r.body == !fits && !r.failure == fits &&
	   r.body_len == (fits ? len : 0), "%zu bytes%s %s", len, chunked ? " in chunks" : "",
	   fits ? "fit" : "are too many");
	vtm_http_reply_clear(&r);
	vtm_http_free(h);
	server_stop();
	g_free(reply);
	g_free(body);
}

static GByteArray *compressed(size_t len)
{
	GConverter *gz = G_CONVERTER(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9));
	char *plain = g_strnfill(len, 'a');
	GByteArray *out = g_byte_array_new();
	gsize read, written;

	g_byte_array_set_size(out, (guint)len + 200);
	g_converter_convert(gz, plain, len, out->data, out->len, G_CONVERTER_INPUT_AT_END, &read, &written, NULL);
	g_byte_array_set_size(out, (guint)written);
	g_object_unref(gz);
	g_free(plain);
	return out;
}

/* Counts what it becomes. */
static void compressed_size(size_t len, bool fits)
{
	GByteArray *gz = compressed(len);
	GString *s = g_string_new(NULL);
	struct vtm_http *h = client();
	struct vtm_http_reply r;
	struct step step = { .close = true };

	g_string_printf(s, OK "Content-Encoding: gzip\r\nContent-Length: %u\r\n\r\n", gz->len);
	g_string_append_len(s, (const char *)gz->data, gz->len);
	step.reply = s->str;
	step.len = s->len;
	server_start(&step, 1);
	ok(fetch(h, &r) && r.too_large == !fits && r.body_len == (fits ? len : 0), "%u bytes that become %zu %s",
	   gz->len, len, fits ? "fit" : "are too many");
	vtm_http_reply_clear(&r);
	vtm_http_free(h);
	server_stop();
	g_string_free(s, TRUE);
	g_byte_array_unref(gz);
}

static void sizes(void)
{
	size(BODY_MAX, false, true);
	size(BODY_MAX + 1, false, false);
	size(BODY_MAX, true, true);
	size(BODY_MAX + 1, true, false);
	compressed_size(BODY_MAX, true);
	compressed_size(BODY_MAX + 1, false);
	compressed_size(1000000, false);
}

/* ---- connections ---- */

static unsigned count(const char *text)
{
	unsigned n = 0;

	for (const char *p = server.heard->str; (p = strstr(p, text)); p++)
		n++;
	return n;
}

static void kept(void)
{
	static const struct step steps[] = {
		{ OK "Set-Cookie: a=b\r\nContent-Length: 1\r\n\r\n1", 0, false },
		{ OK "Content-Length: 1\r\n\r\n2", 0, false },
		{ "", 0, true },
		{ OK "Content-Length: 1\r\n\r\n4", 0, false },
	};
	struct vtm_http *h = client();
	struct vtm_http_reply r;

	server_start(steps, G_N_ELEMENTS(steps));
	ok(fetch(h, &r) && !g_strcmp0(r.body, "1"), "the first reply");
	vtm_http_reply_clear(&r);
	ok(fetch(h, &r) && !g_strcmp0(r.body, "2"), "the second");
	vtm_http_reply_clear(&r);
	is_int(g_atomic_int_get(&server.connections), 1, "over one connection");
	ok(fetch(h, &r) && r.failure && !r.status, "the third is never answered");
	vtm_http_reply_clear(&r);
	is_int(g_atomic_int_get(&server.requests), 3, "and was not asked again: it may have been counted");
	ok(fetch(h, &r) && !g_strcmp0(r.body, "4"), "the fourth goes over a new connection");
	vtm_http_reply_clear(&r);
	vtm_http_free(h);
	server_stop();
	is_int(count("GET /path HTTP/1.1\r\n"), 4, "the request line");
	is_int(count("x-apikey: secret\r\n"), 4, "our header");
	is_int(count("User-Agent: test/1; gzip\r\n"), 4, "the agent");
	is_int(count("Accept-Encoding: gzip\r\n"), 4, "gzip is taken");
	is_int(count("Cookie:"), 0, "no cookie comes back");
}

static void no_server(void)
{
	struct vtm_http *h = client();
	struct vtm_http_reply r;
	bool fetched;

	server_start(NULL, 0);
	server_stop();
	fetched = fetch(h, &r);
	ok(fetched && r.failure && !r.status && !r.body, "refused: %s", r.failure);
	vtm_http_reply_clear(&r);
	vtm_http_free(h);
}

/* ---- time ---- */

static void *wake(void *h)
{
	g_usleep(100000);
	vtm_http_wakeup(h);
	return NULL;
}

static void times(void)
{
	static const struct step silent = { .reply = NULL };
	struct vtm_http *h = client();
	struct vtm_http_reply r;
	GThread *thread;
	gint64 began;
	bool fetched;

	server_start(&silent, 1);
	fetched = fetch(h, &r);
	ok(fetched && r.failure, "no answer: %s", r.failure);
	/* libcurl cuts its time to whole milliseconds at both ends */
	ok(r.took_ms >= TIMEOUT_MS - 2, "after %d ms", (int)r.took_ms);
	vtm_http_reply_clear(&r);

	began = g_get_monotonic_time();
	thread = g_thread_new("wake", wake, h);
	vtm_http_poll(h, 20000);
	ok(g_get_monotonic_time() - began < 5000000, "another thread ends a poll");
	g_thread_join(thread);
	began = g_get_monotonic_time();
	vtm_http_poll(h, 100);
	ok(g_get_monotonic_time() - began >= 90000, "a poll with nothing to do waits its time");

	for (int i = 0; i < 50; i++)
		start(h, h);
	vtm_http_poll(h, 0);
	vtm_http_free(h);
	vtm_http_free(NULL);
	server_stop();
}

/* ---- what fails below us: these take the place of the C library's and libcurl's own ---- */

static struct {
	GMutex lock;
	GCond changed;
	bool silent;		/* names in .test get no answer */
	unsigned waiting;	/* threads in getaddrinfo() */
	CURLMcode poll, perform;	/* what libcurl returns in place of doing it */
	unsigned polls;
} below;

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list_r)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	if (name && g_str_has_suffix(name, ".test")) {
		g_mutex_lock(&below.lock);
		below.waiting++;
		while (below.silent)
			g_cond_wait(&below.changed, &below.lock);
		below.waiting--;
		g_cond_broadcast(&below.changed);
		g_mutex_unlock(&below.lock);
		return EAI_AGAIN;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(name, service, hints, list_r);
}

CURLMcode curl_multi_poll(CURLM *multi, struct curl_waitfd extra[], unsigned n, int ms, int *ready_r)
{
	CURLMcode (*real)(CURLM *, struct curl_waitfd[], unsigned, int, int *);

	below.polls++;
	if (below.poll != CURLM_OK)
		return below.poll;
	*(void **)&real = dlsym(RTLD_NEXT, "curl_multi_poll");
	return real(multi, extra, n, ms, ready_r);
}

CURLMcode curl_multi_perform(CURLM *multi, int *running_r)
{
	CURLMcode (*real)(CURLM *, int *);

	if (below.perform != CURLM_OK)
		return below.perform;
	*(void **)&real = dlsym(RTLD_NEXT, "curl_multi_perform");
	return real(multi, running_r);
}

/* Starts <n> requests to a name and waits for their replies, at most 10 s; the failure of the last, NULL if not all came. */
static const char *ask_by_name(struct vtm_http *h, unsigned n)
{
	const struct vtm_http_request r = { .url = "https://api.test/" };
	int64_t end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
	struct vtm_http_reply reply = { 0 };
	unsigned came = 0;

	for (unsigned i = 0; i < n; i++)
		if (vtm_http_start(h, &r, NULL) < 0)
			return NULL;
	while (came < n && g_get_monotonic_time() < end) {
		vtm_http_poll(h, 50);
		while (vtm_http_reply(h, &reply))
			came++;
	}
	return came == n ? reply.failure : NULL;
}

static unsigned threads_waiting(void)
{
	unsigned n;

	g_mutex_lock(&below.lock);
	n = below.waiting;
	g_mutex_unlock(&below.lock);
	return n;
}

/* Each request that names the host leaves a thread in getaddrinfo(); their number has a bound. */
static void silent_name_servers(void)
{
	static const struct vtm_http_settings s = {
		.user_agent = "test/1; gzip", .connect_timeout_ms = 300, .total_timeout_ms = 300, .body_max = BODY_MAX,
	};
	struct vtm_http *h = vtm_http_new(&s, NULL);
	struct step step = { .reply = OK "Content-Length: 0\r\n\r\n", .close = true };
	struct vtm_http_reply r;
	const char *failure;

	below.silent = true;
	ok(ask_by_name(h, 15) != NULL, "15 requests to a name that is not answered end");
	failure = ask_by_name(h, 1);
	ok(failure && strcmp(failure, "Name servers do not answer") != 0, "a 16th is tried, too: %s", failure);
	is_int(threads_waiting(), 16, "each left a thread");
	is_str(ask_by_name(h, 30), "Name servers do not answer", "further ones are not tried");
	is_int(threads_waiting(), 16, "and leave none");
	g_mutex_lock(&below.lock);
	below.silent = false;
	g_cond_broadcast(&below.changed);
	while (below.waiting > 0)
		g_cond_wait(&below.changed, &below.lock);
	g_mutex_unlock(&below.lock);
	vtm_http_free(h);

	h = client();
	server_start(&step, 1);
	ok(fetch(h, &r) && r.status == 200, "a client that saw none of that asks");
	vtm_http_reply_clear(&r);
	vtm_http_free(h);
	server_stop();
}

static void libcurl_fails(void)
{
	struct vtm_http *h = client();
	struct step step = { .reply = NULL };
	struct vtm_http_reply r;
	int64_t began = g_get_monotonic_time();

	below.poll = CURLM_OUT_OF_MEMORY;
	below.polls = 0;
	while (g_get_monotonic_time() - began < 500000)
		vtm_http_poll(h, 1000);
	ok(below.polls > 0 && below.polls < 20, "a wait that fails is not repeated without a pause (%u times in half a second)",
	   below.polls);
	began = g_get_monotonic_time();
	vtm_http_poll(h, 5);
	ok(g_get_monotonic_time() - began < 90000, "nor is the pause longer than the wait would be");
	below.poll = CURLM_OK;

	server_start(&step, 1);
	start(h, h);
	start(h, &r);
	vtm_http_poll(h, 50);
	below.perform = CURLM_INTERNAL_ERROR;
	vtm_http_poll(h, 50);
	for (int i = 0; i < 2; i++) {
		bool ended = vtm_http_reply(h, &r);

		ok(ended && r.failure && !r.status && !r.body, "libcurl fails: a transfer ends: %s",
		   ended ? r.failure : "it does not");
		vtm_http_reply_clear(&r);
	}
	ok(!vtm_http_reply(h, &r), "once");
	below.perform = CURLM_OK;
	vtm_http_free(h);
	server_stop();
}

/* ---- addresses ---- */

static void addresses(void)
{
	static const struct { const char *url; bool good; } cases[] = {
		{ "https://www.virustotal.com/api/v3", true },
		{ "https://www.virustotal.com/", true },
		{ "HTTPS://www.virustotal.com", true },
		{ "https://10.0.0.1:8443/vt", true },
		{ "https://[2001:db8::1]/vt", true },
		{ "http://127.0.0.1:8080/api/v3", true },
		{ "http://127.1.2.3", true },
		{ "http://[::1]:8080/", true },
		{ "http://localhost/", true },
		{ "http://LOCALHOST:1/", true },
		{ "http://www.virustotal.com/api/v3", false },
		{ "http://10.0.0.1/", false },
		{ "http://127.0.0.1.example.com/", false },
		{ "http://localhost.example.com/", false },
		{ "http://[::ffff:10.0.0.1]/", false },
		{ "http://0.0.0.0/", false },
		{ "https://user@example.com/", false },
		{ "https://user:secret@example.com/", false },
		{ "https://example.com/?a", false },
		{ "https://example.com/#a", false },
		{ "https://example.com/a b", false },
		{ "https://example.com/%2e", false },
		{ "https://example.com\\@evil.example/", false },
		{ "https://", false },
		{ "https:///path", false },
		{ "https:", false },
		{ "ftp://127.0.0.1/", false },
		{ "file:///etc/passwd", false },
		{ "www.virustotal.com", false },
		{ "/api/v3", false },
		{ "", false },
	};
	char *longest = g_strdup_printf("https://a/%*s", 1014, ""), *longer;
	struct vtm_http *h = client();
	struct vtm_http_request r = { .url = "http://192.0.2.1/secret" };
	GError *error = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		ok(vtm_address_base_ok(cases[i].url, &error) == cases[i].good && !error == cases[i].good, "\"%s\": %s",
		   cases[i].url, error ? error->message : "taken");
		g_clear_error(&error);
	}
	g_strdelimit(longest, " ", 'a');
	longer = g_strconcat(longest, "a", NULL);
	ok(vtm_address_base_ok(longest, NULL), "1024 bytes are taken");
	ok(!vtm_address_base_ok(longer, NULL), "1025 are not");
	ok(vtm_http_start(h, &r, &error) < 0 && error && !strstr(error->message, "secret"),
	   "no request to such a place");
	g_clear_error(&error);
	vtm_http_free(h);
	g_free(longest);
	g_free(longer);
}

int main(void)
{
	read_replies();
	sizes();
	kept();
	no_server();
	times();
	silent_name_servers();
	libcurl_fails();
	addresses();
	g_string_free(server.heard, TRUE);
	return done_testing();
}
