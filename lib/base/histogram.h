/* SPDX-License-Identifier: BSD-2-Clause */
/* histogram.h - counts durations in fixed steps.  A plain value, not locked. */
#ifndef VTM_HISTOGRAM_H
#define VTM_HISTOGRAM_H

#include <stdint.h>

#define VTM_HISTOGRAM_STEPS 14

/* Upper bounds in ms, ascending: 5 ms to an hour. */
extern const uint32_t vtm_histogram_steps_ms[VTM_HISTOGRAM_STEPS];

struct vtm_histogram {
	uint64_t counts[VTM_HISTOGRAM_STEPS + 1];	/* above the step before, up to this one; last: above all steps */
	uint64_t sum_ms;
};

/* Counts <ms>; a negative time counts as 0. */
void vtm_histogram_add(struct vtm_histogram *h, int64_t ms);

#endif
