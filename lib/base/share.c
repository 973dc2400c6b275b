/* SPDX-License-Identifier: BSD-2-Clause */
/* share.c - see share.h. */
#include "base/share.h"

#define LOOK_MS 200	/* between two looks at the work of who waits */

struct vtm_share {
	const struct vtm_clock *clock;
	GMutex lock;		/* covers everything below */
	GCond given;		/* something was given back */
	uint64_t max, used;
	unsigned waiting;
	GHashTable *users;	/* name -> uint64_t *, what it holds; owned */
};

struct vtm_share *vtm_share_new(const struct vtm_clock *clock, uint64_t max)
{
	struct vtm_share *s = g_new0(struct vtm_share, 1);

	s->clock = clock;
	s->max = max;
	s->users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_mutex_init(&s->lock);
	g_cond_init(&s->given);
	return s;
}

void vtm_share_free(struct vtm_share *s)
{
	if (!s)
		return;
	g_hash_table_destroy(s->users);
	g_mutex_clear(&s->lock);
	g_cond_clear(&s->given);
	g_free(s);
}

void vtm_share_set_max(struct vtm_share *s, uint64_t max)
{
	g_mutex_lock(&s->lock);
	s->max = max;
	g_cond_broadcast(&s->given);
	g_mutex_unlock(&s->lock);
}

static const char *name_of(const char *user)
{
	return user ? user : "";
}

/* With the lock. */
static uint64_t half_of(const struct vtm_share *s)
{
	return s->max - s->max / 2;
}

/* With the lock. */
static bool fits(const struct vtm_share *s, const char *user, uint64_t amount)
{
	const uint64_t *held = g_hash_table_lookup(s->users, user);
	uint64_t half = half_of(s), mine = held ? *held : 0;

	return s->used <= s->max && amount <= s->max - s->used && mine <= half && amount <= half - mine;
}

/* With the lock. */
static void add(struct vtm_share *s, const char *user, uint64_t amount)
{
	uint64_t *held = g_hash_table_lookup(s->users, user);

	if (!held) {
		held = g_new0(uint64_t, 1);
		g_hash_table_insert(s->users, g_strdup(user), held);
	}
	*held += amount;
	s->used += amount;
}

/* With the lock, which is let go for the wait.  false: the time is over. */
static bool wait_a_moment(struct vtm_share *s, int64_t deadline_ms, struct vtm_work *work)
{
	int64_t left_ms = deadline_ms - vtm_boot_ms(s->clock);

	if (left_ms <= 0)
		return false;
	s->waiting++;
	g_cond_wait_until(&s->given, &s->lock, g_get_monotonic_time() + MIN(left_ms, LOOK_MS) * 1000);
	s->waiting--;
	if (!work)
		return true;
	g_mutex_unlock(&s->lock);	/* it may report progress to the MTA */
	vtm_work_look(work);
	g_mutex_lock(&s->lock);
	return !vtm_work_over(work);
}

bool vtm_share_take(struct vtm_share *s, const char *user, uint64_t amount, int64_t deadline_ms,
		    struct vtm_work *work)
{
	bool taken;

	user = name_of(user);
	g_mutex_lock(&s->lock);
	while (!(taken = fits(s, user, amount)) && wait_a_moment(s, deadline_ms, work))
		;
	if (taken)
		add(s, user, amount);
	g_mutex_unlock(&s->lock);
	return taken;
}

void vtm_share_give(struct vtm_share *s, const char *user, uint64_t amount)
{
	uint64_t *held;

	user = name_of(user);
	g_mutex_lock(&s->lock);
	held = g_hash_table_lookup(s->users, user);
	if (held && *held >= amount) {
		*held -= amount;
		s->used -= amount;
		if (!*held)
			g_hash_table_remove(s->users, user);
		if (s->waiting)
			g_cond_broadcast(&s->given);
	} else {
		g_critical("more is given back than was taken");
	}
	g_mutex_unlock(&s->lock);
}

uint64_t vtm_share_half(struct vtm_share *s)
{
	uint64_t half;

	g_mutex_lock(&s->lock);
	half = half_of(s);
	g_mutex_unlock(&s->lock);
	return half;
}

uint64_t vtm_share_used(struct vtm_share *s)
{
	uint64_t used;

	g_mutex_lock(&s->lock);
	used = s->used;
	g_mutex_unlock(&s->lock);
	return used;
}
