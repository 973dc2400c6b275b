/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor.h - vtmilterctl doctor: findings, and who may reach a file.  doctor-parts.h has the checks. */
#ifndef VTM_CTL_DOCTOR_H
#define VTM_CTL_DOCTOR_H

#include <sys/stat.h>

#include "ctl/ctl.h"

#define VTM_ACCOUNT_GROUPS_MAX 1024

/* A user of this host and its groups.  A plain value. */
struct vtm_account {
	char name[64];
	uid_t uid;
	gid_t groups[VTM_ACCOUNT_GROUPS_MAX];
	int n;
};

struct vtm_doctor {
	const struct vtm_ctl *c;
	const struct vtm_conf *conf;	/* what could be read: all, all but key and lists, or the defaults */
	const char *conf_path;
	char *status;			/* the daemon's (status.h); NULL: it does not answer */
	struct vtm_account user;	/* that the daemon runs as, or would run as */
	unsigned problems;
};

/* ---- findings (doctor-finding.c) ----
 *
 * <check> is a static word; vtmilter(8) explains each.  <fix> is a string of vtm_doctor_line() or vtm_doctor_run(),
 * which these functions free; NULL: there is nothing to change. */

void vtm_doctor_fine(struct vtm_doctor *d, const char *check, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Not a fault, but worth knowing. */
void vtm_doctor_note(struct vtm_doctor *d, const char *check, char *fix, const char *format, ...) G_GNUC_PRINTF(4, 5);
void vtm_doctor_problem(struct vtm_doctor *d, const char *check, char *fix, const char *format, ...)
	G_GNUC_PRINTF(4, 5);

/* "FILE: LINE": a line to write into a file.  New string. */
char *vtm_doctor_line(const char *file, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* "run: COMMAND".  New string. */
char *vtm_doctor_run(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* ---- access to files (doctor-access.c), by mode bits: an access control list may allow more ---- */

bool vtm_account_find(struct vtm_account *a, const char *name);
/* Finds an account by number; one without a name gets the number as its name. */
void vtm_account_of(struct vtm_account *a, uid_t uid);
/* Does the account have all rights in <want> (4 read, 2 write, 1 search)? */
bool vtm_account_may(const struct vtm_account *a, const struct stat *st, mode_t want);
/* The first directory in <path>, from the root, that <a> may not search or that does not exist.  New string; NULL:
 * there is none.  *unseen_r: only this process may not search it, so the answer is not known. */
char *vtm_account_closed(const struct vtm_account *a, const char *path, bool *unseen_r);
/* A fix that lets <a> search the directory <dir>, or else <elsewhere>, a directive's line with another path. */
char *vtm_account_open_fix(const struct vtm_doctor *d, const struct vtm_account *a, const char *dir,
			   const char *elsewhere);
/* Can the MTA's <user> reach our Socket? */
void vtm_doctor_access(struct vtm_doctor *d, const char *user);

#endif
