/* SPDX-License-Identifier: BSD-2-Clause */
/* privacy.c - which URLs are asked about by their host only. */
#include "url/privacy.h"

#include <string.h>

#define RANDOM_MIN 20		/* characters of a string that can be called random */
#define DIGITS_MIN 20

/* ---- words ----------------------------------------------------------------- */

/* A word counts where one begins: behind anything but a letter, or at a capital behind a small one. */
struct word_rule {
	const char *name;
	const char *words;	/* beginnings, lower case, with blanks between */
	bool needs_identifier;
};

static const struct word_rule word_rules[] = {
	{ "unsubscribe",
	  "unsub optout opt-out opt_out removeme remove-me emailpref email-pref mailpref abmeld abbestell "
	  "desabonn desinscri desuscri darsedebaja darse-de-baja cancelar-suscri cancelar_suscri disiscri "
	  "uitschrijven afmelden wypisz odhlas avregistr avprenumer descadastr otpis", false },
	{ "confirm",
	  "confirm verif activat validat emailverif emailconfirm accountverif aktivier bestaetig "
	  "doubleoptin double-opt-in doi", true },
	{ "reset",
	  "reset password passwort kennwort passwd pwreset forgot recover lostpassword newpassword "
	  "changepassword", true },
	{ "invite", "invit rsvp einladung convite uitnodiging", true },
	{ "login",
	  "magiclink magic-link magic_link loginlink login-link autologin auto-login onetime one-time sso "
	  "passwordless", true },
};

static bool begins_word(const char *text, const char *p)
{
	return p == text || !g_ascii_isalpha(p[-1]) || (g_ascii_islower(p[-1]) && g_ascii_isupper(*p));
}

/* Where one of <words> begins in <text>; what is behind it, NULL if none does. */
static const char *find_word(const char *text, const char *words)
{
	for (const char *p = text; *p; p++) {
		if (!g_ascii_isalpha(*p) || !begins_word(text, p))
			continue;
		for (const char *w = words; *w; w += strspn(w, " ")) {
			size_t n = strcspn(w, " ");

			if (!g_ascii_strncasecmp(p, w, n))
				return p + n;
			w += n;
		}
	}
	return NULL;
}

/* "login.php", "index.html": a page's name, the same for everybody. */
static bool is_page(const char *segment, size_t len)
{
	static const char *const endings[] = { ".php", ".html", ".htm", ".asp", ".aspx", ".jsp", ".do", ".cgi" };

	for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
		size_t n = strlen(endings[i]);

		if (len > n && !g_ascii_strncasecmp(segment + len - n, endings[i], n))
			return true;
	}
	return len == 0;
}

/* Is there anything from <p> on that may tell one reader from another: a further segment, a parameter that has a
 * value? */
static bool identifies(const char *p)
{
	size_t rest = strcspn(p, "/?");

	p += rest;
	while (*p == '/') {
		size_t n = strcspn(p + 1, "/?");

		if (!is_page(p + 1, n))
			return true;
		p += n + 1;
	}
	while (*p == '?' || *p == '&') {
		size_t n = strcspn(++p, "&");
		const char *equals = memchr(p, '=', n);

		if (g_ascii_strncasecmp(p, "utm_", 4) && (equals ? equals + 1 < p + n : n > 0))
			return true;
		p += n;
	}
	return strchr(p, '=') != NULL;
}

static const char *by_words(const char *text)
{
	for (size_t i = 0; i < G_N_ELEMENTS(word_rules); i++) {
		const char *behind = find_word(text, word_rules[i].words);

		if (behind && (!word_rules[i].needs_identifier || identifies(behind)))
			return word_rules[i].name;
	}
	return NULL;
}

/* ---- parameters -------------------------------------------------------------- */

struct param_rule {
	const char *name;
	const char *params;	/* names, lower case, with blanks between */
	size_t min_len;		/* of the value */
};

static const struct param_rule param_rules[] = {
	{ "session", "jsessionid phpsessid sessionid session_id sessid sess_id session aspsessionid cfid cftoken", 4 },
	{ "session", "sid s_id", 10 },
	{ "token",
	  "token access_token id_token refresh_token auth_token authtoken auth_key authkey auth otp jwt "
	  "ticket hmac apikey api_key secret signature x-amz-signature x-amz-security-token "
	  "x-goog-signature x-ms-signature pwd passcode magic nonce login_token logintoken csrf state", 4 },
	{ "token", "key sig hash code t tk tkn sign digest check ctoken", 12 },
	{ "recipient",
	  "email e-mail mail emailaddress email_address mailto recipient rcpt recipient_id subscriber "
	  "subscriber_id ck_subscriber_id subscriberid mc_eid mkt_tok _hsenc vero_id contactid contact_id "
	  "userid user_id memberid member_id username login_hint", 1 },
};

static bool has_name(const char *names, const char *name, size_t len)
{
	for (const char *n = names; *n; n += strspn(n, " ")) {
		size_t l = strcspn(n, " ");

		if (l == len && !g_ascii_strncasecmp(n, name, l))
			return true;
		n += l;
	}
	return false;
}

static const char *by_param(const char *name, size_t name_len, size_t value_len)
{
	for (size_t i = 0; i < G_N_ELEMENTS(param_rules); i++)
		if (value_len >= param_rules[i].min_len && has_name(param_rules[i].params, name, name_len))
			return param_rules[i].name;
	return NULL;
}

/* Of the query, and those behind ';' in a path (";jsessionid=..."). */
static const char *by_params(const char *text)
{
	const char *rule = NULL;

	for (const char *p = strpbrk(text, "?&;"); p && !rule; p = strpbrk(p, "?&;")) {
		size_t name = strcspn(++p, "=&;?"), value;

		if (p[name] != '=')
			continue;
		value = strcspn(p + name + 1, "&;");
		rule = by_param(p, name, value);
	}
	return rule;
}

/* ---- mail addresses ------------------------------------------------------------ */

static bool is_local_char(char c)
{
	return g_ascii_isalnum(c) || (c && strchr("._+-", c));
}

static bool has_address(const char *text)
{
	for (const char *at = strchr(text, '@'); at; at = strchr(at + 1, '@')) {
		size_t len = 0;
		char *host;
		bool found;

		if (at == text || !is_local_char(at[-1]))
			continue;
		while (g_ascii_isalnum(at[1 + len]) || at[1 + len] == '.' || at[1 + len] == '-')
			len++;
		host = len ? vtm_host_normal(at + 1, (gssize)len) : NULL;
		found = host && vtm_host_plausible(host);
		g_free(host);
		if (found)
			return true;
	}
	return false;
}

/* ---- runs of letters and digits ---------------------------------------------------- */

static bool is_run_char(char c)
{
	return g_ascii_isalnum(c) || c == '-' || c == '_';
}

/* How often a random string changes between small letters, capitals and digits, words do not: "(letter)(digit)",
 * "aB".  Four pairs in ten do in base64 and in hex, one in five in CamelCase, hardly any in words. */
static bool looks_random(const char *run, size_t len)
{
	size_t changes = 0, digits = 0;

	for (size_t i = 0; i < len; i++) {
		bool digit = g_ascii_isdigit(run[i]);

		digits += digit;
		if (i && g_ascii_isalnum(run[i]) && g_ascii_isalnum(run[i - 1]) &&
		    (digit != !!g_ascii_isdigit(run[i - 1]) ||
		     (g_ascii_isupper(run[i]) && g_ascii_islower(run[i - 1]))))
			changes++;
	}
	if (digits == len)
		return len >= DIGITS_MIN;
	return len >= RANDOM_MIN && changes * 100 >= (len - 1) * 25;
}

static bool is_uuid(const char *run, size_t len)
{
	if (len != 36)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen ? run[i] != '-' : !g_ascii_isxdigit(run[i]))
			return false;
	}
	return true;
}

/* Does the run hold a mail address in base64? */
static bool hides_address(const char *run, size_t len)
{
	GString *s;
	guchar *out;
	gsize n;
	bool found;

	if (len < 8)
		return false;
	s = g_string_new_len(run, (gssize)len);
	g_strdelimit(s->str, "-", '+');
	g_strdelimit(s->str, "_", '/');
	while (s->len % 4)
		g_string_append_c(s, '=');
	out = g_base64_decode(s->str, &n);
	out = g_realloc(out, n + 1);
	out[n] = '\0';
	found = memchr(out, '@', n) && has_address((const char *)out);
	g_free(out);
	g_string_free(s, TRUE);
	return found;
}

static const char *by_runs(const char *text, bool count_random)
{
	while (*text) {
		size_t len = 0;

		while (is_run_char(text[len]))
			len++;
		if (hides_address(text, len))
			return "email";
		if (count_random && (is_uuid(text, len) || looks_random(text, len)))
			return "random";
		text += len ? len : 1;
	}
	return NULL;
}

/* Hosts where a path with a random name is a file or page for everybody. */
static bool keeps_public_files(const char *host)
{
	static const char *const domains[] = {
		"amazonaws.com", "backblazeb2.com", "bitbucket.org", "blob.core.windows.net", "cdn.discordapp.com",
		"cloudflare-ipfs.com", "cloudfront.net", "digitaloceanspaces.com", "dweb.link",
		"firebasestorage.googleapis.com", "github.com", "githubusercontent.com", "gitlab.com", "ipfs.io",
		"mediafire.com", "pastebin.com", "r2.dev", "sourceforge.net", "storage.googleapis.com", "vimeo.com",
		"wasabisys.com", "web.core.windows.net", "youtu.be", "youtube.com",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(domains); i++) {
		size_t n = strlen(domains[i]), h = strlen(host);

		if (h >= n && !strcmp(host + h - n, domains[i]) && (h == n || host[h - n - 1] == '.'))
			return true;
	}
	return false;
}

/* ---- all of them -------------------------------------------------------------------- */

const char *vtm_privacy_rule(const struct vtm_url *u)
{
	const char *rule;
	char *text, *twice, *query;

	if (u->has_userinfo)
		return "userinfo";
	if (u->host_only)
		return "host-only";
	if (!u->path[1])
		return NULL;
	text = vtm_url_unescape(u->path, -1);
	if (!text)
		text = g_strdup(u->path);
	twice = vtm_url_unescape(text, -1);
	rule = by_words(text);
	if (!rule)
		rule = by_params(u->path);
	if (!rule && (has_address(text) || (twice && has_address(twice))))
		rule = "email";
	query = strchr(text, '?');
	if (!rule && query)
		rule = by_runs(query, true);
	if (query)
		*query = '\0';
	if (!rule)
		rule = by_runs(text, !keeps_public_files(u->host));
	g_free(twice);
	g_free(text);
	return rule;
}
