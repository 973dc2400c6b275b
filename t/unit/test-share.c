/* SPDX-License-Identifier: BSD-2-Clause */
/* test-share.c - an amount of which nobody takes more than half. */
#include "base/share.h"

#include "tap.h"

static bool take(struct vtm_share *s, const char *user, uint64_t amount)
{
	return vtm_share_take(s, user, amount, 0, NULL);
}

static void check_halves(void)
{
	struct vtm_share *s = vtm_share_new(vtm_clock_system(), 10);

	is_int((gint64)vtm_share_half(s), 5, "half of ten");
	ok(take(s, "a", 5), "one user takes half");
	ok(!take(s, "a", 1), "and no more");
	ok(take(s, "b", 3) && take(s, NULL, 2), "others take the rest");
	ok(!take(s, "c", 1), "then there is nothing left");
	is_int((gint64)vtm_share_used(s), 10, "all is used");
	vtm_share_give(s, "a", 2);
	ok(!take(s, "b", 3), "more than half of the rest for another is refused as a whole");
	ok(take(s, "b", 2), "what was given back can be taken");
	vtm_share_give(s, "a", 3);
	vtm_share_give(s, "b", 5);
	vtm_share_give(s, NULL, 2);
	is_int((gint64)vtm_share_used(s), 0, "all is given back");
	ok(take(s, "a", 0), "nothing can always be taken");
	vtm_share_set_max(s, 1);
	ok(take(s, "a", 1) && !take(s, "b", 1), "of one, one user takes it");
	vtm_share_set_max(s, 0);
	ok(!take(s, "b", 1), "and of less than is held, nobody takes more");
	ok(!take(s, "b", UINT64_MAX), "the largest numbers do not wrap");
	vtm_share_give(s, "a", 1);
	vtm_share_free(s);
}

static gpointer give_soon(gpointer share)
{
	g_usleep(50000);
	vtm_share_give(share, "a", 2);
	return NULL;
}

static bool nobody_waits(void *arg)
{
	(void)arg;
	return false;
}

static void check_waits(void)
{
	const struct vtm_clock *clock = vtm_clock_system();
	struct vtm_share *s = vtm_share_new(clock, 2);
	int64_t began = vtm_boot_ms(clock);
	struct vtm_work w;
	GThread *giver;

	take(s, "a", 1);
	ok(!vtm_share_take(s, "a", 1, began + 30, NULL), "nothing comes: the wait ends in vain");
	ok(vtm_boot_ms(clock) - began >= 30, "at its deadline");
	take(s, "b", 1);
	vtm_share_give(s, "b", 1);
	vtm_share_set_max(s, 3);
	take(s, "a", 1);
	giver = g_thread_new("giver", give_soon, s);
	ok(vtm_share_take(s, "a", 1, began + 60000, NULL), "it comes: the wait ends with it");
	ok(vtm_boot_ms(clock) - began < 30000, "at once");
	g_thread_join(giver);
	take(s, "a", 1);
	vtm_work_begin(&w, clock, INT64_MAX, VTM_WORK_BYTES);
	w.progress = nobody_waits;
	began = vtm_boot_ms(clock);
	ok(!vtm_share_take(s, "a", 2, began + 60000, &w), "the message's end ends the wait");
	ok(vtm_boot_ms(clock) - began < 30000, "soon");
	vtm_share_give(s, "a", 2);
	vtm_share_free(s);
}

int main(void)
{
	check_halves();
	check_waits();
	return done_testing();
}
