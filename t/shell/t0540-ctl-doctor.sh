#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0540-ctl-doctor.sh - vtmilterctl doctor finds what goes wrong and names the line to change
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilterctl milter/vtmilter t/standin/fakevt

# No MTA of this machine: what is called postconf says what a test wants.
usual_path=$PATH
mkdir "$work/bin"
PATH=$work/bin:$PATH
SENDMAIL_CF=$work/sendmail.cf
export SENDMAIL_CF
unset MAIL_CONFIG

# postconf_says [NAME=VALUE ...] : Postfix's settings; what is not given is good.  master_says LINE ... : master.cf.
postconf_says()
{
	cat >"$work/main" <<EOT
config_directory = /etc/postfix
compatibility_level = 3.6
mail_owner = root
queue_directory = /var/spool/postfix
smtpd_milters = unix:$milter_socket
smtpd_milter_maps =
non_smtpd_milters = unix:$milter_socket
milter_default_action = accept
milter_protocol = 6
milter_content_timeout = 300s
milter_command_timeout = 30s
milter_connect_timeout = 30s
ipc_timeout = 3600s
header_checks = regexp:/etc/postfix/header_checks
nested_header_checks =
EOT
	: >"$work/overrides"
	master_says 'smtp  inet  n  -  n  -  -  smtpd'
	for setting; do
		case "${setting%%=*}" in
		*/*) echo "${setting%%=*} = ${setting#*=}" >>"$work/overrides" ;;
		*) sed -i "s|^${setting%%=*} = *.*|${setting%%=*} = ${setting#*=}|" "$work/main" ;;
		esac
	done
}

master_says()
{
	printf '%s\n' "$@" 'cleanup  unix  n  -  n  -  0  cleanup' >"$work/master"
}

cat >"$work/bin/postconf" <<EOT
#!/bin/sh
case "\$1" in
-M) cat "$work/master" ;;
-Px) cat "$work/overrides" ;;
*) cat "$work/main" ;;
esac
EOT
cat >"$work/bin/postmap" <<EOT
#!/bin/sh
[ ! -e "$work/no-checks" ] && echo IGNORE
EOT
chmod +x "$work/bin/postconf" "$work/bin/postmap"

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
	# Sendmail would not take a socket below /tmp, where this test is
	is "$(said | grep '^problem' | grep -vc 'everybody may write to /tmp:')" 1 'and nothing else'
	like "$(said)" "^problem +$1" 'is named'
	like "$(said)" "^ +-> $2" 'with the line to change'
}

# notes WHAT FIX NAME : no problem, but this note
notes()
{
	doctor >"$work/said" 2>&1
	is "$(said | grep '^problem' | grep -v 'everybody may write to /tmp:')" '' "$3"
	like "$(said)" "^note +$1" 'is a note'
	[ -z "$2" ] || like "$(said)" "^ +-> $2" 'with the line to change'
}

start_fakevt || bail 'no stand-in'
start_vtmilter || bail 'no milter'
postconf_says
exits 64 'an argument' doctor now
ok 'all is well' doctor
for word in conf daemon files decoders key clock store temp gmime lsm socket postfix; do
	like "$(said)" "^(ok|note) +$word +" "it looks at $word"
done
like "$(said)" '^ok +postfix +smtpd_milters has unix:' 'the milter in Postfix'
like "$(said)" '^ok +socket +user root can reach' 'the socket'
like "$(said)" '^ok +gmime +GMime 3\.' 'the version of GMime'
ok 'as objects' doctor --json
is "$(said | grep -vEc '^\{"check":"[a-z]*","result":"(ok|note|problem)","text":".*","fix":(null|"(run: |/).*")\}$')" 0 'one a line'

# ---- Postfix

postconf_says milter_default_action=tempfail
finds 'postfix +smtpd_milters: default_action is tempfail' "run: postconf -e 'milter_default_action = accept'" \
	'mail that waits for us'
postconf_says milter_default_action=quarantine
finds 'postfix +smtpd_milters: default_action is quarantine: while vtmilter does not run, mail is held' \
	"run: postconf -e 'milter_default_action = accept'" 'mail that is held'
postconf_says milter_default_action=reject
finds 'postfix +smtpd_milters: default_action is reject: .* refused for good' \
	"run: postconf -e 'milter_default_action = accept'" 'mail that is refused'
postconf_says milter_default_action=shutdown
finds 'postfix +smtpd_milters: default_action is shutdown: .* deferred' \
	"run: postconf -e 'milter_default_action = accept'" 'a client that is sent away'
postconf_says milter_content_timeout=10s
finds 'postfix +smtpd_milters: content_timeout is 10s' "run: postconf -e 'milter_content_timeout = 300s'" 'no patience'
postconf_says milter_content_timeout=35s
notes 'postfix +smtpd_milters: content_timeout 35s is less' "run: postconf -e 'milter_content_timeout = 300s'" 'little patience'
postconf_says milter_command_timeout=2s
finds 'postfix +smtpd_milters: command_timeout is 2s' "run: postconf -e 'milter_command_timeout = 30s'" 'no patience for commands'
postconf_says ipc_timeout=30s
finds 'postfix +ipc_timeout is 30s' "run: postconf -e 'ipc_timeout = 40s'" 'a hard end before Timeout'
postconf_says milter_protocol=2
finds 'postfix +smtpd_milters: protocol is 2' "run: postconf -e 'milter_protocol = 6'" 'an old protocol'
postconf_says smtpd_milters=inet:127.0.0.1:1
finds 'postfix +smtpd_milters \(inet:127.0.0.1:1\) does not name' \
	"run: postconf -e 'smtpd_milters = inet:127.0.0.1:1, unix:$milter_socket'" 'another milter, which stays'
postconf_says "smtpd_milters={ unix:$milter_socket, default_action = tempfail, content_timeout=5s }, inet:127.0.0.1:1"
exits 1 'settings of one milter' doctor
is "$(said | grep -c '^problem')" 2 'are what counts'
like "$(said)" "postconf -e 'smtpd_milters = \{ unix:$milter_socket, default_action=accept, content_timeout=5s }, inet:127.0.0.1:1'" \
	'and what is changed, the others stay'
postconf_says milter_default_action=tempfail \
	"smtpd_milters={ unix:$milter_socket, default_action=accept, content_timeout=300s }"
ok 'good ones win over those for all' doctor
postconf_says "queue_directory=$work" smtpd_milters=unix:vtmilter.sock non_smtpd_milters=
ok 'a socket below the queue directory' doctor
master_says 'smtp  inet  n  -  y  -  -  smtpd'
ok 'in a chroot too' doctor
postconf_says "queue_directory=$work"
master_says 'smtp  inet  n  -  y  -  -  smtpd'
finds "chroot +smtp/inet of master.cf runs in a chroot, where $milter_socket is $work$milter_socket" \
	"run: postconf -e 'smtpd_milters = unix:vtmilter.sock'" 'but not by its whole path'
postconf_says "queue_directory=$work" "smtpd_milters={ unix:$milter_socket, content_timeout=300s }, inet:127.0.0.1:1"
master_says 'smtp  inet  n  -  y  -  -  smtpd'
finds 'chroot +smtp/inet' \
	"run: postconf -e 'smtpd_milters = \{ unix:vtmilter.sock, content_timeout=300s }, inet:127.0.0.1:1'" \
	'its settings and the other milters stay'
postconf_says "queue_directory=$work" smtpd_milters= "smtp/inet/smtpd_milters=unix:$milter_socket"
master_says 'smtp  inet  n  -  y  -  -  smtpd'
finds 'chroot +smtp/inet' "run: postconf -P 'smtp/inet/smtpd_milters = unix:vtmilter.sock'" 'one that master.cf names'
postconf_says
master_says 'smtp  inet  n  -  y  -  -  smtpd'
moved="$milter_conf: Socket local:/var/spool/postfix/vtmilter/vtmilter.sock, and run: install -d .* && systemctl restart"
finds 'chroot +smtp/inet' "$moved vtmilter && postconf -e 'smtpd_milters = unix:vtmilter/vtmilter.sock'" \
	'a socket outside of the chroot'
unlike "$(said)" ' socket ' 'which is not to be opened where it is'
postconf_says smtpd_milters=inet:127.0.0.1:1
master_says 'smtp  inet  n  -  y  -  -  smtpd'
finds 'postfix +smtpd_milters .* does not name' \
	"$moved vtmilter && postconf -e 'smtpd_milters = inet:127.0.0.1:1, unix:vtmilter/vtmilter.sock'" \
	'a fresh Debian is told where the socket has to be'
postconf_says compatibility_level=0
master_says 'smtp  inet  n  -  -  -  -  smtpd'
exits 1 'a chroot was usual once' doctor
like "$(said)" '^problem +chroot' 'is named'
postconf_says submission/inet/smtpd_milters=
master_says 'smtp  inet  n  -  n  -  -  smtpd' 'submission inet n - n - - smtpd -o smtpd_milters='
notes 'postfix +submission/inet/smtpd_milters \(empty\) does not name' '' 'a service without us'
postconf_says smtpd_milters= "smtp/inet/smtpd_milters={ unix:$milter_socket, content_timeout=5s }"
finds 'postfix +smtp/inet/smtpd_milters: content_timeout is 5s' \
	"run: postconf -P 'smtp/inet/smtpd_milters = \{ unix:$milter_socket, content_timeout=300s }'" 'what master.cf sets'
postconf_says non_smtpd_milters= smtpd_milter_maps=cidr:/etc/postfix/m
: >"$work/no-checks"
notes 'postfix +non_smtpd_milters does not name' '' 'local mail that is not scanned'
like "$(said)" '^note +postfix +while vtmilter does not run, forged' 'and forged headers'
like "$(said)" "-> run: postconf -e 'header_checks = regexp:.*, regexp:/[^ ]*/share/vtmilter/header_checks'" \
	'and the table that is installed'
like "$(said)" '^note +postfix +smtpd_milter_maps' 'and clients without a milter'
rm "$work/no-checks"
postconf_says nested_header_checks=regexp:/etc/postfix/header_checks
notes 'postfix +nested_header_checks has' "run: postconf -e 'nested_header_checks = '" 'messages inside messages'
if id nobody >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
	chmod 0600 "$milter_socket"
	postconf_says mail_owner=nobody
	finds 'socket +user nobody may not write to .*mode 0600' "$milter_conf: SocketGroup nobody" 'a socket that is closed'
	chmod 0660 "$milter_socket"
	chgrp daemon "$milter_socket"
	finds 'socket +user nobody may not write to .*group daemon' 'run: usermod -a -G daemon nobody' 'one for another group'
	chmod 0666 "$milter_socket"
	chmod 0700 "$work"
	finds "socket +user nobody may not search $work" "$milter_conf: Socket local:/run/vtmilter" 'a directory that is closed'
	chgrp daemon "$work"
	chmod 0750 "$work"
	finds "socket +user nobody may not search $work" 'run: usermod -a -G daemon nobody' 'or open to a group'
	chmod 0755 "$work"
fi
postconf_says mail_owner=nosuchuser
notes 'socket +there is no user nosuchuser' '' 'no user of that name'
postconf_says

# ---- a real Postfix

if why=$(postfix_missing); then
	skip "$why" 'the settings of a real Postfix'
else
	PATH=$usual_path
	mkdir -p "$work/real/etc"
	: >"$work/real/etc/master.cf"	# postconf -e wants to see one
	MAIL_CONFIG=$work/real/etc
	export MAIL_CONFIG
	printf '/^X-VT-/ IGNORE\n' >"$work/checks"
	postfix_create "$work/real" 1 "smtpd_milters={ unix:$milter_socket, default_action=tempfail }, inet:127.0.0.1:1" \
		"header_checks=regexp:$work/checks" nested_header_checks= milter_default_action=accept
	finds 'postfix +smtpd_milters: default_action is tempfail' \
		"run: postconf -e 'smtpd_milters = \{ unix:$milter_socket, default_action=accept }, inet:127.0.0.1:1'" 'a real Postfix'
	like "$(said)" '^ok +postfix +header_checks removes forged' 'its header_checks'
	eval "$(said | sed -n 's/^ *-> run: \(postconf .*\) && postfix reload$/\1/p')"
	ok 'what is to be run mends it' doctor
	postconf -F '*/*/chroot=y'
	exits 1 'in a chroot' doctor
	like "$(said)" "^problem +chroot +127.0.0.1:1/inet of master.cf" 'it would not reach us'
	unset MAIL_CONFIG
	PATH=$work/bin:$usual_path
fi

# ---- Sendmail

all='O InputMailFilters=vtmilter'
printf '%s\n' "$all" "Xvtmilter, S=local:$milter_socket, T=S:30s;R:30s;E:20s" >"$SENDMAIL_CF"
finds 'sendmail +T=S:30s;R:30s;E:20s gives up' \
	"/etc/mail/sendmail.mc: INPUT_MAIL_FILTER\(.vtmilter', .S=local:.*E:300s'\)" "Sendmail's time-out"
printf '%s\n' "$all" "Xvtmilter, S=unix:$milter_socket, T=R:30s;E:5" >"$SENDMAIL_CF"
finds 'sendmail +T=R:30s;E:5 gives up' '/etc/mail/sendmail.mc' 'a number alone is seconds'
printf '%s\n' "$all" "Xvtmilter, S=$milter_socket, T=R:4s;E:1m30s" >"$SENDMAIL_CF"
finds 'sendmail +R:4s is too short' '/etc/mail/sendmail.mc' 'no patience between signs of life'
printf '%s\n' "$all" "Xvtmilter, S=local:$milter_socket, F=T, T=R:30s;E:5m" >"$SENDMAIL_CF"
finds 'sendmail +F=T: mail is not accepted' '/etc/mail/sendmail.mc: INPUT_MAIL_FILTER' "Sendmail's default action"
printf '%s\n' 'O InputMailFilters=clamav' "Xvtmilter, S=local:$milter_socket, T=R:30s;E:5m" >"$SENDMAIL_CF"
finds 'sendmail +the filter vtmilter is defined but not used: InputMailFilters \(clamav\)' \
	"$SENDMAIL_CF: O InputMailFilters=clamav, vtmilter" 'a filter that is not used'
printf '%s\n' "$all" "Xvtmilter, S=local:$milter_socket" >"$SENDMAIL_CF"
notes 'sendmail +R: is 10 s, its default' '/etc/mail/sendmail.mc' 'what Sendmail says by itself'
printf '%s\n' "$all" "Xvtmilter, S=local:$milter_socket, T=C:1m;R:30s;E:5m" >"$SENDMAIL_CF"
notes 'sendmail +while vtmilter does not run, mail is delivered' '' 'Sendmail is well'
like "$(said)" '^ok +sendmail +T=C:1m;R:30s;E:5m is long enough' 'and waits'
chmod 1777 "$work"
finds "sendmail +everybody may write to $work" "$milter_conf: Socket local:/run/vtmilter" 'a directory that Sendmail refuses'
chmod 0755 "$work"
echo 'Xother, S=local:/x' >"$SENDMAIL_CF"
notes 'sendmail +.* does not name our Socket' '' 'a Sendmail beside Postfix need not use us'
mv "$work/bin/postconf" "$work/bin/was-postconf"
PATH=$work/bin:/bin
if ! command -v postconf >/dev/null; then
	finds 'sendmail +.* does not name our Socket' '/etc/mail/sendmail.mc' 'alone it should'
	rm "$SENDMAIL_CF"
	ok 'no MTA' doctor
	like "$(said)" '^note +mta ' 'is a note'
fi
PATH=$work/bin:$usual_path
mv "$work/bin/was-postconf" "$work/bin/postconf"
rm -f "$SENDMAIL_CF"

# ---- VirusTotal

vt fault status=401 >/dev/null
finds 'key +VirusTotal refuses it' "run: editor $work/api-key" 'a refused key'
vt reset >/dev/null
vt fault date-skew=-7200 >/dev/null
finds "clock +this host's clock is (7199|7200|7201|7202) s ahead" 'run: timedatectl' 'a wrong clock'
vt reset >/dev/null
vt fault html >/dev/null
finds "reach +$vt_url gives no usable answer" 'run: curl ' "a proxy's page"
vt reset >/dev/null
vt set limits per-day=100 >/dev/null
finds 'limits +RequestsPerDay is 500, but the key allows 100' "$milter_conf: RequestsPerDay 100" 'a smaller key'
vt set limits per-day=500 >/dev/null
vt set limits per-minute=2 >/dev/null
finds 'limits +RequestsPerMinute is 4, but the key allows 120 an hour' "$milter_conf: RequestsPerMinute 2" 'a slower key'
vt set limits per-minute=4 >/dev/null

# ---- this host

doctor >"$work/said"
like "$(said)" '^ +-> .*: IgnoredDomains /[^ ]*/share/vtmilter/ignored-domains.knowbe4$' 'a list that is installed'
domains=$work/ignored-domains
with()
{
	cp "$milter_conf" "$work/was.conf"
	{
		grep -v "^${1%% *} " "$work/was.conf"
		echo "$1"
	} >"$milter_conf"
}
without()
{
	mv "$work/was.conf" "$milter_conf"
}
printf '# ours\nexample.org\n' >"$domains"
with "IgnoredDomains $domains"
ok 'a list' doctor
like "$(said)" "^ok +ignored +$domains: 1 entries, mode 06" 'is told with its entries'
chmod 0666 "$domains"
finds "ignored +everybody may write to $domains" "run: chmod o-w $domains" 'one that everybody may change'
chmod 0644 "$domains"
echo co.uk >>"$domains"
exits 1 'one that is too wide' doctor
like "$(said)" "^problem +conf +.*$domains:3: .*everybody's domains are below it" 'is told with its line'
without
with 'LateVerdictCommand /etc/passwd'
exits 1 'a command that is none' doctor
like "$(said)" '^problem +late +.*may not run LateVerdictCommand /etc/passwd' 'is named'
without
with 'MaxWaiting 10000'
finds 'files +the daemon may open [0-9]+ files; MaxWaiting 10000 ' '/etc/systemd/system/vtmilter.service.d/limits.conf: ' \
	'more waiting messages than descriptors'
without
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	mkdir "$work/small"
	with "TempDirectory $work/small"
	cat >"$work/in-small" <<-EOT
		mount -t tmpfs -o size=1m none "$work/small" || exit 99
		mkdir "$work/fs"
		exec "$builddir/milter/vtmilterctl" -f "$milter_conf" doctor
	EOT
	exits 1 'a full disk' unshare -m sh "$work/in-small"
	like "$(said)" "^problem +temp +$work/small has space for [01] MiB" 'is named'
	cat >"$work/in-selinux" <<-EOT
		mount -t tmpfs none /sys/fs && mkdir /sys/fs/selinux && echo 1 >/sys/fs/selinux/enforce || exit 99
		exec "$builddir/milter/vtmilterctl" -f "$work/was.conf" doctor
	EOT
	ok 'SELinux' unshare -m sh "$work/in-selinux"
	like "$(said)" '^note +lsm +SELinux is enforcing' 'is named'
	without
else
	skip 'mounts are not allowed here' 'a full disk, SELinux'
fi
chmod 644 "$work/api-key"
exits 1 'an open key file' doctor
like "$(said)" '^problem +conf ' 'is named'
like "$(said)" "^ +-> run: chmod 600 $work/api-key\$" 'with what to do'
chmod 600 "$work/api-key"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && id nobody >/dev/null 2>&1; then
	# The program may lie where nobody may not go.
	cp "$builddir/milter/vtmilterctl" "$work/vtmilterctl"
	ok 'an ordinary user' setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups \
		"$work/vtmilterctl" -f "$milter_conf" doctor
	like "$(said)" '^note +conf .*only its owner may read' 'is told what he cannot see'
	like "$(said)" '^note +daemon ' 'and that he may not ask the daemon'
	like "$(said)" '^ +-> run: sudo vtmilterctl doctor' 'and what to run'
fi
stop_vtmilter
exits 1 'no daemon' doctor
like "$(said)" '^problem +daemon' 'is named'
like "$(said)" '^ +-> run: systemctl start vtmilter' 'with what to do'
stop_pid "$vt_pid"
exits 1 'no VirusTotal' doctor
like "$(said)" '^problem +reach' 'is named'
rm -f "$work"/vtmilter.db*
exits 1 'a store that was never used' doctor
like "$(said)" '^ok +store .* will be created when the daemon starts' 'is none of the problems'
ok 'and is not made' [ ! -e "$work/vtmilter.db" ]
mkdir "$work/vtmilter.db"
exits 1 'no store' doctor
like "$(said)" '^problem +store .* is not a regular file' 'is named'
rmdir "$work/vtmilter.db"
head -c 8192 /dev/zero >"$work/vtmilter.db"
echo broken >"$work/vtmilter.db"
exits 1 'a broken store' doctor
like "$(said)" "^ +-> run: systemctl stop vtmilter; mv $work/vtmilter.db $work/vtmilter.db.broken" 'is moved away'
rm "$work/vtmilter.db"
if [ "$(id -u)" = 0 ] && id nobody >/dev/null 2>&1; then
	chown nobody "$work"
	: >"$work/vtmilter.db-wal"
	chmod 600 "$work/vtmilter.db-wal"
	with 'User nobody'
	exits 1 "a file that root made in the daemon's place" doctor
	like "$(said)" "^ +-> run: chown nobody $work/vtmilter.db-wal && chmod u\+rw $work/vtmilter.db-wal\$" \
		'is given to it, and nothing else'
	chown root "$work"
	exits 1 'a directory that it may not write to' doctor
	like "$(said)" '^problem +store +user nobody may not create files in ' 'is named'
	unlike "$(said)" '-> .*(chown -R|chown [a-z]+ /tmp )' 'nothing broad is to be changed'
	rm "$work/vtmilter.db-wal"
	without
fi

# ---- TLS

if command -v openssl >/dev/null; then
	# certificate NAME DAYS SAN : NAME.pem, signed by ca.pem
	certificate()
	{
		echo "subjectAltName=$3" >"$work/ext"
		openssl x509 -req -in "$work/own.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days "$2" \
			-extfile "$work/ext" -out "$work/$1.pem"
	}
	{
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=authority \
			-keyout "$work/ca.key" -out "$work/ca.pem" &&
			openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
				-keyout "$work/own.key" -out "$work/own.csr" &&
			certificate good 30 IP:127.0.0.1 && certificate other 30 DNS:other.example &&
			(
				# OpenSSL 3.5 makes none that ends before it begins: a hundred days ago, for one day
				perl -e 'print pack "q2", -100 * 86400 * 1000, 0' >"$work/then"
				LD_PRELOAD=$builddir/t/standin/libtimewarp.so VTM_TIMEWARP=$work/then
				export LD_PRELOAD VTM_TIMEWARP
				certificate expired 1 IP:127.0.0.1
			)
	} >"$work/openssl.out" 2>&1 || bail "no certificates: $(cat "$work/openssl.out")"
	# tls_doctor CERTIFICATE CAFILE
	tls_doctor()
	{
		start_fakevt --tls-cert "$work/$1.pem" --tls-key "$work/own.key"
		write_conf "ApiBaseURL https://127.0.0.1:$vt_port/api/v3" ${2:+"CAFile $2"}
		doctor >"$work/said" 2>&1
		stop_pid "$vt_pid"
	}
	tls_doctor good "$work/ca.pem"
	like "$(said)" '^ok +tls .* is valid$' 'TLS: a good certificate'
	like "$(said)" '^ok +key ' 'and a key'
	tls_doctor good
	like "$(said)" '^problem +tls .*not signed by an authority in the system' 'of nobody we know'
	like "$(said)" "^ +-> $milter_conf: CAFile /path" 'which CAFile mends'
	tls_doctor good "$work/own.key"
	like "$(said)" '^problem +tls .*(cannot be read or contains no certificate|not signed)' 'CAFile without a certificate'
	tls_doctor expired "$work/ca.pem"
	like "$(said)" '^problem +tls .*has expired' 'expired'
	like "$(said)" '^ +-> run: timedatectl' 'or is it the clock?'
	tls_doctor other "$work/ca.pem"
	like "$(said)" '^problem +tls .*belongs to another host' 'of another host'
	like "$(said)" "^ +-> $milter_conf: ApiBaseURL https://www.virustotal.com/api/v3" 'with the address'
	unlike "$(said)" '^problem +reach' 'told once'
else
	skip 'openssl is not installed' 'TLS'
fi

# ---- the configuration

exits 78 'no configuration' "$builddir/milter/vtmilterctl" -f "$work/none.conf" doctor
like "$(said)" "^problem +conf .*$work/none.conf: cannot be read" 'is named'
like "$(said)" "^ +-> $work/none.conf: ApiKeyFile " 'with the line it needs'
like "$(said)" '^ok +gmime' 'and the rest is looked at'
echo 'Bogus 1' >"$work/bad.conf"
exits 78 'a configuration with an error' "$builddir/milter/vtmilterctl" -f "$work/bad.conf" doctor
like "$(said)" "^problem +conf .*bad.conf:1: unknown directive 'Bogus'" 'is named with its line'

done_testing
