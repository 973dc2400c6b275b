/* SPDX-License-Identifier: BSD-2-Clause */
/* conf-field.h - a directive's field in struct vtm_conf: from text and back.  For conf*.c only. */
#ifndef VTM_CONF_FIELD_H
#define VTM_CONF_FIELD_H

#include "conf/table.h"

/* Reads <text> into the field (adds it, if the directive may be repeated); false and what was found and expected. */
bool vtm_field_set(struct vtm_conf *c, const struct vtm_directive *d, const char *text, GError **error);
/* Sets the default; what the file says later is not a repetition of it. */
bool vtm_field_default(struct vtm_conf *c, const struct vtm_directive *d, GError **error);
/* Text that reads back as the value; of a repeated directive the <i>th (else <i> is 0).  NULL: none, or no more.
 * New string. */
char *vtm_field_text(const struct vtm_conf *c, const struct vtm_directive *d, unsigned i);
/* Frees what the field owns. */
void vtm_field_clear(struct vtm_conf *c, const struct vtm_directive *d);
/* Is the value the one in <defaults>? */
bool vtm_field_same(const struct vtm_conf *c, const struct vtm_conf *defaults, const struct vtm_directive *d);

#endif
