/* SPDX-License-Identifier: BSD-2-Clause */
/* ctl-ask.h - asking VirusTotal from vtmilterctl: the daemon's own resolver in this process, on the daemon's store.
 *
 * So budget, cache and leases are shared with the daemon; every request is spent as a manual one, which may use the reserve
 * too.  Delivered messages that an answer concerns get it in the journal; a late verdict is left to the daemon to hand out.
 */
#ifndef VTM_CTL_ASK_H
#define VTM_CTL_ASK_H

#include "ctl.h"

#define VTM_CTL_WAIT_MS (2 * 3600 * 1000)	/* what a message's answers may take */

struct vtm_ctl_asker {
	const struct vtm_ctl *c;
	struct vtm_cache *cache;
	struct vtm_resolver *resolver;
	struct vtm_scan_settings settings;
};

/* <need_store>: a store that cannot be opened is an error, else everything is bypassed then. -1: error. */
int vtm_ctl_asker_init(struct vtm_ctl_asker *a, const struct vtm_ctl *c, bool need_store, GError **error);
void vtm_ctl_asker_clear(struct vtm_ctl_asker *a);

/* Must the work stop with these items, since some could not be asked and the next would fare no better?  EX_OK: go on; else
 * the exit status, and *why_r says what and when to try again (new string). */
int vtm_ctl_must_stop(struct vtm_ctl_asker *a, struct vtm_item *const *items, size_t n, char **why_r);

#endif
