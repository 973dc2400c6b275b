#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# matrix.sh - the fault matrix: VirusTotal x store x spool x process x MTA, through a private Postfix.  Sourced by
# t0800-faults.sh and t0805-faults.sh in place of lib.sh.
#
#	matrix_start
#	cell VT STORE SPOOL PROCESS MTA		one fault of each axis, "none" for none
#	step_cell ACTION STEP POLICY		something happens to the milter at a step of the protocol
#	matrix_end				prints the table
#
# Each cell sends messages of which nobody has seen an item before, of known bodies, and holds these to be true:
#
#	every message is delivered once, or refused by the MTA's own rule;
#	its body is byte by byte what Postfix delivers without a milter;
#	VT_Scanned and VT_Bad stand only where VirusTotal was honest and said so;
#	no request was beyond the budget;
#	when the fault is gone, a fresh message gets its tag without help (kill: after a supervisor's restart).
#
# Disks of their own for store and spool are mounted, in a name space of this test alone; where that cannot be done,
# cells that need them are skipped by name.
if [ -z "${VTM_OWN_MOUNTS:-}" ] && unshare -m true 2>/dev/null; then
	VTM_OWN_MOUNTS=1
	export VTM_OWN_MOUNTS
	exec unshare -m "${SHELL:-/bin/sh}" "$0"
fi
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"

per_minute=12
cells=0
skipped=0
store_file=$work/store/vtmilter.db
outer_socket=$work/outer.sock
disks=

# ---- what stands around it -------------------------------------------------------------------------------------------

# clock : writes the clocks: all of them ahead by $warp_ms, and the daemon's UTC wrong by $skew_ms.
warp_ms=0
skew_ms=0
clock()
{
	perl -e 'my ($work, @ms) = @ARGV;
		for (["stand-in", $ms[0], 0], ["daemon", @ms]) {
			my ($name, @n) = @$_;
			open(my $f, -e "$work/clock.$name" ? "+<" : ">", "$work/clock.$name") or die "$!\n";
			syswrite($f, pack("q2", @n)) == 16 or die "$!\n";
		}' "$work" "$warp_ms" "$skew_ms"
}

warp_by()
{
	warp_ms=$((warp_ms + $1 * 1000))
	clock
}

# front MODE : see t/standin/front.pl.
front()
{
	echo "$1" >"$work/front.mode"
	wait_for 10 grep -qx "$1" "$work/front.mode.now" || bail "the front does not go $1"
}

# certificate NAME SUBJECT_ALT_NAME DAYS
certificate()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -addext "subjectAltName=$2" \
		-days "$3" -keyout "$work/$1.key" -out "$work/$1.pem" >>"$work/openssl.log" 2>&1
}

certificates()
{
	certificate good DNS:vt.test 3000 &&
		certificate foreign DNS:vt.test 3000 &&
		certificate other-name DNS:other.test 3000 || return 1
	# A hundred days ago, for one day.
	perl -e 'print pack "q2", -100 * 86400 * 1000, 0' >"$work/then"
	(
		LD_PRELOAD=$builddir/t/standin/libtimewarp.so VTM_TIMEWARP=$work/then
		export LD_PRELOAD VTM_TIMEWARP
		certificate expired DNS:vt.test 1
	) || return 1
	cat "$work/good.pem" "$work/other-name.pem" "$work/expired.pem" >"$work/trusted.pem"
}

# tls_server NAME : one with that certificate; its port is in $tls_port.
tls_server()
{
	tls_port=$(free_port)
	openssl s_server -accept "127.0.0.1:$tls_port" -cert "$work/$1.pem" -key "$work/$1.key" -www >/dev/null 2>&1 &
	service_pids="$service_pids $!"
	wait_for 20 port_open "$tls_port"
}

daemon_start()
{
	service_env="LD_PRELOAD=$builddir/t/standin/libtimewarp.so:$builddir/t/standin/libfaults.so VTM_TIMEWARP=$work/clock.daemon
		VTM_FAULTS=$work/faults"
	start_vtmilter "$@" || bail 'no vtmilter'
}

matrix_start()
{
	local name
	need_postfix
	need_program openssl sqlite3 prlimit
	for name in libtimewarp libfaults; do
		[ -e "$builddir/t/standin/$name.so" ] || skip_all "t/standin/$name.so is not built"
	done
	mkdir "$work/store" "$work/spool" "$work/out"
	if [ -n "${VTM_OWN_MOUNTS:-}" ] && mount -t tmpfs -o size=16m none "$work/store" &&
		mount -t tmpfs -o size=16m none "$work/spool"; then
		disks=1
		at_end 'umount -l' "$work/store"
		at_end 'umount -l' "$work/spool"
	fi
	clock
	faults
	certificates || bail 'no certificates'
	service_env="LD_PRELOAD=$builddir/t/standin/libtimewarp.so VTM_TIMEWARP=$work/clock.stand-in"
	start_fakevt --per-minute $per_minute --per-day 3000 --per-month 0 --log "$work/requests.log" \
		--tls-cert "$work/good.pem" --tls-key "$work/good.key" --plain-port-file "$work/plain.port" ||
		bail 'no stand-in'
	honest_port=$vt_port
	vt_port=$(cat "$work/plain.port")
	for name in expired foreign other-name; do
		tls_server $name || bail 'no openssl s_server'
		echo "$tls_port" >"$work/port.$name"
	done
	echo "$honest_port" >"$work/front.mode"
	perl "$srcdir/t/standin/front.pl" "$work/front.port" "$work/front.mode" 2>"$work/front.log" &
	service_pids="$service_pids $!"
	wait_for 20 test -s "$work/front.port" || bail 'no front'
	# Two sockets: Postfix has the outer one, and between.pl hands on to the daemon's.
	milter_socket=$outer_socket
	start_postfix milter_connect_timeout=5s milter_command_timeout=5s milter_content_timeout=60s || bail 'no Postfix'
	milter_socket=$work/vtmilter.sock
	send_reference
	perl "$srcdir/t/standin/between.pl" "$outer_socket" "$milter_socket" "$work/order" 2>"$work/between.log" &
	service_pids="$service_pids $!"
	wait_for 20 test -S "$outer_socket" || bail 'nothing in between'
	daemon_start "ApiBaseURL https://vt.test:$(cat "$work/front.port")/api/v3" "CAFile $work/trusted.pem" \
		"Store sqlite:$store_file" "TempDirectory $work/spool" 'Timeout 8' "RequestsPerMinute $per_minute" \
		'RequestsPerDay 3000' 'RequestsPerMonth 0' 'SenderShare 0%' 'ReserveForManual 0' 'ReserveForAttachments 0%'
}

# ---- messages --------------------------------------------------------------------------------------------------------

# write_messages WORD [large] : $work/out/NAME.WORD; a table for the stand-in, $work/known.
write_messages()
{
	rm -f "$work/out"/*
	perl -MDigest::SHA=sha256_hex -MMIME::Base64 -e '
		my ($dir, $word, $large) = @ARGV;
		my $long = "y" x 5000;
		my $text = sub { "Content-Type: text/plain; charset=utf-8\n$_[0]\n" };
		my $file = sub { "Content-Type: application/octet-stream; name=a.bin\nContent-Transfer-Encoding: 8bit\n\n$_[0]\n" };
		my %parts = (
			plain => [$text->("Content-Transfer-Encoding: base64\n\n" . encode_base64("no item here " x 40)), $text->("\n$word\n.\n..\n")],
			clean => [$text->("\n$long"), $file->("clean $word")],
			bad => [$file->("bad $word"), $text->("\n")],
			unknown => [$text->("\nhttp://$word.example.com/\n"), $file->("unknown $word")],
			eight => [$text->("\n\xe2\x82\xac \xff\xfe\t \n \n"), $file->("eight \xe4\xf6 $long $word")],
			$large ? (large => [$text->("\n$word\n" . ("a line of a large message\n" x 60000))]) : ());
		for my $name (keys %parts) {
			my $mail = "From: a\@example.org\nTo: user\@example.test\nSubject: $name\nMessage-ID: <$name.$word\@matrix>\n" .
				"X-VT-Tag: VT_Scanned\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=bound\n\n" .
				join("", map "--bound\n$_\n", @{$parts{$name}}) . "--bound--\n";
			$mail =~ s/\n/\r\n/g;
			open my $f, ">:raw", "$dir/out/$name.$word" or die "$!\n";
			print $f $mail;
			close $f or die "$!\n";
		}
		open my $k, ">", "$dir/known" or die "$!\n";
		print $k "file ", sha256_hex("clean $word\r\n"), " 0/70\n", "file ", sha256_hex("bad $word\r\n"), " 40/70\n",
			"file ", sha256_hex("eight \xe4\xf6 $long $word\r\n"), " 0/70\n";
		close $k or die "$!\n";' "$work" "$@" || bail 'no messages'
}

# judge WORD HONEST POLICY [EXACT] : compares what came out; a line of figures, then a line for each thing that is wrong.
judge()
{
	perl -MDigest::SHA=sha256_hex -e '
		my ($dir, $mails, $word, $honest, $policy, $exact) = @ARGV;
		my (%code, %found, %count, %tags, @wrong);
		my %want = (plain => "", clean => "VT_Scanned", bad => "VT_Bad", unknown => "VT_Hash_not_found VT_URL_not_found",
			eight => "VT_Scanned", large => "");
		open my $sent, "<", "$dir/sent" or die "$!\n";
		while (<$sent>) { $code{$1} = $2 if m{/(\w+)\.\w+ (\d+)$} }
		my %asked;
		if (open my $log, "<", "$dir/requests.log") { while (<$log>) { $asked{$1} = 1 if m{ 200 GET .*/files/([0-9a-f]{64})} } }
		my %hash;
		open my $known, "<", "$dir/known" or die "$!\n";
		@hash{qw(clean bad eight)} = map { (split)[1] } <$known>;
		for my $file (glob "$mails/*") {
			open my $f, "<:raw", $file or next;
			my ($head, $body) = split /\n\n/, do { local $/; <$f> }, 2;
			$head =~ /^Message-ID: <(\w+)\.$word\@matrix>/m or next;
			my $name = $1;
			push @{$found{$name}}, 1;
			$body =~ s/$word/@/g;
			if ($word eq "reference0") {
				open my $r, ">", "$dir/reference.$name" or die "$!\n";
				print $r sha256_hex($body);
				close $r or die "$!\n";
				next;
			}
			open my $r, "<", "$dir/reference.$name" or die "$name: $!\n";
			push @wrong, "$name: another body" if sha256_hex($body) ne <$r>;
			my $tags = join " ", $head =~ /^X-VT-Tag: *(\S+)/mg;
			# Our report stands with our tags; a message that no milter has seen keeps what the sender wrote.
			my $ours = $head =~ /^X-VT-Report:/m || $tags ne "VT_Scanned";
			$tags = "(not filtered)" unless $ours;
			push @wrong, "$name: delivered unfiltered" if !$ours && $policy eq "tempfail";
			$count{$tags eq "" ? "(none)" : $tags}++;
			next unless $ours;
			push @wrong, "$name: $tags" if $tags =~ /VT_Scanned/ && ($want{$name} ne "VT_Scanned" || !$honest || !$asked{$hash{$name}});
			push @wrong, "$name: $tags" if $tags =~ /VT_Bad/ && ($name ne "bad" || !$honest || !$asked{$hash{$name}});
			push @wrong, "$name: $tags, not $want{$name}" if $exact && $tags ne $want{$name};
		}
		my ($delivered, $refused, $nothing) = (0, 0, 0);
		for my $name (sort keys %code) {
			my $n = @{$found{$name} // []};
			if ($code{$name} =~ /^2/) {
				$delivered++;
				push @wrong, "$name: accepted and delivered $n times" if $n != 1;
			} elsif ($code{$name} =~ /^[45]/) {
				$refused++;
				push @wrong, "$name: $code{$name}" if $policy ne "tempfail";
				push @wrong, "$name: refused and delivered $n times" if $n;
			} else {
				push @wrong, "$name: no answer";
			}
		}
		for my $file (glob "$dir/out/*") {
			push @wrong, "$1: not sent" if $file =~ m{/(\w+)\.$word$} && !defined $code{$1};
		}
		print "$delivered delivered, $refused refused | ", join(", ", map "$count{$_} $_", sort keys %count), "\n";
		print "$_\n" for @wrong;' "$work" "$postfix_dir/mail/all/new" "$@"
}

# Postfix has nothing left to do.
queue_empty()
{
	[ -z "$(find "$postfix_dir/spool/incoming" "$postfix_dir/spool/active" "$postfix_dir/spool/maildrop" \
		"$postfix_dir/spool/deferred" -type f -print 2>/dev/null | head -n 1)" ]
}

# sending FILE ... : in the background; sent_all waits for it, and time goes on when it does not end by itself.
sending()
{
	perl "$srcdir/t/standin/smtp.pl" "$postfix_port" all "$@" >"$work/sent" &
	sender=$!
}

sent_all()
{
	local tries=0
	while alive "$sender" && [ $tries -lt 600 ]; do
		tries=$((tries + 1))
		sleep 0.1
		[ $tries -lt 10 ] || warp_by 3
	done
	wait "$sender" 2>/dev/null
	wait_for 30 queue_empty || wrong="$wrong; the queue is not empty"
}

send_reference()
{
	local said
	write_messages reference0 large
	sending "$work/out"/*
	sent_all
	said=$(judge reference0 0 accept)
	[ "$(printf '%s\n' "$said" | wc -l)" = 1 ] && [ "$(ls "$work"/reference.* | wc -l)" = 6 ] ||
		bail "without a milter: $said"
}

# A fresh message gets its tag, after some minutes at most; $recovery_s is how long it took.
recovered()
{
	local tries=0 word mail
	recovery_s=0
	[ -n "${honest:-}" ] || { warp_by 61; recovery_s=61; }
	while [ $tries -lt 25 ]; do
		tries=$((tries + 1))
		forget_delivered
		word=$(printf 'r%04d%05d' $cells $tries)
		write_messages "$word"
		vt set "$(cat "$work/known")" >/dev/null
		sending "$work/out/clean.$word"
		sent_all
		mail=$(ls "$postfix_dir"/mail/all/new/* 2>/dev/null | head -n 1)
		[ -z "$mail" ] || [ "$(tags "$mail")" != VT_Scanned ] || ! vt_headers "$mail" | grep -q '^X-VT-Report' || return 0
		if [ $recovery_s = 0 ]; then
			warp_by 61
			recovery_s=61
		else
			warp_by 200
			recovery_s=$((recovery_s + 200))
		fi
		sleep 0.2
	done
	return 1
}

# ---- the axes --------------------------------------------------------------------------------------------------------

# Faults of t/standin/faults.c that stand now are gathered in $standing.
standing=
stand()
{
	standing="$standing $1"
	faults $standing
}

vt_faults='refused silent reset garbage-tls expired foreign other-name dns stall close cut truncated garbage empty html
	wrong-id wrong-url redirect huge bomb gzip-bad drip 401 403 429 500 503 in-turn'

vt_on()
{
	honest=
	case "$1" in
	none) honest=1 ;;
	wrong-url) honest=1; vt fault wrong-url ;;	# files are answered well
	refused | silent | reset) front "$1" ;;
	garbage-tls) front garbage ;;
	expired | foreign | other-name) front "$(cat "$work/port.$1")" ;;
	dns) front refused; front "$honest_port"; stand dns=-3; warp_by 61 ;;	# names are kept for a minute
	drip) vt fault drip=200 ;;
	429) vt fault status=429 retry-after=30 ;;
	[45]*) vt fault "status=$1" ;;
	in-turn) for status in 401 403 429 500 502 503 504; do vt fault "status=$status count=1"; done ;;
	*) vt fault "$1" ;;
	esac >/dev/null
}

vt_off()
{
	[ "$(cat "$work/front.mode")" = "$honest_port" ] || front "$honest_port"
	[ "$1" = none ] || vt fault none >/dev/null
}

store_faults='full read-only corrupt locked slow deleted schema foreign-tables'

remove_store()
{
	rm -f "$store_file" "$store_file-wal" "$store_file-shm"
}

store_on()
{
	case "$1" in
	full)
		sqlite3 "$store_file" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
		dd if=/dev/zero of="$work/store/filler" bs=4k 2>/dev/null ;;
	read-only) stand store=30 ;;
	corrupt)
		perl -e 'for (@ARGV) {
			open my $f, "+<:raw", $_ or next;
			syswrite $f, pack("L*", map int rand 2 ** 32, 1 .. (-s $f) / 4);
		}' "$store_file" "$store_file-wal" ;;
	locked)
		rm -f "$work/lock"
		mkfifo "$work/lock"
		sqlite3 "$store_file" <"$work/lock" >/dev/null 2>&1 &
		locker=$!
		exec 8>"$work/lock"
		printf '.timeout 5000\nBEGIN IMMEDIATE;\n.output %s\nSELECT 1;\n.output\n' "$work/locked" >&8
		wait_for 10 test -s "$work/locked" || wrong="$wrong; not locked"
		rm -f "$work/locked" ;;
	slow) stand fsync=700 ;;
	deleted) remove_store ;;
	schema)
		stop_vtmilter
		sqlite3 "$store_file" 'PRAGMA user_version = 9999' >/dev/null 2>&1
		daemon_start ;;
	foreign-tables)
		stop_vtmilter
		remove_store
		sqlite3 "$store_file" 'CREATE TABLE verdict (x); CREATE TABLE used_day (x);'
		daemon_start ;;
	esac
}

store_off()
{
	case "$1" in
	full) rm -f "$work/store/filler" ;;
	locked)
		kill "$locker"
		wait "$locker" 2>/dev/null
		exec 8>&- ;;
	corrupt | schema | foreign-tables) remove_store ;;	# as the log says
	esac
}

spool_faults='full no-memory read-only gone'

spool_on()
{
	case "$1" in
	full) dd if=/dev/zero of="$work/spool/filler" bs=64k 2>/dev/null ;;
	no-memory) stand spool=12 ;;
	read-only) stand spool=30 ;;
	gone) stand spool=2 ;;
	esac
}

process_faults='stopped killed descriptors threads memory clock-ahead clock-back day-ahead day-back'

process_on()
{
	[ "$1" != none ] || return
	case "$1" in
	descriptors)
		limit=$(prlimit --noheadings --output SOFT --nofile --pid "$milter_pid" | tr -d ' ')
		prlimit "--nofile=$(($(ls "/proc/$milter_pid/fd" | wc -l) + 2)):" --pid "$milter_pid" ;;
	threads) stand thread=11 ;;
	memory) stand alloc=131072 ;;
	clock-ahead) skew_ms=3600000 ;;
	clock-back) skew_ms=-3600000 ;;
	day-ahead) skew_ms=86400000 ;;
	day-back) skew_ms=-86400000 ;;
	esac
	clock
}

# While messages are on their way.
process_meanwhile()
{
	case "$1" in
	stopped)
		kill -STOP "$milter_pid"
		sleep 0.3
		warp_by 60
		kill -CONT "$milter_pid" ;;
	stopped-a-minute)	# of Postfix's clock as well, which gives it up
		kill -STOP "$milter_pid"
		sleep 60
		kill -CONT "$milter_pid" ;;
	killed)
		sleep 0.15
		stop_vtmilter KILL 2>/dev/null
		daemon_start ;;
	esac
}

process_off()
{
	[ "$1" != none ] || return
	case "$1" in
	descriptors) prlimit "--nofile=$limit:" --pid "$milter_pid" ;;
	esac
	skew_ms=0
	clock
}

mta_faults='gone abort port-scan reload postfix-reload sessions'

mta_meanwhile()
{
	local stage
	case "$1" in
	gone) perl "$srcdir/t/standin/smtp.pl" "$postfix_port" dot "$work/out"/clean.* "$work/out"/bad.* >/dev/null ;;
	abort)
		for stage in connect helo mail rcpt data body rset; do
			perl "$srcdir/t/standin/smtp.pl" "$postfix_port" $stage "$work/out"/clean.* >/dev/null
		done ;;
	port-scan)
		perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Peer => $ARGV[0]) for 1 .. 200' "$milter_socket" ;;
	reload)
		for stage in 1 2 3 4 5; do
			kill -USR1 "$milter_pid"
			sleep 0.05
		done ;;
	postfix-reload) postfix -c "$postfix_dir/etc" reload >/dev/null 2>&1 ;;
	sessions)
		smtp-source -s "$sessions" -m "$sessions" -l 2000 -M client.example.org -f sender@example.org \
			-t user@example.test "inet:127.0.0.1:$postfix_port" >"$work/many.log" 2>&1 ||
			wrong="$wrong; many sessions: $(head -n 1 "$work/many.log")" ;;
	esac
}

# ---- cells -----------------------------------------------------------------------------------------------------------

# Why the cell cannot be had here; fails if it can.
lacks()
{
	case "$*" in
	*full*) [ -n "$disks" ] || { echo 'nothing can be mounted'; return; } ;;
	esac
	return 1
}

# finish NAME : the end of a cell whose judgement is $said; $wrong has what else was found.
finish()
{
	local line
	alive "$milter_pid" || {
		wrong="$wrong; vtmilter has ended"
		daemon_start
	}
	recovered || wrong="$wrong; a fresh message does not get its tag"
	[ "$(vt_count violations)" = 0 ] || {
		wrong="$wrong; $(vt_count violations) requests beyond the budget"
		vt reset >/dev/null
	}
	line=$(printf '%s\n' "$said" | sed 1d | paste -s -d ';' -)
	wrong="$wrong${line:+; $line}"
	line="$1 | $(printf '%s\n' "$said" | head -n 1) | $([ $recovery_s = 0 ] && echo 'at once' ||
		echo "within $recovery_s s")${wrong:+ | WRONG$wrong}"
	table_line "$line"
	[ -z "$wrong" ] || diag "$1: ${wrong#; }"
	ok "$1" test -z "$wrong"
}

# cell VT STORE SPOOL PROCESS MTA
cell()
{
	local name="$1 $2 $3 $4 $5" why word large= exact=
	if why=$(lacks "$@"); then
		skipped=$((skipped + 1))
		skip "$why" "$name"
		return
	fi
	cells=$((cells + 1))
	wrong=
	standing=
	word=$(printf 'm%09d' $cells)
	[ "$3" = none ] || large=large
	[ "$name" != 'none none none none none' ] || {
		exact=exact
		warp_by 61	# with room in the minute for all
	}
	forget_delivered
	write_messages "$word" $large
	vt set "$(cat "$work/known")" >/dev/null
	vt_on "$1"
	store_on "$2"
	spool_on "$3"
	process_on "$4"
	sending "$work/out"/*
	mta_meanwhile "$5"
	process_meanwhile "$4"
	sent_all
	process_off "$4"
	spool_off "$3"
	store_off "$2"
	vt_off "$1"
	[ -z "$standing" ] || faults
	[ "$5" != gone ] || forget_gone
	said=$(judge "$word" "$honest" accept $exact)
	finish "$name"
}

spool_off()
{
	rm -f "$work/spool/filler"
}

# Clients that went away sent a second time what others did: one of two is theirs.
forget_gone()
{
	local mail id seen=
	for mail in "$postfix_dir"/mail/all/new/*; do
		id=$(message_id "$mail")
		case "$seen" in
		*"$id"*) rm -f "$mail" ;;
		*) seen="$seen $id" ;;
		esac
	done
}

# step_cell ACTION STEP POLICY : kill or cut, when the protocol comes to that step (t/standin/between.pl); POLICY is Postfix's.
step_cell()
{
	local name="$1 at $2, $3" word letter
	cells=$((cells + 1))
	wrong=
	honest=1
	case "$2" in
	connect) letter=C ;; mail) letter=M ;; rcpt) letter=R ;; header) letter=L ;; eoh) letter=N ;; body) letter=B ;;
	eom) letter=E ;; waiting) letter=p ;; delete) letter=m ;; insert) letter=i ;;
	esac
	postfix_policy "$3"
	word=$(printf 'm%09d' $cells)
	forget_delivered
	write_messages "$word"
	vt set "$(cat "$work/known")" >/dev/null
	[ "$2" != waiting ] || {
		warp_by 61	# who sees no room in the minute does not wait
		vt fault stall >/dev/null
	}
	echo "$letter $1 $milter_pid" >"$work/order"
	sending "$work/out/clean.$word" "$work/out/bad.$word"
	sent_all 2>/dev/null	# the shell would tell of the daemon that was killed
	vt fault none >/dev/null
	[ ! -e "$work/order" ] || wrong="; the step did not come"
	rm -f "$work/order" "$work/out"/[!cb]*
	[ "$1" != kill ] || {
		stop_vtmilter KILL 2>/dev/null
		daemon_start
	}
	said=$(judge "$word" 1 "$3")
	postfix_policy accept
	finish "$name"
}

policy=accept
postfix_policy()
{
	[ "$policy" = "$1" ] || postfix_set "$postfix_dir" "milter_default_action=$1"
	policy=$1
}

matrix_end()
{
	diag "VirusTotal store spool process MTA | messages | tags | recovered$table"
	diag "$cells cells, $tap_failed wrong, $skipped skipped"
	done_testing
}
