/* SPDX-License-Identifier: BSD-2-Clause */
/* netlist.h - IPv4 and IPv6 networks (CIDR), and an address's own network.  Base layer. */
#ifndef VTM_NETLIST_H
#define VTM_NETLIST_H

#include <glib.h>
#include <stdbool.h>

struct vtm_netlist;

/* Reads "192.0.2.0/24, 2001:db8::/32 [::1] 10.1.2.3": separated by commas or blanks; host bits must be zero. NULL and
 * VTM_ERROR_CONFIG naming the bad entry. At most 10,000. */
struct vtm_netlist *vtm_netlist_parse(const char *text, GError **error);
void vtm_netlist_free(struct vtm_netlist *l);
/* <address> in text form; IPv4-mapped IPv6 counts as IPv4.  false for what is no address and for a NULL list. */
bool vtm_netlist_has(const struct vtm_netlist *l, const char *address);
/* "192.0.2.0/24" or "2001:db8:1:2::/64"; NULL for what is no address. New string. */
char *vtm_net_of(const char *address);

#endif
