/* SPDX-License-Identifier: BSD-2-Clause */
/* value.h - parses the values of vtmilter.conf, and writes them.
 *
 * A parser returns false if the text does not have the form, or if the value is too large for its type; the caller
 * checks the directive's range.  Blanks, signs and fractions are refused.
 */
#ifndef VTM_CONF_VALUE_H
#define VTM_CONF_VALUE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

bool vtm_value_bool(const char *text, bool *value_r);			/* yes no true false on off 1 0, any case */
bool vtm_value_number(const char *text, uint64_t *value_r);		/* 120 */
bool vtm_value_percent(const char *text, uint64_t *value_r);		/* 30% or 30 */
bool vtm_value_duration(const char *text, int64_t *value_ms_r);		/* 90 90s 5m 1h 7d */
bool vtm_value_size(const char *text, uint64_t *value_r);		/* 100 64k 1M 2G 1T */
bool vtm_value_mode(const char *text, int64_t *value_r);		/* octal, at most 07777 */

/* Write the value in the largest unit that needs no fraction.  New string. */
char *vtm_value_duration_text(int64_t ms);
char *vtm_value_size_text(uint64_t bytes);

/* The number of letters that must be changed, added, left out or swapped with a neighbour to make <a> of <b>, in any
 * case.  G_MAXUINT if one of them is longer than 64 bytes. */
unsigned vtm_value_distance(const char *a, const char *b);

#endif
