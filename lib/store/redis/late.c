/* SPDX-License-Identifier: BSD-2-Clause */
/* late.c - late verdicts in Redis that wait for their command. */
#include <string.h>

#include "base/error.h"
#include "store/redis/redis.h"

static void late_keys(struct vtm_redis *s, struct vtm_redis_command *c)
{
	vtm_redis_key(s, c, "l", NULL, 0);
	vtm_redis_key(s, c, "ls", NULL, 0);
	vtm_redis_key(s, c, "lz:", s->host, strlen(s->host));
}

static int too_many_late(struct vtm_redis *s, GError **error)
{
	g_set_error(error, VTM_ERROR, VTM_ERROR_LIMIT, "%s: %d late verdicts are waiting already", s->uri.shown,
		    VTM_STORE_LATE_MAX);
	return -1;
}

/* Inside a callback of vtm_store_journal_answer(): kept until the message is turned for good. */
static int late_keep(struct vtm_redis *s, const char *json, GError **error)
{
	struct vtm_redis_command c;
	int64_t waiting;

	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "HLEN");
	vtm_redis_key(s, &c, "l", NULL, 0);
	vtm_redis_command_end(&c);
	if (vtm_redis_ask_number(s, &c, &waiting, error) < 0)
		return -1;
	if (waiting + s->late->len >= VTM_STORE_LATE_MAX)
		return too_many_late(s, error);
	g_ptr_array_add(s->late, g_strdup(json));
	return 0;
}

int vtm_redis_late_add(struct vtm_store *store, const char *json, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;
	int64_t added;

	if (s->late)
		return late_keep(s, json, error);
	vtm_redis_begin(s, &c);
	vtm_redis_script(s, &c, SCRIPT_LATE, 3);
	late_keys(s, &c);
	vtm_redis_command_text(&c, "add");
	vtm_redis_command_int(&c, VTM_STORE_LATE_MAX);
	vtm_redis_command_text(&c, json);
	vtm_redis_command_end(&c);
	if (vtm_redis_ask_number(s, &c, &added, error) < 0)
		return -1;
	return added ? 0 : too_many_late(s, error);
}

/* "attempts not_before json" */
static bool late_of(const redisReply *r, struct vtm_late *l)
{
	char *end;

	if (!vtm_redis_is_bytes(r))
		return false;
	l->attempts = (int)g_ascii_strtoll(r->str, &end, 10);
	if (*end != ' ')
		return false;
	l->not_before_ms = g_ascii_strtoll(end + 1, &end, 10);
	if (*end != ' ')
		return false;
	l->json = end + 1;
	return true;
}

static int late_one(struct vtm_redis *s, int64_t id, vtm_late_each *each, void *arg, GError **error)
{
	struct vtm_late l = { .id = id };
	struct vtm_redis_command c;
	redisReply *r;
	bool good;

	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "HGET");
	vtm_redis_key(s, &c, "l", NULL, 0);
	vtm_redis_command_int(&c, id);
	vtm_redis_command_end(&c);
	r = vtm_redis_one(s, &c, error);
	if (!r)
		return -1;
	good = late_of(r, &l);
	if (good)
		each(&l, arg);
	freeReplyObject(r);
	return good;
}

static gint by_number(gconstpointer a, gconstpointer b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Ids of this host's that are due, the oldest first. */
static GArray *late_ids(struct vtm_redis *s, GError **error)
{
	struct vtm_redis_command c;
	GArray *ids;
	redisReply *r;

	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "ZRANGEBYSCORE");
	vtm_redis_key(s, &c, "lz:", s->host, strlen(s->host));
	vtm_redis_command_text(&c, "-inf");
	vtm_redis_command_int(&c, vtm_utc_ms(s->clock));
	vtm_redis_command_end(&c);
	r = vtm_redis_one(s, &c, error);
	if (!r)
		return NULL;
	ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	for (size_t i = 0; r->type == REDIS_REPLY_ARRAY && i < r->elements; i++) {
		int64_t id = vtm_redis_number(r->element[i]);

		g_array_append_val(ids, id);
	}
	freeReplyObject(r);
	g_array_sort(ids, by_number);
	return ids;
}

int vtm_redis_late_due(struct vtm_store *store, unsigned max, vtm_late_each *each, void *arg, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	GArray *ids = late_ids(s, error);
	int n = ids ? 0 : -1;

	for (guint i = 0; n >= 0 && i < ids->len && (unsigned)n < max; i++) {
		int rc = late_one(s, g_array_index(ids, int64_t, i), each, arg, error);

		n = rc < 0 ? -1 : n + rc;
	}
	g_clear_pointer(&ids, g_array_unref);
	return n;
}

int vtm_redis_late_done(struct vtm_store *store, int64_t id, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;

	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "HDEL");
	vtm_redis_key(s, &c, "l", NULL, 0);
	vtm_redis_command_int(&c, id);
	vtm_redis_command_end(&c);
	vtm_redis_command_begin(&c, "ZREM");
	vtm_redis_key(s, &c, "lz:", s->host, strlen(s->host));
	vtm_redis_command_int(&c, id);
	vtm_redis_command_end(&c);
	return vtm_redis_do(s, &c, error);
}

int vtm_redis_late_retry(struct vtm_store *store, int64_t id, int64_t not_before_ms, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;

	vtm_redis_begin(s, &c);
	vtm_redis_script(s, &c, SCRIPT_LATE, 3);
	late_keys(s, &c);
	vtm_redis_command_text(&c, "retry");
	vtm_redis_command_int(&c, id);
	vtm_redis_command_int(&c, not_before_ms);
	vtm_redis_command_end(&c);
	return vtm_redis_do(s, &c, error);
}
