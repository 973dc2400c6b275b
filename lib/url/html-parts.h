/* SPDX-License-Identifier: BSD-2-Clause */
/* html-parts.h - what the files of the HTML reader share.  Only html*.c include it. */
#ifndef VTM_HTML_PARTS_H
#define VTM_HTML_PARTS_H

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "base/buffer.h"
#include "url/html.h"

#define VTM_HTML_NAME 32	/* longest name of an element, attribute or entity that means anything here */

/* A piece of the document.  Readers take one whose <at> is where they begin and return what is behind it. */
struct vtm_bytes {
	const char *at, *end;
};

static inline bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v');
}

static inline struct vtm_bytes skip_space(struct vtm_bytes b)
{
	while (b.at < b.end && is_space(*b.at))
		b.at++;
	return b;
}

static inline bool starts_with(struct vtm_bytes b, const char *lower)
{
	size_t n = strlen(lower);

	return (size_t)(b.end - b.at) >= n && !g_ascii_strncasecmp(b.at, lower, n);
}

/* First byte behind the next <c>, or the end. */
static inline const char *behind(struct vtm_bytes b, char c)
{
	const char *p = memchr(b.at, c, (size_t)(b.end - b.at));

	return p ? p + 1 : b.end;
}

#define VTM_HTML_LEGACY_NAME 6	/* longest name that counts without a semicolon */

struct vtm_html_name {
	const char *name;	/* without '&' and ';' */
	gunichar c, second;	/* what it stands for; <second> 0: one character */
	bool legacy;		/* counts without a semicolon, too */
};

/* NULL: no such name. */
const struct vtm_html_name *vtm_html_name(const char *name);

/* Appends <b> with its character references decoded as in text or as in an attribute, NUL bytes replaced. */
void vtm_html_decode(struct vtm_buffer *out, struct vtm_bytes b, bool attribute);

/* A script with its escapes undone, strings that '+' joins made one, other quotes and NUL bytes turned into line ends,
 * base64 that begins like a URL decoded.  <out> is empty before. */
void vtm_html_script(struct vtm_buffer *out, struct vtm_bytes b);

/* Calls <each> for what url() and @import hold, escapes undone.  false: no memory, and not all were told. */
typedef void vtm_html_css_url(const char *url, void *arg);
bool vtm_html_css(struct vtm_bytes b, vtm_html_css_url *each, void *arg);

/* ---- the reader ---- */

/* How a document is read.  Programs differ in two points: which elements hold raw text, and whether SVG and MathML are
 * a language of their own; either decides where a tag or quote that hides others begins. */
enum vtm_html_mode {
	VTM_HTML_STANDARD,	/* as browsers do: in SVG and MathML nothing is raw, and CDATA is text */
	VTM_HTML_OLD,		/* SVG and MathML are nothing special, <noscript> is raw (browsers that run scripts) */
	VTM_HTML_PLAIN		/* no element is raw, a comment that does not end ends at its first '>' */
};

#define VTM_HTML_FOREIGN 32	/* SVG, MathML and HTML in each other that are kept apart */

/* What the readings of one vtm_html_read() share. */
struct vtm_html_run {
	const struct vtm_html_handler *handler;
	const char *bases[VTM_HTML_BASES + 1];	/* owned, NULL at the end */
	unsigned n_bases;
	unsigned told_with;	/* the fewest bases that a reference was told with */
	bool reread[VTM_HTML_PLAIN + 1];	/* there is something that this mode reads in another way */
	unsigned lacks;		/* of enum vtm_html_lack */
};

struct vtm_html_reader {
	struct vtm_html_run *run;
	enum vtm_html_mode mode;
	struct vtm_buffer text;	/* visible text so far */
	struct vtm_buffer value;/* scratch: one attribute's value, entities decoded */
	unsigned inside;	/* how deep in data: URLs and srcdoc */
	bool conditional;	/* inside <!--[if ...]> */
	bool no_comment_end;	/* no comment ends from here on: do not look again */
	bool hidden;		/* VTM_HTML_PLAIN: inside <style> or <script>: its text is none */
	char foreign[VTM_HTML_FOREIGN];	/* 's'vg, 'm'ath, or 'h': HTML inside of either */
	unsigned foreign_depth;
};

/* A tag as far as it is read. */
struct vtm_html_tag {
	char name[VTM_HTML_NAME + 1];	/* lower case, cut; <base> and <meta> need it whole, others only differ */
	bool refresh;			/* <meta http-equiv=refresh> */
	bool closed;			/* it ends with "/>" */
	struct vtm_buffer content;	/* of <meta> */
};

/* Gives a buffer back; what it lacked is noted. */
void vtm_html_drop(struct vtm_html_reader *r, struct vtm_buffer *b);
bool vtm_html_is_one_of(const char *name, const char *const *names);
/* html.c: reads a document inside an attribute, UTF-8. */
void vtm_html_inside(struct vtm_html_reader *r, const char *html, size_t len);
/* html-attribute.c: what attribute <name> of <tag> says; <value> with its character references. */
void vtm_html_attribute(struct vtm_html_reader *r, struct vtm_html_tag *tag, const char *name, struct vtm_bytes value);
/* ... and what all of its attributes say together. */
void vtm_html_tag_end(struct vtm_html_reader *r, struct vtm_html_tag *tag);
/* The content of <style> and <script>. */
void vtm_html_read_css(struct vtm_html_reader *r, struct vtm_bytes b);
void vtm_html_read_script(struct vtm_html_reader *r, struct vtm_bytes b);

#endif
