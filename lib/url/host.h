/* SPDX-License-Identifier: BSD-2-Clause */
/* host.h - host names and addresses of URLs.  Leaf; the only file that knows libpsl.  Any thread. */
#ifndef VTM_HOST_H
#define VTM_HOST_H

#include <glib.h>
#include <stdbool.h>

/* A host name as A-labels in lower case without final dot; IPv4 in any spelling as dotted, IPv6 as RFC 5952 writes it
 * but all in hexadecimal, as browsers do; NULL if it is no host.  New string. */
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
/* Is <host> <domain> or below it?  <len>: of <domain>, -1: up to its NUL. */
bool vtm_host_is_below(const char *host, const char *domain, gssize len);

/* Where a host is, told from its name or address alone.  Only a public one may be looked up: VirusTotal cannot know the
 * others, and a question about the inside tells it about the site. */
enum vtm_host_place {
	VTM_HOST_PUBLIC,	/* "example" and what is below it included, though nobody answers there (RFC 6761) */
	VTM_HOST_INSIDE,	/* a name without a dot, .local, .internal, ... or an address of a private range */
	VTM_HOST_NOWHERE	/* .test, .invalid, .onion, documentation, multicast and reserved addresses */
};
enum vtm_host_place vtm_host_place(const char *host);

#endif
