/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-params.c - header fields and their parameters, read leniently. */
#include "mail/mime-params.h"

#include <string.h>

#include "mail/mime-header.h"

#define PIECES_MAX 64	/* of a value in RFC 2231's form */

/* Adds <text>, which it takes over, unless it is empty or known. */
static void add_once(GPtrArray *list, char *text, guint max)
{
	bool known = !*text || list->len >= max;

	for (guint i = 0; i < list->len && !known; i++)
		known = !strcmp(list->pdata[i], text);
	if (known)
		g_free(text);
	else
		g_ptr_array_add(list, text);
}

/* ---- fields ---- */

/* The first byte after the field at <at>, its continuation lines included. */
static size_t field_end(const char *header, size_t len, size_t at)
{
	while (at < len) {
		const char *lf = memchr(header + at, '\n', len - at);

		if (!lf)
			return len;
		at = (size_t)(lf - header) + 1;
		if (at < len && header[at] != ' ' && header[at] != '\t')
			break;
	}
	return at;
}

/* Where the value of the field at <at> begins if it is called <name>; 0: it is not. */
static size_t value_of(const char *header, size_t len, size_t at, const char *name)
{
	size_t n = strlen(name);

	if (len - at <= n || g_ascii_strncasecmp(header + at, name, n))
		return 0;
	for (at += n; at < len && (header[at] == ' ' || header[at] == '\t'); at++)
		;
	return at < len && header[at] == ':' ? at + 1 : 0;
}

static bool is_known(const GPtrArray *values, const char *value)
{
	for (guint k = 0; k < values->len; k++)
		if (!g_ascii_strcasecmp(values->pdata[k], value))
			return true;
	return false;
}

GPtrArray *vtm_header_fields(const char *header, size_t len, const char *name, guint max, bool *more_r)
{
	GPtrArray *values = g_ptr_array_new_with_free_func(g_free);

	for (size_t at = 0, end; at < len; at = end) {
		size_t from = value_of(header, len, at, name);
		char *raw, *value;

		end = field_end(header, len, at);
		if (!from)
			continue;
		*more_r = *more_r || end - from > VTM_HEADER_MAX;
		raw = g_strndup(header + from, MIN(end - from, VTM_HEADER_MAX));
		value = vtm_header_unfold(raw);
		g_free(raw);
		if (is_known(values, value)) {
			g_free(value);
		} else if (values->len == max) {
			*more_r = true;
			g_free(value);
		} else {
			g_ptr_array_add(values, value);
		}
	}
	return values;
}

/* ---- parameters ---- */

/* The value after '=': quoted, or up to a ';' or a blank. *end_r: where it ends. */
static char *take_value(const char *p, const char **end_r)
{
	GString *text = g_string_new(NULL);

	p += strspn(p, " \t");
	if (*p == '"') {
		for (p++; *p && *p != '"'; p++) {
			if (*p == '\\' && p[1])
				p++;
			g_string_append_c(text, *p);
		}
	} else {
		while (*p && !strchr("; \t", *p))
			g_string_append_c(text, *p++);
	}
	*end_r = p;
	return g_string_free(text, FALSE);
}

/* One piece of a value in RFC 2231's form: "name*1*=". */
struct piece {
	unsigned index;
	bool numbered, encoded;
	char *text;
};

struct search {
	const char *name;
	GPtrArray *list;
	guint max;
	struct piece pieces[PIECES_MAX];
	guint n;
};

/* Undoes "charset'language'" and the percent signs. */
static void append_decoded(GString *to, const char *text, bool first)
{
	const char *quote = first ? strchr(text, '\'') : NULL, *second = quote ? strchr(quote + 1, '\'') : NULL;

	for (const char *p = second ? second + 1 : text; *p; p++) {
		int high = *p == '%' ? g_ascii_xdigit_value(p[1]) : -1;
		int low = high < 0 ? -1 : g_ascii_xdigit_value(p[2]);

		g_string_append_c(to, low < 0 ? *p : (char)(high << 4 | low));
		p += low < 0 ? 0 : 2;
	}
}

/* Takes over a value in one of RFC 2231's forms; "name*=" is complete. */
static void add_piece(struct search *s, const struct piece *piece)
{
	if (piece->numbered && s->n < PIECES_MAX) {
		s->pieces[s->n++] = *piece;
		return;
	}
	if (!piece->numbered) {
		GString *text = g_string_new(NULL);

		append_decoded(text, piece->text, true);
		add_once(s->list, g_utf8_make_valid(text->str, (gssize)text->len), s->max);
		g_string_free(text, TRUE);
	}
	g_free(piece->text);
}

/* Joins the pieces by number, and as they come if that differs. */
static void join_pieces(struct search *s)
{
	GString *by_number = g_string_new(NULL), *as_written = g_string_new(NULL);

	for (guint i = 0; i < s->n; i++) {
		const struct piece *p = &s->pieces[i];

		for (guint k = 0; k < s->n; k++)
			if (s->pieces[k].index == i) {
				append_decoded(by_number, s->pieces[k].encoded ? s->pieces[k].text : "", i == 0);
				g_string_append(by_number, s->pieces[k].encoded ? "" : s->pieces[k].text);
				break;
			}
		append_decoded(as_written, p->encoded ? p->text : "", i == 0);
		g_string_append(as_written, p->encoded ? "" : p->text);
	}
	add_once(s->list, g_utf8_make_valid(by_number->str, (gssize)by_number->len), s->max);
	add_once(s->list, g_utf8_make_valid(as_written->str, (gssize)as_written->len), s->max);
	g_string_free(by_number, TRUE);
	g_string_free(as_written, TRUE);
	for (guint i = 0; i < s->n; i++)
		g_free(s->pieces[i].text);
	s->n = 0;
}

/* A value of several words without quotes: all of them count too, unless another parameter is among them. */
static void add_words(struct search *s, const char *first, const char *rest)
{
	size_t n = strcspn(rest, ";");

	add_once(s->list, g_strdup(first), s->max);
	if (memchr(rest, '=', n))
		return;
	while (n && (rest[n - 1] == ' ' || rest[n - 1] == '\t'))
		n--;
	if (n)
		add_once(s->list, g_strdup_printf("%s%.*s", first, (int)n, rest), s->max);
}

/* After the name of a parameter: the value that follows.  Returns where to go on, NULL: no value follows. */
static const char *take_param(struct search *s, const char *p)
{
	struct piece piece = { .numbered = false };
	const char *end;
	bool quoted;
	char *text;

	if (*p == '*') {
		piece.encoded = true;
		if (g_ascii_isdigit(*++p)) {
			piece.numbered = true;
			for (; g_ascii_isdigit(*p) && piece.index < PIECES_MAX; p++)
				piece.index = piece.index * 10 + (unsigned)(*p - '0');
			piece.encoded = *p == '*';
			p += piece.encoded;
		}
	}
	p += strspn(p, " \t");
	if (*p != '=')
		return NULL;
	quoted = p[1 + strspn(p + 1, " \t")] == '"';
	text = take_value(p + 1, &end);
	if (piece.encoded || piece.numbered) {
		piece.text = text;
		add_piece(s, &piece);
		return end;
	}
	if (!quoted && (*end == ' ' || *end == '\t'))
		add_words(s, text, end);
	if (!quoted && strchr(text, ','))
		add_once(s->list, g_strndup(text, strcspn(text, ",")), s->max);
	add_once(s->list, text, s->max);
	return end;
}

/* Looks for the parameter wherever its name may begin.  true: a quote had no end. */
static bool search(struct search *s, const char *value, bool quotes)
{
	size_t n = strlen(s->name);
	bool quoted = false;

	for (const char *p = value; *p; p++) {
		const char *end;

		if (*p == '"')
			quoted = !quoted && quotes;
		if (quoted && *p == '\\' && p[1])
			p++;
		if (quoted || p == value || !strchr("; \t\",)", p[-1]) || g_ascii_strncasecmp(p, s->name, n))
			continue;
		end = take_param(s, p + n);
		if (!end)
			continue;
		p = end;
		if (!*p)
			break;
	}
	return quoted;
}

GPtrArray *vtm_header_params(const char *value, const char *name, guint max)
{
	struct search s = { .name = name, .list = g_ptr_array_new_with_free_func(g_free), .max = max };
	bool open = search(&s, value, true);

	if (s.n)
		join_pieces(&s);
	if (open)
		search(&s, value, false);
	if (s.n)
		join_pieces(&s);
	return s.list;
}

/* ---- what a header says ---- */

static bool is_token(char c)
{
	return c > ' ' && c < 127 && !strchr("()<>@,;:\\\"/[]?=", c);
}

bool vtm_type_is_plain(const char *value)
{
	const char *p = value;

	while (is_token(*p))
		p++;
	if (p == value || *p++ != '/' || !is_token(*p))
		return false;
	while (is_token(*p))
		p++;
	p += strspn(p, " \t");
	return !*p || *p == ';';
}

/* Adds the values of <name> in each of <fields> to <list>. */
static void add_params(struct vtm_fields *f, GPtrArray *list, const GPtrArray *fields, const char *name)
{
	for (guint i = 0; i < fields->len; i++) {
		GPtrArray *values = vtm_header_params(fields->pdata[i], name, VTM_VALUES_MAX);

		f->more = f->more || list->len + values->len > VTM_VALUES_MAX;
		for (guint k = 0; k < values->len; k++)
			add_once(list, g_strdup(values->pdata[k]), VTM_VALUES_MAX);
		g_ptr_array_free(values, TRUE);
	}
}

static bool has_param(struct vtm_fields *f, const char *name, const char *wanted)
{
	GPtrArray *values = g_ptr_array_new_with_free_func(g_free);
	bool has;

	add_params(f, values, f->types, name);
	has = is_known(values, wanted);
	g_ptr_array_free(values, TRUE);
	return has;
}

/* Adds the values of the field <name>, quotes and brackets around them removed. */
static void add_fields(GPtrArray *list, const char *header, size_t len, const char *name, bool *more_r)
{
	GPtrArray *values = vtm_header_fields(header, len, name, VTM_VALUES_MAX, more_r);

	for (guint i = 0; i < values->len; i++) {
		char *value = values->pdata[i];
		size_t n = strlen(value);

		if (n > 1 && ((value[0] == '"' && value[n - 1] == '"') || (value[0] == '<' && value[n - 1] == '>')))
			add_once(list, g_strndup(value + 1, n - 2), VTM_VALUES_MAX);
		else
			add_once(list, g_strdup(value), VTM_VALUES_MAX);
	}
	g_ptr_array_free(values, TRUE);
}

GPtrArray *vtm_header_bases(const char *header, size_t len)
{
	GPtrArray *bases = g_ptr_array_new_with_free_func(g_free);
	bool more = false;	/* a base too many makes no link more than a relative one */

	add_fields(bases, header, len, "Content-Base", &more);
	add_fields(bases, header, len, "Content-Location", &more);
	return bases;
}

/* RFC 2017: blanks in a URL of message/external-body are not part of it. */
static void add_external(struct vtm_fields *f)
{
	GPtrArray *urls = g_ptr_array_new_with_free_func(g_free);

	add_params(f, urls, f->types, "url");
	for (guint i = 0; i < urls->len; i++) {
		GString *url = g_string_new(NULL);

		for (const char *p = urls->pdata[i]; *p; p++)
			if (*p != ' ' && *p != '\t')
				g_string_append_c(url, *p);
		add_once(f->links, g_string_free(url, FALSE), VTM_VALUES_MAX);
	}
	g_ptr_array_free(urls, TRUE);
}

static bool is_inline(const char *disposition)
{
	size_t n;

	disposition = vtm_header_skip_comments(disposition);
	disposition += strspn(disposition, " \t\"");
	n = strcspn(disposition, " \t;\"(");
	return !n || (n == 6 && !g_ascii_strncasecmp(disposition, "inline", n));
}

void vtm_fields_read(struct vtm_fields *f, const char *header, size_t len)
{
	GPtrArray *dispositions, *cloud;

	memset(f, 0, sizeof(*f));
	f->names = g_ptr_array_new_with_free_func(g_free);
	f->charsets = g_ptr_array_new_with_free_func(g_free);
	f->links = g_ptr_array_new_with_free_func(g_free);
	f->types = vtm_header_fields(header, len, "Content-Type", VTM_VALUES_MAX, &f->more);
	dispositions = vtm_header_fields(header, len, "Content-Disposition", VTM_VALUES_MAX, &f->more);
	cloud = vtm_header_fields(header, len, "X-Mozilla-Cloud-Part", VTM_VALUES_MAX, &f->more);
	for (guint i = 0; i < dispositions->len; i++)
		f->attachment = f->attachment || !is_inline(dispositions->pdata[i]);
	add_params(f, f->names, dispositions, "filename");
	add_params(f, f->names, f->types, "name");
	add_params(f, f->names, dispositions, "name");
	add_params(f, f->names, f->types, "filename");
	add_fields(f->names, header, len, "Content-Name", &f->more);	/* these two are Thunderbird's */
	add_fields(f->names, header, len, "X-Sun-Data-Name", &f->more);
	add_params(f, f->charsets, f->types, "charset");
	f->flowed = has_param(f, "format", "flowed");
	f->delsp = has_param(f, "delsp", "yes");
	add_fields(f->links, header, len, "X-Mozilla-External-Attachment-URL", &f->more);
	add_params(f, f->links, cloud, "url");
	add_external(f);
	f->bases = vtm_header_bases(header, len);
	g_ptr_array_free(dispositions, TRUE);
	g_ptr_array_free(cloud, TRUE);
}

void vtm_fields_clear(struct vtm_fields *f)
{
	GPtrArray *lists[] = { f->types, f->names, f->charsets, f->links, f->bases };

	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
		if (lists[i])
			g_ptr_array_free(lists[i], TRUE);
	memset(f, 0, sizeof(*f));
}
