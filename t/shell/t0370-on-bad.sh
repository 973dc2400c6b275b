#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0370-on-bad.sh - OnBad: accept, quarantine, reject and discard, only for bad mail, and by origin.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_postfix
need_program swaks

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

# ---- by origin

again 'OnBad reject' 'OnBad networks discard' 'OnBad authenticated accept' 'OwnNetworks 198.51.100.0/24'
mail_text bad-attachment.eml >"$work/bad.eml"
# from XCLIENT : swaks ends as it does when the message is refused.
from()
{
	swaks --server 127.0.0.1 --port "$postfix_port" --xclient "$1" --data "@$work/bad.eml" \
		--from sender@example.org --to user@example.test
}
exits 26 'anybody: refused' from 'ADDR=203.0.113.9'
exits 0 'an own network: accepted' from 'ADDR=198.51.100.9'
exits 0 'somebody who logged in: accepted' from 'ADDR=203.0.113.9 LOGIN=ada'
exits 0 '... from an own network, too' from 'ADDR=198.51.100.9 LOGIN=ada'
is "$(delivered bad-attachment.eml 2 | wc -l)" 2 '... and delivered, but not what was discarded'
like "$(cat "$milter_log")" 'tags=VT_Bad, .*, action=discard$' 'the log says what was done'
is "$(vt_count requests)" 2 'all that by two requests'
done_testing
