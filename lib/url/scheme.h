/* SPDX-License-Identifier: BSD-2-Clause */
/* scheme.h - links of other schemes than http and https.  Any thread. */
#ifndef VTM_SCHEME_H
#define VTM_SCHEME_H

#include "url/unwrap.h"

enum vtm_scheme {
	VTM_SCHEME_UNKNOWN,	/* nobody is known to open it, or a program of its own does */
	VTM_SCHEME_HARMLESS,	/* names a person, a number, a part of the message: mailto, tel, cid ... */
	VTM_SCHEME_OPENS	/* opens or fetches a file or page: ftp, smb, ms-word, search-ms ... */
};

/* Does <reference> begin with a scheme other than http and https? */
bool vtm_scheme_is_foreign(const char *reference);
enum vtm_scheme vtm_scheme_of(const char *reference);

/* The web links that a reference of such a scheme leads to: those it holds ("microsoft-edge:https://..."), and itself
 * where the scheme is another word for https ("webcal://...").  NULL: none.  *flags_r as in unwrap.h. */
GPtrArray *vtm_scheme_urls(const char *reference, unsigned *flags_r);

#endif
