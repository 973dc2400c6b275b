#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# soak.sh - mixed mail at full speed while faults of VirusTotal, store and spool come and go, for VTM_SOAK_MINUTES (60):
# memory, descriptors and threads stay flat.  `make soak` runs it; VTM_SOAK_SECONDS makes a short one.  VTM_CORPUS=DIR
# sends its *.eml, too, but those with a header field that libmilter does not take.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilter t/standin/fakevt t/standin/milter-drive
[ -e "$builddir/t/standin/libfaults.so" ] || skip_all 't/standin/libfaults.so is not built'

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

# drive FILE OPTION ... : by the milter protocol; what went wrong is counted.
drive()
{
	local file="$1" out
	shift
	out=$("$builddir/t/standin/milter-drive" -f "$file" "$@" "unix:$milter_socket")
	echo "$file: $out" >>"$work/driven"
}

# What goes wrong in round N.
trouble()
{
	vt fault none >/dev/null
	faults
	case $(($1 % 16)) in
	1) vt fault stall >/dev/null ;;
	2) vt fault close >/dev/null ;;
	3) vt fault status=429 retry-after=2 >/dev/null ;;
	4) vt fault garbage >/dev/null ;;
	5) vt fault status=500 >/dev/null ;;
	6) kill -USR1 "$milter_pid" ;;
	7) for where in connect negotiate abort body eom; do
		drive "$work/mail.2" -n 20 -x "$where"
	done ;;
	8) vt fault drip=20 >/dev/null ;;
	9) faults store=28 ;;	# ENOSPC
	10) faults store=30 ;;	# EROFS
	11) faults fsync=200 ;;
	12) faults spool=28 ;;
	13) faults spool=12 ;;	# ENOMEM
	14)
		vt fault close >/dev/null
		faults store=5 spool=5 ;;	# EIO
	15) stop_decoders ;;
	esac
}

# The process that starts decoders, which the daemon's only child does for it.
stop_decoders()
{
	local keeper
	keeper=$(tr -d ' ' <"/proc/$milter_pid/task/$milter_pid/children")
	kill -KILL $(cat "/proc/${keeper:-none}/task/$keeper/children") 2>/dev/null
}

# take N ROUND FILE : N lines of FILE, others each time.
take()
{
	awk -v n="$1" -v round="$2" '{ line[NR] = $0 }
		END { for (i = 0; i < n && NR; i++) print line[(round * n + i) % NR + 1] }' "$3"
}

# Nothing is left of the load.
quiet()
{
	vt fault none >/dev/null
	faults
	sleep 4
}

figures()
{
	echo "RSS $(figure VmRSS) kB, HWM $(figure VmHWM), $(figure Threads) threads," \
		"$(ls "/proc/$milter_pid/fd" | wc -l) descriptors"
}

sound()
{
	"$builddir/t/standin/milter-drive" -e -f "$work/clean.eml" "unix:$milter_socket" | grep -q 'X-VT-Tag.*VT_Scanned'
}

ls "$data"/messages/*.eml >"$work/samples"
: >"$work/corpus"
[ -z "${VTM_CORPUS:-}" ] || find "$VTM_CORPUS" -name '*.eml' | sort | while read -r file; do
	head_of "$file" | awk 'length > 60000 { exit 1 }' && echo "$file"
done >"$work/corpus"
mkdir "$work/spool"
mail_text clean-attachment.eml >"$work/clean.eml"
start_fakevt --per-minute 600 --per-day 0 --per-month 0 || bail 'no stand-in'
know_samples
faults
service_env="LD_PRELOAD=$builddir/t/standin/libfaults.so VTM_FAULTS=$work/faults"
start_vtmilter "TempDirectory $work/spool" 'Timeout 1' 'RequestsPerMinute 600' 'RequestsPerDay 0' 'RequestsPerMonth 0' \
	'SenderShare 0%' 'LogLevel error' 'MaxWaiting 20' || bail 'no vtmilter'

start=$(now_ms)
end=$((start + seconds * 1000))
round=0
warm=
while [ "$(now_ms)" -lt "$end" ]; do
	round=$((round + 1))
	fresh "$round"
	trouble "$round"
	for number in 0 1 2 3 4 5; do
		drive "$work/mail.$number" -n 10 -m 20
	done
	{
		take 5 $round "$work/samples"
		take 20 $round "$work/corpus"
	} >"$work/files"
	while read -r file; do
		drive "$file" -n 2 -m 2
	done <"$work/files"
	# After the first fifth, and at least two turns through all troubles or what fits: from here on it is to stay flat.
	if [ -z "$warm" ] && [ $((($(now_ms) - start) * 5)) -ge $((seconds * 1000)) ]; then
		quiet
		warm="$(figure VmRSS) $(figure VmHWM) $(figure Threads) $(ls "/proc/$milter_pid/fd" | wc -l)"
		diag "after $round rounds: RSS, HWM, threads, descriptors: $warm"
	fi
	[ $((round % 50)) != 0 ] || diag "$((($(now_ms) - start) / 1000)) s, round $round: $(figures)"
done
ok 'vtmilter is alive' alive "$milter_pid"
quiet
set -- $warm
diag "$round rounds, $(awk -F'messages=' '{ n += $2 } END { print n + 0 }' "$work/driven") messages;" \
	"at the end: $(figures); $(vt_count requests) requests"
# The memory cache grows with what is asked until its bound; what a message holds may not add up.
between "$(figure VmRSS)" 1 $(($1 + $1 / 4 + 16384)) 'memory is flat'
between "$(figure VmHWM)" 1 $(($2 + $2 / 4 + 32768)) 'at its peak as well'
between "$(figure Threads)" 1 $(($3 + 8)) 'so are threads'
between "$(ls "/proc/$milter_pid/fd" | wc -l)" 1 $(($4 + 8)) 'and descriptors'
is "$(grep -v ' errors=0 ' "$work/driven")" '' 'no session failed'
is "$(grep -v ' rejected=0 tempfailed=0 discarded=0' "$work/driven")" '' 'no message was held back'
ok 'and a message is as ever' wait_for 60 sound
is "$(vt_count violations)" 0 'no request beyond the budget'
done_testing
