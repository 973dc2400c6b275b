/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor.h - vtmilterctl doctor: findings, and who may reach a file.  doctor-parts.h has the checks. */
#ifndef VTM_CTL_DOCTOR_H
#define VTM_CTL_DOCTOR_H

#include <sys/stat.h>

#include "ctl/ctl.h"

#define VTM_ACCOUNT_GROUPS_MAX 1024

/* A user of this host with his groups.  A value. */
struct vtm_account {
	char name[64];
	uid_t uid;
	gid_t groups[VTM_ACCOUNT_GROUPS_MAX];
	int n;
};

struct vtm_doctor {
	const struct vtm_ctl *c;
	const struct vtm_conf *conf;	/* as much of it as can be read: with key and lists, without, or the defaults */
	const char *conf_path;
	char *status;			/* the daemon's (control.h), NULL: it does not answer */
	struct vtm_account user;	/* whom the daemon runs as, or would */
	unsigned problems;
};

/* ---- findings (doctor-finding.c) ----
 *
 * <check> is a word for programs, static; vtmilter(8) explains each.  <fix> is what vtm_doctor_line() or
 * vtm_doctor_run() made, or NULL where there is nothing to change; freed. */

void vtm_doctor_fine(struct vtm_doctor *d, const char *check, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Not wrong, but worth knowing. */
void vtm_doctor_note(struct vtm_doctor *d, const char *check, char *fix, const char *format, ...) G_GNUC_PRINTF(4, 5);
void vtm_doctor_problem(struct vtm_doctor *d, const char *check, char *fix, const char *format, ...)
	G_GNUC_PRINTF(4, 5);

/* "FILE: LINE": the line to write into a file. */
char *vtm_doctor_line(const char *file, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* "run: COMMAND" */
char *vtm_doctor_run(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* ---- who may reach what (doctor-access.c); by mode bits: an access list may allow more ---- */

bool vtm_account_find(struct vtm_account *a, const char *name);
/* By number; one without a name is named by it. */
void vtm_account_of(struct vtm_account *a, uid_t uid);
/* May he do all that the low three bits <want> (4 read, 2 write, 1 search) say? */
bool vtm_account_may(const struct vtm_account *a, const struct stat *st, mode_t want);
/* The first directory on the way to <path>, from the root, that <a> may not search or that is not there; new string,
 * NULL: none.  *unseen_r: it is only that this process may not look. */
char *vtm_account_closed(const struct vtm_account *a, const char *path, bool *unseen_r);
/* What lets <a> search the directory <dir>, or a place to put the file otherwise (<elsewhere>, a directive's line). */
char *vtm_account_open_fix(const struct vtm_doctor *d, const struct vtm_account *a, const char *dir,
			   const char *elsewhere);
/* Does <user> of the MTA reach our Socket? */
void vtm_doctor_access(struct vtm_doctor *d, const char *user);

#endif
