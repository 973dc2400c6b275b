#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0520-ctl-scan.sh - vtmilterctl scan: within the daemon's budget and cache, and as a filter
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilterctl t/standin/fakevt

ctl()
{
	"$builddir/milter/vtmilterctl" -f "$milter_conf" "$@"
}

said()
{
	cat "$work/said"
}

start_fakevt --per-minute 0 --per-day 8 || bail 'no stand-in'
know_samples
write_conf 'RequestsPerMinute 0' 'RequestsPerDay 8' 'ReserveForManual 5' 'ReserveForAttachments 0%'

exits 64 'nothing' ctl scan
exits 64 'a file that is not there' ctl scan "$work/missing"
ok 'a message without items' ctl scan "$data/messages/plain.eml"
like "$(said)" 'plain.eml: no items$' 'says so'
is "$(vt_count requests)" 0 'and asks nobody'
exits 1 'a bad link' ctl scan "$data/messages/bad-link.eml"
like "$(said)" 'bad-link.eml: VT_Bad$' 'its tag'
like "$(said)" ' bad +12/95 +url http://malware.wicar.org/data/eicar.com' 'its item'
exits 1 'the same again' ctl scan --json "$data/messages/bad-link.eml"
like "$(said)" '"tags":\["VT_Bad"\],.*"verdict":"bad",' 'as an object'
is "$(vt_count requests)" 1 'costs nothing'
ok 'a clean attachment' ctl scan "$data/messages/clean-attachment.eml"
is "$(vt_count requests)" 2 'one more'

# ---- the budget: 8, of which 6 are left; four-links and two-links take them, with the reserve

mkdir "$work/mail"
for m in four-links nested two-links; do
	cp "$data/messages/$m.eml" "$work/mail"
done
ok 'within the budget' ctl scan "$work/mail/four-links.eml"
exits 75 'beyond it' ctl scan "$work/mail"
is "$(vt_count requests)" 8 'all of it was used, and no more'
is "$(vt_count violations)" 0 'none is beyond'
like "$(said)" 'four-links.eml: VT_URL_not_found' 'what is answered is printed'
like "$(said)" "try again after [0-9-]+ 00:00:00Z; continue with --from '$work/mail/two-links.eml'" 'when and where to go on'
exits 75 'stops at the same place again' ctl scan --from "$work/mail/two-links.eml" "$work/mail"
is "$(vt_count all)" "$(vt_count free | awk '{ print $1 + 8 }')" 'without a request'
vt set limits per-day=20 >/dev/null
sed -i 's/RequestsPerDay .*/RequestsPerDay 20/' "$milter_conf"
ok 'with more it goes on' ctl scan --from "$work/mail/two-links.eml" "$work/mail"
is "$(said | grep -c '^/')" 1 'from there'
is "$(vt_count requests)" 10 'asking only for what was not answered'
exits 64 'a place that is not there' ctl scan --from nowhere "$work/mail"
like "$(said)" "no message 'nowhere'; without --from all are scanned" 'and what to do'
mkdir -p "$work/Maildir/new" "$work/Maildir/cur"
for m in 1.a.mx:2, 2.b.mx:2,FS 3.c.mx:2,; do
	cp "$data/messages/plain.eml" "$work/Maildir/cur/$m"
done
ok 'a message whose flags were changed' ctl scan --from "$work/Maildir/cur/2.b.mx:2," "$work/Maildir"
is "$(said | sed 's/.*cur.//')" "$(printf '%s: no items\n' 2.b.mx:2,FS 3.c.mx:2,)" 'is the place all the same'
exits 64 'another' ctl scan --from "$work/Maildir/cur/2.b" "$work/Maildir"

# ---- ^C

mkdir "$work/more"
for m in one two; do
	printf 'Subject: x\n\nhttp://%s.interrupted.example.com/\n' $m >"$work/more/$m.eml"
done
vt fault stall >/dev/null
before=$(vt_count requests)
"$builddir/milter/vtmilterctl" -f "$milter_conf" scan "$work/more" >"$work/out" 2>"$work/err" &
scan_pid=$!
ok '^C: a request is under way' wait_for 15 vt_counted requests $((before + 1))
kill -INT "$scan_pid"
wait "$scan_pid"
is $? 130 '^C: ends it'
is "$(cat "$work/out")" '' '^C: what has no answer is not reported'
like "$(cat "$work/err")" "interrupted; continue with --from '$work/more/one.eml'" '^C: and where to go on is'
vt fault none >/dev/null
ok '^C: it goes on there' ctl scan --from "$work/more/one.eml" "$work/more"
is "$(said | grep -c 'VT_URL_not_found$')" 2 '^C: to the end'

# ---- as a filter

exits 64 'a directory is no message' ctl scan --headers "$work/mail"
ok 'a filter' ctl scan --headers "$data/messages/bad-link.eml"
is "$(said | head -1)" 'X-VT-Tag: VT_Bad' 'our headers come first'
is "$(said | sed '/^X-VT-/d; /^	id=/d')" "$(cat "$data/messages/bad-link.eml")" 'and the message as it was'
{
	echo 'From mallory@example.org Mon Mar  2 09:05:00 2026'
	cat "$data/messages/forged.eml"
} >"$work/forged"
ctl scan --headers - <"$work/forged" >"$work/out"
is "$(head -1 "$work/out")" 'From mallory@example.org Mon Mar  2 09:05:00 2026' 'a From line stays first'
is "$(sed '/^$/q' "$work/out" | grep -ci '^x-vt-')" 0 'forged headers go'
is "$(sed '1,/^$/d' "$work/out")" "$(sed '1,/^$/d' "$data/messages/forged.eml")" 'the body stays'
sed 's/$/\r/' "$data/messages/bad-link.eml" >"$work/crlf.eml"
ctl scan --headers "$work/crlf.eml" >"$work/out"
is "$(grep -cv "$(printf '\r')\$" "$work/out")" 0 'line ends are those of the message'

# ---- trouble

vt fault status=401 >/dev/null
exits 78 'a refused key' ctl scan "$data/messages/unknown-attachment.eml"
vt reset >/dev/null
stop_pid "$vt_pid"
exits 69 'no VirusTotal' ctl scan "$data/messages/unknown-attachment.eml"
like "$(said)" 'cannot be reached' 'is told'
ok 'no VirusTotal: the filter gives the message back' ctl scan --headers "$data/messages/unknown-attachment.eml"
like "$(said)" '^X-VT-Tag: VT_Bypassed$' 'as bypassed'
unlike "$(said)" 'VT_Pending' 'since nobody goes on asking'
exits 1 'no VirusTotal: what is known is told' ctl scan "$data/messages/bad-link.eml"
rm -rf "$work"/vtmilter.db*
mkdir "$work/vtmilter.db"
exits 69 'no store' ctl scan "$data/messages/bad-link.eml"
sed -i '/^ApiKeyFile/d' "$milter_conf"
echo 'Enabled no' >>"$milter_conf"
exits 78 'not enabled' ctl scan "$data/messages/bad-link.eml"

done_testing
