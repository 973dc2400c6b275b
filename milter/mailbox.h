/* SPDX-License-Identifier: BSD-2-Clause */
/* mailbox.h - messages in files: a single one, an mbox, a Maildir or any directory of such, standard input.
 *
 * A file that begins with "From " is an mbox; it is split at lines like "From user@host Mon Jan  1 00:00:00 2026" behind
 * an empty line, and one '>' of ">From " lines is taken off.  "-" is one message, whatever it begins with.  Directories
 * are walked by name, VTM_MAILBOX_DEPTH deep; names with a dot in front, links and a Maildir's tmp are passed over.
 */
#ifndef VTM_MAILBOX_H
#define VTM_MAILBOX_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "spool.h"

#define VTM_MAILBOX_DEPTH 8
#define VTM_MAILBOX_STDIN (256 * 1024 * 1024)	/* bytes of standard input */

/* One message.  Lives during the callback only. */
struct vtm_mail {
	const char *file;
	unsigned number;	/* in an mbox, from 1; 0: alone */
	const char *data;	/* as it lies there, a "From " line included */
	size_t len;
	size_t from_line;	/* bytes of that line, 0: none */
	int64_t time;		/* unix seconds of delivery: the "From " line's, a Maildir name's, else the file's last change; 0: none */
};

/* false ends the walk. */
typedef bool vtm_mailbox_each(const struct vtm_mail *mail, void *arg);

/* 1 all were given, 0 <each> ended it; -1 and VTM_ERROR_FORMAT: <path> cannot be read.  Files below a directory that cannot
 * be read are told to <unreadable> (may be NULL) and passed over. */
int vtm_mailbox_walk(const char *path, vtm_mailbox_each *each, void *arg,
		     void (*unreadable)(const char *file, const char *why, void *arg), GError **error);

/* "file" or "file#3".  New string. */
char *vtm_mail_label(const struct vtm_mail *mail);

/* The message as it would come from an MTA: CRLF line ends, no "From " line.  New; may be broken when the disk of <dir> is full. */
struct vtm_spool *vtm_mail_spool(const struct vtm_mail *mail, const char *dir);

#endif
