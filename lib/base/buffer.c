/* SPDX-License-Identifier: BSD-2-Clause */
/* buffer.c - see buffer.h. */
#include "base/buffer.h"

#include <string.h>

#define ROOM_MIN 64	/* bytes of the first allocation; each next one is twice as large */

static char *refuse(struct vtm_buffer *b)
{
	vtm_buffer_clear(b);
	b->refused = true;
	return NULL;
}

char *vtm_buffer_make_room(struct vtm_buffer *b, size_t len)
{
	size_t room = MAX(b->room, ROOM_MIN);
	char *data;

	if (b->refused || len > VTM_BUFFER_MAX - b->len)
		return refuse(b);
	while (room <= b->len + len)
		room *= 2;
	if (room > b->room) {
		data = g_try_realloc(b->data, room);
		if (!data)
			return refuse(b);
		b->data = data;
		b->room = room;
		b->data[b->len] = '\0';
	}
	return b->data + b->len;
}

void vtm_buffer_wrote(struct vtm_buffer *b, size_t len)
{
	b->len += len;
	b->data[b->len] = '\0';
}

bool vtm_buffer_add(struct vtm_buffer *b, const void *data, size_t len)
{
	char *to = vtm_buffer_make_room(b, len);

	if (!to)
		return false;
	if (len)
		memcpy(to, data, len);
	vtm_buffer_wrote(b, len);
	return true;
}

bool vtm_buffer_add_text(struct vtm_buffer *b, const char *text)
{
	return vtm_buffer_add(b, text, strlen(text));
}

bool vtm_buffer_add_unichar(struct vtm_buffer *b, gunichar c)
{
	char utf8[6];

	return vtm_buffer_add(b, utf8, (size_t)g_unichar_to_utf8(c, utf8));
}

void vtm_buffer_truncate(struct vtm_buffer *b, size_t len)
{
	if (len >= b->len)
		return;
	b->len = len;
	b->data[len] = '\0';
}

char *vtm_buffer_steal(struct vtm_buffer *b)
{
	char *data = vtm_buffer_make_room(b, 0) ? b->data : NULL;

	*b = (struct vtm_buffer){ .refused = b->refused };
	return data;
}

void vtm_buffer_clear(struct vtm_buffer *b)
{
	g_free(b->data);
	*b = (struct vtm_buffer){ .data = NULL };
}
