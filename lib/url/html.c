/* SPDX-License-Identifier: BSD-2-Clause */
/* html.c - references and visible text of HTML: the tokenizer of the HTML standard without its tree.
 *
 * libxml2's SAX parser was tried and measured (2.9.14): as push parser it stops after "</html>", it takes "<!-->" and
 * "<title><!--</title>" for the beginning of a comment that hides the rest, it loses the href of "<a/href=...>", and
 * 100,000 end tags that match nothing, or attributes of one tag, take it 10 to 18 s.  A sender chooses those.  Nothing
 * here looks back, and nothing nests but a conditional comment and a document in an attribute, each once or twice:
 * linear, flat.
 */
#include "url/html-parts.h"

#include "base/charset.h"

#define INSIDE_MAX 2		/* data: URLs and srcdoc in each other */

static void read_span(struct vtm_html_reader *r, struct vtm_bytes in);

void vtm_html_drop(struct vtm_html_reader *r, struct vtm_buffer *b)
{
	if (b->refused)
		r->run->lacks |= VTM_HTML_NO_MEMORY;
	vtm_buffer_clear(b);
}

bool vtm_html_is_one_of(const char *name, const char *const *names)
{
	/* asked for every tag: the first byte settles it for most */
	for (; *names; names++)
		if (**names == *name && !strcmp(*names, name))
			return true;
	return false;
}

/* ---- tags ----------------------------------------------------------------- */

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

/* The attributes of a tag whose name ends at b.at; what is behind its '>'.  <tag> NULL: nobody asks for them. */
static const char *read_attributes(struct vtm_html_reader *r, struct vtm_html_tag *tag, struct vtm_bytes b)
{
	char name[VTM_HTML_NAME + 1];

	for (;;) {
		struct vtm_bytes value = { NULL, NULL };
		bool slash = false;

		for (; b.at < b.end && (is_space(*b.at) || *b.at == '/'); b.at++)
			slash = *b.at == '/';
		if (b.at == b.end)
			return b.end;
		if (*b.at == '>') {
			if (tag)
				tag->closed = slash;
			return b.at + 1;
		}
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
				vtm_html_attribute(r, tag, name, value);
		}
	}
}

/* ---- text ------------------------------------------------------------------------ */

static void flush_text(struct vtm_html_reader *r)
{
	const struct vtm_html_handler *handler = r->run->handler;

	if (r->text.len && handler->text)
		handler->text(r->text.data, r->text.len, handler->arg);
	vtm_buffer_truncate(&r->text, 0);
}

static void read_text(struct vtm_html_reader *r, struct vtm_bytes b)
{
	if (!r->hidden && r->run->handler->text)
		vtm_html_decode(&r->text, b, false);
}

/* Elements that do not break a word.  An anchor is not among them: nobody writes a URL across its edge. */
static bool is_inline(const char *name)
{
	static const char *const names[] = {
		"abbr", "b", "bdi", "bdo", "big", "code", "del", "dfn", "em", "font", "i", "ins", "kbd", "mark", "nobr",
		"o:p", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr", NULL
	};

	return vtm_html_is_one_of(name, names);
}

/* ---- SVG and MathML ----------------------------------------------------------------- */

static bool in_foreign(const struct vtm_html_reader *r)
{
	return r->mode == VTM_HTML_STANDARD && r->foreign_depth && r->foreign[r->foreign_depth - 1] != 'h';
}

static void enter(struct vtm_html_reader *r, char what)
{
	if (r->foreign_depth == VTM_HTML_FOREIGN)
		r->run->lacks |= VTM_HTML_CUT;
	else
		r->foreign[r->foreign_depth++] = what;
}

/* Start tags that end SVG and MathML (HTML standard, "any other content in foreign content"). */
static bool breaks_out(const char *name)
{
	static const char *const names[] = {
		"b", "big", "blockquote", "body", "br", "center", "code", "dd", "div", "dl", "dt", "em", "embed", "h1",
		"h2", "h3", "h4", "h5", "h6", "head", "hr", "i", "img", "li", "listing", "menu", "meta", "nobr", "ol", "p",
		"pre", "ruby", "s", "small", "span", "strong", "strike", "sub", "sup", "table", "tt", "u", "ul", "var", NULL
	};

	return vtm_html_is_one_of(name, names);
}

/* Elements of SVG or MathML in which HTML goes on. */
static bool holds_html(char around, const char *name)
{
	static const char *const svg[] = { "foreignobject", "desc", "title", NULL };
	static const char *const math[] = { "mi", "mo", "mn", "ms", "mtext", "annotation-xml", NULL };

	return vtm_html_is_one_of(name, around == 's' ? svg : math);
}

/* Where a start tag leaves us. */
static void enter_foreign(struct vtm_html_reader *r, const struct vtm_html_tag *tag)
{
	if (in_foreign(r) && breaks_out(tag->name))
		while (r->foreign_depth && r->foreign[r->foreign_depth - 1] != 'h')
			r->foreign_depth--;
	if (tag->closed)
		return;
	if (!strcmp(tag->name, "svg"))
		enter(r, 's');
	else if (!strcmp(tag->name, "math"))
		enter(r, 'm');
	else if (in_foreign(r) && holds_html(r->foreign[r->foreign_depth - 1], tag->name))
		enter(r, 'h');
}

/* Where an end tag leaves us: it ends the innermost of its kind. */
static void leave_foreign(struct vtm_html_reader *r, const char *name)
{
	bool html = holds_html('s', name) || holds_html('m', name);
	char what = !strcmp(name, "svg") ? 's' : !strcmp(name, "math") ? 'm' : html ? 'h' : '\0';

	if (in_foreign(r) && (!strcmp(name, "p") || !strcmp(name, "br")))
		while (r->foreign_depth && r->foreign[r->foreign_depth - 1] != 'h')
			r->foreign_depth--;
	for (unsigned i = r->foreign_depth; what && i > 0; i--) {
		if (r->foreign[i - 1] == what) {
			r->foreign_depth = i - 1;
			return;
		}
		if (r->foreign[i - 1] == 'h')
			return;
	}
}

/* ---- raw text ------------------------------------------------------------------------ */

static bool is_raw(const char *name)
{
	static const char *const names[] = {
		"iframe", "noembed", "noframes", "plaintext", "script", "style", "textarea", "title", "xmp", NULL
	};

	return vtm_html_is_one_of(name, names);
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

static bool has_tag(struct vtm_bytes b)
{
	while ((b.at = memchr(b.at, '<', (size_t)(b.end - b.at)))) {
		b.at++;
		if (b.at == b.end)
			break;
		if (g_ascii_isalpha(*b.at))
			return true;
	}
	return false;
}

/* The content of a raw text element, which begins at b.at; where its end tag begins.  If there are tags in it, it is
 * read once more as if it were none: programs that do not know the element, or not where it stands, follow them. */
static const char *read_raw(struct vtm_html_reader *r, const char *name, struct vtm_bytes b)
{
	const char *end = strcmp(name, "plaintext") ? raw_end(b, name) : b.end;
	struct vtm_bytes content = { b.at, end };

	if (!strcmp(name, "style"))
		vtm_html_read_css(r, content);
	else if (!strcmp(name, "script"))
		vtm_html_read_script(r, content);
	else if (strcmp(name, "title") && strcmp(name, "iframe"))
		read_text(r, content);
	if (has_tag(content) || (end == b.end && content.at < end) || !strcmp(name, "iframe"))
		r->run->reread[VTM_HTML_PLAIN] = true;
	return end;
}

/* Is the element's content raw in this reading? */
static bool reads_raw(struct vtm_html_reader *r, const char *name)
{
	bool noscript = !strcmp(name, "noscript"), raw = is_raw(name);

	if (!raw && !noscript)
		return false;
	switch (r->mode) {
	case VTM_HTML_STANDARD:
		/* browsers that run scripts do not look into <noscript>, and old ones know no SVG */
		if (noscript || in_foreign(r))
			r->run->reread[VTM_HTML_OLD] = true;
		return raw && !in_foreign(r);
	case VTM_HTML_OLD:
		return true;
	case VTM_HTML_PLAIN:
		r->hidden = r->hidden || !strcmp(name, "style") || !strcmp(name, "script");
		return false;
	}
	return false;
}

/* ---- mark-up ---------------------------------------------------------------------------- */

/* '<' and a letter are at b.at; what is behind the tag, or behind the content if that is raw. */
static const char *read_start_tag(struct vtm_html_reader *r, struct vtm_bytes b)
{
	struct vtm_html_tag tag = { .refresh = false };

	b.at++;
	b.at = copy_name(tag.name, b, false);
	if (!is_inline(tag.name))
		flush_text(r);
	b.at = read_attributes(r, &tag, b);
	vtm_html_tag_end(r, &tag);
	if (r->mode == VTM_HTML_STANDARD)
		enter_foreign(r, &tag);
	return reads_raw(r, tag.name) ? read_raw(r, tag.name, b) : b.at;
}

static const char *read_end_tag(struct vtm_html_reader *r, struct vtm_bytes b)
{
	char name[VTM_HTML_NAME + 1];

	b.at += 2;
	b.at = copy_name(name, b, false);
	if (!is_inline(name))
		flush_text(r);
	if (r->foreign_depth)
		leave_foreign(r, name);
	r->hidden = r->hidden && strcmp(name, "style") && strcmp(name, "script");
	return read_attributes(NULL, NULL, b);
}

/* Outlook shows what a conditional comment holds. */
static void read_conditional(struct vtm_html_reader *r, struct vtm_bytes inside)
{
	unsigned foreign_depth = r->foreign_depth;
	bool hidden = r->hidden, no_comment_end = r->no_comment_end;

	inside = skip_space(inside);
	if (r->conditional || !starts_with(inside, "[if"))
		return;
	inside.at = behind(inside, '>');
	flush_text(r);
	r->conditional = true;
	r->hidden = false;
	read_span(r, inside);
	r->conditional = false;
	r->hidden = hidden;
	r->no_comment_end = no_comment_end;	/* of the document, not of what the comment holds */
	r->foreign_depth = MIN(foreign_depth, r->foreign_depth);
}

/* The "-->" or "--!>" in <b>, NULL: none. */
static const char *comment_end(struct vtm_bytes b)
{
	for (const char *p = b.at; (p = memmem(p, (size_t)(b.end - p), "--", 2)); p++)
		if ((b.end - p > 2 && p[2] == '>') || (b.end - p > 3 && p[2] == '!' && p[3] == '>'))
			return p;
	return NULL;
}

/* "<!--" is at b.at; what is behind the comment. */
static const char *read_comment(struct vtm_html_reader *r, struct vtm_bytes b)
{
	struct vtm_bytes inside = { b.at + 4, b.end };
	const char *p = inside.at;

	if (starts_with(inside, ">"))
		return p + 1;
	if (starts_with(inside, "->"))
		return p + 2;
	p = r->no_comment_end ? NULL : comment_end(inside);
	r->no_comment_end = !p;
	if (!p && r->mode == VTM_HTML_PLAIN)
		return behind(inside, '>');
	inside.end = p ? p : b.end;
	r->run->reread[VTM_HTML_PLAIN] |= !p;
	read_conditional(r, inside);
	return p ? p + (p[2] == '>' ? 3 : 4) : b.end;
}

/* "<![CDATA[" is at b.at; what is behind what is read of it.  In HTML it is a comment that ends at the first '>'; in SVG
 * and MathML the content is text; to those who know neither, it is markup. */
static const char *read_cdata(struct vtm_html_reader *r, struct vtm_bytes b)
{
	struct vtm_bytes inside = { b.at + strlen("<![CDATA["), b.end };
	const char *end;

	if (r->mode == VTM_HTML_PLAIN)
		return inside.at;
	r->run->reread[VTM_HTML_OLD] = r->run->reread[VTM_HTML_PLAIN] = true;
	if (!in_foreign(r))
		return behind(b, '>');
	end = memmem(inside.at, (size_t)(inside.end - inside.at), "]]>", 3);
	if (!r->hidden && r->run->handler->text)
		vtm_buffer_add(&r->text, inside.at, (size_t)((end ? end : inside.end) - inside.at));
	return end ? end + 3 : b.end;
}

/* '<' is at b.at; what is behind the tag, comment or whatever it begins, or NULL if it is a character like others. */
static const char *read_markup(struct vtm_html_reader *r, struct vtm_bytes b)
{
	char c = b.end - b.at > 1 ? b.at[1] : '\0';

	if (g_ascii_isalpha(c))
		return read_start_tag(r, b);
	if (c == '/' && b.end - b.at > 2)
		return g_ascii_isalpha(b.at[2]) ? read_end_tag(r, b) : behind(b, '>');
	if (c == '!') {
		if (starts_with(b, "<!--"))
			return read_comment(r, b);
		return starts_with(b, "<![cdata[") ? read_cdata(r, b) : behind(b, '>');
	}
	return c == '?' ? behind(b, '>') : NULL;
}

static void read_span(struct vtm_html_reader *r, struct vtm_bytes in)
{
	while (in.at < in.end && !vtm_work_over(r->run->handler->work)) {
		const char *lt = memchr(in.at, '<', (size_t)(in.end - in.at)), *next;

		read_text(r, (struct vtm_bytes){ in.at, lt ? lt : in.end });
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
	flush_text(r);
}

/* ---- documents ---------------------------------------------------------------------- */

/* The document in UTF-8: <html> itself if it is that already, else *owned_r.  It is at NULL if there is no memory. */
static struct vtm_bytes document(const char *html, size_t len, const char *charset, char **owned_r)
{
	GPtrArray *declared = charset ? NULL : vtm_html_charsets(html, len, 1);
	const char *label = declared ? declared->pdata[0] : charset, *encoding = label ? vtm_charset_encoding(label) : NULL;
	size_t utf8_len = len;

	if (!charset && encoding && g_str_has_prefix(encoding, "UTF-16"))
		encoding = VTM_CHARSET_UTF8;	/* the declaration could be read, so it is wrong */
	if ((encoding && strcmp(encoding, VTM_CHARSET_UTF8)) || !g_utf8_validate_len(html, len, NULL))
		html = *owned_r = vtm_charset_utf8(html, len, encoding, &utf8_len);
	if (declared)
		g_ptr_array_free(declared, TRUE);
	return (struct vtm_bytes){ html, html ? html + utf8_len : NULL };
}

static void read_document(struct vtm_html_run *run, enum vtm_html_mode mode, unsigned inside, struct vtm_bytes in)
{
	struct vtm_html_reader r = { .run = run, .mode = mode, .inside = inside };

	if (vtm_work_spend(run->handler->work, (size_t)(in.end - in.at)))
		read_span(&r, in);
	vtm_html_drop(&r, &r.text);
	vtm_html_drop(&r, &r.value);
}

void vtm_html_inside(struct vtm_html_reader *r, const char *html, size_t len)
{
	if (r->inside == INSIDE_MAX)
		r->run->lacks |= VTM_HTML_CUT;
	else
		read_document(r->run, r->mode, r->inside + 1, (struct vtm_bytes){ html, html + len });
}

static void read_all_ways(struct vtm_html_run *run, struct vtm_bytes in)
{
	for (int mode = VTM_HTML_STANDARD; mode <= VTM_HTML_PLAIN; mode++)
		if (mode == VTM_HTML_STANDARD || run->reread[mode])
			read_document(run, (enum vtm_html_mode)mode, 0, in);
}

unsigned vtm_html_read(const char *html, size_t len, const char *charset, const struct vtm_html_handler *handler)
{
	struct vtm_html_run run = { .handler = handler, .told_with = VTM_HTML_BASES };
	char *owned = NULL;
	struct vtm_bytes in = document(html, len, charset, &owned);

	if (!in.at)
		return VTM_HTML_NO_MEMORY;
	read_all_ways(&run, in);
	/* a base that stands behind links counts for them, too */
	if (run.told_with < run.n_bases)
		read_all_ways(&run, in);
	for (unsigned i = 0; i < run.n_bases; i++)
		g_free((char *)(uintptr_t)run.bases[i]);
	g_free(owned);
	return run.lacks;
}
