/* SPDX-License-Identifier: BSD-2-Clause */
/* netlist.c - a hash table of networks; a search looks once for each prefix length in use. */
#include "base/netlist.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/error.h"

#define NETS_MAX 10000
#define V4_PREFIX 96	/* an IPv4 address is stored as ::ffff:a.b.c.d */
#define BITS 128

struct net {
	uint8_t bytes[16];	/* host bits zero */
	uint8_t prefix;
};

struct vtm_netlist {
	GHashTable *nets;		/* a set of struct net *, owned */
	bool used[BITS + 1];		/* prefix lengths that occur */
};

static guint net_hash(gconstpointer p)
{
	const struct net *n = p;
	guint h = n->prefix;

	for (size_t i = 0; i < sizeof(n->bytes); i++)
		h = h * 31 + n->bytes[i];
	return h;
}

static gboolean net_equal(gconstpointer a, gconstpointer b)
{
	const struct net *x = a, *y = b;

	return x->prefix == y->prefix && !memcmp(x->bytes, y->bytes, sizeof(x->bytes));
}

static void mask(struct net *n, unsigned prefix)
{
	for (unsigned i = 0; i < sizeof(n->bytes); i++) {
		unsigned kept = prefix > i * 8 ? MIN(prefix - i * 8, 8) : 0;

		n->bytes[i] &= (uint8_t)(0xff00u >> kept);
	}
	n->prefix = (uint8_t)prefix;
}

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool is_v4(const struct net *n)
{
	return !memcmp(n->bytes, mapped, sizeof(mapped));
}

/* Reads an address in text form as a network of one address. */
static bool read_address(const char *text, struct net *n)
{
	n->prefix = BITS;
	if (strchr(text, ':'))
		return inet_pton(AF_INET6, text, n->bytes) == 1;
	memcpy(n->bytes, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, n->bytes + sizeof(mapped)) == 1;
}

static char *net_text(const struct net *n)
{
	char text[INET6_ADDRSTRLEN];
	bool v4 = is_v4(n) && n->prefix >= V4_PREFIX;

	if (v4)
		inet_ntop(AF_INET, n->bytes + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET6, n->bytes, text, sizeof(text));
	return g_strdup_printf("%s/%d", text, v4 ? n->prefix - V4_PREFIX : n->prefix);
}

static bool read_prefix(const char *text, unsigned max, unsigned *prefix_r)
{
	guint64 value;

	if (!g_ascii_string_to_unsigned(text, 10, 0, max, &value, NULL))
		return false;
	*prefix_r = (unsigned)value;
	return true;
}

/* Reads "ADDRESS" or "[ADDRESS]", each with or without "/PREFIX". */
static bool read_net(const char *entry, struct net *n, GError **error)
{
	char *address = g_strdup(entry), *slash = strchr(address, '/'), *bare = address;
	unsigned prefix = BITS;
	struct net whole;
	bool good = false, v4;
	size_t len;

	if (slash)
		*slash++ = '\0';
	len = strlen(bare);
	if (len > 2 && bare[0] == '[' && bare[len - 1] == ']') {
		bare[len - 1] = '\0';
		bare++;
	}
	if (!read_address(bare, n)) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG,
			    "'%s' is not a network; write an address or a network such as 192.0.2.0/24 or "
			    "2001:db8::/32",
			    entry);
		goto out;
	}
	v4 = !strchr(bare, ':');
	if (slash && !read_prefix(slash, v4 ? BITS - V4_PREFIX : BITS, &prefix)) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "'%s': the prefix length must be 0 to %d", entry,
			    v4 ? BITS - V4_PREFIX : BITS);
		goto out;
	}
	if (slash && v4)
		prefix += V4_PREFIX;
	whole = *n;
	mask(n, prefix);
	if (memcmp(n->bytes, whole.bytes, sizeof(whole.bytes))) {
		char *right = net_text(n);

		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "'%s' has host bits set; write %s", entry, right);
		g_free(right);
		goto out;
	}
	good = true;
out:
	g_free(address);
	return good;
}

struct vtm_netlist *vtm_netlist_parse(const char *text, GError **error)
{
	struct vtm_netlist *l = g_new0(struct vtm_netlist, 1);
	GStrv entries = g_strsplit_set(text, ", \t\r\n", -1);

	l->nets = g_hash_table_new_full(net_hash, net_equal, g_free, NULL);
	for (unsigned i = 0; entries[i]; i++) {
		struct net n;

		if (!*entries[i])
			continue;
		if (!read_net(entries[i], &n, error))
			goto bad;
		l->used[n.prefix] = true;
		g_hash_table_add(l->nets, g_memdup2(&n, sizeof(n)));
		if (g_hash_table_size(l->nets) > NETS_MAX) {
			g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "more than %d networks", NETS_MAX);
			goto bad;
		}
	}
	g_strfreev(entries);
	return l;
bad:
	g_strfreev(entries);
	vtm_netlist_free(l);
	return NULL;
}

void vtm_netlist_free(struct vtm_netlist *l)
{
	if (!l)
		return;
	g_hash_table_destroy(l->nets);
	g_free(l);
}

bool vtm_netlist_has(const struct vtm_netlist *l, const char *address)
{
	struct net n;

	if (!l || !address || !read_address(address, &n))
		return false;
	/* ::/0 means all of IPv6, but not the IPv4 addresses that are stored in it */
	for (unsigned prefix = BITS + 1, end = is_v4(&n) ? V4_PREFIX : 0; prefix-- > end;) {
		if (!l->used[prefix])
			continue;
		mask(&n, prefix);
		if (g_hash_table_contains(l->nets, &n))
			return true;
	}
	return false;
}

char *vtm_net_of(const char *address)
{
	struct net n;

	if (!address || !read_address(address, &n))
		return NULL;
	mask(&n, is_v4(&n) ? V4_PREFIX + 24 : 64);
	return net_text(&n);
}
