/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor-host.c - vtmilterctl doctor: the daemon, its store, lists and directories, and what this host is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "ctl/doctor-parts.h"
#include "mail/mime.h"

#define HISTORY_YOUNG_DAYS 7	/* below it vtmilterctl learn is proposed */
#define USER_USUAL "vtmilter"
#define ROOM_LEAST (64 * 1024 * 1024)
#define FILES_BESIDES 100	/* descriptors for everything but mail */
#define FILES_SESSION 4		/* the MTA, the spool, a decoder, and one to spare */
#define SESSIONS_USUAL 200	/* smtpd and cleanup of a Postfix at its default_process_limit */
#define LIST_MAX (64 * 1024 * 1024)

/* ---- the daemon ---- */

/* Whom the daemon runs as, by what it says or whose its socket is; else whom it would. */
static void find_user(struct vtm_doctor *d)
{
	int64_t uid = -1;
	struct stat st;

	if (d->status && vtm_json_get_int(d->status, "process.uid", &uid) && uid >= 0)
		vtm_account_of(&d->user, (uid_t)uid);
	else if (d->conf->control_socket && !stat(d->conf->control_socket, &st) && S_ISSOCK(st.st_mode))
		vtm_account_of(&d->user, st.st_uid);
	else if (!vtm_account_find(&d->user, d->conf->user ? d->conf->user : USER_USUAL))
		vtm_account_of(&d->user, geteuid());
}

static void check_files_limit(struct vtm_doctor *d)
{
	int64_t files = 0, need = FILES_BESIDES + FILES_SESSION * MAX((int64_t)d->conf->max_waiting, SESSIONS_USUAL);

	if (!vtm_json_get_int(d->status, "process.files", &files))
		return;
	if (files < need)
		vtm_doctor_problem(d, "files", vtm_doctor_line("/etc/systemd/system/vtmilter.service.d/limits.conf",
							       "[Service] LimitNOFILE=%" G_GINT64_FORMAT, need),
				   "the daemon may open %" G_GINT64_FORMAT " files; MaxWaiting %u and other messages may need %"
				   G_GINT64_FORMAT, files, d->conf->max_waiting, need);
	else
		vtm_doctor_fine(d, "files", "the daemon may open %" G_GINT64_FORMAT " files", files);
}

static void check_decoders(struct vtm_doctor *d)
{
	int64_t crashed = 0, late = 0, not_started = 0;

	vtm_json_get_int(d->status, "decoders.undecoded.crashed", &crashed);
	vtm_json_get_int(d->status, "decoders.undecoded.time", &late);
	vtm_json_get_int(d->status, "decoders.undecoded.not-started", &not_started);
	if (not_started)
		vtm_doctor_problem(d, "decoders", vtm_doctor_run("systemctl restart vtmilter"), "%" G_GINT64_FORMAT " parts were "
				   "not decoded, because no decoder could be started; the log says why", not_started);
	else if (crashed || late)
		vtm_doctor_note(d, "decoders", NULL, "%" G_GINT64_FORMAT " parts crashed their decoder, %" G_GINT64_FORMAT
				" took too long: their messages are VT_Bypassed", crashed, late);
	else
		vtm_doctor_fine(d, "decoders", "none has failed since the daemon started");
}

static void check_store_of_daemon(struct vtm_doctor *d)
{
	bool fine = false;
	char *why;

	if (!vtm_json_get_bool(d->status, "store.ok", &fine) || fine)
		return;
	why = vtm_json_get_text(d->status, "store.error");
	vtm_doctor_problem(d, "daemon", vtm_doctor_run("journalctl -u vtmilter -p warning"), "its store fails: %s",
			   why ? why : "not open");
	g_free(why);
}

void vtm_doctor_daemon(struct vtm_doctor *d)
{
	GError *error = NULL;

	d->status = vtm_ctl_ask_daemon(d->c, "status", &error);
	find_user(d);
	if (d->status) {
		vtm_doctor_fine(d, "daemon", "answers at %s", d->conf->control_socket);
		check_store_of_daemon(d);
		check_files_limit(d);
		check_decoders(d);
		if (!d->user.uid)
			vtm_doctor_note(d, "user", vtm_doctor_line(d->conf_path, "User " USER_USUAL), "the daemon runs as root");
	} else if (!d->conf->control_socket) {
		vtm_doctor_note(d, "daemon", vtm_doctor_line(d->conf_path, "ControlSocket /run/vtmilter/control.sock"), "%s",
				error->message);
	} else if (geteuid() && access(d->conf->control_socket, W_OK) < 0 && errno == EACCES) {
		vtm_doctor_note(d, "daemon", vtm_doctor_run("sudo vtmilterctl doctor"), "only members of its group may use it: %s",
				error->message);
	} else {
		vtm_doctor_problem(d, "daemon", vtm_doctor_run("systemctl start vtmilter"), "%s", error->message);
	}
	g_clear_error(&error);
}

/* ---- the store ---- */

/* A directory of ours may be given to the user; of one that others use we say where else to go. */
static bool is_ours(const char *dir, const struct stat *st)
{
	return strstr(dir, "vtmilter") && !(st->st_mode & S_ISVTX);
}

static char *directory_fix(const struct vtm_doctor *d, const char *dir)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return vtm_doctor_run("install -d -o %s -g %s -m 0750 %s", d->user.name, d->user.name, dir);
	if (is_ours(dir, &st))
		return vtm_doctor_run("chown %s %s && chmod u+rwx %s", d->user.name, dir, dir);
	return vtm_doctor_line(d->conf_path, "Store sqlite:/var/lib/vtmilter/vtmilter.db");
}

/* May the daemon's user make and change files in the directory? */
static bool check_store_directory(struct vtm_doctor *d, const char *path)
{
	char *dir = g_path_get_dirname(path), *closed;
	struct stat st;
	bool unseen, fine = false;

	closed = vtm_account_closed(&d->user, path, &unseen);
	if (closed && unseen)
		vtm_doctor_note(d, "store", vtm_doctor_run("sudo vtmilterctl doctor"), "this user may not search %s", closed);
	else if (closed)
		vtm_doctor_problem(d, "store", !strcmp(closed, dir) ? directory_fix(d, dir) :
				   vtm_account_open_fix(d, &d->user, closed, "Store sqlite:/var/lib/vtmilter/vtmilter.db"),
				   "user %s may not search %s, or it does not exist", d->user.name, closed);
	else if (stat(dir, &st) < 0 || !vtm_account_may(&d->user, &st, 3))
		vtm_doctor_problem(d, "store", directory_fix(d, dir), "user %s may not create files in %s", d->user.name, dir);
	else
		fine = true;
	g_free(closed);
	g_free(dir);
	return fine;
}

/* The database and what SQLite keeps beside it, which root may have made by hand. */
static bool check_store_files(struct vtm_doctor *d, const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	bool fine = true;

	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
		char *file = g_strconcat(path, ends[i], NULL);
		struct stat st;

		if (stat(file, &st) == 0 && !S_ISREG(st.st_mode)) {
			vtm_doctor_problem(d, "store", vtm_doctor_run("mv %s %s.away", file, file), "%s is not a regular file", file);
			fine = false;
		} else if (!access(file, F_OK) && !vtm_account_may(&d->user, &st, 6)) {
			vtm_doctor_problem(d, "store", vtm_doctor_run("chown %s %s && chmod u+rw %s", d->user.name, file, file),
					   "user %s may not read and write %s", d->user.name, file);
			fine = false;
		}
		g_free(file);
	}
	return fine;
}

/* How many days of mail vtmilter remembers: what is new here cannot be told before. */
static void check_history(struct vtm_doctor *d, struct vtm_store *s)
{
	uint16_t today = vtm_history_day_of(vtm_history_hour_of(vtm_utc_ms(d->c->clock)));
	int reach = vtm_store_history_reach(s, today, NULL);

	if (reach >= 0 && reach < HISTORY_YOUNG_DAYS)
		vtm_doctor_note(d, "history", vtm_doctor_run("vtmilterctl learn /var/vmail"),
				"only %d days of mail are known: which senders and links are usual here is hardly known; "
				"learn it from your mailboxes", reach);
	else if (reach >= 0)
		vtm_doctor_fine(d, "history", "%d days of mail are known", reach);
}

/* Opens it, which makes none: that would belong to whoever runs doctor. */
static void check_store_opens(struct vtm_doctor *d, const char *path)
{
	GError *error = NULL;
	struct vtm_store *s = vtm_ctl_store(d->c, path != NULL && geteuid() != d->user.uid, &error);
	struct vtm_budget b;
	const char *concern;
	bool works;

	vtm_budget_init(&b);
	works = s && vtm_store_budget_read(s, &b, &error) == 0;
	concern = works ? vtm_store_warning(s) : NULL;
	if (concern)
		vtm_doctor_problem(d, "store", vtm_doctor_run("redis-cli config set maxmemory-policy noeviction"), "%s",
				   concern);
	else if (works)
		vtm_doctor_fine(d, "store", "%s works", d->conf->store);
	else if (path && geteuid() && geteuid() != d->user.uid)
		vtm_doctor_note(d, "store", vtm_doctor_run("sudo vtmilterctl doctor"), "%s", error->message);
	else if (path)
		vtm_doctor_problem(d, "store", vtm_doctor_run("systemctl stop vtmilter; mv %s %s.broken; "
							      "systemctl start vtmilter", path, path),
				   "%s", error->message);
	else
		vtm_doctor_problem(d, "store", vtm_doctor_line(d->conf_path, "Store %s", d->conf->store), "%s", error->message);
	if (works)
		check_history(d, s);
	g_clear_error(&error);
	vtm_budget_clear(&b);
	vtm_store_close(s);
}

static void check_store(struct vtm_doctor *d)
{
	const char *path = g_str_has_prefix(d->conf->store, "sqlite:") ? d->conf->store + strlen("sqlite:") : NULL;

	if (!d->conf->enabled)
		return;
	if (path && (!check_store_directory(d, path) || !check_store_files(d, path)))
		return;
	if (path && access(path, F_OK) < 0)
		vtm_doctor_fine(d, "store", "%s will be created when the daemon starts", path);
	else
		check_store_opens(d, path);
}

/* ---- lists ---- */

static unsigned entries_in(const char *text)
{
	char **lines = g_strsplit(text, "\n", -1);
	unsigned n = 0;

	for (char **line = lines; *line; line++) {
		const char *l = g_strstrip(*line);

		n += *l && *l != '#';
	}
	g_strfreev(lines);
	return n;
}

static void check_list(struct vtm_doctor *d, const char *path, bool domains)
{
	struct vtm_ignore *ignore = vtm_ignore_new();
	GError *error = NULL;
	char *text = NULL, *closed;
	struct stat st;
	bool unseen;

	closed = vtm_account_closed(&d->user, path, &unseen);
	if (stat(path, &st) < 0 || (closed && !unseen))
		vtm_doctor_problem(d, "ignored", closed && strcmp(closed, path) ?
				   vtm_account_open_fix(d, &d->user, closed, domains ? "IgnoredDomains /etc/vtmilter/ignored-domains" :
							"IgnoredHashes /etc/vtmilter/ignored-hashes") : vtm_doctor_run("touch %s", path),
				   "%s cannot be reached by user %s", path, d->user.name);
	else if (!vtm_account_may(&d->user, &st, 4))
		vtm_doctor_problem(d, "ignored", vtm_doctor_run("chmod a+r %s", path), "user %s may not read %s (mode %04o)",
				   d->user.name, path, (unsigned)(st.st_mode & 07777));
	else if (st.st_mode & 002)
		vtm_doctor_problem(d, "ignored", vtm_doctor_run("chmod o-w %s", path),
				   "everybody may write to %s (mode %04o) and decide what is not looked up", path,
				   (unsigned)(st.st_mode & 07777));
	else if ((domains ? vtm_ignore_add_domains(ignore, path, &error) :
			    vtm_ignore_add_hashes(ignore, path, &error)) < 0)
		vtm_doctor_problem(d, "ignored", vtm_doctor_run("editor %s", path), "%s", error->message);
	else if (st.st_size <= LIST_MAX && g_file_get_contents(path, &text, NULL, NULL))
		vtm_doctor_fine(d, "ignored", "%s: %u entries, mode %04o", path, entries_in(text), (unsigned)(st.st_mode & 07777));
	g_clear_error(&error);
	g_free(closed);
	g_free(text);
	vtm_ignore_free(ignore);
}

static void check_lists(struct vtm_doctor *d)
{
	const struct vtm_conf *c = d->conf;

	for (char **path = c->ignored_domains; path && *path; path++)
		check_list(d, *path, true);
	for (char **path = c->ignored_hashes; path && *path; path++)
		check_list(d, *path, false);
	if (!c->ignored_domains)
		vtm_doctor_note(d, "ignored", vtm_doctor_line(d->conf_path, "IgnoredDomains " PKGDATADIR "/ignored-domains.knowbe4"),
				"IgnoredDomains is none: links in your own phishing training would be looked up (this list is KnowBe4's)");
}

/* ---- room ---- */

static void check_temp(struct vtm_doctor *d)
{
	const char *dir = d->conf->temp_directory;
	uint64_t need = MAX(d->conf->max_message_size, ROOM_LEAST), room;
	struct statvfs fs;
	struct stat st;

	if (stat(dir, &st) < 0 || !vtm_account_may(&d->user, &st, 3)) {
		vtm_doctor_problem(d, "temp", vtm_doctor_line(d->conf_path, "TempDirectory /var/tmp"), "user %s cannot write to %s",
				   d->user.name, dir);
		return;
	}
	if (statvfs(dir, &fs) < 0)
		return;
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room < need)
		vtm_doctor_problem(d, "temp", vtm_doctor_run("df -h %s", dir), "%s has space for %" G_GUINT64_FORMAT " MiB, less than "
				   "for one large message (%" G_GUINT64_FORMAT " MiB)", dir, (guint64)(room >> 20),
				   (guint64)(need >> 20));
	else
		vtm_doctor_fine(d, "temp", "%s can be written and has space for %" G_GUINT64_FORMAT " MiB", dir,
				(guint64)(room >> 20));
}

/* ---- the rest ---- */

static void check_command(struct vtm_doctor *d)
{
	const char *path = d->conf->late_verdict_command ? d->conf->late_verdict_command[0] : NULL;
	struct stat st;
	char *closed;
	bool unseen;

	if (!path)
		return;
	closed = vtm_account_closed(&d->user, path, &unseen);
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		vtm_doctor_problem(d, "late", vtm_doctor_line(d->conf_path, "LateVerdictCommand " PKGDATADIR "/vtmilter-late-mail"),
				   "LateVerdictCommand %s is not a program", path);
	else if (closed || !vtm_account_may(&d->user, &st, 1))
		vtm_doctor_problem(d, "late", vtm_doctor_run("chmod a+rx %s", closed ? closed : path),
				   "user %s may not run LateVerdictCommand %s", d->user.name, path);
	else
		vtm_doctor_fine(d, "late", "user %s may run LateVerdictCommand %s", d->user.name, path);
	g_free(closed);
}

/* What is known about versions; what could give a wrong hash or hang, mime.c does itself or keeps from GMime. */
static void check_gmime(struct vtm_doctor *d)
{
	char *version = vtm_mime_library();

	if (vtm_mime_library_older(3, 2, 5))
		vtm_doctor_problem(d, "gmime", vtm_doctor_run("apt install libgmime-3.0-0"),
				   "GMime %s overflows its stack on deep nesting; 3.2.5 or newer is needed", version);
	else if (vtm_mime_library_older(3, 2, 15))
		vtm_doctor_fine(d, "gmime", "GMime %s; its known faults (chunked and unpadded base64, nested groups, long "
				"parameters) are worked around", version);
	else
		vtm_doctor_fine(d, "gmime", "GMime %s", version);
	g_free(version);
}

static char *one_line(const char *path)
{
	char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return NULL;
	return g_strstrip(text);
}

/* SELinux and AppArmor refuse without a word to whom they refuse. */
static void check_lsm(struct vtm_doctor *d)
{
	char *selinux = one_line("/sys/fs/selinux/enforce"), *apparmor = one_line("/sys/module/apparmor/parameters/enabled");
	char *path = NULL, *profile = NULL;
	int64_t pid = 0;

	if (d->status && vtm_json_get_int(d->status, "process.pid", &pid) && pid > 0)
		path = g_strdup_printf("/proc/%d/attr/apparmor/current", (int)pid);
	if (apparmor && *apparmor == 'Y' && path)
		profile = one_line(path);
	if (selinux && *selinux == '1')
		vtm_doctor_note(d, "lsm", vtm_doctor_run("ausearch -m avc -ts recent | audit2why"),
				"SELinux is enforcing: it may deny the MTA the socket, whatever the modes say");
	if (apparmor && *apparmor == 'Y')
		vtm_doctor_note(d, "lsm", vtm_doctor_run("journalctl -k -g apparmor.*vtmilter"),
				"AppArmor is on; the daemon's profile is %s", profile ? profile : "not known");
	if ((!selinux || *selinux != '1') && (!apparmor || *apparmor != 'Y'))
		vtm_doctor_fine(d, "lsm", "neither SELinux nor AppArmor is in force");
	g_free(profile);
	g_free(path);
	g_free(apparmor);
	g_free(selinux);
}

void vtm_doctor_host(struct vtm_doctor *d)
{
	check_store(d);
	check_lists(d);
	check_temp(d);
	check_command(d);
	check_gmime(d);
	check_lsm(d);
}
