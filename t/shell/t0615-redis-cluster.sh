#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0615-redis-cluster.sh - a Redis Cluster of three nodes: the node that has the slot of StorePrefix is a store, and the
# others say which one that is.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
. "$srcdir/t/shell/redis.sh"
need_redis
need_built milter/vtmilter milter/vtmilterctl t/standin/fakevt t/standin/milter-drive

# Nodes talk to each other on a port that lies 10000 above.
node_port()
{
	local port

	port=$(free_port)
	while [ "$port" -gt 55535 ]; do
		port=$(free_port)
	done
	echo "$port"
}

ports=
addresses=
for n in 1 2 3; do
	port=$(node_port)
	redis_start "node$n" --port "$port" --cluster-enabled yes || skip_all "$redis_server makes no Cluster here"
	ports="$ports $port"
	addresses="$addresses 127.0.0.1:$port"
done
# shellcheck disable=SC2086 # a list
$redis_cli --cluster create $addresses --cluster-yes >"$work/create.out" 2>&1 ||
	skip_all "no Cluster: $(tail -n 1 "$work/create.out")"
ok 'the Cluster stands' wait_for 30 redis_says node1 cluster_state:ok cluster info

# Who has the slot of the keys?
slot=$(redis node1 cluster keyslot '{vtmilter}:b')
right=$(redis node1 cluster nodes | awk -v slot="$slot" '{
	for (i = 9; i <= NF; i++) {
		split($i, range, "-")
		if (slot >= range[1] + 0 && slot <= range[2] + 0) { split($2, at, /[:@]/); print at[2] }
	}
}')
wrong=$(printf '%s\n' $ports | grep -vx "$right" | head -n 1)

start_fakevt --per-minute 0 || bail 'no stand-in'
know_samples
mail_text bad-attachment.eml >"$work/bad.eml"

start_vtmilter "Store redis://127.0.0.1:$right/0" 'RequestsPerMinute 0' || bail 'no milter'
"$builddir/t/standin/milter-drive" -e -f "$work/bad.eml" "unix:$milter_socket" >"$work/bad.out" 2>&1
like "$(cat "$work/bad.out")" VT_Bad 'the node that has the slot: a verdict'
like "$("$builddir/milter/vtmilterctl" -f "$milter_conf" list)" 'VT_Bad' 'and a journal'
stop_vtmilter

sed -i "s|^Store .*|Store redis://127.0.0.1:$wrong/0|" "$milter_conf"
"$builddir/milter/vtmilterctl" -f "$milter_conf" list >"$work/out" 2>&1
is $? 69 'another node: no store'
like "$(cat "$work/out")" "MOVED $slot 127.0.0.1:$right.*name in Store the node told here" 'it says which one is'
done_testing
