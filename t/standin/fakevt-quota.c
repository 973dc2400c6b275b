/* SPDX-License-Identifier: BSD-2-Clause */
/* fakevt-quota.c - the stand-in VirusTotal's quota and what it counts. */
#include "fakevt.h"

#include <time.h>

#define WINDOW_MS 60000
#define DAY_MS 86400000

void fake_quota_init(struct fake_quota *q)
{
	q->window = g_array_new(FALSE, FALSE, sizeof(int64_t));
	q->items = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	q->statuses = g_hash_table_new(NULL, NULL);
}

void fake_quota_clear(struct fake_quota *q)
{
	g_array_free(q->window, TRUE);
	g_hash_table_destroy(q->items);
	g_hash_table_destroy(q->statuses);
}

void fake_quota_roll(struct fake_quota *q, int64_t utc_ms)
{
	time_t now = (time_t)(utc_ms / 1000);
	struct tm tm;
	int64_t month;

	gmtime_r(&now, &tm);
	month = (int64_t)tm.tm_year * 12 + tm.tm_mon;
	if (q->day != utc_ms / DAY_MS)
		q->day_used = 0;
	if (q->month != month)
		q->month_used = 0;
	q->day = utc_ms / DAY_MS;
	q->month = month;
}

/* Forgets what came 60 s ago or earlier. */
static void slide(struct fake_quota *q, int64_t boot_ms)
{
	guint old = 0;

	while (old < q->window->len && g_array_index(q->window, int64_t, old) <= boot_ms - WINDOW_MS)
		old++;
	g_array_remove_range(q->window, 0, old);
}

bool fake_quota_take(struct fake_quota *q, int64_t boot_ms, int64_t utc_ms)
{
	const struct fake_limits *l = &q->limits;
	bool minute, day, month;

	q->requests++;
	fake_quota_roll(q, utc_ms);
	slide(q, boot_ms);
	minute = l->per_minute && q->window->len >= l->per_minute;
	day = l->per_day && q->day_used >= l->per_day;
	month = l->per_month && q->month_used >= l->per_month;
	q->over_minute += minute;
	q->over_day += day;
	q->over_month += month;
	if (minute || day || month) {
		q->violations++;
		return false;
	}
	g_array_append_val(q->window, boot_ms);
	q->window_max = MAX(q->window_max, q->window->len);
	q->day_used++;
	q->month_used++;
	q->counted++;
	return true;
}

static void add_one(GHashTable *table, void *key)
{
	g_hash_table_replace(table, key, GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(table, key)) + 1));
}

void fake_quota_item(struct fake_quota *q, const char *item)
{
	add_one(q->items, g_strdup(item));
}

void fake_quota_status(struct fake_quota *q, unsigned status)
{
	add_one(q->statuses, GUINT_TO_POINTER(status));
}

void fake_quota_reset(struct fake_quota *q, bool usage)
{
	q->all = q->requests = q->counted = q->free = q->unauthorized = q->violations = 0;
	q->over_minute = q->over_day = q->over_month = q->faults = 0;
	q->window_max = 0;
	g_hash_table_remove_all(q->items);
	g_hash_table_remove_all(q->statuses);
	if (usage) {
		g_array_set_size(q->window, 0);
		q->day_used = q->month_used = 0;
	}
}

static void add_items(struct fake_quota *q, struct vtm_json *j)
{
	GList *names = g_list_sort(g_hash_table_get_keys(q->items), (GCompareFunc)g_strcmp0);
	struct vtm_json *items = vtm_json_new();

	for (GList *n = names; n; n = n->next)
		vtm_json_int(items, n->data, GPOINTER_TO_UINT(g_hash_table_lookup(q->items, n->data)));
	vtm_json_object(j, "items", items);
	g_list_free(names);
}

static void add_statuses(struct fake_quota *q, struct vtm_json *j)
{
	struct vtm_json *statuses = vtm_json_new();
	GHashTableIter iter;
	gpointer status, n;

	g_hash_table_iter_init(&iter, q->statuses);
	while (g_hash_table_iter_next(&iter, &status, &n)) {
		char name[16];

		g_snprintf(name, sizeof(name), "%u", GPOINTER_TO_UINT(status));
		vtm_json_int(statuses, name, GPOINTER_TO_UINT(n));
	}
	vtm_json_object(j, "statuses", statuses);
}

struct vtm_json *fake_quota_json(struct fake_quota *q, int64_t boot_ms, int64_t utc_ms)
{
	struct vtm_json *j = vtm_json_new();

	fake_quota_roll(q, utc_ms);
	slide(q, boot_ms);
	vtm_json_int(j, "all", (int64_t)q->all);
	vtm_json_int(j, "requests", (int64_t)q->requests);
	vtm_json_int(j, "counted", (int64_t)q->counted);
	vtm_json_int(j, "free", (int64_t)q->free);
	vtm_json_int(j, "unauthorized", (int64_t)q->unauthorized);
	vtm_json_int(j, "violations", (int64_t)q->violations);
	vtm_json_int(j, "over_minute", (int64_t)q->over_minute);
	vtm_json_int(j, "over_day", (int64_t)q->over_day);
	vtm_json_int(j, "over_month", (int64_t)q->over_month);
	vtm_json_int(j, "faults", (int64_t)q->faults);
	vtm_json_int(j, "window", q->window->len);
	vtm_json_int(j, "window_max", q->window_max);
	vtm_json_int(j, "day_used", q->day_used);
	vtm_json_int(j, "month_used", q->month_used);
	add_statuses(q, j);
	add_items(q, j);
	return j;
}

char *fake_quota_text(struct fake_quota *q, int64_t boot_ms, int64_t utc_ms)
{
	const struct { const char *name; uint64_t n; } lines[] = {
		{ "all", q->all },
		{ "requests", q->requests },
		{ "counted", q->counted },
		{ "free", q->free },
		{ "unauthorized", q->unauthorized },
		{ "violations", q->violations },
		{ "faults", q->faults },
		{ "window_max", q->window_max },
	};
	GString *s = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
		g_string_append_printf(s, "%s %" G_GUINT64_FORMAT "\n", lines[i].name, lines[i].n);
	fake_quota_roll(q, utc_ms);
	slide(q, boot_ms);
	g_string_append_printf(s, "window %u\nday_used %u\nmonth_used %u\n", q->window->len, q->day_used,
			       q->month_used);
	return g_string_free(s, FALSE);
}
