/* SPDX-License-Identifier: BSD-2-Clause */
/* scheme.c - links of other schemes than http and https. */
#include "url/scheme.h"

#include <string.h>

#define SCHEME_MAX 32	/* bytes of a scheme's name; longer ones are none that anybody follows */

/* The scheme in lower case, "" if there is none; what is behind its colon. */
static const char *split(const char *reference, char scheme[SCHEME_MAX + 1])
{
	size_t n = 0;

	while (g_ascii_isalnum(reference[n]) || (n && reference[n] && strchr("+-.", reference[n])))
		n++;
	scheme[0] = '\0';
	if (reference[n] != ':' || n > SCHEME_MAX || !g_ascii_isalpha(reference[0]))
		return reference;
	for (size_t i = 0; i <= n; i++)
		scheme[i] = i < n ? g_ascii_tolower(reference[i]) : '\0';
	return reference + n + 1;
}

static bool is_one_of(const char *scheme, const char *const *names)
{
	return g_strv_contains(names, scheme);
}

bool vtm_scheme_is_foreign(const char *reference)
{
	char scheme[SCHEME_MAX + 1];

	split(reference, scheme);
	return *scheme && strcmp(scheme, "http") && strcmp(scheme, "https");
}

enum vtm_scheme vtm_scheme_of(const char *reference)
{
	static const char *const harmless[] = {
		"about", "callto", "cid", "facetime", "fax", "geo", "im", "mailto", "maps", "mid", "mms", "news", "sip",
		"sips", "sms", "smsto", "tel", "xmpp", NULL
	};
	static const char *const opens[] = {
		"afp", "dav", "davs", "ftp", "ftps", "gopher", "hcp", "its", "jar", "ldap", "ldaps", "mhtml", "mk",
		"nfs", "ftpes", "res", "rlogin", "scp", "search", "search-ms", "sftp", "shell", "smb", "ssh", "telnet",
		"tftp", "webcal", "webcals", "intent", "microsoft-edge", NULL
	};
	char scheme[SCHEME_MAX + 1];
	const char *rest = split(reference, scheme);

	if (is_one_of(scheme, harmless))
		return VTM_SCHEME_HARMLESS;
	/* Office and other programs of Windows; a file on another host */
	if (is_one_of(scheme, opens) || g_str_has_prefix(scheme, "ms-") ||
	    (!strcmp(scheme, "file") && (rest[0] == '/' || rest[0] == '\\') && (rest[1] == '/' || rest[1] == '\\') &&
	     rest[2] && rest[2] != '/' && rest[2] != '\\'))
		return VTM_SCHEME_OPENS;
	return VTM_SCHEME_UNKNOWN;
}

GPtrArray *vtm_scheme_urls(const char *reference, unsigned *flags_r)
{
	/* others' words for https; an intent says its scheme behind '#', a browser's own goes before the host */
	static const char *const web[] = {
		"feed", "googlechrome", "googlechromes", "intent", "microsoft-edge", "view-source", "webcal", "webcals",
		"x-safari-https", "x-safari-http", "firefox", "brave", "opera-https", "opera-http", NULL
	};
	char scheme[SCHEME_MAX + 1];
	const char *rest = split(reference, scheme);
	GPtrArray *urls = vtm_unwrap_text(rest, flags_r);
	struct vtm_url *u;
	char *text;

	if (urls || !is_one_of(scheme, web))
		return urls;
	while (*rest == '/' || *rest == '\\')
		rest++;
	text = g_strconcat("https://", rest, NULL);
	u = vtm_url_parse(text, -1);
	g_free(text);
	if (!u || (!strchr(u->host, '.') && !vtm_host_is_ip(u->host))) {
		vtm_url_free(u);
		return NULL;
	}
	urls = g_ptr_array_new_with_free_func((GDestroyNotify)vtm_url_free);
	g_ptr_array_add(urls, u);
	return urls;
}
