/* SPDX-License-Identifier: BSD-2-Clause */
/* test-process.c - sockets, PID file, privileges and the background. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "process.h"
#include "tap.h"

static char *dir;

static char *in_dir(const char *name)
{
	return g_build_filename(dir, name, NULL);
}

static int listen_at(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(un.sun_path, path, sizeof un.sun_path);
	return bind(fd, (struct sockaddr *)&un, sizeof un) || listen(fd, 1) ? -1 : fd;
}

/* Did it fail, with <part> in the text? */
static bool failed(int result, GError **error, const char *part)
{
	bool right = result < 0 && *error && strstr((*error)->message, part);

	if (!right)
		diag("result %d, error %s", result, *error ? (*error)->message : "none");
	g_clear_error(error);
	return right;
}

static void test_claim(void)
{
	char *path = in_dir("s"), *none = in_dir("none/s"), *file = in_dir("file");
	GError *error = NULL;
	struct stat st;
	int fd;

	ok(!vtm_socket_claim(path, &error), "a path where nothing is is free");
	ok(failed(vtm_socket_claim(none, &error), &error, "create it"), "a missing directory is named");
	g_file_set_contents(file, "x", 1, NULL);
	ok(failed(vtm_socket_claim(file, &error), &error, "not a socket"), "what is not a socket stays");
	ok(!stat(file, &st), "... where it is");
	fd = listen_at(path);
	ok(failed(vtm_socket_claim(path, &error), &error, "listens there already"), "a living socket stays");
	close(fd);
	ok(!vtm_socket_claim(path, &error) && lstat(path, &st), "a dead one is removed");
	fd = listen_at(path);
	struct vtm_user me;
	vtm_user_find(&me, NULL, NULL);
	ok(!vtm_socket_own(path, 0600, &me, NULL, &error), "socket is given away");
	ok(!stat(path, &st) && (st.st_mode & 07777) == 0600, "... with its mode");
	ok(failed(vtm_socket_own(path, 0600, &me, "no-such-group", &error), &error, "no such group"), "unknown group");
	close(fd);
	g_free(path);
	g_free(none);
	g_free(file);
}

static void test_pidfile(void)
{
	char *path = in_dir("pid"), *link = in_dir("link"), *target = in_dir("target"), *text = NULL;
	char *mine = g_strdup_printf("%d\n", getpid());
	GError *error = NULL;
	int fd = vtm_pidfile_open(path, &error), status;
	pid_t child;

	ok(fd >= 0 && !vtm_pidfile_write(fd, &error), "PID file written");
	ok(g_file_get_contents(path, &text, NULL, NULL), "... for all to read");
	is_str(text, mine, "... with our number");
	child = fork();
	if (!child) {
		int second;

		close(fd);
		second = vtm_pidfile_open(path, &error);
		_exit(failed(second, &error, "running already") ? 0 : 1);
	}
	waitpid(child, &status, 0);
	is_int(status, 0, "a second process does not get it");
	if (symlink(target, link))
		diag("symlink: %s", g_strerror(errno));
	ok(failed(vtm_pidfile_open(link, &error), &error, "PidFile"), "a symbolic link is refused");
	ok(access(target, F_OK) && errno == ENOENT, "... and not followed");
	vtm_pidfile_remove(fd, path);
	ok(access(path, F_OK), "removed at the end");
	close(fd);
	g_free(path);
	g_free(target);
	g_free(link);
	g_free(text);
	g_free(mine);
}

/* In a child, since there is no way back. */
static int as_nobody(void)
{
	struct vtm_user u;
	gid_t groups[64];
	int n;

	if (vtm_user_find(&u, "nobody", NULL) || vtm_privileges_drop(&u, NULL))
		return 1;
	n = getgroups(64, groups);
	for (int i = 0; i < n; i++)
		if (!groups[i])
			return 2;
	if (!geteuid() || !getegid() || getuid() != geteuid() || !seteuid(0) || !setuid(0))
		return 3;
	vtm_user_clear(&u);
	return 0;
}

static int hardened(void)
{
	struct rlimit core;

	vtm_process_harden();
	if (getrlimit(RLIMIT_CORE, &core) || core.rlim_cur)
		return 1;
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
}

static int in_child(int (*what)(void))
{
	pid_t child = fork();
	int status = -1;

	if (!child)
		_exit(what());
	waitpid(child, &status, 0);
	return status;
}

static void test_privileges(void)
{
	GError *error = NULL;
	struct vtm_user u;

	ok(failed(vtm_user_find(&u, "no-such-user", &error), &error, "no such user"), "unknown user");
	ok(!vtm_user_find(&u, NULL, &error) && !u.name && u.uid == geteuid(), "no user: stay who we are");
	ok(!vtm_privileges_drop(&u, &error), "... and nothing to give up");
	if (geteuid())
		skip("only root can become somebody else", "privileges are given up for good");
	else
		is_int(in_child(as_nobody), 0, "privileges are given up for good");
	is_int(in_child(hardened), 0, "no core dumps, not dumpable, no new privileges");
}

/* A first process that exits as the one in the background says. */
static int background_status(int word)
{
	pid_t child = fork();
	int status;

	if (!child) {
		int fd = vtm_background(NULL);

		if (fd < 0)
			_exit(99);
		if (word < 0)
			_exit(0);	/* dies without a word */
		vtm_background_ready(fd, word, true);
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_background(void)
{
	is_int(background_status(0), 0, "the first process waits for the word that all is well");
	is_int(background_status(78), 78, "... or with which status it failed");
	is_int(background_status(-1), 71, "... or notices that no word will come");
}

/* What libmilter accepts has the option of the socket that it listens on. */
static void test_prompt(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a), value_len = sizeof(int);
	int listening = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), accepted, prompt = 0;

	ok(!bind(listening, (struct sockaddr *)(void *)&a, sizeof(a)) && !listen(listening, 1) &&
	   !getsockname(listening, (struct sockaddr *)(void *)&a, &len), "a TCP socket listens");
	vtm_sockets_prompt();
	accepted = connect(client, (struct sockaddr *)(void *)&a, sizeof(a)) ? -1 : accept(listening, NULL, NULL);
	ok(accepted >= 0 && !getsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &prompt, &value_len) && prompt,
	   "what comes in on it answers without delay");
	prompt = 1;
	ok(!getsockopt(client, IPPROTO_TCP, TCP_NODELAY, &prompt, &value_len) && !prompt, "other sockets are left alone");
	close(accepted);
	close(client);
	close(listening);
}

int main(void)
{
	dir = g_dir_make_tmp("vtm-process-XXXXXX", NULL);
	test_claim();
	test_prompt();
	test_pidfile();
	test_privileges();
	test_background();
	if (dir) {
		char *rest[] = { in_dir("s"), in_dir("file"), in_dir("link"), in_dir("pid") };

		for (size_t i = 0; i < G_N_ELEMENTS(rest); i++) {
			unlink(rest[i]);
			g_free(rest[i]);
		}
		rmdir(dir);
		g_free(dir);
	}
	return done_testing();
}
