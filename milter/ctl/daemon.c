/* SPDX-License-Identifier: BSD-2-Clause */
/* ctl-daemon.c - vtmilterctl status, quota, reload: the daemon by its control socket, and the budget. */
#include "ctl/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "conf/settings.h"
#include "vt/vt.h"

#define ANSWER_MAX 65536
#define WAIT_S 10
#define QUOTAS_WAIT_MS 15000

/* ---- the control socket ---- */

static int connect_to(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const struct timeval wait = { .tv_sec = WAIT_S };
	int fd;

	if (g_strlcpy(un.sun_path, path, sizeof(un.sun_path)) >= sizeof(un.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* All that comes until the other side closes; NULL: nothing whole. */
static char *read_answer(int fd)
{
	GString *all = g_string_new(NULL);
	char buf[4096];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || all->len + (size_t)n > ANSWER_MAX)
			break;
		g_string_append_len(all, buf, n);
	}
	if (n == 0 && all->len && all->str[all->len - 1] == '\n') {
		g_string_truncate(all, all->len - 1);
		return g_string_free(all, FALSE);
	}
	g_string_free(all, TRUE);
	return NULL;
}

char *vtm_ctl_ask_daemon(const struct vtm_ctl *c, const char *command, GError **error)
{
	const char *path = c->conf->control_socket;
	char *line, *answer = NULL;
	int fd;

	if (!path) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "%s: ControlSocket is none", c->conf->path);
		return NULL;
	}
	fd = connect_to(path);
	if (fd < 0) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "ControlSocket %s: %s%s", path, g_strerror(errno),
			    errno == ENOENT || errno == ECONNREFUSED ? "; the daemon does not run" :
			    errno == EACCES ? "; members of its group may ask the daemon" : "");
		return NULL;
	}
	line = g_strconcat(command, "\n", NULL);
	if (send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line))
		answer = read_answer(fd);
	if (!answer)
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "ControlSocket %s: no answer", path);
	g_free(line);
	close(fd);
	return answer;
}

void vtm_ctl_daemon_forget(const struct vtm_ctl *c, const struct vtm_key *key)
{
	char hex[65], *command, *answer;

	vtm_key_hex(key, hex);
	command = g_strconcat("forget ", vtm_lookup_kind_name((enum vtm_lookup_kind)key->kind), " ", hex, NULL);
	answer = vtm_ctl_ask_daemon(c, command, NULL);
	g_free(answer);
	g_free(command);
}

/* A daemon that is needed and does not run: how to start it. */
static int fail_daemon(const struct vtm_ctl *c, GError *error)
{
	if (g_str_has_suffix(error->message, "does not run"))
		g_prefix_error(&error, "start it, as by 'systemctl start vtmilter': ");
	return vtm_ctl_fail(c, error);
}

static void put_remarks(const struct vtm_ctl *c, const char *answer)
{
	char **remarks = vtm_json_get_texts(answer, "remarks");

	for (char **r = remarks; *r; r++)
		vtm_ctl_warn(c, "%s", *r);
	g_strfreev(remarks);
}

int vtm_ctl_reload(struct vtm_ctl *c, int argc, char **argv)
{
	GError *error = NULL;
	char *answer, *why;
	bool fine = false;

	if (argc)
		return vtm_ctl_usage(c, "found '%s', expected no argument", argv[0]);
	answer = vtm_ctl_ask_daemon(c, "reload", &error);
	if (!answer)
		return fail_daemon(c, error);
	if (c->json)
		puts(answer);
	put_remarks(c, answer);
	if (!vtm_json_get_bool(answer, "ok", &fine) || !fine) {
		why = vtm_json_get_text(answer, "error");
		vtm_ctl_warn(c, "%s; the old configuration stays in force", why ? why : answer);
		g_free(why);
	}
	g_free(answer);
	return fine ? EX_OK : EX_CONFIG;
}

/* ---- status ---- */

static int64_t number(const char *line, const char *path)
{
	int64_t n = 0;

	vtm_json_get_int(line, path, &n);
	return n;
}

/* "3 of 500"; without a limit "3". New string. */
static char *of(int64_t used, int64_t limit)
{
	if (limit <= 0)
		return g_strdup_printf("%" G_GINT64_FORMAT " (no limit)", used);
	return g_strdup_printf("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT " left", used, limit,
			       MAX(limit - used, 0));
}

static void put_used(const char *name, int64_t used, int64_t limit)
{
	char *text = of(used, limit);

	vtm_ctl_put(name, "%s", text);
	g_free(text);
}

static void put_queue(const char *line)
{
	int64_t queued = 0;

	for (int class = 0; class < VTM_CLASSES; class++) {
		char *path = g_strconcat("queue.", vtm_class_name((enum vtm_class)class), NULL);

		queued += number(line, path);
		g_free(path);
	}
	vtm_ctl_put("waiting", "%" G_GINT64_FORMAT " messages", number(line, "waiting"));
	vtm_ctl_put("queue", "%" G_GINT64_FORMAT " look-ups, %" G_GINT64_FORMAT " in flight, the oldest for %"
		    G_GINT64_FORMAT " s", queued, number(line, "queue.in_flight"), number(line, "queue.oldest_s"));
}

static int64_t sum(const char *line, const char *object, const char *(*name)(unsigned), unsigned n)
{
	int64_t all = 0;

	for (unsigned i = 0; i < n; i++) {
		char *path = g_strconcat(object, ".", name(i), NULL);

		all += number(line, path);
		g_free(path);
	}
	return all;
}

static const char *decoder_at(unsigned i)
{
	return vtm_decoder_name((enum vtm_decoder)i);
}

static const char *undecoded_at(unsigned i)
{
	return vtm_undecoded_name((enum vtm_undecoded)i);
}

static void put_decoders(const char *line)
{
	vtm_ctl_put("decoded", "%" G_GINT64_FORMAT " parts; not decoded: %" G_GINT64_FORMAT " (%" G_GINT64_FORMAT
		    " took too long, %" G_GINT64_FORMAT " crashed)",
		    sum(line, "decoders.decoded", decoder_at, VTM_DECODERS),
		    sum(line, "decoders.undecoded", undecoded_at, VTM_UNDECODED_REASONS),
		    number(line, "decoders.undecoded.time"), number(line, "decoders.undecoded.crashed"));
}

static void put_virustotal(const char *line)
{
	char *state = vtm_json_get_text(line, "virustotal.state"), *cause = vtm_json_get_text(line, "virustotal.cause");

	vtm_ctl_put("VirusTotal", "%s%s%s", !g_strcmp0(state, "closed") ? "asked" : "not asked now",
		    cause ? ": " : "", cause ? cause : "");
	g_free(state);
	g_free(cause);
}

static void put_store(const char *line)
{
	char *why = vtm_json_get_text(line, "store.error"), *safe = vtm_ctl_safe(why, 400);
	bool fine = false;

	vtm_json_get_bool(line, "store.ok", &fine);
	vtm_ctl_put("store", "%s", fine ? "works" : why ? safe : "not open yet");
	g_free(safe);
	g_free(why);
}

static void put_running(const char *line)
{
	char *version = vtm_json_get_text(line, "version"), *safe = vtm_ctl_safe(version, 40);
	char *since = vtm_ctl_time(number(line, "since") * 1000);
	bool enabled = false;

	vtm_json_get_bool(line, "enabled", &enabled);
	vtm_ctl_put("daemon", "vtmilter %s, since %s", safe, since);
	vtm_ctl_put("mode", "%s", enabled ? "scanning" : "not enabled: only strips forged headers");
	vtm_ctl_put("messages", "%" G_GINT64_FORMAT " seen, %" G_GINT64_FORMAT " bad", number(line, "messages.seen"),
		    number(line, "messages.tags.VT_Bad"));
	put_decoders(line);
	if (enabled) {
		put_virustotal(line);
		put_queue(line);
		vtm_ctl_put("cache", "%" G_GINT64_FORMAT " verdicts in memory", number(line, "cache_entries"));
		put_used("minute", number(line, "budget.minute_used"), number(line, "budget.minute"));
		put_used("day", number(line, "budget.day_used"), number(line, "budget.day"));
		put_used("month", number(line, "budget.month_used"), number(line, "budget.month"));
		put_store(line);
	}
	g_free(version);
	g_free(safe);
	g_free(since);
}

/* What the store tells when nobody runs. */
static int read_budget(const struct vtm_ctl *c, struct vtm_budget *b, unsigned *slots_r, GError **error)
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

static void put_stopped(const struct vtm_ctl *c)
{
	struct vtm_budget b;
	unsigned slots;
	GError *error = NULL;

	vtm_budget_init(&b);
	if (read_budget(c, &b, &slots, &error) < 0) {
		vtm_ctl_warn(c, "%s", error->message);
		g_error_free(error);
	} else if (c->json) {
		struct vtm_json *j = vtm_json_new();

		vtm_json_bool(j, "running", false);
		vtm_json_int(j, "minute_used", slots);
		vtm_json_int(j, "day_used", b.day_used);
		vtm_json_int(j, "month_used", b.month_used);
		vtm_ctl_put_json(j);
	} else {
		vtm_ctl_put("daemon", "does not run");
		put_used("minute", slots, c->conf->requests_per_minute);
		put_used("day", b.day_used, c->conf->requests_per_day);
		put_used("month", b.month_used, c->conf->requests_per_month);
	}
	vtm_budget_clear(&b);
}

int vtm_ctl_status(struct vtm_ctl *c, int argc, char **argv)
{
	GError *error = NULL;
	char *answer;

	if (argc)
		return vtm_ctl_usage(c, "found '%s', expected no argument", argv[0]);
	answer = vtm_ctl_ask_daemon(c, "status", &error);
	if (!answer) {
		put_stopped(c);
		return fail_daemon(c, error);
	}
	if (c->json)
		puts(answer);
	else
		put_running(answer);
	g_free(answer);
	return EX_OK;
}

/* ---- quota ---- */

int vtm_ctl_ask_quotas(const struct vtm_ctl *c, const struct vtm_conf *conf, struct vtm_result *r, GError **error)
{
	struct vtm_vt_settings s;
	int64_t end = vtm_boot_ms(c->clock) + QUOTAS_WAIT_MS;
	struct vtm_vt *vt;
	int rc = -1;

	vtm_settings_vt(conf, c->clock, &s);
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

/* VirusTotal's own count, if the key may be read. */
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

/* What quota tells. */
struct quota {
	int64_t minute_used, day_used, month_used;
	bool told;			/* VirusTotal's own count is known */
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
	if (q->told) {
		vtm_json_int(j, "server_day_used", q->daily.used);
		vtm_json_int(j, "server_day", q->daily.allowed);
		vtm_json_int(j, "server_month_used", q->monthly.used);
		vtm_json_int(j, "server_month", q->monthly.allowed);
	}
	vtm_ctl_put_json(j);
}

static void put_quota(const struct vtm_ctl *c, const struct quota *q)
{
	put_used("minute", q->minute_used, c->conf->requests_per_minute);
	put_used("day (UTC)", q->day_used, c->conf->requests_per_day);
	put_used("month (UTC)", q->month_used, c->conf->requests_per_month);
	vtm_ctl_put("reserve", "%u a day for vtmilterctl", c->conf->reserve_for_manual);
	if (!q->told)
		return;
	put_used("VirusTotal's day", q->daily.used, q->daily.allowed);
	put_used("its month", q->monthly.used, q->monthly.allowed);
}

/* What the daemon counts, for who may read neither store nor key; false: it cannot be asked. */
static bool quota_by_daemon(const struct vtm_ctl *c, struct quota *q)
{
	char *line = vtm_ctl_ask_daemon(c, "status", NULL);
	int64_t day = 0;
	bool counts = line && vtm_json_get_int(line, "budget.day_used", &day);

	if (counts) {
		q->minute_used = number(line, "budget.minute_used");
		q->day_used = day;
		q->month_used = number(line, "budget.month_used");
		q->daily = (struct vtm_quota){ number(line, "budget.server_day_used"),
					       number(line, "budget.server_day") };
		q->monthly = (struct vtm_quota){ number(line, "budget.server_month_used"),
						 number(line, "budget.server_month") };
		q->told = q->daily.allowed >= 0;
	}
	g_free(line);
	return counts;
}

/* By store and key.  false: *q is not filled in; an error, also when it is but VirusTotal did not tell its count. */
static bool quota_by_store(const struct vtm_ctl *c, struct quota *q, GError **error)
{
	struct vtm_result r = { 0 };
	struct vtm_budget b;
	unsigned slots;
	bool read;

	vtm_budget_init(&b);
	read = read_budget(c, &b, &slots, error) == 0;
	if (read) {
		*q = (struct quota){ .minute_used = slots, .day_used = b.day_used, .month_used = b.month_used };
		q->told = server_count(c, &r, error) == 0;
		q->daily = r.daily;
		q->monthly = r.monthly;
		vtm_result_clear(&r);
	}
	vtm_budget_clear(&b);
	return read;
}

/* May this user not read what only the daemon's may? */
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
