/* SPDX-License-Identifier: BSD-2-Clause */
/* ask.h - asking VirusTotal from vtmilterctl.
 *
 * A daemon that runs is asked by its control socket, which needs membership of its group but no key: it queues what is
 * not known, and is asked again until it knows.  Without a daemon its own resolver works in this process, on its store,
 * with the key of ApiKeyFile.  Either way budget, cache and leases are shared, and every request is spent as a manual
 * one, which may use the reserve too.  Delivered messages that an answer concerns get it in the journal; a late verdict
 * is left to the daemon.
 */
#ifndef VTM_CTL_ASK_H
#define VTM_CTL_ASK_H

#include "ctl/ctl.h"

#define VTM_CTL_WAIT_MS (2 * 3600 * 1000)	/* what a message's answers may take */

struct vtm_ctl_asker {
	const struct vtm_ctl *c;
	struct vtm_scan_settings settings;
	struct vtm_ignore *ignore;
	struct vtm_lists *lists;
	bool bulk;			/* what is asked comes after mail */
	char *trouble;			/* what the daemon said last when it could not be asked, NULL: nothing */
	/* without a daemon */
	struct vtm_conf *conf;		/* with the key */
	struct vtm_cache *cache;
	struct vtm_resolver *resolver;	/* NULL: the daemon is asked, or nobody can be */
};

/* <must>: that neither the daemon nor VirusTotal can be asked, or the store not opened, is an error; else it is told
 * and everything is bypassed. -1: error. */
int vtm_ctl_asker_init(struct vtm_ctl_asker *a, const struct vtm_ctl *c, bool must, GError **error);
void vtm_ctl_asker_clear(struct vtm_ctl_asker *a);

/* Asks for all wants of <t> and waits, at most until its deadline. */
void vtm_ctl_ask(struct vtm_ctl_asker *a, struct vtm_ticket *t);

/* <lookup> got an answer, which is in the store: the daemon, or without it our resolver, gives it to cache and journal.
 * -1: the journal could not be told. */
int vtm_ctl_reread(const struct vtm_ctl *c, const struct vtm_lookup *lookup, GError **error);

/* Must the work stop with these items, since some could not be asked and the next would fare no better?  EX_OK: go on;
 * else the exit status, and *why_r says what and when to try again (new string). */
int vtm_ctl_must_stop(struct vtm_ctl_asker *a, struct vtm_item *const *items, size_t n, char **why_r);

#endif
