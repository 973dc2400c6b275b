#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0521-ctl-corpus.sh - vtmilterctl scan over many messages: days of budget, each goes on where the last stopped
#
# VTM_CORPUS=DIR takes the messages there instead of 200 of our own making.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilterctl t/standin/fakevt t/standin/libtimewarp.so

# scan ARGUMENT ... : what it printed is appended to $work/out; its words are in $work/err.
scan()
{
	env $service_env "$builddir/milter/vtmilterctl" -f "$milter_conf" --json scan "$@" >>"$work/out" 2>"$work/err"
}

# A message each with a link of its own; one has thirty, of which MaxLookupsPerMessage lets ten be asked.
make_corpus()
{
	mkdir "$1"
	perl -e 'for my $n (100 .. 299) {
		open(my $m, ">", "$ARGV[0]/$n it'\''s \\mail.eml") or die "$!\n";
		print $m "Message-ID: <$n\@corpus.example.org>\nSubject: x\n\n";
		print $m map { "http://$n-$_.example.org/\n" } 1 .. ($n == 170 ? 30 : 1);
	}' "$1"
}

corpus=${VTM_CORPUS:-}
per_day=${VTM_CORPUS:+500}
per_day=${per_day:-75}
if [ -z "$corpus" ]; then
	corpus=$work/corpus
	make_corpus "$corpus"
fi
warp_clock || bail 'no time warp'
start_fakevt --per-minute 0 --per-day "$per_day" --per-month 0 || bail 'no stand-in'
write_conf 'RequestsPerMinute 0' "RequestsPerDay $per_day" 'RequestsPerMonth 0' 'ReserveForManual 5' \
	'ReserveForAttachments 0%' 'CacheTTLUnknown 300d' 'CacheTTLClean 300d' 'CacheTTLBad 300d'
messages=$("$builddir/milter/vtmilterctl" -f "$milter_conf" --json scan --from none "$corpus" 2>&1 | wc -l)
is "$messages" 2 'a place that is not there is an error before anything is asked'

days=1
from=
: >"$work/out"
: >"$work/stops"
while :; do
	if [ -n "$from" ]; then
		eval "scan --from $from" '"$corpus"'
	else
		scan "$corpus"
	fi
	status=$?
	[ $status = 75 ] && [ $days -lt 100 ] || break
	sed -n 's/.*\(try again after .*\); go on.*/\1/p' "$work/err" >>"$work/stops"
	from=$(sed -n 's/.*; continue with --from //p' "$work/err")
	days=$((days + 1))
	warp_by 86400
done
diag "$(wc -l <"$work/out") messages, $(vt_count requests) requests, $days days"
is $status 0 'it comes to its end'
is "$(grep -vc '00:00:00Z$' "$work/stops")" 0 'each stop says when there will be more: at midnight UTC'
is "$(vt_count violations)" 0 'no request is beyond the budget'
perl -MJSON::PP -ne '$_ = decode_json($_); print "$_->{file}#", $_->{number} // "", "\n"' "$work/out" | sort >"$work/all"
is "$(uniq -d "$work/all")" '' 'no message is told twice'
if [ -z "${VTM_CORPUS:-}" ]; then
	is "$(wc -l <"$work/all")" 200 'and none is left out'
	is "$days $(vt_count requests)" '3 209' 'each link was asked about once, ten of the message that has thirty'
fi
before=$(vt_count all)
free=$(vt_count free)
scan "$corpus"
is $? 0 'all of it again'
is "$(($(vt_count all) - before))" "$(($(vt_count free) - free))" 'asks nothing, however many links were left out'
done_testing
