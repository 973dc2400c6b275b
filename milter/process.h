/* SPDX-License-Identifier: BSD-2-Clause */
/* process.h - what a well-behaved daemon does to its process.  Called from main() before any thread starts, unless it says otherwise. */
#ifndef VTM_PROCESS_H
#define VTM_PROCESS_H

#include <glib.h>
#include <stdbool.h>

#include "conf.h"

/* No core dumps with the key in them, no new privileges, umask 077, as many descriptors as allowed. */
void vtm_process_harden(void);

/* Becomes a daemon: the parent stays until vtm_process_ready() in the child and exits with its <status>, or with 71 if the child dies
 * before.  Returns in the child only; -1 and an error if it cannot fork. */
int vtm_process_detach(GError **error);
void vtm_process_ready(int status);

/* Writes and locks the PID file; -1 if another instance holds it. Kept until the process ends; removed by vtm_process_remove_pid(). */
int vtm_process_write_pid(const char *path, GError **error);
void vtm_process_remove_pid(const char *path);

/* A listening socket of the administrator's: refuses to take over one that somebody answers on, removes a stale one. */
int vtm_process_clear_socket(const char *connection, GError **error);
/* Mode, group and (for the ticker, which connects as <user>) owner of a local socket. */
int vtm_process_own_socket(const struct vtm_conf *c, GError **error);

/* Becomes <user> with his groups for good; nothing if not root or <user> is NULL. */
int vtm_process_drop(const char *user, GError **error);

#endif
