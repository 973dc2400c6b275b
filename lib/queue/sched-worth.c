/* SPDX-License-Identifier: BSD-2-Clause */
/* sched-worth.c - what a look-up is worth: the history of its names, its points, and what answers change about them.
 *
 * The history is read once a message; what a message adds to it waits in memory and is written after requests were
 * sent, at most SIGHTINGS_MAX at a time, the rest is dropped: the history may miss mail, mail never waits for it.
 */
#include "queue/sched-parts.h"

#include <stdlib.h>
#include <string.h>

#define SIGHTINGS_MAX 16384
#define SAVE_MS 1000			/* how long sightings wait */
#define DAYS_READ_MS 3600000		/* how often the days are read again */
#define CAMPAIGNS_MAX 65536		/* domains and senders whose look-ups of a day are counted */
#define CAMPAIGN_LOOKUPS 2		/* one answer serves many: so many for a domain and a sender, unless it is bad */
#define KEYS_MAX VTM_STORE_BATCH

void vtm_sched_past_init(struct vtm_sched_past *p)
{
	p->groups = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
	p->campaigns = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	p->sightings = g_array_new(FALSE, FALSE, sizeof(struct vtm_sighting));
}

void vtm_sched_past_clear(struct vtm_sched_past *p)
{
	g_hash_table_destroy(p->groups);
	g_hash_table_destroy(p->campaigns);
	g_array_free(p->sightings, TRUE);
}

static uint16_t today(const struct vtm_sched *s)
{
	return (uint16_t)s->view.day;
}

static uint32_t hour_now(const struct vtm_sched *s)
{
	return vtm_history_hour_of(vtm_sched_utc(s, vtm_sched_now(s)));
}

/* How much mail the last days brought. */
static bool read_days(struct vtm_sched *s)
{
	struct vtm_history_day days[VTM_PACE_DAYS + 1];
	GError *error = NULL;
	int n = vtm_store_history_days(s->set.store, days, G_N_ELEMENTS(days), &error), reach;

	if (!vtm_sched_check_store(s, n, &error))
		return false;
	s->past.n_wanted = 0;
	s->past.wanted_today = s->past.count.day == today(s) ? s->past.count.wanted : 0;
	for (int i = 0; i < n; i++) {
		if (days[i].day == today(s))
			s->past.wanted_today += days[i].wanted;
		else if (days[i].day < today(s) && s->past.n_wanted < VTM_PACE_DAYS)
			s->past.wanted[s->past.n_wanted++] = days[i].wanted;
	}
	reach = vtm_store_history_reach(s->set.store, today(s), &error);
	if (!vtm_sched_check_store(s, reach, &error))
		return false;
	s->past.reach = (unsigned)reach;
	return true;
}

/* Makes ready what points need: the secret, and how far the memory reaches. */
static bool begin(struct vtm_sched *s)
{
	int64_t now = vtm_sched_now(s);
	GError *error = NULL;

	if (!s->set.store)
		return false;
	if (!s->past.secret_known) {
		if (!vtm_sched_check_store(s, vtm_store_history_secret(s->set.store, s->past.secret, &error), &error))
			return false;
		s->past.secret_known = true;
	}
	if (s->past.day == s->view.day && now < s->past.days_due_ms)
		return true;
	if (s->past.day != s->view.day)
		g_hash_table_remove_all(s->past.campaigns);
	if (!read_days(s))
		return false;
	s->past.day = s->view.day;
	s->past.days_due_ms = now + DAYS_READ_MS;
	return true;
}

void vtm_sched_past_forget(struct vtm_sched *s)
{
	s->past.secret_known = false;
	s->past.day = 0;
}

/* ---- what is written ---- */

static void note(struct vtm_sched *s, const struct vtm_history_key *key, uint16_t messages, uint32_t sender,
		 enum vtm_history_answer answer)
{
	struct vtm_sighting n = { .key = *key, .hour = hour_now(s), .messages = messages, .sender = sender,
				  .answer = (uint8_t)answer };

	if (s->past.sightings->len >= SIGHTINGS_MAX)
		return;
	if (!s->past.sightings->len)
		s->past.save_due_ms = vtm_sched_now(s) + SAVE_MS;
	g_array_append_val(s->past.sightings, n);
}

void vtm_sched_save_past(struct vtm_sched *s)
{
	GArray *a = s->past.sightings;
	guint n = MIN(a->len, VTM_STORE_BATCH);
	GError *error = NULL;

	if (!s->set.store || (!n && !s->past.count.messages && !s->past.count.wanted) ||
	    vtm_sched_now(s) < s->past.save_due_ms)
		return;
	if (n && !vtm_sched_check_store(s, vtm_store_history_note(s->set.store, (const struct vtm_sighting *)
								  (const void *)a->data, n, &error), &error))
		return;
	g_array_remove_range(a, 0, n);
	if (!a->len && (s->past.count.messages || s->past.count.wanted) &&
	    vtm_sched_check_store(s, vtm_store_history_count(s->set.store, &s->past.count, &error), &error))
		s->past.count = (struct vtm_history_day){ .day = today(s) };
}

int64_t vtm_sched_past_due(const struct vtm_sched *s)
{
	return s->past.sightings->len ? s->past.save_due_ms : INT64_MAX;
}

static void count_day(struct vtm_sched *s, uint32_t messages, uint32_t wanted)
{
	if (s->past.count.day != today(s))
		s->past.count = (struct vtm_history_day){ .day = today(s) };
	s->past.count.messages += messages;
	s->past.count.wanted += wanted;
	s->past.wanted_today += wanted;
}

void vtm_sched_note_wanted(struct vtm_sched *s)
{
	if (s->set.by_points)
		count_day(s, 0, 1);
}

/* ---- points ---- */

/* The names of one message and their records. */
struct names {
	struct vtm_history_key keys[KEYS_MAX];
	struct vtm_history records[KEYS_MAX];
	unsigned n;
	int from, network;		/* their places; -1: none */
	int *group;			/* of each want; -1: none */
};

/* The place of <name>; -1: there are too many. */
static int place_of(struct names *n, const struct vtm_sched *s, enum vtm_history_kind kind, const char *name)
{
	struct vtm_history_key key = vtm_history_key_of(s->past.secret, kind, name);

	for (unsigned i = 0; i < n->n; i++)
		if (n->keys[i].kind == key.kind && n->keys[i].id == key.id)
			return (int)i;
	if (n->n == KEYS_MAX)
		return -1;
	n->keys[n->n] = key;
	return (int)n->n++;
}

static void collect(struct names *n, const struct vtm_sched *s, const struct vtm_ticket *t)
{
	n->n = 0;
	n->from = t->features.from_domain ? place_of(n, s, VTM_HISTORY_FROM, t->features.from_domain) : -1;
	n->network = t->features.network ? place_of(n, s, VTM_HISTORY_NETWORK, t->features.network) : -1;
	for (unsigned i = 0; i < t->n; i++) {
		const char *group = t->wants[i].features.group;
		bool same = group && i && !g_strcmp0(group, t->wants[i - 1].features.group);

		n->group[i] = same ? n->group[i - 1] : group ? place_of(n, s, VTM_HISTORY_LINK, group) : -1;
	}
}

static uint64_t campaign_of(uint64_t group, uint32_t sender)
{
	return group ? group ^ (uint64_t)sender << 28 : 0;
}

static unsigned campaign_lookups(const struct vtm_sched *s, uint64_t campaign)
{
	return campaign ? GPOINTER_TO_UINT(g_hash_table_lookup(s->past.campaigns, &campaign)) : 0;
}

bool vtm_sched_share_full(const struct vtm_sched *s, const char *network, const char *domain, int worth)
{
	uint32_t bound;

	if (!s->set.share_percent || !s->limits.per_day.limited)
		return false;
	bound = MAX(1, (uint32_t)((uint64_t)s->limits.per_day.most * s->set.share_percent / 100));
	return vtm_shares_full(s->shares, s->view.day, network, domain, worth, bound);
}

/* The rows that depend on what was sent today. */
static vtm_points rows_of_today(const struct vtm_sched *s, const struct vtm_ticket *t, const struct vtm_want *w,
				vtm_points p)
{
	if (w->features.attachment && w->features.file != VTM_FILE_PLAIN &&
	    s->reserve_used < s->limits.reserve_attachments)
		p = vtm_points_with(p, VTM_POINTS_RESERVE);
	if (campaign_lookups(s, w->campaign) >= CAMPAIGN_LOOKUPS && !(p & 1u << VTM_POINTS_BAD))
		p = vtm_points_with(p, VTM_POINTS_ENOUGH);
	if (vtm_sched_share_full(s, t->client_net, t->features.authenticated ? t->sender_domain : NULL,
				 vtm_points_sum(p)))
		p = vtm_points_with(p, VTM_POINTS_SHARE);
	return p;
}

static void set_points(struct vtm_sched *s, struct vtm_ticket *t, const struct names *n)
{
	uint32_t sender = n->from >= 0 ? vtm_history_sender(&n->keys[n->from]) : 0;
	struct vtm_points_facts f = {
		.message = &t->features, .hour = hour_now(s), .reach = s->past.reach,
		.from = n->from >= 0 ? &n->records[n->from] : NULL,
		.network = n->network >= 0 ? &n->records[n->network] : NULL
	};

	for (unsigned i = 0; i < t->n; i++) {
		struct vtm_want *w = &t->wants[i];

		f.item = &w->features;
		f.group = n->group[i] >= 0 ? &n->records[n->group[i]] : NULL;
		w->group = n->group[i] >= 0 ? n->keys[n->group[i]].id : 0;
		w->campaign = campaign_of(w->group, sender);
		w->points = rows_of_today(s, t, w, vtm_points_of(&f));
	}
}

static void note_message(struct vtm_sched *s, const struct names *n)
{
	uint32_t sender = n->from >= 0 ? vtm_history_sender(&n->keys[n->from]) : 0;

	for (unsigned i = 0; i < n->n; i++)
		note(s, &n->keys[i], 1, n->keys[i].kind == VTM_HISTORY_LINK ? sender : 0, VTM_HISTORY_NONE);
	count_day(s, 1, 0);
}

/* Most points first; those of the same points as they came. */
static gint by_worth(gconstpointer a, gconstpointer b, gpointer data)
{
	const struct vtm_ticket *t = data;
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
	int px = vtm_points_sum(t->wants[x].points), py = vtm_points_sum(t->wants[y].points);

	return px != py ? (px > py ? -1 : 1) : x < y ? -1 : x > y;
}

/* Orders the wants; of several that one answer settles, one comes first, and the rest is put aside. */
static void order_wants(struct vtm_ticket *t, unsigned *order)
{
	GHashTable *first = g_hash_table_new(g_int64_hash, g_int64_equal);
	unsigned rank = 0;

	qsort_r(order, t->n, sizeof(*order), by_worth, t);
	for (unsigned i = 0; i < t->n; i++) {
		struct vtm_want *w = &t->wants[order[i]];

		if (!w->answered && w->group && !g_hash_table_add(first, &w->group))
			w->points = vtm_points_with(w->points, VTM_POINTS_ASIDE);
	}
	qsort_r(order, t->n, sizeof(*order), by_worth, t);
	for (unsigned i = 0; i < t->n; i++) {
		struct vtm_want *w = &t->wants[order[i]];

		if (!w->answered)
			w->points = vtm_points_further(w->points, rank++);
	}
	g_hash_table_destroy(first);
}

void vtm_sched_judge(struct vtm_sched *s, struct vtm_ticket *t, unsigned *order)
{
	struct names *n;
	GError *error = NULL;

	for (unsigned i = 0; i < t->n; i++)
		order[i] = i;
	if (!s->set.by_points || s->set.manual || !t->n || !vtm_class_is_mail(t->wants[0].class) || !begin(s))
		return;
	n = g_new0(struct names, 1);
	n->group = g_new(int, t->n);
	collect(n, s, t);
	if (vtm_sched_check_store(s, vtm_store_history_get(s->set.store, n->keys, n->n, n->records, &error), &error)) {
		set_points(s, t, n);
		order_wants(t, order);
		note_message(s, n);
	}
	g_free(n->group);
	g_free(n);
}

void vtm_sched_note_seen(struct vtm_sched *s, const struct vtm_ticket *t)
{
	struct names *n;

	vtm_sched_refresh(s);
	if (!s->set.by_points || s->set.manual || (t->n && !vtm_class_is_mail(t->wants[0].class)) || !begin(s))
		return;
	n = g_new0(struct names, 1);
	n->group = g_new(int, t->n + 1);
	collect(n, s, t);
	note_message(s, n);
	g_free(n->group);
	g_free(n);
}

/* ---- what changes about queued look-ups ---- */

void vtm_sched_set_points(struct vtm_sched *s, struct vtm_entry *e, vtm_points p)
{
	e->points = p;
	e->worth = vtm_points_sum(p);
	if (e->place)
		vtm_queue_place(s->queue, e, vtm_sched_now(s));
	s->plan_stale = true;
}

void vtm_sched_join_group(struct vtm_sched *s, struct vtm_entry *e)
{
	GPtrArray *members = e->group ? g_hash_table_lookup(s->past.groups, &e->group) : NULL;

	if (!e->group)
		return;
	if (!members) {
		members = g_ptr_array_new();
		g_hash_table_insert(s->past.groups, g_memdup2(&e->group, sizeof(e->group)), members);
	}
	g_ptr_array_add(members, e);
}

void vtm_sched_leave_group(struct vtm_sched *s, struct vtm_entry *e)
{
	GPtrArray *members = e->group ? g_hash_table_lookup(s->past.groups, &e->group) : NULL;

	if (!members)
		return;
	g_ptr_array_remove_fast(members, e);
	if (!members->len)
		g_hash_table_remove(s->past.groups, &e->group);
}

void vtm_sched_note_sent(struct vtm_sched *s, struct vtm_entry *e)
{
	GPtrArray *members = e->group ? g_hash_table_lookup(s->past.groups, &e->group) : NULL;
	unsigned n = campaign_lookups(s, e->campaign) + 1;

	vtm_shares_charge(s->shares, s->view.day, e->network, e->domain, e->worth);
	s->reserve_used += e->points >> VTM_POINTS_RESERVE & 1;
	s->drawn += e->lot != 0;
	if (!e->campaign)
		return;
	if (g_hash_table_size(s->past.campaigns) >= CAMPAIGNS_MAX)
		g_hash_table_remove_all(s->past.campaigns);
	g_hash_table_replace(s->past.campaigns, g_memdup2(&e->campaign, sizeof(e->campaign)), GUINT_TO_POINTER(n));
	for (guint i = 0; n >= CAMPAIGN_LOOKUPS && members && i < members->len; i++) {
		struct vtm_entry *other = members->pdata[i];

		if (other->campaign == e->campaign && !other->in_flight && !(other->points & 1u << VTM_POINTS_BAD))
			vtm_sched_set_points(s, other, vtm_points_with(other->points, VTM_POINTS_ENOUGH));
	}
}

static enum vtm_history_answer answer_of(enum vtm_verdict v)
{
	switch (v) {
	case VTM_BAD:
		return VTM_HISTORY_BAD;
	case VTM_CLEAN:
		return VTM_HISTORY_CLEAN;
	case VTM_UNKNOWN:
		return VTM_HISTORY_UNKNOWN;
	case VTM_BYPASSED:
	case VTM_PENDING:
	case VTM_IGNORED:
		break;
	}
	return VTM_HISTORY_NONE;
}

void vtm_sched_note_answer(struct vtm_sched *s, struct vtm_entry *e, enum vtm_verdict verdict)
{
	struct vtm_history_key key = { .kind = VTM_HISTORY_LINK, .id = e->group };
	GPtrArray *members = e->group ? g_hash_table_lookup(s->past.groups, &e->group) : NULL;
	enum vtm_history_answer answer = answer_of(verdict);

	if (verdict == VTM_BAD && vtm_class_is_mail(e->class)) {
		s->stats.bad_by_points[vtm_sched_points_index(e->worth)]++;
		s->stats.drawn_bad += e->lot != 0;
	}
	if (!e->group || answer == VTM_HISTORY_NONE)
		return;
	note(s, &key, 0, 0, answer);
	s->past.save_due_ms = 0;	/* the next message of the domain shall find it */
	for (guint i = 0; members && i < members->len; i++) {
		struct vtm_entry *other = members->pdata[i];
		vtm_points p = other->points;

		if (other == e || other->in_flight || (answer != VTM_HISTORY_BAD && p & 1u << VTM_POINTS_BAD))
			continue;
		if (answer == VTM_HISTORY_BAD)
			p = vtm_points_without(p, VTM_POINTS_ENOUGH);
		vtm_sched_set_points(s, other, vtm_points_answered(p, answer));
	}
}

unsigned vtm_sched_points_index(int worth)
{
	return (unsigned)CLAMP(worth + 1, 0, VTM_SCHED_POINTS - 1);
}
