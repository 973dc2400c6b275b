/* SPDX-License-Identifier: BSD-2-Clause */
/* test-growth.c - reading is linear: twice the message takes at most 2.5 times the time, whatever it is made of.
 *
 * Doubled twice, so that what is linear (4) and what is quadratic (16) lie on either side of 2.5 * 2.5 by far, caches
 * or not. Processor time of this thread, the best of a few rounds: other work on the machine can only add to it, so
 * rounds go on until the ratio holds, or there have been ROUNDS_MAX.
 */
#include <archive.h>
#include <string.h>
#include <time.h>

#include "scan/extract.h"
#include "pack.h"
#include "model/tags.h"
#include "tap.h"

#define TIMES 4
#define RATIO_MAX (2.5 * 2.5)
#define ROUNDS_MAX 20

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define MIME "From: a@example.org\r\nTo: b@example.org\r\nMIME-Version: 1.0\r\n"

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct vtm_items *items_of(const GString *m, const struct vtm_extract_settings *s)
{
	struct vtm_spool *spool = vtm_spool_new("/tmp", 0);
	struct vtm_items *items;

	vtm_spool_add(spool, m->str, m->len, NULL);
	items = vtm_extract(spool, s, NULL);
	vtm_spool_free(spool);
	return items;
}

/* Nothing is cut off by a limit, for what is not read costs nothing. */
static void no_limits(struct vtm_extract_settings *s)
{
	vtm_extract_defaults(s);
	s->max_items = s->mime.max_parts = s->archive_members = 1000000;
	s->mime.max_part_bytes = 256 * 1024 * 1024;
	s->archive_bytes = 1024 * 1024 * 1024;
}

/* ---- messages of <n> somethings ---- */

static void repeat(GString *m, unsigned n, const char *text)
{
	for (unsigned i = 0; i < n; i++)
		g_string_append(m, text);
}

static void add_base64(GString *m, const void *data, size_t len, const char *type)
{
	char *text = g_base64_encode(data, len);
	size_t all = strlen(text);

	g_string_append_printf(m, MIME "Content-Type: %s\r\nContent-Transfer-Encoding: base64\r\n\r\n", type);
	for (size_t at = 0; at < all; at += 76) {
		g_string_append_len(m, text + at, (gssize)MIN(76, all - at));
		g_string_append(m, "\r\n");
	}
	g_free(text);
}

static void base64(GString *m, unsigned n)
{
	guchar *data = g_malloc(n);

	for (unsigned i = 0; i < n; i++)
		data[i] = (guchar)(i * 2654435761u >> 24);
	add_base64(m, data, n, "application/octet-stream; name=a.bin");
	g_free(data);
}

static void utf16(GString *m, unsigned n)
{
	static const char text[] = "h\0t\0t\0p\0:\0/\0/\0w\0.\0e\0x\0a\0m\0p\0l\0e\0.\0c\0o\0m\0/\0 ";

	g_string_append(m, MIME "Content-Type: text/html; charset=utf-16le\r\n\r\n");
	for (unsigned i = 0; i < n; i++)
		g_string_append_len(m, text, sizeof(text));	/* with its end the last letter is whole */
}

static void parts(GString *m, unsigned n)
{
	g_string_append(m, MIME "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(m, "--b\r\nContent-Type: application/pdf; name=\"%u.pdf\"\r\n\r\n%u\r\n", i, i);
	g_string_append(m, "--b--\r\n");
}

static void links(GString *m, unsigned n)
{
	g_string_append(m, MIME "Content-Type: text/html\r\n\r\n");
	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(m, "<a href=\"http://h%u.example.com/p?a=%u\">a link</a>\r\n", i % 50, i);
}

static void text_links(GString *m, unsigned n)
{
	g_string_append(m, MIME "\r\n");
	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(m, "http://h%u.example.com/p?a=%u\r\n", i, i);
}

static void wrapped_links(GString *m, unsigned n)
{
	g_string_append(m, MIME "Content-Type: text/html\r\n\r\n");
	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(m, "<a href=\"https://www.google.com/url?q=https%%3A%%2F%%2Fh%u.example.com%%2F%u\">x</a>\r\n",
				       i % 50, i);
}

static void based_links(GString *m, unsigned n)
{
	g_string_append(m, MIME "Content-Type: text/html\r\n\r\n<base href=\"http://example.com/");
	repeat(m, 1500, "a/");
	g_string_append(m, "\">\r\n");
	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(m, "<a href=%u>\r\n", i);
}

static void nested_multiparts(GString *m, unsigned n)
{
	g_string_append(m, MIME);
	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(m, "Content-Type: multipart/mixed; boundary=b%u\r\n\r\n--b%u\r\n", i, i);
	g_string_append(m, "\r\nhttp://deep.example.com/\r\n");
}

static void nested_messages(GString *m, unsigned n)
{
	repeat(m, n, MIME "Content-Type: message/rfc822\r\n\r\n");
	g_string_append(m, "\r\nhttp://deep.example.com/\r\n");
}

static void long_field(GString *m, unsigned n)
{
	g_string_append(m, MIME "X-Long: ");
	repeat(m, n, "=?utf-8?q?caf=C3=A9?= <a@example.com>, \r\n\t");
	g_string_append(m, "x\r\nCc: ");
	repeat(m, n, "\"A, B\" <a@example.com>,\r\n ");
	g_string_append(m, "c@example.com\r\n\r\nx\r\n");
}

static void many_fields(GString *m, unsigned n)
{
	g_string_append(m, MIME);
	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(m, "X-Field-%u: some words\r\n", i);
	g_string_append(m, "\r\nx\r\n");
}

static void parameters(GString *m, unsigned n)
{
	g_string_append(m, MIME "Content-Type: application/octet-stream;\r\n");
	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(m, " name*%u*=caf%%C3%%A9;\r\n", i);
	g_string_append(m, " a=b\r\n\r\nx\r\n");
}

/* Each part is a page that may declare its charset anywhere in its beginning. */
static void pages(GString *m, unsigned n)
{
	char *tags = g_strnfill(4000, '<');

	g_string_append(m, MIME "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(m, "--b\r\nContent-Type: text/html\r\n\r\n<meta %s\r\n", tags);
	g_string_append(m, "--b--\r\n");
	g_free(tags);
}

/* Sixty multiparts in one another, the last one with four boundaries to choose from, and lines that all but one could
 * begin with. */
static void boundaries(GString *m, unsigned n)
{
	g_string_append(m, MIME);
	for (unsigned i = 0; i < 28; i++)
		g_string_append_printf(m, "Content-Type: multipart/mixed; boundary=\"------------%u\"\r\n\r\n--------------%u\r\n", i, i);
	g_string_append(m, "Content-Type: multipart/mixed; boundary=-a; boundary=-b; boundary=-c; boundary=-d\r\n\r\n---d\r\n\r\n");
	repeat(m, n, "-------------\r\n");
}

/* A leaf of dashes, and a boundary that differs in its last character only. */
static void dashes(GString *m, unsigned n)
{
	char *most = g_strnfill(68, '-'), *all = g_strnfill(n, '-');

	g_string_append_printf(m, MIME "Content-Type: multipart/mixed; boundary=\"%sx\"\r\n\r\n--%sx\r\n\r\n%s\r\n", most, most, all);
	g_free(most);
	g_free(all);
}

static void fields_of_parts(GString *m, unsigned n)
{
	g_string_append(m, MIME "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (unsigned i = 0; i < n; i++) {
		g_string_append(m, "--b\r\n");
		for (unsigned k = 0; k < 8; k++)
			g_string_append_printf(m, "Content-Type: text/plain; x; name*%u=%u.exe; charset=c%u\r\n"
					       "Content-Disposition: inline; =; filename=\"%u\r\n", k, i, k, k);
		g_string_append_printf(m, "\r\n%u\r\n", i);
	}
	g_string_append(m, "--b--\r\n");
}

static void put_le(GString *a, guint32 n, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		g_string_append_c(a, (char)(n >> (8 * i)));
}

/* A winmail.dat of 500 files of <n> bytes each. */
static void tnef(GString *m, unsigned n)
{
	GString *a = g_string_new(NULL);
	char *content = g_malloc(n);

	put_le(a, 0x223e9f78, 4);
	put_le(a, 1, 2);
	for (unsigned i = 0; i < 500; i++) {
		memset(content, (int)i, n);
		memcpy(content, &i, sizeof(i));
		g_string_append_c(a, 2);	/* attAttachRendData begins a file, attAttachData is its content */
		put_le(a, 0x00069002, 4);
		put_le(a, 14, 4);
		put_le(a, 0, 14 / 2);
		put_le(a, 0, 14 / 2);
		put_le(a, 0, 2);
		g_string_append_c(a, 2);
		put_le(a, 0x0006800f, 4);
		put_le(a, n, 4);
		g_string_append_len(a, content, n);
		put_le(a, 0, 2);
	}
	add_base64(m, a->str, a->len, "application/ms-tnef; name=winmail.dat");
	g_string_free(a, TRUE);
	g_free(content);
}

static void archive_members(GString *m, unsigned n)
{
	struct member *members = g_new(struct member, n);
	GByteArray *file;

	for (unsigned i = 0; i < n; i++) {
		char *name = g_strdup_printf("%u.exe", i);

		members[i] = (struct member){ name, name, strlen(name) };
	}
	file = pack(archive_write_set_format_zip, NULL, members, n);
	add_base64(m, file->data, file->len, "application/zip; name=a.zip");
	g_byte_array_unref(file);
	for (unsigned i = 0; i < n; i++)
		g_free((char *)(uintptr_t)members[i].name);
	g_free(members);
}

/* ---- the measure ---- */

static double once(const GString *m, const struct vtm_extract_settings *s)
{
	double began = cpu_s();
	struct vtm_items *items = items_of(m, s);

	vtm_items_free(items);
	return cpu_s() - began;
}

/* What the small and the large one take, at best. */
static void measure(double (*cost)(const void *of, unsigned which), const void *of, double best[2])
{
	best[0] = best[1] = 1e9;
	for (unsigned round = 0; round < ROUNDS_MAX && (round < 2 || best[1] > RATIO_MAX * best[0]); round++)
		for (unsigned which = 0; which < 2; which++) {
			double t = cost(of, which);

			best[which] = MIN(best[which], t);
		}
}

struct pair { struct vtm_extract_settings s; GString *m[2]; };

static double cost_of_message(const void *of, unsigned which)
{
	const struct pair *p = of;

	return once(p->m[which], &p->s);
}

/* Messages of any size: made by <make>, or <head>, a blank line in it, and <unit> over and over. */
struct kind {
	const char *what;
	unsigned n;		/* somethings that the smaller one has */
	void (*make)(GString *m, unsigned n);
	const char *head, *unit;
};

static GString *message_of(const struct kind *k, unsigned n)
{
	GString *m = g_string_new(NULL);

	if (k->make) {
		k->make(m, n);
	} else {
		g_string_append_printf(m, MIME "%s", k->head);
		repeat(m, n, k->unit);
	}
	return m;
}

static void message(const struct kind *k)
{
	struct pair p = { .m = { NULL } };
	double best[2];

	if (SANITIZED) {
		skip("what a sanitizer does itself would be measured", "%s", k->what);
		return;
	}
	no_limits(&p.s);
	p.m[0] = message_of(k, k->n);
	p.m[1] = message_of(k, TIMES * k->n);
	measure(cost_of_message, &p, best);
	if (!ok(best[1] <= RATIO_MAX * best[0], "%s: %d times as many take at most %.2f times the time", k->what, TIMES, RATIO_MAX))
		diag("%.2f and %.2f ms", best[0] * 1e3, best[1] * 1e3);
	else if (g_getenv("VTM_LONG"))
		diag("%s: %zu bytes %.2f ms, %zu bytes %.2f ms, ratio %.2f", k->what, p.m[0]->len, best[0] * 1e3, p.m[1]->len,
		     best[1] * 1e3, best[1] / best[0]);
	g_string_free(p.m[0], TRUE);
	g_string_free(p.m[1], TRUE);
}

/* Does the measure see what is not linear? */
static double cost_of_square(const void *of, unsigned which)
{
	const char *text = of;
	size_t n = strlen(text) / (which ? 1 : TIMES);
	double began = cpu_s();
	volatile size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found = found + (memchr(text + i, 'b', n - i) != NULL);	/* another each time: nothing to hoist */
	return cpu_s() - began;
}

static void control(void)
{
	char *text = g_strnfill(40000, 'a');
	double best[2];

	measure(cost_of_square, text, best);
	ok(best[1] > RATIO_MAX * best[0], "what is quadratic is told");
	g_free(text);
}

/* ---- the message of 3,133 links ---- */

#define LINKS 3133

static double hash_s(void)
{
	static char block[65536];
	GChecksum *c = g_checksum_new(G_CHECKSUM_SHA256);
	double began = cpu_s();

	for (unsigned i = 0; i < 20 * 1024 * 1024 / sizeof(block); i++)
		g_checksum_update(c, (const guchar *)block, sizeof(block));
	g_checksum_get_string(c);
	g_checksum_free(c);
	return cpu_s() - began;
}

/* A newsletter as there are: tables, styles, a long link in each row and a picture. */
static GString *newsletter(void)
{
	GString *m = g_string_new(MIME "Content-Type: text/html; charset=us-ascii\r\n\r\n<html><body><table>\r\n");

	for (unsigned i = 0; i < LINKS; i++)
		g_string_append_printf(m, "<tr><td bgcolor=#ffffff><font face=\"arial\" size=2>&#149; <a target=_blank href=\""
				       "http://clickthru%u.example.com/c/%u/article.asp?id=%u&amp;src=nl\">Headline %u</a></font>"
				       "<img src=\"http://i.example.net/s.gif\" width=1 height=1></td></tr>\r\n", i % 7, i, i * 31, i);
	g_string_append(m, "</table></body></html>\r\n");
	return m;
}

/* 50 ms where GLib hashes 20 MiB in 50 ms, which any machine of these years does about. */
static void newsletter_cost(void)
{
	struct vtm_extract_settings s;
	double best = 1e9, hash = 1e9;
	GString *m;

	if (SANITIZED) {
		skip("a sanitizer slows this program, not GLib", "a message of %d links", LINKS);
		return;
	}
	m = newsletter();
	vtm_extract_defaults(&s);
	for (unsigned round = 0; round < ROUNDS_MAX && (round < 2 || best > hash); round++) {
		double t = once(m, &s), h = hash_s();

		best = MIN(best, t);
		hash = MIN(hash, h);
	}
	ok(best <= hash, "a message of %d links takes no longer than to hash 20 MiB in C", LINKS);
	diag("%.1f ms, hashing %.1f ms", best * 1e3, hash * 1e3);
	g_string_free(m, TRUE);
}

static void newsletter_capped(void)
{
	GString *m = newsletter();
	struct vtm_extract_settings s;
	struct vtm_items *items;
	GPtrArray *headers;

	vtm_extract_defaults(&s);
	items = items_of(m, &s);
	is_int(items->list->len, s.max_items, "of %d links as many are items as there may be", LINKS);
	ok(items->capped, "... which is told");
	ok(vtm_tags_of(items) & VTM_TAG_BIT(VTM_TAG_BYPASSED), "... by VT_Bypassed as well");
	headers = vtm_report_headers(items);
	is_int(headers->len, VTM_REPORT_HEADERS_MAX, "... and reported are the worst");
	g_ptr_array_free(headers, TRUE);
	vtm_items_free(items);
	s.max_items = LINKS;
	items = items_of(m, &s);
	is_int(items->list->len, LINKS, "with room for all, all are items");
	ok(!items->capped, "... and nothing is cut");
	vtm_items_free(items);
	g_string_free(m, TRUE);
}

static const struct kind kinds[] = {
	{ "base64", 1024 * 1024, base64, NULL, NULL },
	{ "base64 in pieces", 25000, NULL, "Content-Type: application/octet-stream; name=a.bin\r\n"
	  "Content-Transfer-Encoding: base64\r\n\r\n",
	  "QUFBQQ==\r\n" },
	{ "quoted-printable", 10000, NULL, "Content-Type: text/plain; charset=utf-8\r\n"
	  "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
	  "caf=C3=A9 at http://a.example.com/=\r\nb?c=3Dd and more=20\r\n" },
	{ "HTML", 5000, NULL, "Content-Type: text/html\r\n\r\n",
	  "<p style=\"a:b\">Some <b>words</b> &amp; <a href=\"http://a.example.com/?a=1&amp;b=2\">a link</a><br>\r\n" },
	{ "open elements", 10000, NULL, "Content-Type: text/html\r\n\r\n",
	  "<div><b><table><td>x" },
	{ "broken HTML", 10000, NULL, "Content-Type: text/html\r\n\r\n",
	  "<a href=\"<!-- <![if <style><scr&#x" },
	{ "UTF-16", 10000, utf16, NULL, NULL },
	{ "plain text", 10000, NULL, "\r\n",
	  "Words, (words) and a URL: <http://a.example.com/b(c)d>, www.example.com; f.py a@b.example\r\n" },
	{ "one line of text", 10000, NULL, "\r\n",
	  "www.a.b(http://a.example.com/http://www.c@d.e/.." },
	{ "quoted text", 10000, NULL, "Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n",
	  ">> > http://a.example.com/b \r\n" },
	{ "parts", 1000, parts, NULL, NULL },
	{ "pages that may declare a charset", 50, pages, NULL, NULL },
	{ "boundaries of several readings", 4000, boundaries, NULL, NULL },
	{ "dashes", 100000, dashes, NULL, NULL },
	{ "fields of parts", 50, fields_of_parts, NULL, NULL },
	{ "yEnc files", 2500, NULL, "\r\n",
	  "=ybegin line=128 size=2 name=a\r\nkl\r\n=yend size=2\r\n=ybegin line=1 size=9 name=b\r\n" },
	{ "links in HTML", 1500, links, NULL, NULL },
	{ "links in text", 2500, text_links, NULL, NULL },
	{ "wrapped links", 1000, wrapped_links, NULL, NULL },
	{ "short links below a long base", 100, based_links, NULL, NULL },
	{ "CDATA in SVG", 5000, NULL, "Content-Type: text/html\r\n\r\n", "<svg><![CDATA[ > <a href=x> ]]></svg><title>" },
	{ "carets and quotes in text", 5000, NULL, "\r\n", "http://a.example^b\"c@d.example \"http://e.example f\" " },
	{ "multiparts in multiparts", 1000, nested_multiparts, NULL, NULL },
	{ "messages in messages", 1000, nested_messages, NULL, NULL },
	{ "a long field of the header", 5000, long_field, NULL, NULL },
	{ "fields of the header", 1500, many_fields, NULL, NULL },
	{ "parameters", 150, parameters, NULL, NULL },
	{ "uuencoded files", 2500, NULL, "\r\n",
	  "begin 644 a.bin\r\n#0V%T\r\n`\r\nend\r\nbegin 644 b\r\n" },
	{ "TNEF", 2000, tnef, NULL, NULL },
	{ "members of an archive", 500, archive_members, NULL, NULL },
};

int main(void)
{
	control();
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		message(&kinds[i]);
	newsletter_cost();
	newsletter_capped();
	return done_testing();
}
