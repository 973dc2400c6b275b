#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0737-effects-tls.sh - CAFile, and the directives for a Redis behind a password and TLS
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
. "$srcdir/t/shell/redis.sh"
need_program openssl
need_built milter/vtmilter milter/vtmilterctl t/standin/fakevt t/standin/milter-drive

logged()
{
	grep -Eq -e "$1" "$milter_log"
}

tags_of()
{
	"$builddir/t/standin/milter-drive" -t 30000 -e -f "$1" "unix:$milter_socket" |
		sed -n 's/^insert [0-9]* X-VT-Tag: //p' | paste -s -d ' ' -
}

# An authority of our own, and a certificate of it for loopback.
certificates()
{
	cd "$work" || return 1
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=authority \
		-keyout ca.key -out ca.pem &&
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout own.key \
			-out own.csr &&
		echo 'subjectAltName=IP:127.0.0.1' >own.ext &&
		openssl x509 -req -in own.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile own.ext \
			-out own.pem
}
(certificates) >"$work/openssl.log" 2>&1 || bail 'no certificates'

# ---- CAFile

mail_text bad-attachment.eml >"$work/bad.eml"
echo "file $(eicar | sha256sum | cut -c 1-64) 64/72" >"$work/table"
start_fakevt --per-minute 0 --tls-cert "$work/own.pem" --tls-key "$work/own.key" --table "$work/table" ||
	bail 'no stand-in'
tls_url=https://127.0.0.1:$vt_port/api/v3
start_vtmilter "ApiBaseURL $tls_url" "CAFile $work/ca.pem" 'RequestsPerMinute 0' || bail 'no vtmilter'
is "$(tags_of "$work/bad.eml")" VT_Bad 'CAFile: its certificates are trusted'
stop_vtmilter
rm -f "$work"/vtmilter.db*
start_vtmilter "ApiBaseURL $tls_url" 'RequestsPerMinute 0' 'Timeout 3' || bail 'no vtmilter'
is "$(tags_of "$work/bad.eml")" 'VT_Bypassed VT_Pending' '... and without it these are not: nothing is asked'
stop_vtmilter
stop_pid "$vt_pid"

# ---- Redis

if [ -z "$redis_flavour" ]; then
	skip 'neither redis-server nor valkey-server is not installed' 'a Redis behind a password and TLS'
	done_testing
fi
redis_port=$(free_port)
(cd "$work" && exec $redis_server --port 0 --bind 127.0.0.1 --tls-port "$redis_port" --unixsocket "$work/redis.sock" \
	--tls-cert-file own.pem --tls-key-file own.key --tls-ca-cert-file ca.pem --tls-auth-clients yes \
	--requirepass 'open sesame' --save '' --daemonize no >"$work/redis.log" 2>&1) &
service_pids="$service_pids $!"
redis()
{
	REDISCLI_AUTH='open sesame' $redis_cli -s "$work/redis.sock" "$@" 2>/dev/null
}
redis_answers()
{
	redis ping | grep -q PONG
}
if ! wait_for 20 redis_answers; then
	skip "this $redis_server does not start with TLS" 'a Redis behind a password and TLS'
	done_testing
fi
echo 'open sesame' >"$work/password"
chmod 600 "$work/password" "$work/own.key"
start_fakevt --per-minute 0 || bail 'no stand-in'
know_samples
all="Store rediss://127.0.0.1:$redis_port/0
StorePasswordFile $work/password
StoreCAFile $work/ca.pem
StoreCertFile $work/own.pem
StoreKeyFile $work/own.key
StorePrefix here:"

start_vtmilter "$all" 'RequestsPerMinute 0' || bail 'no vtmilter'
is "$(tags_of "$work/bad.eml")" VT_Bad 'a Redis behind a password and TLS'
between "$(redis --scan --pattern '{here}:*' | wc -l)" 1 1000 'StorePrefix: its keys begin so'
is "$(redis --scan | grep -vc '^{here}:')" 0 '... and all of them'
write_conf "$(printf '%s\n' "$all" | sed 's/ here:/ there:/')" 'RequestsPerMinute 0'
ok 'a reload that changes only StorePrefix' "$builddir/milter/vtmilterctl" -f "$milter_conf" reload
there()
{
	redis --scan --pattern '{there}:*' | grep -q .
}
mail_text clean-attachment.eml >"$work/clean.eml"
is "$(tags_of "$work/clean.eml")" VT_Scanned '... finds nothing kept'
ok '... and keeps it in the other place' wait_for 10 there
stop_vtmilter

# refused DIRECTIVES : without them the store is not reached, and nothing is asked.
refused()
{
	: >"$milter_log"
	start_vtmilter "$(printf '%s\n' "$all" | grep -Ev -e "^($1) ")" 'RequestsPerMinute 0' 'Timeout 1' ||
		bail 'no vtmilter'
	ok "without $1 Redis is not reached" wait_for 10 logged 'store: '
	like "$(tags_of "$work/bad.eml")" "^VT_Bypassed( VT_Pending)?\$" "... which is no reason to call anything clean"
	stop_vtmilter
}
refused StorePasswordFile
refused StoreCAFile
refused 'StoreCertFile|StoreKeyFile'
is "$(vt_count requests)" 2 'two requests in all that time'
done_testing
