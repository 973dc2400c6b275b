/* SPDX-License-Identifier: BSD-2-Clause */
/* journal.h - what the files of the journal in Redis share; no other file includes it.
 *
 * A message is a hash, with indices beside it.  It changes by SCRIPT_TURN only, which compares the count of changes
 * first: of two hosts whose answers concern one message, the slower one reads it again.
 */
#ifndef VTM_STORE_REDIS_JOURNAL_H
#define VTM_STORE_REDIS_JOURNAL_H

#include "store/codec.h"
#include "store/redis/redis.h"

#define VTM_REDIS_CHUNK 100		/* messages a round trip */
#define VTM_REDIS_ANSWER_BYTES (VTM_PACKED_REPORT + 8)

/* A message as it is read. */
struct vtm_redis_record {
	struct vtm_journal_message m;
	GArray *items;		/* of struct vtm_journal_item */
	int64_t changes;
};

/* journal.c */
void vtm_redis_pack_answer(const struct vtm_report *r, int64_t answered_ms, uint8_t out[VTM_REDIS_ANSWER_BYTES]);

/* journal-read.c */

void vtm_redis_id_text(int64_t id, char text[24]);
/* The replies to HGETALL of <n> messages. */
GPtrArray *vtm_redis_read_messages(struct vtm_redis *s, const int64_t *ids, guint n, GError **error);
/* Fills *rec from one of those.  Items have their numbers as indices; those that do not read back are gaps (item NULL).
 * 1 read, 0 not there or not readable. */
int vtm_redis_record_of(const redisReply *r, int64_t id, struct vtm_redis_record *rec);
void vtm_redis_record_clear(struct vtm_redis_record *rec);
/* Frees <items> and returns them without gaps. */
GArray *vtm_redis_without_gaps(GArray *items);
/* Sends <c>, whose reply is an array of ids: GArray of int64_t, NULL on error.  Clears <c>. */
GArray *vtm_redis_ids_of(struct vtm_redis *s, struct vtm_redis_command *c, GError **error);

#endif
