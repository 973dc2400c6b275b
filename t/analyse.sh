#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# analyse.sh TOOL ... - what static analysis finds in lib/ and milter/; nothing is to be found.  Run by make analyse,
# which sets CC and FLAGS, in the build directory.  TOOL is cppcheck, gcc, clang-tidy, or clang-tidy-quick: that without
# its search of paths (clang-analyzer-*), which takes nine tenths of its time and which gcc does as well.
set -u
: "${srcdir:?}" "${CC:?}" "${FLAGS:?}"
tools=" $* "

status=0

# each COMMAND : runs it for every source, which is "$1" there; as many at once as there are processors.
each()
{
	find "$srcdir/lib" "$srcdir/milter" -name '*.c' -print0 |
		xargs -0 -n 1 -P "$(getconf _NPROCESSORS_ONLN)" sh -c "$1" each || status=1
}

# have TOOL [PROGRAM] : it is wanted, and here.
have()
{
	case $tools in
	*" $1 "*) ;;
	*) return 1 ;;
	esac
	command -v "${2:-$1}" >/dev/null && echo "== $1" && return
	echo "== no $1 here"
	return 1
}

have cppcheck && {
	cppcheck -q --error-exitcode=1 --std=c11 --library=gtk '-DG_GNUC_PRINTF(a,b)=' \
		--enable=warning,portability,performance --suppress=missingIncludeSystem \
		--suppressions-list="$srcdir/t/cppcheck.supp" \
		-I. -I"$srcdir/lib" -I"$srcdir/milter" -DHAVE_CONFIG_H -D_GNU_SOURCE \
		"$srcdir/lib" "$srcdir/milter" || status=1
}
have gcc && each "$CC $FLAGS -Werror -fanalyzer -c -o /dev/null \"\$1\""
# tidy OPTION ...
tidy()
{
	each "clang-tidy --quiet $* \"\$1\" -- $FLAGS -Wno-unknown-warning-option 2>/dev/null"
}
have clang-tidy && tidy
have clang-tidy-quick clang-tidy && tidy '--checks=-clang-analyzer-*'
exit "$status"
