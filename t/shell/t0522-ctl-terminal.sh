#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0522-ctl-terminal.sh - vtmilterctl on a terminal: bar and colours there only, any width, ^C leaves it clean
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_program script
need_built milter/vtmilterctl t/standin/fakevt

# The commands of util-linux: others' script has other options.
script --version 2>/dev/null | grep -q util-linux || skip_all 'script is not that of util-linux'
TERM=xterm
export TERM
unset NO_COLOR

# terminal COLUMNS ARGUMENT ... : vtmilterctl on a terminal so wide; what it wrote is in $work/typed, with "^[" for escapes.
terminal()
{
	local columns="$1" status
	shift
	script -qec "stty cols $columns; '$builddir/milter/vtmilterctl' -f '$milter_conf' $*" /dev/null </dev/null \
		>"$work/raw" 2>&1
	status=$?
	tr '\r' '\n' <"$work/raw" | sed "s/$(printf '\033')/^[/g" >"$work/typed"
	return $status
}

typed()
{
	cat "$work/typed"
}

# The longest bar that was drawn, without what is no column.
longest()
{
	grep '^\^\[\[K[[0-9]' "$work/typed" | grep -v ' messages, ' | sed 's/\^\[\[K//g' | awk '{ if (length > n) n = length } END { print n + 0 }'
}

start_fakevt --per-minute 0 || bail 'no stand-in'
know_samples
write_conf 'RequestsPerMinute 0'
mkdir "$work/mail"
cp "$data/messages/bad-link.eml" "$data/messages/plain.eml" "$data/messages/two-links.eml" "$work/mail"

exits 1 'a scan on a terminal' terminal 80 scan "$work/mail"
like "$(typed)" '^\^\[\[K\[#+ +\] 1/3, 1 bad$' 'has a bar'
like "$(typed)" '^\^\[\[K3 of 3 messages, 1 bad$' 'and ends with a line of its own'
like "$(typed)" '\^\[\[1;31mbad' 'bad is red'
is "$(tail -c 1 "$work/raw" | od -An -c | tr -d ' ')" '\n' 'the prompt comes on a new line'
for columns in 12 40 200; do
	terminal $columns scan "$work/mail"
	between "$(longest)" 1 $((columns - 1)) "$columns columns: the bar does not wrap"
done
LC_ALL=C
terminal 80 scan "$work/mail"
unlike "$(typed)" "$(printf '[\200-\377]')" 'a locale without UTF-8 gets ASCII'
LC_ALL=C.UTF-8

terminal 80 --json scan "$work/mail"
unlike "$(typed)" '\^\[' '--json: neither bar nor colours'
NO_COLOR=1 terminal 80 scan "$work/mail"
unlike "$(typed)" '\^\[\[[0-9;]*m' 'NO_COLOR: no colours'
TERM=dumb terminal 80 scan "$work/mail"
unlike "$(typed)" '\^\[' 'TERM=dumb: neither bar nor colours'
terminal 80 "cache show http://malware.wicar.org/data/eicar.com"
like "$(typed)" '\^\[\[1;31mbad' 'cache show: bad is red'
"$builddir/milter/vtmilterctl" -f "$milter_conf" scan "$work/mail" >"$work/out" 2>&1
unlike "$(cat "$work/out")" "$(printf '\033')|\[#" 'in a pipe: neither bar nor colours'

# ---- ^C

printf 'Subject: x\n\nhttp://interrupted.example.com/\n' >"$work/mail/z.eml"
vt fault stall >/dev/null
before=$(vt_count requests)
cat >"$work/scan" <<CMD
stty cols 80
exec '$builddir/milter/vtmilterctl' -f '$milter_conf' scan '$work/mail'
CMD
{
	wait_for 60 vt_counted requests $((before + 1))
	printf '\003'
	sleep 1
} | script -qec "sh '$work/scan'" /dev/null >"$work/raw" 2>&1
status=$?
tr '\r' '\n' <"$work/raw" | sed "s/$(printf '\033')/^[/g" >"$work/typed"
is $status 130 '^C: ends it'
like "$(typed)" "interrupted; continue with --from '$work/mail/z.eml'" '^C: says where to go on'
like "$(tail -n 2 "$work/typed")" '^3 of 4 messages, 1 bad$' '^C: and leaves no bar behind'
done_testing
