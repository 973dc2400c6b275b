/* SPDX-License-Identifier: BSD-2-Clause */
/* mailbox.c - see mailbox.h. */
#include "ctl/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

struct walk {
	vtm_mailbox_each *each;
	void (*unreadable)(const char *, const char *, void *);
	void *arg;
};

static int complain(GError **error, const char *path, const char *why)
{
	g_set_error(error, VTM_ERROR, VTM_ERROR_FORMAT, "%s: %s", path, why);
	return -1;
}

/* ---- mbox ---- */

static bool is_from(const char *p, size_t n)
{
	return n >= 5 && !memcmp(p, "From ", 5);
}

/* Is it "From " with a time somewhere after it?  Text that people write seldom has one. */
static bool is_separator(const struct vtm_piece *p)
{
	if (!p->begins || !is_from(p->text, p->len))
		return false;
	for (size_t i = 7; i + 2 < p->len; i++)
		if (p->text[i] == ':' && g_ascii_isdigit(p->text[i - 1]) && g_ascii_isdigit(p->text[i - 2]) &&
		    g_ascii_isdigit(p->text[i + 1]) && g_ascii_isdigit(p->text[i + 2]))
			return true;
	return false;
}

static bool is_empty(const struct vtm_piece *p)
{
	return p->begins && (p->len == 1 || (p->len == 2 && p->text[0] == '\r')) && p->text[p->len - 1] == '\n';
}

/* The time "Mon Jan  1 00:00:00 2026" in a "From " line, as UTC; 0: there is none. */
static int64_t from_time(const char *line, size_t len)
{
	char *text = g_strndup(line, len);
	struct tm tm = { 0 };
	int64_t when = 0;

	for (char *p = strchr(text + 5, ' '); p && !when; p = strchr(p + 1, ' ')) {
		const char *end = strptime(p, " %a %b %d %H:%M:%S %Y", &tm);

		if (end)
			when = MAX(timegm(&tm), 0);
	}
	g_free(text);
	return when;
}

/* The time of delivery, with which names in a Maildir begin; 0: this one does not. */
static int64_t name_time(const char *path)
{
	const char *name = strrchr(path, '/');
	char *end;
	gint64 n;

	name = name ? name + 1 : path;
	n = g_ascii_strtoll(name, &end, 10);
	return end - name >= 9 && *end == '.' ? n : 0;
}

/* Reads up to the next separator.  1: it is *p, 0: there is none, -1: error. */
static int next_separator(struct vtm_lines *l, struct vtm_piece *p, GError **error)
{
	bool empty = false;
	int rc;

	while ((rc = vtm_lines_next(l, p, error)) == 1) {
		if (empty && is_separator(p))
			return 1;
		empty = is_empty(p);
	}
	return rc;
}

/* 1: all messages were read, 0: <each> ended it, -1: error. */
static int give_mbox(const struct walk *w, struct vtm_mail *m, int64_t size, GError **error)
{
	struct vtm_lines *l = vtm_lines_new(m->fd, 0, size);
	int64_t changed = m->time, next_time;
	struct vtm_piece p;
	int rc = vtm_lines_next(l, &p, error), more = 1;

	m->from_line = true;
	next_time = rc == 1 ? from_time(p.text, p.len) : 0;
	for (unsigned n = 1; rc == 1 && more == 1; n++) {
		more = next_separator(l, &p, error);
		if (more < 0) {
			rc = -1;
			break;
		}
		m->number = n == 1 && !more ? 0 : n;
		m->end = more ? p.at : size;
		m->time = next_time ? next_time : changed;
		next_time = more ? from_time(p.text, p.len) : 0;
		rc = w->each(m, w->arg);
		m->start = m->end;
	}
	vtm_lines_free(l);
	return rc;
}

/* ---- files ---- */

static int give_file(const struct walk *w, struct vtm_mail *m, int64_t size, GError **error)
{
	char start[5];
	ssize_t n = pread(m->fd, start, sizeof(start), 0);

	if (n < 0) {
		g_set_error_literal(error, VTM_ERROR, VTM_ERROR_FORMAT, g_strerror(errno));
		return -1;
	}
	if (is_from(start, (size_t)n))
		return give_mbox(w, m, size, error);
	m->end = size;
	return w->each(m, w->arg);
}

/* Reads <fd>, the result of opening <path>, and closes it. */
static int walk_file(const struct walk *w, const char *path, int fd, GError **error)
{
	struct vtm_mail m = { .file = path, .time = name_time(path), .fd = fd };
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st) < 0) {
		rc = complain(error, path, g_strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		rc = complain(error, path, "is neither a file nor a directory");
	} else {
		if (!m.time)
			m.time = st.st_mtime;
		rc = give_file(w, &m, st.st_size, error);
		if (rc < 0)
			g_prefix_error(error, "%s: ", path);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Opens a file without blocking: it may have become a FIFO. */
static int open_file(const char *path, int more)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | more);
}

/* Copies standard input to a file.  Returns its size, or -1. */
static int64_t read_stdin(FILE *to, GError **error)
{
	char buf[65536];
	int64_t size = 0;
	ssize_t n;

	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || fwrite(buf, 1, (size_t)n, to) != (size_t)n)
			return complain(error, "standard input", g_strerror(errno));
		size += n;
		if (size > VTM_MAILBOX_STDIN)
			return complain(error, "standard input", "is larger than 256 MiB");
	}
	return fflush(to) ? complain(error, "standard input", g_strerror(errno)) : size;
}

static int walk_stdin(const struct walk *w, GError **error)
{
	struct vtm_mail m = { .file = "-", .fd = memfd_create("standard input", MFD_CLOEXEC) };
	FILE *memory = m.fd >= 0 ? fdopen(m.fd, "w") : NULL;
	char start[5];
	int rc = -1;

	if (!memory) {
		complain(error, "standard input", g_strerror(errno));
		if (m.fd >= 0)
			close(m.fd);
		return -1;
	}
	m.end = read_stdin(memory, error);
	if (m.end >= 0) {
		m.from_line = pread(m.fd, start, sizeof(start), 0) == sizeof(start) && is_from(start, sizeof(start));
		rc = w->each(&m, w->arg);
	}
	fclose(memory);
	return rc;
}

/* ---- directories ---- */

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Is <path>/<name> a directory? */
static bool has_directory(const char *path, const char *name)
{
	char *full = g_build_filename(path, name, NULL);
	bool is = g_file_test(full, G_FILE_TEST_IS_DIR);

	g_free(full);
	return is;
}

static bool is_maildir(const char *path)
{
	return has_directory(path, "cur") && has_directory(path, "new");
}

/* Maildir++ has folders as ".Name" in the Maildir. */
static bool is_folder(const char *path, const char *name)
{
	char *full = g_build_filename(path, name, NULL);
	bool is = strcmp(name, ".") && strcmp(name, "..") && is_maildir(full);

	g_free(full);
	return is;
}

/* The names of a directory to walk, in order; NULL: it cannot be read. */
static GPtrArray *names_of(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	bool maildir = is_maildir(path);
	GPtrArray *names;
	const char *name;

	if (!dir)
		return NULL;
	names = g_ptr_array_new_with_free_func(g_free);
	while ((name = g_dir_read_name(dir)))
		if (name[0] != '.' ? !maildir || (strcmp(name, "tmp") && strcmp(name, "new")) :
				     maildir && is_folder(path, name))
			g_ptr_array_add(names, g_strdup(name));
	g_dir_close(dir);
	g_ptr_array_sort(names, by_name);
	if (maildir)
		g_ptr_array_insert(names, 0, g_strdup("new"));
	return names;
}

/* Opens a message in a Maildir whose flags, which follow the colon in its name, have changed.  -1: error. */
static int open_renamed(const char *path)
{
	char *dir_name = g_path_get_dirname(path), *base = g_path_get_basename(path), *found = NULL;
	size_t n = strcspn(base, ":");
	GDir *dir = base[n] ? g_dir_open(dir_name, 0, NULL) : NULL;
	const char *name;
	int fd = -1;

	while (dir && !found && (name = g_dir_read_name(dir)))
		if (!strncmp(name, base, n) && name[n] == ':')
			found = g_build_filename(dir_name, name, NULL);
	if (dir)
		g_dir_close(dir);
	if (found)
		fd = open_file(found, O_NOFOLLOW);
	g_free(found);
	g_free(base);
	g_free(dir_name);
	return fd;
}

static int walk_directory(const struct walk *w, const char *path, unsigned depth, GError **error);

/* Reads a file of a directory.  A missing one is no error: other programs move and delete files in Maildirs. */
static int walk_listed(const struct walk *w, const char *path, GError **error)
{
	int fd = open_file(path, O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT) {
		fd = open_renamed(path);
		if (fd < 0)
			return 1;
	}
	return walk_file(w, path, fd, error);
}

/* Reads an entry of a directory; skips one that cannot be read. */
static int walk_entry(const struct walk *w, const char *path, unsigned depth)
{
	GError *why = NULL;
	struct stat st;
	int rc = 1;

	if (lstat(path, &st) < 0 || S_ISREG(st.st_mode))
		rc = walk_listed(w, path, &why);
	else if (S_ISDIR(st.st_mode) && depth < VTM_MAILBOX_DEPTH)
		rc = walk_directory(w, path, depth + 1, &why);
	if (rc < 0) {
		if (w->unreadable)
			w->unreadable(path, why->message, w->arg);
		g_error_free(why);
		rc = 1;
	}
	return rc;
}

static int walk_directory(const struct walk *w, const char *path, unsigned depth, GError **error)
{
	GPtrArray *names = names_of(path);
	int rc = 1;

	if (!names)
		return complain(error, path, g_strerror(errno));
	for (guint i = 0; i < names->len && rc == 1; i++) {
		char *entry = g_build_filename(path, names->pdata[i], NULL);

		rc = walk_entry(w, entry, depth);
		g_free(entry);
	}
	g_ptr_array_free(names, TRUE);
	return rc;
}

int vtm_mailbox_walk(const char *path, vtm_mailbox_each *each, void *arg,
		     void (*unreadable)(const char *file, const char *why, void *arg), GError **error)
{
	const struct walk w = { each, unreadable, arg };
	struct stat st;

	if (!strcmp(path, "-"))
		return walk_stdin(&w, error);
	if (stat(path, &st) < 0)
		return complain(error, path, g_strerror(errno));
	if (S_ISDIR(st.st_mode))
		return walk_directory(&w, path, 1, error);
	return walk_file(&w, path, open_file(path, 0), error);
}

/* ---- a message ---- */

char *vtm_mail_label(const struct vtm_mail *mail)
{
	return mail->number ? g_strdup_printf("%s#%u", mail->file, mail->number) : g_strdup(mail->file);
}

int vtm_mail_read(const struct vtm_mail *mail, vtm_mail_piece *each, void *arg, GError **error)
{
	struct vtm_lines *l = vtm_lines_new(mail->fd, mail->start, mail->end);
	bool from_line = mail->from_line;
	struct vtm_piece p;
	int rc;

	while ((rc = vtm_lines_next(l, &p, error)) == 1) {
		from_line = from_line && (p.begins ? p.at == mail->start : true);
		each(&p, from_line, arg);
	}
	vtm_lines_free(l);
	if (rc < 0)
		g_prefix_error(error, "%s: ", mail->file);
	return rc;
}

struct spooling {
	struct vtm_spool *spool;
	bool unquote;
};

/* Is it ">From ", ">>From " ...? */
static bool is_quoted_from(const struct vtm_piece *p)
{
	size_t n = 0;

	while (p->begins && n < p->len && p->text[n] == '>')
		n++;
	return n > 0 && is_from(p->text + n, p->len - n);
}

static void spool_piece(const struct vtm_piece *p, bool from_line, void *arg)
{
	const struct spooling *s = arg;
	const char *text = p->text;
	size_t n = p->len;
	bool ends = text[n - 1] == '\n';

	if (from_line)
		return;
	if (ends)
		n -= n > 1 && text[n - 2] == '\r' ? 2 : 1;
	if (s->unquote && is_quoted_from(p)) {
		text++;
		n--;
	}
	/* a failed spool reports that itself */
	vtm_spool_add(s->spool, text, n, NULL);
	if (ends)
		vtm_spool_add(s->spool, "\r\n", 2, NULL);
}

struct vtm_spool *vtm_mail_spool(const struct vtm_mail *mail, const char *dir, GError **error)
{
	struct spooling s = { vtm_spool_new(dir, 0), mail->number > 0 };

	if (vtm_mail_read(mail, spool_piece, &s, error) < 0)
		g_clear_pointer(&s.spool, vtm_spool_free);
	return s.spool;
}
