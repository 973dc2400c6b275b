/* SPDX-License-Identifier: BSD-2-Clause */
/* pace.h - makes a day's requests last the day.
 *
 * An even pace gives D requests a day in a straight line from midnight to midnight (UTC).  A look-up of <p> points may
 * be sent while fewer are used than that line says plus VTM_PACE_STEP of D for each point above VTM_PACE_EVEN; below it
 * the step is taken off, less and less towards midnight: what would expire goes to whatever waits.
 * Requests that nobody wanted for a while may be caught up with, but no more than VTM_PACE_SLACK of D at once: the rest
 * is spread over what is left of the day.  So a crowd of letters never finds the whole day's requests.
 * Pure: no clock, no I/O, no locks; one thread at a time.
 */
#ifndef VTM_RISK_PACE_H
#define VTM_RISK_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define VTM_PACE_EVEN 4			/* points of a look-up that keeps exactly to the even pace */
#define VTM_PACE_STEP 0.06		/* of the day for each point more or less */
#define VTM_PACE_SLACK 0.10		/* of the day: how far the line may be ahead of what is used */
#define VTM_PACE_FITS 0.8		/* a site that wants less than this part of its requests is not paced */
#define VTM_PACE_DAYS 3			/* so many earlier days' demand counts */
#define VTM_PACE_TRUST 0.25		/* a site without a past is not paced before it used this part of the day's */
#define VTM_PACE_NONE (-1000)		/* a floor that everything is above */

struct vtm_pace {
	int64_t day;			/* UTC day of the line; 0: none yet */
	int64_t at_ms;			/* of that day, when the line was moved last */
	double line;			/* requests that an even pace has given today */
	uint32_t budget;		/* D */
	uint32_t used;			/* today, as of then */
	bool fits;			/* all of the mail's look-ups can be sent: no pace */
	bool unknown;			/* how much the site wants is not known yet: see VTM_PACE_TRUST */
};

void vtm_pace_init(struct vtm_pace *p);
/* Moves the line to <utc_ms>, when <used> of <budget> requests are used today.  On the first call the line starts
 * VTM_PACE_SLACK ahead of what is used (VTM_PACE_TRUST where the site is <unknown>); on a new day it starts with what
 * the day before left, at most that. */
void vtm_pace_move(struct vtm_pace *p, int64_t utc_ms, uint32_t budget, uint32_t used);
/* A part of the requests, 0..1, has a line of its own: that part of the line.  The fewest points of a look-up that may
 * be sent when <used> of this part are used; VTM_PACE_NONE where nothing is paced. */
int vtm_pace_floor(const struct vtm_pace *p, double part, uint32_t used);
/* May one more request of this part be sent, whatever its points? */
bool vtm_pace_even(const struct vtm_pace *p, double part, uint32_t used);
/* The part of the day that has passed, 0..1. */
double vtm_pace_passed(const struct vtm_pace *p);

/* The requests that today has: the day's, and an even part of what the month has left.  UINT32_MAX: no limit.
 * <month_left> as of the start of the day; <days_left> of the month, today included. */
uint32_t vtm_pace_budget(uint32_t per_day, uint32_t month_left, unsigned days_left);
/* Does the mail fit?  <days> look-ups wanted on the <n> last days with mail, <today> so far; a history without a whole
 * day does not know, and says no. */
bool vtm_pace_fits(const uint32_t *days, unsigned n, uint32_t today, uint32_t budget);

#endif
