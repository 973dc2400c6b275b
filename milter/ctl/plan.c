/* SPDX-License-Identifier: BSD-2-Clause */
/* plan.c - vtmilterctl plan: is a key enough for this mail?
 *
 * The messages are replayed in the order of their delivery against a budget.  Each look-up starts as soon as minute and
 * day allow, first come first served, and its answer is kept for CacheTTLClean: a simpler order than the scheduler's,
 * which puts attachments first, so that it shows how much must wait rather than which.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/mail-header.h"
#include "ctl/mailbox.h"
#include "ctl/plan-points.h"
#include "conf/settings.h"
#include "scan/features.h"

#define MESSAGES_MAX 10000000
#define ANSWER_S 1
#define HOUR_S 3600
#define DAY_S 86400

struct message {
	int64_t time;
	guint first, n;		/* its look-ups */
};

struct plan {
	const struct vtm_ctl *c;
	struct vtm_scan_settings settings;
	struct vtm_ignore *ignore;
	struct vtm_lists *lists;
	struct vtm_plan_points *points;
	GArray *messages;	/* of struct message */
	GArray *keys;		/* of guint: numbers of look-ups */
	GHashTable *numbers;	/* struct vtm_key -> number + 1 */
	unsigned attachments, urls;
};

/* The result for one budget. */
struct outcome {
	uint32_t per_minute, per_day;
	unsigned requests, hits, bypassed, with_items;
};

/* ---- collecting ---- */

static guint number_of(struct plan *p, const struct vtm_key *key)
{
	guint n = GPOINTER_TO_UINT(g_hash_table_lookup(p->numbers, key));

	if (n)
		return n - 1;
	n = g_hash_table_size(p->numbers);
	g_hash_table_insert(p->numbers, g_memdup2(key, sizeof(*key)), GUINT_TO_POINTER(n + 1));
	return n;
}

/* What points need of the message and its links. */
static void collect_features(struct plan *p, const struct vtm_mail *mail, const struct vtm_items *items,
			     const struct vtm_heading *heading)
{
	struct vtm_message_features m;
	struct vtm_mail_header h = { 0 };

	vtm_mail_header_read(mail, p->c->conf->own_networks, &h, NULL);
	vtm_features_of_message(p->lists, items, heading, h.client, &m);
	vtm_plan_points_message(p->points, mail->time, &m);
	for (guint i = 0; i < items->list->len; i++) {
		struct vtm_item *item = items->list->pdata[i];
		struct vtm_lookup *l = item->kind == VTM_URL ? vtm_scan_lookup_of(item, &p->settings) : NULL;
		struct vtm_item_features f;

		if (!l)
			continue;
		vtm_features_of_item(p->lists, item, l, &m, &f);
		vtm_plan_points_link(p->points, &f);
		vtm_item_features_clear(&f);
		vtm_lookup_free(l);
	}
	vtm_message_features_clear(&m);
	vtm_mail_header_clear(&h);
}

static bool collect(const struct vtm_mail *mail, void *arg)
{
	struct plan *p = arg;
	struct message m = { .time = mail->time, .first = p->keys->len };
	struct vtm_spool *spool;
	struct vtm_heading heading;
	struct vtm_items *items;
	GError *error = NULL;

	spool = vtm_mail_spool(mail, p->c->conf->temp_directory, &error);
	if (!spool) {
		vtm_ctl_warn(p->c, "%s", error->message);
		g_error_free(error);
		return true;
	}
	items = vtm_extract(spool, &p->settings.extract, &heading);
	for (guint i = 0; i < items->list->len && m.n < p->settings.max_lookups; i++) {
		struct vtm_item *item = items->list->pdata[i];
		struct vtm_lookup *l = vtm_scan_lookup_of(item, &p->settings);
		guint n;

		if (!l)
			continue;
		n = number_of(p, &l->key);
		g_array_append_val(p->keys, n);
		m.n++;
		p->attachments += item->kind == VTM_ATTACHMENT;
		p->urls += item->kind == VTM_URL;
		vtm_lookup_free(l);
	}
	g_array_append_val(p->messages, m);
	collect_features(p, mail, items, &heading);
	vtm_heading_clear(&heading);
	vtm_items_free(items);
	vtm_spool_free(spool);
	return p->messages->len < MESSAGES_MAX;
}

static void unreadable(const char *file, const char *why, void *arg)
{
	const struct plan *p = arg;

	(void)file;
	vtm_ctl_warn(p->c, "%s", why);
}

static gint by_time(gconstpointer a, gconstpointer b)
{
	const struct message *x = a, *y = b;

	return x->time < y->time ? -1 : x->time > y->time;
}

/* ---- replaying ---- */

struct replay {
	const struct plan *p;
	struct outcome *o;
	int64_t *answered;	/* for each look-up: when its answer arrives; 0: never looked up */
	int64_t *starts;	/* ring of the last per_minute starts */
	unsigned next;
	int64_t day, last;
	uint32_t day_used;
};

/* The time at which the next request can start, not before <now>. */
static int64_t take_slot(struct replay *r, int64_t now)
{
	int64_t at = MAX(now, r->last);

	if (r->o->per_minute)
		at = MAX(at, r->starts[r->next] ? r->starts[r->next] + 60 : 0);
	if (at / DAY_S != r->day) {
		r->day = at / DAY_S;
		r->day_used = 0;
	}
	if (r->o->per_day && r->day_used >= r->o->per_day) {
		r->day++;
		r->day_used = 0;
		at = r->day * DAY_S;
	}
	r->day_used++;
	r->last = at;
	if (r->o->per_minute) {
		r->starts[r->next] = at;
		r->next = (r->next + 1) % r->o->per_minute;
	}
	return at;
}

/* true: all of its answers arrive in time. */
static bool play(struct replay *r, const struct message *m)
{
	const struct vtm_conf *conf = r->p->c->conf;
	bool in_time = true;

	for (guint i = m->first; i < m->first + m->n; i++) {
		int64_t *answer = &r->answered[g_array_index(r->p->keys, guint, i)];

		if (*answer && *answer + conf->ttl_clean_ms / 1000 > m->time) {
			r->o->hits++;
		} else if (r->last - m->time > conf->pending_lifetime_ms / 1000) {
			in_time = false;	/* the queue would drop it */
			continue;
		} else {
			*answer = take_slot(r, m->time) + ANSWER_S;
			r->o->requests++;
		}
		in_time = in_time && *answer - m->time <= conf->timeout_ms / 1000;
	}
	return in_time;
}

static void replay(const struct plan *p, struct outcome *o)
{
	struct replay r = { .p = p, .o = o };

	r.answered = g_new0(int64_t, g_hash_table_size(p->numbers) + 1);
	r.starts = g_new0(int64_t, o->per_minute + 1);
	for (guint i = 0; i < p->messages->len; i++) {
		const struct message *m = &g_array_index(p->messages, struct message, i);

		if (!m->n)
			continue;
		o->with_items++;
		o->bypassed += !play(&r, m);
	}
	g_free(r.answered);
	g_free(r.starts);
}

/* ---- telling ---- */

static double percent(unsigned part, unsigned all)
{
	return all ? 100.0 * part / all : 0;
}

/* Seconds between the first message and the last. */
static int64_t span_of(const struct plan *p)
{
	return g_array_index(p->messages, struct message, p->messages->len - 1).time -
	       g_array_index(p->messages, struct message, 0).time;
}

static double days_of(const struct plan *p)
{
	return MAX(1.0, (double)span_of(p) / DAY_S);
}

static void put_json(const struct plan *p, const struct outcome *o, size_t n, const struct vtm_plan_links *links)
{
	struct vtm_json *j = vtm_json_new();
	double days = days_of(p);

	vtm_json_int(j, "messages", p->messages->len);
	vtm_json_real(j, "days", days);
	vtm_json_int(j, "with_items", o[0].with_items);
	vtm_json_int(j, "attachments", p->attachments);
	vtm_json_int(j, "urls", p->urls);
	vtm_json_int(j, "unique", g_hash_table_size(p->numbers));
	vtm_json_real(j, "items_a_day", (p->attachments + p->urls) / days);
	vtm_json_int(j, "new_links", links->new_links);
	vtm_json_int(j, "new_links_at_once", links->new_asked);
	vtm_json_int(j, "links", links->links);
	vtm_json_int(j, "links_at_once", links->asked);
	for (size_t i = 0; i < n; i++) {
		struct vtm_json *b = vtm_json_new();

		vtm_json_int(b, "per_minute", o[i].per_minute);
		vtm_json_int(b, "per_day", o[i].per_day);
		vtm_json_int(b, "requests", o[i].requests);
		vtm_json_int(b, "hits", o[i].hits);
		vtm_json_int(b, "bypassed", o[i].bypassed);
		vtm_json_append(j, "budgets", b);
	}
	vtm_ctl_put_json(j);
}

static void put_limit(char text[24], uint32_t limit)
{
	if (limit)
		g_snprintf(text, 24, "%u", limit);
	else
		g_strlcpy(text, "no limit", 24);
}

/* Is at most one message in a hundred bypassed? */
static bool is_enough(const struct outcome *o)
{
	return (uint64_t)o->bypassed * 100 <= o->with_items;
}

static void put_judgement(const struct outcome *o, size_t n)
{
	char minute[24], day[24];
	size_t i = 0;

	if (is_enough(&o[0])) {
		puts("\nThis budget is enough.");
		return;
	}
	puts("\nThis budget is not enough for all of it: the share above is delivered with VT_Bypassed.");
	while (i < n && !is_enough(&o[i]))
		i++;
	if (i == n) {
		puts("The larger ones are not enough either.");
		return;
	}
	put_limit(minute, o[i].per_minute);
	put_limit(day, o[i].per_day);
	printf("%s a minute and %s a day would be enough.\n", minute, day);
}

static void put_text(const struct plan *p, const struct outcome *o, size_t n, const struct vtm_plan_links *links)
{
	double days = days_of(p);
	unsigned items = p->attachments + p->urls;

	vtm_ctl_put("messages", "%u in %.1f days, %u with items to look up", p->messages->len, days,
		    o[0].with_items);
	vtm_ctl_put("items", "%u: %u attachments, %u urls; %.1f a day", items, p->attachments, p->urls, items / days);
	vtm_ctl_put("unique", "%u (%.0f%%)", g_hash_table_size(p->numbers),
		    percent(g_hash_table_size(p->numbers), items));
	printf("\n%10s %10s %12s %12s %12s\n", "A MINUTE", "A DAY", "REQUESTS", "CACHE HITS", "BYPASSED");
	for (size_t i = 0; i < n; i++) {
		char minute[24], day[24];

		put_limit(minute, o[i].per_minute);
		put_limit(day, o[i].per_day);
		printf("%10s %10s %12u %11.0f%% %11.1f%%%s\n", minute, day, o[i].requests, percent(o[i].hits, items),
		       percent(o[i].bypassed, o[i].with_items), i ? "" : "  <- this budget");
	}
	put_judgement(o, n);
	if (!links->new_links)
		return;
	printf("\nBy points and pace, links of domains first seen within a day, looked up when they come: %u of %u"
	       " (%.0f%%);\nof all link domains: %u of %u (%.0f%%).\n", links->new_asked, links->new_links,
	       percent(links->new_asked, links->new_links), links->asked, links->links,
	       percent(links->asked, links->links));
}

static int make_plan(struct plan *p, int argc, char **argv)
{
	const struct vtm_conf *conf = p->c->conf;
	struct outcome o[3] = { { 0 } };
	struct vtm_plan_links links;
	GError *error = NULL;

	for (int i = 0; i < argc; i++)
		if (vtm_mailbox_walk(argv[i], collect, p, unreadable, &error) < 0)
			return vtm_ctl_fail(p->c, error);
	if (!p->messages->len) {
		vtm_ctl_warn(p->c, "no messages");
		return VTM_CTL_FOUND;
	}
	g_array_sort(p->messages, by_time);
	if (span_of(p) < HOUR_S)
		vtm_ctl_warn(p->c, "all messages seem to have arrived within an hour: their times of delivery are not "
			     "known from these files");
	for (size_t i = 0, factor = 1; i < G_N_ELEMENTS(o); i++, factor *= 10) {
		o[i].per_minute = (uint32_t)MIN((uint64_t)conf->requests_per_minute * factor, 1000000);
		o[i].per_day = (uint32_t)MIN((uint64_t)(conf->requests_per_day -
							MIN(conf->reserve_for_manual, conf->requests_per_day)) * factor,
					     G_MAXUINT32);
		replay(p, &o[i]);
	}
	vtm_plan_points_replay(p->points, &(struct vtm_plan_budget){
		o[0].per_minute, o[0].per_day, 1 - conf->explore_share_percent / 100.0, conf->ttl_clean_ms / 1000 }, &links);
	if (p->c->json)
		put_json(p, o, G_N_ELEMENTS(o), &links);
	else
		put_text(p, o, G_N_ELEMENTS(o), &links);
	return EX_OK;
}

int vtm_ctl_plan(struct vtm_ctl *c, int argc, char **argv)
{
	struct plan p = { .c = c };
	GError *error = NULL;
	int status;

	if (!argc)
		return vtm_ctl_usage(c, "expected a MAILDIR or MBOX");
	p.ignore = vtm_ignore_new();
	p.lists = vtm_lists_new();
	p.points = vtm_plan_points_new();
	p.messages = g_array_new(FALSE, FALSE, sizeof(struct message));
	p.keys = g_array_new(FALSE, FALSE, sizeof(guint));
	p.numbers = g_hash_table_new_full(vtm_key_hash, vtm_key_equal, g_free, NULL);
	vtm_settings_scan(c->conf, &p.settings);
	p.settings.extract.ignore = p.ignore;
	p.settings.lists = p.lists;
	p.settings.extract.decoders = c->decoders;
	if (vtm_ctl_read_lists(c->conf, p.ignore, &error) && vtm_ctl_read_hosts(c->conf, p.lists, &error))
		status = make_plan(&p, argc, argv);
	else
		status = vtm_ctl_fail(c, error);
	g_array_free(p.messages, TRUE);
	g_array_free(p.keys, TRUE);
	g_hash_table_destroy(p.numbers);
	vtm_ignore_free(p.ignore);
	vtm_lists_free(p.lists);
	vtm_plan_points_free(p.points);
	return status;
}
