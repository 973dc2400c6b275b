/* SPDX-License-Identifier: BSD-2-Clause */
/* test-plan-points.c - a mailbox replayed with points and pace. */
#include <glib.h>

#include "ctl/plan-points.h"
#include "tap.h"

#define MIDNIGHT INT64_C(1773187200)	/* 2026-03-11 00:00:00 UTC */
#define DAY_S 86400
#define DAYS 5
#define DOMAINS 100

static void add(struct vtm_plan_points *p, int64_t time, const char *from, const char *domain)
{
	struct vtm_message_features m = { .link_domains = 3, .from_domain = (char *)(uintptr_t)from };
	struct vtm_item_features f = { .group = (char *)(uintptr_t)domain };

	vtm_plan_points_message(p, time, &m);
	vtm_plan_points_link(p, &f);
	vtm_plan_points_link(p, &f);
}

/* Days of mail of a hundred domains; two senders write of each. */
static struct vtm_plan_points *usual(void)
{
	struct vtm_plan_points *p = vtm_plan_points_new();

	for (int d = 0; d < DAYS; d++)
		for (int i = 0; i < DOMAINS; i++) {
			char *domain = g_strdup_printf("news%d.example", i);
			char *from = g_strdup_printf("sender%d.example", (i + d) % DOMAINS);

			add(p, MIDNIGHT + (int64_t)d * DAY_S + i * 600, from, domain);
			g_free(domain);
			g_free(from);
		}
	return p;
}

static struct vtm_plan_links replay(struct vtm_plan_points *p, uint32_t per_day)
{
	struct vtm_plan_budget b = { .per_minute = 4, .per_day = per_day, .part = 1, .keep_s = 3600 };
	struct vtm_plan_links out;

	vtm_plan_points_replay(p, &b, &out);
	return out;
}

int main(void)
{
	struct vtm_plan_points *p = usual();
	struct vtm_plan_links all = replay(p, 0), few = replay(p, 40), one = replay(p, 1), with;

	is_int((int)all.links, DAYS * DOMAINS, "a domain counts once a message");
	is_int((int)all.new_links, DOMAINS, "it is new on its first day");
	is_int((int)all.asked, DAYS * DOMAINS, "without a limit all are looked up at once");
	ok(few.asked > 0 && few.asked <= DAYS * 40, "a limit holds (%u)", few.asked);
	ok(one.asked <= DAYS, "also a small one (%u)", one.asked);
	add(p, MIDNIGHT + (DAYS - 1) * DAY_S + DAY_S / 2 + 1, "stranger.example", "stranger.example");
	with = replay(p, 40);
	is_int((int)with.new_links, DOMAINS + 1, "a stranger's link is new");
	is_int((int)with.new_asked, (int)few.new_asked + 1, "and looked up at once, while others wait");
	vtm_plan_points_free(p);
	p = vtm_plan_points_new();
	all = replay(p, 40);
	is_int((int)all.links, 0, "no mail, no links");
	vtm_plan_points_free(p);
	return done_testing();
}
