#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# bench.sh - vtmilter beside a milter that does nothing, in one run, in turn; t/bench/BENCHMARKS says what it printed.
#
#	bench.sh [-s] [PART ...]	-s: small, to see that it works; make bench BENCH='PART ...'
#
# Parts: extract protocol inet postfix overload memory growth store peers.  Without any: all of them.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
unset G_SLICE	# as administrators run it

rounds=5 percent=100
[ "${1:-}" = -s ] && { rounds=1 percent=2; shift; }
parts=${*:-extract protocol inet postfix overload memory growth store peers}
drive=$builddir/t/standin/milter-drive

# few N : N, or so few of them that it is soon over.
few()
{
	echo $((($1 * percent + 99) / 100))
}

# ---- the mail --------------------------------------------------------------------------------------------------------

# letter KB : as people get them: twenty fields in the header, HTML with links, an attachment of that size.
letter()
{
	perl -MMIME::Base64 -e '
		print "Received: from mx$_.example.org (mx$_.example.org [192.0.2.$_])\n\tby relay$_.example.net (Postfix) with ",
			"ESMTPS id 4XyZ$_\n\tfor <b\@example.org>; Tue, 24 Nov 2026 12:00:0$_ +0000 (UTC)\n" for 1 .. 3;
		print "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=2026;\n\tbh=", "A" x 43, "=;\n\tb=",
			join("\n\t ", ("b" x 64) x 5), "==\n";
		print "Authentication-Results: mx.example.net; dkim=pass header.d=example.org;\n\tdmarc=pass ",
			"header.from=example.org\nTo: \"Somebody\" <b\@example.org>\nCc: c\@example.org, d\@example.org\n",
			"Reply-To: a\@example.org\nDate: Tue, 24 Nov 2026 12:00:00 +0000\nReferences: <u\@y> <v\@y> <w\@y>\n",
			"In-Reply-To: <w\@y>\nUser-Agent: Mozilla Thunderbird\nX-Spam-Status: No, score=-1.2\n",
			"X-Originating-IP: 192.0.2.1\nPrecedence: list\n"'
	bare "$1"
}

# bare KB : the same, with six fields.
bare()
{
	perl -MMIME::Base64 -e '
		print "From: a\@example.org\nTo: b\@example.org\nSubject: s\nMessage-ID: <x\@y>\nMIME-Version: 1.0\n",
			"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n",
			"<p>See <a href=\"http://one.example.com/\">one</a>, <a href=\"http://two.example.com/a\">two</a></p>\n",
			"<p>and more words, as letters to many people have them</p>\n" x 20,
			"--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n",
			encode_base64("%PDF" . ("abcdefgh" x ($ARGV[0] * 92))), "--b--\n"' "$1"
}

# fresh : a link of its own in each message.
fresh()
{
	letter 2 | sed 's|http://one.example.com/|http://@FRESH@.example.com/|'
}

# ---- measuring -------------------------------------------------------------------------------------------------------

# start_both [LINE ...] : vtmilter with no limits but those that the lines set, and one that does nothing.
start_both()
{
	start_fakevt --per-minute 0 --per-day 0 --per-month 0 || bail 'no stand-in'
	rm -f "$work"/vtmilter.db*
	: >"$milter_conf.none"
	start_vtmilter "$@" 'RequestsPerDay 0' 'RequestsPerMonth 0' 'LogLevel warning' || bail 'no vtmilter'
	start_null -t "unix:$work/null.sock"
}

stop_both()
{
	stop_pid "$null_pid"
	stop_vtmilter
	stop_pid "$vt_pid"
}

value()
{
	sed -n "s/.* $1=\([0-9]*\).*/\1/p"
}

# load NAME PID SOCKET OPTION ... : a line "NAME cpu_us rate90 p50_us p99_us".
load()
{
	local name="$1" pid="$2" socket="$3" line
	shift 3
	line=$("$drive" -C "$pid" "$@" "$socket") || diag "$line"
	echo "$name $(echo "$line" | value cpu_us) $(echo "$line" | value rate90) $(echo "$line" | value p50_us)" \
		"$(echo "$line" | value p99_us)"
}

# compare WHAT A B : medians of the lines of two names.
compare()
{
	sort -k 1,1 -k 2,2n | awk -v what="$1" -v a="$2" -v b="$3" '
		function median(name, field,	list, i, k, t) {
			for (i = 1; i <= n[name]; i++) {
				t = v[name, i, field]
				for (k = i; k > 1 && list[k - 1] > t; k--)
					list[k] = list[k - 1]
				list[k] = t
			}
			return list[int((n[name] + 1) / 2)]
		}
		function ratio(x, y) { return y ? x / y : 0 }
		{ n[$1]++; for (f = 2; f <= 5; f++) v[$1, n[$1], f] = $f + 0 }
		END { printf "%s: CPU %d against %d us a message (%.2f times), %d against %d messages/s (%.2f), " \
				"median %d against %d us, p99 %d against %d us (%.2f times)\n", what,
				median(a, 2), median(b, 2), ratio(median(a, 2), median(b, 2)),
				median(a, 3), median(b, 3), ratio(median(a, 3), median(b, 3)), median(a, 4), median(b, 4),
				median(a, 5), median(b, 5), ratio(median(a, 5), median(b, 5)) }'
}

# pairs WHAT OPTION ... : vtmilter and the other in turn.
pairs()
{
	local what="$1" i
	shift
	for i in $(seq $rounds); do
		load vtmilter "$milter_pid" "unix:$milter_socket" "$@"
		load null "$null_pid" "unix:$work/null.sock" "$@"
	done | compare "$what" vtmilter null
}

# memory PID FIELD : kB (VmRSS, RssAnon, VmHWM).
memory()
{
	sed -n "s/^$2:[^0-9]*\([0-9]*\).*/\1/p" "/proc/$1/status"
}

# ---- parts -----------------------------------------------------------------------------------------------------------

bench_extract()
{
	letter 2 >"$work/letter-5k" && bare 4 >"$work/bare-5k" && letter 100 >"$work/letter-100k"
	"$builddir/t/bench/bench-extract"
	"$builddir/t/bench/bench-extract" "$work/letter-5k" "$work/bare-5k" "$work/letter-100k"
	"$builddir/t/bench/bench-decode"
}

bench_protocol()
{
	local what
	letter 2 >"$work/letter-5k" && bare 4 >"$work/bare-5k" && letter 100 >"$work/letter-100k" && letter "$(few 10000)" >"$work/letter-10m"
	start_both 'RequestsPerMinute 0' 'JournalRetention 0'
	for what in letter-5k letter-100k letter-10m bare-5k; do
		"$drive" -m 2 -f "$work/$what" "unix:$milter_socket" >/dev/null
	done
	pairs '5 KB, 1 session' -m "$(few 1000)" -f "$work/letter-5k"
	pairs '5 KB, 16 sessions' -n 16 -m "$(few 100)" -f "$work/letter-5k"
	pairs '5 KB, 200 sessions' -n "$(few 200)" -m 10 -f "$work/letter-5k"
	pairs '5 KB with six fields, 16 sessions' -n 16 -m "$(few 100)" -f "$work/bare-5k"
	pairs '100 KB, 16 sessions' -n 16 -m "$(few 50)" -f "$work/letter-100k"
	pairs '10 MB, 4 sessions' -n 4 -m "$(few 4)" -f "$work/letter-10m"
	stop_pid "$null_pid"
	start_null -t -e 5 "unix:$work/null.sock"
	pairs '5 KB, 16 sessions, against one that adds five headers' -n 16 -m "$(few 100)" -f "$work/letter-5k"
	pairs '5 KB, 200 sessions, against one that adds five headers' -n "$(few 200)" -m 10 -f "$work/letter-5k"
	stop_both
}

# Without a reply before the content it would wait for a delayed ACK, 40 ms.
bench_inet()
{
	local port null_port i
	letter 2 >"$work/letter-5k"
	port=$(free_port)
	start_fakevt --per-minute 0 --per-day 0 --per-month 0 || bail 'no stand-in'
	write_conf "Socket inet:$port@127.0.0.1" 'RequestsPerMinute 0' 'RequestsPerDay 0' 'RequestsPerMonth 0' 'JournalRetention 0' \
		'LogLevel warning'
	"$builddir/milter/vtmilter" -f "$milter_conf" >>"$milter_log" 2>&1 &
	milter_pid=$!
	service_pids="$service_pids $milter_pid"
	wait_for 20 port_open "$port" || bail 'no vtmilter'
	null_port=$(free_port)
	start_null -t -d "inet:$null_port@127.0.0.1"
	"$drive" -m 2 -f "$work/letter-5k" "inet:$port@127.0.0.1" >/dev/null
	for i in $(seq $rounds); do
		load vtmilter "$milter_pid" "inet:$port@127.0.0.1" -m "$(few 300)" -f "$work/letter-5k"
		load null "$null_pid" "inet:$null_port@127.0.0.1" -m "$(few 300)" -f "$work/letter-5k"
	done | compare '5 KB by TCP, 1 session' vtmilter null
	stop_both
}

# smtp NAME PORT : a line "NAME 0 RATE 0 0".
smtp()
{
	local start count
	count=$(few 600)
	start=$(now_ms)
	smtp-source -s 10 -m "$count" -F "$work/letter-5k" -f sender@example.org -t user@example.test "inet:127.0.0.1:$2" \
		>/dev/null 2>&1 || diag 'smtp-source failed'
	echo "$1 0 $((count * 1000 / ($(now_ms) - start + 1))) 0 0"
	wait_for 60 queue_empty
}

queue_empty()
{
	[ "$(find "$work/postfix/spool/incoming" "$work/postfix/spool/active" -type f | wc -l)" = 0 ]
}

bench_postfix()
{
	local why i other
	why=$(postfix_missing) && { echo "through Postfix: not measured: $why"; return; }
	letter 2 >"$work/letter-5k"
	start_both 'RequestsPerMinute 0'
	chmod 666 "$work/null.sock"
	start_postfix virtual_transport=discard: default_process_limit=100 smtpd_client_connection_count_limit=0 ||
		bail 'no Postfix'
	other=$(free_port)
	cat >>"$postfix_dir/etc/master.cf" <<-CF
		127.0.0.1:$other inet n - n - - smtpd
		  -o smtpd_milters=unix:$work/null.sock
	CF
	postfix -c "$postfix_dir/etc" reload >/dev/null 2>&1
	wait_for 10 port_open "$other" || bail 'Postfix does not listen'
	smtp warm "$postfix_port" >/dev/null
	smtp warm "$other" >/dev/null
	for i in $(seq $rounds); do
		smtp vtmilter "$postfix_port"
		smtp null "$other"
	done | compare '5 KB through Postfix, 10 sessions (no CPU, no latency)' vtmilter null
	postfix_stop "$postfix_dir"
	stop_both
}

# The most messages that ever wait, until the file is there.
watch_waiting()
{
	local most=0 now
	until [ -e "$work/watched" ]; do
		now=$("$builddir/milter/vtmilterctl" -f "$milter_conf" --json status 2>/dev/null |
			sed -n 's/.*"waiting":\([0-9]*\).*/\1/p' | head -n 1)
		[ "${now:-0}" -gt "$most" ] && most=$now
		sleep 0.5
	done
	echo "$most" >"$work/most"
}

# One request a second and 100 messages a second with a link that nobody knows.
bench_overload()
{
	fresh >"$work/fresh"
	start_both 'RequestsPerMinute 60' 'Timeout 10'
	rm -f "$work/watched"
	watch_waiting &
	watcher=$!
	pairs '100 times the budget' -n 50 -m "$(few 20)" -j 500 -F -f "$work/fresh"
	: >"$work/watched"
	wait "$watcher"
	echo "waited at the same time: at most $(cat "$work/most"); MaxWaiting is 20"
	stop_both
}

# Memory while <count> sessions hold their messages; each, in KiB.
held()
{
	local what="$1" count="$2" before now
	shift 2
	before=$(memory "$milter_pid" RssAnon)
	"$drive" -n "$count" "$@" "unix:$milter_socket" >"$work/held" 2>&1 &
	held_pid=$!
	sleep "$hold"
	now=$(memory "$milter_pid" RssAnon)
	wait "$held_pid" || diag "$(cat "$work/held")"
	echo "$what: $count of them, $(((now - before) / count)) KiB each ($before to $now KiB)"
}

bench_memory()
{
	fresh >"$work/fresh"
	letter 25000 >"$work/letter-25m"
	start_both 'RequestsPerMinute 0' 'Timeout 60' 'MaxWaiting 10000'
	sleep 1
	echo "at rest: $(memory "$milter_pid" VmRSS) KiB, $(memory "$milter_pid" RssAnon) KiB of it its own"
	hold=3
	held 'connections with a message of 5 KB half told' "$(few 1000)" -w 6000 -b 5000
	vt_delay 8000
	held 'waiting messages' "$(few 1000)" -F -f "$work/fresh"
	vt_delay 0
	hold=$((percent == 100 ? 20 : 3))
	held 'messages of 25 MB being told' "$(few 64)" -w $((hold * 1000)) -t 600000 -f "$work/letter-25m"
	echo "at most, 25 MB messages being read: $(memory "$milter_pid" VmHWM) KiB, mapped files counted"
	stop_both
}

bench_growth()
{
	local n
	"$builddir/t/bench/bench-growth"
	letter 2 >"$work/letter-5k"
	start_both 'RequestsPerMinute 0' 'JournalRetention 0'
	"$drive" -m 2 -f "$work/letter-5k" "unix:$milter_socket" >/dev/null
	for n in 1 10 100 1000 2000; do
		n=$(few $n)
		load x "$milter_pid" "unix:$milter_socket" -n "$n" -m $(($(few 4000) / n + 1)) -f "$work/letter-5k" |
			awk -v n="$n" '{ print n, $2 }'
	done | awk '{ printf "%s%d: %d", (NR > 1 ? " " : "message, by connections       "), $1, $2; n = $1; c = $2 }
		NR == 1 { n1 = $1; c1 = $2 }
		END { printf " us of CPU each; exponent %.2f\n", n > n1 && c1 ? log(c / c1) / log(n / n1) : 0 }'
	stop_both
}

bench_store()
{
	[ ! -f "$srcdir/t/bench/bench-store.sh" ] || srcdir="$srcdir" builddir="$builddir" sh "$srcdir/t/bench/bench-store.sh"
}

# peer NAME PID SOCKET [MESSAGES] : it and vtmilter in turn, so many messages a session.
peer()
{
	local i messages
	messages=$(few "${4:-200}")
	for i in $(seq $rounds); do
		load vtmilter "$milter_pid" "unix:$milter_socket" -n 4 -m "$messages" -f "$work/bare-5k"
		load peer "$2" "$3" -n 4 -m "$messages" -f "$work/bare-5k"
	done | compare "5 KB, 4 sessions, against $1" vtmilter peer
}

# rspamd_proxy NAME CONFIGURATION [MESSAGES] : rspamd's own proxy, self-scanning, as a peer.
rspamd_proxy()
{
	local worker
	command -v rspamd >/dev/null || { echo "$1: not installed"; return; }
	rspamd --insecure -f -c "$2" --var=DBDIR="$work/rspamd" --var=RUNDIR="$work/rspamd" --var=LOGDIR="$work/rspamd" \
		>"$work/rspamd.log" 2>&1 &
	peer_pid=$!
	service_pids="$service_pids $peer_pid"
	wait_for 90 socket_open "$work/rspamd/sock" || { echo "$1: does not start"; return; }
	worker=$(pgrep -P "$peer_pid" -f rspamd_proxy | head -n 1)
	peer "$1" "${worker:-$peer_pid}" "unix:$work/rspamd/sock" "${3:-}"
	stop_pid "$peer_pid"
}

rspamd_worker()
{
	cat <<-CF
		worker "rspamd_proxy" { milter = yes; bind_socket = "$work/rspamd/sock mode=0666"; count = 1; timeout = 60s;
			upstream "local" { default = yes; self_scan = yes; } }
		logging { type = "file"; filename = "$work/rspamd/log"; level = "error"; }
	CF
}

# No rule, no module, no network: it parses, finds links and hashes parts.
peer_rspamd()
{
	mkdir -p "$work/rspamd"
	chmod 777 "$work/rspamd"
	{
		rspamd_worker
		cat <<-CF
			options { filters = ""; pidfile = "$work/rspamd/pid"; temp_dir = "$work/rspamd";
				rspamd_share_dir = "/usr/share/rspamd"; url_tld = "/usr/share/rspamd/effective_tld_names.dat";
				dns { nameserver = ["127.0.0.1:1"]; } control_socket = "$work/rspamd/control mode=0600"; }
			metric "default" { actions { reject = 1000; } }
		CF
	} >"$work/rspamd.conf"
	rspamd_proxy 'rspamd, links and digests only' "$work/rspamd.conf"
}

# As the package configures it, with all rules and modules that need no network: names are asked of nobody.
peer_rspamd_rules()
{
	mkdir -p "$work/rspamd"
	chmod 777 "$work/rspamd"
	{
		rspamd_worker
		cat <<-'CF'
			.include "$CONFDIR/common.conf"
			options {
				pidfile = "$RUNDIR/rules.pid";
				.include "$CONFDIR/options.inc"
				dns { nameserver = ["127.0.0.1:1"]; timeout = 0.01s; retransmits = 1; }
			}
			fuzzy_check { enabled = false; }
		CF
	} >"$work/rspamd-rules.conf"
	rspamd_proxy "rspamd with Debian's rules, no network" "$work/rspamd-rules.conf" 20
}

# It signs every message with a key of 2048 bits.
peer_opendkim()
{
	command -v opendkim >/dev/null || { echo 'opendkim: not installed'; return; }
	openssl genrsa -out "$work/dkim.pem" 2048 2>/dev/null
	printf '%s\n' 'Mode s' 'Domain example.org' 'Selector s' "KeyFile $work/dkim.pem" 'InternalHosts 0.0.0.0/0' \
		"Socket local:$work/opendkim.sock" 'Background no' 'AutoRestart no' 'Syslog no' 'RequireSafeKeys no' \
		"UserID $(id -un)" >"$work/opendkim.conf"
	opendkim -x "$work/opendkim.conf" >"$work/opendkim.log" 2>&1 &
	peer_pid=$!
	service_pids="$service_pids $peer_pid"
	wait_for 20 socket_open "$work/opendkim.sock" || { echo 'opendkim: does not start'; return; }
	peer 'opendkim, signing' "$peer_pid" "unix:$work/opendkim.sock"
	stop_pid "$peer_pid"
}

bench_peers()
{
	bare 4 >"$work/bare-5k"
	start_both 'RequestsPerMinute 0' 'JournalRetention 0'
	"$drive" -m 2 -f "$work/bare-5k" "unix:$milter_socket" >/dev/null
	peer_rspamd
	peer_rspamd_rules
	peer_opendkim
	stop_both
}

for part in $parts; do
	echo "---- $part"
	"bench_$part"
done
