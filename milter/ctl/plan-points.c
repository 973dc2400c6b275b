/* SPDX-License-Identifier: BSD-2-Clause */
/* plan-points.c - which links of a mailbox would be looked up at once. */
#include "ctl/plan-points.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "risk/history.h"
#include "risk/pace.h"
#include "risk/points.h"

#define HOUR_S 3600
#define DAY_HOURS 24
#define LINKS_MAX 256		/* of a message that are told apart */

struct message {
	int64_t time;
	bool has_from, has_network, dmarc_pass;
	unsigned link_domains;
	uint64_t from, network;	/* ids */
	guint first, n;		/* its links */
};

struct link {
	uint64_t group;
	struct vtm_item_features features;	/* without the group's name */
};

/* What is known of a link domain. */
struct known {
	struct vtm_history history;
	int64_t answered;	/* unix seconds; 0: never */
};

struct vtm_plan_points {
	GArray *messages, *links;
	uint8_t secret[VTM_HISTORY_SECRET];	/* nothing is kept: any will do */
};

struct vtm_plan_points *vtm_plan_points_new(void)
{
	struct vtm_plan_points *p = g_new0(struct vtm_plan_points, 1);

	p->messages = g_array_new(FALSE, TRUE, sizeof(struct message));
	p->links = g_array_new(FALSE, TRUE, sizeof(struct link));
	return p;
}

void vtm_plan_points_free(struct vtm_plan_points *p)
{
	g_array_unref(p->messages);
	g_array_unref(p->links);
	g_free(p);
}

static uint64_t id_of(const struct vtm_plan_points *p, enum vtm_history_kind kind, const char *name)
{
	return name ? vtm_history_key_of(p->secret, kind, name).id : 0;
}

void vtm_plan_points_message(struct vtm_plan_points *p, int64_t time, const struct vtm_message_features *m)
{
	struct message new = {
		.time = time, .has_from = m->from_domain, .has_network = m->network, .dmarc_pass = m->dmarc_pass,
		.link_domains = m->link_domains, .from = id_of(p, VTM_HISTORY_FROM, m->from_domain),
		.network = id_of(p, VTM_HISTORY_NETWORK, m->network), .first = p->links->len,
	};

	g_array_append_val(p->messages, new);
}

void vtm_plan_points_link(struct vtm_plan_points *p, const struct vtm_item_features *f)
{
	struct message *m = &g_array_index(p->messages, struct message, p->messages->len - 1);
	struct link new = { .group = id_of(p, VTM_HISTORY_LINK, f->group), .features = *f };

	for (guint i = m->first; i < m->first + m->n; i++)
		if (g_array_index(p->links, struct link, i).group == new.group)
			return;		/* one answer settles them all */
	if (m->n == LINKS_MAX)
		return;
	new.features.group = NULL;
	g_array_append_val(p->links, new);
	m->n++;
}

/* ---- replaying ---- */

struct replay {
	const struct vtm_plan_points *p;
	struct vtm_plan_links *out;
	GHashTable *groups, *senders, *networks;	/* id -> struct known */
	struct vtm_pace pace;
	uint32_t per_minute, budget;
	double part;		/* of the budget that goes by points */
	int64_t keep_s, day, minute;
	uint32_t used_day, used_minute;
	uint32_t wanted[VTM_PACE_DAYS];		/* of the days before, the latest first */
	unsigned n_wanted, wanted_today, reach;
};

static struct known *known_in(GHashTable *table, uint64_t id)
{
	struct known *k = g_hash_table_lookup(table, &id);

	if (!k) {
		k = g_new0(struct known, 1);
		g_hash_table_insert(table, g_memdup2(&id, sizeof(id)), k);
	}
	return k;
}

static void next_day(struct replay *r, int64_t day)
{
	if (r->day) {
		memmove(r->wanted + 1, r->wanted, sizeof(r->wanted) - sizeof(r->wanted[0]));
		r->wanted[0] = r->wanted_today;
		r->n_wanted = MIN(r->n_wanted + 1, VTM_PACE_DAYS);
		r->reach++;
	}
	r->day = day;
	r->used_day = r->wanted_today = 0;
}

static void go_to(struct replay *r, int64_t time)
{
	if (time / HOUR_S / DAY_HOURS != r->day)
		next_day(r, time / HOUR_S / DAY_HOURS);
	if (time / 60 != r->minute) {
		r->minute = time / 60;
		r->used_minute = 0;
	}
	r->pace.unknown = !r->n_wanted;
	vtm_pace_move(&r->pace, time * 1000, r->budget, r->used_day);
	r->pace.fits = vtm_pace_fits(r->wanted, r->n_wanted, r->wanted_today, r->budget);
}

/* May a look-up of so many points be sent now?  Then it is. */
static bool send(struct replay *r, int points)
{
	if (r->used_day >= r->budget || (r->per_minute && r->used_minute >= r->per_minute) ||
	    points < vtm_pace_floor(&r->pace, r->part, r->used_day))
		return false;
	r->used_day++;
	r->used_minute++;
	return true;
}

static void note(struct vtm_history *h, int64_t time, uint32_t sender)
{
	vtm_history_note(h, &(struct vtm_sighting){ .hour = vtm_history_hour_of(time * 1000), .messages = 1,
						    .sender = sender });
}

static void play_link(struct replay *r, const struct message *m, struct known *k, int points)
{
	uint32_t hour = vtm_history_hour_of(m->time * 1000);
	bool is_new = !k->history.found || hour < k->history.first_hour + DAY_HOURS, asked;

	asked = k->answered && m->time < k->answered + r->keep_s;
	if (!asked) {
		r->wanted_today++;
		asked = send(r, points);
		if (asked) {
			k->answered = m->time;
			vtm_history_note(&k->history, &(struct vtm_sighting){ .hour = hour, .answer = VTM_HISTORY_CLEAN });
		}
	}
	r->out->links++;
	r->out->asked += asked;
	r->out->new_links += is_new;
	r->out->new_asked += is_new && asked;
}

struct ranked {
	guint link;
	vtm_points points;
};

static gint most_first(gconstpointer a, gconstpointer b)
{
	const struct ranked *x = a, *y = b;
	int px = vtm_points_sum(x->points), py = vtm_points_sum(y->points);

	return px != py ? (px > py ? -1 : 1) : x->link < y->link ? -1 : x->link > y->link;
}

static guint rank_links(struct replay *r, const struct message *m, const struct known *from, const struct known *network,
			struct ranked *order)
{
	char any[] = "";	/* points look only whether there is a From domain, and whether a network */
	struct vtm_message_features features = {
		.from_domain = m->has_from ? any : NULL, .network = m->has_network ? any : NULL,
		.dmarc_pass = m->dmarc_pass, .link_domains = m->link_domains,
	};
	struct vtm_points_facts f = {
		.message = &features, .hour = vtm_history_hour_of(m->time * 1000), .reach = r->reach,
		.from = from ? &from->history : NULL, .network = network ? &network->history : NULL,
	};

	for (guint i = 0; i < m->n; i++) {
		const struct link *l = &g_array_index(r->p->links, struct link, m->first + i);

		f.item = &l->features;
		f.group = &known_in(r->groups, l->group)->history;
		order[i] = (struct ranked){ m->first + i, vtm_points_of(&f) };
	}
	qsort(order, m->n, sizeof(*order), most_first);
	return m->n;
}

static void play(struct replay *r, const struct message *m)
{
	struct known *from = m->has_from ? known_in(r->senders, m->from) : NULL;
	struct known *network = m->has_network ? known_in(r->networks, m->network) : NULL;
	struct vtm_history_key key = { .kind = VTM_HISTORY_FROM, .id = m->from };
	struct ranked order[LINKS_MAX];
	guint n;

	go_to(r, m->time);
	n = rank_links(r, m, from, network, order);
	for (guint i = 0; i < n; i++) {
		const struct link *l = &g_array_index(r->p->links, struct link, order[i].link);
		struct known *k = known_in(r->groups, l->group);

		play_link(r, m, k, vtm_points_sum(vtm_points_further(order[i].points, i)));
		note(&k->history, m->time, from ? vtm_history_sender(&key) : 0);
	}
	if (from)
		note(&from->history, m->time, 0);
	if (network)
		note(&network->history, m->time, 0);
}

static gint by_time(gconstpointer a, gconstpointer b)
{
	const struct message *x = a, *y = b;

	return x->time < y->time ? -1 : x->time > y->time;
}

static GHashTable *new_table(void)
{
	return g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
}

void vtm_plan_points_replay(struct vtm_plan_points *p, const struct vtm_plan_budget *b, struct vtm_plan_links *out)
{
	struct replay r = {
		.p = p, .out = out, .groups = new_table(), .senders = new_table(), .networks = new_table(),
		.per_minute = b->per_minute, .budget = b->per_day ? b->per_day : G_MAXUINT32, .part = b->part,
		.keep_s = b->keep_s,
	};

	memset(out, 0, sizeof(*out));
	vtm_pace_init(&r.pace);
	g_array_sort(p->messages, by_time);
	for (guint i = 0; i < p->messages->len; i++)
		play(&r, &g_array_index(p->messages, struct message, i));
	g_hash_table_destroy(r.groups);
	g_hash_table_destroy(r.senders);
	g_hash_table_destroy(r.networks);
}
