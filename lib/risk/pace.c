/* SPDX-License-Identifier: BSD-2-Clause */
/* pace.c - the line of an even pace, and who may run ahead of it. */
#include "risk/pace.h"

#include <glib.h>
#include <string.h>

#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define LAST_MS 60000			/* the last minute of a day holds nothing back */
#define FLOOR_MAX 1000

void vtm_pace_init(struct vtm_pace *p)
{
	memset(p, 0, sizeof(*p));
}

static double slack(const struct vtm_pace *p, uint32_t budget)
{
	return MAX(1, (p->unknown ? VTM_PACE_TRUST : VTM_PACE_SLACK) * budget);
}

static void begin_day(struct vtm_pace *p, int64_t day, uint32_t budget, uint32_t used)
{
	double left = p->day ? (double)p->budget - p->used : budget;

	p->line = used + CLAMP(left, 0, slack(p, budget));
	p->day = day;
}

void vtm_pace_move(struct vtm_pace *p, int64_t utc_ms, uint32_t budget, uint32_t used)
{
	int64_t day = utc_ms / DAY_MS, at = utc_ms % DAY_MS;

	if (day != p->day) {
		begin_day(p, day, budget, used);
	} else if (at > p->at_ms) {
		double left = (double)budget - p->line;

		p->line += left * (double)(at - p->at_ms) / (double)(DAY_MS - p->at_ms);
	}
	p->at_ms = at;
	p->budget = budget;
	p->used = used;
	p->line = MIN(MIN(p->line, used + slack(p, budget)), budget);
}

double vtm_pace_passed(const struct vtm_pace *p)
{
	return (double)p->at_ms / (double)DAY_MS;
}

int vtm_pace_floor(const struct vtm_pace *p, double part, uint32_t used)
{
	double steps, step = VTM_PACE_STEP * part * p->budget;

	if (p->fits || p->budget == UINT32_MAX || (p->unknown && used < part * VTM_PACE_TRUST * p->budget))
		return VTM_PACE_NONE;
	if (step <= 0)
		return FLOOR_MAX;
	steps = (used - part * p->line) / step;
	if (steps < 0) {
		if (DAY_MS - p->at_ms <= LAST_MS)
			return VTM_PACE_NONE;
		steps /= 1 - vtm_pace_passed(p);
	}
	/* the next whole number of steps above */
	steps = CLAMP(steps, -FLOOR_MAX, FLOOR_MAX);
	return VTM_PACE_EVEN + (int)(steps + FLOOR_MAX) - FLOOR_MAX + 1;
}

bool vtm_pace_even(const struct vtm_pace *p, double part, uint32_t used)
{
	return p->budget == UINT32_MAX || used < part * p->line;
}

uint32_t vtm_pace_budget(uint32_t per_day, uint32_t month_left, unsigned days_left)
{
	uint32_t part;

	if (month_left == UINT32_MAX || !days_left)
		return per_day;
	part = month_left / days_left + (month_left % days_left > 0);
	return part < per_day ? part : per_day;
}

bool vtm_pace_fits(const uint32_t *days, unsigned n, uint32_t today, uint32_t budget)
{
	double most = VTM_PACE_FITS * budget;

	if (!n || today >= most)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (days[i] >= most)
			return false;
	return true;
}
