/* SPDX-License-Identifier: BSD-2-Clause */
/* test-mailbox.c - files, mbox, Maildir and directories to messages. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/mailbox.h"
#include "base/error.h"
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
	struct vtm_spool *s = vtm_mail_spool(mail, g_get_tmp_dir(), NULL);
	const char *data;
	size_t len;
	char *text;

	if (!s)
		return g_strdup("gone");
	if (vtm_spool_finish(s, &data, &len) < 0)
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
		{ FROM "A: 1\nContent-Length: 9999\n\nx\n\n" FROM "A: 2\n",
		  "A: 1\r\nContent-Length: 9999\r\n\r\nx\r\n\r\n|A: 2\r\n|", "Content-Length is not believed" },
		{ FROM "A: 1\n\n" FROM "A: 2\n\nb", "A: 1\r\n\r\n|A: 2\r\n\r\nb|", "no line end at the end" },
		{ FROM "A: 1\r\n\r\n>From x\r\n\r\nFrom me to you\r\n\r\n" FROM, "A: 1\r\n\r\nFrom x\r\n\r\nFrom me to you\r\n\r\n||",
		  "CRLF and both kinds of From" },
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
		"box/cur/2", "box/new/1", "box/tmp/3", "box/.Sent/cur/4", "box/.Sent/new/6", "box/.no/7", "box/.hidden",
		"plain/tmp/5", "plain/a", "plain/.hidden", "plain/.Box/cur/8", "plain/.Box/new/9",
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
	gives(dir, labels, "box/new/1|box/.Sent/new/6|box/.Sent/cur/4|box/cur/2|d1/d2/d3/d4/d5/d6/d7/in|plain/a|plain/tmp/5|",
	      "by name, a Maildir's new first and its folders too, without its tmp, hidden ones, links and what lies too deep");
	gives(dir, first, "box/new/1|", "until it is ended");
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

/* ---- what others do meanwhile ---- */

static const char *meddled_file;

static bool cut_after_first(const struct vtm_mail *mail, void *arg)
{
	texts(mail, arg);
	if (mail->number == 1 && truncate(meddled_file, 100000) < 0)
		g_error("not cut");
	return true;
}

static bool cut_before(const struct vtm_mail *mail, void *arg)
{
	if (truncate(meddled_file, 3) < 0)
		g_error("not cut");
	return texts(mail, arg);
}

static bool append(const struct vtm_mail *mail, void *arg)
{
	FILE *f = fopen(meddled_file, "a");

	if (!f || fputs("\n" FROM "A: more\n", f) < 0 || fclose(f) == EOF)
		g_error("not appended");
	return texts(mail, arg);
}

/* The second message in cur gets another name, the third goes. */
static bool rename_others(const struct vtm_mail *mail, void *arg)
{
	char *second = g_build_filename(meddled_file, "cur", "2.b:2,", NULL);
	char *seen = g_build_filename(meddled_file, "cur", "2.b:2,S", NULL);
	char *third = g_build_filename(meddled_file, "cur", "3.c:2,", NULL);

	if (g_str_has_suffix(mail->file, "1.a:2,") && (rename(second, seen) < 0 || g_unlink(third) < 0))
		g_error("not renamed");
	g_free(second);
	g_free(seen);
	g_free(third);
	return texts(mail, arg);
}

static char *big_mbox(void)
{
	GString *text = g_string_new(FROM "A: 1\n\nb\n\n" FROM "A: 2\n\n");

	for (int i = 0; i < 20000; i++)
		g_string_append(text, "a line of text\n");
	g_string_append(text, "\n" FROM "A: 3\n");
	return g_string_free(text, FALSE);
}

static void meddling(void)
{
	char *text = big_mbox(), *mbox = put("big", text), *one = put("one", text + strlen(FROM));
	GString *out = g_string_new(NULL);
	GError *error = NULL;

	meddled_file = mbox;
	ok(vtm_mailbox_walk(mbox, cut_after_first, out, NULL, &error) < 0 && error &&
	   g_str_has_suffix(error->message, "/big: became shorter while it was read"), "an mbox that is cut is an error");
	is_str(out->str, "A: 1\r\n\r\nb\r\n\r\n|", "after what came before");
	g_clear_error(&error);
	g_string_truncate(out, 0);
	meddled_file = one;
	ok(vtm_mailbox_walk(one, cut_before, out, NULL, NULL) == 1, "a message that is cut");
	is_str(out->str, "gone|", "cannot be had");
	g_free(mbox);
	mbox = put("grows", FROM "A: 1\n");
	meddled_file = mbox;
	gives(mbox, append, "A: 1\r\n|", "what is added meanwhile is for the next time");
	gives(mbox, texts, "A: 1\r\n\r\n|A: more\r\n|", "and is whole then");
	g_free(put("md/new/0.x", "A: 0\n"));
	g_free(put("md/cur/1.a:2,", "A: 1\n"));
	g_free(put("md/cur/2.b:2,", "A: 2\n"));
	g_free(put("md/cur/3.c:2,", "A: 3\n"));
	g_free(mbox);
	mbox = g_build_filename(dir, "md", NULL);
	meddled_file = mbox;
	g_string_truncate(out, 0);
	ok(vtm_mailbox_walk(mbox, rename_others, out, NULL, NULL) == 1, "a Maildir that others work on");
	is_str(out->str, "A: 0\r\n|A: 1\r\n|A: 2\r\n|", "new flags do not hide a message, and one that is gone is gone");
	g_string_free(out, TRUE);
	g_free(mbox);
	g_free(one);
	g_free(text);
}

/* Lines about as long as the window, with either end: they come out as they are. */
static void windows(void)
{
	static const char *const ends[] = { "\n", "\r\n", "\r\r\n", "" };
	bool fine = true;

	for (int n = VTM_LINES_WINDOW - 40; n < VTM_LINES_WINDOW + 3; n++)
		for (size_t e = 0; e < G_N_ELEMENTS(ends); e++) {
			char *line = g_strnfill((gsize)n, 'x'), *full = g_strconcat(line, ends[e], "y\n", NULL), *path, *want;
			GString *out = g_string_new(NULL);

			path = put("long", full);
			vtm_mailbox_walk(path, texts, out, NULL, NULL);
			want = g_strconcat(line, e == 2 ? "\r" : "", e == 3 ? "" : "\r\n", "y\r\n|", NULL);
			fine = fine && !strcmp(out->str, want);
			g_string_free(out, TRUE);
			g_free(want);
			g_free(path);
			g_free(full);
			g_free(line);
		}
	ok(fine, "lines of %d bytes, more or less", VTM_LINES_WINDOW);
}

int main(void)
{
	char rm[] = "rm", flags[] = "-rf", *argv[] = { rm, flags, NULL, NULL };

	dir = g_dir_make_tmp("vtmilter-test-XXXXXX", NULL);
	messages();
	when();
	directories();
	meddling();
	windows();
	argv[2] = dir;
	g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
	g_free(dir);
	return done_testing();
}
