/* SPDX-License-Identifier: BSD-2-Clause */
/* extract.c - a message to its items. */
#include "scan/extract.h"

#include <string.h>

#include "mail/authres.h"
#include "scan/extract-parts.h"

#define READ_COPIES 8	/* of a message exist at most while it is read: readings, parts, their text */
#define NESTED_MAX 8	/* files in files, of any kind: this much recursion */
#define GROUPS_MAX 100000	/* more readings than one message can have */

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

static void take_part(struct extraction *x, const struct vtm_part *p)
{
	switch (p->kind) {
	case VTM_PART_TEXT:
		if (!p->content)
			break;
		vtm_extract_text(x, p->content, p->content_len, p->charsets, false,
				 &(struct vtm_linkify_options){ .flowed = p->flowed, .delsp = p->delsp });
		vtm_extract_uu(x, p);
		break;
	case VTM_PART_HTML:
		if (p->content)
			vtm_extract_page(x, p->content, p->content_len, p->charsets, false);
		break;
	case VTM_PART_ATTACHMENT:
	case VTM_PART_ELSEWHERE:
		vtm_extract_file(x, p);
		break;
	case VTM_PART_SIGNATURE:
		break;
	}
}

/* A part of the message, or of one inside <x->part>: then its depth, its way and its group count from there. */
static void on_part(const struct vtm_part *part, void *arg)
{
	struct extraction *x = arg;
	const struct vtm_part *around = x->part;
	GPtrArray *via = NULL;
	struct vtm_part p = *part;

	if (p.group)
		p.group += x->group_base;
	if (around) {
		via = g_ptr_array_new();
		for (int i = 0; around->via[i]; i++)
			g_ptr_array_add(via, (char *)(uintptr_t)around->via[i]);
		g_ptr_array_add(via, (char *)(uintptr_t)around->type);
		for (int i = 0; part->via[i]; i++)
			g_ptr_array_add(via, (char *)(uintptr_t)part->via[i]);
		g_ptr_array_add(via, NULL);
		p.via = (const char *const *)via->pdata;
		p.depth += around->depth + 1;
		p.group = p.group ? p.group : around->group;
	}
	x->part = &p;
	for (int i = 0; p.links && p.links[i]; i++)
		vtm_extract_link(x, p.links[i]);
	take_part(x, &p);
	x->part = around;
	if (via)
		g_ptr_array_free(via, TRUE);
}

static const struct vtm_mime_reader *reader_of(struct extraction *x, struct vtm_mime_reader *r)
{
	r->each = on_part;
	r->wants = vtm_extract_wants;
	r->arg = x;
	r->work = x->settings->work;
	return r;
}

static void note_flags(struct extraction *x, const struct vtm_mime_summary *s)
{
	x->items->capped = x->items->capped || s->capped;
	x->items->no_memory = x->items->no_memory || s->no_memory;
	x->items->ambiguous = x->items->ambiguous || s->ambiguous;
	x->parts_left -= MIN(x->parts_left, s->parts);
}

void vtm_extract_message(struct extraction *x, const char *data, size_t len)
{
	struct vtm_mime_limits limits = x->settings->mime;
	unsigned base = x->group_base;
	struct vtm_mime_summary summary;
	struct vtm_mime_reader reader;

	limits.max_parts = x->parts_left;
	x->groups += GROUPS_MAX;
	x->group_base = x->groups;
	vtm_mime_walk_bytes(data, len, &limits, reader_of(x, &reader), &summary);
	x->group_base = base;
	note_flags(x, &summary);
	vtm_mime_summary_clear(&summary);
}

/* ---- the message's header -------------------------------------------------------------------------- */

/* The topmost Authentication-Results of our own server; NULL: there is none. */
static const char *own_results(const struct vtm_mime_summary *s, const char *authserv_id)
{
	for (guint i = 0; authserv_id && s->auth_results && i < s->auth_results->len; i++)
		if (vtm_authres_is(s->auth_results->pdata[i], authserv_id))
			return s->auth_results->pdata[i];
	return NULL;
}

/* Does it say that the From domain passed DMARC? */
static bool from_is_authentic(const struct vtm_mime_summary *s, const char *authserv_id)
{
	const char *results = own_results(s, authserv_id);

	return results && s->from_domain && vtm_authres_dmarc_pass(results, s->from_domain);
}

static void take_heading(struct vtm_heading *h, struct vtm_mime_summary *s, const char *authserv_id, bool authentic)
{
	memset(h, 0, sizeof(*h));
	h->auth_results = g_strdup(own_results(s, authserv_id));
	h->message_id = g_steal_pointer(&s->message_id);
	h->from_domain = g_steal_pointer(&s->from_domain);
	h->dmarc_pass = authentic;
}

void vtm_heading_clear(struct vtm_heading *h)
{
	g_free(h->message_id);
	g_free(h->from_domain);
	g_free(h->auth_results);
	memset(h, 0, sizeof(*h));
}

static void ignore_attachments(struct vtm_items *items)
{
	for (guint i = 0; i < items->list->len; i++)
		((struct vtm_item *)items->list->pdata[i])->ignored = true;
}

/* List-Unsubscribe's URLs name the recipient, whatever they look like. */
static void mark_unsubscribe(struct vtm_items *links, const struct vtm_mime_summary *s)
{
	for (guint i = 0; s->list_unsubscribe && i < s->list_unsubscribe->len; i++) {
		struct vtm_url *u = vtm_url_parse(s->list_unsubscribe->pdata[i], -1);

		for (guint k = 0; u && k < links->list->len; k++) {
			struct vtm_item *item = links->list->pdata[k];

			item->personal = item->personal || !strcmp(item->subject, u->normal);
		}
		vtm_url_free(u);
	}
}

/* The links go behind the attachments, as many as there is room for. */
static void join(struct extraction *x)
{
	guint attachments = x->items->list->len;

	g_ptr_array_set_free_func(x->links->list, NULL);
	for (guint i = 0; i < x->links->list->len; i++) {
		if (attachments + i < x->settings->max_items) {
			vtm_items_add(x->items, x->links->list->pdata[i]);
			continue;
		}
		x->items->capped = true;
		vtm_item_free(x->links->list->pdata[i]);
	}
	vtm_items_free(x->links);
}

/* ---- memory ---- */

/* Takes what reading the message needs from the share, or as much as one network may have: a message that is larger
 * than its share is read alone.  Waits for it until half of the message's time is gone.  *taken_r: to give back. */
static bool take_memory(const struct vtm_extract_settings *settings, uint64_t size, uint64_t *taken_r)
{
	const struct vtm_work *work = settings->work;
	int64_t until_ms = 0;

	*taken_r = 0;
	if (!settings->memory)
		return true;
	if (work && work->clock) {
		int64_t now_ms = vtm_boot_ms(work->clock);

		until_ms = now_ms + (work->deadline_ms - now_ms) / 2;
	}
	*taken_r = MIN(size * READ_COPIES, vtm_share_half(settings->memory));
	if (vtm_share_take(settings->memory, settings->client_net, *taken_r, until_ms, settings->work))
		return true;
	*taken_r = 0;
	return false;
}

static void give_memory(const struct vtm_extract_settings *settings, uint64_t taken)
{
	if (taken)
		vtm_share_give(settings->memory, settings->client_net, taken);
}

static void read_message(struct extraction *x, struct vtm_spool *spool, struct vtm_mime_summary *summary)
{
	const struct vtm_extract_settings *settings = x->settings;
	struct vtm_mime_reader reader;

	vtm_decode_begin(&x->decode, settings->decoders);
	vtm_decode_for(&x->decode, settings->client_net, settings->work);
	if (vtm_mime_walk(spool, &settings->mime, reader_of(x, &reader), summary, NULL) < 0 && !summary->no_memory)
		x->items->unparsable = x->items->unread = true;
	vtm_decode_end(&x->decode);
}

struct vtm_items *vtm_extract(struct vtm_spool *spool, const struct vtm_extract_settings *settings,
			      struct vtm_heading *heading_r)
{
	struct extraction x = {
		.settings = settings, .items = vtm_items_new(), .links = vtm_items_new(),
		.parts_left = settings->mime.max_parts, .nested_left = NESTED_MAX,
		.archive = { settings->archive_members, settings->archive_bytes, settings->mime.max_part_bytes },
	};
	struct vtm_mime_summary summary = { .parts = 0 };
	uint64_t taken;
	bool authentic;

	if (take_memory(settings, vtm_spool_size(spool), &taken))
		read_message(&x, spool, &summary);
	else
		x.items->no_memory = true;
	give_memory(settings, taken);
	x.items->unfinished = vtm_work_over(settings->work);
	note_flags(&x, &summary);
	x.items->unparsable = x.items->unparsable || summary.unparsable;
	mark_unsubscribe(x.links, &summary);
	authentic = from_is_authentic(&summary, settings->authserv_id);
	if (settings->ignore && authentic &&
	    vtm_ignore_host(settings->ignore, summary.from_domain))
		ignore_attachments(x.items);
	join(&x);
	if (heading_r)
		take_heading(heading_r, &summary, settings->authserv_id, authentic);
	vtm_mime_summary_clear(&summary);
	return x.items;
}
