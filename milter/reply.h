/* SPDX-License-Identifier: BSD-2-Clause */
/* reply.h - turns a decision into header edits and the answer to the MTA.  Only at the end of a message. */
#ifndef VTM_REPLY_H
#define VTM_REPLY_H

#include <libmilter/mfapi.h>

#include "scan/scan.h"
#include "session.h"

/* What is done with the message besides its headers.  VTM_ACTION_NONE: it is accepted. */
enum vtm_action { VTM_ACTION_NONE, VTM_ACTION_QUARANTINE, VTM_ACTION_REJECT, VTM_ACTION_DISCARD, VTM_ACTION_TEMPFAIL };

/* Removes every X-VT-* header that the message arrived with, from the highest index down: only this order removes all
 * of them with both Postfix and Sendmail.  false: the MTA refused it. */
bool vtm_reply_strip(SMFICTX *ctx, const struct vtm_message *m);
/* Inserts the headers of <d> above all others.  false: the MTA refused them. */
bool vtm_reply_headers(SMFICTX *ctx, const struct vtm_message *m, const struct vtm_decision *d);
/* Applies OnBad; then OnFailure if <failure>, a static text, names our own failure (NULL: there was none); accepts all
 * other messages. */
sfsistat vtm_reply_verdict(SMFICTX *ctx, const char *queue_id, const struct vtm_message *m,
			   const struct vtm_decision *d, const char *failure, enum vtm_action *action_r);
/* Refuses a message with more X-VT-* names than can be removed: some would stay, and no MTA passes on so many. */
sfsistat vtm_reply_overrun(SMFICTX *ctx, const char *queue_id, const struct vtm_message *m);
/* The MTA closed the connection during the wait, and decides itself what to do with the message. */
sfsistat vtm_reply_gone(const char *queue_id, const struct vtm_message *m, const struct vtm_decision *d);

/* Counts a message and logs it: one line, and one for each bad item.  <kept>: it could be read. */
void vtm_reply_log(const char *queue_id, const struct vtm_message *m, const struct vtm_decision *d, bool kept,
		   enum vtm_action action);
/* Counts and logs a message that is not scanned. */
void vtm_reply_log_skipped(const char *queue_id, const struct vtm_message *m);

#endif
