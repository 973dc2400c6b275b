/* SPDX-License-Identifier: BSD-2-Clause */
/* url.c - URLs read as browsers read them, written as VirusTotal writes them. */
#include "url/url.h"

#include <curl/curl.h>
#include <string.h>

#include "url/escape.h"

/* ---- text ------------------------------------------------------------- */

/* What the URL standard calls C0 control or space, and the blanks that editors leave around a pasted address. */
static size_t blank_at(const char *p, const char *end)
{
	static const char *const wide[] = { "\xc2\xa0", "\xe2\x80\x8b", "\xe3\x80\x80", "\xef\xbb\xbf" };

	if (p < end && (unsigned char)*p <= ' ')
		return 1;
	for (size_t i = 0; i < G_N_ELEMENTS(wide); i++) {
		size_t n = strlen(wide[i]);

		if ((size_t)(end - p) >= n && !memcmp(p, wide[i], n))
			return n;
	}
	return 0;
}

static size_t blank_before(const char *begin, const char *end)
{
	for (size_t n = 1; n <= 3 && n <= (size_t)(end - begin); n++)
		if (blank_at(end - n, end) == n)
			return n;
	return 0;
}

/* <text> without the blanks around it and the tabs and line ends inside; NULL if nothing is left or too much. */
static GString *tidy(const char *text, gssize len)
{
	const char *end = text + (len < 0 ? strlen(text) : (size_t)len);
	GString *s;
	size_t n;

	while ((n = blank_at(text, end)))
		text += n;
	while ((n = blank_before(text, end)))
		end -= n;
	if (text == end || end - text > 4 * VTM_URL_MAX)
		return NULL;
	s = g_string_sized_new((gsize)(end - text));
	for (; text < end; text++)
		if (*text != '\t' && *text != '\n' && *text != '\r')
			g_string_append_c(s, *text);
	if (s->len && s->len <= VTM_URL_MAX)
		return s;
	g_string_free(s, TRUE);
	return NULL;
}

static bool is_slash(char c)
{
	return c == '/' || c == '\\';
}

/* Length of "SCHEME:" at the start of <s>, 0 if there is none. */
static size_t scheme_length(const char *s)
{
	size_t n = 0;

	if (!g_ascii_isalpha(s[0]))
		return 0;
	while (g_ascii_isalnum(s[n]) || s[n] == '+' || s[n] == '-' || s[n] == '.')
		n++;
	return s[n] == ':' ? n + 1 : 0;
}

/* "http" or "https" if <s> begins with that scheme, in any case; the length of "SCHEME:" in *len_r. */
static const char *web_scheme(const char *s, size_t *len_r)
{
	*len_r = scheme_length(s);
	if (*len_r == 5 && !g_ascii_strncasecmp(s, "http", 4))
		return "http";
	return *len_r == 6 && !g_ascii_strncasecmp(s, "https", 5) ? "https" : NULL;
}

/* ---- absolute ones ------------------------------------------------------ */

/* One byte, escaped if it may not stand in a URL. */
static void append_byte(GString *s, char byte)
{
	unsigned char c = (unsigned char)byte;

	if (c <= ' ' || c >= 0x7f)
		g_string_append_printf(s, "%%%02X", c);
	else
		g_string_append_c(s, byte);
}

/* Path and query as written, but '\' in a path is '/'. */
static void append_tail(GString *s, const char *tail, const char *end)
{
	bool path = true;

	if (tail == end || !is_slash(*tail))
		g_string_append_c(s, '/');
	for (; tail < end && *tail != '#'; tail++) {
		if (*tail == '?')
			path = false;
		append_byte(s, *tail == '\\' && path ? '/' : *tail);
	}
}

static char *fragment_of(const char *tail, const char *end)
{
	const char *hash = memchr(tail, '#', (size_t)(end - tail));
	GString *s;

	if (!hash)
		return NULL;
	s = g_string_new(NULL);
	while (++hash < end)
		append_byte(s, *hash);
	return g_string_free(s, FALSE);
}

/* Segments of dots are those too that have escaped ones: "%2e", ".%2E". */
static void unescape_dots(GString *s, size_t path)
{
	for (size_t at = path; s->str[at] == '/';) {
		size_t begin = ++at, dots = 0;
		bool escaped = false;

		for (; s->str[at] == '.' || !g_ascii_strncasecmp(s->str + at, "%2e", 3); dots++) {
			escaped = escaped || s->str[at] == '%';
			at += s->str[at] == '%' ? 3 : 1;
		}
		if (escaped && dots <= 2 && (!s->str[at] || strchr("/?", s->str[at]))) {
			g_string_erase(s, (gssize)begin, (gssize)(at - begin));
			g_string_insert_len(s, (gssize)begin, "..", (gssize)dots);
			at = begin + dots;
		}
		at += strcspn(s->str + at, "/?");
	}
}

/* Removes "." and ".." segments from the path that begins at <path>. */
static void append_dedotted(GString *s, size_t path)
{
	size_t path_len;
	CURLU *u;
	char *url, *clean = NULL;

	unescape_dots(s, path);
	path_len = strcspn(s->str + path, "?");
	if (!g_strstr_len(s->str + path, (gssize)path_len, "/."))
		return;
	u = curl_url();
	if (!u)
		g_error("out of memory");
	url = g_strdup_printf("http://h%.*s", (int)path_len, s->str + path);
	if (!curl_url_set(u, CURLUPART_URL, url, 0) && !curl_url_get(u, CURLUPART_PATH, &clean, 0)) {
		g_string_erase(s, (gssize)path, (gssize)path_len);
		g_string_insert(s, (gssize)path, clean);
	}
	curl_free(clean);
	g_free(url);
	curl_url_cleanup(u);
}

/* Splits [USER@]HOST[:PORT]; false if the port is none. */
static bool split_authority(const char *at, const char *end, const char **host_r, const char **host_end_r,
			    guint *port_r)
{
	const char *user_end = memrchr(at, '@', (size_t)(end - at));
	const char *host = user_end ? user_end + 1 : at;
	const char *colon = memrchr(host, ':', (size_t)(end - host));
	const char *bracket = memrchr(host, ']', (size_t)(end - host));

	*host_r = host;
	*host_end_r = end;
	*port_r = 0;
	if (!colon || (bracket && bracket > colon))
		return true;
	*host_end_r = colon;
	for (const char *p = colon + 1; p < end; p++) {
		if (!g_ascii_isdigit(*p))
			return false;
		*port_r = *port_r * 10 + (guint)(*p - '0');
		if (*port_r > G_MAXUINT16)
			return false;
	}
	return true;
}

static void append_userinfo(GString *s, const char *user, const char *end)
{
	for (; user < end; user++) {
		if (*user == '@')
			g_string_append(s, "%40");
		else
			append_byte(s, *user);
	}
	g_string_append_c(s, '@');
}

/* <s> holds no scheme and no slashes any more: AUTHORITY TAIL. */
static struct vtm_url *parse_authority(const char *scheme, const char *s, const char *end)
{
	const char *auth_end = s, *host, *host_end;
	struct vtm_url *u = NULL;
	char *name;
	guint port;
	GString *normal;
	size_t path;

	while (auth_end < end && !is_slash(*auth_end) && *auth_end != '?' && *auth_end != '#')
		auth_end++;
	if (!split_authority(s, auth_end, &host, &host_end, &port))
		return NULL;
	name = vtm_host_normal(host, host_end - host);
	if (!name)
		return NULL;
	normal = g_string_sized_new((gsize)(end - s) + 16);
	g_string_printf(normal, "%s://", scheme);
	if (host - s > 1)
		append_userinfo(normal, s, host - 1);
	g_string_append_printf(normal, strchr(name, ':') ? "[%s]" : "%s", name);
	if (port && port != (strcmp(scheme, "https") ? 80 : 443))
		g_string_append_printf(normal, ":%u", port);
	path = normal->len;
	append_tail(normal, auth_end, end);
	append_dedotted(normal, path);
	if (normal->len <= VTM_URL_MAX) {
		u = g_new0(struct vtm_url, 1);
		u->has_userinfo = host - s > 1;
		u->host = name;
		u->normal = g_string_free(normal, FALSE);
		u->path = u->normal + path;
		u->fragment = fragment_of(auth_end, end);
		return u;
	}
	g_string_free(normal, TRUE);
	g_free(name);
	return NULL;
}

static struct vtm_url *parse_tidy(const GString *s)
{
	size_t n;
	const char *scheme = web_scheme(s->str, &n), *p = s->str + n;

	if (!scheme)
		return NULL;
	while (is_slash(*p))
		p++;
	return parse_authority(scheme, p, s->str + s->len);
}

struct vtm_url *vtm_url_parse(const char *text, gssize len)
{
	GString *s = tidy(text, len);
	struct vtm_url *u = s ? parse_tidy(s) : NULL;

	if (s)
		g_string_free(s, TRUE);
	return u;
}

void vtm_url_free(struct vtm_url *u)
{
	if (!u)
		return;
	g_free(u->normal);
	g_free(u->host);
	g_free(u->fragment);
	g_free(u);
}

/* ---- without a scheme, and relative ones ---------------------------------- */

/* HOST.TLD[:PORT][TAIL] without a scheme, as http. */
static struct vtm_url *parse_schemeless(const GString *s)
{
	struct vtm_url *u = parse_authority("http", s->str, s->str + s->len);

	/* "a@b" is a mail address, "www.a@b" is a user at b to mail programs */
	if (u && (!u->has_userinfo || !g_ascii_strncasecmp(s->str, "www.", 4)) &&
	    (vtm_host_plausible(u->host) || vtm_host_is_ip(u->host)))
		return u;
	vtm_url_free(u);
	return NULL;
}

struct vtm_url *vtm_url_guess(const char *text, gssize len)
{
	GString *s = tidy(text, len);
	struct vtm_url *u = NULL;
	size_t n;

	if (!s)
		return NULL;
	if (web_scheme(s->str, &n))
		u = parse_tidy(s);
	else
		u = parse_schemeless(s);
	g_string_free(s, TRUE);
	if (u && !n && !u->path[1] && vtm_host_like_file(u->host))
		g_clear_pointer(&u, vtm_url_free);
	return u;
}

static struct vtm_url *resolve_relative(const struct vtm_url *base, const char *reference, const char *end)
{
	CURLU *c = curl_url();
	GString *ref = g_string_new(NULL);
	struct vtm_url *u = NULL;
	char *joined = NULL;

	if (!c)
		g_error("out of memory");
	append_tail(ref, reference, end);
	if (!is_slash(*reference))
		g_string_erase(ref, 0, 1);
	if (memchr(ref->str, ':', strcspn(ref->str, "/?")))	/* of "http:a:b", where "a" is no scheme */
		g_string_prepend(ref, "./");
	if (!curl_url_set(c, CURLUPART_URL, base->normal, 0) && !curl_url_set(c, CURLUPART_URL, ref->str, 0) &&
	    !curl_url_get(c, CURLUPART_URL, &joined, 0)) {
		/* libcurl drops a '?' with nothing behind it */
		GString *s = g_string_new(joined);

		if (g_str_has_suffix(ref->str, "?") && !strchr(joined, '?'))
			g_string_append_c(s, '?');
		u = vtm_url_parse(s->str, (gssize)s->len);
		g_string_free(s, TRUE);
	}
	curl_free(joined);
	g_string_free(ref, TRUE);
	curl_url_cleanup(c);
	return u;
}

static struct vtm_url *resolve_tidy(const struct vtm_url *base, const GString *s)
{
	const char *end = s->str + s->len, *scheme;
	size_t n;

	scheme = web_scheme(s->str, &n);
	if (scheme) {
		/* "http:page" and "http:/page" are relative to a base of the same scheme, a host otherwise */
		if (base && !(is_slash(s->str[n]) && is_slash(s->str[n + 1])) && g_str_has_prefix(base->normal, scheme) &&
		    base->normal[strlen(scheme)] == ':' && s->str + n < end)
			return resolve_relative(base, s->str + n, end);
		return parse_tidy(s);
	}
	if (is_slash(s->str[0]) && is_slash(s->str[1])) {
		const char *p = s->str;

		while (is_slash(*p))
			p++;
		return parse_authority(base && !g_str_has_prefix(base->normal, "https:") ? "http" : "https", p, end);
	}
	if (s->str[0] == '#' || (n && !g_ascii_isdigit(s->str[n])))
		return NULL;
	if (base && !n)
		return resolve_relative(base, s->str, end);
	return is_slash(s->str[0]) || s->str[0] == '?' ? NULL : parse_schemeless(s);
}

bool vtm_url_is_relative(const char *reference)
{
	size_t n;
	const char *scheme = web_scheme(reference, &n);

	return scheme ? !(is_slash(reference[n]) && is_slash(reference[n + 1])) : !n || g_ascii_isdigit(reference[n]);
}

struct vtm_url *vtm_url_resolve(const struct vtm_url *base, const char *reference, gssize len)
{
	GString *s = tidy(reference, len);
	struct vtm_url *u = s ? resolve_tidy(base, s) : NULL;

	if (s)
		g_string_free(s, TRUE);
	return u;
}
