/* SPDX-License-Identifier: BSD-2-Clause */
/* test-ignore.c - the administrator's lists. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "scan/ignore.h"
#include "tap.h"
#include "url/url.h"

static char *write_file(const char *text, size_t len)
{
	char *path = NULL;
	int fd = g_file_open_tmp("vtmilter-test-XXXXXX", &path, NULL);

	if (fd < 0 || !g_file_set_contents(path, text, (gssize)len, NULL))
		g_error("no temporary file");
	close(fd);
	return path;
}

static bool has(const struct vtm_ignore *i, const char *host)
{
	char *normal = vtm_host_normal(host, -1);
	bool found = normal && vtm_ignore_host(i, normal);

	g_free(normal);
	return found;
}

static void entries(void)
{
	static const struct {
		const char *line, *want, *error;
	} cases[] = {
		{ "example.com", "example.com", NULL },
		{ "  Example.COM.\t", "example.com", NULL },
		{ "2O2.lOl", "2o2.lol", NULL },
		{ "a\xc3\xb8l.com", "xn--al-lka.com", NULL },
		{ "A\xc3\x98L.com", "xn--al-lka.com", NULL },
		{ "XN--AL-LKA.com", "xn--al-lka.com", NULL },
		{ "intranet", "intranet", NULL },
		{ "192.0.2.1", "192.0.2.1", NULL },
		{ "2001:DB8::1", "2001:db8::1", NULL },
		{ "*.example.com", NULL,
		  "'*.example.com': wildcards are not supported; write example.com, its subdomains are included" },
		{ "*", NULL, "'*': wildcards are not supported" },
		{ "*.com", NULL, "'*.com': wildcards are not supported" },
		{ "https://www.example.com/x", NULL,
		  "'https://www.example.com/x': URIs are not supported; write www.example.com, its "
		  "subdomains are included" },
		{ "example.com/x", NULL,
		  "'example.com/x': URIs are not supported; write example.com, its subdomains are included" },
		{ "user@example.com", NULL,
		  "'user@example.com': mail addresses are not supported; write example.com, its subdomains are "
		  "included" },
		{ "example.com:8080", NULL,
		  "'example.com:8080': ports are not supported; write example.com, its subdomains are included" },
		{ ".example.com", NULL,
		  "'.example.com': a domain does not begin with a dot; write example.com, its subdomains are "
		  "included" },
		{ "00\xcd\xbe", NULL, "'00\xcd\xbe': one domain a line" },
		{ "a.example\xef\xbc\x8f""x", NULL, "'a.example\xef\xbc\x8fx': not a domain name" },
		{ "a.example b.example", NULL, "'a.example b.example': one domain a line; write a.example" },
		{ "ex%61mple.com", NULL,
		  "'ex%61mple.com': not a domain name; write example.com, its subdomains are included" },
		{ "exa..mple", NULL, "'exa..mple': not a domain name" },
		{ "\xff", NULL, "'\\xff': not UTF-8" },
		{ "com", NULL, "'com': a public suffix: everybody's domains are below it" },
		{ "co.uk", NULL, "'co.uk': a public suffix: everybody's domains are below it" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GError *error = NULL;
		char *got = vtm_ignore_domain_normal(cases[i].line, &error);

		is_str(got, cases[i].want, "entry %zu", i);
		is_str(error ? error->message : NULL, cases[i].error, "its error");
		g_clear_error(&error);
		g_free(got);
	}
}

static void domains(void)
{
	static const char text[] =
		"\xef\xbb\xbf# a list\r\nexample.com\r\n\r\n  sub.example.org  # why\r\na\xc3\xb8l.com\n2O2.lOl";
	char *path = write_file(text, sizeof(text) - 1);
	struct vtm_ignore *i = vtm_ignore_new();
	GError *error = NULL;

	ok(vtm_ignore_add_domains(i, path, &error) == 0, "a list with a mark, CRLF, comments and no last line end");
	is_str(error ? error->message : NULL, NULL, "no error");
	ok(has(i, "example.com") && has(i, "a.b.EXAMPLE.com"), "a domain and its subdomains");
	ok(!has(i, "com") && !has(i, "notexample.com") && !has(i, "example.com.evil.example"), "not others");
	ok(has(i, "x.sub.example.org") && !has(i, "example.org") && !has(i, "www.example.org"),
	   "a subdomain is not its parent");
	ok(has(i, "www.xn--al-lka.com") && has(i, "A\xc3\x98l.com") && has(i, "202.lol") == false && has(i, "2o2.lol"),
	   "other letters, other case");
	ok(!vtm_ignore_host(i, "") && !vtm_ignore_host(i, "."), "nothing is not on it");
	vtm_ignore_free(i);
	g_unlink(path);
	g_free(path);
	vtm_ignore_free(NULL);
}

static void refused(const char *text, size_t len, bool hashes, const char *want, const char *what)
{
	char *path = write_file(text, len), *full = g_strdup_printf("%s:%s", path, want);
	struct vtm_ignore *i = vtm_ignore_new();
	GError *error = NULL;

	ok((hashes ? vtm_ignore_add_hashes(i, path, &error) : vtm_ignore_add_domains(i, path, &error)) == -1, "%s",
	   what);
	is_str(error ? error->message : NULL, full, "says file, line and remedy");
	ok(error && error->domain == VTM_ERROR && error->code == VTM_ERROR_CONFIG, "as an error of configuration");
	g_clear_error(&error);
	vtm_ignore_free(i);
	g_unlink(path);
	g_free(full);
	g_free(path);
}

static void bad_files(void)
{
	char *line = g_strnfill(1025, '#');
	struct vtm_ignore *i = vtm_ignore_new();
	GError *error = NULL;

	refused("a.example\n\n*.example.com\n", 25, false,
		"3: '*.example.com': wildcards are not supported; write example.com, its subdomains are included",
		"a wildcard");
	refused("a\0b\n", 4, false, "1: a NUL byte: not a text file", "a binary file");
	refused(line, 1025, false, "1: a line of more than 1024 bytes", "a line of 1025 bytes");
	refused("\nabc\n", 5, true, "2: 'abc': not a SHA-256; write its 64 hex digits and nothing else",
		"a hash that is none");
	ok(vtm_ignore_add_domains(i, "/nonexistent/list", &error) == -1 && strstr(error->message, "/nonexistent/list"),
	   "a file that is not there is named");
	g_clear_error(&error);
	line[1024] = '\n';
	{
		char *path = write_file(line, 1025);

		ok(vtm_ignore_add_domains(i, path, NULL) == 0, "a line of 1024 bytes is read");
		g_unlink(path);
		g_free(path);
	}
	vtm_ignore_free(i);
	g_free(line);
}

static void hashes(void)
{
	static const char text[] =
		"# known\nE3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855 # empty\r\n";
	char *path = write_file(text, sizeof(text) - 1);
	struct vtm_ignore *i = vtm_ignore_new();

	ok(vtm_ignore_add_hashes(i, path, NULL) == 0, "a list of hashes");
	ok(vtm_ignore_hash(i, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), "one of them");
	ok(!vtm_ignore_hash(i, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b856"), "another");
	vtm_ignore_free(i);
	g_unlink(path);
	g_free(path);
}

static void most(void)
{
	GString *text = g_string_new(NULL);
	struct vtm_ignore *i = vtm_ignore_new();
	GError *error = NULL;
	char *path;

	for (unsigned n = 0; n < 1000000; n++)
		g_string_append_printf(text, "d%u.example\n", n);
	path = write_file(text->str, text->len);
	ok(vtm_ignore_add_domains(i, path, NULL) == 0 && has(i, "x.d999999.example"), "1,000,000 entries are read");
	ok(vtm_ignore_add_domains(i, path, NULL) == 0, "and again: they are the same");
	g_unlink(path);
	g_free(path);
	path = write_file("more.example\n", 13);
	ok(vtm_ignore_add_domains(i, path, &error) == -1 && error->code == VTM_ERROR_LIMIT, "one more is refused");
	g_clear_error(&error);
	g_unlink(path);
	g_free(path);
	g_string_free(text, TRUE);
	vtm_ignore_free(i);
}

static void shipped(void)
{
	char *path = test_path("../etc/ignored-domains.knowbe4");
	struct vtm_ignore *i = vtm_ignore_new();
	GError *error = NULL;

	ok(vtm_ignore_add_domains(i, path, &error) == 0, "KnowBe4's list is read");
	if (error)
		diag("%s", error->message);
	g_clear_error(&error);
	ok(has(i, "kb4.io") && has(i, "a.2O2.lOl") && has(i, "a\xc3\xb8l.com") && has(i, "succesful.org") &&
	   !has(i, "aol.com"),
	   "from its first to its last");
	vtm_ignore_free(i);
	g_free(path);
}

int main(void)
{
	entries();
	domains();
	bad_files();
	hashes();
	most();
	shipped();
	return done_testing();
}
