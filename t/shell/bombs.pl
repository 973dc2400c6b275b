#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
# bombs.pl - messages made to cost time or memory, for t0810.
#
#	bombs.pl			lists them: name, tab, the tags that are right, an extended regular expression
#	bombs.pl NAME SCALE FILE	writes the message into FILE; prints the SHA-256 of its attachment, if it has one
use strict;
use warnings;
use MIME::Base64;
use Compress::Zlib;
use IO::Compress::Bzip2;
use Digest::SHA qw(sha256_hex);

my ($what, $scale, $file) = @ARGV;
my $id = $what // "";
$id =~ tr/ ,//d;
my $mime = "From: a\@example.org\nTo: b\@example.org\nSubject: s\nMessage-ID: <$id\@bombs>\nMIME-Version: 1.0\n";
my $html = $mime . "Content-Type: text/html\n\n";
my $attachment;	# its bytes

# The message with one attachment.
sub attached
{
	my ($name, $content, $type) = @_;
	$attachment = $content;
	return $mime . "Content-Type: " . ($type // "application/octet-stream") . "; name=\"$name\"\n" .
		"Content-Transfer-Encoding: base64\n\n" . encode_base64($content);
}

# ---- zip ----

sub deflated
{
	my $d = deflateInit(-WindowBits => -MAX_WBITS()) or die;
	my ($out, $more) = $d->deflate($_[0]);
	return $out . ($d->flush)[0];
}

# What a local header and an entry of the directory have in common.
sub zip_fields
{
	my ($name, $crc, $packed, $size) = @_;
	return pack("v5 V3 v2", 20, 0, 8, 0, 33, $crc, $packed, $size, length $name, 0);
}

sub zip_entry
{
	my ($fields, $name, $at) = @_;
	return "PK\1\2" . pack("v", 20) . $fields . pack("v3 V2", 0, 0, 0, 0, $at) . $name;
}

sub zip_end
{
	my ($entries, $size, $at) = @_;
	return "PK\5\6" . pack("v4 V2 v", 0, 0, $entries, $entries, $size, $at, 0);
}

# An archive of [name, content] pairs; overlap: all directory entries point to the first member.
sub zip
{
	my ($overlap, @members) = @_;
	my ($body, $dir, $entries) = ("", "", 0);
	for (@members) {
		my ($name, $content) = @$_;
		my $packed = deflated($content);
		my $fields = zip_fields($name, crc32($content), length $packed, length $content);
		$dir .= zip_entry($fields, $name, $overlap ? 0 : length $body);
		$body .= "PK\3\4" . $fields . $name . $packed unless $overlap && $entries++;
	}
	return $body . $dir . zip_end(scalar @members, length $dir, length $body);
}

# ---- a zip file whose only member is that file, after Russ Cox, "Zip Files All The Way Down" ----

# A block of deflate (RFC 1951) that outputs the $_[0] bytes that follow.
sub literally { return pack("C v v", 0, $_[0], 0xffff ^ $_[0]) }

# One of fixed Huffman codes; a string of bits, the first is the lowest of the first byte.
sub coded { return pack("b*", join "", @_) }

# For a CRC-32 that it claims to have.
sub quine
{
	my ($crc) = @_;
	my ($name, $end, $nothing) = ("a.zip", "0000000", "\0\0\0\xff\xff");
	# all of these have 5 bytes: the last 40 and 20 bytes again
	my ($l5, $l20, $l40) = map literally($_), 5, 20, 40;
	my $r40 = coded("010", "0010001", "101", "01010", "1110", $end, "010", $end);
	my $r20 = coded("010", ("0001000", "01000", "110") x 2, $end);
	my $r77 = coded("110", "0010101", "0101", "01100", "00110", $end);
	my $l77 = literally(77);
	my $fields = zip_fields($name, $crc, 256, 364);
	my $head = "PK\3\4" . $fields . $name;
	my $dir = zip_entry($fields, $name, 0);
	my $tail = $r77 . $dir . zip_end(1, length $dir, 291);
	return join "", $head, $l40, $head, $l40, $r40, $l5, $r40, $l5, $l5, $l20, $r40, $l5, $l5, $l20, $r20, $l20, $r20, $l20,
		$r20, $l20, $r20, ($l20, $r20, $nothing, $nothing, $l77), $r20, $nothing, $nothing, $l77, $tail, $tail;
}

# The one that has the CRC it claims: what it has is linear in what it claims, but for a constant.
sub true_quine
{
	my $none = crc32(quine(0));
	my @rows;	# [the bits of a claim, what it changes in "has xor claims"], of which each leads with another bit
	for my $bit (0 .. 31) {
		my ($claim, $change) = (1 << $bit, crc32(quine(1 << $bit)) ^ $none ^ 1 << $bit);
		($change ^ $_->[1]) < $change and ($claim, $change) = ($claim ^ $_->[0], $change ^ $_->[1]) for @rows;
		@rows = sort { $b->[1] <=> $a->[1] } @rows, [$claim, $change];
	}
	my ($claim, $wrong) = (0, $none);
	($wrong ^ $_->[1]) < $wrong and ($claim, $wrong) = ($claim ^ $_->[0], $wrong ^ $_->[1]) for @rows;
	die "no quine\n" if $wrong;
	return quine($claim);
}

# ---- other archives ----

sub bzip2ed
{
	my ($in) = @_;
	IO::Compress::Bzip2::bzip2(\$in => \my $out) or die;
	return $out;
}

# Zeros in blocks that repeat a byte (RFC 8878); <window>: the byte that says how much memory it takes.
sub zstd
{
	my ($blocks, $window) = @_;
	my $block = sub { substr(pack("V", 1 << 17 << 3 | 1 << 1 | $_[0]), 0, 3) . "\0" };
	return pack("V C C", 0xfd2fb528, 0, $window) . $block->(0) x ($blocks - 1) . $block->(1);
}

# A block header that asks for a dictionary of 4 GiB, and a chunk that is not packed.
sub xz
{
	my $flags = "\0\1";
	my $header = pack("C*", 2, 0, 0x21, 1, 40, 0, 0, 0);
	return "\xfd7zXZ\0" . $flags . pack("V", crc32($flags)) . $header . pack("V", crc32($header)) . "\1\0\0x\0\0\0\0";
}

# A header of tar with <fields> at their places.
sub tar_header
{
	my (%fields) = (100 => "0000644\0", 108 => "0000000\0", 116 => "0000000\0", 124 => "00000000000\0", 136 => "00000000000\0",
		148 => " " x 8, 156 => "0", 257 => "ustar  \0", @_);
	my $block = "\0" x 512;
	substr($block, $_, length $fields{$_}) = $fields{$_} for keys %fields;
	substr($block, 148, 8) = sprintf("%06o\0 ", unpack("%32C*", $block));
	return $block;
}

# A file of 8 TB of which 512 bytes are there, as GNU tar writes it: the map at 386, the size of all at 483.
sub sparse_tar
{
	my $number = sub { "\x80" . "\0" x 3 . pack("Q>", $_[0]) };
	return tar_header(0 => "a", 124 => "00000001000\0", 156 => "S", 386 => $number->(8e12 - 512) . $number->(512),
		483 => $number->(8e12)) . "x" x 512 . "\0" x 1024;
}

# One member, packed with LZMA and a dictionary of 4 GiB.
sub seven_zip
{
	my $packed = "\0" . "x" x 99;
	my $header = pack("C*", 1, 4, 6, 0, 1, 9, length $packed, 0,	# streams: one, at 0
		7, 11, 1, 0, 1, 0x23, 3, 1, 1, 5, 0x5d, (0xff) x 4,		# LZMA and its properties
		12, 0xc0 | 32, 0, 0, 0, 0, 0, 8, 0,				# unpacked size
		5, 1, 17, 5, 0, 97, 0, 0, 0, 0, 0);				# a file named "a"
	my $start = pack("Q< Q< V", length $packed, length $header, crc32($header));
	return "7z\xbc\xaf\x27\x1c\0\4" . pack("V", crc32($start)) . $start . $packed . $header;
}

sub vint { my ($n, $out) = (@_, ""); for (; $n > 127; $n >>= 7) { $out .= chr($n & 127 | 128) } return $out . chr $n }

# One member of 8 TB with a dictionary of 4 GiB.
sub rar5
{
	my $block = sub {
		my $sized = vint(length $_[0]) . $_[0];
		return pack("V", crc32($sized)) . $sized;
	};
	my $file = join("", map(vint($_), 2, 2, 100, 0, 8e12, 0, 1 << 7 | 15 << 10, 1, 1)) . "a";
	return "Rar!\x1a\7\1\0" . $block->(join "", map vint($_), 1, 0, 0) . $block->($file) . "x" x 100 .
		$block->(join "", map vint($_), 5, 0, 0);
}

# A directory of ISO 9660 in which there is the directory itself, many times.
sub looped_iso
{
	my $both = sub { pack("V N", @_[0, 0]) };
	my $record = sub {
		my ($name) = @_;
		my $r = "\0" . $both->(18) . $both->(2048) . "\0" x 7 . pack("C C C v n C", 2, 0, 0, 1, 1, length $name) . $name;
		$r .= "\0" unless length($r) % 2;
		return chr(1 + length $r) . $r;
	};
	my $root = $record->("\0") . $record->("\1") . join("", map $record->("D$_"), 1 .. 40);
	my $volume = "\1CD001\1\0" . " " x 64 . "\0" x 8 . $both->(19) . "\0" x 32 . pack("v n v n v n", 1, 1, 1, 1, 2048, 2048) .
		$both->(10) . pack("V V N N", 17, 0, 17, 0) . $record->("\0");
	return "\0" x 32768 . join "", map $_ . "\0" x (2048 - length), $volume, "\xffCD001\1", $root;
}

# ---- PDF ----

# A document of these objects, [number, text], with a table of where they are; <trailer> is added to its own.
sub pdf
{
	my ($trailer, @objects) = @_;
	my ($doc, %at) = "%PDF-1.5\n";
	for (@objects) {
		my ($number, $text) = @$_;
		$at{$number} = length $doc;
		$doc .= "$number 0 obj\n$text\nendobj\n";
	}
	my ($last) = sort { $b <=> $a } keys %at;
	my $start = length $doc;
	$trailer =~ s/START/$start/;
	return $doc . "xref\n0 " . ($last + 1) . "\n0000000000 65535 f \n" .
		join("", map $at{$_} ? sprintf("%010d 00000 n \n", $at{$_}) : "0000000000 65535 f \n", 1 .. $last) .
		"trailer\n<</Size " . ($last + 1) . "/Root 1 0 R$trailer>>\nstartxref\n$start\n%%EOF\n";
}

sub stream
{
	my ($dict, $packed) = @_;
	return "<<$dict/Length " . length($packed) . ">>\nstream\n$packed\nendstream";
}

# A document whose first two objects are in a stream of objects, of this many bytes of blanks and packed twice.
sub pdf_of_streams
{
	my ($blanks) = @_;
	my ($one, $two) = ("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 0>>");
	my $first = sprintf("%-20s", "1 0 2 " . length $one);
	my $doc = "%PDF-1.5\n";
	my $packed = Compress::Zlib::compress(Compress::Zlib::compress($first . $one . $two . " " x $blanks));
	my $at = length $doc;
	$doc .= "3 0 obj\n" . stream("/Type/ObjStm/N 2/First 20/Filter[/FlateDecode/FlateDecode]", $packed) . "\nendobj\n";
	my $start = length $doc;
	my $entries = join "", map pack("C n C", @$_), [0, 0, 0], [2, 3, 0], [2, 3, 1], [1, $at, 0], [1, $start, 0];
	return $doc . "4 0 obj\n" . stream("/Type/XRef/Size 5/W[1 2 1]/Root 1 0 R", $entries) . "\nendobj\nstartxref\n$start\n%%EOF\n";
}

sub attached_pdf { return attached("a.pdf", $_[0], "application/pdf") }

# ---- TNEF ----

sub tnef
{
	my (@attributes) = @_;	# [level, id, claimed length, data]
	return pack("V v", 0x223e9f78, 1) . join("", map pack("C V V", @$_[0 .. 2]) . $_->[3], @attributes);
}

sub attached_tnef { return attached("winmail.dat", $_[0], "application/ms-tnef") }

# ---- the messages ----

my $some = 'VT_Bypassed';			# not everything was looked at
my $unknown = '^VT_(Hash|URL)_not_found$';	# it was, and VirusTotal does not know what was found
my $doubted = '^VT_Hash_not_found VT_Bypassed$';	# so in one reading; there may be others
my $clean = '^VT_Scanned$';
my $none = '^$';				# it was, and there was nothing

# In the order of their names: the tags, and what makes the message.
my %bombs = (
	"zip" => [$some, sub { attached("a.zip", zip(0, ["zeros", "\0" x (100e6 * $scale)])) }],
	"zip in zip" => [$some, sub {
		my $z = zip(0, ["zeros", "\0" x 30e6]);
		$z = zip(0, map ["$_.zip", $z], 1 .. 16) for 1 .. 4;
		attached("a.zip", $z) }],
	"zip in itself" => [$some, sub { attached("a.zip", true_quine()) }],
	"zip, overlapping" => ['VT_Hash_not_found', sub {
		my $name = "n00000";
		attached("a.zip", zip(1, map [$name++, "\0" x 2e5], 1 .. 1000 * $scale)) }],
	"zip of many members" => [$some, sub { attached("a.zip", zip(0, map ["m$_", "$_"], 1 .. 20000 * $scale)) }],
	"zip of a message of a zip" => [$some, sub {
		my $m = "Subject: x\n\nhttp://deep.example.com/\n";
		for (1 .. 20) {
			$m = attached("a.zip", zip(0, ["a.eml", $m]));
			$m = "Content-Type: message/rfc822\n\n$m";
		}
		$mime . $m }],
	"gzip" => [$some, sub { attached("a.gz", Compress::Zlib::memGzip("\0" x (30e6 * $scale))) }],
	"gzip of tar, only directories" => [$clean, sub {
		attached("a.tgz", Compress::Zlib::memGzip(tar_header(0 => "a/", 156 => "5") x (100e3 * $scale))) }],
	"bzip2" => [$some, sub { attached("a.bz2", bzip2ed("\0" x (30e6 * $scale))) }],
	"zstd" => [$some, sub { attached("a.zst", zstd(100e3 * $scale, 0)) }],
	"zstd, a window of terabytes" => [$some, sub { attached("a.zst", zstd(10, 0xff)) }],
	"xz, a dictionary of 4 GiB" => [$some, sub { attached("a.xz", xz()) }],
	"7z, a dictionary of 4 GiB" => [$some, sub { attached("a.7z", seven_zip()) }],
	"rar, a dictionary of 4 GiB" => [$some, sub { attached("a.rar", rar5()) }],
	"tar, a sparse file of terabytes" => [$some, sub { attached("a.tar", sparse_tar()) }],
	"iso, a looped directory" => [$clean, sub { attached("a.iso", looped_iso()) }],

	"pdf, a stream of objects" => [$some, sub { attached_pdf(pdf_of_streams(200e6)) }],
	"pdf, a compressed table of objects" => [$some, sub {
		my $zeros = Compress::Zlib::compress("\1\0\0\0\0\0\0\0" x (12e6 * $scale));
		my $doc = "%PDF-1.5\n";
		my $start = length $doc;
		attached_pdf($doc . "1 0 obj\n" . stream("/Type/XRef/Size 2000000000/W[1 6 1]/Root 2 0 R/Filter/FlateDecode", $zeros) .
			"\nendobj\nstartxref\n$start\n%%EOF\n") }],
	"pdf, a looped table of objects" => [$some, sub {
		attached_pdf(pdf("/Prev START", [1, "<</Type/Catalog/Pages 2 0 R>>"], [2, "<</Type/Pages/Kids[]/Count 0>>"])) }],
	"pdf, looped pages" => [$clean, sub {
		attached_pdf(pdf("", [1, "<</Type/Catalog/Pages 2 0 R/Outlines 2 0 R>>"],
			[2, "<</Type/Pages/Kids[" . "2 0 R " x 5000 . "]/Count 999999999/Parent 2 0 R/Next 2 0 R/First 2 0 R>>"])) }],
	"pdf, nested arrays" => [$some, sub {
		attached_pdf(pdf("", [1, "<</Type/Catalog/Pages 2 0 R/A" . "[" x (200e3 * $scale) . ">>"],
			[2, "<</Type/Pages/Kids[]/Count 0>>"])) }],

	"tnef of 4 GB" => [$some, sub {
		attached_tnef(tnef([2, 0x69002, 4, "\1\0\1\0\0\0"], [2, 0x6800f, 0xffffffff, "x" x 1000])) }],
	"tnef, overlapping" => [$some, sub {
		my $inner = join "", map pack("C V V", 2, 0x6800f, 20 * (1000 - $_)), 1 .. 1000;
		attached_tnef(tnef([2, 0x69002, length $inner, $inner], [2, 0x69005, 0x7fffffff, pack("V", 0xffffffff) x 1000])) }],
	"tnef of many files" => [$some, sub {
		attached_tnef(tnef(map { ([2, 0x69002, 0, "\0\0"], [2, 0x6800f, 1, "x\0\0"]) } 1 .. 20000 * $scale)) }],

	"S/MIME, nested" => [$some, sub { attached("smime.p7m", "\x30\x80" x (500e3 * $scale), "application/pkcs7-mime") }],
	"S/MIME, nested strings" => [$some, sub {
		attached("smime.p7m", "\x30\x80\6\11\x2a\x86\x48\x86\xf7\x0d\1\7\2\xa0\x80\x30\x80\2\1\1\x31\0\x30\x80" .
			"\6\11\x2a\x86\x48\x86\xf7\x0d\1\7\1\xa0\x80" . "\x24\x80" x (500e3 * $scale), "application/pkcs7-mime") }],

	"parts" => [$some, sub { $mime . "Content-Type: multipart/mixed; boundary=b\n\n" . "--b\n\nx\n" x (100000 * $scale) . "--b--\n" }],
	"attachments of a byte" => [$some, sub {
		$mime . "Content-Type: multipart/mixed; boundary=b\n\n" .
			"--b\nContent-Type: a/b\n\nx\n" x (100000 * $scale) . "--b--\n" }],
	"nested multiparts" => [$some, sub {
		$mime . join("", map "Content-Type: multipart/mixed; boundary=b$_\n\n--b$_\n", 1 .. 1024 * $scale) .
			"Content-Type: text/plain\n\nhttp://deep.example.com/\n" }],
	"nested messages" => [$some, sub { $mime . "Content-Type: message/rfc822\n\n" x (1024 * $scale) . "Subject: x\n\nx\n" }],
	"base64, a character a line" => [$unknown, sub {
		$mime . "Content-Type: a/b\nContent-Transfer-Encoding: base64\n\n" . "Q\n" x (2000e3 * $scale) }],
	"quoted-printable of soft line breaks" => [$none, sub {
		$mime . "Content-Type: a/b\nContent-Transfer-Encoding: quoted-printable\n\n" . "=\n" x (2000e3 * $scale) }],
	"uuencoded, many beginnings" => [$none, sub { $mime . "\n" . "begin 644 a\n" x (200000 * $scale) }],
	"uuencoded, many files without end" => [$some, sub {
		$mime . "\n" . "begin 644 a\n#86)C\n" x (100000 * $scale) }],
	"uuencoded, without end" => [$doubted, sub { $mime . "\nbegin 644 a\n" . ("M" . "86)C" x 15 . "\n") x (60000 * $scale) }],

	"URLs in text" => [$some, sub { $mime . "\n" . join("", map "http://h$_.example.com/$_\n", 1 .. 50000 * $scale) }],
	"URLs in HTML" => [$some, sub { $html . join("", map "<a href=\"http://h$_.example.com/\">x</a>\n", 1 .. 50000 * $scale) }],
	"one line" => [$some, sub { $mime . "\n" . "http://a.example.com/" . "x" x (10e6 * $scale) . "\n" }],
	"one line of HTML" => ['', sub { $html . "<a href=\"http://a.example.com/" . "y" x (10e6 * $scale) . "\n" }],
	"open tags" => [$none, sub { $html . "<a <b " x (500000 * $scale) . "\n" }],
	"open comments" => [$none, sub { $html . "<!--" x (1000000 * $scale) . "\n" }],
	"open attributes" => [$none, sub { $html . "<a " . "a=\"" x (1000000 * $scale) . "\n" }],
	"attributes" => [$unknown, sub {
		$html . "<a " . join(" ", map "a$_=1", 1 .. 300000 * $scale) . " href=http://attr.example.com/>\n" }],
	"open elements" => [$none, sub { $html . "<div><style><script><table>" x (200000 * $scale) . "\n" }],
	"entities" => ['', sub { $html . "<a href=\"http://e.example.com/" . "&amp;&#x41;&lt" x (400000 * $scale) . "\">x</a>\n" }],
	"entity declarations" => ['', sub {
		$html . "<!DOCTYPE x [" . join("", map "<!ENTITY e$_ \"" . "&e" . ($_ - 1) . ";" x 10 . "\">", 1 .. 100) . "]>" .
			"&e100;" x 10000 . "\n" }],
	"HTML in UTF-7" => [$some, sub {
		$mime . "Content-Type: text/html; charset=utf-7\n\n" . "+ADw-a href=+ACI-http://u" . "+" x 9 .
			join("", map "+ADw-a href=+ACI-http://u$_.example.com/+ACIAPg-+-+", 1 .. 50000 * $scale) . "\n" }],
	"HTML in UTF-16" => [$some, sub {
		$mime . "Content-Type: text/html; charset=utf-16\nContent-Transfer-Encoding: base64\n\n" . encode_base64("\xff\xfe" .
			join "", map { ("<a href=http://u$_.example.com/>" =~ s/(.)/$1\0/gr) . "\0\xd8" } 1 .. 50000 * $scale) }],

	"encoded words" => [$unknown, sub {
		$mime . "X: " . "=?utf-8?q?=41?=" x 60 . "\n" .
			"Content-Type: application/octet-stream; name=\"" . "=?utf-8?b?QUE=?= " x 3500 . "\"\n\nx\n" }],
	"parameters" => [$doubted, sub {
		$mime . "Content-Type: application/octet-stream;\n" . join("", map " name*$_=x;\n", 0 .. 4500) . " y=z\n\nx\n" }],
	"parameters in pieces with gaps" => ['', sub {
		$mime . "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: a/b;\n" .
			join("", map " name*" . 7 * $_ . "*=x;\n", reverse 0 .. 50000 * $scale) . " y=z\n\nx\n--b--\n" }],
	"parameters in pieces, huge numbers" => ['', sub {
		$mime . "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: a/b;\n" .
			join("", map " name*9" . "9" x ($_ % 40) . "=x; boundary*${_}000000000=y;\n", 1 .. 30000 * $scale) . " y=z\n\nx\n--b--\n" }],
	"header fields" => [$unknown, sub { $mime . join("", map "X-A$_: b\n", 1 .. 20000 * $scale) . "\nhttp://h.example.com/\n" }],
	"a header field" => [$none, sub { $mime . "To: " . join(",\n ", map "a$_\@example.com", 1 .. 3000) . "\n\nx\n" }],
	"addresses in groups" => [$none, sub { $mime . "Cc: " . "g:" x 30000 . "\n\nx\n" }],
	"forged fields" => [$unknown, sub { $mime . join("", map "X-VT-F$_: b\n", 1 .. 15000) . "\nhttp://h.example.com/\n" }],
);

unless (defined $what) {
	print "$_\t$bombs{$_}->[0]\n" for sort keys %bombs;
	exit 0;
}
my $message = $bombs{$what}->[1]->();
open my $out, ">:raw", $file or die "$file: $!\n";
print $out $message;
close $out or die "$file: $!\n";
print sha256_hex($attachment), "\n" if defined $attachment;
