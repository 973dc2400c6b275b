/* SPDX-License-Identifier: BSD-2-Clause */
/* escape.h - the encodings in which one URL holds another: percent-escapes and base64.  Leaf.  Any thread. */
#ifndef VTM_ESCAPE_H
#define VTM_ESCAPE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define VTM_ESCAPE_LEVELS 4	/* how often one text is decoded: what is escaped more often, no reader decodes either */

/* Percent-decodes once; new string, NUL-terminated; NULL if it holds %00. */
char *vtm_url_unescape(const char *text, gssize len);

/* Bytes that base64 can be made of, base64url included. */
#define VTM_BASE64_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"

/* Decodes base64 or base64url, padded or not; bytes outside of the alphabet are skipped.  New string, NUL-terminated
 * (the text may hold NUL bytes before). */
char *vtm_url_base64(const char *text, size_t len);

/* The first "http:/" or "https:/" in <s>, in any case, a back slash being a slash; NULL if there is none. */
const char *vtm_url_find_scheme(const char *s);

#endif
