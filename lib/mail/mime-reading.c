/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-reading.c - the bytes of an entity, and the readings of it besides GMime's. */
#include "mail/mime-parts.h"

#include <string.h>

#include "base/buffer.h"
#include "mail/mime-doubt.h"
#include "mail/mime-header.h"

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

struct vtm_slice vtm_visit_body_until(const struct vtm_visit *v, const char *own)
{
	struct vtm_slice header = vtm_entity_header(v->doc, v->entity), s = { NULL, 0 };
	const char *around[BOUNDARIES_MAX];
	size_t from;

	if (!header.data)
		return s;
	vtm_visit_boundaries(v, own, around, G_N_ELEMENTS(around));
	from = (size_t)(header.data - v->doc->bytes) + header.len;
	s.data = v->doc->bytes + from;
	s.len = (*around ? vtm_boundary_find(v->doc->bytes, v->doc->len, from, around) : v->doc->len) - from;
	return s;
}

struct vtm_slice vtm_visit_body(const struct vtm_visit *v)
{
	return vtm_visit_body_until(v, NULL);
}

struct vtm_slice vtm_visit_content(const struct vtm_visit *v)
{
	return vtm_leaf_content(v->doc, v->entity);
}

static unsigned add_encoding(enum vtm_encoding list[READINGS_MAX], unsigned n, enum vtm_encoding e)
{
	for (unsigned k = 0; k < n; k++)
		if (list[k] == e)
			return n;
	list[n] = e;
	return n + 1;
}

unsigned vtm_visit_encodings(const struct vtm_visit *v, struct vtm_slice (*body)(const struct vtm_visit *),
			     enum vtm_encoding list[READINGS_MAX])
{
	GPtrArray *values = vtm_entity_fields(v->entity, "Content-Transfer-Encoding", READINGS_MAX);
	struct vtm_slice bytes = { NULL, 0 };
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

static void push_reading(struct vtm_walk *w, struct vtm_visit *v, const char *type, struct vtm_slice body,
			 bool with_encoding)
{
	unsigned group = vtm_walk_group(w, v);
	struct vtm_doc *d = read_again(w, v, type, body, with_encoding);

	if (d)
		vtm_walk_push(w, &(struct vtm_visit){
			.entity = d->root, .doc = d, .level = v->level, .place = v->place, .group = group, .reading = true
		});
}

void vtm_push_boundary(struct vtm_walk *w, struct vtm_visit *v, const char *boundary, struct vtm_slice body)
{
	char *kind = vtm_entity_type(v->entity), *type;
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

void vtm_push_types(struct vtm_walk *w, struct vtm_visit *v, struct vtm_slice (*body)(const struct vtm_visit *))
{
	GPtrArray *types = vtm_entity_fields(v->entity, "Content-Type", READINGS_MAX);

	for (guint i = types->len > 1 ? types->len : 0; i > 0; i--)
		push_reading(w, v, types->pdata[i - 1], body(v), true);
	g_ptr_array_free(types, TRUE);
}

/* Several boundaries in one field: every one that GMime did not take. */
void vtm_push_boundaries(struct vtm_walk *w, struct vtm_visit *v, const char *taken)
{
	GPtrArray *types = vtm_entity_fields(v->entity, "Content-Type", READINGS_MAX);
	GPtrArray *list = types->len == 1 ? vtm_header_params(types->pdata[0], "boundary", READINGS_MAX) : NULL;

	for (guint i = list ? list->len : 0; i > 0; i--)
		if (!taken || strcmp(list->pdata[i - 1], taken))
			vtm_push_boundary(w, v, list->pdata[i - 1], vtm_visit_body(v));
	if (list)
		g_ptr_array_free(list, TRUE);
	g_ptr_array_free(types, TRUE);
}

/* RFC 2045 section 6.4 forbids to encode a multipart as a whole; some programs decode it all the same. */
void vtm_push_decoded(struct vtm_walk *w, struct vtm_visit *v)
{
	enum vtm_encoding list[READINGS_MAX];
	unsigned n = vtm_visit_encodings(v, vtm_visit_body, list);

	for (unsigned i = 0; i < n; i++) {
		struct vtm_decode d = { .encoding = list[i] };
		GPtrArray *types;
		struct vtm_slice body;

		if (list[i] == VTM_ENCODING_NONE)
			continue;
		body = vtm_visit_body(v);
		d.data = body.data;
		d.len = body.len;
		d.keep_max = MIN(w->readings_left, G_MAXINT32);
		types = vtm_entity_fields(v->entity, "Content-Type", READINGS_MAX);
		if (body.data && types->len) {
			struct vtm_slice plain;

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
