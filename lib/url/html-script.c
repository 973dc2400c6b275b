/* SPDX-License-Identifier: BSD-2-Clause */
/* html-script.c - scripts as text in which URLs can be found. */
#include "url/html-parts.h"

#include "base/base64.h"

/* The number that <digits> hex digits at <p> spell; false if they are none. */
static bool hex_at(const char *p, const char *end, int digits, gunichar *c_r)
{
	*c_r = 0;
	if (end - p < digits)
		return false;
	for (int i = 0; i < digits; i++) {
		if (!g_ascii_isxdigit(p[i]))
			return false;
		*c_r = *c_r * 16 + (gunichar)g_ascii_xdigit_value(p[i]);
	}
	return true;
}

/* "\u{1d7e2}" at <p>, which is behind the brace; what is behind it, NULL if it is none. */
static const char *braced_at(const char *p, const char *end, gunichar *c_r)
{
	*c_r = 0;
	for (; p < end && g_ascii_isxdigit(*p); p++)
		*c_r = MIN(*c_r * 16 + (gunichar)g_ascii_xdigit_value(*p), 0x110000);
	return p < end && *p == '}' ? p + 1 : NULL;
}

/* "\/", "\x2f", "\u002f", "\u{2f}", two halves of a pair at b.at: appends the character; what is behind it. */
static const char *script_escape(struct vtm_buffer *out, struct vtm_bytes b)
{
	const char *p = b.at + 1, *next = NULL;
	gunichar c = 0, low;

	if (p == b.end)
		return p;
	if (*p == '\n' || *p == '\r')	/* the line goes on */
		return p + 1 + (*p == '\r' && p + 1 < b.end && p[1] == '\n');
	if (*p == 'x')
		next = hex_at(p + 1, b.end, 2, &c) ? p + 3 : NULL;
	else if (*p == 'u' && b.end - p > 1 && p[1] == '{')
		next = braced_at(p + 2, b.end, &c);
	else if (*p == 'u')
		next = hex_at(p + 1, b.end, 4, &c) ? p + 5 : NULL;
	if (!next) {
		vtm_buffer_add_char(out, *p);
		return p + 1;
	}
	if (c >= 0xd800 && c < 0xdc00 && b.end - next > 5 && next[0] == '\\' && next[1] == 'u' &&
	    hex_at(next + 2, b.end, 4, &low) && low >= 0xdc00 && low < 0xe000) {
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		next += 6;
	}
	vtm_buffer_add_unichar(out, c && g_unichar_validate(c) ? c : 0xfffd);
	return next;
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

static bool is_quote(char c)
{
	return c == '\'' || c == '`' || c == '"';
}

/* The quote at b.at ends a string; what is behind the one that begins the next, if '+' joins them, else NULL. */
static const char *joined(struct vtm_bytes b)
{
	b.at++;
	b = skip_space(b);
	if (b.at == b.end || *b.at != '+')
		return NULL;
	b.at++;
	b = skip_space(b);
	return b.at < b.end && is_quote(*b.at) ? b.at + 1 : NULL;
}

void vtm_html_script(struct vtm_buffer *out, struct vtm_bytes b)
{
	vtm_buffer_make_room(out, (size_t)(b.end - b.at));
	while (b.at < b.end) {
		char c = *b.at;
		const char *next;

		if (c == '\\') {
			b.at = script_escape(out, b);
		} else if (c == 'a' && b.end - b.at > 8 && !memcmp(b.at, "aHR0c", 5)) {
			b.at = script_base64(out, b);
		} else if (is_quote(c) && (next = joined(b))) {
			b.at = next;
		} else {
			vtm_buffer_add_char(out, is_quote(c) || !c ? '\n' : c);
			b.at++;
		}
	}
}
