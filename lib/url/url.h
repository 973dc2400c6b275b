/* SPDX-License-Identifier: BSD-2-Clause */
/* url.h - URLs: normal form, reference resolution, parts.  The only file that knows libcurl's URL API.
 *
 * Normal form (what VirusTotal is asked; what its id is the SHA-256 of as far as known): http and https only; scheme
 * and host in lower case, host in A-labels without final dot, IPv4 in dotted form; default port dropped; empty path
 * "/"; no fragment; user info kept only where it says so; percent-escapes as written, white space %20.
 */
#ifndef VTM_URL_H
#define VTM_URL_H

#include <glib.h>
#include <stdbool.h>

#include "url/host.h"

#define VTM_URL_MAX 8192	/* bytes of a normal form; longer ones are cut off by refusing them */

struct vtm_url {
	char *normal;		/* the normal form, user info included as written */
	char *host;		/* A-labels, or an IP address without brackets */
	bool has_userinfo;
	const char *path;	/* into normal: from the path's '/' on */
	char *fragment;		/* behind '#', escaped like the rest, NULL: none */
	bool host_only;		/* only the host is known: the rest was not in what it was made from (unwrap.h) */
};

/* Parses one absolute URL as browsers do (back slashes, tabs and line ends inside, blanks around, any case). NULL
 * if it is not http(s), has no usable host, or is too long. */
struct vtm_url *vtm_url_parse(const char *text, gssize len);
void vtm_url_free(struct vtm_url *u);

/* The same for text that may lack a scheme: "www.example.com/x", "192.0.2.1" and, if a public suffix ends it and it
 * does not look like a file name, "example.com" are read as http. */
struct vtm_url *vtm_url_guess(const char *text, gssize len);

/* Does what <reference> means depend on a base: is it a path, "//host/path", "http:page" or
 * "http:/page"? */
bool vtm_url_is_relative(const char *reference);

/* Resolves <reference> against <base>.  NULL as base: none; then absolute ones, protocol-relative ones (as https)
 * and those that begin with a plausible host (as http, as mail programs do) are taken.  NULL also for "#fragment"
 * alone and other schemes. */
struct vtm_url *vtm_url_resolve(const struct vtm_url *base, const char *reference, gssize len);

#endif
