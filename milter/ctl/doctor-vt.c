/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor-vt.c - vtmilterctl doctor: VirusTotal, the key, the clock. */
#include <string.h>

#include "ctl/doctor-parts.h"
#include "vt/vt.h"

#define CLOCK_OFF_MS 60000	/* a larger error could put requests on the wrong UTC day */
#define OTHERS_LEAST 10		/* so many more requests in VirusTotal's count than in ours mean another user of the key */

/* ---- limits ---- */

static void check_limit(struct vtm_doctor *d, const char *directive, uint32_t configured, int64_t allowed)
{
	char *fix = vtm_doctor_line(d->conf_path, "%s %" G_GINT64_FORMAT, directive, allowed);

	if (allowed >= 0 && (!configured || configured > allowed))
		vtm_doctor_problem(d, "limits", g_steal_pointer(&fix), "%s is %u, but the key allows %" G_GINT64_FORMAT,
				   directive, configured, allowed);
	else if (configured < allowed)
		vtm_doctor_note(d, "limits", g_steal_pointer(&fix), "%s is %u, the key allows %" G_GINT64_FORMAT, directive,
				configured, allowed);
	else if (allowed >= 0)
		vtm_doctor_fine(d, "limits", "%s is what the key allows: %u", directive, configured);
	g_free(fix);
}

/* Does another program use the same key?  VirusTotal counts its requests, too. */
static void check_others(struct vtm_doctor *d, const struct vtm_quota *day)
{
	GError *error = NULL;
	struct vtm_store *s = vtm_ctl_store(d->c, true, &error);
	struct vtm_budget b;

	vtm_budget_init(&b);
	if (s && !vtm_store_budget_read(s, &b, &error) && day->allowed >= 0 &&
	    day->used > (int64_t)b.day_used + OTHERS_LEAST + (int64_t)b.day_used / 10)
		vtm_doctor_note(d, "key", NULL, "VirusTotal counts %" G_GINT64_FORMAT " requests today, and vtmilter sent %u: "
				"another program or host uses the same key", day->used, (unsigned)b.day_used);
	if (day->allowed > 0 && day->used >= day->allowed)
		vtm_doctor_note(d, "limits", NULL, "today's requests are used up; the next day begins at 00:00 UTC");
	g_clear_error(&error);	/* check "store" reports it */
	vtm_budget_clear(&b);
	vtm_store_close(s);
}

static void check_limits(struct vtm_doctor *d, const struct vtm_result *r)
{
	const struct vtm_conf *c = d->conf;

	/* VirusTotal reports it per hour */
	if (r->hourly.allowed > 0 &&
	    (!c->requests_per_minute || c->requests_per_minute > (r->hourly.allowed + 59) / 60))
		vtm_doctor_problem(d, "limits", vtm_doctor_line(d->conf_path, "RequestsPerMinute %" G_GINT64_FORMAT,
								(r->hourly.allowed + 59) / 60),
				   "RequestsPerMinute is %u, but the key allows %" G_GINT64_FORMAT " an hour",
				   c->requests_per_minute, r->hourly.allowed);
	check_limit(d, "RequestsPerDay", c->requests_per_day, r->daily.allowed);
	check_limit(d, "RequestsPerMonth", c->requests_per_month, r->monthly.allowed);
	check_others(d, &r->daily);
}

/* ---- TLS and the clock ---- */

static void check_clock(struct vtm_doctor *d, int64_t server_ms)
{
	int64_t off = vtm_utc_ms(d->c->clock) - server_ms;

	if (!server_ms)
		vtm_doctor_note(d, "clock", NULL, "VirusTotal's answer had no time to compare with");
	else if (off > CLOCK_OFF_MS || off < -CLOCK_OFF_MS)
		vtm_doctor_problem(d, "clock", vtm_doctor_run("timedatectl set-ntp true"),
				   "this host's clock is %" G_GINT64_FORMAT " s %s VirusTotal's",
				   (off < 0 ? -off : off) / 1000, off > 0 ? "ahead of" : "behind");
	else
		vtm_doctor_fine(d, "clock", "within a minute of VirusTotal's");
}

static char *ca_fix(const struct vtm_doctor *d)
{
	/* CAFile replaces the system's authorities */
	if (d->conf->ca_file)
		return vtm_doctor_line(d->conf_path, "CAFile /etc/ssl/certs/ca-certificates.crt");
	return vtm_doctor_line(d->conf_path, "CAFile /path/to/the/authority/of/your/proxy.pem");
}

static void check_tls(struct vtm_doctor *d, enum vtm_tls_fault fault)
{
	const char *url = d->conf->api_base_url;

	switch (fault) {
	case VTM_TLS_FINE:
		vtm_doctor_fine(d, "tls", "the certificate of %s is valid", url);
		break;
	case VTM_TLS_UNTRUSTED:
		vtm_doctor_problem(d, "tls", ca_fix(d), "the certificate of %s is not signed by an authority in %s", url,
				   d->conf->ca_file ? d->conf->ca_file : "the system's list (package ca-certificates)");
		break;
	case VTM_TLS_EXPIRED:
	case VTM_TLS_NOT_YET:
		vtm_doctor_problem(d, "tls", vtm_doctor_run("timedatectl set-ntp true"),
				   "the certificate of %s %s: is this host's clock right?", url, fault == VTM_TLS_EXPIRED ?
				   "has expired" : "is not valid yet");
		break;
	case VTM_TLS_NAME:
		vtm_doctor_problem(d, "tls", vtm_doctor_line(d->conf_path, "ApiBaseURL https://www.virustotal.com/api/v3"),
				   "the certificate of %s belongs to another host", url);
		break;
	case VTM_TLS_OTHER:
		vtm_doctor_problem(d, "tls", vtm_doctor_run("curl -sv %s/", url), "the certificate of %s is not valid", url);
		break;
	case VTM_TLS_CA_FILE:
		vtm_doctor_problem(d, "tls", ca_fix(d), "CAFile %s cannot be read or contains no certificate",
				   d->conf->ca_file ? d->conf->ca_file : "");
		break;
	}
}

/* ---- the answer ---- */

static void check_reply(struct vtm_doctor *d, const struct vtm_result *r)
{
	switch (r->answer) {
	case VTM_ANSWER_QUOTAS:
		vtm_doctor_fine(d, "key", "accepted by %s", d->conf->api_base_url);
		check_limits(d, r);
		break;
	case VTM_ANSWER_DENIED:
		vtm_doctor_problem(d, "key", vtm_doctor_run("editor %s", d->conf->api_key_file ? d->conf->api_key_file :
							    "/etc/vtmilter/api.key"),
				   "VirusTotal refuses it (%s)", r->why ? r->why : "without a reason");
		break;
	case VTM_ANSWER_QUOTA:
		vtm_doctor_note(d, "key", NULL, "VirusTotal accepts no request now (%s); try again in a minute",
				r->why ? r->why : "429");
		break;
	default:	/* network, or a proxy's page: the text says which */
		if (r->tls == VTM_TLS_FINE)
			vtm_doctor_problem(d, "reach", vtm_doctor_run("curl -sv %s/", d->conf->api_base_url),
					   "%s gives no usable answer: %s", d->conf->api_base_url, r->why ? r->why : "?");
	}
	if (r->tls != VTM_TLS_FINE || (r->status && g_str_has_prefix(d->conf->api_base_url, "https:")))
		check_tls(d, r->tls);
	if (r->status)
		check_clock(d, r->server_utc_ms);
}

void vtm_doctor_virustotal(struct vtm_doctor *d)
{
	struct vtm_result r = { 0 };
	GError *error = NULL;

	if (!d->conf->enabled) {
		vtm_doctor_note(d, "key", vtm_doctor_line(d->conf_path, "Enabled yes"), "Enabled is no: nothing is looked up");
		return;
	}
	if (!d->conf->api_key)
		return;		/* reported already */
	if (vtm_ctl_ask_quotas(d->c, d->conf, &r, &error) < 0) {
		vtm_doctor_problem(d, "reach", vtm_doctor_run("curl -sv %s/", d->conf->api_base_url), "%s", error->message);
		g_error_free(error);
		return;
	}
	check_reply(d, &r);
	vtm_result_clear(&r);
}
