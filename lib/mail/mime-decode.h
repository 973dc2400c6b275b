/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-decode.h - a part's bytes without their transfer encoding, hashed on the way.  Part of mime; no GMime here. */
#ifndef VTM_MIME_DECODE_H
#define VTM_MIME_DECODE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base64.h"
#include "base/buffer.h"

enum vtm_encoding {
	VTM_ENCODING_NONE,
	VTM_ENCODING_QP,
	VTM_ENCODING_BASE64,
	VTM_ENCODING_UU,
	VTM_ENCODING_YENC,
	VTM_ENCODINGS	/* how many there are */
};

enum vtm_decode_reading {
	VTM_READING_USUAL,
	VTM_READING_STRICT,	/* base64 ends at its padding; quoted-printable loses blanks at the end of a line */
	VTM_READING_PLACED,	/* base64: these three are base64.h's */
	VTM_READING_JOINED,
	VTM_READING_ENDED,
	VTM_DECODE_READINGS
};

#define VTM_DECODE_HEAD 49152	/* bytes of input whose decoded bytes are judged */

struct vtm_decode {
	/* in; borrowed */
	const char *data;
	size_t len;
	enum vtm_encoding encoding;
	enum vtm_decode_reading reading;
	/* Are the bytes themselves needed?  Asked once, with the first of them; NULL: no. */
	bool (*wants)(const char *head, size_t len, void *arg);
	void *arg;
	uint64_t keep_max;	/* more than that is not kept ... */
	bool cut;		/* ... or only that much of it is */
	bool unhashed;		/* no hash is needed: <sha256> stays empty */
	/* out */
	int64_t size;
	char sha256[65];
	const char *content;	/* NULL: not kept; into <data> or into <kept> */
	size_t content_len;
	bool differs[VTM_DECODE_READINGS];	/* does this reading give other bytes?  Said by the usual one */
	bool doubtful;		/* not in this encoding, or not all of it: a program may show other bytes */
	bool wanted, was_cut;
	bool no_memory;		/* for <content>; if <sha256> is empty too, for anything */
	struct vtm_buffer kept;	/* what is not in <data> */
};

/* Linear; memory: what is kept, and 64 KiB. */
void vtm_decode(struct vtm_decode *d);
/* The same, keeping everything up to keep_max. */
void vtm_decode_keep(struct vtm_decode *d);
void vtm_decode_clear(struct vtm_decode *d);

#endif
