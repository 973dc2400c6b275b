/* SPDX-License-Identifier: BSD-2-Clause */
/* unwrap.h - redirectors and link rewriters undone off line, one table row a wrapper.  Leaf. */
#ifndef VTM_UNWRAP_H
#define VTM_UNWRAP_H

#include "url/url.h"

#define VTM_UNWRAP_DEPTH 8	/* how often the caller shall unwrap what was unwrapped */
#define VTM_UNWRAP_MAX 8	/* URLs of one */

/* The URLs inside <u>, decoded once (call again for nested ones), or NULL if there is none: of a wrapper that has a
 * row in the table its target, else each URL in a value of the query, in the path or in the fragment,
 * percent-encoded or in base64. A target with <host_only> set is the host that a wrapper tells where the rest is
 * hidden. *known_r (may be NULL): <u> is a wrapper with a row of its own, so its own host says nothing about the
 * target; it may be true where nothing can be decoded.  The array owns the URLs; g_ptr_array_unref() it. */
GPtrArray *vtm_unwrap(const struct vtm_url *u, bool *known_r);

#endif
