/* SPDX-License-Identifier: BSD-2-Clause */
/* html-script.c - scripts as text in which URLs can be found. */
#include "url/html-parts.h"

#include "base/base64.h"

/* "\/", "\x2f", "\u002f" at b.at: appends the character; what is behind it. */
static const char *script_escape(struct vtm_buffer *out, struct vtm_bytes b)
{
	const char *p = b.at + 1;
	int digits = p < b.end && *p == 'x' ? 2 : p < b.end && *p == 'u' ? 4 : 0;
	gunichar c = 0;

	if (p == b.end)
		return p;
	if (b.end - p <= digits || !digits) {
		vtm_buffer_add_char(out, *p);
		return p + 1;
	}
	for (int i = 1; i <= digits; i++) {
		if (!g_ascii_isxdigit(p[i]))
			return p;
		c = c * 16 + (gunichar)g_ascii_xdigit_value(p[i]);
	}
	vtm_buffer_add_unichar(out, c && g_unichar_validate(c) ? c : 0xfffd);
	return p + 1 + digits;
}

/* atob('aHR0c...'): a URL in base64 begins so. */
static const char *script_base64(struct vtm_buffer *out, struct vtm_bytes b)
{
	const char *p = b.at;
	struct vtm_base64 state = { .reading = VTM_BASE64_LENIENT };
	uint8_t *to;

	while (p < b.end && (g_ascii_isalnum(*p) || *p == '+' || *p == '/'))
		p++;
	vtm_buffer_add_char(out, '\n');
	to = (uint8_t *)vtm_buffer_make_room(out, (size_t)(p - b.at) / 4 * 3 + 3 + 2);
	if (to) {
		size_t n = vtm_base64_add(&state, b.at, (size_t)(p - b.at), to);

		vtm_buffer_wrote(out, n + vtm_base64_end(&state, to + n));
	}
	vtm_buffer_add_char(out, '\n');
	return p;
}

void vtm_html_script(struct vtm_buffer *out, struct vtm_bytes b)
{
	vtm_buffer_make_room(out, (size_t)(b.end - b.at));
	while (b.at < b.end) {
		char c = *b.at;

		if (c == '\\') {
			b.at = script_escape(out, b);
		} else if (c == 'a' && b.end - b.at > 8 && !memcmp(b.at, "aHR0c", 5)) {
			b.at = script_base64(out, b);
		} else {
			vtm_buffer_add_char(out, c == '\'' || c == '`' || c == '"' || !c ? '\n' : c);
			b.at++;
		}
	}
}
