/* SPDX-License-Identifier: BSD-2-Clause */
/* unwrap.c - what is inside the links of rewriters, trackers and redirectors. */
#include "url/unwrap.h"

#include <string.h>

#define ESCAPED_TIMES 4		/* a URL inside may be percent-encoded that often */
#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define PAIRS 256		/* of a query that are looked at */

struct wrapper;
typedef struct vtm_url *decode(const struct vtm_url *u, const struct wrapper *w);

struct wrapper {
	const char *hosts;	/* domains, subdomains included; "google.*": under any public suffix; "*": any host */
	const char *path;	/* what the path begins with, NULL: anything */
	decode *decode;
	const char *params;	/* of the query, for the decoders that read one */
};

/* ---- text to URL -------------------------------------------------------- */

/* Where "http:/" or "https:/" begins in <s>, NULL if nowhere. */
static const char *find_scheme(const char *s)
{
	const char *p = s;

	while ((p = strchr(p, ':'))) {
		if (p[1] == '/' || p[1] == '\\') {
			if (p - s >= 4 && !g_ascii_strncasecmp(p - 4, "http", 4))
				return p - 4;
			if (p - s >= 5 && !g_ascii_strncasecmp(p - 5, "https", 5))
				return p - 5;
		}
		p++;
	}
	return NULL;
}

static char *decode_base64(const char *text, size_t len)
{
	GString *s = g_string_sized_new(len + 4);
	guchar *out;
	gsize n;

	for (size_t i = 0; i < len && text[i] != '='; i++)
		g_string_append_c(s, text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
	while (s->len % 4)
		g_string_append_c(s, '=');
	out = g_base64_decode(s->str, &n);
	g_string_free(s, TRUE);
	out = g_realloc(out, n + 1);
	out[n] = '\0';
	return (char *)out;
}

/* <text>, or what is left after unescaping it a few times, from the first scheme on; new string or NULL. */
static char *embedded(const char *text)
{
	char *s = g_strdup(text), *next, *found = NULL;

	for (int i = 0; s; i++) {
		const char *p = find_scheme(s);

		if (p) {
			found = g_strdup(p);
			break;
		}
		if (i == ESCAPED_TIMES || !strchr(s, '%'))
			break;
		next = vtm_url_unescape(s, -1);
		g_free(s);
		s = next;
	}
	g_free(s);
	return found;
}

/* The URL that <text> is or holds; in base64 it begins with "http" too, or with what JSON begins with. */
static struct vtm_url *url_in(const char *text)
{
	char *found = embedded(text), *decoded;
	struct vtm_url *u = NULL;
	const char *p;

	if (!found && (p = strstr(text, "aHR0c"))) {
		decoded = decode_base64(p, strspn(p, BASE64 "+/-_"));
		found = embedded(decoded);
		g_free(decoded);
	}
	if (found) {
		found[strcspn(found, "\"<>")] = '\0';
		u = vtm_url_parse(found, -1);
	}
	g_free(found);
	return u;
}

/* The same for a value that is known to be a URL: it may lack the scheme. */
static struct vtm_url *url_of(const char *value)
{
	struct vtm_url *u = url_in(value);
	char *plain;

	if (u)
		return u;
	plain = vtm_url_unescape(value, -1);
	u = plain ? vtm_url_guess(plain, -1) : NULL;
	g_free(plain);
	return u;
}

/* ---- decoders ------------------------------------------------------------ */

/* The first of the row's parameters that is there; new string or NULL. */
static char *param_value(const struct vtm_url *u, const struct wrapper *w)
{
	char **names = g_strsplit(w->params, " ", -1), *value = NULL;

	for (char **name = names; *name && !value; name++)
		value = vtm_url_param(u->normal, *name);
	g_strfreev(names);
	return value;
}

static struct vtm_url *by_param(const struct vtm_url *u, const struct wrapper *w)
{
	char *value = param_value(u, w);
	struct vtm_url *target = value ? url_of(value) : NULL;

	g_free(value);
	return target;
}

/* A parameter in base64, behind a prefix such as Bing's "a1". */
static struct vtm_url *by_base64(const struct vtm_url *u, const struct wrapper *w)
{
	char *value = param_value(u, w), *text = NULL, *plain;
	struct vtm_url *target = NULL;

	if (!value)
		return NULL;
	target = url_in(value);
	if (!target) {
		text = decode_base64(value, strlen(value));
		plain = g_strdup(text);
		/* JSON escapes slashes */
		for (char *from = plain, *to = plain; (*to = *from); from++)
			to += *from != '\\';
		target = url_in(plain);
		g_free(plain);
	}
	g_free(text);
	g_free(value);
	return target;
}

/* The wrapper tells the host only. */
static struct vtm_url *by_domain(const struct vtm_url *u, const struct wrapper *w)
{
	struct vtm_url *target = by_param(u, w);

	if (target)
		target->host_only = true;
	return target;
}

/* Sophos: base64 in "u"; where that is missing, the host in "d". */
static struct vtm_url *by_base64_or_domain(const struct vtm_url *u, const struct wrapper *w)
{
	static const struct wrapper domain = { .params = "d" };
	struct vtm_url *target = by_base64(u, w);

	return target ? target : by_domain(u, &domain);
}

/* In the path: an escaped one ends with its segment, one as it is takes all that follows. */
static struct vtm_url *by_path(const struct vtm_url *u, const struct wrapper *w)
{
	const char *query = strchrnul(u->path, '?'), *raw = find_scheme(u->path);
	struct vtm_url *target = NULL;

	(void)w;
	if (raw && raw < query)
		return vtm_url_parse(raw, -1);
	for (const char *p = u->path; p < query && !target; p++) {
		size_t len = strcspn(p, "/?");
		char *segment = g_strndup(p, len);

		target = url_in(segment);
		g_free(segment);
		p += len;
	}
	return target;
}

/* Check Point: "/v2/r01/___URL___.TOKEN", in which "*26" is "%26". */
static struct vtm_url *by_underscores(const struct vtm_url *u, const struct wrapper *w)
{
	const char *begin = strstr(u->path, "___"), *end = begin ? strstr(begin + 3, "___") : NULL;
	char *text = end ? g_strndup(begin + 3, (gsize)(end - begin - 3)) : NULL;
	struct vtm_url *target;

	(void)w;
	for (char *p = text; p && *p; p++)
		if (*p == '*' && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2]))
			*p = '%';
	target = text ? url_of(text) : NULL;
	g_free(text);
	return target;
}

/* The whole query: "?http://..." */
static struct vtm_url *by_query(const struct vtm_url *u, const struct wrapper *w)
{
	const char *query = strchr(u->path, '?');

	(void)w;
	return query ? url_of(query + 1) : NULL;
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
static struct vtm_url *by_amp(const struct vtm_url *u, const struct wrapper *w)
{
	const char *p = u->path + strlen(w->path);
	bool secure = g_str_has_prefix(p, "s/");

	return with_scheme(secure, secure ? p + 2 : p);
}

/* Postmark: "/3s/www.example.com%2Fx/ID", "s" at the end of the first segment for https. */
static struct vtm_url *by_second_segment(const struct vtm_url *u, const struct wrapper *w)
{
	const char *slash = strchr(u->path + 1, '/');
	char *plain = slash ? vtm_url_unescape(slash + 1, (gssize)strcspn(slash + 1, "/?")) : NULL;
	struct vtm_url *target = plain ? with_scheme(slash[-1] == 's', plain) : NULL;

	(void)w;
	g_free(plain);
	return target;
}

/* Microsoft's proxy: "www.example.com.mcas.ms" */
static struct vtm_url *by_host_before(const struct vtm_url *u, const struct wrapper *w)
{
	const char *own = vtm_host_domain(u->host);
	char *rest = own > u->host ? g_strdup_printf("%.*s%s", (int)(own - u->host - 1), u->host, u->path) : NULL;
	struct vtm_url *target = rest ? with_scheme(true, rest) : NULL;

	(void)w;
	g_free(rest);
	return target;
}

/* "www-example-com.translate.goog": a hyphen is two, a dot is one. */
static struct vtm_url *by_translated_host(const struct vtm_url *u, const struct wrapper *w)
{
	GString *s = g_string_new("https://");
	const char *end = u->host + strlen(u->host) - strlen(".translate.goog");
	struct vtm_url *target;

	(void)w;
	for (const char *p = u->host; p < end; p++) {
		bool two = p[0] == '-' && p + 1 < end && p[1] == '-';

		g_string_append_c(s, *p != '-' || two ? *p : '.');
		p += two;
	}
	g_string_append(s, u->path);
	target = vtm_url_parse(s->str, -1);
	g_string_free(s, TRUE);
	return target;
}

/* Proofpoint v2: "http-3A__www.example.com_a-5Fb": '-' for '%', '_' for '/'. */
static struct vtm_url *by_proofpoint2(const struct vtm_url *u, const struct wrapper *w)
{
	char *value = param_value(u, w), *text;
	struct vtm_url *target;

	if (!value)
		return NULL;
	g_strdelimit(value, "-", '%');
	g_strdelimit(value, "_", '/');
	text = vtm_url_unescape(value, -1);
	target = text ? url_of(text) : NULL;
	g_free(text);
	g_free(value);
	return target;
}

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

/* Proofpoint v3: "/v3/__URL__;SPARE!": each '*' in URL is the next character of SPARE (base64), "**X" is a run of
 * them, whose length X spells in the base64 alphabet, counted from 2. */
static struct vtm_url *by_proofpoint3(const struct vtm_url *u, const struct wrapper *w)
{
	static const char alphabet[] = BASE64 "-_";
	const char *begin = u->path + strlen(w->path), *end = strstr(begin, "__;"), *spare, *x;
	char *url, *decoded, *valid;
	GString *out;
	struct vtm_url *target;

	if (!end)
		return NULL;
	url = vtm_url_unescape(begin, end - begin);
	if (!url)
		return NULL;
	decoded = decode_base64(end + 3, strcspn(end + 3, "!?/"));
	spare = valid = g_utf8_make_valid(decoded, -1);
	out = g_string_new(NULL);
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
	target = url_of(out->str);
	g_string_free(out, TRUE);
	g_free(valid);
	g_free(decoded);
	g_free(url);
	return target;
}

/* ---- the table -------------------------------------------------------------- */

#define SAFE_LINKS "safelinks.protection.outlook.com safelinks.protection.office365.us " \
	"safelinks.protection.outlook.us safelinks.protection.apps.mil safelinks.protection.partner.outlook.cn"
#define DEREFERRERS "deref-gmx.net deref-gmx.com deref-gmx.fr deref-gmx.co.uk deref-web.de deref-web-02.de " \
	"deref-mail.com deref-mail-02.com deref-1und1.de deref-1und1-02.de"
#define PROOFPOINT "urldefense.com urldefense.us urldefense.proofpoint.com"

static const struct wrapper wrappers[] = {
	/* rewriters of mail filters */
	{ SAFE_LINKS, NULL, by_param, "url" },					/* Microsoft */
	{ "statics.teams.cdn.office.net", "/evergreen-assets/safelinks/", by_param, "url" },
	{ "outlook.office.com outlook.office365.com outlook.live.com", "/mail/safelink", by_param, "url" },
	{ "safelink.emails.azure.net", "/redirect/", by_param, "destination" },
	{ "mcas.ms mcas-gov.us mcas-gov.ms", "/certificate-checker", by_param, "originalUrl" },
	{ "mcas.ms mcas-gov.us mcas-gov.ms", NULL, by_host_before, NULL },
	{ PROOFPOINT, "/v1/url", by_param, "u" },				/* Proofpoint URL Defense */
	{ PROOFPOINT, "/v2/url", by_proofpoint2, "u" },
	{ PROOFPOINT, "/v3/__", by_proofpoint3, NULL },
	{ "urlsand.esvalabs.com urlsand.com", NULL, by_param, "u" },		/* Libraesva */
	{ "clicktime.symantec.com clicktime.cloud.postoffice.net", NULL, by_param, "u U url" },
	{ "linkprotect.cudasvc.com", "/url", by_param, "a" },			/* Barracuda */
	{ "secure-web.cisco.com", NULL, by_path, NULL },
	{ "mimecast.com mimecastprotect.com", "/s/", by_domain, "domain" },
	{ "protection.sophos.com", NULL, by_base64_or_domain, "u" },
	{ "trendmicro.com", "/wis/clicktime/", by_param, "url" },
	{ "protect2.fireeye.com protect.fireeye.com", NULL, by_param, "u" },
	{ "scanmail.trustwave.com", NULL, by_param, "u" },
	{ "linklock.titanhq.com", NULL, by_param, "url" },
	{ "link.edgepilot.com link.zixcentral.com", NULL, by_param, "u" },	/* OpenText */
	{ "url-protection.com", "/v1/", by_param, "o" },			/* Check Point, once Avanan; SonicWall */
	{ "protect.checkpoint.com url.avanan.click", "/v2/", by_underscores, NULL },
	{ "atpscan.global.hornetsecurity.com scanner.topsec.com", NULL, by_param, "u" },
	{ "vadesecure.com", NULL, by_base64, "u" },
	{ "*", "/securelink/", by_base64, "key" },				/* Mailinblack, on its partners' hosts */
	{ "urlisolation.com", "/browser", by_param, "url" },			/* Proofpoint */
	{ "linkscan.io lsems.gravityzone.bitdefender.com", "/scan/", by_path, NULL },	/* Bitdefender */
	{ "*", "/fmlurlsvc/", by_param, "url" },				/* FortiMail, on its owner's host */
	{ "shared.outlook.inky.com", "/link", by_domain, "domain" },

	/* search engines and networks */
	{ "google.*", "/url", by_param, "q url" },
	{ "google.*", "/amp/", by_amp, NULL },
	{ "google.*", "/imgres", by_param, "imgurl imgrefurl" },
	{ "google.*", "/aclk", by_param, "adurl" },
	{ "google.*", "/translate", by_param, "u" },
	{ "googleadservices.com doubleclick.net", NULL, by_param, "adurl" },
	{ "cdn.ampproject.org", "/c/", by_amp, NULL },
	{ "cdn.ampproject.org", "/v/", by_amp, NULL },
	{ "translate.goog", NULL, by_translated_host, NULL },
	{ "meet.google.com", "/linkredirect", by_param, "dest" },
	{ "bing.*", "/ck/", by_base64, "u" },
	{ "bing.*", "/acl", by_base64, "u" },
	{ "bing.*", "/alink/", by_param, "url" },
	{ "bing.*", "/news/apiclick.aspx", by_param, "url" },
	{ "r.search.yahoo.com", NULL, by_path, NULL },
	{ "duckduckgo.com", "/l/", by_param, "uddg" },
	{ "yandex.*", "/redir", by_param, "url" },
	{ "yandex.*", "/re.jsx", by_base64, "l" },
	{ DEREFERRERS, NULL, by_param, "redirectUrl" },				/* web mail of GMX and others */
	{ "facebook.com", "/l.php", by_param, "u" },
	{ "l.facebook.com lm.facebook.com l.messenger.com l.instagram.com l.threads.com l.wl.co", NULL, by_param, "u" },
	{ "linkedin.com", "/redir/", by_param, "url" },
	{ "linkedin.com", "/safety/go", by_param, "url" },
	{ "youtube.com", "/redirect", by_param, "q" },
	{ "slack-redir.net", "/link", by_param, "url" },
	{ "out.reddit.com", NULL, by_param, "url" },
	{ "vk.com vk.ru vkontakte.ru", "/away.php", by_param, "to" },
	{ "ok.ru", "/dk", by_param, "st.link" },
	{ "tiktok.com", "/link/", by_param, "target" },
	{ "pinterest.*", "/offsite/", by_param, "url" },
	{ "t.umblr.com", "/redirect", by_param, "z" },
	{ "steamcommunity.com", "/linkfilter/", by_param, "url u" },
	{ "deviantart.com", "/users/outgoing", by_query, NULL },
	{ "href.li anonym.to anon.to nullrefer.com", NULL, by_query, NULL },

	/* trackers that keep the target in the link */
	{ "awstrack.me", NULL, by_path, NULL },
	{ "mandrillapp.com", "/track/click", by_base64, "p url" },
	{ "pstmrk.it", NULL, by_second_segment, NULL },
};

/* Is <host> <domain> or below it?  "NAME.*": NAME under any public suffix. */
static bool host_matches(const char *host, const char *domain, size_t len)
{
	size_t n = strlen(host);

	if (len == 1 && *domain == '*')
		return true;
	if (len > 2 && domain[len - 1] == '*') {
		const char *own = vtm_host_domain(host);

		return !strncmp(own, domain, len - 1);
	}
	return n >= len && !strncmp(host + n - len, domain, len) && (n == len || host[n - len - 1] == '.');
}

static const struct wrapper *find_wrapper(const struct vtm_url *u)
{
	for (size_t i = 0; i < G_N_ELEMENTS(wrappers); i++) {
		const struct wrapper *w = &wrappers[i];

		if (w->path && !g_str_has_prefix(u->path, w->path))
			continue;
		for (const char *d = w->hosts; *d; d += strspn(d, " ")) {
			size_t len = strcspn(d, " ");

			if (host_matches(u->host, d, len))
				return w;
			d += len;
		}
	}
	return NULL;
}

/* ---- URLs in any others --------------------------------------------------------- */

struct finds {
	const struct vtm_url *in;
	GPtrArray *urls;	/* NULL: none yet */
};

static void add(struct finds *f, struct vtm_url *u)
{
	bool known = !u || !strcmp(u->normal, f->in->normal);

	for (guint i = 0; !known && f->urls && i < f->urls->len; i++)
		known = !strcmp(((struct vtm_url *)f->urls->pdata[i])->normal, u->normal);
	if (known || (f->urls && f->urls->len == VTM_UNWRAP_MAX)) {
		vtm_url_free(u);
		return;
	}
	if (!f->urls)
		f->urls = g_ptr_array_new_with_free_func((GDestroyNotify)vtm_url_free);
	g_ptr_array_add(f->urls, u);
}

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
static void look_in_pair(struct finds *f, const char *pair, size_t len)
{
	char *text = g_strndup(pair, len);
	const char *equals = strchr(text, '='), *raw = find_scheme(text);
	struct vtm_url *u = url_in(equals && !(raw && raw < equals) ? equals + 1 : text);

	if (!u && equals && names_a_url(text, (size_t)(equals - text)))
		u = schemeless(equals + 1);
	add(f, u);
	g_free(text);
}

static void look_in_pairs(struct finds *f, const char *text)
{
	for (unsigned i = 0; i < PAIRS && *text; i++) {
		size_t len = strcspn(text, "&");

		look_in_pair(f, text, len);
		text += len + (text[len] == '&');
	}
}

GPtrArray *vtm_unwrap(const struct vtm_url *u, bool *known_r)
{
	const struct wrapper *w = find_wrapper(u);
	struct finds f = { u, NULL };

	if (known_r)
		*known_r = w != NULL;
	if (w)
		add(&f, w->decode(u, w));
	if (!f.urls) {
		const char *query = strchr(u->path, '?');

		add(&f, by_path(u, NULL));
		if (query)
			look_in_pairs(&f, query + 1);
	}
	if (u->fragment)
		look_in_pairs(&f, u->fragment);
	return f.urls;
}
