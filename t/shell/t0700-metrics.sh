#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0700-metrics.sh - /metrics and /healthz: every number moves with what it counts, every fault is told
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_program curl
need_postfix

port=$(free_port)
url=http://127.0.0.1:$port

get()
{
	curl -s --max-time 10 "$url/$1"
}

status_of()
{
	curl -s -o "$work/body" -w '%{http_code}' --max-time 10 "$@"
}

# metric NAME : the value of the sample of this name and these labels, without decimals.
metric()
{
	get metrics | awk -v name="vtmilter_$1" '$1 == name { printf "%d\n", $2 }'
}

metric_is()
{
	[ "$(metric "$1")" = "$2" ]
}

health_is()
{
	[ "$(status_of "$url/healthz")" = "$1" ]
}

start_fakevt --per-minute 0 || bail 'no stand-in'
know_samples || bail 'it learned nothing'
start_vtmilter "MetricsListen 127.0.0.1:$port" 'RequestsPerMinute 100' 'RequestsPerDay 400' 'RequestsPerMonth 0' \
	'ReserveForManual 10' 'CacheTTLUnknown 1s' 'SkipNetworks 192.0.2.0/24' || bail 'vtmilter did not start'
start_postfix || bail 'Postfix did not start'

# ---- HTTP ----

is "$(status_of "$url/healthz")" 200 'healthy'
is "$(cat "$work/body")" ok 'and says so'
is "$(status_of "$url/")" 404 'no other page'
is "$(status_of -X POST -d x "$url/metrics")" 405 'nothing to post'
like "$(curl -s -I --max-time 10 "$url/metrics")" '^Content-Type: text/plain; version=0.0.4' 'HEAD, and the type of the format'
get metrics >"$work/metrics"
# What the manual lists and what is there are the same; two families are told once VirusTotal told its own count.
is "$(sed -n '/^\.It daemon/,/^\.El/s/^\.Cm //p' "$srcdir/milter/vtmilter.8" | tr -d ' ' | tr ',' '\n' | grep . |
	grep -v '^server_' | sort)" "$(sed -n 's/^# TYPE vtmilter_\([a-z_]*\) .*/\1/p' "$work/metrics" | grep -v '^server_' | sort)" \
	'vtmilter(8) lists every family, and no other'
if command -v promtool >/dev/null; then
	ok 'promtool finds no fault' promtool check metrics <"$work/metrics"
	ok 'nor in the alert rules' promtool check rules "$srcdir/contrib/grafana/alerts.yml"
	cp "$srcdir/contrib/grafana/alerts.yml" "$srcdir/t/data/alerts-test.yml" "$work"
	ok 'each fires when it should, and none when all is well' promtool test rules "$work/alerts-test.yml"
	is "$(grep -o 'alertname="[A-Za-z]*' "$work/alerts-test.yml" | sed 's/.*"//' | sort)" \
		"$(sed -n 's/.*- alert: //p' "$work/alerts.yml" | sort)" 'and none was left out'
else
	skip 'promtool is not installed (Debian: prometheus)' 'promtool finds no fault'
	skip 'promtool is not installed (Debian: prometheus)' 'nor in the alert rules'
	skip 'promtool is not installed (Debian: prometheus)' 'each fires when it should, and none when all is well'
fi

# Clients that misbehave cost nobody else more than a place in the queue, and nothing for ever.
cat >"$work/client" <<'PERL'
use strict;
use warnings;
use IO::Socket::INET;
$SIG{PIPE} = 'IGNORE';
my ($port, $what) = @ARGV;
sub client { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Timeout => 5) }
sub answer { my ($request) = @_; my $s = client() or return 'refused'; print $s $request; $s->flush;
	local $SIG{ALRM} = sub { die }; my $all = eval { alarm 20; local $/; my $a = <$s>; alarm 0; $a } // '';
	return ($all =~ m{^(HTTP/1\.[01] \d+)}) ? $1 : 'closed'; }
if ($what eq 'garbage') { print answer("\x00\xff\x80 garbage\r\n\r\n"), "\n" }
elsif ($what eq 'huge') { print answer("GET /metrics HTTP/1.1\r\nHost: x\r\nX: " . ('y' x 100000) . "\r\n\r\n"), "\n" }
elsif ($what eq 'line') { print answer('GET /' . ('y' x 100000) . " HTTP/1.1\r\nHost: x\r\n\r\n"), "\n" }
elsif ($what eq 'post') { print answer("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nConnection: close\r\n\r\nx"), "\n" }
elsif ($what eq 'many') {	# slow ones: a thousand that say half a line and wait
	my @s = map { my $s = client(); print $s 'GET /met' if $s; $s } 1 .. 1000;
	print "ready\n"; STDOUT->flush; <STDIN>;
}
PERL
client()
{
	perl "$work/client" "$port" "$1"
}
like "$(client garbage)" '^(HTTP/1\.[01] 400|closed)$' 'garbage'
like "$(client huge)" '^(HTTP/1\.[01] 4[0-9][0-9]|closed)$' 'a header of 100 kB'
like "$(client line)" '^(HTTP/1\.[01] 4[0-9][0-9]|closed)$' 'a request line of 100 kB'
like "$(client post)" '^(HTTP/1\.[01] 405|closed)$' 'a POST that promises 100 MB'
fds=$(ls "/proc/$milter_pid/fd" | wc -l)
mkfifo "$work/go"
client many <"$work/go" >"$work/many" &
many=$!
exec 9>"$work/go"
ok '1000 connections that do not go on' wait_for 30 grep -q ready "$work/many"
between "$(ls "/proc/$milter_pid/fd" | wc -l)" 1 $((fds + 20)) 'hold few descriptors'
ok 'mail goes on' socket_open "$milter_socket"
exec 9>&-
wait $many
ok 'and then it answers again' wait_for 30 health_is 200

# ---- the numbers ----

is "$(metric 'messages_total{plan="scan"}')" 0 'no message yet'
for mail in clean-attachment bad-attachment plain; do
	send_mail $mail.eml && delivered $mail.eml >/dev/null || bail "$mail was not delivered"
done
is "$(metric 'messages_total{plan="scan"}')" 3 'messages'
is "$(metric messages_untagged_total)" 1 'one had no item'
is "$(metric 'items_total{kind="attachment",verdict="clean"}')" 1 'a clean attachment'
is "$(metric 'items_total{kind="attachment",verdict="bad"}')" 1 'a bad one'
is "$(metric 'tags_total{tag="VT_Bad"}')" 1 'its tag'
is "$(metric 'tags_total{tag="VT_Scanned"}')" 1 'and the other'
is "$(metric message_delay_seconds_count)" 3 'their delay'
ok 'VirusTotal was asked for its own count' wait_for 15 metric_is 'api_answers_total{answer="quotas"}' 1
is "$(metric 'api_status_total{code="200"}')" "$(($(vt_count requests) + 1))" 'answers by HTTP status'
is "$(metric 'api_answers_total{answer="report"}')" 2 'by meaning'
is "$(metric api_answer_seconds_count)" "$(metric 'api_status_total{code="200"}')" 'and by time'
is "$(metric 'budget_used_requests{window="day"}')" "$(vt_count requests)" 'requests used of the day'
is "$(metric 'budget_left_requests{window="day"}')" "$((400 - $(vt_count requests)))" 'and left'
is "$(metric 'budget_used_requests{window="minute"}')" "$(vt_count requests)" 'of the minute'
is "$(metric 'budget_left_requests{window="month"}')" '' 'nothing about a limit that is not set'
is "$(metric 'messages_released_total{why="answered"}')" 2 'two waited until they were answered'
is "$(metric 'cache_hits_total{layer="memory"}')" 0 'nothing was known'
forget_delivered
send_mail clean-attachment.eml && delivered clean-attachment.eml >/dev/null || bail 'not delivered'
is "$(metric 'cache_hits_total{layer="memory"}')" 1 'now it is'
is "$(metric cache_entries)" 2 'as is the other'
ok 'the journal was written' wait_for 15 metric_is journal_written_total 3
is "$(metric messages_open)" 0 'none is under way'
is "$(metric 'spool_bytes{where="memory"}')" 0 'nothing is kept'

# Parts that decoders read, in the metrics and in status.
cat >"$work/gzip.eml" <<-END
	From: a@example.org
	To: user@example.test
	Subject: gzip
	Message-Id: <gzip@example.org>
	MIME-Version: 1.0
	Content-Type: application/gzip; name="a.txt.gz"
	Content-Disposition: attachment; filename="a.txt.gz"
	Content-Transfer-Encoding: base64

	$(printf 'inside\n' | gzip -n | base64)
END
is "$(metric 'parts_decoded_total{decoder="archive"}')" 0 'nothing was decoded yet'
send_mail "$work/gzip.eml" && delivered "$work/gzip.eml" >/dev/null || bail 'not delivered'
is "$(metric 'parts_decoded_total{decoder="archive"}')" 1 'an archive that was decoded'
is "$(metric decoders_started_total)" 1 'by one process'
is "$(metric decoders_busy)" 0 'which is free again'
like "$("$builddir/milter/vtmilterctl" -f "$milter_conf" --json status)" '"decoded":\{"archive":1,' 'in status too'
like "$("$builddir/milter/vtmilterctl" -f "$milter_conf" status)" '^decoded:? +1 parts; not decoded: 0 ' 'and for people'

# Not answered in time: waiting, then pending, then late and bad.
vt_delay 2500
send_mail bad-link.eml &
ok 'a message that waits' wait_for 15 metric_is messages_waiting 1
is "$(metric 'healthy')" 1 'which is no illness'
wait $!
vt_delay 0
delivered bad-link.eml >/dev/null || bail 'not delivered'
between "$(metric message_delay_seconds_sum)" 2 9 'its delay in the sum'
sed -i "s,^Timeout .*,Timeout 0," "$milter_conf"
kill -USR1 "$milter_pid"
wait_for 15 grep -q 'reload: done' "$milter_log" || bail 'no reload'
vt add file "$(printf 'late\n' | sha256sum | cut -c 1-64)" 50/72 >/dev/null
cat >"$work/late.eml" <<-END
	From: a@example.org
	To: user@example.test
	Subject: late
	Message-Id: <late@example.org>
	MIME-Version: 1.0
	Content-Type: application/octet-stream; name="late.exe"
	Content-Disposition: attachment; filename="late.exe"
	Content-Transfer-Encoding: base64

	$(printf 'late\n' | base64)
END
send_mail "$work/late.eml" && delivered "$work/late.eml" >/dev/null || bail 'not delivered'
is "$(metric 'tags_total{tag="VT_Pending"}')" 1 'pending when it does not wait'
ok 'a delivered message that turned out bad' wait_for 10 metric_is late_bad_messages_total 1

# ---- not well ----

vt fault close >/dev/null
for i in 1 2 3 4; do
	sed "s/late@/x$i@/; s/^bGF0ZQo=/$(printf 'x%s\n' $i | base64)/" "$work/late.eml" >"$work/x$i.eml"
	send_mail "$work/x$i.eml"
done
ok 'VirusTotal fails: the circuit opens' wait_for 20 health_is 503
like "$(cat "$work/body")" '^circuit: (half-)?open \(service\)' 'and says why'
is "$(metric healthy)" 0 'in the metrics too'
is "$(metric 'circuit_state{state="closed"}')" 0 'it is not closed'
vt fault none >/dev/null
kill -USR1 "$milter_pid"
ok 'a reload tries at once' wait_for 20 health_is 200
stop_vtmilter
write_conf "MetricsListen 127.0.0.1:$port"
sed -i "s,^Store .*,Store sqlite:$work/broken.db," "$milter_conf"
head -c 8192 /dev/zero | tr '\\000' x >"$work/broken.db"
start_vtmilter || bail 'vtmilter did not start'
ok 'a store that cannot be opened' wait_for 10 health_is 503
like "$(cat "$work/body")" '^store: ' 'is told'
is "$(metric store_up)" 0 'in the metrics too'
stop_vtmilter
start_vtmilter "MetricsListen 127.0.0.1:$port" 'Enabled no' || bail 'vtmilter did not start'
is "$(get healthz)" 'ok (not Enabled)' 'not Enabled'
is "$(get metrics | grep -c vtmilter_budget)" 0 'and no budget'
stop_vtmilter
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 1, ReuseAddr => 1, LocalPort => $ARGV[0], LocalAddr => "127.0.0.1")
	or die; sleep 60' "$port" &
taken=$!
wait_for 15 port_open "$port"
start_vtmilter "MetricsListen 127.0.0.1:$port"
ok 'a port that is taken does not keep it from serving mail' socket_open "$milter_socket"
like "$(tail -n 3 "$milter_log")" "MetricsListen 127.0.0.1:$port: cannot listen there: " 'but is told'
kill $taken

# ---- dashboard and rules use what there is ----

families=$(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$work/metrics")
for file in dashboard.json alerts.yml; do
	unknown=
	for name in $(grep -o 'vtmilter_[a-z_]*' "$srcdir/contrib/grafana/$file" | sort -u); do
		base=$(echo "$name" | sed 's/_\(bucket\|sum\|count\)$//')
		case "$name" in vtmilter_server_used_requests) continue ;; esac	# told once VirusTotal told its own count
		printf '%s\n' $families | grep -qx -e "$name" -e "$base" || unknown="$unknown $name"
	done
	is "$unknown" '' "contrib/grafana/$file uses only metrics that exist"
done
# The dashboard's expressions as rules, so that promtool reads them.
perl -MJSON::PP -e 'local $/; my $d = decode_json(<STDIN>); my $n = 0;
	print "groups:\n  - name: dashboard\n    rules:\n";
	for my $panel (@{$d->{panels}}) { for my $t (@{$panel->{targets} // []}) {
		my $e = $t->{expr}; $e =~ s/\$\w+/x/g;
		printf "      - record: panel:%d\n        expr: %s\n", $n++, JSON::PP->new->allow_nonref->encode($e); } }
	die "no panels\n" if $n < 20;' <"$srcdir/contrib/grafana/dashboard.json" >"$work/dashboard.yml" || bail 'no expressions'
if command -v promtool >/dev/null; then
	ok "promtool reads the dashboard's expressions" promtool check rules "$work/dashboard.yml"
else
	skip 'promtool is not installed (Debian: prometheus)' "promtool reads the dashboard's expressions"
fi
ok 'the dashboard is JSON' perl -MJSON::PP -e 'local $/; decode_json(<STDIN>)' <"$srcdir/contrib/grafana/dashboard.json"
done_testing
