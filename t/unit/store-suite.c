/* SPDX-License-Identifier: BSD-2-Clause */
/* store-suite.c - what every store backend must do, as tests. */
#include "store-suite.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tap.h"
#include "store/open/open.h"

#define HOUR (3600 * 1000)
#define DAY (24 * (int64_t)HOUR)
#define SLOT_AFTER (VTM_WINDOW_MS + VTM_SLOT_MARGIN_MS)

static const struct vtm_budget_limits public_key = { VTM_LIMIT(4), VTM_LIMIT(500), VTM_LIMIT(15500), 20, 150 };
static const struct vtm_budget_limits no_window = { VTM_NO_LIMIT, VTM_LIMIT(500), VTM_LIMIT(15500), 20, 150 };

struct vtm_lookup *suite_lookup(unsigned n)
{
	char *url = g_strdup_printf("http://host%u.example/", n);
	struct vtm_lookup *l = vtm_lookup_new(VTM_LOOKUP_URL, url);

	g_free(url);
	return l;
}

struct vtm_key suite_key(unsigned n)
{
	struct vtm_lookup *l = suite_lookup(n);
	struct vtm_key k = l->key;

	vtm_lookup_free(l);
	return k;
}

static struct vtm_store *must_open(struct suite *s, const char *host)
{
	struct vtm_store_settings settings = s->settings;
	GError *error = NULL;
	struct vtm_store *store;

	settings.host = host;
	store = vtm_store_open(s->uri, &settings, &error);
	if (!store)
		g_error("%s: %s", s->uri, error->message);
	return store;
}

struct vtm_store *suite_fresh(struct suite *s, int64_t utc)
{
	struct vtm_store *store;
	vtm_slot slot;
	GError *error = NULL;

	s->renew(s);
	vtm_clock_manual_init(s->clock, utc);
	store = must_open(s, "mx1");
	if (vtm_store_budget_take(store, &(struct vtm_budget_limits){ .per_day = VTM_LIMIT(1), .reserve_manual = 1 },
				  VTM_SPEND_URL, 1,
				  &slot, &error) < 0) {
		if (!g_error_matches(error, VTM_ERROR, VTM_ERROR_BUDGET_LOST) ||
		    vtm_store_budget_raise(store, 0, 0, NULL) < 0)
			g_error("%s: %s", s->uri, error->message);
		g_clear_error(&error);
	}
	return store;
}

struct vtm_store *suite_again(struct suite *s, const char *host)
{
	return must_open(s, host);
}

/* Frees <error> and tells whether it was of <code>. */
static bool failed_as(GError **error, enum vtm_error code)
{
	bool same = g_error_matches(*error, VTM_ERROR, (int)code);

	if (!same)
		diag("error: %s", *error ? (*error)->message : "(none)");
	g_clear_error(error);
	return same;
}

/* ---- verdicts ---- */

static const struct vtm_report bad = {
	.verdict = VTM_BAD, .reason = VTM_WHY_NONE, .match = VTM_MATCH_HOST, .malicious = 41, .suspicious = 1,
	.harmless = 2, .undetected = 3, .engines = 72, .analysed = 1700000000,
};
static const struct vtm_report clean = { .verdict = VTM_CLEAN, .harmless = 60, .undetected = 12, .engines = 72 };
static const struct vtm_report unknown = { .verdict = VTM_UNKNOWN };

static void put(struct vtm_store *st, unsigned n, const struct vtm_report *r, int64_t expires)
{
	struct vtm_lookup *l = suite_lookup(n);
	GError *error = NULL;

	if (vtm_store_verdict_put(st, l, r, expires, &error) < 0)
		g_error("put: %s", error->message);
	vtm_lookup_free(l);
}

static bool same_report(const struct vtm_report *a, const struct vtm_report *b)
{
	return a->verdict == b->verdict && a->reason == b->reason && a->match == b->match &&
	       a->malicious == b->malicious && a->suspicious == b->suspicious && a->harmless == b->harmless &&
	       a->undetected == b->undetected && a->engines == b->engines && a->analysed == b->analysed;
}

static void verdicts(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON), *other;
	struct vtm_report most = { VTM_UNKNOWN, VTM_WHY_ANALYSING, VTM_MATCH_EXACT, G_MAXUINT32, G_MAXUINT32,
				   G_MAXUINT32,
				   G_MAXUINT32, G_MAXUINT32, G_MAXINT64 };
	struct vtm_key keys[4] = { suite_key(1), suite_key(2), suite_key(3), suite_key(1) };
	struct vtm_cached out[4];
	GError *error = NULL;

	is_int(vtm_store_verdicts_get(st, keys, 4, out, NULL), 0, "%s: an empty store has no verdict", s->name);
	put(st, 1, &bad, SUITE_NOON + 7 * DAY);
	put(st, 3, &most, SUITE_NOON + 1000);
	is_int(vtm_store_verdicts_get(st, keys, 4, out, NULL), 3, "%s: found in one go, the same key twice", s->name);
	ok(out[0].found && !out[1].found && out[2].found && out[3].found, "%s: each at its place", s->name);
	ok(same_report(&out[0].report, &bad) && same_report(&out[3].report, &bad), "%s: every number comes back",
	   s->name);
	ok(same_report(&out[2].report, &most), "%s: the largest ones too", s->name);
	ok(out[0].stored_ms == SUITE_NOON && out[0].expires_ms == SUITE_NOON + 7 * DAY, "%s: with its times", s->name);
	keys[1].kind = VTM_LOOKUP_HOST;
	memcpy(keys[1].id, keys[0].id, sizeof(keys[0].id));
	is_int(vtm_store_verdicts_get(st, &keys[1], 1, out, NULL), 0, "%s: another kind is another key", s->name);

	vtm_clock_manual_advance(s->clock, 999);
	is_int(vtm_store_verdicts_get(st, &keys[2], 1, out, NULL), 1, "%s: fresh to its last millisecond", s->name);
	vtm_clock_manual_advance(s->clock, 1);
	is_int(vtm_store_verdicts_get(st, &keys[2], 1, out, NULL), 0, "%s: then not found", s->name);
	ok(vtm_store_verdicts_expire(st, 10, NULL) >= 0, "%s: old ones can be dropped", s->name);
	is_int(vtm_store_verdicts_get(st, keys, 1, out, NULL), 1, "%s: which leaves the others", s->name);

	put(st, 1, &clean, SUITE_NOON + DAY);
	ok(vtm_store_verdicts_get(st, keys, 1, out, NULL) == 1 && same_report(&out[0].report, &clean),
	   "%s: a later verdict replaces the first", s->name);
	other = suite_again(s, "mx2");
	is_int(vtm_store_verdicts_get(other, keys, 1, out, NULL), 1, "%s: another process sees it", s->name);
	is_int(vtm_store_verdict_forget(other, keys, NULL), 1, "%s: and forgets it", s->name);
	is_int(vtm_store_verdict_forget(other, keys, NULL), 0, "%s: once", s->name);
	is_int(vtm_store_verdicts_get(st, keys, 1, out, NULL), 0, "%s: for all", s->name);
	vtm_store_close(other);

	for (int v = 0; v < VTM_VERDICTS; v++) {
		struct vtm_report r = { .verdict = (enum vtm_verdict)v };
		struct vtm_lookup *l = suite_lookup(50);

		if (!vtm_verdict_is_answer(r.verdict))
			ok(vtm_store_verdict_put(st, l, &r, SUITE_NOON + DAY, &error) < 0 &&
			   failed_as(&error, VTM_ERROR_FORMAT), "%s: %s is refused", s->name,
			   vtm_verdict_name(r.verdict));
		vtm_lookup_free(l);
	}
	vtm_store_close(st);
}

static void verdict_batches(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON);
	struct vtm_key *keys = g_new(struct vtm_key, VTM_STORE_BATCH + 1);
	struct vtm_cached *out = g_new(struct vtm_cached, VTM_STORE_BATCH + 1);
	GError *error = NULL;
	unsigned wrong = 0;

	vtm_store_begin(st, NULL);
	for (unsigned i = 0; i <= VTM_STORE_BATCH; i++) {
		struct vtm_report r = { .verdict = VTM_BAD, .malicious = i };

		keys[i] = suite_key(i);
		put(st, i, &r, SUITE_NOON + DAY);
	}
	is_int(vtm_store_commit(st, NULL), 0, "%s: many verdicts in one transaction", s->name);
	is_int(vtm_store_verdicts_get(st, keys, VTM_STORE_BATCH, out, NULL), VTM_STORE_BATCH, "%s: %d at once", s->name,
	       VTM_STORE_BATCH);
	for (unsigned i = 0; i < VTM_STORE_BATCH; i++)
		wrong += out[i].report.malicious != i;
	is_int(wrong, 0, "%s: none mixed up", s->name);
	ok(vtm_store_verdicts_get(st, keys, VTM_STORE_BATCH + 1, out, &error) < 0 && failed_as(&error, VTM_ERROR_LIMIT),
	   "%s: one more is refused", s->name);
	is_int(vtm_store_verdicts_get(st, keys, 0, out, NULL), 0, "%s: none is none", s->name);
	vtm_clock_manual_advance(s->clock, DAY);
	ok(vtm_store_verdicts_expire(st, 100, NULL) <= 100, "%s: expiry keeps to its bound", s->name);
	is_int(vtm_store_verdicts_get(st, keys, VTM_STORE_BATCH, out, NULL), 0, "%s: all are too old now", s->name);
	vtm_store_close(st);
	g_free(keys);
	g_free(out);
}

/* ---- budget ---- */

static int take(struct vtm_store *st, const struct vtm_budget_limits *l, enum vtm_spender who, unsigned want,
		vtm_slot *slots)
{
	static vtm_slot unused[VTM_STORE_BATCH];
	GError *error = NULL;
	int n = vtm_store_budget_take(st, l, who, want, slots ? slots : unused, &error);

	if (n < 0) {
		diag("take: %s", error->message);
		g_clear_error(&error);
	}
	return n;
}

static void is_used(struct suite *s, struct vtm_store *st, int64_t day, int64_t month, int64_t slots, const char *when)
{
	struct vtm_budget b;
	bool ascending = true;

	vtm_budget_init(&b);
	if (vtm_store_budget_read(st, &b, NULL) < 0) {
		ok(false, "%s: the budget can be read %s", s->name, when);
	} else {
		for (guint i = 1; i < b.window->len; i++)
			if (g_array_index(b.window, int64_t, i) < g_array_index(b.window, int64_t, i - 1))
				ascending = false;
		if (!ok(b.day_used == day && b.month_used == month && b.window->len == slots && ascending,
			"%s: %d used today, %d this month, %d slots taken %s", s->name, (int)day, (int)month,
			(int)slots, when))
			diag("got %u, %u, %u", b.day_used, b.month_used, b.window->len);
	}
	vtm_budget_clear(&b);
}

static void window(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON), *other = suite_again(s, "mx2");
	vtm_slot slots[6];
	struct vtm_budget b;

	is_used(s, st, 0, 0, 0, "at first");
	is_int(take(st, &public_key, VTM_SPEND_URL, 3, slots), 3, "%s: three requests", s->name);
	is_int(take(other, &public_key, VTM_SPEND_URL, 3, slots + 3), 1, "%s: a second process gets the fourth only",
	       s->name);
	is_int(take(st, &public_key, VTM_SPEND_MANUAL, 1, NULL), 0, "%s: then the minute is full for everybody",
	       s->name);
	ok(slots[0] != slots[1] && slots[1] != slots[2] && slots[0] != slots[2] && slots[2] != slots[3],
	   "%s: no slot is given twice", s->name);
	is_used(s, other, 4, 4, 4, "as both see it");

	vtm_clock_manual_advance(s->clock, 1000);
	is_int(vtm_store_budget_settle(st, slots[0], NULL), 0, "%s: the first ends after a second", s->name);
	vtm_budget_init(&b);
	vtm_store_budget_read(st, &b, NULL);
	is_int(b.window->len ? g_array_index(b.window, int64_t, 0) - s->clock->boot : -1, SLOT_AFTER + s->margin_ms,
	       "%s: and lasts 60 s more", s->name);
	vtm_budget_clear(&b);
	vtm_clock_manual_advance(s->clock, SLOT_AFTER + s->margin_ms - 1);
	is_int(take(st, &public_key, VTM_SPEND_URL, 4, NULL), 0, "%s: a millisecond before that it is taken", s->name);
	vtm_clock_manual_advance(s->clock, 1);
	is_int(take(st, &public_key, VTM_SPEND_URL, 4, slots), 1, "%s: then one is free", s->name);
	vtm_clock_manual_advance(s->clock, VTM_SLOT_MAX_MS - 1000 - SLOT_AFTER - 1);
	is_int(take(st, &public_key, VTM_SPEND_URL, 4, NULL), 0, "%s: those nobody ended last longer", s->name);
	vtm_clock_manual_advance(s->clock, 1);
	is_int(take(st, &public_key, VTM_SPEND_URL, 4, NULL), 3, "%s: but not for ever", s->name);
	is_used(s, st, 8, 8, 4, "after all that");

	vtm_clock_manual_advance(s->clock, 10 * VTM_SLOT_MAX_MS);
	is_int(vtm_store_budget_settle(st, slots[0], NULL), 0, "%s: a request that ends when its slot is gone",
	       s->name);
	is_used(s, st, 8, 8, 1, "since it may have gone out late");
	vtm_store_close(st);
	vtm_store_close(other);
}

static void carried(struct suite *s)
{
	enum { MANY = 2 * VTM_STORE_BATCH + 3 };
	struct vtm_store *st = suite_fresh(s, SUITE_NOON);

	take(st, &public_key, VTM_SPEND_URL, 1, NULL);
	is_int(vtm_store_budget_carry(st, 2, 1, 90, NULL), 0, "%s: two requests of another store", s->name);
	is_used(s, st, 3, 90, 3, "with those");
	is_int(take(st, &public_key, VTM_SPEND_URL, 4, NULL), 1, "%s: the minute has one left", s->name);
	is_int(vtm_store_budget_carry(st, MANY, 7, 90, NULL), 0, "%s: more than one call takes", s->name);
	is_used(s, st, 4 + MANY, 91 + MANY, 4 + MANY, "with all of them");
	vtm_store_close(st);
}

static void day_and_month(struct suite *s)
{
	struct vtm_budget_limits small = { VTM_NO_LIMIT, VTM_LIMIT(10), VTM_LIMIT(12), 2, 3 };
	struct vtm_store *st = suite_fresh(s, SUITE_NOON);
	vtm_slot *slots = g_new(vtm_slot, VTM_STORE_BATCH + 1);
	GError *error = NULL;

	is_int(take(st, &small, VTM_SPEND_URL, 100, NULL), 5, "%s: urls leave both reserves", s->name);
	is_int(take(st, &small, VTM_SPEND_ATTACHMENT, 100, NULL), 3, "%s: attachments leave one", s->name);
	is_int(take(st, &small, VTM_SPEND_MANUAL, 100, NULL), 2, "%s: by hand all can be used", s->name);
	is_int(take(st, &small, VTM_SPEND_MANUAL, 100, NULL), 0, "%s: and no more", s->name);
	is_used(s, st, 10, 10, 10, "that day");
	vtm_clock_manual_advance(s->clock, 13 * HOUR);
	is_used(s, st, 0, 10, 0, "the next day");
	is_int(take(st, &small, VTM_SPEND_MANUAL, 100, NULL), 2, "%s: now the month is the bound", s->name);
	is_int(take(st, &small, VTM_SPEND_MANUAL, 100, NULL), 0, "%s: reached", s->name);
	vtm_clock_manual_advance(s->clock, 30 * DAY);
	is_int(take(st, &small, VTM_SPEND_MANUAL, 100, NULL), 10, "%s: the next month begins anew", s->name);

	is_int(take(st, &(struct vtm_budget_limits){ 0 }, VTM_SPEND_URL, VTM_STORE_BATCH, slots), VTM_STORE_BATCH,
	       "%s: without limits all is granted", s->name);
	ok(vtm_store_budget_take(st, &public_key, VTM_SPEND_URL, VTM_STORE_BATCH + 1, slots, &error) < 0 &&
	   failed_as(&error, VTM_ERROR_LIMIT), "%s: but no more than the stated number at once", s->name);
	is_int(take(st, &public_key, VTM_SPEND_URL, 0, NULL), 0, "%s: nothing wanted, nothing granted", s->name);
	vtm_store_close(st);
	g_free(slots);
}

static void midnight(struct suite *s)
{
	struct vtm_budget_limits small = { VTM_NO_LIMIT, VTM_LIMIT(10), VTM_NO_LIMIT, 0, 0 };
	struct vtm_store *st = suite_fresh(s, SUITE_MIDNIGHT - VTM_MIDNIGHT_BEFORE_MS - 1);

	is_int(take(st, &small, VTM_SPEND_URL, 6, NULL), 6, "%s: before midnight", s->name);
	vtm_clock_manual_advance(s->clock, 1);
	is_int(take(st, &small, VTM_SPEND_URL, 6, NULL), 4, "%s: close to it this day still counts", s->name);
	is_int(take(st, &small, VTM_SPEND_URL, 6, NULL), 0, "%s: and is spent", s->name);
	vtm_clock_manual_advance(s->clock, VTM_MIDNIGHT_BEFORE_MS + VTM_MIDNIGHT_AFTER_MS - 1);
	is_int(take(st, &small, VTM_SPEND_URL, 6, NULL), 0, "%s: just after midnight it may still be yesterday there",
	       s->name);
	vtm_clock_manual_advance(s->clock, 1);
	is_used(s, st, 4, 10, 10, "today: what was sent close to midnight counts twice");
	is_int(take(st, &small, VTM_SPEND_URL, 100, NULL), 6, "%s: which leaves six", s->name);
	vtm_store_close(st);

	small = (struct vtm_budget_limits){ VTM_NO_LIMIT, VTM_NO_LIMIT, VTM_LIMIT(10), 0, 0 };
	st = suite_fresh(s, SUITE_MONTH_END - VTM_MIDNIGHT_BEFORE_MS);
	is_int(take(st, &small, VTM_SPEND_URL, 100, NULL), 10, "%s: the end of a month", s->name);
	vtm_clock_manual_advance(s->clock, 10 * HOUR);
	is_int(take(st, &small, VTM_SPEND_URL, 100, NULL), 0, "%s: is charged to the next month as well", s->name);
	is_used(s, st, 10, 10, 0, "then");
	vtm_store_close(st);
}

static void raised(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON);

	take(st, &no_window, VTM_SPEND_URL, 5, NULL);
	is_int(vtm_store_budget_raise(st, 3, 200, NULL), 0, "%s: the server counts fewer today, more this month",
	       s->name);
	is_used(s, st, 5, 200, 5, "the larger ones");
	vtm_store_budget_raise(st, 450, 100, NULL);
	is_used(s, st, 450, 200, 5, "after it counted more");
	is_int(take(st, &no_window, VTM_SPEND_MANUAL, 100, NULL), 50, "%s: so only that much is left", s->name);
	vtm_store_close(st);

	st = suite_fresh(s, SUITE_MIDNIGHT + VTM_MIDNIGHT_BEFORE_MS - 1);
	vtm_store_budget_raise(st, 500, 700, NULL);
	is_int(take(st, &no_window, VTM_SPEND_MANUAL, 1, NULL), 1,
	       "%s: just after midnight the server's count may be yesterday's and spends no new day", s->name);
	vtm_clock_manual_advance(s->clock, 1);
	vtm_store_budget_raise(st, 500, 700, NULL);
	is_int(take(st, &no_window, VTM_SPEND_MANUAL, 1, NULL), 0, "%s: later it is today's", s->name);
	vtm_store_budget_raise(st, G_MAXUINT32, G_MAXUINT32, NULL);
	is_int(take(st, &no_window, VTM_SPEND_MANUAL, 1, NULL), 0, "%s: the largest count does not wrap", s->name);
	is_used(s, st, G_MAXUINT32, G_MAXUINT32, 1, "then");
	vtm_store_close(st);
}

static void utc(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON);
	int64_t now = 0;
	GError *error = NULL;

	ok(!vtm_store_budget_utc(st, &now, NULL) && now == SUITE_NOON, "%s: the budget's time is the clock's at first",
	   s->name);
	is_int(vtm_store_budget_sync(st, SUITE_NOON + VTM_STORE_UTC_OFF_MS, NULL), 0, "%s: 2 s off is near enough",
	       s->name);
	is_int(vtm_store_budget_sync(st, SUITE_NOON - VTM_STORE_UTC_OFF_MS - 1, NULL), 1, "%s: more is corrected",
	       s->name);
	vtm_clock_manual_advance(s->clock, 5000);
	vtm_store_budget_utc(st, &now, NULL);
	is_int(now, SUITE_NOON - VTM_STORE_UTC_OFF_MS - 1 + 5000, "%s: and goes on from there", s->name);
	take(st, &no_window, VTM_SPEND_URL, 7, NULL);
	is_int(vtm_store_budget_sync(st, SUITE_MIDNIGHT + HOUR, NULL), 1, "%s: a clock that is half a day late",
	       s->name);
	is_used(s, st, 0, 7, 7, "by the server's day");
	is_int(vtm_store_budget_sync(st, SUITE_NOON, NULL), 1, "%s: set back", s->name);
	is_used(s, st, 7, 7, 7, "again: nothing was forgotten");
	ok(vtm_store_budget_sync(st, 0, &error) < 0 && failed_as(&error, VTM_ERROR_FORMAT),
	   "%s: 1970 cannot be the server's time", s->name);
	vtm_store_close(st);
}

/* ---- queue, leases ---- */

static void keep_queued(const struct vtm_queued *q, void *arg)
{
	g_string_append_printf(arg, "%s %d %d %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %d %s %s\n",
			       q->lookup->subject, q->op,
			       q->class, q->since_ms, q->not_before_ms, q->attempts, q->analysis ? q->analysis : "-",
			       q->host);
}

static char *queue_text(struct vtm_store *st, unsigned max)
{
	GString *text = g_string_new("");

	if (vtm_store_queue_load(st, max, keep_queued, text, NULL) < 0)
		g_string_append(text, "failed");
	return g_string_free(text, FALSE);
}

static void is_queue(struct suite *s, struct vtm_store *st, unsigned max, const char *want, const char *what)
{
	char *text = queue_text(st, max);

	is_str(text, want, "%s: %s", s->name, what);
	g_free(text);
}

static void queue(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON), *other = suite_again(s, "mx2");
	char analysis[] = "u-1-2";
	struct vtm_queued one = { .lookup = suite_lookup(1), .op = 1, .class = 2, .since_ms = 3000, .not_before_ms = 4,
				  .attempts = 5, .analysis = analysis };
	struct vtm_queued two = { .lookup = suite_lookup(2), .since_ms = 2000 };
	char *long_path = g_strnfill(8000, 'x'), *url = g_strconcat("http://h/\xc3\xa4\xff", long_path, NULL), *want;
	struct vtm_queued odd = { .lookup = vtm_lookup_new(VTM_LOOKUP_URL, url), .since_ms = 5000 };

	is_queue(s, st, 10, "", "an empty queue");
	ok(!vtm_store_queue_put(st, &one, NULL) && !vtm_store_queue_put(st, &two, NULL), "%s: two are queued", s->name);
	is_queue(s, other, 10,
		 "http://host2.example/ 0 0 2000 0 0 - mx1\nhttp://host1.example/ 1 2 3000 4 5 u-1-2 mx1\n",
		 "another host sees them, the oldest first");
	is_queue(s, st, 1, "http://host2.example/ 0 0 2000 0 0 - mx1\n", "no more than asked for");
	one.attempts = 6;
	g_clear_pointer(&two.lookup, vtm_lookup_free);
	two.lookup = suite_lookup(2);
	vtm_store_queue_put(other, &one, NULL);
	vtm_store_queue_delete(other, &two.lookup->key, NULL);
	is_queue(s, st, 10, "http://host1.example/ 1 2 3000 4 6 u-1-2 mx1\n", "changed and deleted by the other");
	is_int(vtm_store_queue_delete(st, &two.lookup->key, NULL), 0, "%s: deleting what is not there is no error",
	       s->name);
	vtm_store_queue_delete(st, &one.lookup->key, NULL);
	vtm_store_queue_put(st, &odd, NULL);
	want = g_strdup_printf("%s 0 0 5000 0 0 - mx1\n", url);
	is_queue(s, st, 10, want, "a long url with odd bytes");
	vtm_lookup_free(one.lookup);
	vtm_lookup_free(two.lookup);
	vtm_lookup_free(odd.lookup);
	g_free(long_path);
	g_free(url);
	g_free(want);
	vtm_store_close(st);
	vtm_store_close(other);
}

static void leases(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON), *other = suite_again(s, "mx2");
	struct vtm_key k = suite_key(1), free_key = suite_key(2);

	is_int(vtm_store_lease(st, &k, 5000, NULL), 1, "%s: a lease is taken", s->name);
	is_int(vtm_store_lease(other, &k, 5000, NULL), 0, "%s: nobody else gets it", s->name);
	is_int(vtm_store_lease(st, &k, 10000, NULL), 1, "%s: its holder renews it", s->name);
	is_int(vtm_store_lease(other, &free_key, 5000, NULL), 1, "%s: another key is free", s->name);
	vtm_store_lease_drop(other, &k, NULL);
	is_int(vtm_store_lease(other, &k, 5000, NULL), 0, "%s: only the holder can drop it", s->name);
	vtm_store_lease_drop(st, &k, NULL);
	is_int(vtm_store_lease(other, &k, 5000, NULL), 1, "%s: dropped, it is free", s->name);
	vtm_store_close(st);
	vtm_store_close(other);
}

static void note_wake(void *arg)
{
	g_atomic_int_inc((gint *)arg);
}

bool suite_hears(struct vtm_store *st, bool wanted)
{
	for (unsigned i = 0; i < SUITE_TRIES && vtm_store_is_watching(st) != wanted; i++)
		g_usleep(10000);
	return vtm_store_is_watching(st) == wanted;
}

bool suite_heard(struct vtm_store *st, const struct vtm_key *key)
{
	struct vtm_key keys[VTM_STORE_BATCH];
	bool missed, heard = false;

	for (unsigned i = 0; i < SUITE_TRIES && !heard; i++) {
		unsigned n = vtm_store_take_ended(st, keys, &missed);

		for (unsigned k = 0; k < n; k++)
			heard = heard || vtm_key_equal(&keys[k], key);
		if (!heard)
			g_usleep(10000);
	}
	return heard;
}

/* Look-ups that others end are heard where there are others. */
static void watching(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON), *other = suite_again(s, "mx2");
	struct vtm_key k = suite_key(1), keys[VTM_STORE_BATCH];
	gint wakes = 0;
	bool missed = true;

	is_int(vtm_store_watch(other, note_wake, &wakes, NULL), vtm_store_shared(other),
	       "%s: others are heard where there are some", s->name);
	if (vtm_store_shared(other)) {
		ok(suite_hears(other, true), "%s: soon", s->name);
		is_int(vtm_store_take_ended(other, keys, &missed), 0, "%s: nothing at first", s->name);
		ok(missed && g_atomic_int_get(&wakes) == 1, "%s: but that something may have been missed", s->name);
	} else {
		is_int(vtm_store_take_ended(other, keys, &missed), 0, "%s: else there is nothing to hear", s->name);
		ok(!missed && !vtm_store_is_watching(other), "%s: and nothing is missed", s->name);
	}
	vtm_store_lease(st, &k, 5000, NULL);
	is_int(vtm_store_lease_end(st, &k, NULL), 0, "%s: a look-up ends", s->name);
	if (vtm_store_shared(other)) {
		ok(suite_heard(other, &k), "%s: which is heard", s->name);
		vtm_store_take_ended(other, keys, &missed);
		ok(!missed && g_atomic_int_get(&wakes) >= 2, "%s: with a wake-up, and nothing missed", s->name);
	}
	is_int(vtm_store_lease(other, &k, 5000, NULL), 1, "%s: its lease is free", s->name);
	vtm_store_lease_end(st, &k, NULL);
	is_int(vtm_store_lease(st, &k, 5000, NULL), 0, "%s: which only its holder frees", s->name);
	vtm_store_close(st);
	vtm_store_close(other);
}

/* ---- journal ---- */

static struct vtm_journal_item journal_item(unsigned n, enum vtm_verdict verdict)
{
	struct vtm_lookup *l = suite_lookup(n);
	struct vtm_journal_item j = { .item = vtm_item_new(VTM_URL, l->subject), .has_key = true, .key = l->key };

	j.item->host = g_strdup("host.example");
	j.item->report.verdict = verdict;
	vtm_lookup_free(l);
	return j;
}

static void add(struct vtm_store *st, const char *queue_id, const char *message_id, int64_t time, uint32_t tags,
		struct vtm_journal_item *items, size_t n)
{
	struct vtm_journal_message m = { .queue_id = g_strdup(queue_id), .message_id = g_strdup(message_id),
					 .time_ms = time,
					 .tags = tags, .tags_delivered = tags };
	GError *error = NULL;

	if (vtm_store_journal_add(st, &m, items, n, &error) < 0 || m.id == 0)
		g_error("journal: %s", error ? error->message : "no id");
	for (size_t i = 0; i < n; i++)
		vtm_item_free(items[i].item);
	vtm_journal_message_clear(&m);
}

static void add_one(struct vtm_store *st, const char *queue_id, int64_t time, uint32_t tags, unsigned key,
		    enum vtm_verdict verdict)
{
	struct vtm_journal_item j = journal_item(key, verdict);

	add(st, queue_id, NULL, time, tags, &j, 1);
}

static void keep_message(const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n, void *arg)
{
	GString *text = arg;

	g_string_append_printf(text, "%s:%x", m->queue_id, m->tags);
	for (size_t i = 0; i < n; i++)
		g_string_append_printf(text, " %s%s", vtm_verdict_name(items[i].item->report.verdict),
				       items[i].answered_ms ? "!" : "");
	g_string_append(text, m->done_ms ? " done\n" : "\n");
}

static void is_list(struct suite *s, struct vtm_store *st, struct vtm_journal_filter f, const char *want,
		    const char *what)
{
	GString *text = g_string_new("");
	int n;

	f.max = f.max ? f.max : 1000;
	n = vtm_store_journal_list(st, &f, keep_message, text, NULL);
	is_str(text->str, want, "%s: %s", s->name, what);
	if (n < 0)
		ok(false, "%s: the journal can be read", s->name);
	g_string_free(text, TRUE);
}

static void is_found(struct suite *s, struct vtm_store *st, const char *id, const char *want, const char *what)
{
	GString *text = g_string_new("");

	vtm_store_journal_find(st, id, keep_message, text, NULL);
	is_str(text->str, want, "%s: %s", s->name, what);
	g_string_free(text, TRUE);
}

/* Every field, with bytes that are no UTF-8. */
static struct vtm_journal_message full_message(void)
{
	return (struct vtm_journal_message){
		.queue_id = g_strdup("4bQ1"), .message_id = g_strdup("<x\xff@y>"), .sender = g_strdup("s@example"),
		.recipients = g_strsplit("a@example,\xff\xfe@example,", ",", -1), .client = g_strdup("192.0.2.0/24"),
		.time_ms = SUITE_NOON,
		.size = G_MAXINT64, .tags = 0x7f, .tags_delivered = 0x18, .done_ms = 77,
	};
}

static struct vtm_journal_item full_item(void)
{
	struct vtm_lookup *l = vtm_lookup_new(VTM_LOOKUP_HOST, "host.example");
	struct vtm_journal_item j = { .item = vtm_item_new(VTM_ATTACHMENT, "00ff"), .has_key = true, .key = l->key,
				      .answered_ms = 99, .why = "attachments first" };
	struct vtm_item *i = j.item;

	i->name = g_strdup("n\xffm.exe");
	i->type = g_strdup("application/pdf");
	i->size = 1234567890123;
	i->host = g_strdup("host.example");
	i->role = VTM_ROLE_BARE;
	i->from = g_strdup("http://wrapper/");
	g_strfreev(i->via);
	i->via = g_strsplit("message/rfc822,text/html", ",", -1);
	i->depth = 3;
	i->group = 2;
	i->note = "encrypted";
	i->personal = i->ignored = i->wrapper = i->risky = i->unasked = true;
	i->report = bad;
	vtm_lookup_free(l);
	return j;
}

struct compare { const struct vtm_journal_message *m; const struct vtm_journal_item *items; int same, seen; };

static bool same_item(const struct vtm_journal_item *a, const struct vtm_journal_item *b)
{
	const struct vtm_item *x = a->item, *y = b->item;

	return a->has_key == b->has_key && (!a->has_key || vtm_key_equal(&a->key, &b->key)) &&
	       a->answered_ms == b->answered_ms && !g_strcmp0(a->why, b->why) && x->kind == y->kind &&
	       !g_strcmp0(x->subject, y->subject) && !g_strcmp0(x->name, y->name) && !g_strcmp0(x->type, y->type) &&
	       x->size == y->size && !g_strcmp0(x->host, y->host) && x->role == y->role &&
	       !g_strcmp0(x->from, y->from) &&
	       g_strv_equal((const char *const *)x->via, (const char *const *)y->via) && x->depth == y->depth &&
	       x->group == y->group && !g_strcmp0(x->note, y->note) && x->personal == y->personal &&
	       x->ignored == y->ignored && x->wrapper == y->wrapper && x->risky == y->risky &&
	       x->unasked == y->unasked && same_report(&x->report, &y->report);
}

static void compare(const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n, void *arg)
{
	struct compare *c = arg;
	const struct vtm_journal_message *w = c->m;

	c->seen++;
	c->same += n == 2 && m->id == w->id && !g_strcmp0(m->host, "mx1") && !g_strcmp0(m->queue_id, w->queue_id) &&
		   !g_strcmp0(m->message_id, w->message_id) && !g_strcmp0(m->sender, w->sender) && m->recipients &&
		   g_strv_equal((const char *const *)m->recipients, (const char *const *)w->recipients) &&
		   !g_strcmp0(m->client, w->client) && m->time_ms == w->time_ms && m->size == w->size &&
		   m->tags == w->tags && m->tags_delivered == w->tags_delivered && m->done_ms == w->done_ms &&
		   same_item(&items[0], &c->items[0]) && same_item(&items[1], &c->items[1]);
}

static void journal_fields(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON);
	struct vtm_journal_message m = full_message(), bare = { .time_ms = SUITE_NOON - 1 };
	struct vtm_journal_item items[2] = { full_item(), { .item = vtm_item_new(VTM_URL, "http://a/") } };
	struct compare c = { &m, items, 0, 0 };
	GError *error = NULL;

	is_int(vtm_store_journal_add(st, &m, items, 2, NULL), 0, "%s: a message with everything", s->name);
	ok(m.id != 0 && !g_strcmp0(m.host, "mx1"), "%s: got a number and a host", s->name);
	is_int(vtm_store_journal_find(st, "4bQ1", compare, &c, NULL), 1, "%s: found by queue id", s->name);
	is_int(vtm_store_journal_find(st, "<x\xff@y>", compare, &c, NULL), 1, "%s: and by Message-ID", s->name);
	is_int(vtm_store_journal_find(st, "x\xff@y", compare, &c, NULL), 1, "%s: without brackets too", s->name);
	is_int(vtm_store_journal_find(st, "x", compare, &c, NULL), 0, "%s: not by a part of it", s->name);
	is_int(c.same, 3, "%s: every field came back each time", s->name);
	is_int(vtm_store_journal_add(st, &bare, NULL, 0, NULL), 0, "%s: a message with nothing at all", s->name);
	is_list(s, st, (struct vtm_journal_filter){ .until_ms = SUITE_NOON - 1 }, "(null):0\n", "comes back so");
	ok(vtm_store_journal_add(st, &bare, items, VTM_STORE_ITEMS_MAX + 1, &error) < 0 &&
	   failed_as(&error, VTM_ERROR_LIMIT),
	   "%s: too many items are refused", s->name);
	vtm_journal_message_clear(&m);
	vtm_journal_message_clear(&bare);
	vtm_item_free(items[0].item);
	vtm_item_free(items[1].item);
	vtm_store_close(st);
}

static void journal_lists(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON);

	add_one(st, "A", SUITE_NOON + 1, 1, 1, VTM_BAD);
	add_one(st, "C", SUITE_NOON + 3, 4, 1, VTM_CLEAN);
	add_one(st, "B", SUITE_NOON + 2, 2 | 1, 1, VTM_IGNORED);
	add_one(st, "B", SUITE_NOON + 4, 0, 1, VTM_CLEAN);
	is_list(s, st, (struct vtm_journal_filter){ 0 }, "B:0 clean\nC:4 clean\nB:3 ignored\nA:1 bad\n",
		"newest first");
	is_list(s, st, (struct vtm_journal_filter){ .tags = 1 }, "B:3 ignored\nA:1 bad\n", "by tag");
	is_list(s, st, (struct vtm_journal_filter){ .tags = 6 }, "C:4 clean\nB:3 ignored\n", "by one of two tags");
	is_list(s, st, (struct vtm_journal_filter){ .since_ms = SUITE_NOON + 2, .until_ms = SUITE_NOON + 3 },
		"C:4 clean\nB:3 ignored\n", "by time, both ends included");
	is_list(s, st, (struct vtm_journal_filter){ .max = 1 }, "B:0 clean\n", "bounded");
	is_list(s, st, (struct vtm_journal_filter){ .max = 1, .tags = 1 }, "B:3 ignored\n", "bounded after the tags");
	is_found(s, st, "B", "B:0 clean\nB:3 ignored\n", "two with one queue id, newest first");
	is_int(vtm_store_journal_expire(st, SUITE_NOON + 3, 1, NULL), 1, "%s: expiry keeps to its bound", s->name);
	is_int(vtm_store_journal_expire(st, SUITE_NOON + 3, 100, NULL), 1, "%s: and goes on", s->name);
	is_int(vtm_store_journal_expire(st, SUITE_NOON + 3, 100, NULL), 0, "%s: until there is none", s->name);
	is_list(s, st, (struct vtm_journal_filter){ 0 }, "B:0 clean\nC:4 clean\n", "the newer ones stay");
	is_found(s, st, "A", "", "an expired one is not found");
	for (unsigned i = 0; i <= VTM_STORE_FIND_MAX; i++)
		add_one(st, "R", SUITE_NOON + 10 + i, 0, 1, VTM_BAD);
	{
		GString *text = g_string_new("");

		is_int(vtm_store_journal_find(st, "R", keep_message, text, NULL), VTM_STORE_FIND_MAX,
		       "%s: no more than %d are found", s->name, VTM_STORE_FIND_MAX);
		g_string_free(text, TRUE);
	}
	vtm_store_close(st);
}

struct turning { struct vtm_store *store; GString *text; unsigned bad; };

/* What the resolver does: counts again; a message that turned bad is handed to the late verdicts. */
static void turned(struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n, void *arg)
{
	struct turning *t = arg;
	bool all = true;

	keep_message(m, items, n, t->text);
	for (size_t i = 0; i < n; i++) {
		if (items[i].item->report.verdict == VTM_BAD)
			m->tags |= 1;
		all = all && items[i].answered_ms;
	}
	if (all)
		m->done_ms = 1;
	if (m->tags & 1 && t->store) {
		t->bad++;
		vtm_store_late_add(t->store, m->queue_id, NULL);
	}
}

static void is_answered(struct suite *s, struct vtm_store *st, unsigned key, const struct vtm_report *r, int count,
			const char *want, const char *what)
{
	struct turning t = { st, g_string_new(""), 0 };
	struct vtm_key k = suite_key(key);

	is_int(vtm_store_journal_answer(st, &k, r, turned, &t, NULL), count, "%s: %s: %d messages", s->name, what,
	       count);
	if (want)
		is_str(t.text->str, want, "%s: %s: as told", s->name, what);
	g_string_free(t.text, TRUE);
}

static void count_late(const struct vtm_late *l, void *arg)
{
	g_string_append_printf(arg, "%s %d\n", l->json, l->attempts);
}

static void answers(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON), *other = suite_again(s, "mx2");
	struct vtm_journal_item two[3] = { journal_item(1, VTM_PENDING), journal_item(2, VTM_BYPASSED),
					   journal_item(3, VTM_CLEAN) };
	GString *late = g_string_new("");
	GError *error = NULL;
	struct vtm_key k1 = suite_key(1);

	two[2].answered_ms = 1;
	add(st, "two", "<2@x>", SUITE_NOON, 0x10, two, 3);
	add_one(st, "unk", SUITE_NOON - 1, 0, 1, VTM_UNKNOWN);
	add_one(other, "cln", SUITE_NOON - 2, 0, 1, VTM_CLEAN);
	add_one(st, "ign", SUITE_NOON - 3, 0, 1, VTM_IGNORED);
	two[0] = journal_item(1, VTM_PENDING);
	two[0].has_key = false;
	add(st, "key", NULL, SUITE_NOON - 4, 0, two, 1);

	is_answered(s, st, 9, &bad, 0, "", "an answer nobody waits for");
	is_answered(s, other, 1, &unknown, 1, "two:10 unknown! bypassed clean!\n", "unknown, which one had already");
	is_answered(s, st, 1, &unknown, 0, "", "unknown again");
	is_answered(s, st, 2, &clean, 1, "two:10 unknown! clean! clean!\n", "the bypassed one is clean");
	is_found(s, other, "two", "two:10 unknown! clean! clean! done\n", "the caller's done is kept");
	is_answered(s, st, 2, &bad, 0, "", "an item that is final does not change");
	{
		struct turning t = { st, g_string_new(""), 0 };

		is_int(vtm_store_journal_answer(st, &k1, &bad, turned, &t, NULL), 2, "%s: both unknown ones turn bad",
		       s->name);
		is_int(t.bad, 2, "%s: the callback says so", s->name);
		g_string_free(t.text, TRUE);
	}
	is_found(s, st, "unk", "unk:1 bad! done\n", "tags as the callback left them");
	is_found(s, st, "key", "key:0 pending\n", "an item without a key waits for nothing");
	is_int(vtm_store_late_due(st, 10, count_late, late, NULL), 2,
	       "%s: late verdicts added by the callback are kept", s->name);
	ok(vtm_store_journal_answer(st, &k1, &(struct vtm_report){ 0 }, turned, NULL, &error) < 0 &&
	   failed_as(&error, VTM_ERROR_FORMAT), "%s: what is no answer is refused", s->name);
	g_string_free(late, TRUE);
	vtm_store_close(st);
	vtm_store_close(other);
}

static void quiet(struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n, void *arg)
{
	(void)items;
	(void)n;
	m->tags |= 1;
	++*(unsigned *)arg;
}

static void many_answers(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON);
	struct vtm_key k = suite_key(1);
	unsigned told = 0;
	int64_t start;

	vtm_store_begin(st, NULL);
	for (unsigned i = 0; i < VTM_STORE_ANSWER_MAX + 1; i++)
		add_one(st, "M", SUITE_NOON + i, 0, 1, VTM_PENDING);
	vtm_store_commit(st, NULL);
	start = g_get_monotonic_time();
	is_int(vtm_store_journal_answer(st, &k, &bad, quiet, &told, NULL), VTM_STORE_ANSWER_MAX,
	       "%s: %d messages a call",
	       s->name, VTM_STORE_ANSWER_MAX);
	diag("%s: %.1f ms for %u messages", s->name, (double)(g_get_monotonic_time() - start) / 1000, told);
	is_int(vtm_store_journal_answer(st, &k, &bad, quiet, &told, NULL), 1, "%s: the rest by the next", s->name);
	is_int(vtm_store_journal_answer(st, &k, &bad, quiet, &told, NULL), 0, "%s: then none", s->name);
	is_int(told, VTM_STORE_ANSWER_MAX + 1, "%s: each told once", s->name);
	vtm_store_close(st);
}

/* ---- late, meta ---- */

struct late_seen { GString *text; int64_t last; };

static void keep_late(const struct vtm_late *l, void *arg)
{
	struct late_seen *seen = arg;

	seen->last = l->id;
	g_string_append_printf(seen->text, "%s:%d ", l->json, l->attempts);
}

static int64_t is_late(struct suite *s, struct vtm_store *st, unsigned max, const char *want, const char *what)
{
	struct late_seen seen = { g_string_new(""), 0 };

	vtm_store_late_due(st, max, keep_late, &seen, NULL);
	is_str(seen.text->str, want, "%s: %s", s->name, what);
	g_string_free(seen.text, TRUE);
	return seen.last;
}

static void late(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON), *other = suite_again(s, "mx2");
	char *most = g_strnfill(VTM_STORE_LATE_BYTES, 'j'), *more = g_strnfill(VTM_STORE_LATE_BYTES + 1, 'j');
	int rc;
	GError *error = NULL;
	int64_t id;

	ok(!vtm_store_late_add(st, "one", NULL) && !vtm_store_late_add(st, "two", NULL) &&
	   !vtm_store_late_add(other, "theirs", NULL), "%s: late verdicts of two hosts", s->name);
	id = is_late(s, st, 1, "one:0 ", "oldest first, bounded");
	vtm_store_late_retry(st, id, SUITE_NOON + 1000, NULL);
	id = is_late(s, st, 10, "two:0 ", "one that failed waits");
	vtm_store_late_done(st, id, NULL);
	vtm_clock_manual_advance(s->clock, 999);
	is_late(s, st, 10, "", "until its time");
	vtm_clock_manual_advance(s->clock, 1);
	id = is_late(s, st, 10, "one:1 ", "then it is due again, its attempts counted");
	is_late(s, other, 10, "theirs:0 ", "each host has its own");
	vtm_store_late_done(st, id, NULL);
	vtm_store_late_retry(st, id, 0, NULL);
	is_late(s, st, 10, "", "what is done does not come back");
	/* on a busy machine, so much may take longer than VTM_STORE_WAIT_MS: then the caller comes again */
	rc = vtm_store_late_add(st, most, NULL);
	for (int tries = 0; rc < 0 && tries < 20; tries++) {
		g_usleep(100000);
		rc = vtm_store_late_add(st, most, NULL);
	}
	is_int(rc, 0, "%s: %d bytes are taken", s->name, VTM_STORE_LATE_BYTES);
	ok(vtm_store_late_add(st, more, &error) < 0 && failed_as(&error, VTM_ERROR_LIMIT), "%s: one more is not",
	   s->name);
	vtm_store_begin(st, NULL);
	for (int i = 1; i < VTM_STORE_LATE_MAX - 1; i++)
		vtm_store_late_add(st, "x", NULL);
	is_int(vtm_store_commit(st, NULL), 0, "%s: up to %d wait, of all hosts", s->name, VTM_STORE_LATE_MAX);
	ok(vtm_store_late_add(st, "x", &error) < 0 && failed_as(&error, VTM_ERROR_LIMIT), "%s: one more is refused",
	   s->name);
	g_free(most);
	g_free(more);
	vtm_store_close(st);
	vtm_store_close(other);
}

static void meta(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON), *other = suite_again(s, "mx2");
	char *name = g_strnfill(VTM_STORE_META_NAME, 'n'), *most = g_strnfill(VTM_STORE_META_VALUE, 'v');
	char *long_name = g_strconcat(name, "n", NULL), *more = g_strconcat(most, "v", NULL), *value;

	is_int(vtm_store_meta_get(st, "a", &value, NULL), 0, "%s: no such name", s->name);
	vtm_store_meta_set(st, "a", "1", NULL);
	vtm_store_meta_set(st, "a", "2\xff", NULL);
	is_int(vtm_store_meta_get(other, "a", &value, NULL), 1, "%s: a named value", s->name);
	is_str(value, "2\xff", "%s: the last one set", s->name);
	g_free(value);
	vtm_store_meta_set(other, "a", NULL, NULL);
	is_int(vtm_store_meta_get(st, "a", &value, NULL), 0, "%s: deleted", s->name);
	is_int(vtm_store_meta_set(st, name, most, NULL), 0, "%s: the longest name and value", s->name);
	ok(vtm_store_meta_get(st, name, &value, NULL) == 1 && !strcmp(value, most), "%s: come back", s->name);
	g_free(value);
	is_int(vtm_store_meta_set(st, long_name, "1", NULL), -1, "%s: a longer name is refused", s->name);
	is_int(vtm_store_meta_set(st, "a", more, NULL), -1, "%s: a longer value too", s->name);
	g_free(name);
	g_free(most);
	g_free(long_name);
	g_free(more);
	vtm_store_close(st);
	vtm_store_close(other);
}

/* ---- copying ---- */

static void count_verdict(const struct vtm_key *key, const struct vtm_cached *c, void *arg)
{
	(void)key;
	*(unsigned *)arg += c->found && c->report.malicious;
}

static void each_verdict(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON);
	struct vtm_report r = { .verdict = VTM_BAD, .malicious = 1 };
	unsigned sum = 0;

	vtm_store_begin(st, NULL);
	for (unsigned i = 0; i < 2500; i++)
		put(st, i, &r, SUITE_NOON + (i < 2 ? 10 : DAY));
	vtm_store_commit(st, NULL);
	vtm_clock_manual_advance(s->clock, 20);
	is_int(vtm_store_verdicts_each(st, count_verdict, &sum, NULL), 2498, "%s: every fresh verdict is given", s->name);
	is_int(sum, 2498, "%s: once", s->name);
	vtm_store_close(st);
}

static char *journal_text(struct vtm_store *st)
{
	GString *text = g_string_new("");
	struct vtm_journal_filter f = { .max = VTM_STORE_LIST_MAX };

	vtm_store_journal_list(st, &f, keep_message, text, NULL);
	return g_string_free(text, FALSE);
}

static gint by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In any order: messages of one millisecond may change theirs. */
static bool same_lines(const char *a, const char *b)
{
	char **x = g_strsplit(a, "\n", -1), **y = g_strsplit(b, "\n", -1);
	bool same;

	qsort(x, g_strv_length(x), sizeof(*x), by_text);
	qsort(y, g_strv_length(y), sizeof(*y), by_text);
	same = g_strv_equal((const char *const *)x, (const char *const *)y);
	g_strfreev(x);
	g_strfreev(y);
	return same;
}

void suite_copy(struct suite *from, struct suite *to)
{
	struct vtm_store *a = suite_fresh(from, SUITE_NOON), *b = suite_fresh(to, SUITE_NOON);
	struct vtm_queued q = { .lookup = suite_lookup(7), .op = 1, .since_ms = 5 };
	struct vtm_key k = suite_key(1);
	struct vtm_cached c;
	struct vtm_sighting seen = { .key = { .kind = VTM_HISTORY_FROM, .id = 5 }, .hour = 480000, .messages = 3 };
	struct vtm_history_day day = { 20000, 3, 1 }, back;
	uint8_t secrets[2][VTM_HISTORY_SECRET];
	struct vtm_store_copied copied;
	struct vtm_history h;
	char *want, *got;
	GError *error = NULL;

	for (unsigned i = 0; i < 1500; i++)
		put(a, i, &bad, SUITE_NOON + DAY);
	for (unsigned i = 0; i < 30; i++)
		add_one(a, "Q", SUITE_NOON + i / 3, i, 1, VTM_PENDING);
	vtm_store_queue_put(a, &q, NULL);
	vtm_store_late_add(a, "late", NULL);
	vtm_store_history_secret(a, secrets[0], NULL);
	vtm_store_history_note(a, &seen, 1, NULL);
	vtm_store_history_count(a, &day, NULL);
	take(a, &public_key, VTM_SPEND_URL, 3, NULL);
	vtm_store_budget_raise(a, 40, 400, NULL);
	is_int(vtm_store_copy(a, b, &copied, &error), 0, "from %s to %s", from->name, to->name);
	if (error)
		diag("%s", error->message);
	ok(copied.verdicts == 1500 && copied.messages == 30 && copied.queued == 1 && copied.late == 1 &&
	   copied.history == 1,
	   "all of it: %u verdicts, %u messages, %u queued, %u late", copied.verdicts, copied.messages, copied.queued,
	   copied.late);
	ok(vtm_store_verdicts_get(b, &k, 1, &c, NULL) == 1 && same_report(&c.report, &bad), "verdicts");
	is_used(to, b, 40, 400, 3, "as in the other");
	is_queue(to, b, 10, "http://host7.example/ 1 0 5 0 0 - mx1\n", "the queue");
	is_late(to, b, 10, "late:0 ", "late verdicts");
	vtm_store_history_secret(b, secrets[1], NULL);
	ok(vtm_store_history_get(b, &seen.key, 1, &h, NULL) == 1 && h.messages == 3 &&
	   !memcmp(secrets[0], secrets[1], sizeof(secrets[0])), "the history, with the secret it is named by");
	ok(vtm_store_history_days(b, &back, 1, NULL) == 1 && back.day == 20000 && back.messages == 3 &&
	   back.wanted == 1, "and its days");
	want = journal_text(a);
	got = journal_text(b);
	ok(same_lines(want, got), "the journal");
	is_answered(to, b, 1, &clean, 30, NULL, "whose items still wait");
	ok(vtm_store_copy(a, b, &copied, &error) < 0 && failed_as(&error, VTM_ERROR_LIMIT), "a second time is refused");
	g_free(want);
	g_free(got);
	vtm_lookup_free(q.lookup);
	vtm_store_close(a);
	vtm_store_close(b);
}

void suite_copy_again(struct suite *from, struct suite *to)
{
	struct vtm_store *a = suite_fresh(from, SUITE_NOON), *b = suite_fresh(to, SUITE_NOON);
	struct vtm_store_copied copied;
	GError *error = NULL;
	char *want, *got;

	add_one(a, "Q1", SUITE_NOON, 1, 1, VTM_PENDING);
	add_one(a, "Q2", SUITE_NOON, 1, 1, VTM_PENDING);
	vtm_store_late_add(a, "one", NULL);
	vtm_store_copy(a, b, &copied, NULL);
	/* as one leaves it that was killed before it came to the rest */
	vtm_store_meta_set(b, "copying", "1", NULL);
	add_one(a, "Q3", SUITE_NOON, 1, 1, VTM_PENDING);
	vtm_store_late_add(a, "two", NULL);
	is_int(vtm_store_copy(a, b, &copied, &error), 0, "from %s to %s, where one broke off", from->name, to->name);
	if (error)
		diag("%s", error->message);
	ok(copied.messages == 1 && copied.late == 1, "only the rest: %u messages, %u late", copied.messages, copied.late);
	is_late(to, b, 10, "one:0 two:0 ", "late verdicts once");
	want = journal_text(a);
	got = journal_text(b);
	ok(same_lines(want, got), "the journal, each message once");
	ok(vtm_store_copy(a, b, &copied, &error) < 0 && failed_as(&error, VTM_ERROR_LIMIT), "now it is whole: refused");
	g_free(want);
	g_free(got);
	vtm_store_close(a);
	vtm_store_close(b);
}

static void read_only(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON), *looker;
	struct vtm_store_settings saved = s->settings;
	struct vtm_lookup *l = suite_lookup(1);
	struct vtm_cached out;
	vtm_slot slot;
	GError *error = NULL;

	put(st, 1, &bad, SUITE_NOON + DAY);
	take(st, &public_key, VTM_SPEND_URL, 2, NULL);
	s->settings.read_only = true;
	looker = suite_again(s, "mx1");
	is_int(vtm_store_verdicts_get(looker, &l->key, 1, &out, NULL), 1, "%s: one who only looks sees verdicts",
	       s->name);
	is_used(s, looker, 2, 2, 2, "as he sees it");
	ok(vtm_store_verdict_put(looker, l, &bad, SUITE_NOON + DAY, &error) < 0 && failed_as(&error, VTM_ERROR_STORE),
	   "%s: but changes nothing", s->name);
	ok(vtm_store_budget_take(looker, &public_key, VTM_SPEND_URL, 1, &slot, &error) < 0 &&
	   failed_as(&error, VTM_ERROR_STORE), "%s: nor takes requests", s->name);
	is_int(vtm_store_begin(looker, NULL), -1, "%s: nor begins to", s->name);
	s->settings = saved;
	vtm_lookup_free(l);
	vtm_store_close(looker);
	vtm_store_close(st);
}

void suite_run(struct suite *s)
{
	verdicts(s);
	verdict_batches(s);
	window(s);
	carried(s);
	day_and_month(s);
	midnight(s);
	raised(s);
	utc(s);
	queue(s);
	leases(s);
	watching(s);
	journal_fields(s);
	journal_lists(s);
	answers(s);
	many_answers(s);
	late(s);
	meta(s);
	each_verdict(s);
	suite_history(s);
	read_only(s);
}
