/* SPDX-License-Identifier: BSD-2-Clause */
/* html.c - references and visible text of HTML: the tokenizer of the HTML standard without its tree.
 *
 * libxml2's SAX parser was tried and measured (2.9.14): as push parser it stops behind "</html>", it takes "<!-->" and
 * "<title><!--</title>" for the beginning of a comment that hides the rest, it loses the href of "<a/href=...>", and
 * 100,000 end tags that match nothing, or attributes of one tag, take it 10 to 18 s.  A sender chooses those, so only
 * its table of entities is used.  Nothing here looks back, and nothing nests but a conditional comment, a raw element
 * that may be none, and a document in an attribute, each once or twice: linear, flat.
 */
#include "url/html.h"

#include <string.h>

#include "base/charset.h"
#include "url/html-parts.h"

#define INSIDE_MAX 2		/* data: URLs and srcdoc in each other */
#define BASE_MAX 65536		/* bytes of a base that are kept; it is no URL long before */

enum span {
	SPAN_DOCUMENT,		/* also one inside an attribute */
	SPAN_CONDITIONAL,	/* inside <!--[if ...]> */
	SPAN_RAW		/* inside a raw text element that may be none (SVG): only references, and nothing is raw */
};

struct reader {
	const struct vtm_html_handler *handler;
	struct vtm_buffer run;	/* visible text so far */
	struct vtm_buffer value;/* scratch: one attribute's value, entities decoded */
	char *base;		/* href of the first <base> */
	unsigned inside;	/* how deep in data: URLs and srcdoc */
	bool foreign;		/* <svg> or <math> was seen: raw text elements may be ordinary ones */
	enum span span;
	bool *whole;		/* false from where there was no memory for something; of the outermost reader */
};

static void read_span(struct reader *r, struct vtm_bytes in, enum span span);

/* Gives a buffer back; what it lacked is noted. */
static void drop(struct reader *r, struct vtm_buffer *b)
{
	*r->whole = *r->whole && !b->refused;
	vtm_buffer_clear(b);
}

static bool is_one_of(const char *name, const char *const *names)
{
	/* asked for every tag: the first byte settles it for most */
	for (; *names; names++)
		if (**names == *name && !strcmp(*names, name))
			return true;
	return false;
}

/* ---- references ----------------------------------------------------------- */

static void reader_clear(struct reader *r)
{
	drop(r, &r->run);
	drop(r, &r->value);
	g_free(r->base);
}

/* A document inside an attribute, UTF-8. */
static void read_inside(struct reader *r, const char *html, size_t len)
{
	struct reader inner = *r;

	if (r->inside == INSIDE_MAX || r->span == SPAN_RAW)
		return;
	inner.inside++;
	inner.run = inner.value = (struct vtm_buffer){ .data = NULL };
	inner.base = g_strdup(r->base);
	read_span(&inner, (struct vtm_bytes){ html, html + len }, SPAN_DOCUMENT);
	reader_clear(&inner);
}

static void unescape(struct vtm_buffer *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '%' && g_ascii_isxdigit(s[1]) && g_ascii_isxdigit(s[2])) {
			vtm_buffer_add_char(out, (char)(g_ascii_xdigit_value(s[1]) << 4 | g_ascii_xdigit_value(s[2])));
			s += 2;
		} else {
			vtm_buffer_add_char(out, *s);
		}
	}
}

/* "data:text/html;charset=utf-8;base64,...": a page; false if it is something else. */
static bool read_data_url(struct reader *r, const char *reference)
{
	struct vtm_buffer text = { .data = NULL };
	const char *comma;
	char *utf8;
	bool base64;
	gsize len;

	while (is_space(*reference))
		reference++;
	if (g_ascii_strncasecmp(reference, "data:", 5))
		return false;
	comma = strchr(reference, ',');
	if (!comma || (g_ascii_strncasecmp(reference + 5, "text/html", 9) &&
		       g_ascii_strncasecmp(reference + 5, "image/svg", 9) &&
		       g_ascii_strncasecmp(reference + 5, "text/xml", 8)))
		return true;
	base64 = comma - reference > 7 && !g_ascii_strncasecmp(comma - 7, ";base64", 7);
	unescape(&text, comma + 1);
	len = text.len;
	if (base64 && strlen(vtm_buffer_text(&text)) > 1)
		g_base64_decode_inplace(text.data, &len);
	utf8 = vtm_charset_utf8(vtm_buffer_text(&text), len, NULL, &len);
	if (utf8)
		read_inside(r, utf8, len);
	*r->whole = *r->whole && utf8;
	g_free(utf8);
	drop(r, &text);
	return true;
}

static void read_script(struct reader *r, struct vtm_bytes b)
{
	struct vtm_buffer text = { .data = NULL };

	if (!r->handler->script || b.at == b.end)
		return;
	vtm_html_script(&text, b);
	r->handler->script(vtm_buffer_text(&text), text.len, r->handler->arg);
	drop(r, &text);
}

static void report(struct reader *r, const char *reference, enum vtm_role role)
{
	if (!*reference || read_data_url(r, reference))
		return;
	if (!g_ascii_strncasecmp(reference, "javascript:", 11))
		read_script(r, (struct vtm_bytes){ reference + 11, reference + strlen(reference) });
	else if (r->handler->ref)
		r->handler->ref(reference, role, r->base, r->handler->arg);
}

static void on_css_url(const char *url, void *arg)
{
	report(arg, url, VTM_ROLE_RESOURCE);
}

static void read_css(struct reader *r, struct vtm_bytes b)
{
	bool whole = vtm_html_css(b, on_css_url, r);

	*r->whole = *r->whole && whole;
}

static void report_bytes(struct reader *r, struct vtm_bytes b, enum vtm_role role)
{
	struct vtm_buffer s = { .data = NULL };

	if (b.at >= b.end)
		return;
	vtm_buffer_add(&s, b.at, (size_t)(b.end - b.at));
	report(r, vtm_buffer_text(&s), role);
	drop(r, &s);
}

/* "URL 2x, URL 100w" */
static void read_srcset(struct reader *r, struct vtm_bytes b)
{
	while (b.at < b.end) {
		struct vtm_bytes url;

		while (b.at < b.end && (is_space(*b.at) || *b.at == ','))
			b.at++;
		url = b;
		while (b.at < b.end && !is_space(*b.at))
			b.at++;
		url.end = b.at;
		if (url.at < url.end && url.end[-1] == ',') {
			while (url.at < url.end && url.end[-1] == ',')
				url.end--;
		} else {
			b.at = behind(b, ',');
		}
		report_bytes(r, url, VTM_ROLE_RESOURCE);
	}
}

/* "5; url='http://...'" of a meta element */
static void read_refresh(struct reader *r, struct vtm_bytes b)
{
	while (b.at < b.end && (g_ascii_isdigit(*b.at) || *b.at == '.' || is_space(*b.at)))
		b.at++;
	if (b.at < b.end && (*b.at == ';' || *b.at == ','))
		b.at++;
	b = skip_space(b);
	if (starts_with(b, "url")) {
		struct vtm_bytes value = { b.at + 3, b.end };

		value = skip_space(value);
		if (value.at < value.end && *value.at == '=') {
			value.at++;
			b = skip_space(value);
		}
	}
	if (b.at < b.end && (*b.at == '"' || *b.at == '\'')) {
		const char *quote = memchr(b.at + 1, *b.at, (size_t)(b.end - b.at - 1));

		b.at++;
		if (quote)
			b.end = quote;
	}
	report_bytes(r, b, VTM_ROLE_LINK);
}

/* ---- attributes --------------------------------------------------------------- */

struct tag {
	char name[VTM_HTML_NAME + 1];	/* lower case, cut; <base> and <meta> need it whole, others only differ */
	bool refresh;			/* <meta http-equiv=refresh> */
	struct vtm_buffer content;	/* of <meta> */
};

/* The first base's, without blanks before it. */
static char *copy_base(const char *href)
{
	while (*href && (guchar)*href <= ' ')
		href++;
	return g_strndup(href, BASE_MAX);
}

static void read_href(struct reader *r, const struct tag *tag, const char *href)
{
	static const char *const fetched[] = {
		"link", "image", "use", "feimage", "script", "v:imagedata", "v:fill", NULL
	};

	if (strcmp(tag->name, "base"))
		report(r, href, is_one_of(tag->name, fetched) ? VTM_ROLE_RESOURCE : VTM_ROLE_LINK);
	else if (!r->base)
		r->base = copy_base(href);
}

enum what { HREF, LINK, RESOURCE, NESTED, SRCSET, STYLE, CONTENT, HTTP_EQUIV, SRCDOC, SCRIPT };

/* What attribute <name> holds; false: nothing of interest. */
static bool attribute_kind(const char *name, enum what *what_r)
{
	static const struct {
		const char *name;
		enum what what;
	} table[] = {
		{ "href", HREF }, { "src", RESOURCE }, { "style", STYLE }, { "content", CONTENT },
		  { "http-equiv", HTTP_EQUIV },
		{ "background", RESOURCE }, { "srcset", SRCSET }, { "action", LINK }, { "formaction", LINK },
		{ "xlink:href", HREF }, { "imagesrcset", SRCSET }, { "poster", RESOURCE }, { "data", RESOURCE },
		{ "dynsrc", RESOURCE }, { "lowsrc", RESOURCE }, { "o:href", RESOURCE }, { "originalsrc", NESTED },
		{ "data-saferedirecturl", NESTED }, { "ping", RESOURCE }, { "srcdoc", SRCDOC },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		if (!strcmp(name, table[i].name)) {
			*what_r = table[i].what;
			return true;
		}
	}
	*what_r = SCRIPT;
	return name[0] == 'o' && name[1] == 'n';
}

static bool is_refresh(struct vtm_bytes b)
{
	b = skip_space(b);
	if (!starts_with(b, "refresh"))
		return false;
	b.at += strlen("refresh");
	return skip_space(b).at == b.end;
}

static void read_attribute(struct reader *r, struct tag *tag, const char *name, struct vtm_bytes value)
{
	bool meta = !strcmp(tag->name, "meta");
	struct vtm_bytes decoded;
	enum what what;

	if (!attribute_kind(name, &what) || ((what == CONTENT || what == HTTP_EQUIV) && !meta))
		return;
	vtm_buffer_truncate(&r->value, 0);
	vtm_html_decode(&r->value, value, true);
	decoded.at = vtm_buffer_text(&r->value);
	decoded.end = decoded.at + r->value.len;
	switch (what) {
	case HREF:
		read_href(r, tag, decoded.at);
		break;
	case LINK:
		report(r, decoded.at, VTM_ROLE_LINK);
		break;
	case RESOURCE:
		report(r, decoded.at, VTM_ROLE_RESOURCE);
		break;
	case NESTED:
		report(r, decoded.at, VTM_ROLE_NESTED);
		break;
	case SRCSET:
		read_srcset(r, decoded);
		break;
	case STYLE:
		read_css(r, decoded);
		break;
	case CONTENT:
		if (!tag->content.data)
			vtm_buffer_add(&tag->content, decoded.at, r->value.len);
		break;
	case SRCDOC:
		read_inside(r, decoded.at, r->value.len);
		break;
	case SCRIPT:
		read_script(r, decoded);
		break;
	case HTTP_EQUIV:
		tag->refresh |= is_refresh(decoded);
		break;
	}
}

/* Copies a name in lower case up to white space, '/', '>' and, for an attribute, '='; what is behind it. */
static const char *copy_name(char name[VTM_HTML_NAME + 1], struct vtm_bytes b, bool attribute)
{
	const char *p = b.at;
	size_t n = 0;

	for (; p < b.end && !is_space(*p) && *p != '/' && *p != '>' && !(attribute && *p == '=' && p > b.at); p++)
		if (n < VTM_HTML_NAME)
			name[n++] = g_ascii_tolower(*p);
	name[n] = '\0';
	return p;
}

/* The attributes of a tag whose name ends at b.at; what is behind its '>'.  <r> NULL: nobody asks for them. */
static const char *read_attributes(struct reader *r, struct tag *tag, struct vtm_bytes b)
{
	char name[VTM_HTML_NAME + 1];

	for (;;) {
		struct vtm_bytes value = { NULL, NULL };

		while (b.at < b.end && (is_space(*b.at) || *b.at == '/'))
			b.at++;
		if (b.at == b.end)
			return b.end;
		if (*b.at == '>')
			return b.at + 1;
		b.at = copy_name(name, b, true);
		b = skip_space(b);
		if (b.at < b.end && *b.at == '=') {
			b.at++;
			b = skip_space(b);
			value.at = b.at;
			if (b.at < b.end && (*b.at == '"' || *b.at == '\'')) {
				b.at++;
				value.at++;
				b.at = behind(b, b.at[-1]);
				value.end = b.at > value.at && b.at[-1] == value.at[-1] ? b.at - 1 : b.at;
			} else {
				while (b.at < b.end && !is_space(*b.at) && *b.at != '>')
					b.at++;
				value.end = b.at;
			}
			if (tag)
				read_attribute(r, tag, name, value);
		}
	}
}

/* ---- text ------------------------------------------------------------------------ */

static void flush_text(struct reader *r)
{
	if (r->run.len && r->handler->text)
		r->handler->text(r->run.data, r->run.len, r->handler->arg);
	vtm_buffer_truncate(&r->run, 0);
}

static void read_text(struct reader *r, struct vtm_bytes b)
{
	if (r->span != SPAN_RAW && r->handler->text)
		vtm_html_decode(&r->run, b, false);
}

/* Elements that do not break a word.  An anchor is not among them: nobody writes a URL across its edge. */
static bool is_inline(const char *name)
{
	static const char *const names[] = {
		"abbr", "b", "bdi", "bdo", "big", "code", "del", "dfn", "em", "font", "i", "ins", "kbd", "mark", "nobr",
		"o:p", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr", NULL
	};

	return is_one_of(name, names);
}

/* ---- tags --------------------------------------------------------------------------- */

static bool is_raw(const char *name)
{
	static const char *const names[] = {
		"iframe", "noembed", "noframes", "plaintext", "script", "style", "textarea", "title", "xmp", NULL
	};

	return is_one_of(name, names);
}

/* Where "</name" begins, followed by what may follow a name. */
static const char *raw_end(struct vtm_bytes b, const char *name)
{
	size_t n = strlen(name);

	while (b.at < b.end) {
		const char *p = memchr(b.at, '<', (size_t)(b.end - b.at));

		if (!p)
			break;
		b.at = p + 1;
		if ((size_t)(b.end - p) > n + 2 && p[1] == '/' && !g_ascii_strncasecmp(p + 2, name, n) &&
		    (is_space(p[n + 2]) || p[n + 2] == '/' || p[n + 2] == '>'))
			return p;
	}
	return b.end;
}

/* The content of a raw text element, which begins at b.at; where its end tag begins.  In SVG and MathML those are
 * ordinary elements, and where those begin and end is what browsers disagree with old ones about: so both readings
 * are taken. */
static const char *read_raw(struct reader *r, struct tag *tag, struct vtm_bytes b)
{
	const char *end = strcmp(tag->name, "plaintext") ? raw_end(b, tag->name) : b.end;
	struct vtm_bytes content = { b.at, end };

	if (!strcmp(tag->name, "style"))
		read_css(r, content);
	else if (!strcmp(tag->name, "script"))
		read_script(r, content);
	else if (strcmp(tag->name, "title") && strcmp(tag->name, "iframe"))
		read_text(r, content);
	if (r->foreign)
		read_span(r, content, SPAN_RAW);
	return end;
}

/* '<' and a letter are at b.at; what is behind the tag, or behind the element if it is raw. */
static const char *read_start_tag(struct reader *r, struct vtm_bytes b)
{
	struct tag tag = { .refresh = false };

	b.at++;
	b.at = copy_name(tag.name, b, false);
	if (!is_inline(tag.name))
		flush_text(r);
	b.at = read_attributes(r, &tag, b);
	if (tag.refresh && tag.content.len)
		read_refresh(r, (struct vtm_bytes){ tag.content.data, tag.content.data + tag.content.len });
	drop(r, &tag.content);
	if (!strcmp(tag.name, "svg") || !strcmp(tag.name, "math"))
		r->foreign = true;
	return r->span != SPAN_RAW && is_raw(tag.name) ? read_raw(r, &tag, b) : b.at;
}

static const char *read_end_tag(struct reader *r, struct vtm_bytes b)
{
	char name[VTM_HTML_NAME + 1];

	b.at += 2;
	b.at = copy_name(name, b, false);
	if (!is_inline(name))
		flush_text(r);
	return read_attributes(NULL, NULL, b);
}

/* "<!--" is at b.at; what is behind the comment.  Outlook shows what a conditional one holds. */
static const char *read_comment(struct reader *r, struct vtm_bytes b)
{
	struct vtm_bytes inside = { b.at + 4, b.end };
	const char *p = inside.at;

	if (starts_with(inside, ">"))
		return p + 1;
	if (starts_with(inside, "->"))
		return p + 2;
	while ((p = memmem(p, (size_t)(b.end - p), "--", 2))) {
		if (p + 2 < b.end && p[2] == '>')
			break;
		if (p + 3 < b.end && p[2] == '!' && p[3] == '>')
			break;
		p++;
	}
	inside.end = p ? p : b.end;
	inside = skip_space(inside);
	if (r->span == SPAN_DOCUMENT && starts_with(inside, "[if")) {
		inside.at = behind(inside, '>');
		flush_text(r);
		read_span(r, inside, SPAN_CONDITIONAL);
	}
	return p ? p + (p[2] == '>' ? 3 : 4) : b.end;
}

/* '<' is at b.at; what is behind the tag, comment or whatever it begins, or NULL if it is a character like others. */
static const char *read_markup(struct reader *r, struct vtm_bytes b)
{
	char c = b.end - b.at > 1 ? b.at[1] : '\0';

	if (g_ascii_isalpha(c))
		return read_start_tag(r, b);
	if (c == '/' && b.end - b.at > 2)
		return g_ascii_isalpha(b.at[2]) ? read_end_tag(r, b) : behind(b, '>');
	if (c == '!') {
		if (starts_with(b, "<!--"))
			return read_comment(r, b);
		/* text in SVG; in HTML it would be a comment up to '>' */
		return starts_with(b, "<![cdata[") ? b.at + 9 : behind(b, '>');
	}
	return c == '?' ? behind(b, '>') : NULL;
}

static void read_span(struct reader *r, struct vtm_bytes in, enum span span)
{
	enum span outer = r->span;

	r->span = span;
	while (in.at < in.end) {
		const char *lt = memchr(in.at, '<', (size_t)(in.end - in.at)), *next;
		const char *text_end = lt ? lt : in.end;

		read_text(r, (struct vtm_bytes){ in.at, text_end });
		if (!lt)
			break;
		in.at = lt;
		next = read_markup(r, in);
		if (!next) {
			read_text(r, (struct vtm_bytes){ lt, lt + 1 });
			next = lt + 1;
		}
		in.at = next;
	}
	if (span != SPAN_RAW)
		flush_text(r);
	r->span = outer;
}

/* ---- entry points ---------------------------------------------------------------------- */

/* The document in UTF-8: <html> itself if it is that already, else *owned_r.  It is at NULL if there is no memory. */
static struct vtm_bytes document(const char *html, size_t len, const char *charset, char **owned_r)
{
	GPtrArray *declared = charset ? NULL : vtm_html_charsets(html, len, 1);
	const char *label = charset ? charset : declared->pdata[0], *encoding = label ? vtm_charset_encoding(label) : NULL;
	size_t utf8_len = len;

	if (!charset && encoding && g_str_has_prefix(encoding, "UTF-16"))
		encoding = VTM_CHARSET_UTF8;	/* the declaration could be read, so it is wrong */
	if ((encoding && strcmp(encoding, VTM_CHARSET_UTF8)) || !g_utf8_validate_len(html, len, NULL))
		html = *owned_r = vtm_charset_utf8(html, len, encoding, &utf8_len);
	if (declared)
		g_ptr_array_free(declared, TRUE);
	return (struct vtm_bytes){ html, html ? html + utf8_len : NULL };
}

bool vtm_html_read(const char *html, size_t len, const char *charset, const struct vtm_html_handler *handler)
{
	char *owned = NULL;
	struct vtm_bytes in = document(html, len, charset, &owned);
	bool whole = in.at != NULL;
	struct reader r = { .handler = handler, .whole = &whole };

	read_span(&r, in, SPAN_DOCUMENT);
	reader_clear(&r);
	g_free(owned);
	return whole;
}

bool vtm_css_read(const char *css, size_t len, const struct vtm_html_handler *handler)
{
	bool whole = true;
	struct reader r = { .handler = handler, .whole = &whole };

	read_css(&r, (struct vtm_bytes){ css, css + len });
	reader_clear(&r);
	return whole;
}
