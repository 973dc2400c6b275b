#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0310-forged.sh - X-VT-* headers that a sender wrote never arrive, however many and however spelled, on every path.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
. "$srcdir/t/shell/forge.sh"
need_postfix
need_built t/standin/null-milter milter/vtmilterctl

start_fakevt --per-minute 0 || bail 'no stand-in'
know_samples

counts=26	# every spelling before the other fields and between them
[ -z "${VTM_LONG:-}" ] || counts='1 2 8 200 1000'

# path NAME TAGS
path()
{
	local count
	for count in $counts; do
		forged_row "$1" "$count" "$2"
	done
}

start_vtmilter 'Timeout 20' 'RequestsPerMinute 0' 'RequestsPerDay 0' 'RequestsPerMonth 0' || bail 'no vtmilter'
start_postfix || bail 'no Postfix'
for count in 1 2 8 200 1500; do
	forged_row scanned "$count" VT_Scanned
done
{ printf 'X-VT-Tag: VT_Scanned\nX-VT-Tag: VT_Scanned\n'; mail_text plain.eml; } >"$work/plain.eml"
send_mail "$work/plain.eml"
is "$(vt_headers "$(delivered "$work/plain.eml")")" '' 'none on a message without items'

forged_reload 'Enabled no'
path disabled ''
forged_reload 'SkipNetworks 127.0.0.0/8'
path 'skipped network' ''
forged_reload 'MaxMessageSize 100'
path 'too large' VT_Bypassed
forged_reload 'Timeout 0'
path 'Timeout 0' 'VT_Bypassed VT_Pending'
forged_reload 'TempDirectory /proc' 'MaxMemory 4M'
forged_pad=1500000
path 'no place for it' VT_Bypassed
forged_pad=0
forged_reload 'Timeout 2'
vt fault close >/dev/null
path 'VirusTotal is down' 'VT_Bypassed( VT_Pending)?'
vt fault none >/dev/null

# ---- who has logged in; and with another milter, which adds three of these fields itself
forged_reload 'SkipAuthenticated yes'
postfix_set "$postfix_dir" 'milter_macro_defaults={auth_authen}=ada' || bail 'no reload'
path authenticated ''
forged_reload 'Timeout 20'
null_socket=$work/null.sock
start_null -e 3 -n X-VT-Tag "unix:$null_socket"
chmod 666 "$null_socket"
postfix_set "$postfix_dir" milter_macro_defaults= \
	"smtpd_milters=unix:$null_socket,unix:$milter_socket" || bail 'no reload'
path 'after a milter that adds some' VT_Scanned
postfix_set "$postfix_dir" "smtpd_milters=unix:$milter_socket,unix:$null_socket" || bail 'no reload'
path 'before a milter that adds some' '(attachment; verdict=unknown; sha256= [0-9a-f]{64} ){3}VT_Scanned'
forged_table
is "$(vt_count violations)" 0 'the stand-in counted no violation'
done_testing
