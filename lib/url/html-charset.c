/* SPDX-License-Identifier: BSD-2-Clause */
/* html-charset.c - the charsets that a page or an XML document declares. */
#include "url/html.h"

#include <string.h>

#define SNIFF_BYTES 4096	/* of a document, in which it may declare its charset: browsers look at 1,024 */
#define LABEL_MAX 64

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* The label after "charset" or "encoding" at <p>: new string, NULL if there is none. */
static char *take_label(const char *p, const char *end)
{
	const char *from;

	while (p < end && is_space(*p))
		p++;
	if (p == end || *p++ != '=')
		return NULL;
	while (p < end && (is_space(*p) || *p == '"' || *p == '\''))
		p++;
	for (from = p; p < end && p - from < LABEL_MAX && (g_ascii_isalnum(*p) || (*p && strchr("-_.:+", *p))); p++)
		;
	return p > from ? g_strndup(from, (gsize)(p - from)) : NULL;
}

/* Where the tag that begins after the '<' at <p> - 1 ends.  A '<' ends it as well, so that all tags together are looked
 * at once. */
static const char *tag_end(const char *p, const char *end)
{
	while (p < end && *p != '>' && *p != '<')
		p++;
	return p;
}

static bool begins(const char *p, const char *end, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(end - p) >= n && !g_ascii_strncasecmp(p, word, n);
}

GPtrArray *vtm_html_charsets(const char *html, size_t len, guint max)
{
	GPtrArray *labels = g_ptr_array_new_with_free_func(g_free);
	const char *end = html + MIN(len, SNIFF_BYTES), *p = html;

	while (p < end && (p = memchr(p, '<', (size_t)(end - p))) && labels->len < max) {
		const char *stop = tag_end(++p, end), *word = begins(p, stop, "meta") ? "charset" : "encoding";

		if (*word == 'e' && !begins(p, stop, "?xml"))
			continue;
		for (; p < stop && labels->len < max; p++) {
			char *label = begins(p, stop, word) ? take_label(p + strlen(word), stop) : NULL;

			if (label)
				g_ptr_array_add(labels, label);
		}
	}
	g_ptr_array_add(labels, NULL);
	return labels;
}
