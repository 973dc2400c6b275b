#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0720-deb.sh - the Debian package: built, installed, its configuration checked, run, upgraded, removed and purged
#
# Between that, its README.Debian is followed to the letter on a Postfix as Debian configures it: chrooted.
#
# It is installed on top of a copy of this machine that goes away with the test (overlayfs in a mount namespace of its
# own): nothing of the machine itself is changed.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
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
# The same package as an older version.
dpkg-deb -R "$deb" "$work/older" && sed -i 's/^Version: .*/Version: 0.0.1/' "$work/older/DEBIAN/control" &&
	dpkg-deb -b "$work/older" "$work/older.deb" >/dev/null || bail 'no older package'
rm -rf "$work/older"

# What README.Debian says: the lines for vtmilter.conf, and the commands around them.
readme=$srcdir/contrib/debian/vtmilter.README.Debian
sed -n '/^in .*vtmilter\.conf:$/,/^then$/s/^    //p' "$readme" >"$work/readme.conf"
sed -n '/^then$/,/^The /s/^    //p' "$readme" >"$work/readme.then"
grep -o 'install -m 600 .*/api\.key' "$readme" | head -n 1 >"$work/readme.key"
is "$(cat "$work/readme.conf" "$work/readme.then" "$work/readme.key" | wc -l)" 8 'README.Debian has its eight lines'
walk=
if postfix_missing >"$work/why" || [ ! -x "$builddir/t/standin/fakevt" ]; then
	why="$(cat "$work/why")"
elif [ ! -e /usr/share/postfix/master.cf.dist ]; then
	why="no Debian's master.cf"
else
	walk=yes
	start_fakevt || bail 'no stand-in'
	know_samples
	walk_port=$(free_port)
	mail_text clean-attachment.eml >"$work/walk.eml"
fi
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
cp "$work/older.deb" "$work"/readme.* "$work/machine/root"
machine 'mkdir -p /run/lock; rm -rf /etc/vtmilter* /var/lib/vtmilter /var/spool/postfix/vtmilter'

say=$work/inside.out
did()
{
	machine "$2" >"$say" 2>&1
	echo "$1 $?" >>"$work/results"
	[ ! -s "$say" ] || sed "s/^/$1: /" "$say" >>"$work/inside.log"
}

did install 'dpkg -i /root/older.deb'
machine 'cp -p /etc/vtmilter.conf /root/vtmilter.conf'
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
[ -z "$walk" ] || . "$work/walk.sh"
did upgrade 'cp -p /etc/vtmilter.conf /root/was.conf && dpkg -i /root/vtmilter.deb &&
	dpkg -s vtmilter | grep -q "^Version: 0\.[1-9]" && cmp /etc/vtmilter.conf /root/was.conf && test -s /etc/vtmilter/api.key'
[ -z "$walk" ] || did store 'vtmilterctl list | grep -q VT_Scanned'
did remove 'dpkg -r vtmilter && test -e /etc/vtmilter.conf && test -e /etc/vtmilter/api.key && ! test -e /usr/sbin/vtmilter'
did purge 'dpkg -P vtmilter'
# What differs from the machine below, and is no directory or deletion, is what the package left.
(cd "$layers/upper" && find . -type f | sed 's,^\.,,' | grep -v -e '^/root/' -e '^/var/cache/' -e '^/var/log/' \
	-e '^/var/lib/dpkg/' -e '^/var/lib/systemd/' -e '^/etc/\(passwd\|group\|shadow\|gshadow\)-\{0,1\}$' \
	-e '^/etc/\.pwd\.lock$' -e '^/etc/sub[ug]id') >"$work/left"
did nothing-left 'test ! -e /etc/vtmilter && test ! -e /var/lib/vtmilter && test ! -e /var/spool/postfix/vtmilter'
END
# A Postfix as Debian makes it, but for its port, its log and its mailbox; no systemd runs here: what it would do is said.
cat >"$work/walk.sh" <<'END'
cp -p "$work/machine/root/vtmilter.conf" "$work/machine/etc/vtmilter.conf"
rm -f "$work/machine/etc/vtmilter/api.key"
echo "ApiBaseURL $vt_url" >>"$work/machine/etc/vtmilter.conf"
cp "$work/walk.eml" "$work/machine/root"
cat >"$work/machine/usr/local/sbin/systemctl" <<-'SH'
	#!/bin/sh
	case "$*" in
	'restart vtmilter')
		setpriv --reuid vtmilter --regid vtmilter --init-groups vtmilter -F &
		echo $! >/run/walk.pid
		for i in $(seq 100); do test -S /run/vtmilter/control.sock && exit 0; sleep 0.3; done
		exit 1
		;;
	'reload postfix') postfix reload ;;
	*) exit 64 ;;
	esac
SH
chmod 755 "$work/machine/usr/local/sbin/systemctl"
did postfix "cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
	cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
	postconf -e compatibility_level=3.6 inet_interfaces=loopback-only inet_protocols=ipv4 disable_dns_lookups=yes \
		smtpd_peername_lookup=no myhostname=mx.example.test mydestination= alias_maps= alias_database= \
		virtual_mailbox_domains=example.test virtual_mailbox_base=/var/walk virtual_mailbox_maps=static:all/ \
		virtual_uid_maps=static:65534 virtual_gid_maps=static:65534 virtual_minimum_uid=100 \
		maillog_file=/var/log/walk.log
	postconf -F smtp/inet/service=127.0.0.1:$walk_port
	install -d -o 65534 -g 65534 /var/walk /var/walk/all
	postconf -h -F '*/inet/chroot' | grep -qx y && postfix start"
did walk-key "echo $vt_key | sh -e /root/readme.key && cat /root/readme.conf >>/etc/vtmilter.conf"
did walk-then 'sh -e /root/readme.then'
did walk-doctor '! vtmilterctl doctor | grep "^problem"'
did walk-mail "smtp-source -F /root/walk.eml -f sender@example.org -t user@example.test inet:127.0.0.1:$walk_port
	for i in \$(seq 100); do grep -rq '^X-VT-Tag: VT_Scanned' /var/walk/all/new 2>/dev/null && exit 0; sleep 0.3; done
	tail /var/log/walk.log; cat /var/walk/all/new/*; exit 1"
machine 'postfix stop; kill $(cat /run/walk.pid)' >/dev/null 2>&1
rm -rf "$work/machine/usr/local/sbin/systemctl" "$work/machine/var/walk" "$work/machine"/etc/postfix/*.cf \
	"$work/machine"/var/spool/postfix/pid/* "$work/machine/var/lib/postfix/master.lock"
END
: >"$work/inside.log"
walk=$walk vt_url=$vt_url vt_key=$vt_key walk_port=${walk_port:-} layers=$layers work=$work deb=$deb unshare -m --propagation private sh "$work/inside.sh"
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
like "$(cat "$work/inside.log")" '^install: vtmilter waits for its key: ' 'and says what it waits for'
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
if [ -n "$walk" ]; then
	result postfix 'a Postfix in a chroot'
	result walk-key "README.Debian's key and lines"
	result walk-then 'its commands'
	result walk-doctor 'doctor finds no problem'
	result walk-mail 'and mail is tagged'
else
	skip "$why" 'README.Debian on a Postfix in a chroot'
fi
result upgrade 'a new version keeps configuration and key'
[ -z "$walk" ] || result store 'and the store'
result remove 'removed, the configuration and the key stay'
result purge 'purged'
result nothing-left 'no directory is left'
is "$(cat "$work/left")" '' 'nor a file'
done_testing
