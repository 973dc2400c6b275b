/* SPDX-License-Identifier: BSD-2-Clause */
/* standin.c - see standin.h. */
#include "standin.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static const char *fakevt(void)
{
	static char *path;
	const char *builddir = g_getenv("builddir");

	if (!path)
		path = g_build_filename(builddir ? builddir : ".", "t/standin/fakevt", NULL);
	return path;
}

bool server_built(void)
{
	return g_file_test(fakevt(), G_FILE_TEST_IS_EXECUTABLE);
}

bool server_start(struct server *s, const char *const *options)
{
	GPtrArray *argv = g_ptr_array_new();
	char text[16] = "";
	size_t len = 0;
	int out;
	bool good;

	g_ptr_array_add(argv, (char *)(uintptr_t)fakevt());
	for (; options && *options; options++)
		g_ptr_array_add(argv, (char *)(uintptr_t)*options);
	g_ptr_array_add(argv, NULL);
	good = g_spawn_async_with_pipes(NULL, (char **)argv->pdata, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
					&s->pid, NULL, &out, NULL, NULL);
	g_ptr_array_free(argv, TRUE);
	if (!good)
		return false;
	while (len < sizeof(text) - 1 && !strchr(text, '\n') && read(out, text + len, 1) == 1)
		len++;
	close(out);
	s->port = atoi(text);
	return s->port > 0;
}

bool server_stop(struct server *s)
{
	int status = -1;

	kill(s->pid, SIGTERM);
	waitpid(s->pid, &status, 0);
	g_spawn_close_pid(s->pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

char *tell(const struct server *s, const char *command, const char *rest)
{
	char *port = g_strdup_printf("%d", s->port), *out = NULL;
	char *argv[] = {
		(char *)(uintptr_t)fakevt(), (char *)(uintptr_t)"--ask", port, (char *)(uintptr_t)command,
		(char *)(uintptr_t)rest, NULL
	};
	int status = -1;

	if (!g_spawn_sync(NULL, argv, NULL, 0, NULL, NULL, &out, NULL, &status, NULL) || status != 0)
		ok(false, "the stand-in takes: %s %s", command, rest ? rest : "");
	g_free(port);
	return out;
}

void told(const struct server *s, const char *command, const char *rest)
{
	g_free(tell(s, command, rest));
}

int counter(const struct server *s, const char *name)
{
	char *text = tell(s, "stats", NULL), **lines = g_strsplit(text ? text : "", "\n", -1);
	int n = -1;

	for (char **l = lines; *l; l++)
		if (g_str_has_prefix(*l, name) && (*l)[strlen(name)] == ' ')
			n = atoi(*l + strlen(name));
	g_strfreev(lines);
	g_free(text);
	return n;
}
