/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-header.h - what GMime does not say about MIME header fields and delimiters.  Part of mime; no GMime
 * here. */
#ifndef VTM_MIME_HEADER_H
#define VTM_MIME_HEADER_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/work.h"
#include "mail/mime-decode.h"

#define VTM_HEADER_MAX 65536	/* bytes of a field that are read */

/* A field's value on one line, without blanks around it, in valid UTF-8.  New string. */
char *vtm_header_unfold(const char *raw);

/* After the blanks and comments (RFC 5322 section 3.2.2) at <p>. */
const char *vtm_header_skip_comments(const char *p);

/* The transfer encoding that a value names, comments and blanks aside; NONE for one that nobody knows.  *known_r: the
 * value is that name and nothing else, on which some programs trip even if it is a comment. */
enum vtm_encoding vtm_header_encoding(const char *value, bool *known_r);

/* Where the body after the header begins, seen from a field at <at>; <len> if there is no body. */
size_t vtm_header_end(const char *text, size_t len, size_t at);

/* The first line from <from> on that is a delimiter of one of <boundaries> (NULL-terminated); the line end before it
 * counts as part of it.  <len> if there is none, or the work ended. */
size_t vtm_boundary_find(const char *text, size_t len, size_t from, const char *const *boundaries,
			 struct vtm_work *work);

/* The boundary that a body seems to have: its first line "--x" that a Content-* field follows.  New string or NULL. */
char *vtm_boundary_guess(const char *text, size_t len);

#endif
