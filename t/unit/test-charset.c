/* SPDX-License-Identifier: BSD-2-Clause */
/* test-charset.c - which encodings a text is read in, and its bytes in each of them. */
#include "base/charset.h"

#include <glib.h>
#include <string.h>

#include "tap.h"

/* The readings, one after the other. */
static char *readings_of(const char *text, size_t len, const char *const *labels, bool as_it_is, bool *more_r)
{
	const char *list[VTM_CHARSET_READINGS];
	unsigned n = vtm_charset_readings(text, len, labels, as_it_is, list, more_r);
	GString *all = g_string_new(NULL);

	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(all, "%s%s", i ? " " : "", *list[i] ? list[i] : "bytes");
	return g_string_free(all, FALSE);
}

#define T(text) text, sizeof(text) - 1

static void readings(void)
{
	static const struct {
		const char *what, *text;
		size_t len;
		const char *labels[6];
		bool as_it_is;
		const char *want;
	} cases[] = {
		{ "nothing declared", T("a"), { NULL }, false, "bytes" },
		{ "UTF-8", T("\xc3\xa9"), { "utf-8" }, false, "UTF-8" },
		{ "ASCII in whatever", T("a"), { "utf-8", "koi8-r", "big5" }, true, "bytes" },
		{ "two labels", T("\xc3\xa9"), { "UTF-8", "Koi8-R" }, false, "UTF-8 KOI8-R" },
		{ "a saved file", T("\xc3\xa9"), { "koi8-r" }, true, "KOI8-R bytes" },
		{ "an unknown label", T("\xc3\xa9"), { "ibm037" }, false, "bytes" },
		{ "UTF-32", T("a"), { "utf-32" }, false, "bytes" },
		{ "a label that goes on", T("\xc3\xa9"), { "koi8-r x" }, false, "bytes" },
		{ "part of a label", T("\xc3\xa9"), { "koi8 koi8-r" }, false, "bytes" },
		{ "blanks around a label", T("\xc3\xa9"), { "\tkoi8-r " }, false, "KOI8-R" },
		{ "an empty label", T("\xc3\xa9"), { "" }, false, "bytes" },
		{ "UTF-7", T("a+ADw-"), { "utf-7" }, false, "UTF-7 bytes" },
		{ "UTF-16 that may be none", T("ab"), { "utf-16" }, false, "UTF-16LE bytes" },
		{ "a mark before ASCII", T("\xff\xfe" "ab"), { "utf-8" }, false, "UTF-16LE UTF-8" },
		{ "the other mark", T("\xfe\xff" "ab"), { NULL }, false, "UTF-16BE" },
		{ "four bytes like UTF-32's mark", T("\0\0\xfe\xff" "a"), { "utf-8" }, false, "UTF-8" },
		{ "UTF-16 without a mark", T("<\0a\0"), { "utf-8" }, false, "bytes UTF-16LE" },
		{ "UTF-16 the other way", T("\0<\0a"), { NULL }, true, "UTF-16BE bytes" },
		{ "ISO-2022-JP in ASCII", T("a"), { "iso-2022-jp" }, false, "bytes" },
		{ "ISO-2022-JP with escapes", T("a\x1b(Bb"), { "iso-2022-jp" }, false, "ISO-2022-JP" },
	};
	static const char *const many[] = { "koi8-r", "koi8-u", "big5", "gbk", "euc-jp", NULL };
	bool more;
	char *got;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		got = readings_of(cases[i].text, cases[i].len, cases[i].labels, cases[i].as_it_is, &more);
		is_str(got, cases[i].want, "%s", cases[i].what);
		ok(!more, "%s: not more", cases[i].what);
		g_free(got);
	}
	got = readings_of(T("\xe9"), many, false, &more);
	is_str(got, "KOI8-R KOI8-U BIG5-HKSCS GB18030", "five labels: four readings");
	ok(more, "... and it says that there are more");
	g_free(got);
}

static void conversions(void)
{
	static const struct {
		const char *what, *text;
		size_t len;
		const char *encoding, *want;
	} cases[] = {
		{ "NUL", T("a\0b"), "UTF-8", "a\xef\xbf\xbd" "b" },
		{ "nothing", T(""), "UTF-16LE", "" },
		{ "half a surrogate pair", T("\xff\xfe\x3d\xd8"), NULL, "\xef\xbf\xbd" },
		{ "GB 2312", T("\xb0\xa1"), "GB18030", "\xe5\x95\x8a" },
		{ "UTF-16 with its mark", T("\xff\xfe" "a\0"), "UTF-16LE", "a" },
		{ "UTF-16 without", T("a\0"), "UTF-16LE", "a" },
		{ "a mark counts where nothing is said", T("\xff\xfe" "a\0"), NULL, "a" },
		{ "a mark does not count against what is said", T("\xff\xfe" "ab"), "", "\xc3\xbf\xc3\xbe" "ab" },
		{ "UTF-8's mark is not text", T("\xef\xbb\xbf" "a"), "", "a" },
		{ "bytes: UTF-8", T("\xc3\xa9"), "", "\xc3\xa9" },
		{ "bytes: windows-1252", T("\xe9\x80"), "", "\xc3\xa9\xe2\x82\xac" },
		{ "broken UTF-8", T("\xe9"), "UTF-8", "\xef\xbf\xbd" },
		{ "an encoding that iconv does not know", T("a"), "no-such", "a" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		size_t n;
		char *got = vtm_charset_utf8(cases[i].text, cases[i].len, cases[i].encoding, &n);

		is_str(got, cases[i].want, "%s", cases[i].what);
		ok(n == strlen(got), "%s: its length", cases[i].what);
		g_free(got);
	}
}

/* Every label of the table is one that iconv can do. */
static void labels(void)
{
	static const struct { const char *label, *encoding; } some[] = {
		{ "unicode-1-1-utf-8", "UTF-8" }, { "866", "CP866" }, { "latin2", "ISO-8859-2" }, { "iso_8859-8:1988", "ISO-8859-8" },
		{ "logical", "ISO-8859-8" }, { "koi8-ru", "KOI8-U" }, { "mac", "MACINTOSH" }, { "tis-620", "CP874" },
		{ "x-cp1250", "CP1250" }, { "ISO-8859-1", "CP1252" }, { "latin1", "CP1252" }, { "l5", "CP1254" },
		{ "x-mac-ukrainian", "MAC-CYRILLIC" }, { "gb2312", "GB18030" }, { "gbk", "GB18030" }, { "cn-big5", "BIG5-HKSCS" },
		{ "x-euc-jp", "EUC-JP" }, { "csiso2022jp", "ISO-2022-JP" }, { "ms_kanji", "CP932" }, { "ks_c_5601-1987", "CP949" },
		{ "unicodefffe", "UTF-16BE" }, { "ucs-2", "UTF-16LE" }, { "us-ascii", "" }, { "utf-7", "UTF-7" },
	};
	static const char *const none[] = {
		"ibm037", "utf-32", "ucs-4", "utf-16le//translit", "iso-2022-kr", "hz-gb-2312", "replacement", "cp949", " ", "utf-8,"
	};

	for (size_t i = 0; i < G_N_ELEMENTS(some); i++) {
		GIConv cd;

		is_str(vtm_charset_encoding(some[i].label), some[i].encoding, "%s", some[i].label);
		cd = *some[i].encoding ? g_iconv_open("UTF-8", some[i].encoding) : (GIConv)-1;
		if (*some[i].encoding)
			ok(cd != (GIConv)-1, "... iconv knows %s", some[i].encoding);
		if (cd != (GIConv)-1)
			g_iconv_close(cd);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(none); i++)
		is_str(vtm_charset_encoding(none[i]), NULL, "not a label: %s", none[i]);
}

int main(void)
{
	readings();
	conversions();
	labels();
	return done_testing();
}
