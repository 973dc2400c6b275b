/* SPDX-License-Identifier: BSD-2-Clause */
/* item.h - one thing to ask about, and the list a message has.  Base layer.
 *
 * An item owns its strings.  A list owns its items.  Not locked: a list belongs
 * to one message and one thread at a time.
 */
#ifndef VTM_ITEM_H
#define VTM_ITEM_H

#include <glib.h>
#include <stdbool.h>

#include "model/verdict.h"

enum vtm_kind { VTM_ATTACHMENT, VTM_URL };

enum vtm_role {		/* where a url stood */
	VTM_ROLE_LINK,		/* a person clicks it: a, area, form, meta refresh ... */
	VTM_ROLE_TEXT,		/* spelled out in text */
	VTM_ROLE_RESOURCE,	/* fetched without a click: img, link, css url() ... */
	VTM_ROLE_NESTED,	/* unwrapped from another url (from) */
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
	GStrv via;		/* content types passed on the way, outermost first; never NULL */
	unsigned depth;		/* multipart, message and archive levels above it */
	unsigned group;		/* readings of one ambiguous part share a number > 0 */
	const char *note;	/* static text or NULL: "encrypted", "ambiguous", "undecoded" ... */
	bool personal;		/* url: looks personal (URLPrivacy) */
	bool host_only;		/* url: only the host is known, whatever URLPrivacy says (a wrapper hides the rest) */
	bool ignored;		/* on the administrator's lists */
	bool wrapper;		/* url: its target is an item too; never judged alone, never asked */
	bool risky;		/* attachment: of a type that can run or carry code */
	bool unasked;		/* report is final already: do not look up (capped, partial, undecoded) */
	struct vtm_report report;
};

/* New item of <kind> with copies of the strings; <subject> must be in the form above. */
struct vtm_item *vtm_item_new(enum vtm_kind kind, const char *subject);
struct vtm_item *vtm_item_copy(const struct vtm_item *item);
void vtm_item_free(struct vtm_item *item);

const char *vtm_kind_name(enum vtm_kind kind);	/* "attachment", "url" */
const char *vtm_role_name(enum vtm_role role);	/* "link", "text", "resource", "nested", "bare" */

/* A message's items, each once: attachments in the order of the message, urls likewise. */
struct vtm_items {
	GPtrArray *list;		/* of struct vtm_item *, owned */
	bool capped;			/* a limit cut something off: the message is bypassed in part */
	bool ambiguous;			/* MIME that other programs may read otherwise, and not every reading is an item */
	bool partial;			/* message/partial or external-body inside */
	bool undecoded;			/* a part could not be looked into, or not to its end */
	bool unparsable;		/* nothing could be read at all */
	bool unread;			/* because what had been kept of it could not be read back: a fault of ours */
	bool no_memory;			/* for all of it: something was not looked at, another fault of ours */
	bool unfinished;		/* the work or the time that a message may cost ended before all was read */
	/* private */
	GHashTable *seen;
};

struct vtm_items *vtm_items_new(void);
void vtm_items_free(struct vtm_items *items);

/* Adds <item>, taking ownership, unless one of the same kind and subject (and, for
 * attachments, the same group) is there: then <item> is freed and the first one keeps
 * its place (taking the stronger role: link before text before resource).  Returns the
 * item that is in the list. */
struct vtm_item *vtm_items_add(struct vtm_items *items, struct vtm_item *item);

#endif
