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

#define BACKLOG 128
#define SOCKET_MODE 0660

struct vtm_control {
	char *path;
	const struct vtm_clock *clock;
	int fd;
	int end_fd;		/* becomes readable when the thread should end */
	GThread *thread;
	GPtrArray *clients;	/* of struct client *, oldest first; only the thread uses it */
	vtm_control_answer *answer;
	void *arg;
};

static int fail(GError **error, const char *path)
{
	g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "ControlSocket %s: %s", path, g_strerror(errno));
	return -1;
}

/* ---- clients ---- */

enum client_state { READING, WRITING, DONE };

struct client {
	int fd;
	enum client_state state;
	int64_t until_ms;	/* the end of its time to send its line, or to read the answer */
	char line[VTM_CONTROL_LINE_MAX + 1];
	size_t len;
	char *reply;
	size_t reply_len, sent;
};

static struct client *client_new(const struct vtm_control *c, int fd)
{
	struct client *k = g_new0(struct client, 1);

	k->fd = fd;
	k->until_ms = vtm_boot_ms(c->clock) + VTM_CONTROL_CLIENT_MS;
	return k;
}

static void client_free(struct client *k)
{
	g_free(k->reply);
	g_free(k);
}

static char *peer_of(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len))
		return g_strdup("unknown");
	return g_strdup_printf("uid %ld, pid %ld", (long)who.uid, (long)who.pid);
}

/* Takes over <text>. */
static void begin_reply(const struct vtm_control *c, struct client *k, char *text)
{
	k->reply = g_strconcat(text, "\n", NULL);
	k->reply_len = strlen(k->reply);
	k->state = WRITING;
	k->until_ms = vtm_boot_ms(c->clock) + VTM_CONTROL_CLIENT_MS;
	g_free(text);
}

static void refuse(const struct vtm_control *c, struct client *k)
{
	begin_reply(c, k, g_strdup("{\"error\":\"one line of at most " G_STRINGIFY(VTM_CONTROL_LINE_MAX)
				   " bytes expected\"}"));
}

static void answer_line(const struct vtm_control *c, struct client *k)
{
	char *peer = peer_of(k->fd), *text = c->answer(k->line, peer, c->arg);

	begin_reply(c, k, text ? text : g_strdup("{\"error\":\"no such command\"}"));
	g_free(peer);
}

/* Reads what is there. */
static void read_some(const struct vtm_control *c, struct client *k)
{
	ssize_t n = recv(k->fd, k->line + k->len, VTM_CONTROL_LINE_MAX - k->len, MSG_DONTWAIT);
	char *end;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		refuse(c, k);
		return;
	}
	k->len += (size_t)n;
	k->line[k->len] = '\0';
	end = strpbrk(k->line, "\r\n");
	if (end) {
		*end = '\0';
		answer_line(c, k);
	} else if (k->len == VTM_CONTROL_LINE_MAX) {
		refuse(c, k);
	}
}

static void write_some(struct client *k)
{
	ssize_t n = send(k->fd, k->reply + k->sent, k->reply_len - k->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	k->sent += n > 0 ? (size_t)n : 0;
	if (n <= 0 || k->sent == k->reply_len)
		k->state = DONE;
}

/* Does whatever can be done for <k> without waiting. */
static void serve_client(const struct vtm_control *c, struct client *k)
{
	if (k->state == READING)
		read_some(c, k);
	if (k->state == WRITING)
		write_some(k);
}

/* Its time is over: one that said nothing is told so, one that takes no answer is not. */
static void expire(const struct vtm_control *c, struct client *k)
{
	if (k->state == READING) {
		refuse(c, k);
		write_some(k);
	}
	k->state = DONE;
}

static short events_of(const struct client *k)
{
	return k->state == READING ? POLLIN : POLLOUT;
}

void vtm_control_serve(const struct vtm_clock *clock, int fd, vtm_control_answer *answer, void *arg)
{
	struct vtm_control c = { .clock = clock, .fd = -1, .end_fd = -1, .answer = answer, .arg = arg };
	struct client *k = client_new(&c, fd);

	while (k->state != DONE) {
		struct pollfd p = { .fd = fd, .events = events_of(k) };
		int64_t left_ms = k->until_ms - vtm_boot_ms(clock);

		if (left_ms <= 0 || poll(&p, 1, (int)left_ms) == 0)
			expire(&c, k);
		else
			serve_client(&c, k);
	}
	client_free(k);
}

/* ---- the thread ---- */

static void drop_client(struct vtm_control *c, guint at)
{
	struct client *k = c->clients->pdata[at];

	close(k->fd);
	client_free(k);
	g_ptr_array_remove_index(c->clients, at);
}

/* One more client.  When there are too many, the one that came first has had the most time and makes room. */
static void take_client(struct vtm_control *c)
{
	int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
	struct client *k;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			g_usleep(100000);	/* else this would be a busy loop */
		return;
	}
	if (c->clients->len >= VTM_CONTROL_CLIENTS_MAX)
		drop_client(c, 0);
	k = client_new(c, fd);
	g_ptr_array_add(c->clients, k);
	serve_client(c, k);
}

/* Serves those for whom poll() found something, and drops those whose time is over or who are done. */
static void serve_clients(struct vtm_control *c, const struct pollfd *p)
{
	int64_t now_ms = vtm_boot_ms(c->clock);

	for (guint i = 0; i < c->clients->len; i++) {
		struct client *k = c->clients->pdata[i];

		if (p[i].revents)
			serve_client(c, k);
		else if (now_ms >= k->until_ms)
			expire(c, k);
	}
	for (guint i = c->clients->len; i > 0; i--)
		if (((struct client *)c->clients->pdata[i - 1])->state == DONE)
			drop_client(c, i - 1);
}

/* Milliseconds until the first client's time is over; -1: there is none. */
static int next_ms(const struct vtm_control *c)
{
	int64_t first_ms = INT64_MAX, now_ms = vtm_boot_ms(c->clock);

	for (guint i = 0; i < c->clients->len; i++)
		first_ms = MIN(first_ms, ((struct client *)c->clients->pdata[i])->until_ms);
	return first_ms == INT64_MAX ? -1 : (int)MAX(first_ms - now_ms, 0);
}

static gpointer run(gpointer arg)
{
	struct vtm_control *c = arg;
	struct pollfd p[VTM_CONTROL_CLIENTS_MAX + 2];
	guint n;

	for (;;) {
		n = c->clients->len;
		for (guint i = 0; i < n; i++) {
			struct client *k = c->clients->pdata[i];

			p[i] = (struct pollfd){ .fd = k->fd, .events = events_of(k) };
		}
		p[n] = (struct pollfd){ .fd = c->fd, .events = POLLIN };
		p[n + 1] = (struct pollfd){ .fd = c->end_fd, .events = POLLIN };
		if (poll(p, n + 2, next_ms(c)) < 0) {
			if (errno != EINTR)
				return NULL;
			continue;
		}
		if (p[n + 1].revents)
			return NULL;
		serve_clients(c, p);
		if (p[n].revents)
			take_client(c);
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
	old = umask(0777);	/* nobody may connect before the socket has its mode */
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
	c->clients = g_ptr_array_new();
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
	while (c->clients->len)
		drop_client(c, c->clients->len - 1);
	g_ptr_array_free(c->clients, TRUE);
	if (c->path)
		unlink(c->path);
	if (c->fd >= 0)
		close(c->fd);
	if (c->end_fd >= 0)
		close(c->end_fd);
	g_free(c->path);
	g_free(c);
}
