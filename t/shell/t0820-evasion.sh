#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0820-evasion.sh - what programs read in different ways is found in the way of those that open it; t/data/evasion/cases.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilterctl

mkdir "$work/cases"
perl -MDigest::SHA=sha256_hex -e '
	my ($file, $dir) = @ARGV;
	my %escape = (r => "\r", n => "\n", t => "\t", 0 => "\0", "\\" => "\\");
	sub bytes { my $s = shift; $s =~ s/\\(?:x([0-9a-f]{2})|(.))/defined $1 ? chr hex $1 : $escape{$2} \/\/ die "escape \\$2\n"/ge; $s }
	my ($n, $what, @want, @mail) = (0);
	sub done
	{
		return unless defined $what;
		pop @mail while @mail && $mail[-1] eq "";
		$n++;
		open my $m, ">:raw", sprintf("%s/%03d.eml", $dir, $n) or die "$!\n";
		my $mime = $what =~ /no MIME-Version/ ? "" : "MIME-Version: 1.0\r\n";
		print $m "From: a\@example.org\r\n$mime", bytes(join "\r\n", @mail, "");
		close $m or die "$!\n";
		open my $w, ">", sprintf("%s/%03d.want", $dir, $n) or die "$!\n";
		print $w map "$_\t$what\n", @want;
		close $w or die "$!\n";
	}
	open my $in, "<:raw", $file or die "$file: $!\n";
	while (<$in>) {
		chomp;
		if (/^= (.*)/) { done(); ($what, @want, @mail) = ($1); @want = @mail = (); next }
		next unless defined $what;
		if (!@mail && /^\+ (.*)/) { push @want, "\"sha256\":\"" . sha256_hex(bytes($1)) . "\""; next }
		if (!@mail && /^! (.*)/) { push @want, $1; next }
		push @mail, $_;
	}
	done();' "$data/evasion/cases" "$work/cases" || bail 'the cases cannot be read'

for mail in "$work/cases"/*.eml; do
	"$builddir/milter/vtmilterctl" --json extract "$mail" >"$work/items" 2>"$work/errors"
	while IFS='	' read -r regex what; do
		like "$(cat "$work/items" "$work/errors")" "$regex" "$what"
	done <"${mail%.eml}.want"
done
between "$tap_count" 80 999 'the cases were found'
done_testing
