# SPDX-License-Identifier: BSD-2-Clause
# rooms.awk - prints each place in the sources that breaks a rule of HACKING's tables or of t/shell/calls, one line each.
#
#	awk -f t/shell/rooms.awk HACKING t/shell/calls lib/*/*.[ch] ...
#
# HACKING holds two tables, each between a line "begin NAME" and a line "end NAME":
#	rooms		FOLDER: FOLDER...	what files in the first folder include.  From the bottom up: a folder names
#						only folders above its own line, so no two folders can include each other.
#	libraries	PREFIX: FILE...		the only files that include <PREFIX...>
#
# With -v arrows=1 the output is the folders that each folder includes, in the form of the first table.

function complain(text)
{
	if (!arrows)
		print FILENAME ":" FNR ": " text
}

function folder_of(path)
{
	sub(/\/[^\/]*$/, "", path)
	return path
}

function read_row(line,	head, part, n, i)
{
	head = line
	sub(/:.*/, "", head)
	sub(/^[^:]*:/, "", line)
	n = split(line, part, " ")
	if (table == "libraries") {
		for (i = 1; i <= n; i++)
			may_use[head, part[i]] = 1
		library[head] = 1
		return
	}
	for (i = 1; i <= n; i++) {
		if (!(part[i] in place))
			complain(head " names " part[i] ", which is not above it in the table")
		allowed[head, part[i]] = 1
	}
	place[head] = ++rooms
	room[rooms] = head
}

# The folder of an included file, which is named from lib/ or from milter/; "" where no room has it.
function folder_of_header(header)
{
	header = folder_of("/" header)
	if (header == "")
		return "milter"
	if (("lib" header) in place)
		return "lib" header
	return ("milter" header) in place ? "milter" header : ""
}

function check_include(header,	other)
{
	if (header == "build-config.h")
		return
	other = folder_of_header(header)
	if (other == "")
		complain("\"" header "\" is in no room")
	else if (other == folder)
		return
	else if (!((folder, other) in allowed))
		complain(folder " does not include " other " (\"" header "\")")
	used[folder, other] = 1
}

function check_library(header,	prefix, known)
{
	for (prefix in library)
		if (index(header, prefix) == 1) {
			known = 1
			if ((prefix, file) in may_use)
				return
		}
	if (known)
		complain("<" header "> is not for " file)
	else if (header ~ /\// && header !~ /^(sys|arpa|net|netinet|linux|glib|gio)\//)
		complain("<" header "> is of a library that HACKING does not list")
}

# The line without comments and without quoted text.
function code(line,	out, at)
{
	out = ""
	while (line != "") {
		if (in_comment) {
			at = index(line, "*/")
			if (!at)
				return out
			in_comment = 0
			line = substr(line, at + 2)
		} else if (match(line, /\/\*|\/\/|"([^"\\]|\\.)*"|'([^'\\]|\\.)*'/)) {
			out = out substr(line, 1, RSTART - 1)
			if (substr(line, RSTART, 2) == "//")
				return out
			in_comment = substr(line, RSTART, 2) == "/*"
			line = substr(line, RSTART + RLENGTH)
		} else {
			return out line
		}
	}
	return out
}

function check_calls(line,	word)
{
	while (match(line, /[A-Za-z_][A-Za-z_0-9]*[ \t]*\(/)) {
		word = substr(line, RSTART, RLENGTH)
		sub(/[ \t]*\($/, "", word)
		if (substr(line, 1, RSTART - 1) !~ /(\.|->)$/) {
			if (word in forbidden)
				complain(word "() is not called in lib/")
			if (word in only && !index(only[word], " " file " "))
				complain(word "() is not for " file)
		}
		line = substr(line, RSTART + RLENGTH)
	}
}

FNR == 1 {
	input++
}

input == 1 {
	if ($1 == "begin")
		table = $2
	else if ($1 == "end")
		table = ""
	else if (table != "" && /:/) {
		gsub(/^[ \t]+/, "")
		read_row($0)
	}
	next
}

input == 2 {
	rest = $0
	sub(/^[a-z]+[ \t]+[^ \t]+/, "", rest)
	if ($1 == "only")
		only[$2] = rest " "
	else if ($1 == "forbid")
		for (i = 2; i <= NF; i++)
			forbidden[$i] = 1
	next
}

FNR == 1 {
	file = FILENAME
	if (root)
		sub("^" root "/", "", file)
	folder = folder_of(file)
	in_comment = 0
	if (!(folder in place))
		complain(file " is in no room")
	if ($0 !~ /SPDX-License-Identifier: BSD-2-Clause/)
		complain("the first line names no license")
}

/^#[ \t]*include[ \t]*"/ {
	split($0, part, "\"")
	check_include(part[2])
}

/^#[ \t]*include[ \t]*</ {
	split($0, part, /[<>]/)
	check_library(part[2])
}

{
	line = code($0)
	if (file ~ /^lib\//)
		check_calls(line)
}

END {
	for (i = 1; arrows && i <= rooms; i++) {
		row = room[i] ":"
		for (j = 1; j <= rooms; j++)
			if ((room[i], room[j]) in used)
				row = row " " room[j]
		print row
	}
}
