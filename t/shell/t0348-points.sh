#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0348-points.sh - Order and ExploreShare: a crowd of newsletters does not take the day's requests from a dangerous link
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built t/standin/milter-drive

drive()
{
	"$builddir/t/standin/milter-drive" -t 30000 "$@" "unix:$milter_socket"
}

# newsletter : a message of twelve links that nobody saw before.
newsletter()
{
	printf 'From: news@example.org\r\nSubject: news\r\n\r\n'
	for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
		printf 'http://@FRESH@-%s.example.net/page\r\n' $n
	done
}

asked()
{
	vt_count requests
}

newsletter >"$work/newsletter.eml"
printf 'From: help@example.com\r\nSubject: your account\r\n\r\nhttp://paypal-login.example.info/account\r\n' >"$work/danger.eml"

warp_clock || bail 'no time warp'
start_fakevt --per-minute 0 || bail 'no stand-in'
start_vtmilter 'Order points' 'RequestsPerMinute 20' 'RequestsPerDay 60' 'RequestsPerMonth 0' 'ReserveForManual 0' \
	'Timeout 5' || bail 'no vtmilter'
drive -n 30 -m 5 -F -f "$work/newsletter.eml" -a 198.51.100.7 -S news@example.org >"$work/drive" ||
	bail "newsletters: $(cat "$work/drive")"
sleep 2
warp_by 85
sleep 3
newsletters=$(asked)
between "$newsletters" 10 25 'Order points: 150 newsletters of twelve new links take a part of 60 requests in a minute and a half'
drive -f "$work/danger.eml" -a 203.0.113.9 -S help@example.com -e >"$work/drive"
like "$(cat "$work/drive")" 'VT_' 'a dangerous-looking link of a sender never seen is tagged'
unlike "$(cat "$work/drive")" 'VT_Pending' 'and was asked at once'
is "$(vt_count violations)" 0 'none beyond the limits'

# By class, the newsletters take all.
stop_vtmilter
vt reset all >/dev/null
rm -f "$work"/vtmilter.db*
start_vtmilter 'Order class' 'RequestsPerMinute 0' 'RequestsPerDay 60' 'RequestsPerMonth 0' 'ReserveForManual 0' \
	'ReserveForAttachments 0%' 'SenderShare 0%' 'Timeout 5' || bail 'no vtmilter'
drive -n 30 -m 5 -F -f "$work/newsletter.eml" -a 198.51.100.7 -S news@example.org >"$work/drive" ||
	bail "newsletters: $(cat "$work/drive")"
wait_for 10 vt_counted requests 60
is "$(asked)" 60 'Order class: the newsletters take all requests'

done_testing
