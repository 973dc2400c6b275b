/* SPDX-License-Identifier: BSD-2-Clause */
/* url.h - URLs: normal form, reference resolution, parts.  Leaf; the only file that knows libcurl's URL API and libpsl.
 *
 * Normal form (what VirusTotal is asked; what its id is the SHA-256 of as far as known): http and https only; scheme
 * and host in lower case, host in A-labels without final dot, IPv4 in dotted form; default port dropped; empty path
 * "/"; no fragment; user info kept only where it says so; percent-escapes as written, white space %20.
 */
#ifndef VTM_URL_H
#define VTM_URL_H

#include <glib.h>
#include <stdbool.h>

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

/* Resolves <reference> against <base>.  NULL as base: none; then absolute ones, protocol-relative ones (as https)
 * and those that begin with a plausible host (as http, as mail programs do) are taken.  NULL also for "#fragment"
 * alone and other schemes. */
struct vtm_url *vtm_url_resolve(const char *base, const char *reference, gssize len);

/* A host name as A-labels in lower case without final dot; IPv4 in any spelling as dotted; NULL if it is none. New
 * string. */
char *vtm_host_normal(const char *host, gssize len);

/* Does the host end in a public suffix that the list knows, with a label before it? (libpsl's built-in list) */
bool vtm_host_plausible(const char *host);
/* Is the host itself a public suffix, such as "com" or "co.uk"?  (Of a registry's, not of a company's.) */
bool vtm_host_is_suffix(const char *host);
/* Two labels, the second of them both a public suffix and a usual ending of file names: "report.py", "archive.zip". */
bool vtm_host_like_file(const char *host);
/* The registrable domain inside <host>, or <host>. Pointer into <host>. */
const char *vtm_host_domain(const char *host);
bool vtm_host_is_ip(const char *host);
/* Is the domain of <host> one of those that a company gives to anybody, such as "someone.github.io"?  (The suffix list's
 * private part.) */
bool vtm_host_is_tenant(const char *host);

/* Percent-decodes once; new string, NUL-terminated; NULL if it holds %00. */
char *vtm_url_unescape(const char *text, gssize len);
/* The value of query parameter <name> of a normal form, percent-decoded once, '+' as it is; NULL if none. New
 * string. */
char *vtm_url_param(const char *normal, const char *name);

#endif
