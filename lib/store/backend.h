/* SPDX-License-Identifier: BSD-2-Clause */
/* backend.h - what a store backend provides.  Included by lib/store only.
 *
 * Each member does what vtm_store_<member> in store.h says; store.c checks arguments and dispatches.
 */
#ifndef VTM_STORE_BACKEND_H
#define VTM_STORE_BACKEND_H

#include "store/store.h"

struct vtm_store_ops {
	void (*close)(struct vtm_store *);
	int (*begin)(struct vtm_store *, GError **);
	int (*commit)(struct vtm_store *, GError **);
	void (*rollback)(struct vtm_store *);	/* after a call that failed; nothing when none is open; may be NULL */
	int (*verdicts_get)(struct vtm_store *, const struct vtm_key *, size_t, struct vtm_cached *, GError **);
	int (*verdict_put)(struct vtm_store *, const struct vtm_lookup *, const struct vtm_report *, int64_t,
			   GError **);
	int (*verdict_forget)(struct vtm_store *, const struct vtm_key *, GError **);
	int (*verdicts_each)(struct vtm_store *, vtm_verdict_each *, void *, GError **);
	int (*verdicts_expire)(struct vtm_store *, unsigned, GError **);
	int (*budget_take)(struct vtm_store *, const struct vtm_budget_limits *, enum vtm_spender, unsigned,
			   vtm_slot *, GError **);
	int (*budget_settle)(struct vtm_store *, vtm_slot, GError **);
	int (*budget_read)(struct vtm_store *, struct vtm_budget *, GError **);
	int (*budget_raise)(struct vtm_store *, uint32_t, uint32_t, GError **);
	int (*budget_sync)(struct vtm_store *, int64_t, GError **);
	int (*budget_utc)(struct vtm_store *, int64_t *, GError **);
	int (*queue_put)(struct vtm_store *, const struct vtm_queued *, GError **);
	int (*queue_delete)(struct vtm_store *, const struct vtm_key *, GError **);
	int (*queue_load)(struct vtm_store *, unsigned, vtm_queued_each *, void *, GError **);
	int (*lease)(struct vtm_store *, const struct vtm_key *, int64_t, GError **);
	int (*lease_drop)(struct vtm_store *, const struct vtm_key *, GError **);
	int (*lease_end)(struct vtm_store *, const struct vtm_key *, GError **);	/* NULL: as lease_drop */
	/* all three NULL: there is nothing to hear */
	int (*watch)(struct vtm_store *, void (*)(void *), void *, GError **);
	bool (*is_watching)(const struct vtm_store *);
	unsigned (*take_ended)(struct vtm_store *, struct vtm_key *, bool *);
	int (*journal_add)(struct vtm_store *, struct vtm_journal_message *, const struct vtm_journal_item *, size_t,
			   GError **);
	int (*journal_answer)(struct vtm_store *, const struct vtm_key *, const struct vtm_report *,
			      vtm_journal_turned *,
			      void *, GError **);
	int (*journal_list)(struct vtm_store *, const struct vtm_journal_filter *, vtm_journal_each *, void *,
			    GError **);
	int (*journal_find)(struct vtm_store *, const char *, vtm_journal_each *, void *, GError **);
	int (*journal_expire)(struct vtm_store *, int64_t, unsigned, GError **);
	int (*history_get)(struct vtm_store *, const struct vtm_history_key *, size_t, struct vtm_history *, GError **);
	int (*history_note)(struct vtm_store *, const struct vtm_sighting *, size_t, GError **);
	int (*history_put)(struct vtm_store *, const struct vtm_history_key *, const struct vtm_history *, GError **);
	int (*history_each)(struct vtm_store *, vtm_history_each *, void *, GError **);
	int (*history_count)(struct vtm_store *, const struct vtm_history_day *, GError **);
	int (*history_days)(struct vtm_store *, struct vtm_history_day *, size_t, GError **);
	int (*history_expire)(struct vtm_store *, uint16_t, unsigned, unsigned, GError **);
	int (*history_size)(struct vtm_store *, unsigned *, GError **);
	int (*late_add)(struct vtm_store *, const char *, GError **);
	int (*late_due)(struct vtm_store *, unsigned, vtm_late_each *, void *, GError **);
	int (*late_done)(struct vtm_store *, int64_t, GError **);
	int (*late_retry)(struct vtm_store *, int64_t, int64_t, GError **);
	int (*meta_set)(struct vtm_store *, const char *, const char *, GError **);
	int (*meta_get)(struct vtm_store *, const char *, char **, GError **);
	/* sets it where it is not set */
	int (*meta_default)(struct vtm_store *, const char *, const char *, GError **);
};

/* A backend's own struct begins with this. */
struct vtm_store {
	const struct vtm_store_ops *ops;
	bool shared;		/* by several hosts */
	bool read_only;		/* store.c refuses what would change anything */
	const char *warning;	/* as vtm_store_warning(); static */
};

/* How a journalled item stands for an answer that comes.  Stores keep the numbers: SQLite's column open, the scores in
 * Redis' jw<key>. */
enum vtm_journal_open { VTM_OPEN_FINAL, VTM_OPEN_UNKNOWN, VTM_OPEN_UNANSWERED };
enum vtm_journal_open vtm_journal_open(const struct vtm_journal_item *item);

#endif
