/* SPDX-License-Identifier: BSD-2-Clause */
/* test-mime-doubt.c - what makes a message ambiguous, and what ordinary mail may hold without being so. */
#include "mail/mime-doubt.h"

#include <glib.h>
#include <string.h>

#include "tap.h"

struct doubt_case {
	const char *what, *text;
	bool want;
};

static void check(bool (*doubt)(const char *text, size_t len), const char *name, const struct doubt_case *cases,
		  size_t n)
{
	for (size_t i = 0; i < n; i++)
		ok(doubt(cases[i].text, strlen(cases[i].text)) == cases[i].want, "%s, %s: %s", name, cases[i].what,
		   cases[i].want ? "ambiguous" : "not ambiguous");
}

static void headers(void)
{
	static const struct doubt_case cases[] = {
		{ "nothing", "", false },
		{ "ordinary fields", "From: a\r\nContent-Type: text/plain;\r\n\tcharset=utf-8\r\n", false },
		{ "LF only", "From: a\nContent-Type: text/plain\n", false },
		{ "a CR alone", "From: a\rContent-Type: text/html\r\n", true },
		{ "a type on a folded line", "Subject: a\r\n Content-Type: text/html\r\n", true },
		{ "an encoding on a folded line", "Subject: a\r\n\tContent-Transfer-Encoding: base64\r\n", true },
		{ "names that a signature lists", "DKIM-Signature: h=From:\r\n Content-Type:Subject\r\n", false },
		{ "a type inside of a line", "Subject: about Content-Type: text/html\r\n", false },
		{ "a comment in a name", "Content-Type(x): text/html\r\n", true },
		{ "a byte order mark before a name", "\xef\xbb\xbf" "Content-Type: text/html\r\n", true },
		{ "a blank before the colon", "Content-Type : text/html\r\n", false },
	};

	check(vtm_doubt_header, "header", cases, G_N_ELEMENTS(cases));
	ok(vtm_doubt_header("From: a\0b\r\n", 11), "header, a NUL: ambiguous");
}

static void bodies(void)
{
	static const struct doubt_case begins[] = {
		{ "nothing", "", false },
		{ "text", "Content-Type is a field\r\n", false },
		{ "a field", "Content-Type: text/html\r\n", true },
		{ "a field behind blank lines", "\r\n \r\nContent-Disposition: attachment\r\n", true },
		{ "a field later on", "Hello\r\nContent-Type: text/html\r\n", false },
		{ "a list of names", "Content-Type:Subject\r\n", false },
	};
	static const struct doubt_case outside[] = {
		{ "the usual words", "This is a multi-part message in MIME format.\r\n", false },
		{ "a field later on", "Hello\r\nContent-Type: text/html\r\n", true },
		{ "a field behind blanks", "Hello\r\n  Content-Transfer-Encoding: base64\r\n", true },
		{ "a field inside of a line", "Hello, Content-Type: text/html\r\n", false },
	};

	check(vtm_doubt_body, "body", begins, G_N_ELEMENTS(begins));
	check(vtm_doubt_outside, "outside of the parts", outside, G_N_ELEMENTS(outside));
}

/* RFC 2046 5.1.1: a boundary is compared with the beginning of a line only. */
static void leaves(void)
{
	static const char *const around[] = { "abc-1", "abc", NULL }, *const none[] = { NULL };
	static const struct doubt_case cases[] = {
		{ "nothing", "", false },
		{ "text", "Hello -- abc\r\n--\r\nab\r\n", false },
		{ "the beginning of a boundary", "--ab\r\n", false },
		{ "a delimiter inside of a line", "Hello--abc\r\n", true },
		{ "one that goes on", "--abcdef\r\n", true },
		{ "the last bytes", "Hello --abc", true },
	};
	char *long_one = g_strnfill(100, 'x'), *text = g_strconcat("x--", long_one, NULL);
	const char *const boundaries[] = { long_one, NULL };

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		ok(vtm_doubt_leaf(cases[i].text, strlen(cases[i].text), around) == cases[i].want, "leaf, %s: %s", cases[i].what,
		   cases[i].want ? "ambiguous" : "not ambiguous");
	ok(!vtm_doubt_leaf("--abc", 5, none), "leaf, no boundaries: not ambiguous");
	ok(vtm_doubt_leaf(text, 3 + 70, boundaries), "leaf, 70 bytes of a boundary: ambiguous");
	ok(!vtm_doubt_leaf(text, 3 + 69, boundaries), "leaf, 69 bytes of one: not ambiguous");
	g_free(text);
	g_free(long_one);
}

static void base64(void)
{
	static const struct doubt_case cases[] = {
		{ "nothing", "", false },
		{ "too little", "abc", false },
		{ "lines of it", "SGVs\r\nbG8=\r\n", true },
		{ "text", "Hello, you\r\n", false },
	};
	char *text = g_strnfill(1025, 'A');

	check(vtm_doubt_base64, "base64", cases, G_N_ELEMENTS(cases));
	text[1024] = ',';
	ok(vtm_doubt_base64(text, 1025), "base64, another byte behind the first 1,024: ambiguous");
	text[1023] = ',';
	ok(!vtm_doubt_base64(text, 1025), "base64, another byte among them: not ambiguous");
	g_free(text);
}

int main(void)
{
	headers();
	bodies();
	leaves();
	base64();
	return done_testing();
}
