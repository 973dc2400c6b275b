/* SPDX-License-Identifier: BSD-2-Clause */
/* match.c - is a reply about what was asked? */
#include "vt/match.h"

#include <arpa/inet.h>
#include <glib.h>
#include <gio/gio.h>
#include <string.h>

/* The byte that "%xx" at <s> encodes; 0 if <s> is not an escape, or encodes NUL. */
static char escaped_byte(const char *s)
{
	if (s[0] != '%' || !g_ascii_isxdigit(s[1]) || !g_ascii_isxdigit(s[2]))
		return 0;
	return (char)(g_ascii_xdigit_value(s[1]) * 16 + g_ascii_xdigit_value(s[2]));
}

/* <text> percent-decoded until nothing changes, at most 4 times; runs of '/' as one.  New string. */
static char *squash(const char *text)
{
	char *s = g_strdup(text);
	bool changed = true;

	for (int pass = 0; pass < 4 && changed; pass++) {
		char *out = s;

		changed = false;
		for (const char *in = s; *in; in++) {
			char byte = escaped_byte(in), c = byte ? byte : *in;

			if (byte) {
				in += 2;
				changed = true;
			}
			if (c != '/' || out == s || out[-1] != '/')
				*out++ = c;
		}
		*out = '\0';
	}
	return s;
}

struct place {
	char *scheme;
	char *authority;	/* host and port, without user info and default port, lower case */
	char *rest;		/* squashed */
};

static void place_clear(struct place *p)
{
	g_free(p->scheme);
	g_free(p->authority);
	g_free(p->rest);
}

static bool place_parse(const char *url, struct place *p)
{
	const char *start = strstr(url, "://"), *at;
	const char *port;
	size_t len;

	if (!start)
		return false;
	p->scheme = g_ascii_strdown(url, start - url);
	start += 3;
	len = strcspn(start, "/?#");
	p->rest = squash(start[len] ? start + len : "/");
	at = g_strrstr_len(start, (gssize)len, "@");
	if (at) {
		len -= (size_t)(at + 1 - start);
		start = at + 1;
	}
	p->authority = g_ascii_strdown(start, (gssize)len);
	port = !strcmp(p->scheme, "https") ? ":443" : ":80";
	if (g_str_has_suffix(p->authority, port))
		p->authority[strlen(p->authority) - strlen(port)] = '\0';
	return p->authority[0] != '\0';
}

/* How a report on <id>, <url> matches the URL of <lookup>; false: it is about another item.  VirusTotal has its own
 * normal form, whose rules are not published.  Escapes and slashes are known to differ, so they are compared loosely.
 * A report on any other URL of the same host counts as one on the host: it can make an item bad, never clean. */
static bool same_url(const struct vtm_lookup *lookup, const char *id, const char *url, enum vtm_match *match_r)
{
	struct place asked = { 0 }, told = { 0 };
	char hex[65];
	bool same;

	vtm_key_hex(&lookup->key, hex);
	*match_r = VTM_MATCH_EXACT;
	if (!g_ascii_strcasecmp(id, hex))
		return true;
	same = url && place_parse(lookup->subject, &asked) && place_parse(url, &told) &&
	       !strcmp(asked.authority, told.authority);
	if (same && (strcmp(asked.scheme, told.scheme) || strcmp(asked.rest, told.rest)))
		*match_r = VTM_MATCH_HOST;
	place_clear(&asked);
	place_clear(&told);
	return same;
}

static bool same_host(const char *asked, const char *told)
{
	struct in6_addr a, b;

	if (!g_ascii_strcasecmp(asked, told))
		return true;
	return inet_pton(AF_INET6, asked, &a) == 1 && inet_pton(AF_INET6, told, &b) == 1 && !memcmp(&a, &b, sizeof(a));
}

static bool is_sha256(const char *text)
{
	return strlen(text) == 64 && strspn(text, G_CSET_DIGITS "abcdefABCDEF") == 64;
}

bool vtm_match_lookup(const struct vtm_lookup *lookup, const struct vtm_vt_reply *j, enum vtm_match *match_r)
{
	*match_r = VTM_MATCH_EXACT;
	switch ((enum vtm_lookup_kind)lookup->key.kind) {
	case VTM_LOOKUP_FILE:
		return !strcmp(j->type, "file") && !g_ascii_strcasecmp(j->id, lookup->subject);
	case VTM_LOOKUP_URL:
		return !strcmp(j->type, "url") && is_sha256(j->id) && same_url(lookup, j->id, j->url, match_r);
	case VTM_LOOKUP_HOST:
		*match_r = VTM_MATCH_HOST;
		return !strcmp(j->type, g_hostname_is_ip_address(lookup->subject) ? "ip_address" : "domain") &&
		       same_host(lookup->subject, j->id);
	}
	return false;
}

bool vtm_match_analysis(const struct vtm_lookup *lookup, const char *analysis, const struct vtm_vt_reply *j,
			enum vtm_match *match_r)
{
	*match_r = VTM_MATCH_EXACT;
	if (!j->id || g_strcmp0(j->id, analysis))
		return false;
	if (!lookup || !j->item_id)
		return true;
	if (lookup->key.kind == VTM_LOOKUP_URL)
		return same_url(lookup, j->item_id, j->url, match_r);
	return !g_ascii_strcasecmp(j->item_id, lookup->subject);
}

bool vtm_match_server(const char *base, const char *url)
{
	struct place ours = { 0 }, theirs = { 0 };
	const char *authority = strstr(url, "://");
	bool same = authority && !memchr(authority + 3, '@', strcspn(authority + 3, "/?#")) &&
		    place_parse(base, &ours) && place_parse(url, &theirs) &&
		    !strcmp(ours.scheme, theirs.scheme) && !strcmp(ours.authority, theirs.authority);

	place_clear(&ours);
	place_clear(&theirs);
	return same;
}
