/* SPDX-License-Identifier: BSD-2-Clause */
/* call.c - one call of the store: its commands, over a connection that is made when it is needed. */
#include <string.h>

#include "base/error.h"
#include "store/codec.h"
#include "store/redis/redis.h"

/* ---- arguments ---- */

void vtm_redis_begin(struct vtm_redis *s, struct vtm_redis_command *c)
{
	vtm_redis_start(s);
	vtm_redis_command_init(c);
}

void vtm_redis_key(struct vtm_redis *s, struct vtm_redis_command *c, const char *name, const void *more, gsize len)
{
	GByteArray *key = g_byte_array_new();

	g_byte_array_append(key, (const guint8 *)s->prefix, (guint)strlen(s->prefix));
	g_byte_array_append(key, (const guint8 *)name, (guint)strlen(name));
	if (len)
		g_byte_array_append(key, more, (guint)len);
	vtm_redis_command_bytes(c, key->data, key->len);
	g_byte_array_unref(key);
}

void vtm_redis_key_of(struct vtm_redis *s, struct vtm_redis_command *c, const char *name, const struct vtm_key *key)
{
	uint8_t packed[VTM_PACKED_KEY];

	vtm_pack_key(key, packed);
	vtm_redis_key(s, c, name, packed, sizeof(packed));
}

void vtm_redis_script(struct vtm_redis *s, struct vtm_redis_command *c, enum vtm_redis_script script, unsigned keys)
{
	vtm_redis_command_begin(c, "EVALSHA");
	vtm_redis_command_text(c, s->sha[script]);
	vtm_redis_command_int(c, keys);
}

/* ---- calls ---- */

/* After a SCRIPT FLUSH. */
static bool load_scripts(struct vtm_redis *s, GError **error)
{
	struct vtm_redis_command c;
	GPtrArray *replies;

	vtm_redis_command_init(&c);
	vtm_redis_add_scripts(&c);
	replies = vtm_redis_exchange(s->link, &c, s->deadline_ms, error);
	vtm_redis_command_clear(&c);
	if (!replies)
		return false;
	g_ptr_array_unref(replies);
	return true;
}

/* Errors that mean: this server is not, or no longer, the one to talk to. */
static bool wrong_server(const redisReply *r)
{
	return vtm_redis_says(r, "READONLY") || vtm_redis_says(r, "LOADING") || vtm_redis_says(r, "MASTERDOWN") ||
	       vtm_redis_says(r, "CLUSTERDOWN") || vtm_redis_says(r, "NOAUTH") || vtm_redis_says(r, "MOVED");
}

static bool without_errors(struct vtm_redis *s, const GPtrArray *replies, GError **error)
{
	for (guint i = 0; i < replies->len; i++) {
		const redisReply *r = replies->pdata[i];

		if (r->type != REDIS_REPLY_ERROR)
			continue;
		vtm_redis_reply_error(r, error);
		if (wrong_server(r))
			vtm_redis_disconnect(s);
		return false;
	}
	return true;
}

static GPtrArray *run_all(struct vtm_redis *s, const struct vtm_redis_command *c, GError **error)
{
	GPtrArray *replies;

	if (vtm_redis_connect(s, error) < 0)
		return NULL;
	replies = vtm_redis_exchange(s->link, c, s->deadline_ms, error);
	if (replies && vtm_redis_says(replies->pdata[0], "NOSCRIPT")) {
		g_clear_pointer(&replies, g_ptr_array_unref);
		if (load_scripts(s, error))
			replies = vtm_redis_exchange(s->link, c, s->deadline_ms, error);
	}
	if (!replies) {
		vtm_redis_disconnect(s);	/* what comes now would be an answer to something else */
		return NULL;
	}
	if (!without_errors(s, replies, error))
		g_clear_pointer(&replies, g_ptr_array_unref);
	return replies;
}

GPtrArray *vtm_redis_run(struct vtm_redis *s, struct vtm_redis_command *c, GError **error)
{
	GPtrArray *replies = run_all(s, c, error);

	vtm_redis_command_clear(c);
	if (!replies)
		g_prefix_error(error, "%s: ", s->uri.shown);
	return replies;
}

redisReply *vtm_redis_one(struct vtm_redis *s, struct vtm_redis_command *c, GError **error)
{
	GPtrArray *replies = vtm_redis_run(s, c, error);
	redisReply *r = NULL;

	if (replies) {
		r = g_ptr_array_steal_index(replies, 0);
		g_ptr_array_unref(replies);
	}
	return r;
}

int vtm_redis_nonsense(struct vtm_redis *s, GError **error)
{
	vtm_redis_disconnect(s);
	g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s: an answer that makes no sense", s->uri.shown);
	return -1;
}

int vtm_redis_ask_number(struct vtm_redis *s, struct vtm_redis_command *c, int64_t *number_r, GError **error)
{
	redisReply *r = vtm_redis_one(s, c, error);
	int rc = 0;

	if (!r)
		return -1;
	if (r->type == REDIS_REPLY_INTEGER)
		*number_r = r->integer;
	else
		rc = vtm_redis_nonsense(s, error);
	freeReplyObject(r);
	return rc;
}

int vtm_redis_do(struct vtm_redis *s, struct vtm_redis_command *c, GError **error)
{
	GPtrArray *replies = vtm_redis_run(s, c, error);

	if (!replies)
		return -1;
	g_ptr_array_unref(replies);
	return 0;
}
