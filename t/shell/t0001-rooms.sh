#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0001-layers.sh - includes go one way, one file knows each library, and lib/ calls nothing it must not
. "${srcdir:-$(dirname "$0")/..}/t/lib.sh"

check()
{
	awk -f "$srcdir/t/layers.awk" "$srcdir/t/layers" "$@"
}

# complains FILE TEXT WANT : of a source with just this text.
complains()
{
	mkdir -p "$work/tree/${1%/*}"
	printf '/* SPDX-License-Identifier: BSD-2-Clause */\n%b\n' "$2" >"$work/tree/$1"
	is "$(check "$work/tree/$1" | sed "s|^$work/tree/||")" "$3" "$1: $(printf %s "$2" | tr '\n' ' ')"
	rm "$work/tree/$1"
}

# First: does the checker find what it should, and no more?
complains lib/tags.c '#include "item.h"\n#include "tags.h"\n#include <glib.h>\n#include <sys/stat.h>' ''
complains lib/tags.c '#include "url.h"' 'lib/tags.c:2: tags does not know url.h'
complains lib/tags.h '# include  "scan.h"' 'lib/tags.h:2: tags does not know scan.h'
complains lib/item.c '#include "tags.h"' 'lib/item.c:2: item does not know tags.h'
complains lib/lookup.c '#include "hash.h"' ''
complains lib/mime.h '#include "spool.h"' ''
complains lib/spool.c '#include "mime.h"' 'lib/spool.c:2: spool does not know mime.h'
complains lib/store-sqlite.c '#include "store-backend.h"\n#include <sqlite3.h>' ''
complains lib/store.c '#include <sqlite3.h>' 'lib/store.c:2: <sqlite3.h> is not for store'
complains lib/sched.c '#include "vt.h"\n#include "store.h"' ''
complains lib/vt.c '#include "sched.h"' 'lib/vt.c:2: vt does not know sched.h'
complains lib/resolver.c '#include "scan.h"' 'lib/resolver.c:2: resolver does not know scan.h'
complains lib/scan.c '#include "../milter/conf.h"' 'lib/scan.c:2: scan does not know conf.h'
complains milter/reply.c '#include "scan.h"\n#include "conf.h"\n#include "build-config.h"' ''
complains lib/stray.c '' 'lib/stray.c:1: stray is in no layer of t/layers'
complains lib/reply.c '' 'lib/reply.c:1: reply is in the wrong directory for its layer'
complains milter/tags.c '' 'milter/tags.c:1: tags is in the wrong directory for its layer'
complains lib/html.c '#include <gmime/gmime.h>' 'lib/html.c:2: <gmime/gmime.h> is not for html'
complains lib/html.c '#include <icu/uchar.h>' 'lib/html.c:2: <icu/uchar.h> is of a library that t/layers does not list'
complains lib/hash.c 'a = exit (1);' 'lib/hash.c:2: exit() is not called in lib/'
complains lib/hash.c '/* exit(1) */ b("exit(1)"); x.exit(1); y->exit(1); _exit(1); // exit(1)' ''
complains lib/hash.c '/* a\n * system() b */ strcpy(a, "/*"); sprintf(x);' 'lib/hash.c:3: strcpy() is not called in lib/
lib/hash.c:3: sprintf() is not called in lib/'
complains lib/hash.c "c = '\"'; printf(\"x\");" 'lib/hash.c:2: printf() is not called in lib/'
complains lib/hash.c 'time(NULL); daytime(1);' 'lib/hash.c:2: time() is not for hash'
complains lib/clock.c 'time(NULL);' ''
complains milter/main.c 'printf("x"); exit(0);' ''

# Then the tree.
found=$(cd "$srcdir" && check lib/*.[ch] milter/*.[ch])
is "$found" '' 'the sources keep to t/layers'
done_testing
