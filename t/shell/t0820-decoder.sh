#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0820-decoder.sh - decoders that are killed, stopped or starved while mail flows cost what they read, and nothing else
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilter milter/vtmilterctl t/standin/fakevt t/standin/milter-drive
[ -e /proc/self/task/self/children ] || [ -e "/proc/$$/task/$$/children" ] || skip_all 'this kernel does not list children'

drive()
{
	"$builddir/t/standin/milter-drive" -t 60000 "$@" "unix:$milter_socket"
}

# children PID : of its first thread, which is who has some here.
children()
{
	cat "/proc/$1/task/$1/children" 2>/dev/null
}

field()
{
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# The processes of the running daemon, once there is another spawner than OLD.
find_processes()
{
	spawner=${1:-}
	wait_for 20 found_other "$spawner"
}

found_other()
{
	keeper=$(children "$milter_pid" | tr -d ' ')
	spawner=$(children "${keeper:-none}" | tr -d ' ')
	[ -n "$spawner" ] && [ "$spawner" != "$1" ]
}

# alive_named PID NAME : it is not somebody else by now.
alive_named()
{
	[ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ] && [ "$(field "$1" State | cut -c 1)" != Z ]
}

# zip_mail FILE MESSAGE-ID : with a zip file in it that holds a program.
zip_mail()
{
	perl -MMIME::Base64 -e '
		my $data = "MZ program\n"; my $name = "a.exe";
		my $crc = do { my $c = ~0 & 0xffffffff; for my $b (unpack("C*", $data)) { $c ^= $b;
			$c = $c & 1 ? ($c >> 1) ^ 0xedb88320 : $c >> 1 for 1 .. 8 } ~$c & 0xffffffff };
		my $sizes = pack("VVV", $crc, length $data, length $data);
		my $local = pack("VvvvVa12vv", 0x04034b50, 20, 0, 0, 0, $sizes, length $name, 0) . $name . $data;
		my $entry = pack("VvvvvVa12vvvvvVV", 0x02014b50, 20, 20, 0, 0, 0, $sizes, length $name, 0, 0, 0, 0, 0, 0) . $name;
		my $zip = $local . $entry . pack("VvvvvVVv", 0x06054b50, 0, 0, 1, 1, length $entry, length $local, 0);
		print "From: a\@example.org\nTo: b\@example.org\nMessage-ID: <$ARGV[0]\@decoder>\nMIME-Version: 1.0\n",
			"Content-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\n", encode_base64($zip)' "$2" >"$1"
}
zip_mail "$work/zip.eml" zip
like "$("$builddir/milter/vtmilterctl" extract "$work/zip.eml")" ' a\.exe$' 'the program in the zip file is found by hand'

start_fakevt --per-minute 0 --per-day 0 || bail 'no stand-in'
for hash in $("$builddir/milter/vtmilterctl" extract "$work/zip.eml" | awk '$1 == "attachment" { print $2 }'); do
	vt add file "$hash" 0/70 >/dev/null
done
start_vtmilter 'RequestsPerMinute 0' 'RequestsPerDay 0' 'RequestsPerMonth 0' 'LogLevel notice' || bail 'no vtmilter'
find_processes || bail 'no spawner'
ok 'a keeper and a spawner' alive_named "$spawner" vtm-spawner
for pid in $keeper $spawner; do
	like "$(field "$pid" CapPrm) $(field "$pid" CapEff)" '^0+ 0+$' "process $(cat "/proc/$pid/comm") has no capability"
	is "$(field "$pid" NoNewPrivs)" 1 '... and gets none'
	# sanitizers keep standard error
	like "$(ls -l "/proc/$pid/fd" | awk '/->/ { print $NF }' | sed 's/:.*//' | sort -u | grep -v "$work" | paste -s -d ' ' -)" \
		'^/dev/null socket$' '... and no file of the daemon'
done
unlike "$(tr '\0' '\n' <"/proc/$keeper/environ")" '^(VT|VTM|CREDENTIALS)' '... and little of its environment'

# The verdicts of the members are known from now on.
drive -f "$work/zip.eml" >/dev/null
scanned()
{
	drive -e -f "$work/zip.eml" | grep -q 'X-VT-Tag.*VT_Scanned'
}
ok 'the zip file and what is in it are scanned' wait_for 10 scanned
unlike "$(drive -e -f "$work/zip.eml")" VT_Bypassed '... and nothing is bypassed'

# Kills decoders as they appear, until it is killed.
kill_decoders()
{
	local pids
	while read -r pids <"/proc/$spawner/task/$spawner/children" || [ -e "/proc/$spawner" ]; do
		kill -KILL $pids 2>/dev/null
	done
}

# ---- killed while mail flows
drive -n 4 -m 20 -f "$work/zip.eml" >/dev/null
fds=$(ls "/proc/$milter_pid/fd" | wc -l)
rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$milter_pid/status")
kill_decoders &
killer=$!
result=$(drive -n 8 -m 50 -f "$work/zip.eml")
like "$result" 'messages=400 errors=0 .*continued=400 ' 'while decoders are killed, every message goes on'
kill "$killer" 2>/dev/null
wait "$killer" 2>/dev/null
like "$(grep 'was not looked into' "$milter_log")" 'the decoder ended before its time|no decoder could be started' '... and some were'
scanned_again()
{
	[ "$(drive -e -f "$work/zip.eml" | grep -c 'VT_Scanned\|VT_Bypassed')" = 1 ]
}
ok 'and then all is as before' wait_for 10 scanned_again
no_decoder()
{
	[ -z "$(children "$spawner" | tr -d ' ')" ]
}
ok 'no decoder is left' wait_for 10 no_decoder
between "$(ls "/proc/$milter_pid/fd" | wc -l)" 1 $((fds + 2)) 'no descriptor is left over'
if [ "$(awk '/^VmSize/ { print $2 }' "/proc/$milter_pid/status")" -lt 1000000000 ]; then
	between "$(awk '/^VmRSS/ { print $2 }' "/proc/$milter_pid/status")" 1 $((rss + 20000)) 'memory stays'
else
	skip 'a sanitizer keeps what was freed' 'memory stays'
fi

# ---- the spawner
kill -KILL "$spawner"
old=$spawner
ok 'a spawner that was killed is started again' find_processes "$old"
ok '... and of use' wait_for 10 scanned_again
kill -STOP "$spawner"
drive -e -f "$work/zip.eml" >"$work/stopped" &
drive_pid=$!
like "$(drive -f "$data/messages/plain.eml")" 'errors=0 .*continued=1 ' 'while none can be had, a message without such a part goes on'
wait "$drive_pid"
like "$(cat "$work/stopped")" 'VT_Bypassed' '... and one with such a part in the end, bypassed'
unlike "$(cat "$work/stopped")" 'VT_Scanned' '... and not called scanned'
like "$(grep 'was not looked into' "$milter_log")" 'an archive of [0-9]+ bytes was not looked into: the decoder took too long' \
	'... which is logged'
kill -CONT "$spawner"
ok 'and then all is as before' wait_for 10 scanned_again

# ---- no longer than the administrator allows
held_ms()
{
	drive -e -f "$work/zip.eml" | tr ' ' '\n' | sed -n 's/^eom_max_ms=//p'
}
stop_vtmilter
start_vtmilter 'Timeout 3' 'RequestsPerMinute 0' 'RequestsPerDay 0' 'RequestsPerMonth 0' 'LogLevel notice' || bail 'no vtmilter'
find_processes || bail 'no spawner'
kill -STOP "$spawner"
between "$(held_ms)" 2900 8000 'a decoder that is not there holds a message for Timeout at most'
kill -CONT "$spawner"
ok 'and then all is as before' wait_for 10 scanned_again

# ---- the end
kill -TERM "$spawner" "$keeper"
ok 'signals to all of a service do not reach them' scanned_again
before="$keeper $spawner"
stop_vtmilter
for pid in $before; do
	ok "they end with the daemon ($pid)" not alive "$pid"
done
start_vtmilter || bail 'no vtmilter'
find_processes || bail 'no spawner'
stop_vtmilter KILL
none_left()
{
	! alive_named "$keeper" vtm-keeper && ! alive_named "$spawner" vtm-spawner
}
ok '... and at kill -9' wait_for 10 none_left
done_testing
