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

# What mark-up does to words, which a reader of the source does not see.  swallowed FILE : what is found, one line each.
swallowed()
{
	# an English word that is also a macro: ".Dq No such file" prints "such file"
	grep -nE '^\.(.* )?(Dq|Sq|Qq|Pq|Li|Em|Sy|Cm|Dl) (An|At|Do|In|Me|No|So|Up) ' "$1"
	mandoc -T utf8 -O width=1000 "$1" 2>/dev/null | col -b | awk -f "$srcdir/t/shell/manual.awk"
}

# finds LINES PATTERN : in a page of just these lines.
finds()
{
	printf '.Dd November 29, 2026\n.Dt X 8\n.Os\n.Sh NAME\n.Nm x\n.Nd y\n.Sh DESCRIPTION\n%b\n' "$1" >"$work/page.8"
	like "$(swallowed "$work/page.8")" "$2" "found: $(printf %s "$1" | tr '\n' ' ')"
}

if command -v mandoc >/dev/null && command -v col >/dev/null; then
	finds '.Dq No such file' 'Dq No such'
	finds 'Is it there\n.Pq Dq postconf -M\nshows it in\n.Pa master.cf ) ?' 'unpaired parentheses'
	finds 'a host as\n.Dq host:name ; or drops it.' 'a quotation that does not end'
	finds 'a \\(lqquotation' 'unpaired quotes'
	for manual in "$srcdir"/milter/*.[58]; do
		is "$(swallowed "$manual")" '' "mark-up takes no word from $(basename "$manual")"
	done
else
	skip 'mandoc or col is not installed' 'mark-up takes no word from the manuals'
fi

# all_named WHAT WORDS : each word is in the page.
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
