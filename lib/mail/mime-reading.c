/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-reading.c - the bytes of an entity, and the readings of it besides GMime's. */
#include "mail/mime-parts.h"

#include <string.h>

#include "base/buffer.h"
#include "base/uu.h"
#include "mail/mime-header.h"
#include "mail/mime-params.h"

void vtm_visit_boundaries(const struct vtm_visit *v, const char *own, const char **list, size_t max)
{
	size_t n = 0;

	if (own)
		list[n++] = own;
	for (const struct vtm_level *l = v->level; l && l->doc == v->doc && n < max - 1; l = l->up)
		if (l->boundary)
			list[n++] = l->boundary;
	list[n] = NULL;
}

struct vtm_slice vtm_visit_header(const struct vtm_visit *v)
{
	struct vtm_slice own = vtm_entity_header(v->doc, v->entity), outer = { NULL, 0 };

	if (v->message)
		outer = vtm_entity_header(v->doc, v->message);
	return outer.data && (!own.data || outer.data < own.data) ? outer : own;
}

GPtrArray *vtm_visit_fields(struct vtm_walk *w, const struct vtm_visit *v, const char *name)
{
	struct vtm_slice header = vtm_visit_header(v);
	bool more = false;
	GPtrArray *values = vtm_header_fields(header.data, header.len, name, VTM_VALUES_MAX, &more);

	vtm_walk_doubt(w, more);
	return values;
}

struct vtm_slice vtm_visit_body_until(struct vtm_walk *w, const struct vtm_visit *v, const char *own)
{
	struct vtm_slice header = vtm_entity_header(v->doc, v->entity), s = { NULL, 0 };
	const char *around[BOUNDARIES_MAX];
	size_t from;

	if (!header.data)
		return s;
	vtm_visit_boundaries(v, own, around, G_N_ELEMENTS(around));
	from = (size_t)(header.data - v->doc->bytes) + header.len;
	s.data = v->doc->bytes + from;
	s.len = v->doc->len - from;
	if (*around)
		s.len = vtm_boundary_find(v->doc->bytes, v->doc->len, from, around, w->reader->work) - from;
	return s;
}

struct vtm_slice vtm_visit_body(struct vtm_walk *w, struct vtm_visit *v)
{
	if (!v->has_body)
		v->body = vtm_visit_body_until(w, v, NULL);
	v->has_body = true;
	return v->body;
}

struct vtm_slice vtm_visit_content(struct vtm_walk *w, struct vtm_visit *v)
{
	(void)w;
	return vtm_leaf_content(v->doc, v->entity);
}

/* ---- transfer encodings ---- */

static unsigned add_encoding(enum vtm_encoding list[VTM_ENCODINGS], unsigned n, enum vtm_encoding e)
{
	for (unsigned k = 0; k < n; k++)
		if (list[k] == e)
			return n;
	list[n] = e;
	return n + 1;
}

/* Types that say what a transfer encoding should say. */
static enum vtm_encoding encoding_of_type(const struct vtm_visit *v)
{
	static const char *const uu[] = {
		"application/x-uuencode", "application/x-uue", "application/uuencode", "application/uue", NULL
	};
	char *type = vtm_entity_type(v->entity);
	enum vtm_encoding e = g_strv_contains(uu, type) ? VTM_ENCODING_UU :
			      !strcmp(type, "application/x-yencode") ? VTM_ENCODING_YENC : VTM_ENCODING_NONE;

	g_free(type);
	return e;
}

static bool has(struct vtm_slice bytes, bool (*next)(const char *text, size_t len, size_t from, struct vtm_uu *block))
{
	struct vtm_uu block;
	bool found = bytes.len && next(bytes.data, bytes.len, 0, &block);

	if (found)
		vtm_uu_clear(&block);
	return found;
}

unsigned vtm_visit_encodings(struct vtm_walk *w, struct vtm_visit *v, vtm_visit_bytes *bytes_of,
			     enum vtm_encoding list[VTM_ENCODINGS])
{
	GPtrArray *values = vtm_visit_fields(w, v, "Content-Transfer-Encoding");
	enum vtm_encoding by_type = encoding_of_type(v);
	struct vtm_slice bytes = { NULL, 0 };
	bool known = true, sure;
	unsigned n = 0;

	for (guint i = 0; i < values->len; i++) {
		n = add_encoding(list, n, vtm_header_encoding(values->pdata[i], &sure));
		known = known && sure;
	}
	g_ptr_array_free(values, TRUE);
	/* uuencode and yEnc are not of the standard: what does not know them takes the bytes as they are */
	if (!n || !known || list[0] == VTM_ENCODING_UU || list[0] == VTM_ENCODING_YENC)
		n = add_encoding(list, n, VTM_ENCODING_NONE);
	if (by_type != VTM_ENCODING_NONE)
		n = add_encoding(list, n, by_type);
	if (known)
		return n;
	bytes = bytes_of(w, v);
	n = add_encoding(list, n, VTM_ENCODING_BASE64);
	if (bytes.len && memchr(bytes.data, '=', bytes.len))
		n = add_encoding(list, n, VTM_ENCODING_QP);
	if (has(bytes, vtm_uu_next))
		n = add_encoding(list, n, VTM_ENCODING_UU);
	if (has(bytes, vtm_yenc_next))
		n = add_encoding(list, n, VTM_ENCODING_YENC);
	return n;
}

/* ---- further readings ---- */

static void add_field(struct vtm_buffer *to, const char *name, const char *value)
{
	vtm_buffer_add_text(to, name);
	vtm_buffer_add_text(to, ": ");
	vtm_buffer_add_text(to, value);
	vtm_buffer_add_text(to, "\r\n");
}

/* Reads <body> once more, under the header <type> (a Content-Type) and the other Content- fields of <v>.  NULL: too
 * much was read again already, or there is no memory or no message in it. */
static struct vtm_doc *read_again(struct vtm_walk *w, const struct vtm_visit *v, const char *type,
				  struct vtm_slice body, bool with_encoding)
{
	struct vtm_buffer text = { .data = NULL };
	const char *name, *raw;
	struct vtm_doc *d;

	if (body.len + 512 > w->readings_left) {
		w->summary->capped = true;
		return NULL;
	}
	w->readings_left -= body.len + 512;
	vtm_buffer_make_room(&text, body.len + 512);
	add_field(&text, "Content-Type", type);
	for (int i = 0; text.len < VTM_HEADER_MAX && vtm_entity_field_at(v->entity, i, &name, &raw); i++) {
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
	d = vtm_walk_document(w, text.data, text.len, text.data);
	return d->root ? d : NULL;
}

/* <with_encoding>: it is a reading by another type, which may have further ones itself. */
static void push_reading(struct vtm_walk *w, struct vtm_visit *v, const char *type, struct vtm_slice body,
			 bool with_encoding)
{
	unsigned group = vtm_walk_group(w, v);
	struct vtm_doc *d = read_again(w, v, type, body, with_encoding);

	if (d)
		vtm_walk_push(w, &(struct vtm_visit){
			.entity = d->root, .message = d->header, .doc = d, .level = v->level, .place = v->place, .group = group,
			.reading = with_encoding ? VTM_READ_BY_TYPE : VTM_READ_AGAIN
		});
}

void vtm_push_boundary(struct vtm_walk *w, struct vtm_visit *v, const char *boundary, struct vtm_slice body)
{
	char *kind = vtm_entity_type(v->entity), *type;
	GString *quoted = g_string_new(NULL);

	vtm_boundaries_add(w->boundaries, boundary);
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

void vtm_push_types(struct vtm_walk *w, struct vtm_visit *v, vtm_visit_bytes *bytes)
{
	GPtrArray *types = vtm_visit_fields(w, v, "Content-Type");

	for (guint i = types->len > 1 ? types->len : 0; i > 0; i--)
		push_reading(w, v, types->pdata[i - 1], bytes(w, v), true);
	g_ptr_array_free(types, TRUE);
}

/* Several boundaries in one field: every one that GMime did not take. */
void vtm_push_boundaries(struct vtm_walk *w, struct vtm_visit *v, const char *taken)
{
	GPtrArray *types = vtm_visit_fields(w, v, "Content-Type");
	GPtrArray *list = types->len == 1 ? vtm_header_params(types->pdata[0], "boundary", VTM_VALUES_MAX) : NULL;

	for (guint i = list ? list->len : 0; i > 0; i--)
		if (!taken || strcmp(list->pdata[i - 1], taken))
			vtm_push_boundary(w, v, list->pdata[i - 1], vtm_visit_body(w, v));
	if (list)
		g_ptr_array_free(list, TRUE);
	g_ptr_array_free(types, TRUE);
}

/* RFC 2045 section 6.4 forbids to encode a multipart as a whole; some programs decode it all the same. */
void vtm_push_decoded(struct vtm_walk *w, struct vtm_visit *v)
{
	enum vtm_encoding list[VTM_ENCODINGS];
	unsigned n = vtm_visit_encodings(w, v, vtm_visit_body, list);

	for (unsigned i = 0; i < n; i++) {
		struct vtm_decode d = { .encoding = list[i], .keep_max = MIN(w->readings_left, G_MAXINT32) };
		struct vtm_slice body, plain;
		GPtrArray *types;

		if (list[i] == VTM_ENCODING_NONE)
			continue;
		body = vtm_visit_body(w, v);
		d.data = body.data;
		d.len = body.len;
		types = vtm_visit_fields(w, v, "Content-Type");
		if (body.data && types->len) {
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
