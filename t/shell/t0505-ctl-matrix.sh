#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0505-ctl-matrix.sh - every command of vtmilterctl in its normal, empty, wrong-argument and service-down case
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
need_built milter/vtmilterctl milter/vtmilter t/standin/fakevt t/standin/milter-drive

# No MTA of this machine is looked at by doctor.
mkdir "$work/bin" "$work/none"
printf '#!/bin/sh\nexit 1\n' >"$work/bin/postconf"
chmod 755 "$work/bin/postconf"
PATH=$work/bin:$PATH
SENDMAIL_CF=$work/none/sendmail.cf
export SENDMAIL_CF

# A row: case, exit status, what the output is like (extended regular expression), command.  @BAD, @PLAIN, @NEW, @DIR,
# @NONE, @DB are files; cases stand in the order in which they are run.
cat >"$work/table" <<'TABLE'
empty	0	^mode: +scanning	status
empty	0	^day \(UTC\): +0 of 500, 500 left	quota
empty	0	^no messages$	list
empty	1	x: the journal has no such message	show x
empty	1	x: the journal has no such message	rescan x
empty	1	no answer is stored	cache show http://nobody.example.net/
empty	1	no answer is stored	cache forget http://nobody.example.net/
empty	0	^$	ignore list
empty	1	is not on a list	ignore remove nobody.example
empty	0	no items$	scan @PLAIN
empty	0	0 items$	extract @PLAIN
empty	1	no messages	plan @DIR
empty	0	^learned: +0$	learn @DIR
empty	64	file of 1 byte to 650 MiB	submit --public @NOTHING
empty	0	^verdicts: +0$	store copy sqlite:@DB sqlite:@WORK/copy0.db
empty	0	^$	reload
empty	[01]	^ok +key	doctor
normal	0	^mode: +scanning	status
normal	0	^\{"version":	--json status
normal	0	^VirusTotal's day: +[0-9]+ of 500	quota
normal	0	"server_day":500	quota --json
normal	0	 VT_Bad$	list
normal	0	"tags":\["VT_Bad"\]	list --json --tag VT_Bad --since 1h --max 5
normal	1	^tags now: +VT_Bad$	show bad-link@samples.vtmilter
normal	1	bad +12/95	rescan bad-link@samples.vtmilter
normal	1	^verdict: +bad	cache show http://malware.wicar.org/data/eicar.com
normal	0	^$	cache forget http://malware.wicar.org/data/eicar.com
normal	0	^$	ignore add example.net
normal	0	^example.net$	ignore list
normal	0	^$	ignore remove example.net
normal	1	VT_Bad$	scan @BAD
normal	0	^X-VT-Tag: VT_Bad	scan --headers @BAD
normal	0	url +link +http://malware	extract @BAD
normal	0	^items: +1: 0 attachments, 1 urls	plan @BAD
normal	0	^memory: +[0-9]+ link domains	learn @BAD
normal	1	bad +64/72 .*not sent	submit --public @EICAR
normal	0	^messages: +1$	store copy sqlite:@DB sqlite:@WORK/copy1.db
normal	0	^$	reload
normal	[01]	^ok +daemon	doctor
args	64	found 'now', expected no argument	status now
args	64	does not take --tag	status --tag VT_Bad
args	64	found 'now', expected no argument	quota now
args	64	found 'x', expected no argument	list x
args	64	expected a tag	list --tag Bad_VT
args	64	expected 90s, 5m, 2h	list --since yesterday
args	64	expected 1 to	list --max 0
args	64	expected a queue ID or Message-ID	show
args	64	expected a queue ID or Message-ID	show a b
args	64	expected a queue ID or Message-ID	rescan
args	64	expected show or forget	cache
args	64	is not a SHA-256, a URL	cache show nonsense
args	64	expected add DOMAIN	ignore
args	64	wildcard|domain	ignore add *.example.org
args	64	expected a FILE	scan
args	64	No such file	scan @NONE
args	64	no message 'x'	scan --from x @PLAIN
args	64	--headers takes one message	scan --headers @PLAIN @BAD
args	64	expected a FILE	extract
args	64	No such file	extract @NONE
args	64	expected a MAILDIR	plan
args	64	No such file	plan @NONE
args	64	expected a MAILDIR	learn
args	64	No such file	learn @NONE
args	64	expected a FILE or URL	submit --public
args	64	becomes public.*use --public	submit @BAD
args	64	No such file	submit --public @NONE
args	64	file of 1 byte to 650 MiB	submit --public @DIR
args	64	file of 1 byte to 650 MiB	submit --public @FIFO
args	64	expected copy FROM TO	store
args	64	the same store	store copy sqlite:@DB sqlite:@DB
args	78	expected	store copy mysql:x sqlite:@DB
args	64	found 'now', expected no argument	reload now
args	64	argument	doctor now
args	64	there is no command	frobnicate
refused	78	VirusTotal refuses the key.*ApiKeyFile	scan @NEW
refused	78	VirusTotal refuses the key	submit --public @NEW
refused	0	refuses the key|VirusTotal: +not asked|^mode	status
refused	78	VirusTotal refuses the key.*ApiKeyFile	rescan two-links@samples.vtmilter
refused	1	problem +key	doctor
down	69	systemctl start vtmilter.*the daemon does not run	status
down	69	systemctl start vtmilter.*the daemon does not run	reload
down	69	VirusTotal	quota
down	0	 VT_Bad$	list
down	1	^tags now: +VT_Bad$	show bad-link@samples.vtmilter
down	69	cannot be reached; try again later	rescan bad-link@samples.vtmilter
down	69	cannot be reached; try again later	scan @NEW
down	0	VT_Bypassed	scan --headers @NEW
down	69	no usable answer	submit --public @NEW
down	0	when it starts	ignore add later.example
down	0	later.example	ignore list
down	1	verdict: +bad	cache show http://malware.wicar.org/data/eicar.com
down	0	url +link +http://malware	extract @BAD
down	0	^items: +1:	plan @BAD
down	0	^memory:	learn @BAD
down	1	problem +daemon	doctor
nostore	69	vtmilter.db	list
nostore	69	vtmilter.db	learn @BAD
nostore	69	vtmilter.db	show x
nostore	69	vtmilter.db	rescan x
nostore	69	vtmilter.db	cache show http://nobody.example.net/
nostore	69	vtmilter.db	cache forget http://nobody.example.net/
nostore	69	vtmilter.db	quota
nostore	69	vtmilter.db	scan @NEW
nostore	69	vtmilter.db	submit --public @NEW
nostore	69	nowhere	store copy sqlite:@WORK/nowhere/a.db sqlite:@WORK/copy2.db
nostore	69	the daemon does not run	status
nostore	1	problem +store	doctor
TABLE

# Nothing is left out: each command of --help has a row of each kind.
commands=$("$builddir/milter/vtmilterctl" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | sort -u)
has()
{
	awk -F '\t' -v kinds="$1" -v command="$2" '{ sub(/--json /, "", $4); split($4, word, " ") }
		word[1] == command && index(" " kinds " ", " " $1 " ") { found = 1 } END { exit !found }' "$work/table"
}
for command in $commands; do
	ok "$command: has a normal case" has normal "$command"
	ok "$command: has an empty case" has empty "$command"
	ok "$command: has a wrong argument" has args "$command"
	ok "$command: has a service that is down" has 'down nostore' "$command"
done

: >"$work/nothing"
: >"$work/domains"
mkdir "$work/dir"
mkfifo "$work/fifo"
eicar >"$work/eicar"
printf 'Subject: new\n\nhttps://new.matrix.example.com/\n' >"$work/new.eml"

# run_case NAME : all of its rows, in their order.
run_case()
{
	awk -F '\t' -v name="$1" '$1 == name' "$work/table" >"$work/rows"
	while IFS='	' read -r _ want pattern line <&3; do
		line=$(printf '%s\n' "$line" | sed "s|@BAD|$data/messages/bad-link.eml|; s|@PLAIN|$data/messages/plain.eml|
			s|@NEW|$work/new.eml|; s|@DIR|$work/dir|; s|@NONE|$work/missing|; s|@NOTHING|$work/nothing|
			s|@EICAR|$work/eicar|; s|@FIFO|$work/fifo|; s|@DB|$work/vtmilter.db|g; s|@WORK|$work|g")
		set -f
		"$builddir/milter/vtmilterctl" -f "$milter_conf" $line >"$work/said" 2>&1 </dev/null
		status=$?
		set +f
		like "$status" "^$want\$" "$1: $line: status"
		like "$(cat "$work/said")" "$pattern" "$1: $line: says so"
	done 3<"$work/rows"
}

journalled()
{
	"$builddir/milter/vtmilterctl" -f "$milter_conf" list --json | grep -q "\"message_id\":\"<$1@samples.vtmilter>\""
}

deliver()
{
	"$builddir/t/standin/milter-drive" -t 15000 -f "$data/messages/$1.eml" "unix:$milter_socket" >/dev/null
	wait_for 20 journalled "$1"
}

start_fakevt --per-minute 0 || bail 'no stand-in'
know_samples
start_vtmilter 'RequestsPerMinute 0' "IgnoredDomains $work/domains" || bail 'no milter'
wait_for 20 test -e "$work/vtmilter.db"
run_case empty
deliver bad-link || bail 'not journalled'
run_case normal
run_case args
deliver two-links || bail 'not journalled'
vt fault status=401 >/dev/null
run_case refused
vt reset >/dev/null
stop_vtmilter
stop_pid "$vt_pid"
run_case down
rm -f "$work"/vtmilter.db*
mkdir "$work/vtmilter.db"
run_case nostore
done_testing
