#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0200-daemon-start.sh - options, start, sockets, PID file, privileges, and how the daemon ends.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilter t/standin/fakevt t/standin/milter-drive
daemon=$builddir/milter/vtmilter

mode_of()
{
	stat -c %a "$1"
}

drive()
{
	"$builddir/t/standin/milter-drive" -t 15000 "$@" "unix:$milter_socket"
}

start_fakevt --per-minute 0 || bail 'no stand-in'
mkdir "$work/run"
chmod 755 "$work/run"
milter_socket=$work/run/milter.sock

# ---- options
exits 0 '--version' "$daemon" --version
exits 0 '--help' "$daemon" --help
exits 64 'an unknown option' "$daemon" --no-such-option
exits 64 'an argument too many' "$daemon" now
exits 78 'a configuration that is not there' "$daemon" -F -f "$work/none.conf"

# ---- what keeps it from starting
# fails STATUS NAME REGEX LINE ... : does not start with these lines, and says why.
fails()
{
	local status="$1" name="$2" regex="$3"
	shift 3
	write_conf "$@"
	exits "$status" "$name" timeout 10 "$daemon" -f "$milter_conf"
	like "$(cat "$work/said")" "$regex" "... and it says so"
}
control="ControlSocket $work/run/control.sock"
fails 69 'no directory for the socket' 'create it' "Socket local:$work/nowhere/s" "$control"
: >"$work/run/file"
fails 69 'a file in the place of the socket' 'not a socket' "Socket local:$work/run/file" "$control"
ok '... which is still there' test -f "$work/run/file"
fails 73 'a PID file that cannot be' 'PidFile' "PidFile $work/nowhere/pid" "$control"
fails 78 'no such user' 'no user' 'User no-such-user' "$control"
fails 78 'no such group' 'no group' 'SocketGroup no-such-group' "$control"
if [ "$(id -u)" = 0 ] && id nobody >/dev/null 2>&1 && command -v setpriv >/dev/null; then
	# As a service manager starts it: for a user who may not give the socket to that group.
	install -d -o nobody -m 755 "$work/theirs"
	chown nobody "$work/api-key"
	chmod 755 "$work"
	own_socket=$work/theirs/s
	write_conf "Socket local:$own_socket" "ControlSocket $work/theirs/c" 'SocketGroup root' 'Store sqlite:/nowhere/db'
	exits 69 'a group that the user is not in' timeout 10 \
		setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups "$daemon" -f "$milter_conf"
	like "$(cat "$work/said")" 'cannot be given to group root' '... and it says so'
	ok '... and leaves no socket' not test -e "$own_socket"
	for owner in nobody root; do
		perl -MIO::Socket::UNIX -e 'umask 0777; IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or die' "$own_socket"
		chown "$owner" "$own_socket"
		is "$(stat -c '%U %a' "$own_socket")" "$owner 0" 'a start that failed left a socket without a mode'
		write_conf "Socket local:$own_socket" "ControlSocket $work/theirs/c"
		setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups "$daemon" -F -f "$milter_conf" >"$work/said" 2>&1 &
		milter_pid=$!
		service_pids="$service_pids $milter_pid"
		ok "... of $owner's, which does not stop the next start" wait_for 10 socket_open "$own_socket"
		exits 69 '... while a living one does, also where it may not be opened' sh -c "chmod 0 '$own_socket'; timeout 10 \
			setpriv --reuid nobody --regid '$(id -g nobody)' --clear-groups '$daemon' -f '$milter_conf'"
		like "$(cat "$work/said")" 'listens there already' '... and it says so'
		stop_vtmilter
	done
	chown root "$work/api-key"
else
	skip 'needs root, nobody and setpriv' 'sockets that a failed start left'
fi
write_conf "$control" "PidFile $work/run/pid" 'SocketMode 0620'

# ---- in the foreground
start_vtmilter || bail 'no vtmilter'
is "$(mode_of "$milter_socket")" 620 'the socket has its mode'
is "$(mode_of "$work/run/control.sock")" 660 'the control socket too'
is "$(cat "$work/run/pid")" "$milter_pid" 'the PID file names the process'
like "$(cat "/proc/$milter_pid/status")" '^NoNewPrivs:.1' 'no new privileges'
like "$(cat "/proc/$milter_pid/limits")" 'core file size +0 ' 'no core dumps'
exits 73 'a second one with this PID file does not start' timeout 10 "$daemon" -f "$milter_conf"
sed "s|^PidFile .*|PidFile $work/run/pid2|" "$milter_conf" >"$work/second.conf"
exits 69 '... nor one with this socket' timeout 10 "$daemon" -f "$work/second.conf"
like "$(cat "$work/said")" 'listens there already' '... and it says so'
like "$(drive)" 'continued=1 ' 'the first one works'
before=$(now_ms)
stop_vtmilter
between_ms $(($(now_ms) - before)) 0 2000 'SIGTERM ends it soon'
for left in "$milter_socket" "$work/run/control.sock" "$work/run/pid"; do
	ok "... and removes $(basename "$left")" not test -e "$left"
done
unlike "$(cat "$milter_log")" ' (error|warning): ' 'nothing to complain about'

# ---- a socket left over by a crash
start_vtmilter || bail 'no vtmilter'
stop_vtmilter KILL
ok 'after kill -9 the socket is still there' test -S "$milter_socket"
"$daemon" -F -f "$milter_conf" >>"$milter_log" 2>&1 &
milter_pid=$!
service_pids="$service_pids $milter_pid"
ok '... and the next one takes it' wait_for 10 socket_open "$milter_socket"
stop_vtmilter INT
ok 'SIGINT ends it too' not alive "$milter_pid"

# ---- in the background
sed -i 's/^Foreground .*/Foreground no/' "$milter_conf"
ok 'the first process returns' timeout 10 "$daemon" -f "$milter_conf"
milter_pid=$(cat "$work/run/pid")
service_pids="$service_pids $milter_pid"
like "$(drive)" 'continued=1 ' '... when the milter answers'
is "$(ps -o sid= -p "$milter_pid" | tr -d ' ')" "$milter_pid" 'in a session of its own'
is "$(readlink "/proc/$milter_pid/cwd")" / 'in the root directory'
exits 69 'a failure to start is told to the first process' timeout 10 "$daemon" -f "$work/second.conf"
stop_vtmilter
sed -i 's/^Foreground .*/Foreground yes/' "$milter_conf"

# ---- another user
if [ "$(id -u)" != 0 ] || ! id nobody >/dev/null 2>&1; then
	skip 'only root can become another user' 'gives up its privileges'
else
	group=$(id -gn nobody)
	install -d -o nobody -m 700 "$work/store"
	install -d -o root -m 711 "$work/run/closed"
	chown nobody "$work/api-key"
	# the user may not search the directory of the socket: the ticker must reach it all the same
	milter_socket=$work/run/closed/milter.sock
	write_conf "ControlSocket $work/store/control.sock" 'User nobody' "SocketGroup $group" 'SocketMode 0660' \
		"Store sqlite:$work/store/vtmilter.db" "PidFile $work/run/pid"
	chown nobody "$work/api-key"
	chmod 700 "$work/run/closed"
	"$daemon" -f "$milter_conf" >>"$milter_log" 2>&1 &
	milter_pid=$!
	service_pids="$service_pids $milter_pid"
	ok 'starts for another user' wait_for 10 socket_open "$milter_socket" || bail 'no vtmilter'
	wait_for 10 grep -q "^Uid:.$(id -u nobody)" "/proc/$milter_pid/status"
	ids="$(id -u nobody)	$(id -u nobody)	$(id -u nobody)	$(id -u nobody)"
	like "$(cat "/proc/$milter_pid/status")" "^Uid:.$ids" 'gives up its privileges'
	unlike "$(cat "/proc/$milter_pid/status")" '^Groups:(.* )?0 ' '... and the groups of root'
	like "$(cat "/proc/$milter_pid/status")" '^CapEff:.0+$' '... and capabilities'
	is "$(stat -c '%U %G %a' "$milter_socket")" "nobody $group 660" 'the socket is his'
	like "$(drive -n 20 -m 5)" 'errors=0 ' 'and it works'
	before=$(now_ms)
	stop_vtmilter
	between_ms $(($(now_ms) - before)) 0 3000 'it reaches its own socket to stop soon'
	unlike "$(cat "$milter_log")" 'cannot connect to our own' '... and whenever it wants'
fi
done_testing
