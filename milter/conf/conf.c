/* SPDX-License-Identifier: BSD-2-Clause */
/* conf.c - see conf.h. */
#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

#include "conf/check.h"
#include "conf/field.h"
#include "conf/table.h"
#include "conf/value.h"
#include "base/error.h"

#define FILE_BYTES_MAX (1024 * 1024)
#define LINE_BYTES_MAX 4096

/* ---- snapshots ---- */

struct vtm_conf *vtm_conf_defaults(void)
{
	struct vtm_conf *c = g_new0(struct vtm_conf, 1);

	c->refs = 1;
	for (size_t i = 0; i < vtm_n_directives; i++) {
		GError *error = NULL;

		if (vtm_directives[i].default_text &&
		    !vtm_field_default(c, &vtm_directives[i], &error))
			g_error("%s: %s", vtm_directives[i].name, error->message);	/* the table is wrong */
	}
	return c;
}

static void conf_free(struct vtm_conf *c)
{
	for (size_t i = 0; i < vtm_n_directives; i++)
		vtm_field_clear(c, &vtm_directives[i]);
	vtm_netlist_free(c->own_networks);
	vtm_netlist_free(c->trusted_relays);
	vtm_netlist_free(c->skip_networks);
	vtm_ignore_free(c->ignore);
	vtm_lists_free(c->lists);
	if (c->api_key)
		explicit_bzero(c->api_key, strlen(c->api_key));
	g_free(c->api_key);
	g_free(c->path);
	g_free(c);
}

struct vtm_conf *vtm_conf_ref(struct vtm_conf *c)
{
	g_atomic_int_inc(&c->refs);
	return c;
}

void vtm_conf_unref(struct vtm_conf *c)
{
	if (c && g_atomic_int_dec_and_test(&c->refs))
		conf_free(c);
}

const char *vtm_socket_path(const char *socket)
{
	if (g_str_has_prefix(socket, "local:"))
		return socket + strlen("local:");
	if (g_str_has_prefix(socket, "unix:"))
		return socket + strlen("unix:");
	return *socket == '/' ? socket : NULL;
}

void vtm_conf_dump(const struct vtm_conf *c, FILE *to)
{
	struct vtm_conf *defaults = vtm_conf_defaults();

	for (size_t i = 0; i < vtm_n_directives; i++) {
		const struct vtm_directive *d = &vtm_directives[i];
		char *value;

		if (vtm_field_same(c, defaults, d)) {
			fprintf(to, "%s %s  # default\n", d->name, d->default_text ? d->default_text : VTM_CONF_NONE);
			continue;
		}
		for (unsigned n = 0; (value = vtm_field_text(c, d, n)); n++) {
			fprintf(to, "%s %s\n", d->name, value);
			g_free(value);
		}
	}
	vtm_conf_unref(defaults);
}

/* Covers the pointer to the current snapshot. */
static GMutex current_lock;
static struct vtm_conf *current;

void vtm_conf_set_current(struct vtm_conf *c)
{
	struct vtm_conf *old;

	g_mutex_lock(&current_lock);
	old = current;
	current = c;
	g_mutex_unlock(&current_lock);
	vtm_conf_unref(old);
}

struct vtm_conf *vtm_conf_current(void)
{
	struct vtm_conf *c;

	g_mutex_lock(&current_lock);
	c = current ? vtm_conf_ref(current) : NULL;
	g_mutex_unlock(&current_lock);
	return c;
}

/* ---- reading ---- */

/* Cuts a line where a comment begins: '#' at its start or after a blank. */
static void cut_comment(char *line)
{
	for (char *p = line; *p; p++)
		if (*p == '#' && (p == line || p[-1] == ' ' || p[-1] == '\t')) {
			*p = '\0';
			return;
		}
}

static bool take_directive(struct vtm_conf_loader *l, const char *name, const char *value, unsigned line,
			   GError **error)
{
	const struct vtm_directive *d = vtm_directive_find(name), *meant;
	unsigned *first;

	if (!d) {
		char *safe = vtm_log_escape(name, -1, 64);

		meant = vtm_directive_nearest(name);
		if (meant)
			vtm_conf_complain(error, "unknown directive '%s'; did you mean %s?", safe, meant->name);
		else
			vtm_conf_complain(error, "unknown directive '%s'; vtmilter.conf(5) lists them", safe);
		g_free(safe);
		return false;
	}
	first = &l->lines[d - vtm_directives];
	if (*first && d->type != T_PATHS && d->type != T_BY_ORIGIN)
		return vtm_conf_complain(error, "%s is in line %u already; remove one", d->name, *first);
	if (!*first)
		*first = line;
	if (!*value)
		return vtm_conf_complain(error, "%s: found no value", d->name);
	if (!vtm_field_set(l->c, d, value, error)) {
		g_prefix_error(error, "%s: ", d->name);
		return false;
	}
	return true;
}

static bool take_line(struct vtm_conf_loader *l, char *line, unsigned number, GError **error)
{
	char *value;

	if (strlen(line) > LINE_BYTES_MAX)
		return vtm_conf_complain(error, "the line is longer than %d bytes", LINE_BYTES_MAX);
	g_strchomp(line);
	cut_comment(line);
	g_strstrip(line);
	if (!*line)
		return true;
	for (const char *p = line; *p; p++)
		if (g_ascii_iscntrl(*p) && *p != '\t')
			return vtm_conf_complain(error, "found a control character (\\x%02x)", (unsigned char)*p);
	value = line + strcspn(line, " \t");
	if (*value)
		*value++ = '\0';
	return take_directive(l, line, g_strchug(value), number, error);
}

static bool take_text(struct vtm_conf_loader *l, char *text, size_t len, GError **error)
{
	unsigned number = 1;
	char *line = text;

	if (strlen(text) != len)
		return vtm_conf_complain(error, "%s: found a NUL byte, expected text", l->c->path);
	if (!g_utf8_validate(text, -1, NULL))
		return vtm_conf_complain(error, "%s: found bytes that are not UTF-8", l->c->path);
	if (g_str_has_prefix(text, "\xef\xbb\xbf"))	/* a byte order mark, which some editors write */
		line += 3;
	for (char *next; line; line = next, number++) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!take_line(l, line, number, error)) {
			g_prefix_error(error, "%s:%u: ", l->c->path, number);
			return false;
		}
	}
	return true;
}

static struct vtm_conf *load(const char *path, bool quiet, GError **error)
{
	struct vtm_conf *defaults = vtm_conf_defaults();
	struct vtm_conf_loader l = {
		.c = vtm_conf_defaults(), .defaults = defaults, .lines = g_new0(unsigned, vtm_n_directives),
	};
	struct stat st;
	size_t len;
	char *text;
	bool good;

	l.c->path = g_strdup(path ? path : VTM_CONF_FILE_DEFAULT);
	text = vtm_conf_read_file(l.c->path, FILE_BYTES_MAX, &st, &len, error);
	if (!text)
		g_prefix_error(error, "%s: ", l.c->path);
	good = text && take_text(&l, text, len, error) && vtm_conf_check(&l, error) &&
	       (quiet || vtm_conf_check_outside(&l, error));
	g_free(text);
	g_free(l.lines);
	vtm_conf_unref(defaults);
	if (!good)
		g_clear_pointer(&l.c, vtm_conf_unref);
	return l.c;
}

struct vtm_conf *vtm_conf_load(const char *path, GError **error)
{
	return load(path, false, error);
}

struct vtm_conf *vtm_conf_load_quiet(const char *path, GError **error)
{
	return load(path, true, error);
}
