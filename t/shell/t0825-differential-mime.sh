#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0825-differential-mime.sh - what Python's email and Perl's MIME::Parser read in random messages is found, or said to be ambiguous.
#
# VTM_SEED=WORD takes another seed, VTM_COUNT=N more messages than 400 (20,000 take some minutes).  Differences that are
# known and argued stand in differential-mime.py.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilterctl
need_program python3

seed=${VTM_SEED:-1} count=${VTM_COUNT:-400}
tool=$srcdir/t/shell/differential-mime.py
mkdir "$work/mail"
python3 "$tool" make "$seed" "$count" "$work/mail" || bail 'no messages can be made'
# items are the messages' own; everything that some program may read otherwise is said on standard error
find "$work/mail" -name '*.eml' | sort | xargs -n 200 "$builddir/milter/vtmilterctl" --json extract >"$work/found" 2>"$work/doubts"

# reader NAME COMMAND ... : runs it on all messages, and compares
reader()
{
	local name="$1"
	shift
	find "$work/mail" -name '*.eml' | sort | xargs -n 200 "$@" >"$work/$name" 2>"$work/$name.errors"
	between "$(grep -c . "$work/$name")" "$count" 999999999 "$name reads the messages"
	ok "what $name finds is found or said to be ambiguous (seed $seed, $count messages)" \
		python3 "$tool" compare "$work/found" "$work/doubts" "$work/$name"
}

reader python3 python3 "$tool" read
if perl -MMIME::Parser -e 1 2>/dev/null; then
	reader perl perl "$srcdir/t/shell/differential-mime.pl"
else
	skip 'MIME::Parser is missing (libmime-tools-perl)' 'what perl finds is found'
fi
ok 'most messages are not ambiguous' [ "$(grep -c 'several ways' "$work/doubts")" -lt $((count / 2)) ]
done_testing
