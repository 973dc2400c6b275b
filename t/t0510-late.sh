#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0510-late.sh - a message that turns bad after delivery: the command is run, until it succeeds, over a restart too; with
# contrib/late and a real Dovecot the message moves.
. "${srcdir:-$(dirname "$0")/..}/t/lib.sh"
. "$srcdir/t/dovecot.sh"
need_postfix
# An ordinary directory may be entered, which looks like being run.
exits 78 'LateVerdictCommand is a directory' sh -c "printf '%s\n' 'Enabled no' 'LateVerdictCommand $work' >'$work/dir.conf'
	exec '$builddir/milter/vtmilter' -n -f '$work/dir.conf'"
[ -e "$builddir/t/libtimewarp.so" ] || skip_all 't/libtimewarp.so is not built'

# The command notes what it got, and fails as long as $work/refuse is there.
cat >"$work/command" <<CMD
#!/bin/sh
[ "\$1" = 'an argument' ] || exit 1
env >"$work/late.env"
cat >>"$work/late.json"
echo run >>"$work/late.runs"
[ ! -e "$work/refuse" ] && exit 0
head -c 1000000 /dev/zero | tr '\0' x | fold -w 500 >&2
kill -9 \$\$
CMD
chmod 755 "$work/command"
runs()
{
	[ "$(cat "$work/late.runs" 2>/dev/null | wc -l)" -ge "$1" ]
}

warp_clock || bail 'no time warp'
start_fakevt || bail 'no stand-in'
know_samples
start_vtmilter 'Timeout 1' 'RequestsPerMinute 1' "LateVerdictCommand $work/command 'an argument'" || bail 'no vtmilter'
start_postfix || bail 'no Postfix'

send_mail clean-attachment.eml
touch "$work/refuse"
send_mail bad-attachment.eml
is "$(tags "$(delivered bad-attachment.eml)")" 'VT_Bypassed VT_Pending' 'delivered while its answer is pending'
not_yet=$(cat "$work/late.runs" 2>/dev/null)
is "$not_yet" '' 'no command yet'
warp_by 70
ok 'the answer comes and the command is run' wait_for 20 runs 1
like "$(cat "$milter_log")" 'late-verdict=bad' 'one line in the log'
like "$(cat "$work/late.json")" '"recipients":\["user@example.test"\]' 'recipients on standard input'
like "$(cat "$work/late.json")" '"verdict":"bad"' 'and the item'
like "$(cat "$work/late.env")" 'VTM_SENDER=sender@example.org' 'the sender in the environment'
unlike "$(cat "$work/late.env")" 'HOME=|API|vt_key' 'and nothing of ours'

ok 'how it ended is logged with the first words it wrote to standard error' wait_for 20 grep -q \
	'LateVerdictCommand .* ended with signal 9: x*\.*$' "$milter_log"
between "$(wc -c <"$milter_log")" 1 20000 'and not the megabyte that followed'
stop_vtmilter KILL
start_vtmilter || bail 'vtmilter does not start again'
rm "$work/refuse"
warp_by 40
ok 'it failed: run again, although vtmilter was killed between' wait_for 20 runs 2
sleep 1
warp_by 7200
sleep 3
is "$(wc -l <"$work/late.runs")" 2 'it succeeded: not run any more'
stop_vtmilter

why=$(dovecot_missing)
if [ -n "$why" ]; then
	skip "$why" 'a message moves in Dovecot'
	done_testing
fi
lmtp=$(free_port)
echo 'keep;' >"$work/keep.sieve"
ok 'Dovecot starts' eval 'dovecot_create "$work/dovecot" "$lmtp" "$work/keep.sieve" && dovecot_start "$work/dovecot"' ||
	bail "$(tail -n 5 "$work/dovecot/log")"
at_end dovecot_stop "$work/dovecot"
wait_for 10 port_open "$lmtp"
postconf -c "$postfix_dir/etc" -e "virtual_transport=lmtp:inet:127.0.0.1:$lmtp"
postfix -c "$postfix_dir/etc" reload >/dev/null 2>&1
start_vtmilter 'Timeout 1' 'RequestsPerMinute 1' \
	"LateVerdictCommand $srcdir/contrib/late/vtmilter-late-dovecot --conf $work/dovecot/dovecot.conf --domainless" ||
	bail 'vtmilter does not start again'
warp_by 100
sleep 1
sed 's/^Message-I[Dd]:.*/Message-ID: <other@example.org>/' "$data/messages/two-links.eml" >"$work/other.eml"
send_mail "$work/other.eml"
send_mail bad-link.eml
id=$(message_id bad-link.eml)
where()
{
	dovecot_adm fetch -u user mailbox mailbox '*' HEADER Message-ID "$id" | sed -n 's/^mailbox: //p'
}
is_in()
{
	[ "$(where)" = "$1" ]
}
ok 'delivered to the inbox' wait_for 20 is_in INBOX
for _ in 1 2 3 4 5 6; do
	warp_by 70
	wait_for 6 is_in Junk && break
done
is "$(where)" Junk 'when its answer comes it moves to Junk'
done_testing
