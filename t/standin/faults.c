/* SPDX-License-Identifier: BSD-2-Clause */
/* faults.c - lets the system fail for a program that knows nothing of it.
 *
 *	LD_PRELOAD=t/standin/libfaults.so VTM_FAULTS=FILE PROGRAM
 *
 * FILE holds 32-bit numbers in native order, as of struct faults below; 0 is no fault.  It is mapped: changing it in
 * place makes faults come and go.  A file belongs to the store if its path has ".db" in it, and to the spool if it has
 * "/spool".  Names in .test are addresses of loopback.  glibc, 64 bits (with another
 * C library it is built, and does nothing); not for programs built with a sanitizer.
 */
#include <features.h>
#ifdef __GLIBC__

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

struct faults {
	int32_t store_errno;	/* of writes to the store, and of opening it for writing */
	int32_t spool_errno;	/* the same for the spool */
	int32_t fsync_ms;	/* how long fsync() takes */
	int32_t thread_errno;	/* of pthread_create() */
	int32_t fork_errno;	/* of fork() and posix_spawn() */
	int32_t alloc_bytes;	/* allocations so large or larger fail */
	int32_t dns;		/* an EAI_ number of getaddrinfo(), for names in .test */
	int32_t alloc_nth;	/* only this one of the allocations fails, counted since it was set; 0: all */
};

static const volatile struct faults none, *now = &none;

#define REAL(name) ((__typeof__(&name))real(#name, &real_##name))
#define REAL_OF(name) static void *real_##name

static void *real(const char *name, void **place)
{
	void *p = __atomic_load_n(place, __ATOMIC_RELAXED);

	if (!p && !(p = dlsym(RTLD_NEXT, name)))
		abort();
	__atomic_store_n(place, p, __ATOMIC_RELAXED);
	return p;
}

REAL_OF(calloc);
REAL_OF(fallocate);
REAL_OF(fdatasync);
REAL_OF(fork);
REAL_OF(fsync);
REAL_OF(ftruncate);
REAL_OF(getaddrinfo);
REAL_OF(malloc);
REAL_OF(open);
REAL_OF(posix_spawn);
REAL_OF(pthread_create);
REAL_OF(pwrite);
REAL_OF(realloc);
REAL_OF(write);

__attribute__((constructor)) static void start(void)
{
	const char *file = getenv("VTM_FAULTS");
	int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	void *map;

	if (fd < 0)
		return;
	map = mmap(NULL, sizeof(*now), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		now = map;
}

/* ---- files ---- */

static int errno_of_path(const char *path)
{
	if (now->store_errno && strstr(path, ".db"))
		return now->store_errno;
	return now->spool_errno && strstr(path, "/spool") ? now->spool_errno : 0;
}

/* 0, or an errno, which is set. */
static int fault_of(int fd)
{
	char link[32], path[4096];
	ssize_t n;
	int saved = errno, e;

	if (!now->store_errno && !now->spool_errno)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	e = errno_of_path(path);
	errno = e ? e : saved;
	return e;
}

ssize_t write(int fd, const void *data, size_t len)
{
	return fault_of(fd) ? -1 : REAL(write)(fd, data, len);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	return fault_of(fd) ? -1 : REAL(pwrite)(fd, data, len, at);
}

int ftruncate(int fd, off_t len)
{
	return fault_of(fd) ? -1 : REAL(ftruncate)(fd, len);
}

int fallocate(int fd, int mode, off_t at, off_t len)
{
	return fault_of(fd) ? -1 : REAL(fallocate)(fd, mode, at, len);
}

int posix_fallocate(int fd, off_t at, off_t len)
{
	int e = fault_of(fd);

	return e ? e : REAL(fallocate)(fd, 0, at, len) ? errno : 0;
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	if (((flags & O_ACCMODE) != O_RDONLY || flags & O_CREAT) && (errno = errno_of_path(path)))
		return -1;
	return REAL(open)(path, flags, mode);
}

/* What they are called with 64-bit offsets. */
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
ssize_t pwrite64(int fd, const void *data, size_t len, off_t at) __attribute__((alias("pwrite")));
int ftruncate64(int fd, off_t len) __attribute__((alias("ftruncate")));
int fallocate64(int fd, int mode, off_t at, off_t len) __attribute__((alias("fallocate")));
int posix_fallocate64(int fd, off_t at, off_t len) __attribute__((alias("posix_fallocate")));

static void take_long(void)
{
	const int32_t ms = now->fsync_ms;
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	if (ms)
		nanosleep(&ts, NULL);
}

int fsync(int fd)
{
	take_long();
	return fault_of(fd) ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
	take_long();
	return fault_of(fd) ? -1 : REAL(fdatasync)(fd);
}

/* ---- threads, processes, memory, names ---- */

int pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*f)(void *), void *arg)
{
	return now->thread_errno ? now->thread_errno : REAL(pthread_create)(t, attr, f, arg);
}

pid_t fork(void)
{
	if (!now->fork_errno)
		return REAL(fork)();
	errno = now->fork_errno;
	return -1;
}

int posix_spawn(pid_t *pid_r, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
		char *const argv[], char *const env[])
{
	return now->fork_errno ? now->fork_errno : REAL(posix_spawn)(pid_r, path, actions, attributes, argv, env);
}

static bool too_large(size_t n)
{
	static int32_t count, counted_for;
	int32_t nth = now->alloc_nth;

	if (!now->alloc_bytes || n < (size_t)now->alloc_bytes)
		return false;
	if (__atomic_exchange_n(&counted_for, nth, __ATOMIC_RELAXED) != nth)
		__atomic_store_n(&count, 0, __ATOMIC_RELAXED);
	if (nth && __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED) != nth)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t n)
{
	return too_large(n) ? NULL : REAL(malloc)(n);
}

void *calloc(size_t n, size_t size)
{
	size_t all;

	return __builtin_mul_overflow(n, size, &all) || too_large(all) ? NULL : REAL(calloc)(n, size);
}

void *realloc(void *p, size_t n)
{
	return too_large(n) ? NULL : REAL(realloc)(p, n);
}

/* Names in .test are this machine's; no name is looked up elsewhere while there is a fault. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list_r)
{
	const char *end = name ? strrchr(name, '.') : NULL;

	if (!end || strcmp(end, ".test"))
		return REAL(getaddrinfo)(name, service, hints, list_r);
	return now->dns ? now->dns : REAL(getaddrinfo)("127.0.0.1", service, hints, list_r);
}

#else

typedef int vtm_needs_glibc;	/* ISO C wants something here */

#endif
