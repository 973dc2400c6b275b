/* SPDX-License-Identifier: BSD-2-Clause */
/* base64.h - base64 as mail has it (RFC 2045 section 6.8), and base64url (RFC 4648 section 5).  Base layer.
 *
 * Decodes by streaming.  Programs read broken base64 in several ways; the decoder says when they differ.  An end
 * without padding keeps its last 1-2 bytes (GMime 3.2.13 drops them).
 */
#ifndef VTM_BASE64_H
#define VTM_BASE64_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vtm_base64_reading {
	VTM_BASE64_LENIENT,	/* skips foreign bytes, starts a new group after padding */
	VTM_BASE64_STRICT,	/* stops at the first padding */
	VTM_BASE64_PLACED,	/* a '=' takes a place in its group of four, as Thunderbird reads it */
	VTM_BASE64_JOINED,	/* ignores every '=', as Perl's MIME::Parser does */
	VTM_BASE64_ENDED	/* ignores a '=' that completes no group, stops at one that does, as Python does */
};

struct vtm_base64 {	/* set to zero, then .reading; read the flags after the end */
	enum vtm_base64_reading reading;
	uint32_t bits;
	unsigned have;		/* sextets in bits (PLACED: places of the group): 0..3 */
	unsigned place;		/* places of the group of four, '=' included: 0..3 */
	bool after_padding;	/* the last character was a '=' */
	bool early;		/* a '=' came before two sextets of its group */
	bool stopped;
	bool data_after_padding;	/* STRICT and JOINED differ from LENIENT */
	bool misplaced;			/* PLACED and ENDED differ from both; said by LENIENT */
	bool junk;			/* bytes outside of the alphabet other than white space: programs differ, see mime-leaf.c */
	unsigned padding;
};

/* Decodes <len> bytes into <out> (room for len / 4 * 3 + 3); returns the number of bytes written. */
size_t vtm_base64_add(struct vtm_base64 *d, const char *in, size_t len, uint8_t *out);
/* What an unpadded end still holds: 0..2 bytes. */
size_t vtm_base64_end(struct vtm_base64 *d, uint8_t out[2]);

/* base64url without padding, new string. */
char *vtm_base64url(const void *data, size_t len);

#endif
