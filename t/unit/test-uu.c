/* SPDX-License-Identifier: BSD-2-Clause */
/* test-uu.c - uuencoded blocks in text. */
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
	{ "an empty block is none", "begin 644 a\n`\nend\n", "" },
	{ "no digits", "begin abc x\n#04)#\n`\nend\n", "" },
	{ "not at the start of a line", " begin 644 a\n#04)#\n`\nend\n", "" },
};

static char *blocks_in(const char *text, size_t len)
{
	char *exact = g_memdup2(text, len);
	GString *got = g_string_new(NULL);
	struct vtm_uu b;
	size_t at = 0;

	while (vtm_uu_next(exact, len, at, &b)) {
		g_string_append_printf(got, "%s:%.*s%s;", b.name, (int)b.data.len, b.data.data, b.broken ? "!" : "");
		if (b.next <= at)
			g_string_append(got, "(no progress)");
		at = b.next;
		vtm_uu_clear(&b);
	}
	g_free(exact);
	return g_string_free(got, FALSE);
}

int main(void)
{
	GString *large = g_string_new("begin 644 a\n");
	struct vtm_uu b = { 0 };
	char *got;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		got = blocks_in(cases[i].text, strlen(cases[i].text));
		is_str(got, cases[i].want, "%s", cases[i].what);
		g_free(got);
		/* cut anywhere, nothing is read behind the end */
		for (size_t n = 0; n < strlen(cases[i].text); n++)
			g_free(blocks_in(cases[i].text, n));
	}
	for (unsigned i = 0; i < 100000; i++)
		g_string_append(large, "#AAAA\n");
	ok(vtm_uu_next(large->str, large->len, 0, &b) && b.data.len == 300000, "three bytes of four characters");
	vtm_uu_clear(&b);
	g_string_free(large, TRUE);
	return done_testing();
}
