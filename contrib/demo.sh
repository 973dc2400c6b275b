#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# demo.sh - six messages through a private Postfix and vtmilter; contrib/quickstart runs it with $srcdir and $builddir.
set -u

keep=
[ "${1:-}" != --keep ] || keep=yes
data=$srcdir/t/data
work=$(mktemp -d "${TMPDIR:-/tmp}/vtmilter-demo.XXXXXX") || exit 1
chmod 755 "$work"
api_key=${VT_API_KEY:-}
unset VT_API_KEY
. "$srcdir/t/shell/services.sh"

say()
{
	printf '==> %s\n' "$*"
}

clean_up()
{
	local status=$?
	trap - EXIT
	if [ -n "$keep" ] && [ "$status" = 0 ]; then
		tell_how
	else
		services_stop
		rm -rf "$work"
	fi
	exit "$status"
}

die()
{
	printf 'demo: %s\n' "$*" >&2
	[ ! -s "$milter_log" ] || tail -n 20 "$milter_log" >&2
	exit 1
}

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

tell_how()
{
	cat <<-END

		Still running:
		    Postfix     127.0.0.1 port $postfix_port, mail for anybody at example.test
		    vtmilter    $milter_conf
		                log: $milter_log
		    mail        $postfix_dir/mail/all/new/

		To send a message of yours, without CR at the line ends:
		    smtp-source -F message.eml -f you@example.org -t user@example.test inet:127.0.0.1:$postfix_port
		To end it all:
		    postfix -c $postfix_dir/etc stop; kill$service_pids; rm -r $work
	END
}

why=$(postfix_missing) && die "$why"

if [ -n "$api_key" ]; then
	say 'using the real VirusTotal: the sums of two small files and a few links of these samples go there'
	vt_key=$api_key
	vt_url=https://www.virustotal.com/api/v3
else
	say 'starting a stand-in for VirusTotal (set VT_API_KEY to use the real one)'
	start_fakevt || die 'the stand-in did not start'
	know_samples
fi
printf '%s\n' '# training mails of our own' knowbe4.com >"$work/ignored-domains"

say 'starting vtmilter, with its store in SQLite'
start_vtmilter 'Timeout 15' "IgnoredDomains $work/ignored-domains" || die 'vtmilter did not start'
say 'starting a private Postfix on loopback'
start_postfix || die 'Postfix did not start'

# show FILE WHAT : sends a sample and prints what became of it.
show()
{
	local mail queue_id
	printf '\n---- %s\n' "$2"
	grep -i '^Subject:' "$(mail_path "$1")" | head -n 1 | sed 's/^/     /'
	send_mail "$1" || die "$1 was not taken: $(cat "$work/send.out")"
	mail=$(delivered "$1") || die "$1 did not arrive"
	queue_id=$(sed -n 's/^.*SMTP id \([0-9A-Za-z]*\).*/\1/p' "$mail" | head -n 1)
	if [ -n "$(vt_headers "$mail")" ]; then
		awk '/^$/ { exit } !/^[ \t]/ { ours = /^X-VT-/ } ours { print "     " $0 }' "$mail"
	else
		echo '     (no X-VT- header)'
	fi
	grep -F "$queue_id" "$milter_log" | sed 's/^/     log: /'
}

show clean-attachment.eml 'an attachment that VirusTotal knows and nobody objects to'
show bad-attachment.eml 'an attachment that engines call malicious'
show unknown-attachment.eml 'an attachment that VirusTotal has never seen'
show bad-link.eml 'a link that engines call malicious'
show ignored-domain.eml 'a link to a domain on the list of ignored ones'
show forged.eml 'a message whose sender wrote X-VT- headers: they are deleted'
echo
