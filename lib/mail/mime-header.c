/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-header.c - readings of MIME header fields. */
#include "mail/mime-header.h"

#include <stdbool.h>
#include <string.h>

#include "mail/mime-doubt.h"
#include "mail/mime.h"

#define COMPARE_COST 8	/* bytes that a boundary compared in vain counts as */

char *vtm_header_unfold(const char *raw)
{
	char *text = g_utf8_make_valid(raw, (gssize)strnlen(raw, VTM_HEADER_MAX)), *to = text;

	for (const char *p = text; *p; p++)
		if (*p != '\r' && *p != '\n')
			*to++ = *p;
	*to = '\0';
	return g_strstrip(text);
}

/* Behind the comment that begins at <p> (RFC 5322 section 3.2.2). */
static const char *skip_comment(const char *p)
{
	unsigned depth = 0;

	for (; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '(')
			depth++;
		else if (*p == ')' && --depth == 0)
			return p + 1;
	}
	return p;
}

const char *vtm_header_skip_comments(const char *p)
{
	for (;;) {
		p += strspn(p, " \t\r\n");
		if (*p != '(')
			return p;
		p = skip_comment(p);
	}
}

/* Is it a value that means no encoding to everybody, however it is misspelt? */
static bool means_none(const char *value)
{
	static const char *const none[] = {
		"", "7bit", "8bit", "7bits", "8bits", "binary", "none", "ascii", "usascii", "utf8", "text", "plain",
		"iso88591"
	};
	char letters[12];
	size_t n = 0;

	for (; *value; value++) {
		if (strchr(" \t-_.;", *value))
			continue;
		if (!g_ascii_isalnum(*value) || n == sizeof(letters) - 1)
			return false;
		letters[n++] = g_ascii_tolower(*value);
	}
	letters[n] = '\0';
	for (size_t i = 0; i < G_N_ELEMENTS(none); i++)
		if (!strcmp(letters, none[i]))
			return true;
	return false;
}

enum vtm_encoding vtm_header_encoding(const char *value, bool *known_r)
{
	static const struct {
		const char *name;
		enum vtm_encoding encoding;
	} known[] = {
		{ "7bit", VTM_ENCODING_NONE }, { "8bit", VTM_ENCODING_NONE }, { "binary", VTM_ENCODING_NONE },
		{ "base64", VTM_ENCODING_BASE64 }, { "quoted-printable", VTM_ENCODING_QP },
		{ "x-uuencode", VTM_ENCODING_UU },
		{ "uuencode", VTM_ENCODING_UU }, { "x-uue", VTM_ENCODING_UU }, { "uue", VTM_ENCODING_UU },
		{ "x-yencode", VTM_ENCODING_YENC }, { "x-yenc", VTM_ENCODING_YENC }, { "yenc", VTM_ENCODING_YENC },
	};
	const char *p = vtm_header_skip_comments(value);
	size_t n;

	p += strspn(p, " \t\"");
	n = strcspn(p, " \t\r\n;(\"");
	*known_r = means_none(value);
	for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
		if (n != strlen(known[i].name) || g_ascii_strncasecmp(p, known[i].name, n))
			continue;
		*known_r = !g_ascii_strcasecmp(value, known[i].name);
		return known[i].encoding;
	}
	return VTM_ENCODING_NONE;
}

size_t vtm_header_end(const char *text, size_t len, size_t at)
{
	while (at < len) {
		const char *lf = memchr(text + at, '\n', len - at);

		if (!lf)
			return len;
		at = (size_t)(lf - text) + 1;
		if (at < len && text[at] == '\n')
			return at + 1;
		if (at + 1 < len && text[at] == '\r' && text[at + 1] == '\n')
			return at + 2;
	}
	return len;
}

/* Is the line "--" at <p> a delimiter of <boundary>? */
static bool is_delimiter(const char *p, size_t left, const char *boundary)
{
	size_t n = strlen(boundary);

	if (left < n + 2 || memcmp(p + 2, boundary, n))
		return false;
	p += n + 2;
	left -= n + 2;
	if (left >= 2 && p[0] == '-' && p[1] == '-') {
		p += 2;
		left -= 2;
	}
	while (left && (*p == ' ' || *p == '\t' || *p == '\r')) {
		p++;
		left--;
	}
	return !left || *p == '\n';
}

/* The next line that begins with "--", at or after <at>; NULL if there is none. */
static const char *next_dashes(const char *text, size_t len, size_t at)
{
	const char *p;

	while (at < len && (p = memchr(text + at, '-', len - at))) {
		at = (size_t)(p - text) + 1;
		if (at < len && text[at] == '-' && (p == text || p[-1] == '\n'))
			return p;
	}
	return NULL;
}

size_t vtm_boundary_find(const char *text, size_t len, size_t from, const char *const *boundaries,
			 struct vtm_work *work)
{
	const char *p;

	for (size_t at = from; (p = next_dashes(text, len, at)); at = (size_t)(p - text) + 2) {
		if (!vtm_work_spend(work, (size_t)(p - text) - at + 1))
			break;
		for (int i = 0; boundaries[i]; i++) {
			size_t found = (size_t)(p - text);

			if (!is_delimiter(p, len - found, boundaries[i]) && vtm_work_spend(work, COMPARE_COST))
				continue;
			if (found > from && text[found - 1] == '\n')
				found--;
			if (found > from && text[found - 1] == '\r')
				found--;
			return found;
		}
	}
	return len;
}

char *vtm_boundary_guess(const char *text, size_t len)
{
	const char *p;

	for (size_t at = 0; (p = next_dashes(text, len, at)); at = (size_t)(p - text) + 2) {
		const char *lf = memchr(p, '\n', len - (size_t)(p - text));
		size_t n = lf ? (size_t)(lf - p) : 0;

		if (!lf)
			return NULL;
		while (n && strchr(" \t\r", p[n - 1]))
			n--;
		if (n > 2 && n <= 72 && len - (size_t)(lf + 1 - text) > 8 &&
		    !g_ascii_strncasecmp(lf + 1, "Content-", 8))
			return g_strndup(p + 2, n - 2);
	}
	return NULL;
}

/* ---- fields that need not be read ------------------------------------------------------------------ */

static bool is_plain_name(const char *name)
{
	const char *p = name;

	while (g_ascii_isalnum(*p) || *p == '-' || *p == '_')
		p++;
	return p > name && !*p;
}

/* On every line something, and nothing that could end a line elsewhere than here. */
static bool is_plain_value(const char *value)
{
	bool blank = false;

	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (*p == '\n') {
			if (blank || (p[1] != ' ' && p[1] != '\t'))
				return false;
			blank = true;
		} else if (*p != ' ' && *p != '\t') {
			if (*p < ' ' || *p == 127)
				return false;
			blank = false;
		}
	}
	return !blank;
}

bool vtm_mime_may_skip(const char *name, const char *value)
{
	static const char *const read[] = { "From", "Message-ID", "Authentication-Results", "List-Unsubscribe" };

	if (!g_ascii_strncasecmp(name, "Content-", 8) || !g_ascii_strncasecmp(name, "MIME-", 5))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(read); i++)
		if (!g_ascii_strcasecmp(name, read[i]))
			return false;
	return is_plain_name(name) && is_plain_value(value) && !vtm_doubt_header(value, strlen(value));
}
