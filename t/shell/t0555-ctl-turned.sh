#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0555-ctl-turned.sh - delivered mail that turns bad by vtmilterctl submit or rescan: journal, log, metric and
# LateVerdictCommand have it, with the daemon and without
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilterctl milter/vtmilter t/standin/fakevt t/standin/milter-drive t/standin/libtimewarp.so

ctl()
{
	"$builddir/milter/vtmilterctl" -f "$milter_conf" "$@"
}

# Analyses are asked for after 15 seconds and more: time runs faster for it.
submit()
{
	env LD_PRELOAD="$builddir/t/standin/libtimewarp.so" TIMEWARP=50 "$builddir/milter/vtmilterctl" -f "$milter_conf" submit \
		--public "$@"
}

# deliver NAME : a message with a link of its own, which VirusTotal calls bad once it was submitted
deliver()
{
	vt add url "https://$1.turned.example.com/" 30/95 hidden >/dev/null
	printf '%s\n' 'From: a@example.org' "Message-ID: <$1@turned.example>" '' "https://$1.turned.example.com/" >"$work/$1.eml"
	"$builddir/t/standin/milter-drive" -t 15000 -f "$work/$1.eml" "unix:$milter_socket" >/dev/null
	wait_for 20 tagged "$1" VT_URL_not_found
}

tagged()
{
	ctl list --json --tag "$2" | grep -q "\"message_id\":\"<$1@turned.example>\""
}

ran()
{
	grep -q "\"message_id\":\"<$1@turned.example>\"" "$work/late.json"
}

logged()
{
	grep -q 'late-verdict=bad' "$milter_log"
}

# counted N
counted()
{
	[ "$(metric)" = "$1" ]
}

metric()
{
	perl -MHTTP::Tiny -e 'print HTTP::Tiny->new->get($ARGV[0])->{content}' "http://127.0.0.1:$metrics/metrics" |
		sed -n 's/^vtmilter_late_bad_messages_total //p'
}

printf '#!/bin/sh\ncat >>"%s"\n' "$work/late.json" >"$work/command"
chmod 755 "$work/command"
: >"$work/late.json"
start_fakevt --per-minute 0 || bail 'no stand-in'
metrics=$(free_port)
start_vtmilter 'RequestsPerMinute 0' "LateVerdictCommand $work/command" "MetricsListen 127.0.0.1:$metrics" ||
	bail 'no milter'

# ---- submitted beside the daemon

ok 'a link that VirusTotal does not know' deliver one
exits 1 'submit: it is bad' submit https://one.turned.example.com/
ok 'submit: the journal says so' wait_for 10 tagged one VT_Bad
ok 'submit: the log too' wait_for 10 logged
ok 'submit: it is counted' wait_for 10 counted 1
ok 'submit: the command was run' wait_for 20 ran one
before=$(vt_count requests)
"$builddir/t/standin/milter-drive" -t 15000 -f "$work/one.eml" "unix:$milter_socket" >/dev/null
ok 'submit: the next message with it is bad at once' grep -q 'verdict=bad, detections=30/95' "$milter_log"
is "$(vt_count requests)" "$before" 'submit: without a request'

# ---- asked again

ok 'another link' deliver two
vt add url https://two.turned.example.com/ 30/95 >/dev/null
exits 1 'rescan: it is bad now' ctl rescan two@turned.example
ok 'rescan: the journal says so' wait_for 10 tagged two VT_Bad
ok 'rescan: it is counted' wait_for 10 counted 2
ok 'rescan: the command was run' wait_for 20 ran two
is "$(grep -c 'late-verdict=bad' "$milter_log")" 2 'rescan: one line in the log'

# ---- without the daemon

ok 'two more links' eval 'deliver three && deliver four'
stop_vtmilter
exits 1 'no daemon: submit' submit https://three.turned.example.com/
ok 'no daemon: the journal has it' tagged three VT_Bad
vt add url https://four.turned.example.com/ 30/95 >/dev/null
exits 1 'no daemon: rescan' ctl rescan four@turned.example
ok 'no daemon: the journal has it, too' tagged four VT_Bad
start_vtmilter || bail 'no milter'
ok 'the command is run when it starts' wait_for 20 ran three
ok 'for both' wait_for 20 ran four
is "$(grep -c turned.example "$work/late.json")" 4 'and once for each message'
is "$(vt_count violations)" 0 'none was beyond the budget'
done_testing
