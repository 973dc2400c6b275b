/* SPDX-License-Identifier: BSD-2-Clause */
/* serve.c - see serve.h. */
#include "serve.h"

#include <glib.h>
#include <libmilter/mfapi.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon.h"
#include "health.h"
#include "notify.h"
#include "reload.h"
#include "signals.h"

#define STOP_MS 5000
#define DRAIN_MS 3000
#define POLL_MS 20
#define FIRST_BEAT_MS 1000		/* by then the store is open, or cannot be opened */

struct milter_thread {
	GMutex lock;	/* covers ended */
	bool ended;
};

static gpointer run_milter(gpointer arg)
{
	struct milter_thread *m = arg;

	vtm_signals_block();
	smfi_main();
	g_mutex_lock(&m->lock);
	m->ended = true;
	g_mutex_unlock(&m->lock);
	kill(getpid(), SIGTERM);
	return NULL;
}

/* ---- until a signal says stop ---- */

/* Reports our health to the service manager.  No sign of life while the resolver's thread is stuck. */
static void report_health(GString *last)
{
	struct vtm_resolver *resolver = vtm_daemon_resolver();
	struct vtm_resolver_stats stats;
	int64_t now = vtm_boot_ms(vtm_daemon.clock);
	GString *why = g_string_new(NULL);

	if (resolver)
		vtm_resolver_stats(resolver, &stats);
	if (vtm_health(resolver ? &stats : NULL, now, why))
		g_string_assign(why, "well");
	else
		g_strdelimit(g_strchomp(why->str), "\n", ';');
	if (strcmp(why->str, last->str) != 0)
		vtm_notify_status(why->str);
	g_string_assign(last, why->str);
	g_string_free(why, TRUE);
	if (vtm_health_alive(resolver ? &stats : NULL, now))
		vtm_notify_alive();
}

/* Waits for the next signal.  Meanwhile reports our health to a service manager that watches us. */
static int next_signal(void)
{
	int64_t every_ms = vtm_notify_watchdog_ms(), wait_ms = MIN(every_ms, FIRST_BEAT_MS);
	GString *reported = g_string_new(NULL);
	int sig;

	while (!(sig = vtm_signals_next(every_ms ? wait_ms : -1))) {
		report_health(reported);
		wait_ms = every_ms;
	}
	g_string_free(reported, TRUE);
	return sig;
}

/* Returns when it is time to stop.  false: libmilter ended by itself. */
static bool wait_for_stop(struct milter_thread *m, const char *conf_path)
{
	bool ended;

	for (;;) {
		int sig = next_signal();

		if (sig == SIGTERM || sig == SIGINT)
			break;
		vtm_reload(conf_path);
	}
	g_mutex_lock(&m->lock);
	ended = m->ended;
	g_mutex_unlock(&m->lock);
	return !ended;
}

/* ---- stop ---- */

static gpointer stop_milter(gpointer arg)
{
	(void)arg;
	smfi_stop();
	return NULL;
}

static void pause_ms(gulong ms)
{
	g_usleep(ms * 1000);
}

/* Ends the waits for VirusTotal, then gives messages DRAIN_MS to come to their end while libmilter still serves its
 * sessions: after smfi_stop() it serves only those that are inside a callback.  smfi_stop() takes a lock that the
 * listener holds while it polls, for up to 5 s; a connection ends that poll. */
static void stop_sessions(void)
{
	struct vtm_resolver *resolver = vtm_daemon_resolver();
	int64_t start_ms = vtm_boot_ms(vtm_daemon.clock);
	GThread *thread;

	if (resolver)
		vtm_resolver_release_all(resolver);
	while (g_atomic_int_get(&vtm_daemon.open) > 0 && vtm_boot_ms(vtm_daemon.clock) < start_ms + DRAIN_MS)
		pause_ms(POLL_MS);
	vtm_ticker_closing(vtm_daemon.ticker);
	thread = g_thread_new("stop", stop_milter, NULL);
	do {
		vtm_ticker_kick(vtm_daemon.ticker);
		pause_ms(POLL_MS);
	} while (vtm_ticker_staying(vtm_daemon.ticker) && vtm_boot_ms(vtm_daemon.clock) < start_ms + STOP_MS);
	vtm_ticker_kick(vtm_daemon.ticker);
	g_thread_join(thread);
	pause_ms(5 * POLL_MS);	/* the last answers are still being written */
}

int vtm_serve(const char *conf_path)
{
	struct milter_thread m = { .ended = false };
	int status = EX_OK;
	GThread *thread;

	vtm_signals_unblock();
	thread = g_thread_new("milter", run_milter, &m);
	if (wait_for_stop(&m, conf_path)) {
		vtm_log(VTM_LOG_NOTICE, "stopping");
	} else {
		vtm_log(VTM_LOG_ERROR, "libmilter ended by itself; vtmilter stops");
		status = EX_SOFTWARE;
	}
	vtm_notify_stopping();
	stop_sessions();
	g_thread_join(thread);
	return status;
}
