#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0391-sieve.sh - contrib/sieve does what its README says, in sieve-test and in a delivery by LMTP.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
. "$srcdir/t/shell/dovecot.sh"
need_program sieve-test sievec
why=$(dovecot_missing) && skip_all "$why"

script=$srcdir/contrib/sieve/vtmilter.sieve

# tagged TAG ... : a message with these tags, as vtmilter writes them.
tagged()
{
	local tag
	for tag; do
		echo "X-VT-Tag: $tag"
	done
	printf '%s\n' 'From: ada@example.org' 'To: user@example.test' 'Subject: sieve' \
		"Message-ID: <$(echo "$*" | tr ' ' -)@sieve>" '' 'X-VT-Tag: VT_Bad' '(that was the body)'
}

dovecot_offline "$work/offline" >"$work/offline.conf"
cp "$script" "$work/rules.sieve"
verdict()
{
	tagged "$@" >"$work/m.eml"
	sieve-test -c "$work/offline.conf" "$work/rules.sieve" "$work/m.eml" 2>&1
}
like "$(verdict VT_Bad VT_Scanned)" 'store message in folder: Quarantine' 'bad mail is filed'
like "$(verdict VT_Bad)" '\\flagged' 'and flagged'
like "$(verdict VT_Scanned VT_Hash_not_found)" 'vt-unknown-file' 'an unknown file is marked'
like "$(verdict VT_Pending)" 'vt-unchecked' 'a pending answer is marked'
like "$(verdict VT_Bypassed)" 'vt-unchecked' 'and so is what was not asked'
unlike "$(verdict VT_Scanned)" 'Quarantine|vt-' 'clean mail is left alone'
unlike "$(verdict)" 'Quarantine|vt-' 'and so is mail without tags'
unlike "$(verdict VT_Badly)" 'Quarantine' 'a tag is compared whole'

port=$(free_port)
ok 'Dovecot compiles it' dovecot_create "$work/dovecot" "$port" "$script"
ok 'Dovecot starts' dovecot_start "$work/dovecot" || bail "$(tail -n 5 "$work/dovecot/log")"
at_end dovecot_stop "$work/dovecot"
ok 'Dovecot listens' wait_for 10 port_open "$port"
deliver()
{
	tagged "$@" >"$work/m.eml"
	smtp-source -L -F "$work/m.eml" -f sender@example.org -t user@example.test "inet:127.0.0.1:$port"
}
if command -v smtp-source >/dev/null; then
	ok 'bad mail delivered' deliver VT_Bad
	ok 'clean mail delivered' deliver VT_Scanned
	ok 'unknown file delivered' deliver VT_Hash_not_found
	found=$(dovecot_adm fetch -u user 'mailbox flags hdr.message-id' mailbox '*' ALL | tr '\n' ' ')
	like "$found" 'Quarantine flags: [^:]*\\Flagged[^:]* hdr.message-id: <VT_Bad@sieve>' \
		'bad mail is in Quarantine, flagged'
	like "$found" 'INBOX flags: [^:]*hdr.message-id: <VT_Scanned@sieve>' 'clean mail is in the inbox'
	like "$found" 'INBOX flags: [^:]*vt-unknown-file[^:]* hdr.message-id: <VT_Hash_not_found@sieve>' \
		'the unknown one has its keyword'
else
	skip 'smtp-source is not installed' 'deliveries by LMTP'
fi

# What the documents say for this version is what the private Dovecot was given, but for the path.
settings='sieve_before ='
dovecot_is_24 && settings='sieve_script vtmilter {'
for document in contrib/sieve/README milter/vtmilter.8; do
	ok "$document has this version's setting" grep -qF "$settings" "$srcdir/$document"
done
done_testing
