/* SPDX-License-Identifier: BSD-2-Clause */
/* test-pace.c - requests that last the day. */
#include "risk/pace.h"

#include <glib.h>

#include "tap.h"

#define DAY_MS (24 * 3600 * G_GINT64_CONSTANT(1000))
#define DAY (20000 * DAY_MS)
#define D 480

static struct vtm_pace begun(void)
{
	struct vtm_pace p;

	vtm_pace_init(&p);
	return p;
}

/* The floor after <ahead> more requests. */
static int floor_of(const struct vtm_pace *p, uint32_t ahead)
{
	return vtm_pace_floor(p, 1, p->used + ahead);
}

static void test_line(void)
{
	struct vtm_pace p = begun();

	vtm_pace_move(&p, DAY, D, 0);
	is_int((int)p.line, 48, "it begins a tenth of the day ahead");
	is_int(floor_of(&p, 0), 3, "a look-up of 3 points may be sent at once");
	is_int(floor_of(&p, 48), 5, "5 points, after a tenth of the day's");
	is_int(floor_of(&p, 48 + 28), 5, "and less than 6 %% more");
	is_int(floor_of(&p, 48 + 29), 6, "then it takes 6");
	vtm_pace_move(&p, DAY + DAY_MS / 2, D, 0);
	is_int((int)p.line, 48, "nobody wanted any: half a day later it is no further ahead");
	vtm_pace_move(&p, DAY + 3 * DAY_MS / 4, D, 48);
	is_int((int)p.line, 96, "a quarter later again a tenth, for so many were used");
	vtm_pace_move(&p, DAY + DAY_MS - 1, D, 400);
	ok(p.line <= 448 && p.line > 400, "the rest is given until midnight");
}

/* Always something to send: how many are used after each quarter of a day, with look-ups of <points>. */
static void busy_day(struct vtm_pace *p, int64_t day, int points, uint32_t used[5])
{
	uint32_t n = 0;

	for (int64_t at = 0; at < DAY_MS; at += 15000) {
		vtm_pace_move(p, day + at, D, n);
		if (n < D && floor_of(p, 0) <= points)
			n++;
		used[at * 4 / DAY_MS] = n;
	}
	used[4] = n;
}

static void test_days(void)
{
	struct vtm_pace p = begun();
	uint32_t used[5];

	busy_day(&p, DAY, 4, used);
	ok(used[0] > 150 && used[0] < 165, "a quarter of the day takes a quarter of the requests, and a part of the start");
	ok(used[1] > 250 && used[1] < 280, "half a day the half");
	is_int(used[3], D, "at midnight all are used");
	busy_day(&p, DAY + DAY_MS, 4, used);
	ok(used[0] >= 120 && used[0] <= 122, "where the day before left nothing, the next begins even");
	busy_day(&p, DAY + 2 * DAY_MS, 6, used);
	ok(used[0] > 165 && used[0] < 185, "two points more are 12 %% of the day ahead");
	busy_day(&p, DAY + 3 * DAY_MS, -4, used);
	ok(used[0] == 0 && used[1] < 130, "few points wait for long");
	ok(used[3] > 470, "and get what would expire: %u of 480", used[3]);
	busy_day(&p, DAY + 4 * DAY_MS, -30, used);
	ok(used[2] == 0 && used[3] > 0, "the fewest get the last of them: %u", used[3]);
}

static void test_left_over(void)
{
	struct vtm_pace p = begun();

	vtm_pace_move(&p, DAY, D, 0);
	vtm_pace_move(&p, DAY + DAY_MS - 1, D, 460);
	vtm_pace_move(&p, DAY + DAY_MS, D, 0);
	is_int((int)p.line, 20, "what the day before left over is given at once");
	vtm_pace_move(&p, DAY + 2 * DAY_MS, D, 0);
	is_int((int)p.line, 48, "but no more than a tenth");
	vtm_pace_move(&p, DAY + 2 * DAY_MS - 1000, D, 0);
	is_int((int)p.line, 48, "a clock set back a day begins that one");
}

static void test_small(void)
{
	struct vtm_pace p = begun();

	vtm_pace_move(&p, DAY, 0, 0);
	ok(floor_of(&p, 0) > 100, "no request at all: nothing is worth one");
	p = begun();
	vtm_pace_move(&p, DAY, 1, 0);
	ok(floor_of(&p, 0) <= 4, "one a day may be sent");
	ok(floor_of(&p, 1) > 4, "and then no more");
	vtm_pace_move(&p, DAY + 1000, UINT32_MAX, 100000);
	is_int(floor_of(&p, 0), VTM_PACE_NONE, "without a limit there is no pace");
	p = begun();
	vtm_pace_move(&p, DAY + DAY_MS / 2, D, 480);
	ok(floor_of(&p, 1) > 4, "a day that is used up when it is first seen");
	vtm_pace_move(&p, DAY + DAY_MS - 60000, D, 479);
	is_int(floor_of(&p, 0), VTM_PACE_NONE, "in the last minute anything may be sent");
	p.fits = true;
	vtm_pace_move(&p, DAY + DAY_MS, D, 400);
	is_int(floor_of(&p, 0), VTM_PACE_NONE, "mail that fits is not paced");
}

static void test_parts(void)
{
	struct vtm_pace p = begun();

	vtm_pace_move(&p, DAY, D, 0);
	is_int(vtm_pace_floor(&p, 0.5, 23), 4, "half of the requests have half of the line");
	is_int(vtm_pace_floor(&p, 0.5, 24), 5, "and half of the step");
	is_int(vtm_pace_floor(&p, 0.5, 24 + 15), 6, "above it");
	ok(vtm_pace_even(&p, 0.125, 5) && !vtm_pace_even(&p, 0.125, 6), "an eighth may send six of them");
	ok(vtm_pace_floor(&p, 0, 0) > 100 && !vtm_pace_even(&p, 0, 0), "no part, no request");
}

static void test_unknown(void)
{
	struct vtm_pace p = begun();

	p.unknown = true;
	vtm_pace_move(&p, DAY, 60, 0);
	is_int(vtm_pace_floor(&p, 1, 14), VTM_PACE_NONE, "a site without a past is not paced for the first quarter");
	is_int(vtm_pace_floor(&p, 1, 15), 5, "and then begins even");
	vtm_pace_move(&p, DAY + DAY_MS / 2, 60, 15);
	is_int(vtm_pace_floor(&p, 1, 30), 5, "half a day later another quarter is there, for no more are kept");
}

static void test_budget(void)
{
	const uint32_t week[] = { 300, 383, 10 };

	is_int(vtm_pace_budget(480, UINT32_MAX, 30), 480, "no limit a month");
	is_int(vtm_pace_budget(480, 15500, 31), 480, "a month that lasts");
	is_int(vtm_pace_budget(480, 3100, 31), 100, "one that would not, evenly");
	is_int(vtm_pace_budget(480, 3101, 31), 101, "rounded up, so that the last day has some");
	is_int(vtm_pace_budget(UINT32_MAX, 3100, 31), 100, "a limit a month alone");
	is_int(vtm_pace_budget(480, 0, 31), 0, "a month that is used up");
	ok(vtm_pace_fits(week, 3, 100, 480), "less than four fifths on each day");
	ok(!vtm_pace_fits(week, 3, 384, 480), "not once today wants more");
	ok(!vtm_pace_fits(week, 3, 0, 478), "nor where a day did");
	ok(!vtm_pace_fits(week, 0, 0, 480), "nor where no day is known");
}

int main(void)
{
	test_line();
	test_days();
	test_left_over();
	test_small();
	test_parts();
	test_unknown();
	test_budget();
	return done_testing();
}
