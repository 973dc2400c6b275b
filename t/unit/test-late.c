/* SPDX-License-Identifier: BSD-2-Clause */
/* test-late.c - LateVerdictCommand: what it is given, how it ends, how long and how many at once it may run. */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "late.h"
#include "tap.h"

#define LONG (200 * 1024)	/* more than a pipe holds */
#define PATIENCE 1200		/* looks of 50 ms */

static char *dir;
static int last;		/* atomic: how the last command ended, -1: none did */
static int ends;		/* atomic */

/* The resolver's end. */
void vtm_resolver_late_result(struct vtm_resolver *r, int64_t id, enum vtm_late_end end)
{
	(void)r;
	(void)id;
	g_atomic_int_set(&last, end);
	g_atomic_int_inc(&ends);
}

/* LateVerdictCommand runs <script>, which finds $dir as its working place. */
static void configure(const char *script, int seconds)
{
	char *path = g_build_filename(dir, "command", NULL), *conf_path = g_build_filename(dir, "conf", NULL);
	char *text = g_strdup_printf("#!/bin/sh\ncd %s\n%s\n", dir, script);
	char *lines = g_strdup_printf("Enabled no\nLateVerdictCommand %s word\nLateVerdictTimeout %d\n", path, seconds);
	GError *error = NULL;
	struct vtm_conf *c;

	unlink(path);
	g_file_set_contents(path, text, -1, NULL);
	chmod(path, 0755);
	g_file_set_contents(conf_path, lines, -1, NULL);
	c = vtm_conf_load(conf_path, &error);
	if (!c)
		diag("%s", error->message);
	g_clear_error(&error);
	vtm_conf_set_current(c);
	g_free(lines);
	g_free(text);
	g_free(conf_path);
	g_free(path);
}

static bool wait_for_ends(int n)
{
	for (int i = 0; i < PATIENCE && g_atomic_int_get(&ends) < n; i++)
		g_usleep(50000);
	return g_atomic_int_get(&ends) == n;
}

/* Runs it once with <json>: how it ended, -1: it did not. */
static int run(struct vtm_late_runner *l, const char *json)
{
	g_atomic_int_set(&last, -1);
	g_atomic_int_set(&ends, 0);
	vtm_late_run(l, NULL, 1, g_strdup(json));
	wait_for_ends(1);
	return g_atomic_int_get(&last);
}

static char *content(const char *name)
{
	char *path = g_build_filename(dir, name, NULL), *text = NULL;

	g_file_get_contents(path, &text, NULL, NULL);
	g_free(path);
	return text ? text : g_strdup("");
}

/* How many lines <name> has. */
static unsigned lines(const char *name)
{
	char *text = content(name);
	unsigned n = 0;

	for (const char *p = text; (p = strchr(p, '\n')); p++)
		n++;
	g_free(text);
	return n;
}

static void what_it_gets(struct vtm_late_runner *l)
{
	char *text;

	configure("echo $# $1 >arguments; cat >input; env >environment", 60);
	is_int(run(l, "{\"queue_id\":\"4Q\",\"sender\":\"s@example.org\"}"), VTM_LATE_DONE, "a command that succeeds");
	text = content("input");
	is_str(text, "{\"queue_id\":\"4Q\",\"sender\":\"s@example.org\"}\n", "has the verdict on standard input, as a line");
	g_free(text);
	text = content("arguments");
	is_str(text, "1 word\n", "and its own arguments");
	g_free(text);
	text = content("environment");
	ok(strstr(text, "VTM_QUEUE_ID=4Q\n") && strstr(text, "VTM_SENDER=s@example.org\n"), "and what is documented");
	ok(!strstr(text, "SECRET"), "and nothing of ours");
	g_free(text);
}

static void how_it_ends(struct vtm_late_runner *l)
{
	static const struct {
		const char *script;
		enum vtm_late_end end;
	} cases[] = {
		{ "exit 0", VTM_LATE_DONE },
		{ "exit 1", VTM_LATE_AGAIN },
		{ "exit 64", VTM_LATE_AGAIN },
		{ "exit 65", VTM_LATE_NEVER },
		{ "exit 67", VTM_LATE_AGAIN },
		{ "exit 75", VTM_LATE_AGAIN },
		{ "kill -9 $$", VTM_LATE_AGAIN },
		{ "sleep 60 & exit 0", VTM_LATE_DONE },
		{ "exec 2>&-; sleep 1", VTM_LATE_DONE },
	};
	char *path;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		configure(cases[i].script, 60);
		is_int(run(l, "{}"), cases[i].end, "%s", cases[i].script);
	}
	configure("exit 0", 60);
	path = g_build_filename(dir, "command", NULL);
	unlink(path);
	g_free(path);
	is_int(run(l, "{}"), VTM_LATE_AGAIN, "a command that is gone is tried again");
	vtm_conf_set_current(vtm_conf_defaults());
	is_int(run(l, "{}"), VTM_LATE_AGAIN, "as is one that is configured no more");
}

static void much_at_either_end(struct vtm_late_runner *l)
{
	char *json = g_strdup_printf("{\"sender\":\"%0*d\"}", LONG, 0), *text;

	configure("head -c 200000 /dev/zero >&2; wc -c >bytes", 60);
	is_int(run(l, json), VTM_LATE_DONE, "one that writes more than a pipe holds before it reads");
	text = content("bytes");
	is_int(g_ascii_strtoll(text, NULL, 10), (gint64)strlen(json) + 1, "reads all that there is");
	g_free(text);
	configure("env >environment", 60);
	is_int(run(l, json), VTM_LATE_DONE, "a sender who is too long for the environment");
	text = content("environment");
	ok(strstr(text, "PATH=") && !strstr(text, "VTM_SENDER"), "is left out there");
	g_free(text);
	configure("exit 0", 60);
	is_int(run(l, json), VTM_LATE_DONE, "one need not read");
	configure("while :; do head -c 1000000 /dev/zero; done >&2", 1);
	is_int(run(l, json), VTM_LATE_AGAIN, "one that writes for ever is killed at LateVerdictTimeout");
	configure("sleep 60 & sleep 60", 1);
	is_int(run(l, "{}"), VTM_LATE_AGAIN, "as is one that does nothing");
	g_free(json);
}

static bool wait_for_lines(const char *name, unsigned n)
{
	for (int i = 0; i < PATIENCE && lines(name) < n; i++)
		g_usleep(50000);
	return lines(name) == n;
}

static void how_many(struct vtm_late_runner *l)
{
	char *path = g_build_filename(dir, "go", NULL);

	configure("echo >>running; until [ -e go ]; do sleep 0.1; done", 60);
	g_atomic_int_set(&ends, 0);
	for (int i = 0; i < 2 * VTM_LATE_AT_ONCE; i++)
		vtm_late_run(l, NULL, i, g_strdup("{}"));
	ok(wait_for_lines("running", VTM_LATE_AT_ONCE), "some run at once");
	g_usleep(500000);
	is_int(lines("running"), VTM_LATE_AT_ONCE, "and no more");
	g_file_set_contents(path, "", 0, NULL);
	ok(wait_for_ends(2 * VTM_LATE_AT_ONCE), "all come to an end");
	is_int(lines("running"), 2 * VTM_LATE_AT_ONCE, "each ran once");
	g_free(path);
}

static void stopping(void)
{
	struct vtm_late_runner *l = vtm_late_new();

	configure("echo >>stopped; sleep 60", 60);
	g_atomic_int_set(&last, -1);
	g_atomic_int_set(&ends, 0);
	for (int i = 0; i < VTM_LATE_AT_ONCE + 1; i++)
		vtm_late_run(l, NULL, i, g_strdup("{}"));
	wait_for_lines("stopped", VTM_LATE_AT_ONCE);
	vtm_late_stop(l);
	is_int(g_atomic_int_get(&ends), VTM_LATE_AT_ONCE + 1, "a stop ends what runs");
	is_int(g_atomic_int_get(&last), VTM_LATE_AGAIN, "to be run again");
	is_int(lines("stopped"), VTM_LATE_AT_ONCE, "and starts nothing");
	vtm_late_run(l, NULL, 1, g_strdup("{}"));
	is_int(lines("stopped"), VTM_LATE_AT_ONCE, "nor what comes later");
	vtm_late_free(l);
}

int main(void)
{
	struct vtm_late_runner *l = vtm_late_new();
	char *command;

	signal(SIGPIPE, SIG_IGN);	/* as the daemon does */
	g_setenv("SECRET", "ours", TRUE);
	dir = g_dir_make_tmp("vtm-late.XXXXXX", NULL);
	what_it_gets(l);
	how_it_ends(l);
	much_at_either_end(l);
	how_many(l);
	vtm_late_stop(l);
	vtm_late_free(l);
	stopping();
	vtm_conf_set_current(NULL);
	command = g_strdup_printf("rm -rf '%s'", dir);
	ok(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL), "what was written goes");
	g_free(command);
	g_free(dir);
	return done_testing();
}
