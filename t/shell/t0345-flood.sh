#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0345-flood.sh - 300 messages at once, each with fresh links, under 4 requests a minute: all are delivered at once but the few that
# wait for an answer that can come; also when vtmilter is killed in the middle.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_postfix

# flood NAME COUNT : from 30 clients; prints how long each message took in ms, a line a message, "failed" for one refused.
flood()
{
	perl -MNet::SMTP -MTime::HiRes=time -e '
		my ($name, $count, $port) = @ARGV;
		my @children;
		for my $c (0 .. 29) {
			my $pid = fork;
			if ($pid) { push @children, $pid; next }
			my $out = "";
			for (my $i = $c; $i < $count; $i += 30) {
				my $start = time;
				my $s = Net::SMTP->new("127.0.0.1", Port => $port, Timeout => 60);
				my $fine = $s && $s->mail("sender\@flood$i.example.org") && $s->to("user\@example.test") && $s->data(
					"From: a\@example.org\nSubject: flood\nMessage-ID: <$name-$i\@flood>\n\n" .
					join("", map "http://h$_.$name-$i.example.com/page\n", 1 .. 3));
				$s->quit if $s;
				$out .= $fine ? sprintf("%d\n", 1000 * (time - $start)) : "failed\n";
			}
			syswrite STDOUT, $out;
			exit 0;
		}
		waitpid $_, 0 for @children;' "$1" "$2" "$postfix_port" >"$work/flood.$1"
}

# slow NAME MS : how many of them took longer.
slow()
{
	awk -v ms="$2" '$1 > ms && $1 != "failed"' "$work/flood.$1" | wc -l
}

arrived()
{
	[ "$(grep -rlF "Message-ID: <$1-" "$postfix_dir/mail/all/new" | wc -l)" = "$2" ]
}

start_fakevt || bail 'no stand-in'
start_vtmilter 'Timeout 20' 'RequestsPerMinute 4' 'RequestsPerDay 500' || bail 'no vtmilter'
start_postfix default_process_limit=200 smtpd_client_connection_count_limit=0 || bail 'no Postfix'
sleep 1
vt_delay 6000

before=$(now_ms)
flood first 300
is "$(grep -c failed "$work/flood.first")" 0 'nobody was refused'
ok 'all 300 are delivered' wait_for 30 arrived first 300
diag "slower than 5 s: $(slow first 5000); slowest: $(sort -n "$work/flood.first" | tail -n 1) ms"
sanitized || between "$(slow first 5000)" 0 9 'at most 9 waited'
between "$(vt_count requests)" 4 $((4 + 4 * ($(now_ms) - before) / 60000)) 'four requests a minute were sent'
is "$(vt_count violations)" 0 'none beyond the limit'
is "$(grep -rl '^X-VT-Tag: VT_Scanned' "$postfix_dir/mail/all/new" | wc -l)" 0 'nothing is called scanned'
is "$(grep -rL '^X-VT-Tag: ' "$postfix_dir/mail/all/new" | wc -l)" 0 'every message is tagged'

flood second 300 &
flooding=$!
sleep 0.5
stop_vtmilter KILL
start_vtmilter || bail 'vtmilter does not start again'
wait "$flooding"
is "$(grep -c failed "$work/flood.second")" 0 'killed in the middle: nobody was refused'
ok 'all 300 are delivered' wait_for 30 arrived second 300
sanitized || between "$(slow second 5000)" 0 9 'at most 9 waited'
is "$(vt_count violations)" 0 'no request beyond the limit'
done_testing
