#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0805-faults.sh - what an MTA may do, and the milter gone at each step of the protocol (t/shell/matrix.sh).  VTM_LONG=1:
# 2,000 sessions at once, and each fault of the process with each of the MTA, and one of the spool by turns.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/matrix.sh"
need_built t/standin/milter-drive
sessions=60
driven=300
[ -z "${VTM_LONG:-}" ] || { sessions=2000; driven=2000; }
matrix_start

cell none none none none none
for fault in $mta_faults; do
	cell none none none none "$fault"
done
for step in connect mail rcpt header eoh body eom waiting delete insert; do
	step_cell kill "$step" accept
done
for step in connect body insert; do
	step_cell kill "$step" tempfail
done
for step in connect mail rcpt header eoh body eom waiting delete insert; do
	step_cell cut "$step" accept
done

# By the milter protocol alone: more sessions than a Postfix has processes, and sessions that end anywhere.
mail_text clean-attachment.eml >"$work/clean.eml"
for where in connect negotiate abort body eom; do
	"$builddir/t/standin/milter-drive" -n 40 -f "$work/clean.eml" -x "$where" "unix:$milter_socket" >/dev/null 2>&1
	ok "sessions end at $where: a fresh message gets its tag" recovered
done
like "$("$builddir/t/standin/milter-drive" -n "$driven" -f "$work/clean.eml" "unix:$milter_socket")" ' errors=0 ' \
	"$driven sessions at once: none fails"
ok "$driven sessions at once: a fresh message gets its tag" recovered

if [ -n "${VTM_LONG:-}" ]; then
	# Every two faults of process and MTA, spool and process, spool and MTA meet in some cell.
	set -- none $spool_faults
	turn=0
	for process in none $process_faults; do
		place=$turn
		for mta in none $mta_faults; do
			spool=$(printf '%s\n' "$@" | sed -n "$((place % $# + 1))p")
			cell none none "$spool" "$process" "$mta"
			place=$((place + 1))
		done
		turn=$((turn + 1))
	done
fi
is "$(vt_count violations)" 0 'no request beyond the budget'
matrix_end
