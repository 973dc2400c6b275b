/* SPDX-License-Identifier: BSD-2-Clause */
/* test-netlist.c - networks and who is in them. */
#include <string.h>

#include "base/error.h"
#include "base/netlist.h"
#include "tap.h"

static void inside(void)
{
	static const struct {
		const char *list, *address;
		bool want;
	} cases[] = {
		{ "192.0.2.0/24", "192.0.2.0", true },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.0/24", "192.0.1.255", false },
		{ "192.0.2.0/24", "::ffff:192.0.2.7", true },
		{ "192.0.2.0/24", "::192.0.2.7", false },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "10.1.2.3", "10.1.2.3", true },
		{ "10.1.2.3", "10.1.2.4", false },
		{ "10.1.2.3/32", "10.1.2.3", true },
		{ "10.1.2.2/31", "10.1.2.3", true },
		{ "0.0.0.0/0", "255.255.255.255", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "192.0.2.1", false },
		{ "::/0", "::ffff:192.0.2.1", false },
		{ "::ffff:10.0.0.0/104", "10.9.9.9", true },
		{ "2001:db8::/32", "2001:db8:ffff::1", true },
		{ "2001:db8::/32", "2001:db9::1", false },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "2001:DB8::/32", "2001:db8::a", true },
		{ "[::1]", "::1", true },
		{ "[2001:db8::]/32", "2001:db8::1", true },
		{ "[127.0.0.1]/32", "127.0.0.1", true },
		{ "::1/128", "::1", true },
		{ "192.0.2.0/24, 2001:db8::/32\t10.1.2.3", "10.1.2.3", true },
		{ "192.0.2.0/24,2001:db8::/32 , ,10.1.2.3", "2001:db8::5", true },
		{ "", "127.0.0.1", false },
		{ " , ", "127.0.0.1", false },
		{ "0.0.0.0/0 ::/0", "", false },
		{ "0.0.0.0/0 ::/0", "localhost", false },
		{ "0.0.0.0/0 ::/0", "127.0.0.1 ", false },
		{ "0.0.0.0/0 ::/0", "127.1", false },
		{ "0.0.0.0/0 ::/0", "127", false },
		{ "0.0.0.0/0 ::/0", "abcd", false },
		{ "0.0.0.0/0 ::/0", "0127.0.0.1", false },
		{ "0.0.0.0/0 ::/0", "[::1]", false },
		{ "0.0.0.0/0 ::/0", "fe80::1%eth0", false },
		{ "0.0.0.0/0 ::/0", "192.0.2.1/24", false },
		{ "0.0.0.0/0 ::/0", "1111111111111111111111111111111.1.1.1", false },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GError *error = NULL;
		struct vtm_netlist *l = vtm_netlist_parse(cases[i].list, &error);

		ok(l && vtm_netlist_has(l, cases[i].address) == cases[i].want, "'%s' is %sin '%s'", cases[i].address,
		   cases[i].want ? "" : "not ", cases[i].list);
		g_clear_error(&error);
		vtm_netlist_free(l);
	}
	ok(!vtm_netlist_has(NULL, "127.0.0.1"), "nobody is in no list");
	vtm_netlist_free(NULL);
}

static void refused(void)
{
	static const char *const cases[][2] = {
		{ "192.0.2.1/24", "'192.0.2.1/24' has host bits set; write 192.0.2.0/24" },
		{ "2001:db8::1/32", "'2001:db8::1/32' has host bits set; write 2001:db8::/32" },
		{ "192.0.2.0/33", "'192.0.2.0/33': the prefix length must be 0 to 32" },
		{ "2001:db8::/129", "'2001:db8::/129': the prefix length must be 0 to 128" },
		{ "192.0.2.0/", "'192.0.2.0/': the prefix length must be 0 to 32" },
		{ "192.0.2.0/-1", "'192.0.2.0/-1': the prefix length must be 0 to 32" },
		{ "192.0.2.0/+8", "'192.0.2.0/+8': the prefix length must be 0 to 32" },
		{ "192.0.2.0/255.255.255.0", "'192.0.2.0/255.255.255.0': the prefix length must be 0 to 32" },
		{ "192.0.2.0/24/8", "'192.0.2.0/24/8': the prefix length must be 0 to 32" },
		{ "10.0.0.0/8 mx.example.org", "'mx.example.org' is not a network; write an address or a network such "
					       "as 192.0.2.0/24 or 2001:db8::/32" },
		{ "[::1", "'[::1' is not a network; write an address or a network such as 192.0.2.0/24 or "
			  "2001:db8::/32" },
		{ "[]", "'[]' is not a network; write an address or a network such as 192.0.2.0/24 or 2001:db8::/32" },
		{ "10/8", "'10/8' is not a network; write an address or a network such as 192.0.2.0/24 or "
			  "2001:db8::/32" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GError *error = NULL;
		struct vtm_netlist *l = vtm_netlist_parse(cases[i][0], &error);

		ok(!l && g_error_matches(error, VTM_ERROR, VTM_ERROR_CONFIG), "'%s' is refused", cases[i][0]);
		is_str(error ? error->message : NULL, cases[i][1], "'%s': says why", cases[i][0]);
		g_clear_error(&error);
		vtm_netlist_free(l);
	}
}

static void bound(void)
{
	GString *text = g_string_new(NULL);
	struct vtm_netlist *l;
	GError *error = NULL;

	for (int i = 0; i < 10000; i++)
		g_string_append_printf(text, "10.%d.%d.0/24 ", i / 256, i % 256);
	l = vtm_netlist_parse(text->str, &error);
	ok(l && vtm_netlist_has(l, "10.39.15.1") && !vtm_netlist_has(l, "10.39.16.1"), "10,000 networks are taken");
	vtm_netlist_free(l);
	g_string_append(text, "10.0.0.0/24");
	l = vtm_netlist_parse(text->str, &error);
	ok(l != NULL, "one that is there already does not count");
	vtm_netlist_free(l);
	g_string_append(text, " 11.0.0.0/24");
	l = vtm_netlist_parse(text->str, &error);
	ok(!l, "10,001 are not");
	is_str(error ? error->message : NULL, "more than 10000 networks", "says why");
	g_clear_error(&error);
	g_string_free(text, TRUE);
}

static void net_of(void)
{
	static const char *const cases[][2] = {
		{ "192.0.2.77", "192.0.2.0/24" },
		{ "::ffff:192.0.2.77", "192.0.2.0/24" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" },
		{ "::1", "::/64" },
		{ "localhost", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *net = vtm_net_of(cases[i][0]);

		is_str(net, cases[i][1], "network of %s", cases[i][0] ? cases[i][0] : "nothing");
		g_free(net);
	}
}

int main(void)
{
	inside();
	refused();
	bound();
	net_of();
	return done_testing();
}
