/* SPDX-License-Identifier: BSD-2-Clause */
/* store-redis-server.c - a private Redis or Valkey for the tests. */
#include "store-redis-server.h"

#include <arpa/inet.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define START_TRIES 500		/* of 10 ms */

/* Programs of Redis or of Valkey, whichever is installed: VTM_VALKEY in the environment prefers Valkey. */
enum program { SERVER, CLI };

static const char *program(enum program which)
{
	static const char *const names[][2] = { { "redis-server", "redis-cli" }, { "valkey-server", "valkey-cli" } };
	unsigned first = g_getenv("VTM_VALKEY") ? 1 : 0;

	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *name = names[(first + i) % G_N_ELEMENTS(names)][which];
		char *path = g_find_program_in_path(name);

		g_free(path);
		if (path)
			return name;
	}
	return NULL;
}

const char *redis_server_program(void)
{
	return program(SERVER);
}

bool redis_server_there(void)
{
	return program(SERVER) && program(CLI);
}

void redis_server_init(struct redis_server *r, const char *name)
{
	char *template = g_strdup_printf("vtmilter-%s-XXXXXX", name);

	memset(r, 0, sizeof(*r));
	r->dir = g_dir_make_tmp(template, NULL);
	r->socket = g_build_filename(r->dir, "s", NULL);
	g_free(template);
}

static bool answers(const struct redis_server *r)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[8] = "";
	bool good;

	g_strlcpy(un.sun_path, r->socket, sizeof(un.sun_path));
	good = connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0 && write(fd, "PING\r\n", 6) == 6 &&
	       read(fd, text, sizeof(text) - 1) > 0 && !strstr(text, "LOADING");
	close(fd);
	return good && (text[0] == '+' || !strncmp(text, "-NOAUTH", 7));
}

bool redis_server_start(struct redis_server *r, const char *const *options)
{
	char *port = g_strdup_printf("%d", r->port);
	GPtrArray *argv = g_ptr_array_new();
	static const char *const fixed[] = { "--bind", "127.0.0.1", "--save", "", "--daemonize", "no", "--logfile",
					     "log" };

	g_ptr_array_add(argv, (gpointer)(guintptr)program(SERVER));
	for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++)
		g_ptr_array_add(argv, (gpointer)(guintptr)fixed[i]);
	g_ptr_array_add(argv, (gpointer)(guintptr)"--port");
	g_ptr_array_add(argv, port);
	g_ptr_array_add(argv, (gpointer)(guintptr)"--unixsocket");
	g_ptr_array_add(argv, r->socket);
	for (size_t i = 0; options && options[i]; i++)
		g_ptr_array_add(argv, (gpointer)(guintptr)options[i]);
	g_ptr_array_add(argv, NULL);
	unlink(r->socket);
	if (!g_spawn_async(r->dir, (char **)argv->pdata, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
			   G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &r->pid, NULL))
		r->pid = 0;
	g_ptr_array_free(argv, TRUE);
	g_free(port);
	for (int i = 0; r->pid && i < START_TRIES; i++) {
		if (answers(r))
			return true;
		if (waitpid(r->pid, NULL, WNOHANG) == r->pid)
			r->pid = 0;
		g_usleep(10000);
	}
	diag("%s does not start; see %s/log", program(SERVER), r->dir);
	return false;
}

static void end(struct redis_server *r, int sig)
{
	if (!r->pid)
		return;
	kill(r->pid, SIGCONT);
	kill(r->pid, sig);
	waitpid(r->pid, NULL, 0);
	r->pid = 0;
}

void redis_server_kill(struct redis_server *r)
{
	end(r, SIGKILL);
}

void redis_server_stop(struct redis_server *r)
{
	end(r, SIGTERM);
}

static void remove_tree(const char *path)
{
	GDir *d = g_dir_open(path, 0, NULL);
	const char *name;

	while (d && (name = g_dir_read_name(d))) {
		char *file = g_build_filename(path, name, NULL);

		if (unlink(file) < 0)
			remove_tree(file);
		g_free(file);
	}
	if (d)
		g_dir_close(d);
	rmdir(path);
}

void redis_server_clear(struct redis_server *r)
{
	redis_server_kill(r);
	if (r->dir)
		remove_tree(r->dir);
	g_free(r->dir);
	g_free(r->socket);
	memset(r, 0, sizeof(*r));
}

char *redis_server_cli(const struct redis_server *r, const char *command)
{
	char *line = g_strdup_printf("%s --no-auth-warning -s %s %s", program(CLI), r->socket, command);
	char *out = NULL;

	g_spawn_command_line_sync(line, &out, NULL, NULL, NULL);
	g_free(line);
	return g_strchomp(out ? out : g_strdup(""));
}

int redis_server_free_port(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;

	if (bind(fd, (struct sockaddr *)&in, len) == 0 && getsockname(fd, (struct sockaddr *)&in, &len) == 0)
		port = ntohs(in.sin_port);
	close(fd);
	return port;
}
