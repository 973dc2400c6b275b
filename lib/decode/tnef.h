/* SPDX-License-Identifier: BSD-2-Clause */
/* tnef.h - the files in Outlook's winmail.dat ([MS-OXTNEF]).  Leaf; no library.
 *
 * Hostile input: every length is checked, nothing is copied but names, one pass.  Any thread.
 */
#ifndef VTM_TNEF_H
#define VTM_TNEF_H

#include <stdbool.h>
#include <stddef.h>

#define VTM_TNEF_FILES_MAX 1000
#define VTM_TNEF_PROPERTIES_MAX 10000	/* of one attachment or message */
#define VTM_TNEF_NAME_MAX 1024		/* bytes */

enum vtm_tnef_kind {
	VTM_TNEF_FILE,
	VTM_TNEF_MESSAGE,	/* an embedded message: TNEF again */
	VTM_TNEF_TEXT,		/* the message's own text ... */
	VTM_TNEF_HTML		/* ... and page */
};

struct vtm_tnef_part {		/* lives during the callback */
	enum vtm_tnef_kind kind;
	const char *name;	/* UTF-8, NULL: none */
	const char *data;
	size_t len;
};

typedef void vtm_tnef_each(const struct vtm_tnef_part *part, void *arg);

bool vtm_tnef_is(const char *data, size_t len);
/* Calls <each> in the order of the stream.  0, or -1: damaged, or a bound was hit; what could be read was given. */
int vtm_tnef_walk(const char *data, size_t len, vtm_tnef_each *each, void *arg);

#endif
