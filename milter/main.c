/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - vtmilter: options, start, signals, stop. */
#include <errno.h>
#include <getopt.h>
#include <libmilter/mfapi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "build-config.h"
#include "callbacks.h"
#include "conf.h"
#include "daemon.h"
#include "error.h"
#include "late.h"
#include "log.h"
#include "process.h"
#include "settings.h"

#define CACHE_ENTRIES 100000		/* verdicts in memory: about 15 MB */
#define STOP_MS 5000			/* sessions may finish for so long */

struct vtm_daemon vtm_daemon;

struct options {
	const char *conf;
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
			o->conf = optarg;
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

/* An error before there is a log, or before the parent let go: to standard error and, once it is open, to the log. */
static int complain(GError *error, int status)
{
	fprintf(stderr, "vtmilter: %s\n", error->message);
	g_error_free(error);
	return status;
}

static void open_log(const struct vtm_conf *c)
{
	vtm_log_open("vtmilter", (enum vtm_log_format)c->log_format, (enum vtm_severity)c->log_level, c->syslog_facility);
}

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
	struct vtm_resolver_settings s;

	if (!c->enabled)
		return 0;
	resolver_settings(c, &s);
	if (vtm_daemon.resolver)
		return vtm_resolver_configure(vtm_daemon.resolver, &s, error);
	vtm_daemon.resolver = vtm_resolver_new(&s, error);
	return vtm_daemon.resolver ? 0 : -1;
}

static void warn_unchanged(const char *name, const char *old, const char *now)
{
	if (g_strcmp0(old, now))
		vtm_log(VTM_LOG_WARNING, "reload: %s changes only with a restart", name);
}

/* A bad new file leaves the old one in force. */
static void reload(const char *path)
{
	GError *error = NULL;
	struct vtm_conf *old = vtm_conf_current(), *c = vtm_conf_load(path, &error);

	if (c && apply(c, &error) < 0)
		g_clear_pointer(&c, vtm_conf_unref);
	if (!c) {
		vtm_log(VTM_LOG_ERROR, "reload: %s; the old configuration stays in force", error->message);
		g_error_free(error);
	} else {
		warn_unchanged("Socket", old->socket, c->socket);
		warn_unchanged("User", old->user, c->user);
		warn_unchanged("PidFile", old->pid_file, c->pid_file);
		vtm_conf_set_current(c);
		open_log(c);
		vtm_log(VTM_LOG_NOTICE, "reload: done");
	}
	vtm_conf_unref(old);
}

static int listen_socket(const struct vtm_conf *c, GError **error)
{
	mode_t old;
	int rc;

	if (vtm_process_clear_socket(c->socket, error) < 0)
		return -1;
	/* the socket is nobody's until its mode is set */
	old = umask(0777);
	if (smfi_setconn(c->socket) != MI_SUCCESS || vtm_callbacks_register() < 0) {
		umask(old);
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "Socket %s: libmilter refuses it", c->socket);
		return -1;
	}
	rc = smfi_opensocket(0);
	umask(old);
	if (rc != MI_SUCCESS) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "cannot listen on Socket %s: %s; does its directory exist and may "
			    "it be written?", c->socket, g_strerror(errno));
		return -1;
	}
	return vtm_process_own_socket(c, error);
}

static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

struct milter_thread {
	GMutex lock;	/* covers ended */
	bool ended;
};

/* smfi_main() waits for signals itself; in a thread of its own it gets none of ours. */
static gpointer run_milter(gpointer arg)
{
	struct milter_thread *m = arg;

	smfi_main();
	g_mutex_lock(&m->lock);
	m->ended = true;
	g_mutex_unlock(&m->lock);
	kill(getpid(), SIGTERM);
	return NULL;
}

/* Returns when it is time to stop; false: libmilter ended by itself. */
static bool serve(const sigset_t *set, struct milter_thread *m, const char *path)
{
	bool ended;
	int sig;

	for (;;) {
		if (sigwait(set, &sig))
			continue;
		if (sig == SIGTERM || sig == SIGINT)
			break;
		reload(path);
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

/* Waiting sessions are released with what is known, and answered.  smfi_stop() waits for a lock that the listener holds while it
 * polls for up to 5 s: a connection ends the poll. */
static void stop_sessions(void)
{
	int64_t end = vtm_boot_ms(vtm_daemon.clock) + STOP_MS;
	GThread *thread = g_thread_new("stop", stop_milter, NULL);

	if (vtm_daemon.resolver)
		vtm_resolver_release_all(vtm_daemon.resolver);
	do {
		vtm_ticker_poke(vtm_daemon.ticker);
		g_usleep(20000);
	} while (vtm_ticker_busy(vtm_daemon.ticker) && vtm_boot_ms(vtm_daemon.clock) < end);
	vtm_ticker_poke(vtm_daemon.ticker);
	g_thread_join(thread);
	/* the answers of those that just left are still being written */
	g_usleep(100000);
}

static int start(const struct options *o, struct vtm_conf *c)
{
	GError *error = NULL;

	if (listen_socket(c, &error) < 0)
		return complain(error, EX_UNAVAILABLE);
	if (!o->foreground && !c->foreground && vtm_process_detach(&error) < 0)
		return complain(error, EX_OSERR);
	if (c->pid_file && vtm_process_write_pid(c->pid_file, &error) < 0)
		return complain(error, EX_CANTCREAT);
	if (vtm_process_drop(c->user, &error) < 0)
		return complain(error, EX_NOUSER);
	vtm_daemon.inet = g_str_has_prefix(c->socket, "inet");
	vtm_daemon.ticker = vtm_ticker_new(c->socket, &error);
	if (!vtm_daemon.ticker)
		return complain(error, EX_CONFIG);
	if (apply(c, &error) < 0)
		return complain(error, EX_CONFIG);
	return EX_OK;
}

static int run(const struct options *o, struct vtm_conf *c)
{
	struct milter_thread m = { .ended = false };
	GThread *thread;
	sigset_t set;
	int status;

	vtm_process_harden();
	block_signals(&set);
	open_log(c);
	vtm_daemon.clock = vtm_clock_system();
	vtm_daemon.late = vtm_late_new();
	vtm_daemon.cache = vtm_cache_new(vtm_daemon.clock, CACHE_ENTRIES);
	vtm_conf_set_current(vtm_conf_ref(c));
	status = start(o, c);
	if (status != EX_OK)
		return status;
	vtm_log(VTM_LOG_NOTICE, "vtmilter %s listens on %s", PACKAGE_VERSION, c->socket);
	vtm_process_ready(EX_OK);
	thread = g_thread_new("milter", run_milter, &m);
	if (serve(&set, &m, o->conf)) {
		vtm_log(VTM_LOG_NOTICE, "stopping");
	} else {
		vtm_log(VTM_LOG_ERROR, "libmilter ended by itself");
		status = EX_SOFTWARE;
	}
	stop_sessions();
	vtm_late_stop(vtm_daemon.late);
	vtm_resolver_free(vtm_daemon.resolver);
	vtm_late_free(vtm_daemon.late);
	if (c->pid_file)
		vtm_process_remove_pid(c->pid_file);
	/* libmilter's threads end with the process: it offers no way to wait for them */
	g_thread_unref(thread);
	vtm_log_close();
	return status;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	GError *error = NULL;
	struct vtm_conf *c;
	int status = parse_options(&o, argc, argv);

	if (status != EX_OK)
		return status;
	c = vtm_conf_load(o.conf, &error);
	if (!c)
		return complain(error, EX_CONFIG);
	if (o.dump)
		vtm_conf_dump(c, stdout);
	else if (o.check)
		fprintf(stderr, "vtmilter: %s is fine\n", c->path ? c->path : "the configuration");
	else
		status = run(&o, c);
	vtm_conf_unref(c);
	return status;
}
