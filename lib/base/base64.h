/* SPDX-License-Identifier: BSD-2-Clause */
/* base64.h - base64 as mail has it (RFC 2045 section 6.8), and base64url (RFC 4648 section 5).  Base layer.
 *
 * Decoding by streaming, twice at once where it matters: mail programs skip what is not of the alphabet and read on
 * behind padding; strict ones stop at the padding.  The decoder tells when the two readings differ.  Unpadded ends keep
 * their last 1-2 bytes (GMime 3.2.13 drops them).
 */
#ifndef VTM_BASE64_H
#define VTM_BASE64_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vtm_base64_reading {
	VTM_BASE64_LENIENT,	/* skips foreign bytes, restarts behind padding */
	VTM_BASE64_STRICT	/* stops at the first padding */
};

struct vtm_base64 {	/* set to zero, then .reading; read the flags after the end */
	enum vtm_base64_reading reading;
	uint32_t bits;
	unsigned have;		/* sextets in bits: 0..3 */
	bool stopped;
	bool data_after_padding;	/* the readings differ */
	bool junk;			/* bytes outside of the alphabet other than white space */
	unsigned padding;
};

/* Decodes <len> bytes into <out> (room for len / 4 * 3 + 3); returns the number of bytes written. */
size_t vtm_base64_add(struct vtm_base64 *d, const char *in, size_t len, uint8_t *out);
/* What an unpadded end still holds: 0..2 bytes. */
size_t vtm_base64_end(struct vtm_base64 *d, uint8_t out[2]);

/* base64url without padding, new string. */
char *vtm_base64url(const void *data, size_t len);

#endif
