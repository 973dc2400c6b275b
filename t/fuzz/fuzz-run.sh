#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# fuzz-run.sh SRCDIR SECONDS TARGET ... - runs each libFuzzer target for that long, from its seeds; fails if one finds.
# Run in the build directory (make fuzz).  New inputs are kept in t/fuzz/corpus, findings in t/fuzz/found.
set -u
srcdir=$1
seconds=$2
shift 2
status=0
export ASAN_OPTIONS="${ASAN_OPTIONS:-allocator_may_return_null=1:detect_stack_use_after_return=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

for target; do
	name=${target##*/fuzz-}
	found=t/fuzz/found/$name
	corpus=t/fuzz/corpus/$name
	seeds=$srcdir/t/data/fuzz/$name
	dict=$srcdir/t/data/fuzz/$name.dict
	mkdir -p "$found" "$corpus" || exit 1
	more=
	[ "$name" != message ] || more=$srcdir/t/data/messages
	if [ -f "$dict" ]; then
		dict=-dict=$dict
	else
		dict=
	fi
	# shellcheck disable=SC2086
	if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -verbosity=0 \
		-print_final_stats=1 -artifact_prefix="$found/" $dict "$corpus" "$seeds" $more >"t/fuzz/$name.log" 2>&1
	then
		printf '%-10s %ss, %s runs, nothing found\n' "$name" "$seconds" \
			"$(sed -n 's/^stat::number_of_executed_units: *//p' "t/fuzz/$name.log")"
	else
		status=1
		printf '%-10s FOUND something; t/fuzz/%s.log ends:\n' "$name" "$name"
		tail -n 30 "t/fuzz/$name.log"
	fi
done
exit "$status"
