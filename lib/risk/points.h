/* SPDX-License-Identifier: BSD-2-Clause */
/* points.h - what a look-up is worth: a sum of small whole numbers, each with its sentence.
 *
 * One look-up settles a *group*: a registrable domain, a host or URL where anybody publishes, an attachment.  The more
 * points, the sooner it is asked (pace.h says how much sooner).  The rows of the table in points.c are the whole rule;
 * a set of rows is kept as a number, so that a person can be told why a look-up was sent or not.
 * Pure: no clock, no I/O, no locks; any thread.
 */
#ifndef VTM_RISK_POINTS_H
#define VTM_RISK_POINTS_H

#include <glib.h>

#include "risk/features.h"
#include "risk/history.h"

#define VTM_POINTS_MAX 40		/* no sum is outside -VTM_POINTS_MAX .. VTM_POINTS_MAX */
#define VTM_POINTS_FURTHER_MAX 10	/* further items of a message are told apart up to this one */

/* The rows.  Stores keep these numbers: add at the end, at most 24. */
enum vtm_points_row {
	VTM_POINTS_HOST_KNOWN, VTM_POINTS_HOST_NEW, VTM_POINTS_ANYBODY, VTM_POINTS_SHORTENER, VTM_POINTS_ODD_NAME,
	VTM_POINTS_TO_FROM, VTM_POINTS_FROM_NEW, VTM_POINTS_FROM_UNSEEN, VTM_POINTS_NETWORK_NEW,
	VTM_POINTS_NETWORK_UNSEEN, VTM_POINTS_DMARC, VTM_POINTS_FEW_DOMAINS, VTM_POINTS_FILE_ACTIVE,
	VTM_POINTS_FILE_ARCHIVE, VTM_POINTS_BAD, VTM_POINTS_CLEAN, VTM_POINTS_UNKNOWN, VTM_POINTS_RESERVE,
	VTM_POINTS_ENOUGH, VTM_POINTS_SHARE, VTM_POINTS_ASIDE
};
#define VTM_POINTS_ROWS (VTM_POINTS_ASIDE + 1)

/* A set of rows: a bit a row, and above them the item's place among those of its message. */
typedef uint32_t vtm_points;
#define VTM_POINTS_FURTHER_SHIFT 24

/* Everything that is known of one item.  A record that was not found stands for a name never seen. */
struct vtm_points_facts {
	const struct vtm_message_features *message;
	const struct vtm_item_features *item;
	const struct vtm_history *from, *network, *group;	/* group: of links, else NULL */
	uint32_t hour;			/* now */
	unsigned reach;			/* days with mail that the history knows: vtm_store_history_reach() */
};

/* The rows that hold for an item, its place in the message (vtm_points_further()) aside. */
vtm_points vtm_points_of(const struct vtm_points_facts *f);
/* The same item as the <n>th further one (from 0: the first, not a further one) of its message. */
vtm_points vtm_points_further(vtm_points p, unsigned n);
static inline vtm_points vtm_points_with(vtm_points p, enum vtm_points_row row)
{
	return p | 1u << row;
}
static inline vtm_points vtm_points_without(vtm_points p, enum vtm_points_row row)
{
	return p & ~(1u << row);
}
/* The rows that tell of a group's last answer, replaced by those of <answer> (enum vtm_history_answer). */
vtm_points vtm_points_answered(vtm_points p, enum vtm_history_answer answer);
int vtm_points_sum(vtm_points p);
/* "From domain first seen today +4; link host first seen today +1"; new string, to be freed. */
char *vtm_points_text(vtm_points p);
/* One row, for the manual's test: its points, and its sentence. */
int vtm_points_row(enum vtm_points_row row, const char **sentence_r);

#endif
