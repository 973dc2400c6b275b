/* SPDX-License-Identifier: BSD-2-Clause */
/* shares.h - counts today's requests of each client network and sender domain.  Pure, not locked.
 *
 * A request is charged when it is sent, with its points: requests of fewer points do not count against one of more, so
 * that a sender's many links never stand before his one program; twice the bound is the end of it.
 * At most VTM_SHARES_MAX names are counted.  When the table is full it is emptied: memory stays bounded, and no sender
 * is put back wrongly.
 */
#ifndef VTM_SHARES_H
#define VTM_SHARES_H

#include <stdbool.h>
#include <stdint.h>

#define VTM_SHARES_MAX 65536
#define VTM_SHARES_LEVELS 12		/* points are told apart from 1 or less to this and more */

struct vtm_shares;

struct vtm_shares *vtm_shares_new(void);
void vtm_shares_free(struct vtm_shares *s);

/* Is the share of <network> or of <domain> (NULL: no share) used up on <day> for a request of <points>: did they get
 * <bound> requests of as many points, or twice <bound> of any? */
bool vtm_shares_full(const struct vtm_shares *s, int64_t day, const char *network, const char *domain, int points,
		     uint32_t bound);
/* Charges one request to both.  A <day> other than the last call's empties the table. */
void vtm_shares_charge(struct vtm_shares *s, int64_t day, const char *network, const char *domain, int points);

#endif
