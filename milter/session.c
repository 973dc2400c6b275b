/* SPDX-License-Identifier: BSD-2-Clause */
/* session.c - connections and messages. */
#include "session.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "daemon.h"
#include "mail/mime.h"

#define OUR_PREFIX "x-vt-"

const char *vtm_plan_name(enum vtm_plan plan)
{
	switch (plan) {
	case VTM_PLAN_SCAN:
		return "scan";
	case VTM_PLAN_STRIP:
		return "skip";
	case VTM_PLAN_TRUST:
		return "trust";
	}
	g_return_val_if_reached("scan");
}

struct vtm_session *vtm_session_new(const struct sockaddr *client)
{
	struct vtm_session *s = g_new0(struct vtm_session, 1);
	char text[INET6_ADDRSTRLEN];
	const void *address = NULL;

	if (client && client->sa_family == AF_INET)
		address = &((const struct sockaddr_in *)(const void *)client)->sin_addr;
	else if (client && client->sa_family == AF_INET6)
		address = &((const struct sockaddr_in6 *)(const void *)client)->sin6_addr;
	if (address && inet_ntop(client->sa_family, address, text, sizeof(text)))
		s->client = g_strdup(text);
	return s;
}

void vtm_session_free(struct vtm_session *s)
{
	if (!s)
		return;
	vtm_session_end(s);
	g_free(s->client);
	g_free(s);
}

static enum vtm_plan plan_for(const struct vtm_session *s, const struct vtm_conf *c, bool authenticated)
{
	if (s->client && vtm_netlist_has(c->trusted_relays, s->client))
		return VTM_PLAN_TRUST;
	if (!c->enabled || (authenticated && c->skip_authenticated))
		return VTM_PLAN_STRIP;
	if (s->client && vtm_netlist_has(c->skip_networks, s->client))
		return VTM_PLAN_STRIP;
	return VTM_PLAN_SCAN;
}

static enum vtm_origin origin_of(const struct vtm_session *s, const struct vtm_conf *c, bool authenticated)
{
	if (authenticated)
		return VTM_ORIGIN_AUTHENTICATED;
	return s->client && vtm_netlist_has(c->own_networks, s->client) ? VTM_ORIGIN_NETWORKS : VTM_ORIGIN_INBOUND;
}

char *vtm_address_bare(const char *address)
{
	size_t n = strlen(address);

	if (n >= 2 && address[0] == '<' && address[n - 1] == '>')
		return g_strndup(address + 1, MIN(n - 2, VTM_ADDRESS_MAX));
	return g_strndup(address, VTM_ADDRESS_MAX);
}

static void begin_spool(const struct vtm_session *s, struct vtm_message *m)
{
	char *net = s->client ? vtm_net_of(s->client) : NULL;

	m->spool = vtm_spool_new(m->conf->temp_directory, m->conf->max_message_size);
	if (vtm_daemon.collecting)
		vtm_spool_share(m->spool, vtm_daemon.collecting, net);
	g_free(net);
}

struct vtm_message *vtm_session_begin(struct vtm_session *s, const char *sender, bool authenticated)
{
	struct vtm_message *m = g_new0(struct vtm_message, 1);

	vtm_session_end(s);
	s->message = m;
	g_atomic_int_inc(&vtm_daemon.open);
	m->conf = vtm_conf_current();
	m->plan = plan_for(s, m->conf, authenticated);
	m->origin = origin_of(s, m->conf, authenticated);
	m->sender = vtm_address_bare(sender);
	m->recipients = g_ptr_array_new_with_free_func(g_free);
	m->ours = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	m->shares_apply = !authenticated && s->client && !vtm_netlist_has(m->conf->skip_networks, s->client);
	if (m->plan == VTM_PLAN_SCAN)
		begin_spool(s, m);
	return m;
}

void vtm_session_end(struct vtm_session *s)
{
	struct vtm_message *m = s->message;

	if (!m)
		return;
	s->message = NULL;
	g_atomic_int_add(&vtm_daemon.open, -1);
	vtm_spool_free(m->spool);
	g_hash_table_destroy(m->ours);
	g_ptr_array_free(m->recipients, TRUE);
	g_free(m->sender);
	vtm_conf_unref(m->conf);
	g_free(m);
}

void vtm_message_add_recipient(struct vtm_message *m, const char *recipient)
{
	if (m->recipients->len < VTM_RECIPIENTS_MAX)
		g_ptr_array_add(m->recipients, vtm_address_bare(recipient));
}

void vtm_message_add(struct vtm_message *m, const void *data, size_t len)
{
	m->size += len;
	/* a failed spool reports that at the end of the message */
	if (m->spool)
		vtm_spool_add(m->spool, data, len, NULL);
}

/* The MTA joins folded lines with LF, where a message has CRLF. */
static void add_value(struct vtm_message *m, const char *value)
{
	while (*value) {
		size_t n = strcspn(value, "\n");

		vtm_message_add(m, value, n && value[n] && value[n - 1] == '\r' ? n - 1 : n);
		value += n;
		if (*value) {
			vtm_message_add(m, "\r\n", 2);
			value++;
		}
	}
}

/* MTAs ignore the case of names, so all spellings of a name share their indexes. */
static void note_ours(struct vtm_message *m, const char *name)
{
	char *key = g_ascii_strdown(name, -1);
	guint n = GPOINTER_TO_UINT(g_hash_table_lookup(m->ours, key));

	m->forged++;
	if (n || g_hash_table_size(m->ours) < VTM_OUR_NAMES_MAX) {
		g_hash_table_replace(m->ours, key, GUINT_TO_POINTER(n + 1));
	} else {
		m->overrun = true;
		g_free(key);
	}
}

void vtm_message_add_header(struct vtm_message *m, const char *name, const char *value)
{
	if (g_ascii_strncasecmp(name, OUR_PREFIX, strlen(OUR_PREFIX)) == 0) {
		note_ours(m, name);	/* a header that will be removed is not part of the message */
		return;
	}
	if (m->has_field && vtm_mime_may_skip(name, value)) {
		m->size += strlen(name) + strlen(value) + strlen(": \r\n");
		return;
	}
	m->has_field = true;
	vtm_message_add(m, name, strlen(name));
	vtm_message_add(m, ": ", 2);
	add_value(m, value);
	vtm_message_add(m, "\r\n", 2);
}
