/* SPDX-License-Identifier: BSD-2-Clause */
/* test-html.c - references and text of HTML, CSS and text of any charset. */
#include <string.h>
#include <time.h>

#include "url/html.h"
#include "tap.h"

struct seen {
	GString *log;		/* "role:reference@base|" and "'text'|" in the order of the document */
	bool text;
	unsigned refs;
	size_t text_bytes;
};

/* Once: the ways in which a page is read repeat what they agree on. */
static void log_once(struct seen *s, const char *entry)
{
	char *between = g_strdup_printf("|%s", entry);

	if (!g_str_has_prefix(s->log->str, entry) && !strstr(s->log->str, between))
		g_string_append(s->log, entry);
	g_free(between);
}

static void on_ref(const char *reference, enum vtm_role role, const char *const *bases, void *arg)
{
	struct seen *s = arg;
	GString *entry = g_string_new(NULL);

	s->refs++;
	g_string_append_printf(entry, "%s:%s", vtm_role_name(role), reference);
	for (; *bases; bases++)
		g_string_append_printf(entry, "@%s", *bases);
	g_string_append_c(entry, '|');
	if (s->log)
		log_once(s, entry->str);
	g_string_free(entry, TRUE);
}

static void on_text(const char *text, size_t len, void *arg)
{
	struct seen *s = arg;

	s->text_bytes += len;
	if (s->log && s->text) {
		char *entry = g_strdup_printf("'%.*s'|", (int)len, text);

		log_once(s, entry);
		g_free(entry);
	}
}

static void check(const char *html, size_t len, const char *charset, bool text, const char *want, const char *what)
{
	struct seen s = { g_string_new(NULL), text, 0, 0 };
	struct vtm_html_handler h = { .ref = on_ref, .text = on_text, .arg = &s, .script = NULL };

	vtm_html_read(html, len, charset, &h);
	is_str(s.log->str, want, "%s", what);
	g_string_free(s.log, TRUE);
}

static void check_text(const char *html, const char *charset, bool text, const char *want, const char *what)
{
	check(html, strlen(html), charset, text, want, what);
}

static void references(void)
{
	static const struct {
		const char *what, *html, *want;
	} cases[] = {
		{ "anchor", "<a href=\"http://e/\">x</a>", "link:http://e/|" },
		{ "upper case, blanks, no quotes", "<A  HREF = http://e/a?b=c >", "link:http://e/a?b=c|" },
		{ "slash instead of a blank", "<a/href=http://e/>", "link:http://e/|" },
		{ "no blank between attributes", "<a title='x'href='http://e/'>", "link:http://e/|" },
		{ "junk in a tag", "<a \"x\" = /=> <a ' href=http://e/>", "link:http://e/|" },
		{ "'>' in quotes", "<a title=\"a>b\" href='http://e/'>", "link:http://e/|" },
		{ "line ends and tabs go", "<a href=\" ht\ntp://\te/\">", "link:http://e/|" },
		{ "cut off", "<a href=\"http://e/", "link:http://e/|" },
		{ "area, form, button", "<area href=1><form action=2><button formaction=3><input formaction=4>",
		  "link:1|link:2|link:3|link:4|" },
		{ "fetched", "<img src=1 lowsrc=2><iframe src=3></iframe><frame src=4><embed src=5><object data=6>"
		  "<script src=7></script><link href=8><video poster=9><table background=10><source src=11>",
		  "resource:1|resource:2|resource:3|resource:4|resource:5|resource:6|resource:7|resource:8|resource:9|"
		  "resource:10|resource:11|" },
		{ "srcset", "<img srcset='1 1x, 2 200w,3,4'>", "resource:1|resource:2|resource:3,4|" },
		{ "srcset with commas behind", "<img srcset='1, 2 2x ,, 3'>", "resource:1|resource:2|resource:3|" },
		{ "refresh", "<meta http-equiv=Refresh content=\"0; URL='http://e/'\">", "link:http://e/|" },
		{ "refresh, other order", "<meta content='3;http://e/' http-equiv=refresh>", "link:http://e/|" },
		{ "refresh without value", "<meta content='3' http-equiv=refresh><meta http-equiv=refresh>", "" },
		{ "other meta", "<meta name=x content='http://e/'><p content='http://f/'>", "" },
		{ "base", "<a href=1><base href='http://e/'><base href='http://f/'><a href=2>",
		  "link:1|link:2@http://e/@http://f/|link:1@http://e/@http://f/|" },
		{ "CSS in an attribute", "<p style=\"background:url(&quot;http://e/&quot;)\">", "resource:http://e/|" },
		{ "CSS in an element", "<style>@import 'a'; @import url(b); p{background:URL( \"c\" )}</style>",
		  "resource:a|resource:b|resource:c|" },
		{ "conditional comment", "<!--[if mso]><a href=1><img src=2><![endif]--><a href=3>",
		  "link:1|resource:2|link:3|" },
		{ "a quote left open in one hides nothing", "<!--[if mso]><a href=\"1><![endif]--><a href='2'>",
		  "link:1><![endif]|link:2|" },
		{ "revealed conditional",
		  "<!--[if !mso]><!--><a href=1><!--<![endif]--><![if !vml]><a href=2><![endif]>",
		  "link:1|link:2|" },
		{ "other comments", "<!-- <a href=1> --!><a href=2><!-- <a href=3>", "link:2|" },
		{ "comments that are none",
		  "<!--><a href=1><!---><a href=2><!-><a href=3><!x><a href=4><?x><a href=5></ x><a href=6>",
		  "link:1|link:2|link:3|link:4|link:5|link:6|" },
		{ "VML", "<v:roundrect href='1'><v:fill src='2' o:href='3'/><v:imagedata href=4>",
		  "link:1|resource:2|resource:3|resource:4|" },
		{ "SVG", "<svg><a xlink:href='1'><image xlink:href='2'/><use href=3></svg>",
		  "link:1|resource:2|resource:3|" },
		{ "kept by a rewriter", "<a href=1 originalSrc='http://e/' data-saferedirecturl=2>",
		  "link:1|nested:http://e/|nested:2|" },
		{ "not references", "<html xmlns='http://w/' xmlns:v='http://v/'><!DOCTYPE html PUBLIC 'x' 'http://d/'>"
		  "<img alt='http://a/' title='http://t/'><input value='http://i/'>", "" },
		{ "raw text",
		  "<title><!--</title><a href=1><script>'<a href=2>'</script><textarea><a href=3></textarea><a href=4>",
		  "link:1|link:4|link:2|link:3|" },
		{ "raw text ends at its own end tag only", "<style></styles> </sty </STYLE\n><a href=1>", "link:1|" },
		{ "in SVG a style is an element like others",
		  "<svg><style><a href=1></style><p><style><!--</style><a href=2>",
		  "link:1|link:2|" },
		{ "behind the end", "</body></html><a href=1>", "link:1|" },
		{ "attributes of an end tag", "</a href=1 title='>'><a href=2>", "link:2|" },
		{ "twice the same", "<a href=1 href=2>", "link:1|link:2|" },
		{ "nothing but an empty link, which leads to the base", "<a href=''><a href><a>", "link:|" },
		{ "quote open over tags", "<a title=\"><b href=1><a href=2>\"><a href=3>", "link:3|" },
		{ "'<' that begins nothing", "a < b <3 <> << <a href=1>", "link:1|" },
		{ "a page in a data: URL", "<iframe src=\"data:text/html,%3Ca href='1'>\"></iframe>", "link:1|" },
		{ "in base64", "<a href='data:text/html;charset=utf-8;base64,PGEgaHJlZj0xPg=='>", "link:1|" },
		{ "other data: URLs", "<img src='data:image/png;base64,PGEgaHJlZj0xPg=='>", "" },
		{ "srcdoc",
		  "<base href=b><iframe srcdoc='<a href=1><iframe srcdoc=\"<a href=2><iframe srcdoc="
		  "&amp;quot;<a href=3>&amp;quot;></iframe>\"></iframe>'></iframe>", "link:1@b|link:2@b|" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		check_text(cases[i].html, NULL, false, cases[i].want, cases[i].what);
}

static void on_script(const char *text, size_t len, void *arg)
{
	struct seen *s = arg;

	g_string_append_printf(s->log, "{%.*s}", (int)len, text);
}

static void scripts(void)
{
	static const char html[] =
		"<script>a='https:\\/\\/e\\x2fa\\u002fb';atob(\"aHR0cHM6Ly9leGFtcGxlLm9yZw\")\\</script>"
		"<p onclick='b(&quot;c&quot;)'><a href=\"javascript:d('e')\">";
	struct seen s = { g_string_new(NULL), false, 0, 0 };
	struct vtm_html_handler h = { .ref = on_ref, .text = NULL, .arg = &s, .script = on_script };

	vtm_html_read(html, strlen(html), NULL, &h);
	is_str(s.log->str, "{a=\nhttps://e/a/b\n;atob(\n\nhttps://example.org\n\n)}{b(\nc\n)}{d(\ne\n)}",
	       "scripts, where asked for");
	g_string_free(s.log, TRUE);
}

static void entities(void)
{
	static const struct {
		const char *what, *html, *want;
	} cases[] = {
		{ "named", "<a href='?a&amp;b&lt;&quot;&apos;&eacute;'>", "link:?a&b<\"'\xc3\xa9|" },
		{ "HTML 5's", "<a href='https&colon;&sol;&sol;e&period;com&num;&Tab;'>", "link:https://e.com#|" },
		{ "numbers", "<a href='&#104;&#x74;&#X74p&#58//e'>", "link:http://e|" },
		{ "numbers that are none", "<a href='&#;&#x;&#0;&#1114112;&#xd800;&#99999999999;'>",
		  "link:&#;&#x;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|" },
		{ "no semicolon before = or a letter", "<a href='?a&sect=1&copy2&amp=&para'>",
		  "link:?a&sect=1&copy2&amp=\xc2\xb6|" },
		{ "no semicolon elsewhere", "<a href='?a&amp&copy-&alpha-'>", "link:?a&\xc2\xa9-&alpha-|" },
		{ "numbers of windows-1252", "<a href='http://a&#159;b&#x9C;c&#128;&#129;/'>",
		  "link:http://a\xc5\xb8" "b\xc5\x93" "c\xe2\x82\xac\xc2\x81/|" },
		{ "two halves of a pair", "<a href='&#xD835;&#xDFE2;&#55349;&#57314&#xd835;&#x41;'>",
		  "link:\xf0\x9d\x9f\xa2\xf0\x9d\x9f\xa2\xef\xbf\xbd" "A|" },
		{ "letters of mathematicians", "<a href='&Aopf;&bscr;&cfr;&nvlt;'>",
		  "link:\xf0\x9d\x94\xb8\xf0\x9d\x92\xb7\xf0\x9d\x94\xa0<\xe2\x83\x92|" },
		{ "not decoded twice", "<a href='&amp;amp;&amp;#58;'>", "link:&amp;&#58;|" },
		{ "unknown", "<a href='&foo;&;& &a;&'>", "link:&foo;&;& &a;&|" },
		{ "in text", "&lt;a&ampb&sectx&colon;&#46;", "'<a&b\xc2\xa7x:.'|" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		check_text(cases[i].html, NULL, true, cases[i].want, cases[i].what);
	check("<a href='a\0b'>c\0d", 17, NULL, true, "link:a\xef\xbf\xbd" "b|'c\xef\xbf\xbd" "d'|",
	      "NUL bytes are replaced");
}

static void visible_text(void)
{
	static const struct {
		const char *what, *html, *want;
	} cases[] = {
		{ "runs end at blocks", "a<p>b<br>c</p><td>d</td>e", "'a'|'b'|'c'|'d'|'e'|" },
		{ "not at inline elements", "exa<b>mp</b>le<wbr>.<span style='x'>com</span>", "'example.com'|" },
		{ "but at anchors", "a<a>b</a>c", "'a'|'b'|'c'|" },
		{ "titles, scripts and styles are not text",
		  "<title>a</title><style>b</style><script>c</script>d<textarea>e</textarea>",
		  "'d'|'e'|" },
		{ "comments neither", "a<!-- b -->c", "'ac'|" },
		{ "conditional ones are", "a<!--[if mso]>b<![endif]-->c", "'a'|'b'|'c'|" },
		{ "CDATA of SVG", "<![CDATA[a]]>", "'a]]>'|" },
		{ "unclosed style", "a<style>b<p>c", "'a'|" },
		{ "plaintext", "a<plaintext>b</plaintext><a href=1>", "'a'|'b</plaintext><a href=1>'|'b'|link:1|" },
		{ "'<' that begins nothing", "1 < 2", "'1 < 2'|" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		check_text(cases[i].html, NULL, true, cases[i].want, cases[i].what);
}

static void charsets(void)
{
	check_text("<a href=\xe9>", "iso-8859-1", false, "link:\xc3\xa9|", "declared Latin-1");
	check_text("<a href=\x80>", "iso-8859-1", false, "link:\xe2\x82\xac|", "Latin-1 is windows-1252");
	check_text("<a href=\xe9>", NULL, false, "link:\xc3\xa9|", "nothing declared: windows-1252");
	check_text("<a href=\xc3\xa9>", NULL, false, "link:\xc3\xa9|", "nothing declared: UTF-8 where it is that");
	check_text("<a href=\xe9>", "utf-8", false, "link:\xef\xbf\xbd|", "broken UTF-8");
	check_text("<a href=\xe9>", "no-such-charset", false, "link:\xc3\xa9|", "an unknown charset");
	check_text("<meta charset='koi8-r'><a href=\xc1>", NULL, false, "link:\xd0\xb0|", "declared by meta");
	check_text("<meta http-equiv=content-type content='text/html; charset=koi8-r'><a href=\xc1>", NULL, false,
	      "link:\xd0\xb0|", "the long way");
	check_text("<meta charset='koi8-r'><a href=\xc1>", "iso-8859-1", false, "link:\xc3\x81|",
		   "MIME wins over meta");
	check_text("<meta charset=utf-16><a href=\xc3\xa9>", NULL, false, "link:\xc3\xa9|", "meta cannot mean UTF-16");
	check_text("<?xml version='1.0' encoding='koi8-r'?><a href=\xc1>", NULL, false, "link:\xd0\xb0|",
		   "XML declaration");
	check_text("\x1b$B<\x1b(B<a href=1>", "iso-2022-jp", false, "link:1|", "stateful: not taken for ASCII");
}

static void xml(void)
{
	static const struct {
		const char *xml, *want;
	} cases[] = {
		{ "<?xml version='1.0'?><!DOCTYPE plist PUBLIC 'x' 'http://d/'><string>http://e/?a&amp;b</string>",
		  "1.0\n\n\nhttp://e/?a&b\n" },
		{ "<!DOCTYPE x [<!ENTITY y SYSTEM 'http://y/'>]>z", "z" },
		{ "<w:x xmlns='http://a/' xmlns:w = \"http://b/\" xsi:schemaLocation='http://c/ d' w:href='http://e/'/>",
		  "http://e/\n\n" },
		{ "<Relationship Type='http://t/' Target='http://e/'/><a Type='http://f/'>",
		  "http://e/\n\nhttp://f/\n\n" },
		{ "<r:Relationship Type='http://t/'/><a:graphicData uri='http://g/'/><a uri='http://e/'/>", "\n\nhttp://e/\n\n" },
		{ "<a b=c d='>'>e", ">\n\ne" },
		{ "<![CDATA[<a href=\"http://e/?a&b\">]]>c", "<a href=\"http://e/?a&b\">c" },
		{ "<!-- http://e/ -->", " http://e/ -->" },
		{ "<a b='", "" },
		{ "<", "\n" },
		{ "<![CDATA[", "" },
		{ "<!doctype [", "" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct vtm_buffer s = { .data = NULL };

		vtm_html_xml(&s, cases[i].xml, strlen(cases[i].xml));
		is_str(vtm_buffer_text(&s), cases[i].want, "XML %s", cases[i].xml);
		vtm_buffer_clear(&s);
	}
}

static void css(void)
{
	static const struct {
		const char *css, *want;
	} cases[] = {
		{ "a{b:url(c)}", "resource:c|" },
		{ "a{b:url( 'c d' ) url(\"e)\")}", "resource:c d|resource:e)|" },
		{ "/* url(a) */url(b)/* url(c)", "resource:b|" },
		{ "url(h\\74tp\\3a //e)", "resource:http://e|" },
		{ "@import\"a\";@IMPORT 'b' screen;@import url(c)", "resource:a|resource:b|resource:c|" },
		{ "filter:progid:X.AlphaImageLoader(src='a', sizingMethod='scale')", "resource:a|" },
		{ "url(", "" },
		{ "url('a", "resource:a|" },
		{ "url(\\", "" },
		{ "curl('a')", "resource:a|" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct seen s = { g_string_new(NULL), true, 0, 0 };
		struct vtm_html_handler h = { .ref = on_ref, .text = on_text, .arg = &s, .script = NULL };
		char *html = g_strconcat("<style>", cases[i].css, "</style>", NULL);

		vtm_html_read(html, strlen(html), NULL, &h);
		g_free(html);
		is_str(s.log->str, cases[i].want, "CSS %s", cases[i].css);
		g_string_free(s.log, TRUE);
	}
}

/* What made other parsers slow or deep, 4 MB of each: a quadratic reader would take minutes, a recursive one its
 * stack. */
static void hostile(void)
{
	static const char *const units[] = {
		"<div>", "<a ", "<a href=\"", "\"", "<![CDATA[", "<!--", "<!--[if x]>", "<!--[if x]>-->", "<", "</",
		"<a b=c d=", "&", "&#",
		"&amp", "<style>", "<svg><style>", "<svg><style></style>", "<script><!--", "<title>", "</b>", "<b>",
		"--", "<!", "<?",
		"<table><tr><td>", "<p style='url(", "<img srcset=',", "<a title='x' ", "\0",
		"<svg><title><svg><style>", "url(", "@import",
		"<script>aHR0c", "<a href=data:text/html,", "<a onx='", "<p srcdoc='", "<p srcdoc=&lt;p srcdoc=", "\\x",
	};
	clock_t start = clock();
	const size_t size = 4 << 20;
	char *html = g_malloc(size);

	for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
		struct seen s = { NULL, true, 0, 0 };
		struct vtm_html_handler h = { .ref = on_ref, .text = on_text, .arg = &s, .script = on_text };
		size_t n = MAX(strlen(units[i]), 1);

		for (size_t at = 0; at < size; at++)
			html[at] = units[i][at % n];
		vtm_html_read(html, size, NULL, &h);
		ok(s.text_bytes <= 3 * size && s.refs <= size, "4 MB of %s", units[i]);
	}
	g_free(html);
	/* of the processor, whoever else is at it; quadratic work would be hours */
	ok(clock() - start < 180 * CLOCKS_PER_SEC, "all of that in %.1f s of the processor",
	   (double)(clock() - start) / CLOCKS_PER_SEC);
}

int main(void)
{
	references();
	scripts();
	entities();
	visible_text();
	charsets();
	css();
	xml();
	hostile();
	return done_testing();
}
