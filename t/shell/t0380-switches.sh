#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0380-switches.sh - Enabled no, Timeout 0, ScanAttachments, ScanURLs, ReportHeaders.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_postfix

start_fakevt --per-minute 0 || bail 'no stand-in'
know_samples
write_conf 'Enabled no'
rm "$work/api-key"
sed -i '/^ApiKeyFile/d' "$milter_conf"
ok 'Enabled no needs no key' start_vtmilter || bail 'no vtmilter'
start_postfix || bail 'no Postfix'

again()
{
	stop_vtmilter
	forget_delivered
	rm -f "$work"/vtmilter.db*
	start_vtmilter 'RequestsPerMinute 0' "$@" || bail 'no vtmilter'
}

passes()
{
	send_mail "$1" || diag "$(cat "$work/send.out")"
	tags "$(delivered "$1")"
}

is "$(passes bad-attachment.eml)" '' 'Enabled no: no tags'
is "$(vt_count requests)" 0 'Enabled no: no requests'

again 'Timeout 0'
start=$(now_ms)
is "$(passes bad-attachment.eml)" 'VT_Bypassed VT_Pending' 'Timeout 0: nothing is waited for'
between_ms "$(($(now_ms) - start))" 0 1500 'Timeout 0: at once'
ok 'Timeout 0: it is asked all the same' wait_for 10 vt_counted requests 1
forget_delivered
wait_tags()
{
	forget_delivered
	[ "$(passes bad-attachment.eml)" = VT_Bad ]
}
ok 'Timeout 0: the next one has the answer' wait_for 15 wait_tags

again 'ScanAttachments no'
used=$(vt_count requests)
is "$(passes bad-attachment.eml)" '' 'ScanAttachments no: no tag for a file'
is "$(passes bad-link.eml)" VT_Bad 'ScanAttachments no: links are looked up'
is "$(vt_count requests)" "$((used + 1))" 'ScanAttachments no: one request'

again 'ScanURLs no'
used=$(vt_count requests)
is "$(passes bad-link.eml)" '' 'ScanURLs no: no tag for a link'
is "$(passes bad-attachment.eml)" VT_Bad 'ScanURLs no: files are looked up'
is "$(vt_count requests)" "$((used + 1))" 'ScanURLs no: one request'

again 'ReportHeaders no'
is "$(passes bad-attachment.eml)" VT_Bad 'ReportHeaders no: the tag'
unlike "$(vt_headers "$(delivered bad-attachment.eml)")" X-VT-Report 'ReportHeaders no: and nothing else'

again 'DetectionThreshold 1000'
is "$(passes bad-attachment.eml)" VT_Scanned 'DetectionThreshold 1000: nothing is bad'
is "$(vt_count violations)" 0 'the stand-in counted no violation'
done_testing
