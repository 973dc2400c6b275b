/* SPDX-License-Identifier: BSD-2-Clause */
/* store-redis-server.h - a private Redis or Valkey for the tests, on a unix socket and, if wanted, on loopback. */
#ifndef STORE_REDIS_SERVER_H
#define STORE_REDIS_SERVER_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

struct redis_server {
	char *dir;		/* its own, with socket, data and log */
	char *socket;
	int port;		/* 0: none */
	pid_t pid;		/* 0: does not run */
};

/* The server's program, static; NULL: neither Redis nor Valkey is installed. */
const char *redis_server_program(void);
/* Is there one to be started, with its client? */
bool redis_server_there(void);
/* Makes its directory. */
void redis_server_init(struct redis_server *r, const char *name);
/* Starts it with more options (words, NULL ends them; may be NULL) and waits until it answers. */
bool redis_server_start(struct redis_server *r, const char *const *options);
/* By SIGKILL: the data stay as they are. */
void redis_server_kill(struct redis_server *r);
void redis_server_stop(struct redis_server *r);	/* SIGCONT, SIGTERM */
void redis_server_clear(struct redis_server *r);	/* stops it and removes the directory */

/* One command by redis-cli or valkey-cli; what it prints, new. */
char *redis_server_cli(const struct redis_server *r, const char *command);
/* A port of 127.0.0.1 that is free just now. */
int redis_server_free_port(void);

#endif
