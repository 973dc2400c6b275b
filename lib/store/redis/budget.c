/* SPDX-License-Identifier: BSD-2-Clause */
/* budget.c - the budget in Redis: one script, atomic, by the server's clock (store-redis-script.c). */
#include <string.h>

#include "base/error.h"
#include "store/redis/redis.h"

#define MARGIN_MS 500		/* on top, since the server's clock may be off by TOLERANCE without being noticed */
#define TOLERANCE_MS 500

/* Begins a call of the script; its own arguments follow. */
static void begin(struct vtm_redis *s, struct vtm_redis_command *c, const char *what)
{
	vtm_redis_begin(s, c);
	vtm_redis_script(s, c, SCRIPT_BUDGET, 2);
	vtm_redis_key(s, c, "b", NULL, 0);
	vtm_redis_key(s, c, "w", NULL, 0);
	vtm_redis_command_text(c, what);
	/* a clock that is not the system's (tests, the simulator) is the server's as well */
	if (s->clock == vtm_clock_system())
		vtm_redis_command_text(c, "");
	else
		vtm_redis_command_int(c, vtm_utc_ms(s->clock));
	vtm_redis_command_text(c, vtm_boot_id(s->clock));
	vtm_redis_command_int(c, vtm_boot_ms(s->clock));
	vtm_redis_command_int(c, VTM_SLOT_MAX_MS + MARGIN_MS);
	vtm_redis_command_int(c, VTM_WINDOW_MS + VTM_SLOT_MARGIN_MS + MARGIN_MS);
	vtm_redis_command_int(c, TOLERANCE_MS);
	vtm_redis_command_int(c, VTM_MIDNIGHT_BEFORE_MS);
	vtm_redis_command_int(c, VTM_MIDNIGHT_AFTER_MS);
}

/* Ends the call: an array of at least <least> numbers; freeReplyObject() it. */
static redisReply *end(struct vtm_redis *s, struct vtm_redis_command *c, size_t least, GError **error)
{
	redisReply *r;

	vtm_redis_command_end(c);
	r = vtm_redis_one(s, c, error);
	if (!r || (r->type == REDIS_REPLY_ARRAY && r->elements >= least))
		return r;
	freeReplyObject(r);
	vtm_redis_nonsense(s, error);
	return NULL;
}

static int64_t at(const redisReply *r, size_t i)
{
	return vtm_redis_number(r->element[i]);
}

/* The first number; -1 and an error. */
static int64_t end_first(struct vtm_redis *s, struct vtm_redis_command *c, GError **error)
{
	redisReply *r = end(s, c, 1, error);
	int64_t n = -1;

	if (r) {
		n = at(r, 0);
		freeReplyObject(r);
	}
	return n;
}

/* How high the day's counter may go for <who>; -1: no bound. */
static int64_t day_cap(const struct vtm_budget_limits *l, enum vtm_spender who)
{
	struct vtm_budget_limits day = *l;

	day.per_month = (struct vtm_limit)VTM_NO_LIMIT;
	return l->per_day.limited ? (int64_t)vtm_budget_left(&day, who, 0, 0) : -1;
}

static int lost(const struct vtm_redis *s, GError **error)
{
	g_set_error(error, VTM_ERROR, VTM_ERROR_BUDGET_LOST,
		    "%s: what was spent is not known (new, flushed, restarted): VirusTotal's count is needed",
		    s->uri.shown);
	return -1;
}

int vtm_redis_budget_take(struct vtm_store *store, const struct vtm_budget_limits *l, enum vtm_spender who,
			  unsigned want,
			  vtm_slot *slots_r, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;
	redisReply *r;
	int64_t n, first;

	begin(s, &c, "take");
	vtm_redis_command_int(&c, want);
	vtm_redis_command_int(&c, l->per_minute.limited ? (int64_t)l->per_minute.most : -1);
	vtm_redis_command_int(&c, day_cap(l, who));
	vtm_redis_command_int(&c, l->per_month.limited ? (int64_t)l->per_month.most : -1);
	r = end(s, &c, 1, error);
	if (!r)
		return -1;
	n = at(r, 0);
	first = r->elements > 1 ? at(r, 1) : 0;
	freeReplyObject(r);
	if (n == -1)
		return lost(s, error);
	if (n < 0 || n > (int64_t)want || first < 0)
		return vtm_redis_nonsense(s, error);
	for (int64_t i = 0; i < n; i++)
		slots_r[i] = (vtm_slot)(first + i);
	if (n)
		s->spent_ms = vtm_boot_ms(s->clock);
	return (int)n;
}

int vtm_redis_budget_settle(struct vtm_store *store, vtm_slot slot, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;

	begin(s, &c, "settle");
	vtm_redis_command_int(&c, (int64_t)slot);
	return end_first(s, &c, error) < 0 ? -1 : 0;
}

int vtm_redis_budget_read(struct vtm_store *store, struct vtm_budget *b, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	int64_t now = vtm_boot_ms(s->clock);
	struct vtm_redis_command c;
	redisReply *r;

	begin(s, &c, "read");
	r = end(s, &c, 3, error);
	if (!r)
		return -1;
	b->day = vtm_budget_day(at(r, 0));
	b->month = vtm_budget_month(at(r, 0));
	b->day_used = (uint32_t)CLAMP(at(r, 1), 0, (int64_t)G_MAXUINT32);
	b->month_used = (uint32_t)CLAMP(at(r, 2), 0, (int64_t)G_MAXUINT32);
	g_array_set_size(b->window, 0);
	for (size_t i = 3; i < r->elements; i++) {
		int64_t until = now + at(r, i);

		g_array_append_val(b->window, until);
	}
	freeReplyObject(r);
	return 0;
}

int vtm_redis_budget_raise(struct vtm_store *store, uint32_t day_used, uint32_t month_used, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	bool spent = s->spent_ms && vtm_boot_ms(s->clock) - s->spent_ms < VTM_SLOT_MAX_MS + MARGIN_MS;
	struct vtm_redis_command c;

	begin(s, &c, "raise");
	vtm_redis_command_int(&c, day_used);
	vtm_redis_command_int(&c, month_used);
	vtm_redis_command_text(&c, spent ? "1" : "0");
	return end_first(s, &c, error) < 0 ? -1 : 0;
}

int vtm_redis_budget_sync(struct vtm_store *store, int64_t utc_ms, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;

	begin(s, &c, "sync");
	vtm_redis_command_int(&c, utc_ms);
	vtm_redis_command_int(&c, VTM_STORE_UTC_OFF_MS);
	return (int)end_first(s, &c, error);
}

int vtm_redis_budget_utc(struct vtm_store *store, int64_t *utc_ms_r, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;

	begin(s, &c, "utc");
	*utc_ms_r = end_first(s, &c, error);
	return *utc_ms_r < 0 ? -1 : 0;
}
