/* SPDX-License-Identifier: BSD-2-Clause */
/* uu.c - uuencoded blocks in text. */
#include "base/uu.h"

#include <string.h>

#include "base/base64.h"

bool vtm_text_line(const char *text, size_t len, size_t at, struct vtm_text_line *l)
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

/* "begin 644 report.exe": octal digits, then the name.  Some programs take any word or none for the digits, which
 * *odd_r says. */
static bool is_begin(const struct vtm_text_line *l, const char *begin, const char **name_r, size_t *name_len_r, bool *odd_r)
{
	size_t n = strlen(begin), digits = 0, at = n;

	if (l->len < n || memcmp(l->text, begin, n))
		return false;
	while (at + digits < l->len && l->text[at + digits] >= '0' && l->text[at + digits] <= '7')
		digits++;
	at += digits;
	*odd_r = digits < 3 || digits > 4 || (at < l->len && l->text[at] != ' ');
	while (at < l->len && (l->text[at] == ' ' || l->text[at] == '\t'))
		at++;
	*name_r = l->text + at;
	*name_len_r = MIN(l->len - at, VTM_UU_NAME_MAX);
	return true;
}

enum data { DATA_LAST, DATA_FULL, DATA_FOREIGN, DATA_CUT, DATA_LONGER };

/* Decodes the <count> bytes of one line.  false: it has characters that no line has. */
static bool take_groups(const struct vtm_text_line *l, unsigned count, struct vtm_buffer *data)
{
	size_t before = data->len;

	for (unsigned got = 0, at = 1; got < count && at < l->len; at += 4) {
		unsigned c[4];
		guint8 out[3];

		for (unsigned i = 0; i < 4; i++) {
			/* blanks that were lost at the end of a line are read as such */
			int ch = at + i < l->len ? l->text[at + i] : ' ';

			if (ch < ' ' || ch > '`') {
				vtm_buffer_truncate(data, before);
				return false;
			}
			c[i] = (unsigned)(ch - ' ') & 63;
		}
		out[0] = (guint8)(c[0] << 2 | c[1] >> 4);
		out[1] = (guint8)(c[1] << 4 | c[2] >> 2);
		out[2] = (guint8)(c[2] << 6 | c[3]);
		vtm_buffer_add(data, out, MIN(3, count - got));
		got += MIN(3, count - got);
	}
	return true;
}

/* Adds what a line has.  FOREIGN: nothing, it is not a line of a file.  CUT: it counts groups that it does not have.
 * LONGER: it has more after the bytes that it counts than a checksum; decoders ignore that. */
static enum data take_data(const struct vtm_text_line *l, struct vtm_buffer *data)
{
	unsigned count;
	size_t groups;

	if (!l->len)
		return DATA_LAST;	/* a zero line that lost its blank */
	if (l->text[0] < ' ' || l->text[0] > '`')
		return DATA_FOREIGN;
	count = (unsigned)(l->text[0] - ' ') & 63;
	if (!count)
		return l->len <= 2 ? DATA_LAST : DATA_FOREIGN;
	groups = (count + 2) / 3;
	if (l->len < 2 || !take_groups(l, count, data))
		return DATA_FOREIGN;
	if (l->len <= 1 + 4 * (groups - 1))
		return DATA_CUT;
	return l->len > 1 + 4 * groups + 2 ? DATA_LONGER : DATA_FULL;
}

/* The line after "begin" tells a file from a sentence that begins so.  An odd "begin" needs a line without anything
 * after what it counts. */
static bool is_block(const char *text, size_t len, size_t at, bool odd)
{
	struct vtm_buffer scratch = { .data = NULL };
	enum data got = DATA_FOREIGN;
	struct vtm_text_line l;

	if (vtm_text_line(text, len, at, &l))
		got = take_data(&l, &scratch);
	vtm_buffer_clear(&scratch);
	return got == DATA_FULL || (got == DATA_LONGER && !odd);
}

static bool is_end(const struct vtm_text_line *l, const char *end)
{
	size_t n = strlen(end);

	if (l->len < n || memcmp(l->text, end, n))
		return false;
	while (n < l->len && (l->text[n] == ' ' || l->text[n] == '\t' || l->text[n] == '\r'))
		n++;
	return n == l->len;
}

static void decode(const char *text, size_t len, size_t at, struct vtm_uu *b)
{
	struct vtm_text_line l;
	enum data got = DATA_FOREIGN;
	bool longer = false;

	b->broken = true;
	b->next = at;
	while (vtm_text_line(text, len, b->next, &l)) {
		got = take_data(&l, &b->data);
		longer = longer || got == DATA_LONGER;
		if (got != DATA_FULL && got != DATA_LONGER)
			break;
		b->next = l.next;
	}
	if (got == DATA_CUT)
		b->next = l.next;
	if (got == DATA_LAST) {
		b->next = l.next;
		if (!vtm_text_line(text, len, b->next, &l))
			return;
	}
	if (got == DATA_LAST && is_end(&l, "end")) {
		b->broken = longer;
		b->next = l.next;
	}
}

/* "begin-base64 644 x", lines of base64, "====". */
static void decode_base64(const char *text, size_t len, size_t at, struct vtm_uu *b)
{
	struct vtm_base64 state = { .reading = VTM_BASE64_LENIENT };
	struct vtm_text_line l;
	uint8_t rest[2];

	b->broken = true;
	b->next = at;
	while (vtm_text_line(text, len, b->next, &l)) {
		char *room;

		b->next = l.next;
		if (is_end(&l, "====")) {
			b->broken = state.junk || state.data_after_padding;
			break;
		}
		room = vtm_buffer_make_room(&b->data, l.len / 4 * 3 + 3);
		if (!room)
			return;
		vtm_buffer_wrote(&b->data, vtm_base64_add(&state, l.text, l.len, (uint8_t *)room));
	}
	vtm_buffer_add(&b->data, rest, vtm_base64_end(&state, rest));
}

bool vtm_uu_next(const char *text, size_t len, size_t from, struct vtm_uu *block)
{
	size_t name_len, at = from;
	struct vtm_text_line l;
	const char *name;
	bool odd, base64;

	while (at < len) {
		/* only lines that begin with a 'b' are of interest */
		if (text[at] != 'b') {
			const char *lf = memchr(text + at, '\n', len - at);

			if (!lf)
				return false;
			at = (size_t)(lf - text) + 1;
			continue;
		}
		vtm_text_line(text, len, at, &l);
		at = l.next;
		base64 = is_begin(&l, "begin-base64 ", &name, &name_len, &odd);
		if (!base64 && (!is_begin(&l, "begin ", &name, &name_len, &odd) || !is_block(text, len, at, odd)))
			continue;
		block->name = g_utf8_make_valid(name, (gssize)name_len);
		block->data = (struct vtm_buffer){ .data = NULL };
		(base64 ? decode_base64 : decode)(text, len, at, block);
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
