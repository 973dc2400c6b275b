/* SPDX-License-Identifier: BSD-2-Clause */
/* ignore.h - the administrator's lists of domains and hashes.  Leaf.
 *
 * A list is read once and then immutable: any thread.  Domains: one a line, subdomains included, parents not; in
 * Unicode or A-labels, any case; '#' comments.  Wildcards, URIs, junk are refused with file and line.  Hashes: 64 hex
 * digits a line.
 */
#ifndef VTM_IGNORE_H
#define VTM_IGNORE_H

#include <glib.h>
#include <stdbool.h>

struct vtm_ignore;

struct vtm_ignore *vtm_ignore_new(void);
void vtm_ignore_free(struct vtm_ignore *i);
/* Adds a file's entries.  -1: cannot be read, or a bad line (VTM_ERROR_CONFIG "FILE:LINE: ..."). At most 1,000,000
 * entries. */
int vtm_ignore_add_domains(struct vtm_ignore *i, const char *path, GError **error);
int vtm_ignore_add_hashes(struct vtm_ignore *i, const char *path, GError **error);
/* One line's domain in the form the list keeps (A-labels, lower case), or NULL and an error saying what is wrong
 * with it. New string. */
char *vtm_ignore_domain_normal(const char *line, GError **error);

bool vtm_ignore_host(const struct vtm_ignore *i, const char *host);	/* host: A-labels */
bool vtm_ignore_hash(const struct vtm_ignore *i, const char *sha256_hex);

#endif
