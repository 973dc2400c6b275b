/* SPDX-License-Identifier: BSD-2-Clause */
/* unwrap-decode.c - how each kind of wrapper holds its target. */
#include "url/unwrap-parts.h"

#include <stdint.h>
#include <string.h>

#include "url/escape.h"

/* ---- parameters ------------------------------------------------------------- */

/* Some servers read names in any case, and all of them escaped ones. */
static bool has_name(const char *names, const char *pair, size_t len)
{
	char *name = vtm_url_unescape(pair, (gssize)len);
	bool found = false;

	while (name && *names && !found) {
		size_t n = strcspn(names, " ");

		found = strlen(name) == n && !g_ascii_strncasecmp(name, names, n);
		names += n + strspn(names + n, " ");
	}
	g_free(name);
	return found;
}

/* The value of <pair> if it has one of <names>; NULL: it has not. */
static const char *value_of(const char *pair, const char *names)
{
	const char *equals = strchr(pair, '=');

	if (g_str_has_prefix(pair, "amp;"))	/* "&amp;" that was escaped once too often */
		pair += strlen("amp;");
	return equals && has_name(names, pair, (size_t)(equals - pair)) ? equals + 1 : NULL;
}

static void add_named(struct vtm_finds *f, char *pair, void *arg)
{
	const char *value = value_of(pair, arg);

	if (value)
		vtm_finds_url(f, value);
}

static void each_named(struct vtm_finds *f, const struct vtm_url *u, const char *names,
		       void (*each)(struct vtm_finds *f, char *pair, void *arg))
{
	const char *query = strchr(u->path, '?');

	if (query)
		vtm_finds_pairs(f, query + 1, each, (void *)(uintptr_t)names);
}

void vtm_unwrap_param(struct vtm_finds *f, const struct vtm_url *u, const struct vtm_wrapper *w)
{
	each_named(f, u, w->params, add_named);
}

/* A host beside a target that is known already tells nothing. */
static bool has_host(const struct vtm_finds *f, const char *host)
{
	for (guint i = 0; f->urls && i < f->urls->len; i++)
		if (vtm_host_is_below(((const struct vtm_url *)f->urls->pdata[i])->host, host, -1))
			return true;
	return false;
}

static void add_domain(struct vtm_finds *f, char *pair, void *arg)
{
	const char *value = value_of(pair, arg);
	char *plain = value ? vtm_url_unescape(value, -1) : NULL;
	struct vtm_url *u = plain ? vtm_url_guess(plain, -1) : NULL;

	g_free(plain);
	if (u && has_host(f, u->host))
		g_clear_pointer(&u, vtm_url_free);
	if (!u)
		return;
	u->host_only = true;
	vtm_finds_add(f, u);
}

/* The wrapper tells the host only. */
void vtm_unwrap_domain(struct vtm_finds *f, const struct vtm_url *u, const struct vtm_wrapper *w)
{
	each_named(f, u, w->params, add_domain);
}

/* Sophos: base64 in "u"; the host in "d". */
void vtm_unwrap_base64_or_domain(struct vtm_finds *f, const struct vtm_url *u, const struct vtm_wrapper *w)
{
	each_named(f, u, w->params, add_named);
	each_named(f, u, "d", add_domain);
}

/* '-' for '%', '_' for '/' */
static void add_proofpoint2(struct vtm_finds *f, char *pair, void *arg)
{
	const char *value = value_of(pair, arg);
	char *text, *plain;

	if (!value)
		return;
	text = vtm_url_unescape(value, -1);
	if (text) {
		g_strdelimit(text, "-", '%');
		g_strdelimit(text, "_", '/');
	}
	plain = text ? vtm_url_unescape(text, -1) : NULL;
	if (plain)
		vtm_finds_url(f, plain);
	g_free(plain);
	g_free(text);
}

/* Proofpoint v2: "http-3A__www.example.com_a-5Fb" */
void vtm_unwrap_proofpoint2(struct vtm_finds *f, const struct vtm_url *u, const struct vtm_wrapper *w)
{
	each_named(f, u, w->params, add_proofpoint2);
}

/* ---- the whole path or query ---------------------------------------------------- */

void vtm_unwrap_path(struct vtm_finds *f, const struct vtm_url *u, const struct vtm_wrapper *w)
{
	(void)w;
	vtm_finds_path(f, u);
}

/* "?http://..." */
void vtm_unwrap_query(struct vtm_finds *f, const struct vtm_url *u, const struct vtm_wrapper *w)
{
	const char *query = strchr(u->path, '?');

	(void)w;
	if (query)
		vtm_finds_url(f, query + 1);
}

/* Check Point: "/v2/r01/___URL___.TOKEN", in which "*26" is "%26".  A URL may hold three underscores itself: up to the
 * first and up to the last ones. */
void vtm_unwrap_underscores(struct vtm_finds *f, const struct vtm_url *u, const struct vtm_wrapper *w)
{
	const char *begin = strstr(u->path, "___"), *first = begin ? strstr(begin + 3, "___") : NULL, *last = first;

	(void)w;
	for (const char *p = first; p && (p = strstr(p + 1, "___"));)
		last = p;
	for (const char *end = first; end; end = end == last ? NULL : last) {
		char *text = g_strndup(begin + 3, (gsize)(end - begin - 3));

		for (char *p = text; *p; p++)
			if (*p == '*' && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2]))
				*p = '%';
		vtm_finds_url(f, text);
		g_free(text);
	}
}

/* The URL that lacks its scheme in <rest>, which begins with a host. */
static struct vtm_url *with_scheme(bool secure, const char *rest)
{
	char *text = g_strconcat(secure ? "https://" : "http://", rest, NULL);
	struct vtm_url *target = vtm_url_parse(text, -1);

	g_free(text);
	if (target && vtm_host_plausible(target->host))
		return target;
	vtm_url_free(target);
	return NULL;
}

/* "/amp/s/www.example.com/x": a path that is a URL without its scheme, "s" for https. */
void vtm_unwrap_amp(struct vtm_finds *f, const struct vtm_url *u, const struct vtm_wrapper *w)
{
	const char *p = u->path + strlen(w->path);
	bool secure = g_str_has_prefix(p, "s/");

	vtm_finds_add(f, with_scheme(secure, secure ? p + 2 : p));
}

/* Postmark: "/3s/www.example.com%2Fx/ID", "s" at the end of the first segment for https. */
void vtm_unwrap_second_segment(struct vtm_finds *f, const struct vtm_url *u, const struct vtm_wrapper *w)
{
	const char *slash = strchr(u->path + 1, '/');
	char *plain = slash ? vtm_url_unescape(slash + 1, (gssize)strcspn(slash + 1, "/?")) : NULL;

	(void)w;
	if (plain)
		vtm_finds_add(f, with_scheme(slash[-1] == 's', plain));
	g_free(plain);
}

/* ---- the host -------------------------------------------------------------------- */

/* Microsoft's proxy: "www.example.com.mcas.ms" */
void vtm_unwrap_host_before(struct vtm_finds *f, const struct vtm_url *u, const struct vtm_wrapper *w)
{
	const char *own = vtm_host_domain(u->host);
	char *rest = own > u->host ? g_strdup_printf("%.*s%s", (int)(own - u->host - 1), u->host, u->path) : NULL;

	(void)w;
	if (rest)
		vtm_finds_add(f, with_scheme(true, rest));
	g_free(rest);
}

/* "www-example-com.translate.goog": a hyphen is two, a dot is one. */
void vtm_unwrap_translated_host(struct vtm_finds *f, const struct vtm_url *u, const struct vtm_wrapper *w)
{
	GString *s = g_string_new("https://");
	const char *end = u->host + strlen(u->host) - strlen(".translate.goog");

	(void)w;
	for (const char *p = u->host; p < end; p++) {
		bool two = p[0] == '-' && p + 1 < end && p[1] == '-';

		g_string_append_c(s, *p != '-' || two ? *p : '.');
		p += two;
	}
	g_string_append(s, u->path);
	vtm_finds_add(f, vtm_url_parse(s->str, -1));
	g_string_free(s, TRUE);
}

/* ---- Proofpoint v3 ------------------------------------------------------------------ */

/* Copies <n> characters of <spare> to <out>; what is left of it. */
static const char *take_spare(GString *out, const char *spare, unsigned n)
{
	for (; n && *spare; n--) {
		const char *next = g_utf8_find_next_char(spare, NULL);

		g_string_append_len(out, spare, next - spare);
		spare = next;
	}
	return spare;
}

/* <url> with each '*' replaced by the next character of <spare>, "**X" by a run of them, whose length X spells in the
 * base64 alphabet, counted from 2. */
static void add_filled(struct vtm_finds *f, const char *url, const char *spare)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	GString *out = g_string_new(NULL);
	const char *x;

	for (const char *p = url; *p; p++) {
		if (*p != '*') {
			g_string_append_c(out, *p);
		} else if (p[1] == '*' && p[2] && (x = strchr(alphabet, p[2]))) {
			spare = take_spare(out, spare, (unsigned)(x - alphabet) + 2);
			p += 2;
		} else {
			spare = take_spare(out, spare, 1);
		}
	}
	vtm_finds_url(f, out->str);
	g_string_free(out, TRUE);
}

/* "/v3/__URL__;SPARE!", SPARE in base64.  A URL may hold "__;" itself: up to the first and up to the last one. */
void vtm_unwrap_proofpoint3(struct vtm_finds *f, const struct vtm_url *u, const struct vtm_wrapper *w)
{
	const char *begin = u->path + strlen(w->path), *first = strstr(begin, "__;"), *last = first;

	for (const char *p = first; p && (p = strstr(p + 1, "__;"));)
		last = p;
	for (const char *end = first; end; end = end == last ? NULL : last) {
		char *url = vtm_url_unescape(begin, end - begin);
		char *decoded = vtm_url_base64(end + 3, strcspn(end + 3, "!?/"));
		char *spare = g_utf8_make_valid(decoded, -1);

		if (url)
			add_filled(f, url, spare);
		g_free(spare);
		g_free(decoded);
		g_free(url);
	}
}
