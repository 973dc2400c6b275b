/* SPDX-License-Identifier: BSD-2-Clause */
/* sandbox.c - see sandbox.h. */
#include "sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAK_CHECK 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define LEAK_CHECK 1
#endif

int vtm_sandbox_capabilities(bool may_exec, GError **error)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .effective = 0 } };

	if (!geteuid() && may_exec)
		return 0;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (!geteuid()) {
		if (syscall(SYS_capget, &head, data) == 0)
			data[0].permitted &= 1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER;
		data[0].effective = data[0].permitted;
		data[0].inheritable = data[1].permitted = data[1].effective = data[1].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, data) == 0)
		return 0;
	/* the parent may have dropped them, and forbidden the call (SystemCallFilter of systemd) */
	if (errno == EPERM && syscall(SYS_capget, &head, data) == 0 &&
	    !(data[0].permitted | data[1].permitted | data[0].inheritable | data[1].inheritable))
		return 0;
	g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "cannot drop capabilities: %s", g_strerror(errno));
	return -1;
}

/* Calls that the daemon never makes and an attacker would like to. */
static const char *const denied[] = {
	/* other processes */
#ifndef LEAK_CHECK	/* the sanitizer looks for leaks by tracing itself */
	"ptrace",
#endif
	"process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd",
	/* file systems and namespaces */
	"mount", "umount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick", "move_mount",
	"open_tree", "mount_setattr", "unshare", "setns", "mknod", "mknodat", "name_to_handle_at", "open_by_handle_at",
	"quotactl", "quotactl_fd", "swapon", "swapoff",
	/* the kernel */
	"init_module", "finit_module", "delete_module", "create_module", "kexec_load", "kexec_file_load", "reboot", "bpf",
	"perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "iopl", "ioperm",
	"modify_ldt", "syslog", "acct", "uselib", "nfsservctl", "lookup_dcookie", "vhangup", "personality",
	/* keys, clocks, names */
	"keyctl", "add_key", "request_key", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "stime",
	"sethostname", "setdomainname",
};

/* Calls for running programs. */
static const char *const denied_to_exec[] = {
	"execve", "execveat",
	"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "setfsgid", "capset",
};

static int deny(scmp_filter_ctx filter, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);
	int rc = number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);

	/* the library does not know it: a call of another architecture or a newer kernel, which we do not make */
	return rc == -EDOM || rc == -EINVAL ? 0 : rc;
}

/* Forbids new namespaces by clone(2), and clone3(2), whose flags a filter cannot see: glibc then uses clone(2). */
static int deny_namespaces(scmp_filter_ctx filter)
{
	static const int flags[] = {
		CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET
	};
	int rc = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(flags) && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
				      SCMP_A0(SCMP_CMP_MASKED_EQ, (scmp_datum_t)flags[i], (scmp_datum_t)flags[i]));
	return rc ? rc : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

/* Forbids all sockets but AF_UNIX, AF_INET, AF_INET6, and AF_NETLINK, with which getaddrinfo() finds our addresses. */
static int deny_sockets(scmp_filter_ctx filter)
{
	int rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
				  SCMP_A0(SCMP_CMP_GT, AF_NETLINK, 0));

	for (int family = 0; family < AF_NETLINK && rc == 0; family++)
		if (family != AF_UNIX && family != AF_INET && family != AF_INET6)
			rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
					      SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family, 0));
	return rc;
}

int vtm_sandbox_syscalls(bool may_exec, GError **error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rc = filter ? 0 : -ENOMEM;

	for (size_t i = 0; i < G_N_ELEMENTS(denied) && rc == 0; i++)
		rc = deny(filter, denied[i]);
	for (size_t i = 0; !may_exec && i < G_N_ELEMENTS(denied_to_exec) && rc == 0; i++)
		rc = deny(filter, denied_to_exec[i]);
	if (rc == 0)
		rc = deny_namespaces(filter);
	if (rc == 0)
		rc = deny_sockets(filter);
	if (rc == 0)
		rc = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	if (rc == 0)
		return 0;
	g_set_error(error, VTM_ERROR, VTM_ERROR_NOT_BUILT, "this kernel cannot filter system calls, so vtmilter runs "
		    "without that filter: %s", g_strerror(-rc));
	return -1;
}
