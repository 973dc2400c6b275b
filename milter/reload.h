/* SPDX-License-Identifier: BSD-2-Clause */
/* reload.h - reads the configuration again while mail comes in.
 *
 * A file with an error leaves the old configuration in force.  What was set up as root, or before there were threads,
 * changes only with a restart; a reload says so if such a directive differs.
 */
#ifndef VTM_RELOAD_H
#define VTM_RELOAD_H

#include <glib.h>
#include <stdbool.h>

#include "conf/conf.h"

/* Notes what the daemon was started with: <c>, which must outlive the last reload, and whether it may still run
 * programs.  Before the control thread starts. */
void vtm_reload_init(const struct vtm_conf *c, bool may_exec);

/* Reads <path> again and logs what came of it.  Any thread. */
void vtm_reload(const char *path);

/* Does so for <peer> of the control socket: {"ok":BOOL,"error":TEXT,"remarks":[TEXT,...]}, new string.  Any thread. */
char *vtm_reload_answer(const char *path, const char *peer);

#endif
