/* SPDX-License-Identifier: BSD-2-Clause */
/* process.h - what makes a process a daemon: sockets, PID file, going to the background, giving up privileges.
 *
 * Called from main in the order below, before there are threads.  Errors are VTM_ERROR_IO or VTM_ERROR_CONFIG and say
 * what to do.
 */
#ifndef VTM_PROCESS_H
#define VTM_PROCESS_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

struct vtm_user {
	char *name;		/* NULL: stay who we are */
	uid_t uid;
	gid_t gid;		/* the user's group */
};

/* Looks up <name>; NULL: stay (uid and gid are the process's own).  -1: there is none, or only root can become him. */
int vtm_user_find(struct vtm_user *u, const char *name, GError **error);
void vtm_user_clear(struct vtm_user *u);

/* Makes way for a local socket at <path>: removes a socket on which no process listens, whatever its mode and owner.
 * -1: a process listens there, the file is not a socket, or the directory is missing. */
int vtm_socket_claim(const char *path, GError **error);
/* Lets what comes in on the TCP sockets that this process listens on answer at once (TCP_NODELAY, which Linux hands on
 * to what is accepted).  libmilter writes each header edit by itself: the second would wait for the delayed ACK of the
 * first, 40 ms. */
void vtm_sockets_prompt(void);
/* Gives the local socket at <path> its mode, and its owner and <group> (NULL: the user's) if we may. */
int vtm_socket_own(const char *path, mode_t mode, const struct vtm_user *u, const char *group, GError **error);

/* Opens and locks the PID file.  Its descriptor, kept open for life; -1: another process has it. */
int vtm_pidfile_open(const char *path, GError **error);
int vtm_pidfile_write(int fd, GError **error);
/* Removes the file, or empties it when its directory is not ours.  fd -1 is fine. */
void vtm_pidfile_remove(int fd, const char *path);

/* Goes to the background.  Returns in the child only, with the descriptor that takes its word; the first process
 * waits for it and exits with the status it is told, or with 71 (EX_OSERR) if the child dies before. -1: could not
 * fork. */
int vtm_background(GError **error);
/* The child's word: it works (0), or did not start (a status of sysexits.h).  Detaches standard input, output and, with
 * <quiet>, error.  fd -1 is fine. */
void vtm_background_ready(int fd, int status, bool quiet);

/* As many open files as the system allows. */
void vtm_limits_raise(void);
/* Makes malloc give the memory of large messages back to the system when they are done. */
void vtm_process_return_memory(void);
/* Becomes <u> for good: groups, group, user.  Nothing to do for a process that is not root. */
int vtm_privileges_drop(const struct vtm_user *u, GError **error);
/* No core dumps, no ptrace by others, no new privileges by exec. */
void vtm_process_harden(void);

#endif
