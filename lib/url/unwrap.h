/* SPDX-License-Identifier: BSD-2-Clause */
/* unwrap.h - redirectors and link rewriters undone off line, one table row a wrapper.  Any thread.
 *
 * The sender writes every byte of a link.  So no link goes unjudged because it looks like a wrapper: only the vendor's
 * own domains, which the table lists, count as one; and where a wrapper could read its link in several ways (a
 * parameter twice, a rival one, in another case, escaped once more), each target is told.
 */
#ifndef VTM_UNWRAP_H
#define VTM_UNWRAP_H

#include "url/url.h"

#define VTM_UNWRAP_DEPTH 8	/* how often the caller shall unwrap what was unwrapped */
#define VTM_UNWRAP_MAX 8	/* URLs of one */

enum vtm_unwrap_flags {
	VTM_UNWRAP_KNOWN = 1,	/* a wrapper on its vendor's own domain, and its targets are all told: its own host says
				 * nothing about them */
	VTM_UNWRAP_CUT = 2,	/* a bound was reached: there may be more URLs inside */
	VTM_UNWRAP_IMITATED = 4	/* a vendor's name and path on somebody else's domain: where it leads, nobody can tell */
};

/* The URLs inside <u>, decoded once (call again for nested ones), or NULL if there is none: those of a wrapper that has
 * a row in the table, and each URL in a value of the query, in the path or in the fragment, percent-encoded or in
 * base64. A target with <host_only> set is the host that a wrapper tells where the rest is hidden. *flags_r (may be
 * NULL): of enum vtm_unwrap_flags.  The array owns the URLs; g_ptr_array_unref() it.  Linear in the length of <u>. */
GPtrArray *vtm_unwrap(const struct vtm_url *u, unsigned *flags_r);

/* The same for a reference of a scheme that is not ours ("ms-word:ofe|u|https://..."): the URLs that its text holds,
 * cut where such schemes end them, and as they are. */
GPtrArray *vtm_unwrap_text(const char *text, unsigned *flags_r);

#endif
