/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-doubt.h - signs that mail programs see other parts in a message than we do.  Part of mime; no GMime here.
 *
 * A sign makes a message ambiguous: it is never called scanned.  The tricks are those of CVE-2024-28054, of the
 * MIMEminer tool and of draft-chen-email-mime-ambiguity-defense.  All are linear in what they are given.
 */
#ifndef VTM_MIME_DOUBT_H
#define VTM_MIME_DOUBT_H

#include <stdbool.h>
#include <stddef.h>

/* May other programs end the lines of this header elsewhere, or see more fields in it, for example because of a NUL, a
 * bare CR, a name with a comment, or a Content-Type that continues another field?  Also for the value of one field. */
bool vtm_doubt_header(const char *text, size_t len);

/* Does a body begin like the header of an entity, after a blank line that others may not see? */
bool vtm_doubt_body(const char *text, size_t len);

/* Is there such a beginning on any line, as of a part before the first delimiter or after the last? */
bool vtm_doubt_outside(const char *text, size_t len);

#endif
