#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0506-ctl-completion.sh - bash completes every command and option of vtmilterctl --help, and nothing else
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_program bash
need_built milter/vtmilterctl

# complete WORD ... : what is offered for the last of these, sorted on a line.
complete()
{
	bash -c '. "$0" && COMP_WORDS=(vtmilterctl "$@") && COMP_CWORD=$# && _vtmilterctl && printf "%s\n" "${COMPREPLY[@]}"' \
		"$srcdir/contrib/vtmilterctl.bash" "$@" | LC_ALL=C sort | paste -s -d ' ' -
}

help=$("$builddir/milter/vtmilterctl" --help)
commands=$(printf '%s\n' "$help" | sed -n 's/^  \([a-z]*\) .*/\1/p')
is "$(complete '')" "$(printf '%s\n' $commands | LC_ALL=C sort | paste -s -d ' ' -)" 'every command, and no other'
is "$(complete st)" 'status store' 'by its beginning'

# Options: "--headers       scan: ..." belongs to scan; those without a command to all.
common=$(printf '%s\n' "$help" | sed -n 's/^  \(-.\), \(--[a-z]*\) .*/\1 \2/p; s/^ *\(--[a-z]*\)  *[A-Za-z]* *one JSON.*/\1/p')
for command in $commands; do
	own=$(printf '%s\n' "$help" | sed -n "s/^  *\(--[a-z]*\)[A-Z ]* $command: .*/\1/p")
	[ "$command" != submit ] || own=--public
	is "$(complete "$command" -- | tr ' ' '\n' | LC_ALL=C sort -u | paste -s -d ' ' -)" \
		"$(printf '%s\n' $own $common | grep '^--' | LC_ALL=C sort | paste -s -d ' ' -)" "$command: its options"
done

is "$(complete cache '')" 'forget show' 'cache: its words'
is "$(complete ignore '')" 'add list remove' 'ignore: its words'
is "$(complete store '')" 'copy' 'store: its word'
is "$(complete --json -f x list --tag VT_B)" 'VT_Bad VT_Bypassed' 'tags, behind options with arguments'
cd "$work" && touch one.eml two.eml
for command in scan extract plan 'submit --public' '-f'; do
	is "$(complete $command o)" 'one.eml' "$command: files"
done
done_testing
