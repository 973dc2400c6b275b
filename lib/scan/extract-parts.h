/* SPDX-License-Identifier: BSD-2-Clause */
/* extract-parts.h - what the files of extract share.  Private. */
#ifndef VTM_EXTRACT_PARTS_H
#define VTM_EXTRACT_PARTS_H

#include "decode/decode.h"
#include "scan/extract.h"
#include "url/linkify.h"
#include "url/url.h"

struct extraction {
	const struct vtm_extract_settings *settings;
	struct vtm_items *items;	/* attachments */
	struct vtm_items *links;	/* urls: they come behind the attachments in the end */
	/* What is left of the limits for this message. */
	unsigned parts_left, nested_left;
	struct vtm_archive_limits archive;
	struct vtm_decoding decode;
	unsigned links_after;		/* links read since there was no room for more */
	unsigned groups;		/* where the numbers of the last message inside begin */
	/* Around what is being read. */
	const struct vtm_part *part;
	unsigned group_base;		/* what to add to the numbers of readings */
	unsigned archive_depth;		/* archives */
	struct document *document;	/* of extract-url.c: what is known of the one being read */
};

/* extract-url.c: adds the links of a part (x->part).  The bytes are read in every encoding that <charsets> (labels,
 * NULL-terminated, NULL: none) and the bytes themselves suggest; <saved>: they are a file, whose reader may not know
 * those labels. */
void vtm_extract_text(struct extraction *x, const char *text, size_t len, const char *const *charsets, bool saved,
		      const struct vtm_linkify_options *form);
void vtm_extract_xml(struct extraction *x, const char *xml, size_t len, const char *const *charsets);
/* A page that is <saved> runs its scripts when it is opened, the message itself does not. */
void vtm_extract_page(struct extraction *x, const char *html, size_t len, const char *const *charsets, bool saved);
void vtm_extract_link(struct extraction *x, const char *reference);

/* extract-file.c: adds a file as an item, and what is inside it. */
bool vtm_extract_wants(const struct vtm_part *p, const char *head, size_t len, void *x);
void vtm_extract_file(struct extraction *x, const struct vtm_part *p);
/* Files in text. */
void vtm_extract_uu(struct extraction *x, const struct vtm_part *p);

/* extract.c: reads a message inside <around>. */
void vtm_extract_message(struct extraction *x, const char *data, size_t len);

#endif
