/* SPDX-License-Identifier: BSD-2-Clause */
/* check.c - see check.h. */
#include "conf/check.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "conf/field.h"
#include "base/error.h"

/* Keys have 64 hexadecimal digits today; later ones may differ, so any letters and digits are accepted. */
#define KEY_MIN 16
#define KEY_MAX 256
#define KEY_FILE_MAX 1024
#define CREDENTIAL "vtmilter-api-key"

/* Puts "FILE:LINE: Directive: " in front of an error.  Returns false. */
static bool blame(const struct vtm_conf_loader *l, const char *name, GError **error)
{
	unsigned line = l->lines[vtm_directive_find(name) - vtm_directives];

	if (line)
		g_prefix_error(error, "%s:%u: %s: ", l->c->path, line, name);
	else
		g_prefix_error(error, "%s: %s: ", l->c->path, name);
	return false;
}

char *vtm_conf_read_file(const char *path, size_t max, struct stat *st, size_t *len_r, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text = NULL;
	size_t len = 0, room;
	ssize_t n = 0;

	if (fd < 0 || fstat(fd, st) < 0) {
		vtm_conf_complain(error, "cannot be read: %s", g_strerror(errno));
		goto out;
	}
	if (!S_ISREG(st->st_mode)) {
		vtm_conf_complain(error, "is not a regular file");
		goto out;
	}
	room = MIN((size_t)st->st_size, max) + 1;	/* not max: at a reload there may be little memory */
	text = g_malloc(room + 1);
	while (len < room && (n = read(fd, text + len, room - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		len += (size_t)n;
	}
	if (n < 0)
		vtm_conf_complain(error, "cannot be read: %s", g_strerror(errno));
	else if (len > max)
		vtm_conf_complain(error, "is larger than %zu bytes", max);
	else if (len == room)
		vtm_conf_complain(error, "grew while it was read");
	if (n < 0 || len == room)
		g_clear_pointer(&text, g_free);
	if (text)
		text[len] = '\0';
	*len_r = len;
out:
	if (fd >= 0)
		close(fd);
	return text;
}

/* ---- checks of all together ---- */

static bool check_built(const struct vtm_conf_loader *l, GError **error)
{
	for (const struct vtm_directive *d = vtm_directives; d < vtm_directives + vtm_n_directives; d++) {
		if (!d->not_built || vtm_field_same(l->c, l->defaults, d))
			continue;
		g_set_error(error, VTM_ERROR, VTM_ERROR_NOT_BUILT,
			    "this build of vtmilter does not support it; leave it at its default (%s)",
			    d->default_text ? d->default_text : VTM_CONF_NONE);
		return blame(l, d->name, error);
	}
	return true;
}

static bool check_reserves(const struct vtm_conf_loader *l, GError **error)
{
	const struct vtm_conf *c = l->c;
	uint64_t day = c->requests_per_day;
	uint64_t attachments = day * c->reserve_for_attachments_percent / 100;

	if (!day)
		return true;
	if (c->reserve_for_manual >= day) {
		vtm_conf_complain(error,
				  "found %u, expected less than RequestsPerDay (%u), or mail has no requests at all",
				  c->reserve_for_manual, c->requests_per_day);
		return blame(l, "ReserveForManual", error);
	}
	if (c->scan_urls && c->reserve_for_manual + attachments >= day) {
		vtm_conf_complain(error,
				  "found %u%%, which with ReserveForManual (%u) leaves none of RequestsPerDay (%u) to "
				  "URLs; lower it or set 'ScanURLs no'",
				  c->reserve_for_attachments_percent, c->reserve_for_manual, c->requests_per_day);
		return blame(l, "ReserveForAttachments", error);
	}
	return true;
}

static bool check_store_files(const struct vtm_conf_loader *l, GError **error)
{
	const struct vtm_conf *c = l->c;

	if (!c->store_cert_file == !c->store_key_file)
		return true;
	vtm_conf_complain(error, "StoreCertFile and StoreKeyFile need each other; set both or none");
	return blame(l, c->store_cert_file ? "StoreCertFile" : "StoreKeyFile", error);
}

/* Refuses a rule for networks without OwnNetworks: it would never apply. */
static bool check_own_networks(const struct vtm_conf_loader *l, GError **error)
{
	const struct vtm_conf *c = l->c;
	unsigned bit = 1u << VTM_ORIGIN_NETWORKS;

	if (c->own_networks_text || !((c->on_bad.named | c->on_failure.named) & bit))
		return true;
	vtm_conf_complain(error, "names networks, but OwnNetworks is none; list them there");
	return blame(l, c->on_bad.named & bit ? "OnBad" : "OnFailure", error);
}

static bool make_nets(struct vtm_conf *c, GError **error)
{
	/* the texts were checked when they were read */
	if (c->own_networks_text && !(c->own_networks = vtm_netlist_parse(c->own_networks_text, error)))
		return false;
	if (c->trusted_relays_text && !(c->trusted_relays = vtm_netlist_parse(c->trusted_relays_text, error)))
		return false;
	return !c->skip_networks_text || (c->skip_networks = vtm_netlist_parse(c->skip_networks_text, error));
}

bool vtm_conf_check(const struct vtm_conf_loader *l, GError **error)
{
	return check_built(l, error) && check_reserves(l, error) && check_store_files(l, error) &&
	       check_own_networks(l, error) && make_nets(l->c, error);
}

/* ---- what stands outside: key, lists, users ---- */

/* Only its owner may read or change a file with a secret. */
static bool check_private(const char *path, const struct stat *st, GError **error)
{
	if (!(st->st_mode & 077))
		return true;
	return vtm_conf_complain(error, "other users can read or change '%s' (mode %04o); run: chmod 600 %s", path,
			(unsigned)(st->st_mode & 07777), path);
}

static bool key_shaped(const char *key)
{
	size_t len = strlen(key);

	return len >= KEY_MIN && len <= KEY_MAX && strspn(key, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_") == len;
}

static bool read_key(struct vtm_conf *c, const char *path, bool credential, GError **error)
{
	struct stat st;
	size_t len;
	char *text = vtm_conf_read_file(path, KEY_FILE_MAX, &st, &len, error);
	bool good = false;

	if (!text) {
		g_prefix_error(error, "'%s' ", path);
		return false;
	}
	/* systemd gives its user the credential by an ACL, which looks like a group's right; the directory is closed */
	if (!credential && !check_private(path, &st, error))
		goto out;
	if (strlen(text) != len || !key_shaped(g_strstrip(text))) {
		vtm_conf_complain(error,
				  "'%s' does not contain a key of VirusTotal: expected one line of letters and digits",
				  path);
		goto out;
	}
	vtm_log_secret(text);
	c->api_key = g_strdup(text);
	good = true;
out:
	explicit_bzero(text, len);
	g_free(text);
	return good;
}

/* Reads the key from ApiKeyFile, else from systemd's credential. */
static bool find_key(const struct vtm_conf_loader *l, GError **error)
{
	const char *dir = g_getenv("CREDENTIALS_DIRECTORY");
	char *credential = dir ? g_build_filename(dir, CREDENTIAL, NULL) : NULL;
	bool good = true;

	if (!l->c->enabled)
		goto out;
	if (l->c->api_key_file)
		good = read_key(l->c, l->c->api_key_file, false, error);
	else if (credential && g_file_test(credential, G_FILE_TEST_EXISTS))
		good = read_key(l->c, credential, true, error);
	else
		good = vtm_conf_complain(error,
					 "missing; write the key of your VirusTotal account into a file that only "
					 "vtmilter's user can read and name that file here, or set 'Enabled no'");
	if (!good)
		blame(l, "ApiKeyFile", error);
out:
	g_free(credential);
	return good;
}

/* The directory that is installed may lack them, or not be there: then vtmilter works without. */
static bool read_host_lists(const struct vtm_conf_loader *l, GError **error)
{
	struct vtm_conf *c = l->c;
	int n;

	c->lists = vtm_lists_new();
	n = vtm_lists_read(c->lists, c->list_directory ? c->list_directory : PKGDATADIR, error);
	if (n < 0)
		return blame(l, "ListDirectory", error);
	c->lists_found = (unsigned)n;
	if (n || !c->list_directory)
		return true;
	vtm_conf_complain(error, "'%s' has none of shared-hosting, shorteners, brands, cheap-tlds", c->list_directory);
	return blame(l, "ListDirectory", error);
}

static bool read_lists(const struct vtm_conf_loader *l, GError **error)
{
	struct vtm_conf *c = l->c;

	c->ignore = vtm_ignore_new();
	for (unsigned i = 0; c->ignored_domains && c->ignored_domains[i]; i++)
		if (vtm_ignore_add_domains(c->ignore, c->ignored_domains[i], error) < 0)
			return blame(l, "IgnoredDomains", error);
	for (unsigned i = 0; c->ignored_hashes && c->ignored_hashes[i]; i++)
		if (vtm_ignore_add_hashes(c->ignore, c->ignored_hashes[i], error) < 0)
			return blame(l, "IgnoredHashes", error);
	return read_host_lists(l, error);
}

/* Can the file be read (NULL: yes)?  With <secret>, only by its owner? */
static bool check_file(const struct vtm_conf_loader *l, const char *name, const char *path, bool secret, GError **error)
{
	struct stat st;

	if (!path)
		return true;
	if (stat(path, &st) < 0 || access(path, R_OK) < 0)
		vtm_conf_complain(error, "'%s' cannot be read: %s", path, g_strerror(errno));
	else if (!S_ISREG(st.st_mode))
		vtm_conf_complain(error, "'%s' is not a regular file", path);
	else if (!secret || check_private(path, &st, error))
		return true;
	return blame(l, name, error);
}

static bool check_files(const struct vtm_conf_loader *l, GError **error)
{
	const struct vtm_conf *c = l->c;

	if (!g_file_test(c->temp_directory, G_FILE_TEST_IS_DIR)) {
		vtm_conf_complain(error, "'%s' is not a directory", c->temp_directory);
		return blame(l, "TempDirectory", error);
	}
	if (c->late_verdict_command && (!g_file_test(c->late_verdict_command[0], G_FILE_TEST_IS_EXECUTABLE) ||
					g_file_test(c->late_verdict_command[0], G_FILE_TEST_IS_DIR))) {
		vtm_conf_complain(error, "'%s' is not an executable program", c->late_verdict_command[0]);
		return blame(l, "LateVerdictCommand", error);
	}
	return check_file(l, "CAFile", c->ca_file, false, error) &&
	       check_file(l, "StorePasswordFile", c->store_password_file, true, error) &&
	       check_file(l, "StoreCAFile", c->store_ca_file, false, error) &&
	       check_file(l, "StoreCertFile", c->store_cert_file, false, error) &&
	       check_file(l, "StoreKeyFile", c->store_key_file, true, error);
}

static bool check_accounts(const struct vtm_conf_loader *l, GError **error)
{
	const struct vtm_conf *c = l->c;

	if (c->user && !getpwnam(c->user)) {
		vtm_conf_complain(error, "there is no user '%s' on this host", c->user);
		return blame(l, "User", error);
	}
	if (c->socket_group && !getgrnam(c->socket_group)) {
		vtm_conf_complain(error, "there is no group '%s' on this host", c->socket_group);
		return blame(l, "SocketGroup", error);
	}
	return true;
}

bool vtm_conf_check_outside(const struct vtm_conf_loader *l, GError **error)
{
	return find_key(l, error) && read_lists(l, error) && check_files(l, error) && check_accounts(l, error);
}
