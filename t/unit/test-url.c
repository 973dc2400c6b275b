/* SPDX-License-Identifier: BSD-2-Clause */
/* test-url.c - URLs: normal form, hosts, references. */
#include <string.h>

#include "base/hash.h"
#include "url/escape.h"
#include "tap.h"
#include "url/url.h"

static void is_url(struct vtm_url *u, const char *want, const char *how, const char *text)
{
	char *shown = g_strescape(text, NULL);

	is_str(u ? u->normal : NULL, want, "%s %s", how, shown);
	g_free(shown);
	vtm_url_free(u);
}

static void normal_form(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "http://example.com", "http://example.com/" },
		{ "HTTPs://www.Example.COM/Path?Q=A#frag", "https://www.example.com/Path?Q=A" },
		{ "  \thttp://example.com/a b\x7f\r\n", "http://example.com/a%20b%7F" },
		{ "\xc2\xa0http://example.com/\xe2\x80\x8b", "http://example.com/" },
		{ "ht\ntp://exam\tple.com/a\r\nb", "http://example.com/ab" },
		{ "http:\\\\example.com\\a\\b?c\\d", "http://example.com/a/b?c\\d" },
		{ "http:/example.com/", "http://example.com/" },
		{ "http:example.com/x", "http://example.com/x" },
		{ "https:////example.com//x", "https://example.com//x" },
		{ "http://example.com?q", "http://example.com/?q" },
		{ "http://example.com#f", "http://example.com/" },
		{ "http://example.com/?", "http://example.com/?" },
		{ "http://example.com/%2e%2E/%zz%/", "http://example.com/%zz%/" },
		{ "http://example.com/a/%2E./b/.%2e/c/%2e?%2e/../", "http://example.com/c/?%2e/../" },
		{ "http://example.com/%2e%2e%2e/%2ea/%2e%2f/a%2e", "http://example.com/%2e%2e%2e/%2ea/%2e%2f/a%2e" },
		{ "http://example.com/a/%2e%2E", "http://example.com/" },
		{ "http://example.com/a/./b/../c/..?x=/../", "http://example.com/a/?x=/../" },
		{ "http://example.com/../../x", "http://example.com/x" },
		{ "http://example.com/\xc3\xa9?\xff", "http://example.com/%C3%A9?%FF" },
		{ "http://example.com:80/", "http://example.com/" },
		{ "https://example.com:443/", "https://example.com/" },
		{ "https://example.com:80/", "https://example.com:80/" },
		{ "http://example.com:/", "http://example.com/" },
		{ "http://example.com:0065535/", "http://example.com:65535/" },
		{ "http://example.com:65536/", NULL },
		{ "http://example.com:8o/", NULL },
		{ "http://user:pa%20ss@example.com/", "http://user:pa%20ss@example.com/" },
		{ "http://www.bank.example@a@example.com/", "http://www.bank.example%40a@example.com/" },
		{ "http://@example.com/", "http://example.com/" },
		{ "http://example.com\\@evil.example/", "http://example.com/@evil.example/" },
		{ "http://example.com./x", "http://example.com/x" },
		{ "http://example..com/", NULL },
		{ "http://./", NULL },
		{ "http:///", NULL },
		{ "http://", NULL },
		{ "http://a b/", NULL },
		{ "http://a\"b/", "http://a\"b/" },	/* the URL standard's forbidden code points, and no others */
		{ "http://a'b.{c}.`d`.example/", "http://a'b.{c}.`d`.example/" },
		{ "http://a|b/", NULL },
		{ "http://a^b/", NULL },
		{ "http://a%25b/", NULL },
		{ "http://a<b/", NULL },
		{ "http://ex%61mple.com/", "http://example.com/" },
		{ "http://ex%00ample.com/", NULL },
		{ "http://ex%2fample.com/", NULL },
		{ "http://ex%C3%A4mple.com/", "http://xn--exmple-cua.com/" },
		{ "http://\xd0\xbf\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80.\xd1\x80\xd1\x84/",
		  "http://xn--e1afmkfd.xn--p1ai/" },
		{ "http://\xce\xa3\xce\x91\xce\xa3.gr/", "http://xn--mxa9ab.gr/" },
		{ "http://XN--E1AFMKFD.xn--P1AI/", "http://xn--e1afmkfd.xn--p1ai/" },
		{ "http://ex\xc2\xad" "am\xe2\x80\x8bple\xe3\x80\x82" "com/", "http://example.com/" },
		{ "http://\xef\xbd\x85xample\xef\xbc\x8e" "com/", "http://example.com/" },
		{ "http://ex\xff" "ample.com/", NULL },
		{ "http://0x7f.1/", "http://127.0.0.1/" },
		{ "http://0300.0250.0.1/", "http://192.168.0.1/" },
		{ "http://3221225985/", "http://192.0.2.1/" },
		{ "http://192.0.513/", "http://192.0.2.1/" },
		{ "http://192.0.2.1./", "http://192.0.2.1/" },
		{ "http://0xC0000201/", "http://192.0.2.1/" },
		{ "http://%31%39%32.0.2.1/", "http://192.0.2.1/" },
		{ "http://\xef\xbc\x91\xef\xbc\x99\xef\xbc\x92.0.2.1/", "http://192.0.2.1/" },
		{ "http://192.0.2.256/", NULL },
		{ "http://192.0.2.1.1/", NULL },
		{ "http://4294967296/", NULL },
		{ "http://example.08/", NULL },
		{ "http://[2001:DB8:0::1]:8080/x", "http://[2001:db8::1]:8080/x" },
		{ "http://[::ffff:192.0.2.7]/", "http://[::ffff:c000:207]/" },
		{ "http://[::1.2.3.4]/", "http://[::102:304]/" },
		{ "http://[1:0:0:2:0:0:0:3]/", "http://[1:0:0:2::3]/" },
		{ "http://[1:0:2:0:3:0:4:0]/", "http://[1:0:2:0:3:0:4:0]/" },
		{ "http://[::]/", "http://[::]/" },
		{ "http://[1::]/", "http://[1::]/" },
		{ "http://[::1", NULL },
		{ "http://[::g]/", NULL },
		{ "http://a_b.example.com/", "http://a_b.example.com/" },
		{ "https://", NULL },
		{ "ftp://example.com/", NULL },
		{ "javascript:alert(1)", NULL },
		{ "mailto:a@example.com", NULL },
		{ "www.example.com", NULL },
		{ "", NULL },
		{ " \r\n ", NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		is_url(vtm_url_parse(cases[i].text, -1), cases[i].want, "parse", cases[i].text);
	is_url(vtm_url_parse("http://example.com/a\0b", 22), "http://example.com/a%00b", "parse", "NUL inside");
}

static void parts(void)
{
	struct vtm_url *u = vtm_url_parse("https://User@Example.com:8443/P?q=1", -1);

	is_str(u->host, "example.com", "host");
	is_str(u->path, "/P?q=1", "path");
	ok(u->has_userinfo, "user info is told");
	vtm_url_free(u);
	u = vtm_url_parse("http://[::1]/", -1);
	is_str(u->host, "::1", "an IPv6 host has no brackets");
	ok(!u->has_userinfo, "no user info");
	vtm_url_free(u);
	vtm_url_free(NULL);
}

static void bounds(void)
{
	char *fill = g_strnfill(VTM_URL_MAX, 'a'), *url;
	struct vtm_url *u;

	memcpy(fill, "http://example.com/", 19);
	u = vtm_url_parse(fill, VTM_URL_MAX);
	ok(u && strlen(u->normal) == VTM_URL_MAX, "a URL of %d bytes is read", VTM_URL_MAX);
	vtm_url_free(u);
	url = g_strconcat(fill, "a", NULL);
	ok(!vtm_url_parse(url, -1), "one more is refused");
	g_free(url);
	memset(fill + 6000, ' ', 800);
	ok(!vtm_url_parse(fill, VTM_URL_MAX), "one that grows over it by escaping is refused");
	g_free(fill);

	fill = g_strnfill(63, 'b');
	url = g_strdup_printf("http://%s.%s.%s.%.61s/", fill, fill, fill, fill);
	u = vtm_url_parse(url, -1);
	ok(u && strlen(u->host) == 253, "a host of 253 bytes is read");
	vtm_url_free(u);
	g_free(url);
	url = g_strdup_printf("http://%s.%s.%s.%.62s/", fill, fill, fill, fill);
	ok(!vtm_url_parse(url, -1), "254 are refused");
	g_free(url);
	url = g_strdup_printf("http://%sb.example.com/", fill);
	ok(!vtm_url_parse(url, -1), "a label of 64 is refused");
	g_free(url);
	g_free(fill);
}

static void references(void)
{
	static const struct {
		const char *base, *reference, *want;
	} cases[] = {
		{ NULL, "http://example.com/x", "http://example.com/x" },
		{ NULL, "//example.com/x", "https://example.com/x" },
		{ NULL, "\\\\example.com\\x", "https://example.com/x" },
		{ NULL, "www.example.com/x", "http://www.example.com/x" },
		{ NULL, "example.com/login.php", "http://example.com/login.php" },
		{ NULL, "example.com:8080/", "http://example.com:8080/" },
		{ NULL, "192.0.2.1/x", "http://192.0.2.1/x" },
		{ NULL, "allegro.pl", "http://allegro.pl/" },
		{ NULL, "index.html", NULL },
		{ NULL, "images/logo.png", NULL },
		{ NULL, "user@example.com", NULL },
		{ NULL, "/x", NULL },
		{ NULL, "?x", NULL },
		{ NULL, "#top", NULL },
		{ NULL, "", NULL },
		{ NULL, "cid:part1@example.com", NULL },
		{ "http://example.com/a/b?c", "d", "http://example.com/a/d" },
		{ "http://example.com/a/b?c", "../d", "http://example.com/d" },
		{ "http://example.com/a/b?c", "/d", "http://example.com/d" },
		{ "http://example.com/a/b?c", "\\d e", "http://example.com/d%20e" },
		{ "http://example.com/a/b?c", "?d=/x", "http://example.com/a/b?d=/x" },
		{ "http://example.com/a/b?c=/x/y", "d", "http://example.com/a/d" },
		{ "http://example.com/a/b", "d?", "http://example.com/a/d?" },
		{ "http://example.com/a/b", "www.example.org", "http://example.com/a/www.example.org" },
		{ "http://example.com/a/b", "//example.org/x", "http://example.org/x" },
		{ "https://example.com/a/b", "//example.org/x", "https://example.org/x" },
		{ "http://example.com/a/b", "https:d", "https://d/" },
		{ "http://example.com/a/b", "http:d", "http://example.com/a/d" },
		{ "http://example.com/a/b", "http:/d", "http://example.com/d" },
		{ "http://example.com/a/b", "http:\\\\d", "http://d/" },
		{ "https://example.com/a/b", "http:/d", "http://d/" },
		{ "http://example.com/a/b", "mailto:a@example.com", NULL },
		{ "http://example.com/a/b", "#x", NULL },
		{ "http://example.com:8080/a", "b", "http://example.com:8080/b" },
		{ "//example.com/", "x", "https://example.com/x" },
		{ "cid:x", "x.html", NULL },
		{ "cid:x", "http://example.com/", "http://example.com/" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct vtm_url *base = cases[i].base ? vtm_url_resolve(NULL, cases[i].base, -1) : NULL;
		char *how = g_strdup_printf("at %s:", cases[i].base ? cases[i].base : "no base");

		is_url(vtm_url_resolve(base, cases[i].reference, -1), cases[i].want, how, cases[i].reference);
		vtm_url_free(base);
		g_free(how);
	}
	is_url(vtm_url_guess("www.example.com.", -1), "http://www.example.com/", "guess", "www.");
	is_url(vtm_url_guess("HTTP://intranet/", -1), "http://intranet/", "guess", "a scheme is enough");
	is_url(vtm_url_guess("www.foo.invalidtld", -1), NULL, "guess", "no public suffix");
	is_url(vtm_url_guess("a@example.com", -1), NULL, "guess", "a mail address");
	is_url(vtm_url_guess("www.a@example.com/b", -1), "http://www.a@example.com/b", "guess", "a user named www");
	is_url(vtm_url_guess("Conf.pm", -1), NULL, "guess", "a file name");
	is_url(vtm_url_guess("Conf.pm/x", -1), "http://conf.pm/x", "guess", "a path makes it none");
	is_url(vtm_url_guess("http://conf.pm", -1), "http://conf.pm/", "guess", "a scheme too");
	is_url(vtm_url_guess("185.220.101.3", -1), "http://185.220.101.3/", "guess", "an address");
}

static void hosts(void)
{
	char *h = vtm_host_normal("[2001:DB8::1]", -1);

	is_str(h, "2001:db8::1", "IPv6 in brackets");
	g_free(h);
	h = vtm_host_normal("2O2.lOl", -1);
	is_str(h, "2o2.lol", "letters that look like digits are letters");
	g_free(h);
	ok(!vtm_host_normal("", 0), "nothing is no host");
	ok(vtm_host_is_ip("192.0.2.1") && vtm_host_is_ip("::1") && !vtm_host_is_ip("192.0.2"),
	   "addresses are told from names");
	ok(vtm_host_plausible("example.com") && vtm_host_plausible("www.example.co.uk"),
	   "names below a suffix are plausible");
	ok(vtm_host_plausible("example.github.io"), "below a private suffix too");
	ok(vtm_host_plausible("github.io"), "and a private suffix itself");
	ok(!vtm_host_plausible("co.uk") && !vtm_host_plausible("com"), "a suffix alone is not");
	ok(!vtm_host_plausible("www.local") && !vtm_host_plausible("host") && !vtm_host_plausible("1.2.3.4"),
	   "nor what ends in no suffix");
	is_str(vtm_host_domain("a.b.example.co.uk"), "example.co.uk", "registrable domain");
	is_str(vtm_host_domain("192.0.2.1"), "192.0.2.1", "of an address: itself");
	is_str(vtm_host_domain("localhost"), "localhost", "of a lone label: itself");
}

static void places(void)
{
	static const char *const inside[] = {
		"intranet", "localhost", "printer.local", "a.b.internal", "nas.lan", "x.home.arpa", "x.localdomain",
		"www.localhost", "mail.corp", "127.0.0.1", "127.255.255.255", "10.0.0.0", "10.255.255.255", "172.16.0.1",
		"172.31.255.255", "192.168.1.4", "169.254.169.254", "100.64.0.1", "100.127.255.255", "0.0.0.0", "::1", "::",
		"fe80::1", "febf::1", "fd00::1", "fc00::1", "fec0::1", "::ffff:c0a8:104", "64:ff9b::a00:1", "2002:a00:1::1",
		"64:ff9b:1::1",
	};
	static const char *const nowhere[] = {
		"a.test", "a.invalid", "expyuzz4wqqyqhjn.onion", "192.0.0.1", "192.0.2.1", "198.51.100.255", "203.0.113.0",
		"198.18.0.1", "198.19.255.255", "224.0.0.1", "240.0.0.1", "255.255.255.255", "2001:db8::1", "3fff:fff::1",
		"100::1", "2001::1", "ff02::1", "64:ff9b::c000:201",
	};
	static const char *const public[] = {
		"example.com", "www.example", "evil.example", "local.example.com", "localhost.example.org",
		"9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "100.63.255.255",
		"100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "198.17.255.255", "198.20.0.0",
		"192.0.1.0", "192.0.3.0", "223.255.255.255", "2606:4700::1", "2001:200::1", "2001:db9::1", "fe00::1",
		"64:ff9b::808:808", "4000::1", "2002:808:808::1",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(inside); i++)
		is_int(vtm_host_place(inside[i]), VTM_HOST_INSIDE, "%s is of the inside", inside[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(nowhere); i++)
		is_int(vtm_host_place(nowhere[i]), VTM_HOST_NOWHERE, "%s is nowhere", nowhere[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(public); i++)
		is_int(vtm_host_place(public[i]), VTM_HOST_PUBLIC, "%s is public", public[i]);
}

static void escapes(void)
{
	char *s = vtm_url_unescape("a%20b%2", -1);

	is_str(s, "a b%2", "unescape");
	g_free(s);
	ok(!vtm_url_unescape("a%00", -1), "%%00 is refused");
}

/* The pairs of URL and id that VirusTotal is known to use, where the sources have them. */
static void pairs(void)
{
	char *path = test_path("../../shared/virustotal/url-id-pairs.tsv"), *text = NULL, **line;
	unsigned fixed = 0, known = 0, wrong = 0;

	if (!g_file_get_contents(path, &text, NULL, NULL)) {
		skip("not there", "VirusTotal's pairs");
		g_free(path);
		return;
	}
	line = g_strsplit(text, "\n", -1);
	for (guint i = 1; line[i] && *line[i]; i++) {
		char **f = g_strsplit(line[i], "\t", -1), hex[VTM_SHA256_HEX];
		struct vtm_url *canonical = vtm_url_parse(f[1], -1), *original = *f[0] ? vtm_url_guess(f[0], -1) : NULL;
		uint8_t id[VTM_SHA256_LEN];

		vtm_sha256(canonical ? canonical->normal : "", canonical ? strlen(canonical->normal) : 0, id);
		vtm_hex(id, hex);
		if (canonical && !strcmp(canonical->normal, f[1]) && !strcmp(hex, f[2]))
			fixed++;
		else
			diag("not fixed: %s -> %s", f[1], canonical ? canonical->normal : "(null)");
		known += *f[0] != '\0';
		if (*f[0] && (!original || strcmp(original->normal, f[1]))) {
			diag("not its pair: %s -> %s", f[0], original ? original->normal : "(null)");
			wrong++;
		}
		vtm_url_free(original);
		vtm_url_free(canonical);
		g_strfreev(f);
	}
	ok(fixed == g_strv_length(line) - 2 && fixed > 300, "%u canonical URLs are fixed points", fixed);
	ok(known > 20 && wrong <= 1, "%u of %u known inputs give their pair", known - wrong, known);
	g_strfreev(line);
	g_free(text);
	g_free(path);
}

int main(void)
{
	normal_form();
	parts();
	bounds();
	references();
	hosts();
	places();
	escapes();
	pairs();
	return done_testing();
}
