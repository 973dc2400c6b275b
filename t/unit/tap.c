/* SPDX-License-Identifier: BSD-2-Clause */
/* tap.c - see tap.h. */
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static unsigned run, failed;

static G_GNUC_PRINTF(3, 0) void report(bool passed, const char *note, const char *format, va_list args)
{
	char *text = g_strdup_vprintf(format, args);

	printf("%sok %u - %s%s\n", passed ? "" : "not ", ++run, text, note);
	fflush(stdout);
	failed += !passed;
	g_free(text);
}

bool ok(bool condition, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(condition, "", format, args);
	va_end(args);
	return condition;
}

bool is_str(const char *got, const char *want, const char *format, ...)
{
	bool same = g_strcmp0(got, want) == 0;
	va_list args;

	va_start(args, format);
	report(same, "", format, args);
	va_end(args);
	if (!same)
		diag("got \"%s\", want \"%s\"", got ? got : "(null)", want ? want : "(null)");
	return same;
}

bool is_int(gint64 got, gint64 want, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(got == want, "", format, args);
	va_end(args);
	if (got != want)
		diag("got %" G_GINT64_FORMAT ", want %" G_GINT64_FORMAT, got, want);
	return got == want;
}

void diag(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("# ", stdout);
	vprintf(format, args);
	putchar('\n');
	fflush(stdout);
	va_end(args);
}

void skip(const char *why, const char *format, ...)
{
	char *note = g_strdup_printf(" # SKIP %s", why);
	va_list args;

	va_start(args, format);
	report(true, note, format, args);
	va_end(args);
	g_free(note);
}

void skip_all(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	exit(0);
}

int done_testing(void)
{
	printf("1..%u\n", run);
	return failed || !run;
}

char *test_path(const char *name)
{
	const char *dir = g_getenv("srcdir");

	return g_build_filename(dir ? dir : ".", "t", name, NULL);
}

void limit_memory(gint64 more)
{
	struct rlimit r;
	char *statm;

	getrlimit(RLIMIT_AS, &r);
	r.rlim_cur = r.rlim_max;
	if (more >= 0 && g_file_get_contents("/proc/self/statm", &statm, NULL, NULL)) {
		r.rlim_cur = g_ascii_strtoull(statm, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE) + (rlim_t)more;
		g_free(statm);
	}
	setrlimit(RLIMIT_AS, &r);
}
