#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0500-ctl-offline.sh - vtmilterctl: usage, extract and plan, which ask nobody
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilterctl

ctl=$builddir/milter/vtmilterctl
printf '%s\n' 0123456789abcdef0123456789abcdef >"$work/key"
chmod 600 "$work/key"
printf '%s\n' "ApiKeyFile $work/key" "ControlSocket $work/none" "Store sqlite:$work/none.db" >"$work/conf"

# said : what the last command printed
said()
{
	cat "$work/said"
}

exits 0 'help' "$ctl" --help
like "$(said)" '^  extract FILE' 'names the commands'
exits 0 'version' "$ctl" --version
like "$(said)" '[0-9]\.[0-9]' 'tells it'
exits 64 'no command' "$ctl"
exits 64 'an unknown command' "$ctl" frobnicate
like "$(said)" "no command 'frobnicate'" 'is named'
exits 64 'an unknown option' "$ctl" --frobnicate status
exits 64 "an option of another command" "$ctl" -f "$work/conf" extract --public "$data/messages/plain.eml"
like "$(said)" 'does not take --public' 'is named'
exits 78 'a configuration that is not there' "$ctl" -f "$work/missing" status
exits 78 'and for an extraction, if it was named' "$ctl" -f "$work/missing" extract "$data/messages/plain.eml"

# ---- extract

exits 64 'extract: nothing' "$ctl" -f "$work/conf" extract
exits 64 'extract: a file that is not there' "$ctl" -f "$work/conf" extract "$work/missing"
like "$(said)" 'missing: No such file' 'is named'
ok 'extract: a message without items' "$ctl" -f "$work/conf" --json extract "$data/messages/plain.eml"
is "$(said)" '' 'has no line'
ok 'extract: links' "$ctl" -f "$work/conf" extract --json "$data/messages/two-links.eml"
is "$(said | head -1)" "{\"file\":\"$data/messages/two-links.eml\",\"kind\":\"url\",\"url\":\"https://one.two-links.example.com/a\",\"host\":\"one.two-links.example.com\",\"role\":\"text\",\"via\":[\"text/plain\"],\"from\":null,\"private\":false,\"ignored\":false,\"inside\":false,\"wrapper\":false,\"note\":null}" \
	'one object a line'
is "$(said | wc -l)" 2 'for each'
ok 'extract: an attachment' "$ctl" -f "$work/conf" extract --json "$data/messages/clean-attachment.eml"
like "$(said)" '"kind":"attachment","sha256":"ef1955ae757c8b966c83248350331bd3a30f658ced11f387f8ebf05ab3368629","size":42,' \
	'its hash and size'
ok 'extract: a name that would write to the terminal' "$ctl" -f "$work/conf" extract "$data/messages/several.eml"
unlike "$(said)" '^X-VT-Tag' 'does not'

"$ctl" -f "$work/conf" extract --json "$data/messages/two-links.eml" | sed 's/"file":"[^"]*"//' >"$work/lf"
sed 's/$/\r/' "$data/messages/two-links.eml" >"$work/crlf.eml"
"$ctl" -f "$work/conf" extract --json "$work/crlf.eml" | sed 's/"file":"[^"]*"//' >"$work/crlf"
ok 'extract: CRLF line ends change nothing' cmp "$work/lf" "$work/crlf"
{
	echo 'From ada@example.org Mon Mar  2 09:05:00 2026'
	cat "$data/messages/two-links.eml"
} >"$work/from.eml"
"$ctl" -f "$work/conf" extract --json - <"$work/from.eml" | sed 's/"file":"[^"]*"//' >"$work/from"
ok 'extract: nor does a From line, from standard input' cmp "$work/lf" "$work/from"

{
	cat "$work/from.eml"
	printf '%s\n' '' 'From here on this is text: it is no separator' '' 'From ada@example.org Tue Mar  3 09:05:00 2026'
	cat "$data/messages/four-links.eml"
} >"$work/mbox"
ok 'extract: an mbox' "$ctl" -f "$work/conf" extract "$work/mbox"
is "$(said | grep -c '^/')" 2 'is split'
like "$(said)" '/mbox#1: 2 items' 'into the first'
like "$(said)" '/mbox#2: 4 items' 'and the second'
mkdir -p "$work/Maildir/cur" "$work/Maildir/new" "$work/Maildir/tmp"
cp "$data/messages/two-links.eml" "$work/Maildir/cur/1772442300.a:2,S"
cp "$data/messages/four-links.eml" "$work/Maildir/new/1772528700.b"
cp "$data/messages/nested.eml" "$work/Maildir/tmp/1772528701.c"
ok 'extract: a Maildir' "$ctl" -f "$work/conf" extract "$work/Maildir"
is "$(said | grep -c '^/')" 2 'without what is being delivered'

printf '%s\n' 'two-links.example.com' >"$work/domains"
printf '%s\n' "IgnoredDomains $work/domains" >>"$work/conf"
rm "$work/key"
ok 'extract: needs no key' "$ctl" -f "$work/conf" extract --json "$data/messages/two-links.eml"
is "$(said | grep -c '"ignored":true')" 1 'and knows the lists'

# ---- plan

exits 64 'plan: nothing' "$ctl" -f "$work/conf" plan
exits 64 'plan: what is not there' "$ctl" -f "$work/conf" plan "$work/missing"
mkdir "$work/empty"
exits 1 'plan: an empty directory' "$ctl" -f "$work/conf" plan "$work/empty"
ok 'plan: a Maildir' "$ctl" -f "$work/conf" --json plan "$work/Maildir"
like "$(said)" '"messages":2,"days":1,"with_items":2,' 'is counted'
like "$(said)" '"per_minute":4,"per_day":480,"requests":5,"hits":0,"bypassed":0' 'and replayed'
i=0
while [ $i -lt 40 ]; do
	echo 'From ada@example.org Mon Mar  2 09:05:00 2026'
	printf '%s\n' 'From: ada@example.org' "Message-ID: <$i@example.org>" '' "https://www$i.example.net/" ''
	i=$((i + 1))
done >"$work/burst"
ok 'plan: forty at once' "$ctl" -f "$work/conf" --json plan "$work/burst"
# 4 at once, then 4 a minute, and an answer takes a second: 8 within two minutes
like "$(said)" '"requests":40,"hits":0,"bypassed":32' 'most come too late'
like "$(said)" '"per_minute":40,"per_day":4800,"requests":40,"hits":0,"bypassed":0' 'with ten times the budget none'
like "$(said)" '"new_links":40,"new_links_at_once":40,"links":40,"links_at_once":40,' \
	'by points: one answer for the domain serves them all'
ok 'plan: for people' "$ctl" -f "$work/conf" plan "$work/burst"
like "$(said)" 'not enough' 'says so'
like "$(said)" '^40 a minute and 4800 a day would be enough.$' 'and what would be'
like "$(said)" 'looked up when they come: 40 of 40 \(100%\)' 'and which links are looked up at once'

done_testing
