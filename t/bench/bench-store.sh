#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# bench-store.sh - what the stores cost: bytes and microseconds of each kind of entry, SQLite and Redis; how long the
# daemon takes to start on a full one.  VTM_VERDICTS: how many (100000).
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
. "$srcdir/t/shell/redis.sh"
need_built t/bench/bench-store milter/vtmilter t/standin/fakevt
many=${VTM_VERDICTS:-100000}

# What the file of a SQLite store takes, all written.
file_size()
{
	stat -c %s "$1" "$1-wal" 2>/dev/null | awk '{ n += $1 } END { printf "%d\n", n }'
}

memory_used()
{
	redis main info memory | tr -d '\r' | sed -n 's/^used_memory://p'
}

# started_in STORE : milliseconds until the daemon's socket is open.
started_in()
{
	local start
	: >"$milter_log"
	start=$(now_ms)
	start_vtmilter "Store $1" >/dev/null || bail 'the daemon does not start'
	echo "daemon started in $(($(now_ms) - start)) ms"
	stop_vtmilter
}

start_fakevt || bail 'no stand-in'
echo "---- SQLite, $many verdicts"
"$builddir/t/bench/bench-store" "sqlite:$work/bench.db" "$many"
started_in "sqlite:$work/bench.db"
"$builddir/t/bench/bench-store" "sqlite:$work/few.db" 1 >/dev/null
echo "$(($(file_size "$work/bench.db") - $(file_size "$work/few.db"))) $many" |
	awk '{ printf "%d bytes a verdict\n", $1 / $2 }'

echo '---- SQLite, history of 200,000 records of each kind'
"$builddir/t/bench/bench-store" --history "sqlite:$work/history.db" 200000
started_in "sqlite:$work/history.db"
sqlite_bytes=$(file_size "$work/history.db")
echo "$sqlite_bytes" | awk '{ printf "%.1f MB of file\n", $1 / 1e6 }'

[ -n "$redis_flavour" ] || { echo 'neither redis-server nor valkey-server'; exit 0; }
redis_start main --appendonly no || bail "no $redis_server"
echo "---- Redis by a socket, $many verdicts"
empty=$(memory_used)
"$builddir/t/bench/bench-store" "redis+unix:$work/main.sock" "$many"
full=$(memory_used)
started_in "redis+unix:$work/main.sock"
redis main flushall >/dev/null
"$builddir/t/bench/bench-store" "redis+unix:$work/main.sock" 1 >/dev/null
echo "$((full - $(memory_used))) $many $(($(memory_used) - empty))" |
	awk '{ printf "%d bytes a verdict, %d a journalled message of 3 items\n", $1 / $2, $3 / 1000 }'
