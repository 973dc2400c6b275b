/* SPDX-License-Identifier: BSD-2-Clause */
/* quota.c - vtmilterctl quota: the budget, by the store, the daemon and VirusTotal. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "conf/settings.h"
#include "ctl/ctl.h"
#include "vt/vt.h"

#define QUOTAS_WAIT_MS 15000

int vtm_ctl_read_budget(const struct vtm_ctl *c, struct vtm_budget *b, unsigned *slots_r, GError **error)
{
	struct vtm_store *s = vtm_ctl_store(c, true, error);
	int64_t now = vtm_boot_ms(c->clock);
	int rc = s ? vtm_store_budget_read(s, b, error) : -1;

	*slots_r = 0;
	for (guint i = 0; !rc && i < b->window->len; i++)
		*slots_r += g_array_index(b->window, int64_t, i) > now;
	vtm_store_close(s);
	return rc;
}

int vtm_ctl_ask_quotas(const struct vtm_ctl *c, const struct vtm_conf *conf, struct vtm_result *r, GError **error)
{
	struct vtm_vt_settings s;
	int64_t end = vtm_boot_ms(c->clock) + QUOTAS_WAIT_MS;
	struct vtm_vt *vt;
	int rc = -1;

	vtm_settings_vt(conf, &s);
	vt = vtm_vt_new(&s, error);
	if (!vt)
		return -1;
	if (vtm_vt_start(vt, VTM_OP_QUOTAS, NULL, NULL, NULL, error) == 0) {
		while ((rc = vtm_vt_result(vt, r)) == 0 && vtm_boot_ms(c->clock) < end)
			vtm_vt_poll(vt, 100);
		if (!rc)
			g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "VirusTotal did not answer within %d s",
				    QUOTAS_WAIT_MS / 1000);
		rc = rc ? 0 : -1;
	}
	vtm_vt_free(vt);
	return rc;
}

/* Fetches VirusTotal's own count.  -1: error, also if the key may not be read. */
static int server_count(const struct vtm_ctl *c, struct vtm_result *r, GError **error)
{
	struct vtm_conf *whole = vtm_conf_load(c->conf_path, error);
	int rc = -1;

	if (!whole)
		return -1;
	if (!whole->api_key)
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "%s: Enabled is no", whole->path);
	else if (vtm_ctl_ask_quotas(c, whole, r, error) == 0)
		rc = 0;
	if (rc == 0 && r->answer != VTM_ANSWER_QUOTAS) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "VirusTotal: %s%s%s",
			    r->answer == VTM_ANSWER_DENIED ? "refuses the key" : "no usable answer", r->why ? ": " : "",
			    r->why ? r->why : "");
		vtm_result_clear(r);
		rc = -1;
	}
	vtm_conf_unref(whole);
	return rc;
}

/* The numbers that quota prints. */
struct quota {
	int64_t minute_used, day_used, month_used;
	bool has_server;		/* daily and monthly are known */
	struct vtm_quota daily, monthly;
};

static void put_quota_json(const struct vtm_ctl *c, const struct quota *q)
{
	struct vtm_json *j = vtm_json_new();

	vtm_json_int(j, "minute_used", q->minute_used);
	vtm_json_int(j, "minute", c->conf->requests_per_minute);
	vtm_json_int(j, "day_used", q->day_used);
	vtm_json_int(j, "day", c->conf->requests_per_day);
	vtm_json_int(j, "month_used", q->month_used);
	vtm_json_int(j, "month", c->conf->requests_per_month);
	vtm_json_int(j, "reserve", c->conf->reserve_for_manual);
	if (q->has_server) {
		vtm_json_int(j, "server_day_used", q->daily.used);
		vtm_json_int(j, "server_day", q->daily.allowed);
		vtm_json_int(j, "server_month_used", q->monthly.used);
		vtm_json_int(j, "server_month", q->monthly.allowed);
	}
	vtm_ctl_put_json(j);
}

static void put_quota(const struct vtm_ctl *c, const struct quota *q)
{
	vtm_ctl_put_used("minute", q->minute_used, c->conf->requests_per_minute);
	vtm_ctl_put_used("day (UTC)", q->day_used, c->conf->requests_per_day);
	vtm_ctl_put_used("month (UTC)", q->month_used, c->conf->requests_per_month);
	vtm_ctl_put("reserve", "%u a day for vtmilterctl", c->conf->reserve_for_manual);
	if (!q->has_server)
		return;
	vtm_ctl_put_used("VirusTotal's day", q->daily.used, q->daily.allowed);
	vtm_ctl_put_used("its month", q->monthly.used, q->monthly.allowed);
}

/* Gets the numbers from the daemon, for users who may not read store and key.  false: it cannot be asked. */
static bool quota_by_daemon(const struct vtm_ctl *c, struct quota *q)
{
	char *line = vtm_ctl_ask_daemon(c, "status", NULL);
	int64_t day = 0;
	bool counts = line && vtm_json_get_int(line, "budget.day_used", &day);

	if (counts) {
		q->minute_used = vtm_ctl_number(line, "budget.minute_used");
		q->day_used = day;
		q->month_used = vtm_ctl_number(line, "budget.month_used");
		q->daily = (struct vtm_quota){ vtm_ctl_number(line, "budget.server_day_used"),
					       vtm_ctl_number(line, "budget.server_day") };
		q->monthly = (struct vtm_quota){ vtm_ctl_number(line, "budget.server_month_used"),
						 vtm_ctl_number(line, "budget.server_month") };
		q->has_server = q->daily.allowed >= 0;
	}
	g_free(line);
	return counts;
}

/* Reads the numbers from the store, and from VirusTotal with the key.  true without VirusTotal's count: error is set,
 * too.  false: error. */
static bool quota_by_store(const struct vtm_ctl *c, struct quota *q, GError **error)
{
	struct vtm_result r = { 0 };
	struct vtm_budget b;
	unsigned slots;
	bool read;

	vtm_budget_init(&b);
	read = vtm_ctl_read_budget(c, &b, &slots, error) == 0;
	if (read) {
		*q = (struct quota){ .minute_used = slots, .day_used = b.day_used, .month_used = b.month_used };
		q->has_server = server_count(c, &r, error) == 0;
		q->daily = r.daily;
		q->monthly = r.monthly;
		vtm_result_clear(&r);
	}
	vtm_budget_clear(&b);
	return read;
}

/* Are store or key unreadable for this user? */
static bool is_closed(const struct vtm_ctl *c)
{
	const char *store = g_str_has_prefix(c->conf->store, "sqlite:") ? c->conf->store + strlen("sqlite:") : NULL;

	return (c->conf->api_key_file && access(c->conf->api_key_file, R_OK) < 0 && errno == EACCES) ||
	       (store && access(store, R_OK) < 0 && errno == EACCES);
}

int vtm_ctl_quota(struct vtm_ctl *c, int argc, char **argv)
{
	struct quota q = { 0 };
	GError *error = NULL;

	if (argc)
		return vtm_ctl_usage(c, "found '%s', expected no argument", argv[0]);
	if ((is_closed(c) && quota_by_daemon(c, &q)) || quota_by_store(c, &q, &error)) {
		if (c->json)
			put_quota_json(c, &q);
		else
			put_quota(c, &q);
	}
	return error ? vtm_ctl_fail(c, error) : EX_OK;
}
