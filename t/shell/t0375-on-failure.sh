#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0375-on-failure.sh - OnFailure and OwnNetworks: what comes back when vtmilter failed to look at it, by origin
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_postfix
need_program swaks
need_built t/standin/milter-drive

start_fakevt --per-minute 0 || bail 'no stand-in'
know_samples
# Nobody can make a file in /proc, not even root.
policy="OnFailure tempfail
OnFailure networks accept
OwnNetworks 198.51.100.0/24, 2001:db8:2::/48
MaxMessageSize 4M
RequestsPerMinute 0"
start_vtmilter "$policy" 'TempDirectory /proc' 'MaxMemory 4M' || bail 'no vtmilter'
start_postfix inet_protocols=all || bail 'no Postfix'

again()
{
	stop_vtmilter
	forget_delivered
	start_vtmilter "$@" || bail 'no vtmilter'
}

# large NAME BYTES : a message of so many, $work/NAME.eml.
large()
{
	{
		printf 'From: a@example.org\nTo: user@example.test\nMessage-ID: <%s@x>\nSubject: %s\n\n' "$1" "$1"
		head -c "$2" /dev/zero | tr '\0' x | fold
	} >"$work/$1.eml"
}
large big 2000000
large too-big 6000000
mail_text bad-attachment.eml >"$work/bad.eml"

# from XCLIENT NAME : what becomes of $work/NAME.eml from there: its tags, or the reply.
from()
{
	forget_delivered
	if swaks --server 127.0.0.1 --port "$postfix_port" --xclient "$1" --data "@$work/$2.eml" --suppress-data \
		--from sender@example.org --to user@example.test >"$work/swaks.out" 2>&1; then
		tags "$(delivered "$work/$2.eml")"
	else
		sed -n 's/^<\*\* *\(4[0-9 .]*\) .*/\1/p' "$work/swaks.out"
	fi
}
# by OPTIONS NAME : the same, by the milter protocol: options of milter-drive for the client, and what is answered.
by()
{
	"$builddir/t/standin/milter-drive" -t 30000 -e $1 -f "$work/$2.eml" "unix:$milter_socket" |
		sed -n 's/^insert [0-9]* X-VT-Tag: //p; s/^reply \(4[0-9]* [0-9.]*\).*/\1/p' |
		awk '/^4/ { print; tags = ""; exit } { tags = tags (tags ? " " : "") $0 } END { if (tags) print tags }'
}
anybody='ADDR=203.0.113.9'
own='ADDR=198.51.100.9'
own6='ADDR=IPV6:2001:db8:2::9'
ada='ADDR=198.51.100.9 LOGIN=ada'

# ---- no room to keep it
is "$(from "$anybody" big)" '451 4.3.0' 'no room, anybody: comes again'
like "$(cat "$milter_log")" 'warning: .*: the message could not be stored for reading; refused for now \(OnFailure tempfail\)' \
	'... which is a warning'
like "$(cat "$milter_log")" 'tags=VT_Bypassed, .*, action=tempfail$' '... and the line of the message says so'
is "$(from "$ada" big)" '451 4.3.0' 'no room, somebody who logged in: comes again'
is "$(from "$own" big)" VT_Bypassed 'no room, an own network: goes on, bypassed'
is "$(from "$own6" big)" VT_Bypassed '... by IPv6, too'
is "$(from "$anybody" bad)" VT_Bad 'a message that needs no room: goes on'
again "$policy" 'TempDirectory /proc'
is "$(by '-a 203.0.113.9' big)" '' 'within MaxMemory no file is needed: it comes through'
again "$policy" 'MaxMemory 4M'
is "$(by '-a 203.0.113.9' big)" '' 'room again: it comes through'
is "$(by '-a 203.0.113.9' too-big)" VT_Bypassed 'larger than MaxMessageSize: goes on, coming again would not help'

# ---- the store
again 'OnFailure authenticated tempfail' "Store redis://127.0.0.1:$(free_port)/0" 'RequestsPerMinute 0' 'Timeout 2'
like "$(by '-a 203.0.113.9' bad)" '^VT_Bypassed( VT_Pending)?$' 'no store, anybody: goes on, bypassed'
is "$(by '-a 198.51.100.9 -u ada' bad)" '451 4.3.0' 'no store, somebody who logged in: comes again'
large small 100
is "$(by '-a 198.51.100.9 -u ada' small)" '' '... but not when there is nothing to ask about'
again "$policy"
is "$(by '-a 198.51.100.9 -u ada' bad)" VT_Bad 'a store again: it comes through'

# ---- what is no failure of ours
vt fault status=500 >/dev/null
printf 'From: a@example.org\nMessage-ID: <link@x>\nSubject: link\n\nhttp://new.example.com/\n' >"$work/link.eml"
again "$policy" 'Timeout 2'
like "$(by '-a 203.0.113.9' link)" '^VT_Bypassed VT_Pending$' 'VirusTotal fails: goes on'
vt fault none >/dev/null
again "$policy" 'RequestsPerDay 1' 'ReserveForManual 0' 'ReserveForAttachments 0%' 'SenderShare 0%' 'Timeout 2'
sed -i 's/new/other/' "$work/link.eml"
like "$(by '-a 203.0.113.9' link)" '^VT_Bypassed VT_Pending$' 'the budget is spent: goes on'

# ---- the default
again 'TempDirectory /proc' 'MaxMemory 4M'
is "$(by '-a 203.0.113.9' big)" VT_Bypassed 'OnFailure accept, the default: goes on'
done_testing
