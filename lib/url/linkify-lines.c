/* SPDX-License-Identifier: BSD-2-Clause */
/* linkify-lines.c - lines that are one: flowed text, calendars and cards. */
#include "url/linkify-parts.h"

#include <string.h>

/* ---- format=flowed --------------------------------------------------------------- */

/* Joins soft line breaks whose blank goes (RFC 3676, DelSp=yes).  Where it stays a URL ends anyway. */
void vtm_linkify_unflow(struct vtm_buffer *out, const char *text, size_t len)
{
	const char *end = text + len;
	size_t soft_depth = 0;
	bool soft = false;

	vtm_buffer_make_room(out, len);
	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text)), *line_end = eol ? eol : end;
		size_t depth = 0;

		while (text < line_end && *text == '>') {
			depth++;
			text++;
		}
		if (text < line_end && *text == ' ')
			text++;
		if (line_end > text && line_end[-1] == '\r')
			line_end--;
		if (out->len && !(soft && soft_depth == depth))
			vtm_buffer_add_char(out, '\n');
		soft = line_end > text && line_end[-1] == ' ' && !(line_end - text == 3 && !memcmp(text, "-- ", 3));
		soft_depth = depth;
		vtm_buffer_add(out, text, (size_t)(line_end - text) - soft);
		text = eol ? eol + 1 : end;
	}
}

/* ---- calendars and cards ----------------------------------------------------------- */

/* A line end and a blank are a fold; "\n" is a line end, a backslash before others is none (RFC 5545, 3.1, 3.3.11). */
void vtm_linkify_unfold(struct vtm_buffer *out, const char *text, size_t len)
{
	const char *end = text + len;

	vtm_buffer_make_room(out, len);
	while (text < end) {
		const char *p = text + (*text == '\r' && text + 1 < end && text[1] == '\n');

		if (*p == '\n' && p + 1 < end && (p[1] == ' ' || p[1] == '\t')) {
			text = p + 2;
		} else if (*text == '\\' && text + 1 < end && strchr("nN,;\\", text[1]) && text[1]) {
			vtm_buffer_add_char(out, text[1] == 'n' || text[1] == 'N' ? '\n' : text[1]);
			text += 2;
		} else {
			vtm_buffer_add_char(out, *text++);
		}
	}
}
