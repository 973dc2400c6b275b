/* SPDX-License-Identifier: BSD-2-Clause */
/* open.c - opens a store by its URI. */
#include "build-config.h"

#include "store/open/open.h"

#include <string.h>

#include "base/error.h"
#include "store/redis/open.h"
#include "store/redis/uri.h"
#include "store/sqlite/open.h"

#define SQLITE "sqlite:"

static bool sqlite_path_ok(const char *path, GError **error)
{
	if (path[0] && path[0] != ':' && strlen(path) < 4000)
		return true;
	g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "\"" SQLITE "%s\": expected " SQLITE "PATH of a file", path);
	return false;
}

static bool redis_uri_ok(const char *uri, GError **error)
{
	struct vtm_redis_uri u;
	bool good = vtm_redis_uri_parse(uri, &u, error);

	vtm_redis_uri_clear(&u);
	return good;
}

static void no_such_form(const char *uri, GError **error)
{
	g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG,
		    "\"%s\" is no store: expected sqlite:PATH, redis://HOST[:PORT][/DB], rediss://..., redis+unix:PATH "
		    "or redis-sentinel://HOST,.../NAME", uri);
}

bool vtm_store_uri_ok(const char *uri, GError **error)
{
	if (g_str_has_prefix(uri, SQLITE))
		return sqlite_path_ok(uri + strlen(SQLITE), error);
	if (vtm_redis_uri_is(uri))
		return redis_uri_ok(uri, error);
	no_such_form(uri, error);
	return false;
}

struct vtm_store *vtm_store_open(const char *uri, const struct vtm_store_settings *settings, GError **error)
{
	struct vtm_store *s = NULL;

	if (!vtm_store_uri_ok(uri, error))
		return NULL;
	if (g_str_has_prefix(uri, SQLITE))
		s = vtm_store_sqlite_open(uri + strlen(SQLITE), settings, error);
	else
#ifdef HAVE_HIREDIS
		s = vtm_store_redis_open(uri, settings, error);
#else
		g_set_error(error, VTM_ERROR, VTM_ERROR_NOT_BUILT, "this vtmilter was built without Redis");
#endif
	return s;
}
