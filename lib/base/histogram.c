/* SPDX-License-Identifier: BSD-2-Clause */
/* histogram.c - see histogram.h. */
#include "base/histogram.h"

const uint32_t vtm_histogram_steps_ms[VTM_HISTOGRAM_STEPS] = {
	5, 10, 25, 50, 100, 250, 500, 1000, 5000, 15000, 60000, 120000, 600000, 3600000
};

void vtm_histogram_add(struct vtm_histogram *h, int64_t ms)
{
	uint64_t took = ms > 0 ? (uint64_t)ms : 0;
	unsigned i = 0;

	while (i < VTM_HISTOGRAM_STEPS && took > vtm_histogram_steps_ms[i])
		i++;
	h->counts[i]++;
	h->sum_ms += took;
}
