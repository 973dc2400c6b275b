/* SPDX-License-Identifier: BSD-2-Clause */
/* session.h - one connection of the MTA and the message that it is handing over.
 *
 * Lives in libmilter's private pointer: a session's callbacks come one after another, each perhaps in another thread.
 * Nothing here is locked. */
#ifndef VTM_SESSION_H
#define VTM_SESSION_H

#include <glib.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "conf/conf.h"
#include "mail/spool.h"

#define VTM_RECIPIENTS_MAX 1000	/* kept for the journal; mail to more is scanned as well */
#define VTM_ADDRESS_MAX 1024	/* bytes kept of an address; RFC 5321 allows 256 */
#define VTM_OUR_NAMES_MAX 20000	/* different X-VT-* names; Postfix lets fewer than 13,000 through (header_size_limit) */

/* What is done with a message; decided at MAIL. */
enum vtm_plan {
	VTM_PLAN_SCAN,
	VTM_PLAN_STRIP,		/* forged headers go, nothing is asked */
	VTM_PLAN_TRUST		/* a trusted relay's headers stay, nothing is asked */
};
const char *vtm_plan_name(enum vtm_plan plan);	/* "scan", "skip", "trust" */

struct vtm_message {
	struct vtm_conf *conf;		/* a reference: the snapshot of this message */
	enum vtm_plan plan;
	enum vtm_origin origin;
	char *sender;			/* without brackets */
	GPtrArray *recipients;		/* of char *, NULL-terminated at the end of message */
	GHashTable *ours;		/* name of an X-VT-* header, lower case -> how often it came */
	unsigned forged;		/* how many these are together */
	bool overrun;			/* more than VTM_OUR_NAMES_MAX: they cannot all be deleted */
	struct vtm_spool *spool;	/* NULL: nothing is collected */
	uint64_t size;
	bool has_field;			/* one field of the header has been collected */
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
/* Notes headers of ours and collects what the walk reads; LF inside a value is a folded line. */
void vtm_message_add_header(struct vtm_message *m, const char *name, const char *value);
void vtm_message_add(struct vtm_message *m, const void *data, size_t len);

/* "user@example.com" for "<user@example.com>", VTM_ADDRESS_MAX bytes of it.  New string. */
char *vtm_address_bare(const char *address);

#endif
