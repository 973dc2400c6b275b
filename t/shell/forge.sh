#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# forge.sh - rows of messages with forged X-VT-* fields, sent through an MTA; sourced after lib.sh.
#
#	forged_row PATH COUNT TAGS	COUNT fields; an extended regular expression of the tags that are right there
#	forged_table			what was tried and came out
#
# Each row holds that no forged field is left, that our own are right, that other fields stay, and that the body, with
# fields of this name in a message inside of it, is byte by byte as it was.

forged_count=0
forged_pad=0	# bytes more in the text of each message

# forge COUNT ID : half of the fields before all others, half between them.
forge()
{
	perl -e 'my ($count, $id, $pad) = @ARGV;
		my @spellings = ("X-VT-Tag: forged", "x-vt-tag:forged", "X-VT-TAG : forged", "X-Vt-Tag\t: forged",
			"X-VT-Tag:\n\tforged", "X-VT-Tag: forged\n  and\n\tX-VT-Tag: folded", "X-VT-Report: forged", "x-vt-other:forged", "X-VT-Tag:  \tforged  ",
			"X-VT-Tag: \xe4 forged", "X-VT-Report \t : forged=?utf-8?q?VT=5FScanned?=", "X-VT-Tag:", "x-VT-: forged");
		my @forged = map "$spellings[$_ % @spellings]\n", 0 .. $count - 1;
		print splice(@forged, 0, @forged / 2), "From: a\@example.org\nTo: user\@example.test\nX-VTX: kept\n", @forged,
			"Date: Mon, 02 Mar 2026 09:06:00 +0000\nMessage-ID: <$id\@forge>\nMIME-Version: 1.0\n",
			"Content-Type: multipart/mixed; boundary=b\n\n",
			"--b\nContent-Type: text/plain\n\nX-VT-Tag: of the text\n", "padding\n" x ($pad / 8),
			"--b\nContent-Type: message/rfc822\n\nX-VT-Tag: VT_Scanned\nx-vt-report:inner\nSubject: inner\n\n\n",
			"--b\nContent-Type: application/octet-stream; name=a.bin\n\n$id\n--b--\n";' "$1" "$2" "$forged_pad"
}

# known_clean ID : the attachment of that message is.
known_clean()
{
	vt add file "$(printf %s "$1" | sha256sum | cut -c 1-64)" 0/70 >/dev/null
}

# But for empty lines at its end, to which smtp-source and procmail add one.
forged_body()
{
	printf '%s\n' "$(body_of "$1")"
}

forged_row()
{
	local id mail got= wrong=
	forged_count=$((forged_count + 1))
	id="f$forged_count"
	forge "$2" "$id" >"$work/forged.eml"
	known_clean "$id"
	send_mail "$work/forged.eml" || wrong='; not accepted'
	mail=$(delivered "$work/forged.eml") || wrong='; not delivered'
	if [ -z "$wrong" ]; then
		[ "$(head_of "$mail" | grep -a -c forged)" = 0 ] || wrong="; $(head_of "$mail" | grep -a forged | head -n 3)"
		got=$(tags "$mail")
		printf '%s\n' "$got" | grep -Eqx -e "$3" || wrong="$wrong; tags: $got"
		[ "$(head_of "$mail" | grep -a -c '^X-VTX: kept$')" = 1 ] || wrong="$wrong; another field is gone"
		forged_body "$work/forged.eml" >"$work/body.sent"
		forged_body "$mail" >"$work/body.got"
		diff -a "$work/body.sent" "$work/body.got" >"$work/body.diff" ||
			wrong="$wrong; another body: $(head -n 3 "$work/body.diff")"
	fi
	table_line "$1 | $2 | ${got:-(none)}${wrong:+ | WRONG$wrong}"
	[ -z "$wrong" ] || diag "$1, $2 fields: ${wrong#; }"
	ok "$1, $2 forged: none is left" test -z "$wrong"
}

# forged_reload LINE ... : the running vtmilter goes on with these.
forged_reload()
{
	write_conf 'RequestsPerMinute 0' 'RequestsPerDay 0' 'RequestsPerMonth 0' "$@"
	"$builddir/milter/vtmilterctl" -f "$milter_conf" reload >"$work/reload.out" 2>&1 || bail "$(cat "$work/reload.out")"
}

forged_table()
{
	diag "path | forged fields | tags$table"
}
