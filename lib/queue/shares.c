/* SPDX-License-Identifier: BSD-2-Clause */
/* shares.c - counts today's requests of each client network and sender domain. */
#include "queue/shares.h"

#include <glib.h>

struct share {
	uint32_t used[VTM_SHARES_LEVELS];	/* requests by points, from 1 and less */
};

struct vtm_shares {
	GHashTable *networks, *domains;		/* name -> struct share */
	int64_t day;
};

struct vtm_shares *vtm_shares_new(void)
{
	struct vtm_shares *s = g_new0(struct vtm_shares, 1);

	s->networks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	s->domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return s;
}

void vtm_shares_free(struct vtm_shares *s)
{
	if (!s)
		return;
	g_hash_table_destroy(s->networks);
	g_hash_table_destroy(s->domains);
	g_free(s);
}

static int level_of(int points)
{
	return CLAMP(points, 1, VTM_SHARES_LEVELS) - 1;
}

static bool full(GHashTable *table, const char *name, int level, uint32_t bound)
{
	const struct share *share = name ? g_hash_table_lookup(table, name) : NULL;
	uint64_t all = 0, as_many = 0;

	if (!share)
		return false;
	for (int l = 0; l < VTM_SHARES_LEVELS; l++) {
		all += share->used[l];
		as_many += l >= level ? share->used[l] : 0;
	}
	return as_many >= bound || all >= 2 * (uint64_t)bound;
}

bool vtm_shares_full(const struct vtm_shares *s, int64_t day, const char *network, const char *domain, int points,
		     uint32_t bound)
{
	if (s->day != day)
		return false;
	return full(s->networks, network, level_of(points), bound) || full(s->domains, domain, level_of(points), bound);
}

static void charge(GHashTable *table, const char *name, int level)
{
	struct share *share = name ? g_hash_table_lookup(table, name) : NULL;

	if (!name)
		return;
	if (!share) {
		if (g_hash_table_size(table) >= VTM_SHARES_MAX)
			g_hash_table_remove_all(table);
		share = g_new0(struct share, 1);
		g_hash_table_insert(table, g_strdup(name), share);
	}
	share->used[level]++;
}

void vtm_shares_charge(struct vtm_shares *s, int64_t day, const char *network, const char *domain, int points)
{
	if (s->day != day) {
		g_hash_table_remove_all(s->networks);
		g_hash_table_remove_all(s->domains);
		s->day = day;
	}
	charge(s->networks, network, level_of(points));
	charge(s->domains, domain, level_of(points));
}
