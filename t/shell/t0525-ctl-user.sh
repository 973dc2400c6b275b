#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0525-ctl-user.sh - vtmilterctl scan and rescan by a member of the group, who may not read the key: the daemon asks
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilterctl milter/vtmilter t/standin/fakevt t/standin/milter-drive
need_program setpriv
[ "$(id -u)" = 0 ] || skip_all 'needs root, to be another user'
as()
{
	local group="$1"
	shift
	setpriv --reuid 65534 --regid "$group" --clear-groups "$@"
}

# member COMMAND ... : with the group of the control socket; stranger COMMAND ... : without.
member()
{
	as 0 "$builddir/milter/vtmilterctl" -f "$milter_conf" "$@"
}

stranger()
{
	as 65534 "$builddir/milter/vtmilterctl" -f "$milter_conf" "$@"
}

said()
{
	cat "$work/said"
}

# control LINE : what the daemon answers.
control()
{
	printf '%s\n' "$1" | perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$!\n";
		$s->print($_) while <STDIN>; print while <$s>' "$work/control.sock"
}

as 65534 "$builddir/milter/vtmilterctl" --version >/dev/null 2>&1 || skip_all "another user cannot run what is in $builddir"
start_fakevt --per-minute 0 --per-day 9 || bail 'no stand-in'
know_samples
start_vtmilter 'RequestsPerMinute 0' 'RequestsPerDay 9' 'ReserveForManual 6' 'ReserveForAttachments 0%' || bail 'no milter'
wait_for 20 test -e "$work/vtmilter.db"

# ---- the daemon asks

exits 1 'a bad link' member scan "$data/messages/bad-link.eml"
like "$(said)" 'bad-link.eml: VT_Bad$' 'its tag'
like "$(said)" ' bad +12/95 +url http://malware.wicar.org/data/eicar.com' 'its item'
is "$(vt_count requests)" 1 'for one request'
exits 1 'again' member scan --json "$data/messages/bad-link.eml"
is "$(vt_count requests)" 1 'for none'
ok 'a clean attachment' member scan "$data/messages/clean-attachment.eml"
like "$(said)" 'clean-attachment.eml: VT_Scanned$' 'is clean'
ok 'a message without items' member scan "$data/messages/plain.eml"
ok 'a filter' member scan --headers "$data/messages/bad-link.eml"
is "$(said | head -1)" 'X-VT-Tag: VT_Bad' 'works too'

# ---- what else a member may, and what not

ok 'status' member status
ok 'quota: without key' member quota
like "$(said)" '^day \(UTC\): +2 of 9' 'has the count of the daemon'
like "$(said)" "^VirusTotal's day: +[0-9]+ of 9" "and VirusTotal's, as the daemon read it"
ok 'list' member list
exits 1 'cache show' member cache show http://malware.wicar.org/data/eicar.com
exits 78 'submit: needs the key' member submit --public "$data/messages/plain.eml"
like "$(said)" "api-key' cannot be read: Permission denied" 'which is named'
chmod 600 "$work/vtmilter.db"
ok 'quota: without key and store' member quota --json
like "$(said)" '"day_used":2,"day":9' 'has the count of the daemon'
exits 69 'list: without the store' member list
like "$(said)" 'vtmilter.db' 'which is named'
chmod 660 "$work/vtmilter.db"
exits 69 'status: a stranger' stranger status
like "$(said)" 'Permission denied; members of its group may ask the daemon' 'is told who may'

# ---- the reserve is a person's: of 9 requests mail may use 3, and 2 are gone

"$builddir/t/standin/milter-drive" -t 15000 -f "$data/messages/four-links.eml" "unix:$milter_socket" >/dev/null
wait_for 20 vt_counted requests 3
ok 'what mail has no request for' member scan "$data/messages/four-links.eml"
like "$(said)" 'four-links.eml: VT_URL_not_found$' 'is asked for a person'
mkdir "$work/mail"
for m in four-links nested two-links; do
	cp "$data/messages/$m.eml" "$work/mail"
done
exits 75 'beyond the budget' member scan "$work/mail"
like "$(said)" "try again after [0-9-]+ 00:00:00Z; continue with --from '$work/mail/[a-z-]+.eml'" 'when and where to go on'
is "$(vt_count requests)" 9 'all of it was used'
is "$(vt_count violations)" 0 'and no more'

# ---- the command itself

like "$(control 'lookup file 00')" 'no such look-up' 'no hash'
like "$(control 'lookup url http://EXAMPLE.com')" 'no such look-up' 'a URL that is not spelled as it is asked'
like "$(control 'lookup url ftp://example.com/')" 'no such look-up' 'another scheme'
like "$(control 'lookup host a/b')" 'no such look-up' 'no host'
like "$(control 'lookup')" 'no such command' 'nothing'
like "$(control "lookup url http://example.com/$(printf %08400d 0)")" 'no such look-up|bytes expected' 'more than is ever asked'
control "lookup url http://example.com/$(printf %020000d 0)" >/dev/null 2>&1
like "$(control status)" '"enabled":true' 'after more than a line holds the next is served'
like "$(control 'known url http://malware.wicar.org/data/eicar.com')" '"verdict":"bad"' 'what is known'
like "$(control 'known url http://never.example.net/')" '"verdict":"bypassed","reason":"cap"' 'what is not, unasked'

# ---- who may not, and when

exits 78 'a stranger' stranger scan "$data/messages/bad-link.eml"
like "$(said)" 'Permission denied.*without it the key is needed' 'is told why'
ok 'a stranger: the filter' stranger scan --headers "$data/messages/bad-link.eml"
like "$(said)" '^X-VT-Tag: VT_Bypassed$' 'gives the message back, as bypassed'
stop_vtmilter
exits 78 'no daemon' member scan "$data/messages/bad-link.eml"
like "$(said)" 'the daemon does not run; without it the key is needed' 'is told'
exits 1 'no daemon, but the key' "$builddir/milter/vtmilterctl" -f "$milter_conf" scan "$data/messages/bad-link.eml"
rm -f "$work"/vtmilter.db*

# ---- a scan in bulk leaves mail its share of the day

vt set limits per-day=100000 day-used=99990 >/dev/null
start_vtmilter 'RequestsPerMinute 0' 'RequestsPerDay 100000' 'ReserveForManual 0' 'ReserveForAttachments 0%' ||
	bail 'no milter'
exits 75 'many messages' member scan "$work/mail"
like "$(said)" 'kept for mail; try again after [0-9-]+ [0-9:]+Z, or at once with --now; continue with --from' \
	'come after mail'
ok 'one message' member scan "$work/mail/nested.eml"
ok 'many messages, now' member scan --now "$work/mail"
stop_vtmilter

stop_pid "$vt_pid"
rm -f "$work"/vtmilter.db*
start_vtmilter 'RequestsPerMinute 0' || bail 'no milter'
exits 69 'no VirusTotal' member scan "$data/messages/unknown-attachment.eml"
like "$(said)" 'cannot be reached' 'is told'
stop_vtmilter
start_vtmilter 'Enabled no' || bail 'no milter'
exits 78 'not enabled' member scan "$data/messages/bad-link.eml"
like "$(said)" 'Enabled is no' 'is told'

done_testing
