/* SPDX-License-Identifier: BSD-2-Clause */
/* test-mailbox.c - files, mbox, Maildir and directories to messages. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "../milter/mailbox.h"
#include "error.h"
#include "tap.h"

#define FROM "From a@example.org Mon Mar  2 09:05:00 2026\n"

static char *dir;

static char *put(const char *name, const char *text)
{
	char *path = g_build_filename(dir, name, NULL), *above = g_path_get_dirname(path);

	g_mkdir_with_parents(above, 0700);
	if (!g_file_set_contents(path, text, -1, NULL))
		g_error("%s: not written", path);
	g_free(above);
	return path;
}

static void note(GString *out, const char *text)
{
	g_string_append_printf(out, "%s|", text);
}

/* The spool as one text. */
static char *whole(const struct vtm_mail *mail)
{
	struct vtm_spool *s = vtm_mail_spool(mail, g_get_tmp_dir());
	const char *data;
	size_t len;
	int fd;
	char *text;

	if (vtm_spool_finish(s, &data, &len, &fd) < 0)
		g_error("no spool");
	text = g_strndup(data ? data : "", len);
	vtm_spool_free(s);
	return text;
}

static bool texts(const struct vtm_mail *mail, void *arg)
{
	char *text = whole(mail);

	note(arg, text);
	g_free(text);
	return true;
}

static bool labels(const struct vtm_mail *mail, void *arg)
{
	char *label = vtm_mail_label(mail);

	note(arg, label + strlen(dir) + 1);
	g_free(label);
	return true;
}

static bool times(const struct vtm_mail *mail, void *arg)
{
	g_string_append_printf(arg, "%" G_GINT64_FORMAT "|", mail->time);
	return true;
}

static bool first(const struct vtm_mail *mail, void *arg)
{
	labels(mail, arg);
	return false;
}

static void gives(const char *path, vtm_mailbox_each *each, const char *want, const char *name)
{
	GString *out = g_string_new(NULL);

	vtm_mailbox_walk(path, each, out, NULL, NULL);
	is_str(out->str, want, "%s", name);
	g_string_free(out, TRUE);
}

static void messages(void)
{
	static const struct {
		const char *text, *want, *name;
	} cases[] = {
		{ "", "|", "an empty file" },
		{ "A: b\n\nc\n", "A: b\r\n\r\nc\r\n|", "LF" },
		{ "A: b\r\n\r\nc\r\n", "A: b\r\n\r\nc\r\n|", "CRLF" },
		{ "A: b\r\n\nc", "A: b\r\n\r\nc|", "both, and no end" },
		{ "A: b\n\n\rx\r\r\n", "A: b\r\n\r\n\rx\r\r\n|", "CR alone stays" },
		{ FROM "A: b\n\nc\n", "A: b\r\n\r\nc\r\n|", "a From line in front" },
		{ FROM "A: b\n\n>From c\n", "A: b\r\n\r\n>From c\r\n|", "of one message, nothing is unquoted" },
		{ FROM, "|", "nothing but it" },
		{ FROM "A: 1\n\n" FROM "A: 2\n", "A: 1\r\n\r\n|A: 2\r\n|", "two" },
		{ FROM "A: 1\n" FROM "A: 2\n", "A: 1\r\nFrom a@example.org Mon Mar  2 09:05:00 2026\r\nA: 2\r\n|",
		  "no empty line, no separator" },
		{ FROM "A: 1\n\nFrom here on\n\n" FROM "A: 2\n", "A: 1\r\n\r\nFrom here on\r\n\r\n|A: 2\r\n|", "no time, none either" },
		{ FROM "A: 1\r\n\r\n" FROM "A: 2\n", "A: 1\r\n\r\n|A: 2\r\n|", "CRLF in front of it" },
		{ FROM "A: 1\n\n>From x\n>>From y\n> From z\n\n" FROM "A: 2\n",
		  "A: 1\r\n\r\nFrom x\r\n>From y\r\n> From z\r\n\r\n|A: 2\r\n|", "one > is taken off" },
		{ FROM "\n" FROM "\n" FROM, "\r\n|\r\n||", "empty ones" },
		{ "From", "From|", "less than a From line" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *path = put("m", cases[i].text);

		gives(path, texts, cases[i].want, cases[i].name);
		g_free(path);
	}
}

static void when(void)
{
	char *mbox = put("times", FROM "A: 1\n\nFrom a@b  Thu, 5 Mar 12:00:00\nA: 2\n\nFrom ada lovelace Tue Mar  3 09:05:00 2026\n");
	char *maildir = put("1772442300.M1.host:2,S", "A: b\n");
	GString *out = g_string_new(NULL);

	vtm_mailbox_walk(mbox, times, out, NULL, NULL);
	ok(g_str_has_prefix(out->str, "1772442300|"), "a From line's time");
	ok(g_str_has_suffix(out->str, "|1772528700|"), "behind a name with a blank");
	ok(!strstr(out->str, "|0|"), "what cannot be read has the file's");
	gives(maildir, times, "1772442300|", "a Maildir name's time");
	g_string_free(out, TRUE);
	g_unlink(mbox);
	g_unlink(maildir);
	g_free(mbox);
	g_free(maildir);
}

static void count_bad(const char *file, const char *why, void *arg)
{
	(void)file;
	(void)why;
	note(arg, "unreadable");
}

static void directories(void)
{
	static const char *const files[] = {
		"box/cur/2", "box/new/1", "box/tmp/3", "box/.Sent/cur/4", "plain/tmp/5", "plain/a", "plain/.hidden",
		"d1/d2/d3/d4/d5/d6/d7/in", "d1/d2/d3/d4/d5/d6/d7/d8/out",
	};
	char *link = g_build_filename(dir, "plain", "link", NULL), *none = g_build_filename(dir, "none", NULL);
	char *locked;
	GString *out = g_string_new(NULL);
	GError *error = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
		g_free(put(files[i], "A: b\n"));
	if (symlink("/etc/passwd", link) < 0)
		g_error("no link");
	locked = put("m", "");
	g_unlink(locked);
	g_free(locked);
	gives(dir, labels, "box/cur/2|box/new/1|d1/d2/d3/d4/d5/d6/d7/in|plain/a|plain/tmp/5|",
	      "by name, without tmp of a Maildir, hidden ones, links and what lies too deep");
	gives(dir, first, "box/cur/2|", "until it is ended");
	ok(vtm_mailbox_walk(none, labels, out, NULL, &error) < 0 && g_error_matches(error, VTM_ERROR, VTM_ERROR_FORMAT),
	   "what is not there is an error");
	g_clear_error(&error);
	ok(vtm_mailbox_walk("/dev/null", labels, out, NULL, &error) < 0, "and so is what is no file");
	g_clear_error(&error);
	if (geteuid() != 0) {
		locked = put("plain/locked", "A: b\n");
		g_chmod(locked, 0);
		ok(vtm_mailbox_walk(dir, first, out, count_bad, NULL) >= 0, "a closed file is passed over");
		g_free(locked);
	}
	g_string_free(out, TRUE);
	g_free(link);
	g_free(none);
}

int main(void)
{
	char rm[] = "rm", flags[] = "-rf", *argv[] = { rm, flags, NULL, NULL };

	dir = g_dir_make_tmp("vtmilter-test-XXXXXX", NULL);
	messages();
	when();
	directories();
	argv[2] = dir;
	g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
	g_free(dir);
	return done_testing();
}
