/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor-postfix.c - vtmilterctl doctor: does Postfix reach us, wait long enough, and deliver without us? */
#include <string.h>

#include "ctl/doctor-mta.h"
#include "ctl/doctor-parts.h"
#include "ctl/postfix-conf.h"

#define COMMAND_LEAST_MS 10000		/* milter_command_timeout: its answers take milliseconds, on a swapping host seconds */
#define HEADER_CHECKS "regexp:" PKGDATADIR "/header_checks"
#define CHROOT_NAME "unix:vtmilter/vtmilter.sock"	/* below queue_directory: right in a chroot and without one */

/* ---- is it us? ---- */

enum names { OTHERS, US, OUT_OF_CHROOT };

/* Where smtpd, perhaps in a chroot, looks for "unix:path".  New string. */
static char *seen_path(const char *path, bool chroot, const char *queue)
{
	char *whole = *path != '/' || chroot ? g_strconcat(queue, "/", path, NULL) : g_strdup(path);
	char *seen = g_canonicalize_filename(whole, "/");

	g_free(whole);
	return seen;
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !strcmp(a, b) || (!stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

static const char *plain_host(const char *host)
{
	if (!strcmp(host, "localhost") || !strcmp(host, "0.0.0.0"))
		return "127.0.0.1";
	return !strcmp(host, "[::1]") || !strcmp(host, "::") ? "::1" : host;
}

/* Postfix's "inet:host:port" and our "inet:port@host"; names of loopback are one. */
static bool same_inet(const char *socket, const char *name)
{
	const char *colon = strchr(socket, ':'), *at = strchr(socket, '@'), *port = strrchr(name, ':');
	char *host;
	bool same;

	if (!colon || !g_str_has_prefix(socket, "inet") || !g_str_has_prefix(name, "inet:") || port < name + 5)
		return false;
	host = g_strndup(name + 5, (gsize)(port - name - 5));
	same = g_ascii_strtoull(colon + 1, NULL, 10) == g_ascii_strtoull(port + 1, NULL, 10) &&
	       !strcmp(plain_host(host), plain_host(at ? at + 1 : "0.0.0.0"));
	g_free(host);
	return same;
}

static enum names names_us(const struct vtm_doctor *d, const char *element, bool chroot, const char *queue)
{
	const char *ours = vtm_socket_path(d->conf->socket);
	char *name = g_strndup(element, strcspn(element, ", \t")), *seen, *plain;
	enum names result = OTHERS;

	if (!ours || !g_str_has_prefix(name, "unix:")) {
		result = !ours && same_inet(d->conf->socket, name) ? US : OTHERS;
		g_free(name);
		return result;
	}
	seen = seen_path(name + 5, chroot, queue);
	plain = seen_path(name + 5, false, queue);
	if (same_file(seen, ours))
		result = US;
	else if (same_file(plain, ours))
		result = OUT_OF_CHROOT;
	g_free(plain);
	g_free(seen);
	g_free(name);
	return result;
}

static bool below_queue(const char *path, const char *queue)
{
	return g_str_has_prefix(path, queue) && path[strlen(queue)] == '/';
}

/* How Postfix is to name our socket, from a chroot or not.  New string. */
static char *right_name(const struct vtm_doctor *d, const char *queue)
{
	const char *path = vtm_socket_path(d->conf->socket), *socket = d->conf->socket;
	const char *at = strchr(socket, '@'), *colon = strchr(socket, ':');

	if (path && below_queue(path, queue))
		return g_strconcat("unix:", path + strlen(queue) + 1, NULL);
	if (path)
		return g_strconcat("unix:", path, NULL);
	return g_strdup_printf(at && strchr(at, ':') ? "inet:[%s]:%u" : "inet:%s:%u", at ? at + 1 : "127.0.0.1",
			       colon ? (unsigned)g_ascii_strtoull(colon + 1, NULL, 10) : 0);
}

/* ---- what one list says about us ---- */

struct use {
	GHashTable *t;
	const char *parameter;	/* "smtpd_milters", "submission/inet/smtpd_milters" */
	const char *list;
	const char *element;	/* of the list: vtmilter's */
};

/* The option with which postconf(1) sets it: in master.cf or in main.cf. */
static const char *postconf_option(const char *parameter)
{
	return strchr(parameter, '/') ? "-P" : "-e";
}

static char *set_command(const char *parameter, const char *value)
{
	return vtm_doctor_run("postconf %s '%s = %s' && postfix reload", postconf_option(parameter), parameter, value);
}

/* The value of "content_timeout" and the like that applies to vtmilter.  New string. */
static char *effective(const struct use *u, const char *name)
{
	char *own = vtm_postfix_element_get(u->element, name), *general = g_strconcat("milter_", name, NULL);

	if (!own)
		own = g_strdup(vtm_postfix_get(u->t, general));
	g_free(general);
	return own;
}

static char *setting_fix(const struct use *u, const char *name, const char *value)
{
	char *own = vtm_postfix_element_get(u->element, name), *general = g_strconcat("milter_", name, NULL), *fix;

	if (own) {
		char *element = vtm_postfix_element_set(u->element, name, value);
		char *list = vtm_postfix_list_replace(u->list, u->element, element);

		fix = set_command(u->parameter, list);
		g_free(list);
		g_free(element);
	} else {
		fix = set_command(general, value);
	}
	g_free(own);
	g_free(general);
	return fix;
}

static void check_content_timeout(struct vtm_doctor *d, const struct use *u)
{
	int64_t wait_s = d->conf->timeout_ms / 1000, need = d->conf->timeout_ms + VTM_DOCTOR_MARGIN_MS;
	char *text = effective(u, "content_timeout");
	int64_t content = vtm_doctor_duration_ms(text);
	char *enough = g_strdup_printf("%" G_GINT64_FORMAT "s", MAX(need, 300000) / 1000);

	if (content < VTM_DOCTOR_MARGIN_MS)
		vtm_doctor_problem(d, "postfix", setting_fix(u, "content_timeout", enough),
				   "%s: content_timeout is %s: too short even though vtmilter reports progress", u->parameter, text);
	else if (content < need)
		vtm_doctor_note(d, "postfix", setting_fix(u, "content_timeout", enough),
				"%s: content_timeout %s is less than Timeout %" G_GINT64_FORMAT " s plus the time to read a message; "
				"only progress reports keep Postfix waiting", u->parameter, text, wait_s);
	else
		vtm_doctor_fine(d, "postfix", "%s: content_timeout is %s", u->parameter, text);
	g_free(enough);
	g_free(text);
}

static void check_other_timeouts(struct vtm_doctor *d, const struct use *u)
{
	char *command = effective(u, "command_timeout");
	int64_t ipc = vtm_doctor_duration_ms(vtm_postfix_get(u->t, "ipc_timeout"));
	int64_t need = d->conf->timeout_ms + VTM_DOCTOR_MARGIN_MS;
	char *enough = g_strdup_printf("%" G_GINT64_FORMAT "s", need / 1000);

	if (vtm_doctor_duration_ms(command) < COMMAND_LEAST_MS)
		vtm_doctor_problem(d, "postfix", setting_fix(u, "command_timeout", "30s"), "%s: command_timeout is %s: too short",
				   u->parameter, command);
	if (ipc >= 0 && ipc < need)
		vtm_doctor_problem(d, "postfix", set_command("ipc_timeout", enough),
				   "ipc_timeout is %s: Postfix gives up before Timeout, whatever progress is reported",
				   vtm_postfix_get(u->t, "ipc_timeout"));
	g_free(enough);
	g_free(command);
}

/* What becomes of mail by a default_action other than accept (postconf(5); shutdown: Postfix 3.11 and later). */
static const char *outcome_of(const char *action)
{
	if (!strcmp(action, "quarantine"))
		return "mail is held in the queue until 'postsuper -H ALL' releases it";
	if (!strcmp(action, "reject"))
		return "mail is refused for good";
	if (!strcmp(action, "shutdown"))
		return "mail is deferred and clients are disconnected";
	return "no mail comes in";
}

static void check_action(struct vtm_doctor *d, const struct use *u)
{
	char *action = effective(u, "default_action"), *protocol = effective(u, "protocol");

	if (!strcmp(action, "accept"))
		vtm_doctor_fine(d, "postfix", "%s: default_action is accept: mail is delivered while vtmilter does not run",
				u->parameter);
	else
		vtm_doctor_problem(d, "postfix", setting_fix(u, "default_action", "accept"),
				   "%s: default_action is %s: while vtmilter does not run, %s", u->parameter, action,
				   outcome_of(action));
	if (g_ascii_strtoull(protocol, NULL, 10) < 6)
		vtm_doctor_problem(d, "postfix", setting_fix(u, "protocol", "6"), "%s: protocol is %s", u->parameter, protocol);
	g_free(protocol);
	g_free(action);
}

static void check_settings(struct vtm_doctor *d, const struct use *u)
{
	check_content_timeout(d, u);
	check_other_timeouts(d, u);
	check_action(d, u);
}

/* What makes us reached from a chroot: <element> of the list, NULL: none yet, gets another name, and where the socket
 * is out of reach it is moved. */
static char *chroot_fix(const struct vtm_doctor *d, GHashTable *t, const char *parameter, const char *list,
			const char *element)
{
	const char *path = vtm_socket_path(d->conf->socket), *queue = vtm_postfix_get(t, "queue_directory");
	char *name = below_queue(path, queue) ? right_name(d, queue) : g_strdup(CHROOT_NAME);
	char *by = vtm_postfix_element_rename(element ? element : name, name);
	char *whole = vtm_postfix_list_replace(list, element, by), *fix;

	if (below_queue(path, queue))
		fix = set_command(parameter, whole);
	else
		fix = vtm_doctor_line(d->conf_path, "Socket local:%s/vtmilter/vtmilter.sock, and run: install -d -o %s -g %s "
				      "-m 2750 %s/vtmilter && systemctl restart vtmilter && postconf %s '%s = %s' && postfix reload",
				      queue, d->user.name, vtm_postfix_get(t, "mail_owner"), queue, postconf_option(parameter), parameter, whole);
	g_free(whole);
	g_free(by);
	g_free(name);
	return fix;
}

static void tell_chroot(struct vtm_doctor *d, const struct use *u, const char *service)
{
	const char *path = vtm_socket_path(d->conf->socket), *queue = vtm_postfix_get(u->t, "queue_directory");

	vtm_doctor_problem(d, "chroot", chroot_fix(d, u->t, u->parameter, u->list, u->element),
			   "%s of master.cf runs in a chroot, where %s is %s%s", service, path, queue, path);
}

/* ---- the services of master.cf ---- */

/* The element of <list> that names vtmilter, and how it does.  New string; NULL: there is none. */
static char *ours_in(const struct vtm_doctor *d, GHashTable *t, const char *list, bool chroot, enum names *how_r)
{
	GPtrArray *all = vtm_postfix_list_split(list);
	char *found = NULL;

	*how_r = OTHERS;
	for (guint i = 0; i < all->len && *how_r != US; i++) {
		enum names how = names_us(d, all->pdata[i], chroot, vtm_postfix_get(t, "queue_directory"));

		if (how == OTHERS)
			continue;
		*how_r = how;
		g_free(found);
		found = g_strdup(all->pdata[i]);
	}
	g_ptr_array_free(all, TRUE);
	return found;
}

/* Checks one smtpd.  Settings of main.cf are reported once: *general_r. */
static enum names check_smtpd(struct vtm_doctor *d, GHashTable *t, const struct vtm_postfix_service *s, bool *general_r)
{
	char *parameter = g_strconcat(s->name, "/smtpd_milters", NULL), *element;
	const char *own = g_hash_table_lookup(t, parameter);
	struct use u = { .t = t, .parameter = own ? parameter : "smtpd_milters",
			 .list = own ? own : vtm_postfix_get(t, "smtpd_milters") };
	enum names how;

	element = ours_in(d, t, u.list, s->chroot, &how);
	u.element = element;
	if (how == OUT_OF_CHROOT)
		tell_chroot(d, &u, s->name);
	if (how != OTHERS && (own || !*general_r)) {
		vtm_doctor_fine(d, "postfix", "%s has %s", u.parameter, element);
		check_settings(d, &u);
		*general_r = *general_r || !own;
	} else if (how == OTHERS && own) {
		vtm_doctor_note(d, "postfix", NULL, "%s (%s) does not name our Socket: mail that comes through it is not scanned",
				parameter, *own ? own : "empty");
	}
	g_free(element);
	g_free(parameter);
	return how;
}

static void tell_unnamed(struct vtm_doctor *d, GHashTable *t, bool chroot)
{
	const char *list = vtm_postfix_get(t, "smtpd_milters");
	char *name = right_name(d, vtm_postfix_get(t, "queue_directory")), *whole = vtm_postfix_list_replace(list, NULL, name);

	vtm_doctor_problem(d, "postfix",
			   chroot ? chroot_fix(d, t, "smtpd_milters", list, NULL) : set_command("smtpd_milters", whole),
			   "smtpd_milters (%s) does not name our Socket", *list ? list : "empty");
	g_free(whole);
	g_free(name);
}

static void check_non_smtpd(struct vtm_doctor *d, GHashTable *t, bool chroot)
{
	struct use u = { .t = t, .parameter = "non_smtpd_milters", .list = vtm_postfix_get(t, "non_smtpd_milters") };
	enum names how;
	char *element = ours_in(d, t, u.list, chroot, &how);

	u.element = element;
	if (!element)
		vtm_doctor_note(d, "postfix", NULL, "non_smtpd_milters does not name our Socket: mail of sendmail(1) is not scanned");
	else if (how == OUT_OF_CHROOT)
		tell_chroot(d, &u, "cleanup/unix");
	else if (d->conf->timeout_ms)
		vtm_doctor_note(d, "postfix", set_command("non_smtpd_milters", ""), "non_smtpd_milters names our Socket: Postfix handles "
				"mail of sendmail(1) one message at a time, and each may wait for %" G_GINT64_FORMAT " s",
				d->conf->timeout_ms / 1000);
	g_free(element);
}

/* true: the socket is in the right place. */
static bool check_services(struct vtm_doctor *d, GHashTable *t)
{
	const char *path = vtm_socket_path(d->conf->socket);
	bool outside = path && !below_queue(path, vtm_postfix_get(t, "queue_directory"));
	bool general = false, named = false, unreached = false, chroot = false, cleanup_chroot = false;
	GPtrArray *all = vtm_postfix_services(t);

	for (guint i = 0; i < all->len; i++) {
		const struct vtm_postfix_service *s = all->pdata[i];

		if (!strcmp(s->program, "smtpd")) {
			enum names how = check_smtpd(d, t, s, &general);

			named |= how != OTHERS;
			unreached |= how == OUT_OF_CHROOT;
			chroot |= s->chroot;
		} else if (!strcmp(s->program, "cleanup")) {
			cleanup_chroot |= s->chroot;
		}
	}
	if (!named)
		tell_unnamed(d, t, chroot && path);
	check_non_smtpd(d, t, cleanup_chroot);
	g_ptr_array_free(all, TRUE);
	return !(outside && (unreached || (!named && chroot)));
}

/* ---- forged headers while we are down ---- */

/* Does this table remove a forged header? */
static bool deletes(const char *map)
{
	const char *const argv[] = { "postmap", "-q", "X-VT-Tag: VT_Scanned", map, NULL };
	char *out = vtm_postfix_output(argv);
	bool does = out && (!g_ascii_strncasecmp(out, "IGNORE", 6) || !g_ascii_strncasecmp(out, "STRIP", 5) ||
			    !g_ascii_strncasecmp(out, "REJECT", 6) || !g_ascii_strncasecmp(out, "DISCARD", 7));

	g_free(out);
	return does;
}

static void check_forged(struct vtm_doctor *d, GHashTable *t)
{
	const char *checks = vtm_postfix_get(t, "header_checks");
	GPtrArray *maps = vtm_postfix_list_split(checks);
	const char *found = NULL;
	char *with = *checks ? g_strconcat(checks, ", " HEADER_CHECKS, NULL) : g_strdup(HEADER_CHECKS);

	for (guint i = 0; i < maps->len && !found; i++)
		if (deletes(maps->pdata[i]))
			found = maps->pdata[i];
	if (d->conf->trusted_relays)	/* their headers must stay */
		vtm_doctor_note(d, "postfix", NULL, "while vtmilter does not run, forged X-VT-* headers stay");
	else if (!found)
		vtm_doctor_note(d, "postfix", set_command("header_checks", with), "while vtmilter does not run, forged X-VT-* headers "
				"stay; this table removes them");
	else if (strstr(vtm_postfix_get(t, "nested_header_checks"), found))
		vtm_doctor_note(d, "postfix", set_command("nested_header_checks", ""),
				"nested_header_checks has %s too, which changes messages inside messages", found);
	else
		vtm_doctor_fine(d, "postfix", "header_checks removes forged X-VT-* headers while vtmilter does not run");
	g_free(with);
	g_ptr_array_free(maps, TRUE);
}

bool vtm_doctor_postfix(struct vtm_doctor *d)
{
	GHashTable *t = vtm_postfix_settings();

	if (!t)
		return false;
	if (check_services(d, t))
		vtm_doctor_access(d, vtm_postfix_get(t, "mail_owner"));
	check_forged(d, t);
	if (*vtm_postfix_get(t, "smtpd_milter_maps"))
		vtm_doctor_note(d, "postfix", NULL, "smtpd_milter_maps (%s) may skip the milter for some clients",
				vtm_postfix_get(t, "smtpd_milter_maps"));
	g_hash_table_destroy(t);
	return true;
}
