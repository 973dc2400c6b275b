/* SPDX-License-Identifier: BSD-2-Clause */
/* test-extract.c - messages to items: what is asked about, and what is noted on it. */
#include "scan/extract.h"

#include <glib/gstdio.h>
#include <string.h>

#include "build-config.h"
#include "base/hash.h"
#include "pack.h"
#include "tap.h"
#include "url/url.h"

#define TOP "From: a@example.com\r\nMIME-Version: 1.0\r\n"
#define MIXED TOP "Content-Type: multipart/mixed; boundary=b\r\n\r\n"

static struct vtm_items *extract(const char *mail, size_t len, const struct vtm_extract_settings *s)
{
	struct vtm_spool *spool = vtm_spool_new(g_get_tmp_dir(), 0);
	struct vtm_items *items;

	vtm_spool_add(spool, mail, len, NULL);
	items = vtm_extract(spool, s, NULL);
	vtm_spool_free(spool);
	return items;
}

/* An item on one line: attachments by name and size, urls as they are. */
static char *text_of(const struct vtm_items *items)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < items->list->len; i++) {
		const struct vtm_item *item = items->list->pdata[i];
		char *via = g_strjoinv(">", item->via);

		if (item->kind == VTM_ATTACHMENT)
			g_string_append_printf(text, "file %s %d", item->name ? item->name : "-", (int)item->size);
		else
			g_string_append_printf(text, "%s %s", vtm_role_name(item->role), item->subject);
		if (item->from)
			g_string_append_printf(text, " from %s", item->from);
		g_string_append_printf(text, " via %s%s%s%s%s%s%s%s\n", via, item->personal ? " personal" : "",
				       item->ignored ? " ignored" : "", item->wrapper ? " wrapper" : "",
				       item->unasked ? " unasked" : "", item->group ? " grouped" : "",
				       item->note ? " " : "", item->note ? item->note : "");
		g_free(via);
	}
	if (items->capped)
		g_string_append(text, "capped\n");
	if (items->ambiguous)
		g_string_append(text, "ambiguous\n");
	if (items->partial)
		g_string_append(text, "partial\n");
	if (items->no_memory)
		g_string_append(text, "no memory\n");
	if (items->undecoded)
		g_string_append(text, "undecoded\n");
	if (items->unfinished)
		g_string_append(text, "unfinished\n");
	if (items->unparsable)
		g_string_append(text, "unparsable\n");
	return g_string_free(text, FALSE);
}

static void check(const char *mail, size_t len, const struct vtm_extract_settings *s, const char *want, const char *what)
{
	struct vtm_items *items = extract(mail, len, s);
	char *got = text_of(items);

	is_str(got, want, "%s", what);
	g_free(got);
	vtm_items_free(items);
}

static const struct {
	const char *what, *mail, *want;
} cases[] = {
	{ "nothing", "Subject: x\r\n\r\nhello\r\n", "" },
	{ "a link in text", "Subject: x\r\n\r\nsee http://a.example.com/x, and www.example.org.\r\n",
	  "text http://a.example.com/x via text/plain\ntext http://www.example.org/ via text/plain\n" },
	{ "links of a page, each once, the stronger role",
	  MIXED "--b\r\nContent-Type: text/html\r\n\r\n<base href=\"http://example.com/d/\">http://example.com/d/x <a href=x>y</a>"
	  "<img src=i.png><a href=\"mailto:a@b.c\">m</a><a href=\"ftp://example.com/\">f</a>\r\n--b--\r\n",
	  "link http://example.com/d/x via multipart/mixed>text/html\n"
	  "link ftp://example.com/ via  unasked scheme\nundecoded\n" },
	{ "attachments come first", MIXED "--b\r\n\r\nhttp://example.com/\r\n--b\r\nContent-Type: image/png; name=a.png\r\n\r\nPNG\r\n--b--\r\n",
	  "file a.png 3 via multipart/mixed\ntext http://example.com/ via multipart/mixed>text/plain\n" },
	{ "an empty attachment is no item", TOP "Content-Type: a/b; name=x\r\n\r\n", "" },
	{ "an attached page is searched, its scripts too",
	  TOP "Content-Type: application/octet-stream; name=x.HTM\r\n\r\n<a href=http://example.com/1>1</a>"
	  "<script>location='http://example.com/2'</script>",
	  "file x.HTM 82 via \nlink http://example.com/1 via application/octet-stream\n"
	  "text http://example.com/2 via application/octet-stream\n" },
	{ "an invitation is searched", TOP "Content-Type: text/calendar\r\n\r\nURL:http://example.com/i\r\n",
	  "file - 26 via \ntext http://example.com/i via text/calendar\n" },
	{ "its lines are folded",
	  TOP "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nURL:http://example.com/i\r\n nvite\\,1\r\n",
	  "file - 54 via \ntext http://example.com/invite,1 via text/calendar\n" },
	{ "an XML file's namespaces are none",
	  TOP "Content-Type: application/octet-stream; name=a.webloc\r\n\r\n<?xml version=\"1.0\"?><!DOCTYPE x \"http://example.com/d\">"
	  "<x xmlns=\"http://example.com/n\">http://example.com/?a&amp;b</x>",
	  "file a.webloc 119 via \ntext http://example.com/?a&b via application/octet-stream\n" },
	{ "a file in text", TOP "\r\nhere:\r\nbegin 644 http.txt\r\n3:'1T<#HO+V5X86UP;&4N8V]M+P``\r\n`\r\nend\r\n",
	  "file http.txt 19 via text/plain\ntext http://example.com/ via text/plain>text/plain\n" },
	{ "a message in a message", TOP "Content-Type: message/rfc822\r\n\r\nContent-Type: a/b; name=n\r\n\r\nxyz",
	  "file n 3 via message/rfc822\n" },
	{ "a message as a file", TOP "Content-Type: application/octet-stream; name=m.eml\r\n\r\nSubject: x\r\n\r\nhttp://example.com/m\r\n",
	  "file m.eml 36 via \ntext http://example.com/m via application/octet-stream>text/plain\n" },
	{ "winmail.dat", TOP "Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	  "eJ8+IgEAAgKQBgAAAAAAAAACEIABAAgAAABpbi5odG1sAAAAAg+ABgAdAAAAPGEgaHJlZj1odHRwOi8v\r\nZXhhbXBsZS5jb20vdD4AAA==\r\n",
	  "file winmail.dat 76 via \nfile in.html 29 via application/ms-tnef\n"
	  "link http://example.com/t via application/ms-tnef>text/html\n" },
	{ "signed data around a message",	/* openssl cms -sign -nodetach -nocerts -noattr */
	  TOP "Content-Type: application/pkcs7-mime; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	  "MIH4BgkqhkiG9w0BBwKggeowgecCAQExDTALBglghkgBZQMEAgEwQQYJKoZIhvcNAQcBoDQEMkNv\r\n"
	  "bnRlbnQtVHlwZTogdGV4dC9wbGFpbg0KDQpodHRwOi8vZXhhbXBsZS5jb20vcw0KMYGPMIGMAgEB\r\n"
	  "MCQwDDEKMAgGA1UEAwwBdAIUX7rSn95KkZ3TZd0Zfv8fTr1/kx0wCwYJYIZIAWUDBAIBMAoGCCqG\r\n"
	  "SM49BAMCBEgwRgIhANbRrX8aMmEqX1kcnEMG+SW1baqMRFUEr7l7fJN/AZ5WAiEA3QNNLN5YI60n\r\n"
	  "NYIU9ZgOEBc/HFitxTMoPfoLOO4iVdk=\r\n",
	  "file smime.p7m 251 via \ntext http://example.com/s via application/pkcs7-mime>text/plain\n" },
	{ "a broken archive", TOP "Content-Type: a/b; name=x.zip\r\nContent-Transfer-Encoding: base64\r\n\r\nUEsDBA==\r\n",
	  "file x.zip 4 via  undecoded\nundecoded\n" },
	{ "content elsewhere", TOP "Content-Type: message/partial; id=x; number=1\r\n\r\nabc",
	  "file - 3 via  unasked content elsewhere\npartial\n" },
	{ "three readings: \"AAB\", \"A\", and the padding ignored", MIXED "--b\r\nContent-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==QUI=\r\n--b--\r\n",
	  "file - 3 via multipart/mixed grouped ambiguous\nfile - 1 via multipart/mixed grouped ambiguous\n"
	  "file - 3 via multipart/mixed grouped ambiguous\n" },
	{ "a wrapper is not judged, what is in it is",
	  "Subject: x\r\n\r\nhttps://www.google.com/url?q=https%3A%2F%2Fexample.com%2Fp&sa=D\r\n",
	  "text https://www.google.com/url?q=https%3A%2F%2Fexample.com%2Fp&sa=D via text/plain wrapper\n"
	  "nested https://example.com/p from https://www.google.com/url?q=https%3A%2F%2Fexample.com%2Fp&sa=D via text/plain\n" },
	{ "what List-Unsubscribe names is personal", "List-Unsubscribe: <http://example.com/p>\r\n\r\nhttp://example.com/p http://example.com/q\r\n",
	  "text http://example.com/p via text/plain personal\ntext http://example.com/q via text/plain\n" },
	{ "a message that is none is read all the same", "see http://example.com/\r\n",
	  "text http://example.com/ via text/plain\nambiguous\nunparsable\n" },
};

static void all_cases(void)
{
	struct vtm_extract_settings s;

	vtm_extract_defaults(&s);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		check(cases[i].mail, strlen(cases[i].mail), &s, cases[i].want, cases[i].what);
}

static void resources(void)
{
	static const char mail[] = "Content-Type: text/html\r\n\r\n<img src=http://example.com/i><a href=http://example.com/>x</a>";
	struct vtm_extract_settings s;

	vtm_extract_defaults(&s);
	check(mail, strlen(mail), &s, "link http://example.com/ via text/html\n", "resources are not asked about");
	s.resource_urls = true;
	check(mail, strlen(mail), &s, "resource http://example.com/i via text/html\nlink http://example.com/ via text/html\n",
	      "unless somebody wants that");
}

/* ---- archives ---------------------------------------------------------------------------------------------------- */

static GString *mail_with(const char *name, const GByteArray *file)
{
	GString *mail = g_string_new(TOP);
	char *base64 = g_base64_encode(file->data, file->len);

	g_string_append_printf(mail, "Content-Type: application/octet-stream; name=%s\r\nContent-Transfer-Encoding: base64\r\n\r\n", name);
	for (size_t at = 0; at < strlen(base64); at += 76) {
		g_string_append_len(mail, base64 + at, (gssize)MIN(76, strlen(base64) - at));
		g_string_append(mail, "\r\n");
	}
	g_free(base64);
	return mail;
}

/* <want>: what follows the archive's own size. */
static void check_archive(const char *name, const GByteArray *file, const struct vtm_extract_settings *s, const char *want,
			  const char *what)
{
	GString *mail = mail_with(name, file);
	char *sized = g_strdup_printf("file %s %u via %s", name, file->len, want);

	check(mail->str, mail->len, s, sized, what);
	g_free(sized);
	g_string_free(mail, TRUE);
}

/* A document's links lie in its lists of relationships. */
#define LIST "<?xml version=\"1.0\"?><Relationships xmlns=\"http://example.com/n\">" \
	"<r:Relationship Type=\"http://example.com/t\" Target=\"https://example.com/?a&amp;b\" " \
	"TargetMode=\"External\"/></Relationships>"

static void office(void)
{
	glong units;
	gunichar2 *wide = g_utf8_to_utf16("\xef\xbb\xbf" LIST, -1, NULL, &units, NULL);
	struct member parts[] = {
		{ "[Content_Types].xml", "<Types xmlns='http://example.com/m'/>", 36 },
		{ "word/_rels/document.xml.rels", LIST, sizeof(LIST) - 1 }, { "word/document.xml", "<x/>", 4 },
	};
	GByteArray *file = pack(archive_write_set_format_zip, NULL, parts, G_N_ELEMENTS(parts));
	struct vtm_extract_settings s;

	vtm_extract_defaults(&s);
	check_archive("a.docx", file, &s, "\ntext https://example.com/?a&b via application/octet-stream\n",
		      "an office document: its links, and no items of what it is made of");
	g_byte_array_unref(file);
	for (int mark = 0; mark < 2; mark++) {
		parts[1].content = wide + !mark;
		parts[1].len = (size_t)(units - !mark) * sizeof(*wide);
		file = pack(archive_write_set_format_zip, NULL, parts, G_N_ELEMENTS(parts));
		check_archive("a.docx", file, &s, "\ntext https://example.com/?a&b via application/octet-stream\n",
			      mark ? "its links in UTF-16" : "in UTF-16 without a mark");
		g_byte_array_unref(file);
	}
	g_free(wide);
}

static void open_document(void)
{
	static const char content[] = "<office:document-content xmlns:office=\"urn:x\" "
		"grddl:transformation=\"http://example.com/odf2rdf.xsl\">"
		"<text:a xlink:type=\"simple\" xlink:href=\"https://example.com/a\">here</text:a></office:document-content>";
	const struct member parts[] = {
		{ "mimetype", "application/vnd.oasis.opendocument.text", 39 }, { "content.xml", content, sizeof(content) - 1 },
		{ "meta.xml", "<x/>", 4 },
	};
	GByteArray *file = pack(archive_write_set_format_zip, NULL, parts, G_N_ELEMENTS(parts));
	struct vtm_extract_settings s;

	vtm_extract_defaults(&s);
	check_archive("a.odt", file, &s, "\ntext https://example.com/a via application/octet-stream\n",
		      "OpenDocument: its links");
	g_byte_array_unref(file);
}

/* Of anything else such a name makes no difference: the member is a file, with its hash. */
static void relationships_elsewhere(void)
{
	GByteArray *file = pack_one(NULL, "x.rels", "MZ http://example.com/", 22);
	struct vtm_extract_settings s;

	vtm_extract_defaults(&s);
	check_archive("a.zip", file, &s, "\nfile x.rels 22 via application/octet-stream\n",
		      "a member of an archive that is named like a list of relationships is an item");
	g_byte_array_unref(file);
}

static void archives(void)
{
	static const char page[] = "<a href=http://example.com/z>z</a>";
	struct vtm_extract_settings s;
	GByteArray *one = pack_one(NULL, "d/x.html", page, strlen(page)), *two, *secret = pack_one("pw", "x.exe", "MZ", 2);

	vtm_extract_defaults(&s);
	check_archive("a.zip", one, &s, "\nfile x.html 34 via application/octet-stream\n"
		      "link http://example.com/z via application/octet-stream>text/html\n", "a member is an item and is searched");
	s.archive_members = 0;
	check_archive("a.zip", one, &s, "\n", "archives can be left alone");
	vtm_extract_defaults(&s);
	check_archive("a.zip", secret, &s, " encrypted\n", "an encrypted one is told");
	for (int depth = 0; depth < 2; depth++) {
		two = pack_one(NULL, "in.zip", one->data, one->len);
		g_byte_array_unref(one);
		one = two;
	}
	{
		GString *mail = mail_with("a.zip", one);
		struct vtm_items *items = extract(mail->str, mail->len, &s);

		is_int(items->list->len, 5, "three archives in one another: each and the innermost member with its link");
		ok(!items->capped, "that is as deep as allowed");
		vtm_items_free(items);
		s.archive_depth = 2;
		items = extract(mail->str, mail->len, &s);
		is_int(items->list->len, 3, "one level less: the third is not opened");
		ok(items->capped, "and that is told");
		vtm_items_free(items);
		g_string_free(mail, TRUE);
	}
	g_byte_array_unref(one);
	g_byte_array_unref(secret);
}

/* ---- lists and limits ---------------------------------------- */

static void ignored(void)
{
	static const char body[] = "Content-Type: a/b; name=x\r\n\r\nabc", pass[] =
		"Authentication-Results: mx.example.org; dmarc=pass header.from=example.com\r\n";
	static const struct {
		const char *what, *above;
		bool ignored;
	} mails[] = {
		{ "an authenticated sender on the list", "Authentication-Results: mx.example.org; dmarc=pass header.from=example.com\r\n"
		  "From: a@example.com\r\n", true },
		{ "nobody said so", "From: a@example.com\r\n", false },
		{ "another server said so", "Authentication-Results: evil.org; dmarc=pass header.from=example.com\r\nFrom: a@example.com\r\n",
		  false },
		{ "only a lower field of ours says so", "Authentication-Results: mx.example.org; dmarc=fail header.from=example.com\r\n"
		  "Authentication-Results: mx.example.org; dmarc=pass header.from=example.com\r\nFrom: a@example.com\r\n", false },
		{ "two senders", "Authentication-Results: mx.example.org; dmarc=pass header.from=example.com\r\n"
		  "From: a@example.com\r\nFrom: b@evil.org\r\n", false },
		{ "a sender who is not on the list", "Authentication-Results: mx.example.org; dmarc=pass header.from=example.net\r\n"
		  "From: a@example.net\r\n", false },
	};
	char *list = g_build_filename(g_get_tmp_dir(), "vtm-extract-XXXXXX", NULL);
	struct vtm_extract_settings s;
	struct vtm_ignore *ignore = vtm_ignore_new();
	int fd = g_mkstemp(list);
	char *mail;

	g_close(fd, NULL);
	g_file_set_contents(list, "example.com\n", -1, NULL);
	vtm_extract_defaults(&s);
	ok(vtm_ignore_add_domains(ignore, list, NULL) == 0, "a list");
	s.ignore = ignore;
	s.authserv_id = "mx.example.org";
	for (size_t i = 0; i < G_N_ELEMENTS(mails); i++) {
		mail = g_strconcat(mails[i].above, body, NULL);
		check(mail, strlen(mail), &s, mails[i].ignored ? "file x 3 via  ignored\n" : "file x 3 via \n", mails[i].what);
		g_free(mail);
	}
	s.authserv_id = NULL;
	mail = g_strconcat(pass, "From: a@example.com\r\n", body, NULL);
	check(mail, strlen(mail), &s, "file x 3 via \n", "no AuthservID, no trust");
	g_free(mail);
	mail = g_strdup("Subject: x\r\n\r\nhttp://sub.example.com/ http://example.org/");
	check(mail, strlen(mail), &s,
	      "text http://sub.example.com/ via text/plain ignored\ntext http://example.org/ via text/plain\n", "a domain on the list");
	g_free(mail);
	g_file_set_contents(list, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n", -1, NULL);
	ok(vtm_ignore_add_hashes(ignore, list, NULL) == 0, "a list of hashes");
	mail = g_strconcat("From: a@example.net\r\n", body, NULL);
	check(mail, strlen(mail), &s, "file x 3 via  ignored\n", "a hash on the list");
	g_free(mail);
	vtm_ignore_free(ignore);
	g_unlink(list);
	g_free(list);
}

/* <n> links, then <m> attachments. */
static GString *crowd(unsigned n, unsigned m)
{
	GString *mail = g_string_new(MIXED "--b\r\n\r\n");

	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(mail, "http://example.com/%u\r\n", i);
	for (unsigned i = 0; i < m; i++)
		g_string_append_printf(mail, "--b\r\nContent-Type: a/b\r\n\r\n%u\r\n", i);
	g_string_append(mail, "--b--\r\n");
	return mail;
}

static void one_crowd(unsigned n, unsigned m, unsigned want, unsigned files, bool capped)
{
	GString *mail = crowd(n, m);
	struct vtm_extract_settings s;
	struct vtm_items *items;
	unsigned got = 0;

	vtm_extract_defaults(&s);
	s.max_items = 20;
	items = extract(mail->str, mail->len, &s);
	for (guint i = 0; i < items->list->len; i++)
		got += ((struct vtm_item *)items->list->pdata[i])->kind == VTM_ATTACHMENT;
	is_int(items->list->len, want, "%u links and %u files: items", n, m);
	is_int(got, files, "%u links and %u files: files", n, m);
	ok(items->capped == capped, "%u links and %u files: %s", n, m, capped ? "cut" : "whole");
	vtm_items_free(items);
	g_string_free(mail, TRUE);
}

static void limits(void)
{
	one_crowd(20, 0, 20, 0, false);
	one_crowd(21, 0, 20, 0, true);
	one_crowd(15, 5, 20, 5, false);
	one_crowd(16, 5, 20, 5, true);
	one_crowd(20, 20, 20, 20, true);
	one_crowd(0, 21, 20, 20, true);
}

/* A link that is too long for us is one that a reader can follow. */
static void long_links(void)
{
	static const struct {
		const char *what, *before, *after;
		bool counts;
	} links[] = {
		{ "text", "Content-Type: text/plain\r\n\r\nhttp://a.example/", "\r\n", true },
		{ "text without a scheme", "Content-Type: text/plain\r\n\r\nwww.example.com/", "\r\n", true },
		{ "a page", "Content-Type: text/html\r\n\r\n<a href=\" HTTPS://a.example/", "\">x</a>\r\n", true },
		{ "a page, without a scheme", "Content-Type: text/html\r\n\r\n<a href=\"//a.example/", "\">x</a>\r\n",
		  true },
		{ "a page, relative", "Content-Type: text/html\r\n\r\n<base href=\"http://a.example/\"><a href=\"", "\">x</a>\r\n",
		  true },
		{ "a page, data", "Content-Type: text/html\r\n\r\n<a href=\"data:image/gif;base64,", "\">x</a>\r\n", false },
		{ "text, a long word", "Content-Type: text/plain\r\n\r\nword", "\r\n", false },
	};
	char *fits = g_strnfill(VTM_URL_MAX - 100, 'x'), *exceeds = g_strnfill(VTM_URL_MAX, 'x');
	struct vtm_extract_settings s;

	vtm_extract_defaults(&s);
	for (size_t i = 0; i < G_N_ELEMENTS(links); i++)
		for (int exceeding = 0; exceeding < 2; exceeding++) {
			char *mail = g_strconcat("MIME-Version: 1.0\r\n", links[i].before, exceeding ? exceeds : fits,
						 links[i].after, NULL);
			struct vtm_items *items = extract(mail, strlen(mail), &s);

			is_int(items->list->len, links[i].counts && !exceeding, "%s, %s: items", links[i].what,
			       exceeding ? "too long" : "as long as may be");
			ok(items->capped == (links[i].counts && exceeding), "%s: told", links[i].what);
			vtm_items_free(items);
			g_free(mail);
		}
	g_free(exceeds);
	g_free(fits);
}

/* The same link a thousand times takes one place. */
static void repeated(void)
{
	GString *mail = g_string_new("Subject: x\r\n\r\n");
	struct vtm_extract_settings s;

	vtm_extract_defaults(&s);
	s.max_items = 2;
	for (int i = 0; i < 1000; i++)
		g_string_append(mail, "http://example.com/ http://example.org/\r\n");
	check(mail->str, mail->len, &s, "text http://example.com/ via text/plain\ntext http://example.org/ via text/plain\n",
	      "repeated links take no room");
	g_string_free(mail, TRUE);
}

#ifdef HAVE_QPDF
static void pdf(void)
{
	static const char text[] = "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R/OpenAction<</S/URI/URI(HTTPS://A.example.com/x#f)>>>>\nendobj\n"
		"2 0 obj\n<</Type/Pages/Kids[]/Count 0/X(see https://b.example.com/y.)/Y[<</URI(www.c.example.com)>><</URI(d.html)>>]>>\nendobj\n"
		"xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000106 00000 n \ntrailer\n<</Size 3/Root 1 0 R>>\n"
		"startxref\n231\n%%EOF\n";
	struct vtm_extract_settings s;
	GByteArray *file = g_byte_array_append(g_byte_array_new(), (const guint8 *)text, sizeof(text) - 1);
	GByteArray *cut = g_byte_array_append(g_byte_array_new(), (const guint8 *)text, 30);

	vtm_extract_defaults(&s);
	check_archive("a.pdf", file, &s, "\n", "by default PDF is not searched");
	s.pdf = true;
	check_archive("a.pdf", file, &s, "\nlink https://a.example.com/x via application/octet-stream\n"
		      "text https://b.example.com/y via application/octet-stream\n"
		      "link http://www.c.example.com/ via application/octet-stream\n", "links in PDF");
	check_archive("a.bin", file, &s, "\nlink https://a.example.com/x via application/octet-stream\n"
		      "text https://b.example.com/y via application/octet-stream\n"
		      "link http://www.c.example.com/ via application/octet-stream\n", "PDF by any name");
	check_archive("a.pdf", cut, &s, " undecoded\nundecoded\n", "what cannot be read is told");
	s.mime.max_part_bytes = 50;
	check_archive("a.pdf", file, &s, "\ncapped\n", "as is what is too large to be read");
	g_byte_array_unref(file);
	g_byte_array_unref(cut);
}
#endif

/* With more and more work, more of a message is read: a short text with a link, then a long one.  Whatever lacks of it,
 * that the work ended is told. */
static void effort_grows(const char *mail, size_t len)
{
	unsigned found[3] = { 0 }, last = 0, silent = 0, fewer = 0;
	struct vtm_extract_settings s;

	vtm_extract_defaults(&s);
	for (double bytes = 1; bytes < (double)VTM_WORK_BYTES; bytes *= 1.1) {
		struct vtm_items *items;
		struct vtm_work work;

		vtm_work_begin(&work, NULL, 0, (uint64_t)bytes);
		s.work = &work;
		items = extract(mail, len, &s);
		found[MIN(items->list->len, 2)]++;
		silent += items->list->len < 2 && !items->unfinished;
		fewer += items->list->len < last;
		last = items->list->len;
		vtm_items_free(items);
	}
	ok(found[0] && found[1] && found[2], "with more work more is found: nothing, one link, both (%u, %u, %u)",
	   found[0], found[1], found[2]);
	is_int(fewer, 0, "and never less");
	is_int(silent, 0, "what was not read is told");
}

static void effort(void)
{
	GString *mail = g_string_new(MIXED "--b\r\n\r\nhttp://example.com/1\r\n--b\r\n\r\n");
	struct vtm_extract_settings s;
	struct vtm_clock_manual now;
	struct vtm_work work;

	for (int i = 0; i < 10000; i++)
		g_string_append(mail, "word\r\n");
	g_string_append(mail, "http://example.com/2\r\n--b--\r\n");
	effort_grows(mail->str, mail->len);
	vtm_extract_defaults(&s);
	vtm_clock_manual_init(&now, 0);
	vtm_work_begin(&work, &now.clock, now.boot, VTM_WORK_BYTES);
	s.work = &work;
	check(mail->str, mail->len, &s, "unfinished\n", "a deadline in the past");
	g_string_free(mail, TRUE);
}

int main(void)
{
	all_cases();
	resources();
	archives();
	office();
	open_document();
	relationships_elsewhere();
#ifdef HAVE_QPDF
	pdf();
#endif
	ignored();
	limits();
	long_links();
	repeated();
	effort();
	return done_testing();
}
