/* SPDX-License-Identifier: BSD-2-Clause */
/* work.c - see work.h. */
#include "base/work.h"

#include <string.h>

void vtm_work_begin(struct vtm_work *w, const struct vtm_clock *clock, int64_t deadline_ms, uint64_t bytes)
{
	memset(w, 0, sizeof(*w));
	w->clock = clock;
	w->deadline_ms = deadline_ms;
	w->left = bytes;
	w->unlooked = VTM_WORK_LOOK;
}

bool vtm_work_look(struct vtm_work *w)
{
	int64_t now_ms;

	if (!w)
		return true;
	w->unlooked = VTM_WORK_LOOK;
	if (!w->left || !w->clock)
		return w->left > 0;
	now_ms = vtm_boot_ms(w->clock);
	if (!w->progress_at_ms)
		w->progress_at_ms = now_ms + w->progress_ms;
	if (w->progress && now_ms >= w->progress_at_ms) {
		w->progress_at_ms = now_ms + w->progress_ms;
		if (!w->progress(w->progress_arg))
			vtm_work_end(w);
	}
	if (now_ms >= w->deadline_ms)
		vtm_work_end(w);
	return w->left > 0;
}
