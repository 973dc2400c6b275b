/* SPDX-License-Identifier: BSD-2-Clause */
/* ticker.c - see ticker.h. */
#include "ticker.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "error.h"

struct vtm_ticker {
	struct sockaddr_storage address;
	socklen_t address_len;
	GThread *thread;
	GMutex lock;		/* covers busy, stop */
	GCond changed;
	unsigned busy;
	bool stop;
	int open[VTM_TICK_OPEN_MAX];	/* the thread's own; -1: free */
	unsigned next;
};

/* SMFIC_OPTNEG of version 6 with everything a current MTA offers, then SMFIC_QUIT. */
static const unsigned char hello[] = {
	0, 0, 0, 13, 'O', 0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x1f, 0xff, 0xff,
	0, 0, 0, 1, 'Q'
};

static void tick(struct vtm_ticker *t, int *slot)
{
	int fd;

	if (*slot >= 0)
		close(*slot);
	*slot = -1;
	fd = socket(t->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (struct sockaddr *)&t->address, t->address_len) < 0 && errno != EINPROGRESS) {
		close(fd);
		return;
	}
	if (send(fd, hello, sizeof(hello), MSG_NOSIGNAL) < 0) {
		/* inet: not connected yet; the connection alone is an event */
	}
	*slot = fd;
}

static gpointer run(gpointer arg)
{
	struct vtm_ticker *t = arg;

	g_mutex_lock(&t->lock);
	while (!t->stop) {
		if (!t->busy) {
			g_cond_wait(&t->changed, &t->lock);
			continue;
		}
		g_cond_wait_until(&t->changed, &t->lock, g_get_monotonic_time() + VTM_TICK_MS * 1000);
		if (t->stop || !t->busy)
			continue;
		g_mutex_unlock(&t->lock);
		/* a connection is closed only when its place is needed again: its reply has been written by then */
		tick(t, &t->open[t->next++ % VTM_TICK_OPEN_MAX]);
		g_mutex_lock(&t->lock);
	}
	g_mutex_unlock(&t->lock);
	return NULL;
}

static bool set_local(struct vtm_ticker *t, const char *path, GError **error)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&t->address;

	if (strlen(path) >= sizeof(un->sun_path)) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "socket path %s is too long", path);
		return false;
	}
	un->sun_family = AF_UNIX;
	strncpy(un->sun_path, path, sizeof(un->sun_path) - 1);
	t->address_len = sizeof(*un);
	return true;
}

static bool set_inet(struct vtm_ticker *t, const char *rest, int family, GError **error)
{
	struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM }, *found = NULL;
	char *port = g_strdup(rest), *at = strchr(port, '@'), *host = at ? at + 1 : NULL;
	int rc;

	if (at)
		*at = '\0';
	if (host && host[0] == '[') {
		host++;
		host[strcspn(host, "]")] = '\0';
	}
	rc = getaddrinfo(host, port, &hints, &found);
	if (rc == 0) {
		memcpy(&t->address, found->ai_addr, found->ai_addrlen);
		t->address_len = found->ai_addrlen;
		freeaddrinfo(found);
	} else {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "socket %s: %s", rest, gai_strerror(rc));
	}
	g_free(port);
	return rc == 0;
}

static bool set_fd(struct vtm_ticker *t, const char *rest, GError **error)
{
	t->address_len = sizeof(t->address);
	if (getsockname(atoi(rest), (struct sockaddr *)&t->address, &t->address_len) == 0)
		return true;
	g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "socket fd:%s: %s", rest, g_strerror(errno));
	return false;
}

static bool set_address(struct vtm_ticker *t, const char *connection, GError **error)
{
	const char *colon = strchr(connection, ':');
	const char *rest = colon ? colon + 1 : connection;

	if (g_str_has_prefix(connection, "inet6:"))
		return set_inet(t, rest, AF_INET6, error);
	if (g_str_has_prefix(connection, "inet:"))
		return set_inet(t, rest, AF_INET, error);
	if (g_str_has_prefix(connection, "fd:"))
		return set_fd(t, rest, error);
	return set_local(t, rest, error);
}

struct vtm_ticker *vtm_ticker_new(const char *connection, GError **error)
{
	struct vtm_ticker *t = g_new0(struct vtm_ticker, 1);

	if (!set_address(t, connection, error)) {
		g_free(t);
		return NULL;
	}
	for (int i = 0; i < VTM_TICK_OPEN_MAX; i++)
		t->open[i] = -1;
	g_mutex_init(&t->lock);
	g_cond_init(&t->changed);
	t->thread = g_thread_new("ticker", run, t);
	return t;
}

void vtm_ticker_free(struct vtm_ticker *t)
{
	if (!t)
		return;
	g_mutex_lock(&t->lock);
	t->stop = true;
	g_cond_signal(&t->changed);
	g_mutex_unlock(&t->lock);
	g_thread_join(t->thread);
	for (int i = 0; i < VTM_TICK_OPEN_MAX; i++)
		if (t->open[i] >= 0)
			close(t->open[i]);
	g_cond_clear(&t->changed);
	g_mutex_clear(&t->lock);
	g_free(t);
}

void vtm_ticker_enter(struct vtm_ticker *t)
{
	g_mutex_lock(&t->lock);
	if (t->busy++ == 0)
		g_cond_signal(&t->changed);
	g_mutex_unlock(&t->lock);
}

void vtm_ticker_leave(struct vtm_ticker *t)
{
	g_mutex_lock(&t->lock);
	t->busy--;
	g_mutex_unlock(&t->lock);
}

unsigned vtm_ticker_busy(struct vtm_ticker *t)
{
	unsigned busy;

	g_mutex_lock(&t->lock);
	busy = t->busy;
	g_mutex_unlock(&t->lock);
	return busy;
}

void vtm_ticker_poke(struct vtm_ticker *t)
{
	int fd = -1;

	tick(t, &fd);
	if (fd >= 0)
		close(fd);
}
