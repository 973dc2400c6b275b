/* SPDX-License-Identifier: BSD-2-Clause */
/* html-entity.c - character references of HTML. */
#include "html-parts.h"

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
	*c_r = c && g_unichar_validate(c) ? c : 0xfffd;
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

void vtm_html_decode(GString *out, struct vtm_bytes b, bool attribute)
{
	while (b.at < b.end) {
		const char *amp = memchr(b.at, '&', (size_t)(b.end - b.at)), *next;
		gunichar c;

		g_string_append_len(out, b.at, (amp ? amp : b.end) - b.at);
		if (!amp)
			return;
		b.at = amp;
		if (b.end - amp > 1 && amp[1] == '#')
			next = numeric_reference(b, &c);
		else
			next = named_reference(b, attribute, &c);
		if (next)
			g_string_append_unichar(out, c);
		else
			g_string_append_c(out, '&');
		b.at = next ? next : amp + 1;
	}
}
