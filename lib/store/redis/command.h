/* SPDX-License-Identifier: BSD-2-Clause */
/* command.h - commands in RESP, Redis' protocol (https://redis.io/docs/latest/develop/reference/protocol-spec/). */
#ifndef VTM_STORE_REDIS_COMMAND_H
#define VTM_STORE_REDIS_COMMAND_H

#include <glib.h>
#include <stdint.h>

/* Any number of commands, one after the other in <out>: begin one, add its arguments, end it. */
struct vtm_redis_command {
	GByteArray *out;	/* what is to be sent */
	GByteArray *arguments;	/* of the command being made */
	unsigned n;		/* of them */
	unsigned commands;	/* ended in out */
};
void vtm_redis_command_init(struct vtm_redis_command *c);
void vtm_redis_command_clear(struct vtm_redis_command *c);
void vtm_redis_command_begin(struct vtm_redis_command *c, const char *name);
void vtm_redis_command_bytes(struct vtm_redis_command *c, const void *data, gsize len);
void vtm_redis_command_text(struct vtm_redis_command *c, const char *text);
void vtm_redis_command_int(struct vtm_redis_command *c, int64_t n);
void vtm_redis_command_end(struct vtm_redis_command *c);

#endif
