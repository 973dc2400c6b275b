/* SPDX-License-Identifier: BSD-2-Clause */
/* progress.c - a bar on standard error, and ^C. */
#include "ctl/progress.h"

#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_WIDTH 30

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

void vtm_ctl_catch_interrupt(void)
{
	struct sigaction a = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND | SA_RESTART };

	sigemptyset(&a.sa_mask);
	sigaction(SIGINT, &a, NULL);
}

bool vtm_ctl_interrupted(void)
{
	return interrupted;
}

bool vtm_ctl_bar_possible(void)
{
	return isatty(STDERR_FILENO) && g_strcmp0(g_getenv("TERM"), "dumb");
}

/* Columns of the terminal. */
static int width(void)
{
	struct winsize w = { 0 };

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80;
}

void vtm_ctl_bar_clear(struct vtm_ctl_bar *b)
{
	if (b->shown)
		fputs("\r\033[K", stderr);
	b->shown = false;
}

/* On one line, however narrow: a bar that wraps could not be cleared. */
void vtm_ctl_bar_draw(struct vtm_ctl_bar *b, const char *text)
{
	int room, full;

	if (!b->on)
		return;
	room = MIN(width() - 1 - (int)strlen(text) - 3, BAR_WIDTH);
	fputs("\r\033[K", stderr);
	if (room > 0) {
		full = b->total ? (int)MIN((uint64_t)b->done * (uint64_t)room / b->total, (uint64_t)room) : 0;
		fprintf(stderr, "[%.*s%*s] ", full, "##############################", room - full, "");
	}
	fprintf(stderr, "%.*s", MAX(width() - 1, 1), text);
	fflush(stderr);
	b->shown = true;
}
