/* SPDX-License-Identifier: BSD-2-Clause */
/* queue.c - look-ups in the order in which they are to be asked. */
#include "queue/queue.h"

static const struct {
	const char *name;
	const char *why;
	enum vtm_spender spender;
} classes[VTM_CLASSES] = {
	[VTM_CLASS_MANUAL] = { "manual", "a person waits for it, with a reserve of the budget", VTM_SPEND_MANUAL },
	[VTM_CLASS_RISKY] = { "risky", "an attachment that can run or carry code is asked first", VTM_SPEND_ATTACHMENT },
	[VTM_CLASS_URL_FIRST] = { "url", "one url of each host is asked after risky attachments", VTM_SPEND_URL },
	[VTM_CLASS_URL_MORE] = { "url-more", "further urls of a host are asked after the first ones of all hosts",
				 VTM_SPEND_URL },
	[VTM_CLASS_OTHER] = { "other", "attachments that carry no code are asked after urls", VTM_SPEND_ATTACHMENT },
	[VTM_CLASS_SUBMIT] = { "submit", "submissions and their analyses come after all look-ups", VTM_SPEND_URL },
	[VTM_CLASS_BULK] = { "bulk", "a mailbox that a person has scanned comes after all mail, with budget that would expire",
			     VTM_SPEND_MANUAL },
	[VTM_CLASS_REASK] = { "reask", "unknown attachments are asked again with budget that would expire",
			      VTM_SPEND_URL },
};

const char *vtm_class_name(enum vtm_class c)
{
	g_return_val_if_fail((unsigned)c < VTM_CLASSES, "other");
	return classes[c].name;
}

const char *vtm_class_why(enum vtm_class c)
{
	g_return_val_if_fail((unsigned)c < VTM_CLASSES, "");
	return classes[c].why;
}

bool vtm_class_is_mail(enum vtm_class c)
{
	return c >= VTM_CLASS_RISKY && c <= VTM_CLASS_OTHER;
}

enum vtm_spender vtm_class_spender(enum vtm_class c)
{
	g_return_val_if_fail((unsigned)c < VTM_CLASSES, VTM_SPEND_URL);
	return classes[c].spender;
}

struct vtm_queue {
	GHashTable *table;		/* key -> entry; the key is the entry's own */
	GSequence *ready[VTM_LINES];
	GSequence *later;
	bool by_points;
	GQueue by_age;
	unsigned count[VTM_CLASSES];	/* ready and later */
	uint64_t serial;
};

static gint by_number(int64_t x, int64_t y)
{
	return x < y ? -1 : x > y;
}

static gint compare_ready(gconstpointer a, gconstpointer b, gpointer data)
{
	const struct vtm_entry *x = a, *y = b;
	const struct vtm_queue *q = data;
	bool mail = vtm_class_is_mail(x->class);
	gint order = by_number(y->lot, x->lot);

	if (!order && mail)
		order = by_number(y->worth, x->worth);
	if (!order)
		order = by_number(x->deadline_ms, y->deadline_ms);
	if (!order && q->by_points && mail) {
		order = by_number(y->wanted_ms, x->wanted_ms);
		return order ? order : x->serial > y->serial ? -1 : x->serial < y->serial;
	}
	if (!order)
		order = by_number(x->since_ms, y->since_ms);
	return order ? order : x->serial < y->serial ? -1 : x->serial > y->serial;
}

static gint compare_later(gconstpointer a, gconstpointer b, gpointer data)
{
	const struct vtm_entry *x = a, *y = b;

	(void)data;
	if (x->not_before_ms != y->not_before_ms)
		return x->not_before_ms < y->not_before_ms ? -1 : 1;
	return x->serial < y->serial ? -1 : x->serial > y->serial;
}

static void free_entry(gpointer p)
{
	struct vtm_entry *e = p;

	vtm_lookup_free(e->lookup);
	g_free(e->analysis);
	g_free(e->network);
	g_free(e->domain);
	g_ptr_array_free(e->waiters, TRUE);
	g_free(e);
}

struct vtm_queue *vtm_queue_new(void)
{
	struct vtm_queue *q = g_new0(struct vtm_queue, 1);

	q->table = g_hash_table_new_full(vtm_key_hash, vtm_key_equal, NULL, free_entry);
	for (int l = 0; l < VTM_LINES; l++)
		q->ready[l] = g_sequence_new(NULL);
	q->later = g_sequence_new(NULL);
	g_queue_init(&q->by_age);
	return q;
}

void vtm_queue_free(struct vtm_queue *q)
{
	if (!q)
		return;
	for (int l = 0; l < VTM_LINES; l++)
		g_sequence_free(q->ready[l]);
	g_sequence_free(q->later);
	g_queue_clear(&q->by_age);
	g_hash_table_destroy(q->table);
	g_free(q);
}

struct vtm_entry *vtm_queue_find(const struct vtm_queue *q, const struct vtm_key *key)
{
	return g_hash_table_lookup(q->table, key);
}

struct vtm_entry *vtm_queue_add(struct vtm_queue *q, const struct vtm_lookup *lookup, enum vtm_class class,
				int64_t since_ms)
{
	struct vtm_entry *e = g_new0(struct vtm_entry, 1);

	e->lookup = vtm_lookup_copy(lookup);
	e->class = class;
	e->stored_class = VTM_CLASSES;
	e->since_ms = e->wanted_ms = since_ms;
	e->deadline_ms = INT64_MAX;
	e->waiters = g_ptr_array_new();
	e->serial = q->serial++;
	g_hash_table_insert(q->table, &e->lookup->key, e);
	return e;
}

/* Keeps by_age for all but re-asks, which have their own times. */
static void set_age(struct vtm_queue *q, struct vtm_entry *e)
{
	bool wanted = e->class != VTM_CLASS_REASK;

	if (wanted && !e->age) {
		g_queue_push_tail(&q->by_age, e);
		e->age = q->by_age.tail;
	} else if (!wanted && e->age) {
		g_queue_delete_link(&q->by_age, e->age);
		e->age = NULL;
	}
}

void vtm_queue_lift(struct vtm_queue *q, struct vtm_entry *e)
{
	if (!e->place)
		return;
	g_sequence_remove(e->place);
	e->place = NULL;
	q->count[e->class]--;
}

void vtm_queue_remove(struct vtm_queue *q, struct vtm_entry *e)
{
	vtm_queue_lift(q, e);
	if (e->age)
		g_queue_delete_link(&q->by_age, e->age);
	g_hash_table_remove(q->table, &e->lookup->key);
}

enum vtm_line vtm_queue_line(const struct vtm_queue *q, const struct vtm_entry *e)
{
	static const enum vtm_line lines[VTM_CLASSES] = {
		[VTM_CLASS_MANUAL] = VTM_LINE_MANUAL, [VTM_CLASS_RISKY] = VTM_LINE_MAIL,
		[VTM_CLASS_URL_FIRST] = VTM_LINE_URL_FIRST, [VTM_CLASS_URL_MORE] = VTM_LINE_URL_MORE,
		[VTM_CLASS_OTHER] = VTM_LINE_OTHER, [VTM_CLASS_SUBMIT] = VTM_LINE_SUBMIT,
		[VTM_CLASS_BULK] = VTM_LINE_BULK, [VTM_CLASS_REASK] = VTM_LINE_REASK
	};

	if (q->by_points && vtm_class_is_mail(e->class))
		return e->lot ? VTM_LINE_DRAW : VTM_LINE_MAIL;
	return lines[e->class];
}

/* An entry whose class changes must be lifted before, for it is counted by its class. */
void vtm_queue_place(struct vtm_queue *q, struct vtm_entry *e, int64_t now_ms)
{
	vtm_queue_lift(q, e);
	e->is_later = e->not_before_ms > now_ms;
	e->line = vtm_queue_line(q, e);
	if (e->is_later)
		e->place = g_sequence_insert_sorted(q->later, e, compare_later, NULL);
	else
		e->place = g_sequence_insert_sorted(q->ready[e->line], e, compare_ready, q);
	q->count[e->class]++;
	set_age(q, e);
}

unsigned vtm_queue_ripen(struct vtm_queue *q, int64_t now_ms)
{
	unsigned n = 0;

	for (;;) {
		GSequenceIter *i = g_sequence_get_begin_iter(q->later);
		struct vtm_entry *e;

		if (g_sequence_iter_is_end(i))
			return n;
		e = g_sequence_get(i);
		if (e->not_before_ms > now_ms)
			return n;
		vtm_queue_place(q, e, now_ms);
		n++;
	}
}

int64_t vtm_queue_next_ripe(const struct vtm_queue *q)
{
	GSequenceIter *i = g_sequence_get_begin_iter(q->later);

	if (g_sequence_iter_is_end(i))
		return INT64_MAX;
	return ((struct vtm_entry *)g_sequence_get(i))->not_before_ms;
}

void vtm_queue_set_order(struct vtm_queue *q, bool by_points, int64_t now_ms)
{
	GPtrArray *placed = g_ptr_array_new();
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, q->table);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		if (((struct vtm_entry *)value)->place)
			g_ptr_array_add(placed, value);
	for (guint i = 0; i < placed->len; i++)
		vtm_queue_lift(q, placed->pdata[i]);
	q->by_points = by_points;
	for (guint i = 0; i < placed->len; i++)
		vtm_queue_place(q, placed->pdata[i], now_ms);
	g_ptr_array_free(placed, TRUE);
}

GSequenceIter *vtm_queue_first(const struct vtm_queue *q, enum vtm_line line)
{
	return g_sequence_get_begin_iter(q->ready[line]);
}

unsigned vtm_queue_position(const struct vtm_queue *q, const struct vtm_entry *e)
{
	(void)q;
	return e->place && !e->is_later ? (unsigned)g_sequence_iter_get_position(e->place) : 0;
}

unsigned vtm_queue_worth(const struct vtm_queue *q, enum vtm_line line, int worth)
{
	/* stands behind all others of its points */
	struct vtm_entry last = { .class = VTM_CLASS_RISKY, .worth = worth, .deadline_ms = INT64_MAX,
				  .wanted_ms = INT64_MIN, .since_ms = INT64_MAX };
	GSequenceIter *i = g_sequence_search(q->ready[line], &last, compare_ready, (gpointer)(uintptr_t)q);

	return (unsigned)g_sequence_iter_get_position(i);
}

struct vtm_entry *vtm_queue_last(const struct vtm_queue *q, enum vtm_line line)
{
	if (!g_sequence_get_length(q->ready[line]))
		return NULL;
	return g_sequence_get(g_sequence_iter_prev(g_sequence_get_end_iter(q->ready[line])));
}

struct vtm_entry *vtm_queue_oldest(const struct vtm_queue *q)
{
	return q->by_age.head ? q->by_age.head->data : NULL;
}

struct vtm_entry *vtm_queue_least(const struct vtm_queue *q)
{
	struct vtm_entry *last = NULL;

	if (g_sequence_get_length(q->later))
		last = g_sequence_get(g_sequence_iter_prev(g_sequence_get_end_iter(q->later)));
	for (int l = VTM_LINES - 1; l >= 0; l--) {
		if (last && (int)last->line >= l)
			return last;
		if (g_sequence_get_length(q->ready[l]))
			return vtm_queue_last(q, (enum vtm_line)l);
	}
	return last;
}

unsigned vtm_queue_size(const struct vtm_queue *q)
{
	return g_hash_table_size(q->table);
}

unsigned vtm_queue_count(const struct vtm_queue *q, enum vtm_class class)
{
	return q->count[class];
}

unsigned vtm_queue_ready(const struct vtm_queue *q, enum vtm_line line)
{
	return (unsigned)g_sequence_get_length(q->ready[line]);
}

void vtm_queue_foreach(const struct vtm_queue *q, void (*each)(struct vtm_entry *e, void *arg), void *arg)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, q->table);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		each(value, arg);
}
