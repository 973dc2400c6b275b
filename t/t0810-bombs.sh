#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0810-bombs.sh - messages made to cost time or memory: each is answered within bounds, never called scanned where it was not looked
# through, and the next message is as ever.  VTM_LONG=1 makes them larger.  A header field has at most 64 KB: libmilter takes no more.
. "${srcdir:-$(dirname "$0")/..}/t/lib.sh"
need_built milter/vtmilter t/fakevt t/milter-drive

scale=1
[ -z "${VTM_LONG:-}" ] || scale=4

# bomb NAME : $work/bomb.eml
bomb()
{
	perl -MMIME::Base64 -MCompress::Zlib -e '
		my ($what, $scale) = @ARGV;
		my $mime = "From: a\@example.org\nTo: b\@example.org\nSubject: s\nMessage-ID: <$what\@bombs>\nMIME-Version: 1.0\n";
		my $html = $mime . "Content-Type: text/html\n\n";

		sub deflated
		{
			my $d = deflateInit(-WindowBits => -MAX_WBITS()) or die;
			my ($out, $more) = $d->deflate($_[0]);
			return $out . ($d->flush)[0];
		}
		# A zip archive of [name, content] pairs; overlap: all directory entries point to the first member.
		sub zip
		{
			my ($overlap, @members) = @_;
			my ($body, $dir, $entries, $first) = ("", "", 0);
			for (@members) {
				my ($name, $content) = @$_;
				my $packed = deflated($content);
				my $fields = pack("v5 V3 v2", 20, 0, 8, 0, 33, crc32($content), length $packed, length $content,
					length $name, 0);
				my $at = length $body;
				$first = $at unless defined $first;
				$body .= "PK\3\4" . $fields . $name . $packed unless $overlap && $entries;
				$dir .= "PK\1\2" . pack("v", 20) . $fields . pack("v3 V2", 0, 0, 0, 0, $overlap ? $first : $at) . $name;
				$entries++;
			}
			return $body . $dir . "PK\5\6" . pack("v4 V2 v", 0, 0, $entries, $entries, length $dir, length $body, 0);
		}
		sub attached
		{
			return $mime . "Content-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\n" .
				encode_base64($_[0]);
		}

		my %bombs = (
			"zip" => sub { attached(zip(0, ["zeros", "\0" x (100e6 * $scale)])) },
			"zip in zip" => sub {
				my $z = zip(0, ["zeros", "\0" x 30e6]);
				$z = zip(0, map ["$_.zip", $z], 1 .. 16) for 1 .. 4;
				attached($z) },
			"zip, overlapping" => sub {
				my $name = "n00000";
				attached(zip(1, map [$name++, "\0" x 2e5], 1 .. 1000 * $scale)) },
			"zip of many members" => sub { attached(zip(0, map ["m$_", "$_"], 1 .. 20000 * $scale)) },
			"parts" => sub { $mime . "Content-Type: multipart/mixed; boundary=b\n\n" . "--b\n\nx\n" x (100000 * $scale) . "--b--\n" },
			"nested multiparts" => sub { $mime . join("", map "Content-Type: multipart/mixed; boundary=b$_\n\n--b$_\n",
				1 .. 1024 * $scale) . "Content-Type: text/plain\n\nhttp://deep.example.com/\n" },
			"nested messages" => sub { $mime . "Content-Type: message/rfc822\n\n" x (1024 * $scale) . "Subject: x\n\nx\n" },
			"URLs in text" => sub { $mime . "\n" . join("", map "http://h$_.example.com/$_\n", 1 .. 50000 * $scale) },
			"URLs in HTML" => sub { $html . join("", map "<a href=\"http://h$_.example.com/\">x</a>\n", 1 .. 50000 * $scale) },
			"one line" => sub { $mime . "\n" . "http://a.example.com/" . "x" x (10e6 * $scale) . "\n" },
			"one line of HTML" => sub { $html . "<a href=\"http://a.example.com/" . "y" x (10e6 * $scale) . "\n" },
			"open tags" => sub { $html . "<a <b " x (500000 * $scale) . "\n" },
			"open comments" => sub { $html . "<!--" x (1000000 * $scale) . "\n" },
			"open attributes" => sub { $html . "<a " . "a=\"" x (1000000 * $scale) . "\n" },
			"attributes" => sub { $html . "<a " . join(" ", map "a$_=1", 1 .. 300000 * $scale) . " href=http://attr.example.com/>\n" },
			"open elements" => sub { $html . "<div><style><script><table>" x (200000 * $scale) . "\n" },
			"entities" => sub { $html . "<a href=\"http://e.example.com/" . "&amp;&#x41;&lt" x (400000 * $scale) . "\">x</a>\n" },
			"entity declarations" => sub { $html . "<!DOCTYPE x [" . join("", map "<!ENTITY e$_ \"" . "&e" . ($_ - 1) . ";" x 10 .
				"\">", 1 .. 100) . "]>" . "&e100;" x 10000 . "\n" },
			"encoded words" => sub { $mime . "X: " . "=?utf-8?q?=41?=" x 60 . "\n" .
				"Content-Type: application/octet-stream; name=\"" . "=?utf-8?b?QUE=?= " x 3500 . "\"\n\nx\n" },
			"parameters" => sub { $mime . "Content-Type: application/octet-stream;\n" .
				join("", map " name*$_=x;\n", 0 .. 4500) . " y=z\n\nx\n" },
			"header fields" => sub { $mime . join("", map "X-A$_: b\n", 1 .. 20000 * $scale) . "\nhttp://h.example.com/\n" },
			"a header field" => sub { $mime . "To: " . join(",\n ", map "a$_\@example.com", 1 .. 3000) . "\n\nx\n" },
			"addresses in groups" => sub { $mime . "Cc: " . "g:" x 30000 . "\n\nx\n" },
			"forged fields" => sub { $mime . join("", map "X-VT-F$_: b\n", 1 .. 15000) . "\nhttp://h.example.com/\n" },
			"uuencoded" => sub { $mime . "\n" . "begin 644 a\n" x (200000 * $scale) },
		);
		if ($what eq "list") {
			print "$_\n" for sort keys %bombs;
			exit 0;
		}
		print $bombs{$what}->();' "$1" "$scale"
}

# Seconds of processor time that vtmilter and its children have used.
used()
{
	local pid total=0
	for pid in "$milter_pid" $(cat "/proc/$milter_pid/task"/*/children 2>/dev/null); do
		total=$((total + $(awk '{ print $14 + $15 + $16 + $17 }' "/proc/$pid/stat" 2>/dev/null || echo 0)))
	done
	echo $((total / 100))
}

drive()
{
	result=$("$builddir/t/milter-drive" -e -f "$1" "unix:$milter_socket" 2>&1)
}

start_fakevt --per-minute 0 --per-day 0 --per-month 0 || bail 'no stand-in'
know_samples
start_vtmilter 'Timeout 5' 'RequestsPerMinute 0' 'RequestsPerDay 0' 'RequestsPerMonth 0' 'SenderShare 0%' || bail 'no vtmilter'
mail_text clean-attachment.eml >"$work/clean.eml"
drive "$work/clean.eml"
like "$result" 'VT_Scanned' 'an ordinary message'
rest=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$milter_pid/status")

bomb list >"$work/bombs"
between "$(wc -l <"$work/bombs")" 20 99 'there are bombs'
table=
while read -r what; do
	bomb "$what" >"$work/bomb.eml" || bail "no bomb: $what"
	before=$(used)
	drive "$work/bomb.eml"
	cpu=$(($(used) - before))
	like "$result" ' errors=0 .* rejected=0 tempfailed=0 ' "$what: goes on"
	unlike "$result" 'VT_Scanned' "$what: not called scanned"
	between "$cpu" 0 $((8 * scale)) "$what: seconds of processor time"
	hwm=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$milter_pid/status")
	table="$table
$what | $(($(wc -c <"$work/bomb.eml") / 1024)) kB | $cpu s | $(((hwm - rest) / 1024)) MB | \
$(printf '%s\n' "$result" | grep -o 'VT_[A-Za-z_]*$' | sort -u | paste -s -d ' ' -)"
	# Largest is the message itself a few times; a bomb that unpacks to gigabytes would show.
	between "$hwm" 1 $((rest + 300000 * scale)) "$what: memory"
	case "$what" in
	zip | "zip in"* | "zip of"* | parts | nested* | URLs* | "one line")
		like "$result" 'VT_Bypassed' "$what: says that not all was looked at" ;;
	esac
	drive "$work/clean.eml"
	like "$result" 'VT_Scanned' "$what: the next message is as ever"
done <"$work/bombs"
diag "bomb | size | processor | peak above rest so far | tags$table"
ok 'vtmilter is alive' alive "$milter_pid"
done_testing
