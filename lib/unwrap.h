/* SPDX-License-Identifier: BSD-2-Clause */
/* unwrap.h - redirectors and link rewriters undone off line, one table row a wrapper.  Leaf. */
#ifndef VTM_UNWRAP_H
#define VTM_UNWRAP_H

#include "url.h"

#define VTM_UNWRAP_DEPTH 8

/* The URL wrapped inside <u>, decoded once (call again for nested ones), or NULL if <u> is no wrapper or holds none.
 * *known_r (may be NULL): the wrapper has a row of its own, so its own host says nothing about the target; a generic
 * ?url= is not. */
struct vtm_url *vtm_unwrap(const struct vtm_url *u, bool *known_r);

#endif
