/* SPDX-License-Identifier: BSD-2-Clause */
/* budget.c - the arithmetic of the budget. */
#include "model/budget.h"

#include <string.h>
#include <time.h>

#define DAY_MS ((int64_t)24 * 3600 * 1000)

void vtm_budget_init(struct vtm_budget *b)
{
	memset(b, 0, sizeof(*b));
	b->window = g_array_new(FALSE, FALSE, sizeof(int64_t));
}

void vtm_budget_clear(struct vtm_budget *b)
{
	if (b->window)
		g_array_free(b->window, TRUE);
	memset(b, 0, sizeof(*b));
}

int64_t vtm_budget_day(int64_t utc_ms)
{
	return utc_ms >= 0 ? utc_ms / DAY_MS : -((-utc_ms + DAY_MS - 1) / DAY_MS);
}

int32_t vtm_budget_month(int64_t utc_ms)
{
	time_t t = (time_t)(vtm_budget_day(utc_ms) * (DAY_MS / 1000));
	struct tm tm;

	if (!gmtime_r(&t, &tm))
		return 0;
	return (tm.tm_year + 1900) * 12 + tm.tm_mon;
}

int64_t vtm_budget_next_day_ms(int64_t utc_ms)
{
	return (vtm_budget_day(utc_ms) + 1) * DAY_MS;
}

unsigned vtm_budget_charged_days(int64_t utc_ms, int64_t days_r[2])
{
	int64_t first = vtm_budget_day(utc_ms - VTM_MIDNIGHT_AFTER_MS);
	int64_t last = vtm_budget_day(utc_ms + VTM_MIDNIGHT_BEFORE_MS);

	days_r[0] = first;
	days_r[1] = last;
	return first == last ? 1 : 2;
}

struct vtm_limit vtm_limit_allowed(int64_t allowed)
{
	if (allowed < 0)
		return (struct vtm_limit)VTM_NO_LIMIT;
	return vtm_limit_of((uint32_t)MIN(allowed, (int64_t)G_MAXUINT32));
}

struct vtm_limit vtm_limit_tighter(struct vtm_limit a, struct vtm_limit b)
{
	if (!a.limited || !b.limited)
		return a.limited ? a : b;
	return a.most < b.most ? a : b;
}

bool vtm_limit_equal(struct vtm_limit a, struct vtm_limit b)
{
	return a.limited == b.limited && a.most == b.most;
}

uint32_t vtm_limit_left(struct vtm_limit l, uint64_t used)
{
	if (!l.limited)
		return G_MAXUINT32;
	return used >= l.most ? 0 : l.most - (uint32_t)used;
}

uint32_t vtm_budget_left(const struct vtm_budget_limits *l, enum vtm_spender who, uint32_t day_used,
			 uint32_t month_used)
{
	uint64_t kept = 0;

	switch (who) {
	case VTM_SPEND_URL:
		kept += l->reserve_attachments;
		G_GNUC_FALLTHROUGH;
	case VTM_SPEND_ATTACHMENT:
		kept += l->reserve_manual;
		G_GNUC_FALLTHROUGH;
	case VTM_SPEND_MANUAL:
		break;
	}
	return MIN(vtm_limit_left(l->per_day, day_used + kept), vtm_limit_left(l->per_month, month_used));
}

uint32_t vtm_budget_allow(const struct vtm_budget_limits *l, enum vtm_spender who, uint32_t day_used,
			  uint32_t month_used, uint32_t slots, uint32_t want)
{
	uint32_t left = vtm_budget_left(l, who, day_used, month_used);

	left = MIN(left, vtm_limit_left(l->per_minute, slots));
	return MIN(left, want);
}

int64_t vtm_budget_slot_at(const struct vtm_budget_limits *l, const struct vtm_budget *b,
			   int64_t now_boot_ms, uint32_t n, int64_t answer_ms)
{
	uint32_t limit = l->per_minute.most;
	uint32_t taken = b->window->len;
	int64_t round = VTM_WINDOW_MS + VTM_SLOT_MARGIN_MS + answer_ms;
	uint32_t slot = n % MAX(limit, 1);
	int64_t rounds = n / MAX(limit, 1);
	int64_t free_at = now_boot_ms;

	if (!l->per_minute.limited)
		return now_boot_ms;
	if (!limit)
		return INT64_MAX;
	/* if the limit was lowered, more slots are taken than it allows: those that end first do not count */
	if (taken + slot >= limit) {
		uint32_t i = taken + slot - limit;

		free_at = MAX(now_boot_ms, g_array_index(b->window, int64_t, MIN(i, taken - 1)));
	}
	return free_at + rounds * round;
}

int64_t vtm_anchor_utc(const struct vtm_anchor *a, const char *boot_id, int64_t boot_ms, int64_t wall_utc_ms)
{
	if (!a->boot_id[0])
		return wall_utc_ms;
	if (strcmp(a->boot_id, boot_id))
		return MAX(wall_utc_ms, a->utc_ms);
	return a->utc_ms + (boot_ms - a->boot_ms);
}

void vtm_anchor_set(struct vtm_anchor *a, const char *boot_id, int64_t boot_ms, int64_t utc_ms)
{
	g_strlcpy(a->boot_id, boot_id, sizeof(a->boot_id));
	a->boot_ms = boot_ms;
	a->utc_ms = utc_ms;
}
