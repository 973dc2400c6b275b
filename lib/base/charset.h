/* SPDX-License-Identifier: BSD-2-Clause */
/* charset.h - text of any charset as UTF-8, as mail programs and browsers read it.  Base layer. */
#ifndef VTM_CHARSET_H
#define VTM_CHARSET_H

#include <stddef.h>

/* <len> bytes of <text> as UTF-8: a new string, NUL added, its length in *len_r.  A byte order mark wins over
 * <charset>; NULL, "us-ascii" and charsets nobody knows mean UTF-8 if the bytes are that, else windows-1252.  What
 * does not fit becomes U+FFFD, NUL too.  NULL: no memory.  Linear; at most 4 * len + 4 bytes.  Any thread. */
char *vtm_charset_utf8(const char *text, size_t len, const char *charset, size_t *len_r);

#endif
