/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-boundaries.c - boundaries as a tree of their characters. */
#include "mail/mime-boundaries.h"

#include <glib.h>
#include <string.h>

#define STEPS 4096	/* spent at a time */

/* One character after those on the way to it. */
struct node {
	guint32 child, next;	/* the first of those below it, the next one beside it; 0: none */
	char c;			/* lower case */
	bool ends;		/* a boundary ends here */
};

struct vtm_boundaries {
	GArray *nodes;	/* of struct node; the first is the root */
	bool full;
};

struct vtm_boundaries *vtm_boundaries_new(void)
{
	struct vtm_boundaries *b = g_new0(struct vtm_boundaries, 1);

	b->nodes = g_array_new(FALSE, FALSE, sizeof(struct node));
	g_array_append_val(b->nodes, ((struct node){ .c = '\0' }));
	return b;
}

void vtm_boundaries_free(struct vtm_boundaries *b)
{
	g_array_free(b->nodes, TRUE);
	g_free(b);
}

static struct node *node_at(const struct vtm_boundaries *b, guint32 i)
{
	return &g_array_index(b->nodes, struct node, i);
}

/* The node below <at> for <c>; 0: there is none.  *steps counts those looked at. */
static guint32 below(const struct vtm_boundaries *b, guint32 at, char c, uint64_t *steps)
{
	guint32 i = node_at(b, at)->child;

	++*steps;
	while (i && node_at(b, i)->c != c) {
		i = node_at(b, i)->next;
		++*steps;
	}
	return i;
}

void vtm_boundaries_add(struct vtm_boundaries *b, const char *boundary)
{
	size_t n = strnlen(boundary, VTM_BOUNDARY_CMP);
	guint32 at = 0;
	uint64_t steps = 0;

	if (!n)
		return;
	if (b->nodes->len + n > VTM_BOUNDARIES_BYTES) {
		b->full = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		char c = g_ascii_tolower(boundary[i]);
		guint32 next = below(b, at, c, &steps);

		if (!next) {
			struct node made = { .next = node_at(b, at)->child, .c = c };

			next = b->nodes->len;
			g_array_append_val(b->nodes, made);
			node_at(b, at)->child = next;
		}
		at = next;
	}
	node_at(b, at)->ends = true;
}

bool vtm_boundaries_in(const struct vtm_boundaries *b, const char *text, size_t len, struct vtm_work *work)
{
	const char *end = text + len;
	uint64_t steps = 0;

	if (b->full || !vtm_work_spend(work, len))
		return true;
	if (!len || !node_at(b, 0)->child)
		return false;
	for (const char *p = text; (p = memchr(p, '-', (size_t)(end - p))); p++) {
		guint32 at = 0;

		if (end - p < 3 || p[1] != '-')
			continue;
		for (const char *q = p + 2; q < end && (at = below(b, at, g_ascii_tolower(*q), &steps)); q++)
			if (node_at(b, at)->ends)
				return true;
		if (steps < STEPS)
			continue;
		if (!vtm_work_spend(work, steps))
			return true;
		steps = 0;
	}
	return false;
}
