/* SPDX-License-Identifier: BSD-2-Clause */
/* signals.c - see signals.h. */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* The signals that vtmilter handles. */
static const int handled[] = { SIGHUP, SIGUSR1, SIGTERM, SIGINT };

/* A pipe of signal numbers, written by the handler and read by vtm_signals_next(). */
static int signals_in = -1, signals_out = -1;

static void note_signal(int sig)
{
	int saved = errno;
	char c = (char)sig;

	if (write(signals_in, &c, 1) < 0)
		errno = saved;	/* a full pipe holds signals enough */
}

static void mask_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < G_N_ELEMENTS(handled); i++)
		sigaddset(&set, handled[i]);
	pthread_sigmask(how, &set, NULL);
}

void vtm_signals_block(void)
{
	mask_signals(SIG_BLOCK);
}

void vtm_signals_unblock(void)
{
	mask_signals(SIG_UNBLOCK);
}

int vtm_signals_init(GError **error)
{
	const struct sigaction action = { .sa_handler = note_signal, .sa_flags = SA_RESTART | SA_NODEFER };
	int fds[2];

	if (!g_unix_open_pipe(fds, FD_CLOEXEC, error))
		return -1;
	signals_out = fds[0];
	signals_in = fds[1];
	g_unix_set_fd_nonblocking(signals_out, TRUE, NULL);
	g_unix_set_fd_nonblocking(signals_in, TRUE, NULL);
	vtm_signals_block();
	for (size_t i = 0; i < G_N_ELEMENTS(handled); i++)
		sigaction(handled[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

int vtm_signals_next(int64_t wait_ms)
{
	GPollFD p = { .fd = signals_out, .events = G_IO_IN };
	char sig;

	while (read(signals_out, &sig, 1) != 1)
		if (g_poll(&p, 1, wait_ms < 0 ? -1 : (gint)MIN(wait_ms, G_MAXINT)) == 0)
			return 0;
	return sig;
}
