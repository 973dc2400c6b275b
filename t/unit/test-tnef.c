/* SPDX-License-Identifier: BSD-2-Clause */
/* test-tnef.c - winmail.dat, built here piece by piece. */
#include "decode/tnef.h"

#include <glib.h>
#include <string.h>

#include "tap.h"

static void put(GByteArray *a, const void *data, size_t len)
{
	g_byte_array_append(a, data, (guint)len);
}

static void put_le(GByteArray *a, guint32 n, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++) {
		guint8 b = (guint8)(n >> (8 * i));

		put(a, &b, 1);
	}
}

static void put_attribute(GByteArray *a, guint32 id, const void *data, size_t len)
{
	put_le(a, id < 0x9000 && id != 0x800c ? 2 : 1, 1);
	put_le(a, id, 2);
	put_le(a, 6, 2);
	put_le(a, (guint32)len, 4);
	put(a, data, len);
	put_le(a, 0, 2);
}

static void put_property(GByteArray *a, guint32 type, guint32 id, const void *data, size_t len)
{
	put_le(a, type, 2);
	put_le(a, id, 2);
	put_le(a, 1, 4);
	put_le(a, (guint32)len, 4);
	put(a, data, len);
	put(a, "\0\0\0", (4 - len % 4) % 4);
}

static GByteArray *start(void)
{
	GByteArray *a = g_byte_array_new();

	put_le(a, 0x223e9f78, 4);
	put_le(a, 1, 2);
	return a;
}

static const char *const kinds[] = {
	[VTM_TNEF_FILE] = "file", [VTM_TNEF_MESSAGE] = "message", [VTM_TNEF_TEXT] = "text", [VTM_TNEF_HTML] = "html",
};

static void each(const struct vtm_tnef_part *p, void *arg)
{
	g_string_append_printf(arg, "%s(%s)=%.*s;", kinds[p->kind], p->name ? p->name : "", (int)MIN(p->len, 20), p->data);
}

static char *walk(const GByteArray *a, size_t len, int *rc)
{
	char *exact = g_memdup2(a->data, len);
	GString *got = g_string_new(NULL);
	int r = vtm_tnef_walk(exact, len, each, got);

	if (rc)
		*rc = r;
	g_free(exact);
	return g_string_free(got, FALSE);
}

static void check(GByteArray *a, int want_rc, const char *want, const char *what)
{
	int rc;
	char *got = walk(a, a->len, &rc);

	is_str(got, want, "%s", what);
	is_int(rc, want_rc, "%s: %s", what, want_rc ? "damaged" : "whole");
	g_free(got);
	for (guint n = 0; n < a->len; n++)
		g_free(walk(a, n, NULL));
	/* every byte made large: lengths that lie */
	for (guint n = 6; n < a->len; n++) {
		guint8 was = a->data[n];

		a->data[n] = 0xff;
		g_free(walk(a, a->len, NULL));
		a->data[n] = was;
	}
	g_byte_array_unref(a);
}

static void files(void)
{
	static const char wide[] = "l\0o\0n\0g\0.\0e\0x\0e\0\0";	/* and a final NUL of the literal's */
	GByteArray *a = start(), *props = g_byte_array_new(), *inner = start();
	guint8 guid[16] = { 1 };

	put_attribute(a, 0x9002, "", 0);
	put_attribute(a, 0x8010, "a.txt", 6);
	put_attribute(a, 0x800f, "hello", 5);
	put_attribute(a, 0x9002, "", 0);
	put_attribute(a, 0x8010, "SHORT~1.EXE", 12);
	put_attribute(a, 0x800f, "MZ", 2);
	put_le(props, 3, 4);
	put_le(props, 0x0003, 2);	/* a number, to be skipped */
	put_le(props, 0x0e20, 2);
	put_le(props, 2, 4);
	put_le(props, 0x0003, 2);	/* a named one */
	put_le(props, 0x8001, 2);
	put(props, guid, 16);
	put_le(props, 1, 4);
	put_le(props, 4, 4);
	put(props, "n\0\0\0", 4);
	put_le(props, 7, 4);
	put_property(props, 0x001f, 0x3707, wide, 18);
	put_attribute(a, 0x9005, props->data, props->len);
	check(a, 0, "file(a.txt)=hello;file(long.exe)=MZ;", "two files, the second with a long name");
	g_byte_array_unref(props);

	a = start();
	props = g_byte_array_new();
	put_attribute(inner, 0x8010, "in.txt", 7);
	put_attribute(inner, 0x800f, "x", 1);
	put_attribute(a, 0x9002, "", 0);
	put_le(props, 1, 4);
	g_byte_array_prepend(inner, guid, 16);
	put_property(props, 0x000d, 0x3701, inner->data, inner->len);
	put_attribute(a, 0x9005, props->data, props->len);
	{
		int rc;
		char *got = walk(a, a->len, &rc);

		ok(rc == 0 && g_str_has_prefix(got, "message()=x\x9f>\""), "an embedded message is told as one");
		g_free(got);
	}
	g_byte_array_unref(a);
	g_byte_array_unref(props);
	g_byte_array_unref(inner);
}

static void bodies(void)
{
	GByteArray *a = start(), *props = g_byte_array_new();

	put_attribute(a, 0x800c, "plain", 5);
	put_le(props, 1, 4);
	put_property(props, 0x0102, 0x1013, "<p>", 3);
	put_attribute(a, 0x9003, props->data, props->len);
	check(a, 0, "text()=plain;html()=<p>;", "the message's own text and page");
	g_byte_array_unref(props);
}

/* "LZFu", its body: literals only, then a reference to the place of writing. */
static void put_rtf(GByteArray *props, const char *rtf, const char *kind)
{
	GByteArray *a = g_byte_array_new();
	size_t n = strlen(rtf), at = 207 + n;

	put_le(a, 0, 4);
	put_le(a, (guint32)n, 4);
	put(a, kind, 4);
	put_le(a, 0, 4);
	for (size_t i = 0; i <= n; i++) {
		if (i % 8 == 0)
			put_le(a, n - i < 8 ? 1u << (n - i) : 0, 1);
		if (i < n)
			put(a, rtf + i, 1);
	}
	put_le(a, (guint32)(at >> 4 & 255), 1);
	put_le(a, (guint32)(at << 4 & 255), 1);
	put_property(props, 0x0102, 0x1009, a->data, a->len);
	g_byte_array_unref(a);
}

static void one_rtf(const char *rtf, const char *kind, int rc, const char *want, const char *what)
{
	GByteArray *a = start(), *props = g_byte_array_new();

	put_le(props, 1, 4);
	put_rtf(props, rtf, kind);
	put_attribute(a, 0x9003, props->data, props->len);
	check(a, rc, want, what);
	g_byte_array_unref(props);
}

static void other_bodies(void)
{
	static const char text[] = "h\0i\0";
	GByteArray *a = start(), *props = g_byte_array_new();

	put_le(props, 2, 4);
	put_property(props, 0x001f, 0x1000, text, 4);
	put_property(props, 0x001f, 0x1013, text, 4);
	put_attribute(a, 0x9003, props->data, props->len);
	check(a, 0, "text()=hi;html()=hi;", "text and page in UTF-16");
	g_byte_array_unref(props);
	one_rtf("{\\b a\\'2eb\\u9786?}", "LZFu", 0, "text()={\\b a\\'2eb\\u9786?};text()=a.b\xe2\x98\xba;",
		"an RTF body: as it is, and as it shows");
	one_rtf("{a\\par b\\{}", "LZFu", 0, "text()={a\\par b\\{};text()=a\nb{;", "its lines and braces");
	one_rtf("{abc}", "LZFx", -1, "", "one in another compression is told");
}

static void broken(void)
{
	GByteArray *a = start();

	check(a, 0, "", "an empty stream");
	a = g_byte_array_new();
	put(a, "hello world", 11);
	check(a, -1, "", "no TNEF");

	/* bad properties do not hide the next file */
	a = start();
	put_attribute(a, 0x9002, "", 0);
	put_attribute(a, 0x800f, "one", 3);
	put_attribute(a, 0x9005, "\xff\xff\xff\xff", 4);
	put_attribute(a, 0x9002, "", 0);
	put_attribute(a, 0x800f, "two", 3);
	check(a, -1, "file()=one;file()=two;", "bad properties");

	a = start();
	for (int i = 0; i < VTM_TNEF_FILES_MAX + 1; i++) {
		put_attribute(a, 0x9002, "", 0);
		put_attribute(a, 0x800f, "x", 1);
	}
	{
		int rc;
		char *got = walk(a, a->len, &rc);

		is_int((gint64)strlen(got), VTM_TNEF_FILES_MAX * 9, "as many files as allowed, and no more");
		is_int(rc, -1, "that is told");
		g_free(got);
	}
	g_byte_array_unref(a);
}

int main(void)
{
	ok(vtm_tnef_is("\x78\x9f\x3e\x22\1\0x", 7), "told by its first bytes");
	ok(!vtm_tnef_is("\x78\x9f\x3e", 3) && !vtm_tnef_is("", 0), "not by fewer");
	files();
	bodies();
	other_bodies();
	broken();
	return done_testing();
}
