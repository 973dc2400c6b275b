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
#include <unistd.h>

#include "clock.h"
#include "conf.h"
#include "json.h"
#include "log.h"

#define WORDS_MAX 300	/* of what a command says on standard error, for the log */
#define STOP_MS 2000	/* what runs when the daemon stops gets so long; it is run again after the next start */

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

	if (value)
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

/* Writes what the pipe takes until <end_ms>; a command that does not read is no error of ours. */
static void feed(int fd, const char *text, int64_t end_ms)
{
	size_t left = strlen(text);

	while (left) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		int64_t wait = end_ms - vtm_boot_ms(vtm_clock_system());
		ssize_t n;

		if (wait <= 0 || poll(&p, 1, (int)MIN(wait, 1000)) < 0)
			return;
		n = write(fd, text, left);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return;
		if (n > 0) {
			text += n;
			left -= (size_t)n;
		}
	}
}

/* Reads what is there without waiting, so that the command never waits for us; keeps the beginning. */
static void take_words(int fd, GString *words)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		g_string_append_len(words, buf, MIN(n, (ssize_t)(WORDS_MAX - words->len)));
}

/* ": " and the first line of what it said, or nothing.  New string. */
static char *first_line(const GString *words)
{
	gsize n = strcspn(words->str, "\r\n");
	char *safe = n ? vtm_log_escape(words->str, (gssize)n, WORDS_MAX) : NULL;
	char *text = safe ? g_strconcat(": ", safe, NULL) : g_strdup("");

	g_free(safe);
	return text;
}

static void log_end(const char *name, int status, const GString *words)
{
	char *said = first_line(words);

	vtm_log_limited(VTM_LOG_WARNING, "late-status", "LateVerdictCommand %s ended with %s %d%s", name,
			WIFEXITED(status) ? "status" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
			said);
	g_free(said);
}

/* <fd>: its standard error. */
static bool ended_well(struct vtm_late_runner *l, pid_t pid, const char *name, int fd, int64_t end_ms)
{
	GString *words = g_string_new(NULL);
	bool stopping = false, fine;
	int status;
	pid_t rc;

	while ((rc = waitpid(pid, &status, WNOHANG)) == 0) {
		if (!stopping && g_atomic_int_get(&l->stopping)) {
			stopping = true;
			end_ms = MIN(end_ms, vtm_boot_ms(vtm_clock_system()) + STOP_MS);
		}
		if (vtm_boot_ms(vtm_clock_system()) >= end_ms) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			vtm_log_limited(VTM_LOG_WARNING, "late-time", "LateVerdictCommand %s ran longer than "
					"LateVerdictTimeout: killed", name);
			g_string_free(words, TRUE);
			return false;
		}
		take_words(fd, words);
		g_usleep(20000);
	}
	take_words(fd, words);
	fine = rc == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (!fine)
		log_end(name, status, words);
	g_string_free(words, TRUE);
	return fine;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static bool run_command(struct vtm_late_runner *l, char **argv, const char *json, int64_t timeout_ms)
{
	int64_t end = vtm_boot_ms(vtm_clock_system()) + timeout_ms;
	GPtrArray *env = environment(json);
	char *line = g_strconcat(json, "\n", NULL);
	bool fine = false;
	int in[2] = { -1, -1 }, err[2] = { -1, -1 }, rc;
	pid_t pid;

	rc = pipe2(in, O_CLOEXEC) || pipe2(err, O_CLOEXEC) ? errno : 0;
	if (!rc) {
		fcntl(in[1], F_SETFL, O_NONBLOCK);
		fcntl(err[0], F_SETFL, O_NONBLOCK);
		rc = spawn(&pid, argv, (char **)env->pdata, in[0], err[1]);
	}
	close_fd(&in[0]);
	close_fd(&err[1]);
	if (rc == 0)
		feed(in[1], line, end);
	else
		vtm_log_limited(VTM_LOG_ERROR, "late-spawn", "LateVerdictCommand %s: %s", argv[0], g_strerror(rc));
	close_fd(&in[1]);
	fine = rc == 0 && ended_well(l, pid, argv[0], err[0], end);
	close_fd(&err[0]);
	g_free(line);
	g_ptr_array_free(env, TRUE);
	return fine;
}

static void work(gpointer data, gpointer user_data)
{
	struct vtm_late_runner *l = user_data;
	struct vtm_conf *c = vtm_conf_current();
	struct job *job = data;
	/* the command may be gone by a reload: then it is kept for when there is one again */
	bool fine = c->late_verdict_command && !g_atomic_int_get(&l->stopping) &&
		    run_command(l, c->late_verdict_command, job->json, c->late_verdict_timeout_ms);

	vtm_resolver_late_result(job->resolver, job->id, fine);
	vtm_conf_unref(c);
	g_free(job->json);
	g_free(job);
	g_atomic_int_add(&l->jobs, -1);
}

struct vtm_late_runner *vtm_late_new(void)
{
	struct vtm_late_runner *l = g_new0(struct vtm_late_runner, 1);

	l->pool = g_thread_pool_new(work, l, VTM_LATE_AT_ONCE, FALSE, NULL);
	return l;
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
	g_thread_pool_free(l->pool, TRUE, TRUE);
	g_free(l);
}

void vtm_late_run(void *arg, struct vtm_resolver *resolver, int64_t id, char *json)
{
	struct vtm_late_runner *l = arg;
	struct job *job;

	if (g_atomic_int_get(&l->stopping)) {
		g_free(json);	/* the store keeps it for the next start */
		return;
	}
	g_atomic_int_add(&l->jobs, 1);
	job = g_new(struct job, 1);
	job->resolver = resolver;
	job->id = id;
	job->json = json;
	g_thread_pool_push(l->pool, job, NULL);
}
