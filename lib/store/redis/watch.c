/* SPDX-License-Identifier: BSD-2-Clause */
/* watch.c - hearing which look-ups other hosts ended. */
#include "store/redis/watch.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "store/codec.h"

#define BEAT_MS 5000		/* a connection that says nothing for so long is asked whether it is there */
#define PAUSE_MIN_MS 100	/* after a connection that ended; doubles up to */
#define PAUSE_MAX_MS 30000
#define GOOD_MS 60000		/* one that lasted so long begins with the least again */

struct vtm_redis_watch {
	GMutex lock;		/* covers this block; not held over I/O or a callback */
	bool hears, missed, told, stop;
	unsigned n;
	struct vtm_key keys[VTM_STORE_BATCH];
	/* constant */
	void (*wake)(void *);
	void *arg;
	int wake_fd;		/* can be read when the thread is to end */
	GThread *thread;
	/* the thread's own */
	struct vtm_redis *own;
	int64_t pause_ms;
};

static int64_t now_ms(void)
{
	return vtm_boot_ms(vtm_clock_system());
}

static bool stopped(struct vtm_redis_watch *w)
{
	bool stop;

	g_mutex_lock(&w->lock);
	stop = w->stop;
	g_mutex_unlock(&w->lock);
	return stop;
}

/* Adds a key (NULL: something was missed) and wakes who takes them, once until he does. */
static void hear(struct vtm_redis_watch *w, const struct vtm_key *key)
{
	bool wake;

	g_mutex_lock(&w->lock);
	if (key && w->n < VTM_STORE_BATCH)
		w->keys[w->n++] = *key;
	else
		w->missed = true;
	wake = !w->told;
	w->told = true;
	g_mutex_unlock(&w->lock);
	if (wake)
		w->wake(w->arg);
}

static void set_hears(struct vtm_redis_watch *w, bool hears)
{
	bool changed;

	g_mutex_lock(&w->lock);
	changed = w->hears != hears;
	w->hears = hears;
	g_mutex_unlock(&w->lock);
	if (changed)
		hear(w, NULL);	/* what was said before we listened, or since we do not */
}

/* "message", channel, key */
static void take_push(struct vtm_redis_watch *w, const redisReply *r)
{
	struct vtm_key key;

	if (r->type == REDIS_REPLY_ARRAY && r->elements == 3 && vtm_redis_is_bytes(r->element[0]) &&
	    vtm_redis_is_bytes(r->element[2]) && !strcmp(r->element[0]->str, "message") &&
	    vtm_unpack_key(r->element[2]->str, (size_t)r->element[2]->len, &key))
		hear(w, &key);
}

static void say_why_not(const struct vtm_redis_watch *w, const GError *error)
{
	vtm_log_limited(VTM_LOG_NOTICE, "redis-watch",
			"store: cannot subscribe, so answers of other hosts are polled: %s (the "
			"Redis user needs +subscribe, +publish and &%s*)",
			error->message, w->own->prefix);
}

static bool subscribe(struct vtm_redis_watch *w, GError **error)
{
	struct vtm_redis_command c;
	redisReply *r;

	vtm_redis_begin(w->own, &c);
	vtm_redis_command_begin(&c, "SUBSCRIBE");
	vtm_redis_key(w->own, &c, VTM_REDIS_CHANNEL, NULL, 0);
	vtm_redis_command_end(&c);
	r = vtm_redis_one(w->own, &c, error);
	if (!r)
		return false;
	freeReplyObject(r);
	return true;
}

static int ping(struct vtm_redis_watch *w)
{
	struct vtm_redis_command c;
	int rc;

	vtm_redis_command_init(&c);
	vtm_redis_command_begin(&c, "PING");
	vtm_redis_command_end(&c);
	rc = vtm_redis_link_send(w->own->link, c.out->data, c.out->len, now_ms() + VTM_STORE_WAIT_MS, NULL);
	vtm_redis_command_clear(&c);
	return rc;
}

/* Until the connection ends, or nothing has come for two beats. */
static void listen(struct vtm_redis_watch *w)
{
	bool asked = false;
	int rc;

	do {
		redisReply *r = NULL;

		rc = vtm_redis_link_next(w->own->link, w->wake_fd, now_ms() + BEAT_MS, &r, NULL);
		if (rc > 0) {
			take_push(w, r);
			freeReplyObject(r);
			asked = false;
		} else if (rc == 0) {
			rc = asked ? -1 : ping(w);
			asked = true;
		}
	} while (rc >= 0 && !stopped(w));
}

/* Sleeps, with a jitter of 25 %, so that hosts do not act at the same time. */
static void rest(struct vtm_redis_watch *w)
{
	GPollFD p = { .fd = w->wake_fd, .events = G_IO_IN };

	w->pause_ms = CLAMP(2 * w->pause_ms, PAUSE_MIN_MS, PAUSE_MAX_MS);
	g_poll(&p, 1, (gint)(w->pause_ms * g_random_int_range(75, 125) / 100));
}

static gpointer run(gpointer p)
{
	struct vtm_redis_watch *w = p;

	while (!stopped(w)) {
		int64_t start = now_ms();
		GError *error = NULL;

		if (subscribe(w, &error)) {
			set_hears(w, true);
			listen(w);
			set_hears(w, false);
			vtm_redis_disconnect(w->own);
			if (now_ms() - start > GOOD_MS)
				w->pause_ms = 0;
		} else {
			/* what the link says is the store's to log; a server that refuses us stays connected */
			if (w->own->link)
				say_why_not(w, error);
			g_clear_error(&error);
			vtm_redis_disconnect(w->own);
		}
		rest(w);
	}
	return NULL;
}

struct vtm_redis_watch *vtm_redis_watch_new(struct vtm_redis *own, void (*wake)(void *), void *arg, GError **error)
{
	struct vtm_redis_watch *w = g_new0(struct vtm_redis_watch, 1);

	g_mutex_init(&w->lock);
	w->own = own;
	w->wake = wake;
	w->arg = arg;
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->thread = w->wake_fd >= 0 ? g_thread_try_new("redis-watch", run, w, NULL) : NULL;
	if (w->thread)
		return w;
	g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "no thread to listen to Redis");
	vtm_redis_watch_free(w);
	return NULL;
}

void vtm_redis_watch_free(struct vtm_redis_watch *w)
{
	if (!w)
		return;
	g_mutex_lock(&w->lock);
	w->stop = true;
	g_mutex_unlock(&w->lock);
	if (w->thread) {
		eventfd_write(w->wake_fd, 1);
		g_thread_join(w->thread);
	}
	if (w->wake_fd >= 0)
		close(w->wake_fd);
	vtm_store_close(&w->own->base);
	g_mutex_clear(&w->lock);
	g_free(w);
}

bool vtm_redis_watch_hears(struct vtm_redis_watch *w)
{
	bool hears;

	g_mutex_lock(&w->lock);
	hears = w->hears;
	g_mutex_unlock(&w->lock);
	return hears;
}

unsigned vtm_redis_watch_take(struct vtm_redis_watch *w, struct vtm_key *keys, bool *missed_r)
{
	unsigned n;

	g_mutex_lock(&w->lock);
	n = w->n;
	memcpy(keys, w->keys, n * sizeof(*keys));
	*missed_r = w->missed;
	w->n = 0;
	w->missed = w->told = false;
	g_mutex_unlock(&w->lock);
	return n;
}
