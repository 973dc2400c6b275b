/* SPDX-License-Identifier: BSD-2-Clause */
/* uri.h - where a Redis store is, from its URI; included by store*.c only.
 *
 *	redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]	rediss:// the same with TLS
 *	redis+unix:/PATH[?db=DB]
 *	redis-sentinel://[[USER]:PASSWORD@]HOST[:PORT],.../NAME[/DB]
 *
 * User and password are percent-decoded; an IPv6 address stands in brackets.
 */
#ifndef VTM_STORE_REDIS_URI_H
#define VTM_STORE_REDIS_URI_H

#include <glib.h>
#include <stdbool.h>

#define VTM_REDIS_HOSTS_MAX 16	/* Sentinels */

struct vtm_redis_host {
	char *name;
	char port[6];
};

struct vtm_redis_uri {
	bool tls;
	char *path;			/* of a unix socket; else NULL */
	struct vtm_redis_host hosts[VTM_REDIS_HOSTS_MAX];
	unsigned n_hosts;		/* of the server, or the Sentinels */
	char *master;			/* name that the Sentinels know; NULL: no Sentinels */
	char *user, *password;		/* NULL: none */
	unsigned db;
	char *shown;			/* the URI without user and password, for messages */
};

/* Fills *u; vtm_redis_uri_clear() it whatever comes back.  false and VTM_ERROR_CONFIG (without the password). */
bool vtm_redis_uri_parse(const char *uri, struct vtm_redis_uri *u, GError **error);
void vtm_redis_uri_clear(struct vtm_redis_uri *u);

/* Does the scheme say Redis? */
bool vtm_redis_uri_is(const char *uri);

#endif
