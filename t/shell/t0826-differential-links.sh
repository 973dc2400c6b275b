#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0826-differential-links.sh - links that html5lib and node find in random pages and URLs are found.
#
# VTM_SEED=WORD takes another seed, VTM_COUNT=N more than 300 pages and URLs; VTM_LONG=1 is 20,000 of them.  Differences
# that are known and argued stand in differential-links.py.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilterctl
need_program python3

seed=${VTM_SEED:-1} count=${VTM_COUNT:-300}
[ -z "$VTM_LONG" ] || count=${VTM_COUNT:-20000}
tool=$srcdir/t/shell/differential-links.py

# extract DIR: the items of all messages there in DIR/found, what is doubted in DIR/doubts
extract()
{
	find "$1" -name '*.eml' | sort | xargs -n 200 "$builddir/milter/vtmilterctl" --json extract >"$1/found" 2>"$1/doubts"
}

mkdir "$work/pages" "$work/urls" "$work/names"
# another Python may hide the system's
for python in python3 /usr/bin/python3; do
	"$python" -c 'import html5lib' 2>/dev/null && break
	python=
done
if [ -n "$python" ]; then
	python3 "$tool" make-pages "$seed" "$count" "$work/pages" || bail 'no pages can be made'
	extract "$work/pages"
	find "$work/pages" -name '*.eml' | sort | xargs -n 200 "$python" "$tool" read-pages >"$work/html5lib"
	between "$(grep -c . "$work/html5lib")" "$count" 999999999 'html5lib finds links'
	ok "what html5lib finds is found (seed $seed, $count pages)" \
		python3 "$tool" compare "$work/pages/found" "$work/pages/doubts" "$work/html5lib"
else
	skip 'html5lib is missing (python3-html5lib)' 'what html5lib finds is found'
fi
if command -v node >/dev/null; then
	python3 "$tool" make-urls "$seed" "$count" "$work/urls" || bail 'no URLs can be made'
	extract "$work/urls"
	node "$srcdir/t/shell/differential-links.js" <"$work/urls/list" >"$work/node"
	between "$(grep -c . "$work/node")" $((count / 2)) 999999999 'node reads the URLs'
	ok "what node reads is found (seed $seed, $count URLs)" \
		python3 "$tool" compare "$work/urls/found" "$work/urls/doubts" "$work/node"
else
	skip 'node is missing (nodejs)' 'what node reads is found'
fi
python3 "$tool" make-names "$work/names"
extract "$work/names"
ok 'every name of a character that Python knows is decoded' python3 "$tool" names "$work/names/found"
done_testing
