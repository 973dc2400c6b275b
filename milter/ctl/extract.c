/* SPDX-License-Identifier: BSD-2-Clause */
/* extract.c - vtmilterctl extract: prints the items of messages, without looking them up. */
#include "ctl/ctl.h"

#include <stdio.h>
#include <string.h>

#include "ctl/mailbox.h"
#include "conf/settings.h"

#define TEXT_MAX 8192

struct extraction {
	const struct vtm_ctl *c;
	struct vtm_extract_settings settings;
	const char *temp;
	bool trouble;
};

static void put_json(const struct vtm_mail *mail, const struct vtm_item *item)
{
	struct vtm_json *j = vtm_json_new();

	vtm_json_text(j, "file", mail->file);
	if (mail->number)
		vtm_json_int(j, "number", mail->number);
	vtm_ctl_json_identity(j, item);
	if (item->kind == VTM_ATTACHMENT) {
		vtm_json_int(j, "depth", item->depth);
		vtm_json_texts(j, "via", (const char *const *)item->via);
		vtm_json_text(j, "note", item->note);
	} else {
		vtm_json_texts(j, "via", (const char *const *)item->via);
		vtm_json_text(j, "from", item->from);
		vtm_json_bool(j, "private", item->personal);
		vtm_json_bool(j, "ignored", item->ignored || item->inside);
		vtm_json_bool(j, "inside", item->inside);
		vtm_json_bool(j, "wrapper", item->wrapper);
		vtm_json_text(j, "note", item->note);
	}
	vtm_ctl_put_json(j);
}

static void put_text(const struct vtm_item *item)
{
	char *subject = vtm_ctl_safe(item->subject, TEXT_MAX);

	if (item->kind == VTM_ATTACHMENT) {
		char *name = vtm_ctl_safe(item->name, 200), *type = vtm_ctl_safe(item->type, 100);

		printf("    attachment %s %" G_GINT64_FORMAT " %s %s%s%s\n", subject, item->size, type, name,
		       item->note ? "; " : "", item->note ? item->note : "");
		g_free(name);
		g_free(type);
	} else {
		printf("    url %-8s %s%s%s%s%s%s%s\n", vtm_role_name(item->role), subject,
		       item->personal ? "; private" : "", item->ignored ? "; ignored" : "",
		       item->inside ? "; inside" : "", item->wrapper ? "; wrapper" : "", item->note ? "; " : "",
		       item->note ? item->note : "");
	}
	g_free(subject);
}

static void tell_flags(const struct vtm_ctl *c, const char *label, const struct vtm_items *items)
{
	if (items->unparsable)
		vtm_ctl_warn(c, "%s: cannot be read as a message", label);
	if (items->capped)
		vtm_ctl_warn(c, "%s: a limit was reached; there may be more items", label);
	if (items->no_memory)
		vtm_ctl_warn(c, "%s: not enough memory to read all of it", label);
	if (items->undecoded)
		vtm_ctl_warn(c, "%s: a part could not be decoded", label);
	if (items->ambiguous)
		vtm_ctl_warn(c, "%s: its MIME can be read in several ways, and not all are shown", label);
	if (items->partial)
		vtm_ctl_warn(c, "%s: part of its content is elsewhere", label);
}

static bool extract_one(const struct vtm_mail *mail, void *arg)
{
	struct extraction *x = arg;
	GError *error = NULL;
	struct vtm_spool *spool = vtm_mail_spool(mail, x->temp, &error);
	char *label = vtm_mail_label(mail), *safe = vtm_ctl_safe(label, TEXT_MAX);
	struct vtm_items *items;

	if (!spool) {
		vtm_ctl_warn(x->c, "%s", error->message);
		g_error_free(error);
		x->trouble = true;
		goto out;
	}
	if (vtm_spool_broken(spool)) {
		vtm_ctl_warn(x->c, "%s: no space left in %s", label, x->temp);
		x->trouble = true;
		goto out;
	}
	items = vtm_extract(spool, &x->settings, NULL);
	if (!x->c->json)
		printf("%s: %u item%s\n", safe, items->list->len, items->list->len == 1 ? "" : "s");
	for (guint i = 0; i < items->list->len; i++)
		if (x->c->json)
			put_json(mail, items->list->pdata[i]);
		else
			put_text(items->list->pdata[i]);
	tell_flags(x->c, label, items);
	vtm_items_free(items);
out:
	vtm_spool_free(spool);
	g_free(safe);
	g_free(label);
	return true;
}

static void unreadable(const char *file, const char *why, void *arg)
{
	struct extraction *x = arg;

	(void)file;
	vtm_ctl_warn(x->c, "%s", why);
	x->trouble = true;
}

bool vtm_ctl_read_lists(const struct vtm_conf *conf, struct vtm_ignore *ignore, GError **error)
{
	for (unsigned i = 0; conf->ignored_domains && conf->ignored_domains[i]; i++)
		if (vtm_ignore_add_domains(ignore, conf->ignored_domains[i], error) < 0)
			return false;
	for (unsigned i = 0; conf->ignored_hashes && conf->ignored_hashes[i]; i++)
		if (vtm_ignore_add_hashes(ignore, conf->ignored_hashes[i], error) < 0)
			return false;
	return true;
}

bool vtm_ctl_read_hosts(const struct vtm_conf *conf, struct vtm_lists *lists, GError **error)
{
	return vtm_lists_read(lists, conf->list_directory ? conf->list_directory : PKGDATADIR, error) >= 0;
}

int vtm_ctl_extract(struct vtm_ctl *c, int argc, char **argv)
{
	struct extraction x = { .c = c, .temp = g_get_tmp_dir() };
	struct vtm_ignore *ignore = vtm_ignore_new();
	struct vtm_scan_settings scan;
	GError *error = NULL;
	int status = EX_OK;

	if (!argc) {
		status = vtm_ctl_usage(c, "expected a FILE (- is standard input)");
		goto out;
	}
	vtm_extract_defaults(&x.settings);
	if (c->conf) {
		if (!vtm_ctl_read_lists(c->conf, ignore, &error)) {
			status = vtm_ctl_fail(c, error);
			goto out;
		}
		vtm_settings_scan(c->conf, &scan);
		x.settings = scan.extract;
		x.temp = c->conf->temp_directory;
	}
	x.settings.ignore = ignore;
	x.settings.decoders = c->decoders;
	x.settings.resource_urls = x.settings.resource_urls || c->resources;
	for (int i = 0; i < argc; i++)
		if (vtm_mailbox_walk(argv[i], extract_one, &x, unreadable, &error) < 0) {
			status = vtm_ctl_fail(c, error);
			error = NULL;
		}
	if (status == EX_OK && x.trouble)
		status = EX_UNAVAILABLE;
out:
	vtm_ignore_free(ignore);
	return status;
}
