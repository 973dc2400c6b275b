#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0310-forged.sh - X-VT-* headers that a sender wrote never arrive, however many, on every path.
. "${srcdir:-$(dirname "$0")/..}/t/lib.sh"
need_postfix

start_fakevt || bail 'no stand-in'
know_samples
start_vtmilter 'Timeout 20' || bail 'no vtmilter'
start_postfix || bail 'no Postfix'

# forge COUNT NAME ... : a clean attachment with COUNT forged headers of these names, in turn, of several spellings.
forge()
{
	local count="$1"
	shift
	awk -v count="$count" -v names="$*" 'BEGIN {
		n = split(names, name, " ")
		for (i = 1; i <= count; i++) {
			h = name[(i - 1) % n + 1]
			if (i % 3 == 0) h = tolower(h)
			if (i % 5 == 0) print h ":\n\tforged " i
		else if (i % 7 == 0) print h " : forged " i
		else if (i % 4 == 0) print h ":forged " i "\n\t\n  folded"
		else print h ": forged " i
		}
	}'
	mail_text clean-attachment.eml | sed "s/^Message-ID: <.*/Message-ID: <forged-$count-$#@forged>/"
}

for count in 1 2 8 200; do
	forge "$count" X-VT-Tag >"$work/m.eml"
	ok "$count forged tags: accepted" send_mail "$work/m.eml"
	mail=$(delivered "$work/m.eml")
	is "$(tags "$mail")" VT_Scanned "$count forged tags: only ours"
	forge "$count" X-VT-Tag X-VT-Report X-Vt-Other X-VT-Tag >"$work/m.eml"
	ok "$count of several names: accepted" send_mail "$work/m.eml"
	mail=$(delivered "$work/m.eml")
	is "$(vt_headers "$mail" | grep -ci forged)" 0 "$count of several names: none is left"
	is "$(tags "$mail")" VT_Scanned "$count of several names: only ours"
done

{ printf 'X-VT-Tag: VT_Scanned\nX-VT-Tag: VT_Scanned\n'; mail_text plain.eml; } >"$work/m.eml"
cp "$work/m.eml" "$work/plain.eml"
send_mail "$work/plain.eml"
is "$(vt_headers "$(delivered "$work/plain.eml")")" '' 'none on a message without items'

stop_vtmilter
forget_delivered
start_vtmilter 'Enabled no' || bail 'no vtmilter'
send_mail "$work/plain.eml"
is "$(vt_headers "$(delivered "$work/plain.eml")")" '' 'none with Enabled no'

stop_vtmilter
forget_delivered
start_vtmilter 'MaxMessageSize 100' || bail 'no vtmilter'
{ printf 'X-VT-Tag: VT_Scanned\n'; mail_text clean-attachment.eml; } >"$work/large.eml"
send_mail "$work/large.eml"
is "$(tags "$(delivered "$work/large.eml")")" VT_Bypassed 'a message that is too large: bypassed, nothing forged'

# What a nested message says about itself is its body: left alone.
nested()
{
	printf '%s\n' 'X-VT-Tag: VT_Scanned' 'x-vt-tag:VT_Scanned' 'From: a@example.org' 'Message-ID: <nested-forged@forged>' 'MIME-Version: 1.0' \
		'Content-Type: message/rfc822' '' 'X-VT-Tag: VT_Scanned' 'X-VT-Report: nested' 'Subject: inner' '' 'nothing to ask about'
}

stop_vtmilter
forget_delivered
start_vtmilter 'SkipNetworks 127.0.0.0/8' || bail 'no vtmilter'
nested >"$work/nested.eml"
send_mail "$work/nested.eml"
mail=$(delivered "$work/nested.eml")
is "$(vt_headers "$mail")" '' 'none on a message that is skipped'
is "$(body_of "$mail" | grep -c '^X-VT-')" 2 'those in a nested message stay'
forge 200 X-VT-Tag X-VT-Report X-Vt-Other >"$work/m.eml"
send_mail "$work/m.eml"
is "$(vt_headers "$(delivered "$work/m.eml")")" '' '200 on a message that is skipped: none is left'

stop_vtmilter
forget_delivered
start_vtmilter 'Timeout 1' || bail 'no vtmilter'
vt fault close >/dev/null
for count in 1 2 8 200; do
	forge "$count" X-VT-Tag X-VT-Report >"$work/m.eml"
	sed -i -e "s/R0lGODlh/R0lGODl$((count % 10))/" -e "s/^Message-ID: .*/Message-ID: <bypassed-$count@forged>/" "$work/m.eml"
	send_mail "$work/m.eml"
	mail=$(delivered "$work/m.eml")
	is "$(vt_headers "$mail" | grep -ci forged)" 0 "$count on a message that is bypassed: none is left"
	like "$(tags "$mail")" VT_Bypassed "$count on a message that is bypassed: tagged so"
done
done_testing
