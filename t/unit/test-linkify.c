/* SPDX-License-Identifier: BSD-2-Clause */
/* test-linkify.c - URLs in plain text. */
#include <string.h>
#include <time.h>

#include "url/linkify.h"
#include "tap.h"

static void on_found(const char *text, size_t len, bool bare, void *arg)
{
	g_string_append_printf(arg, "%s%.*s|", bare ? "bare:" : "", (int)len, text);
}

static void check(const char *text, const struct vtm_linkify_options *o, const char *want)
{
	GString *log = g_string_new(NULL);
	char *shown = g_strescape(text, NULL);

	vtm_linkify(text, strlen(text), o, on_found, log);
	is_str(log->str, want, "%s", shown);
	g_free(shown);
	g_string_free(log, TRUE);
}

struct text_case {
	const char *text, *want;
};

static void plain(void)
{
	static const struct vtm_linkify_options o = { .bare = false };
	static const struct text_case cases[] = {
		{ "http://example.com", "http://example.com|" },
		{ "See HTTPS://Example.com/a?b=c#d now", "HTTPS://Example.com/a?b=c#d|" },
		{ "www.example.com and WWW.example.org/x.", "www.example.com|WWW.example.org/x|" },
		{ "http://example.com/a, http://example.com/b; http://example.com/c!?.",
		  "http://example.com/a|http://example.com/b|"
		  "http://example.com/c|" },
		{ "http://example.com/a,http://example.com/b;www.c.example",
		  "http://example.com/a|http://example.com/b;www.c.example|" },
		{ "(http://example.com/a)", "http://example.com/a|" },
		{ "(http://example.com/a_(b))", "http://example.com/a_(b)|" },
		{ "[1](http://example.com/a).", "http://example.com/a|" },
		{ "[http://example.com/a](http://example.com/b)", "http://example.com/a|http://example.com/b|" },
		{ "[http://example.com/a.png][X] [http://example.com/?t[a]=5]-x (http://example.com/b).c",
		  "http://example.com/a.png|http://example.com/?t[a]=5|http://example.com/b|" },
		{ "(http://example.com/a_(b)c", "http://example.com/a_(b)c|" },
		{ "http://t.example/c;1;;http://example.com/ http://example.com/a;;b;",
		  "http://t.example/c;1;;http://example.com/|http://example.com/a;;b|" },
		{ "=&quot;http://example.com/a&quot;&gt;http://example.com/b&lt;/a http://example.com/?gt&gt=1",
		  "http://example.com/a|http://example.com/b|http://example.com/?gt&gt=1|" },
		{ "{http://example.com/?a[b]=c}", "http://example.com/?a[b]=c|" },
		{ "\"http://example.com/a\" 'http://example.com/b'.", "http://example.com/a|http://example.com/b|" },
		{ "*http://example.com/a* _http://example.com/b_ http://example.com/c_",
		  "http://example.com/a|http://example.com/b|"
		  "http://example.com/c_|" },
		{ "\xe2\x80\x9chttp://example.com/\xe2\x80\x9d \xc2\xabhttp://example.com/\xc2\xbb",
		  "http://example.com/|http://example.com/|" },
		{ "http://example.com/\xe2\x80\xa6", "http://example.com/|" },
		{ "<http://example.com/a>", "http://example.com/a|" },
		{ "<URL:http://example.com/a\r\n  b>", "http://example.com/ab|http://example.com/a|" },
		{ "<http://example.com/aaa\r\nbbb\r\n>", "http://example.com/aaabbb|http://example.com/aaa|" },
		{ "> <http://example.com/aaa\n> bbb>", "http://example.com/aaabbb|http://example.com/aaa|" },
		{ "<http://example.com/a b\nc>", "http://example.com/abc|http://example.com/a|" },
		{ "<http://example.com/a\nb\xff>", "http://example.com/a|" },
		{ "<http://example.com/a\nb\x01>", "http://example.com/a|" },
		{ "<http://example.com/a\nb <c>", "http://example.com/a|" },
		{ "http://example.com/a\nb", "http://example.com/a|" },
		{ "http://user:pw@example.com:8080/", "http://user:pw@example.com:8080/|" },
		{ "http://[2001:db8::1]/x", "http://[2001:db8::1]/x|" },
		{ "Clickhttp://example.com/", "http://example.com/|" },
		{ "http:// www.example.com", "www.example.com|" },
		{ "http:// https:// http://. www. www.. http:/x", "" },
		{ "a@www.example.com x/www.example.com", "" },
		{ "www.a@example.com www.a@example.com/b", "www.a@example.com|www.a@example.com/b|" },
		{ "wwww.example.com -www.example.com .www.example.com", "" },
		{ "=www.example.com,www.example.org", "www.example.com,www.example.org|" },
		{ "mailto:a@example.com <id@example.com> cid:p@example.com report.py Conf.pm example.com", "" },
		{ "http://ex\xc3\xa4mple.com/\xc3\xa9", "http://ex\xc3\xa4mple.com/\xc3\xa9|" },
		{ "http://\xe4\xbe\x8b\xe5\xad\x90.com/x", "http://\xe4\xbe\x8b\xe5\xad\x90.com/x|" },
		{ "\xe8\xaf\xb7http://example.com/a\xe7\x82\xb9\xe5\x87\xbb",
		  "http://example.com/a\xe7\x82\xb9\xe5\x87\xbb|"
		  "http://example.com/a|" },
		{ "http://example.com\xe3\x80\x82\xe7\x82\xb9",
		  "http://example.com\xe3\x80\x82\xe7\x82\xb9|http://example.com|" },
		{ "\xef\xbc\x88http://example.com/a\xef\xbc\x89", "http://example.com/a|" },
		{ "http://example.com/\xff" "a", "http://example.com/|" },
		{ "http://example.com/\xc2\xa0" "a", "http://example.com/|" },
		{ "http://web.example/http://example.com/", "http://web.example/http://example.com/|" },
		{ "http://example.com/a|b|", "http://example.com/a|b|" },
		/* where some programs go on */
		{ "http://a.example^@b.example/", "http://a.example|http://a.example^@b.example/|" },
		{ "http://a.example\"@b.example/ \"http://c.example\", x@d.example",
		  "http://a.example|http://a.example\"@b.example/|http://c.example|" },
		{ "http://a.example\xe2\x80\x9d@b.example/", "http://a.example|http://a.example\xe2\x80\x9d@b.example/|" },
		{ "http://a.example/b^c", "http://a.example/b|http://a.example/b^c|" },
		{ "http://a.example^http://b.example", "http://a.example|http://b.example|" },
		{ "<http://a.example @b.example/>", "http://a.example@b.example/|http://a.example|" },
		{ "\"http://a.example\t@b.example/\"", "http://a.example@b.example/|http://a.example|" },
		{ "\"http://a.example b", "http://a.example|" },
		/* fewer slashes, and others */
		{ "http:\\\\a.example\\b http:/a.example https:a.example/b http:\\a.example",
		  "http:\\\\a.example|http:\\\\a.example\\b|http:/a.example|https:a.example/b|http:\\a.example|" },
		{ "http:a http: a.example https:// http:/.", "" },
		/* signs that are not ASCII */
		{ "http://a.example\xe2\x80\x94" "b", "http://a.example\xe2\x80\x94" "b|http://a.example|" },
		{ "http://a.example/b\xe2\x80\xa2http://c.example/\xe2\x81\xa9",
		  "http://a.example/b|http://c.example/|" },
		{ "http://a.example/b\xe2\x80\x8bhttp://c.example/", "http://a.example/b|http://c.example/|" },
		{ "http://a.example/\xf0\x9f\x98\x80" "b", "http://a.example/\xf0\x9f\x98\x80" "b|http://a.example/|" },
		{ "\xef\xbd\x9cwww.a.example \xe4\xbe\x8bwww.b.example \xc3\xa9www.c.example",
		  "www.a.example|www.b.example|" },
		{ "", "" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		check(cases[i].text, &o, cases[i].want);
}

static void flowed(void)
{
	static const struct vtm_linkify_options keep = { .flowed = true }, del = { .flowed = true, .delsp = true };

	check("http://example.com/a \r\nb", &keep, "http://example.com/a|");
	check("http://example.com/a \r\nb", &del, "http://example.com/ab|");
	check("http://example.com/a\r\nb", &del, "http://example.com/a|");
	check(">> http://example.com/a \r\n>> b \r\n> c", &del, "http://example.com/ab|");
	check(" http://example.com/a \n  b", &del, "http://example.com/a|");
	check("<http://example.com/a \n b>", &keep, "http://example.com/ab|http://example.com/a|");
	check("x\n-- \nhttp://example.com/", &del, "http://example.com/|");
}

static void folded(void)
{
	static const struct vtm_linkify_options o = { .folded = true };

	check("URL:http://example.com/ab\r\n c\r\n\td\r\nX:y", &o, "http://example.com/abcd|");
	check("D:http://example.com/a\\nhttp://example.com/b\\Nx http://example.com/c\\,d\\;e\n f", &o,
	      "http://example.com/a|http://example.com/b|http://example.com/c,d;ef|");
	check("URL:http://example.com/a\\\r\n nb\r\n", &o, "http://example.com/a|http://example.com/a\\nb|");
	check("URL:http://example.com/a\r\n", &o, "http://example.com/a|");
	check("\\", &o, "");
}

static void bare(void)
{
	static const struct vtm_linkify_options o = { .bare = true };
	static const struct text_case cases[] = {
		{ "see example.com.", "bare:example.com|" },
		{ "example.com/a?b and sub.example.co.uk:8080/x",
		  "bare:example.com/a?b|bare:sub.example.co.uk:8080/x|" },
		{ "www.example.com http://example.org", "www.example.com|http://example.org|" },
		{ "a@example.com a.b@c.example x/example.com a::b.pm b.c(d)", "" },
		{ "1.2.3 192.0.2.1 a..b .c d. e.5", "" },
		{ "ex\xc3\xa4mple.com", "bare:ex\xc3\xa4mple.com|" },
		{ "report.py", "bare:report.py|" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		check(cases[i].text, &o, cases[i].want);
}

static void on_count(const char *text, size_t len, bool is_bare, void *arg)
{
	size_t *bytes = arg;

	(void)text;
	(void)is_bare;
	*bytes += len;
}

/* 4 MB of each: a quadratic scan would take minutes. */
static void hostile(void)
{
	static const char *const units[] = {
		"http://", "<http://", "<http://a\n", "www.a", "www.", "a.", "a", "a-", "(", "http://a)", "http://a,",
		"http://a (", ".a@", "> ",
		" \n", ">", "\xe4\xbe\x8b", "http://\xe4\xbe\x8b", "\xff", "<http://a\n>",
		"http://a^", "http://a.b\"", "www.a^", "http:a.", "\"http://a ", "http://a.b\xe2\x80\x94", "http:\\a.b^@",
	};
	static const struct vtm_linkify_options o = { .flowed = true, .delsp = true, .bare = true };
	const size_t size = 4 << 20;
	char *text = g_malloc(size);
	clock_t start = clock();

	for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
		size_t n = strlen(units[i]), bytes = 0;

		for (size_t at = 0; at < size; at++)
			text[at] = units[i][at % n];
		vtm_linkify(text, size, &o, on_count, &bytes);
		char *shown = g_strescape(units[i], NULL);

		ok(bytes <= 2 * size, "4 MB of %s", shown);
		g_free(shown);
	}
	g_free(text);
	/* of the processor, whoever else is at it; quadratic work would be hours */
	ok(clock() - start < 180 * CLOCKS_PER_SEC, "all of that in %.1f s of the processor",
	   (double)(clock() - start) / CLOCKS_PER_SEC);
}

int main(void)
{
	plain();
	flowed();
	folded();
	bare();
	hostile();
	return done_testing();
}
