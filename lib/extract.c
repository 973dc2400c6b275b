/* SPDX-License-Identifier: BSD-2-Clause */
/* extract.c - a message to its items. */
#include "extract.h"

#include <string.h>

#include "archive.h"
#include "html.h"
#include "linkify.h"
#include "privacy.h"
#include "unwrap.h"
#include "url.h"

struct extraction {
	const struct vtm_extract_settings *settings;
	struct vtm_items *items;
	const struct vtm_part *part;	/* the one being read */
	GPtrArray *urls;		/* of struct vtm_item *: attachments come first in the list */
	GHashTable *unsubscribe;	/* normal forms that List-Unsubscribe names */
	struct vtm_archive_limits archive;	/* what is left of them for this message */
	unsigned archive_depth;		/* archives around the part being read */
};

void vtm_extract_defaults(struct vtm_extract_settings *s)
{
	memset(s, 0, sizeof(*s));
	s->max_items = 1000;
	s->mime.max_depth = 32;
	s->mime.max_parts = 1000;
	s->mime.max_part_bytes = 16 * 1024 * 1024;
	s->archive_depth = 3;
	s->archive_members = 200;
	s->archive_bytes = 64 * 1024 * 1024;
}

/* ---- attachments -------------------------------------------------------------------------------- */

/* Types and endings that carry no code by themselves; everything else may. */
static bool is_risky(const char *type, const char *name)
{
	static const char *const harmless_types[] = { "image/", "audio/", "video/", "font/", "text/plain", "text/calendar",
						      "text/csv", "text/vcard", NULL };
	static const char *const risky_ends[] = { ".exe", ".scr", ".com", ".pif", ".bat", ".cmd", ".js", ".jse", ".vbs",
						  ".vbe", ".wsf", ".hta", ".lnk", ".ps1", ".msi", ".jar", ".html", ".htm",
						  ".svg", ".iso", ".img", ".vhd", ".url", ".one", ".doc", ".docm", ".xls",
						  ".xlsm", ".zip", ".rar", ".7z", ".ace", ".cab", ".pdf", NULL };
	char *lower = name ? g_ascii_strdown(name, -1) : NULL;
	bool risky = true;

	for (int i = 0; type && harmless_types[i]; i++)
		if (g_str_has_prefix(type, harmless_types[i]))
			risky = false;
	if (type && g_str_has_prefix(type, "image/svg"))
		risky = true;
	for (int i = 0; lower && risky_ends[i]; i++)
		if (g_str_has_suffix(lower, risky_ends[i]))
			risky = true;
	g_free(lower);
	return risky;
}

static bool room(struct extraction *x)
{
	if (x->items->list->len + x->urls->len < x->settings->max_items)
		return true;
	x->items->capped = true;
	return false;
}

/* The part as an item; NULL if it is empty or there is no room. */
static struct vtm_item *add_attachment(struct extraction *x, const struct vtm_part *p)
{
	struct vtm_item *item;

	if (p->size == 0 || !room(x))
		return NULL;
	item = vtm_item_new(VTM_ATTACHMENT, p->sha256);
	item->name = g_strdup(p->name);
	item->type = g_strdup(p->type);
	item->size = p->size;
	item->depth = p->depth;
	item->group = p->group;
	item->note = p->note;
	item->risky = is_risky(p->type, p->name);
	item->ignored = x->settings->ignore && vtm_ignore_hash(x->settings->ignore, p->sha256);
	g_strfreev(item->via);
	item->via = g_strdupv((char **)(uintptr_t)p->via);
	if (p->kind == VTM_PART_ELSEWHERE) {
		x->items->partial = true;
		item->unasked = true;
		item->note = "content elsewhere";
		item->report.reason = VTM_WHY_PARTIAL;
	}
	return vtm_items_add(x->items, item);
}

/* ---- urls ------------------------------------------------------------------------------------------ */

static struct vtm_item *add_url(struct extraction *x, const struct vtm_url *u, enum vtm_role role, const char *from)
{
	struct vtm_item *item;

	if (!room(x))
		return NULL;
	item = vtm_item_new(VTM_URL, u->normal);
	item->host = g_strdup(u->host);
	item->role = role;
	item->from = g_strdup(from);
	item->depth = x->part ? x->part->depth : 0;
	item->host_only = u->host_only;
	item->personal = u->host_only || vtm_privacy_rule(u) || g_hash_table_contains(x->unsubscribe, u->normal);
	item->ignored = x->settings->ignore && vtm_ignore_host(x->settings->ignore, u->host);
	g_strfreev(item->via);
	item->via = x->part ? g_strdupv((char **)(uintptr_t)x->part->via) : g_new0(char *, 1);
	g_ptr_array_add(x->urls, item);
	return item;
}

struct wrapped {
	struct vtm_url *url;
	struct vtm_item *item;
	int depth;
};

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
		next->item = add_url(x, next->url, VTM_ROLE_NESTED, w->url->normal);
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
static void take_url(struct extraction *x, struct vtm_url *u, enum vtm_role role)
{
	struct wrapped first = { u, add_url(x, u, role, NULL), 0 }, *next;
	GQueue todo = G_QUEUE_INIT;

	if (first.item)
		unwrap_one(x, &first, &todo);
	while ((next = g_queue_pop_head(&todo))) {
		unwrap_one(x, next, &todo);
		vtm_url_free(next->url);
		g_free(next);
	}
	vtm_url_free(u);
}

static void on_ref(const char *reference, enum vtm_role role, const char *base, void *arg)
{
	struct extraction *x = arg;
	struct vtm_url *u;

	if (role == VTM_ROLE_RESOURCE && !x->settings->resource_urls)
		return;
	u = vtm_url_resolve(base, reference, -1);
	if (u)
		take_url(x, u, role);
}

static void on_found(const char *text, size_t len, bool bare, void *arg)
{
	struct extraction *x = arg;
	struct vtm_url *u;

	if (bare && !x->settings->bare_domains)
		return;
	u = vtm_url_guess(text, (gssize)len);
	if (u)
		take_url(x, u, bare ? VTM_ROLE_BARE : VTM_ROLE_TEXT);
}

static void on_text(const char *text, size_t len, void *arg)
{
	struct extraction *x = arg;
	const struct vtm_linkify_options options = { .bare = x->settings->bare_domains };

	vtm_linkify(text, len, &options, on_found, x);
}

static void read_text(struct extraction *x, const struct vtm_part *p)
{
	const struct vtm_linkify_options options = {
		.flowed = p->flowed, .delsp = p->delsp, .bare = x->settings->bare_domains
	};
	size_t len;
	char *text = vtm_mime_utf8(p->content, p->content_len, p->charset, &len);

	vtm_linkify(text, len, &options, on_found, x);
	g_free(text);
}

static void read_html(struct extraction *x, const struct vtm_part *p)
{
	/* an attached page runs its scripts in a browser, the message itself does not */
	const struct vtm_html_handler handler = {
		.ref = on_ref, .text = on_text, .script = p->kind == VTM_PART_ATTACHMENT ? on_text : NULL, .arg = x
	};

	vtm_html_read(p->content, p->content_len, p->charset, &handler);
}

/* ---- parts ----------------------------------------------------------------------------------------- */

static bool name_ends(const struct vtm_part *p, const char *end)
{
	size_t n = p->name ? strlen(p->name) : 0, m = strlen(end);

	return n >= m && !g_ascii_strcasecmp(p->name + n - m, end);
}

/* Attachments that a click shows as a page or text are searched for links too. */
static void search_attachment(struct extraction *x, const struct vtm_part *p)
{
	if (!strcmp(p->type, "text/html") || !strcmp(p->type, "image/svg+xml") || !strcmp(p->type, "application/xhtml+xml") ||
	    name_ends(p, ".html") || name_ends(p, ".htm") || name_ends(p, ".svg") || name_ends(p, ".xhtml"))
		read_html(x, p);
	else if (g_str_has_prefix(p->type, "text/") || name_ends(p, ".url") || name_ends(p, ".webloc") || name_ends(p, ".txt"))
		read_text(x, p);
}

static const char *type_by_name(const struct vtm_part *p)
{
	static const struct {
		const char *end, *type;
	} types[] = {
		{ ".png", "image/png" }, { ".jpg", "image/jpeg" }, { ".jpeg", "image/jpeg" }, { ".gif", "image/gif" },
		{ ".txt", "text/plain" }, { ".csv", "text/csv" }, { ".ics", "text/calendar" }, { ".html", "text/html" },
		{ ".htm", "text/html" }, { ".svg", "image/svg+xml" }, { ".mp3", "audio/mpeg" }, { ".mp4", "video/mp4" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
		if (name_ends(p, types[i].end))
			return types[i].type;
	return "application/octet-stream";
}

static void take_attachment(struct extraction *x, const struct vtm_part *p);

/* A member is an attachment one level deeper; archives in archives end at archive_depth. */
static void on_member(const struct vtm_member *m, void *arg)
{
	struct extraction *x = arg;
	const struct vtm_part *around = x->part;
	GPtrArray *via = g_ptr_array_new();
	struct vtm_part p = {
		.kind = VTM_PART_ATTACHMENT, .name = m->name, .depth = around->depth + 1, .group = around->group,
		.size = m->size, .content = m->content, .content_len = m->content_len,
	};

	for (int i = 0; around->via[i]; i++)
		g_ptr_array_add(via, (char *)(uintptr_t)around->via[i]);
	g_ptr_array_add(via, (char *)(uintptr_t)around->type);
	g_ptr_array_add(via, NULL);
	p.via = (const char *const *)via->pdata;
	p.type = type_by_name(&p);
	memcpy(p.sha256, m->sha256, sizeof(p.sha256));
	x->part = &p;
	x->archive_depth++;
	take_attachment(x, &p);
	x->archive_depth--;
	x->part = around;
	g_ptr_array_free(via, TRUE);
}

static void open_archive(struct extraction *x, const struct vtm_part *p, struct vtm_item *item)
{
	if (!x->settings->archive_members || x->archive_depth >= x->settings->archive_depth)
		return;
	switch (vtm_archive_walk(p->content, p->content_len, &x->archive, on_member, x)) {
	case VTM_ARCHIVE_NONE:
	case VTM_ARCHIVE_READ:
		break;
	case VTM_ARCHIVE_ENCRYPTED:
		if (item)
			item->note = "encrypted";
		break;
	case VTM_ARCHIVE_BROKEN:
		if (item)
			item->note = "undecoded";
		break;
	case VTM_ARCHIVE_CAPPED:
		x->items->capped = true;
		break;
	}
}

static void take_attachment(struct extraction *x, const struct vtm_part *p)
{
	struct vtm_item *item = add_attachment(x, p);

	if (!p->content)
		return;
	search_attachment(x, p);
	open_archive(x, p, item);
}

static void on_part(const struct vtm_part *p, void *arg)
{
	struct extraction *x = arg;

	x->part = p;
	switch (p->kind) {
	case VTM_PART_TEXT:
		if (p->content)
			read_text(x, p);
		break;
	case VTM_PART_HTML:
		if (p->content)
			read_html(x, p);
		break;
	case VTM_PART_ATTACHMENT:
		take_attachment(x, p);
		break;
	case VTM_PART_ELSEWHERE:
		add_attachment(x, p);
		break;
	case VTM_PART_SIGNATURE:
		break;
	}
	if (!p->content && (p->kind == VTM_PART_TEXT || p->kind == VTM_PART_HTML))
		x->items->capped = true;
	x->part = NULL;
}

/* ---- the message ------------------------------------------------------------------------------------- */

/* Does the topmost Authentication-Results of our own server say that the From domain passed DMARC? (RFC 8601) */
static bool from_is_authentic(const struct vtm_mime_summary *s, const char *authserv_id)
{
	for (guint i = 0; authserv_id && s->from_domain && s->auth_results && i < s->auth_results->len; i++) {
		char *value = g_ascii_strdown(s->auth_results->pdata[i], -1), *id = g_ascii_strdown(authserv_id, -1);
		size_t n = strcspn(value, "; \t\n");
		bool ours = n == strlen(id) && !strncmp(value, id, n);
		char *from = g_strdup_printf("header.from=%s", s->from_domain), *at;
		bool pass = false;

		at = ours ? strstr(value, from) : NULL;
		if (at) {
			char end = at[strlen(from)];

			pass = strstr(value, "dmarc=pass") && (!end || strchr("; \t\n", end));
		}
		g_free(value);
		g_free(id);
		g_free(from);
		if (ours)
			return pass;
	}
	return false;
}

static void ignore_attachments(struct vtm_items *items)
{
	for (guint i = 0; i < items->list->len; i++) {
		struct vtm_item *item = items->list->pdata[i];

		if (item->kind == VTM_ATTACHMENT)
			item->ignored = true;
	}
}

/* List-Unsubscribe stands in the header, which is known after the walk: its URLs are marked then. */
static void mark_unsubscribe(struct extraction *x, const struct vtm_mime_summary *s)
{
	for (guint i = 0; s->list_unsubscribe && i < s->list_unsubscribe->len; i++) {
		struct vtm_url *u = vtm_url_parse(s->list_unsubscribe->pdata[i], -1);

		if (u)
			g_hash_table_add(x->unsubscribe, g_strdup(u->normal));
		vtm_url_free(u);
	}
	for (guint i = 0; i < x->urls->len; i++) {
		struct vtm_item *item = x->urls->pdata[i];

		item->personal = item->personal || g_hash_table_contains(x->unsubscribe, item->subject);
	}
}

struct vtm_items *vtm_extract(struct vtm_spool *spool, const struct vtm_extract_settings *settings, char **message_id_r)
{
	struct extraction x = { .settings = settings, .items = vtm_items_new() };
	struct vtm_mime_summary summary;

	x.archive.members = settings->archive_members;
	x.archive.bytes = settings->archive_bytes;
	x.archive.keep = settings->mime.max_part_bytes;
	x.urls = g_ptr_array_new();
	x.unsubscribe = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (vtm_mime_walk(spool, &settings->mime, on_part, &x, &summary, NULL) < 0)
		x.items->unparsable = true;
	mark_unsubscribe(&x, &summary);
	if (settings->ignore && from_is_authentic(&summary, settings->authserv_id) &&
	    vtm_ignore_host(settings->ignore, summary.from_domain))
		ignore_attachments(x.items);
	for (guint i = 0; i < x.urls->len; i++)
		vtm_items_add(x.items, x.urls->pdata[i]);
	x.items->capped = x.items->capped || summary.capped;
	x.items->ambiguous = x.items->ambiguous || summary.ambiguous;
	x.items->unparsable = x.items->unparsable || summary.unparsable;
	if (message_id_r)
		*message_id_r = g_steal_pointer(&summary.message_id);
	vtm_mime_summary_clear(&summary);
	g_ptr_array_free(x.urls, TRUE);
	g_hash_table_destroy(x.unsubscribe);
	return x.items;
}
