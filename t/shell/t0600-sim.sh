#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0600-sim.sh - days of mail through the daemon's scheduler: the budget holds, mail does not wait for what cannot come.
. "${srcdir:-.}/t/shell/lib.sh"

# value NAME LINE : the number behind NAME=, without its unit.
value()
{
	echo "$2" | tr ' ' '\n' | sed -n "s/^$1=\([0-9.]*\).*/\1/p"
}

for pattern in poisson burst newsletter abuser; do
	line=$("$builddir/t/sim" --pattern $pattern --days 2)
	ok "$pattern: the simulator ends well" [ $? = 0 ]
	diag "$line"
	is "$(value violations "$line")" 0 "$pattern: no request over the budget"
	ok "$pattern: the budget is used" [ "$(value requests "$line")" -ge 900 ]
	is "$(value delay_median "$line")" 0.000 "$pattern: the median message is not delayed"
	ok "$pattern: nobody waits longer than the time-out" [ "$(value delay_max "$line" | cut -d. -f1)" -le 120 ]
	ok "$pattern: never more than 9 wait" [ "$(value waiting_max "$line")" -le 9 ]
done

line=$("$builddir/t/sim" --pattern poisson --messages 300)
diag "$line"
is "$(value risky_asked "$line")" 100.0 "300 messages a day: every risky attachment is asked"

# A mailbox of 1000 look-ups is scanned by hand meanwhile: mail is answered about as often and as soon as without.
before=$("$builddir/t/sim" --messages 60 --days 2)
line=$("$builddir/t/sim" --messages 60 --days 2 --bulk 1000)
diag "$before"
diag "$line"
is "$(value violations "$line")" 0 'a scan in bulk: no request over the budget'
ok 'a scan in bulk: it goes on' [ "$(value bulk_asked "$line")" -ge 100 ]
is "$(value risky_asked "$line")" 100.0 'a scan in bulk: every risky attachment of mail is asked'
ok 'a scan in bulk: mail has its answers in time' [ "$(value answered_before "$line" | cut -d. -f1)" -ge \
	$(($(value answered_before "$before" | cut -d. -f1) - 5)) ]
ok 'a scan in bulk: and waits no longer for them' [ "$(value delay_p99 "$line" | cut -d. -f1)" -le \
	$(($(value delay_p99 "$before" | cut -d. -f1) + 10)) ]
line=$("$builddir/t/sim" --messages 10000 --bulk 1000)
diag "$line"
ok 'a scan in bulk: beside more mail than the budget it is not starved' [ "$(value bulk_asked "$line")" -ge 10 ]

line=$("$builddir/t/sim" --pattern poisson --policy fifo)
diag "$line"
ok 'first in first out, as a naive milter: the median message is delayed' [ "$(value delay_median "$line" | cut -d. -f1)" -ge 60 ]

# Real items: of the sample messages here, or of the corpus where there is one.
messages=$srcdir/../shared/corpus/messages
[ -d "$messages" ] || messages=$data/messages
"$builddir/milter/vtmilterctl" extract --json "$messages" >"$work/items.json" 2>/dev/null
line=$("$builddir/t/sim" --pattern items --items "$work/items.json" --messages 1000)
diag "$line"
is "$(value violations "$line")" 0 'real items: no request over the budget'
is "$(value delay_median "$line")" 0.000 'real items: the median message is not delayed'
ok 'real items: never more than 9 wait' [ "$(value waiting_max "$line")" -le 9 ]
is "$(value risky_asked "$line")" 100.0 'real items: every attachment is asked'
"$builddir/t/sim" --pattern items >/dev/null 2>&1
is $? 64 'items without a file are refused'

"$builddir/t/sim" --pattern nonsense >/dev/null 2>&1
is $? 64 'an unknown pattern is refused'
done_testing
