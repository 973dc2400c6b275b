/* SPDX-License-Identifier: BSD-2-Clause */
/* test-work.c - bytes and time that a message may cost. */
#include "base/work.h"

#include "tap.h"

static struct vtm_clock_manual manual;

static void check_bytes(void)
{
	struct vtm_work w;

	vtm_work_begin(&w, NULL, 0, 100);
	ok(vtm_work_spend(&w, 99), "99 of 100 bytes are spent");
	ok(!vtm_work_over(&w), "and the work goes on");
	ok(!vtm_work_spend(&w, 1), "the hundredth ends it");
	ok(vtm_work_over(&w), "which can be asked");
	ok(!vtm_work_spend(&w, 0) && !vtm_work_look(&w), "and stays so");
	vtm_work_begin(&w, NULL, 0, 2);
	ok(vtm_work_spend(&w, 0) && !vtm_work_spend(&w, 0), "spending nothing costs a byte");
	vtm_work_begin(&w, NULL, 0, UINT64_MAX);
	ok(vtm_work_spend(&w, UINT64_MAX - 1) && !vtm_work_spend(&w, UINT64_MAX), "the largest numbers do not wrap");
	ok(vtm_work_spend(NULL, UINT64_MAX) && vtm_work_look(NULL) && !vtm_work_over(NULL), "without work there is no bound");
}

static void check_deadline(void)
{
	struct vtm_work w;

	vtm_clock_manual_init(&manual, 0);
	vtm_work_begin(&w, &manual.clock, manual.boot + 1000, VTM_WORK_BYTES);
	vtm_clock_manual_advance(&manual, 999);
	ok(vtm_work_spend(&w, VTM_WORK_LOOK), "1 ms before the deadline the work goes on");
	vtm_clock_manual_advance(&manual, 1);
	ok(vtm_work_spend(&w, VTM_WORK_LOOK - 1), "the clock is not read for each byte");
	ok(!vtm_work_spend(&w, 1), "but after VTM_WORK_LOOK of them: the deadline ends the work");
	ok(!vtm_work_spend(&w, 1), "for good");
	vtm_work_begin(&w, &manual.clock, manual.boot, VTM_WORK_BYTES);
	ok(!vtm_work_look(&w), "the clock can be read at any time");
}

static unsigned called;
static bool listening;

static bool progress(void *arg)
{
	(void)arg;
	called++;
	return listening;
}

static void check_progress(void)
{
	struct vtm_work w;

	listening = true;
	vtm_work_begin(&w, &manual.clock, manual.boot + 10000, VTM_WORK_BYTES);
	w.progress = progress;
	w.progress_ms = 1000;
	for (int i = 0; i < 50; i++) {
		vtm_work_look(&w);
		vtm_clock_manual_advance(&manual, 100);
	}
	is_int(called, 4, "5 s of work tell of their progress every second");
	listening = false;
	ok(!vtm_work_look(&w), "nobody listens: the work ends");
	ok(!vtm_work_look(&w) && called == 5, "and nobody is told again");
}

int main(void)
{
	check_bytes();
	check_deadline();
	check_progress();
	return done_testing();
}
