/* SPDX-License-Identifier: BSD-2-Clause */
/* html-script.c - scripts as text in which URLs can be found. */
#include "html-parts.h"

/* "\/", "\x2f", "\u002f" at b.at: appends the character; what is behind it. */
static const char *script_escape(GString *out, struct vtm_bytes b)
{
	const char *p = b.at + 1;
	int digits = p < b.end && *p == 'x' ? 2 : p < b.end && *p == 'u' ? 4 : 0;
	gunichar c = 0;

	if (p == b.end)
		return p;
	if (b.end - p <= digits || !digits) {
		g_string_append_c(out, *p);
		return p + 1;
	}
	for (int i = 1; i <= digits; i++) {
		if (!g_ascii_isxdigit(p[i]))
			return p;
		c = c * 16 + (gunichar)g_ascii_xdigit_value(p[i]);
	}
	g_string_append_unichar(out, c && g_unichar_validate(c) ? c : 0xfffd);
	return p + 1 + digits;
}

/* atob('aHR0c...'): a URL in base64 begins so. */
static const char *script_base64(GString *out, struct vtm_bytes b)
{
	const char *p = b.at;
	char *text;
	guchar *decoded;
	gsize n;

	while (p < b.end && (g_ascii_isalnum(*p) || *p == '+' || *p == '/'))
		p++;
	text = g_strdup_printf("%.*s%s", (int)(p - b.at), b.at, &"==="[(p - b.at + 3) % 4]);
	decoded = g_base64_decode(text, &n);
	g_string_append_c(out, '\n');
	g_string_append_len(out, (const char *)decoded, (gssize)n);
	g_string_append_c(out, '\n');
	g_free(decoded);
	g_free(text);
	return p;
}

GString *vtm_html_script(struct vtm_bytes b)
{
	GString *out = g_string_sized_new((gsize)(b.end - b.at));

	while (b.at < b.end) {
		char c = *b.at;

		if (c == '\\') {
			b.at = script_escape(out, b);
		} else if (c == 'a' && b.end - b.at > 8 && !memcmp(b.at, "aHR0c", 5)) {
			b.at = script_base64(out, b);
		} else {
			g_string_append_c(out, c == '\'' || c == '`' || c == '"' || !c ? '\n' : c);
			b.at++;
		}
	}
	return out;
}
