#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0395-sendmail.sh - messages through Sendmail come out with the right headers, and none that a sender wrote.
. "${srcdir:-$(dirname "$0")/..}/t/lib.sh"
. "$srcdir/t/sendmail.sh"
why=$(sendmail_missing) && skip_all "$why"
need_built milter/vtmilter t/fakevt
need_program smtp-source

run=$(mktemp -d /run/vtm-t0395.XXXXXX) || bail 'no directory in /run'
at_end 'rm -rf' "$run"
milter_socket=$run/vtmilter.sock

start_fakevt --per-minute 0 || bail 'no stand-in'
know_samples
start_vtmilter 'Timeout 20' 'RequestsPerMinute 0' || bail 'no vtmilter'
port=$(free_port)
ok 'sendmail.cf is made' sendmail_create "$work/sendmail" "$port" "S=unix:$milter_socket, F=T, T=C:1m;S:30s;R:3m;E:5m"
at_end sendmail_stop "$work/sendmail"
ok 'Sendmail starts' sendmail_start "$work/sendmail" || bail "$(tail -n 5 "$work/sendmail/log")"

# The functions for Postfix do for this one too.
postfix_port=$port
mkdir -p "$work/box/mail"
ln -s "$work/sendmail/mail" "$work/box/mail/all"
postfix_dir=$work/box

# sample FILE TAGS NAME
sample()
{
	ok "$3: accepted" send_mail "$1"
	mail=$(delivered "$1")
	is "$(tags "$mail")" "$2" "$3: its tags"
}

sample clean-attachment.eml VT_Scanned 'clean attachment'
sample bad-attachment.eml VT_Bad 'bad attachment'
like "$(vt_headers "$mail")" '^X-VT-Report: attachment; verdict=bad; .*name="invoice.exe"$' 'its report, unfolded'
sample unknown-attachment.eml VT_Hash_not_found 'unknown attachment'
sample several.eml 'VT_Bad VT_Hash_not_found VT_URL_not_found VT_Scanned' 'several items, in the order of severity'
is "$(awk '/^$/ { exit } /\r/' "$mail" | wc -l)" 0 'no CR in the headers'
sample forged.eml '' 'forged headers'
is "$(vt_headers "$mail")" '' 'none of them is left'
for count in 2 8 50; do
	{ awk -v n="$count" 'BEGIN { while (n--) print "X-VT-Tag: forged" }'
		mail_text clean-attachment.eml | sed "s/^Message-ID:.*/Message-ID: <forged-$count@sendmail>/"
	} >"$work/m.eml"
	sample "$work/m.eml" VT_Scanned "$count forged tags"
done
for file in plain.eml long-lines.eml utf8.eml nested.eml signed.eml; do
	ok "$file: accepted" send_mail "$file"
	mail=$(delivered "$file")
	mail_text "$file" | body_of /dev/stdin >"$work/want"
	# Sendmail folds lines over 990 bytes by its own rule, and procmail adds an empty line.
	[ "$file" = long-lines.eml ] && continue
	body_of "$mail" | sed -e '${/^$/d}' >"$work/got"
	sed -e '${/^$/d}' -i "$work/want"
	ok "$file: its body" diff "$work/want" "$work/got"
done
is "$(vt_count violations)" 0 'the stand-in counted no violation'
done_testing
