#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0060-fuzz-seeds.sh - every fuzz target holds on its seeds, among them what fuzzing found
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"

targets=0
for source in "$srcdir"/t/fuzz/fuzz-*.c; do
	name=${source##*/fuzz-}
	name=${name%.c}
	[ "$name" != replay ] || continue
	targets=$((targets + 1))
	if [ ! -x "$builddir/t/fuzz/fuzz-$name" ]; then
		skip 'not built' "$name"
		continue
	fi
	ok "$name has seeds and holds on them" "$builddir/t/fuzz/fuzz-$name" "$data/fuzz/$name"/*
done
ok 'a message as well' "$builddir/t/fuzz/fuzz-message" "$data"/messages/*
between "$targets" 10 99 'all targets were found'
done_testing
