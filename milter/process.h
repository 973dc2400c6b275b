/* SPDX-License-Identifier: BSD-2-Clause */
/* process.h - makes a process a daemon: user, sockets, PID file, background, privileges.
 *
 * start.c calls these in the order below, before there are threads.  Errors are VTM_ERROR_IO or VTM_ERROR_CONFIG and
 * say what to do.
 */
#ifndef VTM_PROCESS_H
#define VTM_PROCESS_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

struct vtm_user {
	char *name;		/* NULL: the process's own user */
	uid_t uid;
	gid_t gid;		/* the user's group */
};

/* Finds the user <name>; NULL: the process's own.  -1: there is no such user, or only root could become it. */
int vtm_user_find(struct vtm_user *u, const char *name, GError **error);
void vtm_user_clear(struct vtm_user *u);

/* Makes way for a local socket at <path>: removes a socket on which no process listens, whatever its mode and owner.
 * -1: a process listens there, the file is not a socket, or the directory is missing. */
int vtm_socket_claim(const char *path, GError **error);
/* Sets TCP_NODELAY on the TCP sockets that this process listens on; Linux copies it to accepted connections.  libmilter
 * writes each header edit by itself, and the second would wait 40 ms for the delayed ACK of the first. */
void vtm_sockets_prompt(void);
/* Sets mode, owner and <group> (NULL: the user's) of the local socket at <path>.  -1: group or mode cannot be set. */
int vtm_socket_own(const char *path, mode_t mode, const struct vtm_user *u, const char *group, GError **error);

/* Opens and locks the PID file.  Returns its descriptor, which stays open; -1: error, for example another process has
 * locked it. */
int vtm_pidfile_open(const char *path, GError **error);
int vtm_pidfile_write(int fd, GError **error);
/* Removes the file, or empties it if we may not write to its directory.  fd -1 is fine. */
void vtm_pidfile_remove(int fd, const char *path);

/* Continues in the background.  Returns in the child only, with a descriptor for vtm_background_ready().  The first
 * process waits for that and exits with its status, or with 71 (EX_OSERR) if the child dies before.  -1: could not
 * fork. */
int vtm_background(GError **error);
/* Reports to the first process that the child has started (0) or not (a status of sysexits.h).  Detaches standard
 * input, output and, with <quiet>, error.  fd -1 is fine. */
void vtm_background_ready(int fd, int status, bool quiet);

/* Raises the limit of open files as far as the system allows. */
void vtm_limits_raise(void);
/* Makes malloc return the memory of large messages to the system when it is freed. */
void vtm_process_return_memory(void);
/* Becomes <u> for good: groups, group, user.  Does nothing in a process that is not root. */
int vtm_privileges_drop(const struct vtm_user *u, GError **error);
/* Forbids core dumps, ptrace by others and new privileges by exec. */
void vtm_process_harden(void);

#endif
