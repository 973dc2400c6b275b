/* SPDX-License-Identifier: BSD-2-Clause */
/* warped.c - waits in every way that timewarp.c warps, and prints how long each took by the clocks it sees. */
#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long ms;		/* each wait */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static struct timespec after(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += ms % 1000 * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	return ts;
}

static void by_poll(void)
{
	poll(NULL, 0, (int)ms);
}

static void by_select(void)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	select(0, NULL, NULL, NULL, &tv);
}

static void by_epoll(void)
{
	struct epoll_event event;
	int fd = epoll_create1(EPOLL_CLOEXEC);

	epoll_wait(fd, &event, 1, (int)ms);
	close(fd);
}

static void by_nanosleep(void)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static void by_absolute_sleep(void)
{
	struct timespec ts = after(CLOCK_REALTIME);

	clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL);
}

static void by_cond(void)
{
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	struct timespec ts = after(CLOCK_REALTIME);

	pthread_mutex_lock(&mutex);
	while (pthread_cond_timedwait(&cond, &mutex, &ts) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&mutex);
}

static void by_monotonic_cond(void)
{
	pthread_cond_t cond;
	pthread_condattr_t attr;
	struct timespec ts = after(CLOCK_MONOTONIC);

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&cond, &attr);
	pthread_mutex_lock(&mutex);
	while (pthread_cond_timedwait(&cond, &mutex, &ts) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&mutex);
}

static void by_glib(void)
{
	gint64 until = g_get_monotonic_time() + ms * 1000;
	GMutex lock;
	GCond cond;

	g_mutex_init(&lock);
	g_cond_init(&cond);
	g_mutex_lock(&lock);
	while (g_cond_wait_until(&cond, &lock, until))
		;
	g_mutex_unlock(&lock);
}

static long now_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static const struct { const char *name; void (*wait)(void); } ways[] = {
	{ "poll", by_poll },
	{ "select", by_select },
	{ "epoll", by_epoll },
	{ "nanosleep", by_nanosleep },
	{ "clock_nanosleep", by_absolute_sleep },
	{ "cond", by_cond },
	{ "monotonic-cond", by_monotonic_cond },
	{ "glib", by_glib },
};

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "clocks")) {
		struct timeval tv;

		gettimeofday(&tv, NULL);
		printf("%ld %ld %ld %ld %ld\n", now_ms(CLOCK_REALTIME), (long)time(NULL) * 1000,
		       tv.tv_sec * 1000 + tv.tv_usec / 1000, now_ms(CLOCK_BOOTTIME), now_ms(CLOCK_MONOTONIC));
		return 0;
	}
	if (argc < 2 || (ms = atol(argv[1])) <= 0) {
		fputs("usage: warped clocks | MILLISECONDS [WAY]\n", stderr);
		return 64;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
		long start = now_ms(CLOCK_BOOTTIME);

		if (argc > 2 && strcmp(argv[2], ways[i].name))
			continue;
		ways[i].wait();
		printf("%s %ld\n", ways[i].name, now_ms(CLOCK_BOOTTIME) - start);
		fflush(stdout);
	}
	return 0;
}
