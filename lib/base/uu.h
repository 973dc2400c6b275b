/* SPDX-License-Identifier: BSD-2-Clause */
/* uu.h - files spelled out in text: uuencoded, in base64 (POSIX.1-2017, uuencode -m), in yEnc, in BinHex.  Base layer.
 *
 * Mail programs show such a file as an attachment of a text that has no other sign of it.
 */
#ifndef VTM_UU_H
#define VTM_UU_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

#define VTM_UU_NAME_MAX 255	/* bytes of a name as written; one that is not UTF-8 becomes three */

/* One file: from its first line to its last, or to the first line that cannot be part of it. */
struct vtm_uu {
	char *name;		/* valid UTF-8, may be ""; owned */
	struct vtm_buffer data;	/* owned; never more bytes than the text; may be refused */
	bool broken;		/* another program may decode other bytes: a last line is missing, a line was cut or goes
				 * on after the bytes that it counts, a size is wrong, or a part of several */
	size_t next;		/* where to go on */
};

/* Finds the next uuencoded file in <text> at or after <from> ("begin MODE NAME", "begin-base64 MODE NAME") and decodes
 * it.  false: there is none.  Linear over all calls. */
bool vtm_uu_next(const char *text, size_t len, size_t from, struct vtm_uu *block);
/* The same for yEnc ("=ybegin line=128 size=1 name=x"; yEnc draft 1.3, http://www.yenc.org/yenc-draft.1.3.txt). */
bool vtm_yenc_next(const char *text, size_t len, size_t from, struct vtm_uu *block);
/* The same for BinHex 4 (RFC 1741), which is not decoded: <data> is its text, <broken> is set. */
bool vtm_binhex_next(const char *text, size_t len, size_t from, struct vtm_uu *block);
void vtm_uu_clear(struct vtm_uu *block);

/* One line of a text, without its end. */
struct vtm_text_line {
	const char *text;
	size_t len;
	size_t next;		/* offset of the next line */
};

/* The line at <at>; false: the text has ended. */
bool vtm_text_line(const char *text, size_t len, size_t at, struct vtm_text_line *l);

#endif
