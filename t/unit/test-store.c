/* SPDX-License-Identifier: BSD-2-Clause */
/* test-store.c - the common store suite on every backend, and what all have in common. */
#include "build-config.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "store-redis-server.h"
#include "store-suite.h"
#include "tap.h"
#include "store/open/open.h"

static struct vtm_clock_manual manual;
static char *dir;

static void renew_sqlite(struct suite *s)
{
	static unsigned n;
	static char uri[256];

	g_snprintf(uri, sizeof(uri), "sqlite:%s/%u.db", dir, n++);
	s->uri = uri;
}

static struct redis_server server;

/* One server, another prefix. */
static void renew_redis(struct suite *s)
{
	static unsigned n;
	static char prefix[32];

	g_snprintf(prefix, sizeof(prefix), "test%u:", n++);
	s->settings.prefix = prefix;
}

static void redis(const char *name, struct suite *sqlite)
{
	struct suite s = { .name = name, .clock = &manual, .renew = renew_redis, .margin_ms = 500 };
	char *uri = g_strconcat("redis+unix:", server.socket, NULL);

	s.uri = uri;
	s.settings.clock = &manual.clock;
	suite_run(&s);
	suite_copy(sqlite, &s);
	suite_copy(&s, sqlite);
	suite_copy_again(sqlite, &s);
	suite_copy_again(&s, sqlite);
	g_free(uri);
}

/* A cluster of one, which refuses keys that do not belong together. */
static bool start_cluster(void)
{
	static const char *const options[] = { "--cluster-enabled", "yes", "--cluster-port", "0", NULL };
	bool good;

	server.port = redis_server_free_port();
	good = server.port < 55000 && redis_server_start(&server, options);
	g_free(redis_server_cli(&server, "cluster addslotsrange 0 16383"));
	for (int i = 0; good && i < 500; i++) {
		char *out = redis_server_cli(&server, "cluster info");
		bool up = strstr(out, "cluster_state:ok") != NULL;

		g_free(out);
		if (up)
			return true;
		g_usleep(20000);
	}
	return false;
}

static void redis_all(struct suite *sqlite)
{
#ifndef HAVE_HIREDIS
	skip("built without Redis", "the suite on Redis");
	return;
#endif
	if (!redis_server_there()) {
		skip("neither redis-server nor valkey-server is installed", "the suite on Redis");
		return;
	}
	redis_server_init(&server, "redis");
	if (ok(redis_server_start(&server, NULL), "a private %s runs", redis_server_program()))
		redis("redis", sqlite);
	redis_server_clear(&server);
	redis_server_init(&server, "cluster");
	if (start_cluster())
		redis("redis cluster", sqlite);
	else
		skip("no Redis Cluster can be started", "the suite on a Redis Cluster");
	redis_server_clear(&server);
}

static void uris(void)
{
	static const struct { const char *uri; bool good; } cases[] = {
		{ "sqlite:/var/lib/vtmilter/vtmilter.db", true },
		{ "sqlite:x.db", true },
		{ "sqlite:", false },
		{ "sqlite::memory:", false },
		{ "redis://h", true },
		{ "redis://:p%40ss@[2001:db8::1]:6380/3", true },
		{ "redis://user:pass@h:6379", true },
		{ "rediss://h/0", true },
		{ "redis+unix:/run/redis/redis.sock", true },
		{ "redis+unix:///run/redis/redis.sock?db=2", true },
		{ "redis-sentinel://a,b:26380,[::1]/mymaster/1", true },
		{ "redis://", false },
		{ "redis:", false },
		{ "redis://h:0", false },
		{ "redis://h:65536", false },
		{ "redis://h:x", false },
		{ "redis://h/x", false },
		{ "redis://h/65536", false },
		{ "redis://[::1", false },
		{ "redis://[::1]6379", false },
		{ "redis://pass@h", false },
		{ "redis://a,b/0", false },
		{ "redis://h h/0", false },
		{ "redis+unix:run/redis.sock", false },
		{ "redis-sentinel://a,b", false },
		{ "redis-sentinel:///name", false },
		{ "redis-sentinel://a,,b/name", false },
		{ "redis-sentinel://1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16/name", true },
		{ "redis-sentinel://1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17/name", false },
		{ "mysql://h/db", false },
		{ "/var/lib/vtmilter.db", false },
		{ "", false },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct vtm_store_settings settings = { .clock = &manual.clock };
		GError *error = NULL;

		ok(vtm_store_uri_ok(cases[i].uri, &error) == cases[i].good, "\"%s\" is %s", cases[i].uri,
		   cases[i].good ? "a store" : "none");
		ok(cases[i].good || g_error_matches(error, VTM_ERROR, VTM_ERROR_CONFIG),
		   "told as a configuration error");
		g_clear_error(&error);
		if (!cases[i].good)
			ok(!vtm_store_open(cases[i].uri, &settings, &error) &&
			   g_error_matches(error, VTM_ERROR, VTM_ERROR_CONFIG), "nor is it opened");
		g_clear_error(&error);
	}
	vtm_store_close(NULL);
}

static void remove_dir(void)
{
	GDir *d = g_dir_open(dir, 0, NULL);
	const char *name;

	while (d && (name = g_dir_read_name(d))) {
		char *path = g_build_filename(dir, name, NULL);

		unlink(path);
		g_free(path);
	}
	if (d)
		g_dir_close(d);
	rmdir(dir);
	g_free(dir);
}

int main(void)
{
	struct suite sqlite = { .name = "sqlite", .clock = &manual, .renew = renew_sqlite };

	dir = g_dir_make_tmp("vtmilter-store-XXXXXX", NULL);
	vtm_clock_manual_init(&manual, SUITE_NOON);
	sqlite.settings.clock = &manual.clock;
	uris();
	suite_run(&sqlite);
	suite_copy(&sqlite, &sqlite);
	suite_copy_again(&sqlite, &sqlite);
	redis_all(&sqlite);
	remove_dir();
	return done_testing();
}
