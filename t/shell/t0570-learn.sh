#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0570-learn.sh - vtmilterctl learn fills the history from mailboxes, once, within its bounds; hosts of many
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilterctl milter/vtmilter t/standin/fakevt t/standin/milter-drive

# learn ARGUMENT ... : what it says, as JSON, is in $work/said.
learn()
{
	"$builddir/milter/vtmilterctl" -f "$milter_conf" --json learn "$@" >"$work/said" 2>"$work/complained"
}

# said NAME : the number of that name.
said()
{
	sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" "$work/said"
}

# letter NUMBER DATE FROM LINK [FIELD] : a message on standard output.
letter()
{
	[ -z "${5-}" ] || printf '%s\n' "$5"
	printf 'From: somebody@%s\nTo: me@example.org\nSubject: letter %s\n' "$3" "$1"
	printf 'Date: %s\nMessage-ID: <%s@letters.example>\n\nSee %s\n' "$2" "$1" "$4"
}

# ago DAYS : that day as a message has it.
ago()
{
	LC_ALL=C date -u -d "$1 days ago" '+%a, %d %b %Y 12:00:00 +0000'
}

LC_ALL=C date -u -d '1 days ago' +%a >/dev/null 2>&1 || skip_all 'date has no -d'
start_fakevt --per-minute 0 || bail 'no stand-in'
write_conf

# ---- a Maildir, an mbox, all of a directory

mkdir -p "$work/vmail/anna/new" "$work/vmail/anna/cur" "$work/vmail/anna/tmp" "$work/vmail/anna/.Junk/new" \
	"$work/vmail/anna/.Junk/cur" "$work/vmail/bert"
letter 1 "$(ago 3)" shop.example http://www.shop.example/1 \
	'Received: from mx (mx [198.51.100.7]) by here; '"$(ago 4)" >"$work/vmail/anna/new/1.eml"
letter 2 "$(ago 2)" bank.example http://bank.example/2 >"$work/vmail/anna/cur/2.eml:2,S"
letter 3 "$(ago 2)" bad.example http://bad.example/3 >"$work/vmail/anna/.Junk/cur/3.eml:2,S"
{
	printf 'From somebody@shop.example Thu Jan  1 00:00:00 2026\n'
	letter 4 "$(ago 2)" shop.example http://shop.example/4
	printf '\nFrom somebody@shop.example Thu Jan  1 00:00:00 2026\n'
	letter 2 "$(ago 2)" bank.example http://bank.example/2
	printf '\nFrom somebody@shop.example Thu Jan  1 00:00:00 2026\n'
	letter 5 "$(ago 400)" old.example http://old.example/5
	printf '\n'
} >"$work/vmail/bert/mbox"

exits 0 'a directory with a Maildir and an mbox' learn "$work/vmail"
is "$(said learned)" 3 'each message is learned once, in whatever mailbox it lies'
is "$(said known)" 1 'its copy is known then'
is "$(said too_old)" 1 'an old one is left out'
is "$(said left_out)" 1 'and one in the folder for spam'
is "$(said domains) $(said senders) $(said networks)" '2 2 1' 'link domains, From domains and the network of Received'
is "$(said days)" 2 'of two days: the time of Received counts before that of Date'
exits 0 'a second time' learn "$work/vmail"
is "$(said learned) $(said known)" '0 4' 'nothing is learned again'
is "$(said domains) $(said senders) $(said days)" '2 2 2' 'and nothing changes'
letter 6 "$(ago 1)" new.example http://new.example/6 >"$work/vmail/anna/new/6.eml"
exits 0 'with a new message' learn "$work/vmail"
is "$(said learned) $(said known)" '1 4' 'only that is learned'
is "$(vt_count requests)" 0 'nobody is asked'
exits 64 'without a mailbox' learn
exits 64 'a mailbox that is not there' learn "$work/none"
like "$(cat "$work/complained")" 'none' 'which is named'

# Neither names nor addresses are in the file.
unlike "$(cat "$work"/vmail.db* "$work"/vtmilter.db* 2>/dev/null | tr -c '[:print:]\n' ' ')" 'shop\.example|198\.51\.100|letters\.example' \
	'the store has no name in clear'

# ---- HistoryRetention, HistorySize

rm -f "$work"/vtmilter.db*
letter 7 "$(ago 40)" forty.example http://forty.example/7 >"$work/forty.eml"
write_conf 'HistoryRetention 30d'
exits 0 'mail of 40 days ago, HistoryRetention 30d' learn "$work/forty.eml"
is "$(said learned) $(said too_old)" '0 1' 'is too old'
write_conf 'HistoryRetention 90d'
exits 0 'HistoryRetention 90d' learn "$work/forty.eml"
is "$(said learned) $(said domains)" '1 1' 'is not'

write_conf 'HistorySize 1000'
date=$(ago 5)
# many NUMBER : an mbox of so many letters, each of another domain.
many()
{
	awk -v n="$1" -v date="$date" 'BEGIN { for (i = 0; i < n; i++)
		printf "From x Thu Jan  1 00:00:00 2026\nFrom: x@from%d.example\nSubject: x\nDate: %s\n" \
			"Message-ID: <many%d@letters.example>\n\nSee http://link%d.example/\n\n", i, date, i, i }'
}

many 1100 >"$work/many"
exits 0 '1,100 domains, HistorySize 1000' learn "$work/many"
is "$(said learned)" 1100 'all are read'
is "$(said domains) $(said senders)" '1000 1000' 'and 1,000 of each kind kept'

# ---- ^C, and on from there

rm -f "$work"/vtmilter.db*
write_conf
many 40000 >"$work/many"
"$builddir/milter/vtmilterctl" -f "$milter_conf" --json learn "$work/many" >"$work/said" 2>"$work/complained" &
pid=$!
ok "it begins" wait_for 20 test -s "$work/vtmilter.db-wal"
for n in 1 2 3 4 5; do	# the first may come before learn listens to it
	kill -INT $pid 2>/dev/null
	sleep 0.3
done
wait $pid
is $? 130 '^C ends it'
like "$(cat "$work/complained")" 'the same command again' 'and says how to go on'
first=$(said learned)
between "$first" 0 39999 'before all was learned'
exits 0 'the same again' learn "$work/many"
is "$((first + $(said learned)))" 40000 'together they learned each message once'
is "$(said known) $(said senders)" "$first 40000" 'and nothing is missing'

# ---- what vtmilter sees itself is not learned

mkdir "$work/lists"
echo 'docs.hosting.example' >"$work/lists/shared-hosting"
start_vtmilter "ListDirectory $work/lists" 'URLPrivacy host' 'RequestsPerMinute 0' || bail 'no vtmilter'
letter 8 "$(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S +0000')" today.example http://today.example/8 >"$work/today.eml"
wait_for 20 grep -q 'history-live' "$work"/vtmilter.db*
exits 0 'mail that came when vtmilter was running' learn "$work/today.eml"
is "$(said learned) $(said seen)" '0 1' 'is left to it'

# ---- ListDirectory: a host where anybody publishes is not asked about as a whole

# tags LINK : those that a message with it gets.
tags()
{
	letter "tags-$1" "$date" example.net "$1" >"$work/link.eml"
	"$builddir/t/standin/milter-drive" -t 15000 -f "$work/link.eml" "unix:$milter_socket" >/dev/null
	sed -n 's/.* tags=\([A-Za-z_]*\),.*/\1/p' "$milter_log" | tail -n 1
}

before=$(vt_count requests)
is "$(tags https://docs.hosting.example/d/1)" VT_Bypassed 'a link on a host of many is bypassed'
like "$("$builddir/milter/vtmilterctl" -f "$milter_conf" --json scan "$work/link.eml")" '"reason":"host-of-many"' \
	'the report says why'
is "$(($(vt_count requests) - before))" 0 'it costs no request'
is "$(tags https://own.example/d/1)" VT_URL_not_found 'another host is looked up'
is "$(($(vt_count requests) - before))" 1 'by one request'
write_conf "ListDirectory $work/vmail"
exits 78 'a directory without lists' "$builddir/milter/vtmilter" --check -f "$milter_conf"
done_testing
