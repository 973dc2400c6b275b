/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-unwrap.c - redirectors undone as the extractor does it: bounded in depth and number, each target a URL. */
#include "fuzz.h"

#include "url/unwrap.h"

static unsigned urls;

static void unwrap(const struct vtm_url *u, unsigned depth)
{
	unsigned flags = 0;
	GPtrArray *inner;

	if (depth == VTM_UNWRAP_DEPTH || urls++ > 200)
		return;
	inner = vtm_unwrap(u, &flags);
	if (!inner)
		return;
	FUZZ_CHECK(!(flags & VTM_UNWRAP_KNOWN) || !(flags & VTM_UNWRAP_CUT));
	FUZZ_CHECK(inner->len >= 1 && inner->len <= VTM_UNWRAP_MAX);
	for (guint i = 0; i < inner->len; i++) {
		const struct vtm_url *t = g_ptr_array_index(inner, i);

		FUZZ_CHECK(t && t->normal && t->host && strlen(t->normal) <= VTM_URL_MAX);
		unwrap(t, depth + 1);
	}
	g_ptr_array_unref(inner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vtm_url *u = vtm_url_guess((const char *)data, (gssize)size);
	char *text = g_strndup((const char *)data, size);
	GPtrArray *inner = vtm_unwrap_text(text, NULL);

	FUZZ_CHECK(!inner || inner->len <= VTM_UNWRAP_MAX);
	if (inner)
		g_ptr_array_unref(inner);
	g_free(text);

	if (!u)
		return 0;
	urls = 0;
	unwrap(u, 0);
	vtm_url_free(u);
	return 0;
}
