#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0003-rules.sh - every test that t/README names for a rule is there, says those words, and runs
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"

awk '/^What each rule is tested by/ { on = 1; next } on && /^    cannot apply/ { exit }
	on && /^        [a-z]/ { sub(/^ +/, ""); print }' "$srcdir/t/README" >"$work/named"
between "$(wc -l <"$work/named")" 40 999 'tests are named'
while IFS= read -r line; do
	name=${line%%: *}
	words=${line#"$name"}
	words=${words#: }
	file=
	for path in "shell/$name.sh" "shell/$name" "unit/$name.c" "bench/$name.c" "$name"; do
		[ ! -f "$srcdir/t/$path" ] || file=$path
	done
	ok "$line: it runs" grep -q -e "t/\\([a-z]*/\\)*$name\\b" "$srcdir/t/Makefile.inc"
	ok "$line: it is there" grep -qF -e "$words" "$srcdir/t/${file:-no $name}"
done <"$work/named"
done_testing
