/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-parts.h - what the files of the walk share: its state, the entities still to visit, their bytes.  Private. */
#ifndef VTM_MIME_PARTS_H
#define VTM_MIME_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/mime-boundaries.h"
#include "mail/mime-decode.h"
#include "mail/mime-doc.h"
#include "mail/mime.h"

#define READINGS_MAX 4		/* of one entity */
#define BOUNDARIES_MAX 64	/* around one entity, at which it ends */

/* A multipart or message around others. */
struct vtm_level {
	const struct vtm_level *up;
	const struct vtm_doc *doc;
	char *type;
	char *boundary;		/* NULL: of a message */
	GPtrArray *bases;	/* Content-Base and Content-Location; of char *; owned */
	unsigned depth;
	bool is_signed;		/* multipart/signed */
};

/* One entity still to be visited. */
struct vtm_visit {
	struct vtm_entity *entity;
	struct vtm_entity *message;	/* whose only part it is; NULL: of a multipart */
	struct vtm_doc *doc;
	const struct vtm_level *level;
	unsigned place;		/* among its siblings, from 0 */
	unsigned group;
	enum { VTM_READ_FIRST, VTM_READ_BY_TYPE, VTM_READ_AGAIN } reading;	/* see vtm_push_types() */
	bool has_body;		/* vtm_visit_body() was asked before */
	struct vtm_slice body;
};

struct vtm_walk {
	const struct vtm_mime_limits *limits;
	const struct vtm_mime_reader *reader;
	struct vtm_mime_summary *summary;
	GArray *todo;		/* of struct vtm_visit, the next one last */
	GPtrArray *docs, *levels;	/* owned, until the walk ends */
	unsigned entities;	/* visited */
	uint64_t readings_left;	/* bytes that may still be read again */
	struct vtm_boundaries *boundaries;	/* of all multiparts visited, in all readings */
};

/* ---- mime.c: the walk ---- */

void vtm_walk_doubt(struct vtm_walk *w, bool doubtful);
/* Parses <bytes>, borrowed or taken over as <own>; the walk owns the document, which may have no root. */
struct vtm_doc *vtm_walk_document(struct vtm_walk *w, const char *bytes, size_t len, char *own);
/* Visits <entity> (NULL: nothing) next. */
void vtm_walk_push(struct vtm_walk *w, const struct vtm_visit *visit);
/* The number of the readings that <v> is one of; a new one if it had none. */
unsigned vtm_walk_group(struct vtm_walk *w, struct vtm_visit *v);

/* ---- mime-reading.c: where an entity's bytes are, and its further readings ---- */

/* The boundaries of the multiparts around <v>, <own> first unless it is NULL; NULL-terminated. */
void vtm_visit_boundaries(const struct vtm_visit *v, const char *own, const char **list, size_t max);
/* The bytes of the header, with the fields of the message whose only part it is. */
struct vtm_slice vtm_visit_header(const struct vtm_visit *v);
/* The different values of a field of it, unfolded, in order.  Of char *, owned. */
GPtrArray *vtm_visit_fields(struct vtm_walk *w, const struct vtm_visit *v, const char *name);
/* The body of an entity, found by its header's place and the boundaries around it; up to the boundary <own>, unless
 * NULL. */
struct vtm_slice vtm_visit_body_until(struct vtm_walk *w, const struct vtm_visit *v, const char *own);
struct vtm_slice vtm_visit_body(struct vtm_walk *w, struct vtm_visit *v);
struct vtm_slice vtm_visit_content(struct vtm_walk *w, struct vtm_visit *v);	/* of a leaf, encoded */
typedef struct vtm_slice vtm_visit_bytes(struct vtm_walk *w, struct vtm_visit *v);	/* one of the last two */
/* The different transfer encodings an entity may have; at least one.  If a field does not name one for certain, all
 * that fit its <bytes>: some programs see "base64" in anything like it. */
unsigned vtm_visit_encodings(struct vtm_walk *w, struct vtm_visit *v, vtm_visit_bytes *bytes,
			     enum vtm_encoding list[VTM_ENCODINGS]);

/* Each pushes the readings that <v> has besides GMime's: by several Content-Type fields, by several boundaries in one
 * field, by another boundary, by a transfer encoding of a multipart.  A reading by a type has those by boundaries and
 * encodings, no other reading has further ones. */
void vtm_push_types(struct vtm_walk *w, struct vtm_visit *v, vtm_visit_bytes *bytes);
void vtm_push_boundaries(struct vtm_walk *w, struct vtm_visit *v, const char *taken);
void vtm_push_boundary(struct vtm_walk *w, struct vtm_visit *v, const char *boundary, struct vtm_slice body);
void vtm_push_decoded(struct vtm_walk *w, struct vtm_visit *v);

/* ---- mime-leaf.c: leaves are given to the reader ---- */

void vtm_visit_leaf(struct vtm_walk *w, struct vtm_visit *v);
/* Decodes and gives <encoded> by each of <n> encodings. */
void vtm_give_all(struct vtm_walk *w, struct vtm_part *p, struct vtm_slice encoded, const enum vtm_encoding *list,
		  unsigned n);
/* Gives <body> as text/plain unless it is blank: it should be a message and has no header of one. */
void vtm_give_text(struct vtm_walk *w, const struct vtm_level *level, struct vtm_slice body, unsigned group);
bool vtm_slice_is_blank(struct vtm_slice s);
/* The types passed on the way to <level>'s inside; NULL-terminated, of borrowed strings; free it alone. */
const char **vtm_level_way(const struct vtm_level *level);

#endif
