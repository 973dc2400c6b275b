#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0725-rpm.sh - the RPM spec: rpmlint has no error, rpmbuild makes a source package of it; VTM_LONG=1: and a binary one
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
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
is "$(sed -n '/^%description/,/^%prep/p' "$spec" | awk 'length > 79')" '' 'no line of its description is too long'

# ---- SELinux: what contrib/selinux/README says, but for loading the module

selinux=$srcdir/contrib/selinux
if command -v checkmodule >/dev/null; then
	ok 'the SELinux module compiles' checkmodule -M -m -o "$work/vtmilter.mod" "$selinux/vtmilter.te"
	if command -v semodule_package >/dev/null; then
		ok 'and is packed with its file contexts' semodule_package -o "$work/vtmilter.pp" -m "$work/vtmilter.mod" \
			-f "$selinux/vtmilter.fc"
	else
		skip 'semodule_package is not installed' 'and is packed with its file contexts'
	fi
	sed 's/connectto;$/connect_to;/' "$selinux/vtmilter.te" >"$work/wrong.te"
	ok 'one with a mistake does not' eval '! checkmodule -M -m -o "$work/wrong.mod" "$work/wrong.te"'
else
	skip 'checkmodule is not installed' 'the SELinux module compiles'
fi
type=$(sed -n 's/^type \([a-z_]*\), file_type;$/\1/p' "$selinux/vtmilter.te")
ok 'the module and its file contexts name one type' grep -q ":$type:" "$selinux/vtmilter.fc"

# ---- the whole build, with what systemd-rpm-macros and Fedora's macros would define ----

if [ -z "${VTM_LONG:-}" ]; then
	skip 'only with VTM_LONG=1' 'rpmbuild makes a package'
	done_testing
fi
rm -rf "$work/vtmilter-$version"
ok 'a release' make -s -C "$builddir" distdir distdir="$work/vtmilter-$version"
tar -C "$work" -cJf "$work/vtmilter-$version.tar.xz" "vtmilter-$version"
ok 'rpmbuild makes a package' rpmbuild -bb --nodeps --nocheck --define "_topdir $work/rpm" --define "_sourcedir $work" \
	--define "_smp_mflags -j$(getconf _NPROCESSORS_ONLN)" --define '_unitdir /usr/lib/systemd/system' \
	--define '_sysusersdir /usr/lib/sysusers.d' --define '_tmpfilesdir /usr/lib/tmpfiles.d' \
	--define 'sysusers_create_compat() true' --define 'systemd_post() true' --define 'systemd_preun() true' \
	--define 'systemd_postun_with_restart() true' "$spec"
rpm -qpl "$work"/rpm/RPMS/*/vtmilter-"$version"-*.rpm >"$work/files" 2>/dev/null
for file in /usr/sbin/vtmilter /usr/bin/vtmilterctl /usr/lib/systemd/system/vtmilter.service /etc/vtmilter.conf \
	/usr/share/vtmilter/header_checks /usr/share/bash-completion/completions/vtmilterctl; do
	ok "it has $file" grep -qx "$file" "$work/files"
done
done_testing
