/* SPDX-License-Identifier: BSD-2-Clause */
/* ctl-doctor.c - vtmilterctl doctor: what really goes wrong, each with the line to change. */
#include "ctl/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX 2000

/* ---- findings ---- */

enum result { FINE, NOTE, PROBLEM };

static void put_text(const struct vtm_doctor *d, enum result result, const char *word, const char *check,
		     const char *fix, const char *text)
{
	static const char *const colors[] = { "\033[32m", "\033[33m", "\033[1;31m" };
	char *safe = vtm_ctl_safe(text, TEXT_MAX), *safe_fix = vtm_ctl_safe(fix, TEXT_MAX);

	printf("%s%-8s%s %-10s %s\n", d->c->color ? colors[result] : "", word, d->c->color ? "\033[m" : "", check, safe);
	if (fix)
		printf("%20s-> %s\n", "", safe_fix);
	g_free(safe_fix);
	g_free(safe);
}

static G_GNUC_PRINTF(5, 0)
void put(struct vtm_doctor *d, enum result result, const char *check, char *fix, const char *format, va_list args)
{
	static const char *const words[] = { "ok", "note", "problem" };
	char *text = g_strdup_vprintf(format, args);

	d->problems += result == PROBLEM;
	if (d->c->json) {
		struct vtm_json *j = vtm_json_new();

		vtm_json_text(j, "check", check);
		vtm_json_text(j, "result", words[result]);
		vtm_json_text(j, "text", text);
		vtm_json_text(j, "fix", fix);
		vtm_ctl_put_json(j);
	} else {
		put_text(d, result, words[result], check, fix, text);
	}
	g_free(text);
	g_free(fix);
}

void vtm_doctor_fine(struct vtm_doctor *d, const char *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(d, FINE, check, NULL, format, args);
	va_end(args);
}

void vtm_doctor_note(struct vtm_doctor *d, const char *check, char *fix, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(d, NOTE, check, fix, format, args);
	va_end(args);
}

void vtm_doctor_problem(struct vtm_doctor *d, const char *check, char *fix, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(d, PROBLEM, check, fix, format, args);
	va_end(args);
}

static G_GNUC_PRINTF(2, 0)
char *fix_of_kind(const char *kind, const char *format, va_list args)
{
	char *what = g_strdup_vprintf(format, args), *fix = g_strconcat(kind, ": ", what, NULL);

	g_free(what);
	return fix;
}

char *vtm_doctor_line(const char *file, const char *format, ...)
{
	va_list args;
	char *fix;

	va_start(args, format);
	fix = fix_of_kind(file, format, args);
	va_end(args);
	return fix;
}

char *vtm_doctor_run(const char *format, ...)
{
	va_list args;
	char *fix;

	va_start(args, format);
	fix = fix_of_kind("run", format, args);
	va_end(args);
	return fix;
}

int64_t vtm_doctor_duration_ms(const char *text)
{
	int64_t all = 0;

	if (!*text)
		return -1;
	while (*text) {
		char *end;
		guint64 n = g_ascii_strtoull(text, &end, 10);
		const char *unit = *end ? strchr("smhdw", g_ascii_tolower(*end)) : "s";
		static const int64_t ms[] = { 1000, 60000, 3600000, 86400000, 604800000 };

		if (end == text || n > G_MAXINT32 || !unit)
			return -1;
		all += (int64_t)n * ms[*end ? unit - "smhdw" : 0];
		text = *end ? end + 1 : end;
	}
	return all;
}

/* ---- the configuration ---- */

/* What a complaint about the configuration says is to be run, if it does. */
static char *fix_of(const char *message)
{
	const char *run = strstr(message, "run: ");

	return run ? g_strdup(run) : NULL;
}

/* May this user, who is not root, just not see what the daemon's user does? */
static bool only_unseen(const struct vtm_conf *quiet)
{
	const char *key = quiet->api_key_file;

	return geteuid() && key && access(key, R_OK) < 0 && errno == EACCES;
}

/* Key and lists cannot be read, the file itself can. */
static void tell_outside(struct vtm_doctor *d, const GError *error)
{
	char *fix = fix_of(error->message);

	if (only_unseen(d->conf)) {
		vtm_doctor_note(d, "conf", vtm_doctor_run("sudo vtmilterctl doctor"),
				"%s is fine; only its owner may read %s, so VirusTotal is not asked", d->conf_path,
				d->conf->api_key_file);
		return;
	}
	if (!fix && d->conf->enabled && !d->conf->api_key_file)
		fix = vtm_doctor_line(d->conf_path, "ApiKeyFile /etc/vtmilter/api.key");
	vtm_doctor_problem(d, "conf", fix, "%s", error->message);
}

/* Without the lists and the key.  NULL: there is an error in the file. */
static struct vtm_conf *read_quiet(struct vtm_doctor *d, const char *path)
{
	GError *why = NULL;
	struct vtm_conf *conf = vtm_conf_load_quiet(path, &why);

	if (conf)
		return conf;
	if (access(d->conf_path, R_OK) < 0) {
		vtm_doctor_problem(d, "conf", errno == ENOENT ?
				   vtm_doctor_line(d->conf_path, "ApiKeyFile /etc/vtmilter/api.key") :
				   vtm_doctor_run("sudo vtmilterctl doctor"),
				   "%s; what follows is about the defaults", why->message);
		conf = vtm_conf_defaults();
	} else {
		vtm_doctor_problem(d, "conf", NULL, "%s", why->message);
	}
	g_error_free(why);
	return conf;
}

/* false: there is an error in the file, and nothing else can be looked at. */
static bool read_conf(struct vtm_doctor *d, struct vtm_ctl *c, struct vtm_conf **whole_r)
{
	GError *error = NULL;

	d->conf_path = c->conf_path ? c->conf_path : VTM_CONF_FILE_DEFAULT;
	*whole_r = vtm_conf_load(c->conf_path, &error);
	if (*whole_r) {
		c->conf = vtm_conf_ref(*whole_r);
		vtm_doctor_fine(d, "conf", "%s is fine", d->conf_path);
	} else {
		c->conf = read_quiet(d, c->conf_path);
	}
	d->conf = c->conf;
	if (d->conf && !*whole_r && d->conf->path)
		tell_outside(d, error);
	g_clear_error(&error);
	return d->conf != NULL;
}

int vtm_ctl_doctor(struct vtm_ctl *c, int argc, char **argv)
{
	struct vtm_doctor d = { .c = c };
	struct vtm_conf *whole = NULL;
	bool postfix, sendmail;
	int status = EX_CONFIG;

	if (argc)
		return vtm_ctl_usage(c, "found '%s', expected no argument", argv[0]);
	if (!read_conf(&d, c, &whole))
		goto out;
	vtm_doctor_daemon(&d);
	vtm_doctor_virustotal(&d);
	vtm_doctor_host(&d);
	postfix = vtm_doctor_postfix(&d);
	sendmail = vtm_doctor_sendmail(&d, postfix);
	if (!postfix && !sendmail)
		vtm_doctor_note(&d, "mta", NULL, "neither Postfix nor Sendmail is set up here");
	status = !d.conf->path ? EX_CONFIG : d.problems ? VTM_CTL_FOUND : EX_OK;
out:
	g_free(d.status);
	vtm_conf_unref(whole);
	return status;
}
