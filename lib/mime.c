/* SPDX-License-Identifier: BSD-2-Clause */
/* mime.c - a message's MIME structure, walked iteratively; the only file that knows GMime. */
#include "mime.h"

#include <gmime/gmime.h>
#include <string.h>
#include <unistd.h>

#include "base64.h"
#include "charset.h"
#include "error.h"
#include "hash.h"

#define READ_CHUNK 65536

/* One object still to be looked at, with the types passed on the way. */
struct visit {
	GMimeObject *object;	/* borrowed from the message */
	unsigned depth;
	GPtrArray *via;		/* of char *, owned */
};

struct walk {
	const struct vtm_mime_limits *limits;
	vtm_mime_each *each;
	void *arg;
	struct vtm_mime_summary *summary;
	GQueue todo;		/* of struct visit, front first */
	unsigned parts, groups;
	bool warned;		/* GMime found something other programs may read otherwise */
};

static void init_once(void)
{
	static gsize once;

	if (g_once_init_enter(&once)) {
		g_mime_init();
		g_once_init_leave(&once, 1);
	}
}

void vtm_mime_summary_clear(struct vtm_mime_summary *s)
{
	g_free(s->from_domain);
	g_free(s->message_id);
	if (s->auth_results)
		g_ptr_array_free(s->auth_results, TRUE);
	if (s->list_unsubscribe)
		g_ptr_array_free(s->list_unsubscribe, TRUE);
	memset(s, 0, sizeof(*s));
}

char *vtm_mime_utf8(const char *content, size_t len, const char *charset, size_t *len_r)
{
	return vtm_charset_utf8(content, len, charset, len_r);
}

/* ---- decoding ---------------------------------------------------------------------------------- */

/* Bytes decoded so far: hashed without bound, kept up to one. */
struct sink {
	struct vtm_sha256 *sha;
	GByteArray *kept;
	uint64_t max, size;
};

static void sink_init(struct sink *s, uint64_t max)
{
	s->sha = vtm_sha256_new();
	s->kept = g_byte_array_new();
	s->max = max;
	s->size = 0;
}

static void sink_clear(struct sink *s)
{
	vtm_sha256_free(s->sha);
	if (s->kept)
		g_byte_array_free(s->kept, TRUE);
}

static void sink_add(struct sink *s, const void *data, size_t len)
{
	vtm_sha256_add(s->sha, data, len);
	s->size += len;
	if (!s->kept)
		return;
	if (s->size > s->max) {
		g_byte_array_free(s->kept, TRUE);
		s->kept = NULL;
	} else {
		g_byte_array_append(s->kept, data, (guint)len);
	}
}

/* The part's encoded bytes, chunk by chunk; false when they cannot be read. */
static bool each_chunk(GMimePart *part, void (*chunk)(const char *data, size_t len, void *arg), void *arg)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeStream *stream = content ? g_mime_data_wrapper_get_stream(content) : NULL;
	char *buffer;
	ssize_t n;

	if (!stream)
		return true;	/* nothing there: empty */
	g_mime_stream_reset(stream);
	buffer = g_malloc(READ_CHUNK);
	while ((n = g_mime_stream_read(stream, buffer, READ_CHUNK)) > 0)
		chunk(buffer, (size_t)n, arg);
	g_free(buffer);
	return n == 0;
}

struct base64_job {
	struct vtm_base64 decoder;
	struct sink *sink;
	uint8_t out[READ_CHUNK / 4 * 3 + 4];
};

static void base64_chunk(const char *data, size_t len, void *arg)
{
	struct base64_job *job = arg;

	sink_add(job->sink, job->out, vtm_base64_add(&job->decoder, data, len, job->out));
}

static bool decode_base64(GMimePart *part, enum vtm_base64_reading reading, struct sink *sink, bool *differ_r)
{
	struct base64_job *job = g_new0(struct base64_job, 1);
	bool fine;

	job->sink = sink;
	job->decoder.reading = reading;
	fine = each_chunk(part, base64_chunk, job);
	sink_add(sink, job->out, vtm_base64_end(&job->decoder, job->out));
	*differ_r = job->decoder.data_after_padding;
	g_free(job);
	return fine;
}

struct filter_job {
	GMimeEncoding state;
	struct sink *sink;
	char out[READ_CHUNK * 2];
};

static void filter_chunk(const char *data, size_t len, void *arg)
{
	struct filter_job *job = arg;

	sink_add(job->sink, job->out, g_mime_encoding_step(&job->state, data, len, job->out));
}

static bool decode_filter(GMimePart *part, GMimeContentEncoding encoding, struct sink *sink)
{
	struct filter_job *job = g_new0(struct filter_job, 1);
	bool fine;

	job->sink = sink;
	g_mime_encoding_init_decode(&job->state, encoding);
	fine = each_chunk(part, filter_chunk, job);
	sink_add(sink, job->out, g_mime_encoding_flush(&job->state, NULL, 0, job->out));
	g_free(job);
	return fine;
}

static void plain_chunk(const char *data, size_t len, void *arg)
{
	sink_add(arg, data, len);
}

/* ---- parts ------------------------------------------------------------------------------------------ */

static char *mime_type(GMimeObject *object)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	char *text = type ? g_mime_content_type_get_mime_type(type) : NULL, *lower;

	if (!text)
		return g_strdup("text/plain");
	lower = g_ascii_strdown(text, -1);
	g_free(text);
	return lower;
}

static const char *parameter(GMimeObject *object, const char *name)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);

	return type ? g_mime_content_type_get_parameter(type, name) : NULL;
}

static enum vtm_part_kind kind_of(GMimePart *part, const char *type)
{
	GMimeObject *object = GMIME_OBJECT(part);
	const char *disposition = g_mime_object_get_disposition(object);

	if (!strcmp(type, "application/pgp-signature") || !strcmp(type, "application/pkcs7-signature") ||
	    !strcmp(type, "application/x-pkcs7-signature"))
		return VTM_PART_SIGNATURE;
	if (!strcmp(type, "message/external-body") || !strcmp(type, "message/partial"))
		return VTM_PART_ELSEWHERE;
	if ((disposition && !g_ascii_strcasecmp(disposition, "attachment")) || g_mime_part_get_filename(part))
		return VTM_PART_ATTACHMENT;
	if (!strcmp(type, "text/html"))
		return VTM_PART_HTML;
	if (g_str_has_prefix(type, "text/"))
		return strcmp(type, "text/plain") ? VTM_PART_ATTACHMENT : VTM_PART_TEXT;
	return VTM_PART_ATTACHMENT;
}

static void describe(struct vtm_part *p, GMimePart *part, const char *type)
{
	const char *flowed = parameter(GMIME_OBJECT(part), "format"), *delsp = parameter(GMIME_OBJECT(part), "delsp");

	p->kind = kind_of(part, type);
	p->type = type;
	p->charset = parameter(GMIME_OBJECT(part), "charset");
	p->name = g_mime_part_get_filename(part);
	p->flowed = flowed && !g_ascii_strcasecmp(flowed, "flowed");
	p->delsp = delsp && !g_ascii_strcasecmp(delsp, "yes");
}

static void emit(struct walk *w, struct vtm_part *p, struct sink *sink)
{
	uint8_t digest[VTM_SHA256_LEN];

	vtm_sha256_end(sink->sha, digest);
	vtm_hex(digest, p->sha256);
	p->size = (int64_t)sink->size;
	p->content = sink->kept ? (const char *)sink->kept->data : NULL;
	p->content_len = sink->kept ? sink->kept->len : 0;
	if (sink->kept && !p->content)
		p->content = "";
	w->each(p, w->arg);
}

/* Both readings of base64 that goes on behind its padding. */
static void emit_base64(struct walk *w, struct vtm_part *p, GMimePart *part)
{
	bool differ = false;
	struct sink sink, strict;

	sink_init(&sink, w->limits->max_part_bytes);
	decode_base64(part, VTM_BASE64_LENIENT, &sink, &differ);
	if (differ) {
		p->group = ++w->groups;
		p->note = "ambiguous base64";
	}
	emit(w, p, &sink);
	sink_clear(&sink);
	if (!differ)
		return;
	sink_init(&strict, w->limits->max_part_bytes);
	decode_base64(part, VTM_BASE64_STRICT, &strict, &differ);
	emit(w, p, &strict);
	sink_clear(&strict);
}

static void visit_part(struct walk *w, struct visit *v)
{
	GMimePart *part = GMIME_PART(v->object);
	GMimeContentEncoding encoding = g_mime_part_get_content_encoding(part);
	struct vtm_part p = { .depth = v->depth };
	char *type = mime_type(v->object);
	struct sink sink;

	if (w->parts++ >= w->limits->max_parts) {
		w->summary->capped = true;
		g_free(type);
		return;
	}
	g_ptr_array_add(v->via, NULL);
	p.via = (const char *const *)v->via->pdata;
	describe(&p, part, type);
	if (encoding == GMIME_CONTENT_ENCODING_BASE64) {
		emit_base64(w, &p, part);
	} else {
		sink_init(&sink, w->limits->max_part_bytes);
		if (encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE || encoding == GMIME_CONTENT_ENCODING_UUENCODE)
			decode_filter(part, encoding, &sink);
		else
			each_chunk(part, plain_chunk, &sink);
		emit(w, &p, &sink);
		sink_clear(&sink);
	}
	g_free(type);
}

/* ---- the walk ------------------------------------------------------------------------------------------ */

static void visit_free(gpointer p)
{
	struct visit *v = p;

	g_ptr_array_free(v->via, TRUE);
	g_free(v);
}

/* Puts a child of <parent> (NULL: the top) <at> this place from the front of what is to be done. */
static void push(struct walk *w, GMimeObject *object, const struct visit *parent, int at)
{
	struct visit *v;

	if (!object)
		return;
	if (parent && parent->depth >= w->limits->max_depth) {
		w->summary->capped = true;
		return;
	}
	v = g_new0(struct visit, 1);
	v->object = object;
	v->via = g_ptr_array_new_with_free_func(g_free);
	v->depth = parent ? parent->depth + 1 : 0;
	if (parent) {
		for (guint i = 0; i < parent->via->len; i++)
			g_ptr_array_add(v->via, g_strdup(parent->via->pdata[i]));
		g_ptr_array_add(v->via, mime_type(parent->object));
	}
	g_queue_push_nth(&w->todo, v, at);
}

static void visit(struct walk *w, struct visit *v)
{
	if (GMIME_IS_MULTIPART(v->object)) {
		GMimeMultipart *m = GMIME_MULTIPART(v->object);
		int n = g_mime_multipart_get_count(m);

		for (int i = 0; i < n; i++)
			push(w, g_mime_multipart_get_part(m, i), v, i);
	} else if (GMIME_IS_MESSAGE_PARTIAL(v->object)) {
		visit_part(w, v);
	} else if (GMIME_IS_MESSAGE_PART(v->object)) {
		GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(v->object));

		if (inner)
			push(w, g_mime_message_get_mime_part(inner), v, 0);
	} else if (GMIME_IS_PART(v->object)) {
		visit_part(w, v);
	}
}

static void run(struct walk *w, GMimeMessage *message)
{
	struct visit *v;

	push(w, g_mime_message_get_mime_part(message), NULL, 0);
	while ((v = g_queue_pop_head(&w->todo))) {
		visit(w, v);
		visit_free(v);
	}
}

/* ---- the message's own header ------------------------------------------------------------------------------ */

static char *domain_of(InternetAddressList *list)
{
	InternetAddress *first = list && internet_address_list_length(list) > 0 ?
				 internet_address_list_get_address(list, 0) : NULL;
	const char *address, *at;

	if (!first || !INTERNET_ADDRESS_IS_MAILBOX(first))
		return NULL;
	address = internet_address_mailbox_get_idn_addr(INTERNET_ADDRESS_MAILBOX(first));
	at = address ? strrchr(address, '@') : NULL;
	return at && at[1] ? g_ascii_strdown(at + 1, -1) : NULL;
}

/* The URLs between angle brackets (RFC 2369). */
static void list_urls(const char *value, GPtrArray *urls)
{
	const char *p = value;

	while ((p = strchr(p, '<'))) {
		size_t n = strcspn(++p, "<>");

		if (p[n] == '>' && !g_ascii_strncasecmp(p, "http", 4) && urls->len < 16)
			g_ptr_array_add(urls, g_strndup(p, n));
		p += n;
	}
}

static void read_header(GMimeMessage *message, struct vtm_mime_summary *s)
{
	GMimeHeaderList *headers = g_mime_object_get_header_list(GMIME_OBJECT(message));
	const char *id = g_mime_message_get_message_id(message);

	s->auth_results = g_ptr_array_new_with_free_func(g_free);
	s->list_unsubscribe = g_ptr_array_new_with_free_func(g_free);
	s->from_domain = domain_of(g_mime_message_get_from(message));
	s->message_id = id ? g_strdup_printf("<%s>", id) : NULL;
	for (int i = 0; i < g_mime_header_list_get_count(headers); i++) {
		GMimeHeader *h = g_mime_header_list_get_header_at(headers, i);
		const char *name = g_mime_header_get_name(h), *value = g_mime_header_get_value(h);

		if (!name || !value)
			continue;
		if (!g_ascii_strcasecmp(name, "Authentication-Results") && s->auth_results->len < 16)
			g_ptr_array_add(s->auth_results, g_strdup(value));
		else if (!g_ascii_strcasecmp(name, "List-Unsubscribe"))
			list_urls(value, s->list_unsubscribe);
	}
}

/* What GMime calls critical is what mail programs read differently. */
static void warning(gint64 offset, GMimeParserWarning code, const gchar *item, gpointer arg)
{
	struct walk *w = arg;

	(void)offset;
	(void)item;
	switch (code) {
	case GMIME_CRIT_CONFLICTING_HEADER:
	case GMIME_CRIT_CONFLICTING_PARAMETER:
	case GMIME_CRIT_MULTIPART_WITHOUT_BOUNDARY:
	case GMIME_CRIT_INVALID_HEADER_NAME:
	case GMIME_CRIT_NESTING_OVERFLOW:
	case GMIME_CRIT_PART_WITHOUT_HEADERS_OR_CONTENT:
		w->warned = true;
		break;
	default:
		break;
	}
}

static GMimeStream *open_spool(struct vtm_spool *spool)
{
	const char *data;
	size_t len;
	int fd;

	if (vtm_spool_finish(spool, &data, &len, &fd) < 0)
		return NULL;
	if (data)
		return g_mime_stream_mem_new_with_buffer(data, len);
	fd = dup(fd);	/* GMime closes its own */
	return fd < 0 ? NULL : g_mime_stream_fs_new(fd);
}

int vtm_mime_walk(struct vtm_spool *spool, const struct vtm_mime_limits *limits, vtm_mime_each *each, void *arg,
		  struct vtm_mime_summary *summary, GError **error)
{
	struct walk w = { .limits = limits, .each = each, .arg = arg, .summary = summary };
	GMimeStream *stream;
	GMimeParserOptions *options;
	GMimeMessage *message;
	GMimeParser *parser;

	init_once();
	memset(summary, 0, sizeof(*summary));
	stream = open_spool(spool);
	if (!stream) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "the spooled message cannot be read");
		return -1;
	}
	options = g_mime_parser_options_new();
	g_mime_parser_options_set_warning_callback(options, warning, &w);
	parser = g_mime_parser_new_with_stream(stream);
	message = g_mime_parser_construct_message(parser, options);
	if (message) {
		read_header(message, summary);
		run(&w, message);
		g_object_unref(message);
	} else {
		summary->unparsable = true;
	}
	summary->ambiguous = summary->ambiguous || w.warned;
	g_object_unref(parser);
	g_mime_parser_options_free(options);
	g_object_unref(stream);
	return 0;
}
