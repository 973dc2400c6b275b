/* SPDX-License-Identifier: BSD-2-Clause */
/* store-suite-history.c - what every store backend must do with the history. */
#include <string.h>

#include "base/error.h"
#include "store-suite.h"
#include "tap.h"

#define DAY 20000
#define HOUR0 (24u * DAY)

static struct vtm_history_key key(unsigned kind, uint64_t n)
{
	return (struct vtm_history_key){ .kind = (uint8_t)kind, .id = n << 48 | n };
}

static struct vtm_sighting seen(unsigned kind, uint64_t n, uint32_t hour)
{
	return (struct vtm_sighting){ .key = key(kind, n), .hour = hour, .messages = 1, .sender = (uint32_t)n + 1 };
}

static bool failed_as(GError **error, enum vtm_error code)
{
	bool same = g_error_matches(*error, VTM_ERROR, (int)code);

	g_clear_error(error);
	return same;
}

static void secret(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON), *other;
	uint8_t a[VTM_HISTORY_SECRET], b[VTM_HISTORY_SECRET], zero[VTM_HISTORY_SECRET] = { 0 };

	ok(vtm_store_history_secret(st, a, NULL) == 0 && memcmp(a, zero, sizeof(a)), "%s: a store makes a secret",
	   s->name);
	other = suite_again(s, "mx2");
	ok(vtm_store_history_secret(other, b, NULL) == 0 && !memcmp(a, b, sizeof(a)), "%s: which all hosts use",
	   s->name);
	vtm_store_close(other);
	vtm_store_close(st);
}

static void records(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON), *other;
	struct vtm_history_key keys[3] = { key(0, 1), key(1, 1), key(0, 2) }, junk = key(0, 1);
	struct vtm_sighting list[4] = { seen(0, 1, HOUR0), seen(1, 1, HOUR0), seen(0, 1, HOUR0 + 24),
					seen(2, 4095, HOUR0) };
	struct vtm_history out[3];
	unsigned size[VTM_HISTORY_KINDS];
	GError *error = NULL;

	is_int(vtm_store_history_get(st, keys, 3, out, NULL), 0, "%s: nothing was seen yet", s->name);
	is_int(vtm_store_history_note(st, list, 4, NULL), 3, "%s: four sightings of three names", s->name);
	is_int(vtm_store_history_get(st, keys, 3, out, NULL), 2, "%s: are found", s->name);
	ok(out[0].found && out[1].found && !out[2].found, "%s: each at its place", s->name);
	ok(out[0].first_hour == HOUR0 && out[0].last_day == DAY + 1 && out[0].days == 2 && out[0].messages == 2 &&
	   out[0].n_senders == 1 && out[0].senders[0] == 2, "%s: the same name twice in one call", s->name);
	other = suite_again(s, "mx2");
	list[0].sender = 77;
	list[0].answer = VTM_HISTORY_BAD;
	is_int(vtm_store_history_note(other, list, 1, NULL), 0, "%s: another process changes a record", s->name);
	ok(vtm_store_history_get(st, keys, 1, out, NULL) == 1 && out[0].messages == 3 && out[0].n_senders == 2 &&
	   out[0].answer == VTM_HISTORY_BAD && out[0].answer_hour == HOUR0, "%s: for all", s->name);
	vtm_store_close(other);
	ok(vtm_store_history_size(st, size, NULL) == 0 && size[0] == 1 && size[1] == 1 && size[2] == 1,
	   "%s: a record of each kind", s->name);
	junk.kind = VTM_HISTORY_KINDS;
	ok(vtm_store_history_get(st, &junk, 1, out, &error) < 0 && failed_as(&error, VTM_ERROR_FORMAT),
	   "%s: a kind that is none is refused", s->name);
	junk = (struct vtm_history_key){ .id = UINT64_C(1) << 60 };
	ok(vtm_store_history_get(st, &junk, 1, out, &error) < 0 && failed_as(&error, VTM_ERROR_FORMAT),
	   "%s: so is an id beyond its bits", s->name);
	vtm_store_close(st);
}

static void batches(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON);
	struct vtm_sighting *list = g_new0(struct vtm_sighting, VTM_STORE_BATCH + 1);
	struct vtm_history_key *keys = g_new(struct vtm_history_key, VTM_STORE_BATCH + 1);
	struct vtm_history *out = g_new(struct vtm_history, VTM_STORE_BATCH + 1);
	unsigned wrong = 0;
	GError *error = NULL;

	for (unsigned i = 0; i <= VTM_STORE_BATCH; i++) {
		list[i] = seen(0, i, HOUR0 + i);
		keys[i] = list[i].key;
	}
	is_int(vtm_store_history_note(st, list, VTM_STORE_BATCH, NULL), VTM_STORE_BATCH, "%s: %d sightings at once",
	       s->name, VTM_STORE_BATCH);
	is_int(vtm_store_history_get(st, keys, VTM_STORE_BATCH, out, NULL), VTM_STORE_BATCH, "%s: are read at once",
	       s->name);
	for (unsigned i = 0; i < VTM_STORE_BATCH; i++)
		wrong += out[i].first_hour != HOUR0 + i;
	is_int(wrong, 0, "%s: none mixed up", s->name);
	ok(vtm_store_history_note(st, list, VTM_STORE_BATCH + 1, &error) < 0 && failed_as(&error, VTM_ERROR_LIMIT),
	   "%s: one more is refused", s->name);
	ok(vtm_store_history_get(st, keys, VTM_STORE_BATCH + 1, out, &error) < 0 &&
	   failed_as(&error, VTM_ERROR_LIMIT), "%s: for reading, too", s->name);
	is_int(vtm_store_history_note(st, list, 0, NULL), 0, "%s: none is none", s->name);
	vtm_store_close(st);
	g_free(list);
	g_free(keys);
	g_free(out);
}

static void bounds(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON);
	struct vtm_history_key keys[10];
	struct vtm_sighting list[20];
	struct vtm_history out[10];
	unsigned size[VTM_HISTORY_KINDS];

	for (unsigned i = 0; i < 10; i++) {
		list[i] = seen(0, i, HOUR0 + 24 * i);
		list[10 + i] = seen(1, i, HOUR0 + 24 * i);
		keys[i] = list[i].key;
	}
	vtm_store_history_note(st, list, 20, NULL);
	is_int(vtm_store_history_expire(st, DAY, 10, 100, NULL), 0, "%s: ten of each kind fit into ten", s->name);
	is_int(vtm_store_history_expire(st, DAY, 9, 1, NULL), 1, "%s: one at most goes where one may go", s->name);
	is_int(vtm_store_history_expire(st, DAY, 9, 100, NULL), 1, "%s: nine of each kind are kept", s->name);
	is_int(vtm_store_history_get(st, keys, 10, out, NULL), 9, "%s: nine are there", s->name);
	ok(!out[0].found, "%s: what was not seen for longest went", s->name);
	is_int(vtm_store_history_expire(st, DAY + 5, 9, 3, NULL), 3, "%s: old ones go by and by", s->name);
	is_int(vtm_store_history_expire(st, DAY + 5, 9, 100, NULL), 5, "%s: and then all", s->name);
	ok(vtm_store_history_get(st, keys, 10, out, NULL) == 5 && out[5].found && !out[4].found,
	   "%s: those of the first day to keep stay", s->name);
	list[0] = seen(0, 5, HOUR0 + 24 * 20);
	vtm_store_history_note(st, list, 1, NULL);
	is_int(vtm_store_history_expire(st, DAY, 4, 100, NULL), 2, "%s: one is too much", s->name);
	ok(vtm_store_history_get(st, keys, 10, out, NULL) == 4 && out[5].found && !out[6].found,
	   "%s: one that was seen again stays", s->name);
	vtm_store_history_size(st, size, NULL);
	ok(size[0] == 4 && size[1] == 4 && size[2] == 0, "%s: four of each are left", s->name);
	vtm_store_close(st);
}

static void days(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON);
	struct vtm_history_day out[VTM_HISTORY_DAYS_MAX + 1], a = { DAY, 3, 40 }, b = { DAY - 2, 1, 5 };
	struct vtm_history_day most = { DAY + 1, G_MAXUINT32, G_MAXUINT32 };
	GError *error = NULL;

	is_int(vtm_store_history_days(st, out, 10, NULL), 0, "%s: no day's mail yet", s->name);
	vtm_store_history_count(st, &a, NULL);
	vtm_store_history_count(st, &a, NULL);
	vtm_store_history_count(st, &b, NULL);
	is_int(vtm_store_history_days(st, out, 10, NULL), 2, "%s: two days", s->name);
	ok(out[0].day == DAY && out[0].messages == 6 && out[0].wanted == 80 && out[1].day == DAY - 2 &&
	   out[1].messages == 1 && out[1].wanted == 5, "%s: the newest first, added up", s->name);
	is_int(vtm_store_history_reach(st, DAY, NULL), 1, "%s: one of them before today", s->name);
	is_int(vtm_store_history_days(st, out, 1, NULL), 1, "%s: no more than wanted", s->name);
	vtm_store_history_count(st, &most, NULL);
	vtm_store_history_count(st, &most, NULL);
	ok(vtm_store_history_days(st, out, 1, NULL) == 1 && out[0].messages == G_MAXUINT32 &&
	   out[0].wanted == G_MAXUINT32, "%s: they do not run over", s->name);
	vtm_store_history_expire(st, DAY, 100, 100, NULL);
	is_int(vtm_store_history_days(st, out, 10, NULL), 2, "%s: days before the first to keep go", s->name);
	ok(vtm_store_history_days(st, out, VTM_HISTORY_DAYS_MAX + 1, &error) < 0 &&
	   failed_as(&error, VTM_ERROR_LIMIT), "%s: at most %d at once", s->name, VTM_HISTORY_DAYS_MAX);
	vtm_store_close(st);
}

static void count_record(const struct vtm_history_key *k, const struct vtm_history *h, void *arg)
{
	unsigned *n = arg;

	n[0]++;
	n[1] += h->messages;
	n[2] += k->kind;
}

static void each(struct suite *s)
{
	struct vtm_store *st = suite_fresh(s, SUITE_NOON);
	struct vtm_history h = { .found = true, .messages = 7, .days = 1, .last_day = DAY };
	struct vtm_history_key k = key(2, 9);
	struct vtm_sighting list[1000];
	unsigned n[3] = { 0 };

	for (unsigned i = 0; i < 1000; i++)
		list[i] = seen(i % 2, i, HOUR0);
	vtm_store_history_note(st, list, 1000, NULL);
	is_int(vtm_store_history_put(st, &k, &h, NULL), 0, "%s: a record is put", s->name);
	h.messages = 8;
	vtm_store_history_put(st, &k, &h, NULL);
	is_int(vtm_store_history_each(st, count_record, n, NULL), 1001, "%s: every record is handed out", s->name);
	ok(n[0] == 1001 && n[1] == 1008 && n[2] == 502, "%s: once", s->name);
	vtm_store_close(st);
}

void suite_history(struct suite *s)
{
	secret(s);
	records(s);
	batches(s);
	bounds(s);
	days(s);
	each(s);
}
