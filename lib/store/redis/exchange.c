/* SPDX-License-Identifier: BSD-2-Clause */
/* exchange.c - sends commands over a connection, and reads their replies. */
#include <string.h>

#include "base/error.h"
#include "store/redis/redis.h"

static void free_reply(gpointer p)
{
	freeReplyObject(p);
}

bool vtm_redis_is_bytes(const redisReply *r)
{
	return r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS;
}

int64_t vtm_redis_number(const redisReply *r)
{
	if (r->type == REDIS_REPLY_INTEGER)
		return r->integer;
	return vtm_redis_is_bytes(r) ? g_ascii_strtoll(r->str, NULL, 10) : 0;
}

/* What a server says goes into messages: printable, and not too much of it. */
static char *shown(const char *text)
{
	char *copy = g_strndup(text, 200);

	return g_strcanon(copy, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,:;-_/()'@=<>*", '?');
}

bool vtm_redis_says(const redisReply *r, const char *word)
{
	return r->type == REDIS_REPLY_ERROR && g_str_has_prefix(r->str, word);
}

void vtm_redis_reply_error(const redisReply *r, GError **error)
{
	char *text = shown(r->str);
	bool elsewhere = vtm_redis_says(r, "MOVED") || vtm_redis_says(r, "ASK ");

	g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s%s", text, elsewhere ?
		    ": this node of a Redis Cluster has not the slot of StorePrefix: name in Store the node told here" : "");
	g_free(text);
}

GPtrArray *vtm_redis_exchange(struct vtm_redis_link *l, const struct vtm_redis_command *c, int64_t deadline_ms,
			      GError **error)
{
	GPtrArray *replies = g_ptr_array_new_with_free_func(free_reply);
	bool good = vtm_redis_link_send(l, c->out->data, c->out->len, deadline_ms, error) == 0;

	for (unsigned i = 0; good && i < c->commands; i++) {
		redisReply *r = vtm_redis_link_reply(l, deadline_ms, error);

		good = r != NULL;
		if (good)
			g_ptr_array_add(replies, r);
	}
	if (!good)
		g_clear_pointer(&replies, g_ptr_array_unref);
	return replies;
}

void vtm_redis_add_scripts(struct vtm_redis_command *c)
{
	for (int i = 0; i < SCRIPTS; i++) {
		vtm_redis_command_begin(c, "SCRIPT");
		vtm_redis_command_text(c, "LOAD");
		vtm_redis_command_text(c, vtm_redis_scripts[i]);
		vtm_redis_command_end(c);
	}
}
