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
	bool personal = u->host_only || vtm_privacy_rule(u);
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
	item->personal = item->personal || personal;
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

static void on_ref(const char *reference, enum vtm_role role, const char *base, void *arg)
{
	struct extraction *x = arg;

	if (role == VTM_ROLE_RESOURCE && !x->settings->resource_urls)
		return;
	if (seen(x, (char)('a' + role), base, reference, strlen(reference)))
		return;
	take_read(x, vtm_url_resolve(base, reference, -1), role, reference, strlen(reference));
}

static void on_found(const char *text, size_t len, bool bare, void *arg)
{
	struct extraction *x = arg;

	if (bare && !x->settings->bare_domains)
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

void vtm_extract_text(struct extraction *x, const char *text, size_t len, const char *charset,
		      const struct vtm_linkify_options *form)
{
	size_t utf8_len;
	char *utf8 = vtm_charset_utf8(text, len, charset, &utf8_len);
	GHashTable *outer;

	begin_document(x, &outer);
	if (utf8)
		search(x, utf8, utf8_len, form);
	else
		x->items->no_memory = true;
	end_document(x, outer);
	g_free(utf8);
}

/* UTF-16 may lack its mark (XML 1.0, appendix F). */
static const char *xml_charset(const char *xml, size_t len, const char *charset)
{
	if (len > 1 && xml[0] == '<' && !xml[1])
		return "UTF-16LE";
	return len > 1 && !xml[0] && xml[1] == '<' ? "UTF-16BE" : charset;
}

void vtm_extract_xml(struct extraction *x, const char *xml, size_t len, const char *charset)
{
	size_t utf8_len;
	char *utf8 = vtm_charset_utf8(xml, len, xml_charset(xml, len, charset), &utf8_len);
	struct vtm_buffer text = { .data = NULL };

	if (utf8)
		vtm_html_xml(&text, utf8, utf8_len);
	if (!utf8 || text.refused)
		x->items->no_memory = true;
	else
		vtm_extract_text(x, vtm_buffer_text(&text), text.len, "utf-8", NULL);
	vtm_buffer_clear(&text);
	g_free(utf8);
}

void vtm_extract_page(struct extraction *x, const char *html, size_t len, const char *charset, bool scripts)
{
	const struct vtm_html_handler handler = {
		.ref = on_ref, .text = on_text, .script = scripts ? on_text : NULL, .arg = x,
		.work = x->settings->work,
	};
	GHashTable *outer;

	if (!vtm_work_spend(x->settings->work, len))
		return;
	begin_document(x, &outer);
	if (!vtm_html_read(html, len, charset, &handler))
		x->items->no_memory = true;
	end_document(x, outer);
}

void vtm_extract_link(struct extraction *x, const char *reference)
{
	take_read(x, vtm_url_resolve(NULL, reference, -1), VTM_ROLE_LINK, reference, strlen(reference));
}
