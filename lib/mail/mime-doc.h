/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-doc.h - bytes that GMime parsed: a document and the entities in it.  Part of mime; the only module
 * that knows GMime.
 *
 * GMime parses from memory and keeps offsets: the encoded bytes of an entity are read where they lie in the document.
 * One thread at a time for a document; several threads may have one each.
 */
#ifndef VTM_MIME_DOC_H
#define VTM_MIME_DOC_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "mail/mime.h"

struct vtm_slice { const char *data; size_t len; };

/* A header and what follows it.  Belongs to its document and lives as long. */
struct vtm_entity;

enum vtm_entity_kind {
	VTM_ENTITY_LEAF,
	VTM_ENTITY_MULTIPART,
	VTM_ENTITY_MESSAGE,	/* message/rfc822 without a transfer encoding */
	VTM_ENTITY_NONE		/* nothing to visit */
};

struct vtm_doc {
	const char *bytes;	/* borrowed, unless <own> */
	size_t len;
	struct vtm_entity *header;	/* the message's own; NULL: no header, or not parsed (refused) */
	struct vtm_entity *root;/* what the message consists of; NULL likewise */
	bool refused;		/* too costly to parse, or no memory */
	bool capped, no_memory;	/* what was left out: for a limit, for lack of memory */
	bool ambiguous;		/* other programs may read its header fields otherwise */
	bool altered;		/* GMime saw blanks in place of a part of some fields (mime-guard.h) */
	/* private */
	char *own;
	char *view;		/* the bytes that GMime sees, if they are not <bytes> */
	GByteArray *array;	/* lends either of them to GMime's stream */
	unsigned fields;	/* header fields parsed so far */
	void *options, *stream, *message;
};

/* Parses <bytes>, which are borrowed as long as the document lives; <own> is taken over if it is not NULL: it must be
 * the same bytes.  Never NULL. */
struct vtm_doc *vtm_doc_new(const char *bytes, size_t len, char *own);
void vtm_doc_free(gpointer doc);

/* Reads the message's own header into <summary>: From, Message-ID, Authentication-Results, List-Unsubscribe. */
void vtm_doc_read_header(const struct vtm_doc *doc, struct vtm_mime_summary *summary);

/* ---- any entity ---- */

enum vtm_entity_kind vtm_entity_kind(const struct vtm_entity *e);
/* "text/html", lower case, valid UTF-8; text/plain if none is declared.  New string. */
char *vtm_entity_type(const struct vtm_entity *e);
/* A parameter of Content-Type as GMime reads it; NULL if it is missing.  Lives as long as the entity. */
const char *vtm_entity_parameter(const struct vtm_entity *e, const char *name);
/* The first word of Content-Disposition, NULL. */
const char *vtm_entity_disposition(const struct vtm_entity *e);
/* The field number <i> as it was sent; false: there are no more.  *raw_r may be NULL. */
bool vtm_entity_field_at(const struct vtm_entity *e, int i, const char **name_r, const char **raw_r);
/* Its header with the blank line after it; {NULL, 0} if it has none. */
struct vtm_slice vtm_entity_header(const struct vtm_doc *doc, const struct vtm_entity *e);

/* ---- one kind of entity ---- */

/* A leaf's encoded bytes. */
struct vtm_slice vtm_leaf_content(const struct vtm_doc *doc, const struct vtm_entity *e);
/* A leaf's file name, valid UTF-8, decoded.  New string or NULL. */
char *vtm_leaf_name(const struct vtm_entity *e);

/* Text with the encoded words of RFC 2047 decoded, valid UTF-8.  New string. */
char *vtm_text_decoded(const char *text);

int vtm_multipart_count(const struct vtm_entity *e);
struct vtm_entity *vtm_multipart_part(const struct vtm_entity *e, int i);
const char *vtm_multipart_epilogue(const struct vtm_entity *e);	/* NULL: none */

/* The message inside: its header, and the entity to visit.  NULL: none. */
struct vtm_entity *vtm_message_header(const struct vtm_entity *e);
struct vtm_entity *vtm_message_root(const struct vtm_entity *e);

#endif
