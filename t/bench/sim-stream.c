/* SPDX-License-Identifier: BSD-2-Clause */
/* sim-stream.c - recorded mail through the daemon's own scheduler, history and points. */
#include "sim-stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "queue/sched.h"
#include "store/open/open.h"

#define DAY_MS (24 * 3600 * G_GINT64_CONSTANT(1000))
#define START_UTC_MS (G_GINT64_CONSTANT(1767225600) * 1000)	/* 2026-01-01 */
#define ANSWER_MS 500
#define WANTS_MAX 256			/* of a message, as lib/scan has it */
#define LOOKUPS_MAX 10			/* MaxLookupsPerMessage */
#define WITHIN_MS DAY_MS

enum {
	RISKY = 1, PERSONAL = 2, ANYBODY = 4, SHORTENER = 8, CHEAP_TLD = 0x10, BRAND = 0x20, ODD_HOST = 0x40,
	TO_FROM = 0x200, BAD = 0x400, HOST_TELLS = 0x800, FILE_ITEM = 0x1000, KNOWN = 0x2000, BY_PATH = 0x4000
};

static const char *const policies[] = { "points", "class", "fifo", "random", "oracle" };

/* What VirusTotal would say of a look-up. */
enum truth { TRUTH_UNKNOWN, TRUTH_CLEAN, TRUTH_BAD };

struct message {
	struct vtm_ticket ticket;
	int64_t came_ms;
	unsigned day;
	bool bad, caught_before, caught_within;
};

struct flight {
	int64_t due_ms;
	struct vtm_result result;
};

struct run {
	const struct stream_options *o;
	struct vtm_clock_manual clock;
	struct vtm_store *store;
	struct vtm_cache *cache;
	struct vtm_sched *sched;
	GHashTable *truths;		/* look-up key -> enum truth */
	GHashTable *awaited;		/* key of a bad item -> GPtrArray of messages that were delivered without it */
	GPtrArray *bad;			/* of struct message: all bad ones, owned */
	GArray *delays;			/* of int64_t: of measured messages */
	GQueue flights;			/* of struct flight: all take the same time */
	/* VirusTotal's quota */
	GQueue minute;			/* of arrival times, boxed */
	int64_t day;
	unsigned day_count, requests, violations;
	guint64 items, answered_before;	/* of measured messages */
	unsigned last_day;
	unsigned lines;
};

bool stream_policy_parse(const char *word, enum stream_policy *policy_r)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(policies); i++)
		if (!strcmp(word, policies[i])) {
			*policy_r = (enum stream_policy)i;
			return true;
		}
	return false;
}

/* ---- VirusTotal ---- */

static void count_request(struct run *r, int64_t at_ms)
{
	const struct vtm_budget_limits *l = &r->o->limits;
	int64_t day = at_ms / DAY_MS;

	if (day != r->day) {
		r->day = day;
		r->day_count = 0;
	}
	while (r->minute.length && *(int64_t *)g_queue_peek_head(&r->minute) <= at_ms - VTM_WINDOW_MS)
		g_free(g_queue_pop_head(&r->minute));
	g_queue_push_tail(&r->minute, g_memdup2(&at_ms, sizeof(at_ms)));
	r->requests++;
	r->day_count++;
	r->violations += (l->per_minute.limited && r->minute.length > l->per_minute.most) ||
			 (l->per_day.limited && r->day_count > l->per_day.most);
}

static int start(void *arg, enum vtm_op op, const struct vtm_lookup *lookup, const char *analysis, void *tag)
{
	struct run *r = arg;
	struct flight *f = g_new0(struct flight, 1);

	(void)analysis;
	f->due_ms = r->clock.boot + ANSWER_MS;
	f->result.tag = tag;
	f->result.took_ms = ANSWER_MS;
	f->result.retry_after_ms = -1;
	f->result.hourly.allowed = -1;
	g_queue_push_tail(&r->flights, f);
	if (op == VTM_OP_QUOTAS) {
		f->result.answer = VTM_ANSWER_QUOTAS;
		f->result.daily = (struct vtm_quota){ r->day == r->clock.boot / DAY_MS ? r->day_count : 0,
						     r->o->limits.per_day.limited ? (int64_t)r->o->limits.per_day.most : -1 };
		f->result.monthly.allowed = -1;
		return 0;
	}
	count_request(r, r->clock.boot + ANSWER_MS / 2);
	switch ((enum truth)GPOINTER_TO_INT(g_hash_table_lookup(r->truths, &lookup->key))) {
	case TRUTH_UNKNOWN:
		f->result.answer = VTM_ANSWER_NOT_FOUND;
		break;
	case TRUTH_CLEAN:
		f->result.answer = VTM_ANSWER_REPORT;
		f->result.report.undetected = f->result.report.engines = 90;
		break;
	case TRUTH_BAD:
		f->result.answer = VTM_ANSWER_REPORT;
		f->result.report.malicious = 30;
		f->result.report.undetected = 60;
		f->result.report.engines = 90;
		break;
	}
	return 0;
}

static void learn_truth(struct run *r, const struct vtm_key *key, enum truth truth)
{
	if (GPOINTER_TO_INT(g_hash_table_lookup(r->truths, key)) < (int)truth)
		g_hash_table_replace(r->truths, g_memdup2(key, sizeof(*key)), GINT_TO_POINTER(truth));
}

/* ---- a line to a message ---- */

struct item {
	unsigned long id, host;
	char domain[32];
	unsigned flags;
};

static bool read_item(const char *text, struct item *i)
{
	memset(i, 0, sizeof(*i));
	return sscanf(text, "%lu,%lu,%31[^,],%x", &i->id, &i->host, i->domain, &i->flags) == 4 ||
	       sscanf(text, "%lu,-,%31[^,],%x", &i->id, i->domain, &i->flags) == 3;
}

/* By host, where the link looks personal (URLPrivacy guarded). */
static struct vtm_lookup *lookup_of(const struct item *i)
{
	char text[96];
	enum vtm_lookup_kind kind = VTM_LOOKUP_URL;

	if (i->flags & FILE_ITEM) {
		uint8_t digest[VTM_SHA256_LEN];

		vtm_sha256(&i->id, sizeof(i->id), digest);
		vtm_hex(digest, text);
		return vtm_lookup_new(VTM_LOOKUP_FILE, text);
	}
	if (i->flags & PERSONAL) {
		kind = VTM_LOOKUP_HOST;
		g_snprintf(text, sizeof(text), "h%lu.example", i->host);
	} else {
		g_snprintf(text, sizeof(text), "http://h%lu.example/%lu", i->host, i->id);
	}
	return vtm_lookup_new(kind, text);
}

static void set_features(struct vtm_item_features *f, const struct item *i)
{
	f->attachment = (i->flags & FILE_ITEM) != 0;
	if (f->attachment) {
		f->file = !strcmp(i->domain, "active") ? VTM_FILE_ACTIVE :
			  !strcmp(i->domain, "archive") ? VTM_FILE_ARCHIVE : VTM_FILE_PLAIN;
		return;
	}
	f->group = i->flags & BY_PATH ? g_strdup_printf("%lu.p%lu.example", i->id, i->host) :
		   i->flags & ANYBODY ? g_strdup_printf("h%lu.example", i->host) : g_strdup_printf("d%s.example", i->domain);
	f->anybody_publishes = (i->flags & ANYBODY) != 0;
	f->host_of_many = (i->flags & BY_PATH) && (i->flags & PERSONAL);
	f->shortener = (i->flags & SHORTENER) != 0;
	f->odd_name = (i->flags & (BRAND | ODD_HOST)) != 0;
	f->cheap_tld = (i->flags & CHEAP_TLD) != 0;
	f->to_from = (i->flags & TO_FROM) != 0;
}

static enum truth truth_of(const struct item *i, enum vtm_lookup_kind kind)
{
	bool bad = kind == VTM_LOOKUP_HOST ? (i->flags & HOST_TELLS) != 0 : (i->flags & BAD) != 0;

	return bad ? TRUTH_BAD : i->flags & KNOWN ? TRUTH_CLEAN : TRUTH_UNKNOWN;
}

/* The order in which a message's items share its look-ups by class, as lib/scan has it. */
static enum vtm_class class_of(const struct run *r, const struct item *i, GHashTable *hosts)
{
	if (r->o->policy == STREAM_FIFO)
		return VTM_CLASS_URL_MORE;
	if (i->flags & FILE_ITEM)
		return i->flags & RISKY ? VTM_CLASS_RISKY : VTM_CLASS_OTHER;
	return g_hash_table_add(hosts, GSIZE_TO_POINTER(i->host)) ? VTM_CLASS_URL_FIRST : VTM_CLASS_URL_MORE;
}

static gint by_class(gconstpointer a, gconstpointer b)
{
	static const int rank[VTM_CLASSES] = {
		[VTM_CLASS_RISKY] = 0, [VTM_CLASS_OTHER] = 1, [VTM_CLASS_URL_FIRST] = 2, [VTM_CLASS_URL_MORE] = 3
	};
	const struct vtm_want *x = a, *y = b;

	return rank[x->class] - rank[y->class];
}

static void add_item(struct run *r, const char *text, GArray *wants, GHashTable *seen, GHashTable *hosts)
{
	struct vtm_want w = { 0 };
	struct item i;
	enum truth truth;

	if (!read_item(text, &i))
		return;
	w.lookup = lookup_of(&i);
	truth = truth_of(&i, (enum vtm_lookup_kind)w.lookup->key.kind);
	learn_truth(r, &w.lookup->key, truth);
	if (wants->len >= WANTS_MAX || g_hash_table_contains(seen, &w.lookup->key) ||
	    (r->o->policy == STREAM_ORACLE && truth != TRUTH_BAD)) {
		vtm_lookup_free(w.lookup);
		return;
	}
	w.class = class_of(r, &i, hosts);
	set_features(&w.features, &i);
	if (r->o->policy == STREAM_CLASS || r->o->policy == STREAM_FIFO || r->o->policy == STREAM_ORACLE)
		w.features.host_of_many = false;
	g_hash_table_add(seen, &w.lookup->key);
	g_array_append_val(wants, w);
}

static unsigned link_domains(const GArray *wants)
{
	GHashTable *groups = g_hash_table_new(g_str_hash, g_str_equal);
	unsigned n;

	for (guint i = 0; i < wants->len; i++)
		if (g_array_index(wants, struct vtm_want, i).features.group)
			g_hash_table_add(groups, g_array_index(wants, struct vtm_want, i).features.group);
	n = g_hash_table_size(groups);
	g_hash_table_destroy(groups);
	return n;
}

static void set_items(struct run *r, struct message *m, const char *text)
{
	GHashTable *seen = g_hash_table_new(vtm_key_hash, vtm_key_equal), *hosts = g_hash_table_new(NULL, NULL);
	GArray *wants = g_array_new(FALSE, TRUE, sizeof(struct vtm_want));
	GStrv items = g_strsplit(text, " ", -1);

	for (int i = 0; items[i]; i++)
		add_item(r, items[i], wants, seen, hosts);
	g_strfreev(items);
	if (r->o->policy == STREAM_CLASS)
		g_array_sort(wants, by_class);
	m->ticket.features.link_domains = link_domains(wants);
	m->ticket.n = wants->len;
	m->ticket.wants = (struct vtm_want *)(void *)g_array_free(wants, FALSE);
	g_hash_table_destroy(seen);
	g_hash_table_destroy(hosts);
}

static void free_ticket(struct message *m)
{
	for (unsigned i = 0; i < m->ticket.n; i++) {
		vtm_lookup_free(m->ticket.wants[i].lookup);
		vtm_item_features_clear(&m->ticket.wants[i].features);
	}
	g_clear_pointer(&m->ticket.wants, g_free);
	g_clear_pointer(&m->ticket.client_net, g_free);
	g_clear_pointer(&m->ticket.sender_domain, g_free);
	vtm_message_features_clear(&m->ticket.features);
}

/* NULL: not a line of the form above. */
static struct message *message_of(struct run *r, const char *line)
{
	GStrv parts = g_strsplit(line, "\t", 8);
	struct message *m = NULL;

	if (g_strv_length(parts) >= 7) {
		m = g_new0(struct message, 1);
		m->came_ms = g_ascii_strtoll(parts[0], NULL, 10) * 1000;
		m->day = (unsigned)(m->came_ms / DAY_MS);
		m->bad = strcmp(parts[2], "0") != 0;
		m->ticket.owner = m;
		m->ticket.max_lookups = LOOKUPS_MAX;
		m->ticket.client_net = g_strdup_printf("n%s", parts[5]);
		m->ticket.sender_domain = g_strdup_printf("d%s.example", parts[4]);
		m->ticket.features.from_domain = g_strdup_printf("d%s.example", parts[3]);
		m->ticket.features.network = g_strdup(m->ticket.client_net);
		m->ticket.features.dmarc_pass = m->ticket.features.authenticated = parts[6][0] == '1';
		set_items(r, m, parts[7] ? parts[7] : "");
	}
	g_strfreev(parts);
	return m;
}

/* ---- what the scheduler reports ---- */

static bool measured(const struct run *r, const struct message *m)
{
	return m->day >= r->o->first_day && m->day < r->last_day;
}

/* Keeps a bad message that was delivered without its verdict, to hear of one within a day. */
static void await(struct run *r, struct message *m, const struct vtm_key *key)
{
	GPtrArray *who = g_hash_table_lookup(r->awaited, key);

	if (!who) {
		who = g_ptr_array_new();
		g_hash_table_insert(r->awaited, g_memdup2(key, sizeof(*key)), who);
	}
	g_ptr_array_add(who, m);
}

static void released(void *arg, struct vtm_ticket *t)
{
	struct run *r = arg;
	struct message *m = t->owner;
	int64_t delay = r->clock.boot - m->came_ms;

	for (unsigned i = 0; i < t->n; i++) {
		const struct vtm_want *w = &t->wants[i];

		if (measured(r, m)) {
			r->items++;
			r->answered_before += w->answered;
		}
		m->caught_before = m->caught_before || (m->bad && w->answered && w->report.verdict == VTM_BAD);
	}
	for (unsigned i = 0; i < t->n && m->bad && !m->caught_before; i++)
		if (GPOINTER_TO_INT(g_hash_table_lookup(r->truths, &t->wants[i].lookup->key)) == TRUTH_BAD)
			await(r, m, &t->wants[i].lookup->key);
	if (measured(r, m))
		g_array_append_val(r->delays, delay);
	free_ticket(m);
	if (m->bad)
		g_ptr_array_add(r->bad, m);
	else
		g_free(m);
}

static void answered(void *arg, const struct vtm_lookup *lookup, const struct vtm_report *report)
{
	struct run *r = arg;
	GPtrArray *who = report->verdict == VTM_BAD ? g_hash_table_lookup(r->awaited, &lookup->key) : NULL;

	for (guint i = 0; who && i < who->len; i++) {
		struct message *m = who->pdata[i];

		m->caught_within = m->caught_within || r->clock.boot - m->came_ms <= WITHIN_MS;
	}
}

/* ---- the run ---- */

static void advance(struct run *r, int64_t to_ms)
{
	vtm_clock_manual_advance(&r->clock, MAX(to_ms - r->clock.boot, 0));
}

/* Everything up to <until_ms>, but what comes then. */
static void run_until(struct run *r, int64_t until_ms, int64_t *wake_ms)
{
	for (;;) {
		struct flight *f = g_queue_peek_head(&r->flights);
		int64_t next = MIN(f ? f->due_ms : INT64_MAX, *wake_ms);

		if (next >= until_ms)
			break;
		advance(r, next);
		if (f && f->due_ms <= r->clock.boot) {
			g_queue_pop_head(&r->flights);
			vtm_sched_result(r->sched, &f->result);
			g_free(f);
		}
		*wake_ms = MAX(vtm_sched_step(r->sched), r->clock.boot + 1);
	}
	advance(r, until_ms);
}

static FILE *open_stream(const char *file)
{
	GError *error = NULL;
	char *quoted, *command;
	FILE *f;

	if (!g_str_has_suffix(file, ".xz"))
		return fopen(file, "r");
	quoted = g_shell_quote(file);
	command = g_strconcat("xz -dc ", quoted, NULL);
	f = popen(command, "r");
	g_free(quoted);
	g_free(command);
	g_clear_error(&error);
	return f;
}

static bool replay(struct run *r)
{
	FILE *f = open_stream(r->o->file);
	int64_t wake = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	bool any = false;

	if (!f)
		return false;
	while ((len = getline(&line, &size, f)) > 0) {
		struct message *m;

		line[len - (line[len - 1] == '\n')] = 0;
		if (r->lines++ % MAX(r->o->one_in, 1))
			continue;
		m = message_of(r, line);
		if (!m)
			continue;
		any = true;
		run_until(r, m->came_ms, &wake);
		m->ticket.deadline_ms = r->clock.boot + r->o->timeout_ms;
		vtm_sched_add(r->sched, &m->ticket);
		wake = MAX(vtm_sched_step(r->sched), r->clock.boot + 1);
	}
	free(line);
	if (g_str_has_suffix(r->o->file, ".xz") ? pclose(f) : fclose(f))
		any = false;
	run_until(r, r->clock.boot + r->o->timeout_ms + 1000, &wake);
	return any;
}

/* The day of the last message: the days before it are whole. */
static unsigned last_day_of(const char *file)
{
	FILE *f = open_stream(file);
	char *line = NULL;
	size_t size = 0;
	gint64 last = 0;

	while (f && getline(&line, &size, f) > 0)
		last = g_ascii_strtoll(line, NULL, 10);
	free(line);
	if (f)
		g_str_has_suffix(file, ".xz") ? pclose(f) : fclose(f);
	return (unsigned)(last * 1000 / DAY_MS);
}

static void set_up(struct run *r, const char *uri)
{
	const struct stream_options *o = r->o;
	struct vtm_store_settings ss = { .clock = &r->clock.clock, .host = "sim" };
	struct vtm_sched_settings set = {
		.clock = &r->clock.clock, .limits = o->limits, .threshold = 2, .ttl_bad_ms = 7 * DAY_MS,
		.ttl_clean_ms = DAY_MS, .ttl_unknown_ms = 3600000, .max_waiting = o->max_waiting, .max_queue = 10000,
		.pending_lifetime_ms = DAY_MS, .share_percent = o->share_percent, .max_in_flight = 32, .start = start,
		.released = released, .answered = answered, .arg = r
	};
	GError *error = NULL;

	r->store = vtm_store_open(uri, &ss, &error);
	if (!r->store)
		g_error("%s", error->message);
	r->cache = vtm_cache_new(&r->clock.clock, 100000);
	set.store = r->store;
	set.cache = r->cache;
	set.by_points = o->policy == STREAM_POINTS || o->policy == STREAM_RANDOM;
	set.explore_percent = o->policy == STREAM_RANDOM ? 100 : o->explore_percent;
	r->sched = vtm_sched_new(&set);
}

static gint by_size(gconstpointer a, gconstpointer b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static double quantile(GArray *a, double q)
{
	return a->len ? (double)g_array_index(a, int64_t, (guint)(q * (a->len - 1))) / 1000 : 0;
}

static double percent(guint64 part, guint64 whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 100;
}

static void report(struct run *r)
{
	struct vtm_sched_stats s;
	unsigned n = 0, before = 0, within = 0;

	for (guint i = 0; i < r->bad->len; i++) {
		const struct message *m = r->bad->pdata[i];

		if (!measured(r, m))
			continue;
		n++;
		before += m->caught_before;
		within += m->caught_before || m->caught_within;
	}
	vtm_sched_stats(r->sched, &s);
	g_array_sort(r->delays, by_size);
	printf("policy=%s days=%u..%u messages=%u bad=%u answered_before=%.1f%% delay_median=%.3fs delay_p99=%.3fs "
	       "delay_max=%.3fs waiting_max=%u drawn=%" G_GUINT64_FORMAT " drawn_bad=%" G_GUINT64_FORMAT
	       " left_aside=%" G_GUINT64_FORMAT "\n", policies[r->o->policy], r->o->first_day, r->last_day - 1, r->delays->len,
	       n, percent(r->answered_before, r->items), quantile(r->delays, 0.5), quantile(r->delays, 0.99),
	       quantile(r->delays, 1), s.waiting_max, s.drawn, s.drawn_bad, s.left_aside);
	for (unsigned i = 0; r->o->verbose && i < VTM_SCHED_POINTS; i++)
		printf("points %d: asked %" G_GUINT64_FORMAT ", bad %" G_GUINT64_FORMAT "\n", (int)i - 1, s.asked_by_points[i],
		       s.bad_by_points[i]);
	printf("caught before delivery: %.1f %% ; within 24 h: %.1f %% ; requests %u ; violations %u\n",
	       percent(before, n), percent(within, n), r->requests, r->violations);
}

static void free_message(gpointer p)
{
	g_free(p);
}

static void remove_store(const char *dir)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
		char *file = g_strconcat(dir, "/sim.db", ends[i], NULL);

		remove(file);
		g_free(file);
	}
	remove(dir);
}

int stream_run(const struct stream_options *o)
{
	struct run r = { .o = o, .day = -1 };
	char *dir = g_dir_make_tmp("vtmilter-sim-XXXXXX", NULL), *uri = g_strdup_printf("sqlite:%s/sim.db", dir);
	bool fine;

	vtm_clock_manual_init(&r.clock, START_UTC_MS);
	r.clock.boot = 0;
	g_random_set_seed(o->seed);
	r.truths = g_hash_table_new_full(vtm_key_hash, vtm_key_equal, g_free, NULL);
	r.awaited = g_hash_table_new_full(vtm_key_hash, vtm_key_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
	r.bad = g_ptr_array_new_with_free_func(free_message);
	r.delays = g_array_new(FALSE, FALSE, sizeof(int64_t));
	r.last_day = o->last_day ? o->last_day : last_day_of(o->file);
	set_up(&r, uri);
	fine = replay(&r);
	if (fine)
		report(&r);
	else
		fprintf(stderr, "sim: %s: no stream of mail\n", o->file);
	vtm_sched_free(r.sched);
	vtm_store_close(r.store);
	vtm_cache_free(r.cache);
	remove_store(dir);
	g_free(dir);
	g_free(uri);
	g_hash_table_destroy(r.truths);
	g_hash_table_destroy(r.awaited);
	g_ptr_array_free(r.bad, TRUE);
	g_array_free(r.delays, TRUE);
	g_queue_clear_full(&r.flights, g_free);
	g_queue_clear_full(&r.minute, g_free);
	return !fine ? 64 : r.violations ? 1 : 0;
}
