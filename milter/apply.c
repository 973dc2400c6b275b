/* SPDX-License-Identifier: BSD-2-Clause */
/* apply.c - see apply.h. */
#include "apply.h"

#include "base/log.h"
#include "conf/settings.h"
#include "daemon.h"
#include "late.h"
#include "metrics.h"

void vtm_apply_log(const struct vtm_conf *c)
{
	vtm_log_open("vtmilter", (enum vtm_log_format)c->log_format, (enum vtm_severity)c->log_level,
		     c->syslog_facility);
}

/* Logs that a delivered message has since got a bad item. */
static void log_late_bad(void *arg, const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n)
{
	const struct vtm_log_field fields[] = {
		{ "late-verdict", "bad", 0 },
		{ "message-id", m->message_id ? m->message_id : "", 0 },
		{ NULL, NULL, 0 }
	};

	(void)arg;
	(void)items;
	(void)n;
	vtm_log_event(VTM_LOG_WARNING, m->queue_id ? m->queue_id : "NOQUEUE", fields);
}

void vtm_apply_memory(const struct vtm_conf *c)
{
	if (!vtm_daemon.collecting) {
		vtm_daemon.collecting = vtm_share_new(vtm_daemon.clock, 0);
		vtm_daemon.reading = vtm_share_new(vtm_daemon.clock, 0);
	}
	vtm_share_set_max(vtm_daemon.collecting, c->max_memory / 2);
	vtm_share_set_max(vtm_daemon.reading, c->max_memory - c->max_memory / 2);
}

int vtm_apply_resolver(const struct vtm_conf *c, GError **error)
{
	struct vtm_resolver *resolver = vtm_daemon_resolver();
	struct vtm_resolver_settings s;

	if (!c->enabled)
		return 0;
	vtm_settings_resolver(c, vtm_daemon.clock, vtm_daemon.cache, &s);
	s.turned_bad = log_late_bad;
	s.late = c->late_verdict_command ? vtm_late_run : NULL;
	s.arg = vtm_daemon.late;
	if (resolver) {
		if (vtm_resolver_configure(resolver, &s, error))
			return -1;
		vtm_resolver_retry_now(resolver);
		return 0;
	}
	resolver = vtm_resolver_new(&s, error);
	g_atomic_pointer_set(&vtm_daemon.resolver, resolver);
	return resolver ? 0 : -1;
}

void vtm_apply_metrics(const struct vtm_conf *c)
{
	GError *error = NULL;

	if (vtm_metrics_listen(c->metrics_listen, &error) < 0) {
		vtm_log(VTM_LOG_ERROR, "%s", error->message);
		g_error_free(error);
	}
}
