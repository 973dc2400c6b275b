/* SPDX-License-Identifier: BSD-2-Clause */
/* mailbox.c - see mailbox.h. */
#include "mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "error.h"

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

static size_t line_length(const char *p, const char *end)
{
	const char *eol = memchr(p, '\n', (size_t)(end - p));

	return eol ? (size_t)(eol + 1 - p) : (size_t)(end - p);
}

static bool is_from(const char *p, const char *end)
{
	return end - p >= 5 && !memcmp(p, "From ", 5);
}

/* "From " and somewhere behind it a time: what people write into a letter seldom has one. */
static bool is_separator(const char *p, const char *end)
{
	size_t n = is_from(p, end) ? line_length(p, end) : 0;

	for (size_t i = 7; i + 2 < n; i++)
		if (p[i] == ':' && g_ascii_isdigit(p[i - 1]) && g_ascii_isdigit(p[i - 2]) && g_ascii_isdigit(p[i + 1]) &&
		    g_ascii_isdigit(p[i + 2]))
			return true;
	return false;
}

/* Where the message that begins at <p> ends. */
static const char *mbox_end(const char *p, const char *end)
{
	bool empty = false;

	p += line_length(p, end);
	while (p < end) {
		size_t n = line_length(p, end);

		if (empty && is_separator(p, end))
			return p;
		empty = n == 1 || (n == 2 && p[0] == '\r');
		p += n;
	}
	return end;
}

/* "Mon Jan  1 00:00:00 2026" somewhere in a "From " line, as UTC; 0: none. */
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

/* Maildir names begin with the time of delivery; 0: this one does not. */
static int64_t name_time(const char *path)
{
	const char *name = strrchr(path, '/');
	char *end;
	gint64 n;

	name = name ? name + 1 : path;
	n = g_ascii_strtoll(name, &end, 10);
	return end - name >= 9 && *end == '.' ? n : 0;
}

static bool give_mbox(const struct walk *w, struct vtm_mail *m, const char *data, size_t len)
{
	const char *end = data + len;
	bool single = mbox_end(data, end) == end;
	int64_t changed = m->time;

	for (unsigned n = 1; data < end; n++) {
		const char *next = mbox_end(data, end);

		m->number = single ? 0 : n;
		m->data = data;
		m->len = (size_t)(next - data);
		m->from_line = line_length(data, next);
		m->time = from_time(data, m->from_line);
		if (!m->time)
			m->time = changed;
		if (!w->each(m, w->arg))
			return false;
		data = next;
	}
	return true;
}

/* ---- files ---- */

static int walk_file(const struct walk *w, const char *path, const struct stat *st, GError **error)
{
	struct vtm_mail m = { .file = path, .time = name_time(path) };
	GError *why = NULL;
	GMappedFile *map;
	bool on;

	map = g_mapped_file_new(path, FALSE, &why);
	if (!map) {
		complain(error, path, g_strerror(errno));
		g_error_free(why);
		return -1;
	}
	if (!m.time)
		m.time = st->st_mtime;
	m.data = g_mapped_file_get_contents(map);
	m.len = g_mapped_file_get_length(map);
	if (!m.len)
		m.data = "";
	on = is_from(m.data, m.data + m.len) ? give_mbox(w, &m, m.data, m.len) : w->each(&m, w->arg);
	g_mapped_file_unref(map);
	return on;
}

static int walk_stdin(const struct walk *w, GError **error)
{
	struct vtm_mail m = { .file = "-" };
	GByteArray *all = g_byte_array_new();
	guint8 buf[65536];
	ssize_t n;
	int rc = -1;

	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			complain(error, "standard input", g_strerror(errno));
			goto out;
		}
		if (all->len + (size_t)n > VTM_MAILBOX_STDIN) {
			complain(error, "standard input", "is larger than 256 MiB");
			goto out;
		}
		g_byte_array_append(all, buf, (guint)n);
	}
	m.data = all->data ? (const char *)all->data : "";
	m.len = all->len;
	if (is_from(m.data, m.data + m.len))
		m.from_line = line_length(m.data, m.data + m.len);
	rc = w->each(&m, w->arg);
out:
	g_byte_array_free(all, TRUE);
	return rc;
}

/* ---- directories ---- */

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *names_of(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	GPtrArray *names;
	const char *name;

	if (!dir)
		return NULL;
	names = g_ptr_array_new_with_free_func(g_free);
	while ((name = g_dir_read_name(dir)))
		if (name[0] != '.')
			g_ptr_array_add(names, g_strdup(name));
	g_dir_close(dir);
	g_ptr_array_sort(names, by_name);
	return names;
}

static bool is_maildir(const char *path)
{
	char *cur = g_build_filename(path, "cur", NULL), *new = g_build_filename(path, "new", NULL);
	bool both = g_file_test(cur, G_FILE_TEST_IS_DIR) && g_file_test(new, G_FILE_TEST_IS_DIR);

	g_free(cur);
	g_free(new);
	return both;
}

static int walk_directory(const struct walk *w, const char *path, unsigned depth, GError **error);

/* Something in a directory: what cannot be read is passed over. */
static int walk_entry(const struct walk *w, const char *path, unsigned depth)
{
	GError *why = NULL;
	struct stat st;
	int rc = 1;

	if (lstat(path, &st) < 0)
		return 1;	/* moved on since: other programs work on Maildirs too */
	if (S_ISREG(st.st_mode))
		rc = walk_file(w, path, &st, &why);
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
	bool maildir;
	int rc = 1;

	if (!names)
		return complain(error, path, g_strerror(errno));
	maildir = is_maildir(path);
	for (guint i = 0; i < names->len && rc == 1; i++) {
		char *entry;

		if (maildir && !strcmp(names->pdata[i], "tmp"))
			continue;
		entry = g_build_filename(path, names->pdata[i], NULL);
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
	if (S_ISREG(st.st_mode))
		return walk_file(&w, path, &st, error);
	return complain(error, path, "is neither a file nor a directory");
}

/* ---- a message ---- */

char *vtm_mail_label(const struct vtm_mail *mail)
{
	return mail->number ? g_strdup_printf("%s#%u", mail->file, mail->number) : g_strdup(mail->file);
}

/* Is it ">From ", ">>From " ...? */
static bool is_quoted_from(const char *p, const char *end)
{
	const char *q = p;

	while (q < end && *q == '>')
		q++;
	return q > p && is_from(q, end);
}

struct vtm_spool *vtm_mail_spool(const struct vtm_mail *mail, const char *dir)
{
	struct vtm_spool *s = vtm_spool_new(dir, 0);
	const char *p = mail->data + mail->from_line, *end = mail->data + mail->len;

	while (p < end) {
		size_t n = line_length(p, end), text = n;

		if (p[n - 1] == '\n')
			text -= n > 1 && p[n - 2] == '\r' ? 2 : 1;
		if (mail->number && is_quoted_from(p, p + text)) {
			p++;
			n--;
			text--;
		}
		/* a broken spool says so itself */
		vtm_spool_add(s, p, text, NULL);
		if (text < n)
			vtm_spool_add(s, "\r\n", 2, NULL);
		p += n;
	}
	return s;
}
