/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-leaf.c - leaves of a message: what kind they are, and every reading of their content given to the reader. */
#include "mail/mime-parts.h"

#include <string.h>

#include "mail/mime-doubt.h"
#include "mail/mime-params.h"
#include "mail/signature.h"

#define BASES_MAX 4	/* of a part and the multiparts around it */
#define FIELDS_COST 32	/* times that a header is looked at, for all its fields and parameters */

/* Types that are shown like text and are not files, unless they have a name. */
static bool is_notice(const char *type)
{
	static const char *const types[] = {
		"text/enriched", "text/richtext", "text/rfc822-headers", "message/delivery-status",
		"message/feedback-report",
		"message/disposition-notification", "message/global-delivery-status", "message/global-headers",
		"message/global-disposition-notification", NULL
	};

	return g_strv_contains(types, type);
}

/* Could it be the second part of multipart/signed?  The bytes decide later (give). */
static bool may_be_signature(const struct vtm_visit *v, const char *type, const GPtrArray *names)
{
	if (!v->level || !v->level->is_signed || v->place != 1 || !vtm_signature_type(type))
		return false;
	for (guint i = 0; i < names->len; i++)
		if (names->pdata[i] && !vtm_signature_name(names->pdata[i]))
			return false;
	return true;
}

static enum vtm_part_kind body_kind(const char *type)
{
	if (!strcmp(type, "text/html") || !strcmp(type, "text/x-amp-html") || !strcmp(type, "text/watch-html"))
		return VTM_PART_HTML;
	return !strcmp(type, "text/plain") || is_notice(type) ? VTM_PART_TEXT : VTM_PART_ATTACHMENT;
}

static enum vtm_part_kind kind_of(const struct vtm_visit *v, const char *type, const struct vtm_fields *f)
{
	const char *disposition = vtm_entity_disposition(v->entity);

	if (!strcmp(type, "message/external-body") || !strcmp(type, "message/partial"))
		return VTM_PART_ELSEWHERE;
	if (may_be_signature(v, type, f->names))
		return VTM_PART_SIGNATURE;
	if (f->attachment || f->names->len > 1 || (disposition && !g_ascii_strcasecmp(disposition, "attachment")))
		return VTM_PART_ATTACHMENT;
	return body_kind(type);
}

const char **vtm_level_way(const struct vtm_level *level)
{
	unsigned n = level ? level->depth : 0;
	const char **via = g_new0(const char *, n + 1);

	for (; level; level = level->up)
		via[--n] = level->type;
	return via;
}

struct question {
	struct vtm_walk *walk;
	struct vtm_part *part;
};

static bool wants(const char *head, size_t len, void *arg)
{
	const struct question *q = arg;
	const struct vtm_mime_reader *r = q->walk->reader;

	return q->part->kind != VTM_PART_ATTACHMENT || !r->wants || r->wants(q->part, head, len, r->arg);
}

/* Decodes one reading of a leaf and passes it to the reader.  *d: what the decoder said; its content is freed. */
static void give(struct vtm_walk *w, struct vtm_part *p, struct vtm_slice encoded, struct vtm_decode *d)
{
	bool body = p->kind == VTM_PART_TEXT || p->kind == VTM_PART_HTML;
	struct question q = { w, p };

	d->data = encoded.data;
	d->len = encoded.len;
	d->wants = wants;
	d->arg = &q;
	d->keep_max = w->limits->max_part_bytes;
	d->cut = d->unhashed = body;
	vtm_decode(d);
	p->size = d->size;
	memcpy(p->sha256, d->sha256, sizeof(p->sha256));
	p->content = d->size ? d->content : "";
	p->content_len = d->content_len;
	p->unopened = d->wanted && !p->content && !d->no_memory;
	w->summary->no_memory = w->summary->no_memory || d->no_memory;
	w->summary->capped = w->summary->capped || d->was_cut;
	if (body && d->encoding == VTM_ENCODING_QP)	/* blanks at the end of a line do not change a text */
		d->differs[VTM_READING_STRICT] = false;
	for (size_t i = 0; i < G_N_ELEMENTS(d->differs); i++)
		if (!p->group && (d->differs[i] || d->doubtful))
			p->group = ++w->summary->groups;
	if (p->kind == VTM_PART_SIGNATURE && !vtm_signature_is(p->type, p->content, (size_t)p->size))
		p->kind = VTM_PART_ATTACHMENT;
	if (p->group)
		p->note = "ambiguous";
	if (!d->no_memory || *p->sha256)
		w->reader->each(p, w->reader->arg);
	vtm_decode_clear(d);
}

/* May one more leaf be given? */
static bool count_part(struct vtm_walk *w)
{
	if (w->summary->parts < w->limits->max_parts) {
		w->summary->parts++;
		return true;
	}
	w->summary->capped = true;
	return false;
}

/* Gives all readings of one encoding; true if programs may show the bytes as they are instead. */
static bool give_encoding(struct vtm_walk *w, struct vtm_part *p, struct vtm_slice encoded, enum vtm_encoding encoding)
{
	struct vtm_decode usual = { .encoding = encoding };

	if (!vtm_work_spend(w->reader->work, encoded.len) || !count_part(w))
		return false;
	give(w, p, encoded, &usual);
	for (unsigned r = 0; r < VTM_DECODE_READINGS; r++) {
		struct vtm_decode other = { .encoding = encoding, .reading = r };

		if (usual.differs[r] && vtm_work_spend(w->reader->work, encoded.len) && count_part(w))
			give(w, p, encoded, &other);
	}
	/* all programs decode base64 with foreign bytes in the same ways; not so the others */
	vtm_walk_doubt(w, usual.doubtful && encoding != VTM_ENCODING_BASE64);
	return usual.doubtful;
}

void vtm_give_all(struct vtm_walk *w, struct vtm_part *p, struct vtm_slice encoded, const enum vtm_encoding *list,
		  unsigned n)
{
	enum vtm_part_kind kind = p->kind;
	bool as_it_is = false, given = false;

	for (unsigned i = 0; i < n; i++) {
		p->kind = kind;
		as_it_is = give_encoding(w, p, encoded, list[i]) || as_it_is;
		given = given || list[i] == VTM_ENCODING_NONE;
	}
	if (as_it_is && !given) {
		p->kind = kind;
		give_encoding(w, p, encoded, VTM_ENCODING_NONE);
	}
}

/* May there be an entity in a leaf? */
static void doubt_leaf(struct vtm_walk *w, const struct vtm_visit *v, const struct vtm_part *p,
		       const struct vtm_fields *f, struct vtm_slice content)
{
	const char *own = vtm_entity_parameter(v->entity, "boundary");

	if (own)
		vtm_boundaries_add(w->boundaries, own);
	vtm_walk_doubt(w, p->kind != VTM_PART_ELSEWHERE && vtm_doubt_body(content.data, content.len));
	vtm_walk_doubt(w, vtm_boundaries_in(w->boundaries, content.data, content.len, w->reader->work));
	if (f->types->len == 1) {
		char *lower = g_ascii_strdown(f->types->pdata[0], -1);

		vtm_walk_doubt(w, strstr(lower, "multipart/") || !strcmp(lower, "x-sun-attachment"));
		g_free(lower);
	}
	vtm_walk_doubt(w, f->more);
}

/* A Content-Type that is not one: RFC 2045 section 5.2 says text/plain, some programs look at the bytes, others save a
 * file. */
static bool has_invalid_type(const struct vtm_fields *f)
{
	for (guint i = 0; i < f->types->len; i++)
		if (!vtm_type_is_plain(f->types->pdata[i]))
			return true;
	return false;
}

/* The content without its last line end, if the message ends there and not at a delimiter: programs differ in whether
 * that line end belongs to the part. */
static struct vtm_slice without_last_line_end(const struct vtm_visit *v, struct vtm_slice content)
{
	const struct vtm_level *l = v->level;
	size_t n = content.len;

	while (l && l->doc == v->doc && !l->boundary)
		l = l->up;
	if (l && l->doc == v->doc && n && content.data + n == v->doc->bytes + v->doc->len && content.data[n - 1] == '\n')
		n -= n > 1 && content.data[n - 2] == '\r' ? 2 : 1;
	return (struct vtm_slice){ content.data, n };
}

static void give_as(struct vtm_walk *w, const struct vtm_part *as, enum vtm_part_kind kind, const char *type,
		    struct vtm_slice content, const enum vtm_encoding *list, unsigned n)
{
	struct vtm_part p = *as;

	if (p.kind == kind)
		return;
	p.kind = kind;
	p.type = type;
	vtm_give_all(w, &p, content, list, n);
}

/* Gives a leaf as it is declared, and as what programs may take it for instead. */
static void give_readings(struct vtm_walk *w, struct vtm_visit *v, struct vtm_part *p, const struct vtm_fields *f,
			  struct vtm_slice content, const enum vtm_encoding *list, unsigned n)
{
	static const enum vtm_encoding as_it_is[] = { VTM_ENCODING_NONE };
	struct vtm_slice shorter = without_last_line_end(v, content);
	const enum vtm_part_kind first = p->kind;

	/* a line end changes no text and no base64 */
	if (first != VTM_PART_ATTACHMENT || (n == 1 && list[0] == VTM_ENCODING_BASE64))
		shorter = content;
	if (n > 1 || has_invalid_type(f) || shorter.len < content.len)
		vtm_walk_group(w, v);
	p->group = v->group;
	vtm_give_all(w, p, content, list, n);
	p->kind = first;
	if (shorter.len < content.len)
		vtm_give_all(w, p, shorter, list, n);
	if (has_invalid_type(f)) {
		give_as(w, p, VTM_PART_TEXT, "text/plain", content, list, n);
		give_as(w, p, VTM_PART_HTML, "text/html", content, list, n);
	} else if (n > 1 && (first == VTM_PART_TEXT || first == VTM_PART_HTML)) {
		/* RFC 2045 section 6.4: in an unknown encoding it is a file of an unknown type */
		give_as(w, p, VTM_PART_ATTACHMENT, "application/octet-stream", content, as_it_is, 1);
	}
}

/* Puts GMime's name first, and decodes the others. */
static void complete_names(const struct vtm_visit *v, struct vtm_fields *f)
{
	char *name = vtm_leaf_name(v->entity);

	for (guint i = 0; i < f->names->len; i++) {
		char *written = f->names->pdata[i];

		if (!strstr(written, "=?"))
			continue;
		f->names->pdata[i] = vtm_text_decoded(written);
		g_free(written);
	}
	if (name)
		g_ptr_array_insert(f->names, 0, name);
}

static bool is_one_of(const char *value, const char *wanted)
{
	return value && !g_ascii_strcasecmp(value, wanted);
}

/* Adds what GMime sees, as in fields that are not where we look for them. */
static void complete_fields(const struct vtm_visit *v, struct vtm_fields *f)
{
	const char *charset = vtm_entity_parameter(v->entity, "charset");

	complete_names(v, f);
	for (const struct vtm_level *l = v->level; l && f->bases->len < BASES_MAX; l = l->up)
		for (guint i = 0; i < l->bases->len && f->bases->len < BASES_MAX; i++)
			g_ptr_array_add(f->bases, g_strdup(l->bases->pdata[i]));
	if (charset && *charset)
		g_ptr_array_insert(f->charsets, 0, g_strdup(charset));
	f->flowed = f->flowed || is_one_of(vtm_entity_parameter(v->entity, "format"), "flowed");
	f->delsp = f->delsp || is_one_of(vtm_entity_parameter(v->entity, "delsp"), "yes");
	g_ptr_array_add(f->names, NULL);
	g_ptr_array_add(f->charsets, NULL);
	g_ptr_array_add(f->links, NULL);
	g_ptr_array_add(f->bases, NULL);
}

void vtm_visit_leaf(struct vtm_walk *w, struct vtm_visit *v)
{
	struct vtm_slice content = vtm_visit_content(w, v), header = vtm_visit_header(v);
	char *type = vtm_entity_type(v->entity);
	const char **via = vtm_level_way(v->level);
	enum vtm_encoding list[VTM_ENCODINGS];
	struct vtm_fields f;
	struct vtm_part p;
	unsigned n = vtm_visit_encodings(w, v, vtm_visit_content, list);

	/* when the work ends, the rest of the message is not visited; this leaf still is */
	vtm_work_spend(w->reader->work, (uint64_t)FIELDS_COST * header.len);
	vtm_fields_read(&f, header.data, header.len);
	complete_fields(v, &f);
	p = (struct vtm_part){
		.kind = kind_of(v, type, &f), .type = type, .charsets = (const char *const *)f.charsets->pdata,
		.name = f.names->pdata[0], .names = (const char *const *)f.names->pdata,
		.links = (const char *const *)f.links->pdata, .bases = (const char *const *)f.bases->pdata,
		.flowed = f.flowed, .delsp = f.delsp, .depth = v->level ? v->level->depth : 0, .via = via,
	};
	if (v->reading == VTM_READ_FIRST)
		vtm_push_types(w, v, vtm_visit_content);
	doubt_leaf(w, v, &p, &f, content);
	give_readings(w, v, &p, &f, content, list, n);
	vtm_fields_clear(&f);
	g_free(via);
	g_free(type);
}

bool vtm_slice_is_blank(struct vtm_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!strchr(" \t\r\n", s.data[i]) || !s.data[i])
			return false;
	return true;
}

void vtm_give_text(struct vtm_walk *w, const struct vtm_level *level, struct vtm_slice body, unsigned group)
{
	static const enum vtm_encoding none[] = { VTM_ENCODING_NONE };
	const char **via = vtm_level_way(level);
	struct vtm_part p = {
		.kind = VTM_PART_TEXT, .type = "text/plain", .depth = level ? level->depth : 0, .via = via, .group = group
	};

	if (!vtm_slice_is_blank(body))
		vtm_give_all(w, &p, body, none, 1);
	g_free(via);
}
