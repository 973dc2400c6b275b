/* SPDX-License-Identifier: BSD-2-Clause */
/* test-unwrap.c - wrappers of their makers' documented forms around example.com. */
#include <string.h>

#include "tap.h"
#include "unwrap.h"

#define JSON "eyJzIjogIngiLCAidiI6IDEsICJwIjogIntcInVcIjogMzAsIFwidlwiOiAxLCBcInVybFwiOiBcImh0dHBzOlxc" \
	"XFwvXFxcXC93d3cuZXhhbXBsZS5jb21cXFxcL2FcIiwgXCJpZFwiOiBcIjFcIn0ifQ=="
#define TARGET "https://www.example.com/a?b=c"
#define ESCAPED "https%3A%2F%2Fwww.example.com%2Fa%3Fb%3Dc"
#define BASE64 "aHR0cHM6Ly93d3cuZXhhbXBsZS5jb20vYT9iPWM"

struct unwrap_case {
	const char *what, *url, *want;	/* several URLs with blanks between */
};

static void check(const struct unwrap_case *c, bool want_known)
{
	struct vtm_url *u = vtm_url_parse(c->url, -1);
	bool known = !want_known;
	GPtrArray *found = u ? vtm_unwrap(u, &known) : NULL;
	GString *s = g_string_new(NULL);

	for (guint i = 0; found && i < found->len; i++) {
		const struct vtm_url *t = found->pdata[i];

		g_string_append_printf(s, "%s%s%s", i ? " " : "", t->normal, t->host_only ? "(host)" : "");
	}
	ok(known == want_known, "%s: %s", c->what, want_known ? "has its row" : "has no row");
	is_str(s->str, c->want, "%s: unwrapped", c->what);
	g_string_free(s, TRUE);
	if (found)
		g_ptr_array_unref(found);
	vtm_url_free(u);
}

static void rows(void)
{
	static const struct unwrap_case cases[] = {
		{ "Safe Links", "https://nam02.safelinks.protection.outlook.com/?url=" ESCAPED
		  "&data=05%7C02%7Cuser%40example.org%7C&sdata=x%3D&"
		  "reserved=0", TARGET },
		{ "Safe Links in Office", "https://eur03.safelinks.protection.outlook.com/ap/w-59584e83/?url=" ESCAPED
		  "&data=x", TARGET },
		{ "Safe Links of GCC High", "https://usg01.safelinks.protection.office365.us/?url=" ESCAPED "&data=x",
		  TARGET },
		{ "Safe Links in Teams",
		  "https://statics.teams.cdn.office.net/evergreen-assets/safelinks/1/atp-safelinks.html?url=" ESCAPED
		  "&locale=en", TARGET },
		{ "Proofpoint v1", "https://urldefense.proofpoint.com/v1/url?u=" ESCAPED "&k=x%3D%3D&r=y&m=z&s=1",
		  TARGET },
		{ "Proofpoint v2",
		  "https://urldefense.proofpoint.com/v2/url?u=https-3A__www.example.com_a-5Fb-2Dc-3Fd-3De&d=DwMF&e=",
		  "https://www.example.com/a_b-c?d=e" },
		{ "Proofpoint v3", "https://urldefense.com/v3/__https://www.example.com/a?b=c__;!!Ab12!xyz$", TARGET },
		{ "Proofpoint v3 with spare characters",
		  "https://urldefense.com/v3/__https://www.example.com/a*b**Bx__;KyUyRg!!Ab12!x$",
		  "https://www.example.com/a+b%2Fx" },
		{ "Proofpoint v3, UTF-8", "https://urldefense.us/v3/__https:/www.example.com/*x__;w6k!!Ab12!x$",
		  "https://www.example.com/%C3%A9x" },
		{ "Proofpoint v3 with too few", "https://urldefense.com/v3/__https://www.example.com/a**_b*__;!!x",
		  "https://www.example.com/ab" },
		{ "Libraesva", "https://urlsand.esvalabs.com/?u=" ESCAPED "&e=1&h=2&f=y&p=y", TARGET },
		{ "Symantec", "https://clicktime.symantec.com/a/1/x=?d=y&u=" ESCAPED, TARGET },
		{ "Symantec, new", "https://clicktime.symantec.com/15tStLc5?h=x&u=https://www.example.com/a",
		  "https://www.example.com/a" },
		{ "Symantec at an agent's", "https://clicktime.cloud.postoffice.net/clicktime.php?U=" ESCAPED "&E=x",
		  TARGET },
		{ "Barracuda", "https://linkprotect.cudasvc.com/url?a=" ESCAPED "&c=E,1,x&typo=1", TARGET },
		{ "Cisco", "https://secure-web.cisco.com/1abcDEF/" ESCAPED, TARGET },
		{ "Mimecast", "https://protect-us.mimecast.com/s/AbCdEf?domain=www.example.com",
		  "http://www.example.com/(host)" },
		{ "Mimecast, new", "https://url.us.m.mimecastprotect.com/s/AbCdEf?domain=www.example.com",
		  "http://www.example.com/(host)" },
		{ "Mimecast without", "https://protect-us.mimecast.com/s/AbCdEf", "" },
		{ "Sophos", "https://eu-central-1.protection.sophos.com/?d=example.com&u=" BASE64 "=&i=x&t=y&h=z",
		  TARGET },
		{ "Trend Micro", "https://ca-1801.ctp.trendmicro.com/wis/clicktime/v1/query?url=" ESCAPED
		  "&umid=x&auth=y", TARGET },
		{ "FireEye", "https://protect2.fireeye.com/v1/url?k=x&q=1&e=y&u=" ESCAPED, TARGET },
		{ "Trustwave", "https://scanmail.trustwave.com/?c=1&d=x&u=" ESCAPED, TARGET },
		{ "TitanHQ", "https://linklock.titanhq.com/analyse?url=" ESCAPED "&data=x", TARGET },
		{ "EdgePilot", "https://link.edgepilot.com/s/1a2b/x?u=" ESCAPED, TARGET },
		{ "Avanan", "https://avanan.url-protection.com/v1/url?o=" ESCAPED "&g=x&s=y", TARGET },
		{ "Check Point", "https://protect.checkpoint.com/v2/___https://www.example.com/a?b=c___.YzJ1OmE6bzox",
		  TARGET },
		{ "Bitdefender", "https://linkscan.io/scan/ux/" BASE64 "/x/y", TARGET },
		{ "FortiMail", "https://mail.example.org/fmlurlsvc/?fewReq=:B:x&url=" ESCAPED, TARGET },
		{ "INKY", "https://shared.outlook.inky.com/link?domain=www.example.com&t=x",
		  "http://www.example.com/(host)" },
		{ "Google", "https://www.google.com/url?q=" ESCAPED "&sa=D&source=x&usg=y", TARGET },
		{ "Google elsewhere", "https://www.google.co.uk/url?sa=t&url=" ESCAPED, TARGET },
		{ "Google AMP", "https://www.google.com/amp/s/www.example.com/a", "https://www.example.com/a" },
		{ "Google AMP, no TLS", "https://www.google.de/amp/www.example.com/a", "http://www.example.com/a" },
		{ "Google images", "https://www.google.com/imgres?imgurl=" ESCAPED "&tbnid=x", TARGET },
		{ "Google advertisements", "https://www.google.com/aclk?sa=l&ai=x&adurl=" ESCAPED, TARGET },
		{ "Google advertisements of others", "https://www.googleadservices.com/pagead/aclk?sa=L&adurl=" ESCAPED,
		  TARGET },
		{ "DoubleClick", "https://adclick.g.doubleclick.net/pcs/click?xai=x&adurl=" ESCAPED, TARGET },
		{ "Google Translate", "https://translate.google.com/translate?sl=auto&u=" ESCAPED, TARGET },
		{ "Google Translate, new", "https://www-ex--ample-com.translate.goog/a?_x_tr_sl=auto",
		  "https://www.ex-ample.com/a?_x_tr_sl=auto" },
		{ "AMP cache", "https://www-example-com.cdn.ampproject.org/c/s/www.example.com/a",
		  "https://www.example.com/a" },
		{ "AMP cache, viewer", "https://x.cdn.ampproject.org/v/www.example.com/a", "http://www.example.com/a" },
		{ "Bing", "https://www.bing.com/ck/a?!&&p=x&ptn=3&hsh=3&u=a1" BASE64 "&ntb=1", TARGET },
		{ "Bing, other", "https://www.bing.com/alink/link?url=" ESCAPED "&source=x", TARGET },
		{ "Yahoo", "https://r.search.yahoo.com/_ylt=x/RV=2/RE=1/RO=10/RU=" ESCAPED "/RK=2/RS=y-", TARGET },
		{ "DuckDuckGo", "https://duckduckgo.com/l/?uddg=" ESCAPED "&rut=x", TARGET },
		{ "Yandex", "https://sba.yandex.net/redirect?url=" ESCAPED, TARGET },
		{ "Facebook", "https://l.facebook.com/l.php?u=" ESCAPED "&h=x", TARGET },
		{ "Facebook, old", "https://www.facebook.com/l.php?u=" ESCAPED, TARGET },
		{ "Instagram", "https://l.instagram.com/?u=" ESCAPED "&e=x", TARGET },
		{ "WhatsApp", "https://l.wl.co/l?u=" ESCAPED, TARGET },
		{ "LinkedIn", "https://www.linkedin.com/redir/redirect?url=" ESCAPED "&urlhash=x", TARGET },
		{ "LinkedIn, warning", "https://www.linkedin.com/safety/go?url=" ESCAPED "&trk=x", TARGET },
		{ "YouTube", "https://www.youtube.com/redirect?event=x&q=" ESCAPED, TARGET },
		{ "Slack", "https://slack-redir.net/link?url=" ESCAPED, TARGET },
		{ "Reddit", "https://out.reddit.com/t3_x?url=" ESCAPED "&token=y", TARGET },
		{ "VK", "https://vk.com/away.php?to=" ESCAPED, TARGET },
		{ "Tumblr", "https://t.umblr.com/redirect?z=" ESCAPED "&t=x", TARGET },
		{ "Steam", "https://steamcommunity.com/linkfilter/?u=" ESCAPED, TARGET },
		{ "DeviantArt", "https://www.deviantart.com/users/outgoing?https://www.example.com/a",
		  "https://www.example.com/a" },
		{ "href.li", "https://href.li/?" TARGET, TARGET },
		{ "Amazon SES", "https://abc123.r.eu-west-1.awstrack.me/L0/" ESCAPED "/1/0102018-000000/x=1", TARGET },
		{ "Mandrill", "https://mandrillapp.com/track/click/30/www.example.com?p=" JSON,
		  "https://www.example.com/a" },
		{ "a row, but nothing in it", "https://www.google.com/url?sa=t", "" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		check(&cases[i], true);
}

static void others(void)
{
	static const struct unwrap_case cases[] = {
		{ "no wrapper", "https://example.org/a?b=c&url=d", "" },
		{ "url=", "https://example.org/r?url=" ESCAPED "&x=y", TARGET },
		{ "not escaped", "https://example.org/r?url=https://www.example.com/a", "https://www.example.com/a" },
		{ "escaped twice", "https://example.org/r?x=https%253A%252F%252Fwww.example.com%252F",
		  "https://www.example.com/" },
		{ "in the middle of a value", "https://example.org/r?x=1;u:" ESCAPED, TARGET },
		{ "several",
		  "https://example.org/r?a=http%3A%2F%2Fa.example%2F&b=http://b.example/&c=http://a.example/",
		  "http://a.example/ http://b.example/" },
		{ "base64", "https://example.org/r?x=" BASE64, TARGET },
		{ "in the path", "https://web.archive.org/web/2020/https://www.example.com/a?b=c", TARGET },
		{ "one slash lost", "https://web.archive.org/web/2020/https:/www.example.com/a?b=c", TARGET },
		{ "escaped in the path", "https://example.org/l/" ESCAPED "/x", TARGET },
		{ "base64 in the path", "https://example.org/l/" BASE64 "/x", TARGET },
		{ "without a scheme", "https://example.org/r?url=www.example.com%2Fa&x=www.b.example",
		  "http://www.example.com/a" },
		{ "protocol-relative", "https://example.org/r?next=%2F%2Fwww.example.com%2Fa",
		  "https://www.example.com/a" },
		{ "a path is none", "https://example.org/r?next=%2Fhome&u=//x", "" },
		{ "in the fragment", "https://example.org/#" TARGET, TARGET },
		{ "&amp; left over", "https://example.org/r?x=1&amp;url=" ESCAPED, TARGET },
		{ "itself", "https://example.org/?u=https://example.org/?u=", "https://example.org/?u=" },
		{ "a scheme and nothing", "https://example.org/?u=http://&v=https%3A%2F%2F", "" },
		{ "looks like a wrapper", "https://notgoogle.com/url?x=1", "" },
		{ "looks like another", "https://safelinks.protection.outlook.com.example.org/?x=1", "" },
		{ "NUL inside", "https://example.org/?u=http://a.example/%00", "http://a.example/%00" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		check(&cases[i], false);
}

static void bounds(void)
{
	GString *s = g_string_new("https://example.org/?");
	struct vtm_url *u;
	GPtrArray *found;
	unsigned depth = 0;

	for (int i = 0; i < 250; i++)
		g_string_append_printf(s, "a=http://h%d.example/&", i);
	u = vtm_url_parse(s->str, -1);
	found = u ? vtm_unwrap(u, NULL) : NULL;
	is_int(found ? found->len : 0, VTM_UNWRAP_MAX, "%d URLs of one are told", VTM_UNWRAP_MAX);
	g_clear_pointer(&found, g_ptr_array_unref);
	vtm_url_free(u);

	g_string_assign(s, "http://e.example/");
	for (int i = 0; i < 3; i++) {
		char *escaped = g_uri_escape_string(s->str, NULL, FALSE);

		g_string_printf(s, "https://nam02.safelinks.protection.outlook.com/?url=%s", escaped);
		g_free(escaped);
	}
	u = vtm_url_parse(s->str, -1);
	while (u && (found = vtm_unwrap(u, NULL))) {
		struct vtm_url *next = g_ptr_array_steal_index(found, 0);

		g_ptr_array_unref(found);
		vtm_url_free(u);
		u = next;
		depth++;
	}
	is_int(depth, 3, "wrappers in wrappers come off one at a time");
	is_str(u ? u->normal : NULL, "http://e.example/", "down to the last");
	vtm_url_free(u);
	g_string_free(s, TRUE);
}

int main(void)
{
	rows();
	others();
	bounds();
	return done_testing();
}
