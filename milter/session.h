/* SPDX-License-Identifier: BSD-2-Clause */
/* session.h - a connection of the MTA, and the message that it is sending.
 *
 * Stored in libmilter's private pointer.  The callbacks of a session come one after the other, but perhaps in different
 * threads.  Not locked. */
#ifndef VTM_SESSION_H
#define VTM_SESSION_H

#include <glib.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "conf/conf.h"
#include "mail/spool.h"

#define VTM_RECIPIENTS_MAX 1000	/* stored in the journal; further ones are left out */
#define VTM_ADDRESS_MAX 1024	/* bytes of an address, the rest is cut; RFC 5321 allows 256 */
#define VTM_OUR_NAMES_MAX 20000	/* different X-VT-* names; Postfix lets fewer than 13,000 through (header_size_limit) */

/* What is done with a message; decided at MAIL. */
enum vtm_plan {
	VTM_PLAN_SCAN,
	VTM_PLAN_STRIP,		/* remove forged headers, look nothing up */
	VTM_PLAN_TRUST		/* keep a trusted relay's headers, look nothing up */
};
const char *vtm_plan_name(enum vtm_plan plan);	/* "scan", "skip", "trust" */

struct vtm_message {
	struct vtm_conf *conf;		/* a reference: the snapshot of this message */
	enum vtm_plan plan;
	enum vtm_origin origin;
	char *sender;			/* without brackets */
	GPtrArray *recipients;		/* of char *, NULL-terminated at the end of message */
	GHashTable *ours;		/* name of an X-VT-* header in lower case -> how often the message has it */
	unsigned forged;		/* the number of all of these */
	bool overrun;			/* more than VTM_OUR_NAMES_MAX names: not all can be removed */
	struct vtm_spool *spool;	/* NULL: the message is not collected */
	uint64_t size;
	bool has_field;			/* a field of the header has been collected */
	bool shares_apply;
};

struct vtm_session {
	char *client;			/* IP address as text; NULL: unknown or local */
	struct vtm_message *message;	/* NULL between messages */
};

struct vtm_session *vtm_session_new(const struct sockaddr *client);
void vtm_session_free(struct vtm_session *s);

/* Begins a message, ending the one before.  <authenticated>: the client logged in. */
struct vtm_message *vtm_session_begin(struct vtm_session *s, const char *sender, bool authenticated);
void vtm_session_end(struct vtm_session *s);

void vtm_message_add_recipient(struct vtm_message *m, const char *recipient);
/* Counts an X-VT-* header; collects any other for the scan.  An LF in <value> folds a line. */
void vtm_message_add_header(struct vtm_message *m, const char *name, const char *value);
void vtm_message_add(struct vtm_message *m, const void *data, size_t len);

/* "<user@example.com>" without its brackets, at most VTM_ADDRESS_MAX bytes.  New string. */
char *vtm_address_bare(const char *address);

#endif
