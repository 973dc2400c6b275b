/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor-finding.c - vtmilterctl doctor: prints findings, each with what to change. */
#include <stdarg.h>
#include <stdio.h>

#include "ctl/doctor.h"

#define TEXT_MAX 2000

enum result { FINE, NOTE, PROBLEM };

static void put_text(const struct vtm_doctor *d, enum result result, const char *word, const char *check,
		     const char *fix, const char *text)
{
	static const char *const colors[] = { "\033[32m", "\033[33m", "\033[1;31m" };
	char *safe = vtm_ctl_safe(text, TEXT_MAX), *safe_fix = vtm_ctl_safe(fix, TEXT_MAX);

	printf("%s%-8s%s %-10s %s\n", d->c->color ? colors[result] : "", word, d->c->color ? "\033[m" : "", check, safe);
	if (fix)
		printf("%20s-> %s\n", "", safe_fix);
	g_free(safe_fix);
	g_free(safe);
}

static G_GNUC_PRINTF(5, 0)
void put(struct vtm_doctor *d, enum result result, const char *check, char *fix, const char *format, va_list args)
{
	static const char *const words[] = { "ok", "note", "problem" };
	char *text = g_strdup_vprintf(format, args);

	d->problems += result == PROBLEM;
	if (d->c->json) {
		struct vtm_json *j = vtm_json_new();

		vtm_json_text(j, "check", check);
		vtm_json_text(j, "result", words[result]);
		vtm_json_text(j, "text", text);
		vtm_json_text(j, "fix", fix);
		vtm_ctl_put_json(j);
	} else {
		put_text(d, result, words[result], check, fix, text);
	}
	g_free(text);
	g_free(fix);
}

void vtm_doctor_fine(struct vtm_doctor *d, const char *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(d, FINE, check, NULL, format, args);
	va_end(args);
}

void vtm_doctor_note(struct vtm_doctor *d, const char *check, char *fix, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(d, NOTE, check, fix, format, args);
	va_end(args);
}

void vtm_doctor_problem(struct vtm_doctor *d, const char *check, char *fix, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(d, PROBLEM, check, fix, format, args);
	va_end(args);
}

static G_GNUC_PRINTF(2, 0)
char *fix_of_kind(const char *kind, const char *format, va_list args)
{
	char *what = g_strdup_vprintf(format, args), *fix = g_strconcat(kind, ": ", what, NULL);

	g_free(what);
	return fix;
}

char *vtm_doctor_line(const char *file, const char *format, ...)
{
	va_list args;
	char *fix;

	va_start(args, format);
	fix = fix_of_kind(file, format, args);
	va_end(args);
	return fix;
}

char *vtm_doctor_run(const char *format, ...)
{
	va_list args;
	char *fix;

	va_start(args, format);
	fix = fix_of_kind("run", format, args);
	va_end(args);
	return fix;
}
