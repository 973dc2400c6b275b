#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0320-bodies.sh - a message that passed vtmilter has the very body that it has without.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_postfix

# Our own samples, and real mail where a collection is at hand.
collection=${VTM_CORPUS:-$srcdir/../shared/corpus/messages}
{
	ls "$data"/messages/*.eml
	[ ! -d "$collection" ] ||
		find "$collection" -type f -name '*.eml' -size -300k | sort | awk 'NR % 4 == 1' | head -n 60
} >"$work/files"

start_fakevt || bail 'no stand-in'
know_samples
start_vtmilter 'Timeout 0' 'ScanResourceURLs yes' || bail 'no vtmilter'
start_postfix || bail 'no Postfix'

# Sends each file under a Message-ID of its own, the only thing that is changed.
send_all()
{
	local n=0 file
	while read -r file; do
		n=$((n + 1))
		mail_text "$file" | LC_ALL=C awk -v id="<body-$n@bodies>" '
			!body && /^$/ { if (!done) print "Message-ID: " id; body = 1 }
			!body && tolower($0) ~ /^message-id:/ { print "Message-ID: " id; done = 1; drop = 1; next }
			!body && drop && /^[ \t]/ { next }
			{ drop = 0; print }' >"$work/send-$n.eml"
		send_mail "$work/send-$n.eml" || diag "$file: $(cat "$work/send.out")"
	done <"$work/files"
	total=$n
}

arrived()
{
	[ "$(ls "$postfix_dir/mail/all/new" | wc -l)" -ge "$total" ]
}

# keep_bodies DIR : the bodies that arrived, by the number in the Message-ID; also their header sections, without ours.
keep_bodies()
{
	local file n
	mkdir "$1"
	for file in "$postfix_dir"/mail/all/new/*; do
		n=$(LC_ALL=C sed -n 's/^Message-ID: <body-\([0-9]*\)@bodies>.*/\1/p' "$file" | head -n 1)
		LC_ALL=C body_of "$file" >"$1/$n.body"
		LC_ALL=C head_of "$file" |
			grep -a -v -i -e '^Received: from client.example.org' -e '^X-VT-' -e '^Date:' >"$1/$n.head"
	done
}

send_all
ok 'with the milter all arrive' wait_for 60 arrived
keep_bodies "$work/with"
like "$(cat "$postfix_dir"/mail/all/new/* | grep -a -c '^X-VT-Tag:')" '^[1-9]' 'and they were looked at'
forget_delivered
postfix_set "$postfix_dir" smtpd_milters= || bail 'no reload'
send_all
ok 'without the milter all arrive' wait_for 60 arrived
is "$(cat "$postfix_dir"/mail/all/new/* | grep -a -c '^X-VT-Report:')" \
	"$(cat "$work"/send-*.eml | grep -a -c '^X-VT-Report:')" 'and nobody looked at them'
keep_bodies "$work/without"
is "$(ls "$work/with" | wc -l)" "$((total * 2))" "$total messages"

n=0
while read -r file; do
	n=$((n + 1))
	ok "the body of $(basename "$file")" cmp "$work/with/$n.body" "$work/without/$n.body"
done <"$work/files"
# But Date, which Postfix adds where there is none.
ok 'other headers are the same too' diff -r -x '*.body' "$work/with" "$work/without"
ok 'vtmilter is still alive' alive "$milter_pid"
is "$(vt_count violations)" 0 'the stand-in counted no violation'
done_testing
