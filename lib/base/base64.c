/* SPDX-License-Identifier: BSD-2-Clause */
/* base64.c - base64 by streaming, in blocks of 32 characters where the processor can. */
#include "base/base64.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_BLOCKS 1
#include <immintrin.h>
#endif

enum { FOREIGN = 64, BLANK, PADDING };	/* what a byte is when it is no sextet */

/* Sextet or class of every byte. */
static const uint8_t classes[256] = {
	[0 ... '\t' - 1] = FOREIGN, ['\t'] = BLANK, ['\n'] = BLANK, ['\v' ... '\f'] = FOREIGN, ['\r'] = BLANK,
	['\r' + 1 ... ' ' - 1] = FOREIGN, [' '] = BLANK, [' ' + 1 ... '+' - 1] = FOREIGN, ['+'] = 62,
	['+' + 1 ... '/' - 1] = FOREIGN, ['/'] = 63, ['0'] = 52, 53, 54, 55, 56, 57, 58, 59, 60, 61,
	['9' + 1 ... '=' - 1] = FOREIGN, ['='] = PADDING, ['=' + 1 ... 'A' - 1] = FOREIGN,
	['A'] = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
	['Z' + 1 ... 'a' - 1] = FOREIGN,
	['a'] = 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
	['z' + 1 ... 255] = FOREIGN,
};

#ifdef HAVE_BLOCKS
/* Decodes whole groups of four from <in> in blocks of 32, jumping over line ends between groups.  Returns the
 * characters used; *out_len_r gets the bytes written.  The arithmetic: W. Mula and D. Lemire, "Faster Base64 Encoding
 * and Decoding Using AVX2 Instructions", https://arxiv.org/abs/1704.00605, section 3.  A block stores 32 bytes of which
 * 24 count, so it is only taken while at least 12 more characters (9 more bytes of room) follow. */
__attribute__((target("avx2")))
static size_t decode_blocks(const uint8_t *in, size_t len, uint8_t *out, size_t *out_len_r)
{
	/* bit n of wrong_low[l]: no character of column n of the ASCII table has the low nibble l */
	const __m256i wrong_low = _mm256_broadcastsi128_si256(_mm_setr_epi8(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
		0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a));
	const __m256i column = _mm256_broadcastsi128_si256(_mm_setr_epi8(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08,
		0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10));
	/* what to add to get the sextet, by high nibble; '/' takes the row before that of '+' */
	const __m256i shift = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71,
		0, 0, 0, 0, 0, 0, 0, 0));
	const __m256i pack = _mm256_broadcastsi128_si256(_mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12,
		-1, -1, -1, -1));
	const __m256i nibble = _mm256_set1_epi8(0x0f);
	const uint8_t *start = in, *end = in + len;
	uint8_t *to = out;
	unsigned n, rest = 12;	/* 76 = 2 * 32 + 12 */

	while (end - in >= 32 + 12) {
		__m256i c = _mm256_loadu_si256((const __m256i_u *)in);
		__m256i high = _mm256_and_si256(_mm256_srli_epi32(c, 4), nibble);
		__m256i low = _mm256_and_si256(c, nibble);
		__m256i wrong = _mm256_and_si256(_mm256_shuffle_epi8(wrong_low, low), _mm256_shuffle_epi8(column, high));
		__m256i row = _mm256_add_epi8(high, _mm256_cmpeq_epi8(c, _mm256_set1_epi8('/')));
		uint32_t good = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(wrong, _mm256_setzero_si256()));
		c = _mm256_add_epi8(c, _mm256_shuffle_epi8(shift, row));
		c = _mm256_maddubs_epi16(c, _mm256_set1_epi32(0x01400140));
		c = _mm256_madd_epi16(c, _mm256_set1_epi32(0x00011000));
		c = _mm256_shuffle_epi8(c, pack);
		c = _mm256_permutevar8x32_epi32(c, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
		_mm256_storeu_si256((__m256i_u *)to, c);
		if (good == UINT32_MAX) {
			in += 32;
			to += 24;
			continue;
		}
		/* Most lines end as the last one did; then the next load need not wait until this end is counted.  The
		 * empty statement keeps the branch, which the processor foresees, from becoming a move, which it would
		 * wait for. */
		n = (unsigned)__builtin_ctz(~good);
		if (n != rest) {
			rest = n;
			__asm__("" : "+r" (rest));
		}
		in += rest & ~3u;
		to += rest / 4 * 3;
		if (rest & 3 || in[0] != '\r' || in[1] != '\n')
			break;
		in += 2;
	}
	*out_len_r = (size_t)(to - out);
	return (size_t)(in - start);
}

static bool can_blocks(void)
{
	return __builtin_cpu_supports("avx2");
}
#endif

/* The same, four characters at a time. */
static size_t decode_fours(const uint8_t *in, size_t len, uint8_t *out, size_t *out_len_r)
{
	const uint8_t *start = in, *end = in + len;
	uint8_t *to = out;

	for (; end - in >= 4; in += 4, to += 3) {
		unsigned a = classes[in[0]], b = classes[in[1]], c = classes[in[2]], d = classes[in[3]];

		if ((a | b | c | d) & 0xc0)
			break;
		to[0] = (uint8_t)(a << 2 | b >> 4);
		to[1] = (uint8_t)(b << 4 | c >> 2);
		to[2] = (uint8_t)(c << 6 | d);
	}
	*out_len_r = (size_t)(to - out);
	return (size_t)(in - start);
}

/* Writes what an incomplete group holds: 0..2 bytes. */
static size_t flush(struct vtm_base64 *d, uint8_t *out)
{
	size_t n = 0;

	if (d->have >= 2)
		out[n++] = (uint8_t)(d->have == 2 ? d->bits >> 4 : d->bits >> 10);
	if (d->have == 3)
		out[n++] = (uint8_t)(d->bits >> 2);
	d->have = 0;
	d->bits = 0;
	return n;
}

/* Writes a whole group of which <equals> places are '='. */
static size_t end_group(struct vtm_base64 *d, unsigned equals, uint8_t *out)
{
	uint32_t bits = d->bits;

	d->have = 0;
	d->bits = 0;
	for (unsigned i = 0; i < 3 - MIN(equals, 3); i++)
		out[i] = (uint8_t)(bits >> (16 - 8 * i));
	return 3 - MIN(equals, 3);
}

/* One place of a group in the reading PLACED.  <d->padding> counts the '=' of the group. */
static size_t take_place(struct vtm_base64 *d, unsigned class, uint8_t *out)
{
	unsigned equals;

	d->padding += class == PADDING;
	d->bits = d->bits << 6 | (class == PADDING ? 0 : class);
	if (++d->have < 4)
		return 0;
	equals = d->padding;
	d->padding = 0;
	return end_group(d, equals, out);
}

/* Does this '=' end a group in the reading ENDED?  In others each one does. */
static bool completes_group(struct vtm_base64 *d)
{
	if (d->reading != VTM_BASE64_ENDED)
		return true;
	return d->have >= 2 && d->have + ++d->padding >= 4;
}

/* Decodes one byte: all that are not in a whole group of four. */
static size_t decode_byte(struct vtm_base64 *d, uint8_t byte, uint8_t *out)
{
	unsigned class = classes[byte];

	if (class == FOREIGN || class == BLANK) {
		d->junk = d->junk || class == FOREIGN;
		return 0;
	}
	if (d->reading == VTM_BASE64_PLACED)
		return take_place(d, class, out);
	if (class == PADDING && (d->reading == VTM_BASE64_JOINED || !completes_group(d)))
		return 0;
	if (class == PADDING) {
		d->padding++;
		d->early = d->early || (!d->after_padding && d->have < 2);
		d->place = (d->place + 1) & 3;
		d->after_padding = true;
		d->stopped = d->reading == VTM_BASE64_STRICT || d->reading == VTM_BASE64_ENDED;
		return flush(d, out);
	}
	if (d->after_padding) {
		d->data_after_padding = true;
		d->misplaced = d->misplaced || d->place || d->early;
		d->after_padding = false;
	}
	if (d->reading == VTM_BASE64_ENDED)
		d->padding = 0;
	d->place = (d->place + 1) & 3;
	d->bits = d->bits << 6 | class;
	return ++d->have < 4 ? 0 : end_group(d, 0, out);
}

/* After the end of the strict reading only one thing is of interest. */
static void look_after(struct vtm_base64 *d, const uint8_t *in, size_t len)
{
	for (size_t i = 0; i < len && !d->data_after_padding; i++)
		d->data_after_padding = classes[in[i]] < FOREIGN;
}

size_t vtm_base64_add(struct vtm_base64 *d, const char *in, size_t len, uint8_t *out)
{
	const uint8_t *from = (const uint8_t *)in, *end = from + len;
	uint8_t *to = out;

	while (from < end && !d->stopped) {
		/* the character after padding is looked at alone: data there is worth a flag */
		if (!d->have && !d->after_padding) {
			size_t n = 0;
#ifdef HAVE_BLOCKS
			if (end - from >= 32 + 12 && can_blocks()) {
				from += decode_blocks(from, (size_t)(end - from), to, &n);
				to += n;
			}
#endif
			from += decode_fours(from, (size_t)(end - from), to, &n);
			to += n;
		}
		do {
			if (from == end)
				break;
			to += decode_byte(d, *from++, to);
		} while (!d->stopped && (d->have || (from < end && classes[*from] >= FOREIGN)));
	}
	look_after(d, from, (size_t)(end - from));
	return (size_t)(to - out);
}

size_t vtm_base64_end(struct vtm_base64 *d, uint8_t out[2])
{
	if (d->reading == VTM_BASE64_PLACED)	/* only the sextets before the first '=' of the group count */
		while (d->have && d->padding) {
			d->bits >>= 6;
			d->have--;
			d->padding--;
		}
	return flush(d, out);
}

char *vtm_base64url(const void *data, size_t len)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const uint8_t *in = data;
	char *text = g_malloc(len / 3 * 4 + 4), *to = text;

	for (; len >= 3; len -= 3, in += 3) {
		*to++ = alphabet[in[0] >> 2];
		*to++ = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
		*to++ = alphabet[(in[1] & 15) << 2 | in[2] >> 6];
		*to++ = alphabet[in[2] & 63];
	}
	if (len) {
		*to++ = alphabet[in[0] >> 2];
		*to++ = alphabet[(in[0] & 3) << 4 | (len == 2 ? in[1] >> 4 : 0)];
		if (len == 2)
			*to++ = alphabet[(in[1] & 15) << 2];
	}
	*to = '\0';
	return text;
}
