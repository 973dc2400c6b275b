/* SPDX-License-Identifier: BSD-2-Clause */
/* log-escape.c - makes text safe for one line of the log, in plain form and as JSON. */
#include <string.h>

#include "base/log-parts.h"

/* May <c> reach a terminal?  Not the control characters, nor those that reverse a line (U+202E) or end it (U+2028). */
static bool is_shown(gunichar c)
{
	GUnicodeType type = g_unichar_type(c);

	return g_unichar_isprint(c) && type != G_UNICODE_FORMAT && type != G_UNICODE_LINE_SEPARATOR &&
	       type != G_UNICODE_PARAGRAPH_SEPARATOR;
}

/* The length in bytes of the valid character at <p>, or 0. */
static size_t char_at(const char *p, size_t len, gunichar *c_r)
{
	if (!*p) {	/* for GLib the end of the text, here data */
		*c_r = 0;
		return 1;
	}
	*c_r = g_utf8_get_char_validated(p, (gssize)len);
	if (*c_r == (gunichar)-1 || *c_r == (gunichar)-2)
		return 0;
	return (size_t)g_utf8_skip[(unsigned char)*p];
}

static void escape_bytes(GString *out, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		g_string_append_printf(out, "\\x%02x", (unsigned char)p[i]);
}

void vtm_log_escape_into(GString *out, const char *text, size_t len, size_t max, const char *special)
{
	size_t i = 0;

	while (i < len) {
		gunichar c;
		size_t n = char_at(text + i, len - i, &c);
		size_t take = n ? n : 1;

		if (i + take > max) {
			g_string_append(out, "...");
			return;
		}
		if (!n || !is_shown(c)) {
			escape_bytes(out, text + i, take);
		} else {
			if (n == 1 && strchr(special, text[i]))
				g_string_append_c(out, '\\');
			g_string_append_len(out, text + i, (gssize)take);
		}
		i += take;
	}
}

char *vtm_log_escape(const char *text, gssize len, gsize max)
{
	GString *out = g_string_new(NULL);

	vtm_log_escape_into(out, text, len < 0 ? strlen(text) : (size_t)len, max, "\\");
	return g_string_free(out, FALSE);
}

/* Appends a JSON string (RFC 8259 section 7).  JSON lines (json.h) log, so the log cannot use them. */
static void json_string(GString *out, const char *text)
{
	char *valid = g_utf8_make_valid(text, -1);

	g_string_append_c(out, '"');
	for (const char *p = valid; *p; p += g_utf8_skip[(unsigned char)*p]) {
		gunichar c = g_utf8_get_char(p);

		if (p - valid >= VTM_LOG_TEXT_MAX) {
			g_string_append(out, "...");
			break;
		}
		if (c == '"' || c == '\\')
			g_string_append_printf(out, "\\%c", (char)c);
		else if (is_shown(c))
			g_string_append_unichar(out, c);
		else if (c <= 0xffff)
			g_string_append_printf(out, "\\u%04x", c);
		else	/* a pair of surrogates */
			g_string_append_printf(out, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
	}
	g_string_append_c(out, '"');
	g_free(valid);
}

void vtm_log_json_text(GString *out, const char *name, const char *text)
{
	g_string_append(out, out->len > 1 ? "," : "");
	json_string(out, name);
	g_string_append_c(out, ':');
	json_string(out, text);
}

void vtm_log_json_number(GString *out, const char *name, gint64 number)
{
	g_string_append(out, out->len > 1 ? "," : "");
	json_string(out, name);
	g_string_append_printf(out, ":%" G_GINT64_FORMAT, number);
}
