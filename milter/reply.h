/* SPDX-License-Identifier: BSD-2-Clause */
/* reply.h - a decision as header edits and the answer to the MTA.  Called at end of message only. */
#ifndef VTM_REPLY_H
#define VTM_REPLY_H

#include <libmilter/mfapi.h>

#include "scan.h"
#include "session.h"

/* Deletes every X-VT-* header that came with the message, from the highest index down: the only order that
 * cleans all of them on Postfix and Sendmail alike. */
void vtm_reply_strip(SMFICTX *ctx, const struct vtm_message *m);
/* Inserts the headers of <d> above all others. */
void vtm_reply_headers(SMFICTX *ctx, const struct vtm_message *m, const struct vtm_decision *d);
/* OnBad, with accept for everything else. */
sfsistat vtm_reply_verdict(SMFICTX *ctx, const struct vtm_message *m, const struct vtm_decision *d);
/* One line for the message, one for each bad item. */
void vtm_reply_log(const char *queue_id, const struct vtm_message *m, const struct vtm_decision *d);

#endif
