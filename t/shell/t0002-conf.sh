#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0002-conf.sh - vtmilter -n and --dump-config: what an administrator sees of the configuration
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilter

vtmilter=$builddir/milter/vtmilter
key=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
printf '%s\n' $key >"$work/key"
chmod 600 "$work/key"

# conf LINE ... : the configuration, its key in line 1.
conf()
{
	printf '%s\n' "ApiKeyFile $work/key" "$@" >"$work/conf"
}

# says WANT NAME : the last command's output has a line with just this text.
says()
{
	is "$(grep -Fx -e "$1" "$work/said")" "$1" "$2"
}

conf 'Timeout 30' 'OnBad quarantine' 'TrustedRelays 192.0.2.0/24'
exits 0 'a good configuration' "$vtmilter" -n -f "$work/conf"
exits 0 'its dump' "$vtmilter" --dump-config -f "$work/conf"
says 'Timeout 30s' 'a value that is not the default'
says 'OnBad quarantine' 'another'
says 'MaxWaiting 20  # default' 'one that is'
unlike "$(cat "$work/said")" $key 'the key is not in it'
is "$(sed 's/ .*//' "$work/said" | sort)" \
	"$(sed -n 's/^#\([A-Za-z]\{1,\}\) .*/\1/p' "$srcdir/etc/vtmilter.conf" | sort)" \
	'every directive of etc/vtmilter.conf is in it, and no other'
cp "$work/said" "$work/dumped"
exits 74 'a dump that cannot be written' sh -c '"$@" >/dev/full' dump "$vtmilter" --dump-config -f "$work/conf"
exits 0 'the dump is a configuration' "$vtmilter" --dump-config -f "$work/dumped"
is "$(cat "$work/said")" "$(cat "$work/dumped")" 'and says the same again'

conf 'Timout 30'
exits 78 'an unknown directive' "$vtmilter" -n -f "$work/conf"
says "vtmilter: $work/conf:2: unknown directive 'Timout'; did you mean Timeout?" 'names the line and what was meant'
conf '' 'Timeout 2 minutes'
exits 78 'a bad value' "$vtmilter" -n -f "$work/conf"
like "$(cat "$work/said")" "^vtmilter: $work/conf:3: Timeout: found '2 minutes', expected a duration" 'names what was expected'
exits 78 'a bad value stops the start, too' "$vtmilter" -f "$work/conf"
exits 78 'a configuration that is not there' "$vtmilter" -n -f "$work/none"
says "vtmilter: $work/none: cannot be read: No such file or directory" 'is named'
conf
chmod 644 "$work/key"
exits 78 'a key that everybody can read' "$vtmilter" -n -f "$work/conf"
like "$(cat "$work/said")" "run: chmod 600 $work/key\$" 'says how to close it'
unlike "$(cat "$work/said")" $key 'and not the key'
rm "$work/key"
exits 78 'a key that is not there' "$vtmilter" -n -f "$work/conf"
echo >"$work/conf"
exits 78 'no key at all' "$vtmilter" -n -f "$work/conf"
like "$(cat "$work/said")" "ApiKeyFile: missing; .* or set 'Enabled no'" 'says what to do'
echo 'Enabled no' >"$work/conf"
exits 0 'without a key when nothing is asked' "$vtmilter" -n -f "$work/conf"
mkdir "$work/credentials"
printf '%s\n' $key >"$work/credentials/vtmilter-api-key"
echo >"$work/conf"
exits 0 'a key that systemd passes' env CREDENTIALS_DIRECTORY="$work/credentials" "$vtmilter" -n -f "$work/conf"

if command -v mandoc >/dev/null; then
	exits 0 'the manual page has no fault' mandoc -Tlint -Wwarning "$srcdir/milter/vtmilter.conf.5"
else
	skip 'mandoc is not installed' 'the manual page has no fault'
fi
done_testing
