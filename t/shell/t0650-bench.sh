#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0650-bench.sh - the benchmark still runs: its figures are there; how good they are is not judged here.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilter t/standin/fakevt t/standin/milter-drive t/standin/null-milter t/bench/bench-extract t/bench/bench-growth

ok 'a small run of the parts by the milter protocol' \
	sh -c "srcdir='$srcdir' builddir='$builddir' sh '$srcdir/t/bench/bench.sh' -s protocol inet overload >'$work/bench.out' 2>&1"
printed=$(cat "$work/bench.out")
for what in '5 KB, 16 sessions' '5 KB, 200 sessions' '100 KB, 16 sessions' '10 MB, 4 sessions' '5 KB by TCP, 1 session' \
	'100 times the budget'; do
	like "$printed" "^$what: CPU [1-9][0-9]* against [1-9][0-9]* us .*, [1-9][0-9]* against [1-9][0-9]* messages/s" "$what"
done
unlike "$printed" ' errors=[1-9]' 'no session failed'
like "$printed" '^waited at the same time: at most [0-9]+;' 'those who wait are counted'

done_testing
