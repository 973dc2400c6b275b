/* SPDX-License-Identifier: BSD-2-Clause */
/* mailbox-lines.h - reads the lines of a file through a window of bounded size.
 *
 * Files are not mapped, because other programs change mailboxes meanwhile: a file that becomes shorter would end the
 * process (SIGBUS).  One thread.
 */
#ifndef VTM_MAILBOX_LINES_H
#define VTM_MAILBOX_LINES_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define VTM_LINES_WINDOW 65536	/* bytes read at a time, and of a piece at most */

/* A line with its end, or a piece of a line that is longer than the window.  Valid until the next call. */
struct vtm_piece {
	const char *text;
	size_t len;
	int64_t at;		/* offset in the file */
	bool begins;		/* this is the start of a line */
};

struct vtm_lines;

/* Reads the bytes from <start> up to <end> of <fd>, whose position is neither used nor changed.  The caller closes it.
 * */
struct vtm_lines *vtm_lines_new(int fd, int64_t start, int64_t end);
void vtm_lines_free(struct vtm_lines *l);

/* 1: the next piece, which never ends between CR and LF.  0: there are no more.  -1: VTM_ERROR_FORMAT, the file cannot
 * be read or became shorter than <end>. */
int vtm_lines_next(struct vtm_lines *l, struct vtm_piece *p, GError **error);

#endif
