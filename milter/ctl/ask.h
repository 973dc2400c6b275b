/* SPDX-License-Identifier: BSD-2-Clause */
/* ask.h - looks items up for vtmilterctl: by the daemon, or by a resolver of its own.
 *
 * If the daemon runs, it is asked on its control socket, which needs membership of its group but no key.  It queues
 * what is not known, and is asked again until it has an answer.  Without a daemon, a resolver works in this process, on
 * the daemon's store and with the key of ApiKeyFile.  Either way budget, cache and leases are shared, and a request
 * counts as manual: it may use ReserveForManual.  Delivered messages get new answers in the journal; late verdicts are
 * left to the daemon.
 */
#ifndef VTM_CTL_ASK_H
#define VTM_CTL_ASK_H

#include "ctl/ctl.h"

#define VTM_CTL_WAIT_MS (2 * 3600 * 1000)	/* the longest wait for the answers of a message */

struct vtm_ctl_asker {
	const struct vtm_ctl *c;
	struct vtm_scan_settings settings;
	struct vtm_ignore *ignore;
	struct vtm_lists *lists;
	bool bulk;			/* these look-ups come after those of mail */
	char *trouble;			/* the last error of the daemon; NULL: none */
	/* without a daemon */
	struct vtm_conf *conf;		/* with the key */
	struct vtm_cache *cache;
	struct vtm_resolver *resolver;	/* NULL: the daemon is asked, or nothing can be looked up */
};

/* -1: <must>, and neither the daemon nor VirusTotal can be asked, or the store cannot be opened.  Without <must> that
 * is only a warning, and everything is bypassed. */
int vtm_ctl_asker_init(struct vtm_ctl_asker *a, const struct vtm_ctl *c, bool must, GError **error);
void vtm_ctl_asker_clear(struct vtm_ctl_asker *a);

/* Looks up all wants of <t> and waits for them, at most until its deadline. */
void vtm_ctl_ask(struct vtm_ctl_asker *a, struct vtm_ticket *t);

/* Makes the daemon, or without it our resolver, copy the stored answer for <lookup> to cache and journal.  -1: neither
 * could. */
int vtm_ctl_reread(const struct vtm_ctl *c, const struct vtm_lookup *lookup, GError **error);

/* Should the program stop after these items, because some could not be looked up and others would fail likewise?
 * EX_OK: no.  Else the exit status; *why_r, new string, says why and when to try again. */
int vtm_ctl_must_stop(struct vtm_ctl_asker *a, struct vtm_item *const *items, size_t n, char **why_r);

#endif
