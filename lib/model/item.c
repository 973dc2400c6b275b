/* SPDX-License-Identifier: BSD-2-Clause */
/* item.c - items and the list a message has. */
#include "model/item.h"

#include <string.h>

struct vtm_item *vtm_item_new(enum vtm_kind kind, const char *subject)
{
	struct vtm_item *item = g_new0(struct vtm_item, 1);

	item->kind = kind;
	item->subject = g_strdup(subject);
	item->via = g_new0(char *, 1);
	item->report.reason = VTM_WHY_NOT_ASKED;
	return item;
}

struct vtm_item *vtm_item_copy(const struct vtm_item *item)
{
	struct vtm_item *copy = g_memdup2(item, sizeof(*item));

	copy->subject = g_strdup(item->subject);
	copy->name = g_strdup(item->name);
	copy->type = g_strdup(item->type);
	copy->host = g_strdup(item->host);
	copy->from = g_strdup(item->from);
	copy->via = g_strdupv(item->via);
	return copy;
}

void vtm_item_free(struct vtm_item *item)
{
	if (!item)
		return;
	g_free(item->subject);
	g_free(item->name);
	g_free(item->type);
	g_free(item->host);
	g_free(item->from);
	g_strfreev(item->via);
	g_free(item);
}

const char *vtm_kind_name(enum vtm_kind kind)
{
	return kind == VTM_ATTACHMENT ? "attachment" : "url";
}

const char *vtm_role_name(enum vtm_role role)
{
	static const char *const names[] = {
		[VTM_ROLE_LINK] = "link",
		[VTM_ROLE_TEXT] = "text",
		[VTM_ROLE_RESOURCE] = "resource",
		[VTM_ROLE_NESTED] = "nested",
		[VTM_ROLE_BARE] = "bare",
	};
	g_return_val_if_fail((unsigned)role < G_N_ELEMENTS(names), "link");
	return names[role];
}

/* Equal for items that are one: kind, subject and, for attachments, group. */
static guint item_hash(gconstpointer p)
{
	const struct vtm_item *item = p;

	return g_str_hash(item->subject) ^ (guint)item->kind;
}

static gboolean item_equal(gconstpointer a, gconstpointer b)
{
	const struct vtm_item *x = a, *y = b;

	return x->kind == y->kind && (x->kind == VTM_URL || x->group == y->group) &&
	       !strcmp(x->subject, y->subject);
}

static void free_item(gpointer p)
{
	vtm_item_free(p);
}

struct vtm_items *vtm_items_new(void)
{
	struct vtm_items *items = g_new0(struct vtm_items, 1);

	items->list = g_ptr_array_new_with_free_func(free_item);
	items->seen = g_hash_table_new(item_hash, item_equal);
	return items;
}

void vtm_items_free(struct vtm_items *items)
{
	if (!items)
		return;
	g_hash_table_destroy(items->seen);
	g_ptr_array_free(items->list, TRUE);
	g_free(items);
}

struct vtm_item *vtm_items_add(struct vtm_items *items, struct vtm_item *item)
{
	struct vtm_item *first = g_hash_table_lookup(items->seen, item);

	if (!first) {
		g_hash_table_add(items->seen, item);
		g_ptr_array_add(items->list, item);
		return item;
	}
	/* a URL that is a link somewhere is not only a resource; one that is not a wrapper everywhere is judged */
	if (item->role < first->role)
		first->role = item->role;
	first->wrapper = first->wrapper && item->wrapper;
	first->risky = first->risky || item->risky;
	first->unasked = first->unasked && item->unasked;
	vtm_item_free(item);
	return first;
}
