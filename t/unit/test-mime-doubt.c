/* SPDX-License-Identifier: BSD-2-Clause */
/* test-mime-doubt.c - what makes a message ambiguous, and what ordinary mail may hold without being so. */
#include "mail/mime-doubt.h"
#include "mail/mime-boundaries.h"

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

static bool occurs(const char *const *boundaries, const char *text, size_t len)
{
	struct vtm_boundaries *b = vtm_boundaries_new();
	char *exact = g_memdup2(text, len);	/* a read past its end shows */
	bool found;

	for (; *boundaries; boundaries++)
		vtm_boundaries_add(b, *boundaries);
	found = vtm_boundaries_in(b, exact, len, NULL);
	g_free(exact);
	vtm_boundaries_free(b);
	return found;
}

/* RFC 2046 5.1.1: a boundary is compared with the beginning of a line only. */
static void leaves(void)
{
	static const char *const around[] = { "abc-1", "", "abc", "--x", NULL }, *const none[] = { NULL };
	static const struct doubt_case cases[] = {
		{ "nothing", "", false },
		{ "text", "Hello -- abc\r\n--\r\nab\r\n", false },
		{ "the beginning of a boundary", "--ab\r\n", false },
		{ "a delimiter inside of a line", "Hello--abc\r\n", true },
		{ "one that goes on", "--abcdef\r\n", true },
		{ "in another case", "--ABC\r\n", true },
		{ "the last bytes", "Hello --abc", true },
		{ "more dashes than two", "-----abc", true },
		{ "dashes of the boundary's own", "----x", true },
		{ "too few of them", "---x", false },
	};
	char *long_one = g_strnfill(100, 'x'), *text = g_strconcat("x--", long_one, NULL);
	const char *const boundaries[] = { long_one, NULL };

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		ok(occurs(around, cases[i].text, strlen(cases[i].text)) == cases[i].want, "leaf, %s: %s", cases[i].what,
		   cases[i].want ? "ambiguous" : "not ambiguous");
	ok(!occurs(none, "--abc", 5), "leaf, no boundaries: not ambiguous");
	ok(occurs(boundaries, text, 3 + 70), "leaf, 70 bytes of a boundary: ambiguous");
	ok(!occurs(boundaries, text, 3 + 69), "leaf, 69 bytes of one: not ambiguous");
	g_free(text);
	g_free(long_one);
}

/* What is not remembered, or not looked at, is found everywhere. */
static void leaf_bounds(void)
{
	struct vtm_boundaries *b = vtm_boundaries_new();
	char *dashes = g_strnfill(100000, '-'), *most = g_strnfill(VTM_BOUNDARY_CMP - 1, '-');
	struct vtm_work work;

	vtm_boundaries_add(b, most);
	ok(vtm_boundaries_in(b, dashes, 100000, NULL), "leaf, dashes alone");
	vtm_boundaries_free(b);
	b = vtm_boundaries_new();
	most[VTM_BOUNDARY_CMP - 2] = 'x';
	vtm_boundaries_add(b, most);
	vtm_work_begin(&work, NULL, INT64_MAX, 100000 * VTM_BOUNDARY_CMP + 100000);
	ok(!vtm_boundaries_in(b, dashes, 100000, &work), "leaf, dashes and a boundary that ends otherwise");
	vtm_work_begin(&work, NULL, INT64_MAX, 200000);
	ok(vtm_boundaries_in(b, dashes, 100000, &work) && vtm_work_over(&work), "leaf, the work ended: ambiguous");
	for (unsigned i = 0; i < VTM_BOUNDARIES_BYTES; i++) {
		char text[16];

		g_snprintf(text, sizeof(text), "%u", i);
		vtm_boundaries_add(b, text);
	}
	ok(vtm_boundaries_in(b, "x", 1, NULL), "leaf, more boundaries than are remembered: ambiguous");
	vtm_boundaries_free(b);
	g_free(dashes);
	g_free(most);
}

int main(void)
{
	headers();
	bodies();
	leaves();
	leaf_bounds();
	return done_testing();
}
