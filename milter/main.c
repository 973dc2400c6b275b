/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - vtmilter: reads its options, then starts, serves and stops. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "answer.h"
#include "apply.h"
#include "base/log.h"
#include "build-config.h"
#include "conf/conf.h"
#include "daemon.h"
#include "decode/decode.h"
#include "notify.h"
#include "reload.h"
#include "serve.h"
#include "signals.h"
#include "start.h"

#define CACHE_ENTRIES 100000		/* verdicts in memory: about 15 MB */

struct options {
	char *conf;		/* NULL: the default */
	bool check, dump, foreground;
};

static const char help_text[] =
	"Usage: vtmilter [-f FILE] [-F] [-n] [--dump-config]\n"
	"Looks up the attachments and links of mail at VirusTotal and writes X-VT-Tag headers.\n"
	"\n"
	"  -f, --config FILE   read FILE instead of " VTM_CONF_FILE_DEFAULT "\n"
	"  -F, --foreground    do not become a daemon\n"
	"  -n, --check         check the configuration and exit (0: no error, 78: an error)\n"
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

/* Answers a command of the control socket. */
static char *answer(const char *command, const char *peer, void *arg)
{
	const struct options *o = arg;

	return strcmp(command, "reload") ? vtm_answer(command) : vtm_reload_answer(o->conf, peer);
}

static int run(struct options *o, struct vtm_conf *c)
{
	struct vtm_start s = VTM_START_INIT;
	bool syslog = c->log_format == VTM_LOG_SYSLOG;
	GError *error = NULL;
	int status;

	umask(007);
	vtm_apply_log(c);
	vtm_daemon.clock = vtm_clock_system();
	vtm_daemon.start_utc_ms = vtm_utc_ms(vtm_daemon.clock);
	vtm_daemon.inet = !vtm_socket_path(c->socket);
	vtm_daemon.late = vtm_late_new();
	vtm_daemon.cache = vtm_cache_new(vtm_daemon.clock, CACHE_ENTRIES);
	vtm_conf_set_current(vtm_conf_ref(c));
	status = vtm_signals_init(&error) ? EX_OSERR :
		 vtm_start_as_root(&s, c, o->foreground || c->foreground, &error);
	if (status == EX_OK)
		status = vtm_start_as_user(&s, c, answer, o, &error);
	if (error && syslog)
		vtm_log(VTM_LOG_ERROR, "%s", error->message);
	if (error)
		complain(error, status);
	vtm_background_ready(s.ready_fd, status, syslog);
	if (status == EX_OK) {
		vtm_apply_metrics(c);
		vtm_log(VTM_LOG_NOTICE, "vtmilter %s listens on %s", PACKAGE_VERSION, c->socket);
		vtm_notify_ready();
		status = vtm_serve(o->conf);
	}
	vtm_start_release(&s);
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
