/* SPDX-License-Identifier: BSD-2-Clause */
/* journal.c - adds messages to the journal in Redis. */
#include "store/redis/journal.h"

#include <string.h>

void vtm_redis_pack_answer(const struct vtm_report *r, int64_t answered_ms, uint8_t out[VTM_REDIS_ANSWER_BYTES])
{
	uint64_t n = GUINT64_TO_LE((uint64_t)answered_ms);

	vtm_pack_report(r, out);
	memcpy(out + VTM_PACKED_REPORT, &n, sizeof(n));
}

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
		uint8_t answer[VTM_REDIS_ANSWER_BYTES];

		add_bytes(c, vtm_pack_item(&items[i]));
		vtm_redis_pack_answer(&items[i].item->report, items[i].answered_ms, answer);
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
