/* SPDX-License-Identifier: BSD-2-Clause */
/* decode-confine.c - what a decoder cannot do: anything but read and write its one socket, and compute. */
#include "decode/decode-parts.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define LIFE_S 60	/* a decoder that nobody ends ends itself: more than a message's time in it */

/* No more than <to>; 0, or an errno. */
static int limit(__rlimit_resource_t resource, rlim_t to)
{
	struct rlimit r;

	if (getrlimit(resource, &r))
		return errno;
	r.rlim_cur = r.rlim_max = MIN(r.rlim_max, to);	/* RLIM_INFINITY is the largest number */
	return setrlimit(resource, &r) ? errno : 0;
}

#if !defined(VTM_SANITIZED)
/* Bytes of addresses that the process has. */
static rlim_t size_now(void)
{
	char *statm;
	rlim_t pages;

	if (!g_file_get_contents("/proc/self/statm", &statm, NULL, NULL))
		return 0;
	pages = g_ascii_strtoull(statm, NULL, 10);
	g_free(statm);
	return pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static int limit_sizes(void)
{
	rlim_t now = size_now();
	int rc = now ? limit(RLIMIT_AS, now + VTM_DECODE_MEMORY) : EIO;

	return rc ? rc : limit(RLIMIT_FSIZE, 0);
}
#else
/* A sanitizer's shadow is larger than any limit, and standard error, where it reports, may be a file. */
static int limit_sizes(void)
{
	return 0;
}
#endif

static int limit_all(void)
{
	int rc = limit_sizes();

	rc = rc ? rc : limit(RLIMIT_CPU, VTM_DECODE_CPU_S);
	rc = rc ? rc : limit(RLIMIT_CORE, 0);
	rc = rc ? rc : limit(RLIMIT_MEMLOCK, 0);
	rc = rc ? rc : limit(RLIMIT_MSGQUEUE, 0);
	rc = rc ? rc : limit(RLIMIT_NPROC, 0);
	return rc ? rc : limit(RLIMIT_NOFILE, 0);
}

/* Calls that libraries make while they compute, with any arguments.  All others fail with EPERM. */
static const int allowed[] = {
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(getrandom),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield),
	SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getpid), SCMP_SYS(gettid),
#if defined(VTM_SANITIZED)
	SCMP_SYS(sigaltstack), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(prlimit64),
#endif
};

/* Memory, never to be run. */
static int allow_memory(scmp_filter_ctx f, int call)
{
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

static int allow_on(scmp_filter_ctx f, int call, int fd)
{
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)fd, 0));
}

static int filter(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = f ? 0 : -ENOMEM;

	for (size_t i = 0; i < G_N_ELEMENTS(allowed) && rc == 0; i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
	rc = rc ? rc : allow_memory(f, SCMP_SYS(mmap));
	rc = rc ? rc : allow_memory(f, SCMP_SYS(mprotect));
	rc = rc ? rc : allow_on(f, SCMP_SYS(read), VTM_DECODER_FD);
	rc = rc ? rc : allow_on(f, SCMP_SYS(write), VTM_DECODER_FD);
#if defined(VTM_SANITIZED)
	rc = rc ? rc : allow_on(f, SCMP_SYS(write), STDERR_FILENO);
#endif
	rc = rc ? rc : seccomp_load(f);
	if (f)
		seccomp_release(f);
	return rc;
}

int vtm_decode_confine(void)
{
	int rc;

	alarm(LIFE_S);
	rc = limit_all();
	if (rc)
		return rc;
	/* a kernel that cannot filter leaves the limits, and a process of its own */
	rc = filter();
	return rc == -EINVAL || rc == -ENOSYS || rc == -ECANCELED ? 0 : -rc;
}
