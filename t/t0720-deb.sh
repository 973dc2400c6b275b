#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0720-deb.sh - the Debian package: built, installed, its configuration checked, run, removed and purged
#
# It is installed on top of a copy of this machine that goes away with the test (overlayfs in a mount namespace of its
# own): nothing of the machine itself is changed.
. "${srcdir:-$(dirname "$0")/..}/t/lib.sh"
need_program dpkg-buildpackage dh
[ "$(id -u)" = 0 ] || skip_all 'installing a package needs root'

# ---- build ----

lacking=$(cd "$srcdir" && dpkg-checkbuilddeps contrib/debian/control 2>&1) || skip_all "$lacking"
DEBEMAIL=packager@example.org DEBFULLNAME='A Packager' DEB_BUILD_OPTIONS=nocheck
export DEBEMAIL DEBFULLNAME DEB_BUILD_OPTIONS
ok 'it builds' "$srcdir/contrib/debian/build" "$work/deb" -j"$(getconf _NPROCESSORS_ONLN)"
deb=$(ls "$work"/deb/vtmilter_*.deb) || bail 'no package'
is "$(dpkg-deb -f "$deb" Maintainer)" 'A Packager <packager@example.org>' 'who built it answers for it'
if command -v lintian >/dev/null; then
	# example.org is no mail host, which lintian knows
	ok 'lintian finds no error' lintian --fail-on error --allow-root \
		--suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog "$work"/deb/*.changes
	diag "$(cat "$work/said")"
else
	skip 'lintian is not installed' 'lintian finds no error'
fi

# ---- a machine to install it on ----

layers=$work/layers
mkdir "$layers" "$work/machine"
if ! unshare -m true 2>/dev/null; then
	skip 'no mount namespace here' 'it installs'
	done_testing
fi
cat >"$work/inside.sh" <<'END'
# machine COMMAND : in the copy.
machine()
{
	chroot "$work/machine" sh -c "$1"
}

mount -t tmpfs tmpfs "$layers" && mkdir "$layers/upper" "$layers/work" &&
	mount -t overlay overlay -o "lowerdir=/,upperdir=$layers/upper,workdir=$layers/work" "$work/machine" 2>/dev/null &&
	mount -t proc proc "$work/machine/proc" && mount -t tmpfs tmpfs "$work/machine/tmp" &&
	mount -t tmpfs tmpfs "$work/machine/run" && mount --rbind /dev "$work/machine/dev" || exit 77
cp "$deb" "$work/machine/root/vtmilter.deb"
machine 'mkdir -p /run/lock; rm -rf /etc/vtmilter* /var/lib/vtmilter /var/spool/postfix/vtmilter'

say=$work/inside.out
did()
{
	machine "$2" >"$say" 2>&1
	echo "$1 $?" >>"$work/results"
	[ ! -s "$say" ] || sed "s/^/$1: /" "$say" >>"$work/inside.log"
}

did install 'dpkg -i /root/vtmilter.deb'
did user 'id -u vtmilter'
did directories 'test "$(stat -c %U:%G:%a /var/lib/vtmilter)" = vtmilter:vtmilter:750'
did chroot '! getent group postfix || test ! -d /var/spool/postfix ||
	test "$(stat -c %U:%G:%a /var/spool/postfix/vtmilter)" = vtmilter:postfix:2750'
did no-key 'vtmilter -n; test $? = 78'
did key 'install -m 600 -o vtmilter /dev/stdin /etc/vtmilter/api.key' <<-KEY
	0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
KEY
did five-lines 'cat >>/etc/vtmilter.conf <<-CONF
	ApiKeyFile /etc/vtmilter/api.key
	ApiBaseURL http://127.0.0.1:9/api/v3
	Socket local:/run/vtmilter/vtmilter.sock
	CONF'
did check 'vtmilter -n'
did check-ctl 'vtmilterctl --version'
did runs 'systemd-tmpfiles --create vtmilter.conf; setpriv --reuid vtmilter --regid vtmilter --init-groups vtmilter -F &
	pid=$!; for i in $(seq 60); do test -S /run/vtmilter/vtmilter.sock && break; sleep 0.3; done
	test -S /run/vtmilter/vtmilter.sock; rc=$?; kill $pid; wait $pid || rc=$?; exit $rc'
did pages 'test -e /usr/share/man/man8/vtmilter.8.gz && test -e /usr/share/man/man5/vtmilter.conf.5.gz'
did reinstall 'dpkg -i /root/vtmilter.deb && grep -q ApiKeyFile.*api.key /etc/vtmilter.conf'
did remove 'dpkg -r vtmilter && test -e /etc/vtmilter.conf && test -e /etc/vtmilter/api.key && ! test -e /usr/sbin/vtmilter'
did purge 'dpkg -P vtmilter'
# What differs from the machine below, and is no directory or deletion, is what the package left.
(cd "$layers/upper" && find . -type f | sed 's,^\.,,' | grep -v -e '^/root/' -e '^/var/cache/' -e '^/var/log/' \
	-e '^/var/lib/dpkg/' -e '^/var/lib/systemd/' -e '^/etc/\(passwd\|group\|shadow\|gshadow\)-\{0,1\}$' \
	-e '^/etc/\.pwd\.lock$' -e '^/etc/sub[ug]id') >"$work/left"
did nothing-left 'test ! -e /etc/vtmilter && test ! -e /var/lib/vtmilter && test ! -e /var/spool/postfix/vtmilter'
END
: >"$work/inside.log"
layers=$layers work=$work deb=$deb unshare -m --propagation private sh "$work/inside.sh"
if [ $? = 77 ]; then
	skip 'no overlayfs here' 'it installs'
	done_testing
fi

# result STEP NAME
result()
{
	local status
	status=$(sed -n "s/^$1 //p" "$work/results" 2>/dev/null)
	[ "$status" = 0 ] && { tap_pass "$2"; return; }
	diag "$(grep "^$1: " "$work/inside.log" | tail -n 20)"
	tap_fail "$2"
}

result install 'it installs'
result user 'with a user'
result directories 'and his directory'
result chroot "and one in Postfix's chroot"
result no-key 'without a key the configuration is refused'
result key 'the key'
result five-lines 'and lines of configuration'
result check 'then the configuration is fine'
result check-ctl 'vtmilterctl runs'
result runs 'the milter runs as its user, listens, and stops'
result pages 'with its manual pages'
result reinstall 'a new version keeps the configuration'
result remove 'removed, the configuration and the key stay'
result purge 'purged'
result nothing-left 'no directory is left'
is "$(cat "$work/left")" '' 'nor a file'
done_testing
