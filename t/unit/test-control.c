/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "tap.h"

static struct vtm_clock_manual clock_of_test;
static unsigned asked;
static int64_t takes_ms;	/* the answer to each command */

static char *answer(const char *command, const char *peer, void *arg)
{
	asked++;
	ok(arg == &asked && g_str_has_prefix(peer, "uid ") && strstr(peer, ", pid "), "who asks is told");
	vtm_clock_manual_advance(&clock_of_test, takes_ms);
	return strcmp(command, "unknown") ? g_strdup_printf("{\"bytes\":%zu}", strlen(command)) : NULL;
}

/* What is answered to <len> bytes of a client that goes then; to be freed. */
static char *serve(const char *sent, size_t len)
{
	char reply[1024];
	ssize_t n;
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
		return NULL;
	asked = 0;
	if (send(fd[0], sent, len, 0) != (ssize_t)len || shutdown(fd[0], SHUT_WR))
		return NULL;
	vtm_control_serve(&clock_of_test.clock, fd[1], answer, &asked);
	close(fd[1]);
	n = recv(fd[0], reply, sizeof(reply), MSG_DONTWAIT);
	close(fd[0]);
	return g_strndup(reply, n > 0 ? (size_t)n : 0);
}

static void replies(const char *sent, size_t len, const char *want, unsigned commands, const char *what)
{
	char *got = serve(sent, len);

	is_str(got, want, "%s", what);
	is_int(asked, commands, "%s: commands", what);
	g_free(got);
}

#define LITERAL(text) text, sizeof(text) - 1
#define REFUSED "{\"error\":\"one line of at most " G_STRINGIFY(VTM_CONTROL_LINE_MAX) " bytes expected\"}\n"

static void test_lines(void)
{
	replies(LITERAL("status\n"), "{\"bytes\":6}\n", 1, "a line");
	replies(LITERAL("status\r\n"), "{\"bytes\":6}\n", 1, "a line that ends in CR LF");
	replies(LITERAL("status\nreload\n"), "{\"bytes\":6}\n", 1, "a second line is not read");
	replies(LITERAL("\n"), "{\"bytes\":0}\n", 1, "an empty line");
	replies(LITERAL("sta\0tus\n"), REFUSED, 0, "NUL is no part of a command");
	replies(LITERAL("unknown\n"), "{\"error\":\"no such command\"}\n", 1, "what is no command");
	replies(LITERAL("status"), REFUSED, 0, "a client that goes before its line ends");
	replies("", 0, REFUSED, 0, "a client that says nothing");
}

static void test_bound(void)
{
	char line[VTM_CONTROL_LINE_MAX + 1], *want = g_strdup_printf("{\"bytes\":%d}\n", VTM_CONTROL_LINE_MAX - 1);

	memset(line, 'x', sizeof(line));
	line[VTM_CONTROL_LINE_MAX - 1] = '\n';
	replies(line, VTM_CONTROL_LINE_MAX, want, 1, "the longest line");
	line[VTM_CONTROL_LINE_MAX - 1] = 'x';
	line[VTM_CONTROL_LINE_MAX] = '\n';
	replies(line, sizeof(line), REFUSED, 0, "one byte more");
	g_free(want);
}

/* A reload that opens another store, a look-up while the store is slow. */
static void test_slow(void)
{
	takes_ms = 60000;
	replies(LITERAL("reload\n"), "{\"bytes\":6}\n", 1, "an answer that takes longer than a client has");
	takes_ms = 0;
}

static int connect_to(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(un.sun_path, path, sizeof(un.sun_path));
	return connect(fd, (struct sockaddr *)&un, sizeof(un)) ? -1 : fd;
}

/* Three times as many silent clients as may be connected; then one that asks. */
static void test_silent(void)
{
	char *dir = g_dir_make_tmp("vtm-control-XXXXXX", NULL), *path = g_build_filename(dir, "s", NULL), reply[64];
	struct vtm_user u = { .uid = getuid(), .gid = getgid() };
	struct vtm_control *c = vtm_control_open(path, &u, vtm_clock_system(), NULL);
	int silent[3 * VTM_CONTROL_CLIENTS_MAX], fd;
	int64_t began_ms;
	ssize_t n;

	ok(c && !vtm_control_start(c, answer, &asked, NULL), "the socket is served");
	for (size_t i = 0; i < G_N_ELEMENTS(silent); i++)
		silent[i] = connect_to(path);
	began_ms = vtm_boot_ms(vtm_clock_system());
	fd = connect_to(path);
	ok(send(fd, "status\n", 7, MSG_NOSIGNAL) == 7, "behind %zu silent clients one asks", G_N_ELEMENTS(silent));
	n = recv(fd, reply, sizeof(reply), 0);
	ok(n == 12 && !memcmp(reply, "{\"bytes\":6}\n", 12), "and is answered");
	ok(vtm_boot_ms(vtm_clock_system()) - began_ms < VTM_CONTROL_CLIENT_MS / 2, "at once");
	close(fd);
	is_int(recv(silent[0], reply, sizeof(reply), 0), 0, "the first of the silent ones was dropped");
	n = recv(silent[G_N_ELEMENTS(silent) - 1], reply, sizeof(reply), 0);
	ok(n > 8 && !memcmp(reply, "{\"error\"", 8), "the last one is told that its time is over");
	ok(vtm_boot_ms(vtm_clock_system()) - began_ms >= VTM_CONTROL_CLIENT_MS - 1000, "when it is");
	for (size_t i = 0; i < G_N_ELEMENTS(silent); i++)
		close(silent[i]);
	vtm_control_free(c);
	rmdir(dir);
	g_free(path);
	g_free(dir);
}

int main(void)
{
	vtm_clock_manual_init(&clock_of_test, 1700000000000);
	test_lines();
	test_bound();
	test_slow();
	test_silent();
	return done_testing();
}
