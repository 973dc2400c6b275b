#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0815-protocol.sh - whatever comes through the sockets, in whatever order, cut anywhere: the daemon lives, and the next message is as
# ever.  Random, from a fixed seed; VTM_SEED=N takes another, VTM_LONG=1 takes 40 times as much.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilter t/standin/fakevt t/standin/milter-drive

rounds=150
[ -z "${VTM_LONG:-}" ] || rounds=6000
seed=${VTM_SEED:-7}

# noise SEED : connections to both sockets, one after the other, a few bytes to a few kilobytes each.
noise()
{
	perl -MIO::Socket::UNIX -e '
		my ($seed, $rounds, $milter, $control) = @ARGV;
		srand $seed;
		$SIG{PIPE} = "IGNORE";
		my @letters = split //, "OCHMRTLNBEAQDKU";
		my @fine = (["O", pack("N3", 6, 0x1ff, 0x1fffff)], ["C", "host\0" . "4" . pack("n", 25) . "192.0.2.1\0"], ["H", "helo\0"],
			["M", "<a\@example.org>\0"], ["R", "<b\@example.test>\0"], ["T", ""], ["L", "X-VT-Tag\0VT_Scanned\0"],
			["L", "Content-Type\0multipart/mixed; boundary=b\0"], ["N", ""], ["B", "--b\r\n\r\nhttp://x.example.com/\r\n"],
			["E", ""]);
		sub any { join "", map chr int rand 256, 1 .. int rand $_[0] }
		sub packet { my ($letter, $data, $len) = @_; pack("N", $len // 1 + length $data) . $letter . $data }
		sub one
		{
			my $kind = int rand 10;
			return packet(@{$fine[rand @fine]}) if $kind < 4;		# fine, in any order
			return packet($letters[rand @letters], any(200)) if $kind < 6;	# its data is none
			return packet(chr int rand 256, any(40)) if $kind == 6;		# no such command
			return packet("B", any(2000), (0, 1, 2, 65536, 1 << 20, 0x7fffffff, 0x80000000, 0xffffffff)[rand 8]) if $kind == 7;
			return any(30) if $kind == 8;					# no packet
			return packet("D", $letters[rand @letters] . "i\0" . any(20) . "\0{x}");
		}
		for (1 .. $rounds) {
			my $s = IO::Socket::UNIX->new(Peer => $milter) or die "round $_: $!\n";
			my @packets = rand() < 0.5 ? map one(), 1 .. rand 12 : map packet(@$_), @fine[0 .. rand @fine];
			# One of them is another, missing or twice, or all of it is cut.
			splice @packets, rand @packets, int rand 2, map one(), 1 .. rand 3 if @packets;
			my $bytes = join "", @packets;
			substr($bytes, rand length $bytes) = "" if length $bytes && rand() < 0.3;
			syswrite $s, $bytes;
			shutdown $s, 1 if rand() < 0.5;
			if (rand() < 0.2) {
				my $in = "";
				vec($in, fileno($s), 1) = 1;
				select($in, undef, undef, 0.02) and sysread($s, my $reply, 4096);
			}
			close $s;
			next if $_ % 5;
			my $c = IO::Socket::UNIX->new(Peer => $control) or die "round $_: control: $!\n";
			syswrite $c, (any(400), "status\n", "status\0\n", "x" x 5000, "\n", "quota " . any(300) . "\n", "cache show " . any(60) . "\n",
				"", "STATUS \r\n", "show ../../etc/passwd\n", "%s%n%s%n\n")[rand 10];
			shutdown $c, 1;
			close $c;
		}' "$1" "$rounds" "$milter_socket" "$work/control.sock"
}

descriptors()
{
	ls "/proc/$milter_pid/fd" | wc -l
}

settled()
{
	[ "$(descriptors)" -le $((before + 4)) ]
}

start_fakevt --per-minute 0 --per-day 0 --per-month 0 || bail 'no stand-in'
know_samples
start_vtmilter 'Timeout 2' 'RequestsPerMinute 0' 'RequestsPerDay 0' 'RequestsPerMonth 0' 'LogLevel error' || bail 'no vtmilter'
mail_text clean-attachment.eml >"$work/clean.eml"
like "$("$builddir/t/standin/milter-drive" -e -f "$work/clean.eml" "unix:$milter_socket")" 'VT_Scanned' 'an ordinary message'
before=$(descriptors)
for turn in 1 2 3 4; do
	ok "turn $turn, seed $((seed * 10 + turn)): every connection is taken" noise $((seed * 10 + turn))
	ok "turn $turn: vtmilter is alive" alive "$milter_pid"
	result=$("$builddir/t/standin/milter-drive" -e -f "$work/clean.eml" "unix:$milter_socket" 2>&1)
	like "$result" 'X-VT-Tag: VT_Scanned' "turn $turn: the next message is as ever"
	like "$result" ' errors=0 ' "turn $turn: and its session"
	like "$("$builddir/milter/vtmilterctl" -f "$milter_conf" --json status 2>&1)" '^\{' "turn $turn: vtmilterctl is answered"
done
ok 'no descriptor is left behind' wait_for 30 settled
is "$(grep -c 'ERROR: AddressSanitizer\|runtime error' "$milter_log")" 0 'nothing for a sanitizer'
ok 'vtmilter ends when told' stop_vtmilter
done_testing
