#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0730-manual.sh - the manual pages: well-formed, and true where that can be looked up
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilter

page=$srcdir/milter/vtmilter.8

for manual in "$srcdir"/milter/*.[58]; do
	if command -v mandoc >/dev/null; then
		# pages of other programs need not be installed
		is "$(mandoc -Tlint "$manual" 2>&1 | grep -v -e 'not found: Xr' -e 'outdated mandoc.db')" '' \
			"mandoc finds nothing in $(basename "$manual")"
	else
		skip 'mandoc is not installed' "mandoc finds nothing in $(basename "$manual")"
	fi
done

# named_by WHAT WORDS : each word stands in the page.
all_named()
{
	local what="$1" word missing=
	shift
	for word; do
		grep -q -w -e "$word" "$page" || missing="$missing $word"
	done
	is "$missing" '' "$what are in vtmilter(8)"
}

all_named 'all options' $("$builddir/milter/vtmilter" --help | sed -n 's/^ .* --\([a-z-]*\).*/\1/p')
all_named 'all tags' $(sed -n 's/.*"\(VT_[A-Z][A-Za-z_]*\)".*/\1/p' "$srcdir/lib/model/tags.c")
# The members of a line of the log, and what the manual says of them: the same.
fields=$({
	sed -n '/struct vtm_log_field fields/,/};/p' "$srcdir"/milter/*.c |
		sed -n 's/^[^"]*{ \([^,]*\),.*/\1/p' | grep -o '"[a-z0-9-][a-z0-9-]*"' | tr -d '"'
	echo subject
} | sort -u)
like "$fields" '^detections$' 'lines of the log have fields'
is "$(sed -n '/whose names do not change/,/^\.El/s/^\.It Cm //p' "$page" | sed 's/ , /\n/g' | sort)" "$fields" \
	'vtmilter(8) has an entry for each, and for no other'
all_named 'all exit statuses' $(for name in $(grep -oh 'EX_[A-Z]*' "$srcdir/milter/main.c" "$srcdir/milter/start.c" "$srcdir/milter/serve.c" | sort -u); do
	echo "#include <sysexits.h>
$name" | ${CC:-cc} -E -P - 2>/dev/null | tail -n 1; done)

# Every word that doctor puts in front of a finding is explained, and no other.
words=$(cat "$srcdir"/milter/ctl/doctor*.c | tr -d '\n' | grep -Eo 'vtm_doctor_(fine|note|problem)\([^"(]*"[a-z]+"' |
	sed 's/.*"\(.*\)"/\1/' | sort -u)
like "$words" '^store$' 'doctor has words for what it finds'
is "$(sed -n '/^\.Ss What doctor finds/,/^\.Ss What people/s/^\.It Li \([a-z]*\)$/\1/p' "$page" | sort)" "$words" \
	'"What doctor finds" in vtmilter(8) has an entry for each word of milter/ctl/doctor*.c, and for no other'

"$builddir/milter/vtmilter" --help >/dev/null
directives=$(sed -n 's/^#\([A-Za-z]\{1,\}\) .*/\1/p' "$srcdir/etc/vtmilter.conf")
unknown=
for word in $(grep '^\.Cm ' "$page" | tr ' ' '\n' | grep -E '^[A-Z][a-z]+[A-Z][A-Za-z]+$' | sort -u); do
	printf '%s\n' $directives | grep -qx "$word" || unknown="$unknown $word"
done
is "$unknown" '' 'it names no directive that there is not'
missing=
for path in $(grep -oh 'contrib/[a-zA-Z_/]*' "$page" "$srcdir/README" | sort -u); do
	[ -e "$srcdir/$path" ] || missing="$missing $path"
done
is "$missing" '' 'nor a file'
done_testing
