#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0800-faults.sh - whatever breaks, mail flows unaltered, nothing is called scanned, no request is beyond the budget,
# and the daemon recovers by itself (t/shell/matrix.sh).  Each fault of VirusTotal, store, spool and process by itself, then
# some together; VTM_LONG=1 takes every fault of VirusTotal with every one of the store.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/matrix.sh"
matrix_start

cell none none none none none
for fault in $vt_faults; do
	cell "$fault" none none none none
done
for fault in $store_faults; do
	cell none "$fault" none none none
done
for fault in $spool_faults; do
	cell none none "$fault" none none
done
for fault in $process_faults; do
	cell none none none "$fault" none
done

# Every two of these faults stand together in some cell.
while read -r vt store process; do
	cell "$vt" "$store" none "$process" none
done <<-PAIRS
	stall full stopped
	stall corrupt killed
	stall locked clock-back
	garbage full killed
	garbage corrupt clock-back
	garbage locked stopped
	429 full clock-back
	429 corrupt stopped
	429 locked killed
PAIRS

if [ -n "${VTM_LONG:-}" ]; then
	cell none none none stopped-a-minute none
	for vt in $vt_faults; do
		for store in $store_faults; do
			cell "$vt" "$store" none none none
		done
	done
fi
matrix_end
