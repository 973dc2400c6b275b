#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# soak.sh - mixed mail at full speed with faults coming and going, for VTM_SOAK_MINUTES (60): memory, descriptors, threads stay
# flat.  `make soak` runs it; VTM_SOAK_SECONDS makes a short one.
. "${srcdir:-$(dirname "$0")/..}/t/lib.sh"
need_built milter/vtmilter t/fakevt t/milter-drive

seconds=${VTM_SOAK_SECONDS:-$((${VTM_SOAK_MINUTES:-60} * 60))}

# fresh N : $work/mail.0 to .5, of which nobody has seen an item before.
fresh()
{
	perl -MMIME::Base64 -e '
		my ($n, $dir) = @ARGV;
		my $head = "From: a\@example.org\nTo: b\@example.org\nSubject: soak\nMessage-ID: <$n\@soak>\nMIME-Version: 1.0\n";
		my $multi = $head . "Content-Type: multipart/mixed; boundary=b\n\n";
		my @mail = (
			$head . "\nnothing to ask about\n",
			$head . "X-VT-Tag: VT_Scanned\n" x 20 . "Content-Type: text/html\n\n" .
				join("", map "<p><a href=\"http://h$_.s$n.example.com/\">x</a></p>\n", 1 .. 12),
			$multi . "--b\nContent-Type: application/octet-stream; name=a.bin\nContent-Transfer-Encoding: base64\n\n" .
				encode_base64("soak $n " . "x" x 60000) . "--b--\n",
			$multi . "--b\nContent-Type: application/pdf\n\n%PDF $n\n" .
				("--b\nContent-Type: message/rfc822\n\nContent-Type: text/plain\n\nhttp://in.s$n.example.net/\n") x 40,
			$head . "Content-Type: multipart/mixed; boundary=b; boundary=c\n\n--b\n\n$n\n--c\n\n$n\n--b--\n",
			$multi . "--b\nContent-Type: application/octet-stream; name=l.bin\n\n" . ("large $n\n" x 160000) . "--b--\n");
		for (0 .. $#mail) {
			open my $f, ">", "$dir/mail.$_" or die "$!\n";
			print $f $mail[$_];
			close $f or die "$!\n";
		}' "$1" "$work"
}

# figure NAME : of the daemon.
figure()
{
	sed -n "s/^$1:[^0-9]*\([0-9]*\).*/\1/p" "/proc/$milter_pid/status"
}

# drive NUMBER OPTION ... : mail NUMBER by the milter protocol; what went wrong is counted.
drive()
{
	local file="$work/mail.$1" out
	shift
	out=$("$builddir/t/milter-drive" -f "$file" "$@" "unix:$milter_socket")
	echo "$out" >>"$work/driven"
}

# What goes wrong in round N.
trouble()
{
	vt fault none >/dev/null
	case $(($1 % 9)) in
	1) vt fault stall >/dev/null ;;
	2) vt fault close >/dev/null ;;
	3) vt fault status=429 retry-after=2 >/dev/null ;;
	4) vt fault garbage >/dev/null ;;
	5) vt fault status=500 >/dev/null ;;
	6) kill -USR1 "$milter_pid" ;;
	7) for where in connect negotiate abort body eom; do
		drive 2 -n 20 -x "$where"
	done ;;
	8) vt fault drip=20 >/dev/null ;;
	esac
}

# Nothing is left of the load.
quiet()
{
	vt fault none >/dev/null
	sleep 4
}

start_fakevt --per-minute 600 --per-day 0 --per-month 0 || bail 'no stand-in'
start_vtmilter 'Timeout 1' 'RequestsPerMinute 600' 'RequestsPerDay 0' 'RequestsPerMonth 0' 'SenderShare 0%' 'LogLevel error' \
	'MaxWaiting 20' || bail 'no vtmilter'

start=$(now_ms)
end=$((start + seconds * 1000))
round=0
warm=
while [ "$(now_ms)" -lt "$end" ]; do
	round=$((round + 1))
	fresh "$round"
	trouble "$round"
	for number in 0 1 2 3 4 5; do
		drive "$number" -n 10 -m 20
	done
	# After the first fifth, and at least two turns through all troubles or what fits: from here on it is to stay flat.
	if [ -z "$warm" ] && [ $((($(now_ms) - start) * 5)) -ge $((seconds * 1000)) ]; then
		quiet
		warm="$(figure VmRSS) $(figure VmHWM) $(figure Threads) $(ls "/proc/$milter_pid/fd" | wc -l)"
		diag "after $round rounds: RSS, HWM, threads, descriptors: $warm"
	fi
	[ $((round % 50)) != 0 ] || diag "$((($(now_ms) - start) / 1000)) s, round $round: RSS $(figure VmRSS) kB," \
		"$(figure Threads) threads, $(ls "/proc/$milter_pid/fd" | wc -l) descriptors"
done
ok 'vtmilter is alive' alive "$milter_pid"
quiet
set -- $warm
diag "$round rounds, $(awk -F'messages=' '{ n += $2 } END { print n + 0 }' "$work/driven") messages;" \
	"at the end: RSS $(figure VmRSS) kB, HWM $(figure VmHWM), $(figure Threads) threads," \
	"$(ls "/proc/$milter_pid/fd" | wc -l) descriptors; $(vt_count requests) requests"
# The memory cache grows with what is asked until its bound; what a message holds may not add up.
between "$(figure VmRSS)" 1 $(($1 + $1 / 4 + 16384)) 'memory is flat'
between "$(figure VmHWM)" 1 $(($2 + $2 / 4 + 32768)) 'at its peak as well'
between "$(figure Threads)" 1 $(($3 + 8)) 'so are threads'
between "$(ls "/proc/$milter_pid/fd" | wc -l)" 1 $(($4 + 8)) 'and descriptors'
is "$(grep -vc ' errors=0 ' "$work/driven")" 0 'no session failed'
is "$(grep -vc ' rejected=0 tempfailed=0 discarded=0' "$work/driven")" 0 'no message was held back'
is "$(vt_count violations)" 0 'no request beyond the budget'
done_testing
