/* SPDX-License-Identifier: BSD-2-Clause */
/* decode-parts.h - what the files of decode share.  Private. */
#ifndef VTM_DECODE_PARTS_H
#define VTM_DECODE_PARTS_H

#include <sys/types.h>

#include "decode/decode-wire.h"
#include "decode/decode.h"

/* A sanitizer wants more than a decoder has: memory for its shadow, standard error, a few calls. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define VTM_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VTM_SANITIZED 1
#endif

#define VTM_KEEPER_ARGUMENT "--decoder-keeper"
#define VTM_DECODER_FD 3	/* the only descriptor of a keeper, a spawner and a decoder, but for /dev/null as 0 to 2 */

/* The requests to a spawner, one in a datagram. */
enum vtm_spawner_word {
	VTM_SPAWN,		/* with a descriptor: fork a decoder that is spoken to over it */
	VTM_KILL		/* that decoder */
};
struct vtm_spawner_message {
	uint32_t word;
	int32_t pid;
};

/* decode-pool.c: <data> to the message's decoder, its reply back; *r is to be cleared in any case. */
bool vtm_decoders_ask(struct vtm_decoding *d, struct vtm_request *q, const void *data, struct vtm_reply *r);

/* decode.c: answers one request in this process, which is a decoder. */
bool vtm_decode_answer(const struct vtm_request *q, const char *data, vtm_wire_put *put, void *arg);
/* Makes the libraries do what they do once, and may want files for. */
void vtm_decode_warm_up(void);

/* decode-confine.c: what a decoder gives away, before it reads a byte. 0, or an errno. */
int vtm_decode_confine(void);

#endif
