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
/* OnBad, and to go on for everything else. */
sfsistat vtm_reply_verdict(SMFICTX *ctx, const struct vtm_message *m, const struct vtm_decision *d);
/* Refuses a message with more X-VT-* names than can be deleted: no MTA hands on so many, and it would pass with
 * forged ones. */
sfsistat vtm_reply_overrun(SMFICTX *ctx, const char *queue_id, const struct vtm_message *m);
/* The MTA went away during the wait: what it does with the message is its own affair. */
sfsistat vtm_reply_gone(const char *queue_id, const struct vtm_message *m, const struct vtm_decision *d);

/* Counts a message and logs it: one line, and one for each bad item.  <kept>: it could be read. */
void vtm_reply_log(const char *queue_id, const struct vtm_message *m, const struct vtm_decision *d, bool kept);
/* The same for one that is not scanned. */
void vtm_reply_log_skipped(const char *queue_id, const struct vtm_message *m);

#endif
