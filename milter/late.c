/* SPDX-License-Identifier: BSD-2-Clause */
/* late.c - runs LateVerdictCommand. */
#include "late.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "base/json.h"
#include "base/log.h"

#define WORDS_MAX 300	/* bytes of a command's standard error for the log */
#define VARIABLE_MAX 32768	/* bytes of a variable; if several are larger, execve() fails */
#define LOOK_MS 20	/* between checks whether it has ended */
#define STOP_MS 2000	/* time for a running command when the daemon stops; it is run again after the next start */

struct vtm_late_runner {
	GThreadPool *pool;
	gint stopping;		/* atomic */
	gint jobs;		/* atomic: pushed and not ended */
};

struct job {
	struct vtm_resolver *resolver;
	int64_t id;
	char *json;
};

static void add_variable(GPtrArray *env, const char *name, const char *json, const char *member)
{
	char *value = vtm_json_get_text(json, member);

	if (value && strlen(value) <= VARIABLE_MAX)
		g_ptr_array_add(env, g_strdup_printf("%s=%s", name, value));
	g_free(value);
}

static GPtrArray *environment(const char *json)
{
	GPtrArray *env = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(env, g_strdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
	add_variable(env, "VTM_QUEUE_ID", json, "queue_id");
	add_variable(env, "VTM_MESSAGE_ID", json, "message_id");
	add_variable(env, "VTM_SENDER", json, "sender");
	add_variable(env, "VTM_TAGS", json, "tags");
	g_ptr_array_add(env, NULL);
	return env;
}

/* Starts <argv> with <in> as standard input and <err> as standard error: 0, or an errno. */
static int spawn(pid_t *pid_r, char **argv, char **env, int in, int err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, usual;
	int rc;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGHUP);
	sigaddset(&usual, SIGTERM);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, err, 2);
	posix_spawnattr_init(&attributes);
	/* a group of its own: what it starts is killed with it */
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &usual);
	posix_spawnattr_setpgroup(&attributes, 0);
	rc = posix_spawn(pid_r, argv[0], &actions, &attributes, argv, env);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* A running command. */
struct running {
	const char *name, *who;	/* the command, the message */
	pid_t pid;
	int in, err;		/* our ends of its standard input and error, nonblocking; -1: closed */
	const char *text;	/* the rest of its standard input */
	size_t left;
	GString *words;		/* the beginning of its standard error */
};

static bool for_good(ssize_t n)
{
	return n < 0 && errno != EAGAIN && errno != EINTR;
}

/* Writes what the pipe takes.  A command that does not read is not an error. */
static void feed(struct running *r)
{
	ssize_t n = r->in >= 0 ? write(r->in, r->text, r->left) : 0;

	if (n > 0) {
		r->text += n;
		r->left -= (size_t)n;
	}
	if (!r->left || for_good(n))
		close_fd(&r->in);
}

/* Reads some of its standard error, so that the command never waits for us; keeps the beginning. */
static void hear(struct running *r)
{
	char buf[4096];
	ssize_t n = r->err >= 0 ? read(r->err, buf, sizeof(buf)) : 0;

	if (n > 0)
		g_string_append_len(r->words, buf, MIN(n, (ssize_t)(WORDS_MAX - r->words->len)));
	else if (n == 0 || for_good(n))
		close_fd(&r->err);
}

static void talk(struct running *r)
{
	struct pollfd p[] = { { .fd = r->in, .events = POLLOUT }, { .fd = r->err, .events = POLLIN } };

	poll(p, G_N_ELEMENTS(p), LOOK_MS);
	feed(r);
	hear(r);
}

/* ": " and the first line of its standard error, or "".  New string. */
static char *first_line(const GString *words)
{
	gsize n = strcspn(words->str, "\r\n");
	char *safe = n ? vtm_log_escape(words->str, (gssize)n, WORDS_MAX) : NULL;
	char *text = safe ? g_strconcat(": ", safe, NULL) : g_strdup("");

	g_free(safe);
	return text;
}

static enum vtm_late_end judge(const struct running *r, int status)
{
	char *said;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return VTM_LATE_DONE;
	said = first_line(r->words);
	vtm_log_limited(VTM_LOG_WARNING, "late-status", "%s: LateVerdictCommand %s ended with %s %d%s", r->who, r->name,
			WIFEXITED(status) ? "status" : "signal",
			WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), said);
	g_free(said);
	return WIFEXITED(status) && WEXITSTATUS(status) == EX_DATAERR ? VTM_LATE_NEVER : VTM_LATE_AGAIN;
}

/* Serves its pipes until it ends; kills it at <end_ms>. */
static enum vtm_late_end attend(struct vtm_late_runner *l, struct running *r, int64_t end_ms)
{
	bool stopping = false;
	int status;

	while (waitpid(r->pid, &status, WNOHANG) == 0) {
		if (!stopping && g_atomic_int_get(&l->stopping)) {
			stopping = true;
			end_ms = MIN(end_ms, vtm_boot_ms(vtm_clock_system()) + STOP_MS);
		}
		if (vtm_boot_ms(vtm_clock_system()) >= end_ms) {
			kill(-r->pid, SIGKILL);
			waitpid(r->pid, &status, 0);
			vtm_log_limited(VTM_LOG_WARNING, "late-time", "%s: LateVerdictCommand %s was killed: %s",
					r->who, r->name,
					stopping ? "the daemon stops" : "it ran longer than LateVerdictTimeout");
			return VTM_LATE_AGAIN;
		}
		talk(r);
	}
	hear(r);
	return judge(r, status);
}

/* Makes pipes whose ends on our side do not block: 0, or an errno. */
static int open_pipes(int in[2], int err[2])
{
	if (pipe2(in, O_CLOEXEC) || pipe2(err, O_CLOEXEC) || fcntl(in[1], F_SETFL, O_NONBLOCK) ||
	    fcntl(err[0], F_SETFL, O_NONBLOCK))
		return errno;
	return 0;
}

static enum vtm_late_end run_command(struct vtm_late_runner *l, char **argv, const char *json, int64_t timeout_ms)
{
	int64_t end = vtm_boot_ms(vtm_clock_system()) + timeout_ms;
	char *line = g_strconcat(json, "\n", NULL), *id = vtm_json_get_text(json, "queue_id");
	struct running r = { .name = argv[0], .who = id ? id : "NOQUEUE", .text = line, .left = strlen(line) };
	int in[2] = { -1, -1 }, err[2] = { -1, -1 }, rc = open_pipes(in, err);
	enum vtm_late_end ended = VTM_LATE_AGAIN;
	GPtrArray *env = environment(json);

	if (rc == 0)
		rc = spawn(&r.pid, argv, (char **)env->pdata, in[0], err[1]);
	close_fd(&in[0]);
	close_fd(&err[1]);
	r.in = in[1];
	r.err = err[0];
	r.words = g_string_new(NULL);
	if (rc == 0)
		ended = attend(l, &r, end);
	else
		vtm_log_limited(VTM_LOG_ERROR, "late-spawn", "%s: LateVerdictCommand %s: %s", r.who, argv[0],
				g_strerror(rc));
	close_fd(&r.in);
	close_fd(&r.err);
	g_string_free(r.words, TRUE);
	g_ptr_array_free(env, TRUE);
	g_free(id);
	g_free(line);
	return ended;
}

static void work(gpointer data, gpointer user_data)
{
	struct vtm_late_runner *l = user_data;
	struct vtm_conf *c = vtm_conf_current();
	struct job *job = data;
	/* a reload may have unset the command: the verdict then waits until it is set again */
	enum vtm_late_end end = VTM_LATE_AGAIN;

	if (c->late_verdict_command && !g_atomic_int_get(&l->stopping))
		end = run_command(l, c->late_verdict_command, job->json, c->late_verdict_timeout_ms);
	vtm_resolver_late_result(job->resolver, job->id, end);
	vtm_conf_unref(c);
	g_free(job->json);
	g_free(job);
	g_atomic_int_add(&l->jobs, -1);
}

struct vtm_late_runner *vtm_late_new(void)
{
	return g_new0(struct vtm_late_runner, 1);
}

/* Once, under g_once_init_enter(). */
static void start_pool(struct vtm_late_runner *l)
{
	GThreadPool *pool = g_thread_pool_new(work, l, VTM_LATE_AT_ONCE, FALSE, NULL);

	g_once_init_leave(&l->pool, pool);
}

/* GLib 2.84 starts a thread as soon as there is a pool.  It must not start before privileges are dropped: it would keep
 * them.  Any thread. */
static GThreadPool *pool_of(struct vtm_late_runner *l)
{
	if (g_once_init_enter(&l->pool))
		start_pool(l);
	return l->pool;
}

void vtm_late_stop(struct vtm_late_runner *l)
{
	if (!l)
		return;
	g_atomic_int_set(&l->stopping, 1);
	while (g_atomic_int_get(&l->jobs))
		g_usleep(10000);
}

void vtm_late_free(struct vtm_late_runner *l)
{
	if (!l)
		return;
	if (l->pool)
		g_thread_pool_free(l->pool, TRUE, TRUE);
	g_free(l);
}

void vtm_late_run(void *arg, struct vtm_resolver *resolver, int64_t id, char *json)
{
	struct vtm_late_runner *l = arg;
	struct job *job;

	/* counted before <stopping> is read: vtm_late_stop() either sees the job or keeps it from starting */
	g_atomic_int_add(&l->jobs, 1);
	if (g_atomic_int_get(&l->stopping)) {
		g_free(json);	/* the store keeps it for the next start */
		g_atomic_int_add(&l->jobs, -1);
		return;
	}
	job = g_new(struct job, 1);
	job->resolver = resolver;
	job->id = id;
	job->json = json;
	g_thread_pool_push(pool_of(l), job, NULL);
}
