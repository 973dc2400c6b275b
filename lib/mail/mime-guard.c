/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-guard.c - a message seen before GMime sees it. */
#include "mail/mime-guard.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/buffer.h"
#include "mail/mime-header.h"
#include "mail/mime-params.h"

#define BLOCK 16384	/* stays in the first cache from one look to the other */
#define NAME_MAX_LEN 27	/* of the names below */

struct look {
	const char *bytes, *end;
	struct vtm_guard *g;
	uint64_t dashes;	/* lines that begin with "--" */
	uint64_t boundaries;	/* fields that declare one */
	bool strange;		/* one is written in a way that GMime may read otherwise than we do */
	uint64_t colons;
	GHashTable *known;	/* boundaries: set of char *; at most 1,024 */
};

/* Is the name before the colon at <colon> one of <names>, at the start of a line? (GMime allows blanks before the
 * colon.) */
static bool is_named(const struct look *l, const char *colon, const char *const *names)
{
	const char *end = colon, *start;

	while (end > l->bytes && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	start = end;
	while (start > l->bytes && end - start <= NAME_MAX_LEN && start[-1] > ' ' && start[-1] < 127 &&
	       start[-1] != ':')
		start--;
	if (start > l->bytes && start[-1] != '\n')
		return false;
	for (; *names; names++)
		if (strlen(*names) == (size_t)(end - start) &&
		    !g_ascii_strncasecmp(*names, start, (gsize)(end - start)))
			return true;
	return false;
}

/* Where the field ends, its continuation lines included. */
static const char *field_end(const struct look *l, const char *p)
{
	for (;;) {
		p = memchr(p, '\n', (size_t)(l->end - p));
		if (!p)
			return l->end;
		p++;
		if (p == l->end || (*p != ' ' && *p != '\t'))
			return p;
	}
}

static void blank(struct look *l, const char *from, const char *to)
{
	struct vtm_buffer view = { .data = NULL };

	if (!l->g->view && !l->g->no_memory) {
		vtm_buffer_add(&view, l->bytes, (size_t)(l->end - l->bytes));
		l->g->no_memory = view.refused;
		l->g->view = vtm_buffer_steal(&view);
	}
	if (l->g->no_memory)
		return;
	for (; from < to; from++)
		if (*from != '\r' && *from != '\n')
			l->g->view[from - l->bytes] = ' ';
}

/* Blanks everything after the first <max> times <c>, or after the first VTM_GUARD_FIELD_MAX bytes. */
static void bound_field(struct look *l, const char *value, const char *end, char c, unsigned max)
{
	const char *p = value, *last = MIN(end, value + VTM_GUARD_FIELD_MAX);
	unsigned n = 0;

	while ((p = memchr(p, c, (size_t)(last - p))) && ++n <= max)
		p++;
	if (p || last < end)
		blank(l, p ? p : last, end);
}

/* Is it certain that GMime reads this boundary as we do? */
static bool is_plain(const char *field)
{
	const char *p = strchr(field, '=');

	if (strpbrk(field, "(\\*%") || strstr(field, "=?"))
		return false;
	return p &&
	       (p[1] == '"' || !p[strspn(p, "=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+'-")]);
}

static void note_boundary(struct look *l, const char *value, const char *end)
{
	char *text = g_strndup(value, (gsize)MIN(end - value, VTM_GUARD_FIELD_MAX)), *field = vtm_header_unfold(text);
	GPtrArray *list = vtm_header_params(field, "boundary", 4);
	char *lower = g_ascii_strdown(field, -1), *at = strstr(lower, "boundary");

	if (at) {
		l->boundaries++;
		l->strange = l->strange || list->len != 1 || !is_plain(field + (at - lower));
	}
	for (guint i = 0; i < list->len && g_hash_table_size(l->known) < 1024; i++)
		g_hash_table_add(l->known, g_strdup(list->pdata[i]));
	g_ptr_array_free(list, TRUE);
	g_free(lower);
	g_free(field);
	g_free(text);
}

static void look_at_field(struct look *l, const char *colon)
{
	static const char *const mime[] = { "Content-Type", "Content-Disposition", NULL };
	static const char *const addresses[] = {
		"From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Resent-From", "Resent-Sender", "Resent-Reply-To", "Resent-To",
		"Resent-Cc", "Resent-Bcc", "Disposition-Notification-To", "Mail-Followup-To", NULL
	};
	const char *value = colon + 1, *end;

	if (is_named(l, colon, mime)) {
		end = field_end(l, value);
		note_boundary(l, value, end);
		bound_field(l, value, end, ';', VTM_GUARD_PARAMS_MAX);
	} else if (is_named(l, colon, addresses)) {
		bound_field(l, value, field_end(l, value), ':', VTM_GUARD_GROUPS_MAX);
	}
}

/* Does the line "--..." at <p> end a part? */
static bool is_delimiter(const struct look *l, const char *p)
{
	const char *lf = memchr(p, '\n', (size_t)MIN(l->end - p, 1000));
	size_t n = lf ? (size_t)(lf - p) : (size_t)MIN(l->end - p, 1000);
	char *text;
	bool known;

	while (n > 2 && strchr(" \t\r", p[n - 1]))
		n--;
	text = g_strndup(p + 2, n - 2);
	known = g_hash_table_contains(l->known, text);
	n = strlen(text);
	if (!known && n >= 2 && !strcmp(text + n - 2, "--")) {
		text[n - 2] = '\0';
		known = g_hash_table_contains(l->known, text);
	}
	g_free(text);
	return known;
}

static bool is_dashes(const struct look *l, const char *p)
{
	return p + 1 < l->end && p[1] == '-' && (p == l->bytes || p[-1] == '\n');
}

/* Only for messages with so many dashes that there may be too many delimiters. */
static uint64_t count_delimiters(const struct look *l)
{
	const char *p = l->bytes;
	uint64_t n = 0;

	if (l->strange)
		return l->dashes;
	for (; (p = memchr(p, '-', (size_t)(l->end - p))); p++)
		n += is_dashes(l, p) && is_delimiter(l, p);
	return n;
}

static void look_at_bytes(struct look *l, const char *from, const char *end)
{
	for (const char *p = from; (p = memchr(p, ':', (size_t)(end - p))); p++) {
		l->colons++;
		look_at_field(l, p);
	}
	for (const char *p = from; (p = memchr(p, '-', (size_t)(end - p))); p++)
		l->dashes += is_dashes(l, p);
}

void vtm_guard_look(const char *bytes, size_t len, struct vtm_guard *g)
{
	struct look l = { .bytes = bytes, .end = bytes + len, .g = g };

	g->refuse = g->no_memory = false;
	g->view = NULL;
	l.known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (size_t at = 0; at < len; at += BLOCK)
		look_at_bytes(&l, bytes + at, bytes + MIN(at + BLOCK, len));
	g->colons = l.colons;
	if (l.dashes > VTM_GUARD_DELIMITERS_MAX && l.boundaries)
		g->refuse = l.dashes * MIN(l.boundaries, 1024) > VTM_GUARD_WORK_MAX ||
			    count_delimiters(&l) > VTM_GUARD_DELIMITERS_MAX;
	g->refuse = g->refuse || g->no_memory;
	g_hash_table_destroy(l.known);
}
