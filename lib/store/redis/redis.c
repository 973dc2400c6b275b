/* SPDX-License-Identifier: BSD-2-Clause */
/* redis.c - the store that several hosts share: named values, hearing of others, opening. */
#include "store/redis/open.h"
#include "store/redis/redis.h"

#include <string.h>

#include "store/redis/watch.h"

/* ---- meta ---- */

static int meta_set(struct vtm_store *store, const char *name, const char *value, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;

	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, value ? "HSET" : "HDEL");
	vtm_redis_key(s, &c, "m", NULL, 0);
	vtm_redis_command_text(&c, name);
	if (value)
		vtm_redis_command_text(&c, value);
	vtm_redis_command_end(&c);
	return vtm_redis_do(s, &c, error);
}

static int meta_get(struct vtm_store *store, const char *name, char **value_r, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;
	redisReply *r;
	int rc = 0;

	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "HGET");
	vtm_redis_key(s, &c, "m", NULL, 0);
	vtm_redis_command_text(&c, name);
	vtm_redis_command_end(&c);
	r = vtm_redis_one(s, &c, error);
	if (!r)
		return -1;
	if (r->type == REDIS_REPLY_STRING) {
		*value_r = g_strdup(r->str);
		rc = 1;
	}
	freeReplyObject(r);
	return rc;
}

static int meta_default(struct vtm_store *store, const char *name, const char *value, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;

	vtm_redis_begin(s, &c);
	vtm_redis_command_begin(&c, "HSETNX");
	vtm_redis_key(s, &c, "m", NULL, 0);
	vtm_redis_command_text(&c, name);
	vtm_redis_command_text(&c, value);
	vtm_redis_command_end(&c);
	return vtm_redis_do(s, &c, error);
}

/* ---- hearing what other hosts ended ---- */

static struct vtm_redis *new_store(const struct vtm_store_settings *settings);

static int watch(struct vtm_store *store, void (*wake)(void *), void *arg, GError **error)
{
	struct vtm_redis *s = vtm_redis(store), *own;
	struct vtm_store_settings same = {
		.clock = s->clock, .host = s->host, .password_file = s->password_file, .ca_file = s->ca_file,
		.cert_file = s->cert_file, .key_file = s->key_file, .prefix = s->prefix, .read_only = true,
	};

	own = new_store(&same);
	if (vtm_redis_uri_parse(s->uri_text, &own->uri, error))
		s->watch = vtm_redis_watch_new(own, wake, arg, error);
	else
		vtm_store_close(&own->base);
	return s->watch ? 1 : -1;
}

static bool hears(const struct vtm_store *store)
{
	const struct vtm_redis *s = (const struct vtm_redis *)store;

	return s->watch && vtm_redis_watch_hears(s->watch);
}

static unsigned watched(struct vtm_store *store, struct vtm_key *keys, bool *missed_r)
{
	struct vtm_redis *s = vtm_redis(store);

	return s->watch ? vtm_redis_watch_take(s->watch, keys, missed_r) : 0;
}

/* ---- opening ---- */

/* Redis has none of ours: what is done is done. */
static int begin(struct vtm_store *store, GError **error)
{
	(void)store;
	(void)error;
	return 0;
}

static void close_all(struct vtm_store *store)
{
	struct vtm_redis *s = vtm_redis(store);

	vtm_redis_watch_free(s->watch);
	vtm_redis_disconnect(s);
	g_free(s->uri_text);
	vtm_redis_uri_clear(&s->uri);
	g_free(s->host);
	g_free(s->owner);
	g_free(s->password_file);
	g_free(s->ca_file);
	g_free(s->cert_file);
	g_free(s->key_file);
	g_free(s->prefix);
	g_free(s->last_error);
	g_free(s);
}

static const struct vtm_store_ops ops = {
	.close = close_all,
	.begin = begin,
	.commit = begin,
	.verdicts_get = vtm_redis_verdicts_get,
	.verdict_put = vtm_redis_verdict_put,
	.verdict_forget = vtm_redis_verdict_forget,
	.verdicts_each = vtm_redis_verdicts_each,
	.verdicts_expire = vtm_redis_verdicts_expire,
	.budget_take = vtm_redis_budget_take,
	.budget_settle = vtm_redis_budget_settle,
	.budget_read = vtm_redis_budget_read,
	.budget_raise = vtm_redis_budget_raise,
	.budget_sync = vtm_redis_budget_sync,
	.budget_utc = vtm_redis_budget_utc,
	.queue_put = vtm_redis_queue_put,
	.queue_delete = vtm_redis_queue_delete,
	.queue_load = vtm_redis_queue_load,
	.lease = vtm_redis_lease,
	.lease_drop = vtm_redis_lease_drop,
	.lease_end = vtm_redis_lease_end,
	.watch = watch,
	.is_watching = hears,
	.take_ended = watched,
	.journal_add = vtm_redis_journal_add,
	.journal_answer = vtm_redis_journal_answer,
	.journal_list = vtm_redis_journal_list,
	.journal_find = vtm_redis_journal_find,
	.journal_expire = vtm_redis_journal_expire,
	.late_add = vtm_redis_late_add,
	.late_due = vtm_redis_late_due,
	.late_done = vtm_redis_late_done,
	.late_retry = vtm_redis_late_retry,
	.meta_set = meta_set,
	.meta_get = meta_get,
	.meta_default = meta_default,
	.history_get = vtm_redis_history_get,
	.history_note = vtm_redis_history_note,
	.history_put = vtm_redis_history_put,
	.history_each = vtm_redis_history_each,
	.history_count = vtm_redis_history_count,
	.history_days = vtm_redis_history_days,
	.history_expire = vtm_redis_history_expire,
	.history_size = vtm_redis_history_size,
};

/* "vtmilter:" becomes "{vtmilter}:"; one that has braces stays. */
static char *braced(const char *prefix)
{
	size_t n = strlen(prefix);

	if (strchr(prefix, '{'))
		return g_strdup(prefix);
	if (n && prefix[n - 1] == ':')
		n--;
	return g_strdup_printf("{%.*s}:", (int)n, prefix);
}

/* Not connected yet. */
static struct vtm_redis *new_store(const struct vtm_store_settings *settings)
{
	struct vtm_redis *s = g_new0(struct vtm_redis, 1);

	s->base.ops = &ops;
	s->base.shared = true;
	s->base.read_only = settings->read_only;
	s->clock = settings->clock;
	s->host = g_strdup(settings->host ? settings->host : "localhost");
	s->owner = g_uuid_string_random();
	s->password_file = g_strdup(settings->password_file);
	s->ca_file = g_strdup(settings->ca_file);
	s->cert_file = g_strdup(settings->cert_file);
	s->key_file = g_strdup(settings->key_file);
	s->prefix = braced(settings->prefix && *settings->prefix ? settings->prefix : "vtmilter:");
	for (int i = 0; i < SCRIPTS; i++) {
		char *sha = g_compute_checksum_for_string(G_CHECKSUM_SHA1, vtm_redis_scripts[i], -1);

		g_strlcpy(s->sha[i], sha, sizeof(s->sha[i]));
		g_free(sha);
	}
	return s;
}

struct vtm_store *vtm_store_redis_open(const char *uri, const struct vtm_store_settings *settings, GError **error)
{
	struct vtm_redis *s = new_store(settings);
	GError *own = NULL;

	vtm_redis_start(s);
	if (vtm_redis_uri_parse(uri, &s->uri, error)) {
		s->uri_text = g_strdup(uri);
		if (vtm_redis_connect(s, &own) == 0)
			return &s->base;
		g_propagate_prefixed_error(error, own, "%s: ", s->uri.shown);
	}
	close_all(&s->base);
	return NULL;
}
