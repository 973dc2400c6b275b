/* SPDX-License-Identifier: BSD-2-Clause */
/* uri.c - where a Redis store is, from its URI. */
#include "store/redis/uri.h"

#include <string.h>

#include "base/error.h"

#define REDIS_PORT "6379"
#define SENTINEL_PORT "26379"
#define DB_MAX 65535
#define UNIX_PATH_MAX 107	/* struct sockaddr_un */

static const struct scheme {
	const char *prefix;
	bool tls, sentinel, local;
} schemes[] = {
	{ "redis://", false, false, false },
	{ "rediss://", true, false, false },
	{ "redis+unix:", false, false, true },
	{ "redis-sentinel://", false, true, false },
};

static const struct scheme *scheme_of(const char *uri)
{
	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
		if (g_str_has_prefix(uri, schemes[i].prefix))
			return &schemes[i];
	return NULL;
}

bool vtm_redis_uri_is(const char *uri)
{
	return scheme_of(uri) != NULL;
}

static bool wrong(const char *what, GError **error)
{
	g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG,
		    "%s: expected redis://[[USER]:PASSWORD@]HOST[:PORT][/DB], rediss://..., redis+unix:/PATH[?db=DB] "
		    "or redis-sentinel://HOST[:PORT],.../NAME[/DB]", what);
	return false;
}

static bool number(const char *text, guint64 min, guint64 max, guint64 *value_r)
{
	return g_ascii_string_to_unsigned(text, 10, min, max, value_r, NULL);
}

static bool parse_db(struct vtm_redis_uri *u, const char *text, GError **error)
{
	guint64 db = 0;

	if (text && *text && !number(text, 0, DB_MAX, &db))
		return wrong("the number of the database", error);
	u->db = (unsigned)db;
	return true;
}

/* "[USER]:PASSWORD" */
static bool parse_login(struct vtm_redis_uri *u, const char *login, GError **error)
{
	const char *colon = strchr(login, ':');
	char *user;

	if (!colon)
		return wrong("a password (put a colon before it)", error);
	user = g_uri_unescape_segment(login, colon, NULL);
	u->password = g_uri_unescape_string(colon + 1, NULL);
	if (user && *user)
		u->user = g_steal_pointer(&user);
	if (!u->password || (colon > login && !u->user)) {
		g_free(user);
		return wrong("user and password", error);
	}
	g_free(user);
	return true;
}

static bool name_ok(const char *name)
{
	size_t n = strlen(name);

	for (const char *p = name; *p; p++)
		if (!g_ascii_isalnum(*p) && !strchr("-._:%", *p))
			return false;
	return n > 0 && n <= 255;
}

/* "HOST", "HOST:PORT", "[V6]" or "[V6]:PORT" */
static bool parse_host(struct vtm_redis_uri *u, const char *text, const char *default_port, GError **error)
{
	struct vtm_redis_host *h = &u->hosts[u->n_hosts];
	const char *end = text[0] == '[' ? strchr(text, ']') : strchr(text, ':');
	const char *port = default_port;
	guint64 n;

	if (u->n_hosts == VTM_REDIS_HOSTS_MAX)
		return wrong("the hosts (too many)", error);
	u->n_hosts++;
	if (text[0] == '[') {
		if (!end || (end[1] && end[1] != ':'))
			return wrong("the address", error);
		h->name = g_strndup(text + 1, (gsize)(end - text - 1));
		if (end[1])
			port = end + 2;
	} else {
		h->name = end ? g_strndup(text, (gsize)(end - text)) : g_strdup(text);
		if (end)
			port = end + 1;
	}
	if (!name_ok(h->name))
		return wrong("the host", error);
	if (!number(port, 1, 65535, &n))
		return wrong("the port", error);
	g_snprintf(h->port, sizeof(h->port), "%u", (unsigned)n);
	return true;
}

static bool parse_hosts(struct vtm_redis_uri *u, const struct scheme *s, const char *list, GError **error)
{
	char **hosts = g_strsplit(list, s->sentinel ? "," : "\n", -1);
	bool good = hosts[0] != NULL;

	if (!good)
		wrong("the host", error);
	for (unsigned i = 0; good && hosts[i]; i++)
		good = parse_host(u, hosts[i], s->sentinel ? SENTINEL_PORT : REDIS_PORT, error);
	g_strfreev(hosts);
	return good;
}

/* "/NAME[/DB]" or "[/DB]" */
static bool parse_rest(struct vtm_redis_uri *u, const struct scheme *s, const char *rest, GError **error)
{
	const char *slash;

	if (!s->sentinel)
		return parse_db(u, *rest ? rest + 1 : rest, error);
	rest += *rest == '/';
	slash = strchr(rest, '/');
	u->master = slash ? g_strndup(rest, (gsize)(slash - rest)) : g_strdup(rest);
	if (!name_ok(u->master))
		return wrong("the name that the Sentinels know", error);
	return parse_db(u, slash ? slash + 1 : "", error);
}

static bool parse_network(struct vtm_redis_uri *u, const struct scheme *s, const char *text, GError **error)
{
	const char *at = strrchr(text, '@'), *hosts = at ? at + 1 : text;
	const char *rest = hosts + strcspn(hosts, "/");
	char *login = at ? g_strndup(text, (gsize)(at - text)) : NULL;
	char *list = g_strndup(hosts, (gsize)(rest - hosts));
	bool good = (!login || parse_login(u, login, error)) && parse_hosts(u, s, list, error) &&
		    parse_rest(u, s, rest, error);

	u->shown = g_strconcat(s->prefix, hosts, NULL);
	g_free(login);
	g_free(list);
	return good;
}

static bool parse_local(struct vtm_redis_uri *u, const struct scheme *s, const char *text, GError **error)
{
	const char *query = strstr(text, "?db=");

	if (g_str_has_prefix(text, "//"))
		text += 2;
	u->path = query ? g_strndup(text, (gsize)(query - text)) : g_strdup(text);
	u->shown = g_strconcat(s->prefix, u->path, NULL);
	if (u->path[0] != '/' || strlen(u->path) > UNIX_PATH_MAX)
		return wrong("the path of the socket", error);
	return parse_db(u, query ? query + 4 : "", error);
}

bool vtm_redis_uri_parse(const char *uri, struct vtm_redis_uri *u, GError **error)
{
	const struct scheme *s = scheme_of(uri);

	memset(u, 0, sizeof(*u));
	if (!s)
		return wrong("the scheme", error);
	u->tls = s->tls;
	if (s->local)
		return parse_local(u, s, uri + strlen(s->prefix), error);
	return parse_network(u, s, uri + strlen(s->prefix), error);
}

void vtm_redis_uri_clear(struct vtm_redis_uri *u)
{
	g_free(u->path);
	for (unsigned i = 0; i < u->n_hosts; i++)
		g_free(u->hosts[i].name);
	g_free(u->master);
	g_free(u->user);
	g_free(u->password);
	g_free(u->shown);
	memset(u, 0, sizeof(*u));
}
