/* SPDX-License-Identifier: BSD-2-Clause */
/* standin.h - t/standin/fakevt as a child of a unit test.  One thread. */
#ifndef STANDIN_H
#define STANDIN_H

#include <glib.h>
#include <stdbool.h>

struct server {
	GPid pid;
	int port;
};

/* Is $builddir/t/standin/fakevt there? */
bool server_built(void);
/* Starts it with <options> (NULL-terminated; NULL: none) and waits for its port. */
bool server_start(struct server *s, const char *const *options);
/* True if it ended by itself as it should. */
bool server_stop(struct server *s);
/* What it prints to that command; <rest> may be NULL; new string. */
char *tell(const struct server *s, const char *command, const char *rest);
void told(const struct server *s, const char *command, const char *rest);
/* One of its counters; -1: none of that name. */
int counter(const struct server *s, const char *name);

#endif
