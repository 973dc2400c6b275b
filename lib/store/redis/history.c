/* SPDX-License-Identifier: BSD-2-Clause */
/* history.c - what was seen before, in Redis: many small hashes, which Redis keeps compact, and the order of days. */
#include <stdlib.h>
#include <string.h>

#include "store/redis/redis.h"

#define ID_DIGITS 15		/* of an id in hex */
#define BUCKET_DIGITS 3		/* the first of them name the hash */
#define BUCKETS 4096
#define VALUE_MAX (2 + VTM_HISTORY_PACKED)	/* the day it was last seen, then the record */
#define ROUNDS 3		/* tries while other hosts change the same records */
#define SCRIPT_ROWS 128		/* records that one script changes */
#define PAGE 64			/* hashes read a round trip */

/* A record under change. */
struct slot {
	struct vtm_history_key key;
	struct vtm_history h;
	uint8_t old[VALUE_MAX];
	size_t old_len;		/* 0: not there */
};

static void hex_of(const struct vtm_history_key *key, char hex[ID_DIGITS + 2])
{
	g_snprintf(hex, ID_DIGITS + 2, "%015" G_GINT64_MODIFIER "x", key->id);
}

static void bucket_key(struct vtm_redis *s, struct vtm_redis_command *c, unsigned kind, const char *bucket)
{
	char name[3] = { 'h', (char)('0' + kind), '\0' };

	vtm_redis_key(s, c, name, bucket, BUCKET_DIGITS);
}

static void order_key(struct vtm_redis *s, struct vtm_redis_command *c, unsigned kind)
{
	char digit = (char)('0' + kind);

	vtm_redis_key(s, c, "hz", &digit, 1);
}

static bool take_value(const redisReply *r, struct vtm_history *h)
{
	const uint8_t *p = (const uint8_t *)r->str;

	if (r->type != REDIS_REPLY_STRING || r->len < 2) {
		memset(h, 0, sizeof(*h));
		return false;
	}
	return vtm_history_unpack(p + 2, (size_t)r->len - 2, (uint16_t)(p[0] | p[1] << 8), h);
}

static size_t value_of(const struct vtm_history *h, uint8_t out[VALUE_MAX])
{
	out[0] = (uint8_t)h->last_day;
	out[1] = (uint8_t)(h->last_day >> 8);
	return 2 + vtm_history_pack(h, out + 2);
}

static void add_get(struct vtm_redis *s, struct vtm_redis_command *c, const struct vtm_history_key *key)
{
	char hex[ID_DIGITS + 2];

	hex_of(key, hex);
	vtm_redis_command_begin(c, "HGET");
	bucket_key(s, c, key->kind, hex);
	vtm_redis_command_bytes(c, hex, ID_DIGITS);
	vtm_redis_command_end(c);
}

int vtm_redis_history_get(struct vtm_store *store, const struct vtm_history_key *keys, size_t n,
			  struct vtm_history *out, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;
	GPtrArray *replies;
	int found = 0;

	vtm_redis_begin(s, &c);
	for (size_t i = 0; i < n; i++)
		add_get(s, &c, &keys[i]);
	replies = vtm_redis_run(s, &c, error);
	if (!replies)
		return -1;
	for (size_t i = 0; i < n; i++)
		found += take_value(replies->pdata[i], &out[i]);
	g_ptr_array_unref(replies);
	return found;
}

/* ---- changes: read, change, write what nobody else changed meanwhile ---- */

static guint hash_key(gconstpointer p)
{
	const struct vtm_history_key *key = p;

	return (guint)key->id ^ (guint)key->kind << 30;
}

static gboolean equal_key(gconstpointer a, gconstpointer b)
{
	const struct vtm_history_key *x = a, *y = b;

	return x->kind == y->kind && x->id == y->id;
}

static int read_slots(struct vtm_redis *s, struct slot *slots, guint n, GError **error)
{
	struct vtm_redis_command c;
	GPtrArray *replies;

	vtm_redis_begin(s, &c);
	for (guint i = 0; i < n; i++)
		add_get(s, &c, &slots[i].key);
	replies = vtm_redis_run(s, &c, error);
	if (!replies)
		return -1;
	for (guint i = 0; i < n; i++) {
		const redisReply *r = replies->pdata[i];

		take_value(r, &slots[i].h);
		slots[i].old_len = r->type == REDIS_REPLY_STRING ? (size_t)r->len : 0;
		if (slots[i].old_len > VALUE_MAX)
			slots[i].old_len = 0;	/* not ours: the script will not find it equal */
		memcpy(slots[i].old, r->str ? r->str : "", slots[i].old_len);
	}
	g_ptr_array_unref(replies);
	return 0;
}

static void add_write(struct vtm_redis *s, struct vtm_redis_command *c, const struct slot *slots, guint n)
{
	vtm_redis_script(s, c, SCRIPT_HISTORY, 2 * n);
	for (guint i = 0; i < n; i++) {
		char hex[ID_DIGITS + 2];

		hex_of(&slots[i].key, hex);
		bucket_key(s, c, slots[i].key.kind, hex);
		order_key(s, c, slots[i].key.kind);
	}
	for (guint i = 0; i < n; i++) {
		uint8_t value[VALUE_MAX];
		size_t len = value_of(&slots[i].h, value);
		char hex[ID_DIGITS + 2];

		hex_of(&slots[i].key, hex);
		vtm_redis_command_bytes(c, hex, ID_DIGITS);
		vtm_redis_command_bytes(c, slots[i].old, slots[i].old_len);
		vtm_redis_command_bytes(c, value, len);
		vtm_redis_command_int(c, slots[i].h.last_day);
	}
	vtm_redis_command_end(c);
}

/* Writes the slots; wrote[i] tells which.  Returns how many are new. */
static int write_slots(struct vtm_redis *s, const struct slot *slots, guint n, bool *wrote, GError **error)
{
	struct vtm_redis_command c;
	GPtrArray *replies;
	int added = 0;

	vtm_redis_begin(s, &c);
	for (guint i = 0; i < n; i += SCRIPT_ROWS)
		add_write(s, &c, slots + i, MIN(SCRIPT_ROWS, n - i));
	replies = vtm_redis_run(s, &c, error);
	if (!replies)
		return -1;
	for (guint i = 0; i < n && added >= 0; i++) {
		const redisReply *r = replies->pdata[i / SCRIPT_ROWS];
		int64_t rc;

		if (r->type != REDIS_REPLY_ARRAY || i % SCRIPT_ROWS >= r->elements) {
			added = vtm_redis_nonsense(s, error);
			break;
		}
		rc = vtm_redis_number(r->element[i % SCRIPT_ROWS]);
		wrote[i] = rc >= 0;
		added += rc > 0;
	}
	g_ptr_array_unref(replies);
	return added;
}

/* One try for the sightings that are not done[] yet. */
static int note_round(struct vtm_redis *s, const struct vtm_sighting *sightings, size_t n, bool *done, GError **error)
{
	GHashTable *index = g_hash_table_new(hash_key, equal_key);
	struct slot *slots = g_new0(struct slot, n);
	guint *at = g_new0(guint, n), used = 0;
	bool *wrote = g_new0(bool, n);
	int added = 0;

	for (size_t i = 0; i < n; i++) {
		gpointer place;

		if (done[i])
			continue;
		if (!g_hash_table_lookup_extended(index, &sightings[i].key, NULL, &place)) {
			place = GUINT_TO_POINTER(used);
			slots[used].key = sightings[i].key;
			g_hash_table_insert(index, &slots[used++].key, place);
		}
		at[i] = GPOINTER_TO_UINT(place);
	}
	if (used && read_slots(s, slots, used, error) < 0)
		added = -1;
	for (size_t i = 0; i < n && added >= 0; i++)
		if (!done[i])
			vtm_history_note(&slots[at[i]].h, &sightings[i]);
	if (used && added >= 0)
		added = write_slots(s, slots, used, wrote, error);
	for (size_t i = 0; i < n; i++)
		done[i] = done[i] || wrote[at[i]];
	g_hash_table_destroy(index);
	g_free(slots);
	g_free(at);
	g_free(wrote);
	return added;
}

int vtm_redis_history_note(struct vtm_store *store, const struct vtm_sighting *sightings, size_t n, GError **error)
{
	bool *done = g_new0(bool, n), all = false;
	int added = 0;

	for (int round = 0; round < ROUNDS && added >= 0 && !all; round++) {
		int rc = note_round(vtm_redis(store), sightings, n, done, error);

		added = rc < 0 ? -1 : added + rc;
		all = true;
		for (size_t i = 0; i < n; i++)
			all = all && done[i];
	}
	g_free(done);
	return added;
}

int vtm_redis_history_put(struct vtm_store *store, const struct vtm_history_key *key, const struct vtm_history *h,
			  GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;
	uint8_t value[VALUE_MAX];
	char hex[ID_DIGITS + 2];
	size_t len = value_of(h, value);

	hex_of(key, hex);
	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "HSET");
	bucket_key(s, &c, key->kind, hex);
	vtm_redis_command_bytes(&c, hex, ID_DIGITS);
	vtm_redis_command_bytes(&c, value, len);
	vtm_redis_command_end(&c);
	vtm_redis_command_begin(&c, "ZADD");
	order_key(s, &c, key->kind);
	vtm_redis_command_int(&c, h->last_day);
	vtm_redis_command_bytes(&c, hex, ID_DIGITS);
	vtm_redis_command_end(&c);
	return vtm_redis_do(s, &c, error);
}

/* ---- all of it ---- */

static int each_of(const redisReply *r, unsigned kind, vtm_history_each *each, void *arg)
{
	int n = 0;

	for (size_t i = 0; r->type == REDIS_REPLY_ARRAY && i + 1 < r->elements; i += 2) {
		struct vtm_history_key key = { .kind = (uint8_t)kind };
		struct vtm_history h;

		if (!vtm_redis_is_bytes(r->element[i]) || r->element[i]->len != ID_DIGITS ||
		    !take_value(r->element[i + 1], &h))
			continue;
		key.id = g_ascii_strtoull(r->element[i]->str, NULL, 16);
		each(&key, &h, arg);
		n++;
	}
	return n;
}

static int each_page(struct vtm_redis *s, unsigned kind, unsigned from, vtm_history_each *each, void *arg,
		     GError **error)
{
	struct vtm_redis_command c;
	GPtrArray *replies;
	int n = 0;

	vtm_redis_begin(s, &c);
	for (unsigned i = from; i < from + PAGE; i++) {
		char bucket[BUCKET_DIGITS + 1];

		g_snprintf(bucket, sizeof(bucket), "%03x", i & (BUCKETS - 1));
		vtm_redis_command_begin(&c, "HGETALL");
		bucket_key(s, &c, kind, bucket);
		vtm_redis_command_end(&c);
	}
	replies = vtm_redis_run(s, &c, error);
	if (!replies)
		return -1;
	for (guint i = 0; i < replies->len; i++)
		n += each_of(replies->pdata[i], kind, each, arg);
	g_ptr_array_unref(replies);
	return n;
}

int vtm_redis_history_each(struct vtm_store *store, vtm_history_each *each, void *arg, GError **error)
{
	int n = 0;

	for (unsigned kind = 0; kind < VTM_HISTORY_KINDS; kind++)
		for (unsigned from = 0; from < BUCKETS && n >= 0; from += PAGE) {
			int rc = each_page(vtm_redis(store), kind, from, each, arg, error);

			n = rc < 0 ? -1 : n + rc;
		}
	return n;
}

/* ---- days ---- */

static void add_to_day(struct vtm_redis *s, struct vtm_redis_command *c, uint16_t day, char what, uint32_t n)
{
	char *field = g_strdup_printf("%u%c", day, what);

	vtm_redis_command_begin(c, "HINCRBY");
	vtm_redis_key(s, c, "hd", NULL, 0);
	vtm_redis_command_text(c, field);
	vtm_redis_command_int(c, n);
	vtm_redis_command_end(c);
	g_free(field);
}

int vtm_redis_history_count(struct vtm_store *store, const struct vtm_history_day *d, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;

	vtm_redis_begin(s, &c);
	add_to_day(s, &c, d->day, 'm', d->messages);
	add_to_day(s, &c, d->day, 'w', d->wanted);
	return vtm_redis_do(s, &c, error);
}

static gint newest_first(gconstpointer a, gconstpointer b)
{
	const struct vtm_history_day *x = a, *y = b;

	return (gint)y->day - (gint)x->day;
}

/* The day of <day> in <list>, added if need be. */
static struct vtm_history_day *day_in(GArray *list, uint16_t day)
{
	struct vtm_history_day new = { .day = day };

	for (guint i = 0; i < list->len; i++)
		if (g_array_index(list, struct vtm_history_day, i).day == day)
			return &g_array_index(list, struct vtm_history_day, i);
	g_array_append_val(list, new);
	return &g_array_index(list, struct vtm_history_day, list->len - 1);
}

/* All days, newest first; NULL and an error. */
static GArray *read_days(struct vtm_redis *s, GError **error)
{
	struct vtm_redis_command c;
	GArray *list;
	redisReply *r;

	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "HGETALL");
	vtm_redis_key(s, &c, "hd", NULL, 0);
	vtm_redis_command_end(&c);
	r = vtm_redis_one(s, &c, error);
	if (!r)
		return NULL;
	list = g_array_new(FALSE, FALSE, sizeof(struct vtm_history_day));
	for (size_t i = 0; r->type == REDIS_REPLY_ARRAY && i + 1 < r->elements; i += 2) {
		int64_t n = CLAMP(vtm_redis_number(r->element[i + 1]), 0, (int64_t)G_MAXUINT32);
		struct vtm_history_day *d;
		char *end;

		if (!vtm_redis_is_bytes(r->element[i]))
			continue;
		d = day_in(list, (uint16_t)strtoul(r->element[i]->str, &end, 10));
		*(*end == 'w' ? &d->wanted : &d->messages) = (uint32_t)n;
	}
	freeReplyObject(r);
	g_array_sort(list, newest_first);
	return list;
}

int vtm_redis_history_days(struct vtm_store *store, struct vtm_history_day *out, size_t max, GError **error)
{
	GArray *list = read_days(vtm_redis(store), error);
	size_t n;

	if (!list)
		return -1;
	n = MIN(max, list->len);
	for (size_t i = 0; i < n; i++)
		out[i] = g_array_index(list, struct vtm_history_day, i);
	g_array_unref(list);
	return (int)n;
}

static int expire_days(struct vtm_redis *s, uint16_t before_day, GError **error)
{
	GArray *list = read_days(s, error);
	struct vtm_redis_command c;
	unsigned old = 0;
	int rc = 0;

	if (!list)
		return -1;
	vtm_redis_begin(s, &c);
	for (guint i = 0; i < list->len; i++) {
		uint16_t day = g_array_index(list, struct vtm_history_day, i).day;
		char *fields[2] = { g_strdup_printf("%um", day), g_strdup_printf("%uw", day) };

		if (day < before_day) {
			old++;
			vtm_redis_command_begin(&c, "HDEL");
			vtm_redis_key(s, &c, "hd", NULL, 0);
			vtm_redis_command_text(&c, fields[0]);
			vtm_redis_command_text(&c, fields[1]);
			vtm_redis_command_end(&c);
		}
		g_free(fields[0]);
		g_free(fields[1]);
	}
	g_array_unref(list);
	if (old)
		rc = vtm_redis_do(s, &c, error);
	else
		vtm_redis_command_clear(&c);
	return rc;
}

/* ---- bounds ---- */

int vtm_redis_history_expire(struct vtm_store *store, uint16_t before_day, unsigned keep, unsigned max, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	int64_t n = expire_days(s, before_day, error) < 0 ? -1 : 0;

	for (unsigned kind = 0; kind < VTM_HISTORY_KINDS && n >= 0 && n < max; kind++) {
		char name[3] = { 'h', (char)('0' + kind), '\0' };
		struct vtm_redis_command c;
		int64_t deleted;

		vtm_redis_begin(s, &c);
		vtm_redis_script(s, &c, SCRIPT_HISTORY_OLD, 1);
		order_key(s, &c, kind);
		vtm_redis_key(s, &c, name, NULL, 0);
		vtm_redis_command_int(&c, before_day);
		vtm_redis_command_int(&c, keep);
		vtm_redis_command_int(&c, max - n);
		vtm_redis_command_end(&c);
		n = vtm_redis_ask_number(s, &c, &deleted, error) < 0 ? -1 : n + deleted;
	}
	return (int)n;
}

int vtm_redis_history_size(struct vtm_store *store, unsigned *size_r, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;
	GPtrArray *replies;

	vtm_redis_begin(s, &c);
	for (unsigned kind = 0; kind < VTM_HISTORY_KINDS; kind++) {
		vtm_redis_command_begin(&c, "ZCARD");
		order_key(s, &c, kind);
		vtm_redis_command_end(&c);
	}
	replies = vtm_redis_run(s, &c, error);
	if (!replies)
		return -1;
	for (unsigned kind = 0; kind < VTM_HISTORY_KINDS; kind++)
		size_r[kind] = (unsigned)CLAMP(vtm_redis_number(replies->pdata[kind]), 0, (int64_t)G_MAXINT);
	g_ptr_array_unref(replies);
	return 0;
}
