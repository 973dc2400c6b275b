#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# postfix.sh - a private Postfix on loopback; sourced by t/shell/lib.sh and contrib/quickstart.
#
# One instance lives in one directory: DIR/etc, DIR/spool, DIR/data, DIR/log, DIR/mail.  Nothing of /etc/postfix is
# read, nothing outside DIR is written.  Mail for anybody at example.test ends up in one Maildir, DIR/mail/all; mail for
# other domains is refused.  No name is ever looked up.  Needs root and Postfix >= 3.4.

# Can it run here?  Prints why not.
postfix_missing()
{
	if [ "$(id -u)" != 0 ]; then
		echo 'a private Postfix needs root'
	elif ! command -v postfix >/dev/null || ! command -v smtp-source >/dev/null; then
		echo 'Postfix is not installed'
	else
		return 1
	fi
}

# postfix_create DIR PORT [NAME=VALUE ...] : further lines of main.cf win over the ones below.
postfix_create()
{
	local dir="$1" port="$2" setting
	shift 2
	mkdir -p "$dir/etc" "$dir/spool" "$dir/data" "$dir/log" "$dir/mail/all" || return 1
	chmod 755 "$dir" "$dir/etc" "$dir/spool" "$dir/log" "$dir/mail"
	chown postfix "$dir/data" && chmod 700 "$dir/data" || return 1
	chown 65534:65534 "$dir/mail" "$dir/mail/all"
	: >"$dir/log/maillog"
	cat >"$dir/etc/main.cf" <<-CF
		compatibility_level = 3.6
		config_directory = $dir/etc
		queue_directory = $dir/spool
		data_directory = $dir/data
		command_directory = $(postconf -d -h command_directory)
		daemon_directory = $(postconf -d -h daemon_directory)
		maillog_file = $dir/log/maillog
		maillog_file_prefixes = $dir/log
		inet_interfaces = 127.0.0.1
		inet_protocols = ipv4
		mynetworks = 127.0.0.0/8
		myhostname = mx.example.test
		mydomain = example.test
		myorigin = example.test
		mydestination =
		disable_dns_lookups = yes
		smtpd_peername_lookup = no
		smtpd_recipient_restrictions = permit_auth_destination, reject
		smtpd_authorized_xclient_hosts = 127.0.0.1
		smtputf8_autodetect_classes = all
		alias_maps =
		alias_database =
		local_recipient_maps =
		virtual_mailbox_domains = example.test
		virtual_mailbox_base = $dir/mail
		virtual_mailbox_maps = static:all/
		virtual_uid_maps = static:65534
		virtual_gid_maps = static:65534
		virtual_minimum_uid = 100
		in_flow_delay = 0
		message_size_limit = 104857600
		mailbox_size_limit = 0
		virtual_mailbox_limit = 0
		smtpd_milters =
		non_smtpd_milters =
	CF
	for setting; do
		postconf -c "$dir/etc" -e "$setting" || return 1
	done
	cat >"$dir/etc/master.cf" <<-CF
		127.0.0.1:$port inet n - n - - smtpd
		pickup   unix n - n 60  1 pickup
		cleanup  unix n - n -   0 cleanup
		qmgr     unix n - n 300 1 qmgr
		rewrite  unix - - n -   - trivial-rewrite
		bounce   unix - - n -   0 bounce
		defer    unix - - n -   0 bounce
		trace    unix - - n -   0 bounce
		verify   unix - - n -   1 verify
		proxymap unix - - n -   - proxymap
		smtp     unix - - n -   - smtp
		relay    unix - - n -   - smtp
		lmtp     unix - - n -   - lmtp
		virtual  unix - n n -   - virtual
		discard  unix - - n -   - discard
		error    unix - - n -   - error
		retry    unix - - n -   - error
		showq    unix n - n -   - showq
		anvil    unix - - n -   1 anvil
		postlog  unix-dgram n - n - 1 postlogd
	CF
}

# postfix_start DIR : returns when it listens.
postfix_start()
{
	local dir="$1" port
	postfix -c "$dir/etc" start >"$dir/log/start" 2>&1 || { cat "$dir/log/start" >&2; return 1; }
	port=$(sed -n '1s/^127\.0\.0\.1:\([0-9]*\).*/\1/p' "$dir/etc/master.cf")
	wait_for 10 port_open "$port"
}

# postfix_set DIR NAME=VALUE ... : changes settings of a running instance; returns when no smtpd has the old ones.
postfix_set()
{
	local dir="$1" setting old
	shift
	for setting; do
		postconf -c "$dir/etc" -e "$setting" || return 1
	done
	old=$(postfix_smtpds "$dir")
	postfix -c "$dir/etc" reload >/dev/null 2>&1 && wait_for 30 postfix_gone "$dir" $old
}

postfix_smtpds()
{
	local master pid
	master=$(tr -d ' ' <"$1/spool/pid/master.pid")
	for pid in $(cat "/proc/$master/task/$master/children"); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != smtpd ] || echo "$pid"
	done
}

# postfix_gone DIR PID ... : none of these is left.
postfix_gone()
{
	local dir="$1" pid
	shift
	for pid; do
		! postfix_smtpds "$dir" | grep -qx "$pid" || return 1
	done
}

postfix_stop()
{
	postfix -c "$1/etc" stop >/dev/null 2>&1
}
