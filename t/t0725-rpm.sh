#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0725-rpm.sh - the RPM spec: rpmlint has no error, rpmbuild makes a source package of it
. "${srcdir:-$(dirname "$0")/..}/t/lib.sh"
need_program rpmbuild

spec=$srcdir/contrib/vtmilter.spec
version=$(sed -n 's/^AC_INIT(\[vtmilter\], \[\([^]]*\)\])/\1/p' "$srcdir/configure.ac")
is "$(sed -n 's/^Version: *//p' "$spec")" "$version" 'its version is that of configure.ac'
if command -v rpmlint >/dev/null; then
	ok 'rpmlint finds no error' rpmlint "$spec"
else
	skip 'rpmlint is not installed' 'rpmlint finds no error'
fi
mkdir "$work/vtmilter-$version" && cp -R "$srcdir/contrib" "$srcdir/README" "$work/vtmilter-$version"
tar -C "$work" -cJf "$work/vtmilter-$version.tar.xz" "vtmilter-$version"
ok 'rpmbuild makes a source package' rpmbuild -bs --nodeps --define "_topdir $work/rpm" --define "_sourcedir $work" \
	--define "_srcrpmdir $work" "$spec"
ok 'which has the sources' test -s "$work/vtmilter-$version-1.src.rpm"
missing=
for path in $(sed -n 's/^%doc //p; s/^install -D -m [0-9]* \([^ ]*\).*/\1/p' "$spec"); do
	[ -e "$srcdir/$path" ] || missing="$missing $path"
done
is "$missing" '' 'it names no file that there is not'
done_testing
