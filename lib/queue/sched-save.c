/* SPDX-License-Identifier: BSD-2-Clause */
/* sched-save.c - the queue in the store: saves what changed, loads what an earlier run left. */
#include "queue/sched-parts.h"

#include <string.h>

#include "base/error.h"

/* The array index is the number that stores keep: never reorder. */
static const enum vtm_class stored_classes[] = {
	VTM_CLASS_RISKY, VTM_CLASS_URL_FIRST, VTM_CLASS_URL_MORE, VTM_CLASS_OTHER, VTM_CLASS_SUBMIT, VTM_CLASS_REASK
};

bool vtm_sched_check_store(struct vtm_sched *s, int rc, GError **error)
{
	if (rc >= 0) {
		s->stats.store_failing = false;
		return true;
	}
	s->stats.store_errors++;
	s->stats.store_failing = true;
	g_strlcpy(s->stats.store_error, *error ? (*error)->message : "no reason given", sizeof(s->stats.store_error));
	g_clear_error(error);
	return false;
}

/* -1: the store does not keep entries of this class. */
static int stored_number(enum vtm_class class)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(stored_classes); i++)
		if (stored_classes[i] == class)
			return (int)i;
	return -1;
}

static void to_queued(const struct vtm_sched *s, const struct vtm_entry *e, struct vtm_queued *q)
{
	int64_t shift = vtm_utc_ms(s->set.clock) - vtm_sched_now(s);

	memset(q, 0, sizeof(*q));
	q->lookup = e->lookup;
	q->op = e->op;
	q->class = stored_number(e->stored_class);
	q->since_ms = e->since_ms + shift;
	q->not_before_ms = e->not_before_ms ? e->not_before_ms + shift : 0;
	q->attempts = (int)e->attempts;
	q->analysis = e->analysis;
}

void vtm_sched_mark_unsaved(struct vtm_sched *s, struct vtm_entry *e)
{
	if (e->unsaved || s->set.manual || e->stored_class == VTM_CLASSES)
		return;
	e->unsaved = true;
	g_ptr_array_add(s->unsaved, e);
}

void vtm_sched_unmark_unsaved(struct vtm_sched *s, struct vtm_entry *e)
{
	for (guint i = e->unsaved ? s->unsaved->len : 0; i-- > 0;)
		if (s->unsaved->pdata[i] == e)
			s->unsaved->pdata[i] = NULL;
	e->unsaved = false;
}

void vtm_sched_note_class(struct vtm_sched *s, struct vtm_entry *e, enum vtm_class class)
{
	if (stored_number(class) < 0 || class >= e->stored_class)
		return;
	e->stored_class = class;
	vtm_sched_mark_unsaved(s, e);
}

/* In one transaction; false if the store failed. */
static bool save_all(struct vtm_sched *s)
{
	GError *error = NULL;

	if (!vtm_sched_check_store(s, vtm_store_begin(s->set.store, &error), &error))
		return false;
	for (guint i = 0; i < s->unsaved->len; i++) {
		struct vtm_entry *e = s->unsaved->pdata[i];
		struct vtm_queued q;

		if (!e)
			continue;
		to_queued(s, e, &q);
		if (!vtm_sched_check_store(s, vtm_store_queue_put(s->set.store, &q, &error), &error))
			return false;
	}
	return vtm_sched_check_store(s, vtm_store_commit(s->set.store, &error), &error);
}

void vtm_sched_save_queue(struct vtm_sched *s)
{
	if (!s->unsaved->len || !s->set.store || !save_all(s))
		return;
	for (guint i = 0; i < s->unsaved->len; i++)
		if (s->unsaved->pdata[i])
			((struct vtm_entry *)s->unsaved->pdata[i])->unsaved = false;
	g_ptr_array_set_size(s->unsaved, 0);
}

static void load_entry(const struct vtm_queued *q, void *arg)
{
	struct vtm_sched *s = arg;
	int64_t shift = vtm_utc_ms(s->set.clock) - vtm_sched_now(s);
	struct vtm_entry *e;

	if (vtm_queue_find(s->queue, &q->lookup->key) || (unsigned)q->class >= G_N_ELEMENTS(stored_classes) ||
	    (unsigned)q->op >= VTM_OP_QUOTAS || vtm_queue_size(s->queue) >= s->set.max_queue)
		return;
	e = vtm_queue_add(s->queue, q->lookup, stored_classes[q->class], MIN(q->since_ms - shift, vtm_sched_now(s)));
	e->stored_class = e->class;
	e->op = q->op;
	e->not_before_ms = q->not_before_ms ? q->not_before_ms - shift : 0;
	e->attempts = (unsigned)MAX(q->attempts, 0);
	e->analysis = g_strdup(q->analysis);
	vtm_queue_place(s->queue, e, vtm_sched_now(s));
}

void vtm_sched_load_queue(struct vtm_sched *s)
{
	GError *error = NULL;

	if (s->set.store && !s->set.manual)
		vtm_sched_check_store(s, vtm_store_queue_load(s->set.store, s->set.max_queue, load_entry, s, &error),
				      &error);
}
