/* SPDX-License-Identifier: BSD-2-Clause */
/* journal-answer.c - passes answers on to messages of the journal in Redis, and deletes old ones. */
#include "store/redis/journal.h"

#include "base/error.h"

#define TURN_TRIES 10		/* until other hosts stop changing a message */

/* ---- answers ---- */

/* One answer on its way through the journal. */
struct answer {
	const struct vtm_key *key;
	const struct vtm_report *report;
	uint8_t packed[VTM_REDIS_ANSWER_BYTES];
	int64_t now_ms;
	enum vtm_journal_open from, to;	/* how items must wait at least; how they wait from now on */
	vtm_journal_turned *turned;
	void *arg;
};

/* Gives the answer to the items of <rec> that wait for it; their numbers. */
static GArray *answer_items(struct vtm_redis_record *rec, const struct answer *a)
{
	GArray *numbers = g_array_new(FALSE, FALSE, sizeof(int));

	for (int i = 0; i < (int)rec->items->len; i++) {
		struct vtm_journal_item *j = &g_array_index(rec->items, struct vtm_journal_item, i);

		if (!j->item || !j->has_key || !vtm_key_equal(&j->key, a->key) || vtm_journal_open(j) < a->from)
			continue;
		j->item->report = *a->report;
		j->answered_ms = a->now_ms;
		g_array_append_val(numbers, i);
	}
	return numbers;
}

/* Writes what came of it: 1 done, 0 another host changed the message meanwhile. */
static int write_turn(struct vtm_redis *s, const struct vtm_redis_record *rec, const struct answer *a, const GArray *numbers,
		      GError **error)
{
	struct vtm_redis_command c;
	redisReply *r;
	char id[24];
	int rc;

	vtm_redis_id_text(rec->m.id, id);
	vtm_redis_begin(s, &c);
	vtm_redis_script(s, &c, SCRIPT_TURN, 5);
	vtm_redis_key(s, &c, "j", id, strlen(id));
	vtm_redis_key_of(s, &c, "jw", a->key);
	vtm_redis_key(s, &c, "l", NULL, 0);
	vtm_redis_key(s, &c, "ls", NULL, 0);
	vtm_redis_key(s, &c, "lz:", s->host, strlen(s->host));
	vtm_redis_command_text(&c, id);
	vtm_redis_command_int(&c, rec->changes);
	vtm_redis_command_int(&c, rec->m.tags);
	vtm_redis_command_int(&c, rec->m.done_ms);
	vtm_redis_command_bytes(&c, a->packed, sizeof(a->packed));
	vtm_redis_command_int(&c, a->to);
	vtm_redis_command_int(&c, s->late->len);
	for (guint i = 0; i < s->late->len; i++)
		vtm_redis_command_text(&c, s->late->pdata[i]);
	for (guint i = 0; i < numbers->len; i++)
		vtm_redis_command_int(&c, g_array_index(numbers, int, i));
	vtm_redis_command_end(&c);
	r = vtm_redis_one(s, &c, error);
	if (!r)
		return -1;
	rc = r->type == REDIS_REPLY_INTEGER ? r->integer == 1 : vtm_redis_nonsense(s, error);
	freeReplyObject(r);
	return rc;
}

/* The message waits for nothing: it was answered by another host or is gone. */
static int forget_wait(struct vtm_redis *s, const struct answer *a, int64_t id, GError **error)
{
	struct vtm_redis_command c;
	redisReply *r;
	char text[24];

	vtm_redis_id_text(id, text);
	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "ZREM");
	vtm_redis_key_of(s, &c, "jw", a->key);
	vtm_redis_command_text(&c, text);
	vtm_redis_command_end(&c);
	r = vtm_redis_one(s, &c, error);
	if (!r)
		return -1;
	freeReplyObject(r);
	return 0;
}

/* Turns one message as just read: 1 done, 0 read it again, 2 nothing waited in it. */
static int turn(struct vtm_redis *s, struct vtm_redis_record *rec, const struct answer *a, GError **error)
{
	GArray *numbers = answer_items(rec, a), *whole;
	int rc;

	if (!numbers->len) {
		rc = forget_wait(s, a, rec->m.id, error) < 0 ? -1 : 2;
		g_array_unref(numbers);
		return rc;
	}
	rec->items = whole = vtm_redis_without_gaps(rec->items);
	s->late = g_ptr_array_new_with_free_func(g_free);
	a->turned(&rec->m, (const struct vtm_journal_item *)(void *)whole->data, whole->len, a->arg);
	rc = write_turn(s, rec, a, numbers, error);
	g_clear_pointer(&s->late, g_ptr_array_unref);
	g_array_unref(numbers);
	return rc;
}

/* 1 turned, 0 not concerned. */
static int answer_message(struct vtm_redis *s, int64_t id, const redisReply *first, const struct answer *a,
			  GError **error)
{
	GPtrArray *again = NULL;
	const redisReply *r = first;
	int rc = 0;

	for (int tries = 0; tries < TURN_TRIES && rc == 0; tries++) {
		struct vtm_redis_record rec;

		if (tries) {
			g_clear_pointer(&again, g_ptr_array_unref);
			again = vtm_redis_read_messages(s, &id, 1, error);
			if (!again)
				return -1;
			r = again->pdata[0];
		}
		if (vtm_redis_record_of(r, id, &rec)) {
			rc = turn(s, &rec, a, error);
			vtm_redis_record_clear(&rec);
		} else {
			rc = forget_wait(s, a, id, error) < 0 ? -1 : 2;
		}
	}
	g_clear_pointer(&again, g_ptr_array_unref);
	if (rc == 0)
		g_set_error(error, VTM_ERROR, VTM_ERROR_BUSY, "%s: other hosts keep changing a message", s->uri.shown);
	return rc == 0 ? -1 : rc == 2 ? 0 : rc;
}

static int answer_chunk(struct vtm_redis *s, const int64_t *ids, guint n, const struct answer *a, GError **error)
{
	GPtrArray *replies = vtm_redis_read_messages(s, ids, n, error);
	int turned = replies ? 0 : -1;

	for (guint i = 0; turned >= 0 && i < n; i++) {
		int rc = answer_message(s, ids[i], replies->pdata[i], a, error);

		turned = rc < 0 ? -1 : turned + rc;
	}
	g_clear_pointer(&replies, g_ptr_array_unref);
	return turned;
}

static GArray *waiting_ids(struct vtm_redis *s, const struct answer *a, GError **error)
{
	struct vtm_redis_command c;

	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "ZREVRANGEBYSCORE");
	vtm_redis_key_of(s, &c, "jw", a->key);
	vtm_redis_command_text(&c, "+inf");
	vtm_redis_command_int(&c, a->from);
	vtm_redis_command_text(&c, "LIMIT");
	vtm_redis_command_int(&c, 0);
	vtm_redis_command_int(&c, VTM_STORE_ANSWER_MAX);
	vtm_redis_command_end(&c);
	return vtm_redis_ids_of(s, &c, error);
}

int vtm_redis_journal_answer(struct vtm_store *store, const struct vtm_key *key, const struct vtm_report *r,
			     vtm_journal_turned *turned, void *arg, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	bool unknown = r->verdict == VTM_UNKNOWN;
	struct answer a = {
		.key = key, .report = r, .now_ms = vtm_utc_ms(s->clock), .turned = turned, .arg = arg,
		.from = unknown ? VTM_OPEN_UNANSWERED : VTM_OPEN_UNKNOWN,
		.to = unknown ? VTM_OPEN_UNKNOWN : VTM_OPEN_FINAL,
	};
	GArray *ids;
	int n;

	vtm_redis_pack_answer(r, a.now_ms, a.packed);
	ids = waiting_ids(s, &a, error);
	n = ids ? 0 : -1;
	for (guint i = 0; n >= 0 && i < ids->len; i += VTM_REDIS_CHUNK) {
		int rc = answer_chunk(s, &g_array_index(ids, int64_t, i), MIN(VTM_REDIS_CHUNK, ids->len - i), &a, error);

		n = rc < 0 ? -1 : n + rc;
	}
	/* some may have been answered by other hosts; more may wait all the same */
	if (n >= 0 && ids->len == VTM_STORE_ANSWER_MAX)
		n = VTM_STORE_ANSWER_MAX;
	g_clear_pointer(&ids, g_array_unref);
	return n;
}

/* ---- expiry ---- */

static void add_remove(struct vtm_redis *s, struct vtm_redis_command *c, const char *command, const char *name,
		       const char *more, const char *id)
{
	vtm_redis_command_begin(c, command);
	vtm_redis_key(s, c, name, more, strlen(more));
	vtm_redis_command_text(c, id);
	vtm_redis_command_end(c);
}

/* Deletes the keys that point to a message before it, its place by time last: after an interruption it is done again.
 * */
static void add_drop(struct vtm_redis *s, struct vtm_redis_command *c, const redisReply *r, int64_t number)
{
	struct vtm_redis_record rec;
	char id[24];

	vtm_redis_id_text(number, id);
	if (vtm_redis_record_of(r, number, &rec)) {
		if (rec.m.queue_id)
			add_remove(s, c, "SREM", "jq:", rec.m.queue_id, id);
		if (rec.m.message_id)
			add_remove(s, c, "SREM", "jm:", rec.m.message_id, id);
		for (guint i = 0; i < rec.items->len; i++) {
			const struct vtm_journal_item *j = &g_array_index(rec.items, struct vtm_journal_item, i);

			if (!j->item || vtm_journal_open(j) == VTM_OPEN_FINAL)
				continue;
			vtm_redis_command_begin(c, "ZREM");
			vtm_redis_key_of(s, c, "jw", &j->key);
			vtm_redis_command_text(c, id);
			vtm_redis_command_end(c);
		}
		vtm_redis_record_clear(&rec);
	}
	vtm_redis_command_begin(c, "DEL");
	vtm_redis_key(s, c, "j", id, strlen(id));
	vtm_redis_command_end(c);
	add_remove(s, c, "ZREM", "jt", "", id);
}

static int drop_chunk(struct vtm_redis *s, const int64_t *ids, guint n, GError **error)
{
	GPtrArray *replies = vtm_redis_read_messages(s, ids, n, error);
	struct vtm_redis_command c;

	if (!replies)
		return -1;
	vtm_redis_begin(s, &c);
	for (guint i = 0; i < n; i++)
		add_drop(s, &c, replies->pdata[i], ids[i]);
	g_ptr_array_unref(replies);
	return vtm_redis_do(s, &c, error);
}

int vtm_redis_journal_expire(struct vtm_store *store, int64_t before_ms, unsigned max, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;
	GArray *ids;
	int rc = 0;

	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "ZRANGEBYSCORE");
	vtm_redis_key(s, &c, "jt", NULL, 0);
	vtm_redis_command_text(&c, "-inf");
	vtm_redis_command_int(&c, before_ms - 1);
	vtm_redis_command_text(&c, "LIMIT");
	vtm_redis_command_int(&c, 0);
	vtm_redis_command_int(&c, MIN(max, VTM_STORE_LIST_MAX));
	vtm_redis_command_end(&c);
	ids = vtm_redis_ids_of(s, &c, error);
	if (!ids)
		return -1;
	for (guint i = 0; rc == 0 && i < ids->len; i += VTM_REDIS_CHUNK)
		rc = drop_chunk(s, &g_array_index(ids, int64_t, i), MIN(VTM_REDIS_CHUNK, ids->len - i), error);
	rc = rc < 0 ? -1 : (int)ids->len;
	g_array_unref(ids);
	return rc;
}
