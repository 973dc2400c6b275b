/* SPDX-License-Identifier: BSD-2-Clause */
/* control.c - see control.h. */
#include "control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

#define BACKLOG 8
#define SOCKET_MODE 0660

struct vtm_control {
	char *path;
	const struct vtm_clock *clock;
	int fd;
	int end_fd;		/* readable: the thread is to end */
	GThread *thread;
	vtm_control_answer *answer;
	void *arg;
};

static int fail(GError **error, const char *path)
{
	g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "ControlSocket %s: %s", path, g_strerror(errno));
	return -1;
}

/* ---- one client ---- */

/* True: ready before the client's time is over. */
static bool wait_ready(const struct vtm_control *c, int fd, short events, int64_t until_ms)
{
	struct pollfd p[2] = { { .fd = fd, .events = events }, { .fd = c->end_fd, .events = POLLIN } };
	int64_t left;
	int n;

	do {
		left = until_ms - vtm_boot_ms(c->clock);
		n = left > 0 ? poll(p, 2, (int)left) : 0;
	} while (n < 0 && errno == EINTR);
	return n > 0 && !p[1].revents;
}

/* True: a whole line, without its end, in <line>. */
static bool read_line(const struct vtm_control *c, int fd, char line[VTM_CONTROL_LINE_MAX + 1])
{
	int64_t until_ms = vtm_boot_ms(c->clock) + VTM_CONTROL_CLIENT_MS;
	size_t len = 0;
	char *end;
	ssize_t n;

	while (len < VTM_CONTROL_LINE_MAX && wait_ready(c, fd, POLLIN, until_ms)) {
		n = recv(fd, line + len, VTM_CONTROL_LINE_MAX - len, 0);
		if (n <= 0)
			return false;
		len += (size_t)n;
		line[len] = '\0';
		end = strpbrk(line, "\r\n");
		if (end) {
			*end = '\0';
			return true;
		}
	}
	return false;
}

static void write_line(const struct vtm_control *c, int fd, const char *text)
{
	int64_t until_ms = vtm_boot_ms(c->clock) + VTM_CONTROL_CLIENT_MS;
	char *line = g_strconcat(text, "\n", NULL);
	size_t len = strlen(line), sent = 0;
	ssize_t n;

	while (sent < len && wait_ready(c, fd, POLLOUT, until_ms)) {
		n = send(fd, line + sent, len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			break;
		sent += n > 0 ? (size_t)n : 0;
	}
	g_free(line);
}

static char *peer_of(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len))
		return g_strdup("unknown");
	return g_strdup_printf("uid %ld, pid %ld", (long)who.uid, (long)who.pid);
}

static void serve_client(struct vtm_control *c, int fd)
{
	char line[VTM_CONTROL_LINE_MAX + 1], *peer, *answer = NULL;

	if (!read_line(c, fd, line)) {
		write_line(c, fd,
			   "{\"error\":\"one line of at most " G_STRINGIFY(VTM_CONTROL_LINE_MAX) " bytes expected\"}");
		return;
	}
	peer = peer_of(fd);
	answer = c->answer(line, peer, c->arg);
	write_line(c, fd, answer ? answer : "{\"error\":\"no such command\"}");
	g_free(answer);
	g_free(peer);
}

void vtm_control_serve(const struct vtm_clock *clock, int fd, vtm_control_answer *answer, void *arg)
{
	struct vtm_control c = { .clock = clock, .fd = -1, .end_fd = -1, .answer = answer, .arg = arg };

	serve_client(&c, fd);
}

static gpointer run(gpointer arg)
{
	struct vtm_control *c = arg;
	struct pollfd p[2] = { { .fd = c->fd, .events = POLLIN }, { .fd = c->end_fd, .events = POLLIN } };
	int fd;

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return NULL;
		if (p[1].revents)
			return NULL;
		fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0) {
			serve_client(c, fd);
			close(fd);
		} else if (errno == EMFILE || errno == ENFILE) {
			g_usleep(100000);	/* else this would be a busy loop */
		}
	}
}

/* ---- life ---- */

static int listen_at(struct vtm_control *c, const struct vtm_user *u, GError **error)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	mode_t old;
	int rc;

	if (g_strlcpy(un.sun_path, c->path, sizeof(un.sun_path)) >= sizeof(un.sun_path)) {
		errno = ENAMETOOLONG;
		return fail(error, c->path);
	}
	if (vtm_socket_claim(c->path, error))
		return -1;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	c->end_fd = eventfd(0, EFD_CLOEXEC);
	if (c->fd < 0 || c->end_fd < 0)
		return fail(error, c->path);
	old = umask(0777);	/* nobody's until it has its mode */
	rc = bind(c->fd, (struct sockaddr *)&un, sizeof(un));
	umask(old);
	if (rc || listen(c->fd, BACKLOG))
		return fail(error, c->path);
	return vtm_socket_own(c->path, SOCKET_MODE, u, NULL, error);
}

struct vtm_control *vtm_control_open(const char *path, const struct vtm_user *u, const struct vtm_clock *clock,
				     GError **error)
{
	struct vtm_control *c = g_new0(struct vtm_control, 1);

	c->path = g_strdup(path);
	c->clock = clock;
	c->fd = c->end_fd = -1;
	if (!listen_at(c, u, error))
		return c;
	g_clear_pointer(&c->path, g_free);	/* not ours to remove */
	vtm_control_free(c);
	return NULL;
}

int vtm_control_start(struct vtm_control *c, vtm_control_answer *answer, void *arg, GError **error)
{
	GError *why = NULL;

	c->answer = answer;
	c->arg = arg;
	c->thread = g_thread_try_new("control", run, c, &why);
	if (c->thread)
		return 0;
	g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "cannot start a thread: %s", why->message);
	g_error_free(why);
	return -1;
}

void vtm_control_free(struct vtm_control *c)
{
	const uint64_t one = 1;

	if (!c)
		return;
	if (c->thread && write(c->end_fd, &one, sizeof(one)) == sizeof(one))
		g_thread_join(c->thread);
	if (c->path)
		unlink(c->path);
	if (c->fd >= 0)
		close(c->fd);
	if (c->end_fd >= 0)
		close(c->end_fd);
	g_free(c->path);
	g_free(c);
}
