/* SPDX-License-Identifier: BSD-2-Clause */
/* test-spool.c - a message in memory, in a file, too large, and on a full disk. */
#include "mail/spool.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "decode/decode-parts.h"	/* VTM_SANITIZED */
#include "base/error.h"
#include "tap.h"

static char *dir;

static unsigned files_in(const char *path)
{
	GDir *d = g_dir_open(path, 0, NULL);
	unsigned n = 0;

	while (g_dir_read_name(d))
		n++;
	g_dir_close(d);
	return n;
}

static uint64_t held(void)
{
	uint64_t memory, file;

	vtm_spool_totals(&memory, &file);
	return memory + file;
}

/* Fills with <total> bytes, <step> at a time, and reads them back. */
static void round_trip(size_t total, size_t step, bool in_file)
{
	struct vtm_spool *s = vtm_spool_new(dir, 0);
	char *want = g_malloc(total + 1), *got = g_malloc(total + 1);
	const char *data;
	GError *error = NULL;
	size_t len;
	int fd;

	for (size_t i = 0; i < total; i++)
		want[i] = (char)(i * 7 + i / 256);
	for (size_t at = 0; at < total; at += step)
		vtm_spool_add(s, want + at, MIN(step, total - at), &error);
	ok(!error && vtm_spool_size(s) == total, "%zu bytes by %zu are taken", total, step);
	is_int(vtm_spool_finish(s, &data, &len, &fd), 0, "finished");
	is_int((gint64)len, (gint64)total, "the length");
	ok(in_file == (fd >= 0) && in_file == !data, "%s", in_file ? "in a file" : "in memory");
	if (in_file)
		ok(read(fd, got, total + 1) == (ssize_t)total && !memcmp(got, want, total), "the same bytes");
	else
		ok(!memcmp(data, want, total), "the same bytes");
	is_int((gint64)held(), (gint64)total, "counted");
	is_int(files_in(dir), 0, "the file has no name");
	vtm_spool_free(s);
	is_int((gint64)held(), 0, "given back");
	g_free(want);
	g_free(got);
}

static void too_large(void)
{
	struct vtm_spool *s = vtm_spool_new(dir, 10);
	GError *error = NULL;
	const char *data;
	size_t len;
	int fd;

	is_int(vtm_spool_add(s, "0123456789", 10, &error), 0, "as much as allowed");
	is_int(vtm_spool_add(s, "x", 1, &error), -1, "not a byte more");
	ok(g_error_matches(error, VTM_ERROR, VTM_ERROR_LIMIT), "that is a limit");
	g_clear_error(&error);
	ok(vtm_spool_broken(s), "broken from then on");
	is_int((gint64)held(), 0, "keeps nothing");
	is_int(vtm_spool_add(s, "x", 1, NULL), -1, "refuses more");
	is_int(vtm_spool_finish(s, &data, &len, &fd), -1, "and has no message");
	vtm_spool_free(s);
}

static void no_disk(const char *where)
{
	struct vtm_spool *s = vtm_spool_new(where, 0);
	char *block = g_malloc0(VTM_SPOOL_MEMORY);
	GError *error = NULL;

	is_int(vtm_spool_add(s, block, VTM_SPOOL_MEMORY, &error), 0, "memory needs no disk");
	is_int(vtm_spool_add(s, "x", 1, &error), -1, "a file cannot be made in %s", where);
	ok(g_error_matches(error, VTM_ERROR, VTM_ERROR_IO), "that is told");
	is_int((gint64)held(), 0, "keeps nothing");
	g_clear_error(&error);
	vtm_spool_free(s);
	g_free(block);
}

#if !defined(VTM_SANITIZED)
/* Messages are kept as long as there is room for them; the one that has none is broken, and told so. */
static void no_memory(void)
{
	struct vtm_spool *all[64] = { NULL };
	char *block = g_malloc0(VTM_SPOOL_MEMORY);
	GError *error = NULL;
	unsigned n = 0;

	limit_memory(8 * VTM_SPOOL_MEMORY);
	for (; n < G_N_ELEMENTS(all) && !error; n++) {
		all[n] = vtm_spool_new(dir, 0);
		vtm_spool_add(all[n], block, VTM_SPOOL_MEMORY, &error);
	}
	limit_memory(-1);
	ok(g_error_matches(error, VTM_ERROR, VTM_ERROR_IO), "no memory for a message after some: that is told");
	g_clear_error(&error);
	ok(vtm_spool_broken(all[n - 1]) && !vtm_spool_broken(all[0]), "the last of %u is broken, the first is not", n);
	is_int((gint64)held(), (gint64)(n - 1) * VTM_SPOOL_MEMORY, "all but the last are held");
	for (unsigned i = 0; i < n; i++)
		vtm_spool_free(all[i]);
	is_int((gint64)held(), 0, "given back");
	g_free(block);
}
#else
static void no_memory(void)
{
	skip("a sanitizer's shadow is larger than any limit", "no memory for a message");
}
#endif

/* Files as an MTA would hand them over. */
static void mail_files(void)
{
	static const struct {
		const char *what, *file, *want;
	} cases[] = {
		{ "line ends", "A: b\nC: d\n e\n\ntext\n", "A: b\r\nC: d\r\n e\r\n\r\ntext\r\n" },
		{ "mbox line", "From me\nA: b\n\n", "A: b\r\n\r\n" },
		{ "no end", "A: b\n\ntext", "A: b\r\n\r\ntext\r\n" },
		{ "CRLF stays", "A: b\r\n\r\nx\r\n", "A: b\r\n\r\nx\r\n" },
		{ "a body without an empty line", "A: b\n--x\nt: u\n", "A: b\r\n\r\n--x\r\nt: u\r\n" },
		{ "a line of blanks ends the header", "A: b\n \n--x\n", "A: b\r\n\r\n--x\r\n" },
		{ "nothing but text", "hello\n", "\r\nhello\r\n" },
		{ "nothing", "", "" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct vtm_spool *s = vtm_spool_new(dir, 0);
		const char *data = NULL;
		char *got;
		size_t len = 0;
		int fd;

		ok(vtm_spool_add_mail(s, cases[i].file, strlen(cases[i].file), NULL) == 0 &&
		   vtm_spool_finish(s, &data, &len, &fd) == 0, "read: %s", cases[i].what);
		got = g_strndup(data ? data : "", data ? len : 0);
		is_str(got, cases[i].want, "as handed over: %s", cases[i].what);
		g_free(got);
		vtm_spool_free(s);
	}
}

int main(void)
{
	dir = g_dir_make_tmp("vtm-spool-XXXXXX", NULL);
	round_trip(0, 1, false);
	round_trip(1000, 1, false);
	round_trip(VTM_SPOOL_MEMORY, 65535, false);
	round_trip(VTM_SPOOL_MEMORY + 1, 65535, true);
	round_trip(VTM_SPOOL_MEMORY + 100000, 999, true);
	round_trip(5 * VTM_SPOOL_MEMORY, 2 * VTM_SPOOL_MEMORY, true);
	too_large();
	no_disk("/nonexistent");
	no_disk("/proc");
	no_memory();
	mail_files();
	g_rmdir(dir);
	g_free(dir);
	return done_testing();
}
