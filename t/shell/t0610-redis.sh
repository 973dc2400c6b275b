#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0610-redis.sh - three daemons, one Redis, one key: the budget holds and every item is asked once in all, also when
# a daemon and the Redis are killed in the middle; by TLS and with a Sentinel too.
#
# VTM_LONG=1: 1000 messages in each of those, at 600 and at 4 requests a minute, with and without the kills.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
. "$srcdir/t/shell/redis.sh"
need_redis
need_program openssl
need_built milter/vtmilter t/standin/fakevt t/standin/milter-drive
[ -e "$builddir/t/standin/libtimewarp.so" ] || skip_all 't/standin/libtimewarp.so is not built'

in_flight=32	# requests of a host at a time: settings.c

# ---- set-ups: each sets $store to lines of the configuration; break_redis kills the Redis and mends it ---------------

redis_pids=

plain_setup()
{
	redis_start plain || bail "no $redis_server"
	redis_pids=$plain_pid
	redis_now=plain
	store="Store redis+unix:$work/plain.sock"
}

plain_break()
{
	stop_pid "$plain_pid" KILL
	sleep "$1"
	plain_setup
}

tls_certificates()
{
	(cd "$work" && printf 'subjectAltName=DNS:localhost\n' >ext &&
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=CA \
			-keyout ca.key -out ca.pem &&
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x -keyout s.key -out s.csr &&
		openssl x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out s.pem &&
		chmod 600 s.key) >/dev/null 2>&1
}

tls_setup()
{
	[ -n "${tls_port:-}" ] || { tls_port=$(free_port) && tls_certificates || bail 'no certificates'; }
	redis_start tls --tls-port "$tls_port" --tls-cert-file "$work/s.pem" --tls-key-file "$work/s.key" \
		--tls-ca-cert-file "$work/ca.pem" || bail "no $redis_server with TLS"
	redis_pids=$tls_pid
	redis_now=tls
	store="Store rediss://localhost:$tls_port/0
StoreCAFile $work/ca.pem
StoreCertFile $work/s.pem
StoreKeyFile $work/s.key"
}

tls_break()
{
	stop_pid "$tls_pid" KILL
	sleep "$1"
	tls_setup
}

sentinel_knows()
{
	redis sentinel sentinel get-master-addr-by-name mail | grep -qx "$1"
}

sentinel_sees()
{
	redis sentinel sentinel replicas mail | grep -qx "$1"
}

sentinel_setup()
{
	first_port=$(free_port)
	redis_start first --port "$first_port" --repl-diskless-sync-delay 0 || bail "no $redis_server"
	second_port=$(free_port)
	redis_start second --port "$second_port" --replicaof 127.0.0.1 "$first_port" || bail 'no replica'
	wait_for 20 redis_says second master_link_status:up info replication || bail 'the replica does not follow'
	sentinel_port=$(free_port)
	printf 'sentinel monitor mail 127.0.0.1 %s 1\nsentinel down-after-milliseconds mail 500\n%s\n' "$first_port" \
		'sentinel failover-timeout mail 3000' >"$work/sentinel.conf"
	$redis_server "$work/sentinel.conf" --sentinel --port "$sentinel_port" --bind 127.0.0.1 \
		--unixsocket "$work/sentinel.sock" --dir "$work" >"$work/sentinel.log" 2>&1 &
	service_pids="$service_pids $!"
	redis_pids="$! $first_pid $second_pid"
	wait_for 20 sentinel_knows "$first_port" || bail 'no Sentinel'
	wait_for 20 sentinel_sees "$second_port" || bail 'the Sentinel sees no replica'
	store="Store redis-sentinel://127.0.0.1:$sentinel_port/mail"
}

# The old master comes back as a replica.
sentinel_break()
{
	stop_pid "$first_pid" KILL
	wait_for 30 sentinel_knows "$second_port" || bail 'no failover'
	redis_start first --port "$first_port" || bail 'the old master does not come back'
	redis_pids="$redis_pids $first_pid"
	redis_now=second
}

# ---- mail ------------------------------------------------------------------------------------------------------------

# three_hosts LINE ... : on $store; host N alone if $only is N.
three_hosts()
{
	for n in ${only:-1 2 3}; do
		printf '%s\n' "$store" "$@" >"$work/lines"
		start_host "$n" "$(cat "$work/lines")" || bail "host $n does not start"
	done
}

stop_all()
{
	for n in 1 2 3; do
		stop_host "$n"
	done
	stop_pid "$vt_pid"
	service_env=
	for n in $redis_pids; do
		stop_pid "$n" KILL
	done
	redis_pids=
	rm -rf "$work/plain" "$work/tls" "$work/first" "$work/second"
}

# drive NAME COUNT TIMES : each of the messages as often by each host, at the same time.
drive()
{
	driving=
	for n in 1 2 3; do
		(for m in $(seq "$2"); do
			send "$1$m" "$n" "$3"
		done) &
		driving="$driving $!"
	done
}

driven()
{
	for pid in $driving; do
		wait "$pid"
	done
}

make_messages()
{
	for m in $(seq "$2"); do
		new_message "$1$m" "$3"
	done
}

# flood SETUP PER-MINUTE MESSAGES LINKS TIMES : all are answered in time.
flood()
{
	local name="$1$2"
	"$1_setup"
	start_fakevt --per-minute "$2" --per-day 0 --per-month 0 || bail 'no stand-in'
	three_hosts "RequestsPerMinute $2" 'RequestsPerDay 0' 'RequestsPerMonth 0' 'Timeout 20' 'MaxWaiting 1000'
	make_messages "$name" "$3" "$4"
	drive "$name" "$3" "$5"
	driven
	is "$(errors "$name")" 'errors=0' "$1: three hosts, $(($3 * $5 * 3)) messages: none failed"
	is "$(cat "$work/$name"*.out | grep -c 'VT_Pending')" 0 'none left without its answers, whichever host asked'
	is "$(vt_count violations)" 0 'no request beyond the limit'
	is "$(vt_count requests)" "$(($3 * $4))" 'each link was asked about once'
	new_message "once$1" 5
	send "once$1" 1
	before=$(vt_count requests)
	send "once$1" 2
	send "once$1" 3
	is "$(tags_of "once$1" 2) $(tags_of "once$1" 3)" 'VT_URL_not_found VT_URL_not_found' \
		'what one host learned the others know at once'
	is "$(vt_count requests)" "$before" 'without another request'
	stop_all
}

# A host that was killed leaves leases; their time is the Redis' and not warped.
leases_end()
{
	redis "$1" eval "for _, k in ipairs(redis.call('KEYS', '{vtmilter}:x*')) do redis.call('DEL', k) end" 0 >/dev/null
}

# all_answered NAME MESSAGES HOST : some time passes; does the host know everything?  What came while there was no Redis
# was not queued, so it comes again.
all_answered()
{
	local m
	warp_by 61
	sleep 0.5
	leases_end "$redis_now"
	for m in $(seq "$2"); do
		send "$1$m" "$3"
		is_whole "$1$m" "$3" || return 1
	done
}

is_whole()
{
	! tags_of "$1" "$2" | grep -q 'VT_Pending\|VT_Bypassed'
}

# killed SETUP PER-MINUTE MESSAGES LINKS TIMES : host 1 and the Redis die in the middle.
killed()
{
	local links="$(($3 * $4))" most name="kill$1$2" m
	"$1_setup"
	warp_clock || bail 'no time warp'
	start_fakevt --per-minute "$2" --per-day 0 --per-month 0 || bail 'no stand-in'
	vt_delay 100
	set -- "$1" "$2" "$3" "$4" "$5" "RequestsPerMinute $2" 'RequestsPerDay 0' 'RequestsPerMonth 0' 'Timeout 1'
	three_hosts "$6" "$7" "$8" "$9"
	make_messages "$name" "$3" "$4"
	drive "$name" "$3" "$5"
	wait_for 20 vt_counted requests $((links / 4 < 4 ? links / 4 : 4))
	stop_host 1 KILL
	"$1_break" 1
	only=1 three_hosts "$6" "$7" "$8" "$9"
	driven
	is "$(grep -ho 'errors=[0-9]*' "$work/$name"*.2.out "$work/$name"*.3.out | sort -u)" 'errors=0' \
		"$1, $2 a minute, host and Redis killed: of $(($3 * $5 * 2)) messages by the other hosts none failed"
	vt_delay 0	# a clock that jumps looks like an answer that never comes
	ok 'all links are asked about' wait_for 10 all_answered "$name" "$3" 2
	# what a replica had not got when its master died is asked about again, once
	for n in 1 3; do
		ok "host $n learns the answers too" wait_for 10 all_answered "$name" "$3" "$n"
	done
	most=$((links + ($2 < 3 * in_flight ? $2 : 3 * in_flight)))
	between "$(vt_count requests)" "$links" "$most" 'each link once, but for what was in flight at the kill'
	is "$(vt_count violations)" 0 'no request beyond the limit'
	before=$(vt_count requests)
	for m in $(seq "$3"); do
		for n in 1 2 3; do
			send "$name$m" "$n"
		done
	done
	is "$(cat "$work/$name"*.out | grep -c 'VT_Pending\|VT_Bypassed')" 0 'every host knows all answers'
	is "$(vt_count requests)" "$before" 'without another request'
	stop_all
}

if [ -n "${VTM_LONG:-}" ]; then
	flood plain 600 40 3 9
	flood tls 600 40 3 9
	flood sentinel 600 40 3 9
	killed plain 600 40 3 9
	killed tls 600 40 3 9
	killed sentinel 600 40 3 9
	killed plain 4 40 2 9
	killed tls 4 40 2 9
	killed sentinel 4 40 2 9
else
	flood plain 600 20 3 5
	killed plain 4 4 3 2
	killed tls 600 5 3 2
	killed sentinel 600 5 3 2
fi
done_testing
