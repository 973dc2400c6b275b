/* SPDX-License-Identifier: BSD-2-Clause */
/* extract.h - a message to its items.  Composite: mime, html, linkify, url, unwrap, privacy, ignore, decode.
 *
 * Reads nothing but the message and asks nobody.  Any thread; linear in the size of the message; bounded by the limits.
 */
#ifndef VTM_EXTRACT_H
#define VTM_EXTRACT_H

#include "decode/decode.h"
#include "scan/ignore.h"
#include "model/item.h"
#include "base/work.h"
#include "mail/mime.h"
#include "mail/spool.h"

struct vtm_extract_settings {	/* everything is borrowed during a call */
	bool resource_urls;		/* keep urls of role resource */
	bool bare_domains;		/* and of role bare */
	unsigned max_items;		/* of a message; 1000 */
	struct vtm_mime_limits mime;
	unsigned archive_depth, archive_members;	/* 0 members: archives are not opened */
	uint64_t archive_bytes;		/* unpacked, of one message */
	struct vtm_decoders *decoders;	/* NULL: archives and the like are decoded by this process */
	bool pdf;			/* look for links in PDF documents */
	const struct vtm_ignore *ignore;	/* NULL: none */
	const char *client_net;		/* whose share of decoders and of memory it takes; NULL: none is known */
	struct vtm_share *memory;	/* bytes that all messages being read may take; NULL: no bound */
	struct vtm_work *work;		/* what reading the message may cost; NULL: no bound */
	const char *authserv_id;	/* whose Authentication-Results count; NULL: nobody's */
};

/* The defaults of vtmilter.conf. */
void vtm_extract_defaults(struct vtm_extract_settings *s);

/* What the header says.  The strings are owned: vtm_heading_clear() frees them. */
struct vtm_heading {
	char *message_id;	/* with brackets; NULL: none */
	char *from_domain;	/* of the only From address, A-labels; NULL: none, or several that differ */
	char *auth_results;	/* the topmost Authentication-Results of authserv_id; NULL: none */
	bool dmarc_pass;	/* for from_domain, by auth_results */
};
void vtm_heading_clear(struct vtm_heading *h);

/* Never NULL: what cannot be read is told by the flags in the result.  <heading_r> may be NULL. */
struct vtm_items *vtm_extract(struct vtm_spool *spool, const struct vtm_extract_settings *settings,
			      struct vtm_heading *heading_r);

#endif
