/* SPDX-License-Identifier: BSD-2-Clause */
/* ctl-doctor.c - vtmilterctl doctor: what really goes wrong, each with the line to change. */
#include "ctl-doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "vt.h"

#define CLOCK_OFF_MS 60000	/* more than this and the UTC day, hence the budget, may be another */

/* ---- results ---- */

enum result { FINE, NOTE, PROBLEM };

static G_GNUC_PRINTF(5, 0)
void put(struct vtm_doctor *d, enum result result, const char *check, const char *fix, const char *format, va_list args)
{
	static const char *const words[] = { "ok", "note", "problem" };
	static const char *const colors[] = { "\033[32m", "\033[33m", "\033[1;31m" };
	char *text = g_strdup_vprintf(format, args), *safe = vtm_ctl_safe(text, 2000);

	d->problems += result == PROBLEM;
	if (d->c->json) {
		struct vtm_json *j = vtm_json_new();

		vtm_json_text(j, "check", check);
		vtm_json_text(j, "result", words[result]);
		vtm_json_text(j, "text", text);
		vtm_json_text(j, "fix", fix);
		vtm_ctl_put_json(j);
	} else {
		printf("%s%-8s%s %-10s %s\n", d->c->color ? colors[result] : "", words[result],
		       d->c->color ? "\033[m" : "", check, safe);
		if (fix)
			printf("%20s-> %s\n", "", fix);
	}
	g_free(safe);
	g_free(text);
}

void vtm_doctor_fine(struct vtm_doctor *d, const char *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(d, FINE, check, NULL, format, args);
	va_end(args);
}

void vtm_doctor_note(struct vtm_doctor *d, const char *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(d, NOTE, check, NULL, format, args);
	va_end(args);
}

void vtm_doctor_problem(struct vtm_doctor *d, const char *check, char *fix, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(d, PROBLEM, check, fix, format, args);
	va_end(args);
	g_free(fix);
}

/* ---- VirusTotal ---- */

static void check_limit(struct vtm_doctor *d, const char *directive, uint32_t configured, int64_t allowed)
{
	if (allowed < 0)
		return;
	if (!configured || configured > allowed)
		vtm_doctor_problem(d, "limits", g_strdup_printf("%s %" G_GINT64_FORMAT, directive, allowed),
				   "%s is %u, but the key has %" G_GINT64_FORMAT, directive, configured, allowed);
	else if (configured < allowed)
		vtm_doctor_note(d, "limits", "%s is %u, the key has %" G_GINT64_FORMAT, directive, configured, allowed);
	else
		vtm_doctor_fine(d, "limits", "%s is what the key has: %u", directive, configured);
}

static void check_clock(struct vtm_doctor *d, int64_t server_ms)
{
	int64_t off = vtm_utc_ms(d->c->clock) - server_ms;

	if (!server_ms)
		vtm_doctor_note(d, "clock", "VirusTotal did not say what time it is");
	else if (off > CLOCK_OFF_MS || off < -CLOCK_OFF_MS)
		vtm_doctor_problem(d, "clock", g_strdup("timedatectl set-ntp true"),
				   "this host's clock is %" G_GINT64_FORMAT " s %s VirusTotal's",
				   (off < 0 ? -off : off) / 1000, off > 0 ? "ahead of" : "behind");
	else
		vtm_doctor_fine(d, "clock", "within a minute of VirusTotal's");
}

static void check_reply(struct vtm_doctor *d, const struct vtm_result *r)
{
	switch (r->answer) {
	case VTM_ANSWER_QUOTAS:
		vtm_doctor_fine(d, "key", "accepted by %s", d->conf->api_base_url);
		check_limit(d, "RequestsPerDay", d->conf->requests_per_day, r->daily.allowed);
		check_limit(d, "RequestsPerMonth", d->conf->requests_per_month, r->monthly.allowed);
		break;
	case VTM_ANSWER_DENIED:
		vtm_doctor_problem(d, "key", g_strdup_printf("ApiKeyFile %s", d->conf->api_key_file ?
							     d->conf->api_key_file : "/etc/vtmilter/api-key"),
				   "VirusTotal refuses it (%s)", r->why ? r->why : "no reason told");
		break;
	default:	/* network, TLS, a proxy's page: the text says it */
		vtm_doctor_problem(d, "reach", g_strdup_printf("curl -sv %s/ 2>&1 | head -40", d->conf->api_base_url),
				   "%s gives no usable answer: %s", d->conf->api_base_url, r->why ? r->why : "?");
	}
	if (r->status)
		check_clock(d, r->server_utc_ms);
	if (r->status && g_str_has_prefix(d->conf->api_base_url, "https:"))
		vtm_doctor_fine(d, "tls", "the server's certificate is valid");
}

static void check_virustotal(struct vtm_doctor *d)
{
	struct vtm_result r = { 0 };
	GError *error = NULL;

	if (!d->conf->enabled) {
		vtm_doctor_note(d, "key", "Enabled is no: nothing is asked");
		return;
	}
	if (!d->conf->api_key)
		return;		/* told already */
	if (vtm_ctl_ask_quotas(d->c, d->conf, &r, &error) < 0) {
		vtm_doctor_problem(d, "reach", NULL, "%s", error->message);
		g_error_free(error);
		return;
	}
	check_reply(d, &r);
	vtm_result_clear(&r);
}

/* ---- this host ---- */

static void check_store(struct vtm_doctor *d)
{
	const char *uri = d->conf->store, *path = g_str_has_prefix(uri, "sqlite:") ? uri + strlen("sqlite:") : NULL;
	GError *error = NULL;
	struct vtm_store *s = vtm_ctl_store(d->c, false, &error);
	struct vtm_budget b;

	vtm_budget_init(&b);
	if (s && vtm_store_budget_read(s, &b, &error) == 0) {
		vtm_doctor_fine(d, "store", "%s can be read and written", uri);
	} else {
		char *dir = path ? g_path_get_dirname(path) : NULL;

		vtm_doctor_problem(d, "store", dir ? g_strdup_printf("chown -R %s %s && chmod -R u+rwX %s",
								     d->conf->user ? d->conf->user : "vtmilter", dir, dir) :
				   g_strdup_printf("Store %s", uri), "%s", error->message);
		g_error_free(error);
		g_free(dir);
	}
	vtm_budget_clear(&b);
	vtm_store_close(s);
}

static void check_daemon(struct vtm_doctor *d)
{
	GError *error = NULL;
	char *answer = vtm_ctl_ask_daemon(d->c, "status", &error), *why;
	bool fine = false;

	if (!answer) {
		vtm_doctor_problem(d, "daemon", g_strdup("systemctl start vtmilter"), "%s", error->message);
		g_error_free(error);
		return;
	}
	vtm_doctor_fine(d, "daemon", "answers at %s", d->conf->control_socket);
	if (vtm_json_get_bool(answer, "store.ok", &fine) && !fine) {
		why = vtm_json_get_text(answer, "store.error");
		vtm_doctor_problem(d, "daemon", NULL, "its store fails: %s", why ? why : "not open");
		g_free(why);
	}
	g_free(answer);
}

static void check_lists(struct vtm_doctor *d)
{
	if (!d->conf->ignored_domains && !d->conf->ignored_hashes)
		vtm_doctor_note(d, "ignored", "no IgnoredDomains: training mails of your own would be asked about");
	else if (d->conf->ignore)
		vtm_doctor_fine(d, "ignored", "the lists can be read");
}

static void check_temp(struct vtm_doctor *d)
{
	if (access(d->conf->temp_directory, W_OK | X_OK) == 0)
		vtm_doctor_fine(d, "temp", "%s can be written", d->conf->temp_directory);
	else
		vtm_doctor_problem(d, "temp", g_strdup("TempDirectory /var/tmp"), "%s cannot be written",
				   d->conf->temp_directory);
}

int vtm_ctl_doctor(struct vtm_ctl *c, int argc, char **argv)
{
	struct vtm_doctor d = { .c = c };
	struct vtm_conf *whole;
	GError *error = NULL;

	if (argc)
		return vtm_ctl_usage(c, "found '%s', expected no argument", argv[0]);
	whole = vtm_conf_load(c->conf_path, &error);
	d.conf = whole ? whole : c->conf;
	if (whole) {
		vtm_doctor_fine(&d, "conf", "%s is fine", whole->path);
	} else {
		vtm_doctor_problem(&d, "conf", NULL, "%s", error->message);
		g_error_free(error);
	}
	check_virustotal(&d);
	check_store(&d);
	check_daemon(&d);
	check_lists(&d);
	check_temp(&d);
	vtm_doctor_mta(&d);
	vtm_conf_unref(whole);
	return d.problems ? VTM_CTL_FOUND : EX_OK;
}
