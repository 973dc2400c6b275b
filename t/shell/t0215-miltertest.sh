#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0215-miltertest.sh - the callbacks as miltertest sees them, by a local socket and by TCP.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_program miltertest
need_built milter/vtmilter t/standin/fakevt

# passes SOCKET TAG
passes()
{
	miltertest -s "$srcdir/t/shell/callbacks.lua" -D "socket=$1" -D "first=$2" >"$work/lua.out" 2>&1 &&
		grep -q '^done$' "$work/lua.out" && return
	cat "$work/lua.out"
	return 1
}

start_fakevt --per-minute 0 || bail 'no stand-in'
start_vtmilter 'ReportHeaders no' 'RequestsPerMinute 0' || bail 'no vtmilter'
ok 'by a local socket' passes "unix:$milter_socket" VT_Hash_not_found
line='LUA1: from=<a@example.org>, items=1, tags=VT_Hash_not_found, delay=[0-9.]+, asked=1, cached=0'
like "$(cat "$milter_log")" "$line" 'a line in the log'
unlike "$(cat "$milter_log")" 'LUA2' 'none for the message that was aborted'
stop_vtmilter

port=$(free_port)
write_conf 'ReportHeaders no' 'RequestsPerMinute 0' "Socket inet:$port@127.0.0.1"
"$builddir/milter/vtmilter" -f "$milter_conf" >>"$milter_log" 2>&1 &
service_pids="$service_pids $!"
wait_for 20 port_open "$port" || bail 'no vtmilter'
ok 'by TCP' passes "inet:$port@127.0.0.1" VT_Hash_not_found
unlike "$(cat "$milter_log")" ' (error|warning): ' 'nothing to complain about'
done_testing
