/* SPDX-License-Identifier: BSD-2-Clause */
/* storage.c - keeps the store open. */
#include "queue/storage.h"

#include "base/log.h"
#include "store/open/open.h"

#define RETRY_MS 3000		/* between two tries to open a store that fails */
#define CALM_MS 5000		/* without a failure before the log says that it works again; doubles for a store that */
#define CALM_MAX_MS 600000	/* comes and goes, up to this; such a store counts as a new one after as long */

struct vtm_storage {
	struct vtm_storage_settings set;
	char *uri;
	struct vtm_store_settings settings;	/* a copy */
	struct vtm_store *store;
	int64_t retry_ms;
	char error[200];
	bool warned;			/* the log has the store's warning */
	/* outages, as the log has them */
	bool bad;
	int64_t bad_ms, trouble_ms, good_ms, calm_ms;
	uint64_t errors;		/* of the scheduler's that were seen */
};

struct vtm_storage *vtm_storage_new(const struct vtm_storage_settings *set)
{
	struct vtm_storage *st = g_new0(struct vtm_storage, 1);

	st->set = *set;
	return st;
}

void vtm_storage_free(struct vtm_storage *st)
{
	if (!st)
		return;
	vtm_store_close(st->store);
	vtm_store_settings_clear(&st->settings);
	g_free(st->uri);
	g_free(st);
}

struct vtm_store *vtm_storage_store(const struct vtm_storage *st)
{
	return st->store;
}

const char *vtm_storage_error(const struct vtm_storage *st)
{
	return st->error;
}

void vtm_storage_note_failure(struct vtm_storage *st, const char *what)
{
	int64_t now = vtm_boot_ms(st->set.clock);

	st->trouble_ms = now;
	if (st->bad)
		return;
	st->bad = true;
	st->bad_ms = now;
	st->calm_ms = st->good_ms && now - st->good_ms < CALM_MAX_MS ? MIN(2 * st->calm_ms, CALM_MAX_MS) : CALM_MS;
	vtm_log(VTM_LOG_WARNING, "store: %s; no request is sent and mail is tagged VT_Bypassed until it works again", what);
}

void vtm_storage_note_stats(struct vtm_storage *st, const struct vtm_sched_stats *s)
{
	bool failed = s->store_failing || s->store_errors != st->errors;
	int64_t now = vtm_boot_ms(st->set.clock);

	st->errors = s->store_errors;
	if (failed || !st->store) {
		vtm_storage_note_failure(st, failed ? s->store_error : st->error);
	} else if (st->bad && now - st->trouble_ms >= st->calm_ms) {
		st->bad = false;
		st->good_ms = now;
		vtm_log(VTM_LOG_NOTICE, "store: works again, after %" G_GINT64_FORMAT " s",
			(st->trouble_ms - st->bad_ms + 999) / 1000);
	}
}

static void log_warning(struct vtm_storage *st)
{
	const char *warning = vtm_store_warning(st->store);

	if (warning && !st->warned)
		vtm_log(VTM_LOG_WARNING, "store: %s", warning);
	st->warned = warning != NULL;
}

/* A store that cannot be watched is read more often instead. */
static void watch(struct vtm_storage *st)
{
	GError *error = NULL;

	if (vtm_store_watch(st->store, st->set.wake, st->set.arg, &error) < 0) {
		vtm_log(VTM_LOG_NOTICE, "store: %s", error->message);
		g_error_free(error);
	}
}

static void open_store(struct vtm_storage *st)
{
	GError *error = NULL;

	st->retry_ms = vtm_boot_ms(st->set.clock) + RETRY_MS;
	st->store = vtm_store_open(st->uri, &st->settings, &error);
	if (st->store) {
		st->error[0] = '\0';
		log_warning(st);
		watch(st);
	} else {
		vtm_storage_note_failure(st, error->message);
		g_strlcpy(st->error, error->message, sizeof(st->error));
		g_error_free(error);
	}
	st->set.changed(st->set.arg, st->store);
}

static void close_store(struct vtm_storage *st)
{
	if (!st->store)
		return;
	st->set.changed(st->set.arg, NULL);
	vtm_store_close(st->store);
	st->store = NULL;
}

void vtm_storage_configure(struct vtm_storage *st, const char *uri, const struct vtm_store_settings *settings)
{
	if (st->uri && !g_strcmp0(st->uri, uri) && vtm_store_settings_equal(&st->settings, settings))
		return;
	close_store(st);
	g_free(st->uri);
	st->uri = g_strdup(uri);
	vtm_store_settings_clear(&st->settings);
	vtm_store_settings_copy(&st->settings, settings);
	open_store(st);
}

void vtm_storage_mend(struct vtm_storage *st, const struct vtm_sched_stats *s)
{
	if (vtm_boot_ms(st->set.clock) < st->retry_ms || (st->store && !s->store_failing))
		return;
	close_store(st);
	g_strlcpy(st->error, s->store_error[0] ? s->store_error : "closed", sizeof(st->error));
	open_store(st);
}
