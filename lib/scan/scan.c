/* SPDX-License-Identifier: BSD-2-Clause */
/* scan.c - the whole decision on one message. */
#include "scan/scan.h"

#include <string.h>

#include "base/netlist.h"
#include "mail/authres.h"
#include "scan/features.h"

#define WANTS_MAX 256	/* look-ups of one message that may be looked for in the store at all */

/* One want and the items it answers. */
struct asking {
	GArray *wants;		/* of struct vtm_want */
	GHashTable *index;	/* look-up key -> position + 1 */
	GHashTable *hosts;	/* hosts that have a want of class URL_FIRST */
	struct vtm_message_features features;
};

void vtm_decision_clear(struct vtm_decision *d)
{
	vtm_items_free(d->items);
	g_free(d->message_id);
	memset(d, 0, sizeof(*d));
}

static void bypass(struct vtm_item *item, enum vtm_reason why)
{
	item->report = (struct vtm_report){ .verdict = VTM_BYPASSED, .reason = why };
}

/* Is only the host asked about? */
static bool host_only(const struct vtm_item *item, const struct vtm_scan_settings *settings)
{
	switch (settings->url_privacy) {
	case VTM_PRIVACY_GUARDED:
		return item->personal;
	case VTM_PRIVACY_HOST:
		return true;
	case VTM_PRIVACY_FULL:
		break;
	}
	return item->host_only;
}

struct vtm_lookup *vtm_scan_lookup_of(struct vtm_item *item, const struct vtm_scan_settings *settings)
{
	struct vtm_lookup *l;

	if (item->wrapper || item->unasked)
		return NULL;
	if (item->ignored || item->inside) {
		item->report = (struct vtm_report){
			.verdict = VTM_IGNORED, .reason = item->inside ? VTM_WHY_PRIVATE : VTM_WHY_NONE
		};
		return NULL;
	}
	if (!(item->kind == VTM_ATTACHMENT ? settings->attachments : settings->urls)) {
		bypass(item, VTM_WHY_DISABLED);
		return NULL;
	}
	if (item->kind == VTM_URL && host_only(item, settings) &&
	    vtm_features_host_of_many(settings->lists, item->host)) {
		bypass(item, VTM_WHY_HOST_OF_MANY);
		return NULL;
	}
	if (item->kind == VTM_ATTACHMENT)
		l = vtm_lookup_new(VTM_LOOKUP_FILE, item->subject);
	else if (host_only(item, settings))
		l = vtm_lookup_new(VTM_LOOKUP_HOST, item->host);
	else
		l = vtm_lookup_new(VTM_LOOKUP_URL, item->subject);
	if (!l)
		bypass(item, VTM_WHY_REJECTED);
	return l;
}

/* 0..3: the order in which a message's items share its MaxLookupsPerMessage. */
static int preference(GHashTable *hosts, const struct vtm_item *item)
{
	if (item->kind == VTM_ATTACHMENT)
		return item->risky ? 0 : 1;
	return g_hash_table_add(hosts, item->host) ? 2 : 3;
}

static enum vtm_class class_of(int preference)
{
	static const enum vtm_class classes[] = {
		VTM_CLASS_RISKY, VTM_CLASS_OTHER, VTM_CLASS_URL_FIRST, VTM_CLASS_URL_MORE
	};
	return classes[preference];
}

static void add_want(struct asking *a, struct vtm_item *item, const struct vtm_scan_settings *settings, int preference)
{
	struct vtm_want w = { .class = class_of(preference) };

	w.lookup = vtm_scan_lookup_of(item, settings);
	if (!w.lookup)
		return;
	if (g_hash_table_contains(a->index, &w.lookup->key)) {
		vtm_lookup_free(w.lookup);
		return;
	}
	if (a->wants->len >= WANTS_MAX) {
		bypass(item, VTM_WHY_CAP);
		vtm_lookup_free(w.lookup);
		return;
	}
	w.submit = settings->submit_unknown_urls && item->kind == VTM_URL && !item->personal &&
		   w.lookup->key.kind == VTM_LOOKUP_URL;
	vtm_features_of_item(settings->lists, item, w.lookup, &a->features, &w.features);
	g_array_append_val(a->wants, w);
	g_hash_table_insert(a->index, &w.lookup->key, GUINT_TO_POINTER(a->wants->len));
}

/* All wants of the message, in the order of preference. */
static void collect(struct asking *a, const struct vtm_items *items, const struct vtm_scan_settings *settings)
{
	GPtrArray *by[4];

	for (int p = 0; p < 4; p++)
		by[p] = g_ptr_array_new();
	for (guint i = 0; i < items->list->len; i++) {
		struct vtm_item *item = items->list->pdata[i];

		/* items that are not looked up do not count as their host's first URL */
		if (item->wrapper || item->unasked || item->ignored || item->inside)
			g_ptr_array_add(by[0], item);
		else
			g_ptr_array_add(by[preference(a->hosts, item)], item);
	}
	for (int p = 0; p < 4; p++) {
		for (guint i = 0; i < by[p]->len; i++)
			add_want(a, by[p]->pdata[i], settings, p);
		g_ptr_array_free(by[p], TRUE);
	}
}

static void deliver(struct asking *a, struct vtm_items *items, const struct vtm_scan_settings *settings,
		    struct vtm_decision *d)
{
	for (guint i = 0; i < items->list->len; i++) {
		struct vtm_item *item = items->list->pdata[i];
		struct vtm_lookup *l = item->report.reason == VTM_WHY_CAP ? NULL : vtm_scan_lookup_of(item, settings);
		guint at = l ? GPOINTER_TO_UINT(g_hash_table_lookup(a->index, &l->key)) : 0;

		if (at) {
			item->report = g_array_index(a->wants, struct vtm_want, at - 1).report;
			item->points = g_array_index(a->wants, struct vtm_want, at - 1).points;
		}
		vtm_lookup_free(l);
	}
	for (guint i = 0; i < a->wants->len; i++) {
		const struct vtm_want *w = &g_array_index(a->wants, struct vtm_want, i);

		d->cached += w->cached;
		d->asked += !w->cached && w->report.verdict != VTM_BYPASSED;
	}
}

static char *domain_of(const char *sender)
{
	const char *at = sender ? strrchr(sender, '@') : NULL;

	return at && at[1] ? g_ascii_strdown(at + 1, -1) : NULL;
}

/* Does our own server say that the envelope's sender is genuine?  His domain's share is charged only then. */
static bool sender_is_authentic(const struct vtm_heading *heading, const char *sender)
{
	char *domain = domain_of(sender);
	bool genuine = domain && heading->auth_results && vtm_authres_sender_pass(heading->auth_results, domain);

	g_free(domain);
	return genuine;
}

static void ask(struct vtm_resolver *resolver, struct asking *a, const struct vtm_scan_settings *settings,
		const struct vtm_envelope *envelope, int64_t deadline_ms, bool (*progress)(void *), void *progress_arg,
		int64_t progress_ms)
{
	struct vtm_ticket t = { 0 };

	t.wants = (struct vtm_want *)(void *)a->wants->data;
	t.n = a->wants->len;
	t.max_lookups = settings->max_lookups;
	t.known_count = settings->known_count;
	t.deadline_ms = deadline_ms;
	t.features = a->features;
	if (envelope->shares_apply) {
		t.client_net = envelope->client_address ? vtm_net_of(envelope->client_address) : NULL;
		t.sender_domain = domain_of(envelope->sender);
	}
	if (settings->ask)
		settings->ask(settings->ask_arg, &t, progress, progress_arg, progress_ms);
	else
		vtm_resolver_ask(resolver, &t, settings->threshold, progress, progress_arg, progress_ms);
	g_free(t.client_net);
	g_free(t.sender_domain);
}

void vtm_scan_message(struct vtm_resolver *resolver, const struct vtm_scan_settings *settings,
		      const struct vtm_envelope *envelope, struct vtm_spool **spool, const struct vtm_clock *clock,
		      bool (*progress)(void *), void *progress_arg, int64_t progress_ms, struct vtm_decision *d)
{
	int64_t began = vtm_boot_ms(clock);
	struct vtm_extract_settings extract = settings->extract;
	struct vtm_heading heading;
	struct vtm_work work;
	struct asking a;
	char *net = envelope->client_address ? vtm_net_of(envelope->client_address) : NULL;

	memset(d, 0, sizeof(*d));
	vtm_work_begin(&work, clock, settings->read_ms ? began + settings->read_ms : INT64_MAX, VTM_WORK_BYTES);
	work.progress = progress;
	work.progress_arg = progress_arg;
	work.progress_ms = progress_ms;
	extract.work = &work;
	extract.client_net = net;
	d->items = vtm_extract(*spool, &extract, &heading);
	d->message_id = g_steal_pointer(&heading.message_id);
	g_clear_pointer(spool, vtm_spool_free);
	g_free(net);
	a.wants = g_array_new(FALSE, FALSE, sizeof(struct vtm_want));
	a.index = g_hash_table_new(vtm_key_hash, vtm_key_equal);
	a.hosts = g_hash_table_new(g_str_hash, g_str_equal);
	vtm_features_of_message(settings->lists, d->items, &heading, envelope->client_address, &a.features);
	a.features.authenticated = sender_is_authentic(&heading, envelope->sender);
	collect(&a, d->items, settings);
	if (a.wants->len)
		ask(resolver, &a, settings, envelope, began + settings->timeout_ms, progress, progress_arg,
		    progress_ms);
	else if (resolver && !settings->ask)
		vtm_resolver_seen(resolver, &(struct vtm_ticket){ .features = a.features });
	deliver(&a, d->items, settings, d);
	d->tags = vtm_tags_of(d->items);
	d->delay_ms = vtm_boot_ms(clock) - began;
	g_hash_table_destroy(a.hosts);
	g_hash_table_destroy(a.index);
	for (guint i = 0; i < a.wants->len; i++) {
		vtm_item_features_clear(&g_array_index(a.wants, struct vtm_want, i).features);
		vtm_lookup_free(g_array_index(a.wants, struct vtm_want, i).lookup);
	}
	g_array_free(a.wants, TRUE);
	vtm_message_features_clear(&a.features);
	vtm_heading_clear(&heading);
}

void vtm_scan_journal(struct vtm_resolver *resolver, const struct vtm_scan_settings *settings,
		      const struct vtm_envelope *envelope, const struct vtm_decision *d, int64_t size, int64_t utc_ms)
{
	struct vtm_journal_message *m = g_new0(struct vtm_journal_message, 1);
	guint n = d->items->list->len;
	struct vtm_journal_item *items = g_new0(struct vtm_journal_item, n);
	GHashTable *hosts;
	bool pending = false;

	m->queue_id = g_strdup(envelope->queue_id);
	m->message_id = g_strdup(d->message_id);
	m->sender = g_strdup(envelope->sender);
	m->recipients = g_strdupv((char **)(uintptr_t)envelope->recipients);
	m->client = envelope->client_address ? vtm_net_of(envelope->client_address) : NULL;
	m->time_ms = utc_ms;
	m->size = size;
	m->tags = m->tags_delivered = vtm_tags_to_keep(d->items, d->tags);
	hosts = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < n; i++) {
		struct vtm_item *item = vtm_item_copy(d->items->list->pdata[i]);
		struct vtm_report report = item->report;
		struct vtm_lookup *l = vtm_scan_lookup_of(item, settings);

		item->report = report;
		items[i].item = item;
		if (l) {
			items[i].has_key = true;
			items[i].key = l->key;
			items[i].points = item->points;
			items[i].why = vtm_class_why(class_of(preference(hosts, item)));
			vtm_lookup_free(l);
		}
		if (vtm_verdict_is_answer(report.verdict))
			items[i].answered_ms = utc_ms;
		pending = pending || report.verdict == VTM_PENDING;
	}
	g_hash_table_destroy(hosts);
	m->done_ms = pending ? 0 : utc_ms;
	vtm_resolver_journal(resolver, m, items, n);
}
