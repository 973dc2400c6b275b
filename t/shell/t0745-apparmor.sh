#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0745-apparmor.sh - the AppArmor profile can be read, and allows every file that the daemon opens
#
# No kernel with AppArmor is needed: what strace(1) sees is held against the profile's rules, the abstractions' with them.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_program apparmor_parser strace perl
need_built milter/vtmilter t/standin/fakevt t/standin/milter-drive
profile=$srcdir/contrib/apparmor/usr.sbin.vtmilter

ok 'apparmor_parser takes it' apparmor_parser -QK "$profile"
apparmor_parser -p "$profile" >"$work/rules" 2>/dev/null

# The daemon with its files below $work, each in the place of one that the profile names.
mkdir "$work/etc" "$work/run" "$work/lib" "$work/tmp"
start_fakevt || bail 'no stand-in'
echo "$vt_key" >"$work/etc/api.key"
chmod 600 "$work/etc/api.key"
cp "$srcdir/etc/ignored-domains.knowbe4" "$work/etc/ignored"
cat >"$work/etc/vtmilter.conf" <<END
ApiKeyFile $work/etc/api.key
ApiBaseURL http://localhost:$vt_port/api/v3
IgnoredDomains $work/etc/ignored
Socket local:$work/run/vtmilter.sock
ControlSocket $work/run/control.sock
PidFile $work/run/vtmilter.pid
Store sqlite:$work/lib/vtmilter.db
TempDirectory $work/tmp
MetricsListen 127.0.0.1:$(free_port)
ScanPDF yes
END
strace -f -qq -e trace=execve,open,openat,creat,unlink,unlinkat,rename -e status=successful -o "$work/trace" true 2>/dev/null ||
	skip_all 'strace may not trace here'
strace -f -qq -e trace=execve,open,openat,creat,unlink,unlinkat,rename -e status=successful -o "$work/trace" \
	"$builddir/milter/vtmilter" -F -f "$work/etc/vtmilter.conf" >"$work/vtmilter.log" 2>&1 &
service_pids="$service_pids $!"
tracer=$!
wait_for 60 socket_open "$work/run/control.sock" || bail 'vtmilter did not start'

# A message over 1 MiB with an archive: spool, decoder, look-ups, journal.
perl -e 'print "Subject: big\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n", "0123456789 abcdef\n" x 100000,
	"--b\nContent-Type: application/x-tar; name=a.tar\nContent-Transfer-Encoding: base64\n\n"' >"$work/big.eml"
echo content >"$work/member"
tar -C "$work" -c member | base64 >>"$work/big.eml"
echo '--b--' >>"$work/big.eml"
ok 'a message' "$builddir/t/standin/milter-drive" -n 1 -f "$work/big.eml" "local:$work/run/vtmilter.sock"
ok 'a reload' "$builddir/milter/vtmilterctl" -f "$work/etc/vtmilter.conf" reload
kill "$(cat "$work/run/vtmilter.pid")"
wait_for 30 not alive "$tracer"

cat >"$work/allowed.pl" <<'END'
# allowed.pl RULES TRACE FROM=TO ... : prints what TRACE opens and RULES do not allow; paths that begin with FROM are TO.
my ($rules, $trace, @places) = @ARGV;
my (%variable, @allow, %seen);

# AppArmor's globs as regular expressions, apparmor.d(5).
sub regex
{
	my ($glob) = @_;
	1 while $glob =~ s/@\{(\w+)\}/'{' . join(',', @{$variable{$1} || ['@']}) . '}'/e;
	$glob =~ s/(\*\*|\*|\?|\{|\}|,|\[[^\]]*\]|[^*?{},\[]+)/
		$1 eq '**' ? '.*' : $1 eq '*' ? '[^\/]*' : $1 eq '?' ? '[^\/]' : $1 eq '{' ? '(?:' : $1 eq '}' ? ')' :
		$1 eq ',' ? '|' : substr($1, 0, 1) eq '[' ? $1 : quotemeta $1/gex;
	return qr/^$glob$/;
}

open my $r, '<', $rules or die "$rules: $!\n";
while (<$r>) {
	if (/^\s*@\{(\w+)\}\s*\+?=\s*(.*)/) {
		push @{$variable{$1}}, map { s{/$}{}r } split /[ ]+/, $2;
	} elsif (m{^\s*(?:audit\s+)?(?:owner\s+)?([/@]\S*)\s+([a-zA-Z]+),}) {
		push @allow, [regex($1), $2];
	}
}
open my $t, '<', $trace or die "$trace: $!\n";
while (<$t>) {
	my ($call, $path, $rest) = /(\w+)\((?:AT_FDCWD, )?"([^"]*)"(.*)/ or next;
	my $need = $call =~ /^(unlink|rename|creat)/ || $rest =~ /O_(RDWR|WRONLY|CREAT)/ ? 'w' : $call eq 'execve' ? 'x' : 'r';
	my $directory = -d $path || $rest =~ /O_DIRECTORY/;

	for (@places) {
		my ($from, $to) = split /=/, $_, 2;
		last if $path =~ s/^\Q$from\E(?=\/|$)/$to/;
	}
	$path = readlink $path if -l $path && readlink($path) =~ m{^/};
	$path =~ s{^/lib/}{/usr/lib/} if -l '/lib';
	$path =~ s{^/proc/self\b}{/proc/1};
	$path .= '/' if $directory && $path !~ m{/$} && $rest !~ /O_TMPFILE/;
	$path .= '/file' if $rest =~ /O_TMPFILE/;
	next if $path !~ m{^/} || $seen{"$need $path"}++;
	print "$need $path\n" unless grep { $path =~ $_->[0] && $_->[1] =~ /$need/ } @allow;
}
printf "%d rules, %d files\n", scalar @allow, scalar keys %seen;
END
perl "$work/allowed.pl" "$work/rules" "$work/trace" "$work/etc=/etc/vtmilter" "$work/run=/run/vtmilter" "$work/lib=/var/lib/vtmilter" \
	"$work/tmp=/var/tmp" "$builddir/milter/vtmilter=/usr/sbin/vtmilter" /proc/self/exe=/usr/sbin/vtmilter >"$work/verdict" 2>&1
like "$(tail -n 1 "$work/verdict")" '^[0-9]{3,} rules, [0-9]{2,} files$' 'rules and files were found'
diag "$(tail -n 1 "$work/verdict")"
is "$(sed '$d' "$work/verdict")" '' 'it allows all that the daemon opens'
# And the comparison can fail.
sed '/\/var\/lib\/vtmilter/d' "$work/rules" >"$work/fewer"
like "$(perl "$work/allowed.pl" "$work/fewer" "$work/trace" "$work/lib=/var/lib/vtmilter")" '^w /var/lib/vtmilter/vtmilter.db$' \
	'a rule that lacks is found'
done_testing
