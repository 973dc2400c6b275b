#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0385-origin.sh - TrustedRelays, SkipNetworks and SkipAuthenticated, with Postfix told the client by XCLIENT.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_postfix
need_program swaks

start_fakevt --per-minute 0 || bail 'no stand-in'
know_samples
start_vtmilter 'TrustedRelays 192.0.2.0/24,2001:db8:1::/48' 'SkipNetworks 198.51.100.0/24,2001:db8:2::/48' \
	'SkipAuthenticated yes' 'RequestsPerMinute 0' || bail 'no vtmilter'
start_postfix inet_protocols=all || bail 'no Postfix'

{ printf 'X-VT-Tag: VT_Hash_not_found\nX-VT-Tag: VT_Pending\n'; mail_text bad-attachment.eml; } >"$work/m.eml"

# from XCLIENT ... : the tags of the message above, sent by such a client.
from()
{
	forget_delivered
	swaks --server 127.0.0.1 --port "$postfix_port" --xclient "$1" --data "@$work/m.eml" \
		--from sender@example.org --to user@example.test >"$work/swaks.out" 2>&1 || {
		cat "$work/swaks.out"
		return 1
	}
	tags "$(delivered "$work/m.eml")"
}

is "$(from 'ADDR=203.0.113.9 NAME=a.example')" VT_Bad 'anybody: scanned, forged tags gone'
kept='VT_Hash_not_found VT_Pending'
is "$(from 'ADDR=192.0.2.9 NAME=a.example')" "$kept" 'a trusted relay: its tags stay, not scanned again'
is "$(from 'ADDR=IPV6:2001:db8:1::9 NAME=a.example')" "$kept" 'the same by IPv6'
is "$(from 'ADDR=198.51.100.9 NAME=a.example')" '' 'a skipped network: not scanned, forged tags gone'
is "$(from 'ADDR=IPV6:2001:db8:2::9 NAME=a.example')" '' 'the same by IPv6'
is "$(from 'ADDR=IPV6:2001:db8:3::9 NAME=a.example')" VT_Bad 'another network by IPv6'
is "$(from 'ADDR=203.0.113.9 LOGIN=ada')" '' 'an authenticated user: not scanned, forged tags gone'
is "$(from 'ADDR=IPV6:::ffff:192.0.2.9')" "$kept" 'a trusted relay, its IPv4 address mapped into IPv6'
done_testing
