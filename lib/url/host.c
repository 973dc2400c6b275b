/* SPDX-License-Identifier: BSD-2-Clause */
/* host.c - hosts read as browsers read them, and what can be told from a name alone. */
#include "url/host.h"

#include <arpa/inet.h>
#include <libpsl.h>
#include <string.h>

#include "url/escape.h"

#define HOST_TEXT_MAX 1024	/* bytes of a host as written: escapes and UTF-8 of the longest possible name */
#define HOST_MAX 253		/* of a host in normal form (RFC 1035) */
#define LABEL_MAX 63

/* ---- addresses ----------------------------------------------------------- */

/* One part of an IPv4 address as browsers read it: decimal, octal, hexadecimal. */
static bool ipv4_part(const char *s, guint64 *value_r)
{
	guint base = 10;

	*value_r = 0;
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	} else if (!*s) {
		return false;
	} else if (s[0] == '0' && s[1]) {
		base = 8;
	}
	for (; *s; s++) {
		gint digit = g_ascii_xdigit_value(*s);

		if (digit < 0 || (guint)digit >= base)
			return false;
		*value_r = *value_r * base + (guint)digit;
		if (*value_r > G_MAXUINT32)
			return false;
	}
	return true;
}

/* A host whose last label is a number is an IPv4 address or nothing. */
static bool ends_in_number(const char *host)
{
	const char *last = strrchr(host, '.');
	guint64 value;

	last = last ? last + 1 : host;
	return *last && (strspn(last, "0123456789") == strlen(last) || ipv4_part(last, &value));
}

static char *ipv4_normal(const char *host)
{
	char **part = g_strsplit(host, ".", 6), *dotted = NULL;
	guint n = g_strv_length(part);
	guint64 sum = 0, value;

	if (n > 4)
		goto out;
	for (guint i = 0; i < n; i++) {
		if (!ipv4_part(part[i], &value) || (i + 1 < n && value > 255))
			goto out;
		if (i + 1 < n)
			sum |= value << (8 * (3 - i));
		else if (value >> (8 * (4 - i)))
			goto out;
		else
			sum |= value;
	}
	dotted = g_strdup_printf("%u.%u.%u.%u", (guint)(sum >> 24), (guint)(sum >> 16 & 255), (guint)(sum >> 8 & 255),
				 (guint)(sum & 255));
out:
	g_strfreev(part);
	return dotted;
}

/* The longest run of at least two zero groups, the first of equals; its length in *n_r, 0: none. */
static int longest_zeros(const struct in6_addr *a, int *n_r)
{
	int best = -1;

	*n_r = 1;
	for (int i = 0, n = 0; i < 8; i++) {
		n = a->s6_addr[2 * i] || a->s6_addr[2 * i + 1] ? 0 : n + 1;
		if (n > *n_r) {
			*n_r = n;
			best = i - n + 1;
		}
	}
	if (best < 0)
		*n_r = 0;
	return best;
}

/* The URL standard's serializer: inet_ntop() would write the last 32 bits of some addresses as IPv4. */
static char *ipv6_normal(const char *text, size_t len)
{
	char buf[INET6_ADDRSTRLEN];
	struct in6_addr addr;
	GString *s;
	int zeros, n;

	if (len >= sizeof(buf))
		return NULL;
	memcpy(buf, text, len);
	buf[len] = '\0';
	if (inet_pton(AF_INET6, buf, &addr) != 1)
		return NULL;
	s = g_string_new(NULL);
	zeros = longest_zeros(&addr, &n);
	for (int i = 0; i < 8; i++) {
		if (i == zeros) {
			g_string_append(s, i ? ":" : "::");
			i += n - 1;
			continue;
		}
		g_string_append_printf(s, "%x", addr.s6_addr[2 * i] << 8 | addr.s6_addr[2 * i + 1]);
		if (i < 7)
			g_string_append_c(s, ':');
	}
	return g_string_free(s, FALSE);
}

/* ---- names ---------------------------------------------------------------- */

/* Characters that name preparation maps to nothing, and the dots that are none of ASCII's. */
static char *fold_unicode(const char *host)
{
	char *composed = g_utf8_normalize(host, -1, G_NORMALIZE_NFKC), *ascii;
	GString *s;

	if (!composed)
		return NULL;
	s = g_string_sized_new(strlen(composed));
	for (char *p = composed; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (c == 0x3002)
			g_string_append_c(s, '.');
		else if (c == 0x3a3)	/* sigma: at the end of a word GLib would choose another one than UTS 46 */
			g_string_append_unichar(s, 0x3c3);
		else if (c != 0xad && c != 0x34f && c != 0x2060 && c != 0xfeff && (c < 0x180b || c > 0x180d) &&
			 (c < 0x200b || c > 0x200d) && (c < 0xfe00 || c > 0xfe0f))
			g_string_append_unichar(s, c);
	}
	ascii = g_hostname_to_ascii(s->str);
	g_string_free(s, TRUE);
	g_free(composed);
	return ascii;
}

/* What no name can hold: the URL standard's forbidden domain code points.  Quotes and braces are not among them. */
static bool host_bytes_ok(const char *host)
{
	size_t label = 0;

	for (const char *p = host; *p; p++) {
		if (*p == '.') {
			if (!label)
				return false;
			label = 0;
			continue;
		}
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || strchr("#/:<>?@[\\]^|%", *p) ||
		    ++label > LABEL_MAX)
			return false;
	}
	return label > 0;
}

static bool is_ascii(const char *s)
{
	while (*s && (signed char)*s > 0)
		s++;
	return !*s;
}

char *vtm_host_normal(const char *host, gssize length)
{
	size_t len = length < 0 ? strlen(host) : (size_t)length;
	char *name, *out;

	if (!len || len > HOST_TEXT_MAX || memchr(host, '\0', len))
		return NULL;
	if (host[0] == '[')
		return host[len - 1] == ']' ? ipv6_normal(host + 1, len - 2) : NULL;
	if (memchr(host, ':', len))
		return ipv6_normal(host, len);
	name = vtm_url_unescape(host, (gssize)len);
	if (name && !is_ascii(name)) {
		out = g_utf8_validate(name, -1, NULL) ? fold_unicode(name) : NULL;
		g_free(name);
		name = out;
	}
	if (!name)
		return NULL;
	len = strlen(name);
	if (len && name[len - 1] == '.')
		name[--len] = '\0';
	if (len > HOST_MAX || !host_bytes_ok(name))
		out = NULL;
	else
		out = ends_in_number(name) ? ipv4_normal(name) : g_ascii_strdown(name, -1);
	g_free(name);
	return out;
}

bool vtm_host_is_ip(const char *host)
{
	struct in6_addr addr;

	return inet_pton(AF_INET, host, &addr) == 1 || inet_pton(AF_INET6, host, &addr) == 1;
}

/* The list compiled into libpsl, or the system's file where a distribution compiled none in. */
static const psl_ctx_t *suffixes(void)
{
	static const psl_ctx_t *list;
	static gsize once;

	if (g_once_init_enter(&once)) {
		list = psl_builtin();
		if (!list)
			list = psl_latest(NULL);
		g_once_init_leave(&once, 1);
	}
	return list;
}

bool vtm_host_is_suffix(const char *host)
{
	return suffixes() && psl_is_public_suffix2(suffixes(), host, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE);
}

bool vtm_host_plausible(const char *host)
{
	const char *dot = strrchr(host, '.');

	return dot && dot != host && dot[1] && suffixes() && !vtm_host_is_ip(host) &&
	       psl_is_public_suffix2(suffixes(), dot + 1, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) &&
	       !vtm_host_is_suffix(host);
}

const char *vtm_host_domain(const char *host)
{
	const char *domain = suffixes() && !vtm_host_is_ip(host) ? psl_registrable_domain(suffixes(), host) : NULL;

	return domain ? domain : host;
}

bool vtm_host_is_tenant(const char *host)
{
	const char *dot = vtm_host_is_ip(host) ? NULL : strchr(vtm_host_domain(host), '.');

	return suffixes() && dot &&
	       psl_is_public_suffix2(suffixes(), dot + 1, PSL_TYPE_PRIVATE | PSL_TYPE_NO_STAR_RULE);
}

bool vtm_host_like_file(const char *host)
{
	static const char *const endings[] = {
		"bz", "cab", "cc", "java", "la", "md", "mm", "mo", "mov", "pl", "pm", "ps", "py", "rs", "sh", "so",
		"tf", "zip", NULL
	};
	const char *dot = strchr(host, '.');

	return dot && g_strv_contains(endings, dot + 1);
}

/* ---- where a host is -------------------------------------------------------- */

bool vtm_host_is_below(const char *host, const char *domain, gssize len)
{
	size_t n = len < 0 ? strlen(domain) : (size_t)len, h = strlen(host);

	return h >= n && !memcmp(host + h - n, domain, n) && (h == n || host[h - n - 1] == '.');
}

/* Ranges that are not public: the registries of RFC 6890, and multicast.  IPv4 ones are in the form ::ffff:A.B.C.D. */
static const struct range {
	const char *net;
	unsigned bits;
	enum vtm_host_place place;
} ranges[] = {
	{ "::ffff:0.0.0.0", 96 + 8, VTM_HOST_INSIDE },
	{ "::ffff:10.0.0.0", 96 + 8, VTM_HOST_INSIDE },
	{ "::ffff:100.64.0.0", 96 + 10, VTM_HOST_INSIDE },	/* RFC 6598 */
	{ "::ffff:127.0.0.0", 96 + 8, VTM_HOST_INSIDE },
	{ "::ffff:169.254.0.0", 96 + 16, VTM_HOST_INSIDE },
	{ "::ffff:172.16.0.0", 96 + 12, VTM_HOST_INSIDE },
	{ "::ffff:192.168.0.0", 96 + 16, VTM_HOST_INSIDE },
	{ "::ffff:192.0.0.0", 96 + 24, VTM_HOST_NOWHERE },
	{ "::ffff:192.0.2.0", 96 + 24, VTM_HOST_NOWHERE },	/* documentation, RFC 5737; with the next two */
	{ "::ffff:198.51.100.0", 96 + 24, VTM_HOST_NOWHERE },
	{ "::ffff:203.0.113.0", 96 + 24, VTM_HOST_NOWHERE },
	{ "::ffff:192.88.99.0", 96 + 24, VTM_HOST_NOWHERE },
	{ "::ffff:198.18.0.0", 96 + 15, VTM_HOST_NOWHERE },	/* benchmarks, RFC 2544 */
	{ "::ffff:224.0.0.0", 96 + 4, VTM_HOST_NOWHERE },
	{ "::ffff:240.0.0.0", 96 + 4, VTM_HOST_NOWHERE },
	{ "::", 127, VTM_HOST_INSIDE },				/* and ::1 */
	{ "fc00::", 7, VTM_HOST_INSIDE },
	{ "fe80::", 10, VTM_HOST_INSIDE },
	{ "fec0::", 10, VTM_HOST_INSIDE },			/* RFC 3879 */
	{ "64:ff9b:1::", 48, VTM_HOST_INSIDE },			/* RFC 8215 */
	{ "100::", 64, VTM_HOST_NOWHERE },			/* RFC 6666 */
	{ "2001::", 23, VTM_HOST_NOWHERE },			/* RFC 2928: Teredo, ORCHID and others */
	{ "2001:db8::", 32, VTM_HOST_NOWHERE },			/* RFC 3849 */
	{ "3fff::", 20, VTM_HOST_NOWHERE },			/* RFC 9637 */
	{ "5f00::", 16, VTM_HOST_NOWHERE },			/* RFC 9602 */
	{ "ff00::", 8, VTM_HOST_NOWHERE },
};

static bool in_range(const struct in6_addr *a, const struct range *r)
{
	struct in6_addr net;
	unsigned bytes = r->bits / 8, bits = r->bits % 8;

	if (inet_pton(AF_INET6, r->net, &net) != 1 || memcmp(a, &net, bytes) != 0)
		return false;
	return !bits || !((a->s6_addr[bytes] ^ net.s6_addr[bytes]) >> (8 - bits));
}

/* Four bytes of <a> that are an IPv4 address: 64:ff9b::/96 (RFC 6052), 2002::/16 (RFC 3056), ::/96 (RFC 4291). */
static int ipv4_inside(const struct in6_addr *a)
{
	static const uint8_t nat64[12] = { 0, 0x64, 0xff, 0x9b }, none[12];

	if (!memcmp(a, nat64, sizeof(nat64)))
		return 12;
	if (!memcmp(a, none, sizeof(none)) && (a->s6_addr[12] || a->s6_addr[13]))
		return 12;
	return a->s6_addr[0] == 0x20 && a->s6_addr[1] == 2 ? 2 : -1;
}

static enum vtm_host_place place_of_address(struct in6_addr a)
{
	int at = ipv4_inside(&a);

	if (at >= 0) {
		struct in6_addr mapped = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

		memcpy(mapped.s6_addr + 12, a.s6_addr + at, 4);
		a = mapped;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++)
		if (in_range(&a, &ranges[i]))
			return ranges[i].place;
	return VTM_HOST_PUBLIC;
}

/* Names that no public server answers: RFC 6761, 6762, 7686, 8375, 9476, ICANN's .internal, and what ICANN will not
 * delegate because so many networks use it (.corp, .home, .mail, SAC062). */
static enum vtm_host_place place_of_name(const char *host)
{
	static const char *const inside[] = {
		"corp", "home", "home.arpa", "internal", "intranet", "lan", "local", "localdomain", "localhost", "mail",
		"private",
	};
	static const char *const nowhere[] = { "alt", "in-addr.arpa", "invalid", "ip6.arpa", "onion", "test" };

	if (!strchr(host, '.'))
		return VTM_HOST_INSIDE;
	for (size_t i = 0; i < G_N_ELEMENTS(inside); i++)
		if (vtm_host_is_below(host, inside[i], -1))
			return VTM_HOST_INSIDE;
	for (size_t i = 0; i < G_N_ELEMENTS(nowhere); i++)
		if (vtm_host_is_below(host, nowhere[i], -1))
			return VTM_HOST_NOWHERE;
	return VTM_HOST_PUBLIC;
}

enum vtm_host_place vtm_host_place(const char *host)
{
	struct in6_addr a = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (inet_pton(AF_INET, host, a.s6_addr + 12) == 1 || inet_pton(AF_INET6, host, &a) == 1)
		return place_of_address(a);
	return place_of_name(host);
}
