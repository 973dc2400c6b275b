#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
# smtp.pl PORT STAGE FILE ... - sends each file, as it is, in a session of its own, all at the same time; from and to as
# in services.sh.  Prints "FILE CODE" for each: the last answer, 000 if there was none.
#
# STAGE is "all", or where the client goes away without a word: connect, helo, mail, rcpt, data, body (in the middle of
# it), dot (after the whole message); or rset after rcpt, which is said.  Lines of the files end with CR LF.
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $stage, @files) = @ARGV;
$| = 1;
$SIG{PIPE} = 'IGNORE';

sub code
{
	my ($s, $line) = @_;
	print $s "$line\r\n" if defined $line;
	while (my $answer = <$s>) {
		return $1 if $answer =~ /^(\d{3}) /;
	}
	return '000';
}

sub deliver
{
	my $file = shift;
	open my $f, '<:raw', $file or die "$file: $!\n";
	my $text = do { local $/; <$f> };
	$text =~ s/^\./../mg;
	my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or return '000';
	$s->autoflush(1);
	my $code = $stage eq 'connect' ? return '000' : code($s);
	my @steps = (helo => 'HELO client.example.org', mail => 'MAIL FROM:<sender@example.org>',
		rcpt => 'RCPT TO:<user@example.test>', data => 'DATA');
	while (my ($name, $line) = splice @steps, 0, 2) {
		$code = code($s, $line);
		return $code if $code !~ /^[23]/;
		return '000' if $stage eq $name;
		return code($s, 'RSET') eq '250' ? '000' : '500' if $stage eq 'rset' && $name eq 'rcpt';
	}
	print $s $stage eq 'body' ? substr $text, 0, length($text) / 2 : $text;
	return '000' if $stage eq 'body';
	print $s ".\r\n";
	return '000' if $stage eq 'dot';
	$code = code($s);
	code($s, 'QUIT');
	return $code;
}

for my $file (@files) {
	my $child = fork;
	die "fork: $!\n" unless defined $child;
	next if $child;
	my $code = deliver($file);
	syswrite STDOUT, "$file $code\n";
	exit 0;
}
1 while wait > 0;
