#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0800-faults.sh - whatever breaks, mail flows unaltered, nothing is called scanned, no request is beyond the budget, and the daemon
# recovers by itself.  Prints a table of what was tried and what came out.
. "${srcdir:-$(dirname "$0")/..}/t/lib.sh"
need_postfix
[ -e "$builddir/t/libtimewarp.so" ] || skip_all 't/libtimewarp.so is not built'

table=
mails=0

# fresh_mail : $work/mail.eml with an attachment and a link that nobody saw before; $vt_hash is the attachment's, known as clean.
fresh_mail()
{
	mails=$((mails + 1))
	printf 'content %d\r\n' $mails >"$work/part"
	vt_hash=$(sha256sum <"$work/part" | cut -d' ' -f1)
	printf '%s\n' 'From: a@example.org' 'To: user@example.test' 'Subject: fault' "Message-ID: <$mails@faults>" \
		'MIME-Version: 1.0' 'Content-Type: multipart/mixed; boundary=b' '' '--b' '' "http://f$mails.example.com/" '--b' \
		'Content-Type: application/octet-stream; name=a.bin' '' "content $mails" '' '--b--' >"$work/mail.eml"
	body_of "$work/mail.eml" >"$work/body"
}

# one WHAT TAGS : sends a fresh message; it must arrive unaltered with tags that match.
one()
{
	local mail got
	fresh_mail
	[ -z "$vt_pid" ] || "$builddir/t/fakevt" --ask "$vt_port" set "file $vt_hash undetected=60" >/dev/null
	ok "$1: accepted" send_mail "$work/mail.eml"
	mail=$(delivered "$work/mail.eml")
	got=$(tags "$mail")
	like "$got" "$2" "$1: tags"
	case "$2" in
	*VT_Scanned*) ;;
	*) unlike "$got" VT_Scanned "$1: not called scanned" ;;
	esac
	# smtp-source ends the message with one more line end
	is "$(body_of "$mail" | sha256sum)" "$({ cat "$work/body"; echo; } | sha256sum)" "$1: the body is unaltered"
	table="$table
$1 | $got"
}

fault()
{
	"$builddir/t/fakevt" --ask "$vt_port" fault $1 >/dev/null
}

# The answer is there again when no fault stands and every pause has passed.
recovered()
{
	local tries=0
	fault none
	while [ $tries -lt 12 ]; do
		warp_by 400
		sleep 0.3
		fresh_mail
		"$builddir/t/fakevt" --ask "$vt_port" set "file $vt_hash undetected=60" >/dev/null
		send_mail "$work/mail.eml"
		case "$(tags "$(delivered "$work/mail.eml")")" in
		*VT_Scanned*) return 0 ;;
		esac
		tries=$((tries + 1))
	done
	return 1
}

warp_clock || bail 'no time warp'
start_fakevt --per-minute 60 --per-day 5000 || bail 'no stand-in'
start_vtmilter 'Timeout 2' 'RequestsPerMinute 60' 'RequestsPerDay 5000' 'RequestsPerMonth 0' 'SenderShare 0%' || bail 'no vtmilter'
start_postfix || bail 'no Postfix'
sleep 0.5
one 'no fault' 'VT_URL_not_found VT_Scanned'

# ---- VirusTotal
while read -r words; do
	fault "$words"
	one "VirusTotal: $words" 'VT_Bypassed'
	ok "VirusTotal: $words: recovers by itself" recovered
done <<-FAULTS
	stall
	close
	cut
	truncated
	garbage
	empty
	html
	wrong-id
	redirect
	huge
	bomb
	gzip-bad
	drip=200
	status=401
	status=403
	status=429
	status=429 retry-after=30
	status=500
	status=503
FAULTS
is "$(vt_count violations)" 0 'no request beyond the budget through all of it'

# ---- the store
db=$work/vtmilter.db
store_fault()
{
	sleep 0.2
	one "store: $1" "$2"
	ok "store: $1: vtmilter is alive" alive "$milter_pid"
}
rm -f "$db" "$db-wal" "$db-shm"
store_fault 'files deleted under us' 'VT_Bypassed|VT_Scanned'
stop_vtmilter
echo 'this is no database' >"$db"
rm -f "$db-wal" "$db-shm"
start_vtmilter || bail 'vtmilter does not start with a corrupt store'
store_fault 'corrupt' 'VT_Bypassed'
rm -f "$db"*
ok 'store: corrupt: recovers when the file is moved away' recovered
stop_vtmilter
rm -f "$db"*
mkdir "$db"
start_vtmilter || bail 'vtmilter does not start without a store'
store_fault 'cannot be opened' 'VT_Bypassed'
rmdir "$db"
ok 'store: cannot be opened: recovers' recovered
if command -v sqlite3 >/dev/null; then
	{ echo 'BEGIN EXCLUSIVE;'; sleep 4; echo 'COMMIT;'; } | sqlite3 "$db" &
	sleep 0.5
	store_fault 'locked by another' 'VT_Bypassed'
	wait $!
	ok 'store: locked: recovers' recovered
fi

# ---- spool and process
stop_vtmilter
mkdir "$work/nowhere"
start_vtmilter 'Timeout 2' 'RequestsPerMinute 60' 'RequestsPerDay 5000' "TempDirectory $work/nowhere" || bail 'no vtmilter'
rmdir "$work/nowhere"
{ printf 'From: a@example.org\nMessage-ID: <large@faults>\n\n'; yes 'a long line of text in a large message' | head -n 60000; } >"$work/large.eml"
ok 'spool: no directory: a large message is accepted' send_mail "$work/large.eml"
is "$(tags "$(delivered "$work/large.eml")")" VT_Bypassed 'spool: no directory: bypassed'
one 'spool: the next, small one' 'VT_Scanned|VT_Bypassed'

kill -STOP "$milter_pid"
{ sleep 2; kill -CONT "$milter_pid"; } &
one 'process: stopped for two seconds' 'VT_Scanned|VT_Bypassed'
wait $!
perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Peer => $ARGV[0]) or exit 1 for 1 .. 200' "$milter_socket"
one 'process: 200 connections that said nothing' 'VT_Scanned|VT_Bypassed'
mkdir "$work/nowhere"
kill -USR1 "$milter_pid"
one 'process: reload in the middle' 'VT_Scanned|VT_Bypassed'
ok 'vtmilter is alive' alive "$milter_pid"
is "$(vt_count violations)" 0 'no request beyond the budget'
diag "what was tried | what came out$table"
done_testing
