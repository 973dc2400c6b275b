/* SPDX-License-Identifier: BSD-2-Clause */
/* privacy.c - which URLs are asked about by their host only. */
#include "url/privacy.h"

#include <string.h>

#include "url/escape.h"

#define RANDOM_MIN 20		/* characters of a string that can be called random */
#define DIGITS_MIN 20
#define BASE64_MIN 16		/* characters of base64 that hold a URL worth a look */
#define BASE64_DEPTH 2		/* base64 inside base64 */
#define ADDRESSES 64		/* words with '@' that are looked at; in a text with more, one is taken for an address */

/* ---- words ----------------------------------------------------------------- */

enum word_rule { UNSUBSCRIBE, CONFIRM, RESET, INVITE, LOGIN };
#define WORD_RULES (LOGIN + 1)

static const struct {
	const char *name;
	bool needs_identifier;
} word_rules[WORD_RULES] = {
	[UNSUBSCRIBE] = { "unsubscribe", false }, [CONFIRM] = { "confirm", true }, [RESET] = { "reset", true },
	[INVITE] = { "invite", true }, [LOGIN] = { "login", true },
};

/* Beginnings of words, lower case.  A word counts where one begins: after anything but a letter, or at a capital after
 * a small one. */
#define WORD(text, rule) { text, sizeof(text) - 1, rule }
static const struct {
	const char *text;
	size_t len;
	enum word_rule rule;
} words[] = {
	WORD("unsub", UNSUBSCRIBE), WORD("optout", UNSUBSCRIBE), WORD("opt-out", UNSUBSCRIBE), WORD("opt_out", UNSUBSCRIBE),
	WORD("removeme", UNSUBSCRIBE), WORD("remove-me", UNSUBSCRIBE), WORD("emailpref", UNSUBSCRIBE),
	WORD("email-pref", UNSUBSCRIBE), WORD("mailpref", UNSUBSCRIBE), WORD("abmeld", UNSUBSCRIBE),
	WORD("abbestell", UNSUBSCRIBE), WORD("desabonn", UNSUBSCRIBE), WORD("desinscri", UNSUBSCRIBE),
	WORD("desuscri", UNSUBSCRIBE), WORD("darsedebaja", UNSUBSCRIBE), WORD("darse-de-baja", UNSUBSCRIBE),
	WORD("cancelar-suscri", UNSUBSCRIBE), WORD("cancelar_suscri", UNSUBSCRIBE), WORD("disiscri", UNSUBSCRIBE),
	WORD("uitschrijven", UNSUBSCRIBE), WORD("afmelden", UNSUBSCRIBE), WORD("wypisz", UNSUBSCRIBE),
	WORD("odhlas", UNSUBSCRIBE), WORD("avregistr", UNSUBSCRIBE), WORD("avprenumer", UNSUBSCRIBE),
	WORD("descadastr", UNSUBSCRIBE), WORD("otpis", UNSUBSCRIBE),
	WORD("confirm", CONFIRM), WORD("verif", CONFIRM), WORD("activat", CONFIRM), WORD("validat", CONFIRM),
	WORD("emailverif", CONFIRM), WORD("emailconfirm", CONFIRM), WORD("accountverif", CONFIRM),
	WORD("aktivier", CONFIRM), WORD("bestaetig", CONFIRM), WORD("doubleoptin", CONFIRM),
	WORD("double-opt-in", CONFIRM), WORD("doi", CONFIRM),
	WORD("reset", RESET), WORD("password", RESET), WORD("passwort", RESET), WORD("kennwort", RESET),
	WORD("passwd", RESET), WORD("pwreset", RESET), WORD("forgot", RESET), WORD("recover", RESET),
	WORD("lostpassword", RESET), WORD("newpassword", RESET), WORD("changepassword", RESET),
	WORD("invit", INVITE), WORD("rsvp", INVITE), WORD("einladung", INVITE), WORD("convite", INVITE),
	WORD("uitnodiging", INVITE),
	WORD("magiclink", LOGIN), WORD("magic-link", LOGIN), WORD("magic_link", LOGIN), WORD("loginlink", LOGIN),
	WORD("login-link", LOGIN), WORD("autologin", LOGIN), WORD("auto-login", LOGIN), WORD("onetime", LOGIN),
	WORD("one-time", LOGIN), WORD("sso", LOGIN), WORD("passwordless", LOGIN),
};

static bool begins_word(const char *text, const char *p)
{
	return p == text || !g_ascii_isalpha(p[-1]) || (g_ascii_islower(p[-1]) && g_ascii_isupper(*p));
}

/* What is behind the first word of each rule in <text>; NULL where there is none. */
static void find_words(const char *text, const char *behind_r[WORD_RULES])
{
	for (const char *p = text; *p; p++) {
		char c = g_ascii_tolower(*p);

		if (!g_ascii_isalpha(c) || !begins_word(text, p))
			continue;
		for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
			if (*words[i].text == c && !behind_r[words[i].rule] &&
			    !g_ascii_strncasecmp(p, words[i].text, words[i].len))
				behind_r[words[i].rule] = p + words[i].len;
	}
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

/* A later word of a rule tells nothing that the first one does not: what identifies is behind both. */
static const char *by_words(const char *text)
{
	const char *behind[WORD_RULES] = { NULL };

	find_words(text, behind);
	for (int r = 0; r < WORD_RULES; r++)
		if (behind[r] && (!word_rules[r].needs_identifier || identifies(behind[r])))
			return word_rules[r].name;
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

/* Of names of several words ("user[token]", "reset-token", "resetToken", "X-Auth-Token"), without what separates them. */
static const struct {
	const char *name;
	const char *part;
	bool last;		/* only at its end: "email_type" names none */
	size_t min_len;
} part_rules[] = {
	{ "token", "token", false, 4 }, { "token", "secret", false, 4 }, { "token", "signature", false, 4 },
	{ "token", "password", false, 4 }, { "token", "passwd", false, 4 }, { "token", "passcode", false, 4 },
	{ "token", "apikey", false, 4 }, { "token", "authkey", false, 4 }, { "token", "accesskey", false, 4 },
	{ "token", "resetkey", false, 4 }, { "token", "resetcode", false, 4 }, { "token", "authcode", false, 4 },
	{ "token", "otp", true, 4 }, { "token", "hash", true, 12 }, { "token", "key", true, 12 },
	{ "token", "code", true, 12 }, { "token", "sig", true, 12 },
	{ "session", "sessionid", false, 4 }, { "session", "session", true, 4 }, { "session", "sessid", false, 4 },
	{ "recipient", "email", true, 1 }, { "recipient", "mailto", true, 1 }, { "recipient", "recipient", true, 1 },
	{ "recipient", "subscriberid", true, 1 }, { "recipient", "userid", true, 1 }, { "recipient", "username", true, 1 },
	{ "recipient", "contactid", true, 1 }, { "recipient", "memberid", true, 1 },
};

#define NAME_MAX_BYTES 64	/* of a parameter's name: longer ones are looked at from their end */

static const char *by_parts(const char *name, size_t len, size_t value_len)
{
	char plain[NAME_MAX_BYTES + 1];
	size_t n = 0;

	for (size_t i = len > NAME_MAX_BYTES ? len - NAME_MAX_BYTES : 0; i < len; i++)
		if (g_ascii_isalnum(name[i]))
			plain[n++] = g_ascii_tolower(name[i]);
	plain[n] = '\0';
	for (size_t i = 0; i < G_N_ELEMENTS(part_rules); i++)
		if (value_len >= part_rules[i].min_len &&
		    (part_rules[i].last ? g_str_has_suffix(plain, part_rules[i].part) : strstr(plain, part_rules[i].part) != NULL))
			return part_rules[i].name;
	return NULL;
}

static const char *by_param(const char *name, size_t name_len, size_t value_len)
{
	for (size_t i = 0; i < G_N_ELEMENTS(param_rules); i++)
		if (value_len >= param_rules[i].min_len && has_name(param_rules[i].params, name, name_len))
			return param_rules[i].name;
	return by_parts(name, name_len, value_len);
}

/* Of the query, of the fragment of a URL inside, and those after ';' in a path (";jsessionid=..."). */
static const char *by_params(const char *text)
{
	const char *rule = NULL;

	for (const char *p = strpbrk(text, "?&;#"); p && !rule; p = strpbrk(p, "?&;#")) {
		size_t name = strcspn(++p, "=&;?#"), value;

		if (p[name] != '=')
			continue;
		value = strcspn(p + name + 1, "&;#");
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
	unsigned tries = ADDRESSES;

	for (const char *at = strchr(text, '@'); at; at = strchr(at + 1, '@')) {
		size_t len = 0;
		char *host;
		bool found;

		if (at == text || !is_local_char(at[-1]))
			continue;
		while (g_ascii_isalnum(at[1 + len]) || at[1 + len] == '.' || at[1 + len] == '-')
			len++;
		if (!tries--)
			return true;
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
	char *plain;
	bool found;

	if (len < 8)
		return false;
	plain = vtm_url_base64(run, len);
	found = strchr(plain, '@') && has_address(plain);
	g_free(plain);
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

	for (size_t i = 0; i < G_N_ELEMENTS(domains); i++)
		if (vtm_host_is_below(host, domains[i], -1))
			return true;
	return false;
}

/* ---- all of them -------------------------------------------------------------------- */

static const char *by_text(const char *text, bool public_files, unsigned depth);

/* URLs in base64, behind a prefix of up to three characters or inside of JSON. */
static const char *by_base64(const char *text, unsigned depth)
{
	const char *rule = NULL;

	while (*text && !rule) {
		size_t len = strspn(text, VTM_BASE64_BYTES);

		for (unsigned skip = 0; skip < 4 && len >= BASE64_MIN + skip && !rule; skip++) {
			char *plain = vtm_url_base64(text + skip, len - skip);
			const char *url = vtm_url_find_scheme(plain);

			if (url)
				rule = by_text(url, false, depth + 1);
			g_free(plain);
		}
		text += len ? len : 1;
	}
	return rule;
}

/* The rule that <text>, from a path on, meets in itself. */
static const char *by_level(const char *text, bool public_files)
{
	const char *rule = by_words(text), *query = strpbrk(text, "?#");
	char *path;

	if (!rule)
		rule = by_params(text);
	if (!rule && has_address(text))
		rule = "email";
	if (!rule && query)
		rule = by_runs(query, true);
	if (rule)
		return rule;
	path = g_strndup(text, query ? (gsize)(query - text) : strlen(text));
	rule = by_runs(path, !public_files);
	g_free(path);
	return rule;
}

/* The rule that <text> meets, as it is or unescaped: a URL inside another one is escaped once for each around it. */
static const char *by_text(const char *text, bool public_files, unsigned depth)
{
	char *s = g_strdup(text), *next;
	const char *rule = NULL;

	for (int level = 0; s && !rule; level++) {
		rule = by_level(s, public_files);
		if (!rule && depth < BASE64_DEPTH)
			rule = by_base64(s, depth);
		if (rule || level == VTM_ESCAPE_LEVELS || !strchr(s, '%'))
			break;
		next = vtm_url_unescape(s, -1);
		g_free(s);
		s = next;
	}
	g_free(s);
	return rule;
}

const char *vtm_privacy_rule(const struct vtm_url *u)
{
	if (u->has_userinfo)
		return "userinfo";
	if (u->host_only)
		return "host-only";
	if (!u->path[1])
		return NULL;
	return by_text(u->path, keeps_public_files(u->host), 0);
}
