/* SPDX-License-Identifier: BSD-2-Clause */
/* ticker.c - see ticker.h. */
#include "ticker.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

#define CONNECT_WAIT_MS 50
#define LINGER_MS 1000	/* the thread polls so long after a callback, which is cheaper than waking it */

struct vtm_ticker {
	const struct vtm_clock *clock;
	struct sockaddr_storage address;
	socklen_t address_len;
	int anchor;		/* O_PATH on a local socket, -1: none */
	GThread *thread;
	int closing;		/* atomic */

	GMutex lock;		/* covers the rest; never held over I/O */
	GCond cond;
	bool ending;
	unsigned staying;
	int64_t busy_ms;	/* when the first callback came after the last tick; if some stay, that tick; 0: none */
	int64_t entered_ms;	/* when the last callback came */
	int64_t wake_ms;	/* when the thread wakes by itself */
	uint64_t ticks;
	GQueue fresh;		/* stays that had no tick yet, oldest first */
};

/* ---- the address ---- */

static int fail(GError **error, const char *what, const char *conn, const char *why)
{
	g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "%s %s: %s", what, conn, why);
	return -1;
}

static bool has_prefix(const char *conn, const char *prefix, const char **rest_r)
{
	size_t n = strlen(prefix);

	if (g_ascii_strncasecmp(conn, prefix, n))
		return false;
	*rest_r = conn + n;
	return true;
}

/* The way to a local socket goes through the descriptor: it does not need the right to search its directories, and it
 * leads to our socket even when somebody puts another one in its place. */
static int address_local(struct vtm_ticker *t, const char *path, GError **error)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&t->address;

	t->anchor = open(path, O_PATH | O_CLOEXEC);
	if (t->anchor < 0)
		return fail(error, "socket", path, g_strerror(errno));
	un->sun_family = AF_UNIX;
	g_snprintf(un->sun_path, sizeof un->sun_path, "/proc/self/fd/%d", t->anchor);
	if (access(un->sun_path, F_OK) && g_strlcpy(un->sun_path, path, sizeof un->sun_path) >= sizeof un->sun_path)
		return fail(error, "socket", path, "path too long");
	t->address_len = sizeof *un;
	return 0;
}

static int address_inet(struct vtm_ticker *t, int family, const char *rest, GError **error)
{
	struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM }, *found = NULL;
	const char *at = strchr(rest, '@');
	char *port = g_strndup(rest, at ? (size_t)(at - rest) : strlen(rest));
	char *host = g_strdup(at ? at + 1 : NULL);	/* NULL: the loopback address answers, too */
	int status, result = 0;

	if (host && *host == '[' && g_str_has_suffix(host, "]")) {
		memmove(host, host + 1, strlen(host));
		host[strlen(host) - 1] = '\0';
	}
	status = getaddrinfo(host, port, &hints, &found);
	if (status) {
		result = fail(error, "socket", rest, gai_strerror(status));
	} else {
		memcpy(&t->address, found->ai_addr, found->ai_addrlen);
		t->address_len = found->ai_addrlen;
		freeaddrinfo(found);
	}
	g_free(port);
	g_free(host);
	return result;
}

/* A socket that systemd passed.  One that is bound to a path is reached by that path. */
static int address_fd(struct vtm_ticker *t, const char *conn, const char *number, GError **error)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&t->address;
	char *path;
	int result;

	t->address_len = sizeof t->address;
	if (getsockname((int)g_ascii_strtoll(number, NULL, 10), (struct sockaddr *)&t->address, &t->address_len))
		return fail(error, "socket", conn, g_strerror(errno));
	if (t->address.ss_family != AF_UNIX || t->address_len <= offsetof(struct sockaddr_un, sun_path) ||
	    !un->sun_path[0])
		return 0;
	path = g_strndup(un->sun_path, t->address_len - offsetof(struct sockaddr_un, sun_path));
	result = address_local(t, path, error);
	g_free(path);
	return result;
}

static int address_of(struct vtm_ticker *t, const char *conn, GError **error)
{
	const char *rest;

	if (has_prefix(conn, "inet6:", &rest))
		return address_inet(t, AF_INET6, rest, error);
	if (has_prefix(conn, "inet:", &rest))
		return address_inet(t, AF_INET, rest, error);
	if (has_prefix(conn, "fd:", &rest))
		return address_fd(t, conn, rest, error);
	if (has_prefix(conn, "local:", &rest) || has_prefix(conn, "unix:", &rest))
		return address_local(t, rest, error);
	return address_local(t, conn, error);
}

/* ---- a tick ---- */

/* Closing a TCP connection before it is established would cancel it. */
static bool connected(int fd, const struct vtm_ticker *t)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (!connect(fd, (const struct sockaddr *)&t->address, t->address_len))
		return true;
	if (errno == EAGAIN)	/* the queue of a local socket is full: the listener is awake */
		return true;
	if (errno != EINPROGRESS)
		return false;
	return poll(&p, 1, CONNECT_WAIT_MS) >= 0;
}

static bool tick(const struct vtm_ticker *t)
{
	int fd = socket(t->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), why;
	bool done = fd >= 0 && connected(fd, t);

	why = errno;
	if (fd >= 0)
		close(fd);
	errno = why;
	return done;
}

void vtm_ticker_closing(struct vtm_ticker *t)
{
	g_atomic_int_set(&t->closing, 1);
}

static void tick_or_warn(struct vtm_ticker *t)
{
	if (!tick(t) && !g_atomic_int_get(&t->closing))
		vtm_log_limited(VTM_LOG_WARNING, "ticker", "cannot connect to our own socket, so sessions may have to "
				"wait for each other: %s", g_strerror(errno));
}

void vtm_ticker_kick(struct vtm_ticker *t)
{
	tick(t);	/* may fail: the listener may be gone */
	g_mutex_lock(&t->lock);
	t->ticks++;
	g_mutex_unlock(&t->lock);
}

/* ---- callbacks that stay ---- */

void vtm_ticker_enter(struct vtm_ticker *t, struct vtm_ticker_stay *stay)
{
	stay->link = (GList){ .data = stay };
	stay->fresh = true;
	g_mutex_lock(&t->lock);
	stay->since_ms = vtm_boot_ms(t->clock);
	t->entered_ms = stay->since_ms;
	t->staying++;
	if (!t->busy_ms)
		t->busy_ms = stay->since_ms;
	g_queue_push_tail_link(&t->fresh, &stay->link);
	if (t->wake_ms > stay->since_ms + VTM_TICK_SETTLE_MS)
		g_cond_signal(&t->cond);
	g_mutex_unlock(&t->lock);
}

void vtm_ticker_leave(struct vtm_ticker *t, struct vtm_ticker_stay *stay)
{
	g_mutex_lock(&t->lock);
	t->staying--;
	if (stay->fresh)
		g_queue_unlink(&t->fresh, &stay->link);
	g_mutex_unlock(&t->lock);
}

/* ---- the thread; these are called with the lock held ---- */

static int64_t next_tick_ms(struct vtm_ticker *t)
{
	const struct vtm_ticker_stay *oldest = g_queue_peek_head(&t->fresh);
	int64_t periodic = t->busy_ms ? t->busy_ms + VTM_TICK_PERIOD_MS : INT64_MAX;

	return oldest ? MIN(periodic, oldest->since_ms + VTM_TICK_SETTLE_MS) : periodic;
}

/* Waits until <next_ms>, or until a callback enters that needs a tick earlier. */
static void wait_until(struct vtm_ticker *t, int64_t now_ms, int64_t next_ms)
{
	t->wake_ms = now_ms < t->entered_ms + LINGER_MS ? MIN(next_ms, now_ms + VTM_TICK_SETTLE_MS) : next_ms;
	if (t->wake_ms == INT64_MAX)
		g_cond_wait(&t->cond, &t->lock);
	else
		g_cond_wait_until(&t->cond, &t->lock, g_get_monotonic_time() + (t->wake_ms - now_ms) * 1000);
	t->wake_ms = 0;
}

/* Removes the stays that have blocked long enough from the list.  Returns their number. */
static unsigned take_settled(struct vtm_ticker *t, int64_t now_ms)
{
	struct vtm_ticker_stay *stay;
	unsigned n = 0;

	while ((stay = g_queue_peek_head(&t->fresh)) && stay->since_ms + VTM_TICK_SETTLE_MS <= now_ms) {
		stay->fresh = false;
		g_queue_unlink(&t->fresh, &stay->link);
		n++;
	}
	return n;
}

static void tick_burst(struct vtm_ticker *t, int64_t now_ms)
{
	unsigned n = MIN(take_settled(t, now_ms) + 1, VTM_TICK_BURST_MAX);

	t->ticks += n;
	t->busy_ms = t->staying ? now_ms : 0;
	g_mutex_unlock(&t->lock);
	while (n--)
		tick_or_warn(t);
	g_mutex_lock(&t->lock);
}

static gpointer run(gpointer arg)
{
	struct vtm_ticker *t = arg;
	int64_t now_ms, next_ms;

	g_mutex_lock(&t->lock);
	while (!t->ending) {
		now_ms = vtm_boot_ms(t->clock);
		next_ms = next_tick_ms(t);
		if (next_ms > now_ms)
			wait_until(t, now_ms, next_ms);
		else
			tick_burst(t, now_ms);
	}
	g_mutex_unlock(&t->lock);
	return NULL;
}

/* ---- life ---- */

struct vtm_ticker *vtm_ticker_new(const char *conn, const struct vtm_clock *clock, GError **error)
{
	struct vtm_ticker *t = g_new0(struct vtm_ticker, 1);

	t->clock = clock;
	t->anchor = -1;
	g_mutex_init(&t->lock);
	g_cond_init(&t->cond);
	g_queue_init(&t->fresh);
	if (address_of(t, conn, error)) {
		vtm_ticker_free(t);
		return NULL;
	}
	return t;
}

int vtm_ticker_start(struct vtm_ticker *t, GError **error)
{
	GError *why = NULL;

	t->thread = g_thread_try_new("ticker", run, t, &why);
	if (t->thread)
		return 0;
	g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "cannot start a thread: %s", why->message);
	g_error_free(why);
	return -1;
}

void vtm_ticker_free(struct vtm_ticker *t)
{
	if (!t)
		return;
	if (t->thread) {
		g_mutex_lock(&t->lock);
		t->ending = true;
		g_cond_signal(&t->cond);
		g_mutex_unlock(&t->lock);
		g_thread_join(t->thread);
	}
	if (t->anchor >= 0)
		close(t->anchor);
	g_cond_clear(&t->cond);
	g_mutex_clear(&t->lock);
	g_free(t);
}

uint64_t vtm_ticker_ticks(struct vtm_ticker *t)
{
	uint64_t n;

	g_mutex_lock(&t->lock);
	n = t->ticks;
	g_mutex_unlock(&t->lock);
	return n;
}

unsigned vtm_ticker_staying(struct vtm_ticker *t)
{
	unsigned n;

	g_mutex_lock(&t->lock);
	n = t->staying;
	g_mutex_unlock(&t->lock);
	return n;
}
