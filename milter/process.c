/* SPDX-License-Identifier: BSD-2-Clause */
/* process.c - daemon, PID file, privileges. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "error.h"

static int ready_fd = -1;

static int fail(GError **error, enum vtm_error code, const char *what, const char *name)
{
	g_set_error(error, VTM_ERROR, code, "%s %s: %s", what, name, g_strerror(errno));
	return -1;
}

void vtm_process_harden(void)
{
	struct rlimit none = { 0, 0 }, files;

	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	umask(077);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* The parent's part: its exit status is the child's word, or tells that there was none. */
static void wait_for_child(int fd, pid_t child)
{
	unsigned char status;
	ssize_t n;

	do
		n = read(fd, &status, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1) {
		int how;

		status = waitpid(child, &how, 0) == child && WIFEXITED(how) && WEXITSTATUS(how) ?
			 (unsigned char)WEXITSTATUS(how) : EX_OSERR;
	}
	_exit(status);
}

int vtm_process_detach(GError **error)
{
	int ends[2], null;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail(error, VTM_ERROR_IO, "cannot make a", "pipe");
	child = fork();
	if (child < 0)
		return fail(error, VTM_ERROR_IO, "cannot", "fork");
	if (child > 0) {
		close(ends[1]);
		wait_for_child(ends[0], child);
	}
	close(ends[0]);
	ready_fd = ends[1];
	setsid();
	if (chdir("/") < 0)
		return fail(error, VTM_ERROR_IO, "cannot change to", "/");
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, 0);
		dup2(null, 1);
	}
	return 0;
}

void vtm_process_ready(int status)
{
	unsigned char byte = (unsigned char)status;
	int null;

	if (ready_fd < 0)
		return;
	if (write(ready_fd, &byte, 1) != 1) {
		/* the parent is gone: nobody wants to know */
	}
	close(ready_fd);
	ready_fd = -1;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, 2);
		close(null);
	}
}

int vtm_process_write_pid(const char *path, GError **error)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return fail(error, VTM_ERROR_IO, "cannot open PidFile", path);
	if (fcntl(fd, F_SETLK, &lock) < 0) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_BUSY, "PidFile %s is locked: another vtmilter runs", path);
		close(fd);
		return -1;
	}
	if (fchmod(fd, 0644) < 0 || ftruncate(fd, 0) < 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
		fail(error, VTM_ERROR_IO, "cannot write PidFile", path);
		close(fd);
		return -1;
	}
	return 0;	/* open and locked for the life of the process */
}

void vtm_process_remove_pid(const char *path)
{
	unlink(path);
}

static const char *local_path(const char *connection)
{
	if (g_str_has_prefix(connection, "local:"))
		return connection + strlen("local:");
	if (g_str_has_prefix(connection, "unix:"))
		return connection + strlen("unix:");
	return NULL;
}

int vtm_process_clear_socket(const char *connection, GError **error)
{
	const char *path = local_path(connection);
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct stat st;
	int fd, rc;

	if (!path || lstat(path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode)) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "Socket %s: there is something that is not a socket; "
			    "choose another path or remove it", path);
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_strlcpy(un.sun_path, path, sizeof(un.sun_path));
	rc = fd < 0 ? -1 : connect(fd, (struct sockaddr *)&un, sizeof(un));
	if (fd >= 0)
		close(fd);
	if (rc == 0) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_BUSY, "Socket %s: another milter answers there", path);
		return -1;
	}
	if (unlink(path) < 0)
		return fail(error, VTM_ERROR_IO, "cannot remove the stale socket", path);
	return 0;
}

int vtm_process_own_socket(const struct vtm_conf *c, GError **error)
{
	const char *path = local_path(c->socket);
	struct passwd *user = c->user ? getpwnam(c->user) : NULL;
	struct group *group = c->socket_group ? getgrnam(c->socket_group) : NULL;

	if (!path)
		return 0;
	if (c->socket_group && !group) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "SocketGroup %s: no such group", c->socket_group);
		return -1;
	}
	if (chown(path, user && geteuid() == 0 ? user->pw_uid : (uid_t)-1, group ? group->gr_gid : (gid_t)-1) < 0)
		return fail(error, VTM_ERROR_IO, "cannot change owner or group of", path);
	if (chmod(path, (mode_t)c->socket_mode) < 0)
		return fail(error, VTM_ERROR_IO, "cannot change the mode of", path);
	return 0;
}

int vtm_process_drop(const char *user, GError **error)
{
	struct passwd *pw;

	if (!user || geteuid() != 0)
		return 0;
	errno = 0;
	pw = getpwnam(user);
	if (!pw) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "User %s: no such user", user);
		return -1;
	}
	if (initgroups(pw->pw_name, pw->pw_gid) < 0 || setgid(pw->pw_gid) < 0 || setuid(pw->pw_uid) < 0)
		return fail(error, VTM_ERROR_IO, "cannot become", user);
	if (pw->pw_uid != 0 && setuid(0) == 0) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "became %s but could go back", user);
		return -1;
	}
	/* a change of user makes the process dumpable again */
	prctl(PR_SET_DUMPABLE, 0);
	return 0;
}
