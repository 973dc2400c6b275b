/* SPDX-License-Identifier: BSD-2-Clause */
/* start.h - what the daemon takes hold of when it starts, and gives back when it stops.
 *
 * Two steps: as root and without threads (user, PID file, sockets, daemon), then as User, with threads (decoders,
 * sandbox, resolver, ticker, control).  A failed step leaves the rest to vtm_start_release().  Main thread.
 */
#ifndef VTM_START_H
#define VTM_START_H

#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "conf/conf.h"
#include "control.h"
#include "process.h"

struct vtm_start {
	struct vtm_user user;
	int pid_fd;			/* -1: no PidFile */
	int ready_fd;			/* of vtm_background(); -1: in the foreground */
	struct vtm_control *control;
	const char *socket_path, *pid_path;	/* of the configuration; NULL: none */
	struct stat socket;		/* of socket_path, to remove only our own */
};
#define VTM_START_INIT { .pid_fd = -1, .ready_fd = -1 }

/* Both return EX_OK, or a status of sysexits.h and an error. */
int vtm_start_as_root(struct vtm_start *s, const struct vtm_conf *c, bool foreground, GError **error);
/* <answer> and <arg>: for vtm_control_start(). */
int vtm_start_as_user(struct vtm_start *s, const struct vtm_conf *c, vtm_control_answer *answer, void *arg,
		      GError **error);

/* Ends the threads and processes that were started and removes socket and PID file. */
void vtm_start_release(struct vtm_start *s);

#endif
