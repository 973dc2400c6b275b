/* SPDX-License-Identifier: BSD-2-Clause */
/* cache.c - vtmilterctl cache: shows or drops the stored answer for an item. */
#include "ctl/ctl.h"

#include <stdio.h>
#include <string.h>

#include "url/url.h"

/* Parses 64 hex digits (a file), a URL or "host:NAME".  New; NULL: it is none of them. */
static struct vtm_lookup *parse_subject(const char *word)
{
	struct vtm_lookup *l;
	struct vtm_url *u;
	char *text;

	if (strlen(word) == 64 && strspn(word, G_CSET_DIGITS "abcdefABCDEF") == 64) {
		text = g_ascii_strdown(word, -1);
		l = vtm_lookup_new(VTM_LOOKUP_FILE, text);
		g_free(text);
		return l;
	}
	if (g_str_has_prefix(word, "host:")) {
		text = vtm_host_normal(word + strlen("host:"), -1);
		l = text ? vtm_lookup_new(VTM_LOOKUP_HOST, text) : NULL;
		g_free(text);
		return l;
	}
	u = vtm_url_parse(word, -1);
	l = u ? vtm_lookup_new(VTM_LOOKUP_URL, u->normal) : NULL;
	vtm_url_free(u);
	return l;
}

static void put_cached(const struct vtm_ctl *c, const struct vtm_lookup *l, struct vtm_cached *found)
{
	const struct vtm_report *r = &found->report;
	char *stored = c->json ? vtm_ctl_time_json(found->stored_ms) : vtm_ctl_time(found->stored_ms);
	char *expires = c->json ? vtm_ctl_time_json(found->expires_ms) : vtm_ctl_time(found->expires_ms);

	vtm_report_judge(&found->report, c->conf->detection_threshold);
	if (c->json) {
		struct vtm_json *j = vtm_json_new();

		vtm_json_text(j, "kind", vtm_lookup_kind_name((enum vtm_lookup_kind)l->key.kind));
		vtm_json_text(j, "subject", l->subject);
		vtm_ctl_json_report(j, r);
		vtm_json_text(j, "stored", stored);
		vtm_json_text(j, "expires", expires);
		vtm_ctl_put_json(j);
	} else {
		char *verdict = vtm_ctl_verdict(c, r->verdict), *analysed = vtm_ctl_time(r->analysed * 1000);
		char *subject = vtm_ctl_safe(l->subject, 8192);

		vtm_ctl_put(vtm_lookup_kind_name((enum vtm_lookup_kind)l->key.kind), "%s", subject);
		vtm_ctl_put("verdict", "%s", verdict);
		vtm_ctl_put("engines", "%u malicious, %u suspicious, %u harmless, %u undetected of %u", r->malicious,
			    r->suspicious, r->harmless, r->undetected, r->engines);
		vtm_ctl_put("analysed", "%s", analysed);
		vtm_ctl_put("looked up", "%s", stored);
		vtm_ctl_put("kept until", "%s", expires);
		g_free(subject);
		g_free(analysed);
		g_free(verdict);
	}
	g_free(stored);
	g_free(expires);
}

static int show(const struct vtm_ctl *c, struct vtm_store *s, const struct vtm_lookup *l)
{
	struct vtm_cached found = { 0 };
	GError *error = NULL;

	if (vtm_store_verdicts_get(s, &l->key, 1, &found, &error) < 0)
		return vtm_ctl_fail(c, error);
	if (!found.found) {
		vtm_ctl_warn(c, "%s: no answer is stored", l->subject);
		return VTM_CTL_FOUND;
	}
	put_cached(c, l, &found);
	return found.report.verdict == VTM_BAD ? VTM_CTL_FOUND : EX_OK;
}

static int forget(const struct vtm_ctl *c, struct vtm_store *s, const struct vtm_lookup *l)
{
	GError *error = NULL;
	int rc = vtm_store_verdict_forget(s, &l->key, &error);

	if (rc < 0)
		return vtm_ctl_fail(c, error);
	vtm_ctl_daemon_forget(c, &l->key);
	if (rc == 0) {
		vtm_ctl_warn(c, "%s: no answer is stored", l->subject);
		return VTM_CTL_FOUND;
	}
	return EX_OK;
}

int vtm_ctl_cache(struct vtm_ctl *c, int argc, char **argv)
{
	bool forgets = argc > 0 && !strcmp(argv[0], "forget");
	struct vtm_lookup *l;
	struct vtm_store *s;
	GError *error = NULL;
	int status;

	if (argc != 2 || (!forgets && strcmp(argv[0], "show")))
		return vtm_ctl_usage(c, "expected show or forget, and a SHA-256, a URL or host:NAME");
	l = parse_subject(argv[1]);
	if (!l)
		return vtm_ctl_usage(c, "'%s' is not a SHA-256, a URL or host:NAME", argv[1]);
	s = vtm_ctl_store(c, !forgets, &error);
	if (!s)
		status = vtm_ctl_fail(c, error);
	else
		status = forgets ? forget(c, s, l) : show(c, s, l);
	vtm_store_close(s);
	vtm_lookup_free(l);
	return status;
}
