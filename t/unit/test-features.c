/* SPDX-License-Identifier: BSD-2-Clause */
/* test-features.c - what a message shows before anything is looked up, and the lists behind it. */
#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "scan/features.h"
#include "tap.h"
#include "url/url.h"

static char *dir;

static void write_file(const char *name, const char *text)
{
	char *path = g_build_filename(dir, name, NULL);

	if (!g_file_set_contents(path, text, -1, NULL))
		g_error("%s", path);
	g_free(path);
}

static void remove_files(void)
{
	static const char *const names[] = { "shared-hosting", "shorteners", "brands", "cheap-tlds" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		char *path = g_build_filename(dir, names[i], NULL);

		g_remove(path);
		g_free(path);
	}
}

/* ---- lists ---- */

static bool refused(const char *name, const char *text, const char *why)
{
	struct vtm_lists *l = vtm_lists_new();
	GError *error = NULL;
	bool good;

	remove_files();
	write_file(name, text);
	good = vtm_lists_read(l, dir, &error) < 0 && error && strstr(error->message, why);
	if (!good)
		diag("%s", error ? error->message : "taken");
	g_clear_error(&error);
	vtm_lists_free(l);
	return good;
}

static void files(void)
{
	struct vtm_lists *l = vtm_lists_new();
	GString *many = g_string_new("");
	GError *error = NULL;

	remove_files();
	is_int(vtm_lists_read(l, dir, NULL), 0, "files that are not there are passed over");
	ok(!vtm_lists_is_shortener(l, "sho.rt") && !vtm_lists_is_shortener(NULL, "sho.rt"),
	   "then nothing is known of any host");
	ok(refused("shorteners", "# x\nsho.rt\nhttp://x/\n", "shorteners:3: "), "a bad line is told by file and line");
	ok(refused("shared-hosting", "*.\n", "shared-hosting:1: "), "an empty domain is one");
	ok(refused("brands", "acme acme.example\n", "five letters"), "a short word is refused");
	ok(refused("brands", "Example example.com\n", "five letters"), "so is one with capitals");
	ok(refused("brands", "example exa mple/\n", "brands:1: "), "and a domain that is none");
	ok(refused("cheap-tlds", "co.uk\n", "without a dot"), "a top-level domain has no dot");
	for (int i = 0; i <= VTM_LISTS_BRANDS; i++)
		g_string_append_printf(many, "brand%c%c%c example.com\n", 'a' + i / 676, 'a' + i / 26 % 26, 'a' + i % 26);
	ok(refused("brands", many->str, "more than 1000"), "%d brands are enough", VTM_LISTS_BRANDS);
	g_string_truncate(many, 0);
	for (int i = 0; i < VTM_LISTS_ENTRIES; i++)
		g_string_append_printf(many, "h%d.example\n", i);
	remove_files();
	write_file("shorteners", many->str);
	is_int(vtm_lists_read(l, dir, &error), 1, "%d entries of a file are read", VTM_LISTS_ENTRIES);
	ok(vtm_lists_is_shortener(l, "h99999.example"), "up to the last one");
	g_string_append(many, "more.example\n");
	ok(refused("shorteners", many->str, "more than 100000"), "one more is refused");
	g_string_free(many, TRUE);
	vtm_lists_free(l);
}

/* The lists that are installed. */
static void installed(void)
{
	const char *top = g_getenv("srcdir");
	char *etc = g_build_filename(top ? top : ".", "etc", NULL);
	struct vtm_lists *l = vtm_lists_new();
	GError *error = NULL;

	is_int(vtm_lists_read(l, etc, &error), VTM_LISTS_FILES, "the lists that are installed can be read");
	if (error)
		diag("%s", error->message);
	g_clear_error(&error);
	is_int(vtm_lists_hosting(l, "docs.google.com"), VTM_HOSTING_PATHS, "docs.google.com: by path");
	is_int(vtm_lists_hosting(l, "www.google.com"), VTM_HOSTING_NONE, "www.google.com: not");
	is_int(vtm_lists_hosting(l, "x.pages.dev"), VTM_HOSTING_TENANTS, "x.pages.dev: by host");
	is_int(vtm_lists_hosting(l, "bucket.s3.amazonaws.com"), VTM_HOSTING_TENANTS, "a bucket's host is its own");
	is_int(vtm_lists_hosting(l, "s3.amazonaws.com"), VTM_HOSTING_PATHS, "that of all buckets is not");
	is_str(vtm_lists_tenant(l, "a.b.pages.dev"), "b.pages.dev", "the tenant's host");
	ok(!vtm_lists_tenant(l, "pages.dev"), "the service has none itself");
	ok(vtm_lists_is_shortener(l, "bit.ly") && vtm_lists_is_shortener(l, "www.bit.ly") &&
	   !vtm_lists_is_shortener(l, "rabbit.ly"), "a shortener, by whole labels");
	ok(vtm_lists_is_cheap(l, "a.b.top") && !vtm_lists_is_cheap(l, "top.example") && !vtm_lists_is_cheap(l, "top"),
	   "a cheap top-level domain");
	ok(vtm_lists_borrows_brand(l, "paypal-login.example.org"), "a brand in a longer label");
	ok(vtm_lists_borrows_brand(l, "paypa1-login.example.org"), "with a digit for a letter");
	ok(vtm_lists_borrows_brand(l, "www.rnicrosoft.example"), "with two letters for one");
	ok(vtm_lists_borrows_brand(l, "paypal.com.example.org"), "the owner's name as a subdomain");
	ok(!vtm_lists_borrows_brand(l, "www.paypal.com") && !vtm_lists_borrows_brand(l, "paypal.com"),
	   "the owner borrows nothing");
	ok(vtm_lists_borrows_brand(l, "xpaypal.com"), "a name that ends as the owner's does");
	ok(!vtm_lists_borrows_brand(l, "www.amazon.nl") && vtm_lists_borrows_brand(l, "www.amazon.top"),
	   "the word and a suffix is the owner's, but for a cheap one");
	ok(!vtm_lists_borrows_brand(l, "www.example.org"), "an ordinary host");
	vtm_lists_free(l);
	g_free(etc);
}

/* ---- features ---- */

static struct vtm_lists *lists;

static struct vtm_item_features of_url(const char *text, bool by_host, const char *from)
{
	struct vtm_item *item = vtm_item_new(VTM_URL, text);
	struct vtm_message_features m = { .from_domain = (char *)(uintptr_t)from };
	struct vtm_url *u = vtm_url_parse(text, -1);
	struct vtm_lookup *l;
	struct vtm_item_features f;

	item->host = g_strdup(u->host);
	l = vtm_lookup_new(by_host ? VTM_LOOKUP_HOST : VTM_LOOKUP_URL, by_host ? item->host : item->subject);
	vtm_features_of_item(lists, item, l, &m, &f);
	vtm_lookup_free(l);
	vtm_item_free(item);
	vtm_url_free(u);
	return f;
}

static enum vtm_file_risk of_file(const char *name, const char *type)
{
	static const char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	struct vtm_item *item = vtm_item_new(VTM_ATTACHMENT, hash);
	struct vtm_message_features m = { 0 };
	struct vtm_item_features f;

	item->name = g_strdup(name);
	item->type = g_strdup(type);
	vtm_features_of_item(lists, item, NULL, &m, &f);
	vtm_item_free(item);
	return f.attachment ? f.file : (enum vtm_file_risk)-1;
}

static void is_group(const char *url, const char *group)
{
	struct vtm_item_features f = of_url(url, false, NULL);

	is_str(f.group, group, "%s", url);
	g_free(f.group);
}

static void links(void)
{
	struct vtm_item_features f;

	is_group("http://www.shop.example.co.uk/x", "example.co.uk");
	is_group("http://192.0.2.7/x", "192.0.2.7");
	is_group("https://docs.hosting.test/d/1?x=2", "docs.hosting.test/d/1?x=2");
	is_group("https://a.b.tenants.test/x", "b.tenants.test");
	is_group("https://somebody.github.io/x", "somebody.github.io");
	f = of_url("https://docs.hosting.test/d/1", true, NULL);
	ok(f.anybody_publishes && f.host_of_many && !f.shortener, "a host of many, asked by host, tells nothing");
	g_free(f.group);
	f = of_url("https://docs.hosting.test/d/1", false, NULL);
	ok(f.anybody_publishes && !f.host_of_many, "asked by URL it does");
	g_free(f.group);
	f = of_url("https://b.tenants.test/", true, NULL);
	ok(f.anybody_publishes && !f.host_of_many, "a tenant's host is his own");
	g_free(f.group);
	f = of_url("https://somebody.github.io/", true, NULL);
	ok(f.anybody_publishes && !f.host_of_many, "so is one of the suffix list's private part");
	g_free(f.group);
	f = of_url("https://sho.rt/abc", false, NULL);
	ok(f.shortener && f.anybody_publishes && !f.cheap_tld, "a shortener");
	is_str(f.group, "sho.rt/abc", "each of its URLs for itself");
	g_free(f.group);
	f = of_url("https://www.example.cheap/", false, NULL);
	ok(f.cheap_tld && !f.odd_name && !f.anybody_publishes, "a cheap top-level domain");
	g_free(f.group);
	f = of_url("https://xn--bcher-kva.example/", false, NULL);
	ok(f.odd_name, "punycode is odd");
	g_free(f.group);
	f = of_url("https://[2001:db8::1]/", false, NULL);
	ok(f.odd_name, "an IPv6 address, too");
	g_free(f.group);
	f = of_url("https://branded-mail.example/", false, NULL);
	ok(f.odd_name, "and a brand's word");
	g_free(f.group);
	f = of_url("https://news.example.org/a", false, "example.org");
	ok(f.to_from, "a link to the domain of From");
	g_free(f.group);
	f = of_url("https://example.org.evil.example/", false, "example.org");
	ok(!f.to_from, "one to a host that only begins so");
	g_free(f.group);
	f = of_url("https://docs.hosting.test/d/1", false, "hosting.test");
	ok(!f.to_from, "where anybody publishes it is not From's");
	g_free(f.group);
}

static void attachments(void)
{
	is_int(of_file("a.pdf", "application/pdf"), VTM_FILE_PLAIN, "a PDF");
	is_int(of_file("a.docx", NULL), VTM_FILE_PLAIN, "a document");
	is_int(of_file("a.docm", NULL), VTM_FILE_ACTIVE, "one with macros");
	is_int(of_file("a.DOC", NULL), VTM_FILE_ARCHIVE, "an old one, which may have some");
	is_int(of_file("a.pdf.exe", "application/pdf"), VTM_FILE_ACTIVE, "a program");
	is_int(of_file("a.lnk. ", NULL), VTM_FILE_ACTIVE, "a shortcut with a dot and a blank behind it");
	is_int(of_file("picture.svg", "image/svg+xml"), VTM_FILE_ACTIVE, "a picture that is a page");
	is_int(of_file("a", "text/html"), VTM_FILE_ACTIVE, "a page by its type");
	is_int(of_file("a.iso", NULL), VTM_FILE_ACTIVE, "a disk image");
	is_int(of_file("a.zip", NULL), VTM_FILE_ARCHIVE, "an archive");
	is_int(of_file(NULL, "application/zip"), VTM_FILE_ARCHIVE, "an archive without a name");
	is_int(of_file("a.jpg", "image/jpeg"), VTM_FILE_PLAIN, "a picture");
	is_int(of_file(NULL, NULL), VTM_FILE_PLAIN, "nothing is known");
}

static void message(void)
{
	static const char *const urls[] = { "http://a.example.org/", "http://b.example.org/", "http://example.net/",
					    "https://docs.hosting.test/1", "https://docs.hosting.test/2" };
	struct vtm_heading heading = { .from_domain = (char *)(uintptr_t)"mail.example.org", .dmarc_pass = true }, none = { 0 };
	struct vtm_items *items = vtm_items_new();
	struct vtm_message_features m;

	for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
		struct vtm_item *item = vtm_item_new(VTM_URL, urls[i]);
		struct vtm_url *u = vtm_url_parse(urls[i], -1);

		item->host = g_strdup(u->host);
		vtm_url_free(u);
		vtm_items_add(items, item);
	}
	vtm_features_of_message(lists, items, &heading, "192.0.2.77", &m);
	is_str(m.from_domain, "example.org", "From's registrable domain");
	is_str(m.network, "192.0.2.0/24", "the client's network");
	ok(m.dmarc_pass, "DMARC passed");
	is_int((int)m.link_domains, 3, "links to three domains");
	g_free(m.from_domain);
	g_free(m.network);
	vtm_features_of_message(lists, items, &none, NULL, &m);
	ok(!m.from_domain && !m.network && !m.dmarc_pass, "what is not known is not made up");
	vtm_items_free(items);
}

int main(void)
{
	dir = g_dir_make_tmp("vtm-features-XXXXXX", NULL);
	files();
	installed();
	remove_files();
	write_file("shared-hosting", "docs.hosting.test\n*.tenants.test\n");
	write_file("shorteners", "sho.rt\n");
	write_file("brands", "branded branded.example\n");
	write_file("cheap-tlds", "cheap\n");
	lists = vtm_lists_new();
	is_int(vtm_lists_read(lists, dir, NULL), VTM_LISTS_FILES, "lists of our own");
	links();
	attachments();
	message();
	vtm_lists_free(lists);
	remove_files();
	g_rmdir(dir);
	g_free(dir);
	return done_testing();
}
