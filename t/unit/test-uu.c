/* SPDX-License-Identifier: BSD-2-Clause */
/* test-uu.c - uuencoded, yEnc and BinHex files in text. */
#include "base/uu.h"

#include <string.h>

#include "tap.h"

static const struct {
	const char *what, *text, *want;	/* name:data, one after the other; '!' when broken */
} cases[] = {
	{ "none", "hello\r\nbegin\r\n", "" },
	{ "a block", "hi\r\nbegin 644 a.txt\r\n#04)#\r\n`\r\nend\r\nbye", "a.txt:ABC;" },
	{ "LF", "begin 755 a b\n#04)#\n`\nend\n", "a b:ABC;" },
	{ "two blocks", "begin 644 a\n#04)#\n`\nend\nx\nbegin 0600 b\n!00``\n`\nend", "a:ABC;b:A;" },
	{ "no name", "begin 644\n#04)#\n`\nend\n", ":ABC;" },
	{ "a zero line that lost its blank", "begin 644 a\n#04)#\n\nend\n", "a:ABC;" },
	{ "a blank as zero", "begin 644 a\n!00  \n \nend\n", "a:A;" },
	{ "blanks lost at the end", "begin 644 a\n!00\n`\nend\n", "a:A;" },
	{ "a checksum behind the data", "begin 644 a\n#04)#X\n`\nend\n", "a:ABC;" },
	{ "no end", "begin 644 a\n#04)#\n", "a:ABC!;" },
	{ "no zero line", "begin 644 a\n#04)#\nend\n", "a:ABC!;" },
	{ "a line that claims too much", "begin 644 a\n#04)#\nM04\n`\nend\n", "a:ABCA@!;" },
	{ "a line of text behind the data", "begin 644 a\n#04)#\nHello there, you\n", "a:ABC!;" },
	{ "a sentence", "begin 2024 with care\nand go on\n", "" },
	{ "a sentence and a capital", "begin 644 times\nHello there\n", "" },
	{ "an empty block is not a file", "begin 644 a\n`\nend\n", "" },
	{ "no digits", "begin abc x\n#04)#\n`\nend\n", "abc x:ABC;" },
	{ "two blanks and no digits", "begin  x\n#04)#\n`\nend\n", "x:ABC;" },
	{ "a sentence without digits", "begin by reading\nthe manual\n", "" },
	{ "a line that goes on after its bytes", "begin 644 a\n#04)#  junk\n#04)#\n`\nend\n", "a:ABCABC!;" },
	{ "the second line goes on", "begin 644 a\n#04)#\n#04)#    junk\n`\nend\n", "a:ABCABC!;" },
	{ "a sentence that goes on after its bytes", "begin  a\n#04)#  junk\n", "" },
	{ "blanks after end", "begin 644 a\n#04)#\n`\nend \t\n", "a:ABC;" },
	{ "in base64", "begin-base64 644 a b\nQUJD\nQUI=\n====\n", "a b:ABCAB;" },
	{ "in base64, no end", "begin-base64 644 a\nQUJD\n", "a:ABC!;" },
	{ "in base64, junk", "begin-base64 644 a\nQU!JD\n====\n", "a:ABC!;" },
	{ "not at the start of a line", " begin 644 a\n#04)#\n`\nend\n", "" },
};

/* yEnc adds 42 to each byte: "kl" is "AB". */
static const struct {
	const char *what, *text, *want;
} yenc_cases[] = {
	{ "none", "hello =ybegin line=128 size=2 name=a\n", "" },
	{ "a file", "hi\r\n=ybegin line=128 size=2 name=a b.exe\r\nkl\r\n=yend size=2\r\nbye", "a b.exe:AB;" },
	{ "two lines", "=ybegin line=2 size=4 name=a\nkl\nkl\n=yend size=4\n", "a:ABAB;" },
	{ "an escape", "=ybegin line=128 size=2 name=a\nk=\xac\n=yend size=2", "a:AB;" },
	{ "a wrong size", "=ybegin line=128 size=3 name=a\nkl\n=yend size=3\n", "a:AB!;" },
	{ "no size", "=ybegin line=128 name=a\nkl\n=yend\n", "a:AB!;" },
	{ "no end", "=ybegin line=128 size=2 name=a\nkl\n", "a:AB!;" },
	{ "one of two", "=ybegin part=1 total=2 line=128 size=2 name=a\n=ypart begin=1 end=2\nkl\n=yend size=2 part=1\n", "a:AB!;" },
	{ "no name", "=ybegin line=128 size=2\nkl\n=yend size=2\n", ":AB;" },
	{ "two files", "=ybegin size=1 name=a\nk\n=yend size=1\n=ybegin size=1 name=b\nl\n=yend size=1\n", "a:A;b:B;" },
}, binhex_cases[] = {
	{ "none", "see (This file must be converted with BinHex 4.0)\n", "" },
	{ "a file", "x\n(This file must be converted with BinHex 4.0)\n\n:ab\n:\nbye",
	  ":(This file must be converted with BinHex 4.0)\n\n:ab\n:!;" },
	{ "no end", "(This file must be converted with BinHex 4.0)\n:ab", ":(This file must be converted with BinHex 4.0)\n:ab!;" },
};

typedef bool next_fn(const char *text, size_t len, size_t from, struct vtm_uu *block);

static char *blocks_in(next_fn *next, const char *text, size_t len)
{
	char *exact = g_memdup2(text, len);
	GString *got = g_string_new(NULL);
	struct vtm_uu b;
	size_t at = 0;

	while (next(exact, len, at, &b)) {
		g_string_append_printf(got, "%s:%.*s%s;", b.name, (int)b.data.len, b.data.data, b.broken ? "!" : "");
		if (b.next <= at)
			g_string_append(got, "(no progress)");
		at = b.next;
		vtm_uu_clear(&b);
	}
	g_free(exact);
	return g_string_free(got, FALSE);
}

static void check(next_fn *next, const char *what, const char *text, const char *want)
{
	char *got = blocks_in(next, text, strlen(text));

	is_str(got, want, "%s", what);
	g_free(got);
	/* cut anywhere, nothing is read after the end */
	for (size_t n = 0; n < strlen(text); n++)
		g_free(blocks_in(next, text, n));
}

int main(void)
{
	GString *large = g_string_new("begin 644 a\n");
	struct vtm_uu b = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		check(vtm_uu_next, cases[i].what, cases[i].text, cases[i].want);
	for (size_t i = 0; i < G_N_ELEMENTS(yenc_cases); i++)
		check(vtm_yenc_next, yenc_cases[i].what, yenc_cases[i].text, yenc_cases[i].want);
	for (size_t i = 0; i < G_N_ELEMENTS(binhex_cases); i++)
		check(vtm_binhex_next, binhex_cases[i].what, binhex_cases[i].text, binhex_cases[i].want);
	for (unsigned i = 0; i < 100000; i++)
		g_string_append(large, "#AAAA\n");
	ok(vtm_uu_next(large->str, large->len, 0, &b) && b.data.len == 300000, "three bytes of four characters");
	vtm_uu_clear(&b);
	g_string_free(large, TRUE);
	return done_testing();
}
