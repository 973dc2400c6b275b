#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0003-rules.sh - every test that t/README names for a rule is there, says those words, and runs
. "${srcdir:-$(dirname "$0")/..}/t/lib.sh"

awk '/^What each rule is tested by/ { on = 1; next } on && /^    cannot apply/ { exit }
	on && /^        [a-z]/ { sub(/^ +/, ""); print }' "$srcdir/t/README" >"$work/named"
between "$(wc -l <"$work/named")" 40 999 'tests are named'
while IFS= read -r line; do
	name=${line%%: *}
	words=${line#"$name"}
	words=${words#: }
	file=
	for end in .sh .c ''; do
		[ ! -f "$srcdir/t/$name$end" ] || file=$name$end
	done
	ok "$line: it runs" grep -q -e "t/$name\\b" "$srcdir/t/Makefile.inc"
	ok "$line: it is there" grep -qF -e "$words" "$srcdir/t/${file:-no $name}"
done <"$work/named"
done_testing
