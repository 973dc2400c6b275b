/* SPDX-License-Identifier: BSD-2-Clause */
/* field.c - see field.h. */
#include "conf/field.h"

#include <string.h>

#include "conf/value.h"

#define REPEATS_MAX 100		/* lines of a directive that may be repeated */

static void *field(struct vtm_conf *c, const struct vtm_directive *d)
{
	return (char *)c + d->offset;
}

static const void *const_field(const struct vtm_conf *c, const struct vtm_directive *d)
{
	return (const char *)c + d->offset;
}

static bool optional(const struct vtm_directive *d)
{
	return !d->default_text;
}

void vtm_field_clear(struct vtm_conf *c, const struct vtm_directive *d)
{
	switch (d->type) {
	case T_TEXT:
	case T_PATH:
		g_clear_pointer((char **)field(c, d), g_free);
		break;
	case T_PATHS:
	case T_COMMAND:
		g_clear_pointer((GStrv *)field(c, d), g_strfreev);
		break;
	case T_BOOL:
	case T_NUMBER:
	case T_PERCENT:
	case T_DURATION:
	case T_SIZE:
	case T_MODE:
	case T_CHOICE:
	case T_BY_ORIGIN:
		break;
	}
}

static bool out_of_range(const struct vtm_directive *d, uint64_t value)
{
	return value < d->min || value > d->max;
}

static bool set_bool(struct vtm_conf *c, const struct vtm_directive *d, const char *text, GError **error)
{
	return vtm_value_bool(text, field(c, d)) || vtm_conf_complain(error, "found '%s', expected yes or no", text);
}

static bool set_number(struct vtm_conf *c, const struct vtm_directive *d, const char *text, GError **error)
{
	bool percent = d->type == T_PERCENT;
	uint64_t value;
	bool good = percent ? vtm_value_percent(text, &value) : vtm_value_number(text, &value);

	if (!good || out_of_range(d, value))
		return vtm_conf_complain(error, "found '%s', expected a %s from %u%s to %u%s", text,
					 percent ? "share" : "whole number", (unsigned)d->min, percent ? "%" : "",
					 (unsigned)d->max, percent ? "%" : "");
	*(uint32_t *)field(c, d) = (uint32_t)value;
	return true;
}

static bool set_duration(struct vtm_conf *c, const struct vtm_directive *d, const char *text, GError **error)
{
	int64_t ms;

	if (!vtm_value_duration(text, &ms) || out_of_range(d, (uint64_t)ms)) {
		char *min = vtm_value_duration_text((int64_t)d->min), *max = vtm_value_duration_text((int64_t)d->max);

		vtm_conf_complain(error, "found '%s', expected a duration such as 90, 90s, 5m, 1h or 7d, from %s to %s",
				  text, min, max);
		g_free(min);
		g_free(max);
		return false;
	}
	*(int64_t *)field(c, d) = ms;
	return true;
}

static bool set_size(struct vtm_conf *c, const struct vtm_directive *d, const char *text, GError **error)
{
	uint64_t size;

	if (!vtm_value_size(text, &size) || out_of_range(d, size)) {
		char *min = vtm_value_size_text(d->min), *max = vtm_value_size_text(d->max);

		vtm_conf_complain(error, "found '%s', expected a size such as 100, 64k, 10M or 1G, from %s to %s", text,
				  min, max);
		g_free(min);
		g_free(max);
		return false;
	}
	*(uint64_t *)field(c, d) = size;
	return true;
}

static bool set_mode(struct vtm_conf *c, const struct vtm_directive *d, const char *text, GError **error)
{
	int64_t mode;

	if (!vtm_value_mode(text, &mode) || out_of_range(d, (uint64_t)mode))
		return vtm_conf_complain(error, "found '%s', expected an octal mode such as 0660, at most 0777", text);
	*(int64_t *)field(c, d) = mode;
	return true;
}

static bool find_choice(const struct vtm_directive *d, const char *text, int *choice_r, GError **error)
{
	char *words;

	for (int i = 0; d->choices[i]; i++)
		if (!g_ascii_strcasecmp(d->choices[i], text)) {
			*choice_r = i;
			return true;
		}
	words = g_strjoinv(", ", (char **)(uintptr_t)d->choices);
	vtm_conf_complain(error, "found '%s', expected one of %s", text, words);
	g_free(words);
	return false;
}

static const char *const origins[VTM_ORIGINS] = {
	[VTM_ORIGIN_INBOUND] = "inbound",
	[VTM_ORIGIN_AUTHENTICATED] = "authenticated",
	[VTM_ORIGIN_NETWORKS] = "networks",
};

/* VTM_ORIGINS: for all that have no line of their own. */
static int find_origin(const char *word, size_t len)
{
	int o = 0;

	while (o < VTM_ORIGINS && (strlen(origins[o]) != len || g_ascii_strncasecmp(origins[o], word, len)))
		o++;
	return o;
}

/* Reads "ACTION" or "ORIGIN ACTION". */
static bool set_by_origin(struct vtm_conf *c, const struct vtm_directive *d, const char *text, GError **error)
{
	struct vtm_by_origin *by = field(c, d);
	size_t len = strcspn(text, " \t");
	int origin = find_origin(text, len), choice;
	const char *action = text[len] ? text + len + strspn(text + len, " \t") : text;

	if (text[len] && origin == VTM_ORIGINS)
		return vtm_conf_complain(error,
					 "found '%.*s' before '%s', expected inbound, authenticated, networks or "
					 "nothing",
					 (int)len, text, action);
	if (!text[len] && origin < VTM_ORIGINS)
		return vtm_conf_complain(error, "found '%s', expected an action after it", text);
	if (!find_choice(d, action, &choice, error))
		return false;
	if (by->named & 1u << origin)
		return vtm_conf_complain(error, "appears twice%s%s; remove one", origin < VTM_ORIGINS ? " for " : "",
					 origin < VTM_ORIGINS ? origins[origin] : "");
	by->named |= 1u << origin;
	if (origin < VTM_ORIGINS)
		by->choice[origin] = choice;
	for (int o = 0; origin == VTM_ORIGINS && o < VTM_ORIGINS; o++)
		if (!(by->named & 1u << o))
			by->choice[o] = choice;
	return true;
}

/* What holds for networks as the one for all, then those that differ: nothing is said of networks that nobody named. */
static char *by_origin_text(const struct vtm_by_origin *by, const struct vtm_directive *d, unsigned i)
{
	int usual = by->choice[VTM_ORIGIN_NETWORKS];

	if (!i)
		return g_strdup(d->choices[usual]);
	for (int o = 0; o < VTM_ORIGIN_NETWORKS; o++)
		if (by->choice[o] != usual && !--i)
			return g_strdup_printf("%s %s", origins[o], d->choices[by->choice[o]]);
	return NULL;
}

static bool set_text(struct vtm_conf *c, const struct vtm_directive *d, const char *text, GError **error)
{
	if (d->type == T_PATH && *text != '/')
		return vtm_conf_complain(error, "found '%s', expected an absolute path", text);
	if (d->check && !d->check(text, error))
		return false;
	*(char **)field(c, d) = g_strdup(text);
	return true;
}

static bool add_path(struct vtm_conf *c, const struct vtm_directive *d, const char *text, GError **error)
{
	GStrv *list = field(c, d);
	guint n = *list ? g_strv_length(*list) : 0;

	if (*text != '/')
		return vtm_conf_complain(error, "found '%s', expected an absolute path", text);
	if (n == REPEATS_MAX)
		return vtm_conf_complain(error, "appears more than %d times", REPEATS_MAX);
	*list = g_renew(char *, *list, n + 2);
	(*list)[n] = g_strdup(text);
	(*list)[n + 1] = NULL;
	return true;
}

static bool set_command(struct vtm_conf *c, const struct vtm_directive *d, const char *text, GError **error)
{
	GStrv argv = NULL;
	GError *why = NULL;
	bool good = g_shell_parse_argv(text, NULL, &argv, &why);

	if (!good) {
		vtm_conf_complain(error, "found '%s', which cannot be split into words (%s)", text, why->message);
		g_clear_error(&why);
	} else if (*argv[0] != '/') {
		good = vtm_conf_complain(error, "found '%s', expected the command's absolute path first", text);
	}
	if (good)
		*(GStrv *)field(c, d) = g_steal_pointer(&argv);
	g_strfreev(argv);
	return good;
}

bool vtm_field_set(struct vtm_conf *c, const struct vtm_directive *d, const char *text, GError **error)
{
	if (d->type != T_PATHS && d->type != T_BY_ORIGIN)
		vtm_field_clear(c, d);
	if (optional(d) && !g_ascii_strcasecmp(text, VTM_CONF_NONE))
		return true;
	switch (d->type) {
	case T_BOOL:
		return set_bool(c, d, text, error);
	case T_NUMBER:
	case T_PERCENT:
		return set_number(c, d, text, error);
	case T_DURATION:
		return set_duration(c, d, text, error);
	case T_SIZE:
		return set_size(c, d, text, error);
	case T_MODE:
		return set_mode(c, d, text, error);
	case T_CHOICE:
		return find_choice(d, text, field(c, d), error);
	case T_BY_ORIGIN:
		return set_by_origin(c, d, text, error);
	case T_TEXT:
	case T_PATH:
		return set_text(c, d, text, error);
	case T_PATHS:
		return add_path(c, d, text, error);
	case T_COMMAND:
		return set_command(c, d, text, error);
	}
	return false;
}

bool vtm_field_default(struct vtm_conf *c, const struct vtm_directive *d, GError **error)
{
	bool good = vtm_field_set(c, d, d->default_text, error);

	if (d->type == T_BY_ORIGIN)
		((struct vtm_by_origin *)field(c, d))->named = 0;
	return good;
}

/* Quotes words for g_shell_parse_argv(); no '#' follows a blank, where a comment would begin. */
static char *command_text(const GStrv argv)
{
	GString *text = g_string_new(NULL);

	for (unsigned i = 0; argv[i]; i++) {
		size_t plain = strspn(argv[i], G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "/._-+=:,@%");
		char *quoted = !plain || argv[i][plain] ? g_shell_quote(argv[i]) : g_strdup(argv[i]);

		g_string_append_printf(text, "%s%s", i ? " " : "", quoted);
		g_free(quoted);
	}
	g_string_replace(text, " #", " ''#", 0);
	g_string_replace(text, "\t#", "\t''#", 0);
	return g_string_free(text, FALSE);
}

char *vtm_field_text(const struct vtm_conf *c, const struct vtm_directive *d, unsigned i)
{
	const void *at = const_field(c, d);
	const GStrv list = d->type == T_PATHS || d->type == T_COMMAND ? *(const GStrv *)at : NULL;

	if (d->type == T_PATHS)
		return list && i < g_strv_length(list) ? g_strdup(list[i]) : NULL;
	if (d->type == T_BY_ORIGIN)
		return by_origin_text(at, d, i);
	if (i)
		return NULL;
	switch (d->type) {
	case T_BOOL:
		return g_strdup(*(const bool *)at ? "yes" : "no");
	case T_NUMBER:
		return g_strdup_printf("%u", *(const uint32_t *)at);
	case T_PERCENT:
		return g_strdup_printf("%u%%", *(const uint32_t *)at);
	case T_DURATION:
		return vtm_value_duration_text(*(const int64_t *)at);
	case T_SIZE:
		return vtm_value_size_text(*(const uint64_t *)at);
	case T_MODE:
		return g_strdup_printf("%04o", (unsigned)*(const int64_t *)at);
	case T_CHOICE:
		return g_strdup(d->choices[*(const int *)at]);
	case T_TEXT:
	case T_PATH:
		return g_strdup(*(char *const *)at);
	case T_COMMAND:
		return list ? command_text(list) : NULL;
	case T_PATHS:
	case T_BY_ORIGIN:
		break;
	}
	return NULL;
}

bool vtm_field_same(const struct vtm_conf *c, const struct vtm_conf *defaults, const struct vtm_directive *d)
{
	bool same = true, more = true;

	for (unsigned i = 0; same && more; i++) {
		char *value = vtm_field_text(c, d, i), *usual = vtm_field_text(defaults, d, i);

		same = !g_strcmp0(value, usual);
		more = value != NULL;
		g_free(value);
		g_free(usual);
	}
	return same;
}
