/* SPDX-License-Identifier: BSD-2-Clause */
/* watch.h - hearing which look-ups other hosts ended; included by store-redis*.c only.
 *
 * A thread with a connection of its own subscribes to the channel VTM_REDIS_CHANNEL.  What it hears are keys, at most
 * VTM_STORE_BATCH until they are taken; they say that there may be something to read, and nothing more, so a lie there
 * costs a look.  Where it cannot subscribe (forbidden, a proxy, no Redis) nobody is the worse for it but by time.
 */
#ifndef VTM_STORE_REDIS_WATCH_H
#define VTM_STORE_REDIS_WATCH_H

#include "store/redis/redis.h"

struct vtm_redis_watch;

/* Takes <own>, a store object that is not connected.  NULL: no thread or no descriptor. */
struct vtm_redis_watch *vtm_redis_watch_new(struct vtm_redis *own, void (*wake)(void *), void *arg, GError **error);
/* Waits for the thread: about VTM_STORE_WAIT_MS at most. */
void vtm_redis_watch_free(struct vtm_redis_watch *w);

bool vtm_redis_watch_hears(struct vtm_redis_watch *w);
/* Moves what was heard to <keys>, VTM_STORE_BATCH of them; *missed_r: more may have been said. */
unsigned vtm_redis_watch_take(struct vtm_redis_watch *w, struct vtm_key *keys, bool *missed_r);

#endif
