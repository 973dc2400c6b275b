#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0395-sendmail.sh - messages through Sendmail come out with the right headers, and none that a sender wrote.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
. "$srcdir/t/shell/sendmail.sh"
. "$srcdir/t/shell/forge.sh"
why=$(sendmail_missing) && skip_all "$why"
need_built milter/vtmilter milter/vtmilterctl t/standin/fakevt t/standin/null-milter
need_program smtp-source

run=$(mktemp -d /run/vtm-t0395.XXXXXX) || bail 'no directory in /run'
at_end 'rm -rf' "$run"
milter_socket=$run/vtmilter.sock

start_fakevt --per-minute 0 || bail 'no stand-in'
know_samples
start_vtmilter 'Timeout 20' 'RequestsPerMinute 0' || bail 'no vtmilter'

# start_sendmail NAME MILTER_SOCKET ... : the functions for Postfix do for this one too.
cf_line=	# one more in sendmail.cf
start_sendmail()
{
	local dir="$work/$1" socket
	shift
	for socket; do
		set -- "$@" "S=unix:$socket, F=T, T=C:1m;S:30s;R:3m;E:5m"
		shift
	done
	postfix_port=$(free_port)
	ok 'sendmail.cf is made' sendmail_create "$dir" "$postfix_port" "$@"
	[ -z "$cf_line" ] || printf '%s\n' "$cf_line" >>"$dir/sendmail.cf"
	at_end sendmail_stop "$dir"
	ok 'Sendmail starts' sendmail_start "$dir" || bail "$(tail -n 5 "$dir/log")"
	postfix_dir=$dir/box
	mkdir -p "$postfix_dir/mail"
	ln -s "$dir/mail" "$postfix_dir/mail/all"
}
start_sendmail sendmail "$milter_socket"
# A real sendmail.cf; whether a Postfix is here too, and the socket in /tmp, do not matter.
SENDMAIL_CF=$work/sendmail/sendmail.cf "$builddir/milter/vtmilterctl" -f "$milter_conf" doctor >"$work/doctor" 2>&1
like "$(cat "$work/doctor")" '^ok +sendmail +InputMailFilters has ' 'doctor finds us in it'
like "$(cat "$work/doctor")" '^problem +sendmail +F=T: ' 'and what it says'

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

# ---- forged fields, those in a nested message left alone, up to the 32 KB that Sendmail takes as a header section
for count in 1 2 8 200 1200; do
	forged_row scanned "$count" VT_Scanned
done
forge 2500 many >"$work/many.eml"
not send_mail "$work/many.eml"
like "$(cat "$work/send.out")" '552 .*[Hh]eaders too large' 'more than that are refused by its own rule'
forged_reload 'Enabled no'
forged_row disabled 200 ''
forged_reload 'SkipNetworks 127.0.0.0/8'
forged_row 'skipped network' 200 ''
forged_reload 'MaxMessageSize 100'
forged_row 'too large' 200 VT_Bypassed
forged_reload 'Timeout 0'
forged_row 'Timeout 0' 200 'VT_Bypassed VT_Pending'
forged_reload 'TempDirectory /proc' 'MaxMemory 4M'
forged_pad=1500000
forged_row 'no place for it' 200 VT_Bypassed
forged_pad=0
forged_reload 'Timeout 2'
vt fault close >/dev/null
forged_row 'VirusTotal is down' 200 'VT_Bypassed( VT_Pending)?'
vt fault none >/dev/null
forged_reload 'SkipAuthenticated yes'
cf_line='D{auth_authen}ada'
start_sendmail authenticated "$milter_socket"
forged_row authenticated 200 ''
cf_line=
forged_reload 'Timeout 20'
null_socket=$run/null.sock
start_null -e 3 -n X-VT-Tag "unix:$null_socket"
start_sendmail after "$null_socket" "$milter_socket"
forged_row 'after a milter that adds some' 200 VT_Scanned
start_sendmail before "$milter_socket" "$null_socket"
forged_row 'before a milter that adds some' 200 '(attachment; verdict=unknown; sha256= [0-9a-f]{64} ){3}VT_Scanned'
forged_table
is "$(vt_count violations)" 0 'the stand-in counted no violation'
done_testing
