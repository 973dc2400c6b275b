#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0810-bombs.sh - messages made to cost time or memory (t/shell/bombs.pl): each is answered within bounds, never called scanned where it
# was not looked through, and the next message is as ever.  VirusTotal calls what is attached clean, so that this is in question.
# VTM_LONG=1 makes them larger.  A header field has at most 64 KB: libmilter takes no more.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilter t/standin/fakevt t/standin/milter-drive

scale=1
[ -z "${VTM_LONG:-}" ] || scale=4

# Seconds of processor time that vtmilter and its children have used, decoders among them: who forks them has theirs added.
used()
{
	local pids="$milter_pid" all=
	while [ -n "$pids" ]; do
		all="$all $pids"
		pids=$(for pid in $pids; do cat "/proc/$pid/task"/*/children; done 2>/dev/null)
	done
	for pid in $all; do
		cat "/proc/$pid/stat" 2>/dev/null
	done | awk '{ total += $14 + $15 + $16 + $17 } END { print int(total / 100) }'
}

drive()
{
	result=$("$builddir/t/standin/milter-drive" -e -f "$1" "unix:$milter_socket" 2>&1)
}

start_fakevt --per-minute 0 --per-day 0 --per-month 0 || bail 'no stand-in'
know_samples
start_vtmilter 'Timeout 20' 'ScanPDF yes' 'RequestsPerMinute 0' 'RequestsPerDay 0' 'RequestsPerMonth 0' 'SenderShare 0%' || bail 'no vtmilter'
mail_text clean-attachment.eml >"$work/clean.eml"
drive "$work/clean.eml"
like "$result" 'VT_Scanned' 'an ordinary message'
rest=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$milter_pid/status")

perl "$srcdir/t/shell/bombs.pl" >"$work/bombs"
between "$(wc -l <"$work/bombs")" 50 99 'there are bombs'
while IFS='	' read -r what right; do
	# the long form's may be larger than what is read
	[ "$scale" = 1 ] || right="$right|VT_Bypassed"
	known=$(perl "$srcdir/t/shell/bombs.pl" "$what" "$scale" "$work/bomb.eml") || bail "no bomb: $what"
	[ -z "$known" ] || vt add file "$known" 0/70 >/dev/null
	before=$(used)
	drive "$work/bomb.eml"
	cpu=$(($(used) - before))
	got=$(printf '%s\n' "$result" | grep -o 'VT_[A-Za-z_]*$' | paste -s -d ' ' -)
	like "$result" ' errors=0 .* rejected=0 tempfailed=0 ' "$what: goes on"
	like "$got" "$right" "$what: its tags"
	# only of an attachment that is known as a whole may it be said, beside what else is right
	[ -n "$known" ] || unlike "$got" 'VT_Scanned' "$what: not called scanned"
	between "$cpu" 0 $((8 * scale)) "$what: seconds of processor time"
	hwm=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$milter_pid/status")
	table_line "$what | $(($(wc -c <"$work/bomb.eml") / 1024)) kB | $cpu s | $(((hwm - rest) / 1024)) MB | $got"
	# Largest is the message itself a few times; a bomb that unpacks to gigabytes would show.
	sanitized || between "$hwm" 1 $((rest + 300000 * scale)) "$what: memory"
	drive "$work/clean.eml"
	like "$result" 'VT_Scanned' "$what: the next message is as ever"
done <"$work/bombs"
diag "bomb | size | processor | peak above rest so far | tags$table"
ok 'vtmilter is alive' alive "$milter_pid"
done_testing
