#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0350-coalescing.sh - 200 copies of one attachment at once cost one request.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_postfix

start_fakevt || bail 'no stand-in'
know_samples
vt_delay 1500
start_vtmilter 'Timeout 10' 'MaxWaiting 200' || bail 'no vtmilter'
start_postfix default_process_limit=250 || bail 'no Postfix'

ok '200 copies, 100 at a time' send_mail clean-attachment.eml -s 100 -m 200
ok 'all arrive' wait_for 60 have_delivered clean-attachment.eml 200
is "$(vt_count requests)" 1 'one request'
is "$(grep -rlx 'X-VT-Tag: VT_Scanned' "$postfix_dir/mail/all/new" | wc -l)" 200 'all are tagged scanned'
is "$(vt_count violations)" 0 'the stand-in counted no violation'
done_testing
