/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-linkify.c - URLs in text: what is found has no blanks or control characters and is bounded in sum. */
#include "fuzz.h"

#include "url/linkify.h"
#include "url/url.h"

static void found(const char *t, size_t len, bool bare, void *arg)
{
	size_t *sum = arg;
	struct vtm_url *u;

	FUZZ_CHECK(len > 0);
	FUZZ_CHECK(g_utf8_validate_len(t, len, NULL));
	for (size_t i = 0; i < len; i++)
		FUZZ_CHECK((unsigned char)t[i] > ' ' && t[i] != 0x7f);
	*sum += len;
	u = vtm_url_guess(t, (gssize)len);
	FUZZ_CHECK(!u || u->normal);
	vtm_url_free(u);
	(void)bare;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vtm_linkify_options o;
	size_t sum = 0;

	if (!size)
		return 0;
	o = (struct vtm_linkify_options){ .flowed = data[0] & 1, .delsp = data[0] & 2, .bare = data[0] & 4, .folded = data[0] & 8 };
	vtm_linkify((const char *)data + 1, size - 1, &o, found, &sum);
	FUZZ_CHECK(sum <= 4 * size);
	return 0;
}
