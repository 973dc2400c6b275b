/* SPDX-License-Identifier: BSD-2-Clause */
/* ctl-doctor-mta.c - vtmilterctl doctor: does the MTA reach the milter, wait long enough, and deliver without it? */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl-doctor.h"

#define SENDMAIL_CF "/etc/mail/sendmail.cf"
#define MARGIN_MS 30000		/* what reading a message may take besides the wait */
#define PROGRESS_MS 30000	/* an MTA that waits for a sign of life less than this gives up on slow disks */
#define GROUPS_MAX 1024
#define POSTCONF_MAX 65536

/* ---- Postfix's settings ---- */

static const char *const names[] = {
	"mail_owner", "queue_directory", "smtpd_milters", "non_smtpd_milters", "milter_default_action", "milter_protocol",
	"milter_content_timeout", "milter_command_timeout", "ipc_timeout", "header_checks",
};

/* "name = value" lines of postconf -x to a table; NULL: there is no Postfix. */
static GHashTable *postconf(void)
{
	char *argv[G_N_ELEMENTS(names) + 3] = { (char *)(uintptr_t)"postconf", (char *)(uintptr_t)"-x" };
	char *out = NULL, **lines;
	GHashTable *t;
	int status;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		argv[i + 2] = (char *)(uintptr_t)names[i];
	if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out, NULL, &status,
			  NULL))
		return NULL;
	if (status || strlen(out) > POSTCONF_MAX) {
		g_free(out);
		return NULL;
	}
	t = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	lines = g_strsplit(out, "\n", -1);
	for (char **line = lines; *line; line++) {
		char **pair = g_strsplit(*line, "=", 2);

		if (pair[0] && pair[1])
			g_hash_table_replace(t, g_strdup(g_strstrip(pair[0])), g_strdup(g_strstrip(pair[1])));
		g_strfreev(pair);
	}
	g_strfreev(lines);
	g_free(out);
	return t;
}

static const char *get(GHashTable *t, const char *name)
{
	const char *value = g_hash_table_lookup(t, name);

	return value ? value : "";
}

/* Postfix's and Sendmail's durations: a number and s, m, h, d or w; without one <unit>.  -1: none. */
static int64_t duration(const char *text, char unit)
{
	char *end;
	guint64 n = g_ascii_strtoull(text, &end, 10);

	if (end == text || n > G_MAXINT32)
		return -1;
	switch (*end ? *end : unit) {
	case 's':
		return (int64_t)n * 1000;
	case 'm':
		return (int64_t)n * 60000;
	case 'h':
		return (int64_t)n * 3600000;
	case 'd':
		return (int64_t)n * 86400000;
	case 'w':
		return (int64_t)n * 604800000;
	default:
		return -1;
	}
}

static char *postconf_fix(const char *name, const char *value)
{
	return g_strdup_printf("postconf -e '%s = %s' && postfix reload", name, value);
}

/* ---- does it wait long enough? ---- */

static void check_timeouts(struct vtm_doctor *d, GHashTable *t)
{
	int64_t content = duration(get(t, "milter_content_timeout"), 's');
	int64_t command = duration(get(t, "milter_command_timeout"), 's');
	int64_t ipc = duration(get(t, "ipc_timeout"), 's'), need = d->conf->timeout_ms + MARGIN_MS;
	char *seconds = g_strdup_printf("%" G_GINT64_FORMAT "s", need / 1000);

	if (content >= 0 && content < PROGRESS_MS)
		vtm_doctor_problem(d, "postfix", postconf_fix("milter_content_timeout", "300s"),
				   "milter_content_timeout is %s: too short even with the signs of life we send",
				   get(t, "milter_content_timeout"));
	else if (content >= 0 && content < need)
		vtm_doctor_note(d, "postfix", "milter_content_timeout %s is less than Timeout %" G_GINT64_FORMAT
				" s; signs of life keep it waiting", get(t, "milter_content_timeout"),
				d->conf->timeout_ms / 1000);
	else if (content >= 0)
		vtm_doctor_fine(d, "postfix", "milter_content_timeout is %s", get(t, "milter_content_timeout"));
	if (command >= 0 && command < PROGRESS_MS / 3)
		vtm_doctor_problem(d, "postfix", postconf_fix("milter_command_timeout", "30s"),
				   "milter_command_timeout is %s", get(t, "milter_command_timeout"));
	if (ipc >= 0 && ipc < need)
		vtm_doctor_problem(d, "postfix", postconf_fix("ipc_timeout", seconds),
				   "ipc_timeout is %s: Postfix gives up before Timeout, whatever signs of life it sees",
				   get(t, "ipc_timeout"));
	g_free(seconds);
}

static void check_action(struct vtm_doctor *d, GHashTable *t)
{
	const char *action = get(t, "milter_default_action"), *protocol = get(t, "milter_protocol");

	if (!strcmp(action, "accept"))
		vtm_doctor_fine(d, "postfix", "milter_default_action is accept: mail comes through without us");
	else
		vtm_doctor_problem(d, "postfix", postconf_fix("milter_default_action", "accept"),
				   "milter_default_action is %s: no mail comes in while the milter is down", action);
	if (!strcmp(action, "accept") && !strstr(get(t, "header_checks"), "header_checks"))
		vtm_doctor_note(d, "postfix", "while the milter is down, forged X-VT-* headers come through; "
				"contrib/postfix/header_checks stops them");
	if (*protocol && duration(protocol, 's') < 6000)
		vtm_doctor_problem(d, "postfix", postconf_fix("milter_protocol", "6"), "milter_protocol is %s", protocol);
	if (!*get(t, "non_smtpd_milters"))
		vtm_doctor_note(d, "postfix", "non_smtpd_milters is empty: mail by sendmail(1) is not scanned");
}

/* ---- does it reach us? ---- */

static const char *local_path(const char *socket)
{
	if (g_str_has_prefix(socket, "local:"))
		return socket + strlen("local:");
	if (g_str_has_prefix(socket, "unix:"))
		return socket + strlen("unix:");
	return NULL;
}

/* Our socket in Postfix's words: "unix:/path", "inet:host:port".  New string; NULL: fd:. */
static char *postfix_name(const char *socket)
{
	const char *path = local_path(socket), *at = strchr(socket, '@'), *colon = strchr(socket, ':');

	if (path)
		return g_strconcat("unix:", path, NULL);
	if (!at || !colon || colon > at)
		return NULL;
	return g_strdup_printf(strchr(at, ':') ? "inet:[%s]:%.*s" : "inet:%s:%.*s", at + 1, (int)(at - colon - 1), colon + 1);
}

/* Does smtpd_milters name our socket, perhaps relative to the queue directory? */
static bool named(const char *milters, const char *name, const char *queue)
{
	char **words = g_strsplit_set(milters, ", {}", -1);
	bool found = false;

	for (char **word = words; *word && !found; word++) {
		char *full = g_str_has_prefix(*word, "unix:") && (*word)[5] != '/' ?
			     g_strdup_printf("unix:%s/%s", queue, *word + 5) : g_strdup(*word);

		found = !strcmp(full, name);
		g_free(full);
	}
	g_strfreev(words);
	return found;
}

static void check_named(struct vtm_doctor *d, GHashTable *t)
{
	char *name = postfix_name(d->conf->socket);

	if (!name)
		return;
	if (named(get(t, "smtpd_milters"), name, get(t, "queue_directory")))
		vtm_doctor_fine(d, "postfix", "smtpd_milters has %s", name);
	else
		vtm_doctor_problem(d, "postfix", postconf_fix("smtpd_milters", name),
				   "smtpd_milters (%s) does not name our Socket", *get(t, "smtpd_milters") ?
				   get(t, "smtpd_milters") : "empty");
	g_free(name);
}

/* A user with his groups. */
struct account {
	uid_t uid;
	gid_t groups[GROUPS_MAX];
	int n;
};

static bool find_account(const char *name, struct account *a)
{
	struct passwd *pw = getpwnam(name);

	if (!pw)
		return false;
	a->uid = pw->pw_uid;
	a->n = GROUPS_MAX;
	return getgrouplist(name, pw->pw_gid, a->groups, &a->n) >= 0;
}

/* May <a> do what the low three bits <want> say?  (Mode bits; an access list may allow more.) */
static bool allowed(const struct stat *st, const struct account *a, mode_t want)
{
	if (a->uid == 0)
		return true;
	if (st->st_uid == a->uid)
		return (st->st_mode >> 6 & want) == want;
	for (int i = 0; i < a->n; i++)
		if (st->st_gid == a->groups[i])
			return (st->st_mode >> 3 & want) == want;
	return (st->st_mode & want) == want;
}

/* The first directory above <path> that <a> may not search.  New string, NULL: none. */
static char *closed_directory(const char *path, const struct account *a)
{
	char *dir = g_path_get_dirname(path), *above;
	struct stat st;

	for (;;) {
		if (stat(dir, &st) < 0 || !allowed(&st, a, 1))
			return dir;
		if (!strcmp(dir, "/"))
			break;
		above = g_path_get_dirname(dir);
		g_free(dir);
		dir = above;
	}
	g_free(dir);
	return NULL;
}

static void check_access(struct vtm_doctor *d, const char *user)
{
	const char *path = local_path(d->conf->socket);
	const char *group = d->conf->socket_group ? d->conf->socket_group : d->conf->user ? d->conf->user : "vtmilter";
	struct account a;
	struct stat st;
	char *closed;

	if (!path || !*user)
		return;
	if (!find_account(user, &a)) {
		vtm_doctor_note(d, "socket", "there is no user %s on this host", user);
		return;
	}
	closed = closed_directory(path, &a);
	if (closed)
		vtm_doctor_problem(d, "socket", g_strdup_printf("usermod -a -G %s %s, and chmod g+x %s", group, user, closed),
				   "user %s may not search %s", user, closed);
	else if (stat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
		vtm_doctor_problem(d, "socket", g_strdup("systemctl start vtmilter"), "there is no socket at %s", path);
	else if (!allowed(&st, &a, 2))
		vtm_doctor_problem(d, "socket", g_strdup_printf("usermod -a -G %s %s, and restart the MTA", group, user),
				   "user %s may not write to %s (mode %04o)", user, path, (unsigned)(st.st_mode & 07777));
	else
		vtm_doctor_fine(d, "socket", "user %s can reach %s", user, path);
	g_free(closed);
}

/* ---- Sendmail ---- */

/* The value of <key> in "Xname, S=..., T=S:10s;E:5m".  New string, NULL: none. */
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

static int64_t end_timeout(const char *times)
{
	char **words = g_strsplit(times ? times : "", ";", -1);
	int64_t ms = 300000;	/* Sendmail's default */

	for (char **word = words; *word; word++)
		if (g_str_has_prefix(*word, "E:"))
			ms = duration(*word + 2, 'm');
	g_strfreev(words);
	return ms;
}

/* Sendmail's E: counts from the end of the message, whatever signs of life it sees. */
static void check_sendmail_line(struct vtm_doctor *d, const char *line)
{
	char *times = equate(line, 'T'), *flags = equate(line, 'F');
	int64_t need = d->conf->timeout_ms + MARGIN_MS;

	if (end_timeout(times) < need)
		vtm_doctor_problem(d, "sendmail", g_strdup_printf("INPUT_MAIL_FILTER(`vtmilter', `S=%s, T=S:30s;R:30s;E:%"
								  G_GINT64_FORMAT "s')", d->conf->socket, need / 1000),
				   "T=%s gives up before Timeout %" G_GINT64_FORMAT " s", times ? times : "",
				   d->conf->timeout_ms / 1000);
	else
		vtm_doctor_fine(d, "sendmail", "T=%s is long enough", times ? times : "");
	if (flags && *flags)
		vtm_doctor_problem(d, "sendmail", g_strdup_printf("INPUT_MAIL_FILTER(`vtmilter', `S=%s, T=S:30s;R:30s;E:%"
								  G_GINT64_FORMAT "s')", d->conf->socket, need / 1000),
				   "F=%s: mail is refused while the milter is down", flags);
	g_free(times);
	g_free(flags);
}

static bool check_sendmail(struct vtm_doctor *d, const char *path)
{
	char *text = NULL, **lines;
	bool found = false;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return false;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		char *socket = **line == 'X' ? equate(*line, 'S') : NULL;

		if (socket && !strcmp(socket, d->conf->socket)) {
			check_sendmail_line(d, *line);
			found = true;
		}
		g_free(socket);
	}
	if (!found)
		vtm_doctor_note(d, "sendmail", "%s does not name our Socket", path);
	g_strfreev(lines);
	g_free(text);
	return true;
}

void vtm_doctor_mta(struct vtm_doctor *d)
{
	const char *cf = g_getenv("SENDMAIL_CF");
	GHashTable *t = postconf();
	bool sendmail = check_sendmail(d, cf ? cf : SENDMAIL_CF);

	if (t) {
		check_named(d, t);
		check_access(d, get(t, "mail_owner"));
		check_timeouts(d, t);
		check_action(d, t);
		g_hash_table_destroy(t);
	} else if (!sendmail) {
		vtm_doctor_note(d, "mta", "neither Postfix nor Sendmail is installed here");
	}
}
