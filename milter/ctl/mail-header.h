/* SPDX-License-Identifier: BSD-2-Clause */
/* mail-header.h - the few fields of a stored message that say when and from where it came.
 *
 * Reads the header only, of which at most VTM_MAIL_HEADER_MAX bytes.  The sender wrote it, but for the Received fields
 * on top.  One thread.
 */
#ifndef VTM_MAIL_HEADER_H
#define VTM_MAIL_HEADER_H

#include "base/netlist.h"
#include "ctl/mailbox.h"

#define VTM_MAIL_HEADER_MAX 262144
#define VTM_MAIL_RECEIVED_MAX 20	/* fields that are looked at */

struct vtm_mail_header {
	char *message_id;	/* as written, blanks around it removed; NULL: none */
	int64_t time;		/* unix seconds: of the topmost Received that has one, else of Date; 0: none */
	char *client;		/* address of the topmost Received whose client is not of <own> networks, nor of this machine or
				 * a private network; NULL: none */
};

/* 0, or -1 and VTM_ERROR_FORMAT: it can no longer be read.  <own> may be NULL. */
int vtm_mail_header_read(const struct vtm_mail *mail, const struct vtm_netlist *own, struct vtm_mail_header *h,
			 GError **error);
void vtm_mail_header_clear(struct vtm_mail_header *h);

/* Unix seconds of a date as RFC 5322 writes it ("Sat, 31 Jan 2026 12:00:00 +0100 (CET)"), old zone names included; 0:
 * it is none, or before 1971. */
int64_t vtm_mail_date(const char *text);

#endif
