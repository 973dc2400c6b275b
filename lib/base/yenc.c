/* SPDX-License-Identifier: BSD-2-Clause */
/* yenc.c - yEnc and BinHex files in text. */
#include "base/uu.h"

#include <string.h>

#define YENC_SHIFT 42
#define YENC_ESCAPED 64

/* The first line at or after <from> that begins with <word>. */
static bool find_line(const char *text, size_t len, size_t from, const char *word, struct vtm_text_line *l)
{
	size_t n = strlen(word);

	for (size_t at = from; at < len; ) {
		const char *p = memmem(text + at, len - at, word, n);

		if (!p)
			return false;
		at = (size_t)(p - text);
		if (!at || p[-1] == '\n')
			return vtm_text_line(text, len, at, l);
		at += n;
	}
	return false;
}

/* The text after <key> (" name="); NULL: the line has none. */
static const char *value_of(const struct vtm_text_line *l, const char *key)
{
	const char *p = memmem(l->text, l->len, key, strlen(key));

	return p ? p + strlen(key) : NULL;
}

/* Does <key> (" size=") have the value <n> in the line? */
static bool is_number(const struct vtm_text_line *l, const char *key, size_t n)
{
	const char *p = value_of(l, key);
	size_t got = 0;

	if (!p)
		return false;
	for (; p < l->text + l->len && g_ascii_isdigit(*p) && got < VTM_BUFFER_MAX; p++)
		got = got * 10 + (size_t)(*p - '0');
	return got == n;
}

static bool begins(const struct vtm_text_line *l, const char *word)
{
	return l->len >= strlen(word) && !memcmp(l->text, word, strlen(word));
}

static void decode_line(const struct vtm_text_line *l, struct vtm_buffer *data)
{
	char *room = vtm_buffer_make_room(data, l->len), *to = room;

	for (size_t i = 0; room && i < l->len; i++) {
		guint8 c = (guint8)l->text[i];

		if (c == '=' && i + 1 < l->len)
			c = (guint8)((guint8)l->text[++i] - YENC_ESCAPED);
		*to++ = (char)(guint8)(c - YENC_SHIFT);
	}
	if (room)
		vtm_buffer_wrote(data, (size_t)(to - room));
}

bool vtm_yenc_next(const char *text, size_t len, size_t from, struct vtm_uu *block)
{
	struct vtm_text_line l, body;
	const char *name;

	if (!find_line(text, len, from, "=ybegin ", &l))
		return false;
	name = value_of(&l, " name=");
	block->name = name ? g_utf8_make_valid(name, (gssize)MIN((size_t)(l.text + l.len - name), VTM_UU_NAME_MAX)) : g_strdup("");
	block->data = (struct vtm_buffer){ .data = NULL };
	block->broken = true;
	block->next = l.next;
	while (vtm_text_line(text, len, block->next, &body)) {
		block->next = body.next;
		if (begins(&body, "=yend")) {
			/* a part of several has a part= in both lines, and lacks the others */
			block->broken = value_of(&l, " part=") || !is_number(&l, " size=", block->data.len);
			break;
		}
		if (!begins(&body, "=ypart "))
			decode_line(&body, &block->data);
	}
	return true;
}

/* From the line "(This file must be converted with BinHex ..." to the line that ends with the second ':'. */
bool vtm_binhex_next(const char *text, size_t len, size_t from, struct vtm_uu *block)
{
	struct vtm_text_line l;
	const char *start, *end;

	if (!find_line(text, len, from, "(This file must be converted with BinHex", &l))
		return false;
	start = memchr(text + l.next, ':', len - l.next);
	end = start ? memchr(start + 1, ':', len - (size_t)(start + 1 - text)) : NULL;
	block->name = g_strdup("");
	block->data = (struct vtm_buffer){ .data = NULL };
	block->broken = true;
	block->next = end ? (size_t)(end + 1 - text) : len;
	vtm_buffer_add(&block->data, l.text, (size_t)(text + block->next - l.text));
	return true;
}
