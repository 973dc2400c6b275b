/* SPDX-License-Identifier: BSD-2-Clause */
/* shares.c - counts today's requests of each client network and sender domain. */
#include "queue/shares.h"

#include <glib.h>

struct vtm_shares {
	GHashTable *used;	/* "net NETWORK" or "dom DOMAIN" -> requests */
	int64_t day;
};

struct vtm_shares *vtm_shares_new(void)
{
	struct vtm_shares *s = g_new0(struct vtm_shares, 1);

	s->used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return s;
}

void vtm_shares_free(struct vtm_shares *s)
{
	if (!s)
		return;
	g_hash_table_destroy(s->used);
	g_free(s);
}

static uint32_t used_by(const struct vtm_shares *s, const char *key)
{
	return key ? GPOINTER_TO_UINT(g_hash_table_lookup(s->used, key)) : 0;
}

/* Takes ownership of <key>; NULL: nothing to charge. */
static void charge(struct vtm_shares *s, char *key)
{
	uint32_t used = used_by(s, key);

	if (!key)
		return;
	if (!used && g_hash_table_size(s->used) >= VTM_SHARES_MAX)
		g_hash_table_remove_all(s->used);
	g_hash_table_replace(s->used, key, GUINT_TO_POINTER(used + 1));
}

bool vtm_shares_charge(struct vtm_shares *s, int64_t day, const char *network, const char *domain, uint32_t bound)
{
	char *net = network ? g_strconcat("net ", network, NULL) : NULL;
	char *dom = domain ? g_strconcat("dom ", domain, NULL) : NULL;

	if (s->day != day) {
		g_hash_table_remove_all(s->used);
		s->day = day;
	}
	if ((net && used_by(s, net) >= bound) || (dom && used_by(s, dom) >= bound)) {
		g_free(net);
		g_free(dom);
		return false;
	}
	charge(s, net);
	charge(s, dom);
	return true;
}
