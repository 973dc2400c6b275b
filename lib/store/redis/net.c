/* SPDX-License-Identifier: BSD-2-Clause */
/* net.c - one connection to a Redis or Sentinel. */
#include "store/redis/net.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/redis/tls.h"

struct vtm_redis_link {
	int fd;
	struct vtm_redis_tls *tls;	/* or NULL */
	redisReader *reader;
	GByteArray *wire;		/* bytes on their way out */
	gsize received;			/* of the reply being read */
};

static int fail(GError **error, const char *what, int err)
{
	g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s: %s", what, g_strerror(err));
	return -1;
}

static int64_t now_ms(void)
{
	return vtm_boot_ms(vtm_clock_system());
}

/* 0 ready, -1 error or too late. */
static int wait_for(int fd, short events, int64_t deadline_ms, const char *what, GError **error)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		int64_t left = deadline_ms - now_ms();
		int n = left > 0 ? poll(&p, 1, (int)MIN(left, 60000)) : 0;

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return fail(error, what, errno);
		if (n == 0 && deadline_ms <= now_ms())
			return fail(error, what, ETIMEDOUT);
	}
}

/* ---- names ---- */

/* One question to the resolver; shared by who asks and the thread that answers, whoever is last frees it. */
struct question {
	gint refs;
	GMutex lock;		/* done, rc, list */
	GCond cond;
	bool done;
	int rc;
	struct addrinfo *list;
	char *host, *port;
};

static void question_unref(struct question *q)
{
	if (!g_atomic_int_dec_and_test(&q->refs))
		return;
	if (q->list)
		freeaddrinfo(q->list);
	g_mutex_clear(&q->lock);
	g_cond_clear(&q->cond);
	g_free(q->host);
	g_free(q->port);
	g_free(q);
}

static int look_up(const char *host, const char *port, int flags, struct addrinfo **list_r)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags };

	return getaddrinfo(host, port, &hints, list_r);
}

static gpointer answer(gpointer p)
{
	struct question *q = p;
	struct addrinfo *list = NULL;
	int rc = look_up(q->host, q->port, AI_ADDRCONFIG, &list);

	g_mutex_lock(&q->lock);
	q->rc = rc;
	q->list = rc == 0 ? list : NULL;
	q->done = true;
	g_cond_signal(&q->cond);
	g_mutex_unlock(&q->lock);
	question_unref(q);
	return NULL;
}

static struct question *ask(const char *host, const char *port, GError **error)
{
	struct question *q = g_new0(struct question, 1);
	GThread *thread;

	q->refs = 2;
	g_mutex_init(&q->lock);
	g_cond_init(&q->cond);
	q->host = g_strdup(host);
	q->port = g_strdup(port);
	thread = g_thread_try_new("redis-name", answer, q, NULL);
	if (thread) {
		g_thread_unref(thread);
		return q;
	}
	fail(error, "a thread to resolve a name", EAGAIN);
	q->refs = 1;
	question_unref(q);
	return NULL;
}

static struct addrinfo *resolve(const char *host, const char *port, int64_t deadline_ms, GError **error)
{
	struct addrinfo *list = NULL;
	struct question *q;
	gint64 until = g_get_monotonic_time() + MAX(deadline_ms - now_ms(), 0) * 1000;
	int rc;

	if (look_up(host, port, AI_NUMERICHOST, &list) == 0)
		return list;
	q = ask(host, port, error);
	if (!q)
		return NULL;
	g_mutex_lock(&q->lock);
	while (!q->done && g_cond_wait_until(&q->cond, &q->lock, until))
		;
	rc = q->done ? q->rc : EAI_AGAIN;
	list = g_steal_pointer(&q->list);
	g_mutex_unlock(&q->lock);
	question_unref(q);
	if (!list)
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s: %s", host, gai_strerror(rc));
	return list;
}

/* ---- connecting ---- */

static int connect_to(const struct sockaddr *address, socklen_t len, int64_t deadline_ms, GError **error)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err = 0, one = 1;
	socklen_t size = sizeof(err);

	if (fd < 0)
		return fail(error, "socket", errno);
	if (connect(fd, address, len) < 0) {
		/* EAGAIN: the queue of a unix socket is full */
		if (errno != EINPROGRESS) {
			fail(error, "connect", errno);
			goto out;
		}
		if (wait_for(fd, POLLOUT, deadline_ms, "connect", error) < 0)
			goto out;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0 || err) {
			fail(error, "connect", err ? err : errno);
			goto out;
		}
	}
	if (address->sa_family != AF_UNIX) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	}
	return fd;
out:
	close(fd);
	return -1;
}

static int connect_local(const char *path, int64_t deadline_ms, GError **error)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	g_strlcpy(un.sun_path, path, sizeof(un.sun_path));
	return connect_to((const struct sockaddr *)(const void *)&un, sizeof(un), deadline_ms, error);
}

static int connect_network(const char *host, const char *port, int64_t deadline_ms, GError **error)
{
	struct addrinfo *list = resolve(host, port, deadline_ms, error), *a = list;
	int fd = -1;

	for (unsigned n = 0; a && fd < 0 && n < VTM_REDIS_ADDRESSES; a = a->ai_next, n++) {
		/* half of the time for each that has others behind it */
		int64_t now = now_ms(), until = a->ai_next ? now + (deadline_ms - now) / 2 : deadline_ms;

		g_clear_error(error);
		fd = connect_to(a->ai_addr, a->ai_addrlen, until, error);
	}
	if (list)
		freeaddrinfo(list);
	return fd;
}

static int handshake(struct vtm_redis_link *l, int64_t deadline_ms, GError **error);

struct vtm_redis_link *vtm_redis_link_new(const struct vtm_redis_peer *peer, int64_t deadline_ms, GError **error)
{
	struct vtm_redis_link *l = g_new0(struct vtm_redis_link, 1);
	GError *own = NULL;

	l->reader = redisReaderCreate();
	l->wire = g_byte_array_new();
	l->fd = peer->path ? connect_local(peer->path, deadline_ms, &own) :
			     connect_network(peer->host, peer->port, deadline_ms, &own);
	if (l->fd >= 0 && peer->tls) {
		l->tls = vtm_redis_tls_new(peer->host, peer->ca_file, peer->cert_file, peer->key_file, &own);
		if (l->tls)
			handshake(l, deadline_ms, &own);
	}
	if (!own && l->reader)
		return l;
	if (own)
		g_propagate_error(error, own);
	else
		fail(error, "reader", ENOMEM);
	vtm_redis_link_free(l);
	return NULL;
}

void vtm_redis_link_free(struct vtm_redis_link *l)
{
	if (!l)
		return;
	vtm_redis_tls_free(l->tls);
	if (l->reader)
		redisReaderFree(l->reader);
	g_byte_array_unref(l->wire);
	if (l->fd >= 0)
		close(l->fd);
	g_free(l);
}

/* ---- bytes ---- */

/* Sends all of l->wire. */
static int flush(struct vtm_redis_link *l, int64_t deadline_ms, GError **error)
{
	guint sent = 0;

	while (sent < l->wire->len) {
		ssize_t n = send(l->fd, l->wire->data + sent, l->wire->len - sent, MSG_NOSIGNAL);

		if (n >= 0)
			sent += (guint)n;
		else if (errno != EAGAIN && errno != EINTR)
			return fail(error, "send", errno);
		else if (wait_for(l->fd, POLLOUT, deadline_ms, "send", error) < 0)
			return -1;
	}
	g_byte_array_set_size(l->wire, 0);
	return 0;
}

/* Bytes from the socket, at least one. */
static ssize_t receive(struct vtm_redis_link *l, void *data, gsize max, int64_t deadline_ms, GError **error)
{
	for (;;) {
		ssize_t n = recv(l->fd, data, max, 0);

		if (n > 0)
			return n;
		if (n == 0)
			return fail(error, "receive", ECONNRESET);
		if (errno != EAGAIN && errno != EINTR)
			return fail(error, "receive", errno);
		if (wait_for(l->fd, POLLIN, deadline_ms, "receive", error) < 0)
			return -1;
	}
}

static int feed_tls(struct vtm_redis_link *l, int64_t deadline_ms, GError **error)
{
	guint8 buffer[16384];
	ssize_t n;

	vtm_redis_tls_drain(l->tls, l->wire);
	if (flush(l, deadline_ms, error) < 0)
		return -1;
	n = receive(l, buffer, sizeof(buffer), deadline_ms, error);
	if (n < 0)
		return -1;
	vtm_redis_tls_feed(l->tls, buffer, (gsize)n);
	return 0;
}

static int handshake(struct vtm_redis_link *l, int64_t deadline_ms, GError **error)
{
	int rc;

	while ((rc = vtm_redis_tls_handshake(l->tls, error)) == 0)
		if (feed_tls(l, deadline_ms, error) < 0)
			return -1;
	if (rc < 0)
		return -1;
	vtm_redis_tls_drain(l->tls, l->wire);
	return flush(l, deadline_ms, error);
}

int vtm_redis_link_send(struct vtm_redis_link *l, const void *data, gsize len, int64_t deadline_ms, GError **error)
{
	if (!l->tls)
		g_byte_array_append(l->wire, data, (guint)len);
	else if (vtm_redis_tls_write(l->tls, data, len, error) < 0)
		return -1;
	else
		vtm_redis_tls_drain(l->tls, l->wire);
	return flush(l, deadline_ms, error);
}

/* Bytes of the protocol, at least one. */
static ssize_t read_some(struct vtm_redis_link *l, void *data, gsize max, int64_t deadline_ms, GError **error)
{
	int n;

	if (!l->tls)
		return receive(l, data, max, deadline_ms, error);
	while ((n = vtm_redis_tls_read(l->tls, data, max, error)) == 0)
		if (feed_tls(l, deadline_ms, error) < 0)
			return -1;
	return n;
}

static int take_bytes(struct vtm_redis_link *l, const char *data, size_t n, GError **error)
{
	l->received += n;
	if (l->received > VTM_REDIS_REPLY_MAX || redisReaderFeed(l->reader, data, n) != REDIS_OK)
		return fail(error, "reply", EMSGSIZE);
	return 0;
}

/* 1 a reply, 0 more bytes are needed, -1 nonsense. */
static int take_reply(struct vtm_redis_link *l, redisReply **reply_r, GError **error)
{
	void *reply = NULL;

	if (redisReaderGetReply(l->reader, &reply) != REDIS_OK)
		return fail(error, "reply", EBADMSG);
	if (!reply)
		return 0;
	l->received = 0;
	*reply_r = reply;
	return 1;
}

static int read_more(struct vtm_redis_link *l, int64_t deadline_ms, GError **error)
{
	char buffer[16384];
	ssize_t n = read_some(l, buffer, sizeof(buffer), deadline_ms, error);

	return n < 0 ? -1 : take_bytes(l, buffer, (size_t)n, error);
}

redisReply *vtm_redis_link_reply(struct vtm_redis_link *l, int64_t deadline_ms, GError **error)
{
	redisReply *reply = NULL;

	while (take_reply(l, &reply, error) == 0)
		if (read_more(l, deadline_ms, error) < 0)
			return NULL;
	return reply;
}

/* Bytes of the protocol that are there already; 0 none. */
static ssize_t read_at_once(struct vtm_redis_link *l, char *data, gsize max, GError **error)
{
	guint8 raw[16384];

	for (;;) {
		int plain = l->tls ? vtm_redis_tls_read(l->tls, data, max, error) : 0;
		ssize_t n;

		if (plain)
			return plain;
		n = l->tls ? recv(l->fd, raw, sizeof(raw), 0) : recv(l->fd, data, max, 0);
		if (n == 0)
			return fail(error, "receive", ECONNRESET);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : fail(error, "receive", errno);
		if (!l->tls)
			return n;
		vtm_redis_tls_feed(l->tls, raw, (gsize)n);
	}
}

/* 1 bytes came, 0 the time is over or <wake_fd> can be read. */
static int wait_either(struct vtm_redis_link *l, int wake_fd, int64_t deadline_ms, GError **error)
{
	struct pollfd p[2] = { { .fd = l->fd, .events = POLLIN }, { .fd = wake_fd, .events = POLLIN } };
	int64_t left = deadline_ms - now_ms();
	int n = left > 0 ? poll(p, 2, (int)MIN(left, 60000)) : 0;

	if (n < 0)
		return errno == EINTR ? 0 : fail(error, "poll", errno);
	return p[0].revents && !p[1].revents;
}

int vtm_redis_link_next(struct vtm_redis_link *l, int wake_fd, int64_t deadline_ms, redisReply **reply_r,
			GError **error)
{
	char buffer[16384];
	int rc;

	while ((rc = take_reply(l, reply_r, error)) == 0) {
		ssize_t n = read_at_once(l, buffer, sizeof(buffer), error);

		rc = n > 0 ? take_bytes(l, buffer, (size_t)n, error) : (int)n;
		if (n == 0) {
			rc = wait_either(l, wake_fd, deadline_ms, error);
			if (rc == 0)
				return 0;
		}
		if (rc < 0)
			return -1;
	}
	return rc;
}

bool vtm_redis_link_quiet(struct vtm_redis_link *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	guint8 buffer[4096];
	ssize_t n;

	if (poll(&p, 1, 0) == 0)
		return true;
	if (!l->tls)
		return false;
	/* TLS may say something of its own, such as a new session ticket */
	n = recv(l->fd, buffer, sizeof(buffer), 0);
	if (n <= 0)
		return false;
	vtm_redis_tls_feed(l->tls, buffer, (gsize)n);
	return vtm_redis_tls_read(l->tls, buffer, sizeof(buffer), NULL) == 0;
}
