/* SPDX-License-Identifier: BSD-2-Clause */
/* queue.c - the queue of look-ups in Redis, and the leases on them. */
#include <string.h>

#include "base/error.h"
#include "store/codec.h"
#include "store/redis/redis.h"

#define CHUNK 500		/* entries a round trip */

/* The field that names who queued a look-up first. */
static void host_field(struct vtm_redis_command *c, const uint8_t key[VTM_PACKED_KEY])
{
	uint8_t field[VTM_PACKED_KEY + 1];

	memcpy(field, key, VTM_PACKED_KEY);
	field[VTM_PACKED_KEY] = 'h';
	vtm_redis_command_bytes(c, field, sizeof(field));
}

int vtm_redis_queue_put(struct vtm_store *store, const struct vtm_queued *q, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	uint8_t key[VTM_PACKED_KEY];
	GBytes *value = vtm_pack_queued(q, NULL);
	struct vtm_redis_command c;
	gsize len;
	const void *data = g_bytes_get_data(value, &len);

	vtm_pack_key(&q->lookup->key, key);
	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "HSET");
	vtm_redis_key(s, &c, "q", NULL, 0);
	vtm_redis_command_bytes(&c, key, sizeof(key));
	vtm_redis_command_bytes(&c, data, len);
	vtm_redis_command_end(&c);
	vtm_redis_command_begin(&c, "HSETNX");
	vtm_redis_key(s, &c, "q", NULL, 0);
	host_field(&c, key);
	vtm_redis_command_text(&c, s->host);
	vtm_redis_command_end(&c);
	/* last: what is not in here is not there */
	vtm_redis_command_begin(&c, "ZADD");
	vtm_redis_key(s, &c, "qs", NULL, 0);
	vtm_redis_command_int(&c, q->since_ms);
	vtm_redis_command_bytes(&c, key, sizeof(key));
	vtm_redis_command_end(&c);
	g_bytes_unref(value);
	return vtm_redis_do(s, &c, error);
}

int vtm_redis_queue_delete(struct vtm_store *store, const struct vtm_key *key, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	uint8_t packed[VTM_PACKED_KEY];
	struct vtm_redis_command c;

	vtm_pack_key(key, packed);
	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "ZREM");
	vtm_redis_key(s, &c, "qs", NULL, 0);
	vtm_redis_command_bytes(&c, packed, sizeof(packed));
	vtm_redis_command_end(&c);
	vtm_redis_command_begin(&c, "HDEL");
	vtm_redis_key(s, &c, "q", NULL, 0);
	vtm_redis_command_bytes(&c, packed, sizeof(packed));
	host_field(&c, packed);
	vtm_redis_command_end(&c);
	return vtm_redis_do(s, &c, error);
}

static bool queued_of(const redisReply *key, const redisReply *value, const redisReply *host, struct vtm_queued *q)
{
	struct vtm_key k;

	if (!vtm_redis_is_bytes(key) || !vtm_redis_is_bytes(value) || !vtm_redis_is_bytes(host) ||
	    !vtm_unpack_key(key->str, (size_t)key->len, &k) || !vtm_unpack_queued(value->str, (size_t)value->len, q))
		return false;
	if (!vtm_key_equal(&q->lookup->key, &k)) {
		vtm_queued_clear(q);
		return false;
	}
	g_free(q->host);
	q->host = g_strdup(host->str);
	return true;
}

/* Reads the entries of <keys> from <from> on into <list>. */
static int load_chunk(struct vtm_redis *s, const redisReply *keys, size_t from, size_t n, GArray *list, GError **error)
{
	struct vtm_redis_command c;
	redisReply *r;
	int rc = 0;

	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "HMGET");
	vtm_redis_key(s, &c, "q", NULL, 0);
	for (size_t i = from; i < from + n; i++) {
		const redisReply *k = keys->element[i];
		uint8_t key[VTM_PACKED_KEY] = { 0 };

		if (vtm_redis_is_bytes(k) && k->len == sizeof(key))
			memcpy(key, k->str, sizeof(key));
		vtm_redis_command_bytes(&c, key, sizeof(key));
		host_field(&c, key);
	}
	vtm_redis_command_end(&c);
	r = vtm_redis_one(s, &c, error);
	if (!r)
		return -1;
	if (r->type != REDIS_REPLY_ARRAY || r->elements != 2 * n)
		rc = vtm_redis_nonsense(s, error);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct vtm_queued q;

		if (queued_of(keys->element[from + i], r->element[2 * i], r->element[2 * i + 1], &q))
			g_array_append_val(list, q);
	}
	freeReplyObject(r);
	return rc;
}

static void clear_queued(gpointer p)
{
	vtm_queued_clear(p);
}

int vtm_redis_queue_load(struct vtm_store *store, unsigned max, vtm_queued_each *each, void *arg, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;
	redisReply *keys;
	GArray *list;
	int rc = 0;

	if (!max)
		return 0;
	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "ZRANGE");
	vtm_redis_key(s, &c, "qs", NULL, 0);
	vtm_redis_command_int(&c, 0);
	vtm_redis_command_int(&c, (int64_t)max - 1);
	vtm_redis_command_end(&c);
	keys = vtm_redis_one(s, &c, error);
	if (!keys)
		return -1;
	list = g_array_new(FALSE, FALSE, sizeof(struct vtm_queued));
	g_array_set_clear_func(list, clear_queued);
	if (keys->type != REDIS_REPLY_ARRAY)
		rc = vtm_redis_nonsense(s, error);
	for (size_t i = 0; rc == 0 && i < keys->elements; i += CHUNK)
		rc = load_chunk(s, keys, i, MIN(CHUNK, keys->elements - i), list, error);
	for (guint i = 0; rc == 0 && i < list->len; i++)
		each(&g_array_index(list, struct vtm_queued, i), arg);
	rc = rc < 0 ? -1 : (int)list->len;
	g_array_unref(list);
	freeReplyObject(keys);
	return rc;
}

static int lease_for(struct vtm_redis *s, const struct vtm_key *key, int64_t ms, bool tell, GError **error)
{
	struct vtm_redis_command c;
	uint8_t packed[VTM_PACKED_KEY];
	int64_t ours;

	vtm_pack_key(key, packed);
	vtm_redis_begin(s, &c);
	vtm_redis_script(s, &c, SCRIPT_LEASE, 1);
	vtm_redis_key_of(s, &c, "x", key);
	vtm_redis_command_text(&c, s->owner);
	vtm_redis_command_int(&c, ms);
	if (tell)
		vtm_redis_key(s, &c, VTM_REDIS_CHANNEL, NULL, 0);
	else
		vtm_redis_command_text(&c, "");
	vtm_redis_command_bytes(&c, packed, sizeof(packed));
	vtm_redis_command_end(&c);
	return vtm_redis_ask_number(s, &c, &ours, error) < 0 ? -1 : ours == 1;
}

int vtm_redis_lease(struct vtm_store *store, const struct vtm_key *key, int64_t ms, GError **error)
{
	return lease_for(vtm_redis(store), key, MAX(ms, 1), false, error);
}

int vtm_redis_lease_drop(struct vtm_store *store, const struct vtm_key *key, GError **error)
{
	return lease_for(vtm_redis(store), key, 0, false, error) < 0 ? -1 : 0;
}

int vtm_redis_lease_end(struct vtm_store *store, const struct vtm_key *key, GError **error)
{
	return lease_for(vtm_redis(store), key, 0, true, error) < 0 ? -1 : 0;
}
