/* SPDX-License-Identifier: BSD-2-Clause */
/* mailbox-lines.h - the lines of a file, read through a window of bounded size.
 *
 * Other programs work on mail files meanwhile, so none is mapped: one that was cut short would end the process
 * (SIGBUS). One thread.
 */
#ifndef VTM_MAILBOX_LINES_H
#define VTM_MAILBOX_LINES_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define VTM_LINES_WINDOW 65536	/* bytes read at a time, and the most that a piece has */

/* A line with its end, or a piece of one that is longer than the window.  Lives until the next call. */
struct vtm_piece {
	const char *text;
	size_t len;
	int64_t at;		/* offset in the file */
	bool begins;		/* a line */
};

struct vtm_lines;

/* The bytes from <start> up to <end> of <fd>, which stays the caller's; its position does not matter and stays. */
struct vtm_lines *vtm_lines_new(int fd, int64_t start, int64_t end);
void vtm_lines_free(struct vtm_lines *l);

/* 1 a piece, which never ends between CR and LF; 0 all were given.  -1 and VTM_ERROR_FORMAT: the file cannot be
 * read, or ends before <end>, since it became shorter meanwhile. */
int vtm_lines_next(struct vtm_lines *l, struct vtm_piece *p, GError **error);

#endif
