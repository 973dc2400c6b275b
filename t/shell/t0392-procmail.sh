#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0392-procmail.sh - contrib/procmail does what its README says, in procmail and in maildrop.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_program procmail

# file_into BOX : the message on standard input through procmail.
file_into()
{
	mkdir -p "$1"
	printf '%s\n' "MAILDIR=$1" "DEFAULT=$1/inbox/" "INCLUDERC=$srcdir/contrib/procmail/vtmilter.rc" >"$work/rc"
	chmod 644 "$work/rc"
	procmail "$work/rc"
}

# where HEADER ... : the folder that a message with these headers ends up in.
where()
{
	rm -rf "$work/box"
	{
		[ $# = 0 ] || printf '%b\n' "$@"
		printf '%s\n' 'From: ada@example.org' 'Subject: procmail' '' 'X-VT-Tag: VT_Bad'
	} | file_into "$work/box"
	(cd "$work/box" && find . -path '*/new/*' -type f | sed 's|^\./||; s|/new/.*||')
}

is "$(where 'X-VT-Tag: VT_Bad' 'X-VT-Tag: VT_Scanned')" quarantine 'bad mail'
is "$(where 'X-VT-Tag: VT_Scanned' 'X-VT-Tag: VT_Bad')" quarantine 'in any order'
is "$(where 'X-VT-Tag: VT_Scanned')" inbox 'clean mail'
is "$(where)" inbox 'mail without tags, and one in the body does not count'
is "$(where 'X-VT-Tag: VT_Badly')" inbox 'a tag is compared whole'
unknown='X-VT-Report: attachment; verdict=unknown; sha256=00;\n\tname='
is "$(where 'X-VT-Tag: VT_Hash_not_found' "$unknown"'"a.exe"')" junk 'a program nobody has seen, its report folded'
is "$(where 'X-VT-Tag: VT_Hash_not_found' "$unknown"'"a.pdf"')" inbox 'a document nobody has seen'
is "$(where 'X-VT-Tag: VT_Scanned' 'X-VT-Report: attachment; verdict=clean; sha256=00;\n\tname="a.exe"')" inbox \
	'a clean program'

if command -v maildrop >/dev/null; then
	rm -rf "$work/home"
	for dir in cur new tmp .Quarantine/cur .Quarantine/new .Quarantine/tmp; do
		mkdir -p "$work/home/Maildir/$dir"
	done
	printf '%s\n' "DEFAULT=\"$work/home/Maildir\"" "include \"$srcdir/contrib/procmail/vtmilter.mailfilter\"" \
		>"$work/filter"
	chmod 600 "$work/filter"
	drop()
	{
		printf "$1" | HOME="$work/home" maildrop "$work/filter"
	}
	ok 'maildrop takes bad mail' drop 'X-VT-Tag: VT_Bad\nSubject: a\n\nbody\n'
	ok 'maildrop takes clean mail' drop 'X-VT-Tag: VT_Scanned\nSubject: b\n\nX-VT-Tag: VT_Bad\n'
	is "$(grep -h ^Subject "$work"/home/Maildir/.Quarantine/new/*)" 'Subject: a' 'maildrop: bad mail'
	is "$(grep -h ^Subject "$work"/home/Maildir/new/*)" 'Subject: b' 'maildrop: clean mail'
else
	skip 'maildrop is not installed' 'the same in maildrop'
fi
done_testing
