/* SPDX-License-Identifier: BSD-2-Clause */
/* command.c - commands in RESP, Redis' protocol. */
#include "store/redis/command.h"

#include <string.h>

void vtm_redis_command_init(struct vtm_redis_command *c)
{
	c->out = g_byte_array_new();
	c->arguments = g_byte_array_new();
	c->n = c->commands = 0;
}

void vtm_redis_command_clear(struct vtm_redis_command *c)
{
	g_byte_array_unref(c->out);
	g_byte_array_unref(c->arguments);
}

void vtm_redis_command_begin(struct vtm_redis_command *c, const char *name)
{
	c->n = 0;
	g_byte_array_set_size(c->arguments, 0);
	vtm_redis_command_text(c, name);
}

/* "*3" or "$3" and the end of the line. */
static void add_length(GByteArray *to, char type, gsize length)
{
	char head[32];
	int n = g_snprintf(head, sizeof(head), "%c%" G_GSIZE_FORMAT "\r\n", type, length);

	g_byte_array_append(to, (const guint8 *)head, (guint)n);
}

void vtm_redis_command_bytes(struct vtm_redis_command *c, const void *data, gsize len)
{
	add_length(c->arguments, '$', len);
	g_byte_array_append(c->arguments, data, (guint)len);
	g_byte_array_append(c->arguments, (const guint8 *)"\r\n", 2);
	c->n++;
}

void vtm_redis_command_text(struct vtm_redis_command *c, const char *text)
{
	vtm_redis_command_bytes(c, text, strlen(text));
}

void vtm_redis_command_int(struct vtm_redis_command *c, int64_t n)
{
	char text[24];

	g_snprintf(text, sizeof(text), "%" G_GINT64_FORMAT, n);
	vtm_redis_command_text(c, text);
}

void vtm_redis_command_end(struct vtm_redis_command *c)
{
	add_length(c->out, '*', c->n);
	g_byte_array_append(c->out, c->arguments->data, c->arguments->len);
	c->commands++;
}
