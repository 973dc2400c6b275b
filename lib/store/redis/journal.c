/* SPDX-License-Identifier: BSD-2-Clause */
/* store-redis-journal.c - the journal in Redis: a hash a message, indices beside it.
 *
 * A message changes by script_turn only, which compares the count of changes first; so two hosts whose answers concern
 * one message never undo each other: the slower one reads it again.
 */
#include <string.h>

#include "base/error.h"
#include "store/codec.h"
#include "store/redis/redis.h"

#define CHUNK 100		/* messages a round trip */
#define TURN_TRIES 10		/* until another host lets us */
#define ID_DIGITS 16
#define ANSWER_BYTES (VTM_PACKED_REPORT + 8)

/* A message as it is read. */
struct record {
	struct vtm_journal_message m;
	GArray *items;		/* of struct vtm_journal_item */
	int64_t changes;
};

static void pack_answer(const struct vtm_report *r, int64_t answered_ms, uint8_t out[ANSWER_BYTES])
{
	uint64_t n = GUINT64_TO_LE((uint64_t)answered_ms);

	vtm_pack_report(r, out);
	memcpy(out + VTM_PACKED_REPORT, &n, sizeof(n));
}

/* ---- adding ---- */

/* The keys that items wait for, each once, with how; values are GINT_TO_POINTER. */
static GHashTable *waits_of(const struct vtm_journal_item *items, size_t n)
{
	GHashTable *waits = g_hash_table_new(vtm_key_hash, vtm_key_equal);

	for (size_t i = 0; i < n; i++) {
		int open = vtm_journal_open(&items[i]);
		struct vtm_key key = items[i].key;

		if (open > GPOINTER_TO_INT(g_hash_table_lookup(waits, &key)))
			g_hash_table_insert(waits, (gpointer)(guintptr)&items[i].key, GINT_TO_POINTER(open));
	}
	return waits;
}

static void add_keys(struct vtm_redis *s, struct vtm_redis_command *c, const struct vtm_journal_message *m,
		     GHashTable *waits)
{
	unsigned indices = (m->queue_id ? 1 : 0) + (m->message_id ? 1 : 0);
	GHashTableIter iter;
	gpointer key;

	vtm_redis_script(s, c, SCRIPT_ADD, 2 + indices + g_hash_table_size(waits));
	vtm_redis_key(s, c, "js", NULL, 0);
	vtm_redis_key(s, c, "jt", NULL, 0);
	if (m->queue_id)
		vtm_redis_key(s, c, "jq:", m->queue_id, strlen(m->queue_id));
	if (m->message_id)
		vtm_redis_key(s, c, "jm:", m->message_id, strlen(m->message_id));
	g_hash_table_iter_init(&iter, waits);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		vtm_redis_key_of(s, c, "jw", key);
}

static void add_bytes(struct vtm_redis_command *c, GBytes *bytes)
{
	gsize len;
	const void *data = g_bytes_get_data(bytes, &len);

	vtm_redis_command_bytes(c, data, len);
	g_bytes_unref(bytes);
}

static void add_values(struct vtm_redis *s, struct vtm_redis_command *c, const struct vtm_journal_message *m,
		       const struct vtm_journal_item *items, size_t n, GHashTable *waits)
{
	struct vtm_journal_message ours = *m;
	GHashTableIter iter;
	gpointer open;

	if (!ours.host)
		ours.host = s->host;
	vtm_redis_key(s, c, "j", NULL, 0);
	vtm_redis_command_int(c, m->time_ms);
	vtm_redis_command_int(c, m->tags);
	vtm_redis_command_int(c, m->done_ms);
	add_bytes(c, vtm_pack_message(&ours));
	vtm_redis_command_int(c, (m->queue_id ? 1 : 0) + (m->message_id ? 1 : 0));
	vtm_redis_command_int(c, (int64_t)n);
	for (size_t i = 0; i < n; i++) {
		uint8_t answer[ANSWER_BYTES];

		add_bytes(c, vtm_pack_item(&items[i]));
		pack_answer(&items[i].item->report, items[i].answered_ms, answer);
		vtm_redis_command_bytes(c, answer, sizeof(answer));
	}
	g_hash_table_iter_init(&iter, waits);
	while (g_hash_table_iter_next(&iter, NULL, &open))
		vtm_redis_command_int(c, GPOINTER_TO_INT(open));
}

int vtm_redis_journal_add(struct vtm_store *store, struct vtm_journal_message *m, const struct vtm_journal_item *items,
			  size_t n, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	GHashTable *waits = waits_of(items, n);
	struct vtm_redis_command c;
	redisReply *r;
	int64_t id;

	vtm_redis_begin(s, &c);
	add_keys(s, &c, m, waits);
	add_values(s, &c, m, items, n, waits);
	vtm_redis_command_end(&c);
	g_hash_table_destroy(waits);
	r = vtm_redis_one(s, &c, error);
	if (!r)
		return -1;
	id = vtm_redis_number(r);
	freeReplyObject(r);
	if (id <= 0)
		return vtm_redis_nonsense(s, error);
	m->id = id;
	if (!m->host)
		m->host = g_strdup(s->host);
	return 0;
}

/* ---- reading ---- */

static void clear_item(gpointer p)
{
	vtm_item_free(((struct vtm_journal_item *)p)->item);
}

static void record_clear(struct record *rec)
{
	vtm_journal_message_clear(&rec->m);
	g_clear_pointer(&rec->items, g_array_unref);
}

/* The number in "i7" or "r7"; -1 if it is none. */
static int item_number(const redisReply *field)
{
	guint64 n;

	if (!g_ascii_string_to_unsigned(field->str + 1, 10, 0, VTM_STORE_ITEMS_MAX - 1, &n, NULL))
		return -1;
	return (int)n;
}

static void take_item_field(GArray *items, const redisReply *field, const redisReply *value)
{
	int n = item_number(field);
	struct vtm_journal_item *j;

	if (n < 0)
		return;
	if ((guint)n >= items->len)
		g_array_set_size(items, (guint)n + 1);
	j = &g_array_index(items, struct vtm_journal_item, n);
	if (!j->item && !vtm_unpack_item(value->str, (size_t)value->len, j))
		j->item = NULL;
}

/* After all items are there. */
static void take_answer_field(GArray *items, const redisReply *field, const redisReply *value)
{
	int n = item_number(field);
	struct vtm_journal_item *j;
	uint64_t ms;

	if (n < 0 || (guint)n >= items->len || (size_t)value->len != ANSWER_BYTES)
		return;
	j = &g_array_index(items, struct vtm_journal_item, n);
	if (!j->item || !vtm_unpack_report(value->str, VTM_PACKED_REPORT, &j->item->report))
		return;
	memcpy(&ms, value->str + VTM_PACKED_REPORT, sizeof(ms));
	j->answered_ms = (int64_t)GUINT64_FROM_LE(ms);
}

/* Numbers stay what they are in Redis: an item that does not read back leaves its place empty until here. */
static GArray *without_gaps(GArray *items)
{
	GArray *whole = g_array_new(FALSE, TRUE, sizeof(struct vtm_journal_item));

	for (guint i = 0; i < items->len; i++)
		if (g_array_index(items, struct vtm_journal_item, i).item)
			g_array_append_val(whole, g_array_index(items, struct vtm_journal_item, i));
	g_array_set_clear_func(whole, clear_item);
	g_array_set_clear_func(items, NULL);
	g_array_unref(items);
	return whole;
}

/* Fills *rec, its items still with gaps, from the answer to HGETALL. 1 read, 0 not there or not readable. */
static int record_of(const redisReply *r, int64_t id, struct record *rec)
{
	bool found = false;
	int64_t tags = 0, done = 0, changes = 0;

	memset(rec, 0, sizeof(*rec));
	if (r->type != REDIS_REPLY_ARRAY)
		return 0;
	rec->items = g_array_new(FALSE, TRUE, sizeof(struct vtm_journal_item));
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i + 1 < r->elements; i += 2) {
			const redisReply *field = r->element[i], *value = r->element[i + 1];

			if (!vtm_redis_is_bytes(field) || !vtm_redis_is_bytes(value))
				continue;
			if (pass == 1 && field->str[0] == 'r')
				take_answer_field(rec->items, field, value);
			if (pass == 1)
				continue;
			if (field->str[0] == 'i')
				take_item_field(rec->items, field, value);
			else if (!strcmp(field->str, "m") && !found)
				found = vtm_unpack_message(value->str, (size_t)value->len, &rec->m);
			else if (!strcmp(field->str, "t"))
				tags = vtm_redis_number(value);
			else if (!strcmp(field->str, "d"))
				done = vtm_redis_number(value);
			else if (!strcmp(field->str, "c"))
				changes = vtm_redis_number(value);
		}
	rec->m.id = id;
	rec->m.tags = (uint32_t)tags;
	rec->m.done_ms = done;
	rec->changes = changes;
	g_array_set_clear_func(rec->items, clear_item);
	if (!found)
		record_clear(rec);
	return found;
}

static void id_text(int64_t id, char text[24])
{
	g_snprintf(text, 24, "%0*" G_GINT64_FORMAT, ID_DIGITS, id);
}

/* The answers to HGETALL of <n> messages. */
static GPtrArray *read_messages(struct vtm_redis *s, const int64_t *ids, guint n, GError **error)
{
	struct vtm_redis_command c;

	vtm_redis_begin(s, &c);
	for (guint i = 0; i < n; i++) {
		char id[24];

		id_text(ids[i], id);
		vtm_redis_command_begin(&c, "HGETALL");
		vtm_redis_key(s, &c, "j", id, strlen(id));
		vtm_redis_command_end(&c);
	}
	return vtm_redis_run(s, &c, error);
}

/* Of int64_t, from an array of ids; NULL on error.  Takes <c>. */
static GArray *ids_of(struct vtm_redis *s, struct vtm_redis_command *c, GError **error)
{
	redisReply *r = vtm_redis_one(s, c, error);
	GArray *ids = NULL;

	if (!r)
		return NULL;
	if (r->type == REDIS_REPLY_ARRAY) {
		ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
		for (size_t i = 0; i < r->elements; i++) {
			int64_t id = vtm_redis_number(r->element[i]);

			if (id > 0)
				g_array_append_val(ids, id);
		}
	} else {
		vtm_redis_nonsense(s, error);
	}
	freeReplyObject(r);
	return ids;
}

struct handing { vtm_journal_each *each; void *arg; uint32_t tags; unsigned max; };

/* Hands out the messages of <ids>; returns how many or -1. */
static int hand_out(struct vtm_redis *s, const int64_t *ids, guint n, const struct handing *h, GError **error)
{
	GPtrArray *replies = read_messages(s, ids, n, error);
	unsigned handed = 0;

	if (!replies)
		return -1;
	for (guint i = 0; i < n && handed < h->max; i++) {
		struct record rec;

		if (!record_of(replies->pdata[i], ids[i], &rec))
			continue;
		rec.items = without_gaps(rec.items);
		if (!h->tags || rec.m.tags & h->tags) {
			h->each(&rec.m, (const struct vtm_journal_item *)(void *)rec.items->data, rec.items->len,
				h->arg);
			handed++;
		}
		record_clear(&rec);
	}
	g_ptr_array_unref(replies);
	return (int)handed;
}

/* One part of the list, newest first, from <skip> on. */
static GArray *list_ids(struct vtm_redis *s, const struct vtm_journal_filter *f, unsigned skip, GError **error)
{
	struct vtm_redis_command c;

	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "ZREVRANGEBYSCORE");
	vtm_redis_key(s, &c, "jt", NULL, 0);
	if (f->until_ms)
		vtm_redis_command_int(&c, f->until_ms);
	else
		vtm_redis_command_text(&c, "+inf");
	if (f->since_ms)
		vtm_redis_command_int(&c, f->since_ms);
	else
		vtm_redis_command_text(&c, "-inf");
	vtm_redis_command_text(&c, "LIMIT");
	vtm_redis_command_int(&c, skip);
	vtm_redis_command_int(&c, CHUNK);
	vtm_redis_command_end(&c);
	return ids_of(s, &c, error);
}

int vtm_redis_journal_list(struct vtm_store *store, const struct vtm_journal_filter *f, vtm_journal_each *each,
			   void *arg,
			   GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct handing h = { each, arg, f->tags, f->max };
	unsigned skip = 0;
	guint got;

	do {
		GArray *ids = list_ids(s, f, skip, error);
		int n;

		if (!ids)
			return -1;
		got = ids->len;
		n = got ? hand_out(s, (const int64_t *)(void *)ids->data, got, &h, error) : 0;
		g_array_unref(ids);
		if (n < 0)
			return -1;
		h.max -= (unsigned)n;
		skip += got;
	} while (got == CHUNK && h.max);
	return (int)(f->max - h.max);
}

/* ---- finding ---- */

static void add_members(struct vtm_redis *s, struct vtm_redis_command *c, const char *name, const char *id)
{
	vtm_redis_command_begin(c, "SMEMBERS");
	vtm_redis_key(s, c, name, id, strlen(id));
	vtm_redis_command_end(c);
}

/* By time, newest first; equal times by number. */
static gint newer_first(gconstpointer a, gconstpointer b)
{
	const struct record *x = a, *y = b;

	if (x->m.time_ms != y->m.time_ms)
		return x->m.time_ms > y->m.time_ms ? -1 : 1;
	return x->m.id > y->m.id ? -1 : x->m.id < y->m.id;
}

static GArray *find_ids(struct vtm_redis *s, const char *id, GError **error)
{
	char *bracketed = id[0] == '<' ? g_strdup(id) : g_strdup_printf("<%s>", id);
	struct vtm_redis_command c;
	GPtrArray *replies;
	GArray *ids;
	GHashTable *seen;

	vtm_redis_begin(s, &c);
	add_members(s, &c, "jq:", id);
	add_members(s, &c, "jm:", id);
	add_members(s, &c, "jm:", bracketed);
	g_free(bracketed);
	replies = vtm_redis_run(s, &c, error);
	if (!replies)
		return NULL;
	ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	for (guint i = 0; i < replies->len; i++) {
		const redisReply *r = replies->pdata[i];

		for (size_t j = 0; r->type == REDIS_REPLY_ARRAY && j < r->elements &&
		     ids->len < VTM_STORE_LIST_MAX; j++) {
			int64_t number = vtm_redis_number(r->element[j]);

			if (number > 0 && g_hash_table_add(seen, g_memdup2(&number, sizeof(number))))
				g_array_append_val(ids, number);
		}
	}
	g_hash_table_destroy(seen);
	g_ptr_array_unref(replies);
	return ids;
}

static void keep_record(const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n, void *arg)
{
	struct record rec = { .m = { .id = m->id, .time_ms = m->time_ms } };

	(void)items;
	(void)n;
	g_array_append_val((GArray *)arg, rec);
}

/* Sorted by time, as far as they are there. */
static int sort_ids(struct vtm_redis *s, GArray *ids, GError **error)
{
	GArray *records = g_array_new(FALSE, FALSE, sizeof(struct record));
	struct handing h = { keep_record, records, 0, G_MAXUINT };
	int rc = 0;

	for (guint i = 0; rc >= 0 && i < ids->len; i += CHUNK)
		rc = hand_out(s, &g_array_index(ids, int64_t, i), MIN(CHUNK, ids->len - i), &h, error);
	g_array_sort(records, newer_first);
	g_array_set_size(ids, 0);
	for (guint i = 0; i < MIN(records->len, VTM_STORE_FIND_MAX); i++)
		g_array_append_val(ids, g_array_index(records, struct record, i).m.id);
	g_array_unref(records);
	return rc < 0 ? -1 : 0;
}

int vtm_redis_journal_find(struct vtm_store *store, const char *id, vtm_journal_each *each, void *arg, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct handing h = { each, arg, 0, VTM_STORE_FIND_MAX };
	GArray *ids = find_ids(s, id, error);
	int n = ids ? sort_ids(s, ids, error) : -1;

	if (n == 0 && ids->len)
		n = hand_out(s, (const int64_t *)(void *)ids->data, ids->len, &h, error);
	g_clear_pointer(&ids, g_array_unref);
	return n;
}

/* ---- answers ---- */

/* One answer on its way through the journal. */
struct answer {
	const struct vtm_key *key;
	const struct vtm_report *report;
	uint8_t packed[ANSWER_BYTES];
	int64_t now_ms;
	enum vtm_journal_open from, to;	/* how items must wait at least; how they wait from now on */
	vtm_journal_turned *turned;
	void *arg;
};

/* Gives the answer to the items of <rec> that wait for it; their numbers. */
static GArray *answer_items(struct record *rec, const struct answer *a)
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
static int write_turn(struct vtm_redis *s, const struct record *rec, const struct answer *a, const GArray *numbers,
		      GError **error)
{
	struct vtm_redis_command c;
	redisReply *r;
	char id[24];
	int rc;

	id_text(rec->m.id, id);
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

	id_text(id, text);
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
static int turn(struct vtm_redis *s, struct record *rec, const struct answer *a, GError **error)
{
	GArray *numbers = answer_items(rec, a), *whole;
	int rc;

	if (!numbers->len) {
		rc = forget_wait(s, a, rec->m.id, error) < 0 ? -1 : 2;
		g_array_unref(numbers);
		return rc;
	}
	rec->items = whole = without_gaps(rec->items);
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
		struct record rec;

		if (tries) {
			g_clear_pointer(&again, g_ptr_array_unref);
			again = read_messages(s, &id, 1, error);
			if (!again)
				return -1;
			r = again->pdata[0];
		}
		if (record_of(r, id, &rec)) {
			rc = turn(s, &rec, a, error);
			record_clear(&rec);
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
	GPtrArray *replies = read_messages(s, ids, n, error);
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
	return ids_of(s, &c, error);
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

	pack_answer(r, a.now_ms, a.packed);
	ids = waiting_ids(s, &a, error);
	n = ids ? 0 : -1;
	for (guint i = 0; n >= 0 && i < ids->len; i += CHUNK) {
		int rc = answer_chunk(s, &g_array_index(ids, int64_t, i), MIN(CHUNK, ids->len - i), &a, error);

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

/* What points to a message goes before it, its place by time last: what breaks off is done again. */
static void add_drop(struct vtm_redis *s, struct vtm_redis_command *c, const redisReply *r, int64_t number)
{
	struct record rec;
	char id[24];

	id_text(number, id);
	if (record_of(r, number, &rec)) {
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
		record_clear(&rec);
	}
	vtm_redis_command_begin(c, "DEL");
	vtm_redis_key(s, c, "j", id, strlen(id));
	vtm_redis_command_end(c);
	add_remove(s, c, "ZREM", "jt", "", id);
}

static int drop_chunk(struct vtm_redis *s, const int64_t *ids, guint n, GError **error)
{
	GPtrArray *replies = read_messages(s, ids, n, error);
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
	ids = ids_of(s, &c, error);
	if (!ids)
		return -1;
	for (guint i = 0; rc == 0 && i < ids->len; i += CHUNK)
		rc = drop_chunk(s, &g_array_index(ids, int64_t, i), MIN(CHUNK, ids->len - i), error);
	rc = rc < 0 ? -1 : (int)ids->len;
	g_array_unref(ids);
	return rc;
}
