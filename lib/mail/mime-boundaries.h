/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-boundaries.h - the boundaries that a message declares, looked for in the bytes of its leaves.  Part of mime.
 *
 * A delimiter inside a leaf, as after a CR alone, with more on its line, in another case, or of a multipart that
 * another reading has, divides it for some program.  All boundaries are looked for at once: what it costs does not
 * grow with their number.
 */
#ifndef VTM_MIME_BOUNDARIES_H
#define VTM_MIME_BOUNDARIES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/work.h"

#define VTM_BOUNDARY_CMP 70		/* bytes of a boundary that are compared: RFC 2046 allows no more */
#define VTM_BOUNDARIES_BYTES 65536	/* of all of them; more are not remembered, and found everywhere */

struct vtm_boundaries;

struct vtm_boundaries *vtm_boundaries_new(void);
void vtm_boundaries_free(struct vtm_boundaries *b);

/* Remembers a boundary; "" is ignored. */
void vtm_boundaries_add(struct vtm_boundaries *b, const char *boundary);

/* Does "--" and one of the boundaries occur anywhere in <text>, whatever its case?  Also true when the work ended or
 * not all boundaries are remembered.  Linear in <len>. */
bool vtm_boundaries_in(const struct vtm_boundaries *b, const char *text, size_t len, struct vtm_work *work);

#endif
