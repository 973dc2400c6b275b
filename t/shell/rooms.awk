# SPDX-License-Identifier: BSD-2-Clause
# layers.awk - prints what in the sources breaks a rule of t/layers, one line each.
#
#	awk -f t/layers.awk t/layers lib/*.[ch] milter/*.[ch]

function complain(text)
{
	print FILENAME ":" FNR ": " text
}

function family(module)
{
	sub(/-.*/, "", module)
	return module
}

# Of the module itself or, for a part of one, of the whole.
function layer_of(module)
{
	return module in layer ? layer[module] : family(module) in layer ? layer[family(module)] : 0
}

function place_of(module)
{
	return module in place ? place[module] : place[family(module)]
}

function may_include(header,	other)
{
	other = header
	sub(/\.h$/, "", other)
	if (header == "build-config.h" || family(other) == family(module) || (module, header) in allowed)
		return 1
	if (!layer_of(other))
		return 0
	if (layer_of(other) != layer_of(module))
		return layer_of(other) < layer_of(module)
	if (name[layer_of(module)] == "composites")
		return place_of(other) < place_of(module)
	return name[layer_of(module)] != "leaves"
}

function check_library(header,	prefix, known)
{
	for (prefix in library)
		if (index(header, prefix) == 1) {
			known = 1
			if (index(library[prefix], " " module " "))
				return
		}
	if (known)
		complain("<" header "> is not for " module)
	else if (header ~ /\// && header !~ /^(sys|arpa|net|netinet|linux|glib|gio)\//)
		complain("<" header "> is of a library that t/layers does not list")
}

# The line without comments and without what stands in quotes.
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
			if (word in only && !index(only[word], " " module " "))
				complain(word "() is not for " module)
		}
		line = substr(line, RSTART + RLENGTH)
	}
}

NR == FNR {
	rest = $0
	sub(/^[a-z]+[ \t]+[^ \t]+/, "", rest)
	if ($1 == "layer") {
		name[++layers] = $2
		for (i = 3; i <= NF; i++) {
			layer[$i] = layers
			place[$i] = i
		}
	} else if ($1 == "allow") {
		allowed[$2, $3] = 1
	} else if ($1 == "library") {
		library[$2] = rest " "
	} else if ($1 == "only") {
		only[$2] = rest " "
	} else if ($1 == "forbid") {
		for (i = 2; i <= NF; i++)
			forbidden[$i] = 1
	}
	next
}

FNR == 1 {
	module = FILENAME
	sub(/.*\//, "", module)
	sub(/\.[ch]$/, "", module)
	in_lib = FILENAME ~ /(^|\/)lib\/[^\/]*$/
	in_comment = 0
	if (!layer_of(module))
		complain(module " is in no layer of t/layers")
	else if (in_lib != (name[layer_of(module)] != "milter"))
		complain(module " is in the wrong directory for its layer")
	if ($0 !~ /SPDX-License-Identifier: BSD-2-Clause/)
		complain("the first line names no license")
}

/^#[ \t]*include[ \t]*"/ {
	split($0, part, "\"")
	sub(/.*\//, "", part[2])
	if (!may_include(part[2]))
		complain(module " does not know " part[2])
}

/^#[ \t]*include[ \t]*</ {
	split($0, part, /[<>]/)
	check_library(part[2])
}

{
	line = code($0)
	if (in_lib)
		check_calls(line)
}
