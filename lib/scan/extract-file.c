/* SPDX-License-Identifier: BSD-2-Clause */
/* extract-file.c - files: an item each, searched for links, opened if they hold others. */
#include "scan/extract-parts.h"

#include <string.h>

#include "mail/filetype.h"
#include "base/hash.h"
#include "base/uu.h"

/* Is a file of this kind what some program takes the part for?  Programs differ in which of several names they take. */
static bool is(const struct vtm_part *p, enum vtm_filetype kind)
{
	if (vtm_filetype(p->type, p->name) == kind)
		return true;
	for (int i = 0; p->names && p->names[i]; i++)
		if (vtm_filetype(p->type, p->names[i]) == kind)
			return true;
	return false;
}

static bool is_risky(const struct vtm_part *p)
{
	bool risky = vtm_filetype_risky(p->type, p->name);

	for (int i = 0; p->names && p->names[i]; i++)
		risky = risky || vtm_filetype_risky(p->type, p->names[i]);
	return risky;
}

/* The part as an item; NULL if it is empty or there is no room. */
static struct vtm_item *add(struct extraction *x, const struct vtm_part *p)
{
	struct vtm_item *item;

	if (!p->size)
		return NULL;
	if (x->items->list->len >= x->settings->max_items) {
		x->items->capped = true;
		return NULL;
	}
	item = vtm_item_new(VTM_ATTACHMENT, p->sha256);
	item->name = g_strdup(p->name);
	item->type = g_strdup(p->type);
	item->size = p->size;
	item->depth = p->depth;
	item->group = p->group;
	item->note = p->note;
	item->risky = is_risky(p);
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

/* Takes a file found inside <around>, which is x->part. */
static void take_inner(struct extraction *x, struct vtm_part *p)
{
	const struct vtm_part *around = x->part;
	GPtrArray *via = g_ptr_array_new();

	for (int i = 0; around->via[i]; i++)
		g_ptr_array_add(via, (char *)(uintptr_t)around->via[i]);
	g_ptr_array_add(via, (char *)(uintptr_t)around->type);
	g_ptr_array_add(via, NULL);
	p->kind = VTM_PART_ATTACHMENT;
	p->via = (const char *const *)via->pdata;
	p->depth = around->depth + 1;
	p->group = around->group;
	x->part = p;
	vtm_extract_file(x, p);
	x->part = around;
	g_ptr_array_free(via, TRUE);
}

/* The same for bytes that nobody hashed yet. */
static void take_bytes(struct extraction *x, const char *name, const char *type, const void *data, size_t len,
		       const char *note)
{
	struct vtm_part p = {
		.name = name, .type = type ? type : vtm_filetype_of_name(name), .size = (int64_t)len, .content = data,
		.content_len = len, .note = note,
	};
	uint8_t digest[VTM_SHA256_LEN];

	if (!x->parts_left) {
		x->items->capped = true;
		return;
	}
	x->parts_left--;
	vtm_sha256(data, len, digest);
	vtm_hex(digest, p.sha256);
	take_inner(x, &p);
}

/* Takes the files that <next> finds in a text. */
static void take_files(struct extraction *x, const struct vtm_part *p, const char *type,
		       bool (*next)(const char *text, size_t len, size_t from, struct vtm_uu *block))
{
	struct vtm_uu block;
	size_t at = 0;

	while (next(p->content, p->content_len, at, &block)) {
		if (block.data.refused)
			x->items->no_memory = true;
		else
			take_bytes(x, *block.name ? block.name : NULL, type, block.data.data, block.data.len,
				   block.broken ? "undecoded" : NULL);
		x->items->undecoded = x->items->undecoded || block.broken;
		at = block.next;
		vtm_uu_clear(&block);
	}
}

void vtm_extract_uu(struct extraction *x, const struct vtm_part *p)
{
	take_files(x, p, NULL, vtm_uu_next);
	take_files(x, p, NULL, vtm_yenc_next);
	take_files(x, p, "application/mac-binhex40", vtm_binhex_next);
}

/* ---- what is inside -------------------------------------------------------------------------------------- */

static void on_member(const struct vtm_member *m, void *arg)
{
	struct extraction *x = arg;
	struct vtm_part p = {
		.name = m->name, .type = vtm_filetype_of_name(m->name), .size = m->size, .content = m->content,
		.content_len = m->content_len,
	};

	if (m->links_only) {
		vtm_extract_xml(x, m->content, m->content_len, NULL);
		return;
	}
	memcpy(p.sha256, m->sha256, sizeof(p.sha256));
	p.unopened = !m->content && vtm_filetype_risky(p.type, p.name);
	take_inner(x, &p);
}

/* What could not be looked at inside is told on the item, which is asked about all the same. */
static void note(struct vtm_item *item, const char *text)
{
	if (item && !item->note)
		item->note = text;
}

/* There may be more inside than was found. */
static void note_undecoded(struct extraction *x, struct vtm_item *item)
{
	x->items->undecoded = true;
	note(item, "undecoded");
}

static void open_archive(struct extraction *x, const struct vtm_part *p, struct vtm_item *item)
{
	enum vtm_archive_result result;
	bool decoded;

	if (!x->settings->archive_members || !vtm_archive_format(p->content, p->content_len))
		return;
	if (x->archive_depth >= x->settings->archive_depth) {
		x->items->capped = true;
		return;
	}
	x->archive_depth++;
	decoded = vtm_decode_archive(&x->decode, p->content, p->content_len, &x->archive, on_member, x, &result);
	x->archive_depth--;
	if (!decoded) {
		note_undecoded(x, item);
		return;
	}
	switch (result) {
	case VTM_ARCHIVE_NONE:
	case VTM_ARCHIVE_READ:
		break;
	case VTM_ARCHIVE_ENCRYPTED:
		note(item, "encrypted");
		break;
	case VTM_ARCHIVE_BROKEN:
		note_undecoded(x, item);
		break;
	case VTM_ARCHIVE_CAPPED:
		x->items->capped = true;
		break;
	}
}

static void open_tnef(struct extraction *x, const char *data, size_t len, struct vtm_item *item);

static void on_tnef(const struct vtm_tnef_part *t, void *arg)
{
	struct extraction *x = arg;

	switch (t->kind) {
	case VTM_TNEF_FILE:
		take_bytes(x, t->name, NULL, t->data, t->len, NULL);
		break;
	case VTM_TNEF_MESSAGE:
		open_tnef(x, t->data, t->len, NULL);
		break;
	case VTM_TNEF_TEXT:
		vtm_extract_text(x, t->data, t->len, NULL, false, NULL);
		break;
	case VTM_TNEF_HTML:
		vtm_extract_page(x, t->data, t->len, NULL, false);
		break;
	}
}

static void open_tnef(struct extraction *x, const char *data, size_t len, struct vtm_item *item)
{
	int result;

	if (!vtm_tnef_is(data, len))
		return;
	if (!x->nested_left) {
		x->items->capped = true;
		return;
	}
	x->nested_left--;
	if (!vtm_decode_tnef(&x->decode, data, len, on_tnef, x, &result) || result < 0)
		note_undecoded(x, item);
	x->nested_left++;
}

static void open_smime(struct extraction *x, const struct vtm_part *p, struct vtm_item *item)
{
	enum vtm_smime result;
	char *content;
	size_t len;

	if (!vtm_decode_smime(&x->decode, p->content, p->content_len, &content, &len, &result))
		note_undecoded(x, item);
	switch (result) {
	case VTM_SMIME_NONE:
		break;
	case VTM_SMIME_SIGNED:
		vtm_extract_message(x, content, len);
		break;
	case VTM_SMIME_ENCRYPTED:
		note(item, "encrypted");
		break;
	case VTM_SMIME_BROKEN:
		note_undecoded(x, item);
		break;
	}
	g_free(content);
}

static void on_pdf(const struct vtm_pdf_found *f, void *arg)
{
	static const char *const utf8[] = { "utf-8", NULL };
	struct extraction *x = arg;

	switch (f->kind) {
	case VTM_PDF_LINK:
		vtm_extract_link(x, f->text);
		break;
	case VTM_PDF_TEXT:
		vtm_extract_text(x, f->text, f->len, utf8, false, NULL);
		break;
	}
}

static void open_pdf(struct extraction *x, const struct vtm_part *p, struct vtm_item *item)
{
	enum vtm_pdf_result result;

	if (!vtm_decode_pdf(&x->decode, p->content, p->content_len, on_pdf, x, &result)) {
		note_undecoded(x, item);
		return;
	}
	switch (result) {
	case VTM_PDF_NONE:
	case VTM_PDF_READ:
		break;
	case VTM_PDF_ENCRYPTED:
		note(item, "encrypted");
		break;
	case VTM_PDF_BROKEN:
		note_undecoded(x, item);
		break;
	case VTM_PDF_CAPPED:
		x->items->capped = true;
		break;
	}
}

/* Nested files are read by recursion: archives as deep as archive_depth, messages and TNEF as nested_left says. */
static void open_nested(struct extraction *x, const struct vtm_part *p, struct vtm_item *item)
{
	if (!x->nested_left) {
		x->items->capped = true;
		return;
	}
	x->nested_left--;
	open_archive(x, p, item);
	open_tnef(x, p->content, p->content_len, item);
	if (is(p, VTM_FILE_MESSAGE))
		vtm_extract_message(x, p->content, p->content_len);
	if (is(p, VTM_FILE_SMIME))
		open_smime(x, p, item);
	x->nested_left++;
}

static bool may_nest(const struct vtm_part *p, const char *head, size_t len)
{
	return is(p, VTM_FILE_MESSAGE) || is(p, VTM_FILE_SMIME) || vtm_archive_format(head, len) || vtm_tnef_is(head, len);
}

bool vtm_extract_wants(const struct vtm_part *p, const char *head, size_t len, void *x)
{
	return is(p, VTM_FILE_PAGE) || is(p, VTM_FILE_TEXT) || may_nest(p, head, len) ||
	       (((struct extraction *)x)->settings->pdf && vtm_pdf_is(head, len));
}

/* Does it begin so, behind a mark and blanks? */
static bool begins(const struct vtm_part *p, const char *with)
{
	const char *at = p->content, *end = at + p->content_len;

	if (end - at > 3 && !memcmp(at, "\xef\xbb\xbf", 3))
		at += 3;
	while (at < end && g_ascii_isspace(*at))
		at++;
	return (size_t)(end - at) > strlen(with) && !g_ascii_strncasecmp(at, with, strlen(with));
}

/* In UTF-16 too, with a mark or without. */
static bool is_xml(const struct vtm_part *p)
{
	return begins(p, "<?xml") || memmem(p->content, MIN(p->content_len, 8), "<\0?", 3);
}

static void search_text(struct extraction *x, const struct vtm_part *p)
{
	const struct vtm_linkify_options form = {
		.flowed = p->flowed, .delsp = p->delsp, .folded = begins(p, "BEGIN:VC")
	};

	if (is_xml(p))
		vtm_extract_xml(x, p->content, p->content_len, p->charsets);
	else
		vtm_extract_text(x, p->content, p->content_len, p->charsets, true, &form);
	vtm_extract_uu(x, p);
}

void vtm_extract_file(struct extraction *x, const struct vtm_part *p)
{
	struct vtm_item *item = add(x, p);

	if (!p->content) {
		/* too large to be looked into */
		x->items->capped = x->items->capped || p->unopened;
		return;
	}
	if (!p->content_len)
		return;
	if (is(p, VTM_FILE_PAGE))
		vtm_extract_page(x, p->content, p->content_len, p->charsets, true);
	if (is(p, VTM_FILE_TEXT))
		search_text(x, p);
	if (may_nest(p, p->content, p->content_len))
		open_nested(x, p, item);
	if (x->settings->pdf && vtm_pdf_is(p->content, p->content_len))
		open_pdf(x, p, item);
}
