/* SPDX-License-Identifier: BSD-2-Clause */
/* points.c - the table of points. */
#include "risk/points.h"

#define YOUNG_HOURS 24			/* seen for the first time less than this ago: as good as never */
#define FEW_MESSAGES 3			/* a host of so few messages is new, too */
#define FEW_DOMAINS 2
#define BAD_HOURS (VTM_HISTORY_BAD_DAYS * 24)
#define ANSWER_HOURS 24			/* how long an answer that was not bad counts against further look-ups */
#define REACH_DAYS 4			/* a younger history finds most names new: they count half */

#define ROW_MASK ((1u << VTM_POINTS_FURTHER_SHIFT) - 1)
#define FURTHER_POINTS (-2)

/* Fitted to the streams that t/README describes; every row that did not earn its place was left out. */
static const struct {
	int points;
	const char *sentence;
} rows[VTM_POINTS_ROWS] = {
	[VTM_POINTS_HOST_KNOWN] = { -3, "link domain known from several senders and days, and not bad" },
	[VTM_POINTS_HOST_NEW] = { 1, "link domain new or rarely seen" },
	[VTM_POINTS_ANYBODY] = { 2, "anybody can publish there" },
	[VTM_POINTS_SHORTENER] = { 3, "link shortener" },
	[VTM_POINTS_ODD_NAME] = { 1, "IP address, punycode, a brand's name in another's host, or a cheap top-level domain" },
	[VTM_POINTS_TO_FROM] = { -4, "link goes to the From domain" },
	[VTM_POINTS_FROM_NEW] = { 4, "From domain first seen within a day" },
	[VTM_POINTS_FROM_UNSEEN] = { 2, "From domain first seen within a day, by a young history" },
	[VTM_POINTS_NETWORK_NEW] = { 2, "client network never seen" },
	[VTM_POINTS_NETWORK_UNSEEN] = { 1, "client network never seen, by a young history" },
	[VTM_POINTS_DMARC] = { -1, "DMARC passed" },
	[VTM_POINTS_FEW_DOMAINS] = { 1, "the message links to two domains at most" },
	[VTM_POINTS_FILE_ACTIVE] = { 5, "attachment that can run or carry code" },
	[VTM_POINTS_FILE_ARCHIVE] = { 2, "archive" },
	[VTM_POINTS_BAD] = { 5, "link domain answered bad within a week" },
	[VTM_POINTS_CLEAN] = { -4, "link domain answered clean within a day" },
	[VTM_POINTS_UNKNOWN] = { -3, "link domain answered unknown within a day" },
	[VTM_POINTS_RESERVE] = { 2, "within ReserveForAttachments" },
	[VTM_POINTS_ENOUGH] = { -6, "link domain looked up twice for this sender today" },
	[VTM_POINTS_SHARE] = { -20, "the sender used up SenderShare" },
	[VTM_POINTS_ASIDE] = { -6, "the same domain comes first in this message" },
};

static bool young(const struct vtm_history *h, uint32_t now)
{
	return !h || !h->found || now < h->first_hour + YOUNG_HOURS;
}

static vtm_points when(bool holds, enum vtm_points_row row)
{
	return holds ? 1u << row : 0;
}

static vtm_points of_answer(const struct vtm_history *h, uint32_t now)
{
	uint32_t age = now > h->answer_hour ? now - h->answer_hour : 0;

	if (!h->found || (h->answer != VTM_HISTORY_BAD && age >= ANSWER_HOURS) || age >= BAD_HOURS)
		return 0;
	return vtm_points_answered(0, (enum vtm_history_answer)h->answer);
}

static vtm_points of_link(const struct vtm_points_facts *f)
{
	const struct vtm_item_features *i = f->item;
	const struct vtm_history *h = f->group;
	bool fresh = young(h, f->hour) || h->messages <= FEW_MESSAGES;

	return when(fresh, VTM_POINTS_HOST_NEW) |
	       when(!fresh && !i->anybody_publishes && vtm_history_known(h), VTM_POINTS_HOST_KNOWN) |
	       when(i->anybody_publishes, VTM_POINTS_ANYBODY) |
	       when(i->shortener, VTM_POINTS_SHORTENER) |
	       when(i->odd_name || i->cheap_tld, VTM_POINTS_ODD_NAME) |
	       when(i->to_from, VTM_POINTS_TO_FROM) |
	       when(f->message->link_domains <= FEW_DOMAINS, VTM_POINTS_FEW_DOMAINS) |
	       (h ? of_answer(h, f->hour) : 0);
}

static vtm_points of_file(const struct vtm_points_facts *f)
{
	switch (f->item->file) {
	case VTM_FILE_PLAIN:
		return 0;
	case VTM_FILE_ARCHIVE:
		return 1u << VTM_POINTS_FILE_ARCHIVE;
	case VTM_FILE_ACTIVE:
		return 1u << VTM_POINTS_FILE_ACTIVE;
	}
	return 0;
}

static vtm_points of_message(const struct vtm_points_facts *f)
{
	const struct vtm_message_features *m = f->message;
	bool reaches = f->reach >= REACH_DAYS;
	bool stranger = !m->from_domain || young(f->from, f->hour);
	bool elsewhere = m->network && (!f->network || !f->network->found);

	return when(stranger && reaches, VTM_POINTS_FROM_NEW) | when(stranger && !reaches, VTM_POINTS_FROM_UNSEEN) |
	       when(elsewhere && reaches, VTM_POINTS_NETWORK_NEW) |
	       when(elsewhere && !reaches, VTM_POINTS_NETWORK_UNSEEN) | when(m->dmarc_pass, VTM_POINTS_DMARC);
}

vtm_points vtm_points_of(const struct vtm_points_facts *f)
{
	return of_message(f) | (f->item->attachment ? of_file(f) : of_link(f));
}

vtm_points vtm_points_further(vtm_points p, unsigned n)
{
	return (p & ROW_MASK) | (vtm_points)MIN(n, VTM_POINTS_FURTHER_MAX) << VTM_POINTS_FURTHER_SHIFT;
}

vtm_points vtm_points_answered(vtm_points p, enum vtm_history_answer answer)
{
	p &= ~(1u << VTM_POINTS_BAD | 1u << VTM_POINTS_CLEAN | 1u << VTM_POINTS_UNKNOWN);
	switch (answer) {
	case VTM_HISTORY_NONE:
		break;
	case VTM_HISTORY_CLEAN:
		return p | 1u << VTM_POINTS_CLEAN;
	case VTM_HISTORY_UNKNOWN:
		return p | 1u << VTM_POINTS_UNKNOWN;
	case VTM_HISTORY_BAD:
		return p | 1u << VTM_POINTS_BAD;
	}
	return p;
}

int vtm_points_sum(vtm_points p)
{
	int sum = FURTHER_POINTS * (int)(p >> VTM_POINTS_FURTHER_SHIFT);

	for (int r = 0; r < VTM_POINTS_ROWS; r++)
		if (p & 1u << r)
			sum += rows[r].points;
	return CLAMP(sum, -VTM_POINTS_MAX, VTM_POINTS_MAX);
}

char *vtm_points_text(vtm_points p)
{
	GString *text = g_string_new(NULL);
	unsigned further = p >> VTM_POINTS_FURTHER_SHIFT;

	for (int r = 0; r < VTM_POINTS_ROWS; r++)
		if (p & 1u << r)
			g_string_append_printf(text, "%s%s %+d", text->len ? "; " : "", rows[r].sentence, rows[r].points);
	if (further)
		g_string_append_printf(text, "%sitem %u of the message by points %+d", text->len ? "; " : "",
				       further + 1, FURTHER_POINTS * (int)further);
	return g_string_free(text, FALSE);
}

int vtm_points_row(enum vtm_points_row row, const char **sentence_r)
{
	*sentence_r = rows[row].sentence;
	return rows[row].points;
}
