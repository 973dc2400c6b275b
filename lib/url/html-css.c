/* SPDX-License-Identifier: BSD-2-Clause */
/* html-css.c - URLs in style sheets. */
#include "url/html-parts.h"

/* Backslash at b.at: appends what it stands for; what is behind it. */
static const char *css_escape(struct vtm_buffer *out, struct vtm_bytes b)
{
	const char *p = b.at + 1;
	gunichar c = 0;
	int n = 0;

	for (; p < b.end && n < 6 && g_ascii_isxdigit(*p); p++, n++)
		c = c * 16 + (gunichar)g_ascii_xdigit_value(*p);
	if (n) {
		vtm_buffer_add_unichar(out, c && g_unichar_validate(c) ? c : 0xfffd);
		return p < b.end && is_space(*p) ? p + 1 : p;
	}
	if (p < b.end && *p != '\n')
		vtm_buffer_add_char(out, *p);
	return p < b.end ? p + 1 : p;
}

/* A string, or the inside of url( up to its parenthesis, at b.at; what is behind it. */
static const char *take_url(struct vtm_buffer *url, struct vtm_bytes b)
{
	char quote = b.at < b.end && (*b.at == '"' || *b.at == '\'') ? *b.at : '\0';

	vtm_buffer_truncate(url, 0);
	if (quote)
		b.at++;
	while (b.at < b.end && (quote ? *b.at != quote : *b.at != ')' && !is_space(*b.at))) {
		if (*b.at == '\\')
			b.at = css_escape(url, b);
		else
			vtm_buffer_add_char(url, *b.at++);
	}
	return b.at < b.end ? b.at + 1 : b.at;
}

/* Is a URL spelled out at b.at?  What it begins with is skipped. */
static bool skip_to_url(struct vtm_bytes *b)
{
	if (starts_with(*b, "url(")) {
		b->at += 4;
		*b = skip_space(*b);
		return true;
	}
	if (starts_with(*b, "@import")) {
		b->at += 7;
		*b = skip_space(*b);
		return b->at < b->end && (*b->at == '"' || *b->at == '\'');
	}
	if (starts_with(*b, "src='") || starts_with(*b, "src=\"")) {
		b->at += 4;	/* AlphaImageLoader(src='...') */
		return true;
	}
	b->at++;
	return false;
}

bool vtm_html_css(struct vtm_bytes b, vtm_html_css_url *each, void *arg)
{
	struct vtm_buffer url = { .data = NULL };
	bool whole;

	while (b.at < b.end) {
		if (starts_with(b, "/*")) {
			const char *end = memmem(b.at + 2, (size_t)(b.end - b.at - 2), "*/", 2);

			b.at = end ? end + 2 : b.end;
		} else if (!strchr("uU@sS", *b.at)) {
			b.at++;
		} else if (skip_to_url(&b)) {
			b.at = take_url(&url, b);
			if (url.len)
				each(url.data, arg);
		}
	}
	whole = !url.refused;
	vtm_buffer_clear(&url);
	return whole;
}
