/* SPDX-License-Identifier: BSD-2-Clause */
/* progress.h - what commands that take long show on a terminal, and how ^C stops them.
 *
 * The bar is one line of standard error, where that is a terminal, however narrow.  One thread.
 */
#ifndef VTM_PROGRESS_H
#define VTM_PROGRESS_H

#include <signal.h>
#include <stdbool.h>

#define VTM_CTL_INTERRUPTED (128 + SIGINT)	/* the exit status then, as shells say it */

struct vtm_ctl_bar {
	bool on;		/* it may be drawn */
	bool shown;
	unsigned done, total;
};

/* Standard error is a terminal that takes escapes. */
bool vtm_ctl_bar_possible(void);
/* Draws the bar with <text> behind it, such as "3/10, 1 bad". */
void vtm_ctl_bar_draw(struct vtm_ctl_bar *b, const char *text);
/* Before anything else is written. */
void vtm_ctl_bar_clear(struct vtm_ctl_bar *b);

/* The first ^C only sets what vtm_ctl_interrupted() says; the second ends the program, as without this. */
void vtm_ctl_catch_interrupt(void);
bool vtm_ctl_interrupted(void);

#endif
