/* SPDX-License-Identifier: BSD-2-Clause */
/* test-points.c - what a look-up is worth. */
#include "risk/points.h"

#include <string.h>

#include "tap.h"

#define NOW (20000 * 24 + 12)		/* hours */

static const struct vtm_history known = { .found = true, .first_hour = NOW - 1000, .days = 20, .messages = 100,
	.n_senders = 3, .answer = VTM_HISTORY_CLEAN, .answer_hour = NOW - 100 };
static const struct vtm_history never;

/* Points of <item> in a message from a known domain and network, with a link domain seen as <group>. */
static int points_of(const struct vtm_item_features *item, const struct vtm_history *group)
{
	struct vtm_message_features m = { .from_domain = (char[]){ "example.org" }, .network = (char[]){ "192.0.2.0/24" },
					  .link_domains = 9 };
	struct vtm_points_facts f = { &m, item, &known, &known, group, NOW, 30 };

	return vtm_points_sum(vtm_points_of(&f));
}

static void test_links(void)
{
	struct vtm_item_features plain = { 0 }, item = { 0 };
	struct vtm_history h = known;

	is_int(points_of(&plain, &known), -3, "a link domain with a past");
	is_int(points_of(&plain, &never), 1, "one that was never seen");
	h.messages = 3;
	is_int(points_of(&plain, &h), 1, "one seen in three messages");
	h.messages = 4;
	is_int(points_of(&plain, &h), 0, "one seen in four");
	h = known;
	h.first_hour = NOW - 23;
	is_int(points_of(&plain, &h), 1, "one that was first seen 23 hours ago, in a hundred messages");
	h = known;
	h.n_senders = 1;
	is_int(points_of(&plain, &h), 0, "one that a single sender wrote is not known");
	h = known;
	h.answer = VTM_HISTORY_NONE;
	is_int(points_of(&plain, &h), 0, "nor one that was never answered");
	item.anybody_publishes = true;
	is_int(points_of(&item, &known), 2, "where anybody publishes, no past counts");
	item.shortener = true;
	is_int(points_of(&item, &known), 5, "a shortener is worth more");
	item = (struct vtm_item_features){ .odd_name = true, .cheap_tld = true };
	is_int(points_of(&item, &never), 2, "an odd name in a cheap domain counts once");
	item = (struct vtm_item_features){ .to_from = true };
	is_int(points_of(&item, &never), -3, "a link to the From domain");
}

static void test_answers(void)
{
	struct vtm_item_features plain = { 0 };
	struct vtm_history h = known;

	h.answer_hour = NOW - 23;
	is_int(points_of(&plain, &h), -7, "answered clean 23 hours ago");
	h.answer_hour = NOW - 24;
	is_int(points_of(&plain, &h), -3, "and 24 hours ago");
	h.answer = VTM_HISTORY_UNKNOWN;
	h.answer_hour = NOW;
	is_int(points_of(&plain, &h), -6, "answered unknown just now");
	h.answer_hour = NOW + 1;
	is_int(points_of(&plain, &h), -6, "or in an hour, by a clock that was set back");
	h.answer = VTM_HISTORY_BAD;
	h.answer_hour = NOW - 7 * 24 + 1;
	is_int(points_of(&plain, &h), 5, "answered bad within a week");
	h.answer_hour--;
	is_int(points_of(&plain, &h), 0, "a week ago");
	is_int(vtm_points_sum(vtm_points_answered(1u << VTM_POINTS_CLEAN, VTM_HISTORY_BAD)), 5,
	       "a new answer replaces the one before");
	is_int(vtm_points_sum(vtm_points_answered(1u << VTM_POINTS_BAD, VTM_HISTORY_NONE)), 0, "and so does none");
}

static void test_files(void)
{
	struct vtm_item_features item = { .attachment = true, .file = VTM_FILE_PLAIN };

	is_int(points_of(&item, NULL), 0, "a document of a known sender");
	item.file = VTM_FILE_ARCHIVE;
	is_int(points_of(&item, NULL), 2, "an archive");
	item.file = VTM_FILE_ACTIVE;
	is_int(points_of(&item, NULL), 5, "a program");
}

static void test_message(void)
{
	struct vtm_item_features plain = { 0 };
	struct vtm_message_features m = { .from_domain = (char[]){ "example.org" }, .network = (char[]){ "192.0.2.0/24" },
					  .link_domains = 9 };
	struct vtm_history young = { .found = true, .first_hour = NOW - 23, .messages = 50 };
	struct vtm_points_facts f = { &m, &plain, &young, &known, &known, NOW, 4 };

	is_int(vtm_points_sum(vtm_points_of(&f)), 1, "a From domain that was first seen 23 hours ago");
	f.reach = 3;
	is_int(vtm_points_sum(vtm_points_of(&f)), -1, "counts half while the history is young");
	f.from = &known;
	f.network = &never;
	is_int(vtm_points_sum(vtm_points_of(&f)), -2, "as does a network");
	f.reach = 4;
	is_int(vtm_points_sum(vtm_points_of(&f)), -1, "a network never seen");
	m.network = NULL;
	is_int(vtm_points_sum(vtm_points_of(&f)), -3, "one that is not known is not new");
	m.from_domain = NULL;
	is_int(vtm_points_sum(vtm_points_of(&f)), 1, "no From, or several, is");
	m.dmarc_pass = true;
	is_int(vtm_points_sum(vtm_points_of(&f)), 0, "DMARC takes one off");
	m.link_domains = 2;
	is_int(vtm_points_sum(vtm_points_of(&f)), 1, "few link domains add one");
}

static void test_text(void)
{
	vtm_points p = vtm_points_with(1u << VTM_POINTS_FROM_NEW, VTM_POINTS_HOST_NEW);
	char *text = vtm_points_text(p);
	const char *sentence;
	bool all = true;

	is_str(text, "link domain new or rarely seen +1; From domain first seen within a day +4", "why, in words");
	g_free(text);
	p = vtm_points_further(p, 3);
	is_int(vtm_points_sum(p), -1, "the fourth item of a message");
	text = vtm_points_text(p);
	is_str(text, "link domain new or rarely seen +1; From domain first seen within a day +4; "
	       "item 4 of the message by points -6", "in words");
	g_free(text);
	is_int(vtm_points_sum(vtm_points_further(0, 1000)), -2 * VTM_POINTS_FURTHER_MAX, "the thousandth is the tenth");
	is_int(vtm_points_sum(vtm_points_further(vtm_points_further(0, 9), 1)), -2, "a place is not added to another");
	text = vtm_points_text(0);
	is_str(text, "", "nothing to say");
	g_free(text);
	for (int r = 0; r < VTM_POINTS_ROWS; r++)
		all = all && vtm_points_row((enum vtm_points_row)r, &sentence) && strlen(sentence) > 3;
	ok(all, "every row has points and a sentence");
	ok(vtm_points_sum(vtm_points_further((1u << VTM_POINTS_ROWS) - 1, 10)) >= -VTM_POINTS_MAX, "all of it is bounded");
}

int main(void)
{
	test_links();
	test_answers();
	test_files();
	test_message();
	test_text();
	return done_testing();
}
