/* SPDX-License-Identifier: BSD-2-Clause */
/* store-redis.c - the store that several hosts share: connecting, calls; verdicts, queue, leases, late, meta. */
#include "store-redis.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "store-codec.h"
#include "store-redis-script.h"
#include "store-redis-watch.h"

#define PAUSE_MIN_MS 50		/* after a connection that failed; doubles up to */
#define PAUSE_MAX_MS 2000
#define SENTINEL_MS 60		/* for one Sentinel to answer */
#define PASSWORD_MAX 4096
#define CHUNK 500		/* queue entries a round trip */
#define TIME_BYTES 6
#define VERDICT_BYTES (2 * TIME_BYTES + VTM_PACKED_REPORT)	/* 44: what Redis keeps in one piece with its object */

static const char *const scripts[SCRIPTS] = {
	[SCRIPT_BUDGET] = script_budget,
	[SCRIPT_LEASE] = script_lease,
	[SCRIPT_ADD] = script_add,
	[SCRIPT_TURN] = script_turn,
	[SCRIPT_LATE] = script_late,
};

static int64_t now_ms(void)
{
	return vtm_boot_ms(vtm_clock_system());
}

/* ---- replies ---- */

static void free_reply(gpointer p)
{
	freeReplyObject(p);
}

bool vtm_redis_is_bytes(const redisReply *r)
{
	return r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS;
}

int64_t vtm_redis_number(const redisReply *r)
{
	if (r->type == REDIS_REPLY_INTEGER)
		return r->integer;
	return vtm_redis_is_bytes(r) ? g_ascii_strtoll(r->str, NULL, 10) : 0;
}

/* What a server says goes into messages: printable, and not too much of it. */
static char *shown(const char *text)
{
	char *copy = g_strndup(text, 200);

	return g_strcanon(copy, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,:;-_/()'@=<>*", '?');
}

static bool says(const redisReply *r, const char *word)
{
	return r->type == REDIS_REPLY_ERROR && g_str_has_prefix(r->str, word);
}

static void reply_error(const redisReply *r, GError **error)
{
	char *text = shown(r->str);
	bool elsewhere = says(r, "MOVED") || says(r, "ASK ");

	g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s%s", text, elsewhere ?
		    ": this node of a Redis Cluster has not the slot of StorePrefix: name in Store the node told here" : "");
	g_free(text);
}

/* ---- connecting ---- */

void vtm_redis_disconnect(struct vtm_redis *s)
{
	g_clear_pointer(&s->link, vtm_redis_link_free);
}

/* Sends all commands and reads their replies, errors among them. */
static GPtrArray *exchange(struct vtm_redis_link *l, const struct vtm_redis_command *c, int64_t deadline_ms,
			   GError **error)
{
	GPtrArray *replies = g_ptr_array_new_with_free_func(free_reply);
	bool good = vtm_redis_link_send(l, c->out->data, c->out->len, deadline_ms, error) == 0;

	for (unsigned i = 0; good && i < c->commands; i++) {
		redisReply *r = vtm_redis_link_reply(l, deadline_ms, error);

		good = r != NULL;
		if (good)
			g_ptr_array_add(replies, r);
	}
	if (!good)
		g_clear_pointer(&replies, g_ptr_array_unref);
	return replies;
}

/* The password of the file, or of the URI, or NULL.  Read anew for each connection, so that it may be changed. */
static char *read_password(const struct vtm_redis *s, GError **error)
{
	GError *own = NULL;
	char *text;
	gsize len;

	if (!s->password_file)
		return g_strdup(s->uri.password);
	if (!g_file_get_contents(s->password_file, &text, &len, &own)) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "%s", own->message);
		g_error_free(own);
		return NULL;
	}
	text[strcspn(text, "\r\n")] = '\0';
	if (text[0] && len <= PASSWORD_MAX)
		return text;
	g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "%s: expected a password in the first line", s->password_file);
	g_free(text);
	return NULL;
}

static int add_auth(const struct vtm_redis *s, struct vtm_redis_command *c, GError **error)
{
	GError *own = NULL;
	char *password = read_password(s, &own);

	if (own) {
		g_propagate_error(error, own);
		return -1;
	}
	if (password) {
		vtm_redis_command_begin(c, "AUTH");
		if (s->uri.user)
			vtm_redis_command_text(c, s->uri.user);
		vtm_redis_command_text(c, password);
		vtm_redis_command_end(c);
		g_free(password);
	}
	return 0;
}

static void add_info(struct vtm_redis_command *c, const char *section)
{
	vtm_redis_command_begin(c, "INFO");
	vtm_redis_command_text(c, section);
	vtm_redis_command_end(c);
}

static void add_scripts(struct vtm_redis_command *c)
{
	for (int i = 0; i < SCRIPTS; i++) {
		vtm_redis_command_begin(c, "SCRIPT");
		vtm_redis_command_text(c, "LOAD");
		vtm_redis_command_text(c, scripts[i]);
		vtm_redis_command_end(c);
	}
}

/* The value of "<name>:value" in what INFO says; new or NULL. */
static char *info_value(const redisReply *r, const char *name)
{
	const char *at = vtm_redis_is_bytes(r) ? strstr(r->str, name) : NULL;

	return at ? g_strndup(at + strlen(name), strcspn(at + strlen(name), "\r\n")) : NULL;
}

/* Who only looks may lack the right to ask; then we do not know. */
static bool take_info(const struct vtm_redis *s, const redisReply *server, const redisReply *replication,
		      GError **error)
{
	char *version = info_value(server, "redis_version:");
	char *role = info_value(replication, "\nrole:");
	bool good = false;

	if (version && g_ascii_strtoull(version, NULL, 10) < 5)
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "Redis 5 or later is needed");
	else if (!s->base.read_only && role && !strcmp(role, "slave"))
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "is a replica and cannot be written to");
	else
		good = true;
	g_free(version);
	g_free(role);
	return good;
}

/* Password, database, who it is, scripts: one round trip. */
static int log_in(struct vtm_redis *s, struct vtm_redis_link *l, GError **error)
{
	struct vtm_redis_command c;
	GPtrArray *replies = NULL;
	int rc = -1;

	vtm_redis_command_init(&c);
	if (add_auth(s, &c, error) < 0)
		goto out;
	if (s->uri.db) {
		vtm_redis_command_begin(&c, "SELECT");
		vtm_redis_command_int(&c, s->uri.db);
		vtm_redis_command_end(&c);
	}
	unsigned infos = c.commands;

	add_info(&c, "server");
	add_info(&c, "replication");
	add_scripts(&c);
	replies = exchange(l, &c, s->deadline_ms, error);
	if (!replies)
		goto out;
	for (guint i = 0; i < replies->len; i++) {
		const redisReply *r = replies->pdata[i];

		if (r->type == REDIS_REPLY_ERROR && (!s->base.read_only || i < infos || says(r, "NOAUTH"))) {
			reply_error(r, error);
			goto out;
		}
	}
	rc = take_info(s, replies->pdata[infos], replies->pdata[infos + 1], error) ? 0 : -1;
out:
	vtm_redis_command_clear(&c);
	g_clear_pointer(&replies, g_ptr_array_unref);
	return rc;
}

static struct vtm_redis_link *open_link(struct vtm_redis *s, const char *host, const char *port, int64_t deadline_ms,
					GError **error)
{
	struct vtm_redis_peer peer = {
		.path = s->uri.path, .host = host, .port = port, .tls = s->uri.tls,
		.ca_file = s->ca_file, .cert_file = s->cert_file, .key_file = s->key_file,
	};

	return vtm_redis_link_new(&peer, deadline_ms, error);
}

/* Asks one Sentinel where the master is: "host" and "port", new strings. */
static bool ask_sentinel(struct vtm_redis *s, const struct vtm_redis_host *h, char **host_r, char **port_r,
			 GError **error)
{
	int64_t deadline = MIN(s->deadline_ms, now_ms() + SENTINEL_MS);
	struct vtm_redis_link *l = open_link(s, h->name, h->port, deadline, error);
	struct vtm_redis_command c;
	GPtrArray *replies = NULL;
	const redisReply *r;

	if (!l)
		return false;
	vtm_redis_command_init(&c);
	vtm_redis_command_begin(&c, "SENTINEL");
	vtm_redis_command_text(&c, "get-master-addr-by-name");
	vtm_redis_command_text(&c, s->uri.master);
	vtm_redis_command_end(&c);
	replies = exchange(l, &c, deadline, error);
	r = replies ? replies->pdata[0] : NULL;
	if (r && r->type == REDIS_REPLY_ARRAY && r->elements == 2 && vtm_redis_is_bytes(r->element[0]) &&
	    vtm_redis_is_bytes(r->element[1])) {
		*host_r = g_strdup(r->element[0]->str);
		*port_r = g_strdup(r->element[1]->str);
	} else if (r && r->type == REDIS_REPLY_ERROR) {
		reply_error(r, error);
	} else if (r) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s: the Sentinel knows no \"%s\"", h->name,
			    s->uri.master);
	}
	g_clear_pointer(&replies, g_ptr_array_unref);
	vtm_redis_command_clear(&c);
	vtm_redis_link_free(l);
	return *host_r != NULL;
}

static struct vtm_redis_link *open_master(struct vtm_redis *s, GError **error)
{
	char *host = NULL, *port = NULL;
	struct vtm_redis_link *l = NULL;
	unsigned i = 0;

	if (!s->uri.master)
		return open_link(s, s->uri.hosts[0].name, s->uri.hosts[0].port, s->deadline_ms, error);
	do {
		g_clear_error(error);
		ask_sentinel(s, &s->uri.hosts[i], &host, &port, error);
	} while (!host && ++i < s->uri.n_hosts);
	if (host) {
		g_clear_error(error);
		l = open_link(s, host, port, s->deadline_ms, error);
	}
	g_free(host);
	g_free(port);
	return l;
}

/* Doubles, with a quarter of chance so that several hosts do not come in step. */
static void pause_after_failure(struct vtm_redis *s, const GError *error)
{
	s->pause_ms = CLAMP(s->pause_ms * 2, PAUSE_MIN_MS, PAUSE_MAX_MS);
	s->next_try_ms = now_ms() + s->pause_ms * g_random_int_range(75, 125) / 100;
	g_free(s->last_error);
	s->last_error = g_strdup(error->message);
}

static int ensure_link(struct vtm_redis *s, GError **error)
{
	GError *own = NULL;

	if (s->link && !vtm_redis_link_quiet(s->link))
		vtm_redis_disconnect(s);
	if (s->link)
		return 0;
	if (now_ms() < s->next_try_ms) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s", s->last_error);
		return -1;
	}
	s->link = open_master(s, &own);
	if (s->link && log_in(s, s->link, &own) == 0) {
		s->pause_ms = s->next_try_ms = 0;
		return 0;
	}
	vtm_redis_disconnect(s);
	pause_after_failure(s, own);
	g_propagate_error(error, own);
	return -1;
}

/* ---- calls ---- */

void vtm_redis_start(struct vtm_redis *s)
{
	s->deadline_ms = now_ms() + VTM_STORE_WAIT_MS;
}

/* After a SCRIPT FLUSH. */
static bool load_scripts(struct vtm_redis *s, GError **error)
{
	struct vtm_redis_command c;
	GPtrArray *replies;

	vtm_redis_command_init(&c);
	add_scripts(&c);
	replies = exchange(s->link, &c, s->deadline_ms, error);
	vtm_redis_command_clear(&c);
	if (!replies)
		return false;
	g_ptr_array_unref(replies);
	return true;
}

/* Errors that mean: this server is not, or no longer, the one to talk to. */
static bool wrong_server(const redisReply *r)
{
	return says(r, "READONLY") || says(r, "LOADING") || says(r, "MASTERDOWN") || says(r, "CLUSTERDOWN") ||
	       says(r, "NOAUTH") || says(r, "MOVED");
}

static bool without_errors(struct vtm_redis *s, const GPtrArray *replies, GError **error)
{
	for (guint i = 0; i < replies->len; i++) {
		const redisReply *r = replies->pdata[i];

		if (r->type != REDIS_REPLY_ERROR)
			continue;
		reply_error(r, error);
		if (wrong_server(r))
			vtm_redis_disconnect(s);
		return false;
	}
	return true;
}

static GPtrArray *run_all(struct vtm_redis *s, const struct vtm_redis_command *c, GError **error)
{
	GPtrArray *replies;

	if (ensure_link(s, error) < 0)
		return NULL;
	replies = exchange(s->link, c, s->deadline_ms, error);
	if (replies && says(replies->pdata[0], "NOSCRIPT")) {
		g_clear_pointer(&replies, g_ptr_array_unref);
		if (load_scripts(s, error))
			replies = exchange(s->link, c, s->deadline_ms, error);
	}
	if (!replies) {
		vtm_redis_disconnect(s);	/* what comes now would be an answer to something else */
		return NULL;
	}
	if (!without_errors(s, replies, error))
		g_clear_pointer(&replies, g_ptr_array_unref);
	return replies;
}

GPtrArray *vtm_redis_run(struct vtm_redis *s, struct vtm_redis_command *c, GError **error)
{
	GPtrArray *replies = run_all(s, c, error);

	vtm_redis_command_clear(c);
	if (!replies)
		g_prefix_error(error, "%s: ", s->uri.shown);
	return replies;
}

redisReply *vtm_redis_one(struct vtm_redis *s, struct vtm_redis_command *c, GError **error)
{
	GPtrArray *replies = vtm_redis_run(s, c, error);
	redisReply *r = NULL;

	if (replies) {
		r = g_ptr_array_steal_index(replies, 0);
		g_ptr_array_unref(replies);
	}
	return r;
}

int vtm_redis_nonsense(struct vtm_redis *s, GError **error)
{
	vtm_redis_disconnect(s);
	g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "%s: an answer that makes no sense", s->uri.shown);
	return -1;
}

void vtm_redis_key(struct vtm_redis *s, struct vtm_redis_command *c, const char *name, const void *more, gsize len)
{
	GByteArray *key = g_byte_array_new();

	g_byte_array_append(key, (const guint8 *)s->prefix, (guint)strlen(s->prefix));
	g_byte_array_append(key, (const guint8 *)name, (guint)strlen(name));
	if (len)
		g_byte_array_append(key, more, (guint)len);
	vtm_redis_command_bytes(c, key->data, key->len);
	g_byte_array_unref(key);
}

void vtm_redis_script(struct vtm_redis *s, struct vtm_redis_command *c, enum vtm_redis_script script, unsigned keys)
{
	vtm_redis_command_begin(c, "EVALSHA");
	vtm_redis_command_text(c, s->sha[script]);
	vtm_redis_command_int(c, keys);
}

static void begin_call(struct vtm_redis *s, struct vtm_redis_command *c)
{
	vtm_redis_start(s);
	vtm_redis_command_init(c);
}

static void key_of(struct vtm_redis *s, struct vtm_redis_command *c, const char *name, const struct vtm_key *key)
{
	uint8_t packed[VTM_PACKED_KEY];

	vtm_pack_key(key, packed);
	vtm_redis_key(s, c, name, packed, sizeof(packed));
}

/* Runs one command whose answer is a number. */
static int number_of(struct vtm_redis *s, struct vtm_redis_command *c, int64_t *number_r, GError **error)
{
	redisReply *r = vtm_redis_one(s, c, error);
	int rc = 0;

	if (!r)
		return -1;
	if (r->type == REDIS_REPLY_INTEGER)
		*number_r = r->integer;
	else
		rc = vtm_redis_nonsense(s, error);
	freeReplyObject(r);
	return rc;
}

/* Runs commands whose answers say nothing. */
static int do_all(struct vtm_redis *s, struct vtm_redis_command *c, GError **error)
{
	GPtrArray *replies = vtm_redis_run(s, c, error);

	if (!replies)
		return -1;
	g_ptr_array_unref(replies);
	return 0;
}

/* ---- verdicts ---- */

static void put_time(uint8_t *p, int64_t ms)
{
	uint64_t n = GUINT64_TO_LE((uint64_t)ms);

	memcpy(p, &n, TIME_BYTES);
}

static int64_t get_time(const char *p)
{
	uint64_t n = 0;

	memcpy(&n, p, TIME_BYTES);
	return (int64_t)GUINT64_FROM_LE(n);
}

/* A value that does not read back counts as not there: it is asked again, and never becomes clean. */
static void take_verdict(const redisReply *r, int64_t now, struct vtm_cached *out)
{
	if (r->type != REDIS_REPLY_STRING || (size_t)r->len != VERDICT_BYTES)
		return;
	out->stored_ms = get_time(r->str);
	out->expires_ms = get_time(r->str + TIME_BYTES);
	out->found = out->expires_ms > now && vtm_unpack_report(r->str + 2 * TIME_BYTES, VTM_PACKED_REPORT,
								&out->report) &&
		     vtm_verdict_is_answer(out->report.verdict);
}

static int verdicts_get(struct vtm_store *store, const struct vtm_key *keys, size_t n, struct vtm_cached *out,
			GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	int64_t now = vtm_utc_ms(s->clock);
	struct vtm_redis_command c;
	redisReply *r;
	int found = 0;

	begin_call(s, &c);
	vtm_redis_command_begin(&c, "MGET");
	for (size_t i = 0; i < n; i++)
		key_of(s, &c, "v", &keys[i]);
	vtm_redis_command_end(&c);
	r = vtm_redis_one(s, &c, error);
	if (!r)
		return -1;
	if (r->type == REDIS_REPLY_ARRAY && r->elements == n)
		for (size_t i = 0; i < n; i++) {
			take_verdict(r->element[i], now, &out[i]);
			found += out[i].found;
		}
	else
		found = vtm_redis_nonsense(s, error);
	freeReplyObject(r);
	return found;
}

static int verdict_put(struct vtm_store *store, const struct vtm_lookup *l, const struct vtm_report *r,
		       int64_t expires_ms, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	int64_t now = vtm_utc_ms(s->clock);
	uint8_t value[VERDICT_BYTES];
	struct vtm_redis_command c;

	put_time(value, now);
	put_time(value + TIME_BYTES, expires_ms);
	vtm_pack_report(r, value + 2 * TIME_BYTES);
	begin_call(s, &c);
	vtm_redis_command_begin(&c, expires_ms > now ? "SET" : "DEL");
	key_of(s, &c, "v", &l->key);
	if (expires_ms > now) {
		vtm_redis_command_bytes(&c, value, sizeof(value));
		vtm_redis_command_text(&c, "PX");
		vtm_redis_command_int(&c, expires_ms - now);
	}
	vtm_redis_command_end(&c);
	return do_all(s, &c, error);
}

static int verdict_forget(struct vtm_store *store, const struct vtm_key *key, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;
	int64_t n;

	begin_call(s, &c);
	vtm_redis_command_begin(&c, "DEL");
	key_of(s, &c, "v", key);
	vtm_redis_command_end(&c);
	return number_of(s, &c, &n, error) < 0 ? -1 : n > 0;
}

/* The keys of verdicts that one step of SCAN finds.  "0" in <cursor> at the end. */
static redisReply *scan(struct vtm_redis *s, const char *cursor, GError **error)
{
	struct vtm_redis_command c;
	GString *pattern = g_string_new("");
	redisReply *r;

	for (const char *p = s->prefix; *p; p++) {
		if (strchr("*?[]\\", *p))
			g_string_append_c(pattern, '\\');
		g_string_append_c(pattern, *p);
	}
	g_string_append(pattern, "v*");
	begin_call(s, &c);
	vtm_redis_command_begin(&c, "SCAN");
	vtm_redis_command_text(&c, cursor);
	vtm_redis_command_text(&c, "MATCH");
	vtm_redis_command_text(&c, pattern->str);
	vtm_redis_command_text(&c, "COUNT");
	vtm_redis_command_int(&c, CHUNK);
	vtm_redis_command_end(&c);
	g_string_free(pattern, TRUE);
	r = vtm_redis_one(s, &c, error);
	if (r && (r->type != REDIS_REPLY_ARRAY || r->elements != 2 || !vtm_redis_is_bytes(r->element[0]) ||
		  r->element[1]->type != REDIS_REPLY_ARRAY)) {
		freeReplyObject(r);
		vtm_redis_nonsense(s, error);
		r = NULL;
	}
	return r;
}

/* Those of <names> that are keys of verdicts. */
static GArray *keys_of(const struct vtm_redis *s, const redisReply *names)
{
	GArray *keys = g_array_new(FALSE, FALSE, sizeof(struct vtm_key));
	size_t skip = strlen(s->prefix) + 1;

	for (size_t i = 0; i < names->elements && keys->len < VTM_STORE_BATCH; i++) {
		const redisReply *r = names->element[i];
		struct vtm_key key;

		if (vtm_redis_is_bytes(r) && (size_t)r->len > skip &&
		    vtm_unpack_key(r->str + skip, (size_t)r->len - skip, &key))
			g_array_append_val(keys, key);
	}
	return keys;
}

static int each_of(struct vtm_store *store, const GArray *keys, vtm_verdict_each *each, void *arg, GError **error)
{
	struct vtm_cached *out = g_new0(struct vtm_cached, keys->len + 1);
	const struct vtm_key *list = (const struct vtm_key *)(const void *)keys->data;
	int n = keys->len ? verdicts_get(store, list, keys->len, out, error) : 0;

	for (guint i = 0; n > 0 && i < keys->len; i++)
		if (out[i].found)
			each(&list[i], &out[i], arg);
	g_free(out);
	return n;
}

static int verdicts_each(struct vtm_store *store, vtm_verdict_each *each, void *arg, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	char cursor[24] = "0";
	int n = 0, rc;

	do {
		redisReply *r = scan(s, cursor, error);
		GArray *keys;

		if (!r)
			return -1;
		g_strlcpy(cursor, r->element[0]->str, sizeof(cursor));
		keys = keys_of(s, r->element[1]);
		rc = each_of(store, keys, each, arg, error);
		n += MAX(rc, 0);
		g_array_unref(keys);
		freeReplyObject(r);
	} while (rc >= 0 && strcmp(cursor, "0"));
	return rc < 0 ? -1 : n;
}

/* Redis does. */
static int verdicts_expire(struct vtm_store *store, unsigned max, GError **error)
{
	(void)store;
	(void)max;
	(void)error;
	return 0;
}

/* ---- queue, leases ---- */

/* The field that names who queued a look-up first. */
static void host_field(struct vtm_redis_command *c, const uint8_t key[VTM_PACKED_KEY])
{
	uint8_t field[VTM_PACKED_KEY + 1];

	memcpy(field, key, VTM_PACKED_KEY);
	field[VTM_PACKED_KEY] = 'h';
	vtm_redis_command_bytes(c, field, sizeof(field));
}

static int queue_put(struct vtm_store *store, const struct vtm_queued *q, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	uint8_t key[VTM_PACKED_KEY];
	GBytes *value = vtm_pack_queued(q, NULL);
	struct vtm_redis_command c;
	gsize len;
	const void *data = g_bytes_get_data(value, &len);

	vtm_pack_key(&q->lookup->key, key);
	begin_call(s, &c);
	vtm_redis_command_begin(&c, "HSET");
	vtm_redis_key(s, &c, "q", NULL, 0);
	vtm_redis_command_bytes(&c, key, sizeof(key));
	vtm_redis_command_bytes(&c, data, len);
	vtm_redis_command_end(&c);
	vtm_redis_command_begin(&c, "HSETNX");
	vtm_redis_key(s, &c, "q", NULL, 0);
	host_field(&c, key);
	vtm_redis_command_text(&c, s->host);
	vtm_redis_command_end(&c);
	/* last: what is not in here is not there */
	vtm_redis_command_begin(&c, "ZADD");
	vtm_redis_key(s, &c, "qs", NULL, 0);
	vtm_redis_command_int(&c, q->since_ms);
	vtm_redis_command_bytes(&c, key, sizeof(key));
	vtm_redis_command_end(&c);
	g_bytes_unref(value);
	return do_all(s, &c, error);
}

static int queue_delete(struct vtm_store *store, const struct vtm_key *key, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	uint8_t packed[VTM_PACKED_KEY];
	struct vtm_redis_command c;

	vtm_pack_key(key, packed);
	begin_call(s, &c);
	vtm_redis_command_begin(&c, "ZREM");
	vtm_redis_key(s, &c, "qs", NULL, 0);
	vtm_redis_command_bytes(&c, packed, sizeof(packed));
	vtm_redis_command_end(&c);
	vtm_redis_command_begin(&c, "HDEL");
	vtm_redis_key(s, &c, "q", NULL, 0);
	vtm_redis_command_bytes(&c, packed, sizeof(packed));
	host_field(&c, packed);
	vtm_redis_command_end(&c);
	return do_all(s, &c, error);
}

static bool queued_of(const redisReply *key, const redisReply *value, const redisReply *host, struct vtm_queued *q)
{
	struct vtm_key k;

	if (!vtm_redis_is_bytes(key) || !vtm_redis_is_bytes(value) || !vtm_redis_is_bytes(host) ||
	    !vtm_unpack_key(key->str, (size_t)key->len, &k) || !vtm_unpack_queued(value->str, (size_t)value->len, q))
		return false;
	if (!vtm_key_equal(&q->lookup->key, &k)) {
		vtm_queued_clear(q);
		return false;
	}
	g_free(q->host);
	q->host = g_strdup(host->str);
	return true;
}

/* Reads the entries of <keys> from <from> on into <list>. */
static int load_chunk(struct vtm_redis *s, const redisReply *keys, size_t from, size_t n, GArray *list, GError **error)
{
	struct vtm_redis_command c;
	redisReply *r;
	int rc = 0;

	begin_call(s, &c);
	vtm_redis_command_begin(&c, "HMGET");
	vtm_redis_key(s, &c, "q", NULL, 0);
	for (size_t i = from; i < from + n; i++) {
		const redisReply *k = keys->element[i];
		uint8_t key[VTM_PACKED_KEY] = { 0 };

		if (vtm_redis_is_bytes(k) && k->len == sizeof(key))
			memcpy(key, k->str, sizeof(key));
		vtm_redis_command_bytes(&c, key, sizeof(key));
		host_field(&c, key);
	}
	vtm_redis_command_end(&c);
	r = vtm_redis_one(s, &c, error);
	if (!r)
		return -1;
	if (r->type != REDIS_REPLY_ARRAY || r->elements != 2 * n)
		rc = vtm_redis_nonsense(s, error);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct vtm_queued q;

		if (queued_of(keys->element[from + i], r->element[2 * i], r->element[2 * i + 1], &q))
			g_array_append_val(list, q);
	}
	freeReplyObject(r);
	return rc;
}

static void clear_queued(gpointer p)
{
	vtm_queued_clear(p);
}

static int queue_load(struct vtm_store *store, unsigned max, vtm_queued_each *each, void *arg, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;
	redisReply *keys;
	GArray *list;
	int rc = 0;

	if (!max)
		return 0;
	begin_call(s, &c);
	vtm_redis_command_begin(&c, "ZRANGE");
	vtm_redis_key(s, &c, "qs", NULL, 0);
	vtm_redis_command_int(&c, 0);
	vtm_redis_command_int(&c, (int64_t)max - 1);
	vtm_redis_command_end(&c);
	keys = vtm_redis_one(s, &c, error);
	if (!keys)
		return -1;
	list = g_array_new(FALSE, FALSE, sizeof(struct vtm_queued));
	g_array_set_clear_func(list, clear_queued);
	if (keys->type != REDIS_REPLY_ARRAY)
		rc = vtm_redis_nonsense(s, error);
	for (size_t i = 0; rc == 0 && i < keys->elements; i += CHUNK)
		rc = load_chunk(s, keys, i, MIN(CHUNK, keys->elements - i), list, error);
	for (guint i = 0; rc == 0 && i < list->len; i++)
		each(&g_array_index(list, struct vtm_queued, i), arg);
	rc = rc < 0 ? -1 : (int)list->len;
	g_array_unref(list);
	freeReplyObject(keys);
	return rc;
}

static int lease_for(struct vtm_redis *s, const struct vtm_key *key, int64_t ms, bool tell, GError **error)
{
	struct vtm_redis_command c;
	uint8_t packed[VTM_PACKED_KEY];
	int64_t ours;

	vtm_pack_key(key, packed);
	begin_call(s, &c);
	vtm_redis_script(s, &c, SCRIPT_LEASE, 1);
	key_of(s, &c, "x", key);
	vtm_redis_command_text(&c, s->owner);
	vtm_redis_command_int(&c, ms);
	if (tell)
		vtm_redis_key(s, &c, VTM_REDIS_CHANNEL, NULL, 0);
	else
		vtm_redis_command_text(&c, "");
	vtm_redis_command_bytes(&c, packed, sizeof(packed));
	vtm_redis_command_end(&c);
	return number_of(s, &c, &ours, error) < 0 ? -1 : ours == 1;
}

static int lease(struct vtm_store *store, const struct vtm_key *key, int64_t ms, GError **error)
{
	return lease_for(vtm_redis(store), key, MAX(ms, 1), false, error);
}

static int lease_drop(struct vtm_store *store, const struct vtm_key *key, GError **error)
{
	return lease_for(vtm_redis(store), key, 0, false, error) < 0 ? -1 : 0;
}

static int lease_end(struct vtm_store *store, const struct vtm_key *key, GError **error)
{
	return lease_for(vtm_redis(store), key, 0, true, error) < 0 ? -1 : 0;
}

/* ---- late verdicts ---- */

static void late_keys(struct vtm_redis *s, struct vtm_redis_command *c)
{
	vtm_redis_key(s, c, "l", NULL, 0);
	vtm_redis_key(s, c, "ls", NULL, 0);
	vtm_redis_key(s, c, "lz:", s->host, strlen(s->host));
}

static int too_many_late(struct vtm_redis *s, GError **error)
{
	g_set_error(error, VTM_ERROR, VTM_ERROR_LIMIT, "%s: %d late verdicts are waiting already", s->uri.shown,
		    VTM_STORE_LATE_MAX);
	return -1;
}

/* Inside a callback of vtm_store_journal_answer(): kept until the message is turned for good. */
static int late_keep(struct vtm_redis *s, const char *json, GError **error)
{
	struct vtm_redis_command c;
	int64_t waiting;

	begin_call(s, &c);
	vtm_redis_command_begin(&c, "HLEN");
	vtm_redis_key(s, &c, "l", NULL, 0);
	vtm_redis_command_end(&c);
	if (number_of(s, &c, &waiting, error) < 0)
		return -1;
	if (waiting + s->late->len >= VTM_STORE_LATE_MAX)
		return too_many_late(s, error);
	g_ptr_array_add(s->late, g_strdup(json));
	return 0;
}

static int late_add(struct vtm_store *store, const char *json, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;
	int64_t added;

	if (s->late)
		return late_keep(s, json, error);
	begin_call(s, &c);
	vtm_redis_script(s, &c, SCRIPT_LATE, 3);
	late_keys(s, &c);
	vtm_redis_command_text(&c, "add");
	vtm_redis_command_int(&c, VTM_STORE_LATE_MAX);
	vtm_redis_command_text(&c, json);
	vtm_redis_command_end(&c);
	if (number_of(s, &c, &added, error) < 0)
		return -1;
	return added ? 0 : too_many_late(s, error);
}

/* "attempts not_before json" */
static bool late_of(const redisReply *r, struct vtm_late *l)
{
	char *end;

	if (!vtm_redis_is_bytes(r))
		return false;
	l->attempts = (int)g_ascii_strtoll(r->str, &end, 10);
	if (*end != ' ')
		return false;
	l->not_before_ms = g_ascii_strtoll(end + 1, &end, 10);
	if (*end != ' ')
		return false;
	l->json = end + 1;
	return true;
}

static int late_one(struct vtm_redis *s, int64_t id, vtm_late_each *each, void *arg, GError **error)
{
	struct vtm_late l = { .id = id };
	struct vtm_redis_command c;
	redisReply *r;
	bool good;

	begin_call(s, &c);
	vtm_redis_command_begin(&c, "HGET");
	vtm_redis_key(s, &c, "l", NULL, 0);
	vtm_redis_command_int(&c, id);
	vtm_redis_command_end(&c);
	r = vtm_redis_one(s, &c, error);
	if (!r)
		return -1;
	good = late_of(r, &l);
	if (good)
		each(&l, arg);
	freeReplyObject(r);
	return good;
}

static gint by_number(gconstpointer a, gconstpointer b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Ids of this host's that are due, the oldest first. */
static GArray *late_ids(struct vtm_redis *s, GError **error)
{
	struct vtm_redis_command c;
	GArray *ids;
	redisReply *r;

	begin_call(s, &c);
	vtm_redis_command_begin(&c, "ZRANGEBYSCORE");
	vtm_redis_key(s, &c, "lz:", s->host, strlen(s->host));
	vtm_redis_command_text(&c, "-inf");
	vtm_redis_command_int(&c, vtm_utc_ms(s->clock));
	vtm_redis_command_end(&c);
	r = vtm_redis_one(s, &c, error);
	if (!r)
		return NULL;
	ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	for (size_t i = 0; r->type == REDIS_REPLY_ARRAY && i < r->elements; i++) {
		int64_t id = vtm_redis_number(r->element[i]);

		g_array_append_val(ids, id);
	}
	freeReplyObject(r);
	g_array_sort(ids, by_number);
	return ids;
}

static int late_due(struct vtm_store *store, unsigned max, vtm_late_each *each, void *arg, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	GArray *ids = late_ids(s, error);
	int n = ids ? 0 : -1;

	for (guint i = 0; n >= 0 && i < ids->len && (unsigned)n < max; i++) {
		int rc = late_one(s, g_array_index(ids, int64_t, i), each, arg, error);

		n = rc < 0 ? -1 : n + rc;
	}
	g_clear_pointer(&ids, g_array_unref);
	return n;
}

static int late_done(struct vtm_store *store, int64_t id, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;

	begin_call(s, &c);
	vtm_redis_command_begin(&c, "HDEL");
	vtm_redis_key(s, &c, "l", NULL, 0);
	vtm_redis_command_int(&c, id);
	vtm_redis_command_end(&c);
	vtm_redis_command_begin(&c, "ZREM");
	vtm_redis_key(s, &c, "lz:", s->host, strlen(s->host));
	vtm_redis_command_int(&c, id);
	vtm_redis_command_end(&c);
	return do_all(s, &c, error);
}

static int late_retry(struct vtm_store *store, int64_t id, int64_t not_before_ms, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;

	begin_call(s, &c);
	vtm_redis_script(s, &c, SCRIPT_LATE, 3);
	late_keys(s, &c);
	vtm_redis_command_text(&c, "retry");
	vtm_redis_command_int(&c, id);
	vtm_redis_command_int(&c, not_before_ms);
	vtm_redis_command_end(&c);
	return do_all(s, &c, error);
}

/* ---- meta ---- */

static int meta_set(struct vtm_store *store, const char *name, const char *value, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;

	begin_call(s, &c);
	vtm_redis_command_begin(&c, value ? "HSET" : "HDEL");
	vtm_redis_key(s, &c, "m", NULL, 0);
	vtm_redis_command_text(&c, name);
	if (value)
		vtm_redis_command_text(&c, value);
	vtm_redis_command_end(&c);
	return do_all(s, &c, error);
}

static int meta_get(struct vtm_store *store, const char *name, char **value_r, GError **error)
{
	struct vtm_redis *s = vtm_redis(store);
	struct vtm_redis_command c;
	redisReply *r;
	int rc = 0;

	begin_call(s, &c);
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
	.verdicts_get = verdicts_get,
	.verdict_put = verdict_put,
	.verdict_forget = verdict_forget,
	.verdicts_each = verdicts_each,
	.verdicts_expire = verdicts_expire,
	.budget_take = vtm_redis_budget_take,
	.budget_settle = vtm_redis_budget_settle,
	.budget_read = vtm_redis_budget_read,
	.budget_raise = vtm_redis_budget_raise,
	.budget_sync = vtm_redis_budget_sync,
	.budget_utc = vtm_redis_budget_utc,
	.queue_put = queue_put,
	.queue_delete = queue_delete,
	.queue_load = queue_load,
	.lease = lease,
	.lease_drop = lease_drop,
	.lease_end = lease_end,
	.watch = watch,
	.hears = hears,
	.watched = watched,
	.journal_add = vtm_redis_journal_add,
	.journal_answer = vtm_redis_journal_answer,
	.journal_list = vtm_redis_journal_list,
	.journal_find = vtm_redis_journal_find,
	.journal_expire = vtm_redis_journal_expire,
	.late_add = late_add,
	.late_due = late_due,
	.late_done = late_done,
	.late_retry = late_retry,
	.meta_set = meta_set,
	.meta_get = meta_get,
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
		char *sha = g_compute_checksum_for_string(G_CHECKSUM_SHA1, scripts[i], -1);

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
		if (ensure_link(s, &own) == 0)
			return &s->base;
		g_propagate_prefixed_error(error, own, "%s: ", s->uri.shown);
	}
	close_all(&s->base);
	return NULL;
}
