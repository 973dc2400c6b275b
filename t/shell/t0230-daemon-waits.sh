#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0230-daemon-waits.sh - 50 and 200 messages that wait for VirusTotal delay no other session of the real daemon.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilter milter/vtmilterctl t/standin/fakevt t/standin/milter-drive

value()
{
	printf '%s\n' "$result" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

# A new store needs VirusTotal's count of what was spent.
counted()
{
	"$builddir/milter/vtmilterctl" -f "$milter_conf" status --json | grep -q '"server_day":[0-9]'
}

# drive OPTION ... : $result
drive()
{
	result=$("$builddir/t/standin/milter-drive" "$@" "unix:$milter_socket")
}

# waits N SECONDS : beside 4 other sessions.  How fast these are is held against the same with N sessions that wait by
# themselves; and nothing may take a good part of the wait.
waits()
{
	local own
	vt fault none >/dev/null
	start_vtmilter 'RequestsPerMinute 0' 'RequestsPerDay 0' 'MaxWaiting 1000' "Timeout $2" || bail 'no vtmilter'
	wait_for 20 counted || bail 'no count'
	drive -n "$1" -w 3000 -p 4
	diag "$1 that wait by themselves: $result"
	own=$(value other_p90_us)
	vt fault stall >/dev/null
	drive -n "$1" -f "$work/unknown.eml" -p 4
	diag "$1 that wait for $2 s: $result"
	is "$(value errors)" 0 "$1 wait: no session failed"
	between "$(value eom_min_ms)" $(($2 * 1000 - 100)) $(($2 * 1500)) "$1 wait: for as long as they may"
	between "$(value eom_max_ms)" $(($2 * 1000 - 100)) $(($2 * 1500)) "$1 wait: and no longer"
	between "$(value reply_max_ms)" 0 $(($2 * 500)) "$1 wait: no other reply waits with them"
	between "$(value other_eom_max_ms)" 0 $(($2 * 500)) "$1 wait: no other message waits with them"
	between "$(value other_p90_us)" 1 $((own * 4 + 50000)) "$1 wait: others are as fast as beside sessions that just wait"
	stop_vtmilter
	rm -f "$work"/vtmilter.db*
}

mail_text unknown-attachment.eml >"$work/unknown.eml"
start_fakevt --per-minute 0 --per-day 0 || bail 'no stand-in'
waits 50 6
waits 200 6
done_testing
