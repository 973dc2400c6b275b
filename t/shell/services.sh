#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# services.sh - what a test or demonstration runs: stand-in VirusTotal, vtmilter, Postfix, and mail to and from it.
#
# Sourced by t/shell/lib.sh and contrib/demo.sh, which set $srcdir, $builddir, $data and $work (a directory, mode 755) and
# call services_stop at their end.
. "$srcdir/t/shell/postfix.sh"

service_pids=
postfix_dirs=

# wait_for SECONDS COMMAND ... : until the command succeeds, looking ten times a second.
wait_for()
{
	local tries="$(($1 * 10))"
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

# A TCP port of loopback that nobody listens on now.
free_port()
{
	perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die "$!\n";
		print $s->sockport, "\n"'
}

port_open()
{
	perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[0])' "$1"
}

alive()
{
	kill -0 "$1" 2>/dev/null
}

# Milliseconds since the machine booted; not adjusted by anybody.
now_ms()
{
	awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime
}

# stop_pid PID [SIGNAL] : and waits until it is gone; after 10 seconds it is killed.
stop_pid()
{
	local left
	alive "$1" || return 0
	kill "-${2:-TERM}" "$1" 2>/dev/null
	wait_for 10 not alive "$1" || kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	left=
	for pid in $service_pids; do
		[ "$pid" = "$1" ] || left="$left $pid"
	done
	service_pids=$left
}

not()
{
	! "$@"
}

services_stop()
{
	local dir pid
	for dir in $postfix_dirs; do
		postfix_stop "$dir"
	done
	for pid in $service_pids; do
		stop_pid "$pid"
	done
	postfix_dirs=
	service_pids=
}

# ---- the stand-in VirusTotal -----------------------------------------------------------------------------------------

vt_key=000000000000000000000000fa4e5ec0000000000000000000000000fa4e5ec0
vt_url=
vt_port=
vt_pid=

# start_fakevt [OPTION ...] : on a port of its own choice; sets $vt_url.
start_fakevt()
{
	rm -f "$work/fakevt.port"
	env ${service_env:-} "$builddir/t/standin/fakevt" --port-file "$work/fakevt.port" --key "$vt_key" "$@" \
		>>"$work/fakevt.log" 2>&1 &
	vt_pid=$!
	service_pids="$service_pids $vt_pid"
	wait_for 20 test -s "$work/fakevt.port" || return 1
	vt_port=$(cat "$work/fakevt.port")
	vt_url=http://127.0.0.1:$vt_port/api/v3
}

# vt COMMAND [ARGUMENT ...] : tells the stand-in; see fakevt --help.
vt()
{
	"$builddir/t/standin/fakevt" --ask "$vt_port" "$@"
}

# What the sample messages hold: pixel.gif is clean, EICAR and a link are bad; it knows nothing else.
know_samples()
{
	vt add file "$(pixel | sha256sum | cut -c 1-64)" 0/72 &&
		vt add file "$(eicar | sha256sum | cut -c 1-64)" 64/72 &&
		vt add url http://malware.wicar.org/data/eicar.com 12/95
} >/dev/null

vt_delay()
{
	vt delay "$1" >/dev/null
}

# vt_count NAME : requests, violations ...
vt_count()
{
	vt stats | sed -n "s/^$1 //p"
}

vt_counted()
{
	[ "$(vt_count "$1")" -ge "$2" ]
}

# ---- sanitizers ------------------------------------------------------------------------------------------------------

sanitized()
{
	grep -qs fsanitize= "$builddir/config.status"
}

# In a build with sanitizers each process writes what it finds into a file of its own, whatever its standard error is.
# A decoder may open none: it says on standard error, which is the daemon's, that it could not.  GCC's sanitizer of
# undefined behaviour writes to standard error whatever it is told.
sanitizer_words='Sanitizer:\|: runtime error: \|ERROR: Can.t open file.*/sanitizer/'

# What is set already has the last word.  AddressSanitizer wants to be the first library preloaded; it need not be.
sanitizer_setup()
{
	local common="log_path=$work/sanitizer/report"
	mkdir -m 1777 "$work/sanitizer"
	ASAN_OPTIONS=$common:verify_asan_link_order=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
	TSAN_OPTIONS=$common:suppressions=$srcdir/t/unit/tsan.supp${TSAN_OPTIONS:+:$TSAN_OPTIONS}
	UBSAN_OPTIONS=$common:print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}
	export ASAN_OPTIONS TSAN_OPTIONS UBSAN_OPTIONS
}

# The files with reports, a line each.
sanitizer_reports()
{
	grep -las -D skip -d skip -e "$sanitizer_words" "$work"/* "$work"/sanitizer/*
}

# ---- time ------------------------------------------------------------------------------------------------------------

# warp_clock : what is started from now on runs on a clock that warp_by moves ahead.
warp_clock()
{
	getconf GNU_LIBC_VERSION >/dev/null 2>&1 || skip_all 'clocks are warped with glibc only'
	warp_ms=0
	warp_write && service_env="LD_PRELOAD=$builddir/t/standin/libtimewarp.so VTM_TIMEWARP=$work/timewarp"
}

# The file is mapped: written in one go and in place.
warp_write()
{
	perl -e 'open(my $f, -e $ARGV[0] ? "+<" : ">", $ARGV[0]) or die "$!\n";
		syswrite($f, pack("q", $ARGV[1])) == 8 or die "$!\n"' "$work/timewarp" "$warp_ms"
}

# warp_by SECONDS
warp_by()
{
	warp_ms=$((warp_ms + $1 * 1000))
	warp_write
}

# ---- what the system refuses -----------------------------------------------------------------------------------------

# LD_PRELOAD=$builddir/t/standin/libfaults.so and VTM_FAULTS=$work/faults in $service_env let it.
# faults NAME=N ... : what the system does to the daemon (t/standin/faults.c); the rest is well again.
faults()
{
	perl -e 'my ($file, @set) = @ARGV;
		my @names = qw(store spool fsync thread fork alloc dns nth);
		my %n = map { split /=/ } @set;
		open(my $f, -e $file ? "+<" : ">", $file) or die "$!\n";
		syswrite($f, pack("l*", map { delete $n{$_} // 0 } @names)) == 4 * @names or die "$!\n";
		die join(" ", keys %n), "\n" if %n;' "$work/faults" "$@" || bail 'no faults'
}

# ---- vtmilter --------------------------------------------------------------------------------------------------------

milter_socket=$work/vtmilter.sock
milter_conf=$work/vtmilter.conf
milter_log=$work/vtmilter.log
milter_pid=

socket_open()
{
	perl -MIO::Socket::UNIX -e 'exit !IO::Socket::UNIX->new(Peer => $ARGV[0])' "$1"
}

# write_conf [LINE ...] : a configuration for the stand-in; directives that the lines given name are theirs alone.
write_conf()
{
	printf '%s\n' "$vt_key" >"$work/api-key"
	chmod 600 "$work/api-key"
	printf '%s\n' "$@" >"$work/conf.given"
	printf '%s\n' "ApiKeyFile $work/api-key" "ApiBaseURL $vt_url" "Socket local:$milter_socket" 'SocketMode 0666' \
		"ControlSocket $work/control.sock" "Store sqlite:$work/vtmilter.db" "TempDirectory $work" 'Foreground yes' \
		'LogFormat text' 'LogLevel info' 'Timeout 10' |
		awk 'NR == FNR { given[tolower($1)]; next } !(tolower($1) in given)' "$work/conf.given" - >"$milter_conf"
	cat "$work/conf.given" >>"$milter_conf"
}

# start_vtmilter [LINE ...] : with a configuration of these lines; without any, the one that is there already.
start_vtmilter()
{
	[ $# = 0 ] && [ -f "$milter_conf" ] || write_conf "$@"
	rm -f "$milter_socket"
	env ${service_env:-} "$builddir/milter/vtmilter" -f "$milter_conf" >>"$milter_log" 2>&1 &
	milter_pid=$!
	service_pids="$service_pids $milter_pid"
	wait_for 20 socket_open "$milter_socket" || {
		tail -n 5 "$milter_log" >&2
		return 1
	}
}

stop_vtmilter()
{
	stop_pid "$milter_pid" "$@"
}

# start_null ARGUMENT ... : a milter that does nothing (t/standin/null-milter); its process is $null_pid, its output null.log.
start_null()
{
	rm -f "$work/null.log"	# one that ends meanwhile writes into the old file
	"$builddir/t/standin/null-milter" "$@" >"$work/null.log" 2>&1 &
	null_pid=$!
	service_pids="$service_pids $null_pid"
	wait_for 10 grep -q ready "$work/null.log" || bail 'null-milter does not start'
}

# ---- Postfix ---------------------------------------------------------------------------------------------------------

# start_postfix [NAME=VALUE ...] : with the milter in it.
start_postfix()
{
	postfix_dir=$work/postfix
	postfix_port=$(free_port)
	postfix_create "$postfix_dir" "$postfix_port" "smtpd_milters=unix:$milter_socket" \
		milter_default_action=accept "$@" || return 1
	postfix_dirs="$postfix_dirs $postfix_dir"
	postfix_start "$postfix_dir"
}

# Takes a file in t/data/messages by its name, or any file by its path.
mail_path()
{
	case "$1" in
	*/*) echo "$1" ;;
	*) echo "$data/messages/$1" ;;
	esac
}

# EICAR, the test file of the antivirus industry (https://www.eicar.org/download-anti-malware-testfile/), turned by 13
# here so that this source does not alarm anybody.
eicar()
{
	printf %s 'K5B!C%@NC[4\CMK54(C^)7PP)7}$RVPNE-FGNAQNEQ-NAGVIVEHF-GRFG-SVYR!$U+U*' |
		tr A-Za-z N-ZA-Mn-za-m
}

# The picture in clean-attachment.eml.
pixel()
{
	echo R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7 | base64 -d
}

# The message in FILE as it is sent: @EICAR@ filled in, line ends as smtp-source wants them.
mail_text()
{
	tr -d '\r' <"$(mail_path "$1")" | LC_ALL=C sed "s|^@EICAR@$|$(eicar | base64 -w 0)|"
}

# send_mail FILE [OPTION OF smtp-source ...] : to user@example.test.
send_mail()
{
	mail_text "$1" >"$work/send.eml"
	shift
	smtp-source "$@" -F "$work/send.eml" -M client.example.org -f sender@example.org -t user@example.test \
		"inet:127.0.0.1:$postfix_port" >"$work/send.out" 2>&1
}

message_id()
{
	sed -n 's/^Message-I[Dd]: *\(<[^>]*>\).*/\1/p; /^\r*$/q' "$(mail_path "$1")" | head -n 1
}

# The delivered files of the message in FILE, one a line.
find_delivered()
{
	grep -rlF -e "$(message_id "$1")" "$postfix_dir/mail/all/new" 2>/dev/null
}

have_delivered()
{
	[ "$(find_delivered "$1" | wc -l)" -ge "$2" ]
}

# delivered FILE [COUNT] : waits until COUNT (1) of them are there and prints their paths.
delivered()
{
	wait_for 30 have_delivered "$1" "${2:-1}" || return 1
	find_delivered "$1"
}

forget_delivered()
{
	rm -f "$postfix_dir"/mail/all/new/*
}

# head_of FILE : the header section, unfolded.  body_of FILE : what follows it.
head_of()
{
	awk '/^\r?$/ { exit } /^[ \t]/ { sub(/^[ \t]+/, " "); line = line $0; next }
		{ if (NR > 1) print line; line = $0 } END { print line }' "$1"
}

body_of()
{
	sed '1,/^\r*$/d' "$1"
}

# vt_headers FILE : our headers, unfolded.  tags FILE : "VT_Bad VT_Scanned", in the order of the headers.
vt_headers()
{
	head_of "$1" | grep -i '^X-VT-'
}

tags()
{
	head_of "$1" | sed -n 's/^X-VT-Tag: *//p' | paste -s -d ' ' -
}
