/* SPDX-License-Identifier: BSD-2-Clause */
/* test-budget.c - days, months, midnight, reserves, window and anchor; the breaker. */
#include "queue/breaker.h"
#include "model/budget.h"
#include "tap.h"

#define H (3600 * 1000)
#define MIDNIGHT (G_GINT64_CONSTANT(1767225600) * 1000)	/* 2026-01-01 00:00:00 UTC */

static void calendar(void)
{
	int64_t days[2];

	is_int(vtm_budget_day(MIDNIGHT), 20454, "2026-01-01 is day 20454");
	is_int(vtm_budget_day(MIDNIGHT - 1), 20453, "a millisecond earlier is the day before");
	is_int(vtm_budget_day(-1), -1, "days before 1970 round down");
	is_int(vtm_budget_month(MIDNIGHT), 2026 * 12, "January 2026");
	is_int(vtm_budget_month(MIDNIGHT - 1), 2025 * 12 + 11, "December 2025");
	is_int(vtm_budget_next_day_ms(MIDNIGHT), MIDNIGHT + 24 * H, "next day");
	is_int(vtm_budget_charged_days(MIDNIGHT + 12 * H, days), 1, "at noon one day is charged");
	is_int(vtm_budget_charged_days(MIDNIGHT + VTM_MIDNIGHT_AFTER_MS - 1, days), 2, "just after midnight two");
	ok(days[0] == 20453 && days[1] == 20454, "yesterday and today");
	is_int(vtm_budget_charged_days(MIDNIGHT + VTM_MIDNIGHT_AFTER_MS, days), 1, "then one");
	is_int(vtm_budget_charged_days(MIDNIGHT - VTM_MIDNIGHT_BEFORE_MS, days), 2, "just before midnight two");
	is_int(vtm_budget_charged_days(MIDNIGHT - VTM_MIDNIGHT_BEFORE_MS - 1, days), 1, "earlier one");
}

static void reserves(void)
{
	struct vtm_budget_limits l = { VTM_LIMIT(4), VTM_LIMIT(500), VTM_LIMIT(15500), 20, 150 };
	struct vtm_budget_limits none = { 0 };

	is_int(vtm_budget_left(&l, VTM_SPEND_MANUAL, 0, 0), 500, "by hand everything may be used");
	is_int(vtm_budget_left(&l, VTM_SPEND_ATTACHMENT, 0, 0), 480, "attachments leave the manual reserve");
	is_int(vtm_budget_left(&l, VTM_SPEND_URL, 0, 0), 330, "urls leave both");
	is_int(vtm_budget_left(&l, VTM_SPEND_URL, 330, 0), 0, "urls end at 330");
	is_int(vtm_budget_left(&l, VTM_SPEND_ATTACHMENT, 479, 0), 1, "the last for attachments");
	is_int(vtm_budget_left(&l, VTM_SPEND_MANUAL, 500, 0), 0, "nothing left");
	is_int(vtm_budget_left(&l, VTM_SPEND_MANUAL, G_MAXUINT32, 0), 0, "no overflow");
	is_int(vtm_budget_left(&l, VTM_SPEND_MANUAL, 0, 15499), 1, "the month counts too");
	is_int(vtm_budget_left(&none, VTM_SPEND_URL, 1000000, 1000000), G_MAXUINT32, "0 is no limit");
	is_int(vtm_budget_allow(&l, VTM_SPEND_URL, 0, 0, 3, 9), 1, "one slot free");
	is_int(vtm_budget_allow(&l, VTM_SPEND_URL, 0, 0, 4, 9), 0, "no slot free");
	is_int(vtm_budget_allow(&l, VTM_SPEND_URL, 0, 0, 400, 9), 0, "limit lowered under what is taken");
	is_int(vtm_budget_allow(&l, VTM_SPEND_URL, 329, 0, 0, 9), 1, "the day bounds it");
	is_int(vtm_budget_allow(&none, VTM_SPEND_URL, 0, 0, 99999, 9), 9, "no limits");
}

/* Each limit below, at and above its boundary; 0 is a limit. */
static void limits(void)
{
	static const struct { struct vtm_limit limit; uint64_t used; uint32_t left; } rows[] = {
		{ VTM_NO_LIMIT, 0, G_MAXUINT32 }, { VTM_NO_LIMIT, G_MAXUINT64, G_MAXUINT32 }, { VTM_LIMIT(0), 0, 0 },
		{ VTM_LIMIT(0), 1, 0 }, { VTM_LIMIT(5), 0, 5 }, { VTM_LIMIT(5), 4, 1 }, { VTM_LIMIT(5), 5, 0 },
		{ VTM_LIMIT(5), 6, 0 }, { VTM_LIMIT(5), G_MAXUINT64, 0 }, { VTM_LIMIT(G_MAXUINT32), 0, G_MAXUINT32 },
		{ VTM_LIMIT(G_MAXUINT32), G_MAXUINT32, 0 },
	};
	static const struct { struct vtm_limit a, b, tighter; } pairs[] = {
		{ VTM_NO_LIMIT, VTM_NO_LIMIT, VTM_NO_LIMIT }, { VTM_NO_LIMIT, VTM_LIMIT(7), VTM_LIMIT(7) },
		{ VTM_LIMIT(7), VTM_NO_LIMIT, VTM_LIMIT(7) }, { VTM_LIMIT(7), VTM_LIMIT(6), VTM_LIMIT(6) },
		{ VTM_LIMIT(6), VTM_LIMIT(7), VTM_LIMIT(6) }, { VTM_LIMIT(0), VTM_LIMIT(7), VTM_LIMIT(0) },
		{ VTM_NO_LIMIT, VTM_LIMIT(0), VTM_LIMIT(0) },
	};
	static const struct { int64_t allowed; struct vtm_limit limit; } server[] = {
		{ -1, VTM_NO_LIMIT }, { 0, VTM_LIMIT(0) }, { 1, VTM_LIMIT(1) }, { G_MAXUINT32, VTM_LIMIT(G_MAXUINT32) },
		{ (int64_t)G_MAXUINT32 + 1, VTM_LIMIT(G_MAXUINT32) }, { G_MAXINT64, VTM_LIMIT(G_MAXUINT32) },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
		is_int(vtm_limit_left(rows[i].limit, rows[i].used), rows[i].left, "limit: row %u, what is left", i);
	for (unsigned i = 0; i < G_N_ELEMENTS(pairs); i++)
		ok(vtm_limit_equal(vtm_limit_tighter(pairs[i].a, pairs[i].b), pairs[i].tighter), "limit: pair %u, the tighter", i);
	for (unsigned i = 0; i < G_N_ELEMENTS(server); i++)
		ok(vtm_limit_equal(vtm_limit_allowed(server[i].allowed), server[i].limit), "limit: VirusTotal's %" G_GINT64_FORMAT,
		   server[i].allowed);
	ok(!vtm_limit_configured(0).limited && vtm_limit_configured(1).most == 1, "limit: a directive's 0 is none");
}

static void slots(void)
{
	struct vtm_budget_limits l = { .per_minute = VTM_LIMIT(4) };
	struct vtm_budget b;
	int64_t ends[] = { 5000, 6000, 7000 };
	const int64_t round = VTM_WINDOW_MS + VTM_SLOT_MARGIN_MS + 500;

	vtm_budget_init(&b);
	is_int(vtm_budget_slot_at(&l, &b, 1000, 3, 500), 1000, "four may start at once");
	is_int(vtm_budget_slot_at(&l, &b, 1000, 4, 500), 1000 + round, "the fifth a window later");
	is_int(vtm_budget_slot_at(&l, &b, 1000, 8, 500), 1000 + 2 * round, "the ninth two");
	g_array_append_vals(b.window, ends, 3);
	is_int(vtm_budget_slot_at(&l, &b, 1000, 0, 500), 1000, "one of four is free");
	is_int(vtm_budget_slot_at(&l, &b, 1000, 1, 500), 5000, "the next when the first ends");
	is_int(vtm_budget_slot_at(&l, &b, 1000, 3, 500), 7000, "and so on");
	is_int(vtm_budget_slot_at(&l, &b, 1000, 5, 500), 5000 + round, "and round again");
	l.per_minute = vtm_limit_configured(1);
	is_int(vtm_budget_slot_at(&l, &b, 1000, 0, 500), 7000, "limit lowered: the last one taken decides");
	l.per_minute = vtm_limit_of(0);
	is_int(vtm_budget_slot_at(&l, &b, 1000, 0, 500), INT64_MAX, "a limit of 0: never");
	l.per_minute = vtm_limit_configured(0);
	is_int(vtm_budget_slot_at(&l, &b, 1000, 5000, 500), 1000, "no limit, no waiting");
	vtm_budget_clear(&b);
}

static void anchor(void)
{
	struct vtm_anchor a = { .boot_id = "" };

	is_int(vtm_anchor_utc(&a, "x", 5, MIDNIGHT), MIDNIGHT, "without an anchor the wall clock");
	vtm_anchor_set(&a, "x", 1000, MIDNIGHT);
	is_int(vtm_anchor_utc(&a, "x", 3000, MIDNIGHT + 24 * H), MIDNIGHT + 2000, "a jump forward is not believed");
	is_int(vtm_anchor_utc(&a, "x", 3000, 0), MIDNIGHT + 2000, "nor one back");
	is_int(vtm_anchor_utc(&a, "y", 1, MIDNIGHT - H), MIDNIGHT, "a new boot does not go back");
	is_int(vtm_anchor_utc(&a, "y", 1, MIDNIGHT + H), MIDNIGHT + H, "but forward with the wall clock");
}

static void breaker(void)
{
	struct vtm_breaker b;
	int64_t now = 1000;

	vtm_breaker_init(&b);
	ok(!vtm_breaker_failure(&b, now) && !vtm_breaker_failure(&b, now), "two failures change nothing");
	ok(vtm_breaker_allows(&b, now), "and requests go on");
	ok(vtm_breaker_failure(&b, now), "the third opens the circuit");
	ok(!vtm_breaker_allows(&b, now + VTM_BREAKER_SERVICE_MS - 1), "nothing is asked");
	ok(vtm_breaker_allows(&b, now + VTM_BREAKER_SERVICE_MS), "then one probe");
	ok(!vtm_breaker_allows(&b, now + VTM_BREAKER_SERVICE_MS), "and only one");
	now += VTM_BREAKER_SERVICE_MS;
	ok(!vtm_breaker_failure(&b, now), "the probe fails: no news");
	is_int(b.until_ms, now + 2 * VTM_BREAKER_SERVICE_MS, "but a longer pause");
	for (int i = 0; i < 20; i++) {
		now = b.until_ms;
		vtm_breaker_allows(&b, now);
		vtm_breaker_failure(&b, now);
	}
	is_int(b.until_ms, now + VTM_BREAKER_SERVICE_MAX_MS, "the pause has a bound");
	ok(vtm_breaker_success(&b), "a success closes it");
	ok(!vtm_breaker_success(&b), "once");

	ok(vtm_breaker_denied(&b, now) && !vtm_breaker_denied(&b, now), "a refused key is news once");
	ok(!vtm_breaker_would_allow(&b, now), "and stops everything");
	vtm_breaker_retry_now(&b);
	ok(vtm_breaker_allows(&b, now), "a reload tries at once");
	vtm_breaker_success(&b);

	vtm_breaker_quota(&b, now, -1);
	is_int(b.until_ms - now, VTM_BREAKER_QUOTA_MS, "429: a minute");
	vtm_breaker_quota(&b, now, -1);
	is_int(b.until_ms - now, VTM_BREAKER_QUOTA_MS, "a second one that was under way too: still a minute");
	now = b.until_ms;
	vtm_breaker_allows(&b, now);
	vtm_breaker_quota(&b, now, -1);
	is_int(b.until_ms - now, 2 * VTM_BREAKER_QUOTA_MS, "the probe refused: two");
	for (int i = 0; i < 3; i++) {
		now = b.until_ms;
		vtm_breaker_allows(&b, now);
		vtm_breaker_quota(&b, now, -1);
	}
	is_int(b.until_ms - now, VTM_BREAKER_QUOTA_MAX_MS, "then the day counts as spent: a probe an hour");
	vtm_breaker_success(&b);
	vtm_breaker_quota(&b, now, 600 * 1000);
	is_int(b.until_ms - now, 600 * 1000, "Retry-After is honoured");
	vtm_breaker_success(&b);
	vtm_breaker_quota(&b, now, G_MAXINT64 / 2);
	is_int(b.until_ms - now, VTM_RETRY_AFTER_MAX_MS, "up to a bound");
}

int main(void)
{
	calendar();
	reserves();
	limits();
	slots();
	anchor();
	breaker();
	return done_testing();
}
