#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0830-memory.sh - no memory: whichever of the large allocations of a message fails, it arrives whole and is never tagged
# clean.  VTM_LONG=1: also smaller allocations, and more of them.
. "${srcdir:-$(dirname "$0")/..}/t/lib.sh"
need_postfix
[ -e "$builddir/t/libfaults.so" ] || skip_all 't/libfaults.so is not built'

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

daemon()
{
	service_env="LD_PRELOAD=$builddir/t/libfaults.so VTM_FAULTS=$work/faults"
	start_vtmilter "$@" || bail 'no vtmilter'
}

faults
start_fakevt || bail 'no stand-in'
vt set "$(cat "$work/known")" >/dev/null
daemon 'Timeout 5'
start_postfix milter_default_action=accept || bail 'no Postfix'

# one NAME BYTES N : the N-th allocation of so many bytes or more fails while that message passes; $ended counts daemons.
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
	if alive "$milter_pid"; then
		like "$said" '^(VT_Bad|VT_Bypassed|VT_Bad VT_Bypassed)$' 'and its tags say so'
	else
		ended=$((ended + 1))
		is "$said" '' 'and no tags, for nobody was there'
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
diag "the daemon ended $ended times, and was started again"
done_testing
