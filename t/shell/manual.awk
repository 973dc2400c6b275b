# SPDX-License-Identifier: BSD-2-Clause
# manual.awk - prints what mark-up broke in a rendered manual page, one line each.
#
#	mandoc -T utf8 -O width=1000 PAGE | col -b | awk -f manual.awk
#
# Lines between empty lines are a paragraph.  In each, parentheses and quotes are paired, and no quotation runs over the end
# of its clause: one that does has taken in the text after it.

function differ(first, second,    text, n)
{
	text = paragraph
	n = gsub(first, "", text)
	return n != gsub(second, "", text)
}

function look(    text, quotation)
{
	gsub(/“/, "<", paragraph)
	gsub(/”/, ">", paragraph)
	if (differ("[(]", "[)]"))
		print "unpaired parentheses:" paragraph
	text = paragraph
	while (match(text, /<[^>]*>/)) {
		quotation = substr(text, RSTART, RLENGTH)
		text = substr(text, RSTART + RLENGTH)
		if (quotation ~ /; |[^.][.]>/ || quotation ~ /<.*</)
			print "a quotation that does not end: " quotation
	}
	if (text ~ /[<>]/)
		print "unpaired quotes:" paragraph
	paragraph = ""
}

{ gsub(/[<>]/, "") }
/[^ \t]/ { sub(/^[ \t]*/, " "); paragraph = paragraph $0; next }
{ look() }
END { look() }
