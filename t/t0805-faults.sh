#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0805-faults.sh - what breaks around vtmilter, by the milter protocol: TLS, store, descriptors, sessions that end anywhere, kill.
# Each time the message goes on, none is called scanned that was not, and vtmilter recovers.  Prints what came out.
# VTM_LONG=1 takes 2,000 sessions at once.
. "${srcdir:-$(dirname "$0")/..}/t/lib.sh"
need_built milter/vtmilter t/fakevt t/milter-drive

sessions=300
[ -z "${VTM_LONG:-}" ] || sessions=2000
table=
mails=0

# one WHAT TAGS : a message with an attachment that nobody saw before goes on, with tags that match.
one()
{
	local got
	mails=$((mails + 1))
	printf 'content %d\r\n' $mails >"$work/part"
	printf '%s\n' 'From: a@example.org' 'MIME-Version: 1.0' 'Content-Type: application/octet-stream; name=a.bin' '' \
		"content $mails" >"$work/mail.eml"
	vt set "file $(sha256sum <"$work/part" | cut -d' ' -f1) undetected=60" >/dev/null 2>&1
	result=$("$builddir/t/milter-drive" -e -f "$work/mail.eml" "unix:$milter_socket" 2>&1)
	got=$(printf '%s\n' "$result" | sed -n 's/.*X-VT-Tag: //p' | paste -s -d ' ' -)
	like "$result" ' errors=0 .* rejected=0 tempfailed=0 discarded=0' "$1: goes on"
	like "$got" "$2" "$1: tags"
	case "$2" in
	*VT_Scanned*) ;;
	*) unlike "$got" VT_Scanned "$1: not called scanned" ;;
	esac
	table="$table
$1 | $got"
}

start()
{
	start_vtmilter 'Timeout 2' 'RequestsPerMinute 0' 'RequestsPerDay 0' 'RequestsPerMonth 0' 'SenderShare 0%' \
		"$@" || bail 'no vtmilter'
}

start_fakevt --per-minute 0 --per-day 0 --per-month 0 || bail 'no stand-in'
start
one 'no fault' '^VT_Scanned$'

# ---- the MTA
for where in connect negotiate abort body eom; do
	"$builddir/t/milter-drive" -n 40 -f "$work/mail.eml" -x "$where" "unix:$milter_socket" >/dev/null 2>&1
	one "40 sessions end at: $where" '^VT_Scanned$'
done
vt fault stall >/dev/null
mail_text unknown-attachment.eml >"$work/unknown.eml"
"$builddir/t/milter-drive" -n 40 -f "$work/unknown.eml" -x eom "unix:$milter_socket" >/dev/null 2>&1
vt fault none >/dev/null
one 'clients gone while messages wait' 'VT_Scanned|VT_Bypassed'
result=$("$builddir/t/milter-drive" -n "$sessions" -f "$work/mail.eml" "unix:$milter_socket")
like "$result" ' errors=0 ' "$sessions sessions at once: none fails"
one "after $sessions sessions at once" '^VT_Scanned$'

# ---- descriptors
if command -v prlimit >/dev/null; then
	limit=$(prlimit --noheadings --output SOFT --nofile --pid "$milter_pid" | tr -d ' ')
	prlimit --nofile=40: --pid "$milter_pid"
	"$builddir/t/milter-drive" -n 60 -t 3000 -f "$work/mail.eml" "unix:$milter_socket" >/dev/null 2>&1
	prlimit "--nofile=$limit:" --pid "$milter_pid"
	ok 'out of descriptors: vtmilter is alive' alive "$milter_pid"
	one 'after it was out of descriptors' 'VT_Scanned|VT_Bypassed'
fi

# ---- kill, while messages wait
vt fault stall >/dev/null
"$builddir/t/milter-drive" -n 10 -t 20000 -f "$work/unknown.eml" "unix:$milter_socket" >/dev/null 2>&1 &
driving=$!
sleep 0.5
stop_vtmilter KILL
wait "$driving"
vt fault none >/dev/null
start
one 'after kill -9' 'VT_Scanned|VT_Bypassed'

# ---- the store
if command -v sqlite3 >/dev/null; then
	stop_vtmilter
	sqlite3 "$work/vtmilter.db" 'PRAGMA user_version = 9999'
	start
	one 'store: of a later version' 'VT_Bypassed'
	stop_vtmilter
	rm -f "$work"/vtmilter.db*
	sqlite3 "$work/vtmilter.db" 'CREATE TABLE verdict (x); CREATE TABLE journal (x); CREATE TABLE queue (x); CREATE TABLE budget (x)'
	start
	one 'store: tables of another program' 'VT_Bypassed'
	stop_vtmilter
	rm -f "$work"/vtmilter.db*
fi

# ---- TLS
stop_vtmilter
start "ApiBaseURL https://127.0.0.1:$vt_port/api/v3"
one 'VirusTotal: speaks no TLS' 'VT_Bypassed'
stop_vtmilter
if command -v openssl >/dev/null; then
	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -days 1 \
		-keyout "$work/key.pem" -out "$work/cert.pem" >/dev/null 2>&1
	port=$(free_port)
	openssl s_server -accept "127.0.0.1:$port" -cert "$work/cert.pem" -key "$work/key.pem" -www >/dev/null 2>&1 &
	service_pids="$service_pids $!"
	wait_for 20 port_open "$port"
	start "ApiBaseURL https://127.0.0.1:$port/api/v3"
	one 'VirusTotal: a certificate of nobody' 'VT_Bypassed'
	stop_vtmilter
	start "ApiBaseURL https://127.0.0.1:$port/api/v3" "CAFile $work/cert.pem"
	one 'VirusTotal: the same, trusted; no answer of its kind' 'VT_Bypassed'
	stop_vtmilter
fi
start
one 'no fault again' '^VT_Scanned$'
diag "what was tried | what came out$table"
done_testing
