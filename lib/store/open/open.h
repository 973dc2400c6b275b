/* SPDX-License-Identifier: BSD-2-Clause */
/* open.h - opens a store by its URI: the only file that knows every backend.
 *
 *	sqlite:PATH
 *	redis://... rediss://... redis+unix:PATH redis-sentinel://...	store/redis/uri.h
 *
 * A new backend is a row in open.c and a table of store/backend.h.
 */
#ifndef VTM_STORE_OPEN_H
#define VTM_STORE_OPEN_H

#include "store/store.h"

/* Opens <uri>; creates it (mode 0660) if it does not exist.  Returns NULL and sets VTM_ERROR_CONFIG for a URI of unknown
 * form, VTM_ERROR_NOT_BUILT for a backend that this build lacks, VTM_ERROR_STORE otherwise.  May block for seconds while
 * another process creates the same store.  The caller closes the store with vtm_store_close(). */
struct vtm_store *vtm_store_open(const char *uri, const struct vtm_store_settings *settings, GError **error);

/* Whether <uri> has a known form.  Opens nothing.  On false, sets VTM_ERROR_CONFIG. */
bool vtm_store_uri_ok(const char *uri, GError **error);

#endif
