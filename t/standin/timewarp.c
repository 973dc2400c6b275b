/* SPDX-License-Identifier: BSD-2-Clause */
/* timewarp.c - lets time run ahead, or faster, for a program and its children that know nothing of it.
 *
 *	LD_PRELOAD=t/standin/libtimewarp.so VTM_TIMEWARP=FILE PROGRAM
 *		Clocks are ahead by the 64-bit number of milliseconds (native order) that stands in FILE.  The file is
 *		mapped: changing it in place makes time jump for all that run with it, and ends their waits.  A second
 *		number, if there is one, moves CLOCK_REALTIME alone, ahead or back, as somebody does who sets the clock.
 *	LD_PRELOAD=t/standin/libtimewarp.so TIMEWARP=20 [TIMEWARP_EPOCH=NS] PROGRAM
 *		Time runs 20 times as fast, from the moment TIMEWARP_EPOCH on (CLOCK_BOOTTIME in ns; set for the
 *		children when it is not there).  Programs with one epoch agree on the time.
 *
 * Both may be combined.  What is warped: clock_gettime (all but CPU time), gettimeofday, time, timespec_get; poll,
 * ppoll, select, pselect, epoll_wait, epoll_pwait, nanosleep, clock_nanosleep, usleep, sleep, pthread_cond_timedwait,
 * pthread_cond_clockwait and the futex system call, by which GLib waits.  What is not: time stamps of files, socket
 * time-outs, timers and alarms.  A condition may wake up without a cause, as conditions may.
 *
 * With a program that gcc built for AddressSanitizer set ASAN_OPTIONS=verify_asan_link_order=0.  glibc, 64 bits;
 * with another C library it is built, and does nothing.
 */
#include <features.h>
#ifdef __GLIBC__

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000LL
#define MS 1000000LL
#define SLICE_NS (10 * MS)	/* how late a wait notices that the file was changed */

static double speed = 1;
static int64_t epoch;
static const volatile int64_t *ahead_ms;	/* NULL: no file */

/* The function that the program would have got. */
#define REAL(name) ((__typeof__(&name))real(#name, &real_##name))
#define REAL_OF(name) static void *real_##name

static void *real(const char *name, void **place)
{
	void *p = __atomic_load_n(place, __ATOMIC_RELAXED);

	if (!p) {
		/* The plain name means the version before glibc 2.3.2; the thread sanitizer's own has none. */
		if (!strcmp(name, "pthread_cond_timedwait")) {
			p = dlsym(RTLD_DEFAULT, "__interceptor_pthread_cond_timedwait");
			if (!p)
				p = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
		}
		if (!p)
			p = dlsym(RTLD_NEXT, name);
		if (!p)
			abort();
		__atomic_store_n(place, p, __ATOMIC_RELAXED);
	}
	return p;
}

REAL_OF(clock_gettime);
REAL_OF(clock_nanosleep);
REAL_OF(epoll_pwait);
REAL_OF(ppoll);
REAL_OF(pselect);
REAL_OF(pthread_cond_clockwait);
REAL_OF(pthread_cond_timedwait);
REAL_OF(syscall);

/* ---- the time ---- */

static int64_t to_ns(const struct timespec *ts)
{
	return (int64_t)ts->tv_sec * NS + ts->tv_nsec;
}

static struct timespec to_timespec(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / NS, .tv_nsec = ns % NS };
}

static int64_t real_ns(clockid_t id)
{
	struct timespec ts = { 0 };

	REAL(clock_gettime)(id, &ts);
	return to_ns(&ts);
}

static void set_up(void)
{
	const char *fast = getenv("TIMEWARP"), *since = getenv("TIMEWARP_EPOCH"), *file = getenv("VTM_TIMEWARP");
	void *map;
	int fd;

	epoch = since ? strtoll(since, NULL, 10) : real_ns(CLOCK_BOOTTIME);
	if (fast && strtod(fast, NULL) > 0)
		speed = strtod(fast, NULL);
	fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	map = mmap(NULL, 2 * sizeof(*ahead_ms), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		ahead_ms = map;
}

/* Whoever asks in the middle of it (a sanitizer's allocator, another thread) is told the real time. */
static void ready(void)
{
	static int state;	/* 0 new, 1 at it or done */

	if (!__atomic_load_n(&state, __ATOMIC_RELAXED) && !__atomic_exchange_n(&state, 1, __ATOMIC_ACQ_REL))
		set_up();
}

__attribute__((constructor)) static void start(void)
{
	char text[32];

	ready();
	if (getenv("TIMEWARP") && !getenv("TIMEWARP_EPOCH")) {
		snprintf(text, sizeof(text), "%lld", (long long)epoch);
		setenv("TIMEWARP_EPOCH", text, 1);
	}
}

/* All clocks are ahead by the same. */
static int64_t ahead_ns(void)
{
	int64_t ahead = ahead_ms ? *ahead_ms * MS : 0;

	if (speed > 1 || speed < 1)
		ahead += (int64_t)((double)(real_ns(CLOCK_BOOTTIME) - epoch) * (speed - 1));
	return ahead;
}

static bool is_warped(clockid_t id)
{
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
		return true;
	default:
		return false;
	}
}

/* What somebody set it wrong by; beyond the end of a short file there are zeros. */
static int64_t set_ns(clockid_t id)
{
	return ahead_ms && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) ? ahead_ms[1] * MS : 0;
}

static int64_t warped_ns(clockid_t id)
{
	ready();
	return real_ns(id) + ahead_ns() + set_ns(id);
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = REAL(clock_gettime)(id, ts);

	if (rc == 0 && is_warped(id)) {
		ready();
		*ts = to_timespec(to_ns(ts) + ahead_ns() + set_ns(id));
	}
	return rc;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	int64_t ns = warped_ns(CLOCK_REALTIME);

	(void)zone;
	tv->tv_sec = ns / NS;
	tv->tv_usec = ns % NS / 1000;
	return 0;
}

time_t time(time_t *t)
{
	time_t now = warped_ns(CLOCK_REALTIME) / NS;

	if (t)
		*t = now;
	return now;
}

int timespec_get(struct timespec *ts, int base)
{
	if (base != TIME_UTC)
		return 0;
	*ts = to_timespec(warped_ns(CLOCK_REALTIME));
	return base;
}

/* ---- waits ---- */

/* A wait until <deadline> of clock <id>, in pieces. */
struct wait {
	clockid_t id;
	int64_t deadline;
	int64_t left;		/* warped ns as of the last piece */
};

static struct wait wait_for(int64_t ns)
{
	return (struct wait){ CLOCK_MONOTONIC, warped_ns(CLOCK_MONOTONIC) + ns, 0 };
}

/* How long to wait now, by the real clock. */
static int64_t piece_ns(struct wait *w)
{
	int64_t ns;

	w->left = w->deadline - warped_ns(w->id);
	if (w->left < 0)
		w->left = 0;
	ns = (int64_t)((double)w->left / speed);
	if (w->left > 0 && ns < 1000)	/* never turn in place */
		ns = 1000;
	return ahead_ms && ns > SLICE_NS ? SLICE_NS : ns;
}

static int wait_poll(struct pollfd *fds, nfds_t n, int64_t ns, const sigset_t *mask)
{
	struct wait w = wait_for(ns);
	struct timespec ts;
	int rc;

	do {
		ts = to_timespec(piece_ns(&w));
		rc = REAL(ppoll)(fds, n, &ts, mask);
	} while (rc == 0 && w.left > 0);
	return rc;
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	return timeout < 0 ? REAL(ppoll)(fds, n, NULL, NULL) : wait_poll(fds, n, timeout * MS, NULL);
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	return timeout ? wait_poll(fds, n, to_ns(timeout), mask) : REAL(ppoll)(fds, n, NULL, mask);
}

/* What they are called with _FORTIFY_SOURCE. */
int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size);
int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size)
{
	if (size / sizeof(*fds) < n)
		abort();
	return poll(fds, n, timeout);
}

int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask, size_t size);
int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask, size_t size)
{
	if (size / sizeof(*fds) < n)
		abort();
	return ppoll(fds, n, timeout, mask);
}

static int wait_select(int n, fd_set *sets[3], int64_t ns, const sigset_t *mask)
{
	fd_set asked[3];
	struct wait w = wait_for(ns);
	struct timespec ts;
	int rc;

	for (int i = 0; i < 3; i++)
		if (sets[i])
			asked[i] = *sets[i];
	for (;;) {
		ts = to_timespec(piece_ns(&w));
		rc = REAL(pselect)(n, sets[0], sets[1], sets[2], &ts, mask);
		if (rc != 0 || w.left <= 0)
			return rc;
		for (int i = 0; i < 3; i++)
			if (sets[i])
				*sets[i] = asked[i];
	}
}

int select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout)
{
	fd_set *sets[3] = { r, w, e };

	if (!timeout)
		return REAL(pselect)(n, r, w, e, NULL, NULL);
	return wait_select(n, sets, timeout->tv_sec * NS + timeout->tv_usec * 1000, NULL);
}

int pselect(int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *timeout, const sigset_t *mask)
{
	fd_set *sets[3] = { r, w, e };

	if (!timeout)
		return REAL(pselect)(n, r, w, e, NULL, mask);
	return wait_select(n, sets, to_ns(timeout), mask);
}

int epoll_pwait(int fd, struct epoll_event *events, int n, int timeout, const sigset_t *mask)
{
	struct wait w;
	int rc;

	if (timeout < 0)
		return REAL(epoll_pwait)(fd, events, n, timeout, mask);
	w = wait_for(timeout * MS);
	do {
		int64_t ns = piece_ns(&w);

		rc = REAL(epoll_pwait)(fd, events, n, (int)((ns + MS - 1) / MS), mask);
	} while (rc == 0 && w.left > 0);
	return rc;
}

int epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
	return epoll_pwait(fd, events, n, timeout, NULL);
}

/* An errno, as of clock_nanosleep(). */
static int wait_sleep(struct wait w, struct timespec *left)
{
	int rc;

	do {
		struct timespec ts = to_timespec(piece_ns(&w));

		rc = REAL(clock_nanosleep)(CLOCK_MONOTONIC, 0, &ts, NULL);
	} while (rc == 0 && w.left > 0);
	if (rc == EINTR && left) {
		piece_ns(&w);
		*left = to_timespec(w.left);
	}
	return rc;
}

int clock_nanosleep(clockid_t id, int flags, const struct timespec *time, struct timespec *left)
{
	if (!is_warped(id) || time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= NS)
		return REAL(clock_nanosleep)(id, flags, time, left);
	if (flags & TIMER_ABSTIME)
		return wait_sleep((struct wait){ id, to_ns(time), 0 }, NULL);
	return wait_sleep(wait_for(to_ns(time)), left);
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
	int rc = clock_nanosleep(CLOCK_MONOTONIC, 0, time, left);

	if (rc == 0)
		return 0;
	errno = rc;
	return -1;
}

int usleep(useconds_t us)
{
	struct timespec ts = to_timespec((int64_t)us * 1000);

	return nanosleep(&ts, NULL);
}

unsigned sleep(unsigned seconds)
{
	struct timespec ts = { .tv_sec = seconds }, left;

	return nanosleep(&ts, &left) == 0 ? 0 : (unsigned)left.tv_sec;
}

/* The moment of the real clock <id> at which the next piece of a wait until <deadline> ends; *last_r: with it the
 * wait. */
static struct timespec piece_end(clockid_t id, const struct timespec *deadline, bool *last_r)
{
	struct wait w = { id, to_ns(deadline), 0 };
	int64_t ns = piece_ns(&w);

	*last_r = (double)ns * speed >= (double)w.left;
	return to_timespec(real_ns(id) + ns);
}

int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t id, const struct timespec *deadline)
{
	bool last;
	struct timespec ts = piece_end(id, deadline, &last);
	int rc = REAL(pthread_cond_clockwait)(cond, mutex, id, &ts);

	/* A signal may have come between two pieces, so the caller has to look: it woke up without a cause. */
	return rc == ETIMEDOUT && !last ? 0 : rc;
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *deadline)
{
	/* Bit 1 of wrefs is how glibc keeps the condition's clock. */
	clockid_t id = cond->__data.__wrefs & 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
	bool last;
	struct timespec ts = piece_end(id, deadline, &last);
	int rc = REAL(pthread_cond_timedwait)(cond, mutex, &ts);

	return rc == ETIMEDOUT && !last ? 0 : rc;
}

/* The kernel compares the value again for each piece, so no wake-up is lost. */
static long wait_futex(const long args[6], const struct timespec *timeout)
{
	int op = (int)args[1], command = op & FUTEX_CMD_MASK;
	struct wait w = wait_for(command == FUTEX_WAIT ? to_ns(timeout) : 0);
	long rc;

	if (command == FUTEX_WAIT_BITSET) {
		w.id = op & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
		w.deadline = to_ns(timeout);
	}
	do {
		int64_t ns = piece_ns(&w);
		struct timespec ts = to_timespec(command == FUTEX_WAIT ? ns : real_ns(w.id) + ns);

		rc = REAL(syscall)(SYS_futex, args[0], args[1], args[2], &ts, args[4], args[5]);
	} while (rc < 0 && errno == ETIMEDOUT && w.left > 0);
	return rc;
}

long syscall(long number, ...)
{
	long args[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		args[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_futex && args[3]) {
		int command = (int)args[1] & FUTEX_CMD_MASK;

		if (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET)
			return wait_futex(args, (const struct timespec *)args[3]);
	}
	return REAL(syscall)(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}

#else

typedef int vtm_needs_glibc;	/* ISO C wants something here */

#endif
