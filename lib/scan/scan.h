/* SPDX-License-Identifier: BSD-2-Clause */
/* scan.h - the whole decision on one message: the façade that milter/ calls.
 *
 * spool -> items -> ignore lists -> what to ask -> resolver -> verdicts -> tags; then the journal.
 */
#ifndef VTM_SCAN_H
#define VTM_SCAN_H

#include "scan/extract.h"
#include "scan/lists.h"
#include "url/privacy.h"
#include "queue/resolver.h"
#include "model/tags.h"

struct vtm_scan_settings {	/* a copy of what vtmilter.conf says, borrowed during a call */
	bool enabled, attachments, urls;
	enum vtm_url_privacy url_privacy;
	bool submit_unknown_urls;
	unsigned max_lookups;
	bool known_count;		/* see struct vtm_ticket */
	uint32_t threshold;
	int64_t timeout_ms;
	int64_t read_ms;		/* reading and unpacking the message end after so long: VT_Bypassed; 0: no deadline */
	bool journal;
	struct vtm_extract_settings extract;
	const struct vtm_lists *lists;	/* what is known of hosts; NULL: nothing */
	/* Who answers a ticket instead of the resolver, with what vtm_resolver_ask() promises; NULL: the resolver. */
	void (*ask)(void *ask_arg, struct vtm_ticket *t, bool (*progress)(void *), void *progress_arg,
		    int64_t progress_ms);
	void *ask_arg;
};

struct vtm_envelope {		/* borrowed during a call; any may be NULL */
	const char *queue_id, *sender, *client_address;
	const char *const *recipients;
	bool shares_apply;		/* false: SkipNetworks and the like have no share of the budget */
};

struct vtm_decision {
	struct vtm_items *items;	/* with final reports */
	uint32_t tags;
	char *message_id;
	unsigned asked, cached;		/* look-ups not answered / answered from the cache */
	int64_t delay_ms;		/* spent waiting */
};
void vtm_decision_clear(struct vtm_decision *d);

/* Decides on the message in *spool, which is freed (and set to NULL) before any waiting.  Never fails: what went
 * wrong is told by the items and the tags.  <progress> as in resolver.h. */
void vtm_scan_message(struct vtm_resolver *resolver, const struct vtm_scan_settings *settings,
		      const struct vtm_envelope *envelope, struct vtm_spool **spool, const struct vtm_clock *clock,
		      bool (*progress)(void *), void *progress_arg, int64_t progress_ms, struct vtm_decision *d);

/* Writes the message into the journal (off the mail's path). */
void vtm_scan_journal(struct vtm_resolver *resolver, const struct vtm_scan_settings *settings,
		      const struct vtm_envelope *envelope, const struct vtm_decision *d, int64_t size, int64_t utc_ms);

/* For vtmilterctl: which look-up answers <item> under these settings; NULL: none is asked (then item->report says
 * why). */
struct vtm_lookup *vtm_scan_lookup_of(struct vtm_item *item, const struct vtm_scan_settings *settings);

#endif
