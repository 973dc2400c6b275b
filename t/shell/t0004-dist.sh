#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0004-dist.sh - what git has is in the release, but for what only git and CI need
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"

need_program git make
git -C "$srcdir" rev-parse --is-inside-work-tree >/dev/null 2>&1 || skip_all 'not a checkout'
[ -f "$builddir/Makefile" ] || skip_all 'not configured'

ok 'a release is made' make -s -C "$builddir" distdir distdir="$work/release"
git -C "$srcdir" ls-files | grep -Ev '^\.(ci/|gitignore$)' | sort >"$work/tracked"
(cd "$work/release" && find . -type f) | sed 's|^\./||' | sort >"$work/released"
is "$(comm -23 "$work/tracked" "$work/released")" '' 'no file is forgotten'
is "$(head -n 3 "$work/tracked" | wc -l)" 3 'and some were looked for'
done_testing
