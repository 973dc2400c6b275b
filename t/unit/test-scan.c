/* SPDX-License-Identifier: BSD-2-Clause */
/* test-scan.c - which look-up answers an item, under every setting that decides it. */
#include "scan/scan.h"

#include <string.h>

#include "tap.h"

#define HASH "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static const struct vtm_scan_settings usual = { .enabled = true, .attachments = true, .urls = true, .threshold = 2 };

static struct vtm_item *url(void)
{
	struct vtm_item *item = vtm_item_new(VTM_URL, "http://www.example.com/reset?token=1");

	item->host = g_strdup("www.example.com");
	return item;
}

/* "url http://..." or "verdict reason" when nothing is asked. */
static char *asked(struct vtm_item *item, const struct vtm_scan_settings *settings)
{
	struct vtm_lookup *l = vtm_scan_lookup_of(item, settings);
	char *text;

	if (l)
		text = g_strdup_printf("%s %s", vtm_lookup_kind_name((enum vtm_lookup_kind)l->key.kind), l->subject);
	else
		text = g_strdup_printf("%s %s", vtm_verdict_name(item->report.verdict),
				       vtm_reason_name(item->report.reason));
	vtm_lookup_free(l);
	return text;
}

static void is_asked(struct vtm_item *item, const struct vtm_scan_settings *settings, const char *want, const char *what)
{
	char *got = asked(item, settings);

	is_str(got, want, "%s", what);
	g_free(got);
}

static void urls(void)
{
	static const char exact[] = "url http://www.example.com/reset?token=1", host[] = "host www.example.com";
	struct vtm_scan_settings s = usual;
	struct vtm_item *item = url();

	is_asked(item, &s, exact, "guarded: a plain url is asked");
	item->personal = true;
	is_asked(item, &s, host, "guarded: of a personal one only the host");
	s.url_privacy = VTM_PRIVACY_HOST;
	item->personal = false;
	is_asked(item, &s, host, "host: of every url only the host");
	s.url_privacy = VTM_PRIVACY_FULL;
	item->personal = true;
	is_asked(item, &s, exact, "full: a personal one too");
	item->host_only = true;
	is_asked(item, &s, host, "full: but never a url of which only the host is known");
	item->wrapper = true;
	is_asked(item, &s, "bypassed not-asked", "a wrapper is not asked");
	item->wrapper = false;
	item->ignored = true;
	is_asked(item, &s, "ignored none", "nor what is on the lists");
	item->ignored = false;
	s.urls = false;
	is_asked(item, &s, "bypassed disabled", "nor urls when they are turned off");
	vtm_item_free(item);
}

static void attachments(void)
{
	struct vtm_scan_settings s = usual;
	struct vtm_item *item = vtm_item_new(VTM_ATTACHMENT, HASH);

	is_asked(item, &s, "file " HASH, "an attachment by its hash");
	s.urls = false;
	is_asked(item, &s, "file " HASH, "also when urls are turned off");
	s.attachments = false;
	is_asked(item, &s, "bypassed disabled", "not when attachments are");
	s.attachments = true;
	item->unasked = true;
	item->report.reason = VTM_WHY_PARTIAL;
	is_asked(item, &s, "bypassed partial", "an item whose report is final keeps it");
	vtm_item_free(item);
}

int main(void)
{
	urls();
	attachments();
	return done_testing();
}
