/* SPDX-License-Identifier: BSD-2-Clause */
/* settings.c - see settings.h. */
#include "conf/settings.h"

#include <string.h>

#include "build-config.h"

#define QUEUE_MAX 10000		/* look-ups that may wait for an answer */
#define IN_FLIGHT_MAX 32
#define CONNECT_MS 10000
#define READ_LEAST_MS 2000

void vtm_settings_scan(const struct vtm_conf *c, struct vtm_scan_settings *s)
{
	memset(s, 0, sizeof(*s));
	s->enabled = c->enabled;
	s->attachments = c->scan_attachments;
	s->urls = c->scan_urls;
	s->url_privacy = (enum vtm_url_privacy)c->url_privacy;
	s->submit_unknown_urls = c->submit_unknown_urls;
	s->max_lookups = c->max_lookups_per_message;
	s->threshold = c->detection_threshold;
	s->timeout_ms = c->timeout_ms;
	s->journal = c->journal_retention_ms > 0;
	vtm_extract_defaults(&s->extract);
	s->extract.resource_urls = c->scan_resource_urls;
	s->extract.bare_domains = c->scan_bare_domains;
	if (!c->scan_archives)
		s->extract.archive_members = 0;
	s->extract.pdf = c->scan_pdf;
	/* a decoder takes a while to start on a busy machine, also with a short Timeout */
	s->read_ms = MAX(c->timeout_ms, READ_LEAST_MS);
	s->extract.ignore = c->ignore;
	s->extract.authserv_id = c->authserv_id;
	s->lists = c->lists;
}

void vtm_settings_budget(const struct vtm_conf *c, struct vtm_budget_limits *l)
{
	l->per_minute = vtm_limit_configured(c->requests_per_minute);
	l->per_day = vtm_limit_configured(c->requests_per_day);
	l->per_month = vtm_limit_configured(c->requests_per_month);
	l->reserve_manual = c->requests_per_day ? c->reserve_for_manual : 0;
	l->reserve_attachments = (uint32_t)((uint64_t)c->requests_per_day * c->reserve_for_attachments_percent / 100);
}

void vtm_settings_store(const struct vtm_conf *c, const struct vtm_clock *clock, struct vtm_store_settings *s)
{
	memset(s, 0, sizeof(*s));
	s->clock = clock;
	s->host = g_get_host_name();
	s->password_file = c->store_password_file;
	s->ca_file = c->store_ca_file;
	s->cert_file = c->store_cert_file;
	s->key_file = c->store_key_file;
	s->prefix = c->store_prefix;
}

void vtm_settings_vt(const struct vtm_conf *c, struct vtm_vt_settings *s)
{
	memset(s, 0, sizeof(*s));
	s->base_url = c->api_base_url;
	s->api_key = c->api_key;
	s->ca_file = c->ca_file;
	s->user_agent = PACKAGE_NAME "/" PACKAGE_VERSION " (gzip)";
	s->connect_timeout_ms = CONNECT_MS;
	s->total_timeout_ms = VTM_REQUEST_MAX_MS;
}

void vtm_settings_resolver(const struct vtm_conf *c, const struct vtm_clock *clock, struct vtm_cache *cache,
			   struct vtm_resolver_settings *s)
{
	memset(s, 0, sizeof(*s));
	s->sched.clock = clock;
	s->sched.cache = cache;
	vtm_settings_budget(c, &s->sched.limits);
	s->sched.threshold = c->detection_threshold;
	s->sched.ttl_bad_ms = c->ttl_bad_ms;
	s->sched.ttl_clean_ms = c->ttl_clean_ms;
	s->sched.ttl_unknown_ms = c->ttl_unknown_ms;
	s->sched.max_waiting = c->max_waiting;
	s->sched.max_queue = QUEUE_MAX;
	s->sched.pending_lifetime_ms = c->pending_lifetime_ms;
	s->sched.share_percent = c->sender_share_percent;
	s->sched.by_points = c->order == VTM_ORDER_POINTS;
	s->sched.explore_percent = c->explore_share_percent;
	s->sched.reask_unknown = c->reask_unknown;
	s->sched.max_in_flight = IN_FLIGHT_MAX;
	vtm_settings_vt(c, &s->vt);
	s->store_uri = c->store;
	vtm_settings_store(c, clock, &s->store);
	s->journal_retention_ms = c->journal_retention_ms;
	s->history_retention_ms = c->history_retention_ms;
	s->history_size = c->history_size;
	s->journal_ids_only = c->journal_detail == VTM_JOURNAL_IDS;
}
