/* SPDX-License-Identifier: BSD-2-Clause */
/* codec.h - values as bytes that a store keeps; included by store*.c only.
 *
 * Each begins with a version byte; the rest is a serialised GVariant (reports: fixed fields), little endian, the same
 * on every machine.  Reading takes any bytes: what does not have its form is refused, never guessed.
 */
#ifndef VTM_STORE_CODEC_H
#define VTM_STORE_CODEC_H

#include "store/store.h"

#define VTM_PACKED_KEY 33
#define VTM_PACKED_REPORT 32
#define VTM_STORE_TEXTS 256	/* different notes and reasons that a process takes from stores */

void vtm_pack_key(const struct vtm_key *k, uint8_t out[VTM_PACKED_KEY]);
bool vtm_unpack_key(const void *data, size_t len, struct vtm_key *k);

void vtm_pack_report(const struct vtm_report *r, uint8_t out[VTM_PACKED_REPORT]);
bool vtm_unpack_report(const void *data, size_t len, struct vtm_report *r);

/* All of it but the report and answered_ms, which change and are kept beside it. */
GBytes *vtm_pack_item(const struct vtm_journal_item *item);
/* item->item is new; report and answered_ms are left as a new item has them. */
bool vtm_unpack_item(const void *data, size_t len, struct vtm_journal_item *item);

/* All of it but id and what changes (tags, done_ms). */
GBytes *vtm_pack_message(const struct vtm_journal_message *m);
bool vtm_unpack_message(const void *data, size_t len, struct vtm_journal_message *m);

GBytes *vtm_pack_strv(const char *const *list);
GStrv vtm_unpack_strv(const void *data, size_t len);	/* NULL when it is none */

/* q->lookup, analysis and host are new; vtm_queued_clear() frees them. */
GBytes *vtm_pack_queued(const struct vtm_queued *q, const char *host);
bool vtm_unpack_queued(const void *data, size_t len, struct vtm_queued *q);
void vtm_queued_clear(struct vtm_queued *q);

#endif
