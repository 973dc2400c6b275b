#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# sendmail.sh - a private Sendmail on loopback, from packages that are unpacked, not installed; sourced after lib.sh.
#
# Debian's sendmail conflicts with its postfix, so `contrib/quickstart check` unpacks it into $builddir/sendmail.  One
# instance lives in one directory, DIR; mail for anybody at example.test goes through procmail into DIR/mail, a Maildir.
# Needs root.  A milter's unix socket must not lie below a directory that everybody can write to, such as /tmp:
# Sendmail would not start.

sendmail_root=$builddir/sendmail

sendmail_missing()
{
	if [ "$(id -u)" != 0 ]; then
		echo 'a private Sendmail needs root'
	elif [ ! -x "$sendmail_root/usr/libexec/sendmail/sendmail" ]; then
		echo 'Sendmail is not unpacked (contrib/quickstart check does that)'
	elif ! command -v m4 >/dev/null || ! command -v procmail >/dev/null; then
		echo 'm4 or procmail is not installed'
	elif [ ! -e "$builddir/t/standin/sendmail-shim.so" ]; then
		echo 't/standin/sendmail-shim.so is not built'
	else
		return 1
	fi
}

# sendmail_create DIR PORT MILTER ... : what stands in the second argument of INPUT_MAIL_FILTER, one after the other.
sendmail_create()
{
	local dir="$1" port="$2" cf="$sendmail_root/usr/share/sendmail/cf" milter n=0
	shift 2
	mkdir -p "$dir/queue" "$dir/mail" || return 1
	chmod 755 "$dir"
	chmod 700 "$dir/queue"
	printf 'hosts files\naliases files\n' >"$dir/service.switch"
	: >"$dir/statistics"
	printf '%s\n' ':0' "$dir/mail/" >"$dir/procmailrc"
	chown 65534:65534 "$dir/mail"
	cat >"$dir/sendmail.mc" <<-MC
		include(\`$cf/m4/cf.m4')dnl
		OSTYPE(\`linux')dnl
		define(\`confDOMAIN_NAME', \`mx.example.test')dnl
		define(\`QUEUE_DIR', \`$dir/queue')dnl
		define(\`STATUS_FILE', \`$dir/statistics')dnl
		define(\`ALIAS_FILE', \`')dnl
		define(\`HELP_FILE', \`/dev/null')dnl
		define(\`confPID_FILE', \`$dir/pid')dnl
		define(\`confSERVICE_SWITCH_FILE', \`$dir/service.switch')dnl
		define(\`confDONT_PROBE_INTERFACES', \`true')dnl
		define(\`confDONT_BLAME_SENDMAIL', \`GroupWritableDirPathSafe')dnl
		define(\`confDEF_USER_ID', \`65534:65534')dnl
		define(\`confTO_IDENT', \`0')dnl
		define(\`confBIND_OPTS', \`-DNSRCH -DEFNAMES')dnl
		define(\`confQUEUE_LA', \`500')dnl
		define(\`confREFUSE_LA', \`500')dnl
		define(\`confLOG_LEVEL', \`12')dnl
		FEATURE(\`no_default_msa')dnl
		FEATURE(\`nocanonify')dnl
		FEATURE(\`accept_unresolvable_domains')dnl
		RELAY_DOMAIN(\`example.test')dnl
		DAEMON_OPTIONS(\`Family=inet, Addr=127.0.0.1, Port=$port, Name=MTA')dnl
		$(for milter; do echo "INPUT_MAIL_FILTER(\`milter$((n += 1))', \`$milter')dnl"; done)
		MAILER(\`local')dnl
		MAILER(\`smtp')dnl
		MAILER_DEFINITIONS
		Mbox,	P=$(command -v procmail), F=DFMPhulmnoq9, S=EnvFromL/HdrFromL, R=EnvToL/HdrToL,
		 T=DNS/RFC822/X-Unix, U=nobody:nogroup, A=procmail -m $dir/procmailrc \$g \$u
		LOCAL_RULE_0
		R\$* < @ example.test. > \$*	\$#box \$: \$1
		R\$* < @ example.test > \$*	\$#box \$: \$1
	MC
	m4 "-D_CF_DIR_=$cf/" "$dir/sendmail.mc" >"$dir/sendmail.cf"
}

# sendmail_start DIR : returns when it listens.
sendmail_start()
{
	local port
	port=$(sed -n 's/.*DAEMON_OPTIONS.*Port=\([0-9]*\).*/\1/p' "$1/sendmail.mc")
	VTM_HOSTNAME=mx.example.test VTM_SYSLOG_FILE="$1/log" LD_PRELOAD="$builddir/t/standin/sendmail-shim.so" \
		"$sendmail_root/usr/libexec/sendmail/sendmail" -C"$1/sendmail.cf" -bd >"$1/start" 2>&1 || {
		cat "$1/start"
		return 1
	}
	wait_for 20 port_open "$port"
}

sendmail_stop()
{
	[ ! -s "$1/pid" ] || kill "$(head -n 1 "$1/pid")"
}
