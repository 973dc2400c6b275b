/* SPDX-License-Identifier: BSD-2-Clause */
/* rtf.c - see rtf.h. */
#include "decode/rtf.h"

#include <glib.h>
#include <string.h>

#define HEADER 16
#define COMPRESSED 0x75465a4cu	/* "LZFu" */
#define UNCOMPRESSED 0x414c454du/* "MELA" */
#define WINDOW 4096

/* What the window holds at first ([MS-OXRTFCP] section 2.1.2.1). */
static const char preset[] =
	"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans "
	"SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab"
	"\\tx";
G_STATIC_ASSERT(sizeof(preset) - 1 == 207);

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

struct window {
	uint8_t bytes[WINDOW];
	size_t at;
	struct vtm_buffer *out;
};

static void put(struct window *w, uint8_t byte)
{
	w->bytes[w->at] = byte;
	w->at = (w->at + 1) % WINDOW;
	vtm_buffer_add(w->out, &byte, 1);
}

/* One reference into the window.  false: it marks the end. */
static bool copy(struct window *w, const uint8_t *p)
{
	size_t from = (size_t)p[0] << 4 | p[1] >> 4, n = (p[1] & 15u) + 2;

	if (from == w->at)
		return false;
	for (size_t i = 0; i < n; i++)
		put(w, w->bytes[(from + i) % WINDOW]);
	return true;
}

static bool unpack(const uint8_t *p, const uint8_t *end, struct vtm_buffer *rtf)
{
	struct window w = { .at = sizeof(preset) - 1, .out = rtf };

	memcpy(w.bytes, preset, sizeof(preset) - 1);
	while (p < end && !rtf->refused && rtf->len < VTM_RTF_MAX) {
		unsigned control = *p++;

		for (int bit = 0; bit < 8; bit++, control >>= 1) {
			size_t n = control & 1 ? 2 : 1;

			if ((size_t)(end - p) < n)
				return false;
			if (n == 1)
				put(&w, *p);
			else if (!copy(&w, p))
				return true;
			p += n;
		}
	}
	return false;	/* without its end */
}

bool vtm_rtf_unpack(const uint8_t *data, size_t len, struct vtm_buffer *rtf)
{
	if (len < HEADER)
		return false;
	if (le32(data + 8) == COMPRESSED)
		return unpack(data + HEADER, data + len, rtf) && !rtf->refused;
	if (le32(data + 8) != UNCOMPRESSED || len > VTM_RTF_MAX)
		return false;
	vtm_buffer_add(rtf, data + HEADER, len - HEADER);
	return !rtf->refused;
}

/* ---- text ---- */

/* A control symbol: one character that is no letter, or "'" and two digits. */
static const char *take_symbol(const char *p, const char *end, struct vtm_buffer *text)
{
	if (*p == '\'' && end - p > 2 && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
		gunichar c = (gunichar)(g_ascii_xdigit_value(p[1]) << 4 | g_ascii_xdigit_value(p[2]));

		vtm_buffer_add_unichar(text, c ? c : ' ');
		return p + 3;
	}
	if (*p == '{' || *p == '}' || *p == '\\')
		vtm_buffer_add(text, p, 1);
	return p + 1;
}

static bool is_word(const char *word, size_t len, const char *name)
{
	return len == strlen(name) && !memcmp(word, name, len);
}

/* A control word, its number and the blank that ends it. */
static const char *take_word(const char *p, const char *end, struct vtm_buffer *text)
{
	const char *word = p;
	size_t len;
	gint32 n = 0;
	bool minus;

	while (p < end && g_ascii_isalpha(*p))
		p++;
	len = (size_t)(p - word);
	minus = p < end && *p == '-';
	for (p += minus; p < end && g_ascii_isdigit(*p); p++)
		n = n < 1000000 ? 10 * n + (*p - '0') : n;
	if (p < end && *p == ' ')
		p++;
	if (is_word(word, len, "par") || is_word(word, len, "line") || is_word(word, len, "tab"))
		vtm_buffer_add(text, "\n", 1);
	if (!is_word(word, len, "u"))
		return p;
	n = minus ? 65536 - n : n;
	if (n > 0 && g_unichar_validate((gunichar)n))
		vtm_buffer_add_unichar(text, (gunichar)n);
	return p < end && *p == '?' ? p + 1 : p;	/* for programs that know no \u */
}

static const char *take_control(const char *p, const char *end, struct vtm_buffer *text)
{
	if (p == end)
		return p;
	return g_ascii_isalpha(*p) ? take_word(p, end, text) : take_symbol(p, end, text);
}

void vtm_rtf_text(const char *rtf, size_t len, struct vtm_buffer *text)
{
	const char *p = rtf, *end = rtf + len;

	while (p < end && !text->refused) {
		if (*p == '\\')
			p = take_control(p + 1, end, text);
		else if (*p == '{' || *p == '}' || *p == '\r' || *p == '\n')
			p++;
		else
			vtm_buffer_add(text, p++, 1);
	}
}
