/* SPDX-License-Identifier: BSD-2-Clause */
/* tags.h - makes tags and header text from the verdicts of a message's items. */
#ifndef VTM_TAGS_H
#define VTM_TAGS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/item.h"

/* Ordered by severity, as the headers are. */
enum vtm_tag {
	VTM_TAG_BAD, VTM_TAG_HASH_NOT_FOUND, VTM_TAG_URL_NOT_FOUND, VTM_TAG_BYPASSED, VTM_TAG_PENDING, VTM_TAG_IGNORED,
	VTM_TAG_SCANNED
};
#define VTM_TAGS (VTM_TAG_SCANNED + 1)
#define VTM_TAG_BIT(t) (1u << (t))
/* Stored in the journal with the bits of tags: parts of the message are not among its items (ambiguous, undecoded,
 * unfinished, no memory), so no later answer makes it VT_Scanned.  It has no name and is in no header. */
#define VTM_TAGS_UNSURE (1u << 16)

#define VTM_REPORT_HEADERS_MAX 20
#define VTM_HEADER_NAME_MAX 64	/* bytes of a file name in X-VT-Report, before quoting */

const char *vtm_tag_name(enum vtm_tag t);		/* "VT_Bad" */
bool vtm_tag_parse(const char *name, enum vtm_tag *tag_r);	/* any case, with or without "VT_" */

/* The tags of a message as bits.  Wrappers and items of a kind that is turned off (VTM_WHY_DISABLED) do not count.  A
 * pending item gives VT_Bypassed, too.  The readings of an ambiguous part give VT_Scanned only if all are clean.
 * <items>->capped, ->partial and ->unparsable give VT_Bypassed; so do ->ambiguous, ->undecoded, ->no_memory and
 * ->unfinished, which also remove VT_Scanned. */
uint32_t vtm_tags_of(const struct vtm_items *items);
/* The tags as the journal stores them: with VTM_TAGS_UNSURE. */
uint32_t vtm_tags_to_keep(const struct vtm_items *items, uint32_t tags);
/* The new tags of a delivered message with the tags <before>, after an item of its <list> got an answer. */
uint32_t vtm_tags_again(uint32_t before, struct vtm_item *const *list, size_t n);
/* The tags of items alone. */
uint32_t vtm_tags_of_list(struct vtm_item *const *list, size_t n);

/* "VT_Bad VT_Pending" in order; "" for none.  New string. */
char *vtm_tags_text(uint32_t tags);

/* The value of an item's X-VT-Report header, new string.  It is ASCII and folded with "\n\t"; lines have less than 78
 * bytes if possible and never more than 998.  In a file name, control characters are removed, '=' and characters that
 * are not ASCII become '?', and a name over VTM_HEADER_NAME_MAX bytes loses its middle. */
char *vtm_report_header(const struct vtm_item *item);
/* The values of the X-VT-Report headers, worst first, at most VTM_REPORT_HEADERS_MAX: char *, owned by the array. */
GPtrArray *vtm_report_headers(const struct vtm_items *items);

#endif
