/* SPDX-License-Identifier: BSD-2-Clause */
/* filetype.h - what the declared type and the name of a file say about it.  Base layer.
 *
 * Both are the sender's word: they decide what is asked first and what is searched for links, never whether.
 */
#ifndef VTM_FILETYPE_H
#define VTM_FILETYPE_H

#include <stdbool.h>
#include <stddef.h>

enum vtm_filetype {
	VTM_FILE_OTHER,
	VTM_FILE_PAGE,		/* HTML, SVG: a click opens it in a browser */
	VTM_FILE_TEXT,		/* text that may hold links: plain, calendar, .url, .webloc ... */
	VTM_FILE_MESSAGE,	/* a message saved as a file */
	VTM_FILE_SMIME		/* application/pkcs7-mime: may be signed data with a MIME entity inside */
};

/* <type> is in lower case; both may be NULL. */
enum vtm_filetype vtm_filetype(const char *type, const char *name);

/* May it run or carry code?  True unless both type and name are known to be harmless. */
bool vtm_filetype_risky(const char *type, const char *name);

/* The type of a file of which nobody said one, by its name; "application/octet-stream" if that says nothing. Static. */
const char *vtm_filetype_of_name(const char *name);

#endif
