/* SPDX-License-Identifier: BSD-2-Clause */
/* html-attribute.c - what attributes refer to. */
#include "url/html-parts.h"

#include "base/base64.h"
#include "base/charset.h"

#define BASE_MAX 8192		/* bytes of a base; a longer one is no URL for us */
#define ANIMATED_MAX 256	/* values of an animation */

/* ---- references ----------------------------------------------------------- */

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

/* What a data: URL holds. */
enum data_kind {
	DATA_PAGE,
	DATA_SCRIPT,
	DATA_CSS,
	DATA_NOTHING,	/* pictures, sound, fonts */
	DATA_FILE	/* anything else: a browser saves it */
};

static enum data_kind kind_of_data(const char *type)
{
	static const struct {
		const char *type;
		enum data_kind kind;
	} table[] = {
		{ "text/html", DATA_PAGE }, { "image/svg", DATA_PAGE }, { "text/xml", DATA_PAGE },
		{ "application/xhtml", DATA_PAGE }, { "application/xml", DATA_PAGE }, { "text/javascript", DATA_SCRIPT },
		{ "application/javascript", DATA_SCRIPT }, { "application/x-javascript", DATA_SCRIPT },
		{ "application/ecmascript", DATA_SCRIPT }, { "text/css", DATA_CSS }, { "image/", DATA_NOTHING },
		{ "audio/", DATA_NOTHING }, { "video/", DATA_NOTHING }, { "font/", DATA_NOTHING },
		{ "application/font", DATA_NOTHING }, { "application/x-font", DATA_NOTHING }, { "text/plain", DATA_NOTHING },
		{ ",", DATA_NOTHING }, { ";", DATA_NOTHING },	/* text/plain */
	};

	while (is_space(*type))
		type++;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
		if (!g_ascii_strncasecmp(type, table[i].type, strlen(table[i].type)))
			return table[i].kind;
	return DATA_FILE;
}

/* Does the part of a data: URL before its comma end in "base64"? */
static bool says_base64(const char *type, const char *comma)
{
	while (comma > type && is_space(comma[-1]))
		comma--;
	return comma - type >= 6 && !g_ascii_strncasecmp(comma - 6, "base64", 6);
}

static void read_data(struct vtm_html_reader *r, enum data_kind kind, struct vtm_buffer *text)
{
	size_t len;
	char *utf8 = vtm_charset_utf8(vtm_buffer_text(text), text->len, NULL, &len);

	if (!utf8)
		r->run->lacks |= VTM_HTML_NO_MEMORY;
	else if (kind == DATA_PAGE)
		vtm_html_inside(r, utf8, len);
	else if (kind == DATA_SCRIPT)
		vtm_html_read_script(r, (struct vtm_bytes){ utf8, utf8 + len });
	else
		vtm_html_read_css(r, (struct vtm_bytes){ utf8, utf8 + len });
	g_free(utf8);
}

/* "data:text/html;charset=utf-8;base64,...": a page; false if it is no data: URL.  It ends at a '#', but for old
 * programs. */
static bool read_data_url(struct vtm_html_reader *r, const char *reference, enum vtm_role role)
{
	struct vtm_buffer text = { .data = NULL };
	const char *comma;
	enum data_kind kind;

	if (g_ascii_strncasecmp(reference, "data:", 5))
		return false;
	reference += 5;
	comma = strchr(reference, ',');
	kind = kind_of_data(reference);
	if (kind == DATA_FILE && role == VTM_ROLE_LINK)
		r->run->lacks |= VTM_HTML_CUT;
	if (!comma || kind == DATA_NOTHING || kind == DATA_FILE)
		return true;
	unescape(&text, comma + 1);
	if (says_base64(reference, comma)) {
		struct vtm_base64 state = { .reading = VTM_BASE64_LENIENT };
		struct vtm_buffer plain = { .data = NULL };
		char *to = vtm_buffer_make_room(&plain, text.len / 4 * 3 + 6);

		if (to) {
			size_t n = vtm_base64_add(&state, vtm_buffer_text(&text), text.len, (uint8_t *)to);

			vtm_buffer_wrote(&plain, n + vtm_base64_end(&state, (uint8_t *)to + n));
		}
		vtm_html_drop(r, &text);
		text = plain;
	}
	read_data(r, kind, &text);
	vtm_html_drop(r, &text);
	return true;
}

void vtm_html_read_script(struct vtm_html_reader *r, struct vtm_bytes b)
{
	struct vtm_buffer text = { .data = NULL };

	if (!r->run->handler->script || b.at == b.end)
		return;
	vtm_html_script(&text, b);
	r->run->handler->script(vtm_buffer_text(&text), text.len, r->run->handler->arg);
	vtm_html_drop(r, &text);
}

/* <reference> without the blanks before it and the tabs and line ends inside, which URLs ignore; new string. */
static char *tidy(const char *reference)
{
	char *s, *to;

	while (*reference && (guchar)*reference <= ' ')
		reference++;
	s = to = g_strdup(reference);
	for (const char *p = s; (*to = *p); p++)
		to += *p != '\t' && *p != '\n' && *p != '\r';
	return s;
}

static void report_tidy(struct vtm_html_reader *r, const char *reference, enum vtm_role role)
{
	struct vtm_html_run *run = r->run;

	/* an empty link leads to the base */
	if ((!*reference && role != VTM_ROLE_LINK) || read_data_url(r, reference, role))
		return;
	if (!g_ascii_strncasecmp(reference, "javascript:", 11) || !g_ascii_strncasecmp(reference, "vbscript:", 9)) {
		reference = strchr(reference, ':') + 1;
		vtm_html_read_script(r, (struct vtm_bytes){ reference, reference + strlen(reference) });
		return;
	}
	run->told_with = MIN(run->told_with, run->n_bases);
	if (run->handler->ref)
		run->handler->ref(reference, role, run->bases, run->handler->arg);
}

static void report(struct vtm_html_reader *r, const char *reference, enum vtm_role role)
{
	char *clean;

	if ((!*reference || (guchar)*reference > ' ') && !strpbrk(reference, "\t\r\n")) {
		report_tidy(r, reference, role);
		return;
	}
	clean = tidy(reference);
	report_tidy(r, clean, role);
	g_free(clean);
}

static void on_css_url(const char *url, void *arg)
{
	report(arg, url, VTM_ROLE_RESOURCE);
}

void vtm_html_read_css(struct vtm_html_reader *r, struct vtm_bytes b)
{
	if (!vtm_html_css(b, on_css_url, r))
		r->run->lacks |= VTM_HTML_NO_MEMORY;
}

static void report_bytes(struct vtm_html_reader *r, struct vtm_bytes b, enum vtm_role role)
{
	struct vtm_buffer s = { .data = NULL };

	if (b.at >= b.end)
		return;
	vtm_buffer_add(&s, b.at, (size_t)(b.end - b.at));
	report(r, vtm_buffer_text(&s), role);
	vtm_html_drop(r, &s);
}

/* "URL 2x, URL 100w" */
static void read_srcset(struct vtm_html_reader *r, struct vtm_bytes b)
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
static void read_refresh(struct vtm_html_reader *r, struct vtm_bytes b)
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

/* A base counts once, without blanks before it. */
static void read_base(struct vtm_html_run *run, const char *href)
{
	while (*href && (guchar)*href <= ' ')
		href++;
	for (unsigned i = 0; i < run->n_bases; i++)
		if (!strcmp(run->bases[i], href))
			return;
	if (run->n_bases == VTM_HTML_BASES || strlen(href) > BASE_MAX) {
		run->lacks |= VTM_HTML_CUT;
		return;
	}
	run->bases[run->n_bases++] = g_strdup(href);
}

static void read_href(struct vtm_html_reader *r, const struct vtm_html_tag *tag, const char *href)
{
	static const char *const fetched[] = {
		"link", "image", "use", "feimage", "script", "v:imagedata", "v:fill", NULL
	};

	if (strcmp(tag->name, "base"))
		report(r, href, vtm_html_is_one_of(tag->name, fetched) ? VTM_ROLE_RESOURCE : VTM_ROLE_LINK);
	else
		read_base(r->run, href);
}

/* "to" and "values" of an animation, which may set an href: what looks like a URL in the list. */
static void read_animated(struct vtm_html_reader *r, const char *list)
{
	char **values = g_strsplit(list, ";", ANIMATED_MAX + 1);

	for (unsigned i = 0; values[i]; i++)
		if (strstr(values[i], "//") || strchr(values[i], ':'))
			report(r, values[i], VTM_ROLE_LINK);
	if (strchr(list, ';') && strstr(list, "//"))
		report(r, list, VTM_ROLE_LINK);		/* one value that has a ';' */
	g_strfreev(values);
}

enum what { HREF, LINK, RESOURCE, NESTED, SRCSET, STYLE, CONTENT, HTTP_EQUIV, SRCDOC, ANIMATED, SCRIPT };

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
		{ "imagesrcset", SRCSET }, { "poster", RESOURCE }, { "data", RESOURCE },
		{ "dynsrc", RESOURCE }, { "lowsrc", RESOURCE }, { "o:href", RESOURCE }, { "originalsrc", NESTED },
		{ "data-saferedirecturl", NESTED }, { "ping", RESOURCE }, { "srcdoc", SRCDOC }, { "action-xhr", LINK },
		{ "to", ANIMATED }, { "from", ANIMATED }, { "by", ANIMATED }, { "values", ANIMATED },
	};
	const char *colon = strchr(name, ':');

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		if (!strcmp(name, table[i].name)) {
			*what_r = table[i].what;
			return true;
		}
	}
	*what_r = colon ? HREF : SCRIPT;
	/* XLink by whatever prefix */
	return colon ? !strcmp(colon + 1, "href") : name[0] == 'o' && name[1] == 'n';
}

static bool is_refresh(struct vtm_bytes b)
{
	b = skip_space(b);
	if (!starts_with(b, "refresh"))
		return false;
	b.at += strlen("refresh");
	return skip_space(b).at == b.end;
}

void vtm_html_attribute(struct vtm_html_reader *r, struct vtm_html_tag *tag, const char *name, struct vtm_bytes value)
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
		vtm_html_read_css(r, decoded);
		break;
	case CONTENT:
		if (!tag->content.data)
			vtm_buffer_add(&tag->content, decoded.at, r->value.len);
		break;
	case SRCDOC:
		vtm_html_inside(r, decoded.at, r->value.len);
		break;
	case ANIMATED:
		read_animated(r, decoded.at);
		break;
	case SCRIPT:
		vtm_html_read_script(r, decoded);
		break;
	case HTTP_EQUIV:
		tag->refresh |= is_refresh(decoded);
		break;
	}
}

void vtm_html_tag_end(struct vtm_html_reader *r, struct vtm_html_tag *tag)
{
	if (tag->refresh && tag->content.len)
		read_refresh(r, (struct vtm_bytes){ tag->content.data, tag->content.data + tag->content.len });
	vtm_html_drop(r, &tag->content);
}
