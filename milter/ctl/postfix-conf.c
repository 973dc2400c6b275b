/* SPDX-License-Identifier: BSD-2-Clause */
/* postfix-conf.c - see postfix-conf.h. */
#include "ctl/postfix-conf.h"

#include <stdint.h>
#include <string.h>

#define OUTPUT_MAX 262144

/* ---- settings ---- */

char *vtm_postfix_output(const char *const *argv)
{
	char *out = NULL;
	int status;

	if (!g_spawn_sync(NULL, (char **)(uintptr_t)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
			  NULL, &out, NULL, &status, NULL))
		return NULL;
	if (status || strlen(out) > OUTPUT_MAX)
		g_clear_pointer(&out, g_free);
	return out;
}

/* Adds the lines "name = value" of <out> to <t>. */
static void read_settings(GHashTable *t, const char *out)
{
	char **lines = g_strsplit(out ? out : "", "\n", -1);

	for (char **line = lines; *line; line++) {
		char **pair = g_strsplit(*line, "=", 2);

		if (pair[0] && pair[1])
			g_hash_table_replace(t, g_strdup(g_strstrip(pair[0])), g_strdup(g_strstrip(pair[1])));
		g_strfreev(pair);
	}
	g_strfreev(lines);
}

GHashTable *vtm_postfix_settings(void)
{
	static const char *const main_cf[] = {
		"postconf", "-x", "config_directory", "compatibility_level", "mail_owner", "queue_directory", "smtpd_milters",
		"smtpd_milter_maps", "non_smtpd_milters", "milter_default_action", "milter_protocol", "milter_content_timeout",
		"milter_command_timeout", "milter_connect_timeout", "ipc_timeout", "header_checks", "nested_header_checks", NULL
	};
	static const char *const master_cf[] = { "postconf", "-Px", NULL };
	char *out = vtm_postfix_output(main_cf), *overrides;
	GHashTable *t;

	if (!out)
		return NULL;
	overrides = vtm_postfix_output(master_cf);
	t = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	read_settings(t, out);
	read_settings(t, overrides);
	g_free(overrides);
	g_free(out);
	return t;
}

const char *vtm_postfix_get(GHashTable *t, const char *name)
{
	const char *value = g_hash_table_lookup(t, name);

	return value ? value : "";
}

/* ---- lists of milters ---- */

GPtrArray *vtm_postfix_list_split(const char *list)
{
	GPtrArray *found = g_ptr_array_new_with_free_func(g_free);

	while (*(list += strspn(list, ", \t"))) {
		bool braced = *list == '{';
		size_t n = braced ? strcspn(list, "}") : strcspn(list, ", \t");

		g_ptr_array_add(found, g_strstrip(g_strndup(list + braced, n - braced)));
		list += n + (braced && list[n] == '}');
	}
	return found;
}

char *vtm_postfix_element_get(const char *element, const char *name)
{
	char **words = g_strsplit(element, ",", -1), *value = NULL;

	for (char **word = words[0] ? words + 1 : words; *word; word++) {
		char **pair = g_strsplit(*word, "=", 2);

		if (pair[0] && pair[1] && !strcmp(g_strstrip(pair[0]), name)) {
			g_free(value);
			value = g_strdup(g_strstrip(pair[1]));
		}
		g_strfreev(pair);
	}
	g_strfreev(words);
	return value;
}

char *vtm_postfix_element_set(const char *element, const char *name, const char *value)
{
	char **words = g_strsplit(element, ",", -1);
	GString *to = g_string_new("{ ");

	for (char **word = words; *word; word++) {
		char *w = g_strstrip(*word);
		bool it = g_str_has_prefix(w, name) && strspn(w + strlen(name), " \t=") > 0;

		g_string_append_printf(to, "%s%s", word == words ? "" : ", ", it ? name : w);
		if (it)
			g_string_append_printf(to, "=%s", value);
	}
	g_strfreev(words);
	return g_string_free(g_string_append(to, " }"), FALSE);
}

char *vtm_postfix_element_rename(const char *element, const char *name)
{
	const char *settings = strchr(element, ',');

	return settings ? g_strconcat("{ ", name, settings, " }", NULL) : g_strdup(name);
}

char *vtm_postfix_list_replace(const char *list, const char *element, const char *by)
{
	GPtrArray *all = vtm_postfix_list_split(list);
	GString *to = g_string_new(NULL);

	for (guint i = 0; i < all->len; i++) {
		const char *e = all->pdata[i];
		bool braces = strchr(e, ',') != NULL;
		char *text = element && !strcmp(e, element) ? g_strdup(by) :
			     g_strconcat(braces ? "{ " : "", e, braces ? " }" : "", NULL);

		g_string_append_printf(to, "%s%s", i ? ", " : "", text);
		g_free(text);
	}
	if (!element)
		g_string_append_printf(to, "%s%s", all->len ? ", " : "", by);
	g_ptr_array_free(all, TRUE);
	return g_string_free(to, FALSE);
}

/* ---- the services of master.cf ---- */

static void service_free(void *arg)
{
	struct vtm_postfix_service *s = arg;

	g_strfreev(s->words);
	g_free(s->name);
	g_free(s);
}

/* Parses "smtp inet n - y - - smtpd -o ...".  "-" in the fifth column means no since compatibility_level 1. */
static struct vtm_postfix_service *service_of(const char *line, bool chroot_usual)
{
	char **all = g_strsplit_set(line, " \t", -1), **to = all;
	struct vtm_postfix_service *s;

	for (char **from = all; *from; from++)	/* columns are padded */
		if (**from)
			*to++ = *from;
		else
			g_free(*from);
	*to = NULL;
	if (g_strv_length(all) < 8) {
		g_strfreev(all);
		return NULL;
	}
	s = g_new0(struct vtm_postfix_service, 1);
	s->words = all;
	s->name = g_strconcat(all[0], "/", all[1], NULL);
	s->program = all[7];
	s->chroot = *all[4] == 'y' || (*all[4] == '-' && chroot_usual);
	return s;
}

GPtrArray *vtm_postfix_services(GHashTable *t)
{
	static const char *const argv[] = { "postconf", "-M", NULL };
	bool chroot_usual = g_ascii_strtod(vtm_postfix_get(t, "compatibility_level"), NULL) < 1;
	GPtrArray *found = g_ptr_array_new_with_free_func(service_free);
	char *out = vtm_postfix_output(argv), **lines = g_strsplit(out ? out : "", "\n", -1);

	for (char **line = lines; *line; line++) {
		struct vtm_postfix_service *s = **line && !g_ascii_isspace(**line) ? service_of(*line, chroot_usual) : NULL;

		if (s)
			g_ptr_array_add(found, s);
	}
	g_strfreev(lines);
	g_free(out);
	return found;
}
