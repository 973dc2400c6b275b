/* SPDX-License-Identifier: BSD-2-Clause */
/* charset.c - any charset to UTF-8 by iconv. */
#include "base/charset.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "base/buffer.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* A byte order mark at the start: the charset it tells, its length; NULL if there is none. */
static const char *mark(const char *text, size_t len, size_t *skip_r)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *charset;
	} marks[] = {
		{ "\xef\xbb\xbf", 3, "UTF-8" }, { "\xff\xfe\0\0", 4, "UTF-32LE" }, { "\0\0\xfe\xff", 4, "UTF-32BE" },
		{ "\xff\xfe", 2, "UTF-16LE" }, { "\xfe\xff", 2, "UTF-16BE" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
		if (len >= marks[i].n && !memcmp(text, marks[i].bytes, marks[i].n)) {
			*skip_r = marks[i].n;
			return marks[i].charset;
		}
	}
	*skip_r = 0;
	return NULL;
}

/* What iconv shall be asked for: labels that mean a larger charset in practice, as the encoding standard has it. */
static const char *practical(const char *charset)
{
	static const struct {
		const char *label, *charset;
	} table[] = {
		{ "iso-8859-1", "CP1252" }, { "iso8859-1", "CP1252" }, { "iso_8859-1", "CP1252" },
		{ "latin1", "CP1252" },
		{ "iso-8859-9", "CP1254" }, { "iso-8859-11", "CP874" }, { "tis-620", "CP874" },
		{ "gb2312", "GB18030" }, { "gbk", "GB18030" }, { "x-gbk", "GB18030" }, { "gb_2312-80", "GB18030" },
		{ "ks_c_5601-1987", "CP949" }, { "ks_c_5601", "CP949" }, { "euc-kr", "CP949" }, { "ksc5601", "CP949" },
		{ "shift_jis", "CP932" }, { "shift-jis", "CP932" }, { "x-sjis", "CP932" }, { "windows-31j", "CP932" },
		{ "big5", "BIG5-HKSCS" }, { "x-x-big5", "BIG5-HKSCS" },
		{ "iso-8859-8-i", "ISO-8859-8" }, { "unicode-1-1-utf-7", "UTF-7" }, { "utf-16", "UTF-16LE" },
		{ "unicode", "UTF-16LE" }, { "ucs-2", "UTF-16LE" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
		if (!g_ascii_strcasecmp(charset, table[i].label))
			return table[i].charset;
	return charset;
}

static bool means_utf8(const char *charset)
{
	return !g_ascii_strcasecmp(charset, "utf-8") || !g_ascii_strcasecmp(charset, "utf8") ||
	       !g_ascii_strcasecmp(charset, "unicode-1-1-utf-8") || !g_ascii_strcasecmp(charset, "x-unicode20utf8");
}

static bool means_nothing(const char *charset)
{
	return !charset || !*charset ||
	       !g_ascii_strcasecmp(charset, "us-ascii") || !g_ascii_strcasecmp(charset, "ascii") ||
	       !g_ascii_strcasecmp(charset, "ansi_x3.4-1968") || !g_ascii_strcasecmp(charset, "unknown-8bit") ||
	       !g_ascii_strcasecmp(charset, "x-unknown");
}

static void repair_utf8(struct vtm_buffer *out, const char *text, size_t len)
{
	const char *end = text + len, *bad;

	vtm_buffer_make_room(out, len);
	while (!out->refused && !g_utf8_validate_len(text, (gsize)(end - text), &bad)) {
		vtm_buffer_add(out, text, (size_t)(bad - text));
		vtm_buffer_add_text(out, REPLACEMENT);
		text = bad + 1;
	}
	vtm_buffer_add(out, text, (size_t)(end - text));
}

static void convert(struct vtm_buffer *out, GIConv cd, const char *text, size_t len, size_t unit)
{
	gchar *in = (gchar *)(gintptr)text, buf[4096];
	gsize left = len;

	vtm_buffer_make_room(out, len + len / 8);
	while (left && !out->refused) {
		gchar *o = buf;
		gsize room = sizeof(buf);
		bool failed = g_iconv(cd, &in, &left, &o, &room) == (gsize)-1;

		vtm_buffer_add(out, buf, (size_t)(o - buf));
		if (failed && errno != E2BIG) {
			gsize skip = MIN(unit, left);

			vtm_buffer_add_text(out, REPLACEMENT);
			in += skip;
			left -= skip;
		}
	}
}

/* false: nobody knows the charset. */
static bool by_iconv(struct vtm_buffer *out, const char *text, size_t len, const char *charset)
{
	GIConv cd = g_iconv_open("UTF-8", charset);
	size_t unit = strstr(charset, "UTF-16") ? 2 : strstr(charset, "UTF-32") ? 4 : 1;
	struct vtm_buffer converted = { .data = NULL };

	if (cd == (GIConv)-1)
		return false;
	convert(&converted, cd, text, len, unit);
	g_iconv_close(cd);
	if (converted.refused || !memchr(vtm_buffer_text(&converted), '\0', converted.len)) {
		*out = converted;
		return true;
	}
	repair_utf8(out, converted.data, converted.len);
	vtm_buffer_clear(&converted);
	return true;
}

char *vtm_charset_utf8(const char *text, size_t len, const char *charset, size_t *len_r)
{
	size_t skip;
	const char *marked = mark(text, len, &skip);
	struct vtm_buffer out = { .data = NULL };
	bool done = false;

	text += skip;
	len -= skip;
	if (marked)
		charset = marked;
	if (!means_nothing(charset) && !means_utf8(charset))
		done = by_iconv(&out, text, len, practical(charset));
	if (!done && !(charset && means_utf8(charset)) && !g_utf8_validate_len(text, len, NULL) &&
	    !memchr(text, '\0', len))
		done = by_iconv(&out, text, len, "CP1252");
	if (!done)
		repair_utf8(&out, text, len);
	*len_r = out.len;
	return vtm_buffer_steal(&out);
}
