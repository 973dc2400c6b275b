/* SPDX-License-Identifier: BSD-2-Clause */
/* address.h - where requests may be sent.  Any thread; keeps nothing. */
#ifndef VTM_ADDRESS_H
#define VTM_ADDRESS_H

#include <glib.h>
#include <stdbool.h>

/* "localhost", or a numeric address of this host's loopback interface. */
bool vtm_address_is_loopback(const char *host);

/* May a request go to <url>?  https anywhere, http to a loopback address only, no user name.  *plain_r: it is http.
 * The error does not repeat the URL, which may hold what is not to be logged. */
bool vtm_address_target_ok(const char *url, bool *plain_r, GError **error);

/* May the API live at <url>?  As above, and no query, fragment or escapes; at most 1024 bytes. */
bool vtm_address_base_ok(const char *url, GError **error);

#endif
