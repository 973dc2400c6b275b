/* SPDX-License-Identifier: BSD-2-Clause */
/* log.h - the log.  Base layer.
 *
 * One line an event.  Text that a message, a server or a file supplied goes
 * through vtm_log_escape() (or a "%s" argument that did): control characters,
 * bytes that are not UTF-8 and line ends never reach a log raw.  The API key
 * never does at all: vtm_log_secret() registers it and every line is searched
 * for it before it leaves.
 *
 * All functions may be called from any thread.  The sink's lock covers nothing
 * but the write of one finished line.
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

/* One named value of a structured line (LogFormat json); in the other formats
 * the fields are written as name=value in the same order. */
struct vtm_log_field {
	const char *name;	/* stable, documented in vtmilter(8); "": left out (not the first one); NULL ends a list */
	const char *text;	/* used when not NULL; escaped by the sink */
	gint64 number;		/* used otherwise */
};

/* Opens the log.  <ident> names the program; <facility> as in syslog.conf
 * ("mail", "local0" ...), used by VTM_LOG_SYSLOG only.  The text and json formats
 * write to standard error, with "<N>" in front if that is the journal of systemd.  Returns false if <facility> is not
 * known.  May be called again (reload). */
bool vtm_log_open(const char *ident, enum vtm_log_format format, enum vtm_severity level,
		  const char *facility);
void vtm_log_close(void);
/* Is <facility> known to vtm_log_open()? */
bool vtm_log_facility_known(const char *facility);

/* Sends every line to <sink> instead (tests); NULL takes that back.  <line> comes without time and
 * line end and lives during the call, which holds no lock. */
typedef void vtm_log_sink(enum vtm_severity, const char *line, void *arg);
void vtm_log_set_sink(vtm_log_sink *sink, void *arg);

/* The time of lines and of vtm_log_limited() (tests); NULL: the system's. */
void vtm_log_set_clock(const struct vtm_clock *clock);

/* Lines that contain <secret> get "[key]" in its place.  Copied; at most 16 secrets,
 * of at least 8 characters; kept for the life of the process. */
void vtm_log_secret(const char *secret);

/* Is anything logged at this severity? */
bool vtm_log_wants(enum vtm_severity s);

void vtm_log(enum vtm_severity s, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The same, with fields: "<subject>: name=value, name=value".  <subject> is a queue id or
 * a part's name ("store"), never NULL. */
void vtm_log_event(enum vtm_severity s, const char *subject, const struct vtm_log_field *fields);

/* Like vtm_log(), but a line of the same <topic> (a static string) that comes
 * within 60 s of the last is counted and not written; the next one that is written ends
 * with "(N more suppressed)".  At most 64 topics. */
void vtm_log_limited(enum vtm_severity s, const char *topic, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/* <text> of <len> bytes (-1: NUL-terminated) made safe for one line: valid UTF-8 is kept,
 * control characters and other bytes become \xNN, a backslash is doubled, more than
 * <max> bytes are cut ("..." appended).  New string, g_free(). */
char *vtm_log_escape(const char *text, gssize len, gsize max);

#endif
