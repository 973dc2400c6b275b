/* SPDX-License-Identifier: BSD-2-Clause */
/* reply.h - a decision as header edits and the answer to the MTA.  Called at end of message only. */
#ifndef VTM_REPLY_H
#define VTM_REPLY_H

#include <libmilter/mfapi.h>

#include "scan/scan.h"
#include "session.h"

/* What became of the message besides its headers.  VTM_ACTION_NONE: it goes on. */
enum vtm_action { VTM_ACTION_NONE, VTM_ACTION_QUARANTINE, VTM_ACTION_REJECT, VTM_ACTION_DISCARD, VTM_ACTION_TEMPFAIL };

/* Deletes every X-VT-* header that came with the message, from the highest index down: the only order that
 * cleans all of them on Postfix and Sendmail alike.  false: the MTA did not take it. */
bool vtm_reply_strip(SMFICTX *ctx, const struct vtm_message *m);
/* Inserts the headers of <d> above all others.  false: the MTA did not take them. */
bool vtm_reply_headers(SMFICTX *ctx, const struct vtm_message *m, const struct vtm_decision *d);
/* OnBad; then OnFailure, if <failure> says what went wrong with us (a static text, NULL: nothing); and to go on for
 * everything else. */
sfsistat vtm_reply_verdict(SMFICTX *ctx, const char *queue_id, const struct vtm_message *m,
			   const struct vtm_decision *d, const char *failure, enum vtm_action *action_r);
/* Refuses a message with more X-VT-* names than can be deleted: no MTA hands on so many, and it would pass with
 * forged ones. */
sfsistat vtm_reply_overrun(SMFICTX *ctx, const char *queue_id, const struct vtm_message *m);
/* The MTA went away during the wait: what it does with the message is its own affair. */
sfsistat vtm_reply_gone(const char *queue_id, const struct vtm_message *m, const struct vtm_decision *d);

/* Counts a message and logs it: one line, and one for each bad item.  <kept>: it could be read. */
void vtm_reply_log(const char *queue_id, const struct vtm_message *m, const struct vtm_decision *d, bool kept,
		   enum vtm_action action);
/* The same for one that is not scanned. */
void vtm_reply_log_skipped(const char *queue_id, const struct vtm_message *m);

#endif
