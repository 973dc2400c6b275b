/* SPDX-License-Identifier: BSD-2-Clause */
/* resolver-store.c - the store comes, goes, and is said to. */
#include "queue/resolver-parts.h"

#include "base/log.h"
#include "store/open/open.h"

#define STORE_RETRY_MS 3000		/* how often a store that failed is opened again */
#define STORE_CALM_MS 5000		/* without a failure, until it is said to work again; doubles for one that */
#define STORE_CALM_MAX_MS 600000	/* comes and goes, and is forgotten after so long */
#define CHORES_MS 60000			/* how often old rows are deleted */
#define CHORES_ROWS 1000		/* at most so many at a time */

void vtm_resolver_store_trouble(struct vtm_resolver *r, const char *what)
{
	int64_t now = vtm_boot_ms(r->clock);

	r->store_trouble_ms = now;
	if (r->store_bad)
		return;
	r->store_bad = true;
	r->store_bad_ms = now;
	r->store_calm_ms = r->store_good_ms && now - r->store_good_ms < STORE_CALM_MAX_MS ?
			   MIN(2 * r->store_calm_ms, STORE_CALM_MAX_MS) : STORE_CALM_MS;
	vtm_log(VTM_LOG_WARNING, "store: %s; nothing is asked until it works again", what);
}

void vtm_resolver_watch_store(struct vtm_resolver *r, const struct vtm_sched_stats *s, int64_t now)
{
	bool failed = s->store_failing || s->store_errors != r->store_errors;

	r->store_errors = s->store_errors;
	if (failed || !r->store) {
		vtm_resolver_store_trouble(r, failed ? s->store_error : r->store_error);
	} else if (r->store_bad && now - r->store_trouble_ms >= r->store_calm_ms) {
		r->store_bad = false;
		r->store_good_ms = now;
		vtm_log(VTM_LOG_NOTICE, "store: works again, after %" G_GINT64_FORMAT " s",
			(r->store_trouble_ms - r->store_bad_ms + 999) / 1000);
	}
}

/* Without that, what others answer is looked for more often. */
static void watch_others(struct vtm_resolver *r)
{
	GError *error = NULL;

	if (vtm_store_watch(r->store, vtm_resolver_wake, r, &error) < 0) {
		vtm_log(VTM_LOG_NOTICE, "store: %s", error->message);
		g_error_free(error);
	}
}

static void tell_concern(struct vtm_resolver *r)
{
	const char *concern = vtm_store_concern(r->store);

	if (concern && !r->store_concern)
		vtm_log(VTM_LOG_WARNING, "store: %s", concern);
	r->store_concern = concern != NULL;
}

void vtm_resolver_open_store(struct vtm_resolver *r, int64_t now)
{
	GError *error = NULL;

	r->store_retry_ms = now + STORE_RETRY_MS;
	r->store = vtm_store_open(r->set.store_uri, &r->set.store, &error);
	if (r->store) {
		r->store_error[0] = '\0';
		tell_concern(r);
		watch_others(r);
	} else {
		vtm_resolver_store_trouble(r, error->message);
		g_strlcpy(r->store_error, error->message, sizeof(r->store_error));
		g_error_free(error);
	}
	if (r->sched)
		vtm_sched_set_store(r->sched, r->store);
}

void vtm_resolver_close_store(struct vtm_resolver *r)
{
	if (r->sched)
		vtm_sched_set_store(r->sched, NULL);
	vtm_store_close(r->store);
	r->store = NULL;
}

void vtm_resolver_mend_store(struct vtm_resolver *r, int64_t now)
{
	struct vtm_sched_stats s;

	if (now < r->store_retry_ms)
		return;
	vtm_sched_stats(r->sched, &s);
	if (r->store && !s.store_failing)
		return;
	if (r->store)
		vtm_resolver_close_store(r);
	g_strlcpy(r->store_error, s.store_error[0] ? s.store_error : "closed", sizeof(r->store_error));
	vtm_resolver_open_store(r, now);
}

void vtm_resolver_chores(struct vtm_resolver *r, int64_t now)
{
	GError *error = NULL;

	if (!r->store || now < r->chores_ms)
		return;
	r->chores_ms = now + CHORES_MS;
	if (vtm_store_verdicts_expire(r->store, CHORES_ROWS, &error) < 0 ||
	    (r->set.journal_retention_ms &&
	     vtm_store_journal_expire(r->store, vtm_utc_ms(r->clock) - r->set.journal_retention_ms, CHORES_ROWS,
				      &error) < 0)) {
		vtm_resolver_store_trouble(r, error->message);
		g_error_free(error);
	}
}
