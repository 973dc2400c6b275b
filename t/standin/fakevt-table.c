/* SPDX-License-Identifier: BSD-2-Clause */
/* fakevt-table.c - the items that the stand-in VirusTotal knows, and its analyses. */
#include "fakevt.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"

const char *const fake_number_names[FAKE_NUMBERS] = {
	[FAKE_MALICIOUS] = "malicious",
	[FAKE_SUSPICIOUS] = "suspicious",
	[FAKE_UNDETECTED] = "undetected",
	[FAKE_HARMLESS] = "harmless",
	[FAKE_TIMEOUT] = "timeout",
	[FAKE_CONFIRMED_TIMEOUT] = "confirmed-timeout",
	[FAKE_FAILURE] = "failure",
	[FAKE_TYPE_UNSUPPORTED] = "type-unsupported",
};

struct fake_table {
	GHashTable *rows;	/* "type id" -> struct fake_row *, owned */
	GHashTable *analyses;	/* id -> struct fake_analysis *, owned */
};

static void row_free(void *arg)
{
	struct fake_row *row = arg;

	g_free(row->type);
	g_free(row->id);
	g_free(row->url);
	g_free(row);
}

static void analysis_free(void *arg)
{
	struct fake_analysis *a = arg;

	g_free(a->id);
	g_free(a);
}

struct fake_table *fake_table_new(void)
{
	struct fake_table *t = g_new0(struct fake_table, 1);

	t->rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, row_free);
	t->analyses = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, analysis_free);
	return t;
}

void fake_table_free(struct fake_table *t)
{
	if (!t)
		return;
	g_hash_table_destroy(t->analyses);
	g_hash_table_destroy(t->rows);
	g_free(t);
}

static char *sha256_hex(const char *text)
{
	uint8_t digest[VTM_SHA256_LEN];
	char hex[VTM_SHA256_HEX];

	vtm_sha256(text, strlen(text), digest);
	vtm_hex(digest, hex);
	return g_strdup(hex);
}

/* VirusTotal's normal form as far as it is known: scheme added, scheme and host in lower case, empty path "/", no
 * fragment; the rest byte for byte. */
static char *canonical(const char *text)
{
	char *url = strstr(text, "://") ? g_strdup(text) : g_strconcat("http://", text, NULL), *whole;
	size_t host, end;

	g_strstrip(url);
	url[strcspn(url, "#")] = '\0';
	host = (size_t)(strstr(url, "://") - url) + 3;
	end = host + strcspn(url + host, "/?");
	for (size_t i = 0; i < end; i++)
		url[i] = g_ascii_tolower(url[i]);
	if (url[end] == '/')
		return url;
	whole = g_strdup_printf("%.*s/%s", (int)end, url, url + end);
	g_free(url);
	return whole;
}

static bool is_hex(const char *text, size_t len)
{
	return strlen(text) == len && strspn(text, G_CSET_DIGITS "abcdefABCDEF") == len;
}

char *fake_url_id(const char *id)
{
	GString *base64;
	guchar *bytes;
	char *text, *url = NULL, *hex = NULL;
	gsize len;

	if (is_hex(id, 64))
		return g_ascii_strdown(id, -1);
	if (!*id || strspn(id, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_") != strlen(id) || strlen(id) % 4 == 1)
		return NULL;
	base64 = g_string_new(id);
	g_string_replace(base64, "-", "+", 0);
	g_string_replace(base64, "_", "/", 0);
	while (base64->len % 4)
		g_string_append_c(base64, '=');
	bytes = g_base64_decode(base64->str, &len);
	text = g_strndup((const char *)bytes, len);
	if (strlen(text) == len && len) {
		url = canonical(text);
		hex = sha256_hex(url);
	}
	g_string_free(base64, TRUE);
	g_free(bytes);
	g_free(text);
	g_free(url);
	return hex;
}

/* "name=N", or "name" with N in the next word; *used_r: words taken. */
static bool set_number(struct fake_row *row, char **words, unsigned *used_r)
{
	for (int i = 0; i < FAKE_NUMBERS; i++) {
		size_t len = strlen(fake_number_names[i]);
		const char *text = words[0] + len;
		guint64 n;

		if (strncmp(words[0], fake_number_names[i], len) || (*text && *text != '='))
			continue;
		*used_r = *text ? 1 : 2;
		text = *text ? text + 1 : words[1];
		if (!text || !g_ascii_string_to_unsigned(text, 10, 0, 1000, &n, NULL))
			return false;
		row->numbers[i] = (unsigned)n;
		return true;
	}
	return false;
}

/* "M/N": so many of so many engines say malicious. */
static bool set_ratio(struct fake_row *row, const char *word)
{
	unsigned malicious, all;
	char end;

	if (sscanf(word, "%4u/%4u%c", &malicious, &all, &end) != 2 || malicious > all)
		return false;
	row->numbers[FAKE_MALICIOUS] = malicious;
	row->numbers[strcmp(row->type, "file") ? FAKE_HARMLESS : FAKE_UNDETECTED] = all - malicious;
	return true;
}

static bool set_words(struct fake_row *row, char **words, GError **error)
{
	while (*words) {
		unsigned used = 1;

		if (g_str_has_prefix(*words, "date="))
			row->date = g_ascii_strtoll(*words + 5, NULL, 10);
		else if (g_str_has_prefix(*words, "canonical=") && row->url) {
			g_free(row->url);
			row->url = g_strdup(*words + 10);
			g_free(row->id);
			row->id = sha256_hex(row->url);
		} else if (!strcmp(*words, "nostats"))
			row->stats = false;
		else if (!strcmp(*words, "hidden"))
			row->hidden = true;
		else if (!set_ratio(row, *words) && !set_number(row, words, &used)) {
			g_set_error(error, VTM_ERROR, VTM_ERROR_FORMAT, "unknown word %s", *words);
			return false;
		}
		words += used;
	}
	return true;
}

static struct fake_row *row_new(const char *type, const char *subject, int64_t now_s)
{
	struct fake_row *row = g_new0(struct fake_row, 1);

	row->type = g_strdup(!strcmp(type, "ip") ? "ip_address" : type);
	row->stats = true;
	row->date = now_s - 86400;
	if (!strcmp(type, "url")) {
		row->url = canonical(subject);
		row->id = sha256_hex(row->url);
	} else {
		row->id = g_ascii_strdown(subject, -1);
	}
	return row;
}

/* Takes <row>; a row that is there already keeps its place, for analyses point to it. */
static void put(struct fake_table *t, const char *id, struct fake_row *row)
{
	char *key = g_strconcat(row->type, " ", id, NULL);
	struct fake_row *old = g_hash_table_lookup(t->rows, key), swap;

	if (!old) {
		g_hash_table_insert(t->rows, key, row);
		return;
	}
	swap = *old;
	*old = *row;
	*row = swap;
	row_free(row);
	g_free(key);
}

bool fake_table_set(struct fake_table *t, const char *line, int64_t now_s, GError **error)
{
	static const char *const types[] = { "file", "url", "domain", "ip", NULL };
	char *copy = g_strdelimit(g_strdup(line), "\t\r\n", ' '), **split = g_strsplit(copy, " ", -1), *id = NULL;
	GPtrArray *words = g_ptr_array_new();
	struct fake_row *row = NULL;
	bool good = false;

	for (char **w = split; *w; w++)
		if (**w)
			g_ptr_array_add(words, *w);
	g_ptr_array_add(words, NULL);
	if (words->len == 1 || ((char *)words->pdata[0])[0] == '#') {
		good = true;	/* blank or a comment */
	} else if (words->len < 3 || !g_strv_contains(types, words->pdata[0])) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_FORMAT,
			    "not of the form file|url|domain|ip SUBJECT [WORD ...]");
	} else {
		row = row_new(words->pdata[0], words->pdata[1], now_s);
		id = g_strdup(row->id);	/* found by what is asked, whatever the answer calls it */
		good = set_words(row, (char **)words->pdata + 2, error);
		if (good)
			put(t, id, row);
		else
			row_free(row);
	}
	g_ptr_array_free(words, TRUE);
	g_strfreev(split);
	g_free(copy);
	g_free(id);
	return good;
}

struct fake_row *fake_table_find(struct fake_table *t, const char *type, const char *id)
{
	char *key = g_strconcat(type, " ", id, NULL);
	struct fake_row *row = g_hash_table_lookup(t->rows, key);

	g_free(key);
	return row && !row->hidden ? row : NULL;
}

/* As VirusTotal makes them: of a file, base64 that needs escaping in a path. */
static char *analysis_id(const struct fake_row *row, int64_t now_s)
{
	char *text, *id;

	if (row->url)
		return g_strdup_printf("u-%s-%" G_GINT64_FORMAT, row->id, now_s);
	text = g_strdup_printf("%s?>:%" G_GINT64_FORMAT, row->id, now_s);
	id = g_base64_encode((const guchar *)text, strlen(text));
	g_free(text);
	return id;
}

struct fake_analysis *fake_table_submit(struct fake_table *t, const char *type, const char *subject, unsigned polls,
					int64_t now_s)
{
	struct fake_row *fresh = row_new(type, subject, now_s), *row;
	char *key = g_strconcat(type, " ", fresh->id, NULL);
	struct fake_analysis *a;

	row = g_hash_table_lookup(t->rows, key);
	if (row) {
		row_free(fresh);
	} else {
		row = fresh;
		row->hidden = true;
		row->numbers[FAKE_HARMLESS] = row->url ? 66 : 0;
		row->numbers[FAKE_UNDETECTED] = row->url ? 29 : 72;
		put(t, row->id, row);
	}
	g_free(key);
	a = g_new0(struct fake_analysis, 1);
	a->id = analysis_id(row, now_s);
	a->row = row;
	a->polls_left = polls;
	a->date = now_s;
	g_hash_table_replace(t->analyses, a->id, a);
	return a;
}

struct fake_analysis *fake_table_poll(struct fake_table *t, const char *id)
{
	struct fake_analysis *a = g_hash_table_lookup(t->analyses, id);

	if (!a)
		return NULL;
	if (a->polls_left > 0) {
		a->polls_left--;
		return a;
	}
	a->done = true;
	a->row->hidden = false;
	a->row->date = a->date;
	return a;
}
