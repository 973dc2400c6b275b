/* SPDX-License-Identifier: BSD-2-Clause */
/* authres.c - Authentication-Results. */
#include "mail/authres.h"

#include <glib.h>
#include <string.h>

/* The value in lower case without comments, with what is quoted made one harmless word, and no blanks around '='. */
static char *plain(const char *value)
{
	GString *text = g_string_new(NULL);
	unsigned comment = 0;
	bool quoted = false;

	for (const char *p = value; *p; p++) {
		char c = g_ascii_tolower(*p);

		if (c == '\\' && p[1] && (comment || quoted)) {
			p++;
			c = '_';
		} else if (!comment && c == '"') {
			quoted = !quoted;
			continue;
		} else if (!quoted && c == '(') {
			comment++;
			c = ' ';
		} else if (!quoted && comment && c == ')') {
			comment--;
			c = ' ';
		}
		if (comment)
			continue;
		if (quoted && !g_ascii_isalnum(c) && !strchr(".-_@", c))
			c = '_';
		if (g_ascii_isspace(c))
			c = ' ';
		if (c == ' ' && text->len && strchr(" =", text->str[text->len - 1]))
			continue;
		if (c == '=' && text->len && text->str[text->len - 1] == ' ')
			g_string_truncate(text, text->len - 1);
		g_string_append_c(text, c);
	}
	return g_strstrip(g_string_free(text, FALSE));
}

bool vtm_authres_is(const char *value, const char *authserv_id)
{
	char *text = plain(value), *id = g_ascii_strdown(authserv_id, -1);
	bool ours;

	text[strcspn(text, "; ")] = '\0';
	ours = *text && !strcmp(text, id);
	g_free(text);
	g_free(id);
	return ours;
}

static bool says_pass(char *result, const char *from)
{
	char **words = g_strsplit(g_strstrip(result), " ", 64);
	bool pass = words[0] && !strcmp(words[0], "dmarc=pass"), same = false;

	for (char **w = words; *w; w++)
		same = same || !strcmp(*w, from);
	g_strfreev(words);
	return pass && same;
}

bool vtm_authres_dmarc_pass(const char *value, const char *domain)
{
	char *text = plain(value), *from = g_strconcat("header.from=", domain, NULL);
	char **results = g_strsplit(text, ";", 64);
	bool pass = false;

	for (char **r = results; *r && r[1] && !pass; r++)
		pass = says_pass(r[1], from);
	g_strfreev(results);
	g_free(from);
	g_free(text);
	return pass;
}
