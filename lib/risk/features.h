/* SPDX-License-Identifier: BSD-2-Clause */
/* features.h - what is known of a message and its items before anything is looked up, for points.h.
 *
 * lib/scan fills these values from the message and its envelope; the scheduler adds what the store's history knows
 * (history.h).  Plain data; strings are owned by the ticket that carries the struct.  No locks.
 */
#ifndef VTM_RISK_FEATURES_H
#define VTM_RISK_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

/* The risk of an attachment by its type. */
enum vtm_file_risk {
	VTM_FILE_PLAIN,		/* picture, text, document without macros */
	VTM_FILE_ARCHIVE,
	VTM_FILE_ACTIVE		/* page, svg, script, program, disk image, lnk, document with macros */
};

/* One item of a message. */
struct vtm_item_features {
	bool attachment;
	enum vtm_file_risk file;	/* attachments */
	/* links */
	char *group;			/* what one answer settles: the registrable domain; the host, where the suffix list's
					 * private part or the shared-hosting list says that anybody publishes there */
	bool anybody_publishes;		/* shared hosting: see group */
	bool host_of_many;		/* asked by host, on a host that anybody uses: such a look-up answers nothing */
	bool shortener;
	bool odd_name;			/* IP address, punycode, or a brand's word in a foreign host */
	bool cheap_tld;
	bool to_from;			/* the link goes to the domain of From */
};

/* The message. */
struct vtm_message_features {
	char *from_domain;		/* registrable domain of From; NULL: none or several */
	char *network;			/* client's /24 or /64; NULL: not known */
	bool dmarc_pass;		/* by an Authentication-Results of AuthservID */
	bool authenticated;		/* SPF, DKIM or DMARC passed for the sender's domain, by such a header: his domain's
					 * share is charged, not only his network's */
	unsigned link_domains;		/* different groups of its links */
};

/* Deep copies; clear frees the strings and zeroes the struct. */
void vtm_item_features_copy(struct vtm_item_features *to, const struct vtm_item_features *from);
void vtm_item_features_clear(struct vtm_item_features *f);
void vtm_message_features_copy(struct vtm_message_features *to, const struct vtm_message_features *from);
void vtm_message_features_clear(struct vtm_message_features *f);

#endif
