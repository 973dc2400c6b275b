/* SPDX-License-Identifier: BSD-2-Clause */
/* lists.h - what is known of hosts in general: where anybody publishes, shorteners, brands, cheap top-level domains.
 *
 * Four files of a directory; a file that is not there leaves its list empty, and the points of its row are then given to
 * nobody.  Read once and then immutable: any thread.  Lines are as in entries.h:
 *
 *	shared-hosting	"docs.example.com": anybody publishes pages on this host;
 *			"*.pages.example": anybody gets a host below this domain
 *	shorteners	"sho.rt": its URLs lead elsewhere
 *	brands		"word domain...": a word that phishing borrows, of five letters at least, and its owner's domains
 *	cheap-tlds	"top": a top-level domain, without a dot
 */
#ifndef VTM_LISTS_H
#define VTM_LISTS_H

#include <glib.h>
#include <stdbool.h>

#define VTM_LISTS_ENTRIES 100000	/* of a file */
#define VTM_LISTS_BRANDS 1000		/* words */

struct vtm_lists;

enum vtm_hosting {
	VTM_HOSTING_NONE,
	VTM_HOSTING_PATHS,	/* anybody publishes on the host itself */
	VTM_HOSTING_TENANTS	/* anybody gets a host below its domain */
};

struct vtm_lists *vtm_lists_new(void);
void vtm_lists_free(struct vtm_lists *l);
/* Reads the files that <dir> has.  Returns how many of the four, or -1: a bad line (VTM_ERROR_CONFIG "FILE:LINE: ...")
 * or too many (VTM_ERROR_LIMIT). */
#define VTM_LISTS_FILES 4
int vtm_lists_read(struct vtm_lists *l, const char *dir, GError **error);

/* <host> is in A-labels; NULL as list: nothing is known. */
enum vtm_hosting vtm_lists_hosting(const struct vtm_lists *l, const char *host);
/* Where anybody gets a host below a listed domain: that host, a pointer into <host>.  Else NULL. */
const char *vtm_lists_tenant(const struct vtm_lists *l, const char *host);
bool vtm_lists_is_shortener(const struct vtm_lists *l, const char *host);
bool vtm_lists_is_cheap(const struct vtm_lists *l, const char *host);
/* Has the host a brand's word in it, also with digits for letters, without being its owner's? */
bool vtm_lists_borrows_brand(const struct vtm_lists *l, const char *host);

#endif
