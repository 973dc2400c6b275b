#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0736-effects.sh - directives that no other test looks at: each does what its manual entry says
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilter milter/vtmilterctl t/standin/fakevt t/standin/milter-drive
[ -e "$builddir/t/standin/libtimewarp.so" ] || skip_all 't/standin/libtimewarp.so is not built'

ctl()
{
	"$builddir/milter/vtmilterctl" -f "$milter_conf" "$@"
}

logged()
{
	grep -Eq -e "$1" "$milter_log"
}

# no_limits LINE ... : a configuration with these and no other limits; the log begins anew.
no_limits()
{
	local window
	write_conf "$@"
	for window in Minute Day Month; do
		grep -q "^RequestsPer$window" "$milter_conf" || echo "RequestsPer$window 0" >>"$milter_conf"
	done
	: >"$milter_log"
}

# set_conf LINE ... : another configuration for the daemon that runs.
set_conf()
{
	no_limits "$@"
	ctl reload >/dev/null || bail "no reload with: $*"
}

# fresh LINE ... : another daemon, with nothing in its store and nothing used of the key.
fresh()
{
	stop_vtmilter
	vt reset all >/dev/null
	rm -f "$work"/vtmilter.db*
	no_limits "$@"
	start_vtmilter || bail "does not start with: $*"
}

drive()
{
	"$builddir/t/standin/milter-drive" -t 30000 -e "$@" "unix:$milter_socket"
}

# tags_of FILE : of the message, sent through the milter.
tags_of()
{
	drive -f "$1" | sed -n 's/^insert [0-9]* X-VT-Tag: //p' | paste -s -d ' ' -
}

# items_of FILE : how many are found in it.
items_of()
{
	drive -f "$1" >/dev/null
	sed -n 's/.*: from=.*, items=\([0-9]*\),.*/\1/p' "$milter_log" | tail -n 1
}

# mail NAME [LINE ...] : a message with this text, $work/NAME.eml.
mail()
{
	local name="$1"
	shift
	{
		printf 'From: a@example.org\nTo: user@example.test\nSubject: %s\nMessage-ID: <%s@x>\n' "$name" "$name"
		printf 'MIME-Version: 1.0\nContent-Type: text/plain\n\n'
		printf '%s\n' "$@"
	} >"$work/$name.eml"
}

# attachment NAME TEXT [HEADER] : one with this text in an attachment.
attachment()
{
	cat >"$work/$1.eml" <<-MAIL
		${3:-X-Nothing: here}
		From: a@partner.example
		Subject: $1
		Message-ID: <$1@x>
		MIME-Version: 1.0
		Content-Type: application/octet-stream
		Content-Disposition: attachment; filename="$1.bin"
		Content-Transfer-Encoding: base64

		$(printf %s "$2" | base64 -w 0)
	MAIL
}

# know FILE-TEXT VERDICT : the stand-in knows an attachment with this text.
know()
{
	vt add file "$(printf %s "$1" | sha256sum | cut -c 1-64)" "$2" >/dev/null
}

asked()
{
	vt_count requests
}

# costs MESSAGE N NAME : it takes just so many requests to tag it; $tags are its tags.
costs()
{
	local before
	before=$(asked)
	tags=$(tags_of "$work/$1.eml")
	is "$(($(asked) - before))" "$2" "$3"
}

# requested REGEX : the stand-in was asked for such a path.
requested()
{
	grep -Eq -e "$1" "$work/requests"
}

warp_clock || bail 'no time warp'
start_fakevt --per-minute 0 --per-day 0 --per-month 0 --log "$work/requests" || bail 'no stand-in'
know_samples
no_limits 'Timeout 10'
start_vtmilter || bail 'no vtmilter'

# ---- what is found

mail bare 'Log in at bank.example.com today.'
is "$(items_of "$work/bare.eml")" 0 'ScanBareDomains no: a bare domain is no item'
set_conf 'ScanBareDomains yes'
is "$(items_of "$work/bare.eml")" 1 'ScanBareDomains yes: it is'
{
	printf 'Subject: zip\nMIME-Version: 1.0\nContent-Type: application/zip; name=two.zip\n'
	printf 'Content-Transfer-Encoding: base64\n\n'
	base64 "$data/fuzz/archive/two.zip"
} >"$work/zip.eml"
is "$(items_of "$work/zip.eml")" 3 'ScanArchives yes: an archive and its two members'
set_conf 'ScanArchives no'
is "$(items_of "$work/zip.eml")" 1 'ScanArchives no: the archive'
if grep -q '^#define HAVE_QPDF 1' "$builddir/build-config.h"; then
	{
		printf 'Subject: pdf\nMIME-Version: 1.0\nContent-Type: application/pdf; name=two.pdf\n'
		printf 'Content-Transfer-Encoding: base64\n\n'
		base64 "$data/fuzz/pdf/00.pdf"
	} >"$work/pdf.eml"
	is "$(items_of "$work/pdf.eml")" 1 'ScanPDF no: the document'
	set_conf 'ScanPDF yes'
	is "$(items_of "$work/pdf.eml")" 3 'ScanPDF yes: its two links as well'
	set_conf 'ScanPDF no'
else
	skip 'built without qpdf' 'ScanPDF'
fi
printf '%s\n' 'MIME-Version: 1.0' 'Content-Type: text/html' '' '<img src="http://pictures.example.com/a.png">' \
	>"$work/picture.eml"
is "$(items_of "$work/picture.eml")" 0 'ScanResourceURLs no: a picture is no item'
set_conf 'ScanResourceURLs yes'
is "$(items_of "$work/picture.eml")" 1 'ScanResourceURLs yes: it is'

# ---- what is asked

# privacy MODE : what is asked for a link that looks personal and one that does not.
privacy()
{
	set_conf "URLPrivacy $1"
	: >"$work/requests"
	mail "privacy" "http://p$1.example.com/unsubscribe?token=0123456789abcdef0123456789abcdef" \
		"http://q$1.example.net/page"
	drive -f "$work/privacy.eml" >/dev/null
	sed -n 's,.* GET /api/v3/\(urls\|domains\)/.*,\1,p' "$work/requests" | sort | paste -s -d ' ' -
}
is "$(privacy guarded)" 'domains urls' 'URLPrivacy guarded: the personal one by its host'
is "$(privacy host)" 'domains domains' 'URLPrivacy host: both'
is "$(privacy full)" 'urls urls' 'URLPrivacy full: none'

mail unknown 'http://nobody-knows.example.com/1'
drive -f "$work/unknown.eml" >/dev/null
ok 'SubmitUnknownURLs no: an unknown link is not submitted' not requested 'POST /api/v3/urls'
set_conf 'SubmitUnknownURLs yes'
mail unknown2 'http://nobody-knows.example.com/2'
drive -f "$work/unknown2.eml" >/dev/null
ok 'SubmitUnknownURLs yes: it is' wait_for 10 requested 'POST /api/v3/urls'

set_conf 'MaxLookupsPerMessage 2'
mail many http://m1.example.com/ http://m2.example.com/ http://m3.example.com/
costs many 2 'MaxLookupsPerMessage 2: of three links two are asked about'
is "$tags" 'VT_URL_not_found VT_Bypassed' '... and the third is bypassed'

attachment listed 'a listed file'
printf 'a listed file' | sha256sum | cut -c 1-64 >"$work/hashes"
set_conf "IgnoredHashes $work/hashes"
costs listed 0 'IgnoredHashes: a listed file is not asked about'
is "$tags" VT_Ignored '... and tagged so'
echo partner.example >"$work/domains"
mail domain http://sub.partner.example/1
set_conf "IgnoredDomains $work/domains" 'AuthservID mx.example.test'
costs domain 0 'IgnoredDomains: a host below a listed domain is not asked about'
is "$tags" VT_Ignored '... and tagged so'
attachment ours 'a file of our partner' \
	'Authentication-Results: mx.example.test; dmarc=pass header.from=partner.example'
attachment others 'another file' 'Authentication-Results: mx.other.test; dmarc=pass header.from=partner.example'
is "$(tags_of "$work/ours.eml")" VT_Ignored 'AuthservID: a listed sender whom our own server knows for sure'
is "$(tags_of "$work/others.eml")" VT_Hash_not_found '... another server does not count'

# ---- how long answers hold

# holds DIRECTIVE TEXT VERDICT : an answer holds for as long as it says; the other two are long.
holds()
{
	local ttl others=
	for ttl in CacheTTLBad CacheTTLClean CacheTTLUnknown; do
		[ "$ttl" = "$1" ] || others="$others$ttl 9d
"
	done
	attachment ttl "$2"
	[ -z "$3" ] || know "$2" "$3"
	set_conf "$others" 'ReaskUnknown no' "$1 9d"
	drive -f "$work/ttl.eml" >/dev/null
	warp_by 100000
	costs ttl 0 "$1 9d: a day is not too long"
	ctl cache forget "$(printf %s "$2" | sha256sum | cut -c 1-64)" >/dev/null
	set_conf "$others" 'ReaskUnknown no' "$1 1m"
	drive -f "$work/ttl.eml" >/dev/null
	warp_by 70
	costs ttl 1 "$1 1m: 70 seconds are"
}
attachment bad 'a bad file'
know 'a bad file' 50/72
attachment clean 'a clean file'
know 'a clean file' 0/72
holds CacheTTLBad 'a bad file to be kept' 50/72
holds CacheTTLClean 'a clean file to be kept' 0/72
holds CacheTTLUnknown 'a new file to be kept' ''

# ---- asked again, given up

set_conf 'ReaskUnknown no'
attachment once 'asked once'
drive -f "$work/once.eml" >/dev/null
before=$(asked)
warp_by 4000
mail marker1 http://marker1.example.com/
drive -f "$work/marker1.eml" >/dev/null
sleep 2		# in which the next test's daemon has asked again
is "$(asked)" $((before + 1)) 'ReaskUnknown no: an unknown file is asked about once'
set_conf 'ReaskUnknown yes'
attachment twice 'asked twice'
drive -f "$work/twice.eml" >/dev/null
before=$(asked)
warp_by 4000
ok 'ReaskUnknown yes: again after an hour' wait_for 10 vt_counted requests $((before + 1))

set_conf 'Timeout 0' 'RequestsPerMinute 1' 'PendingLifetime 20s'
mail expired http://e1.example.com/ http://e2.example.com/ http://e3.example.com/
drive -f "$work/expired.eml" >/dev/null
warp_by 30
ok 'PendingLifetime 20s: what is not asked by then is given up' wait_for 10 logged 'queue: dropped a look-up'

# ---- the journal

set_conf 'JournalRetention 0'
mail unkept http://unkept.example.com/
drive -f "$work/unkept.eml" >/dev/null
set_conf 'JournalDetail ids'
mail nobody http://nobody.example.com/
drive -S '<secret-sender@example.org>' -f "$work/nobody.eml" >/dev/null
set_conf 'JournalDetail full'
mail somebody http://somebody.example.com/
drive -S '<known-sender@example.org>' -f "$work/somebody.eml" >/dev/null
in_journal()
{
	ctl list --json >"$work/list" && grep -q "<$1@x>" "$work/list"
}
ok 'JournalDetail full: a message is in the journal' wait_for 10 in_journal somebody
ok '... with its sender' grep -q known-sender "$work/list"
ok 'JournalDetail ids: so is one' in_journal nobody
ok '... without' not grep -q secret-sender "$work/list"
exits 0 '... but its tags' ctl list --tag VT_URL_not_found
ok 'JournalRetention 0: nothing is' not in_journal unkept
set_conf 'JournalRetention 1h'
warp_by 7200
gone()
{
	! in_journal somebody
}
ok 'JournalRetention 1h: gone two hours later' wait_for 10 gone

# ---- the log

set_conf 'LogLevel warning'
drive -f "$work/listed.eml" >/dev/null
drive -f "$work/bad.eml" >/dev/null
ok 'LogLevel warning: a bad attachment' wait_for 5 logged 'verdict=bad'
ok '... and no line for a message' not logged 'from=<'
set_conf 'LogURLs no'
vt add url 'http://bad.example.com/page?who=ada' 9/95 >/dev/null
mail query 'http://bad.example.com/page?who=ada'
drive -f "$work/query.eml" >/dev/null
ok 'LogURLs no: a bad link is logged' wait_for 5 logged 'url=http://bad.example.com/page'
ok '... without its query' not logged 'who=ada'
set_conf 'LogURLs yes'
drive -f "$work/query.eml" >/dev/null
ok 'LogURLs yes: with it' wait_for 5 logged 'url=http://bad.example.com/page\?who=ada'
set_conf 'LogFormat json'
drive -f "$work/query.eml" >/dev/null
wait_for 5 logged '"subject"'
ok 'LogFormat json: every line is an object with the names of the manual' perl -MJSON::PP -ne '
	next unless /^\{/; $o = decode_json($_); $lines++;
	die "no $_ in line $lines\n" for grep { !defined $o->{$_} } qw(time severity ident pid);
	$message = $o if defined $o->{from}; $item = $o if defined $o->{verdict};
	END {
		die "no line for the message\n" if grep { !defined $message->{$_} } qw(subject from items tags delay asked cached);
		die "no line for the item\n" if grep { !defined $item->{$_} } qw(subject verdict detections url);
		die "$message->{items} $item->{verdict}\n" if "$message->{items} $item->{verdict}" ne "1 bad";
	}' "$milter_log"

# In a mount namespace of its own it finds our socket in the place of the system's log.
mkdir "$work/dev"
for device in null zero random urandom; do
	: >"$work/dev/$device"
done
listen_log()
{
	perl -MIO::Socket::UNIX -MSocket -e 'my $s = IO::Socket::UNIX->new(Local => $ARGV[0], Type => SOCK_DGRAM) or die "$!\n";
		chmod 0666, $ARGV[0]; $| = 1; while (defined $s->recv(my $m, 8192)) { print "$m\n" }' "$work/dev/log" \
		>"$work/syslog" 2>&1 &
	service_pids="$service_pids $!"
	wait_for 5 test -S "$work/dev/log"
}
# apart COMMAND ... : with $work/dev in the place of /dev.
apart()
{
	exec unshare -m --propagation private sh -c 'for device in null zero random urandom; do
		mount --bind "/dev/$device" "$0/$device" || exit 77; done; mount --bind "$0" /dev || exit 77; exec "$@"' \
		"$work/dev" "$@"
}
heard()
{
	grep -Eq -e "$1" "$work/syslog"
}
if (apart true) 2>/dev/null && listen_log; then
	stop_vtmilter
	no_limits 'LogFormat syslog' 'SyslogFacility local5'
	(apart env $service_env "$builddir/milter/vtmilter" -f "$milter_conf") >"$work/quiet" 2>&1 &
	milter_pid=$!
	service_pids="$service_pids $milter_pid"
	wait_for 20 socket_open "$milter_socket" || bail 'no vtmilter'
	drive -f "$work/query.eml" >/dev/null
	# 21 * 8 + 6: local5, info; 16 + 4: mail, warning
	ok 'LogFormat syslog: the line of a message' wait_for 5 heard "^<174>.* vtmilter\[$milter_pid\]: M.*: from=<"
	set_conf 'LogFormat syslog'
	drive -f "$work/query.eml" >/dev/null
	ok 'SyslogFacility mail: the line of a bad link' wait_for 5 heard '^<20>.* vtmilter\[.*: M.*: verdict=bad'
	is "$(cat "$work/quiet")" '' '... and nothing on standard error'
else
	skip 'no mount namespace here' 'LogFormat syslog'
fi
stop_vtmilter
no_limits 'LogFormat text'
: >"$milter_log"
JOURNAL_STREAM=$(stat -c %d:%i "$milter_log") start_vtmilter || bail 'no vtmilter'
ok 'standard error that is the journal: severities in its way' wait_for 5 logged '^<5>.* notice: vtmilter .* listens'

# ---- the budget

mail five http://f1.example.com/ http://f2.example.com/ http://f3.example.com/ http://f4.example.com/ \
	http://f5.example.com/
fresh 'RequestsPerMonth 3' 'Timeout 2'
costs five 3 'RequestsPerMonth 3: five links, three requests'
fresh 'RequestsPerDay 4' 'ReserveForManual 0' 'ReserveForAttachments 0%' 'SenderShare 0%' 'Timeout 2'
costs five 4 'RequestsPerDay 4: four'
fresh 'RequestsPerDay 4' 'ReserveForManual 1' 'ReserveForAttachments 0%' 'SenderShare 0%' 'Timeout 2'
costs five 3 'ReserveForManual 1: one less'
fresh 'RequestsPerDay 4' 'ReserveForManual 0' 'ReserveForAttachments 50%' 'SenderShare 0%' 'Timeout 9'
costs five 2 'ReserveForAttachments 50%: two less'
costs clean 1 '... but for an attachment'
fresh 'RequestsPerDay 4' 'ReserveForManual 0' 'ReserveForAttachments 0%' 'SenderShare 25%' 'Timeout 2'
costs five 4 'SenderShare 25%: a sender beyond it gets the requests that nobody else wants'

# ---- the command

printf '#!/bin/sh\nexec sleep 600\n' >"$work/slow"
chmod 755 "$work/slow"
attachment late 'a late file'
know 'a late file' 50/72
fresh 'Timeout 0' "LateVerdictCommand $work/slow" 'LateVerdictTimeout 1s'
drive -f "$work/late.eml" >/dev/null
ok 'LateVerdictTimeout: a command that takes longer is killed' wait_for 20 logged \
	'LateVerdictCommand .*/slow was killed: it ran longer than LateVerdictTimeout'
is "$(vt_count violations)" 0 'the stand-in counted no violation'
done_testing
