#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0300-postfix-demo.sh - messages through Postfix, vtmilter and the stand-in come out with the right headers.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_postfix

start_fakevt --per-minute 100 || bail 'no stand-in'
know_samples
printf '%s\n' '# ours' knowbe4.com >"$work/ignored-domains"
start_vtmilter 'Timeout 20' "IgnoredDomains $work/ignored-domains" 'RequestsPerMinute 100' || bail 'no vtmilter'
start_postfix || bail 'no Postfix'

# sample FILE TAGS NAME : sends it; $mail is what arrived.
sample()
{
	ok "$3: accepted" send_mail "$1"
	mail=$(delivered "$1")
	is "$(tags "$mail")" "$2" "$3: its tags"
}

sample clean-attachment.eml VT_Scanned 'clean attachment'
like "$(vt_headers "$mail")" \
	'^X-VT-Report: attachment; verdict=clean; detections=0/[0-9]+; sha256=[0-9a-f]{64}; name="pixel.gif"$' \
	'the report of a clean attachment'
sample bad-attachment.eml VT_Bad 'bad attachment'
like "$(vt_headers "$mail")" "sha256=$(eicar | sha256sum | cut -c 1-64); name=\"invoice.exe\"\$" \
	'the report of a bad attachment: which one'
like "$(vt_headers "$mail")" '^X-VT-Report: attachment; verdict=bad; detections=64/72;' 'and by how many'
sample unknown-attachment.eml VT_Hash_not_found 'unknown attachment'
like "$(vt_headers "$mail")" '^X-VT-Report: attachment; verdict=unknown; .*name="minutes.pdf"$' \
	'the report of an unknown attachment'
sample bad-link.eml VT_Bad 'bad link'
like "$(vt_headers "$mail")" '^X-VT-Report: url; verdict=bad; .*host=malware.wicar.org; id=[0-9a-f]{64}$' \
	'the report of a bad link'
sample ignored-domain.eml VT_Ignored 'ignored domain'
sample forged.eml '' 'forged headers'
is "$(vt_headers "$mail")" '' 'nothing of the forged headers is left'
sample plain.eml '' 'no items'

used=$(vt_count requests)
sample several.eml 'VT_Bad VT_Hash_not_found VT_Ignored VT_Scanned' 'several items'
is "$(vt_count requests)" "$used" 'the answers were cached: no further request'
is "$(vt_headers "$mail" | grep -c '^X-VT-Tag:')" 4 'a file name with CR LF makes no header'
like "$(vt_headers "$mail" | grep -m 1 '^X-VT-Report:')" 'verdict=bad' 'the worst report comes first'
is "$(awk '/^$/ { exit } length($0) > 998' "$mail" | wc -l)" 0 'no header line is too long'
is "$(awk '/^$/ { exit } /\r/' "$mail" | wc -l)" 0 'no CR in the headers'

is "$(vt_count violations)" 0 'the stand-in counted no violation'
unlike "$(cat "$milter_log")" "$vt_key" 'the key is not in the log'
exits 0 'vtmilter ends well' stop_vtmilter
done_testing
