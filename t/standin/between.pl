#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
# between.pl SOCKET MILTER ORDER_FILE - stands between an MTA and a milter, both on local sockets, and acts at a step.
#
# ORDER_FILE, when it is there, has one line "STEP ACTION [PID]".  STEP is a command of the MTA's by its letter in the
# milter protocol (C connect, M mail, R rcpt, L header, N end of header, B body, E end of message), or a reply of the
# milter's: p progress, i and m headers inserted and changed.  Before such a packet is passed on,
#
#	kill PID    the process is killed (SIGKILL)
#	cut         both ends of the session are closed
#
# once: the file is gone then.  Each session is a process: one that is not read stops no other.
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;

my ($path, $milter, $order_file) = @ARGV;
$SIG{PIPE} = 'IGNORE';
umask 0;
my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 128) or die "$path: $!\n";
my $all = IO::Select->new($listener);
my (%peer, %from_mta, %left);

sub drop
{
	my $s = shift;
	my $other = delete $peer{$s};
	delete $left{$s};
	$all->remove($s);
	close $s;
	drop($other) if $other && $peer{$other};
}

# 1: the session is no more.
sub acts
{
	my ($s, $letter) = @_;
	open my $f, '<', $order_file or return 0;
	my ($step, $action, $pid) = split ' ', <$f> // '';
	close $f;
	return 0 unless $step && $step eq $letter && $from_mta{$s} == ($step =~ /[A-Z]/);
	unlink $order_file;
	kill KILL => $pid if $action eq 'kill';
	return 0 if $action eq 'kill';
	drop($s);
	return 1;
}

sub pass
{
	my $s = shift;
	my $n = sysread $s, my $data, 65536;
	return drop($s) unless $n;
	my $buffer = \$left{$s};
	$$buffer .= $data;
	while (length $$buffer >= 5) {
		my ($len, $letter) = unpack 'N a', $$buffer;
		last if length $$buffer < 4 + $len;
		return if acts($s, $letter);
		my $packet = substr $$buffer, 0, 4 + $len, '';
		for (my $at = 0; $at < length $packet;) {
			my $n = syswrite $peer{$s}, $packet, length($packet) - $at, $at;
			return drop($s) unless $n;
			$at += $n;
		}
	}
}

sub session
{
	my $mta = shift;
	my $to = IO::Socket::UNIX->new(Peer => $milter) or return;
	close $listener;
	$all->remove($listener);
	$all->add($mta, $to);
	@peer{$mta, $to} = ($to, $mta);
	@from_mta{$mta, $to} = (1, 0);
	@left{$mta, $to} = ('', '');
	while ($all->count) {
		for my $s ($all->can_read) {
			pass($s) if defined fileno $s;
		}
	}
}

$SIG{CHLD} = 'IGNORE';
for (;;) {
	my $mta = $listener->accept or next;
	my $child = fork;
	if (defined $child && !$child) {
		session($mta);
		exit 0;
	}
	close $mta;
}
