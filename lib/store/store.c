/* SPDX-License-Identifier: BSD-2-Clause */
/* store.c - checks arguments and bounds, then calls the backend. */
#include "build-config.h"

#include "store/store.h"

#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "store/backend.h"

#define SERVER_UTC_MIN (G_GINT64_CONSTANT(1577836800) * 1000)	/* 2020 */
#define SERVER_UTC_MAX (G_GINT64_CONSTANT(7258118400) * 1000)	/* 2200 */

void vtm_store_close(struct vtm_store *s)
{
	if (s)
		s->ops->close(s);
}

bool vtm_store_shared(const struct vtm_store *s)
{
	return s->shared;
}

const char *vtm_store_warning(const struct vtm_store *s)
{
	return s->warning;
}

/* ---- settings ---- */

static const size_t setting_texts[] = {
	offsetof(struct vtm_store_settings, host), offsetof(struct vtm_store_settings, password_file),
	offsetof(struct vtm_store_settings, ca_file), offsetof(struct vtm_store_settings, cert_file),
	offsetof(struct vtm_store_settings, key_file), offsetof(struct vtm_store_settings, prefix),
};

static char **text_at(const struct vtm_store_settings *s, unsigned i)
{
	return (char **)((uintptr_t)s + setting_texts[i]);
}

void vtm_store_settings_copy(struct vtm_store_settings *to, const struct vtm_store_settings *from)
{
	*to = *from;
	for (unsigned i = 0; i < G_N_ELEMENTS(setting_texts); i++)
		*text_at(to, i) = g_strdup(*text_at(from, i));
}

void vtm_store_settings_clear(struct vtm_store_settings *s)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(setting_texts); i++)
		g_free(*text_at(s, i));
	memset(s, 0, sizeof(*s));
}

bool vtm_store_settings_equal(const struct vtm_store_settings *a, const struct vtm_store_settings *b)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(setting_texts); i++)
		if (g_strcmp0(*text_at(a, i), *text_at(b, i)))
			return false;
	return a->read_only == b->read_only && a->clock == b->clock;
}

/* ---- checks that are the same for all backends ---- */

static bool may_change(const struct vtm_store *s, GError **error)
{
	if (!s->read_only)
		return true;
	g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "the store was opened for reading only");
	return false;
}

static bool within(size_t n, size_t max, const char *what, GError **error)
{
	if (n <= max)
		return true;
	g_set_error(error, VTM_ERROR, VTM_ERROR_LIMIT, "the store takes at most %zu %s, not %zu", max, what, n);
	return false;
}

static bool is_answer(const struct vtm_report *r, GError **error)
{
	if (vtm_verdict_is_answer(r->verdict))
		return true;
	g_set_error(error, VTM_ERROR, VTM_ERROR_FORMAT, "\"%s\" is no answer of VirusTotal: not stored",
		    vtm_verdict_name(r->verdict));
	return false;
}

/* Ends a write; a failure ends the caller's transaction too. */
static int ended(struct vtm_store *s, int result)
{
	if (result < 0 && s->ops->rollback)
		s->ops->rollback(s);
	return result;
}

int vtm_store_begin(struct vtm_store *s, GError **error)
{
	return may_change(s, error) ? s->ops->begin(s, error) : -1;
}

int vtm_store_commit(struct vtm_store *s, GError **error)
{
	return may_change(s, error) ? s->ops->commit(s, error) : -1;
}

/* ---- verdicts ---- */

int vtm_store_verdicts_get(struct vtm_store *s, const struct vtm_key *keys, size_t n, struct vtm_cached *out,
			   GError **error)
{
	if (!within(n, VTM_STORE_BATCH, "keys", error))
		return -1;
	if (!n)
		return 0;
	memset(out, 0, n * sizeof(*out));
	return s->ops->verdicts_get(s, keys, n, out, error);
}

int vtm_store_verdict_put(struct vtm_store *s, const struct vtm_lookup *l, const struct vtm_report *r,
			  int64_t expires_ms, GError **error)
{
	bool good = may_change(s, error) && is_answer(r, error);

	return ended(s, good ? s->ops->verdict_put(s, l, r, expires_ms, error) : -1);
}

int vtm_store_verdict_forget(struct vtm_store *s, const struct vtm_key *key, GError **error)
{
	return ended(s, may_change(s, error) ? s->ops->verdict_forget(s, key, error) : -1);
}

int vtm_store_verdicts_expire(struct vtm_store *s, unsigned max, GError **error)
{
	return ended(s, may_change(s, error) ? s->ops->verdicts_expire(s, max, error) : -1);
}

int vtm_store_verdicts_each(struct vtm_store *s, vtm_verdict_each *each, void *arg, GError **error)
{
	return s->ops->verdicts_each(s, each, arg, error);
}

/* ---- budget ---- */

int vtm_store_budget_take(struct vtm_store *s, const struct vtm_budget_limits *limits, enum vtm_spender who,
			  unsigned want, vtm_slot *slots_r, GError **error)
{
	bool good = may_change(s, error) && within(want, VTM_STORE_BATCH, "requests at once", error);

	if (good && !want)
		return 0;
	return ended(s, good ? s->ops->budget_take(s, limits, who, want, slots_r, error) : -1);
}

int vtm_store_budget_settle(struct vtm_store *s, vtm_slot slot, GError **error)
{
	return ended(s, may_change(s, error) ? s->ops->budget_settle(s, slot, error) : -1);
}

int vtm_store_budget_read(struct vtm_store *s, struct vtm_budget *b, GError **error)
{
	return s->ops->budget_read(s, b, error);
}

int vtm_store_budget_raise(struct vtm_store *s, uint32_t day_used, uint32_t month_used, GError **error)
{
	return ended(s, may_change(s, error) ? s->ops->budget_raise(s, day_used, month_used, error) : -1);
}

int vtm_store_budget_carry(struct vtm_store *s, unsigned slots, uint32_t day_used, uint32_t month_used, GError **error)
{
	static const struct vtm_budget_limits no_limit = { 0 };
	vtm_slot taken[VTM_STORE_BATCH];
	GError *own = NULL;
	int n = 1;

	for (unsigned left = slots; left && n > 0; left -= (unsigned)n)
		n = vtm_store_budget_take(s, &no_limit, VTM_SPEND_MANUAL, MIN(left, VTM_STORE_BATCH), taken, &own);
	if (n < 0 && !g_error_matches(own, VTM_ERROR, VTM_ERROR_BUDGET_LOST)) {
		g_propagate_error(error, own);
		return -1;
	}
	g_clear_error(&own);
	return vtm_store_budget_raise(s, MAX(day_used, slots), MAX(month_used, slots), error);
}

static bool is_server_time(int64_t utc_ms, GError **error)
{
	if (utc_ms >= SERVER_UTC_MIN && utc_ms < SERVER_UTC_MAX)
		return true;
	g_set_error(error, VTM_ERROR, VTM_ERROR_FORMAT, "%" G_GINT64_FORMAT " ms cannot be the server's time", utc_ms);
	return false;
}

int vtm_store_budget_sync(struct vtm_store *s, int64_t utc_ms, GError **error)
{
	bool good = may_change(s, error) && is_server_time(utc_ms, error);

	return ended(s, good ? s->ops->budget_sync(s, utc_ms, error) : -1);
}

int vtm_store_budget_utc(struct vtm_store *s, int64_t *utc_ms_r, GError **error)
{
	return s->ops->budget_utc(s, utc_ms_r, error);
}

/* ---- queue and leases ---- */

int vtm_store_queue_put(struct vtm_store *s, const struct vtm_queued *q, GError **error)
{
	return ended(s, may_change(s, error) ? s->ops->queue_put(s, q, error) : -1);
}

int vtm_store_queue_delete(struct vtm_store *s, const struct vtm_key *key, GError **error)
{
	return ended(s, may_change(s, error) ? s->ops->queue_delete(s, key, error) : -1);
}

int vtm_store_queue_load(struct vtm_store *s, unsigned max, vtm_queued_each *each, void *arg, GError **error)
{
	return s->ops->queue_load(s, MIN(max, VTM_STORE_LIST_MAX), each, arg, error);
}

int vtm_store_lease(struct vtm_store *s, const struct vtm_key *key, int64_t ms, GError **error)
{
	return ended(s, may_change(s, error) ? s->ops->lease(s, key, ms, error) : -1);
}

int vtm_store_lease_drop(struct vtm_store *s, const struct vtm_key *key, GError **error)
{
	return ended(s, may_change(s, error) ? s->ops->lease_drop(s, key, error) : -1);
}

int vtm_store_lease_end(struct vtm_store *s, const struct vtm_key *key, GError **error)
{
	if (!s->ops->lease_end)
		return vtm_store_lease_drop(s, key, error);
	return ended(s, may_change(s, error) ? s->ops->lease_end(s, key, error) : -1);
}

int vtm_store_watch(struct vtm_store *s, void (*wake)(void *), void *arg, GError **error)
{
	return s->ops->watch ? s->ops->watch(s, wake, arg, error) : 0;
}

bool vtm_store_is_watching(const struct vtm_store *s)
{
	return s->ops->is_watching && s->ops->is_watching(s);
}

unsigned vtm_store_take_ended(struct vtm_store *s, struct vtm_key *keys, bool *missed_r)
{
	*missed_r = false;
	return s->ops->take_ended ? s->ops->take_ended(s, keys, missed_r) : 0;
}

/* ---- journal ---- */

enum vtm_journal_open vtm_journal_open(const struct vtm_journal_item *item)
{
	if (!item->has_key)
		return VTM_OPEN_FINAL;
	switch (item->item->report.verdict) {
	case VTM_PENDING:
	case VTM_BYPASSED:
		return VTM_OPEN_UNANSWERED;
	case VTM_UNKNOWN:
		return VTM_OPEN_UNKNOWN;
	case VTM_IGNORED:
	case VTM_CLEAN:
	case VTM_BAD:
		break;
	}
	return VTM_OPEN_FINAL;
}

void vtm_journal_message_clear(struct vtm_journal_message *m)
{
	g_free(m->host);
	g_free(m->queue_id);
	g_free(m->message_id);
	g_free(m->sender);
	g_strfreev(m->recipients);
	g_free(m->client);
	memset(m, 0, sizeof(*m));
}

int vtm_store_journal_add(struct vtm_store *s, struct vtm_journal_message *m, const struct vtm_journal_item *items,
			  size_t n, GError **error)
{
	bool good = may_change(s, error) && within(n, VTM_STORE_ITEMS_MAX, "items of a message", error);

	return ended(s, good ? s->ops->journal_add(s, m, items, n, error) : -1);
}

int vtm_store_journal_answer(struct vtm_store *s, const struct vtm_key *key, const struct vtm_report *r,
			     vtm_journal_turned *turned, void *arg, GError **error)
{
	bool good = may_change(s, error) && is_answer(r, error);

	return ended(s, good ? s->ops->journal_answer(s, key, r, turned, arg, error) : -1);
}

int vtm_store_journal_list(struct vtm_store *s, const struct vtm_journal_filter *f, vtm_journal_each *each, void *arg,
			   GError **error)
{
	struct vtm_journal_filter bounded = *f;

	bounded.max = MIN(f->max, VTM_STORE_LIST_MAX);
	return s->ops->journal_list(s, &bounded, each, arg, error);
}

int vtm_store_journal_find(struct vtm_store *s, const char *id, vtm_journal_each *each, void *arg, GError **error)
{
	return s->ops->journal_find(s, id, each, arg, error);
}

int vtm_store_journal_expire(struct vtm_store *s, int64_t before_ms, unsigned max, GError **error)
{
	return ended(s, may_change(s, error) ? s->ops->journal_expire(s, before_ms, max, error) : -1);
}

/* ---- history ---- */

static bool is_key(const struct vtm_history_key *key, GError **error)
{
	if (key->kind < VTM_HISTORY_KINDS && key->id >> 60 == 0)
		return true;
	g_set_error(error, VTM_ERROR, VTM_ERROR_FORMAT, "not a key of the history");
	return false;
}

int vtm_store_history_secret(struct vtm_store *s, uint8_t secret[VTM_HISTORY_SECRET], GError **error)
{
	char made[VTM_SHA256_HEX], *value = NULL;
	int rc;

	G_STATIC_ASSERT(VTM_HISTORY_SECRET == VTM_SHA256_LEN);
	rc = vtm_store_meta_get(s, VTM_STORE_SECRET, &value, error);
	if (rc == 0 && may_change(s, error)) {
		vtm_random(secret, VTM_HISTORY_SECRET);
		vtm_hex(secret, made);
		rc = ended(s, s->ops->meta_default(s, VTM_STORE_SECRET, made, error));
		if (rc >= 0)
			rc = vtm_store_meta_get(s, VTM_STORE_SECRET, &value, error);
	} else if (rc == 0) {
		rc = -1;
	}
	if (rc >= 0 && (!value || vtm_unhex(value, secret) < 0)) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "the history's secret cannot be read");
		rc = -1;
	}
	g_free(value);
	return rc < 0 ? -1 : 0;
}

int vtm_store_history_live(struct vtm_store *s, uint32_t hour, uint32_t *since_r, GError **error)
{
	char *value = NULL, text[16];
	int rc = vtm_store_meta_get(s, VTM_STORE_LIVE, &value, error);

	*since_r = 0;
	if (rc == 0 && hour) {
		g_snprintf(text, sizeof(text), "%u", hour);
		rc = may_change(s, error) ? ended(s, s->ops->meta_default(s, VTM_STORE_LIVE, text, error)) : -1;
		if (rc >= 0)
			rc = vtm_store_meta_get(s, VTM_STORE_LIVE, &value, error);
	}
	if (value)
		*since_r = (uint32_t)g_ascii_strtoull(value, NULL, 10);
	g_free(value);
	return rc < 0 ? -1 : 0;
}

int vtm_store_history_get(struct vtm_store *s, const struct vtm_history_key *keys, size_t n, struct vtm_history *out,
			  GError **error)
{
	if (!within(n, VTM_STORE_BATCH, "keys", error))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!is_key(&keys[i], error))
			return -1;
	if (!n)
		return 0;
	memset(out, 0, n * sizeof(*out));
	return s->ops->history_get(s, keys, n, out, error);
}

int vtm_store_history_note(struct vtm_store *s, const struct vtm_sighting *sightings, size_t n, GError **error)
{
	bool good = may_change(s, error) && within(n, VTM_STORE_BATCH, "sightings", error);

	for (size_t i = 0; good && i < n; i++)
		good = is_key(&sightings[i].key, error);
	if (good && !n)
		return 0;
	return ended(s, good ? s->ops->history_note(s, sightings, n, error) : -1);
}

int vtm_store_history_count(struct vtm_store *s, const struct vtm_history_day *d, GError **error)
{
	return ended(s, may_change(s, error) ? s->ops->history_count(s, d, error) : -1);
}

int vtm_store_history_days(struct vtm_store *s, struct vtm_history_day *out, size_t max, GError **error)
{
	if (!within(max, VTM_HISTORY_DAYS_MAX, "days", error))
		return -1;
	return s->ops->history_days(s, out, max, error);
}

int vtm_store_history_reach(struct vtm_store *s, uint16_t today, GError **error)
{
	struct vtm_history_day days[VTM_HISTORY_DAYS_MAX];
	int n = vtm_store_history_days(s, days, VTM_HISTORY_DAYS_MAX, error);

	return n < 0 ? -1 : (int)vtm_history_reach(days, (size_t)n, today);
}

int vtm_store_history_expire(struct vtm_store *s, uint16_t before_day, unsigned keep, unsigned max, GError **error)
{
	return ended(s, may_change(s, error) ? s->ops->history_expire(s, before_day, keep, max, error) : -1);
}

int vtm_store_history_size(struct vtm_store *s, unsigned size_r[VTM_HISTORY_KINDS], GError **error)
{
	return s->ops->history_size(s, size_r, error);
}

int vtm_store_history_each(struct vtm_store *s, vtm_history_each *each, void *arg, GError **error)
{
	return s->ops->history_each(s, each, arg, error);
}

int vtm_store_history_put(struct vtm_store *s, const struct vtm_history_key *key, const struct vtm_history *h,
			  GError **error)
{
	bool good = may_change(s, error) && is_key(key, error);

	return ended(s, good ? s->ops->history_put(s, key, h, error) : -1);
}

/* ---- late verdicts, meta ---- */

int vtm_store_late_add(struct vtm_store *s, const char *json, GError **error)
{
	GError *failure = NULL;
	bool good = may_change(s, &failure) &&
		    within(strlen(json), VTM_STORE_LATE_BYTES, "bytes of a late verdict", &failure);
	int rc = good ? s->ops->late_add(s, json, &failure) : -1;

	/* the caller's transaction goes on without a late verdict for which there is no room */
	if (!g_error_matches(failure, VTM_ERROR, VTM_ERROR_LIMIT))
		ended(s, rc);
	if (failure)
		g_propagate_error(error, failure);
	return rc;
}

int vtm_store_late_due(struct vtm_store *s, unsigned max, vtm_late_each *each, void *arg, GError **error)
{
	return s->ops->late_due(s, MIN(max, VTM_STORE_LIST_MAX), each, arg, error);
}

int vtm_store_late_done(struct vtm_store *s, int64_t id, GError **error)
{
	return ended(s, may_change(s, error) ? s->ops->late_done(s, id, error) : -1);
}

int vtm_store_late_retry(struct vtm_store *s, int64_t id, int64_t not_before_ms, GError **error)
{
	return ended(s, may_change(s, error) ? s->ops->late_retry(s, id, not_before_ms, error) : -1);
}

int vtm_store_meta_set(struct vtm_store *s, const char *name, const char *value, GError **error)
{
	bool good = may_change(s, error) && within(strlen(name), VTM_STORE_META_NAME, "bytes of a name", error) &&
		    within(value ? strlen(value) : 0, VTM_STORE_META_VALUE, "bytes of a named value", error);

	return ended(s, good ? s->ops->meta_set(s, name, value, error) : -1);
}

int vtm_store_meta_get(struct vtm_store *s, const char *name, char **value_r, GError **error)
{
	*value_r = NULL;
	return s->ops->meta_get(s, name, value_r, error);
}
