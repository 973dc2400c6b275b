/* SPDX-License-Identifier: BSD-2-Clause */
/* unwrap.c - what is inside the links of rewriters, trackers and redirectors. */
#include "url/unwrap-parts.h"

#include <string.h>

#include "url/escape.h"

#define PAIRS 256		/* of a query that are looked at */
#define BASE64_MIN 12		/* characters of base64 that can hold a URL: "http://a" */

/* ---- finds ------------------------------------------------------------------ */

void vtm_finds_add(struct vtm_finds *f, struct vtm_url *u)
{
	bool known = !u || (f->in && !strcmp(u->normal, f->in->normal));

	for (guint i = 0; !known && f->urls && i < f->urls->len; i++) {
		const struct vtm_url *other = f->urls->pdata[i];

		known = !strcmp(other->normal, u->normal) && other->host_only == u->host_only;
	}
	if (known || (f->urls && f->urls->len == VTM_UNWRAP_MAX)) {
		f->cut = f->cut || !known;
		vtm_url_free(u);
		return;
	}
	if (!f->urls)
		f->urls = g_ptr_array_new_with_free_func((GDestroyNotify)vtm_url_free);
	g_ptr_array_add(f->urls, u);
}

/* The URL that begins at <p>, up to what ends it in mark-up and JSON; and beyond, where a reader goes on: a quote may
 * be part of the user name. */
static void add_from(struct vtm_finds *f, const char *p)
{
	size_t len = strcspn(p, "\"<>");

	vtm_finds_add(f, vtm_url_parse(p, (gssize)len));
	if (p[len] && strchr(p + len, '@'))
		vtm_finds_add(f, vtm_url_parse(p, -1));
}

/* What <text> holds, unescaped again as long as that may change where its first URL begins. */
static bool add_levels(struct vtm_finds *f, const char *text)
{
	char *s = g_strdup(text), *next;
	bool found = false;

	for (int level = 0; s; level++) {
		const char *p = vtm_url_find_scheme(s);

		if (p) {
			found = true;
			add_from(f, p);
		}
		if (level == VTM_ESCAPE_LEVELS || !memchr(s, '%', p ? (size_t)(p - s) : strlen(s)))
			break;
		next = vtm_url_unescape(s, -1);
		g_free(s);
		s = next;
	}
	g_free(s);
	return found;
}

/* JSON may escape slashes, once for each string that it is in. */
static void drop_backslashes(char *s)
{
	char *to = s;

	for (; (*to = *s); s++)
		to += !(*s == '\\' && s[1] && strchr("/\\\"", s[1]));
}

/* A value in base64, behind a prefix of up to three characters such as Bing's "a1"; bytes before that are none. */
static bool add_base64(struct vtm_finds *f, const char *text)
{
	bool found = false;

	for (const char *p = text; *p;) {
		size_t len = strspn(p, VTM_BASE64_BYTES);

		for (unsigned skip = 0; skip < 4 && len >= BASE64_MIN + skip; skip++) {
			char *plain = vtm_url_base64(p + skip, len - skip);

			if (strchr(plain, '\\'))
				drop_backslashes(plain);
			found |= add_levels(f, plain);
			g_free(plain);
		}
		p += len ? len : 1;
	}
	return found;
}

static bool add_text(struct vtm_finds *f, const char *text)
{
	bool found = add_levels(f, text);

	return add_base64(f, text) || found;
}

void vtm_finds_text(struct vtm_finds *f, const char *text)
{
	add_text(f, text);
}

void vtm_finds_url(struct vtm_finds *f, const char *text)
{
	char *plain;

	if (add_text(f, text))
		return;
	plain = vtm_url_unescape(text, -1);
	if (plain)
		vtm_finds_add(f, vtm_url_resolve(NULL, plain, -1));
	g_free(plain);
}

void vtm_finds_path(struct vtm_finds *f, const struct vtm_url *u)
{
	const char *query = strchrnul(u->path, '?'), *raw = vtm_url_find_scheme(u->path);

	if (raw && raw < query)
		vtm_finds_add(f, vtm_url_parse(raw, -1));
	for (const char *p = u->path; p < query; p++) {
		size_t len = strcspn(p, "/?");
		char *segment = g_strndup(p, len);

		if (len)
			add_text(f, segment);
		g_free(segment);
		p += len;
	}
}

void vtm_finds_pairs(struct vtm_finds *f, const char *text, void (*each)(struct vtm_finds *f, char *pair, void *arg),
		     void *arg)
{
	for (unsigned i = 0; *text; i++) {
		size_t len = strcspn(text, "&");
		char *pair = g_strndup(text, len);

		if (i == PAIRS)
			f->cut = true;
		else
			each(f, pair, arg);
		g_free(pair);
		if (i == PAIRS)
			return;
		text += len + (text[len] == '&');
	}
}

/* ---- URLs in any others --------------------------------------------------------- */

/* Names whose value is a URL even if it lacks the scheme. */
static bool names_a_url(const char *name, size_t len)
{
	static const char *const names[] = {
		"url", "u", "uri", "link", "target", "dest", "destination", "redirect", "redirect_url",
		"redirect_uri", "redir", "goto", "next", "continue", "return", "returnurl", "return_url", "to",
		"out", "go", "r", NULL
	};
	char *lower = g_ascii_strdown(name, (gssize)len);
	bool found = g_strv_contains(names, lower);

	g_free(lower);
	return found;
}

/* "//www.example.com/x" or "www.example.com/x" */
static struct vtm_url *schemeless(const char *value)
{
	char *plain = vtm_url_unescape(value, -1);
	struct vtm_url *u = NULL;

	if (plain && (g_str_has_prefix(plain, "//") || !g_ascii_strncasecmp(plain, "www.", 4)))
		u = vtm_url_resolve(NULL, plain, -1);
	g_free(plain);
	if (u && vtm_host_plausible(u->host))
		return u;
	vtm_url_free(u);
	return NULL;
}

/* One piece of a query or fragment, NAME=VALUE or a lone value. */
static void look_in_pair(struct vtm_finds *f, char *pair, void *arg)
{
	const char *equals = strchr(pair, '='), *raw = vtm_url_find_scheme(pair);
	const char *value = equals && !(raw && raw < equals) ? equals + 1 : pair;

	(void)arg;
	if (!add_text(f, value) && equals && names_a_url(pair, (size_t)(equals - pair)))
		vtm_finds_add(f, schemeless(equals + 1));
}

/* Do the targets of <w> stand in the path or the host?  Then its query is a target's. */
static bool reads_path(const struct vtm_wrapper *w)
{
	return !w->params;
}

GPtrArray *vtm_unwrap(const struct vtm_url *u, unsigned *flags_r)
{
	struct vtm_finds f = { u, NULL, false };
	const char *query = strchr(u->path, '?');
	enum vtm_wrapper_host whose;
	const struct vtm_wrapper *w = vtm_wrapper_of(u, &whose);
	unsigned flags = 0;

	if (w)
		w->decode(&f, u, w);
	if (w && f.urls)
		flags = whose == VTM_WRAPPER_VENDOR ? VTM_UNWRAP_KNOWN : whose == VTM_WRAPPER_IMITATED ? VTM_UNWRAP_IMITATED : 0;
	if (!f.urls || !reads_path(w)) {
		vtm_finds_path(&f, u);
		if (query)
			vtm_finds_pairs(&f, query + 1, look_in_pair, NULL);
	}
	if (u->fragment)
		vtm_finds_pairs(&f, u->fragment, look_in_pair, NULL);
	if (flags_r)
		*flags_r = f.cut ? (flags & VTM_UNWRAP_IMITATED) | VTM_UNWRAP_CUT : flags;
	return f.urls;
}

GPtrArray *vtm_unwrap_text(const char *text, unsigned *flags_r)
{
	struct vtm_finds f = { NULL, NULL, false };
	char *s = g_strdup(text), *next;

	for (int level = 0; s; level++) {
		for (const char *p = s; (p = vtm_url_find_scheme(p)); p += 5) {
			vtm_finds_add(&f, vtm_url_parse(p, (gssize)strcspn(p, "|&,;'\"<>{}() ")));
			vtm_finds_add(&f, vtm_url_parse(p, (gssize)strcspn(p, "|\"<>")));
			if (f.cut)
				break;
		}
		if (level == VTM_ESCAPE_LEVELS || !strchr(s, '%') || f.cut)
			break;
		next = vtm_url_unescape(s, -1);
		g_free(s);
		s = next;
	}
	g_free(s);
	if (flags_r)
		*flags_r = f.cut ? VTM_UNWRAP_CUT : 0;
	return f.urls;
}
