/* SPDX-License-Identifier: BSD-2-Clause */
/* shares.h - counts today's requests of each client network and sender domain.  Pure, not locked.
 *
 * At most VTM_SHARES_MAX names are counted.  When the table is full it is emptied: memory stays bounded, and no sender
 * is refused wrongly.
 */
#ifndef VTM_SHARES_H
#define VTM_SHARES_H

#include <stdbool.h>
#include <stdint.h>

#define VTM_SHARES_MAX 65536

struct vtm_shares;

struct vtm_shares *vtm_shares_new(void);
void vtm_shares_free(struct vtm_shares *s);

/* Charges one request to <network> and to <domain>; NULL: not charged.  False, and nothing is charged, if either has
 * <bound> requests on <day> already.  A <day> other than the last call's empties the table. */
bool vtm_shares_charge(struct vtm_shares *s, int64_t day, const char *network, const char *domain, uint32_t bound);

#endif
