/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor.c - vtmilterctl doctor: reads the configuration and runs the checks. */
#include <errno.h>
#include <unistd.h>

#include "ctl/doctor-parts.h"

/* ---- the configuration ---- */

/* The command that an error of the configuration suggests; NULL: none. */
static char *fix_of(const char *message)
{
	const char *run = strstr(message, "run: ");

	return run ? g_strdup(run) : NULL;
}

/* Is the key unreadable only for this user, who is not root? */
static bool only_unseen(const struct vtm_conf *quiet)
{
	const char *key = quiet->api_key_file;

	return geteuid() && key && access(key, R_OK) < 0 && errno == EACCES;
}

/* Reports that key or lists cannot be read, while the file itself can. */
static void tell_outside(struct vtm_doctor *d, const GError *error)
{
	char *fix = fix_of(error->message);

	if (only_unseen(d->conf)) {
		vtm_doctor_note(d, "conf", vtm_doctor_run("sudo vtmilterctl doctor"),
				"%s is fine; only its owner may read %s, so VirusTotal was not tried", d->conf_path,
				d->conf->api_key_file);
		return;
	}
	if (!fix && d->conf->enabled && !d->conf->api_key_file)
		fix = vtm_doctor_line(d->conf_path, "ApiKeyFile /etc/vtmilter/api.key");
	vtm_doctor_problem(d, "conf", fix, "%s", error->message);
}

/* Reads the file without lists and key.  NULL: it has an error. */
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
				   "%s; the other findings are about the defaults", why->message);
		conf = vtm_conf_defaults();
	} else {
		vtm_doctor_problem(d, "conf", NULL, "%s", why->message);
	}
	g_error_free(why);
	return conf;
}

/* false: the file has an error, so nothing else can be checked. */
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
