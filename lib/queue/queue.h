/* SPDX-License-Identifier: BSD-2-Clause */
/* queue.h - look-ups without an answer yet, in the order in which they are to be asked.  Leaf: pure, not locked.
 *
 * Every entry is in the table.  An entry that may be asked now is *ready*: it has a place in a line.  Those with most
 * points come first, then the earliest deadline; then, by points, the newest, else the oldest.  One that must wait for a
 * time (retry, re-ask, poll) is *later*.  One that is in flight is in neither.  All operations are O(log n).
 */
#ifndef VTM_QUEUE_H
#define VTM_QUEUE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/budget.h"
#include "model/lookup.h"

/* The order of look-ups; the table of classes in queue.c says why. */
enum vtm_class {
	VTM_CLASS_MANUAL,	/* a person asks through the daemon (vtmilterctl) and waits; never kept in the store */
	VTM_CLASS_RISKY,	/* attachments that can run or carry code, or of unknown type */
	VTM_CLASS_URL_FIRST,	/* the first url of each host of a message */
	VTM_CLASS_URL_MORE,	/* further ones of the same host */
	VTM_CLASS_OTHER,	/* other attachments */
	VTM_CLASS_SUBMIT,	/* submissions and their analyses */
	VTM_CLASS_BULK,		/* a person has a mailbox scanned: after all mail, with budget that would expire; never kept in
				 * the store */
	VTM_CLASS_REASK		/* unknown attachments asked again with budget that would expire */
};
#define VTM_CLASSES (VTM_CLASS_REASK + 1)
const char *vtm_class_name(enum vtm_class c);	/* "risky" */
const char *vtm_class_why(enum vtm_class c);	/* a sentence for vtmilterctl show */
enum vtm_spender vtm_class_spender(enum vtm_class c);

/* The lines, in the order in which they are asked.  By points (Order), all of mail has one line, and there is another
 * for the draw; else each class of mail has its own. */
enum vtm_line {
	VTM_LINE_MANUAL, VTM_LINE_MAIL, VTM_LINE_URL_FIRST, VTM_LINE_URL_MORE, VTM_LINE_OTHER,
	VTM_LINE_DRAW,			/* most points aside: look-ups that were drawn by lot, the highest lot first */
	VTM_LINE_SUBMIT, VTM_LINE_BULK, VTM_LINE_REASK
};
#define VTM_LINES (VTM_LINE_REASK + 1)
/* Is it mail's first look-up, neither a person's nor a submission nor a re-ask? */
bool vtm_class_is_mail(enum vtm_class c);

struct vtm_entry {
	struct vtm_lookup *lookup;	/* owned */
	enum vtm_class class;
	/* what it is worth; whoever changes one of these places the entry again */
	uint32_t points;		/* vtm_points (risk/points.h) */
	int worth;			/* their sum */
	uint32_t lot;			/* its lot in the draw; 0: it takes no part */
	int64_t wanted_ms;		/* boot ms: when it was last wanted */
	uint64_t group;			/* what its answer tells about (history key); 0: nothing but itself */
	uint64_t campaign;		/* group and sender; 0: none */
	char *network, *domain;		/* whose shares it is charged to; owned; NULL: nobody's */
	int op;				/* enum vtm_op: what is asked next */
	int64_t since_ms;		/* boot ms: when it was first wanted */
	int64_t not_before_ms;		/* boot ms: when it may be asked */
	int64_t deadline_ms;		/* boot ms: earliest deadline of who waits; INT64_MAX: nobody */
	unsigned attempts;		/* failures, polls or re-asks so far */
	bool submit;			/* may be submitted when VirusTotal does not know it */
	char *analysis;			/* id to poll; owned */
	GPtrArray *waiters;		/* of the scheduler's; owned array, foreign elements */
	bool elsewhere;			/* another host was at it when it was to be asked; it waits for that one's answer */
	/* while in flight */
	bool in_flight;
	bool has_slot;
	uint64_t slot;
	int64_t started_ms;
	/* the scheduler's own: what the store shall keep of it */
	enum vtm_class stored_class;	/* the most urgent class that mail gave it; VTM_CLASSES: the store does not keep it */
	bool unsaved;			/* it changed since it was saved */
	/* the queue's own */
	GSequenceIter *place;		/* in a line or in the later line; NULL: in flight */
	enum vtm_line line;		/* while it has a place in one */
	bool is_later;
	GList *age;			/* in the line by age; NULL: re-asks */
	uint64_t serial;
};

struct vtm_queue;

struct vtm_queue *vtm_queue_new(void);
void vtm_queue_free(struct vtm_queue *q);	/* and all entries */

struct vtm_entry *vtm_queue_find(const struct vtm_queue *q, const struct vtm_key *key);
/* A new entry for a copy of <lookup>, which must not be in the table; set its fields, then place it. */
struct vtm_entry *vtm_queue_add(struct vtm_queue *q, const struct vtm_lookup *lookup, enum vtm_class class,
				int64_t since_ms);
/* Out of the table; frees it. */
void vtm_queue_remove(struct vtm_queue *q, struct vtm_entry *e);

/* (Re)places an entry after its deadline or time changed, or after it was in flight.  Before its class is changed it is
 * lifted. */
void vtm_queue_place(struct vtm_queue *q, struct vtm_entry *e, int64_t now_ms);
/* Takes it out of its line: it goes in flight. */
void vtm_queue_lift(struct vtm_queue *q, struct vtm_entry *e);
/* Moves what is due from later to ready; returns how many. */
unsigned vtm_queue_ripen(struct vtm_queue *q, int64_t now_ms);
/* When the next entry becomes ready, INT64_MAX: none. */
int64_t vtm_queue_next_ripe(const struct vtm_queue *q);

/* By points or by class; places all entries anew. */
void vtm_queue_set_order(struct vtm_queue *q, bool by_points, int64_t now_ms);
/* The line that <e> is in, or would be in when ready. */
enum vtm_line vtm_queue_line(const struct vtm_queue *q, const struct vtm_entry *e);
/* The ready entries of a line in order: iterate with g_sequence_iter_next() until the end; the data is a struct
 * vtm_entry *. */
GSequenceIter *vtm_queue_first(const struct vtm_queue *q, enum vtm_line line);
/* Ready entries of <e>'s line that are asked before it. */
unsigned vtm_queue_position(const struct vtm_queue *q, const struct vtm_entry *e);
/* Ready entries of a line that are worth at least <worth>. */
unsigned vtm_queue_worth(const struct vtm_queue *q, enum vtm_line line, int worth);
/* The ready entry of a line that is asked last; NULL: none. */
struct vtm_entry *vtm_queue_last(const struct vtm_queue *q, enum vtm_line line);

/* The one that has waited longest (re-asks aside) and the one that would be asked last; NULL: none.  In flight ones are
 * not given for the latter. */
struct vtm_entry *vtm_queue_oldest(const struct vtm_queue *q);
struct vtm_entry *vtm_queue_least(const struct vtm_queue *q);

unsigned vtm_queue_size(const struct vtm_queue *q);			/* all */
unsigned vtm_queue_count(const struct vtm_queue *q, enum vtm_class class);	/* of a class, ready or later */
unsigned vtm_queue_ready(const struct vtm_queue *q, enum vtm_line line);
void vtm_queue_foreach(const struct vtm_queue *q, void (*each)(struct vtm_entry *e, void *arg), void *arg);

#endif
