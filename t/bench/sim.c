/* SPDX-License-Identifier: BSD-2-Clause */
/* sim.c - days of mail in seconds: the daemon's own scheduler, a clock that is moved by hand, and a VirusTotal that
 * only counts.
 *
 * Prints what a site would see.  --policy fifo replays the same mail as a naive milter would do it: one line, first in
 * first out, every message waits for all its answers or for the time-out.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "queue/sched.h"
#include "sim-stream.h"
#include "store/open/open.h"

#define DAY_MS (24 * 3600 * G_GINT64_CONSTANT(1000))
#define START_UTC_MS (G_GINT64_CONSTANT(1767225600) * 1000)	/* 2026-01-01 */
#define ITEMS_MAX 40
#define BULK_AT_ONCE 10			/* a message's, as vtmilterctl scan asks */

enum pattern { POISSON, BURST, NEWSLETTER, ABUSER, ITEMS, PATTERNS };
static const char *const pattern_names[] = { "poisson", "burst", "newsletter", "abuser", "items" };

struct options {
	enum pattern pattern;
	bool fifo;
	unsigned days, messages;	/* messages a day */
	int64_t timeout_ms;
	struct vtm_budget_limits limits;
	unsigned max_waiting;
	guint32 seed;
	unsigned bulk;			/* look-ups of a mailbox that is scanned by hand meanwhile */
	enum vtm_class bulk_class;
	struct stream_options stream;
	const char *items;		/* file of `vtmilterctl extract --json`, for ITEMS */
};

/* What a message asks about; an item is a number that many messages may share. */
struct sim_item {
	unsigned number;
	enum vtm_class class;
};

struct sim_message {
	struct vtm_ticket ticket;
	int64_t came_ms;
	bool abuser;
	unsigned risky;
};

enum event_kind { ARRIVAL, ANSWER };
struct event {
	int64_t at_ms;
	guint64 serial;
	enum event_kind kind;
	struct vtm_result result;	/* ANSWER */
	struct sim_message *message;	/* ARRIVAL */
};

struct sim {
	struct options o;
	struct vtm_clock_manual clock;
	struct vtm_store *store;
	struct vtm_cache *cache;
	struct vtm_sched *sched;
	GSequence *events;
	guint64 serial;
	GRand *rand;
	GPtrArray *samples;		/* of GPtrArray of struct vtm_want: real messages' look-ups */
	/* the server */
	GQueue window;			/* of arrival times, boxed */
	int64_t day;
	unsigned day_count, violations, requests, refused, window_max;
	/* what came out */
	GArray *delays;			/* of int64_t ms */
	unsigned waiting, waiting_max;
	guint64 items, answered_before, cached, messages_delayed;
	unsigned risky, risky_asked;
	GHashTable *risky_items;	/* numbers of risky attachments seen -> 1 asked */
	GHashTable *ever;		/* keys answered */
	GHashTable *wanted;		/* keys wanted */
	unsigned bulk_added;
	/* fifo only */
	GQueue line;			/* of key numbers */
	GHashTable *in_line;		/* key -> GPtrArray of waiting messages */
	GHashTable *verdicts;
};

static gint by_time(gconstpointer a, gconstpointer b, gpointer data)
{
	const struct event *x = a, *y = b;

	(void)data;
	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return x->serial < y->serial ? -1 : 1;
}

static struct event *event_new(struct sim *s, int64_t at_ms, enum event_kind kind)
{
	struct event *e = g_new0(struct event, 1);

	e->at_ms = at_ms;
	e->serial = s->serial++;
	e->kind = kind;
	return e;
}

static struct vtm_lookup *lookup_of(const struct sim_item *item)
{
	char *name = g_strdup_printf("item %u", item->number), hex[VTM_SHA256_HEX];
	bool file = item->class == VTM_CLASS_RISKY || item->class == VTM_CLASS_OTHER;
	uint8_t digest[VTM_SHA256_LEN];
	struct vtm_lookup *l;

	vtm_sha256(name, strlen(name), digest);
	vtm_hex(digest, hex);
	g_free(name);
	name = file ? g_strdup(hex) : g_strdup_printf("http://%.16s.example/", hex);
	l = vtm_lookup_new(file ? VTM_LOOKUP_FILE : VTM_LOOKUP_URL, name);
	g_free(name);
	return l;
}

/* ---- the server: answers, and holds us to its quota ---------------------------------------- */

static gint by_arrival(gconstpointer a, gconstpointer b, gpointer data)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	(void)data;
	return x < y ? -1 : x > y;
}

static void roll_day(struct sim *s, int64_t at_ms)
{
	int64_t day = vtm_budget_day(START_UTC_MS + at_ms);

	if (day != s->day) {
		s->day = day;
		s->day_count = 0;
	}
}

/* Counts a request that arrives at <at_ms>; false: over the quota. */
static bool server_takes(struct sim *s, int64_t at_ms)
{
	bool over;

	roll_day(s, at_ms);
	while (s->window.length && *(int64_t *)g_queue_peek_head(&s->window) <= at_ms - VTM_WINDOW_MS)
		g_free(g_queue_pop_head(&s->window));
	/* requests do not arrive in the order in which they left */
	g_queue_insert_sorted(&s->window, g_memdup2(&at_ms, sizeof(at_ms)), by_arrival, NULL);
	s->requests++;
	s->day_count++;
	s->window_max = MAX(s->window_max, s->window.length);
	over = (s->o.limits.per_minute.limited && s->window.length > s->o.limits.per_minute.most) ||
	       (s->o.limits.per_day.limited && s->day_count > s->o.limits.per_day.most);
	s->violations += over;
	return !over;
}

/* The answer depends on nothing but the item. */
static void judge_item(const struct vtm_key *key, struct vtm_result *r)
{
	unsigned dice = key->id[8];

	r->answer = VTM_ANSWER_REPORT;
	if (dice < 64) {
		r->answer = VTM_ANSWER_NOT_FOUND;
	} else {
		r->report.malicious = dice < 72 ? 30 : 0;
		r->report.undetected = 60;
		r->report.engines = 90;
	}
}

static int64_t latency(struct sim *s)
{
	double u = g_rand_double_range(s->rand, 0.001, 1);

	return 150 + (int64_t)(-log(u) * 250);
}

static int64_t allowed(struct vtm_limit l)
{
	return l.limited ? (int64_t)l.most : -1;
}

static int transport(void *arg, enum vtm_op op, const struct vtm_lookup *lookup, const char *analysis, void *tag)
{
	struct sim *s = arg;
	int64_t took = latency(s);
	struct event *e = event_new(s, s->clock.boot + took, ANSWER);

	(void)analysis;
	e->result.tag = tag;
	e->result.took_ms = took;
	e->result.server_utc_ms = 0;
	e->result.retry_after_ms = -1;
	e->result.hourly.allowed = -1;
	if (op == VTM_OP_QUOTAS) {
		roll_day(s, s->clock.boot + took / 2);
		e->result.answer = VTM_ANSWER_QUOTAS;
		e->result.daily = (struct vtm_quota){ s->day_count, allowed(s->o.limits.per_day) };
		e->result.monthly = (struct vtm_quota){ s->requests, allowed(s->o.limits.per_month) };
	} else if (!server_takes(s, s->clock.boot + took / 2)) {
		e->result.answer = VTM_ANSWER_QUOTA;
		s->refused++;
	} else {
		judge_item(&lookup->key, &e->result);
	}
	g_sequence_insert_sorted(s->events, e, by_time, NULL);
	return 0;
}

/* ---- the mail --------------------------------------------------------------------------------- */

static enum vtm_class class_of(struct sim *s, unsigned n)
{
	if (n == 0 && g_rand_double(s->rand) < 0.12)
		return g_rand_double(s->rand) < 0.5 ? VTM_CLASS_RISKY : VTM_CLASS_OTHER;
	return n < 4 ? VTM_CLASS_URL_FIRST : VTM_CLASS_URL_MORE;
}

/* Half of what mail carries was seen before (signatures, logos' links, newsletters): a popular item's number is
 * small. */
static unsigned item_number(struct sim *s)
{
	static unsigned fresh = 1000000;

	if (g_rand_double(s->rand) < 0.6)
		return (unsigned)(pow(g_rand_double(s->rand), 4) * 20000);
	return fresh++;
}

static struct sim_message *message_new(struct sim *s, int64_t at_ms, unsigned links, bool abuser)
{
	struct sim_message *m = g_new0(struct sim_message, 1);
	unsigned n = MIN(links, ITEMS_MAX);

	m->came_ms = at_ms;
	m->abuser = abuser;
	m->ticket.wants = g_new0(struct vtm_want, n);
	m->ticket.n = n;
	m->ticket.max_lookups = 10;
	m->ticket.owner = m;
	m->ticket.client_net = abuser ? g_strdup("198.51.100.0/24")
				      : g_strdup_printf("192.0.%d.0/24", g_rand_int_range(s->rand, 0, 256));
	for (unsigned i = 0; i < n; i++) {
		struct sim_item item = { .class = class_of(s, i) };

		item.number = abuser ? 500000000 + (unsigned)s->serial * ITEMS_MAX + i : item_number(s) * 8 + item.class;
		m->ticket.wants[i].lookup = lookup_of(&item);
		m->ticket.wants[i].class = item.class;
	}
	return m;
}

static void arrive_at(struct sim *s, int64_t at_ms, unsigned links, bool abuser)
{
	struct event *e = event_new(s, at_ms, ARRIVAL);

	e->message = message_new(s, at_ms, links, abuser);
	g_sequence_insert_sorted(s->events, e, by_time, NULL);
}

static unsigned links_of(struct sim *s)
{
	return (unsigned)(-log(g_rand_double_range(s->rand, 0.001, 1)) * 4);
}

/* ---- real messages' items --------------------------------------------------------------------- */

/* Adds the item of one JSON line to the last message, or to a new one when its file is another. */
static void read_item(struct sim *s, const char *line, char **file, GHashTable *hosts)
{
	char *name = vtm_json_get_text(line, "file"), *kind = vtm_json_get_text(line, "kind");
	bool url = !g_strcmp0(kind, "url");
	char *subject = vtm_json_get_text(line, url ? "url" : "sha256"), *host = vtm_json_get_text(line, "host");
	struct vtm_want w = { 0 };

	if (name && subject)
		w.lookup = vtm_lookup_new(url ? VTM_LOOKUP_URL : VTM_LOOKUP_FILE, subject);
	if (w.lookup) {
		if (g_strcmp0(name, *file)) {
			g_ptr_array_add(s->samples, g_array_new(FALSE, FALSE, sizeof(struct vtm_want)));
			g_free(*file);
			*file = g_strdup(name);
			g_hash_table_remove_all(hosts);
		}
		w.class = !url ? VTM_CLASS_RISKY : g_hash_table_add(hosts, g_strdup(host ? host : "")) ? VTM_CLASS_URL_FIRST :
			  VTM_CLASS_URL_MORE;
		g_array_append_val((GArray *)s->samples->pdata[s->samples->len - 1], w);
	}
	g_free(name);
	g_free(kind);
	g_free(subject);
	g_free(host);
}

static bool read_items(struct sim *s)
{
	GHashTable *hosts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	char *text, *file = NULL;
	GStrv lines;

	if (!s->o.items || !g_file_get_contents(s->o.items, &text, NULL, NULL))
		return false;
	lines = g_strsplit(text, "\n", -1);
	s->samples = g_ptr_array_new();
	for (int i = 0; lines[i]; i++)
		read_item(s, lines[i], &file, hosts);
	g_strfreev(lines);
	g_free(text);
	g_free(file);
	g_hash_table_destroy(hosts);
	return s->samples->len > 0;
}

/* A message with the items of a real one. */
static void sample_at(struct sim *s, int64_t at_ms)
{
	const GArray *sample = s->samples->pdata[g_rand_int_range(s->rand, 0, (gint32)s->samples->len)];
	struct event *e = event_new(s, at_ms, ARRIVAL);
	struct sim_message *m = g_new0(struct sim_message, 1);

	m->came_ms = at_ms;
	m->ticket.n = MIN(sample->len, ITEMS_MAX);
	m->ticket.wants = g_memdup2(sample->data, m->ticket.n * sizeof(struct vtm_want));
	for (unsigned i = 0; i < m->ticket.n; i++)
		m->ticket.wants[i].lookup = vtm_lookup_copy(m->ticket.wants[i].lookup);
	m->ticket.max_lookups = 10;
	m->ticket.owner = m;
	m->ticket.client_net = g_strdup_printf("192.0.%d.0/24", g_rand_int_range(s->rand, 0, 256));
	e->message = m;
	g_sequence_insert_sorted(s->events, e, by_time, NULL);
}

/* All arrivals of the run. */
static void make_mail(struct sim *s)
{
	int64_t begin = s->clock.boot;

	for (unsigned d = 0; d < s->o.days; d++) {
		int64_t day = begin + d * DAY_MS;

		for (unsigned i = 0; i < s->o.messages; i++) {
			int64_t at = day + (int64_t)(g_rand_double(s->rand) * DAY_MS);

			if (s->o.pattern == BURST)	/* half of the mail in four minutes */
				at = i % 2 ? at : day + 10 * 3600000 + (int64_t)(i % 4) * 3600000 + at % 60000;
			if (s->o.pattern == ITEMS)
				sample_at(s, at);
			else
				arrive_at(s, at, links_of(s), false);
		}
		for (unsigned i = 0; s->o.pattern == NEWSLETTER && i < s->o.messages / 10; i++)
			arrive_at(s, day + 9 * 3600000 + i * 50, 28, false);
		for (unsigned i = 0; s->o.pattern == ABUSER && i < 2000; i++)
			arrive_at(s, day + 8 * 3600000 + i * 1000, ITEMS_MAX, true);
	}
}

/* ---- our policy ----------------------------------------------------------------------------------- */

static void message_free(struct sim_message *m)
{
	for (unsigned i = 0; i < m->ticket.n; i++)
		vtm_lookup_free(m->ticket.wants[i].lookup);
	g_free(m->ticket.wants);
	g_free(m->ticket.client_net);
	g_free(m);
}

static void count_delivery(struct sim *s, struct sim_message *m)
{
	int64_t delay = s->clock.boot - m->came_ms;

	g_array_append_val(s->delays, delay);
	s->messages_delayed += delay > 0;
	for (unsigned i = 0; i < m->ticket.n; i++) {
		const struct vtm_want *w = &m->ticket.wants[i];

		s->items++;
		s->answered_before += w->answered;
		s->cached += w->cached;
		g_hash_table_add(s->wanted, g_memdup2(&w->lookup->key, sizeof(w->lookup->key)));
		if (w->class == VTM_CLASS_RISKY)
			g_hash_table_add(s->risky_items, g_memdup2(&w->lookup->key, sizeof(w->lookup->key)));
	}
	message_free(m);
}

static void released(void *arg, struct vtm_ticket *t)
{
	if (t->owner)
		count_delivery(arg, t->owner);
}

/* vtmilterctl scan of a mailbox: as soon as a message's look-ups are asked, the next one's are queued. */
static void add_bulk(struct sim *s)
{
	struct vtm_sched_stats now;

	vtm_sched_stats(s->sched, &now);
	for (unsigned n = now.queued[s->o.bulk_class]; n < BULK_AT_ONCE && s->bulk_added < s->o.bulk; n++) {
		struct sim_item item = { .number = 900000000 + s->bulk_added++, .class = VTM_CLASS_RISKY };
		struct vtm_want w = { .lookup = lookup_of(&item), .class = s->o.bulk_class };
		struct vtm_ticket t = { .wants = &w, .n = 1, .max_lookups = 1, .deadline_ms = s->clock.boot + 1 };

		vtm_sched_add(s->sched, &t);	/* is back when this returns: the answer cannot come so soon */
		vtm_lookup_free(w.lookup);
	}
}

static void answered(void *arg, const struct vtm_lookup *lookup, const struct vtm_report *report)
{
	struct sim *s = arg;

	(void)report;
	g_hash_table_add(s->ever, g_memdup2(&lookup->key, sizeof(lookup->key)));
}

static void run_ours(struct sim *s)
{
	int64_t end = s->clock.boot + s->o.days * DAY_MS, wake = s->clock.boot;

	while (s->clock.boot < end) {
		GSequenceIter *i = g_sequence_get_begin_iter(s->events);
		struct event *e = g_sequence_iter_is_end(i) ? NULL : g_sequence_get(i);
		int64_t next = MIN(e ? e->at_ms : INT64_MAX, wake);

		next = MIN(next, end);
		vtm_clock_manual_advance(&s->clock, MAX(next - s->clock.boot, 0));
		if (e && e->at_ms <= s->clock.boot) {
			g_sequence_remove(i);
			if (e->kind == ARRIVAL) {
				e->message->ticket.deadline_ms = s->clock.boot + s->o.timeout_ms;
				vtm_sched_add(s->sched, &e->message->ticket);
			} else {
				vtm_sched_result(s->sched, &e->result);
			}
			g_free(e);
		}
		add_bulk(s);
		wake = vtm_sched_step(s->sched);
		wake = MAX(wake, s->clock.boot + 1);
	}
}

/* ---- first in, first out ------------------------------------------------------------------------------ */

static void fifo_deliver(struct sim *s, struct sim_message *m)
{
	s->waiting--;
	for (unsigned i = 0; i < m->ticket.n; i++) {
		GPtrArray *w = g_hash_table_lookup(s->in_line, &m->ticket.wants[i].lookup->key);

		if (w)
			while (g_ptr_array_remove_fast(w, m))
				;
	}
	count_delivery(s, m);
}

static bool fifo_complete(struct sim *s, struct sim_message *m)
{
	bool all = true;

	for (unsigned i = 0; i < m->ticket.n; i++) {
		struct vtm_want *w = &m->ticket.wants[i];

		w->answered = w->answered || g_hash_table_contains(s->verdicts, &w->lookup->key);
		all = all && w->answered;
	}
	return all;
}

static void fifo_arrive(struct sim *s, struct sim_message *m, GQueue *waiting)
{
	s->waiting++;
	if (fifo_complete(s, m)) {
		fifo_deliver(s, m);
		return;
	}
	for (unsigned i = 0; i < m->ticket.n; i++) {
		struct vtm_want *w = &m->ticket.wants[i];
		GPtrArray *who = g_hash_table_lookup(s->in_line, &w->lookup->key);

		if (w->answered)
			continue;
		if (!who) {
			who = g_ptr_array_new();
			g_hash_table_insert(s->in_line, g_memdup2(&w->lookup->key, sizeof(w->lookup->key)), who);
			g_queue_push_tail(&s->line, vtm_lookup_copy(w->lookup));
		}
		g_ptr_array_add(who, m);
	}
	g_queue_push_tail(waiting, m);
	s->waiting_max = MAX(s->waiting_max, s->waiting);
}

static void fifo_answer(struct sim *s, struct vtm_lookup *l, GQueue *waiting)
{
	GPtrArray *who = g_hash_table_lookup(s->in_line, &l->key);

	g_hash_table_add(s->verdicts, g_memdup2(&l->key, sizeof(l->key)));
	g_hash_table_add(s->ever, g_memdup2(&l->key, sizeof(l->key)));
	g_hash_table_steal(s->in_line, &l->key);
	for (guint i = 0; who && i < who->len; i++) {
		struct sim_message *m = who->pdata[i];

		if (fifo_complete(s, m) && g_queue_remove(waiting, m))
			fifo_deliver(s, m);
	}
	g_ptr_array_free(who, TRUE);
	vtm_lookup_free(l);
}

static void run_fifo(struct sim *s)
{
	int64_t end = s->clock.boot + s->o.days * DAY_MS, gap = VTM_WINDOW_MS / MAX(s->o.limits.per_minute.most, 1) + 100;
	int64_t free_at = s->clock.boot;
	GQueue waiting = G_QUEUE_INIT;

	while (s->clock.boot < end) {
		GSequenceIter *i = g_sequence_get_begin_iter(s->events);
		struct event *e = g_sequence_iter_is_end(i) ? NULL : g_sequence_get(i);
		struct sim_message *first = g_queue_peek_head(&waiting);
		int64_t next = MIN(end, e ? e->at_ms : INT64_MAX);

		if (s->line.length)
			next = MIN(next, MAX(free_at, s->clock.boot));
		if (first)
			next = MIN(next, first->came_ms + s->o.timeout_ms);
		vtm_clock_manual_advance(&s->clock, MAX(next - s->clock.boot, 0));
		while ((first = g_queue_peek_head(&waiting)) && first->came_ms + s->o.timeout_ms <= s->clock.boot) {
			g_queue_pop_head(&waiting);
			fifo_deliver(s, first);
		}
		if (s->line.length && s->clock.boot >= free_at) {
			int64_t day_left = vtm_budget_next_day_ms(s->clock.utc) - s->clock.utc;

			if (s->o.limits.per_day.limited && s->day_count >= s->o.limits.per_day.most &&
			    s->day == vtm_budget_day(START_UTC_MS + s->clock.boot)) {
				free_at = s->clock.boot + day_left + 1000;
			} else {
				server_takes(s, s->clock.boot);
				fifo_answer(s, g_queue_pop_head(&s->line), &waiting);
				free_at = s->clock.boot + gap;
			}
		}
		if (e && e->at_ms <= s->clock.boot) {
			g_sequence_remove(i);
			fifo_arrive(s, e->message, &waiting);
			g_free(e);
		}
	}
	g_queue_clear(&waiting);
}

/* ---- figures --------------------------------------------------------------------------------------------- */

static gint compare_delay(gconstpointer a, gconstpointer b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static double quantile(GArray *delays, double q)
{
	return delays->len ? (double)g_array_index(delays, int64_t, (guint)(q * (delays->len - 1))) / 1000 : 0;
}

static double percent(guint64 part, guint64 whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 100;
}

static guint both(GHashTable *a, GHashTable *b)
{
	GHashTableIter iter;
	gpointer key;
	guint n = 0;

	g_hash_table_iter_init(&iter, a);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		n += g_hash_table_contains(b, key);
	return n;
}

static void report(struct sim *s, const struct vtm_sched_stats *stats)
{
	g_array_sort(s->delays, compare_delay);
	printf("pattern=%s policy=%s days=%u messages=%u requests=%u violations=%u window_max=%u "
	       "answered_before=%.1f%% answered_ever=%.1f%% delay_median=%.3fs delay_p99=%.3fs delay_max=%.3fs "
	       "waiting_max=%u risky_asked=%.1f%% bulk_asked=%u\n",
	       pattern_names[s->o.pattern], s->o.fifo ? "fifo" : "vtmilter", s->o.days, s->delays->len, s->requests,
	       s->violations, s->window_max, percent(s->answered_before, s->items),
	       percent(both(s->wanted, s->ever), g_hash_table_size(s->wanted)), quantile(s->delays, 0.5),
	       quantile(s->delays, 0.99), quantile(s->delays, 1), s->o.fifo ? s->waiting_max : stats->waiting_max,
	       percent(both(s->risky_items, s->ever), g_hash_table_size(s->risky_items)),
	       (unsigned)(s->o.bulk ? stats->asked[s->o.bulk_class] : 0));
}

static void usage(FILE *to)
{
	fputs("usage: sim [--pattern poisson|burst|newsletter|abuser|items] [--items FILE]\n"
	      "           [--policy vtmilter|fifo] [--days N]\n"
	      "           [--messages N_A_DAY] [--timeout SECONDS] [--per-minute N] [--per-day N] [--seed N]\n"
	      "           [--bulk LOOK_UPS] [--bulk-class bulk|manual]\n"
	      "       sim --stream FILE[.xz] --policy points|class|fifo|random|oracle [--per-minute N] [--per-day N]\n"
	      "           [--timeout SECONDS] [--explore PERCENT] [--share PERCENT] [--one-in N] [--first-day N]\n"
	      "           [--last-day N] [--seed N] [--verbose]\n", to);
}

static int parse(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "pattern", 1, NULL, 'p' }, { "policy", 1, NULL, 'P' }, { "days", 1, NULL, 'd' },
		{ "messages", 1, NULL, 'm' }, { "timeout", 1, NULL, 't' }, { "per-minute", 1, NULL, 'n' },
		{ "per-day", 1, NULL, 'D' }, { "items", 1, NULL, 'i' }, { "seed", 1, NULL, 's' }, { "help", 0, NULL, 'h' },
		{ "bulk", 1, NULL, 'b' }, { "bulk-class", 1, NULL, 'B' },
		{ "stream", 1, NULL, 'S' }, { "explore", 1, NULL, 'e' }, { "share", 1, NULL, 'H' }, { "one-in", 1, NULL, 'o' },
		{ "first-day", 1, NULL, 'f' }, { "last-day", 1, NULL, 'l' }, { "verbose", 0, NULL, 'v' }, { 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		guint64 n = optarg ? g_ascii_strtoull(optarg, NULL, 10) : 0;

		switch (c) {
		case 'p':
			for (o->pattern = 0; o->pattern < PATTERNS; o->pattern++)
				if (!strcmp(optarg, pattern_names[o->pattern]))
					break;
			if (o->pattern == PATTERNS)
				return 64;
			break;
		case 'P':
			o->fifo = !strcmp(optarg, "fifo");
			if (!stream_policy_parse(optarg, &o->stream.policy) && strcmp(optarg, "vtmilter"))
				return 64;
			break;
		case 'S': o->stream.file = optarg; break;
		case 'e': o->stream.explore_percent = (unsigned)n; break;
		case 'H': o->stream.share_percent = (unsigned)n; break;
		case 'o': o->stream.one_in = (unsigned)n; break;
		case 'f': o->stream.first_day = (unsigned)n; break;
		case 'l': o->stream.last_day = (unsigned)n; break;
		case 'v': o->stream.verbose = true; break;
		case 'd': o->days = (unsigned)n; break;
		case 'm': o->messages = (unsigned)n; break;
		case 't': o->timeout_ms = (int64_t)n * 1000; break;
		case 'n': o->limits.per_minute = vtm_limit_configured((uint32_t)n); break;
		case 'D': o->limits.per_day = vtm_limit_configured((uint32_t)n); break;
		case 'i': o->items = optarg; break;
		case 'b': o->bulk = (unsigned)n; break;
		case 'B': o->bulk_class = !strcmp(optarg, "manual") ? VTM_CLASS_MANUAL : VTM_CLASS_BULK; break;
		case 's': o->seed = (guint32)n; break;
		case 'h': usage(stdout); return -1;
		default: return 64;
		}
	}
	return 0;
}

static void set_up(struct sim *s, const char *db)
{
	struct vtm_store_settings ss = { .clock = &s->clock.clock, .host = "sim" };
	struct vtm_sched_settings set = { 0 };
	GError *error = NULL;

	s->store = vtm_store_open(db, &ss, &error);
	if (!s->store)
		g_error("%s", error->message);
	s->cache = vtm_cache_new(&s->clock.clock, 100000);
	set.clock = &s->clock.clock;
	set.store = s->store;
	set.cache = s->cache;
	set.limits = s->o.limits;
	set.threshold = 2;
	set.ttl_bad_ms = 7 * DAY_MS;
	set.ttl_clean_ms = DAY_MS;
	set.ttl_unknown_ms = 3600000;
	set.max_waiting = s->o.max_waiting;
	set.max_queue = 10000;
	set.pending_lifetime_ms = DAY_MS;
	set.share_percent = 25;
	set.reask_unknown = true;
	set.max_in_flight = 32;
	set.start = transport;
	set.released = released;
	set.answered = answered;
	set.arg = s;
	s->sched = vtm_sched_new(&set);
}

static GHashTable *key_set(void)
{
	return g_hash_table_new_full(vtm_key_hash, vtm_key_equal, g_free, NULL);
}

static void quiet(enum vtm_severity severity, const char *line, void *arg)
{
	(void)severity;
	(void)line;
	(void)arg;
}

int main(int argc, char **argv)
{
	struct sim s = { .o = { .days = 1, .messages = 10000, .timeout_ms = 120000, .max_waiting = 20, .seed = 1,
				.bulk_class = VTM_CLASS_BULK,
				.stream = { .share_percent = 25, .explore_percent = 12, .first_day = 7 },
				.limits = { VTM_LIMIT(4), VTM_LIMIT(500), VTM_LIMIT(15500), 20, 144 } } };
	struct vtm_sched_stats stats = { 0 };
	char *dir = g_dir_make_tmp("vtmilter-sim-XXXXXX", NULL), *uri;
	int rc = parse(&s.o, argc, argv);

	if (rc > 0)
		usage(stderr);
	if (rc)
		return rc < 0 ? 0 : rc;
	vtm_log_set_sink(quiet, NULL);
	if (s.o.stream.file) {
		s.o.stream.timeout_ms = s.o.timeout_ms;
		s.o.stream.limits = s.o.limits;
		s.o.stream.max_waiting = s.o.max_waiting;
		s.o.stream.seed = s.o.seed;
		remove(dir);
		g_free(dir);
		return stream_run(&s.o.stream);
	}
	vtm_clock_manual_init(&s.clock, START_UTC_MS);
	s.clock.boot = 0;
	s.rand = g_rand_new_with_seed(s.o.seed);
	s.events = g_sequence_new(NULL);
	s.delays = g_array_new(FALSE, FALSE, sizeof(int64_t));
	s.ever = key_set();
	s.wanted = key_set();
	s.risky_items = key_set();
	s.in_line = key_set();
	s.verdicts = key_set();
	uri = g_strdup_printf("sqlite:%s/sim.db", dir);
	if (s.o.pattern == ITEMS && !read_items(&s)) {
		fputs("sim: --pattern items needs --items FILE, the output of vtmilterctl extract --json\n", stderr);
		remove(dir);
		return 64;
	}
	make_mail(&s);
	if (s.o.fifo) {
		run_fifo(&s);
	} else {
		set_up(&s, uri);
		run_ours(&s);
		vtm_sched_stats(s.sched, &stats);
	}
	report(&s, &stats);
	if (s.sched) {
		vtm_sched_free(s.sched);
		vtm_store_close(s.store);
		vtm_cache_free(s.cache);
	}
	for (int i = 0; i < 3; i++) {
		static const char *const ends[] = { "", "-wal", "-shm" };
		char *file = g_strconcat(dir, "/sim.db", ends[i], NULL);

		remove(file);
		g_free(file);
	}
	remove(dir);
	return s.violations ? 1 : 0;
}
