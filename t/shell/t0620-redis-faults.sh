#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0620-redis-faults.sh - a Redis that is slow, gone, read-only, full, flushed, failing over or talks nonsense: mail
# goes on in time with what is in memory, nothing is asked without budget, the log has one line a change, and all mends
# itself.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
. "$srcdir/t/shell/redis.sh"
need_redis
need_built milter/vtmilter milter/vtmilterctl t/standin/fakevt t/standin/milter-drive
[ -e "$builddir/t/standin/libtimewarp.so" ] || skip_all 't/standin/libtimewarp.so is not built'

timeout=2
in_time=$((timeout * 1000 + 5000))	# the deadline, the look into the store, and a busy machine

asks()
{
	send "$1" 1 && tags_of "$1" 1 | grep -q 'VT_URL_not_found'
}

# What the log says last of the store.
store_is()
{
	grep 'store: ' "$work/host1.log" | tail -n 1 | grep -q "$1"
}

# It says bad and good in turn, never the same twice.
alternates()
{
	grep 'store: ' "$work/host1.log" |
		awk '{ good = /works again, after/ } NR > 1 && good == before { exit 1 } { before = good }'
}

# A minute later; where the budget was lost it is known after two of them.
asks_later()
{
	warp_by 61
	asks "$1"
}

good_later()
{
	warp_by 61
	store_is 'works again, after'
}

journalled()
{
	"$builddir/milter/vtmilterctl" -f "$milter_conf" --json list | grep -qF "$1"
}

# broken NAME : while a fault lasts.
broken()
{
	local before
	before=$(vt_count requests)
	for m in 1 2 3; do
		new_message "$1$m" 2
		send "$1$m" 1
	done
	send known 1
	is "$(errors "$1") $(errors known)" 'errors=0 errors=0' "$1: mail flows"
	for m in 1 2 3; do
		between "$(took "$1$m" 1)" 0 "$in_time" "$1: in time"
	done
	like "$(tags_of "$1"1 1)" 'VT_Bypassed' "$1: tagged as not asked"
	unlike "$(tags_of "$1"1 1)$(tags_of "$1"2 1)$(tags_of "$1"3 1)" 'VT_Scanned|not_found' "$1: and as nothing else"
	is "$(tags_of known 1)" 'VT_URL_not_found' "$1: what is in memory is answered"
	is "$(vt_count requests)" "$before" "$1: nothing is asked"
	ok "$1: the log says it" wait_for 10 store_is 'no request is sent'
	ok "$1: once" alternates
}

# mends NAME : after it.
mends()
{
	new_message "after$1" 1
	ok "$1: recovers by itself" wait_for 30 asks_later "after$1"
	ok "$1: the log says so" wait_for 20 good_later
	ok "$1: once" alternates
	ok "$1: what came meanwhile is in the journal" wait_for 10 journalled "<$1"1@x
	warp_by 601	# the log forgets that it failed
}

redis_start main || bail "no $redis_server"
warp_clock || bail 'no time warp'
start_fakevt --per-minute 600 --per-day 0 --per-month 0 || bail 'no stand-in'
start_host 1 "Store redis+unix:$work/main.sock" 'RequestsPerMinute 600' 'RequestsPerDay 0' 'RequestsPerMonth 0' \
	"Timeout $timeout" 'CacheTTLUnknown 7d' || bail 'the daemon does not start'
new_message known 1
send known 1
is "$(tags_of known 1)" 'VT_URL_not_found' 'a link is asked about'

# Another host knows it from the Redis, by one round trip for all links of a message, and by none from then on.
new_message many 10
send many 1
start_host 2 "Store redis+unix:$work/main.sock" 'RequestsPerMinute 600' 'RequestsPerDay 0' 'RequestsPerMonth 0' \
	'JournalRetention 0' "Timeout $timeout" || bail 'the second daemon does not start'
new_message first 1
send first 2
redis main config resetstat >/dev/null
send many 2
calls()
{
	redis main info commandstats | tr -d '\r' |
		sed -n '/cmdstat_\(info\|config|resetstat\):/d; s/^cmdstat_\([^:]*\):calls=\([0-9]*\).*/\1 \2/p'
}
is "$(tags_of many 2)" 'VT_URL_not_found' 'another host knows the 10 links'
is "$(calls)" 'mget 1' 'by one round trip'
send many 2 5
is "$(calls)" 'mget 1' 'and from its memory from then on'
stop_host 2
host 1

kill -STOP "$main_pid"
broken frozen
kill -CONT "$main_pid"
mends frozen

redis main config set min-replicas-to-write 1 >/dev/null
broken readonly
redis main config set min-replicas-to-write 0 >/dev/null
mends readonly

redis main config set maxmemory 1 >/dev/null
broken full
redis main config set maxmemory 0 >/dev/null
mends full

stop_pid "$main_pid" KILL
broken gone
redis_start main || bail 'the Redis does not start again'
mends gone

redis main replicaof 127.0.0.1 1 >/dev/null
broken replica
redis main replicaof no one >/dev/null
mends replica

# Whatever it is asked, it says the same.
stop_pid "$main_pid" KILL
rm -f "$work/main.sock"
perl -MIO::Socket::UNIX -e '$SIG{PIPE} = "IGNORE";
	my $s = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 5) or die "$!\n";
	while (my $c = $s->accept) { sysread($c, my $x, 65536); print $c ":1\r\n" x 6, "HTTP/1.1 400 Bad\r\n\r\n"; close $c }
	' "$work/main.sock" >"$work/liar.log" 2>&1 &
liar_pid=$!
service_pids="$service_pids $liar_pid"
wait_for 10 socket_open "$work/main.sock"
broken nonsense
stop_pid "$liar_pid" KILL
redis_start main || bail 'the Redis does not start again'
mends nonsense

# Flushed: VirusTotal's own count is needed, and cannot be read at first.
before=$(vt_count requests)
vt fault path=/users status=500 >/dev/null
redis main flushall >/dev/null
for m in 1 2 3; do
	new_message "flushed$m" 1
	send "flushed$m" 1
	warp_by 61
done
known=$(log_lines 1 'budget: the used requests are known again')
is "$(errors flushed)" 'errors=0' 'flushed: mail flows'
is "$(vt_count requests)" "$before" 'flushed: nothing is asked without the count'
vt fault none >/dev/null
found()
{
	warp_by 61
	[ "$(log_lines 1 'budget: the used requests are known again')" = "$1" ]
}
ok 'flushed: recovers when the count can be read' wait_for 20 found "$((known + 1))"
is "$(log_lines 1 'budget: the store does not know')" "$((known + 1))" 'flushed: the log says both, once'
ok 'flushed: what was queued before' wait_for 20 asks flushed1
is "$(vt_count violations)" 0 'no request beyond the limit'
stop_host 1

# One that may throw out the budget works, and is warned of.
redis main config set maxmemory 1gb >/dev/null
redis main config set maxmemory-policy allkeys-lru >/dev/null
start_host 2 "Store redis+unix:$work/main.sock" || bail 'the second daemon does not start again'
ok 'evicting: the log warns' wait_for 20 grep -q 'store: .*maxmemory-policy' "$milter_log"
"$builddir/milter/vtmilterctl" -f "$milter_conf" doctor >"$work/doctor.out" 2>&1
like "$(cat "$work/doctor.out")" 'problem +store +.*maxmemory-policy' 'evicting: doctor calls it a problem'
stop_host 2
is "$(log_lines 2 'maxmemory-policy')" 1 'evicting: the log has it once'
is "$(grep -c 'VT_Scanned' "$work"/*.out | grep -vc ':0$')" 0 'nothing was called scanned'
done_testing
