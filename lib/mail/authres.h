/* SPDX-License-Identifier: BSD-2-Clause */
/* authres.h - what our own server found out about a message (Authentication-Results, RFC 8601).  Base layer.
 *
 * A field is believed only for its place and its name: the server must remove forged ones that carry its authserv-id
 * (RFC 8601 section 5), as OpenDMARC and rspamd do.
 */
#ifndef VTM_AUTHRES_H
#define VTM_AUTHRES_H

#include <stdbool.h>

/* Is <value> a field of <authserv_id>? */
bool vtm_authres_is(const char *value, const char *authserv_id);

/* Does it say that the From domain <domain> (A-labels, lower case) passed DMARC?  Comments say nothing, quoted strings
 * are never taken for results; dmarc=pass and header.from must stand in the same result. */
bool vtm_authres_dmarc_pass(const char *value, const char *domain);

/* Does it say that the envelope sender's <domain> (lower case) is genuine: SPF passed for it (smtp.mailfrom), DKIM with its
 * signature (header.d), or DMARC (header.from)?  As strict as above. */
bool vtm_authres_sender_pass(const char *value, const char *domain);

#endif
