/* SPDX-License-Identifier: BSD-2-Clause */
/* mime.c - a message's MIME structure, walked iteratively: the walk and its containers.
 *
 * A second reading of an entity is a document of its own: its header as that reading has it, and a copy of its body.
 */
#include "mail/mime.h"

#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "mail/mime-doubt.h"
#include "mail/mime-header.h"
#include "mail/mime-params.h"
#include "mail/mime-parts.h"

#define READINGS_BYTES 4	/* bytes of all readings, times those of the message */

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

/* ---- what the files of the walk share ---- */

void vtm_walk_doubt(struct vtm_walk *w, bool doubtful)
{
	w->summary->ambiguous = w->summary->ambiguous || doubtful;
}

struct vtm_doc *vtm_walk_document(struct vtm_walk *w, const char *bytes, size_t len, char *own)
{
	struct vtm_doc *d = vtm_doc_new(bytes, len, own);

	vtm_work_spend(w->reader->work, len);	/* when that ends it, nothing of the document is visited */
	g_ptr_array_add(w->docs, d);
	w->summary->capped = w->summary->capped || d->capped;
	w->summary->no_memory = w->summary->no_memory || d->no_memory;
	vtm_walk_doubt(w, d->ambiguous);
	return d;
}

void vtm_walk_push(struct vtm_walk *w, const struct vtm_visit *visit)
{
	if (visit->entity)
		g_array_append_val(w->todo, *visit);
}

unsigned vtm_walk_group(struct vtm_walk *w, struct vtm_visit *v)
{
	if (!v->group)
		v->group = ++w->summary->groups;
	return v->group;
}

/* ---- containers ---- */

static void level_free(gpointer p)
{
	struct vtm_level *l = p;

	g_free(l->type);
	g_free(l->boundary);
	g_ptr_array_free(l->bases, TRUE);
	g_free(l);
}

/* A level below <v>'s; NULL when that is too deep. */
static struct vtm_level *level_new(struct vtm_walk *w, const struct vtm_visit *v, const char *boundary)
{
	unsigned depth = v->level ? v->level->depth + 1 : 1;
	struct vtm_slice header = vtm_visit_header(v);
	struct vtm_level *l;

	if (depth > w->limits->max_depth) {
		w->summary->capped = true;
		return NULL;
	}
	l = g_new0(struct vtm_level, 1);
	l->up = v->level;
	l->doc = v->doc;
	l->type = vtm_entity_type(v->entity);
	l->boundary = g_strdup(boundary);
	l->bases = vtm_header_bases(header.data, header.len);
	l->depth = depth;
	l->is_signed = !strcmp(l->type, "multipart/signed");
	g_ptr_array_add(w->levels, l);
	return l;
}

static void doubt_header(struct vtm_walk *w, const struct vtm_visit *v, struct vtm_entity *entity)
{
	struct vtm_slice header = vtm_entity_header(v->doc, entity);

	vtm_walk_doubt(w, header.data && vtm_doubt_header(header.data, header.len));
}

/* A multipart without parts.  Programs that find no delimiter show the body as text; some look for another
 * delimiter. */
static void read_undivided(struct vtm_walk *w, struct vtm_visit *v, const struct vtm_level *level)
{
	static const enum vtm_encoding none[] = { VTM_ENCODING_NONE };
	struct vtm_slice body = vtm_visit_body(w, v);
	char *guess = body.data ? vtm_boundary_guess(body.data, body.len) : NULL;
	const char **via = vtm_level_way(level);
	struct vtm_part p = { .kind = VTM_PART_TEXT, .type = "text/plain", .depth = level->depth, .via = via };

	if (body.data && !vtm_slice_is_blank(body)) {
		p.group = vtm_walk_group(w, v);
		vtm_give_all(w, &p, body, none, 1);
		if (guess && v->reading != VTM_READ_AGAIN)
			vtm_push_boundary(w, v, guess, body);
		/* an encoded word is decoded when it is read again, and not found */
		vtm_walk_doubt(w, guess ? strstr(guess, "=?") || v->reading == VTM_READ_AGAIN :
					  vtm_doubt_outside(body.data, body.len));
		p.kind = VTM_PART_ATTACHMENT;
		if (!guess)
			vtm_give_all(w, &p, body, none, 1);
	}
	g_free(guess);
	g_free(via);
}

/* Delimiters after the last one: most programs have stopped, some continue. */
static void read_epilogue(struct vtm_walk *w, struct vtm_visit *v, const char *boundary)
{
	const char *epilogue = vtm_multipart_epilogue(v->entity);
	const char *const around[] = { boundary, NULL };
	struct vtm_slice body;
	char *close;

	if (!epilogue || vtm_boundary_find(epilogue, strlen(epilogue), 0, around, w->reader->work) == strlen(epilogue))
		return;
	body = vtm_visit_body(w, v);
	close = g_strdup_printf("--%s--", boundary);
	if (body.data) {
		const char *last = g_strstr_len(body.data, (gssize)body.len, close);

		if (last) {
			last += strlen(close);
			body.len -= (size_t)(last - body.data);
			body.data = last;
			vtm_push_boundary(w, v, boundary, body);
		}
	}
	g_free(close);
}

/* May there be entities around a multipart's own, or does its boundary end the one around it too? */
static void doubt_multipart(struct vtm_walk *w, const struct vtm_visit *v, const char *boundary)
{
	const char *epilogue = vtm_multipart_epilogue(v->entity);
	struct vtm_slice preamble = vtm_visit_body_until(w, v, boundary);

	if (!preamble.data)
		return;
	vtm_walk_doubt(w, vtm_doubt_outside(preamble.data, preamble.len) ||
			  vtm_boundaries_in(w->boundaries, preamble.data, preamble.len, w->reader->work));
	vtm_walk_doubt(w, epilogue && vtm_doubt_outside(epilogue, strlen(epilogue)));
	for (const struct vtm_level *l = v->level; l && l->doc == v->doc; l = l->up)
		vtm_walk_doubt(w, l->boundary && !strcmp(l->boundary, boundary));
}

static void visit_multipart(struct vtm_walk *w, struct vtm_visit *v)
{
	const char *boundary = vtm_entity_parameter(v->entity, "boundary");
	struct vtm_level *level = level_new(w, v, boundary);
	int n = vtm_multipart_count(v->entity);

	if (!level)
		return;
	if (boundary)
		vtm_boundaries_add(w->boundaries, boundary);
	if (v->reading == VTM_READ_FIRST)
		vtm_push_types(w, v, vtm_visit_body);
	if (v->reading != VTM_READ_AGAIN) {
		vtm_push_boundaries(w, v, boundary);
		vtm_push_decoded(w, v);
	}
	if (boundary)
		read_epilogue(w, v, boundary);
	if (boundary && n > 0)
		doubt_multipart(w, v, boundary);
	if (n <= 0)
		read_undivided(w, v, level);
	/* further readings come after the parts: the stack reverses the order */
	if (n > (int)w->limits->max_parts) {
		w->summary->capped = true;
		n = (int)w->limits->max_parts;
	}
	for (int i = n; i > 0; i--)
		vtm_walk_push(w, &(struct vtm_visit){
			.entity = vtm_multipart_part(v->entity, i - 1), .doc = v->doc, .level = level,
			.place = (unsigned)i - 1, .group = v->group
		});
}

static void visit_message(struct vtm_walk *w, struct vtm_visit *v)
{
	struct vtm_entity *inner = vtm_message_header(v->entity), *part = vtm_message_root(v->entity);
	struct vtm_level *level = level_new(w, v, NULL);
	struct vtm_slice body;

	if (!level)
		return;
	if (inner)
		doubt_header(w, v, inner);
	if (v->reading == VTM_READ_FIRST)
		vtm_push_types(w, v, vtm_visit_body);
	if (part) {
		vtm_walk_push(w, &(struct vtm_visit){
			.entity = part, .message = inner, .doc = v->doc, .level = level, .group = v->group
		});
		return;
	}
	body = vtm_visit_body(w, v);
	if (body.data)
		vtm_give_text(w, level, body, v->group);
}

static bool is_message_type(const char *type)
{
	return !strcmp(type, "message/rfc822") || !strcmp(type, "message/rfc2822") || !strcmp(type, "message/global") ||
	       !strcmp(type, "message/news");
}

/* A message in a transfer encoding, which GMime does not decode: decoded, it is a document of its own. */
static void visit_encoded_message(struct vtm_walk *w, struct vtm_visit *v)
{
	enum vtm_encoding list[VTM_ENCODINGS];
	struct vtm_slice encoded = vtm_visit_content(w, v);
	unsigned n = vtm_visit_encodings(w, v, vtm_visit_content, list);
	struct vtm_level *level = level_new(w, v, NULL);

	for (unsigned i = 0; level && i < n; i++) {
		struct vtm_decode d = {
			.data = encoded.data, .len = encoded.len, .encoding = list[i], .keep_max = w->readings_left
		};
		struct vtm_doc *doc = NULL;
		char *own;

		vtm_decode_keep(&d);
		w->summary->no_memory = w->summary->no_memory || d.no_memory;
		if (d.size && (uint64_t)d.size <= w->readings_left && d.content) {
			w->readings_left -= (uint64_t)d.size;
			own = d.kept.data ? vtm_buffer_steal(&d.kept) : NULL;
			doc = vtm_walk_document(w, own ? own : d.content, d.content_len, own);
		} else if (d.size && !d.no_memory) {
			w->summary->capped = true;
		}
		if (n > 1)
			vtm_walk_group(w, v);
		if (!doc || doc->refused)
			;
		else if (doc->root)
			vtm_walk_push(w, &(struct vtm_visit){
				.entity = doc->root, .message = doc->header, .doc = doc, .level = level, .group = v->group
			});
		else
			vtm_give_text(w, level, (struct vtm_slice){ doc->bytes, doc->len }, v->group);
		vtm_decode_clear(&d);
	}
}

static void visit(struct vtm_walk *w, struct vtm_visit *v)
{
	char *type;
	bool message;

	doubt_header(w, v, v->entity);
	switch (vtm_entity_kind(v->entity)) {
	case VTM_ENTITY_MULTIPART:
		visit_multipart(w, v);
		break;
	case VTM_ENTITY_MESSAGE:
		visit_message(w, v);
		break;
	case VTM_ENTITY_LEAF:
		type = vtm_entity_type(v->entity);
		message = is_message_type(type);
		g_free(type);
		if (message)
			visit_encoded_message(w, v);
		else
			vtm_visit_leaf(w, v);
		break;
	case VTM_ENTITY_NONE:
		break;
	}
}

static void run(struct vtm_walk *w, struct vtm_doc *doc)
{
	vtm_walk_push(w, &(struct vtm_visit){ .entity = doc->root, .message = doc->header, .doc = doc });
	while (w->todo->len) {
		struct vtm_visit v = g_array_index(w->todo, struct vtm_visit, w->todo->len - 1);

		g_array_set_size(w->todo, w->todo->len - 1);
		if (!vtm_work_look(w->reader->work))
			break;
		/* containers count too: a thousand empty ones are work */
		if (w->entities++ > 4 * (uint64_t)w->limits->max_parts || w->summary->parts >= w->limits->max_parts) {
			w->summary->capped = true;
			break;
		}
		visit(w, &v);
	}
}


void vtm_mime_walk_bytes(const char *data, size_t len, const struct vtm_mime_limits *limits,
			 const struct vtm_mime_reader *reader, struct vtm_mime_summary *summary)
{
	struct vtm_walk w = { .limits = limits, .reader = reader, .summary = summary };
	struct vtm_doc *doc;

	memset(summary, 0, sizeof(*summary));
	summary->auth_results = g_ptr_array_new_with_free_func(g_free);
	summary->list_unsubscribe = g_ptr_array_new_with_free_func(g_free);
	w.todo = g_array_new(FALSE, FALSE, sizeof(struct vtm_visit));
	w.docs = g_ptr_array_new_with_free_func(vtm_doc_free);
	w.boundaries = vtm_boundaries_new();
	w.levels = g_ptr_array_new_with_free_func(level_free);
	w.readings_left = READINGS_BYTES * (uint64_t)len + 65536;
	data = len ? data : "";
	doc = vtm_walk_document(&w, data, len, NULL);
	if (doc->root) {
		vtm_doc_read_header(doc, summary);
		run(&w, doc);
	} else {
		summary->unparsable = true;
		vtm_give_text(&w, NULL, (struct vtm_slice){ data, len }, 0);
	}
	g_array_free(w.todo, TRUE);
	g_ptr_array_free(w.docs, TRUE);
	vtm_boundaries_free(w.boundaries);
	g_ptr_array_free(w.levels, TRUE);
}

int vtm_mime_walk(struct vtm_spool *spool, const struct vtm_mime_limits *limits, const struct vtm_mime_reader *reader,
		  struct vtm_mime_summary *summary, GError **error)
{
	const char *data;
	size_t len;

	memset(summary, 0, sizeof(*summary));
	if (vtm_spool_finish(spool, &data, &len) < 0) {
		summary->no_memory = vtm_spool_no_memory(spool);
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "the spooled message cannot be read");
		return -1;
	}
	vtm_mime_walk_bytes(data, len, limits, reader, summary);
	return 0;
}
