/* SPDX-License-Identifier: BSD-2-Clause */
/* test-base64.c - base64 in one piece, in many, broken, and without padding. */
#include "base/base64.h"

#include <string.h>

#include "tap.h"

/* Decodes in pieces of <step> bytes; the buffer is exactly as large as the contract says. */
static GString *decode(const char *in, size_t len, size_t step, enum vtm_base64_reading reading, struct vtm_base64 *d)
{
	GString *text = g_string_new(NULL);
	uint8_t rest[2];

	memset(d, 0, sizeof(*d));
	d->reading = reading;
	for (size_t at = 0; at < len; at += step) {
		size_t n = MIN(step, len - at);
		uint8_t *out = g_malloc(n / 4 * 3 + 3);
		char *piece = g_memdup2(in + at, n);	/* a read past its end shows */

		g_string_append_len(text, (const char *)out, (gssize)vtm_base64_add(d, piece, n, out));
		g_free(out);
		g_free(piece);
	}
	g_string_append_len(text, (const char *)rest, (gssize)vtm_base64_end(d, rest));
	return text;
}

static void cases(void)
{
	static const struct {
		const char *what, *in, *lenient, *strict;
		bool differ, junk;
	} all[] = {
		{ "nothing", "", "", "", false, false },
		{ "a group", "QUJD", "ABC", "ABC", false, false },
		{ "one byte", "QQ==", "A", "A", false, false },
		{ "two bytes", "QUI=", "AB", "AB", false, false },
		{ "no padding, two bytes", "QUI", "AB", "AB", false, false },
		{ "no padding, one byte", "QUJDQQ", "ABCA", "ABCA", false, false },
		{ "a lone sextet", "QUJDQ", "ABC", "ABC", false, false },
		{ "line ends and blanks", "QU\r\n J\tD\r\n", "ABC", "ABC", false, false },
		{ "junk", "Q*U!J\xff" "D", "ABC", "ABC", false, true },
		{ "chunks", "QQ==\r\nQkM=\r\nRA==", "ABCD", "A", true, false },
		{ "too few padding", "QQ=QkM", "ABC", "A", true, false },
		{ "blanks after padding", "QQ==  \r\n", "A", "A", false, false },
		{ "junk after padding", "QQ==\r\n****", "A", "A", false, true },
		{ "text after padding", "QUJD\r\nQQ==\r\nlist footer", "ABCA\x96+-~\x8a-z", "ABCA", true, false },
		{ "padding first", "==QUJD", "ABC", "", true, false },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
		for (size_t step = 1; step < 5; step++) {
			size_t len = strlen(all[i].in);
			struct vtm_base64 d;
			GString *got = decode(all[i].in, len, step, VTM_BASE64_LENIENT, &d);

			is_str(got->str, all[i].lenient, "%s, lenient, by %zu", all[i].what, step);
			ok(d.data_after_padding == all[i].differ, "%s: whether the readings differ", all[i].what);
			ok(d.junk == all[i].junk, "%s: junk", all[i].what);
			g_string_free(got, TRUE);
			got = decode(all[i].in, len, step, VTM_BASE64_STRICT, &d);
			is_str(got->str, all[i].strict, "%s, strict, by %zu", all[i].what, step);
			ok(d.data_after_padding == all[i].differ, "%s: the strict reading tells too", all[i].what);
			g_string_free(got, TRUE);
		}
}

/* The readings of a '=' inside, and whether the lenient one says that they differ. */
static void misplaced(void)
{
	static const struct {
		const char *what, *in;
		const char *placed, *joined, *ended;
		bool differs;
	} all[] = {
		{ "whole groups", "QUJDQUI=", "ABCAB", "ABCAB", "ABCAB", false },
		{ "groups after padding", "QQ==QkM=RA==", "ABCD", "A\x04$1\x10", "A", false },
		{ "one = inside a group", "QU=DQUJD", "A@ABC", "A@\xd0P\x90", "A@\xd0P\x90", true },
		{ "one = between groups", "QUJD=QUJDQUJD", "ABC\x01\x05\r\x05\t", "ABCABCABC", "ABCABCABC", true },
		{ "one = that ends a group, and more", "QUI=UQUJD", "ABQ\x05\t", "AB\x14" "ABC", "AB", false },
		{ "= alone", "====", "", "", "", false },
		{ "= first, then groups", "====QQ==QUJD", "AABC", "A\x04\x14$", "A", true },
		{ "an end without padding", "QUJDQUI", "ABCAB", "ABCAB", "ABCAB", false },
	};
	static const enum vtm_base64_reading readings[] = { VTM_BASE64_PLACED, VTM_BASE64_JOINED, VTM_BASE64_ENDED };

	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		const char *wants[] = { all[i].placed, all[i].joined, all[i].ended };
		size_t len = strlen(all[i].in);
		struct vtm_base64 d;
		GString *got = decode(all[i].in, len, len, VTM_BASE64_LENIENT, &d);

		ok(d.misplaced == all[i].differs, "%s: whether the place of a = matters", all[i].what);
		g_string_free(got, TRUE);
		for (size_t r = 0; r < G_N_ELEMENTS(readings); r++)
			for (size_t step = 1; step <= len; step++) {
				got = decode(all[i].in, len, step, readings[r], &d);
				if (step == len || strcmp(got->str, wants[r]))
					is_str(got->str, wants[r], "%s, reading %zu, in pieces of %zu", all[i].what, r, step);
				g_string_free(got, TRUE);
			}
	}
}

/* Against GLib, with every length, line length and cut: the block path has many edges. */
static void against_glib(void)
{
	uint8_t data[400];
	unsigned wrong = 0, runs = 0;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 167 + i / 7 * 31 + 5);
	for (size_t len = 0; len <= sizeof(data); len += len < 130 ? 1 : 27)
		for (size_t line = 4; line <= 100; line++) {
			char *plain = g_base64_encode(data, len);
			GString *mail = g_string_new(NULL);
			struct vtm_base64 d;
			GString *got;

			for (size_t at = 0; at < strlen(plain); at += line) {
				g_string_append_len(mail, plain + at, (gssize)MIN(line, strlen(plain) - at));
				g_string_append(mail, line & 1 ? "\r\n" : "\n");
			}
			got = decode(mail->str, mail->len, line % 7 ? mail->len : 53, VTM_BASE64_LENIENT, &d);
			runs++;
			wrong += got->len != len || memcmp(got->str, data, len) || d.junk || d.data_after_padding;
			g_string_free(got, TRUE);
			g_string_free(mail, TRUE);
			g_free(plain);
		}
	is_int(wrong, 0, "%u texts decode to what they were made from", runs);
}

/* Every byte value at every place of a block is told apart. */
static void every_byte(void)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned wrong = 0;

	for (unsigned byte = 1; byte < 256; byte++)
		for (size_t at = 0; at < 64; at++) {
			const char *place = strchr(alphabet, (int)byte);
			struct vtm_base64 d;
			char text[129];
			GString *got;

			memset(text, 'A', 128);
			text[128] = '\0';
			text[at] = (char)byte;
			got = decode(text, 128, 128, VTM_BASE64_LENIENT, &d);
			if (place) {
				uint32_t group = (uint32_t)(place - alphabet) << (18 - 6 * (at % 4));
				const uint8_t *b = (const uint8_t *)got->str + at / 4 * 3;

				wrong += got->len != 96 || ((uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2]) != group;
			} else {
				wrong += d.junk == (strchr("\t\n\r =", (int)byte) != NULL);
				wrong += byte == '=' ? d.padding != 1 : got->len != 95;
			}
			g_string_free(got, TRUE);
		}
	is_int(wrong, 0, "255 bytes at 64 places");
}

static void url_safe(void)
{
	static const char *const all[][2] = {
		{ "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg" }, { "\xff\xef\xbe", "_---" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		char *got = vtm_base64url(all[i][0], strlen(all[i][0]));

		is_str(got, all[i][1], "base64url of %zu bytes", strlen(all[i][0]));
		g_free(got);
	}
}

int main(void)
{
	cases();
	misplaced();
	against_glib();
	every_byte();
	url_safe();
	return done_testing();
}
