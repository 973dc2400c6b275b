/* SPDX-License-Identifier: BSD-2-Clause */
/* uu.c - uuencoded blocks in text. */
#include "base/uu.h"

#include <string.h>

struct line {
	const char *text;
	size_t len;		/* without its end */
	size_t next;		/* offset of the next one */
};

static bool take_line(const char *text, size_t len, size_t at, struct line *l)
{
	const char *end;

	if (at >= len)
		return false;
	end = memchr(text + at, '\n', len - at);
	l->text = text + at;
	l->len = end ? (size_t)(end - l->text) : len - at;
	l->next = at + l->len + (end ? 1 : 0);
	if (l->len && l->text[l->len - 1] == '\r')
		l->len--;
	return true;
}

/* "begin 644 report.exe": three or four octal digits, then the name. */
static bool is_begin(const struct line *l, const char **name_r, size_t *name_len_r)
{
	size_t digits = 0, at = 6;

	if (l->len < 9 || memcmp(l->text, "begin ", 6))
		return false;
	while (at + digits < l->len && l->text[at + digits] >= '0' && l->text[at + digits] <= '7')
		digits++;
	at += digits;
	if (digits < 3 || digits > 4 || (at < l->len && l->text[at] != ' '))
		return false;
	while (at < l->len && l->text[at] == ' ')
		at++;
	*name_r = l->text + at;
	*name_len_r = MIN(l->len - at, VTM_UU_NAME_MAX);
	return true;
}

/* 1: data was added, 0: the last line, -1: no line of a block (nothing was added), -2: a line that was cut (what it has
 * was added). */
static int take_data(const struct line *l, struct vtm_buffer *data)
{
	const char *p = l->text;
	unsigned count, got = 0;
	size_t before = data->len;

	if (!l->len)
		return 0;	/* a zero line that lost its blank */
	if (p[0] < ' ' || p[0] > '`')
		return -1;
	count = (unsigned)(p[0] - ' ') & 63;
	if (!count)
		return l->len <= 2 ? 0 : -1;
	if (l->len - 1 > (count + 2) / 3 * 4 + 2)
		return -1;
	for (size_t at = 1; got < count; at += 4) {
		unsigned c[4];
		guint8 out[3];

		/* blanks that were lost at the end of a line are read as such, but no line may claim groups it does not
		 * have */
		if (at >= l->len)
			return got ? -2 : -1;
		for (unsigned i = 0; i < 4; i++) {
			int ch = at + i < l->len ? p[at + i] : ' ';

			if (ch < ' ' || ch > '`') {
				vtm_buffer_truncate(data, before);
				return -1;
			}
			c[i] = (unsigned)(ch - ' ') & 63;
		}
		out[0] = (guint8)(c[0] << 2 | c[1] >> 4);
		out[1] = (guint8)(c[1] << 4 | c[2] >> 2);
		out[2] = (guint8)(c[2] << 6 | c[3]);
		vtm_buffer_add(data, out, MIN(3, count - got));
		got += MIN(3, count - got);
	}
	return 1;
}

/* The line behind "begin" tells a block from a sentence that begins so. */
static bool is_block(const char *text, size_t len, size_t at)
{
	struct vtm_buffer scratch = { .data = NULL };
	struct line l;
	bool fine = take_line(text, len, at, &l) && take_data(&l, &scratch) > 0;

	vtm_buffer_clear(&scratch);
	return fine;
}

static void decode(const char *text, size_t len, size_t at, struct vtm_uu *b)
{
	struct line l;
	int rc = -1;

	b->broken = true;
	b->next = at;
	while (take_line(text, len, b->next, &l) && (rc = take_data(&l, &b->data)) > 0)
		b->next = l.next;
	if (rc == -2)
		b->next = l.next;
	if (rc == 0) {
		b->next = l.next;
		if (!take_line(text, len, b->next, &l))
			return;
	}
	if (rc >= 0 && l.len == 3 && !memcmp(l.text, "end", 3)) {
		b->broken = false;
		b->next = l.next;
	}
}

bool vtm_uu_next(const char *text, size_t len, size_t from, struct vtm_uu *block)
{
	size_t name_len, at = from;
	const char *name;
	struct line l;

	while (at < len) {
		/* only lines that begin with a 'b' are of interest */
		if (text[at] != 'b') {
			const char *lf = memchr(text + at, '\n', len - at);

			if (!lf)
				return false;
			at = (size_t)(lf - text) + 1;
			continue;
		}
		take_line(text, len, at, &l);
		at = l.next;
		if (!is_begin(&l, &name, &name_len) || !is_block(text, len, at))
			continue;
		block->name = g_utf8_make_valid(name, (gssize)name_len);
		block->data = (struct vtm_buffer){ .data = NULL };
		decode(text, len, at, block);
		return true;
	}
	return false;
}

void vtm_uu_clear(struct vtm_uu *block)
{
	g_free(block->name);
	vtm_buffer_clear(&block->data);
	memset(block, 0, sizeof(*block));
}
