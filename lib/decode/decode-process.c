/* SPDX-License-Identifier: BSD-2-Clause */
/* decode-process.c - the processes themselves: keeper, spawner, decoder.
 *
 * All have one thread.  Only a decoder reads what a message holds, and only after vtm_decode_confine().
 */
#include "decode/decode-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define PAUSE_MIN_MS 100	/* before a spawner that died is started again; doubled each time ... */
#define PAUSE_MAX_MS 10000	/* ... up to this */
#define WELL_MS 60000		/* a spawner that lived so long was well */
#define CHILDREN_MAX 64		/* of a spawner: more than a program asks for, which ends some as it starts others */
#define BUFFER 65536

/* ---- a decoder ---- */

struct output {
	size_t len;
	char bytes[BUFFER];
};

static bool write_all(const char *p, size_t n)
{
	while (n) {
		ssize_t sent = write(VTM_DECODER_FD, p, n);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

static bool flush(struct output *o)
{
	bool fine = write_all(o->bytes, o->len);

	o->len = 0;
	return fine;
}

static bool put(void *arg, const void *from, size_t n)
{
	struct output *o = arg;

	if (o->len + n > BUFFER && !flush(o))
		return false;
	if (n > BUFFER)
		return write_all(from, n);
	memcpy(o->bytes + o->len, from, n);
	o->len += n;
	return true;
}

/* False: the other end is gone. */
static bool read_all(void *to, size_t n)
{
	char *p = to;

	while (n) {
		ssize_t got = read(VTM_DECODER_FD, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

/* Answers requests until the message is done. */
static int decode(void)
{
	static struct output out;	/* larger than a stack frame should be */
	struct vtm_request q;
	bool going;

	if (!vtm_wire_write_hello((int32_t)getpid(), put, &out) || !flush(&out) || vtm_decode_confine())
		return EX_OSERR;
	do {
		char *data = NULL;

		going = read_all(&q, sizeof(q)) && vtm_wire_good_request(&q) && (data = g_try_malloc(q.len + 1)) &&
			read_all(data, q.len) && vtm_decode_answer(&q, data, put, &out) && flush(&out);
		g_free(data);
	} while (going);
	return EX_OK;
}

/* ---- a spawner ---- */

struct spawner {
	pid_t children[CHILDREN_MAX];	/* 0: no child */
	sigset_t waiting;		/* the signals blocked while it waits */
};

static void be_called(const char *name)
{
	prctl(PR_SET_NAME, name, 0, 0, 0);
}

/* Ends with its parent; false: that has ended already. */
static bool end_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return getppid() == parent;
}

/* In the child: <fd> takes the place of the way to the program. */
static int become_decoder(int fd, pid_t parent)
{
	be_called("vtm-decoder");
	if (dup2(fd, VTM_DECODER_FD) < 0 || close(fd) || !end_with(parent))
		return EX_OSERR;
	return decode();
}

static void spawn(struct spawner *s, int fd)
{
	pid_t self = getpid();

	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (s->children[i])
			continue;
		s->children[i] = fork();
		if (s->children[i] == 0)
			_exit(become_decoder(fd, self));
		if (s->children[i] < 0)
			s->children[i] = 0;
		return;	/* the program sees the end of its socket where there is no child */
	}
}

/* Reaps ended decoders.  An unreaped child's PID cannot be reused. */
static void reap(struct spawner *s)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (size_t i = 0; i < CHILDREN_MAX; i++)
			if (s->children[i] == pid)
				s->children[i] = 0;
}

static void end_child(const struct spawner *s, int32_t pid)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (s->children[i] && s->children[i] == pid)
			kill(pid, SIGKILL);
}

/* The descriptor that came with a message, or -1. */
static int descriptor_in(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* Takes one message; false: the program is gone. */
static bool listen_once(struct spawner *s)
{
	struct vtm_spawner_message m;
	struct iovec io = { &m, sizeof(m) };
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control;
	struct msghdr message = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control.room),
	};
	ssize_t n = recvmsg(VTM_DECODER_FD, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fd;

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	fd = descriptor_in(&message);
	reap(s);
	if (n == (ssize_t)sizeof(m) && m.word == VTM_SPAWN && fd >= 0)
		spawn(s, fd);
	else if (n == (ssize_t)sizeof(m) && m.word == VTM_KILL)
		end_child(s, m.pid);
	if (fd >= 0)
		close(fd);
	return true;
}

static void on_child(int sig)
{
	(void)sig;
}

static int serve(pid_t keeper)
{
	const struct sigaction child = { .sa_handler = on_child, .sa_flags = SA_NOCLDSTOP };
	struct spawner s = { .children = { 0 } };
	sigset_t chld;
	bool going;

	be_called("vtm-spawner");
	if (!end_with(keeper))
		return EX_OK;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &s.waiting);
	sigaction(SIGCHLD, &child, NULL);
	do {
		struct pollfd p = { .fd = VTM_DECODER_FD, .events = POLLIN };

		going = ppoll(&p, 1, NULL, &s.waiting) < 0 ? errno == EINTR : listen_once(&s);
		reap(&s);
	} while (going);
	return EX_OK;
}

/* ---- the keeper ---- */

bool vtm_decoder_asked(int argc, char **argv)
{
	return argc == 2 && !strcmp(argv[1], VTM_KEEPER_ARGUMENT);
}

/* Nothing is left of what the program has but the way to it. */
static void clear_descriptors(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd < VTM_DECODER_FD; fd++)
#if defined(VTM_SANITIZED)
		if (fd != STDERR_FILENO)	/* where a sanitizer reports */
#endif
			dup2(null, fd);
#if defined(SYS_close_range)
	syscall(SYS_close_range, VTM_DECODER_FD + 1, ~0u, 0);
#else
	if (null > VTM_DECODER_FD)
		close(null);
#endif
}

static void drop_privileges(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { { .effective = 0 } };

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	syscall(SYS_capset, &head, none);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
}

int vtm_decoder_run(void)
{
	const struct vtm_clock *clock = vtm_clock_system();
	int64_t wait_ms = PAUSE_MIN_MS;
	pid_t self = getpid();
	int type = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(VTM_DECODER_FD, SOL_SOCKET, SO_TYPE, &type, &len) || type != SOCK_SEQPACKET)
		return EX_USAGE;	/* people have no use for this */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	be_called("vtm-keeper");
	clear_descriptors();
	drop_privileges();
	vtm_decode_warm_up();
	for (;;) {
		int64_t began_ms = vtm_boot_ms(clock);
		pid_t spawner = fork();
		int status = 0;

		if (spawner == 0)
			_exit(serve(self));
		while (spawner > 0 && waitpid(spawner, &status, 0) < 0 && errno == EINTR)
			;
		if (spawner > 0 && WIFEXITED(status))
			return EX_OK;	/* the program is gone */
		if (vtm_boot_ms(clock) - began_ms > WELL_MS)
			wait_ms = PAUSE_MIN_MS;
		g_usleep((gulong)wait_ms * 1000);
		wait_ms = MIN(2 * wait_ms, PAUSE_MAX_MS);
	}
}
