/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-base64.c - how the input is cut does not change a reading; the readings agree unless a flag says
 * otherwise. */
#include "fuzz.h"

#include "base/base64.h"

struct decoded { GByteArray *bytes; struct vtm_base64 d; };

static struct decoded decode(enum vtm_base64_reading reading, const char *in, size_t len, const uint8_t *cuts, size_t n)
{
	struct decoded r = { g_byte_array_new(), { .reading = reading } };
	size_t at = 0, i = 0;
	uint8_t end[2];

	while (at < len) {
		size_t wanted = n ? cuts[i++ % n] : len, piece = MIN(len - at, wanted);
		uint8_t *out = g_malloc(piece / 4 * 3 + 3);
		size_t got = vtm_base64_add(&r.d, in + at, piece, out);

		FUZZ_CHECK(got <= piece / 4 * 3 + 3);
		g_byte_array_append(r.bytes, out, (guint)got);
		g_free(out);
		at += piece;
		if (n && !piece && i > 2 * n)
			n = 0;
	}
	g_byte_array_append(r.bytes, end, (guint)vtm_base64_end(&r.d, end));
	return r;
}

static bool same(const struct decoded *a, const struct decoded *b)
{
	return a->bytes->len == b->bytes->len &&
		(!a->bytes->len || !memcmp(a->bytes->data, b->bytes->data, a->bytes->len));
}

static void both(const struct decoded *whole, const struct decoded *cut)
{
	FUZZ_CHECK(same(whole, cut));
	FUZZ_CHECK(whole->d.data_after_padding == cut->d.data_after_padding);
	FUZZ_CHECK(whole->d.junk == cut->d.junk);
	FUZZ_CHECK(whole->d.padding == cut->d.padding);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = MIN(size, 4);
	const char *in = (const char *)data + n;
	struct decoded lenient = decode(VTM_BASE64_LENIENT, in, size - n, NULL, 0);
	struct decoded strict = decode(VTM_BASE64_STRICT, in, size - n, NULL, 0);
	struct decoded cut = decode(VTM_BASE64_LENIENT, in, size - n, data, n);
	struct decoded strict_cut = decode(VTM_BASE64_STRICT, in, size - n, data, n);
	struct decoded joined = decode(VTM_BASE64_JOINED, in, size - n, NULL, 0);
	struct decoded joined_cut = decode(VTM_BASE64_JOINED, in, size - n, data, n);
	struct decoded ended = decode(VTM_BASE64_ENDED, in, size - n, NULL, 0);
	struct decoded ended_cut = decode(VTM_BASE64_ENDED, in, size - n, data, n);
	struct decoded placed = decode(VTM_BASE64_PLACED, in, size - n, NULL, 0);
	struct decoded placed_cut = decode(VTM_BASE64_PLACED, in, size - n, data, n);
	char *url = vtm_base64url(data, size);

	both(&lenient, &cut);
	both(&strict, &strict_cut);
	FUZZ_CHECK(same(&placed, &placed_cut));
	FUZZ_CHECK(lenient.d.misplaced == cut.d.misplaced);
	FUZZ_CHECK(lenient.d.misplaced || same(&lenient, &placed));
	FUZZ_CHECK(same(&joined, &joined_cut) && same(&ended, &ended_cut));
	FUZZ_CHECK(lenient.d.data_after_padding || same(&lenient, &joined));
	FUZZ_CHECK(lenient.d.misplaced || same(&strict, &ended));
	FUZZ_CHECK(lenient.d.data_after_padding || same(&lenient, &strict));
	FUZZ_CHECK(lenient.d.data_after_padding == strict.d.data_after_padding);
	FUZZ_CHECK(strict.bytes->len <= lenient.bytes->len);
	FUZZ_CHECK(!strpbrk(url, "+/=\n") && strlen(url) == (size * 4 + 2) / 3);
	g_byte_array_unref(lenient.bytes);
	g_byte_array_unref(strict.bytes);
	g_byte_array_unref(joined.bytes);
	g_byte_array_unref(joined_cut.bytes);
	g_byte_array_unref(ended.bytes);
	g_byte_array_unref(ended_cut.bytes);
	g_byte_array_unref(placed.bytes);
	g_byte_array_unref(placed_cut.bytes);
	g_byte_array_unref(cut.bytes);
	g_byte_array_unref(strict_cut.bytes);
	g_free(url);
	return 0;
}
