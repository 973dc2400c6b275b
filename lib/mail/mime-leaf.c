/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-leaf.c - leaves of a message: what kind they are, and every reading of their content given to the reader. */
#include "mail/mime-parts.h"

#include <string.h>

#include "mail/mime-doubt.h"

#define SIGNATURE_MAX 65536	/* a detached signature is no larger */

/* Types that are shown like text and are not files, unless they have a name. */
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

/* It must look like a signature, too: the type is only what the sender says. */
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

static enum vtm_part_kind kind_of(const struct vtm_visit *v, const char *type, const char *name)
{
	const char *disposition = vtm_entity_disposition(v->entity);

	if (!strcmp(type, "message/external-body") || !strcmp(type, "message/partial"))
		return VTM_PART_ELSEWHERE;
	if (v->level && v->level->is_signed && v->place > 0 && is_signature(type))
		return VTM_PART_SIGNATURE;
	if ((disposition && !g_ascii_strcasecmp(disposition, "attachment")) || name)
		return VTM_PART_ATTACHMENT;
	if (!strcmp(type, "text/html") || !strcmp(type, "text/x-amp-html") || !strcmp(type, "text/watch-html"))
		return VTM_PART_HTML;
	return !strcmp(type, "text/plain") || is_notice(type) ? VTM_PART_TEXT : VTM_PART_ATTACHMENT;
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
	if (p->kind == VTM_PART_SIGNATURE && !looks_signed(p))
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

	if (!count_part(w))
		return false;
	give(w, p, encoded, &usual);
	for (unsigned r = 0; r < VTM_DECODE_READINGS; r++) {
		struct vtm_decode other = { .encoding = encoding, .reading = r };

		if (usual.differs[r] && count_part(w))
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
static void doubt_leaf(struct vtm_walk *w, const struct vtm_visit *v, enum vtm_part_kind kind, struct vtm_slice content)
{
	const char *own = vtm_entity_parameter(v->entity, "boundary"), *around[BOUNDARIES_MAX];
	GPtrArray *types = vtm_entity_fields(v->entity, "Content-Type", READINGS_MAX);

	vtm_visit_boundaries(v, own, around, G_N_ELEMENTS(around));
	vtm_walk_doubt(w, vtm_doubt_body(content.data, content.len) && kind != VTM_PART_ELSEWHERE);
	vtm_walk_doubt(w, vtm_doubt_leaf(content.data, content.len, around));
	vtm_walk_doubt(w, vtm_doubt_leaf(content.data, content.len, w->unclosed));
	for (guint i = 0; i < types->len; i++) {
		char *lower = g_ascii_strdown(types->pdata[i], -1);

		vtm_walk_doubt(w, types->len == 1 && strstr(lower, "multipart/"));
		g_free(lower);
	}
	g_ptr_array_free(types, TRUE);
}

void vtm_visit_leaf(struct vtm_walk *w, struct vtm_visit *v)
{
	const char *flowed = vtm_entity_parameter(v->entity, "format"), *delsp = vtm_entity_parameter(v->entity, "delsp");
	enum vtm_encoding list[READINGS_MAX];
	struct vtm_slice content = vtm_visit_content(v);
	unsigned n = vtm_visit_encodings(v, vtm_visit_content, list);
	char *type = vtm_entity_type(v->entity), *name = vtm_leaf_name(v->entity);
	const char **via = vtm_level_way(v->level);
	struct vtm_part p = {
		.kind = kind_of(v, type, name), .type = type, .charset = vtm_entity_parameter(v->entity, "charset"), .name = name,
		.flowed = flowed && !g_ascii_strcasecmp(flowed, "flowed"), .delsp = delsp && !g_ascii_strcasecmp(delsp, "yes"),
		.depth = v->level ? v->level->depth : 0, .via = via,
	};

	if (!v->reading)
		vtm_push_types(w, v, vtm_visit_content);
	if (n > 1)
		vtm_walk_group(w, v);
	p.group = v->group;
	doubt_leaf(w, v, p.kind, content);
	vtm_give_all(w, &p, content, list, n);
	g_free(via);
	g_free(name);
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
