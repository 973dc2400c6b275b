/* SPDX-License-Identifier: BSD-2-Clause */
/* extract-url.c - the links of text and pages, unwrapped, as items. */
#include "scan/extract-parts.h"

#include <string.h>

#include "base/charset.h"
#include "url/html.h"
#include "url/privacy.h"
#include "url/scheme.h"
#include "url/unwrap.h"

#define SEEN_MAX VTM_URL_MAX	/* bytes of a reference that is remembered */
#define LINK_PASSES 16	/* over a URL: parsing, normal form, rules of privacy and of redirectors */
#define WRITTEN_MAX 100000	/* different references of one document that are remembered */

/* The document being read. */
struct document {
	struct document *around;
	GHashTable *written;		/* references as they were written: each is parsed once */
	GPtrArray *bases;		/* of struct vtm_url *: the URLs that a relative reference may be relative to */
	unsigned html_bases;		/* how many of the page's own are among them, or were no URLs */
};

struct wrapped {
	struct vtm_url *url;
	struct vtm_item *item;
	struct wrapped *outer;		/* what it was unwrapped from; NULL: it stood in the message */
	int depth;
};

/* Is there no room for one more link?  Those that are items already may still be found again, but as many as there may
 * be in all are read for that, and no more. */
static bool is_full(struct extraction *x)
{
	if (x->links->list->len < x->settings->max_items)
		return false;
	if (x->links_after < x->settings->max_items) {
		x->links_after++;
		return false;
	}
	x->items->capped = true;
	return true;
}

/* Adds <u> unless there is no room; *new_r: it was not there before. */
static struct vtm_item *add(struct extraction *x, const struct vtm_url *u, enum vtm_role role, const char *from,
			    bool *new_r)
{
	struct vtm_item *item = vtm_item_new(VTM_URL, u->normal), *first;

	first = g_hash_table_lookup(x->links->seen, item);
	*new_r = !first;
	if (!first && x->links->list->len >= x->settings->max_items) {
		x->items->capped = true;
		vtm_item_free(item);
		return NULL;
	}
	item->role = role;
	if (!first) {
		item->host_only = u->host_only;
		item->personal = u->host_only || vtm_privacy_rule(u);
		item->host = g_strdup(u->host);
		item->from = g_strdup(from);
		item->depth = x->part->depth;
		item->group = x->part->group;
		item->ignored = x->settings->ignore && vtm_ignore_host(x->settings->ignore, u->host);
		item->inside = vtm_host_place(u->host) != VTM_HOST_PUBLIC;
		g_strfreev(item->via);
		item->via = g_new0(char *, g_strv_length((char **)(uintptr_t)x->part->via) + 2);
		for (int i = 0; x->part->via[i]; i++)
			item->via[i] = g_strdup(x->part->via[i]);
		item->via[g_strv_length(item->via)] = g_strdup(x->part->type);
	}
	item = vtm_items_add(x->links, item);
	/* what is written out somewhere is known as a whole */
	if (item->host_only && !u->host_only) {
		item->host_only = false;
		item->personal = vtm_privacy_rule(u) != NULL;
	}
	return item;
}

/* A URL that holds a personal one tells as much: it is looked up by its host as well. */
static void mark_outer(struct wrapped *w)
{
	for (; w; w = w->outer)
		w->item->personal = true;
}

/* Queues what <w> wraps, each as an item; a wrapper on its vendor's own domain is not judged itself. */
static void unwrap_one(struct extraction *x, struct wrapped *w, GQueue *todo)
{
	unsigned flags = 0;
	GPtrArray *inner = vtm_unwrap(w->url, &flags);

	w->item->wrapper = inner && (flags & VTM_UNWRAP_KNOWN);
	x->items->capped = x->items->capped || (flags & VTM_UNWRAP_CUT);
	/* what it shows to hold is no reading of it: a clean target says nothing */
	x->items->ambiguous = x->items->ambiguous || (flags & VTM_UNWRAP_IMITATED);
	for (guint i = 0; inner && i < inner->len; i++) {
		struct wrapped *next = g_new0(struct wrapped, 1);
		bool is_new;

		next->url = g_steal_pointer(&inner->pdata[i]);
		next->outer = w;
		next->depth = w->depth + 1;
		next->item = add(x, next->url, VTM_ROLE_NESTED, w->url->normal, &is_new);
		if (!next->url->host_only && vtm_privacy_rule(next->url))
			mark_outer(w);
		g_queue_push_tail(todo, next);
	}
	if (inner)
		g_ptr_array_unref(inner);
}

/* Adds <u>, which it takes over, and whatever is wrapped in it. */
static void take(struct extraction *x, struct vtm_url *u, enum vtm_role role)
{
	struct wrapped *first = g_new0(struct wrapped, 1), *w;
	GQueue todo = G_QUEUE_INIT, done = G_QUEUE_INIT;
	bool is_new = false;

	first->url = u;
	if (vtm_work_spend(x->settings->work, LINK_PASSES * strlen(u->normal)))
		first->item = add(x, u, role, NULL, &is_new);
	if (first->item && (is_new || u->fragment))	/* else what it wraps is known, but for what its fragment does */
		g_queue_push_tail(&todo, first);
	else
		g_queue_push_tail(&done, first);
	while ((w = g_queue_pop_head(&todo))) {
		if (w->item && w->depth < VTM_UNWRAP_DEPTH &&
		    vtm_work_spend(x->settings->work, LINK_PASSES * strlen(w->url->normal)))
			unwrap_one(x, w, &todo);
		g_queue_push_tail(&done, w);
	}
	while ((w = g_queue_pop_head(&done))) {
		vtm_url_free(w->url);
		g_free(w);
	}
}

/* Was this reference seen in this document already?  A page repeats its links, and parsing one costs more than finding
 * it.  <bases>: how many there were to read it with. */
static bool seen(struct extraction *x, char kind, unsigned bases, const char *text, size_t len)
{
	GHashTable *written = x->document->written;

	if (g_hash_table_size(written) >= WRITTEN_MAX || len > SEEN_MAX)
		return false;
	return !g_hash_table_add(written, g_strdup_printf("%c%u:%.*s", kind, bases, (int)len, text));
}

static void begin_document(struct extraction *x, struct document *d)
{
	d->around = x->document;
	d->written = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	d->bases = g_ptr_array_new_with_free_func((GDestroyNotify)vtm_url_free);
	d->html_bases = 0;
	x->document = d;
}

static void end_document(struct extraction *x)
{
	struct document *d = x->document;

	x->document = d->around;
	g_hash_table_destroy(d->written);
	g_ptr_array_unref(d->bases);
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

/* A reference of a scheme that is not ours: the links it holds; a note if it opens something that we do not read. */
static void take_foreign(struct extraction *x, const char *reference, enum vtm_role role)
{
	enum vtm_scheme kind = vtm_scheme_of(reference);
	unsigned flags = 0;
	GPtrArray *urls = kind == VTM_SCHEME_HARMLESS ? NULL : vtm_scheme_urls(reference, &flags);
	struct vtm_item *item;

	x->items->capped = x->items->capped || (flags & VTM_UNWRAP_CUT);
	for (guint i = 0; urls && i < urls->len; i++)
		take(x, g_steal_pointer(&urls->pdata[i]), role);
	if (urls)
		g_ptr_array_unref(urls);
	if (urls || kind != VTM_SCHEME_OPENS)
		return;
	x->items->undecoded = true;
	if (x->links->list->len >= x->settings->max_items || strlen(reference) > VTM_URL_MAX)
		return;
	item = vtm_item_new(VTM_URL, reference);
	item->role = role;
	item->depth = x->part->depth;
	item->group = x->part->group;
	item->note = "scheme";
	item->unasked = true;
	item->report = (struct vtm_report){ .verdict = VTM_BYPASSED, .reason = VTM_WHY_UNDECODED };
	vtm_items_add(x->links, item);
}

static void add_base(struct document *d, const struct vtm_url *around, const char *base)
{
	struct vtm_url *u = vtm_url_resolve(around, base, -1);

	if (u)
		g_ptr_array_add(d->bases, u);
}

/* The page's own bases, as far as they are known yet: each may be relative to that of its part (RFC 2557). */
static void read_bases(struct document *d, const char *const *bases)
{
	for (; bases[d->html_bases]; d->html_bases++)
		add_base(d, d->bases->len ? d->bases->pdata[0] : NULL, bases[d->html_bases]);
}

static void take_relative(struct extraction *x, const char *reference, enum vtm_role role)
{
	const GPtrArray *bases = x->document->bases;
	size_t len = strlen(reference);

	/* without a base, and for mail programs also with one, "www.example.com/x" and "http:example.com" have a host */
	if (!bases->len || !g_ascii_strncasecmp(reference, "www.", 4) || !g_ascii_strncasecmp(reference, "http", 4))
		take_read(x, vtm_url_resolve(NULL, reference, -1), role, reference, len);
	for (guint i = 0; i < bases->len; i++) {
		/* a short reference to a long base is a long URL */
		if (!vtm_work_spend(x->settings->work, LINK_PASSES * strlen(((const struct vtm_url *)bases->pdata[i])->normal)))
			return;
		if (!len || *reference == '#')
			take(x, vtm_url_parse(((const struct vtm_url *)bases->pdata[i])->normal, -1), role);
		else
			take_read(x, vtm_url_resolve(bases->pdata[i], reference, -1), role, reference, len);
	}
}

static void on_ref(const char *reference, enum vtm_role role, const char *const *bases, void *arg)
{
	struct extraction *x = arg;
	struct vtm_url *u;

	if (role == VTM_ROLE_RESOURCE && !x->settings->resource_urls)
		return;
	read_bases(x->document, bases);
	if (seen(x, (char)('a' + role), x->document->bases->len, reference, strlen(reference)) || is_full(x))
		return;
	if (!vtm_work_spend(x->settings->work, LINK_PASSES * strlen(reference)))
		return;
	if (vtm_url_is_relative(reference)) {
		take_relative(x, reference, role);
		return;
	}
	u = vtm_url_parse(reference, -1);
	if (u || !vtm_scheme_is_foreign(reference))
		take_read(x, u, role, reference, strlen(reference));
	else
		take_foreign(x, reference, role);
}

/* A script spells hosts out, or it does not: a name without a dot is half of one. */
static bool is_half(const struct vtm_url *u)
{
	return !strchr(u->host, '.') && !vtm_host_is_ip(u->host);
}

/* A host that goes on in the text behind it: "example.com" and a dash are no name, for no suffix is called so. */
static bool is_overlong(const struct vtm_url *u)
{
	const char *dot = strrchr(u->host, '.');

	return dot && g_str_has_prefix(dot, ".xn--") && !vtm_host_plausible(u->host);
}

static void take_text(struct extraction *x, const char *text, size_t len, bool bare, bool script)
{
	struct vtm_url *u;

	if (bare && !x->settings->bare_domains)
		return;
	if (seen(x, bare ? 'B' : script ? 'S' : 'T', 0, text, len) || is_full(x))
		return;
	if (!vtm_work_spend(x->settings->work, LINK_PASSES * len))
		return;
	u = vtm_url_guess(text, (gssize)len);
	if (u && ((script && is_half(u)) || is_overlong(u)))
		vtm_url_free(u);
	else
		take_read(x, u, bare ? VTM_ROLE_BARE : VTM_ROLE_TEXT, text, len);
}

static void on_found(const char *text, size_t len, bool bare, void *arg)
{
	take_text(arg, text, len, bare, false);
}

static void on_found_in_script(const char *text, size_t len, bool bare, void *arg)
{
	take_text(arg, text, len, bare, true);
}

static void search(struct extraction *x, const char *text, size_t len, const struct vtm_linkify_options *form,
		   vtm_linkify_found *found)
{
	struct vtm_linkify_options options = form ? *form : (struct vtm_linkify_options){ .bare = false };

	options.bare = x->settings->bare_domains;
	options.work = x->settings->work;
	if (!vtm_work_spend(x->settings->work, len))
		return;
	if (!vtm_linkify(text, len, &options, found, x))
		x->items->no_memory = true;
}

static void on_text(const char *text, size_t len, void *arg)
{
	search(arg, text, len, NULL, on_found);
}

static void on_script(const char *text, size_t len, void *arg)
{
	search(arg, text, len, NULL, on_found_in_script);
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
	struct document d;
	bool more;
	unsigned n = vtm_charset_readings(bytes, len, labels, as_it_is, list, &more);

	begin_document(x, &d);
	for (unsigned i = 0; i < n; i++)
		read_as(x, bytes, len, list[i], read, arg);
	end_document(x);
	x->items->ambiguous = x->items->ambiguous || more;
}

static void read_text(struct extraction *x, const char *utf8, size_t len, const void *form)
{
	search(x, utf8, len, form, on_found);
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
		search(x, vtm_buffer_text(&text), text.len, NULL, on_found);
	vtm_buffer_clear(&text);
}

void vtm_extract_xml(struct extraction *x, const char *xml, size_t len, const char *const *charsets)
{
	read_document(x, xml, len, charsets, true, read_xml, NULL);
}

static void read_page(struct extraction *x, const char *utf8, size_t len, const void *saved)
{
	const struct vtm_html_handler handler = {
		.ref = on_ref, .text = on_text, .script = *(const bool *)saved ? on_script : NULL, .arg = x,
		.work = x->settings->work,
	};
	struct document *d = x->document;
	unsigned lacks;

	d->html_bases = 0;
	g_ptr_array_set_size(d->bases, 0);
	for (int i = 0; x->part->bases && x->part->bases[i]; i++)
		add_base(d, NULL, x->part->bases[i]);
	lacks = vtm_html_read(utf8, len, VTM_CHARSET_UTF8, &handler);
	x->items->no_memory = x->items->no_memory || (lacks & VTM_HTML_NO_MEMORY);
	x->items->undecoded = x->items->undecoded || (lacks & VTM_HTML_CUT);
}

void vtm_extract_page(struct extraction *x, const char *html, size_t len, const char *const *charsets, bool saved)
{
	read_document(x, html, len, charsets, saved, read_page, &saved);
}

void vtm_extract_link(struct extraction *x, const char *reference)
{
	static const char *const no_bases[] = { NULL };
	struct document d;

	begin_document(x, &d);
	on_ref(reference, VTM_ROLE_LINK, no_bases, x);
	end_document(x);
}
