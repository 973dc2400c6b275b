#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# lib.sh - for the shell tests: TAP, a directory that goes away, private services.
#
#	#!/bin/sh
#	# tNNNN-what.sh - one sentence
#	. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
#	need_postfix
#	start_fakevt
#	start_vtmilter 'Timeout 2'
#	start_postfix
#	send_mail clean.eml && mail=$(delivered clean.eml)
#	is "$(tags "$mail")" 'VT_Scanned' 'a clean attachment'
#	done_testing
#
# Everything lives below $work, which is removed at the end (VTM_KEEP=1 keeps it and says where it is).  Services are
# ended by their process ids.  Nothing but loopback is used; ports are chosen when needed.  POSIX sh and `local`.

srcdir=$(cd "${srcdir:-$(dirname "$0")/../..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
test_name=$(basename "$0" .sh)
data=$srcdir/t/data
LC_ALL=C.UTF-8
TZ=UTC
G_SLICE=always-malloc	# so that sanitizers see every allocation
export LC_ALL TZ G_SLICE
unset VT_API_KEY CREDENTIALS_DIRECTORY
work=$(mktemp -d "${TMPDIR:-/tmp}/vtm-${test_name%%-*}.XXXXXX") || exit 1
chmod 755 "$work"
. "$srcdir/t/shell/services.sh"
sanitizer_setup
times_slower=1	# than without sanitizers
! sanitized || times_slower=10

# ---- TAP -------------------------------------------------------------------------------------------------------------

tap_count=0
tap_failed=0

# A line for people.
diag()
{
	printf '%s\n' "$*" | sed 's/^/# /' >&2
}

# table_line ROW : what was tried and what came out, for the end of a test: `diag "HEAD$table"`.  With VTM_TABLE=FILE it
# goes there at once, too.
table=
table_line()
{
	table="$table
$1"
	[ -z "${VTM_TABLE:-}" ] || printf '%s\n' "$1" >>"$VTM_TABLE"
}

tap_pass()
{
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s\n' "$tap_count" "$1"
}

tap_fail()
{
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	printf 'not ok %d - %s\n' "$tap_count" "$1"
	return 1
}

# ok NAME COMMAND [ARGUMENT ...] : the command succeeds; its output is shown when it does not.
ok()
{
	local name="$1" status
	shift
	"$@" >"$work/said" 2>&1
	status=$?
	[ "$status" = 0 ] && { tap_pass "$name"; return; }
	diag "exit status $status from: $*"
	[ ! -s "$work/said" ] || diag "$(head -c 4096 "$work/said")"
	tap_fail "$name"
}

# exits STATUS NAME COMMAND [ARGUMENT ...] : the command ends with just this status.
exits()
{
	local want="$1" name="$2" status
	shift 2
	"$@" >"$work/said" 2>&1
	status=$?
	[ "$status" = "$want" ] && { tap_pass "$name"; return; }
	diag "exit status $status, not $want, from: $*"
	[ ! -s "$work/said" ] || diag "$(head -c 4096 "$work/said")"
	tap_fail "$name"
}

# is GOT WANT NAME
is()
{
	[ "$1" = "$2" ] && { tap_pass "$3"; return; }
	diag "got:  $1"
	diag "want: $2"
	tap_fail "$3"
}

# like GOT REGEX NAME, unlike GOT REGEX NAME : extended regular expressions, of any line.
like()
{
	printf '%s\n' "$1" | grep -Eq -e "$2" && { tap_pass "$3"; return; }
	diag "got:  $1"
	diag "want: /$2/"
	tap_fail "$3"
}

unlike()
{
	printf '%s\n' "$1" | grep -Eq -e "$2" || { tap_pass "$3"; return; }
	diag "got:  $1"
	diag "want nothing like /$2/"
	tap_fail "$3"
}

# between GOT LOW HIGH NAME : integers, LOW <= GOT <= HIGH.
between()
{
	[ "$1" -ge "$2" ] 2>/dev/null && [ "$1" -le "$3" ] && { tap_pass "$4"; return; }
	diag "got $1, want $2 to $3"
	tap_fail "$4"
}

# between_ms GOT LOW HIGH NAME : of a stop-watch, which runs faster than a build with sanitizers.
between_ms()
{
	between "$1" "$2" $(($3 * times_slower)) "$4"
}

# skip WHY NAME : counts as passed, named as skipped.
skip()
{
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s # SKIP %s\n' "$tap_count" "$2" "$1"
}

# The whole test cannot run here.
skip_all()
{
	printf '1..0 # SKIP %s\n' "$1"
	exit 0
}

# The last line of every test.
done_testing()
{
	end_services
	[ -z "$(sanitizer_reports)" ] || tap_fail 'no sanitizer has anything to report'
	printf '1..%d\n' "$tap_count"
	[ "$tap_failed" = 0 ] || { show_logs; exit 1; }
	exit 0
}

# Something that is no check went wrong: nothing after it would mean anything.
bail()
{
	diag "$*"
	show_logs
	exit 1
}

show_logs()
{
	local log
	sanitizer_reports | while read -r log; do
		diag "---- of a sanitizer, in $log:"
		diag "$(grep -aA 60 -e "$sanitizer_words" "$log" | head -n 100)"
	done
	for log in "$work"/*.log "$work"/postfix/log/maillog; do
		[ -s "$log" ] || continue
		diag "---- the end of $(basename "$log"):"
		diag "$(tail -n 30 "$log")"
	done
}

# need_program NAME ... : skips the whole test where one is missing.
need_program()
{
	local program
	for program; do
		command -v "$program" >/dev/null || skip_all "$program is not installed"
	done
}

need_built()
{
	local program
	for program; do
		[ -x "$builddir/$program" ] || skip_all "$program is not built"
	done
}

need_postfix()
{
	local why
	why=$(postfix_missing) && skip_all "$why"
	need_built milter/vtmilter t/standin/fakevt
}

# ---- the end ---------------------------------------------------------------------------------------------------------

# at_end COMMAND ARGUMENT : done at the end, whatever happens.
at_end_commands=
at_end()
{
	at_end_commands="$at_end_commands
$1 '$2'"
}

end_services()
{
	local commands="$at_end_commands"
	at_end_commands=
	eval "$commands"
	services_stop
}

lib_cleanup()
{
	local status=$?
	trap - EXIT
	end_services
	if [ -n "${VTM_KEEP:-}" ]; then
		diag "kept: $work"
	else
		rm -rf "$work"
	fi
	exit "$status"
}
trap lib_cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
