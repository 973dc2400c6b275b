/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-doubt.c - signs that mail programs see other parts in a message than we do. */
#include "mail/mime-doubt.h"

#include <glib.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t skip_blanks(const char *text, size_t len, size_t at)
{
	while (at < len && is_blank(text[at]))
		at++;
	return at;
}

/* The line after that of <p>; NULL: there is none. */
static const char *next_line(const char *p, const char *end)
{
	const char *lf = memchr(p, '\n', (size_t)(end - p));

	return lf && lf + 1 < end ? lf + 1 : NULL;
}

static bool begins(const char *text, size_t len, size_t at, const char *word)
{
	size_t n = strlen(word);

	return len - at >= n && !g_ascii_strncasecmp(text + at, word, n);
}

/* The offset after the colon of the field <name> at <at> and after blanks; 0: no such field is there. */
static size_t value_of(const char *text, size_t len, size_t at, const char *name)
{
	if (!begins(text, len, at, name))
		return 0;
	at = skip_blanks(text, len, at + strlen(name));
	return at < len && text[at] == ':' ? skip_blanks(text, len, at + 1) : 0;
}

/* Is there a type with a slash, unlike in the lists of names that signatures have? */
static bool is_type(const char *text, size_t len, size_t at)
{
	size_t from = at;

	while (at < len && (g_ascii_isalnum(text[at]) || text[at] == '-'))
		at++;
	return at > from && at < len && text[at] == '/';
}

static bool is_coded(const char *text, size_t len, size_t at)
{
	static const char *const codes[] = { "base64", "quoted-printable", "x-uu", "uu" };

	for (size_t i = 0; i < G_N_ELEMENTS(codes); i++)
		if (begins(text, len, at, codes[i]))
			return true;
	return false;
}

/* A line of a header that begins with "Content-": is its name one that every program reads alike? */
static bool is_odd_name(const char *text, size_t len, size_t at)
{
	while (at < len && (g_ascii_isalnum(text[at]) || strchr("-_.", text[at])))
		at++;
	at = skip_blanks(text, len, at);
	return at < len && text[at] != ':';
}

/* Is the word before <colon> the name of a field, with a value that fits it, on a line that begins with a blank? */
static bool is_hidden_field(const char *text, size_t len, size_t colon)
{
	static const struct { const char *name; bool (*fits)(const char *text, size_t len, size_t at); } fields[] = {
		{ "Content-Type", is_type }, { "Content-Transfer-Encoding", is_coded }
	};
	size_t end = colon;

	while (end > 0 && is_blank(text[end - 1]))
		end--;
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		size_t n = strlen(fields[i].name), from = end - n, line = from;
		size_t at = end > n ? value_of(text, len, from, fields[i].name) : 0;

		while (at && line > 0 && is_blank(text[line - 1]))
			line--;
		if (at && line < from && (!line || text[line - 1] == '\n') && fields[i].fits(text, len, at))
			return true;
	}
	return false;
}

bool vtm_doubt_header(const char *text, size_t len)
{
	const char *end = text + len;

	if (memchr(text, '\0', len))
		return true;
	for (const char *p = text; (p = memchr(p, '\r', (size_t)(end - p))); p++)
		if (p + 1 < end && p[1] != '\n')
			return true;
	for (const char *p = text; (p = memchr(p, ':', (size_t)(end - p))); p++)
		if (is_hidden_field(text, len, (size_t)(p - text)))
			return true;
	for (const char *p = len ? text : NULL; p; p = next_line(p, end)) {
		size_t at = (size_t)(p - text);

		if (begins(text, len, at, BYTE_ORDER_MARK "Content-") ||
		    (begins(text, len, at, "Content-") && is_odd_name(text, len, at)))
			return true;
	}
	return false;
}

static bool is_field(const char *text, size_t len, size_t at)
{
	size_t type = value_of(text, len, at, "Content-Type");

	return type ? is_type(text, len, type) :
	       value_of(text, len, at, "Content-Transfer-Encoding") || value_of(text, len, at, "Content-Disposition");
}

bool vtm_doubt_body(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len && (is_blank(text[at]) || g_ascii_iscntrl(text[at])))
		at++;
	return at < len && is_field(text, len, at);
}

bool vtm_doubt_outside(const char *text, size_t len)
{
	const char *end = text + len;

	for (const char *p = len ? text : NULL; p; p = next_line(p, end)) {
		size_t at = skip_blanks(text, len, (size_t)(p - text));

		if (at < len && is_field(text, len, at))
			return true;
	}
	return false;
}
