/* SPDX-License-Identifier: BSD-2-Clause */
/* storage.h - keeps the store open: opens it, reopens one that fails, and logs when it fails and when it works again.
 *
 * One thread.  The log has one line when the store begins to fail and one when it works again, not one a call.
 */
#ifndef VTM_STORAGE_H
#define VTM_STORAGE_H

#include "queue/sched.h"
#include "store/store.h"

struct vtm_storage_settings {
	const struct vtm_clock *clock;
	/* <store> is used from now on; NULL: none can be reached */
	void (*changed)(void *arg, struct vtm_store *store);
	/* another host ended a look-up (vtm_store_watch()); called in a thread of the store's */
	void (*wake)(void *arg);
	void *arg;
};

struct vtm_storage;

/* Without a store until vtm_storage_configure(). */
struct vtm_storage *vtm_storage_new(const struct vtm_storage_settings *set);
/* Closes the store; does not call changed(). */
void vtm_storage_free(struct vtm_storage *st);
/* Opens the store of <uri> and closes the one before, unless it is the same one.  Copies both arguments.  A store that
 * cannot be opened is tried again by vtm_storage_mend(). */
void vtm_storage_configure(struct vtm_storage *st, const char *uri, const struct vtm_store_settings *settings);
/* NULL: none can be reached.  Valid until the next call of configure, mend or free. */
struct vtm_store *vtm_storage_store(const struct vtm_storage *st);
/* Why there is no store; "": there is one. */
const char *vtm_storage_error(const struct vtm_storage *st);

/* Closes a store that fails, whose file may be another one by now, and opens it again: once every few seconds. */
void vtm_storage_mend(struct vtm_storage *st, const struct vtm_sched_stats *s);
/* A call to the store failed because of <what>. */
void vtm_storage_note_failure(struct vtm_storage *st, const char *what);
/* Once a turn: notes failures of the scheduler's calls, or that the store works again. */
void vtm_storage_note_stats(struct vtm_storage *st, const struct vtm_sched_stats *s);

#endif
