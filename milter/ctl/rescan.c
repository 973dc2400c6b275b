/* SPDX-License-Identifier: BSD-2-Clause */
/* rescan.c - vtmilterctl rescan: looks up the items of a delivered message again. */
#include <stdio.h>
#include <string.h>

#include "ctl/ask.h"
#include "base/error.h"
#include "conf/settings.h"
#include "model/tags.h"

/* Collects the items of all messages found, each once. */
struct again {
	struct vtm_items *items;
	unsigned messages;
};

static void take_items(const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n, void *arg)
{
	struct again *a = arg;

	a->messages++;
	a->items->undecoded = a->items->undecoded || m->tags & VTM_TAGS_UNSURE;
	for (size_t i = 0; i < n; i++)
		vtm_items_add(a->items, vtm_item_copy(items[i].item));
}

static int load_items(const struct vtm_ctl *c, const char *id, struct again *a)
{
	GError *error = NULL;
	struct vtm_store *s = vtm_ctl_store(c, true, &error);
	int rc = s ? vtm_store_journal_find(s, id, take_items, a, &error) : -1;

	vtm_store_close(s);
	if (rc < 0)
		return vtm_ctl_fail(c, error);
	if (a->messages)
		return EX_OK;
	vtm_ctl_warn(c, "%s: the journal has no such message", id);
	return VTM_CTL_FOUND;
}

/* The number of requests that may be sent today.  -1: error. */
static int64_t requests_left(const struct vtm_ctl *c, struct vtm_store *s, GError **error)
{
	struct vtm_budget_limits limits;
	struct vtm_budget b;
	int64_t left = -1;

	vtm_settings_budget(c->conf, &limits);
	vtm_budget_init(&b);
	if (vtm_store_budget_read(s, &b, error) == 0)
		left = vtm_budget_left(&limits, VTM_SPEND_MANUAL, b.day_used, b.month_used);
	vtm_budget_clear(&b);
	return left;
}

/* What is known is forgotten here and by the daemon, so that it is asked anew: only if it can be.  <old> gets what
 * was. */
static int forget(const struct vtm_ctl *c, const struct vtm_ticket *t, struct vtm_cached *old)
{
	GError *error = NULL;
	struct vtm_store *s = vtm_ctl_store(c, false, &error);
	int64_t left = s ? requests_left(c, s, &error) : -1;
	int rc = left < 0 ? -1 : 0;

	if (rc == 0 && left < t->n) {
		g_set_error(&error, VTM_ERROR, VTM_ERROR_BUSY,
			    "%u requests are needed and %" G_GINT64_FORMAT " are left; "
			    "try again after midnight UTC",
			    t->n, left);
		rc = -1;
	}
	for (unsigned i = 0; i < t->n && rc >= 0; i++) {
		rc = vtm_store_verdicts_get(s, &t->wants[i].lookup->key, 1, &old[i], &error);
		if (rc >= 0)
			rc = vtm_store_verdict_forget(s, &t->wants[i].lookup->key, &error);
		if (rc >= 0)
			vtm_ctl_daemon_forget(c, &t->wants[i].lookup->key);
	}
	vtm_store_close(s);
	return rc < 0 ? vtm_ctl_fail(c, error) : EX_OK;
}

/* Restores the old answer of items without a new one: a bad item stays bad while VirusTotal cannot be reached. */
static void remember(const struct vtm_ctl *c, const struct vtm_ticket *t, const struct vtm_cached *old)
{
	struct vtm_store *s = vtm_ctl_store(c, false, NULL);

	for (unsigned i = 0; s && i < t->n; i++)
		if (old[i].found && !vtm_verdict_is_answer(t->wants[i].report.verdict))
			vtm_store_verdict_put(s, t->wants[i].lookup, &old[i].report, old[i].expires_ms, NULL);
	vtm_store_close(s);
}

/* Makes one want for each look-up; <at> gets the index of each item's want. */
static void make_wants(struct vtm_ctl_asker *k, const struct again *a, struct vtm_ticket *t, unsigned *at)
{
	GHashTable *seen = g_hash_table_new(vtm_key_hash, vtm_key_equal);

	t->wants = g_new0(struct vtm_want, a->items->list->len + 1);
	for (guint i = 0; i < a->items->list->len; i++) {
		struct vtm_item *item = a->items->list->pdata[i];
		struct vtm_lookup *l = vtm_scan_lookup_of(item, &k->settings);

		at[i] = G_MAXUINT;
		if (!l)
			continue;
		if (g_hash_table_contains(seen, &l->key)) {
			at[i] = GPOINTER_TO_UINT(g_hash_table_lookup(seen, &l->key));
			vtm_lookup_free(l);
			continue;
		}
		at[i] = t->n++;
		t->wants[at[i]].lookup = l;
		t->wants[at[i]].class = item->kind == VTM_ATTACHMENT ? VTM_CLASS_RISKY : VTM_CLASS_URL_FIRST;
		g_hash_table_insert(seen, &l->key, GUINT_TO_POINTER(at[i]));
	}
	g_hash_table_destroy(seen);
}

static int put(const struct vtm_ctl *c, const char *id, const struct vtm_items *items)
{
	uint32_t tags = vtm_tags_of(items);
	char *text, *safe;

	if (c->json) {
		struct vtm_json *j = vtm_json_new();

		vtm_json_text(j, "id", id);
		vtm_ctl_json_tags(j, "tags", tags);
		for (guint i = 0; i < items->list->len; i++)
			vtm_json_append(j, "items", vtm_ctl_json_item(items->list->pdata[i]));
		vtm_ctl_put_json(j);
	} else {
		text = vtm_ctl_tags(c, tags);
		safe = vtm_ctl_safe(id, 400);
		printf("%s: %s\n", safe, *text ? text : "no items");
		for (guint i = 0; i < items->list->len; i++)
			vtm_ctl_put_item(c, items->list->pdata[i], NULL);
		g_free(safe);
		g_free(text);
	}
	return tags & VTM_TAG_BIT(VTM_TAG_BAD) ? VTM_CTL_FOUND : EX_OK;
}

static int ask_again(struct vtm_ctl_asker *k, const char *id, struct again *a)
{
	struct vtm_ticket t = { .max_lookups = G_MAXUINT };
	unsigned *at = g_new(unsigned, a->items->list->len + 1);
	struct vtm_cached *old;
	char *why = NULL;
	int status, found;

	make_wants(k, a, &t, at);
	old = g_new0(struct vtm_cached, t.n + 1);
	status = forget(k->c, &t, old);
	if (status == EX_OK) {
		t.deadline_ms = vtm_boot_ms(k->c->clock) + VTM_CTL_WAIT_MS;
		if (t.n)
			vtm_ctl_ask(k, &t);
		remember(k->c, &t, old);
		for (guint i = 0; i < a->items->list->len; i++)
			if (at[i] != G_MAXUINT)
				((struct vtm_item *)a->items->list->pdata[i])->report = t.wants[at[i]].report;
		found = put(k->c, id, a->items);
		status = vtm_ctl_must_stop(k, (struct vtm_item *const *)a->items->list->pdata, a->items->list->len,
					   &why);
		if (status != EX_OK)
			vtm_ctl_warn(k->c, "%s", why);
		else
			status = found;
	}
	for (unsigned i = 0; i < t.n; i++)
		vtm_lookup_free(t.wants[i].lookup);
	g_free(t.wants);
	g_free(old);
	g_free(at);
	g_free(why);
	return status;
}

int vtm_ctl_rescan(struct vtm_ctl *c, int argc, char **argv)
{
	struct again a = { 0 };
	struct vtm_ctl_asker k;
	GError *error = NULL;
	int status;

	if (argc != 1)
		return vtm_ctl_usage(c, "expected a queue ID or Message-ID");
	a.items = vtm_items_new();
	status = load_items(c, argv[0], &a);
	if (status == EX_OK && vtm_ctl_asker_init(&k, c, true, &error) < 0)
		status = vtm_ctl_fail(c, error);
	else if (status == EX_OK) {
		status = ask_again(&k, argv[0], &a);
		vtm_ctl_asker_clear(&k);
	}
	vtm_items_free(a.items);
	return status;
}
