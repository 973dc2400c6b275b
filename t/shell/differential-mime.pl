#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
# differential-mime.pl - what Perl's MIME::Parser reads in messages; prints what differential-mime.py does.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use MIME::Parser;

sub thing
{
	my ($file, $part) = @_;
	my $body = $part->bodyhandle or return;
	my $data = $body->as_string;
	my ($type, $name) = ($part->effective_type, $part->head->recommended_filename);
	my $disposition = lc($part->head->mime_attr('content-disposition') // '');

	return if $data !~ /\S/;
	# Perl reads a message with CR LF as one with LF
	(my $crlf = $data) =~ s/\r?\n/\r\n/g;
	if (($type ne 'text/plain' && $type ne 'text/html') || defined $name || $disposition eq 'attachment') {
		print join("\t", $file, 'sha256', sha256_hex($data) . '|' . sha256_hex($crlf), "$type " . ($name // 'None') . " in " . $part->head->mime_encoding), "\n";
	} else {
		print join("\t", $file, 'host', $1, "$type in " . $part->head->mime_encoding), "\n" while $data =~ m{http://(h[0-9]+\.example\.com)/}g;
	}
}

for my $file (@ARGV) {
	my $parser = MIME::Parser->new;

	$parser->output_to_core(1);
	$parser->tmp_to_core(1);
	my $message = eval { $parser->parse_open($file) } or next;
	my @todo = ($message);
	while (my $part = shift @todo) {
		if ($part->parts) { push @todo, $part->parts } else { thing($file, $part) }
	}
}
