/* SPDX-License-Identifier: BSD-2-Clause */
/* netlist.h - a set of IPv4 and IPv6 networks (CIDR), and the network of an address. */
#ifndef VTM_NETLIST_H
#define VTM_NETLIST_H

#include <glib.h>
#include <stdbool.h>

struct vtm_netlist;

/* Parses at most 10,000 networks and addresses, separated by commas or blanks: "192.0.2.0/24, 2001:db8::/32 [::1]
 * 10.1.2.3".  Host bits must be zero.  NULL: VTM_ERROR_CONFIG, which names the bad entry. */
struct vtm_netlist *vtm_netlist_parse(const char *text, GError **error);
void vtm_netlist_free(struct vtm_netlist *l);
/* Is <address>, in text form, in a network of <l>?  IPv4-mapped IPv6 counts as IPv4.  false if <address> is not an
 * address or <l> is NULL. */
bool vtm_netlist_has(const struct vtm_netlist *l, const char *address);
/* The /24 or /64 of <address>: "192.0.2.0/24", "2001:db8:1:2::/64".  New string; NULL: <address> is not an address. */
char *vtm_net_of(const char *address);

#endif
