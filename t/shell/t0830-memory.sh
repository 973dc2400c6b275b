#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0830-memory.sh - no memory: whichever of the large allocations of a message fails, the daemon lives, the message
# arrives whole and is never tagged clean.  VTM_LONG=1: also smaller allocations, and all of them.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_postfix
[ -e "$builddir/t/standin/libfaults.so" ] || skip_all 't/standin/libfaults.so is not built'

# A message that is kept in memory, and one that goes to a file; in each the attachment is bad, and nothing else is asked.
perl -MDigest::SHA=sha256_hex -MMIME::Base64 -e '
	my $dir = shift;
	for (["memory", 9000, 3000, 200_000], ["file", 30000, 20000, 1_000_000]) {
		my ($name, $text, $html, $size) = @$_;
		my $file = substr("no memory for it, $name " x ($size / 20), 0, $size);
		open my $f, ">", "$dir/$name.eml" or die "$!\n";
		print $f "From: a\@example.org\nTo: user\@example.test\nSubject: $name\nMessage-ID: <$name\@memory>\n",
			"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n",
			"--b\nContent-Type: text/plain\n\n", "a line of text\n" x $text,
			"--b\nContent-Type: text/html\n\n", "<p class=x>a line of it</p>\n" x $html,
			"--b\nContent-Type: application/octet-stream; name=a.bin\nContent-Transfer-Encoding: base64\n\n",
			encode_base64($file), "--b--\n";
		close $f or die "$!\n";
		print "file ", sha256_hex($file), " malicious=40\n";
	}' "$work" >"$work/known"

# A message with a part for every way of reading text, each of which takes more than 128 KiB.
perl -MMIME::Base64 -e '
	my ($big, $n) = (140_000, 0);
	my $long = "x" x $big;
	sub url { "http://" . ++$n . ".example.com/" }
	sub lines { my ($line, $first, $last) = @_; "$first\n" . $line x ($big / length $line) . "\n$last\n" }
	sub text { lines(shift, url(), url()) }
	sub part { my ($header, $body) = @_; "--b\n$header\n\n$body\n" }
	my $plain = "Content-Type: text/plain; charset";
	my $base64 = "Content-Transfer-Encoding: base64";
	my $uu = pack("u", text("text\n")) . "`\nend\n";
	my $script = "a = \"" . url() . "\"; aHR0c" . encode_base64("p://$long", "") . "; \"$long\"; \"" . url() . "\"";
	(my $escaped = $script) =~ s/"/&quot;/g;
	my $page = "<p>" . url() . "</p><p>$long</p><a href=" . url() . ">a</a>";
	my $css = "url(" . url() . ") url($long) url(" . url() . ")";
	print "From: a\@example.org", ":;" x 100, "\nSubject: every\nMIME-Version: 1.0\n",
		"Content-Type: multipart/mixed; boundary=b\n\n",
		part("$plain=koi8-r", text("\xc1\xc2\xc3\n")),
		part("$plain=utf-8; format=flowed; delsp=yes", text("flowed \n")),
		part("$plain=utf-8\nContent-Transfer-Encoding: quoted-printable", text("=41\n")),
		part("$plain=utf-8\n$base64\nContent-Transfer-Encoding: 7bit", encode_base64(text("text\n"))),
		part("$plain=utf-8", "begin 644 a.txt\n$uu"),
		part("$plain=utf-8; name=b.txt\nContent-Transfer-Encoding: x-uuencode", "begin 644 b.txt\n$uu"),
		part("Content-Type: text/calendar; name=a.vcf", "BEGIN:VCARD\n" . text("folded\n text\n")),
		part("Content-Type: text/xml; name=a.xml", "<?xml version=\"1.0\"?>" . text("<a b=\"c\"/>")),
		part("Content-Type: text/html; charset=iso-8859-1; name=a.html", text("<p>\xe9 ") .
			"<base href=$long><script>$script</script><p onclick=\"$escaped\"><style>$css</style><p style=\"$css\">" .
			"<iframe srcdoc=\"$page\"></iframe><a href=\"data:text/html;base64," . encode_base64($page, "") . "\">a</a>" .
			"<meta http-equiv=refresh content=\"0; url=$long\"><img srcset=\"$long 2x, " . url() . "\">"),
		part("Content-Type: message/rfc822\n$base64", encode_base64("Subject: inside\n\n" . text("text\n"))),
		part("Content-Type: text/plain\nContent-Type: text/html", text("<p>text\n")), "--b--\n";
	' >"$work/every.eml"

# read_with FAULT... : what vtmilterctl reads in that message is in $work/items, what it says about it in $work/remarks.
read_with()
{
	faults "$@"
	LD_PRELOAD="$builddir/t/standin/libfaults.so" VTM_FAULTS="$work/faults" "$builddir/milter/vtmilterctl" extract --resources \
		"$work/every.eml" >"$work/items" 2>"$work/remarks"
}

# every BYTES STEP : one by one, every STEP-th of the allocations of so many bytes or more fails, until there is none.
every()
{
	local n=1 told=0 untold=0 wrong=
	while [ $untold -lt 5 ] && [ $n -lt 2000 ]; do
		read_with "alloc=$1" "nth=$n" || [ $? -lt 128 ] || wrong="$wrong $n:ended"
		if grep -q 'not enough memory\|no room' "$work/remarks"; then
			told=$((told + 1)) untold=0
		else
			untold=$((untold + 1))
			cmp -s "$work/items" "$work/whole" || wrong="$wrong $n:untold"
		fi
		n=$((n + $2))
	done
	is "$wrong" '' "each way of reading, $told allocations of $1 bytes and more: where one fails it is told"
	ok 'and enough of them were large' [ $told -ge $((40 / $2)) ]
}

daemon()
{
	service_env="LD_PRELOAD=$builddir/t/standin/libfaults.so VTM_FAULTS=$work/faults"
	start_vtmilter "$@" || bail 'no vtmilter'
}

read_with
mv "$work/items" "$work/whole"
every 131072 4
[ -z "${VTM_LONG:-}" ] || every 131072 1

faults
start_fakevt || bail 'no stand-in'
vt set "$(cat "$work/known")" >/dev/null
daemon 'Timeout 5'
start_postfix milter_default_action=accept || bail 'no Postfix'

# one NAME BYTES N : the N-th allocation of so many bytes or more fails while that message passes; $ended counts daemons.
# libmilter takes what the MTA sends, 64 KiB at a time, into memory of its own; where it gets none it ends the session, and
# the MTA's default action takes the mail: untagged.
ended=0
one()
{
	local mail said
	forget_delivered
	faults "alloc=$2" "nth=$3"
	send_mail "$work/$1.eml"
	mail=$(delivered "$work/$1.eml")
	faults
	said=$(tags "$mail")
	is "$(body_of "$mail" | cksum)" "$(cat "$work/$1.body")" "$1, allocation $3 of $2 bytes and more: the same body"
	if alive "$milter_pid" && [ -z "$said" ] && [ "$2" -le 65536 ]; then
		tap_pass 'and no tags, for libmilter ended the session'
	elif alive "$milter_pid"; then
		like "$said" '^(VT_Bad|VT_Bypassed|VT_Bad VT_Bypassed)$' 'and its tags say so'
	else
		ended=$((ended + 1))
		is "$said" '' 'and no tags, for nobody was there'
		diag "$1, allocation $3 of $2 bytes and more: $(grep -a 'failed to allocate' "$work/vtmilter.log" | tail -n 1)"
		daemon
	fi
}

for name in memory file; do
	send_mail "$work/$name.eml"
	mail=$(delivered "$work/$name.eml")
	is "$(tags "$mail")" VT_Bad "$name: enough memory"
	body_of "$mail" | cksum >"$work/$name.body"
	for n in 1 2 3 4 5 6; do
		one "$name" 131072 $n
	done
done
if [ -n "${VTM_LONG:-}" ]; then
	for bytes in 131072 16384; do
		for name in memory file; do
			for n in $(seq 7 60); do
				one $name $bytes $n
			done
		done
	done
fi
is "$ended" 0 'the daemon never ended'
done_testing
