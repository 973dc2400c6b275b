/* SPDX-License-Identifier: BSD-2-Clause */
/* extract-url.c - the links of text and pages, unwrapped, as items. */
#include "scan/extract-parts.h"

#include <string.h>

#include "base/charset.h"
#include "url/html.h"
#include "url/privacy.h"
#include "url/unwrap.h"

#define SEEN_MAX VTM_URL_MAX	/* bytes of a reference, and of a base, that is remembered */
#define LINK_PASSES 16	/* over a URL: parsing, normal form, rules of privacy and of redirectors */
#define WRITTEN_MAX 100000	/* different references of one document that are remembered */

struct wrapped {
	struct vtm_url *url;
	struct vtm_item *item;
	int depth;
};

/* Adds <u> unless there is no room. */
static struct vtm_item *add(struct extraction *x, const struct vtm_url *u, enum vtm_role role, const char *from)
{
	struct vtm_item *item = vtm_item_new(VTM_URL, u->normal), *first;

	first = g_hash_table_lookup(x->links->seen, item);
	if (!first && x->links->list->len >= x->settings->max_items) {
		x->items->capped = true;
		vtm_item_free(item);
		return NULL;
	}
	item->role = role;
	if (!first) {
		item->host_only = u->host_only;
		item->personal = vtm_privacy_rule(u) != NULL;
		item->host = g_strdup(u->host);
		item->from = g_strdup(from);
		item->depth = x->part->depth;
		item->group = x->part->group;
		item->ignored = x->settings->ignore && vtm_ignore_host(x->settings->ignore, u->host);
		g_strfreev(item->via);
		item->via = g_new0(char *, g_strv_length((char **)(uintptr_t)x->part->via) + 2);
		for (int i = 0; x->part->via[i]; i++)
			item->via[i] = g_strdup(x->part->via[i]);
		item->via[g_strv_length(item->via)] = g_strdup(x->part->type);
	}
	item = vtm_items_add(x->links, item);
	/* what is written out somewhere is known as a whole */
	item->host_only = item->host_only && u->host_only;
	item->personal = item->personal || u->host_only;
	return item;
}

/* Queues what <w> wraps, each as an item; a wrapper with a row of its own is not judged itself. */
static void unwrap_one(struct extraction *x, const struct wrapped *w, GQueue *todo)
{
	bool known = false;
	GPtrArray *inner = vtm_unwrap(w->url, &known);

	w->item->wrapper = inner && known;
	for (guint i = 0; inner && i < inner->len; i++) {
		struct wrapped *next = g_new(struct wrapped, 1);

		next->url = g_steal_pointer(&inner->pdata[i]);
		next->depth = w->depth + 1;
		next->item = add(x, next->url, VTM_ROLE_NESTED, w->url->normal);
		if (!next->item || next->depth >= VTM_UNWRAP_DEPTH) {
			vtm_url_free(next->url);
			g_free(next);
			continue;
		}
		g_queue_push_tail(todo, next);
	}
	if (inner)
		g_ptr_array_unref(inner);
}

/* Adds <u>, which it takes over, and whatever is wrapped in it. */
static void take(struct extraction *x, struct vtm_url *u, enum vtm_role role)
{
	struct wrapped first = { u, NULL, 0 }, *next;
	GQueue todo = G_QUEUE_INIT;

	if (vtm_work_spend(x->settings->work, LINK_PASSES * strlen(u->normal)))
		first.item = add(x, u, role, NULL);

	if (first.item)
		unwrap_one(x, &first, &todo);
	while ((next = g_queue_pop_head(&todo))) {
		unwrap_one(x, next, &todo);
		vtm_url_free(next->url);
		g_free(next);
	}
	vtm_url_free(u);
}

/* Was this reference seen in this document already?  A page repeats its links, and parsing one costs more than finding
 * it. */
static bool seen(struct extraction *x, char kind, const char *base, const char *text, size_t len)
{
	char *key;

	if (g_hash_table_size(x->written) >= WRITTEN_MAX || len > SEEN_MAX ||
	    (base && strnlen(base, SEEN_MAX + 1) > SEEN_MAX))
		return false;
	key = g_strdup_printf("%c%s\n%.*s", kind, base ? base : "", (int)len, text);
	return !g_hash_table_add(x->written, key);
}

static void begin_document(struct extraction *x, GHashTable **outer)
{
	*outer = x->written;
	x->written = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void end_document(struct extraction *x, GHashTable *outer)
{
	g_hash_table_destroy(x->written);
	x->written = outer;
}

/* Could it be a link that is too long for us?  A normal form is up to three times as long as what was written. */
static bool is_cut_off(const char *text, size_t len)
{
	char head[32], *scheme;		/* longer schemes are none that anybody follows */
	bool web;

	while (len && (guchar)*text <= ' ')
		text++, len--;
	if (len <= VTM_URL_MAX / 3)
		return false;
	memcpy(head, text, sizeof(head) - 1);
	head[sizeof(head) - 1] = '\0';
	scheme = g_uri_parse_scheme(head);
	web = !scheme || !g_ascii_strcasecmp(scheme, "http") || !g_ascii_strcasecmp(scheme, "https");
	g_free(scheme);
	return web;
}

/* Takes <u>, as which <text> was read; NULL: it is no URL for us, but a reader may follow it all the same. */
static void take_read(struct extraction *x, struct vtm_url *u, enum vtm_role role, const char *text, size_t len)
{
	if (u)
		take(x, u, role);
	else if (is_cut_off(text, len))
		x->items->capped = true;
}

/* Takes what <reference> means if the part's header names what it is relative to (RFC 2557), as some programs read it. */
static void take_based(struct extraction *x, const char *part_base, const char *base, const char *reference,
		       enum vtm_role role)
{
	struct vtm_url *document = base ? vtm_url_resolve(part_base, base, -1) : NULL;
	struct vtm_url *u = vtm_url_resolve(document ? document->normal : part_base, reference, -1);

	vtm_url_free(document);
	if (u)
		take(x, u, role);
}

static void on_ref(const char *reference, enum vtm_role role, const char *base, void *arg)
{
	struct extraction *x = arg;

	if (role == VTM_ROLE_RESOURCE && !x->settings->resource_urls)
		return;
	/* a short reference to a long base is a long URL */
	if (!vtm_work_spend(x->settings->work, LINK_PASSES * (strlen(reference) + (base ? strlen(base) : 0))))
		return;
	if (seen(x, (char)('a' + role), base, reference, strlen(reference)))
		return;
	take_read(x, vtm_url_resolve(base, reference, -1), role, reference, strlen(reference));
	for (int i = 0; x->part->bases && x->part->bases[i]; i++)
		take_based(x, x->part->bases[i], base, reference, role);
}

static void on_found(const char *text, size_t len, bool bare, void *arg)
{
	struct extraction *x = arg;

	if (bare && !x->settings->bare_domains)
		return;
	if (!vtm_work_spend(x->settings->work, LINK_PASSES * len))
		return;
	if (seen(x, bare ? 'B' : 'T', NULL, text, len))
		return;
	take_read(x, vtm_url_guess(text, (gssize)len), bare ? VTM_ROLE_BARE : VTM_ROLE_TEXT, text, len);
}

static void search(struct extraction *x, const char *text, size_t len, const struct vtm_linkify_options *form)
{
	struct vtm_linkify_options options = form ? *form : (struct vtm_linkify_options){ .bare = false };

	options.bare = x->settings->bare_domains;
	options.work = x->settings->work;
	if (!vtm_work_spend(x->settings->work, len))
		return;
	if (!vtm_linkify(text, len, &options, on_found, x))
		x->items->no_memory = true;
}

static void on_text(const char *text, size_t len, void *arg)
{
	search(arg, text, len, NULL);
}

/* Called with the bytes in one encoding, as UTF-8. */
typedef void read_fn(struct extraction *x, const char *utf8, size_t len, const void *arg);

static void read_as(struct extraction *x, const char *bytes, size_t len, const char *encoding, read_fn *read,
		    const void *arg)
{
	bool as_is = (!*encoding || !strcmp(encoding, VTM_CHARSET_UTF8)) && (len < 3 || memcmp(bytes, "\xef\xbb\xbf", 3)) &&
		     g_utf8_validate_len(bytes, len, NULL);
	size_t utf8_len = len;
	char *utf8;

	if (!vtm_work_spend(x->settings->work, len))
		return;
	if (as_is) {
		read(x, bytes, len, arg);
		return;
	}
	utf8 = vtm_charset_utf8(bytes, len, encoding, &utf8_len);
	if (utf8)
		read(x, utf8, utf8_len, arg);
	else
		x->items->no_memory = true;
	g_free(utf8);
}

/* Reads <bytes> in every encoding they may be in. */
static void read_all(struct extraction *x, const char *bytes, size_t len, const char *const *labels, bool as_it_is,
		     read_fn *read, const void *arg)
{
	const char *list[VTM_CHARSET_READINGS];
	GHashTable *outer;
	bool more;
	unsigned n = vtm_charset_readings(bytes, len, labels, as_it_is, list, &more);

	begin_document(x, &outer);
	for (unsigned i = 0; i < n; i++)
		read_as(x, bytes, len, list[i], read, arg);
	end_document(x, outer);
	x->items->ambiguous = x->items->ambiguous || more;
}

static void read_text(struct extraction *x, const char *utf8, size_t len, const void *form)
{
	search(x, utf8, len, form);
}

void vtm_extract_text(struct extraction *x, const char *text, size_t len, const char *const *charsets, bool saved,
		      const struct vtm_linkify_options *form)
{
	read_all(x, text, len, charsets, saved, read_text, form);
}

/* The same for a document that may declare its charset: that declaration counts beside <charsets>. */
static void read_document(struct extraction *x, const char *bytes, size_t len, const char *const *charsets, bool saved,
			  read_fn *read, const void *arg)
{
	GPtrArray *labels = vtm_html_charsets(bytes, len, VTM_CHARSET_READINGS);
	bool declares = labels->pdata[0] != NULL;

	for (guint i = 0; charsets && charsets[i]; i++)
		g_ptr_array_insert(labels, (int)i, g_strdup(charsets[i]));
	read_all(x, bytes, len, (const char *const *)labels->pdata, saved && !declares, read, arg);
	g_ptr_array_free(labels, TRUE);
}

static void read_xml(struct extraction *x, const char *utf8, size_t len, const void *arg)
{
	struct vtm_buffer text = { .data = NULL };

	(void)arg;
	vtm_html_xml(&text, utf8, len);
	if (text.refused)
		x->items->no_memory = true;
	else
		search(x, vtm_buffer_text(&text), text.len, NULL);
	vtm_buffer_clear(&text);
}

void vtm_extract_xml(struct extraction *x, const char *xml, size_t len, const char *const *charsets)
{
	read_document(x, xml, len, charsets, true, read_xml, NULL);
}

static void read_page(struct extraction *x, const char *utf8, size_t len, const void *saved)
{
	const struct vtm_html_handler handler = {
		.ref = on_ref, .text = on_text, .script = *(const bool *)saved ? on_text : NULL, .arg = x,
		.work = x->settings->work,
	};

	if (!vtm_html_read(utf8, len, VTM_CHARSET_UTF8, &handler))
		x->items->no_memory = true;
}

void vtm_extract_page(struct extraction *x, const char *html, size_t len, const char *const *charsets, bool saved)
{
	read_document(x, html, len, charsets, saved, read_page, &saved);
}

void vtm_extract_link(struct extraction *x, const char *reference)
{
	take_read(x, vtm_url_resolve(NULL, reference, -1), VTM_ROLE_LINK, reference, strlen(reference));
}
