#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0515-ctl-daemon.sh - vtmilterctl: status, quota, reload, ignore and cache, with the daemon and without
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilterctl milter/vtmilter t/standin/fakevt

ctl()
{
	"$builddir/milter/vtmilterctl" -f "$milter_conf" "$@"
}

said()
{
	cat "$work/said"
}

start_fakevt || bail 'no stand-in'
know_samples
printf '%s\n' '# our own' 'example.com	# stays' '' 'gone.example' >"$work/domains"
chmod 640 "$work/domains"
start_vtmilter "IgnoredDomains $work/domains" || bail 'no milter'

# ---- status, quota, reload

exits 64 'status: an argument' ctl status now
ok 'status' ctl status
like "$(said)" '^mode: +scanning' 'tells the mode'
ok 'status --json' ctl --json status
like "$(said)" '^\{"version":"[0-9.]+",' 'is an object'
exits 64 'quota: an argument' ctl quota now
ok 'quota' ctl quota --json
like "$(said)" '"day_used":0,"day":500,.*"server_day":500' 'here and there'
exits 64 'reload: an argument' ctl reload now
ok 'reload' ctl reload
is "$(said)" '' 'has nothing to say'
sed -i 's/^SocketMode .*/SocketMode 0600/' "$milter_conf"
ok 'reload: a directive that is fixed' ctl reload
is "$(said)" 'vtmilterctl reload: SocketMode changes only with a restart' 'is named'
sed -i 's/^SocketMode .*/SocketMode 0666/' "$milter_conf"
ok 'reload: as it was at the start' ctl reload
is "$(said)" '' 'has nothing to say again'
echo 'Timeout soon' >>"$milter_conf"
printf '%s\n' "ControlSocket $work/control.sock" "Store sqlite:$work/vtmilter.db" >"$work/other.conf"
exits 78 'reload: a bad configuration' "$builddir/milter/vtmilterctl" -f "$work/other.conf" reload
like "$(said)" "Timeout is in .*the old configuration stays in force" 'is told'
sed -i '/Timeout soon/d' "$milter_conf"

# ---- ignore

exits 64 'ignore: nothing' ctl ignore
exits 64 'ignore: a wildcard' ctl ignore add '*.example.org'
ok 'ignore add' ctl ignore add Bar.Example
is "$(cat "$work/domains")" "$(printf '%s\n' '# our own' 'example.com	# stays' '' 'gone.example' 'bar.example')" \
	'comments stay, the entry comes last'
is "$(stat -c %a "$work/domains")" 640 'and so does the mode'
is "$(find "$work" -name 'domains.*')" '' 'nothing is left behind'
like "$(tail -3 "$milter_log")" 'reload: done' 'the daemon read it'
ok 'ignore add: again' ctl ignore add bar.example
is "$(grep -c bar.example "$work/domains")" 1 'is not added twice'
ok 'ignore remove' ctl ignore remove gone.example
is "$(cat "$work/domains")" "$(printf '%s\n' '# our own' 'example.com	# stays' '' 'bar.example')" 'only its line goes'
exits 1 'ignore remove: what is not there' ctl ignore remove gone.example
ok 'ignore list' ctl ignore list
is "$(said | tr '\n' ' ')" 'example.com bar.example ' 'has the entries'
exits 78 'ignore add: a hash without a list' ctl ignore add "$(eicar | sha256sum | cut -c 1-64)"
like "$(said)" 'add this line .*IgnoredHashes ' 'says which line is missing'
ln -s domains "$work/link"
sed -i "s|IgnoredDomains .*|IgnoredDomains $work/link|" "$milter_conf"
ok 'ignore add: through a link' ctl ignore add linked.example
ok 'the link stays one' test -L "$work/link"
like "$(cat "$work/domains")" linked.example 'and its file is changed'

# ---- cache

exits 64 'cache: nothing' ctl cache
exits 64 'cache: nonsense' ctl cache show nonsense
exits 1 'cache show: what is not known' ctl cache show https://unknown.example.net/
exits 1 'cache forget: what is not known' ctl cache forget https://unknown.example.net/
exits 1 'cache show: what is bad' sh -c "'$builddir/milter/vtmilterctl' -f '$milter_conf' scan '$data/messages/bad-link.eml' >/dev/null
	'$builddir/milter/vtmilterctl' -f '$milter_conf' cache show HTTP://Malware.wicar.org/data/eicar.com#x"
like "$(said)" '^engines: +12 malicious' 'its engines'
ok 'cache forget' ctl cache forget http://malware.wicar.org/data/eicar.com
exits 1 'forgotten' ctl cache show http://malware.wicar.org/data/eicar.com

# ---- nobody there

stop_vtmilter
exits 69 'status: no daemon' ctl status
like "$(said)" '^day: +1 of 500' 'what the store knows'
like "$(said)" 'the daemon does not run' 'and why'
exits 69 'reload: no daemon' ctl reload
ok 'ignore add: no daemon' ctl ignore add later.example
like "$(said)" 'when it starts' 'is for later'
stop_pid "$vt_pid"
exits 69 'quota: no VirusTotal' ctl quota
like "$(said)" '^day .UTC.: +1 of 500' 'what is counted here'
mv "$work/vtmilter.db" "$work/elsewhere.db"
exits 69 'cache: no store' ctl cache show https://unknown.example.net/
exits 69 'quota: no store' ctl quota
ok 'no store is made by those who only look' test ! -e "$work/vtmilter.db"

done_testing
