/* SPDX-License-Identifier: BSD-2-Clause */
/* smime.h - the MIME entity inside of opaque signed S/MIME (RFC 8551 section 3.5.2).  Leaf; knows OpenSSL's CMS.
 *
 * Signatures are not checked: a forged one hides nothing from us, and says nothing about the content.
 */
#ifndef VTM_SMIME_H
#define VTM_SMIME_H

#include <stddef.h>

enum vtm_smime {
	VTM_SMIME_NONE,		/* no CMS, or no content: a detached signature, certificates */
	VTM_SMIME_SIGNED,	/* *content_r is the entity */
	VTM_SMIME_ENCRYPTED,
	VTM_SMIME_BROKEN	/* damaged CMS, or of a kind that is not read here, such as compressed data */
};

/* Reads DER or BER.  *content_r: new bytes for VTM_SMIME_SIGNED, never longer than <len>; g_free().  Any thread. */
enum vtm_smime vtm_smime_open(const void *data, size_t len, char **content_r, size_t *len_r);

#endif
