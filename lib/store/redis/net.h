/* SPDX-License-Identifier: BSD-2-Clause */
/* net.h - one connection to a Redis or Sentinel.
 *
 * Every wait ends at a deadline, which is boot ms of the system's clock (clock.h), however slowly the other side
 * trickles.  hiredis reads the replies; the waiting is our own, since hiredis' time-outs begin anew with every byte.
 * Names are resolved by a thread of their own, because getaddrinfo() keeps no deadline.
 */
#ifndef VTM_STORE_REDIS_NET_H
#define VTM_STORE_REDIS_NET_H

#include <glib.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>

#define VTM_REDIS_REPLY_MAX (64 * 1024 * 1024)	/* bytes of one reply */
#define VTM_REDIS_ADDRESSES 8			/* of one name that are tried */

struct vtm_redis_peer {		/* borrowed during a call */
	const char *path;	/* of a unix socket, or */
	const char *host, *port;
	bool tls;
	const char *ca_file, *cert_file, *key_file;
};

struct vtm_redis_link;

struct vtm_redis_link *vtm_redis_link_new(const struct vtm_redis_peer *peer, int64_t deadline_ms, GError **error);
void vtm_redis_link_free(struct vtm_redis_link *l);

/* Nothing has come and the other side has not closed: it may be written to. */
bool vtm_redis_link_quiet(struct vtm_redis_link *l);

/* After a failure the connection is out of step and must be freed. */
int vtm_redis_link_send(struct vtm_redis_link *l, const void *data, gsize len, int64_t deadline_ms, GError **error);
/* One reply; freeReplyObject() it. NULL and an error. */
redisReply *vtm_redis_link_reply(struct vtm_redis_link *l, int64_t deadline_ms, GError **error);

/* What comes unasked: 1 a reply in *reply_r, 0 none until the deadline or until <wake_fd> could be read, -1 and an
 * error. After 0 the connection is as good as before. */
int vtm_redis_link_next(struct vtm_redis_link *l, int wake_fd, int64_t deadline_ms, redisReply **reply_r,
			GError **error);

#endif
