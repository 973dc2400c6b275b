/* SPDX-License-Identifier: BSD-2-Clause */
/* ctl.c - vtmilterctl, the administrator's command: options and the table of commands. */
#include "ctl/ctl.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build-config.h"
#include "conf/value.h"
#include "base/error.h"
#include "base/log.h"
#include "model/tags.h"

/* Letters of options; those for all commands are not in their rows. */
#define COMMON "fjhV"

static const struct vtm_ctl_command commands[] = {
	{ "extract", "FILE...", "print the items of messages, look nothing up; - is standard input", "r", VTM_CTL_MAYBE,
	  true, vtm_ctl_extract },
	{ "scan", "FILE...", "look messages up and print the tags that the milter would give", "HFN", VTM_CTL_QUIET, true,
	  vtm_ctl_scan },
	{ "submit", "--public FILE|URL", "submit it for analysis; it becomes public", "p", VTM_CTL_WHOLE, false, vtm_ctl_submit },
	{ "status", "", "the state of the daemon", "", VTM_CTL_QUIET, false, vtm_ctl_status },
	{ "quota", "", "requests used and left, as counted here and by VirusTotal", "", VTM_CTL_QUIET, false, vtm_ctl_quota },
	{ "list", "", "delivered messages, newest first", "tsun", VTM_CTL_QUIET, false, vtm_ctl_list },
	{ "show", "ID", "a message by queue ID or Message-ID, with its items", "", VTM_CTL_QUIET, false, vtm_ctl_show },
	{ "cache", "show|forget HASH|URL|host:NAME", "show or drop the stored answer for an item", "", VTM_CTL_QUIET, false,
	  vtm_ctl_cache },
	{ "ignore", "add|remove DOMAIN|SHA256, or list", "change or print the lists of what is not looked up", "",
	  VTM_CTL_QUIET, false, vtm_ctl_ignore },
	{ "store", "copy FROM TO", "copy all data to another store", "", VTM_CTL_QUIET,
	  false, vtm_ctl_store_command },
	{ "rescan", "ID", "look the items of a delivered message up again", "", VTM_CTL_QUIET, false, vtm_ctl_rescan },
	{ "plan", "MAILDIR|MBOX...", "estimate whether the key is enough for such mail", "", VTM_CTL_QUIET, true, vtm_ctl_plan },
	{ "learn", "MAILDIR|MBOX...", "add stored mail to the history of senders and links; look nothing up", "",
	  VTM_CTL_QUIET, true, vtm_ctl_learn },
	{ "doctor", "", "find what is wrong with the set-up, and the line to change", "", VTM_CTL_NO_CONF, false, vtm_ctl_doctor },
	{ "reload", "", "make the daemon read its configuration again", "", VTM_CTL_QUIET, false, vtm_ctl_reload },
};

static const struct option options[] = {
	{ "config", required_argument, NULL, 'f' }, { "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' },
	{ "resources", no_argument, NULL, 'r' }, { "headers", no_argument, NULL, 'H' },
	{ "public", no_argument, NULL, 'p' }, { "tag", required_argument, NULL, 't' },
	{ "since", required_argument, NULL, 's' }, { "until", required_argument, NULL, 'u' },
	{ "max", required_argument, NULL, 'n' }, { "from", required_argument, NULL, 'F' },
	{ "now", no_argument, NULL, 'N' },
	{ NULL, 0, NULL, 0 }
};

static void print_help(void)
{
	fputs("Usage: vtmilterctl [-f FILE] [--json] COMMAND [ARGUMENT...]\n"
	      "Controls vtmilter, and looks up mail at VirusTotal by hand within the same budget.\n\n", stdout);
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		int n = printf("  %s %s", commands[i].name, commands[i].arguments);

		if (n > 23)
			printf("\n%24s%s\n", "", commands[i].help);
		else
			printf("%*s%s\n", 24 - n, "", commands[i].help);
	}
	fputs("\n"
	      "  -f, --config FILE   read FILE instead of " VTM_CONF_FILE_DEFAULT "\n"
	      "      --json          one JSON object a line\n"
	      "      --resources     extract: also what is fetched without a click\n"
	      "      --headers       scan: print the message with our headers on top\n"
	      "      --from MESSAGE  scan: begin with this one, as printed when it stopped\n"
	      "      --now           scan: many messages before mail too, with all of the day's requests\n"
	      "      --tag TAG       list: only messages with this tag; may be repeated\n"
	      "      --since TIME    list: only messages from then on: 2h, 7d or 2026-01-31[T12:00:00Z]\n"
	      "      --until TIME    list: only messages before then\n"
	      "      --max N         list: at most N (50)\n"
	      "  -V, --version       print the version and exit\n"
	      "  -h, --help          print this and exit\n"
	      "\n"
	      "Exit status: 0 done, 1 found something bad or did not find it, 64 wrong usage,\n"
	      "69 service cannot be reached, 75 no requests left: try later, 78 configuration,\n"
	      "130 interrupted.\n"
	      "See vtmilterctl(8).\n", stdout);
}

/* "2h" ago, or a date. */
static bool parse_time(const struct vtm_ctl *c, const char *text, int64_t *utc_ms_r)
{
	char *full = NULL;
	GDateTime *when;
	GTimeZone *utc;
	int64_t ago;

	if (vtm_value_duration(text, &ago)) {
		*utc_ms_r = MAX(vtm_utc_ms(c->clock) - ago, 1);
		return true;
	}
	if (strlen(text) == strlen("2026-01-31"))
		text = full = g_strconcat(text, "T00:00:00Z", NULL);
	utc = g_time_zone_new_utc();
	when = g_date_time_new_from_iso8601(text, utc);
	g_time_zone_unref(utc);
	g_free(full);
	if (!when)
		return false;
	*utc_ms_r = MAX(g_date_time_to_unix(when) * 1000, 1);
	g_date_time_unref(when);
	return true;
}

static int take_time(const struct vtm_ctl *c, const char *name, int64_t *utc_ms_r)
{
	if (parse_time(c, optarg, utc_ms_r))
		return EX_OK;
	return vtm_ctl_usage(c, "--%s: found '%s', expected 90s, 5m, 2h, 7d or 2026-01-31[T12:00:00Z]", name, optarg);
}

static int take_option(struct vtm_ctl *c, int letter)
{
	enum vtm_tag tag;
	guint64 n;

	switch (letter) {
	case 'f':
		c->conf_path = optarg;
		return EX_OK;
	case 'j':
		c->json = true;
		return EX_OK;
	case 'r':
		c->resources = true;
		return EX_OK;
	case 'H':
		c->headers = true;
		return EX_OK;
	case 'p':
		c->public = true;
		return EX_OK;
	case 'N':
		c->now = true;
		return EX_OK;
	case 'F':
		c->from = optarg;
		return EX_OK;
	case 's':
		return take_time(c, "since", &c->since_ms);
	case 'u':
		return take_time(c, "until", &c->until_ms);
	case 't':
		if (!vtm_tag_parse(optarg, &tag))
			return vtm_ctl_usage(c, "--tag: found '%s', expected a tag such as VT_Bad", optarg);
		c->tags |= VTM_TAG_BIT(tag);
		return EX_OK;
	case 'n':
		if (!g_ascii_string_to_unsigned(optarg, 10, 1, VTM_STORE_LIST_MAX, &n, NULL))
			return vtm_ctl_usage(c, "--max: found '%s', expected 1 to %d", optarg, VTM_STORE_LIST_MAX);
		c->max = (unsigned)n;
		return EX_OK;
	default:
		return EX_USAGE;
	}
}

static const char *option_name(int letter)
{
	const struct option *o = options;

	while (o->name && o->val != letter)
		o++;
	return o->name ? o->name : "?";
}

static const struct vtm_ctl_command *find_command(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

/* Options may stand before and behind the command; which they were is kept until it is known. */
static int parse(struct vtm_ctl *c, int argc, char **argv, char *seen, size_t max)
{
	size_t n = 0;
	int letter, status;

	while ((letter = getopt_long(argc, argv, "f:hV", options, NULL)) >= 0) {
		if (letter == 'h') {
			print_help();
			exit(EX_OK);
		}
		if (letter == 'V') {
			puts("vtmilterctl (" PACKAGE_NAME ") " PACKAGE_VERSION);
			exit(EX_OK);
		}
		status = take_option(c, letter);
		if (letter == '?')
			fputs("Try 'vtmilterctl --help'.\n", stderr);
		if (status != EX_OK)
			return status;
		if (n + 1 < max && !strchr(COMMON, letter))
			seen[n++] = (char)letter;
	}
	seen[n] = '\0';
	return EX_OK;
}

/* Without -f, an extraction needs no configuration. */
static bool may_do_without(const struct vtm_ctl *c)
{
	return !c->conf_path && !g_file_test(VTM_CONF_FILE_DEFAULT, G_FILE_TEST_EXISTS);
}

static int load_conf(struct vtm_ctl *c, enum vtm_ctl_conf how)
{
	GError *error = NULL;

	switch (how) {
	case VTM_CTL_NO_CONF:
		return EX_OK;
	case VTM_CTL_MAYBE:
		if (may_do_without(c))
			return EX_OK;
		c->conf = vtm_conf_load_quiet(c->conf_path, &error);
		break;
	case VTM_CTL_QUIET:
		c->conf = vtm_conf_load_quiet(c->conf_path, &error);
		break;
	case VTM_CTL_WHOLE:
		c->conf = vtm_conf_load(c->conf_path, &error);
		break;
	}
	return c->conf ? EX_OK : vtm_ctl_fail(c, error);
}

/* A message is no less hostile by hand. */
static int start_decoders(struct vtm_ctl *c)
{
	struct vtm_decoders_settings s;
	GError *error = NULL;

	vtm_decoders_defaults(&s);
	c->decoders = vtm_decoders_start(&s, &error);
	return c->decoders ? EX_OK : vtm_ctl_fail(c, error);
}

static int run(struct vtm_ctl *c, const struct vtm_ctl_command *command, const char *seen, int argc, char **argv)
{
	int status;

	for (; *seen; seen++)
		if (!strchr(command->options, *seen))
			return vtm_ctl_usage(c, "does not take --%s", option_name(*seen));
	status = load_conf(c, command->conf);
	if (status == EX_OK && command->reads)
		status = start_decoders(c);
	if (status == EX_OK)
		status = command->run(c, argc, argv);
	vtm_decoders_stop(c->decoders);
	vtm_conf_unref(c->conf);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		vtm_ctl_warn(c, "standard output cannot be written");
		return EX_IOERR;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct vtm_ctl c = { .clock = vtm_clock_system(), .max = VTM_CTL_LIST_DEFAULT };
	const struct vtm_ctl_command *command;
	char seen[16];
	int status;

	if (vtm_decoder_asked(argc, argv))
		_exit(vtm_decoder_run());
	c.color = isatty(STDOUT_FILENO) && !g_getenv("NO_COLOR") && g_strcmp0(g_getenv("TERM"), "dumb");
	vtm_log_open("vtmilterctl", VTM_LOG_TEXT, VTM_LOG_ERROR, "user");
	status = parse(&c, argc, argv, seen, sizeof(seen));
	if (status != EX_OK)
		return status;
	if (optind >= argc)
		return vtm_ctl_usage(&c, "expected a command");
	command = find_command(argv[optind]);
	if (!command)
		return vtm_ctl_usage(&c, "there is no command '%s'", argv[optind]);
	c.command = command->name;
	return run(&c, command, seen, argc - optind - 1, argv + optind + 1);
}
