/* SPDX-License-Identifier: BSD-2-Clause */
/* ignore.c - vtmilterctl ignore: the lists of domains and hashes, changed without losing what people wrote into
 * them. */
#include "ctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define FILE_MAX_BYTES (64 * 1024 * 1024)

/* A kind of list: domains or hashes. */
struct list {
	const char *kind, *directive, *example;
	GStrv files;
	char *(*normal)(const char *line, GError **error);
};

static char *hash_normal(const char *line, GError **error)
{
	char *hash = g_strstrip(g_ascii_strdown(line, -1));

	if (strlen(hash) == 64 && strspn(hash, G_CSET_DIGITS "abcdef") == 64)
		return hash;
	g_free(hash);
	g_set_error(error, VTM_ERROR, VTM_ERROR_FORMAT, "not a SHA-256");
	return NULL;
}

static struct list list_of(const struct vtm_ctl *c, bool hashes)
{
	if (hashes)
		return (struct list){ "hash", "IgnoredHashes", SYSCONFDIR "/vtmilter/ignored-hashes",
				      c->conf->ignored_hashes, hash_normal };
	return (struct list){ "domain", "IgnoredDomains", SYSCONFDIR "/vtmilter/ignored-domains",
			      c->conf->ignored_domains, vtm_ignore_domain_normal };
}

static int io_error(GError **error, const char *path)
{
	g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "%s: %s", path, g_strerror(errno));
	return -1;
}

/* The entry of a line in normal form; NULL: there is none, or it is invalid. */
static char *entry_of(const struct list *l, const char *line)
{
	char *text = g_strdup(line), *entry = NULL;

	for (char *p = text; (p = strchr(p, '#')); p++)
		if (p == text || g_ascii_isspace(p[-1])) {
			*p = '\0';
			break;
		}
	if (*g_strstrip(text))
		entry = l->normal(text, NULL);
	g_free(text);
	return entry;
}

/* ---- reading and replacing files ---- */

/* Reads the lines of a file without their ends; a missing file has none.  NULL: error. */
static char **read_lines(const char *path, GError **error)
{
	GError *why = NULL;
	char *text = NULL, **lines;
	struct stat st;
	gsize len;

	if (stat(path, &st) == 0 && st.st_size > FILE_MAX_BYTES) {
		errno = EFBIG;
		io_error(error, path);
		return NULL;
	}
	if (!g_file_get_contents(path, &text, &len, &why)) {
		bool missing = g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT);

		if (!missing)
			g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "%s", why->message);
		g_error_free(why);
		return missing ? g_new0(char *, 1) : NULL;
	}
	if (strlen(text) != len) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "%s: contains a NUL byte, so it is not a text file", path);
		g_free(text);
		return NULL;
	}
	if (len && text[len - 1] == '\n')
		text[len - 1] = '\0';
	lines = *text ? g_strsplit(text, "\n", -1) : g_new0(char *, 1);
	g_free(text);
	return lines;
}

static bool write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

/* A new file of the old one's mode and owner takes its place at once: who reads it meanwhile gets all of one of
 * them. */
static int replace_file(const char *path, const char *text, GError **error)
{
	char *temp = g_strconcat(path, ".XXXXXX", NULL);
	struct stat st;
	bool old = stat(path, &st) == 0;
	int fd = mkostemp(temp, O_CLOEXEC), rc = -1;

	if (fd < 0) {
		io_error(error, path);
		goto out;
	}
	/* only root can change the owner; for other users the file stays theirs, with the same group */
	if (old && fchown(fd, st.st_uid, st.st_gid) < 0 && fchown(fd, (uid_t)-1, st.st_gid) < 0)
		errno = 0;
	if (fchmod(fd, old ? st.st_mode & 07777 : 0644) < 0 || !write_all(fd, text, strlen(text)) || fsync(fd) < 0 ||
	    rename(temp, path) < 0) {
		io_error(error, path);
		unlink(temp);
	} else {
		rc = 0;
	}
	close(fd);
out:
	g_free(temp);
	return rc;
}

/* Locks the directory of <path> against other vtmilterctl.  -1: error. */
static int lock_directory(const char *path)
{
	char *dir = g_path_get_dirname(path);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	g_free(dir);
	if (fd >= 0 && flock(fd, LOCK_EX) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* ---- changing ---- */

/* Does the list have <entry>?  1: yes, 0: no, -1: error. */
static int has_entry(const struct list *l, const char *entry, GError **error)
{
	for (unsigned f = 0; l->files && l->files[f]; f++) {
		char **lines = read_lines(l->files[f], error);
		bool found = false;

		if (!lines)
			return -1;
		for (unsigned i = 0; lines[i] && !found; i++) {
			char *other = entry_of(l, lines[i]);

			found = !g_strcmp0(other, entry);
			g_free(other);
		}
		g_strfreev(lines);
		if (found)
			return 1;
	}
	return 0;
}

static int append(const char *path, const char *entry, GError **error)
{
	char **lines = read_lines(path, error), *old, *text;
	int rc;

	if (!lines)
		return -1;
	old = g_strjoinv("\n", lines);
	text = g_strconcat(old, *old ? "\n" : "", entry, "\n", NULL);
	rc = replace_file(path, text, error);
	g_free(text);
	g_free(old);
	g_strfreev(lines);
	return rc;
}

/* Removes the entry's lines from one file.  Returns their number, or -1. */
static int take_out(const struct list *l, const char *path, const char *entry, GError **error)
{
	char **lines = read_lines(path, error);
	GString *text = g_string_new(NULL);
	int gone = 0;

	for (unsigned i = 0; lines && lines[i]; i++) {
		char *other = entry_of(l, lines[i]);

		if (!g_strcmp0(other, entry))
			gone++;
		else
			g_string_append_printf(text, "%s\n", lines[i]);
		g_free(other);
	}
	if (!lines || (gone && replace_file(path, text->str, error) < 0))
		gone = -1;
	g_string_free(text, TRUE);
	g_strfreev(lines);
	return gone;
}

/* 1: changed, 0: nothing to do, -1: error. */
static int change_list(const struct list *l, bool adds, const char *entry, GError **error)
{
	char *path = realpath(l->files[0], NULL);	/* a symbolic link stays */
	int lock = lock_directory(path ? path : l->files[0]), rc = 0;

	if (adds) {
		rc = has_entry(l, entry, error);
		if (rc >= 0)
			rc = rc ? 0 : append(path ? path : l->files[0], entry, error) < 0 ? -1 : 1;
	} else {
		for (unsigned f = 0; l->files[f] && rc >= 0; f++) {
			char *real = realpath(l->files[f], NULL);
			int gone = take_out(l, real ? real : l->files[f], entry, error);

			rc = gone < 0 ? -1 : MAX(rc, gone > 0);
			free(real);
		}
	}
	if (lock >= 0)
		close(lock);
	free(path);
	return rc;
}

/* Makes the daemon read the list.  A daemon that does not run reads it when it starts. */
static int tell_daemon(const struct vtm_ctl *c)
{
	char *answer = vtm_ctl_ask_daemon(c, "reload", NULL), *why;
	bool fine = true;

	if (!answer) {
		vtm_ctl_warn(c, "the daemon does not run; it will read the list when it starts");
		return EX_OK;
	}
	if (!vtm_json_get_bool(answer, "ok", &fine) || !fine) {
		why = vtm_json_get_text(answer, "error");
		vtm_ctl_warn(c, "the list is changed, but the daemon keeps the old one: %s", why ? why : answer);
		g_free(why);
	}
	g_free(answer);
	return fine ? EX_OK : EX_CONFIG;
}

static int change(const struct vtm_ctl *c, bool adds, const char *word)
{
	struct list l = list_of(c, strlen(word) == 64 && strspn(word, G_CSET_DIGITS "abcdefABCDEF") == 64);
	GError *error = NULL;
	char *entry = l.normal(word, &error);
	int status;

	if (!entry) {
		vtm_ctl_warn(c, "%s", error->message);
		g_error_free(error);
		return EX_USAGE;
	}
	if (!l.files || !l.files[0]) {
		vtm_ctl_warn(c, "the configuration names no list of %s%s; add this line to %s: %s %s", l.kind,
			     g_str_has_suffix(l.kind, "sh") ? "es" : "s", c->conf->path, l.directive, l.example);
		g_free(entry);
		return EX_CONFIG;
	}
	switch (change_list(&l, adds, entry, &error)) {
	case 1:
		status = tell_daemon(c);
		break;
	case 0:
		vtm_ctl_warn(c, adds ? "%s is ignored already" : "%s is not on a list", entry);
		status = adds ? EX_OK : VTM_CTL_FOUND;
		break;
	default:
		status = vtm_ctl_fail(c, error);
	}
	g_free(entry);
	return status;
}

/* ---- listing ---- */

static int put_list(const struct vtm_ctl *c, const struct list *l, GError **error)
{
	for (unsigned f = 0; l->files && l->files[f]; f++) {
		char **lines = read_lines(l->files[f], error);

		if (!lines)
			return -1;
		for (unsigned i = 0; lines[i]; i++) {
			char *entry = entry_of(l, lines[i]);
			struct vtm_json *j;

			if (entry && c->json) {
				j = vtm_json_new();
				vtm_json_text(j, "kind", l->kind);
				vtm_json_text(j, "entry", entry);
				vtm_json_text(j, "file", l->files[f]);
				vtm_json_int(j, "line", i + 1);
				vtm_ctl_put_json(j);
			} else if (entry) {
				puts(entry);
			}
			g_free(entry);
		}
		g_strfreev(lines);
	}
	return 0;
}

static int list_all(const struct vtm_ctl *c)
{
	const struct list domains = list_of(c, false), hashes = list_of(c, true);
	GError *error = NULL;

	if (put_list(c, &domains, &error) < 0 || put_list(c, &hashes, &error) < 0)
		return vtm_ctl_fail(c, error);
	return EX_OK;
}

int vtm_ctl_ignore(struct vtm_ctl *c, int argc, char **argv)
{
	if (argc == 1 && !strcmp(argv[0], "list"))
		return list_all(c);
	if (argc == 2 && (!strcmp(argv[0], "add") || !strcmp(argv[0], "remove")))
		return change(c, !strcmp(argv[0], "add"), argv[1]);
	return vtm_ctl_usage(c, "expected add DOMAIN|SHA256, remove DOMAIN|SHA256 or list");
}
