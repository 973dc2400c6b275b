/* SPDX-License-Identifier: BSD-2-Clause */
/* features.h - what a message and its items show before anything is looked up (risk/features.h).
 *
 * From the items that extraction found, the envelope and the header.  Pure; any thread.  The caller owns the results'
 * strings.
 */
#ifndef VTM_SCAN_FEATURES_H
#define VTM_SCAN_FEATURES_H

#include "model/item.h"
#include "model/lookup.h"
#include "risk/features.h"
#include "scan/extract.h"
#include "scan/lists.h"

/* Of the message: <heading> as extraction gave it, <client_address> may be NULL. */
void vtm_features_of_message(const struct vtm_lists *lists, const struct vtm_items *items,
			     const struct vtm_heading *heading, const char *client_address,
			     struct vtm_message_features *out);
/* Of one item, which <lookup> answers; <message> as above. */
void vtm_features_of_item(const struct vtm_lists *lists, const struct vtm_item *item, const struct vtm_lookup *lookup,
			  const struct vtm_message_features *message, struct vtm_item_features *out);
/* Does anybody publish on <host> itself, so that a look-up of the host says nothing of one of its links? */
bool vtm_features_host_of_many(const struct vtm_lists *lists, const char *host);

#endif
