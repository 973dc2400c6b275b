/* SPDX-License-Identifier: BSD-2-Clause */
/* serve.h - runs libmilter until a signal says stop, then lets messages end. */
#ifndef VTM_SERVE_H
#define VTM_SERVE_H

/* Serves the MTA; SIGHUP and SIGUSR1 read <conf_path> again, SIGTERM and SIGINT stop.  Returns EX_OK, or EX_SOFTWARE if
 * libmilter ended without being told to.  A stop takes at most 5 s; messages that are under way get 3 s of them to come
 * to their end.  Main thread. */
int vtm_serve(const char *conf_path);

#endif
