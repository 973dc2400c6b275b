/* SPDX-License-Identifier: BSD-2-Clause */
/* mime.c - a message's MIME structure, walked iteratively; the only file that knows GMime.
 *
 * GMime parses from memory and keeps nothing but offsets into it; the encoded bytes of a part are read where they lie.
 * A second reading of an entity is a document of its own: its header as that reading has it, and a copy of its body.
 */
#include "mail/mime.h"

#include <gmime/gmime.h>
#include <string.h>
#include <sys/mman.h>

#include "base/buffer.h"
#include "base/error.h"
#include "mail/mime-decode.h"
#include "mail/mime-doubt.h"
#include "mail/mime-guard.h"
#include "mail/mime-header.h"

#define READINGS_MAX 4		/* of one entity */
#define READINGS_BYTES 4	/* bytes of all readings, times those of the message */
#define SIGNATURE_MAX 65536	/* a detached signature is no larger */
#define UNCLOSED_MAX 64		/* multiparts without end that are remembered */
#define FIELDS_MAX 20000	/* header fields of one document */
#define HEADERS_MAX 16		/* Authentication-Results and List-Unsubscribe URLs that are kept */

/* Bytes and what GMime made of them. */
struct doc {
	const char *bytes;
	size_t len;
	char *own;		/* <bytes> if they are a copy */
	char *view;		/* what GMime sees instead (mime-guard.h), NULL: the same */
	GByteArray *array;	/* lends either to GMime's stream */
	unsigned fields;	/* header fields parsed */
	GMimeStream *stream;
	GMimeMessage *message;
};

/* A multipart or message around others. */
struct level {
	const struct level *up;
	const struct doc *doc;
	char *type;
	char *boundary;		/* NULL: of a message */
	unsigned depth;
	bool is_signed;		/* multipart/signed */
};

/* One entity still to be looked at. */
struct visit {
	GMimeObject *object;	/* borrowed from the document */
	struct doc *doc;
	const struct level *level;
	unsigned place;		/* among its siblings, from 0 */
	unsigned group;
	bool reading;		/* a further reading already: has no others of its own */
};

struct walk {
	const struct vtm_mime_limits *limits;
	const struct vtm_mime_reader *reader;
	struct vtm_mime_summary *summary;
	GMimeParserOptions *options;
	GArray *todo;		/* of struct visit, the next one last */
	GPtrArray *docs, *levels;	/* owned, until the walk ends */
	unsigned entities;	/* looked at */
	uint64_t readings_left;	/* bytes that may still be read again */
	const char *unclosed[UNCLOSED_MAX + 1];	/* boundaries of inner multiparts that had no end; NULL-terminated */
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

/* ---- documents ------------------------------------------------------------------------------------- */

static void doc_free(gpointer p)
{
	struct doc *d = p;

	if (d->message)
		g_object_unref(d->message);
	if (d->stream)
		g_object_unref(d->stream);
	if (d->array) {
		g_byte_array_steal(d->array, NULL);	/* was only lent */
		g_byte_array_unref(d->array);
	}
	g_free(d->own);
	g_free(d->view);
	g_free(d);
}

/* Called for every header field.  GMime keeps 300 bytes for each: after the last one allowed the stream ends. */
static void count_field(GMimeParser *parser, const char *name, const char *value, gint64 offset, gpointer arg)
{
	struct doc *d = arg;

	(void)parser;
	(void)name;
	(void)value;
	(void)offset;
	if (++d->fields == FIELDS_MAX)
		g_mime_stream_set_bounds(d->stream, 0, g_mime_stream_tell(d->stream));
}

static void doubt(struct walk *w, bool doubtful)
{
	w->summary->ambiguous = w->summary->ambiguous || doubtful;
}

/* <bytes> are borrowed, or taken over as <own>. NULL: too costly, or no memory. Otherwise its message may still be
 * NULL. */
static struct doc *doc_new(struct walk *w, const char *bytes, size_t len, char *own)
{
	struct doc *d = g_new0(struct doc, 1);
	struct vtm_guard guard;
	GMimeParser *parser;

	d->bytes = bytes;
	d->len = len;
	d->own = own;
	g_ptr_array_add(w->docs, d);
	vtm_guard_look(bytes, len, &guard);
	d->view = guard.view;
	if (len > G_MAXINT32 || guard.refuse) {
		if (guard.no_memory)
			w->summary->no_memory = true;
		else
			w->summary->capped = true;
		return NULL;
	}
	d->array = g_byte_array_new_take((guint8 *)(uintptr_t)(d->view ? d->view : bytes), len);
	d->stream = g_mime_stream_mem_new();
	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(d->stream), d->array);
	parser = g_mime_parser_new_with_stream(d->stream);
	if (guard.colons >= FIELDS_MAX)	/* making the expression costs more than parsing a small message */
		g_mime_parser_set_header_regex(parser, "^", count_field, d);
	d->message = g_mime_parser_construct_message(parser, w->options);
	g_object_unref(parser);
	doubt(w, vtm_doubt_header(bytes, vtm_header_end(bytes, len, 0)));
	w->summary->capped = w->summary->capped || d->fields >= FIELDS_MAX;
	return d;
}

/* ---- entities ------------------------------------------------------------------------------------ */

static char *mime_type(GMimeObject *object)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	char *text = type ? g_mime_content_type_get_mime_type(type) : NULL, *valid, *lower;

	if (!text)
		return g_strdup("text/plain");
	valid = g_utf8_make_valid(text, -1);
	lower = g_ascii_strdown(valid, -1);
	g_free(valid);
	g_free(text);
	return lower;
}

static const char *parameter(GMimeObject *object, const char *name)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);

	return type ? g_mime_content_type_get_parameter(type, name) : NULL;
}

/* The different values of a field, in order, at most READINGS_MAX. Of char *, owned. */
static GPtrArray *fields(GMimeObject *object, const char *name)
{
	GMimeHeaderList *headers = g_mime_object_get_header_list(object);
	GPtrArray *values = g_ptr_array_new_with_free_func(g_free);

	for (int i = 0; headers && i < g_mime_header_list_get_count(headers) && values->len < READINGS_MAX; i++) {
		GMimeHeader *h = g_mime_header_list_get_header_at(headers, i);
		const char *raw = g_mime_header_get_raw_value(h);
		char *value;
		bool known = false;

		if (!raw || g_ascii_strcasecmp(g_mime_header_get_name(h), name))
			continue;
		value = vtm_header_unfold(raw);
		for (guint k = 0; k < values->len && !known; k++)
			known = !g_ascii_strcasecmp(values->pdata[k], value);
		if (known)
			g_free(value);
		else
			g_ptr_array_add(values, value);
	}
	return values;
}

struct slice { const char *data; size_t len; };

/* The header of an entity, with the blank line behind it; empty if it has none. */
static struct slice header_of(const struct doc *doc, GMimeObject *object)
{
	GMimeHeaderList *headers = g_mime_object_get_header_list(object);
	GMimeHeader *h = headers && g_mime_header_list_get_count(headers) > 0 ?
			 g_mime_header_list_get_header_at(headers, 0) : NULL;
	gint64 at = h ? g_mime_header_get_offset(h) : -1;
	struct slice s = { NULL, 0 };

	if (at >= 0 && (size_t)at < doc->len) {
		s.data = doc->bytes + at;
		s.len = vtm_header_end(doc->bytes, doc->len, (size_t)at) - (size_t)at;
	}
	return s;
}

/* The boundaries of the multiparts around <v>, <own> first unless it is NULL; NULL-terminated. */
static void boundaries_around(const struct visit *v, const char *own, const char **list, size_t max)
{
	size_t n = 0;

	if (own)
		list[n++] = own;
	for (const struct level *l = v->level; l && l->doc == v->doc && n < max - 1; l = l->up)
		if (l->boundary)
			list[n++] = l->boundary;
	list[n] = NULL;
}

/* The body of an entity, found by its header's place and the boundaries around it; up to <own> boundary, unless
 * NULL. */
static struct slice body_until(const struct visit *v, const char *own)
{
	struct slice header = header_of(v->doc, v->object), s = { NULL, 0 };
	const char *around[64];
	size_t from;

	if (!header.data)
		return s;
	boundaries_around(v, own, around, G_N_ELEMENTS(around));
	from = (size_t)(header.data - v->doc->bytes) + header.len;
	s.data = v->doc->bytes + from;
	s.len = (*around ? vtm_boundary_find(v->doc->bytes, v->doc->len, from, around) : v->doc->len) - from;
	return s;
}

static struct slice body_of(const struct visit *v)
{
	return body_until(v, NULL);
}

/* The encoded bytes of a leaf. */
static struct slice content_of(const struct visit *v)
{
	GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(v->object));
	GMimeStream *stream = content ? g_mime_data_wrapper_get_stream(content) : NULL;
	struct slice s = { "", 0 };

	if (!stream || stream->bound_start < 0 || stream->bound_end < stream->bound_start ||
	    (uint64_t)stream->bound_end > v->doc->len)
		return s;
	s.data = v->doc->bytes + stream->bound_start;
	s.len = (size_t)(stream->bound_end - stream->bound_start);
	/* GMime leaves a CR there when the delimiter behind it is cut off by the end of the message. */
	if (s.len && s.data[s.len - 1] == '\r' && (uint64_t)stream->bound_end < v->doc->len && s.data[s.len] == '\n')
		s.len--;
	return s;
}

static unsigned add_encoding(enum vtm_encoding list[READINGS_MAX], unsigned n, enum vtm_encoding e)
{
	for (unsigned k = 0; k < n; k++)
		if (list[k] == e)
			return n;
	list[n] = e;
	return n + 1;
}

/* The different transfer encodings an entity may have; at least one.  Of what a field does not name for certain, all
 * that fit the <body>: there are programs that see "base64" in anything like it. */
static unsigned encodings(const struct visit *v, struct slice (*body)(const struct visit *),
			  enum vtm_encoding list[READINGS_MAX])
{
	GPtrArray *values = fields(v->object, "Content-Transfer-Encoding");
	struct slice bytes = { NULL, 0 };
	bool known = true, sure;
	unsigned n = 0;

	for (guint i = 0; i < values->len; i++) {
		n = add_encoding(list, n, vtm_header_encoding(values->pdata[i], &sure));
		known = known && sure;
	}
	g_ptr_array_free(values, TRUE);
	if (!n || !known)
		n = add_encoding(list, n, VTM_ENCODING_NONE);
	if (!known)
		bytes = body(v);
	if (bytes.len && vtm_doubt_base64(bytes.data, bytes.len))
		n = add_encoding(list, n, VTM_ENCODING_BASE64);
	if (bytes.len && memchr(bytes.data, '=', bytes.len))
		n = add_encoding(list, n, VTM_ENCODING_QP);
	return n;
}

static void push(struct walk *w, GMimeObject *object, struct doc *doc, const struct level *level, unsigned place,
		 unsigned group, bool reading)
{
	struct visit v = { object, doc, level, place, group, reading };

	if (object)
		g_array_append_val(w->todo, v);
}

static void level_free(gpointer p)
{
	struct level *l = p;

	g_free(l->type);
	g_free(l->boundary);
	g_free(l);
}

/* A level below <v>'s; NULL when that is too deep. */
static struct level *level_new(struct walk *w, const struct visit *v, const char *boundary)
{
	unsigned depth = v->level ? v->level->depth + 1 : 1;
	struct level *l;

	if (depth > w->limits->max_depth) {
		w->summary->capped = true;
		return NULL;
	}
	l = g_new0(struct level, 1);
	l->up = v->level;
	l->doc = v->doc;
	l->type = mime_type(v->object);
	l->boundary = g_strdup(boundary);
	l->depth = depth;
	l->is_signed = !strcmp(l->type, "multipart/signed");
	g_ptr_array_add(w->levels, l);
	return l;
}

/* ---- further readings ------------------------------------------------------------------------------ */

static unsigned group_of(struct walk *w, struct visit *v)
{
	if (!v->group)
		v->group = ++w->summary->groups;
	return v->group;
}

static void add_field(struct vtm_buffer *to, const char *name, const char *value)
{
	vtm_buffer_add_text(to, name);
	vtm_buffer_add_text(to, ": ");
	vtm_buffer_add_text(to, value);
	vtm_buffer_add_text(to, "\r\n");
}

/* Reads <body> once more, under the header <type> (a Content-Type) and, if <v> is not NULL, the other fields of <v>. */
static struct doc *read_again(struct walk *w, const struct visit *v, const char *type, struct slice body,
			      bool with_encoding)
{
	GMimeHeaderList *headers = v ? g_mime_object_get_header_list(v->object) : NULL;
	struct vtm_buffer text = { .data = NULL };
	struct doc *d;

	if (body.len + 512 > w->readings_left) {
		w->summary->capped = true;
		return NULL;
	}
	w->readings_left -= body.len + 512;
	vtm_buffer_make_room(&text, body.len + 512);
	add_field(&text, "Content-Type", type);
	for (int i = 0; headers && i < g_mime_header_list_get_count(headers) && text.len < VTM_HEADER_MAX; i++) {
		GMimeHeader *h = g_mime_header_list_get_header_at(headers, i);
		const char *name = g_mime_header_get_name(h), *raw = g_mime_header_get_raw_value(h);
		char *value;

		if (!raw || g_ascii_strncasecmp(name, "Content-", 8) || !g_ascii_strcasecmp(name, "Content-Type") ||
		    (!with_encoding && !g_ascii_strcasecmp(name, "Content-Transfer-Encoding")))
			continue;
		value = vtm_header_unfold(raw);
		add_field(&text, name, value);
		g_free(value);
	}
	vtm_buffer_add_text(&text, "\r\n");
	vtm_buffer_add(&text, body.data, body.len);
	if (text.refused) {
		w->summary->no_memory = true;
		return NULL;
	}
	d = doc_new(w, text.data, text.len, text.data);
	return d && d->message ? d : NULL;
}

static void push_reading(struct walk *w, struct visit *v, const char *type, struct slice body, bool with_encoding)
{
	unsigned group = group_of(w, v);
	struct doc *d = read_again(w, v, type, body, with_encoding);

	if (d)
		push(w, g_mime_message_get_mime_part(d->message), d, v->level, v->place, group, true);
}

static void push_boundary(struct walk *w, struct visit *v, const char *boundary, struct slice body)
{
	char *kind = mime_type(v->object), *type;
	GString *quoted = g_string_new(NULL);

	for (const char *p = boundary; *p; p++) {
		if (*p == '"' || *p == '\\')
			g_string_append_c(quoted, '\\');
		g_string_append_c(quoted, *p);
	}
	type = g_strdup_printf("%s; boundary=\"%s\"", kind, quoted->str);
	push_reading(w, v, type, body, false);
	g_free(type);
	g_string_free(quoted, TRUE);
	g_free(kind);
}

/* Several different Content-Type fields: every one of them. */
static void push_types(struct walk *w, struct visit *v, struct slice (*body)(const struct visit *))
{
	GPtrArray *types = fields(v->object, "Content-Type");

	for (guint i = types->len > 1 ? types->len : 0; i > 0; i--)
		push_reading(w, v, types->pdata[i - 1], body(v), true);
	g_ptr_array_free(types, TRUE);
}

/* Several boundaries in one field: every one that GMime did not take. */
static void push_boundaries(struct walk *w, struct visit *v, const char *taken)
{
	GPtrArray *types = fields(v->object, "Content-Type");
	GPtrArray *list = types->len == 1 ? vtm_header_params(types->pdata[0], "boundary", READINGS_MAX) : NULL;

	for (guint i = list ? list->len : 0; i > 0; i--)
		if (!taken || strcmp(list->pdata[i - 1], taken))
			push_boundary(w, v, list->pdata[i - 1], body_of(v));
	if (list)
		g_ptr_array_free(list, TRUE);
	g_ptr_array_free(types, TRUE);
}

/* RFC 2045 section 6.4 forbids to encode a multipart as a whole; some programs decode it all the same. */
static void push_decoded(struct walk *w, struct visit *v)
{
	enum vtm_encoding list[READINGS_MAX];
	unsigned n = encodings(v, body_of, list);

	for (unsigned i = 0; i < n; i++) {
		struct vtm_decode d = { .encoding = list[i] };
		GPtrArray *types;
		struct slice body;

		if (list[i] == VTM_ENCODING_NONE)
			continue;
		body = body_of(v);
		d.data = body.data;
		d.len = body.len;
		d.keep_max = MIN(w->readings_left, G_MAXINT32);
		types = fields(v->object, "Content-Type");
		if (body.data && types->len) {
			struct slice plain;

			vtm_decode_keep(&d);
			plain.data = d.content ? d.content : "";
			plain.len = d.content_len;
			w->summary->no_memory = w->summary->no_memory || d.no_memory;
			push_reading(w, v, types->pdata[0], plain, false);
			vtm_decode_clear(&d);
		}
		g_ptr_array_free(types, TRUE);
	}
}

/* ---- leaves ---------------------------------------------------------------------------------------- */

/* Types that are shown like text and are no files, unless they have a name. */
static bool is_notice(const char *type)
{
	static const char *const types[] = {
		"text/enriched", "text/richtext", "text/rfc822-headers", "message/delivery-status", "message/feedback-report",
		"message/disposition-notification", "message/global-delivery-status", "message/global-headers",
		"message/global-disposition-notification", NULL
	};

	return g_strv_contains(types, type);
}

static bool is_signature(const char *type)
{
	return !strcmp(type, "application/pgp-signature") || !strcmp(type, "application/pkcs7-signature") ||
	       !strcmp(type, "application/x-pkcs7-signature");
}

/* Only what looks like a signature too: the type is the sender's word. */
static bool looks_signed(const struct vtm_part *p)
{
	const char *dot = p->name ? strrchr(p->name, '.') : NULL;
	static const char *const ends[] = { ".asc", ".sig", ".p7s", ".pgp", ".gpg", NULL };
	char *end = dot ? g_ascii_strdown(dot, -1) : NULL;
	bool fine = !end || g_strv_contains(ends, end);

	g_free(end);
	return fine && p->content && p->size <= SIGNATURE_MAX &&
	       (p->content[0] == 0x30 || g_strstr_len(p->content, (gssize)MIN(p->content_len, 1024), "-----BEGIN PGP"));
}

static enum vtm_part_kind kind_of(const struct visit *v, const char *type)
{
	const char *disposition = g_mime_object_get_disposition(v->object);

	if (!strcmp(type, "message/external-body") || !strcmp(type, "message/partial"))
		return VTM_PART_ELSEWHERE;
	if (v->level && v->level->is_signed && v->place > 0 && is_signature(type))
		return VTM_PART_SIGNATURE;
	if ((disposition && !g_ascii_strcasecmp(disposition, "attachment")) ||
	    g_mime_part_get_filename(GMIME_PART(v->object)))
		return VTM_PART_ATTACHMENT;
	if (!strcmp(type, "text/html") || !strcmp(type, "text/x-amp-html") || !strcmp(type, "text/watch-html"))
		return VTM_PART_HTML;
	return !strcmp(type, "text/plain") || is_notice(type) ? VTM_PART_TEXT : VTM_PART_ATTACHMENT;
}

/* The types passed on the way to <level>'s inside; NULL-terminated, of borrowed strings. */
static const char **way_to(const struct level *level)
{
	unsigned n = level ? level->depth : 0;
	const char **via = g_new0(const char *, n + 1);

	for (; level; level = level->up)
		via[--n] = level->type;
	return via;
}

struct question {
	struct walk *walk;
	struct vtm_part *part;
};

static bool wants(const char *head, size_t len, void *arg)
{
	const struct question *q = arg;
	const struct vtm_mime_reader *r = q->walk->reader;

	return q->part->kind != VTM_PART_ATTACHMENT || !r->wants || r->wants(q->part, head, len, r->arg);
}

/* Decodes one reading of a leaf and gives it away; true if base64 has another one. */
static bool give(struct walk *w, struct vtm_part *p, struct slice encoded, enum vtm_encoding encoding,
		 enum vtm_base64_reading reading)
{
	bool differs, body = p->kind == VTM_PART_TEXT || p->kind == VTM_PART_HTML;
	struct question q = { w, p };
	struct vtm_decode d = {
		.data = encoded.data, .len = encoded.len, .encoding = encoding, .reading = reading,
		.wants = wants, .arg = &q, .keep_max = w->limits->max_part_bytes,
		.cut = body, .unhashed = body,
	};

	vtm_decode(&d);
	p->size = d.size;
	memcpy(p->sha256, d.sha256, sizeof(p->sha256));
	p->content = d.size ? d.content : "";
	p->content_len = d.content_len;
	p->unopened = d.wanted && !p->content && !d.no_memory;
	w->summary->no_memory = w->summary->no_memory || d.no_memory;
	w->summary->capped = w->summary->capped || d.was_cut;
	differs = d.differs && reading == VTM_BASE64_LENIENT;
	if (p->kind == VTM_PART_SIGNATURE && !looks_signed(p))
		p->kind = VTM_PART_ATTACHMENT;
	if (differs && !p->group)
		p->group = ++w->summary->groups;
	if (p->group)
		p->note = "ambiguous";
	if (!d.no_memory || *p->sha256)
		w->reader->each(p, w->reader->arg);
	vtm_decode_clear(&d);
	return differs;
}

/* May one more leaf be given? */
static bool count_part(struct walk *w)
{
	if (w->summary->parts < w->limits->max_parts) {
		w->summary->parts++;
		return true;
	}
	w->summary->capped = true;
	return false;
}

static void give_all(struct walk *w, struct vtm_part *p, struct slice encoded, const enum vtm_encoding *list,
		     unsigned n)
{
	enum vtm_part_kind kind = p->kind;

	for (unsigned i = 0; i < n && count_part(w); i++) {
		p->kind = kind;
		if (give(w, p, encoded, list[i], VTM_BASE64_LENIENT) && count_part(w))
			give(w, p, encoded, list[i], VTM_BASE64_STRICT);
	}
}

static void doubt_header(struct walk *w, const struct visit *v, GMimeObject *object)
{
	struct slice header = header_of(v->doc, object);

	doubt(w, header.data && vtm_doubt_header(header.data, header.len));
}

/* May there be an entity in a leaf? */
static void doubt_leaf(struct walk *w, const struct visit *v, enum vtm_part_kind kind, struct slice content)
{
	const char *own = parameter(v->object, "boundary"), *around[64];
	GPtrArray *types = fields(v->object, "Content-Type");

	boundaries_around(v, own, around, G_N_ELEMENTS(around));
	doubt(w, vtm_doubt_body(content.data, content.len) && kind != VTM_PART_ELSEWHERE);
	doubt(w, vtm_doubt_leaf(content.data, content.len, around));
	doubt(w, vtm_doubt_leaf(content.data, content.len, w->unclosed));
	for (guint i = 0; i < types->len; i++) {
		char *lower = g_ascii_strdown(types->pdata[i], -1);

		doubt(w, types->len == 1 && strstr(lower, "multipart/"));
		g_free(lower);
	}
	g_ptr_array_free(types, TRUE);
}

static void visit_leaf(struct walk *w, struct visit *v)
{
	const char *flowed = parameter(v->object, "format"), *delsp = parameter(v->object, "delsp");
	const char *name = g_mime_part_get_filename(GMIME_PART(v->object));
	enum vtm_encoding list[READINGS_MAX];
	struct slice content = content_of(v);
	unsigned n = encodings(v, content_of, list);
	char *type = mime_type(v->object), *valid = name ? g_utf8_make_valid(name, -1) : NULL;
	const char **via = way_to(v->level);
	struct vtm_part p = {
		.kind = kind_of(v, type), .type = type, .charset = parameter(v->object, "charset"), .name = valid,
		.flowed = flowed && !g_ascii_strcasecmp(flowed, "flowed"), .delsp = delsp && !g_ascii_strcasecmp(delsp, "yes"),
		.depth = v->level ? v->level->depth : 0, .via = via,
	};

	if (!v->reading)
		push_types(w, v, content_of);
	if (n > 1)
		group_of(w, v);
	p.group = v->group;
	doubt_leaf(w, v, p.kind, content);
	give_all(w, &p, content, list, n);
	g_free(via);
	g_free(valid);
	g_free(type);
}

/* ---- containers ---------------------------------------------------------------------------------------- */

static bool is_blank(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!strchr(" \t\r\n", s.data[i]) || !s.data[i])
			return false;
	return true;
}

/* A multipart without parts.  Programs that find no delimiter show the body as text; some look for another
 * delimiter. */
static void read_undivided(struct walk *w, struct visit *v, const struct level *level)
{
	static const enum vtm_encoding none[] = { VTM_ENCODING_NONE };
	struct slice body = body_of(v);
	char *guess = body.data ? vtm_boundary_guess(body.data, body.len) : NULL;
	const char **via = way_to(level);
	struct vtm_part p = { .kind = VTM_PART_TEXT, .type = "text/plain", .depth = level->depth, .via = via };

	if (body.data && !is_blank(body)) {
		p.group = group_of(w, v);
		give_all(w, &p, body, none, 1);
		if (guess && !v->reading)
			push_boundary(w, v, guess, body);
		/* an encoded word is decoded when it is read again, and not found */
		doubt(w, !v->reading && (guess ? strstr(guess, "=?") != NULL : vtm_doubt_outside(body.data, body.len)));
		p.kind = VTM_PART_ATTACHMENT;
		if (!guess)
			give_all(w, &p, body, none, 1);
	}
	g_free(guess);
	g_free(via);
}

/* Delimiters behind the last one: most programs have stopped, some go on. */
static void read_epilogue(struct walk *w, struct visit *v, const char *boundary)
{
	const char *epilogue = g_mime_multipart_get_epilogue(GMIME_MULTIPART(v->object));
	const char *const around[] = { boundary, NULL };
	struct slice body;
	char *close;

	if (!epilogue || vtm_boundary_find(epilogue, strlen(epilogue), 0, around) == strlen(epilogue))
		return;
	body = body_of(v);
	close = g_strdup_printf("--%s--", boundary);
	if (body.data) {
		const char *last = g_strstr_len(body.data, (gssize)body.len, close);

		if (last) {
			last += strlen(close);
			body.len -= (size_t)(last - body.data);
			body.data = last;
			push_boundary(w, v, boundary, body);
		}
	}
	g_free(close);
}

/* May there be entities around a multipart's own, or does its boundary end the one around it too? */
static void doubt_multipart(struct walk *w, const struct visit *v, const char *boundary)
{
	const char *epilogue = g_mime_multipart_get_epilogue(GMIME_MULTIPART(v->object));
	const char *const own[] = { boundary, NULL };
	struct slice preamble = body_until(v, boundary);

	if (!preamble.data)
		return;
	doubt(w, vtm_doubt_outside(preamble.data, preamble.len) || vtm_doubt_leaf(preamble.data, preamble.len, own));
	doubt(w, epilogue && vtm_doubt_outside(epilogue, strlen(epilogue)));
	for (const struct level *l = v->level; l && l->doc == v->doc; l = l->up)
		doubt(w, l->boundary && !strcmp(l->boundary, boundary));
}

/* The outer boundary ended it.  Programs that go by the inner one until its end see other parts behind. */
static void note_unclosed(struct walk *w, const char *boundary)
{
	unsigned n = 0;

	while (w->unclosed[n])
		n++;
	if (n < UNCLOSED_MAX)
		w->unclosed[n] = boundary;
	else
		doubt(w, true);
}

static void visit_multipart(struct walk *w, struct visit *v)
{
	GMimeMultipart *m = GMIME_MULTIPART(v->object);
	const char *boundary = parameter(v->object, "boundary");
	struct level *level = level_new(w, v, boundary);
	int n = g_mime_multipart_get_count(m);

	if (!level)
		return;
	if (!v->reading) {
		push_types(w, v, body_of);
		push_boundaries(w, v, boundary);
		push_decoded(w, v);
	}
	if (boundary)
		read_epilogue(w, v, boundary);
	if (boundary && n > 0)
		doubt_multipart(w, v, boundary);
	if (boundary && v->level && !m->write_end_boundary)
		note_unclosed(w, level->boundary);
	if (n <= 0)
		read_undivided(w, v, level);
	/* further readings come behind: the stack turns the order round */
	if (n > (int)w->limits->max_parts) {
		w->summary->capped = true;
		n = (int)w->limits->max_parts;
	}
	for (int i = n; i > 0; i--)
		push(w, g_mime_multipart_get_part(m, i - 1), v->doc, level, (unsigned)i - 1, v->group, false);
}

/* What should be a message and has no header of one is read as text. */
static void give_text(struct walk *w, const struct level *level, struct slice body, unsigned group)
{
	static const enum vtm_encoding none[] = { VTM_ENCODING_NONE };
	const char **via = way_to(level);
	struct vtm_part p = {
		.kind = VTM_PART_TEXT, .type = "text/plain", .depth = level ? level->depth : 0, .via = via, .group = group
	};

	if (!is_blank(body))
		give_all(w, &p, body, none, 1);
	g_free(via);
}

static void visit_message(struct walk *w, struct visit *v)
{
	GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(v->object));
	GMimeObject *part = inner ? g_mime_message_get_mime_part(inner) : NULL;
	struct level *level = level_new(w, v, NULL);
	struct slice body;

	if (!level)
		return;
	if (inner)
		doubt_header(w, v, GMIME_OBJECT(inner));
	if (!v->reading)
		push_types(w, v, body_of);
	if (part) {
		push(w, part, v->doc, level, 0, v->group, false);
		return;
	}
	body = body_of(v);
	if (body.data)
		give_text(w, level, body, v->group);
}

static bool is_message_type(const char *type)
{
	return !strcmp(type, "message/rfc822") || !strcmp(type, "message/rfc2822") || !strcmp(type, "message/global") ||
	       !strcmp(type, "message/news");
}

/* A message in a transfer encoding, which GMime leaves as it is: decoded, it is a document of its own. */
static void visit_encoded_message(struct walk *w, struct visit *v)
{
	enum vtm_encoding list[READINGS_MAX];
	struct slice encoded = content_of(v);
	unsigned n = encodings(v, content_of, list);
	struct level *level = level_new(w, v, NULL);

	for (unsigned i = 0; level && i < n; i++) {
		struct vtm_decode d = { .data = encoded.data, .len = encoded.len, .encoding = list[i], .keep_max = w->readings_left };
		struct doc *doc = NULL;
		char *own;

		vtm_decode_keep(&d);
		w->summary->no_memory = w->summary->no_memory || d.no_memory;
		if (d.size && (uint64_t)d.size <= w->readings_left && d.content) {
			w->readings_left -= (uint64_t)d.size;
			own = d.kept.data ? vtm_buffer_steal(&d.kept) : NULL;
			doc = doc_new(w, own ? own : d.content, d.content_len, own);
		} else if (d.size && !d.no_memory) {
			w->summary->capped = true;
		}
		if (n > 1)
			group_of(w, v);
		if (doc && doc->message)
			push(w, g_mime_message_get_mime_part(doc->message), doc, level, 0, v->group, false);
		else if (doc)
			give_text(w, level, (struct slice){ doc->bytes, doc->len }, v->group);
		vtm_decode_clear(&d);
	}
}

static void visit(struct walk *w, struct visit *v)
{
	char *type;
	bool message;

	doubt_header(w, v, v->object);
	if (GMIME_IS_MULTIPART(v->object)) {
		visit_multipart(w, v);
	} else if (GMIME_IS_MESSAGE_PART(v->object)) {
		visit_message(w, v);
	} else if (GMIME_IS_PART(v->object)) {
		type = mime_type(v->object);
		message = is_message_type(type);
		g_free(type);
		if (message)
			visit_encoded_message(w, v);
		else
			visit_leaf(w, v);
	}
}

static void run(struct walk *w, struct doc *doc)
{
	push(w, g_mime_message_get_mime_part(doc->message), doc, NULL, 0, 0, false);
	while (w->todo->len) {
		struct visit v = g_array_index(w->todo, struct visit, w->todo->len - 1);

		g_array_set_size(w->todo, w->todo->len - 1);
		/* containers count too: a thousand empty ones are work */
		if (w->entities++ > 4 * (uint64_t)w->limits->max_parts || w->summary->parts >= w->limits->max_parts) {
			w->summary->capped = true;
			break;
		}
		visit(w, &v);
	}
}

/* ---- the message's own header ------------------------------------------------------------------------ */

/* The domain of a mailbox as A-labels; NULL if it is none. */
static char *mailbox_domain(InternetAddress *address)
{
	const char *text, *at;
	char *domain, *lower;

	if (!INTERNET_ADDRESS_IS_MAILBOX(address))
		return NULL;
	text = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
	at = text ? strrchr(text, '@') : NULL;
	domain = at && at[1] ? g_hostname_to_ascii(at + 1) : NULL;
	lower = domain ? g_ascii_strdown(domain, -1) : NULL;
	g_free(domain);
	return lower;
}

/* Several From fields or addresses have a domain only when it is the same: which one people see differs. */
static char *from_domain(GMimeMessage *message, unsigned froms)
{
	InternetAddressList *list = g_mime_message_get_from(message);
	int n = list ? internet_address_list_length(list) : 0;
	char *domain = n > 0 && froms == 1 ? mailbox_domain(internet_address_list_get_address(list, 0)) : NULL;

	for (int i = 1; domain && i < n; i++) {
		char *other = mailbox_domain(internet_address_list_get_address(list, i));

		if (g_strcmp0(domain, other))
			g_clear_pointer(&domain, g_free);
		g_free(other);
	}
	return domain;
}

/* The URLs between angle brackets (RFC 2369). */
static void list_urls(const char *value, GPtrArray *urls)
{
	const char *p = value;

	while ((p = strchr(p, '<'))) {
		size_t n = strcspn(++p, "<>");

		if (p[n] == '>' && !g_ascii_strncasecmp(p, "http", 4) && urls->len < HEADERS_MAX)
			g_ptr_array_add(urls, g_strndup(p, n));
		p += n;
	}
}

static void read_header(GMimeMessage *message, struct vtm_mime_summary *s)
{
	GMimeHeaderList *headers = g_mime_object_get_header_list(GMIME_OBJECT(message));
	const char *id = g_mime_message_get_message_id(message);
	unsigned froms = 0;

	s->message_id = id ? g_strdup_printf("<%s>", id) : NULL;
	for (int i = 0; i < g_mime_header_list_get_count(headers); i++) {
		GMimeHeader *h = g_mime_header_list_get_header_at(headers, i);
		const char *name = g_mime_header_get_name(h), *raw = g_mime_header_get_raw_value(h);
		bool auth, list;

		if (!name || !raw)
			continue;
		froms += !g_ascii_strcasecmp(name, "From");
		auth = !g_ascii_strcasecmp(name, "Authentication-Results") && s->auth_results->len < HEADERS_MAX;
		list = !g_ascii_strcasecmp(name, "List-Unsubscribe");
		if (auth || list) {
			char *value = vtm_header_unfold(raw);

			if (list)
				list_urls(value, s->list_unsubscribe);
			if (auth)
				g_ptr_array_add(s->auth_results, g_steal_pointer(&value));
			g_free(value);
		}
	}
	s->from_domain = from_domain(message, froms);
}

/* What GMime calls critical is what mail programs read differently.  Conflicts about types, encodings and boundaries
 * are left out: all their readings are given. */
static bool is_doubt(GMimeParserWarning code, const char *item)
{
	switch (code) {
	case GMIME_CRIT_CONFLICTING_HEADER:	/* that From or Subject come twice is no matter of parts */
		return item && !g_ascii_strcasecmp(item, "Content-Disposition");
	case GMIME_CRIT_CONFLICTING_PARAMETER:
		return item && !g_ascii_strcasecmp(item, "charset");
	case GMIME_CRIT_INVALID_HEADER_NAME:
	case GMIME_CRIT_NESTING_OVERFLOW:
	case GMIME_CRIT_PART_WITHOUT_HEADERS_OR_CONTENT:
		return true;
	default:
		return false;
	}
}

static void warning(gint64 offset, GMimeParserWarning code, const gchar *item, gpointer arg)
{
	struct walk *w = arg;

	(void)offset;
	w->summary->ambiguous = w->summary->ambiguous || is_doubt(code, item);
}

void vtm_mime_walk_bytes(const char *data, size_t len, const struct vtm_mime_limits *limits,
			 const struct vtm_mime_reader *reader, struct vtm_mime_summary *summary)
{
	struct walk w = { .limits = limits, .reader = reader, .summary = summary };
	struct doc *doc;

	init_once();
	memset(summary, 0, sizeof(*summary));
	summary->auth_results = g_ptr_array_new_with_free_func(g_free);
	summary->list_unsubscribe = g_ptr_array_new_with_free_func(g_free);
	w.options = g_mime_parser_options_new();
	g_mime_parser_options_set_warning_callback(w.options, warning, &w);
	w.todo = g_array_new(FALSE, FALSE, sizeof(struct visit));
	w.docs = g_ptr_array_new_with_free_func(doc_free);
	w.levels = g_ptr_array_new_with_free_func(level_free);
	w.readings_left = READINGS_BYTES * (uint64_t)len + 65536;
	data = len ? data : "";
	doc = doc_new(&w, data, len, NULL);
	if (doc && doc->message) {
		read_header(doc->message, summary);
		if (doc->view)	/* there may be more in From than GMime saw */
			g_clear_pointer(&summary->from_domain, g_free);
		run(&w, doc);
	} else {
		summary->unparsable = true;
		give_text(&w, NULL, (struct slice){ data, len }, 0);
	}
	g_array_free(w.todo, TRUE);
	g_ptr_array_free(w.docs, TRUE);
	g_ptr_array_free(w.levels, TRUE);
	g_mime_parser_options_free(w.options);
}

int vtm_mime_walk(struct vtm_spool *spool, const struct vtm_mime_limits *limits, const struct vtm_mime_reader *reader,
		  struct vtm_mime_summary *summary, GError **error)
{
	const char *data = NULL;
	void *map = NULL;
	size_t len;
	int fd;

	memset(summary, 0, sizeof(*summary));
	if (vtm_spool_finish(spool, &data, &len, &fd) < 0) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "the spooled message cannot be read");
		return -1;
	}
	if (!data) {
		map = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
		if (map == MAP_FAILED) {
			g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "the spooled message cannot be mapped");
			return -1;
		}
		data = map;
	}
	vtm_mime_walk_bytes(data, len, limits, reader, summary);
	if (map)
		munmap(map, len);
	return 0;
}

/* ---- the library ---- */

char *vtm_mime_library(void)
{
	return g_strdup_printf("%u.%u.%u", gmime_major_version, gmime_minor_version, gmime_micro_version);
}

bool vtm_mime_library_older(unsigned major, unsigned minor, unsigned micro)
{
	return !g_mime_check_version(major, minor, micro);
}
