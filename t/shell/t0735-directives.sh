#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0735-directives.sh - each directive is in the manual with its default, and in t/shell/directives with a test of its effect
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilter

echo 'Enabled no' >"$work/conf"
"$builddir/milter/vtmilter" --dump-config -f "$work/conf" | sed 's/ *# default$//' >"$work/dump"
directives=$(sed 's/ .*//' "$work/dump" | sort)
manual=$srcdir/milter/vtmilter.conf.5
like "$directives" '^Timeout$' 'the program tells its directives'
is "$(sed -n 's/^\.It Cm \([A-Z][A-Za-z]*\)$/\1/p' "$manual" | sort)" "$directives" \
	'vtmilter.conf(5) has an entry for each, and for no other'
is "$(sed -n 's/^\([A-Za-z]\{1,\}\) .*/\1/p' "$srcdir/t/shell/directives" | sort)" "$directives" \
	't/shell/directives has a row for each, and for no other: add the test that fails when it has no effect'

# What its row names is a test that runs, and has the directive in it.
wrong=
while read -r directive test what; do
	case "$directive" in '#'* | '') continue ;; esac
	[ -n "$what" ] || wrong="$wrong $directive:tells-nothing"
	grep -q "^[a-z_]*tests += t/[a-z]*/${test%.c}\$" "$srcdir/t/Makefile.inc" || wrong="$wrong $directive:no-test-$test"
	grep -qw "$directive" "$srcdir"/t/*/"$test" || wrong="$wrong $directive:not-in-$test"
done <"$srcdir/t/shell/directives"
is "$wrong" '' 'each row names a test that runs and has the directive in it'
done_testing
