/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor-access.c - vtmilterctl doctor: who may reach a file or socket, directory by directory. */
#include <errno.h>
#include <gio/gio.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "ctl/doctor.h"

#define CONNECT_S 2

static void set_groups(struct vtm_account *a, const char *name, gid_t gid)
{
	a->n = VTM_ACCOUNT_GROUPS_MAX;
	if (getgrouplist(name, gid, a->groups, &a->n) < 0)
		a->n = VTM_ACCOUNT_GROUPS_MAX;
}

bool vtm_account_find(struct vtm_account *a, const char *name)
{
	const struct passwd *pw = getpwnam(name);

	if (!pw)
		return false;
	a->uid = pw->pw_uid;
	g_strlcpy(a->name, name, sizeof(a->name));
	set_groups(a, name, pw->pw_gid);
	return true;
}

void vtm_account_of(struct vtm_account *a, uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw && vtm_account_find(a, pw->pw_name))
		return;
	*a = (struct vtm_account){ .uid = uid };
	g_snprintf(a->name, sizeof(a->name), "%ld", (long)uid);
}

static bool is_member(const struct vtm_account *a, gid_t gid)
{
	for (int i = 0; i < a->n; i++)
		if (a->groups[i] == gid)
			return true;
	return false;
}

bool vtm_account_may(const struct vtm_account *a, const struct stat *st, mode_t want)
{
	if (a->uid == 0)	/* may all but run what nobody may */
		return !(want & 1) || S_ISDIR(st->st_mode) || st->st_mode & 0111;
	if (st->st_uid == a->uid)
		return (st->st_mode >> 6 & want) == want;
	return ((is_member(a, st->st_gid) ? st->st_mode >> 3 : st->st_mode) & want) == want;
}

char *vtm_account_closed(const struct vtm_account *a, const char *path, bool *unseen_r)
{
	*unseen_r = false;
	for (const char *slash = path; slash && *slash; slash = strchr(slash + 1, '/')) {
		char *dir = slash == path ? g_strdup("/") : g_strndup(path, (gsize)(slash - path));
		struct stat st;

		if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode) || !vtm_account_may(a, &st, 1)) {
			*unseen_r = access(dir, F_OK) < 0 && errno == EACCES;
			return dir;
		}
		g_free(dir);
	}
	return NULL;
}

char *vtm_account_open_fix(const struct vtm_doctor *d, const struct vtm_account *a, const char *dir,
			   const char *elsewhere)
{
	const struct group *gr;
	struct stat st;

	if (stat(dir, &st) < 0)
		return vtm_doctor_run("install -d -o %s -g %s -m 0755 %s", d->user.name, d->user.name, dir);
	gr = getgrgid(st.st_gid);
	if (gr && st.st_gid && st.st_mode & 010)	/* its group may: nothing of it has to be opened wider */
		return vtm_doctor_run("usermod -a -G %s %s, and start what runs as %s again", gr->gr_name, a->name, a->name);
	if (st.st_gid && is_member(a, st.st_gid))
		return vtm_doctor_run("chmod g+x %s", dir);
	return vtm_doctor_line(d->conf_path, "%s", elsewhere);
}

/* ---- the socket ---- */

static void check_inet(struct vtm_doctor *d)
{
	const char *colon = strchr(d->conf->socket, ':'), *at = strchr(d->conf->socket, '@');
	char *host = at ? g_strdup(at + 1) : g_strdup("127.0.0.1");
	guint64 port = colon ? g_ascii_strtoull(colon + 1, NULL, 10) : 0;
	GSocketClient *client = g_socket_client_new();
	GSocketConnection *connection;
	GError *error = NULL;

	g_socket_client_set_timeout(client, CONNECT_S);
	g_socket_client_set_enable_proxy(client, FALSE);
	connection = port ? g_socket_client_connect_to_host(client, host, (guint16)port, NULL, &error) : NULL;
	if (connection)
		vtm_doctor_fine(d, "socket", "%s answers", d->conf->socket);
	else if (port)
		vtm_doctor_problem(d, "socket", vtm_doctor_run("systemctl start vtmilter"), "%s: %s", d->conf->socket,
				   error->message);
	g_clear_error(&error);
	g_clear_object(&connection);
	g_object_unref(client);
	g_free(host);
}

static void check_socket_file(struct vtm_doctor *d, const struct vtm_account *a, const char *path)
{
	const struct group *gr;
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		vtm_doctor_problem(d, "socket", vtm_doctor_run("systemctl start vtmilter"), "there is no socket at %s", path);
		return;
	}
	if (vtm_account_may(a, &st, 2)) {
		vtm_doctor_fine(d, "socket", "user %s can reach %s", a->name, path);
		return;
	}
	gr = getgrgid(st.st_gid);
	if (gr && st.st_gid && st.st_mode & 020)
		vtm_doctor_problem(d, "socket", vtm_doctor_run("usermod -a -G %s %s, and restart the MTA", gr->gr_name, a->name),
				   "user %s may not write to %s (mode %04o, group %s)", a->name, path,
				   (unsigned)(st.st_mode & 07777), gr->gr_name);
	else
		vtm_doctor_problem(d, "socket", is_member(a, st.st_gid) ? vtm_doctor_line(d->conf_path, "SocketMode 0660") :
				   vtm_doctor_line(d->conf_path, "SocketGroup %s", a->name),
				   "user %s may not write to %s (mode %04o, group %s)", a->name, path,
				   (unsigned)(st.st_mode & 07777), gr ? gr->gr_name : "unknown");
}

void vtm_doctor_access(struct vtm_doctor *d, const char *user)
{
	const char *path = vtm_socket_path(d->conf->socket);
	struct vtm_account a;
	bool unseen;
	char *closed;

	if (!path) {
		check_inet(d);
		return;
	}
	if (!vtm_account_find(&a, user)) {
		vtm_doctor_note(d, "socket", NULL, "there is no user %s on this host", user);
		return;
	}
	closed = vtm_account_closed(&a, path, &unseen);
	if (closed && unseen)
		vtm_doctor_note(d, "socket", vtm_doctor_run("sudo vtmilterctl doctor"), "this user may not search %s", closed);
	else if (closed)
		vtm_doctor_problem(d, "socket", vtm_account_open_fix(d, &a, closed, "Socket local:/run/vtmilter/vtmilter.sock"),
				   "user %s may not search %s, a directory of %s", user, closed, path);
	else
		check_socket_file(d, &a, path);
	g_free(closed);
}
