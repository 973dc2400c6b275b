/* SPDX-License-Identifier: BSD-2-Clause */
/* control.h - the control socket, by which vtmilterctl talks to the running daemon.
 *
 * A local socket of mode 0660.  A client sends a line, gets a line of JSON, and the connection ends.  One thread serves
 * all clients; each has VTM_CONTROL_CLIENT_MS to send its line, and as long to read the answer, and blocks no other
 * meanwhile.  At most VTM_CONTROL_CLIENTS_MAX are connected: one more closes the oldest connection.  No command takes a
 * path.
 *
 *	reload			vtm_reload_answer()
 *	all others		vtm_answer()
 */
#ifndef VTM_CONTROL_H
#define VTM_CONTROL_H

#include <glib.h>
#include <sys/types.h>

#include "base/clock.h"
#include "process.h"

#define VTM_CONTROL_LINE_MAX 8448	/* bytes of a command: the longest URL that is looked up, and a few words */
#define VTM_CONTROL_CLIENT_MS 5000
#define VTM_CONTROL_CLIENTS_MAX 64

struct vtm_control;

/* Returns the answer to <command>, both without line end, new string; NULL: there is no such command.  Called in the
 * control thread.  <peer>, for the log: "uid 0, pid 123". */
typedef char *vtm_control_answer(const char *command, const char *peer, void *arg);

/* Listens at <path>, for <u> and its group.  Call it before privileges are dropped.  NULL: an error as in process.h. */
struct vtm_control *vtm_control_open(const char *path, const struct vtm_user *u, const struct vtm_clock *clock,
				     GError **error);
/* Starts the thread.  -1: VTM_ERROR_IO. */
int vtm_control_start(struct vtm_control *c, vtm_control_answer *answer, void *arg, GError **error);
/* Serves one client on <fd> in the calling thread (tests).  The caller closes <fd>. */
void vtm_control_serve(const struct vtm_clock *clock, int fd, vtm_control_answer *answer, void *arg);
/* Ends the thread and removes the socket.  NULL is fine. */
void vtm_control_free(struct vtm_control *c);

#endif
