/* SPDX-License-Identifier: BSD-2-Clause */
/* hash.h - SHA-256, also of a stream; HMAC; random bytes. */
#ifndef VTM_HASH_H
#define VTM_HASH_H

#include <stddef.h>
#include <stdint.h>

#define VTM_SHA256_LEN 32
#define VTM_SHA256_HEX (2 * VTM_SHA256_LEN + 1)

/* A digest in progress.  One thread at a time. */
struct vtm_sha256;

/* Ends the process if there is no memory, as GLib does. */
struct vtm_sha256 *vtm_sha256_new(void);
void vtm_sha256_add(struct vtm_sha256 *s, const void *data, size_t len);
/* Writes the digest and prepares <s> for the next message. */
void vtm_sha256_end(struct vtm_sha256 *s, uint8_t digest[VTM_SHA256_LEN]);
void vtm_sha256_free(struct vtm_sha256 *s);

/* The digest of <data>. */
void vtm_sha256(const void *data, size_t len, uint8_t digest[VTM_SHA256_LEN]);

/* HMAC-SHA-256 (RFC 2104) of <data>.  <key> has at most 64 bytes. */
void vtm_hmac_sha256(const uint8_t *key, size_t key_len, const void *data, size_t len,
		     uint8_t digest[VTM_SHA256_LEN]);

/* Writes <len> bytes that nobody can guess.  Ends the process if the system has none. */
void vtm_random(void *out, size_t len);

/* Writes a digest as lower-case hex digits and a NUL; and reads it: 0, or -1 if <hex> is not 64 hex digits. */
void vtm_hex(const uint8_t digest[VTM_SHA256_LEN], char hex[VTM_SHA256_HEX]);
int vtm_unhex(const char *hex, uint8_t digest[VTM_SHA256_LEN]);

#endif
