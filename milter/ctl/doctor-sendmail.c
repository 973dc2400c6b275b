/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor-sendmail.c - vtmilterctl doctor: vtmilter in sendmail.cf. */
#include <string.h>

#include "ctl/doctor-parts.h"
#include "ctl/doctor-mta.h"

#define SENDMAIL_CF "/etc/mail/sendmail.cf"
#define MC "/etc/mail/sendmail.mc"

/* The defaults of a filter's time limits (Sendmail, milter.c). */
#define DEFAULT_READ_MS 10000
#define DEFAULT_END_MS 300000

/* The value of <key> in "Xname, S=..., T=S:10s;E:5m".  New string; NULL: it has none. */
static char *equate(const char *line, char key)
{
	char **words = g_strsplit(line, ",", -1), *value = NULL;

	for (char **word = words; *word && !value; word++) {
		char *w = g_strstrip(*word);

		if (w[0] == key && w[1] == '=')
			value = g_strdup(w + 2);
	}
	g_strfreev(words);
	return value;
}

/* The time of <field> in "S:10s;E:5m"; a number alone is seconds. */
static int64_t timeout(const char *times, const char *field, int64_t otherwise)
{
	char **words = g_strsplit(times ? times : "", ";", -1);

	for (char **word = words; *word; word++) {
		char *w = g_strstrip(*word);

		if (g_str_has_prefix(w, field))
			otherwise = vtm_doctor_duration_ms(g_strstrip(w + strlen(field)));
	}
	g_strfreev(words);
	return otherwise;
}

/* The right line for sendmail.mc. */
static char *filter_fix(const struct vtm_doctor *d)
{
	return vtm_doctor_line(MC, "INPUT_MAIL_FILTER(`vtmilter', `S=%s, T=C:1m;S:30s;R:30s;E:%" G_GINT64_FORMAT "s')",
			       d->conf->socket, MAX(d->conf->timeout_ms + VTM_DOCTOR_MARGIN_MS, DEFAULT_END_MS) / 1000);
}

/* E: limits the time from the end of the message, whatever progress is reported; R: the time between two reports. */
static void check_timeouts(struct vtm_doctor *d, const char *times)
{
	int64_t end = timeout(times, "E:", DEFAULT_END_MS), read = timeout(times, "R:", DEFAULT_READ_MS);

	if (end < d->conf->timeout_ms + VTM_DOCTOR_MARGIN_MS)
		vtm_doctor_problem(d, "sendmail", filter_fix(d), "T=%s gives up before Timeout %" G_GINT64_FORMAT " s",
				   times ? times : "", d->conf->timeout_ms / 1000);
	else if (read < VTM_DOCTOR_PROGRESS_MS)
		vtm_doctor_problem(d, "sendmail", filter_fix(d), "R:%" G_GINT64_FORMAT "s is too short even though vtmilter "
				   "reports progress", read / 1000);
	else if (read == DEFAULT_READ_MS)
		vtm_doctor_note(d, "sendmail", filter_fix(d), "R: is 10 s, its default, and vtmilter reports progress every 5 s: "
				"little to spare on a busy host");
	else
		vtm_doctor_fine(d, "sendmail", "T=%s is long enough", times ? times : "");
}

static void check_flags(struct vtm_doctor *d, const char *flags)
{
	if (flags && *flags)
		vtm_doctor_problem(d, "sendmail", filter_fix(d), "F=%s: mail is not accepted while vtmilter does not run", flags);
	else
		vtm_doctor_note(d, "sendmail", NULL, "while vtmilter does not run, mail is delivered with forged X-VT-* headers");
}

/* Sendmail does not use a socket in a directory that everybody may write, such as /tmp. */
static void check_safe(struct vtm_doctor *d)
{
	const char *path = vtm_socket_path(d->conf->socket);
	char *dir = path ? g_path_get_dirname(path) : NULL;
	struct stat st;

	while (dir && strcmp(dir, "/") && strcmp(dir, ".")) {
		char *above = g_path_get_dirname(dir);

		if (stat(dir, &st) == 0 && st.st_mode & 002) {
			vtm_doctor_problem(d, "sendmail", vtm_doctor_line(d->conf_path, "Socket local:/run/vtmilter/vtmilter.sock"),
					   "everybody may write to %s: Sendmail refuses a socket below it and does not start", dir);
			g_free(above);
			break;
		}
		g_free(dir);
		dir = above;
	}
	g_free(dir);
}

/* Is the filter among those of "O InputMailFilters=a, b"? */
static void check_listed(struct vtm_doctor *d, const char *name, const char *filters, const char *path)
{
	char **words = g_strsplit(filters ? filters : "", ",", -1);
	bool found = false;

	for (char **word = words; *word && !found; word++)
		found = !strcmp(g_strstrip(*word), name);
	g_strfreev(words);
	if (found)
		vtm_doctor_fine(d, "sendmail", "InputMailFilters has %s", name);
	else
		vtm_doctor_problem(d, "sendmail", filters && *filters ?
				   vtm_doctor_line(path, "O InputMailFilters=%s, %s", filters, name) :
				   vtm_doctor_line(path, "O InputMailFilters=%s", name),
				   "the filter %s is defined but not used: InputMailFilters (%s) does not name it", name,
				   filters && *filters ? filters : "empty");
}

static bool same_socket(const char *a, const char *b)
{
	const char *path = vtm_socket_path(a), *other = vtm_socket_path(b);

	return path && other ? !strcmp(path, other) : !g_ascii_strcasecmp(a, b);
}

static void check_filter(struct vtm_doctor *d, const char *line, const char *filters, const char *path)
{
	char *times = equate(line, 'T'), *flags = equate(line, 'F');
	char *name = g_strstrip(g_strndup(line + 1, strcspn(line + 1, ",")));

	check_listed(d, name, filters, path);
	check_timeouts(d, times);
	check_flags(d, flags);
	check_safe(d);
	g_free(name);
	g_free(times);
	g_free(flags);
}

static const char *filters_of(char *const *lines)
{
	const char *filters = NULL;

	for (; *lines; lines++)
		if (g_str_has_prefix(*lines, "O InputMailFilters="))
			filters = *lines + strlen("O InputMailFilters=");
	return filters;
}

bool vtm_doctor_sendmail(struct vtm_doctor *d, bool postfix)
{
	const char *given = g_getenv("SENDMAIL_CF"), *path = given ? given : SENDMAIL_CF;
	char *text = NULL, **lines;
	bool found = false;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return false;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		char *socket = **line == 'X' ? equate(*line, 'S') : NULL;

		if (socket && same_socket(socket, d->conf->socket)) {
			check_filter(d, *line, filters_of(lines), path);
			found = true;
		}
		g_free(socket);
	}
	if (!found && postfix)	/* the file may be left from a removed package */
		vtm_doctor_note(d, "sendmail", filter_fix(d), "%s does not name our Socket", path);
	else if (!found)
		vtm_doctor_problem(d, "sendmail", filter_fix(d), "%s does not name our Socket", path);
	g_strfreev(lines);
	g_free(text);
	return true;
}
