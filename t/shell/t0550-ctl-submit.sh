#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0550-ctl-submit.sh - vtmilterctl submit: nothing without --public, files whole, and never to another host
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilterctl t/standin/fakevt t/standin/libtimewarp.so

# Analyses are asked for after 15 seconds and more: time runs faster for it.
submit()
{
	env LD_PRELOAD="$builddir/t/standin/libtimewarp.so" TIMEWARP=50 "$builddir/milter/vtmilterctl" -f "$milter_conf" submit "$@"
}

said()
{
	cat "$work/said"
}

start_fakevt --per-minute 0 --per-day 200 || bail 'no stand-in'
know_samples
write_conf 'RequestsPerMinute 0' 'RequestsPerDay 200' 'ReserveForManual 1'
echo new >"$work/small"
: >"$work/empty"

exits 64 'nothing' submit --public
exits 64 'without --public' submit "$work/small"
like "$(said)" 'becomes public' 'says what it does'
exits 64 'a file that is not there' submit --public "$work/missing"
exits 64 'an empty file' submit --public "$work/empty"
exits 64 'a directory' submit --public "$work"
mkfifo "$work/fifo"
exits 64 'a FIFO' submit --public "$work/fifo"
truncate -s $((650 * 1024 * 1024 + 1)) "$work/huge"
exits 64 'one byte more than 650 MiB' submit --public "$work/huge"
like "$(said)" 'huge: not a file of 1 byte to 650 MiB' 'is named'
if [ "$(id -u)" = 0 ] && setpriv --reuid 65534 --regid 65534 --clear-groups "$builddir/milter/vtmilterctl" --version \
	>/dev/null 2>&1; then
	echo secret >"$work/unreadable"
	chmod 600 "$work/unreadable"
	chown 65534 "$work/api-key"
	exits 64 'a file that may not be read' setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$builddir/milter/vtmilterctl" -f "$milter_conf" submit --public "$work/unreadable"
	like "$(said)" 'unreadable: Permission denied' 'is named'
	chown 0 "$work/api-key"
fi
is "$(vt_count all)" 0 'and all that time nobody was asked'

ok 'a file' submit --public "$work/small"
hash=$(sha256sum "$work/small" | cut -c 1-64)
is "$(said)" "clean    0/72 $hash" 'its verdict'
is "$(vt_count requests)" 5 'for a look-up, the upload, and three polls'
like "$("$builddir/milter/vtmilterctl" -f "$milter_conf" cache show "$hash")" '^verdict: +clean' 'the daemon will know it'
ok 'again' submit --public "$work/small"
like "$(said)" 'not sent$' 'it is there already'
is "$(vt_count requests)" 6 'which took one look-up to know'
eicar >"$work/eicar"
exits 1 'a bad file that is known' submit --public --json "$work/eicar"
like "$(said)" '"submitted":false,"verdict":"bad"' 'as an object'
ok 'a URL' submit --public https://new.example.net
is "$(said)" 'clean    0/95 https://new.example.net/' 'its verdict'
exits 1 'a bad URL' submit --public http://malware.wicar.org/data/eicar.com

# ---- beyond what POST /files takes

head -c 31457280 /dev/zero >"$work/large"
before=$(vt_count requests)
ok 'the largest that is sent directly' submit --public "$work/large"
is "$(vt_count requests)" $((before + 5)) 'look-up, upload, three polls'
head -c 33554433 /dev/zero >"$work/large"
before=$(vt_count requests)
vt set polls 0 >/dev/null
ok 'a large file' submit --public --json "$work/large"
like "$(said)" "\"subject\":\"$(sha256sum "$work/large" | cut -c 1-64)\",\"submitted\":true,\"verdict\":\"clean\"" \
	'came through whole'
is "$(vt_count requests)" $((before + 4)) 'look-up, place, upload, poll'
echo >>"$work/large"
for place in http://evil.example/api http://127.0.0.1@evil.example "https://127.0.0.1:$vt_port" "http://127.0.0.1:1"; do
	vt set upload-base "$place" >/dev/null
	before=$(vt_count requests)
	exits 69 "a place elsewhere: $place" submit --public "$work/large"
	like "$(said)" 'Upload URL on another server' 'is refused'
	is "$(vt_count requests)" $((before + 2)) 'before anything is sent'
done

# ---- a file that changes

# submit_now FILE : in real time, and as from a terminal, where ^C is not ignored as it is behind "&".
submit_now()
{
	exec perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$builddir/milter/vtmilterctl" -f "$milter_conf" submit --public "$1" \
		>"$work/out" 2>&1
}

echo before >"$work/changing"
before=$(vt_count requests)
vt fault path=/files count=1 delay=3000 >/dev/null
submit_now "$work/changing" &
submit_pid=$!
ok 'changes: the look-up is under way' wait_for 20 vt_counted requests $((before + 1))
echo after >"$work/changing"
wait $submit_pid
is $? 75 'changes before it is sent: later'
like "$(cat "$work/out")" 'changing changed while it was read' 'and says so'
is "$(vt_count requests)" $((before + 1)) 'nothing was sent'
vt fault path=/files after=1 count=1 delay=3000 >/dev/null
submit_now "$work/changing" &
submit_pid=$!
ok 'changes: the upload is under way' wait_for 20 vt_counted requests $((before + 3))
echo too late >"$work/changing"
wait $submit_pid
is $? 75 'changes while it is sent: later'
unlike "$(cat "$work/out")" '^(clean|bad|unknown)' 'and no verdict'

# ---- ^C

echo interrupted >"$work/small"
before=$(vt_count requests)
vt fault path=/files after=1 count=1 stall >/dev/null
submit_now "$work/small" &
submit_pid=$!
ok '^C: the upload is under way' wait_for 20 vt_counted requests $((before + 2))
kill -INT $submit_pid
wait $submit_pid
is $? 130 '^C: ends it'
is "$(cat "$work/out")" '' '^C: without a verdict'
vt reset >/dev/null
ok '^C: it can be done again' submit --public "$work/small"

# ---- trouble

echo other >"$work/small"
vt fault path=/files count=1 status=503 >/dev/null
ok 'a look-up that fails is tried again' submit --public "$work/small"
echo third >"$work/small"
vt fault path=/files after=1 count=1 close >/dev/null
exits 69 'an upload that fails is not' submit --public "$work/small"
vt reset >/dev/null
vt fault status=401 >/dev/null
exits 78 'a refused key' submit --public "$work/small"
vt reset >/dev/null
sed -i 's/^RequestsPerDay .*/RequestsPerDay 2/; s/^ReserveForManual .*/ReserveForManual 1/' "$milter_conf"
echo 'ReserveForAttachments 0%' >>"$milter_conf"
exits 75 'without requests left' submit --public "$work/small"
is "$(vt_count violations)" 0 'none was beyond the budget'
sed -i 's/^RequestsPerDay .*/RequestsPerDay 400/' "$milter_conf"
stop_pid "$vt_pid"
exits 69 'no VirusTotal' submit --public "$work/small"
rm -f "$work"/vtmilter.db*
mkdir "$work/vtmilter.db"
exits 69 'no store' submit --public "$work/small"

done_testing
