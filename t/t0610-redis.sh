#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0610-redis.sh - three daemons, one Redis, one key: the budget holds and every item is asked once in all, also when
# a daemon and the Redis are killed in the middle.
. "${srcdir:-$(dirname "$0")/..}/t/lib.sh"
need_program redis-server redis-cli
need_built milter/vtmilter t/fakevt t/milter-drive
[ -e "$builddir/t/libtimewarp.so" ] || skip_all 't/libtimewarp.so is not built'

redis_pid=

redis_answers()
{
	redis-cli -s "$work/redis.sock" ping 2>/dev/null | grep -q PONG
}

# Everything that Redis says is done is on the disk.
start_redis()
{
	(cd "$work" && exec redis-server --port 0 --unixsocket "$work/redis.sock" --save '' --appendonly yes \
		--appendfsync always --daemonize no >>"$work/redis.log" 2>&1) &
	redis_pid=$!
	service_pids="$service_pids $redis_pid"
	wait_for 20 redis_answers
}

# host N : what follows is about the Nth daemon.
host()
{
	milter_socket=$work/host$1.sock
	milter_conf=$work/host$1.conf
	milter_log=$work/host$1.log
	eval "milter_pid=\${host$1_pid:-}"
}

# start_host N LINE ...
start_host()
{
	local n="$1"
	shift
	host "$n"
	start_vtmilter "Store redis+unix:$work/redis.sock" "ControlSocket $work/host$n.control" "$@" || return 1
	eval "host${n}_pid=$milter_pid"
}

stop_host()
{
	host "$1"
	stop_pid "$milter_pid" "${2:-TERM}"
}

# A message of its own with COUNT links that nobody else has.
new_message()
{
	{
		printf 'From: a@example.org\nSubject: %s\nMessage-ID: <%s@x>\n\n' "$1" "$1"
		for link in $(seq "$2"); do
			printf 'http://h%s.%s.example.com/page\n' "$link" "$1"
		done
	} >"$work/$1.eml"
}

# send NAME HOST TIMES : by the milter protocol; prints the tags.
send()
{
	"$builddir/t/milter-drive" -m "$3" -e -f "$work/$1.eml" "unix:$work/host$2.sock" >"$work/$1.$2.out" 2>&1
}

tags_of()
{
	grep -o 'VT_[A-Za-z_]*' "$work/$1.$2.out" | sort -u | paste -s -d ' ' -
}

errors()
{
	grep -ho 'errors=[0-9]*' "$work"/"$1"*.out | sort -u | paste -s -d ' ' -
}

start_redis || bail 'no redis-server'
start_fakevt --per-minute 600 --per-day 0 --per-month 0 || bail 'no stand-in'
for n in 1 2 3; do
	start_host "$n" 'RequestsPerMinute 600' 'RequestsPerDay 0' 'RequestsPerMonth 0' 'Timeout 20' 'MaxWaiting 1000' ||
		bail "host $n does not start"
done

# 40 messages of 3 links, each 25 times, over the hosts at the same time: 1000 messages, 120 different links.
for m in $(seq 40); do
	new_message "flood$m" 3
done
driving=
for n in 1 2 3; do
	(for m in $(seq 40); do
		send "flood$m" "$n" 8
	done) &
	driving="$driving $!"
done
for pid in $driving; do
	wait "$pid"
done
send flood40 1 40
is "$(errors flood)" 'errors=0' 'three hosts, 1000 messages: none failed'
is "$(cat "$work"/flood*.out | grep -c 'VT_Pending')" 0 'and none left without its answers, whichever host asked'
is "$(vt_count violations)" 0 'no request beyond the limit'
is "$(vt_count requests)" 120 'each link was asked about once'
new_message once 5
send once 1 1
before=$(vt_count requests)
send once 2 1
send once 3 1
is "$(tags_of once 2) $(tags_of once 3)" 'VT_URL_not_found VT_URL_not_found' 'what one host learned the others know at once'
is "$(vt_count requests)" "$before" 'without another request'
for n in 1 2 3; do
	stop_host "$n"
done
stop_pid "$vt_pid"
redis-cli -s "$work/redis.sock" flushall >/dev/null

# Four a minute, by a clock that this test moves.
warp_clock || bail 'no time warp'
start_fakevt --per-minute 4 || bail 'no stand-in'
vt_delay 300
for n in 1 2 3; do
	start_host "$n" 'RequestsPerMinute 4' 'Timeout 1' || bail "host $n does not start"
done
for m in $(seq 6); do
	new_message "slow$m" 2
	for n in 1 2 3; do
		send "slow$m" "$n" 1
	done
done
ok 'four requests are sent' wait_for 20 vt_counted requests 4
sleep 2
is "$(vt_count requests)" 4 'and no more, by three hosts'
is "$(vt_count violations)" 0 'no violation'

# One host dies, then the Redis.
stop_host 1 KILL
warp_by 65
ok 'the others go on' wait_for 20 vt_counted requests 5
stop_pid "$redis_pid" KILL
new_message down 2
send down 2 1
is "$(errors down)" 'errors=0' 'without the Redis mail flows'
like "$(tags_of down 2)" 'VT_Bypassed' 'and is tagged as not asked'
start_redis || bail 'the Redis does not start again'
start_host 1 'RequestsPerMinute 4' 'Timeout 1' || bail 'host 1 does not start again'
vt_delay 0	# a clock that jumps looks like an answer that never comes
for minute in $(seq 40); do
	warp_by 30
	sleep 0.4
	[ "$(vt_count requests)" -ge 12 ] && [ "$minute" -ge 12 ] && break
	sleep 0.8
done
is "$(vt_count violations)" 0 'no violation after all that'
# the four of the minute in which the Redis died may have been answered in vain
between "$(vt_count requests)" 12 16 'each of 12 links was asked about, once but for what was in flight at the kill'
send slow1 1 1
like "$(tags_of slow1 1)" 'VT_URL_not_found' 'the host that died finds the answers'
done_testing
