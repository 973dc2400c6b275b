/* SPDX-License-Identifier: BSD-2-Clause */
/* uu.h - uuencoded blocks in text (POSIX.1-2017, uuencode).  Base layer. */
#ifndef VTM_UU_H
#define VTM_UU_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

#define VTM_UU_NAME_MAX 255	/* bytes of a name as written; one that is not UTF-8 becomes three */

/* One block: from the line "begin MODE NAME" to the line "end", or to the first line that cannot be part of it. */
struct vtm_uu {
	char *name;		/* valid UTF-8, may be ""; owned */
	struct vtm_buffer data;	/* owned; never more bytes than the text; may be refused */
	bool broken;		/* it ended without "end", or a line was cut */
	size_t next;		/* where to go on */
};

/* Finds the next block in <text> at or behind <from> and decodes it.  false: there is none.  Linear over all calls. */
bool vtm_uu_next(const char *text, size_t len, size_t from, struct vtm_uu *block);
void vtm_uu_clear(struct vtm_uu *block);

#endif
