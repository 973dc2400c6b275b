/* SPDX-License-Identifier: BSD-2-Clause */
/* test-buffer.c - bytes that grow, and what happens when they may not. */
#include "base/buffer.h"

#include <string.h>

#include "decode/decode-parts.h"	/* VTM_SANITIZED */
#include "tap.h"

static void filling(void)
{
	struct vtm_buffer b = { .data = NULL };
	char *text;
	bool fine = true;

	is_str(vtm_buffer_text(&b), "", "nothing yet");
	fine &= vtm_buffer_add(&b, "", 0);
	ok(fine && b.data && !b.len, "no bytes are something");
	fine &= vtm_buffer_add(&b, "ab\0c", 4) && vtm_buffer_add_char(&b, 'd') && vtm_buffer_add_text(&b, "ef");
	fine &= vtm_buffer_add_unichar(&b, 0x20ac);
	ok(fine && b.len == 10 && !memcmp(b.data, "ab\0cdef\xe2\x82\xac", 11), "bytes, a character, text, a NUL");
	vtm_buffer_truncate(&b, 11);
	is_int((gint64)b.len, 10, "truncating adds nothing");
	vtm_buffer_truncate(&b, 2);
	is_str(vtm_buffer_text(&b), "ab", "truncated");
	text = vtm_buffer_make_room(&b, 1000);
	memset(text, 'x', 1000);
	vtm_buffer_wrote(&b, 999);
	ok(b.len == 1001 && !b.data[1001] && !strncmp(b.data, "abx", 3), "written into its room");
	text = vtm_buffer_steal(&b);
	ok(strlen(text) == 1001 && !b.data && !b.len && !b.refused, "taken away");
	g_free(text);
	text = vtm_buffer_steal(&b);
	is_str(text, "", "nothing taken away is a string too");
	g_free(text);
}

/* One character at a time over every size at which it grows. */
static void growing(void)
{
	struct vtm_buffer b = { .data = NULL };
	bool fine = true;

	for (size_t i = 0; i < 100000 && fine; i++)
		fine = vtm_buffer_add_char(&b, (char)('a' + i % 26)) && b.len == i + 1 && !b.data[b.len];
	for (size_t i = 0; i < b.len && fine; i++)
		fine = b.data[i] == (char)('a' + i % 26);
	ok(fine && b.len == 100000, "a character at a time");
	vtm_buffer_clear(&b);
}

static void is_refused(struct vtm_buffer *b, const char *what)
{
	ok(b->refused && !b->data && !b->len, "%s: refused, and empty", what);
	ok(!vtm_buffer_add(b, "a", 1) && !vtm_buffer_add_char(b, 'a') && !vtm_buffer_add_unichar(b, 'a') &&
	   !vtm_buffer_make_room(b, 0), "%s: nothing more is taken", what);
	vtm_buffer_truncate(b, 0);
	ok(!vtm_buffer_steal(b) && b->refused, "%s: nothing can be taken away", what);
	is_str(vtm_buffer_text(b), "", "%s: but it is text", what);
	vtm_buffer_clear(b);
	ok(vtm_buffer_add(b, "a", 1), "%s: after clearing it begins afresh", what);
	vtm_buffer_clear(b);
}

static void bound(void)
{
	struct vtm_buffer b = { .data = NULL };

	vtm_buffer_add(&b, "abc", 3);
	ok(!vtm_buffer_make_room(&b, VTM_BUFFER_MAX - 2), "one byte more than the most");
	is_refused(&b, "the most");
	ok(!vtm_buffer_make_room(&b, SIZE_MAX), "as many as there are numbers");
	is_refused(&b, "a huge size");
}

#if !defined(VTM_SANITIZED)
static void no_memory(void)
{
	struct vtm_buffer b = { .data = NULL };
	size_t len = 0;

	limit_memory(16 << 20);
	while (len <= 16 << 20 && vtm_buffer_add(&b, "0123456789abcdef", 16))
		len += 16;
	limit_memory(-1);
	ok(len > 1 << 20 && len <= 16 << 20, "memory for %zu bytes and no more", len);
	is_refused(&b, "no memory");
}
#else
static void no_memory(void)
{
	skip("a sanitizer's shadow is larger than any limit", "no memory");
}
#endif

int main(void)
{
	filling();
	growing();
	bound();
	no_memory();
	return done_testing();
}
