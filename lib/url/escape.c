/* SPDX-License-Identifier: BSD-2-Clause */
/* escape.c - percent-escapes and base64 inside URLs. */
#include "url/escape.h"

#include <string.h>

#include "base/base64.h"

char *vtm_url_unescape(const char *text, gssize len)
{
	const char *end = text + (len < 0 ? strlen(text) : (size_t)len);
	char *out = g_malloc((gsize)(end - text) + 1), *o = out;

	for (; text < end; text++) {
		char c = *text;

		if (c == '%' && end - text > 2 && g_ascii_isxdigit(text[1]) && g_ascii_isxdigit(text[2])) {
			c = (char)(g_ascii_xdigit_value(text[1]) << 4 | g_ascii_xdigit_value(text[2]));
			text += 2;
		}
		if (!c) {
			g_free(out);
			return NULL;
		}
		*o++ = c;
	}
	*o = '\0';
	return out;
}

char *vtm_url_base64(const char *text, size_t len)
{
	struct vtm_base64 state = { .reading = VTM_BASE64_LENIENT };
	char *plain = g_strndup(text, len);
	uint8_t *out = g_malloc(len / 4 * 3 + 6);
	size_t n;

	g_strdelimit(plain, "-", '+');
	g_strdelimit(plain, "_", '/');
	n = vtm_base64_add(&state, plain, len, out);
	n += vtm_base64_end(&state, out + n);
	out[n] = '\0';
	g_free(plain);
	return (char *)out;
}

const char *vtm_url_find_scheme(const char *s)
{
	const char *p = s;

	while ((p = strchr(p, ':'))) {
		if (p[1] == '/' || p[1] == '\\') {
			if (p - s >= 4 && !g_ascii_strncasecmp(p - 4, "http", 4))
				return p - 4;
			if (p - s >= 5 && !g_ascii_strncasecmp(p - 5, "https", 5))
				return p - 5;
		}
		p++;
	}
	return NULL;
}
