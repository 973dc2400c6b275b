/* SPDX-License-Identifier: BSD-2-Clause */
/* verdict.c - verdicts in Redis: a string each, which Redis expires. */
#include <string.h>

#include "base/error.h"
#include "store/codec.h"
#include "store/redis/redis.h"

#define SCAN_COUNT 500		/* keys that Redis looks at a round trip, about */
#define TIME_BYTES 6
#define VERDICT_BYTES (2 * TIME_BYTES + VTM_PACKED_REPORT)	/* 44: what Redis keeps in one piece with its object */

static void put_time(uint8_t *p, int64_t ms)
{
	uint64_t n = GUINT64_TO_LE((uint64_t)ms);

	memcpy(p, &n, TIME_BYTES);
}

static int64_t get_time(const char *p)
{
	uint64_t n = 0;

	memcpy(&n, p, TIME_BYTES);
	return (int64_t)GUINT64_FROM_LE(n);
}

/* A value that does not read back counts as not there: it is asked again, and never becomes clean. */
static void take_verdict(const redisReply *r, int64_t now, struct vtm_cached *out)
{
	if (r->type != REDIS_REPLY_STRING || (size_t)r->len != VERDICT_BYTES)
		return;
	out->stored_ms = get_time(r->str);
	out->expires_ms = get_time(r->str + TIME_BYTES);
	out->found = out->expires_ms > now && vtm_unpack_report(r->str + 2 * TIME_BYTES, VTM_PACKED_REPORT,
								&out->report) &&
		     vtm_verdict_is_answer(out->report.verdict);
}

int vtm_redis_verdicts_get(struct vtm_store *store, const struct vtm_key *keys, size_t n, struct vtm_cached *out,
			   GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	int64_t now = vtm_utc_ms(s->clock);
	struct vtm_redis_command c;
	redisReply *r;
	int found = 0;

	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "MGET");
	for (size_t i = 0; i < n; i++)
		vtm_redis_key_of(s, &c, "v", &keys[i]);
	vtm_redis_command_end(&c);
	r = vtm_redis_one(s, &c, error);
	if (!r)
		return -1;
	if (r->type == REDIS_REPLY_ARRAY && r->elements == n)
		for (size_t i = 0; i < n; i++) {
			take_verdict(r->element[i], now, &out[i]);
			found += out[i].found;
		}
	else
		found = vtm_redis_nonsense(s, error);
	freeReplyObject(r);
	return found;
}

int vtm_redis_verdict_put(struct vtm_store *store, const struct vtm_lookup *l, const struct vtm_report *r,
			  int64_t expires_ms, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	int64_t now = vtm_utc_ms(s->clock);
	uint8_t value[VERDICT_BYTES];
	struct vtm_redis_command c;

	put_time(value, now);
	put_time(value + TIME_BYTES, expires_ms);
	vtm_pack_report(r, value + 2 * TIME_BYTES);
	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, expires_ms > now ? "SET" : "DEL");
	vtm_redis_key_of(s, &c, "v", &l->key);
	if (expires_ms > now) {
		vtm_redis_command_bytes(&c, value, sizeof(value));
		vtm_redis_command_text(&c, "PX");
		vtm_redis_command_int(&c, expires_ms - now);
	}
	vtm_redis_command_end(&c);
	return vtm_redis_do(s, &c, error);
}

int vtm_redis_verdict_forget(struct vtm_store *store, const struct vtm_key *key, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;
	int64_t n;

	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "DEL");
	vtm_redis_key_of(s, &c, "v", key);
	vtm_redis_command_end(&c);
	return vtm_redis_ask_number(s, &c, &n, error) < 0 ? -1 : n > 0;
}

/* The keys of verdicts that one step of SCAN finds.  "0" in <cursor> at the end. */
static redisReply *scan(struct vtm_redis *s, const char *cursor, GError **error)
{
	struct vtm_redis_command c;
	GString *pattern = g_string_new("");
	redisReply *r;

	for (const char *p = s->prefix; *p; p++) {
		if (strchr("*?[]\\", *p))
			g_string_append_c(pattern, '\\');
		g_string_append_c(pattern, *p);
	}
	g_string_append(pattern, "v*");
	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "SCAN");
	vtm_redis_command_text(&c, cursor);
	vtm_redis_command_text(&c, "MATCH");
	vtm_redis_command_text(&c, pattern->str);
	vtm_redis_command_text(&c, "COUNT");
	vtm_redis_command_int(&c, SCAN_COUNT);
	vtm_redis_command_end(&c);
	g_string_free(pattern, TRUE);
	r = vtm_redis_one(s, &c, error);
	if (r && (r->type != REDIS_REPLY_ARRAY || r->elements != 2 || !vtm_redis_is_bytes(r->element[0]) ||
		  r->element[1]->type != REDIS_REPLY_ARRAY)) {
		freeReplyObject(r);
		vtm_redis_nonsense(s, error);
		r = NULL;
	}
	return r;
}

/* Those of <names> that are keys of verdicts. */
static GArray *keys_of(const struct vtm_redis *s, const redisReply *names)
{
	GArray *keys = g_array_new(FALSE, FALSE, sizeof(struct vtm_key));
	size_t skip = strlen(s->prefix) + 1;

	for (size_t i = 0; i < names->elements && keys->len < VTM_STORE_BATCH; i++) {
		const redisReply *r = names->element[i];
		struct vtm_key key;

		if (vtm_redis_is_bytes(r) && (size_t)r->len > skip &&
		    vtm_unpack_key(r->str + skip, (size_t)r->len - skip, &key))
			g_array_append_val(keys, key);
	}
	return keys;
}

static int each_of(struct vtm_store *store, const GArray *keys, vtm_verdict_each *each, void *arg, GError **error)
{
	struct vtm_cached *out = g_new0(struct vtm_cached, keys->len + 1);
	const struct vtm_key *list = (const struct vtm_key *)(const void *)keys->data;
	int n = keys->len ? vtm_redis_verdicts_get(store, list, keys->len, out, error) : 0;

	for (guint i = 0; n > 0 && i < keys->len; i++)
		if (out[i].found)
			each(&list[i], &out[i], arg);
	g_free(out);
	return n;
}

int vtm_redis_verdicts_each(struct vtm_store *store, vtm_verdict_each *each, void *arg, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	char cursor[24] = "0";
	int n = 0, rc;

	do {
		redisReply *r = scan(s, cursor, error);
		GArray *keys;

		if (!r)
			return -1;
		g_strlcpy(cursor, r->element[0]->str, sizeof(cursor));
		keys = keys_of(s, r->element[1]);
		rc = each_of(store, keys, each, arg, error);
		n += MAX(rc, 0);
		g_array_unref(keys);
		freeReplyObject(r);
	} while (rc >= 0 && strcmp(cursor, "0"));
	return rc < 0 ? -1 : n;
}

/* Redis does. */
int vtm_redis_verdicts_expire(struct vtm_store *store, unsigned max, GError **error)
{
	(void)store;
	(void)max;
	(void)error;
	return 0;
}
