/* SPDX-License-Identifier: BSD-2-Clause */
/* unwrap-table.c - the wrappers that are known, and whose they are. */
#include "url/unwrap-parts.h"

#include <string.h>

#define SAFE_LINKS "safelinks.protection.outlook.com safelinks.protection.office365.us " \
	"safelinks.protection.outlook.us safelinks.protection.apps.mil safelinks.protection.partner.outlook.cn"
#define DEREFERRERS "deref-gmx.net deref-gmx.com deref-gmx.fr deref-gmx.co.uk deref-web.de deref-web-02.de " \
	"deref-mail.com deref-mail-02.com deref-1und1.de deref-1und1-02.de"
#define PROOFPOINT "urldefense.com urldefense.us urldefense.proofpoint.com"

/* One name below many public suffixes.  Only those that the vendor publishes as its own: anybody may register the name
 * below another one, and below a company's suffix ("bing.duckdns.org"). */
static const struct family {
	const char *name, *suffixes;
} families[] = {
	/* https://www.google.com/supported_domains, without suffixes that gave names away for nothing */
	{ "google",
	  "com ad ae com.af com.ag al am co.ao com.ar as at com.au az ba com.bd be bf bg com.bh bi bj com.bn com.bo com.br "
	  "bs bt co.bw by com.bz ca cd cg ch ci co.ck cl cm cn com.co co.cr com.cu cv com.cy cz de dj dk dm com.do dz "
	  "com.ec ee com.eg es com.et fi com.fj fm fr ge gg com.gh com.gi gl gm gr com.gt gy com.hk hn hr ht hu co.id ie "
	  "co.il im co.in iq is it je com.jm jo co.jp co.ke com.kh ki kg co.kr com.kw kz la com.lb li lk co.ls lt lu lv "
	  "com.ly co.ma md me mg mk com.mm mn com.mt mu mv mw com.mx com.my co.mz com.na com.ng com.ni ne nl no com.np nr "
	  "nu co.nz com.om com.pa com.pe com.pg com.ph com.pk pl pn com.pr ps pt com.py com.qa ro ru rw com.sa com.sb sc se "
	  "com.sg sh si sk com.sl sn so sm sr st com.sv td tg co.th com.tj tl tm tn to com.tr tt com.tw co.tz com.ua co.ug "
	  "co.uk com.uy co.uz com.vc co.ve co.vi com.vn vu ws rs co.za co.zm co.zw cat" },
	{ "bing", "com" },
	{ "yandex", "ru com net by kz uz com.tr com.am com.ge co.il az kg lt lv md tj tm ee fr" },
	{ "pinterest", "com co.uk de fr es it ca com.au jp se pt at ch cl dk ie co.kr com.mx nz ph" },
};

static const struct vtm_wrapper wrappers[] = {
	/* rewriters of mail filters */
	{ SAFE_LINKS, NULL, vtm_unwrap_param, "url" },					/* Microsoft */
	{ "statics.teams.cdn.office.net", "/evergreen-assets/safelinks/", vtm_unwrap_param, "url" },
	{ "outlook.office.com outlook.office365.com outlook.live.com", "/mail/safelink", vtm_unwrap_param, "url" },
	{ "safelink.emails.azure.net", "/redirect/", vtm_unwrap_param, "destination" },
	{ "mcas.ms mcas-gov.us mcas-gov.ms", "/certificate-checker", vtm_unwrap_param, "originalUrl" },
	{ "mcas.ms mcas-gov.us mcas-gov.ms", NULL, vtm_unwrap_host_before, NULL },
	{ PROOFPOINT, "/v1/url", vtm_unwrap_param, "u" },				/* Proofpoint URL Defense */
	{ PROOFPOINT, "/v2/url", vtm_unwrap_proofpoint2, "u" },
	{ PROOFPOINT, "/v3/__", vtm_unwrap_proofpoint3, NULL },
	{ "urlsand.esvalabs.com urlsand.com", NULL, vtm_unwrap_param, "u" },		/* Libraesva */
	{ "clicktime.symantec.com clicktime.cloud.postoffice.net", NULL, vtm_unwrap_param, "u U url" },
	{ "linkprotect.cudasvc.com", "/url", vtm_unwrap_param, "a" },			/* Barracuda */
	{ "secure-web.cisco.com", NULL, vtm_unwrap_path, NULL },
	{ "mimecast.com mimecastprotect.com", "/s/", vtm_unwrap_domain, "domain" },
	{ "protection.sophos.com", NULL, vtm_unwrap_base64_or_domain, "u" },
	{ "trendmicro.com", "/wis/clicktime/", vtm_unwrap_param, "url" },
	{ "protect2.fireeye.com protect.fireeye.com", NULL, vtm_unwrap_param, "u" },
	{ "scanmail.trustwave.com", NULL, vtm_unwrap_param, "u" },
	{ "linklock.titanhq.com", NULL, vtm_unwrap_param, "url" },
	{ "link.edgepilot.com link.zixcentral.com", NULL, vtm_unwrap_param, "u" },	/* OpenText */
	{ "url-protection.com", "/v1/", vtm_unwrap_param, "o" },			/* Check Point, once Avanan; SonicWall */
	{ "protect.checkpoint.com url.avanan.click", "/v2/", vtm_unwrap_underscores, NULL },
	{ "atpscan.global.hornetsecurity.com scanner.topsec.com", NULL, vtm_unwrap_param, "u" },
	{ "vadesecure.com", NULL, vtm_unwrap_param, "u" },
	{ "mailinblack.com *", "/securelink/", vtm_unwrap_param, "key url" },	/* Mailinblack; "*": on its partners' hosts */
	{ "urlisolation.com", "/browser", vtm_unwrap_param, "url" },			/* Proofpoint */
	{ "linkscan.io lsems.gravityzone.bitdefender.com", "/scan/", vtm_unwrap_path, NULL },	/* Bitdefender */
	{ "fortimailcloud.com *", "/fmlurlsvc/", vtm_unwrap_param, "url" },	/* FortiMail; "*": on its owner's host */
	{ "shared.outlook.inky.com", "/link", vtm_unwrap_domain, "domain" },

	/* search engines and networks */
	{ "google.*", "/url", vtm_unwrap_param, "q url" },
	{ "google.*", "/amp/", vtm_unwrap_amp, NULL },
	{ "google.*", "/imgres", vtm_unwrap_param, "imgurl imgrefurl" },
	{ "google.*", "/aclk", vtm_unwrap_param, "adurl" },
	{ "google.*", "/translate", vtm_unwrap_param, "u" },
	{ "googleadservices.com doubleclick.net", NULL, vtm_unwrap_param, "adurl" },
	{ "cdn.ampproject.org", "/c/", vtm_unwrap_amp, NULL },
	{ "cdn.ampproject.org", "/v/", vtm_unwrap_amp, NULL },
	{ "translate.goog", NULL, vtm_unwrap_translated_host, NULL },
	{ "meet.google.com", "/linkredirect", vtm_unwrap_param, "dest" },
	{ "bing.*", "/ck/", vtm_unwrap_param, "u" },
	{ "bing.*", "/aclk", vtm_unwrap_param, "u" },
	{ "bing.*", "/aclick", vtm_unwrap_param, "u" },
	{ "bing.*", "/alink/", vtm_unwrap_param, "url" },
	{ "bing.*", "/news/apiclick.aspx", vtm_unwrap_param, "url" },
	{ "r.search.yahoo.com", NULL, vtm_unwrap_path, NULL },
	{ "duckduckgo.com", "/l/", vtm_unwrap_param, "uddg" },
	{ "yandex.*", "/redir", vtm_unwrap_param, "url" },
	{ "yandex.*", "/redirect", vtm_unwrap_param, "url" },
	{ "yandex.*", "/re.jsx", vtm_unwrap_param, "l" },
	{ DEREFERRERS, NULL, vtm_unwrap_param, "redirectUrl" },				/* web mail of GMX and others */
	{ "facebook.com", "/l.php", vtm_unwrap_param, "u" },
	{ "l.facebook.com lm.facebook.com l.messenger.com l.instagram.com l.threads.com l.wl.co", NULL, vtm_unwrap_param, "u" },
	{ "linkedin.com", "/redir/", vtm_unwrap_param, "url" },
	{ "linkedin.com", "/safety/go", vtm_unwrap_param, "url" },
	{ "youtube.com", "/redirect", vtm_unwrap_param, "q" },
	{ "slack-redir.net", "/link", vtm_unwrap_param, "url" },
	{ "out.reddit.com", NULL, vtm_unwrap_param, "url" },
	{ "vk.com vk.ru vkontakte.ru", "/away.php", vtm_unwrap_param, "to" },
	{ "ok.ru", "/dk", vtm_unwrap_param, "st.link" },
	{ "tiktok.com", "/link/", vtm_unwrap_param, "target" },
	{ "pinterest.*", "/offsite/", vtm_unwrap_param, "url" },
	{ "t.umblr.com", "/redirect", vtm_unwrap_param, "z" },
	{ "steamcommunity.com", "/linkfilter/", vtm_unwrap_param, "url u" },
	{ "deviantart.com", "/users/outgoing", vtm_unwrap_query, NULL },
	{ "href.li anonym.to anon.to nullrefer.com", NULL, vtm_unwrap_query, NULL },

	/* trackers that keep the target in the link */
	{ "awstrack.me", NULL, vtm_unwrap_path, NULL },
	{ "mandrillapp.com", "/track/click", vtm_unwrap_param, "p url" },
	{ "pstmrk.it", NULL, vtm_unwrap_second_segment, NULL },
};

/* Is <own>, a registrable domain, of the family <name>? */
static bool of_family(const char *own, const char *name, size_t len)
{
	for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
		const char *suffix = families[i].suffixes;

		if (strlen(families[i].name) != len || memcmp(families[i].name, name, len) != 0)
			continue;
		for (; *suffix; suffix += strspn(suffix, " ")) {
			size_t n = strcspn(suffix, " ");

			if (strlen(own) == len + 1 + n && !memcmp(own, name, len) && !memcmp(own + len + 1, suffix, n))
				return true;
			suffix += n;
		}
	}
	return false;
}

/* Is <host> one that <domain>, a word of a row, means? */
static bool host_matches(const char *host, const char *domain, size_t len, enum vtm_wrapper_host *whose_r)
{
	const char *own;

	*whose_r = VTM_WRAPPER_ANYBODY;
	if (len == 1 && *domain == '*')
		return true;
	*whose_r = VTM_WRAPPER_VENDOR;
	if (domain[len - 1] != '*')
		return vtm_host_is_below(host, domain, (gssize)len);
	own = vtm_host_domain(host);
	if (!of_family(own, domain, len - 2))
		*whose_r = VTM_WRAPPER_IMITATED;
	return !strncmp(own, domain, len - 1);
}

static bool path_matches(const char *path, const char *prefix)
{
	size_t n = prefix ? strlen(prefix) : 0;

	return !n || (!strncmp(path, prefix, n) && !(g_ascii_isalnum(prefix[n - 1]) && g_ascii_isalnum(path[n])));
}

const struct vtm_wrapper *vtm_wrapper_of(const struct vtm_url *u, enum vtm_wrapper_host *whose_r)
{
	for (size_t i = 0; i < G_N_ELEMENTS(wrappers); i++) {
		const struct vtm_wrapper *w = &wrappers[i];

		if (!path_matches(u->path, w->path))
			continue;
		for (const char *d = w->hosts; *d; d += strspn(d, " ")) {
			size_t len = strcspn(d, " ");

			if (host_matches(u->host, d, len, whose_r))
				return w;
			d += len;
		}
	}
	return NULL;
}
