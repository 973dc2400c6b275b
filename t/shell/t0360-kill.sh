#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0360-kill.sh - killed between two requests and started again, vtmilter overspends nothing and its queue goes on.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_postfix
[ -e "$builddir/t/standin/libtimewarp.so" ] || skip_all 't/standin/libtimewarp.so is not built'

# The stand-in and vtmilter share a clock that this test moves: minutes pass in a moment.
warp_clock || bail 'no time warp'
start_fakevt || bail 'no stand-in'
know_samples
start_vtmilter 'Timeout 1' 'RequestsPerMinute 4' || bail 'no vtmilter'
start_postfix || bail 'no Postfix'

# Six links: four may be asked in the first minute, two stay queued.
vt_delay 300
send_mail four-links.eml
send_mail two-links.eml
ok 'four requests are sent' wait_for 10 vt_counted requests 4
sleep 1		# their answers come
stop_vtmilter KILL
start_vtmilter || bail 'vtmilter does not start again'
send_mail bad-link.eml
like "$(tags "$(delivered bad-link.eml)")" 'VT_Bypassed VT_Pending' 'mail flows; the minute is still spent'
is "$(vt_count requests)" 4 'no request more'
is "$(vt_count violations)" 0 'no violation'

# The minute passes.
warp_by 65
ok 'the queue goes on: three requests more' wait_for 15 vt_counted requests 7
is "$(vt_count violations)" 0 'no violation'
sleep 1		# the last answers come

# In flight when killed: the request counts all the same.
vt_delay 2000
warp_by 200
{ mail_text two-links.eml | sed 's/two-links/two-more/g'; } >"$work/more.eml"
send_mail "$work/more.eml"
wait_for 10 vt_counted requests 9
stop_vtmilter KILL
vt_delay 0	# a clock that jumps looks like an answer that never comes
start_vtmilter || bail 'vtmilter does not start again'
sleep 1
warp_by 30
sleep 1
between "$(vt_count requests)" 9 11 'at most four requests in this minute'
for _ in 1 2 3 4; do
	warp_by 30
	sleep 0.5
done
is "$(vt_count violations)" 0 'no violation'

answered_now()
{
	forget_delivered
	send_mail "$work/more.eml"
	[ "$(tags "$(delivered "$work/more.eml")")" = VT_URL_not_found ]
}
ok 'what was in flight is asked again' wait_for 10 answered_now
done_testing
