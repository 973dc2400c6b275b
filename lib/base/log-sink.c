/* SPDX-License-Identifier: BSD-2-Clause */
/* log-sink.c - where lines of the log go: syslog, standard error, the journal, or a test. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/log-parts.h"

/* The name of a severity in text and JSON lines, and its priority in syslog(3). */
static const struct {
	const char *name;
	int priority;
} severities[] = {
	[VTM_LOG_ERROR] = { "error", LOG_ERR },
	[VTM_LOG_WARNING] = { "warning", LOG_WARNING },
	[VTM_LOG_NOTICE] = { "notice", LOG_NOTICE },
	[VTM_LOG_INFO] = { "info", LOG_INFO },
	[VTM_LOG_DEBUG] = { "debug", LOG_DEBUG },
};

static const struct {
	const char *name;
	int facility;
} facilities[] = {
	{ "auth", LOG_AUTH }, { "authpriv", LOG_AUTHPRIV }, { "cron", LOG_CRON }, { "daemon", LOG_DAEMON },
	{ "ftp", LOG_FTP }, { "lpr", LOG_LPR }, { "mail", LOG_MAIL }, { "news", LOG_NEWS },
	{ "syslog", LOG_SYSLOG }, { "user", LOG_USER }, { "uucp", LOG_UUCP }, { "local0", LOG_LOCAL0 },
	{ "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 }, { "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 },
	{ "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
};

/* Read without a lock at every call; a line that is being written may still use the old value. */
static int level = VTM_LOG_INFO;
static int out_format = VTM_LOG_TEXT;
static int to_journal;

/* Covers everything below, and the write of one finished line. */
static GMutex lock;
static char *log_ident;
static vtm_log_sink *log_sink;
static void *log_sink_arg;
static const struct vtm_clock *log_clock;

const struct vtm_clock *vtm_log_clock(void)
{
	const struct vtm_clock *c;

	g_mutex_lock(&lock);
	c = log_clock;
	g_mutex_unlock(&lock);
	return c ? c : vtm_clock_system();
}

void vtm_log_set_clock(const struct vtm_clock *clock)
{
	g_mutex_lock(&lock);
	log_clock = clock;
	g_mutex_unlock(&lock);
}

/* -1: there is no such facility. */
static int facility_number(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(facilities); i++)
		if (!g_ascii_strcasecmp(facilities[i].name, name))
			return facilities[i].facility;
	return -1;
}

bool vtm_log_facility_known(const char *facility)
{
	return facility_number(facility) >= 0;
}

/* Does standard error lead to systemd's journal?  That takes the severity from "<N>" at the start of a line
 * (systemd.exec(5), JOURNAL_STREAM; sd-daemon(3)). */
static bool is_journal(void)
{
	const char *stream = g_getenv("JOURNAL_STREAM");
	struct stat st;
	char *ours;
	bool same;

	if (!stream || fstat(STDERR_FILENO, &st))
		return false;
	ours = g_strdup_printf("%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	same = !strcmp(stream, ours);
	g_free(ours);
	return same;
}

bool vtm_log_open(const char *ident, enum vtm_log_format format, enum vtm_severity s, const char *facility)
{
	int number = facility_number(facility);
	char *old;

	if (number < 0)
		return false;
	g_mutex_lock(&lock);
	old = log_ident;
	log_ident = g_strdup(ident);
	closelog();
	if (format == VTM_LOG_SYSLOG)	/* openlog() keeps the pointer */
		openlog(log_ident, LOG_PID | LOG_NDELAY, number);
	g_free(old);
	g_mutex_unlock(&lock);
	g_atomic_int_set(&to_journal, is_journal());
	g_atomic_int_set(&level, (int)s);
	g_atomic_int_set(&out_format, (int)format);
	return true;
}

void vtm_log_close(void)
{
	g_mutex_lock(&lock);
	closelog();
	g_clear_pointer(&log_ident, g_free);
	g_mutex_unlock(&lock);
	g_atomic_int_set(&level, VTM_LOG_INFO);
	g_atomic_int_set(&out_format, VTM_LOG_TEXT);
}

void vtm_log_set_sink(vtm_log_sink *sink, void *arg)
{
	g_mutex_lock(&lock);
	log_sink = sink;
	log_sink_arg = arg;
	g_mutex_unlock(&lock);
}

bool vtm_log_wants(enum vtm_severity s)
{
	return (int)s <= g_atomic_int_get(&level);
}

enum vtm_log_format vtm_log_format(void)
{
	return (enum vtm_log_format)g_atomic_int_get(&out_format);
}

const char *vtm_log_severity_name(enum vtm_severity s)
{
	return severities[s].name;
}

char *vtm_log_time(void)
{
	int64_t ms = vtm_utc_ms(vtm_log_clock());
	GDateTime *t = g_date_time_new_from_unix_utc(ms / 1000);
	char *second = t ? g_date_time_format(t, "%Y-%m-%dT%H:%M:%S") : g_strdup("-");
	char *text = g_strdup_printf("%s.%03dZ", second, (int)(ms % 1000));

	g_free(second);
	if (t)
		g_date_time_unref(t);
	return text;
}

char *vtm_log_ident(void)
{
	char *ident;

	g_mutex_lock(&lock);
	ident = g_strdup(log_ident ? log_ident : "vtmilter");
	g_mutex_unlock(&lock);
	return ident;
}

static void write_stderr(const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(STDERR_FILENO, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)	/* there is no other place to report it */
			return;
		text += n;
		len -= (size_t)n;
	}
}

void vtm_log_write(enum vtm_severity s, enum vtm_log_format format, const char *line)
{
	char priority[8] = "", *full = NULL;
	vtm_log_sink *sink;
	void *arg;

	if (g_atomic_int_get(&to_journal))
		g_snprintf(priority, sizeof(priority), "<%d>", severities[s].priority);

	if (format == VTM_LOG_TEXT) {
		char *when = vtm_log_time(), *ident = vtm_log_ident();

		full = g_strdup_printf("%s%s %s[%ld] %s: %s\n", priority, when, ident, (long)getpid(),
				       severities[s].name, line);
		g_free(ident);
		g_free(when);
	} else if (format == VTM_LOG_JSON) {
		full = g_strconcat(priority, line, "\n", NULL);
	}
	g_mutex_lock(&lock);
	sink = log_sink;
	arg = log_sink_arg;
	if (!sink && full)
		write_stderr(full, strlen(full));
	else if (!sink)
		syslog(severities[s].priority, "%s", line);
	g_mutex_unlock(&lock);
	if (sink)
		sink(s, line, arg);
	g_free(full);
}
