/* SPDX-License-Identifier: BSD-2-Clause */
/* log-parts.h - what the files of the log share; nobody else includes it.  Any thread. */
#ifndef VTM_LOG_PARTS_H
#define VTM_LOG_PARTS_H

#include "base/log.h"

#define VTM_LOG_TEXT_MAX 4096	/* bytes of one message or field; the rest is cut */

/* ---- log-escape.c ---- */

/* Appends <text> as vtm_log_escape() does.  Characters of <special> get a backslash in front. */
void vtm_log_escape_into(GString *out, const char *text, size_t len, size_t max, const char *special);
/* Append a member to an object that begins with "{". */
void vtm_log_json_text(GString *out, const char *name, const char *text);
void vtm_log_json_number(GString *out, const char *name, gint64 number);

/* ---- log-sink.c ---- */

/* The format of vtm_log_open(). */
enum vtm_log_format vtm_log_format(void);
/* The clock of vtm_log_set_clock(). */
const struct vtm_clock *vtm_log_clock(void);
const char *vtm_log_severity_name(enum vtm_severity s);
/* The time and the program's name as they stand in a line.  New strings. */
char *vtm_log_time(void);
char *vtm_log_ident(void);
/* Writes one finished line, without secrets, time and line end, in <format>. */
void vtm_log_write(enum vtm_severity s, enum vtm_log_format format, const char *line);

#endif
