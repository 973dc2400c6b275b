/* SPDX-License-Identifier: BSD-2-Clause */
/* ctl-doctor.h - what the parts of vtmilterctl doctor share. */
#ifndef VTM_CTL_DOCTOR_H
#define VTM_CTL_DOCTOR_H

#include "ctl.h"

struct vtm_doctor {
	const struct vtm_ctl *c;
	const struct vtm_conf *conf;	/* with the key if it can be read */
	unsigned problems;
};

/* One result each; <check> is a word for programs, static. */
void vtm_doctor_fine(struct vtm_doctor *d, const char *check, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Not wrong, but worth knowing. */
void vtm_doctor_note(struct vtm_doctor *d, const char *check, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Wrong; <fix> is the line to change or the command to run, freed. */
void vtm_doctor_problem(struct vtm_doctor *d, const char *check, char *fix, const char *format, ...)
	G_GNUC_PRINTF(4, 5);

/* Postfix's and Sendmail's settings, and whether they reach our socket (ctl-doctor-mta.c). */
void vtm_doctor_mta(struct vtm_doctor *d);

#endif
