/* SPDX-License-Identifier: BSD-2-Clause */
/* buffer.h - bytes that grow, without ending the process if there is no memory.
 *
 * GLib's strings and arrays end the process if there is no memory.  Data that grows with a message or an answer, whose
 * size others choose, is collected in a buffer instead: a buffer that cannot grow becomes empty and says so in
 * <refused>, and the caller checks that once, at the end.  One thread at a time.
 */
#ifndef VTM_BUFFER_H
#define VTM_BUFFER_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define VTM_BUFFER_MAX ((size_t)G_MAXINT32)	/* bytes of a buffer, and of a message that is read */

struct vtm_buffer {		/* all zero: empty */
	char *data;		/* <len> bytes and a NUL, owned; NULL: nothing was added yet, or it was refused */
	size_t len;
	bool refused;		/* no memory, or more than VTM_BUFFER_MAX: the buffer is empty and stays so */
	size_t room;		/* private: bytes allocated at <data> */
};

/* Append bytes.  false: refused. */
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

/* Returns space for <len> more bytes; vtm_buffer_wrote() says how many were written.  NULL: refused. */
char *vtm_buffer_make_room(struct vtm_buffer *b, size_t len);
void vtm_buffer_wrote(struct vtm_buffer *b, size_t len);

/* The bytes as a string; "" if there are none.  Valid until the next call. */
static inline const char *vtm_buffer_text(const struct vtm_buffer *b)
{
	return b->data ? b->data : "";
}

/* Drops all but the first <len> bytes; keeps the memory. */
void vtm_buffer_truncate(struct vtm_buffer *b, size_t len);
/* Returns the bytes, to be freed by g_free(), and empties *b.  NULL: refused. */
char *vtm_buffer_steal(struct vtm_buffer *b);
/* Frees the bytes and resets *b to all zero. */
void vtm_buffer_clear(struct vtm_buffer *b);

#endif
