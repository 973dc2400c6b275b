/* SPDX-License-Identifier: BSD-2-Clause */
/* answer.h - answers the commands of the control socket (control.h). */
#ifndef VTM_ANSWER_H
#define VTM_ANSWER_H

/* The answer to <command>: one line of JSON, new string; NULL: there is no such command.
 *
 *	status			vtm_status()
 *	forget KIND ID		Drops an answer from the memory cache, for vtmilterctl cache forget.
 *	reread KIND SUBJECT	Another process stored an answer: gives it to waiting mail and to the journal.
 *	lookup KIND SUBJECT	What is known of an item.  If nothing is, queues it in the class of a person's own
 *				look-ups, which may use ReserveForManual; it is pending until it is asked for again.
 *	bulk KIND SUBJECT	The same, but queued after all mail.
 *	known KIND SUBJECT	The same, but not queued: it is bypassed (cap) if nothing is known.
 *
 * KIND and ID are those of lookup.h (a word, 64 hex digits).  SUBJECT must be spelled as vtmilter itself would look it
 * up.  forget and reread answer {"ok":BOOL,"error":TEXT}, the other three {"verdict":V,"reason":R,"malicious":N,...} or
 * {"error":TEXT}.  They wait for the store only, and submit nothing.  Any thread. */
char *vtm_answer(const char *command);

#endif
