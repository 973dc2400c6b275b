/* SPDX-License-Identifier: BSD-2-Clause */
/* html-entity.c - character references of HTML. */
#include "url/html-parts.h"

#include <libxml/HTMLparser.h>

/* Names that HTML 4 (libxml2's table) lacks and that spell parts of a URL. */
static gunichar html5_entity(const char *name)
{
	static const struct {
		const char *name;
		gunichar c;
	} table[] = {
		{ "AMP", '&' }, { "GT", '>' }, { "Hat", '^' }, { "LT", '<' }, { "NewLine", '\n' }, { "QUOT", '"' },
		{ "Tab", '\t' }, { "UnderBar", '_' }, { "apos", '\'' }, { "ast", '*' }, { "bsol", '\\' },
		  { "colon", ':' },
		{ "comma", ',' }, { "commat", '@' }, { "dash", 0x2010 }, { "dollar", '$' }, { "equals", '=' },
		{ "excl", '!' }, { "grave", '`' }, { "hyphen", 0x2010 }, { "lbrace", '{' }, { "lbrack", '[' },
		{ "lcub", '{' }, { "lowbar", '_' }, { "lpar", '(' }, { "lsqb", '[' }, { "midast", '*' }, { "num", '#' },
		{ "percnt", '%' }, { "period", '.' }, { "plus", '+' }, { "quest", '?' }, { "rbrace", '}' },
		{ "rbrack", ']' }, { "rcub", '}' }, { "rpar", ')' }, { "rsqb", ']' }, { "semi", ';' }, { "sol", '/' },
		{ "verbar", '|' }, { "vert", '|' }, { "ZeroWidthSpace", 0x200b }, { "NoBreak", 0x2060 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
		if (!strcmp(name, table[i].name))
			return table[i].c;
	return 0;
}

static gunichar entity(const char *name)
{
	const htmlEntityDesc *e;

	if (!strcmp(name, "amp"))
		return '&';
	if (!strcmp(name, "nbsp"))
		return 0xa0;
	e = htmlEntityLookup((const xmlChar *)name);
	return e ? e->value : html5_entity(name);
}

/* Those that count without a semicolon: the ones of Latin-1, and these. */
static gunichar legacy_entity(const char *name)
{
	gunichar c = entity(name);

	return c == '&' || c == '<' || c == '>' || c == '"' || (c >= 0xa0 && c <= 0xff) ? c : 0;
}

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

/* "&#58;" at b.at: the character, and what is behind it. */
static const char *numeric_reference(struct vtm_bytes b, gunichar *c_r)
{
	const char *p = b.at + 2;
	bool hex = p < b.end && (*p == 'x' || *p == 'X');
	const char *digits = hex ? ++p : p;
	gunichar c = 0;

	for (; p < b.end && (hex ? g_ascii_isxdigit(*p) : g_ascii_isdigit(*p)); p++)
		c = MIN(c * (hex ? 16 : 10) + (gunichar)g_ascii_xdigit_value(*p), 0x110000);
	if (p == digits)
		return NULL;
	*c_r = numbered(c);
	return p < b.end && *p == ';' ? p + 1 : p;
}

/* "&name;" at b.at, or without a semicolon as far as HTML allows: in an attribute not before '=' or a letter. */
static const char *named_reference(struct vtm_bytes b, bool attribute, gunichar *c_r)
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
	if (p + n < b.end && p[n] == ';' && (*c_r = entity(name)))
		return p + n + 1;
	if (attribute) {
		*c_r = p + n < b.end && p[n] == '=' ? 0 : legacy_entity(name);
		return *c_r ? p + n : NULL;
	}
	for (n = MIN(n, 6); n > 1; n--) {
		name[n] = '\0';
		*c_r = legacy_entity(name);
		if (*c_r)
			return p + n;
	}
	return NULL;
}

void vtm_html_decode(struct vtm_buffer *out, struct vtm_bytes b, bool attribute)
{
	while (b.at < b.end) {
		const char *amp = memchr(b.at, '&', (size_t)(b.end - b.at)), *next;
		gunichar c;

		vtm_buffer_add(out, b.at, (size_t)((amp ? amp : b.end) - b.at));
		if (!amp)
			return;
		b.at = amp;
		if (b.end - amp > 1 && amp[1] == '#')
			next = numeric_reference(b, &c);
		else
			next = named_reference(b, attribute, &c);
		if (next)
			vtm_buffer_add_unichar(out, c);
		else
			vtm_buffer_add_char(out, '&');
		b.at = next ? next : amp + 1;
	}
}
