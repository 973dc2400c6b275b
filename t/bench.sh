#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# bench.sh - vtmilter beside a milter that does nothing, by the milter protocol, all items cached; see t/BENCHMARKS.
. "${srcdir:-$(dirname "$0")/..}/t/lib.sh"

"$builddir/t/bench-extract"
start_fakevt --per-minute 0 --per-day 0 --per-month 0 || bail 'no stand-in'
start_vtmilter 'Timeout 20' 'RequestsPerMinute 0' 'RequestsPerDay 0' 'RequestsPerMonth 0' 'LogLevel warning' \
	'JournalRetention 0' || bail 'no vtmilter'
"$builddir/t/null-milter" -t "unix:$work/null.sock" >"$work/null.log" 2>&1 &
null_pid=$!
service_pids="$service_pids $null_pid"
wait_for 10 grep -q ready "$work/null.log" || bail 'no null-milter'
awk '/^VmRSS/ { print "at rest: " $2 " kB" }' "/proc/$milter_pid/status"

# mail KB : HTML with links and an attachment of that size.
mail()
{
	perl -MMIME::Base64 -e '
		print "From: a\@example.org\nTo: b\@example.org\nSubject: s\nMessage-ID: <x\@y>\nMIME-Version: 1.0\n",
			"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n",
			"<p>See <a href=\"http://one.example.com/\">one</a>, <a href=\"http://two.example.com/a\">two</a></p>\n",
			"<p>and more words, as letters to many people have them</p>\n" x 20,
			"--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n",
			encode_base64("%PDF" . ("abcdefgh" x ($ARGV[0] * 92))), "--b--\n"' "$1"
}

# one NAME PID SOCKET SESSIONS MESSAGES
one()
{
	local before after start end
	before=$(awk '{ print $14 + $15 }' "/proc/$2/stat")
	start=$(now_ms)
	"$builddir/t/milter-drive" -n "$4" -m "$5" -f "$work/bench.eml" "$3" >/dev/null
	end=$(now_ms)
	after=$(awk '{ print $14 + $15 }' "/proc/$2/stat")
	echo "$1 $(((after - before) * 10)) $((end - start)) $(($4 * $5))"
}

# Five pairs in turn; the median of each and the ratio.
pairs()
{
	local sessions="$1" each="$2" i
	for i in 1 2 3 4 5; do
		one vtmilter "$milter_pid" "unix:$milter_socket" "$sessions" "$each"
		one null "$null_pid" "unix:$work/null.sock" "$sessions" "$each"
	done | sort -k1,1 -k2,2n | awk -v what="$3, $sessions sessions" '
		{ n[$1]++; cpu[$1, n[$1]] = $2 / $4; rate[$1, n[$1]] = $4 * 1000 / ($3 + 1) }
		END { v = cpu["vtmilter", 3]; z = cpu["null", 3]
			printf "%s: CPU %.3f against %.3f ms a message (%.1f times), %.0f against %.0f messages/s\n",
				what, v, z, z ? v / z : 0, rate["vtmilter", 3], rate["null", 3] }'
}

mail 4 >"$work/bench.eml"
"$builddir/t/milter-drive" -n 1 -m 2 -f "$work/bench.eml" "unix:$milter_socket" >/dev/null
pairs 1 1000 '5 KB'
pairs 16 100 '5 KB'
pairs 200 10 '5 KB'
mail 100 >"$work/bench.eml"
"$builddir/t/milter-drive" -n 1 -m 2 -f "$work/bench.eml" "unix:$milter_socket" >/dev/null
pairs 16 40 '100 KB'
mail 10000 >"$work/bench.eml"
"$builddir/t/milter-drive" -n 1 -m 2 -f "$work/bench.eml" "unix:$milter_socket" >/dev/null
pairs 4 4 '10 MB'
awk '/^VmHWM/ { print "at most: " $2 " kB" }' "/proc/$milter_pid/status"
