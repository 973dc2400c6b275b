/* SPDX-License-Identifier: BSD-2-Clause */
/* tap.h - the Test Anything Protocol for the unit tests (https://testanything.org).
 *
 * Any number of checks, then return done_testing() from main.  One thread.
 */
#ifndef TAP_H
#define TAP_H

#include <glib.h>
#include <stdbool.h>

/* One check; <format> says what is checked.  Returns <condition>. */
bool ok(bool condition, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* got == want, both printed when not. NULL is a value. */
bool is_str(const char *got, const char *want, const char *format, ...) G_GNUC_PRINTF(3, 4);
bool is_int(gint64 got, gint64 want, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* A line for people. */
void diag(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* Counts as passed, named as skipped. */
void skip(const char *why, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The whole program cannot run here: prints the plan for that and exits 0. */
void skip_all(const char *why) G_GNUC_NORETURN;
/* Prints the plan; the exit status of the program. */
int done_testing(void);
/* As much memory as there is now, and <more> bytes; -1: all again.  Not for programs built with a sanitizer. */
void limit_memory(gint64 more);
/* A path below the source tree's t/, also in a build elsewhere ($srcdir); new string. */
char *test_path(const char *name);

#endif
