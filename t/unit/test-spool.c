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
	char *want = g_malloc(total + 1);
	uint64_t memory, file;
	const char *data;
	GError *error = NULL;
	size_t len;

	for (size_t i = 0; i < total; i++)
		want[i] = (char)(i * 7 + i / 256);
	for (size_t at = 0; at < total; at += step)
		vtm_spool_add(s, want + at, MIN(step, total - at), &error);
	ok(!error && vtm_spool_size(s) == total, "%zu bytes by %zu are taken", total, step);
	vtm_spool_totals(&memory, &file);
	ok(in_file == (file > 0), "%s", in_file ? "in a file" : "in memory");
	is_int((gint64)(memory + file), (gint64)total, "counted");
	is_int(files_in(dir), 0, "the file has no name");
	is_int(vtm_spool_finish(s, &data, &len), 0, "finished");
	is_int((gint64)len, (gint64)total, "the length");
	ok(!memcmp(data, want, total), "the same bytes");
	is_int((gint64)held(), (gint64)total, "counted");
	vtm_spool_free(s);
	is_int((gint64)held(), 0, "given back");
	g_free(want);
}

static void too_large(void)
{
	struct vtm_spool *s = vtm_spool_new(dir, 10);
	GError *error = NULL;
	const char *data;
	size_t len;

	is_int(vtm_spool_add(s, "0123456789", 10, &error), 0, "as much as allowed");
	is_int(vtm_spool_add(s, "x", 1, &error), -1, "not a byte more");
	ok(g_error_matches(error, VTM_ERROR, VTM_ERROR_LIMIT), "that is a limit");
	g_clear_error(&error);
	ok(vtm_spool_broken(s), "broken from then on");
	is_int((gint64)held(), 0, "keeps nothing");
	is_int(vtm_spool_add(s, "x", 1, NULL), -1, "refuses more");
	is_int(vtm_spool_finish(s, &data, &len), -1, "and has no message");
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
/* Where there is no memory for a message, it goes to a file. */
static void no_memory(void)
{
	struct vtm_spool *all[64] = { NULL };
	char *block = g_malloc0(VTM_SPOOL_MEMORY);
	uint64_t memory, file;
	unsigned fine = 0;

	limit_memory(8 * VTM_SPOOL_MEMORY);
	for (unsigned n = 0; n < G_N_ELEMENTS(all); n++) {
		all[n] = vtm_spool_new(dir, 0);
		fine += !vtm_spool_add(all[n], block, VTM_SPOOL_MEMORY, NULL);
	}
	limit_memory(-1);
	vtm_spool_totals(&memory, &file);
	is_int(fine, G_N_ELEMENTS(all), "all messages are kept");
	ok(memory && file, "some in memory, and where there is none, in files");
	for (unsigned n = 0; n < G_N_ELEMENTS(all); n++)
		vtm_spool_free(all[n]);
	is_int((gint64)held(), 0, "given back");
	g_free(block);
}
#else
static void no_memory(void)
{
	skip("a sanitizer's shadow is larger than any limit", "no memory for a message");
}
#endif

/* Memory comes from a share; when that is used up, the message goes to a file. */
static void shared(void)
{
	struct vtm_share *share = vtm_share_new(vtm_clock_system(), 4 * VTM_SPOOL_MEMORY);
	struct vtm_spool *one = vtm_spool_new(dir, 0), *two = vtm_spool_new(dir, 0), *other = vtm_spool_new(dir, 0);
	char *block = g_malloc0(2 * VTM_SPOOL_MEMORY);
	uint64_t memory, file;
	const char *data;
	size_t len;

	vtm_spool_share(one, share, "a");
	vtm_spool_share(two, share, "a");
	vtm_spool_share(other, share, "b");
	vtm_spool_add(one, block, 100, NULL);
	is_int((gint64)vtm_share_used(share), 65536, "a short message takes 64 KiB");
	vtm_spool_add(one, block, 2 * VTM_SPOOL_MEMORY - 100, NULL);
	vtm_spool_totals(&memory, &file);
	ok(memory == 2 * VTM_SPOOL_MEMORY && !file, "as much as its share is in memory");
	vtm_spool_add(two, block, 1000, NULL);
	vtm_spool_add(one, "x", 1, NULL);
	vtm_spool_totals(&memory, &file);
	ok(file >= 2 * VTM_SPOOL_MEMORY, "one byte more, and the message is in a file");
	is_int((gint64)vtm_share_used(share), 0, "which gives its share back");
	vtm_spool_add(other, block, 2 * VTM_SPOOL_MEMORY, NULL);
	is_int((gint64)vtm_share_used(share), 2 * VTM_SPOOL_MEMORY, "another user has his own");
	ok(!vtm_spool_finish(one, &data, &len) && len == 2 * VTM_SPOOL_MEMORY + 1 && data[len - 1] == 'x',
	   "read back it is whole");
	ok(!vtm_spool_finish(two, &data, &len) && len == 1000, "so is the one that came meanwhile");
	vtm_spool_free(one);
	vtm_spool_free(two);
	vtm_spool_free(other);
	is_int((gint64)vtm_share_used(share), 0, "and all is given back");
	vtm_share_free(share);
	g_free(block);
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
	shared();
	g_rmdir(dir);
	g_free(dir);
	return done_testing();
}
