#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0710-systemd.sh - the unit, its sandbox, and what the daemon tells systemd
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilter t/standin/fakevt

unit=$srcdir/contrib/systemd/vtmilter.service

if command -v systemd-analyze >/dev/null; then
	sed "s,/usr/s*bin/,$builddir/milter/," "$unit" >"$work/vtmilter.service"
	ok 'systemd-analyze finds no fault' systemd-analyze verify --man=no "$work/vtmilter.service"
	is "$(cat "$work/said")" '' 'and warns of nothing'
	if systemd-analyze security --help 2>/dev/null | grep -q -e --offline; then
		ok 'the sandbox: exposure below 2.0' systemd-analyze security --offline=yes --threshold=20 \
			--no-pager "$work/vtmilter.service"
		diag "$(tail -n 1 "$work/said")"
	else
		skip 'this systemd-analyze has no --offline' 'the sandbox: exposure below 2.0'
	fi
else
	skip 'systemd-analyze is not installed' 'systemd-analyze finds no fault'
	skip 'systemd-analyze is not installed' 'the sandbox: exposure below 2.0'
fi
if command -v systemd-sysusers >/dev/null; then
	mkdir -p "$work/root/etc"
	ok 'sysusers makes the user' systemd-sysusers --root="$work/root" "$srcdir/contrib/systemd/sysusers.conf"
	like "$(cat "$work/root/etc/passwd" 2>/dev/null)" '^vtmilter:' 'vtmilter'
else
	skip 'systemd-sysusers is not installed' 'sysusers makes the user'
fi

# ---- what it says ----

# Prints every datagram that comes, a line each.
listen_notify()
{
	perl -MIO::Socket::UNIX -MSocket -e 'my $s = IO::Socket::UNIX->new(Local => $ARGV[0], Type => SOCK_DGRAM) or die "$!\n";
		$| = 1; while (defined $s->recv(my $m, 4096)) { $m =~ s/\n/ /g; print "$m\n" }' "$work/notify" \
		>"$work/notified" 2>"$work/notify.err" &
	service_pids="$service_pids $!"
	wait_for 15 test -S "$work/notify"
}

# heard REGEX : since the last time it was asked.
heard()
{
	grep -Eq -e "$1" "$work/notified"
}

start_fakevt || bail 'no stand-in'
listen_notify || bail 'no listener'
"$builddir/milter/vtmilter" --help >/dev/null || bail 'it does not run'
service_env="NOTIFY_SOCKET=$work/notify WATCHDOG_USEC=400000"
start_vtmilter || bail 'vtmilter did not start'
if ! wait_for 15 heard '^READY=1'; then
	[ "$(grep -c 'HAVE_SYSTEMD 1' "$builddir/build-config.h")" = 0 ] || tap_fail 'READY when it listens'
	skip 'built without systemd' 'what it says to systemd'
	done_testing
fi
tap_pass 'READY when it listens'
ok 'WATCHDOG' wait_for 15 heard '^WATCHDOG=1'
ok 'a status line' wait_for 15 heard '^STATUS=well$'
: >"$work/notified"
sleep 1
between "$(grep -c '^WATCHDOG=1' "$work/notified")" 3 8 'as often as is asked for'
is "$(grep -c '^STATUS' "$work/notified")" 0 'the status only when it changes'
: >"$work/notified"
kill -HUP "$milter_pid"
ok 'RELOADING' wait_for 15 heard '^RELOADING=1 MONOTONIC_USEC=[0-9]+'
ok 'and READY again' wait_for 15 heard '^READY=1'
: >"$work/notified"
echo 'Timeout never' >>"$milter_conf"
kill -HUP "$milter_pid"
ok 'a reload that fails' wait_for 15 heard '^RELOADING=1'
ok 'ends too' wait_for 15 heard '^READY=1'
: >"$work/notified"
kill -TERM "$milter_pid"
ok 'STOPPING' wait_for 15 heard '^STOPPING=1'
wait_for 10 not alive "$milter_pid"
sed -i '/^Timeout never/d' "$milter_conf"
# libmilter's own thread takes no signal, not even one that comes while the main thread is busy
service_env="NOTIFY_SOCKET=$work/notify WATCHDOG_USEC=2000"
start_vtmilter || bail 'vtmilter did not start'
for n in $(seq 100); do
	kill -HUP "$milter_pid"
	sleep 0.005
done
ok 'a hundred reloads by signal' alive "$milter_pid"
stop_vtmilter
is "$(grep -c 'ended by itself' "$milter_log")" 0 'and a stop by signal'
: >"$work/notified"
service_env="NOTIFY_SOCKET=$work/notify WATCHDOG_USEC=120000000"
start_vtmilter || bail 'vtmilter did not start'
ok 'the status comes with the start, however seldom it is watched' wait_for 15 heard '^STATUS=well$'
stop_vtmilter
service_env=
: >"$work/notified"
start_vtmilter || bail 'vtmilter did not start'
sleep 0.5
is "$(cat "$work/notified")" '' 'nothing when nobody listens'

# ---- the key as a credential ----

mkdir "$work/credentials"
mv "$work/api-key" "$work/credentials/vtmilter-api-key"
sed -i '/^ApiKeyFile/d' "$milter_conf"
stop_vtmilter
service_env="CREDENTIALS_DIRECTORY=$work/credentials"
ok 'the key by LoadCredential' start_vtmilter
done_testing
