/* SPDX-License-Identifier: BSD-2-Clause */
/* test-mime-params.c - header fields and parameters in every reading; detached signatures. */
#include "mail/mime-params.h"

#include <string.h>

#include "mail/mime-header.h"
#include "mail/signature.h"
#include "tap.h"

static char *joined(GPtrArray *list)
{
	char *text;

	g_ptr_array_add(list, NULL);
	text = g_strjoinv("|", (char **)list->pdata);
	g_ptr_array_free(list, TRUE);
	return text;
}

static void params(void)
{
	static const struct { const char *what, *value, *want; } cases[] = {
		{ "none", "a/b", "" },
		{ "one", "a/b; name=x.exe", "x.exe" },
		{ "quoted", "a/b; name=\"x y.exe\"", "x y.exe" },
		{ "after one without a value", "attachment; x; name=x.exe", "x.exe" },
		{ "after an equals sign alone", "attachment; =; name=x.exe", "x.exe" },
		{ "after two semicolons", "attachment;; name=x.exe", "x.exe" },
		{ "without a semicolon", "attachment name=x.exe", "x.exe" },
		{ "after a comment", "attachment (c)name=x.exe", "x.exe" },
		{ "after a comma", "attachment,name=x.exe", "x.exe" },
		{ "twice", "a/b; name=a.txt; name=b.exe", "a.txt|b.exe" },
		{ "twice the same", "a/b; name=a; name=a", "a" },
		{ "blanks around the sign", "a/b; name = x.exe", "x.exe" },
		{ "in another case", "a/b; NAME=x.exe", "x.exe" },
		{ "the end of another name", "a/b; filename=x.exe", "" },
		{ "inside of quotes", "a/b; x=\"; name=x.exe\"", "" },
		{ "a quote without end", "a/b; x=\"; name=x.exe", "x.exe" },
		{ "a value without end", "a/b; name=\"x.exe", "x.exe" },
		{ "quoted pairs", "a/b; name=\"a\\\"b\"", "a\"b" },
		{ "blanks, not quoted", "a/b; name=x y.exe; z=1", "x|x y.exe" },
		{ "a blank and a parameter without a semicolon", "a/b; name=x z=1", "x" },
		{ "a comma", "a/b; name=a,b", "a|a,b" },
		{ "RFC 2231", "a/b; name*=utf-8''x%20y.exe", "x y.exe" },
		{ "RFC 2231, no charset", "a/b; name*=x%2eexe", "x.exe" },
		{ "RFC 2231 in pieces", "a/b; name*0=x; name*1=.exe", "x.exe" },
		{ "RFC 2231 in pieces, the other way round", "a/b; name*1=.exe; name*0=x", "x.exe|.exex" },
		{ "RFC 2231 in encoded pieces", "a/b; name*0*=utf-8''x%2e; name*1=exe", "x.exe" },
		{ "RFC 2231 after one that cannot be read", "a/b; x; name*0*=utf-8''x%2e; name*1*=exe", "x.exe" },
		{ "RFC 2231 and the other form", "a/b; name=a.txt; name*=utf-8''b.exe", "a.txt|b.exe" },
		{ "a percent sign that escapes nothing", "a/b; name*=utf-8''x%zz", "x%zz" },
		{ "empty", "a/b; name=\"\"; name=", "" },
	};
	GString *many = g_string_new("a/b");
	char *got;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		got = joined(vtm_header_params(cases[i].value, "name", 4));
		is_str(got, cases[i].want, "parameter, %s", cases[i].what);
		g_free(got);
	}
	for (unsigned i = 0; i < 1000; i++)
		g_string_append_printf(many, "; name*%u=x", i);
	got = joined(vtm_header_params(many->str, "name", 4));
	is_int(strlen(got), 64, "of a thousand pieces 64 are joined");
	g_free(got);
	g_string_free(many, TRUE);
}

static void fields(void)
{
	static const struct { const char *what, *header, *want; bool more; } cases[] = {
		{ "none", "A: b\r\n\r\n", "", false },
		{ "one", "A: b\r\nX: 1\r\n", "1", false },
		{ "the last, without a line end", "A: b\nX:1", "1", false },
		{ "folded", "X: 1\r\n 2\r\n\t3\r\nA: b\r\n", "1 2\t3", false },
		{ "a blank before the colon", "X \t: 1\r\n", "1", false },
		{ "in another case", "x: 1\r\n", "1", false },
		{ "inside of another", "A: b\r\n X: 1\r\n", "", false },
		{ "twice", "X: a\r\nX: b\r\nX: A\r\n", "a|b", false },
		{ "more than there is room for", "X: a\r\nX: b\r\nX: c\r\n", "a|b", true },
		{ "empty", "X:\r\nA: b\r\n", "", false },
		{ "a longer name", "Xy: 1\r\n", "", false },
	};
	GString *large = g_string_new("X: ");
	bool more = false;
	char *got;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		more = false;
		got = joined(vtm_header_fields(cases[i].header, strlen(cases[i].header), "X", 2, &more));
		is_str(got, cases[i].want, "field, %s", cases[i].what);
		ok(more == cases[i].more, "field, %s: whether there are more", cases[i].what);
		g_free(got);
	}
	for (unsigned i = 0; i < VTM_HEADER_MAX; i++)
		g_string_append_c(large, 'x');
	more = false;
	g_free(joined(vtm_header_fields(large->str, large->len, "X", 2, &more)));
	ok(more, "a field that is not read to its end is more");
	g_string_free(large, TRUE);
}

static void whole_headers(void)
{
	static const char header[] =
		"Content-Type: text/html; x; charset=\"koi8-r\"; format=flowed; url=\"http://a.example/ b\"\r\n"
		"Content-Disposition: inline; filename=a\r\nContent-Name: b\r\nX-Sun-Data-Name: \"c\"\r\n"
		"X-Mozilla-External-Attachment-URL: http://e.example/\r\nX-Mozilla-Cloud-Part: cloudFile; url=http://c.example/\r\n"
		"Content-Base: \"http://base.example/\"\r\nContent-Location: <http://loc.example/>\r\n\r\n";
	static const struct { const char *value; bool attachment; } dispositions[] = {
		{ "inline", false }, { "INLINE; x", false }, { "\"inline\"", false }, { "", false }, { "; filename=a", false },
		{ "attachment", true }, { "\"attachment\"", true }, { "form-data", true }, { "inlined", true }, { "(x) inline", false },
	};
	struct vtm_fields f;
	char *got;

	vtm_fields_read(&f, header, sizeof(header) - 1);
	got = joined(g_steal_pointer(&f.names));
	is_str(got, "a|b|c", "all names");
	g_free(got);
	got = joined(g_steal_pointer(&f.charsets));
	is_str(got, "koi8-r", "the charset");
	g_free(got);
	got = joined(g_steal_pointer(&f.links));
	is_str(got, "http://e.example/|http://c.example/|http://a.example/b", "links in the header");
	g_free(got);
	got = joined(g_steal_pointer(&f.bases));
	is_str(got, "http://base.example/|http://loc.example/", "bases");
	g_free(got);
	ok(f.flowed && !f.delsp && !f.attachment && !f.more, "flowed, inline, not more");
	vtm_fields_clear(&f);
	for (size_t i = 0; i < G_N_ELEMENTS(dispositions); i++) {
		char *text = g_strdup_printf("Content-Disposition: %s\r\n", dispositions[i].value);

		vtm_fields_read(&f, text, strlen(text));
		ok(f.attachment == dispositions[i].attachment, "disposition '%s': %s", dispositions[i].value,
		   f.attachment ? "an attachment" : "inline");
		vtm_fields_clear(&f);
		g_free(text);
	}
}

static void types(void)
{
	static const char *const plain[] = { "text/plain", "a/b;", "a/b ; c=d", "application/x-y+z.1" };
	static const char *const others[] = { "", "text", "html", "/", "text/", "/html", "a/b/c", "a/b c", "\"a/b\"", "a b/c", ";a/b", "a/b (c)" };

	for (size_t i = 0; i < G_N_ELEMENTS(plain); i++)
		ok(vtm_type_is_plain(plain[i]), "a type: '%s'", plain[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		ok(!vtm_type_is_plain(others[i]), "not a plain type: '%s'", others[i]);
}

#define PGP "application/pgp-signature"
#define CMS "application/pkcs7-signature"
#define BEGIN "-----BEGIN PGP SIGNATURE-----\r\n"
#define END "\r\nAAAA+/==\r\n=abcd\r\n-----END PGP SIGNATURE-----\r\n"
#define OID "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
#define T(text) text, sizeof(text) - 1

static void signatures(void)
{
	static const struct {
		const char *what, *type, *content;
		size_t len;
		bool is;
	} cases[] = {
		{ "an armor", PGP, T(BEGIN "Version: GnuPG v2\r\n" END), true },
		{ "an armor without fields", PGP, T("\r\n" BEGIN END "\r\n"), true },
		{ "a comment", PGP, T(BEGIN "Comment: see https://a.example/ (b)\r\n" END), true },
		{ "markup in a comment", PGP, T(BEGIN "Comment: <script>\r\n" END), false },
		{ "markup before it", PGP, T("<!-- " BEGIN END), false },
		{ "markup after it", PGP, T(BEGIN END "<script>"), false },
		{ "its first line inside of another", PGP, T("<!-- -----BEGIN PGP SIGNATURE----- --><script>x</script>"), false },
		{ "no end", PGP, T(BEGIN "\r\nAAAA\r\n"), false },
		{ "a line that is not base64", PGP, T(BEGIN "\r\nstart calc\r\n-----END PGP SIGNATURE-----\r\n"), false },
		{ "a message", PGP, T("-----BEGIN PGP MESSAGE-----" END), false },
		{ "nothing", PGP, T(""), false },
		{ "CMS", CMS, T("\x30\x0d" OID "\xa0\x00"), true },
		{ "CMS, long form", CMS, T("\x30\x81\x0d" OID "\xa0\x00"), true },
		{ "CMS, indefinite length", CMS, T("\x30\x80" OID "\xa0\x00\x00\x00"), true },
		{ "CMS with more behind", CMS, T("\x30\x0d" OID "\xa0\x00" "MZ"), false },
		{ "CMS that is cut", CMS, T("\x30\x0e" OID "\xa0\x00"), false },
		{ "another CMS", CMS, T("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x00"), false },
		{ "a zero", CMS, T("0"), false },
		{ "CMS that calls itself PGP", PGP, T("\x30\x0d" OID "\xa0\x00"), false },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *exact = g_memdup2(cases[i].content, cases[i].len);

		ok(vtm_signature_is(cases[i].type, exact, cases[i].len) == cases[i].is, "%s: %s", cases[i].what,
		   cases[i].is ? "a signature" : "not a signature");
		g_free(exact);
	}
	ok(vtm_signature_name(NULL) && vtm_signature_name("a.P7S") && !vtm_signature_name("a.asc.exe") && !vtm_signature_name("asc"),
	   "names that signatures have");
}

int main(void)
{
	params();
	fields();
	whole_headers();
	types();
	signatures();
	return done_testing();
}
