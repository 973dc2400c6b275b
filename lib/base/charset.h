/* SPDX-License-Identifier: BSD-2-Clause */
/* charset.h - text of any charset as UTF-8, as mail programs and browsers read it.  Base layer.
 *
 * A label means what the Encoding Standard's table says (https://encoding.spec.whatwg.org/#names-and-labels); a label
 * that is not in it means the bytes as they are: UTF-8 if they are that, else windows-1252.  iconv knows many more, which
 * no mail program reads: a page could be hidden in them.
 */
#ifndef VTM_CHARSET_H
#define VTM_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

#define VTM_CHARSET_UTF8 "UTF-8"
#define VTM_CHARSET_UTF7 "UTF-7"
#define VTM_CHARSET_BYTES ""	/* the bytes as they are */
#define VTM_CHARSET_READINGS 4	/* of one text */

/* The encoding that a label names, for vtm_charset_utf8(); static.  NULL: the label is not in the table. */
const char *vtm_charset_encoding(const char *label);

/* The encodings that programs may read <text> in, static; at least one.  <labels> (NULL-terminated, or NULL) are what
 * is declared for it.  A byte order mark, and UTF-16 without one, are readings beside the declared ones.  <as_it_is>:
 * the declaration may be unknown to the reader, as of a file that is saved.  *more_r: there are more readings than
 * places.  Linear. */
unsigned vtm_charset_readings(const char *text, size_t len, const char *const *labels, bool as_it_is,
			      const char *list[VTM_CHARSET_READINGS], bool *more_r);

/* <len> bytes of <text> as UTF-8: a new string, NUL added, its length in *len_r.  <encoding> is one that the functions
 * above return, and is taken at its word, whatever the bytes look like; NULL: a byte order mark counts, else the bytes as
 * they are.  What does not fit becomes U+FFFD, NUL too.  NULL: no memory.  Linear; at most 4 * len + 4 bytes.  Any
 * thread. */
char *vtm_charset_utf8(const char *text, size_t len, const char *encoding, size_t *len_r);

#endif
