/* SPDX-License-Identifier: BSD-2-Clause */
/* field.h - reads a directive's text into its field of struct vtm_conf, and back.  Only milter/conf includes it. */
#ifndef VTM_CONF_FIELD_H
#define VTM_CONF_FIELD_H

#include "conf/table.h"

/* Reads <text> into the field; appends it if the directive may be repeated.  false: the error says what was found and
 * expected. */
bool vtm_field_set(struct vtm_conf *c, const struct vtm_directive *d, const char *text, GError **error);
/* Sets the default.  A later vtm_field_set() replaces it. */
bool vtm_field_default(struct vtm_conf *c, const struct vtm_directive *d, GError **error);
/* The value as text, new string; of a repeated directive the <i>th value, else <i> is 0.  NULL: there is no such
 * value. */
char *vtm_field_text(const struct vtm_conf *c, const struct vtm_directive *d, unsigned i);
/* Frees what the field owns. */
void vtm_field_clear(struct vtm_conf *c, const struct vtm_directive *d);
/* Is the value the one in <defaults>? */
bool vtm_field_same(const struct vtm_conf *c, const struct vtm_conf *defaults, const struct vtm_directive *d);

#endif
