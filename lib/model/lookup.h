/* SPDX-License-Identifier: BSD-2-Clause */
/* lookup.h - a look-up at VirusTotal, and its key. */
#ifndef VTM_LOOKUP_H
#define VTM_LOOKUP_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum vtm_lookup_kind {
	VTM_LOOKUP_FILE,	/* subject: SHA-256 in hex */
	VTM_LOOKUP_URL,		/* subject: normal form of the URL */
	VTM_LOOKUP_HOST		/* subject: domain name or IP address */
};
#define VTM_LOOKUP_KINDS (VTM_LOOKUP_HOST + 1)

/* The key of a look-up in cache, store and queue: its kind and a SHA-256, for a file the file's own, else that of the
 * subject.  A plain value. */
struct vtm_key {
	uint8_t kind;		/* enum vtm_lookup_kind */
	uint8_t id[32];
};

struct vtm_lookup {
	struct vtm_key key;
	char *subject;		/* owned */
};

/* A new look-up.  NULL: <subject> is not 64 hex digits (a file), or not 1 to 8192 bytes without control characters
 * (a URL or host). */
struct vtm_lookup *vtm_lookup_new(enum vtm_lookup_kind kind, const char *subject);
struct vtm_lookup *vtm_lookup_copy(const struct vtm_lookup *l);
void vtm_lookup_free(struct vtm_lookup *l);

const char *vtm_lookup_kind_name(enum vtm_lookup_kind kind);	/* "file", "url", "host" */
bool vtm_lookup_kind_parse(const char *word, enum vtm_lookup_kind *kind_r);

/* For a GHashTable with keys of struct vtm_key *. */
guint vtm_key_hash(gconstpointer key);
gboolean vtm_key_equal(gconstpointer a, gconstpointer b);

/* Writes the ID as 64 hex digits and a NUL. */
void vtm_key_hex(const struct vtm_key *key, char hex[65]);

#endif
