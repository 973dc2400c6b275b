/* SPDX-License-Identifier: BSD-2-Clause */
/* charset.c - labels to encodings by the Encoding Standard's table, and any of them to UTF-8 by iconv. */
#include "base/charset.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "base/buffer.h"

#define REPLACEMENT "\xef\xbf\xbd"
#define LABEL_MAX 32	/* the longest has 20 characters */

/* https://encoding.spec.whatwg.org/#names-and-labels: iconv's name of each encoding, and its labels.  Left out are those
 * of "replacement", which is never decoded, and of x-user-defined, in which ASCII is as it is. */
static const struct { const char *encoding, *labels; } table[] = {
	{ "UTF-8", " unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8 " },
	{ "CP866", " 866 cp866 csibm866 ibm866 " },
	{ "ISO-8859-2", " csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2 " },
	{ "ISO-8859-3", " csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3 " },
	{ "ISO-8859-4", " csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4 " },
	{ "ISO-8859-5", " csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 "
	  "iso_8859-5:1988 " },
	{ "ISO-8859-6", " arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e "
	  "iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987 " },
	{ "ISO-8859-7", " csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 "
	  "iso_8859-7 iso_8859-7:1987 sun_eu_greek " },
	{ "ISO-8859-8", " csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 "
	  "iso_8859-8 iso_8859-8:1988 visual csiso88598i iso-8859-8-i logical " },
	{ "ISO-8859-10", " csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6 " },
	{ "ISO-8859-13", " iso-8859-13 iso8859-13 iso885913 " },
	{ "ISO-8859-14", " iso-8859-14 iso8859-14 iso885914 " },
	{ "ISO-8859-15", " csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9 " },
	{ "ISO-8859-16", " iso-8859-16 " },
	{ "KOI8-R", " cskoi8r koi koi8 koi8-r koi8_r " },
	{ "KOI8-U", " koi8-ru koi8-u " },
	{ "MACINTOSH", " csmacintosh mac macintosh x-mac-roman " },
	{ "CP874", " dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874 " },
	{ "CP1250", " cp1250 windows-1250 x-cp1250 " },
	{ "CP1251", " cp1251 windows-1251 x-cp1251 " },
	{ "CP1252", " cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 "
	  "iso_8859-1 iso_8859-1:1987 l1 latin1 windows-1252 x-cp1252 " },
	{ "CP1253", " cp1253 windows-1253 x-cp1253 " },
	{ "CP1254", " cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 "
	  "latin5 windows-1254 x-cp1254 " },
	{ "CP1255", " cp1255 windows-1255 x-cp1255 " },
	{ "CP1256", " cp1256 windows-1256 x-cp1256 " },
	{ "CP1257", " cp1257 windows-1257 x-cp1257 " },
	{ "CP1258", " cp1258 windows-1258 x-cp1258 " },
	{ "MAC-CYRILLIC", " x-mac-cyrillic x-mac-ukrainian " },
	{ "GB18030", " chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk gb18030 " },
	{ "BIG5-HKSCS", " big5 big5-hkscs cn-big5 csbig5 x-x-big5 " },
	{ "EUC-JP", " cseucpkdfmtjapanese euc-jp x-euc-jp " },
	{ "ISO-2022-JP", " csiso2022jp iso-2022-jp " },
	{ "CP932", " csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis " },
	{ "CP949", " cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 "
	  "windows-949 " },
	{ "UTF-16BE", " unicodefffe utf-16be " },
	{ "UTF-16LE", " csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le " },
	/* of the standard, as another name of windows-1252; but UTF-8 is often called so */
	{ VTM_CHARSET_BYTES, " us-ascii ascii ansi_x3.4-1968 " },
	/* not of the standard: mail programs read it, browsers do not, so it is never the only reading */
	{ VTM_CHARSET_UTF7, " utf-7 unicode-1-1-utf-7 csunicode11utf7 x-unicode-2-0-utf-7 " },
};

const char *vtm_charset_encoding(const char *label)
{
	char wanted[LABEL_MAX + 3];
	size_t n;

	label += strspn(label, " \t\r\n\f");
	n = strcspn(label, " \t\r\n\f");
	if (!n || n > LABEL_MAX || label[n + strspn(label + n, " \t\r\n\f")])
		return NULL;
	wanted[0] = wanted[n + 1] = ' ';
	for (size_t i = 0; i < n; i++)
		wanted[i + 1] = g_ascii_tolower(label[i]);
	wanted[n + 2] = '\0';
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
		if (strstr(table[i].labels, wanted))
			return table[i].encoding;
	return NULL;
}

/* The encoding that a byte order mark at the start names, and the length of the mark; NULL: there is no mark. */
static const char *mark(const char *text, size_t len, size_t *skip_r)
{
	static const struct { const char *bytes; size_t n; const char *encoding; } marks[] = {
		{ "\xef\xbb\xbf", 3, VTM_CHARSET_UTF8 }, { "\xff\xfe", 2, "UTF-16LE" }, { "\xfe\xff", 2, "UTF-16BE" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(marks); i++)
		if (len >= marks[i].n && !memcmp(text, marks[i].bytes, marks[i].n)) {
			*skip_r = marks[i].n;
			return marks[i].encoding;
		}
	*skip_r = 0;
	return NULL;
}

/* ---- readings ---- */

static bool is_utf16(const char *encoding)
{
	return g_str_has_prefix(encoding, "UTF-16");
}

/* Does every encoding but UTF-16 read these bytes alike? */
static bool is_plain_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((guchar)text[i] >= 0x80 || text[i] == 0x1b || text[i] == 0x0e || text[i] == 0x0f)
			return false;
	return true;
}

struct readings {
	const char **list;
	unsigned n;
	bool plain;	/* the bytes are ASCII */
	bool more;
};

static void add_reading(struct readings *r, const char *encoding)
{
	if (r->plain && !is_utf16(encoding) && strcmp(encoding, VTM_CHARSET_UTF7))
		encoding = VTM_CHARSET_BYTES;
	for (unsigned i = 0; i < r->n; i++)
		if (!strcmp(r->list[i], encoding))
			return;
	if (r->n < VTM_CHARSET_READINGS)
		r->list[r->n++] = encoding;
	else
		r->more = true;
}

/* UTF-16 that begins with markup may lack its mark (XML 1.0, appendix F). */
static const char *sniff(const char *text, size_t len)
{
	if (len > 3 && text[0] == '<' && !text[1])
		return "UTF-16LE";
	return len > 3 && !text[0] && text[1] == '<' ? "UTF-16BE" : NULL;
}

unsigned vtm_charset_readings(const char *text, size_t len, const char *const *labels, bool as_it_is,
			      const char *list[VTM_CHARSET_READINGS], bool *more_r)
{
	struct readings r = { .list = list, .plain = is_plain_ascii(text, len) };
	const char *marked, *sniffed = sniff(text, len);
	size_t skip;

	marked = mark(text, len, &skip);
	if (marked)
		add_reading(&r, marked);
	for (; labels && *labels; labels++) {
		const char *encoding = vtm_charset_encoding(*labels);

		as_it_is = as_it_is || !encoding || is_utf16(encoding) || !strcmp(encoding, VTM_CHARSET_UTF7);
		if (encoding)
			add_reading(&r, encoding);
	}
	if (sniffed)
		add_reading(&r, sniffed);
	if (as_it_is || !r.n)
		add_reading(&r, VTM_CHARSET_BYTES);
	*more_r = r.more;
	return r.n;
}

/* ---- conversion ---- */

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

/* false: this system's iconv does not know it. */
static bool by_iconv(struct vtm_buffer *out, const char *text, size_t len, const char *encoding)
{
	GIConv cd = g_iconv_open("UTF-8", encoding);
	struct vtm_buffer converted = { .data = NULL };

	if (cd == (GIConv)-1)
		return false;
	convert(&converted, cd, text, len, is_utf16(encoding) ? 2 : 1);
	g_iconv_close(cd);
	if (converted.refused || !memchr(vtm_buffer_text(&converted), '\0', converted.len)) {
		*out = converted;
		return true;
	}
	repair_utf8(out, converted.data, converted.len);
	vtm_buffer_clear(&converted);
	return true;
}

char *vtm_charset_utf8(const char *text, size_t len, const char *encoding, size_t *len_r)
{
	struct vtm_buffer out = { .data = NULL };
	const char *marked;
	bool done = false;
	size_t skip;

	marked = mark(text, len, &skip);
	if (!encoding)
		encoding = marked ? marked : VTM_CHARSET_BYTES;
	if (marked && (!strcmp(marked, encoding) || !strcmp(marked, VTM_CHARSET_UTF8))) {
		text += skip;
		len -= skip;
	}
	if (*encoding && strcmp(encoding, VTM_CHARSET_UTF8))
		done = by_iconv(&out, text, len, encoding);
	else if (!*encoding && !g_utf8_validate_len(text, len, NULL) && !memchr(text, '\0', len))
		done = by_iconv(&out, text, len, "CP1252");
	if (!done)
		repair_utf8(&out, text, len);
	*len_r = out.len;
	return vtm_buffer_steal(&out);
}
