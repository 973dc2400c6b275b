/* SPDX-License-Identifier: BSD-2-Clause */
/* history.h - what this site has seen before: link domains, From domains, client networks.
 *
 * A record is found by the keyed hash of a name, so that the store's file alone does not tell who writes to whom; the
 * secret lies in the store, too.  Pure: the store keeps the records (vtm_store_history_get(), vtm_store_history_note()).
 * Days are UTC days since 1970-01-01.
 */
#ifndef VTM_RISK_HISTORY_H
#define VTM_RISK_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VTM_HISTORY_SECRET 16		/* bytes */
#define VTM_HISTORY_SENDERS 4		/* sender domains that a record tells apart */

enum vtm_history_kind { VTM_HISTORY_LINK, VTM_HISTORY_FROM, VTM_HISTORY_NETWORK };
#define VTM_HISTORY_KINDS (VTM_HISTORY_NETWORK + 1)

struct vtm_history_key {
	uint8_t kind;			/* enum vtm_history_kind */
	uint8_t id[15];			/* the start of a keyed hash of the name */
};

enum vtm_history_answer { VTM_HISTORY_NONE, VTM_HISTORY_CLEAN, VTM_HISTORY_UNKNOWN, VTM_HISTORY_BAD };

struct vtm_history {
	bool found;
	uint16_t first_day, last_day;	/* seen */
	uint16_t days;			/* different days on which it was seen, saturating */
	uint32_t messages;		/* saturating */
	uint8_t n_senders;
	uint32_t senders[VTM_HISTORY_SENDERS];	/* keyed hashes of From domains */
	uint8_t answer;			/* enum vtm_history_answer: the worst answer of answer_day */
	uint16_t answer_day;
};

#endif
