#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0540-ctl-doctor.sh - vtmilterctl doctor finds what goes wrong and names the line to change
. "${srcdir:-$(dirname "$0")/..}/t/lib.sh"
need_built milter/vtmilterctl milter/vtmilter t/fakevt

# No MTA of this machine: what is called postconf says what a test wants.
mkdir "$work/bin"
PATH=$work/bin:$PATH
SENDMAIL_CF=$work/sendmail.cf
export SENDMAIL_CF

# postconf_says [NAME=VALUE ...] : Postfix's settings; what is not given is good.
postconf_says()
{
	cat >"$work/main" <<EOT
mail_owner = root
queue_directory = /var/spool/postfix
smtpd_milters = unix:$milter_socket
non_smtpd_milters = unix:$milter_socket
milter_default_action = accept
milter_protocol = 6
milter_content_timeout = 300s
milter_command_timeout = 30s
ipc_timeout = 3600s
header_checks = regexp:/etc/postfix/header_checks
EOT
	for setting; do
		sed -i "s|^${setting%%=*} = .*|${setting%%=*} = ${setting#*=}|" "$work/main"
	done
	printf '#!/bin/sh\ncat "%s"\n' "$work/main" >"$work/bin/postconf"
	chmod +x "$work/bin/postconf"
}

doctor()
{
	"$builddir/milter/vtmilterctl" -f "$milter_conf" doctor "$@"
}

said()
{
	cat "$work/said"
}

# finds WHAT FIX NAME : the one problem
finds()
{
	exits 1 "$3" doctor
	is "$(said | grep -c '^problem')" 1 'and nothing else'
	like "$(said)" "^problem +$1" 'is named'
	like "$(said)" "^ +-> $2" 'with the line to change'
}

start_fakevt || bail 'no stand-in'
start_vtmilter || bail 'no milter'
postconf_says
exits 64 'an argument' doctor now
ok 'all is well' doctor
like "$(said)" '^ok +key +accepted' 'the key'
like "$(said)" '^ok +clock' 'the clock'
like "$(said)" '^ok +store' 'the store'
like "$(said)" '^ok +daemon' 'the daemon'
like "$(said)" '^ok +postfix +smtpd_milters has unix:' 'the milter in Postfix'
like "$(said)" '^ok +socket +user root can reach' 'the socket'
ok 'as objects' doctor --json
is "$(said | grep -vc '^{"check":"[a-z]*","result":"[a-z]*","text":".*","fix":null}$')" 0 'one a line'

# ---- Postfix

postconf_says milter_default_action=tempfail
finds 'postfix +milter_default_action is tempfail' "postconf -e 'milter_default_action = accept'" 'mail that waits for us'
postconf_says milter_content_timeout=10s
finds 'postfix +milter_content_timeout is 10s' "postconf -e 'milter_content_timeout = 300s'" 'no patience'
postconf_says ipc_timeout=30s
finds 'postfix +ipc_timeout is 30s' "postconf -e 'ipc_timeout = 40s'" 'a hard end before Timeout'
postconf_says milter_protocol=2
finds 'postfix +milter_protocol is 2' "postconf -e 'milter_protocol = 6'" 'an old protocol'
postconf_says smtpd_milters=inet:127.0.0.1:1
finds 'postfix +smtpd_milters \(inet:127.0.0.1:1\) does not name' "postconf -e 'smtpd_milters = unix:" 'another milter'
postconf_says "queue_directory=$work" smtpd_milters=unix:vtmilter.sock
ok 'a socket below the queue directory' doctor
postconf_says non_smtpd_milters= header_checks=
ok 'what is not wrong' doctor
like "$(said)" '^note +postfix +non_smtpd_milters is empty' 'is a note'
like "$(said)" '^note +postfix +while the milter is down, forged' 'too'
if id nobody >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
	chmod 0600 "$milter_socket"
	postconf_says mail_owner=nobody
	finds 'socket +user nobody may not write' 'usermod -a -G ' 'a socket that is closed'
	chmod 0666 "$milter_socket"
	chmod 0700 "$work"
	finds 'socket +user nobody may not search' 'usermod -a -G ' 'a directory that is closed'
	chmod 0755 "$work"
fi
postconf_says

# ---- Sendmail

echo "Xvtmilter, S=local:$milter_socket, T=S:30s;R:30s;E:20s" >"$SENDMAIL_CF"
finds 'sendmail +T=S:30s;R:30s;E:20s gives up' "INPUT_MAIL_FILTER\(.vtmilter', .S=local:.*E:40s'\)" "Sendmail's time-out"
echo "Xvtmilter, S=local:$milter_socket, F=T, T=C:1m;E:5m" >"$SENDMAIL_CF"
finds 'sendmail +F=T: mail is refused' 'INPUT_MAIL_FILTER' "Sendmail's default action"
echo "Xvtmilter, S=local:$milter_socket, T=C:1m;E:5m" >"$SENDMAIL_CF"
ok 'Sendmail is well' doctor
rm "$SENDMAIL_CF"

# ---- VirusTotal

vt fault status=401 >/dev/null
finds 'key +VirusTotal refuses it' "ApiKeyFile $work/api-key" 'a refused key'
vt reset >/dev/null
vt fault date-skew=-7200 >/dev/null
finds "clock +this host's clock is (7199|7200|7201) s ahead" timedatectl 'a wrong clock'
vt reset >/dev/null
vt fault html >/dev/null
finds "reach +$vt_url gives no usable answer" 'curl ' "a proxy's page"
vt reset >/dev/null
vt set limits per-day=100 >/dev/null
finds 'limits +RequestsPerDay is 500, but the key has 100' 'RequestsPerDay 100' 'a smaller key'
vt set limits per-day=500 >/dev/null

# ---- this host

chmod 644 "$work/api-key"
exits 1 'an open key file' doctor
like "$(said)" "^problem +conf .*run: chmod 600 $work/api-key\$" 'is named, with what to do'
chmod 600 "$work/api-key"
stop_vtmilter
exits 1 'no daemon' doctor
like "$(said)" '^problem +daemon' 'is named'
stop_pid "$vt_pid"
exits 1 'no VirusTotal' doctor
like "$(said)" '^problem +reach' 'is named'
rm -f "$work"/vtmilter.db*
mkdir "$work/vtmilter.db"
exits 1 'no store' doctor
like "$(said)" '^problem +store' 'is named'

done_testing
