/* SPDX-License-Identifier: BSD-2-Clause */
/* plan-points.h - which links of a mailbox would be looked up at once, by points and pace.
 *
 * The messages are replayed in the order of their delivery with a history that begins empty and learns from them, and
 * every answer is taken for clean.  What is not looked up at once may still be later in the day: that is not counted.
 * One thread.
 */
#ifndef VTM_PLAN_POINTS_H
#define VTM_PLAN_POINTS_H

#include "risk/features.h"

struct vtm_plan_points;

struct vtm_plan_links {
	unsigned links, asked;			/* link domains of messages; looked up at once, or answered lately */
	unsigned new_links, new_asked;		/* those of domains first seen within a day */
};

struct vtm_plan_points *vtm_plan_points_new(void);
void vtm_plan_points_free(struct vtm_plan_points *p);
/* A message that came at <time> (unix seconds) from an envelope and header with these features; then its links. */
void vtm_plan_points_message(struct vtm_plan_points *p, int64_t time, const struct vtm_message_features *m);
void vtm_plan_points_link(struct vtm_plan_points *p, const struct vtm_item_features *f);
struct vtm_plan_budget {
	uint32_t per_minute, per_day;		/* 0: no limit */
	double part;				/* of the day's requests that goes by points, the rest by lot */
	int64_t keep_s;				/* how long an answer is kept */
};
void vtm_plan_points_replay(struct vtm_plan_points *p, const struct vtm_plan_budget *b, struct vtm_plan_links *out);

#endif
