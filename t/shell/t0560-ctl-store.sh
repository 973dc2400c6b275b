#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0560-ctl-store.sh - vtmilterctl store copy: from SQLite to another file, and to Redis and back where there is one.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
. "$srcdir/t/shell/redis.sh"
need_built milter/vtmilterctl milter/vtmilter t/standin/fakevt t/standin/milter-drive

ctl()
{
	"$builddir/milter/vtmilterctl" -f "$milter_conf" "$@"
}

journalled()
{
	ctl list --json | grep -q '"message_id":"<bad-attachment@samples.vtmilter>"'
}

start_fakevt --per-minute 0 || bail 'no stand-in'
know_samples
start_vtmilter 'RequestsPerMinute 0' || bail 'no milter'
mail_text bad-attachment.eml >"$work/bad.eml"
"$builddir/t/standin/milter-drive" -t 15000 -f "$work/bad.eml" "unix:$milter_socket" >/dev/null
ok 'a message is in the journal' wait_for 10 journalled
stop_vtmilter

# copy FROM TO : what it printed is in $copied, how it ended in $?.
copy()
{
	copied=$(ctl --json store copy "$1" "$2" 2>"$work/err")
}

old=sqlite:$work/vtmilter.db
new=sqlite:$work/other.db
ok 'to another file' copy "$old" "$new"
is "$copied" '{"verdicts":1,"queued":0,"messages":1,"history":0,"late":0}' 'everything is counted'
sed "s|^Store .*|Store $new|" "$milter_conf" >"$work/moved.conf"
like "$("$builddir/milter/vtmilterctl" -f "$work/moved.conf" list --json)" 'bad-attachment@samples' \
	'the journal is in the new store'
is "$("$builddir/milter/vtmilterctl" -f "$work/moved.conf" quota --json | grep -o '"day_used":[0-9]*' | head -n 1)" \
	"$(ctl quota --json | grep -o '"day_used":[0-9]*' | head -n 1)" 'and what was spent'
copy "$old" "$new"
ok 'a store with a journal is not copied into' [ $? != 0 ]
copy "$old" "$old"
is $? 64 'nor a store into itself'
copy "sqlite:$work/nowhere/x.db" "$new"
is $? 69 'one that cannot be opened'
copy mysql:x "$new"
ok 'one of no known form' [ $? != 0 ]
ctl store >/dev/null 2>&1
is $? 64 'without arguments'

if [ -n "$redis_flavour" ]; then
	$redis_server --port 0 --unixsocket "$work/redis.sock" --save '' --dir "$work" >/dev/null 2>&1 &
	service_pids="$service_pids $!"
	wait_for 10 socket_open "$work/redis.sock"
	ok 'to Redis' copy "$old" "redis+unix:$work/redis.sock"
	is "$copied" '{"verdicts":1,"queued":0,"messages":1,"history":0,"late":0}' 'everything is counted'
	ok 'and back' copy "redis+unix:$work/redis.sock" "sqlite:$work/back.db"
	is "$copied" '{"verdicts":1,"queued":0,"messages":1,"history":0,"late":0}' 'nothing is lost'
else
	skip 'neither redis-server nor valkey-server is installed' 'to Redis and back'
fi
done_testing
