/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - vtmilter: options, start, signals, stop. */
#include <errno.h>
#include <getopt.h>
#include <glib-unix.h>
#include <libmilter/mfapi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "build-config.h"
#include "callbacks.h"
#include "conf/conf.h"
#include "control.h"
#include "daemon.h"
#include "decode/decode.h"
#include "base/error.h"
#include "health.h"
#include "base/json.h"
#include "late.h"
#include "base/log.h"
#include "metrics.h"
#include "notify.h"
#include "process.h"
#include "sandbox.h"
#include "conf/settings.h"

#define CACHE_ENTRIES 100000		/* verdicts in memory: about 15 MB */
#define STOP_MS 5000			/* a stop takes no longer */
#define DRAIN_MS 3000			/* of these, messages under way go on as ever */
#define POLL_MS 20
#define FIRST_BEAT_MS 1000		/* by then the store is open, or cannot be opened */

struct options {
	char *conf;		/* NULL: the default */
	bool check, dump, foreground;
};

static const char help_text[] =
	"Usage: vtmilter [-f FILE] [-F] [-n] [--dump-config]\n"
	"Asks VirusTotal about the attachments and links of mail and writes X-VT-Tag headers.\n"
	"\n"
	"  -f, --config FILE   read FILE instead of " VTM_CONF_FILE_DEFAULT "\n"
	"  -F, --foreground    do not become a daemon, log to standard error unless told otherwise\n"
	"  -n, --check         check the configuration and exit (0 fine, 78 not)\n"
	"      --dump-config   print every directive with its value and exit\n"
	"  -V, --version       print the version and exit\n"
	"  -h, --help          print this and exit\n"
	"\n"
	"Signals: SIGHUP and SIGUSR1 reload the configuration, SIGTERM and SIGINT stop.\n"
	"See vtmilter(8), vtmilter.conf(5) and vtmilterctl(8).\n";

static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'f' }, { "foreground", no_argument, NULL, 'F' },
		{ "check", no_argument, NULL, 'n' }, { "dump-config", no_argument, NULL, 'D' },
		{ "version", no_argument, NULL, 'V' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "f:FnVh", options, NULL)) >= 0)
		switch (c) {
		case 'f':
			g_free(o->conf);
			o->conf = g_canonicalize_filename(optarg, NULL);	/* a daemon lives in / */
			break;
		case 'F':
			o->foreground = true;
			break;
		case 'n':
			o->check = true;
			break;
		case 'D':
			o->dump = true;
			break;
		case 'V':
			puts("vtmilter " PACKAGE_VERSION);
			exit(EX_OK);
		case 'h':
			fputs(help_text, stdout);
			exit(EX_OK);
		default:
			fputs("Try 'vtmilter --help'.\n", stderr);
			return EX_USAGE;
		}
	if (optind < argc) {
		fprintf(stderr, "vtmilter: unexpected argument '%s'\nTry 'vtmilter --help'.\n", argv[optind]);
		return EX_USAGE;
	}
	return EX_OK;
}

static int complain(GError *error, int status)
{
	fprintf(stderr, "vtmilter: %s\n", error->message);
	g_error_free(error);
	return status;
}

static void open_log(const struct vtm_conf *c)
{
	vtm_log_open("vtmilter", (enum vtm_log_format)c->log_format, (enum vtm_severity)c->log_level,
		     c->syslog_facility);
}

/* ---- configuration ---- */

static void turned_bad(void *arg, const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n)
{
	const struct vtm_log_field fields[] = {
		{ "late-verdict", "bad", 0 },
		{ "message-id", m->message_id ? m->message_id : "", 0 },
		{ NULL, NULL, 0 }
	};

	(void)arg;
	(void)items;
	(void)n;
	vtm_log_event(VTM_LOG_WARNING, m->queue_id ? m->queue_id : "NOQUEUE", fields);
}

static void resolver_settings(const struct vtm_conf *c, struct vtm_resolver_settings *s)
{
	vtm_settings_resolver(c, vtm_daemon.clock, vtm_daemon.cache, s);
	s->turned_bad = turned_bad;
	s->late = c->late_verdict_command ? vtm_late_run : NULL;
	s->arg = vtm_daemon.late;
}

/* Starts the resolver, or gives the running one the new settings. */
static int apply(const struct vtm_conf *c, GError **error)
{
	struct vtm_resolver *resolver = vtm_daemon_resolver();
	struct vtm_resolver_settings s;

	if (!c->enabled)
		return 0;
	resolver_settings(c, &s);
	if (resolver) {
		if (vtm_resolver_configure(resolver, &s, error))
			return -1;
		vtm_resolver_retry_now(resolver);
		return 0;
	}
	resolver = vtm_resolver_new(&s, error);
	g_atomic_pointer_set(&vtm_daemon.resolver, resolver);
	return resolver ? 0 : -1;
}

/* Logs what a reload does not change, and keeps it for who asked for the reload. */
static void remark(GPtrArray *remarks, char *text)
{
	vtm_log(VTM_LOG_WARNING, "reload: %s", text);
	g_ptr_array_add(remarks, text);
}

static void remark_fixed(GPtrArray *remarks, const char *name, bool differs)
{
	if (differs)
		remark(remarks, g_strdup_printf("%s changes only with a restart", name));
}

/* Nobody's mail depends on it: a port that is taken is told and no reason to stop. */
static void listen_metrics(const struct vtm_conf *c)
{
	GError *error = NULL;

	if (vtm_metrics_listen(c->metrics_listen, &error) < 0) {
		vtm_log(VTM_LOG_ERROR, "%s", error->message);
		g_error_free(error);
	}
}

/* Set at the start, before there are threads. */
static const struct vtm_conf *start_conf;	/* what a reload does not change is still as it says */
static bool may_exec;

/* What was set up as root, or before there were threads. */
static void remark_all_fixed(GPtrArray *remarks, const struct vtm_conf *c)
{
	const struct vtm_conf *old = start_conf;

	remark_fixed(remarks, "Socket", g_strcmp0(old->socket, c->socket));
	remark_fixed(remarks, "SocketGroup", g_strcmp0(old->socket_group, c->socket_group));
	remark_fixed(remarks, "ControlSocket", g_strcmp0(old->control_socket, c->control_socket));
	remark_fixed(remarks, "User", g_strcmp0(old->user, c->user));
	remark_fixed(remarks, "PidFile", g_strcmp0(old->pid_file, c->pid_file));
	remark_fixed(remarks, "SocketMode", old->socket_mode != c->socket_mode);
	remark_fixed(remarks, "Foreground", old->foreground != c->foreground);
	if (!may_exec && c->late_verdict_command)
		remark(remarks, g_strdup("LateVerdictCommand runs only after a restart: without one, running programs "
					 "was given up at the start"));
}

/* A bad new file leaves the old one in force.  False: it did.  <remarks> gets new strings.  Main and control thread. */
static bool reload(const char *path, GPtrArray *remarks, char **why_r)
{
	static GMutex one_at_a_time;	/* the whole of a reload: waited for by other reloads only */
	GError *error = NULL;
	struct vtm_conf *c;

	g_mutex_lock(&one_at_a_time);
	vtm_notify_reloading();
	c = vtm_conf_load(path, &error);
	if (c && apply(c, &error) < 0)
		g_clear_pointer(&c, vtm_conf_unref);
	if (c) {
		remark_all_fixed(remarks, c);
		vtm_conf_set_current(c);
		open_log(c);
		listen_metrics(c);
		vtm_log(VTM_LOG_NOTICE, "reload: done");
	} else {
		vtm_log(VTM_LOG_ERROR, "reload: %s; the old configuration stays in force", error->message);
		*why_r = g_strdup(error->message);
		g_error_free(error);
	}
	vtm_notify_ready();
	g_mutex_unlock(&one_at_a_time);
	return c != NULL;
}

static void reload_by_signal(const char *path)
{
	GPtrArray *remarks = g_ptr_array_new_with_free_func(g_free);
	char *why = NULL;

	reload(path, remarks, &why);
	g_ptr_array_unref(remarks);
	g_free(why);
}

static char *reload_by_control(const char *path, const char *peer)
{
	GPtrArray *remarks = g_ptr_array_new_with_free_func(g_free);
	struct vtm_json *j = vtm_json_new();
	char *why = NULL, *line;

	vtm_log(VTM_LOG_NOTICE, "reload: asked for by %s", peer);
	vtm_json_bool(j, "ok", reload(path, remarks, &why));
	if (why)
		vtm_json_text(j, "error", why);
	g_ptr_array_add(remarks, NULL);
	vtm_json_texts(j, "remarks", (const char *const *)remarks->pdata);
	line = vtm_json_line(j);
	vtm_json_free(j);
	g_ptr_array_unref(remarks);
	g_free(why);
	return line;
}

static char *answer(const char *command, const char *peer, void *arg)
{
	const struct options *o = arg;

	return strcmp(command, "reload") ? vtm_daemon_answer(command) : reload_by_control(o->conf, peer);
}

/* ---- start ---- */

static int listen_socket(const struct vtm_conf *c, const struct vtm_user *u, GError **error)
{
	const char *path = vtm_socket_path(c->socket);
	mode_t old;
	int rc;

	if (path && vtm_socket_claim(path, error))
		return -1;
	if (smfi_setconn(c->socket) != MI_SUCCESS || vtm_callbacks_register() < 0) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "Socket %s: libmilter refuses it", c->socket);
		return -1;
	}
	old = umask(0777);	/* the socket is nobody's until its mode is set */
	rc = smfi_opensocket(0);
	umask(old);
	if (rc != MI_SUCCESS) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "cannot listen on Socket %s: may its directory be written, "
			    "is its port free? libmilter logs the reason (facility mail)", c->socket);
		return -1;
	}
	vtm_sockets_prompt();
	if (path && vtm_socket_own(path, (mode_t)c->socket_mode, u, c->socket_group, error)) {
		unlink(path);	/* the next start would find a socket that it may not even try */
		return -1;
	}
	return 0;
}

/* What the process holds on to, opened in this order and let go in the other. */
struct holdings {
	struct vtm_user user;
	int pid_fd, word_fd;
	struct vtm_control *control;
	const char *socket_path, *pid_path;
	struct stat socket;	/* of socket_path, to know it again */
};

/* As root, and before there are threads. */
static int take_hold(struct holdings *h, const struct options *o, const struct vtm_conf *c, GError **error)
{
	const char *path;

	if (vtm_user_find(&h->user, c->user, error))
		return EX_NOUSER;
	if (c->pid_file) {
		h->pid_fd = vtm_pidfile_open(c->pid_file, error);
		if (h->pid_fd < 0)
			return EX_CANTCREAT;
		h->pid_path = c->pid_file;
	}
	if (listen_socket(c, &h->user, error))
		return EX_UNAVAILABLE;
	path = vtm_socket_path(c->socket);
	if (path && !stat(path, &h->socket))
		h->socket_path = path;
	vtm_daemon.ticker = vtm_ticker_new(c->socket, vtm_daemon.clock, error);
	if (!vtm_daemon.ticker)
		return EX_UNAVAILABLE;
	if (c->control_socket) {
		h->control = vtm_control_open(c->control_socket, &h->user, vtm_daemon.clock, error);
		if (!h->control)
			return EX_UNAVAILABLE;
	}
	if (!o->foreground && !c->foreground) {
		h->word_fd = vtm_background(error);
		if (h->word_fd < 0)
			return EX_OSERR;
	}
	if (h->pid_fd >= 0 && vtm_pidfile_write(h->pid_fd, error))
		return EX_CANTCREAT;
	return EX_OK;
}

/* What nothing needs any more.  A kernel that cannot filter is told and no reason not to serve mail. */
static int lock_up(const struct vtm_conf *c, GError **error)
{
	GError *none = NULL;

	may_exec = c->late_verdict_command != NULL;
	if (vtm_sandbox_capabilities(may_exec, error))
		return -1;
	if (vtm_sandbox_syscalls(may_exec, &none)) {
		may_exec = true;
		vtm_log(VTM_LOG_WARNING, "%s", none->message);
		g_error_free(none);
	}
	return 0;
}

/* While running programs is not given up yet: they are this one, run again. */
static int start_decoders(GError **error)
{
	struct vtm_decoders_settings s;

	vtm_decoders_defaults(&s);
	s.clock = vtm_daemon.clock;
	vtm_daemon.decoders = vtm_decoders_start(&s, error);
	return vtm_daemon.decoders ? 0 : -1;
}

/* As the user, with threads. */
static int start(struct holdings *h, struct options *o, const struct vtm_conf *c, GError **error)
{
	vtm_limits_raise();
	if (vtm_privileges_drop(&h->user, error))
		return EX_NOPERM;
	vtm_process_harden();
	if (start_decoders(error))
		return EX_OSERR;
	if (lock_up(c, error))
		return EX_OSERR;
	if (apply(c, error) < 0)
		return EX_CONFIG;
	if (vtm_ticker_start(vtm_daemon.ticker, error))
		return EX_OSERR;
	if (h->control && vtm_control_start(h->control, answer, o, error))
		return EX_OSERR;
	return EX_OK;
}

static void let_go(struct holdings *h)
{
	struct stat now;

	vtm_control_free(h->control);
	vtm_metrics_listen(NULL, NULL);
	vtm_late_stop(vtm_daemon.late);
	vtm_resolver_free(vtm_daemon_resolver());
	vtm_late_free(vtm_daemon.late);
	vtm_decoders_stop(vtm_daemon.decoders);
	if (h->socket_path && !stat(h->socket_path, &now) && now.st_ino == h->socket.st_ino &&
	    now.st_dev == h->socket.st_dev)
		unlink(h->socket_path);
	vtm_pidfile_remove(h->pid_fd, h->pid_path);
	vtm_user_clear(&h->user);
}

/* ---- signals, stop ---- */

/* libmilter has a thread that waits for SIGHUP, SIGTERM and SIGINT, and stops when it gets one.  Linux gives a signal
 * to the main thread as long as that does not block it, so it takes ours by a handler, at any time; a thread that only
 * waits for them now and then would leave some to libmilter. */
static int signals_in = -1, signals_out = -1;	/* a pipe of signal numbers */

static void note_signal(int sig)
{
	int saved = errno;
	char c = (char)sig;

	if (write(signals_in, &c, 1) < 0)
		errno = saved;	/* full: enough of them wait */
}

static void mask_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(how, &set, NULL);
}

/* Until the main thread takes them, they wait. */
static int hold_signals(GError **error)
{
	const struct sigaction action = { .sa_handler = note_signal, .sa_flags = SA_RESTART | SA_NODEFER };
	int fds[2];

	if (!g_unix_open_pipe(fds, FD_CLOEXEC, error))
		return -1;
	signals_out = fds[0];
	signals_in = fds[1];
	g_unix_set_fd_nonblocking(signals_out, TRUE, NULL);
	g_unix_set_fd_nonblocking(signals_in, TRUE, NULL);
	mask_signals(SIG_BLOCK);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

struct milter_thread {
	GMutex lock;	/* covers ended */
	bool ended;
};

static gpointer run_milter(gpointer arg)
{
	struct milter_thread *m = arg;

	mask_signals(SIG_BLOCK);
	smfi_main();
	g_mutex_lock(&m->lock);
	m->ended = true;
	g_mutex_unlock(&m->lock);
	kill(getpid(), SIGTERM);
	return NULL;
}

/* Tells the service manager how we are; a resolver whose thread is stuck is no sign of life. */
static void report_health(GString *last)
{
	struct vtm_resolver *resolver = vtm_daemon_resolver();
	struct vtm_resolver_stats stats;
	int64_t now = vtm_boot_ms(vtm_daemon.clock);
	GString *why = g_string_new(NULL);

	if (resolver)
		vtm_resolver_stats(resolver, &stats);
	if (vtm_health(resolver ? &stats : NULL, now, why))
		g_string_assign(why, "well");
	else
		g_strdelimit(g_strchomp(why->str), "\n", ';');
	if (strcmp(why->str, last->str) != 0)
		vtm_notify_status(why->str);
	g_string_assign(last, why->str);
	g_string_free(why, TRUE);
	if (vtm_health_alive(resolver ? &stats : NULL, now))
		vtm_notify_alive();
}

/* The next signal.  A service manager that watches is told meanwhile. */
static int next_signal(void)
{
	int64_t every_ms = vtm_notify_watchdog_ms(), wait_ms = MIN(every_ms, FIRST_BEAT_MS);
	GPollFD p = { .fd = signals_out, .events = G_IO_IN };
	GString *told = g_string_new(NULL);
	char sig;

	while (read(signals_out, &sig, 1) != 1)
		if (g_poll(&p, 1, every_ms ? (gint)MIN(wait_ms, G_MAXINT) : -1) == 0) {
			report_health(told);
			wait_ms = every_ms;
		}
	g_string_free(told, TRUE);
	return sig;
}

/* Returns when it is time to stop; false: libmilter ended by itself. */
static bool serve(struct milter_thread *m, const char *path)
{
	bool ended;

	for (;;) {
		int sig = next_signal();

		if (sig == SIGTERM || sig == SIGINT)
			break;
		reload_by_signal(path);
	}
	g_mutex_lock(&m->lock);
	ended = m->ended;
	g_mutex_unlock(&m->lock);
	return !ended;
}

static gpointer stop_milter(gpointer arg)
{
	(void)arg;
	smfi_stop();
	return NULL;
}

static void pause_ms(gulong ms)
{
	g_usleep(ms * 1000);
}

/* Nobody waits for VirusTotal any more, and messages under way are taken to their end as long as libmilter still serves
 * its sessions: after smfi_stop() it answers those only that are inside a callback.  smfi_stop() wants a lock that the
 * listener holds while it polls for up to 5 s; a connection ends the poll. */
static void stop_sessions(void)
{
	struct vtm_resolver *resolver = vtm_daemon_resolver();
	int64_t start_ms = vtm_boot_ms(vtm_daemon.clock);
	GThread *thread;

	if (resolver)
		vtm_resolver_release_all(resolver);
	while (g_atomic_int_get(&vtm_daemon.open) > 0 && vtm_boot_ms(vtm_daemon.clock) < start_ms + DRAIN_MS)
		pause_ms(POLL_MS);
	vtm_ticker_closing(vtm_daemon.ticker);
	thread = g_thread_new("stop", stop_milter, NULL);
	do {
		vtm_ticker_kick(vtm_daemon.ticker);
		pause_ms(POLL_MS);
	} while (vtm_ticker_staying(vtm_daemon.ticker) && vtm_boot_ms(vtm_daemon.clock) < start_ms + STOP_MS);
	vtm_ticker_kick(vtm_daemon.ticker);
	g_thread_join(thread);
	pause_ms(5 * POLL_MS);	/* the answers of those that just left are still being written */
}

static int serve_until_told(const char *path)
{
	struct milter_thread m = { .ended = false };
	int status = EX_OK;
	GThread *thread;

	mask_signals(SIG_UNBLOCK);
	thread = g_thread_new("milter", run_milter, &m);
	if (serve(&m, path)) {
		vtm_log(VTM_LOG_NOTICE, "stopping");
	} else {
		vtm_log(VTM_LOG_ERROR, "libmilter ended by itself");
		status = EX_SOFTWARE;
	}
	vtm_notify_stopping();
	stop_sessions();
	g_thread_join(thread);
	return status;
}

static int run(struct options *o, struct vtm_conf *c)
{
	struct holdings h = { .pid_fd = -1, .word_fd = -1 };
	GError *error = NULL;
	int status;

	umask(007);
	open_log(c);
	vtm_daemon.clock = vtm_clock_system();
	vtm_daemon.start_utc_ms = vtm_utc_ms(vtm_daemon.clock);
	vtm_daemon.inet = !vtm_socket_path(c->socket);
	vtm_daemon.late = vtm_late_new();
	vtm_daemon.cache = vtm_cache_new(vtm_daemon.clock, CACHE_ENTRIES);
	vtm_conf_set_current(vtm_conf_ref(c));
	start_conf = c;
	status = hold_signals(&error) ? EX_OSERR : take_hold(&h, o, c, &error);
	if (status == EX_OK)
		status = start(&h, o, c, &error);
	if (error && c->log_format == VTM_LOG_SYSLOG)
		vtm_log(VTM_LOG_ERROR, "%s", error->message);
	if (error)
		complain(error, status);
	vtm_background_ready(h.word_fd, status, c->log_format == VTM_LOG_SYSLOG);
	if (status == EX_OK) {
		listen_metrics(c);
		vtm_log(VTM_LOG_NOTICE, "vtmilter %s listens on %s", PACKAGE_VERSION, c->socket);
		vtm_notify_ready();
		status = serve_until_told(o->conf);
	}
	let_go(&h);
	vtm_log_close();
	return status;
}

static int dump(const struct vtm_conf *c)
{
	vtm_conf_dump(c, stdout);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EX_OK;
	fputs("vtmilter: standard output cannot be written\n", stderr);
	return EX_IOERR;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	GError *error = NULL;
	struct vtm_conf *c;
	int status;

	if (vtm_decoder_asked(argc, argv))
		_exit(vtm_decoder_run());
	status = parse_options(&o, argc, argv);
	if (status != EX_OK)
		return status;
	c = vtm_conf_load(o.conf, &error);
	if (!c)
		status = complain(error, EX_CONFIG);
	else if (o.dump)
		status = dump(c);
	else if (o.check)
		fprintf(stderr, "vtmilter: %s is fine\n", c->path ? c->path : "the configuration");
	else
		status = run(&o, c);
	if (c)
		vtm_conf_unref(c);
	g_free(o.conf);
	return status;
}
