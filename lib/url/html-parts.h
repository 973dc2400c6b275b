/* SPDX-License-Identifier: BSD-2-Clause */
/* html-parts.h - what the files of the HTML reader share.  Only html*.c include it. */
#ifndef VTM_HTML_PARTS_H
#define VTM_HTML_PARTS_H

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "base/buffer.h"

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

/* Appends <b> with its character references decoded as in text or as in an attribute, NUL bytes replaced. */
void vtm_html_decode(struct vtm_buffer *out, struct vtm_bytes b, bool attribute);

/* A script with its escapes undone, quotes and NUL bytes turned into line ends, base64 that begins like a URL
 * decoded.  <out> is empty before. */
void vtm_html_script(struct vtm_buffer *out, struct vtm_bytes b);

/* Calls <each> for what url() and @import hold, escapes undone.  false: no memory, and not all were told. */
typedef void vtm_html_css_url(const char *url, void *arg);
bool vtm_html_css(struct vtm_bytes b, vtm_html_css_url *each, void *arg);

#endif
