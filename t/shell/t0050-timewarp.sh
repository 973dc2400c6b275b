#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0050-timewarp.sh - time that runs ahead or faster for programs under test
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"

[ -e "$builddir/t/standin/libtimewarp.so" ] || skip_all 't/standin/libtimewarp.so is not built'
warped=$builddir/t/standin/warped

# Hundredths of a second since the machine started: /proc is not warped.
uptime_cs()
{
	local up
	read -r up _ </proc/uptime
	echo "${up%.*}${up#*.}"
}

fast()
{
	LD_PRELOAD=$builddir/t/standin/libtimewarp.so TIMEWARP=20 "$@"
}

# Every way to wait takes 6 s, 20 times as fast.
start=$(uptime_cs)
fast "$warped" 6000 >"$work/ways"
took=$(($(uptime_cs) - start))
for way in poll select epoll nanosleep clock_nanosleep cond monotonic-cond glib; do
	between "$(sed -n "s/^$way //p" "$work/ways")" 5999 60000 "$way: 6 s by its own clock"
done
between_ms "$took" 200 480 'eight times 6 s took 2.4 s of everybody else'\''s'

# Without the library the waits are what they were.
start=$(uptime_cs)
"$warped" 100 >"$work/ways"
between "$(($(uptime_cs) - start))" 75 2000 'without it: eight times 0.1 s'

# Children and strangers agree by the epoch.
epoch=$(awk '{ printf "%.0f", $1 * 1e9 }' /proc/uptime)
sleep 0.1
fast env TIMEWARP_EPOCH="$epoch" "$warped" clocks >"$work/one"
fast env TIMEWARP_EPOCH="$epoch" sh -c "$warped clocks" >"$work/two"
read -r utc seconds day boot _ <"$work/one"
read -r utc2 _ _ boot2 _ <"$work/two"
between "$((utc - $(date +%s) * 1000))" 1000 600000 'by now it is seconds ahead'
between "$((utc - seconds))" 0 1100 'time() agrees with clock_gettime()'
between "$((utc - day))" -100 100 'gettimeofday() too'
between "$((utc2 - utc))" 0 100000 'another program agrees on the time'
between "$(((utc2 - utc) - (boot2 - boot)))" -50 50 'all clocks go alike'

# By a file: ahead, and jumping while somebody waits.
warp_clock
ahead()
{
	env $service_env "$@"
}
warp_by 3600
between "$(($(ahead "$warped" clocks | cut -d ' ' -f 1) / 1000 - $(date +%s)))" 3599 3601 'an hour ahead'
perl -e 'print pack "q2", 0, -3600 * 1000' >"$work/set"
env $service_env VTM_TIMEWARP="$work/set" "$warped" clocks >"$work/one"
read -r utc seconds day boot _ <"$work/one"
between "$((utc / 1000 - $(date +%s)))" -3601 -3599 'a clock that was set back an hour'
between "$((boot / 1000 - $(cut -d . -f 1 /proc/uptime)))" -2 2 'the time since the boot is what it was'
for way in poll select epoll nanosleep clock_nanosleep cond monotonic-cond glib; do
	start=$(uptime_cs)
	ahead "$warped" 60000 "$way" >"$work/way" &
	waiter=$!
	while sleep 0.2 && alive "$waiter"; do
		warp_by 61	# the first one may come before it waits
	done
	wait "$waiter"
	between "$(($(uptime_cs) - start))" 20 3000 "$way: a minute jumped over"
done
done_testing
