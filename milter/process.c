/* SPDX-License-Identifier: BSD-2-Clause */
/* process.c - see process.h. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/error.h"

#define MMAP_FROM (256 * 1024)	/* bytes; a larger block is returned to the system when it is freed */
#define TRIM_FROM (2 * 1024 * 1024)
#define ARENAS_MAX 8		/* glibc makes 8 for each core */
#define FILES_MAX 65536	/* highest RLIMIT_NOFILE that we ask for; no use is known for more */

static int fail(GError **error, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Sets the error.  Returns -1. */
static int fail(GError **error, int code, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error_literal(error, VTM_ERROR, code, text);
	g_free(text);
	return -1;
}

/* ---- the user ---- */

int vtm_user_find(struct vtm_user *u, const char *name, GError **error)
{
	const struct passwd *pw;

	*u = (struct vtm_user){ .uid = geteuid(), .gid = getegid() };
	if (!name)
		return 0;
	errno = 0;
	pw = getpwnam(name);
	if (!pw)
		return fail(error, VTM_ERROR_CONFIG, "User %s: %s", name,
			    errno ? g_strerror(errno) : "there is no such user");
	if (geteuid() && geteuid() != pw->pw_uid)
		return fail(error, VTM_ERROR_CONFIG, "User %s: only root can become another user; start vtmilter as root or "
			    "as that user", name);
	u->name = g_strdup(name);
	u->uid = pw->pw_uid;
	u->gid = pw->pw_gid;
	return 0;
}

void vtm_user_clear(struct vtm_user *u)
{
	g_clear_pointer(&u->name, g_free);
}

int vtm_privileges_drop(const struct vtm_user *u, GError **error)
{
	if (!u->name || geteuid())
		return 0;
	if (initgroups(u->name, u->gid) || setresgid(u->gid, u->gid, u->gid) || setresuid(u->uid, u->uid, u->uid))
		return fail(error, VTM_ERROR_IO, "cannot become user %s: %s", u->name, g_strerror(errno));
	if (u->uid && (!setuid(0) || geteuid() != u->uid))
		return fail(error, VTM_ERROR_IO, "user %s could become root again", u->name);
	return 0;
}

void vtm_process_return_memory(void)
{
#if defined(M_MMAP_THRESHOLD)
	mallopt(M_MMAP_THRESHOLD, MMAP_FROM);	/* a set threshold does not grow with what is freed */
	mallopt(M_TRIM_THRESHOLD, TRIM_FROM);
	mallopt(M_ARENA_MAX, ARENAS_MAX);
#endif
}

void vtm_process_harden(void)
{
	const struct rlimit none = { 0, 0 };

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
}

void vtm_limits_raise(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	if (files.rlim_cur < FILES_MAX)	/* RLIM_INFINITY is the largest number */
		files.rlim_cur = MIN(files.rlim_max, FILES_MAX);
	setrlimit(RLIMIT_NOFILE, &files);
}

/* ---- local sockets ---- */

#define LISTENS 0x10000		/* __SO_ACCEPTCON in the flags of /proc/net/unix */

/* Does the kernel list a listening socket at <path>?  For a socket that we may not connect to.  -1: not known. */
static int listed(const char *path)
{
	FILE *f = fopen("/proc/net/unix", "re");
	char line[256 + sizeof(((struct sockaddr_un *)0)->sun_path)];
	int result = f ? 0 : -1;

	while (f && !result && fgets(line, sizeof line, f)) {
		unsigned flags;
		int at = 0;

		g_strchomp(line);
		if (sscanf(line, "%*s %*s %*s %x %*s %*s %*s %n", &flags, &at) == 1 && at && flags & LISTENS &&	// NOLINT(cert-err34-c): the kernel writes it
		    !strcmp(line + at, path))
			result = 1;
	}
	if (f)
		fclose(f);
	return result;
}

/* Returns 1 if a process listens on the socket, 0 if none does, -1 if that is not known (errno). */
static int answers(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd, result;

	if (g_strlcpy(un.sun_path, path, sizeof un.sun_path) >= sizeof un.sun_path)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (!connect(fd, (struct sockaddr *)&un, sizeof un) || errno == EAGAIN)
		result = 1;
	else if (errno == EACCES)	/* a start that failed may have left it with mode 0 */
		result = listed(path);
	else
		result = errno == ECONNREFUSED ? 0 : -1;
	close(fd);
	return result;
}

static int check_directory(const char *path, GError **error)
{
	char *dir = g_path_get_dirname(path);
	struct stat st;
	int result = 0;

	if (stat(dir, &st))
		result = fail(error, VTM_ERROR_CONFIG,
			      "socket %s: directory %s: %s; create it, writable for the User only", path, dir, g_strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		result = fail(error, VTM_ERROR_CONFIG, "socket %s: %s is not a directory", path, dir);
	g_free(dir);
	return result;
}

int vtm_socket_claim(const char *path, GError **error)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? check_directory(path, error) : check_directory(path, error) ? -1 :
		       fail(error, VTM_ERROR_IO, "socket %s: %s", path, g_strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return fail(error, VTM_ERROR_CONFIG, "socket %s: a file there is not a socket; move it away",
			    path);
	switch (answers(path)) {
	case 1:
		return fail(error, VTM_ERROR_IO, "socket %s: a process listens there already; stop it first", path);
	case 0:
		break;
	default:
		return fail(error, VTM_ERROR_IO, "socket %s: %s", path, g_strerror(errno));
	}
	if (unlink(path) && errno != ENOENT)
		return fail(error, VTM_ERROR_IO, "socket %s: no process listens on it, but it cannot be removed: %s", path,
			    g_strerror(errno));
	return 0;
}

static void make_prompt(int fd)
{
	int family = AF_UNSPEC, listens = 0, yes = 1;
	socklen_t family_len = sizeof(family), listens_len = sizeof(listens);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_len) || !listens)
		return;
	if (!getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &family_len) && (family == AF_INET || family == AF_INET6))
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));	/* without it edits are only slower */
}

void vtm_sockets_prompt(void)
{
	GDir *dir = g_dir_open("/proc/self/fd", 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		make_prompt((int)g_ascii_strtoll(name, NULL, 10));
	if (dir)
		g_dir_close(dir);
}

int vtm_socket_own(const char *path, mode_t mode, const struct vtm_user *u, const char *group, GError **error)
{
	const struct group *gr = group ? getgrnam(group) : NULL;
	gid_t gid = gr ? gr->gr_gid : u->gid;

	if (group && !gr)
		return fail(error, VTM_ERROR_CONFIG, "SocketGroup %s: there is no such group", group);
	if (lchown(path, geteuid() ? (uid_t)-1 : u->uid, gid) && (group || !geteuid()))
		return fail(error, VTM_ERROR_IO, "socket %s: cannot be given to group %s: %s", path,
			    group ? group : "of the user", g_strerror(errno));
	if (chmod(path, mode))
		return fail(error, VTM_ERROR_IO, "socket %s: %s", path, g_strerror(errno));
	return 0;
}

/* ---- the PID file ---- */

int vtm_pidfile_open(const char *path, GError **error)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0644);
	struct stat st;

	if (fd < 0)
		return fail(error, VTM_ERROR_IO, "PidFile %s: %s", path, g_strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		fail(error, VTM_ERROR_IO, "PidFile %s: not a regular file", path);
	else if (flock(fd, LOCK_EX | LOCK_NB))
		fail(error, VTM_ERROR_IO, "PidFile %s: %s", path,
		     errno == EWOULDBLOCK ? "vtmilter is running already" : g_strerror(errno));
	else
		return fd;
	close(fd);
	return -1;
}

int vtm_pidfile_write(int fd, GError **error)
{
	char line[32];
	int len = g_snprintf(line, sizeof line, "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) || pwrite(fd, line, (size_t)len, 0) != len)
		return fail(error, VTM_ERROR_IO, "PidFile: %s", g_strerror(errno));
	return 0;
}

void vtm_pidfile_remove(int fd, const char *path)
{
	if (fd < 0)
		return;
	if (unlink(path) && ftruncate(fd, 0))
		return;	/* the lock ends with the process anyway */
}

/* ---- the background ---- */

/* In the first process: waits for the child's report. */
static void wait_for_word(int fd, pid_t child) G_GNUC_NORETURN;
static void wait_for_word(int fd, pid_t child)
{
	unsigned char status;
	ssize_t n;

	do
		n = read(fd, &status, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1) {
		waitpid(child, NULL, 0);
		status = EX_OSERR;
	}
	_exit(status);
}

int vtm_background(GError **error)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return fail(error, VTM_ERROR_IO, "cannot make a pipe: %s", g_strerror(errno));
	child = fork();
	if (child < 0) {
		close(ends[0]);
		close(ends[1]);
		return fail(error, VTM_ERROR_IO, "cannot fork: %s", g_strerror(errno));
	}
	if (child) {
		close(ends[1]);
		wait_for_word(ends[0], child);
	}
	close(ends[0]);
	setsid();
	if (chdir("/"))
		return fail(error, VTM_ERROR_IO, "cannot change to /: %s", g_strerror(errno));
	return ends[1];
}

void vtm_background_ready(int fd, int status, bool quiet)
{
	unsigned char byte = (unsigned char)status;
	int null;

	if (fd < 0)
		return;
	null = open("/dev/null", O_RDWR);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		if (quiet && !status)
			dup2(null, STDERR_FILENO);
		if (null > STDERR_FILENO)
			close(null);
	}
	while (write(fd, &byte, 1) < 0 && errno == EINTR)
		;
	close(fd);
}
