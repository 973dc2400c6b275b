/* SPDX-License-Identifier: BSD-2-Clause */
/* lists.c - what is known of hosts in general, from files. */
#include "scan/lists.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "scan/ignore.h"
#include "scan/entries.h"
#include "url/url.h"

#define BRAND_LEAST 5		/* letters: shorter words are part of too many others */
#define HOST_MAX 255

struct brand {
	char *word;
	GStrv owned;		/* domains */
};

struct vtm_lists {
	GHashTable *paths, *tenants, *shorteners, *cheap;	/* sets of names */
	GPtrArray *brands;
};

static void free_brand(gpointer p)
{
	struct brand *b = p;

	g_free(b->word);
	g_strfreev(b->owned);
	g_free(b);
}

static GHashTable *new_set(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

struct vtm_lists *vtm_lists_new(void)
{
	struct vtm_lists *l = g_new0(struct vtm_lists, 1);

	l->paths = new_set();
	l->tenants = new_set();
	l->shorteners = new_set();
	l->cheap = new_set();
	l->brands = g_ptr_array_new_with_free_func(free_brand);
	return l;
}

void vtm_lists_free(struct vtm_lists *l)
{
	if (!l)
		return;
	g_hash_table_destroy(l->paths);
	g_hash_table_destroy(l->tenants);
	g_hash_table_destroy(l->shorteners);
	g_hash_table_destroy(l->cheap);
	g_ptr_array_free(l->brands, TRUE);
	g_free(l);
}

/* ---- files ---- */

static bool refuse(const char *entry, const char *why, GError **error)
{
	char *shown = vtm_log_escape(entry, -1, 200);

	g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "'%s': %s", shown, why);
	g_free(shown);
	return false;
}

static bool has_room(guint n, guint max, GError **error)
{
	if (n < max)
		return true;
	g_set_error(error, VTM_ERROR, VTM_ERROR_LIMIT, "more than %u entries", max);
	return false;
}

/* Takes over <name>; NULL: nothing to add. */
static bool add_name(GHashTable *set, char *name, GError **error)
{
	if (!name)
		return false;
	if (!has_room(g_hash_table_size(set), VTM_LISTS_ENTRIES, error)) {
		g_free(name);
		return false;
	}
	g_hash_table_add(set, name);
	return true;
}

static bool add_hosting(char *entry, void *arg, GError **error)
{
	struct vtm_lists *l = arg;

	if (g_str_has_prefix(entry, "*."))
		return add_name(l->tenants, vtm_ignore_domain_normal(entry + 2, error), error);
	return add_name(l->paths, vtm_ignore_domain_normal(entry, error), error);
}

static bool add_shortener(char *entry, void *arg, GError **error)
{
	struct vtm_lists *l = arg;

	return add_name(l->shorteners, vtm_ignore_domain_normal(entry, error), error);
}

static bool add_cheap(char *entry, void *arg, GError **error)
{
	struct vtm_lists *l = arg;
	char *name = strchr(entry, '.') ? NULL : vtm_host_normal(entry, -1);

	return name ? add_name(l->cheap, name, error) :
		      refuse(entry, "not a top-level domain; write it without a dot", error);
}

static bool is_word(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz");

	return n >= BRAND_LEAST && !text[n];
}

static bool add_brand(char *entry, void *arg, GError **error)
{
	struct vtm_lists *l = arg;
	char **fields = g_strsplit_set(entry, " \t", -1);
	GPtrArray *owned = g_ptr_array_new_with_free_func(g_free);
	bool good = is_word(fields[0]) && has_room(l->brands->len, VTM_LISTS_BRANDS, error);

	if (!is_word(fields[0]))
		refuse(fields[0], "not a word of at least five letters a-z", error);
	for (char **f = fields + 1; good && *f; f++) {
		char *domain = **f ? vtm_ignore_domain_normal(*f, error) : NULL;

		good = domain || !**f;
		if (domain)
			g_ptr_array_add(owned, domain);
	}
	if (good) {
		struct brand *b = g_new0(struct brand, 1);

		g_ptr_array_add(owned, NULL);
		b->word = g_strdup(fields[0]);
		g_ptr_array_set_free_func(owned, NULL);
		b->owned = (GStrv)g_ptr_array_free(g_steal_pointer(&owned), FALSE);
		g_ptr_array_add(l->brands, b);
	}
	g_clear_pointer(&owned, g_ptr_array_unref);
	g_strfreev(fields);
	return good;
}

int vtm_lists_read(struct vtm_lists *l, const char *dir, GError **error)
{
	static const struct { const char *name; vtm_entry_each *add; } files[VTM_LISTS_FILES] = {
		{ "shared-hosting", add_hosting }, { "shorteners", add_shortener },
		{ "brands", add_brand }, { "cheap-tlds", add_cheap },
	};
	int n = 0;

	for (unsigned i = 0; i < VTM_LISTS_FILES && n >= 0; i++) {
		char *path = g_build_filename(dir, files[i].name, NULL);

		if (g_file_test(path, G_FILE_TEST_EXISTS))
			n = vtm_entries_read(path, files[i].add, l, error) < 0 ? -1 : n + 1;
		g_free(path);
	}
	return n;
}

/* ---- look-ups ---- */

/* Where <set> has <host> or a domain above it: that one, a pointer into <host>; its first label's left neighbour, if
 * any, in *below_r. */
static const char *find_above(GHashTable *set, const char *host, const char **below_r)
{
	const char *below = NULL;

	while (host && *host) {
		if (g_hash_table_contains(set, host)) {
			*below_r = below;
			return host;
		}
		below = host;
		host = strchr(host, '.');
		if (host)
			host++;
	}
	return NULL;
}

enum vtm_hosting vtm_lists_hosting(const struct vtm_lists *l, const char *host)
{
	const char *below;

	if (vtm_lists_tenant(l, host))
		return VTM_HOSTING_TENANTS;
	return l && find_above(l->paths, host, &below) ? VTM_HOSTING_PATHS : VTM_HOSTING_NONE;
}

const char *vtm_lists_tenant(const struct vtm_lists *l, const char *host)
{
	const char *below = NULL;

	return l && find_above(l->tenants, host, &below) ? below : NULL;
}

bool vtm_lists_is_shortener(const struct vtm_lists *l, const char *host)
{
	const char *below;

	return l && find_above(l->shorteners, host, &below) != NULL;
}

bool vtm_lists_is_cheap(const struct vtm_lists *l, const char *host)
{
	const char *dot = l ? strrchr(host, '.') : NULL;

	return dot && g_hash_table_contains(l->cheap, dot + 1);
}

static bool owns(const struct vtm_lists *l, const struct brand *b, const char *host)
{
	size_t n = strlen(host);

	for (char **d = b->owned; *d; d++) {
		size_t m = strlen(*d);

		if (n >= m && !strcmp(host + n - m, *d) && (n == m || host[n - m - 1] == '.'))
			return true;
	}
	/* a registry where names cost more does not give away such a one for long */
	n = strlen(b->word);
	host = vtm_host_domain(host);
	return !strncmp(host, b->word, n) && host[n] == '.' && !vtm_lists_is_cheap(l, host);
}

/* <host> with the letters that digits and pairs are written for: "paypa1", "rnicrosoft"; <one> is what 1 stands for. */
static void plain_letters(const char *host, char one, char out[HOST_MAX + 1])
{
	size_t n = 0;

	for (const char *p = host; *p && n < HOST_MAX; p++) {
		static const char digits[] = "0134578", letters[] = "o*eastb";
		const char *d = strchr(digits, *p);

		if (d)
			out[n++] = *d == '1' ? one : letters[d - digits];
		else if (!strncmp(p, "rn", 2))
			out[n++] = 'm', p++;
		else if (!strncmp(p, "vv", 2))
			out[n++] = 'w', p++;
		else
			out[n++] = *p;
	}
	out[n] = '\0';
}

bool vtm_lists_borrows_brand(const struct vtm_lists *l, const char *host)
{
	char written[2][HOST_MAX + 1];

	if (!l)
		return false;
	plain_letters(host, 'l', written[0]);
	plain_letters(host, 'i', written[1]);
	for (guint i = 0; i < l->brands->len; i++) {
		const struct brand *b = l->brands->pdata[i];

		if ((strstr(host, b->word) || strstr(written[0], b->word) || strstr(written[1], b->word)) &&
		    !owns(l, b, host))
			return true;
	}
	return false;
}
