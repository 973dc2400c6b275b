/* SPDX-License-Identifier: BSD-2-Clause */
/* fakevt-send.c - answers on their way out, with the faults that were asked for. */
#include <gio/gio.h>
#include <microhttpd.h>
#include <string.h>
#include <time.h>

#include "fakevt.h"

#define OTHER_ID "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define OTHER_URL "https://another.example/"

/* ---- faults ---- */

static void compress(struct fake_answer *a)
{
	GConverter *gz = G_CONVERTER(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9));
	GOutputStream *memory = g_memory_output_stream_new_resizable(), *stream;

	stream = g_converter_output_stream_new(memory, gz);
	g_output_stream_write_all(stream, a->body, a->len, NULL, NULL, NULL);
	g_output_stream_close(stream, NULL, NULL);
	g_free(a->body);
	a->len = g_memory_output_stream_get_data_size(G_MEMORY_OUTPUT_STREAM(memory));
	a->body = g_memory_output_stream_steal_data(G_MEMORY_OUTPUT_STREAM(memory));
	g_object_unref(stream);
	g_object_unref(memory);
	g_object_unref(gz);
}

static void replace(struct fake_answer *a, const char *old, const char *new)
{
	GString *s;

	if (!old)
		return;
	s = g_string_new_len(a->body, (gssize)a->len);
	g_string_replace(s, old, new, 0);
	g_free(a->body);
	a->len = s->len;
	a->body = g_string_free(s, FALSE);
}

static const char *code_of(unsigned status)
{
	switch (status) {
	case 400: return "BadRequestError";
	case 401: return "WrongCredentialsError";
	case 403: return "ForbiddenError";
	case 404: return "NotFoundError";
	case 409: return "AlreadyExistsError";
	case 424: return "FailedDependencyError";
	case 429: return "QuotaExceededError";
	case 503: return "TransientError";
	case 504: return "DeadlineExceededError";
	default: return "BadRequestError";
	}
}

static void new_body(struct fake_answer *a, char *body, gsize len)
{
	g_free(a->body);
	a->body = body;
	a->len = len;
}

/* Everything about a fault that is in the bytes of the answer. */
static void spoil(struct fake_answer *a, const struct fake_fault *f)
{
	char *other;

	if (f->status) {
		other = fake_body_error(code_of(f->status), "Wrong API key: %s", fake.key);
		a->status = f->status;
		new_body(a, other, strlen(other));
	}
	if (f->wrong_id) {
		replace(a, a->id, strlen(a->id ? a->id : "") == 64 ? OTHER_ID : "another.example");
		replace(a, a->url, OTHER_URL);
	}
	if (f->wrong_url && a->url) {
		other = g_strconcat(a->url, "other", NULL);
		replace(a, a->id, OTHER_ID);
		replace(a, a->url, other);
		g_free(other);
	}
	if (f->html) {
		new_body(a, g_strdup("<html><body><h1>Blocked by policy</h1></body></html>\n"), 53);
		a->type = "text/html";
	}
	if (f->garbage) {
		other = g_malloc(1000);
		for (int i = 0; i < 1000; i++)
			other[i] = (char)g_random_int();
		new_body(a, other, 1000);
	}
	if (f->empty)
		new_body(a, g_strdup(""), 0);
	if (f->truncated)
		a->len /= 2;
	if (f->bomb)
		new_body(a, g_strnfill((gsize)f->bomb, ' '), (gsize)f->bomb);
	if (f->gzip || f->bomb)
		compress(a);
	if (f->redirect)
		a->status = 302;
}

/* A body that comes in a strange way. */
struct odd_body {
	char *data;
	uint64_t len, cut_at;	/* cut_at: UINT64_MAX never */
	int64_t drip_ms;
	bool huge;
};

static ssize_t read_odd(void *arg, uint64_t pos, char *buffer, size_t max)
{
	struct odd_body *b = arg;
	uint64_t n = MIN(MIN(b->len, b->cut_at) - pos, max);

	if (pos >= b->cut_at)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (pos >= b->len)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (b->drip_ms) {
		if (!fake_nap(b->drip_ms))
			return MHD_CONTENT_READER_END_WITH_ERROR;
		n = 1;
	}
	if (b->huge)
		memset(buffer, 'a', n);
	else
		memcpy(buffer, b->data + pos, n);
	return (ssize_t)n;
}

static void free_odd(void *arg)
{
	struct odd_body *b = arg;

	g_free(b->data);
	g_free(b);
}

static struct MHD_Response *odd_response(struct fake_answer *a, const struct fake_fault *f)
{
	struct odd_body *b = g_new0(struct odd_body, 1);
	bool chunked = f->chunked || f->huge;

	b->data = a->body;
	a->body = NULL;
	b->huge = f->huge > 0;
	b->len = f->huge ? (uint64_t)f->huge : a->len;
	b->cut_at = f->cut ? b->len / 2 : UINT64_MAX;
	b->drip_ms = f->drip_ms;
	return MHD_create_response_from_callback(chunked ? MHD_SIZE_UNKNOWN : b->len, f->drip_ms ? 64 : 65536,
						 read_odd, b, free_odd);
}

/* ---- replies ---- */

static void add_date(struct MHD_Response *r, int64_t at_ms)
{
	time_t at = (time_t)(at_ms / 1000);
	struct tm tm;
	char text[64];

	gmtime_r(&at, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	MHD_add_response_header(r, "Date", text);
}

static void add_headers(struct MHD_Response *r, const struct fake_answer *a, const struct fake_fault *f,
			const char *url, int64_t now_ms)
{
	MHD_add_response_header(r, "Content-Type", a->type);
	MHD_add_response_header(r, "Server", "Google Frontend");
	MHD_add_response_header(r, "Set-Cookie", "visitor=1; Path=/");
	if (!f || !f->no_date)
		add_date(r, now_ms + (f ? f->date_skew_s * 1000 : 0));
	if (!f)
		return;
	if (f->retry_after)
		MHD_add_response_header(r, "Retry-After", f->retry_after);
	if (f->gzip || f->bomb || f->gzip_bad)
		MHD_add_response_header(r, "Content-Encoding", "gzip");
	if (f->redirect)
		MHD_add_response_header(r, "Location", url);
}

int fake_send(struct MHD_Connection *c, struct fake_answer *a, const struct fake_fault *f, const char *url,
	      int64_t now_ms)
{
	struct MHD_Response *r;
	int result;

	if (f)
		spoil(a, f);
	if (f && (f->cut || f->drip_ms || f->huge || f->chunked))
		r = odd_response(a, f);
	else
		r = MHD_create_response_from_buffer(a->len, a->body, MHD_RESPMEM_MUST_COPY);
	add_headers(r, a, f, url, now_ms);
	result = MHD_queue_response(c, a->status, r);
	MHD_destroy_response(r);
	return result;
}
