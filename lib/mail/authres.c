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

/* A method, and the property that names the domain it is about. */
struct method {
	const char *pass, *property;
	bool address;		/* the property may be an address in the domain */
};

static const struct method methods[] = {
	{ "dmarc=pass", "header.from=", false },
	{ "spf=pass", "smtp.mailfrom=", true },
	{ "dkim=pass", "header.d=", false },
};

static bool names_domain(const char *word, const struct method *m, const char *domain)
{
	const char *value = word + strlen(m->property), *at;

	if (!g_str_has_prefix(word, m->property))
		return false;
	at = m->address ? strrchr(value, '@') : NULL;
	return !strcmp(at ? at + 1 : value, domain);
}

static bool says_pass(const char *result, const struct method *m, const char *domain)
{
	char **words = g_strsplit(result + strspn(result, " "), " ", 64);
	bool pass = words[0] && !strcmp(words[0], m->pass), same = false;

	for (char **w = words; *w; w++)
		same = same || names_domain(*w, m, domain);
	g_strfreev(words);
	return pass && same;
}

/* Whether a result says that one of the first <n> methods passed for <domain>. */
static bool any_pass(const char *value, const char *domain, unsigned n)
{
	char *text = plain(value);
	char **results = g_strsplit(text, ";", 64);
	bool pass = false;

	for (char **r = results; *r && r[1] && !pass; r++)
		for (unsigned m = 0; m < n && !pass; m++)
			pass = says_pass(r[1], &methods[m], domain);
	g_strfreev(results);
	g_free(text);
	return pass;
}

bool vtm_authres_dmarc_pass(const char *value, const char *domain)
{
	return any_pass(value, domain, 1);
}

bool vtm_authres_sender_pass(const char *value, const char *domain)
{
	return any_pass(value, domain, G_N_ELEMENTS(methods));
}
