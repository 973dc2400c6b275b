/* SPDX-License-Identifier: BSD-2-Clause */
/* mailbox.h - reads messages from files: a single one, an mbox, a Maildir, a directory of these, or standard input.
 *
 * A file that begins with "From " is an mbox.  It is split at lines like "From user@host Mon Jan  1 00:00:00 2026" that
 * follow an empty line, and one '>' of ">From " lines is removed.  Content-Length is ignored: the sender may have
 * written it.  "-" is one message, whatever it begins with.  Directories are walked in the order of names,
 * VTM_MAILBOX_DEPTH deep; names that begin with a dot, symbolic links and a Maildir's tmp are skipped.  In a Maildir
 * new comes before cur, so that a message that is moved meanwhile is read at least once; its folders (.Name with cur
 * and new) follow.
 *
 * Files are read up to the size that they had when they were opened, through windows of bounded size, so memory does
 * not grow with them.
 */
#ifndef VTM_MAILBOX_H
#define VTM_MAILBOX_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "ctl/mailbox-lines.h"
#include "mail/spool.h"

#define VTM_MAILBOX_DEPTH 8
#define VTM_MAILBOX_STDIN (256 * 1024 * 1024)	/* bytes of standard input */

/* A message.  Valid during the callback only. */
struct vtm_mail {
	const char *file;
	unsigned number;	/* in an mbox, from 1; 0: it is not in an mbox */
	int64_t time;		/* unix seconds of delivery: the "From " line's, a Maildir name's, else the file's last change;
				 * 0: none */
	/* private: its place in the open file */
	int fd;
	int64_t start, end;
	bool from_line;		/* its first line is a "From " line */
};

/* false ends the walk. */
typedef bool vtm_mailbox_each(const struct vtm_mail *mail, void *arg);

/* 1 all were given, 0 <each> ended it; -1 and VTM_ERROR_FORMAT: <path> cannot be read.  Files below a directory that
 * cannot be read are told to <unreadable> (may be NULL) and passed over. */
int vtm_mailbox_walk(const char *path, vtm_mailbox_each *each, void *arg,
		     void (*unreadable)(const char *file, const char *why, void *arg), GError **error);

/* "file" or "file#3".  New string. */
char *vtm_mail_label(const struct vtm_mail *mail);

/* The message as it would come from an MTA: CRLF line ends, no "From " line.  New; may be broken when the disk of
 * <dir> is full. NULL and VTM_ERROR_FORMAT: it can no longer be read whole. */
struct vtm_spool *vtm_mail_spool(const struct vtm_mail *mail, const char *dir, GError **error);

/* The message as it lies there, in pieces (mailbox-lines.h); <from_line>: this one is the "From " line.  0; -1 as
 * above, when some may have been given. */
typedef void vtm_mail_piece(const struct vtm_piece *p, bool from_line, void *arg);
int vtm_mail_read(const struct vtm_mail *mail, vtm_mail_piece *each, void *arg, GError **error);

#endif
