/* SPDX-License-Identifier: BSD-2-Clause */
/* decode-pool.c - decoders as the program sees them: places, a socket to each, deadlines. */
#include "decode/decode-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/share.h"

#define STOP_MS 2000
#define POLL_MS 5
#define LOOK_MS 200	/* between two looks at the work of the message */

struct vtm_decoders {
	const struct vtm_clock *clock;
	int64_t message_ms;
	pid_t keeper;
	int spawner;		/* socket to the spawner of the moment */
	struct vtm_share *quick, *slow;	/* places: of decodes that began just now, and of those that take long */
	GMutex lock;		/* covers idle and counts */
	unsigned idle;		/* decoders that wait for the next part of their message */
	struct vtm_decoders_counts counts;
};

void vtm_decoders_defaults(struct vtm_decoders_settings *s)
{
	memset(s, 0, sizeof(*s));
	s->clock = vtm_clock_system();
	s->max = VTM_DECODERS_MAX;
	s->message_ms = VTM_DECODE_MESSAGE_MS;
}

/* ---- the keeper ---- */

/* What libraries and sanitizers are told; the rest of the environment is none of a decoder's business. */
static char **environment(void)
{
	static const char *const names[] = {
		"LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"
	};
	GPtrArray *env = g_ptr_array_new();

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (g_getenv(names[i]))
			g_ptr_array_add(env, g_strdup_printf("%s=%s", names[i], g_getenv(names[i])));
	g_ptr_array_add(env, g_strdup("TZ=UTC0"));	/* which needs no file */
	g_ptr_array_add(env, NULL);
	return (char **)g_ptr_array_free(env, FALSE);
}

/* 0, or an errno. */
static int spawn(pid_t *pid_r, char *const *argv, int fd)
{
	static char *const own[] = {
		(char *)(uintptr_t)"vtmilter-decoders", (char *)(uintptr_t)VTM_KEEPER_ARGUMENT, NULL
	};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char **env = environment();
	sigset_t blocked, usual;
	int rc;

	/* signals to a whole group or service are not for decoders: they end with the program, which may go on for a
	 * while */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGHUP);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGQUIT);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGUSR1);
	sigfillset(&usual);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, VTM_DECODER_FD);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &blocked);
	posix_spawnattr_setsigdefault(&attributes, &usual);
	rc = posix_spawn(pid_r, argv ? argv[0] : "/proc/self/exe", &actions, &attributes, argv ? argv : own, env);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	g_strfreev(env);
	return rc;
}

struct vtm_decoders *vtm_decoders_start(const struct vtm_decoders_settings *s, GError **error)
{
	struct vtm_decoders *d;
	int ends[2], rc;
	pid_t keeper;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "decoders: cannot make a socket: %s", g_strerror(errno));
		return NULL;
	}
	rc = spawn(&keeper, s->argv, ends[1]);
	close(ends[1]);
	if (rc) {
		close(ends[0]);
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "decoders: cannot run %s: %s (is /proc mounted?)",
			    s->argv ? s->argv[0] : "/proc/self/exe", g_strerror(rc));
		return NULL;
	}
	d = g_new0(struct vtm_decoders, 1);
	d->clock = s->clock;
	d->quick = vtm_share_new(s->clock, s->max);
	d->slow = vtm_share_new(s->clock, s->max);
	d->message_ms = s->message_ms;
	d->keeper = keeper;
	d->spawner = ends[0];
	return d;
}

void vtm_decoders_stop(struct vtm_decoders *d)
{
	if (!d)
		return;
	close(d->spawner);	/* which ends when it reads that */
	for (int ms = 0; waitpid(d->keeper, NULL, WNOHANG) == 0; ms += POLL_MS) {
		if (ms == STOP_MS)
			kill(d->keeper, SIGKILL);
		g_usleep(POLL_MS * 1000);
	}
	g_mutex_clear(&d->lock);
	vtm_share_free(d->quick);
	vtm_share_free(d->slow);
	g_free(d);
}

void vtm_decoders_counts(struct vtm_decoders *d, struct vtm_decoders_counts *out)
{
	g_mutex_lock(&d->lock);
	*out = d->counts;
	g_mutex_unlock(&d->lock);
	out->busy = (unsigned)(vtm_share_used(d->quick) + vtm_share_used(d->slow));
}

/* ---- a decoder ---- */

/* Why a part was not decoded; the same numbers as enum vtm_undecoded, behind none. */
enum fault { NO_FAULT, TOO_SLOW, ENDED, NONSENSE, NONE_FREE, NOT_STARTED, TOO_MANY, TOO_LARGE, NO_MEMORY };
G_STATIC_ASSERT(NO_MEMORY == VTM_UNDECODED_MEMORY + 1 && NONE_FREE == VTM_UNDECODED_BUSY + 1);

static const char *fault_text(enum fault f)
{
	static const char *const texts[] = {
		[NO_FAULT] = "fine", [TOO_SLOW] = "the decoder took too long", [ENDED] = "the decoder ended before its time",
		[NONSENSE] = "the decoder's answer makes no sense", [NONE_FREE] = "no decoder became free in time",
		[NOT_STARTED] = "no decoder could be started", [TOO_MANY] = "this message had its share of decoders",
		[TOO_LARGE] = "it is too large", [NO_MEMORY] = "there is no memory for what was found",
	};
	return texts[f];
}

const char *vtm_undecoded_name(enum vtm_undecoded why)
{
	static const char *const names[VTM_UNDECODED_REASONS] = {
		[VTM_UNDECODED_TIME] = "time", [VTM_UNDECODED_CRASHED] = "crashed", [VTM_UNDECODED_NONSENSE] = "nonsense",
		[VTM_UNDECODED_BUSY] = "busy", [VTM_UNDECODED_NOT_STARTED] = "not-started",
		[VTM_UNDECODED_SHARE] = "share", [VTM_UNDECODED_SIZE] = "size",
		[VTM_UNDECODED_MEMORY] = "memory",
	};
	return names[why];
}

const char *vtm_decoder_name(enum vtm_decoder d)
{
	static const char *const names[VTM_DECODERS] = {
		[VTM_DECODER_ARCHIVE] = "archive", [VTM_DECODER_TNEF] = "tnef", [VTM_DECODER_SMIME] = "smime",
		[VTM_DECODER_PDF] = "pdf",
	};
	return names[d];
}

/* Where the decode of a message stands. */
enum { NO_PLACE, QUICK_PLACE, SLOW_PLACE };

static bool take_place(struct vtm_decoding *d, int64_t deadline_ms)
{
	struct vtm_decoders *pool = d->decoders;

	if (!vtm_share_take(pool->quick, d->net, 1, deadline_ms, d->work))
		return false;
	d->place = QUICK_PLACE;
	d->since_ms = vtm_boot_ms(pool->clock);
	return true;
}

static void leave_place(struct vtm_decoding *d)
{
	if (d->place != NO_PLACE)
		vtm_share_give(d->place == QUICK_PLACE ? d->decoders->quick : d->decoders->slow, d->net, 1);
	d->place = NO_PLACE;
}

/* A decode that takes long makes room for those that do not, if there is a place for such. */
static void make_way(struct vtm_decoding *d)
{
	struct vtm_decoders *pool = d->decoders;

	if (d->place != QUICK_PLACE || vtm_boot_ms(pool->clock) - d->since_ms < VTM_DECODE_QUICK_MS ||
	    !vtm_share_take(pool->slow, d->net, 1, 0, NULL))
		return;
	leave_place(d);
	d->place = SLOW_PLACE;
}

/* May one more decoder wait for the next part of its message? */
static bool begin_idling(struct vtm_decoders *pool)
{
	bool may;

	g_mutex_lock(&pool->lock);
	may = pool->idle < VTM_DECODERS_IDLE_MAX;
	pool->idle += may;
	g_mutex_unlock(&pool->lock);
	return may;
}

static void end_idling(struct vtm_decoding *d)
{
	if (!d->idle)
		return;
	d->idle = false;
	g_mutex_lock(&d->decoders->lock);
	d->decoders->idle--;
	g_mutex_unlock(&d->decoders->lock);
}

/* False: the spawner does not listen. */
static bool tell_spawner(const struct vtm_decoders *d, enum vtm_spawner_word word, int32_t pid, int fd)
{
	struct vtm_spawner_message m = { .word = word, .pid = pid };
	struct iovec io = { &m, sizeof(m) };
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control = { .room = { 0 } };
	struct msghdr message = { .msg_iov = &io, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *c;

		message.msg_control = control.room;
		message.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(d->spawner, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(m);
}

/* The way to a decoder and back, within a deadline. */
struct talk {
	struct vtm_decoding *d;
	int64_t deadline_ms;
	enum fault fault;
};

/* Waits until something can be read or written, whichever. */
static bool wait_ready(struct talk *t, short events)
{
	int64_t left_ms = t->deadline_ms - vtm_boot_ms(t->d->decoders->clock);
	struct pollfd p = { .fd = t->d->fd, .events = events };

	make_way(t->d);
	if (left_ms > 0 && (poll(&p, 1, (int)MIN(left_ms, LOOK_MS)) >= 0 || errno == EINTR) &&
	    vtm_work_look(t->d->work))
		return true;
	t->fault = TOO_SLOW;
	return false;
}

static bool take_bytes(void *arg, void *to, size_t n)
{
	struct talk *t = arg;
	char *p = to;

	while (n) {
		ssize_t got = recv(t->d->fd, p, n, MSG_DONTWAIT);

		if (got > 0) {
			p += got;
			n -= (size_t)got;
		} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
			t->fault = ENDED;
			return false;
		} else if (!wait_ready(t, POLLIN)) {
			return false;
		}
	}
	return true;
}

static bool put_bytes(void *arg, const void *from, size_t n)
{
	struct talk *t = arg;
	const char *p = from;

	while (n) {
		ssize_t sent = send(t->d->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent > 0) {
			p += sent;
			n -= (size_t)sent;
		} else if (errno != EAGAIN && errno != EINTR) {
			t->fault = ENDED;
			return false;
		} else if (!wait_ready(t, POLLOUT)) {
			return false;
		}
	}
	return true;
}

/* Its fd is d->fd from then on. */
static enum fault start_decoder(struct vtm_decoding *d, int64_t deadline_ms)
{
	struct vtm_decoders *pool = d->decoders;
	struct talk t = { .d = d, .deadline_ms = deadline_ms };
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return NOT_STARTED;
	d->fd = ends[0];
	d->pid = 0;
	g_mutex_lock(&pool->lock);
	pool->counts.started++;
	g_mutex_unlock(&pool->lock);
	if (!tell_spawner(pool, VTM_SPAWN, 0, ends[1]))
		t.fault = NOT_STARTED;
	close(ends[1]);
	if (t.fault == NO_FAULT && !vtm_wire_read_hello(take_bytes, &t, &d->pid))
		t.fault = t.fault == TOO_SLOW ? TOO_SLOW : NOT_STARTED;
	return t.fault;
}

/* It ends by itself when it reads the end of its socket; one that may not read any more is killed. */
static void end_decoder(struct vtm_decoding *d, bool by_force)
{
	if (d->fd < 0)
		return;
	if (by_force && d->pid > 1)
		tell_spawner(d->decoders, VTM_KILL, d->pid, -1);
	close(d->fd);
	d->fd = -1;
	end_idling(d);
}

static enum fault talk_to(struct vtm_decoding *d, const struct vtm_request *q, const void *data, int64_t deadline_ms,
			  struct vtm_reply *r)
{
	struct talk t = { .d = d, .deadline_ms = deadline_ms };

	end_idling(d);
	if (d->fd < 0)
		t.fault = start_decoder(d, deadline_ms);
	if (t.fault != NO_FAULT)
		return t.fault;
	if (!put_bytes(&t, q, sizeof(*q)) || !put_bytes(&t, data, q->len))
		return t.fault;
	if (!vtm_wire_read_reply(q, take_bytes, &t, r) && t.fault == NO_FAULT)
		return r->no_memory ? NO_MEMORY : NONSENSE;
	return t.fault;
}

/* Decodes in a place of its own, which others have while the message is read. */
static enum fault ask(struct vtm_decoding *d, const struct vtm_request *q, const void *data, int64_t deadline_ms,
		      struct vtm_reply *r)
{
	enum fault fault;

	if (!vtm_wire_good_request(q))
		return TOO_LARGE;
	if (d->failures >= VTM_DECODE_FAILURES_MAX)
		return TOO_MANY;
	if (!take_place(d, deadline_ms))
		return NONE_FREE;
	fault = talk_to(d, q, data, deadline_ms, r);
	if (fault == NO_FAULT)
		d->idle = begin_idling(d->decoders);
	if (!d->idle)
		end_decoder(d, fault != NO_FAULT);
	leave_place(d);
	return fault;
}

static const char *part_text(uint32_t decoder)
{
	static const char *const names[VTM_DECODERS] = {
		[VTM_DECODER_ARCHIVE] = "an archive", [VTM_DECODER_TNEF] = "TNEF", [VTM_DECODER_SMIME] = "S/MIME",
		[VTM_DECODER_PDF] = "PDF",
	};
	return names[decoder];
}

static void note_fault(struct vtm_decoding *d, const struct vtm_request *q, enum fault fault)
{
	d->failures++;
	g_mutex_lock(&d->decoders->lock);
	d->decoders->counts.undecoded[fault - 1]++;
	g_mutex_unlock(&d->decoders->lock);
	vtm_log_limited(VTM_LOG_WARNING, fault_text(fault), "%s of %" G_GUINT64_FORMAT " bytes was not looked into: %s",
			part_text(q->decoder), (guint64)q->len, fault_text(fault));
}

bool vtm_decoders_ask(struct vtm_decoding *d, struct vtm_request *q, const void *data, struct vtm_reply *r)
{
	int64_t began_ms = vtm_boot_ms(d->decoders->clock);
	enum fault fault;

	q->magic = VTM_WIRE_REQUEST;
	memset(r, 0, sizeof(*r));
	fault = ask(d, q, data, began_ms + d->left_ms, r);
	if (!r->found) {	/* it did not come to a reply */
		r->found = g_ptr_array_new_with_free_func(vtm_found_free);
		r->members = q->members;
		r->bytes = q->bytes;
	}
	d->left_ms -= vtm_boot_ms(d->decoders->clock) - began_ms;
	if (fault == NO_FAULT) {
		g_mutex_lock(&d->decoders->lock);
		d->decoders->counts.decoded[q->decoder]++;
		g_mutex_unlock(&d->decoders->lock);
		return true;
	}
	note_fault(d, q, fault);
	return false;
}

void vtm_decode_begin(struct vtm_decoding *d, struct vtm_decoders *decoders)
{
	*d = (struct vtm_decoding){ .decoders = decoders, .fd = -1, .left_ms = decoders ? decoders->message_ms : 0 };
}

void vtm_decode_for(struct vtm_decoding *d, const char *net, struct vtm_work *work)
{
	d->net = net;
	d->work = work;
	if (work && work->clock)
		vtm_decode_within(d, work->deadline_ms - vtm_boot_ms(work->clock));
}

void vtm_decode_within(struct vtm_decoding *d, int64_t ms)
{
	d->left_ms = MIN(d->left_ms, ms);
}

void vtm_decode_end(struct vtm_decoding *d)
{
	end_decoder(d, false);
}
