#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0740-sandbox.sh - the running daemon: every thread is filtered and without capabilities; modes of what it makes
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilter t/standin/fakevt
grep -q '^Seccomp:' /proc/self/status || skip_all 'this kernel does not tell'

# of_threads FIELD : its values over all threads, each once.
of_threads()
{
	sed -n "s/^$1:[[:space:]]*//p" /proc/"$milter_pid"/task/*/status | sort -u | paste -s -d ' ' -
}

start_fakevt || bail 'no stand-in'
start_vtmilter "MetricsListen 127.0.0.1:$(free_port)" || bail 'vtmilter did not start'
ok 'threads' wait_for 15 sh -c "[ \$(ls /proc/$milter_pid/task | wc -l) -ge 4 ]"
is "$(of_threads Seccomp)" 2 'are filtered, all'
is "$(of_threads NoNewPrivs)" 1 'without new privileges'
like "$(of_threads CapInh) $(of_threads CapAmb)" '^0+ 0+$' 'no capability to hand on'
if [ "$(id -u)" = 0 ]; then
	# CAP_DAC_OVERRIDE and CAP_FOWNER: root's files may be another user's
	like "$(of_threads CapEff) $(of_threads CapPrm)" '^0*(a|8|2|0) 0*(a|8|2|0)$' 'as root, access to files only'
else
	like "$(of_threads CapEff) $(of_threads CapPrm)" '^0+ 0+$' 'no capability'
fi
like "$(grep 'Max core file size' "/proc/$milter_pid/limits")" ' 0 +0 ' 'no core dump'
is "$(stat -c %a "$work/vtmilter.db")" 660 'the store is for user and group'
is "$(stat -c %a "$work/control.sock")" 660 'as is the control socket'
echo 'LateVerdictCommand /bin/true' >>"$milter_conf"
kill -HUP "$milter_pid"
ok 'a command that comes by a reload' wait_for 15 grep -q 'LateVerdictCommand runs only after a restart' "$milter_log"
stop_vtmilter
start_vtmilter || bail 'vtmilter did not start'
is "$(of_threads Seccomp)" 2 'filtered with a command, too'
kill -HUP "$milter_pid"
wait_for 15 sh -c "[ \$(grep -c 'reload: done' '$milter_log') = 2 ]"
is "$(grep -c 'only after a restart' "$milter_log")" 1 'which is no news to a daemon that may run it'
done_testing
