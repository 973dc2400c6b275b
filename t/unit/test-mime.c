/* SPDX-License-Identifier: BSD-2-Clause */
/* test-mime.c - the parts of messages: plain, nested, broken, and those that read in more than one way. */
#include "mail/mime.h"

#include <string.h>

#include "base/hash.h"
#include "tap.h"

static const struct vtm_mime_limits usual = { 32, 1000, 1 << 20 };

struct seen {
	GString *text;
	unsigned parts, wrong_hashes;
	bool refuse;
};

static const char *const kinds[] = {
	[VTM_PART_TEXT] = "text", [VTM_PART_HTML] = "html", [VTM_PART_ATTACHMENT] = "file", [VTM_PART_SIGNATURE] = "sig",
	[VTM_PART_ELSEWHERE] = "elsewhere",
};

/* One part a line: kind, depth, type, [name], group if any, content. */
static void each(const struct vtm_part *p, void *arg)
{
	struct seen *s = arg;
	uint8_t digest[32];
	char hex[65];

	s->parts++;
	g_string_append_printf(s->text, "%s %u %s", kinds[p->kind], p->depth, p->type);
	if (p->name)
		g_string_append_printf(s->text, " [%s]", p->name);
	if (p->group)
		g_string_append_printf(s->text, " #%u", p->group);
	if (p->content) {
		char *escaped = g_strndup(p->content, p->content_len);
		char *safe = g_strescape(escaped, NULL);

		if (p->content_len < 100)
			g_string_append_printf(s->text, " {%s}", safe);
		g_free(safe);
		g_free(escaped);
		vtm_sha256(p->content, p->content_len, digest);
		vtm_hex(digest, hex);
		if (p->kind == VTM_PART_TEXT || p->kind == VTM_PART_HTML)
			s->wrong_hashes += *p->sha256 != '\0';
		else
			s->wrong_hashes += p->size == (int64_t)p->content_len && strcmp(hex, p->sha256);
	}
	g_string_append(s->text, "\n");
	if (!p->via || g_strv_length((char **)(uintptr_t)p->via) != p->depth)
		g_string_append(s->text, "(via and depth differ)\n");
}

static bool wants(const struct vtm_part *p, const char *head, size_t len, void *arg)
{
	struct seen *s = arg;

	(void)p;
	(void)head;
	return len > 0 && !s->refuse;
}

static char *parts_of(const char *mail, gssize len, const struct vtm_mime_limits *limits, struct vtm_mime_summary *summary)
{
	struct seen s = { .text = g_string_new(NULL) };
	const struct vtm_mime_reader reader = { .each = each, .wants = wants, .arg = &s };
	size_t n = len < 0 ? strlen(mail) : (size_t)len;
	char *exact = g_memdup2(mail, n);	/* a read past the end shows */

	vtm_mime_walk_bytes(exact, n, limits, &reader, summary);
	g_free(exact);
	if (s.wrong_hashes)
		g_string_append(s.text, "(wrong hash)\n");
	return g_string_free(s.text, FALSE);
}

#define TOP "From: a@example.com\r\nMIME-Version: 1.0\r\n"
#define MIXED TOP "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define FILE_B64 "--b\r\nContent-Type: application/x-test; name=f\r\nContent-Transfer-Encoding: base64\r\n\r\n"

#define ARMOR "-----BEGIN PGP SIGNATURE-----\r\nVersion: x\r\n\r\n" \
	"iQAzBAABCAAdFiEEAAAAAAAAAAAAAAAAAAAAAAAAAAAFAmAAAAAACgkQAAAAAAAAAAAA\r\n=AAAA\r\n-----END PGP SIGNATURE-----\r\n"

static const struct {
	const char *what, *mail, *want;
	bool ambiguous, capped;
} cases[] = {
	{ "no MIME at all", "Subject: x\r\n\r\nhello\r\n", "text 0 text/plain {hello\\r\\n}\n", false, false },
	{ "no body", "Subject: x\r\n\r\n", "text 0 text/plain {}\n", false, false },
	{ "HTML", TOP "Content-Type: TEXT/HTML; charset=utf-8\r\n\r\n<p>", "html 0 text/html {<p>}\n", false, false },
	{ "HTML with a name is a file too", TOP "Content-Type: text/html; name=\"a.html\"\r\n\r\n<p>",
	  "file 0 text/html [a.html] {<p>}\n", false, false },
	{ "an attached text", TOP "Content-Disposition: attachment\r\n\r\nx", "file 0 text/plain {x}\n", false, false },
	{ "the line end before a delimiter belongs to it",
	  MIXED "--b\r\n\r\none\r\n\r\n--b\r\nContent-Type: a/b\r\n\r\n\r\n--b--\r\n",
	  "text 1 text/plain {one\\r\\n}\nfile 1 a/b {}\n", false, false },
	{ "a name in RFC 2231's form", TOP "Content-Disposition: attachment; filename*=utf-8''%C3%A4.txt\r\n\r\nx",
	  "file 0 text/plain [\xc3\xa4.txt] {x}\n", false, false },
	{ "base64", MIXED FILE_B64 "QUJD\r\n--b--\r\n", "file 1 application/x-test [f] {ABC}\n", false, false },
	{ "base64 without padding", MIXED FILE_B64 "QUI\r\n--b--\r\n", "file 1 application/x-test [f] {AB}\n", false, false },
	{ "base64 in chunks", MIXED FILE_B64 "QQ==\r\nQkM=\r\n--b--\r\n",
	  "file 1 application/x-test [f] #1 {ABC}\nfile 1 application/x-test [f] #1 {A}\nfile 1 application/x-test [f] #1 {A\\004$}\n",
	  false, false },
	{ "an encoding with blanks, comment, odd case",
	  TOP "Content-Type: a/b\r\nContent-Transfer-Encoding: (x)\r\n\tBase64 (y) \r\n\r\nQUJD",
	  "file 0 a/b #1 {ABC}\nfile 0 a/b #1 {QUJD}\n", false, false },
	{ "an unknown encoding", TOP "Content-Type: a/b\r\nContent-Transfer-Encoding: base65\r\n\r\nQUJD",
	  "file 0 a/b #1 {QUJD}\nfile 0 a/b #1 {ABC}\n",
	  false, false },
	{ "no encoding", TOP "Content-Type: a/b\r\n\r\nQUJD", "file 0 a/b {QUJD}\n", false, false },
	{ "two encodings", TOP "Content-Type: a/b\r\nContent-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD",
	  "file 0 a/b #1 {QUJD}\nfile 0 a/b #1 {ABC}\n", false, false },
	{ "the same encoding twice",
	  TOP "Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: BASE64\r\n\r\nQUJD",
	  "file 0 a/b {ABC}\n", false, false },
	{ "quoted-printable", TOP "Content-Type: a/b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
	  "a=3Db=3d=\r\nc= \t\r\nd=zz=\r\n", "file 0 a/b {a=b=cd=zz}\n", false, false },
	{ "uuencode", TOP "Content-Type: a/b\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\r\n#04)#\r\n`\r\nend\r\n",
	  "file 0 a/b #1 {ABC}\nfile 0 a/b #1 {begin 644 x\\r\\n#04)#\\r\\n`\\r\\nend\\r\\n}\n", false, false },
	{ "a message in a message", TOP "Content-Type: message/rfc822\r\n\r\nSubject: y\r\nContent-Type: text/html\r\n\r\n<b>",
	  "html 1 text/html {<b>}\n", false, false },
	{ "an encoded message in a message", TOP "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	  "Q29udGVudC1UeXBlOiB0ZXh0L2h0bWwKCjxiPg==\r\n", "html 1 text/html {<b>}\n", false, false },
	{ "an empty message in a message", MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\n--b--\r\n", "", false, false },
	{ "a digest", TOP "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: 1\r\n\r\nx\r\n--b--\r\n",
	  "text 2 text/plain {x}\n", false, false },
	{ "no line end behind the last delimiter", MIXED "--b\r\nContent-Type: a/b\r\n\r\none\r\n--b--",
	  "file 1 a/b {one}\n", false, false },
	{ "a part of a message", TOP "Content-Type: message/partial; id=1; number=1; total=2\r\n\r\nx",
	  "elsewhere 0 message/partial {x}\n", false, false },
	{ "a body elsewhere", TOP "Content-Type: message/external-body; access-type=URL; URL=\"http://x/\"\r\n\r\nContent-Type: a/b\r\n\r\n",
	  "elsewhere 0 message/external-body {Content-Type: a/b\\r\\n\\r\\n}\n", false, false },
	{ "a detached signature is no file", TOP "Content-Type: multipart/signed; boundary=_; protocol=\"application/pgp-signature\"\r\n\r\n"
	  "--_\r\n\r\nx\r\n--_\r\nContent-Type: application/pgp-signature; name=s.asc\r\n\r\n" ARMOR "\r\n--_--\r\n",
	  "text 1 text/plain {x}\nsig 1 application/pgp-signature [s.asc]\n", false, false },
	{ "a program that calls itself a signature is one", TOP "Content-Type: multipart/signed; boundary=_\r\n\r\n"
	  "--_\r\n\r\nx\r\n--_\r\nContent-Type: application/pgp-signature; name=s.exe\r\n\r\n" ARMOR "\r\n--_--\r\n",
	  "text 1 text/plain {x}\nfile 1 application/pgp-signature [s.exe]\n", false, false },
	{ "one name of two is enough for a program", TOP "Content-Type: multipart/signed; boundary=_\r\n\r\n"
	  "--_\r\n\r\nx\r\n--_\r\nContent-Type: application/pgp-signature; name=s.exe\r\n"
	  "Content-Disposition: attachment; filename=s.asc\r\n\r\n" ARMOR "\r\n--_--\r\n",
	  "text 1 text/plain {x}\nfile 1 application/pgp-signature [s.asc]\n", false, false },
	{ "a parameter behind one that cannot be read", TOP "Content-Type: text/plain\r\n"
	  "Content-Disposition: inline; x; filename=\"a.exe\"\r\n\r\nx", "file 0 text/plain [a.exe] {x}\n", false, false },
	{ "a disposition that nobody knows is an attachment", TOP "Content-Type: text/plain\r\nContent-Disposition: x\r\n\r\nx",
	  "file 0 text/plain {x}\n", false, false },
	{ "an empty type", TOP "Content-Type:\r\n\r\nx", "file 0 application/octet-stream #1 {x}\n"
	  "text 0 text/plain #1 {x}\nhtml 0 text/html #1 {x}\n", false, false },
	{ "a type without a slash", TOP "Content-Type: html\r\n\r\nx", "file 0 application/octet-stream #1 {x}\n"
	  "text 0 text/plain #1 {x}\nhtml 0 text/html #1 {x}\n", false, false },
	{ "what does not look like a signature is none", TOP "Content-Type: multipart/signed; boundary=b\r\n\r\n"
	  "--b\r\n\r\nx\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nMZ\r\n--b--\r\n",
	  "text 1 text/plain {x}\nfile 1 application/pgp-signature {MZ}\n", false, false },
	{ "a signature outside of multipart/signed is a file", MIXED "--b\r\nContent-Type: application/pgp-signature\r\n\r\n0\r\n--b--\r\n",
	  "file 1 application/pgp-signature {0}\n", false, false },
	{ "encrypted", TOP "Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\nContent-Type: application/pgp-encrypted\r\n\r\n"
	  "Version: 1\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\nx\r\n--b--\r\n",
	  "file 1 application/pgp-encrypted {Version: 1}\nfile 1 application/octet-stream {x}\n", false, false },
	{ "a bounce's status is text", TOP "Content-Type: message/delivery-status\r\n\r\nAction: failed\r\n",
	  "text 0 message/delivery-status {Action: failed\\r\\n}\n", false, false },

	/* more than one reading */
	{ "two boundaries", TOP "Content-Type: multipart/mixed; boundary=b; boundary=c\r\n\r\n"
	  "--b\r\nContent-Type: a/b\r\n\r\none\r\n--b--\r\n--c\r\nContent-Type: a/c\r\n\r\ntwo\r\n--c--\r\n",
	  "file 1 a/b #1 {one}\nfile 1 a/c #1 {two}\n", true, false },
	{ "two Content-Type fields", TOP "Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
	  "--b\r\nContent-Type: a/b\r\n\r\none\r\n--b--\r\n",
	  NULL, true, false },
	{ "a boundary that never occurs", TOP "Content-Type: multipart/mixed; boundary=b\r\n\r\nhello\r\n",
	  "text 1 text/plain #1 {hello\\r\\n}\nfile 1 text/plain #1 {hello\\r\\n}\n", false, false },
	{ "another boundary than declared", TOP "Content-Type: multipart/mixed; boundary=b\r\n\r\n--x\r\nContent-Type: a/b\r\n\r\none\r\n--x--\r\n",
	  NULL, false, false },
	{ "no boundary parameter", TOP "Content-Type: multipart/mixed\r\n\r\n--x\r\nContent-Type: a/b\r\n\r\none\r\n--x--\r\n",
	  NULL, false, false },
	{ "an empty multipart", TOP "Content-Type: multipart/mixed; boundary=b\r\n\r\n\r\n", "", false, false },
	{ "parts behind the end", MIXED "--b\r\n\r\none\r\n--b--\r\n--b\r\nContent-Type: a/b\r\n\r\ntwo\r\n--b--\r\n",
	  "text 1 text/plain #1 {one}\nfile 1 a/b #1 {two}\n", true, false },
	{ "an encoded multipart", TOP "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	  "LS1iDQpDb250ZW50LVR5cGU6IGEvYg0KDQp4DQotLWItLQ0K\r\n", NULL, false, false },
	{ "an inner multipart ends with the outer one", MIXED "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\nhi\r\n--b\r\n"
	  "Content-Type: a/b\r\n\r\nx\r\n--b--\r\n",
	  "text 2 text/plain #1 {hi}\nfile 2 text/plain #1 {hi}\nfile 1 a/b {x}\n", false, false },

	/* readings that are not given: told */
	{ "a line that is no field", TOP "hello\r\nContent-Type: a/b\r\n\r\nx", "file 0 a/b {x}\n", true, false },
	{ "two dispositions", TOP "Content-Disposition: inline\r\nContent-Disposition: attachment\r\n\r\nx", NULL, true, false },
	{ "two charsets", TOP "Content-Type: text/plain; charset=utf-7; charset=utf-8\r\n\r\nx", NULL, true, false },
	{ "two Subjects are no matter", "Subject: a\r\nSubject: b\r\n\r\nx", "text 0 text/plain {x}\n", false, false },

	/* broken */
	{ "no header at all", "hello\r\n", "text 0 text/plain {hello\\r\\n}\n", true, false },
	{ "nothing", "", "", false, false },
	{ "a cut multipart", MIXED FILE_B64 "QUJDR", "file 1 application/x-test [f] {ABC}\n", false, false },
};

/* For those whose order is not the point: each of these lines is there. */
static const struct {
	const char *what;
	const char *lines[4];
} sets[] = {
	{ "two Content-Type fields", { "file 1 a/b #1 {one}\n", "text 0 text/plain #1 {--b" } },
	{ "another boundary than declared", { "file 1 a/b #1 {one}\n", "text 1 text/plain #1 {--x" } },
	{ "no boundary parameter", { "file 1 a/b #1 {one}\n", "text 1 text/plain #1 {--x" } },
	{ "an encoded multipart", { "file 1 a/b #1 {x}\n", "text 1 text/plain #1 {LS1i" } },
};

static void check_set(const char *what, const char *got)
{
	for (size_t i = 0; i < G_N_ELEMENTS(sets); i++)
		for (size_t k = 0; !strcmp(sets[i].what, what) && k < 4 && sets[i].lines[k]; k++)
			if (!ok(strstr(got, sets[i].lines[k]) != NULL, "%s: reading %zu", what, k + 1))
				diag("%s", got);
}

static void all_cases(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct vtm_mime_summary s;
		char *got = parts_of(cases[i].mail, -1, &usual, &s);

		if (cases[i].want)
			is_str(got, cases[i].want, "%s", cases[i].what);
		else
			check_set(cases[i].what, got);
		ok(s.ambiguous == cases[i].ambiguous, "%s: %sambiguous", cases[i].what, cases[i].ambiguous ? "" : "not ");
		ok(s.capped == cases[i].capped, "%s: nothing is cut", cases[i].what);
		vtm_mime_summary_clear(&s);
		g_free(got);
	}
}

/* Every message cut at every byte, and with every byte changed: nothing is read that is not there. */
static void torn(void)
{
	unsigned parts = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		size_t len = strlen(cases[i].mail);
		char *copy = g_strdup(cases[i].mail);

		for (size_t at = 0; at < len; at++) {
			struct vtm_mime_summary s;
			char *got = parts_of(cases[i].mail, (gssize)at, &usual, &s);

			vtm_mime_summary_clear(&s);
			g_free(got);
			copy[at] = at % 3 ? '\0' : '\n';
			got = parts_of(copy, (gssize)len, &usual, &s);
			copy[at] = cases[i].mail[at];
			parts += s.parts;
			vtm_mime_summary_clear(&s);
			g_free(got);
		}
		g_free(copy);
	}
	ok(parts > 1000, "%u parts in torn messages", parts);
}

static void header(void)
{
	static const struct {
		const char *what, *from, *want;
	} froms[] = {
		{ "an address", "From: A <a@Example.COM>\r\n", "example.com" },
		{ "an umlaut", "From: a@b\xc3\xbc" "cher.example\r\n", "xn--bcher-kva.example" },
		{ "two of one domain", "From: a@x.org, b@x.org\r\n", "x.org" },
		{ "two domains", "From: a@x.org, b@y.org\r\n", NULL },
		{ "two fields", "From: a@x.org\r\nFrom: a@x.org\r\n", NULL },
		{ "a group", "From: g: a@x.org;\r\n", NULL },
		{ "none", "To: a@x.org\r\n", NULL },
		{ "rubbish", "From: @@@\r\n", NULL },
	};
	struct vtm_mime_summary s;
	char *got;

	for (size_t i = 0; i < G_N_ELEMENTS(froms); i++) {
		char *mail = g_strconcat(froms[i].from, "\r\nx", NULL);

		got = parts_of(mail, -1, &usual, &s);
		is_str(s.from_domain, froms[i].want, "From with %s", froms[i].what);
		vtm_mime_summary_clear(&s);
		g_free(got);
		g_free(mail);
	}
	got = parts_of("Authentication-Results: a;\r\n\tdmarc=pass\r\nMessage-ID: <1@x>\r\nAuthentication-Results: b\r\n"
		       "List-Unsubscribe: <mailto:x@y>, <https://y/u?1>,\r\n\t<http://z/>\r\n\r\nx", -1, &usual, &s);
	is_str(s.message_id, "<1@x>", "the Message-ID");
	is_int(s.auth_results->len, 2, "both Authentication-Results");
	is_str(s.auth_results->pdata[0], "a;\tdmarc=pass", "the first one first, unfolded");
	is_int(s.list_unsubscribe->len, 2, "the web addresses of List-Unsubscribe");
	is_str(s.list_unsubscribe->pdata[1], "http://z/", "the second of them");
	vtm_mime_summary_clear(&s);
	g_free(got);
}

/* <n> levels of multipart around one text. */
static char *nested(unsigned n)
{
	GString *mail = g_string_new("From: a@b.c\r\n");

	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(mail, "Content-Type: multipart/mixed; boundary=b%u\r\n\r\n--b%u\r\n", i, i);
	g_string_append(mail, "\r\nx\r\n");
	for (unsigned i = n; i > 0; i--)
		g_string_append_printf(mail, "--b%u--\r\n", i - 1);
	return g_string_free(mail, FALSE);
}

static char *many(unsigned n)
{
	GString *mail = g_string_new(MIXED);

	for (unsigned i = 0; i < n; i++)
		g_string_append(mail, "--b\r\n\r\nx\r\n");
	g_string_append(mail, "--b--\r\n");
	return g_string_free(mail, FALSE);
}

static void one_bound(char *mail, unsigned parts, bool capped, const char *what)
{
	struct vtm_mime_summary s;
	char *got = parts_of(mail, -1, &usual, &s);

	is_int(s.parts, parts, "%s: parts", what);
	ok(s.capped == capped, "%s: %s", what, capped ? "cut" : "whole");
	vtm_mime_summary_clear(&s);
	g_free(got);
	g_free(mail);
}

static void bounds(void)
{
	struct vtm_mime_limits small = usual;
	struct vtm_mime_summary s;
	GString *work = g_string_new(NULL);
	char *got;

	one_bound(nested(32), 1, false, "32 levels");
	one_bound(nested(33), 0, true, "33 levels");
	one_bound(nested(5000), 0, true, "5,000 levels");
	one_bound(many(1000), 1000, false, "1,000 parts");
	one_bound(many(1001), 1000, true, "1,001 parts");

	small.max_part_bytes = 3;
	got = parts_of(TOP "\r\nabc", -1, &small, &s);
	is_str(got, "text 0 text/plain {abc}\n", "a body as long as what is kept");
	ok(!s.capped, "and that is all of it");
	vtm_mime_summary_clear(&s);
	g_free(got);
	got = parts_of(TOP "\r\nabcd", -1, &small, &s);
	is_str(got, "text 0 text/plain {abc}\n", "a longer body is cut");
	ok(s.capped, "and that is told");
	vtm_mime_summary_clear(&s);
	g_free(got);
	got = parts_of(TOP "Content-Type: a/b\r\n\r\nabcd", -1, &small, &s);
	is_str(got, "file 0 a/b\n", "a longer file is hashed only");
	vtm_mime_summary_clear(&s);
	g_free(got);

	/* what GMime would need minutes for */
	for (unsigned i = 0; i < 1000; i++)
		g_string_append_printf(work, "Content-Type: multipart/mixed; boundary=b%u\r\n\r\n--b%u\r\n", i, i);
	g_string_append(work, "\r\n");
	for (unsigned i = 0; i < 500000; i++)
		g_string_append(work, "--\n");
	one_bound(g_string_free(work, FALSE), 1, true, "half a million dashes in 1,000 levels");
}

static GString *repeat(const char *before, const char *what, unsigned n, const char *behind)
{
	GString *text = g_string_new(before);

	for (unsigned i = 0; i < n; i++)
		g_string_append(text, what);
	g_string_append(text, behind);
	return text;
}

/* What GMime would overflow its stack with, or need the square of its length for (mime-guard.h). */
static void guarded(void)
{
	static const char name[] = "Content-Disposition: attachment; filename=x";
	struct vtm_mime_summary s;
	GString *mail;
	char *got;

	mail = repeat("From: ", "a:", 500000, "b@example.com\r\n\r\nx");
	got = parts_of(mail->str, (gssize)mail->len, &usual, &s);
	ok(!s.from_domain && s.parts == 1, "half a million groups in From");
	vtm_mime_summary_clear(&s);
	g_free(got);
	g_string_free(mail, TRUE);

	/* 64 parameters are read, of which the name is the first */
	mail = repeat(name, "; a=b", 63, "\r\nContent-Type: a/b\r\n\r\nx");
	got = parts_of(mail->str, (gssize)mail->len, &usual, &s);
	is_str(got, "file 0 a/b [x] {x}\n", "64 parameters");
	vtm_mime_summary_clear(&s);
	g_free(got);
	g_string_free(mail, TRUE);
	mail = repeat("Content-Type: a/b", "; a=b", 64, "; name=x\r\n\r\nx");
	got = parts_of(mail->str, (gssize)mail->len, &usual, &s);
	is_str(got, "file 0 a/b [x] {x}\n", "a name after 64 parameters, which GMime does not see");
	vtm_mime_summary_clear(&s);
	g_free(got);
	g_string_free(mail, TRUE);
	mail = repeat("X: y\r\nContent-Type  : a/b", ";\r\n a", 200000, "\r\n\r\nbody; of: the -- message");
	got = parts_of(mail->str, (gssize)mail->len, &usual, &s);
	is_str(got, "file 0 a/b {body; of: the -- message}\n", "200,000 parameters, and the body is as it was");
	vtm_mime_summary_clear(&s);
	g_free(got);
	g_string_free(mail, TRUE);

	mail = repeat("", "X: y\r\n", 30000, "\r\nx");
	got = parts_of(mail->str, (gssize)mail->len, &usual, &s);
	ok(s.capped, "30,000 fields are cut");
	vtm_mime_summary_clear(&s);
	g_free(got);
	g_string_free(mail, TRUE);

	mail = repeat(MIXED, "--b\r\n\r\n", 20001, "");
	got = parts_of(mail->str, (gssize)mail->len, &usual, &s);
	ok(s.capped && s.unparsable, "20,001 delimiters are not parsed");
	vtm_mime_summary_clear(&s);
	g_free(got);
	g_string_free(mail, TRUE);
	mail = repeat(MIXED "--b\r\n\r\n", "-- a comment\n", 50000, "\r\n--b--\r\n");
	got = parts_of(mail->str, (gssize)mail->len, &usual, &s);
	ok(!s.capped && s.parts == 1, "50,000 comments are no delimiters");
	vtm_mime_summary_clear(&s);
	g_free(got);
	g_string_free(mail, TRUE);
	mail = repeat(TOP "Content-Type: multipart/mixed; boundary*=''b\r\n\r\n", "--b\r\n\r\n", 20001, "");
	got = parts_of(mail->str, (gssize)mail->len, &usual, &s);
	ok(s.capped && s.unparsable, "nor are they where the boundary is written in another way");
	vtm_mime_summary_clear(&s);
	g_free(got);
	g_string_free(mail, TRUE);
}

/* Readings of readings of readings stay bounded. */
static void explosion(void)
{
	GString *mail = g_string_new("From: a@b.c\r\n");
	struct vtm_mime_summary s;
	char *got;

	for (unsigned i = 0; i < 30; i++)
		g_string_append_printf(mail, "Content-Type: multipart/mixed; boundary=b%u; boundary=c%u; boundary=d%u\r\n\r\n"
				       "--b%u\r\n--c%u\r\n--d%u\r\n", i, i, i, i, i, i);
	g_string_append(mail, "\r\nx\r\n");
	got = parts_of(mail->str, -1, &usual, &s);
	ok(s.parts <= 1000 && s.groups > 0 && s.capped, "30 levels with 3 boundaries each: %u parts, %u groups", s.parts, s.groups);
	vtm_mime_summary_clear(&s);
	g_free(got);
	g_string_free(mail, TRUE);
}

/* What may be left out of a header changes nothing. */
static void skipped(void)
{
	static const char *const may[] = { "DKIM-Signature", "h=to:\n\tcontent-type:from",
		"Received", "from a\n\tby b", "subject", "caf\xc3\xa9", "X-Mailer_2", "", "To", "a@b.c" };
	static const char *const may_not[] = {
		"Content-Type", "text/html", "content-x", "1", "FROM", "a@b.c", "Message-Id", "<a@b>", "MIME-Version", "1.0",
		"Authentication-Results", "b", "List-Unsubscribe", "<http://a.b/>", "Sub ject", "x", "", "x", "Subject ", "x",
		"Subj\xc3\xa9", "x", "Subject", "a\rContent-Type: text/html", "Subject", "a\nContent-Type: text/html",
		"Subject", "a\n \n b", "Subject", "a\n ", "Subject", "a\n", "Subject", "a\x01",
		"Subject", "a\n Content-Type: text/html", "X-A", "\n\tcontent-transfer-encoding : base64"
	};
	struct vtm_mime_summary s;
	char *all, *some;

	for (size_t i = 0; i < G_N_ELEMENTS(may); i += 2)
		ok(vtm_mime_may_skip(may[i], may[i + 1]), "%s: needs not be read", may[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(may_not); i += 2)
		ok(!vtm_mime_may_skip(may_not[i], may_not[i + 1]), "%s: (%zu) has to be read", may_not[i], i / 2);
	all = parts_of("From: a@b.c\r\nReceived: from a\r\n\tby b\r\nSubject: caf\xc3\xa9\r\nTo: x@y.z, (\r\n"
		       "Content-Type: text/html\r\nX-Mailer_2: \r\n\r\n<p>x", -1, &usual, &s);
	ok(!s.ambiguous && !s.unparsable && !g_strcmp0(s.from_domain, "b.c"), "a header with all of them ...");
	vtm_mime_summary_clear(&s);
	some = parts_of("From: a@b.c\r\nContent-Type: text/html\r\n\r\n<p>x", -1, &usual, &s);
	ok(!s.ambiguous && !s.unparsable && !g_strcmp0(s.from_domain, "b.c"), "... and one without ...");
	is_str(some, all, "... say the same");
	vtm_mime_summary_clear(&s);
	g_free(all);
	g_free(some);
}

static void spooled(void)
{
	struct vtm_spool *spool = vtm_spool_new(g_get_tmp_dir(), 0);
	struct seen seen = { .text = g_string_new(NULL) };
	const struct vtm_mime_reader reader = { .each = each, .wants = wants, .arg = &seen };
	struct vtm_mime_summary s;
	char line[78];
	int rc;

	memset(line, 'A', 76);
	memcpy(line + 76, "\r\n", 2);
	vtm_spool_add(spool, MIXED FILE_B64, strlen(MIXED FILE_B64), NULL);
	for (unsigned i = 0; i < 30000; i++)
		vtm_spool_add(spool, line, 78, NULL);
	vtm_spool_add(spool, "--b--\r\n", 7, NULL);
	rc = vtm_mime_walk(spool, &usual, &reader, &s, NULL);
	is_int(rc, 0, "a message in a file is read");
	is_str(seen.text->str, "file 1 application/x-test [f]\n", "its part is there");
	is_int(s.parts, 1, "once");
	g_string_free(seen.text, TRUE);
	vtm_mime_summary_clear(&s);
	vtm_spool_free(spool);

	spool = vtm_spool_new("/nonexistent", 3);
	vtm_spool_add(spool, "abcd", 4, NULL);
	is_int(vtm_mime_walk(spool, &usual, &reader, &s, NULL), -1, "a broken spool is an error");
	vtm_mime_summary_clear(&s);
	vtm_spool_free(spool);
}

int main(void)
{
	all_cases();
	header();
	bounds();
	guarded();
	explosion();
	skipped();
	spooled();
	torn();
	return done_testing();
}
