/* SPDX-License-Identifier: BSD-2-Clause */
/* sendmail-shim.c - preloaded into a private sendmail: its log goes to a file, its host has a name.
 *
 * sendmail logs only by syslog(3), which a container lacks, and sleeps a minute at start when the host's name has no
 * dot.  Both answers come from the environment as it was at start: VTM_SYSLOG_FILE and VTM_HOSTNAME.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static char log_path[512];
static char host_name[256];

/* sendmail cleans its environment before it logs. */
__attribute__((constructor)) static void remember(void)
{
	const char *path = getenv("VTM_SYSLOG_FILE"), *name = getenv("VTM_HOSTNAME");

	snprintf(log_path, sizeof log_path, "%s", path ? path : "/dev/null");
	snprintf(host_name, sizeof host_name, "%s", name ? name : "localhost.localdomain");
}

__attribute__((format(printf, 1, 0))) static void write_line(const char *format, va_list arguments)
{
	char line[4096];
	int n = vsnprintf(line, sizeof line - 1, format, arguments);
	int fd = open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	if (n > (int)sizeof line - 2)
		n = sizeof line - 2;
	line[n] = '\n';
	if (write(fd, line, (size_t)n + 1) < 0)
		line[0] = '\0';	/* nowhere left to complain to */
	close(fd);
}

EXPORT int gethostname(char *name, size_t size);
EXPORT int gethostname(char *name, size_t size)
{
	snprintf(name, size, "%s", host_name);
	return 0;
}

EXPORT void openlog(const char *ident, int option, int facility)
{
	(void)ident;
	(void)option;
	(void)facility;
}

EXPORT void closelog(void)
{
}

EXPORT void syslog(int priority, const char *format, ...)
{
	va_list arguments;

	(void)priority;
	va_start(arguments, format);
	write_line(format, arguments);
	va_end(arguments);
}

/* What syslog() becomes under _FORTIFY_SOURCE. */
EXPORT void __syslog_chk(int priority, int flag, const char *format, ...) __attribute__((format(printf, 3, 4)));
EXPORT void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list arguments;

	(void)priority;
	(void)flag;
	va_start(arguments, format);
	write_line(format, arguments);
	va_end(arguments);
}
