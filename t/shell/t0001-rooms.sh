#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0001-rooms.sh - includes go one way, one file knows each library, lib/ calls only what it may, files are short
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"

# check ROOT FILE ... : what breaks a rule; files are named from ROOT.
check()
{
	local root="$1"
	shift
	(cd "$root" && awk "${arrows:--varrows=0}" -f "$srcdir/t/shell/rooms.awk" "$srcdir/HACKING" "$srcdir/t/shell/calls" "$@")
}

# complains FILE TEXT WANT : of a source with just this text.
complains()
{
	mkdir -p "$work/tree/${1%/*}"
	printf '/* SPDX-License-Identifier: BSD-2-Clause */\n%b\n' "$2" >"$work/tree/$1"
	is "$(check "$work/tree" "$1")" "$3" "$1: $(printf %s "$2" | tr '\n' ' ')"
	rm "$work/tree/$1"
}

# First: does the checker find what it should, and no more?
complains lib/model/tags.c '#include "model/item.h"\n#include "base/hash.h"\n#include <glib.h>\n#include <sys/stat.h>' ''
complains lib/model/tags.c '#include "url/url.h"' 'lib/model/tags.c:2: lib/model does not include lib/url ("url/url.h")'
complains lib/url/url.h '# include  "scan/scan.h"' 'lib/url/url.h:2: lib/url does not include lib/scan ("scan/scan.h")'
complains lib/base/log.c '#include "model/tags.h"' 'lib/base/log.c:2: lib/base does not include lib/model ("model/tags.h")'
complains lib/mail/spool.c '#include "mail/mime.h"' ''
complains lib/store/sqlite/sqlite.c '#include "store/backend.h"' ''
complains lib/store/store.c '#include <sqlite3.h>' 'lib/store/store.c:2: <sqlite3.h> is not for lib/store/store.c'
complains lib/store/store.c '#include "store/redis/uri.h"' \
	'lib/store/store.c:2: lib/store does not include lib/store/redis ("store/redis/uri.h")'
complains lib/queue/sched.c '#include "vt/vt.h"\n#include "store/store.h"' ''
complains lib/vt/vt.c '#include "queue/sched.h"' 'lib/vt/vt.c:2: lib/vt does not include lib/queue ("queue/sched.h")'
complains lib/scan/scan.c '#include "conf/conf.h"' 'lib/scan/scan.c:2: lib/scan does not include milter/conf ("conf/conf.h")'
complains lib/scan/scan.c '#include "daemon.h"' 'lib/scan/scan.c:2: lib/scan does not include milter ("daemon.h")'
complains milter/reply.c '#include "scan/scan.h"\n#include "conf/conf.h"\n#include "daemon.h"\n#include "build-config.h"' ''
complains milter/ctl/scan.c '#include "daemon.h"' 'milter/ctl/scan.c:2: milter/ctl does not include milter ("daemon.h")'
complains milter/ctl/scan.c '#include "cellar/wine.h"' 'milter/ctl/scan.c:2: "cellar/wine.h" is in no room'
complains lib/stray.c '' 'lib/stray.c:1: lib/stray.c is in no room'
complains lib/cellar/wine.c '' 'lib/cellar/wine.c:1: lib/cellar/wine.c is in no room'
complains lib/url/html.c '#include <gmime/gmime.h>' 'lib/url/html.c:2: <gmime/gmime.h> is not for lib/url/html.c'
complains lib/url/html.c '#include <icu/uchar.h>' \
	'lib/url/html.c:2: <icu/uchar.h> is of a library that HACKING does not list'
complains lib/base/hash.c 'a = exit (1);' 'lib/base/hash.c:2: exit() is not called in lib/'
complains lib/base/hash.c '/* exit(1) */ b("exit(1)"); x.exit(1); y->exit(1); _exit(1); // exit(1)' ''
complains lib/base/hash.c '/* a\n * system() b */ strcpy(a, "/*"); sprintf(x);' 'lib/base/hash.c:3: strcpy() is not called in lib/
lib/base/hash.c:3: sprintf() is not called in lib/'
complains lib/base/hash.c "c = '\"'; printf(\"x\");" 'lib/base/hash.c:2: printf() is not called in lib/'
complains lib/base/hash.c 'time(NULL); daytime(1);' 'lib/base/hash.c:2: time() is not for lib/base/hash.c'
complains lib/base/clock.c 'time(NULL);' ''
complains milter/main.c 'printf("x"); exit(0);' ''

# A table that lets two folders include each other is refused.
sed 's|^\( *lib/base:\).*|\1 lib/model|' "$srcdir/HACKING" >"$work/circle"
like "$(awk -f "$srcdir/t/shell/rooms.awk" "$work/circle" "$srcdir/t/shell/calls")" \
	'lib/base names lib/model, which is not above it' 'no circle can be written into the table'

# Source files do one job, in at most 500 lines.  Exceptions: files that are mostly a table.
tables='lib/url/unwrap.c lib/url/unwrap-table.c lib/url/html-names.c'

# too_long ROOT FILE ... : the files over the limit, with their lines.
too_long()
{
	local root="$1" file lines
	shift
	for file; do
		lines=$(wc -l <"$root/$file")
		[ "$lines" -le 500 ] || case " $tables " in
		*" $file "*) ;;
		*) echo "$file: $lines lines" ;;
		esac
	done
}

mkdir -p "$work/tree/lib/url"
yes '' | head -n 500 >"$work/tree/lib/url/short.c"
yes '' | head -n 501 >"$work/tree/lib/url/long.c"
yes '' | head -n 501 >"$work/tree/lib/url/unwrap.c"
is "$(too_long "$work/tree" lib/url/short.c lib/url/long.c lib/url/unwrap.c)" 'lib/url/long.c: 501 lines' \
	'501 lines are too long, 500 are not, and a table may be'

# Then the tree.
sources=$(cd "$srcdir" && find lib milter -name '*.[ch]' | LC_ALL=C sort)
# shellcheck disable=SC2086
is "$(too_long "$srcdir" $sources)" '' 'no source file is longer than 500 lines'
# shellcheck disable=SC2086
is "$(check "$srcdir" $sources)" '' 'the sources keep to the tables of HACKING'
sed -n '/begin rooms/,/end rooms/{/:/{s/^ *//;s/: */: /;s/ *$//;p;};}' "$srcdir/HACKING" >"$work/table"
# shellcheck disable=SC2086
is "$(arrows=-varrows=1; check "$srcdir" $sources | sed 's/:$/: /')" "$(sed 's/:$/: /' "$work/table")" \
	'and the table of rooms has no arrow that is not drawn'

done_testing
