/* SPDX-License-Identifier: BSD-2-Clause */
/* tsan-glib.c - GLib's mutexes, conditions and once made of pthreads', for programs built with the thread sanitizer.
 *
 * GLib locks by system calls that the sanitizer does not see, so that each use of a GMutex would look like a race;
 * pthreads it sees.  A part of libvtmilter.a in such builds: these functions take the place of GLib's in programs and
 * in GLib itself.
 */
#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* A GMutex or GCond is one zeroed pointer at first. */
static pthread_mutex_t *mutex_of(GMutex *m)
{
	pthread_mutex_t *p = __atomic_load_n((pthread_mutex_t **)&m->p, __ATOMIC_ACQUIRE), *mine, *none = NULL;

	if (p)
		return p;
	mine = malloc(sizeof(*mine));
	if (!mine || pthread_mutex_init(mine, NULL))
		abort();
	if (__atomic_compare_exchange_n((pthread_mutex_t **)&m->p, &none, mine, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return mine;
	free(mine);
	return none;
}

static pthread_cond_t *cond_of(GCond *c)
{
	pthread_cond_t *p = __atomic_load_n((pthread_cond_t **)&c->p, __ATOMIC_ACQUIRE), *mine, *none = NULL;
	pthread_condattr_t attributes;

	if (p)
		return p;
	mine = malloc(sizeof(*mine));
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (!mine || pthread_cond_init(mine, &attributes))
		abort();
	if (__atomic_compare_exchange_n((pthread_cond_t **)&c->p, &none, mine, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return mine;
	free(mine);
	return none;
}

/* The macros of these names look whether there is anything to do. */
#undef g_once_init_enter
#undef g_once_init_leave

static pthread_mutex_t once_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t once_cond = PTHREAD_COND_INITIALIZER;
static volatile void *once_running[64];

static int once_slot(volatile void *location)
{
	for (int i = 0; i < 64; i++)
		if (once_running[i] == location)
			return i;
	return -1;
}

gboolean g_once_init_enter(volatile void *location)
{
	gboolean ours = FALSE;

	pthread_mutex_lock(&once_lock);
	while (!g_atomic_pointer_get((gsize *)(uintptr_t)location) && once_slot(location) >= 0)
		pthread_cond_wait(&once_cond, &once_lock);
	if (!g_atomic_pointer_get((gsize *)(uintptr_t)location)) {
		int slot = once_slot(NULL);

		if (slot < 0)
			abort();
		once_running[slot] = location;
		ours = TRUE;
	}
	pthread_mutex_unlock(&once_lock);
	return ours;
}

void g_once_init_leave(volatile void *location, gsize result)
{
	pthread_mutex_lock(&once_lock);
	g_atomic_pointer_set((gsize *)(uintptr_t)location, result);
	once_running[once_slot(location)] = NULL;
	pthread_cond_broadcast(&once_cond);
	pthread_mutex_unlock(&once_lock);
}

void g_mutex_init(GMutex *m)
{
	m->p = NULL;
}

void g_mutex_clear(GMutex *m)
{
	if (!m->p)
		return;
	pthread_mutex_destroy(m->p);
	free(m->p);
	m->p = NULL;
}

void g_mutex_lock(GMutex *m)
{
	pthread_mutex_lock(mutex_of(m));
}

gboolean g_mutex_trylock(GMutex *m)
{
	return pthread_mutex_trylock(mutex_of(m)) == 0;
}

void g_mutex_unlock(GMutex *m)
{
	pthread_mutex_unlock(mutex_of(m));
}

void g_cond_init(GCond *c)
{
	c->p = NULL;
}

void g_cond_clear(GCond *c)
{
	if (!c->p)
		return;
	pthread_cond_destroy(c->p);
	free(c->p);
	c->p = NULL;
}

void g_cond_wait(GCond *c, GMutex *m)
{
	pthread_cond_wait(cond_of(c), mutex_of(m));
}

gboolean g_cond_wait_until(GCond *c, GMutex *m, gint64 end_us)
{
	struct timespec end = { .tv_sec = end_us / G_USEC_PER_SEC, .tv_nsec = end_us % G_USEC_PER_SEC * 1000 };

	return pthread_cond_timedwait(cond_of(c), mutex_of(m), &end) != ETIMEDOUT;
}

void g_cond_signal(GCond *c)
{
	pthread_cond_signal(cond_of(c));
}

void g_cond_broadcast(GCond *c)
{
	pthread_cond_broadcast(cond_of(c));
}
