#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0510-late.sh - a message that turns bad after delivery: the command is run, until it succeeds, over a restart too; with
# contrib/late and a real Dovecot the message moves.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
. "$srcdir/t/shell/dovecot.sh"
need_postfix
# An ordinary directory may be entered, which looks like being run.
exits 78 'LateVerdictCommand is a directory' sh -c "printf '%s\n' 'Enabled no' 'LateVerdictCommand $work' >'$work/dir.conf'
	exec '$builddir/milter/vtmilter' -n -f '$work/dir.conf'"
[ -e "$builddir/t/standin/libtimewarp.so" ] || skip_all 't/standin/libtimewarp.so is not built'

# The command notes what it got, and fails as long as $work/refuse is there.
cat >"$work/command" <<CMD
#!/bin/sh
[ "\$1" = 'an argument' ] || exit 1
env >"$work/late.env"
cat >>"$work/late.json"
echo run >>"$work/late.runs"
[ ! -e "$work/refuse" ] && exit 0
while [ -e "$work/hang" ]; do sleep 0.1; done
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
grep -q __asan_init "$builddir/milter/vtmilter" || {
	service_env="$service_env LD_PRELOAD=$builddir/t/standin/libtimewarp.so:$builddir/t/standin/libfaults.so VTM_FAULTS=$work/faults"
	faults
}
know_samples
start_vtmilter 'Timeout 1' 'RequestsPerMinute 1' "LateVerdictCommand $work/command 'an argument'" || bail 'no vtmilter'
start_postfix || bail 'no Postfix'
[ ! -e "$work/faults" ] || faults fork=11	# EAGAIN

send_mail clean-attachment.eml
touch "$work/refuse"
send_mail bad-attachment.eml
is "$(tags "$(delivered bad-attachment.eml)")" 'VT_Bypassed VT_Pending' 'delivered while its answer is pending'
not_yet=$(cat "$work/late.runs" 2>/dev/null)
is "$not_yet" '' 'no command yet'
warp_by 70
if [ -e "$work/faults" ]; then
	ok 'no process can be had for it' wait_for 20 grep -q 'LateVerdictCommand .*: Resource temporarily' "$milter_log"
	is "$(cat "$work/late.runs" 2>/dev/null)" '' 'so it is not run'
	faults
	warp_by 40
fi
ok 'the answer comes and the command is run' wait_for 20 runs 1
like "$(cat "$milter_log")" 'late-verdict=bad' 'one line in the log'
like "$(cat "$work/late.json")" '"recipients":\["user@example.test"\]' 'recipients on standard input'
like "$(cat "$work/late.json")" '"verdict":"bad"' 'and the item'
like "$(cat "$work/late.env")" 'VTM_SENDER=sender@example.org' 'the sender in the environment'
unlike "$(cat "$work/late.env")" 'HOME=|API|vt_key' 'and nothing of ours'

ok 'how it ended is logged with the message and the first words it wrote to standard error' wait_for 20 grep -q \
	'warning: [0-9A-Za-z]*: LateVerdictCommand .* ended with signal 9: x*\.*$' "$milter_log"
between "$(wc -c <"$milter_log")" 1 20000 'and not the megabyte that followed'
touch "$work/hang"
warp_by 40
ok 'it failed: run again' wait_for 20 runs 2
stop_vtmilter KILL
rm "$work/refuse"
start_vtmilter || bail 'vtmilter does not start again'
warp_by 40
ok 'vtmilter was killed while it ran: run again' wait_for 20 runs 3
sleep 1
warp_by 7200
sleep 3
is "$(wc -l <"$work/late.runs")" 3 'it succeeded: not run any more'
rm "$work/hang"
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
stop_vtmilter

# ---- by hand: messages with odd names, put into mailboxes as the MTA would

# put USER MESSAGE_ID QUEUE_ID
put()
{
	printf '%s\n' "Received: from client.example.org (unknown [192.0.2.1])" "	by mx.example.test (Postfix) with ESMTP id $3" \
		"	for <$1@example.test>; Tue, 24 Nov 2026 12:00:00 +0000 (UTC)" "Message-ID: $2" 'Subject: x' '' 'x' |
		dovecot_adm save -u "$1" -m INBOX
}

# late_dovecot JSON [OPTION ...] : the command as the daemon runs it.
late_dovecot()
{
	local json="$1"
	shift
	printf '%s\n' "$json" | "$srcdir/contrib/late/vtmilter-late-dovecot" --conf "$work/dovecot/dovecot.conf" "$@"
}

# in_mailbox USER MAILBOX QUEUE_ID
in_mailbox()
{
	[ -n "$(dovecot_adm search -u "$1" mailbox "$2" HEADER Received "id $3")" ]
}

n=0
for id in '<with "blank\@example.org>' "<$(printf %0900d 0)@example.org>" '<müller@example.org>' 'no brackets' ''; do
	n=$((n + 1))
	put ann "$id" QUEUEID0$n
	ok "a Message-ID that is $(printf %.30s "$id")" late_dovecot \
		"$(perl -MJSON::PP -e 'my ($id, $q) = @ARGV; utf8::decode($id);
			print JSON::PP->new->utf8->encode({ queue_id => $q, message_id => $id, recipients => ["ann"] })' "$id" QUEUEID0$n)"
	ok '... is found by the queue id' in_mailbox ann Junk QUEUEID0$n
done
put ann '<with "blank\@example.org>' QUEUEID20
put ann '<other@example.org>' QUEUEID21
ok 'without a queue id' late_dovecot '{"message_id":"<with \"blank\\@example.org>","recipients":["ann"]}'
ok '... the Message-ID finds it' in_mailbox ann Junk QUEUEID20
ok '... and no other' in_mailbox ann INBOX QUEUEID21
exits 65 'neither' late_dovecot '{"queue_id":"1","message_id":"<","recipients":["ann"]}'
like "$(cat "$work/said")" "neither queue id '1' nor Message-ID '<' can be searched for" '... is named, and given up'
exits 65 'no JSON' late_dovecot 'nonsense'

put ann '<two@example.org>' QUEUEID30
two='{"queue_id":"QUEUEID30","message_id":"<two@example.org>","recipients":["bob","ann"]}'
exits 75 'two recipients, one without a copy: again later' late_dovecot "$two"
like "$(cat "$work/said")" 'bob: no copy was found' '... who is named'
ok "... the other's is moved" in_mailbox ann Junk QUEUEID30
put bob '<two@example.org>' QUEUEID30
ok 'it comes: done' late_dovecot "$two"
ok '... and is moved' in_mailbox bob Junk QUEUEID30
put ann '<old@example.org>' QUEUEID40
exits 75 'a message that was there long before' late_dovecot \
	'{"queue_id":"QUEUEID40","recipients":["ann"],"time":4000000000}'
ok '... stays' in_mailbox ann INBOX QUEUEID40
ok 'a recipient that doveadm takes for a pattern' late_dovecot '{"queue_id":"QUEUEID40","recipients":["*","an?","*@example.org"]}'
ok '... stands for nobody: the message stays' in_mailbox ann INBOX QUEUEID40
ok '--flag' late_dovecot '{"queue_id":"QUEUEID40","recipients":["ann"]}' --flag
like "$(dovecot_adm fetch -u ann flags mailbox INBOX HEADER Received 'id QUEUEID40')" 'Flagged' '... flags it where it is'
mkdir "$work/bin"
ln -s "$(command -v perl)" "$work/bin/perl"
exits 75 'no doveadm: again later' env PATH="$work/bin" perl "$srcdir/contrib/late/vtmilter-late-dovecot" <<JSON
$two
JSON
like "$(cat "$work/said")" 'doveadm cannot be run: No such file' '... and says so'
done_testing
