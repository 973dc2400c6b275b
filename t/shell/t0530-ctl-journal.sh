#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0530-ctl-journal.sh - vtmilterctl: list, show and rescan of delivered messages
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilterctl milter/vtmilter t/standin/fakevt t/standin/milter-drive

ctl()
{
	"$builddir/milter/vtmilterctl" -f "$milter_conf" "$@"
}

said()
{
	cat "$work/said"
}

# deliver MESSAGE : through the milter; returns when the journal has it.
deliver()
{
	"$builddir/t/standin/milter-drive" -t 15000 -f "$data/messages/$1.eml" "unix:$milter_socket" >/dev/null &&
		wait_for 10 journalled "$1"
}

journalled()
{
	ctl list --json | grep -q "\"message_id\":\"<$1@samples.vtmilter>\""
}

start_fakevt --per-minute 0 || bail 'no stand-in'
know_samples
start_vtmilter 'RequestsPerMinute 0' || bail 'no milter'

wait_for 10 test -e "$work/vtmilter.db"
ok 'list: no message yet' ctl list
like "$(said)" '^no messages$' 'says so'
ok 'list: no message, as objects' ctl list --json
is "$(said)" '' 'has no line'
exits 1 'show: no message' ctl show 4XyZ
like "$(said)" "4XyZ: the journal has no such message .*'vtmilterctl list' prints" 'and where to look'
exits 1 'rescan: no message' ctl rescan 4XyZ
for command in show rescan; do
	exits 64 "$command: nothing" ctl $command
	exits 64 "$command: two" ctl $command a b
done
exits 64 'list: an argument' ctl list all
exits 64 'list: no tag' ctl list --tag VT_Nice
exits 64 'list: no time' ctl list --since yesterday
exits 64 'list: no number' ctl list --max 0

deliver bad-link || bail 'not journalled'
deliver unknown-attachment || bail 'not journalled'
ok 'list' ctl list
is "$(said | wc -l)" 3 'a head and two lines'
like "$(said)" ' VT_Bad$' 'with their tags'
ok 'list: by tag' ctl list --json --tag bad
is "$(said | grep -c message_id)" 1 'one has it'
ok 'list: of the future' ctl list --json --since 2099-01-01
is "$(said)" '' 'is empty'
ok 'list: of the last hour' ctl list --json --since 1h --until 2099-01-01T00:00:00Z --max 1
is "$(said | grep -c '<unknown-attachment@')" 1 'the newest first'

ok 'list: more than are wanted' ctl list --max 1
like "$(said)" 'only the newest 1 are listed; for older ones use --until 20[0-9T:-]+Z or a larger --max' 'says how to go on'
unlike "$(ctl list --max 3 2>&1)" 'for older ones' 'unless that was all'

exits 1 'show: a bad one' ctl show '<bad-link@samples.vtmilter>'
like "$(said)" '^tags now: +VT_Bad$' 'its tags'
like "$(said)" ' bad +12/95 +url http://malware.wicar.org/data/eicar.com; answered 20' 'its item, and when'
ok 'show: by the id without brackets' ctl show --json unknown-attachment@samples.vtmilter
like "$(said)" '"tags":\["VT_Hash_not_found"\],.*"items":\[\{"kind":"attachment","sha256":"' 'as an object'

# ---- VirusTotal learns about the attachment; the cache would say unknown for another hour

id=unknown-attachment@samples.vtmilter
hash=$(said | sed 's/.*"sha256":"\([0-9a-f]*\)".*/\1/')
before=$(vt_count requests)
vt add file "$hash" 30/72 >/dev/null
exits 1 'rescan' ctl rescan $id
like "$(said)" "^$id: VT_Bad$" 'it is bad now'
is "$(vt_count requests)" $((before + 1)) 'for one request'
exits 1 'show: it is in the journal' ctl show $id
like "$(said)" '^tags now: +VT_Bad$' 'too'
like "$(said)" '^tags delivered: +VT_Hash_not_found$' 'and so is what it was delivered with'
deliver unknown-attachment
is "$(vt_count requests)" $((before + 1)) 'the daemon takes the answer from the store'
is "$(ctl list --json --tag VT_Bad | grep -c "$id")" 2 'for the next message'

# ---- why a look-up stands where it stands

stop_vtmilter
vt fault stall >/dev/null
start_vtmilter 'RequestsPerMinute 0' 'Timeout 0' 'LogLevel debug' || bail 'no milter'
deliver two-links || bail 'not journalled'
ok 'show: one that is not answered yet' ctl show two-links@samples.vtmilter
like "$(said)" 'one url of each host is asked after risky attachments$' 'why it stands where it stands'
asked_about()
{
	grep -Eq 'queue: asking about url [0-9a-f]{64} after [0-9]+ ms, [0-9]+ behind it: one url of each host' "$milter_log"
}
ok 'LogLevel debug: the log has it too' wait_for 10 asked_about
vt fault none >/dev/null

# ---- trouble

sed -i 's/RequestsPerMinute 0/RequestsPerMinute 0\nRequestsPerDay 2\nReserveForManual 1\nReserveForAttachments 0%/' "$milter_conf"
exits 75 'rescan: without requests left' ctl rescan $id
like "$(said)" 'try again after midnight' 'says when'
exits 1 'what was known is still known' ctl cache show "$hash"
sed -i '/RequestsPerDay/d; /^Reserve/d' "$milter_conf"
stop_vtmilter
stop_pid "$vt_pid"
exits 69 'rescan: no VirusTotal' ctl rescan $id
exits 1 'show: no daemon' ctl show bad-link@samples.vtmilter
rm -f "$work"/vtmilter.db*
for command in 'list' 'show x' 'rescan x'; do
	exits 69 "$command: no store" ctl $command
done

done_testing
