/* SPDX-License-Identifier: BSD-2-Clause */
/* test-unwrap.c - wrappers of their makers' documented forms around example.com. */
#include <string.h>

#include "tap.h"
#include "url/scheme.h"
#include "url/unwrap.h"

#define JSON "eyJzIjogIngiLCAidiI6IDEsICJwIjogIntcInVcIjogMzAsIFwidlwiOiAxLCBcInVybFwiOiBcImh0dHBzOlxc" \
	"XFwvXFxcXC93d3cuZXhhbXBsZS5jb21cXFxcL2FcIiwgXCJpZFwiOiBcIjFcIn0ifQ=="
#define TARGET "https://www.example.com/a?b=c"
#define ESCAPED "https%3A%2F%2Fwww.example.com%2Fa%3Fb%3Dc"
#define BASE64 "aHR0cHM6Ly93d3cuZXhhbXBsZS5jb20vYT9iPWM"
#define LINK_JSON "eyJsYW5nIjoiZnIiLCJ0b2tlbiI6IngiLCJ1cmwiOiJodHRwczovL3d3dy5leGFtcGxlLmNvbS9hP2I9YyJ9"

struct unwrap_case {
	const char *what, *url, *want;	/* several URLs with blanks between */
};

static void check(const struct unwrap_case *c, bool want_known)
{
	struct vtm_url *u = vtm_url_parse(c->url, -1);
	unsigned flags = 0;
	GPtrArray *found = u ? vtm_unwrap(u, &flags) : NULL;
	bool known = flags & VTM_UNWRAP_KNOWN;
	GString *s = g_string_new(NULL);

	for (guint i = 0; found && i < found->len; i++) {
		const struct vtm_url *t = found->pdata[i];

		g_string_append_printf(s, "%s%s%s", i ? " " : "", t->normal, t->host_only ? "(host)" : "");
	}
	ok(known == want_known, "%s: %s", c->what, want_known ? "counts as a wrapper" : "does not count as one");
	is_str(s->str, c->want, "%s: unwrapped", c->what);
	g_string_free(s, TRUE);
	if (found)
		g_ptr_array_unref(found);
	vtm_url_free(u);
}

/* Where nothing can be decoded the wrapper is judged itself. */
static bool counts(const char *want)
{
	return *want != '\0';
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
		{ "Trend Micro, another product", "https://smex-ctp.trendmicro.com/wis/clicktime/v1/query?url=" ESCAPED,
		  TARGET },
		{ "Sophos", "https://eu-central-1.protection.sophos.com/?d=example.com&u=" BASE64 "=&i=x&t=y&h=z",
		  TARGET },
		{ "Trend Micro", "https://ca-1801-ctp.trendmicro.com/wis/clicktime/v1/query?url=" ESCAPED
		  "&umid=x&auth=y", TARGET },
		{ "FireEye", "https://protect2.fireeye.com/v1/url?k=x&q=1&e=y&u=" ESCAPED, TARGET },
		{ "Trustwave", "https://scanmail.trustwave.com/?c=1&d=x&u=" ESCAPED, TARGET },
		{ "TitanHQ", "https://linklock.titanhq.com/analyse?url=" ESCAPED "&data=x", TARGET },
		{ "EdgePilot", "https://link.edgepilot.com/s/1a2b/x?u=" ESCAPED, TARGET },
		{ "Avanan", "https://avanan.url-protection.com/v1/url?o=" ESCAPED "&g=x&s=y", TARGET },
		{ "SonicWall", "https://sonicwall.url-protection.com/v1/r01/url?o=https%3A//www.example.com/a%3Fb%3Dc&g=x",
		  TARGET },
		{ "Hornetsecurity", "https://atpscan.global.hornetsecurity.com/?d=x&f=y&u=" ESCAPED, TARGET },
		{ "Topsec", "https://scanner.topsec.com/?d=1&r=show&u=" ESCAPED "&t=x", TARGET },
		{ "Zix", "https://link.zixcentral.com/u/1a2b3c4d/x?u=" ESCAPED, TARGET },
		{ "Vade", "https://antiphishing.vadesecure.com/v4?f=x&i=y&k=z&r=w&s=v&u=" ESCAPED, TARGET },
		{ "Vade for Microsoft 365", "https://m365.eu.vadesecure.com/safeproxy/v4?f=x&u=" ESCAPED, TARGET },
		{ "Mailinblack", "https://mibc-fr-01.mailinblack.com/securelink/?url=https://www.example.com&key=" LINK_JSON,
		  "https://www.example.com/ " TARGET },
		{ "Proofpoint's isolation", "https://urlisolation.com/browser?clickId=x&traceToken=y&url=" ESCAPED, TARGET },
		{ "Check Point, region and escapes",
		  "https://protect.checkpoint.com/v2/r01/___https:/www.example.com/a?b=c*26d=e___.YzJ1OmE6bzox",
		  "https://www.example.com/a?b=c%26d=e" },
		{ "Check Point, unfinished", "https://protect.checkpoint.com/v2/r01/___https:", "" },
		{ "Sophos with the host only", "https://us-east-2.protection.sophos.com/?d=www.example.com&b=x&q=y",
		  "http://www.example.com/(host)" },
		{ "Safe Links in Outlook on the web", "https://outlook.office.com/mail/safelink.html?url=" ESCAPED "&corid=x",
		  TARGET },
		{ "Azure's mail", "https://nam.safelink.emails.azure.net/redirect/?destination=" ESCAPED "&p=x", TARGET },
		{ "Microsoft's proxy", "https://mcas-proxyweb.mcas.ms/certificate-checker?login=false&originalUrl=" ESCAPED,
		  TARGET },
		{ "Microsoft's proxy, by host", "https://www.example.com.mcas.ms/a?b=c", TARGET },
		{ "Check Point", "https://protect.checkpoint.com/v2/___https://www.example.com/a?b=c___.YzJ1OmE6bzox",
		  TARGET },
		{ "Bitdefender", "https://linkscan.io/scan/ux/" BASE64 "/x/y", TARGET },
		{ "FortiMail", "https://x.fortimailcloud.com/fmlurlsvc/?fewReq=:B:x&url=" ESCAPED, TARGET },
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
		{ "Bing, advertisement", "https://www.bing.com/aclick?ld=x&u=aHR0cHMlM2ElMmYlMmZ3d3cuZXhhbXBsZS5jb20lMmZh&rlid=y",
		  "https://www.example.com/a" },
		{ "Bing, news", "http://www.bing.com/news/apiclick.aspx?ref=x&url=" ESCAPED "&c=1", TARGET },
		{ "Google Meet", "https://meet.google.com/linkredirect?authuser=0&dest=" ESCAPED, TARGET },
		{ "Yahoo", "https://r.search.yahoo.com/_ylt=x/RV=2/RE=1/RO=10/RU=" ESCAPED "/RK=2/RS=y-", TARGET },
		{ "DuckDuckGo", "https://duckduckgo.com/l/?uddg=" ESCAPED "&rut=x", TARGET },
		{ "Yandex", "https://sba.yandex.net/redirect?url=" ESCAPED, TARGET },
		{ "Yandex mail", "https://mail.yandex.ru/re.jsx?h=x&l=" BASE64, TARGET },
		{ "GMX", "https://deref-gmx.net/mail/client/x/dereferrer/?redirectUrl=" ESCAPED, TARGET },
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
		{ "Odnoklassniki", "https://ok.ru/dk?cmd=logExternal&st.cmd=logExternal&st.link=" ESCAPED, TARGET },
		{ "TikTok", "https://www.tiktok.com/link/v2?aid=1988&target=" ESCAPED, TARGET },
		{ "Pinterest", "https://www.pinterest.com/offsite/?token=x&url=" ESCAPED, TARGET },
		{ "Tumblr", "https://t.umblr.com/redirect?z=" ESCAPED "&t=x", TARGET },
		{ "Steam", "https://steamcommunity.com/linkfilter/?u=" ESCAPED, TARGET },
		{ "DeviantArt", "https://www.deviantart.com/users/outgoing?https://www.example.com/a",
		  "https://www.example.com/a" },
		{ "href.li", "https://href.li/?" TARGET, TARGET },
		{ "Amazon SES", "https://abc123.r.eu-west-1.awstrack.me/L0/" ESCAPED "/1/0102018-000000/x=1", TARGET },
		{ "Mandrill", "https://mandrillapp.com/track/click/30/www.example.com?p=" JSON,
		  "https://www.example.com/a" },
		{ "Mandrill, old", "https://mandrillapp.com/track/click.php?u=1&id=x&url=" ESCAPED, TARGET },
		{ "Postmark", "https://click.pstmrk.it/3s/www.example.com%2Fa%3Fb%3Dc/x/y/z", TARGET },
		{ "Postmark, no TLS", "https://click.pstmrk.it/2/www.example.com%2Fa/x", "http://www.example.com/a" },
		{ "Postmark, no host", "https://click.pstmrk.it/3s/x", "" },
		{ "a row, but nothing in it", "https://www.google.com/url?sa=t", "" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		check(&cases[i], counts(cases[i].want));
}

/* As met in the wild, signatures cut; where each was published. */
static void published(void)
{
	static const struct unwrap_case cases[] = {
		{ "Proofpoint v1: Cortex XSOAR, tests of FormatURL",
		  "https://urldefense.proofpoint.com/v1/url?u=http://www.bouncycastle.org/&amp;k=oIvRg1%2BdGA"
		  "gOoM1BIlLLqw%3D%3D%0A&amp;r=IKM5u8%2B%2F%2Fi8EBhWOS%2BqGbTqCC%0A",
		  "http://www.bouncycastle.org/" },
		{ "Proofpoint v2: the same",
		  "https://urldefense.proofpoint.com/v2/url?u=http-3A__links.mkt3337.com_ctt-3Fkn-3D3-26ms-3D"
		  "MzQ3OTg3MDQS1-26r-3DMzkxNzk3NDkwMDA0S0-26b-3D0-26j-3DMTMwMjA1ODYzNQS2-26mt-3D1-26rt-3D0&d="
		  "DwMFaQ&e=",
		  "http://links.mkt3337.com/ctt?kn=3&ms=MzQ3OTg3MDQS1&r=MzkxNzk3NDkwMDA0S0&b=0&j=MTMwMjA1ODYzNQS2&mt=1&rt=0" },
		{ "Proofpoint v3: Binary Refinery, tests of urlguards",
		  "https://urldefense.com/v3/__https://google.com:443/search?q=a*test&gs=ps__;Kw!-612Flbf0JvQ"
		  "3kNJkRi5Jg!Ue6tQudNKaShHg93trcdjqDP8se2ySE65jyCIe2K1D_uNjZ1Lnf6YLQERujng$",
		  "https://google.com/search?q=a+test&gs=ps" },
		{ "Safe Links: a design of .NET's diagnostics",
		  "https://nam06.safelinks.protection.outlook.com/?url=https%3A%2F%2Fgithub.com%2Fmikem8361%2F"
		  "diagnostics%2Ftree%2Fextensions&data=02%7C01%7C637316317046053155&sdata=8KiErrK4qWtIMGQLYZ"
		  "tkv07%2FTMftXQzpSsQ69Chlz8E%3D&reserved=0",
		  "https://github.com/mikem8361/diagnostics/tree/extensions" },
		{ "Symantec: a sample of OpenVINO",
		  "https://clicktime.symantec.com/38YrYPLxxSqYhBQLb1eruhW7Vc?u=http%3A%2F%2Fregistrationcenter"
		  "-download.intel.com%2Fakdlm%2Firc_nas%2F12954%2Ffpga_support_files.tgz",
		  "http://registrationcenter-download.intel.com/akdlm/irc_nas/12954/fpga_support_files.tgz" },
		{ "Cisco: README of IndexFS",
		  "https://secure-web.cisco.com/1W2R4YLY2hhGpl65mIlXRE6wo_Bgus3uAHj6kgi6Z1DflVl54XMtQ0_bG4gLyZ"
		  "xrKU1-JaPNp55Q2cQ3ftsKFpnUVDjPE4JGtM4ywlm950byJZCYI-1jgkH92zAIuQCFsDx0/https%3A%2F%2Fwww.y"
		  "ourkit.com",
		  "https://www.yourkit.com/" },
		{ "Google: This Week in Rust",
		  "https://www.google.com/url?q=https%3A%2F%2Fdiscord.gg%2FyNtPTb2&sa=D&ust=1666661760000000&u"
		  "sg=AOvVaw13uHY9m-8bJJwgeP58VS8l",
		  "https://discord.gg/yNtPTb2" },
		{ "Bing: notes on malware analysis",
		  "https://www.bing.com/ck/a?!&&p=060cb04947cda4c3JmltdHM9MTY5NDIxNzYwMCZpZ3VpZD0xZmQxODVlMC05"
		  "&ptn=3&hsh=3&fclid=1fd185e0-9fd9-6af2-1a26-97959ea66bdf&psq=sha256sum+download&u=a1aHR0cHM"
		  "6Ly9zb3VyY2Vmb3JnZS5uZXQvZGlyZWN0b3J5Lz9xPXNoYTI1NnN1bQ&ntb=1",
		  "https://sourceforge.net/directory/?q=sha256sum" },
		{ "Facebook: documentation of WhatsApp",
		  "https://l.facebook.com/l.php?u=https%3A%2F%2Ffaq.whatsapp.com%2F241617298315321%2F&h=AT5bNu"
		  "xI3oRfZ5yeq8kdeNAN5LGc78unD9VOUdTB4g7xNsxqypNt-F_Sq4M_G0mVuof9pwMq",
		  "https://faq.whatsapp.com/241617298315321/" },
		{ "LinkedIn: an article on agents",
		  "https://www.linkedin.com/redir/redirect?url=https%3A%2F%2Fgithub%2Ecom%2Flangchain-ai%2Fdee"
		  "pagents&urlhash=cQRT&trk=article-ssr-frontend-pulse_little-text-block",
		  "https://github.com/langchain-ai/deepagents" },
		{ "FireEye: Linux kernel mailing lists",
		  "https://protect2.fireeye.com/v1/url?k=569d5207-09066afa-569cd948-000babff317b&q=1&e=1305c5"
		  "cc-33c8-467e-a498-6862a854cf94&u=https%3A%2F%2Fgithub.com%2Fopenedev%2Fkernel%2Ftree%2Fimx"
		  "8mm-dsi-v2",
		  "https://github.com/openedev/kernel/tree/imx8mm-dsi-v2" },
		{ "Trend Micro: Linux kernel mailing lists",
		  "https://ddec1-0-en-ctp.trendmicro.com:443/wis/clicktime/v1/query?url=https%3a%2f%2flore.ke"
		  "rnel.org%2flkml%2f87y1fzkq8c.wl%2dtiwai%40suse.de%2fT%2f&umid=6a6586e6-8c0c&auth=53c7",
		  "https://lore.kernel.org/lkml/87y1fzkq8c.wl-tiwai@suse.de/T/" },
		{ "Barracuda: a page of servingconnecticut.com",
		  "https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fservingconnecticut.com%2f&c=E,1,hA45iW"
		  "0GZJdGWU2_lp0BOlPA2MbuJCyCSHBrRznoiP5v2BNJNsn5x0h4ADkZlBLeOHr2HP5RMLme4LozPT9vTx,,&typo=1",
		  "https://servingconnecticut.com/" },
		{ "Sophos: LangGraph, discussion 894",
		  "https://eu-central-1.protection.sophos.com/?d=langchain-ai.github.io&u=aHR0cHM6Ly9sYW5nY2h"
		  "haW4tYWkuZ2l0aHViLmlvL2xhbmdncmFwaC9ob3ctdG9zL2h1bWFuX2luX3RoZV9sb29wL2VkaXQtZ3JhcGgtc3Rhd"
		  "GUv&i=NWY1&h=af",
		  "https://langchain-ai.github.io/langgraph/how-tos/human_in_the_loop/edit-graph-state/" },
		{ "Check Point: a link to Wikipedia",
		  "https://protect.checkpoint.com/v2/r01/___https:/en.wikipedia.org/wiki/Elastic_net_regulari"
		  "zation___.YXAzOnNhcmFncmlsbG86YzpnOjRlOWZhZTAyODNhNjIy",
		  "https://en.wikipedia.org/wiki/Elastic_net_regularization" },
		{ "Check Point: a link to The Register",
		  "https://protect.checkpoint.com/v2/r01/___https%3A/www.theregister.com/security/2026/529278"
		  "0___.YXAzOmRpZ2ljZXJ0",
		  "https://www.theregister.com/security/2026/5292780" },
		{ "Check Point, old: Sony's release notes",
		  "https://checkpoint.url-protection.com/v1/url?o=https%3A//app.cimediacloud.com/r/xDNWuhwjME"
		  "NB&g=NTViYjkzMTE0M2NkMWJjYQ==&h=ZjNi&p=YzJ1",
		  "https://app.cimediacloud.com/r/xDNWuhwjMENB" },
		{ "Mailinblack: a call for workshops",
		  "https://mibc-fr-05.mailinblack.com/securelink/?url=https://docs.google.com&key=eyJsYW5nIjo"
		  "iRlIiLCJ1cmwiOiJodHRwczovL2RvY3MuZ29vZ2xlLmNvbS9mb3Jtcy9kL2UvMUZBSXBRTFNjTUlaejNDbzdaekRjR"
		  "GZSOVA2TTJMa0ZwXzh2WjNtbmRfY3dNbWZBZVpTeFZhc1Evdmlld2Zvcm0iLCJ0b2tlbiI6ImdBQSJ9",
		  "https://docs.google.com/ https://docs.google.com/forms/d/e/1FAIpQLScMIZz3Co7ZzDcDfR9P6M2LkFp_8vZ3mnd_cwMmfAeZSxVasQ/viewform" },
		{ "Azure: a mail's footer",
		  "https://nam.safelink.emails.azure.net/redirect/?destination=https%3A%2F%2Fwww.facebook.com"
		  "%2Fmicrosoftazure&p=bT1lZGRlZGIx",
		  "https://www.facebook.com/microsoftazure" },
		{ "Postmark: a phishing mail",
		  "https://click.pstmrk.it/3s/sweedbuy.com%2Fblog%2F/ahc/k_CuAQ/AQ/44a54f89-410d/1/qOoKiS9V1s"
		  "?/2",
		  "https://sweedbuy.com/blog/" },
		{ "Amazon SES: a mail's footer",
		  "https://bjdxkhre.r.us-east-1.awstrack.me/L0/https:%2F%2Fwww.amazon.com%2F/1/0100018595d6e5"
		  "24-a90b3fed-1398-4b8f-9ece-8e2bb455e281-000000/fxvzTsY7O1OAZ8Wl6rO-c9VGex0=303",
		  "https://www.amazon.com/" },
		{ "Yahoo: a link to Visual Studio Code",
		  "https://r.search.yahoo.com/_ylt=Awr.ioz.dfxkmvcVrB8M34lQ;_ylu=Y29sbwNpcjIEcG9zAzEE/RV=2/RE"
		  "=1694295679/RO=10/RU=https%3a%2f%2fcode.visualstudio.com%2f/RK=2/RS=zxlvA43U",
		  "https://code.visualstudio.com/" },
		{ "INKY: a sharepoint",
		  "https://shared.outlook.inky.com/link?domain=ofgemcloud.sharepoint.com&t=h.eJxVj01PhDAYhP",
		  "http://ofgemcloud.sharepoint.com/(host)" },
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

/* What a sender may write so that one reader takes one target and another one another. */
static void rivals(void)
{
	static const struct unwrap_case on_vendors[] = {
		{ "a parameter twice", "https://www.google.com/url?q=http://a.example/&q=http://b.example/",
		  "http://a.example/ http://b.example/" },
		{ "two names", "https://www.google.com/url?url=http://a.example/&q=http://b.example/",
		  "http://a.example/ http://b.example/" },
		{ "another case", "https://nam02.safelinks.protection.outlook.com/?url=http://a.example/&URL=http://b.example/",
		  "http://a.example/ http://b.example/" },
		{ "an escaped name", "https://www.google.com/url?%71=http://b.example/", "http://b.example/" },
		{ "a name that the row lacks", "https://www.google.com/url?q=http://a.example/&x=http://b.example/",
		  "http://a.example/ http://b.example/" },
		{ "a scheme escaped once more", "https://www.google.com/url?q=%2568ttp://b.example/?x=http://a.example/",
		  "http://a.example/ http://b.example/?x=http://a.example/" },
		{ "two in the path", "https://x.r.eu-west-1.awstrack.me/L0/http:%2F%2Fa.example%2F/http:%2F%2Fb.example%2F/1",
		  "http://a.example/ http://b.example/" },
		{ "another host beside base64", "https://eu.protection.sophos.com/?d=b.com&u=aHR0cDovL3d3dy5hLmNvbS8",
		  "http://www.a.com/ http://b.com/(host)" },
		{ "base64 in capitals", "https://www.bing.com/ck/a?u=a1SFRUUDovL2IuZXhhbXBsZS8", "http://b.example/" },
		{ "back slashes", "https://www.google.com/url?q=http:%5C%5Cb.example%5Cx", "http://b.example/x" },
		{ "a quote", "https://www.google.com/url?q=http://a.example%22@b.example/",
		  "http://a.example%22@b.example/" },
	};
	static const struct unwrap_case on_others[] = {
		{ "Mailinblack at a partner's", "https://mib.example.org/securelink/?key=" LINK_JSON, TARGET },
		{ "FortiMail at its owner's", "https://mail.example.org/fmlurlsvc/?fewReq=:B:x&url=" ESCAPED, TARGET },
		{ "the name below a company's suffix", "https://bing.duckdns.org/ck/a?u=a1" BASE64, TARGET },
		{ "the name below a suffix the vendor lacks", "https://www.google.ninja/url?q=" ESCAPED, TARGET },
		{ "as a subdomain", "https://google.com.example.org/url?q=" ESCAPED, TARGET },
		{ "another path that begins alike", "https://www.google.com/urls?q=" ESCAPED, TARGET },
		{ "a row, and a target that it does not read", "https://www.google.com/amp/?x=" ESCAPED, TARGET },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(on_vendors); i++)
		check(&on_vendors[i], true);
	for (size_t i = 0; i < G_N_ELEMENTS(on_others); i++)
		check(&on_others[i], false);
}

static void imitated(void)
{
	struct vtm_url *u = vtm_url_parse("https://bing.duckdns.org/ck/a?u=a1" BASE64, -1);
	unsigned flags = 0;

	g_ptr_array_unref(vtm_unwrap(u, &flags));
	is_int(flags, VTM_UNWRAP_IMITATED, "a vendor's name on another domain is told");
	vtm_url_free(u);
	u = vtm_url_parse("https://mail.example.org/fmlurlsvc/?url=" ESCAPED, -1);
	g_ptr_array_unref(vtm_unwrap(u, &flags));
	is_int(flags, 0, "a path that may be on any host is not");
	vtm_url_free(u);
}

static void foreign(void)
{
	static const struct unwrap_case cases[] = {
		{ "Edge", "microsoft-edge:http://a.example/", "http://a.example/" },
		{ "Word", "ms-word:ofe|u|https://a.example/b.docx|s|x", "https://a.example/b.docx" },
		{ "an installer", "ms-appinstaller:?source=https%3A%2F%2Fa.example%2Fb&x=1",
		  "https://a.example/b https://a.example/b&x=1" },
		{ "JSON", "ms-x:{\"url\":\"https://a.example/\"}", "https://a.example/" },
		{ "a calendar", "webcal://a.example/b.ics", "https://a.example/b.ics" },
		{ "an intent", "intent://a.example/b#Intent;scheme=https;end", "https://a.example/b" },
		{ "nothing", "ftp://a.example/", "" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GPtrArray *found = vtm_scheme_urls(cases[i].url, NULL);
		GString *s = g_string_new(NULL);

		for (guint k = 0; found && k < found->len; k++)
			g_string_append_printf(s, "%s%s", k ? " " : "", ((struct vtm_url *)found->pdata[k])->normal);
		is_str(s->str, cases[i].want, "%s", cases[i].what);
		g_string_free(s, TRUE);
		if (found)
			g_ptr_array_unref(found);
	}
	ok(vtm_scheme_of("ftp://a.example/") == VTM_SCHEME_OPENS && vtm_scheme_of("MS-Word:x") == VTM_SCHEME_OPENS &&
	   vtm_scheme_of("file://a/b") == VTM_SCHEME_OPENS, "schemes that open something");
	ok(vtm_scheme_of("mailto:a@example.com") == VTM_SCHEME_HARMLESS && vtm_scheme_of("cid:a") == VTM_SCHEME_HARMLESS,
	   "schemes that do not");
	ok(vtm_scheme_of("file:///c:/a") == VTM_SCHEME_UNKNOWN && vtm_scheme_of("x-y:z") == VTM_SCHEME_UNKNOWN, "others");
	ok(!vtm_scheme_is_foreign("HTTPS://a.example/") && !vtm_scheme_is_foreign("a/b:c") && vtm_scheme_is_foreign("a:b"),
	   "what is a scheme of others");
}

static void bounds(void)
{
	GString *s = g_string_new("https://example.org/?");
	struct vtm_url *u;
	GPtrArray *found;
	unsigned depth = 0, flags = 0;

	for (int i = 0; i < 250; i++)
		g_string_append_printf(s, "a=http://h%d.example/&", i);
	u = vtm_url_parse(s->str, -1);
	found = u ? vtm_unwrap(u, &flags) : NULL;
	is_int(found ? found->len : 0, VTM_UNWRAP_MAX, "%d URLs of one are told", VTM_UNWRAP_MAX);
	is_int(flags, VTM_UNWRAP_CUT, "... and that there are more");
	g_clear_pointer(&found, g_ptr_array_unref);
	vtm_url_free(u);
	g_string_assign(s, "https://www.google.com/url?");
	for (int i = 0; i < VTM_UNWRAP_MAX + 1; i++)
		g_string_append_printf(s, "q=http://h%d.example/&", i);
	u = vtm_url_parse(s->str, -1);
	g_ptr_array_unref(vtm_unwrap(u, &flags));
	is_int(flags, VTM_UNWRAP_CUT, "a wrapper with more targets than are told is judged itself");
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
	published();
	others();
	rivals();
	imitated();
	foreign();
	bounds();
	return done_testing();
}
