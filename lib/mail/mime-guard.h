/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-guard.h - looks at a message before GMime does, for what would cost it too much.  Part of mime; no GMime here.
 *
 * Tried with GMime 3.2.13, each in one message: nested groups in an address field overflow the stack; a Content-Type
 * with 50,000 parameters takes 13 s (the square of their number); every line that begins with "--" is compared with
 * every boundary around it (up to 1,024); every delimiter makes a part of 1 KB.
 */
#ifndef VTM_MIME_GUARD_H
#define VTM_MIME_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VTM_GUARD_FIELD_MAX 16384	/* bytes of a structured field ... */
#define VTM_GUARD_PARAMS_MAX 64		/* parameters of a Content- field ... */
#define VTM_GUARD_GROUPS_MAX 64		/* ... and colons of an address field that GMime sees */
#define VTM_GUARD_DELIMITERS_MAX 20000
#define VTM_GUARD_WORK_MAX 50000000	/* lines with "--" times boundaries */

struct vtm_guard {
	bool refuse;	/* do not parse this */
	bool no_memory;	/* for <view>; then <refuse> too */
	char *view;	/* as long as the message, the rest of such fields blanked; NULL: nothing to blank; owned */
	uint64_t colons;/* there are no more header fields than that */
};

/* Linear; takes next to nothing where there is neither ':' nor '-', as in base64. */
void vtm_guard_look(const char *bytes, size_t len, struct vtm_guard *g);

#endif
