/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-url.c - the normal form of a URL is a fixed point, its host one of vtm_host_normal(). */
#include "fuzz.h"

#include "model/lookup.h"
#include "url/escape.h"
#include "url/privacy.h"
#include "url/url.h"

static void check(struct vtm_url *u)
{
	struct vtm_url *again;
	struct vtm_lookup *l;
	char *host;

	if (!u)
		return;
	FUZZ_CHECK(strlen(u->normal) <= VTM_URL_MAX);
	FUZZ_CHECK(g_str_has_prefix(u->normal, "http://") || g_str_has_prefix(u->normal, "https://"));
	FUZZ_CHECK(u->path >= u->normal && u->path <= u->normal + strlen(u->normal) && u->path[0] == '/');
	FUZZ_CHECK(!strchr(u->normal, '#') && !strpbrk(u->normal, " \t\r\n"));
	again = vtm_url_parse(u->normal, -1);
	FUZZ_CHECK(again);
	FUZZ_CHECK(!strcmp(again->normal, u->normal));
	FUZZ_CHECK(!strcmp(again->host, u->host));
	FUZZ_CHECK(again->has_userinfo == u->has_userinfo && !again->fragment);
	vtm_url_free(again);
	host = vtm_host_normal(u->host, -1);
	FUZZ_CHECK(host && !strcmp(host, u->host));
	g_free(host);
	l = vtm_lookup_new(VTM_LOOKUP_URL, u->normal);
	FUZZ_CHECK(l);
	vtm_lookup_free(l);
	FUZZ_CHECK(strstr(u->host, vtm_host_domain(u->host)));
	vtm_privacy_rule(u);
	vtm_host_place(u->host);
	vtm_url_free(u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct vtm_url *base = vtm_url_parse("https://www.example.com/a/b?c", -1);

	check(vtm_url_parse(text, (gssize)size));
	check(vtm_url_guess(text, (gssize)size));
	check(vtm_url_resolve(base, text, (gssize)size));
	vtm_url_free(base);
	check(vtm_url_resolve(NULL, text, (gssize)size));
	g_free(vtm_url_unescape(text, (gssize)size));
	g_free(vtm_host_normal(text, (gssize)size));
	return 0;
}
