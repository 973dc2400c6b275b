#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
# front.pl PORT_FILE MODE_FILE - stands between a client and TCP servers, and fails as MODE_FILE says.
#
#	a number    passes everything on to that port of loopback
#	refused     does not listen
#	reset       takes a connection and resets it
#	silent      takes a connection and says nothing
#	garbage     answers with bytes of no protocol
#
# A new mode ends all connections; when it is in force, MODE_FILE.now says so.  Its own port, always the same, is
# written into PORT_FILE.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_LINGER);

my ($port_file, $mode_file) = @ARGV;
my ($port, $mode, $listener, %peer) = (0, '');
my $all = IO::Select->new;
$SIG{PIPE} = 'IGNORE';

sub put
{
	my ($file, $text) = @_;
	open my $f, '>', "$file.new" or die "$file: $!\n";
	print $f "$text\n";
	close $f or die "$file: $!\n";
	rename "$file.new", $file or die "$file: $!\n";
}

sub drop
{
	my ($s, $reset) = @_;
	defined fileno $s or return;
	my $other = delete $peer{$s};
	setsockopt $s, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0 if $reset;
	$all->remove($s);
	close $s;
	drop($other, $reset) if $other && delete $peer{$other};
}

sub enter
{
	my $new = shift;
	drop($_, 1) for grep { !$listener || $_ != $listener } $all->handles;
	if ($listener && $new eq 'refused') {
		$all->remove($listener);
		close $listener;
		undef $listener;
	}
	if (!$listener && $new ne 'refused') {
		$listener = IO::Socket::INET->new(Listen => 128, LocalAddr => '127.0.0.1', LocalPort => $port, ReuseAddr => 1)
			or die "port $port: $!\n";
		$port = $listener->sockport;
		$all->add($listener);
	}
	$mode = $new;
	put("$mode_file.now", $mode);
}

sub take
{
	my $s = $listener->accept or return;
	$all->add($s);
	if ($mode =~ /^\d+$/) {
		my $to = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $mode) or return drop($s);
		$all->add($to);
		@peer{$s, $to} = ($to, $s);
	}
	drop($s, 1) if $mode eq 'reset';
}

sub pass
{
	my $s = shift;
	my $n = sysread $s, my $data, 65536;
	return drop($s) unless $n;
	syswrite $s, "\x00\xff" x 500 if $mode eq 'garbage';
	syswrite $peer{$s}, $data if $peer{$s};
}

for (;;) {
	open my $f, '<', $mode_file or die "$mode_file: $!\n";
	chomp(my $wanted = <$f> // '');
	enter($wanted) if $wanted ne $mode && $wanted ne '';
	put($port_file, $port) if $port && !-e $port_file;
	for my $s ($all->can_read(0.02)) {
		if ($listener && $s == $listener) {
			take();
		} elsif (defined fileno $s) {
			pass($s);
		}
	}
}
