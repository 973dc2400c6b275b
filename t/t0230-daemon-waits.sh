#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0230-daemon-waits.sh - 50 and 200 messages that wait for VirusTotal delay no other session of the real daemon.
. "${srcdir:-$(dirname "$0")/..}/t/lib.sh"
need_built milter/vtmilter milter/vtmilterctl t/fakevt t/milter-drive

value()
{
	printf '%s\n' "$result" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

# A new store needs VirusTotal's count of what was spent.
counted()
{
	"$builddir/milter/vtmilterctl" -f "$milter_conf" status --json | grep -q '"server_day":[0-9]'
}

# waits N SECONDS OTHERS
waits()
{
	vt fault none >/dev/null
	start_vtmilter 'RequestsPerMinute 0' 'RequestsPerDay 0' 'MaxWaiting 1000' "Timeout $2" || bail 'no vtmilter'
	wait_for 20 counted || bail 'no count'
	vt fault stall >/dev/null
	result=$("$builddir/t/milter-drive" -n "$1" -f "$work/unknown.eml" -p "$3" "unix:$milter_socket")
	diag "$1 for $2 s and $3 others: $result"
	is "$(value errors)" 0 "$1 wait: no session failed"
	between "$(value eom_min_ms)" $(($2 * 1000 - 100)) $(($2 * 1000 + 1300)) "$1 wait: for as long as they may"
	between "$(value eom_max_ms)" $(($2 * 1000 - 100)) $(($2 * 1000 + 1300)) "$1 wait: and no longer"
	between "$(value reply_max_ms)" 0 1000 "$1 wait: no other reply is late"
	between "$(value other_eom_max_ms)" 0 1000 "$1 wait: no other message is late"
	stop_vtmilter
	rm -f "$work"/vtmilter.db*
}

mail_text unknown-attachment.eml >"$work/unknown.eml"
start_fakevt --per-minute 0 --per-day 0 || bail 'no stand-in'
waits 50 10 0
waits 50 3 4
waits 200 3 0
done_testing
