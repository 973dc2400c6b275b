/* SPDX-License-Identifier: BSD-2-Clause */
/* sim-stream.h - days of recorded mail through the scheduler: how many bad messages are caught.
 *
 * One message a line, in order of time, tab between: second; class; campaign (0: not bad); From domain; envelope domain;
 * client network; four digits (DMARC passed, List-Unsubscribe, HTML form, urgent words); items with a space between:
 * id,host,domain,flags (flags in hexadecimal, below; the domain of an attachment is its type).  Names are numbers.
 */
#ifndef SIM_STREAM_H
#define SIM_STREAM_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/budget.h"

enum stream_policy {
	STREAM_POINTS,		/* Order points */
	STREAM_CLASS,		/* Order class */
	STREAM_FIFO,		/* one class: first in, first out */
	STREAM_RANDOM,		/* everything by lot */
	STREAM_ORACLE		/* asks nothing but what is bad: the ceiling */
};

struct stream_options {
	const char *file;		/* plain or .xz */
	enum stream_policy policy;
	int64_t timeout_ms;
	struct vtm_budget_limits limits;
	unsigned max_waiting, share_percent, explore_percent;
	unsigned first_day, last_day;	/* measured: the first, and the first that is not; last 0: the last that is whole */
	unsigned one_in;		/* replays one message of so many */
	guint32 seed;
	bool verbose;
};

bool stream_policy_parse(const char *word, enum stream_policy *policy_r);
/* Replays the stream and prints what was caught.  Returns the exit status. */
int stream_run(const struct stream_options *o);

#endif
