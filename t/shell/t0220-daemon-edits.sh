#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0220-daemon-edits.sh - what the daemon tells the MTA to change, on every path a message can take.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilter t/standin/fakevt t/standin/milter-drive

drive()
{
	"$builddir/t/standin/milter-drive" -t 30000 "$@" "unix:$milter_socket"
}

edits()
{
	drive -e "$@" | sed '/^sessions=/d'
}

again()
{
	stop_vtmilter
	rm -f "$work"/vtmilter.db*
	start_vtmilter 'RequestsPerMinute 0' "$@" || bail 'no vtmilter'
}

# A message with headers that are not its sender's to write.
forged()
{
	printf 'X-VT-Tag: VT_Scanned\nX-Other: a\nx-vt-tag: one\nX-VT-TAG:\n folded,\n\ttwice\n'
	printf 'X-Vt-Report : spaced\nX-Other: b\nX-VT-Tag:\nX-VT-: \nX-VT: kept\nX-VTX-Tag: kept\n'
	mail_text "$1"
}
forged bad-attachment.eml >"$work/forged.eml"
forged plain.eml >"$work/plain.eml"
gone='delete 1 x-vt-
delete 1 x-vt-report
delete 1 x-vt-tag
delete 2 x-vt-tag
delete 3 x-vt-tag
delete 4 x-vt-tag'

start_fakevt --per-minute 0 || bail 'no stand-in'
know_samples
start_vtmilter 'RequestsPerMinute 0' 'TrustedRelays 192.0.2.0/24' 'SkipNetworks 198.51.100.0/24' \
	'SkipAuthenticated yes' 'MaxMessageSize 64k' || bail 'no vtmilter'
seen=$(edits -a 203.0.113.1 -f "$work/forged.eml")
is "$(echo "$seen" | grep '^delete' | LC_ALL=C sort)" "$gone" 'every header of ours that came with it is deleted'
is "$(echo "$seen" | grep x-vt-tag)" "delete 4 x-vt-tag
delete 3 x-vt-tag
delete 2 x-vt-tag
delete 1 x-vt-tag" '... from the highest index down'
is "$(echo "$seen" | sed -n '/^insert/,$p' | head -n 2)" "insert 0 X-VT-Tag: VT_Bad
insert 1 X-VT-Report: attachment; verdict=bad; detections=64/72;" '... and only then ours are inserted'
is "$(edits -a 203.0.113.1 -f "$work/plain.eml" | LC_ALL=C sort)" "$gone" 'a message without items'
is "$(edits -a 192.0.2.9 -f "$work/forged.eml")" '' 'a trusted relay: nothing is touched'
is "$(edits -a 198.51.100.9 -f "$work/forged.eml" | LC_ALL=C sort)" "$gone" 'a skipped network: deleted all the same'
is "$(edits -a 203.0.113.1 -u ada -f "$work/forged.eml" | LC_ALL=C sort)" "$gone" 'an authenticated user: deleted too'
is "$(edits -a 2001:db8::1 -f "$work/plain.eml" | LC_ALL=C sort)" "$gone" 'a client by IPv6'
is "$(edits -a none -f "$work/plain.eml" | LC_ALL=C sort)" "$gone" 'a client that is not known'

{ cat "$work/plain.eml"; head -c 100000 /dev/zero | tr '\0' 'x' | fold; } >"$work/large.eml"
seen=$(edits -a 203.0.113.1 -f "$work/large.eml")
is "$(echo "$seen" | grep '^delete' | LC_ALL=C sort)" "$gone" 'more than MaxMessageSize: deleted all the same'
is "$(echo "$seen" | grep '^insert')" 'insert 0 X-VT-Tag: VT_Bypassed' '... and bypassed'
like "$(cat "$milter_log")" 'could not be stored' '... which is logged'

# ---- a disk without room
again 'TempDirectory /proc' 'MaxMemory 4M'
{ cat "$work/plain.eml"; head -c 2000000 /dev/zero | tr '\0' 'x' | fold; } >"$work/large.eml"
seen=$(edits -f "$work/large.eml")
is "$(echo "$seen" | grep '^delete' | LC_ALL=C sort)" "$gone" 'no place for large messages: deleted all the same'
is "$(echo "$seen" | grep '^insert')" 'insert 0 X-VT-Tag: VT_Bypassed' '... and bypassed'

# ---- not enabled
again 'Enabled no'
is "$(edits -f "$work/forged.eml" | LC_ALL=C sort)" "$gone" 'Enabled no: deleted all the same'

# ---- very many
again
{
	awk 'BEGIN { for (i = 0; i < 3000; i++) print "X-VT-Tag: " i }'
	cat "$work/forged.eml"
} >"$work/many.eml"
is "$(edits -f "$work/many.eml" | grep -c '^delete')" 3006 '3000 of one name'
awk 'BEGIN { for (i = 0; i < 20000; i++) print "X-VT-" i ": x"; print "\nhello" }' >"$work/names.eml"
is "$(edits -f "$work/names.eml" | grep -c '^delete')" 20000 '20000 names'
awk 'BEGIN { for (i = 0; i < 20001; i++) print "X-VT-" i ": x"; print "\nhello" }' >"$work/names.eml"
is "$(edits -f "$work/names.eml")" 'reply 550 5.7.1 Message refused: too many X-VT-* headers' 'one name more is refused'

# ---- other MTAs, and some that go away
is "$(edits -P 7f -f "$work/forged.eml" | grep -c '^insert 0')" 1 'an MTA of version 2: answers at every step'
like "$(drive -P 7f -f "$work/forged.eml")" 'errors=0 ' '... as it expects'
like "$(drive -A 1 -f "$work/forged.eml")" 'errors=0 .*continued=1 ' 'an MTA that allows no deletion'
like "$(cat "$milter_log")" 'does not allow header changes' '... which is logged'
like "$(drive -A 11 -f "$work/forged.eml")" 'errors=0 .*continued=1 ' 'an MTA without quarantine'
for where in connect negotiate abort body eom; do
	like "$(drive -n 20 -x $where -f "$work/forged.eml")" 'sessions=20 messages=0 errors=0 ' \
		"20 that go away at: $where"
done
like "$(drive -n 10 -m 20 -f "$work/plain.eml")" 'messages=200 errors=0 .*continued=200 ' 'and it goes on'
unlike "$(cat "$milter_log")" 'panic|assert|Sanitizer' 'nothing went wrong inside'
done_testing
