#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# dovecot.sh - a private Dovecot on loopback: LMTP with Sieve, doveadm; sourced by tests after lib.sh.
#
# One instance lives in one directory, DIR; /etc/dovecot is not read.  Every user exists, with a Maildir in
# DIR/mail/USER.  DIR/before.sieve is run for everybody.  Needs root.

dovecot_missing()
{
	if [ "$(id -u)" != 0 ]; then
		echo 'a private Dovecot needs root'
	elif ! command -v dovecot >/dev/null || ! command -v doveadm >/dev/null || ! command -v sievec >/dev/null; then
		echo 'Dovecot with LMTP and Sieve is not installed'
	else
		return 1
	fi
}

# Dovecot 2.4 has other names for settings than 2.3, and a file for one is an error for the other.
dovecot_is_24()
{
	case "$(dovecot --version)" in
	2.[0-3].*) return 1 ;;
	esac
}

# dovecot_offline DIRECTORY : a configuration for sieve-test and sievec, on standard output.
dovecot_offline()
{
	dovecot_is_24 && printf '%s\n' 'dovecot_config_version = 2.4.0' 'dovecot_storage_version = 2.4.0'
	printf '%s\n' 'mail_uid = 65534' 'mail_gid = 65534' 'first_valid_uid = 100'
	if dovecot_is_24; then
		printf '%s\n' 'mail_driver = maildir' "mail_path = $1"
	else
		printf '%s\n' "mail_location = maildir:$1"
	fi
}

dovecot_conf_23()
{
	cat <<-CF
		base_dir = $1/run
		state_dir = $1/state
		instance_name = vtmilter-test
		log_path = $1/log
		listen = 127.0.0.1
		protocols = lmtp
		ssl = no
		first_valid_uid = 100
		mail_location = maildir:~/Maildir
		passdb {
		  driver = static
		  args = nopassword=y
		}
		userdb {
		  driver = static
		  args = uid=65534 gid=65534 home=$1/mail/%n
		}
		service lmtp {
		  inet_listener lmtp {
		    address = 127.0.0.1
		    port = $2
		  }
		}
		protocol lmtp {
		  postmaster_address = postmaster@example.test
		  mail_plugins = \$mail_plugins sieve
		}
		namespace inbox {
		  inbox = yes
		  separator = /
		}
		plugin {
		  sieve_before = $1/before.sieve
		}
	CF
}

dovecot_conf_24()
{
	cat <<-CF
		dovecot_config_version = 2.4.0
		dovecot_storage_version = 2.4.0
		base_dir = $1/run
		state_dir = $1/state
		instance_name = vtmilter-test
		log_path = $1/log
		listen = 127.0.0.1
		protocols = lmtp
		ssl = no
		first_valid_uid = 100
		mail_driver = maildir
		mail_path = ~/Maildir
		passdb static {
		  password =
		  fields {
		    nopassword = yes
		  }
		}
		userdb static {
		  fields {
		    uid = 65534
		    gid = 65534
		    home = $1/mail/%{user|username}
		  }
		}
		service lmtp {
		  inet_listener lmtp {
		    listen = 127.0.0.1
		    port = $2
		  }
		}
		protocol lmtp {
		  postmaster_address = postmaster@example.test
		  mail_plugins {
		    sieve = yes
		  }
		}
		namespace inbox {
		  inbox = yes
		  separator = /
		}
		sieve_script vtmilter {
		  type = before
		  path = $1/before.sieve
		}
	CF
}

# dovecot_create DIR LMTP_PORT SIEVE_SCRIPT [LINE ...]
dovecot_create()
{
	local dir="$1" port="$2" script="$3" version=23
	shift 3
	mkdir -p "$dir/run" "$dir/state" "$dir/mail" || return 1
	chmod 755 "$dir"
	chown 65534:65534 "$dir/mail"
	: >"$dir/log"
	chmod 666 "$dir/log"
	dovecot_is_24 && version=24
	"dovecot_conf_$version" "$dir" "$port" >"$dir/dovecot.conf"
	[ $# = 0 ] || printf '%s\n' "$@" >>"$dir/dovecot.conf"
	cp "$script" "$dir/before.sieve" && sievec -c "$dir/dovecot.conf" "$dir/before.sieve"
}

dovecot_start()
{
	dovecot -c "$1/dovecot.conf" >"$1/start" 2>&1 && dovecot_dir=$1
}

dovecot_stop()
{
	doveadm -c "$1/dovecot.conf" stop 2>/dev/null
}

# dovecot_adm ARGUMENT ... : doveadm on the instance started last.
dovecot_adm()
{
	doveadm -c "$dovecot_dir/dovecot.conf" "$@"
}
