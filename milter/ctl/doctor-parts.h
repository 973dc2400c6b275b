/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor-parts.h - the checks of vtmilterctl doctor, in the order in which it runs them. */
#ifndef VTM_CTL_DOCTOR_PARTS_H
#define VTM_CTL_DOCTOR_PARTS_H

#include "ctl/doctor.h"

/* The daemon's process: sets d->status and d->user for the checks that follow (doctor-host.c). */
void vtm_doctor_daemon(struct vtm_doctor *d);
/* The key and its limits, TLS, the clock (doctor-vt.c). */
void vtm_doctor_virustotal(struct vtm_doctor *d);
/* Store, lists, TempDirectory, what this host allows (doctor-host.c). */
void vtm_doctor_host(struct vtm_doctor *d);
/* Postfix's settings (doctor-postfix.c).  false: there is no Postfix. */
bool vtm_doctor_postfix(struct vtm_doctor *d);
/* Sendmail's settings (doctor-sendmail.c); <postfix>: this host has Postfix, too.  false: there is no Sendmail. */
bool vtm_doctor_sendmail(struct vtm_doctor *d, bool postfix);

#endif
