#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0210-daemon-stall.sh - sessions that wait at the end of a message delay no other, whatever libmilter's pool does.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built t/standin/milter-drive t/standin/null-milter

hold_mail()
{
	printf 'From: <a@example.org>\nSubject: held\nX-Hold: %d\n\nhello\n' "$1" >"$work/hold.eml"
}

value()
{
	printf '%s\n' "$result" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

# held_apart NAME SOCKET HOLD_MS [OPTION ...] : what is not held takes no good part of that time.
held_apart()
{
	local name="$1" socket="$2" hold="$3"
	shift 3
	hold_mail "$hold"
	result=$("$builddir/t/standin/milter-drive" -f "$work/hold.eml" "$@" "$socket")
	diag "$name: $result"
	is "$(value errors)" 0 "$name: no session failed"
	between "$(value reply_max_ms)" 0 $((hold / 2)) "$name: no reply late"
	between "$(value eom_max_ms)" "$hold" $((hold * 3 / 2)) "$name: held as long as wanted"
	between "$(value other_eom_max_ms)" 0 $((hold / 2)) "$name: no other message late"
}

local_socket=unix:$work/null.sock
start_null -t "$local_socket"
held_apart '50 at once for 10 s' "$local_socket" 10000 -n 50
held_apart '50 at once and others' "$local_socket" 5000 -n 50 -p 3
held_apart 'bursts of 4' "$local_socket" 3000 -n 48 -k 4 -s 300
held_apart '200 at once' "$local_socket" 3000 -n 200
before=$(now_ms)
stop_pid "$null_pid"
between_ms $(($(now_ms) - before)) 0 9000 'and the milter ends'
like "$(cat "$work/null.log")" '^ticks=[1-9]' 'it made connections to itself'

port=$(free_port)
start_null -t -d "inet:$port@127.0.0.1"
held_apart 'over TCP' "inet:$port@127.0.0.1" 3000 -n 50
done_testing
