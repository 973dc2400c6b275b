/* SPDX-License-Identifier: BSD-2-Clause */
/* log.h - the log: one line an event, to syslog, standard error or the journal.
 *
 * Callers pass text that a message, a server or a file supplied through vtm_log_escape(): control characters, line ends
 * and bytes that are not UTF-8 never reach the log as they are.  The log also searches every line for the secrets of
 * vtm_log_secret(), such as the API key, and replaces them.
 *
 * Any thread.  The lock of the output covers only the write of one finished line.
 */
#ifndef VTM_LOG_H
#define VTM_LOG_H

#include <glib.h>
#include <stdbool.h>

#include "base/clock.h"

enum vtm_severity {	/* in the order of syslog(3) */
	VTM_LOG_ERROR,
	VTM_LOG_WARNING,
	VTM_LOG_NOTICE,
	VTM_LOG_INFO,
	VTM_LOG_DEBUG
};

enum vtm_log_format { VTM_LOG_SYSLOG, VTM_LOG_TEXT, VTM_LOG_JSON };

/* One named value of a line: a member of the object with LogFormat json, else "name=value", in the same order. */
struct vtm_log_field {
	const char *name;	/* documented in vtmilter(8); "": left out, but not the first; NULL ends a list */
	const char *text;	/* escaped when written; NULL: <number> counts */
	gint64 number;
};

/* Opens the log.  <ident> names the program; <facility> is a name of syslog.conf ("mail", "local0" ...), used by
 * VTM_LOG_SYSLOG only.  The other formats write to standard error, with "<N>" in front if that is systemd's journal.
 * Returns false if <facility> is not known.  May be called again, at a reload. */
bool vtm_log_open(const char *ident, enum vtm_log_format format, enum vtm_severity level, const char *facility);
void vtm_log_close(void);
/* Is <facility> known to vtm_log_open()? */
bool vtm_log_facility_known(const char *facility);

/* Sends every line to <sink> instead (tests); NULL ends that.  <line> has neither time nor line end and is valid during
 * the call, which holds no lock. */
typedef void vtm_log_sink(enum vtm_severity, const char *line, void *arg);
void vtm_log_set_sink(vtm_log_sink *sink, void *arg);

/* Sets the clock for the time of lines and for vtm_log_limited() (tests); NULL: the system's. */
void vtm_log_set_clock(const struct vtm_clock *clock);

/* From now on writes "[key]" in place of <secret>.  Copied and kept for the life of the process; at most 16 secrets of
 * at least 8 characters, others are ignored. */
void vtm_log_secret(const char *secret);

/* Are lines of this severity logged? */
bool vtm_log_wants(enum vtm_severity s);

/* Writes one line. */
void vtm_log(enum vtm_severity s, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Writes "<subject>: name=value, name=value".  <subject> is a queue id or the name of a part ("store"), never NULL. */
void vtm_log_event(enum vtm_severity s, const char *subject, const struct vtm_log_field *fields);

/* Writes at most one line of <topic>, a static string, in 60 s; counts the others.  The next line that is written ends
 * with "(N more suppressed)".  At most 64 topics; a line of any further one is always written. */
void vtm_log_limited(enum vtm_severity s, const char *topic, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Makes <text> of <len> bytes (-1: NUL-terminated) safe for one line: keeps valid UTF-8, writes control characters and
 * other bytes as \xNN, doubles backslashes, cuts after <max> bytes and appends "...".  New string. */
char *vtm_log_escape(const char *text, gssize len, gsize max);

#endif
