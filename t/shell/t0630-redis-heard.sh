#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0630-redis-heard.sh - a host that waits for what another one asks hears when the answer is there, and does not look
# for it time after time; where hearing is forbidden or cut off it looks, and gets the same answer.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
. "$srcdir/t/shell/redis.sh"
need_redis
need_built milter/vtmilter t/standin/fakevt t/standin/milter-drive

links=3

# start_two LINE ... : hosts 1 and 2.
start_two()
{
	for n in 1 2; do
		start_host "$n" "$@" 'RequestsPerMinute 600' 'RequestsPerDay 0' 'RequestsPerMonth 0' 'Timeout 30' \
			'JournalRetention 0' || bail "host $n does not start"
	done
}

# calls COMMAND : how often Redis did it.
calls()
{
	redis main info commandstats | sed -n "s/^cmdstat_$1:calls=\([0-9]*\).*/\1/p"
}

leases()
{
	redis main --raw keys '*}:x*' | wc -l
}

leased()
{
	[ "$(leases)" -ge "$1" ]
}

listeners()
{
	[ "$(redis main client list type pubsub | grep -c sub=1)" = "$1" ]
}

# together NAME [COMMAND ...] : host 1 asks; host 2 wants the same; then the command is run.  The answers come when both
# wait.
together()
{
	local name="$1" asking waiting
	shift
	new_message "$name" "$links"
	vt_delay 2000
	redis main config resetstat >/dev/null
	before=$(vt_count requests)
	send "$name" 1 &
	asking=$!
	wait_for 10 leased "$links"
	send "$name" 2 &
	waiting=$!
	"$@"
	wait "$asking" "$waiting"
	is "$(tags_of "$name" 1) $(tags_of "$name" 2)" 'VT_URL_not_found VT_URL_not_found' "$name: both hosts know the answers"
	is "$(($(vt_count requests) - before))" "$links" "$name: each was asked about once"
}

redis_start main --port "$(free_port)" || bail "no $redis_server"
redis_port=$(redis main --raw config get port | tail -n 1)
start_fakevt --per-minute 0 --per-day 0 --per-month 0 || bail 'no stand-in'
start_two "Store redis+unix:$work/main.sock"
ok 'two hosts listen' wait_for 10 listeners 2
is "$(redis main client list | grep -vc 'cmd=client')" 4 'each has two connections'

together heard true
# host 1 takes and ends the lease of each, host 2 tries it once and ends the look-up
between "$(calls get)" 1 $((5 * links)) 'heard: host 2 did not try again and again'
is "$(calls publish)" $((2 * links)) 'heard: each end is said once a host'

cut()
{
	for try in 1 2 3; do
		redis main client kill type pubsub >/dev/null
		sleep 0.5
	done
}
together cut cut
ok 'cut: both listen again' wait_for 40 listeners 2
stop_host 1
stop_host 2

redis main acl setuser mail on '>secret' '~{vtmilter}:*' resetchannels +@all >/dev/null
start_two "Store redis://mail:secret@127.0.0.1:$redis_port/0"
together forbidden true
for n in 1 2; do
	is "$(log_lines "$n" 'cannot subscribe, .*NOPERM.*\+subscribe, \+publish and &\{vtmilter\}:\*')" 1 \
		"forbidden: host $n says what the user lacks, once"
	is "$(log_lines "$n" secret)" 0 "forbidden: and not the password"
	stop_host "$n"
done

# The user that the manual proposes can do all that is needed, and cannot empty the server.
rights=$(sed -n '/^ACL SETUSER mail/,/^\.Ed/p' "$srcdir/milter/vtmilter.conf.5" | sed '/^\.Ed/d; s/^ACL SETUSER mail on >password//')
redis main acl deluser mail >/dev/null
# shellcheck disable=SC2086
is "$(redis main acl setuser mail on '>secret' $rights)" OK "the manual's user: its rights are understood"
for n in 1 2; do
	start_host "$n" "Store redis://mail:secret@127.0.0.1:$redis_port/0" 'RequestsPerMinute 600' 'RequestsPerDay 0' \
		'RequestsPerMonth 0' 'Timeout 30' || bail "host $n does not start"
done
ok "the manual's user: two hosts listen" wait_for 20 listeners 2
together allowed true
is "$("$builddir/milter/vtmilterctl" -f "$work/host1.conf" --json list | grep -o '"tags"' | wc -l)" 2 \
	"the manual's user: the journal has both messages"
for n in 1 2; do
	is "$(log_lines "$n" NOPERM)" 1 "the manual's user: host $n lacks nothing more"
	stop_host "$n"
done
like "$(redis main --user mail --pass secret flushall 2>&1)" NOPERM "the manual's user: it cannot empty the server"
is "$(vt_count violations)" 0 'no request beyond the limit'
done_testing
