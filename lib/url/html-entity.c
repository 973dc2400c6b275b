/* SPDX-License-Identifier: BSD-2-Clause */
/* html-entity.c - character references of HTML. */
#include "url/html-parts.h"

/* Numbers of the C1 controls stand for what Windows-1252 has there (HTML standard, numeric character reference end
 * state); zero there: no character, the number stays. */
static gunichar numbered(gunichar c)
{
	static const gunichar windows[32] = {
		0x20ac, 0, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0, 0x17d, 0,
		0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0, 0x17e, 0x178
	};

	if (c >= 0x80 && c <= 0x9f && windows[c - 0x80])
		return windows[c - 0x80];
	return c && g_unichar_validate(c) ? c : 0xfffd;
}

/* "&#58;" at b.at: its number, and what is behind it. */
static const char *number_at(struct vtm_bytes b, gunichar *c_r)
{
	const char *p = b.at + 2;
	bool hex = p < b.end && (*p == 'x' || *p == 'X');
	const char *digits = hex ? ++p : p;
	gunichar c = 0;

	for (; p < b.end && (hex ? g_ascii_isxdigit(*p) : g_ascii_isdigit(*p)); p++)
		c = MIN(c * (hex ? 16 : 10) + (gunichar)g_ascii_xdigit_value(*p), 0x110000);
	if (p == digits)
		return NULL;
	*c_r = c;
	return p < b.end && *p == ';' ? p + 1 : p;
}

/* The same with what it stands for.  The standard has no half of a surrogate pair; programs that keep text in UTF-16
 * see a character where two halves meet, and two replacement characters are no host for anybody. */
static const char *numeric_reference(struct vtm_bytes b, gunichar *c_r)
{
	gunichar c, low;
	const char *next = number_at(b, &c), *after;

	if (!next)
		return NULL;
	*c_r = numbered(c);
	if (c < 0xd800 || c > 0xdbff || b.end - next < 3 || next[0] != '&' || next[1] != '#')
		return next;
	after = number_at((struct vtm_bytes){ next, b.end }, &low);
	if (!after || low < 0xdc00 || low > 0xdfff)
		return next;
	*c_r = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	return after;
}

/* "&name;" at b.at, or without a semicolon as far as HTML allows: in an attribute not before '=' or a letter. */
static const char *named_reference(struct vtm_bytes b, bool attribute, const struct vtm_html_name **name_r)
{
	char name[VTM_HTML_NAME + 1];
	const char *p = b.at + 1;
	size_t n = 0;

	while (p + n < b.end && n < VTM_HTML_NAME && g_ascii_isalnum(p[n])) {
		name[n] = p[n];
		n++;
	}
	name[n] = '\0';
	if (n < 2)
		return NULL;
	if (p + n < b.end && p[n] == ';' && (*name_r = vtm_html_name(name)))
		return p + n + 1;
	if (attribute) {
		*name_r = p + n < b.end && p[n] == '=' ? NULL : vtm_html_name(name);
		return *name_r && (*name_r)->legacy ? p + n : NULL;
	}
	for (n = MIN(n, VTM_HTML_LEGACY_NAME); n > 1; n--) {
		name[n] = '\0';
		*name_r = vtm_html_name(name);
		if (*name_r && (*name_r)->legacy)
			return p + n;
	}
	return NULL;
}

void vtm_html_decode(struct vtm_buffer *out, struct vtm_bytes b, bool attribute)
{
	while (b.at < b.end) {
		const char *amp = memchr(b.at, '&', (size_t)(b.end - b.at)), *next;
		const struct vtm_html_name *name = NULL;
		gunichar c = 0;

		vtm_buffer_add(out, b.at, (size_t)((amp ? amp : b.end) - b.at));
		if (!amp)
			return;
		b.at = amp;
		if (b.end - amp > 1 && amp[1] == '#')
			next = numeric_reference(b, &c);
		else
			next = named_reference(b, attribute, &name);
		vtm_buffer_add_unichar(out, !next ? '&' : name ? name->c : c);
		if (next && name && name->second)
			vtm_buffer_add_unichar(out, name->second);
		b.at = next ? next : amp + 1;
	}
}
