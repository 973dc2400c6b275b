/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-uu.c - files in text: each step goes on, nothing grows, names are UTF-8. */
#include "fuzz.h"

#include "base/uu.h"

static void read_all(const uint8_t *data, size_t size,
		     bool (*next)(const char *text, size_t len, size_t from, struct vtm_uu *block))
{
	struct vtm_uu block;
	size_t at = 0;

	while (next((const char *)data, size, at, &block)) {
		FUZZ_CHECK(block.next > at && block.next <= size);
		FUZZ_CHECK(block.name && g_utf8_validate(block.name, -1, NULL) && strlen(block.name) <= 3 * VTM_UU_NAME_MAX);
		FUZZ_CHECK(block.data.len <= block.next - at);
		at = block.next;
		vtm_uu_clear(&block);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_all(data, size, vtm_uu_next);
	read_all(data, size, vtm_yenc_next);
	read_all(data, size, vtm_binhex_next);
	return 0;
}
