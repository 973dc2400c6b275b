/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sandbox.c - what the daemon gave away is gone, what it needs is not; each in a child of its own. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox.h"
#include "tap.h"

/* What is tried: 0, or an errno. */
typedef int attempt(void);

static int result(long rc)
{
	return rc < 0 ? errno : 0;
}

static int try_unshare(void) { return result(unshare(CLONE_NEWUSER)); }
static int try_mount(void) { return result(mount("none", "/nowhere", "tmpfs", 0, NULL)); }
static int try_chroot(void) { return result(chroot("/")); }
static int try_bpf(void) { return result(syscall(SYS_bpf, 0, NULL, 0)); }
static int try_keyctl(void) { return result(syscall(SYS_keyctl, 0, -3, 0)); }
static int try_perf(void) { return result(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0)); }
static int try_setuid(void) { return result(setuid(getuid())); }
static int try_mknod(void) { return result(mknod("/nowhere/x", 0600 | S_IFIFO, 0)); }
static int try_uring(void) { return result(syscall(SYS_io_uring_setup, 1, NULL)); }
static int try_packet(void) { return result(socket(AF_PACKET, SOCK_RAW, 0)); }
static int try_vsock(void) { return result(socket(AF_VSOCK, SOCK_STREAM, 0)); }
static int try_clone3(void) { return result(syscall(SYS_clone3, NULL, 0)); }
static int try_clone_newuser(void) { return result(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL)); }

static int try_exec(void)
{
	char *const argv[] = { (char *)(uintptr_t)"true", NULL };

	return result(execv("/bin/true", argv));
}

static int try_unix(void) { return result(socket(AF_UNIX, SOCK_STREAM, 0)); }
static int try_inet6(void) { return result(socket(AF_INET, SOCK_DGRAM, 0)) | result(socket(AF_INET6, SOCK_STREAM, 0)); }
static int try_open(void) { return result(open("/dev/null", O_RDWR | O_CLOEXEC)); }

static int try_fork(void)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(0);
	return child < 0 || waitpid(child, &status, 0) != child ? errno : status;
}

static void *thread(void *arg)
{
	*(int *)arg = 0;
	return NULL;
}

static int try_thread(void)
{
	pthread_t t;
	int value = 1, rc = pthread_create(&t, NULL, thread, &value);

	if (!rc)
		pthread_join(t, NULL);
	return rc ? rc : value;
}

static int try_lookup(void)
{
	struct addrinfo *found = NULL;
	int rc = getaddrinfo("localhost", "80", NULL, &found);

	if (found)
		freeaddrinfo(found);
	return rc ? 1 : 0;
}

static int try_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	unsigned may = geteuid() ? 0 : 1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER;

	if (syscall(SYS_capget, &head, data))
		return errno;
	return (data[0].permitted | data[0].effective | data[0].inheritable) & ~may ||
	       data[1].permitted | data[1].effective | data[1].inheritable;
}

static int try_new_privileges(void) { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1; }
static int try_filtered(void) { return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 2; }

#define NO_SANDBOX 255

static int in_sandbox(attempt *what, bool may_exec)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		if (vtm_sandbox_capabilities(may_exec, NULL) || vtm_sandbox_syscalls(may_exec, NULL))
			_exit(NO_SANDBOX);
		_exit(what());
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Where whoever started us took away capabilities and the call that gives them up, nothing is left to do. */
static int without_capset(bool empty)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
		const struct __user_cap_data_struct none[2] = { { .effective = 0 } };

		if (empty && syscall(SYS_capset, &head, none))
			_exit(NO_SANDBOX);
		if (vtm_sandbox_syscalls(false, NULL))	/* no capset from here on */
			_exit(NO_SANDBOX);
		_exit(vtm_sandbox_capabilities(false, NULL) ? 1 : 0);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
	static const struct { const char *name; attempt *what; int want; } cases[] = {
		{ "no user namespace", try_unshare, EPERM },
		{ "nor by clone", try_clone_newuser, EPERM },
		{ "clone3 is not there", try_clone3, ENOSYS },
		{ "no mount", try_mount, EPERM },
		{ "no chroot", try_chroot, EPERM },
		{ "no bpf", try_bpf, EPERM },
		{ "no keyring", try_keyctl, EPERM },
		{ "no perf", try_perf, EPERM },
		{ "no io_uring", try_uring, EPERM },
		{ "no device or FIFO", try_mknod, EPERM },
		{ "no change of user", try_setuid, EPERM },
		{ "no packet socket", try_packet, EAFNOSUPPORT },
		{ "no vsock", try_vsock, EAFNOSUPPORT },
		{ "no exec", try_exec, EPERM },
		{ "a unix socket", try_unix, 0 },
		{ "inet sockets", try_inet6, 0 },
		{ "a file", try_open, 0 },
		{ "a process", try_fork, 0 },
		{ "a thread", try_thread, 0 },
		{ "a name is looked up", try_lookup, 0 },
		{ "no capability", try_capabilities, 0 },
		{ "no new privileges", try_new_privileges, 0 },
		{ "filtered", try_filtered, 0 },
	};

	if (in_sandbox(try_filtered, false) == NO_SANDBOX)
		skip_all("this kernel cannot filter system calls");
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		is_int(in_sandbox(cases[i].what, false), cases[i].want, "%s", cases[i].name);
	is_int(in_sandbox(try_exec, true), 0, "exec, when there is a command to run");
	is_int(in_sandbox(try_setuid, true), 0, "which may become another user if it can");
	is_int(in_sandbox(try_unshare, true), EPERM, "and nothing else");
	is_int(without_capset(true), 0, "no capability and no call to give it up is fine");
	if (geteuid())
		skip("only root has any", "capabilities that cannot be given up");
	else
		is_int(without_capset(false), 1, "capabilities that cannot be given up are not");
	return done_testing();
}
