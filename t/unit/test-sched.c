/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sched.c - the scheduler with a clock moved by hand, a real store and a transport that only records. */
#include "queue/sched.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "tap.h"
#include "store/open/open.h"

#define START_UTC (G_GINT64_CONSTANT(1767225600) * 1000 + 12 * 3600 * 1000)	/* noon */

struct flight {
	enum vtm_op op;
	struct vtm_key key;
	void *tag;
	int64_t sent_ms;
};

/* One scheduler and what it did. */
struct rig {
	struct vtm_clock_manual clock;
	struct vtm_store *store;
	struct vtm_cache *cache;
	struct vtm_sched *sched;
	struct vtm_sched_settings set;
	GArray *flights;		/* of struct flight, oldest first */
	GArray *sent;			/* of int64_t: when counted requests went out */
	GArray *ended;			/* of int64_t: when they ended */
	GHashTable *asked;		/* key -> times asked */
	GHashTable *fresh;		/* key -> wall clock until which its answer holds */
	GHashTable *harmless;		/* keys that VirusTotal called so */
	unsigned released, answers;
	unsigned asked_fresh;		/* requests for what had an answer */
	int64_t counted;		/* requests today, as VirusTotal counts; -1: it does not tell */
	int64_t allowed_day, allowed_month;	/* as VirusTotal has it; -1: it does not tell */
	char *dir, *uri;
};

static int start(void *arg, enum vtm_op op, const struct vtm_lookup *lookup, const char *analysis, void *tag)
{
	struct rig *r = arg;
	struct flight f = { .op = op, .tag = tag, .sent_ms = r->clock.boot };

	(void)analysis;
	if (op == VTM_OP_QUOTAS) {
		g_array_append_val(r->flights, f);
		return 0;
	}
	f.key = lookup->key;
	if (g_hash_table_contains(r->fresh, &f.key))
		r->asked_fresh += *(int64_t *)g_hash_table_lookup(r->fresh, &f.key) > r->clock.utc;
	g_array_append_val(r->flights, f);
	g_array_append_val(r->sent, r->clock.boot);
	g_hash_table_replace(r->asked, g_memdup2(&lookup->key, sizeof(lookup->key)),
			     GUINT_TO_POINTER(1 + GPOINTER_TO_UINT(g_hash_table_lookup(r->asked, &lookup->key))));
	return 0;
}

static void released(void *arg, struct vtm_ticket *t)
{
	struct rig *r = arg;

	r->released++;
	*(unsigned *)t->owner += 1;
}

static void answered(void *arg, const struct vtm_lookup *lookup, const struct vtm_report *report)
{
	struct rig *r = arg;

	(void)lookup;
	r->answers += vtm_verdict_is_answer(report->verdict);
}

static void open_rig(struct rig *r)
{
	struct vtm_store_settings ss = { .clock = &r->clock.clock, .host = "test" };
	GError *error = NULL;

	r->store = vtm_store_open(r->uri, &ss, &error);
	if (!r->store)
		g_error("%s", error->message);
	r->cache = vtm_cache_new(&r->clock.clock, 1000);
	r->set.store = r->store;
	r->set.cache = r->cache;
	r->sched = vtm_sched_new(&r->set);
}

/* As after kill -9: nothing is released or flushed, the store is opened anew. */
static void close_rig(struct rig *r)
{
	vtm_sched_free(r->sched);
	vtm_store_close(r->store);
	vtm_cache_free(r->cache);
	g_array_set_size(r->flights, 0);
}

static void rig_init(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	r->allowed_day = r->allowed_month = -1;
	vtm_clock_manual_init(&r->clock, START_UTC);
	r->dir = g_dir_make_tmp("vtmilter-sched-XXXXXX", NULL);
	r->uri = g_strdup_printf("sqlite:%s/s.db", r->dir);
	r->flights = g_array_new(FALSE, FALSE, sizeof(struct flight));
	r->sent = g_array_new(FALSE, FALSE, sizeof(int64_t));
	r->ended = g_array_new(FALSE, FALSE, sizeof(int64_t));
	r->asked = g_hash_table_new_full(vtm_key_hash, vtm_key_equal, g_free, NULL);
	r->fresh = g_hash_table_new_full(vtm_key_hash, vtm_key_equal, g_free, g_free);
	r->harmless = g_hash_table_new_full(vtm_key_hash, vtm_key_equal, g_free, NULL);
	r->set = (struct vtm_sched_settings){
		.clock = &r->clock.clock, .limits = { VTM_LIMIT(4), VTM_LIMIT(500), VTM_LIMIT(15500), 20, 150 }, .threshold = 2,
		.ttl_bad_ms = 86400000, .ttl_clean_ms = 86400000, .ttl_unknown_ms = 3600000,
		.max_waiting = 20, .max_queue = 1000, .pending_lifetime_ms = 86400000, .max_in_flight = 8,
		.start = start, .released = released, .answered = answered, .arg = r,
	};
	open_rig(r);
}

static void rig_clear(struct rig *r)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	close_rig(r);
	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
		char *file = g_strconcat(r->dir, "/s.db", ends[i], NULL);

		remove(file);
		g_free(file);
	}
	remove(r->dir);
	g_free(r->dir);
	g_free(r->uri);
	g_array_free(r->flights, TRUE);
	g_array_free(r->sent, TRUE);
	g_array_free(r->ended, TRUE);
	g_hash_table_destroy(r->asked);
	g_hash_table_destroy(r->fresh);
	g_hash_table_destroy(r->harmless);
}

static void note_answer(struct rig *r, const struct vtm_key *key, enum vtm_answer answer, uint32_t malicious)
{
	int64_t ttl = answer == VTM_ANSWER_NOT_FOUND ? r->set.ttl_unknown_ms :
		      malicious ? r->set.ttl_bad_ms : r->set.ttl_clean_ms, until = r->clock.utc + ttl;

	if (answer != VTM_ANSWER_REPORT && answer != VTM_ANSWER_NOT_FOUND)
		return;
	g_hash_table_replace(r->fresh, g_memdup2(key, sizeof(*key)), g_memdup2(&until, sizeof(until)));
	if (answer == VTM_ANSWER_REPORT && malicious == 0)
		g_hash_table_add(r->harmless, g_memdup2(key, sizeof(*key)));
}

/* Ends the <i>th flight with <answer>. */
static void end_flight(struct rig *r, guint i, enum vtm_answer answer, uint32_t malicious, uint32_t undetected)
{
	struct flight f = g_array_index(r->flights, struct flight, i);
	struct vtm_result result = { .tag = f.tag, .answer = answer, .retry_after_ms = -1,
				     .took_ms = r->clock.boot - f.sent_ms };

	g_array_remove_index(r->flights, i);
	result.report.malicious = malicious;
	result.report.undetected = undetected;
	if (f.op == VTM_OP_QUOTAS) {
		result.answer = r->counted < 0 ? VTM_ANSWER_FAILED : VTM_ANSWER_QUOTAS;
		result.daily.allowed = r->allowed_day;
		result.monthly.allowed = r->allowed_month;
		result.daily.used = result.monthly.used = r->counted;
	} else {
		g_array_append_val(r->ended, r->clock.boot);
		note_answer(r, &f.key, answer, malicious);
	}
	vtm_sched_result(r->sched, &result);
}

static void end_all(struct rig *r, enum vtm_answer answer, uint32_t malicious, uint32_t undetected)
{
	while (r->flights->len)
		end_flight(r, 0, answer, malicious, undetected);
}

static int64_t step(struct rig *r)
{
	return vtm_sched_step(r->sched);
}

/* Passes <ms>, stepping whenever the scheduler wants to. */
static void pass(struct rig *r, int64_t ms)
{
	int64_t end = r->clock.boot + ms;

	while (r->clock.boot < end) {
		int64_t next = CLAMP(step(r), r->clock.boot + 1, end);

		vtm_clock_manual_advance(&r->clock, next - r->clock.boot);
	}
	step(r);
}

/* Gets the server's own count out of the way. */
static void begin(struct rig *r)
{
	step(r);
	end_all(r, VTM_ANSWER_FAILED, 0, 0);
	step(r);
}

static struct vtm_lookup *lookup(const char *prefix, unsigned n, enum vtm_class class)
{
	char *name = g_strdup_printf("http://%s%u.example/", prefix, n), hex[VTM_SHA256_HEX];
	bool file = class == VTM_CLASS_RISKY || class == VTM_CLASS_OTHER;
	uint8_t digest[VTM_SHA256_LEN];
	struct vtm_lookup *l;

	vtm_sha256(name, strlen(name), digest);
	vtm_hex(digest, hex);
	l = vtm_lookup_new(file ? VTM_LOOKUP_FILE : VTM_LOOKUP_URL, file ? hex : name);
	g_free(name);
	return l;
}

/* A ticket for <n> look-ups prefix<from>.. of <class>. */
struct mail {
	struct vtm_ticket ticket;
	unsigned released;
};

static struct mail *mail_new(const struct rig *r, const char *prefix, unsigned from, unsigned n, enum vtm_class class,
			     int64_t timeout_ms)
{
	struct mail *m = g_new0(struct mail, 1);

	m->ticket.owner = &m->released;
	m->ticket.n = n;
	m->ticket.max_lookups = 10;
	m->ticket.wants = g_new0(struct vtm_want, n);
	m->ticket.deadline_ms = r->clock.boot + timeout_ms;
	for (unsigned i = 0; i < n; i++) {
		m->ticket.wants[i].lookup = lookup(prefix, from + i, class);
		m->ticket.wants[i].class = class;
	}
	return m;
}

/* One that is there, and what the scheduler does about it at once. */
static struct mail *mail_comes(struct rig *r, const char *prefix, unsigned from, unsigned n, enum vtm_class class,
			       int64_t timeout_ms)
{
	struct mail *m = mail_new(r, prefix, from, n, class, timeout_ms);

	vtm_sched_add(r->sched, &m->ticket);
	step(r);
	return m;
}

static void mail_free(struct mail *m)
{
	for (unsigned i = 0; i < m->ticket.n; i++)
		vtm_lookup_free(m->ticket.wants[i].lookup);
	g_free(m->ticket.wants);
	g_free(m->ticket.client_net);
	g_free(m->ticket.sender_domain);
	g_free(m);
}

static enum vtm_verdict verdict(const struct mail *m, unsigned i)
{
	return m->ticket.wants[i].report.verdict;
}

static enum vtm_reason why(const struct mail *m, unsigned i)
{
	return m->ticket.wants[i].report.reason;
}

/* ---- cases ------------------------------------------------------------------------------------ */

static void answers(void)
{
	struct rig r;
	struct mail *m, *again, *copy;

	rig_init(&r);
	begin(&r);
	m = mail_new(&r, "a", 0, 3, VTM_CLASS_RISKY, 120000);
	copy = mail_new(&r, "a", 0, 1, VTM_CLASS_RISKY, 120000);
	vtm_sched_add(r.sched, &m->ticket);
	vtm_sched_add(r.sched, &copy->ticket);
	ok(!m->released && !copy->released, "both messages wait");
	step(&r);
	is_int(r.flights->len, 3, "three requests for four wants: the same look-up is asked once");
	vtm_clock_manual_advance(&r.clock, 300);
	end_flight(&r, 0, VTM_ANSWER_REPORT, 40, 20);
	is_int(copy->released, 1, "the copy is released by its only answer");
	is_str(vtm_verdict_name(verdict(copy, 0)), "bad", "and has it");
	is_int(m->released, 0, "the other still waits");
	end_flight(&r, 0, VTM_ANSWER_REPORT, 0, 60);
	end_flight(&r, 0, VTM_ANSWER_NOT_FOUND, 0, 0);
	is_int(m->released, 1, "until the last");
	is_str(vtm_verdict_name(verdict(m, 1)), "clean", "a report without detections is clean");
	is_str(vtm_verdict_name(verdict(m, 2)), "unknown", "404 is unknown");
	again = mail_new(&r, "a", 0, 3, VTM_CLASS_RISKY, 120000);
	vtm_sched_add(r.sched, &again->ticket);
	ok(again->released == 1 && again->ticket.wants[0].cached, "a second message is answered by the cache");
	step(&r);
	is_int(r.flights->len, 0, "and nothing is asked");
	is_int(r.answers, 3, "three answers were told");
	mail_free(m);
	mail_free(copy);
	mail_free(again);
	rig_clear(&r);
}

static void admission(void)
{
	struct rig r;
	struct mail *first, *second, *late, *none;

	rig_init(&r);
	begin(&r);
	none = mail_new(&r, "n", 0, 4, VTM_CLASS_URL_FIRST, 0);
	vtm_sched_add(r.sched, &none->ticket);
	is_int(none->released, 1, "Timeout 0 waits for nothing");
	is_str(vtm_verdict_name(verdict(none, 0)), "pending", "its items are pending");
	step(&r);
	is_int(r.flights->len, 4, "and asked all the same");
	first = mail_new(&r, "f", 0, 4, VTM_CLASS_URL_FIRST, 2000);
	vtm_sched_add(r.sched, &first->ticket);
	is_int(first->released, 1, "with the window full and 2 s there is nothing to wait for");
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	second = mail_new(&r, "s", 0, 1, VTM_CLASS_RISKY, 120000);
	vtm_sched_add(r.sched, &second->ticket);
	is_int(second->released, 0, "with 120 s there is");
	step(&r);
	is_int(r.flights->len, 0, "but not before the window lets it");
	pass(&r, VTM_WINDOW_MS + 1000);
	ok(r.flights->len > 0, "then it is asked");
	is_int(g_array_index(r.flights, struct flight, 0).key.kind, VTM_LOOKUP_FILE, "the attachment before the urls");
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	is_int(second->released, 1, "and answered in time");
	late = mail_new(&r, "l", 0, 1, VTM_CLASS_RISKY, 1000);
	vtm_sched_add(r.sched, &late->ticket);
	is_int(late->released, 1, "1 s is too short when the window is full");
	mail_free(none);
	mail_free(first);
	mail_free(second);
	mail_free(late);
	rig_clear(&r);
}

/* Four places: one network has all of them until another wants some, and then half. */
static void places(void)
{
	struct mail *m[8];
	unsigned waiting = 0;
	struct rig r;

	rig_init(&r);
	r.set.max_waiting = 4;
	vtm_sched_configure(r.sched, &r.set);
	begin(&r);
	for (unsigned i = 0; i < 8; i++) {
		m[i] = mail_new(&r, "p", i, 1, VTM_CLASS_RISKY, 120000 + i);
		m[i]->ticket.client_net = g_strdup(i < 5 ? "192.0.2.0/24" : "198.51.100.0/24");
		vtm_sched_add(r.sched, &m[i]->ticket);
		if (i == 4)
			ok(!m[0]->released && !m[3]->released && m[4]->released, "one network alone takes all places");
	}
	for (unsigned i = 0; i < 8; i++)
		waiting += !m[i]->released;
	ok(!m[0]->released && !m[1]->released && m[2]->released && m[3]->released,
	   "another network gets half of them: those that would wait longest go");
	ok(!m[5]->released && !m[6]->released && m[7]->released && waiting == 4, "and no more than half");
	ok(verdict(m[3], 0) == VTM_PENDING && why(m[3], 0) == VTM_WHY_TIME, "what went is pending");
	for (unsigned i = 0; i < 8; i++)
		vtm_sched_cancel(r.sched, &m[i]->ticket);
	for (unsigned i = 0; i < 8; i++)
		mail_free(m[i]);
	rig_clear(&r);
}

/* The hold of a message ends when more urgent look-ups push its own past the deadline. */
static void pushed_out(void)
{
	struct rig r;
	struct mail *url, *urgent[3];

	rig_init(&r);
	begin(&r);
	urgent[0] = mail_comes(&r, "x", 0, 4, VTM_CLASS_RISKY, 0);
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	url = mail_comes(&r, "u", 0, 1, VTM_CLASS_URL_FIRST, 90000);
	is_int(url->released, 0, "a url waits for the next window");
	urgent[1] = mail_comes(&r, "y", 0, 4, VTM_CLASS_RISKY, 0);
	is_int(url->released, 1, "four risky attachments come before it: released at once");
	is_str(vtm_verdict_name(verdict(url, 0)), "pending", "still to be asked");
	mail_free(url);
	mail_free(urgent[0]);
	mail_free(urgent[1]);
	rig_clear(&r);
}

static void deadline(void)
{
	struct rig r;
	struct mail *m;

	rig_init(&r);
	begin(&r);
	m = mail_new(&r, "a", 0, 1, VTM_CLASS_RISKY, 5000);
	vtm_sched_add(r.sched, &m->ticket);
	pass(&r, 4999);
	is_int(m->released, 0, "waits to its deadline");
	pass(&r, 1);
	is_int(m->released, 1, "and not a millisecond longer");
	ok(verdict(m, 0) == VTM_PENDING && why(m, 0) == VTM_WHY_TIME, "pending, because of time");
	end_all(&r, VTM_ANSWER_REPORT, 9, 0);
	is_int(r.answers, 1, "the late answer is told");
	is_int(m->released, 1, "and releases nobody twice");
	mail_free(m);
	rig_clear(&r);
}

static void failures(void)
{
	struct rig r;
	struct mail *m, *n;

	rig_init(&r);
	begin(&r);
	m = mail_comes(&r, "a", 0, 1, VTM_CLASS_RISKY, 120000);
	end_all(&r, VTM_ANSWER_DENIED, 0, 0);
	step(&r);
	is_int(m->released, 1, "a refused key releases at once");
	ok(verdict(m, 0) != VTM_CLEAN && why(m, 0) == VTM_WHY_DENIED, "and says why");
	n = mail_new(&r, "b", 0, 1, VTM_CLASS_RISKY, 120000);
	vtm_sched_add(r.sched, &n->ticket);
	is_int(n->released, 1, "the next one does not wait at all");
	step(&r);
	is_int(r.flights->len, 0, "nothing is sent");
	pass(&r, VTM_BREAKER_DENIED_MS);
	is_int(r.flights->len, 1, "after a while one probe is");
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	pass(&r, 1000);
	is_int(r.flights->len, 1, "and when it is answered the rest follows");
	end_all(&r, VTM_ANSWER_QUOTA, 0, 0);
	pass(&r, 1);
	end_all(&r, VTM_ANSWER_FAILED, 0, 0);
	pass(&r, VTM_BREAKER_QUOTA_MS - 5000);
	is_int(r.flights->len, 0, "429 stops everything for a minute");
	mail_free(m);
	mail_free(n);
	rig_clear(&r);
}

static void store_gone(void)
{
	struct rig r;
	struct mail *m;

	rig_init(&r);
	begin(&r);
	vtm_sched_set_store(r.sched, NULL);
	m = mail_new(&r, "a", 0, 1, VTM_CLASS_RISKY, 120000);
	vtm_sched_add(r.sched, &m->ticket);
	ok(m->released == 1 && verdict(m, 0) == VTM_BYPASSED && why(m, 0) == VTM_WHY_STORE,
	   "without a store nothing is asked and mail flows");
	pass(&r, 60000);
	is_int(r.sent->len, 0, "no request without a budget");
	vtm_sched_set_store(r.sched, r.store);
	mail_free(m);
	rig_clear(&r);
}

static void remove_store(const struct rig *r)
{
	char *file = g_strconcat(r->dir, "/s.db", NULL);

	remove(file);
	g_free(file);
}

/* The store's file is moved away, and a new one made. */
static void lose_store(struct rig *r)
{
	struct vtm_store_settings ss = { .clock = &r->clock.clock, .host = "test" };

	vtm_sched_set_store(r->sched, NULL);
	vtm_store_close(r->store);
	remove_store(r);
	r->store = vtm_store_open(r->uri, &ss, NULL);
	vtm_sched_set_store(r->sched, r->store);
}

/* The minute that it knew of is not spent again. */
static void store_lost(void)
{
	struct rig r;
	struct mail *m, *n;

	rig_init(&r);
	begin(&r);
	m = mail_comes(&r, "a", 0, 4, VTM_CLASS_RISKY, 120000);
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	is_int(r.sent->len, 4, "a minute's requests are spent");
	lose_store(&r);
	n = mail_new(&r, "b", 0, 4, VTM_CLASS_RISKY, 120000);
	vtm_sched_add(r.sched, &n->ticket);
	pass(&r, 59000);
	is_int(r.sent->len, 4, "a new store does not make them be spent again");
	pass(&r, VTM_SLOT_MAX_MS);
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	pass(&r, 1000);
	is_int(r.sent->len, 8, "after the minute it goes on");
	mail_free(m);
	mail_free(n);
	rig_clear(&r);
}

static void store_lost_without_a_minute(void)
{
	struct rig r;
	struct mail *m, *n;

	rig_init(&r);
	r.set.limits.per_minute = vtm_limit_configured(0);
	vtm_sched_configure(r.sched, &r.set);
	begin(&r);
	m = mail_comes(&r, "a", 0, 4, VTM_CLASS_RISKY, 120000);
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	lose_store(&r);
	n = mail_comes(&r, "b", 0, 4, VTM_CLASS_RISKY, 120000);
	is_int(r.sent->len, 8, "where a minute has no limit, a new store holds nothing up");
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	mail_free(m);
	mail_free(n);
	rig_clear(&r);
}

/* The scheduler that knew of the minute is gone as well. */
static void store_lost_while_down(void)
{
	struct rig r;
	struct mail *m;

	rig_init(&r);
	begin(&r);
	m = mail_comes(&r, "a", 0, 4, VTM_CLASS_RISKY, 120000);
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	mail_free(m);
	close_rig(&r);
	remove_store(&r);
	vtm_clock_manual_advance(&r.clock, 2000);
	r.counted = -1;
	open_rig(&r);
	m = mail_comes(&r, "b", 0, 4, VTM_CLASS_RISKY, 20000);
	end_all(&r, VTM_ANSWER_FAILED, 0, 0);
	pass(&r, 59000);
	is_int(r.sent->len, 4, "nothing is asked while VirusTotal does not say what was spent");
	ok(m->released == 1 && verdict(m, 0) == VTM_PENDING, "mail does not wait for it");
	pass(&r, 2000);
	is_int(r.flights->len, 1, "it is asked for that every minute");
	r.counted = 4;
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	pass(&r, VTM_SLOT_MAX_MS - 1000);
	is_int(r.sent->len, 4, "then the minute is full, as it may have been");
	pass(&r, 2000);
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	pass(&r, 2000);
	is_int(r.sent->len, 8, "after that it goes on");
	mail_free(m);
	rig_clear(&r);
}

/* One that knows, but of fewer requests: only those are taken from its minute. */
static void store_knows_less(void)
{
	struct vtm_store_settings ss = { 0 };
	struct vtm_store *old, *other;
	struct mail *m, *n;
	struct rig r;
	char *uri;

	rig_init(&r);
	begin(&r);
	m = mail_comes(&r, "a", 0, 3, VTM_CLASS_RISKY, 120000);
	uri = g_strdup_printf("sqlite:%s/t.db", r.dir);
	ss.clock = &r.clock.clock;
	old = r.store;
	other = vtm_store_open(uri, &ss, NULL);
	vtm_store_budget_raise(other, 0, 0, NULL);
	vtm_sched_set_store(r.sched, other);
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	n = mail_new(&r, "b", 0, 4, VTM_CLASS_RISKY, 120000);
	vtm_sched_add(r.sched, &n->ticket);
	pass(&r, 59000);
	is_int(r.sent->len, 4, "another store lacks three of the minute's four: one goes out");
	pass(&r, VTM_SLOT_MAX_MS);
	is_int(r.sent->len, 7, "the others after their minute");
	mail_free(m);
	mail_free(n);
	vtm_sched_set_store(r.sched, old);
	vtm_store_close(other);
	remove(uri + strlen("sqlite:"));
	g_free(uri);
	rig_clear(&r);
}

static void caps(void)
{
	struct rig r;
	struct mail *m;

	rig_init(&r);
	begin(&r);
	m = mail_new(&r, "a", 0, 12, VTM_CLASS_URL_FIRST, 0);
	vtm_sched_add(r.sched, &m->ticket);
	ok(verdict(m, 9) == VTM_PENDING && verdict(m, 10) == VTM_BYPASSED && why(m, 10) == VTM_WHY_CAP,
	   "ten look-ups of a message, the eleventh is capped");
	mail_free(m);
	rig_clear(&r);
}

/* One url of <network> and <domain>. */
static struct mail *mail_from(struct rig *r, unsigned n, const char *network, const char *domain, bool authenticated)
{
	struct mail *m = mail_new(r, "f", n, 1, VTM_CLASS_URL_FIRST, 0);

	m->ticket.client_net = g_strdup(network);
	m->ticket.sender_domain = g_strdup(domain);
	m->ticket.features.authenticated = authenticated;
	vtm_sched_add(r->sched, &m->ticket);
	return m;
}

/* Is the url of mail_from(<n>) asked? */
static bool was_asked(struct rig *r, unsigned n)
{
	struct vtm_lookup *l = lookup("f", n, VTM_CLASS_URL_FIRST);
	bool asked = g_hash_table_contains(r->asked, &l->key);

	vtm_lookup_free(l);
	return asked;
}

/* SenderShare: look-ups beyond it go behind all others, and are never refused. */
static void shares(void)
{
	struct mail *m[8];
	struct rig r;

	rig_init(&r);
	r.set.limits.per_day = vtm_limit_of(299);
	r.set.limits.per_minute = vtm_limit_of(3);
	r.set.share_percent = 1;	/* 2 of 299 */
	vtm_sched_configure(r.sched, &r.set);
	begin(&r);
	m[0] = mail_from(&r, 0, "192.0.2.0/24", "a.example", false);
	m[1] = mail_from(&r, 1, "192.0.2.0/24", "a.example", true);
	step(&r);
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	m[2] = mail_from(&r, 2, "192.0.2.0/24", "b.example", false);
	m[3] = mail_from(&r, 3, "198.51.100.0/24", "b.example", false);
	ok(verdict(m[2], 0) == VTM_PENDING, "share: a look-up beyond it is queued, not refused");
	step(&r);
	ok(was_asked(&r, 3) && !was_asked(&r, 2), "share: one of another network goes first, though it came later");
	pass(&r, 61000);
	ok(was_asked(&r, 2), "share: the other is asked while requests are left");
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	pass(&r, 61000);
	m[4] = mail_from(&r, 4, NULL, "a.example", true);
	step(&r);
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	m[5] = mail_from(&r, 5, NULL, "a.example", true);
	m[6] = mail_from(&r, 6, NULL, "a.example", false);
	m[7] = mail_from(&r, 7, NULL, "c.example", true);
	step(&r);
	ok(was_asked(&r, 6) && was_asked(&r, 7) && !was_asked(&r, 5),
	   "share: a domain is charged where it is authenticated, and nowhere else");
	for (unsigned i = 0; i < G_N_ELEMENTS(m); i++)
		mail_free(m[i]);
	rig_clear(&r);
}

/* A day that is used up ends: requests go on seconds after midnight, not when something else happens. */
static void midnight(void)
{
	struct mail *m;
	struct rig r;

	rig_init(&r);
	r.set.limits.per_minute = vtm_limit_configured(0);
	r.set.limits.per_day = vtm_limit_of(30);
	r.set.limits.reserve_attachments = 0;
	vtm_sched_configure(r.sched, &r.set);
	begin(&r);
	m = mail_comes(&r, "a", 0, 10, VTM_CLASS_RISKY, 0);
	for (int i = 0; i < 4; i++) {
		end_all(&r, VTM_ANSWER_REPORT, 0, 9);
		step(&r);
	}
	mail_free(m);
	m = mail_comes(&r, "b", 0, 2, VTM_CLASS_RISKY, 0);
	is_int(r.sent->len, 10, "midnight: the day is used up");
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	pass(&r, 12 * 3600 * 1000 - (r.clock.utc - START_UTC) + 500);
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	pass(&r, 10000);
	is_int(r.sent->len, 12, "midnight: ten seconds later the rest is sent");
	mail_free(m);
	rig_clear(&r);
}

/* VirusTotal's limits beside ours, of 5 a day and 6 a month: the tighter one holds, and 0 is none left. */
static void server_limits(void)
{
	static const struct { int64_t day, month; unsigned sent; } rows[] = {
		{ -1, -1, 5 }, { 0, -1, 0 }, { -1, 0, 0 }, { 0, 0, 0 }, { 1, -1, 1 }, { 4, -1, 4 }, { 5, -1, 5 }, { 6, -1, 5 },
		{ -1, 4, 4 }, { -1, 5, 5 }, { -1, 7, 5 }, { G_MAXINT64, G_MAXINT64, 5 }, { INT64_C(1) << 32, -1, 5 },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct mail *m;
		struct rig r;

		rig_init(&r);
		r.set.limits = (struct vtm_budget_limits){ VTM_NO_LIMIT, VTM_LIMIT(5), VTM_LIMIT(6), 0, 0 };
		r.counted = 0;
		r.allowed_day = rows[i].day;
		r.allowed_month = rows[i].month;
		vtm_sched_configure(r.sched, &r.set);
		begin(&r);
		m = mail_comes(&r, "a", 0, 9, VTM_CLASS_RISKY, 0);
		end_all(&r, VTM_ANSWER_REPORT, 0, 9);
		pass(&r, 10000);
		is_int(r.sent->len, rows[i].sent, "5 a day here, %" G_GINT64_FORMAT " a day and %" G_GINT64_FORMAT
		       " a month at VirusTotal: requests", rows[i].day, rows[i].month);
		mail_free(m);
		rig_clear(&r);
	}
}

/* Where we have no limit, VirusTotal's is the limit. */
static void server_limits_alone(void)
{
	struct mail *m;
	struct rig r;

	rig_init(&r);
	r.set.limits = (struct vtm_budget_limits){ VTM_NO_LIMIT, VTM_NO_LIMIT, VTM_NO_LIMIT, 0, 0 };
	r.counted = r.allowed_day = 0;
	vtm_sched_configure(r.sched, &r.set);
	begin(&r);
	m = mail_comes(&r, "a", 0, 3, VTM_CLASS_RISKY, 0);
	is_int(r.sent->len, 0, "no limit here and none left at VirusTotal: nothing is sent");
	ok(why(m, 0) == VTM_WHY_TIME || why(m, 0) == VTM_WHY_BUDGET, "and nobody waits for it");
	mail_free(m);
	rig_clear(&r);
}

/* A wait is worth it only if the answer fits in: 600 ms and twice 200 at first. */
static void answer_time(void)
{
	struct mail *m[2];
	struct rig r;

	rig_init(&r);
	begin(&r);
	m[0] = mail_comes(&r, "a", 0, 1, VTM_CLASS_RISKY, 999);
	is_int(m[0]->released, 1, "with less time than an answer takes no message waits");
	is_int(why(m[0], 0), VTM_WHY_TIME, "for want of time");
	m[1] = mail_new(&r, "b", 0, 1, VTM_CLASS_RISKY, 1000);
	vtm_sched_add(r.sched, &m[1]->ticket);
	is_int(m[1]->released, 0, "with as much as it takes it waits");
	for (int i = 0; i < 2; i++) {
		vtm_sched_cancel(r.sched, &m[i]->ticket);
		mail_free(m[i]);
	}
	rig_clear(&r);
}

/* MaxWaiting: one fewer waits, as many wait, one more does not. */
static void max_waiting(void)
{
	enum { MOST = 3 };
	struct mail *m[MOST + 1];
	struct vtm_sched_stats stats;
	struct rig r;

	rig_init(&r);
	r.set.max_waiting = MOST;
	r.set.limits.per_minute = vtm_limit_configured(0);
	vtm_sched_configure(r.sched, &r.set);
	begin(&r);
	for (unsigned i = 0; i <= MOST; i++) {
		m[i] = mail_new(&r, "w", i, 1, VTM_CLASS_RISKY, 60000);
		vtm_sched_add(r.sched, &m[i]->ticket);
		is_int(m[i]->released, i == MOST, "MaxWaiting %d: message %u %s", MOST, i + 1, i < MOST ? "waits" : "does not");
	}
	vtm_sched_stats(r.sched, &stats);
	is_int(stats.waiting, MOST, "as many wait as may");
	is_int(verdict(m[MOST], 0), VTM_PENDING, "what the other wants is asked all the same");
	vtm_sched_cancel(r.sched, &m[0]->ticket);
	mail_free(m[MOST]);
	m[MOST] = mail_new(&r, "w", MOST + 1, 1, VTM_CLASS_RISKY, 60000);
	vtm_sched_add(r.sched, &m[MOST]->ticket);
	is_int(m[MOST]->released, 0, "a place that became free is taken");
	vtm_sched_release_all(r.sched);
	for (unsigned i = 0; i <= MOST; i++)
		mail_free(m[i]);
	rig_clear(&r);
}

static void full_queue(void)
{
	struct rig r;
	struct mail *m[3];
	struct vtm_sched_stats stats;

	rig_init(&r);
	r.set.max_queue = 10;
	vtm_sched_configure(r.sched, &r.set);
	m[0] = mail_new(&r, "u", 0, 10, VTM_CLASS_URL_MORE, 0);
	m[1] = mail_new(&r, "v", 0, 1, VTM_CLASS_OTHER, 0);
	m[2] = mail_new(&r, "r", 0, 2, VTM_CLASS_RISKY, 0);
	vtm_sched_add(r.sched, &m[0]->ticket);
	vtm_sched_add(r.sched, &m[1]->ticket);
	ok(verdict(m[1], 0) == VTM_BYPASSED && why(m[1], 0) == VTM_WHY_QUEUE, "a full queue takes nothing less urgent");
	vtm_sched_add(r.sched, &m[2]->ticket);
	is_str(vtm_verdict_name(verdict(m[2], 1)), "pending", "but what is more urgent");
	vtm_sched_stats(r.sched, &stats);
	is_int(stats.queued[VTM_CLASS_URL_MORE] + stats.queued[VTM_CLASS_RISKY], 10, "and stays at its bound");
	is_int((gint64)stats.dropped, 3, "what was dropped is counted");
	for (int i = 0; i < 3; i++)
		mail_free(m[i]);
	rig_clear(&r);
}

static void restart(void)
{
	struct rig r;
	struct mail *m;

	rig_init(&r);
	begin(&r);
	m = mail_comes(&r, "a", 0, 6, VTM_CLASS_RISKY, 0);
	is_int(r.flights->len, 4, "four of six are in flight");
	close_rig(&r);
	open_rig(&r);
	begin(&r);
	is_int(r.flights->len, 0, "after a restart the window is still full");
	pass(&r, VTM_SLOT_MAX_MS + 2000);
	is_int(r.flights->len, 4, "and then the queue goes on where it was");
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	pass(&r, VTM_WINDOW_MS + 2000);
	end_all(&r, VTM_ANSWER_REPORT, 0, 9);
	is_int(r.answers, 6, "to the end");
	mail_free(m);
	rig_clear(&r);
}

/* A person asks for what mail has queued, and mail for what a person has: mail's look-up outlives a restart. */
static void restart_while_asked_by_hand(void)
{
	struct vtm_sched_stats stats;
	struct mail *m[4];
	struct rig r;

	rig_init(&r);
	begin(&r);
	m[0] = mail_comes(&r, "x", 0, 4, VTM_CLASS_RISKY, 0);
	m[1] = mail_new(&r, "a", 0, 1, VTM_CLASS_URL_FIRST, 0);
	m[2] = mail_new(&r, "a", 0, 2, VTM_CLASS_URL_FIRST, 0);
	m[2]->ticket.wants[0].class = m[2]->ticket.wants[1].class = VTM_CLASS_MANUAL;
	m[3] = mail_new(&r, "a", 0, 2, VTM_CLASS_URL_MORE, 0);
	for (int i = 1; i < 4; i++)
		vtm_sched_add(r.sched, &m[i]->ticket);
	vtm_sched_stats(r.sched, &stats);
	is_int(stats.queued[VTM_CLASS_MANUAL], 2, "two look-ups are in the class of people");
	close_rig(&r);
	open_rig(&r);
	vtm_sched_stats(r.sched, &stats);
	is_int(stats.queued[VTM_CLASS_URL_FIRST], 1, "after a restart one is queued in the more urgent class that mail gave it");
	is_int(stats.queued[VTM_CLASS_URL_MORE], 1, "and one in the class that mail gave it after a person had asked");
	is_int(stats.queued[VTM_CLASS_MANUAL], 0, "none in the class of people");
	for (int i = 0; i < 4; i++)
		mail_free(m[i]);
	rig_clear(&r);
}

static void reask(void)
{
	struct rig r;
	struct mail *m;

	rig_init(&r);
	r.set.reask_unknown = true;
	vtm_sched_configure(r.sched, &r.set);
	begin(&r);
	m = mail_comes(&r, "a", 0, 1, VTM_CLASS_RISKY, 120000);
	end_all(&r, VTM_ANSWER_NOT_FOUND, 0, 0);
	pass(&r, 3590 * 1000);
	end_all(&r, VTM_ANSWER_FAILED, 0, 0);	/* the hourly count, if any */
	is_int(r.sent->len, 1, "an unknown attachment is left alone for an hour");
	pass(&r, 15 * 1000);
	is_int(r.sent->len, 2, "then asked again");
	while (r.flights->len)
		end_flight(&r, 0, VTM_ANSWER_REPORT, 30, 0);
	is_int(r.answers, 2, "and found to be bad");
	mail_free(m);
	rig_clear(&r);
}

/* Ends a flight in one of the ways there are, good ones more often. */
static void end_somehow(struct rig *r, guint flight, GRand *rand)
{
	static const struct {
		enum vtm_answer answer;
		uint32_t malicious, undetected;
	} ends[] = {
		{ VTM_ANSWER_REPORT, 0, 9 }, { VTM_ANSWER_REPORT, 0, 9 }, { VTM_ANSWER_REPORT, 0, 9 },
		{ VTM_ANSWER_REPORT, 0, 9 }, { VTM_ANSWER_REPORT, 0, 9 }, { VTM_ANSWER_REPORT, 7, 9 },
		{ VTM_ANSWER_REPORT, 7, 9 }, { VTM_ANSWER_REPORT, 7, 9 }, { VTM_ANSWER_NOT_FOUND, 0, 0 },
		{ VTM_ANSWER_NOT_FOUND, 0, 0 }, { VTM_ANSWER_FAILED, 0, 0 }, { VTM_ANSWER_QUOTA, 0, 0 },
		{ VTM_ANSWER_REJECTED, 0, 0 },
	};
	guint end = (guint)g_rand_int_range(rand, 0, G_N_ELEMENTS(ends));

	end_flight(r, flight, ends[end].answer, ends[end].malicious, ends[end].undetected);
}

/* Lets time pass; no request lasts longer than a transport lets it. */
static void pass_some(struct rig *r, int64_t ms, GRand *rand)
{
	while (ms > 0) {
		int64_t bite = MIN(ms, 5000);

		pass(r, bite);
		ms -= bite;
		while (r->flights->len &&
		       r->clock.boot - g_array_index(r->flights, struct flight, 0).sent_ms > VTM_REQUEST_MAX_MS - 6000)
			end_somehow(r, 0, rand);
	}
}

/* The most requests in any window, and in a UTC day of the true time, which no jump of the wall clock changes. */
static void most_sent(const struct rig *r, int64_t boot0, unsigned *window_r, unsigned *day_r)
{
	unsigned in_day = 0;
	int64_t day = -1;

	*window_r = *day_r = 0;
	for (guint i = 0; i < r->sent->len; i++) {
		int64_t at = g_array_index(r->sent, int64_t, i), today = (START_UTC + at - boot0) / 86400000;
		unsigned in_window = 1;

		for (guint k = i; k > 0 && at - g_array_index(r->sent, int64_t, k - 1) < VTM_WINDOW_MS; k--)
			in_window++;
		in_day = today == day ? in_day + 1 : 1;
		day = today;
		*window_r = MAX(*window_r, in_window);
		*day_r = MAX(*day_r, in_day);
	}
}

static void check_mails(const struct rig *r, GPtrArray *mails, guint32 seed)
{
	unsigned unreleased = 0, twice = 0, unfounded = 0, clean = 0;

	for (guint i = 0; i < mails->len; i++) {
		const struct mail *m = mails->pdata[i];

		unreleased += m->released == 0;
		twice += m->released > 1;
		for (unsigned w = 0; w < m->ticket.n; w++)
			if (verdict(m, w) == VTM_CLEAN) {
				clean++;
				unfounded += !g_hash_table_contains(r->harmless, &m->ticket.wants[w].lookup->key);
			}
	}
	is_int(unreleased, 0, "seed %u: everyone is released", seed);
	is_int(twice, 0, "seed %u: and once", seed);
	is_int(unfounded, 0, "seed %u: nothing is clean that VirusTotal did not call so", seed);
	ok(clean > 20, "seed %u: and much is (%u)", seed, clean);
}

/* Random mail, answers, failures, restarts, sleeps and clock jumps, for two days and more. */
static void property(guint32 seed)
{
	struct rig r;
	GRand *rand = g_rand_new_with_seed(seed);
	GPtrArray *mails = g_ptr_array_new();
	unsigned window, day;
	int64_t boot0;

	rig_init(&r);
	boot0 = r.clock.boot;
	r.set.limits.per_day = vtm_limit_configured(60);
	r.set.limits.per_month = vtm_limit_configured(100);
	r.set.limits.reserve_attachments = 10;
	r.set.limits.reserve_manual = 5;
	r.set.ttl_clean_ms = 30 * (int64_t)86400000;
	vtm_sched_configure(r.sched, &r.set);
	for (int i = 0; i < 2500; i++) {
		unsigned dice = (unsigned)g_rand_int_range(rand, 0, 1000);

		if (dice < 300) {
			struct mail *m = mail_new(&r, "p", (unsigned)g_rand_int_range(rand, 0, 60),
						  (unsigned)g_rand_int_range(rand, 1, 6),
						  (enum vtm_class)g_rand_int_range(rand, 0, 4),
						  g_rand_int_range(rand, 0, 150) * 1000);

			g_ptr_array_add(mails, m);
			vtm_sched_add(r.sched, &m->ticket);
		} else if (dice < 600) {
			if (r.flights->len)
				end_somehow(&r, (guint)g_rand_int_range(rand, 0, (gint32)r.flights->len), rand);
		} else if (dice < 620) {
			r.clock.utc += (g_rand_int_range(rand, 0, 2) ? 1 : -1) * (int64_t)86400000;
		} else if (dice < 630) {
			close_rig(&r);
			open_rig(&r);
		} else if (dice < 640) {
			pass_some(&r, g_rand_int_range(rand, 1, 10) * (int64_t)3600000, rand);
		} else {
			pass_some(&r, g_rand_int_range(rand, 1, 10000), rand);
		}
		step(&r);
	}
	most_sent(&r, boot0, &window, &day);
	ok(window <= 4, "seed %u: never more than 4 in 60 s (%u)", seed, window);
	ok(day <= 60 && day > 10, "seed %u: nor than 60 a day (%u)", seed, day);
	ok(r.sent->len <= 100 && r.sent->len > day, "seed %u: nor than 100 a month (%u)", seed, r.sent->len);
	ok((START_UTC + r.clock.boot - boot0) / 86400000 > START_UTC / 86400000, "seed %u: over more than a day", seed);
	is_int(r.asked_fresh, 0, "seed %u: nothing is asked twice while its answer is fresh", seed);
	vtm_sched_release_all(r.sched);
	check_mails(&r, mails, seed);
	for (guint i = 0; i < mails->len; i++)
		mail_free(mails->pdata[i]);
	g_ptr_array_free(mails, TRUE);
	g_rand_free(rand);
	rig_clear(&r);
}

/* Look-ups in flight. */
static int asking(const struct rig *r)
{
	int n = 0;

	for (guint i = 0; i < r->flights->len; i++)
		n += g_array_index(r->flights, struct flight, i).op == VTM_OP_LOOKUP;
	return n;
}

/* A mailbox that is scanned by hand: after mail, half of the minute, as the day passes, never stored. */
static void bulk(void)
{
	struct rig r;
	struct mail *m, *late;

	rig_init(&r);
	/* mail's urls may use 8: 4 by noon */
	r.set.limits = (struct vtm_budget_limits){ VTM_LIMIT(4), VTM_LIMIT(20), VTM_LIMIT(15500), 2, 10 };
	vtm_sched_configure(r.sched, &r.set);
	begin(&r);
	m = mail_comes(&r, "bulk", 0, 10, VTM_CLASS_BULK, 0);
	is_int(asking(&r), 2, "bulk takes half of a minute's requests");
	end_all(&r, VTM_ANSWER_REPORT, 0, 60);
	late = mail_comes(&r, "late", 100, 3, VTM_CLASS_URL_FIRST, 120000);
	is_int(asking(&r), 2, "mail finds the other half at once");
	end_all(&r, VTM_ANSWER_REPORT, 0, 60);
	pass(&r, 61000);
	is_int(asking(&r), 1, "and goes before bulk, which by noon has half of what the day would lose");
	end_all(&r, VTM_ANSWER_REPORT, 0, 60);
	is_int(late->released, 1, "the mail is answered");
	pass(&r, 3600000);
	is_int(asking(&r), 0, "the rest of the day is mail's");
	close_rig(&r);
	open_rig(&r);
	begin(&r);
	pass(&r, 10 * 3600000);
	is_int(asking(&r), 0, "bulk is not kept in the store");
	vtm_sched_add(r.sched, &m->ticket);
	step(&r);
	is_int(asking(&r), 2, "what has become due meanwhile is spent");
	mail_free(m);
	mail_free(late);
	rig_clear(&r);
}

/* The one flight of <op>; its index, or -1. */
static int flight_of(const struct rig *r, enum vtm_op op)
{
	for (guint i = 0; i < r->flights->len; i++)
		if (g_array_index(r->flights, struct flight, i).op == op)
			return (int)i;
	return -1;
}

/* Ends the flight of <op> with <answer> and the analysis "u-1". */
static void end_op(struct rig *r, enum vtm_op op, enum vtm_answer answer, uint32_t undetected)
{
	int i = flight_of(r, op);
	char id[] = "u-1";

	if (!ok(i >= 0, "operation %d is in flight", (int)op))
		return;
	struct flight f = g_array_index(r->flights, struct flight, i);
	struct vtm_result result = { .tag = f.tag, .answer = answer, .retry_after_ms = -1, .took_ms = 100,
				     .analysis = answer == VTM_ANSWER_SUBMITTED ? id : NULL };

	g_array_remove_index(r->flights, (guint)i);
	result.report.undetected = undetected;
	vtm_sched_result(r->sched, &result);
}

/* SubmitUnknownURLs: submitted once, polled with growing pauses inside the budget, clean only when the analysis says
 * so. */
static void submission(void)
{
	struct rig r;
	struct mail *m, *private;
	unsigned sent;

	rig_init(&r);
	begin(&r);
	private = mail_comes(&r, "private", 0, 1, VTM_CLASS_URL_FIRST, 120000);
	end_op(&r, VTM_OP_LOOKUP, VTM_ANSWER_NOT_FOUND, 0);
	step(&r);
	is_int(flight_of(&r, VTM_OP_SUBMIT_URL), -1, "a url that may not be submitted is not");
	is_str(vtm_verdict_name(verdict(private, 0)), "unknown", "and unknown");
	m = mail_new(&r, "submit", 0, 1, VTM_CLASS_URL_FIRST, 120000);
	m->ticket.wants[0].submit = true;
	vtm_sched_add(r.sched, &m->ticket);
	step(&r);
	end_op(&r, VTM_OP_LOOKUP, VTM_ANSWER_NOT_FOUND, 0);
	is_int(m->released, 0, "another one waits on");
	step(&r);
	end_op(&r, VTM_OP_SUBMIT_URL, VTM_ANSWER_SUBMITTED, 0);
	sent = r.sent->len;
	pass(&r, 14000);
	is_int(r.sent->len, sent, "its analysis is not polled at once");
	pass(&r, 2000);
	end_op(&r, VTM_OP_ANALYSIS, VTM_ANSWER_ANALYSING, 0);
	ok(verdict(m, 0) != VTM_CLEAN, "a queued analysis is not clean");
	pass(&r, 100000);
	end_op(&r, VTM_OP_ANALYSIS, VTM_ANSWER_REPORT, 60);
	is_int(r.answers, 2, "the completed one is an answer");
	vtm_sched_cancel(r.sched, &m->ticket);
	mail_free(m);
	m = mail_new(&r, "submit", 0, 1, VTM_CLASS_URL_FIRST, 0);
	vtm_sched_add(r.sched, &m->ticket);
	is_str(vtm_verdict_name(verdict(m, 0)), "clean", "and cached");
	mail_free(m);
	m = mail_new(&r, "endless", 0, 1, VTM_CLASS_URL_FIRST, 0);
	m->ticket.wants[0].submit = true;
	vtm_sched_add(r.sched, &m->ticket);
	pass(&r, 120000);
	end_op(&r, VTM_OP_LOOKUP, VTM_ANSWER_NOT_FOUND, 0);
	pass(&r, 120000);
	end_op(&r, VTM_OP_SUBMIT_URL, VTM_ANSWER_SUBMITTED, 0);
	for (int i = 0; i < 40 && r.answers < 3; i++) {
		pass(&r, 240000);
		while (r.flights->len) {
			struct flight f = g_array_index(r.flights, struct flight, 0);

			end_flight(&r, 0, f.op == VTM_OP_ANALYSIS ? VTM_ANSWER_ANALYSING : VTM_ANSWER_FAILED, 0, 0);
		}
	}
	is_int(r.answers, 3, "an analysis that never ends is given up");
	mail_free(m);
	m = mail_new(&r, "endless", 0, 1, VTM_CLASS_URL_FIRST, 0);
	vtm_sched_add(r.sched, &m->ticket);
	ok(verdict(m, 0) != VTM_CLEAN, "and never clean");
	mail_free(m);
	mail_free(private);
	rig_clear(&r);
}

/* A machine that slept while a request was under way does not believe for long that answers take hours. */
static void slept(void)
{
	struct rig r;
	struct mail *m, *n;

	rig_init(&r);
	begin(&r);
	m = mail_comes(&r, "a", 0, 1, VTM_CLASS_RISKY, 5000);
	vtm_clock_manual_advance(&r.clock, 3600 * 1000);
	step(&r);
	while (r.flights->len)
		end_flight(&r, 0, VTM_ANSWER_REPORT, 0, 9);
	n = mail_new(&r, "b", 0, 1, VTM_CLASS_RISKY, 5000);
	vtm_sched_add(r.sched, &n->ticket);
	is_int(n->released, 0, "after an hour's sleep 5 s are still worth waiting");
	mail_free(m);
	vtm_sched_cancel(r.sched, &n->ticket);
	mail_free(n);
	rig_clear(&r);
}

static void quiet(enum vtm_severity severity, const char *line, void *arg)
{
	(void)severity;
	(void)line;
	(void)arg;
}

int main(void)
{
	vtm_log_set_sink(quiet, NULL);
	answers();
	admission();
	places();
	pushed_out();
	deadline();
	failures();
	store_gone();
	store_lost();
	store_lost_without_a_minute();
	store_lost_while_down();
	store_knows_less();
	caps();
	shares();
	midnight();
	server_limits();
	server_limits_alone();
	answer_time();
	max_waiting();
	full_queue();
	restart();
	restart_while_asked_by_hand();
	reask();
	slept();
	bulk();
	submission();
	for (guint32 seed = 1; seed <= 8; seed++)
		property(seed);
	return done_testing();
}
