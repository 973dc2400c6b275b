/* SPDX-License-Identifier: BSD-2-Clause */
/* signature.h - is a file nothing but a detached signature?  Part of mime.
 *
 * A detached signature differs in every message, so looking it up is a request wasted.  But "signature" is only what
 * the sender says: the bytes have to be one from the first to the last, since programs open a file by its content or
 * name.
 */
#ifndef VTM_SIGNATURE_H
#define VTM_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>

#define VTM_SIGNATURE_MAX 65536	/* bytes; no signature is larger */

/* Are the bytes, which <type> calls a signature, an OpenPGP ASCII armor (RFC 9580, section 6.2) or a CMS SignedData
 * (RFC 5652), and nothing else? */
bool vtm_signature_is(const char *type, const char *content, size_t len);

/* Does <type> name a detached signature? */
bool vtm_signature_type(const char *type);

/* Is this a name that signatures have, or none (NULL)? */
bool vtm_signature_name(const char *name);

#endif
