#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0205-daemon-reload.sh - reload by signal and control socket, often, a bad file, and a stop while messages wait.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilter t/standin/fakevt t/standin/milter-drive
control=$work/control.sock

# ask COMMAND : what the daemon answers.
ask()
{
	perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$!\n";
		$s->print("$ARGV[1]\n"); print scalar <$s> // ""' "$control" "$1"
}

drive()
{
	"$builddir/t/standin/milter-drive" -t 30000 "$@" "unix:$milter_socket"
}

logged()
{
	grep -Eq "$1" "$milter_log"
}

mail_text bad-attachment.eml >"$work/bad.eml"
mail_text unknown-attachment.eml >"$work/unknown.eml"
start_fakevt --per-minute 0 || bail 'no stand-in'
know_samples
lines="ControlSocket $control
RequestsPerMinute 0
MaxWaiting 1000"
start_vtmilter "$lines" 'Timeout 20' || bail 'no vtmilter'
like "$(drive -e -f "$work/bad.eml")" '^insert 0 X-VT-Tag: VT_Bad' 'a bad attachment'

# ---- status
status=$(ask status)
like "$status" '^\{.*\}$' 'status answers with JSON'
like "$status" '"seen":1[,}]' '... that counts the message'
like "$status" '"VT_Bad":1[,}]' '... and its tag'
like "$(ask 'no such thing')" '"error":"no such command"' 'an unknown command'
like "$(ask "status$(printf '%300s' x)")" '"error"' 'a line too long'
perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]); sleep 4' "$control" &
before=$(now_ms)
like "$(ask status)" '"seen":1[,}]' 'a client that says nothing'
between_ms $(($(now_ms) - before)) 0 3000 '... does not stand in the way for long'

# ---- reload
write_conf "$lines" 'Timeout 20' 'OnBad reject'
kill -HUP "$milter_pid"
ok 'SIGHUP reloads' wait_for 15 logged 'reload: done'
like "$(drive -e -f "$work/bad.eml")" '^reply 550 5.7.1 ' '... and the new configuration holds'
write_conf "$lines" 'Timeout 20' 'OnBad discard'
: >"$milter_log"
kill -USR1 "$milter_pid"
ok 'SIGUSR1 reloads' wait_for 15 logged 'reload: done'
like "$(drive -f "$work/bad.eml")" 'discarded=1' '... and the new configuration holds'
write_conf "$lines" 'Timeout 20' 'OnBad accept'
is "$(ask reload)" '{"ok":true,"remarks":[]}' 'the control socket reloads'
like "$(cat "$milter_log")" 'requested by uid [0-9]+, pid [0-9]+' '... and it is logged for whom'
like "$(drive -f "$work/bad.eml")" 'continued=1' '... and the new configuration holds'
echo 'OnBad explode' >>"$milter_conf"
like "$(ask reload)" '"ok":false,"error":".*OnBad' 'a bad file is refused, with the reason'
like "$(drive -f "$work/bad.eml")" 'continued=1' '... and the old configuration holds'
write_conf 'RequestsPerMinute 0' 'Timeout 20' "ControlSocket $control.new" 'SocketMode 0600' "SocketGroup $(id -gn)" \
	'Socket inet:1@127.0.0.1' "User $(id -un)" "PidFile $work/pid" 'Foreground no' 'LateVerdictCommand /bin/true'
like "$(ask reload)" '^\{"ok":true,"remarks":\["Socket changes only with a restart",' 'what cannot change'
# the manual names them in one sentence
fixed=$(sed -n '/leaves the old configuration in force/,/in the log/p' "$srcdir/milter/vtmilter.conf.5" |
	grep '^\.Cm' | tr -d , | sed 's/^\.Cm//')
is "$(echo $fixed | tr ' ' '\n' | sort)" "$(sed -n 's/.* reload: \([A-Za-z]*\) .*only with a restart.*/\1/p
	s/.* reload: \([A-Za-z]*\) runs only after a restart.*/\1/p' "$milter_log" | sort -u)" \
	'... is named in the log, and in vtmilter.conf(5)'
write_conf "$lines" 'Timeout 20' 'OnBad accept'
is "$(ask reload)" '{"ok":true,"remarks":[]}' 'and back'

# ---- a hundred reloads under load
# held : descriptors that are open.  fat : KiB of memory.
held()
{
	ls "/proc/$milter_pid/fd" | wc -l
}
fat()
{
	sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$milter_pid/status"
}
# reload_often N : prints how many of N reloads were done.
reload_often()
{
	perl -MIO::Socket::UNIX -e 'my $done = 0; for (1 .. $ARGV[1]) {
		my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or next;
		$s->print("reload\n"); $done++ if (<$s> // "") =~ /"ok":true/ } print "$done\n"' "$control" "$1"
}
reload_often 10 >/dev/null	# what the first ones need once
drive -n 10 -m 20 -f "$work/bad.eml" >/dev/null
held_before=$(held)
fat_before=$(fat)
drive -n 10 -m 100 -f "$work/bad.eml" >"$work/loaded.out" &
loaded=$!
is "$(reload_often 100)" 100 'a hundred reloads while mail comes in'
wait "$loaded"
like "$(cat "$work/loaded.out")" 'messages=1000 errors=0 .*continued=1000 ' '... lose no message'
settled()
{
	[ "$(held)" -le "$held_before" ]
}
ok '... nor a descriptor' wait_for 15 settled
sanitized || between $(($(fat) - fat_before)) -1000000 8192 '... nor memory: KiB more than before'

# ---- messages wait for VirusTotal while it reloads
vt fault stall >/dev/null
drive -n 50 -f "$work/unknown.eml" >"$work/waiting.out" &
waiting=$!
sleep 1
write_conf "$lines" 'Timeout 20' 'OnBad quarantine'
before=$(now_ms)
like "$(ask reload)" '"ok":true' 'a reload while messages wait'
between_ms $(($(now_ms) - before)) 0 1000 '... waits for nobody'
vt fault none >/dev/null
like "$(drive -e -f "$work/bad.eml")" '^quarantine ' '... and holds for the next message'

# ---- and while it stops
before=$(now_ms)
stop_vtmilter
between_ms $(($(now_ms) - before)) 0 5000 'a stop while messages wait takes at most 5 s'
wait "$waiting"
like "$(cat "$work/waiting.out")" 'messages=50 errors=0 ' '... and every one of them was answered'
like "$(cat "$work/waiting.out")" 'continued=50 ' '... to go on'
like "$(cat "$milter_log")" 'tags=VT_Bypassed VT_Pending' '... as not looked at yet'

# ---- messages under way
: >"$milter_log"
start_vtmilter "$lines" 'Timeout 20' || bail 'no vtmilter'
# Those accepted, and the one that listens.
connected()
{
	[ "$(grep -c " $milter_socket\$" /proc/net/unix)" = 21 ]
}
drive -n 20 -w 2000 -f "$work/bad.eml" >"$work/under-way.out" &
under_way=$!
wait_for 10 connected
sleep 0.5
before=$(now_ms)
stop_vtmilter
between_ms $(($(now_ms) - before)) 300 3000 'a stop with messages half received waits for them'
wait "$under_way"
like "$(cat "$work/under-way.out")" 'messages=20 errors=0 .*continued=20 ' '... and takes them to their end'
like "$(cat "$milter_log")" 'tags=VT_Bad,' '... with what is known'
start_vtmilter "$lines" 'Timeout 20' || bail 'no vtmilter'
drive -n 20 -w 30000 -f "$work/bad.eml" >/dev/null &
service_pids="$service_pids $!"
wait_for 10 connected
sleep 0.5
before=$(now_ms)
stop_vtmilter
between_ms $(($(now_ms) - before)) 2500 5500 '... but not for ever'
unlike "$(cat "$milter_log")" ' error: ' 'no error'
done_testing
