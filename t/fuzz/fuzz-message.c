/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-message.c - a message to its items: never a NULL, a bad subject, or one item twice. */
#include "fuzz.h"

#include "scan/extract.h"
#include "model/lookup.h"

static void check_item(const struct vtm_item *i)
{
	struct vtm_lookup *l = vtm_lookup_new(i->kind == VTM_ATTACHMENT ? VTM_LOOKUP_FILE : VTM_LOOKUP_URL, i->subject);

	FUZZ_CHECK(l);
	vtm_lookup_free(l);
	FUZZ_CHECK(i->via);
	FUZZ_CHECK(!i->name || g_utf8_validate(i->name, -1, NULL));
	FUZZ_CHECK(!i->type || g_utf8_validate(i->type, -1, NULL));
	FUZZ_CHECK(i->report.verdict != VTM_CLEAN && i->report.verdict != VTM_BAD);
	if (i->kind == VTM_URL)
		FUZZ_CHECK(i->host && *i->host && g_utf8_validate(i->subject, -1, NULL));
	else
		FUZZ_CHECK(i->size >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vtm_spool *spool = vtm_spool_new(g_get_tmp_dir(), 0);
	GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct vtm_extract_settings s;
	struct vtm_items *items;
	struct vtm_heading heading;

	vtm_extract_defaults(&s);
	s.resource_urls = s.bare_domains = true;
	s.archive_bytes = MIN(s.archive_bytes, 4 * 1024 * 1024);
	FUZZ_CHECK(vtm_spool_add(spool, data, size, NULL) == 0);
	items = vtm_extract(spool, &s, &heading);
	FUZZ_CHECK(items && items->list->len <= s.max_items);
	FUZZ_CHECK(!heading.message_id || g_utf8_validate(heading.message_id, -1, NULL));
	for (guint n = 0; n < items->list->len; n++) {
		const struct vtm_item *i = g_ptr_array_index(items->list, n);

		check_item(i);
		FUZZ_CHECK(g_hash_table_add(seen, g_strdup_printf("%d %u %s", (int)i->kind, i->group, i->subject)));
	}
	g_hash_table_destroy(seen);
	vtm_items_free(items);
	vtm_spool_free(spool);
	vtm_heading_clear(&heading);
	return 0;
}
