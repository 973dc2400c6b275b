/* SPDX-License-Identifier: BSD-2-Clause */
/* linkify.h - URLs spelled out in plain text.  Leaf; no library but GLib. */
#ifndef VTM_LINKIFY_H
#define VTM_LINKIFY_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/work.h"

/* What was found: bytes of the text (trailing punctuation off, wrapped lines joined) that live during the call. A
 * name that begins with "www." comes without a scheme; <bare>: a domain without either.  Neither is checked against
 * the public suffixes: the caller does that (vtm_url_guess()).  Programs end a URL at different places, so that more
 * than one reading of it may be told: without what follows at once in a script that has no blanks, or after a dash,
 * bullet or other sign that is not ASCII; with what follows a quote, caret or back slash; and with the blanks between
 * brackets or quotes left out. */
typedef void vtm_linkify_found(const char *text, size_t len, bool bare, void *arg);

struct vtm_linkify_options {
	bool flowed, delsp;	/* RFC 3676: soft line breaks */
	bool bare;		/* report bare domains too */
	bool folded;		/* RFC 5545, 6350: the lines of a calendar or card */
	struct vtm_work *work;	/* when it ends, the search ends; the caller asks vtm_work_over(); NULL: no bound */
};

/* <text> is UTF-8 (other bytes end a URL).  Found are http: and https: in any case, also in the middle of a word, with
 * two slashes, or with others, one or none before a host with a dot; and www. at the start of a word.  Not found: what is
 * part of a mail address (but "www.a@b": that is a URL to mail programs) or of a path.  Linear in <len>.  false: no
 * memory, and nothing was told. */
bool vtm_linkify(const char *text, size_t len, const struct vtm_linkify_options *options, vtm_linkify_found *found,
		 void *arg);

#endif
