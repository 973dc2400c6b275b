#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0370-on-bad.sh - OnBad: accept, quarantine, reject and discard, and only for bad mail.
. "${srcdir:-$(dirname "$0")/..}/t/lib.sh"
need_postfix

start_fakevt || bail 'no stand-in'
know_samples
start_vtmilter 'OnBad accept' || bail 'no vtmilter'
start_postfix || bail 'no Postfix'

# again LINE : vtmilter with another configuration; the verdicts stay cached.
again()
{
	stop_vtmilter
	forget_delivered
	start_vtmilter "$@" || bail 'no vtmilter'
}

clean_passes()
{
	ok "$1: clean mail is accepted" send_mail clean-attachment.eml
	is "$(tags "$(delivered clean-attachment.eml)")" VT_Scanned "$1: clean mail arrives"
}

ok 'accept: bad mail is accepted' send_mail bad-attachment.eml
is "$(tags "$(delivered bad-attachment.eml)")" VT_Bad 'accept: bad mail arrives'
clean_passes accept

again 'OnBad reject'
ok 'reject: bad mail is refused' not send_mail bad-attachment.eml
like "$(cat "$work/send.out")" '5[0-9][0-9] 5\.7\.[0-9]' 'reject: with a permanent reply'
clean_passes reject
is "$(find_delivered bad-attachment.eml)" '' 'reject: bad mail did not arrive'

again 'OnBad discard'
ok 'discard: bad mail is accepted' send_mail bad-attachment.eml
clean_passes discard
is "$(find_delivered bad-attachment.eml)" '' 'discard: bad mail did not arrive'

again 'OnBad quarantine'
ok 'quarantine: bad mail is accepted' send_mail bad-attachment.eml
clean_passes quarantine
is "$(find_delivered bad-attachment.eml)" '' 'quarantine: bad mail did not arrive'
like "$(postqueue -c "$postfix_dir/etc" -p)" '^[0-9A-Za-z]+!' "quarantine: it is in Postfix's hold queue"
postsuper -c "$postfix_dir/etc" -H ALL >"$work/said" 2>&1
postqueue -c "$postfix_dir/etc" -f
is "$(tags "$(delivered bad-attachment.eml)")" VT_Bad 'quarantine: released, it arrives with its tag'
is "$(vt_count requests)" 2 'two files, two requests, over three restarts'
done_testing
