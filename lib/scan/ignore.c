/* SPDX-License-Identifier: BSD-2-Clause */
/* ignore.c - lists of domains and hashes that are never asked about. */
#include "scan/ignore.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "scan/entries.h"
#include "url/url.h"

#define ENTRIES 1000000		/* of domains, and of hashes */

struct vtm_ignore {
	GHashTable *domains;	/* set of A-labels, lower case */
	GHashTable *hashes;	/* set of lower-case hex */
};

struct vtm_ignore *vtm_ignore_new(void)
{
	struct vtm_ignore *i = g_new0(struct vtm_ignore, 1);

	i->domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	i->hashes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return i;
}

void vtm_ignore_free(struct vtm_ignore *i)
{
	if (!i)
		return;
	g_hash_table_destroy(i->domains);
	g_hash_table_destroy(i->hashes);
	g_free(i);
}

/* ---- one entry ----------------------------------------------------------- */

/* What is wrong with the form of <entry>; NULL: nothing. */
static const char *complaint(const char *entry)
{
	if (!g_utf8_validate(entry, -1, NULL))
		return "not UTF-8";
	if (strchr(entry, '*'))
		return "wildcards are not supported";
	if (strchr(entry, '/'))
		return "URIs are not supported";
	if (strchr(entry, '@'))
		return "mail addresses are not supported";
	if (strpbrk(entry, " \t,;"))
		return "one domain a line";
	if (*entry == '.')
		return "a domain does not begin with a dot";
	return NULL;
}

/* The domain that whoever wrote <entry> may have meant; NULL if there is none in it. */
static char *meant(const char *entry)
{
	const char *p = strstr(entry, "://"), *at = strrchr(entry, '@');
	char *host, *normal;

	p = p ? p + 3 : entry;
	if (at && at >= p)
		p = at + 1;
	while (*p == '*' || *p == '.')
		p++;
	host = g_strndup(p, strcspn(p, "/:?#* \t"));
	normal = *host ? vtm_host_normal(host, -1) : NULL;
	g_free(host);
	if (normal && complaint(normal))
		g_clear_pointer(&normal, g_free);
	return normal;
}

static void refuse(const char *entry, const char *why, GError **error)
{
	char *shown = vtm_log_escape(entry, -1, 200), *better = g_utf8_validate(entry, -1, NULL) ? meant(entry) : NULL;

	if (better && !vtm_host_is_suffix(better))
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "'%s': %s; write %s%s", shown, why, better,
			    strpbrk(entry, " \t,;") ? "" : ", its subdomains are included");
	else
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "'%s': %s", shown, why);
	g_free(better);
	g_free(shown);
}

char *vtm_ignore_domain_normal(const char *line, GError **error)
{
	char *entry = g_strstrip(g_strdup(line)), *host = NULL;
	const char *why = complaint(entry);

	if (!why) {
		host = strchr(entry, '%') ? NULL : vtm_host_normal(entry, -1);
		if (!host)
			why = strchr(entry, ':') ? "ports are not supported" : "not a domain name";
		else if (complaint(host))
			why = complaint(host);	/* a character stood for another one */
		else if (vtm_host_is_suffix(host))
			why = "a public suffix: everybody's domains are below it";
	}
	if (why) {
		refuse(entry, why, error);
		g_free(host);
		host = NULL;
	}
	g_free(entry);
	return host;
}

static char *hash_normal(const char *line, GError **error)
{
	char *entry = g_strstrip(g_ascii_strdown(line, -1)), *shown;
	uint8_t digest[VTM_SHA256_LEN];

	if (!vtm_unhex(entry, digest))
		return entry;
	shown = vtm_log_escape(entry, -1, 200);
	g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "'%s': not a SHA-256; write its 64 hex digits and nothing else",
		    shown);
	g_free(shown);
	g_free(entry);
	return NULL;
}

/* ---- files ----------------------------------------------------------------- */

/* Entries on their way into a set. */
struct adding {
	GHashTable *set;
	char *(*normal)(const char *, GError **);
};

static bool add_entry(char *line, void *arg, GError **error)
{
	const struct adding *a = arg;
	char *entry = a->normal(line, error);

	if (!entry)
		return false;
	if (g_hash_table_size(a->set) >= ENTRIES && !g_hash_table_contains(a->set, entry)) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_LIMIT, "more than %d entries", ENTRIES);
		g_free(entry);
		return false;
	}
	g_hash_table_add(a->set, entry);
	return true;
}

static int add_file(GHashTable *set, const char *path, char *(*normal)(const char *, GError **), GError **error)
{
	return vtm_entries_read(path, add_entry, &(struct adding){ set, normal }, error);
}

int vtm_ignore_add_domains(struct vtm_ignore *i, const char *path, GError **error)
{
	return add_file(i->domains, path, vtm_ignore_domain_normal, error);
}

int vtm_ignore_add_hashes(struct vtm_ignore *i, const char *path, GError **error)
{
	return add_file(i->hashes, path, hash_normal, error);
}

/* ---- look-ups ---------------------------------------------------------------- */

bool vtm_ignore_host(const struct vtm_ignore *i, const char *host)
{
	while (host && *host) {
		if (g_hash_table_contains(i->domains, host))
			return true;
		host = strchr(host, '.');
		if (host)
			host++;
	}
	return false;
}

bool vtm_ignore_hash(const struct vtm_ignore *i, const char *sha256_hex)
{
	return g_hash_table_contains(i->hashes, sha256_hex);
}
