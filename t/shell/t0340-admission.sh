#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0340-admission.sh - a message waits only for answers that can come before its deadline, and the key's limit is kept.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_postfix

# 4 requests a minute, each answered after DELAY ms.  What vtmilter asks about quotas at its start comes without.
start_slow()
{
	start_fakevt || bail 'no stand-in'
	start_vtmilter 'Timeout 2' 'RequestsPerMinute 4' || bail 'no vtmilter'
	sleep 1
	vt_delay "$1"
}

start_slow 1500
start_postfix || bail 'no Postfix'

# timed FILE : sends it; $took is how long Postfix held the sender, in ms.
timed()
{
	local start
	start=$(now_ms)
	send_mail "$1"
	took=$(($(now_ms) - start))
}

ok 'mail without items' timed plain.eml
between_ms "$took" 0 700 'it waits for nothing'

ok 'four links, four requests' timed four-links.eml
between_ms "$took" 1300 2600 'it waits for its answers'
is "$(tags "$(delivered four-links.eml)")" VT_URL_not_found 'they came in time'
is "$(vt_count requests)" 4 'four requests were sent'

ok 'two more links, no request left' timed two-links.eml
between_ms "$took" 0 700 'it waits for nothing at all'
is "$(tags "$(delivered two-links.eml)")" 'VT_Bypassed VT_Pending' 'and says so'

forget_delivered
ok 'the first again' timed four-links.eml
between_ms "$took" 0 700 'the answers are there'
is "$(tags "$(delivered four-links.eml)")" VT_URL_not_found 'from the cache'
is "$(vt_count requests)" 4 'no further request was sent'
is "$(vt_count violations)" 0 'the stand-in counted no violation'

# Answers that are slower than Timeout: nothing comes in time.
stop_vtmilter
forget_delivered
stop_pid "$vt_pid"
rm -f "$work"/vtmilter.db*
start_slow 5000
ok 'four links, slow answers' timed four-links.eml
between_ms "$took" 0 2600 'it leaves at its deadline'
is "$(tags "$(delivered four-links.eml)")" 'VT_Bypassed VT_Pending' 'four answers are pending'
ok 'two more links' timed two-links.eml
between_ms "$took" 0 700 'they wait for nothing'
is "$(tags "$(delivered two-links.eml)")" 'VT_Bypassed VT_Pending' 'and are pending too'
is "$(vt_count violations)" 0 'the stand-in counted no violation'
done_testing
