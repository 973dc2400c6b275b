/* SPDX-License-Identifier: BSD-2-Clause */
/* tags.h - verdicts of items to tags of a message and header text.  Leaf. */
#ifndef VTM_TAGS_H
#define VTM_TAGS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/item.h"

/* In the order of severity, which is the order of the headers. */
enum vtm_tag {
	VTM_TAG_BAD, VTM_TAG_HASH_NOT_FOUND, VTM_TAG_URL_NOT_FOUND, VTM_TAG_BYPASSED, VTM_TAG_PENDING, VTM_TAG_IGNORED,
	VTM_TAG_SCANNED
};
#define VTM_TAGS (VTM_TAG_SCANNED + 1)
#define VTM_TAG_BIT(t) (1u << (t))
/* In the journal only, beside the bits of tags: the message has what is no item of its own (ambiguous, undecoded,
 * unfinished, no memory), so no later answer makes it VT_Scanned.  Has no name and is in no header. */
#define VTM_TAGS_UNSURE (1u << 16)

#define VTM_REPORT_HEADERS_MAX 20
#define VTM_HEADER_NAME_MAX 64	/* bytes of a file name in X-VT-Report, before quoting */

const char *vtm_tag_name(enum vtm_tag t);		/* "VT_Bad" */
bool vtm_tag_parse(const char *name, enum vtm_tag *tag_r);	/* any case, with or without "VT_" */

/* The tags of a message as bits.  Wrappers do not count, nor does what is turned off (VTM_WHY_DISABLED); a pending item
 * makes VT_Bypassed too; readings of one ambiguous part make VT_Scanned only when all are clean; <items>->capped,
 * ->partial and ->unparsable make VT_Bypassed; ->ambiguous, ->undecoded, ->no_memory and ->unfinished make it too and
 * take VT_Scanned away. */
uint32_t vtm_tags_of(const struct vtm_items *items);
/* As the journal keeps them: with VTM_TAGS_UNSURE. */
uint32_t vtm_tags_to_keep(const struct vtm_items *items, uint32_t tags);
/* The tags of a delivered message whose <list> has a new answer, from those it had (<before>). */
uint32_t vtm_tags_again(uint32_t before, struct vtm_item *const *list, size_t n);
/* The same for items alone. */
uint32_t vtm_tags_of_list(struct vtm_item *const *list, size_t n);

/* "VT_Bad VT_Pending" in order; "" for none.  New string. */
char *vtm_tags_text(uint32_t tags);

/* The value of one item's X-VT-Report header: folded with "\n\t", every line under 78 bytes where it can be and 998
 * always, ASCII.  Of a file name, control characters go; '=' and what is not ASCII become '?'; more than
 * VTM_HEADER_NAME_MAX bytes are cut in the middle.  New string. */
char *vtm_report_header(const struct vtm_item *item);
/* Values of the X-VT-Report headers, worst first, at most VTM_REPORT_HEADERS_MAX.  Of char *, owned by the array. */
GPtrArray *vtm_report_headers(const struct vtm_items *items);

#endif
