# SPDX-License-Identifier: BSD-2-Clause
# redis.sh - for shell tests with several daemons on one Redis; sourced after t/shell/lib.sh.

# Redis or Valkey, whichever is installed; VTM_VALKEY=1 prefers Valkey.  Empty: neither.
redis_flavour()
{
	local flavour
	for flavour in ${VTM_VALKEY:+valkey} redis valkey; do
		command -v "$flavour-server" >/dev/null && command -v "$flavour-cli" >/dev/null || continue
		echo "$flavour"
		return
	done
}
redis_flavour=$(redis_flavour)
redis_server=${redis_flavour:+$redis_flavour-server}
redis_cli=${redis_flavour:+$redis_flavour-cli}

need_redis()
{
	[ -n "$redis_flavour" ] || skip_all 'neither redis-server nor valkey-server is installed'
}

# redis_start NAME [OPTION ...] : a private server; what it says is done outlives the process (not the machine: a
# busy disk would hold it up).  Its socket is $work/NAME.sock, its process in $NAME_pid.
redis_start()
{
	local name="$1"
	shift
	mkdir -p "$work/$name"
	(cd "$work/$name" && exec $redis_server --port 0 --bind 127.0.0.1 --unixsocket "$work/$name.sock" --save '' \
		--appendonly yes --appendfsync no --daemonize no "$@" >>"$work/$name.log" 2>&1) &
	eval "${name}_pid=$!"
	service_pids="$service_pids $!"
	wait_for 20 redis_says "$name" PONG ping
}

# redis NAME COMMAND ...
redis()
{
	local name="$1"
	shift
	$redis_cli -s "$work/$name.sock" "$@" 2>/dev/null
}

# redis_says NAME WORD COMMAND ...
redis_says()
{
	local name="$1" word="$2"
	shift 2
	redis "$name" "$@" | grep -q "$word"
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
	start_vtmilter "ControlSocket $work/host$n.control" "$@" || return 1
	eval "host${n}_pid=$milter_pid"
}

# stop_host N [SIGNAL]
stop_host()
{
	host "$1"
	stop_pid "$milter_pid" "${2:-TERM}"
}

# new_message NAME COUNT : with COUNT links that nobody else has.
new_message()
{
	{
		printf 'From: a@example.org\nSubject: %s\nMessage-ID: <%s@x>\n\n' "$1" "$1"
		for link in $(seq "$2"); do
			printf 'http://h%s.%s.example.com/page\n' "$link" "$1"
		done
	} >"$work/$1.eml"
}

# send NAME HOST [TIMES] : by the milter protocol.
send()
{
	"$builddir/t/standin/milter-drive" -m "${3:-1}" -e -f "$work/$1.eml" "unix:$work/host$2.sock" >"$work/$1.$2.out" 2>&1
}

tags_of()
{
	grep -o 'VT_[A-Za-z_]*' "$work/$1.$2.out" | sort -u | paste -s -d ' ' -
}

# errors NAME : of all messages whose name begins so.
errors()
{
	grep -ho 'errors=[0-9]*' "$work"/"$1"*.out | sort -u | paste -s -d ' ' -
}

# took NAME HOST : milliseconds that the slowest end of message took.
took()
{
	sed -n 's/.* eom_max_ms=\([0-9]*\).*/\1/p' "$work/$1.$2.out"
}

# log_lines N REGEX : of the Nth daemon.
log_lines()
{
	grep -cE -e "$2" "$work/host$1.log"
}
