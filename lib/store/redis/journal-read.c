/* SPDX-License-Identifier: BSD-2-Clause */
/* journal-read.c - reads messages of the journal in Redis: one by one, lists, by id. */
#include "store/redis/journal.h"

#include <string.h>

#define ID_DIGITS 16

/* ---- reading ---- */

static void clear_item(gpointer p)
{
	vtm_item_free(((struct vtm_journal_item *)p)->item);
}

void vtm_redis_record_clear(struct vtm_redis_record *rec)
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

	if (n < 0 || (guint)n >= items->len || (size_t)value->len != VTM_REDIS_ANSWER_BYTES)
		return;
	j = &g_array_index(items, struct vtm_journal_item, n);
	if (!j->item || !vtm_unpack_report(value->str, VTM_PACKED_REPORT, &j->item->report))
		return;
	memcpy(&ms, value->str + VTM_PACKED_REPORT, sizeof(ms));
	j->answered_ms = (int64_t)GUINT64_FROM_LE(ms);
}

/* Numbers stay what they are in Redis: an item that does not read back leaves its place empty until here. */
GArray *vtm_redis_without_gaps(GArray *items)
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
int vtm_redis_record_of(const redisReply *r, int64_t id, struct vtm_redis_record *rec)
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
		vtm_redis_record_clear(rec);
	return found;
}

void vtm_redis_id_text(int64_t id, char text[24])
{
	g_snprintf(text, 24, "%0*" G_GINT64_FORMAT, ID_DIGITS, id);
}

/* The answers to HGETALL of <n> messages. */
GPtrArray *vtm_redis_read_messages(struct vtm_redis *s, const int64_t *ids, guint n, GError **error)
{
	struct vtm_redis_command c;

	vtm_redis_begin(s, &c);
	for (guint i = 0; i < n; i++) {
		char id[24];

		vtm_redis_id_text(ids[i], id);
		vtm_redis_command_begin(&c, "HGETALL");
		vtm_redis_key(s, &c, "j", id, strlen(id));
		vtm_redis_command_end(&c);
	}
	return vtm_redis_run(s, &c, error);
}

/* Of int64_t, from an array of ids; NULL on error.  Takes <c>. */
GArray *vtm_redis_ids_of(struct vtm_redis *s, struct vtm_redis_command *c, GError **error)
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
	GPtrArray *replies = vtm_redis_read_messages(s, ids, n, error);
	unsigned handed = 0;

	if (!replies)
		return -1;
	for (guint i = 0; i < n && handed < h->max; i++) {
		struct vtm_redis_record rec;

		if (!vtm_redis_record_of(replies->pdata[i], ids[i], &rec))
			continue;
		rec.items = vtm_redis_without_gaps(rec.items);
		if (!h->tags || rec.m.tags & h->tags) {
			h->each(&rec.m, (const struct vtm_journal_item *)(void *)rec.items->data, rec.items->len,
				h->arg);
			handed++;
		}
		vtm_redis_record_clear(&rec);
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
	vtm_redis_command_int(&c, VTM_REDIS_CHUNK);
	vtm_redis_command_end(&c);
	return vtm_redis_ids_of(s, &c, error);
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
	} while (got == VTM_REDIS_CHUNK && h.max);
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
	const struct vtm_redis_record *x = a, *y = b;

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
	struct vtm_redis_record rec = { .m = { .id = m->id, .time_ms = m->time_ms } };

	(void)items;
	(void)n;
	g_array_append_val((GArray *)arg, rec);
}

/* Sorted by time, as far as they are there. */
static int sort_ids(struct vtm_redis *s, GArray *ids, GError **error)
{
	GArray *records = g_array_new(FALSE, FALSE, sizeof(struct vtm_redis_record));
	struct handing h = { keep_record, records, 0, G_MAXUINT };
	int rc = 0;

	for (guint i = 0; rc >= 0 && i < ids->len; i += VTM_REDIS_CHUNK)
		rc = hand_out(s, &g_array_index(ids, int64_t, i), MIN(VTM_REDIS_CHUNK, ids->len - i), &h, error);
	g_array_sort(records, newer_first);
	g_array_set_size(ids, 0);
	for (guint i = 0; i < MIN(records->len, VTM_STORE_FIND_MAX); i++)
		g_array_append_val(ids, g_array_index(records, struct vtm_redis_record, i).m.id);
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
