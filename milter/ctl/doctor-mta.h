/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor-mta.h - what the checks of Postfix and Sendmail share. */
#ifndef VTM_CTL_DOCTOR_MTA_H
#define VTM_CTL_DOCTOR_MTA_H

#include <stdint.h>

#define VTM_DOCTOR_MARGIN_MS 30000	/* what an MTA must allow on top of Timeout, to read a message */
#define VTM_DOCTOR_PROGRESS_MS 10000	/* between two signs of life: one is sent every 5 s, later on a busy host */

/* The milliseconds of a duration in main.cf or sendmail.cf: numbers, each with s, m, h, d or w; without a letter it is
 * seconds.  -1: <text> is not a duration. */
int64_t vtm_doctor_duration_ms(const char *text);

#endif
