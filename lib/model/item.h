/* SPDX-License-Identifier: BSD-2-Clause */
/* item.h - an attachment or URL of a message, and the list of them.
 *
 * An item owns its strings, a list owns its items.  A list belongs to one message and one thread at a time.
 */
#ifndef VTM_ITEM_H
#define VTM_ITEM_H

#include <glib.h>
#include <stdbool.h>

#include "model/verdict.h"

enum vtm_kind { VTM_ATTACHMENT, VTM_URL };

enum vtm_role {		/* where a URL was found */
	VTM_ROLE_LINK,		/* a person clicks it: a, area, form, meta refresh ... */
	VTM_ROLE_TEXT,		/* written in text */
	VTM_ROLE_RESOURCE,	/* fetched without a click: img, link, css url() ... */
	VTM_ROLE_NESTED,	/* unwrapped from another URL (from) */
	VTM_ROLE_BARE		/* a domain without scheme or www. */
};

struct vtm_item {
	enum vtm_kind kind;
	char *subject;		/* attachment: SHA-256, 64 lower-case hex digits; url: normal form */
	char *name;		/* attachment: file name as sent, UTF-8, may be NULL */
	char *type;		/* attachment: declared content type, lower case, may be NULL */
	gint64 size;		/* attachment: decoded bytes */
	char *host;		/* url: A-labels, lower case, no port */
	enum vtm_role role;	/* url */
	char *from;		/* url: the wrapper it was unwrapped from, NULL if none */
	GStrv via;		/* content types of the parts around it, outermost first; never NULL */
	unsigned depth;		/* number of multiparts, messages and archives around it */
	unsigned group;		/* readings of one ambiguous part share a number > 0 */
	const char *note;	/* static text or NULL: "encrypted", "ambiguous", "undecoded" ... */
	bool personal;		/* url: looks personal (URLPrivacy) */
	bool host_only;		/* url: only the host is known, because a wrapper hides the rest */
	bool ignored;		/* on the administrator's lists */
	bool inside;		/* url: its host is not a public one (url/host.h): never looked up */
	bool wrapper;		/* url: its target is an item, too, and is looked up in its place */
	bool risky;		/* attachment: of a type that can run or carry code */
	bool unasked;		/* do not look up: the report is final already (capped, partial, undecoded) */
	uint32_t points;	/* why its look-up is worth what it is (risk/points.h); 0: nothing is known */
	struct vtm_report report;
};

/* A new item with a copy of <subject>, which must have the form above. */
struct vtm_item *vtm_item_new(enum vtm_kind kind, const char *subject);
struct vtm_item *vtm_item_copy(const struct vtm_item *item);
void vtm_item_free(struct vtm_item *item);

const char *vtm_kind_name(enum vtm_kind kind);	/* "attachment", "url" */
const char *vtm_role_name(enum vtm_role role);	/* "link", "text", "resource", "nested", "bare" */

/* The items of a message, each once, in the order of the message. */
struct vtm_items {
	GPtrArray *list;		/* of struct vtm_item *, owned */
	bool capped;			/* a limit left something out: part of the message is bypassed */
	bool ambiguous;			/* programs may read its MIME in several ways, and not all of them gave items */
	bool partial;			/* contains message/partial or message/external-body */
	bool undecoded;			/* a part could not be decoded, or not to its end */
	bool unparsable;		/* nothing could be read at all */
	bool unread;			/* the stored message could not be read back: our own failure */
	bool no_memory;			/* some of it was not read for want of memory: our own failure */
	bool unfinished;		/* the work or the time that a message may cost was used up before its end */
	/* private */
	GHashTable *seen;
};

struct vtm_items *vtm_items_new(void);
void vtm_items_free(struct vtm_items *items);

/* Adds <item>, or merges it into an item of the same kind and subject (for attachments also the same group), which then
 * gets the stronger role: link before text before resource.  Takes <item>; returns the item in the list. */
struct vtm_item *vtm_items_add(struct vtm_items *items, struct vtm_item *item);

#endif
