#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0330-virustotal-off.sh - without VirusTotal mail flows, says bypassed, and never scanned.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_postfix

vt_url=http://127.0.0.1:$(free_port)
vt_key=0000000000000000000000000000000000000000000000000000000000000000
start_vtmilter 'Timeout 3' || bail 'no vtmilter'
start_postfix || bail 'no Postfix'

start=$(now_ms)
for file in clean-attachment.eml bad-attachment.eml unknown-attachment.eml bad-link.eml newsletter.eml several.eml; do
	ok "$file: accepted" send_mail "$file"
	mail=$(delivered "$file")
	like "$(tags "$mail")" 'VT_Bypassed' "$file: bypassed"
	unlike "$(vt_headers "$mail" | sed 's/name=.*//')" 'VT_Scanned|VT_Bad|not_found|verdict=(clean|bad|unknown)' \
		"$file: nothing is made up"
done
between_ms "$(($(now_ms) - start))" 0 15000 'six messages wait less than six times Timeout: VirusTotal is known to be down'
ok 'mail without items' send_mail plain.eml
is "$(tags "$(delivered plain.eml)")" '' 'mail without items has no tag'
ok 'vtmilter is still alive' alive "$milter_pid"
done_testing
