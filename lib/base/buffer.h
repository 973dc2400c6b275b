/* SPDX-License-Identifier: BSD-2-Clause */
/* buffer.h - bytes that grow, and may be refused room.  Base layer.
 *
 * GLib's strings and arrays end the process when there is no memory.  What grows with a message or an answer, the size
 * of which others choose, is collected in one of these: where there is no room it is refused, and whoever filled it
 * looks once, at the end.  One thread at a time.
 */
#ifndef VTM_BUFFER_H
#define VTM_BUFFER_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define VTM_BUFFER_MAX ((size_t)G_MAXINT32)	/* bytes of one, as of a message that is read */

struct vtm_buffer {		/* all zero: empty */
	char *data;		/* <len> bytes and a NUL; NULL: nothing was added yet, or it is refused; owned */
	size_t len;
	bool refused;		/* no memory, or more than VTM_BUFFER_MAX: it is empty and takes nothing more */
	size_t room;		/* private: bytes at <data> */
};

/* Adds bytes.  false: refused. */
bool vtm_buffer_add(struct vtm_buffer *b, const void *data, size_t len);
bool vtm_buffer_add_text(struct vtm_buffer *b, const char *text);
bool vtm_buffer_add_unichar(struct vtm_buffer *b, gunichar c);	/* in UTF-8 */

static inline bool vtm_buffer_add_char(struct vtm_buffer *b, char c)
{
	if (b->len + 1 >= b->room)
		return vtm_buffer_add(b, &c, 1);
	b->data[b->len++] = c;
	b->data[b->len] = '\0';
	return true;
}

/* Where <len> more bytes may be written; vtm_buffer_wrote() says how many were.  NULL: refused. */
char *vtm_buffer_make_room(struct vtm_buffer *b, size_t len);
void vtm_buffer_wrote(struct vtm_buffer *b, size_t len);

/* The bytes as a string; "" if there are none.  Lives until the next call. */
static inline const char *vtm_buffer_text(const struct vtm_buffer *b)
{
	return b->data ? b->data : "";
}

/* Drops what is behind the first <len> bytes and keeps the room. */
void vtm_buffer_truncate(struct vtm_buffer *b, size_t len);
/* The bytes, to be freed with g_free(); NULL: refused.  *b is all zero then, but for <refused>. */
char *vtm_buffer_steal(struct vtm_buffer *b);
/* All zero again. */
void vtm_buffer_clear(struct vtm_buffer *b);

#endif
