/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-store.c - rows of a store that anybody may have written: refused, or what is read can be written and read
 * again. */
#include "fuzz.h"

#include "store/codec.h"

static void key_and_report(const void *data, size_t size)
{
	uint8_t packed_key[VTM_PACKED_KEY], packed_report[VTM_PACKED_REPORT];
	struct vtm_report report;
	struct vtm_key key;

	if (vtm_unpack_key(data, size, &key)) {
		FUZZ_CHECK(size == sizeof(packed_key));
		vtm_pack_key(&key, packed_key);
		FUZZ_CHECK(!memcmp(packed_key, data, size));
	}
	if (vtm_unpack_report(data, size, &report)) {
		FUZZ_CHECK(size == sizeof(packed_report));
		vtm_pack_report(&report, packed_report);
		FUZZ_CHECK(vtm_unpack_report(packed_report, sizeof(packed_report), &report));
	}
}

static void item(const void *data, size_t size)
{
	struct vtm_journal_item j, again;
	GBytes *bytes;

	if (!vtm_unpack_item(data, size, &j))
		return;
	bytes = vtm_pack_item(&j);
	FUZZ_CHECK(vtm_unpack_item(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &again));
	g_bytes_unref(bytes);
	vtm_item_free(again.item);
	vtm_item_free(j.item);
}

static void message(const void *data, size_t size)
{
	struct vtm_journal_message m, again;
	GBytes *bytes;

	if (!vtm_unpack_message(data, size, &m))
		return;
	bytes = vtm_pack_message(&m);
	FUZZ_CHECK(vtm_unpack_message(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &again));
	g_bytes_unref(bytes);
	vtm_journal_message_clear(&again);
	vtm_journal_message_clear(&m);
}

static void queued(const void *data, size_t size)
{
	struct vtm_queued q, again;
	GBytes *bytes;

	if (!vtm_unpack_queued(data, size, &q))
		return;
	bytes = vtm_pack_queued(&q, q.host);
	FUZZ_CHECK(vtm_unpack_queued(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &again));
	g_bytes_unref(bytes);
	vtm_queued_clear(&again);
	vtm_queued_clear(&q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	key_and_report(data, size);
	item(data, size);
	message(data, size);
	queued(data, size);
	g_strfreev(vtm_unpack_strv(data, size));
	return 0;
}
