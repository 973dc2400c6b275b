/* SPDX-License-Identifier: BSD-2-Clause */
/* decode-wire.h - what a program and a decoder write to each other.  Part of decode.
 *
 * Both ends are the same program on the same machine, so numbers are as it has them.  One request, then its reply; the
 * decoder's end is not trusted: a reply is read whole, field by field, within bounds that follow from the request.
 *
 *	hello	frame HELLO, once, by a decoder that has read nothing yet
 *	request	struct vtm_request, then its <len> bytes
 *	reply	frames FOUND, each followed by a name and content; then a frame END
 */
#ifndef VTM_DECODE_WIRE_H
#define VTM_DECODE_WIRE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VTM_WIRE_REQUEST 0x51d0c0deu
#define VTM_WIRE_FRAME 0xf1d0c0deu
#define VTM_WIRE_NAME_MAX 4096		/* bytes of a name */
#define VTM_WIRE_FOUND_MAX 10000	/* of one reply */


struct vtm_request {
	uint32_t magic;
	uint32_t decoder;
	uint64_t len;
	uint64_t members, bytes, keep;	/* struct vtm_archive_limits, for an archive */
};

enum vtm_frame_type { VTM_FRAME_HELLO, VTM_FRAME_FOUND, VTM_FRAME_END };

struct vtm_frame {
	uint32_t magic;
	uint32_t type;
	uint32_t what;		/* FOUND: as vtm_found.kind; END: the decoder's result; HELLO: its process */
	uint32_t named, name_len;
	uint32_t kept;		/* content follows */
	uint64_t size;		/* FOUND: bytes, also when they do not follow */
	uint64_t members, bytes;/* END: what is left of the limits */
	uint8_t sha256[32];	/* FOUND in an archive */
};

/* What an archive has. */
enum vtm_wire_member { VTM_WIRE_MEMBER, VTM_WIRE_LINKS };

struct vtm_found {
	unsigned kind;		/* in the decoder's own enum, for an archive vtm_wire_member */
	char *name;		/* valid UTF-8 or NULL; owned */
	uint64_t size;
	char *content;		/* <size> bytes and a NUL, or NULL; owned */
	uint8_t sha256[32];
};
void vtm_found_free(void *found);

struct vtm_reply {
	GPtrArray *found;	/* of struct vtm_found *, owned */
	unsigned lists;		/* how many of them are VTM_WIRE_LINKS: those are no members */
	bool no_memory;		/* for what was found, so it broke off */
	unsigned result;	/* 0: nothing there; in the decoder's own enum, for TNEF 1: damaged */
	uint64_t members, bytes;/* left of the limits; never more than before */
};
void vtm_reply_clear(struct vtm_reply *r);

/* Read and write callbacks; false on error. */
typedef bool vtm_wire_take(void *arg, void *to, size_t n);
typedef bool vtm_wire_put(void *arg, const void *from, size_t n);

/* Reads one reply to <q>; *r is to be cleared in any case.  false: it broke off or is no reply to this request, and *r
 * has what came before. */
bool vtm_wire_read_reply(const struct vtm_request *q, vtm_wire_take *take, void *arg, struct vtm_reply *r);
/* false: no hello. */
bool vtm_wire_read_hello(vtm_wire_take *take, void *arg, int32_t *pid_r);
/* Is it a request that can be answered?  (Asked by the decoder.) */
bool vtm_wire_good_request(const struct vtm_request *q);

bool vtm_wire_write_hello(int32_t pid, vtm_wire_put *put, void *arg);
/* <name> may be NULL and is cut; <content> may be NULL; so may <sha256>. */
bool vtm_wire_write_found(unsigned kind, const char *name, const char *content, uint64_t size, const uint8_t *sha256,
			  vtm_wire_put *put, void *arg);
bool vtm_wire_write_end(unsigned result, uint64_t members, uint64_t bytes, vtm_wire_put *put, void *arg);

#endif
