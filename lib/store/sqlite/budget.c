/* SPDX-License-Identifier: BSD-2-Clause */
/* budget.c - the budget in SQLite: one immediate, synced transaction a change.
 *
 * What was spent is lost in a file that is new or has another inode than when it was last known: it was made anew,
 * restored or replaced.  Then the rules are those of store-redis-script.c.
 */
#include <string.h>

#include "base/error.h"
#include "store/sqlite/sqlite.h"

#define SLOT_AFTER_MS (VTM_WINDOW_MS + VTM_SLOT_MARGIN_MS)

/* What a transaction knows of the time. */
struct now {
	const char *boot_id;
	int64_t boot_ms, utc_ms;
	struct vtm_anchor anchor;
	bool other_boot;	/* slots were last seen by another boot of the machine (or never) */
	bool lost;		/* what was spent is not known */
	int64_t full_ms, again_ms;	/* as in the schema */
	int64_t days[2];
	int32_t months[2];
	unsigned n_days, n_months;
};

static int read_anchor(struct vtm_sqlite *s, struct vtm_anchor *a, GError **error)
{
	sqlite3_stmt *st = vtm_sql_start(s, SQL_ANCHOR_GET, NO_ARGS, error);
	int rc = st ? vtm_sql_step(s, st, error) : -1;
	const char *boot;

	memset(a, 0, sizeof(*a));
	if (rc <= 0)
		return rc;
	boot = (const char *)sqlite3_column_text(st, 0);
	vtm_anchor_set(a, boot ? boot : "", sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2));
	vtm_sql_stop(st);
	return 0;
}

static int save_anchor(struct vtm_sqlite *s, const struct now *t, int64_t utc_ms, GError **error)
{
	return vtm_sql_run(s, SQL_ANCHOR_SET, ARGS(TEXT(t->boot_id), INT(t->boot_ms), INT(utc_ms)), error) < 0 ? -1 : 0;
}

static int read_known(struct vtm_sqlite *s, struct now *t, GError **error)
{
	sqlite3_stmt *st = vtm_sql_start(s, SQL_KNOWN_GET, ARGS(INT(s->inode)), error);
	int rc = st ? vtm_sql_step(s, st, error) : -1;

	t->lost = rc == 0;
	t->full_ms = t->again_ms = 0;
	if (rc <= 0)
		return rc;
	t->full_ms = sqlite3_column_int64(st, 0);
	t->again_ms = sqlite3_column_int64(st, 1);
	vtm_sql_stop(st);
	return 0;
}

static int save_known(struct vtm_sqlite *s, const struct now *t, GError **error)
{
	return vtm_sql_run(s, SQL_KNOWN_SET, ARGS(INT(s->inode), INT(t->full_ms), INT(t->again_ms)), error) < 0 ? -1 :
														  0;
}

static int read_now(struct vtm_sqlite *s, struct now *t, GError **error)
{
	t->boot_id = vtm_boot_id(s->clock);
	t->boot_ms = vtm_boot_ms(s->clock);
	if (read_anchor(s, &t->anchor, error) < 0 || read_known(s, t, error) < 0)
		return -1;
	t->utc_ms = vtm_anchor_utc(&t->anchor, t->boot_id, t->boot_ms, vtm_utc_ms(s->clock));
	/* an anchor holds the first 63 bytes of a name */
	t->other_boot = strncmp(t->anchor.boot_id, t->boot_id, sizeof(t->anchor.boot_id) - 1) != 0;
	t->n_days = vtm_budget_charged_days(t->utc_ms, t->days);
	t->months[0] = vtm_budget_month(t->utc_ms - VTM_MIDNIGHT_AFTER_MS);
	t->months[1] = vtm_budget_month(t->utc_ms + VTM_MIDNIGHT_BEFORE_MS);
	t->n_months = t->months[0] == t->months[1] ? 1 : 2;
	return 0;
}

/* Boot times of another boot mean nothing here: its slots end when the last of its requests is 60 s old for certain. */
static int adopt(struct vtm_sqlite *s, struct now *t, GError **error)
{
	if (!t->other_boot)
		return 0;
	if (vtm_sql_run(s, SQL_SLOT_ADOPT, ARGS(INT(t->boot_ms + SLOT_AFTER_MS)), error) < 0 ||
	    vtm_sql_run(s, SQL_KNOWN_ADOPT, ARGS(INT(t->boot_ms + SLOT_AFTER_MS)), error) < 0 ||
	    read_known(s, t, error) < 0 || save_anchor(s, t, t->utc_ms, error) < 0)
		return -1;
	t->other_boot = false;
	return 1;
}

static int durable_begin(struct vtm_sqlite *s, GError **error)
{
	if (!s->in_transaction)
		return vtm_sql_run(s, SQL_DURABLE_BEGIN, NO_ARGS, error) < 0 ? -1 : 0;
	g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s: the budget cannot be changed inside a transaction",
		    s->path);
	return -1;
}

/* Ends a durable transaction: commits when <result> says that something changed, else rolls back. */
static int durable_end(struct vtm_sqlite *s, bool changed, int result, GError **error)
{
	if (result >= 0 && changed && vtm_sql_run(s, SQL_DURABLE_COMMIT, NO_ARGS, error) < 0)
		result = -1;
	if (!sqlite3_get_autocommit(s->durable))
		vtm_sql_run(s, SQL_DURABLE_ROLLBACK, NO_ARGS, NULL);
	return result;
}

static uint32_t counter(int64_t n)
{
	return (uint32_t)CLAMP(n, 0, (int64_t)G_MAXUINT32);
}

/* The fullest of the charged days and months. */
static int read_used(struct vtm_sqlite *s, const struct now *t, uint32_t *day_r, uint32_t *month_r, GError **error)
{
	int64_t used;

	*day_r = *month_r = 0;
	for (unsigned i = 0; i < t->n_days; i++) {
		if (vtm_sql_number(s, SQL_DAY_GET, ARGS(INT(t->days[i])), 0, &used, error) < 0)
			return -1;
		*day_r = MAX(*day_r, counter(used));
	}
	for (unsigned i = 0; i < t->n_months; i++) {
		if (vtm_sql_number(s, SQL_MONTH_GET, ARGS(INT(t->months[i])), 0, &used, error) < 0)
			return -1;
		*month_r = MAX(*month_r, counter(used));
	}
	return 0;
}

static int charge(struct vtm_sqlite *s, const struct now *t, unsigned n, GError **error)
{
	for (unsigned i = 0; i < t->n_days; i++)
		if (vtm_sql_run(s, SQL_DAY_ADD, ARGS(INT(t->days[i]), INT(n)), error) < 0)
			return -1;
	for (unsigned i = 0; i < t->n_months; i++)
		if (vtm_sql_run(s, SQL_MONTH_ADD, ARGS(INT(t->months[i]), INT(n)), error) < 0)
			return -1;
	return vtm_sql_run(s, SQL_DAY_EXPIRE, NO_ARGS, error) < 0 ||
	       vtm_sql_run(s, SQL_MONTH_EXPIRE, NO_ARGS, error) < 0 ? -1 : 0;
}

/* Takes <n> slots until <until>; their numbers go into slots_r, unless that is NULL. */
static int take_slots(struct vtm_sqlite *s, unsigned n, int64_t until, vtm_slot *slots_r, GError **error)
{
	for (unsigned i = 0; i < n; i++) {
		if (vtm_sql_run(s, SQL_SLOT_TAKE, ARGS(INT(until)), error) < 0)
			return -1;
		if (slots_r)
			slots_r[i] = (vtm_slot)sqlite3_last_insert_rowid(s->durable);
	}
	return 0;
}

/* Fills a minute of <limit> that counts as full.  Returns how many slots that took. */
static int fill_minute(struct vtm_sqlite *s, const struct now *t, uint32_t limit, GError **error)
{
	int64_t slots;

	if (t->full_ms <= t->boot_ms)
		return 0;
	if (vtm_sql_number(s, SQL_SLOT_COUNT, ARGS(INT(t->boot_ms)), 0, &slots, error) < 0)
		return -1;
	if (slots >= (int64_t)limit)
		return 0;
	slots = (int64_t)limit - slots;
	return take_slots(s, (unsigned)slots, t->full_ms, NULL, error) < 0 ? -1 : (int)slots;
}

/* Is VirusTotal's count needed once more? */
static bool count_is_due(const struct now *t)
{
	return t->again_ms && t->boot_ms >= t->again_ms;
}

static int lost(const struct vtm_sqlite *s, GError **error)
{
	g_set_error(error, VTM_ERROR, VTM_ERROR_BUDGET_LOST,
		    "%s: what was spent is not known (new, restored or replaced): VirusTotal's count is needed", s->path);
	return -1;
}

static int take(struct vtm_sqlite *s, struct now *t, const struct vtm_budget_limits *limits, enum vtm_spender who,
		unsigned want, vtm_slot *slots_r, GError **error)
{
	uint32_t day, month;
	int64_t slots;
	unsigned n;

	if (vtm_sql_number(s, SQL_SLOT_COUNT, ARGS(INT(t->boot_ms)), 0, &slots, error) < 0 ||
	    read_used(s, t, &day, &month, error) < 0)
		return -1;
	n = vtm_budget_allow(limits, who, day, month, counter(slots), want);
	if (n && (vtm_sql_run(s, SQL_SLOT_EXPIRE, ARGS(INT(t->boot_ms)), error) < 0 ||
		  take_slots(s, n, t->boot_ms + VTM_SLOT_MAX_MS, slots_r, error) < 0 || charge(s, t, n, error) < 0 ||
		  save_anchor(s, t, t->utc_ms, error) < 0))
		return -1;
	return (int)n;
}

int vtm_sqlite_budget_take(struct vtm_store *store, const struct vtm_budget_limits *limits, enum vtm_spender who,
			   unsigned want, vtm_slot *slots_r, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	int adopted, filled = 0, rc;
	struct now t;

	if (durable_begin(s, error) < 0)
		return -1;
	rc = adopted = read_now(s, &t, error) < 0 ? -1 : adopt(s, &t, error);
	if (rc >= 0 && (t.lost || count_is_due(&t)))
		rc = lost(s, error);
	if (rc >= 0)
		rc = filled = fill_minute(s, &t, limits->per_minute.most, error);
	if (rc >= 0)
		rc = take(s, &t, limits, who, want, slots_r, error);
	return durable_end(s, adopted > 0 || filled > 0 || rc > 0, rc, error);
}

/* Ends a slot sooner than the disk knows; losing that with the power only keeps it longer, so this needs no sync. */
int vtm_sqlite_budget_settle(struct vtm_store *store, vtm_slot slot, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	int64_t until = vtm_boot_ms(s->clock) + SLOT_AFTER_MS;

	return vtm_sql_run(s, SQL_SLOT_SETTLE, ARGS(INT((int64_t)slot), INT(until)), error) < 0 ? -1 : 0;
}

static int read_window(struct vtm_sqlite *s, const struct now *t, GArray *window, GError **error)
{
	int64_t after = t->other_boot ? G_MININT64 : t->boot_ms;
	sqlite3_stmt *st = vtm_sql_start(s, SQL_SLOT_LIST, ARGS(INT(after)), error);
	int rc = -1;

	g_array_set_size(window, 0);
	while (st && (rc = vtm_sql_step(s, st, error)) > 0) {
		int64_t until = t->other_boot ? t->boot_ms + SLOT_AFTER_MS : sqlite3_column_int64(st, 0);

		g_array_append_val(window, until);
	}
	return rc;
}

int vtm_sqlite_budget_read(struct vtm_store *store, struct vtm_budget *b, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	struct now t;
	int rc, adopted = 0;

	if (vtm_sql_run(s, SQL_DURABLE_READ, NO_ARGS, error) < 0)
		return -1;
	rc = read_now(s, &t, error);
	if (rc == 0 && t.other_boot && !s->base.read_only) {
		/* the first look of this boot: its slots start to run out now */
		durable_end(s, false, 0, NULL);
		rc = durable_begin(s, error) < 0 || read_now(s, &t, error) < 0 ? -1 : 0;
		rc = adopted = rc < 0 ? -1 : adopt(s, &t, error);
	}
	if (rc >= 0)
		rc = read_used(s, &t, &b->day_used, &b->month_used, error);
	if (rc >= 0)
		rc = read_window(s, &t, b->window, error);
	if (rc >= 0) {
		b->day = vtm_budget_day(t.utc_ms);
		b->month = vtm_budget_month(t.utc_ms);
	}
	return durable_end(s, adopted > 0, rc, error);
}

/* May what was lost have been spent in the last minute?  A count of 0 says no, but for one that is of a day or month
 * that is younger than that. */
static bool may_have_spent(const struct now *t, uint32_t day_used, uint32_t month_used)
{
	int64_t before = t->utc_ms - VTM_SLOT_MAX_MS;

	return day_used || (vtm_budget_day(before) != vtm_budget_day(t->utc_ms) &&
			    (month_used || vtm_budget_month(before) != vtm_budget_month(t->utc_ms)));
}

static int raise_at(struct vtm_sqlite *s, int64_t utc_ms, uint32_t day_used, uint32_t month_used, GError **error)
{
	int days = vtm_sql_run(s, SQL_DAY_RAISE, ARGS(INT(vtm_budget_day(utc_ms)), INT(day_used)), error);
	int months = days < 0 ? -1 : vtm_sql_run(s, SQL_MONTH_RAISE,
						 ARGS(INT(vtm_budget_month(utc_ms)), INT(month_used)), error);

	return months < 0 ? -1 : days + months;
}

/* From now on what was spent is known. */
static int find_budget(struct vtm_sqlite *s, struct now *t, uint32_t day_used, uint32_t month_used, GError **error)
{
	uint32_t day, month;

	if (raise_at(s, t->utc_ms, day_used, month_used, error) < 0 || read_used(s, t, &day, &month, error) < 0)
		return -1;
	t->full_ms = t->again_ms = may_have_spent(t, day, month) ? t->boot_ms + VTM_SLOT_MAX_MS : 0;
	return save_known(s, t, error);
}

/* Returns whether something changed. */
static int raise_budget(struct vtm_sqlite *s, struct now *t, uint32_t day_used, uint32_t month_used, GError **error)
{
	int changed = raise_at(s, t->utc_ms - VTM_MIDNIGHT_BEFORE_MS, day_used, month_used, error);

	if (changed < 0)
		return -1;
	if (t->lost)
		return find_budget(s, t, day_used, month_used, error) < 0 ? -1 : 1;
	if (!count_is_due(t))
		return changed;
	t->full_ms = t->again_ms = 0;
	return save_known(s, t, error) < 0 ? -1 : 1;
}

int vtm_sqlite_budget_raise(struct vtm_store *store, uint32_t day_used, uint32_t month_used, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	int adopted, rc;
	struct now t;

	if (durable_begin(s, error) < 0)
		return -1;
	rc = adopted = read_now(s, &t, error) < 0 ? -1 : adopt(s, &t, error);
	if (rc >= 0)
		rc = raise_budget(s, &t, day_used, month_used, error);
	return durable_end(s, adopted > 0 || rc > 0, MIN(rc, 0), error);
}

int vtm_sqlite_budget_sync(struct vtm_store *store, int64_t utc_ms, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	struct now t;
	int adopted, rc, corrected = 0;

	if (durable_begin(s, error) < 0)
		return -1;
	rc = adopted = read_now(s, &t, error) < 0 ? -1 : adopt(s, &t, error);
	if (rc >= 0 && ABS(t.utc_ms - utc_ms) > VTM_STORE_UTC_OFF_MS) {
		rc = save_anchor(s, &t, utc_ms, error);
		corrected = 1;
	}
	return durable_end(s, adopted > 0 || corrected, rc < 0 ? -1 : corrected, error);
}

int vtm_sqlite_budget_utc(struct vtm_store *store, int64_t *utc_ms_r, GError **error)
{
	struct vtm_sqlite *s = vtm_sqlite(store);
	struct now t;

	if (read_now(s, &t, error) < 0)
		return -1;
	*utc_ms_r = t.utc_ms;
	return 0;
}
